#!/bin/sh
# Message by message against tshark, on the project's own captures and on public ones when they are at hand. Every difference
# must stand in tests/tshark_differences.tsv with its reason, and every line there must still be needed.
# Covers: R043
set -eu
BUILD=${BUILD:-$PWD/build}
command -v tshark >/dev/null || { echo "skipped: no tshark"; exit 77; }
BUILD=$BUILD exec /usr/bin/python3 tests/tshark_diff.py
