"""Plants invented patients everywhere and looks for them in every byte that the programs write; run by canary.sh.

usage: canary.py SPANWARD_BIN_DIR [--expect-leak]

Each place of a message gets a canary of its own, so a leak says where it came from. A canary comes in several writings: as a
person's name (components parted by ^), as an identifier, as a date, in Japanese characters. Places of three kinds:
    patient     the field is a patient's: no writing may be found anywhere
    admitted    the field has a slot in an observation. A writing that its grammar does not fit must be replaced. One that it
                fits cannot be told from what belongs there, and is in ADMITTED below with the reason.
Outputs searched: everything on standard output and standard error of every command, every file that they leave.
"""
import base64
import binascii
import glob
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, "test-pcaps/make")
from dicomgen import (CT_IMAGE, IMPLICIT, STUDY_FIND, STUDY_MOVE, VERIFICATION, accept, command, element, pdata, release_request,
                      release_response, request, uid)
from hl7gen import mllp
from pcapgen import Capture, Host

# Fields whose grammar a canary fits, and why it is let through.
ADMITTED = {
    "MSH-3": "names the sending application; alerts and roles are written with it",
    "MSH-4": "names the sending facility",
    "MSH-5": "names the receiving application",
    "MSH-6": "names the receiving facility",
    "MSH-10": "joins a message with its acknowledgement and with the logs of the interface engine",
    "MSA-2": "the control id that is acknowledged",
    "calling AE": "an address of DICOM: declarations name it",
    "called AE": "an address of DICOM: declarations name it",
    "move destination": "an AE title: where images go",
    "originator AE": "an AE title: who asked for a move",
    "implementation version": "a product's name",
    "station name": "(0008,1010) names the device",
    "station AE": "(0040,0241) names the device",
    "institution": "(0008,0080) names the hospital",
    "manufacturer": "(0008,0070) names the maker",
    "model": "(0008,1090) names the product",
    "serial": "(0018,1000) names the device",
    "software": "(0018,1020) a product's version",
    "DHCP host name": "names the host: the inventory is found by it",
    "TLS SNI": "names the server that is called",
    "HTTP Host": "names the server that is called",
    "HTTP user agent": "a product's name and version",
    "SSH version": "a product's name and version",
}

made = []                               # (place, kind, token, {writing: bytes})


def _token(n):
    # Letters only, so that it fits names, ids and keys; no word of any language.
    return "KANQ" + "".join("BCDFGHJKLMNPRSTVWXZ"[n // 19 ** i % 19] for i in range(3)) + "V"


def canary(place, kind="patient"):
    token = _token(len(made))
    made.append((place, kind, token))
    return token


def name(place, kind="patient"):
    """ASCII, as a person's name."""
    return f"{canary(place, kind)}^TARO"


# A name in kanji and kana that no product of ours would write by itself: each place takes two characters of its own.
KANJI = "鱈鯖鰯鰹鮪鮭鱒鯉鮒鯛鰻鱸鯨鰐鷲鷹鴨鵜鷺鶴鳩鶯鳶雉鶉鶏亀蟹蛸蛙"


def japanese(place, kind="patient"):
    a, b = divmod(len(made), len(KANJI))
    token = KANJI[a % len(KANJI)] + KANJI[b] + "乃介"
    made.append((place, kind, token))
    return token


def writings(token):
    """Every form in which the token might be written."""
    out = {"as it is": token.encode(), "lower case": token.lower().encode(), "title case": token.title().encode(),
           "hex": binascii.hexlify(token.encode()), "HEX": binascii.hexlify(token.encode()).upper(),
           "percent": urllib.parse.quote(token).encode(), "UTF-16LE": token.encode("utf-16-le"), "UTF-16BE": token.encode("utf-16-be"),
           "JSON": token.encode("ascii", "backslashreplace")}
    for shift in range(3):              # base64 in each of the three positions, without what its neighbours decide
        coded = base64.b64encode(b"x" * shift + token.encode())
        out[f"base64 {shift}"] = coded[(0, 2, 3)[shift]:(len(coded) - 4) or None]
    for code in ("iso2022_jp", "shift_jis", "euc_jp", "latin_1"):
        try:
            out[code] = token.encode(code)
        except UnicodeEncodeError:
            pass
    out["escaped"] = "".join(f"\\x{c:02x}" for c in token.encode()).encode()
    out["backwards"] = token[::-1].encode()
    return {k: v for k, v in out.items() if len(v) >= 6}


# ---- what is planted ----

def hl7_fields(cap, hosts):
    his, engine = hosts
    port = 42000

    def talk(data, mss=1448):
        nonlocal port
        port += 1
        c = cap.tcp(his, port, engine, 2575, at=port - 42000.0).open()
        c.send(his, data, mss)
        c.send(engine, mllp(b"MSH|^~\\&|ENGINE|HOSP|HIS|HOSP|20261122||ACK|A1|P|2.5\rMSA|AA|C1\r"))
        c.close()

    def body(code, msh18="", text=None):
        """A message with a canary in every field of the patient's."""
        t = text or (lambda place: name(f"{place} in {code}").encode())
        rows = [b"MSH|^~\\&|HIS|HOSP|ENGINE|HOSP|20261122||ADT^A01|C1|P|2.5||||||" + msh18.encode(), b"EVN|A01|20261122||||" + t("EVN-5")]
        for segment, fields in (("PID", (2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 18, 19, 20, 21, 23, 26)), ("NK1", (2, 4, 5, 30)), ("PV1", (3, 7, 8, 9, 19, 50)),
                                ("IN1", (2, 16, 19, 36)), ("GT1", (3, 5, 12)), ("ORC", (2, 3, 10, 12)), ("OBR", (2, 3, 16, 28)), ("OBX", (5, 16)),
                                ("NTE", (3,)), ("ZPI", (1, 2)), ("DG1", (4,)), ("AL1", (3, 5))):
            row = [b""] * (max(fields) + 1)
            row[0] = segment.encode()
            for f in fields:
                row[f] = t(f"{segment}-{f}")
            rows.append(b"|".join(row))
        return b"\r".join(rows) + b"\r"

    talk(mllp(body("ASCII")))
    talk(mllp(body("ASCII in single bytes")), mss=1)
    talk(mllp(body("UTF-8", "UNICODE UTF-8", lambda p: japanese(p + " in UTF-8").encode())), mss=7)
    talk(mllp(body("ISO-2022-JP", "~ISO IR87", lambda p: japanese(p + " in ISO-2022-JP").encode("iso2022_jp"))), mss=5)
    talk(mllp(body("Shift-JIS", "", lambda p: japanese(p + " in Shift-JIS").encode("shift_jis"))))
    talk(mllp(body("Latin-1", "8859/1", lambda p: (canary(p + " in Latin-1") + "ÄÖ").encode("latin_1"))))
    talk(mllp(body("escaped", "", lambda p: b"\\X" + binascii.hexlify(canary(p + " escaped").encode()).upper() + b"\\\\T\\\\F\\")))
    talk(body("unframed"))
    talk(b"\x0b" + body("without an end"))
    talk(mllp(b"MSH#*%?@#HIS#HOSP#ENGINE#HOSP#20261122##ADT*A01#C1#P#2.5\rPID#1##" + name("PID-3, own delimiters").encode().replace(b"^", b"*") + b"\r"))
    talk(b"\x0bFHS|^~\\&|HIS\rBHS|^~\\&|HIS\r" + body("a batch") + b"BTS|1|" + name("BTS-2").encode() + b"\rFTS|1|" + name("FTS-2").encode() + b"\r\x1c\r")
    talk(mllp(body("behind a long value").replace(b"NTE|", b"NTE|" + b"A" * 70000 + b"|")))
    # What has a slot: as a name (must be replaced), and as a word that fits (let through, with a reason).
    for admitted in (False, True):
        for make in (canary, japanese) if admitted else (name, japanese):
            def v(place):
                kind = "admitted" if admitted and make is canary else "patient"
                return make(place, kind)
            talk(mllp((f"MSH|^~\\&|{v('MSH-3')}|{v('MSH-4')}|{v('MSH-5')}|{v('MSH-6')}|20261122||ORU^R01|{v('MSH-10')}|P|2.5\r").encode()))
            talk(mllp((f"MSH|^~\\&|A|B|C|D|20261122||ACK^A01|A1|P|2.5\rMSA|AA|{v('MSA-2')}|{name('MSA-3')}\rERR||PID^1^5|207|E|||{name('ERR-7')}|{name('ERR-8')}\r").encode()))
    for place, row in (("MSH-9", "MSH|^~\\&|A|B|C|D|20261122||{}|C1|P|2.5\r"), ("MSH-12", "MSH|^~\\&|A|B|C|D|20261122||ADT^A01|C1|P|{}\r"),
                       ("MSH-18", "MSH|^~\\&|A|B|C|D|20261122||ADT^A01|C1|P|2.5||||||{}\r"), ("MSH-8", "MSH|^~\\&|A|B|C|D|20261122|{}|ADT^A01|C1|P|2.5\r"),
                       ("MSH-21", "MSH|^~\\&|A|B|C|D|20261122||ADT^A01|C1|P|2.5|||||||||{}\r")):
        talk(mllp(row.format(name(place).lower() if place == "MSH-9" else name(place)).encode()))


def dicom_fields(cap, hosts):
    ct, pacs = hosts
    port = 43000

    def t(group, number, value, pad=b" "):
        value = value if isinstance(value, bytes) else value.encode()
        return element(group, number, value + (pad if len(value) % 2 else b""))

    def explicit(group, number, vr, value):
        value = value if isinstance(value, bytes) else value.encode()
        value += b" " if len(value) % 2 else b""
        return struct.pack("<HH2sH", group, number, vr.encode(), len(value)) + value

    def talk(calling, called, messages, sop=CT_IMAGE, more=b"", version="EXAMPLE_1", syntax=IMPLICIT, mss=1448):
        nonlocal port
        port += 1
        c = cap.tcp(ct, port, pacs, 11112, at=1000 + port - 43000.0).open()
        c.send(ct, request(calling, called, [(1, sop, [syntax])], version=version, more=more), mss)
        c.send(pacs, accept(calling, called, [(1, 0, syntax)]))
        for m in messages:
            c.send(ct, m, mss)
        c.send(ct, release_request())
        c.send(pacs, release_response())
        c.close(ct)

    def patient(where, write):
        """Tags of groups 0008 to 0040 that are a patient's."""
        tags = [(0x0008, 0x0050), (0x0008, 0x0090), (0x0008, 0x1030), (0x0008, 0x1048), (0x0008, 0x1070), (0x0008, 0x103E), (0x0010, 0x0010), (0x0010, 0x0020),
                (0x0010, 0x0021), (0x0010, 0x0030), (0x0010, 0x1000), (0x0010, 0x1001), (0x0010, 0x1005), (0x0010, 0x1040), (0x0010, 0x2154),
                (0x0010, 0x4000), (0x0018, 0x1030), (0x0020, 0x0010), (0x0020, 0x4000), (0x0032, 0x1032), (0x0040, 0x0244), (0x0040, 0xA123)]
        return [(g, n, write(f"({g:04X},{n:04X}) {where}")) for g, n in tags]

    def device(where, make, kind):
        return [(0x0008, 0x0070, make("manufacturer", kind)), (0x0008, 0x0080, make("institution", kind)), (0x0008, 0x1010, make("station name", kind)),
                (0x0008, 0x1090, make("model", kind)), (0x0018, 0x1000, make("serial", kind)), (0x0018, 0x1020, make("software", kind))]

    def store(rows, instance="1.2.3"):
        data = b"".join(t(g, n, v) for g, n, v in sorted(rows)) + element(0x7FE0, 0x0010, b"\x55\xaa" * 600)
        return [pdata(1, command(1, CT_IMAGE, 1, data_set=True, instance=instance), True), pdata(1, data[:900], False, False),
                pdata(1, data[900:], False)]

    talk("CT", "PACS", store(patient("in ASCII", name)))
    talk("CT", "PACS", store(patient("in single bytes", name)), mss=1)
    talk("CT", "PACS", store([(0x0008, 0x0005, "\\ISO 2022 IR 87")] + patient("in IR 87", lambda p: japanese(p).encode("iso2022_jp"))))
    talk("CT", "PACS", store([(0x0008, 0x0005, "ISO_IR 192")] + patient("in UTF-8", japanese)))
    talk("CT", "PACS", store([(0x0008, 0x0005, "ISO_IR 13")] + patient("in Shift-JIS", lambda p: japanese(p).encode("shift_jis"))))
    talk("CT", "PACS", store(device("", name, "patient")))
    talk("CT", "PACS", store(device("", canary, "admitted")))
    import zlib
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    rows = b"".join(explicit(g, n, "LO", v) for g, n, v in sorted(patient("deflated", name)))
    data = deflate.compress(rows) + deflate.flush()
    talk("CT", "PACS", [pdata(1, command(1, CT_IMAGE, 1, data_set=True, instance="1.2.3"), True), pdata(1, data, False)], syntax="1.2.840.10008.1.2.1.99")
    # A sequence, a private tag, an unknown VR, and a data set that lies about its lengths.
    inner = t(0x0010, 0x0010, name("inside a sequence"))
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    rows = element(0x0008, 0x1110, item) + t(0x0009, 0x1001, name("a private tag")) + t(0x0010, 0x0010, name("before a lying length"))
    talk("CT", "PACS", [pdata(1, command(1, CT_IMAGE, 1, data_set=True, instance="1.2.3"), True),
                        pdata(1, rows + struct.pack("<HHI", 0x0010, 0x0020, 0x7FFFFFFF) + name("behind a lying length").encode(), False)])
    # Instance UIDs that are none.
    talk("CT", "PACS", store([], instance=canary("instance UID")))
    # Queries: names of keys, never values.
    for where, write in (("exactly", name), ("with wildcards", lambda p: canary(p) + "*"), ("in Japanese", japanese)):
        rows = [(0x0008, 0x0052, "STUDY")] + patient(f"asked for {where}", write) + [(0x0020, 0x000D, canary(f"study UID {where}"))]
        data = b"".join(t(g, n, v) for g, n, v in sorted(rows))
        for code, sop in ((0x20, STUDY_FIND), (0x10, "1.2.840.10008.5.1.4.1.2.2.3"), (0x21, STUDY_MOVE)):
            talk("WS", "PACS", [pdata(1, command(code, sop, 1, data_set=True, destination="WS" if code == 0x21 else None), True), pdata(1, data, False)], sop=sop)
    # User identity: the name and the passcode.
    for kind in (1, 2, 3, 4, 5):
        first, second = canary(f"user identity {kind}").encode(), canary(f"passcode {kind}").encode()
        value = struct.pack("!BBH", kind, 1, len(first)) + first + struct.pack("!H", len(second)) + second
        talk("CT", "PACS", [], more=struct.pack("!BBH", 0x58, 0, len(value)) + value, sop=VERIFICATION)
    # What has a slot.
    for make, kind in ((lambda p, k: name(p, k)[:16], "patient"), (canary, "admitted")):
        talk(make("calling AE", kind), make("called AE", kind), [], sop=VERIFICATION)
        talk("CT", "PACS", [], sop=VERIFICATION, version=make("implementation version", kind))
        talk("CT", "PACS", [pdata(1, command(0x21, STUDY_MOVE, 1, data_set=False, destination=make("move destination", kind)), True)], sop=STUDY_MOVE)
        talk("CT", "PACS", [pdata(1, command(1, CT_IMAGE, 1, data_set=True, instance="1.2.3", originator=(make("originator AE", kind), 7)), True)])


def other_protocols(cap, hosts):
    """Clear text of protocols that carry names, whether or not anybody reads them."""
    a, b = hosts
    port = 44000

    def tcp(to, *turns):
        nonlocal port
        port += 1
        c = cap.tcp(a, port, b, to, at=2000 + port - 44000.0).open()
        for i, data in enumerate(turns):
            c.send(b if i % 2 else a, data if isinstance(data, bytes) else data.encode())
        c.close()

    def udp(to, data, back=None):
        nonlocal port
        port += 1
        cap.udp(a, port, b, to, data if isinstance(data, bytes) else data.encode(), at=2000 + port - 44000.0)
        if back:
            cap.udp(b, to, a, port, back, at=2000.2 + port - 44000.0)

    def basic(place):
        return base64.b64encode(f"{canary(place + ', user')}:{canary(place + ', password')}".encode()).decode()

    ok = "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\nETag: \"%s\"\r\nSet-Cookie: s=%s\r\n\r\n%s"

    def http(method, path, head="", body="", answer=""):
        answer = answer or '{"resourceType":"Patient","name":[{"family":"%s"}]}' % canary("FHIR answer")
        tcp(80, f"{method} {path} HTTP/1.1\r\nHost: fhir.example\r\nUser-Agent: curl/8.0\r\n{head}" + (f"Content-Length: {len(body.encode())}\r\n" if body else "") + "\r\n" + body,
            ok % (len(answer.encode()), canary("ETag"), canary("Set-Cookie"), answer))

    http("GET", "/fhir/Patient/" + canary("FHIR id"))
    http("GET", "/fhir/Patient?name=" + canary("FHIR search") + "&birthdate=19600101", f"Authorization: Basic {basic('HTTP basic')}\r\nCookie: p={canary('HTTP cookie')}\r\n")
    http("GET", "/fhir/" + canary("FHIR type"), f"Authorization: Bearer {canary('bearer token')}\r\nReferer: http://x/{canary('referer')}\r\nX-Patient: {canary('HTTP header')}\r\n")
    http("POST", "/fhir/Patient", "Content-Type: application/fhir+json\r\n", '{"resourceType":"Patient","id":"%s"}' % canary("FHIR body"))
    http("POST", "/fhir", "Content-Type: application/fhir+xml\r\n", '<Patient xmlns="http://hl7.org/fhir"><name>%s</name></Patient>' % japanese("FHIR XML"))
    http("GET", f"/dicom-web/studies?PatientName={canary('QIDO name')}&00100020={canary('QIDO id')}&{canary('QIDO key')}=1", "Accept: application/dicom+json\r\n")
    http("GET", f"/dicom-web/studies/{canary('WADO study')}/series/{canary('WADO series')}/instances/{canary('WADO instance')}", f"Accept: {canary('Accept')}/x\r\n")
    http("GET", f"/wado?requestType=WADO&studyUID={canary('WADO-URI study')}&seriesUID=1&objectUID=2")
    http("POST", "/ccd", "Content-Type: text/xml\r\n", f'<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="{canary("CDA id")}"/><name>{canary("CDA name")}</name></ClinicalDocument>')
    http("POST", "/mllp", "Content-Type: application/hl7-v2\r\n", f"MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5\rPID|1||{canary('HL7 over HTTP')}\r")
    http(canary("HTTP method"), "/" + canary("HTTP path"))
    tcp(80, f"GET / HTTP/1.1\r\nHost: {canary('HTTP Host', 'admitted')}.example\r\nUser-Agent: {canary('HTTP user agent', 'admitted')}/1.0\r\n\r\n")
    tcp(80, f"GET / HTTP/1.1\r\nHost: {canary('a host with a user')}@x y\r\nUser-Agent: {name('a user agent that is a name')}\r\n\r\n")
    boundary = canary("multipart boundary")
    part = f"--{boundary}\r\nContent-Type: application/dicom\r\nContent-Location: {canary('part location')}\r\n\r\n".encode() + bytes(128) + b"DICM" + b"\x10\0\x10\0PN\x0c\0" + name("STOW part").encode()[:12]
    part += f"\r\n--{boundary}--\r\n".encode()
    tcp(80, f"POST /dicom-web/studies HTTP/1.1\r\nHost: pacs.example\r\nContent-Type: multipart/related; type=\"application/dicom\"; boundary={boundary}\r\nContent-Length: {len(part)}\r\n\r\n".encode() + part,
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    tcp(21, b"", b"220 vsFTPd 3.0\r\n", f"USER {canary('FTP user')}\r\n", b"331\r\n", f"PASS {canary('FTP password')}\r\n", b"230\r\n", f"STOR {canary('FTP file')}.dcm\r\n", f"150 {canary('FTP answer')}\r\n")
    tcp(23, b"\xff\xfd\x18", b"login: ", f"{canary('telnet login')}\r\n", b"Password: ", f"{canary('telnet password')}\r\n", f"Welcome {canary('telnet text')}\r\n")
    tcp(22, f"SSH-2.0-{canary('SSH version', 'admitted')}_1.0 {canary('SSH comment')}\r\n", b"SSH-2.0-OpenSSH_9.2\r\n")
    tcp(25, b"", f"220 {canary('SMTP banner')}\r\n", f"MAIL FROM:<{canary('SMTP sender')}@x>\r\n", b"250\r\n")
    tcp(389, b"\x30" + bytes([33]) + b"\x02\x01\x01\x60" + bytes([28]) + b"\x02\x01\x03\x04\x0b" + f"cn={canary('LDAP bind')}".encode()[:11] + b"\x80" + bytes([10]) + canary("LDAP password").encode() + b"xx", b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00")
    tcp(3389, b"\x03\0\0\x2b\x26\xe0\0\0\0\0\0Cookie: mstshash=" + canary("RDP cookie").encode() + b"\r\n" + b"\1\0\x08\0\3\0\0\0", b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\0\x08\0\2\0\0\0")
    tcp(5900, b"", b"RFB 003.008\n", b"RFB 003.008\n", b"\x01\x02", b"\x02", canary("VNC challenge").encode() * 2)
    smb = b"\xfeSMB" + struct.pack("<HHIHHIIQIIQ", 64, 0, 0, 5, 1, 0, 0, 1, 0, 0, 1) + bytes(16) + canary("SMB file").encode("utf-16-le")
    tcp(445, struct.pack(">I", len(smb)) + smb)
    tcp(514, f"<13>Nov 22 09:00:00 host app: {canary('syslog over TCP')}\n")
    udp(514, f"<13>1 2026-11-22T09:00:00Z {canary('syslog host')} {canary('syslog app')} - - - {canary('syslog text')}")
    community = canary("SNMP community").encode()
    pdu = b"\xa0\x19\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x05\x00\x05\x00"
    inner = b"\x02\x01\x01\x04" + bytes([len(community)]) + community + pdu
    udp(161, b"\x30" + bytes([len(inner)]) + inner)
    label = canary("DNS name").encode()
    udp(53, struct.pack(">HHHHHH", 1, 0x100, 1, 0, 0, 0) + bytes([len(label)]) + label + b"\x07example\0\0\1\0\1")
    for place, kind, make in (("DHCP host name", "admitted", canary), ("DHCP host name", "patient", name)):
        host = make(place, kind).encode()
        options = b"\x35\1\3\x0c" + bytes([len(host)]) + host + b"\xff"
        udp(67, struct.pack(">BBBBIHHIIII6s10s64s128s", 1, 1, 6, 0, 7, 0, 0, 0, 0, 0, 0, b"\2\0\x5e\0\0\1", b"", b"", b"") + b"\x63\x82\x53\x63" + options)
    udp(88, b"\x6a\x4f\x30\x4d\xa1\3\2\1\5\xa2\3\2\1\x0a\xa4\x41\x30\x3f\xa0\7\3\5\0\0\0\0\0\xa1\x15\x30\x13\xa0\3\2\1\1\xa1\x0c\x30\x0a\x1b\x08" + canary("Kerberos name").encode() + b"\xa2\x08\x1b\x06X.TEST")
    udp(7000, b"\x01\x04\0\0\x0a\x14\x03\x15" + struct.pack(">I", 5) + b"ICU|BED1".ljust(16, b"\0") + f"{canary('GE CARESCAPE broadcast')},TARO".encode()[:15] + b"\x07" + bytes(44))
    udp(1900, f"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nST: {canary('SSDP target')}\r\nMAN: \"ssdp:discover\"\r\n\r\n")
    tcp(4000, f"\x021H|\\^&|||{name('ASTM sender')}\rP|1||{canary('ASTM id')}||{name('ASTM name')}\r\x03A0\r\n")
    hello = bytes(32) + b"\0\0\2\x13\1\1\0"
    sni = canary("TLS SNI", "admitted").lower().encode() + b".example"
    ext = struct.pack(">HHHBH", 0, len(sni) + 5, len(sni) + 3, 0, len(sni)) + sni
    body = b"\3\3" + hello + struct.pack(">H", len(ext)) + ext
    handshake = b"\1" + struct.pack(">I", len(body))[1:] + body
    tcp(443, b"\x16\3\1" + struct.pack(">H", len(handshake)) + handshake)
    tcp(9, name("a protocol that nobody knows").encode() * 20, japanese("a protocol that nobody knows").encode() * 20)
    udp(9, name("a datagram that nobody knows").encode() * 5)


# ---- what is searched ----

class Outputs:
    def __init__(self, folder):
        self.folder, self.n = folder, 0

    def run(self, argv, ok=(0, 4), **more):
        """Runs a command; what it prints becomes a file to search."""
        run = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, **more)
        assert run.returncode in ok, (argv, run.returncode, run.stderr[-600:])
        self.n += 1
        with open(f"{self.folder}/said-{self.n}", "wb") as f:
            f.write(" ".join(argv[1:4]).encode() + b"\n" + run.stdout + b"\n" + run.stderr)
        return run.stdout

    def search(self):
        """[(place, kind, writing, file)]"""
        found, size = [], 0
        forms = [(place, kind, token, w) for place, kind, token in made for w in writings(token).items()]
        by_start = {}                   # every writing has six bytes at least
        for place, kind, token, (writing, data) in forms:
            by_start.setdefault(data[:6], []).append((data, (place, kind, writing)))
        for path in sorted(glob.glob(self.folder + "/**/*", recursive=True)):
            if not os.path.isfile(path):
                continue
            with open(path, "rb") as f:
                data = f.read()
            size += len(data)
            for i in range(len(data) - 5):
                for whole, what in by_start.get(data[i:i + 6], ()):
                    if data.startswith(whole, i):
                        found.append(what + (os.path.basename(path),))
        return found, size


def receiver(folder):
    """A SIEM that keeps what it is told. RFC 6587 needs nothing of it but to read."""
    s = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                c, _ = s.accept()
            except OSError:
                return
            with open(f"{folder}/siem", "ab") as f:
                while data := c.recv(65536):
                    f.write(data)
    threading.Thread(target=serve, daemon=True).start()
    return s


def main():
    programs, expect_leak = sys.argv[1], "--expect-leak" in sys.argv
    spanward, policy = programs + "/spanward", "test-pcaps/demo/policy"
    cap = Capture()
    # The demo's hosts, so that a policy judges them; and two that nobody knows.
    ct, pacs = Host("02:00:5e:20:03:11", "10.20.3.11"), Host("02:00:5e:01:00:10", "10.1.0.10")
    a, b = Host("02:00:5e:aa:00:01", "10.99.0.1"), Host("02:00:5e:aa:00:02", "10.99.0.2")
    hl7_fields(cap, (a, b))
    hl7_fields(cap, (ct, pacs))
    dicom_fields(cap, (ct, pacs))
    dicom_fields(cap, (a, b))
    other_protocols(cap, (ct, pacs))
    with tempfile.TemporaryDirectory() as tmp:
        capture, out = tmp + "/canaries.pcap", tmp + "/out"
        os.mkdir(out)
        cap.write(capture)
        data = open(capture, "rb").read()
        with open(tmp + "/cut.pcap", "wb") as f:
            f.write(data[:len(data) * 2 // 3 + 5])
        with open(tmp + "/broken.pcap", "wb") as f:
            f.write(bytes(c ^ 0x20 if i % 997 == 0 and i > 40 else c for i, c in enumerate(data)))
        env = dict(os.environ, XDG_STATE_HOME=out)
        o = Outputs(out)
        for show in ("alerts", "events", "observations", "flows", "assets", "stats"):
            for form in ("table", "jsonl", "json", "csv"):
                o.run([spanward, "replay", "-p", policy, "--show", show, "--format", form, capture])
        o.run([spanward, "replay", "--show", "observations", "--format", "jsonl", tmp + "/cut.pcap"])
        o.run([spanward, "replay", "--show", "events", "--format", "jsonl", tmp + "/broken.pcap"])
        o.run([spanward, "replay", capture])
        if not expect_leak:
            siem = receiver(out)
            o.run([spanward, "run", "-r", capture, "-p", policy, "--store", out + "/db", "--sink", f"jsonl:{out}/sink.jsonl",
                   "--sink", f"syslog:tcp:127.0.0.1:{siem.getsockname()[1]}", "--format", "jsonl"], env=env)
            collector = subprocess.Popen([programs + "/spanward-collector", "--bind", f"ipc://{out}/socket", "--store", out + "/db2"],
                                         stderr=open(out + "/collector.log", "wb"))
            o.run([programs + "/spanward-sensor", "-r", capture, "-p", policy, "--connect", f"ipc://{out}/socket", "--sensor-id", "c-1"])
            collector.terminate()
            assert collector.wait(60) == 0, "the collector"
            alerts = o.run([spanward, "alerts", "--store", out + "/db", "--format", "jsonl"])
            for form in ("table", "csv"):
                o.run([spanward, "alerts", "--store", out + "/db", "--format", form])
                o.run([spanward, "assets", "--store", out + "/db2", "--format", form])
            ids = re.findall(rb'"id":"([0-9a-f]{16})"', alerts)
            assert len(ids) >= 3, "hardly any alert: the test does not test"
            for i in ids[:10]:
                o.run([spanward, "explain", i.decode(), "--from", out + "/db"])
            o.run([spanward, "alerts", "audit", "--store", out + "/db"])
            assert os.path.getsize(out + "/siem") > 1000, "the SIEM was told nothing"
            siem.close()
        seen = o.run([spanward, "replay", "--show", "observations", "--format", "jsonl", capture]).decode()
        counts = {k: seen.count(f'"type":"{k}"') for k in ("hl7.message", "dicom.dataset", "dicom.query", "dicom.associate_request")}
        assert all(n >= 5 for n in counts.values()), f"hardly anything was decoded: {counts}"
        found, size = o.search()
    let = sorted({(p, kind) for p, kind, *_ in found if kind == "admitted"})
    leaks = sorted({(p, w): f for p, kind, w, f in found if kind != "admitted"}.items())
    unknown = [p for p, _ in let if p not in ADMITTED]
    assert not unknown, f"let through without a reason: {unknown}"
    if expect_leak:
        assert leaks, "a planted leak was not found"
        print(f"the planted leak was found: {leaks[0][0][0]}")
        return
    for (place, writing), path in leaks[:40]:
        print(f"FAIL: {place} ({writing}) is in {path}")
    assert not leaks, f"{len(leaks)} leaks"
    print(f"{len(made)} canaries, {size} bytes of {o.n} outputs and their files searched: none of a patient's; let through, each with a reason: "
          + ", ".join(p for p, _ in let))


main()
