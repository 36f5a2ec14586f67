"""Compares our observations with tshark's dissection; run by tshark_diff.sh."""
import glob
import json
import os
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET

spanward = os.environ["BUILD"] + "/bin/spanward"
COMMANDS = {0x0001: "C-STORE", 0x0010: "C-GET", 0x0020: "C-FIND", 0x0021: "C-MOVE", 0x0030: "C-ECHO", 0x0100: "N-EVENT-REPORT",
            0x0110: "N-GET", 0x0120: "N-SET", 0x0130: "N-ACTION", 0x0140: "N-CREATE", 0x0150: "N-DELETE"}


def command_name(code):
    if code == 0x0FFF:
        return "C-CANCEL-RQ"
    return COMMANDS.get(code & 0x7FFF, "unknown") + ("-RSP" if code & 0x8000 else "-RQ")


def ours(path):
    run = subprocess.run([spanward, "replay", "--show", "observations", "--format", "jsonl", path], capture_output=True, text=True)
    if run.returncode not in (0, 4):
        sys.exit(f"{path}: exit {run.returncode}: {run.stderr}")
    out, ports = {}, {}
    for o in map(json.loads, run.stdout.splitlines()):
        kind = o["type"]
        proto = kind.split(".")[0]
        if proto not in ("dicom", "hl7"):
            continue
        for end in (o["src"], o["dst"]):
            ports.setdefault(proto, set()).add(int(end.rsplit(":", 1)[1]))
        if kind in ("dicom.associate_request", "dicom.associate_accept"):
            m = (kind, o.get("calling_ae"), o.get("called_ae"), o.get("max_pdu"), o.get("implementation_uid"),
                 o.get("implementation_version"),
                 tuple((c["id"], c.get("abstract_syntax") if kind.endswith("request") else None,
                        tuple(c["transfer_syntaxes"]) if c.get("result", 0) == 0 else (), c.get("result")) for c in o["contexts"]))
        elif kind == "dicom.command":
            m = (kind, o["command"], o.get("message_id"), o.get("responded_id"), o.get("sop_class"), o.get("status"),
                 o.get("move_destination"))
        elif kind == "dicom.associate_reject":
            m = (kind, o["result"], o["source"], o["reject_reason"])
        elif kind == "dicom.abort":
            m = (kind, o["source"], o["reject_reason"])
        elif kind == "dicom.release":
            m = (kind, o["release"])
        elif kind in ("hl7.message", "hl7.ack"):
            m = (kind, o.get("message_type"), o.get("control_id"), o.get("sending_app"), o.get("sending_facility"),
                 o.get("receiving_app"), o.get("receiving_facility"), o.get("version"), o.get("ack_code"), o.get("acked_control_id"))
        else:
            continue
        out.setdefault((proto, o["src"], o["dst"]), []).append(m)
    return out, ports


def text(hexed):
    return bytes.fromhex(hexed).rstrip(b"\0 ").lstrip(b" ").decode("ascii", "replace") or None


def dicom_message(proto):
    fields = list(proto.iter("field"))
    by = {}
    for f in fields:
        by.setdefault(f.get("name"), []).append(f)
    kind = int(by["dicom.pdu.type"][0].get("show"), 16)
    get = lambda n: text(by[n][0].get("value")) if n in by else None
    if kind in (1, 2):
        contexts = []
        for f in fields:
            n = f.get("name")
            if n == "dicom.pctx.id":
                contexts.append([int(f.get("value"), 16), None, [], None])
            elif n == "dicom.pctx.abss.syntax":
                contexts[-1][1] = text(f.get("value"))
            elif n == "dicom.pctx.xfer.syntax":
                contexts[-1][2].append(text(f.get("value")))
            elif n == "dicom.pctx.result":
                contexts[-1][3] = int(f.get("value"), 16)
        size = by.get("dicom.max_pdu_len")
        yield (("dicom.associate_request", "dicom.associate_accept")[kind - 1], get("dicom.assoc.ae.calling"),
               get("dicom.assoc.ae.called"), int(size[0].get("show")) if size else None, get("dicom.userinfo.uid"),
               get("dicom.userinfo.version"),
               tuple((c[0], c[1], tuple(c[2]) if (c[3] or 0) == 0 else (), c[3]) for c in contexts))
    elif kind == 3:
        yield ("dicom.associate_reject", *(int(by["dicom.assoc.reject." + n][0].get("show"), 16) for n in ("result", "source", "reason")))
    elif kind == 4:
        # Elements of every command PDV, from the raw bytes that tshark attributes to each; the decoding of values is ours.
        elements = {}
        for f in fields:
            show = f.get("show") or ""
            if re.match(r"\(0000,[0-9a-f]{4}\)", show):
                raw = bytes.fromhex(f.get("value"))
                group, element, n = struct.unpack_from("<HHI", raw)
                if element in elements and element == 0x0100:
                    yield command(elements)
                    elements = {}
                elements[element] = raw[8:8 + n]
        if 0x0100 in elements:
            yield command(elements)
    elif kind in (5, 6):
        yield ("dicom.release", "request" if kind == 5 else "response")
    elif kind == 7:
        n = lambda s: int(by["dicom.assoc.abort." + s][0].get("show"), 16)
        yield ("dicom.abort", n("source"), n("reason"))


def command(e):
    u16 = lambda x: struct.unpack("<H", e[x])[0] if x in e else None
    uid = e.get(0x0002, e.get(0x0003))
    status = u16(0x0900)
    return ("dicom.command", command_name(u16(0x0100)), u16(0x0110), u16(0x0120), text(uid.hex()) if uid else None,
            f"0x{status:04x}" if status is not None else None, text(e[0x0600].hex()) if 0x0600 in e else None)


def hl7_message(proto):
    segments = [bytes.fromhex(f.get("value")).rstrip(b"\r\n") for f in proto.iter("field") if f.get("name") == "hl7.segment"]
    if not segments or segments[0][:3] not in (b"MSH",):
        return
    sep = segments[0][3:4]
    f = [None] + segments[0].split(sep)     # f[n] is MSH-n, since MSH-1 is the separator itself
    at = lambda n: f[n].decode("utf-8", "replace") if n < len(f) and f[n] else None
    kind = "^".join(at(9).split("^")[:2]) if at(9) else None
    ack = next((s.split(sep) for s in segments if s[:3] == b"MSA"), None)
    yield ("hl7.ack" if ack else "hl7.message", kind, at(10), at(3), at(4), at(5), at(6),
           at(12).split("^")[0] if at(12) else None,
           ack[1].decode() if ack and len(ack) > 1 else None, ack[2].decode() if ack and len(ack) > 2 else None)


def theirs(path, ports):
    out = {}
    decode = [a for proto in ports for p in sorted(ports[proto]) for a in ("-d", f"tcp.port=={p},{proto}")]
    run = subprocess.run(["tshark", "-2", "-n", "-r", path, "--enable-heuristic", "dicom_tcp", *decode, "-Y", "dicom or hl7",
                          "-T", "pdml"], capture_output=True)
    try:
        root = ET.fromstring(run.stdout)
    except ET.ParseError:
        return out
    for packet in root.iter("packet"):
        ip = port = None
        for proto in packet.iter("proto"):
            name = proto.get("name")
            if name in ("ip", "ipv6"):
                field = lambda n: next(f.get("show") for f in proto.iter("field") if f.get("name") == n)
                ip = (field(name + ".src"), field(name + ".dst"), name)
            elif name == "tcp":
                field = lambda n: next(f.get("show") for f in proto.iter("field") if f.get("name") == n)
                port = (field("tcp.srcport"), field("tcp.dstport"))
            elif name in ("dicom", "hl7") and ip and port:
                end = [f"[{ip[i]}]:{port[i]}" if ip[2] == "ipv6" else f"{ip[i]}:{port[i]}" for i in (0, 1)]
                for m in (dicom_message if name == "dicom" else hl7_message)(proto):
                    out.setdefault((name, *end), []).append(m)
    return out


listed = {}
for line in open("tests/tshark_differences.tsv"):
    if line.strip() and not line.startswith("#"):
        name, who, count, reason = line.rstrip("\n").split("\t")
        listed[name, who] = [int(count), reason, False]

captures = sorted(glob.glob("test-pcaps/**/*.pcap", recursive=True))
public = "../shared/captures/pcap/medical/local-peers"
if os.path.isdir(public):
    captures += sorted(glob.glob(public + "/*.pcap"))
else:
    print("note: no ../shared: only the captures of the project")
bad = agreed = 0
for path in captures:
    name = path.replace("test-pcaps/", "").replace(public, "local-peers")
    a, ports = ours(path)
    b = theirs(path, ports)
    only = {"ours": [], "tshark": []}
    for key in sorted(set(a) | set(b)):
        x, y = list(a.get(key, [])), list(b.get(key, []))
        for m in list(x):
            if m in y:
                x.remove(m)
                y.remove(m)
                agreed += 1
        only["ours"] += x
        only["tshark"] += y
    for who, rest in only.items():
        entry = listed.get((name, who))
        if entry:
            entry[2] = True
        if len(rest) != (entry[0] if entry else 0):
            bad = 1
            print(f"{name}: {len(rest)} messages only in {who}, {entry[0] if entry else 0} listed")
            for m in rest[:4]:
                print("   ", str(m)[:300])
for (name, who), (count, reason, used) in listed.items():
    if used:
        print(f"{name}: {count} only in {who}: {reason}")
    elif os.path.isdir(public) or not name.startswith("local-peers"):
        bad = 1
        print(f"tshark_differences.tsv: {name} {who} is not needed any more")
print(f"{agreed} messages agree in {len(captures)} captures")
sys.exit(bad or agreed < 100)
