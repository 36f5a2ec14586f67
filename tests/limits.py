"""limits.py -- what a peer may send to exhaust a decoder, sent: for each, what follows it on the same connection is still
decoded, and the resident set stays what a harmless capture needs, within SLACK.

usage: limits.py SPANWARD OBJECT_MIB     Prints a line per case: bytes sent, seconds of CPU, resident set.
The captures are made while they are read (standard input): none is stored.
"""
import json
import os
import struct
import subprocess
import sys
import threading
import zlib

sys.path.insert(0, "test-pcaps/make")
import dicomgen as d  # noqa: E402
import hl7gen as h  # noqa: E402
import pcapgen  # noqa: E402

SPANWARD, OBJECT_MIB = sys.argv[1], int(sys.argv[2])
SLACK_KIB = 6 << 10
BIG = 60000
A = pcapgen.Host("02:00:5e:00:00:01", "10.1.0.1")
B = pcapgen.Host("02:00:5e:00:00:02", "10.1.0.2")


class Stream(pcapgen.Capture):
    """A capture that goes out as it is made, its TCP checksums left to the card."""

    def __init__(self, f):
        super().__init__()
        self.f, self.sent = f, 0
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, self.SNAPLEN, 1))

    def add(self, at_us, frame):
        t = self.start_us + int(at_us)
        self.f.write(struct.pack("<IIII", t // 1_000_000, t % 1_000_000, len(frame), len(frame)))
        self.f.write(frame)
        self.sent += len(frame)

    def checksummed(self, src, dst, version, protocol, segment, at):
        s = sum(struct.unpack("!4H", src.ip4.packed + dst.ip4.packed)) + protocol + len(segment)
        while s >> 16:
            s = (s & 0xFFFF) + (s >> 16)
        return segment[:at] + struct.pack("!H", s) + segment[at + 2:]


def connection(cap, port=11112, mss=BIG):
    return cap.tcp(A, 40000, B, port, at=1.0, mss=mss, step_us=20).open()


def association(c, contexts=None, more=b""):
    contexts = contexts or [(1, d.VERIFICATION, [d.IMPLICIT]), (3, d.CT_IMAGE, [d.IMPLICIT])]
    c.send(A, d.request("CT1", "PACS", contexts, more=more))
    c.send(B, d.accept("CT1", "PACS", [(i, 0, d.IMPLICIT) for i, _, _ in contexts]))


def echo(c, message=9999, context=1):
    c.send(A, d.pdata(context, d.command(d.C_ECHO, d.VERIFICATION, message), True))
    c.send(B, d.pdata(context, d.command(d.C_ECHO | 0x8000, d.VERIFICATION, responded=message, status=0), True))


def harmless(cap):
    c = connection(cap)
    association(c)
    echo(c)


def contexts(cap):
    """128 contexts (all odd ids, PS3.8 9.3.2.2), transfer syntaxes until the request has nearly 256 KiB."""
    c = connection(cap)
    syntaxes = ["1.2.840.10008.1.2.4.%d.%055d" % (50 + i, i) for i in range(24)]
    association(c, [(i, d.VERIFICATION, [d.IMPLICIT] + syntaxes) for i in range(1, 256, 2)])
    echo(c, context=255)


def object_store(cap):
    c = connection(cap)
    association(c)
    c.send(A, d.pdata(3, d.command(d.C_STORE, d.CT_IMAGE, 1, data_set=True, instance="2.25.7"), True))
    pixels = OBJECT_MIB << 20
    head = d.image(d.CT_IMAGE, "2.25.7", pixels=0)[:-8] + struct.pack("<HHI", 0x7FE0, 0x0010, pixels)
    c.send(A, d.pdata(3, head, False, False))
    piece = d.pdata(3, b"\x55\xaa" * (16 << 9), False, False)
    per = len(piece) - 12
    run = piece * 3
    left = pixels
    while left > 3 * per:
        c.packet(0, pcapgen.ACK, run)
        left -= 3 * per
    c.send(A, d.pdata(3, b"\x55" * left, False, True))
    c.send(B, d.pdata(3, d.command(d.C_STORE | 0x8000, d.CT_IMAGE, responded=1, status=0, instance="2.25.7"), True))
    echo(c)


def outstanding(cap):
    """50 operations at once, answered last first."""
    c = connection(cap)
    association(c, more=struct.pack("!BBHHH", 0x53, 0, 4, 50, 50))
    for m in range(1, 51):
        c.send(A, d.pdata(1, d.command(d.C_ECHO, d.VERIFICATION, m), True))
    for m in range(50, 0, -1):
        c.send(B, d.pdata(1, d.command(d.C_ECHO | 0x8000, d.VERIFICATION, responded=m, status=0), True))
    echo(c)


def nesting(cap):
    """100,000 sequences of undefined length, one in the other."""
    c = connection(cap)
    association(c)
    c.send(A, d.pdata(3, d.command(d.C_STORE, d.CT_IMAGE, 1, data_set=True, instance="2.25.7"), True))
    deep = (struct.pack("<HHI", 0x0008, 0x1140, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)) * 100000
    for at in range(0, len(deep), 16000):
        c.send(A, d.pdata(3, deep[at:at + 16000], False, at + 16000 >= len(deep)))
    echo(c)


def unending(cap):
    """A command whose last fragment never comes, in 20,000 of them; the connection is then another's."""
    c = connection(cap)
    association(c)
    piece = d.pdata(1, b"\0" * 12000, True, False)
    for _ in range(20000 // 4):
        c.packet(0, pcapgen.ACK, piece * 4)


def http(cap):
    """1 GiB of zeros in gzip as the body of a FHIR answer, and the next request behind it."""
    c = connection(cap, port=8080)
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"\0" * (1 << 20)
    body = b"".join([z.compress(b'{"resourceType":"Bundle","x":"')] + [z.compress(block) for _ in range(1024)] + [z.flush()])
    get = b"GET /fhir/%s HTTP/1.1\r\nHost: ehr.example.org\r\nAccept: application/fhir+json\r\n\r\n"
    c.send(A, get % b"Patient?_count=1000")
    c.send(B, b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body))
    c.send(B, body)
    c.send(A, get % b"metadata")
    c.send(B, b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 2\r\n\r\n{}")


def hl7(cap):
    """16 MiB in one OBX, and the next message."""
    c = connection(cap, port=2575)
    head = h.VT + h.message(h.msh("ORU^R01", "BIG", "MON", "ICU", "EMR", "HOSP"), "PID|1||CANARY") + b"OBX|1|ED|PDF||^^^Base64^"
    c.send(A, head)
    for _ in range((16 << 20) // BIG):
        c.packet(0, pcapgen.ACK, b"QUJD" * (BIG // 4))
    c.send(A, h.CR + h.FS + h.CR)
    c.send(B, h.mllp(h.ack("A1", "BIG", "EMR", "HOSP", "MON", "ICU")))
    c.send(A, h.mllp(h.message(h.msh("ORU^R01", "NEXT", "MON", "ICU", "EMR", "HOSP"))))


def run(make):
    p = subprocess.Popen([SPANWARD, "replay", "-q", "--show", "observations", "--format", "jsonl", "-"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, bufsize=1 << 20)
    out = []
    reader = threading.Thread(target=lambda: out.append(p.stdout.read()))
    reader.start()
    cap = Stream(p.stdin)
    make(cap)
    p.stdin.close()
    reader.join()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        sys.exit(f"{make.__name__}: exit {p.returncode}")
    seen = [json.loads(line) for line in out[0].splitlines()]
    print(f"{make.__name__:14} {cap.sent:12} bytes {usage.ru_utime + usage.ru_stime:7.2f} s of CPU {usage.ru_maxrss:7} KiB resident"
          f" {len(seen):6} observations")
    return seen, usage.ru_maxrss


def count(seen, **want):
    return sum(all(o.get(k) == v for k, v in want.items()) for o in seen)


def expect(what, got, want):
    if got != want:
        sys.exit(f"{what}: {got}, expected {want}")


_, base = run(harmless)
for make in (contexts, object_store, outstanding, nesting, unending, http, hl7):
    seen, rss = run(make)
    name = make.__name__
    if rss > base + SLACK_KIB:
        sys.exit(f"{name}: {rss} KiB resident, a harmless capture takes {base}")
    if make in (contexts, object_store, nesting, outstanding):
        expect(f"{name}: the echo behind it", count(seen, type="dicom.command", responded_id=9999, paired=True), 1)
    if make is contexts:
        # What an observation holds of their transfer syntaxes is limited, and that is said.
        expect("contexts: told", [len(o["contexts"]) for o in seen if "contexts" in o], [128, 128])
        expect("contexts: the limit", count(seen, type="protocol.malformed", reason="limit"), 1)
    if make is object_store:
        expect("object_store: answered", count(seen, command="C-STORE-RSP", outcome="success", paired=True), 1)
        expect("object_store: malformed", count(seen, type="protocol.malformed"), 0)
    if make is outstanding:
        expect("outstanding: paired", count(seen, command="C-ECHO-RSP", paired=True), 51)
    if make is nesting:
        expect("nesting: said", count(seen, type="protocol.malformed"), 1)
    if make is unending:
        expect("unending: said", count(seen, type="protocol.malformed") > 0, True)
    if make is http:
        expect("http: requests", count(seen, type="http.request"), 2)
        expect("http: answers", count(seen, type="http.response"), 2)
    if make is hl7:
        expect("hl7: messages", [o.get("control_id") for o in seen if o["type"] == "hl7.message"], ["BIG", "NEXT"])
