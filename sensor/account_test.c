#include "sensor/account.h"

#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "core/test.h"

static struct account *fresh(void)
{
	struct account *a = calloc(1, sizeof(*a));
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	return a;
}

/* What is put is taken, in a row of records as in one alone; and each prefix of it is refused. */
static void takes_what_was_put(void)
{
	static uint8_t mem[8192];
	struct buf all = buf_over(mem, sizeof(mem));
	struct account *a = fresh();
	struct stats st = { { 0 } };
	for (int i = 0; i < STATS_COUNTERS; i++)
		st.v[i] = (uint64_t)i + 1;
	const struct mirror_source facts = { .packets = 7, .bytes = 700, .truncated = 2, .kernel_drops = 5, .interface_drops = 6 };
	const uint64_t worker[2] = { 11, 12 }, vlan = 9;
	for (int kind = 0; kind < ACCOUNT_KINDS; kind++) {
		uint8_t one[2048];
		struct buf b = buf_over(one, sizeof(one));
		switch (kind) {
		case ACCOUNT_STATS:
			account_put(&b, ACCOUNT_STATS, 0, st.v, STATS_COUNTERS);
			break;
		case ACCOUNT_SOURCE:
			account_put_source(&b, 2, &facts);
			break;
		case ACCOUNT_DECODED:
			account_put_decoded(&b, 2, &st);
			break;
		case ACCOUNT_VLAN:
			account_put(&b, ACCOUNT_VLAN, 203, &vlan, 1);
			break;
		default:
			account_put(&b, ACCOUNT_WORKER, 3, worker, 2);
		}
		CU_ASSERT_FALSE_FATAL(b.full);
		struct account *alone = fresh();
		for (size_t n = 0; n < b.len; n++)
			CU_ASSERT_FALSE(account_record(alone, (struct span){ one, n }));
		CU_ASSERT(account_record(alone, buf_span(&b)));
		(void)buf_u8(&b, 0);
		CU_ASSERT_FALSE(account_record(alone, buf_span(&b)));   /* a byte too many */
		free(alone);
		(void)buf_u16be(&all, (uint16_t)(b.len - 1));
		(void)buf_put(&all, one, b.len - 1);
	}
	CU_ASSERT(account_records(a, buf_span(&all)));
	CU_ASSERT_FALSE(account_records(a, (struct span){ mem, all.len - 1 }));
	CU_ASSERT_EQUAL(memcmp(&a->stats, &st, sizeof(st)), 0);
	CU_ASSERT_EQUAL(a->n_sources, 2);
	CU_ASSERT_EQUAL(memcmp(&a->sources[1], &facts, sizeof(facts)), 0);
	CU_ASSERT_EQUAL(a->vlans[203], 9);
	CU_ASSERT_EQUAL(a->n_workers, 3);
	CU_ASSERT(a->workers[2][0] == 11 && a->workers[2][1] == 12);
	enum stats_counter which[ACCOUNT_DECODED_MAX];
	size_t n = account_decoded(which);
	CU_ASSERT(n > 8);
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(a->decoded[1][i], st.v[which[i]]);
	free(a);
}

static void refuses_what_does_not_exist(void)
{
	static const struct { uint8_t kind; uint32_t id; } wrong[] = {
		{ ACCOUNT_STATS, 1 }, { ACCOUNT_SOURCE, 0 }, { ACCOUNT_SOURCE, MIRROR_SOURCES + 1 }, { ACCOUNT_DECODED, 0 },
		{ ACCOUNT_DECODED, MIRROR_SOURCES + 1 }, { ACCOUNT_VLAN, MIRROR_VLANS }, { ACCOUNT_WORKER, 0 },
		{ ACCOUNT_WORKER, ENGINE_MAX_WORKERS + 1 }, { ACCOUNT_KINDS, 1 }, { 255, UINT32_MAX },
	};
	struct account *a = fresh();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t mem[2048];
		static const uint64_t zeros[STATS_COUNTERS];
		/* Whatever number of values follows. */
		for (size_t n = 0; n <= STATS_COUNTERS; n++) {
			struct buf b = buf_over(mem, sizeof(mem));
			account_put(&b, (enum account_kind)wrong[i].kind, wrong[i].id, zeros, n);
			CU_ASSERT_FALSE(account_record(a, buf_span(&b)));
		}
	}
	free(a);
}

static void says_whether_it_closes(void)
{
	struct account *a = fresh();
	a->n_sources = a->n_workers = 2;
	a->sources[0].packets = 10;
	a->decoded[0][0] = 4;
	a->decoded[0][3] = 6;
	CU_ASSERT_EQUAL(account_source_open(a, 1), 0);
	a->decoded[0][3] = 7;
	CU_ASSERT_EQUAL(account_source_open(a, 1), -1);
	a->stats.v[STATS_packets] = 10;
	a->stats.v[STATS_tcp] = 3;
	a->stats.v[STATS_udp] = 2;
	a->workers[0][0] = 4;
	a->workers[1][0] = 6;
	a->workers[1][1] = 5;
	CU_ASSERT_EQUAL(account_workers_open(a, 0), 0);
	CU_ASSERT_EQUAL(account_workers_open(a, 1), 0);
	a->workers[1][0] = 5;
	CU_ASSERT_EQUAL(account_workers_open(a, 0), 1);
	free(a);
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "takes_what_was_put", takes_what_was_put },
		{ "refuses_what_does_not_exist", refuses_what_does_not_exist },
		{ "says_whether_it_closes", says_whether_it_closes },
		CU_TEST_INFO_NULL,
	};
	return test_run("account", cases);
}
