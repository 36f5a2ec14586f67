/* Directories of running processes: what a killed one left is removed by the next, and nothing else is. */
#include <CUnit/Basic.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/rundir.h"
#include "core/test.h"

static const char *const files[] = { "events", NULL };
static char base[] = "/tmp/spanward-rundir-test-XXXXXX";

static bool exists(const char *path)
{
	struct stat st;
	return !lstat(path, &st);
}

static void put(const char *dir, const char *name)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	(void)fclose(f);
}

static void what_is_in_use_stays(void)
{
	struct rundir a, b;
	CU_ASSERT_EQUAL_FATAL(rundir_make(base, "run", files, &a), 0);
	put(a.path, "events");
	CU_ASSERT_EQUAL_FATAL(rundir_make(base, "run", files, &b), 0);
	CU_ASSERT(exists(a.path) && exists(b.path) && strcmp(a.path, b.path) != 0);
	struct stat st;
	CU_ASSERT(!stat(a.path, &st) && (st.st_mode & 0777) == 0700);
	rundir_remove(&b, files);
	CU_ASSERT(!exists(strlen(b.path) ? b.path : "/nowhere"));
	/* Its holder is killed: only the lock goes. */
	char left[RUNDIR_PATH];
	(void)snprintf(left, sizeof(left), "%s", a.path);
	rundir_forget(&a);
	CU_ASSERT(exists(left));
	CU_ASSERT_EQUAL_FATAL(rundir_make(base, "run", files, &b), 0);
	CU_ASSERT(!exists(left) && exists(b.path));
	char path[RUNDIR_PATH];
	(void)snprintf(path, sizeof(path), "%s", b.path);
	rundir_remove(&b, files);
	CU_ASSERT(!exists(path) && b.lock < 0);
	rundir_remove(&b, files);
}

static void what_is_not_ours_stays(void)
{
	/* Another name, a file, a link, one that others can enter, a young one without a lock, one with more in it. */
	static const char *const names[] = { "other-aaaaaa", "run-aaaaaa", "run-bbbbbb", "run-cccccc", "run-dddddd", "run-eeeeee", "run-longername" };
	char path[7][256], target[300];
	for (size_t i = 0; i < 7; i++) {
		(void)snprintf(path[i], sizeof(path[i]), "%s/%s", base, names[i]);
		if (i == 1)
			put(base, names[i]);
		else if (i == 2)
			CU_ASSERT(!symlink(path[0], path[i]))
		else
			CU_ASSERT(!mkdir(path[i], 0700));
		if (i != 1 && i != 2 && i != 4)
			put(path[i], RUNDIR_LOCK);
	}
	CU_ASSERT(!chmod(path[3], 0755));
	put(path[5], "somebody's");
	struct rundir d;
	CU_ASSERT_EQUAL_FATAL(rundir_make(base, "run", files, &d), 0);
	for (size_t i = 0; i < 7; i++)
		CU_ASSERT(exists(path[i]));
	(void)snprintf(target, sizeof(target), "%s/" RUNDIR_LOCK, path[0]);
	CU_ASSERT(exists(target));
	(void)snprintf(target, sizeof(target), "%s/somebody's", path[5]);
	CU_ASSERT(exists(target));
	/* An old one without a lock: its maker died before it had one. */
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	CU_ASSERT(!utimensat(AT_FDCWD, path[4], old, 0));
	rundir_remove(&d, files);
	CU_ASSERT_EQUAL_FATAL(rundir_make(base, "run", files, &d), 0);
	CU_ASSERT(!exists(path[4]));
	rundir_remove(&d, files);
	CU_ASSERT_EQUAL(rundir_make("/nowhere", "run", files, &d), -2);
}

int main(void)
{
	if (!mkdtemp(base))
		return 1;
	CU_TestInfo tests[] = {
		{ "what is in use stays", what_is_in_use_stays }, { "what is not ours stays", what_is_not_ours_stays }, CU_TEST_INFO_NULL
	};
	int code = test_run("rundir", tests);
	char remove[300];
	(void)snprintf(remove, sizeof(remove), "rm -rf %s", base);
	return system(remove) ? 1 : code;
}
