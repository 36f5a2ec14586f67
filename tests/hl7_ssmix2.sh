#!/bin/sh
# Japanese SS-MIX2 messages that others wrote (JAHIS, ISO-2022-JP), sent over MLLP by a real client and read: types, control
# ids, character set, answers; and nothing that stands in a segment of a patient. Needs root for network namespaces.
# Covers: R056
set -eu
BUILD=${BUILD:-$PWD/build}
fail() { echo "FAIL: $*"; exit 1; }
messages=../shared/captures/hl7-messages/ja-ssmix2
[ -d "$messages" ] || { echo "skipped: no $messages beside the project"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
code=0
sh test-pcaps/make/hl7-ssmix2.sh "$dir" "$messages"/* >"$dir/made" 2>&1 || code=$?
[ $code = 0 ] || { cat "$dir/made"; exit $code; }
"$BUILD/bin/spanward" replay -q --show observations --format jsonl -o "$dir/out.jsonl" "$dir/ssmix2.pcap"
/usr/bin/python3 - "$dir/out.jsonl" "$messages" <<'EOT'
import json, os, re, sys
lines = open(sys.argv[1], encoding="utf-8").read()
said = [json.loads(l) for l in lines.splitlines()]
got = [o for o in said if o["type"] == "hl7.message"]
acks = [o for o in said if o["type"] == "hl7.ack"]
want, words = [], set()
for name in sorted(os.listdir(sys.argv[2])):
    text = open(os.path.join(sys.argv[2], name), "rb").read().decode("iso2022_jp", "replace")
    segments = re.split("[\r\n]+", text)
    msh = segments[0].split("|")
    want.append(dict(message_type="^".join(msh[8].split("^")[:2]), control_id=msh[9], version=msh[11], charset=msh[17],
                     sending_app=msh[2], sending_facility=msh[3]))
    # Every word of the segments that speak of people, and every Japanese one.
    header = set(re.split(r"[|^~&]", segments[0]))
    for s in segments[1:]:
        for word in re.split(r"[|^~&]", s)[1:]:
            japanese = any(ord(c) > 0x7f for c in word)
            if word not in header and (japanese or (s[:3] in ("PID", "NK1", "PV1", "IN1") and len(word) > 5)):
                words.add(word)
assert len(want) >= 12 and len(got) == len(want), (len(got), len(want))
for o, w in zip(got, want):
    assert all(o.get(k) == v for k, v in w.items()), (o, w)
assert len(acks) == len(want) and all(a["paired"] and a["ack_code"] == "AA" for a in acks), acks
assert any("~ISO" in w["charset"] for w in want)
assert len(words) > 100, len(words)
leaked = [w for w in words if w in lines]
assert not leaked, leaked
orders = [o for o in said if o["type"] == "hl7.order"]
assert orders and all("order" in o or "filler_order" in o for o in orders)
print(f"{len(got)} SS-MIX2 messages and their answers, {len(orders)} orders by token, none of {len(words)} words of patients")
EOT
