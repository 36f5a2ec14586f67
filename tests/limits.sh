#!/bin/sh
# What a peer may send to exhaust a decoder: 128 contexts in 256 KiB, an object of $OBJECT_MIB MiB (1024), 50 operations at
# once, nesting without end, a command without end, gzip and an HL7 message of 16 MiB. Memory is bounded, what follows is read.
# Covers: R012 R040
set -eu
BUILD=${BUILD:-$PWD/build}
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
case $(sed -n 's/^SPANWARD_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt") in ?*) echo "skipped: a sanitizer's memory is not ours"; exit 77 ;; esac
python3 tests/limits.py "$BUILD/bin/spanward" "${OBJECT_MIB:-1024}"
