#!/bin/sh
# The commands that people type: what they print where, and with which exit code.
# Covers: R007 R095
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; [ ! -f "$dir/err" ] || cat "$dir/err"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
s=$BUILD/bin/spanward
demo=test-pcaps/demo
capture=$demo/hospital-day.pcap
# want CODE COMMAND...: output in $dir/out and $dir/err.
want() {
	code=$1
	shift
	got=0
	"$@" >"$dir/out" 2>"$dir/err" </dev/null || got=$?
	[ "$got" = "$code" ] || fail "exit $got, not $code: $*"
}
said() { grep -qF -- "$1" "$dir/err" || fail "not said: $1"; }
lines() { wc -l <"$1" | tr -d ' '; }

# Help teaches, to standard output, for every command.
want 0 "$s" help
for c in $(awk '$1 ~ /^[a-z-]+$/ && NR > 2 { print $1 }' "$dir/out" | grep -vx help | head -8); do
	want 0 "$s" "$c" --help
	grep -q '^usage: spanward' "$dir/out" && grep -qi 'exit codes\|capture' "$dir/out" || fail "$c --help"
	want 0 "$s" help "$c"
done
want 2 "$s" profile
for c in $(sed -n 's/.*(\(convert, .*\)).*/\1/p' "$dir/err" | tr -d ,); do
	want 0 "$s" profile $c --help
	grep -q "^usage: spanward profile $c" "$dir/out" || fail "profile $c --help"
	! grep -q -- --language "$dir/out" || fail "profile $c calls --lang otherwise"
	grep -q "spanward profile .*$c" docs/cli.md || fail "docs/cli.md has no profile $c"
done
want 2 "$s"
want 2 "$s" replay --show observation $capture
said 'did you mean observations?'
want 2 "$s" replay --workers 17 $capture
want 2 "$s" replay --budget flows=none $capture
want 2 "$s" alerts ack
want 2 "$s" alerts mute 0123456789abcdef --reason x
said 'a mute ends'
want 2 "$s" run -i lo -r $capture
want 2 "$BUILD/bin/spanward-sensor" -r $capture --connect tcp://192.0.2.1:5577
said '--insecure-no-curve'

# A pipe gets JSON Lines and nothing else; the digest is on standard error, and is that of the encoded events.
want 0 "$s" replay -p $demo/policy $capture
cp "$dir/out" "$dir/alerts.jsonl"
alerts=$(lines "$dir/out")
[ "$(grep -c '^{"id":"' "$dir/out")" = "$alerts" ] || fail "something else than alerts in the data"
grep -qE '^events [0-9]+ sha256 [0-9a-f]{64}$' "$dir/err" || fail "no digest"
digest=$(grep '^events ' "$dir/err")
for show in events observations flows assets stats; do
	want 0 "$s" replay -p $demo/policy --show $show --workers 2 $capture
	[ "$(grep '^events ' "$dir/err")" = "$digest" ] || fail "the digest depends on --show $show"
	for format in json jsonl csv table; do
		want 0 "$s" replay -p $demo/policy --show $show --format $format $capture
		[ -s "$dir/out" ] || fail "--show $show --format $format is empty"
	done
done
want 0 "$s" replay -q -p $demo/policy $capture
[ ! -s "$dir/err" ] || fail "--quiet is not"

# Without a policy: hosts and services, and what to type next; no flood of unknown devices.
want 0 "$s" replay $capture
grep -q '"services":\[' "$dir/out" || fail "no services"
! grep -q unknown_device "$dir/out" || fail "unknown devices without a policy"
said "replay -p POLICY_DIR $capture"

# A reader that goes away ends it quietly; a file appears whole.
code=$({ "$s" replay --show observations $capture 2>"$dir/err"; echo $? >"$dir/code"; } | head -1 >/dev/null; cat "$dir/code")
[ "$code" = 0 ] || fail "a closed pipe: exit $code"
! grep -qi 'broken pipe\|cannot' "$dir/err" || fail "a closed pipe is not quiet"
echo old >"$dir/file"
want 4 "$s" replay -o "$dir/file" "$dir/no-such.pcap"
[ "$(cat "$dir/file")" = old ] || fail "-o lost the old file"
want 0 "$s" replay -p $demo/policy --format jsonl -o "$dir/file" $capture
cmp -s "$dir/file" "$dir/alerts.jsonl" || fail "-o and a pipe differ"
[ "$(ls "$dir" | grep -c '^file')" = 1 ] || fail "a temporary file was left"

# --expect compares and points at the first difference; --fail-on finds.
want 0 "$s" replay -p $demo/policy --expect "$dir/alerts.jsonl" $capture
[ ! -s "$dir/out" ] || fail "--expect prints"
sed '3s/"count":1/"count":7/' "$dir/alerts.jsonl" >"$dir/wrong.jsonl"
want 1 "$s" replay -p $demo/policy --expect "$dir/wrong.jsonl" $capture
said "$dir/wrong.jsonl:3:"
said '"count":7'
want 4 "$s" replay -p $demo/policy --expect "$dir/no-such-golden" $capture
want 10 "$s" replay -p $demo/policy --fail-on critical $capture
want 2 "$s" replay --fail-on low $capture
want 10 "$s" replay -p $demo/policy --fail-on low --show observations $capture

# Standard input, gzip, and several files merged by time.
cat $capture | "$s" replay -q -p $demo/policy - >"$dir/out" || fail "standard input"
cmp -s "$dir/out" "$dir/alerts.jsonl" || fail "standard input differs"
gzip -c $capture >"$dir/day.pcap.gz"
want 0 "$s" replay -p $demo/policy "$dir/day.pcap.gz"
cmp -s "$dir/out" "$dir/alerts.jsonl" || fail "gzip differs"
head -c 5000 $capture >"$dir/cut.pcap"
want 4 "$s" replay --show observations "$dir/cut.pcap" $capture
grep -q '"file":2' "$dir/out" || fail "the second file is not numbered"
said "$dir/cut.pcap"
# Whoever reads a capture says the same of one that is cut, with what to do.
for command in "replay" "span-check" "profile matrix -p $demo/policy" "profile coverage -p $demo/policy"; do
	want 4 "$s" $command "$dir/cut.pcap"
	said 'read before that; copy or capture it again for the rest'
done

# Both languages, wide characters, colours only when asked for.
want 0 "$s" replay -p $demo/policy --format table --lang ja $capture
grep -q '重要度' "$dir/out" || fail "no Japanese table"
want 0 env LANG=ja_JP.UTF-8 LC_ALL= LC_MESSAGES= "$s" replay -p $demo/policy --format table $capture
grep -q '重要度' "$dir/out" || fail "the locale is not heeded"
! grep -q "$(printf '\033')" "$dir/out" || fail "colours on a pipe"
for show in events:規則 observations:送信元 flows:発信側 assets:提供サービス stats:カウンター; do
	want 0 "$s" replay -p $demo/policy --show "${show%:*}" --format table --lang ja $capture
	head -1 "$dir/out" | grep -q "${show#*:}" || fail "no Japanese heading of ${show%:*}"
done
want 0 "$s" profile matrix -p $demo/policy --lang ja $capture
said '通信46。行数：開示資料どおり'
# Summaries are in the language of the table; --language is --lang.
want 0 "$s" replay -p $demo/policy --lang ja $capture
said 'パケット804、通信46、観測'
said '、アラート'
! grep -qE 'packets|next:|^events' "$dir/err" || fail "an English summary beside Japanese"
want 0 "$s" profile learn -p $demo/policy -o "$dir/seen.yaml" $capture
want 0 "$s" profile diff -p $demo/policy --format table --lang ja "$dir/seen.yaml"
said '開示あり・観測あり16、開示あり・観測なし0、開示資料と相違4'
grep -q '発信' "$dir/out" && ! grep -qE ' (in|out) ' "$dir/out" || fail "directions in English"
want 0 "$s" profile what-if -p $demo/policy --with $demo/policy --lang ja $capture
said '通信46。判定した側のうち'
for action in import inquiry; do
	want 2 "$s" profile $action --language ja x
	said "there is no option '--language'; did you mean --lang?"
done
want 0 "$s" replay -p $demo/policy --format table --color always $capture
grep -q "$(printf '\033')" "$dir/out" || fail "no colours with --color always"

# The same into a store, by sensor and collector in one command; then decisions about it.
mkdir -p "$dir/state/deep"
db=$dir/state/deep/store.db
want 0 "$s" run -r $capture -p $demo/policy --store "$db" --sink "jsonl:$dir/sink.jsonl"
[ "$(lines "$dir/out")" = "$alerts" ] || fail "run printed $(lines "$dir/out") alerts, not $alerts"
sort "$dir/out" >"$dir/a"
sort "$dir/alerts.jsonl" >"$dir/b"
cmp -s "$dir/a" "$dir/b" || { diff "$dir/a" "$dir/b" | head -4; fail "run and replay differ"; }
[ "$(lines "$dir/sink.jsonl")" -ge "$alerts" ] || fail "the sink has $(lines "$dir/sink.jsonl") alerts"
want 0 "$s" assets --store "$db"
[ "$(lines "$dir/out")" -gt 10 ] || fail "too few assets"
want 0 "$s" assets --store "$db" --format table --lang ja
grep -q '提供サービス' "$dir/out" || fail "assets in English"
want 0 "$s" alerts --store "$db"
cmp -s "$dir/out" "$dir/alerts.jsonl" || fail "the list differs from the replay"
id=$(sed -n '1s/.*"id":"\([0-9a-f]*\)".*/\1/p' "$dir/alerts.jsonl")
other=$(sed -n '2s/.*"id":"\([0-9a-f]*\)".*/\1/p' "$dir/alerts.jsonl")
want 0 "$s" alerts --store "$db" --severity critical
[ "$(lines "$dir/out")" -lt "$alerts" ] || fail "--severity does not choose"
want 2 "$s" alerts --store "$db" ack "$id"
want 0 "$s" alerts --store "$db" ack "$id" --reason 'looking into it'
want 0 "$s" alerts --store "$db" --state acknowledged
grep -q "$id" "$dir/out" || fail "not acknowledged"
want 0 "$s" alerts --store "$db" mute "$other" --reason 'vendor visit' --for 5d
want 0 "$s" alerts --store "$db"
[ "$(lines "$dir/out")" = $((alerts - 1)) ] || fail "a muted alert is listed as current"
want 0 "$s" alerts --store "$db" --state muted
grep -q "$other" "$dir/out" || fail "not muted"
want 2 "$s" alerts --store "$db" mute "$other" --reason x --until 2001-01-01
want 0 "$s" alerts --store "$db" unmute "$other" --reason 'over'
want 0 "$s" alerts --store "$db" close "$id" --reason 'it was the vendor'
want 0 "$s" alerts --store "$db" --state closed
grep -q "$id" "$dir/out" || fail "not closed"
want 0 "$s" alerts --store "$db" reopen "$id" --reason 'not so'
want 0 "$s" alerts --store "$db" --state open
[ "$(lines "$dir/out")" = "$alerts" ] || fail "not all open again"
want 1 "$s" alerts --store "$db" ack 0123456789abcdef --reason x
said 'no such alert'
want 4 "$s" alerts --store "$dir/none.db"
said 'no store at'
[ ! -e "$dir/none.db" ] || fail "listing made a store"

# One alert, explained from a store, a file and a pipe, alike; by its beginning, too.
want 0 "$s" explain "$id" --from "$db"
cp "$dir/out" "$dir/from-store"
grep -q '。$' "$dir/out" || fail "no Japanese sentence"
want 0 "$s" explain "$id" --from "$dir/alerts.jsonl"
cmp -s "$dir/out" "$dir/from-store" || fail "store and file explain differently"
"$s" explain "$(echo "$id" | cut -c1-6)" --from - <"$dir/alerts.jsonl" >"$dir/out" || fail "explain from a pipe"
cmp -s "$dir/out" "$dir/from-store" || fail "store and pipe explain differently"
want 1 "$s" explain 0123456789abcdef --from "$db"
want 4 "$s" explain "$id" --from "$capture"
want 2 "$s" explain nonsense
want 0 env HOME="$dir/home" XDG_STATE_HOME="$dir/xdg" "$s" explain "$id" --lang en --from "$db"
! grep -q '。$' "$dir/out" || fail "--lang en speaks Japanese"
printf '{"id":"%s","said":"\\u001b[2J\\u202e","explain_en":"x"}\n' "$id" | "$s" explain "$id" --from - >"$dir/out" 2>"$dir/err" || true
! grep -q "$(printf '\033')" "$dir/out" || fail "an alert moved the cursor"
rm -f "$dir/err"
echo "$alerts alerts, every command"
