#!/usr/bin/env python3
"""guess.py -- protocols that no recogniser of ours knows and nDPI may: test-pcaps/guess/unknown.pcap. Made-up hosts, the same bytes
every time. Some must not be named: DICOM on DNP3's port is DICOM, what nobody knows stays unknown, and nDPI 4.2 does not know this
beginning of PostgreSQL, whose server declines TLS.

Usage: test-pcaps/make/guess.py
"""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(__file__))
from pcapgen import Capture, Host
from services import CLIENT, SERVER, TOP

CAP = Capture()
at = 1.0
FLOWS = []


def stream(port, *parts, version=4):
    global at
    c = CAP.tcp(CLIENT, 41000 + len(FLOWS), SERVER, port, at, version)
    c.open()
    for direction, data in parts:
        c.send(SERVER if direction else CLIENT, data)
    c.close()
    FLOWS.append(port)
    at += 1


def datagrams(port, *parts):
    global at
    for direction, data in parts:
        a, b = ((CLIENT, 40000), (SERVER, port)) if direction == 0 else ((SERVER, port), (CLIENT, 40000))
        CAP.udp(a[0], a[1], b[0], b[1], data, at, 4)
        at += 0.01
    FLOWS.append(port)
    at += 1


MQTT = (0, bytes.fromhex("100f00044d5154540402003c0003") + b"abc"), (1, bytes.fromhex("20020000"))
stream(1883, *MQTT)
stream(1883, *MQTT, version=6)
pg = struct.pack("!II", 0, 196608) + b"user\0worklist\0database\0ris\0\0"
stream(5432, (0, struct.pack("!II", 8, 80877103)), (1, b"N"), (0, struct.pack("!I", len(pg)) + pg[4:]),
       (1, b"R" + struct.pack("!II", 8, 0)))
stream(502, (0, bytes.fromhex("000100000006010300000002")), (1, bytes.fromhex("000100000007010304000a000b")))
stream(6379, (0, b"*1\r\n$4\r\nPING\r\n"), (1, b"+PONG\r\n"), (0, b"*2\r\n$3\r\nGET\r\n$1\r\nx\r\n"), (1, b"$-1\r\n"))
datagrams(5060, (0, b"OPTIONS sip:pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:40000\r\nMax-Forwards: 70\r\n\r\n"),
          (1, b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.10:40000\r\n\r\n"))
datagrams(69, (0, b"\0\1boot.img\0octet\0"), (1, b"\0\3\0\1" + bytes(512)))
stream(20000, (0, b"\x05\x64\x05\xc0\x01\x00\x00\x04\xe9\x21"), (1, b"\x05\x64\x05\x00\x00\x04\x01\x00\x19\xa6"))
# An association request, whose first bytes are a frame of Cassandra's to nDPI 4.2.
ctx = b"\x20\0\0\x2e\1\0\0\0" + b"\x30\0\0\x11" + b"1.2.840.10008.1.1" + b"\x40\0\0\x11" + b"1.2.840.10008.1.2"
rq = b"\0\1\0\0" + b"PACS".ljust(16) + b"CT1".ljust(16) + bytes(32) + b"\x10\0\0\x15" + b"1.2.840.10008.3.1.1.1" + ctx
stream(20000, (0, b"\1\0" + struct.pack("!I", len(rq)) + rq))
stream(4700, (0, b"\xee\xff" * 20), (1, b"\xdd\xcc" * 20))
# More payloads than nDPI is shown of one flow.
stream(4701, *[(i & 1, bytes([0xe0 + i]) * 9) for i in range(14)])
CAP.write(os.path.join(TOP, "test-pcaps", "guess", "unknown.pcap"))
