/* options.c: what operators type, and the words they get back. */
#include "sensor/options.h"

#include <errno.h>
#include <string.h>

#include "core/test.h"

static char why[256];

static void reads_numbers_whole_or_not_at_all(void)
{
	uint64_t v = 99;
	CU_ASSERT_EQUAL(options_uint("8", 1, 16, &v, why), 0);
	CU_ASSERT_EQUAL(v, 8);
	static const char *const bad[] = { "", "0", "17", "8 ", " 8", "+8", "-1", "0x8", "8s", "18446744073709551616", "eight" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(options_uint(bad[i], 1, 16, &v, why), -EINVAL);
	CU_ASSERT_EQUAL(v, 8);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "from 1 to 16"));
}

static void reads_sizes_and_durations(void)
{
	uint64_t v = 0;
	CU_ASSERT(!options_size("64KiB", 0, 1 << 30, &v, why) && v == 65536);
	CU_ASSERT(!options_size("2GiB", 0, UINT64_C(1) << 40, &v, why) && v == UINT64_C(2) << 30);
	CU_ASSERT(!options_size("5", 0, 10, &v, why) && v == 5);
	CU_ASSERT(options_size("5KB", 0, 1 << 30, &v, why) == -EINVAL);
	CU_ASSERT(options_size("18014398509481984KiB", 0, UINT64_MAX, &v, why) == -EINVAL);
	CU_ASSERT(!options_duration("90d", &v, why) && v == 90 * 86400);
	CU_ASSERT(!options_duration("30s", &v, why) && v == 30);
	CU_ASSERT(!options_duration("0", &v, why) && v == 0);
	CU_ASSERT(options_duration("30", &v, why) == -EINVAL && strstr(why, "of what"));
	CU_ASSERT(options_duration("1w", &v, why) == -EINVAL);
	CU_ASSERT(options_duration("36501d", &v, why) == -EINVAL);
}

static void sets_one_budget(void)
{
	struct engine_config c = { .flows = 1, .probes = 2 };
	CU_ASSERT_EQUAL(options_budget("flows=64", &c, why), 0);
	CU_ASSERT(c.flows == 64 && c.probes == 2);
	CU_ASSERT_EQUAL(options_budget("streams=64KiB", &c, why), 0);
	CU_ASSERT_EQUAL(c.stream_bytes, 65536);
	CU_ASSERT_EQUAL(options_budget("tcp_idle=5m", &c, why), 0);
	CU_ASSERT_EQUAL(c.tcp_idle_ns, UINT64_C(300000000000));
	CU_ASSERT_EQUAL(options_budget("flows=128,probes=7,streams=1MiB", &c, why), 0);
	CU_ASSERT(c.flows == 128 && c.probes == 7 && c.stream_bytes == 1 << 20);
	CU_ASSERT_EQUAL(options_budget("flows=64,probes=", &c, why), -EINVAL);
	CU_ASSERT_EQUAL(c.flows, 128);
	static const char *const bad[] = { "flows", "flows=1,", ",",  "flows=", "flows=0", "flow=1", "=1", "flowsx=1", "streams=x", "" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(options_budget(bad[i], &c, why), -EINVAL);
	CU_ASSERT_EQUAL(c.flows, 128);
}

static void keeps_clear_text_on_this_machine(void)
{
	static const char *const good[] = { "tcp://127.0.0.1:5577", "tcp://[::1]:5577", "tcp://localhost:5577", "ipc:///run/x" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CU_ASSERT_EQUAL(options_endpoint(good[i], false, why), 0);
	static const char *const away[] = { "tcp://192.0.2.1:5577", "tcp://collector.example:5577", "tcp://[2001:db8::1]:1",
	                                    "tcp://localhost.example:1", "tcp://127.0.0.1.example:1" };
	for (size_t i = 0; i < sizeof(away) / sizeof(away[0]); i++) {
		CU_ASSERT_EQUAL(options_endpoint(away[i], false, why), -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, "--insecure-no-curve"));
		CU_ASSERT_EQUAL(options_endpoint(away[i], true, why), 0);
	}
	static const char *const bad[] = { "", "tcp://", "tcp://:5577", "tcp://127.0.0.1", "tcp://127.0.0.1:0", "tcp://a:65536",
	                                   "ipc://", "inproc://x", "127.0.0.1:5577", "tcp://*:5577", "tcp://a b:1" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(options_endpoint(bad[i], true, why), -EINVAL);
}

static void refuses_ids_that_a_frame_cannot_carry(void)
{
	CU_ASSERT_EQUAL(options_sensor_id("ward-3.east", why), 0);
	CU_ASSERT_EQUAL(options_sensor_id("0123456789abcdef", why), 0);
	CU_ASSERT_EQUAL(options_sensor_id("0123456789abcdefg", why), -EINVAL);
	CU_ASSERT_EQUAL(options_sensor_id("", why), -EINVAL);
	CU_ASSERT_EQUAL(options_sensor_id("a b", why), -EINVAL);
	CU_ASSERT_EQUAL(options_sensor_id("-a", why), -EINVAL);
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "reads_numbers_whole_or_not_at_all", reads_numbers_whole_or_not_at_all },
		{ "reads_sizes_and_durations", reads_sizes_and_durations },
		{ "sets_one_budget", sets_one_budget },
		{ "keeps_clear_text_on_this_machine", keeps_clear_text_on_this_machine },
		{ "refuses_ids_that_a_frame_cannot_carry", refuses_ids_that_a_frame_cannot_carry },
		CU_TEST_INFO_NULL,
	};
	return test_run("options", cases);
}
