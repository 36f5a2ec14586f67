"""hl7-messages.py KIND -- messages for the senders of hl7-python.sh and hl7-node.sh, framed, on standard output. Every
name is a canary."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hl7gen import message, mllp, msh

PID = "PID|1||TESTID-1^^^HOSP^PI||TESTCANARY^ALPHA||19010101|O"


def adt(i, event="A01"):
    return message(msh(f"ADT^{event}^ADT_A01", f"ADT{i:05d}", "HIS", "HOSP", "ENGINE", "HOSP"),
                   f"EVN|{event}|20261122090000", PID, "PV1|1|I|5E^501^1")


def oru(i, observations=3):
    return message(msh("ORU^R01^ORU_R01", f"ORU{i:05d}", "LAB", "HOSP", "ENGINE", "HOSP", "2.6"), PID,
                   f"OBR|1|{i}||PANEL", *(f"OBX|{k + 1}|NM|CODE{k}||{k}|u|||||F" for k in range(observations)))


def japanese(i):
    # MSH-18 ~ISO IR87: two-byte characters (JIS X 0208) between ESC $ B and ESC ( B, with bytes like | ^ & in them.
    name = b"TESTCANARY^BETA~\x1b$B4|^\x26\x1b(B^\x1b$B;3\x7c\x24\x1b(B"
    text = message(msh("OMP^O09^OMP_O09", f"OMP{i:05d}", "HIS", "HOSP", "PHARMACY", "HOSP",
                       rest="||||||~ISO IR87||ISO 2022-1994"), "PID|1||TESTID-2^^^HOSP^PI||NAME", "ORC|NW|1")
    return text.replace(b"NAME", name)


kinds = {
    "adt": lambda: [adt(1)],
    "several": lambda: [adt(1), adt(2, "A08"), oru(3), adt(4, "A03")],
    "refused": lambda: [message(msh("ADT^A01", "ADT0000X", "HIS", "HOSP", "ENGINE", "HOSP"), PID)],
    "long": lambda: [oru(9, 1800)],
    "japanese": lambda: [japanese(1)],
}
sys.stdout.buffer.write(b"".join(mllp(m) for m in kinds[sys.argv[1]]()))
