#!/bin/sh
# packages.sh -- installs what is missing, and says what. Usage: tools/packages.sh GROUP...
# Groups: build (compile and unit tests), test (the real peers of the end-to-end tests), fuzz (clang), peers
# (what remakes the captures in test-pcaps/). Everything comes from Debian bookworm.
set -eu
build="build-essential cmake ninja-build pkg-config git libpcap-dev libyaml-dev libzmq3-dev libsqlite3-dev libcunit1-dev
libmsgpack-dev libseccomp-dev zlib1g-dev libsodium-dev libjansson-dev libndpi-dev
libzip-dev libexpat1-dev"
test="python3 python3-jsonschema python3-yaml tshark rsyslog iproute2 tcpdump sqlite3 nftables dcmtk"
fuzz="clang-14 llvm-14 libclang-rt-14-dev clang-format-14"
coverage="gcovr"
bench="python3 tcpdump tshark libndpi-bin"
peers="dcmtk openssl curl orthanc orthanc-dicomweb python3-hl7 nodejs npm ethtool"

want=""
for group in "$@"; do
	case $group in
	build) want="$want $build" ;;
	test) want="$want $test" ;;
	fuzz) want="$want $fuzz" ;;
	coverage) want="$want $coverage" ;;
	bench) want="$want $bench" ;;
	peers) want="$want $peers" ;;
	*) echo "packages.sh: no group '$group'" >&2; exit 2 ;;
	esac
done
missing=""
for p in $want; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
done
# A program that is there by other means (a Node.js of the machine's own) is as good as its package.
for p in $missing; do
	case $p in
	nodejs) command -v node >/dev/null && missing=$(echo "$missing" | sed "s/ nodejs\b//") ;;
	npm) command -v npm >/dev/null && missing=$(echo "$missing" | sed "s/ npm\b//") ;;
	esac
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		sudo=sudo
	else
		echo "these packages are missing and you are not root; ask an administrator to run:" >&2
		echo "  apt-get install --no-install-recommends$missing" >&2
		exit 1
	fi
else
	sudo=""
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -20 "$log" >&2
	echo "packages.sh: the installation failed; is a Debian mirror reachable?" >&2
	exit 1
fi
