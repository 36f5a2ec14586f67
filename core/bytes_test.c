#include "core/bytes.h"

#include <stdbool.h>

#include "core/test.h"

/* Every byte at every place, between bytes that are not meant: the first that is meant is found. */
static void finds_the_first_byte_that_is_meant(void)
{
	static const uint8_t around[] = { 0x20, 'a', 0x7f };
	static const uint8_t limits[] = { 1, 0x20, 0x7f, 0x80 };
	for (unsigned at = 0; at < 8; at++)
		for (unsigned b = 0; b < 256; b++)
			for (unsigned k = 0; k < sizeof(around); k++) {
				uint8_t p[8];
				memset(p, around[k], sizeof(p));
				p[at] = (uint8_t)b;
				uint64_t v = bytes_load(p);
				for (unsigned l = 0; l < sizeof(limits); l++) {
					if (around[k] < limits[l])
						continue;
					uint64_t below = bytes_below(v, limits[l]);
					CU_ASSERT_EQUAL(below != 0, b < limits[l]);
					if (below)
						CU_ASSERT_EQUAL(bytes_first(below), at);
				}
				uint64_t high = bytes_high(v), equal = bytes_equal(v, '"');
				CU_ASSERT_EQUAL(high != 0, b >= 0x80);
				CU_ASSERT_EQUAL(equal != 0, b == '"');
				if (high)
					CU_ASSERT_EQUAL(bytes_first(high), at);
				if (equal)
					CU_ASSERT_EQUAL(bytes_first(equal), at);
			}
}

/* Whatever stands behind it, and of several kinds at once. */
static void what_stands_behind_hides_nothing(void)
{
	uint32_t state = 1;
	for (int round = 0; round < 100000; round++) {
		static const uint8_t some[] = { 0, 1, 0x1f, 0x20, 0x21, '"', '#', '\\', 0x7f, 0x80, 0x81, 0xff };
		uint8_t p[8];
		size_t first = 8;
		for (size_t i = 0; i < 8; i++) {
			state = state * 1664525u + 1013904223u;
			p[i] = some[(state >> 16) % sizeof(some)];
			bool meant = p[i] < 0x20 || p[i] >= 0x80 || p[i] == '"';
			first = first == 8 && meant ? i : first;
		}
		uint64_t v = bytes_load(p), found = bytes_below(v, 0x20) | bytes_high(v) | bytes_equal(v, '"');
		CU_ASSERT_EQUAL(found ? bytes_first(found) : 8, first);
	}
}

static void the_first_byte_is_the_lowest(void)
{
	CU_ASSERT_EQUAL(bytes_load("\1\2\3\4\5\6\7\x8"), UINT64_C(0x0807060504030201));
}

/* At every length, where texts begin anywhere and stand side by side. */
static void copies_and_compares_at_every_length(void)
{
	uint8_t from[100], to[100], want[100];
	for (size_t n = 0; n <= 80; n++)
		for (size_t at = 0; at < 9; at++) {
			for (size_t i = 0; i < sizeof(from); i++)
				from[i] = (uint8_t)(i + n);
			memset(to, 0xee, sizeof(to));
			memset(want, 0xee, sizeof(want));
			memcpy(want + 5, from + at, n);
			bytes_copy(to + 5, from + at, n);
			CU_ASSERT(!memcmp(to, want, sizeof(to)));
			CU_ASSERT(bytes_same(to + 5, from + at, n));
			for (size_t i = 0; i < n; i++) {
				to[5 + i] ^= 0x80;
				CU_ASSERT(!bytes_same(to + 5, from + at, n));
				to[5 + i] ^= 0x80;
			}
		}
}

int main(void)
{
	CU_pSuite s = test_begin("bytes");
	CU_ADD_TEST(s, finds_the_first_byte_that_is_meant);
	CU_ADD_TEST(s, what_stands_behind_hides_nothing);
	CU_ADD_TEST(s, the_first_byte_is_the_lowest);
	CU_ADD_TEST(s, copies_and_compares_at_every_length);
	return test_end();
}
