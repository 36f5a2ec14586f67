#include "core/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "core/utf8.h"

static char mem[4096];

static const char *as_json(const char *bytes, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);
	memcpy(exact, bytes, n);
	struct buf b = buf_over(mem, sizeof(mem) - 1);
	CU_ASSERT(json_string(&b, (struct span){ exact, n }) == 0);
	mem[b.len] = 0;
	free(exact);
	return mem;
}

#define IS(in, out) CU_ASSERT_STRING_EQUAL(as_json(in, sizeof(in) - 1), out)

static void strings_are_quoted_and_escaped(void)
{
	IS("", "\"\"");
	IS("abc", "\"abc\"");
	IS("a\"b\\c/", "\"a\\\"b\\\\c/\"");
	IS("\0\x1f\n\x7f", "\"\\u0000\\u001f\\u000a\\u007f\"");
	IS("\xe6\x94\xbe\xe5\xb0\x84\xe7\xb7\x9a", "\"\xe6\x94\xbe\xe5\xb0\x84\xe7\xb7\x9a\"");
	IS("\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"");
}

static void terminal_and_bidi_controls_are_escaped(void)
{
	IS("\x1b[31m", "\"\\u001b[31m\"");
	IS("\xc2\x9b", "\"\\u009b\"");                   /* CSI as one C1 character */
	IS("\xe2\x80\xae", "\"\\u202e\"");               /* right-to-left override */
	IS("\xe2\x80\xa8\xe2\x81\xa9", "\"\\u2028\\u2069\"");
	IS("\xe2\x80\xaf\xc2\xa0", "\"\xe2\x80\xaf\xc2\xa0\"");
}

#define R "\xef\xbf\xbd"

static void bad_utf8_becomes_replacement_characters(void)
{
	IS("\x80", "\"" R "\"");
	IS("a\xff" "b", "\"a" R "b\"");
	IS("\xc3(", "\"" R "(\"");
	IS("\xc0\xaf", "\"" R R "\"");                   /* long form of '/' */
	IS("\xed\xa0\x80", "\"" R R R "\"");             /* a surrogate */
	IS("\xe6\x94", "\"" R "\"");                     /* cut short */
	IS("\xf0\x9f\x98", "\"" R "\"");
	IS("\xf4\x90\x80\x80", "\"" R R R R "\"");       /* past U+10FFFF */
}

/* A byte that is escaped, or none that is, at every place of texts around eight bytes and their multiples. */
static void every_place_of_a_text_is_looked_at(void)
{
	static const struct { char byte; const char *as; } t[] = { { '"', "\\\"" }, { '\\', "\\\\" }, { '\n', "\\u000a" }, { '\x7f', "\\u007f" },
								   { '\x80', R }, { 'x', "x" } };
	for (size_t n = 1; n < 35; n++)
		for (size_t at = 0; at < n; at++)
			for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
				char in[40], out[80];
				memset(in, 'a', n);
				in[at] = t[i].byte;
				struct buf b = buf_over(out, sizeof(out));
				buf_u8(&b, '"');
				buf_put(&b, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", at);
				buf_str(&b, t[i].as);
				buf_put(&b, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", n - at - 1);
				buf_put(&b, "\"", 2);
				CU_ASSERT_STRING_EQUAL(as_json(in, n), out);
			}
}

/* What the escaper writes must itself be UTF-8 without controls, for every pair of bytes. */
static void every_pair_of_bytes_comes_out_clean(void)
{
	for (unsigned i = 0; i < 65536; i++) {
		char in[2] = { (char)(i >> 8), (char)i };
		const char *out = as_json(in, 2);
		struct span s = span_str(out);
		CU_ASSERT(utf8_valid(s));
		while (s.n) {
			uint32_t cp = 0;
			int n = utf8_next(s, &cp);
			if (n <= 0 || utf8_is_control(cp)) {
				CU_FAIL("control character in the output");
				break;
			}
			s = span_from(s, (size_t)n);
		}
	}
}

static void every_character_is_read_back(void)
{
	unsigned good = 0;
	for (uint32_t cp = 0; cp <= 0x110000; cp++) {
		uint8_t w[4];
		size_t n = 0;
		if (cp < 0x80) {
			w[n++] = (uint8_t)cp;
		} else if (cp < 0x800) {
			w[n++] = (uint8_t)(0xc0 | cp >> 6);
			w[n++] = (uint8_t)(0x80 | (cp & 63));
		} else if (cp < 0x10000) {
			w[n++] = (uint8_t)(0xe0 | cp >> 12);
			w[n++] = (uint8_t)(0x80 | (cp >> 6 & 63));
			w[n++] = (uint8_t)(0x80 | (cp & 63));
		} else {
			w[n++] = (uint8_t)(0xf0 | cp >> 18);
			w[n++] = (uint8_t)(0x80 | (cp >> 12 & 63));
			w[n++] = (uint8_t)(0x80 | (cp >> 6 & 63));
			w[n++] = (uint8_t)(0x80 | (cp & 63));
		}
		uint32_t got = 0;
		int r = utf8_next((struct span){ w, n }, &got);
		good += r == (int)n && got == cp;
	}
	CU_ASSERT_EQUAL(good, 0x110000 - 0x800);
}

static void numbers_at_their_limits(void)
{
	struct buf b = buf_over(mem, sizeof(mem) - 1);
	(void)buf_u8(&b, '[');
	static const uint64_t u[] = { 0, 9, 10, UINT64_MAX };
	static const int64_t i[] = { 0, -1, INT64_MIN, INT64_MAX };
	for (int k = 0; k < 4; k++) {
		(void)json_next(&b);
		(void)json_uint(&b, u[k]);
		(void)json_next(&b);
		(void)json_int(&b, i[k]);
	}
	CU_ASSERT(buf_u8(&b, ']') == 0);
	mem[b.len] = 0;
	CU_ASSERT_STRING_EQUAL(mem, "[0,0,9,-1,10,-9223372036854775808,18446744073709551615,9223372036854775807]");
}

static void commas_stand_between_only(void)
{
	struct buf b = buf_over(mem, sizeof(mem) - 1);
	(void)buf_u8(&b, '{');
	(void)json_key(&b, "a");
	(void)buf_u8(&b, '{');
	(void)json_key(&b, "b");
	(void)json_bool(&b, true);
	(void)buf_u8(&b, '}');
	(void)json_key(&b, "c\n");
	(void)json_str(&b, "[");
	(void)json_key(&b, "d");
	(void)json_str(&b, "{");
	CU_ASSERT(buf_u8(&b, '}') == 0);
	mem[b.len] = 0;
	CU_ASSERT_STRING_EQUAL(mem, "{\"a\":{\"b\":true},\"c\\u000a\":\"[\",\"d\":\"{\"}");
}

static void says_when_the_buffer_is_full(void)
{
	for (size_t cap = 0; cap < 8; cap++) {
		struct buf b = buf_over(mem, cap);
		CU_ASSERT(json_str(&b, "a\nb") == -ENOBUFS && b.full);
	}
	struct buf b = buf_over(mem, 10);
	CU_ASSERT(json_str(&b, "a\nb") == 0 && b.len == 10);
}

int main(void)
{
	CU_pSuite s = test_begin("json");
	CU_ADD_TEST(s, strings_are_quoted_and_escaped);
	CU_ADD_TEST(s, terminal_and_bidi_controls_are_escaped);
	CU_ADD_TEST(s, bad_utf8_becomes_replacement_characters);
	CU_ADD_TEST(s, every_place_of_a_text_is_looked_at);
	CU_ADD_TEST(s, every_pair_of_bytes_comes_out_clean);
	CU_ADD_TEST(s, every_character_is_read_back);
	CU_ADD_TEST(s, numbers_at_their_limits);
	CU_ADD_TEST(s, commas_stand_between_only);
	CU_ADD_TEST(s, says_when_the_buffer_is_full);
	return test_end();
}
