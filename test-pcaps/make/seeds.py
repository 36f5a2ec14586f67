"""seeds.py CAPTURE OUT [BYTES] -- the first TCP conversation with data of a clean capture as a seed of fuzz/dissector.h: who sent
what, in the order captured, at most BYTES of it (64 KiB is what a target reads). For captures without loss or reordering."""
import struct
import sys


def frames(path):
    data = open(path, "rb").read()
    magic = struct.unpack_from("<I", data)[0]
    assert magic in (0xA1B2C3D4, 0xA1B23C4D), "a little-endian pcap"
    link = struct.unpack_from("<I", data, 20)[0]
    assert link == 1, "Ethernet"
    at = 24
    while at + 16 <= len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + n]
        at += 16 + n


def segments(path):
    for f in frames(path):
        kind = struct.unpack_from(">H", f, 12)[0]
        if kind == 0x0800:
            head = (f[14] & 15) * 4
            ip, end, src = f[14:], struct.unpack_from(">H", f, 16)[0], f[26:30]
        elif kind == 0x86DD:
            head, ip, end, src = 40, f[14:], 40 + struct.unpack_from(">H", f, 18)[0], f[22:38]
        else:
            continue
        tcp = ip[head:end]
        sport, dport = struct.unpack_from(">HH", tcp)
        flags = tcp[13]
        yield (src, sport, dport), flags, tcp[(tcp[12] >> 4) * 4:]


def main():
    out, client, room = bytearray(b"\0"), None, int(sys.argv[3]) if len(sys.argv) > 3 else 60000
    for (src, sport, dport), flags, data in segments(sys.argv[1]):
        if client is None and flags & 0x12 == 2:
            client = (src, sport)
        if client is None or not data or client[1] not in (sport, dport):
            continue
        side = 0 if (src, sport) == client else 1
        data = data[:max(0, room - len(out))]
        if data:
            out += struct.pack(">BH", side, len(data)) + data
    open(sys.argv[2], "wb").write(out)
    print(sys.argv[2], len(out))


main()
