/* Covers: R013 R017 */
#include <CUnit/Basic.h>

#include "dissectors/drive.h"

extern const struct dissector tls_dissector;

static const uint8_t hello[] = { 22, 3, 1, 0, 60, 1, 0, 0, 56, 3, 3 };
static const uint8_t server[] = { 22, 3, 3, 0, 60, 2, 0, 0, 56, 3, 3 };

static enum dissect_guess probe(const uint8_t *p, size_t n, bool midstream)
{
	uint8_t *exact = drive_copy(p, n);
	enum dissect_guess g = tls_dissector.probe((struct span){ exact, n }, midstream);
	free(exact);
	return g;
}

static void hello_is_certain_after_eleven_bytes(void)
{
	for (size_t n = 0; n < sizeof(hello); n++)
		CU_ASSERT_EQUAL(probe(hello, n, false), DISSECT_MAYBE);
	CU_ASSERT_EQUAL(probe(hello, sizeof(hello), false), DISSECT_YES);
	CU_ASSERT_EQUAL(probe(server, sizeof(server), false), DISSECT_YES);
}

static void one_wrong_byte_is_no(void)
{
	static const size_t fixed[] = { 0, 1, 2, 5, 6, 9, 10 };
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		uint8_t wrong[sizeof(hello)];
		memcpy(wrong, hello, sizeof(wrong));
		wrong[fixed[i]] = 0x99;
		CU_ASSERT_EQUAL(probe(wrong, sizeof(wrong), false), DISSECT_NO);
	}
	static const uint8_t too_long[] = { 22, 3, 1, 0x49 };
	CU_ASSERT_EQUAL(probe(too_long, sizeof(too_long), false), DISSECT_NO);
}

static void midstream_needs_two_records(void)
{
	static const uint8_t data[] = { 23, 3, 3, 0, 2, 0xaa, 0xbb, 23, 3, 3, 0, 9 };
	for (size_t n = 0; n < sizeof(data); n++)
		CU_ASSERT_EQUAL(probe(data, n, true), DISSECT_MAYBE);
	CU_ASSERT_EQUAL(probe(data, sizeof(data), true), DISSECT_YES);
	CU_ASSERT_EQUAL(probe(data, sizeof(data), false), DISSECT_NO);
	static const uint8_t broken[] = { 23, 3, 3, 0, 2, 0xaa, 0xbb, 99, 3, 3, 0, 9 };
	CU_ASSERT_EQUAL(probe(broken, sizeof(broken), true), DISSECT_NO);
	static const uint8_t empty[] = { 23, 3, 3, 0, 0 };
	CU_ASSERT_EQUAL(probe(empty, sizeof(empty), true), DISSECT_NO);
	CU_ASSERT_EQUAL(probe((const uint8_t *)"MSH|^", 5, true), DISSECT_NO);
}

static void who_says_client_hello_is_the_client(void)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		for (size_t segment = 1; segment < 12; segment++) {
			struct drive *d = drive_new(&tls_dissector, DRIVE_PROBE);
			drive_feed(d, dir, (struct span){ dir ? server : hello, sizeof(hello) }, segment);
			drive_feed(d, !dir, (struct span){ dir ? hello : server, sizeof(hello) }, segment);
			CU_ASSERT_EQUAL(d->client, DISSECT_CLIENT_0);
			drive_gap(d, 0, 100);
			drive_feed(d, 0, (struct span){ hello, sizeof(hello) }, segment);
			CU_ASSERT_EQUAL(d->lines, 0);
			CU_ASSERT_EQUAL(d->side[0].n, 0);
			drive_finish(d);
			drive_free(d);
		}
	}
}

int main(void)
{
	static CU_TestInfo tests[] = {
#define T(name) { #name, name }
		T(hello_is_certain_after_eleven_bytes), T(one_wrong_byte_is_no), T(midstream_needs_two_records),
		T(who_says_client_hello_is_the_client), CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = { { "tls", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	if (CU_initialize_registry() || CU_register_suites(suites))
		return 1;
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
