"""dicomgen -- bytes of DICOM's upper layer (PS3.8), commands (PS3.7) and small data sets (PS3.5), by our own hand."""
import struct

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
VERIFICATION = "1.2.840.10008.1.1"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
US_IMAGE = "1.2.840.10008.5.1.4.1.1.6.1"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
WORKLIST = "1.2.840.10008.5.1.4.31"
# Our own numbers, in the arc for examples (2.25 is UUID-derived, PS3.5 B.2).
IMPLEMENTATION = "2.25.1"

C_STORE, C_FIND, C_MOVE, C_ECHO = 0x0001, 0x0020, 0x0021, 0x0030


def _item(kind, data):
    return struct.pack("!BBH", kind, 0, len(data)) + data


def _uid(kind, uid):
    return _item(kind, uid.encode())


def _user_info(implementation, version, max_pdu, more=b""):
    data = _item(0x51, struct.pack("!I", max_pdu)) + _uid(0x52, implementation) + more
    return _item(0x50, data + (_item(0x55, version.encode()) if version else b""))


def _associate(kind, calling, called, items):
    body = struct.pack("!HH", 1, 0) + called.ljust(16).encode() + calling.ljust(16).encode() + bytes(32)
    body += _uid(0x10, "1.2.840.10008.3.1.1.1") + items
    return struct.pack("!BBI", kind, 0, len(body)) + body


def request(calling, called, contexts, implementation=IMPLEMENTATION, version="EXAMPLE_1", max_pdu=16384, more=b""):
    """contexts: [(id, abstract syntax, [transfer syntaxes])]; more: further user information items."""
    items = b"".join(_item(0x20, struct.pack("!BBBB", i, 0, 0, 0) + _uid(0x30, a) + b"".join(_uid(0x40, t) for t in ts))
                     for i, a, ts in contexts)
    return _associate(1, calling, called, items + _user_info(implementation, version, max_pdu, more))


def accept(calling, called, contexts, implementation=IMPLEMENTATION, version="EXAMPLE_1", max_pdu=16384):
    """contexts: [(id, result, transfer syntax)]"""
    items = b"".join(_item(0x21, struct.pack("!BBBB", i, 0, r, 0) + _uid(0x40, t)) for i, r, t in contexts)
    return _associate(2, calling, called, items + _user_info(implementation, version, max_pdu))


def reject(result=1, source=1, reason=7):
    return struct.pack("!BBIBBBB", 3, 0, 4, 0, result, source, reason)


def release_request():
    return struct.pack("!BBII", 5, 0, 4, 0)


def release_response():
    return struct.pack("!BBII", 6, 0, 4, 0)


def abort(source=0, reason=0):
    return struct.pack("!BBIBBBB", 7, 0, 4, 0, 0, source, reason)


def pdata(context, data, command, last=True):
    value = struct.pack("!BB", context, (1 if command else 0) | (2 if last else 0)) + data
    return struct.pack("!BBII", 4, 0, len(value) + 4, len(value)) + value


def element(group, number, value):
    """Implicit VR little endian, padded to an even length (PS3.5 7.1.3)."""
    if len(value) % 2:
        value += b"\0"
    return struct.pack("<HHI", group, number, len(value)) + value


def text(group, number, value, pad=b" "):
    value = value.encode()
    return element(group, number, value + (pad if len(value) % 2 else b""))


def uid(group, number, value):
    return text(group, number, value, b"\0")


def us(group, number, value):
    return element(group, number, struct.pack("<H", value))


def command(code, sop_class=None, message_id=None, responded=None, status=None, data_set=False, instance=None,
            destination=None, counts=None, originator=None):
    e = []
    if sop_class:
        e.append(uid(0, 0x0002, sop_class))
    e.append(us(0, 0x0100, code))
    if message_id is not None:
        e.append(us(0, 0x0110, message_id))
    if responded is not None:
        e.append(us(0, 0x0120, responded))
    if destination:
        e.append(text(0, 0x0600, destination))
    if code in (C_STORE, C_FIND, C_MOVE):
        e.append(us(0, 0x0700, 0))
    e.append(us(0, 0x0800, 0x0001 if data_set else 0x0101))
    if status is not None:
        e.append(us(0, 0x0900, status))
    if instance:
        e.append(uid(0, 0x1000, instance))
    for i, n in enumerate(counts or ()):
        e.append(us(0, 0x1020 + i, n))
    if originator:
        e.append(text(0, 0x1030, originator[0]))
        e.append(us(0, 0x1031, originator[1]))
    body = b"".join(e)
    return element(0, 0, struct.pack("<I", len(body))) + body


def image(sop_class, instance, patient="TESTCANARY^SYNTHETIC", modality="CT", station="STATION1", pixels=8192):
    """A small image with a synthetic patient; every pixel the same."""
    return b"".join((
        uid(0x0008, 0x0016, sop_class), uid(0x0008, 0x0018, instance), text(0x0008, 0x0020, "20261122"),
        text(0x0008, 0x0060, modality), text(0x0008, 0x0070, "Example Imaging"), text(0x0008, 0x1010, station),
        text(0x0010, 0x0010, patient), text(0x0010, 0x0020, "TEST0001"),
        uid(0x0020, 0x000D, instance + ".1"), uid(0x0020, 0x000E, instance + ".2"),
        us(0x0028, 0x0010, 64), us(0x0028, 0x0011, 64), us(0x0028, 0x0100, 16),
        element(0x7FE0, 0x0010, b"\x55\xaa" * (pixels // 2)),
    ))


class Association:
    """An association on an open pcapgen.Connection; `client` and `server` are its hosts."""

    def __init__(self, c, client, server, calling, called, contexts, version="EXAMPLE_1", server_version="EXAMPLE_2"):
        """contexts: {abstract syntax: context id}"""
        self.c, self.client, self.server = c, client, server
        self.calling, self.called, self.contexts = calling, called, contexts
        self.message = 0
        c.send(client, request(calling, called, [(i, a, [IMPLICIT, EXPLICIT]) for a, i in contexts.items()],
                               version=version))
        c.send(server, accept(calling, called, [(i, 0, IMPLICIT) for i in contexts.values()], version=server_version))

    def _next(self):
        self.message += 1
        return self.message

    def echo(self):
        i, m = self.contexts[VERIFICATION], self._next()
        self.c.send(self.client, pdata(i, command(C_ECHO, VERIFICATION, m), True))
        self.c.send(self.server, pdata(i, command(C_ECHO | 0x8000, VERIFICATION, responded=m, status=0), True))
        return self

    def store(self, sop_class, instance, modality="CT", station="STATION1", pixels=8192, originator=None):
        i, m = self.contexts[sop_class], self._next()
        self.c.send(self.client, pdata(i, command(C_STORE, sop_class, m, data_set=True, instance=instance,
                                                  originator=originator), True))
        data = image(sop_class, instance, modality=modality, station=station, pixels=pixels)
        for at in range(0, len(data), 16000):
            self.c.send(self.client, pdata(i, data[at:at + 16000], False, at + 16000 >= len(data)))
        self.c.send(self.server, pdata(i, command(C_STORE | 0x8000, sop_class, responded=m, status=0,
                                                  instance=instance), True))
        return self

    def find(self, sop_class, query, answers):
        i, m = self.contexts[sop_class], self._next()
        self.c.send(self.client, pdata(i, command(C_FIND, sop_class, m, data_set=True), True) + pdata(i, query, False))
        for a in answers:
            self.c.send(self.server, pdata(i, command(C_FIND | 0x8000, sop_class, responded=m, status=0xFF00,
                                                      data_set=True), True) + pdata(i, a, False))
        self.c.send(self.server, pdata(i, command(C_FIND | 0x8000, sop_class, responded=m, status=0), True))
        return self

    def move(self, sop_class, query, destination, n, between=None):
        """`between` makes what happens elsewhere meanwhile: the sub-operations."""
        i, m = self.contexts[sop_class], self._next()
        self.c.send(self.client, pdata(i, command(C_MOVE, sop_class, m, data_set=True, destination=destination), True) +
                    pdata(i, query, False))
        for done in range(n):
            self.c.wait(0.05)
            if between:
                between(done, m)
            self.c.send(self.server, pdata(i, command(C_MOVE | 0x8000, sop_class, responded=m, status=0xFF00,
                                                      counts=(n - done - 1, done + 1, 0, 0)), True))
        self.c.send(self.server, pdata(i, command(C_MOVE | 0x8000, sop_class, responded=m, status=0,
                                                  counts=(0, n, 0, 0)), True))
        return self

    def release(self):
        self.c.send(self.client, release_request())
        self.c.send(self.server, release_response())
        self.c.close(self.client)
        return self
