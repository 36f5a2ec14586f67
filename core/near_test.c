#include "core/near.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/test.h"

static char dir[] = "/tmp/spanward-near-XXXXXX";

static void make(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT(fd >= 0);
	close(fd);
}

static void the_nearest_name_is_said(void)
{
	char out[NEAR_TEXT];
	CU_ASSERT_FATAL(mkdtemp(dir) != NULL && chdir(dir) == 0);
	make("monday.pcap");
	make("site.yaml");
	make("a\x1b[31mb");
	CU_ASSERT(mkdir("policy", 0700) == 0);
	make("policy/inventory.csv");
	CU_ASSERT_STRING_EQUAL(near_file("mnday.pcap", out), "; did you mean monday.pcap?");
	CU_ASSERT_STRING_EQUAL(near_file("policy/inventry.csv", out), "; did you mean inventory.csv?");
	CU_ASSERT_STRING_EQUAL(near_file("polcy/inventory.csv", out), "; did you mean policy?");
	CU_ASSERT_STRING_EQUAL(near_file("./polcy/", out), "; did you mean policy?");
	CU_ASSERT_STRING_EQUAL(near_file("a\x1b[31mc", out), "; did you mean a\\x1b[31mb?");
	CU_ASSERT_STRING_EQUAL(near_file("entirely-different", out), "");
	CU_ASSERT_STRING_EQUAL(near_file("policy", out), "");
	CU_ASSERT_STRING_EQUAL(near_file("site.yaml/x", out), "");
	CU_ASSERT_STRING_EQUAL(near_file("", out), "");
	CU_ASSERT_STRING_EQUAL(near_file("/", out), "");
	char *path = malloc(6001);
	memset(path, 'x', 6000);
	path[6000] = '\0';
	CU_ASSERT_STRING_EQUAL(near_file(path, out), "");
	for (size_t i = 1; i < 6000; i += 2)
		path[i] = '/';
	CU_ASSERT_STRING_EQUAL(near_file(path, out), "");
	free(path);
	CU_ASSERT(unlink("monday.pcap") == 0 && unlink("site.yaml") == 0 && unlink("a\x1b[31mb") == 0);
	CU_ASSERT(unlink("policy/inventory.csv") == 0 && rmdir("policy") == 0 && rmdir(dir) == 0);
}

int main(void)
{
	CU_TestInfo tests[] = { { "the_nearest_name_is_said", the_nearest_name_is_said }, CU_TEST_INFO_NULL };
	return test_run("near", tests);
}
