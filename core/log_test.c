#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/test.h"

/* What one call put on stderr. */
static const char *caught(char *out, size_t cap, void (*call)(const char *), const char *arg)
{
	int p[2], saved = dup(STDERR_FILENO);
	if (saved < 0 || pipe2(p, O_NONBLOCK) || dup2(p[1], STDERR_FILENO) < 0)
		abort();
	call(arg);
	if (dup2(saved, STDERR_FILENO) < 0)
		abort();
	ssize_t n = read(p[0], out, cap - 1);
	out[n > 0 ? n : 0] = '\0';
	close(saved);
	close(p[0]);
	close(p[1]);
	return out;
}

static void say_error(const char *s) { log_error("%s", s); }
static void say_plainly(const char *s) { log_say("%s: cannot be read", s); }
static void say_debug(const char *s) { log_debug("%s", s); }

static void escapes_what_a_terminal_would_obey(void)
{
	char out[16384];
	unsetenv("JOURNAL_STREAM");
	log_open("test", LOG_LEVEL_INFO);
	CU_ASSERT_STRING_EQUAL(caught(out, sizeof(out), say_error, "a\x1b[31mb\r\n\t\x7f"),
			       "test: error: a\\x1b[31mb\\x0d\\x0a\\x09\\x7f\n");
	CU_ASSERT_STRING_EQUAL(caught(out, sizeof(out), say_error, "\xc2\x9b" "31m \x9b \xff \xe0\x80\x80"),
			       "test: error: \\xc2\\x9b31m \\x9b \\xff \\xe0\\x80\\x80\n");
	CU_ASSERT_STRING_EQUAL(caught(out, sizeof(out), say_error, "台帳未登録機器"), "test: error: 台帳未登録機器\n");
}

/* A file called "a\nerror: all is lost" must not look like two lines of ours. */
static void a_line_is_one_line_whatever_is_in_it(void)
{
	char out[16384];
	log_open("test", LOG_LEVEL_ERROR);
	CU_ASSERT_STRING_EQUAL(caught(out, sizeof(out), say_plainly, "a\nerror: b\x1b]0;t\x07"),
			       "a\\x0aerror: b\\x1b]0;t\\x07: cannot be read\n");
}

static void keeps_the_level_and_the_journal_priority(void)
{
	char out[16384];
	log_open("test", LOG_LEVEL_INFO);
	CU_ASSERT_STRING_EQUAL(caught(out, sizeof(out), say_debug, "x"), "");
	log_open("test", LOG_LEVEL_DEBUG);
	CU_ASSERT_STRING_EQUAL(caught(out, sizeof(out), say_debug, "x"), "test: debug: x\n");
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_open("test", LOG_LEVEL_DEBUG);
	CU_ASSERT_STRING_EQUAL(caught(out, sizeof(out), say_error, "x"), "<3>test: error: x\n");
	unsetenv("JOURNAL_STREAM");
	log_open("test", LOG_LEVEL_INFO);
}

static void a_long_line_is_cut_and_ends(void)
{
	char out[32768], *text = malloc(10001);
	memset(text, 1, 10000);
	text[10000] = '\0';
	caught(out, sizeof(out), say_error, text);
	CU_ASSERT_EQUAL(strlen(out), strlen("test: error: ") + 4 * 6143 + 1);
	CU_ASSERT_EQUAL(out[strlen(out) - 1], '\n');
	free(text);
}

static void preserves_errno(void)
{
	char out[16384];
	errno = EXDEV;
	caught(out, sizeof(out), say_error, "x");
	CU_ASSERT_EQUAL(errno, EXDEV);
}

static void every_error_has_words_and_an_exit_code(void)
{
	static const struct { int err; enum err_exit code; } t[] = {
		{ 0, ERR_EXIT_OK }, { ERR_TRUNCATED, ERR_EXIT_INPUT }, { ERR_CORRUPT, ERR_EXIT_INPUT },
		{ ERR_UNKNOWN_KIND, ERR_EXIT_INPUT }, { ERR_CONFIG, ERR_EXIT_CONFIG }, { ERR_POLICY, ERR_EXIT_FAILURE },
		{ ERR_SCHEMA, ERR_EXIT_FAILURE }, { -ENOENT, ERR_EXIT_INPUT }, { -EISDIR, ERR_EXIT_INPUT },
		{ -EACCES, ERR_EXIT_PERMISSION }, { -EPERM, ERR_EXIT_PERMISSION }, { -ENOMEM, ERR_EXIT_FAILURE },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		CU_ASSERT_STRING_NOT_EQUAL(err_text(t[i].err), "unknown error");
		CU_ASSERT_EQUAL(err_exit_code(t[i].err), t[i].code);
	}
	CU_ASSERT_STRING_EQUAL(err_text(-ENOENT), "No such file or directory");
	CU_ASSERT_STRING_EQUAL(err_text(-3999), "unknown error");
	CU_ASSERT_STRING_EQUAL(err_text(1), "unknown error");
	CU_ASSERT_STRING_EQUAL(err_text(-2147483647 - 1), "unknown error");
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "escapes_what_a_terminal_would_obey", escapes_what_a_terminal_would_obey },
		{ "a_line_is_one_line_whatever_is_in_it", a_line_is_one_line_whatever_is_in_it },
		{ "keeps_the_level_and_the_journal_priority", keeps_the_level_and_the_journal_priority },
		{ "a_long_line_is_cut_and_ends", a_long_line_is_cut_and_ends },
		{ "preserves_errno", preserves_errno },
		{ "every_error_has_words_and_an_exit_code", every_error_has_words_and_an_exit_code },
		CU_TEST_INFO_NULL,
	};
	return test_run("log", tests);
}
