#!/bin/sh
# What we say of data sets against dcmdump: files are sent by storescu to storescp over a real connection, and each identity
# field is compared with what dcmdump prints of the file that was sent. Public files when they are at hand, our own always.
# Needs root for a network namespace, and DCMTK.
# Covers: R043
set -eu
BUILD=${BUILD:-$PWD/build}
[ "$(id -u)" = 0 ] || { echo "skipped: a network namespace needs root"; exit 77; }
unshare -n true 2>/dev/null || { echo "skipped: no network namespace can be made here"; exit 77; }
for program in ip tcpdump storescu storescp dcmdump dump2dcm dcmconv; do
	command -v "$program" >/dev/null || { echo "skipped: no $program (tools/packages.sh test)"; exit 77; }
done
BUILD=$BUILD exec unshare -n /usr/bin/python3 tests/dcmdump.py
