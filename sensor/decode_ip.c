#include "sensor/decode_layers.h"

#include "sensor/checksum.h"

enum { MAX_EXTENSIONS = 16 /* real packets carry at most a handful; bounds the work of a hostile chain */ };

enum {
	PROTO_HOP_BY_HOP = 0, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_AH = 51,
	PROTO_DEST_OPTIONS = 60, PROTO_SCTP = 132,
};

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

static void take_fragment(struct decode *d, struct cursor c, uint64_t wire, uint8_t proto)
{
	d->ip_proto = proto;
	d->kind = DECODE_FRAGMENT;
	d->counter = STATS_ip_fragments;
	d->fragment.proto = proto;
	decode_set_payload(d, &c, wire);
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

/* What an IPv4 header announces. */
static void in_v4(struct decode *d, struct cursor c, uint64_t wire, uint8_t proto)
{
	if (proto == PROTO_AH) {
		bool cut = cursor_left(&c) < wire;
		size_t n = skip_ah(&c, &proto);
		if (!n) {
			decode_fail_short(d, cut, STATS_ip_malformed);
			return;
		}
		wire -= n;
	}
	decode_transport_any(d, c, wire, proto);
}

/* RFC 791, 3.1. */
void decode_ip_v4(struct decode *d, struct decode_frame *f)
{
	struct cursor c = f->c;
	bool cut = cursor_left(&c) < f->wire;
	uint8_t first = cursor_u8(&c);
	cursor_skip(&c, 1);
	uint64_t total = cursor_u16be(&c);
	uint16_t id = cursor_u16be(&c);
	uint16_t fragment = cursor_u16be(&c);
	uint8_t ttl = cursor_u8(&c);
	uint8_t proto = cursor_u8(&c);
	uint16_t sum = cursor_u16be(&c);
	struct span src = cursor_take(&c, 4), dst = cursor_take(&c, 4);
	if (!cursor_ok(&c)) {
		decode_fail_short(d, cut, STATS_ip_malformed);
		return;
	}
	/* 0 is what a card that segments for its host leaves for itself to fill: the frame is the packet. */
	if (total == 0)
		total = f->wire;
	uint64_t header = (uint64_t)(first & 0x0f) * 4;
	/* Longer than its frame: every host drops it, so it must not count as a segment here either. */
	if (first >> 4 != 4 || header < 20 || total < header || total > f->wire) {
		decode_fail(d, STATS_ip_malformed);
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
	d->ip_id = id;
	struct cursor whole = f->c;
	/* A sum over a right header is all ones (RFC 1071, 1). */
	d->ip_sum = !sum ? CHECKSUM_OFFLOADED
		    : checksum_fold(checksum_add(0, cursor_take(&whole, (size_t)header))) == 0xffff ? CHECKSUM_RIGHT
												    : CHECKSUM_WRONG;
	uint64_t wire = total - header;
	if (!cursor_ok(&c)) {
		decode_fail_short(d, cut, STATS_ip_malformed);
		return;
	}
	if (fragment & 0x3fff) {                /* more fragments, or an offset */
		d->fragment = (struct decode_fragment){ .id = id, .offset = (uint16_t)((fragment & 0x1fff) * 8),
							.more = fragment & 0x2000, .header = (uint8_t)header };
		take_fragment(d, c, wire, proto);
		return;
	}
	in_v4(d, c, wire, proto);
}

/* The headers that follow the IPv6 header, the first of them being number `from`. */
static void in_v6(struct decode *d, struct cursor c, uint64_t wire, uint8_t next, unsigned from)
{
	bool cut = cursor_left(&c) < wire;
	for (unsigned i = from; i <= MAX_EXTENSIONS; i++) {
		struct cursor before = c;
		d->ip_proto = next;
		switch (next) {
		case PROTO_HOP_BY_HOP:
			if (i) {                /* RFC 8200, 4.1: directly after the IPv6 header or not at all */
				decode_fail(d, STATS_ip_malformed);
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
			uint32_t id = cursor_u32be(&c);
			if (cursor_ok(&c) && (where & 0xfff9)) {        /* RFC 6946: 0 and no more is whole */
				d->fragment = (struct decode_fragment){ .id = id, .offset = where & 0xfff8,
									.more = where & 1, .v6 = true };
				take_fragment(d, c, wire - 8, next);
				return;
			}
			break;
		}
		default:                        /* also ESP (50) and no next header (59) */
			decode_transport_any(d, c, wire, next);
			return;
		}
		if (!cursor_ok(&c)) {
			decode_fail_short(d, cut, STATS_ip_malformed);
			return;
		}
		wire -= cursor_left(&before) - cursor_left(&c);
	}
	decode_fail(d, STATS_ip_malformed);
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
void decode_ip_v6(struct decode *d, struct decode_frame *f)
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
		decode_fail_short(d, cut, STATS_ip_malformed);
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
		decode_fail(d, STATS_ip_malformed);
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

	in_v6(d, c, wire, next, 0);
}

/* What a packet was, that an ICMP error quotes: as much of it as names its flow (RFC 792, RFC 4443, 2.4 c). What comes back
 * has crossed a network: nothing in it needs to be true, and a fragment's ports are not its own. */
void decode_ip_quoted(struct decode *d, struct cursor c, bool v6)
{
	uint8_t first = cursor_u8(&c), proto;
	struct addr src = { 0 }, dst = { 0 };
	if (v6) {
		cursor_skip(&c, 5);
		proto = cursor_u8(&c);
		cursor_skip(&c, 1);
		set_v6(&src, cursor_take(&c, 16));
		set_v6(&dst, cursor_take(&c, 16));
		if (!cursor_ok(&c) || first >> 4 != 6)
			return;
	} else {
		size_t header = (size_t)(first & 0x0f) * 4;
		cursor_skip(&c, 5);
		uint16_t fragment = cursor_u16be(&c);
		cursor_skip(&c, 1);
		proto = cursor_u8(&c);
		cursor_skip(&c, 2);
		set_v4(&src, cursor_take(&c, 4));
		set_v4(&dst, cursor_take(&c, 4));
		if (header < 20 || first >> 4 != 4 || fragment & 0x1fff)
			return;
		cursor_skip(&c, header - 20);
	}
	uint16_t src_port = cursor_u16be(&c), dst_port = cursor_u16be(&c);
	uint32_t seq = cursor_u32be(&c);
	if (!cursor_ok(&c) || (proto != PROTO_TCP && proto != PROTO_UDP && proto != PROTO_SCTP))
		return;
	d->kind = DECODE_ICMP_ERROR;
	d->quoted = proto == PROTO_TCP ? DECODE_TCP : proto == PROTO_UDP ? DECODE_UDP : DECODE_SCTP;
	d->src = src;
	d->dst = dst;
	d->src_port = src_port;
	d->dst_port = dst_port;
	d->seq = seq;
}

void decode_ip_any(struct decode *d, struct decode_frame *f)
{
	struct cursor look = f->c;
	uint8_t version = cursor_u8(&look) >> 4;
	if (!cursor_ok(&look))
		decode_fail_short(d, decode_is_cut(f), STATS_ip_malformed);
	else if (version == 4)
		decode_ip_v4(d, f);
	else if (version == 6)
		decode_ip_v6(d, f);
	else
		decode_fail(d, STATS_ip_malformed);
}

void decode_ip_datagram(struct decode *d, uint8_t proto, struct span bytes)
{
	struct decode_fragment f = d->fragment;
	d->fragment = (struct decode_fragment){ 0 };
	d->payload = (struct span){ 0 };
	d->payload_wire = 0;
	d->truncated = false;
	d->ip_bytes = (uint32_t)bytes.n + (f.v6 ? 40 : f.header);
	if (f.v6)
		in_v6(d, cursor_from(bytes), bytes.n, proto, 1);
	else
		in_v4(d, cursor_from(bytes), bytes.n, proto);
}
