#!/bin/sh
# hl7-ssmix2.sh OUT_DIR MESSAGE... -- files of SS-MIX2 messages, each framed and sent over MLLP by mllp_send of python3-hl7
# to a server of the same package, on one connection; OUT_DIR/ssmix2.pcap is what the tap saw. Nothing made by this is
# committed: the messages are not ours (tests/hl7_ssmix2.sh).
[ $# -ge 2 ] || { echo "usage: hl7-ssmix2.sh OUT_DIR MESSAGE..." >&2; exit 2; }
dir=$1
shift
# The files end in CR FS; what mllp_send reads has whole frames.
framed=$(mktemp)
python3 -c '
import sys
for path in sys.argv[2:]:
    open(sys.argv[1], "ab").write(b"\x0b" + open(path, "rb").read().rstrip(b"\x1c\r\n") + b"\r\x1c\r")' "$framed" "$@"
set -- "$dir"
. "$(dirname "$0")/net.sh"
trap 'rm -f "$framed"; net_down' EXIT
/usr/bin/python3 -c 'import hl7.mllp' 2>/dev/null || { echo "skipped: no python3-hl7 (tools/packages.sh peers)"; exit 77; }
start pacs 2575 /usr/bin/python3 "$here/hl7-receiver.py" 2575
record ssmix2
on ct timeout 60 /usr/bin/mllp_send -q -p 2575 -f "$framed" 192.0.2.20
recorded
