/* Limits of rows over time, and rows that were never used. */
/* Covers: R019 R058 R101 */
#include "sensor/conduct.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/test.h"

/* Two units: the first has four rows, the second shares them. */
uint32_t policy_unit_rows(const struct policy *p, uint32_t device, uint32_t *ret_first)
{
	(void)p;
	*ret_first = 10;
	return device < 2 ? 4 : 0;
}

size_t policy_devices(const struct policy *p) { return p ? 2 : 0; }

static const uint64_t table = 0;

static struct conduct *fresh(void)
{
	static const struct siphash_key key = { 1, 2 };
	struct conduct *c = conduct_new(&key);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	conduct_policy(c, (const struct policy *)(const void *)&table, 5);
	return c;
}

static struct addr host(uint8_t n)
{
	struct addr a = { 0 };
	a.b[15] = n;
	return a;
}

static void connections_are_counted_by_the_minute(void)
{
	struct conduct *c = fresh();
	struct policy_row_limits l = { .conns_min = 2, .cite = 1 };
	struct addr a = host(1);
	uint64_t n = 0, t = 600 * CLOCK_SECOND;
	CU_ASSERT_EQUAL(conduct_open(c, 0, 10, &l, &a, t, &n), CONDUCT_NOTHING);
	CU_ASSERT_EQUAL(conduct_open(c, 0, 10, &l, &a, t + 1, &n), CONDUCT_NOTHING);
	CU_ASSERT_EQUAL(conduct_open(c, 0, 10, &l, &a, t + 2, &n), CONDUCT_CONNECTIONS);
	CU_ASSERT_EQUAL(n, 3);
	/* said once a minute; another unit has a count of its own */
	CU_ASSERT_EQUAL(conduct_open(c, 0, 10, &l, &a, t + 3, &n), CONDUCT_NOTHING);
	CU_ASSERT_EQUAL(conduct_open(c, 1, 10, &l, &a, t + 4, &n), CONDUCT_NOTHING);
	/* a new minute begins at nothing; time that steps back does not begin one */
	t += 60 * CLOCK_SECOND;
	CU_ASSERT_EQUAL(conduct_open(c, 0, 10, &l, &a, t, &n), CONDUCT_NOTHING);
	CU_ASSERT_EQUAL(conduct_open(c, 0, 10, &l, &a, t - 1, &n), CONDUCT_NOTHING);
	CU_ASSERT_EQUAL(conduct_open(c, 0, 10, &l, &a, t + 1, &n), CONDUCT_CONNECTIONS);
	/* without a limit nothing is counted */
	l = (struct policy_row_limits){ .cite = POLICY_NONE, .conns_min = 1 };
	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(conduct_open(c, 0, 11, &l, &a, t, &n), CONDUCT_NOTHING);
	conduct_free(c);
}

static void associations_bytes_and_sessions(void)
{
	struct conduct *c = fresh();
	struct policy_row_limits l = { .associations_min = 1, .bytes_day = 100, .session_ns = 10 * CLOCK_SECOND, .cite = 1 };
	uint64_t n = 0, t = 600 * CLOCK_SECOND, day = 24 * 3600 * CLOCK_SECOND;
	CU_ASSERT_EQUAL(conduct_association(c, 0, 10, &l, t, &n), CONDUCT_NOTHING);
	CU_ASSERT_EQUAL(conduct_association(c, 0, 10, &l, t, &n), CONDUCT_ASSOCIATIONS);
	CU_ASSERT_EQUAL(conduct_end(c, 0, 10, &l, 100, 0, 0, t, &n), CONDUCT_NOTHING);
	CU_ASSERT_EQUAL(conduct_end(c, 0, 10, &l, 1, 0, 0, t, &n), CONDUCT_BYTES);
	CU_ASSERT_EQUAL(n, 101);
	CU_ASSERT_EQUAL(conduct_end(c, 0, 10, &l, 1, 0, 0, t, &n), CONDUCT_NOTHING);
	CU_ASSERT_EQUAL(conduct_end(c, 0, 10, &l, 100, 0, 0, t + day, &n), CONDUCT_NOTHING);
	CU_ASSERT_EQUAL(conduct_end(c, 0, 11, &l, 0, 10 * CLOCK_SECOND, 0, t, &n), CONDUCT_NOTHING);
	CU_ASSERT_EQUAL(conduct_end(c, 0, 11, &l, 0, 11 * CLOCK_SECOND, 0, t, &n), CONDUCT_SESSION);
	CU_ASSERT_EQUAL(n, 11);
	l.idle_s = 300;
	CU_ASSERT_EQUAL(conduct_end(c, 0, 11, &l, 0, 1, 240, t, &n), CONDUCT_NOTHING);
	CU_ASSERT_EQUAL(conduct_end(c, 0, 11, &l, 0, 1, 300, t, &n), CONDUCT_IDLE);
	CU_ASSERT_EQUAL(n, 300);
	conduct_free(c);
}

static void peers_beyond_the_limit_are_said_once_each(void)
{
	struct conduct *c = fresh();
	struct policy_row_limits l = { .max_peers = 2, .cite = 1 };
	uint64_t n = 0;
	unsigned said = 0;
	for (unsigned turn = 0; turn < 3; turn++)
		for (uint8_t i = 1; i <= 4; i++) {
			struct addr a = host(i);
			said += conduct_open(c, 0, 10, &l, &a, 1, &n) == CONDUCT_TOO_MANY_PEERS;
		}
	CU_ASSERT_EQUAL(said, 2);
	CU_ASSERT_EQUAL(n, 4);
	conduct_free(c);
}

static void rows_of_units_that_were_seen(void)
{
	struct conduct *c = fresh();
	CU_ASSERT_EQUAL(conduct_since(c), 5);
	/* nobody was seen */
	CU_ASSERT(!conduct_unused(c, 0, 10));
	conduct_met(c, 0);
	CU_ASSERT(conduct_unused(c, 0, 10));
	conduct_used(c, 0, 10);
	CU_ASSERT(!conduct_unused(c, 0, 10));
	CU_ASSERT(conduct_unused(c, 0, 13));
	CU_ASSERT(!conduct_unused(c, 1, 13));
	/* no such row, no such unit */
	CU_ASSERT(!conduct_unused(c, 0, 9));
	CU_ASSERT(!conduct_unused(c, 0, 14));
	CU_ASSERT(!conduct_unused(c, 2, 10));
	conduct_used(c, 7, 10);
	/* another policy begins anew; none has no rows */
	conduct_policy(c, (const struct policy *)(const void *)&table, 6);
	CU_ASSERT(!conduct_unused(c, 0, 13));
	conduct_policy(c, NULL, 7);
	conduct_met(c, 0);
	CU_ASSERT(!conduct_unused(c, 0, 10));
	conduct_free(c);
	conduct_free(NULL);
}

/* More pairs than there is room for: a limit may be missed, nothing is said in error. */
static void a_full_table_says_nothing_in_error(void)
{
	struct conduct *c = fresh();
	struct policy_row_limits l = { .conns_min = 1, .cite = 1 };
	struct addr a = host(1);
	uint64_t n = 0;
	unsigned said = 0;
	for (uint32_t i = 0; i < 3 * CONDUCT_ENTRIES; i++)
		said += conduct_open(c, i, 10, &l, &a, 1, &n) != CONDUCT_NOTHING;
	CU_ASSERT_EQUAL(said, 0);
	conduct_free(c);
}

int main(void)
{
	CU_pSuite s = test_begin("conduct");
#define T(name) CU_add_test(s, #name, name)
	T(connections_are_counted_by_the_minute);
	T(associations_bytes_and_sessions);
	T(peers_beyond_the_limit_are_said_once_each);
	T(rows_of_units_that_were_seen);
	T(a_full_table_says_nothing_in_error);
#undef T
	return test_end();
}
