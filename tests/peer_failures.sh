#!/bin/sh
# What other programs do not see, or take for something else: each line of peer_failures.tsv is read whole by us, and the failure
# of tshark and of nDPI, run as they are shipped, is still there (a line that is no longer needed fails).
# Covers: R043
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
tab=$(printf '\t')
n=0
tshark=$(command -v tshark || true)
ndpi=$(command -v ndpiReader || true)
[ -n "$tshark" ] || echo "note: no tshark: only ours"
[ -n "$ndpi" ] || echo "note: no ndpiReader (tools/packages.sh bench): its labels are not compared"
case $tshark in ?*) tshark --version 2>/dev/null | grep -q '(Wireshark) 4\.0\.' || { echo "note: another tshark than 4.0: only ours"; tshark=""; } ;; esac
case $ndpi in ?*) ndpiReader -h 2>&1 | grep -q 'nDPI .*4\.2' || { echo "note: another nDPI than 4.2: its labels are not compared"; ndpi=""; } ;; esac
while IFS=$tab read -r capture messages theirs label why; do
	case $capture in '#'*) continue ;; esac
	file=test-pcaps/$capture.pcap
	ours=$("$BUILD/bin/spanward" replay -q --show observations --format jsonl "$file" |
		grep -cE '"type":"(dicom\.(associate_request|associate_accept|associate_reject|command|release|abort)|hl7\.(message|ack))"' || true)
	[ "$ours" = "$messages" ] || fail "$capture ($why): $ours messages, expected $messages"
	n=$((n + 1))
	if [ -n "$tshark" ]; then
		seen=$(tshark -n -r "$file" -Y 'dicom.pdu.type or hl7' -T fields -e dicom.pdu.type -e hl7.message.type 2>/dev/null | tr ',' '\n' | grep -c . || true)
		case $theirs in
		fewer) [ "$seen" -lt "$messages" ] || fail "$capture: tshark sees $seen: no longer a failure" ;;
		malformed) tshark -n -r "$file" -Y _ws.malformed 2>/dev/null | grep -q Malformed || fail "$capture: tshark finds nothing malformed" ;;
		same) ;;
		*) fail "$capture: '$theirs'" ;;
		esac
	fi
	[ -z "$ndpi" ] || ndpiReader -i "$file" -v 2 2>/dev/null | grep -q "proto: [0-9.]*/$label\]" || fail "$capture: nDPI does not call it $label"
done <tests/peer_failures.tsv
[ $n -ge 20 ] || fail "only $n cases"
echo "$n captures read whole${tshark:+, tshark fails as told}${ndpi:+, nDPI names them as told}"
