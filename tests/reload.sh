#!/bin/sh
# A policy is replaced again and again while packets pour in: none is lost, every verdict names the generation that gave it and none
# mixes two. Files that are broken, half written, gone or in the middle of a change leave the policy in force, and the message and
# the event say why.
# Covers: R039
set -eu
BUILD=${BUILD:-$PWD/build}
exec timeout 120 python3 - "$BUILD/bin/spanward" test-pcaps/verdicts/policy <<'PY'
import json, os, shutil, signal, struct, subprocess, sys, tempfile, threading, time
sys.path.insert(0, "test-pcaps/make")
from pcapgen import Capture, Host, SYN, ACK, PSH, FIN

spanward, source = sys.argv[1:]
dir = tempfile.mkdtemp()
policy = f"{dir}/policy"
shutil.copytree(source, policy)
faults = 0


def check(ok, *words):
    global faults
    if not ok:
        faults += 1
        print("FAIL:", *words)


def write(name, text):
    """As a careful program does: beside it, then renamed."""
    with open(f"{dir}/new", "w") as f:
        f.write(text)
    os.rename(f"{dir}/new", f"{policy}/{name}")


site = open(f"{policy}/site.yaml").read()
inventory = open(f"{policy}/inventory.yaml").read()
FORBID = '  - {id: SEC-9, from: unit ct-1, to: any, tcp: 445, text: "no file shares"}\n'

ct, files, ris = Host("02:00:5e:20:01:11", "10.20.1.11"), Host("02:00:5e:01:00:04", "10.1.0.4"), Host("02:00:5e:01:00:11", "10.1.0.11")
OPAQUE = b"\x13\x37opaque bytes of a maker's own protocol, long enough for every probe\x00" * 4


def frames(client_port, at, end=True):
    """A flow that no row declares, as (time, frame)."""
    cap = Capture()
    c = cap.tcp(ct, client_port, files, 445, at).open()
    c.send(ct, OPAQUE)
    c.send(files, OPAQUE)
    if end:
        c.close()
    return [(t, f) for t, _, f in cap.packets], c, cap


class Load(threading.Thread):
    """Packets until told to end: short flows one after the other, and some that are open from the first to the last."""
    def __init__(self, to):
        super().__init__()
        self.to, self.packets, self.flows, self.ending = to, 0, 0, False

    def put(self, packets):
        start = 1795338000000000
        for t, f in packets:
            t = start + int(t)
            self.to.write(struct.pack("<IIII", t // 1000000, t % 1000000, len(f), len(f)) + f)
        self.packets += len(packets)

    def run(self):
        self.to.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        at, n, long = 1.0, 0, []
        for i in range(20):
            packets, c, cap = frames(60000 + i, at, end=False)
            self.put(packets)
            long.append((c, cap))
        base, _, _ = frames(2000, 0)
        while not self.ending:
            # One flow is made, the others are its copies with other ports: what is unlike is told by the checksum rules,
            # so ports are moved together with what balances them.
            for i in range(200):
                port = 2000 + n % 50000
                out = []
                for t, f in base:
                    f = bytearray(f)
                    for off, to in ((34, port),) if f[26:30] == ct.ip4.packed else ((36, port),):
                        old = struct.unpack_from("!H", f, off)[0]
                        struct.pack_into("!H", f, off, to)
                        s = struct.unpack_from("!H", f, 50)[0]
                        s = (~s & 0xffff) + (~old & 0xffff) + to
                        while s >> 16:
                            s = (s & 0xffff) + (s >> 16)
                        struct.pack_into("!H", f, 50, ~s & 0xffff)
                    out.append(((at * 1e6) + t, bytes(f)))
                self.put(out)
                at += 0.02
                n += 1
            self.to.flush()
            time.sleep(0.01)
        for c, cap in long:
            before = len(cap.packets)
            c.wait(at - c.now).close()
            self.put([(t, f) for t, _, f in cap.packets[before:]])
        self.flows = n + len(long)
        self.to.close()


p = subprocess.Popen([spanward, "replay", "-p", policy, "--show", "events", "--format", "jsonl", "-o", f"{dir}/events", "-"],
                     stdin=subprocess.PIPE, stderr=subprocess.PIPE)
said = []
threading.Thread(target=lambda: [said.append(l.decode()) for l in p.stderr], daemon=True).start()
load = Load(p.stdin)
load.start()


def told(what, since=0):
    for _ in range(300):
        if any(what in l for l in said[since:]):
            return True
        time.sleep(0.05)
    return False


forbids = {1: False}
generation = 1


def taken():
    global generation
    generation += 1
    p.send_signal(signal.SIGHUP)
    if not told(f"policy generation {generation} is in force"):
        print("".join(said))
        sys.exit(f"FAIL: generation {generation} never came")


def kept(case, *words):
    since = len(said)
    p.send_signal(signal.SIGHUP)
    check(told("the old one stays in force", since), case, "is not told", said[since:])
    text = "".join(said[since:])
    check(all(w in text for w in words), case, "says", text)
    whys.append(words)


whys = []
time.sleep(0.3)
for turn in range(4):
    write("site.yaml", site + (FORBID if turn % 2 == 0 else ""))
    forbids[generation + 1] = turn % 2 == 0
    taken()
    time.sleep(0.2)
# From here on nothing is forbidden.
write("site.yaml", site + "  - {id: SEC-9, from: unit nobody, to: any, text: x}\n")
kept("a name that nothing defines", "site.yaml", "nobody")
write("site.yaml", site)
write("inventory.yaml", inventory[:len(inventory) * 2 // 3 - 7])
kept("a file cut short", "inventory.yaml")
write("inventory.yaml", inventory)
os.rename(f"{policy}/ct.yaml", f"{dir}/ct.yaml")
kept("a type that is gone", "example.ct")
os.rename(f"{dir}/ct.yaml", f"{policy}/ct.yaml")
os.rename(f"{policy}/inventory.yaml", f"{dir}/inventory.yaml")
kept("an inventory that is gone", "ct-3")
write("site.yaml", site.split("windows:")[0])
kept("an inventory that nothing needs is gone", "has no units any more")
write("site.yaml", site)
os.rename(f"{dir}/inventory.yaml", f"{policy}/inventory.yaml")
os.rename(policy, f"{dir}/away")
kept("a directory that is gone", "cannot be opened")
os.rename(f"{dir}/away", policy)
# Half written, and right as far as it goes: what is not at rest is not read. The writer takes a second and more.
with open(f"{policy}/site.yaml", "w") as f:
    f.write(site.split("forbid:")[0])
    f.flush()
    p.send_signal(signal.SIGHUP)
    for part in ("forbid:\n", '  - {id: SEC-4, from: zone guests, to: zone imaging, text: "x"}\n', FORBID):
        time.sleep(0.35)
        f.write(part)
        f.flush()
generation += 1
forbids[generation] = True
check(told(f"policy generation {generation} is in force"), "a file that is written slowly is never taken", said)
check(not any(l.startswith("spanward: policy generation") and f" {generation + 1} " in l for l in said), "half of it was taken")
time.sleep(0.2)
load.ending = True
load.join()
code = p.wait()
check(code == 0, "exit", code, said)

events = [json.loads(l) for l in open(f"{dir}/events")]
flows = [e for e in events if e["type"] == "flow"]
check(any(f"{load.packets} packets, {load.flows} flows" in l for l in said), "packets written", load.packets, load.flows, "but", said[-4:])
check(len(flows) == load.flows, "flows", len(flows), "of", load.flows)
seqs = {}
for e in events:
    check(e["seq"] == seqs.get(e["lane"], 0) + 1, "a hole before", e)
    seqs[e["lane"]] = e["seq"]
by = {}
for e in flows:
    want = "forbidden" if forbids.get(e["generation"]) else "undeclared"
    if "verdict" not in e:
        check(False, "no verdict:", e)
        break
    by[e["generation"]] = by.get(e["generation"], 0) + 1
    if e["verdict"] != want:
        check(False, "a flow is judged by two:", e)
        break
check(sorted(by) == list(range(1, generation + 1)), "generations of flows:", by)
now = 0
for e in events:
    if e.get("rule") == "sensor.policy":
        now = e["generation"]
    elif "generation" in e and e["type"] != "sensor":
        check(e["generation"] == now, "an event of another generation than", now, e)
    if "verdict" in e and e["type"] != "flow":
        check("generation" in e, "a verdict without generation", e)
    if e.get("rule") in ("policy.forbidden", "policy.undeclared_traffic"):
        want = "policy.forbidden" if forbids[e["generation"]] else "policy.undeclared_traffic"
        check(e["rule"] == want, "generation", e["generation"], "says", e["rule"])
# Repeats are counted to the last one, within their generation.
alerts = sum(e["count"] for e in events if e.get("rule") in ("policy.forbidden", "policy.undeclared_traffic"))
check(alerts >= len(flows), "breaches told", alerts, "of", len(flows))
tells = [e for e in events if e.get("rule") == "sensor.policy_kept"]
check(len(tells) == len(whys), "events of refusals", len(tells), "of", len(whys))
for e, words in zip(tells, whys):
    check(any(w in e["why"] for w in words), e["why"], "does not say", words)
shutil.rmtree(dir)
print(f"{load.packets} packets, {len(flows)} flows, {generation} generations {by}, {len(tells)} refusals told; {faults} faults")
sys.exit(faults != 0)
PY
