#include "core/cursor.h"

#include <stdlib.h>
#include <string.h>

#include "core/test.h"

/* Exact-size heap bytes 01 02 03 ... */
static struct span bytes(size_t n)
{
	uint8_t *p = malloc(n ? n : 1);
	if (!p)
		abort();
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i + 1);
	return (struct span){ p, n };
}

static void done(struct span s) { free((void *)(uintptr_t)s.p); }

static void reads_both_byte_orders(void)
{
	struct span s = bytes(8);
	struct cursor c = cursor_from(s);
	CU_ASSERT_EQUAL(cursor_u16be(&c), 0x0102);
	CU_ASSERT_EQUAL(cursor_u16le(&c), 0x0403);
	CU_ASSERT_EQUAL(cursor_u32be(&c), 0x05060708);
	CU_ASSERT(cursor_ok(&c) && !cursor_left(&c));
	c = cursor_from(s);
	CU_ASSERT_EQUAL(cursor_u32le(&c), 0x04030201);
	c = cursor_from(s);
	CU_ASSERT_EQUAL(cursor_u64be(&c), UINT64_C(0x0102030405060708));
	c = cursor_from(s);
	CU_ASSERT_EQUAL(cursor_u64le(&c), UINT64_C(0x0807060504030201));
	done(s);
}

static uint64_t read_u8(struct cursor *c) { return cursor_u8(c); }
static uint64_t read_u16be(struct cursor *c) { return cursor_u16be(c); }
static uint64_t read_u16le(struct cursor *c) { return cursor_u16le(c); }
static uint64_t read_u32be(struct cursor *c) { return cursor_u32be(c); }
static uint64_t read_u32le(struct cursor *c) { return cursor_u32le(c); }
static uint64_t read_u64be(struct cursor *c) { return cursor_u64be(c); }
static uint64_t read_u64le(struct cursor *c) { return cursor_u64le(c); }

static void a_read_past_the_end_fails_and_stays_failed(void)
{
	static const struct { uint64_t (*read)(struct cursor *); size_t n; } t[] = {
		{ read_u8, 1 }, { read_u16be, 2 }, { read_u16le, 2 }, { read_u32be, 4 },
		{ read_u32le, 4 }, { read_u64be, 8 }, { read_u64le, 8 },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		for (size_t n = 0; n < t[i].n; n++) {
			struct span s = bytes(n);
			struct cursor c = cursor_from(s);
			CU_ASSERT_EQUAL(t[i].read(&c), 0);
			CU_ASSERT_FALSE(cursor_ok(&c));
			CU_ASSERT_EQUAL(cursor_left(&c), 0);
			CU_ASSERT_EQUAL(cursor_u8(&c), 0);
			CU_ASSERT_EQUAL(cursor_take(&c, 0).n, 0);
			CU_ASSERT_FALSE(cursor_ok(&c));
			done(s);
		}
}

static void takes_no_more_than_there_is(void)
{
	struct span s = bytes(4);
	struct cursor c = cursor_from(s);
	CU_ASSERT_EQUAL(cursor_take(&c, 4).n, 4);
	CU_ASSERT_EQUAL(cursor_take(&c, 0).n, 0);
	CU_ASSERT_TRUE(cursor_ok(&c));
	c = cursor_from(s);
	CU_ASSERT_PTR_NULL(cursor_take(&c, SIZE_MAX).p);
	CU_ASSERT_FALSE(cursor_ok(&c));
	c = cursor_from(s);
	cursor_skip(&c, 5);
	CU_ASSERT_FALSE(cursor_ok(&c));
	done(s);
}

static void a_child_cannot_pass_its_parent(void)
{
	struct span s = bytes(4);
	struct cursor c = cursor_from(s), child = cursor_sub(&c, 2);
	CU_ASSERT_EQUAL(cursor_u16be(&child), 0x0102);
	CU_ASSERT_EQUAL(cursor_u8(&child), 0);
	CU_ASSERT_FALSE(cursor_ok(&child));
	CU_ASSERT_TRUE(cursor_ok(&c));
	CU_ASSERT_EQUAL(cursor_left(&c), 2);
	child = cursor_sub(&c, 3);
	CU_ASSERT_FALSE(cursor_ok(&child));
	CU_ASSERT_FALSE(cursor_ok(&c));
	done(s);
}

static void nothing_is_a_cursor_too(void)
{
	struct cursor c = cursor_from((struct span){ 0 });
	CU_ASSERT_TRUE(cursor_ok(&c));
	CU_ASSERT_EQUAL(cursor_left(&c), 0);
	CU_ASSERT_EQUAL(cursor_rest(&c).n, 0);
	CU_ASSERT_TRUE(cursor_ok(&c));
	CU_ASSERT_EQUAL(cursor_until(&c, 0).n, 0);
	CU_ASSERT_FALSE(cursor_ok(&c));
}

static void until_consumes_the_stop(void)
{
	struct span s = bytes(4);
	struct cursor c = cursor_from(s);
	CU_ASSERT_EQUAL(cursor_until(&c, 3).n, 2);
	CU_ASSERT_EQUAL(cursor_left(&c), 1);
	CU_ASSERT_EQUAL(cursor_until(&c, 4).n, 0);
	CU_ASSERT_TRUE(cursor_ok(&c));
	c = cursor_from(s);
	CU_ASSERT_EQUAL(cursor_until(&c, 9).n, 0);
	CU_ASSERT_FALSE(cursor_ok(&c));
	done(s);
}

static void spans_compare_trim_and_cut(void)
{
	CU_ASSERT_TRUE(span_eq(span_str("ab"), span_str("ab")));
	CU_ASSERT_FALSE(span_eq(span_str("ab"), span_str("aB")));
	CU_ASSERT_FALSE(span_eq(span_str("ab"), span_str("abc")));
	CU_ASSERT_TRUE(span_eq((struct span){ 0 }, span_str("")));
	CU_ASSERT_TRUE(span_eq(span_trim(span_str("  a b ")), span_str("a b")));
	CU_ASSERT_EQUAL(span_trim(span_str("   ")).n, 0);
	CU_ASSERT_TRUE(span_eq(span_from(span_str("abc"), 1), span_str("bc")));
	CU_ASSERT_EQUAL(span_from(span_str("abc"), 3).n, 0);
	CU_ASSERT_EQUAL(span_from(span_str("abc"), SIZE_MAX).n, 0);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "reads_both_byte_orders", reads_both_byte_orders },
		{ "a_read_past_the_end_fails_and_stays_failed", a_read_past_the_end_fails_and_stays_failed },
		{ "takes_no_more_than_there_is", takes_no_more_than_there_is },
		{ "a_child_cannot_pass_its_parent", a_child_cannot_pass_its_parent },
		{ "nothing_is_a_cursor_too", nothing_is_a_cursor_too },
		{ "until_consumes_the_stop", until_consumes_the_stop },
		{ "spans_compare_trim_and_cut", spans_compare_trim_and_cut },
		CU_TEST_INFO_NULL,
	};
	return test_run("cursor", tests);
}
