/* What nearly every packet of a hospital is: Ethernet, perhaps one VLAN tag, IPv4 without options and in one piece, TCP or UDP,
 * all of it captured. Read with one look at the bounds of the headers; everything else, and everything that is wrong in any
 * way, is left to the layers of decode_link.c and on, which would say the same of what is read here. */
#include "core/bytes.h"
#include "sensor/checksum.h"
#include "sensor/decode_layers.h"

enum { ETHERNET = 14, TAG = 4, IPV4 = 20, TCP = 20, UDP = 8, PROTO_TCP = 6, PROTO_UDP = 17 };

/* Mapped into IPv6 (core/addr.h), in two writes, as it will be read. */
static inline void set_mapped(struct addr *a, uint32_t ip)
{
	const uint64_t low = htobe64(UINT64_C(0xffff) << 32 | ip);
	memset(a->b, 0, 8);
	memcpy(a->b + 8, &low, sizeof(low));
}

static inline enum checksum header_sum(const uint8_t *h)
{
	if (!(h[10] | h[11]))
		return CHECKSUM_OFFLOADED;
	uint64_t a = bytes_load(h), b = bytes_load(h + 8);
	uint64_t sum = (a >> 32) + (uint32_t)a + (b >> 32) + (uint32_t)b + bytes_u32le(h + 16);
	return checksum_fold(sum) == 0xffff ? CHECKSUM_RIGHT : CHECKSUM_WRONG;
}

/* `n` bytes of header and payload. */
static inline void set_payload(struct decode *d, const uint8_t *l4, size_t n, size_t header)
{
	d->segment = (struct span){ l4, n };
	d->payload = (struct span){ l4 + header, n - header };
	d->payload_wire = (uint32_t)(n - header);
}

bool decode_plain(struct span bytes, struct decode *ret)
{
	struct cursor c = cursor_from(bytes);
	const uint8_t *frame = cursor_take(&c, ETHERNET + IPV4 + UDP).p;
	if (!frame)
		return false;
	size_t link = ETHERNET;
	uint16_t type = bytes_u16be(frame + 12), vlan = 0;
	if (type == DECODE_ETHERTYPE_VLAN) {
		if (!cursor_take(&c, TAG).p)
			return false;
		vlan = bytes_u16be(frame + 14) & 0x0fff;
		type = bytes_u16be(frame + 16);
		link += TAG;
	}
	const uint8_t *ip = frame + link, *l4 = ip + IPV4;
	size_t total = bytes_u16be(ip + 2);
	/* More fragments, an offset; longer than what was captured, which is not longer than the frame. */
	if (type != DECODE_ETHERTYPE_IPV4 || ip[0] != 0x45 || bytes_u16be(ip + 6) & 0x3fff || total > bytes.n - link)
		return false;
	if (ip[9] == PROTO_TCP) {
		size_t n = total - IPV4, header = total < IPV4 + TCP ? 0 : (size_t)(l4[12] >> 4) * 4;
		if (header < TCP || header > n)
			return false;
		decode_zero(ret);
		ret->kind = DECODE_TCP;
		ret->counter = STATS_tcp;
		ret->seq = bytes_u32be(l4 + 4);
		ret->ack = bytes_u32be(l4 + 8);
		ret->window = bytes_u16be(l4 + 14);
		ret->flags = l4[13] & 0x3f;
		ret->checksum = bytes_u16be(l4 + 16);
		set_payload(ret, l4, n, header);
	} else {
		size_t n = bytes_u16be(l4 + 4);
		if (ip[9] != PROTO_UDP || total < IPV4 + UDP || n < UDP || n > total - IPV4 ||
		    decode_tunnel_may_be(bytes_u16be(l4), bytes_u16be(l4 + 2)))
			return false;
		decode_zero(ret);
		ret->kind = DECODE_UDP;
		ret->counter = STATS_udp;
		ret->checksum = bytes_u16be(l4 + 6);
		set_payload(ret, l4, n, UDP);
	}
	ret->has_mac = true;
	memcpy(ret->dst_mac.b, frame, 6);
	memcpy(ret->src_mac.b, frame + 6, 6);
	ret->vlan = vlan;
	set_mapped(&ret->src, bytes_u32be(ip + 12));
	set_mapped(&ret->dst, bytes_u32be(ip + 16));
	ret->ip_proto = ip[9];
	ret->ttl = ip[8];
	ret->ip_id = bytes_u16be(ip + 4);
	ret->ip_sum = (uint8_t)header_sum(ip);
	ret->ip_bytes = (uint32_t)total;
	ret->src_port = bytes_u16be(l4);
	ret->dst_port = bytes_u16be(l4 + 2);
	return true;
}
