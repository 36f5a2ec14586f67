#include "core/charset.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

static struct charset of(const char *term)
{
	struct charset c;
	int err = charset_dicom(span_str(term), &c);
	CU_ASSERT_EQUAL_FATAL(err, 0);
	return c;
}

/* Decodes an exact heap block into *mem; the text of it. */
static const char *decode(struct charset c, const void *bytes, size_t n, char *mem, size_t room, bool *ret_sound)
{
	uint8_t *exact = malloc(n ? n : 1);
	if (!exact)
		abort();
	memcpy(exact, bytes, n);
	struct buf out = buf_over(mem, room - 1);
	*ret_sound = charset_decode(c, (struct span){ exact, n }, ';', &out);
	mem[out.len] = 0;
	free(exact);
	return mem;
}

static void check(const char *terms, const char *bytes, size_t n, const char *expected)
{
	char mem[512];
	bool sound;
	CU_ASSERT_STRING_EQUAL(decode(of(terms), bytes, n, mem, sizeof(mem), &sound), expected);
	CU_ASSERT(sound == !strstr(expected, "\xef\xbf\xbd"));
}
#define CHECK(terms, bytes, expected) check(terms, bytes, sizeof(bytes) - 1, expected)

/* What iconv makes of the code; empty when it is none. */
static const char *by_iconv(iconv_t cd, const void *bytes, size_t n, char mem[16])
{
	char in[16], *from = in, *to = mem;
	size_t left = n, room = 15;
	memcpy(in, bytes, n);
	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 || left)
		to = mem;
	*to = 0;
	return mem;
}

/* Every code of `n` bytes that `next` makes: we agree with iconv or one of the two knows no such character, as `more` says. */
static unsigned compare(const char *name, struct charset c, const uint8_t *ours, size_t n, iconv_t cd, const uint8_t *theirs,
			size_t m, unsigned *ret_ours_only)
{
	char a[16], b[16];
	bool sound;
	decode(c, ours, n, a, sizeof(a), &sound);
	by_iconv(cd, theirs, m, b);
	if (!sound && !*b)
		return 0;
	if (sound && !*b) {
		(*ret_ours_only)++;
		return 0;
	}
	/* Control characters, and those that reorder text, do not leave us; six codes of GBK stand for characters behind the BMP, which its table has no room for. */
	uint32_t cp = 0;
	(void)utf8_next(span_str(b), &cp);
	if (!sound && (utf8_is_control(cp) || cp > 0xffff))
		return 0;
	if (strcmp(a, b)) {
		fprintf(stderr, "%s: %02x%02x: %s for %s\n", name, ours[n > 4], ours[n - 1], a, b);
		return 1;
	}
	return 0;
}

static iconv_t open_iconv(const char *from)
{
	iconv_t cd = iconv_open("UTF-8", from);
	CU_ASSERT_FATAL(cd != (iconv_t)-1);
	return cd;
}

static void test_one_byte_sets(void)
{
	static const struct { const char *term, *iconv; } sets[] = {
		{ "ISO_IR 100", "ISO-8859-1" }, { "ISO_IR 101", "ISO-8859-2" }, { "ISO_IR 109", "ISO-8859-3" },
		{ "ISO_IR 110", "ISO-8859-4" }, { "ISO_IR 144", "ISO-8859-5" }, { "ISO_IR 127", "ISO-8859-6" },
		{ "ISO_IR 126", "ISO-8859-7" }, { "ISO_IR 138", "ISO-8859-8" }, { "ISO_IR 148", "ISO-8859-9" },
		{ "ISO_IR 203", "ISO-8859-15" }, { "ISO_IR 166", "TIS-620" },
	};
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		iconv_t cd = open_iconv(sets[i].iconv);
		unsigned ours_only = 0;
		for (unsigned b = 0xa0; b < 0x100; b++) {
			uint8_t code = (uint8_t)b;
			CU_ASSERT_EQUAL(compare(sets[i].term, of(sets[i].term), &code, 1, cd, &code, 1, &ours_only), 0);
		}
		CU_ASSERT_EQUAL(ours_only, 0);
		iconv_close(cd);
	}
	CHECK("ISO_IR 100", "M\xfcller\x80", "M\xc3\xbcller\xef\xbf\xbd");
	CHECK("", "plain\xe9", "plain\xef\xbf\xbd");
	CHECK("ISO_IR 6", "plain", "plain");
}

static void test_two_byte_sets(void)
{
	iconv_t jis = open_iconv("EUC-JP"), kor = open_iconv("EUC-KR"), gb = open_iconv("GB2312");
	unsigned ours_only[4] = { 0 }, wrong = 0;
	for (unsigned r = 0x21; r < 0x7f; r++) {
		for (unsigned c = 0x21; c < 0x7f; c++) {
			uint8_t row = (uint8_t)r, column = (uint8_t)c, high[] = { 0x8f, (uint8_t)(r | 0x80), (uint8_t)(c | 0x80) };
			uint8_t x0208[] = { 0x1b, '$', 'B', row, column }, x0212[] = { 0x1b, '$', '(', 'D', row, column };
			wrong += compare("0208", of("\\ISO 2022 IR 87"), x0208, 5, jis, high + 1, 2, &ours_only[0]);
			wrong += compare("0212", of("\\ISO 2022 IR 159"), x0212, 6, jis, high, 3, &ours_only[1]);
			wrong += compare("1001", of("ISO 2022 IR 149"), high + 1, 2, kor, high + 1, 2, &ours_only[2]);
			wrong += compare("2312", of("ISO 2022 IR 58"), high + 1, 2, gb, high + 1, 2, &ours_only[3]);
		}
	}
	/* The middle dot and the dash of GB 2312 are other characters in GBK, and to the GNU C library. */
	CU_ASSERT_EQUAL(wrong, 2);
	/* 0208: rows 13 and 89 to 92 of the vendors; GB 2312 is read with the table of GBK, which has more. */
	CU_ASSERT(ours_only[0] > 300 && ours_only[0] < 600 && ours_only[1] == 0 && ours_only[2] == 0 && ours_only[3] < 1500);
	iconv_close(jis);
	iconv_close(kor);
	iconv_close(gb);
}

static void test_gb18030(void)
{
	iconv_t gb = open_iconv("GB18030");
	unsigned ours_only = 0, wrong = 0, four = 0;
	struct charset c = of("GB18030");
	for (unsigned a = 0x81; a < 0xff; a++) {
		for (unsigned b = 0x40; b < 0xff; b++) {
			uint8_t code[] = { (uint8_t)a, (uint8_t)b };
			wrong += compare("gbk", c, code, 2, gb, code, 2, &ours_only);
		}
	}
	for (unsigned i = 0; i < 1260 * 10 * 4 + 2000; i++) {
		unsigned n = i < 1260 * 10 * 4 ? i : 189000 + (i - 1260 * 10 * 4) * 521;
		uint8_t code[] = { (uint8_t)(0x81 + n / 12600), (uint8_t)('0' + n / 1260 % 10), (uint8_t)(0x81 + n / 10 % 126),
			           (uint8_t)('0' + n % 10) };
		wrong += compare("gb18030", c, code, 4, gb, code, 4, &ours_only);
		four++;
	}
	CU_ASSERT(four > 50000);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(ours_only, 0);
	iconv_close(gb);
	check("GBK", "\xb7\xc5\xc9\xe4", 4, "\xe6\x94\xbe\xe5\xb0\x84");
	check("GB18030", "\x81\x30\x81", 3, "\xef\xbf\xbd" "0" "\xef\xbf\xbd");
	check("GB18030", "\xff\x30\x81\x30", 4, "\xef\xbf\xbd" "0" "\xef\xbf\xbd" "0");
	check("GB18030", "\xfe\x39\xfe\x39", 4, "\xef\xbf\xbd");
	check("GB18030", "\x84\x39\x81\x30", 4, "\xef\xbf\xbd");
}

static void test_shift_jis(void)
{
	iconv_t sjis = open_iconv("CP932");
	struct charset c = { .kind = CHARSET_SHIFT_JIS };
	unsigned ours_only = 0, wrong = 0;
	char mem[64];
	bool sound;
	for (unsigned a = 0x81; a < 0xf0; a++) {
		for (unsigned b = 0x40; b < 0xfd && (a < 0xa0 || a >= 0xe0); b++) {
			uint8_t code[] = { (uint8_t)a, (uint8_t)b };
			char theirs[16], ours[16];
			if (b == 0x7f || !*by_iconv(sjis, code, 2, theirs))
				continue;
			decode(c, code, 2, ours, sizeof(ours), &sound);
			ours_only += !sound;
			wrong += sound && strcmp(ours, theirs);
		}
	}
	CU_ASSERT_EQUAL(ours_only, 0);
	CU_ASSERT(wrong < 20);          /* the signs that Microsoft maps to fullwidth forms: wave dash and its like */
	iconv_close(sjis);
	CU_ASSERT_STRING_EQUAL(decode(c, "\xb1\x95\x61\xa5\\A\x80\xfd\x81", 9, mem, sizeof(mem), &sound),
	                       "\xef\xbd\xb1\xe7\x97\x85\xef\xbd\xa5;A\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	CU_ASSERT(!sound);
}

/* PS3.5 Annex H.3: the three Japanese examples, without their delimiters of a person name; Annex I, J: Korean, Chinese. */
static void test_examples_of_the_standard(void)
{
	CHECK("\\ISO 2022 IR 87", "Yamada Tarou \x1b$B;3ED\x1b(B \x1b$BB@O:\x1b(B \x1b$B$d$^$@\x1b(B",
	      "Yamada Tarou \xe5\xb1\xb1\xe7\x94\xb0 \xe5\xa4\xaa\xe9\x83\x8e \xe3\x82\x84\xe3\x81\xbe\xe3\x81\xa0");
	CHECK("ISO 2022 IR 13\\ISO 2022 IR 87", "\xd4\xcf\xc0\xde \x1b$B;3ED\x1b(J \x1b$BB@O:\x1b(J",
	      "\xef\xbe\x94\xef\xbe\x8f\xef\xbe\x80\xef\xbe\x9e \xe5\xb1\xb1\xe7\x94\xb0 \xe5\xa4\xaa\xe9\x83\x8e");
	CHECK("\\ISO 2022 IR 149", "Hong \x1b$)C\xfb\xf3 \x1b$)C\xd1\xce\xd4\xd7", "Hong \xe6\xb4\xaa \xe5\x90\x89\xe6\xb4\x9e");
	CHECK("\\ISO 2022 IR 58", "\x1b$)A\xcd\xf5", "\xe7\x8e\x8b");
	CHECK("ISO_IR 192", "\xe7\x8e\x8b x", "\xe7\x8e\x8b x");
	CHECK("ISO_IR 192", "\xe7\x8e x\xff", "\xef\xbf\xbd x\xef\xbf\xbd");
}

/* 0x5c in the middle of a kanji is no delimiter; behind ESC ( B it is, and what a text begins with is in force again. */
static void test_state_and_delimiters(void)
{
	CHECK("\\ISO 2022 IR 87", "\x1b$B%=A\\\x1b(B\\B", "\xe3\x82\xbd\xe6\x8d\x9c;B");
	CHECK("\\ISO 2022 IR 87", "\x1b$B;3\nA", "\xe5\xb1\xb1\xef\xbf\xbd" "A");       /* a control character ends it */
	CHECK("\\ISO 2022 IR 149", "\x1b$)C\xfb\xf3\\\xfb", "\xe6\xb4\xaa;\xef\xbf\xbd");       /* G1 is gone after it */
	CHECK("ISO_IR 13", "\x5c\x7e", ";\xe2\x80\xbe");
	CHECK("ISO 2022 IR 13", "A\x1b)I\xb1\x1b(J~\x1b(I1 ", "A\xef\xbd\xb1\xe2\x80\xbe\xef\xbd\xb1 ");
	CHECK("\\ISO 2022 IR 87", "\x1b$@;3 A", "\xe5\xb1\xb1 \xef\xbf\xbd");      /* space in a two-byte set */
	CHECK("ISO_IR 100", "\x1b-F\xe1\x1bQ", "\xce\xb1\xef\xbf\xbdQ");
	CHECK("\\ISO 2022 IR 87", "\x1b$B;", "\xef\xbf\xbd");                             /* cut within a character */
	CHECK("ISO_IR 192", "a\xe2\x80\xa8" "b\xe2\x80\xae", "a\xef\xbf\xbd" "b\xef\xbf\xbd");     /* no controls of Unicode */
	CHECK("ISO_IR 192", "\x1b(B", "\xef\xbf\xbd(B");
}

static void test_terms(void)
{
	struct charset c;
	CU_ASSERT_EQUAL(of("ISO_IR 100 ").g1, CHARSET_G1_LATIN1);
	CU_ASSERT_EQUAL(of("ISO-IR 100").g1, CHARSET_G1_LATIN1);
	CU_ASSERT_EQUAL(of("ISO 2022 IR 13\\ISO 2022 IR 87").g1, CHARSET_G1_KANA);
	CU_ASSERT_EQUAL(charset_dicom((struct span){ (const uint8_t *)"ISO_IR 192\0", 11 }, &c), 0);
	CU_ASSERT_EQUAL(c.kind, CHARSET_UTF_8);
	CU_ASSERT_EQUAL(charset_dicom(span_str("ISO_IR 999"), &c), -ENOENT);
	CU_ASSERT(c.kind == CHARSET_ISO_2022 && c.g0 == CHARSET_G0_ASCII && c.g1 == CHARSET_G1_NONE);
}

/* Room for less: whole characters only. */
static void test_room(void)
{
	char mem[16];
	bool sound;
	for (size_t room = 1; room <= 7; room++) {
		decode(of("ISO_IR 192"), "\xe7\x8e\x8b\xe7\x8e\x8b", 6, mem, room, &sound);
		CU_ASSERT_EQUAL(strlen(mem), (room - 1) / 3 * 3);
		CU_ASSERT_EQUAL(sound, room == 7);
	}
}

int main(void)
{
	CU_initialize_registry();
	CU_pSuite s = CU_add_suite("charset", NULL, NULL);
#define T(name) CU_add_test(s, #name, test_##name)
	T(one_byte_sets);
	T(two_byte_sets);
	T(gb18030);
	T(shift_jis);
	T(examples_of_the_standard);
	T(state_and_delimiters);
	T(terms);
	T(room);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
