"""pcapgen -- writes capture files from nothing but what the caller says: same calls, same bytes.

    cap = Capture("2026-11-22T09:00:00Z")
    ct = Host("02:00:5e:10:00:01", "10.20.1.11", "2001:db8:20:1::11", vlan=20)
    c = cap.tcp(ct, 50001, pacs, 11112, at=1.0)
    c.open(); c.send(ct, b"..."); c.send(pacs, b"..."); c.close()
    cap.write("out.pcap")

Ethernet, IPv4 and IPv6, 802.1Q, TCP with handshake, segmentation and end, UDP, ICMP echo, ARP. Standard library
only. Times are seconds after the start of the capture, with microseconds in the file.
"""
import datetime
import ipaddress
import struct


def _sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Host:
    """A network card: hardware address, IPv4, IPv6 (either may be None), VLAN its frames are tagged with."""

    def __init__(self, mac, ip4=None, ip6=None, vlan=None):
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.ip4 = ipaddress.ip_address(ip4) if ip4 else None
        self.ip6 = ipaddress.ip_address(ip6) if ip6 else None
        self.vlan = vlan

    def at(self, ip, vlan=None):
        """The same card with a further address."""
        other = Host(self.mac.hex(), vlan=self.vlan if vlan is None else vlan)
        ip = ipaddress.ip_address(ip)
        if ip.version == 4:
            other.ip4 = ip
        else:
            other.ip6 = ip
        return other

    def ip(self, version):
        return self.ip4 if version == 4 else self.ip6


class Capture:
    SNAPLEN = 262144

    def __init__(self, start="2026-11-22T09:00:00Z"):
        t = datetime.datetime.fromisoformat(start.replace("Z", "+00:00"))
        self.start_us = int(t.timestamp()) * 1_000_000
        self.packets = []  # (microseconds after start, number, bytes)
        self.ip_id = 0

    def add(self, at_us, frame):
        self.packets.append((int(at_us), len(self.packets), frame))

    def write(self, path):
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, self.SNAPLEN, 1))
            for at, _, frame in sorted(self.packets):
                t = self.start_us + at
                f.write(struct.pack("<IIII", t // 1_000_000, t % 1_000_000, len(frame), len(frame)))
                f.write(frame)

    # frames

    def ethernet(self, src_mac, dst_mac, kind, payload, vlan=None):
        tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
        frame = dst_mac + src_mac + tag + struct.pack("!H", kind) + payload
        return frame.ljust(60, b"\0")

    def ip(self, src, dst, version, protocol, payload, ttl=64):
        """One packet from Host to Host."""
        a, b = src.ip(version).packed, dst.ip(version).packed
        if version == 4:
            self.ip_id = (self.ip_id + 1) & 0xFFFF
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), self.ip_id, 0x4000, ttl, protocol, 0, a, b)
            head = head[:10] + struct.pack("!H", _sum(head)) + head[12:]
        else:
            head = struct.pack("!IHBB16s16s", 0x60000000, len(payload), protocol, ttl, a, b)
        vlan = src.vlan if src.vlan is not None else dst.vlan
        return self.ethernet(src.mac, dst.mac, 0x0800 if version == 4 else 0x86DD, head + payload, vlan)

    def checksummed(self, src, dst, version, protocol, segment, at):
        """`segment` with its checksum (at offset `at`) over the pseudo header (RFC 9293 3.1, RFC 8200 8.1)."""
        a, b = src.ip(version).packed, dst.ip(version).packed
        if version == 4:
            pseudo = a + b + struct.pack("!BBH", 0, protocol, len(segment))
        else:
            pseudo = a + b + struct.pack("!II", len(segment), protocol)
        c = _sum(pseudo + segment)
        if protocol == 17 and not c:
            c = 0xFFFF
        return segment[:at] + struct.pack("!H", c) + segment[at + 2:]

    # what hosts do

    def tcp(self, client, client_port, server, server_port, at, version=4, mss=1448, step_us=300):
        return Connection(self, client, client_port, server, server_port, at, version, mss, step_us)

    def udp(self, src, src_port, dst, dst_port, payload, at, version=4):
        segment = struct.pack("!HHHH", src_port, dst_port, 8 + len(payload), 0) + payload
        segment = self.checksummed(src, dst, version, 17, segment, 6)
        self.add(at * 1e6, self.ip(src, dst, version, 17, segment))

    def ping(self, src, dst, at, number=1):
        for kind, a, b, later in ((8, src, dst, 0), (0, dst, src, 200)):
            body = struct.pack("!BBHHH", kind, 0, 0, 0x1234, number) + bytes(range(32))
            body = body[:2] + struct.pack("!H", _sum(body)) + body[4:]
            self.add(at * 1e6 + later, self.ip(a, b, 4, 1, body))

    def arp(self, src, dst, at):
        """Who has dst, and its answer (RFC 826)."""
        ask = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, src.mac, src.ip4.packed, bytes(6), dst.ip4.packed)
        answer = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 2, dst.mac, dst.ip4.packed, src.mac, src.ip4.packed)
        self.add(at * 1e6, self.ethernet(src.mac, b"\xff" * 6, 0x0806, ask, src.vlan))
        self.add(at * 1e6 + 150, self.ethernet(dst.mac, src.mac, 0x0806, answer, src.vlan))


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Connection:
    """One TCP connection. Each packet comes `step_us` after the one before; wait() lets time pass."""

    def __init__(self, cap, client, client_port, server, server_port, at, version, mss, step_us):
        self.cap, self.version, self.mss, self.step_us = cap, version, mss, step_us
        self.ends = (client, server)
        self.ports = (client_port, server_port)
        # Initial sequence numbers that differ by connection and stay the same from run to run.
        seed = (client_port * 2654435761 + server_port * 40503 + int(at * 1000) * 97) & 0xFFFFFFFF
        self.seq = [seed, (seed * 1103515245 + 12345) & 0xFFFFFFFF]
        self.now_us = at * 1e6

    @property
    def now(self):
        return self.now_us / 1e6

    def _side(self, who):
        return 0 if who is self.ends[0] else 1

    def packet(self, side, flags, payload=b"", options=b"", seq=None):
        """One segment as told; moves the sequence number on."""
        src, dst = self.ends[side], self.ends[1 - side]
        ack = self.seq[1 - side] if flags & ACK else 0
        at_seq = self.seq[side] if seq is None else seq
        words = 5 + len(options) // 4
        head = struct.pack("!HHIIBBHHH", self.ports[side], self.ports[1 - side], at_seq & 0xFFFFFFFF, ack,
                           words << 4, flags, 64240, 0, 0) + options
        segment = self.cap.checksummed(src, dst, self.version, 6, head + payload, 16)
        self.cap.add(self.now_us, self.cap.ip(src, dst, self.version, 6, segment))
        self.now_us += self.step_us
        if seq is None:
            self.seq[side] = (self.seq[side] + len(payload) + (1 if flags & (SYN | FIN) else 0)) & 0xFFFFFFFF

    def open(self):
        mss = struct.pack("!BBH", 2, 4, min(self.mss, 65495))
        self.packet(0, SYN, options=mss)
        self.packet(1, SYN | ACK, options=mss)
        self.packet(0, ACK)
        return self

    def refused(self):
        """The port is closed: SYN, RST."""
        self.packet(0, SYN, options=struct.pack("!BBH", 2, 4, self.mss))
        self.packet(1, RST | ACK)
        return self

    def unanswered(self):
        """A firewall drops it: three SYNs, one second and two apart."""
        seq = self.seq[0]
        for wait_s in (1, 2, 0):
            self.packet(0, SYN, options=struct.pack("!BBH", 2, 4, self.mss), seq=seq)
            self.wait(wait_s)
        return self

    def send(self, who, data, mss=None):
        """Data in segments of the connection's MSS, an acknowledgement after every second one and the last."""
        side, mss = self._side(who), mss or self.mss
        pieces = [data[i:i + mss] for i in range(0, len(data), mss)]
        for i, piece in enumerate(pieces):
            last = i == len(pieces) - 1
            self.packet(side, ACK | PSH if last else ACK, piece)
            if last or i % 2:
                self.packet(1 - side, ACK)
        return self

    def wait(self, seconds):
        self.now_us += seconds * 1e6
        return self

    def close(self, first=None):
        side = 0 if first is None else self._side(first)
        self.packet(side, FIN | ACK)
        self.packet(1 - side, FIN | ACK)
        self.packet(side, ACK)
        return self

    def reset(self, who):
        self.packet(self._side(who), RST | ACK)
        return self
