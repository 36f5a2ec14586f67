#!/bin/sh
# TLS, HTTP, DNS, SMB, SSH, DHCP, SNMP, NTP, Kerberos and LDAP against tshark, on the project's own captures and on public ones when they
# are at hand. Every difference must stand in tests/tshark_services.tsv with its reason, and every line there must still be needed.
# Covers: R043
set -eu
BUILD=${BUILD:-$PWD/build}
command -v tshark >/dev/null || { echo "skipped: no tshark (tools/packages.sh test)"; exit 77; }
BUILD=$BUILD exec /usr/bin/python3 tests/tshark_services.py
