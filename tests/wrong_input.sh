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
echo "all answered"
