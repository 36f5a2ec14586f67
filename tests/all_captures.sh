#!/bin/sh
# Every capture at hand is read with exit status 0 or 4, the counters close, and (in a sanitizer build) nothing is reported.
# Covers: R012 R040
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
captures=../shared/captures
[ -d "$captures" ] || { echo "skipped: no $captures beside the project"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ok=0 bad=0
find "$captures" -type f \( -path '*/pcap/*' -o -path '*/dicom-files/*' -o -path '*/hl7-messages/*' \) | sort >"$dir/list"
while read -r capture; do
	code=0
	"$BUILD/bin/spanward" replay -p test-pcaps/demo/policy --show stats --format jsonl "$capture" >"$dir/out" 2>"$dir/err" </dev/null || code=$?
	case $code in
	0) ok=$((ok + 1)) ;;
	4) bad=$((bad + 1)) ;;
	*) cat "$dir/err"; fail "$capture: exit $code" ;;
	esac
	! grep -qE 'Sanitizer|runtime error' "$dir/err" || { cat "$dir/err"; fail "$capture"; }
done <"$dir/list"
[ $((ok + bad)) -gt 100 ] || fail "only $((ok + bad)) files"
echo "$ok read whole, $bad damaged or of another kind"
