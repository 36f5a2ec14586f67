#!/usr/bin/python3
"""overlapping.py [OUT_DIR] -- makes test-pcaps/decode/overlapping.pcap: the same addresses, ports and sequence numbers at the same time in
VLAN 100, in VLAN 200, in VXLAN 5000 and without a tag, with another DICOM echo in each. Same bytes every time.

In each network also a DNS answer in fragments of the same identification, in VLAN 200 alone an attempt that an ICMP error refuses; in
VLAN 100 the same attempt goes on. VLAN 300, whose addresses are its own, has an echo too."""
import os, struct, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dicomgen as dicom  # noqa: E402
from pcapgen import Capture, Host, _sum  # noqa: E402

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "decode")
cap = Capture("2026-11-22T09:00:00Z")


def hosts(number, vlan, net="10.7.0"):
    mac = f"02:00:5e:0{number}:00:"
    return Host(mac + "10", net + ".10", vlan=vlan), Host(mac + "20", net + ".20", vlan=vlan), Host(mac + "01", net + ".1", vlan=vlan)


def echo(cap, ct, pacs, name, echoes=1):
    a = dicom.Association(cap.tcp(ct, 50001, pacs, 11112, at=1.0).open(), ct, pacs, "CT_" + name, "PACS_" + name,
                          {dicom.VERIFICATION: 1})
    for _ in range(echoes):
        a.echo()
    a.release()


def question(cap, client, server, number, at):
    """A DNS question, and its answer in two fragments with the identification 777 (RFC 791, 3.2): refused in another way each time."""
    name = b"\x05store\x07example\0\0\x01\0\x01"
    cap.udp(client, 40000, server, 53, struct.pack("!HHHHHH", 0x1000 + number, 0x0100, 1, 0, 0, 0) + name, at)
    body = struct.pack("!HHHHHH", 0x1000 + number, 0x8180 + number, 1, 0, 0, 0) + name
    datagram = struct.pack("!HHHH", 53, 40000, 8 + len(body), 0) + body
    datagram = cap.checksummed(server, client, 4, 17, datagram, 6)
    for start, end in ((0, 24), (24, len(datagram))):
        piece = datagram[start:end]
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(piece), 777, (end < len(datagram)) << 13 | start // 8, 64, 17, 0)
        head += server.ip4.packed + client.ip4.packed
        head = head[:10] + struct.pack("!H", _sum(head)) + head[12:]
        cap.add(at * 1e6 + 1000 + start * 20, cap.ethernet(server.mac, client.mac, 0x0800, head + piece, server.vlan))


def attempt(cap, client, server, router=None):
    c = cap.tcp(client, 50002, server, 4242, at=3.0)
    c.packet(0, 2)
    syn = cap.packets[-1][2]
    quoted = syn[18 if client.vlan else 14:][:28]
    if router:
        body = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
        body = body[:2] + struct.pack("!H", _sum(body)) + body[4:]
        cap.add(c.now_us, cap.ip(router, client, 4, 1, body))
    else:
        c.packet(1, 18)
        c.packet(0, 16)
        c.close(client)


def wrapped(inner, overlay):
    """What VXLAN makes of a frame (RFC 7348, 5)."""
    a, b = Host("02:00:5e:0f:00:01", "192.0.2.1"), Host("02:00:5e:0f:00:02", "192.0.2.2")
    body = struct.pack("!BBHI", 8, 0, 0, overlay << 8) + inner
    return cap.ip(a, b, 4, 17, struct.pack("!HHHH", 49152, 4789, 8 + len(body), 0) + body)


for number, (name, vlan) in enumerate((("PLAIN", None), ("V100", 100), ("V200", 200))):
    ct, pacs, router = hosts(number + 1, vlan)
    echo(cap, ct, pacs, name, number + 1)
    question(cap, ct, pacs, number + 1, 2.0 + number / 10000)
    if vlan:
        attempt(cap, ct, pacs, router if vlan == 200 else None)
overlay = Capture("2026-11-22T09:00:00Z")
ct, pacs, router = hosts(4, None)
echo(overlay, ct, pacs, "VNI5000", 4)
question(overlay, ct, pacs, 5, 2.0003)
for at, _, frame in overlay.packets:
    cap.add(at, wrapped(frame, 5000))
ct, pacs, router = hosts(5, 300, "10.8.0")
echo(cap, ct, pacs, "V300")
cap.write(os.path.join(OUT, "overlapping.pcap"))
