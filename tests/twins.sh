#!/bin/sh
# Two sensors with one id into one collector: said, and nothing of either is taken for the other's. With epochs of their own all of both
# is stored; with one epoch the second's is refused, and it ends with the reason.
# Covers: R007
set -eu
BUILD=${BUILD:-$PWD/build}
SOURCE=${SOURCE:-$PWD}
dir=$(mktemp -d)
pids=
trap 'for p in $pids; do kill "$p" 2>/dev/null || true; done; rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; cat "$dir"/*.err 2>/dev/null; exit 1; }
until_true() { tries=0; until "$@"; do tries=$((tries + 1)); [ $tries -lt 300 ] || return 1; sleep 0.1; done; }
policy=$SOURCE/test-pcaps/verdicts/policy
one=$SOURCE/test-pcaps/verdicts/undeclared-peer.pcap
other=$SOURCE/test-pcaps/verdicts/undeclared-listener.pcap
collector() {
	"$BUILD/bin/spanward-collector" --bind "ipc://$dir/$1.socket" --store "$dir/$1.db" --metrics "$dir/$1.prom" 2>"$dir/$1.err" &
	collector=$!
	pids="$pids $collector"
	until_true grep -qs listening "$dir/$1.err" || fail "the collector does not listen"
}
# sensor SOCKET NAME OPTION...: one that follows a directory of its own; `sensor` is its process.
sensor() {
	to=$1 name=$2
	shift 2
	mkdir "$dir/$name"
	"$BUILD/bin/spanward-sensor" -r "$dir/$name" --follow -p "$policy" --connect "ipc://$dir/$to.socket" --sensor-id twin "$@" 2>"$dir/$name.err" &
	sensor=$!
	pids="$pids $sensor"
}
# give CAPTURE NAME: whole at once, as a capture that is finished.
give() { cp "$1" "$dir/$2.tmp" && mv "$dir/$2.tmp" "$dir/$2/a.pcap"; }
made() { sed -n 's/.*events made \([0-9]*\), committed by the collector \([0-9]*\), undelivered \([0-9]*\),.*/\1 \2 \3/p' "$dir/$1.err"; }
rows() { /usr/bin/python3 -c 'import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute("select count(*), count(distinct epoch) from event").fetchone())' "$dir/$1.db"; }

# Epochs of their own, as sensors have: everything is stored, and that there are two is said.
collector both
sensor both a
a=$sensor
sensor both b
b=$sensor
give "$one" a
give "$other" b
until_true grep -q "two sensors send as 'twin' at the same time.*--sensor-id of its own" "$dir/both.err" || fail "two sensors with one id are not said"
kill -TERM $a $b
wait $a && wait $b || fail "the sensors end with $?"
kill -TERM $collector
wait $collector || fail "the collector ends with $?"
grep -q '^spanward_collector_twins_total [1-9]' "$dir/both.prom" || fail "no metric: $(cat "$dir/both.prom")"
read -r of_a committed_a left_a <<X
$(made a)
X
read -r of_b committed_b left_b <<X
$(made b)
X
[ "$of_a" -gt 3 ] && [ "$of_b" -gt 3 ] && [ "$of_a$left_a$of_b$left_b" = "${committed_a}0${committed_b}0" ] || fail "events made and committed: $(made a), $(made b)"
[ "$(rows both)" = "$((of_a + of_b)) 2" ] || fail "stored: $(rows both), not $((of_a + of_b)) of two epochs"

# One sensor that is restarted again and again is one.
collector again
for n in 1 2 3 4 5; do
	"$BUILD/bin/spanward-sensor" -r "$one" -p "$policy" --connect "ipc://$dir/again.socket" --sensor-id twin 2>"$dir/again.$n" || fail "run $n ends with $?"
done
kill -TERM $collector
wait $collector || fail "the collector ends with $?"
! grep -q 'two sensors' "$dir/again.err" || fail "a sensor that was restarted is taken for two"

# The same epoch, too (collector/receiver_test has them at the same moment): the second is told, and counts nothing as delivered.
collector same
sensor same c --epoch 7
c=$sensor
give "$one" c
stored() { [ "$(rows same | cut -d' ' -f1)" -ge "$of_a" ]; }
until_true stored || fail "the first sensor's events are not stored: $(rows same)"
sensor same d --epoch 7
d=$sensor
give "$other" d
code=0
wait $d || code=$?
[ $code = 1 ] || fail "the second sensor ends with $code"
grep -q 'does another sensor have the same --sensor-id' "$dir/d.err" || fail "the second sensor is not told"
kill -TERM $c
wait $c || fail "the first sensor ends with $?"
kill -TERM $collector
wait $collector || fail "the collector ends with $?"
read -r of_c committed_c left_c <<X
$(made c)
X
read -r of_d committed_d left_d <<X
$(made d)
X
[ "$(rows same)" = "$of_c 1" ] && [ "$left_c" = 0 ] || fail "stored: $(rows same); of the first sensor: $(made c)"
[ "$committed_d" = 0 ] && [ "$left_d" = "$of_d" ] || fail "of the second sensor: $(made d)"
echo "two sensors with one id: $of_a and $of_b events; of one epoch $of_c, and $of_d refused"
