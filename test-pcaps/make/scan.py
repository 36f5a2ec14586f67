#!/usr/bin/python3
"""scan.py [OUT_DIR] -- makes test-pcaps/demo/beside-a-scan.pcap: what hosts send one way beside a scan. Same bytes every time.

us-1 tries 100 ports that refuse and then sends, each to a host of its own and never answered: one flow of seven full datagrams; one of a SYN
with data and six segments without ACK; ten flows of one small datagram to the same port; a single small datagram (the scan's). Somebody
else's card tries 100 ports in the name of us-2, which itself sends one small datagram. A ping a quarter of an hour later lets all end."""
import os, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pcapgen import Capture, Host, PSH, SYN  # noqa: E402

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "demo")
us1, us2 = (Host(f"02:00:5e:20:03:2{n}", f"10.20.3.2{n}") for n in (1, 2))
forger = Host("02:00:5e:99:00:66", "10.20.3.22")
tried, heavy, bare, again, once, own = (Host(f"02:00:5e:08:00:{n:02d}", f"10.8.0.{n}") for n in (22, 40, 50, 60, 70, 80))
cap = Capture("2026-11-22T09:00:00Z")


def scan(of, at):
    for i in range(100):
        cap.tcp(of, 30000 + i, tried, 1000 + i, at + i / 100).refused()


scan(us1, 1.0)
scan(forger, 1.0)
for i in range(7):
    cap.udp(us1, 41000, heavy, 514, b"S" * 1400, 101.0 + i / 100)
c = cap.tcp(us1, 42000, bare, 25, 102.0)
c.packet(0, SYN, b"D" * 1400)
for _ in range(6):
    c.packet(0, PSH, b"D" * 1400)
for i in range(10):
    cap.udp(us1, 43000 + i, again, 515, b"again", 103.0 + i)
cap.udp(us1, 44000, once, 516, b"once", 104.0)
cap.udp(us2, 45000, own, 517, b"its own", 105.0)
cap.ping(us2, us1, 1000.0)
cap.write(os.path.join(OUT, "beside-a-scan.pcap"))
