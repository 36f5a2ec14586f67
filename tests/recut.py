"""recut.py -- cuts every TCP payload of a capture into segments of N bytes, leaving all else as it is.

usage: recut.py N IN OUT     (IN: pcap or pcapng, one link type; OUT: pcap, nanoseconds)
Exit 3 when the capture cannot be recut (mixed link types, not a capture). resegment.py uses it as a module.
"""
import struct
import sys


def read(path):
    data = open(path, "rb").read()
    if data[:2] == b"\x1f\x8b":
        import gzip
        data = gzip.decompress(data)
    magic = data[:4]
    kinds = {b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\xc3\xd4": (">", 1000),
             b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1)}
    if magic in kinds:
        e, unit = kinds[magic]
        link = struct.unpack_from(e + "I", data, 20)[0] & 0xFFFF
        at = 24
        while at + 16 <= len(data):
            sec, sub, cap, wire = struct.unpack_from(e + "IIII", data, at)
            at += 16
            if at + cap > len(data):
                break
            yield link, sec * 10**9 + sub * unit, wire, data[at:at + cap]
            at += cap
        return
    if magic != b"\x0a\x0d\x0d\x0a":
        return
    at, e, ifs = 0, "<", []
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            e, ifs = ("<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"), []
        kind, size = struct.unpack_from(e + "II", data, at)
        if size < 12 or at + size > len(data):
            break
        body = data[at + 8:at + size - 4]
        if kind == 1:
            link, _, _ = struct.unpack_from(e + "HHI", body, 0)
            resol, offset, o = 10**6, 0, 8
            while o + 4 <= len(body):
                code, n = struct.unpack_from(e + "HH", body, o)
                value = body[o + 4:o + 4 + n]
                if code == 0:
                    break
                if code == 9 and n == 1:
                    resol = 2 ** (value[0] & 127) if value[0] & 128 else 10 ** value[0]
                if code == 14 and n == 8:
                    offset = struct.unpack(e + "q", value)[0]
                o += 4 + (n + 3) // 4 * 4
            ifs.append((link, resol, offset))
        elif kind == 6:
            i, hi, lo, cap, wire = struct.unpack_from(e + "IIIII", body, 0)
            if i < len(ifs):
                link, resol, offset = ifs[i]
                ticks = hi << 32 | lo
                yield link, ticks * 10**9 // resol + offset * 10**9, wire, body[20:20 + cap]
        at += size


def ip_at(link, p):
    """Offset of the IP header, None when there is none that we know."""
    if link == 1:
        at = 12
        while at + 4 <= len(p) and p[at:at + 2] in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
            at += 4
        return at + 2 if p[at:at + 2] in (b"\x08\x00", b"\x86\xdd") else None
    if link in (0, 108):
        return 4
    if link in (12, 14, 101, 228, 229):
        return 0
    if link == 113:
        return 16 if p[14:16] in (b"\x08\x00", b"\x86\xdd") else None
    if link == 276:
        return 20 if p[0:2] in (b"\x08\x00", b"\x86\xdd") else None
    return None


def offloaded(p, ip, tcp_bytes):
    """What systems leave for their cards to complete: the sum of the pseudo-header (RFC 9293, 3.1), in place of a checksum."""
    addresses = p[ip + 12:ip + 20] if p[ip] >> 4 == 4 else p[ip + 8:ip + 40]
    s = sum(struct.unpack(">%dH" % (len(addresses) // 2), addresses)) + 6 + tcp_bytes
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return s


def cut(link, wire, p, n):
    """The packet as a list of packets."""
    ip = ip_at(link, p)
    if ip is None or wire != len(p) or len(p) < ip + 20:
        return [p]
    v = p[ip] >> 4
    if v == 4:
        head = (p[ip] & 15) * 4
        total = struct.unpack_from(">H", p, ip + 2)[0]
        if p[ip + 9] != 6 or struct.unpack_from(">H", p, ip + 6)[0] & 0x3FFF or total < head:
            return [p]
        tcp, end = ip + head, ip + total
    elif v == 6:
        if p[ip + 6] != 6:
            return [p]
        tcp, end = ip + 40, ip + 40 + struct.unpack_from(">H", p, ip + 4)[0]
    else:
        return [p]
    if end > len(p) or tcp + 20 > end:
        return [p]
    doff = (p[tcp + 12] >> 4) * 4
    data = p[tcp + doff:end]
    if doff < 20 or tcp + doff > end or len(data) <= n:
        return [p]
    seq, flags = struct.unpack_from(">I", p, tcp + 4)[0], p[tcp + 13]
    out = []
    for at in range(0, len(data), n):
        piece = data[at:at + n]
        first, last = at == 0, at + n >= len(data)
        q = bytearray(p[:tcp + doff])
        f = flags & ~(0 if first else 0x02) & ~(0 if last else 0x09)
        q[tcp + 13] = f
        struct.pack_into(">I", q, tcp + 4, (seq + at + (1 if flags & 2 and not first else 0)) & 0xFFFFFFFF)
        struct.pack_into(">H", q, tcp + 16, offloaded(p, ip, doff + len(piece)))
        if v == 4:
            struct.pack_into(">H", q, ip + 2, tcp - ip + doff + len(piece))
            struct.pack_into(">H", q, ip + 10, 0)
            s = sum(struct.unpack_from(">%dH" % ((tcp - ip) // 2), q, ip))
            while s >> 16:
                s = (s & 0xFFFF) + (s >> 16)
            struct.pack_into(">H", q, ip + 10, ~s & 0xFFFF)
        else:
            struct.pack_into(">H", q, ip + 4, doff + len(piece))
        out.append(bytes(q) + piece)
    return out


def recut(n, src, dst):
    """Number of segments added; None when the capture cannot be recut (mixed link types, not a capture)."""
    link, made = None, 0
    with open(dst, "wb") as f:
        for l, ts, wire, p in read(src):
            if link is None:
                link = l
                f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link))
            if l != link:
                return None
            pieces = cut(l, wire, p, n)
            made += len(pieces) - 1
            for q in pieces:
                f.write(struct.pack("<IIII", ts // 10**9, ts % 10**9, len(q), max(len(q), wire if len(pieces) == 1 else 0)) + q)
    return made if link is not None else None


if __name__ == "__main__":
    made = recut(int(sys.argv[1]), sys.argv[2], sys.argv[3])
    if made is None:
        sys.exit(3)
    print(made)
