/* follow.c: which file of a directory comes next, and when. */
#include "sensor/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/test.h"

static char dir[] = "/tmp/spanward-follow-XXXXXX";
static struct follow *f;
static char name[FOLLOW_NAME];

static const char *path(const char *of)
{
	static char p[4096];
	(void)snprintf(p, sizeof(p), "%s/%s", dir, of);
	return p;
}

static int begin(const char *of, const char *text, int flags)
{
	int fd = open(path(of), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void put(const char *of, const char *text) { (void)close(begin(of, text, O_TRUNC)); }

static void aged(const char *of, time_t s)
{
	const struct timespec t[2] = { { .tv_sec = s }, { .tv_sec = s } };
	CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path(of), t, 0), 0);
}

/* The name of the next file, "" for none; its content must be `text`. */
static const char *next(const char *text)
{
	int fd = -1;
	char got[128] = "";
	name[0] = '\0';
	if (follow_next(f, &fd, name) != 1) {
		CU_ASSERT_EQUAL(fd, -1);
		name[0] = '\0';         /* set for what was passed over, too */
		return name;
	}
	ssize_t n = read(fd, got, sizeof(got) - 1);
	CU_ASSERT_EQUAL(n, (ssize_t)strlen(text));
	CU_ASSERT_STRING_EQUAL(got, text);
	(void)close(fd);
	return name;
}

static void open_it(void)
{
	char why[256] = "";
	CU_ASSERT_EQUAL_FATAL(follow_open(dir, &f, why), 0);
}

static void takes_what_is_there_oldest_first(void)
{
	put("b", "one");
	put("c", "two");
	put("a", "two again");
	put("z", "zero");
	put(".hidden", "no");
	put("empty", "");
	CU_ASSERT_EQUAL(mkdir(path("sub"), 0700), 0);
	CU_ASSERT_EQUAL(mkfifo(path("pipe"), 0600), 0);
	CU_ASSERT_EQUAL(symlink("/etc/passwd", path("link")), 0);
	aged("z", 100);
	aged("b", 200);
	aged("c", 300);
	aged("a", 300);
	int writer = begin("being-written", "three", 0);
	open_it();
	CU_ASSERT_STRING_EQUAL(next("zero"), "z");
	CU_ASSERT_STRING_EQUAL(next("one"), "b");
	CU_ASSERT_STRING_EQUAL(next("two again"), "a");
	CU_ASSERT_STRING_EQUAL(next("two"), "c");
	CU_ASSERT_STRING_EQUAL(next(""), "");
	CU_ASSERT_EQUAL(write(writer, "!", 1), 1);
	CU_ASSERT_STRING_EQUAL(next(""), "");
	(void)close(writer);
	CU_ASSERT_STRING_EQUAL(next("three!"), "being-written");
	CU_ASSERT_STRING_EQUAL(next(""), "");
}

static void takes_what_is_closed_or_moved_in(void)
{
	int writer = begin("new", "fo", 0);
	CU_ASSERT_STRING_EQUAL(next(""), "");
	CU_ASSERT_EQUAL(write(writer, "ur", 2), 2);
	(void)close(writer);
	put(".part", "five");
	CU_ASSERT_STRING_EQUAL(next("four"), "new");
	CU_ASSERT_STRING_EQUAL(next(""), "");
	char from[4096];
	(void)snprintf(from, sizeof(from), "%s", path(".part"));
	CU_ASSERT_EQUAL(rename(from, path("whole")), 0);
	CU_ASSERT_STRING_EQUAL(next("five"), "whole");
	CU_ASSERT_STRING_EQUAL(next(""), "");
}

static void outlives_what_vanishes_and_tells_what_grows(void)
{
	put("short-lived", "x");
	CU_ASSERT_EQUAL(unlink(path("short-lived")), 0);
	CU_ASSERT_STRING_EQUAL(next(""), "");
	(void)close(begin("new", " and more", O_APPEND));
	CU_ASSERT_STRING_EQUAL(next(""), "");                   /* told, not read */
	int touched = open(path("new"), O_WRONLY | O_CLOEXEC);
	(void)close(touched);
	CU_ASSERT_STRING_EQUAL(next(""), "");                   /* opened, nothing written */
	put("new", "written anew and longer than before");      /* the same file of the disk, another beginning */
	CU_ASSERT_STRING_EQUAL(next("written anew and longer than before"), "new");
	CU_ASSERT_EQUAL(unlink(path("new")), 0);
	put("new", "written anew and longer than before");      /* another file */
	CU_ASSERT_STRING_EQUAL(next("written anew and longer than before"), "new");
	CU_ASSERT_STRING_EQUAL(next(""), "");
}

static void waits_for_a_directory_that_is_gone(void)
{
	char elsewhere[sizeof(dir) + 8];
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s.old", dir);
	CU_ASSERT_EQUAL(rename(dir, elsewhere), 0);
	CU_ASSERT_STRING_EQUAL(next(""), "");
	CU_ASSERT_EQUAL(mkdir(dir, 0700), 0);
	put("first", "again");
	const char *got = "";
	for (int i = 0; i < 50 && !*got; i++) {
		(void)usleep(100000);
		got = next("again");
	}
	CU_ASSERT_STRING_EQUAL(got, "first");
	follow_free(f);
	char command[256], why[256] = "";
	(void)snprintf(command, sizeof(command), "rm -r %s %s", dir, elsewhere);
	CU_ASSERT_EQUAL(system(command), 0);
	CU_ASSERT_EQUAL(follow_open(dir, &f, why), -ENOENT);
	CU_ASSERT(strstr(why, dir) != NULL);
	CU_ASSERT_EQUAL(follow_open("/dev/null", &f, why), -ENOTDIR);
	CU_ASSERT(strstr(why, "directory") != NULL);
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "takes_what_is_there_oldest_first", takes_what_is_there_oldest_first },
		{ "takes_what_is_closed_or_moved_in", takes_what_is_closed_or_moved_in },
		{ "outlives_what_vanishes_and_tells_what_grows", outlives_what_vanishes_and_tells_what_grows },
		{ "waits_for_a_directory_that_is_gone", waits_for_a_directory_that_is_gone },
		CU_TEST_INFO_NULL,
	};
	if (!mkdtemp(dir))
		return 1;
	return test_run("follow", cases);
}
