"""tlsgen -- the plain parts of a TLS 1.2 connection (RFC 5246) with made-up key material: enough to be seen as TLS,
nothing that could be decrypted."""
import hashlib
import struct


def _bytes(label, n):
    out = b""
    while len(out) < n:
        out += hashlib.sha256(label.encode() + struct.pack("!I", len(out))).digest()
    return out[:n]


def record(kind, data, version=0x0303):
    return struct.pack("!BHH", kind, version, len(data)) + data


def handshake(kind, body):
    return struct.pack("!B", kind) + struct.pack("!I", len(body))[1:] + body


def client_hello(label, name="peer.example"):
    host = name.encode()
    sni = struct.pack("!HBH", len(host) + 3, 0, len(host)) + host
    extensions = struct.pack("!HH", 0, len(sni)) + sni
    groups = struct.pack("!HHH", 4, 23, 24)
    extensions += struct.pack("!HH", 10, len(groups)) + groups
    ciphers = struct.pack("!HHH", 0xC02F, 0xC030, 0x009E)
    body = struct.pack("!H", 0x0303) + _bytes(label, 32) + b"\0"
    body += struct.pack("!H", len(ciphers)) + ciphers + b"\x01\0" + struct.pack("!H", len(extensions)) + extensions
    return record(22, handshake(1, body))


def server_flight(label, version=0x0303):
    hello = struct.pack("!H", version) + _bytes(label + " server", 32) + b"\0" + struct.pack("!HBH", 0xC02F, 0, 0)
    certificate = _bytes(label + " certificate", 900)
    chain = struct.pack("!I", len(certificate))[1:] + certificate
    chain = struct.pack("!I", len(chain))[1:] + chain
    return b"".join(record(22, handshake(kind, body), version) for kind, body in ((2, hello), (11, chain), (14, b"")))


def finish(label):
    """ChangeCipherSpec and an encrypted Finished."""
    return record(20, b"\x01") + record(22, _bytes(label + " finished", 40))


def data(label, n):
    """`n` bytes that look encrypted, in records of at most 2^14."""
    stuff = _bytes(label, n)
    return b"".join(record(23, stuff[i:i + 16384]) for i in range(0, n, 16384))


def session(c, client, server, label, sizes=(200, 1200), version=0x0303):
    """A whole session on an open pcapgen.Connection: handshake, then data each way. The server chooses `version`."""
    c.send(client, client_hello(label, "peer.example"))
    c.send(server, server_flight(label, version))
    c.send(client, finish(label + " c"))
    c.send(server, finish(label + " s"))
    c.send(client, data(label + " 1", sizes[0]))
    c.send(server, data(label + " 2", sizes[1]))
    return c
