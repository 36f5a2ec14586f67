#!/bin/sh
# Byte-identical output over two runs, with 1, 2 and 8 workers, to a pipe and to a file, also with budgets so small that
# flows, streams and probes overflow.
# Covers: R043
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
spanward=$BUILD/bin/spanward
captures=$(find test-pcaps -name '*.pcap' -o -name '*.pcapng' | sort)
[ -z "${TSAN_OPTIONS:-}" ] || captures=test-pcaps/demo/hospital-day.pcap
tiny="--budget flows=64,streams=64KiB,probes=64,states=64"
/usr/bin/python3 test-pcaps/make/crowd.py "$dir/crowd.pcap" || fail "crowd.py"
for budget in "" "$tiny"; do
	for show in observations flows events alerts assets; do
		for capture in $captures "$dir/crowd.pcap"; do
			"$spanward" replay -p test-pcaps/demo/policy $budget --show $show --format jsonl --workers 1 "$capture" >"$dir/one" 2>/dev/null || [ $? = 4 ] || fail "$capture: exit"
			for workers in 1 2 8; do
				"$spanward" replay -p test-pcaps/demo/policy $budget --show $show --format jsonl --workers $workers -o "$dir/file" "$capture" 2>/dev/null || [ $? = 4 ] || fail "$capture: exit"
				cmp -s "$dir/one" "$dir/file" || { diff "$dir/one" "$dir/file" | head -4; fail "$capture $budget --show $show --workers $workers differs"; }
			done
		done
	done
done
"$spanward" replay $tiny --show stats --format jsonl "$dir/crowd.pcap" >"$dir/stats" 2>/dev/null
for counter in flows_evicted stream_dropped_bytes probe_dropped; do
	grep -qE "\"$counter\":[1-9]|\"counter\":\"$counter\",\"value\":[1-9]" "$dir/stats" || { cat "$dir/stats"; fail "the small budget did not overflow: $counter is 0"; }
done
echo "identical; the small budgets overflowed"
