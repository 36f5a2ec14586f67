"""bulk.py OUT.pcap MEGABYTES -- large C-STORE transfers, as a modality sends them: 8 associations, 16 KiB PDUs, 1448-byte
segments, an ACK for every second one. Deterministic; not committed, made by ./dev bench."""
import random
import struct
import sys

rnd = random.Random(7)
want = int(sys.argv[2]) * 1_000_000
noise = rnd.randbytes(1 << 20)


def packet(src, dst, sport, dport, seq, ack, flags, data=b""):
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0x4000, 64, 6, 0, src, dst)
    return b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00" + ip + tcp + data


def item(kind, body):
    return struct.pack(">BBH", kind, 0, len(body)) + body


def pdu(kind, body):
    return struct.pack(">BBI", kind, 0, len(body)) + body


def element(tag, body):
    body += b"\0" * (len(body) % 2)
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(body)) + body


CT = b"1.2.840.10008.5.1.4.1.1.2"
HEAD = struct.pack(">HH16s16s32x", 1, 0, b"PACS".ljust(16), b"CT".ljust(16)) + item(0x10, b"1.2.840.10008.3.1.1.1")
USER = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3"))
RQ = pdu(1, HEAD + item(0x20, b"\x01\0\0\0" + item(0x30, CT) + item(0x40, b"1.2.840.10008.1.2")) + USER)
AC = pdu(2, HEAD + item(0x21, b"\x01\0\0\0" + item(0x40, b"1.2.840.10008.1.2")) + USER)


def command(code, number):
    body = element(2, CT) + element(0x100, struct.pack("<H", code))
    body += element(0x110 if code < 0x8000 else 0x120, struct.pack("<H", number & 0xFFFF))
    body += element(0x800, struct.pack("<H", 0 if code < 0x8000 else 0x101))
    if code >= 0x8000:
        body += element(0x900, b"\0\0")
    body = element(0, struct.pack("<I", len(body))) + body
    return pdu(4, struct.pack(">IBB", len(body) + 2, 1, 3) + body)


def image(number, size):
    out = [command(1, number)]
    left = size
    while left:
        n = min(left, 16384 - 6)
        left -= n
        at = rnd.randrange(len(noise) - n)
        out.append(pdu(4, struct.pack(">IBB", n + 2, 1, 0 if left else 2) + noise[at:at + n]))
    return b"".join(out)


made, t, number = 0, 0, 0
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))

    def put(p):
        global made, t
        f.write(struct.pack("<IIII", 1_790_000_000 + t // 1_000_000, t % 1_000_000, len(p), len(p)) + p)
        made += len(p) + 16
        t += 12
    flows = [(bytes([10, 7, 0, i]), bytes([10, 8, 0, 1]), 30000 + i, [1, 1]) for i in range(8)]

    def send(fl, way, data):
        a, b, port, seq = fl
        for n, x in enumerate(range(0, len(data), 1448)):
            part = data[x:x + 1448]
            ends = (a, b, port, 104) if way == 0 else (b, a, 104, port)
            put(packet(*ends, seq[way], seq[1 - way], 0x18, part))
            seq[way] += len(part)
            if n % 2:
                back = (b, a, 104, port) if way == 0 else (a, b, port, 104)
                put(packet(*back, seq[1 - way], seq[way], 0x10))
    for fl in flows:
        put(packet(fl[0], fl[1], fl[2], 104, 0, 0, 2))
        put(packet(fl[1], fl[0], 104, fl[2], 0, 1, 0x12))
        send(fl, 0, RQ)
        send(fl, 1, AC)
    while made < want:
        for fl in flows:
            number += 1
            send(fl, 0, image(number, 524_288))
            send(fl, 1, command(0x8001, number))
