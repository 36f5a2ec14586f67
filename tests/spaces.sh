#!/bin/sh
# The same addresses, ports and sequence numbers in several networks: without a word about it they are taken for one conversation, with
# --overlapping each is read on its own, whatever the number of workers; the inventory tells their devices apart by VLAN.
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
s=$BUILD/bin/spanward
capture=test-pcaps/decode/overlapping.pcap
golden=test-pcaps/decode/overlapping.apart
apart="--overlapping vlan:100,vlan:200,vni:5000"
replay() { "$s" replay -q --format jsonl "$@"; }
count() { grep -cE "$1" "$2" || true; }

replay --show observations $capture >"$dir/mixed"
[ "$(count associate_request "$dir/mixed")" = 2 ] && [ "$(count malformed "$dir/mixed")" -ge 2 ] ||
	fail "without --overlapping the conversations are not mixed: the capture proves nothing"
[ "$(count '"dns.seen"' "$dir/mixed")" = 1 ] || fail "the fragments are not mixed: the capture proves nothing"

# Each conversation of its own, with another number of echoes in each, and the fragments of each network together.
"$s" replay -q --show observations $apart --expect $golden $capture || fail "--overlapping"
replay --show observations $apart $capture >"$dir/apart"
for name in PLAIN:1 V100:2 V200:3 VNI5000:4 V300:1; do
	flow=$(sed -n "s/.*\"flow\":\([0-9]*\),\"calling_ae\":\"CT_${name%:*}\".*associate.*/\1/p; s/.*associate_request.*\"flow\":\([0-9]*\),\"calling_ae\":\"CT_${name%:*}\".*/\1/p" "$dir/apart" | head -1)
	[ -n "$flow" ] || fail "no association of $name"
	[ "$(count "\"flow\":$flow,.*C-ECHO-RSP" "$dir/apart")" = "${name#*:}" ] || fail "echoes of $name"
done
[ "$(count malformed "$dir/apart")" = 0 ] && [ "$(count '"dns.seen"' "$dir/apart")" = 4 ] || fail "something is still mixed"
[ "$(count '"space":"vlan:300"' "$dir/apart")" = 0 ] || fail "a VLAN that was not listed is a space"
replay --show flows $apart $capture >"$dir/flows"
[ "$(count refused "$dir/flows")" = 1 ] && grep refused "$dir/flows" | grep -q 'vlan:200' || fail "the ICMP error is about the attempt of its own VLAN"
replay --show stats $apart $capture >"$dir/stats"
! grep "DOES NOT CLOSE" "$dir/stats" || fail "the counters"
grep -q '"counter":"datagrams_joined","value":4,' "$dir/stats" || fail "fragments"

# Order, workers and budgets change nothing.
for workers in 2 3 8; do
	replay --show observations $apart --workers $workers $capture | cmp -s - "$dir/apart" || fail "$workers workers"
done
replay --show observations --overlapping vni:5000 --overlapping vlan:200,vlan:100 $capture | cmp -s - "$dir/apart" || fail "another order of the list"
replay --show events $apart --workers 1 --budget flows=64,states=64,probes=64 $capture >"$dir/one"
for workers in 2 8; do
	replay --show events $apart --workers $workers --budget flows=64,states=64,probes=64 $capture | cmp -s - "$dir/one" || fail "events, $workers workers"
done

# Devices: hosts that nobody listed bear the name of their network; of the inventory only what names the VLAN is meant there.
replay --show assets $apart $capture >"$dir/assets"
for host in 10.7.0.10 10.7.0.10%vlan:100 10.7.0.10%vlan:200 10.7.0.10%vni:5000 10.8.0.10; do
	grep -q "\"device\":\"$host\"" "$dir/assets" || { cat "$dir/assets"; fail "no asset $host"; }
done
mkdir "$dir/policy"
printf 'format: spanward/1\nkind: site\nlocal_networks: [10.0.0.0/8]\n' >"$dir/policy/site.yaml"
cat >"$dir/policy/inventory.yaml" <<'EOT'
format: spanward/1
kind: inventory
devices:
  - {id: ct-300, select: [{ip: 10.8.0.10}]}
  - {id: ct-100, select: [{ip: 10.7.0.10, vlan: 100}]}
  - {id: ct-200, select: [{ip: 10.7.0.10, vlan: 200}]}
EOT
replay -p "$dir/policy" --show events $apart $capture >"$dir/events"
for who in CT_PLAIN:10.7.0.10 CT_V100:ct-100 CT_V200:ct-200 CT_V300:ct-300 CT_VNI5000:10.7.0.10%vni:5000; do
	grep '"asset.name"' "$dir/events" | grep "\"ae_title\":\"${who%%:*}\"" | grep -q "\"device\":\"${who#*:}\"" ||
		{ grep asset.name "$dir/events"; fail "$who"; }
done

# The configuration of a sensor says the same, and the command line overrides it.
cat >"$dir/sensor.yaml" <<EOT
schema: spanward/1
kind: sensor
read: [$capture]
overlapping: [vlan:100, "vlan:200", vni:5000]
EOT
"$s" check "$dir/sensor.yaml" >/dev/null || fail "check"
told() { "$s" run -q --store "$dir/$1.db" --config "$dir/sensor.yaml" --format jsonl ${2:-} >/dev/null && "$s" assets --store "$dir/$1.db" --format jsonl >"$dir/$1"; }
told config
grep -q '10.7.0.20%vni:5000' "$dir/config" || fail "overlapping: of the configuration"
told typed "--overlapping vlan:100"
grep -q '10.7.0.20%vlan:100' "$dir/typed" && ! grep -q '%vlan:200' "$dir/typed" || fail "the command line does not override"
code=0
replay --overlapping vlan:5000 $capture 2>"$dir/err" || code=$?
[ $code = 2 ] && grep -q 'vlan:1 to vlan:4094' "$dir/err" || fail "vlan:5000: exit $code"
sed -i 's/vni:5000/5000/' "$dir/sensor.yaml"
code=0
"$s" check "$dir/sensor.yaml" 2>"$dir/err" >&2 || code=$?
[ $code = 3 ] && grep -q 'sensor.yaml:4' "$dir/err" || { cat "$dir/err"; fail "check of a wrong list: exit $code"; }
echo "four networks of the same addresses, each read on its own"
