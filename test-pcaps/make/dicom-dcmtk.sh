#!/bin/sh
# dicom-dcmtk.sh [OUT_DIR] -- makes test-pcaps/dicom/dcmtk-*.pcap anew with the programs of DCMTK (Debian 3.6.7).
. "$(dirname "$0")/net.sh"

image "$work/small.dcm" 16 1
image "$work/large.dcm" 96 2
image "$work/other.dcm" 16 3
dcmconv +tb "$work/small.dcm" "$work/big-endian.dcm"
dcmconv +td "$work/small.dcm" "$work/deflated.dcm"
mkdir "$work/db" "$work/in"
cat >"$work/qr.cfg" <<EOT
NetworkTCPPort = 11112
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
ct = (CT1, 192.0.2.10, 104)
ws = (WS1, 192.0.2.30, 11113)
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
PACS $work/db RW (200, 100mb) ANY
AETable END
EOT
start pacs 11112 dcmqrscp -c "$work/qr.cfg"
pacs="192.0.2.20 11112"

record dcmtk-echo
on ct echoscu -aet CT1 -aec PACS $pacs
recorded

record dcmtk-echo-twice                 # two associations, two connections, three messages in the second
on ct echoscu -aet CT1 -aec PACS $pacs
on ct echoscu --repeat 3 -aet CT1 -aec PACS $pacs
recorded

record dcmtk-store                      # only the context that is needed
on ct storescu -R -aet CT1 -aec PACS $pacs "$work/small.dcm" "$work/other.dcm"
recorded

record dcmtk-store-128-contexts         # the stock request: all storage classes, many segments
on ct storescu -aet CT1 -aec PACS $pacs "$work/small.dcm"
recorded

record dcmtk-store-pdu-4096             # the data set in many PDUs, which end anywhere in segments
on ct storescu -R -pdu 4096 --max-send-pdu 4096 -aet CT1 -aec PACS $pacs "$work/large.dcm"
recorded

ip -n "$net-ct" link set eth0 mtu 296
record dcmtk-store-mtu-296              # every PDU header somewhere else in its segment
on ct storescu -aet CT1 -aec PACS $pacs "$work/small.dcm"
recorded
ip -n "$net-ct" link set eth0 mtu 1500

record dcmtk-user-identity              # none of the values may come out
on ct storescu -R -usr TESTUSER -aet CT1 -aec PACS $pacs "$work/small.dcm"
on ct storescu -R -usr TESTUSER -pwd TESTPASSCODE -rsp -aet CT1 -aec PACS $pacs "$work/small.dcm"
echo TESTTICKET >"$work/ticket"
on ct storescu -R -kt "$work/ticket" -aet CT1 -aec PACS $pacs "$work/small.dcm"
on ct storescu -R --saml "$work/ticket" -aet CT1 -aec PACS $pacs "$work/small.dcm"
on ct storescu -R --jwt "$work/ticket" -aet CT1 -aec PACS $pacs "$work/small.dcm"
recorded

record dcmtk-find                       # by study, then by patient
on ws findscu -S -aet WS1 -aec PACS -k QueryRetrieveLevel=STUDY -k PatientName='TEST*' -k StudyInstanceUID $pacs
on ws findscu -P -aet WS1 -aec PACS -k QueryRetrieveLevel=PATIENT -k PatientID='*' $pacs
recorded

record dcmtk-find-cancel
on ws findscu -S --cancel 1 -aet WS1 -aec PACS -k QueryRetrieveLevel=STUDY -k StudyInstanceUID $pacs
recorded

record dcmtk-find-worklist-refused      # dcmqrscp has no worklist: context result 3
on ws findscu -W -aet WS1 -aec PACS -k PatientName $pacs
recorded

start ws 11113 storescp -aet WS1 -od "$work/in" 11113
ws=$last
record dcmtk-move                       # the PACS opens a second association to the workstation
on ws movescu -S -aet WS1 -aec PACS -aem WS1 -k QueryRetrieveLevel=STUDY -k StudyInstanceUID=2.25.7771 $pacs
recorded
record dcmtk-move-unknown-destination   # 0xa801
on ws movescu -S -aet WS1 -aec PACS -aem NOWHERE -k QueryRetrieveLevel=STUDY -k StudyInstanceUID=2.25.7771 $pacs
recorded
stop "$ws"

record dcmtk-get                        # C-STORE requests from server to client
on ws getscu -S -od "$work/in" -aet WS1 -aec PACS -k QueryRetrieveLevel=STUDY -k StudyInstanceUID=2.25.7773 $pacs
recorded

record dcmtk-reject                     # AE titles are being guessed
for guess in ANY-SCP STORAGE ARCHIVE; do
	on ct echoscu -aet CT1 -aec $guess $pacs
done
on ct echoscu -aet CT1 -aec PACS $pacs
recorded

record dcmtk-abort
on ct echoscu --abort -aet CT1 -aec PACS $pacs
on ct storescu -R --abort -aet CT1 -aec PACS $pacs "$work/small.dcm"
recorded

# A second server, on a port that means nothing.
start pacs 6000 storescp -aet ARCHIVE -od "$work/in" --refuse 6000
other=$last
record dcmtk-refuse                     # every association is refused
on ct echoscu -aet CT1 -aec ARCHIVE 192.0.2.20 6000
recorded
stop "$other"

start pacs 6000 storescp -aet ARCHIVE -od "$work/in" --abort-after 6000
other=$last
record dcmtk-server-aborts
on ct storescu -R -aet CT1 -aec ARCHIVE 192.0.2.20 6000 "$work/small.dcm"
recorded
stop "$other"

start pacs 6000 storescp -aet ARCHIVE -od "$work/in" +xb 6000
other=$last
record dcmtk-big-endian
on ct storescu -R -xb -aet CT1 -aec ARCHIVE 192.0.2.20 6000 "$work/big-endian.dcm"
recorded
stop "$other"

start pacs 6000 storescp -aet ARCHIVE -od "$work/in" +xd 6000
other=$last
record dcmtk-deflated
on ct storescu -R -xd -aet CT1 -aec ARCHIVE 192.0.2.20 6000 "$work/deflated.dcm"
recorded
stop "$other"

if command -v openssl >/dev/null; then
	openssl req -x509 -newkey rsa:2048 -nodes -days 36500 -subj /CN=pacs.example.org -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
	start pacs 2762 storescp -aet ARCHIVE -od "$work/in" +tls "$work/key.pem" "$work/cert.pem" -ic 2762
	other=$last
	record dcmtk-tls                # DICOM inside, which nobody can see
	on ct echoscu +tla -ic -aet CT1 -aec ARCHIVE 192.0.2.20 2762
	recorded
	stop "$other"
fi

# What a tap sees that is late, half blind or overrun.
cut() { python3 "$here/cut.py" "$@"; }
cut "$out/dcmtk-store.pcap" "$out/dcmtk-store-midstream.pcap" 9 0
cut "$out/dcmtk-store-pdu-4096.pcap" "$out/dcmtk-store-loss-in-data.pcap" 1 0 at:6500          # inside a PDU of the data set
cut "$out/dcmtk-store-pdu-4096.pcap" "$out/dcmtk-store-loss-of-header.pcap" 1 0 at:12720       # with a PDU header
tcpdump -Z root -r "$out/dcmtk-store.pcap" -w "$out/dcmtk-store-client-only.pcap" 'src host 192.0.2.10' 2>/dev/null
tcpdump -Z root -r "$out/dcmtk-store.pcap" -w "$out/dcmtk-store-server-only.pcap" 'src host 192.0.2.20' 2>/dev/null
