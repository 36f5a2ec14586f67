#!/bin/sh
# Wrong input gets its exit code and a message that says where and what to do.
# Covers: R095
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; cat "$dir/err"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
s=$BUILD/bin/spanward
demo=test-pcaps/demo
# want CODE 'PATTERN' COMMAND...: the exit code, and every |-separated word in the message.
want() {
	code=$1 words=$2
	shift 2
	got=0
	"$@" >"$dir/out" 2>"$dir/err" </dev/null || got=$?
	[ "$got" = "$code" ] || fail "exit $got, not $code: $*"
	IFS='|'
	for w in $words; do
		grep -qF -- "$w" "$dir/err" || fail "no '$w' in the message of: $*"
	done
	unset IFS
}
# edit FILE SED-SCRIPT: a fresh copy of the demo's policy with one fault.
edit() {
	rm -rf "$dir/policy"
	cp -r $demo/policy "$dir/policy"
	sed -i "$2" "$dir/policy/$1"
	! cmp -s "$demo/policy/$1" "$dir/policy/$1" || fail "the fault was not planted in $1"
}
capture=$demo/hospital-day.pcap
short=$(cd $demo/policy && grep -l '^device_type:' *.yaml | head -1)

edit "$short" 's/^maker:/makr:/'
want 3 "$short:|makr|maker" "$s" replay -p "$dir/policy" $capture
want 3 "$short:|makr|maker" "$s" check "$dir/policy"
edit "$short" '0,/\(dicom\|tcp\|ssh\|hl7\|https\): [0-9][0-9]*/s//\1: 70000/'
want 3 "$short:|70000|65535" "$s" check "$dir/policy"
edit "$short" '0,/\(to\|from\): \([a-z]*\)/s//\1: \2x/'
want 3 "$short:|role" "$s" check "$dir/policy"
want 2 "CAPTURE" "$s" replay
want 2 "-p DIR" "$s" replay --fail-on high $capture
want 2 "-p DIR" "$s" replay --show alerts $capture
want 2 "--nonsense" "$s" replay --nonsense $capture
want 2 "repaly|replay" "$s" repaly $capture
want 4 "no-such.pcap|No such file" "$s" replay "$dir/no-such.pcap"
want 4 "$dir|directory" "$s" replay "$dir"
want 3 "no-such-policy" "$s" replay -p "$dir/no-such-policy" $capture
head -c 5000 $capture >"$dir/cut.pcap"
want 4 "cut.pcap|cut" "$s" replay --show observations --format jsonl "$dir/cut.pcap"
[ -s "$dir/out" ] || fail "what was read before the cut is not reported"
echo 'hello, world, this is not a capture' >"$dir/text.pcap"
want 4 "text.pcap" "$s" replay "$dir/text.pcap"
: >"$dir/empty.pcap"
want 4 "empty.pcap" "$s" replay "$dir/empty.pcap"
# Two units with one address: both places are named.
rm -rf "$dir/policy"
cp -r $demo/policy "$dir/policy"
/usr/bin/python3 - "$dir/policy" <<'PY'
import glob, os, re, sys
d = sys.argv[1]
csv = os.path.join(d, "inventory.csv")
if os.path.exists(csv):
    lines = open(csv).read().splitlines()
    head = lines[0].split(",")
    a, b = lines[1].split(","), lines[2].split(",")
    b[head.index("ip")] = a[head.index("ip")]
    lines[2] = ",".join(b)
    open(csv, "w").write("\n".join(lines) + "\n")
else:
    path = os.path.join(d, "inventory.yaml")
    text = open(path).read()
    ips = re.findall(r'ip: "?([0-9.]+)"?', text)
    text = text.replace(ips[1], ips[0], 1)
    open(path, "w").write(text)
PY
want 3 "inventory" "$s" check "$dir/policy"
# A pipe that nobody writes to, where a file should be, must not hold anybody.
rm -rf "$dir/policy"
cp -r $demo/policy "$dir/policy"
mkfifo "$dir/policy/pipe.yaml"
want 3 "pipe.yaml|expected a file" timeout 60 "$s" check "$dir/policy"
want 1 "" "$s" replay --show observations -o /dev/full $capture
want 0 "" "$s" --help
want 0 "" "$s" replay --help
# Whatever a file is called, no byte of it acts on the terminal, and what is to be typed next can be pasted.
name=$(printf 'a\033[31m b\nc.pcap')
cp $capture "$dir/$name"
harmless() {
	! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$dir/err" || fail "control bytes in the message of: $1"
	[ "$(wc -l <"$dir/err")" -le "$2" ] || fail "more than $2 lines for: $1"
}
want 0 'a\x1b[31m b\x0a|next: ' "$s" replay --show stats "$dir/$name"
harmless replay 3
hint=$(sed -n 's/^next: \(.*\)   (.*/\1/p' "$dir/err")
bash -c "printf '%s|' $hint" >"$dir/hint"
[ "$(cat "$dir/hint")" = "$s|replay|-p|POLICY_DIR|$dir/$name|" ] || fail "the hint is not what was typed: $(cat "$dir/hint")"
want 0 'next: spanward replay' env PATH="$BUILD/bin:$PATH" spanward replay --show stats $capture
head -c 3000 "$dir/$name" >"$dir/x$name"
want 4 'xa\x1b[31m' "$s" replay --show stats "$dir/x$name"
harmless cut 4
for c in "replay $(printf 'no\033such')" "check $(printf 'no\033such')" "replay --show $(printf 'al\033erts')" "$(printf 're\033play')" \
	"replay --$(printf 'show\033')" "replay -p $(printf 'no\033such') $capture" "replay --expect $(printf 'no\033such') $capture" \
	"replay -o $(printf 'no/\033such') $capture" "replay --workers $(printf '1\033')" "replay --budget $(printf '1\033')"; do
	$s $c >"$dir/out" 2>"$dir/err" </dev/null && fail "not refused: $c"
	harmless "$c" 3
	grep -qF '\x1b' "$dir/err" || fail "the name is not shown by: $c"
done
for c in "$BUILD/bin/spanward-sensor" "$BUILD/bin/spanward-collector"; do
	for word in "$(printf -- '--no\033such')" "$(printf 'no\033such')"; do
		! "$c" "$word" >"$dir/out" 2>"$dir/err" </dev/null || fail "not refused: $c $word"
		harmless "$c" 3
		grep -qF '\x1b' "$dir/err" || fail "the word is not shown by: $c"
	done
done
printf 'kind: [\n' >"$dir/$(printf 'x\033.yaml')"
want 3 'x\x1b.yaml' "$s" check "$dir/$(printf 'x\033.yaml')"
harmless check 1

# What a file is instead, and what was meant.
mkdir "$dir/none"
printf 'schema: "1"\nkind: sit\n' >"$dir/place.yaml"
want 3 'place.yaml:2:7|expected device-type, site or inventory|did you mean site?' "$s" check "$dir/place.yaml"
want 3 'plce.yaml: cannot be read|did you mean place.yaml?' "$s" check "$dir/plce.yaml"
want 3 'no such thing.yaml: cannot be read: No such file' "$s" check "$dir/no such thing.yaml"
want 3 'hospital-day.pcap: is a capture|expected YAML' "$s" check $capture
want 3 'none: holds no policy|site.yaml|docs/profiles.md' "$s" check "$dir/none"
: >"$dir/empty.yaml"
want 3 'empty.yaml:1:1: nothing is written' "$s" check "$dir/empty.yaml"
head -c 10000000 /dev/urandom >"$dir/random.yaml"
want 3 'random.yaml: is no text|expected YAML' "$s" check "$dir/random.yaml"
[ "$(wc -l <"$dir/err")" = 1 ] || fail "one fault, more than one line"
cp "$dir/random.yaml" "$dir/random.csv"
want 3 'random.csv: is no text|expected CSV' "$s" check "$dir/random.csv"
want 4 'dya.pcap: cannot be read|did you mean hospital-day.pcap?' "$s" replay $demo/hospital-dya.pcap
want 3 'polic: cannot be opened as a policy directory|did you mean policy?' "$s" replay -p $demo/polic $capture
[ "$(wc -l <"$dir/err")" = 1 ] || fail "a missing policy is told twice"
want 2 "no option '--expct'|did you mean --expect?" "$s" replay --expct x $capture
want 2 "--show needs a value" "$s" replay --show
want 2 "--quiet takes no value" "$s" replay --quiet=1 $capture

# The option at fault is named; so is what there is.
want 2 "--workers: '0': expected" "$s" replay --workers 0 $capture
want 2 "--budget: flows: '0'" "$s" replay --budget flows=0 $capture
want 2 "once" "$s" replay - -
want 4 "standard input: no capture: an empty file" "$s" replay -
want 4 "none: cannot be read: Is a directory" "$s" replay --expect "$dir/none" $capture
want 2 "--bind 'tcp://127.0.0.1:99999': expected" "$BUILD/bin/spanward-collector" --store "$dir/x.db" --bind tcp://127.0.0.1:99999 --once-idle 1
want 2 "--bind 'foo': expected" "$BUILD/bin/spanward-collector" --store "$dir/x.db" --bind foo
want 2 "--workers: '99'" "$BUILD/bin/spanward-sensor" --workers 99
"$BUILD/bin/spanward-sensor" -i nosuch0 --connect ipc:///tmp/x >"$dir/out" 2>"$dir/err" </dev/null || true
grep -qE 'nosuch0: no (such interface; there are: .*lo|right to capture)' "$dir/err" || fail "an interface that is not there"
want 3 "as a policy directory" "$BUILD/bin/spanward-sensor" -r $capture -p "$dir/nosuch" --connect ipc:///tmp/x
[ "$(wc -l <"$dir/err")" = 1 ] || fail "a missing policy is told twice"

# A closed or full standard output is a failure, and nothing else is written in its place.
closed() {
	got=0
	"$@" 2>"$dir/err" >&- </dev/null || got=$?
	[ "$got" = 1 ] || fail "exit $got with standard output closed: $*"
	got=0
	"$@" 2>"$dir/err" >/dev/full </dev/null || got=$?
	[ "$got" = 1 ] || fail "exit $got with standard output full: $*"
}
for c in "replay $capture" "replay --show observations $capture" "check $demo/policy" help "help replay" "replay --help" --version; do
	closed "$s" $c
done
for c in --help --version; do
	closed "$BUILD/bin/spanward-sensor" $c
	closed "$BUILD/bin/spanward-collector" $c
done
# What may not be read is another exit code; root may read everything.
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$dir"
	rm -rf "$dir/policy"
	cp -r $demo/policy "$dir/policy"
	cp "$s" "$dir/spanward"
	cp $capture "$dir/locked.pcap"
	chmod 600 "$dir/policy/site.yaml" "$dir/locked.pcap"
	other="setpriv --reuid=65534 --regid=65534 --clear-groups"
	want 5 "site.yaml: cannot be read: Permission denied" $other "$dir/spanward" check "$dir/policy"
	want 5 "site.yaml: cannot be read: Permission denied" $other "$dir/spanward" check "$dir/policy/site.yaml"
	want 5 "locked.pcap: cannot be read: Permission denied" $other "$dir/spanward" replay "$dir/locked.pcap"
	want 5 "x: cannot be written: Permission denied" $other "$dir/spanward" replay -o /etc/x "$dir/$name"
fi

# The summary counts what is printed.
for show in observations flows; do
	want 0 observations "$s" replay --show $show --format jsonl $capture
	lines=$(wc -l <"$dir/out")
	grep -qE " $lines ($show)" "$dir/err" || fail "$lines $show printed, and: $(head -1 "$dir/err")"
done
echo "all answered"
