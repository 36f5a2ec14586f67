#!/bin/sh
# MUD files (RFC 8520, 9761) become device types that are enforced: flows that match an entry are silent, others are not. A
# device type becomes a MUD file and is the same again but for what was said to be lost.
# Covers: R056 R057
set -eu
BUILD=${BUILD:-$PWD/build}
python3 -c 'import yaml' 2>/dev/null || { echo "skipped: python3-yaml is missing"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=test-pcaps/make python3 - "$BUILD/bin/spanward" "$dir" ../shared/data/mud <<'PY'
import glob, json, os, subprocess, sys

import yaml

import tlsgen
from pcapgen import Capture, Host

spanward, tmp, shared = sys.argv[1:]
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


def ace(name, protocol, match=None, ip=None, action="accept", v6=False, **layer):
    m = dict(match or {})
    m["ipv6" if v6 else "ipv4"] = {"protocol": protocol, **(ip or {})}
    if layer:
        m[{6: "tcp", 17: "udp"}[protocol]] = {k.replace("_", "-") if k != "opens" else "ietf-mud:direction-initiated": v for k, v in layer.items()}
    return {"name": name, "matches": m, "actions": {"forwarding": action}}


def eq(port):
    return {"operator": "eq", "port": port}


def mud(lists, key="ietf-access-control-list:acls", **more):
    def refs(side):
        return {"access-lists": {"access-list": [{"name": n} for n in lists if n.startswith(side)]}}
    return {"ietf-mud:mud": {"mud-version": 1, "mud-url": "https://mud.example.com/pump-7", "last-update": "2026-03-20T00:00:00+09:00",
                             "cache-validity": 24, "is-supported": True, "systeminfo": "Infusion pump", "mfg-name": "Example Pumps",
                             "model-name": "P-7", "firmware-rev": "4.2", "from-device-policy": refs("fr"), "to-device-policy": refs("to"), **more},
            key: {"acl": [{"name": n, "type": "ipv6-acl-type" if "6" in n else "ipv4-acl-type", "aces": {"ace": a}} for n, a in lists.items()]}}


CONTROLLER = {"ietf-mud:mud": {"controller": "urn:x-example:role:pump-server"}}
LOCAL = {"ietf-mud:mud": {"local-networks": [None]}}
PROFILE = [{"name": "p", "supported-tls-version": ["tls12", "tls13"], "cipher-suite": [4865, 4866]}]
os.mkdir(tmp + "/own")
own = {
    # A range, a TLS profile under the name of the module, a host name, a prefix of each family, a rule that drops, a ping.
    "new": mud({
        "fr4": [ace("data-frdev", 6, {**CONTROLLER, "ietf-acl-tls:client-profiles": {"tls-dtls-profile": PROFILE}}, destination_port={"lower-port": 8883, "upper-port": 8885}, opens="from-device"),
                ace("ui-frdev", 6, LOCAL, source_port=eq(443), opens="to-device"),
                ace("cloud-frdev", 6, None, {"ietf-acldns:dst-dnsname": "update.example.com"}, destination_port=eq(443), opens="from-device"),
                ace("log-frdev", 17, None, {"destination-ipv4-network": "10.1.9.0/24"}, destination_port=eq(514)),
                ace("no-frdev", 6, LOCAL, action="drop", destination_port=eq(23), opens="from-device"),
                ace("ping-frdev", 1)],
        "to4": [ace("data-todev", 6, {**CONTROLLER, "ietf-acl-tls:client-profiles": {"tls-dtls-profile": PROFILE}}, source_port={"lower-port": 8883, "upper-port": 8885}, opens="from-device"),
                ace("ui-todev", 6, LOCAL, destination_port=eq(443), opens="to-device"),
                ace("cloud-todev", 6, None, {"ietf-acldns:src-dnsname": "update.example.com"}, source_port=eq(443), opens="from-device"),
                ace("log-todev", 17, None, {"source-ipv4-network": "10.1.9.0/24"}, source_port=eq(514)),
                ace("ping-todev", 1)],
        "fr6": [ace("six-frdev", 6, None, {"destination-ipv6-network": "2001:db8:9::/48"}, v6=True, destination_port=eq(104), opens="from-device")],
        "to6": [ace("six-todev", 6, None, {"source-ipv6-network": "2001:db8:9::/48"}, v6=True, source_port=eq(104), opens="from-device")],
    }),
    # The names that the RFC's own example has, and those of the older model.
    "old": mud({
        "fr": [{"rule-name": "rpc", "matches": {"ietf-mud:mud-acl": {"same-manufacturer": [None]}, "ipv4": {"protocol": 17, "destination-port-range-or-operator": {"operator": "eq", "port": 9000}}}, "actions": {"forwarding": "ietf-access-control-list:accept"}},
               ace("tls-from", 6, {**CONTROLLER, "ietf-acl-tls:client-profile": {"tls-dtls-profiles": [{"name": "q", "supported-tls-versions": ["iana-tls-profile:tls13"]}]}}, destination_port=eq(443), opens="from-device"),
               ace("high-from", 6, CONTROLLER, destination_port={"operator": "gte", "port": 60000}, opens="from-device")],
        "to": [{"rule-name": "rpc", "matches": {"ietf-mud:mud-acl": {"same-manufacturer": [None]}, "ipv4": {"protocol": 17, "source-port-range-or-operator": {"operator": "eq", "port": 9000}}}, "actions": {"forwarding": "ietf-access-control-list:accept"}},
               ace("tls-to", 6, CONTROLLER, source_port=eq(443), opens="from-device"),
               ace("high-to", 6, CONTROLLER, source_port={"operator": "gte", "port": 60000}, opens="from-device")],
    }, key="ietf-access-control-list:access-lists"),
}
for name, m in own.items():
    json.dump(m, open(f"{tmp}/own/{name}.json", "w"))


def facts(t):
    """What a row means, without its names: what both forms can say."""
    out = set()
    for r in t["ports"]:
        for p in r["peers"]:
            peer = tuple(sorted((k, str(v)) for k, v in p.items() if k not in ("role_uri", "max")))
            ports = tuple(sorted(str(q.get("value", q.get("range"))) for q in r.get("port", [])))
            tls = r.get("encryption", {}).get("tls", {})
            for port in ports or ("",):
                out.add((r["transport"], r["initiator"], port, tuple(str(q.get("value", q.get("range"))) for q in r.get("local_port", [])), peer, tls.get("min_version"), str(tls.get("profiles"))))
    return out


unit, twin = Host("02:00:5e:20:00:01", "10.20.0.1", "2001:db8:20::1"), Host("02:00:5e:20:00:02", "10.20.0.2")
known, cloud = Host("02:00:5e:50:00:09", "10.50.0.9"), Host("02:00:5e:ff:00:01", "203.0.113.5")
TWIN = """format: spanward/1
device_type: example.twin
maker: {maker}
model: T
documents: {{a: {{id: A, revision: 1}}}}
port_list: exhaustive
out: {{t: {{tcp: 1-65535, to: any, cite: a 1}}, u: {{udp: 1-65535, to: any, cite: a 1}}}}
in: {{v: {{tcp: 1-65535, from: any, cite: a 1}}, w: {{udp: 1-65535, from: any, cite: a 1}}}}
"""


def policy(t, where):
    """A hospital around a type: a role where each peer is, one unit, one of the same maker."""
    os.makedirs(where)
    roles = sorted({p["role"] for r in t["ports"] for p in r["peers"] if "role" in p})
    json.dump({"format": "spanward/1", "kind": "site", "local_networks": ["10.0.0.0/8", "2001:db8::/32"], "roles": {r: [{"ip": f"10.1.0.{i + 10}"}] for i, r in enumerate(roles)}},
              open(where + "/site.yaml", "w"))
    json.dump({"format": "spanward/1", "kind": "inventory", "devices": [
        {"id": "unit", "type": t["id"], "select": [{"ip": "10.20.0.1"}, {"ip": "2001:db8:20::1"}]}, {"id": "twin", "type": "example.twin", "select": [{"ip": "10.20.0.2"}]},
        {"id": "known", "select": [{"ip": "10.50.0.9"}]}, {"id": "six", "select": [{"ip": "2001:db8:9::1"}]}, {"id": "log", "select": [{"ip": "10.1.9.1"}]}]}, open(where + "/inventory.yaml", "w"))
    open(where + "/twin.yaml", "w").write(TWIN.format(maker=json.dumps(t["manufacturer"]["name"])))
    return {r: Host(f"02:00:5e:01:00:{i + 10:02x}", f"10.1.0.{i + 10}") for i, r in enumerate(roles)}


def flow(cap, r, peer, port, local, at, version=4, tls=False):
    client, server = (peer, unit) if r["initiator"] == "peer" else (unit, peer)
    if r["transport"] == "udp":
        cap.udp(client, local, server, port, b"\x00" * 24, at, version)
        cap.udp(server, port, client, local, b"\x00" * 24, at + 0.01, version)
        return
    c = cap.tcp(client, local, server, port, at, version).open()
    if tls:
        tlsgen.session(c, client, server, "mud")
    c.close()


def judge(path):
    name = os.path.basename(path)[:-5]
    yaml_path = f"{tmp}/{name}.yaml"
    out, err = run("profile", "mud", "-o", yaml_path, path)
    t = yaml.safe_load(open(yaml_path))
    run("check", "-q", yaml_path)
    roles = policy(t, f"{tmp}/{name}")
    os.rename(yaml_path, f"{tmp}/{name}/type.yaml")
    cap, wrong, n, cannot = Capture("2026-11-24T09:00:00Z"), Capture("2026-11-24T09:00:00Z"), 0, 0
    for r in t["ports"]:
        p = r["peers"][0]
        version, least = 4, r.get("encryption", {}).get("tls", {}).get("min_version")
        peer = roles[p["role"]] if "role" in p else twin if p.get("same_manufacturer") else cloud if "fqdn" in p else known
        if "cidr" in p:
            version = 6 if ":" in p["cidr"] else 4
            peer = Host("02:00:5e:06:00:01", "10.1.9.1", "2001:db8:9::1")
        if r["transport"] == "icmp":
            cap.ping(unit, peer, 1.0 + n)
        else:
            port = int(str(r["port"][0].get("value", r["port"][0].get("range"))).split("-")[-1])
            local = int(str((r.get("local_port") or [{"value": 40000 + n}])[0].get("value")))
            flow(cap, r, peer, min(port, 65500), local, 1.0 + n, version, least == "1.2")
            # The session of tlsgen is TLS 1.2: less than this profile offers.
            if least == "1.3":
                flow(wrong, r, peer, port, local, 3.0 + n, version, True)
        n += 1
        cannot += "fqdn" in p
    cap.write(f"{tmp}/{name}.pcap")
    flow(wrong, {"transport": "tcp", "initiator": "peer"}, known, 31337, 41000, 1.0)
    flow(wrong, {"transport": "tcp", "initiator": "device"}, known, 31338, 41001, 2.0)
    wrong.write(f"{tmp}/{name}-wrong.pcap")
    return name, t, n, cannot, err


def alerts(name, capture):
    return [json.loads(l) for l in run("replay", "-q", "-p", f"{tmp}/{name}", "--format", "jsonl", capture)[0].splitlines()]


files = sorted(glob.glob(tmp + "/own/*.json")) + sorted(glob.glob(shared + "/*.json"))
flows = 0
for path in files:
    name, t, n, cannot, err = judge(path)
    flows += n
    matched = [a for a in alerts(name, f"{tmp}/{name}.pcap") if not (a["verdict"] == "cannot_say" and cannot)]
    if matched:
        fault(name, "matching flows are not silent:", [(a["rule"], a.get("port"), a.get("peer"), a.get("seen"), a.get("what")) for a in matched])
    verdicts = [e.get("verdict") for e in map(json.loads, run("replay", "-q", "-p", f"{tmp}/{name}", "--show", "events", f"{tmp}/{name}.pcap")[0].splitlines()) if e["type"] == "flow"]
    icmp = sum(r["transport"] == "icmp" for r in t["ports"])
    if verdicts.count("declared") != n - cannot - icmp or verdicts.count("cannot_say") != cannot:
        fault(name, "verdicts:", verdicts, "of", n, "rows")
    rules = {(a["rule"], a["port"], a["document"]) for a in alerts(name, f"{tmp}/{name}-wrong.pcap") if a["device"] == "unit"}
    wants = {("policy.undeclared_listener", 31337), ("policy.undeclared_traffic", 31338)} | ({("policy.tls_version", 443)} if name == "old" else set())
    any_port = any(str(q.get("range")) == "1-65535" for r in t["ports"] for q in r.get("port", []))
    if not any_port and {r[:2] for r in rules} != wants:
        fault(name, "what no entry allows:", rules)

    # Long form to MUD and back: the same rows, and what the extension of others was.
    back = f"{tmp}/{name}-back.yaml"
    run("profile", "mud", "-q", "--date", "2026-03-20", "--url", "https://mud.example.com/again", "-o", f"{tmp}/{name}-again.json", f"{tmp}/{name}/type.yaml")
    run("profile", "mud", "-q", "-o", back, f"{tmp}/{name}-again.json")
    again = yaml.safe_load(open(back))
    if facts(t) != facts(again) or [t["model"], t["manufacturer"]] != [again["model"], again["manufacturer"]]:
        fault(name, "round trip:", facts(t) ^ facts(again))

new = yaml.safe_load(open(tmp + "/new/type.yaml"))
rows = {r["id"]: r for r in new["ports"]}
if len(new["deny"]) != 1 or new["deny"][0]["actions"] != {"forwarding": "drop"}:
    fault("what drops is not kept:", new.get("deny"))
if rows["data"]["encryption"] != {"declared": "tls", "tls": {"min_version": "1.2", "profiles": {"tls-dtls-profile": PROFILE}}}:
    fault("TLS profile:", rows["data"])
if (new["manufacturer"]["name"], new["model"]["name"], new["port_list"]["completeness"]) != ("Example Pumps", "P-7", "exhaustive"):
    fault("head:", new["manufacturer"], new["model"])
old = {r["id"]: r for r in yaml.safe_load(open(tmp + "/old/type.yaml"))["ports"]}
if old["tls"]["encryption"]["tls"]["min_version"] != "1.3" or old["high"]["port"] != [{"range": "60000-65535"}]:
    fault("the older dialect:", old)

# A type of a hospital, with all that MUD cannot say: the same flows come back, and what is lost was said, for every row.
source = "rules/profiles/example-hospital/ct-64.yaml"
_, lost = run("profile", "mud", "--url", "https://mud.example.com/ct-64", "-o", f"{tmp}/ct.json", source)
run("profile", "mud", "-q", "-o", f"{tmp}/ct.yaml", f"{tmp}/ct.json")
a, b = yaml.safe_load(open(source)), yaml.safe_load(open(f"{tmp}/ct.yaml"))
a["ports"] = [{**r, "encryption": {}} for r in a["ports"]]
built_in = {x for x in facts(b) if x[4] == (("role", "ntp"),) or x[0] == "icmp"}
if facts(a) != facts(b) - built_in or len(built_in) != 2:
    fault("ct-64:", facts(a) ^ facts(b))
for want in ("lost: mds2", "lost: lifecycle", "lost: manufacturer.contacts", "lost: store: app.protocol: dicom", "lost: store: app.dicom",
             "lost: mpps: default_state: a MUD file allows it always", "lost: remote-desktop: encryption: optional", "lost: store: peers.max",
             "lost: console: encryption (of what the device serves)", "lost: worklist: conflicts", "lost: infrastructure: arp and nd (below IP)"):
    if want not in lost.splitlines():
        fault("not said:", want)

# What is no MUD file, or none that can be trusted, is refused with the file's name.
for n, (text, why) in enumerate([("{", "no JSON"), ("{}", "no MUD file"), ('{"ietf-mud:mud": {}, "ietf-mud:mud": {}}', "no JSON"), ('{"a":' * 100000, "no JSON"),
                                 (json.dumps(mud({"fr": [{"name": "x"}]})), "has no matches"),
                                 (json.dumps(mud({"fr": [ace("x", 6, destination_port=eq(70000))]})), "0 to 65535"),
                                 (json.dumps({**mud({"fr": []}), "ietf-access-control-list:acls": {"acl": []}}), "is not there"),
                                 (json.dumps(mud({"fr": []}, seen={"last": 1})), "seen")]):
    open(f"{tmp}/bad.json", "w").write(text)
    _, err = run("profile", "mud", "-o", f"{tmp}/bad.yaml", f"{tmp}/bad.json", code=3)
    if why not in err or "bad.json" not in err or os.path.exists(f"{tmp}/bad.yaml"):
        fault("bad file", n, err)
run("profile", "mud", source, code=2)
run("profile", "import", "-q", "-o", f"{tmp}/imported.yaml", f"{tmp}/own/new.json")
if open(f"{tmp}/imported.yaml").read() != open(f"{tmp}/new/type.yaml").read():
    fault("profile import makes something else of a MUD file")
print(len(files), "MUD files,", flows, "flows that match them;", "those of ../shared are missing;" if not glob.glob(shared + "/*.json") else "", faults, "faults")
sys.exit(faults != 0)
PY
