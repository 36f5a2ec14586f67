#!/bin/sh
# spanward span-check: a capture that is as it should be, and the same one made worse in one way at a time: the point of that way,
# and no other that it does not touch, is not ok. English and Japanese, table and JSON, exit codes; and an interface.
# Covers: R007 R067
set -eu
BUILD=${BUILD:-$PWD/build}
py=/usr/bin/python3
[ -x $py ] || { echo "skipped: no $py"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; cat "$dir/out" "$dir/err" 2>/dev/null; exit 1; }
s=$BUILD/bin/spanward
# check CODE COMMAND...: the report in $dir/out.
check() {
	code=$1
	shift
	got=0
	"$s" span-check "$@" >"$dir/out" 2>"$dir/err" </dev/null || got=$?
	[ $got = "$code" ] || fail "exit $got, not $code: $*"
}
# points VERDICT: which points have it.
points() { $py -c 'import json,sys; print(" ".join(p["point"] for p in json.load(open(sys.argv[1]))["points"] if p["verdict"] == sys.argv[2]))' "$dir/out" "$1"; }
$py - "$dir" <<'PY'
import random, struct, sys
dir = sys.argv[1]
def cks(b):
    if len(b) % 2: b += b"\0"
    s = sum(struct.unpack(f">{len(b) // 2}H", b)); s = (s & 0xffff) + (s >> 16)
    return (s & 0xffff) + (s >> 16)
unfilled = False
def packet(src, dst, proto, body, ident=0):
    pseudo = bytes(src) + bytes(dst) + struct.pack(">HH", proto, len(body))
    if proto == 6:      # what a host leaves for its card is the sum of the pseudo header
        c = cks(pseudo) if unfilled else ~cks(pseudo + body) & 0xffff
        body = body[:16] + struct.pack(">H", c) + body[18:]
    h = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), ident, 0, 64, proto, 0, bytes(src), bytes(dst))
    s = sum(struct.unpack(">10H", h)); s = (s & 0xffff) + (s >> 16); s = (s & 0xffff) + (s >> 16)
    return h[:10] + struct.pack(">H", ~s & 0xffff) + h[12:] + body
def tcp(sport, dport, seq, ack, flags, data=b""):
    return struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65000, 0, 0) + data
out = []          # (time in us, frame, from the client)
def frame(t, ip, up, vlan):
    tag = struct.pack(">HH", 0x8100, vlan) if vlan else b""
    out.append((t, b"\2\0\0\0\0\1\2\0\0\0\0\2" + tag + b"\x08\0" + ip, up))
hl7 = lambda n: b"\x0bMSH|^~\\&|HIS|HOSP|ENGINE|HOSP|20261122||ADT^A01|M%d|P|2.5\rEVN|A01\r\x1c\x0d" % n
def day():
  global a, b, t
  for f in range(40):
      c, sv, vlan = (10, 1, 0, 10 + f), (10, 2, 0, 1), 10 if f % 2 else 20
      t, port, a, b = f * 2500000, 40000 + f, 1000, 9000
      def up(flags, data=b""):
          global a, t
          frame(t, packet(c, sv, 6, tcp(port, 2575, a, b, flags, data)), True, vlan); a += len(data); t += 400
      def down(flags, data=b""):
          global b, t
          frame(t, packet(sv, c, 6, tcp(2575, port, b, a, flags, data)), False, vlan); b += len(data); t += 400
      up(2); a += 1; down(18); b += 1; up(16)
      for n in range(24):
          up(24, hl7(n)); down(24, hl7(n).replace(b"ADT^A01", b"ACK^A01"))
      up(17); a += 1; down(17); b += 1; up(16)
day()
out.sort(key=lambda p: p[0])
def write(name, packets, snap=262144):
    with open(f"{dir}/{name}.pcap", "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snap, 1))
        for t, b, _ in packets:
            f.write(struct.pack("<IIII", 1795000000 + t // 1000000, t % 1000000, min(len(b), snap), len(b)) + b[:snap])
rnd = random.Random(3)
write("good", out)
write("one_way", [p for p in out if p[2]])
write("twice", [q for p in out for q in (p, (p[0] + 3, p[1], p[2]))])
write("lossy", [p for p in out if len(p[1]) < 100 or rnd.random() > .1])
write("cut", out, 70)
write("gap", [(t + (600000000 if t > 50000000 else 0), b, u) for t, b, u in out])
write("shuffled", [(t - 500000 if rnd.random() < .1 else t, b, u) for t, b, u in out])
joined = packet((10, 1, 0, 10), (10, 2, 0, 1), 17, struct.pack(">HHHH", 5, 6, 20008, 0) + bytes(20000))
write("joined", out + [(100000000, b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + joined, True)])
write("port", [(n * 50000, b"\xff" * 6 + b"\2\0\0\0\0\2\x08\x06" + bytes(28), True) for n in range(2000)])
write("broken", [(t, b[:12] + b"\x08\0\x41" + b[15:] if rnd.random() < .1 else b, u) for t, b, u in out])
write("empty", [])
out, unfilled = [], True
day()
write("unfilled", sorted(out, key=lambda p: p[0]))
PY
check 0 "$dir/good.pcap" --expect-vlan 10,20
[ "$(points ok)" = "traffic mirror directions duplicates kernel_loss interface_loss gaps truncated offload silence vlans time decode medical account" ] || fail "the good one"
$py - "$dir/out" <<'PY' || fail "what the report says"
import json, sys
r = json.load(open(sys.argv[1]))
assert r["verdict"] == "ok" and r["hosts"] == 41 and r["vlans"] == {"10": 1080, "20": 1080}, r
assert r["services"] == {"hl7": 40} and r["sources"][0]["packets"] == 2160
assert all(p["seen"] and p["seen_ja"] and p["title_ja"] and "next" not in p for p in r["points"])
PY
# case CAPTURE CODE POINTS-BAD POINTS-LOOK
case_is() {
	check "$2" "$dir/$1.pcap"
	[ "$(points bad)" = "$3" ] && [ "$(points look)" = "$4" ] || fail "$1: bad '$(points bad)', look '$(points look)'"
}
case_is one_way 10 directions gaps
case_is twice 10 duplicates ''
case_is lossy 10 gaps ''
case_is cut 10 truncated 'gaps medical'
case_is gap 0 '' silence
case_is shuffled 0 '' time
case_is joined 0 '' offload
case_is unfilled 0 '' offload
case_is port 10 mirror 'directions medical'
case_is broken 10 gaps decode
case_is empty 10 traffic 'mirror directions medical'
check 10 "$dir/good.pcap" --expect-vlan 10,203-204
[ "$(points bad)" = vlans ] && grep -q 'missing: 203 204' "$dir/out" && grep -q '未観測: 203 204' "$dir/out" || fail "missing VLANs"
# What bears no tag is called so.
check 10 "$dir/good.pcap" --expect-vlan 0,203
grep -q 'missing: untagged 203' "$dir/out" && grep -q '未観測: タグなし 203' "$dir/out" || fail "untagged, expected"
"$s" span-check test-pcaps/demo/hospital-day.pcap >"$dir/out" 2>/dev/null || true
grep -q '"untagged 203"' "$dir/out" && grep -q '"タグなし 203"' "$dir/out" || fail "untagged, seen"
# Two captures of which one has nothing.
check 10 "$dir/good.pcap" "$dir/empty.pcap"
[ "$(points bad)" = traffic ] || fail "an empty source"
# Tables, for people.
check 10 "$dir/one_way.pcap" --format table --lang en
grep -q '^bad  *both directions .*40 of 40 TCP flows.*-i twice' "$dir/out" && grep -q '^The mirror: bad' "$dir/out" || fail "the table"
check 10 "$dir/one_way.pcap" --format table --lang ja -o "$dir/report"
grep -q '不良.*双方向の観測.*40 件中 40 件が片方向のみ' "$dir/report" && grep -q '総合判定: 不良' "$dir/report" || fail "the Japanese table"
[ ! -s "$dir/out" ] || fail "-o prints"
# What is typed wrongly, and what cannot be read.
check 2
check 2 -i lo "$dir/good.pcap"
check 2 "$dir/good.pcap" --expect-vlan 4095
check 2 "$dir/good.pcap" --expect-vlan 20-10
check 2 "$dir/good.pcap" --expect-vlan ''
check 2 -i lo --for 0s
check 4 "$0"
check 4 "$dir/no-such-file"
# An interface, where a network namespace can be made.
if [ "$(id -u)" = 0 ]; then flags=-n; else flags=-Urn; fi
live="no network namespace: no interface was tried"
if unshare $flags sh -c 'ip link add a0 type veth peer name b0' 2>/dev/null; then
	unshare $flags sh -c '
		ip link add a0 type veth peer name b0
		for i in a0 b0; do echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; ip link set $i arp off up; done
		"$1" span-check -i b0 --for 8s >"$2/out" 2>"$2/err" </dev/null &
		pid=$!
		# A busy machine takes its time to begin.
		for i in $(seq 300); do grep -q watching "$2/err" && break; sleep 0.1; done
		sleep 1
		"$3" a0 4000 20000 >"$2/sent"
		code=0
		wait $pid || code=$?
		exit $code' sh "$s" "$dir" "$BUILD/tools/tool_sender" && fail "no TCP at all is bad" || code=$?
	[ $code = 10 ] || fail "live: exit $code"
	[ "$(points bad)" = mirror ] || fail "live: bad '$(points bad)'"
	sent=$(cut -d' ' -f1 "$dir/sent")
	grep -q "\"packets\":$sent," "$dir/out" || fail "live: not the $sent packets that were sent"
	live="$sent packets on an interface"
fi
rm -f "$dir/err"
echo "twelve captures judged point by point; $live"
