"""cut.py IN.pcap OUT.pcap FIRST LAST [at:N...] -- the frames FIRST to LAST (1-based; 0: to the end) of a capture, without
the segments that carry byte N (from 0) of what the opener of the first connection sends: what a tap sees that came
late or lost frames. Ethernet, IPv4 and TCP only, as net.sh makes them."""
import struct
import sys

data = open(sys.argv[1], "rb").read()
order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
first, last = int(sys.argv[3]), int(sys.argv[4]) or 1 << 30
lost = [int(arg.split(":")[1]) for arg in sys.argv[5:]]
out, at, number, opener = [data[:24]], 24, 0, None
while at < len(data):
    size = 16 + struct.unpack_from(order + "I", data, at + 8)[0]
    frame, record = data[at + 16:at + size], data[at:at + size]
    at, number = at + size, number + 1
    tcp = 14 + 4 * (frame[14] & 15)
    seq, flags = struct.unpack_from(">I", frame, tcp + 4)[0], frame[tcp + 13]
    if opener is None and flags & 2:
        opener, start = frame[26:30] + frame[tcp:tcp + 4], seq + 1
    length = 14 + struct.unpack_from(">H", frame, 16)[0] - tcp - 4 * (frame[tcp + 12] >> 4)
    begin = (seq - start) & 0xFFFFFFFF if opener == frame[26:30] + frame[tcp:tcp + 4] else -1
    if begin >= 0 and any(begin <= n < begin + length for n in lost):
        continue
    if first <= number <= last:
        out.append(record)
open(sys.argv[2], "wb").write(b"".join(out))
