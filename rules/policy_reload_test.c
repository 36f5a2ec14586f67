/* Covers: R039 */
#include "rules/policy_reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/test.h"

static char dir[] = "/tmp/spanward-reload-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	(void)fputs(text, f);
	CU_ASSERT_EQUAL(fclose(f), 0);
}

static void take_away(const char *name)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	CU_ASSERT_EQUAL(unlink(path), 0);
}

static uint64_t hash(void)
{
	struct policy_reload_state s = { 0 };
	CU_ASSERT_EQUAL(policy_reload_state(dir, &s), 0);
	return s.hash;
}

static void state_tells_every_change_of_what_is_read(void)
{
	put("site.yaml", "kind: site\n");
	put("inventory.csv", "id\n");
	uint64_t before = hash();
	CU_ASSERT_EQUAL(hash(), before);
	put("notes.txt", "read by nobody");
	put(".hidden.yaml", "read by nobody");
	CU_ASSERT_EQUAL(hash(), before);
	put("site.yaml", "kind: site\nrevision: \"2\"\n");
	uint64_t changed = hash();
	CU_ASSERT_NOT_EQUAL(changed, before);
	put("ct.yaml", "");
	uint64_t more = hash();
	CU_ASSERT_NOT_EQUAL(more, changed);
	take_away("ct.yaml");
	CU_ASSERT_EQUAL(hash(), changed);
	take_away("inventory.csv");
	CU_ASSERT_NOT_EQUAL(hash(), changed);
	struct policy_reload_state s = { .hash = 7 };
	CU_ASSERT(policy_reload_state("/nowhere/at/all", &s) < 0);
	CU_ASSERT_EQUAL(s.hash, 7);
}

static struct policy *compile(void)
{
	struct policy *p = NULL;
	struct conf_report rep = { 0 };
	CU_ASSERT_EQUAL_FATAL(policy_compile_dir(dir, &p, &rep), 0);
	return p;
}

static void what_is_lost_as_a_whole_is_named(void)
{
	put("site.yaml", "format: spanward/1\nkind: site\nzones: {a: {cidr: 10.0.0.0/8}}\n");
	put("inventory.csv", "id,ip\nct-1,10.0.0.1\nct-2,10.0.0.2\n");
	struct policy *both = compile();
	put("inventory.csv", "id,ip\nct-1,10.0.0.1\n");
	struct policy *fewer = compile();
	take_away("inventory.csv");
	struct policy *none = compile();
	CU_ASSERT_PTR_NULL(policy_reload_loses(both, both));
	CU_ASSERT_PTR_NULL(policy_reload_loses(both, fewer));
	CU_ASSERT_PTR_NULL(policy_reload_loses(none, both));
	CU_ASSERT_STRING_EQUAL(policy_reload_loses(both, none), "units");
	put("site.yaml", "format: spanward/1\nkind: site\n");
	struct policy *bare = compile();
	CU_ASSERT_STRING_EQUAL(policy_reload_loses(none, bare), "zones");
	free(both);
	free(fewer);
	free(none);
	free(bare);
	take_away("site.yaml");
	take_away("notes.txt");
	take_away(".hidden.yaml");
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	CU_TestInfo tests[] = {
		{ "state_tells_every_change_of_what_is_read", state_tells_every_change_of_what_is_read },
		{ "what_is_lost_as_a_whole_is_named", what_is_lost_as_a_whole_is_named },
		CU_TEST_INFO_NULL,
	};
	return test_run("reload", tests);
}
