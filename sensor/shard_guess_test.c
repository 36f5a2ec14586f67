/* Which flows nDPI is asked about when there are more than slots. */
#include "core/test.h"
#include "sensor/shard_rig.h"

static void speak(struct rig *r, unsigned port, const char *text)
{
	tcp(r, port, S, SYN, 99, 0, "");
	tcp(r, S, port, SYN | ACK, 199, 100, "");
	tcp(r, port, S, ACK, 100, 200, text);
	tcp(r, S, port, ACK, 200, 100 + (uint32_t)strlen(text), "what?");
}

static void a_quiet_flow_gives_its_slot_up(void)
{
	struct shard_config c = plenty();
	struct rig r;
	c.guesses = 1;
	c.tcp_idle_ns = 1000 * CLOCK_SECOND;
	setup_with(&r, c);
	r.out->guess = guess_new();
	CU_ASSERT_PTR_NOT_NULL_FATAL(r.out->guess);
	const uint64_t *v = shard_stats(r.h)->v;
	speak(&r, C, "no protocol of ours");
	CU_ASSERT(v[STATS_ndpi_flows] == 1 && v[STATS_ndpi_no_room] == 0 && v[STATS_ndpi_unknown] == 0);
	/* The only slot is taken, and its flow has just spoken. */
	speak(&r, C + 1, "nor is this");
	CU_ASSERT(v[STATS_ndpi_flows] == 1 && v[STATS_ndpi_no_room] == 1 && v[STATS_ndpi_unknown] == 0);
	/* It has been silent: another one has the slot, and what is known of it is counted. */
	r.ts_ns += GUESS_QUIET_NS;
	speak(&r, C + 2, "something else");
	CU_ASSERT(v[STATS_ndpi_flows] == 2 && v[STATS_ndpi_no_room] == 1 && v[STATS_ndpi_unknown] == 1);
	/* Whoever lost it is not asked about again, and ends as any flow. */
	uint64_t shown = v[STATS_ndpi_packets];
	tcp(&r, C, S, ACK, 119, 205, "still here");
	CU_ASSERT(v[STATS_ndpi_flows] == 2 && v[STATS_ndpi_no_room] == 1 && v[STATS_ndpi_packets] == shown);
	timers(&r, 2000);
	CU_ASSERT_EQUAL(shard_flows(r.h), 0);
	CU_ASSERT_EQUAL(v[STATS_ndpi_unknown], 2);
	CU_ASSERT_EQUAL(v[STATS_ndpi_flows], v[STATS_ndpi_named] + v[STATS_ndpi_unknown] + v[STATS_ndpi_exhausted]);
	guess_free(r.out->guess);
	teardown(&r);
}

static void the_slot_goes_round(void)
{
	struct shard_config c = plenty();
	struct rig r;
	c.guesses = 1;
	setup_with(&r, c);
	r.out->guess = guess_new();
	CU_ASSERT_PTR_NOT_NULL_FATAL(r.out->guess);
	speak(&r, C, "no protocol of ours");
	for (unsigned i = 1; i <= 40; i++) {
		r.ts_ns += GUESS_QUIET_NS / 8;
		speak(&r, C + i, "nor is this");
	}
	/* One in eight found the slot quiet. */
	const uint64_t *v = shard_stats(r.h)->v;
	CU_ASSERT_EQUAL(v[STATS_ndpi_flows], 1 + 40 / 8);
	CU_ASSERT_EQUAL(v[STATS_ndpi_no_room], 40 - 40 / 8);
	guess_free(r.out->guess);
	teardown(&r);
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "a_quiet_flow_gives_its_slot_up", a_quiet_flow_gives_its_slot_up },
		{ "the_slot_goes_round", the_slot_goes_round },
		CU_TEST_INFO_NULL,
	};
	if (!guess_built()) {
		puts("skipped: built without nDPI");
		return 77;
	}
	return test_run("shard_guess", cases);
}
