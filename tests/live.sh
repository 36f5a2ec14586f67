#!/bin/sh
# A live interface, in a network namespace of our own: spanward run finds by content who speaks HL7 on its loopback,
# the engine is locked in with nothing but its packet socket, and Ctrl-C ends it properly.
# Covers: R012
set -eu
BUILD=${BUILD:-$PWD/build}
py=/usr/bin/python3
if [ "${1:-}" != inside ]; then
	[ -x $py ] || { echo "skipped: no $py"; exit 77; }
	if [ "$(id -u)" = 0 ]; then flags=-n; else flags=-Urn; fi
	unshare $flags sh -c 'ip link set lo up' 2>/dev/null || { echo "skipped: no network namespace can be made here"; exit 77; }
	exec unshare $flags sh "$0" inside
fi
ip link set lo up
dir=$(mktemp -d)
pid=
fail() { echo "FAIL: $*"; cat "$dir/log"; exit 1; }
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
"$BUILD/bin/spanward" run -i lo --store "$dir/store.db" >"$dir/out" 2>"$dir/log" </dev/null &
pid=$!
for _ in $(seq 200); do
	! grep -q 'events to' "$dir/log" || break
	kill -0 $pid 2>/dev/null || fail "it ended"
	sleep 0.1
done
grep -q 'events to' "$dir/log" || fail "it does not begin"
engine=$(sed -n 's/.*engine \([0-9]*\): .*/\1/p' "$dir/log")
[ "$(awk '$1 == "CapEff:" { print $2 }' /proc/"$engine"/status)" = 0000000000000000 ] || fail "the engine has capabilities"
[ "$(awk '$1 == "Seccomp:" { print $2 }' /proc/"$engine"/status)" = 2 ] || fail "the engine has no seccomp"
if ls /proc/"$engine"/fd >/dev/null 2>&1; then
	for fd in /proc/"$engine"/fd/*; do
		to=$(readlink "$fd")
		case $to in
		/dev/null | socket:* | anon_inode:*eventfd* | /sys/*/net/*/statistics/*) ;;
		*) grep -q __asan_init "$BUILD/bin/spanward" && [ "${fd##*/}" = 2 ] || fail "the engine has $to open" ;;
		esac
	done
fi
# A message and its acknowledgement on a port that says nothing; an IPv6 one, too.
$py - <<'PY' || fail "the traffic"
import socket, threading
message = b"\x0bMSH|^~\\&|HIS|HOSP|ENGINE|HOSP|20261122||ADT^A01|M1|P|2.5\rEVN|A01\r\x1c\x0d"
ack = b"\x0bMSH|^~\\&|ENGINE|HOSP|HIS|HOSP|20261122||ACK^A01|A1|P|2.5\rMSA|AA|M1\r\x1c\x0d"
def talk(family, host):
    s = socket.socket(family)
    s.bind((host, 0))
    s.listen()
    def serve():
        c = s.accept()[0]
        for _ in range(20):
            got = b""
            while not got.endswith(b"\x1c\x0d"): got += c.recv(4096)
            c.sendall(ack)
        c.close()
    t = threading.Thread(target=serve)
    t.start()
    c = socket.create_connection(s.getsockname()[:2])
    for _ in range(20):
        c.sendall(message)
        got = b""
        while not got.endswith(b"\x1c\x0d"): got += c.recv(4096)
    c.close()
    t.join()
talk(socket.AF_INET, "127.0.0.1")
talk(socket.AF_INET6, "::1")
PY
for _ in $(seq 100); do
	"$BUILD/bin/spanward" assets --store "$dir/store.db" >"$dir/assets" 2>/dev/null || true
	! { grep '"addr":"127.0.0.1"' "$dir/assets" | grep -q hl7 && grep '"addr":"::1"' "$dir/assets" | grep -q hl7; } || break
	sleep 0.1
done
grep '"addr":"127.0.0.1"' "$dir/assets" | grep -q '"services":\["hl7 tcp/' || { cat "$dir/assets"; fail "no HL7 service on 127.0.0.1"; }
grep '"addr":"::1"' "$dir/assets" | grep -q '"services":\["hl7 tcp/' || { cat "$dir/assets"; fail "no HL7 service on ::1"; }
kill -INT $pid
code=0
wait $pid || code=$?
pid=
[ $code = 0 ] || fail "Ctrl-C: exit $code"
grep -q 'undelivered 0, dropped 0, invalid 0' "$dir/log" || fail "events were lost"
[ -z "$(ls -d /proc/"$engine" 2>/dev/null)" ] || fail "the engine is still there"
# An interface that is not there, and one that may not be watched.
code=0
"$BUILD/bin/spanward" run -i no-such-if --store "$dir/store.db" >/dev/null 2>"$dir/log" </dev/null || code=$?
[ $code != 0 ] && grep -q no-such-if "$dir/log" || fail "an unknown interface: exit $code"
rm -f "$dir/log"
echo "hl7 found on a live interface, over IPv4 and IPv6"
