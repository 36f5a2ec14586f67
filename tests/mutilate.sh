#!/bin/sh
# Segments sent twice, in another order and overlapping change nothing; a direction, a beginning or a segment that is missing
# leaves less, never something else. The rule stands in mutilate.py.
# Covers: R012
set -eu
BUILD=${BUILD:-$PWD/build}
[ -x /usr/bin/python3 ] || { echo "skipped: no /usr/bin/python3"; exit 77; }
BUILD=$BUILD exec /usr/bin/python3 tests/mutilate.py
