#include "core/addr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"

/* An exact-size heap copy, so that ASan sees a read of one byte past the text. */
static struct span heap(const char *s)
{
	size_t n = strlen(s);
	uint8_t *p = malloc(n ? n : 1);
	if (!p)
		abort();
	memcpy(p, s, n);
	return (struct span){ p, n };
}

static void done(struct span s) { free((void *)(uintptr_t)s.p); }

static int parse(const char *s, struct addr *ret)
{
	struct span t = heap(s);
	int r = addr_parse(t, ret);
	done(t);
	return r;
}

static struct addr ip(const char *s)
{
	struct addr a;
	memset(&a, 0xee, sizeof(a));
	CU_ASSERT_EQUAL(parse(s, &a), 0);
	return a;
}

static void prints_what_it_parses(void)
{
	static const char *const same[] = { "0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1",
					    "2001:db8:0:1:1:1:1:1", "2001:0:0:1::1", "fe80::1:2:3:4" };
	char out[ADDR_STRLEN];
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		struct addr a = ip(same[i]);
		CU_ASSERT_STRING_EQUAL(addr_str(&a, out), same[i]);
	}
	/* RFC 5952, 4: lower case, no leading zeros, the longest run shortened. */
	struct addr a = ip("2001:0DB8:0000:0000:0001:0000:0000:00AB");
	CU_ASSERT_STRING_EQUAL(addr_str(&a, out), "2001:db8::1:0:0:ab");
	a = ip("::ffff:192.0.2.1");
	CU_ASSERT_STRING_EQUAL(addr_str(&a, out), "192.0.2.1");
	memset(a.b, 0xff, 16);
	CU_ASSERT_EQUAL(strlen(addr_str(&a, out)), 39);
}

static void refuses_what_is_not_an_address(void)
{
	static const char *const bad[] = { "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4",
					   "1.2.3.-4", "0x1.2.3.4", "::1%eth0", ":::", "1:2:3:4:5:6:7", "g::", "[::1]",
					   "1:2:3:4:5:6:7:8:9", "1.2.3.4/8",
					   "0000000000000000000000000000000000000000000000000000000000001" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct addr a = { { 7 } };
		CU_ASSERT_EQUAL(parse(bad[i], &a), -EINVAL);
		CU_ASSERT_EQUAL(a.b[0], 7);
	}
	struct addr a = { { 7 } };
	CU_ASSERT_EQUAL(addr_parse((struct span){ (const uint8_t *)"1.2.3.4\0x", 9 }, &a), -EINVAL);
	CU_ASSERT_EQUAL(addr_parse((struct span){ 0 }, &a), -EINVAL);
	CU_ASSERT_EQUAL(a.b[0], 7);
}

static void every_prefix_of_a_text_is_safe(void)
{
	const char *s = "2001:db8:1:2:3:4:5:6";
	for (size_t n = 0; n <= strlen(s); n++) {
		char *cut = strndup(s, n);
		struct addr a;
		int r = parse(cut, &a);
		CU_ASSERT_EQUAL(r, n == strlen(s) ? 0 : -EINVAL);
		free(cut);
	}
}

static void tells_classes_apart(void)
{
	static const struct { const char *s; bool v4, zero, multi, broad, link, loop, priv; } t[] = {
		{ "0.0.0.0", 1, 1, 0, 0, 0, 0, 0 }, { "::", 0, 1, 0, 0, 0, 0, 0 },
		{ "10.0.0.0", 1, 0, 0, 0, 0, 0, 1 }, { "10.255.255.255", 1, 0, 0, 0, 0, 0, 1 },
		{ "9.255.255.255", 1, 0, 0, 0, 0, 0, 0 }, { "11.0.0.0", 1, 0, 0, 0, 0, 0, 0 },
		{ "172.15.255.255", 1, 0, 0, 0, 0, 0, 0 }, { "172.16.0.0", 1, 0, 0, 0, 0, 0, 1 },
		{ "172.31.255.255", 1, 0, 0, 0, 0, 0, 1 }, { "172.32.0.0", 1, 0, 0, 0, 0, 0, 0 },
		{ "192.168.1.1", 1, 0, 0, 0, 0, 0, 1 }, { "192.167.1.1", 1, 0, 0, 0, 0, 0, 0 },
		{ "100.63.255.255", 1, 0, 0, 0, 0, 0, 0 }, { "100.64.0.0", 1, 0, 0, 0, 0, 0, 1 },
		{ "100.127.255.255", 1, 0, 0, 0, 0, 0, 1 }, { "100.128.0.0", 1, 0, 0, 0, 0, 0, 0 },
		{ "169.254.1.1", 1, 0, 0, 0, 1, 0, 1 }, { "127.0.0.1", 1, 0, 0, 0, 0, 1, 1 },
		{ "223.255.255.255", 1, 0, 0, 0, 0, 0, 0 }, { "224.0.0.1", 1, 0, 1, 0, 0, 0, 0 },
		{ "239.255.255.255", 1, 0, 1, 0, 0, 0, 0 }, { "240.0.0.0", 1, 0, 0, 0, 0, 0, 0 },
		{ "255.255.255.255", 1, 0, 0, 1, 0, 0, 0 }, { "::1", 0, 0, 0, 0, 0, 1, 1 },
		{ "fe80::1", 0, 0, 0, 0, 1, 0, 1 }, { "febf::1", 0, 0, 0, 0, 1, 0, 1 }, { "fec0::1", 0, 0, 0, 0, 0, 0, 0 },
		{ "fbff::1", 0, 0, 0, 0, 0, 0, 0 }, { "fc00::1", 0, 0, 0, 0, 0, 0, 1 }, { "fdff::1", 0, 0, 0, 0, 0, 0, 1 },
		{ "ff02::1", 0, 0, 1, 0, 0, 0, 0 }, { "2001:db8::1", 0, 0, 0, 0, 0, 0, 0 },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct addr a = ip(t[i].s);
		CU_ASSERT_EQUAL(addr_is_v4(&a), t[i].v4);
		CU_ASSERT_EQUAL(addr_is_zero(&a), t[i].zero);
		CU_ASSERT_EQUAL(addr_is_multicast(&a), t[i].multi);
		CU_ASSERT_EQUAL(addr_is_broadcast(&a), t[i].broad);
		CU_ASSERT_EQUAL(addr_is_link_local(&a), t[i].link);
		CU_ASSERT_EQUAL(addr_is_loopback(&a), t[i].loop);
		CU_ASSERT_EQUAL(addr_is_private(&a), t[i].priv);
	}
}

static void orders_addresses(void)
{
	struct addr a = ip("10.0.0.1"), b = ip("10.0.0.2");
	CU_ASSERT(addr_cmp(&a, &b) < 0);
	CU_ASSERT(addr_cmp(&b, &a) > 0);
	CU_ASSERT(addr_cmp(&a, &a) == 0);
}

static void reads_and_prints_endpoints(void)
{
	static const char *const good[] = { "192.0.2.1:104", "[2001:db8::1]:104", "0.0.0.0:0", "[::]:65535" };
	static const char *const bad[] = { "", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:0104", "1.2.3.4:1x",
					   "::1:104", "[::1]", "[::1]:", "[::1:104", "::1]:104", "[1.2.3.4]:104", "[]:1",
					   "1.2.3.4: 1", "1.2.3.4:+1", "[:1", "1.2.3.4:99999999999" };
	char out[ADDR_ENDPOINT_STRLEN];
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct endpoint e;
		struct span t = heap(good[i]);
		CU_ASSERT_EQUAL(addr_parse_endpoint(t, &e), 0);
		CU_ASSERT_STRING_EQUAL(addr_endpoint_str(&e, out), good[i]);
		done(t);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct endpoint e = { .port = 7 };
		struct span t = heap(bad[i]);
		CU_ASSERT_EQUAL(addr_parse_endpoint(t, &e), -EINVAL);
		CU_ASSERT_EQUAL(e.port, 7);
		done(t);
	}
	struct endpoint e = { .port = 65535 };
	memset(e.ip.b, 0xff, 16);
	CU_ASSERT_EQUAL(strlen(addr_endpoint_str(&e, out)), 47);
}

static void reads_and_prints_hardware_addresses(void)
{
	static const char *const bad[] = { "", "00:11:22:33:44", "00:11:22:33:44:5", "00:11:22:33:44:555", "00:11-22:33:44:55",
					   "00.11.22.33.44.55", "0g:11:22:33:44:55", "001122334455", "00:11:22:33:44:5 " };
	char out[ADDR_MAC_STRLEN];
	struct mac m;
	struct span t = heap("00-1A-2b-3C-4d-FF");
	CU_ASSERT_EQUAL(addr_parse_mac(t, &m), 0);
	CU_ASSERT_STRING_EQUAL(addr_mac_str(&m, out), "00:1a:2b:3c:4d:ff");
	done(t);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		m.b[0] = 7;
		t = heap(bad[i]);
		CU_ASSERT_EQUAL(addr_parse_mac(t, &m), -EINVAL);
		CU_ASSERT_EQUAL(m.b[0], 7);
		done(t);
	}
}

static int parse_prefix(const char *s, struct prefix *p)
{
	struct span t = heap(s);
	int r = addr_parse_prefix(t, p);
	done(t);
	return r;
}

static void matches_prefixes(void)
{
	static const struct { const char *p, *in, *out; uint8_t bits; } t[] = {
		{ "10.0.0.0/8", "10.255.0.1", "11.0.0.0", 104 },
		{ "192.0.2.128/25", "192.0.2.255", "192.0.2.127", 121 },
		{ "192.0.2.1", "192.0.2.1", "192.0.2.2", 128 },
		{ "0.0.0.0/0", "255.1.2.3", "2001:db8::1", 96 },
		{ "::/0", "2001:db8::1", "192.0.2.1", 0 },
		{ "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1", 33 },
		{ "2001:db8::1", "2001:db8::1", "2001:db8::2", 128 },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct prefix p = { .bits = 200 };
		CU_ASSERT_EQUAL(parse_prefix(t[i].p, &p), 0);
		CU_ASSERT_EQUAL(p.bits, t[i].bits);
		struct addr in = ip(t[i].in), out = ip(t[i].out);
		CU_ASSERT_TRUE(addr_in_prefix(&in, &p));
		CU_ASSERT_FALSE(addr_in_prefix(&out, &p));
	}
}

/* Every length, against an address that differs from it in one bit, at every place. */
static void prefixes_compare_their_bits_only(void)
{
	for (unsigned bits = 0; bits <= 128; bits++)
		for (unsigned at = 0; at < 128; at++) {
			struct addr a = ip("2001:db8:5555:aaaa:ff00:1:f0f0:1234");
			struct prefix p = { a, (uint8_t)bits };
			CU_ASSERT_TRUE(addr_in_prefix(&a, &p));
			a.b[at / 8] ^= (uint8_t)(0x80 >> at % 8);
			CU_ASSERT_EQUAL(addr_in_prefix(&a, &p), at >= bits);
		}
}

static void refuses_wrong_prefixes(void)
{
	static const struct { const char *s; int err; } t[] = {
		{ "10.0.0.1/8", -ERANGE }, { "10.0.0.0/33", -EINVAL }, { "10.0.0.0/", -EINVAL }, { "10.0.0.0/08", -EINVAL },
		{ "/8", -EINVAL }, { "", -EINVAL }, { "10.0.0.0/8/8", -EINVAL }, { "2001:db8::1/32", -ERANGE },
		{ "2001:db8::/129", -EINVAL }, { "10.0.0.0/-1", -EINVAL }, { "10.0.0.0/255.0.0.0", -EINVAL },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct prefix p = { .bits = 77 };
		CU_ASSERT_EQUAL(parse_prefix(t[i].s, &p), t[i].err);
		CU_ASSERT_EQUAL(p.bits, 77);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "prints_what_it_parses", prints_what_it_parses },
		{ "refuses_what_is_not_an_address", refuses_what_is_not_an_address },
		{ "every_prefix_of_a_text_is_safe", every_prefix_of_a_text_is_safe },
		{ "tells_classes_apart", tells_classes_apart },
		{ "orders_addresses", orders_addresses },
		{ "reads_and_prints_endpoints", reads_and_prints_endpoints },
		{ "reads_and_prints_hardware_addresses", reads_and_prints_hardware_addresses },
		{ "matches_prefixes", matches_prefixes },
		{ "prefixes_compare_their_bits_only", prefixes_compare_their_bits_only },
		{ "refuses_wrong_prefixes", refuses_wrong_prefixes },
		CU_TEST_INFO_NULL,
	};
	return test_run("addr", tests);
}
