/* CSV as offices send it: encodings, separators, quotes, limits, and faults that name the cell. */
/* Covers: R056 */
#include <CUnit/Basic.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/test.h"
#include "documents/sheet.h"

static struct conf_report rep;

static struct sheet_book *read_bytes(const char *bytes, size_t n)
{
	struct sheet_book *b = NULL;
	memset(&rep, 0, sizeof(rep));
	int r = sheet_read_csv((struct span){ (const uint8_t *)bytes, n }, "x.csv", &b, &rep);
	for (size_t i = 0; i < rep.n; i++)
		fprintf(stderr, "  %s:%u: %s\n", rep.v[i].file, rep.v[i].line, rep.v[i].what);
	CU_ASSERT_EQUAL(r == 0, b != NULL);
	CU_ASSERT_EQUAL(r == 0, rep.total == 0);
	return b;
}

static struct sheet_book *read_text(const char *text) { return read_bytes(text, strlen(text)); }

static void is(const struct sheet_book *b, uint32_t row, uint32_t column, const char *want)
{
	struct span got = b ? sheet_at(b, 0, row, column) : (struct span){ 0 };
	if (!span_eq(got, span_str(want)))
		fprintf(stderr, "  %u,%u: '%.*s', not '%s'\n", (unsigned)row, (unsigned)column, (int)got.n, got.p ? (const char *)got.p : "",
			want);
	CU_ASSERT(b && span_eq(got, span_str(want)));
}

static void cells(void)
{
	struct sheet_book *b = read_text("port,protocol\r\n104, TCP \n\"5000,\"\"x\"\"\nnext\",\"\"\n\na\"b,c\n");
	is(b, 1, 1, "port");
	is(b, 2, 2, "TCP");
	is(b, 3, 1, "5000,\"x\"\nnext");
	is(b, 3, 2, "");
	is(b, 4, 1, "");
	is(b, 5, 1, "a\"b");
	is(b, 9, 9, "");
	size_t n = 0;
	(void)sheet_row(b, 0, 2, &n);
	CU_ASSERT_EQUAL(n, 2);
	(void)sheet_cells(b, 0, &n);
	CU_ASSERT_EQUAL(n, 7);
	CU_ASSERT_EQUAL(b->delimiter, ',');
	sheet_free(b);
}

static void separators(void)
{
	struct sheet_book *b = read_text("port;note\n104;1,5 s\n443;a,b\n");
	CU_ASSERT_EQUAL(b->delimiter, ';');
	is(b, 2, 2, "1,5 s");
	sheet_free(b);
	b = read_text("port\tnote\n104\ta,b;c\n");
	CU_ASSERT_EQUAL(b->delimiter, '\t');
	is(b, 2, 2, "a,b;c");
	sheet_free(b);
	/* A title above the table does not decide. */
	b = read_text("Ports; all of them\n\nport,protocol,direction\n104,TCP,in\n443,TCP,in\n");
	CU_ASSERT_EQUAL(b->delimiter, ',');
	is(b, 1, 1, "Ports; all of them");
	sheet_free(b);
}

static void encodings(void)
{
	/* ポート, twice: UTF-8 with its mark, CP932 (with NEC's circled one, which JIS X 0208 has not), UTF-16. */
	struct sheet_book *b = read_text("\xef\xbb\xbf\xe3\x83\x9d\xe3\x83\xbc\xe3\x83\x88,b\n");
	is(b, 1, 1, "\xe3\x83\x9d\xe3\x83\xbc\xe3\x83\x88");
	sheet_free(b);
	b = read_text("\x83\x7c\x81\x5b\x83\x67,\x87\x40\n");
	is(b, 1, 1, "\xe3\x83\x9d\xe3\x83\xbc\xe3\x83\x88");
	is(b, 1, 2, "\xe2\x91\xa0");
	CU_ASSERT_STRING_EQUAL(b->encoding, "CP932");
	sheet_free(b);
	static const char utf16[] = "\xff\xfe\xdd\x30\xfc\x30\xc8\x30\t\0b\0\r\0\n\0";
	b = read_bytes(utf16, sizeof(utf16) - 1);
	is(b, 1, 1, "\xe3\x83\x9d\xe3\x83\xbc\xe3\x83\x88");
	is(b, 1, 2, "b");
	sheet_free(b);
	/* What is none of them, and what is no text at all. */
	CU_ASSERT_PTR_NULL(read_text("port,b\n104,\xff\xfe\n"));
	CU_ASSERT_EQUAL(rep.v[0].line, 2);
	CU_ASSERT_EQUAL(rep.v[0].column, 5);
	CU_ASSERT_PTR_NULL(read_bytes("\x7f" "ELF\0\0\0\0\0\0\0\0\0\0\0\0", 16));
}

static void trimmed(void)
{
	/* Ideographic and no-break spaces count as blanks; control characters are taken away, and counted. */
	struct sheet_book *b = read_text("\xe3\x80\x80" "104\xc2\xa0,a\x01\xe2\x80\xae" "b\n");
	is(b, 1, 1, "104");
	is(b, 1, 2, "ab");
	CU_ASSERT_EQUAL(b->dropped, 2);
	sheet_free(b);
}

static void limits(void)
{
	CU_ASSERT_PTR_NULL(read_text("a,b\nc,\"d\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "B2: this quote is never closed"));
	static char big[SHEET_MAX_CELL + 16];
	memset(big, 'x', sizeof(big));
	memcpy(big, "a\n", 2);
	CU_ASSERT_PTR_NULL(read_bytes(big, sizeof(big)));
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "A2: holds more than 100 KiB"));
	static char wide[2 * SHEET_MAX_COLUMNS + 4];
	memset(wide, ',', sizeof(wide));
	wide[sizeof(wide) - 1] = 'x';
	CU_ASSERT_PTR_NULL(read_bytes(wide, sizeof(wide)));
	static char many[2 * (SHEET_MAX_CELLS + 1)];
	for (size_t i = 0; i < sizeof(many); i += 2)
		memcpy(many + i, "x\n", 2);
	CU_ASSERT_PTR_NULL(read_bytes(many, sizeof(many)));
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "A400001"));
	struct sheet_book *b = read_text("");
	size_t n = 1;
	(void)sheet_cells(b, 0, &n);
	CU_ASSERT_EQUAL(n, 0);
	sheet_free(b);
}

static void places(void)
{
	struct sheet_book *b = sheet_new("book.xlsx");
	char where[SHEET_WHERE];
	CU_ASSERT_EQUAL(sheet_add(b, span_str("Ports"), &rep), 0);
	CU_ASSERT_STRING_EQUAL(sheet_where(b, 0, 7, 2, where), "Ports!B7");
	CU_ASSERT_STRING_EQUAL(sheet_where(b, 0, 7, 0, where), "Ports!7");
	CU_ASSERT_STRING_EQUAL(sheet_where(b, 0, 1, 26, where), "Ports!Z1");
	CU_ASSERT_STRING_EQUAL(sheet_where(b, 0, 1, 27, where), "Ports!AA1");
	CU_ASSERT_STRING_EQUAL(sheet_where(b, 0, 349, 1022, where), "Ports!AMH349");
	memset(&rep, 0, sizeof(rep));
	/* Out of order is put in order; twice is refused. */
	CU_ASSERT_EQUAL(sheet_put(b, 2, 1, span_str("b"), &rep), 0);
	CU_ASSERT_EQUAL(sheet_put(b, 1, 1, span_str("a"), &rep), 0);
	CU_ASSERT_EQUAL(sheet_sort(b, &rep), 0);
	is(b, 1, 1, "a");
	CU_ASSERT_EQUAL(sheet_put(b, 1, 1, span_str("c"), &rep), 0);
	CU_ASSERT_EQUAL(sheet_sort(b, &rep), -EEXIST);
	CU_ASSERT_STRING_EQUAL(rep.v[0].what, "Ports!A1: this cell is written twice in the file");
	CU_ASSERT_STRING_EQUAL(rep.v[0].file, "book.xlsx");
	sheet_free(b);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "cells", cells }, { "separators", separators }, { "encodings", encodings }, { "trimmed", trimmed },
		{ "limits", limits }, { "places", places }, CU_TEST_INFO_NULL
	};
	return test_run("sheet", tests);
}
