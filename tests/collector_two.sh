#!/bin/sh
# Two collectors never share a store or a socket, each is told who has it; a sink that fails is said, and what waits for
# it; every command means the same by "no store" and "not a store"; decisions can be read back.
# Covers: R007
set -eu
SOURCE=${SOURCE:-$PWD}
BUILD=${BUILD:-$PWD/build}
dir=$(mktemp -d)
first= second=
trap 'for p in $first $second; do kill "$p" 2>/dev/null || true; done; rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; cat "$dir"/*err 2>/dev/null; exit 1; }
s=$BUILD/bin/spanward
capture=$SOURCE/test-pcaps/demo/hospital-day.pcap
policy=$SOURCE/test-pcaps/demo/policy
want() {
	code=$1
	shift
	got=0
	"$@" >"$dir/out" 2>"$dir/err" </dev/null || got=$?
	[ "$got" = "$code" ] || fail "exit $got, not $code: $*"
}
said() { grep -qF -- "$1" "$dir/err" || fail "not said: $1"; }
until_true() { tries=0; until "$@"; do tries=$((tries + 1)); [ $tries -lt 200 ] || return 1; sleep 0.1; done; }

# A sink that cannot write from the first alert on. /dev/full is a disk without room.
"$BUILD/bin/spanward-collector" --bind "ipc://$dir/socket" --store "$dir/db" --sink jsonl:/dev/full 2>"$dir/first.err" &
first=$!
until_true grep -qs listening "$dir/first.err" || fail "the collector does not listen"
want 1 timeout 60 "$BUILD/bin/spanward-collector" --bind "ipc://$dir/socket" --store "$dir/other.db"
said "another process listens there"
want 1 timeout 60 "$BUILD/bin/spanward-collector" --bind "ipc://$dir/socket2" --store "$dir/db"
said "process $first"
want 1 timeout 60 "$s" run -r "$capture" --store "$dir/db"
said "process $first"
# The first one has kept its socket, and people read its store while it runs.
{ "$BUILD/bin/spanward-sensor" -r "$capture" -p "$policy" --connect "ipc://$dir/socket" --sensor-id t && : >"$dir/fed"; } 2>&1 |
	cat >"$dir/sensor.err"
[ -e "$dir/fed" ] || fail "the sensor does not reach the first collector any more"
want 0 "$s" alerts --store "$dir/db"
alerts=$(wc -l <"$dir/out")
[ "$alerts" -gt 3 ] || fail "$alerts alerts"
id=$(sed -n '1s/.*"id":"\([0-9a-f]*\)".*/\1/p' "$dir/out")
until_true grep -q 'sink jsonl:/dev/full fails: No space left' "$dir/first.err" || fail "a sink without room is not said"
kill -TERM $first
wait $first || fail "the collector ended with $?"
first=
grep -q "sink jsonl:/dev/full: $alerts alerts wait: No space left" "$dir/first.err" || fail "what waits is not said"
# Killed with -9, a collector leaves its socket and its lock file: neither is in the way of the next.
"$BUILD/bin/spanward-collector" --bind "ipc://$dir/socket" --store "$dir/db" 2>"$dir/first.err" &
first=$!
until_true grep -q listening "$dir/first.err" || fail "the second run does not listen"
kill -9 $first
wait $first 2>/dev/null || true
first=
[ -S "$dir/socket" ] && [ -e "$dir/db.lock" ] || fail "nothing was left behind to try"
want 0 timeout 60 "$BUILD/bin/spanward-collector" --bind "ipc://$dir/socket" --store "$dir/db" --sink "jsonl:$dir/sink" --once-idle 0
# Each sink has its own place in the outbox: the new one gets everything.
[ "$(wc -l <"$dir/sink")" = "$alerts" ] || fail "the new sink has $(wc -l <"$dir/sink") of $alerts alerts"

# spanward run says at once what is wrong with a sink, and makes no directories that somebody mistyped.
want 2 timeout 60 "$s" run -r "$capture" --store "$dir/new.db" --sink nosuch:x
said "no sink is called 'nosuch'"
want 4 timeout 60 "$s" run -r "$capture" --store "$dir/no/such/x.db"
said "its directory does not exist"
[ ! -e "$dir/no" ] || fail "a directory was made"

# No store, not a store: the same for every command.
echo "no store" >"$dir/text"
for f in "$dir/absent.db" "$dir/text"; do
	want 4 "$s" alerts --store "$f"
	want 4 "$s" alerts audit --store "$f"
	want 4 "$s" alerts ack 0123456789abcdef --reason x --store "$f"
	want 4 "$s" assets --store "$f"
	want 4 "$s" explain 0123456789abcdef --from "$f"
done
want 4 "$BUILD/bin/spanward-collector" --bind "ipc://$dir/socket3" --store "$dir/text" --once-idle 0

# Decisions: what is refused says why; what was decided can be read back.
want 2 "$s" alerts close "$id" --store "$dir/db" --reason "$(printf 'a\033[31m')"
said "control characters"
want 2 "$s" alerts close "$id" --store "$dir/db" --reason "$(printf '%0600d' 0)"
said "longer than 500 bytes"
want 2 "$s" alerts close "$id" --store "$dir/db"
said "Give --reason"
want 1 "$s" alerts unmute "$id" --store "$dir/db" --reason x
said "is not muted"
want 1 "$s" alerts reopen "$id" --store "$dir/db" --reason x
said "neither acknowledged nor closed"
want 0 "$s" alerts mute "$id" --store "$dir/db" --reason '点検のため' --until 2099-01-02 --who yamada
want 0 "$s" alerts --store "$dir/db" --state muted
grep -q '"state":"muted","until":"2099-01-02T00:00:00' "$dir/out" || fail "the end of the mute is not shown"
want 0 "$s" alerts --store "$dir/db" --state muted --format table --lang ja
grep -q '期限 2099-01-02 00:00' "$dir/out" || fail "the end of the mute is not in the table"
want 0 "$s" alerts unmute "$id" --store "$dir/db" --reason done --who sato
want 0 "$s" alerts audit --store "$dir/db"
[ "$(wc -l <"$dir/out")" = 2 ] || fail "the audit has $(wc -l <"$dir/out") rows"
head -1 "$dir/out" | grep -q "\"who\":\"yamada\",\"action\":\"mute\",\"alert\":\"$id\",\"before\":\"open\",\"until\":\"2099-01-02T00:00:00.*\"reason\":\"点検のため\"" ||
	fail "the first decision is told otherwise"
for format in table json csv; do
	want 0 "$s" alerts audit "$id" --store "$dir/db" --format $format
	grep -q yamada "$dir/out" || fail "audit --format $format"
done
want 0 "$s" alerts audit 0123456789abcdef --store "$dir/db"
[ ! -s "$dir/out" ] || fail "another alert's decisions"
echo "two collectors are kept apart, a failing sink is said, decisions are read back"
