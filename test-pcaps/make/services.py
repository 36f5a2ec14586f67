#!/usr/bin/env python3
"""services.py -- ordinary services between made-up hosts, one capture a protocol: test-pcaps/services/NAME.pcap; and, with
--seeds, the same messages as fuzz seeds: fuzz/corpus/NAME/. Same bytes every time. Names of persons, passwords and file names
in here are canaries (TESTCANARY): none may come out again (tests/golden.sh, the golden output).

Usage: test-pcaps/make/services.py [--seeds] [NAME...]
"""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(__file__))
from pcapgen import Capture, Host

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CLIENT = Host("02:00:5e:10:01:01", "192.0.2.10", "2001:db8:1::10")
SERVER = Host("02:00:5e:10:01:02", "192.0.2.20", "2001:db8:1::20")
NOBODY = Host("02:00:5e:10:01:01", "0.0.0.0")
ALL = Host("ff:ff:ff:ff:ff:ff", "255.255.255.255")


def group(ip):
    b = [int(x) for x in ip.split(".")]
    return Host("01:00:5e:%02x:%02x:%02x" % (b[1] & 127, b[2], b[3]), ip)


class Case:
    """Conversations of one protocol. `talk` records what it makes, for the seeds: (direction, bytes) per flow."""

    def __init__(self, name):
        self.name, self.cap, self.flows, self.at = name, Capture(), [], 1.0

    def datagrams(self, port, *parts, client=CLIENT, server=SERVER, sport=40000, version=4):
        for direction, data in parts:
            a, b = ((client, sport), (server, port)) if direction == 0 else ((server, port), (client, sport))
            self.cap.udp(a[0], a[1], b[0], b[1], data, self.at, version)
            self.at += 0.01
        self.flows.append((True, parts))
        self.at += 1

    def stream(self, port, *parts, sport=None, version=4):
        sport = sport or 41000 + len(self.flows)
        c = self.cap.tcp(CLIENT, sport, SERVER, port, self.at, version)
        c.open()
        for direction, data in parts:
            c.send(SERVER if direction else CLIENT, data)
        c.close()
        self.flows.append((False, parts))
        self.at += 1

    def write(self, seeds):
        self.cap.write(os.path.join(TOP, "test-pcaps", "services", self.name + ".pcap"))
        for i, (udp, parts) in enumerate(self.flows if seeds else []):
            folder = os.path.join(TOP, "fuzz", "corpus", CORPUS.get(self.name, self.name))
            os.makedirs(folder, exist_ok=True)
            data = bytes([2 if udp else 0]) + b"".join(struct.pack("!BH", d, len(b)) + b for d, b in parts)
            with open(os.path.join(folder, "%s-%d" % (self.name, i)), "wb") as f:
                f.write(data)


CORPUS = {"netbios": "netbios_ns", "ws-discovery": "wsd"}
CASES = {}


def case(f):
    CASES[f.__name__.replace("_", "-")] = f
    return f


# ---- names ----

def name(text):
    return b"".join(bytes([len(x)]) + x.encode() for x in text.split(".") if x) + b"\0"


def message(flags, questions=(), answers=(), more=(), number=0x1234):
    """Records: (name, type, class, ttl, data); questions: (name, type)."""
    out = struct.pack("!HHHHHH", number, flags, len(questions), len(answers), 0, len(more))
    for q, kind in questions:
        out += (q if isinstance(q, bytes) else name(q)) + struct.pack("!HH", kind, 1)
    for n, kind, klass, ttl, data in list(answers) + list(more):
        out += (n if isinstance(n, bytes) else name(n)) + struct.pack("!HHIH", kind, klass, ttl, len(data)) + data
    return out


def a(host):
    return host.ip4.packed


@case
def dns(c):
    who = "testcanary-one.clinic.example"
    ask = message(0x0100, [(who, 1)])
    answer = message(0x8180, [(who, 1)], [(b"\xc0\x0c", 1, 1, 60, a(SERVER))])
    c.datagrams(53, (0, ask), (1, answer), sport=40001)
    c.datagrams(53, (0, message(0x0100, [("nowhere.example", 28)])), (1, message(0x8183, [("nowhere.example", 28)])), sport=40002, version=6)
    c.datagrams(53, (0, message(0x0100, [("silent.example", 1)])), sport=40003)
    framed = [(d, struct.pack("!H", len(b)) + b) for d, b in ((0, ask), (1, answer), (0, ask), (1, answer))]
    c.stream(53, *framed)


@case
def mdns(c):
    to = group("224.0.0.251")
    host = ("mri-console.local", 1, 0x8001, 120, a(CLIENT))
    service = ("_dicom._tcp.local", 12, 1, 4500, name("TESTCANARY ONE._dicom._tcp.local"))
    c.datagrams(5353, (0, message(0, [("printer.local", 1)], number=0)), (0, message(0x8400, (), [service], [host], number=0)),
                server=to, sport=5353)


@case
def llmnr(c):
    to = group("224.0.0.252")
    ask = message(0, [("viewer7", 1)])
    c.datagrams(5355, (0, ask), server=to, sport=40010)
    c.datagrams(5355, (1, message(0x8000, [("viewer7", 1)], [(b"\xc0\x0c", 1, 1, 30, a(SERVER))])), sport=40010)


def netbios_name(text, kind):
    raw = text.upper().ljust(15).encode() + bytes([kind])
    return b"\x20" + b"".join(bytes([65 + (b >> 4), 65 + (b & 15)]) for b in raw) + b"\0"


@case
def netbios(c):
    everybody = Host("ff:ff:ff:ff:ff:ff", "192.0.2.255")
    for kind, flags, text in ((0x00, 0x6000, "CT-CONSOLE"), (0x03, 0x6000, "TESTCANARY"), (0x00, 0xE000, "RADIOLOGY")):
        n = netbios_name(text, kind)
        c.datagrams(137, (0, message(0x2910, [(n, 0x20)], (), [(b"\xc0\x0c", 0x20, 1, 300000, struct.pack("!H", flags) + a(CLIENT))])),
                    server=everybody, sport=137)
    n = netbios_name("FILES1", 0x20)
    c.datagrams(137, (0, message(0x0110, [(n, 0x20)])), (1, message(0x8500, (), [(n, 0x20, 1, 300000, b"\x60\x00" + a(SERVER))])), sport=40137)


# ---- addresses, time, management ----

def dhcp_message(op, options, ciaddr=b"\0" * 4, yiaddr=b"\0" * 4, mac=CLIENT.mac):
    head = struct.pack("!BBBBIHH4s4s4s4s", op, 1, 6, 0, 0x3903F326, 0, 0, ciaddr, yiaddr, b"\0" * 4, b"\0" * 4)
    return head + mac.ljust(16, b"\0") + bytes(192) + b"\x63\x82\x53\x63" + b"".join(
        bytes([k, len(v)]) + v for k, v in options) + b"\xff"


@case
def dhcp(c):
    mine = a(CLIENT)
    names = [(12, b"ct-console"), (60, b"MSFT 5.0"), (61, b"\x01" + CLIENT.mac)]
    given = [(54, a(SERVER)), (51, struct.pack("!I", 3600)), (1, b"\xff\xff\xff\0")]
    c.datagrams(67, (0, dhcp_message(1, [(53, b"\x01")] + names)), client=NOBODY, server=ALL, sport=68)
    c.datagrams(68, (0, dhcp_message(2, [(53, b"\x02")] + given, yiaddr=mine)), client=SERVER, server=ALL, sport=67)
    c.datagrams(67, (0, dhcp_message(1, [(53, b"\x03"), (50, mine)] + names)), client=NOBODY, server=ALL, sport=68)
    c.datagrams(68, (0, dhcp_message(2, [(53, b"\x05")] + given, yiaddr=mine)), client=SERVER, server=ALL, sport=67)
    # Renewed directly; then one of another name, refused.
    c.datagrams(67, (0, dhcp_message(1, [(53, b"\x03")] + names, ciaddr=mine)), (1, dhcp_message(2, [(53, b"\x05")] + given, yiaddr=mine)), sport=68)
    c.datagrams(67, (0, dhcp_message(1, [(53, b"\x03"), (50, b"\x0a\0\0\1"), (12, b"Dr. =TESTCANARY")], mac=b"\x02\0\x5e\x10\1\x09")),
                client=NOBODY, server=ALL, sport=68)
    c.datagrams(68, (0, dhcp_message(2, [(53, b"\x06"), (54, a(SERVER))], mac=b"\x02\0\x5e\x10\1\x09")), client=SERVER, server=ALL, sport=67)


def ntp_packet(version, mode, stratum):
    return struct.pack("!BBbb", version << 3 | mode, stratum, 6, -20) + bytes(12) + b"192." + struct.pack("!IIIIIII", 0xEA000000, 0, 1, 2, 3, 4, 5)


@case
def ntp(c):
    c.datagrams(123, (0, ntp_packet(4, 3, 0)), (1, ntp_packet(4, 4, 2)), (0, ntp_packet(4, 3, 0)), (1, ntp_packet(4, 4, 2)), sport=123)
    c.datagrams(123, (0, ntp_packet(3, 3, 0)), sport=40123)
    c.datagrams(123, (0, b"\x17\0\x03\x2a" + bytes(4)), (1, b"\x97\0\x03\x2a\0\x06\0\x48" + bytes(432)), sport=40124)


def tlv(tag, *parts):
    data = b"".join(parts)
    n = len(data)
    head = bytes([n]) if n < 128 else b"\x81" + bytes([n]) if n < 256 else b"\x82" + struct.pack("!H", n)
    return bytes([tag]) + head + data


def integer(n):
    return tlv(2, n.to_bytes(max(1, (n.bit_length() + 8) // 8), "big"))


def snmp_message(version, community, pdu=0xA0):
    bind = tlv(0x30, tlv(6, b"\x2b\x06\x01\x02\x01\x01\x05\x00"), tlv(4, b"TESTCANARY") if pdu == 0xA2 else tlv(5))
    return tlv(0x30, integer(version), tlv(4, community), tlv(pdu, integer(1), integer(0), integer(0), tlv(0x30, bind)))


def snmp3(flags, user, engine, data):
    usm = tlv(0x30, tlv(4, engine), integer(1), integer(2), tlv(4, user), tlv(4), tlv(4))
    return tlv(0x30, integer(3), tlv(0x30, integer(99), integer(65507), tlv(4, bytes([flags])), integer(3)), tlv(4, usm), data)


@case
def snmp(c):
    c.datagrams(161, (0, snmp_message(1, b"public")), (1, snmp_message(1, b"public", 0xA2)), sport=40161)
    c.datagrams(161, (0, snmp_message(0, b"private", 0xA3)), (1, snmp_message(0, b"private", 0xA2)), sport=40162)
    c.datagrams(162, (0, snmp_message(1, b"TESTCANARY", 0xA7)), client=SERVER, server=CLIENT, sport=40163)
    get = tlv(0x30, tlv(4), tlv(4), tlv(0xA0, integer(1), integer(0), integer(0), tlv(0x30)))
    report = tlv(0x30, tlv(4), tlv(4), tlv(0xA8, integer(1), integer(0), integer(0), tlv(0x30)))
    engine = b"\x80\0\x1f\x88\x04abc"
    c.datagrams(161, (0, snmp3(4, b"", b"", get)), (1, snmp3(0, b"", engine, report)), (0, snmp3(7, b"TESTCANARY", engine, tlv(4, b"\x99" * 40))),
                (1, snmp3(3, b"TESTCANARY", engine, tlv(4, b"\x98" * 40))), sport=40164)


@case
def syslog(c):
    new = b"<34>1 2026-11-22T09:00:01.003Z ct-console su - ID47 - 'su root' failed for TESTCANARY on /dev/pts/8"
    old = b"<134>Nov 22 09:00:01 ct-console dicomd[99]: association from TESTCANARY"
    c.datagrams(514, *[(0, new)] * 9, sport=40514)
    c.datagrams(514, (0, old), sport=40515)
    c.stream(601, (0, b"%d " % len(new) + new), (0, b"%d " % len(new) + new))
    c.stream(1514, (0, old + b"\n" + old + b"\n"))


@case
def ssdp(c):
    to = group("239.255.255.250")
    head = "HOST: 239.255.255.250:1900\r\n"
    notify = "NOTIFY * HTTP/1.1\r\n" + head + "CACHE-CONTROL: max-age=1800\r\nLOCATION: http://192.0.2.10/TESTCANARY.xml\r\n" \
        "NT: urn:schemas-upnp-org:device:Basic:1\r\nNTS: ssdp:alive\r\nSERVER: Linux/4.9, UPnP/1.0, Monitor/1.2\r\n" \
        "USN: uuid:TESTCANARY::upnp:rootdevice\r\n\r\n"
    search = "M-SEARCH * HTTP/1.1\r\n" + head + 'MAN: "ssdp:discover"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n'
    found = "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:TESTCANARY\r\nSERVER: Linux/4.9, UPnP/1.0, Monitor/1.2\r\n\r\n"
    c.datagrams(1900, (0, notify.encode()), (0, notify.encode()), server=to, sport=1900)
    c.datagrams(1900, (0, search.encode()), server=to, sport=41900)
    c.datagrams(1900, (1, found.encode()), sport=41900)


def wsd(action, types):
    d = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
    return ('<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:d="%s">'
            "<s:Header><a:Action>%s/%s</a:Action></s:Header><s:Body><d:%s><a:EndpointReference><a:Address>urn:uuid:TESTCANARY</a:Address>"
            "</a:EndpointReference>%s<d:Scopes>ldap:///ou=TESTCANARY</d:Scopes></d:%s></s:Body></s:Envelope>"
            % (d, d, action, action, types, action)).encode()


@case
def ws_discovery(c):
    to = group("239.255.255.250")
    c.datagrams(3702, (0, wsd("Hello", "<d:Types>dpws:Device mdpws:MedicalDevice</d:Types>")), server=to, sport=43702)
    c.datagrams(3702, (0, wsd("Probe", "<d:Types>pub:Computer</d:Types>")), server=to, sport=43703)
    c.datagrams(3702, (1, wsd("ProbeMatches", "<d:Types>wsdp:Device pub:Computer</d:Types>")), sport=43703)


# ---- consoles and files ----

@case
def ssh(c):
    kex = struct.pack("!IBB", 44, 10, 20) + bytes(42)
    c.stream(22, (1, b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"), (0, b"SSH-2.0-PuTTY_Release_0.78\r\n"), (0, kex), (1, kex))
    c.stream(2222, (1, b"SSH-1.99-Cisco-1.25\n"), (0, b"SSH-2.0-libssh_0.9.6\r\n"))


@case
def telnet(c):
    c.stream(23, (1, b"\xff\xfd\x18\xff\xfd\x20"), (0, b"\xff\xfb\x18\xff\xfb\x20"), (1, b"monitor7\r\nlogin: "), (0, b"TESTCANARY\r\0"),
             (1, b"TESTCANARY\r\nPassword: "), (0, b"TESTCANARY\r\0"), (1, b"\r\nLogin incorrect\r\nlogin: "))
    c.stream(23, (1, b"\xff\xfd\x18"), (0, b"\xff\xfb\x18\xff\xfa\x18\0xterm\xff\xf0"))


@case
def ftp(c):
    greeting = (1, b"220 (vsFTPd 3.0.3)\r\n")
    c.stream(21, greeting, (0, b"USER TESTCANARY\r\n"), (1, b"331 Please specify the password.\r\n"), (0, b"PASS TESTCANARY\r\n"),
             (1, b"530 Login incorrect.\r\n"), (0, b"USER TESTCANARY\r\n"), (1, b"331 Please specify the password.\r\n"),
             (0, b"PASS TESTCANARY\r\n"), (1, b"230 Login successful.\r\n"), (0, b"RETR TESTCANARY.dcm\r\n"))
    c.stream(21, greeting, (0, b"AUTH TLS\r\n"), (1, b"234 Proceed with negotiation.\r\n"), (0, b"\x16\x03\x01\0\x04\1\0\0\0"))
    c.stream(2121, (1, b"220 ready\r\n"), (0, b"USER TESTCANARY\r\n"), (1, b"331 ok\r\n"), version=6)


@case
def vnc(c):
    v8, v3 = b"RFB 003.008\n", b"RFB 003.003\n"
    secret = bytes(range(16))
    c.stream(5900, (1, v8), (0, v8), (1, b"\2\1\2"), (0, b"\2"), (1, secret), (0, secret[::-1]), (1, b"\0\0\0\1"))
    c.stream(5901, (1, v3), (0, v3), (1, b"\0\0\0\1"), (0, b"\1"))
    c.stream(15900, (1, v8), (0, v8), (1, b"\1\x13"), (0, b"\x13"))


def tpkt(kind, rest):
    return struct.pack("!BBHBBHHB", 3, 0, 11 + len(rest), 6 + len(rest), kind, 0, 0 if kind == 0xE0 else 0x1234, 0) + rest


@case
def rdp(c):
    neg = lambda kind, value: struct.pack("<BBHI", kind, 0, 8, value)
    cookie = b"Cookie: mstshash=TESTCANAR\r\n"
    c.stream(3389, (0, tpkt(0xE0, cookie + neg(1, 3))), (1, tpkt(0xD0, neg(2, 2))), (0, b"\x16\x03\x01\0\x04\1\0\0\0"))
    c.stream(3389, (0, tpkt(0xE0, neg(1, 1))), (1, tpkt(0xD0, neg(2, 1))))
    c.stream(33890, (0, tpkt(0xE0, b"")), (1, tpkt(0xD0, b"")))
    c.stream(3389, (0, tpkt(0xE0, neg(1, 0))), (1, tpkt(0xD0, neg(3, 5))))


def nbss(data):
    return struct.pack("!I", len(data)) + data


def smb2(command, status, reply, body):
    return nbss(struct.pack("<4sHHIHHIIQIIQ16s", b"\xfeSMB", 64, 0, status, command, 1, int(reply), 0, 1, 0, 0, 0, b"") + body)


def smb1(command, flags, body, status=0):
    return nbss(struct.pack("<4sBIBHH8sHHHHH", b"\xffSMB", command, status, flags, 0x4001, 0, b"", 0, 0, 1, 0, 1) + body)


def challenge(host, domain):
    info = b"".join(struct.pack("<HH", k, 2 * len(v)) + v.encode("utf-16-le") for k, v in ((2, domain), (1, host))) + bytes(4)
    return b"NTLMSSP\0" + struct.pack("<IHHII8s8sHHIBBHI", 2, 0, 0, 56, 0x62898215, b"", b"", len(info), len(info), 56, 10, 0, 17763, 0x0F000000) + info


@case
def smb(c):
    ask = smb2(0, 0, False, struct.pack("<HHHHI16sQHH", 36, 2, 1, 0, 0, b"", 0, 0x0210, 0x0311))
    agreed = smb2(0, 0, True, struct.pack("<HHHH", 65, 3, 0x0311, 0) + bytes(56))
    setup = smb2(1, 0, False, bytes(24) + b"NTLMSSP\0\1\0\0\0" + bytes(20))
    more = smb2(1, 0xC0000016, True, struct.pack("<HHHH", 9, 0, 72, 200) + challenge("FILES1", "RADIOLOGY"))
    user = smb2(1, 0, False, bytes(24) + b"NTLMSSP\0\3\0\0\0" + bytes(52) + "TESTCANARY".encode("utf-16-le"))
    c.stream(445, (0, ask), (1, agreed), (0, setup), (1, more), (0, user), (1, smb2(1, 0xC000006D, True, bytes(8))))
    c.stream(445, (0, ask), (1, smb2(0, 0, True, struct.pack("<HHHH", 65, 1, 0x0210, 0) + bytes(56))), (0, setup), (1, smb2(1, 0, True, bytes(8))))
    dialects = b"\x02NT LM 0.12\0"
    names = b"\x81\0\0\x44" + (b"\x20" + b"CA" * 16 + b"\0") * 2
    c.stream(139, (0, names), (1, b"\x82\0\0\0"), (0, smb1(0x72, 0x18, b"\0" + struct.pack("<H", len(dialects)) + dialects)),
             (1, smb1(0x72, 0x98, struct.pack("<BHB", 17, 0, 3) + bytes(33))), (0, smb1(0x73, 0x18, bytes(30) + b"TESTCANARY\0")),
             (1, smb1(0x73, 0x98, bytes(6))))


@case
def ldap(c):
    bind = lambda n, auth: tlv(0x30, integer(n), tlv(0x60, integer(3), tlv(4, b"cn=TESTCANARY" if auth[0] == 0x80 and auth[1] else b""), auth))
    done = lambda n, code, op=0x61: tlv(0x30, integer(n), tlv(op, tlv(10, bytes([code])), tlv(4), tlv(4)))
    search = tlv(0x30, integer(9), tlv(0x63, tlv(4, b"ou=TESTCANARY"), bytes(100)))
    c.stream(389, (0, bind(1, tlv(0x80, b"TESTCANARY"))), (1, done(1, 49)), (0, bind(2, tlv(0x80, b"TESTCANARY"))), (1, done(2, 0)), (0, search))
    c.stream(389, (0, bind(1, tlv(0xA3, tlv(4, b"GSS-SPNEGO"), tlv(4, bytes(300))))), (1, done(1, 14)), (0, search), (1, done(2, 0)))
    c.stream(389, (0, tlv(0x30, integer(1), tlv(0x77, tlv(0x80, b"1.3.6.1.4.1.1466.20037")))), (1, done(1, 0, 0x78)))


@case
def kerberos(c):
    realm = lambda tag: tlv(tag, tlv(27, b"HOSP.EXAMPLE"))
    person = tlv(0xA1, tlv(0x30, tlv(0xA0, integer(1)), tlv(0xA1, tlv(0x30, tlv(27, b"TESTCANARY")))))
    ask = tlv(0x6A, tlv(0x30, tlv(0xA1, integer(5)), tlv(0xA2, integer(10)), tlv(0xA4, tlv(0x30, tlv(0xA0, tlv(3, b"\0\0\0\0\0")), person, realm(0xA2)))))
    error = lambda code: tlv(0x7E, tlv(0x30, tlv(0xA0, integer(5)), tlv(0xA1, integer(30)), tlv(0xA6, integer(code)), realm(0xA9)))
    got = tlv(0x6B, tlv(0x30, tlv(0xA0, integer(5)), tlv(0xA1, integer(11)), realm(0xA3), tlv(0xA4, person)))
    c.datagrams(88, (0, ask), (1, error(25)), sport=40088)
    c.datagrams(88, (0, ask), (1, error(24)), sport=40089)
    c.stream(88, (0, struct.pack("!I", len(ask)) + ask), (1, struct.pack("!I", len(got)) + got))


def rpc_call(program, version, procedure, flavor=0, credential=b""):
    return struct.pack("!IIIIIIII", 0x12345678, 0, 2, program, version, procedure, flavor, len(credential)) + credential + bytes(8)


@case
def rpc(c):
    answer = struct.pack("!IIIIII", 0x12345678, 1, 0, 0, 0, 0)
    c.datagrams(111, (0, rpc_call(100000, 2, 3) + struct.pack("!IIII", 100003, 3, 6, 0)), (1, answer + b"\0\0\x08\x01"), sport=40111)


@case
def nfs(c):
    who = struct.pack("!II12sIII", 0, 10, b"TESTCANARY\0\0", 0, 0, 0)
    call = rpc_call(100003, 3, 1, 1, who) + b"TESTCANARY\0\0"
    answer = struct.pack("!IIIIII", 0x12345678, 1, 0, 0, 0, 0)
    mark = lambda m: struct.pack("!I", 0x80000000 | len(m)) + m
    c.stream(2049, (0, mark(call)), (1, mark(answer)), (0, mark(call)))
    c.datagrams(2049, (0, call), (1, answer), sport=42049)


if __name__ == "__main__":
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    for n in words or CASES:
        one = Case(n)
        CASES[n](one)
        one.write("--seeds" in sys.argv)
