#include "sensor/decode.h"

#include <string.h>

enum {
	MAX_TAGS = 4,           /* a provider's and a customer's tag, twice; more is a loop or an attack */
	MAX_EXTENSIONS = 16,    /* real packets carry at most a handful; bounds the work of a hostile chain */
};

/* https://www.tcpdump.org/linktypes.html */
enum {
	LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW_BSD = 12, LINK_RAW_OPENBSD = 14, LINK_RAW = 101, LINK_LOOP = 108,
	LINK_SLL = 113, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_SLL2 = 276,
};

enum {
	ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_VLAN = 0x8100, ETHERTYPE_QINQ = 0x88a8, ETHERTYPE_QINQ_OLD = 0x9100,
};

enum {
	PROTO_HOP_BY_HOP = 0, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_AH = 51,
	PROTO_DEST_OPTIONS = 60,
};

/* What is being read, shared by the layers below. */
struct frame {
	struct cursor c;        /* captured bytes of the layer at hand */
	uint64_t wire;          /* bytes of that layer on the wire, from its first byte on; >= what c holds */
};

static void fail(struct decode *d, enum stats_counter why)
{
	d->kind = DECODE_NOTHING;
	d->counter = why;
}

/* A header did not fit: was it the capture that cut it, or is the packet broken? */
static void fail_short(struct decode *d, bool cut, enum stats_counter broken)
{
	fail(d, cut ? STATS_packets_truncated : broken);
}

static void set_v4(struct addr *a, struct span s)
{
	memset(a->b, 0, 10);
	a->b[10] = a->b[11] = 0xff;
	if (s.n == 4)
		memcpy(a->b + 12, s.p, 4);
}

static void set_v6(struct addr *a, struct span s)
{
	if (s.n == 16)
		memcpy(a->b, s.p, 16);
}

static void set_mac(struct mac *m, struct span s)
{
	if (s.n >= 6)
		memcpy(m->b, s.p, 6);
}

static void set_payload(struct decode *d, struct cursor *c, uint64_t wire)
{
	struct span s = cursor_rest(c);
	if (s.n > wire)
		s.n = (size_t)wire;
	d->payload = s;
	d->payload_wire = (uint32_t)wire;
	d->truncated = s.n < wire;
}

/* RFC 9293, 3.1. The checksum is not looked at: a sender that offloads it captures a wrong one. */
static void decode_tcp(struct decode *d, struct cursor c, uint64_t wire)
{
	bool cut = cursor_left(&c) < wire && wire >= 20;
	d->src_port = cursor_u16be(&c);
	d->dst_port = cursor_u16be(&c);
	d->seq = cursor_u32be(&c);
	d->ack = cursor_u32be(&c);
	uint8_t offset = cursor_u8(&c);
	uint8_t flags = cursor_u8(&c);
	d->window = cursor_u16be(&c);
	cursor_skip(&c, 4);                     /* checksum, urgent pointer */
	if (!cursor_ok(&c)) {
		fail_short(d, cut, STATS_transport_malformed);
		return;
	}
	d->flags = flags & 0x3f;
	uint64_t header = (uint64_t)(offset >> 4) * 4;
	if (header < 20 || header > wire) {
		fail(d, STATS_transport_malformed);
		return;
	}
	d->kind = DECODE_TCP;
	d->counter = STATS_tcp;
	/* Options cut by the capture cost us the payload, not the packet: its numbers were read. */
	if (header - 20 > cursor_left(&c)) {
		d->payload_wire = (uint32_t)(wire - header);
		d->truncated = d->payload_wire > 0;
		return;
	}
	cursor_skip(&c, (size_t)header - 20);
	set_payload(d, &c, wire - header);
}

/* RFC 768. */
static void decode_udp(struct decode *d, struct cursor c, uint64_t wire)
{
	bool cut = cursor_left(&c) < wire && wire >= 8;
	d->src_port = cursor_u16be(&c);
	d->dst_port = cursor_u16be(&c);
	uint64_t length = cursor_u16be(&c);
	cursor_skip(&c, 2);
	if (!cursor_ok(&c)) {
		fail_short(d, cut, STATS_transport_malformed);
		return;
	}
	if (length == 0 && wire > UINT16_MAX)
		length = wire;                  /* RFC 2675, 4: a jumbogram's length is the IP layer's */
	if (length < 8 || length > wire) {
		fail(d, STATS_transport_malformed);
		return;
	}
	d->kind = DECODE_UDP;
	d->counter = STATS_udp;
	set_payload(d, &c, length - 8);         /* bytes between the UDP length and the IP length are not payload */
}

static void decode_transport(struct decode *d, struct cursor c, uint64_t wire, uint8_t proto)
{
	d->ip_proto = proto;
	if (proto == PROTO_TCP) {
		decode_tcp(d, c, wire);
	} else if (proto == PROTO_UDP) {
		decode_udp(d, c, wire);
	} else {
		d->kind = DECODE_IP_OTHER;
		d->counter = STATS_transport_other;
		set_payload(d, &c, wire);
	}
}

static void decode_fragment(struct decode *d, struct cursor c, uint64_t wire, uint8_t proto)
{
	d->ip_proto = proto;
	d->kind = DECODE_IP_OTHER;
	d->counter = STATS_ip_fragments;
	set_payload(d, &c, wire);
}

/* RFC 4302, 2: the length is in 4-byte units minus 2. The bytes taken, 0 when it does not fit. */
static size_t skip_ah(struct cursor *c, uint8_t *next)
{
	*next = cursor_u8(c);
	size_t n = ((size_t)cursor_u8(c) + 2) * 4;
	if (n < 12)
		c->failed = true;
	else
		cursor_skip(c, n - 2);
	return cursor_ok(c) ? n : 0;
}

/* RFC 791, 3.1. */
static void decode_ipv4(struct decode *d, struct frame *f)
{
	struct cursor c = f->c;
	bool cut = cursor_left(&c) < f->wire;
	uint8_t first = cursor_u8(&c);
	cursor_skip(&c, 1);
	uint64_t total = cursor_u16be(&c);
	cursor_skip(&c, 2);
	uint16_t fragment = cursor_u16be(&c);
	uint8_t ttl = cursor_u8(&c);
	uint8_t proto = cursor_u8(&c);
	cursor_skip(&c, 2);                     /* checksum: offloaded by senders as TCP's is */
	struct span src = cursor_take(&c, 4), dst = cursor_take(&c, 4);
	if (!cursor_ok(&c)) {
		fail_short(d, cut, STATS_ip_malformed);
		return;
	}
	/* 0 is what a card that segments for its host leaves for itself to fill: the frame is the packet. */
	if (total == 0)
		total = f->wire;
	uint64_t header = (uint64_t)(first & 0x0f) * 4;
	/* Longer than its frame: every host drops it, so it must not count as a segment here either. */
	if (first >> 4 != 4 || header < 20 || total < header || total > f->wire) {
		fail(d, STATS_ip_malformed);
		return;
	}
	set_v4(&d->src, src);
	set_v4(&d->dst, dst);
	d->ttl = ttl;
	d->ip_proto = proto;
	d->ip_bytes = (uint32_t)total;
	size_t left = cursor_left(&c), want = (size_t)(total - 20);
	c = cursor_sub(&c, left < want ? left : want);          /* Ethernet padding ends here */
	cut = left < want;
	cursor_skip(&c, (size_t)header - 20);
	uint64_t wire = total - header;
	if (!cursor_ok(&c)) {
		fail_short(d, cut, STATS_ip_malformed);
		return;
	}
	if (fragment & 0x3fff) {                /* more fragments, or an offset */
		decode_fragment(d, c, wire, proto);
		return;
	}
	if (proto == PROTO_AH) {
		size_t n = skip_ah(&c, &proto);
		if (!n) {
			fail_short(d, cut, STATS_ip_malformed);
			return;
		}
		wire -= n;
	}
	decode_transport(d, c, wire, proto);
}

/* RFC 4291, 2.5.5.2: the mapped form never stands on the wire; read as IPv4 it would lend a sender any IPv4
 * address. Linux drops such packets too. */
static bool is_mapped(struct span a)
{
	static const uint8_t prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	return a.n == 16 && memcmp(a.p, prefix, sizeof(prefix)) == 0;
}

/* RFC 2675, 2: the length of a jumbogram, or 0. `options` is what follows the first two bytes. */
static uint32_t jumbo_length(struct cursor options)
{
	while (cursor_left(&options)) {
		uint8_t type = cursor_u8(&options);
		if (type == 0)                  /* Pad1 */
			continue;
		struct cursor option = cursor_sub(&options, cursor_u8(&options));
		if (type == 0xc2 && cursor_left(&option) == 4)
			return cursor_u32be(&option);
	}
	return 0;
}

/* RFC 8200, 3 and 4. */
static void decode_ipv6(struct decode *d, struct frame *f)
{
	struct cursor c = f->c;
	bool cut = cursor_left(&c) < f->wire;
	uint8_t first = cursor_u8(&c);
	cursor_skip(&c, 3);
	uint64_t wire = cursor_u16be(&c);
	uint8_t next = cursor_u8(&c);
	uint8_t hops = cursor_u8(&c);
	struct span src = cursor_take(&c, 16), dst = cursor_take(&c, 16);
	if (!cursor_ok(&c)) {
		fail_short(d, cut, STATS_ip_malformed);
		return;
	}
	uint64_t room = f->wire - 40;
	if (wire == 0 && next == PROTO_HOP_BY_HOP) {
		struct cursor ahead = c;
		cursor_skip(&ahead, 1);
		size_t n = ((size_t)cursor_u8(&ahead) + 1) * 8 - 2;
		wire = jumbo_length(cursor_sub(&ahead, n));
	}
	/* Segmented later by the card, as above; a frame this long cannot have said its length. */
	if (wire == 0 && room > UINT16_MAX)
		wire = room;
	if (first >> 4 != 6 || wire > room || is_mapped(src) || is_mapped(dst)) {
		fail(d, STATS_ip_malformed);
		return;
	}
	set_v6(&d->src, src);
	set_v6(&d->dst, dst);
	d->ttl = hops;
	d->ip_proto = next;
	d->ip_bytes = (uint32_t)(wire + 40);
	size_t left = cursor_left(&c);
	cut = left < wire;
	c = cursor_sub(&c, cut ? left : (size_t)wire);

	for (unsigned i = 0; i <= MAX_EXTENSIONS; i++) {
		struct cursor before = c;
		d->ip_proto = next;
		switch (next) {
		case PROTO_HOP_BY_HOP:
			if (i) {                /* RFC 8200, 4.1: directly after the IPv6 header or not at all */
				fail(d, STATS_ip_malformed);
				return;
			}
			/* fall through */
		case PROTO_ROUTING:
		case PROTO_DEST_OPTIONS:
			next = cursor_u8(&c);
			cursor_skip(&c, ((size_t)cursor_u8(&c) + 1) * 8 - 2);
			break;
		case PROTO_AH:
			(void)skip_ah(&c, &next);
			break;
		case PROTO_FRAGMENT: {
			next = cursor_u8(&c);
			cursor_skip(&c, 1);
			uint16_t where = cursor_u16be(&c);
			cursor_skip(&c, 4);
			if (cursor_ok(&c) && (where & 0xfff9)) {        /* RFC 6946: 0 and no more is whole */
				decode_fragment(d, c, wire - 8, next);
				return;
			}
			break;
		}
		default:                        /* also ESP (50) and no next header (59) */
			decode_transport(d, c, wire, next);
			return;
		}
		if (!cursor_ok(&c)) {
			fail_short(d, cut, STATS_ip_malformed);
			return;
		}
		wire -= (size_t)(c.p - before.p);
	}
	fail(d, STATS_ip_malformed);
}

/* RFC 826, for Ethernet and IPv4 as RFC 5227 uses it. */
static void decode_arp(struct decode *d, struct frame *f)
{
	struct cursor c = f->c;
	bool cut = cursor_left(&c) < f->wire;
	uint16_t hardware = cursor_u16be(&c);
	uint16_t protocol = cursor_u16be(&c);
	uint8_t hardware_len = cursor_u8(&c);
	uint8_t protocol_len = cursor_u8(&c);
	cursor_skip(&c, 2);
	if (!cursor_ok(&c)) {
		fail_short(d, cut, STATS_link_malformed);
		return;
	}
	if ((hardware != 1 && hardware != 6) || protocol != ETHERTYPE_IPV4) {
		fail(d, STATS_arp);             /* ATM, InfiniBand: nothing that we could bind */
		return;
	}
	if (hardware_len != 6 || protocol_len != 4) {
		fail(d, STATS_link_malformed);
		return;
	}
	struct span mac = cursor_take(&c, 6), src = cursor_take(&c, 4);
	cursor_skip(&c, 6);
	struct span dst = cursor_take(&c, 4);
	if (!cursor_ok(&c)) {
		fail_short(d, cut, STATS_link_malformed);
		return;
	}
	set_mac(&d->arp_mac, mac);
	set_v4(&d->src, src);
	set_v4(&d->dst, dst);
	d->kind = DECODE_ARP;
	d->counter = STATS_arp;
}

/* What follows a two-byte type: tags, then a protocol. */
static void decode_ethertype(struct decode *d, struct frame *f, uint16_t type)
{
	for (unsigned tags = 0; type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD; tags++) {
		bool cut = cursor_left(&f->c) < f->wire;
		uint16_t tag = cursor_u16be(&f->c);     /* IEEE 802.1Q, 9.6: priority, DEI, number */
		type = cursor_u16be(&f->c);
		if (!cursor_ok(&f->c)) {
			fail_short(d, cut, STATS_link_malformed);
			return;
		}
		if (tags == MAX_TAGS) {
			fail(d, STATS_link_malformed);
			return;
		}
		f->wire -= 4;
		if (!d->vlan)
			d->vlan = tag & 0x0fff;
	}
	if (type == ETHERTYPE_IPV4)
		decode_ipv4(d, f);
	else if (type == ETHERTYPE_IPV6)
		decode_ipv6(d, f);
	else if (type == ETHERTYPE_ARP)
		decode_arp(d, f);
	else
		fail(d, STATS_not_ip);          /* also lengths (< 0x600; IEEE 802.3, 3.2.6): LLC */
}

static void decode_ethernet(struct decode *d, struct frame *f, bool cut)
{
	set_mac(&d->dst_mac, cursor_take(&f->c, 6));
	set_mac(&d->src_mac, cursor_take(&f->c, 6));
	uint16_t type = cursor_u16be(&f->c);
	if (!cursor_ok(&f->c)) {
		fail_short(d, cut, STATS_link_malformed);
		return;
	}
	d->has_mac = true;
	f->wire -= 14;
	decode_ethertype(d, f, type);
}

/* https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and ..._SLL2.html. For some devices `type` is not an
 * Ethernet type: netlink's (824) is a family, and radio's (803) and 802.11's (801, 802) mean nothing here. */
static void decode_cooked(struct decode *d, struct frame *f, bool cut, bool second)
{
	uint16_t type = 0, hardware, length;
	if (second) {
		type = cursor_u16be(&f->c);
		cursor_skip(&f->c, 6);          /* reserved, interface index */
		hardware = cursor_u16be(&f->c);
		cursor_skip(&f->c, 1);          /* packet type */
		length = cursor_u8(&f->c);
	} else {
		cursor_skip(&f->c, 2);
		hardware = cursor_u16be(&f->c);
		length = cursor_u16be(&f->c);
	}
	struct span address = cursor_take(&f->c, 8);
	if (!second)
		type = cursor_u16be(&f->c);
	if (!cursor_ok(&f->c)) {
		fail_short(d, cut, STATS_link_malformed);
		return;
	}
	if (length == 6) {
		set_mac(&d->src_mac, address);
		d->has_mac = true;
	}
	f->wire -= second ? 20 : 16;
	if (hardware == 824 || (hardware >= 801 && hardware <= 803))
		fail(d, STATS_not_ip);
	else
		decode_ethertype(d, f, type);
}

/* The address family in the byte order of the machine that captured (LOOP: the network's); all values that
 * systems use are below 256, so the order shows. */
static void decode_null(struct decode *d, struct frame *f, bool cut)
{
	struct cursor other = f->c;
	uint32_t family = cursor_u32be(&f->c);
	if (!cursor_ok(&f->c)) {
		fail_short(d, cut, STATS_link_malformed);
		return;
	}
	if (family > UINT16_MAX)
		family = cursor_u32le(&other);
	f->wire -= 4;
	switch (family) {
	case 2:
		decode_ipv4(d, f);
		break;
	case 10: case 24: case 28: case 30:     /* Linux; NetBSD and OpenBSD; FreeBSD; macOS */
		decode_ipv6(d, f);
		break;
	default:
		fail(d, STATS_not_ip);
	}
}

static void decode_raw(struct decode *d, struct frame *f, bool cut)
{
	struct cursor look = f->c;
	uint8_t version = cursor_u8(&look) >> 4;
	if (!cursor_ok(&look))
		fail_short(d, cut, STATS_ip_malformed);
	else if (version == 4)
		decode_ipv4(d, f);
	else if (version == 6)
		decode_ipv6(d, f);
	else
		fail(d, STATS_ip_malformed);
}

void decode_packet(uint32_t linktype, struct span bytes, uint32_t wire_len, struct decode *ret)
{
	*ret = (struct decode){ .kind = DECODE_NOTHING, .counter = STATS_link_unknown };
	struct frame f = { .c = cursor_from(bytes), .wire = wire_len };
	if (f.wire < bytes.n)
		f.wire = bytes.n;               /* a file may lie about it; what was captured was there */
	bool cut = bytes.n < f.wire;
	switch (linktype) {
	case LINK_ETHERNET:
		decode_ethernet(ret, &f, cut);
		break;
	case LINK_NULL:
	case LINK_LOOP:
		decode_null(ret, &f, cut);
		break;
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
		decode_raw(ret, &f, cut);
		break;
	case LINK_IPV4:
		decode_ipv4(ret, &f);
		break;
	case LINK_IPV6:
		decode_ipv6(ret, &f);
		break;
	case LINK_SLL:
		decode_cooked(ret, &f, cut, false);
		break;
	case LINK_SLL2:
		decode_cooked(ret, &f, cut, true);
		break;
	default:
		break;
	}
}
