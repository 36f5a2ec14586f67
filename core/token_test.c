#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/test.h"
#include "core/token.h"
#include "core/vocab.h"

static const struct siphash_key key = { 1, 2 };

static void is_32_digits_and_the_same_again(void)
{
	char a[TOKEN_LEN], b[TOKEN_LEN];
	struct span t = token_make(&key, TOKEN_ORDER, span_str("4711"), a);
	CU_ASSERT(vocab_fits(VOCAB_G_TOKEN, TOKEN_LEN, t));
	(void)token_make(&key, TOKEN_ORDER, span_str("4711"), b);
	CU_ASSERT(!memcmp(a, b, TOKEN_LEN));
	CU_ASSERT(memcmp(a, a + TOKEN_LEN / 2, TOKEN_LEN / 2) != 0);
}

static void differs_by_key_kind_and_value(void)
{
	static const struct siphash_key keys[] = { { 1, 2 }, { 2, 1 }, { 1, 3 }, { 0, 0 } };
	static const char *const values[] = { "", "4711", "4712", "47110" };
	char seen[4 * 2 * 4][TOKEN_LEN];
	size_t n = 0;
	for (size_t k = 0; k < 4; k++)
		for (unsigned what = TOKEN_ORDER; what <= TOKEN_CONTENT; what++)
			for (size_t v = 0; v < 4; v++) {
				(void)token_make(&keys[k], (enum token_of)what, span_str(values[v]), seen[n]);
				for (size_t i = 0; i < n; i++)
					CU_ASSERT(memcmp(seen[i], seen[n], TOKEN_LEN) != 0);
				n++;
			}
}

/* As printf writes the same numbers, for enough tokens that every digit stands at every place. */
static void digits_are_hexadecimal(void)
{
	unsigned seen[TOKEN_LEN] = { 0 };
	for (uint64_t v = 0; v < 1000; v++) {
		const struct siphash_key mirrored = { ~key.k1, ~key.k0 };
		char a[TOKEN_LEN], b[TOKEN_LEN + 1];
		for (unsigned half = 0; half < 2; half++) {
			const uint8_t label[2] = { TOKEN_CONTENT, (uint8_t)half };
			const struct siphash_key own = { siphash_24(&key, label, 2), siphash_24(&mirrored, label, 2) };
			(void)snprintf(b + 16 * half, 17, "%016" PRIx64, siphash_24(&own, &v, sizeof(v)));
		}
		(void)token_make(&key, TOKEN_CONTENT, (struct span){ (const uint8_t *)&v, sizeof(v) }, a);
		CU_ASSERT(!memcmp(a, b, TOKEN_LEN));
		for (size_t i = 0; i < TOKEN_LEN; i++)
			seen[i] |= 1u << (a[i] <= '9' ? a[i] - '0' : a[i] - 'a' + 10);
	}
	for (size_t i = 0; i < TOKEN_LEN; i++)
		CU_ASSERT_EQUAL(seen[i], 0xffff);
}

static void what_is_remembered_changes_nothing(void)
{
	static const struct siphash_key keys[] = { { 0, 0 }, { 1, 2 }, { 2, 1 }, { 1, 2 }, { 0, 0 } };
	struct token_memo memo = { .site = { 0 } };
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		for (unsigned round = 0; round < 4; round++) {
			enum token_of what = round % 2 ? TOKEN_CONTENT : TOKEN_ORDER;
			char a[TOKEN_LEN], b[TOKEN_LEN];
			(void)token_make(&keys[k], what, span_str("4711"), a);
			(void)token_recall(&memo, &keys[k], what, span_str("4711"), b);
			CU_ASSERT(!memcmp(a, b, TOKEN_LEN));
		}
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "is_32_digits_and_the_same_again", is_32_digits_and_the_same_again },
		{ "differs_by_key_kind_and_value", differs_by_key_kind_and_value },
		{ "digits_are_hexadecimal", digits_are_hexadecimal },
		{ "what_is_remembered_changes_nothing", what_is_remembered_changes_nothing },
		CU_TEST_INFO_NULL,
	};
	return test_run("token", tests);
}
