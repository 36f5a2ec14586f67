#!/bin/sh
# The bytes of 200 flows with loss, reordering, overlap and duplication, against tshark's follow-stream and against what was
# captured. Other numbers: BUILD=build sh tests/reassembly.sh FLOWS SEED.
# Covers: R043
set -eu
BUILD=${BUILD:-$PWD/build}
command -v tshark >/dev/null || { echo "skipped: no tshark"; exit 77; }
BUILD=$BUILD exec /usr/bin/python3 tests/reassembly.py "$@"
