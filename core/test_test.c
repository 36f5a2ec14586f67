/* What the others rely on: a program whose test fails, or that has none, ends with a failure. */
#include "core/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void good(void) { CU_ASSERT(1 + 1 == 2); }
static void bad(void) { CU_ASSERT(1 + 1 == 3); }

/* The exit status of a program with these tests; its talk goes nowhere. */
static int status_of(CU_TestInfo *tests)
{
	int status = -1;
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
			_exit(99);
		_exit(test_run("inner", tests));
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	CU_TestInfo none[] = { CU_TEST_INFO_NULL };
	CU_TestInfo all_good[] = { { "good", good }, { "again", good }, CU_TEST_INFO_NULL };
	CU_TestInfo one_bad[] = { { "good", good }, { "bad", bad }, { "again", good }, CU_TEST_INFO_NULL };
	return !(status_of(all_good) == 0 && status_of(one_bad) == 1 && status_of(none) == 1);
}
