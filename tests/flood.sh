#!/bin/sh
# A SYN flood beside 1,000 DICOM sessions: all are read, one event, memory within the budget. A million sources here; the full ten:
#       BUILD=build sh tests/flood.sh 10000000
set -eu
BUILD=${BUILD:-$PWD/build}
TMP_DIR=$(mktemp -d)
trap 'rm -rf "$TMP_DIR"' EXIT
export BUILD TMP_DIR
/usr/bin/python3 tests/masses.py flood "${1:-1000000}"
