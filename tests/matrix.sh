#!/bin/sh
# The communication matrix of the demo hospital: every alert about a flow has its line, every line adds up, CSV and HTML run
# nothing, and coverage is its sum.
# Covers: R032 R056 R058 R101
set -eu
BUILD=${BUILD:-$PWD/build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
exec python3 - "$BUILD/bin/spanward" "$dir" <<'PY'
import csv, html.parser, json, os, shutil, subprocess, sys

spanward, tmp = sys.argv[1:]
demo = "test-pcaps/demo"
faults = 0


def fault(*words):
    global faults
    faults += 1
    print("FAIL:", *words)


def run(*args, code=0):
    r = subprocess.run([spanward, *args], capture_output=True)
    if r.returncode != code:
        fault(args, r.returncode, r.stderr.decode())
    return r.stdout.decode()


def lines(*args, **kw):
    return [json.loads(l) for l in run(*args, **kw).splitlines()]


# A unit that nobody sees, with an interface and a transport that nobody can see; its name and place are somebody's joke.
policy = tmp + "/policy"
shutil.copytree(demo + "/policy", policy)
open(policy + "/quiet.yaml", "w").write("""format: spanward/1
kind: device-type
id: example.quiet
revision: 1
sources: [{id: ifu, type: port-table, doc_id: IFU-Q, revision: 2}]
manufacturer: {name: "<script>alert(1)</script>"}
model: {name: Q}
port_list: {completeness: exhaustive}
ports:
  - {id: log, function: "=cmd|'/c calc'!A1", transport: udp, initiator: device, port: [{value: 514}], app: {protocol: syslog}, peers: [{role: his}], sources: [ifu], row: Q-1}
  - {id: tunnel, transport: "ip:50", initiator: device, peers: [{any: true}], sources: [ifu], row: Q-2}
interfaces: [{type: usb, present: yes, monitorable: false}]
""")
with open(policy + "/inventory.csv", "a") as f:
    f.write('q-1,example.quiet,SN-Q-1,10.20.3.99,,"<img src=x onerror=alert(1)>",\n')
capture = demo + "/hospital-day.pcap"
matrix = lines("profile", "matrix", "-q", "-p", policy, capture)
if matrix != lines("profile", "matrix", "-q", "-p", policy, capture):
    fault("two runs differ")

# Every alert about a flow has a line that says the same and cites the same.
wanted = 0
for a in lines("replay", "-q", "-p", policy, "--format", "jsonl", capture):
    if a.get("verdict") not in ("undeclared", "seen_differently", "disabled_but_used", "forbidden") or "port" not in a or a["rule"].startswith("answer."):
        continue
    if a.get("what") == "ae_title":
        continue
    wanted += 1
    mine = [l for l in matrix if l["unit"] == a["device"] and l["state"] == a["verdict"] and (l.get("document"), l.get("row")) == (a.get("document"), a.get("row"))]
    if not mine:
        fault("no line for", a["rule"], a["device"], a["verdict"], a.get("what"), a.get("document"), a.get("row"))
    elif a["verdict"] != "disabled_but_used" and a.get("what", "none") != "none" and a["what"] not in [l.get("detail") for l in mine]:
        fault("another reason for", a["rule"], a["device"], a["what"], mine)
if wanted < 6:
    fault("only", wanted, "alerts were compared")

# Flows of units are all in lines, by the engine's own count of verdicts.
flows = [e for e in lines("replay", "-q", "-p", policy, "--show", "events", capture) if e["type"] == "flow" and "verdict" in e and e.get("device_type")]
if sum(l["flows"] for l in matrix) != len(flows):
    fault(sum(l["flows"] for l in matrix), "flows in lines,", len(flows), "judged")
for l in matrix:
    if (l["flows"] > 0) != ("first" in l) or l["state"] in ("seen", "undeclared") and not l.get("seen_with"):
        fault("does not add up:", l)
    if l["state"] == "seen" and not (l["document"] and l["row"]):
        fault("cites nothing:", l)
states = {(l["unit"], l.get("row"), l["state"], l.get("detail")) for l in matrix if l["unit"] == "q-1"}
want = {("q-1", "Q-1", "not_observable", "unit_not_seen"), ("q-1", None, "not_observable", "transport"), ("q-1", None, "not_observable", "interface")}
if states != want:
    fault("q-1:", states)

# Without a capture: what is declared, and no word on what was seen.
declared = lines("profile", "matrix", "-q", "-p", policy)
if {l["state"] for l in declared} != {"unwatched", "off", "not_observable"} or any(l["flows"] for l in declared):
    fault("without a capture:", {l["state"] for l in declared})

# CSV for Excel, HTML to print, in both languages.
for lang, head in ("en", "unit"), ("ja", "機器"):
    run("profile", "matrix", "-q", "-p", policy, "--lang", lang, "--format", "csv", "-o", f"{tmp}/m.csv", capture)
    if open(f"{tmp}/m.csv", "rb").read(3) != b"\xef\xbb\xbf":
        fault("CSV without a byte order mark")
    rows = list(csv.reader(open(f"{tmp}/m.csv", encoding="utf-8-sig", newline="")))
    if rows[0][0] != head or len(rows) != len(matrix) + 1 or {len(r) for r in rows} != {22}:
        fault("CSV", lang, len(rows), {len(r) for r in rows})
    if any(c[:1] in "=+-@" and c for r in rows for c in r):
        fault("a cell begins like a formula")
    page = run("profile", "matrix", "-q", "-p", policy, "--lang", lang, "--format", "html", capture)

    class Page(html.parser.HTMLParser):
        open_ = []
        rows = 0

        def handle_starttag(self, tag, attrs):
            if tag in ("script", "img") or any(k.startswith("on") for k, _ in attrs):
                fault("HTML has", tag, attrs)
            if tag not in ("meta", "br"):
                self.open_.append(tag)
            self.rows += tag == "tr"

        def handle_endtag(self, tag):
            if self.open_.pop() != tag:
                fault("HTML is not well-formed at", tag)

    p = Page()
    p.open_ = []
    p.feed(page)
    if p.open_ or p.rows != len(matrix) + len({l["unit"] for l in matrix}):
        fault("HTML:", p.open_, p.rows)

# Coverage is the matrix added up.
coverage = lines("profile", "coverage", "-q", "-p", policy, capture)
whole = [c for c in coverage if c["of"] == "all"][0]
if whole["flows"] != sum(c["flows"] for c in coverage if c["of"] == "type") or whole["units"] != 6 or whole["units_seen"] != 5:
    fault("coverage:", whole)
for state in {l["state"] for l in matrix}:
    if whole[state] != sum(l["state"] == state for l in matrix):
        fault("coverage of", state, whole[state])
if not 0 < whole["explained"] < whole["flows"]:
    fault("coverage explains", whole)
store = [c for c in coverage if c["of"] == "row" and c["type"] == "example.tomora-64" and c["name"] == "store"][0]
if (store["document"], store["row"], store["seen"]) != ("IFU-TOMORA64", "N-1", 1):
    fault("coverage of a row:", store)

# A capture that is cut short is said, and what was read counts.
open(tmp + "/cut.pcap", "wb").write(open(capture, "rb").read()[:-7])
if not lines("profile", "matrix", "-q", "-p", policy, tmp + "/cut.pcap", code=4):
    fault("nothing of a capture that is cut short")
run("profile", "matrix", "-q", "-p", tmp + "/none", capture, code=3)
run("profile", "matrix", "-q", "-p", policy, tmp + "/none.pcap", code=4)
run("profile", "matrix", code=2)
print(len(matrix), "lines,", wanted, "alerts found in them,", faults, "faults")
sys.exit(faults != 0)
PY
