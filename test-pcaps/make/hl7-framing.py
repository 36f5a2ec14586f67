"""hl7-framing.py OUT_DIR -- makes test-pcaps/hl7/framing-*.pcap: MLLP as it is really sent, one deviation each, and what a
tap sees that came late or lost bytes. Written by pcapgen.py, so the same bytes every time. Names are canaries."""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hl7gen import CR, FS, VT, ack, message, mllp, msh
from pcapgen import ACK, PSH, SYN, Capture, Host
import tlsgen

client = Host("02:00:00:00:00:10", "192.0.2.10", "2001:db8::10")
server = Host("02:00:00:00:00:20", "192.0.2.20", "2001:db8::20")
out = sys.argv[1]


def adt(i):
    return message(msh("ADT^A01^ADT_A01", f"ADT{i:04d}", "HIS", "HOSP", "ENGINE", "HOSP"), "EVN|A01|20261122090000",
                   "PID|1||TESTID-4^^^HOSP^PI||TESTCANARY^GAMMA", "PV1|1|I|5E^501^1")


def answer(i, code="AA"):
    return ack(f"ACK{i:04d}", f"ADT{i:04d}", "ENGINE", "HOSP", "HIS", "HOSP", code, kind="ACK^A01^ACK")


def case(name, *turns, port=6661, version=4, mss=1448, end=True):
    """turns: (who, bytes) in order."""
    cap = Capture("2026-11-22T09:00:00Z")
    c = cap.tcp(client, 50000, server, port, 1.0, version, mss).open()
    for who, data in turns:
        c.send(who, data).wait(0.01)
    if end:
        c.close()
    cap.write(os.path.join(out, f"framing-{name}.pcap"))


case("fs-cr-lf", (client, mllp(adt(1)) + b"\n" + mllp(adt(2)) + b"\n"), (server, mllp(answer(1)) + b"\n"),
     (server, mllp(answer(2)) + b"\n"))
case("nul-and-blanks", (client, b"\0\0" + mllp(adt(1)) + b" \0\r\n" + mllp(adt(2))), (server, mllp(answer(1))),
     (server, mllp(answer(2))))
case("vt-alone", (client, VT), (client, adt(1) + FS + CR), (server, VT), (server, answer(1) + FS + CR))
case("fs-without-cr", (client, VT + adt(1) + FS), (server, VT + answer(1) + FS), (client, VT + adt(2) + FS),
     (server, VT + answer(2) + FS))
case("lost-terminator", (client, VT + adt(1)), (client, mllp(adt(2))), (server, mllp(answer(2))))
case("unframed", (client, adt(1)), (server, answer(1)), (client, adt(2)), (server, answer(2)))
case("lf-segments", (client, mllp(adt(1).replace(b"\r", b"\n"))), (server, mllp(answer(1).replace(b"\r", b"\r\n"))))
case("several-at-once", (client, mllp(adt(1)) + mllp(adt(2)) + mllp(adt(3))),
     (server, mllp(answer(1)) + mllp(answer(2, "AE")) + mllp(answer(3, "AR"))))
case("commit-blocks", (client, mllp(adt(1))), (server, b"\x0b\x06\x1c\r"), (server, mllp(answer(1))), (client, b"\x0b\x06\x1c\r"),
     (client, mllp(adt(2))), (server, b"\x0b\x15\x1c\r"))
case("hllp", (client, VT + b"D22\r" + adt(1) + b"00175" + b"042" + FS + CR),
     (server, VT + b"D22\r" + answer(1) + b"00100" + b"017" + FS + CR))
case("batch", (client, mllp(b"FHS|^~\\&|HIS|HOSP\rBHS|^~\\&|HIS|HOSP\r" + adt(1) + adt(2) + b"BTS|2\rFTS|1\r")),
     (server, mllp(answer(1)) + mllp(answer(2))))
case("other-delimiters", (client, mllp(adt(1).translate(bytes.maketrans(b"|^~\\&", b"#$*!%")))),
     (server, mllp(answer(1))))
case("long-65k", (client, mllp(adt(1) + b"OBX|1|ED|DOC||" + b"QUJD" * 18000 + CR)), (server, mllp(answer(1))),
     (client, mllp(adt(2))), (server, mllp(answer(2))))
case("one-byte-segments", (client, mllp(adt(1))), (server, mllp(answer(1))), mss=1)
case("ipv6-port-80", (client, mllp(adt(1))), (server, mllp(answer(1))), port=80, version=6)
case("never-closed", (client, mllp(adt(1))), (server, mllp(answer(1))), (client, adt(2)), end=False)

# TLS on the usual port: nothing of HL7 may be seen.
cap = Capture("2026-11-22T09:00:00Z")
c = cap.tcp(client, 50000, server, 2575, 1.0).open()
tlsgen.session(c, client, server, "hl7 in tls").close()
cap.write(os.path.join(out, "framing-tls.pcap"))

# The tap came late: the rest of a message, then whole ones.
cap = Capture("2026-11-22T09:00:00Z")
c = cap.tcp(client, 50000, server, 6661, 1.0)
c.send(client, mllp(adt(1))[150:]).send(server, mllp(answer(1))).send(client, mllp(adt(2))).send(server, mllp(answer(2)))
c.close()
cap.write(os.path.join(out, "framing-midstream.pcap"))

# The tap lost a segment in the middle of the second message. Nothing is answered after it: when a hole counts as lost
# depends on how much came behind it, and with answers between, so would the order of the two directions.
cap = Capture("2026-11-22T09:00:00Z")
c = cap.tcp(client, 50000, server, 6661, 1.0).open()
c.send(client, mllp(adt(1))).send(server, mllp(answer(1)))
m = mllp(adt(2))
c.packet(0, ACK, m[:60])
c.seq[0] += 60                  # sent, and never captured
c.packet(0, ACK | PSH, m[120:])
c.packet(1, ACK)
c.send(client, mllp(adt(3))).send(client, mllp(adt(4))).close()
cap.write(os.path.join(out, "framing-loss.pcap"))

# Segments out of order, one twice, two that overlap.
cap = Capture("2026-11-22T09:00:00Z")
c = cap.tcp(client, 50000, server, 6661, 1.0).open()
m, base = mllp(adt(1)), c.seq[0]
for first, last in ((60, 120), (0, 60), (0, 60), (100, 150), (150, len(m))):
    c.packet(0, ACK | PSH, m[first:last], seq=base + first)
c.seq[0] = base + len(m)
c.packet(1, ACK)
c.send(server, mllp(answer(1))).close()
cap.write(os.path.join(out, "framing-reordered.pcap"))

# Data on the SYN itself (RFC 9293, 3.4 allows it), as some generators write it.
cap = Capture("2026-11-22T09:00:00Z")
c = cap.tcp(client, 50000, server, 2575, 1.0)
c.packet(0, SYN, adt(1)[:-1], options=struct.pack("!BBH", 2, 4, 1448))
cap.write(os.path.join(out, "framing-on-syn.pcap"))
