#!/bin/sh
# The demo through sensor, ZeroMQ and collector gives the alerts of a replay in every field.
# Covers: R007 R067
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; [ -f "$dir/c.log" ] && cat "$dir/c.log" "$dir/s.log"; exit 1; }
dir=$(mktemp -d)
trap 'kill $collector 2>/dev/null || true; rm -rf "$dir"' EXIT
collector=
"$BUILD/bin/spanward-collector" --bind "ipc://$dir/socket" --store "$dir/db" --sink "jsonl:$dir/sink.jsonl" >"$dir/c.log" 2>&1 &
collector=$!
"$BUILD/bin/spanward-sensor" -r test-pcaps/demo/hospital-day.pcap -p test-pcaps/demo/policy --connect "ipc://$dir/socket" \
	--sensor-id test-1 >"$dir/s.log" 2>&1 || fail "the sensor ended with $?"
kill -TERM $collector
wait $collector || fail "the collector ended with $?"
"$BUILD/bin/spanward" alerts --store "$dir/db" --format jsonl >"$dir/stored" 2>/dev/null || fail "spanward alerts: $?"
"$BUILD/bin/spanward" replay -p test-pcaps/demo/policy --show alerts --format jsonl test-pcaps/demo/hospital-day.pcap \
	>"$dir/replayed" 2>/dev/null
[ -s "$dir/replayed" ] || fail "nothing replayed"
strip() { sed -E 's/,"(sensor|epoch|seq)":("[^"]*"|[0-9]+)//g' "$1"; }
strip "$dir/stored" >"$dir/a"
strip "$dir/replayed" >"$dir/b"
cmp -s "$dir/a" "$dir/b" || { diff "$dir/a" "$dir/b" | head; fail "alerts differ"; }
[ "$(wc -l <"$dir/sink.jsonl")" -ge "$(wc -l <"$dir/stored")" ] || fail "the sink has fewer alerts than the store"
# The same again into the same store: nothing is counted twice within an epoch that is replayed whole.
echo "$(wc -l <"$dir/stored") alerts, equal to a replay's"
