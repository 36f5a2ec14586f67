/* table.c: columns stand under each other whatever the script, and no cell can move the cursor. */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "core/test.h"

#define CELL(s) { { (const uint8_t *)(s), sizeof(s) - 1 }, TABLE_PLAIN }

static const struct table_column columns[] = { { "DEVICE", false }, { "COUNT", true }, { "WHAT", false } };

/* What `rows` rows of three cells print. The caller frees. */
static char *printed(const struct table_cell (*rows)[3], size_t n, bool color, unsigned width)
{
	char *text = NULL;
	size_t size = 0;
	struct out o = { .to = open_memstream(&text, &size) };
	struct table *t = table_new(&o, columns, 3, color, width);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(table_row(t, rows[i]), 0);
	table_end(t);
	table_free(t);
	(void)fclose(o.to);
	return text;
}

static void aligns_wide_characters(void)
{
	static const struct table_cell rows[][3] = {
		{ CELL("CT-1"), CELL("1"), CELL("x") },
		{ CELL("\xe6\x94\xbe\xe5\xb0\x84\xe7\xb7\x9a CT"), CELL("10000"), CELL("y") },         /* 放射線 CT */
	};
	char *text = printed(rows, 2, false, 0);
	CU_ASSERT_STRING_EQUAL(text, "DEVICE     COUNT  WHAT\n"
	                             "CT-1           1  x\n"
	                             "\xe6\x94\xbe\xe5\xb0\x84\xe7\xb7\x9a CT  10000  y\n");
	free(text);
}

static void prints_nothing_without_rows(void)
{
	char *text = printed(NULL, 0, false, 0);
	CU_ASSERT_STRING_EQUAL(text, "");
	free(text);
	table_free(NULL);
}

static void escapes_what_moves_the_cursor(void)
{
	static const struct table_cell rows[][3] = { { CELL("a\033[2Jb"), CELL("\xff"), CELL("\xe2\x80\xae" "c\n\x9b") } };
	char *text = printed(rows, 1, false, 0);
	CU_ASSERT_PTR_NULL(strchr(text, '\033'));
	CU_ASSERT_PTR_NULL(strstr(text, "\xe2\x80\xae"));
	CU_ASSERT_PTR_NULL(strchr(text, '\x9b'));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "a\xef\xbf\xbd[2Jb"));
	char *first = strchr(text, '\n');
	CU_ASSERT_PTR_NOT_NULL_FATAL(first);
	CU_ASSERT_PTR_EQUAL(strchr(first + 1, '\n'), text + strlen(text) - 1);
	free(text);
}

/* Every line within the width, and every word there: nothing is lost silently. */
static void wraps_the_last_column_only(void)
{
	static const struct table_cell rows[][3] = { { CELL("a-name"), CELL("1"), CELL("a long sentence that does not fit") },
		{ CELL("x"), CELL("2"), CELL("通信端末通信端末通信端末通信端末通信端末") } };
	char *text = printed(rows, 2, false, 41);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "a-name"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "a long sentence that does\n               not fit\n"));
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
		CU_ASSERT(table_width((struct span){ (const uint8_t *)line, (size_t)(end - line) }) <= 41);
	free(text);
}

/* No room beside the other columns: under the row. */
static void continues_below_where_it_is_narrow(void)
{
	static const struct table_cell rows[][3] = { { CELL("a-long-device-name-indeed"), CELL("1"), CELL("a long sentence that does not fit") } };
	char *text = printed(rows, 1, false, 40);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "a-long-device-name-indeed      1\n    a long sentence that does not fit\n"));
	free(text);
}

/* More columns than the terminal has room for: the row goes on under itself, aligned, and nothing is cut. */
static void goes_on_under_itself(void)
{
	static const struct table_column five[] = { { "DEVICE", false }, { "PEER", false }, { "COUNT", true }, { "ALERT", false }, { "WHAT", false } };
	static const struct table_cell rows[][5] = {
		{ CELL("a-device-with-a-name"), CELL("198.51.100.23"), CELL("1"), CELL("a326d13bdf573665"), CELL("talks") },
		{ CELL("ct-1"), CELL("pacs"), CELL("12345"), CELL("0765d1d950a1d3f9"), CELL("a sentence that is long") },
	};
	for (unsigned width = 40; width <= 80; width++) {
		char *text = NULL;
		size_t size = 0;
		struct out o = { .to = open_memstream(&text, &size) };
		struct table *t = table_new(&o, five, 5, false, width);
		CU_ASSERT_PTR_NOT_NULL_FATAL(t);
		for (int i = 0; i < 2; i++)
			CU_ASSERT_EQUAL(table_row(t, rows[i]), 0);
		table_end(t);
		table_free(t);
		(void)fclose(o.to);
		for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
			CU_ASSERT(table_width((struct span){ (const uint8_t *)line, (size_t)(end - line) }) <= width);
		for (int i = 0; i < 2; i++)
			for (int k = 0; k < 4; k++)
				CU_ASSERT_PTR_NOT_NULL(strstr(text, (const char *)rows[i][k].text.p));
		if (width == 40)
			CU_ASSERT_STRING_EQUAL(text, "DEVICE                PEER\n    COUNT  ALERT             WHAT\n"
				"a-device-with-a-name  198.51.100.23\n        1  a326d13bdf573665  talks\n"
				"ct-1                  pacs\n    12345  0765d1d950a1d3f9\n    a sentence that is long\n");
		free(text);
	}
}

/* Cut only what is wider than the terminal by itself, and with a mark. */
static void marks_a_cell_wider_than_the_terminal(void)
{
	static const struct table_cell rows[][3] = { { CELL("a-device-whose-name-is-longer-than-any-terminal"), CELL("1"), CELL("x") } };
	char *text = printed(rows, 1, false, 40);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "a-device-whose-name-is-longer-than-\xe2\x80\xa6\n        1  x\n"));
	free(text);
}

static void says_where_a_very_long_cell_is_cut(void)
{
	static char words[1000];
	memset(words, 'w', sizeof(words) - 1);
	const struct table_cell rows[][3] = { { CELL("d"), CELL("1"), { { (const uint8_t *)words, sizeof(words) - 1 }, TABLE_PLAIN } } };
	char *text = printed(rows, 1, false, 60);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "w\xe2\x80\xa6\n"));
	free(text);
}

static void colors_only_when_asked(void)
{
	static const struct table_cell rows[][3] = { { { { (const uint8_t *)"high", 4 }, TABLE_RED }, CELL("1"), CELL("x") } };
	char *text = printed(rows, 1, true, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\033[31mhigh\033[0m    "));
	free(text);
	CU_ASSERT(table_wants_color("always", false));
	CU_ASSERT(!table_wants_color("never", true));
	CU_ASSERT(!table_wants_color(NULL, false));
	(void)setenv("TERM", "xterm", 1);
	(void)unsetenv("NO_COLOR");
	CU_ASSERT(table_wants_color("auto", true));
	(void)setenv("NO_COLOR", "1", 1);
	CU_ASSERT(!table_wants_color("auto", true));
	CU_ASSERT(table_wants_color("always", true));
	(void)setenv("NO_COLOR", "", 1);
	CU_ASSERT(table_wants_color(NULL, true));
	(void)setenv("TERM", "dumb", 1);
	CU_ASSERT(!table_wants_color(NULL, true));
}

static void keeps_the_widths_of_its_first_rows(void)
{
	char *text = NULL;
	size_t size = 0;
	struct out o = { .to = open_memstream(&text, &size) };
	struct table *t = table_new(&o, columns, 3, false, 0);
	const struct table_cell narrow[] = { CELL("a"), CELL("1"), CELL("x") };
	const struct table_cell broad[] = { CELL("a-very-broad-one"), CELL("1"), CELL("x") };
	for (int i = 0; i < TABLE_HELD_ROWS; i++)
		CU_ASSERT_EQUAL(table_row(t, narrow), 0);
	CU_ASSERT_EQUAL(table_row(t, broad), 0);
	CU_ASSERT_EQUAL(table_row(t, narrow), 0);
	table_end(t);
	table_free(t);
	(void)fclose(o.to);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\na-very-broad-one      1  x\na           1  x\n"));
	free(text);
}

static void measures(void)
{
	CU_ASSERT_EQUAL(table_width(span_str("abc")), 3);
	CU_ASSERT_EQUAL(table_width(span_str("\xe9\xab\x98")), 2);                       /* 高 */
	CU_ASSERT_EQUAL(table_width(span_str("\xef\xbd\xb6")), 1);                       /* halfwidth ｶ */
	CU_ASSERT_EQUAL(table_width(span_str("\xe3\x81\x8b\xe3\x82\x99")), 2);           /* か with a combining mark */
	CU_ASSERT_EQUAL(table_width(span_str("")), 0);
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "aligns_wide_characters", aligns_wide_characters },
		{ "prints_nothing_without_rows", prints_nothing_without_rows },
		{ "escapes_what_moves_the_cursor", escapes_what_moves_the_cursor },
		{ "wraps_the_last_column_only", wraps_the_last_column_only },
		{ "continues_below_where_it_is_narrow", continues_below_where_it_is_narrow },
		{ "goes_on_under_itself", goes_on_under_itself },
		{ "marks_a_cell_wider_than_the_terminal", marks_a_cell_wider_than_the_terminal },
		{ "says_where_a_very_long_cell_is_cut", says_where_a_very_long_cell_is_cut },
		{ "colors_only_when_asked", colors_only_when_asked },
		{ "keeps_the_widths_of_its_first_rows", keeps_the_widths_of_its_first_rows },
		{ "measures", measures },
		CU_TEST_INFO_NULL,
	};
	return test_run("table", cases);
}
