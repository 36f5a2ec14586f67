#!/bin/sh
# Every alert of the demo reaches a real rsyslogd whole, also when it is killed and comes back.
set -eu
SOURCE=${SOURCE:-$PWD}
BUILD=${BUILD:-$PWD/build}
# Debian keeps it where the PATH of most people does not look.
PATH=$PATH:/usr/sbin:/sbin
command -v rsyslogd >/dev/null || { echo "skip: rsyslogd is not installed"; exit 77; }
dir=$(mktemp -d)
log= collector=
trap 'for p in $log $collector; do kill "$p" 2>/dev/null || true; done; rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; cat "$dir"/*.err 2>/dev/null; exit 1; }
# Waits up to 20 s for a command to succeed.
until_true() { tries=0; until "$@"; do tries=$((tries + 1)); [ $tries -lt 200 ] || return 1; sleep 0.1; done; }

# An rsyslogd of our own on loopback; $1 is its port, 0 for any.
start_log() {
	cat >"$dir/rsyslog.conf" <<EOT
global(workDirectory="$dir")
module(load="imtcp")
template(name="fields" type="string" string="%pri%|%hostname%|%app-name%|%msgid%|%structured-data%|%msg%\n")
input(type="imtcp" address="127.0.0.1" port="$1" listenPortFileName="$dir/port" ruleset="take")
ruleset(name="take") { action(type="omfile" file="$dir/log" template="fields" flushOnTXEnd="on") }
EOT
	rm -f "$dir/port" "$dir/rsyslog.pid"
	rsyslogd -n -f "$dir/rsyslog.conf" -i "$dir/rsyslog.pid" 2>>"$dir/rsyslog.err" &
	log=$!
	# The file is written for a port of rsyslogd's own choice only.
	[ "$1" != 0 ] || until_true [ -s "$dir/port" ] || fail "rsyslogd does not listen"
}
# The sensor says its lines into a pipe: it may write no files.
feed() {
	{
		"$BUILD/bin/spanward-sensor" -r "$SOURCE/test-pcaps/demo/hospital-day.pcap" -p "$SOURCE/test-pcaps/demo/policy" \
			--connect "ipc://$dir/socket" --sensor-id test-1 && : >"$dir/fed"
	} 2>&1 | cat >"$dir/sensor.err"
	[ -e "$dir/fed" ] || fail "the sensor failed"
	rm "$dir/fed"
}
ids() { sed -n 's/.*[ {"]id[="]*[:"]*"\([0-9a-f]\{16\}\)".*/\1/p' "$1" | sort -u; }
all_there() { [ -s "$dir/log" ] && ids "$dir/log" >"$dir/got" && cmp -s "$dir/got" "$dir/want"; }
counted_twice() { [ "$(grep -c ' count="2" ' "$dir/log")" -ge "$(wc -l <"$dir/want")" ]; }

start_log 0
port=$(cat "$dir/port")
"$BUILD/bin/spanward-collector" --bind "ipc://$dir/socket" --store "$dir/db" --sink "syslog:tcp:127.0.0.1:$port" \
	2>"$dir/collector.err" &
collector=$!
feed
"$BUILD/bin/spanward" alerts --store "$dir/db" --format jsonl >"$dir/alerts" || fail "spanward alerts: $?"
ids "$dir/alerts" >"$dir/want"
[ -s "$dir/want" ] || fail "no alerts"
until_true all_there || fail "not every alert reached rsyslogd"
n=$(wc -l <"$dir/want")
# As rsyslog parsed them: our header, one SD element, a text; nothing that it had to escape.
bad=$(grep -cvE '^16[2-6]\|[^|]+\|spanward\|[a-z_]+\|\[alert@32473 id="[0-9a-f]{16}" state="open" .*\]\|' "$dir/log" || true)
[ "$bad" = 0 ] || { head -3 "$dir/log"; fail "$bad messages were parsed otherwise"; }
! grep -q '#[0-9][0-9][0-9]' "$dir/log" || fail "a control character arrived"
grep -q 'rule="policy.internet" verdict="undeclared" .*device="pm-1"' "$dir/log" || fail "the fields are not there"

# While it is away the same day is seen again: each alert changes once more. Then it comes back at the same port.
kill -9 $log
wait $log 2>/dev/null || true
feed
start_log "$port"
until_true counted_twice || fail "what changed while rsyslogd was away did not arrive"
kill -TERM $collector
wait $collector || fail "the collector ended with $?"
collector=
echo "$n alerts at rsyslogd, and again after its restart"
