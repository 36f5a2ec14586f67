#!/bin/sh
# Every committed capture replays to its committed golden output. `./dev golden CASE` rewrites one.
# Covers: R043
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0
for golden in $(git ls-files 'test-pcaps/*.jsonl' 2>/dev/null || find test-pcaps -name '*.jsonl'); do
	case $golden in *.alerts.jsonl | *.events.jsonl) continue ;; esac
	base=${golden%.jsonl}
	capture=$base.pcap
	[ -f "$capture" ] || capture=$base.pcapng
	[ -f "$capture" ] || fail "$golden has no capture"
	# Without nDPI nobody names these.
	case $golden in test-pcaps/guess/*) "$BUILD/bin/spanward" replay -q --ndpi on --show stats "$capture" >/dev/null 2>&1 || continue ;; esac
	"$BUILD/bin/spanward" replay --show observations --expect "$golden" "$capture" >"$dir/out" 2>&1 || { cat "$dir/out"; fail "$capture"; }
	policy=$(dirname "$capture")/policy
	for kind in alerts events; do
		[ -f "$base.$kind.jsonl" ] || continue
		"$BUILD/bin/spanward" replay -p "$policy" --show $kind --expect "$base.$kind.jsonl" "$capture" >"$dir/out" 2>&1 || { cat "$dir/out"; fail "$capture $kind"; }
		n=$((n + 1))
	done
	n=$((n + 1))
done
[ $n -ge 10 ] || fail "only $n goldens"
for capture in $(find test-pcaps -name '*.pcap' -o -name '*.pcapng'); do
	base=${capture%.pcapng}
	base=${base%.pcap}
	[ -f "$base.jsonl" ] || fail "$capture has no golden"
done
# --expect must be able to fail.
first=$(find test-pcaps -name '*.pcap' | sort | head -1)
echo '{}' >"$dir/wrong.jsonl"
code=0
"$BUILD/bin/spanward" replay --show observations --expect "$dir/wrong.jsonl" "$first" >/dev/null 2>&1 || code=$?
[ $code = 1 ] || fail "--expect with another golden: exit $code, not 1"
echo "$n goldens"
