/* out.c: a file appears whole or not at all, a comparison shows the first difference, a closed pipe is no fault. */
#include "cli/out.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char why[256], dir[64];

static const char *path_of(const char *name)
{
	static char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put_file(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static const char *file_text(const char *name)
{
	static char text[256];
	FILE *f = fopen(path_of(name), "r");
	if (!f)
		return NULL;
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	return text;
}

static void file_appears_only_when_kept(void)
{
	struct out o;
	put_file("f", "old");
	CU_ASSERT_EQUAL_FATAL(out_open(&o, path_of("f"), why), 0);
	out_str(&o, "new\n");
	CU_ASSERT_STRING_EQUAL(file_text("f"), "old");
	CU_ASSERT_EQUAL(out_close(&o, false, why), 0);
	CU_ASSERT_STRING_EQUAL(file_text("f"), "old");
	CU_ASSERT_EQUAL_FATAL(out_open(&o, path_of("f"), why), 0);
	out_str(&o, "new\n");
	CU_ASSERT_EQUAL(out_close(&o, true, why), 0);
	CU_ASSERT_STRING_EQUAL(file_text("f"), "new\n");
	struct stat st;
	CU_ASSERT_EQUAL(stat(path_of("f"), &st), 0);
	mode_t mask = umask(0);
	(void)umask(mask);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0666 & ~mask);
}

static void says_what_cannot_be_written(void)
{
	struct out o;
	CU_ASSERT_EQUAL(out_open(&o, path_of("no/such/f"), why), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "no/such/f"));
	CU_ASSERT_EQUAL_FATAL(out_open(&o, "/dev/full", why), 0);
	out_str(&o, "x\n");
	CU_ASSERT_EQUAL(out_close(&o, true, why), -ENOSPC);
	struct stat st;
	CU_ASSERT(stat("/dev/full", &st) == 0 && S_ISCHR(st.st_mode));
}

static void closed_pipe_is_quiet(void)
{
	int p[2];
	CU_ASSERT_EQUAL_FATAL(pipe(p), 0);
	struct out o = { .to = fdopen(p[1], "w") };
	(void)close(p[0]);
	for (int i = 0; i < 100000 && !out_stopped(&o); i++)
		out_str(&o, "line\n");
	CU_ASSERT(o.closed && !o.err);
	CU_ASSERT_EQUAL(out_close(&o, true, why), 0);
}

/* 0 equal, else the line. */
static unsigned long long compared(const char *golden, const char *have, struct out *o)
{
	put_file("golden", golden);
	CU_ASSERT_EQUAL_FATAL(out_open_expected(o, path_of("golden"), why), 0);
	for (const char *p = have; *p; p++)
		out_put(o, (struct span){ (const uint8_t *)p, 1 });
	CU_ASSERT_EQUAL(out_close(o, true, why), 0);
	return o->bad_line;
}

static void finds_the_first_difference(void)
{
	struct out o;
	CU_ASSERT_EQUAL(compared("a\nb\n", "a\nb\n", &o), 0);
	CU_ASSERT(out_matches(&o, "golden", stderr));
	CU_ASSERT_EQUAL(compared("", "", &o), 0);
	CU_ASSERT_EQUAL(compared("a\nbcd\n", "a\nbxd\n", &o), 2);
	CU_ASSERT_EQUAL(o.bad_at, 1);
	CU_ASSERT_STRING_EQUAL(o.want_text, "bcd");
	CU_ASSERT_STRING_EQUAL(o.have_text, "bxd");
	CU_ASSERT_EQUAL(compared("a\nb\nc\n", "a\n", &o), 2);
	CU_ASSERT_STRING_EQUAL(o.want_text, "b");
	CU_ASSERT_STRING_EQUAL(o.have_text, "(the output ends here)");
	CU_ASSERT_EQUAL(compared("a\n", "a\nb\n", &o), 2);
	CU_ASSERT_STRING_EQUAL(o.want_text, "(the file ends here)");
	CU_ASSERT_STRING_EQUAL(o.have_text, "b");
	CU_ASSERT_EQUAL(compared("ab\n", "a\n", &o), 1);
	CU_ASSERT_EQUAL(compared("a\n", "ab\n", &o), 1);
	CU_ASSERT_EQUAL(compared("\n", "a\n", &o), 1);
	CU_ASSERT_EQUAL(compared("a\n", "\n", &o), 1);
	FILE *to = tmpfile();
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	CU_ASSERT(!out_matches(&o, "golden", to));
	CU_ASSERT(ftell(to) > 0);
	(void)fclose(to);
	CU_ASSERT_EQUAL(out_open_expected(&o, path_of("none"), why), -ENOENT);
}

static void shows_a_late_difference_of_a_long_line(void)
{
	struct out o;
	char a[3002], b[3002];
	memset(a, 'x', 3000);
	memcpy(a + 3000, "\n", 2);
	memcpy(b, a, sizeof(b));
	b[2000] = 'y';
	CU_ASSERT_EQUAL(compared(a, b, &o), 1);
	CU_ASSERT_EQUAL(o.bad_at, 2000);
	CU_ASSERT_PTR_NOT_NULL(strchr(o.have_text, 'y'));
	CU_ASSERT_PTR_NULL(strchr(o.want_text, 'y'));
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "file_appears_only_when_kept", file_appears_only_when_kept },
		{ "says_what_cannot_be_written", says_what_cannot_be_written },
		{ "closed_pipe_is_quiet", closed_pipe_is_quiet },
		{ "finds_the_first_difference", finds_the_first_difference },
		{ "shows_a_late_difference_of_a_long_line", shows_a_late_difference_of_a_long_line },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { .pName = "out", .pTests = cases }, CU_SUITE_INFO_NULL };
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(dir, sizeof(dir), "/tmp/spanward-out-XXXXXX");
	if (!mkdtemp(dir) || CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 2;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	(void)CU_basic_run_tests();
	int bad = CU_get_number_of_failures() != 0;
	CU_cleanup_registry();
	(void)unlink(path_of("f"));
	(void)unlink(path_of("golden"));
	(void)rmdir(dir);
	return bad;
}
