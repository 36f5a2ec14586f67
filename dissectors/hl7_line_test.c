#include "dissectors/hl7_line.h"

#include <stdlib.h>
#include <string.h>

#include "core/test.h"

static uint32_t state = 1;

static uint32_t rnd(void)
{
	state = state * 1664525u + 1013904223u;
	return state >> 16;
}

/* A block of exactly these bytes. */
static struct span exact(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		abort();
	memcpy(copy, p, n);
	return (struct span){ copy, n };
}

/* What hl7_line_scan promises, byte by byte. */
static bool plainly(struct span in, size_t from, uint8_t separator, size_t *ret_n, unsigned *ret_separators)
{
	size_t n = 0;
	unsigned separators = 0;
	while (from + n < in.n && in.p[from + n] >= 0x20 && in.p[from + n] < 0x80)
		separators += in.p[from + n++] == separator;
	*ret_n = n;
	*ret_separators = separators;
	if (from + n >= in.n || in.n < SCAN_BYTES || n > HL7_LINE_MAX)
		return false;
	uint8_t end = in.p[from + n];
	return end == HL7_CR || end == HL7_LF || end == HL7_FS;
}

static void compare(struct span in, size_t from)
{
	struct hl7_line l;
	size_t n;
	unsigned separators;
	memset(&l, 0xa5, sizeof(l));
	bool want = plainly(in, from, '|', &n, &separators), is = hl7_line_scan(in, from, '|', &l);
	CU_ASSERT_EQUAL(is, want);
	memset(&l, 0xa5, sizeof(l));
	CU_ASSERT_EQUAL(hl7_line_quick(in, from, '|', &l), want);
	if (!is || !want)
		return;
	CU_ASSERT(l.text.p == in.p + from && l.text.n == n && l.n == separators);
	struct span rest = l.text, coding = hl7_line_coding(&l, '^');
	struct span third = hl7_msh_nth(hl7_msh_nth(l.text, 4, '|', HL7_GUESS), 3, '^', HL7_GUESS);
	CU_ASSERT(coding.n == third.n && coding.p == third.p);
	for (size_t i = 1; i < 8; i++)
		CU_ASSERT(third.n != i || hl7_line_may_code(&l, '^', i));
	/* Of what is short and has something behind it, it is known. */
	if (n <= 64 && in.n - from >= n + SCAN_BYTES && third.n && third.n < SCAN_BYTES &&
	    hl7_line_field(&l, 3).n <= SCAN_BYTES)
		CU_ASSERT(!hl7_line_may_code(&l, '^', third.n + 1));
	for (unsigned f = 0; f <= separators + 2; f++) {
		struct span field = hl7_line_field(&l, f), nth = hl7_msh_nth(l.text, f + 1, '|', HL7_GUESS);
		CU_ASSERT(field.n == nth.n && (f > separators ? !field.p : field.p == rest.p));
		rest.p += field.n + 1;
	}
}

/* Every length up to two words and a half, at every place of the input, with every byte that ends one or does not. */
static void lines_of_every_length_and_place(void)
{
	static const uint8_t ends[] = { HL7_CR, HL7_LF, HL7_FS, HL7_VT, '\t', 0, 0x1b, 0x80, 0xff };
	uint8_t p[300];
	for (size_t n = 0; n < 160; n++)
		for (size_t from = 0; from < 40; from += from < 17 ? 1 : 7)
			for (size_t behind = 0; behind < 20; behind++) {
				uint8_t end = ends[rnd() % sizeof(ends)];
				memset(p, HL7_CR, from);
				for (size_t i = 0; i < n; i++)
					p[from + i] = rnd() % 5 ? (uint8_t)(' ' + rnd() % 0x60) : rnd() % (n / 8 + 1) ? '^' : '|';
				p[from + n] = end;
				for (size_t i = 0; i < behind; i++)
					p[from + n + 1 + i] = rnd() % 3 ? '|' : HL7_CR;
				struct span in = exact(p, from + n + 1 + behind);
				compare(in, from);
				in.n = from + n;        /* its end has not come */
				compare(in, from);
				free((void *)(uintptr_t)in.p);
			}
}

static void long_lines(void)
{
	uint8_t p[HL7_LINE_MAX + 40];
	for (size_t n = 440; n < HL7_LINE_MAX + 4; n++)
		for (unsigned often = 1; often < 200; often = often * 3 + 1) {
			for (size_t i = 0; i < n; i++)
				p[i] = rnd() % often ? 'a' : rnd() % 3 ? '^' : '|';
			memset(p + n, HL7_CR, sizeof(p) - n);
			struct span in = exact(p, n + 1 + rnd() % 30);
			compare(in, 0);
			free((void *)(uintptr_t)in.p);
		}
}

static bool same(struct span a, struct span b) { return a.n == b.n && (!a.n || a.p == b.p); }

/* As hl7_msh_split() has it, with none to many fields, blanks around them, and any encoding characters. */
static void headers_are_split_alike(void)
{
	static const char *const encodings[] = { "^~\\&", "^~\\", "^~\\&#", "#*!$", " ^~", "" };
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t p[400];
		struct buf b = buf_over(p, sizeof(p));
		(void)buf_str(&b, "MSH|");
		(void)buf_str(&b, encodings[rnd() % 6]);
		for (unsigned f = rnd() % 24; f; f--) {
			static const char *const texts[] = { "", "", " ", "ORU^R01", " A ", "20260101101010", "2.5.1", "B\\S\\ C" };
			(void)buf_u8(&b, '|');
			(void)buf_str(&b, texts[rnd() % 8]);
		}
		size_t n = b.len;
		(void)buf_str(&b, "\rPID|1|NOBODY      ");
		struct span in = exact(p, b.len);
		struct hl7_line l;
		struct hl7_msh a, c;
		CU_ASSERT_FATAL(hl7_line_scan(in, 0, '|', &l) && l.text.n == n);
		hl7_line_msh(&l, &a);
		hl7_msh_split(l.text, HL7_GUESS, &c);
		for (unsigned f = 1; f <= HL7_MSH_FIELDS; f++)
			CU_ASSERT(same(a.field[f], c.field[f]));
		CU_ASSERT(a.separator == c.separator && a.component == c.component && a.repetition == c.repetition &&
			  a.escape == c.escape && a.subcomponent == c.subcomponent && a.family == c.family);
		free((void *)(uintptr_t)in.p);
	}
}

int main(void)
{
	CU_pSuite s = test_begin("hl7_line");
	CU_ADD_TEST(s, lines_of_every_length_and_place);
	CU_ADD_TEST(s, long_lines);
	CU_ADD_TEST(s, headers_are_split_alike);
	return test_end();
}
