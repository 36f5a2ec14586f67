"""Speaks ZMTP 3.0 (rfc.zeromq.org/spec/23) badly to a collector's socket file. Usage: hostile_peer.py SOCKET"""
import random, socket, struct, sys

path = sys.argv[1]
rnd = random.Random(20261123)
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)                                     # waits where the backlog is full
    s.settimeout(5)
    return s


def send(s, data):
    """The collector may hang up at any time: that is its right."""
    try:
        s.sendall(data)
        return True
    except OSError:
        return False


def short(flags, body):
    return bytes([flags, len(body)]) + body if len(body) < 256 else bytes([flags | 2]) + struct.pack(">Q", len(body)) + body


def ready(identity=b""):
    meta = b"\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER" + b"\x08Identity" + struct.pack(">I", len(identity)) + identity
    return short(4, b"\x05READY" + meta)


def handshake(identity=b""):
    s = connect()
    if send(s, GREETING):
        try:
            s.recv(4096)
        except OSError:
            pass
    send(s, ready(identity))
    return s


def message(*parts):
    return b"".join(short(1 if i + 1 < len(parts) else 0, p) for i, p in enumerate(parts))


tried = 0
for _ in range(50):                                    # no ZMTP at all
    s = connect()
    send(s, rnd.randbytes(rnd.randrange(1, 65536)))
    s.close()
    tried += 1
for _ in range(50):                                    # a greeting, then noise
    s = connect()
    send(s, GREETING + rnd.randbytes(2000))
    s.close()
    tried += 1
for n in range(len(GREETING)):                         # every beginning of a greeting
    s = connect()
    send(s, GREETING[:n])
    s.close()
    tried += 1
for size in (1 << 62, (1 << 64) - 1, 1 << 40, 1 << 31):  # lengths that nobody has
    s = handshake()
    send(s, b"\x02" + struct.pack(">Q", size) + b"x" * 1000)
    s.close()
    tried += 1
for identity in (b"", b"t", b"\0" * 255, b"sensor\n\x1b[31m"):
    s = handshake(identity)
    for parts in ((b"",), (b"", b""), (b"x",), (b"x",) * 5, (rnd.randbytes(64), b""), (rnd.randbytes(64), rnd.randbytes(5000)),
                  (b"\0" * 64, b"\0" * 64), (b"SPWD" + rnd.randbytes(60), b""), (b"\xff" * 300, b"\xff" * 70000)):
        send(s, message(*parts))
        tried += 1
    for _ in range(300):
        send(s, message(rnd.randbytes(rnd.randrange(1, 200)), rnd.randbytes(rnd.randrange(0, 3000))))
        tried += 1
    s.close()
if len(sys.argv) > 2:                                  # a real header, each byte of it changed, and cut at each place
    header = bytes.fromhex(sys.argv[2])
    s = handshake(b"copy")
    for i in range(len(header)):
        for bit in (1, 0x80):
            send(s, message(header[:i] + bytes([header[i] ^ bit]) + header[i + 1:], rnd.randbytes(100)))
        send(s, message(header[:i], b""))
        tried += 3
    s.close()
idle = []
for _ in range(900):                                   # and many that say nothing
    try:
        idle.append(connect())
    except OSError:
        break
for s in idle:
    s.close()
print(f"{tried} bad peers and messages, {len(idle)} silent connections")
