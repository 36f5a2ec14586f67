#!/bin/sh
# Every TCP capture cut into segments of 1, 2, 5, 6, 7, 10, 536 and 1448 bytes yields the same observations but for
# packet, ts and what derives from them (flow is the number of a packet).
# Covers: R012
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
py=/usr/bin/python3
[ -x $py ] || { echo "skipped: no $py"; exit 77; }
spanward=$BUILD/bin/spanward
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# The flow is renumbered by first appearance, so that it is still compared; and the order is compared within each
# direction of a flow, since which direction completes first is a matter of packets.
normal() {
	"$spanward" replay --show observations --format jsonl "$1" 2>/dev/null >"$dir/raw" || [ $? = 4 ] || return 1
	$py -c '
import json, sys
flows, ways = {}, {}
for line in open(sys.argv[1]):
    o = json.loads(line)
    o.pop("packet", None); o.pop("ts", None); o.pop("file", None)
    if "flow" in o: o["flow"] = flows.setdefault(o["flow"], len(flows))
    ways.setdefault((o.get("flow"), o.get("src")), []).append(json.dumps(o, sort_keys=True))
for way in ways: print("\n".join(ways[way]))' "$dir/raw"
}
captures=$(find test-pcaps -name '*.pcap' -o -name '*.pcapng' | sort)
if [ -d ../shared/captures/pcap/medical ]; then
	captures="$captures $(find ../shared/captures/pcap/medical ../shared/captures/local-only/pcap/medical/dicom -name '*.pcap' | sort)"
else
	echo "note: no ../shared: only the captures of the project"
fi
tried=0 cut=0
for capture in $captures; do
	normal "$capture" >"$dir/whole" || fail "$capture does not replay"
	for n in 1 2 5 6 7 10 536 1448; do
		# A byte a segment makes 70 bytes of every byte: only for what stays below a few hundred MB.
		[ "$n" -ge 536 ] || [ "$(stat -c %s "$capture")" -le 1500000 ] || continue
		made=$($py tests/recut.py $n "$capture" "$dir/cut.pcap") || { [ $? = 3 ] && { echo "left out: $capture (mixed link types)"; break; }; fail recut; }
		normal "$dir/cut.pcap" >"$dir/parts" || fail "$capture in segments of $n does not replay"
		if ! cmp -s "$dir/whole" "$dir/parts"; then
			diff "$dir/whole" "$dir/parts" | head -10
			fail "$capture in segments of $n"
		fi
		tried=$((tried + 1)) cut=$((cut + made))
	done
done
[ "$cut" -gt 10000 ] || fail "hardly anything was cut ($cut): the test does not test"
echo "$tried replays equal, $cut segments added"
