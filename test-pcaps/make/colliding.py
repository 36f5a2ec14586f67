#!/usr/bin/python3
"""colliding.py [OUT_DIR] -- makes test-pcaps/decode/colliding.pcap: two hosts that ask the same at the same time, whose flows have one
and the same hash under the secrets of a replay (engine_defaults() in sensor/engine.c). Same bytes every time.

NH (sensor/flow.h) adds a secret to each word and multiplies in pairs: where a word is minus its secret the product is 0, whatever the
other word. That is the first half of both sources here, and their second halves differ only in the order of what a checksum adds up.
Everything else of the packets is equal; a sensor that compares hashes takes the second one for a copy."""
import os, struct, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pcapgen import Capture, Host  # noqa: E402

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "decode")
WORD = (1 << 64) - 1


def siphash_13(k0, k1, message):
    """SipHash-1-3 of eight bytes (Aumasson, Bernstein, 2012), with which the secrets are made of the engine's key."""
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def turn(x, n):
        return (x << n | x >> (64 - n)) & WORD

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & WORD
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[3]) & WORD
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & WORD
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & WORD
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    for word in (struct.unpack("<Q", message)[0], len(message) << 56):
        v[3] ^= word
        rounds(1)
        v[0] ^= word
    v[2] ^= 0xff
    rounds(3)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


secret = siphash_13(0x5370616e77617264, 0x7265706c61793031, struct.pack("<Q", 0))
first = (-secret & WORD).to_bytes(8, "little")
server = Host("02:00:5e:09:00:02", ip6="fec0::1" if first[0] < 0xfe else None)
cap = Capture("2026-11-22T09:00:00Z")
for i, second in enumerate(("0001000200030004", "0002000100040003")):
    client = Host("02:00:5e:09:00:01", ip6=(first + bytes.fromhex(second)))
    cap.udp(client, 40000, server, 9999, b"the same", 1.0 + i * 1e-4, version=6)
cap.write(os.path.join(OUT, "colliding.pcap"))
