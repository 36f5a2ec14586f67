#!/bin/sh
# Orders that are sent again: what is told of a replay, a changed order and a missing answer, and what is legal and is not.
# Covers: R015 R069
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
rules() {
	"$BUILD/bin/spanward" replay -q --show events --format jsonl "$1" 2>/dev/null | grep -oE '"rule":"hl7\.[a-z_]+"' | sort | uniq -c |
		awk '{ printf "%s%s %s", n++ ? ", " : "", $1, $2 }'
}
silent=$(rules test-pcaps/hl7/orders-silent.pcap)
[ -z "$silent" ] || fail "legal resends: $silent"
changed=$(rules test-pcaps/hl7/orders-changed.pcap)
[ "$changed" = '1 "rule":"hl7.order_changed", 1 "rule":"hl7.replay", 1 "rule":"hl7.unanswered"' ] || fail "changed order: $changed"
! "$BUILD/bin/spanward" replay -q --show events --format jsonl test-pcaps/hl7/orders-changed.pcap 2>/dev/null | grep -E '4711|4712|CANARY' ||
	fail "an order number or a patient left"
# One key, one token, whatever start; another key, another token.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
token() { # key, store
	"$BUILD/bin/spanward" run -q -r test-pcaps/hl7/orders-changed.pcap --store "$dir/$2.db" --token-key "$dir/$1" --format jsonl |
		sed -n 's/.*"rule":"hl7.order_changed".*"seen":"\([0-9a-f]\{32\}\)".*/\1/p'
}
first=$(token a 1)
[ -n "$first" ] && [ "$first" = "$(token a 2)" ] || fail "one key, two tokens"
[ "$first" != "$(token b 3)" ] || fail "two keys, one token"
echo "a replay, a changed order and a missing answer told; resends, own changes and forwarding not"
