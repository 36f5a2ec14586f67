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
tiny="--budget flows=64,streams=64KiB,probes=64,states=64"
/usr/bin/python3 test-pcaps/make/crowd.py "$dir/crowd.pcap" || fail "crowd.py"
runs=0
# same SHOW CAPTURE OPTION...: one run to a pipe, then one to a file for each number of workers.
same() {
	show=$1 capture=$2
	shift 2
	{ "$spanward" replay -q -p test-pcaps/demo/policy --show "$show" --format jsonl --workers 1 "$@" "$capture" || [ $? = 4 ]; } | cat >"$dir/one"
	for workers in 1 2 8; do
		"$spanward" replay -q -p test-pcaps/demo/policy --show "$show" --format jsonl --workers $workers -o "$dir/file" "$@" "$capture" ||
			[ $? = 4 ] || fail "$capture $*: exit $?"
		cmp -s "$dir/one" "$dir/file" || { diff "$dir/one" "$dir/file" | head -4; fail "$capture $* --show $show --workers $workers differs"; }
		runs=$((runs + 1))
	done
}
# Every kind of output where much happens, with room and without; every capture once.
for show in observations flows events alerts assets stats; do
	for capture in test-pcaps/demo/hospital-day.pcap "$dir/crowd.pcap"; do
		same $show "$capture"
		same $show "$capture" $tiny
	done
done
# Those of verdicts/ differ in their policies, not in what the engine does with them.
for capture in $(find test-pcaps -name '*.pcap' -o -name '*.pcapng' | grep -v /verdicts/ | sort); do
	same observations "$capture" $tiny
done
"$spanward" replay -q $tiny --show stats --format jsonl "$dir/crowd.pcap" >"$dir/stats"
for counter in flows_evicted stream_dropped_bytes probe_dropped; do
	grep -qE "\"$counter\":[1-9]|\"counter\":\"$counter\",\"value\":[1-9]" "$dir/stats" || { cat "$dir/stats"; fail "the small budget did not overflow: $counter is 0"; }
done
echo "$runs runs identical; the small budgets overflowed"
