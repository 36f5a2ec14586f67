/* Covers: R056 */
#include "documents/observed.h"

#include <string.h>

#include "core/err.h"
#include "core/test.h"

#define HEAD "format: spanward-observed/1\nkind: observed\nunits:\n"

static void equal_rows_of_all_files_become_one(void)
{
	struct observed o = { 0 };
	struct conf_report rep = { 0 };
	CU_ASSERT_EQUAL(observed_parse(span_str(HEAD "  ct-1: {rows: [\n"
		"{state: seen, direction: out, transport: tcp, port: \"104\", peers: [pacs], row: store, flows: 2, bytes: 10,"
		" first: \"2026-11-02\", last: \"2026-11-03\"},\n"
		"{state: undeclared, direction: out, transport: tcp, port: \"104\", peers: [x], flows: 1}]}\n"), "a", &o, &rep), 0);
	CU_ASSERT_EQUAL(observed_parse(span_str(HEAD "  ct-1: {rows: [\n"
		"{state: seen, direction: out, transport: tcp, port: \"104\", peers: [pacs], row: store, flows: 3, bytes: 5,"
		" first: \"2026-11-01\", last: \"2026-11-02\"}]}\n"
		"  ct-2: {rows: [{state: seen, direction: in, transport: udp, port: \"5000-5010\", flows: 7}]}\n"), "b", &o, &rep), 0);
	CU_ASSERT_EQUAL_FATAL(o.rows.n, 3);
	const struct observed_row *r = NULL;
	for (size_t i = 0; i < o.rows.n; i++)
		if (o.rows.v[i].row.n)
			r = &o.rows.v[i];
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_EQUAL(r->flows, 5);
	CU_ASSERT_EQUAL(r->bytes, 15);
	CU_ASSERT_EQUAL(r->last_ns - r->first_ns, UINT64_C(2) * 86400 * 1000000000);
	CU_ASSERT_EQUAL(o.rows.v[2].lo, 5000);
	CU_ASSERT_EQUAL(o.rows.v[2].hi, 5010);
	observed_free(&o);
}

static void what_is_wrong_is_named(void)
{
	static const char *const wrong[] = {
		"", "kind: observed\n", HEAD "  a: {rows: [{state: seen}]}\n",
		HEAD "  a: {rows: [{state: seen, direction: out, transport: tcp, port: \"70000\"}]}\n",
		HEAD "  a: {rows: [{state: seen, direction: out, transport: tcp, port: \"20-10\"}]}\n",
		HEAD "  a: {rows: [{state: seen, direction: out, transport: tcp, port: \"1-2-3\"}]}\n",
		HEAD "  a: {rows: [{state: seen, direction: out, transport: tcp, prot: \"1\"}]}\n",
		"format: spanward/1\nkind: site\n",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct observed o = { 0 };
		struct conf_report rep = { 0 };
		CU_ASSERT_EQUAL(observed_parse(span_str(wrong[i]), "x", &o, &rep), ERR_CONFIG);
		CU_ASSERT(rep.total > 0);
		observed_free(&o);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "equal_rows_of_all_files_become_one", equal_rows_of_all_files_become_one },
		{ "what_is_wrong_is_named", what_is_wrong_is_named },
		CU_TEST_INFO_NULL,
	};
	return test_run("observed", tests);
}
