/* Texts of others in Markdown, CSV and HTML: shown, never run. */
#include "documents/printout.h"

#include <stdlib.h>
#include <string.h>

#include "core/test.h"

static char *print(enum printout_format format, const char *const *cells, size_t n)
{
	struct printout p;
	char *text = NULL;
	size_t len = 0;
	struct span row[8];
	FILE *to = open_memstream(&text, &len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	for (size_t i = 0; i < n; i++)
		row[i] = span_str(cells[i]);
	printout_begin(&p, to, format, "ja", "T<1>");
	printout_heading(&p, 2, span_str("H & H"));
	printout_line(&p, "label", span_str("a\x1b[2Jb"));
	printout_table(&p, cells, n);
	printout_row(&p, row, n);
	CU_ASSERT_EQUAL(printout_end(&p), 0);
	CU_ASSERT_EQUAL(fclose(to), 0);
	return text;
}

static void csv(void)
{
	static const char *const cells[] = { "=1+1", "+1", "-1", "@x", "a,\"b\"", "通信", "line\nline" };
	char *text = print(PRINTOUT_CSV, cells, 7);
	const char *row = "\"'=1+1\",\"'+1\",\"'-1\",\"'@x\",\"a,\"\"b\"\"\",\"通信\",\"line\nline\"\r\n";
	CU_ASSERT_EQUAL(strncmp(text, "\xef\xbb\xbf", 3), 0);
	CU_ASSERT_EQUAL(strncmp(text + 3, row, strlen(row)), 0);
	CU_ASSERT_STRING_EQUAL(text + 3 + strlen(row), row);
	free(text);
}

static void html(void)
{
	static const char *const cells[] = { "<script>alert(1)</script>", "\" onload='x'", "a\xff\x07" "b", "a\xe2\x80\xae" "b" };
	char *text = print(PRINTOUT_HTML, cells, 4);
	CU_ASSERT_PTR_NULL(strstr(text, "<script"));
	CU_ASSERT_PTR_NULL(strstr(text, "onload='"));
	CU_ASSERT_PTR_NULL(strchr(text, 0x1b));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td><td>&quot; onload=&#39;x&#39;</td><td>a\\xff\\x07b</td>"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "<td>a\\xe2\\x80\\xaeb</td>"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "<title>T&lt;1&gt;</title>"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "<html lang=\"ja\">"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "</tbody>\n</table>\n</body>\n</html>\n"));
	free(text);
}

static void markdown(void)
{
	static const char *const cells[] = { "a|b", "<b>", "line\nline", "[x](y)" };
	char *text = print(PRINTOUT_MARKDOWN, cells, 4);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n| a\\|b | &lt;b&gt; | line line | \\[x\\](y) |\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n|---|---|---|---|\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n## H &amp; H\n"));
	CU_ASSERT_PTR_NULL(strchr(text, 0x1b));
	free(text);
}

int main(void)
{
	CU_TestInfo tests[] = { { "CSV", csv }, { "HTML", html }, { "Markdown", markdown }, CU_TEST_INFO_NULL };
	return test_run("printout", tests);
}
