"""hl7-orders.py OUT_DIR -- makes test-pcaps/hl7/orders-*.pcap by pcapgen.py: orders sent again, by whom and how. Names are canaries.

orders-silent: the placing system resends what was not answered, sends an answered message again unchanged, changes its own order,
and an interface engine passes an order on to another receiver under the same numbers. orders-changed: another host sends the
same order with another dose, and an answered message again; then a message is left without an answer for minutes."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hl7gen import ack, message, mllp, msh
from pcapgen import Capture, Host

his = Host("02:00:00:00:00:10", "192.0.2.10", "2001:db8::10")
pharmacy = Host("02:00:00:00:00:20", "192.0.2.20", "2001:db8::20")
other = Host("02:00:00:00:00:66", "192.0.2.66", "2001:db8::66")
archive = Host("02:00:00:00:00:30", "192.0.2.30", "2001:db8::30")
out = sys.argv[1]


def order(control_id, number, dose, control="NW"):
    return mllp(message(msh("RDE^O11^RDE_O11", control_id, "HIS", "HOSP", "PHARM", "HOSP"), "PID|1||TESTID-5^^^HOSP^PI||TESTCANARY^DELTA",
                        f"ORC|{control}|{number}", f"RXE|1|DRUG|{dose}||mg"))


def answer(control_id):
    return mllp(ack("R" + control_id, control_id, "PHARM", "HOSP", "HIS", "HOSP"))


cap = Capture("2026-11-22T09:00:00Z")
c = cap.tcp(his, 50000, pharmacy, 2575, 1.0).open()
c.send(his, order("O1", "4711", 5)).wait(30).send(his, order("O1", "4711", 5)).wait(0.1).send(pharmacy, answer("O1")).wait(1)
c.send(his, order("O1", "4711", 5)).wait(0.1).send(pharmacy, answer("O1")).wait(1)
c.send(his, order("O2", "4711", 10, "XO")).wait(0.1).send(pharmacy, answer("O2")).close()
c = cap.tcp(pharmacy, 50001, archive, 2575, 60.0).open()
c.send(pharmacy, order("O2", "4711", 10, "XO")).wait(0.1).send(archive, answer("O2")).close()
cap.write(os.path.join(out, "orders-silent.pcap"))

cap = Capture("2026-11-22T09:00:00Z")
c = cap.tcp(his, 50000, pharmacy, 2575, 1.0).open()
c.send(his, order("O1", "4711", 5)).wait(0.1).send(pharmacy, answer("O1")).wait(1)
c.send(his, order("O2", "4712", 5)).wait(0.1)
x = cap.tcp(other, 50000, pharmacy, 2575, 30.0).open()
x.send(other, order("X1", "4711", 50)).wait(0.1).send(pharmacy, answer("X1")).wait(1)
x.send(other, order("O1", "4711", 5)).wait(0.1).send(pharmacy, answer("O1")).close()
y = cap.tcp(his, 50002, pharmacy, 2575, 700.0).open()
y.send(his, order("O3", "4713", 5)).wait(0.1).send(pharmacy, answer("O3")).wait(100).close()
cap.write(os.path.join(out, "orders-changed.pcap"))
