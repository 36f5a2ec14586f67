#include "sensor/decode_layers.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PROTO_SCTP = 132 };

/* RFC 9293, 3.1. */
static void tcp(struct decode *d, struct cursor c, uint64_t wire)
{
	bool cut = cursor_left(&c) < wire && wire >= 20;
	struct cursor all = c;
	d->src_port = cursor_u16be(&c);
	d->dst_port = cursor_u16be(&c);
	d->seq = cursor_u32be(&c);
	d->ack = cursor_u32be(&c);
	uint8_t offset = cursor_u8(&c);
	uint8_t flags = cursor_u8(&c);
	d->window = cursor_u16be(&c);
	d->checksum = cursor_u16be(&c);
	cursor_skip(&c, 2);                     /* urgent pointer */
	if (!cursor_ok(&c)) {
		decode_fail_short(d, cut, STATS_transport_malformed);
		return;
	}
	d->flags = flags & 0x3f;
	uint64_t header = (uint64_t)(offset >> 4) * 4;
	if (header < 20 || header > wire) {
		decode_fail(d, STATS_transport_malformed);
		return;
	}
	d->kind = DECODE_TCP;
	d->counter = STATS_tcp;
	d->segment = cursor_rest(&all);
	/* Options cut by the capture cost us the payload, not the packet: its numbers were read. */
	if (header - 20 > cursor_left(&c)) {
		d->payload_wire = (uint32_t)(wire - header);
		d->truncated = d->payload_wire > 0;
		return;
	}
	cursor_skip(&c, (size_t)header - 20);
	decode_set_payload(d, &c, wire - header);
}

/* RFC 768. */
static void udp(struct decode *d, struct cursor c, uint64_t wire)
{
	bool cut = cursor_left(&c) < wire && wire >= 8;
	struct cursor all = c;
	d->src_port = cursor_u16be(&c);
	d->dst_port = cursor_u16be(&c);
	uint64_t length = cursor_u16be(&c);
	d->checksum = cursor_u16be(&c);
	if (!cursor_ok(&c)) {
		decode_fail_short(d, cut, STATS_transport_malformed);
		return;
	}
	if (length == 0 && wire > UINT16_MAX)
		length = wire;                  /* RFC 2675, 4: a jumbogram's length is the IP layer's */
	if (length < 8 || length > wire) {
		decode_fail(d, STATS_transport_malformed);
		return;
	}
	/* Bytes between the end of the datagram and that of the packet are neither payload nor part of a tunnel. */
	if (cursor_left(&c) > length - 8)
		c = cursor_sub(&c, (size_t)length - 8);
	if (decode_tunnel_over_udp(d, c, length - 8))
		return;
	d->kind = DECODE_UDP;
	d->counter = STATS_udp;
	d->segment = cursor_rest(&all);
	if (d->segment.n > length)
		d->segment.n = (size_t)length;
	decode_set_payload(d, &c, length - 8);
}

/* RFC 9260, 3.1: the common header. The chunks are not read: a flow is its ports. */
static void sctp(struct decode *d, struct cursor c, uint64_t wire)
{
	bool cut = cursor_left(&c) < wire && wire >= 12;
	d->src_port = cursor_u16be(&c);
	d->dst_port = cursor_u16be(&c);
	cursor_skip(&c, 8);                     /* verification tag, CRC32c */
	if (!cursor_ok(&c)) {
		decode_fail_short(d, cut, STATS_transport_malformed);
		return;
	}
	d->kind = DECODE_SCTP;
	d->counter = STATS_sctp;
	decode_set_payload(d, &c, wire - 12);
}

/* RFC 792; RFC 4443, 2.1: an error quotes as much as fits of the packet that it is about, after eight bytes. */
static void icmp(struct decode *d, struct cursor c, uint64_t wire, bool v6)
{
	bool cut = cursor_left(&c) < wire && wire >= 8;
	d->icmp_type = cursor_u8(&c);
	d->icmp_code = cursor_u8(&c);
	cursor_skip(&c, 6);
	if (!cursor_ok(&c)) {
		decode_fail_short(d, cut, STATS_transport_malformed);
		return;
	}
	d->kind = DECODE_IP_OTHER;
	d->counter = STATS_icmp;
	struct cursor quote = c;
	decode_set_payload(d, &c, wire - 8);
	/* Unreachable, source quench, redirect, time exceeded, parameter problem; version 6: 1 to 4. */
	uint8_t t = d->icmp_type;
	if (v6 ? t >= 1 && t <= 4 : t == 3 || t == 4 || t == 5 || t == 11 || t == 12) {
		d->counter = STATS_icmp_errors;
		decode_ip_quoted(d, quote, v6);
	}
}

void decode_transport_any(struct decode *d, struct cursor c, uint64_t wire, uint8_t proto)
{
	d->ip_proto = proto;
	if (proto == PROTO_TCP) {
		tcp(d, c, wire);
	} else if (proto == PROTO_UDP) {
		udp(d, c, wire);
	} else if (proto == PROTO_SCTP) {
		sctp(d, c, wire);
	} else if ((proto == PROTO_ICMP && addr_is_v4(&d->src)) || (proto == PROTO_ICMP6 && !addr_is_v4(&d->src))) {
		icmp(d, c, wire, proto == PROTO_ICMP6);
	} else if (!decode_tunnel_over_ip(d, c, wire, proto)) {
		d->kind = DECODE_IP_OTHER;
		d->counter = STATS_transport_other;
		decode_set_payload(d, &c, wire);
	}
}
