/* Workbooks: what the cells say, and what is refused. */
/* Covers: R056 R075 */
#include <CUnit/Basic.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "core/err.h"
#include "core/test.h"
#include "documents/sheet_xlsx.h"

static struct conf_report rep;

struct file { const char *name, *text; size_t n; };

#define RELATIONS "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define MAIN "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#define ROOT_RELS "<Relationships><Relationship Id=\"r1\" Type=\"" RELATIONS "/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
#define BOOK "<workbook xmlns=\"" MAIN "\" xmlns:r=\"" RELATIONS "\"><sheets><sheet name=\"Ports\" sheetId=\"1\" r:id=\"r1\"/>" \
	"<sheet name=\"&#x5099;&#x8003;\" sheetId=\"2\" state=\"hidden\" r:id=\"r2\"/></sheets></workbook>"
#define BOOK_RELS "<Relationships><Relationship Id=\"r1\" Type=\"" RELATIONS "/worksheet\" Target=\"worksheets/a.xml\"/>" \
	"<Relationship Id=\"r2\" Type=\"" RELATIONS "/worksheet\" Target=\"/xl/worksheets/b.xml\"/>" \
	"<Relationship Id=\"r3\" Type=\"" RELATIONS "/sharedStrings\" Target=\"strings.xml\"/>" \
	"<Relationship Id=\"r4\" Type=\"" RELATIONS "/styles\" Target=\"styles.xml\"/></Relationships>"
#define STRINGS "<sst xmlns=\"" MAIN "\"><si><t>Port </t></si>" \
	"<si><r><t>TC</t></r><r><t>P</t></r></si><si><t>&#x756a;&#x53f7;</t><rPh sb=\"0\" eb=\"2\"><t>&#x30d0;&#x30f3;</t></rPh></si></sst>"
#define STYLES "<styleSheet xmlns=\"" MAIN "\"><numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy&quot;x&quot;m\"/>" \
	"<numFmt numFmtId=\"165\" formatCode=\"0&quot;days&quot;\"/></numFmts><cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>" \
	"<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/><xf numFmtId=\"165\"/></cellXfs></styleSheet>"
#define SHEET_A "<worksheet xmlns=\"" MAIN "\"><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c></row>" \
	"<row r=\"3\"><c r=\"A3\"><v>104</v></c><c r=\"B3\" t=\"b\"><v>1</v></c><c r=\"C3\" s=\"1\"><v>43747</v></c>" \
	"<c r=\"D3\" s=\"2\"><v>43747</v></c><c r=\"E3\" s=\"3\"><v>43747</v></c><c r=\"F3\" t=\"str\"><f>=C6</f><v>made</v></c>" \
	"<c r=\"G3\" t=\"inlineStr\"><is><t>in</t><t>line</t></is></c><c r=\"H3\" s=\"1\"/><c r=\"I3\"><v>104.0</v></c>" \
	"<c r=\"J3\" s=\"1\"><v>43747.5</v></c><c r=\"K3\" t=\"s\"><v>2</v></c><c r=\"AMH3\"><v>1</v></c></row></sheetData>" \
	"<mergeCells><mergeCell ref=\"A1:B1\"/><mergeCell ref=\"D3:D5\"/><mergeCell ref=\"x\"/><mergeCell/></mergeCells></worksheet>"
#define SHEET_B "<x:worksheet xmlns:x=\"" MAIN "\"><x:sheetData><x:row><x:c t=\"inlineStr\"><x:is><x:t>b</x:t></x:is></x:c></x:row>" \
	"</x:sheetData></x:worksheet>"

static const struct file good[] = {
	{ "_rels/.rels", ROOT_RELS, 0 }, { "xl/workbook.xml", BOOK, 0 }, { "xl/_rels/workbook.xml.rels", BOOK_RELS, 0 },
	{ "xl/strings.xml", STRINGS, 0 }, { "xl/styles.xml", STYLES, 0 }, { "xl/worksheets/a.xml", SHEET_A, 0 },
	{ "xl/worksheets/b.xml", SHEET_B, 0 },
};
enum { GOOD = sizeof(good) / sizeof(good[0]), MAX = GOOD + 2 };

static char zipped[1 << 20];

/* The files as a container in `zipped`; its length. */
static size_t pack(const struct file *files, size_t n, const char *password)
{
	char path[] = "/tmp/spanward-xlsx-XXXXXX";
	int fd = mkstemp(path), err = 0;
	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(z);
	for (size_t i = 0; i < n; i++) {
		size_t len = files[i].n ? files[i].n : strlen(files[i].text);
		zip_int64_t at = zip_file_add(z, files[i].name, zip_source_buffer(z, files[i].text, len, 0), 0);
		CU_ASSERT_FATAL(at >= 0);
		if (password)
			CU_ASSERT_FATAL(!zip_file_set_encryption(z, (zip_uint64_t)at, ZIP_EM_AES_256, password));
	}
	CU_ASSERT_FATAL(!zip_close(z));
	FILE *f = fopen(path, "rb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	size_t got = fread(zipped, 1, sizeof(zipped), f);
	fclose(f);
	unlink(path);
	return got;
}

static struct sheet_book *read_zipped(size_t n)
{
	struct sheet_book *b = NULL;
	memset(&rep, 0, sizeof(rep));
	int r = sheet_xlsx_read((struct span){ (uint8_t *)zipped, n }, "x.xlsx", &b, &rep);
	CU_ASSERT_EQUAL(r == 0, b != NULL);
	CU_ASSERT_EQUAL(r == 0, rep.total == 0);
	return b;
}

/* The good workbook with one part changed or one more. */
static void refused(const char *name, const char *text, size_t n, const char *why)
{
	struct file files[MAX];
	size_t count = GOOD;
	memcpy(files, good, sizeof(good));
	size_t i = 0;
	while (i < GOOD && strcmp(files[i].name, name))
		i++;
	if (!text) {
		files[i] = files[GOOD - 1];
		count--;
	} else {
		files[i] = (struct file){ name, text, n };
		count += i == GOOD;
	}
	struct sheet_book *b = read_zipped(pack(files, count, NULL));
	CU_ASSERT_PTR_NULL(b);
	sheet_free(b);
	if (!strstr(rep.v[0].what, why))
		fprintf(stderr, "  %s: '%s', not '%s'\n", name, rep.v[0].what, why);
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, why));
}

static void is(const struct sheet_book *b, size_t sheet, uint32_t row, uint32_t column, const char *want)
{
	struct span got = sheet_at(b, sheet, row, column);
	if (!span_eq(got, span_str(want)))
		fprintf(stderr, "  %zu %u,%u: '%.*s', not '%s'\n", sheet, (unsigned)row, (unsigned)column, (int)got.n,
			got.p ? (const char *)got.p : "", want);
	CU_ASSERT(span_eq(got, span_str(want)));
}

static void cells(void)
{
	struct sheet_book *b = read_zipped(pack(good, GOOD, NULL));
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	CU_ASSERT_EQUAL(b->n_sheets, 2);
	CU_ASSERT_STRING_EQUAL(b->names[0], "Ports");
	CU_ASSERT_STRING_EQUAL(b->names[1], "\xe5\x82\x99\xe8\x80\x83");
	is(b, 0, 1, 1, "Port");
	is(b, 0, 1, 2, "TCP");
	is(b, 0, 3, 1, "104");
	is(b, 0, 3, 2, "TRUE");
	is(b, 0, 3, 3, "2019-10-09");
	is(b, 0, 3, 4, "2019-10-09");
	is(b, 0, 4, 4, "2019-10-09");
	is(b, 0, 5, 4, "2019-10-09");
	is(b, 0, 6, 4, "");
	CU_ASSERT_EQUAL(b->filled, 2);
	is(b, 0, 3, 5, "43747");
	is(b, 0, 3, 6, "made");
	is(b, 0, 3, 7, "inline");
	is(b, 0, 3, 8, "");
	is(b, 0, 3, 9, "104");
	is(b, 0, 3, 10, "2019-10-09T12:00:00");
	is(b, 0, 3, 11, "\xe7\x95\xaa\xe5\x8f\xb7");
	is(b, 0, 3, 1022, "1");
	is(b, 1, 1, 1, "b");
	sheet_free(b);
}

static void hostile(void)
{
	refused("xl/vbaProject.bin", "x", 0, "macros");
	refused("xl/_rels/workbook.xml.rels",
		"<Relationships><Relationship Id=\"r9\" Type=\"http://schemas.microsoft.com/office/2006/relationships/vbaProject\" "
		"Target=\"hidden.bin\"/></Relationships>", 0, "macros");
	refused("xl/worksheets/a.xml",
		"<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><worksheet>&b;</worksheet>", 0,
		"document type declaration");
	refused("xl/worksheets/a.xml", "<worksheet><sheetData><row><c r=\"A1\"><v>1</v>", 0, "damaged");
	refused("xl/worksheets/a.xml", "<worksheet><c r=\"ZZZZ1\"><v>1</v></c></worksheet>", 0, "is no cell");
	refused("xl/worksheets/a.xml", "<worksheet><row><c r=\"A1\" t=\"s\"><v>9</v></c></row></worksheet>", 0, "Ports!A1: refers to a text");
	refused("xl/worksheets/a.xml", "<worksheet><row><c r=\"A1\"><v>1</v></c><c r=\"A1\"><v>2</v></c></row></worksheet>", 0,
		"Ports!A1: this cell is written twice");
	refused("xl/worksheets/a.xml", NULL, 0, "not in the file");
	refused("xl/workbook.xml", "<workbook/>", 0, "a sheet is not in the file");
	refused("_rels/.rels", NULL, 0, "no workbook");
	static char nested[1024];
	for (size_t i = 0; i < sizeof(nested) / 3; i++)
		memcpy(nested + 3 * i, "<a>", 3);
	refused("xl/worksheets/a.xml", nested, sizeof(nested) / 3 * 3, "nested more than");
	/* One endless token, one endless text, one endless file: the memory that each takes is bounded. */
	enum { BIG = SHEET_XLSX_MAX_PART + (1 << 20) };
	char *big = malloc(BIG);
	CU_ASSERT_PTR_NOT_NULL_FATAL(big);
	memset(big, ' ', BIG);
	memcpy(big, "<a b=\"", 6);
	refused("xl/worksheets/a.xml", big, 3 << 20, "without a tag");
	memset(big, 'x', BIG);
	memcpy(big, "<row><c><v>", 11);
	refused("xl/worksheets/a.xml", big, SHEET_MAX_CELL * 2, "a text of more than");
	refused("xl/media/image1.png", big, BIG, "zip bomb");
	memset(big, ' ', BIG);
	memcpy(big, "<row>", 5);
	for (size_t i = 5; i + 9 < BIG; i += 8)
		memcpy(big + i, "<c></c> ", 8);
	refused("xl/worksheets/a.xml", big, SHEET_XLSX_MAX_PART - 1, "zip bomb");
	free(big);
}

static void containers(void)
{
	struct sheet_book *b = read_zipped(pack(good, GOOD, "secret"));
	CU_ASSERT_PTR_NULL(b);
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "is encrypted"));
	memcpy(zipped, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
	CU_ASSERT(sheet_xlsx_is((struct span){ (uint8_t *)zipped, 8 }));
	b = read_zipped(512);
	CU_ASSERT_PTR_NULL(b);
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "without a password"));
	/* Every cut, and every byte wrong: an answer with a reason, or the workbook. */
	size_t n = pack(good, GOOD, NULL);
	for (size_t cut = 0; cut < n; cut += 7)
		CU_ASSERT_PTR_NULL(read_zipped(cut));
	for (size_t i = 0; i < n; i++) {
		zipped[i] ^= 0x41;
		sheet_free(read_zipped(n));
		zipped[i] ^= 0x41;
	}
	/* A directory that claims 65,535 files. */
	memcpy(zipped + n - 12, "\xff\xff", 2);
	CU_ASSERT_PTR_NULL(read_zipped(n));
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "more files than"));
	CU_ASSERT(!sheet_xlsx_is(span_str("a,b")));
}

int main(void)
{
	CU_TestInfo tests[] = { { "cells", cells }, { "hostile", hostile }, { "containers", containers }, CU_TEST_INFO_NULL };
	return test_run("sheet_xlsx", tests);
}
