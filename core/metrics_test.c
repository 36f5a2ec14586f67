#include "core/metrics.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/test.h"

static char dir[] = "/tmp/spanward-metrics-XXXXXX";
static char path[64], text[4096];

static const char *content(void)
{
	FILE *f = fopen(path, "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	return text;
}

static int write_one(uint64_t value)
{
	struct metrics m;
	metrics_begin(&m, path);
	metrics_family(&m, "packets_total", METRICS_COUNTER, "packets read");
	metrics_row(&m, NULL, value);
	const char *const labels[] = { "source", "a\"b\\c\nd\x01", "worker", "2", NULL };
	metrics_row(&m, labels, UINT64_MAX);
	metrics_family(&m, "watermark_seconds", METRICS_GAUGE, "packet time");
	metrics_row_ns(&m, NULL, 1500000007);
	return metrics_end(&m);
}

static void writes_the_text_format(void)
{
	CU_ASSERT_EQUAL(write_one(7), 0);
	CU_ASSERT_STRING_EQUAL(content(), "# HELP spanward_packets_total packets read\n"
	                                  "# TYPE spanward_packets_total counter\n"
	                                  "spanward_packets_total 7\n"
	                                  "spanward_packets_total{source=\"a\\\"b\\\\c\\nd?\",worker=\"2\"} 18446744073709551615\n"
	                                  "# HELP spanward_watermark_seconds packet time\n"
	                                  "# TYPE spanward_watermark_seconds gauge\n"
	                                  "spanward_watermark_seconds 1.500000007\n");
}

/* A reader sees the old file or the new one; a disk that takes nothing leaves the old one. */
static void replaces_it_whole(void)
{
	struct metrics m;
	CU_ASSERT_EQUAL(write_one(7), 0);
	metrics_begin(&m, path);
	metrics_family(&m, "packets_total", METRICS_COUNTER, "packets read");
	metrics_row(&m, NULL, 8);
	CU_ASSERT_PTR_NOT_NULL(strstr(content(), "packets_total 7\n"));
	CU_ASSERT_EQUAL(metrics_end(&m), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(content(), "packets_total 8\n"));
	metrics_begin(&m, "/nonexistent/metrics");
	metrics_row(&m, NULL, 8);
	CU_ASSERT_EQUAL(metrics_end(&m), -ENOENT);
	metrics_begin(&m, dir);         /* a directory cannot be replaced by a file */
	metrics_row(&m, NULL, 9);
	CU_ASSERT_EQUAL(metrics_end(&m), -EISDIR);
	CU_ASSERT_EQUAL(access(m.temporary, F_OK), -1);
	static char longest[PATH_MAX + 2];
	memset(longest, 'x', sizeof(longest) - 1);
	metrics_begin(&m, longest);
	CU_ASSERT_EQUAL(metrics_end(&m), -ENAMETOOLONG);
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "writes_the_text_format", writes_the_text_format },
		{ "replaces_it_whole", replaces_it_whole },
		CU_TEST_INFO_NULL,
	};
	if (!mkdtemp(dir))
		return 1;
	(void)snprintf(path, sizeof(path), "%s/metrics", dir);
	int code = test_run("metrics", cases);
	(void)unlink(path);
	(void)rmdir(dir);
	return code;
}
