"""Compares what we say of TLS, HTTP, DNS, SMB, SSH, DHCP, SNMP, NTP, Kerberos and LDAP with tshark; run by tshark_services.sh."""
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
from collections import Counter

spanward = os.environ["BUILD"] + "/bin/spanward"
PUBLIC = "../shared/captures/pcap"
FIELDS = """frame.number frame.time_epoch frame.protocols ip.src ip.dst ipv6.src ipv6.dst tcp.srcport tcp.dstport udp.srcport udp.dstport
    tls.handshake.type tls.handshake.version tls.handshake.extensions.supported_version tls.handshake.ciphersuite
    tls.handshake.extensions_server_name tls.handshake.extensions_alpn_str tls.handshake.ja3 tls.handshake.ja3s tls.handshake.random
    http.request.method http.host http.response.code dns.flags.response dns.flags.rcode dns.count.queries dns.count.answers
    smb2.cmd smb2.flags.response smb2.dialect smb.dialect.name smb.dialect.index ssh.protocol dhcp.option.dhcp snmp.version
    snmp.msgVersion snmp.msgAuthoritativeEngineID snmp.data ntp.flags.mode ntp.flags.vn ntp.stratum kerberos.msg_type ldap.protocolOp
    ldap.resultCode""".split()
WANTED = "tls.handshake.type==1 or tls.handshake.type==2 or " + " or ".join(
    ["http", "dns", "smb", "smb2", "ssh.protocol", "dhcp", "snmp", "ntp", "kerberos", "ldap"])
DHCP = ["other", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM", "FORCERENEW", "LEASEQUERY", "LEASEUNASSIGNED",
        "LEASEUNKNOWN", "LEASEACTIVE", "BULKLEASEQUERY", "LEASEQUERYDONE"]
KERBEROS = {10: "AS-REQ", 11: "AS-REP", 12: "TGS-REQ", 13: "TGS-REP", 14: "AP-REQ", 15: "AP-REP", 30: "KRB-ERROR"}
NTP = ["", "symmetric-active", "symmetric-passive", "client", "server", "broadcast", "control", "private"]
SMB2 = {0x0202: "2.0.2", 0x0210: "2.1", 0x0300: "3.0", 0x0302: "3.0.2", 0x0311: "3.1.1"}
TLS = {0x0300: "ssl3", 0x0301: "tls1.0", 0x0302: "tls1.1", 0x0303: "tls1.2", 0x0304: "tls1.3"}
RETRY = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"     # RFC 8446, 4.1.3
UDP_IDLE_S = 120        # then what comes on the same ports is another flow to us
TRANSPORT = {"http": "tcp", "ssh": "tcp", "ldap": "tcp", "tls": "tcp", "dns": "udp", "snmp": "udp", "ntp": "udp", "dhcp": "udp"}


def ours(path):
    """What we say: {(kind, where, value)}, where it stands in the capture (TLS: whose handshake it is), and ports by service."""
    run = subprocess.run([spanward, "replay", "-q", "--show", "observations", "--format", "jsonl", path], capture_output=True, text=True)
    if run.returncode not in (0, 4):
        sys.exit(f"{path}: exit {run.returncode}: {run.stderr}")
    out, ports = Counter(), {}
    for o in map(json.loads, run.stdout.splitlines()):
        kind, n, m = o["type"], o["packet"], []
        server = o["src"] if o.get("speaker") == "server" or kind == "http.response" else o["dst"]
        service = kind.split(".")[0]
        if service in TRANSPORT:
            ports.setdefault(service, set()).add(int(server.rsplit(":", 1)[1]))
        if kind == "tls.handshake":
            way = o["src"] + " " + o["dst"]
            m = [(k, way, o[k]) for k in ("sni", "alpn_offered", "ja3", "ja3s") if k in o]
            m += [("tls_version", way, o["tls_version"])] if o.get("ja3s") else []
        elif kind == "http.request":
            way = o["src"] + " " + o["dst"]
            m = [("http_method", way, o["http_method"])] + ([("http_host", way, o["http_host"].lower())] if "http_host" in o else [])
        elif kind == "http.response":
            m = [("http_status", o["src"] + " " + o["dst"], o["http_status"])]
        elif kind == "dns.seen":
            m = [("dns", n, (o["code"], o["questions"], o["answers"]))]
        elif kind == "smb.negotiate" and "protocol_version" in o and o["speaker"] == "server":
            m = [("smb", n, o["protocol_version"])]
        elif kind == "ssh.version":
            m = [("ssh", n, o["protocol_version"] + " " + o.get("product", ""))]
        elif kind == "dhcp.message":
            m = [("dhcp", n, o["operation"])]
        elif kind == "snmp.message":
            m = [("snmp", n, o["protocol_version"])]
        elif kind == "ntp.mode":
            m = [("ntp", n, (o["operation"], o["protocol_version"], o.get("stratum")))]
        elif kind == "kerberos.message":
            m = [("kerberos", n, o["operation"])]
        elif kind == "ldap.bind" and o["operation"] == "bind":
            m = [("ldap", n, o["speaker"])]
        out.update(m)
    return out, ports


def theirs(path, ports):
    decode = [a for s in ports for p in sorted(ports[s]) for a in ("-d", f"{TRANSPORT[s]}.port=={p},{s}")]
    run = subprocess.run(["tshark", "-n", "-r", path, "-o", "tcp.reassemble_out_of_order:TRUE", *decode,
                          "-Y", WANTED,
                          "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|", *(x for f in FIELDS for x in ("-e", f))],
                         capture_output=True, text=True, errors="replace")
    if run.returncode:
        print(f"{path}: tshark: {run.stderr.strip().splitlines()[-1] if run.stderr else run.returncode}")
    out, seen, hello, last = Counter(), set(), {}, {}
    for line in run.stdout.splitlines():
        f = {k: v.split("|") if v else [] for k, v in zip(FIELDS, line.split("\t"))}
        number = lambda k: [int(v, 0) for v in f[k]]
        layers = ":".join(f["frame.protocols"]).split(":")
        n = int(f["frame.number"][0])
        ip = (f["ipv6.src"], f["ipv6.dst"]) if f["ipv6.src"] and not f["ip.src"] else (f["ip.src"], f["ip.dst"])
        port = (f["tcp.srcport"], f["tcp.dstport"]) if f["tcp.srcport"] else (f["udp.srcport"], f["udp.dstport"])
        if not ip[0] or not port[0]:
            continue
        src, dst = (f"[{ip[i][-1]}]:{port[i][-1]}" if ":" in ip[i][-1] else f"{ip[i][-1]}:{port[i][-1]}" for i in (0, 1))
        flow = ("tcp" if f["tcp.srcport"] else "udp", *sorted((src, dst)))
        # TLS: the first hello of each side; of a server that asks to try again (RFC 8446, 4.1.4) its second.
        if "1" in f["tls.handshake.type"] and flow not in hello:
            way = hello[flow] = src + " " + dst
            alpn = f["tls.handshake.extensions_alpn_str"]
            out.update(("sni", way, v) for v in f["tls.handshake.extensions_server_name"][:1])
            out.update([("alpn_offered", way, ",".join(alpn))] * bool(alpn))
            out.update(("ja3", way, v) for v in f["tls.handshake.ja3"][:1])
        if "2" in f["tls.handshake.type"] and flow in hello and ("sh", flow) not in seen and RETRY not in f["tls.handshake.random"]:
            seen.add(("sh", flow))
            way = hello[flow]
            version = (number("tls.handshake.extensions.supported_version") or number("tls.handshake.version"))[-1]
            out.update([("ja3s", way, v) for v in f["tls.handshake.ja3s"][:1]] + [("tls_version", way, TLS.get(version, hex(version)))])
        out.update(("http_method", src + " " + dst, v) for v in f["http.request.method"])
        out.update(("http_host", src + " " + dst, re.sub(r":\d+$", "", v.lower())) for v in f["http.host"])
        out.update(("http_status", src + " " + dst, int(v)) for v in f["http.response.code"])
        first = None
        if "dns" in layers and "1" in f["dns.flags.response"]:
            first = ("dns", n, (number("dns.flags.rcode")[0], number("dns.count.queries")[0], number("dns.count.answers")[0]))
        # Version 3 begins with a question and a report in the clear whatever follows: neither is said.
        elif "snmp" in layers and (f["snmp.version"] or (f["snmp.msgAuthoritativeEngineID"] not in ([], ["<MISSING>"]) and
                                                         "8" not in f["snmp.data"])):
            first = ("snmp", n, {0: "1", 1: "2c", 3: "3"}.get((number("snmp.version") + number("snmp.msgVersion"))[0]))
        elif "ntp" in layers and f["ntp.flags.mode"] and number("ntp.flags.mode")[0] != 3:
            mode = number("ntp.flags.mode")[0]
            first = ("ntp", n, (NTP[mode], f["ntp.flags.vn"][0], number("ntp.stratum")[0] if mode < 6 else None))
        at = float(f["frame.time_epoch"][0])
        if flow[0] == "udp" and at - last.get(flow, at) > UDP_IDLE_S:
            seen = {x for x in seen if x[1] != flow}
        last[flow] = at
        if first and (first[0], flow) not in seen:
            seen.add((first[0], flow))
            out[first] += 1
        # 2.FF: which one, the next answer says (MS-SMB2 2.2.4).
        if f["smb2.dialect"] and "0" in f["smb2.cmd"] and "1" in f["smb2.flags.response"] and number("smb2.dialect")[-1] != 0x02FF:
            out["smb", n, SMB2.get(number("smb2.dialect")[-1])] += 1
        elif f["smb.dialect.index"] and number("smb.dialect.index")[0] != 0xFFFF:
            out["smb", n, "1"] += 1
        for v in f["ssh.protocol"]:
            m = re.match(r"SSH-([0-9.]+)-([^ \r\n]*)", v)
            out["ssh", n, f"{m[1]} {m[2]}" if m else v] += 1
        out.update(("dhcp", n, DHCP[v] if v < len(DHCP) else "other") for v in number("dhcp.option.dhcp"))
        if re.search(r":(tcp|udp):kerberos", ":".join(layers)):
            # AP-REQ stands inside of TGS-REQ too.
            types = number("kerberos.msg_type")
            out.update(("kerberos", n, KERBEROS.get(v, str(v))) for i, v in enumerate(types) if not i or v not in (14, 15))
        # 14: the bind goes on, and is said when it has ended.
        for v in number("ldap.protocolOp"):
            if v == 0 or (v == 1 and "14" not in f["ldap.resultCode"]):
                out["ldap", n, "server" if v else "client"] += 1
    return out


def compare(path):
    a, ports = ours(path)
    b = theirs(path, ports)
    return path, a, b


listed = {}
for line in open("tests/tshark_services.tsv"):
    if line.strip() and not line.startswith("#"):
        name, kind, who, count, reason = line.rstrip("\n").split("\t")
        listed[name, kind, who] = [int(count), reason, False]

captures = sorted(c for d in ("services", "tls", "web", "demo", "dicom", "decode") for c in glob.glob(f"test-pcaps/{d}/*.pcap"))
captures = [c for c in captures if not re.search(r"/dicom/(?!.*(tls|http))|/decode/(?!vxlan-in-erspan)", c)]
public = os.path.isdir(PUBLIC)
if public:
    for d in ("dns", "dhcp", "http", "ssh", "smb", "snmp", "ntp", "kerberos", "ldap", "tls", "rdp"):
        captures += sorted((c for c in glob.glob(f"{PUBLIC}/it/{d}/*") if os.path.getsize(c) < 100000), key=os.path.basename)[-6:]
else:
    print("note: no ../shared: only the captures of the project")
if len(sys.argv) > 1:
    captures = sys.argv[1:]
bad, agreed = 0, Counter()
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for path, a, b in pool.map(compare, captures):
        name = path.replace("test-pcaps/", "").replace(PUBLIC + "/", "shared/")
        for (kind, _, _), n in (a & b).items():
            agreed[kind] += n
        for who, rest in (("ours", a - b), ("tshark", b - a)):
            for kind in sorted({k for k, _, _ in rest} | {k for (c, k, w) in listed if c == name and w == who}):
                here = sorted(((w, v), n) for (k, w, v), n in rest.items() if k == kind) if kind in {k for k, _, _ in rest} else []
                count, entry = sum(n for _, n in here), listed.get((name, kind, who))
                if entry and count:
                    entry[2] = True
                if count != (entry[0] if entry else 0):
                    bad = 1
                    print(f"{name}: {kind}: {count} only in {who}, {entry[0] if entry else 0} listed: {str([m for m, _ in here[:4]])[:300]}")
for (name, kind, who), (count, reason, used) in listed.items():
    if used:
        print(f"{name}: {kind}: {count} only in {who}: {reason}")
    elif len(sys.argv) == 1 and (public or not name.startswith("shared/")):
        bad = 1
        print(f"tshark_services.tsv: {name} {kind} {who} is not needed any more")
print(", ".join(f"{k} {n}" for k, n in sorted(agreed.items())), f"agree in {len(captures)} captures")
KINDS = {"sni", "alpn_offered", "ja3", "ja3s", "tls_version", "http_method", "http_host", "http_status", "dns", "smb", "ssh", "dhcp",
         "snmp", "ntp", "kerberos", "ldap"}
if len(sys.argv) == 1 and KINDS - set(agreed):
    bad = 1
    print(f"nothing agrees of {', '.join(sorted(KINDS - set(agreed)))}: nothing was compared")
sys.exit(bad)
