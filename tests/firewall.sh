#!/bin/sh
# The proposal for a firewall: nft takes it, and with it a router lets through what the documents declare and nothing else.
# Covers: R110 R111 R114
set -eu
BUILD=${BUILD:-$PWD/build}
spanward=$BUILD/bin/spanward
fail() { echo "FAIL: $*"; exit 1; }
flags=-n
[ "$(id -u)" = 0 ] || flags=-rn
if [ "${1:-}" != inside ]; then
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	policy=$dir/policy
	cp -r test-pcaps/demo/policy "$policy"
	# Names that are somebody's joke, peers that overlap, a host name, a transport, a unit without an address.
	cat >"$policy/odd.yaml" <<'Y'
format: spanward/1
kind: device-type
id: example.odd
revision: 1
sources: [{id: a, type: port-table, doc_id: "A\"; flush ruleset; #", revision: "1"}]
manufacturer: {name: "M }"}
model: {name: "日本"}
port_list: {completeness: exhaustive}
ports:
  - {id: wide, transport: tcp, initiator: either, port: [{range: 5000-5010}], peers: [{cidr: 10.1.0.0/24}, {role: pacs}, {ip: 10.1.0.66}], sources: [a], row: "1\" accept"}
  - {id: name, transport: tcp, initiator: device, port: [{value: 443}], peers: [{fqdn: up.example.com}], sources: [a], row: "2"}
  - {id: esp, transport: "ip:50", initiator: device, peers: [{any: true}], sources: [a], row: "3"}
  - {id: maker, transport: udp, initiator: device, port: [{value: 9}], peers: [{same_manufacturer: true}], sources: [a], row: "4"}
  - {id: any, transport: icmp, initiator: device, peers: [{any: true}], sources: [a], row: "5"}
infrastructure: [icmp-echo-reply, dhcp-client, dns-client]
Y
	printf 'odd-1,example.odd,S1,10.20.3.91,,,\nodd-2,example.odd,S2,10.20.3.92,,,\nodd-3,example.odd,S3,,02:00:5e:20:03:93,,\n' >>"$policy/inventory.csv"
	"$spanward" profile firewall -q -p "$policy" -o "$dir/log.nft"
	"$spanward" profile firewall -q -p "$policy" --rest drop -o "$dir/drop.nft"
	"$spanward" profile firewall -q -p "$policy" --format acl -o "$dir/acl"
	"$spanward" profile firewall -q -p "$policy" --format acl ct-1 >"$dir/ct"
	[ "$(grep -c '^permit' "$dir/ct")" = 11 ] || fail "rules of ct-1: $(cat "$dir/ct")"
	grep -qx 'permit tcp 10.20.3.11 any -> 10.1.0.10 11112 # IFU-TOMORA64 (5) N-1' "$dir/ct" || fail "no rule, or not cited: $(cat "$dir/ct")"
	grep -q '^permit tcp 10.1.0.0/24 any -> 10.20.3.91 5000-5010 # ' "$dir/acl" || fail "the called side: $(cat "$dir/acl")"
	grep -q '^permit udp 10.20.3.91 any -> 10.20.3.92 9 # ' "$dir/acl" || fail "same manufacturer"
	for w in 'host name' 'not judged' 'no address for it' 'not enabled in the inventory'; do
		grep -q "# .*left out: .*$w" "$dir/acl" && grep -q "# .*left out: .*$w" "$dir/log.nft" || fail "not said: $w"
	done
	! grep -q 'up.example.com' "$dir/acl" || fail "a host name in a rule"
	code=0
	"$spanward" profile firewall -p "$policy" ct-9 >"$dir/none" 2>&1 || code=$?
	[ $code = 2 ] || fail "a unit that is not there: $code"
	PATH=$PATH:/usr/sbin:/sbin
	command -v nft >/dev/null || { echo "skipped: nft is missing; what is printed was compared"; exit 77; }
	unshare $flags nft list ruleset >/dev/null 2>&1 || { echo "skipped: no network namespace with nftables can be made here"; exit 77; }
	export PATH
	unshare $flags sh "$0" inside "$dir"
	exit
fi

dir=$2
for f in log drop; do
	nft -c -f "$dir/$f.nft" || fail "nft refuses $f.nft"
	nft -f "$dir/$f.nft" && nft -f "$dir/$f.nft" || fail "a second time"
done
[ "$(nft list ruleset | grep -c '^table')" = 1 ] || fail "more than one table"
nft list ruleset | grep -c ' return comment ' >"$dir/rules"
[ "$(cat "$dir/rules")" = "$(grep -c ' return comment ' "$dir/drop.nft")" ] || fail "nft has other rules than the file"
unshare -n sleep 300 &
device=$!
unshare -n sleep 300 &
server=$!
trap 'kill $device $server' EXIT
same() { [ "$(readlink /proc/$1/ns/net)" = "$(readlink /proc/self/ns/net)" ]; }
while same $device || same $server; do sleep 0.05; done
if ! ip link add d0 type veth peer name e0 netns $device || ! ip link add s0 type veth peer name e0 netns $server; then
	echo "skipped: no pair of interfaces can be made here; nft takes the rules"
	exit 77
fi
echo 1 >/proc/sys/net/ipv4/ip_forward
ip addr add 10.20.3.1/24 dev d0 && ip addr add 10.1.0.1/24 dev s0 && ip link set d0 up && ip link set s0 up
place() { nsenter -t "$1" -n sh -c "ip link set lo up && ip addr add $2 dev e0 && ip link set e0 up && ip route add default via $3"; }
place $device 10.20.3.11/24 10.20.3.1
place $server 10.1.0.10/24 10.1.0.1
# try FROM TO ADDRESS PORT: "passes" or "stays".
cat >"$dir/listen.py" <<'P'
import socket, sys
s = [socket.create_server(("0.0.0.0", int(p))) for p in sys.argv[1:]]
open(sys.argv[0] + ".ready" + sys.argv[1], "w")
import time
time.sleep(300)
P
cat >"$dir/try.py" <<'P'
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3])).close()
    print("passes")
except OSError:
    print("stays")
P
nsenter -t $device -n python3 "$dir/listen.py" 104 22 &
one=$!
nsenter -t $server -n python3 "$dir/listen.py" 11112 23 &
two=$!
trap 'kill $device $server $one $two' EXIT
while [ ! -e "$dir/listen.py.ready104" ] || [ ! -e "$dir/listen.py.ready11112" ]; do sleep 0.05; done
want() {
	wait_s=20
	[ "$1" = passes ] || wait_s=0.7
	got=$(nsenter -t "$2" -n python3 "$dir/try.py" "$3" "$4" $wait_s)
	[ "$got" = "$1" ] || fail "$5: $3 $4 $got"
}
want passes $device 10.1.0.10 11112 "declared, from the device"
want passes $server 10.20.3.11 104 "declared, to the device"
want stays $device 10.1.0.10 23 "not declared, from the device"
want stays $server 10.20.3.11 22 "not declared, to the device"
[ "$(nft list ruleset | grep -c 'counter packets [1-9]')" = 2 ] || fail "what was dropped is not counted: $(nft list ruleset | grep counter)"
nft -f "$dir/log.nft"
want passes $device 10.1.0.10 23 "only logged"
want passes $server 10.20.3.11 22 "only logged"
echo "$(cat "$dir/rules") rules, each cited; a router with them lets through what is declared"
