#include "core/option.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/test.h"

static const struct option options[] = {
	{ "policy", required_argument, NULL, 'p' }, { "workers", required_argument, NULL, 300 }, { "quiet", no_argument, NULL, 'q' },
	{ "format", required_argument, NULL, 301 }, { "fail-on", required_argument, NULL, 302 }, { 0 },
};

/* What is said of a command line whose first fault is an option. */
static const char *said(char *word, char *next, char why[static 256])
{
	char name[] = "test";
	char *argv[] = { name, word, next, NULL };
	int opt;
	optind = 0;             /* GNU: begin anew */
	while ((opt = getopt_long(next ? 3 : 2, argv, ":p:q", options, NULL)) != -1)
		if (opt == '?' || opt == ':')
			return option_fault(opt, argv, options, why);
	return "";
}

static void every_fault_is_told(void)
{
	static const struct { const char *typed, *said; } t[] = {
		{ "--nonsense", "there is no option '--nonsense'" },
		{ "--polcy", "there is no option '--polcy'; did you mean --policy?" },
		{ "--polcy=x", "there is no option '--polcy'; did you mean --policy?" },
		{ "--f", "more than one option '--f'" },
		{ "--policy", "--policy needs a value" },
		{ "--workers", "--workers needs a value" },
		{ "-p", "--policy needs a value" },
		{ "--quiet=1", "--quiet takes no value" },
		{ "-x", "there is no option '-x'" },
		{ "-qx", "there is no option '-x'" },
		{ "-q", "" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		char word[64], why[256];
		(void)snprintf(word, sizeof(word), "%s", t[i].typed);
		CU_ASSERT_STRING_EQUAL(said(word, NULL, why), t[i].said);
	}
}

static void a_long_word_is_cut(void)
{
	char word[2000], why[256];
	memset(word, 'x', sizeof(word));
	word[0] = word[1] = '-';
	word[sizeof(word) - 1] = '\0';
	CU_ASSERT(strlen(said(word, NULL, why)) < 100);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "every_fault_is_told", every_fault_is_told }, { "a_long_word_is_cut", a_long_word_is_cut }, CU_TEST_INFO_NULL,
	};
	return test_run("option", tests);
}
