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

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "is_32_digits_and_the_same_again", is_32_digits_and_the_same_again },
		{ "differs_by_key_kind_and_value", differs_by_key_kind_and_value },
		CU_TEST_INFO_NULL,
	};
	return test_run("token", tests);
}
