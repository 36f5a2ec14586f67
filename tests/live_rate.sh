#!/bin/sh
# A veth pair in a network namespace of our own: what was sent was read or counted as dropped, to the packet, with a ring that is
# large enough, with one that is not, and while the interface goes down, is renamed, grows its MTU and is made anew. The
# sandbox is on all the while. LIVE_RATE packets a second (100000; 0: as fast as it goes) for LIVE_SECONDS (3; the long form is 30),
# with LIVE_OPTIONS of spanward run beside those of the test; LIVE_ONLY ends after that first part.
# Covers: R007
set -eu
BUILD=${BUILD:-$PWD/build}
if [ "${1:-}" != inside ]; then
	if [ "$(id -u)" = 0 ]; then flags=-n; else flags=-Urn; fi
	unshare $flags sh -c 'ip link add a0 type veth peer name b0' 2>/dev/null ||
		{ echo "skipped: no network namespace with a veth pair can be made here"; exit 77; }
	exec unshare $flags sh "$0" inside
fi
rate=${LIVE_RATE:-100000} seconds=${LIVE_SECONDS:-3}
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; tail -n 20 "$dir/log"; exit 1; }
until_true() { tries=0; until "$@"; do tries=$((tries + 1)); [ $tries -lt 300 ] || return 1; sleep 0.1; done; }
# Nothing but the sender speaks here.
link() {
	ip link add a0 type veth peer name b0
	echo 1 >/proc/sys/net/ipv6/conf/a0/disable_ipv6
	echo 1 >/proc/sys/net/ipv6/conf/b0/disable_ipv6
	ip link set a0 arp off up
	ip link set b0 arp off up
}
counted() { [ "$(grep -c "$1" "$dir/log")" -ge "$2" ]; }
start() {
	rm -f "$dir"/store*
	: >"$dir/log"
	"$BUILD/bin/spanward" run -i b0 --store "$dir/store" --budget flows=65536 ${LIVE_OPTIONS:-} "$@" >"$dir/out" 2>"$dir/log" </dev/null &
	pid=$!
	until_true counted 'events to' 1 || fail "it does not begin"
	engine=$(sed -n 's/.*engine \([0-9]*\): .*/\1/p' "$dir/log")
	[ "$(awk '$1 == "Seccomp:" { print $2 }' /proc/"$engine"/status)" = 2 ] || fail "no seccomp"
}
# Adds to `sent` what the kernel took.
send() {
	got=$("$BUILD/tools/tool_sender" "$1" "$2" "$3") || fail "the sender: $got"
	sent=$((sent + ${got% *}))
	speed=${got#* }
}
# What lies in a block of the ring that the kernel has not handed over yet goes with the interface: on a busy machine, wait for it.
settle() { sleep 1; }
end() {
	kill -INT $pid
	code=0
	wait $pid || code=$?
	pid=
	[ $code = 0 ] || fail "exit $code"
	read=$(sed -n 's/.*packets read \([0-9]*\), dropped by the kernel \([0-9]*\), .*/\1/p' "$dir/log")
	lost=$(sed -n 's/.*packets read \([0-9]*\), dropped by the kernel \([0-9]*\), .*/\2/p' "$dir/log")
	[ $((read + lost)) = $sent ] || fail "sent $sent, read $read, dropped $lost"
}

link
sent=0
start
if [ "$rate" = 0 ]; then many=100000; else many=$rate; fi
send a0 $((many * seconds)) "$rate"
ticks=$(awk '{ print $14 + $15 }' /proc/"$engine"/stat)
end
# As fast as it goes is faster than anybody promised: then only the sum must be right.
[ "$lost" = 0 ] || [ "$rate" = 0 ] || fail "$lost of $sent packets were dropped at $speed a second"
echo "$read packets at $speed a second, $lost dropped; the engine took $(awk -v t="$ticks" -v h="$(getconf CLK_TCK)" -v n="$sent" 'BEGIN { printf "%d", t / h * 1e9 / n }') ns of CPU for each"
[ -z "${LIVE_ONLY:-}" ] || exit 0

# A filter in the kernel: what it leaves out is not read, and that there is one is said. A short capture is said too.
sent=0
start --filter 'udp dst port 9 and udp src port 32768'
grep -q 'only what passes the filter is watched' "$dir/log" || fail "the filter is not said"
send a0 2000 50000
sent=2          # one in a thousand
end
sent=0
start --filter 'udp port 10' --snaplen 96 --timestamps host
send a0 1000 50000
sent=0
end
code=0
"$BUILD/bin/spanward" run -i b0 --store "$dir/store" --filter 'udp prot 9' >"$dir/out" 2>"$dir/log" </dev/null || code=$?
[ $code = 2 ] && grep -q -- '--filter: .*pcap-filter(7)' "$dir/log" || fail "a wrong filter: exit $code"
code=0
"$BUILD/bin/spanward" run -i b0 --store "$dir/store" --timestamps adapter >"$dir/out" 2>"$dir/log" </dev/null || code=$?
[ $code != 0 ] && grep -q 'does not stamp packets' "$dir/log" || fail "a veth that stamps packets: exit $code"

# The engine held up while more comes than 1 MiB holds; then it goes on.
sent=0
start --buffer 1MiB
kill -STOP "$engine"
send a0 200000 0
kill -CONT "$engine"
send a0 20000 20000
end
[ "$lost" -gt 0 ] || fail "a ring of 1 MiB held $sent packets"
grep -q 'packets were lost before they could be read' "$dir/log" || fail "the loss is not said"
echo "a small ring: sent $sent = read $read + dropped $lost"

# A policy that has become wrong: the old one stays in force, and why is said with file and line.
sent=0
cp -r "${SOURCE:-$PWD}/test-pcaps/demo/policy" "$dir/policy"
start -p "$dir/policy"
until_true counted 'policy generation 1 is in force' 1 || fail "the policy is not in force"
for f in "$dir"/policy/*.yaml; do echo 'nonsense: [' >>"$f"; done
kill -HUP $pid
until_true counted 'the old one stays in force' 1 || fail "the wrong policy is not refused"
grep -qE 'error: .*policy/[a-z-]*\.yaml:[0-9]+:[0-9]+: ' "$dir/log" || fail "file and line are not said"
cp "${SOURCE:-$PWD}"/test-pcaps/demo/policy/*.yaml "$dir/policy/"
kill -HUP $pid
until_true counted 'policy generation 2 is in force' 1 || fail "a right policy is not taken"
send a0 1000 20000
# The interface goes and comes back while the files are wrong: the last good policy judges on.
for f in "$dir"/policy/*.yaml; do echo 'nonsense: [' >>"$f"; done
ip link del a0
link
until_true counted 'watching again' 1 || fail "wrong files keep it from watching again"
until_true counted 'its files are wrong now' 1 || fail "that the policy is the one before is not said"
until_true counted 'policy generation 1 is in force' 2 || fail "the last good policy is not in force"
send a0 1000 20000
end

sent=0
start
send a0 1000 20000
settle
ip link set b0 down
sleep 0.3
ip link set b0 up
send a0 1000 20000
ip link set b0 mtu 9000
send a0 1000 20000
settle
ip link set b0 down
ip link set b0 name c0
ip link set c0 up
until_true counted 'watching again' 1 || fail "it does not watch on by the new name"
send a0 1000 20000
settle
ip link del a0
until_true counted 'waiting for it' 1 || fail "it does not wait for its interface"
link
until_true counted 'watching again' 2 || fail "it does not watch again"
send a0 1000 20000
settle
# A moment in which both names are there: deleted and made anew between two looks.
ip link del a0
link
until_true counted 'watching again' 3 || fail "it does not watch a second time"
until_true counted 'events to' 4 || fail "no fourth engine"
engine=$(sed -n 's/.*engine \([0-9]*\): .*/\1/p' "$dir/log" | tail -n 1)
[ "$(awk '$1 == "Seccomp:" { print $2 }' /proc/"$engine"/status)" = 2 ] || fail "no seccomp after a restart"
send a0 1000 20000
end
[ "$lost" = 0 ] && [ "$read" = 6000 ] || fail "read $read, dropped $lost"
if command -v sqlite3 >/dev/null; then
	[ "$(sqlite3 "$dir/store" "SELECT count(*) FROM event WHERE rule = 'sensor.restart'")" = 3 ] || fail "the restarts are no events"
fi
echo "down and up, MTU, another name, deleted, made anew in a moment: sent $sent = read $read"
