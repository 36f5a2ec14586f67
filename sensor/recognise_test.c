#include "sensor/recognise.h"

#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

/* In an exact-size heap block, so that ASan sees one byte over. */

static enum dissect_guess tcp(const void *bytes, size_t n, enum recognise_service *ret)
{
	uint8_t *exact = malloc(n ? n : 1);
	if (n)
		memcpy(exact, bytes, n);
	enum dissect_guess g = recognise_tcp((struct span){ exact, n }, false, ret);
	free(exact);
	return g;
}

static enum recognise_service udp(const void *bytes, size_t n, uint16_t port)
{
	uint8_t *exact = malloc(n ? n : 1);
	if (n)
		memcpy(exact, bytes, n);
	enum recognise_service s = recognise_udp((struct span){ exact, n }, 50000, port);
	CU_ASSERT_EQUAL(recognise_udp((struct span){ exact, n }, port, 50000), s);
	free(exact);
	return s;
}

static void every_prefix_is_maybe_and_the_rest_yes(void)
{
	static const struct { const char *bytes; size_t n, yes; enum recognise_service s; } good[] = {
		{ "SSH-2.0-OpenSSH_9.2", 19, 4, RECOGNISE_SSH },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		for (size_t n = 0; n <= good[i].n; n++) {
			enum recognise_service s = RECOGNISE_NONE;
			enum dissect_guess g = tcp(good[i].bytes, n, &s);
			CU_ASSERT_EQUAL(g, n >= good[i].yes ? DISSECT_YES : DISSECT_MAYBE);
			CU_ASSERT_EQUAL(s, n >= good[i].yes ? good[i].s : RECOGNISE_NONE);
		}
}

static void one_wrong_byte_is_no(void)
{
	static const struct { const char *bytes; size_t n; } bad[] = {
		{ "\x16\x03\x01\x02\x00\x01", 6 },
		{ "SSX-2.0", 7 }, { "ssh-2.0", 7 },
		{ "\0", 1 }, { "\x0bMSH|", 5 },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum recognise_service s = RECOGNISE_NONE;
		CU_ASSERT_EQUAL(tcp(bad[i].bytes, bad[i].n, &s), DISSECT_NO);
		CU_ASSERT_EQUAL(s, RECOGNISE_NONE);
	}
}

static void dns_by_port_and_shape(void)
{
	static const uint8_t query[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				       "\x03www\x07" "example\x00\x00\x01\x00\x01";
	size_t n = sizeof(query) - 1;
	CU_ASSERT_EQUAL(udp(query, n, 53), RECOGNISE_DNS);
	CU_ASSERT_EQUAL(udp(query, n, 54), RECOGNISE_NONE);
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(udp(query, i, 53), RECOGNISE_NONE);
	uint8_t wrong[sizeof(query)];
	memcpy(wrong, query, sizeof(wrong));
	wrong[12] = 0x40;                       /* neither a length nor, here, a pointer */
	CU_ASSERT_EQUAL(udp(wrong, n, 53), RECOGNISE_NONE);
	memcpy(wrong, query, sizeof(wrong));
	wrong[5] = 2;
	CU_ASSERT_EQUAL(udp(wrong, n, 53), RECOGNISE_NONE);
	uint8_t longest[300] = { 0, 0, 0, 0, 0, 1 };
	for (size_t i = 0; i < 4; i++)
		longest[12 + 64 * i] = 63;
	longest[sizeof(longest) - 1] = 1;
	CU_ASSERT_EQUAL(udp(longest, sizeof(longest), 53), RECOGNISE_NONE);
}

static void ntp_by_port_and_shape(void)
{
	uint8_t packet[48] = { 0x23 };
	CU_ASSERT_EQUAL(udp(packet, 48, 123), RECOGNISE_NTP);
	CU_ASSERT_EQUAL(udp(packet, 47, 123), RECOGNISE_NONE);
	CU_ASSERT_EQUAL(udp(packet, 48, 124), RECOGNISE_NONE);
	packet[0] = 0x03;
	CU_ASSERT_EQUAL(udp(packet, 48, 123), RECOGNISE_NONE);
	packet[0] = 0x26;
	CU_ASSERT_EQUAL(udp(packet, 48, 123), RECOGNISE_NONE);
	packet[0] = 0x24;
	packet[1] = 17;
	CU_ASSERT_EQUAL(udp(packet, 48, 123), RECOGNISE_NONE);
}

static void dhcp_by_port_and_shape(void)
{
	uint8_t packet[244] = { 1, 1, 6 };
	memcpy(packet + 236, "\x63\x82\x53\x63", 4);
	CU_ASSERT_EQUAL(udp(packet, 240, 67), RECOGNISE_DHCP);
	CU_ASSERT_EQUAL(udp(packet, 244, 68), RECOGNISE_DHCP);
	CU_ASSERT_EQUAL(udp(packet, 239, 67), RECOGNISE_NONE);
	CU_ASSERT_EQUAL(udp(packet, 244, 69), RECOGNISE_NONE);
	packet[239] = 0;
	CU_ASSERT_EQUAL(udp(packet, 244, 67), RECOGNISE_NONE);
}

static void every_service_has_a_name(void)
{
	for (int s = RECOGNISE_NONE + 1; s < RECOGNISE_SERVICES; s++)
		CU_ASSERT_PTR_NOT_NULL(recognise_name((enum recognise_service)s));
	CU_ASSERT_PTR_NULL(recognise_name(RECOGNISE_NONE));
}

int main(void)
{
	CU_initialize_registry();
	CU_pSuite suite = CU_add_suite("recognise", NULL, NULL);
#define T(name) CU_add_test(suite, #name, name)
	T(every_prefix_is_maybe_and_the_rest_yes);
	T(one_wrong_byte_is_no);
	T(dns_by_port_and_shape);
	T(ntp_by_port_and_shape);
	T(dhcp_by_port_and_shape);
	T(every_service_has_a_name);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
