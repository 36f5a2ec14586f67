#include "sensor/slab.h"

#include <stdbool.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "core/test.h"

static void blocks_are_apart_and_keep_what_is_written(void)
{
	enum { N = 600, STEPS = 40000 };
	static struct { uint32_t block; size_t size; uint8_t mark; } have[N];
	struct slab *s = slab_new(48 * SLAB_PAGE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	unsigned seed = 3, refused = 0;
	size_t used = 0;
	for (unsigned step = 0; step < STEPS; step++) {
		seed = seed * 1103515245 + 12345;
		unsigned k = (seed >> 8) % N;
		if (have[k].block) {
			const uint8_t *p = slab_at(s, have[k].block);
			for (size_t i = 0; i < have[k].size; i++)
				CU_ASSERT_EQUAL_FATAL(p[i], have[k].mark);
			slab_give(s, have[k].block);
			used -= (have[k].size + SLAB_STEP - 1) / SLAB_STEP * SLAB_STEP;
			have[k].block = SLAB_NONE;
		} else {
			have[k].size = 1 + (seed >> 18) % (step % 7 ? 300 : SLAB_MAX);
			have[k].mark = (uint8_t)step;
			have[k].block = slab_take(s, have[k].size);
			if (!have[k].block) {
				refused++;
				continue;
			}
			CU_ASSERT_EQUAL((uintptr_t)slab_at(s, have[k].block) % 16, 0);
			memset(slab_at(s, have[k].block), have[k].mark, have[k].size);
			used += (have[k].size + SLAB_STEP - 1) / SLAB_STEP * SLAB_STEP;
		}
		CU_ASSERT_EQUAL_FATAL(slab_used(s), used);
	}
	CU_ASSERT(refused > 0);
	for (unsigned k = 0; k < N; k++)
		if (have[k].block)
			slab_give(s, have[k].block);
	CU_ASSERT_EQUAL(slab_used(s), 0);
	slab_free(s);
}

/* What one size has given back another may have: all of it. */
static void pages_change_their_size(void)
{
	enum { PAGES = 8, SMALL = PAGES * (SLAB_PAGE / 48), LARGE = PAGES * (SLAB_PAGE / 1024) };
	static uint32_t block[SMALL];
	struct slab *s = slab_new(PAGES * SLAB_PAGE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < SMALL; i++)
			CU_ASSERT_NOT_EQUAL_FATAL(block[i] = slab_take(s, 48), SLAB_NONE);
		CU_ASSERT_EQUAL(slab_take(s, 48), SLAB_NONE);
		CU_ASSERT_EQUAL(slab_take(s, 1024), SLAB_NONE);
		for (unsigned i = 0; i < SMALL; i++)
			slab_give(s, block[i * 7 % SMALL]);
		for (unsigned i = 0; i < LARGE; i++)
			CU_ASSERT_NOT_EQUAL_FATAL(block[i] = slab_take(s, 1024), SLAB_NONE);
		CU_ASSERT_EQUAL(slab_take(s, 1), SLAB_NONE);
		for (unsigned i = LARGE; i--;)
			slab_give(s, block[i]);
	}
	slab_free(s);
}

static void nothing_is_less_than_a_page(void)
{
	struct slab *s = slab_new(0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(slab_take(s, 1), SLAB_NONE);
	slab_free(s);
	s = slab_new(1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_NOT_EQUAL(slab_take(s, SLAB_MAX), SLAB_NONE);
	CU_ASSERT_NOT_EQUAL(slab_take(s, SLAB_MAX), SLAB_NONE);
	CU_ASSERT_EQUAL(slab_take(s, SLAB_MAX), SLAB_NONE);
	CU_ASSERT_EQUAL(slab_take(s, 1), SLAB_NONE);
	slab_free(s);
	CU_ASSERT(slab_bytes(SLAB_PAGE) >= SLAB_PAGE && slab_bytes(SLAB_PAGE) < 2 * SLAB_PAGE);
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "blocks_are_apart_and_keep_what_is_written", blocks_are_apart_and_keep_what_is_written },
		{ "pages_change_their_size", pages_change_their_size },
		{ "nothing_is_less_than_a_page", nothing_is_less_than_a_page },
		CU_TEST_INFO_NULL,
	};
	return test_run("slab", cases);
}
