#!/bin/sh
# spanward run and replay when what they write to fails: nothing found is lost without a word, and no file that was good is harmed.
# Covers: R012 R040
set -eu
BUILD=${BUILD:-$PWD/build}
spanward=$BUILD/bin/spanward
day=test-pcaps/demo/hospital-day.pcap
policy=test-pcaps/demo/policy
fail() { echo "FAIL: $*"; cat "$dir/err" 2>/dev/null; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
alerts() { "$spanward" alerts --store "$1" --format jsonl | wc -l; }
run() { "$spanward" run -q -r "$day" -p "$policy" --store "$dir/$1.db" --format jsonl 2>"$dir/err"; }

# Standard output that cannot be written: said, exit 1, everything stored, and printed by the next run.
code=0
run full >/dev/full || code=$?
[ $code = 1 ] || fail "/dev/full: exit $code"
grep -q 'standard output cannot be written: No space left' "$dir/err" || fail "/dev/full: not said"
[ "$(alerts "$dir/full.db")" = 10 ] || fail "/dev/full: $(alerts "$dir/full.db") alerts stored"
[ "$(run full | wc -l)" = 10 ] || fail "what was not printed is not printed later"

# A reader that goes: the end, but what was found by then is stored first.
run head | head -1 >"$dir/first"
[ -s "$dir/first" ] || fail "nothing printed"
! grep -q 'not acknowledged' "$dir/err" || fail "a reader that went lost events"

# A store that another program holds for longer than it is waited for, in the middle of the work.
cat >"$dir/hold.py" <<'EOT'
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("begin immediate")
open(sys.argv[1] + ".locked", "w").close()
time.sleep(7)
db.execute("commit")
EOT
half=$(($(wc -c <"$day") / 2))
(
	head -c $half "$day"
	until "$spanward" alerts --store "$dir/held.db" >/dev/null 2>&1; do sleep 0.2; done
	/usr/bin/python3 "$dir/hold.py" "$dir/held.db" &
	until [ -e "$dir/held.db.locked" ]; do sleep 0.1; done
	tail -c +$((half + 1)) "$day"
	wait
) | "$spanward" run -q -r - -p "$policy" --store "$dir/held.db" --format jsonl >"$dir/held" 2>"$dir/err" || fail "a store that was held for 7 s"
[ "$(wc -l <"$dir/held")" = 10 ] && [ "$(alerts "$dir/held.db")" = 10 ] || fail "a store that was held: not all alerts"
grep -qE 'trying again|could not be stored' "$dir/err" || fail "a store that was held: not said"

# A full disk: said at once, with the reason.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir "$dir/disk"
	code=0
	unshare -m sh -c 'mount -t tmpfs -o size=400k tmpfs "$1/disk" && dd if=/dev/zero of="$1/disk/fill" bs=1k count=180 2>/dev/null &&
		"$2" run -q -r "$3" -p "$4" --store "$1/disk/s.db" >/dev/null 2>"$1/err"' sh "$dir" "$spanward" "$day" "$policy" || code=$?
	[ $code = 1 ] || fail "a full disk: exit $code"
	grep -qE 'could not be stored.*(No space left|full)|No space left' "$dir/err" || fail "a full disk: the reason is not said"
else
	echo "note: a full disk needs root to be made: left out"
fi

# Killed with -9 it leaves its directory: the next run removes it, and not that of one that still runs.
mkdir "$dir/in"
pids=
for n in 1 2; do
	"$spanward" run -q -r "$dir/in" --follow --store "$dir/left$n.db" >/dev/null 2>"$dir/err" &
	pids="$pids $!"
done
of() { grep -lx "$1" /tmp/spanward-run-*/lock 2>/dev/null | sed 's,/lock$,,'; }
set -- $pids
tries=0
until [ -S "$(of "$1")/events" ] && [ -S "$(of "$2")/events" ]; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] || { kill $pids; fail "two runs do not begin"; }
	sleep 0.1
done
left=$(of "$1") used=$(of "$2")
kill -9 "$1"
wait "$1" 2>/dev/null || true
[ -d "$left" ] || fail "nothing was left behind to try"
run after >/dev/null || fail "a run beside what was left behind"
[ ! -e "$left" ] || fail "what a killed run left behind stays"
[ -S "$used/events" ] || fail "the directory of a run was taken away"
kill -TERM "$2"
wait "$2" || fail "the end of a run: $?"
[ ! -e "$used" ] || fail "a run that ended leaves its directory"

# What only a live capture heeds.
for option in '--filter=host 192.0.2.1' --snaplen=100 --rings=2 --timestamps=host; do
	code=0
	"$spanward" run -q -r "$day" "$option" --store "$dir/x.db" >/dev/null 2>"$dir/err" || code=$?
	[ $code = 2 ] || fail "$option with a capture: exit $code"
done

# -o: what is there stays, when the engine is killed and when the user ends it.
echo good >"$dir/good.jsonl"
for signal in KILL INT; do
	mkfifo "$dir/pipe"
	(head -c 300000 "$day"; sleep 20) >"$dir/pipe" &
	writer=$!
	"$spanward" replay -q --show observations -o "$dir/good.jsonl" - <"$dir/pipe" 2>"$dir/err" &
	replay=$!
	until child=$(cat "/proc/$replay/task/$replay/children" 2>/dev/null) && [ -n "$child" ]; do sleep 0.1; done
	sleep 0.5
	if [ $signal = KILL ]; then kill -9 $child; else kill -INT $replay; fi
	code=0
	wait $replay || code=$?
	kill $writer 2>/dev/null || true
	wait $writer 2>/dev/null || true
	rm "$dir/pipe"
	[ $code = 1 ] || fail "replay ended by $signal: exit $code"
	[ "$(cat "$dir/good.jsonl")" = good ] || fail "$signal: -o replaced a good file"
	grep -q 'good.jsonl is as it was' "$dir/err" || fail "$signal: not said"
done
[ "$(ls "$dir" | grep -c '^good.jsonl')" = 1 ] || fail "-o left a file behind"

# A link to write to stays a link, and what is read is not written over.
ln -s /proc/self/fd/1 "$dir/link"
"$spanward" replay -q --show observations -o "$dir/link" "$day" >>"$dir/linked" || fail "-o LINK"
[ -L "$dir/link" ] && [ "$(wc -l <"$dir/linked")" -gt 100 ] || fail "-o replaced a link"
cp "$day" "$dir/day.pcap"
! "$spanward" replay -q -o "$dir/day.pcap" "$dir/day.pcap" 2>"$dir/err" || fail "-o over the capture"
cmp -s "$day" "$dir/day.pcap" && grep -q 'name another file' "$dir/err" || fail "the capture was written over"

# A file of JSON Lines that ends in half a line: what is sent next stands on a line of its own.
printf '{"id":"half' >"$dir/sink.jsonl"
"$spanward" run -q -r "$day" -p "$policy" --store "$dir/sink.db" --sink "jsonl:$dir/sink.jsonl" >/dev/null 2>"$dir/err" || fail "sink"
/usr/bin/python3 -c 'import json, sys; lines = open(sys.argv[1]).read().splitlines(); assert len(lines) == 11; [json.loads(l) for l in lines[1:]]' \
	"$dir/sink.jsonl" || fail "lines are glued"

# Endless lines.
code=0
(ulimit -v 2000000; "$spanward" replay -q --expect /dev/zero "$day" >/dev/null 2>"$dir/err") || code=$?
[ $code = 1 ] || fail "--expect /dev/zero: exit $code"
for from in /dev/zero "$dir"; do
	code=0
	(ulimit -v 2000000; "$spanward" explain 0123456789abcdef --from "$from" >/dev/null 2>"$dir/err") || code=$?
	[ $code = 4 ] || fail "explain --from $from: exit $code"
done

# A place to listen that is somebody's file, or is reached by another name.
echo precious >"$dir/file"
code=0
"$BUILD/bin/spanward-collector" --store "$dir/c.db" --bind "ipc://$dir/file" --once-idle 0 2>"$dir/err" || code=$?
[ $code = 1 ] && [ "$(cat "$dir/file")" = precious ] || fail "--bind on a file: exit $code"
code=0
"$BUILD/bin/spanward-collector" --store "$dir/c.db" --bind "ipc://$dir/none/x" --once-idle 0 2>"$dir/err" || code=$?
[ $code = 1 ] || fail "--bind in no directory: exit $code"
ln -s c.db "$dir/link.db"
"$BUILD/bin/spanward-collector" --store "$dir/c.db" --bind "ipc://$dir/socket" 2>"$dir/err.first" &
first=$!
until grep -q listening "$dir/err.first"; do sleep 0.1; done
code=0
"$BUILD/bin/spanward-collector" --store "$dir/link.db" --bind "ipc://$dir/other" --once-idle 0 2>"$dir/err" || code=$?
kill $first
wait $first || true
[ $code != 0 ] && grep -q 'writes to it' "$dir/err" || fail "two collectors on one store by two names: exit $code"
echo "failures of standard output, disk, store, reader, engine and names: said, and nothing harmed"
