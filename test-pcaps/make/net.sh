# net.sh -- sourced by the scripts beside it: a small hospital of network namespaces, and a tap on its PACS.
#
# Hosts ct (192.0.2.10), pacs (.20) and ws (.30), also 2001:db8::10 and so on, are connected by a bridge; the tap is the
# bridge's port to the PACS, so a frame is seen once. MTU 1500, and no offload joins segments or leaves checksums out.
# Needs root. Sets $work (removed at the end), $out (test-pcaps/dicom or the first argument).
set -eu
cd "$(dirname "$0")/../.."
here=$PWD/test-pcaps/make
[ "$(id -u)" = 0 ] || { echo "skipped: network namespaces need root"; exit 77; }
for program in ip ethtool tcpdump python3 dump2dcm; do
	command -v "$program" >/dev/null || { echo "skipped: no $program (tools/packages.sh test peers)"; exit 77; }
done
mkdir -p "${1:-test-pcaps/dicom}"
out=$(cd "${1:-test-pcaps/dicom}" && pwd)
work=$(mktemp -d)
net=spw$$
started=""
tap=""

net_down() {
	for pid in $started $tap; do
		kill "$pid" 2>/dev/null || true
	done
	for host in ct pacs ws switch; do
		ip netns del "$net-$host" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap net_down EXIT
trap 'exit 1' INT TERM

ip netns add "$net-switch"
ip -n "$net-switch" link add br0 type bridge
ip -n "$net-switch" link set br0 up
net_host() { # name, last number of its addresses
	ip netns add "$net-$1"
	ip -n "$net-$1" link add eth0 address "02:00:00:00:00:$2" type veth peer name "to-$1" netns "$net-switch"
	ip -n "$net-switch" link set "to-$1" master br0 up
	ip -n "$net-$1" addr add "192.0.2.$2/24" dev eth0
	ip -n "$net-$1" addr add "2001:db8::$2/64" dev eth0 nodad
	ip -n "$net-$1" link set lo up
	ip -n "$net-$1" link set eth0 up
	ip netns exec "$net-$1" ethtool -K eth0 tso off gso off gro off tx off rx off >/dev/null 2>&1
	ip netns exec "$net-switch" ethtool -K "to-$1" tso off gso off gro off tx off rx off >/dev/null 2>&1
}
net_host ct 10
net_host pacs 20
net_host ws 30

on() { # host, command...: in the foreground; its words go to a log, its result is not asked for (rejects are wanted)
	host=$1
	shift
	ip netns exec "$net-$host" "$@" >>"$work/log" 2>&1 || true
}

start() { # host, port it will listen on, command...: in the background; sets $last
	host=$1
	port=$2
	shift 2
	ip netns exec "$net-$host" "$@" >>"$work/log" 2>&1 &
	last=$!
	started="$started $last"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ -z "$(ip netns exec "$net-$host" ss -Hltn "sport = :$port")" ] || return 0
		sleep 0.5
	done
	echo "$1 does not listen on $port" >&2
	tail -20 "$work/log" >&2
	exit 1
}

stop() { # pid
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

record() { # name: from now on into $out/NAME.pcap
	name=$1
	ip netns exec "$net-switch" tcpdump -i to-pacs -Z root --immediate-mode -U -s 0 -w "$work/tap.pcap" tcp 2>"$work/tap.log" &
	tap=$!
	while ! grep -q 'listening on' "$work/tap.log"; do
		kill -0 "$tap" || { cat "$work/tap.log" >&2; exit 1; }
		sleep 0.1
	done
}

recorded() {
	sleep 0.5               # the last FIN and its ACK
	kill -INT "$tap"
	wait "$tap" 2>/dev/null || true
	tap=""
	mv "$work/tap.pcap" "$out/$name.pcap"
	echo "$name: $(tcpdump -r "$out/$name.pcap" 2>/dev/null | wc -l) frames, $(wc -c <"$out/$name.pcap") bytes"
}

image() { # file, columns and rows, number: a CT image of nobody
	{
		cat <<-EOT
			(0008,0005) CS [ISO_IR 100]
			(0008,0008) CS [ORIGINAL\\PRIMARY\\AXIAL]
			(0008,0016) UI [1.2.840.10008.5.1.4.1.1.2]
			(0008,0018) UI [2.25.777000$3]
			(0008,0020) DA [20240229]
			(0008,0030) TM [120000]
			(0008,0050) SH [TESTACC-$3]
			(0008,0060) CS [CT]
			(0008,0070) LO [SYNTHETIC MAKER]
			(0008,0090) PN [TESTREFERRER^CANARY]
			(0008,1030) LO [TESTSTUDY CANARY]
			(0008,1090) LO [SYNTHETIC CT 1]
			(0010,0010) PN [TESTCANARY^ALPHA]
			(0010,0020) LO [TESTID-$3]
			(0010,0030) DA [19010101]
			(0010,0040) CS [O]
			(0018,1020) LO [1.0]
			(0020,000d) UI [2.25.777$3]
			(0020,000e) UI [2.25.7770$3]
			(0020,0010) SH [$3]
			(0020,0011) IS [1]
			(0020,0013) IS [1]
			(0028,0002) US 1
			(0028,0004) CS [MONOCHROME2]
			(0028,0010) US $2
			(0028,0011) US $2
			(0028,0100) US 16
			(0028,0101) US 12
			(0028,0102) US 11
			(0028,0103) US 0
		EOT
		python3 -c "import sys; n = int(sys.argv[1]); print('(7fe0,0010) OW', '\\\\'.join('%04x' % ((x * y) & 0xfff) for y in range(n) for x in range(n)))" "$2"
	} >"$work/image.dump"
	dump2dcm +l 1000000 +te "$work/image.dump" "$1"
}
