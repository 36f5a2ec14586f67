#!/bin/sh
# A policy as one signed file: what is not signed by whom we trust, was changed, cut short, older or wrong is refused and nothing changes;
# what is right is in force whole, a running sensor takes it by itself, and one command goes back. Decisions made since are not lost.
# Covers: R039
set -eu
BUILD=${BUILD:-$PWD/build}
exec timeout 200 python3 - "$BUILD/bin/spanward" <<'PY'
import fcntl, json, os, shutil, subprocess, sys, tempfile, time

spanward = sys.argv[1]
dir = tempfile.mkdtemp()
faults = 0
env = {**os.environ, "HOME": dir, "XDG_STATE_HOME": dir, "LC_ALL": "C"}


def check(ok, *words):
    global faults
    if not ok:
        faults += 1
        print("FAIL:", *words)


def run(*args, code=0):
    r = subprocess.run([spanward, *args], capture_output=True, env=env)
    if r.returncode != code:
        check(False, args, "exit", r.returncode, r.stdout.decode()[:300], r.stderr.decode()[:400])
    return r


def state(path):
    """Everything below, links by where they lead; what only notes or locks apart."""
    out = {}
    for at, dirs, files in os.walk(path):
        for n in dirs + files:
            p = os.path.join(at, n)
            if os.path.islink(p):
                out[p] = os.readlink(p)
            elif os.path.isfile(p) and n != ".lock":
                out[p] = open(p, "rb").read()
    return out


key, other, root, p = f"{dir}/hospital.key", f"{dir}/other.key", f"{dir}/root", f"{dir}/policy"
run("bundle", "key", "-o", key)
run("bundle", "key", "-o", other)
check(os.stat(key).st_mode & 0o777 == 0o600 and "secret" not in open(key + ".pub").read(), "the keys")
run("bundle", "key", "-o", key, code=1)
os.mkdir(root)
shutil.copytree("test-pcaps/demo/policy", p)
make = lambda n, k=key, **kw: run("bundle", "make", "-p", p, "--key", k, "--generation", str(n), "-o", f"{dir}/b{n}", **kw)
activate = lambda n, *more, trust=key, **kw: run("bundle", "activate", f"{dir}/b{n}", "-p", root, "--trust", trust + ".pub", *more, **kw)
make(1)
r = run("bundle", "verify", f"{dir}/b1", "--trust", key + ".pub")
check(b"generation 1," in r.stdout and b"(trusted)" in r.stdout, r.stdout)
run("bundle", "verify", f"{dir}/b1", "--trust", other + ".pub", code=1)
r = activate(1, trust=other, code=1)
check(b"whom no --trust names" in r.stderr and os.listdir(root) == [], r.stderr, os.listdir(root))
run("bundle", "activate", f"{dir}/b1", "-p", root, code=2)
activate(1)
check(os.readlink(f"{root}/current") == "gen-1", "current")
run("check", f"{root}/current")
run("bundle", "verify", f"{root}/current", "--trust", key + ".pub")

# ---- what must not come into force ----
was = state(root)
data = open(f"{dir}/b1", "rb").read()
for name, bad, code in (("one byte", data[:200] + bytes([data[200] ^ 1]) + data[201:], 4), ("cut", data[:-1], 4), ("empty", b"", 4),
                        ("longer", data + b"x", 4), ("another file", b"kind: site\n", 4), ("the generation", data[:15] + b"\x09" + data[16:], 4)):
    open(f"{dir}/b9", "wb").write(bad)
    activate(9, code=code)
    check(state(root) == was, name, "changed something")
r = activate(1, code=1)
check(b"not newer" in r.stderr and state(root) == was, "the same again")
make(2)
site = open(f"{p}/site.yaml").read()
open(f"{p}/site.yaml", "w").write(site + "nonsense: 1\n")
make(3, code=3)
check(not os.path.exists(f"{dir}/b3"), "a policy that is wrong was signed")
open(f"{p}/site.yaml", "w").write(site)

# ---- a running sensor takes the next one, and goes back ----
os.mkdir(f"{dir}/in")
s = subprocess.Popen([spanward, "run", "-r", f"{dir}/in", "--follow", "-p", f"{root}/current", "--store", f"{dir}/store"], env=env,
                     stderr=open(f"{dir}/log", "w"), stdout=subprocess.DEVNULL)


def told(what):
    for _ in range(150):
        if what in open(f"{dir}/log").read():
            return True
        time.sleep(0.1)
    print(open(f"{dir}/log").read())


check(told("policy generation 1 is in force"), "the sensor did not start")
activate(2)
check(told("policy generation 2 is in force"), "the sensor did not take the second")
check((os.readlink(f"{root}/current"), os.readlink(f"{root}/previous")) == ("gen-2", "gen-1"), "links")
run("bundle", "rollback", "-p", root)
check(told("policy generation 3 is in force"), "the sensor did not go back")
check((os.readlink(f"{root}/current"), os.readlink(f"{root}/previous")) == ("gen-1", "gen-2"), "links after going back")
s.terminate()
check(s.wait() == 0, "the sensor's end")
log = [json.loads(l) for l in open(f"{root}/bundles.jsonl")]
check([(l["action"], l["from"], l["to"]) for l in log] ==
      [("activate", "", "gen-1"), ("activate", "gen-1", "gen-2"), ("rollback", "gen-2", "gen-1")] and all(l["who"] and l["at"] for l in log), log)

# ---- decisions made by command since ----
run("device", "swap", "pm-1", "loan-7", "--mac", "02:00:5e:30:05:99", "-p", f"{root}/current")
make(4)
was = state(root)
r = activate(4, code=1)
check(b"--keep-decisions" in r.stderr and state(root) == was, r.stderr)
r = run("bundle", "rollback", "-p", root, code=1)
check(b"--keep-decisions" in r.stderr and state(root) == was, r.stderr)
activate(4, "--keep-decisions")
units = run("device", "list", "-p", f"{root}/current").stdout
check(b"loan-7" in units, "the loaner was forgotten")
run("audit", "-p", f"{root}/current")
run("undo", "-p", f"{root}/current")
check(b"loan-7" not in run("device", "list", "-p", f"{root}/current").stdout, "undo in the next generation")
run("device", "swap", "pm-1", "loan-8", "--mac", "02:00:5e:30:05:98", "-p", f"{root}/current")
make(5)
activate(5, "--drop-decisions")
check(b"loan-8" not in run("device", "list", "-p", f"{root}/current").stdout, "dropped")
# Decisions that do not fit the next policy: nothing changes.
run("device", "swap", "pm-1", "loan-9", "--mac", "02:00:5e:30:05:97", "-p", f"{root}/current")
csv = open(f"{p}/inventory.csv").read()
open(f"{p}/inventory.csv", "w").write("\n".join(l for l in csv.splitlines() if not l.startswith("pm-1,")) + "\n")
make(6)
was = state(root)
r = activate(6, "--keep-decisions", code=3)
check(b"no unit is called pm-1" in r.stderr and b"nothing was changed" in r.stderr and state(root) == was, r.stderr)

# A decision at the same time as a bundle: whoever says that it was done, it is so in the policy that is in force then.
two, now = f"{dir}/two", f"{dir}/two/current"
os.mkdir(two)
run("bundle", "activate", f"{dir}/b1", "-p", two, "--trust", key + ".pub")
for i, change in enumerate((("activate", f"{dir}/b2", "--trust", key + ".pub"), ("rollback",))):
    run("window", "open", "pm-2", "--for", "1h", "--by", "x", "--ticket", f"BEFORE-{i}", "-p", now)
    with open(f"{now}/.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        say = dict(env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        w = subprocess.Popen([spanward, "window", "open", "pm-2", "--for", "1h", "--by", "x", "--ticket", f"SAME-{i}", "-p", now], **say)
        time.sleep(0.3)
        b = subprocess.Popen([spanward, "bundle", change[0], "-p", two, *change[1:], "--keep-decisions"], **say)
        time.sleep(0.3)
        check(b.poll() is None and os.readlink(now) == f"gen-{i + 1}", change[0], "did not wait for a decision")
    check((w.wait(), b.wait()) == (0, 0), change[0], w.stderr.read(), b.stderr.read())
    check(os.readlink(now) == f"gen-{2 - i}", "links", change[0])
    listed = run("window", "list", "-p", now).stdout
    check(f"SAME-{i}".encode() in listed and f"BEFORE-{i}".encode() in listed, "a decision at the same time as", change[0], "is lost", listed)
    run("audit", "-p", now)

# ---- who may write: the owner, and the group where the root is the group's; never in what was signed ----
os.umask(0o022)
for mode, made, ours in (0o2775, 0o2770, 0o660), (0o755, 0o750, 0o640):
    g = f"{dir}/group-{mode:o}"
    os.mkdir(g)
    os.chmod(g, mode)
    run("bundle", "activate", f"{dir}/b1", "-p", g, "--trust", key + ".pub")
    run("window", "open", "pm-2", "--for", "1h", "--by", "x", "--ticket", "G", "-p", f"{g}/current")
    run("bundle", "activate", f"{dir}/b2", "-p", g, "--trust", key + ".pub", "--keep-decisions")
    for name, want in (("gen-1", made), ("gen-2", made), (".lock", ours), ("bundles.jsonl", ours), ("gen-2/journal.jsonl", ours), ("gen-2/decisions.yaml", ours),
                       ("gen-2/site.yaml", 0o640), ("gen-2/bundle.spanward", 0o640)):
        check(os.stat(f"{g}/{name}").st_mode & 0o7777 == want, name, oct(os.stat(f"{g}/{name}").st_mode), "in", oct(mode))

# ---- a hand on what is installed ----
run("bundle", "verify", f"{root}/current")
open(f"{root}/gen-5/site.yaml", "a").write("# a hand\n")
r = run("bundle", "verify", f"{root}/current", code=1)
check(b"site.yaml: is not what was signed" in r.stderr, r.stderr)
open(f"{root}/gen-5/extra.yaml", "w").write("x")
check(b"is not in the bundle" in run("bundle", "verify", f"{root}/current", code=1).stderr, "a file more")
open(f"{root}/gen-4/site.yaml", "a").write("# a hand\n")
was = state(root)
r = run("bundle", "rollback", "-p", root, "--drop-decisions", code=1)
check(b"not what was signed" in r.stderr and state(root) == was, "back to what somebody changed", r.stderr)
# A plain policy directory is no place for bundles; a root without one has nothing to go back to.
os.mkdir(f"{dir}/empty")
run("bundle", "rollback", "-p", f"{dir}/empty", code=1)
run("bundle", "activate", f"{dir}/b1", "-p", f"{dir}/nowhere", "--trust", key + ".pub", code=3)
shutil.rmtree(dir)
print(f"bundles: signed, verified, in force, back; {faults} faults")
sys.exit(faults != 0)
PY
