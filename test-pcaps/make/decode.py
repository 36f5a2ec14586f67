#!/usr/bin/python3
"""decode.py [OUT_DIR] -- makes test-pcaps/decode/*.pcap anew: the same conversation of real programs (../dicom/dcmtk-echo.pcap,
IPv6: ../dicom/dcmjs-echo-ipv6.pcap), each packet in another envelope, in pieces, twice, or beside forged ones. Same bytes
every time. What is read of them must be what is read of the original (tests/envelopes.sh)."""
import os, struct, sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
OUT = sys.argv[1] if len(sys.argv) > 1 else "decode"
H = bytes.fromhex
OUTER_MACS = H("0200000000fe 0200000000fd")


def read(name):
    b, at, packets = open(name, "rb").read(), 24, []
    while at < len(b):
        s, us, n, _ = struct.unpack_from("<IIII", b, at)
        packets.append((s * 1000000 + us, b[at + 16:at + 16 + n]))
        at += 16 + n
    return packets


def write(name, link, packets):
    with open(f"{OUT}/{name}.pcap", "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link))
        for us, b in packets:
            f.write(struct.pack("<IIII", us // 1000000, us % 1000000, len(b), len(b)) + b)


def checksum(b):
    b += b"\0" * (len(b) % 2)
    total = sum(struct.unpack(f"!{len(b) // 2}H", b))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_sum(header):
    return header[:10] + struct.pack("!H", checksum(header[:10] + b"\0\0" + header[12:])) + header[12:]


def ip4(proto, body, number=[0]):
    number[0] += 1
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number[0] & 0xFFFF, 0, 63, proto, 0)
    return with_sum(head + H("c6336401 c6336402")) + body


def udp(port, body, source=49000):
    return ip4(17, struct.pack("!HHHH", source, port, 8 + len(body), 0) + body)


def eth(kind, body):
    return OUTER_MACS + struct.pack("!H", kind) + body


def ip_of(frame):
    total = struct.unpack_from("!H", frame, 16)[0] if frame[12:14] == b"\x08\0" else 40 + struct.unpack_from("!H", frame, 18)[0]
    return frame[14:14 + total]


def kind_of(frame):
    return frame[12:14]


def ppp_kind(frame):
    return b"\0\x21" if kind_of(frame) == b"\x08\0" else b"\0\x57"


def tagged(frame, vlan, kind=0x8100):
    return frame[:12] + struct.pack("!HH", kind, vlan) + frame[12:]


def wlan(frame, swapped=False, qos=False):
    control = b"\x88\x01" if qos else b"\x08\x01"
    return ((control[::-1] if swapped else control) + H("0000 020000000099") + frame[6:12] + frame[:6] + H("0000") +
            (H("0000") if qos else b"") + H("aaaa03 000000") + frame[12:])


def l2tp2(frame):
    body = H("ff03") + ppp_kind(frame) + ip_of(frame)
    return udp(1701, struct.pack("!HHHH", 0x4002, 8 + len(body), 7, 9) + body, 1701)


ENVELOPES = {
    "mpls-ip": (1, lambda f: eth(0x8847, H("00010040 00020140") + ip_of(f))),
    "mpls-pseudowire": (1, lambda f: eth(0x8847, H("00010140 00000000") + f)),
    "mpls-pseudowire-plain": (1, lambda f: eth(0x8847, H("00010140") + f)),
    "pppoe": (1, lambda f: eth(0x8864, struct.pack("!BBHH", 0x11, 0, 5, 2 + len(ip_of(f))) + ppp_kind(f) + ip_of(f))),
    "gre": (1, lambda f: eth(0x800, ip4(47, H("0000") + kind_of(f) + ip_of(f)))),
    "gre-key-sequence": (1, lambda f: eth(0x800, ip4(47, H("3000") + kind_of(f) + H("00000009 00000001") + ip_of(f)))),
    "pptp": (1, lambda f: eth(0x800, ip4(47, struct.pack("!HHHHI", 0x3001, 0x880B, 4 + len(ip_of(f)), 3, 4) + H("ff03") +
                                         ppp_kind(f) + ip_of(f)))),
    "erspan1": (1, lambda f: eth(0x800, ip4(47, H("0000 88be") + f))),
    "erspan2": (1, lambda f: eth(0x800, ip4(47, H("1000 88be 00000001 1014 0001 00000002") + f))),
    "erspan3": (1, lambda f: eth(0x800, ip4(47, H("1000 22eb 00000001 2014 0001 00000002 0000 0000") + f))),
    "vxlan": (1, lambda f: eth(0x800, udp(4789, H("08000000 00007b00") + f))),
    "geneve": (1, lambda f: eth(0x800, udp(6081, H("0240 6558 00007b00 0102 80 01 00000000") + f))),
    "ip-in-ip": (1, lambda f: eth(0x800, ip4(4 if kind_of(f) == b"\x08\0" else 41, ip_of(f)))),
    "gtp": (1, lambda f: eth(0x800, udp(2152, struct.pack("!BBHI", 0x30, 255, len(ip_of(f)), 77) + ip_of(f), 2152))),
    "capwap": (1, lambda f: eth(0x800, udp(5247, H("00 1043 00 0000 0000") + wlan(f)))),
    "capwap-swapped": (1, lambda f: eth(0x800, udp(5247, H("00 1043 00 0000 0000") + wlan(f, swapped=True)))),
    "l2tp2": (1, lambda f: eth(0x800, l2tp2(f))),
    "l2tp3": (1, lambda f: eth(0x800, ip4(115, H("00000005 11223344") + f))),
    "qinq": (1, lambda f: tagged(tagged(f, 5), 100, 0x88A8)),
    "priority-tag": (1, lambda f: tagged(f, 0xE000)),
    "vxlan-in-erspan": (1, lambda f: eth(0x800, ip4(47, H("1000 88be 00000001 1014 0001 00000002") +
                                                    eth(0x800, udp(4789, H("08000000 00007b00") + f))))),
    "link-ppp": (9, lambda f: H("ff03") + ppp_kind(f) + ip_of(f)),
    "link-cisco-hdlc": (104, lambda f: H("0f00") + kind_of(f) + ip_of(f)),
    "link-wlan": (105, lambda f: wlan(f)),
    "link-radiotap": (127, lambda f: H("0000 0900 02000000 10") + wlan(f, qos=True) + H("01020304")),
}

echo, echo6 = read("dicom/dcmtk-echo.pcap"), read("dicom/dcmjs-echo-ipv6.pcap")
for name, (link, wrap) in ENVELOPES.items():
    write(name, link, [(us, wrap(f)) for us, f in echo])
write("6in4", 1, [(us, ENVELOPES["ip-in-ip"][1](f)) for us, f in echo6])


def pieces4(ip, n, first_id):
    """In fragments of n bytes; the identification of each packet is its own."""
    body, out = ip[20:], []
    for at in range(0, len(body), n):
        more = at + n < len(body)
        head = ip[:2] + struct.pack("!HHH", 20 + len(body[at:at + n]), first_id, (more << 13) | at // 8) + ip[8:20]
        out.append(with_sum(head) + body[at:at + n])
    return out


def pieces6(ip, n, number):
    body, out = ip[40:], []
    for at in range(0, len(body), n):
        more = at + n < len(body)
        part = struct.pack("!BBHI", ip[6], 0, at | more, number) + body[at:at + n]
        out.append(ip[:4] + struct.pack("!HB", len(part), 44) + ip[7:40] + part)
    return out


def fragmented(packets, split, order=lambda x: x):
    out = []
    for i, (us, f) in enumerate(packets):
        out += [(us, f[:14] + p) for p in order(split(ip_of(f), 24, 1000 + i))]
    return out


write("fragments4", 1, fragmented(echo, pieces4))
write("fragments6", 1, fragmented(echo6, pieces6))
write("fragments4-reversed-twice", 1, fragmented(echo, pieces4, lambda x: [p for p in reversed(x) for _ in (0, 1)]))
# A mirror's tunnel whose own packets were too long for the way.
write("erspan2-fragments", 1, [(us, eth(0x800, p)) for i, (us, f) in enumerate(echo)
                               for p in pieces4(ip_of(ENVELOPES["erspan2"][1](f)), 64, 2000 + i)])


# A copy of the second fragment with other bytes between them: too late in IPv4, the end of the datagram in IPv6.
def forged(x):
    return x[:1] + [x[0][:-8] + b"FORGERY!"] + x[1:] if len(x) > 1 else x


write("fragments4-conflict", 1, fragmented(echo, pieces4, forged))
write("fragments6-overlap", 1, fragmented(echo6, pieces6, forged))


def routed(frame):
    """The same packet behind a router: other hardware addresses, one hop less, another VLAN."""
    head = frame[14:34]
    head = with_sum(head[:8] + bytes([head[8] - 1]) + head[9:])
    return tagged(OUTER_MACS + frame[12:14] + head + frame[34:], 30)


write("router-both-sides", 1, [x for us, f in echo for x in ((us, f), (us + 40, routed(f)))])
write("two-ports", 1, [x for us, f in echo6 for x in ((us, f), (us + 9, f))])


# Before each segment with data another one of the same place, with a checksum that nobody would take.
def inserted(frame):
    offset = 34 + (frame[46] >> 4) * 4
    return frame[:18] + b"\xee\xee" + frame[20:24] + struct.pack("!H", 0) + frame[26:offset] + b"\xff" * (len(frame) - offset)


def has_data(frame):
    return len(ip_of(frame)) > 20 + (frame[46] >> 4) * 4


# Not before the first of a direction: only what it shows says that its sender's checksums are to be right (checksum.h).
first_data = {f[26:38]: us for us, f in reversed(echo) if has_data(f)}
write("inserted-wrong-checksum", 1, [x for us, f in echo
                                     for x in (((us - 1, inserted(f)),) if has_data(f) and us != first_data[f[26:38]] else ()) + ((us, f),)])


# Sent by hosts whose cards fill in the checksum: the sum of the pseudo-header stands there.
def offloaded(frame):
    ip = ip_of(frame)
    pseudo = ip[12:20] + struct.pack("!HH", 6, len(ip) - 20)
    return frame[:50] + struct.pack("!H", ~checksum(pseudo) & 0xFFFF) + frame[52:]


write("offloaded", 1, [(us, offloaded(f)) for us, f in echo])


# A SYN and a datagram that nobody takes, and what the hosts say to that; SCTP; LLDP and CDP.
def unreachable(frame, code):
    ip = ip_of(frame)
    body = struct.pack("!BBHI", 3, code, 0, 0) + ip[:28]
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 7, 0, 64, 1, 0) + ip[16:20] + ip[12:16]
    return frame[6:12] + frame[:6] + b"\x08\0" + with_sum(head) + body


start, syn = echo[0]
question = syn[:14] + with_sum(syn[14:16] + struct.pack("!H", 20 + 8 + 16) + syn[18:23] + b"\x11" + syn[24:34]) + \
    struct.pack("!HHHH", 40000, 5000, 24, 0) + b"is anybody there"
sctp = syn[:14] + with_sum(syn[14:16] + struct.pack("!H", 20 + 12) + syn[18:23] + bytes([132]) + syn[24:34]) + \
    struct.pack("!HHII", 40000, 2905, 7, 0)
lldp = H("0180c200000e 020000000001 88cc") + H("0207 04 020000000001 0403 07 3137 0602 0078 0000").ljust(46, b"\0")
cdp = H("01000ccccccc 020000000001 0020 aaaa03 00000c 2000 02b4 0000").ljust(60, b"\0")
write("refusals", 1, [(start, syn), (start + 200, unreachable(syn, 13)), (start + 1000, question), (start + 1200, unreachable(question, 3)),
                      (start + 2000, sctp), (start + 3000, lldp), (start + 4000, cdp)])
