#!/bin/sh
# A collector killed with -9 while a sensor sends loses nothing and counts nothing twice: in the end the store holds
# the alerts of a run that nobody disturbed.
set -eu
SOURCE=${SOURCE:-$PWD}
BUILD=${BUILD:-$PWD/build}
dir=$(mktemp -d)
collector= sensor=
trap 'for p in $collector $sensor; do kill "$p" 2>/dev/null || true; done; rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; cat "$dir"/*.err 2>/dev/null; exit 1; }

start() {
	# What the one before said is not this one's.
	rm -f "$dir/$1.err"
	"$BUILD/bin/spanward-collector" --bind "ipc://$dir/$1.socket" --store "$dir/$1.db" 2>"$dir/$1.err" &
	collector=$!
}
# It has to live long enough to be asked to end.
ready() {
	tries=0
	until grep -qs listening "$dir/$1.err"; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "the collector does not listen"
		sleep 0.1
	done
}
feed() {
	{
		"$BUILD/bin/spanward-sensor" -r "$SOURCE/test-pcaps/demo/hospital-day.pcap" -p "$SOURCE/test-pcaps/demo/policy" \
			--connect "ipc://$dir/$1.socket" --sensor-id test-1 --epoch 1 --linger 60s && : >"$dir/$1.fed"
	} 2>&1 | cat >"$dir/$1.sensor.err"
}
end() {
	ready "$1"
	kill -TERM $collector
	wait $collector || fail "the collector ended with $?"
	collector=
	"$BUILD/bin/spanward" alerts --store "$dir/$1.db" --format jsonl >"$dir/$1.alerts" || fail "spanward alerts: $?"
}

start calm
feed calm
[ -e "$dir/calm.fed" ] || fail "the sensor failed"
end calm

# The sensor first, so that it has all to send when a collector comes; each is killed a little later than the last.
feed killed &
sensor=$!
kills=0
for pause in 0.01 0.03 0.05 0.1 0.2; do
	start killed
	sleep $pause
	kill -9 $collector
	wait $collector 2>/dev/null || true
	kills=$((kills + 1))
done
start killed
wait $sensor || true
sensor=
[ -e "$dir/killed.fed" ] || fail "the sensor did not bring everything through"
end killed
[ -s "$dir/calm.alerts" ] || fail "no alerts"
cmp "$dir/calm.alerts" "$dir/killed.alerts" || { diff "$dir/calm.alerts" "$dir/killed.alerts" | cut -c1-200; fail "the alerts differ"; }
echo "$(wc -l <"$dir/calm.alerts") alerts, the same after $kills kills"
