#!/usr/bin/env python3
"""verdicts.py DIR -- one capture for each verdict and each way of differing, and a look-alike beside it.

DIR/NAME.pcap must yield the rule of cases.tsv, DIR/NAME-alike.pcap must not; DIR/policy is what both are judged by.
tests/verdicts.sh drives the table. Everything is invented; same calls, same bytes.
"""
import sys

import dicomgen as dicom
import hl7gen as hl7
import tlsgen as tls
from pcapgen import Capture, Host

DIR = sys.argv[1]
CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
MPPS = "1.2.840.10008.3.1.2.3.3"
N_CREATE = 0x0140

pacs = Host("02:00:5e:01:00:10", "10.1.0.10")
ris = Host("02:00:5e:01:00:11", "10.1.0.11")
engine = Host("02:00:5e:01:00:20", "10.1.0.20")
files = Host("02:00:5e:01:00:04", "10.1.0.4")
stranger = Host("02:00:5e:01:00:77", "10.1.0.77")
biomed = Host("02:00:5e:09:00:02", "10.9.0.2")
guest = Host("02:00:5e:99:00:05", "10.99.0.5")
vendor = Host("02:00:5e:ff:00:01", "192.0.2.2")
internet = Host("02:00:5e:ff:00:01", "203.0.113.5")
ct1, ct2, ct3 = (Host(f"02:00:5e:20:01:1{n}", f"10.20.1.1{n}") for n in (1, 2, 3))
learner = Host("02:00:5e:20:01:14", "10.20.1.14")
scope1, scope2 = (Host(f"02:00:5e:20:02:1{n}", f"10.20.2.1{n}") for n in (1, 2))
old = Host("02:00:5e:20:03:11", "10.20.3.11")
shielded = Host("02:00:5e:20:04:11", "10.20.4.11")
ROUTER = "02:00:5e:aa:00:01"

cases = []
DAY = "2026-11-24T09:00:00Z"


def case(name, rule, verdict, what, cites, fire, alike, start=DAY, alike_start=None):
    for suffix, make, when in (("", fire, start), ("-alike", alike, alike_start or start)):
        cap = Capture(when)
        make(cap)
        cap.write(f"{DIR}/{name}{suffix}.pcap")
    cases.append((name, rule, verdict, what, *cites))


def blind(cap, client, server, port, at=1.0, payload=b"\x13\x37opaque bytes of a maker's own protocol, long enough for every probe\x00" * 4,
          client_port=40001, stay=0.0):
    c = cap.tcp(client, client_port, server, port, at).open()
    c.send(client, payload)
    c.send(server, payload)
    return c.wait(stay).close()


def banner(cap, client, server, port, at=1.0):
    c = cap.tcp(client, 40002, server, port, at).open()
    c.send(server, b"SSH-2.0-OpenSSH_9.2\r\n")
    c.send(client, b"SSH-2.0-OpenSSH_9.0\r\n")
    return c.close()


def web(cap, client, server, port, at=1.0):
    c = cap.tcp(client, 40003, server, port, at).open()
    c.send(client, b"GET / HTTP/1.1\r\nHost: device.example\r\n\r\n")
    c.send(server, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    return c.close()


def secret(cap, client, server, port, at=1.0, version=0x0303):
    c = cap.tcp(client, 40004, server, port, at).open()
    return tls.session(c, client, server, f"{port}", version=version).close()


def store(cap, client, server, port=104, sop=CT, calling="CT01", at=1.0):
    c = cap.tcp(client, 40005, server, port, at).open()
    a = dicom.Association(c, client, server, calling, "PACS01", {sop: 1})
    a.store(sop, "1.2.826.0.1.3680043.9.1", pixels=512)
    a.release()
    return c.close()


def mpps(cap, asker_is_ct):
    c = cap.tcp(ct1, 40006, ris, 105, 1.0).open()
    a = dicom.Association(c, ct1, ris, "CT01", "RIS01", {MPPS: 1})
    asks, answers = (ct1, ris) if asker_is_ct else (ris, ct1)
    c.send(asks, dicom.pdata(1, dicom.command(N_CREATE, MPPS, 1, instance="1.2.826.0.1.3680043.9.2"), True))
    c.send(answers, dicom.pdata(1, dicom.command(N_CREATE | 0x8000, MPPS, responded=1, status=0), True))
    a.release()
    return c.close()


def message(cap, kind, version="2.5"):
    c = cap.tcp(ct1, 40007, engine, 2575, 1.0).open()
    c.send(ct1, hl7.mllp(hl7.message(hl7.msh(kind, "M1", "CT", "RAD", "ENGINE", "HOSP", version))))
    c.send(engine, hl7.mllp(hl7.ack("A1", "M1", "ENGINE", "HOSP", "CT", "RAD")))
    return c.close()


def without(cap, keep):
    """Only the frames that `keep(number, frame)` holds to."""
    cap.packets = [(t, n, f) for t, n, f in cap.packets if keep(n, f)]


IFU, MDS2 = ("IFU-CT", "6"), ("MDS2-CT", "4")

case("declared", "policy.declared", "declared", "none", (*IFU, "P-1"), lambda c: store(c, ct1, pacs), lambda c: store(c, ct1, stranger))
case("undeclared-listener", "policy.undeclared_listener", "undeclared", "listener", (*MDS2, "SAHD-8"),
     lambda c: web(c, biomed, ct1, 8080), lambda c: c.tcp(biomed, 40001, ct1, 8080, 1.0).refused())
case("undeclared-traffic", "policy.undeclared_traffic", "undeclared", "none", (*IFU, "port_list"),
     lambda c: blind(c, ct1, files, 445), lambda c: store(c, ct1, pacs))
case("undeclared-peer", "policy.undeclared_peer", "undeclared", "peer", (*IFU, "P-1"),
     lambda c: store(c, ct1, stranger), lambda c: store(c, ct1, pacs))
case("disabled-but-used", "policy.disabled_but_used", "disabled_but_used", "none", (*IFU, "P-4"),
     lambda c: blind(c, vendor, ct1, 3389), lambda c: blind(c, vendor, ct2, 3389))
case("different-protocol", "policy.different_protocol", "seen_differently", "protocol", (*IFU, "P-1"),
     lambda c: banner(c, ct1, pacs, 104), lambda c: store(c, ct1, pacs))
case("clear-text", "policy.clear_text", "seen_differently", "clear_text", (*IFU, "P-3"),
     lambda c: web(c, biomed, ct1, 8443), lambda c: secret(c, biomed, ct1, 8443))
case("tls-version", "policy.tls_version", "seen_differently", "tls_version", (*IFU, "P-3"),
     lambda c: secret(c, biomed, ct1, 8443, version=0x0301), lambda c: secret(c, biomed, ct1, 8443))
case("wrong-initiator", "policy.wrong_initiator", "seen_differently", "initiator", (*IFU, "P-1"),
     lambda c: store(c, pacs, ct1, calling="PACS01"), lambda c: store(c, ct1, pacs))
case("sop-class", "policy.sop_class", "seen_differently", "sop_class", (*IFU, "P-1"),
     lambda c: store(c, ct1, pacs, sop=MR), lambda c: store(c, ct1, pacs))
case("dicom-role", "policy.dicom_role", "seen_differently", "role", (*IFU, "P-2"),
     lambda c: mpps(c, False), lambda c: mpps(c, True))
case("hl7-message", "policy.hl7_message", "seen_differently", "hl7_type", (*IFU, "P-5"),
     lambda c: message(c, "ADT^A01"), lambda c: message(c, "ORU^R01"))
case("hl7-version", "policy.hl7_message", "seen_differently", "hl7_app", (*IFU, "P-5"),
     lambda c: message(c, "ORU^R01", "2.3"), lambda c: message(c, "ORU^R01"))
case("ae-impersonation", "identity.ae_title_of_another", "seen_differently", "ae_title", ("inventory.yaml", "1", "ct-1"),
     lambda c: store(c, biomed, pacs, calling="CT01"), lambda c: store(c, ct1, pacs, calling="CT01"))
case("unknown-ae", "policy.unknown_ae_title", "undeclared", "ae_title", ("site.yaml", "1", "roles.pacs"),
     lambda c: store(c, ct1, pacs, calling="NOBODY"), lambda c: store(c, ct1, pacs, calling="CT01"))
case("internet", "policy.internet", "undeclared", "internet", (*MDS2, "CONN-4"),
     lambda c: blind(c, ct1, internet, 443), lambda c: blind(c, ct1, vendor, 443))
case("forbidden", "policy.forbidden", "forbidden", "none", ("site.yaml", "1", "SEC-4"),
     lambda c: secret(c, guest, ct1, 8443), lambda c: secret(c, biomed, ct1, 8443))
case("unknown-device", "policy.unknown_device", "unknown_device", "none", ("inventory.yaml", "1", "all"),
     lambda c: blind(c, ct1, stranger, 9002), lambda c: blind(c, ct1, pacs, 9002))

# ---- what cannot be said ----


def headless(cap):
    blind(cap, ct1, pacs, 104)
    without(cap, lambda n, f: n > 2)


def one_way(cap, both):
    blind(cap, ct1, pacs, 104)
    if not both:
        without(cap, lambda n, f: f[6:12] == ct1.mac)


def holed(cap, hole):
    """The first thousand bytes that the CT sends never reach the mirror."""
    c = cap.tcp(ct1, 40008, pacs, 104, 1.0).open()
    first = len(cap.packets)
    c.send(ct1, bytes(range(256)) * 4)
    second = len(cap.packets)
    c.send(ct1, bytes(range(256)) * 64)
    c.send(pacs, bytes(range(256)) * 8)
    c.close()
    if hole:
        without(cap, lambda n, f: n < first or n >= second)


def behind_router(cap, routed):
    """Hosts of four networks, with one hardware address or each with its own."""
    for i in range(6):
        mac = ROUTER if routed else f"02:00:5e:30:0{i}:01"
        host = Host(mac, f"10.3{i % 4}.0.{5 + i}")
        blind(cap, host, ct1, 8080, at=1.0 + i, client_port=40010 + i)


CAN = "policy.cannot_say", "cannot_say"
case("cannot-say-midstream", *CAN, "midstream", (*IFU, "P-1"), headless, lambda c: blind(c, ct1, pacs, 104))
case("cannot-say-one-sided", *CAN, "one_sided", (*IFU, "P-1"), lambda c: one_way(c, False), lambda c: one_way(c, True))
case("cannot-say-loss", *CAN, "loss", (*IFU, "P-1"), lambda c: holed(c, True), lambda c: holed(c, False))
case("cannot-say-encrypted", *CAN, "encrypted", (*IFU, "P-2"), lambda c: secret(c, ct1, ris, 105), lambda c: mpps(c, True))
case("cannot-say-router", *CAN, "router", ("inventory.yaml", "1", "all"), lambda c: behind_router(c, True), lambda c: behind_router(c, False))


def routed_mac(cap, routed):
    """monitor-1 is known by its hardware address. On its own segment it is assigned; a router with that address is not."""
    for i in range(6):
        host = Host("02:00:5e:20:05:11", f"10.3{i % 4 if routed else 0}.0.{5 + i if routed else 5}")
        blind(cap, host, pacs, 4000 + i, at=1.0 + i, client_port=40020 + i)


case("routed-mac", "identity.router", "-", "-", ("-", "-", "-"), lambda c: routed_mac(c, True), lambda c: routed_mac(c, False))

# ---- addresses by DHCP ----

dhcp_server = Host("02:00:5e:01:00:67", "10.1.0.67")
everybody = Host("ff:ff:ff:ff:ff:ff", "255.255.255.255")
MONITOR, PUMP, OTHER = (bytes.fromhex("02005e20" + tail) for tail in ("0511", "0521", "0599"))


def lease(cap, server, ip, card, at=1.0, seconds=3600):
    """A DHCPACK (RFC 2131 3.1): `card` has `ip` for so long."""
    import ipaddress
    import struct
    given = ipaddress.ip_address(ip).packed
    head = struct.pack("!BBBBIHH4s4s4s4s", 2, 1, 6, 0, 0x3903F326, 0, 0, bytes(4), given, bytes(4), bytes(4))
    options = b"\x35\x01\x05\x36\x04" + server.ip4.packed + b"\x33\x04" + struct.pack("!I", seconds) + b"\xff"
    cap.udp(server, 67, everybody, 68, head + card.ljust(16, b"\0") + bytes(192) + b"\x63\x82\x53\x63" + options, at)


def leased(cap, server, seconds=3600, at=0.0):
    """monitor-1 is known by its card alone, which no packet shows: a router stands between. It gets one address, then another."""
    lease(cap, server, "10.20.6.1", MONITOR, at + 1.0, seconds)
    blind(cap, Host(ROUTER, "10.20.6.1"), pacs, 4001, at=at + 20.0, client_port=43001)
    lease(cap, server, "10.20.7.2", MONITOR, at + 40.0, seconds)
    blind(cap, Host(ROUTER, "10.20.7.2"), pacs, 4002, at=at + 60.0, client_port=43002)


def taken(cap, by):
    """An address with a card of its own, as its lease says; then another card uses it."""
    lease(cap, dhcp_server, "10.20.6.9", OTHER)
    blind(cap, Host(OTHER.hex(), "10.20.6.9"), pacs, 4001, at=2.0, client_port=43003)
    blind(cap, Host(by.hex(), "10.20.6.9"), pacs, 4002, at=3.0, client_port=43004)



def named(cap, name):
    """pump-1 asks for its address and says what it is called."""
    import struct
    head = struct.pack("!BBBBIHH4s4s4s4s", 1, 1, 6, 0, 0x3903F326, 0, 0, bytes(4), bytes(4), bytes(4), bytes(4))
    options = b"\x35\x01\x03\x0c" + bytes([len(name)]) + name + b"\xff"
    cap.udp(Host("02:00:5e:20:05:21", "0.0.0.0"), 68, everybody, 67,
            head + PUMP.ljust(16, b"\0") + bytes(192) + b"\x63\x82\x53\x63" + options, 0.5)
    lease(cap, dhcp_server, "10.20.5.21", PUMP)


case("identity-conflict", "identity.conflict", "-", "-", ("-", "-", "-"), lambda c: named(c, b"laptop-7"), lambda c: named(c, b"PUMP-1"))
case("dhcp-server", "network.dhcp_server", "-", "-", ("-", "-", "-"), lambda c: leased(c, stranger), lambda c: leased(c, dhcp_server))
case("lease-conflict", "identity.lease_conflict", "-", "-", ("-", "-", "-"),
     lambda c: lease(c, dhcp_server, "10.20.5.21", OTHER), lambda c: lease(c, dhcp_server, "10.20.5.21", PUMP))
case("lease-taken", "identity.lease_conflict", "-", "-", ("-", "-", "-"), lambda c: taken(c, PUMP), lambda c: taken(c, OTHER))
for name, seconds in (("leased", 3600), ("leased-alike", 10)):
    cap = Capture(DAY)
    leased(cap, dhcp_server, seconds)
    cap.write(f"{DIR}/{name}.pcap")
# The same from a host that the site may or may not know as its server, when the router is known as one.
cap = Capture(DAY)
behind_router(cap, True)
leased(cap, stranger, at=10.0)
cap.write(f"{DIR}/leased-any.pcap")

# ---- answers, limits, hours ----

case("answer-encrypted", "answer.encrypted", "seen_differently", "answer", ("MDS2-SCOPE", "1", "TXCF-2"),
     lambda c: store(c, scope1, pacs, calling="SCOPE1"), lambda c: store(c, scope2, pacs, calling="SCOPE2"))
case("answer-remote", "answer.remote_service", "seen_differently", "answer", ("MDS2-SCOPE", "1", "RMOT-1"),
     lambda c: banner(c, biomed, scope1, 22), lambda c: banner(c, biomed, scope2, 22))


def calls(cap, n):
    for i in range(n):
        blind(cap, ct1, pacs, 9000, at=1.0 + i, payload=b"x" * 40, client_port=41000 + i)


LIMIT = "policy.over_limit", "seen_differently", "limit", (*IFU, "P-6a")
case("limit-connections", *LIMIT, lambda c: calls(c, 5), lambda c: calls(c, 3))
case("limit-bytes", *LIMIT, lambda c: blind(c, ct1, pacs, 9000, payload=b"x" * 8000), lambda c: blind(c, ct1, pacs, 9000, payload=b"x" * 800))
case("limit-session", *LIMIT, lambda c: blind(c, ct1, pacs, 9000, payload=b"x" * 40, stay=90), lambda c: blind(c, ct1, pacs, 9000, payload=b"x" * 40, stay=30))


def silent(cap, seconds):
    c = cap.tcp(ct1, 40009, pacs, 9003, 1.0).open()
    c.send(ct1, b"x" * 40)
    c.send(pacs, b"y" * 40)
    c.wait(seconds)
    c.send(ct1, b"x" * 40)
    c.send(pacs, b"y" * 40)
    return c.close()


case("limit-idle", "policy.over_limit", "seen_differently", "limit", (*IFU, "P-9a"), lambda c: silent(c, 301), lambda c: silent(c, 299))
case("off-schedule", "policy.off_schedule", "seen_differently", "schedule", (*IFU, "P-7"),
     lambda c: blind(c, ct1, pacs, 9001), lambda c: blind(c, ct1, pacs, 9001), alike_start="2026-11-24T23:00:00Z")


def peers(cap, n):
    for i in range(n):
        blind(cap, ct1, (pacs, ris, engine)[i], 9002, at=1.0 + i, client_port=42000 + i)


case("too-many-peers", "policy.too_many_peers", "seen_differently", "peers", (*IFU, "P-8"), lambda c: peers(c, 3), lambda c: peers(c, 2))


def days(cap, n):
    for i in range(n + 1):
        store(cap, ct1, pacs, at=1.0 + i * 86400)


case("never-seen", "policy.never_seen", "never_seen", "-", (*IFU, "P-5"), lambda c: days(c, 8), lambda c: days(c, 5))

# ---- life, controls, windows, modes ----

OLD = "IFU-OLD", "9"
case("network-use-ended", "lifecycle.network_use_ended", "seen_differently", "none", (*OLD, "L-3"),
     lambda c: store(c, old, pacs, calling="OLD"), lambda c: store(c, old, pacs, calling="OLD"), alike_start="2026-10-24T09:00:00Z")
case("support-ended", "lifecycle.support_ended", "seen_differently", "none", (*OLD, "L-2"),
     lambda c: store(c, old, pacs, calling="OLD"), lambda c: store(c, old, pacs, calling="OLD"),
     start="2026-10-24T09:00:00Z", alike_start="2025-10-24T09:00:00Z")
case("limited-support", "lifecycle.limited_support", "seen_differently", "none", (*OLD, "L-1"),
     lambda c: store(c, old, pacs, calling="OLD"), lambda c: store(c, old, pacs, calling="OLD"),
     start="2025-10-24T09:00:00Z", alike_start="2023-10-24T09:00:00Z")
case("control-bypass", "control.bypass", "forbidden", "none", ("IFU-SHIELD", "2", "C-1"),
     lambda c: web(c, ct1, shielded, 80), lambda c: web(c, biomed, shielded, 80))
case("learning", "policy.undeclared_listener", "undeclared", "listener", (*MDS2, "SAHD-8"),
     lambda c: web(c, biomed, learner, 8080), lambda c: web(c, biomed, learner, 8080), start="2026-12-02T09:00:00Z", alike_start=DAY)

with open(f"{DIR}/cases.tsv", "w") as f:
    f.write("# capture\trule\tverdict\twhat\tdocument\trevision\trow; NAME-alike.pcap must not yield the rule\n")
    for c in cases:
        f.write("\t".join(c) + "\n")
# In the window and outside: the same breach, info and named, or as grave as it is.
for name, when in (("window", "2026-11-24T13:00:00Z"), ("window-alike", "2026-11-24T15:00:00Z")):
    cap = Capture(when)
    blind(cap, vendor, ct3, 3389)
    cap.write(f"{DIR}/{name}.pcap")
