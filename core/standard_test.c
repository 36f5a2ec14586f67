#include "core/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/test.h"

/* In a process of its own: 0 when all is as it should be. */
static int closed(void)
{
	char c;
	int free_one = dup(1);
	(void)close(free_one);
	for (int fd = 0; fd <= 2; fd++)
		(void)close(fd);
	standard_open();
	int next = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (next != free_one)
		return 1;
	if (read(0, &c, 1) >= 0 || errno != EBADF)
		return 2;
	for (int fd = 1; fd <= 2; fd++)
		if (write(fd, "x", 1) >= 0 || errno != EBADF)
			return 3;
	(void)fputs("x", stdout);       /* held by stdio, however it was buffered before */
	return standard_flush() < 0 ? 0 : 4;
}

static int open_ones_stay(void)
{
	int before = dup(1);
	standard_open();
	int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return after == before + 1 && standard_flush() == 0 ? 0 : 1;
}

static int in_a_child(int (*f)(void))
{
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(f());
	int status = -1;
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void no_other_file_takes_the_place(void) { CU_ASSERT_EQUAL(in_a_child(closed), 0); }
static void what_is_open_is_left_alone(void) { CU_ASSERT_EQUAL(in_a_child(open_ones_stay), 0); }

int main(void)
{
	CU_TestInfo tests[] = {
		{ "no_other_file_takes_the_place", no_other_file_takes_the_place },
		{ "what_is_open_is_left_alone", what_is_open_is_left_alone },
		CU_TEST_INFO_NULL,
	};
	return test_run("standard", tests);
}
