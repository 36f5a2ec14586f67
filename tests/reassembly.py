"""Stream bytes against tshark's "follow stream", on flows made here with loss, reordering, overlap and duplication.

    reassembly.py [FLOWS [SEED]]        (200 flows, seed 8; run by reassembly.sh)

Each flow is a conversation of two hosts seen by a mirror. What was captured is known, so what a perfect reassembly must
give is known too (truth() below, which knows nothing of how ours works): the first captured copy of each byte, and a gap
for bytes that the receiver acknowledged and the mirror lost. Three answers are compared per flow and direction:

    ours == truth       in every flow: this is the policy of sensor/stream.h
    tshark == ours      wherever tshark can know; else the difference must be one of these:
      late      bytes that were captured for the first time after they had been acknowledged. tshark calls a hole lost at
                the first acknowledgement behind it and throws away what comes late; we wait (STREAM_GAP_ACKS, STREAM_GAP_BYTES).
      conflict  a retransmission carries other bytes. Of out-of-order copies tshark takes the one that stands first in its
                list of fragments; we keep the first copy that was captured.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, "test-pcaps/make")
from pcapgen import Capture, Host, FIN, SYN, RST, PSH, ACK  # noqa: E402
import struct  # noqa: E402

URG = 32
KINDS = ["plain", "loss", "reorder", "overlap", "duplicate", "all", "all", "mid", "late", "conflict"]
FLOWS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 8


class Flow:
    """Packets of one flow as the mirror gave them: (side, flags, offset, bytes, acknowledged offset or None).

    Offsets count stream bytes; the sequence number of offset 0 is isn + 1."""

    def __init__(self, number, kind, rnd):
        self.kind, self.rnd, self.number = kind, rnd, number
        # Some wrap around in the middle of the transfer.
        self.isn = [rnd.choice([rnd.randrange(2**32), 2**32 - rnd.randrange(1, 5000)]) for _ in (0, 1)]
        self.sent = [0, 0]          # bytes of each side so far
        self.received = [0, 0]      # contiguous at the receiver, of each side's bytes
        self.packets = []
        self.acked = [0, 0]
        self.closed = [False, False]
        self.make()

    def has(self, what):
        return self.kind in (what, "all") or (self.kind == "conflict" and what in ("reorder", "loss"))

    def put(self, side, flags, offset, data=b"", captured=True):
        """A segment; it acknowledges what its sender has received."""
        if captured:
            self.packets.append((side, flags, offset, data, self.received[1 - side] if flags & ACK else None))
            if flags & ACK:
                self.acked[1 - side] = max(self.acked[1 - side], self.received[1 - side])

    def ack(self, side):
        """An empty acknowledgement from `side`."""
        self.put(side, ACK, self.sent[side] + self.closed[side])

    def make(self):
        rnd = self.rnd
        if self.kind != "mid":
            early = bytes(rnd.randrange(256) for _ in range(rnd.randrange(1, 300))) if rnd.random() < 0.15 else b""
            self.put(0, SYN, -1, early)
            self.sent[0] = self.received[0] = len(early)
            self.put(1, SYN | ACK, -1)
            self.ack(0)
        for turn in range(rnd.randrange(1, 7)):
            side = turn % 2 if rnd.random() < 0.8 else rnd.randrange(2)
            self.transfer(side, bytes(rnd.randrange(256) for _ in range(rnd.choice([1, 40, 300, 1500, 8000, 20000]))))
        end = rnd.choice(["fin", "fin", "half", "reset", "none"])
        if end in ("fin", "half"):
            first = rnd.randrange(2)
            self.put(first, FIN | ACK, self.sent[first])
            self.closed[first] = True
            self.ack_fin(1 - first)
            if end == "half":       # the other side has more to say
                self.transfer(1 - first, bytes(rnd.randrange(256) for _ in range(2000)))
            self.put(1 - first, FIN | ACK, self.sent[1 - first])
            self.closed[1 - first] = True
            self.ack_fin(first)
        elif end == "reset":
            self.put(rnd.randrange(2), RST | ACK, 0)
            side = self.packets[-1][0]
            self.packets[-1] = (side, RST | ACK, self.sent[side], b"", self.received[1 - side])
        if self.kind == "late":
            self.delay()

    def ack_fin(self, side):
        self.packets.append((side, ACK, self.sent[side] + self.closed[side], b"", self.received[1 - side] + 1))

    def transfer(self, side, data):
        rnd, at = self.rnd, 0
        base = self.sent[side]
        while at < len(data):
            window = []
            for _ in range(rnd.randrange(1, 9)):
                n = min(rnd.choice([1, 3, 100, 536, 1000, 1448]), len(data) - at)
                if n:
                    window.append((base + at, data[at:at + n]))
                    at += n
            self.window(side, window, base, data)
            if rnd.random() < 0.1:  # keep-alive: one byte of garbage before the next one (RFC 9293, 3.8.4)
                # Behind a late segment the garbage would be the first copy: then it is the byte itself.
                garbage = b"\0" if self.kind != "late" else data[at - 1:at]
                self.put(side, ACK, self.sent[side] - 1, garbage)
                self.ack(1 - side)

    def window(self, side, window, base, data):
        rnd = self.rnd
        again, got = [], set()
        probe = window[0] if rnd.random() < 0.1 else None
        if probe:                   # zero-window probe: the next byte, which the receiver does not take
            self.put(side, ACK, probe[0], probe[1][:1])
            self.ack(1 - side)
        order = list(range(len(window)))
        if self.has("reorder") and len(order) > 1:
            for _ in range(2):
                i = rnd.randrange(len(order) - 1)
                order[i], order[i + 1] = order[i + 1], order[i]
        self.sent[side] = max(self.sent[side], window[-1][0] + len(window[-1][1]))
        for i in order:
            off, seg = window[i]
            flags = ACK | (PSH if i == len(window) - 1 else 0) | (URG if rnd.random() < 0.03 else 0)
            fate = rnd.random()
            # Lost on the wire before the mirror: sent again later. Lost by the mirror: only the receiver has it.
            lost_before = self.has("loss") and fate < 0.1
            lost_here = self.has("loss") and 0.1 <= fate < 0.17
            if lost_before:
                again.append(i)
                continue
            if self.kind == "conflict" and fate < 0.3:
                # Another copy, with other bytes, wholly or partly over this one, before or after it.
                lo = max(base, off - rnd.randrange(0, 50))
                other = bytes(rnd.randrange(256) for _ in range(rnd.randrange(1, len(seg) + 20)))
                other = other[:base + len(data) - lo]
                copies = [(off, seg), (lo, other)]
                rnd.shuffle(copies)
                for o, s in copies:
                    self.put(side, flags, o, s)
            else:
                self.put(side, flags, off, seg, captured=not lost_here)
            got.add(i)
            if self.has("duplicate") and rnd.random() < 0.2:
                self.put(side, flags, off, seg)
            if self.has("overlap") and rnd.random() < 0.25:
                # Sent again in other pieces: from somewhere before to somewhere in or behind this one.
                lo = max(base, off - rnd.randrange(0, 600))
                hi = min(off + rnd.randrange(1, len(seg) + 1), base + len(data))
                self.put(side, flags, lo, data[lo - base:hi - base])
            n = 0
            while n in got:
                n += 1
            if n:
                self.received[side] = max(self.received[side], window[n - 1][0] + len(window[n - 1][1]))
            if rnd.random() < 0.4:
                self.ack(1 - side)
                if self.has("duplicate") and rnd.random() < 0.3:
                    self.ack(1 - side)
        for i in again:
            off, seg = window[i]
            self.put(side, ACK, off, seg)
        self.received[side] = self.sent[side]
        self.ack(1 - side)

    def delay(self):
        """The mirror has two queues: some segments come a few packets too late, behind their acknowledgement."""
        for _ in range(3):
            i = self.rnd.randrange(max(1, len(self.packets) - 8))
            if self.packets[i][3] and not self.packets[i][1] & (SYN | FIN):
                self.packets.insert(i + self.rnd.randrange(2, 7), self.packets.pop(i))

    def late(self, side):
        """True when bytes of that side were captured for the first time after they had been acknowledged."""
        seen, acked = set(), 0
        for s, flags, off, data, ack in self.packets:
            if s == side:
                start = 0 if flags & SYN else off
                if start < acked and any(k not in seen for k in range(max(start, 0), min(start + len(data), acked))):
                    return True
                seen.update(range(start, start + len(data)))
            elif ack is not None:
                acked = max(acked, ack)
        return False

    def truth(self, side):
        """What was captured of a side's bytes: a list of bytes and of numbers of lost bytes between them."""
        first = {}
        for s, flags, off, data, _ in self.packets:
            if s != side or flags & RST:
                continue
            start = 0 if flags & SYN else off
            for k, byte in enumerate(data):
                first.setdefault(start + k, byte)
        # One byte of garbage at a place that had been received already is a keep-alive; setdefault kept the older byte.
        end = max([self.acked[side]] + [k + 1 for k in first])
        begin = 0 if self.kind != "mid" else None
        if begin is None:           # mid-stream: where the first packet of that side with data stands
            firsts = [off for s, _, off, data, _ in self.packets if s == side and data]
            begin = firsts[0] if firsts else end
        out = []
        for k in range(begin, end):
            if k in first:
                if out and isinstance(out[-1], bytearray):
                    out[-1].append(first[k])
                else:
                    out.append(bytearray([first[k]]))
            elif out and isinstance(out[-1], int):
                out[-1] += 1
            else:
                out.append(1)
        return [bytes(x) if isinstance(x, bytearray) else x for x in out]


def host(n):
    return Host(f"02:00:5e:20:{n >> 8:02x}:{n & 255:02x}", f"10.30.{n >> 8}.{n & 255}")


def write(cap, flow, ends, ports, at_us):
    for side, flags, off, data, acked in flow.packets:
        seq = flow.isn[side] + 1 + off & 0xFFFFFFFF
        ack = flow.isn[1 - side] + 1 + acked & 0xFFFFFFFF if acked is not None else 0
        head = struct.pack("!HHIIBBHHH", ports[side], ports[1 - side], seq, ack, 5 << 4, flags, 64240, 0, 1 if flags & URG else 0)
        segment = cap.checksummed(ends[side], ends[1 - side], 4, 6, head + data, 16)
        cap.add(at_us, cap.ip(ends[side], ends[1 - side], 4, 6, segment))
        at_us += 200


def parts(text, nul=False):
    """Bytes with tshark's words for a gap in them, as truth() gives them."""
    out = []
    while text:
        at = text.find(b"[")
        while at >= 0:
            end = text.find(b" bytes missing in capture file]", at, at + 48)
            if end > at and text[at + 1:end].isdigit():
                break
            at = text.find(b"[", at + 1)
        if at < 0:
            at = len(text)
        if at:
            out.append(text[:at])
        if at == len(text):
            break
        n = int(text[at + 1:end])
        if n:
            if out and isinstance(out[-1], int):
                out[-1] += n
            else:
                out.append(n)
        text = text[end + len(b" bytes missing in capture file]"):]
        if text[:1] == b"\0" and nul:   # tshark 4.0 puts the end of its C string behind it
            text = text[1:]
    return out


def inner(answer):
    """Without what is missing before the first and behind the last byte: tshark does not say it."""
    answer = list(answer)
    while answer and isinstance(answer[0], int):
        answer.pop(0)
    while answer and isinstance(answer[-1], int):
        answer.pop()
    return answer


def within(less, whole):
    """True when every byte of `less` stands at its place in `whole`: gaps may be larger, nothing is moved."""
    flat = [x for p in whole for x in ([None] * p if isinstance(p, int) else p)]
    at = 0
    for p in less:
        n = p if isinstance(p, int) else len(p)
        if not isinstance(p, int) and flat[at:at + n] != list(p):
            return False
        at += n
    return True


def show(want, have, other):
    for name, answer in (("truth", want), ("ours", have), ("tshark", parts(bytes(other), True))):
        print(f"  {name:7}", [x if isinstance(x, int) else f"<{len(x)}>" for x in answer])


def tshark(path, n):
    args = [a for i in range(n) for a in ("-z", f"follow,tcp,raw,{i}")]
    run = subprocess.run(["tshark", "-n", "-q", "-r", path, *args], capture_output=True, text=True)
    if run.returncode:
        sys.exit("tshark: " + run.stderr[-300:])
    out, nodes, sides = {}, [], None
    for line in run.stdout.splitlines():
        if line.startswith("Filter: "):
            nodes, sides = [], [bytearray(), bytearray()]
        elif line.startswith("Node "):
            nodes.append(line.split(": ", 1)[1])
            if len(nodes) == 2:
                out[tuple(nodes)] = sides
        elif sides is not None and line and line[0] not in "=F":
            sides[line.startswith("\t")] += bytes.fromhex(line.strip())
    return out


rnd = random.Random(SEED)
cap = Capture()
flows = []
for i in range(FLOWS):
    flow = Flow(i, KINDS[i % len(KINDS)], random.Random(rnd.randrange(2**32)))
    ends, ports = (host(2 * i + 1), host(2 * i + 2)), (40000 + i % 20000, 11112)
    write(cap, flow, ends, ports, i * 1000)
    flows.append((flow, [f"{ends[k].ip4}:{ports[k]}" for k in (0, 1)]))
with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
    cap.write(f.name)
    if os.environ.get("KEEP"):
        cap.write(os.environ["KEEP"])
    ours, run = {}, subprocess.run([os.environ["BUILD"] + "/tools/tool_streamdump", f.name], capture_output=True, text=True)
    if run.returncode:
        sys.exit("streamdump: " + run.stderr[-300:])
    for line in map(json.loads, run.stdout.splitlines()):
        if "stats" in line:
            stats = line["stats"]
        else:
            for end, way in ((line["src"], "out"), (line["dst"], "in")):
                ours.setdefault((end, line["dst"] if way == "out" else line["src"]), []).append((line, bytes.fromhex(line[way])))
    theirs = tshark(f.name, FLOWS)

bad, table = 0, {}
for flow, names in flows:
    row = table.setdefault(flow.kind, {"flows": 0, "bytes": 0, "gaps": 0, "ours = truth": 0, "tshark = ours": 0, "directions": 0, "late": 0})
    row["flows"] += 1
    gap_bytes = 0
    for side in (0, 1):
        want = flow.truth(side)
        seen = ours.get((names[side], names[1 - side]), [])
        row["directions"] += 1
        row["bytes"] += sum(len(x) for x in want if not isinstance(x, int))
        row["gaps"] += sum(isinstance(x, int) for x in want)
        gap_bytes += sum(x for x in want if isinstance(x, int))
        have = parts(b"".join(b for _, b in seen))
        # What is lost before the first byte of the flow reaches no dissector; it is in gap_bytes.
        lead = want[1:] if want and isinstance(want[0], int) else want
        same = have in (lead, want) and len(seen) == 1
        row["ours = truth"] += same
        t = [k for k in theirs if set(k) == set(names)]
        other = theirs[t[0]][t[0].index(names[side])] if t else b""
        agrees = inner(parts(bytes(other), True)) == inner(have)
        row["tshark = ours"] += agrees
        late = flow.late(side)
        row["late"] += late
        if not same or (not agrees and not late and flow.kind != "conflict"):
            bad += 1
            if bad < 6:
                print(f"flow {flow.number} ({flow.kind}) side {side} of {names}, {len(seen)} flows of ours:")
                show(want, have, other)
        if not agrees and late and not within(parts(bytes(other), True), want):
            bad += 1
            print(f"flow {flow.number} side {side}: tshark differs by more than late segments")
            show(want, have, other)
    said = ours.get(tuple(names), [({"gap_bytes": None}, b"")])[0][0]["gap_bytes"]
    if said != gap_bytes:
        bad += 1
        print(f"flow {flow.number} ({flow.kind}): {gap_bytes} bytes were lost, flow.end says {said}")
columns = ("flows", "directions", "bytes", "gaps", "late", "ours = truth", "tshark = ours")
print("kind      " + "".join(f"{c:>{len(c) + 3}}" for c in columns))
for kind, row in table.items():
    print(f"{kind:10}" + "".join(f"{row[c]:{len(c) + 3}}" for c in columns))
print(f"{len(cap.packets)} packets; conflicts counted {stats.get('stream_conflicts', 0)}, overlap bytes {stats.get('stream_overlap_bytes', 0)}")
# A test that makes no trouble proves nothing.
if not stats.get("stream_conflicts") or not stats.get("stream_overlap_bytes") or not stats.get("stream_gaps"):
    bad += 1
    print("the flows have no conflict, overlap or gap")
sys.exit(1 if bad else 0)
