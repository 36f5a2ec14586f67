"""Replays captures whole and mutilated, and compares; run by mutilate.sh.

The rule. What TCP itself repairs changes nothing: segments sent twice, in another order, overlapping. What is missing makes
the outcome less, never different: with one direction missing, the beginning missing, or a segment lost, every observation is
one that the whole capture gives too, with fields left out or weaker, never with another value. Weaker is:
    paired      false instead of true (the request was not seen); of a cancel either, when the answers were not seen
    pending     a smaller number
    partial     true
    collision   left out
    assumed_by  the port, where what was agreed on was not seen
    framing     how a message looks whose beginning or end is missing
    contexts    an accept without its request names no abstract syntaxes
Beside these stands protocol.malformed, when what is left cannot be read; it says that something is wrong and nothing of what.
Observations of flows (flow.open, ...) are not compared: what they say of packets is meant to differ.
"""
import collections
import glob
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import recut

SPANWARD = os.environ["BUILD"] + "/bin/spanward"
SMALL = "flows=16384,streams=8MiB,probes=2048,states=2048,assets=4096,folds=1024"
DERIVED = ("packet", "ts", "file", "flow")
SAMPLES = int(os.environ.get("MUTILATE_SAMPLES", "2"))         # segments lost, beginnings missing: so many of each a capture


def observations(path):
    # Without nDPI: it is shown eight payloads as they came, so what it names depends on which are missing.
    run = subprocess.run([SPANWARD, "replay", "--budget", SMALL, "--ndpi", "off", "--show", "observations", "--format", "jsonl", "-q",
                          path],
                         capture_output=True)
    assert run.returncode in (0, 4), (path, run.returncode, run.stderr)
    found = []
    for line in run.stdout.splitlines():
        o = json.loads(line)
        if not o["type"].startswith(("flow.", "stream.")):
            found.append({k: v for k, v in o.items() if k not in DERIVED})
    return found


class Segment:
    """A packet, with what is needed of it when it is TCP; data is None otherwise."""
    def __init__(self, link, ts, wire, p):
        self.ts, self.wire, self.p, self.data = ts, wire, p, None
        ip = recut.ip_at(link, p)
        if ip is None or wire != len(p) or len(p) < ip + 20:
            return
        if p[ip] >> 4 == 4:
            head, proto = (p[ip] & 15) * 4, p[ip + 9]
            end = ip + struct.unpack_from(">H", p, ip + 2)[0]
            if struct.unpack_from(">H", p, ip + 6)[0] & 0x3FFF:
                return
            ends = p[ip + 12:ip + 16], p[ip + 16:ip + 20]
        elif p[ip] >> 4 == 6:
            head, proto = 40, p[ip + 6]
            end = ip + 40 + struct.unpack_from(">H", p, ip + 4)[0]
            ends = p[ip + 8:ip + 24], p[ip + 24:ip + 40]
        else:
            return
        tcp = ip + head
        if proto != 6 or tcp + 20 > end or end > len(p):
            return
        doff = (p[tcp + 12] >> 4) * 4
        if doff < 20 or tcp + doff > end:
            return
        self.ip, self.tcp, self.at, self.end = ip, tcp, tcp + doff, end
        self.src, self.dst = ends[0] + p[tcp:tcp + 2], ends[1] + p[tcp + 2:tcp + 4]
        self.seq, self.flags = struct.unpack_from(">I", p, tcp + 4)[0], p[tcp + 13]
        self.data = p[self.at:end]

    def with_data(self, seq, data):
        """The same segment with other bytes, from another place of the stream on."""
        q = bytearray(self.p[:self.at])
        struct.pack_into(">I", q, self.tcp + 4, seq & 0xFFFFFFFF)
        struct.pack_into(">H", q, self.tcp + 16, recut.offloaded(self.p, self.ip, self.at - self.tcp + len(data)))
        if q[self.ip] >> 4 == 4:
            struct.pack_into(">H", q, self.ip + 2, self.at - self.ip + len(data))
            struct.pack_into(">H", q, self.ip + 10, 0)
        else:
            struct.pack_into(">H", q, self.ip + 4, self.at - self.ip - 40 + len(data))
        return (self.ts, len(q) + len(data), bytes(q) + data)

    def raw(self):
        return (self.ts, self.wire, self.p)


def write(path, link, packets):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link))
        for ts, wire, p in packets:
            f.write(struct.pack("<IIII", ts // 10**9, ts % 10**9, len(p), wire) + p)


def carries(s):
    return s.data and not s.flags & 0x07


def doubled(segments):
    for s in segments:
        yield s.raw()
        if carries(s):
            yield s.raw()


def swapped(segments):
    """Neighbours of one direction change places; nothing of the other direction stands between them. Not the first two of a
    direction whose beginning was not captured: nobody can tell that something stood before the first."""
    out, i, begun = [], 0, set()
    while i < len(segments):
        a, b = segments[i], segments[i + 1] if i + 1 < len(segments) else None
        known = a.data is not None and (a.src, a.dst) in begun
        if a.data is not None and (a.data or a.flags & 0x02):
            begun.add((a.src, a.dst))
        if b and known and carries(a) and carries(b) and a.src == b.src and a.dst == b.dst and b.seq == (a.seq + len(a.data)) & 0xFFFFFFFF:
            out += [(a.ts, b.wire, b.p), (b.ts, a.wire, a.p)]
            i += 2
        else:
            out.append(a.raw())
            i += 1
    return out


def overlapping(segments):
    """Each segment begins with the last bytes of the one before it."""
    before = {}
    for s in segments:
        old = before.get((s.src, s.dst)) if carries(s) else None
        if old and (old.seq + len(old.data)) & 0xFFFFFFFF == s.seq and s.end == len(s.p):
            tail = old.data[-17:]
            yield s.with_data(s.seq - len(tail), tail + s.data)
        else:
            yield s.raw()
        if carries(s):
            before[s.src, s.dst] = s


def one_way(segments, larger):
    return [s.raw() for s in segments if s.data is None or (s.src > s.dst) == larger]


def less(o, whole):
    """Whether o says nothing that `whole` does not say."""
    for key, value in o.items():
        said = whole.get(key)
        if value == said:
            continue
        if key == "paired" and (value is False or o.get("command") == "C-CANCEL-RQ") or key == "partial" and value is True or key in ("framing", "collision"):
            continue
        if key == "assumed_by" and value == "port":
            continue
        if key == "pending" and said is not None and value < said:
            continue
        if key == "contexts" and said is not None and len(value) == len(said) and all(
                {k: v for k, v in a.items() if v} .items() <= b.items() for a, b in zip(value, said)):
            continue
        return False
    return True


def surplus(found, whole):
    """The first observation that the whole capture does not give."""
    left = list(whole)
    for o in found:
        if o["type"] == "protocol.malformed":
            continue
        for i, w in enumerate(left):
            if less(o, w):
                del left[i]
                break
        else:
            return o
    return None


def main():
    captures = sorted(glob.glob("test-pcaps/**/*.pcap", recursive=True) + glob.glob("test-pcaps/**/*.pcapng", recursive=True))
    # What those of decode/ are about is their envelopes (envelopes.sh), those of verdicts/ their policies (verdicts.sh).
    captures = [c for c in captures if not c.startswith(("test-pcaps/decode/", "test-pcaps/verdicts/"))]
    public = "../shared/captures"
    if os.path.isdir(public):
        captures += sorted(glob.glob(public + "/pcap/medical/**/*.pcap", recursive=True)
                           + glob.glob(public + "/local-only/pcap/medical/dicom/*.pcap"))
    else:
        print(f"note: no {public}: only the captures of the project")
    only = sys.argv[1:]
    replays, bad, counts = 0, 0, collections.Counter()
    with tempfile.TemporaryDirectory() as tmp:
        for path in captures:
            if only and not any(x in path for x in only):
                continue
            records = list(recut.read(path))
            if len({r[0] for r in records}) != 1:
                continue
            link = records[0][0]
            segments = [Segment(*r) for r in records]
            loaded = [i for i, s in enumerate(segments) if carries(s)]
            if not loaded:
                continue
            whole = observations(path)
            if not whole:
                continue
            pick = random.Random(path.replace(public, ""))
            same = {"doubled": doubled(segments), "swapped": swapped(segments), "overlapping": overlapping(segments)}
            fewer = {"one way, lower": one_way(segments, False), "one way, higher": one_way(segments, True)}
            for n in sorted({1, 3} | {pick.randrange(1, len(segments) + 1) for _ in range(SAMPLES)}):
                fewer[f"first {n} missing"] = [s.raw() for s in segments[n:]]
            for k in pick.sample(loaded, min(SAMPLES, len(loaded))):
                fewer[f"segment {k + 1} lost"] = [s.raw() for i, s in enumerate(segments) if i != k]
            ordered = sorted(json.dumps(o, sort_keys=True) for o in whole)
            for kind, packets in list(same.items()) + list(fewer.items()):
                write(tmp + "/x.pcap", link, packets)
                found = observations(tmp + "/x.pcap")
                replays += 1
                wrong = None
                if kind in same:
                    if sorted(json.dumps(o, sort_keys=True) for o in found) != ordered:
                        wrong = "not the same"
                else:
                    counts["whole"] += len(whole)
                    counts["left"] += len(found)
                    o = surplus(found, whole)
                    if o:
                        wrong = f"different: {json.dumps(o)}"
                if wrong:
                    bad += 1
                    print(f"FAIL: {path}, {kind}: {wrong}", flush=True)
                    if os.environ.get("MUTILATE_KEEP"):
                        os.rename(tmp + "/x.pcap", f"{os.environ['MUTILATE_KEEP']}/{bad}.pcap")
    if bad:
        sys.exit(f"{bad} of {replays} replays differ")
    assert only or counts["left"] > 200, "hardly anything was left: the test does not test"
    print(f"{replays} replays: equal when repairable; else {counts['left']} of {counts['whole']} observations are left and none differs")


main()
