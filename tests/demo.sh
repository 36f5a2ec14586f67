#!/bin/sh
# The demo's alerts are exactly the expected (device, rule) pairs: every planted breach, and none of the look-alikes.
# Covers: R056 R057 R058 R013 R016 R033 R052 R069
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$BUILD/bin/spanward" replay -p test-pcaps/demo/policy --show alerts --format jsonl test-pcaps/demo/hospital-day.pcap \
	>"$dir/alerts" 2>"$dir/err" || { cat "$dir/err"; fail "exit $?"; }
/usr/bin/python3 - "$dir/alerts" test-pcaps/demo/expected.tsv <<'PY' || fail "alerts differ from test-pcaps/demo/expected.tsv"
import json, sys
seen = sorted((a["device"], a["rule"]) for a in map(json.loads, open(sys.argv[1])))
want = sorted(tuple(l.rstrip("\n").split("\t")[:2]) for l in open(sys.argv[2]) if l.strip() and not l.startswith("#"))
for p in sorted(set(want) - set(seen)): print("missing:", *p)
for p in sorted(set(seen) - set(want)): print("not expected:", *p)
if len(seen) != len(set(seen)): print("an alert stands twice:", seen)
assert len(want) >= 9, "the expected list is too short to prove anything"
sys.exit(seen != want)
PY
/usr/bin/python3 - "$dir/alerts" <<'PY' || fail "an alert does not cite or explain itself"
import json, sys
for a in map(json.loads, open(sys.argv[1])):
    assert a["authority"] in ("document", "inventory", "site", "sensor"), a
    if a["authority"] == "document": assert a["document"] and a["revision"] and a["row"], a
    said = a["explain_en"].replace(a.get("document", "-"), "")
    assert said.endswith(".") and said.count(". ") == 0 and a["explain_ja"].count("。") == 1 and a["explain_ja"].endswith("。"), a
    low = a["explain_en"].lower()
    assert "disconnect" not in low and "unplug" not in low and "切断" not in a["explain_ja"], a
PY
# The door says the same, and ends with 0.
"$BUILD/bin/spanward" replay -p test-pcaps/demo/policy --format table test-pcaps/demo/hospital-day.pcap >"$dir/table" 2>&1 || fail "table: exit $?"
[ "$(wc -l <"$dir/table")" -gt 9 ] || fail "the table is too short"
code=0
"$BUILD/bin/spanward" replay -p test-pcaps/demo/policy --fail-on high test-pcaps/demo/hospital-day.pcap >/dev/null 2>&1 || code=$?
[ $code = 10 ] || fail "--fail-on high: exit $code, not 10"
echo "$(wc -l <"$dir/alerts") alerts, exactly the expected ones"
