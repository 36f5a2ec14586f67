#!/bin/sh
# hl7-python.sh [OUT_DIR] -- makes test-pcaps/hl7/python-*.pcap anew: mllp_send of python3-hl7 (Debian 0.4.5) to a server
# made of the same package's MLLP streams. The sender is 192.0.2.10, the server 192.0.2.20 on ports that mean nothing.
set -- "${1:-test-pcaps/hl7}"
. "$(dirname "$0")/net.sh"
/usr/bin/python3 -c 'import hl7.mllp' 2>/dev/null || { echo "skipped: no python3-hl7 (tools/packages.sh peers)"; exit 77; }

for kind in adt several refused long japanese; do
	python3 "$here/hl7-messages.py" "$kind" >"$work/$kind.hl7"
done
start pacs 6661 /usr/bin/python3 "$here/hl7-receiver.py" 6661
start pacs 2575 /usr/bin/python3 "$here/hl7-receiver.py" 2575

record python-adt
on ct /usr/bin/mllp_send -q -p 6661 -f "$work/adt.hl7" 192.0.2.20
recorded

record python-several                   # four messages and their answers on one connection
on ct /usr/bin/mllp_send -q -p 2575 -f "$work/several.hl7" 192.0.2.20
recorded

record python-refused                   # the answer is AE
on ct /usr/bin/mllp_send -q -p 6661 -f "$work/refused.hl7" 192.0.2.20
recorded

record python-japanese                 # ISO 2022, bytes of kanji that look like delimiters
on ct /usr/bin/mllp_send -q -p 6661 -f "$work/japanese.hl7" 192.0.2.20
recorded

record python-long                      # tens of kilobytes in many segments
on ct /usr/bin/mllp_send -q -p 6661 -f "$work/long.hl7" 192.0.2.20
recorded

ip -n "$net-ct" link set eth0 mtu 200
record python-small-segments
on ct timeout 20 /usr/bin/mllp_send -q -p 6661 -f "$work/several.hl7" 192.0.2.20
recorded
ip -n "$net-ct" link set eth0 mtu 1500
