#include "sensor/checksum.h"

#include <stdlib.h>

#include "core/test.h"
#include "sensor/decode.h"

/* RFC 1071, 1 and 2, one 16-bit word after the other: what the fast sum is compared with. */
static uint16_t plain(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void sums_like_the_standard(void)
{
	uint8_t bytes[1600];
	for (unsigned kind = 0; kind < 3; kind++) {
		uint32_t state = 1;
		for (size_t i = 0; i < sizeof(bytes); i++) {
			state = state * 1664525u + 1013904223u;
			bytes[i] = kind == 0 ? (uint8_t)(i * 37 + 200) : kind == 1 ? 0xff : (uint8_t)(state >> 24);
		}
		for (size_t n = 0; n <= sizeof(bytes); n++) {
			uint8_t *exact = malloc(n ? n : 1);
			if (!exact)
				abort();
			memcpy(exact, bytes, n);
			uint16_t native = checksum_fold(checksum_add(0, (struct span){ exact, n })), want = plain(bytes, n);
			uint8_t be[2];
			memcpy(be, &native, 2);
			CU_ASSERT_EQUAL((unsigned)be[0] << 8 | be[1], want);
			/* In two pieces, from any even place, on top of any sum that one call leaves. */
			size_t part = n / 3 & ~(size_t)1;
			uint64_t sum = checksum_add(0, (struct span){ exact, part });
			sum = checksum_add(sum, (struct span){ exact + part, n - part });
			CU_ASSERT_EQUAL(checksum_fold(sum), native);
			free(exact);
		}
	}
}

/* Ethernet, IPv4 or IPv6, UDP or TCP with right checksums. */
static size_t make(uint8_t *p, bool v6, bool tcp, size_t payload)
{
	size_t ip = v6 ? 40 : 20, l4 = (tcp ? 20u : 8u) + payload, n = 14 + ip + l4;
	memset(p, 0, n);
	p[12] = v6 ? 0x86 : 8;
	p[13] = v6 ? 0xdd : 0;
	uint8_t *h = p + 14, *t = h + ip;
	h[0] = v6 ? 0x60 : 0x45;
	h[v6 ? 4 : 2] = (uint8_t)((v6 ? l4 : ip + l4) >> 8);
	h[v6 ? 5 : 3] = (uint8_t)(v6 ? l4 : ip + l4);
	h[v6 ? 6 : 9] = tcp ? 6 : 17;
	h[v6 ? 8 : 12] = 0x20;
	h[v6 ? 24 : 16] = 0x30;
	if (!v6) {
		uint16_t sum = (uint16_t)~plain(h, 20);
		h[10] = (uint8_t)(sum >> 8);
		h[11] = (uint8_t)sum;
	}
	t[1] = 9;
	t[3] = 104;
	if (tcp)
		t[12] = 0x50;
	else {
		t[4] = (uint8_t)(l4 >> 8);
		t[5] = (uint8_t)l4;
	}
	for (size_t i = 0; i < payload; i++)
		t[l4 - payload + i] = (uint8_t)(i * 11 + 3);
	uint8_t pseudo[2048] = { 0 };
	size_t a = v6 ? 16 : 4;
	memcpy(pseudo, h + (v6 ? 8 : 12), 2 * a);
	pseudo[2 * a] = (uint8_t)(l4 >> 8);
	pseudo[2 * a + 1] = (uint8_t)l4;
	pseudo[2 * a + 3] = tcp ? 6 : 17;
	memcpy(pseudo + 2 * a + 4, t, l4);
	uint16_t sum = (uint16_t)~plain(pseudo, 2 * a + 4 + l4);
	t[tcp ? 16 : 6] = (uint8_t)(sum >> 8);
	t[tcp ? 17 : 7] = (uint8_t)sum;
	return n;
}

static struct decode decoded(const uint8_t *p, size_t n, size_t wire)
{
	struct decode d;
	decode_packet(1, (struct span){ p, n }, (uint32_t)wire, &d);
	return d;
}

static void knows_right_and_wrong(void)
{
	static uint8_t p[2048];
	for (unsigned c = 0; c < 4; c++)
		for (size_t payload = 1; payload < 40; payload++) {
			bool v6 = c & 1, tcp = c & 2;
			size_t n = make(p, v6, tcp, payload);
			struct decode d = decoded(p, n, n);
			CU_ASSERT_EQUAL(checksum_of(&d), CHECKSUM_RIGHT);
			CU_ASSERT_EQUAL(d.ip_sum, v6 ? CHECKSUM_NONE : CHECKSUM_RIGHT);
			p[n - 1] ^= 0x10;
			d = decoded(p, n, n);
			CU_ASSERT_EQUAL(checksum_of(&d), CHECKSUM_WRONG);
			d = decoded(p, n - 1, n);
			CU_ASSERT_EQUAL(checksum_of(&d), CHECKSUM_NONE);
		}
}

static void knows_what_was_left_to_the_card(void)
{
	static uint8_t p[2048];
	size_t n = make(p, false, true, 30);
	uint8_t *h = p + 14, *t = h + 20;
	uint8_t pseudo[12] = { 0 };
	memcpy(pseudo, h + 12, 8);
	pseudo[9] = 6;
	pseudo[11] = 50;
	uint16_t sum = plain(pseudo, 12);
	t[16] = (uint8_t)(sum >> 8);
	t[17] = (uint8_t)sum;
	struct decode d = decoded(p, n, n);
	CU_ASSERT_EQUAL(checksum_of(&d), CHECKSUM_OFFLOADED);
	h[10] = h[11] = 0;
	d = decoded(p, n, n);
	CU_ASSERT_EQUAL(d.ip_sum, CHECKSUM_OFFLOADED);
	h[10] = 1;
	d = decoded(p, n, n);
	CU_ASSERT_EQUAL(d.ip_sum, CHECKSUM_WRONG);
	/* UDP may have none; and what is longer than a frame was put together by a card. */
	n = make(p, false, false, 5);
	t[6] = t[7] = 0;
	d = decoded(p, n, n);
	CU_ASSERT_EQUAL(checksum_of(&d), CHECKSUM_NONE);
	n = make(p, false, true, CHECKSUM_MAX - 40);
	d = decoded(p, n, n);
	CU_ASSERT_EQUAL(checksum_of(&d), CHECKSUM_RIGHT);
	n = make(p, false, true, CHECKSUM_MAX - 39);
	d = decoded(p, n, n);
	CU_ASSERT_EQUAL(checksum_of(&d), CHECKSUM_NONE);
}

int main(void)
{
	CU_pSuite s = test_begin("checksum");
	CU_ADD_TEST(s, sums_like_the_standard);
	CU_ADD_TEST(s, knows_right_and_wrong);
	CU_ADD_TEST(s, knows_what_was_left_to_the_card);
	return test_end();
}
