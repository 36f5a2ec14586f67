#!/bin/sh
# 24 hours of packet time: memory stays flat and flows end at their time. Two million packets here, for the engine has touched most of
# its tables only after some ten thousand flows; the full fifty million:
#       BUILD=build sh tests/day.sh 50000000
set -eu
BUILD=${BUILD:-$PWD/build}
TMP_DIR=$(mktemp -d)
trap 'rm -rf "$TMP_DIR"' EXIT
export BUILD TMP_DIR
/usr/bin/python3 tests/masses.py day "${1:-2000000}"
