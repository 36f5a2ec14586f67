/* What is inside of tunnels and of link types that carry frames in their own way: found, at every length, and not found
 * where there is none. Each case is an envelope in hexadecimal with names for what stands in it. */
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "sensor/decode.h"

struct packet { uint8_t b[1024]; size_t n; };

static void put(struct packet *p, const void *bytes, size_t n)
{
	CU_ASSERT_FATAL(p->n + n <= sizeof(p->b));
	memcpy(p->b + p->n, bytes, n);
	p->n += n;
}

static void put_hex(struct packet *p, const char *s)
{
	for (; *s; s++) {
		if (*s == ' ')
			continue;
		char two[3] = { s[0], s[1], 0 };
		uint8_t v = (uint8_t)strtoul(two, NULL, 16);
		put(p, &v, 1);
		s++;
	}
}

static void put16(struct packet *p, size_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };
	put(p, b, 2);
}

static void put_ipv4(struct packet *p, const struct packet *in, uint8_t proto, const char *addresses)
{
	put_hex(p, "45 00");
	put16(p, 20 + in->n);
	put_hex(p, "0102 0000 40");
	put(p, &proto, 1);
	put_hex(p, "0000");
	put_hex(p, addresses);
	put(p, in->b, in->n);
}

/* 10.1.1.1:4000 -> 10.1.1.2:104 with 24 bytes of data, as IPv4. */
static struct packet inner_ip(void)
{
	struct packet t = { 0 }, p = { 0 };
	put_hex(&t, "0fa0 0068 00000001 00000002 5018 1000 0000 0000");
	put(&t, "abcdefghijklmnopqrstuvwx", 24);
	put_ipv4(&p, &t, 6, "0a010101 0a010102");
	return p;
}

static struct packet inner_ip6(void)
{
	struct packet p = { 0 };
	put_hex(&p, "60000000 002c 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002");
	put_hex(&p, "0fa0 0068 00000001 00000002 5018 1000 0000 0000");
	put(&p, "abcdefghijklmnopqrstuvwx", 24);
	return p;
}

static struct packet inner_ethernet(const char *tags, bool v6)
{
	struct packet p = { 0 }, ip = v6 ? inner_ip6() : inner_ip();
	put_hex(&p, "02aa00000002 02aa00000001");
	put_hex(&p, tags);
	put_hex(&p, v6 ? "86dd" : "0800");
	put(&p, ip.b, ip.n);
	return p;
}

enum inside { IP, IP6, ETHERNET, ETHERNET6, TAGGED };
/* ETH: Ethernet header before it, IPV4: that and IPv4 with this protocol, UDP: that and UDP to this port. */
enum outside { BARE, ETH, IPV4, UDP };

struct envelope {
	const char *name;
	enum outside outside;
	unsigned number;                /* type, protocol or port */
	const char *header;             /* in hexadecimal; LL: bytes that follow it */
	enum inside inside;
	uint32_t link;
	uint16_t tunnels;
	uint16_t vlan;
	uint32_t overlay;
	const char *mac;                /* of the sender, NULL: none to be known */
};

#define BIT(t) (1u << DECODE_##t)
#define INNER_MAC "02aa00000001"

static const struct envelope envelopes[] = {
	{ "mpls", ETH, 0x8847, "00010040 00020140", IP, 1, BIT(MPLS), 0, 0, NULL },
	{ "mpls 6", ETH, 0x8848, "00010140", IP6, 1, BIT(MPLS), 0, 0, NULL },
	{ "pseudowire", ETH, 0x8847, "00010140", ETHERNET, 1, BIT(MPLS), 0, 0, INNER_MAC },
	{ "pseudowire with control word", ETH, 0x8847, "00010140 00000007", TAGGED, 1, BIT(MPLS), 5, 0, INNER_MAC },
	{ "pppoe", ETH, 0x8864, "1100 0001 LL+2 0021", IP, 1, BIT(PPPOE), 0, 0, "020000000001" },
	{ "pppoe 6", ETH, 0x8864, "1100 0001 LL+2 0057", IP6, 1, BIT(PPPOE), 0, 0, "020000000001" },
	{ "gre", IPV4, 47, "0000 0800", IP, 1, BIT(GRE), 0, 0, NULL },
	{ "gre with all fields", IPV4, 47, "b000 86dd 0000 0000 00000009 00000001", IP6, 1, BIT(GRE), 0, 0, NULL },
	{ "gre, mpls", IPV4, 47, "0000 8847 00010140", IP, 1, BIT(GRE) | BIT(MPLS), 0, 0, NULL },
	{ "pptp", IPV4, 47, "3081 880b LL+4 0001 00000001 00000001 ff03 0021", IP, 1, BIT(GRE), 0, 0, NULL },
	{ "gre bridging", IPV4, 47, "0000 6558", ETHERNET, 1, BIT(GRE), 0, 0, INNER_MAC },
	{ "nvgre", IPV4, 47, "2000 6558 00007b01", ETHERNET6, 1, BIT(GRE), 0, 123, INNER_MAC },
	{ "erspan 1", IPV4, 47, "0000 88be", ETHERNET, 1, BIT(ERSPAN), 0, 0, INNER_MAC },
	{ "erspan 2", IPV4, 47, "1000 88be 00000007 1017 0001 00000003", ETHERNET, 1, BIT(ERSPAN), 23, 0, INNER_MAC },
	{ "erspan 3", IPV4, 47, "1000 22eb 00000007 2017 0001 00000003 0000 0000", TAGGED, 1, BIT(ERSPAN), 23, 0, INNER_MAC },
	{ "erspan 3 with platform", IPV4, 47, "1000 22eb 00000007 2000 0001 00000003 0000 0001 0000000000000000", TAGGED, 1,
	  BIT(ERSPAN), 5, 0, INNER_MAC },
	{ "vxlan", UDP, 4789, "08000000 00007b00", ETHERNET, 1, BIT(VXLAN), 0, 123, INNER_MAC },
	{ "vxlan of old", UDP, 8472, "08000000 00007b00", TAGGED, 1, BIT(VXLAN), 5, 123, INNER_MAC },
	{ "vxlan with group", UDP, 4789, "88000009 00007b00", ETHERNET6, 1, BIT(VXLAN), 0, 123, INNER_MAC },
	{ "geneve", UDP, 6081, "0000 6558 00007b00", ETHERNET, 1, BIT(GENEVE), 0, 123, INNER_MAC },
	{ "geneve with option", UDP, 6081, "0200 0800 00007b00 0102 80 01 00000000", IP, 1, BIT(GENEVE), 0, 123, NULL },
	{ "ip in ip", IPV4, 4, "", IP, 1, BIT(IP_IN_IP), 0, 0, NULL },
	{ "6in4", IPV4, 41, "", IP6, 1, BIT(IP_IN_IP), 0, 0, NULL },
	{ "etherip", IPV4, 97, "3000", ETHERNET, 1, BIT(IP_IN_IP), 0, 0, INNER_MAC },
	{ "gtp", UDP, 2152, "30ff LL 00000001", IP, 1, BIT(GTP), 0, 0, NULL },
	{ "gtp with extension", UDP, 2152, "34ff LL+8 00000001 0000 00 85 01 100900", IP6, 1, BIT(GTP), 0, 0, NULL },
	{ "capwap, 802.11", UDP, 5247, "00 1043 00 0000 0000 0801 0000 020000000099 02aa00000001 02aa00000002 0000 "
	  "aaaa03 000000 0800", IP, 1, BIT(CAPWAP), 0, 0, INNER_MAC },
	{ "capwap, swapped", UDP, 5247, "00 1043 00 0000 0000 0188 0000 020000000099 02aa00000001 02aa00000002 0000 0000 "
	  "aaaa03 000000 0800", IP, 1, BIT(CAPWAP), 0, 0, INNER_MAC },
	{ "capwap, ethernet", UDP, 5247, "00 1002 00 0000 0000", ETHERNET, 1, BIT(CAPWAP), 0, 0, INNER_MAC },
	{ "l2tp 2", UDP, 1701, "0002 0001 0002 ff03 0021", IP, 1, BIT(L2TP), 0, 0, NULL },
	{ "l2tp 2 with all fields", UDP, 1701, "4a02 LL+20 0001 0002 0003 0004 0004 00000000 0057", IP6, 1, BIT(L2TP), 0, 0, NULL },
	{ "l2tp 3 over udp", UDP, 1701, "0003 0000 00000005", ETHERNET, 1, BIT(L2TP), 0, 0, INNER_MAC },
	{ "l2tp 3 with cookie and sublayer", UDP, 1701, "0003 0000 00000005 1122334455667788 40000001", ETHERNET, 1, BIT(L2TP), 0, 0,
	  INNER_MAC },
	{ "l2tp 3 over ip", IPV4, 115, "00000005 11223344", ETHERNET6, 1, BIT(L2TP), 0, 0, INNER_MAC },
	{ "802.1ad", ETH, 0x88a8, "0064 8100 0005 0800", IP, 1, 0, 100, 0, "020000000001" },
	{ "priority tag", ETH, 0x8100, "e000 8100 0005 0800", IP, 1, 0, 5, 0, "020000000001" },
	{ "snap", ETH, 0x0048, "aaaa03 000000 0800", IP, 1, 0, 0, 0, "020000000001" },
	{ "ppp", BARE, 0, "ff03 0021", IP, 9, 0, 0, 0, NULL },
	{ "ppp, compressed", BARE, 0, "57", IP6, 9, 0, 0, 0, NULL },
	{ "ppp in hdlc", BARE, 0, "ff03 0021", IP, 50, 0, 0, 0, NULL },
	{ "ppp, mpls", BARE, 0, "0281 00010140", IP, 9, BIT(MPLS), 0, 0, NULL },
	{ "pppoe link", BARE, 0, "1100 0001 LL+2 0021", IP, 51, BIT(PPPOE), 0, 0, NULL },
	{ "cisco hdlc", BARE, 0, "0f00 0800", IP, 104, 0, 0, 0, NULL },
	{ "802.11 from the station", BARE, 0, "0801 0000 020000000099 02aa00000001 02aa00000002 0000 aaaa03 000000 0800", IP, 105, 0, 0, 0,
	  INNER_MAC },
	{ "802.11 to the station", BARE, 0, "8802 0000 02aa00000002 020000000099 02aa00000001 0000 0000 aaaa03 000000 86dd", IP6, 105, 0, 0,
	  0, INNER_MAC },
	{ "802.11 between stations", BARE, 0, "0800 0000 02aa00000002 02aa00000001 020000000099 0000 aaaa03 000000 0800", IP, 105, 0, 0, 0,
	  INNER_MAC },
	{ "802.11 between bridges", BARE, 0, "0803 0000 020000000098 020000000099 02aa00000002 0000 02aa00000001 aaaa03 000000 0800", IP,
	  105, 0, 0, 0, INNER_MAC },
	{ "radiotap", BARE, 0, "0000 0900 02000000 00 0801 0000 020000000099 02aa00000001 02aa00000002 0000 aaaa03 000000 0800", IP, 127, 0,
	  0, 0, INNER_MAC },
	{ "radiotap with time, padded", BARE, 0, "0000 1900 03000080 00000000 00000000 0000000000000000 20 8801 0000 020000000099 "
	  "02aa00000001 02aa00000002 0000 0000 0000 aaaa03 000000 0800", IP, 127, 0, 0, 0, INNER_MAC },
};
enum { ENVELOPES = sizeof(envelopes) / sizeof(envelopes[0]) };

/* "LL", "LL+N": the length of what is inside, plus N, in two bytes. */
static void put_header(struct packet *p, const char *header, size_t inside)
{
	const char *at = strstr(header, "LL");
	if (!at) {
		put_hex(p, header);
		return;
	}
	char before[256] = "";
	memcpy(before, header, (size_t)(at - header));
	put_hex(p, before);
	char *rest = (char *)(uintptr_t)at + 2;
	put16(p, inside + (*rest == '+' ? strtoul(rest + 1, &rest, 10) : 0));
	put_hex(p, rest);
}

static struct packet wrap(const struct envelope *v)
{
	struct packet in = v->inside == IP         ? inner_ip()
			   : v->inside == IP6      ? inner_ip6()
			   : v->inside == TAGGED   ? inner_ethernet("8100 0005", false)
						   : inner_ethernet("", v->inside == ETHERNET6);
	struct packet body = { 0 }, p = { 0 };
	put_header(&body, v->header, in.n);
	put(&body, in.b, in.n);
	if (v->outside == BARE)
		return body;
	put_hex(&p, "020000000002 020000000001");
	if (v->outside == ETH) {
		put16(&p, v->number);
		put(&p, body.b, body.n);
		return p;
	}
	put_hex(&p, "0800");
	if (v->outside == UDP) {
		struct packet udp = { 0 };
		put16(&udp, 40000);
		put16(&udp, v->number);
		put16(&udp, 8 + body.n);
		put16(&udp, 0);
		put(&udp, body.b, body.n);
		body = udp;
	}
	put_ipv4(&p, &body, v->outside == UDP ? 17 : (uint8_t)v->number, "c0000201 c0000202");
	return p;
}

static struct decode run(uint32_t link, const uint8_t *bytes, size_t n, size_t wire)
{
	uint8_t *exact = malloc(n ? n : 1);
	struct decode d;
	memset(&d, 0xa5, sizeof(d));
	if (!exact)
		abort();
	memcpy(exact, bytes, n);
	decode_packet(link, (struct span){ n ? exact : NULL, n }, (uint32_t)wire, &d);
	if (d.payload.n)
		CU_ASSERT(d.payload.p >= exact && d.payload.p + d.payload.n <= exact + n);
	CU_ASSERT(d.payload.n <= d.payload_wire && d.counter < STATS_COUNTERS && d.depth <= DECODE_MAX_TUNNELS);
	free(exact);
	return d;
}

static void finds_what_is_inside(void)
{
	for (size_t i = 0; i < ENVELOPES; i++) {
		const struct envelope *v = &envelopes[i];
		struct packet p = wrap(v);
		struct decode d = run(v->link, p.b, p.n, p.n);
		bool v6 = v->inside == IP6 || v->inside == ETHERNET6;
		bool right = d.kind == DECODE_TCP && d.counter == STATS_tcp && d.src_port == 4000 && d.dst_port == 104 && d.seq == 1 &&
			     d.payload.n == 24 && d.payload_wire == 24 && !d.truncated && d.tunnels == v->tunnels &&
			     d.vlan == v->vlan && d.overlay == v->overlay && d.has_mac == (v->mac != NULL) &&
			     addr_is_v4(&d.src) == !v6 && d.src.b[15] == 1 && d.dst.b[15] == 2;
		if (right && v->mac) {
			struct packet mac = { 0 };
			put_hex(&mac, v->mac);
			right = !memcmp(mac.b, d.src_mac.b, 6);
		}
		if (!right)
			printf("\n%s: kind %d counter %s tunnels %x vlan %u overlay %u mac %d\n", v->name, d.kind, stats_name(d.counter),
			       d.tunnels, d.vlan, d.overlay, d.has_mac);
		CU_ASSERT(right);
	}
}

/* A datagram that ends inside of what it claims to carry, with bytes of the packet behind it: it is a datagram (or
 * the envelope is counted as broken), and never what those bytes would make. */
static void ends_where_its_datagram_does(void)
{
	for (size_t i = 0; i < ENVELOPES; i++) {
		const struct envelope *v = &envelopes[i];
		if (v->outside != UDP)
			continue;
		struct packet p = wrap(v);
		enum { LENGTH = 14 + 20 + 4 };
		size_t whole = (size_t)p.b[LENGTH] << 8 | p.b[LENGTH + 1];
		for (size_t n = 8; n < whole; n++) {
			p.b[LENGTH] = (uint8_t)(n >> 8);
			p.b[LENGTH + 1] = (uint8_t)n;
			struct decode d = run(v->link, p.b, p.n, p.n);
			bool right = d.kind == DECODE_UDP ? d.payload_wire == n - 8 && d.payload.n == n - 8 : d.kind == DECODE_NOTHING;
			if (!right)
				printf("\n%s in a datagram of %zu: kind %d, %u bytes\n", v->name, n, d.kind, (unsigned)d.payload_wire);
			CU_ASSERT(right);
		}
	}
}

/* Cut by the capture: said as such, or an outer UDP packet whose inside cannot be told, or the inside with less payload. */
static void every_cut_is_said(void)
{
	for (size_t i = 0; i < ENVELOPES; i++) {
		const struct envelope *v = &envelopes[i];
		struct packet p = wrap(v);
		for (size_t n = 0; n < p.n; n++) {
			struct decode d = run(v->link, p.b, n, p.n);
			bool said = d.counter == STATS_packets_truncated || d.truncated;
			if (!said)
				printf("\n%s cut to %zu of %zu: %s\n", v->name, n, p.n, stats_name(d.counter));
			CU_ASSERT(said);
			d = run(v->link, p.b, n, n);
			CU_ASSERT(d.kind != DECODE_TCP);
		}
	}
}

static void every_wrong_byte_is_survived(void)
{
	unsigned same = 0;
	for (size_t i = 0; i < ENVELOPES; i++) {
		struct packet p = wrap(&envelopes[i]);
		for (size_t at = 0; at < p.n; at++)
			for (unsigned bit = 0; bit < 8; bit++) {
				p.b[at] ^= (uint8_t)(1u << bit);
				struct decode d = run(envelopes[i].link, p.b, p.n, p.n);
				same += d.kind == DECODE_TCP;
				p.b[at] ^= (uint8_t)(1u << bit);
			}
	}
	CU_ASSERT(same > 0);
}

/* An ordinary flow on a tunnel's port stays what it is. */
static void what_is_no_tunnel_stays_a_udp_packet(void)
{
	static const uint16_t ports[] = { 4789, 8472, 6081, 2152, 5246, 5247, 1701 };
	static const char *const payloads[] = {
		"", "00", "ffffffffffffffff", "0800000000007b00", "2f686f6d65207365637265742067686f73742074657874",
		"000000000000000000000000000000000000000000000000000000000000",
		"1603010200010001fc0303000000000000000000000000000000000000000000", "32ff000400000001", "30010004000000010000000a",
		"c80200140000000000000000800200080000", /* L2TP control */
		"010000001603", /* CAPWAP with DTLS */
		"0800000000007b00 02aa00000002 02aa00000001 0800 46464646", /* VXLAN with broken IP inside */
		"0000655800007b00 02aa00000002 02aa00000001 0800 460000",
		"30ff000400000001 47000000",
	};
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		for (size_t k = 0; k < sizeof(payloads) / sizeof(payloads[0]); k++) {
			const struct envelope v = { "", UDP, ports[i], payloads[k], IP, 1, 0, 0, 0, NULL };
			struct packet p = wrap(&v);
			/* Without the packet inside, too. */
			struct packet bytes = { 0 };
			put_hex(&bytes, payloads[k]);
			size_t n = 14 + 20 + 8 + bytes.n;
			p.b[16] = (uint8_t)((n - 14) >> 8);
			p.b[17] = (uint8_t)(n - 14);
			p.b[38] = (uint8_t)((8 + bytes.n) >> 8);
			p.b[39] = (uint8_t)(8 + bytes.n);
			struct decode d = run(1, p.b, n, n);
			if (d.kind != DECODE_UDP)
				printf("\nport %u, %s: %s\n", ports[i], payloads[k], stats_name(d.counter));
			CU_ASSERT(d.kind == DECODE_UDP && d.counter == STATS_udp && d.dst_port == ports[i] && !d.tunnels && !d.depth);
			CU_ASSERT_EQUAL(d.payload.n, bytes.n);
		}
}

static void only_so_deep(void)
{
	struct packet p = inner_ip();
	for (unsigned depth = 0; depth <= DECODE_MAX_TUNNELS + 1; depth++) {
		struct decode d = run(228, p.b, p.n, p.n);
		if (depth <= DECODE_MAX_TUNNELS) {
			CU_ASSERT(d.kind == DECODE_TCP && d.depth == depth);
		} else {
			CU_ASSERT(d.kind == DECODE_NOTHING && d.counter == STATS_tunnels_too_deep);
		}
		struct packet out = { 0 };
		put_ipv4(&out, &p, 4, "c0000201 c0000202");
		p = out;
	}
}

/* A mirror that cuts frames says so (T of ERSPAN's header). */
static void a_cut_mirrored_frame_is_truncated(void)
{
	const struct envelope v = { "", IPV4, 47, "1000 88be 00000007 1017 0401 00000003", ETHERNET, 1, 0, 0, 0, NULL };
	struct packet p = wrap(&v);
	size_t n = p.n - 10;
	p.b[16] = 0;
	p.b[17] = (uint8_t)(n - 14);
	struct decode d = run(1, p.b, n, n);
	CU_ASSERT(d.kind == DECODE_TCP && d.truncated && d.payload.n == 14 && d.payload_wire == 24);
	p.b[14 + 20 + 8 + 2] = 0;               /* without it, the frame inside is broken */
	d = run(1, p.b, n, n);
	CU_ASSERT_EQUAL(d.counter, STATS_ip_malformed);
}

static void counts_what_it_cannot_read(void)
{
	static const struct { struct envelope v; enum stats_counter counter; } cases[] = {
		{ { "", BARE, 0, "0841 0000 020000000099 02aa00000001 02aa00000002 0000", IP, 105, 0, 0, 0, NULL }, STATS_wlan_encrypted },
		{ { "", BARE, 0, "0805 0000 020000000099 02aa00000001 02aa00000002 0000", IP, 105, 0, 0, 0, NULL }, STATS_wlan_unread },
		{ { "", BARE, 0, "0801 0000 020000000099 02aa00000001 02aa00000002 0100", IP, 105, 0, 0, 0, NULL }, STATS_wlan_unread },
		{ { "", BARE, 0, "8801 0000 020000000099 02aa00000001 02aa00000002 0000 8000", IP, 105, 0, 0, 0, NULL }, STATS_wlan_unread },
		{ { "", BARE, 0, "8000 0000 020000000099 02aa00000001 02aa00000002 0000", IP, 105, 0, 0, 0, NULL }, STATS_not_ip },
		{ { "", BARE, 0, "0000 0900 02000000 40 0801", IP, 127, 0, 0, 0, NULL }, STATS_link_malformed },
		{ { "", BARE, 0, "ff03 c021", IP, 9, 0, 0, 0, NULL }, STATS_not_ip },
		{ { "", ETH, 0x8864, "1109 0001 LL", IP, 1, 0, 0, 0, NULL }, STATS_not_ip },
		{ { "", ETH, 0x8864, "2100 0001 LL", IP, 1, 0, 0, 0, NULL }, STATS_link_malformed },
		{ { "", ETH, 0x0040, "aaaa03 00000c 2000", IP, 1, 0, 0, 0, NULL }, STATS_cdp },
		{ { "", ETH, 0x88cc, "", IP, 1, 0, 0, 0, NULL }, STATS_lldp },
		{ { "", IPV4, 47, "0000 1234", IP, 1, 0, 0, 0, NULL }, STATS_transport_other },
		{ { "", IPV4, 47, "0007 0800", IP, 1, 0, 0, 0, NULL }, STATS_tunnels_malformed },
		{ { "", IPV4, 47, "1000 88be 00000007 3017 0001 00000003", ETHERNET, 1, 0, 0, 0, NULL }, STATS_tunnels_malformed },
		{ { "", UDP, 5247, "00 1043 80 0001 0000", IP, 1, 0, 0, 0, NULL }, STATS_tunnels_in_pieces },
		{ { "", IPV4, 132, "0fa0 0068 00000001 00000000", IP, 1, 0, 0, 0, NULL }, STATS_sctp },
		{ { "", IPV4, 1, "0800 0000 0001 0001", IP, 1, 0, 0, 0, NULL }, STATS_icmp },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = wrap(&cases[i].v);
		struct decode d = run(cases[i].v.link, p.b, p.n, p.n);
		if (d.counter != cases[i].counter)
			printf("\ncase %zu: %s\n", i, stats_name(d.counter));
		CU_ASSERT_EQUAL(d.counter, cases[i].counter);
	}
}

static void an_icmp_error_is_about_what_it_quotes(void)
{
	const struct envelope v = { "", IPV4, 1, "0303 0000 00000000", IP, 1, 0, 0, 0, NULL };
	struct packet p = wrap(&v);
	struct decode d = run(1, p.b, p.n, p.n);
	CU_ASSERT(d.kind == DECODE_ICMP_ERROR && d.counter == STATS_icmp_errors && d.quoted == DECODE_TCP && d.src_port == 4000 &&
		  d.dst_port == 104 && d.seq == 1 && d.icmp_type == 3 && d.icmp_code == 3 && d.src.b[12] == 10);
	/* Eight bytes of the transport header are enough, and needed. */
	size_t enough = 14 + 20 + 8 + 20 + 8;
	for (size_t n = 14 + 20 + 8; n < p.n; n++) {
		p.b[17] = (uint8_t)(n - 14);
		d = run(1, p.b, n, n);
		CU_ASSERT_EQUAL(d.kind, n < enough ? DECODE_IP_OTHER : DECODE_ICMP_ERROR);
		CU_ASSERT_EQUAL(d.counter, STATS_icmp_errors);
	}
}

int main(void)
{
	CU_pSuite s = test_begin("decode_tunnel");
	CU_ADD_TEST(s, finds_what_is_inside);
	CU_ADD_TEST(s, ends_where_its_datagram_does);
	CU_ADD_TEST(s, every_cut_is_said);
	CU_ADD_TEST(s, every_wrong_byte_is_survived);
	CU_ADD_TEST(s, what_is_no_tunnel_stays_a_udp_packet);
	CU_ADD_TEST(s, only_so_deep);
	CU_ADD_TEST(s, a_cut_mirrored_frame_is_truncated);
	CU_ADD_TEST(s, counts_what_it_cannot_read);
	CU_ADD_TEST(s, an_icmp_error_is_about_what_it_quotes);
	return test_end();
}
