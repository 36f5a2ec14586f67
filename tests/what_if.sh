#!/bin/sh
# A proposed policy against recorded traffic: what would be judged otherwise, from captures and from the flows that were kept of
# them alike.
# Covers: R044 R056
set -eu
BUILD=${BUILD:-$PWD/build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 - "$BUILD/bin/spanward" "$dir" <<'PY'
import json, shutil, subprocess, sys

spanward, tmp = sys.argv[1:]
policy, capture, proposed, flows = "test-pcaps/demo/policy", "test-pcaps/demo/hospital-day.pcap", tmp + "/proposed", tmp + "/day.flows.jsonl"
faults = 0


def fault(*words):
    global faults
    faults += 1
    print("FAIL:", *words)


def run(*args, code=0):
    r = subprocess.run([spanward, *args], capture_output=True)
    if r.returncode != code:
        fault(args, "exit", r.returncode, r.stderr.decode())
    return r.stdout.decode(), r.stderr.decode()


def lines(*args, **kw):
    return [json.loads(l) for l in run(*args, **kw)[0].splitlines()]


run("replay", "-q", "--show", "flows", "--format", "jsonl", "-o", flows, capture)
# Nothing changes, nothing is said; all that is judged stays.
out, err = run("profile", "what-if", "-p", policy, "--with", policy, capture)
if out or "of their judged ends 34 stay" not in err and "change" not in err or not err.rstrip().endswith(", 0 change"):
    fault("the same policy:", out, err)

# The proposal forgets a row, enables an option and adds a peer.
shutil.copytree(policy, proposed)
text = open(proposed + "/tomora-64.yaml").read().splitlines(keepends=True)
forgotten = [l for l in text if not l.lstrip().startswith("store:")]
if len(forgotten) != len(text) - 1:
    fault("the demo's type has another shape")
open(proposed + "/tomora-64.yaml", "w").writelines(forgotten)
inventory = open(proposed + "/inventory.yaml").read()
us1 = inventory.index("id: us-1")
at = inventory.index("enabled:", us1)
end = inventory.index("]", at)
open(proposed + "/inventory.yaml", "w").write(inventory[:end] + ", remote-ui" + inventory[end:])
changes = lines("profile", "what-if", "-q", "-p", policy, "--with", proposed, capture)
if changes != lines("profile", "what-if", "-q", "-p", policy, "--with", proposed, flows):
    fault("flows that were kept say something else than their capture")
got = {}
for c in changes:
    k = c["unit"], c["port"], c["was"], c["will"], c.get("will_what"), c.get("document"), c.get("row")
    got[k] = got.get(k, 0) + c["flows"]
want = {("ct-1", 11112, "declared", "undeclared", None, "IFU-TOMORA64", "port list"): 4, ("us-1", 8080, "disabled_but_used", "declared", None, "IFU-SONARA7 appendix B", "B-5"): 1}
for k, n in want.items():
    hits = [v for g, v in got.items() if g[:4] == k[:4]]
    if sum(hits) != n:
        fault("expected", k, n, "got", got)
if any(c["was"] == c["will"] and c.get("was_what") == c.get("will_what") for c in changes):
    fault("a line without a change:", changes)
if not all(c.get("document") and c["first"] <= c["last"] for c in changes):
    fault("cites nothing:", changes)
run("profile", "what-if", "-q", "-p", policy, "--with", proposed, "--fail-on", "undeclared", flows, code=10)
run("profile", "what-if", "-q", "-p", policy, "--with", proposed, "--fail-on", "forbidden", flows)
for form in "table", "csv", "html", "markdown":
    for lang, word in ("en", "not declared"), ("ja", "開示資料に記載なし"):
        if word not in run("profile", "what-if", "-q", "-p", policy, "--with", proposed, "--format", form, "--lang", lang, flows)[0]:
            fault(form, lang)

# The matrix and the coverage of kept flows are those of the capture, but for what messages say.
from_flows, from_capture = (lines("profile", "matrix", "-q", "-p", policy, f) for f in (flows, capture))
if [l for l in from_flows if l["state"] != "seen"] != [l for l in from_capture if l["state"] != "seen"] or len(from_flows) != len(from_capture):
    fault("matrix of flows:", [l for l in from_flows if l not in from_capture])
if lines("profile", "coverage", "-q", "-p", policy, flows) != lines("profile", "coverage", "-q", "-p", policy, capture):
    fault("coverage of flows")
# A capture and the flows of another day together: twice as many.
both = lines("profile", "matrix", "-q", "-p", policy, flows, capture)
if sum(l["flows"] for l in both) != 2 * sum(l["flows"] for l in from_capture):
    fault("both:", sum(l["flows"] for l in both))

# Lines that are none are refused by number.
good = open(flows).read().splitlines()
for bad, why in ("{", "no line of JSON"), ('{"a":1}', "has no type"), ('{"type":"flow.end"}', "ts is missing"), (good[0].replace('"tcp"', '"tcq"'), "transport is not what"), ('{"type":"' + "x" * 70000 + '"}', "longer than"):
    open(tmp + "/bad.flows", "w").write("\n".join(good[:2] + [bad] + good[2:]) + "\n")
    _, err = run("profile", "matrix", "-q", "-p", policy, tmp + "/bad.flows", code=4)
    if why not in err or "bad.flows:3" not in err:
        fault("bad line:", bad[:60], err)
run("profile", "what-if", "-p", policy, capture, code=2)
run("profile", "what-if", "-p", policy, "--with", tmp + "/none", capture, code=3)
print(len(changes), "changes,", faults, "faults")
sys.exit(faults != 0)
PY
