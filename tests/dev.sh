#!/bin/sh
# ./dev answers what was typed wrongly before it builds or installs anything.
set -eu
cd "${SOURCE:-$PWD}"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
# want 'WORDS' ARGUMENT...: exit 2 at once, and every |-separated word in the message.
want() {
	words=$1
	shift
	got=0
	PATH=$no_build timeout 60 ./dev "$@" >"$out" 2>&1 </dev/null || got=$?
	[ "$got" = 2 ] || { echo "FAIL: exit $got, not 2: ./dev $*"; cat "$out"; exit 1; }
	IFS='|'
	for w in $words; do
		grep -qF -- "$w" "$out" || { echo "FAIL: no '$w' from ./dev $*"; cat "$out"; exit 1; }
	done
	unset IFS
}
# A PATH on which nothing can be built: whoever comes so far fails with another status.
tools=$(mktemp -d)
trap 'rm -rf "$out" "$tools"' EXIT
for p in sh sed grep tr ls find sort dirname cat timeout rm; do ln -s "$(command -v $p)" "$tools/$p"; done
no_build=$tools
want "no command 'nosuch'|./dev help" nosuch
want "no case 'nosuch'|demo/hospital-day" golden nosuch
want "no case '../x'" golden ../x
want "no case 'nosuch'" golden demo/hospital-day nosuch
want "no preset 'nosuch'|release" build nosuch
want "no preset 'base'" build base
want "one argument too many: x" build dev x
want "no target 'nosuch'|hl7" fuzz nosuch
want "'abc' is no number of seconds" fuzz hl7 abc
want "'0' is no number" fuzz hl7 0
want "too many" fuzz hl7 1 2
want "nothing called '/no/such'|chatty" bench /no/such
want "too many" check x
want "too many" clean x
want "too many" help x
want "./dev test -R hl7" test hl7
want "./dev asan -R hl7" asan hl7
./dev help | grep -q 'golden \[CASE' || { echo "FAIL: no help"; exit 1; }
got=0
tools/golden nosuch >"$out" 2>&1 || got=$?
[ "$got" = 2 ] && grep -q "no capture test-pcaps/nosuch.pcap" "$out" || { echo "FAIL: tools/golden nosuch"; exit 1; }
echo "all answered"
