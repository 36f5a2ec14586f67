/* test.h -- main() of a CUnit program: runs one suite and makes its exit status of what failed. For *_test.c only.
 *
 *	int main(void)
 *	{
 *		CU_TestInfo tests[] = { { "name", name }, CU_TEST_INFO_NULL };
 *		return test_run("suite", tests);
 *	}
 *
 * or, where tests are added one by one: CU_pSuite s = test_begin("suite"); CU_ADD_TEST(s, name); return test_end();
 */
#ifndef CORE_TEST_H
#define CORE_TEST_H

#include <CUnit/Basic.h>
#include <stdlib.h>

/* The only suite; its tests may be added. A program that cannot begin must not look as if it had passed. */
static inline CU_pSuite test_begin(const char *suite)
{
	CU_pSuite s = CU_initialize_registry() == CUE_SUCCESS ? CU_add_suite(suite, NULL, NULL) : NULL;
	if (!s)
		abort();
	return s;
}

/* Runs what was added. 0 when there was something to run and nothing failed. */
static inline int test_end(void)
{
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_ErrorCode ran = CU_basic_run_tests();
	unsigned failed = CU_get_number_of_failures() + CU_get_number_of_suites_failed() + CU_get_number_of_tests_failed();
	unsigned tests = CU_get_number_of_tests_run();
	CU_cleanup_registry();
	return ran != CUE_SUCCESS || failed || !tests;
}

/* `tests` ends with CU_TEST_INFO_NULL. */
static inline int test_run(const char *suite, CU_TestInfo *tests)
{
	CU_pSuite s = test_begin(suite);
	for (; tests->pName; tests++)
		if (!CU_add_test(s, tests->pName, tests->pTestFunc))
			abort();
	return test_end();
}

#endif
