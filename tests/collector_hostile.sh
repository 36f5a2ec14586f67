#!/bin/sh
# Whoever reaches a collector's socket may say anything: it neither dies nor grows nor believes it, says what it refused, and
# afterwards takes the day of a real sensor as if nothing had been.
# Covers: R012
set -eu
SOURCE=${SOURCE:-$PWD}
BUILD=${BUILD:-$PWD/build}
py=/usr/bin/python3
[ -x $py ] || { echo "skipped: no $py"; exit 77; }
dir=$(mktemp -d)
collector=
trap '[ -z "$collector" ] || kill "$collector" 2>/dev/null || true; rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; cat "$dir"/*.err 2>/dev/null; exit 1; }
"$BUILD/bin/spanward-collector" --bind "ipc://$dir/socket" --store "$dir/db" 2>"$dir/collector.err" &
collector=$!
tries=0
until grep -qs listening "$dir/collector.err"; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] || fail "the collector does not listen"
	sleep 0.1
done
# BATCH, alerts lane, sensor "copy", epoch 1, sequence 1, one event of 100 bytes.
header=5350573103000000636f70790000000000000000000000000000000000000001000000000000000100000001$(printf '%08x' 100)
said=$($py "$SOURCE/tests/hostile_peer.py" "$dir/socket" "$header") || fail "the peer itself failed: $said"
kill -0 $collector || fail "the collector died"
{ "$BUILD/bin/spanward-sensor" -r "$SOURCE/test-pcaps/demo/hospital-day.pcap" -p "$SOURCE/test-pcaps/demo/policy" \
	--connect "ipc://$dir/socket" --sensor-id test-1 --epoch 1 --linger 60s && : >"$dir/fed"; } 2>&1 | cat >"$dir/sensor.err"
[ -e "$dir/fed" ] || fail "a real sensor is not heard any more"
grown=$(awk '$1 == "VmHWM:" { print $2 }' /proc/$collector/status)
kill -TERM $collector
wait $collector || fail "the collector ended with $?"
collector=
grep -q 'broken frames refused' "$dir/collector.err" || fail "what was refused is not said"
"$BUILD/bin/spanward" alerts --store "$dir/db" --format jsonl >"$dir/stored" || fail "spanward alerts: $?"
"$BUILD/bin/spanward" replay -q -p "$SOURCE/test-pcaps/demo/policy" --format jsonl "$SOURCE/test-pcaps/demo/hospital-day.pcap" >"$dir/replayed"
cmp -s "$dir/stored" "$dir/replayed" || fail "the alerts differ from a replay's"
! grep -q "$(printf '\033')" "$dir/collector.err" || fail "a peer's bytes reached the log"
# A sanitized build is larger by itself.
[ "$grown" -lt 262144 ] || grep -q __asan_init "$BUILD/bin/spanward-collector" || fail "the collector grew to $grown KiB"
echo "$said; the collector took $grown KiB at most, and the demo's alerts afterwards"
