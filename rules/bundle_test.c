/* Covers: R039 */
#include "rules/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/test.h"

static uint8_t public[2][BUNDLE_KEY], secret[2][BUNDLE_SECRET];

static struct bundle_file file(const char *name, const char *text) { return (struct bundle_file){ span_str(name), span_str(text) }; }

static void what_was_packed_comes_out(void)
{
	const struct bundle_file v[] = { file("site.yaml", "kind: site\n"), file("inventory.csv", "id\n"), file("ct.yaml", "") };
	struct bundle b;
	uint8_t *mem = NULL, *again = NULL;
	size_t n = 0, m = 0;
	CU_ASSERT_EQUAL_FATAL(bundle_pack(v, 3, 12, 99, secret[0], &mem, &n), 0);
	CU_ASSERT_EQUAL_FATAL(bundle_pack(v, 3, 12, 99, secret[0], &again, &m), 0);
	CU_ASSERT(n == m && !memcmp(mem, again, n));
	CU_ASSERT_EQUAL_FATAL(bundle_open((struct span){ mem, n }, &public[0], 2, &b), 0);
	CU_ASSERT(b.trusted && b.generation == 12 && b.made_ns == 99 && b.n == 3);
	CU_ASSERT(span_eq(b.v[0].name, span_str("ct.yaml")) && b.v[0].bytes.n == 0);
	CU_ASSERT(span_eq(b.v[2].name, span_str("site.yaml")) && span_eq(b.v[2].bytes, span_str("kind: site\n")));
	bundle_free(&b);
	/* Signed by somebody whom we do not know. */
	CU_ASSERT_EQUAL_FATAL(bundle_open((struct span){ mem, n }, &public[1], 1, &b), 0);
	CU_ASSERT(!b.trusted);
	bundle_free(&b);
	free(mem);
	free(again);
}

static void not_one_bit_can_be_another(void)
{
	const struct bundle_file v[] = { file("site.yaml", "kind: site\n") };
	struct bundle b = { .generation = 7 };
	uint8_t *mem = NULL;
	size_t n = 0;
	CU_ASSERT_EQUAL_FATAL(bundle_pack(v, 1, 12, 99, secret[0], &mem, &n), 0);
	for (size_t i = 0; i < n * 8; i++) {
		mem[i / 8] ^= (uint8_t)(1u << i % 8);
		CU_ASSERT(bundle_open((struct span){ mem, n }, &public[0], 1, &b) < 0);
		mem[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t i = 0; i < n; i++)
		CU_ASSERT(bundle_open((struct span){ mem, i }, &public[0], 1, &b) < 0);
	CU_ASSERT_EQUAL(b.generation, 7);
	CU_ASSERT_EQUAL(bundle_open(span_str("kind: site\n"), NULL, 0, &b), ERR_UNKNOWN_KIND);
	CU_ASSERT_EQUAL(bundle_open((struct span){ mem, 20 }, NULL, 0, &b), ERR_TRUNCATED);
	free(mem);
}

static void names_lead_nowhere_else(void)
{
	static const char *const bad[] = { "", ".hidden.yaml", "../site.yaml", "a/b.yaml", "site.yaml\n", "notes.txt", "other.csv", "/etc/x.yaml", ".yaml" };
	static const char *const good[] = { "site.yaml", "inventory.csv", "CT 64 (2).yaml" };
	uint8_t *mem = NULL;
	size_t n = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct bundle_file v = file(bad[i], "x");
		CU_ASSERT(!bundle_name(v.name));
		CU_ASSERT_EQUAL(bundle_pack(&v, 1, 1, 1, secret[0], &mem, &n), -EINVAL);
	}
	CU_ASSERT(bundle_name(span_str(good[0])) && bundle_name(span_str(good[1])) && !bundle_name(span_str(good[2])));
	const struct bundle_file twice[] = { file("site.yaml", "x"), file("site.yaml", "y") };
	CU_ASSERT_EQUAL(bundle_pack(twice, 2, 1, 1, secret[0], &mem, &n), -EINVAL);
	CU_ASSERT_EQUAL(bundle_pack(twice, 0, 1, 1, secret[0], &mem, &n), -EINVAL);
}

int main(void)
{
	if (bundle_keys(public[0], secret[0]) || bundle_keys(public[1], secret[1]))
		return 1;
	CU_TestInfo tests[] = {
		{ "what_was_packed_comes_out", what_was_packed_comes_out },
		{ "not_one_bit_can_be_another", not_one_bit_can_be_another },
		{ "names_lead_nowhere_else", names_lead_nowhere_else },
		CU_TEST_INFO_NULL,
	};
	return test_run("bundle", tests);
}
