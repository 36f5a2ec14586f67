#!/bin/sh
# What traffic shows is written into a file of its own, which no policy directory takes; declared, observed and accepted are compared.
# Covers: R056 R058
set -eu
BUILD=${BUILD:-$PWD/build}
exec timeout 120 python3 - "$BUILD/bin/spanward" <<'PY'
import json, os, shutil, subprocess, sys, tempfile

spanward = sys.argv[1]
dir = tempfile.mkdtemp()
faults = 0


def check(ok, *words):
    global faults
    if not ok:
        faults += 1
        print("FAIL:", *words)


def run(*args, code=0, stdin=None):
    r = subprocess.run([spanward, *args], capture_output=True, input=stdin, env={**os.environ, "HOME": dir, "XDG_STATE_HOME": dir, "LC_ALL": "C"})
    if r.returncode != code:
        check(False, args, "exit", r.returncode, r.stderr.decode()[:400])
    return r


def lines(*args, code=0):
    return [json.loads(l) for l in run(*args, code=code).stdout.decode().splitlines()]


p, day = f"{dir}/policy", "test-pcaps/demo/hospital-day.pcap"
shutil.copytree("test-pcaps/demo/policy", p)
before = {n: open(f"{p}/{n}", "rb").read() for n in os.listdir(p)}
seen = f"{dir}/day.observed.yaml"
run("profile", "learn", "-q", "-p", p, "-o", seen, day)
check({n: open(f"{p}/{n}", "rb").read() for n in os.listdir(p)} == before, "learning touched the policy")
text = open(seen).read()
check("drafts:" in text and "first:" in text and "cite" not in text.split("drafts:")[1], "drafts, dates, no citation")
# The counts are those of the flows.
flows = [e for e in lines("replay", "-q", "-p", p, "--show", "events", "--format", "jsonl", day) if e["type"] == "flow"]
want = {}
for f in flows:
    for end in (f["device"], f.get("peer")):
        want[end] = want.get(end, 0) + 1
got = {}
unit = None
for l in text.split("drafts:")[0].splitlines():
    if l.startswith("  ") and not l.startswith("   "):
        unit = l.strip(" :\"")
    elif l.strip().startswith("flows:"):
        got[unit] = got.get(unit, 0) + int(l.split(":")[1])
check(got["us-1"] <= want["us-1"] and got["ct-1"] <= want["ct-1"] and got["ct-1"] > 0, "counts", got, want)
# It is no declaration, whatever it is called.
for name in "day.yaml", "site.yaml", "inventory.yaml":
    q = f"{dir}/q"
    shutil.copytree(p, q)
    shutil.copy(seen, f"{q}/{name}")
    r = run("check", q, code=3)
    check(b"no place among declarations" in r.stderr, name, r.stderr)
    shutil.rmtree(q)
rows = lines("profile", "diff", "-p", p, seen)
states = {(r["unit"], r["direction"], r["service"]): r["state"] for r in rows}
check(states.get(("ct-1", "in", "tcp/22")) == "undeclared" and states.get(("pm-1", "out", "tcp/2575")) == "differs", states)
check(all(r["state"] != "declared_seen" for r in rows), "without --all")
everything = lines("profile", "diff", "-p", p, "--all", seen)
check(any(r["state"] == "declared_seen" and r["flows"] and r["document"] and r["first"] for r in everything), everything[:2])
check({r["unit"] for r in lines("profile", "diff", "-p", p, "--device", "ct-1", "--all", seen)} == {"ct-1"}, "--device")
# Twice the same day: twice the flows, no more rows.
twice = lines("profile", "diff", "-p", p, "--all", seen, seen)
check(len(twice) == len(everything) and sum(int(r.get("flows", 0)) for r in twice) == 2 * sum(int(r.get("flows", 0)) for r in everything), "twice")
# What was accepted is told as such; what nothing needed as well.
alerts = run("replay", "-q", "-p", p, "--format", "jsonl", day).stdout
ssh = [a for a in map(json.loads, alerts.decode().splitlines()) if a["device"] == "ct-1" and a.get("port") == 22][0]
run("accept", ssh["id"], "--from", "-", "--reason", "until the update", "--owner", "ME", "--for", "30d", "-p", p, stdin=alerts)
state = [r for r in lines("profile", "diff", "-p", p, seen) if r["unit"] == "ct-1" and r.get("service") == "tcp/22"]
check([(r["state"], r["owner"]) for r in state] == [("accepted", "ME")], state)
nothing = f"{dir}/nothing.observed.yaml"
open(nothing, "w").write("format: spanward-observed/1\nkind: observed\nunits: {ct-2: {rows: []}}\n")
state = [r["state"] for r in lines("profile", "diff", "-p", p, nothing)]
check(set(state) == {"declared_unseen", "accepted_unseen"}, state)
# What is typed wrongly, what is read wrongly.
run("profile", "learn", day, code=2)
run("profile", "learn", "-p", p, code=2)
run("profile", "diff", "-p", p, code=2)
run("profile", "diff", "-p", p, f"{p}/site.yaml", code=3)
run("profile", "learn", "-q", "-p", p, f"{dir}/nowhere.pcap", code=4)
shutil.rmtree(dir)
print(f"{len(everything)} lines declared, observed, accepted; {faults} faults")
sys.exit(faults != 0)
PY
