/* What is read in one look is what the layers say, of right packets and of all that are nearly right. */
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "sensor/decode_layers.h"
#include "sensor/decode_same.h"

static uint32_t state = 1;
static uint32_t any(uint32_t below)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % below;
}

static void set16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned any_port(void)
{
	static const uint16_t ports[] = { 4789, 8472, 6081, 2152, 5246, 5247, 1701, 53, 104 };
	return any(3) ? any(65536) : ports[any(sizeof(ports) / sizeof(ports[0]))];
}

/* A right packet of `*ret_link` + IP length bytes; the rest is padding. */
static size_t make(uint8_t *p, size_t *ret_link)
{
	size_t link = any(3) ? 14 : 18, payload = any(4) ? any(64) : any(1400), n = link + 20 + 20 + 40 + payload + 8;
	bool tcp = any(2);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)any(256);
	set16(p + 12, link == 14 ? 0x0800 : 0x8100);
	set16(p + link - 2, 0x0800);
	uint8_t *ip = p + link, *l4 = ip + 20;
	size_t header = tcp ? 20 + 4 * (size_t)any(11) : 8;
	ip[0] = 0x45;
	set16(ip + 2, (unsigned)(20 + header + payload));
	ip[6] &= 0xc0;
	ip[7] = 0;
	ip[9] = tcp ? 6 : 17;
	if (any(2))
		set16(ip + 10, any(2) ? 0 : 0xffff);
	set16(l4, any_port());
	set16(l4 + 2, any_port());
	if (tcp)
		l4[12] = (uint8_t)(header / 4 << 4);
	else
		set16(l4 + 4, (unsigned)(8 + payload));
	if (any(2)) {                           /* a right sum over the header */
		uint32_t sum = 0;
		set16(ip + 10, 0);
		for (int i = 0; i < 20; i += 2)
			sum += (uint32_t)ip[i] << 8 | ip[i + 1];
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		set16(ip + 10, ~sum & 0xffff);
	}
	*ret_link = link;
	return link + 20 + header + payload;
}

static struct { unsigned plain, general; } was;

/* From a block of exactly that size, so that a look behind it is seen. */
static void compare(const uint8_t *p, size_t n, size_t wire)
{
	uint8_t *exact = malloc(n ? n : 1);
	struct decode a, b, x;
	if (!exact)
		abort();
	if (n)
		memcpy(exact, p, n);
	memset(&a, 0xa5, sizeof(a));
	memset(&b, 0x5a, sizeof(b));
	memset(&x, 0x3c, sizeof(x));
	struct span s = { n ? exact : NULL, n };
	decode_packet(1, s, (uint32_t)wire, &a);
	decode_general(1, s, (uint32_t)wire, &b);
	CU_ASSERT_FATAL(decode_same(&a, &b));
	struct decode before = x;
	if (decode_plain(s, &x)) {
		was.plain++;
		CU_ASSERT_FATAL(decode_same(&x, &b));
	} else {
		was.general++;
		CU_ASSERT_FATAL(!memcmp(&x, &before, sizeof(x)));
	}
	free(exact);
}

static void right_packets_are_plain(void)
{
	static uint8_t p[2048];
	was.plain = was.general = 0;
	for (int i = 0; i < 20000; i++) {
		size_t link, n = make(p, &link), padded = n + any(8);
		compare(p, padded, padded + (any(4) ? 0 : any(100)));
	}
	/* Tunnels' ports are not. */
	CU_ASSERT(was.plain > was.general && was.general > 1000);
}

static void every_length_says_the_same(void)
{
	static uint8_t p[2048];
	for (int i = 0; i < 200; i++) {
		size_t link, n = make(p, &link);
		for (size_t cut = 0; cut <= n; cut += cut < 120 ? 1 : 37) {
			compare(p, cut, n);
			compare(p, cut, cut);
			compare(p, cut, 0);     /* a file may lie */
		}
	}
}

static void every_wrong_byte_says_the_same(void)
{
	static uint8_t p[2048];
	for (int i = 0; i < 60; i++) {
		size_t link, n = make(p, &link), head = n < 100 ? n : 100;
		for (size_t at = 0; at < head; at++)
			for (unsigned bit = 0; bit < 8; bit++) {
				p[at] ^= (uint8_t)(1u << bit);
				compare(p, n, n);
				p[at] ^= (uint8_t)(1u << bit);
			}
		uint8_t *ip = p + link;
		for (unsigned total = 0; total < n + 60; total++) {
			set16(ip + 2, total);
			compare(p, n, n);
		}
		set16(ip + 2, (unsigned)(n - link));
		for (unsigned length = 0; length < n + 60; length++) {
			set16(ip + 24, length); /* UDP's length; part of TCP's number */
			ip[32] = (uint8_t)length;
			compare(p, n, n);
		}
	}
}

/* What decode_tunnel_over_udp() looks at is never plain: one that it unwraps would be lost. */
static void every_tunnel_port_is_left_to_the_layers(void)
{
	uint8_t p[14 + 20 + 8 + 8 + 14 + 20 + 20] = { 0 };
	set16(p + 12, 0x0800);
	p[14] = 0x45;
	set16(p + 16, sizeof(p) - 14);
	p[23] = 17;
	set16(p + 38, sizeof(p) - 34);
	p[42] = 8;                              /* VXLAN, and inside of it TCP */
	set16(p + 62, 0x0800);
	p[64] = 0x45;
	set16(p + 66, 40);
	p[73] = 6;
	p[96] = 0x50;
	unsigned tunnels = 0;
	for (unsigned port = 0; port < 65536; port++) {
		set16(p + 36, port);
		set16(p + 34, 9);
		compare(p, sizeof(p), sizeof(p));
		struct decode d;
		decode_packet(1, (struct span){ p, sizeof(p) }, sizeof(p), &d);
		tunnels += d.tunnels != 0;
		set16(p + 34, port);
		set16(p + 36, 9);
		compare(p, sizeof(p), sizeof(p));
	}
	CU_ASSERT_EQUAL(tunnels, 2);
}

int main(void)
{
	CU_pSuite s = test_begin("decode_plain");
	CU_ADD_TEST(s, right_packets_are_plain);
	CU_ADD_TEST(s, every_length_says_the_same);
	CU_ADD_TEST(s, every_wrong_byte_says_the_same);
	CU_ADD_TEST(s, every_tunnel_port_is_left_to_the_layers);
	return test_end();
}
