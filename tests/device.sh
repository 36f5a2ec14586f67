#!/bin/sh
# Everyday decisions about devices: a swap, a mode, a window, an acceptance are one command each, checked before they are in force,
# written down, taken back by one command; files of people keep every byte, and two who decide at once do not harm each other.
# Covers: R039 R056 R111
set -eu
BUILD=${BUILD:-$PWD/build}
exec timeout 300 python3 - "$BUILD/bin/spanward" <<'PY'
import fcntl, hashlib, json, os, shutil, subprocess, sys, tempfile, time

spanward = sys.argv[1]
dir = tempfile.mkdtemp()
faults = 0
env = {**os.environ, "XDG_STATE_HOME": f"{dir}/state", "HOME": dir, "LC_ALL": "C"}


def check(ok, *words):
    global faults
    if not ok:
        faults += 1
        print("FAIL:", *words)


def run(*args, code=0, stdin=None):
    r = subprocess.run([spanward, *args], capture_output=True, env=env, input=stdin)
    if r.returncode != code:
        check(False, args, "exit", r.returncode, r.stdout.decode()[:300], r.stderr.decode()[:500])
    return r


def lines(*args, code=0):
    return [json.loads(l) for l in run(*args, code=code).stdout.decode().splitlines()]


def state(policy):
    return {n: open(f"{policy}/{n}", "rb").read() for n in os.listdir(policy) if n not in (".lock",)}


# ---- a swap, in a CSV and in YAML ----
p = f"{dir}/demo"
shutil.copytree("test-pcaps/demo/policy", p)
before = state(p)
units = {u["device"]: u for u in lines("device", "list", "-p", p)}
check(units["pm-1"]["addresses"] == "10.30.5.31 02:00:5e:30:05:31" and units["pm-1"]["mode"] == "alert", units["pm-1"])
r = run("device", "swap", "pm-1", "loan-7", "-p", p, code=3)
check(b"recognised by its hardware address" in r.stderr and b"nothing was changed" in r.stderr, r.stderr)
check(state(p) == before, "a refused swap changed", [n for n in state(p) if state(p)[n] != before.get(n)])
for wrong in ("pm-9", "loan-7", "--mac", "02:00:5e:30:05:99"), ("pm-1", "pm-2", "--mac", "02:00:5e:30:05:99"), \
        ("pm-1", "loan-7", "--mac", "02:00:5e:30:05:99", "--ip", "10.30.5.32"), ("pm-1", "loan-7", "--mac", "02:00:5e:30:05:99", "--type", "x.y"):
    run("device", "swap", *wrong, "-p", p, code=3)
    check(state(p) == before, "a refused swap changed something:", wrong)
run("device", "swap", "pm-1", "loan-7", "-p", p, "--mac", "02:00:5e:30:05:99", "--serial", "L-0007", "--reason", "OR 3, 輸液", "--who", "ME 夜勤")
run("check", p)
units = {u["device"]: u for u in lines("device", "list", "-p", p)}
check("pm-1" not in units and units["loan-7"]["addresses"] == "10.30.5.31 02:00:5e:30:05:99" and units["loan-7"]["in_place_of"] == "pm-1", units)
r = run("device", "show", "pm-1", "-p", p, code=3)
check(b"spanward: loan-7 stands in the place of pm-1\n" == r.stderr, r.stderr)
# Nobody has the address of a group, or none.
for wrong in "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "01:00:5e:00:00:01":
    was = state(p)
    r = run("device", "swap", "pm-2", "loan-8", "-p", p, "--mac", wrong, code=3)
    check(b"not the hardware address of one unit" in r.stderr and state(p) == was, wrong, r.stderr)
check(all(state(p)[n] == before[n] for n in before), "a file that a person wrote was changed")
# The loaner is judged as the unit was: the day's alerts of pm-1 are now its.
day = "test-pcaps/demo/hospital-day.pcap"
old = [a for a in lines("replay", "-q", "-p", "test-pcaps/demo/policy", day) if a["device"] == "pm-1"]
new = [a for a in lines("replay", "-q", "-p", p, day) if a["device"] == "loan-7"]
check(len(old) == len(new), "alerts of pm-1", len(old), "of its loaner", len(new))
# Back comes the repaired unit, under its own name: its address is known. All of it is taken back, last first.
r = run("device", "swap", "loan-7", "pm-1", "-p", p)
check(b"pm-1 has 02:00:5e:30:05:31, as the inventory says" in r.stdout, r.stdout)
check({u["device"]: u["addresses"] for u in lines("device", "list", "-p", p)}["pm-1"] == "10.30.5.31 02:00:5e:30:05:31", "not as it was")
check({u["device"] for u in lines("device", "list", "-p", p)} == {u for u in units if u != "loan-7"} | {"pm-1"}, "not back")
r = run("undo", "1", "-p", p, code=3)
check(b"nothing was changed" in r.stderr, r.stderr)
run("undo", "-p", p)
run("undo", "-p", p)
r = run("undo", "-p", p, code=1)
check(b"nothing to take back" in r.stderr, r.stderr)
check("pm-1" in {u["device"] for u in lines("device", "list", "-p", p)}, "the swap was not taken back")
audit = lines("audit", "-p", p)
check([(a["n"], a["command"], a.get("state", "")) for a in audit] ==
      [("1", "device swap", "taken back by 4"), ("2", "device swap", "taken back by 3"), ("3", "undo", ""), ("4", "undo", "")], audit)
check(audit[0]["who"] == "ME 夜勤" and json.loads(audit[0]["after"])["serial"] == "L-0007" and "before" not in audit[0], audit[0])
# People read all of it in their language; machines do not.
table = run("audit", "-p", p, "--format", "table", "--lang", "ja").stdout.decode()
for words in "pm-1をloan-7に交替、製造番号 L-0007", "変更4で取消し", "変更2の取消し":
    check(words in table, words, table)
check("stands where" not in table, table)
check(json.loads(run("audit", "-p", p, "--lang", "ja").stdout.splitlines()[0])["what"].startswith("loan-7 stands where"), "JSON has a language")
table = run("device", "list", "-p", p, "--format", "table", "--lang", "ja").stdout.decode()
check("機器種別" in table and "通常監視" in table and "警報" not in table, table)
# A loaner that comes again, with an address of its own; the unit back to its place, and to its own address. Typed counts more.
q = f"{dir}/again"
shutil.copytree("test-pcaps/demo/policy", q)
address = lambda unit: {u["device"]: u["addresses"] for u in lines("device", "list", "-p", q)}[unit]
run("device", "swap", "pm-1", "loan-7", "-p", q, "--mac", "02:00:5e:30:05:99", "--ip", "10.30.5.199")
r = run("device", "swap", "loan-7", "pm-1", "-p", q)
check(b"pm-1 has 02:00:5e:30:05:31, 10.30.5.31, as the inventory says" in r.stdout and address("pm-1") == "10.30.5.31 02:00:5e:30:05:31", r.stdout)
r = run("device", "swap", "pm-2", "loan-7", "-p", q)
check(b"loan-7 has 02:00:5e:30:05:99, as the swap that brought it says" in r.stdout and address("loan-7").endswith(" 02:00:5e:30:05:99") and
      "10.30.5.199" not in address("loan-7"), r.stdout, address("loan-7"))
r = run("device", "swap", "loan-7", "pm-2", "-p", q, "--mac", "02:00:5e:30:05:55")
check(b" has " not in r.stdout and address("pm-2").endswith("02:00:5e:30:05:55"), r.stdout)
# An undo can be taken back as well.
run("undo", "4", "-p", p)
check("loan-7" in {u["device"] for u in lines("device", "list", "-p", p)}, "the undo of an undo")

# ---- modes, with the time left ----
v = f"{dir}/verdicts"
shutil.copytree("test-pcaps/verdicts/policy", v)
run("device", "mode", "ct-1", "learn", "--for", "14d", "-p", v)
ct = lines("device", "show", "ct-1", "-p", v)[0]
check(ct["mode"] == "learn" and ct["left"] in ("14d 0h", "13d 23h"), ct)
pcap = "test-pcaps/verdicts/undeclared-listener.pcap"
check(lines("replay", "-q", "-p", v, pcap) == [], "a unit that is learned is alerted")
run("device", "mode", "ct-1", "report", "--for", "2h", "-p", v)
check(lines("device", "show", "ct-1", "-p", v)[0]["left"] in ("2h 0m", "1h 59m"), "the time did not begin anew")
# Times as people type them: the site's clocks where the site says them, and no guess where it does not.
site = open(f"{v}/site.yaml").read()
for offset, typed, until in ("+09:00", "2037-01-02", "2037-01-01 15:00Z"), ("+09:00", "2037-01-02T08:30", "2037-01-01 23:30Z"), \
        ("-03:30", "2037-01-02T08:30:00", "2037-01-02 12:00Z"), ("+09:00", "2037-01-02T00:00:00Z", "2037-01-02 00:00Z"), (None, "2037-01-02", "2037-01-02 00:00Z"):
    open(f"{v}/site.yaml", "w").write(site.replace('utc_offset: "+00:00"', f'utc_offset: "{offset}"' if offset else "# no clocks"))
    run("device", "mode", "ct-1", "report", "--until", typed, "-p", v)
    check(lines("device", "show", "ct-1", "-p", v)[0]["until"] == until, offset, typed, lines("device", "show", "ct-1", "-p", v)[0])
r = run("device", "mode", "ct-1", "report", "--until", "2037-01-02T08:30", "-p", v, code=2)
check(b"--until 2037-01-02T08:30: of which clocks?" in r.stderr and b"utc_offset" in r.stderr, r.stderr)
r = run("window", "open", "ct-1", "--until", "tomorrow", "--by", "x", "--ticket", "x", "-p", v, code=2)
check(b"--until: expected a day such as 2026-12-31, a time of it" in r.stderr, r.stderr)
open(f"{v}/site.yaml", "w").write(site)
for verb in "device", "window", "accept":
    check(b"2026-12-31 (as that day begins)" in run(verb, "--help").stdout, "the help of", verb, "says when a day begins")
run("device", "mode", "ct-1", "alert", "-p", v)
check(len(lines("replay", "-q", "-p", v, pcap)) == 1, "ended learning")
run("device", "mode", "ct-1", "reset", "-p", v)
run("device", "mode", "ct-1", "reset", "-p", v, code=1)
run("device", "mode", "ct-1", "learn", "-p", v, code=2)
r = run("device", "mode", "ct-1", "lern", "-p", v, code=2)
check(r.stderr.startswith(b"spanward device: mode lern: expected alert, report, learn, reset; did you mean learn?"), r.stderr)
check(lines("device", "show", "learner", "-p", v)[0]["mode"] == "alert", "a mode whose time is over")

# ---- a window ----
pcap = "test-pcaps/verdicts/disabled-but-used.pcap"
severity = lambda: [(a["rule"], a["severity"], a.get("window")) for a in lines("replay", "-q", "-p", v, pcap)]
plain = severity()
check(plain == [("policy.disabled_but_used", "medium", None)], plain)
for wrong in ("ct-1", "--for", "2h"), ("ct-1", "--by", "x", "--ticket", "1"), ("--for", "2h", "--by", "x", "--ticket", "1"):
    run("window", "open", *wrong, "-p", v, code=2)
run("window", "open", "ct-9", "--for", "2h", "--by", "x", "--ticket", "1", "-p", v, code=3)
r = run("window", "open", "ct-1", "--from", "2026-11-24T08:00:00Z", "--until", "2026-11-24T10:00:00Z", "--by", "Example Service", "--ticket", "CHG-9",
        "--role", "vendor", "-p", v)
name = r.stdout.decode().split()[1]
check(severity() == [("policy.disabled_but_used", "info", name)], severity())
run("window", "open", "ct-2", "--for", "2h", "--by", "Example Service", "--ticket", "CHG-10", "-p", v)
now = lines("window", "list", "-p", v)
check([(w["device"], w["state"]) for w in now] == [("ct-2", "open")] and now[0]["left"] in ("2h 0m", "1h 59m"), now)
check(len(lines("window", "list", "--all", "-p", v)) == 3, "windows that are over, and the site's")
table = run("window", "list", "--all", "-p", v, "--format", "table", "--lang", "ja").stdout.decode()
check(all(w in table for w in ("作業期間", "実施中", "終了")) and "open" not in table and "over" not in table, table)
table = run("audit", "-p", v, "--format", "table", "--lang", "ja").stdout.decode().replace("\n", "")
check(all(w in table for w in ("ct-1のモード：学習、期限 20", "ct-1のモードを台帳の記載に戻した", "作業者 Example Service")), table)
time.sleep(1.1)
run("window", "close", "ct-2", "-p", v)
check(lines("window", "list", "-p", v) == [], "closed")
run("window", "close", "ct-2", "-p", v, code=1)
run("window", "open", "ct-2", "--for", "367d", "--by", "x", "--ticket", "x", "-p", v, code=2)
run("undo", "-p", v)
check([w["device"] for w in lines("window", "list", "-p", v)] == ["ct-2"], "the close was taken back")

# ---- an acceptance: this finding and no other ----
pcap, other = "test-pcaps/verdicts/undeclared-peer.pcap", "test-pcaps/verdicts/undeclared-traffic.pcap"
alerts = run("replay", "-q", "-p", v, "--format", "jsonl", pcap).stdout
first = json.loads(alerts.splitlines()[0])
check(first["severity"] == "high", first)
give = ("accept", first["id"], "--from", "-", "--since", "2026-11-01", "-p", v)
run(*give, "--reason", "x", "--until", "2027-01-31", code=2, stdin=alerts)
run(*give, "--owner", "x", "--until", "2027-01-31", code=2, stdin=alerts)
run(*give, "--reason", "x", "--owner", "x", code=2, stdin=alerts)
run(*give, "--reason", "x", "--owner", "x", "--until", "2031-01-31", code=2, stdin=alerts)
run("accept", "0000000000000000", "--from", "-", "--reason", "x", "--owner", "x", "--until", "2027-01-31", "-p", v, code=1, stdin=alerts)
run(*give, "--reason", "until the new RIS", "--owner", "Radiology", "--for", "30d", stdin=alerts)
got = [a for a in lines("replay", "-q", "-p", v, pcap) if a["id"] == first["id"]]
check(len(got) == 1 and got[0]["severity"] == "info" and got[0]["accepted"] == first["id"], got)
check([a for a in lines("replay", "-q", "-p", v, other) if a["severity"] == "info" or "accepted" in a] == [], "another finding is accepted, too")
r = run("accept", "--end", "0000", "-p", v, code=1)
check(b"there is no acceptance 0000" in r.stderr, r.stderr)
run("accept", "--end", first["id"][:6], "-p", v)
# A peer that only its zone names: all of the zone, and that is said; of a unit or a role it is not.
zone = json.dumps({**{k: v_ for k, v_ in first.items() if k not in ("peer", "peer_addr")}, "peer_class": "office"}).encode() + b"\n"
r = run("accept", first["id"], "--from", "-", "--since", "2026-11-01", "--reason", "x", "--owner", "x", "--until", "2027-01-31", "-p", v, stdin=zone)
check(b"it covers every host of 'office'" in r.stdout, r.stdout)
run("accept", "--end", first["id"][:6], "-p", v)
check([a["severity"] for a in lines("replay", "-q", "-p", v, pcap) if a["id"] == first["id"]] == ["high"], "it ended")
# Over before the packets came: no acceptance any more. A store says which were needed.
run(*give, "--reason", "x", "--owner", "Radiology", "--until", "2026-11-20", stdin=alerts)
check([a["severity"] for a in lines("replay", "-q", "-p", v, pcap) if a["id"] == first["id"]] == ["high"], "it is over")
check([x["left"] for x in lines("accept", "--list", "--expired", "-p", v)] == ["over"], "expired")
table = run("accept", "--list", "-p", v, "--format", "table", "--lang", "ja").stdout.decode()
check("アラートID" in table and "期限切れ" in table and "警報" not in table, table)
run("undo", "-p", v)
store = f"{dir}/store"
run("run", "-q", "-r", pcap, "-p", v, "--store", store)
unused = lambda: [x["alert"] for x in lines("accept", "--list", "--unused", "--from", store, "-p", v)]
run("accept", first["id"][:8], "--from", store, "--since", "2026-11-25", "--reason", "x", "--owner", "Radiology", "--for", "9d", "-p", v)
check(unused() == [first["id"]], "given after it was seen, and not needed since", unused())
run("accept", first["id"], "--from", store, "--since", "2026-11-01", "--reason", "x", "--owner", "Radiology", "--for", "9d", "-p", v)
check(unused() == [], "needed", unused())
check(lines("accept", "--list", "--from", store, "-p", v)[0]["last_needed"].startswith("2026-11-24"), "when it was needed last")

# ---- what else may go wrong ----
run("check", v)
check(run("audit", "-p", v).returncode == 0, "the journal does not hold")
# A file that is wrong already: nothing is decided on top of it.
site = open(f"{v}/site.yaml").read()
open(f"{v}/site.yaml", "w").write(site + "x: y\n")
was = state(v)
r = run("device", "mode", "ct-1", "alert", "-p", v, code=3)
check(b"site.yaml" in r.stderr and state(v) == was, r.stderr)
open(f"{v}/site.yaml", "w").write(site)
# Another command at work.
with open(f"{v}/.lock", "r+") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    r = run("device", "mode", "ct-1", "alert", "-p", v, code=1)
    check(b"another command changes this policy" in r.stderr, r.stderr)
    lines("device", "list", "-p", v)
# Twenty at once: each is done, one after the other.
n = len(lines("audit", "-p", v))
many = [subprocess.Popen([spanward, "window", "open", f"ct-{1 + i % 3}", "--for", "1h", "--by", "x", "--ticket", f"T-{i}", "-p", v], env=env,
                         stdout=subprocess.DEVNULL) for i in range(20)]
check([m.wait() for m in many] == [0] * 20, "twenty at once")
check(len(lines("audit", "-p", v)) == n + 20 and len({w["ticket"] for w in lines("window", "list", "-p", v)}) >= 20, "not all of them are there")
# A crash between the journal and the file; a line cut short; a hand on the file; a hand on the journal.
kept = open(f"{v}/decisions.yaml").read()
run("window", "open", "ct-1", "--for", "1h", "--by", "x", "--ticket", "LOST", "-p", v)
open(f"{v}/decisions.yaml", "w").write(kept)
check(run("audit", "-p", v, code=1).stderr.count(b"not what the last line") == 1, "a file that does not follow")
r = run("window", "open", "ct-1", "--for", "1h", "--by", "x", "--ticket", "AFTER", "-p", v)
check(b"never put in place" in r.stderr, r.stderr)
check([a.get("state") for a in lines("audit", "-p", v)][-3:-2] == ["never in force"], "the lost change")
# A hand on the file: undo says which file, when, and what to do; a later command is named by its number.
run("device", "mode", "ct-2", "learn", "--for", "1h", "-p", v)
n = len(lines("audit", "-p", v))
run("device", "mode", "ct-2", "report", "--for", "1h", "-p", v)
r = run("undo", str(n), "-p", v, code=1)
check(f"changed since by change {n + 1} (modes ct-2): take that back first: spanward undo {n + 1}\n".encode() in r.stderr, r.stderr)
run("undo", "-p", v)
text = open(f"{v}/decisions.yaml").read()
begin = text.index("modes:")
open(f"{v}/decisions.yaml", "w").write(text[:begin] + text[begin:].replace("learn", "alert"))
os.utime(f"{v}/decisions.yaml", (1796000000, 1796000000))
r = run("undo", str(n), "-p", v, code=1)
check(f"{v}/decisions.yaml was changed by other means than a command, last at 2026-11-30T00:53:20Z: modes ct-2 is not what that change made of it, so change {n} is not".encode() in r.stderr and
      f"'after' of change {n}) and undo again, or leave it and decide anew".encode() in r.stderr, r.stderr)
run("window", "open", "ct-1", "--for", "1h", "--by", "x", "--ticket", "x", "-p", v)
r = run("undo", str(n), "-p", v, code=1)
check(b"other means than a command, noticed at 20" in r.stderr, r.stderr)
run("device", "mode", "ct-2", "reset", "-p", v)
with open(f"{v}/journal.jsonl", "a") as f:
    f.write('{"n":99,"at":"2026')
run("window", "open", "ct-1", "--for", "1h", "--by", "x", "--ticket", "TORN", "-p", v)
check(b"cannot be read" in run("audit", "-p", v, code=1).stderr, "a line cut short")
journal = open(f"{p}/journal.jsonl").read()
open(f"{p}/journal.jsonl", "w").write(journal.replace("ME 夜勤", "somebody"))
check(b"does not follow" in run("audit", "-p", p, code=1).stderr, "a line that was changed")
open(f"{p}/journal.jsonl", "w").write(journal)
run("audit", "-p", p)
run("audit", "-p", f"{dir}/nowhere", code=3)

# Two of a group share a policy where the directory is the group's: what the one leaves behind the other can write.
os.umask(0o022)
for mode, want in (0o775, 0o660), (0o755, 0o640):
    g = f"{dir}/group-{mode:o}"
    shutil.copytree("test-pcaps/verdicts/policy", g)
    os.chmod(g, mode)
    run("window", "open", "ct-1", "--for", "1h", "--by", "x", "--ticket", "G", "-p", g)
    for name in ".lock", "journal.jsonl", "decisions.yaml":
        check(os.stat(f"{g}/{name}").st_mode & 0o777 == want, name, oct(os.stat(f"{g}/{name}").st_mode), "in", oct(mode))

# ---- a running sensor takes it without being told ----
os.mkdir(f"{dir}/in")
log = open(f"{dir}/log", "w+")
s = subprocess.Popen([spanward, "run", "-r", f"{dir}/in", "--follow", "-p", p, "--store", f"{dir}/store2"], env=env, stderr=log,
                     stdout=subprocess.DEVNULL)


def told(what):
    for _ in range(100):
        if what in open(f"{dir}/log").read():
            return True
        time.sleep(0.1)


check(told("policy generation 1 is in force"), "the sensor did not start")
run("window", "open", "pm-2", "--for", "2h", "--by", "Example Service", "--ticket", "CHG-11", "-p", p)
check(told("policy generation 2 is in force"), "the sensor did not take the window", open(f"{dir}/log").read())
s.terminate()
check(s.wait() == 0, "the sensor's end")
shutil.rmtree(dir)
print(f"swaps, modes, windows, acceptances, undo and audit; {faults} faults")
sys.exit(faults != 0)
PY
