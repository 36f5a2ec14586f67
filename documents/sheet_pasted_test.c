/* Tables pasted out of PDFs: columns by blanks, by place, by number. */
/* Covers: R056 */
#include <CUnit/Basic.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/test.h"
#include "documents/sheet_pasted.h"

static struct conf_report rep;
static struct sheet_book *book;

static void read_lines(const char *text)
{
	sheet_free(book);
	book = NULL;
	memset(&rep, 0, sizeof(rep));
	CU_ASSERT_EQUAL_FATAL(sheet_pasted_read(span_str(text), "x.txt", &book, &rep), 0);
}

static void is(uint32_t row, uint32_t column, const char *want)
{
	struct span got = sheet_at(book, 0, row, column);
	if (!span_eq(got, span_str(want)))
		fprintf(stderr, "  %u,%u: '%.*s', not '%s'\n", (unsigned)row, (unsigned)column, (int)got.n, got.p ? (const char *)got.p : "",
			want);
	CU_ASSERT(span_eq(got, span_str(want)));
}

static void by_place(void)
{
	/* Empty cells: what is there stands below its heading. */
	read_lines("Ports of CT-64         Rev. 6\n\n"
		   "Service          Port Number   Protocol   Direction   Peer     Notes\n"
		   "DICOM store      104           TCP        Outbound    PACS\n"
		   "Web console      443           HTTPS      Inbound              configurable\n"
		   "Remote service   3389          TCP                    vendor   on request\n"
		   "All others are closed.\n");
	is(1, 1, "Ports of CT-64");
	is(1, 2, "Rev. 6");
	is(3, 2, "Port Number");
	is(4, 1, "DICOM store");
	is(4, 5, "PACS");
	is(5, 4, "Inbound");
	is(5, 5, "");
	is(5, 6, "configurable");
	is(6, 4, "");
	is(6, 5, "vendor");
	is(7, 1, "All others are closed.");
}

static void wide(void)
{
	/* Ideographic blanks, and characters that take two columns. */
	read_lines("項番　　ポート番号　　プロトコル　　方向　　接続先\nX-1　　１０４　　DICOM　　発信　　PACS\n"
		   "X-2　　443　　　　　　HTTPS　　　　　　　　　管理端末\n");
	is(2, 2, "１０４");
	is(2, 5, "PACS");
	is(3, 3, "HTTPS");
	is(3, 4, "");
	is(3, 5, "管理端末");
}

static void by_number(void)
{
	/* One blank between everything: only lines of as many words as there are headings are a row. */
	read_lines("Port Number Protocol Direction Peer\n104 DICOM Outbound PACS\n8080 HTTP Inbound the service PC\n");
	is(1, 1, "Port Number");
	is(1, 4, "Peer");
	is(2, 1, "104");
	is(2, 4, "PACS");
	is(3, 1, "8080 HTTP Inbound the service PC");
	is(3, 2, "");
}

static void tabs(void)
{
	read_lines("Port\tProtocol\tDirection\n104\tTCP\tin\n");
	is(2, 3, "in");
}

static void none(void)
{
	struct sheet_book *b = NULL;
	CU_ASSERT_EQUAL(sheet_pasted_read(span_str("no table\nat all\n"), "x.txt", &b, &rep), -ENOENT);
	CU_ASSERT_EQUAL(sheet_pasted_read(span_str(""), "x.txt", &b, &rep), -ENOENT);
	CU_ASSERT_EQUAL(sheet_pasted_read(span_str("the port\nprotocol\n"), "x.txt", &b, &rep), -ENOENT);
	/* A spreadsheet is not looked through line by line for headings: only what a person may have pasted is. */
	static char large[SHEET_PASTED_MAX + 1];
	memset(large, '\n', sizeof(large));
	memcpy(large, "Port\tProtocol\n104\tTCP\n", 23);
	CU_ASSERT_EQUAL(sheet_pasted_read((struct span){ (uint8_t *)large, sizeof(large) }, "x.txt", &b, &rep), -ENOENT);
	CU_ASSERT_PTR_NULL(b);
	CU_ASSERT_EQUAL(sheet_pasted_read((struct span){ (uint8_t *)large, SHEET_PASTED_MAX }, "x.txt", &b, &rep), 0);
	sheet_free(b);
	sheet_free(book);
	book = NULL;
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "by place", by_place }, { "wide", wide }, { "by number", by_number }, { "tabs", tabs }, { "none", none }, CU_TEST_INFO_NULL
	};
	return test_run("sheet_pasted", tests);
}
