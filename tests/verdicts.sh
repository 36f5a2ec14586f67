#!/bin/sh
# Each verdict, and each way of differing, has a capture that yields it and a look-alike that does not; what is said names
# document, revision and row in both languages. The table is test-pcaps/verdicts/cases.tsv.
# Covers: R013 R016 R017 R019 R020 R028 R035 R056 R057 R058 R063 R105 R107 R110 R111 R118
set -eu
BUILD=${BUILD:-$PWD/build}
exec python3 - "$BUILD/bin/spanward" test-pcaps/verdicts <<'PY'
import json, subprocess, sys

spanward, folder = sys.argv[1:]
faults = 0


def fault(*words):
    global faults
    faults += 1
    print("FAIL:", *words)


def replay(name, show):
    r = subprocess.run([spanward, "replay", "-q", "-p", f"{folder}/policy", "--show", show, "--format", "jsonl", f"{folder}/{name}.pcap"],
                       capture_output=True)
    if r.returncode:
        fault(name, r.stderr.decode())
    return [json.loads(l) for l in r.stdout.decode().splitlines()]


TELEMETRY = "policy.never_seen", "identity.router"
n = 0
for line in open(f"{folder}/cases.tsv"):
    if line.startswith("#"):
        continue
    name, rule, verdict, what, document, revision, row = line.rstrip("\n").split("\t")
    n += 1
    if rule == "policy.declared":
        for suffix, want in ("", True), ("-alike", False):
            flows = [e for e in replay(name + suffix, "events") if e["type"] == "flow"]
            if (len(flows) == 1 and flows[0].get("verdict") == "declared") != want:
                fault(name + suffix, "flows", [(f.get("device"), f.get("verdict")) for f in flows])
        continue
    for suffix in "", "-alike":
        got = [e for e in replay(name + suffix, "events" if rule in TELEMETRY else "alerts") if e.get("rule") == rule and
               (what == "-" or e.get("what", "none") == what)]
        if suffix:
            if got:
                fault(f"{name}-alike yields {rule}:", got[0])
            continue
        if not got:
            fault(f"{name} does not yield {rule} {what}")
            continue
        if document == "-":
            continue
        fits = [e for e in got if (e.get("document"), e.get("revision"), e.get("row")) == (document, revision, row)]
        if not fits or fits[0].get("verdict") != verdict:
            fault(name, "cites or says otherwise:", [(e.get("verdict"), e.get("document"), e.get("revision"), e.get("row")) for e in got])
            continue
        if not fits[0].get("generation", "1" if "id" in fits[0] else None):
            fault(name, "names no generation")
        if rule in TELEMETRY:
            continue
        r = subprocess.run([spanward, "replay", "-q", "-p", f"{folder}/policy", "--format", "jsonl", "-o", "/dev/stdout",
                            f"{folder}/{name}.pcap"], capture_output=True)
        for lang in "en", "ja":
            e = subprocess.run([spanward, "explain", fits[0]["id"], "--from", "-", "--lang", lang], input=r.stdout, capture_output=True)
            text = e.stdout.decode()
            if e.returncode or not all(w in text for w in (document, revision, row)):
                fault(name, lang, "explain does not name document, revision and row:", text[:400], e.stderr.decode())
            if any(w in text.lower() for w in ("disconnect", "unplug", "切断してください")):
                fault(name, "advises to disconnect:", text)

# A maintenance window changes the judgement and is named; what is outside is as grave as it is.
inside, outside = ([e for e in replay(w, "alerts") if e["rule"] == "policy.disabled_but_used"] for w in ("window", "window-alike"))
if [(e["severity"], e.get("window")) for e in inside] != [("info", "ct-service")]:
    fault("window:", inside)
if [(e["severity"], e.get("window")) for e in outside] != [("medium", None)]:
    fault("outside the window:", outside)
# Of an HL7 message both stand in the alert: what was seen, and what is declared.
for name, seen in ("hl7-message", "ADT^A01, version 2.5"), ("hl7-version", "ORU^R01, version 2.3, application CT, facility RAD"):
    got = [(e["seen"], e["said"]) for e in replay(name, "alerts") if e["rule"] == "policy.hl7_message"]
    if got != [(seen, "hl7 tcp/2575 to engine, ORU^R01, version 2.5")]:
        fault(name, "says", got)
# A router's hardware address assigns nobody once it is known to be one.
late = [e for e in replay("routed-mac", "events") if e["type"] == "flow" and e["port"] == 4005]
if [e.get("device") for e in late] != ["10.31.0.10"]:
    fault("routed-mac: the sixth flow is", [(e.get("device"), e.get("device_by")) for e in late])
near = [e for e in replay("routed-mac-alike", "events") if e["type"] == "flow" and e["port"] == 4005]
if [e.get("device") for e in near] != ["monitor-1"]:
    fault("routed-mac-alike: the sixth flow is", [(e.get("device"), e.get("device_by")) for e in near])
# Flows that there was no room to read are no other protocol than declared: nothing can be said of them.
sys.path.insert(0, "test-pcaps/make")
import os, shutil, tempfile
import dicomgen
from pcapgen import Capture, Host
cap = Capture("2026-11-24T09:00:00Z")
ct, pacs = Host("02:00:5e:20:01:11", "10.20.1.11"), Host("02:00:5e:01:00:10", "10.1.0.10")
for i in range(150):
    c = cap.tcp(ct, 20000 + i, pacs, 104, 1.0, mss=5, step_us=1000).open()
    a = dicomgen.Association(c, ct, pacs, "CT01", "PACS01", {"1.2.840.10008.5.1.4.1.1.2": 1})
    a.release()
    c.close()
with tempfile.TemporaryDirectory() as d:
    cap.write(f"{d}/many.pcap")
    for budget, unread in (("probes=64,states=64", True), ("probes=65536", False)):
        r = subprocess.run([spanward, "replay", "-q", "-p", f"{folder}/policy", "--budget", budget, "--show", "events", "--format", "jsonl",
                            f"{d}/many.pcap"], capture_output=True)
        events = [json.loads(l) for l in r.stdout.decode().splitlines()]
        if [e for e in events if e.get("rule") == "policy.different_protocol"]:
            fault(budget, "what was not read is called another protocol")
        loss = [e for e in events if e.get("rule") == "policy.cannot_say" and e["what"] == "loss"]
        if (len(loss) > 0) != unread:
            fault(budget, "cannot say", loss[:1], r.stderr.decode()[:200])
# DHCP: a lease of the site's server ties an address to a card that no packet shows, for its time, and to the next address as well;
# one that has run out does not, nor does one that a stranger gives. What contradicts names where the unit stands.
for name, want in (("leased", [("monitor-1", "dhcp")] * 2), ("leased-alike", [("10.20.6.1", None), ("10.20.7.2", None)]),
                   ("dhcp-server", [("10.20.6.1", None), ("10.20.7.2", None)])):
    got = [(e.get("device"), e.get("device_by") if e["device"] == "monitor-1" else None) for e in replay(name, "events")
           if e["type"] == "flow" and e["transport"] == "tcp"]
    if got != want:
        fault(name, "flows are of", got)
for name, rule, want in (("identity-conflict", "identity.conflict", ("inventory.yaml", "pump-1", "host name laptop-7")),
                         ("lease-conflict", "identity.lease_conflict", ("inventory.yaml", "pump-1", "given to 02:00:5e:20:05:99")),
                         ("dhcp-server", "network.dhcp_server", ("site.yaml", "roles.dhcp", "gives 10.20.6.1")),
                         ("lease-taken", "identity.lease_conflict", (None, None, "used by 02:00:5e:20:05:21"))):
    got = [(e.get("document"), e.get("row"), e["seen"]) for e in replay(name, "alerts") if e["rule"] == rule]
    if got != [want]:
        fault(name, "says", got)
# Where the site names no server, any server's lease counts, and is marked as weaker.
with tempfile.TemporaryDirectory() as d:
    shutil.copytree(f"{folder}/policy", f"{d}/policy")
    site = open(f"{d}/policy/site.yaml").read()
    open(f"{d}/policy/site.yaml", "w").write(site.replace("  dhcp: [{ip: 10.1.0.67}]\n", ""))
    r = subprocess.run([spanward, "replay", "-q", "-p", f"{d}/policy", "--show", "events", "--format", "jsonl", f"{folder}/leased-any.pcap"],
                       capture_output=True)
    got = [(e.get("device"), e.get("device_by")) for e in map(json.loads, r.stdout.decode().splitlines())
           if e["type"] == "flow" and e["port"] in (4001, 4002)]
    if got != [("monitor-1", "dhcp_any")] * 2:
        fault("without a server in the site file flows are of", got)
if n < 30:
    fault("only", n, "cases")
print(f"{n} verdicts, each with a capture that yields it and one that does not; {faults} faults")
sys.exit(faults != 0)
PY
