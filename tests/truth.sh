#!/bin/sh
# Public captures, against what was read from them by hand and with another decoder (not part of this project).
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
captures=../shared/captures
[ -d "$captures" ] || { echo "skipped: no $captures beside the project"; exit 77; }
BUILD=$BUILD CAPTURES=$captures exec /usr/bin/python3 tests/truth.py
