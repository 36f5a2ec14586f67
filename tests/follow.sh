#!/bin/sh
# A directory of captures that is followed: a day cut into files that come one after the other gives the same alerts as the day in
# one file, connections that cross a file's end included; what is no capture, is cut short, grows or vanishes is told and passed.
# The engine is sandboxed and allocates nothing for a new file.
set -eu
BUILD=${BUILD:-$PWD/build}
py=/usr/bin/python3
[ -x $py ] || { echo "skipped: no $py"; exit 77; }
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; cat "$dir/log"; exit 1; }
until_true() { tries=0; until "$@"; do tries=$((tries + 1)); [ $tries -lt 300 ] || return 1; sleep 0.1; done; }
told() { grep -qF -- "$1" "$dir/log"; }
s=$BUILD/bin/spanward
demo=test-pcaps/demo
mkdir "$dir/in" "$dir/parts"
# Seven parts, in the middle of connections; one compressed.
$py - $demo/hospital-day.pcap "$dir/parts" <<'PY'
import gzip, struct, sys
data, parts = open(sys.argv[1], "rb").read(), sys.argv[2]
e = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
at, packets = 24, []
while at < len(data):
    n = 16 + struct.unpack_from(e + "I", data, at + 8)[0]
    packets.append(data[at:at + n]); at += n
size = -(-len(packets) // 7)
for i in range(7):
    part = data[:24] + b"".join(packets[i * size:(i + 1) * size])
    open(f"{parts}/part{i}.pcap" + (".gz" if i == 3 else ""), "wb").write(gzip.compress(part) if i == 3 else part)
PY
ids() { "$s" alerts --store "$1" --format jsonl 2>/dev/null | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/' | sort; }
"$s" run -q -r $demo/hospital-day.pcap -p $demo/policy --store "$dir/whole" >/dev/null 2>"$dir/log" </dev/null || fail "the whole day"
ids "$dir/whole" >"$dir/whole.ids"
[ -s "$dir/whole.ids" ] || fail "the whole day has no alerts"
# Two parts are there already, a transfer is under way.
cp "$dir/parts/part0.pcap" "$dir/in/9"
touch -d '2020-01-01' "$dir/in/9"
cp "$dir/parts/part1.pcap" "$dir/in/1"
cp "$dir/parts/part2.pcap" "$dir/in/.2"
"$s" run -r "$dir/in" --follow -p $demo/policy --store "$dir/store" --metrics "$dir/prom" --metrics-every 1s >"$dir/out" 2>"$dir/log" </dev/null &
pid=$!
until_true told 'in/1: ' || fail "what is there is not read"
engine=$(sed -n 's/.*engine \([0-9]*\): .*/\1/p' "$dir/log")
[ "$(awk '$1 == "Seccomp_filters:" { print $2 }' /proc/"$engine"/status)" = 2 ] || fail "the engine's sandbox"
before=$(awk '$1 == "VmData:" { print $2 }' /proc/"$engine"/status)
echo 'no capture' >"$dir/in/readme.txt"
until_true told 'readme.txt: ' || fail "what is no capture is not told"
mv "$dir/in/.2" "$dir/in/2"
until_true told 'in/2: ' || fail "what is moved in is not read"
cp "$dir/parts/part3.pcap.gz" "$dir/in/3"
until_true told 'in/3: ' || fail "gzip"
# Written while it is watched; read when it is whole.
{ head -c 1000 "$dir/parts/part4.pcap"; sleep 1; tail -c +1001 "$dir/parts/part4.pcap"; } >"$dir/in/4"
until_true told 'in/4: ' || fail "what is written slowly"
cat "$dir/parts/part5.pcap" >"$dir/in/5"
until_true told 'in/5: ' || fail "part 5"
tail -c 100 "$dir/parts/part5.pcap" >>"$dir/in/5"
until_true told 'in/5: has grown by 100 bytes' || fail "a file that grew"
cat "$dir/parts/part6.pcap" >"$dir/in/6"
until_true told 'in/6: ' || fail "part 6"
head -c 500 "$dir/parts/part6.pcap" >"$dir/in/cut"
until_true told 'in/cut: ' || fail "a file cut short"
[ "$(awk '$1 == "VmData:" { print $2 }' /proc/"$engine"/status)" = "$before" ] || fail "the engine grew"
until_true grep -qs "^spanward_source_packets_total{source=\"$dir/in\"} [1-9]" "$dir/prom" || fail "no metrics"
kill -INT $pid
code=0
wait $pid || code=$?
pid=
[ $code = 0 ] || fail "exit $code"
told 'captures read 9, of them 2 not to their end' || fail "the last word"
ids "$dir/store" >"$dir/ids"
cmp -s "$dir/whole.ids" "$dir/ids" || { diff "$dir/whole.ids" "$dir/ids" || true; fail "not the alerts of the whole day"; }
# What is typed wrongly.
for wrong in "-r $dir/in/1 --follow" "-r $dir/nowhere --follow" "-i lo --follow" "-r $dir/in -r $dir/parts --follow"; do
	code=0
	# shellcheck disable=SC2086
	timeout 20 "$s" run $wrong --store "$dir/store" >/dev/null 2>"$dir/log" </dev/null || code=$?
	[ $code = 2 ] || fail "exit $code: $wrong"
done
echo "a day in seven files: $(wc -l <"$dir/ids" | tr -d ' ') alerts as in one"
