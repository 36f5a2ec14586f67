#!/bin/sh
# No name, identifier, date or free text of a patient is in anything that a program of ours writes; what is let through stands
# in a list with its reason (canary.py). A planted leak is found.
# Covers: R005
set -eu
BUILD=${BUILD:-$PWD/build}
[ -x /usr/bin/python3 ] || { echo "skipped: no /usr/bin/python3"; exit 77; }
/usr/bin/python3 tests/canary.py "$BUILD/bin"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
tools/build-plant "$BUILD/plant" >"$log" 2>&1 || { tail -20 "$log"; echo "FAIL: the planted build"; exit 1; }
/usr/bin/python3 tests/canary.py "$BUILD/plant/bin" --expect-leak
