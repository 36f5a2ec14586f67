#!/bin/sh
# dicom-dcmjs.sh [OUT_DIR] -- makes test-pcaps/dicom/dcmjs-*.pcap anew with dcmjs-dimse, an implementation in JavaScript that
# shares nothing with DCMTK, with itself and with DCMTK; also over IPv6, which DCMTK 3.6.7 cannot.
command -v node >/dev/null && command -v npm >/dev/null || { echo "skipped: no node and npm (tools/packages.sh peers)"; exit 77; }
. "$(dirname "$0")/net.sh"

cp "$here"/dcmjs/*.js* "$work/"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund >/dev/null 2>&1) || { echo "npm ci failed" >&2; exit 1; }
image "$work/small.dcm" 16 1
image "$work/large.dcm" 100 2
mkdir "$work/in"
start pacs 11112 node "$work/server.js" 11112

record dcmjs-echo
on ct node "$work/client.js" 192.0.2.20 11112 CT1 DCMJS echo
recorded

record dcmjs-echo-ipv6
on ct node "$work/client.js" 2001:db8::20 11112 CT1 DCMJS echo
recorded

record dcmjs-store                      # several requests outstanding in turn on one association
on ct node "$work/client.js" 192.0.2.20 11112 CT1 DCMJS "store=$work/small.dcm" "store=$work/large.dcm" echo
recorded

record dcmjs-find-move
on ws node "$work/client.js" 192.0.2.20 11112 WS1 DCMJS find worklist move=WS1
recorded

record dcmjs-normalized                 # N-CREATE, N-SET, N-ACTION, N-EVENT-REPORT, N-GET, N-DELETE
on ct node "$work/client.js" 192.0.2.20 11112 CT1 DCMJS mpps action event get delete
recorded

record dcmjs-identity-accepted          # user name and passcode, answered by item 0x59
on ct node "$work/client.js" 192.0.2.20 11112 CT1 DCMJS identity echo
recorded

record dcmjs-reject
on ct node "$work/client.js" 192.0.2.20 11112 CT1 WRONG echo
recorded

record dcmjs-server-dcmtk-client
on ct storescu -R -aet CT1 -aec DCMJS 192.0.2.20 11112 "$work/small.dcm"
on ws findscu -S -aet WS1 -aec DCMJS -k QueryRetrieveLevel=STUDY -k PatientName='*' 192.0.2.20 11112
recorded

start pacs 6000 storescp -aet ARCHIVE -od "$work/in" 6000
record dcmjs-client-dcmtk-server
on ct node "$work/client.js" 192.0.2.20 6000 CT1 ARCHIVE "store=$work/small.dcm" echo
recorded
