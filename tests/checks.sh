#!/bin/sh
# The checks of the tree hold, and each of them can fail: a planted fault is found.
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
command -v git >/dev/null && git rev-parse HEAD >/dev/null 2>&1 || { echo "skipped: not a git checkout"; exit 77; }
BUILD=$BUILD tools/check || fail "a check of the tree"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/core" "$dir/dissectors" "$dir/tools"
cp tools/layers.txt tools/names.txt "$dir/tools/"
root=$PWD
must_fail() {
	name=$1
	shift
	if (cd "$dir" && "$@") >"$dir/out" 2>&1; then
		fail "$name did not see the planted fault"
	fi
	grep -q "$name-fault" "$dir/out" || { cat "$dir/out"; fail "$name failed for another reason"; }
}
echo '#include "sensor/flow.h"' >"$dir/core/layers-fault.c"
must_fail layers "$root/tools/check-layers" core/layers-fault.c
printf 'int f(char *a);\nint f(char *a) { return atoi (a); }\n' >"$dir/core/banned-fault.c"
must_fail banned "$root/tools/check-banned" core/banned-fault.c
printf '#ifndef CORE_HEADERS_FAULT_H\n#define CORE_HEADERS_FAULT_H\nuint32_t f(void);\n#endif\n' >"$dir/core/headers-fault.h"
must_fail headers "$root/tools/check-headers" core/headers-fault.h
printf 'int x;   \n' >"$dir/core/format-fault.c"
must_fail format "$root/tools/check-format" core/format-fault.c
echo 'int wrong_name(void); int wrong_name(void) { return 1; }' >"$dir/core/names-fault.c"
(cd "$dir" && ${CC:-cc} -c core/names-fault.c -o core/names-fault.o)
must_fail names "$root/tools/check-names" core/names-fault.o
printf 'const struct x *f(const char *p) { return (const struct x *)p; }\n' >"$dir/dissectors/banned-fault.c"
must_fail banned "$root/tools/check-banned" dissectors/banned-fault.c
mkdir -p "$dir/rules" "$dir/sensor"
echo 'RULE(NOBODY, "a.rule", ASSET, "", "", "t", "t")' >"$dir/rules/rule.def"
echo 'int x;' >"$dir/rules/policy.c"
echo 'int x;' >"$dir/sensor/detector.c"
if (cd "$dir" && "$root/tools/check-banned" rules/policy.c) >"$dir/out" 2>&1; then fail "a rule that nobody says was not seen"; fi
grep -q 'nothing says NOBODY' "$dir/out" || { cat "$dir/out"; fail "check-banned failed for another reason"; }
printf '.It Fl -known Ar X\n.It Fl -known-too\n' >"$dir/man-fault.1"
printf '  --known X   it\n  --known-to  another\n' >"$dir/help"
must_fail man "$root/tools/check-man" man-fault.1 help
printf '  --known X   it\n  --known-too  another\n' >"$dir/help"
(cd "$dir" && "$root/tools/check-man" man-fault.1 help) || fail "check-man sees a fault where none is"
echo "checks hold; eight planted faults were found"
