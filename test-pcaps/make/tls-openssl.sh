#!/bin/sh
# tls-openssl.sh [OUT_DIR] -- makes test-pcaps/tls/*.pcap anew: openssl s_client and s_server, dcmtk's storescu and storescp.
# The client's certificate names a doctor that does not exist; the name must not come out.
set -- "${1:-test-pcaps/tls}"
. "$(dirname "$0")/net.sh"
command -v openssl >/dev/null || { echo "skipped: no openssl"; exit 77; }

cd "$work"
cat >ca.cnf <<'EOT'
[ca]
default_ca = it
[it]
dir = .
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
organizationName = optional
commonName = supplied
EOT
: >index.txt
issue() { # name, subject, names or nothing, start, end, kind of key
	# shellcheck disable=SC2086
	openssl req -new -nodes -newkey ${6:-rsa:2048} -keyout "$1.key" -out "$1.csr" -subj "$2" ${3:+-addext "subjectAltName=$3"}
	openssl ca -batch -config ca.cnf -keyfile ca.key -cert ca.pem -in "$1.csr" -out "$1.pem" -startdate "$4" -enddate "$5" -notext
}
{
	openssl req -x509 -nodes -newkey rsa:2048 -keyout ca.key -out ca.pem -days 3650 -subj "/O=Test Hospital/CN=Test Hospital CA"
	issue pacs "/O=Test Hospital/CN=pacs.hospital.example" "DNS:pacs.hospital.example,DNS:*.pacs.hospital.example,IP:192.0.2.20" \
		20200101000000Z 20400101000000Z
	issue ec "/O=Test Hospital/CN=ris.hospital.example" "DNS:ris.hospital.example" 20200101000000Z 20400101000000Z "ec -pkeyopt ec_paramgen_curve:P-256"
	issue old "/CN=old.hospital.example" "" 20200101000000Z 20210101000000Z rsa:1024
	issue doctor "/O=TESTWARD CANARY/CN=TESTDOCTOR CANARY" "email:testdoctor.canary@hospital.example" 20200101000000Z 20400101000000Z
	openssl req -x509 -nodes -newkey rsa:2048 -keyout self.key -out self.pem -days 3650 -sha1 -subj "/O=Maker of CT/CN=TESTOWNER CANARY"
	cat pacs.pem ca.pem >chain.pem
} >>"$work/log" 2>&1

server() { # port, options...
	port=$1
	shift
	start pacs "$port" openssl s_server -quiet -accept "$port" "$@"
	server=$last
}
client() { # options...: one connection that says nothing and ends
	ip netns exec "$net-ct" sh -c 'sleep 1 | timeout 5 openssl s_client -quiet -connect "$@"' sh "192.0.2.20:$port" \
		-servername pacs.hospital.example "$@" >>"$work/log" 2>&1 || true
}
case_of() { # name, server options, client options
	# shellcheck disable=SC2086
	server 443 $2
	record "$1"
	# shellcheck disable=SC2086
	client $3
	recorded
	stop "$server"
}
weak="ALL:eNULL:@SECLEVEL=0"
pacs="-cert pacs.pem -key pacs.key -cert_chain ca.pem"
case_of tls13 "$pacs" ""
case_of tls13-retry "$pacs -groups P-384" "-groups X25519:P-384"
case_of tls13-alpn "$pacs -alpn h2,http/1.1" "-alpn h2,http/1.1"
case_of tls12 "$pacs -tls1_2" ""
case_of tls12-ec "-cert ec.pem -key ec.key -tls1_2" ""
case_of tls12-alpn "$pacs -tls1_2 -alpn http/1.1" "-alpn h2,http/1.1"
case_of tls12-client-certificate "$pacs -tls1_2 -Verify 1 -CAfile ca.pem" "-cert doctor.pem -key doctor.key"
case_of tls12-client-declines "$pacs -tls1_2 -verify 1 -CAfile ca.pem" ""
case_of tls12-no-forward-secrecy "$pacs -tls1_2 -cipher AES128-SHA256" ""
case_of tls12-null "$pacs -tls1_2 -cipher NULL-SHA256:@SECLEVEL=0" "-cipher $weak"
case_of tls12-anonymous "-nocert -tls1_2 -cipher ADH-AES128-GCM-SHA256:@SECLEVEL=0" "-cipher $weak"
case_of tls12-expired "-cert old.pem -key old.key -tls1_2 -cipher DEFAULT:@SECLEVEL=0" "-cipher $weak"
case_of tls12-self-signed "-cert self.pem -key self.key -tls1_2 -cipher DEFAULT:@SECLEVEL=0" "-cipher $weak"
case_of tls12-small-records "$pacs -tls1_2 -max_send_frag 512" ""
case_of tls11 "$pacs -tls1_1 -cipher $weak" "-cipher $weak"
case_of tls10 "$pacs -tls1 -cipher $weak" "-cipher $weak"
case_of refused-version "$pacs -tls1_3" "-tls1_2"
case_of refused-cipher "$pacs -tls1_2 -cipher AES256-SHA" "-tls1_2 -cipher AES128-SHA"
case_of unknown-ca "$pacs -tls1_2" "-verify_return_error -verify 2"

server 443 $pacs -tls1_2
record tls12-resumed
client -sess_out session.pem
client -sess_in session.pem
recorded
stop "$server"
server 443 $pacs
record tls13-resumed
client -sess_out session13.pem
client -sess_in session13.pem
recorded
stop "$server"

image "$work/small.dcm" 16 1
mkdir "$work/in"
start pacs 2762 storescp +tls pacs.key pacs.pem +cf ca.pem -od "$work/in" 2762
pacs=$last
record dicom-storescu
on ct storescu +tls doctor.key doctor.pem +cf ca.pem -aet CT1 -aec PACS 192.0.2.20 2762 "$work/small.dcm"
recorded
record dicom-storescu-anonymous
on ct storescu +tla +cf ca.pem -aet CT1 -aec PACS 192.0.2.20 2762 "$work/small.dcm"
recorded
stop "$pacs"
for profile in aes null; do
	option=+pa
	[ $profile = aes ] || option=+pn
	start pacs 2762 storescp $option +tls pacs.key pacs.pem +cf ca.pem -od "$work/in" 2762
	pacs=$last
	record dicom-storescu-$profile
	on ct storescu $option +tls doctor.key doctor.pem +cf ca.pem -aet CT1 -aec PACS 192.0.2.20 2762 "$work/small.dcm"
	recorded
	stop "$pacs"
done
