#!/bin/sh
# hl7-node.sh [OUT_DIR] -- makes test-pcaps/hl7/node-*.pcap anew: node-hl7-client to node-hl7-server, two programs that share
# nothing with ours. Their versions are pinned in node-hl7/package-lock.json; npm fetches them into a folder that is
# removed afterwards.
set -- "${1:-test-pcaps/hl7}"
. "$(dirname "$0")/net.sh"
command -v npm >/dev/null && command -v node >/dev/null || { echo "skipped: no node or npm (tools/packages.sh peers)"; exit 77; }
cp "$here"/node-hl7/* "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1) || { echo "skipped: npm cannot fetch the packages"; exit 77; }

start pacs 6661 node "$work/server.js" 6661
record node-several                     # three connections
for i in 1 2 3; do
	on ct timeout 30 node "$work/client.js" 192.0.2.20 6661 oru $i
done
recorded
for kind in adt refused batch; do
	record "node-$kind"
	on ct timeout 30 node "$work/client.js" 192.0.2.20 6661 "$kind"
	recorded
done
