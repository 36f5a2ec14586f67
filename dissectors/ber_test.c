#include "dissectors/ber.h"

#include "dissectors/try.h"

static struct try_bytes bytes;

static struct cursor over(const char *text)
{
	try_read(text, &bytes);
	return cursor_from((struct span){ bytes.b, bytes.n });
}

static void lengths_short_and_long(void)
{
	uint8_t tag;
	struct span v;
	struct cursor c = over("0401aa 048101bb 04820001cc 0484000000 01dd");
	static const uint8_t want[] = { 0xaa, 0xbb, 0xcc, 0xdd };
	for (size_t i = 0; i < 4; i++)
		CU_ASSERT(ber_next(&c, &tag, &v) && tag == BER_OCTETS && v.n == 1 && v.p[0] == want[i]);
	CU_ASSERT_EQUAL(cursor_left(&c), 0);
	static const char *const bad[] = { "04", "0402aa", "0480aa", "048500000000 01aa", "1f01aa", "0482 01", "0484ffffffff00" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c = over(bad[i]);
		CU_ASSERT(!ber_next(&c, &tag, &v) && !cursor_ok(&c));
	}
}

static void what_is_entered_and_found(void)
{
	struct span v;
	struct cursor c = over("3006 020105 0a0102"), in = ber_enter(&c, BER_SEQUENCE);
	CU_ASSERT(ber_find(&in, BER_ENUM, &v) && ber_uint(v) == 2);
	CU_ASSERT(!ber_find(&in, BER_ENUM, &v));
	c = over("3003 020105");
	in = ber_enter(&c, BER_OCTETS);
	CU_ASSERT(!cursor_ok(&in) && !cursor_ok(&c));
	CU_ASSERT_EQUAL(ber_uint((struct span){ 0 }), UINT32_MAX);
	static const uint8_t five[5] = { 0 };
	CU_ASSERT_EQUAL(ber_uint((struct span){ five, 5 }), UINT32_MAX);
}

static void a_head_is_read_as_it_comes(void)
{
	static const uint8_t big[] = { 0x30, 0x82, 0x01, 0x00, 0 }, bad[] = { 0x30, 0x85 };
	size_t total = 0;
	for (size_t n = 0; n <= sizeof(big); n++)
		CU_ASSERT_EQUAL(ber_head((struct span){ big, n }, 0x30, &total), n < 4 ? DISSECT_MAYBE : DISSECT_YES);
	CU_ASSERT_EQUAL(total, 260);
	CU_ASSERT_EQUAL(ber_head((struct span){ big, 5 }, 0x31, &total), DISSECT_NO);
	CU_ASSERT_EQUAL(ber_head((struct span){ bad, 2 }, 0x30, &total), DISSECT_NO);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "lengths short and long", lengths_short_and_long },
		{ "what is entered and found", what_is_entered_and_found },
		{ "a head is read as it comes", a_head_is_read_as_it_comes },
		CU_TEST_INFO_NULL,
	};
	return test_run("ber", tests);
}
