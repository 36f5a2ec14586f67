#!/bin/sh
# What documents of one type say against each other: findings on a terminal and a pipe, and the sheet to ask the maker with.
# The invented papers contradict each other in the ways that a real set does (ports table, conformance statement, MDS2 form).
# Covers: R053 R056 R057 R061 R075 R081 R105
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
s=$BUILD/bin/spanward
cat >"$dir/papers.yaml" <<'Y'
format: spanward/1
kind: device-type
id: example.recorder
revision: 1
sources:
  - {id: ports, type: port-table, doc_id: "IFU-R1 app. N", revision: "2", date: 2026-02-01}
  - {id: mds2, type: mds2-2019, doc_id: MDS2-R1, revision: "5", date: 2026-02-01}
  - {id: dcs, type: dicom-cs, doc_id: DCS-R1, revision: "1", date: 2025-06-01}
  - {id: api, type: white-paper, doc_id: API-R1, revision: "1.4", date: 2026-01-01}
manufacturer: {name: "=Example <Recorder> K.K.", contacts: {psirt: {email: psirt@example.invalid}}}
model: {name: R-1}
port_list: {completeness: exhaustive, sources: [ports]}
lifecycle: {eos: 2034-03-31}
ports:
  - {id: ui, transport: tcp, initiator: peer, port: [{value: 3333}], app: {protocol: https}, peers: [{role: it}], sources: [ports], row: N-1}
  - {id: ui-api, transport: tcp, initiator: peer, port: [{value: 3333}], app: {protocol: http, http: {operations: [{method: GET, path: /api/state, authenticated: no}]}}, peers: [{role: it}], sources: [api], row: "2.1"}
  - {id: mwl, transport: tcp, initiator: either, port: [{value: 104}], app: {protocol: dicom, dicom: {role: scu}}, encryption: {declared: none}, peers: [{role: ris}], sources: [ports, dcs], row: N-2}
updates: {remote: yes, sources: [ports], row: "7.3"}
mds2:
  answers:
    PAUT-2: {a: "yes"}
    AUTH-4: {a: "yes"}
    CSUP-2.3: {a: "no"}
    TXCF-2: {a: "yes"}
    MPII-3.3: {a: "yes"}
    CONN-1.2.3: {a: "no"}
    CONN-1: {a: ""}
Y
"$s" profile lint -q --date 2026-12-01 "$dir/papers.yaml" >"$dir/findings" || fail "lint: $?"
"$s" profile lint -q --date 2026-12-01 rules/profiles/example-hospital >"$dir/hospital" || fail "lint of a directory: $?"
python3 - "$dir/findings" "$dir/hospital" <<'PY' || exit 1
import json, sys
found = [json.loads(l) for l in open(sys.argv[1])]
want = {  # what contradicts what, by document and row
    "row.port_twice": {("IFU-R1 app. N", "2", "N-1"), ("API-R1", "1.4", "2.1")},
    "row.not_in_list": {("API-R1", "1.4", "2.1"), ("IFU-R1 app. N", "2", None)},
    "row.dicom_role_direction": {("IFU-R1 app. N", "2", "N-2")},
    "answer.no_row": {("MDS2-R1", "5", "PAUT-2"), ("IFU-R1 app. N", "2", None)},
    "answer.api_open_operation": {("MDS2-R1", "5", "AUTH-4"), ("API-R1", "1.4", "2.1")},
    "answer.section_differs": {("IFU-R1 app. N", "2", "7.3"), ("MDS2-R1", "5", "CSUP-2.3")},
    "answer.encrypted_clear_row": {("MDS2-R1", "5", "TXCF-2"), ("IFU-R1 app. N", "2", "N-2")},
    "answer.removable_media": {("MDS2-R1", "5", "MPII-3.3"), ("MDS2-R1", "5", "CONN-1.2.3")},
    "answer.blank": {("MDS2-R1", "5", "CONN-1")},
}
bad = 0
for rule, places in want.items():
    hits = [{(p["document"], p["revision"], p.get("row")) for p in f["places"]} for f in found if f["id"] == rule]
    if places not in hits:
        print("FAIL:", rule, "cites", hits, "not", places)
        bad = 1
for f in found:
    if f["contact"] != "psirt@example.invalid" or not all(f[k] for k in ("question_en", "question_ja", "what_en", "what_ja")):
        print("FAIL:", f)
        bad = 1
if {f["id"] for f in found} - set(want) - {"answer.encrypted_optional_row"}:
    print("FAIL: also found", {f["id"] for f in found} - set(want))
    bad = 1
rest = [json.loads(l) for l in open(sys.argv[2])]
if {f["type"] for f in rest} != {"example." + t for t in ("ct-64", "endorec-400", "monitor-9", "pacs-5", "us-20")}:
    print("FAIL: of the example hospital:", {f["type"] for f in rest})
    bad = 1
sys.exit(bad)
PY
code=0
"$s" profile lint -q --fail-on contradiction "$dir/papers.yaml" >/dev/null || code=$?
[ $code = 10 ] || fail "--fail-on contradiction: $code"
code=0
"$s" profile lint "$dir/nothing" >/dev/null 2>"$dir/err" || code=$?
[ $code = 3 ] || fail "a file that is not there: $code"
code=0
"$s" profile lint -q --fail-on grave "$dir/papers.yaml" >/dev/null 2>"$dir/err" || code=$?
[ $code = 2 ] || fail "a wrong word: $code"
"$s" profile lint -q --format table --lang ja "$dir/papers.yaml" | grep -q '矛盾.*IFU-R1 app. N（第2版）N-1' || fail "the Japanese table"

# The sheet: maker, contact, document, revision, row, a box for the answer; in three formats.
"$s" profile lint --lang ja "$dir/papers.yaml" 2>&1 >/dev/null | grep -q "機器種別1：矛盾[1-9]" || fail "the Japanese summary"
"$s" profile inquiry --lang ja --date 2026-12-01 "$dir/papers.yaml" >"$dir/sheet.md" 2>/dev/null
for w in '照会票' 'psirt@example.invalid' 'MDS2-R1（第5版）TXCF-2；IFU-R1 app. N（第2版）N-2' '☐訂正' '照会日: 2026-12-01'; do
	grep -qF "$w" "$dir/sheet.md" || fail "the sheet lacks $w"
done
"$s" profile inquiry --lang en --format html --least contradiction -o "$dir/sheet.html" "$dir/papers.yaml" 2>/dev/null
grep -qF '=Example &lt;Recorder&gt; K.K.' "$dir/sheet.html" || fail "HTML is not escaped"
! grep -qF 'CONN-1 is not answered' "$dir/sheet.html" || fail "--least leaves nothing out"
"$s" profile inquiry --lang en --format csv -o "$dir/sheet.csv" "$dir/papers.yaml" 2>/dev/null
python3 - "$dir/sheet.csv" "$dir/findings" <<'PY'
import csv, sys
rows = list(csv.reader(open(sys.argv[1], encoding="utf-8-sig", newline="")))
n = len(open(sys.argv[2]).readlines())
assert open(sys.argv[1], "rb").read(3) == b"\xef\xbb\xbf"
assert len(rows) == n + 1 and all(len(r) == len(rows[0]) for r in rows), (len(rows), n)
assert rows[1][0] == "'=Example <Recorder> K.K.", rows[1]
PY
"$s" profile inquiry --maker Nobody "$dir/papers.yaml" 2>&1 | grep -q '^questions 0' || fail "--maker leaves in other makers"

# What the importer makes of a table is compared as any other.
printf '販売名,撮影装置 ER-400,製造販売業者,例示メディカル\n文書番号：IFU-ER400,改訂日,令和6年3月1日（第3版）,\n項番,ポート番号,プロトコル,着信／発信,接続先\nX-1,104,DICOM,発信,PACSサーバ\nX-2,443,HTTPS,着信,管理端末\nX-3,443,HTTP,着信,管理端末\n' >"$dir/ports.csv"
"$s" profile import -q -o "$dir/imported.yaml" "$dir/ports.csv"
"$s" profile lint -q "$dir/imported.yaml" | grep '"id":"row.port_twice"' | grep -q 'IFU-ER400","revision":"3","row":"row 5 (X-2)"' ||
	fail "what was imported: $("$s" profile lint -q "$dir/imported.yaml")"
"$s" profile inquiry --lang ja "$dir/imported.yaml" 2>/dev/null | grep -q 'IFU-ER400（第3版）row 5 (X-2)' || fail "the sheet of what was imported"
echo "$(wc -l <"$dir/findings" | tr -d ' ') findings in papers that contradict each other, each with document, revision and row"
