#!/bin/sh
# Every capture at hand, read by a build with AddressSanitizer and UBSan: exit status 0 or 4, nothing reported, every ledger closes.
# Then the same in one process, and with $SAMPLES files each cut at a byte, and with one byte in a hundred changed.
# Covers: R012 R040
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
captures=../shared/captures
[ -d "$captures" ] || { echo "note: no $captures beside the project: only its own captures"; captures=test-pcaps; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
sanitized=$BUILD
if ! grep -q '^SPANWARD_SANITIZE:[A-Z]*=.*address' "$BUILD/CMakeCache.txt"; then
	# A build of its own, kept: only the one program, and only what changed.
	sanitized=$BUILD/sanitized
	{ cmake -S . -B "$sanitized" -G Ninja -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_C_FLAGS_DEBUG=-O1 -g" \
		-DSPANWARD_SANITIZE=address,undefined && cmake --build "$sanitized" --target spanward --target tests_damaged; } >"$dir/log" 2>&1 ||
		{ tail -20 "$dir/log"; fail "the sanitizer build"; }
fi
find "$captures" test-pcaps -type f | grep -E '/pcap/|/dicom-files/|/hl7-messages/|\.pcap(ng)?$' | sort -u >"$dir/list"
cat >"$dir/one" <<'EOT'
code=0
"$1/bin/spanward" replay -q -p test-pcaps/demo/policy --budget flows=16384,streams=8MiB,probes=2048,states=2048,assets=4096,folds=1024,fragments=16 --show stats --format jsonl "$3" >"$2.out" 2>"$2.err" </dev/null || code=$?
grep -q 'DOES NOT CLOSE' "$2.out" && code=98
grep -qE 'Sanitizer|runtime error|SIGSYS' "$2.err" && code=99
[ $code = 0 ] || [ $code = 4 ] || { echo "exit $code: $3"; cat "$2.err"; }
echo "code $code"
EOT
# The project's own are read one by one by golden.sh; here they are read in one process.
if [ "$captures" = test-pcaps ]; then cp "$dir/list" "$dir/single"; else grep -v '^test-pcaps/' "$dir/list" >"$dir/single"; fi
xargs -P 2 -I{} sh -c 'sh "$0" "$1" "$2/$$" "$3"' "$dir/one" "$sanitized" "$dir" {} <"$dir/single" >"$dir/out" 2>&1 || true
ok=$(grep -c '^code 0$' "$dir/out" || true)
damaged=$(grep -c '^code 4$' "$dir/out" || true)
all=$(wc -l <"$dir/single")
[ "$all" -ge 70 ] || fail "only $all files"
[ $((ok + damaged)) = "$all" ] || { grep -v '^code [04]$' "$dir/out" | head -60; fail "$((all - ok - damaged)) of $all files"; }
echo "$ok read whole, $damaged damaged or of another kind, none with a report"
SAMPLES=${SAMPLES:-100}
grep -E '/pcap/|\.pcap(ng)?$' "$dir/list" >"$dir/pcaps"
code=0
xargs -x -s 1500000 "$sanitized/tests/tests_damaged" "$SAMPLES" <"$dir/pcaps" >"$dir/out" 2>&1 || code=$?
cat "$dir/out"
[ $code = 0 ] || fail "tests_damaged: exit $code"
