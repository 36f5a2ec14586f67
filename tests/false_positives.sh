#!/bin/sh
# No capture without DICOM or HL7 in it yields an observation of either.
# Covers: R012
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
captures=../shared/captures
[ -d "$captures" ] || { echo "skipped: no $captures beside the project"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
find "$captures/pcap" "$captures/local-only/pcap" -type f | grep -v /medical/ | sort >"$dir/list"
cat >"$dir/one" <<'EOT'
code=0
"$1" replay -q --budget flows=16384,streams=8MiB,probes=2048,states=2048,assets=4096,folds=1024 --show observations --format jsonl "$3" >"$2.out" 2>"$2.err" </dev/null || code=$?
[ $code = 0 ] || [ $code = 4 ] || { echo "exit $code: $3"; cat "$2.err"; }
grep -E '"type":"(dicom|hl7)\.' "$2.out" | head -2 | sed "s|^|$3: |"
echo "code $code"
EOT
xargs -P 2 -I{} sh -c 'sh "$0" "$1" "$2/$$" "$3"' "$dir/one" "$BUILD/bin/spanward" "$dir" {} <"$dir/list" >"$dir/out" 2>&1 || true
all=$(wc -l <"$dir/list")
[ "$all" -ge 200 ] || fail "only $all captures"
[ "$(grep -c '^code [04]$' "$dir/out" || true)" = "$all" ] || { grep -v '^code' "$dir/out" | head; fail "not every capture was read"; }
# Exceptions, each with its reason: none so far.
grep -vE '^code [04]$' "$dir/out" >"$dir/found" || true
[ ! -s "$dir/found" ] || { head -20 "$dir/found"; fail "$(wc -l <"$dir/found") observations that are none"; }
echo "$all captures without DICOM or HL7, and none was seen in them"
