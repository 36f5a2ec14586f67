"""demo.py OUT_DIR -- the hospital day: writes hospital-day.pcap and expected.tsv. Deterministic.

One day of a small hospital as a SPAN port shows it: CT, two ultrasounds, PACS, RIS, HL7 engine, two patient
monitors, a workstation. Nine breaches of what the files in policy/ declare are planted, each once; beside each
one stands a look-alike that is declared and must stay silent.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dicomgen as dicom
import hl7gen as hl7
import tlsgen as tls
from pcapgen import Capture, Host

HOUR = 3600.0
cap = Capture("2026-11-22T23:00:00Z")   # 08:00 in Japan
expected = []
uid_count = 0
port_count = 49200


def port():
    """The next client port."""
    global port_count
    port_count += 1
    return port_count


def uid():
    global uid_count
    uid_count += 1
    return f"2.25.20261122.{uid_count}"


def breach(device, rule, why):
    expected.append((device, rule, why))


# Hosts. The capture is taken at the access switches: frames to and from other networks carry the gateway's address.
GATEWAYS = {203: "02:00:5e:20:03:01", None: "02:00:5e:30:05:01"}
ct = Host("02:00:5e:20:03:11", "10.20.3.11", "2001:db8:20:3::11", vlan=203)
us1 = Host("02:00:5e:20:03:21", "10.20.3.21", vlan=203)
us2 = Host("02:00:5e:20:03:22", "10.20.3.22", vlan=203)
stranger = Host("02:00:5e:20:03:77", "10.20.3.77", vlan=203)
pm1 = Host("02:00:5e:30:05:31", "10.30.5.31")
pm2 = Host("02:00:5e:30:05:32", "10.30.5.32")
pacs = Host("02:00:5e:01:00:10", "10.1.0.10", "2001:db8:1::10")
pacs2 = Host("02:00:5e:01:00:12", "10.1.0.12")
archive = Host("02:00:5e:01:00:66", "10.1.0.66")        # stands in no file
ris = Host("02:00:5e:01:00:11", "10.1.0.11")
engine = Host("02:00:5e:01:00:20", "10.1.0.20")
his = Host("02:00:5e:01:00:30", "10.1.0.30")
ntp = Host("02:00:5e:01:00:04", "10.1.0.4")
ws1 = Host("02:00:5e:09:00:21", "10.9.0.21")
ws2 = Host("02:00:5e:09:00:22", "10.9.0.22")
biomed = Host("02:00:5e:09:00:05", "10.9.0.5")
vendor = Host("02:00:5e:ff:00:01", "192.0.2.10")
internet = Host("02:00:5e:ff:00:01", "198.51.100.23")
web = Host("02:00:5e:ff:00:01", "203.0.113.80")


def far(host, near):
    """`host` as its frames look beside `near`: with the gateway's hardware address."""
    gw = Host(GATEWAYS[near.vlan], vlan=near.vlan)
    gw.ip4, gw.ip6 = host.ip4, host.ip6
    return gw


def connect(client, server, server_port, at, version=4, mss=1448):
    return cap.tcp(client, port(), server, server_port, at, version, mss).open()


def associate(client, server, server_port, at, calling, called, contexts, version=4):
    c = connect(client, server, server_port, at, version)
    return dicom.Association(c, client, server, calling, called, contexts)


def study(client, server, server_port, at, calling, called, kind, modality, n=2, version=4):
    a = associate(client, server, server_port, at, calling, called, {dicom.VERIFICATION: 1, kind: 3}, version)
    for _ in range(n):
        a.store(kind, uid(), modality, calling, pixels=12000)
    a.release()


def ntp_query(host, at):
    server = far(ntp, host)
    ask = bytes([0x23]) + bytes(39) + struct.pack("!II", int(at), 0)
    answer = bytes([0x24, 2, 6, 0xE9]) + bytes(36) + struct.pack("!II", int(at), 1)
    cap.udp(host, 123, server, 123, ask, at)
    cap.udp(server, 123, host, 123, answer, at + 0.001)


def http(client, server, server_port, at, path):
    c = connect(client, server, server_port, at)
    c.send(client, f"GET {path} HTTP/1.1\r\nHost: device.example\r\nUser-Agent: example/1.0\r\n\r\n".encode())
    c.send(server, b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 26\r\n\r\n<html>example only</html>\r\n")
    c.close()


def hl7_dialogue(client, server, server_port, at, messages, pause=1.0):
    """messages: [(bytes of the message, bytes of its acknowledgement)] on one connection."""
    c = connect(client, server, server_port, at)
    for m, a in messages:
        c.send(client, hl7.mllp(m))
        c.send(server, hl7.mllp(a))
        c.wait(pause)
    c.close()


# ---- the day as it should be ----

for i, (host, gw) in enumerate(((ct, 203), (us1, 203), (us2, 203), (pm1, None), (pm2, None))):
    gateway = Host(GATEWAYS[gw], "10.20.3.1" if gw else "10.30.5.1", vlan=gw)
    cap.arp(host, gateway, 1 + i * 0.1)
    cap.ping(far(biomed, host), host, 5 + i * 0.1)
    for h in (0, 4, 8):
        ntp_query(host, 20 + i + h * HOUR)

# Admissions and orders: HIS -> engine, engine -> RIS.
adt = []
orders = []
for i in range(4):
    m = hl7.message(
        hl7.msh("ADT^A01^ADT_A01", f"HIS{i:04d}", "HIS", "HOSP", "ENGINE", "HOSP"),
        "EVN|A01|20261122230000", f"PID|1||TEST{i:04d}^^^HOSP^PI||TESTCANARY^NUMBER{i}||19700101|F", "PV1|1|I|5E^501^1")
    adt.append((m, hl7.ack(f"ENG{i:04d}", f"HIS{i:04d}", "ENGINE", "HOSP", "HIS", "HOSP", kind="ACK^A01^ACK")))
    m = hl7.message(
        hl7.msh("ORM^O01", f"ORD{i:04d}", "ENGINE", "HOSP", "RIS", "RAD", "2.3"),
        f"PID|1||TEST{i:04d}^^^HOSP^PI||TESTCANARY^NUMBER{i}", f"ORC|NW|{1000 + i}", f"OBR|1|{1000 + i}||CT^CHEST")
    orders.append((m, hl7.ack(f"RIS{i:04d}", f"ORD{i:04d}", "RIS", "RAD", "ENGINE", "HOSP", version="2.3")))
hl7_dialogue(his, engine, 2575, 120, adt, 30)
hl7_dialogue(engine, ris, 2576, 125, orders, 30)

# Worklists before the examinations.
answer = dicom.text(0x0010, 0x0010, "TESTCANARY^SYNTHETIC") + dicom.text(0x0010, 0x0020, "TEST0001")
query = dicom.text(0x0010, 0x0010, "") + dicom.text(0x0010, 0x0020, "")
for n, (host, title) in enumerate(((ct, "CT_1"), (us1, "US_1"), (us2, "US_2"))):
    a = associate(host, far(ris, host), 104, 0.5 * HOUR + 60 * n, title, "RIS01", {dicom.WORKLIST: 1})
    a.find(dicom.WORKLIST, query, [answer, answer]).release()

# The CT's studies.
study(ct, far(pacs, ct), 11112, 1.0 * HOUR, "CT_1", "PACS01", dicom.CT_IMAGE, "CT", 3)
study(ct, far(pacs, ct), 11112, 3.0 * HOUR, "CT_1", "PACS01", dicom.CT_IMAGE, "CT", 2)

# The radiologist's workstation queries, retrieves (the PACS calls back) and reads the news.
c = connect(ws1, pacs, 11112, 3.5 * HOUR)
a = dicom.Association(c, ws1, pacs, "WS01", "PACS01", {dicom.STUDY_FIND: 1, dicom.STUDY_MOVE: 3})
a.find(dicom.STUDY_FIND, query, [answer])


def to_workstation(done, message):
    b = associate(pacs, ws1, 11112, a.c.now, "PACS01", "WS01", {dicom.CT_IMAGE: 1})
    b.store(dicom.CT_IMAGE, uid(), "CT", "CT_1", originator=("WS01", message))
    b.release()


a.move(dicom.STUDY_MOVE, query, "WS01", 1, to_workstation).release()
c = connect(ws1, web, 443, 3.6 * HOUR)
tls.session(c, ws1, web, "news").close()

# ---- breaches, each with its look-alike ----

# 1. A service that no document declares answers on the CT.
breach("ct-1", "policy.undeclared_listener", "SSH answers on tcp/22 of the CT; the port list is exhaustive")
remote = far(biomed, ct)
c = connect(remote, ct, 22, 1.5 * HOUR)
c.send(ct, b"SSH-2.0-ExampleSSH_1.0\r\n").send(remote, b"SSH-2.0-ExampleClient_2.0\r\n").close()
# Look-alike: a closed port of the CT is tried and refuses.
cap.tcp(remote, port(), ct, 23, 1.6 * HOUR).refused()

# 2. The CT sends a study to an archive that nobody declared. The archive itself stands in no register.
breach("ct-1", "policy.undeclared_peer", "study to 10.1.0.66, which is no PACS of the site")
breach("10.1.0.66", "policy.unknown_device", "the archive of breach 2 stands in no register and in no site role")
study(ct, far(archive, ct), 11112, 2.0 * HOUR, "CT_1", "ARCHIVE9", dicom.CT_IMAGE, "CT", 2)
# Look-alike: the second declared PACS.
study(ct, far(pacs2, ct), 11112, 2.2 * HOUR, "CT_1", "PACS02", dicom.CT_IMAGE, "CT", 2)

# 3. A port that the maker lists as disabled is in use on ultrasound 1.
breach("us-1", "policy.disabled_but_used", "remote-ui (tcp/8080) is optional, off by default and not enabled for us-1")
http(far(ws1, us1), us1, 8080, 2.5 * HOUR, "/ui")
# Look-alike: the inventory of ultrasound 2 has it switched on. The workstation is in no register, but has a site role.
http(far(ws1, us2), us2, 8080, 2.6 * HOUR, "/ui")

# 4. Clear text where TLS is declared.
breach("us-1", "policy.clear_text", "DICOM in clear on tcp/2762, declared as TLS")
study(us1, far(pacs, us1), 2762, 4.0 * HOUR, "US_1", "PACS01", dicom.US_IMAGE, "US", 1)
# Look-alike: ultrasound 2 speaks TLS on the same port.
server = far(pacs, us2)
c = connect(us2, server, 2762, 4.2 * HOUR)
tls.session(c, us2, server, "us-2", (24000, 300)).close()

# 5. A device declared local-only talks to the internet.
breach("pm-1", "policy.internet", "monitor to 198.51.100.23; its maker says it talks to nobody outside")
server = far(internet, pm1)
c = connect(pm1, server, 443, 4.5 * HOUR)
tls.session(c, pm1, server, "pm-1").close()
# Look-alike: the CT uses its maker's service, as declared.
server = far(vendor, ct)
c = connect(ct, server, 443, 4.6 * HOUR)
tls.session(c, ct, server, "ct-1 service").close()

# 6. The wrong side opens the connection.
breach("pm-1", "policy.wrong_initiator", "the engine calls tcp/2575 of the monitor; declared is the monitor calling the engine")
m = hl7.message(hl7.msh("QRY^R02", "ENGQ0001", "ENGINE", "HOSP", "VITALA", "5E", "2.3"), "QRD|20261122230000|R|I|Q1")
hl7_dialogue(far(engine, pm1), pm1, 2575, 5.0 * HOUR,
             [(m, hl7.ack("PMA0001", "ENGQ0001", "VITALA", "5E", "ENGINE", "HOSP", version="2.3"))])
# Look-alike: both monitors call the engine on the same port.
for monitor, name, at in ((pm1, "PM1", 5.2), (pm2, "PM2", 5.3)):
    results = []
    for i in range(3):
        m = hl7.message(
            hl7.msh("ORU^R01", f"{name}{i:04d}", "VITALA", "5E", "ENGINE", "HOSP", "2.6"),
            "PID|1||TEST0001^^^HOSP^PI||TESTCANARY^SYNTHETIC", "PV1|1|I|5E^501^1", "OBR|1|||VITALS",
            f"OBX|1|NM|8867-4^Heart rate^LN||{70 + i}|/min|||||F")
        results.append((m, hl7.ack(f"E{name}{i:04d}", f"{name}{i:04d}", "ENGINE", "HOSP", "VITALA", "5E", version="2.6")))
    hl7_dialogue(monitor, far(engine, monitor), 2575, at * HOUR, results, 60)

# 7. A calling AE title that nobody knows.
breach("ct-1", "policy.unknown_ae_title", "ECHOSCU calls the CT; no file names that title")
associate(far(ws1, ct), ct, 104, 5.5 * HOUR, "ECHOSCU", "ANY-SCP", {dicom.VERIFICATION: 1}).echo().release()
# Look-alike: the same workstation under its own title.
associate(far(ws1, ct), ct, 104, 5.6 * HOUR, "WS01", "CT_1", {dicom.VERIFICATION: 1}).echo().release()

# 8. A device that stands in no register.
breach("10.20.3.77", "policy.unknown_device", "a host in the imaging network that no file names")
http(stranger, us2, 8080, 6.0 * HOUR, "/ui")
# Look-alike: the workstation of breach 3 again.
http(far(ws2, us2), us2, 8080, 6.1 * HOUR, "/ui")

# 9. A host says the AE title of another device.
breach("ct-1", "identity.ae_title_of_another", "workstation 10.9.0.22 calls the PACS as CT_1")
study(ws2, pacs, 11112, 6.5 * HOUR, "CT_1", "PACS01", dicom.CT_IMAGE, "CT", 1)
# Look-alikes: the CT itself from its second, registered address; ultrasound 1 fetching priors, which the PACS
# delivers on a connection of its own under its own title.
study(ct, far(pacs, ct), 11112, 6.6 * HOUR, "CT_1", "PACS01", dicom.CT_IMAGE, "CT", 1, version=6)
server = far(pacs, us1)
a = associate(us1, server, 11112, 6.8 * HOUR, "US_1", "PACS01", {dicom.STUDY_MOVE: 1})


def to_ultrasound(done, message):
    b = associate(server, us1, 104, a.c.now, "PACS01", "US_1", {dicom.US_IMAGE: 1})
    b.store(dicom.US_IMAGE, uid(), "US", "US_1", originator=("US_1", message))
    b.release()


a.move(dicom.STUDY_MOVE, query, "US_1", 1, to_ultrasound).release()

out = sys.argv[1]
cap.write(os.path.join(out, "hospital-day.pcap"))
with open(os.path.join(out, "expected.tsv"), "w") as f:
    f.write("# The alerts of the hospital day, exactly these and no other: device, rule, why. Written by ../make/demo.py.\n")
    for row in expected:
        f.write("\t".join(row) + "\n")
