#!/bin/sh
# A planted one-byte over-read is found by its fuzz target.
# Covers: R040
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
command -v clang-14 >/dev/null || { echo "skipped: no clang-14 (./dev fuzz installs it)"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
{ cmake -S . -B "$dir/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_C_FLAGS_DEBUG=-O1 -g" -DCMAKE_C_COMPILER=clang-14 \
	-DSPANWARD_SANITIZE=address,undefined -DSPANWARD_FUZZ=ON -DSPANWARD_PLANT=ON &&
	cmake --build "$dir/build" --target fuzz_hl7; } >"$dir/log" 2>&1 || { tail -5 "$dir/log"; echo "skipped: clang cannot link libFuzzer here"; exit 77; }
mkdir "$dir/corpus"
code=0
"$dir/build/fuzz/fuzz_hl7" -runs=2000000 -max_total_time=120 -artifact_prefix="$dir/" "$dir/corpus" fuzz/corpus/hl7 >"$dir/log" 2>&1 || code=$?
[ $code != 0 ] || { tail -3 "$dir/log"; fail "the planted over-read was not found"; }
grep -q 'heap-buffer-overflow' "$dir/log" || { tail -20 "$dir/log"; fail "it stopped for another reason"; }
echo "found after $(grep -oE '^#[0-9]+' "$dir/log" | tail -1 | tr -d '#') runs"
