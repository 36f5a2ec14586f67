/* Two sensors under one id are told from one that was restarted or connected anew. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "collector/twins.h"
#include "core/test.h"

static struct twins t;
#define MS UINT64_C(1000000)

/* Heartbeats of connections named by letters, `apart` ms from each other: how many of them showed that there are two. */
static unsigned heard(const char *letters, uint64_t apart)
{
	unsigned n = 0;
	memset(&t, 0, sizeof(t));
	for (uint64_t i = 0; letters[i]; i++)
		n += twins_heard(&t, "s1", (struct span){ (const uint8_t *)letters + i, 1 }, (1000 + i * apart) * MS);
	return n;
}

static void told(void)
{
	CU_ASSERT_EQUAL(heard("aaaaaaaa", 1000), 0);
	/* Restarted, again and again. */
	CU_ASSERT_EQUAL(heard("aaabbbcccdddeeefff", 1000), 0);
	/* What a dead one left in its queue, after the next had begun; and much of it at once. */
	CU_ASSERT_EQUAL(heard("aabab", 1000), 0);
	CU_ASSERT_EQUAL(heard("abababababababab", 10), 0);
	/* Two; three. */
	CU_ASSERT_EQUAL(heard("abab", 500), 0);
	CU_ASSERT_EQUAL(heard("ababa", 500), 1);
	CU_ASSERT_EQUAL(heard("ababababab", 500), 6);
	CU_ASSERT(heard("abcabcabcabc", 400) >= 3);
}

static void many(void)
{
	char name[FRAME_SENSOR_LEN + 1];
	memset(&t, 0, sizeof(t));
	for (unsigned i = 0; i < 10 * TWINS_SENSORS; i++) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		CU_ASSERT(!twins_heard(&t, name, span_str(name), i));
	}
	CU_ASSERT_EQUAL(t.n, TWINS_SENSORS);
	/* Names longer than are kept differ by their length and their beginning. */
	CU_ASSERT(!twins_is_foreign(&t, name, span_str("a-longer-identity-than-kept")));
	twins_set_foreign(&t, name, span_str("a-longer-identity-than-kept"), 1);
	CU_ASSERT(twins_is_foreign(&t, name, span_str("a-longer-identity-than-kept")));
	CU_ASSERT(!twins_is_foreign(&t, name, span_str(name)));
	CU_ASSERT(!twins_is_foreign(&t, "nobody", span_str(name)));
}

int main(void)
{
	CU_TestInfo tests[] = { { "told", told }, { "many", many }, CU_TEST_INFO_NULL };
	return test_run("twins", tests);
}
