"""hl7gen -- bytes of HL7 v2 messages and of their framing, by our own hand. Names of people are canaries."""

VT, FS, CR = b"\x0b", b"\x1c", b"\r"


def msh(kind, control_id, app, facility, to_app, to_facility, version="2.5", time="20261122090000", rest=""):
    return f"MSH|^~\\&|{app}|{facility}|{to_app}|{to_facility}|{time}||{kind}|{control_id}|P|{version}{rest}"


def message(*segments):
    return b"".join(s.encode() + CR for s in segments)


def mllp(data):
    return VT + data + FS + CR


def ack(control_id, acked, app, facility, to_app, to_facility, code="AA", version="2.5", kind="ACK",
        time="20261122090000"):
    return message(msh(kind, control_id, app, facility, to_app, to_facility, version, time), f"MSA|{code}|{acked}")
