#include "sensor/checksum.h"
#include "sensor/decode_layers.h"

enum { PROTO_IPIP = 4, PROTO_IPV6 = 41, PROTO_GRE = 47, PROTO_ETHERIP = 97, PROTO_L2TP = 115 };

enum { MAX_LABELS = 16 /* a service label, a transport label and a few for rerouting; bounds the work */ };

/* One level deeper. False when that is one too many, which is then what became of the packet. */
static bool enter(struct decode *d, enum decode_tunnel t)
{
	if (d->depth == DECODE_MAX_TUNNELS) {
		decode_fail(d, STATS_tunnels_too_deep);
		return false;
	}
	d->depth++;
	d->tunnels |= (uint16_t)(1u << t);
	d->kind = DECODE_NOTHING;
	d->ip_sum = CHECKSUM_NONE;
	d->ip_id = d->src_port = d->dst_port = 0;
	return true;
}

/* An Ethernet frame of its own inside: nothing of the outer one says anything about it. */
static void inner_ethernet(struct decode *d, struct decode_frame *f, uint16_t vlan)
{
	d->vlan = vlan;
	d->inner_vlan = 0;
	d->has_mac = false;
	f->snaps = 0;
	decode_link_ethernet(d, f);
}

/* IP directly inside: the hardware addresses around it are those of the tunnel's ends. */
static void inner_ip(struct decode *d, struct decode_frame *f)
{
	d->has_mac = false;
	d->src_mac = d->dst_mac = (struct mac){ 0 };
	decode_ip_any(d, f);
}

static bool faulty(const struct decode *d)
{
	return d->counter == STATS_link_malformed || d->counter == STATS_ip_malformed || d->counter == STATS_transport_malformed;
}

/* Is there an Ethernet frame of something known? For tunnels that do not say what they carry. */
static bool looks_ethernet(struct cursor c, uint64_t wire)
{
	cursor_skip(&c, 12);
	uint16_t type = cursor_u16be(&c);
	for (unsigned tags = 0; tags < 2 && (type == DECODE_ETHERTYPE_VLAN || type == DECODE_ETHERTYPE_QINQ); tags++) {
		cursor_skip(&c, 2);
		type = cursor_u16be(&c);
	}
	uint8_t first = cursor_u8(&c);
	if (!cursor_ok(&c) || wire < 15)
		return false;
	switch (type) {
	case DECODE_ETHERTYPE_IPV4:
		return first >> 4 == 4 && (first & 0x0f) >= 5;
	case DECODE_ETHERTYPE_IPV6:
		return first >> 4 == 6;
	case DECODE_ETHERTYPE_ARP: case DECODE_ETHERTYPE_LLDP: case DECODE_ETHERTYPE_MPLS: case DECODE_ETHERTYPE_PPPOE: case 0x8863:
		return true;
	default:                                /* a length, with room for it */
		return type >= 3 && type < 0x600 && type <= wire - 14;
	}
}

/* RFC 3032, 2.1. What is behind the labels nobody says: IP shows its version (RFC 4928), a pseudowire may begin with a
 * control word of first nibble 0 (RFC 4385, 3) before its Ethernet frame (RFC 4448, 4.6). */
void decode_tunnel_mpls(struct decode *d, struct decode_frame *f)
{
	bool cut = decode_is_cut(f), last = false;
	for (unsigned i = 0; i < MAX_LABELS && !last; i++) {
		last = cursor_u32be(&f->c) & 0x100;
		if (!cursor_ok(&f->c)) {
			decode_fail_short(d, cut, STATS_link_malformed);
			return;
		}
		f->wire -= 4;
	}
	if (!last) {
		decode_fail(d, STATS_link_malformed);
		return;
	}
	if (!enter(d, DECODE_MPLS))
		return;
	struct decode_frame behind = *f;
	struct cursor look = f->c;
	uint8_t first = cursor_u8(&look);
	cursor_skip(&behind.c, 4);
	behind.wire -= 4;
	/* A hardware address may begin with 4 or 6 too: an Ethernet frame is asked for first. */
	if (first >> 4 == 0 && cursor_ok(&behind.c) && looks_ethernet(behind.c, behind.wire))
		inner_ethernet(d, &behind, 0);
	else if (looks_ethernet(f->c, f->wire))
		inner_ethernet(d, f, 0);
	else if (first >> 4 == 4 || first >> 4 == 6)
		inner_ip(d, f);
	else                                    /* less than a control word, two tags and a byte: nobody can tell */
		decode_fail_short(d, cut && cursor_left(&f->c) < 4 + 22 + 1, STATS_not_ip);
}

/* RFC 2516, 4: the session stage; the length is what counts, as for IP. */
void decode_tunnel_pppoe(struct decode *d, struct decode_frame *f)
{
	bool cut = decode_is_cut(f);
	uint8_t version = cursor_u8(&f->c), code = cursor_u8(&f->c);
	cursor_skip(&f->c, 2);
	uint16_t length = cursor_u16be(&f->c);
	if (!cursor_ok(&f->c)) {
		decode_fail_short(d, cut, STATS_link_malformed);
		return;
	}
	f->wire -= 6;
	if (version != 0x11 || length > f->wire) {
		decode_fail(d, STATS_link_malformed);
	} else if (code) {
		decode_fail(d, STATS_not_ip);   /* discovery */
	} else if (enter(d, DECODE_PPPOE)) {
		f->wire = length;
		if (cursor_left(&f->c) > length)
			f->c = cursor_sub(&f->c, length);
		decode_link_ppp(d, f);
	}
}

/* draft-foschiano-erspan-03, 4. `sequenced`: type I has neither sequence number nor header. */
static void erspan(struct decode *d, struct decode_frame *f, bool third, bool sequenced)
{
	bool cut = decode_is_cut(f);
	uint16_t vlan = 0;
	if (third || sequenced) {
		struct cursor before = f->c;
		uint16_t first = cursor_u16be(&f->c), second = cursor_u16be(&f->c);
		cursor_skip(&f->c, 4);
		vlan = first & 0x0fff;
		if (third) {
			cursor_skip(&f->c, 2);
			if (cursor_u16be(&f->c) & 1)
				cursor_skip(&f->c, 8);          /* platform specific */
		}
		if (!cursor_ok(&f->c)) {
			decode_fail_short(d, cut, STATS_tunnels_malformed);
			return;
		}
		if (first >> 12 != (third ? 2 : 1)) {
			decode_fail(d, STATS_tunnels_malformed);
			return;
		}
		f->wire -= cursor_left(&before) - cursor_left(&f->c);
		/* The mirror cut the frame: how long it was, its IP header says. */
		if (second & 0x0400)
			f->wire += UINT16_MAX;
	}
	if (enter(d, DECODE_ERSPAN))
		inner_ethernet(d, f, vlan);
}

/* RFC 2784, 2; RFC 2890, 2; version 1: RFC 2637, 4.1. */
static bool gre(struct decode *d, struct decode_frame *f)
{
	bool cut = decode_is_cut(f);
	size_t before = cursor_left(&f->c);
	uint16_t flags = cursor_u16be(&f->c), type = cursor_u16be(&f->c);
	bool checksum = flags & 0x8000, routing = flags & 0x4000, key = flags & 0x2000, sequence = flags & 0x1000;
	bool acknowledgement = flags & 0x0080;
	unsigned version = flags & 7;
	uint16_t length = 0;
	uint32_t number = 0;
	if (version == 1) {
		length = cursor_u16be(&f->c);
		cursor_skip(&f->c, 2 + (sequence ? 4u : 0) + (acknowledgement ? 4u : 0));
	} else {
		cursor_skip(&f->c, checksum || routing ? 4 : 0);
		if (key)
			number = cursor_u32be(&f->c);
		cursor_skip(&f->c, sequence ? 4 : 0);
	}
	if (!cursor_ok(&f->c)) {
		decode_fail_short(d, cut, STATS_tunnels_malformed);
		return true;
	}
	f->wire -= before - cursor_left(&f->c);
	if (version > 1 || (version == 1 && (type != DECODE_ETHERTYPE_PPP || !key || length > f->wire))) {
		decode_fail(d, STATS_tunnels_malformed);
		return true;
	}
	if (version == 1) {
		if (!sequence || !length)
			return false;           /* an acknowledgement alone */
		f->wire = length;
		if (cursor_left(&f->c) > length)
			f->c = cursor_sub(&f->c, length);
		if (enter(d, DECODE_GRE)) {
			d->has_mac = false;
			decode_link_ppp(d, f);
		}
		return true;
	}
	if (routing)
		return false;                   /* RFC 1701's source routes: gone from RFC 2784 */
	switch (type) {
	case DECODE_ETHERTYPE_ERSPAN:
	case DECODE_ETHERTYPE_ERSPAN3:
		erspan(d, f, type == DECODE_ETHERTYPE_ERSPAN3, sequence);
		return true;
	case DECODE_ETHERTYPE_TEB:
		if (enter(d, DECODE_GRE)) {
			d->overlay = number >> 8;       /* NVGRE (RFC 7637, 3.2); otherwise whatever the key means */
			inner_ethernet(d, f, 0);
		}
		return true;
	case DECODE_ETHERTYPE_IPV4:
	case DECODE_ETHERTYPE_IPV6:
		if (enter(d, DECODE_GRE))
			inner_ip(d, f);
		return true;
	case DECODE_ETHERTYPE_MPLS:
	case DECODE_ETHERTYPE_MPLS_MULTICAST:
		if (enter(d, DECODE_GRE)) {
			d->has_mac = false;
			decode_tunnel_mpls(d, f);
		}
		return true;
	default:
		return false;
	}
}

/* RFC 3931, 4.1 and RFC 4719: how long the cookie is and whether a sublayer follows was agreed on between the ends; what
 * is there shows by the frame behind it. */
static bool l2tp3(struct decode *d, struct decode_frame *f)
{
	static const size_t skips[] = { 0, 4, 8, 12 };  /* cookie of 0, 4 or 8 bytes; sublayer of 0 or 4 */
	for (size_t i = 0; i < sizeof(skips) / sizeof(skips[0]); i++) {
		struct decode_frame in = *f;
		if (in.wire < skips[i] + 14)
			return false;
		cursor_skip(&in.c, skips[i]);
		in.wire -= skips[i];
		if (!cursor_ok(&in.c) || !looks_ethernet(in.c, in.wire))
			continue;
		struct decode inside = *d;
		if (!enter(&inside, DECODE_L2TP)) {
			*d = inside;
			return true;
		}
		inner_ethernet(&inside, &in, 0);
		if (faulty(&inside))
			continue;
		*d = inside;
		return true;
	}
	return false;
}

bool decode_tunnel_over_ip(struct decode *d, struct cursor c, uint64_t wire, uint8_t proto)
{
	struct decode_frame f = { .c = c, .wire = wire };
	switch (proto) {
	case PROTO_IPIP:                        /* RFC 2003 */
	case PROTO_IPV6:                        /* RFC 4213, 3; RFC 2473 */
		if (enter(d, DECODE_IP_IN_IP))
			inner_ip(d, &f);
		return true;
	case PROTO_ETHERIP:                     /* RFC 3378, 3 */
		if (cursor_u16be(&f.c) != 0x3000 || !cursor_ok(&f.c))
			return false;
		f.wire -= 2;
		if (enter(d, DECODE_IP_IN_IP))
			inner_ethernet(d, &f, 0);
		return true;
	case PROTO_GRE:
		return gre(d, &f);
	case PROTO_L2TP:
		if (!cursor_u32be(&f.c) || !cursor_ok(&f.c))    /* session 0: control */
			return false;
		f.wire -= 4;
		return l2tp3(d, &f);
	default:
		return false;
	}
}

/* RFC 7348, 5; with the group policy bit and tag of draft-smith-vxlan-group-policy. */
static bool vxlan(struct decode *d, struct decode_frame *f)
{
	uint16_t flags = cursor_u16be(&f->c);
	uint16_t group = cursor_u16be(&f->c);
	uint32_t network = cursor_u32be(&f->c);
	if (!cursor_ok(&f->c) || network & 0xff || (flags & 0x8800) == 0x8000 || (flags & ~0x8848u) || !(flags & 0x0800) ||
	    (group && !(flags & 0x8000)))
		return false;
	f->wire -= 8;
	if (enter(d, DECODE_VXLAN)) {
		d->overlay = network >> 8;
		inner_ethernet(d, f, 0);
	}
	return true;
}

/* RFC 8926, 3.4. */
static bool geneve(struct decode *d, struct decode_frame *f)
{
	uint8_t version = cursor_u8(&f->c), flags = cursor_u8(&f->c);
	uint16_t type = cursor_u16be(&f->c);
	uint32_t network = cursor_u32be(&f->c);
	size_t options = (size_t)(version & 0x3f) * 4;
	cursor_skip(&f->c, options);
	if (!cursor_ok(&f->c) || version >> 6 || flags & 0x3f || network & 0xff)
		return false;
	f->wire -= 8 + options;
	if (type != DECODE_ETHERTYPE_TEB && type != DECODE_ETHERTYPE_IPV4 && type != DECODE_ETHERTYPE_IPV6)
		return false;
	if (flags & 0x80)                       /* control between the ends */
		return false;
	if (enter(d, DECODE_GENEVE)) {
		d->overlay = network >> 8;
		if (type == DECODE_ETHERTYPE_TEB)
			inner_ethernet(d, f, 0);
		else
			inner_ip(d, f);
	}
	return true;
}

/* 3GPP TS 29.281, 5.1 and 5.2: G-PDU, with its optional fields and extension headers. */
static bool gtp(struct decode *d, struct decode_frame *f)
{
	uint8_t flags = cursor_u8(&f->c), message = cursor_u8(&f->c);
	uint16_t length = cursor_u16be(&f->c);
	cursor_skip(&f->c, 4);                  /* tunnel endpoint: another one in each direction */
	if (!cursor_ok(&f->c) || flags >> 4 != 3 || message != 255)
		return false;
	f->wire -= 8;
	if (length != f->wire)
		return false;
	size_t before = cursor_left(&f->c);
	if (flags & 7) {
		cursor_skip(&f->c, 3);
		uint8_t next = cursor_u8(&f->c);
		for (unsigned i = 0; next && flags & 4; i++) {
			size_t n = (size_t)cursor_u8(&f->c) * 4;
			if (!n || i == 4)
				return false;
			cursor_skip(&f->c, n - 2);
			next = cursor_u8(&f->c);
		}
	}
	struct cursor look = f->c;
	uint8_t first = cursor_u8(&look);
	if (!cursor_ok(&look) || (first >> 4 != 4 && first >> 4 != 6))
		return false;
	f->wire -= before - cursor_left(&f->c);
	if (enter(d, DECODE_GTP))
		inner_ip(d, f);
	return true;
}

/* RFC 5415, 4.3; binding to 802.11: RFC 5416. */
static bool capwap(struct decode *d, struct decode_frame *f)
{
	size_t before = cursor_left(&f->c);
	uint8_t preamble = cursor_u8(&f->c);
	uint16_t lengths = cursor_u16be(&f->c);
	uint8_t flags = cursor_u8(&f->c);
	cursor_skip(&f->c, 2);                  /* of a fragment */
	uint16_t place = cursor_u16be(&f->c);
	size_t header = (size_t)(lengths >> 11) * 4;
	bool native = lengths & 1, fragment = flags & 0x80;
	/* Type 1 is DTLS; 0x08: kept alive by the access point. */
	if (!cursor_ok(&f->c) || preamble || header < 8 || place & 7 || flags & 0x0f || (lengths >> 1 & 0x1f) != 1)
		return false;
	cursor_skip(&f->c, header - 8);
	if (!cursor_ok(&f->c))
		return false;
	f->wire -= before - cursor_left(&f->c);
	if (fragment) {                         /* in pieces of its own, which are not put together */
		if (enter(d, DECODE_CAPWAP))
			decode_fail(d, STATS_tunnels_in_pieces);
		return true;
	}
	if (!native) {
		if (!looks_ethernet(f->c, f->wire))
			return false;
		if (enter(d, DECODE_CAPWAP))
			inner_ethernet(d, f, 0);
		return true;
	}
	struct cursor look = f->c;
	uint8_t a = cursor_u8(&look), b = cursor_u8(&look);
	/* Version 0 and a type that exists; else the two bytes the other way round. */
	bool swapped = (a & 3) || (a >> 2 & 3) == 3 || ((a >> 2 & 3) != 2 && (b & 3) == 0 && (b >> 2 & 3) == 2);
	if (!cursor_ok(&look) || (swapped && ((b & 3) || (b >> 2 & 3) == 3)))
		return false;
	if (enter(d, DECODE_CAPWAP)) {
		d->vlan = d->inner_vlan = 0;
		decode_wlan_frame(d, f, false, swapped);
	}
	return true;
}

/* RFC 2661, 3.1; version 3 over UDP: RFC 3931, 4.1.2.2. */
static bool l2tp(struct decode *d, struct decode_frame *f)
{
	size_t before = cursor_left(&f->c);
	uint16_t flags = cursor_u16be(&f->c);
	if (!cursor_ok(&f->c) || flags & 0x8000)        /* control */
		return false;
	if ((flags & 0x000f) == 3) {
		uint16_t zero = cursor_u16be(&f->c);
		uint32_t number = cursor_u32be(&f->c);
		if (!cursor_ok(&f->c) || flags != 3 || zero || !number)
			return false;
		f->wire -= 8;
		return l2tp3(d, f);
	}
	if ((flags & 0x000f) != 2 || flags & 0x34f0)
		return false;
	uint64_t length = flags & 0x4000 ? cursor_u16be(&f->c) : f->wire;
	cursor_skip(&f->c, 4 + (flags & 0x0800 ? 4u : 0));
	if (flags & 0x0200)
		cursor_skip(&f->c, cursor_u16be(&f->c));
	struct cursor look = f->c;
	uint16_t protocol = cursor_u16be(&look);
	if (protocol == 0xff03)
		protocol = cursor_u16be(&look);
	else if (protocol >> 8 & 1)
		protocol >>= 8;
	if (!cursor_ok(&look) || length != f->wire)
		return false;
	f->wire -= before - cursor_left(&f->c);
	/* IP, and what PPP says to its own end: link, authentication and address control. */
	if (protocol != 0x0021 && protocol != 0x0057 && protocol != 0xc021 && protocol != 0xc023 && protocol != 0xc223 &&
	    protocol != 0x8021 && protocol != 0x8057 && protocol != 0x80fd)
		return false;
	if (enter(d, DECODE_L2TP)) {
		d->has_mac = false;
		decode_link_ppp(d, f);
	}
	return true;
}

bool decode_tunnel_over_udp(struct decode *d, struct cursor c, uint64_t wire)
{
	bool (*read)(struct decode *d, struct decode_frame *f) = NULL;
	/* The port of who receives; CAPWAP and L2TP answer from theirs. */
	switch (d->dst_port) {
	case 4789: case 8472:
		read = vxlan;
		break;
	case 6081:
		read = geneve;
		break;
	case 2152:
		read = gtp;
		break;
	case 5247:
		read = capwap;
		break;
	case 1701:
		read = l2tp;
		break;
	default:
		if (d->src_port == 5247)
			read = capwap;
		else if (d->src_port == 1701)
			read = l2tp;
		else
			return false;
	}
	struct decode inside = *d;
	struct decode_frame f = { .c = c, .wire = wire };
	if (!read(&inside, &f) || faulty(&inside))
		return false;
	*d = inside;
	return true;
}
