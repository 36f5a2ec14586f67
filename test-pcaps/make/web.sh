#!/bin/sh
# web.sh [OUT_DIR] -- makes test-pcaps/web/*.pcap anew: curl against a small FHIR-like server (web-server.py) and against Orthanc with
# its DICOMweb plugin. TESTCANARY stands in paths, queries, bodies, cookies and credentials and must not come out.
set -- "${1:-test-pcaps/web}"
. "$(dirname "$0")/net.sh"
for program in curl Orthanc; do
	command -v "$program" >/dev/null || { echo "skipped: no $program (tools/packages.sh peers)"; exit 77; }
done
image "$work/small.dcm" 16 1
image "$work/other.dcm" 16 3
python3 - "$work" <<'EOT'
import sys
file = open(sys.argv[1] + "/small.dcm", "rb").read()
assert file[128:132] == b"DICM"
for name, magic in (("elf", b"\x7fELF\2\1\1"), ("pe", b"MZ\x90\0")):
    open(f"{sys.argv[1]}/{name}.dcm", "wb").write(magic + file[len(magic):])
EOT

start pacs 80 python3 "$here/web-server.py" 80 "$work"
base=http://192.0.2.20
get() { on ct curl -s -S -o /dev/null -A "TestScanner/2.1 (TESTCANARY)" -b "session=TESTCANARY" "$@"; }

record fhir
get $base/fhir/metadata
get -H "Authorization: Bearer TESTCANARY" $base/fhir/Patient/TESTCANARY $base/fhir/Patient/missing
get "$base/fhir/Patient?family=TESTCANARY&birthdate=1901-01-01" --compressed
get "$base/fhir/Observation?subject=Patient/TESTCANARY"
get -u TESTUSER:TESTCANARY "$base/fhir/Observation?subject=Patient/TESTCANARY&_count=50"
get -H "Content-Type: application/fhir+json" -d '{"resourceType":"Patient","name":"TESTCANARY"}' $base/fhir/Patient
get -X PUT -H "Content-Type: application/fhir+json" -d '{"resourceType":"Device","id":"TESTCANARY"}' $base/fhir/Device/TESTCANARY
get -X DELETE $base/fhir/Device/TESTCANARY
get -H "Content-Type: application/fhir+json" -H "Transfer-Encoding: chunked" -d '{"resourceType":"Bundle"}' $base/fhir
recorded

record http-plain                       # HEAD, an answer without a request's host, an upgrade that is not taken
get $base/ -I
get $base/TESTCANARY/page.html $base/update/tool.exe
get -H "Connection: Upgrade" -H "Upgrade: websocket" $base/socket
recorded

record hl7v3                            # CDA, compressed, and PIX over SOAP
get $base/cda
get -H "Content-Type: application/soap+xml; action=\"urn:hl7-org:v3:PRPA_IN201305UV02\"" \
	-d '<PRPA_IN201305UV02 xmlns="urn:hl7-org:v3"><id extension="TESTCANARY"/></PRPA_IN201305UV02>' $base/pix
recorded

record preamble-download                # a DICOM file that is also a program, and one that is not
get $base/small.dcm $base/elf.dcm $base/pe.dcm
recorded

cat >"$work/orthanc.json" <<EOT
{ "Name": "TEST", "StorageDirectory": "$work/db", "IndexDirectory": "$work/db", "HttpPort": 8042, "DicomPort": 4242,
  "RemoteAccessAllowed": true, "AuthenticationEnabled": true, "RegisteredUsers": { "testuser": "TESTCANARY" },
  "Plugins": [ "/usr/share/orthanc/plugins" ], "DicomWeb": { "Enable": true, "Root": "/dicom-web/" } }
EOT
mkdir "$work/db"
start pacs 8042 Orthanc "$work/orthanc.json"
web=http://192.0.2.20:8042/dicom-web
stow() { # files...
	: >"$work/stow"
	for f in "$@"; do
		printf -- '--b0undary\r\nContent-Type: application/dicom\r\n\r\n' >>"$work/stow"
		cat "$f" >>"$work/stow"
		printf '\r\n' >>"$work/stow"
	done
	printf -- '--b0undary--\r\n' >>"$work/stow"
	get -u testuser:TESTCANARY -H 'Content-Type: multipart/related; type="application/dicom"; boundary=b0undary' \
		--data-binary "@$work/stow" $web/studies
}
record stow
stow "$work/small.dcm" "$work/other.dcm"
recorded
record stow-preamble
stow "$work/small.dcm" "$work/elf.dcm"
recorded
record qido
get $web/studies
get -u testuser:TESTCANARY "$web/studies" "$web/studies?PatientName=TESTCANARY*&limit=10" "$web/studies/2.25.7771/series" \
	"$web/instances?00100020=TESTID-1"
recorded
record wado
get -u testuser:TESTCANARY -H 'Accept: multipart/related; type="application/dicom"' $web/studies/2.25.7771
get -u testuser:TESTCANARY $web/studies/2.25.7771/metadata $web/studies/2.25.404
get -u testuser:TESTCANARY "http://192.0.2.20:8042/wado?requestType=WADO&studyUID=2.25.7771&seriesUID=2.25.77701&objectUID=2.25.7770001"
recorded
