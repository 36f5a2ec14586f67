#!/bin/sh
# The examples of docs/profiles.md are right, together and one by one.
set -eu
BUILD=${BUILD:-$PWD/build}
cd "${SOURCE:-$PWD}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# example HEADING FILE: the first indented block below a heading.
example() {
	awk -v heading="$1" '$0 == heading { on = 1; next } on && /^    / { sub(/^    /, ""); print; got = 1; next } got && /^$/ { exit } got { exit }' \
		docs/profiles.md >"$dir/$2"
	[ -s "$dir/$2" ] || { echo "FAIL: no example below $1"; exit 1; }
	"$BUILD/bin/spanward" check "$dir/$2" || { echo "FAIL: $1"; cat "$dir/$2"; exit 1; }
}
example '## A device type, short form' type.yaml
example '## Inventory' inventory.yaml
example '## Site' site.yaml
sed -n 's/^    \(id,type,ip.*\)/\1/p; s/^    \(er400-.*\)/\1/p' docs/profiles.md >"$dir/inventory.csv"
"$BUILD/bin/spanward" check "$dir/inventory.csv"
"$BUILD/bin/spanward" check docs/examples/sensor.yaml
# The commands that docs/cli.md shows have the options it shows.
grep -oE '^    (sudo )?spanward [a-z]+ .*' docs/cli.md | sed 's/^ *//; s/^sudo //' | while read -r _ command rest; do
	for option in $(printf '%s\n' "$rest" | grep -oE -- ' --?[a-z][a-z-]*' || true); do
		"$BUILD/bin/spanward" "$command" --help | grep -qE -- "(^|[ |(])$option([ ,|)]|$)" ||
			{ echo "FAIL: docs/cli.md: spanward $command has no $option"; exit 1; }
	done
done
echo "the examples are right"
