#include "sensor/flow.h"

#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

static struct flow_hash_key secret;

static struct flow_key key(unsigned n)
{
	struct decode d = { .kind = DECODE_TCP, .src_port = (uint16_t)n, .dst_port = 104 };
	d.src.b[14] = (uint8_t)(n >> 8);
	d.src.b[15] = (uint8_t)n;
	d.dst.b[15] = 1;
	d.dst.b[0] = 0x20;
	struct flow_key k;
	flow_key_make(&d, &k);
	return k;
}

static uint32_t add(struct flow_table *t, unsigned n, enum flow_list list, uint64_t now_s)
{
	struct flow_key k = key(n);
	return flow_add(t, &k, flow_key_hash(&secret, &k), list, now_s * 1000000000u);
}

static uint32_t find(struct flow_table *t, unsigned n)
{
	struct flow_key k = key(n);
	uint64_t hash = flow_key_hash(&secret, &k);
	uint32_t i = flow_find(t, &k, hash, 0), hint = flow_prefetch_record(t, hash);
	CU_ASSERT(hint <= 3000 && flow_find(t, &k, hash, hint) == i);
	return i;
}

static void both_directions_have_one_key(void)
{
	struct decode there = { .kind = DECODE_UDP, .src_port = 9, .dst_port = 7 }, back;
	there.src.b[15] = 1;
	there.dst.b[15] = 2;
	back = there;
	back.src = there.dst;
	back.dst = there.src;
	back.src_port = there.dst_port;
	back.dst_port = there.src_port;
	struct flow_key a, b;
	memset(&a, 0xaa, sizeof(a));
	memset(&b, 0x55, sizeof(b));
	CU_ASSERT_EQUAL(flow_key_make(&there, &a), 0);
	CU_ASSERT_EQUAL(flow_key_make(&back, &b), 1);
	CU_ASSERT(!memcmp(&a, &b, sizeof(a)));
	CU_ASSERT_EQUAL(a.port[0], 9);
	/* One address: the ports decide. */
	there.dst = there.src;
	CU_ASSERT_EQUAL(flow_key_make(&there, &a), 1);
	CU_ASSERT_EQUAL(a.port[0], 7);
	/* TCP and UDP between the same ends are two flows. */
	there.kind = DECODE_TCP;
	flow_key_make(&there, &b);
	CU_ASSERT(memcmp(&a, &b, sizeof(a)) != 0);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* What a scan, a flood and a server's clients are: keys that differ in few bits. Every part of the hash that is used tells them
 * apart: shards (the lowest six bits), buckets (the next ones), tags (the highest). */
static void like_keys_are_spread(void)
{
	enum { N = 1 << 16 };
	static uint64_t hash[N];
	static unsigned shard[64], bucket[4096], tag[1024];
	for (unsigned kind = 0; kind < 5; kind++) {
		memset(shard, 0, sizeof(shard));
		memset(bucket, 0, sizeof(bucket));
		memset(tag, 0, sizeof(tag));
		for (unsigned i = 0; i < N; i++) {
			struct decode d = { .kind = DECODE_TCP, .src_port = 40000, .dst_port = 104 };
			memcpy(d.src.b, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\1\2\3", 16);
			memcpy(d.dst.b, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\1\3\4", 16);
			if (kind == 0)
				d.src_port = (uint16_t)i;
			else if (kind == 1)
				d.dst_port = (uint16_t)i;
			for (unsigned b = 0; b < 2 && kind >= 2; b++)
				(kind == 2 ? &d.src : &d.dst)->b[kind == 4 ? 4 + b : 14 + b] = (uint8_t)(i >> (8 * b));
			struct flow_key k;
			flow_key_make(&d, &k);
			uint64_t h = hash[i] = flow_key_hash(&secret, &k);
			shard[h & 63]++;
			bucket[h >> 26 & 4095]++;
			tag[h >> 54]++;
		}
		/* Six standard deviations of what chance would do. */
		for (unsigned i = 0; i < 64; i++)
			CU_ASSERT(shard[i] > N / 64 - 192 && shard[i] < N / 64 + 192);
		for (unsigned i = 0; i < 1024; i++)
			CU_ASSERT(tag[i] > N / 1024 - 48 && tag[i] < N / 1024 + 60);
		for (unsigned i = 0; i < 4096; i++)
			CU_ASSERT(bucket[i] < 16 + 30);
		qsort(hash, N, sizeof(hash[0]), by_number);
		for (unsigned i = 1; i < N; i++)
			CU_ASSERT(hash[i] != hash[i - 1]);
	}
	/* Another secret, another order; and each of its halves counts. */
	struct flow_key k = key(7);
	for (unsigned bit = 0; bit < 128; bit++) {
		const struct siphash_key near = { 1 ^ (bit < 64 ? UINT64_C(1) << bit : 0), 2 ^ (bit < 64 ? 0 : UINT64_C(1) << (bit - 64)) };
		struct flow_hash_key other = flow_hash_key_make(&near);
		CU_ASSERT(flow_key_hash(&other, &k) != flow_key_hash(&secret, &k));
	}
}

static void a_full_table_says_so_and_has_room_again(void)
{
	struct flow_table *t = flow_table_new(3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_NOT_EQUAL(add(t, i, FLOW_TCP, 0), FLOW_NONE);
	CU_ASSERT_EQUAL(add(t, 3, FLOW_TCP, 0), FLOW_NONE);
	flow_remove(t, find(t, 1));
	CU_ASSERT_EQUAL(find(t, 1), FLOW_NONE);
	CU_ASSERT_NOT_EQUAL(add(t, 3, FLOW_TCP, 0), FLOW_NONE);
	CU_ASSERT_EQUAL(flow_count(t), 3);
	CU_ASSERT_EQUAL(flow_at(t, find(t, 3))->side[0].packets, 0);
	flow_table_free(t);
}

static void every_flow_is_found_while_it_is_there(void)
{
	enum { N = 3000, ROOM = 1000 };
	struct flow_table *t = flow_table_new(ROOM);
	static bool there[N];
	unsigned seed = 1, count = 0;
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	for (int step = 0; step < 30000; step++) {
		seed = seed * 1103515245 + 12345;
		unsigned n = (seed >> 8) % N;
		uint32_t i = find(t, n);
		CU_ASSERT_EQUAL_FATAL(i != FLOW_NONE, there[n]);
		if (i != FLOW_NONE) {
			struct flow_key k = key(n);
			CU_ASSERT_FATAL(!memcmp(&flow_at(t, i)->key, &k, sizeof(k)));
			flow_remove(t, i);
			count--;
		} else if (count < ROOM) {
			CU_ASSERT_NOT_EQUAL_FATAL(add(t, n, FLOW_UDP, 0), FLOW_NONE);
			count++;
		} else {
			continue;
		}
		there[n] = !there[n];
		CU_ASSERT_EQUAL(flow_count(t), count);
	}
	flow_table_free(t);
}

static int by_memcmp(const void *a, const void *b, size_t n)
{
	int c = memcmp(a, b, n);
	return c > 0 ? 1 : c < 0 ? -1 : 0;
}

/* The lower (address, port) is side 0, as bytes compare. */
static void the_lower_end_is_side_0(void)
{
	uint32_t seed = 7;
	for (int i = 0; i < 20000; i++) {
		struct decode d = { .kind = i % 3 ? DECODE_TCP : DECODE_ICMP_ERROR, .quoted = DECODE_UDP };
		for (unsigned k = 0; k < 2; k++) {
			struct addr *a = k ? &d.dst : &d.src;
			for (unsigned b = 0; b < 16; b++) {
				seed = seed * 1664525u + 1013904223u;
				/* Nearly alike, so that every byte decides now and then. */
				a->b[b] = seed >> 28 ? 0x7f : (uint8_t)(seed >> 16);
			}
			seed = seed * 1664525u + 1013904223u;
			*(k ? &d.dst_port : &d.src_port) = (uint16_t)(seed >> 16 & 0x8001);
		}
		if (i % 7 == 0)
			d.dst = d.src;
		int c = by_memcmp(d.src.b, d.dst.b, 16);
		unsigned want = c > 0 || (!c && d.src_port > d.dst_port);
		struct flow_key k;
		memset(&k, 0xee, sizeof(k));
		CU_ASSERT_EQUAL_FATAL(flow_key_make(&d, &k), want);
		CU_ASSERT(!memcmp(&k.ip[want], &d.src, 16) && !memcmp(&k.ip[!want], &d.dst, 16));
		CU_ASSERT(k.port[want] == d.src_port && k.port[!want] == d.dst_port && !k.space && !k.zero[0] && !k.zero[1]);
		CU_ASSERT_EQUAL(k.proto, i % 3 ? DECODE_TCP : DECODE_UDP);
	}
}

/* A hint may be old: the flow may have ended, and its record be another's by now. */
static void an_old_hint_misleads_nobody(void)
{
	struct flow_table *t = flow_table_new(100);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	for (unsigned n = 0; n < 100; n++)
		(void)add(t, n, FLOW_TCP, 0);
	unsigned hints = 0;
	for (unsigned n = 0; n < 100; n++) {
		struct flow_key k = key(n), other = key(n + 1000);
		uint64_t hash = flow_key_hash(&secret, &k), other_hash = flow_key_hash(&secret, &other);
		uint32_t hint = flow_prefetch_record(t, hash);
		hints += hint > 0;
		uint32_t i = flow_find(t, &k, hash, hint);
		flow_remove(t, i);
		CU_ASSERT_EQUAL(flow_find(t, &k, hash, i + 1), FLOW_NONE);
		CU_ASSERT_EQUAL(flow_add(t, &other, other_hash, FLOW_TCP, 0), i);
		CU_ASSERT_EQUAL(flow_find(t, &k, hash, i + 1), FLOW_NONE);
		CU_ASSERT_EQUAL(flow_find(t, &other, other_hash, i + 1), i);
		CU_ASSERT_EQUAL(flow_find(t, &other, other_hash, i ? i : 2), i);
	}
	CU_ASSERT(hints > 80);                  /* the others were passed on to another bucket */
	flow_table_free(t);
}

static void one_bucket_takes_many(void)
{
	/* The same hash for all: the chain of buckets is walked, and shrinks again. */
	struct flow_table *t = flow_table_new(64);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	for (unsigned n = 0; n < 64; n++) {
		struct flow_key k = key(n);
		CU_ASSERT_NOT_EQUAL(flow_add(t, &k, 77, FLOW_TCP, 0), FLOW_NONE);
	}
	for (unsigned n = 0; n < 64; n += 2) {
		struct flow_key k = key(n);
		flow_remove(t, flow_find(t, &k, 77, 0));
	}
	for (unsigned n = 0; n < 64; n++) {
		struct flow_key k = key(n);
		CU_ASSERT_EQUAL(flow_find(t, &k, 77, 0) != FLOW_NONE, n % 2 == 1);
	}
	flow_table_free(t);
}

static void lists_are_in_order_of_activity(void)
{
	struct flow_table *t = flow_table_new(8);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	uint32_t a = add(t, 1, FLOW_TCP, 1), b = add(t, 2, FLOW_TCP, 2), c = add(t, 3, FLOW_HALF_OPEN, 3);
	CU_ASSERT_EQUAL(flow_oldest(t, FLOW_TCP), a);
	flow_touch(t, a, FLOW_TCP, UINT64_C(5000000000));
	CU_ASSERT_EQUAL(flow_oldest(t, FLOW_TCP), b);
	flow_touch(t, b, FLOW_TCP, UINT64_C(5100000000));
	CU_ASSERT_EQUAL(flow_oldest(t, FLOW_TCP), a);
	flow_touch(t, a, FLOW_TCP, UINT64_C(5900000000));      /* within its second: stays */
	CU_ASSERT_EQUAL(flow_oldest(t, FLOW_TCP), a);
	flow_touch(t, c, FLOW_TCP, UINT64_C(5900000000));
	CU_ASSERT_EQUAL(flow_oldest(t, FLOW_HALF_OPEN), FLOW_NONE);
	flow_remove(t, a);
	flow_remove(t, b);
	CU_ASSERT_EQUAL(flow_oldest(t, FLOW_TCP), c);
	flow_table_free(t);
}

static void the_end_is_in_order_of_creation(void)
{
	enum { N = 1000 };
	struct flow_table *t = flow_table_new(N);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	/* Numbers that rise, lists and activity at random, every third removed again. */
	unsigned seed = 7;
	for (unsigned n = 0; n < N; n++) {
		seed = seed * 1103515245 + 12345;
		uint32_t i = add(t, n, (enum flow_list)((seed >> 8) % FLOW_LISTS), n);
		CU_ASSERT_NOT_EQUAL_FATAL(i, FLOW_NONE);
		flow_rest_at(t, i)->number = 1000 + n;
		uint32_t other = find(t, (seed >> 16) % (n + 1));
		if (other != FLOW_NONE)
			flow_touch(t, other, (enum flow_list)((seed >> 4) % FLOW_LISTS), (n + 1) * UINT64_C(1000000000));
		if (n % 3 == 1)
			flow_remove(t, find(t, n));
	}
	flow_sort_made(t);
	for (unsigned n = 0; n < N; n++) {
		if (n % 3 == 1)
			continue;
		uint32_t i = flow_oldest(t, FLOW_CLOSED);
		CU_ASSERT_NOT_EQUAL_FATAL(i, FLOW_NONE);
		CU_ASSERT_EQUAL(flow_rest_at(t, i)->number, 1000 + n);
		CU_ASSERT_EQUAL(find(t, n), i);
		flow_remove(t, i);
	}
	CU_ASSERT_EQUAL(flow_count(t), 0);
	flow_sort_made(t);
	CU_ASSERT_EQUAL(flow_oldest(t, FLOW_CLOSED), FLOW_NONE);
	/* It goes on as before. */
	CU_ASSERT_NOT_EQUAL(add(t, 5, FLOW_TCP, 5), FLOW_NONE);
	CU_ASSERT_NOT_EQUAL(find(t, 5), FLOW_NONE);
	flow_table_free(t);
}

/* Issue 3, Must show 2: what an established flow takes that is not read, its part of the index included. */
static void an_idle_flow_takes_less_than_192_bytes(void)
{
	for (size_t flows = 1000; flows <= 1000000; flows *= 10)
		CU_ASSERT(flow_table_bytes(flows) <= 176 * flows);
}

int main(void)
{
	const struct siphash_key bits = { 1, 2 };
	secret = flow_hash_key_make(&bits);
	CU_initialize_registry();
	CU_pSuite suite = CU_add_suite("flow", NULL, NULL);
#define T(name) CU_add_test(suite, #name, name)
	T(both_directions_have_one_key);
	T(like_keys_are_spread);
	T(a_full_table_says_so_and_has_room_again);
	T(every_flow_is_found_while_it_is_there);
	T(the_lower_end_is_side_0);
	T(an_old_hint_misleads_nobody);
	T(one_bucket_takes_many);
	T(lists_are_in_order_of_activity);
	T(the_end_is_in_order_of_creation);
	T(an_idle_flow_takes_less_than_192_bytes);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
