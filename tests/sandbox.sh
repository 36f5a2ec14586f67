#!/bin/sh
# The engine and the publisher as /proc shows them while they work: no capability, seccomp in force, no file open but what
# the design names; and a planted open() is killed and reported.
# Covers: R040
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; [ ! -f "$dir/log" ] || cat "$dir/log"; exit 1; }
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
capture=test-pcaps/demo/hospital-day.pcap
policy=test-pcaps/demo/policy
half=$(($(wc -c <"$capture") / 2))
root=no
[ "$(id -u)" != 0 ] || root=yes

# child PARENT NAME: the pid of the child with that name, waiting for it to appear.
child() {
	for _ in $(seq 200); do
		for status in /proc/[0-9]*/status; do
			if awk -v p="$1" -v n="$2" '$1 == "Name:" { name = $2 } $1 == "PPid:" { parent = $2 }
				END { exit !(parent == p && name == n) }' "$status" 2>/dev/null; then
				basename "$(dirname "$status")"
				return
			fi
		done
		sleep 0.1
	done
	return 1
}
field() { awk -v f="$2:" '$1 == f { print $2 }' "$1"; }
# locked PID FILTERS: every thread of it has nothing left to give.
locked() {
	for status in /proc/"$1"/task/*/status; do
		for cap in CapInh CapPrm CapEff CapAmb; do
			[ "$(field "$status" $cap)" = 0000000000000000 ] || fail "$status: $cap is $(field "$status" $cap)"
		done
		[ "$(field "$status" NoNewPrivs)" = 1 ] || fail "$status: NoNewPrivs"
		[ "$(field "$status" Seccomp)" = 2 ] || fail "$status: Seccomp"
		[ "$(field "$status" Seccomp_filters)" = "$2" ] || fail "$status: $(field "$status" Seccomp_filters) filters, not $2"
	done
	[ $root = no ] || [ "$(field /proc/"$1"/status CapBnd)" = 0000000000000000 ] || fail "the bounding set is not empty"
}
# What each descriptor of PID is, without numbers of inodes.
descriptors() {
	for fd in /proc/"$1"/fd/*; do
		printf '%s %s\n' "$(basename "$fd")" "$(readlink "$fd" | sed -E 's/:\[[0-9]+\]//')"
	done
}

# ---- replay: the engine alone, with the input held open in the middle ----
mkfifo "$dir/in"
"$BUILD/bin/spanward" replay -p $policy --workers 2 "$dir/in" >"$dir/out" 2>"$dir/log" &
pid=$!
exec 9<>"$dir/in"
timeout 60 head -c $half "$capture" >&9
engine=$(child $pid spanward-engine) || fail "no engine"
# The second filter comes just before the first packet is read.
for _ in $(seq 200); do
	[ "$(field /proc/$engine/status Seccomp_filters)" != 2 ] || break
	sleep 0.1
done
locked $engine 2
if [ $root = yes ]; then
	[ "$(awk '$1 == "Uid:" { print $2 $3 $4 $5 }' /proc/$engine/status)" = 65534655346553465534 ] || fail "the engine is not nobody"
	[ -z "$(ls -A /proc/$engine/root/)" ] || fail "the engine's root is not empty"
	descriptors $engine >"$dir/fds"
	for fd in 0 1 2; do
		grep -qx "$fd /dev/null" "$dir/fds" || { [ $fd = 2 ] && grep -q __asan_init "$BUILD/bin/spanward"; } || {
			cat "$dir/fds"
			fail "descriptor $fd"
		}
	done
	# The capture and the control socket, and nothing else.
	[ "$(sed -E '/^[012] /d; s/^[0-9]+ //' "$dir/fds" | sort | tr '\n' ' ')" = "$dir/in socket " ] || { cat "$dir/fds"; fail "open files"; }
else
	echo "note: who is not root cannot look at the engine's open files; the rest was looked at"
fi
timeout 60 tail -c +$((half + 1)) "$capture" >&9
exec 9>&-
wait $pid || fail "replay ended with $?"
pid=
[ -s "$dir/out" ] || fail "no alerts"

# ---- the sensor: publisher too; a new policy is adopted, a wrong one is not ----
cp -r $policy "$dir/policy"
"$BUILD/bin/spanward-sensor" -r "$dir/in" -p "$dir/policy" --connect "ipc://$dir/nobody-there" --linger 1s 2>"$dir/log" &
pid=$!
exec 9<>"$dir/in"
timeout 60 head -c $half "$capture" >&9
engine=$(child $pid spanward-engine) || fail "no engine"
publisher=$(child $pid spanward-publ) || fail "no publisher"
for _ in $(seq 200); do
	! grep -q 'events to ipc' "$dir/log" || [ "$(field /proc/$publisher/status Seccomp)" != 2 ] || break
	sleep 0.1
done
locked $engine 2
locked $publisher 1
if [ $root = yes ]; then
	descriptors $publisher >"$dir/fds"
	! grep -E "$dir/in|packet|$(basename "$capture")" "$dir/fds" || fail "the publisher has the packets"
	! grep -E '^[01] ' "$dir/fds" | grep -v /dev/null || fail "the publisher has a terminal"
fi
first=$(ls "$dir"/policy/*.yaml | grep -v -e site -e inventory | head -1)
cp "$first" "$dir/good"
echo 'nonsense: true' >>"$first"
kill -HUP $pid
for _ in $(seq 100); do
	! grep -q 'old one stays in force' "$dir/log" || break
	sleep 0.1
done
grep -q 'nonsense' "$dir/log" || fail "the fault in the policy is not named"
grep -q 'old one stays in force' "$dir/log" || fail "nothing is said of the old policy"
cp "$dir/good" "$first"
kill -HUP $pid
for _ in $(seq 100); do
	! grep -q 'policy read again' "$dir/log" || break
	sleep 0.1
done
timeout 60 tail -c +$((half + 1)) "$capture" >&9
exec 9>&-
code=0
wait $pid || code=$?
pid=
[ $code = 1 ] || fail "the sensor without a collector ended with $code, not 1"
grep -q 'policy generation 2 is in force' "$dir/log" || fail "the new policy was not adopted"
grep -q 'is a collector running' "$dir/log" || fail "what was not delivered is not said"

# ---- it stops when told, in the middle of a file ----
"$BUILD/bin/spanward-sensor" -r "$dir/in" --connect "ipc://$dir/nobody-there" --linger 0 2>"$dir/log" &
pid=$!
exec 9<>"$dir/in"
timeout 60 head -c $half "$capture" >&9
child $pid spanward-engine >/dev/null || fail "no engine"
kill -TERM $pid
timeout 60 tail -c +$((half + 1)) "$capture" >&9 || true
wait $pid || true
pid=
exec 9>&-
grep -q stopping "$dir/log" || fail "SIGTERM was not heard"

# ---- a planted open() in the engine is its end, and the parent says so ----
tools/build-plant "$BUILD/plant" >"$dir/log" 2>&1 || fail "the planted build"
for plant in open socket; do
	code=0
	"$BUILD/plant/bin/spanward" replay --plant $plant "$capture" >"$dir/out" 2>"$dir/log" || code=$?
	[ $code = 1 ] || fail "planted $plant(): exit $code, not 1"
	grep -q SIGSYS "$dir/log" || fail "planted $plant(): the parent does not say why"
done
# ---- a test build may count instead: the calls are refused, the engine goes on, and an event says how many ----
code=0
"$BUILD/plant/bin/spanward" replay --plant counted-open --show events "$capture" >"$dir/out" 2>"$dir/log" || code=$?
[ $code = 0 ] || fail "counted calls: exit $code"
grep -q '"rule":"sensor.counter".*"counter":"syscalls_refused","value":2' "$dir/out" || fail "the refused calls are no event"
grep -q 'syscalls_refused 2' "$dir/log" || fail "the refused calls are not said"

# ---- without a sandbox: typed, said in the log, and an event for whoever looks after the sensor ----
"$BUILD/bin/spanward" run -r "$capture" --no-sandbox --store "$dir/store" >"$dir/out" 2>"$dir/log" </dev/null || fail "--no-sandbox"
grep -q 'WITHOUT a sandbox' "$dir/log" || fail "--no-sandbox is not said"
if command -v sqlite3 >/dev/null; then
	[ "$(sqlite3 "$dir/store" "SELECT count(*) FROM event WHERE rule = 'sensor.no_sandbox'")" = 1 ] || fail "--no-sandbox is no event"
	"$BUILD/bin/spanward" run -r "$capture" --store "$dir/store2" >"$dir/out" 2>"$dir/log" </dev/null || fail "with a sandbox"
	[ "$(sqlite3 "$dir/store2" "SELECT count(*) FROM event WHERE rule = 'sensor.no_sandbox'")" = 0 ] || fail "an event with a sandbox"
fi

rm -f "$dir/log"
if [ $root = yes ]; then as="as root: user nobody, an empty root, two open files"; else as="not as root"; fi
echo "engine and publisher are locked in ($as); a planted open() and socket() were killed, or counted"
