#include "core/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/test.h"

static int parse(const char *s, size_t n, uint64_t *ret)
{
	uint8_t *p = malloc(n ? n : 1);         /* exact size: ASan sees one byte over */
	if (!p)
		abort();
	memcpy(p, s, n);
	int r = clock_parse((struct span){ p, n }, ret);
	free(p);
	return r;
}

static void prints_known_times(void)
{
	static const struct { uint64_t ns; const char *s; } t[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ 1, "1970-01-01T00:00:00.000000001Z" },
		{ UINT64_C(951782400) * CLOCK_SECOND, "2000-02-29T00:00:00.000000000Z" },
		{ UINT64_C(1795384580) * CLOCK_SECOND + 123456789, "2026-11-22T21:56:20.123456789Z" },
		{ UINT64_MAX, "2554-07-21T23:34:33.709551615Z" },
	};
	char out[CLOCK_STRLEN];
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		uint64_t back = 42;
		CU_ASSERT_STRING_EQUAL(clock_str(t[i].ns, out), t[i].s);
		CU_ASSERT_EQUAL(parse(t[i].s, strlen(t[i].s), &back), 0);
		CU_ASSERT_EQUAL(back, t[i].ns);
	}
}

static void agrees_with_the_c_library_on_every_day(void)
{
	char out[CLOCK_STRLEN], want[CLOCK_STRLEN];
	for (uint64_t day = 0; day < 84000; day++) {            /* to 2199, over 2000 (leap) and 2100 (not) */
		time_t at = (time_t)(day * 86400 + day % 86400);
		struct tm tm;
		CU_ASSERT_PTR_NOT_NULL_FATAL(gmtime_r(&at, &tm));
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
		clock_str((uint64_t)at * CLOCK_SECOND, out);
		uint64_t back = 0;
		if (strcmp(out, want) || parse(out, strlen(out), &back) || back != (uint64_t)at * CLOCK_SECOND) {
			CU_FAIL("differs from gmtime_r");
			return;
		}
	}
}

static void reads_offsets_and_decimals(void)
{
	static const struct { const char *s; uint64_t ns; } t[] = {
		{ "1970-01-02", UINT64_C(86400) * CLOCK_SECOND },
		{ "1970-01-01T09:00:00+09:00", 0 },
		{ "1970-01-01T00:00:00-23:59", UINT64_C(86340) * CLOCK_SECOND },
		{ "1970-01-01t00:00:01z", CLOCK_SECOND },
		{ "1970-01-01 00:00:01Z", CLOCK_SECOND },
		{ "1970-01-01T00:00:00.5Z", 500000000 },
		{ "1970-01-01T00:00:00.000000001+00:00", 1 },
		{ "1969-12-31T23:00:00-01:00", 0 },
		{ "2016-12-31T23:59:60Z", UINT64_C(1483228800) * CLOCK_SECOND },        /* the last leap second */
		{ "2017-01-01T08:59:60+09:00", UINT64_C(1483228800) * CLOCK_SECOND },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		uint64_t ns = 42;
		CU_ASSERT_EQUAL(parse(t[i].s, strlen(t[i].s), &ns), 0);
		CU_ASSERT_EQUAL(ns, t[i].ns);
	}
}

static void refuses_impossible_times(void)
{
	static const char *const bad[] = {
		"", "1970", "1970-13-01", "1970-00-01", "1970-01-00", "1970-01-32", "2023-02-29", "2100-02-29", "1970-04-31",
		"1969-12-31", "1970-1-01", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:61Z",
		"1970-01-01T00:00:60Z", "1970-01-01T00:00:00", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.1234567890Z",
		"1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+09:60", "1970-01-01T00:00:00+0900", "1970-01-01T00:00:00Zx",
		"1970-01-01T00:00Z", "1970-01-01 ", "1970/01/01", "-970-01-01", "1970-01-01T00:00:00+01:00", "2554-07-22",
		"2554-07-21T23:34:33.709551616Z", "9999-12-31T23:59:59Z", "1970-01-01X00:00:00Z",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint64_t ns = 42;
		CU_ASSERT_EQUAL(parse(bad[i], strlen(bad[i]), &ns), -EINVAL);
		CU_ASSERT_EQUAL(ns, 42);
	}
}

static void every_prefix_is_refused_or_a_date(void)
{
	const char *s = "2026-11-22T21:46:20.123456789+09:00";
	for (size_t n = 0; n < strlen(s); n++) {
		uint64_t ns = 42;
		CU_ASSERT_EQUAL(parse(s, n, &ns), n == 10 ? 0 : -EINVAL);
	}
}

static void clocks_run(void)
{
	uint64_t m = clock_mono_ns();
	CU_ASSERT(clock_mono_ns() >= m);
	CU_ASSERT(clock_now_ns() > UINT64_C(1700000000) * CLOCK_SECOND);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "prints_known_times", prints_known_times },
		{ "agrees_with_the_c_library_on_every_day", agrees_with_the_c_library_on_every_day },
		{ "reads_offsets_and_decimals", reads_offsets_and_decimals },
		{ "refuses_impossible_times", refuses_impossible_times },
		{ "every_prefix_is_refused_or_a_date", every_prefix_is_refused_or_a_date },
		{ "clocks_run", clocks_run },
		CU_TEST_INFO_NULL,
	};
	return test_run("clock", tests);
}
