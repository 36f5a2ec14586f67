#!/bin/sh
# dicom-orthanc.sh [OUT_DIR] -- makes test-pcaps/dicom/orthanc-*.pcap anew: Orthanc (Debian 1.10.1) as server of DCMTK's
# programs, and two of it with each other, storage commitment (N-ACTION, N-EVENT-REPORT) included.
. "$(dirname "$0")/net.sh"

orthanc() { # host, last number of the other's address, own AE title, the other's
	cat >"$work/$3.json" <<-EOT
		{
		"Name": "$3", "DicomAet": "$3", "DicomPort": 4242, "HttpPort": 8042, "RemoteAccessAllowed": false,
		"StorageDirectory": "$work/$3", "IndexDirectory": "$work/$3", "Plugins": [],
		"DicomAlwaysAllowFind": true, "DicomAlwaysAllowGet": true, "DicomAlwaysAllowMove": true,
		"DicomModalities": {
			"other": { "AET": "$4", "Host": "192.0.2.$2", "Port": 4242, "AllowStorageCommitment": true },
			"ws": [ "WS1", "192.0.2.30", 11113 ], "ct": [ "CT1", "192.0.2.10", 11113 ]
		}
		}
	EOT
	mkdir "$work/$3"
	start "$1" 4242 Orthanc "$work/$3.json"
}
orthanc pacs 30 ORTHANC ARCHIVE
orthanc ws 20 ARCHIVE ORTHANC

ask() { # host, path, JSON to post: the REST interface, from inside the host
	ip netns exec "$net-$1" python3 -c '
import sys, urllib.request
answer = urllib.request.urlopen("http://127.0.0.1:8042" + sys.argv[1], sys.argv[2].encode() if len(sys.argv) > 2 else None, timeout=30).read()
sys.stdout.write(answer.decode("ascii", "replace"))' "$2" ${3:+"$3"}
}

image "$work/one.dcm" 16 1
image "$work/two.dcm" 64 2
mkdir "$work/in"

record orthanc-store
on ct echoscu -aet CT1 -aec ORTHANC 192.0.2.20 4242
on ct storescu -R -aet CT1 -aec ORTHANC 192.0.2.20 4242 "$work/one.dcm" "$work/two.dcm"
recorded

record orthanc-find
on ws findscu -S -aet WS1 -aec ORTHANC -k QueryRetrieveLevel=STUDY -k PatientName='TEST*' -k StudyInstanceUID 192.0.2.20 4242
recorded

start ws 11113 storescp -aet WS1 -od "$work/in" 11113
storescp=$last
record orthanc-move
on ws movescu -S -aet WS1 -aec ORTHANC -aem WS1 -k QueryRetrieveLevel=STUDY -k StudyInstanceUID=2.25.7771 192.0.2.20 4242
recorded
stop "$storescp"

record orthanc-get
on ws getscu -S -od "$work/in" -aet WS1 -aec ORTHANC -k QueryRetrieveLevel=STUDY -k StudyInstanceUID=2.25.7771 192.0.2.20 4242
recorded

record orthanc-to-orthanc               # its own client: echo, store, query
ask pacs /modalities/other/echo '{}' >/dev/null
id=$(ask pacs /instances | tr -d '[]" \n' | cut -d, -f1)
ask pacs /modalities/other/store "$id" >/dev/null
ask pacs /modalities/other/query '{"Level": "Study", "Query": {"PatientID": "TEST*"}}' >/dev/null
sleep 6                                 # it keeps an association for 5 s in case of more
recorded

record orthanc-storage-commitment       # the answer comes on an association of its own, the other way
uid=$(ask pacs "/instances/$id/tags?simplify" | python3 -c 'import json, sys; t = json.load(sys.stdin); print(t["SOPInstanceUID"])')
ask pacs /modalities/other/storage-commitment \
	"{\"DicomInstances\": [[\"1.2.840.10008.5.1.4.1.1.2\", \"$uid\"], [\"1.2.840.10008.5.1.4.1.1.2\", \"2.25.999\"]]}" >/dev/null
sleep 7
recorded
