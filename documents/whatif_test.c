/* Flows that were kept are read as they were, and judged by two policies. */
/* Covers: R044 */
#include "documents/whatif.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/test.h"
#include "documents/flows.h"
#include "rules/policy_fixture.h"
#include "rules/policy_table.h"

#define FLOW(SRC, DST, MORE)                                                                                       \
	"{\"type\":\"flow.end\",\"ts\":\"2026-12-01T00:00:02Z\",\"started\":\"2026-12-01T00:00:01Z\",\"src\":\"" SRC "\",\"dst\":\"" DST \
	"\",\"transport\":\"tcp\",\"initiator_by\":\"handshake\",\"answered\":true,\"packets_out\":3,\"bytes_out\":10,\"bytes_in\":5" MORE "}\n"

static struct conf_report rep;

static struct policy *compile(const char *rows)
{
	struct policy_fixture f;
	struct policy *p = NULL;
	char type[1024];
	policy_fixture_make(&f);
	policy_fixture_text(&f, "site.yaml", "format: spanward/1\nkind: site\nroles: {pacs: [{ip: 10.1.0.10}]}\n");
	policy_fixture_text(&f, "inventory.yaml", "format: spanward/1\nkind: inventory\ndevices: [{id: a, type: x, select: [{ip: 10.20.0.1}]}]\n");
	(void)snprintf(type, sizeof(type),
		       "format: spanward/1\ndevice_type: x\nmaker: M\nmodel: X\ndocuments: {i: {id: IFU, revision: 2}}\nport_list: exhaustive\n%s", rows);
	policy_fixture_text(&f, "x.yaml", type);
	rep.n = rep.total = 0;
	CU_ASSERT_EQUAL(policy_compile_dir(f.dir, &p, &rep), 0);
	policy_fixture_print(&rep);
	policy_fixture_done(&f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	return p;
}

static int read_text(const char *text, flows_take *take, void *arg)
{
	FILE *from = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(from);
	rep.n = rep.total = 0;
	int r = flows_read(from, "x.jsonl", take, arg, &rep);
	(void)fclose(from);
	return r;
}

static void keep(void *arg, const struct observation *o) { *(struct observation *)arg = *o; }

static void as_they_were(void)
{
	struct observation o = { 0 };
	char text[ADDR_ENDPOINT_STRLEN];
	CU_ASSERT_EQUAL(read_text("{\"type\":\"flow.open\"}\n" FLOW("[2001:db8::1]:9", "10.1.0.10:104", ",\"vlan\":7,\"src_mac\":\"02:00:5e:00:00:01\",\"later\":1"), keep,
		&o), 0);
	CU_ASSERT_STRING_EQUAL(addr_endpoint_str(&o.src, text), "[2001:db8::1]:9");
	CU_ASSERT(o.vlan == 7 && o.src_mac.b[5] == 1 && o.answered && o.transport == OBSERVATION_TCP && o.bytes_out == 10);
	CU_ASSERT_EQUAL(o.ts - o.started, 1000000000u);
	static const char *const bad[] = {
		"x\n", "[]\n", "{}\n", "{\"type\":\"flow.end\"}\n", FLOW("10.1.1.1", "nowhere", ""), FLOW("10.1.1.1:70000", "10.1.0.10:1", ""),
		FLOW("10.1.1.1:7", "10.1.0.10:1", ",\"vlan\":-1"), FLOW("10.1.1.1:7", "10.1.0.10:1", ",\"vlan\":\"7\""),
		FLOW("10.1.1.1:7", "10.1.0.10:1", ",\"end\":\"abrupt\""), FLOW("10.1.1.1:7", "10.1.0.10:1", ",\"midstream\":0"),
		FLOW("10.1.1.1:7", "10.1.0.10:1", ",\"src_mac\":\"02\""), FLOW("10.1.1.1:7", "10.1.0.10:1", ",\"service\":\"\xff\""),
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_EQUAL(read_text(bad[i], keep, &o), ERR_CORRUPT);
		CU_ASSERT(rep.total == 1 && rep.v[0].line == 1);
	}
}

static void observe(void *arg, const struct observation *o) { whatif_observe(arg, o); }

static void two_policies(void)
{
	struct policy *was = compile("out: {s: {tcp: 104, to: pacs, cite: i 1}, t: {tcp: 105, to: pacs, cite: i 2}}\n");
	struct policy *will = compile("out: {s: {tcp: 104, to: pacs, cite: i 1}, u: {tcp: 106, to: pacs, cite: i 3}}\n");
	struct whatif *w = NULL;
	CU_ASSERT_EQUAL_FATAL(whatif_new(was, will, &w), 0);
	CU_ASSERT_EQUAL(read_text(FLOW("10.20.0.1:1", "10.1.0.10:104", "") FLOW("10.20.0.1:2", "10.1.0.10:105", "") FLOW("10.20.0.1:3", "10.1.0.10:105", "")
				  FLOW("10.20.0.1:4", "10.1.0.10:106", "") FLOW("10.20.0.1:5", "10.1.0.10:107", ""), observe, w), 0);
	whatif_settle(w);
	CU_ASSERT_EQUAL_FATAL(whatif_count(w), 2);
	const struct whatif_line *l = whatif_at(w, 0);
	CU_ASSERT(l->port == 105 && l->was == EVENT_DECLARED && l->will == EVENT_UNDECLARED && l->flows == 2 && l->bytes == 30);
	CU_ASSERT(span_eq(l->unit, span_str("a")) && l->side == POLICY_SIDE_OUT && l->will_cite != POLICY_NONE);
	l = whatif_at(w, 1);
	CU_ASSERT(l->port == 106 && l->was == EVENT_UNDECLARED && l->will == EVENT_DECLARED && l->flows == 1);
	CU_ASSERT_EQUAL(whatif_same(w, EVENT_DECLARED), 1);
	CU_ASSERT_EQUAL(whatif_same(w, EVENT_UNDECLARED), 1);
	CU_ASSERT_EQUAL(whatif_lost(w), 0);
	whatif_free(w);
	free(was);
	free(will);
}

int main(void)
{
	CU_TestInfo tests[] = { { "as they were", as_they_were }, { "two policies", two_policies }, CU_TEST_INFO_NULL };
	return test_run("whatif", tests);
}
