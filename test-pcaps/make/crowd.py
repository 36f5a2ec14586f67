"""crowd.py OUT.pcap -- more than small budgets can hold: 3000 concurrent flows (HL7, DICOM, bytes of no protocol, half-open
probes), with reordering, loss, overlaps and retransmissions. Deterministic; not committed, made by the tests."""
import heapq
import random
import struct
import sys

rnd = random.Random(20261122)
T0 = 1_790_000_000


def packet(src, dst, sport, dport, seq, ack, flags, data=b""):
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp) + len(data), 0, 0x4000, 64, 6, 0, src, dst)
    return b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00" + ip + tcp + data


def hl7(i):
    msg = f"MSH|^~\\&|APP{i % 7}|FAC|ENGINE|HOSP|20261122120000||ADT^A01|ID{i}|P|2.5\rEVN|A01\r"
    ack = f"MSH|^~\\&|ENGINE|HOSP|APP{i % 7}|FAC|20261122120001||ACK^A01|R{i}|P|2.5\rMSA|AA|ID{i}\r"
    return b"\x0b" + msg.encode() + b"\x1c\x0d", b"\x0b" + ack.encode() + b"\x1c\x0d"


def item(kind, body):
    return struct.pack(">BBH", kind, 0, len(body)) + body


def dicom():
    context = item(0x20, b"\x01\0\0\0" + item(0x30, b"1.2.840.10008.1.1") + item(0x40, b"1.2.840.10008.1.2"))
    accepted = item(0x21, b"\x01\0\0\0" + item(0x40, b"1.2.840.10008.1.2"))
    user = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3"))
    head = struct.pack(">HH16s16s32x", 1, 0, b"PACS".ljust(16), b"CROWD".ljust(16)) + item(0x10, b"1.2.840.10008.3.1.1.1")

    def pdu(kind, body):
        return struct.pack(">BBI", kind, 0, len(body)) + body
    return pdu(1, head + context + user), pdu(2, head + accepted + user)


flows = []
for i in range(3000):
    src, dst = bytes([10, 5, i >> 8, i & 255]), bytes([10, 6, 0, 1 + i % 9])
    sport, t = 20000 + i % 40000, rnd.random() * 8
    kind = i % 5
    out = []
    isn, rsn = rnd.getrandbits(32), rnd.getrandbits(32)
    dport = (2575, 104, 4000 + i % 50, 22 + i % 1000, 2575)[kind]
    out.append((t, packet(src, dst, sport, dport, isn, 0, 2)))
    if kind == 3:
        flows.append(out)
        continue
    out.append((t + .001, packet(dst, src, dport, sport, rsn, isn + 1, 0x12)))
    a, b = hl7(i) if kind in (0, 4) else dicom() if kind == 1 else (rnd.randbytes(3000), rnd.randbytes(500))
    if kind == 4:
        a = a * 40
    for way, (data, s, d, sp, dp, base, other) in enumerate(((a, src, dst, sport, dport, isn + 1, rsn + 1),
                                                            (b, dst, src, dport, sport, rsn + 1, isn + 1))):
        step = rnd.choice((1, 50, 536, 1448)) if len(data) < 400 else rnd.choice((200, 536, 1448))
        parts = [(x, data[x:x + step]) for x in range(0, len(data), step)]
        if i % 3 == 0:
            rnd.shuffle(parts)
        if i % 11 == 0 and len(parts) > 2:
            parts.pop(1)
        if i % 13 == 0:
            parts.append((0, data[:step + 3]))
        if i % 17 == 0:
            parts.append((0, bytes(c ^ 1 for c in data[:step])))
        for n, (x, p) in enumerate(parts):
            out.append((t + .01 + way * 5 + n * .07, packet(s, d, sp, dp, base + x, other, 0x18, p)))
    if i % 2:
        out.append((t + 12, packet(src, dst, sport, dport, isn + 1 + len(a), rsn + 1 + len(b), 0x11)))
        out.append((t + 12.01, packet(dst, src, dport, sport, rsn + 1 + len(b), isn + 2 + len(a), 0x11)))
    elif i % 7 == 0:
        out.append((t + 12, packet(src, dst, sport, dport, isn + 1 + len(a), 0, 4)))
    flows.append(out)

with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    for t, p in heapq.merge(*(sorted(o, key=lambda r: r[0]) for o in flows), key=lambda r: r[0]):
        f.write(struct.pack("<IIII", T0 + int(t), int(t % 1 * 1e6), len(p), len(p)) + p)
