#include "core/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"

static void writes_big_endian(void)
{
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 'h', 'i' };
	uint8_t *mem = malloc(sizeof(want));
	struct buf b = buf_over(mem, sizeof(want));
	CU_ASSERT_EQUAL(buf_u8(&b, 1), 0);
	CU_ASSERT_EQUAL(buf_u16be(&b, 0x0203), 0);
	CU_ASSERT_EQUAL(buf_u32be(&b, 0x04050607), 0);
	CU_ASSERT_EQUAL(buf_u64be(&b, UINT64_C(0x08090a0b0c0d0e0f)), 0);
	CU_ASSERT_EQUAL(buf_str(&b, "hi"), 0);
	CU_ASSERT_EQUAL(b.len, sizeof(want));
	CU_ASSERT_FALSE(b.full);
	CU_ASSERT_EQUAL(memcmp(b.data, want, sizeof(want)), 0);
	CU_ASSERT_EQUAL(buf_span(&b).n, sizeof(want));
	free(mem);
}

static void a_put_that_does_not_fit_changes_nothing(void)
{
	for (size_t cap = 0; cap < 8; cap++) {
		uint8_t *mem = malloc(cap ? cap : 1);
		struct buf b = buf_over(mem, cap);
		CU_ASSERT_EQUAL(buf_u64be(&b, 1), -ENOBUFS);
		CU_ASSERT_EQUAL(b.len, 0);
		CU_ASSERT_TRUE(b.full);
		/* Sticky: what would fit is refused too, so one test at the end is enough. */
		CU_ASSERT_EQUAL(buf_u8(&b, 1), -ENOBUFS);
		CU_ASSERT_EQUAL(buf_printf(&b, "%s", ""), -ENOBUFS);
		CU_ASSERT_EQUAL(b.len, 0);
		free(mem);
	}
	struct buf b = buf_over(NULL, 0);
	CU_ASSERT_EQUAL(buf_put(&b, NULL, 0), 0);
	/* Not known to the compiler, which would see an impossible copy. */
	volatile size_t most = SIZE_MAX;
	CU_ASSERT_EQUAL(buf_put(&b, "x", most), -ENOBUFS);
}

static void printf_keeps_a_byte_for_its_nul(void)
{
	uint8_t *mem = malloc(4);
	struct buf b = buf_over(mem, 4);
	CU_ASSERT_EQUAL(buf_printf(&b, "%d", 1234), -ENOBUFS);
	CU_ASSERT_EQUAL(b.len, 0);
	buf_rewind(&b, 0);
	CU_ASSERT_EQUAL(buf_printf(&b, "%d", 123), 0);
	CU_ASSERT_EQUAL(b.len, 3);
	free(mem);
}

static void rewinds_to_a_mark(void)
{
	uint8_t mem[4];
	struct buf b = buf_over(mem, sizeof(mem));
	(void)buf_str(&b, "ab");
	size_t mark = b.len;
	CU_ASSERT_EQUAL(buf_str(&b, "cde"), -ENOBUFS);
	buf_rewind(&b, mark);
	CU_ASSERT_FALSE(b.full);
	CU_ASSERT_EQUAL(buf_str(&b, "cd"), 0);
	buf_rewind(&b, 1);
	CU_ASSERT_EQUAL(b.len, 1);
	buf_rewind(&b, 3);              /* never forward */
	CU_ASSERT_EQUAL(b.len, 1);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "writes_big_endian", writes_big_endian },
		{ "a_put_that_does_not_fit_changes_nothing", a_put_that_does_not_fit_changes_nothing },
		{ "printf_keeps_a_byte_for_its_nul", printf_keeps_a_byte_for_its_nul },
		{ "rewinds_to_a_mark", rewinds_to_a_mark },
		CU_TEST_INFO_NULL,
	};
	return test_run("buf", tests);
}
