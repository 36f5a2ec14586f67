#include "sensor/decode.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

/* A packet under construction. */
struct packet { uint8_t b[4096]; size_t n; };

static void put(struct packet *p, const void *bytes, size_t n)
{
	memcpy(p->b + p->n, bytes, n);
	p->n += n;
}

static void put8(struct packet *p, unsigned v) { p->b[p->n++] = (uint8_t)v; }
static void put16(struct packet *p, unsigned v) { put8(p, v >> 8); put8(p, v & 0xff); }
static void put32(struct packet *p, uint32_t v) { put16(p, v >> 16); put16(p, v & 0xffff); }

static void put_fill(struct packet *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put8(p, 'a' + (unsigned)(i % 26));
}

static void set16(struct packet *p, size_t at, unsigned v)
{
	p->b[at] = (uint8_t)(v >> 8);
	p->b[at + 1] = (uint8_t)v;
}

static void put_ethernet(struct packet *p, unsigned type)
{
	put(p, "\x02\x00\x00\x00\x00\x0b", 6);
	put(p, "\x02\x00\x00\x00\x00\x0a", 6);
	put16(p, type);
}

/* `rest` bytes follow the header. */
static void put_ipv4(struct packet *p, unsigned proto, unsigned options, unsigned rest)
{
	put8(p, 0x40 | (5 + options / 4));
	put8(p, 0);
	put16(p, 20 + options + rest);
	put32(p, 0x12340000);
	put8(p, 64);
	put8(p, proto);
	put16(p, 0);
	put(p, "\xc0\x00\x02\x01\xc6\x33\x64\x02", 8);
	for (unsigned i = 0; i < options; i++)
		put8(p, 1);
}

static void put_ipv6(struct packet *p, unsigned next, unsigned rest)
{
	put32(p, 0x60000000);
	put16(p, rest);
	put8(p, next);
	put8(p, 61);
	put(p, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	put(p, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
}

static void put_tcp(struct packet *p, unsigned options, unsigned flags)
{
	put16(p, 49152);
	put16(p, 104);
	put32(p, 0x01020304);
	put32(p, 0x05060708);
	put8(p, (5 + options / 4) << 4);
	put8(p, flags);
	put16(p, 0x7210);
	put32(p, 0);
	for (unsigned i = 0; i < options; i++)
		put8(p, 1);
}

static void put_udp(struct packet *p, unsigned payload)
{
	put16(p, 5353);
	put16(p, 53);
	put16(p, 8 + payload);
	put16(p, 0);
}

/* Decodes from a heap block of exactly that size. The span in the result is only good for its length. */
static struct decode run_cut(uint32_t linktype, const struct packet *p, size_t n, uint32_t wire)
{
	uint8_t *exact = malloc(n ? n : 1);
	struct decode d;
	memset(&d, 0xa5, sizeof(d));
	if (!exact)
		abort();
	memcpy(exact, p->b, n);
	decode_packet(linktype, (struct span){ n ? exact : NULL, n }, wire, &d);
	if (d.payload.n) {
		CU_ASSERT(d.payload.p >= exact && d.payload.p + d.payload.n <= exact + n);
	}
	CU_ASSERT(d.payload.n <= d.payload_wire);
	CU_ASSERT_EQUAL(d.truncated, d.payload.n < d.payload_wire);
	CU_ASSERT(d.counter < STATS_COUNTERS);
	free(exact);
	return d;
}

static struct decode run(uint32_t linktype, const struct packet *p)
{
	return run_cut(linktype, p, p->n, (uint32_t)p->n);
}

static struct packet tcp4(unsigned tcp_options, unsigned payload)
{
	struct packet p = { 0 };
	put_ethernet(&p, 0x0800);
	put_ipv4(&p, 6, 0, 20 + tcp_options + payload);
	put_tcp(&p, tcp_options, DECODE_PSH | DECODE_ACK);
	put_fill(&p, payload);
	return p;
}

static void expect_tcp4(const struct decode *d, uint32_t payload)
{
	CU_ASSERT_EQUAL(d->kind, DECODE_TCP);
	CU_ASSERT_EQUAL(d->counter, STATS_tcp);
	CU_ASSERT(!memcmp(d->src.b, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01", 16));
	CU_ASSERT(!memcmp(d->dst.b, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x02", 16));
	CU_ASSERT_EQUAL(d->ip_proto, 6);
	CU_ASSERT_EQUAL(d->ttl, 64);
	CU_ASSERT_EQUAL(d->src_port, 49152);
	CU_ASSERT_EQUAL(d->dst_port, 104);
	CU_ASSERT_EQUAL(d->seq, 0x01020304);
	CU_ASSERT_EQUAL(d->ack, 0x05060708);
	CU_ASSERT_EQUAL(d->window, 0x7210);
	CU_ASSERT_EQUAL(d->payload_wire, payload);
}

static void reads_tcp_over_ethernet(void)
{
	struct packet p = tcp4(12, 33);
	struct decode d = run(1, &p);
	expect_tcp4(&d, 33);
	CU_ASSERT_EQUAL(d.flags, DECODE_PSH | DECODE_ACK);
	CU_ASSERT_EQUAL(d.payload.n, 33);
	CU_ASSERT(d.has_mac);
	CU_ASSERT_EQUAL(d.src_mac.b[5], 0x0a);
	CU_ASSERT_EQUAL(d.dst_mac.b[5], 0x0b);
	CU_ASSERT_EQUAL(d.vlan, 0);
	CU_ASSERT_EQUAL(d.ip_bytes, 20 + 32 + 33);
	CU_ASSERT(!d.truncated);
}

static void every_capture_cut_is_said(void)
{
	struct packet p = tcp4(12, 33);
	for (size_t n = 0; n < p.n; n++) {
		struct decode d = run_cut(1, &p, n, (uint32_t)p.n);
		if (n < 14 + 20 + 20) {
			CU_ASSERT_EQUAL(d.kind, DECODE_NOTHING);
			CU_ASSERT_EQUAL(d.counter, STATS_packets_truncated);
			CU_ASSERT(!d.truncated);
		} else {        /* the numbers of the segment are there */
			expect_tcp4(&d, 33);
			CU_ASSERT(d.truncated);
			CU_ASSERT_EQUAL(d.payload.n, n < 66 ? 0 : n - 66);
		}
	}
}

static void cut_options_alone_lose_nothing(void)
{
	struct packet p = tcp4(12, 0);
	for (size_t n = 54; n <= p.n; n++) {
		struct decode d = run_cut(1, &p, n, (uint32_t)p.n);
		expect_tcp4(&d, 0);
		CU_ASSERT(!d.truncated);
	}
}

static void every_short_frame_is_malformed(void)
{
	struct packet p = tcp4(0, 5);
	for (size_t n = 0; n < p.n; n++) {
		struct decode d = run_cut(1, &p, n, (uint32_t)n);
		CU_ASSERT_EQUAL(d.kind, DECODE_NOTHING);
		CU_ASSERT_EQUAL(d.counter, n < 14 ? STATS_link_malformed : STATS_ip_malformed);
	}
}

static void trims_ethernet_padding(void)
{
	struct packet p = tcp4(0, 0);
	put_fill(&p, 60 - p.n);
	struct decode d = run(1, &p);
	expect_tcp4(&d, 0);
	CU_ASSERT_EQUAL(d.payload.n, 0);
	p = tcp4(0, 3);
	put_fill(&p, 7);
	d = run(1, &p);
	CU_ASSERT_EQUAL(d.payload.n, 3);
	/* A capture cut inside the padding lost nothing. */
	d = run_cut(1, &p, p.n - 5, (uint32_t)p.n);
	CU_ASSERT_EQUAL(d.payload.n, 3);
	CU_ASSERT(!d.truncated);
}

static void wire_length_below_captured_is_ignored(void)
{
	struct packet p = tcp4(0, 9);
	struct decode d = run_cut(1, &p, p.n, 1);
	expect_tcp4(&d, 9);
}

static void reads_ipv4_options(void)
{
	for (unsigned options = 0; options <= 40; options += 4) {
		struct packet p = { 0 };
		put_ipv4(&p, 6, options, 24);
		put_tcp(&p, 0, DECODE_SYN);
		put_fill(&p, 4);
		struct decode d = run(101, &p);
		expect_tcp4(&d, 4);
		CU_ASSERT_EQUAL(d.flags, DECODE_SYN);
		CU_ASSERT_EQUAL(d.ip_bytes, 44 + options);
		CU_ASSERT(!d.has_mac);
	}
}

static void rejects_ipv4_header_lengths(void)
{
	for (unsigned length = 0; length < 16; length++) {
		struct packet p = tcp4(0, 0);
		p.b[14] = (uint8_t)(0x40 | length);
		struct decode d = run(1, &p);
		if (length < 5 || length > 10)
			CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed);
		if (length > 5 && length <= 10)         /* the rest is too short for TCP */
			CU_ASSERT_EQUAL(d.counter, STATS_transport_malformed);
	}
}

static void rejects_ipv4_total_lengths(void)
{
	struct packet p = tcp4(0, 6);
	for (unsigned total = 1; total < 80; total++) {
		set16(&p, 16, total);
		struct decode d = run(1, &p);
		if (total < 20 || total > 46)
			CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed)
		else if (total < 40)
			CU_ASSERT_EQUAL(d.counter, STATS_transport_malformed)
		else
			CU_ASSERT_EQUAL(d.payload.n, total - 40);
	}
}

static void takes_the_frame_when_ipv4_length_is_zero(void)
{
	struct packet p = tcp4(0, 700);
	set16(&p, 16, 0);
	struct decode d = run(1, &p);
	expect_tcp4(&d, 700);
	CU_ASSERT_EQUAL(d.payload.n, 700);
	d = run_cut(1, &p, 100, 100000);
	expect_tcp4(&d, 100000 - 54);
	CU_ASSERT(d.truncated);
}

static void counts_ipv4_fragments(void)
{
	static const struct { unsigned field; enum stats_counter counter; } cases[] = {
		{ 0x0000, STATS_tcp }, { 0x4000, STATS_tcp }, { 0x8000, STATS_tcp },
		{ 0x2000, STATS_ip_fragments }, { 0x0001, STATS_ip_fragments }, { 0x3fff, STATS_ip_fragments },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct packet p = tcp4(0, 8);
		set16(&p, 20, cases[i].field);
		struct decode d = run(1, &p);
		CU_ASSERT_EQUAL(d.counter, cases[i].counter);
		if (cases[i].counter == STATS_ip_fragments) {
			CU_ASSERT_EQUAL(d.kind, DECODE_FRAGMENT);
			CU_ASSERT_EQUAL(d.fragment.id, 0x1234);
			CU_ASSERT_EQUAL(d.fragment.offset, (cases[i].field & 0x1fff) * 8);
			CU_ASSERT_EQUAL(d.fragment.more, cases[i].field >> 13 & 1);
			CU_ASSERT_EQUAL(d.src_port, 0);
			CU_ASSERT_EQUAL(d.src.b[15], 1);
		}
	}
}

static void rejects_tcp_header_lengths(void)
{
	struct packet p = tcp4(12, 8);
	for (unsigned offset = 0; offset < 16; offset++) {
		p.b[14 + 20 + 12] = (uint8_t)(offset << 4);
		struct decode d = run(1, &p);
		if (offset < 5 || offset > 10) {
			CU_ASSERT_EQUAL(d.kind, DECODE_NOTHING);
			CU_ASSERT_EQUAL(d.counter, STATS_transport_malformed);
		} else {
			CU_ASSERT_EQUAL(d.kind, DECODE_TCP);
			CU_ASSERT_EQUAL(d.payload.n, 40 - 4 * offset);
		}
	}
}

static void reads_udp_and_its_length(void)
{
	for (unsigned length = 0; length < 40; length++) {
		struct packet p = { 0 };
		put_ethernet(&p, 0x0800);
		put_ipv4(&p, 17, 0, 28);
		put_udp(&p, 20);
		put_fill(&p, 20);
		set16(&p, 38, length);
		struct decode d = run(1, &p);
		if (length < 8 || length > 28) {
			CU_ASSERT_EQUAL(d.counter, STATS_transport_malformed);
			continue;
		}
		CU_ASSERT_EQUAL(d.kind, DECODE_UDP);
		CU_ASSERT_EQUAL(d.counter, STATS_udp);
		CU_ASSERT_EQUAL(d.src_port, 5353);
		CU_ASSERT_EQUAL(d.dst_port, 53);
		CU_ASSERT_EQUAL(d.payload.n, length - 8);
	}
}

static void other_protocols_keep_their_addresses(void)
{
	struct packet p = { 0 };
	put_ethernet(&p, 0x0800);
	put_ipv4(&p, 2, 0, 8);
	put_fill(&p, 8);
	struct decode d = run(1, &p);
	CU_ASSERT_EQUAL(d.kind, DECODE_IP_OTHER);
	CU_ASSERT_EQUAL(d.counter, STATS_transport_other);
	CU_ASSERT_EQUAL(d.ip_proto, 2);
	CU_ASSERT_EQUAL(d.payload.n, 8);
	CU_ASSERT_EQUAL(d.dst.b[15], 2);
}

static void reads_ah_in_ipv4(void)
{
	struct packet p = { 0 };
	put_ipv4(&p, 51, 0, 24 + 23);
	put8(&p, 6);
	put8(&p, 4);
	put_fill(&p, 22);
	put_tcp(&p, 0, DECODE_ACK);
	put_fill(&p, 3);
	struct decode d = run(228, &p);
	expect_tcp4(&d, 3);
	p.b[21] = 0;            /* 8 bytes: shorter than AH's fixed part */
	d = run(228, &p);
	CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed);
}

static void reads_vlan_tags(void)
{
	static const unsigned kinds[] = { 0x8100, 0x88a8, 0x9100 };
	for (unsigned tags = 1; tags <= 6; tags++) {
		struct packet p = { 0 };
		put_ethernet(&p, kinds[tags % 3]);
		for (unsigned i = 0; i < tags; i++) {
			put16(&p, 0xe000 | (100 + i));
			put16(&p, i + 1 < tags ? kinds[i % 3] : 0x0800);
		}
		put_ipv4(&p, 6, 0, 21);
		put_tcp(&p, 0, DECODE_ACK);
		put_fill(&p, 1 + 9);
		struct decode d = run(1, &p);
		if (tags <= 4) {
			expect_tcp4(&d, 1);
			CU_ASSERT_EQUAL(d.vlan, 100);
		} else {
			CU_ASSERT_EQUAL(d.counter, STATS_link_malformed);
		}
	}
	struct packet p = { 0 };
	put_ethernet(&p, 0x8100);
	put16(&p, 0x2000);      /* priority only */
	put16(&p, 0x8100);
	put16(&p, 7);
	put16(&p, 0x0800);
	put_ipv4(&p, 17, 0, 8);
	put_udp(&p, 0);
	struct decode d = run(1, &p);
	CU_ASSERT_EQUAL(d.vlan, 7);
	CU_ASSERT_EQUAL(d.kind, DECODE_UDP);
	for (size_t n = 14; n < 22; n++) {
		d = run_cut(1, &p, n, (uint32_t)n);
		CU_ASSERT_EQUAL(d.counter, STATS_link_malformed);
		d = run_cut(1, &p, n, (uint32_t)p.n);
		CU_ASSERT_EQUAL(d.counter, STATS_packets_truncated);
	}
}

static void length_frames_are_not_ip(void)
{
	struct packet p = { 0 };
	put_ethernet(&p, 38);
	put(&p, "\x42\x42\x03", 3);
	put_fill(&p, 43);
	struct decode d = run(1, &p);
	CU_ASSERT_EQUAL(d.kind, DECODE_NOTHING);
	CU_ASSERT_EQUAL(d.counter, STATS_not_ip);
	CU_ASSERT(d.has_mac);
	set16(&p, 12, 0x88cc);
	d = run(1, &p);
	CU_ASSERT_EQUAL(d.counter, STATS_lldp);
	set16(&p, 12, 0x88b5);
	d = run(1, &p);
	CU_ASSERT_EQUAL(d.counter, STATS_not_ip);
}

static void reads_arp(void)
{
	struct packet p = { 0 };
	put_ethernet(&p, 0x0806);
	put(&p, "\x00\x01\x08\x00\x06\x04\x00\x01\x02\x00\x00\x00\x00\x0c\xc0\x00\x02\x07", 18);
	put(&p, "\0\0\0\0\0\0\xc0\x00\x02\x08", 10);
	struct decode d = run(1, &p);
	CU_ASSERT_EQUAL(d.kind, DECODE_ARP);
	CU_ASSERT_EQUAL(d.counter, STATS_arp);
	CU_ASSERT_EQUAL(d.arp_mac.b[5], 0x0c);
	CU_ASSERT_EQUAL(d.src.b[15], 7);
	CU_ASSERT_EQUAL(d.src.b[11], 0xff);
	CU_ASSERT_EQUAL(d.dst.b[15], 8);
	for (size_t n = 14; n < p.n; n++) {
		d = run_cut(1, &p, n, (uint32_t)n);
		CU_ASSERT_EQUAL(d.counter, STATS_link_malformed);
		d = run_cut(1, &p, n, 60);
		CU_ASSERT_EQUAL(d.counter, STATS_packets_truncated);
	}
	p.b[18] = 8;            /* hardware address length */
	d = run(1, &p);
	CU_ASSERT_EQUAL(d.kind, DECODE_NOTHING);
	CU_ASSERT_EQUAL(d.counter, STATS_link_malformed);
	p.b[18] = 6;
	p.b[15] = 32;           /* InfiniBand */
	d = run(1, &p);
	CU_ASSERT_EQUAL(d.kind, DECODE_NOTHING);
	CU_ASSERT_EQUAL(d.counter, STATS_arp);
}

static void expect_tcp6(const struct decode *d, uint32_t payload)
{
	CU_ASSERT_EQUAL(d->kind, DECODE_TCP);
	CU_ASSERT_EQUAL(d->counter, STATS_tcp);
	CU_ASSERT_EQUAL(d->src.b[0], 0x20);
	CU_ASSERT_EQUAL(d->src.b[15], 1);
	CU_ASSERT_EQUAL(d->dst.b[15], 2);
	CU_ASSERT_EQUAL(d->ttl, 61);
	CU_ASSERT_EQUAL(d->ip_proto, 6);
	CU_ASSERT_EQUAL(d->dst_port, 104);
	CU_ASSERT_EQUAL(d->payload_wire, payload);
}

static void reads_ipv6(void)
{
	struct packet p = { 0 };
	put_ethernet(&p, 0x86dd);
	put_ipv6(&p, 6, 25);
	put_tcp(&p, 0, DECODE_ACK);
	put_fill(&p, 5 + 11);   /* padding */
	struct decode d = run(1, &p);
	expect_tcp6(&d, 5);
	CU_ASSERT_EQUAL(d.ip_bytes, 65);
	for (size_t n = 14; n < 14 + 65; n++) {
		d = run_cut(1, &p, n, (uint32_t)n);
		CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed);
		d = run_cut(1, &p, n, (uint32_t)p.n);
		CU_ASSERT_EQUAL(d.counter, n < 74 ? STATS_packets_truncated : STATS_tcp);
	}
}

static void put_extension(struct packet *p, unsigned next, unsigned units)
{
	put8(p, next);
	put8(p, units);
	put8(p, 1);             /* PadN over the rest */
	put8(p, units * 8 + 4);
	for (unsigned i = 0; i < units * 8 + 4; i++)
		put8(p, 0);
}

static void walks_ipv6_extensions(void)
{
	struct packet p = { 0 };
	put_ipv6(&p, 0, 8 + 24 + 8 + 24 + 16 + 22);
	put_extension(&p, 60, 0);
	put_extension(&p, 43, 2);
	put_extension(&p, 44, 0);
	put(&p, "\x33\0\0\0\0\0\0\x09", 8);     /* a fragment that is whole, then AH */
	put(&p, "\x3c\x04", 2);
	put_fill(&p, 22);
	put_extension(&p, 6, 0);
	put_tcp(&p, 0, DECODE_ACK);
	put_fill(&p, 2);
	set16(&p, 4, (unsigned)p.n - 40);
	struct decode d = run(101, &p);
	expect_tcp6(&d, 2);
	CU_ASSERT_EQUAL(d.payload.n, 2);
	for (size_t n = 1; n < p.n; n++) {
		d = run_cut(101, &p, n, (uint32_t)p.n);
		CU_ASSERT_EQUAL(d.counter, n < p.n - 2 ? STATS_packets_truncated : STATS_tcp);
		d = run_cut(101, &p, n, (uint32_t)n);
		CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed);
	}
	/* Every IPv6 length that ends inside the chain. */
	for (unsigned length = 1; length < p.n - 40; length++) {
		set16(&p, 4, length);
		d = run(101, &p);
		if (length < p.n - 62)
			CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed)
		else if (length < p.n - 42)
			CU_ASSERT_EQUAL(d.counter, STATS_transport_malformed)
		else
			CU_ASSERT_EQUAL(d.counter, STATS_tcp);
	}
}

static void limits_ipv6_extensions(void)
{
	for (unsigned count = 1; count <= 20; count++) {
		struct packet p = { 0 };
		put_ipv6(&p, 60, count * 8 + 8);
		for (unsigned i = 0; i < count; i++)
			put_extension(&p, i + 1 < count ? 60 : 17, 0);
		put_udp(&p, 0);
		struct decode d = run(229, &p);
		CU_ASSERT_EQUAL(d.counter, count <= 16 ? STATS_udp : STATS_ip_malformed);
	}
}

static void hop_by_hop_only_first(void)
{
	struct packet p = { 0 };
	put_ipv6(&p, 60, 24);
	put_extension(&p, 0, 0);
	put_extension(&p, 17, 0);
	put_udp(&p, 0);
	struct decode d = run(229, &p);
	CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed);
}

static void counts_ipv6_fragments(void)
{
	static const struct { unsigned field; enum stats_counter counter; } cases[] = {
		{ 0x0000, STATS_udp }, { 0x0006, STATS_udp /* reserved bits */ },
		{ 0x0001, STATS_ip_fragments }, { 0x0008, STATS_ip_fragments },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct packet p = { 0 };
		put_ipv6(&p, 44, 16);
		put16(&p, 17 << 8);
		put16(&p, cases[i].field);
		put32(&p, 77);
		put_udp(&p, 0);
		struct decode d = run(229, &p);
		CU_ASSERT_EQUAL(d.counter, cases[i].counter);
		CU_ASSERT_EQUAL(d.ip_proto, 17);
	}
}

static void esp_and_no_next_are_other(void)
{
	static const unsigned protos[] = { 50, 59, 2, 135, 255 };
	for (size_t i = 0; i < sizeof(protos) / sizeof(*protos); i++) {
		struct packet p = { 0 };
		put_ipv6(&p, protos[i], 9);
		put_fill(&p, 9);
		struct decode d = run(229, &p);
		CU_ASSERT_EQUAL(d.kind, DECODE_IP_OTHER);
		CU_ASSERT_EQUAL(d.counter, STATS_transport_other);
		CU_ASSERT_EQUAL(d.ip_proto, protos[i]);
	}
}

static void reads_ipv6_jumbograms(void)
{
	struct packet p = { 0 };
	put_ipv6(&p, 0, 0);
	put(&p, "\x06\x00\xc2\x04", 4);
	put32(&p, 8 + 20 + 100000);
	put_tcp(&p, 0, DECODE_ACK);
	put_fill(&p, 50);
	struct decode d = run_cut(229, &p, p.n, 40 + 8 + 20 + 100000);
	expect_tcp6(&d, 100000);
	CU_ASSERT_EQUAL(d.payload.n, 50);
	d = run_cut(229, &p, p.n, 40 + 8 + 20 + 99999);         /* longer than its frame */
	CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed);
	p.n = 0;
	put_ipv6(&p, 6, 0);
	put_tcp(&p, 0, DECODE_ACK);
	put_fill(&p, 50);
	d = run_cut(229, &p, p.n, 40 + 20 + 70000);
	expect_tcp6(&d, 70000);
	d = run(229, &p);       /* short enough to have said its length: it has none */
	CU_ASSERT_EQUAL(d.counter, STATS_transport_malformed);
	p.n = 0;
	put_ipv6(&p, 17, 0);
	put_udp(&p, 0);
	set16(&p, 44, 0);
	d = run_cut(229, &p, p.n, 40 + 8 + 70000);
	CU_ASSERT_EQUAL(d.kind, DECODE_UDP);
	CU_ASSERT_EQUAL(d.payload_wire, 70000);
}

static void rejects_mapped_addresses_on_the_wire(void)
{
	for (unsigned at = 8; at <= 24; at += 16) {
		struct packet p = { 0 };
		put_ipv6(&p, 17, 8);
		put_udp(&p, 0);
		memcpy(p.b + at, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x01", 16);
		struct decode d = run(229, &p);
		CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed);
	}
}

static void rejects_other_versions(void)
{
	for (unsigned version = 0; version < 16; version++) {
		struct packet p = tcp4(0, 40), raw = { 0 };
		p.b[14] = (uint8_t)(version << 4 | 5);
		put(&raw, p.b + 14, p.n - 14);
		struct decode d = run(1, &p);
		CU_ASSERT_EQUAL(d.counter, version == 4 ? STATS_tcp : STATS_ip_malformed);
		set16(&p, 12, 0x86dd);
		d = run(1, &p);
		if (version != 6)
			CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed);
		d = run(12, &raw);
		if (version != 4 && version != 6)
			CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed);
		d = run(228, &raw);
		CU_ASSERT_EQUAL(d.counter, version == 4 ? STATS_tcp : STATS_ip_malformed);
	}
	struct packet none = { 0 };
	CU_ASSERT_EQUAL(run(101, &none).counter, STATS_ip_malformed);
	CU_ASSERT_EQUAL(run_cut(101, &none, 0, 40).counter, STATS_packets_truncated);
}

static void reads_null_in_both_byte_orders(void)
{
	static const struct { uint32_t family; bool six; } families[] = {
		{ 2, false }, { 10, true }, { 24, true }, { 28, true }, { 30, true },
	};
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		for (int little = 0; little < 2; little++) {
			struct packet p = { 0 };
			uint32_t v = families[i].family;
			put32(&p, little ? v << 24 : v);
			if (families[i].six)
				put_ipv6(&p, 6, 22);
			else
				put_ipv4(&p, 6, 0, 22);
			put_tcp(&p, 0, DECODE_ACK);
			put_fill(&p, 2);
			struct decode d = run(little ? 0 : 108, &p), e = run(little ? 108 : 0, &p);
			CU_ASSERT_EQUAL(d.kind, DECODE_TCP);
			CU_ASSERT_EQUAL(d.payload.n, 2);
			CU_ASSERT_EQUAL(e.kind, DECODE_TCP);
		}
	}
	struct packet p = { 0 };
	for (size_t n = 0; n < 4; n++)
		CU_ASSERT_EQUAL(run_cut(0, &p, n, (uint32_t)n).counter, STATS_link_malformed);
	put32(&p, 7);
	CU_ASSERT_EQUAL(run(0, &p).counter, STATS_not_ip);
}

static void reads_cooked_captures(void)
{
	for (int second = 0; second < 2; second++) {
		struct packet p = { 0 };
		if (second) {
			put16(&p, 0x0800);
			put16(&p, 0);
			put32(&p, 3);
			put16(&p, 1);
			put8(&p, 0);
			put8(&p, 6);
			put(&p, "\x02\0\0\0\0\x0d\0\0", 8);
		} else {
			put16(&p, 0);
			put16(&p, 1);
			put16(&p, 6);
			put(&p, "\x02\0\0\0\0\x0d\0\0", 8);
			put16(&p, 0x0800);
		}
		size_t header = p.n;
		put_ipv4(&p, 6, 0, 22);
		put_tcp(&p, 0, DECODE_ACK);
		put_fill(&p, 2);
		uint32_t link = second ? 276 : 113;
		struct decode d = run(link, &p);
		expect_tcp4(&d, 2);
		CU_ASSERT(d.has_mac);
		CU_ASSERT_EQUAL(d.src_mac.b[5], 0x0d);
		for (size_t n = 0; n < header; n++) {
			CU_ASSERT_EQUAL(run_cut(link, &p, n, (uint32_t)n).counter, STATS_link_malformed);
			CU_ASSERT_EQUAL(run_cut(link, &p, n, (uint32_t)p.n).counter, STATS_packets_truncated);
		}
		p.b[second ? 11 : 5] = 0;       /* a device without addresses: tun, ppp */
		d = run(link, &p);
		expect_tcp4(&d, 2);
		CU_ASSERT(!d.has_mac);
		set16(&p, second ? 8 : 2, 824); /* netlink */
		CU_ASSERT_EQUAL(run(link, &p).counter, STATS_not_ip);
	}
}

static void other_link_types_are_unknown(void)
{
	struct packet p = tcp4(0, 4);
	static const uint32_t links[] = { 2, 106, 119, 195, 272, 277, 0x10001, UINT32_MAX };
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		struct decode d = run(links[i], &p);
		CU_ASSERT_EQUAL(d.kind, DECODE_NOTHING);
		CU_ASSERT_EQUAL(d.counter, STATS_link_unknown);
	}
}

int main(void)
{
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	CU_pSuite s = CU_add_suite("sensor/decode", NULL, NULL);
#define CASE(f) CU_add_test(s, #f, f)
	CASE(reads_tcp_over_ethernet);
	CASE(every_capture_cut_is_said);
	CASE(cut_options_alone_lose_nothing);
	CASE(every_short_frame_is_malformed);
	CASE(trims_ethernet_padding);
	CASE(wire_length_below_captured_is_ignored);
	CASE(reads_ipv4_options);
	CASE(rejects_ipv4_header_lengths);
	CASE(rejects_ipv4_total_lengths);
	CASE(takes_the_frame_when_ipv4_length_is_zero);
	CASE(counts_ipv4_fragments);
	CASE(rejects_tcp_header_lengths);
	CASE(reads_udp_and_its_length);
	CASE(other_protocols_keep_their_addresses);
	CASE(reads_ah_in_ipv4);
	CASE(reads_vlan_tags);
	CASE(length_frames_are_not_ip);
	CASE(reads_arp);
	CASE(reads_ipv6);
	CASE(walks_ipv6_extensions);
	CASE(limits_ipv6_extensions);
	CASE(hop_by_hop_only_first);
	CASE(counts_ipv6_fragments);
	CASE(esp_and_no_next_are_other);
	CASE(reads_ipv6_jumbograms);
	CASE(rejects_mapped_addresses_on_the_wire);
	CASE(rejects_other_versions);
	CASE(reads_null_in_both_byte_orders);
	CASE(reads_cooked_captures);
	CASE(other_link_types_are_unknown);
#undef CASE
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
