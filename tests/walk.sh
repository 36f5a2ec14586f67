#!/bin/sh
# From zero to the matrix and the inquiry sheet, as docs/profiles.md walks: a register of 300 units, three types by hand, five tables
# and four MDS2 workbooks of makers, a site file, the demonstration's capture. Every command of the walk is run.
# Covers: R056 R075 R081
set -eu
BUILD=${BUILD:-$PWD/build}
SOURCE=${SOURCE:-$PWD}
fail() { echo "FAIL: $*"; [ ! -f "$dir/err" ] || tail -20 "$dir/err"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
PATH=$BUILD/bin:$PATH
python=/usr/bin/python3
capture=$SOURCE/test-pcaps/demo/hospital-day.pcap
run() { "$@" >"$dir/out" 2>"$dir/err" </dev/null || fail "exit $?: $*"; }

# What lies on the desk.
mkdir "$dir/policy"
"$python" "$SOURCE/tests/workbook.py" vendors "$dir/tables"
"$python" "$SOURCE/tests/workbook.py" register "$dir"
form=$SOURCE/../shared/data/mds2-2019-form-rows.csv
types=8
if [ -f "$form" ]; then
	"$python" "$SOURCE/tests/workbook.py" mds2 "$form" "$dir/mds2"
	types=12
else
	echo "note: the form's rows are not here; the walk goes without MDS2 workbooks"
fi
cp "$SOURCE"/test-pcaps/demo/policy/tomora-64.yaml "$SOURCE"/test-pcaps/demo/policy/sonara-7.yaml \
	"$SOURCE"/test-pcaps/demo/policy/vitala-3.yaml "$dir/policy/"
{
	cat "$SOURCE/test-pcaps/demo/policy/site.yaml"
	printf '  admin-terminal: [{ip: "10.9.0.6"}]\n  ad: [{ip: "10.1.0.5"}]\n  file-server: [{ip: "10.1.0.6"}]\n  dns: [{ip: "10.1.0.4"}]\n'
} >"$dir/policy/site.yaml"
cd "$dir"

# 1. The makers' documents.
for table in tables/*.xlsx; do
	name=$(basename "$table" .xlsx)
	run spanward profile import -o "policy/$name.yaml" --report "$name.jsonl" "$table"
done
if [ -f "$form" ]; then
	for n in whole trap-sheet trap-moved trap-ids; do
		run spanward profile import -o "policy/mds2-$n.yaml" --model "Model $n" "mds2/$n.xlsx"
	done
fi
[ "$(ls policy/*.yaml | grep -vc site)" = $types ] || fail "not $types types"
# 2. The register.
run spanward profile import --types policy/ -o policy/inventory.csv --report register.jsonl register.csv
grep -q '"message":"300 units, 0 rows left out"' register.jsonl || fail "units"
! grep -q '"code":"no_type"' register.jsonl || fail "a unit without type: $(grep -m1 no_type register.jsonl)"
# 3. All of it together.
run spanward check policy/
# 4. What the documents say against each other, and the sheet to ask with.
run spanward profile lint policy/
grep -q '"id"' "$dir/out" || fail "nothing to ask"
run spanward profile inquiry --lang ja --format html -o inquiry.html policy/
grep -q '照会票' inquiry.html && grep -q '例示メディカル\|Example Imaging' inquiry.html || fail "the inquiry sheet"
# 5. Declared against seen.
run spanward profile matrix -p policy/ --lang ja --format csv -o matrix.csv "$capture"
[ "$(wc -l <matrix.csv)" -gt 300 ] || fail "the matrix has $(wc -l <matrix.csv) lines"
grep -q 'ME-0000' matrix.csv || fail "the first unit is not in the matrix"
run spanward profile matrix -p policy/ --format jsonl -o matrix.jsonl "$capture"
"$python" - matrix.jsonl <<'PY' || fail "the matrix"
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
text = open(sys.argv[1]).read()
# Rows of the demonstration's units were seen; those of units that are not in the capture were not; each cites its row.
units = {r.get("unit") for r in rows}
assert {"ME-0000", "ME-0001", "ME-0002"} <= units, sorted(map(str, units))[:5]
assert "通信ポート!5 (X-1)" in text and "Network!6" in text, "the makers' rows are cited"
assert len(units) >= 300, len(units)
print(len(rows), "rows of", len(units), "units")
PY
run spanward replay -p policy/ "$capture"
echo "walked"
