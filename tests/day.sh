#!/bin/sh
# 24 hours of packet time: memory stays flat and flows end at their time. Half a million packets here; the full fifty million:
#       BUILD=build sh tests/day.sh 50000000
set -eu
BUILD=${BUILD:-$PWD/build}
TMP_DIR=$(mktemp -d)
trap 'rm -rf "$TMP_DIR"' EXIT
export BUILD TMP_DIR
/usr/bin/python3 tests/masses.py day "${1:-500000}"
