#include "sensor/defrag.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"

#define SECOND UINT64_C(1000000000)

enum { BYTES = 65536 };

static const struct siphash_key key = { 1, 2 };
static uint8_t data[BYTES];
static struct defrag *g;
static struct span whole;
static uint8_t proto;
static uint64_t now_ns;

static void begin(size_t datagrams)
{
	for (size_t i = 0; i < BYTES; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	now_ns = 1000 * SECOND;
	g = defrag_new(datagrams, &key);
	CU_ASSERT_PTR_NOT_NULL_FATAL(g);
}

static uint64_t counted(enum stats_counter c) { return defrag_stats(g)->v[c]; }

static void end(void)
{
	defrag_finish(g);
	CU_ASSERT_EQUAL(stats_ledger_open(defrag_stats(g), STATS_LEDGER_FRAGMENTS), 0);
	defrag_free(g);
}

/* Bytes from an exact block, so that one read past them is seen. */
static bool add_bytes(bool v6, uint32_t id, unsigned offset, const uint8_t *bytes, size_t n, bool more)
{
	uint8_t *exact = malloc(n ? n : 1);
	if (!exact)
		abort();
	memcpy(exact, bytes, n);
	struct decode d = {
		.kind = DECODE_FRAGMENT, .payload = { exact, n }, .payload_wire = (uint32_t)n,
		.fragment = { .id = id, .offset = (uint16_t)offset, .more = more, .v6 = v6, .proto = offset ? 99 : 17,
			      .header = v6 ? 0 : 20 },
	};
	if (!v6)
		d.fragment.proto = 17;
	d.src.b[15] = 1;
	d.dst.b[15] = 2;
	bool done = defrag_add(g, &d, now_ns, &whole, &proto);
	free(exact);
	if (done) {
		CU_ASSERT_EQUAL(d.fragment.offset, 0);
		CU_ASSERT_EQUAL(proto, 17);
	}
	return done;
}

static bool add(bool v6, uint32_t id, unsigned from, unsigned to, bool more)
{
	return add_bytes(v6, id, from, data + from, to - from, more);
}

static void is_whole(size_t n)
{
	CU_ASSERT_EQUAL(whole.n, n);
	CU_ASSERT(whole.n == n && !memcmp(whole.p, data, n));
}

static void joins_in_every_order(void)
{
	static const unsigned cuts[] = { 0, 1480, 2960, 3000 };
	static const unsigned orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	begin(4);
	for (unsigned o = 0; o < 12; o++) {
		const unsigned *order = orders[o % 6];
		for (unsigned k = 0; k < 3; k++) {
			bool done = add(o / 6, o, cuts[order[k]], cuts[order[k] + 1], order[k] < 2);
			CU_ASSERT_EQUAL(done, k == 2);
		}
		is_whole(3000);
		defrag_release(g, now_ns);
	}
	CU_ASSERT_EQUAL(counted(STATS_fragments_joined), 36);
	CU_ASSERT_EQUAL(counted(STATS_datagrams_joined), 12);
	end();
}

static void joins_the_longest(void)
{
	begin(2);
	for (unsigned at = 0; at < 65512; at += 8)
		CU_ASSERT_FALSE(add(true, 1, at, at + 8, true));
	CU_ASSERT_TRUE(add(true, 1, 65512, 65535, false));
	is_whole(65535);
	/* An IPv4 packet of more than 65,535 bytes with its header cannot be. */
	CU_ASSERT_FALSE(add(false, 1, 65512, 65535, false));
	CU_ASSERT_EQUAL(counted(STATS_fragments_malformed), 1);
	end();
}

static void refuses_impossible_lengths(void)
{
	begin(2);
	CU_ASSERT_FALSE(add(false, 1, 0, 0, true));
	CU_ASSERT_FALSE(add(false, 1, 0, 9, true));
	CU_ASSERT_FALSE(add(true, 1, 65528, 65536, false));
	CU_ASSERT_EQUAL(counted(STATS_fragments_malformed), 3);
	end();
}

static void keeps_datagrams_apart(void)
{
	begin(8);
	CU_ASSERT_FALSE(add(false, 1, 0, 16, true));
	CU_ASSERT_FALSE(add(false, 2, 16, 24, false));
	CU_ASSERT_FALSE(add(true, 1, 16, 24, false));
	CU_ASSERT_TRUE(add(false, 1, 16, 24, false));
	CU_ASSERT_TRUE(add(true, 1, 0, 16, true));
	end();
	begin(1);
	CU_ASSERT_FALSE(add(false, 1, 8, 16, false));
	end();
}

static void copies_are_no_overlap(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		begin(4);
		CU_ASSERT_FALSE(add(v6, 1, 0, 1480, true));
		CU_ASSERT_FALSE(add(v6, 1, 0, 1480, true));
		CU_ASSERT_TRUE(add(v6, 1, 1480, 1500, false));
		is_whole(1500);
		/* The second port's copy of the last one, after the datagram is whole, and a batch later. */
		CU_ASSERT_FALSE(add(v6, 1, 1480, 1500, false));
		defrag_release(g, now_ns);
		now_ns += SECOND / 1000;
		CU_ASSERT_FALSE(add(v6, 1, 1480, 1500, false));
		CU_ASSERT_EQUAL(counted(STATS_fragments_repeated), 3);
		CU_ASSERT_EQUAL(counted(STATS_fragments_overlapping), 0);
		/* A number that comes round again is another datagram. */
		now_ns += 2 * SECOND;
		CU_ASSERT_FALSE(add(v6, 1, 0, 1480, true));
		CU_ASSERT_TRUE(add(v6, 1, 1480, 1500, false));
		end();
	}
}

static void another_of_the_same_number_in_one_batch(void)
{
	begin(4);
	static uint8_t other[24] = { 9, 9, 9 };
	CU_ASSERT_FALSE(add(false, 1, 0, 16, true));
	CU_ASSERT_TRUE(add(false, 1, 16, 24, false));
	struct span first = whole;
	CU_ASSERT_FALSE(add_bytes(false, 1, 0, other, 16, true));
	CU_ASSERT_TRUE(add_bytes(false, 1, 16, other + 16, 8, false));
	CU_ASSERT(!memcmp(first.p, data, 24) && !memcmp(whole.p, other, 24));
	defrag_release(g, now_ns);
	CU_ASSERT_EQUAL(counted(STATS_fragments_joined), 4);
	end();
}

/* RFC 5722, 4; RFC 8200, 4.5. */
static void overlapping_ipv6_is_discarded(void)
{
	static const struct { unsigned from, to; bool more; } third[] = {
		{ 8, 24, true },        /* part of it is there */
		{ 0, 8, false },        /* ends before others */
		{ 24, 40, true },       /* behind the end, below */
	};
	for (size_t i = 0; i < 3; i++) {
		begin(4);
		CU_ASSERT_FALSE(add(true, 1, 0, 16, true));
		if (i == 2)
			CU_ASSERT_FALSE(add(true, 1, 24, 32, false));
		CU_ASSERT_FALSE(add(true, 1, third[i].from, third[i].to, third[i].more));
		/* What would have made it whole is discarded with it. */
		CU_ASSERT_FALSE(add(true, 1, 16, 24, true));
		CU_ASSERT_FALSE(add(true, 1, 24, 32, false));
		CU_ASSERT_EQUAL(counted(STATS_fragments_overlapping), counted(STATS_fragments));
		CU_ASSERT_EQUAL(counted(STATS_datagrams_joined), 0);
		end();
	}
}

static void first_copy_wins_in_ipv4(void)
{
	static uint8_t other[32];
	memset(other, 0xee, sizeof(other));
	begin(4);
	CU_ASSERT_FALSE(add(false, 1, 0, 16, true));
	CU_ASSERT_FALSE(add_bytes(false, 1, 8, other, 8, true));        /* differs, adds nothing */
	CU_ASSERT_EQUAL(counted(STATS_fragments_conflicts), 1);
	CU_ASSERT_EQUAL(counted(STATS_fragments_overlapping), 1);
	CU_ASSERT_TRUE(add(false, 1, 8, 30, false));                    /* overlaps, agrees, completes */
	is_whole(30);
	CU_ASSERT_EQUAL(counted(STATS_fragments_conflicts), 1);
	CU_ASSERT_EQUAL(counted(STATS_fragments_joined), 2);
	CU_ASSERT_FALSE(add(false, 2, 16, 24, false));
	CU_ASSERT_FALSE(add(false, 2, 16, 32, true));                   /* past the end */
	CU_ASSERT_EQUAL(counted(STATS_fragments_conflicts), 2);
	CU_ASSERT_TRUE(add(false, 2, 0, 16, true));
	is_whole(24);
	end();
}

static void gives_up_in_time(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		begin(4);
		uint64_t wait_ns = v6 ? DEFRAG_V6_NS : DEFRAG_V4_NS;
		CU_ASSERT_FALSE(add(v6, 1, 0, 16, true));
		CU_ASSERT_FALSE(add(v6, 2, 0, 16, true));
		now_ns += wait_ns;
		defrag_release(g, now_ns);
		CU_ASSERT_TRUE(add(v6, 1, 16, 24, false));
		now_ns += 1;
		CU_ASSERT_FALSE(add(v6, 2, 16, 24, false));
		CU_ASSERT_EQUAL(counted(STATS_fragments_timed_out), 1);
		now_ns += wait_ns + SECOND;
		defrag_release(g, now_ns);
		CU_ASSERT_EQUAL(counted(STATS_fragments_timed_out), 2);
		end();
	}
}

static void the_oldest_makes_room(void)
{
	begin(2);
	CU_ASSERT_FALSE(add(false, 1, 0, 16, true));
	CU_ASSERT_FALSE(add(false, 2, 0, 16, true));
	CU_ASSERT_FALSE(add(false, 3, 0, 16, true));
	CU_ASSERT_EQUAL(counted(STATS_fragments_evicted), 1);
	CU_ASSERT_TRUE(add(false, 2, 16, 24, false));
	CU_ASSERT_TRUE(add(false, 3, 16, 24, false));
	/* Both places hold bytes that the batch still uses. */
	CU_ASSERT_FALSE(add(false, 4, 0, 16, true));
	CU_ASSERT_EQUAL(counted(STATS_fragments_evicted), 2);
	defrag_release(g, now_ns);
	CU_ASSERT_FALSE(add(false, 4, 0, 16, true));
	CU_ASSERT_TRUE(add(false, 4, 16, 24, false));
	end();
}

static void cut_fragments_are_counted(void)
{
	begin(2);
	struct decode d = { .kind = DECODE_FRAGMENT, .payload = { data, 8 }, .payload_wire = 16, .truncated = true,
			    .fragment = { .more = true } };
	CU_ASSERT_FALSE(defrag_add(g, &d, now_ns, &whole, &proto));
	CU_ASSERT_EQUAL(counted(STATS_fragments_cut), 1);
	end();
}

int main(void)
{
	CU_pSuite s = test_begin("defrag");
	CU_ADD_TEST(s, joins_in_every_order);
	CU_ADD_TEST(s, joins_the_longest);
	CU_ADD_TEST(s, refuses_impossible_lengths);
	CU_ADD_TEST(s, keeps_datagrams_apart);
	CU_ADD_TEST(s, copies_are_no_overlap);
	CU_ADD_TEST(s, another_of_the_same_number_in_one_batch);
	CU_ADD_TEST(s, overlapping_ipv6_is_discarded);
	CU_ADD_TEST(s, first_copy_wins_in_ipv4);
	CU_ADD_TEST(s, gives_up_in_time);
	CU_ADD_TEST(s, the_oldest_makes_room);
	CU_ADD_TEST(s, cut_fragments_are_counted);
	return test_end();
}
