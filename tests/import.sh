#!/bin/sh
# spanward profile import: makers' documents become device types that spanward check accepts; hostile files are refused
# cleanly, in bounded memory.
# Covers: R056 R075
set -eu
BUILD=${BUILD:-$PWD/build}
SOURCE=${SOURCE:-$PWD}
fail() { echo "FAIL: $*"; [ ! -f "$dir/err" ] || cat "$dir/err"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
s=$BUILD/bin/spanward
python=/usr/bin/python3
# want CODE 'WORD|WORD' COMMAND...: exit code, and what standard error says.
want() {
	code=$1 words=$2
	shift 2
	got=0
	"$@" >"$dir/out" 2>"$dir/err" </dev/null || got=$?
	[ "$got" = "$code" ] || fail "exit $got, not $code: $*"
	IFS='|'
	for w in $words; do
		grep -qF -- "$w" "$dir/err" || fail "no '$w' in the message of: $*"
	done
	unset IFS
}

# A name longer than its field: its beginning there, the whole of it under extensions, and said.
{
	printf 'dn: cn=d,cn=Devices,cn=DICOM Configuration,o=x\nobjectClass: dicomDevice\ndicomDeviceName: d\ndicomManufacturerModelName: X1\n'
	printf 'dicomManufacturer: %s\n' "$(printf '%5000s' '' | tr ' ' M)"
} >"$dir/long.ldif"
want 0 'longer than a text may be: cut, whole under extensions: manufacturer' "$s" profile import -o "$dir/long.yaml" "$dir/long.ldif"
[ "$(grep -oE 'M{50,}' "$dir/long.yaml" | awk '{ print length }' | sort -n | tr '\n' ' ')" = '128 5000 ' ] || fail "a long name is lost"

# A quote that is never closed: said with its cell, also in a large file, which is not looked through for a pasted table.
awk 'BEGIN { print "Port,Protocol,Direction,Notes"; for (i = 0; i < 200000; i++) print "104,TCP,in," (i == 7 ? "\"" : "") "this is a note of ten words, so it is" }' >"$dir/quote.csv"
want 4 'quote.csv: D9: this quote is never closed' "$s" profile import -o "$dir/no.yaml" "$dir/quote.csv"
# MUD files that are none, or not alone: not refused as tables.
"$python" -c 'print("{\"ietf-mud:mud\": {\"x\": " + "[" * 3000 + "]" * 3000 + "}}")' >"$dir/deep.json"
want 3 'deep.json:1:|no JSON: maximum parsing depth' "$s" profile import -o "$dir/no.yaml" "$dir/deep.json"
want 4 'import it alone, or with spanward profile mud' "$s" profile import -o "$dir/no.yaml" "$dir/deep.json" "$dir/long.ldif"
echo '{ "ports": [104] }' >"$dir/other.json"
want 4 'only MUD files (RFC 8520) are read' "$s" profile import -o "$dir/no.yaml" "$dir/other.json"
[ ! -e "$dir/no.yaml" ] || fail "a refused file left something"
# Rows of a register that give no unit: number, reason and every cell in the report.
printf 'id,name,ip\nA,CT,\nB,US,10.0.0.2\n' >"$dir/register.csv"
want 0 'left out; --report keeps its cells: id: A; name: CT|1 units, 1 rows left out' "$s" profile import --lang en -o "$dir/inventory.csv" --report "$dir/register.jsonl" "$dir/register.csv"
grep -q '"code":"no_address".*"where":"2","text":"id: A; name: CT"' "$dir/register.jsonl" || fail "a row that was left out is in no file"

# A table of ports, as an office in Japan sends it: CP932, and the same as a workbook.
cat >"$dir/ports.csv" <<'CSV'
通信ポート一覧,,,,,,,
販売名,撮影装置 ER-400,製造販売業者,例示メディカル,,,,
文書番号：IFU-ER400,改訂日,令和6年3月1日（第3版）,,,,,
項番,ポート番号,プロトコル,着信／発信,接続先,暗号化,初期値,備考
X-1,１０４、５０００〜５０１０,DICOM,発信,PACSサーバ,いいえ,有効,※1
X-2,TCP/UDP 162,SNMP,着信,院内,該当なし,無効,
X-3,443,HTTPS,着信,管理端末,はい（TLS1.2以上）,有効,
X-4,22,SSH,受信,,,,
※1 保存のみ
CSV
iconv -f UTF-8 -t CP932 "$dir/ports.csv" >"$dir/ports932.csv"
want 0 'ask|D8' "$s" profile import --lang en -o "$dir/ports.yaml" --report "$dir/report.jsonl" "$dir/ports932.csv"
want 0 '' "$s" check "$dir/ports.yaml"
want 0 '照会|相違 0' "$s" profile import --lang ja -o "$dir/again.yaml" "$dir/ports932.csv"
# With nobody named any host counts, and it is asked; the help says so.
printf 'ポート番号,プロトコル,方向\n104,DICOM,発信\n' >"$dir/nobody.csv"
want 0 'with whom is not said' "$s" profile import --lang en -o "$dir/nobody.yaml" "$dir/nobody.csv"
grep -q 'any: true' "$dir/nobody.yaml" || fail "with nobody named"
"$s" profile import --help | tr '\n' ' ' | grep -q 'not said with whom the report asks, and any host counts' || fail "the help of import"
cmp -s "$dir/ports.yaml" "$dir/again.yaml" || fail "the language changes the device type"
"$python" - "$dir" <<'PY' || fail "what the table became"
import json, sys, yaml
d = sys.argv[1]
t = yaml.safe_load(open(f"{d}/ports.yaml"))
assert t["id"] == "er-400" and t["manufacturer"]["name"] == "例示メディカル", t["id"]
source = t["sources"][0]
assert (source["doc_id"], source["revision"], source["date"]) == ("IFU-ER400", "3", "2024-03-01"), source
rows = {r["id"]: r for r in t["ports"]}
assert set(rows) == {"dicom-104-out", "tcp-162-in", "snmp-162-in", "https-443-in"}, set(rows)
assert [p.get("value") or p.get("range") for p in rows["dicom-104-out"]["port"]] == ["104", "5000-5010"]
assert rows["dicom-104-out"]["note"] == "※1 保存のみ" and rows["dicom-104-out"]["row"] == "row 5 (X-1)"
assert rows["https-443-in"]["encryption"] == {"declared": "tls", "tls": {"min_version": "1.2"}}
# The row whose direction may be that of the data declares nothing, and the list is not called whole.
assert t["extensions"]["ports"]["rows"][0]["row"] == "row 8 (X-4)" and t["port_list"]["completeness"] == "partial"
report = [json.loads(line) for line in open(f"{d}/report.jsonl")]
assert {r["kind"] for r in report} == {"understood", "not_understood", "ask"}
ask = [r for r in report if r["code"] == "send_receive"]
assert ask[0]["where"] == "D8" and ask[0]["text"] == "受信" and "照会" in ask[0]["message_ja"], ask
PY
"$python" - "$dir" <<PY
import sys
sys.path.insert(0, "$SOURCE/tests")
import csv, workbook
rows = list(csv.reader(open("$dir/ports.csv", encoding="utf-8")))
workbook.save("$dir/ports.xlsx", [("通信ポート", rows), ("改訂履歴", [["版", "日付"], [3, workbook.Date(45352)]])])
PY
want 0 '通信ポート!D8' "$s" profile import --lang en -o "$dir/book.yaml" "$dir/ports.xlsx"
want 0 '' "$s" check "$dir/book.yaml"
grep -q 'row: "通信ポート!5 (X-1)"' "$dir/book.yaml" || fail "the sheet is not cited"
grep -q 'B2: "2024-03-01"' "$dir/book.yaml" || fail "the other sheet was dropped"
# Every row of the two is the same but for where it stands.
for f in ports book; do sed -e '/file:/d; /sha256:/d; /row:/d' -e '/^extensions:/,$d' -e '/^#/d' "$dir/$f.yaml" >"$dir/$f.rows"; done
cmp -s "$dir/ports.rows" "$dir/book.rows" || fail "CSV and workbook differ: $(diff "$dir/ports.rows" "$dir/book.rows")"
# What both say is declared twice over: one type of two documents.
want 0 '' "$s" profile import -q -o "$dir/two.yaml" "$dir/ports932.csv" "$dir/ports.xlsx"
want 0 '' "$s" check "$dir/two.yaml"
grep -q 'id: "ports-2"' "$dir/two.yaml" || fail "the second document"

# MDS2, form of 2019: all 240 answers as they were printed, from a workbook, CSV and text, and in spite of each trap.
form=$SOURCE/../shared/data/mds2-2019-form-rows.csv
if [ -f "$form" ]; then
	"$python" "$SOURCE/tests/workbook.py" mds2 "$form" "$dir/mds2"
	for f in "$dir/mds2"/*.xlsx "$dir/mds2/whole.csv" "$dir/mds2/whole.txt"; do
		want 0 '' "$s" profile import -q -o "$f.yaml" --report "$f.jsonl" "$f"
		"$s" check "$f.yaml" >/dev/null || fail "check of what $f became"
	done
	"$python" - "$dir/mds2" <<'PY' || fail "what the forms became"
import glob, json, os, sys, yaml
d = sys.argv[1]
want = json.load(open(f"{d}/want.json"))
remarks = {"trap-twice": ("twice", "CONN-4"), "trap-unknown": ("unknown_question", "CONN-99"), "trap-missing": ("missing", "CONN-2"),
           "trap-note": ("footnote", "Note 2"), "trap-blank": ("no_answer", "CONN-1"), "trap-column": ("column", "")}
for path in sorted(glob.glob(f"{d}/*.yaml")):
    name = os.path.basename(path).split(".")[0]
    t = yaml.safe_load(open(path))
    report = [json.loads(line) for line in open(path.replace(".yaml", ".jsonl"))]
    answers, expected = t["mds2"]["answers"], dict(want["answers"])
    as_text = path.endswith(".txt.yaml")
    if name == "trap-missing":
        for q in ("CONN-2", "TXCF-3", "RMOT-1"):
            del expected[q]
    if name == "trap-unknown":
        expected["CONN-99"] = ["yes", None, None, None]
    if name == "trap-misprint":
        expected["SAHD-15"] = expected.pop("SHAD-15")
    if name == "trap-blank":
        expected["CONN-1"] = expected["CONN-1.1"] = ["unknown", "____", None, None]
    if name == "trap-date":
        expected["DOC-7"] = ["2019-10-09", None, None, None]
    assert set(answers) == set(expected), (name, set(answers) ^ set(expected))
    if not name.startswith("trap-"):
        assert len(answers) == 240
    for q, (a, raw, ref, note) in expected.items():
        got = answers[q]
        if name == "trap-spelling" and a in ("yes", "no", "na", "see_note"):
            raw = {"yes": "YES", "no": "no", "na": "n/a", "see_note": "See Note"}[a]
        if as_text:     # there is no date cell, and a note without an answer is the answer
            raw = None
            if q == "DOC-10":
                a, raw = "see_note", "See Note"
        assert got["a"] == a and got.get("raw") == raw and got.get("ref") == ref and got.get("note") == note, (name, q, got, a, raw, ref, note)
    notes = {f"Note {n}": text.replace("\n", " " if as_text else "↵") for n, text in want["notes"].items()}
    if name == "trap-note":
        del notes["Note 2"]
    assert t["mds2"]["notes"] == notes, (name, t["mds2"]["notes"])
    if not as_text:
        assert t["mds2"]["other"] == "Keep the service port locked.", name
    assert t["manufacturer"]["name"] == "Example Imaging Corp." and t["model"]["name"] == "CT-64" and t["id"] == "example-imaging-corp.ct-64"
    assert t["sources"][0]["type"] == "mds2-2019" and t["sources"][0]["date"] == "2019-10-09"
    kinds = {i["type"]: i["present"] for i in t["interfaces"]}
    assert set(kinds) == {"wifi", "bluetooth", "wireless-network", "radio", "ethernet", "usb", "removable-memory", "other"}, kinds
    said = {(r["code"], r["message"]) for r in report}
    for trap, (code, word) in remarks.items():
        hit = any(c == code and word in m for c, m in said)
        assert hit == (trap == name), (name, code, hit)
    assert sum(r["code"] in ("answer", "no_answer", "odd_answer", "unknown_question") for r in report) >= len(expected), name
    if name == "trap-column":
        assert t["extensions"]["mds2"]["columns"] == {"column 8": {"CONN-2": "checked by QA"}}, t["extensions"]
    if name == "trap-twice":
        assert t["extensions"]["mds2"]["answered_twice"][0]["id"] == "CONN-4"
print("forms are whole")
PY
	# One type of a form and a table; what the answers mean is in force.
	want 0 '' "$s" profile import -q -o "$dir/both.yaml" "$dir/mds2/whole.xlsx" "$dir/ports932.csv" --maker E --model M
	want 0 '' "$s" check "$dir/both.yaml"
	grep -q 'type: "mds2-2019"' "$dir/both.yaml" && grep -q 'type: "port-table"' "$dir/both.yaml" || fail "two documents"
else
	echo "note: the form's rows are not here; MDS2 workbooks are not tried"
fi

# A table pasted out of a PDF: shown row by row, nothing written; then the rows that a person accepts.
cat >"$dir/pasted.txt" <<'TEXT'
Network ports of CT-64          Rev. 6

Service            Port Number   Protocol   Direction   Peer      Notes
DICOM store        104           TCP        Outbound    PACS
Web console        443           HTTPS      Inbound               configurable
Remote service     3389          TCP                    vendor    on request
TEXT
want 0 'nothing was written|--accept' "$s" profile import --lang en -o "$dir/pasted.yaml" "$dir/pasted.txt"
[ ! -e "$dir/pasted.yaml" ] || fail "the preview wrote"
grep -qE '^ *1  row 4  tcp 104, out, dicom, PACS .*DICOM store \| 104' "$dir/out" || fail "the preview: $(cat "$dir/out")"
grep -qE '^ *3  row 6  who opens the connection is not said' "$dir/out" || fail "the preview of what is not said"
want 0 'pasted text: 1 of 3' "$s" profile import --lang en --accept 1 -o "$dir/pasted.yaml" "$dir/pasted.txt"
want 0 '' "$s" check "$dir/pasted.yaml"
[ "$(grep -c '^  - id: "[a-z]*-[0-9]' "$dir/pasted.yaml")" = 1 ] && grep -q 'why: "not_accepted"' "$dir/pasted.yaml" || fail "what was accepted"
want 0 '' "$s" profile import -q --accept all -o "$dir/pasted.yaml" "$dir/pasted.txt"
[ "$(grep -c '^  - id: "[a-z]*-[0-9]' "$dir/pasted.yaml")" = 2 ] || fail "all rows"
want 2 'no row 4' "$s" profile import --accept 1,4 "$dir/pasted.txt"
want 2 '--accept' "$s" profile import --accept x "$dir/pasted.txt"
want 2 'pasted' "$s" profile import --accept 1 "$dir/ports.csv"

# A DICOM configuration of two devices.
want 4 'holds 2 devices|--device: ct64, pacs' "$s" profile import "$SOURCE/fuzz/corpus/ldif/two.ldif"
want 0 'line 17' "$s" profile import --lang en --device ct64 -o "$dir/ldif.yaml" "$SOURCE/fuzz/corpus/ldif/two.ldif"
want 0 '' "$s" check "$dir/ldif.yaml"
grep -q 'id: "dicom-104-in"' "$dir/ldif.yaml" && grep -q 'id: "dicom-2762-out"' "$dir/ldif.yaml" || fail "the rows of the configuration"

# A register of 300 units in CP932, with its own columns: an inventory that loads with the types imported above.
mkdir "$dir/policy"
cp "$dir/ports.yaml" "$dir/policy/er-400.yaml"
"$python" - "$dir/register.csv" <<'PY'
import sys
rows = ["ME機器台帳（架空）", "管理番号,機器名,型式,メーカー,製造番号,IPアドレス,MACアドレス,設置場所,導入年月日,所有区分,点検周期"]
for i in range(300):
    ip = f"１０．２０．{i // 200}．{i % 200 + 1}" if i % 3 == 0 else f"10.20.{i // 200}.{i % 200 + 1}" if i % 3 == 1 else ""
    mac = "" if i % 10 == 2 else f"00-00-5E-00-{i // 256:02X}-{i % 256:02X}"
    model, maker = [("ER-400", "例示メディカル"), ("CT-64", "架空電機")][i % 2]
    rows.append(f"ME-{i:04d},装置,{model},{maker},S{i:05d},{ip},{mac},{i % 9 + 1}階病棟,令和{i % 6 + 1}年4月1日,リース,1年")
open(sys.argv[1], "w", encoding="cp932", newline="\r\n").write("\n".join(rows) + "\n")
PY
want 0 '290 units|understood' env LC_ALL=C "$s" profile import --types "$dir/policy" -o "$dir/policy/inventory.csv" --report "$dir/units.jsonl" "$dir/register.csv"
grep -q '"code":"units".*"message":"290 units, 10 rows left out"' "$dir/units.jsonl" || fail "not 290 units"
[ "$(grep -c '"code":"no_address"' "$dir/units.jsonl")" = 10 ] || fail "not 10 without address"
[ "$(wc -l <"$dir/policy/inventory.csv")" = 291 ] || fail "lines of the inventory"
[ "$(grep -c ',er-400,' "$dir/policy/inventory.csv")" = 140 ] || fail "types: $(grep -c ',er-400,' "$dir/policy/inventory.csv")"
grep -q '^ME-0000,er-400,10.20.0.1,00:00:5e:00:00:00,,,,1階病棟,,S00000,,,leased,2019-04-01,,,機器名: 装置' "$dir/policy/inventory.csv" ||
	fail "the first unit: $(sed -n 2p "$dir/policy/inventory.csv")"
printf 'format: spanward/1\nkind: site\nroles: {pacs: [{ip: 10.1.0.10}], admin-terminal: [{ip: 10.9.0.1}]}\n' >"$dir/policy/site.yaml"
want 0 '' "$s" check "$dir/policy"
want 4 'one by one' "$s" profile import "$dir/register.csv" "$dir/ports.csv"
want 4 'one by one' "$s" profile import "$dir/ports.csv" "$dir/register.csv"
want 3 'no-such' "$s" profile import --types "$dir/no-such" "$dir/register.csv"

# Wrong input: a message with what to do, an exit code, and no half-written file.
want 2 'FILE' "$s" profile import
want 2 'no option' "$s" profile import --nonsense x
want 4 'portz.csv: cannot be read|did you mean ports.csv?' "$s" profile import "$dir/portz.csv"
printf '%%PDF-1.7\n' >"$dir/x.pdf"
want 4 'is a PDF|paste' "$s" profile import "$dir/x.pdf"
printf 'a,b\n1,2\n' >"$dir/other.csv"
echo old >"$dir/keep.yaml"
want 4 'other.csv: holds nothing that is known|ポート番号' "$s" profile import -o "$dir/keep.yaml" "$dir/other.csv"
[ "$(cat "$dir/keep.yaml")" = old ] || fail "-o lost the old file"
: >"$dir/empty.csv"
want 4 'empty.csv: is empty' "$s" profile import "$dir/empty.csv"
want 4 'is a directory' "$s" profile import "$dir"
want 1 '' "$s" profile import -q -o /dev/full "$dir/ports.csv"

# Hostile workbooks: refused, each for its reason, by a process that never grows past 64 MiB.
"$python" "$SOURCE/tests/workbook.py" hostile "$dir/hostile"
"$python" - "$s" "$dir/hostile" <<'PY' || fail "a hostile workbook"
import os, sys
spanward, folder = sys.argv[1:]
reasons = {
    "macro.xlsx": "macros", "macro-renamed.xlsx": "macros", "entities.xlsx": "document type declaration",
    "external.xlsx": "document type declaration", "bomb.xlsx": "unzips to", "bomb-lying.xlsx": "unzips to",
    "truncated.xlsx": "cut short", "garbage.xlsx": "cannot be unzipped", "old.xls": "without a password",
    "malformed.xlsx": "damaged", "other.xlsx": "no workbook",
}
assert set(reasons) == set(os.listdir(folder)), os.listdir(folder)
sanitized = b"__asan_init" in open(spanward, "rb").read()
for name, reason in sorted(reasons.items()):
    r, w = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(w, 2)
        os.execv(spanward, [spanward, "profile", "import", f"{folder}/{name}"])
    os.close(w)
    err = os.fdopen(r, errors="replace").read()
    _, status, usage = os.wait4(pid, 0)
    peak = usage.ru_maxrss // 1024
    print(f"{name}: {peak} MiB, {usage.ru_utime:.2f} s: {err.strip()[-120:]}")
    assert os.waitstatus_to_exitcode(status) == 4, (name, status, err)
    assert name in err and reason in err and err.count("\n") == 1, (name, err)
    assert peak < 64 or sanitized, (name, peak)
PY
echo "imported"
