/* decode_same.h -- whether two ways of decoding say the same of a packet; for tests and the fuzz target. */
#ifndef SENSOR_DECODE_SAME_H
#define SENSOR_DECODE_SAME_H

#include <string.h>

#include "sensor/decode.h"

/* Field by field: what lies between fields is nobody's. */
static inline bool decode_same(const struct decode *a, const struct decode *b)
{
#define DECODE_SAME(f) (a->f == b->f)
#define DECODE_SAME_BYTES(f) (!memcmp(&a->f, &b->f, sizeof(a->f)))
	return DECODE_SAME(kind) && DECODE_SAME(counter) && DECODE_SAME(has_mac) && DECODE_SAME(truncated) &&
	       DECODE_SAME_BYTES(src_mac) && DECODE_SAME_BYTES(dst_mac) && DECODE_SAME(vlan) && DECODE_SAME(inner_vlan) &&
	       DECODE_SAME_BYTES(src) &&
	       DECODE_SAME_BYTES(dst) && DECODE_SAME_BYTES(arp_mac) && DECODE_SAME(ip_proto) && DECODE_SAME(ttl) &&
	       DECODE_SAME(src_port) && DECODE_SAME(dst_port) && DECODE_SAME(ip_bytes) && DECODE_SAME(seq) && DECODE_SAME(ack) &&
	       DECODE_SAME(window) && DECODE_SAME(flags) && DECODE_SAME(depth) && DECODE_SAME(tunnels) && DECODE_SAME(ip_id) &&
	       DECODE_SAME(overlay) && DECODE_SAME(checksum) && DECODE_SAME(ip_sum) && DECODE_SAME(icmp_type) &&
	       DECODE_SAME(icmp_code) && DECODE_SAME(quoted) && DECODE_SAME(fragment.id) && DECODE_SAME(fragment.offset) &&
	       DECODE_SAME(fragment.proto) && DECODE_SAME(fragment.more) && DECODE_SAME(fragment.v6) &&
	       DECODE_SAME(fragment.header) && DECODE_SAME(segment.p) && DECODE_SAME(segment.n) && DECODE_SAME(payload.p) &&
	       DECODE_SAME(payload.n) && DECODE_SAME(payload_wire);
#undef DECODE_SAME
#undef DECODE_SAME_BYTES
}

#endif
