#!/bin/sh
# What hosts give away by how they speak: each rule of its family fires on the capture that shows it, once per device and
# service with a count, and on nothing in the captures that look alike.
# Covers: R016 R017 R021
set -eu
BUILD=${BUILD:-$PWD/build}
[ -x /usr/bin/python3 ] || { echo "skipped: no /usr/bin/python3"; exit 77; }
exec /usr/bin/python3 - "$BUILD/bin/spanward" <<'PY'
import glob, json, subprocess, sys

spanward = sys.argv[1]
faults = 0


def fault(*words):
    global faults
    faults += 1
    print("FAIL:", *words)


def replay(capture, *options):
    r = subprocess.run([spanward, "replay", "-q", "--show", "events", "--format", "jsonl", *options, capture], capture_output=True)
    if r.returncode not in (0, 1):
        fault(capture, r.stderr.decode())
    return [e for e in map(json.loads, r.stdout.decode().splitlines()) if e.get("rule", "").startswith("exposure.")]


LOGIN = "clear_text_login"
# What each capture holds beside these must stay silent: FTP behind AUTH TLS, LDAP with SPNEGO and behind StartTLS, VNC with a
# password and in TLS, SNMP with another community and version 3, SMB 2 and 3, a server's offer without a log-in.
WANT = {
    "services/telnet": [(LOGIN, "192.0.2.20", 23, 1)],
    "services/ftp": [(LOGIN, "192.0.2.20", 21, 2), (LOGIN, "2001:db8:1::20", 2121, 1)],
    "services/ldap": [(LOGIN, "192.0.2.20", 389, 2)],
    "services/vnc": [("no_login", "192.0.2.20", 5901, 1)],
    "services/snmp": [("snmp_default_community", "192.0.2.10", 161, 2)],
    "services/smb": [("smb1", "192.0.2.20", 139, 1)],
    "tls/tls10": [("tls_below_12", "192.0.2.20", 0, 1)],
    "tls/tls11": [("tls_below_12", "192.0.2.20", 0, 1)],
    "tls/tls12-expired": [("certificate_expired", "192.0.2.20", 0, 1)],
    "tls/tls12-self-signed": [("certificate_self_signed", "192.0.2.20", 0, 1)],
    "web/fhir": [(LOGIN, "192.0.2.20", 80, 1)],
    "web/qido": [(LOGIN, "192.0.2.20", 8042, 4)],
}
silent = 0
for capture in sorted(glob.glob("test-pcaps/services/*.pcap") + glob.glob("test-pcaps/tls/*.pcap") + ["test-pcaps/web/fhir.pcap",
                      "test-pcaps/web/qido.pcap"]):
    name = capture[len("test-pcaps/"):-len(".pcap")]
    sums, first = {}, {}
    for e in replay(capture):
        key = e["rule"][len("exposure."):], e["device"], e["port"]
        # An event, and at the end one with the count of its repeats.
        if key in first and e["ts_first"] != first[key]["ts"]:
            fault(name, key, "is told twice")
        first.setdefault(key, e)
        sums[key] = sums.get(key, 0) + e["count"]
        if not e.get("document") or not e.get("packet"):
            fault(name, key, "cites nothing")
        if "public" in json.dumps(e) or "private" in json.dumps(e):
            fault(name, key, "says which community it is")
    got = sorted((r, d, p if not name.startswith("tls/") else 0, n) for (r, d, p), n in sums.items())
    if got != sorted(WANT.get(name, [])):
        fault(name, "yields", got, "and not", WANT.get(name, []))
    silent += not got
if silent < 20:
    fault("only", silent, "captures that look alike")
alerts = subprocess.run([spanward, "replay", "-q", "-p", "test-pcaps/verdicts/policy", "--show", "alerts", "--format",
                         "jsonl", "test-pcaps/services/telnet.pcap"],
                        capture_output=True).stdout
alert = next(a for a in map(json.loads, alerts.decode().splitlines()) if a["rule"] == "exposure.clear_text_login")
for lang, word in ("en", "; the standard RFC 854; ask"), ("ja", "標準規格「RFC 854」に照らすと"):
    r = subprocess.run([spanward, "explain", alert["id"], "--lang", lang, "--from", "-"], input=alerts, capture_output=True)
    if word not in r.stdout.decode() or "tcp/23" not in r.stdout.decode():
        fault("explain", lang, r.stdout.decode(), r.stderr.decode())
if faults:
    sys.exit(1)
print(len(WANT), "captures that give something away,", silent, "that do not")
PY
