#!/usr/bin/python3
"""peer-failures.py [OUT_DIR] -- well-formed DICOM that other programs do not see, and bytes that they take for DICOM.

Makes OUT_DIR (test-pcaps/dicom)/peers-*.pcap; what each program makes of them: tests/peer_failures.tsv."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dicomgen as d  # noqa: E402
import pcapgen  # noqa: E402

out = sys.argv[1] if len(sys.argv) > 1 else "test-pcaps/dicom"
CT = pcapgen.Host("02:00:5e:00:53:01", "192.0.2.10", "2001:db8::10")
PACS = pcapgen.Host("02:00:5e:00:53:02", "192.0.2.20", "2001:db8::20")
RQ = d.request("CT1", "PACS", [(1, d.VERIFICATION, [d.IMPLICIT])])
AC = d.accept("CT1", "PACS", [(1, 0, d.IMPLICIT)])
ECHO = d.pdata(1, d.command(d.C_ECHO, d.VERIFICATION, 1), True)
ECHOED = d.pdata(1, d.command(d.C_ECHO | 0x8000, d.VERIFICATION, responded=1, status=0), True)


def case(name, talk, port=4006, version=4):
    cap = pcapgen.Capture()
    c = cap.tcp(CT, 50001, PACS, port, at=1.0, version=version).open()
    talk(c)
    c.close(CT)
    cap.write(f"{out}/peers-{name}.pcap")


def rest(c, request=RQ):
    c.send(CT, request)
    c.send(PACS, AC)
    c.send(CT, ECHO)
    c.send(PACS, ECHOED)
    c.send(CT, d.release_request())
    c.send(PACS, d.release_response())


def split(c):
    """The first segment ends before byte 10 of the request: no header to test on it."""
    c.send(CT, RQ[:5])
    rest(c, RQ[5:])


def version_3(c):
    """Bit 0 of the protocol version is version 1; the others are to be ignored (PS3.8 9.3.2)."""
    rest(c, RQ[:6] + b"\x00\x03" + RQ[8:])


def pipelined(c):
    """The first message in the segment of the request, before the accept."""
    c.send(CT, RQ + ECHO)
    c.send(PACS, AC + ECHOED)
    c.send(CT, d.release_request())
    c.send(PACS, d.release_response())


def tail(c):
    """A segment that ends exactly six bytes into the next PDU."""
    c.send(CT, RQ)
    c.send(PACS, AC)
    both = ECHO + ECHO
    c.send(CT, both[:len(ECHO) + 6])
    c.send(CT, both[len(ECHO) + 6:])
    c.send(PACS, ECHOED + ECHOED)
    c.send(CT, d.release_request())
    c.send(PACS, d.release_response())


def midstream(c):
    c.send(CT, ECHO)
    c.send(PACS, ECHOED)
    c.send(CT, d.release_request())
    c.send(PACS, d.release_response())


def junk(c):
    """Ten bytes that look like the head of a request, and noise."""
    c.send(CT, b"\x01\x00\x00\x00\x10\x00\x00\x01\x00\x00" + bytes((i * 167 + 13) & 255 for i in range(900)))
    c.send(PACS, b"\x15\x00 no such command\r\n")


def http(c):
    """A request of a web client that lands on DICOM's port, whose server hangs up."""
    c.send(CT, b"GET / HTTP/1.1\r\nHost: pacs.example.org\r\n\r\n")


case("split-request", split)
case("version-3", version_3)
case("pipelined", pipelined)
case("segment-ends-in-header", tail)
case("midstream", midstream)
case("ipv6", rest, version=6)
case("any-port", rest)
case("junk", junk)
case("http", http, port=104)
