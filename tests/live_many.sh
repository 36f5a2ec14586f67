#!/bin/sh
# Several interfaces at once, each with two rings, several workers, told by a configuration file; the metrics file tells the
# packets of each interface to the packet while it runs, and every sum in it closes. The collector keeps one too.
# Covers: R007
set -eu
BUILD=${BUILD:-$PWD/build}
if [ "${1:-}" != inside ]; then
	if [ "$(id -u)" = 0 ]; then flags=-n; else flags=-Urn; fi
	unshare $flags sh -c 'ip link add a0 type veth peer name b0' 2>/dev/null ||
		{ echo "skipped: no network namespace with a veth pair can be made here"; exit 77; }
	exec unshare $flags sh "$0" inside
fi
dir=$(mktemp -d)
pid= collector=
trap 'for p in $pid $collector; do kill "$p" 2>/dev/null || true; done; rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; cat "$dir/log"; [ ! -f "$dir/sensor.prom" ] || cat "$dir/sensor.prom"; exit 1; }
until_true() { tries=0; until "$@"; do tries=$((tries + 1)); [ $tries -lt 300 ] || return 1; sleep 0.1; done; }
ip link set lo up
for n in 0 1; do
	ip link add a$n type veth peer name b$n
	for i in a$n b$n; do
		echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6
		ip link set $i arp off up
	done
done
"$BUILD/bin/spanward-collector" --store "$dir/store" --bind "ipc://$dir/events" --metrics "$dir/collector.prom" 2>"$dir/collector.log" &
collector=$!
until_true grep -q 'listening on' "$dir/collector.log" || fail "no collector"
cat >"$dir/sensor.yaml" <<EOT
schema: spanward/1
kind: sensor
sensor_id: many
interfaces: [b0, b1]
rings: 2
workers: 2
buffer: 32MiB
connect: "ipc://$dir/events"
metrics: {file: "$dir/sensor.prom", every: 1s}
EOT
"$BUILD/bin/spanward" check "$dir/sensor.yaml" >/dev/null || fail "the configuration"
"$BUILD/bin/spanward-sensor" --config "$dir/sensor.yaml" >"$dir/out" 2>"$dir/log" &
pid=$!
until_true grep -q 'events to' "$dir/log" || fail "it does not begin"
engine=$(sed -n 's/.*engine \([0-9]*\): .*/\1/p' "$dir/log")
[ "$(awk '$1 == "Seccomp:" { print $2 }' /proc/"$engine"/status)" = 2 ] || fail "no seccomp"
sent0=$("$BUILD/tools/tool_sender" a0 30000 50000) || fail "the sender"
sent1=$("$BUILD/tools/tool_sender" a1 7000 50000) || fail "the sender"
sent0=${sent0% *} sent1=${sent1% *}
value() { awk -v k="$1" '$1 == k { print $2 }' "$dir/sensor.prom"; }
whole() { [ "$(value 'spanward_source_packets_total{source="b0"}')" = "$sent0" ] && [ "$(value 'spanward_source_packets_total{source="b1"}')" = "$sent1" ]; }
until_true whole || fail "sent $sent0 and $sent1"
[ "$(value spanward_up)" = 1 ] || fail "not up"
[ "$(value spanward_packets_total)" = $((sent0 + sent1)) ] || fail "packets"
[ "$(value 'spanward_source_decoded_total{source="b1",counter="udp"}')" = "$sent1" ] || fail "udp of b1"
[ "$(value 'spanward_sandbox{part="seccomp"}')" = 1 ] || fail "sandbox"
closes() {
	! grep -E '^spanward_(ledger|source)_difference' "$dir/sensor.prom" | grep -v ' 0$' || fail "a sum does not close"
	awk -F'[ ]' '/^spanward_worker_decoded_total/ { w += $2 } /^spanward_source_packets_total/ { s += $2 }
		/^spanward_packets_total/ { p = $2 } /^spanward_vlan_packets_total/ { v += $2 }
		END { exit !(p > 0 && w == p && s == p && v == p) }' "$dir/sensor.prom" || fail "workers, sources, VLANs and packets differ"
}
closes
# Every line is of the text format.
! grep -vE '^(# (HELP|TYPE) spanward_[a-z0-9_]+ .+|spanward_[a-z0-9_]+(\{([a-z]+="[^"]*",?)+\})? [0-9]+(\.[0-9]+)?)$' "$dir/sensor.prom" || fail "not the text format"
[ -z "$(awk '/^# TYPE/ { if (seen[$3]++) print }' "$dir/sensor.prom")" ] || fail "a family stands there twice"
kill -TERM $pid
code=0
wait $pid || code=$?
pid=
[ $code = 0 ] || fail "exit $code"
[ "$(value spanward_up)" = 0 ] || fail "still up"
closes
grep -q "packets read $((sent0 + sent1)), dropped by the kernel 0, dropped by the interface 0" "$dir/log" || fail "the last word"
kill -TERM $collector
wait $collector || fail "the collector"
collector=
[ "$(awk '$1 == "spanward_collector_batches_total" { print $2 }' "$dir/collector.prom")" -gt 0 ] || fail "the collector's metrics"
[ "$(find "$dir" -name '*.prom.*')" = "" ] || fail "half a file was left"
echo "two interfaces with two rings each: $sent0 and $sent1 packets, every sum in the metrics closes"
