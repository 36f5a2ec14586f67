#!/bin/sh
# What nDPI says of flows that nothing of ours knows: named out of our list, by content, the same for any number of workers and
# when there are more such flows than it is asked about at a time; nothing with --ndpi off; never of what ours recognised.
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
spanward=$BUILD/bin/spanward
capture=test-pcaps/guess/unknown.pcap
"$spanward" replay --help | grep -q -- --ndpi || fail "--help does not name --ndpi"
"$spanward" replay -q --ndpi perhaps $capture >/dev/null 2>&1 && fail "--ndpi perhaps is taken"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
off=$("$spanward" replay -q --ndpi off --show observations --format jsonl $capture)
echo "$off" | grep -q flow.app && fail "named with --ndpi off"
if "$spanward" replay -q --ndpi on $capture >"$dir/out" 2>&1; then :; else
	grep -q "built without nDPI" "$dir/out" || fail "--ndpi on: $(cat "$dir/out")"
	echo "skipped: built without nDPI"
	exit 77
fi
names=$("$spanward" replay -q --show observations --format jsonl $capture | grep -o '"app":"[^"]*"' | cut -d'"' -f4 | paste -sd' ')
[ "$names" = "mqtt mqtt modbus redis sip tftp dnp3" ] || fail "named: $names"
for more in "" "--budget guesses=1" "--budget probes=64,guesses=64,states=64"; do
	for workers in 1 2 8; do
		"$spanward" replay -q --workers $workers $more --show observations --format jsonl test-pcaps/demo/hospital-day.pcap $capture \
			test-pcaps/services/telnet.pcap >"$dir/$workers" 2>/dev/null
		cmp -s "$dir/1" "$dir/$workers" || fail "$workers workers say something else ($more)"
	done
done
count() { "$spanward" replay -q --show stats --format jsonl $capture | grep -o "\"ndpi_$1\",\"value\":[0-9]*" | cut -d: -f2; }
[ "$(count flows)" = "$(($(count named) + $(count unknown) + $(count exhausted)))" ] || fail "what became of the flows does not add up"
echo "named: $names; $(count unknown) stay unknown"
