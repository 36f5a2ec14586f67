#!/bin/sh
# One conversation of real programs in every envelope that is unwrapped, in fragments, delivered twice, beside forged packets: what is
# read of it is what is read of the original, with any number of workers, and the counters say what was unwrapped.
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
replay() { "$BUILD/bin/spanward" replay -q --format jsonl "$@" || [ $? = 4 ]; }
# Where a packet stands and when it came differs; what it says must not.
said() { replay --show observations "$1" | sed -E 's/"(packet|ts|flow)":("[^"]*"|[0-9]+),//g'; }
said test-pcaps/dicom/dcmtk-echo.pcap >"$dir/4"
said test-pcaps/dicom/dcmjs-echo-ipv6.pcap >"$dir/6"
[ "$(wc -l <"$dir/4")" = 6 ] && [ "$(wc -l <"$dir/6")" = 6 ] || fail "the originals"
n=0
# NAME ORIGINAL COUNTER=VALUE...
while read -r name original counters; do
	[ -n "$name" ] || continue
	capture=test-pcaps/decode/$name.pcap
	if [ "$original" != - ]; then
		said "$capture" >"$dir/said"
		cmp -s "$dir/$original" "$dir/said" || { diff "$dir/$original" "$dir/said" | head -5; fail "$name: says something else"; }
	fi
	replay --show stats "$capture" >"$dir/stats"
	! grep "DOES NOT CLOSE" "$dir/stats" || fail "$name"
	for c in $counters; do
		grep -q "^{\"counter\":\"${c%=*}\",\"value\":${c#*=}," "$dir/stats" ||
			{ grep -E '"value":[1-9]' "$dir/stats" | cut -d, -f1,2; fail "$name: not $c"; }
	done
	for workers in 2 5; do
		replay --show observations --workers $workers "$capture" >"$dir/many"
		replay --show observations "$capture" >"$dir/one"
		cmp -s "$dir/one" "$dir/many" || fail "$name: $workers workers say something else"
	done
	n=$((n + 1))
done <<'EOT'
mpls-ip 4 tunnel_mpls=20 tcp=20
mpls-pseudowire 4 tunnel_mpls=20
mpls-pseudowire-plain 4 tunnel_mpls=20
pppoe 4 tunnel_pppoe=20
gre 4 tunnel_gre=20
gre-key-sequence 4 tunnel_gre=20
pptp 4 tunnel_gre=20
erspan1 4 tunnel_erspan=20
erspan2 4 tunnel_erspan=20
erspan3 4 tunnel_erspan=20
vxlan 4 tunnel_vxlan=20
geneve 4 tunnel_geneve=20
ip-in-ip 4 tunnel_ip_in_ip=20
6in4 6 tunnel_ip_in_ip=16
gtp 4 tunnel_gtp=20
capwap 4 tunnel_capwap=20
capwap-swapped 4 tunnel_capwap=20
l2tp2 4 tunnel_l2tp=20
l2tp3 4 tunnel_l2tp=20
qinq 4 tcp=20
priority-tag 4 tcp=20
vxlan-in-erspan 4 tunnel_erspan=20 tunnel_vxlan=20
link-ppp 4 tcp=20
link-cisco-hdlc 4 tcp=20
link-wlan 4 tcp=20
link-radiotap 4 tcp=20
fragments4 4 datagrams_joined=20 fragments_conflicts=0 tcp=20
fragments6 6 datagrams_joined=16 tcp=16
fragments4-reversed-twice 4 datagrams_joined=20 fragments_overlapping=0 tcp=20 duplicates=0
erspan2-fragments 4 tunnel_erspan=20 datagrams_joined=20
fragments4-conflict 4 datagrams_joined=20 fragments_conflicts=20
fragments6-overlap - datagrams_joined=0 tcp=0
router-both-sides 4 tcp=40 duplicates=20 flow_packets=20
two-ports 6 tcp=32 duplicates=10 flow_packets=21 late_packets=1
inserted-wrong-checksum 4 checksum_wrong=6 stream_conflicts=0
offloaded 4 checksum_wrong=0 checksum_offloaded=10
colliding - duplicates=0 flows=2
refusals - icmp_errors=2 icmp_of_flows=2 icmp_refusals=2 sctp=1 lldp=1 cdp=1 flows_closed=2
EOT
# Those that tshark reads without being told how.
if command -v tshark >/dev/null; then
	for name in mpls-ip pppoe gre gre-key-sequence pptp erspan1 erspan2 erspan3 vxlan geneve ip-in-ip 6in4 gtp capwap-swapped l2tp2 qinq \
		vxlan-in-erspan link-ppp link-cisco-hdlc link-wlan link-radiotap fragments4 fragments6 erspan2-fragments offloaded; do
		[ "$(tshark -r "test-pcaps/decode/$name.pcap" -d tcp.port==11112,dicom -Y dicom 2>/dev/null | wc -l)" = 6 ] ||
			fail "$name is no envelope that tshark knows"
	done
else
	echo "note: no tshark (tools/packages.sh peers), which reads 25 of the envelopes too"
fi
echo "$n captures say what the original says"
