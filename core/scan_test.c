#include "core/scan.h"

#include <stdbool.h>

#include "core/test.h"

static uint32_t state = 1;

static uint32_t rnd(void)
{
	state = state * 1664525u + 1013904223u;
	return state >> 16;
}

struct expected { unsigned equal, plain, high; };

static struct expected plainly(const uint8_t *p, uint8_t b)
{
	struct expected e = { 0 };
	for (unsigned i = 0; i < SCAN_BYTES; i++) {
		e.equal |= (unsigned)(p[i] == b) << i;
		e.plain |= (unsigned)(p[i] >= 0x20 && p[i] < 0x80) << i;
		e.high |= (unsigned)(p[i] >= 0x80) << i;
	}
	return e;
}

static void compare(const uint8_t *p, uint8_t b)
{
	struct expected e = plainly(p, b);
	scan_bytes v = scan_load(p);
	CU_ASSERT_EQUAL(scan_equal(v, b), e.equal);
	CU_ASSERT_EQUAL(scan_plain(v), e.plain);
	CU_ASSERT_EQUAL(scan_high(v), e.high);
}

/* Every byte at every place and alignment, beside bytes that are one more and one less: no carry reaches another byte. */
static void every_byte_at_every_place(void)
{
	static const uint8_t around[] = { 0, 1, 0x1f, 0x20, 'a', 0x7f, 0x80, 0xff };
	uint8_t room[SCAN_BYTES + SCAN_BYTES];
	for (unsigned align = 0; align < SCAN_BYTES; align++)
		for (unsigned at = 0; at < SCAN_BYTES; at++)
			for (unsigned k = 0; k < sizeof(around); k++)
				for (unsigned b = 0; b < 256; b++) {
					uint8_t *p = room + align;
					memset(room, around[k], sizeof(room));
					p[at] = (uint8_t)b;
					compare(p, (uint8_t)b);
				}
}

static void whatever_the_bytes(void)
{
	for (int round = 0; round < 100000; round++) {
		static const uint8_t some[] = { 0, 1, 0x0d, 0x1f, 0x20, 0x21, '{', '|', '}', 0x7f, 0x80, 0x81, 0xfe, 0xff };
		uint8_t p[SCAN_BYTES];
		for (size_t i = 0; i < sizeof(p); i++)
			p[i] = some[rnd() % sizeof(some)];
		compare(p, some[rnd() % sizeof(some)]);
	}
}

static void bits_are_counted_and_cut(void)
{
	for (unsigned round = 0; round < 10000; round++) {
		uint64_t v = 0, cut = 0;
		unsigned n = 0, at = rnd() % 64, first = 64;
		for (unsigned i = 0; i < 64; i++) {
			bool set = rnd() % (round % 7 + 1) == 0;
			v |= (uint64_t)set << i;
			cut |= (uint64_t)(set && i < at) << i;
			first = first == 64 && set ? i : first;
			n += set;
		}
		CU_ASSERT_EQUAL(scan_count(v), n);
		CU_ASSERT_EQUAL(scan_below(v, at), cut);
		if (v)
			CU_ASSERT_EQUAL(scan_first(v), first);
	}
	CU_ASSERT_EQUAL(scan_count(0), 0);
	CU_ASSERT_EQUAL(scan_count(UINT64_MAX), 64);
}

int main(void)
{
	CU_pSuite s = test_begin(SCAN_SSE2 ? "scan, SSE2" : "scan, words");
	CU_ADD_TEST(s, every_byte_at_every_place);
	CU_ADD_TEST(s, whatever_the_bytes);
	CU_ADD_TEST(s, bits_are_counted_and_cut);
	return test_end();
}
