#include "core/escape.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "core/utf8.h"

static bool harmless(const char *s)
{
	struct span left = span_str(s);
	while (left.n) {
		uint32_t cp;
		int n = utf8_next(left, &cp);
		if (n < 0 || utf8_is_control(cp))
			return false;
		left = span_from(left, (size_t)n);
	}
	return true;
}

static void a_name_keeps_what_can_be_read(void)
{
	char out[ESCAPE_NAME];
	CU_ASSERT_STRING_EQUAL(escape_name("monday.pcap", out), "monday.pcap");
	CU_ASSERT_STRING_EQUAL(escape_name("月曜.pcap", out), "月曜.pcap");
	CU_ASSERT_STRING_EQUAL(escape_name("a\x1b[31mb\nc", out), "a\\x1b[31mb\\x0ac");
	CU_ASSERT_STRING_EQUAL(escape_name("\xff\xe2\x80\xaegpj.pcap", out), "\\xff\\xe2\\x80\\xaegpj.pcap");
	CU_ASSERT_STRING_EQUAL(escape_name("", out), "");
}

static void a_long_name_keeps_its_end(void)
{
	char out[ESCAPE_NAME], *name = malloc(5001);
	for (size_t n = 1; n <= 5000; n += n < 300 ? 1 : 517) {
		for (int kind = 0; kind < 3; kind++) {
			memset(name, kind == 0 ? 'a' : kind == 1 ? 1 : 0xe2, n);
			name[n - 1] = 'z';
			name[n] = '\0';
			escape_name(name, out);
			CU_ASSERT(strlen(out) < ESCAPE_NAME);
			CU_ASSERT(harmless(out));
			CU_ASSERT_EQUAL(out[strlen(out) - 1], 'z');
			if (kind == 0)
				CU_ASSERT_EQUAL(!strncmp(out, "...", 3), n > ESCAPE_NAME - 1);
		}
	}
	free(name);
}

static void never_half_an_escape(void)
{
	for (size_t cap = 0; cap < 20; cap++) {
		char *mem = malloc(cap ? cap : 1);
		struct buf b = buf_over(mem, cap);
		escape_put(&b, span_str("\x01\x02\x03"));
		CU_ASSERT_EQUAL(b.len, cap / 4 * 4 < 12 ? cap / 4 * 4 : 12);
		free(mem);
	}
}

/* The oracle is a shell: what it makes of the word is what went in. */
static void a_shell_reads_the_word_back(void)
{
	static const char *const words[] = {
		"monday.pcap", "two words", "it's", "$(touch x)", "`id`", "a;b", "a&b", "*", "~", "#a", "a\\b", "a!b", "", "月 曜",
		"a\x1b[31mb", "a\nb", "\x01" "f", "\xff" "a'b\\", "\x7f", "tab\there", "=", "a\x01\x02'\x03\\x41",
	};
	char out[ESCAPE_SHELL], got[64];
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		CU_ASSERT(harmless(escape_shell(words[i], out)));
		setenv("W", out, 1);
		FILE *p = popen("exec bash -c 'eval \"printf %s $W\"'", "r");
		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		size_t n = fread(got, 1, sizeof(got) - 1, p);
		got[n] = '\0';
		CU_ASSERT_EQUAL(pclose(p), 0);
		CU_ASSERT_STRING_EQUAL(got, words[i]);
	}
}

static void a_shell_word_is_plain_where_it_can_be(void)
{
	char out[ESCAPE_SHELL];
	CU_ASSERT_STRING_EQUAL(escape_shell("a/b-1.pcap", out), "a/b-1.pcap");
	CU_ASSERT_STRING_EQUAL(escape_shell("a b", out), "'a b'");
	CU_ASSERT_STRING_EQUAL(escape_shell("-rf", out), "./-rf");
	CU_ASSERT_STRING_EQUAL(escape_shell("-r f", out), "./'-r f'");
	CU_ASSERT_STRING_EQUAL(escape_shell("-", out), "-");
	CU_ASSERT_STRING_EQUAL(escape_shell("", out), "''");
	CU_ASSERT_STRING_EQUAL(escape_shell("a\nb", out), "$'a\\x0a'$'b'");
}

static void the_longest_path_fits(void)
{
	char out[ESCAPE_SHELL], *name = malloc(4097);
	memset(name, '\'', 4096);
	name[4096] = '\0';
	escape_shell(name, out);
	CU_ASSERT_EQUAL(strlen(out), 4 * 4096 + 2);
	memset(name, 1, 4096);
	escape_shell(name, out);
	CU_ASSERT_EQUAL(out[strlen(out) - 1], '\'');
	free(name);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a_name_keeps_what_can_be_read", a_name_keeps_what_can_be_read },
		{ "a_long_name_keeps_its_end", a_long_name_keeps_its_end },
		{ "never_half_an_escape", never_half_an_escape },
		{ "a_shell_reads_the_word_back", a_shell_reads_the_word_back },
		{ "a_shell_word_is_plain_where_it_can_be", a_shell_word_is_plain_where_it_can_be },
		{ "the_longest_path_fits", the_longest_path_fits },
		CU_TEST_INFO_NULL,
	};
	return test_run("escape", tests);
}
