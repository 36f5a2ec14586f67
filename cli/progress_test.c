/* progress.c: the line says percent, rate and time left as far as they are known. */
#include "cli/progress.h"

#include "core/test.h"

static const char *line(uint64_t packets, uint64_t read, uint64_t total, double seconds)
{
	static char text[PROGRESS_TEXT];
	const struct ring_progress p = { .packets = packets, .bytes_read = read, .bytes_total = total };
	return progress_text(&p, (uint64_t)(seconds * 1e9), text);
}

static void says_percent_rate_and_time_left(void)
{
	CU_ASSERT_STRING_EQUAL(line(1200000, 42, 100, 4), " 42%  1.2 M packets  300 k packets/s  0:06 left");
	CU_ASSERT_STRING_EQUAL(line(950, 50, 100, 1), " 50%  950 packets  950 packets/s  0:01 left");
	CU_ASSERT_STRING_EQUAL(line(999999, 1, 3601, 1), "  0%  1.0 M packets  1.0 M packets/s  1:00:00 left");
	CU_ASSERT_STRING_EQUAL(line(10, 100, 100, 2), "100%  10 packets  5 packets/s  0:00 left");
}

static void leaves_out_what_is_not_known(void)
{
	CU_ASSERT_STRING_EQUAL(line(5000, 42, 0, 2), "5.0 k packets  2.5 k packets/s");
	CU_ASSERT_STRING_EQUAL(line(0, 0, 0, 0), "0 packets  0 packets/s");
	CU_ASSERT_STRING_EQUAL(line(0, 0, 100, 1), "  0%  0 packets  0 packets/s");
	/* A file that grew while it was read. */
	CU_ASSERT_STRING_EQUAL(line(1, 101, 100, 1), "1 packets  1 packets/s");
	CU_ASSERT_STRING_EQUAL(line(1, 1, UINT64_MAX, 1), "  0%  1 packets  1 packets/s  99:59:59 left");
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "says_percent_rate_and_time_left", says_percent_rate_and_time_left },
		{ "leaves_out_what_is_not_known", leaves_out_what_is_not_known },
		CU_TEST_INFO_NULL,
	};
	return test_run("progress", cases);
}
