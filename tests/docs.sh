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
# Whoever pastes every example of docs/profiles.md into one directory has a policy, and the decisions of every day work on it.
/usr/bin/python3 - "$BUILD/bin/spanward" "$dir" <<'PY'
import json, os, re, shlex, subprocess, sys
spanward, dir = sys.argv[1:]
policy = f"{dir}/together"
os.mkdir(policy)
text = open("docs/profiles.md").read()
names = {"site": "site.yaml", "inventory": "inventory.yaml"}
files = {}
for block in re.findall(r"(?:^    .*\n)+", text, re.M):
    lines = [l[4:] for l in block.splitlines()]
    kind = [l.split(": ")[1] for l in lines if l.startswith("kind: ")]
    id = [l.split(": ")[1] for l in lines if re.match("(id|device_type): ", l)]
    if lines[0].startswith("format:"):
        files[names.get(kind[0] if kind else "", f"{id[0] if id else '?'}.yaml")] = lines
    elif lines[0].startswith("id,"):
        files["inventory.csv"] = lines
for name, lines in files.items():
    open(f"{policy}/{name}", "w").write("\n".join(lines) + "\n")
if len(files) < 5:
    sys.exit(f"FAIL: only {sorted(files)} in docs/profiles.md")
subprocess.run([spanward, "check", policy], check=True)
part = text.split("### Decisions of every day")[1].split("\n### ")[0]
commands = [l[4:] for l in part.splitlines() if l.startswith("    spanward ")]
if len(commands) < 6 or "-p policy/" not in part:
    sys.exit("FAIL: the decisions of every day")
for c in commands:
    words = shlex.split(c)[1:]
    if words[0] == "accept":
        open(f"{dir}/alerts", "w").write(json.dumps({"id": words[1] + "11e4b7a8", "rule": "policy.undeclared_peer", "device": "ct-01",
                                                     "peer": "10.1.0.99", "transport": "tcp", "port": 104}) + "\n")
        words += ["--from", f"{dir}/alerts"]
    subprocess.run([spanward, *words, "-p", policy], check=True, stdout=subprocess.DEVNULL)
PY
# What the README tells to type first works.
PATH=$BUILD/bin:$PATH
export PATH
grep -oE '^    spanward [^#]*' README.md >"$dir/first"
[ -s "$dir/first" ] && grep -qF 'export PATH="$PWD/build/bin:$PATH"' README.md || { echo "FAIL: README.md does not say where the programs are"; exit 1; }
sh -eu "$dir/first" >"$dir/matrix" || { echo "FAIL: README.md"; exit 1; }
[ -s "$dir/matrix" ] || { echo "FAIL: README.md: no matrix"; exit 1; }
# The commands that docs/cli.md shows have the options it shows.
grep -oE '^    (sudo )?spanward [a-z]+ .*' docs/cli.md | sed 's/^ *//; s/^sudo //' | while read -r _ command rest; do
	for option in $(printf '%s\n' "$rest" | grep -oE -- ' --?[a-z][a-z-]*' || true); do
		"$BUILD/bin/spanward" "$command" --help | grep -qE -- "(^|[ |(])$option([ ,|)]|$)" ||
			{ echo "FAIL: docs/cli.md: spanward $command has no $option"; exit 1; }
	done
done
echo "the examples are right"
