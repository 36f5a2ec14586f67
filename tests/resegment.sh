#!/bin/sh
# Every TCP capture cut into segments of 1, 2, 5, 6, 7, 10, 536 and 1448 bytes yields the same observations but for
# packet, ts and what derives from them.
# Covers: R012
set -eu
BUILD=${BUILD:-$PWD/build}
[ -x /usr/bin/python3 ] || { echo "skipped: no /usr/bin/python3"; exit 77; }
BUILD=$BUILD exec /usr/bin/python3 tests/resegment.py
