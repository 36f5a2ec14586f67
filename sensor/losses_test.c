/* Covers: R067 */
#include "sensor/losses.h"

#include <CUnit/Basic.h>

#include "core/test.h"

static const struct siphash_key key = { 1, 2 };

static struct addr ip(uint32_t n) { return addr_from_v4((const uint8_t[]){ 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n }); }

static void take(struct losses *l, uint32_t host, enum losses_kind kind, uint64_t n)
{
	struct addr a = ip(host);
	losses_take(l, &a, 0, kind, n);
}

static void the_same_address_elsewhere_is_another_host(void)
{
	struct losses *l = losses_new(&key);
	struct losses_host *top[LOSSES_TOLD];
	uint64_t rest = 0;
	struct addr a = ip(1);
	for (uint8_t space = 0; space < 3; space++)
		losses_take(l, &a, space, LOSSES_GAP_BYTES, 10);
	CU_ASSERT_EQUAL_FATAL(losses_top(l, LOSSES_GAP_BYTES, top, &rest), 3);
	for (uint8_t space = 0; space < 3; space++)
		CU_ASSERT(top[space]->space == space && top[space]->n[LOSSES_GAP_BYTES] == 10);
	losses_free(l);
}

static void who_lost_most_comes_first(void)
{
	struct losses *l = losses_new(&key);
	struct losses_host *top[LOSSES_TOLD];
	uint64_t rest = 7;
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	CU_ASSERT_EQUAL(losses_top(l, LOSSES_GAP_BYTES, top, &rest), 0);
	CU_ASSERT_EQUAL(rest, 0);
	take(l, 3, LOSSES_GAP_BYTES, 10);
	take(l, 1, LOSSES_GAP_BYTES, 20);
	take(l, 2, LOSSES_GAP_BYTES, 10);
	take(l, 3, LOSSES_FLOWS_EVICTED, 1);
	take(l, 9, LOSSES_FLOWS_UNREAD, 0);
	CU_ASSERT_EQUAL_FATAL(losses_top(l, LOSSES_GAP_BYTES, top, &rest), 3);
	CU_ASSERT_EQUAL(top[0]->ip.b[15], 1);
	CU_ASSERT_EQUAL(top[1]->ip.b[15], 2);           /* as much as 3: by address */
	CU_ASSERT_EQUAL(top[2]->ip.b[15], 3);
	CU_ASSERT_EQUAL_FATAL(losses_top(l, LOSSES_FLOWS_EVICTED, top, &rest), 1);
	CU_ASSERT_EQUAL(top[0]->n[LOSSES_FLOWS_EVICTED], 1);
	CU_ASSERT_EQUAL(losses_top(l, LOSSES_FLOWS_UNREAD, top, &rest), 0);
	losses_free(l);
}

/* A hundred thousand hosts: nothing is lost of the sum, and the one that lost most stays. */
static void the_sum_is_kept_when_hosts_give_way(void)
{
	struct losses *l = losses_new(&key);
	struct losses_host *top[LOSSES_TOLD];
	uint64_t sum = 5000000, rest = 0;
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	take(l, 77, LOSSES_GAP_BYTES, 5000000);
	for (uint32_t i = 100; i < 100100; i++) {
		take(l, i, LOSSES_GAP_BYTES, 1 + i % 7);
		sum += 1 + i % 7;
	}
	size_t n = losses_top(l, LOSSES_GAP_BYTES, top, &rest);
	CU_ASSERT_EQUAL(n, LOSSES_TOLD);
	CU_ASSERT_EQUAL(top[0]->n[LOSSES_GAP_BYTES], 5000000);
	for (size_t i = 0; i < n; i++)
		rest += top[i]->n[LOSSES_GAP_BYTES];
	CU_ASSERT_EQUAL(rest, sum);
	losses_free(l);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "who lost most comes first", who_lost_most_comes_first },
		{ "the same address elsewhere is another host", the_same_address_elsewhere_is_another_host },
		{ "the sum is kept when hosts give way", the_sum_is_kept_when_hosts_give_way },
		CU_TEST_INFO_NULL,
	};
	return test_run("losses", tests);
}
