#include "sensor/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Basic.h>

struct rig {
	struct stream_pool *pool;
	struct stream s;
	struct stats st;
	char out[4096];         /* what was handed on; '?' for each lost byte, '$' for the end */
	size_t n;
	bool pass;              /* what stream_is_next() is passed */
};

static void setup(struct rig *r, size_t pool)
{
	memset(r, 0, sizeof(*r));
	r->pool = stream_pool_new(pool);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r->pool);
}

static void teardown(struct rig *r)
{
	stream_clear(r->pool, &r->s);
	CU_ASSERT_EQUAL(stream_pool_used(r->pool), 0);
	stream_pool_free(r->pool);
}

static void pump(struct rig *r, struct stream_segment *seg)
{
	struct span bytes;
	uint32_t gap;
	enum stream_kind k;
	if (r->pass && seg->bytes.n && !seg->missing && !seg->flush && stream_is_next(&r->s, seg->seq)) {
		stream_pass(&r->s, seg->bytes, &r->st);
		for (size_t i = 0; i < seg->bytes.n && r->n + 1 < sizeof(r->out); i++)
			r->out[r->n++] = (char)seg->bytes.p[i];
		if (!r->s.fin_seen)
			return;
		*seg = (struct stream_segment){ 0 };
	}
	stream_push(r->pool, &r->s, seg, &r->st);
	while ((k = stream_next(r->pool, &r->s, seg, &r->st, &bytes, &gap)) != STREAM_NOTHING) {
		size_t n = k == STREAM_BYTES ? bytes.n : k == STREAM_GAP ? gap : 1;
		CU_ASSERT_FATAL(n > 0);
		for (size_t i = 0; i < n && r->n + 1 < sizeof(r->out); i++)
			r->out[r->n++] = k == STREAM_BYTES ? (char)bytes.p[i] : k == STREAM_GAP ? '?' : '$';
	}
}

static void put_cut(struct rig *r, uint32_t seq, const char *text, uint32_t missing)
{
	size_t n = strlen(text);
	uint8_t *exact = malloc(n ? n : 1);     /* so that ASan sees one byte over */
	memcpy(exact, text, n);
	struct stream_segment seg = { .seq = seq, .bytes = { exact, n }, .missing = missing };
	pump(r, &seg);
	free(exact);
}

static void put(struct rig *r, uint32_t seq, const char *text) { put_cut(r, seq, text, 0); }

static void flush(struct rig *r)
{
	struct stream_segment seg = { .flush = true };
	pump(r, &seg);
}

#define IS(r, text) CU_ASSERT_STRING_EQUAL((r)->out, text)

static void in_order_is_handed_on_without_a_copy(void)
{
	struct rig r;
	setup(&r, 4096);
	stream_start(&r.s, 100);
	uint8_t bytes[4] = "abcd";
	struct stream_segment seg = { .seq = 100, .bytes = { bytes, 4 } };
	struct span got;
	uint32_t gap;
	stream_push(r.pool, &r.s, &seg, &r.st);
	CU_ASSERT_EQUAL(stream_next(r.pool, &r.s, &seg, &r.st, &got, &gap), STREAM_BYTES);
	CU_ASSERT_PTR_EQUAL(got.p, bytes);
	CU_ASSERT_EQUAL(got.n, 4);
	CU_ASSERT_EQUAL(stream_next(r.pool, &r.s, &seg, &r.st, &got, &gap), STREAM_NOTHING);
	CU_ASSERT_EQUAL(stream_pool_used(r.pool), 0);
	teardown(&r);
}

static void out_of_order_is_put_in_order(void)
{
	struct rig r;
	setup(&r, 64 << 10);
	stream_start(&r.s, 0);
	put(&r, 6, "ghi");
	put(&r, 3, "def");
	IS(&r, "");
	put(&r, 12, "mn");
	put(&r, 0, "abc");
	IS(&r, "abcdefghi");
	put(&r, 9, "jkl");
	IS(&r, "abcdefghijklmn");
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_gaps], 0);
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_overlap_bytes], 0);
	teardown(&r);
}

static void sequence_numbers_wrap_around(void)
{
	struct rig r;
	setup(&r, 64 << 10);
	stream_start(&r.s, UINT32_MAX - 2);
	put(&r, 2, "fg");
	put(&r, UINT32_MAX, "cde");
	put(&r, UINT32_MAX - 2, "ab");
	IS(&r, "abcdefg");
	CU_ASSERT_EQUAL(r.s.next_seq, 4);
	teardown(&r);
}

static void a_distance_of_two_gigabytes_is_harmless(void)
{
	struct rig r;
	setup(&r, 64 << 10);
	stream_start(&r.s, 0);
	put(&r, UINT32_C(0x80000000), "xx");
	put(&r, UINT32_C(0x7fffffff), "xx");
	put(&r, UINT32_C(0x40000001), "xx");
	put(&r, 0, "ab");
	IS(&r, "ab");
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_outside_bytes], 4);
	teardown(&r);
}

static void first_copy_wins_and_conflicts_are_counted(void)
{
	struct rig r;
	setup(&r, 64 << 10);
	stream_start(&r.s, 0);
	put(&r, 4, "efgh");
	put(&r, 2, "cdXYZhij");         /* covers the piece, differs inside it, goes on behind it */
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_conflicts], 1);
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_overlap_bytes], 4);
	put(&r, 0, "abcd");
	IS(&r, "abcdefghij");
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_conflicts], 1);
	put(&r, 0, "abcdefghij");       /* a plain retransmission */
	IS(&r, "abcdefghij");
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_conflicts], 1);
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_overlap_bytes], 4 + 2 + 10);
	teardown(&r);
}

static void a_segment_in_order_yields_to_pieces_that_came_before_it(void)
{
	struct rig r;
	setup(&r, 64 << 10);
	stream_start(&r.s, 0);
	put(&r, 2, "CD");
	put(&r, 6, "GH");
	put(&r, 0, "abcdefghij");
	IS(&r, "abCDefGHij");
	put(&r, 12, "MNOP");
	put(&r, 14, "opqr");            /* begins inside a piece */
	put(&r, 10, "kl");
	IS(&r, "abCDefGHijklMNOPqr");
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_conflicts], 2);
	teardown(&r);
}

static void a_conflict_with_held_bytes_is_counted(void)
{
	struct rig r;
	setup(&r, 64 << 10);
	stream_start(&r.s, 0);
	put(&r, 0, "abcd");
	CU_ASSERT(stream_hold(r.pool, &r.s, span_str("abcd")));
	put(&r, 1, "bXd");
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_conflicts], 1);
	put(&r, 1, "bcd");
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_conflicts], 1);
	IS(&r, "abcd");
	teardown(&r);
}

static void keep_alive_is_no_conflict(void)
{
	struct rig r;
	setup(&r, 64 << 10);
	stream_start(&r.s, 0);
	put(&r, 0, "abcd");
	CU_ASSERT(stream_hold(r.pool, &r.s, span_str("abcd")));
	put(&r, 3, "!");
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_conflicts], 0);
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_overlap_bytes], 0);
	put(&r, 4, "e");
	IS(&r, "abcde");
	teardown(&r);
}

static void mid_stream_begins_with_the_first_segment(void)
{
	struct rig r;
	setup(&r, 4096);
	put(&r, 77777, "abc");
	put(&r, 77770, "before!");
	put(&r, 77780, "def");
	IS(&r, "abcdef");
	teardown(&r);
}

static void fin_comes_after_the_last_byte(void)
{
	struct rig r;
	setup(&r, 4096);
	stream_start(&r.s, 0);
	stream_fin(&r.s, 6);
	put(&r, 3, "def");
	IS(&r, "");
	put(&r, 0, "abc");
	IS(&r, "abcdef$");
	put(&r, 6, "more");
	IS(&r, "abcdef$");
	teardown(&r);
}

static void fin_without_data(void)
{
	struct rig r;
	setup(&r, 4096);
	stream_fin(&r.s, 5);
	put(&r, 5, "");
	IS(&r, "$");
	teardown(&r);
}

static void a_hole_is_lost_when_acknowledged_and_passed(void)
{
	struct rig r;
	setup(&r, 64 << 10);
	stream_start(&r.s, 0);
	for (uint32_t i = 0; i < 20; i++) {
		put(&r, 3 + i, "x");
		stream_ack(r.pool, &r.s, 4 + i);
	}
	IS(&r, "???xxxxxxxxxxxxxxxxxxxx");
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_gaps], 1);
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_gap_bytes], 3);
	teardown(&r);
}

static void a_hole_not_acknowledged_is_waited_for(void)
{
	struct rig r;
	setup(&r, 64 << 10);
	stream_start(&r.s, 0);
	stream_ack(r.pool, &r.s, 2);
	for (uint32_t i = 0; i < 20; i++)
		put(&r, 3 + i, "x");
	IS(&r, "");
	for (uint32_t i = 0; i < STREAM_GAP_ACKS; i++)
		stream_ack(r.pool, &r.s, 3 + i);        /* now it is */
	put(&r, 0, "");
	IS(&r, "???xxxxxxxxxxxxxxxxxxxx");
	teardown(&r);
}

static void one_byte_segments_share_blocks(void)
{
	struct rig r;
	setup(&r, 1024);
	stream_start(&r.s, 0);
	for (uint32_t i = 1; i < 600; i++)
		put(&r, i, "x");
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_gaps], 0);
	put(&r, 0, "x");
	CU_ASSERT_EQUAL(r.n, 600);
	teardown(&r);
}

static void too_many_pieces_make_a_gap(void)
{
	struct rig r;
	setup(&r, 1 << 20);
	stream_start(&r.s, 0);
	for (uint32_t i = 0; i < STREAM_OOO_PIECES; i++)
		put(&r, 1 + 2 * i, "x");
	IS(&r, "");
	put(&r, 1 + 2 * STREAM_OOO_PIECES, "y");
	CU_ASSERT_NSTRING_EQUAL(r.out, "?x", 2);
	CU_ASSERT_EQUAL(r.n, 2);
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_gap_bytes], 1);
	flush(&r);
	CU_ASSERT_EQUAL(r.n, 2 + 2 * STREAM_OOO_PIECES);
	CU_ASSERT_EQUAL(r.out[r.n - 1], 'y');
	teardown(&r);
}

static void no_room_makes_a_gap_and_loses_no_byte(void)
{
	struct rig r;
	setup(&r, 0);                   /* nothing can be kept at all */
	stream_start(&r.s, 0);
	put(&r, 2, "cd");
	put(&r, 0, "ab");
	put(&r, 5, "f");
	IS(&r, "??cd?f");
	CU_ASSERT_FALSE(stream_hold(r.pool, &r.s, span_str("x")));
	CU_ASSERT_EQUAL(r.st.v[STATS_stream_dropped_bytes], 0);
	teardown(&r);
}

static void a_cut_capture_is_a_gap(void)
{
	struct rig r;
	setup(&r, 64 << 10);
	stream_start(&r.s, 0);
	put_cut(&r, 0, "ab", 3);
	IS(&r, "ab???");
	put_cut(&r, 10, "k", 2);        /* out of order: the cut is remembered with the piece */
	put(&r, 5, "fghij");
	IS(&r, "ab???fghijk??");
	put_cut(&r, 13, "", 2);
	IS(&r, "ab???fghijk????");
	put_cut(&r, 13, "no", 0);       /* too late */
	put_cut(&r, 14, "no", 3);       /* byte 15 and a cut behind it */
	IS(&r, "ab???fghijk????o???");
	teardown(&r);
}

static void the_end_of_a_flow_hands_on_what_is_kept(void)
{
	struct rig r;
	setup(&r, 64 << 10);
	stream_start(&r.s, 0);
	stream_fin(&r.s, 9);
	stream_ack(r.pool, &r.s, 10);
	put(&r, 0, "a");
	put(&r, 3, "de");
	flush(&r);
	IS(&r, "a??de????$");
	teardown(&r);
}

static void holding_grows_and_drops(void)
{
	struct rig r;
	setup(&r, 8192);
	char text[600];
	memset(text, 'a', sizeof(text));
	for (int i = 0; i < 200; i++) {
		CU_ASSERT(stream_hold(r.pool, &r.s, span_str("abc")));
		if (i & 1)
			stream_drop(r.pool, &r.s, 3);
	}
	CU_ASSERT_EQUAL(stream_held(r.pool, &r.s).n, 300);
	CU_ASSERT(!memcmp(stream_held(r.pool, &r.s).p, "abcabc", 6));
	CU_ASSERT(stream_hold(r.pool, &r.s, (struct span){ (uint8_t *)text, 600 }));
	CU_ASSERT_FALSE(stream_hold(r.pool, &r.s, (struct span){ (const uint8_t *)r.out, 4096 }));
	CU_ASSERT_EQUAL(stream_held(r.pool, &r.s).n, 900);
	stream_drop(r.pool, &r.s, 900);
	CU_ASSERT_EQUAL(stream_held(r.pool, &r.s).n, 0);
	CU_ASSERT_EQUAL(stream_pool_used(r.pool), 0);
	teardown(&r);
}

static void the_pool_gives_all_of_an_odd_budget_and_merges_again(void)
{
	struct stream_pool *p = stream_pool_new(7 * STREAM_BLOCK + 13);
	struct stream s[8] = { 0 };
	uint8_t block[4 * STREAM_BLOCK] = { 1 };
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 7; i++)
			CU_ASSERT(stream_hold(p, &s[i], (struct span){ block, STREAM_BLOCK }));
		CU_ASSERT_FALSE(stream_hold(p, &s[7], (struct span){ block, 1 }));
		CU_ASSERT_EQUAL(stream_pool_used(p), 7 * STREAM_BLOCK);
		for (int i = 0; i < 7; i++)
			stream_drop(p, &s[(i * 3) % 7], STREAM_BLOCK);
		CU_ASSERT_EQUAL(stream_pool_used(p), 0);
		CU_ASSERT(stream_hold(p, &s[0], (struct span){ block, 4 * STREAM_BLOCK }));
		CU_ASSERT(stream_hold(p, &s[1], (struct span){ block, 2 * STREAM_BLOCK }));
		CU_ASSERT(stream_hold(p, &s[2], (struct span){ block, STREAM_BLOCK }));
		for (int i = 0; i < 3; i++)
			stream_drop(p, &s[i], stream_held_n(p, &s[i]));
	}
	stream_pool_free(p);
}

/* Segments, acknowledgements and ends in any order: the same whether what may be passed is passed. */
static void passing_is_no_other_way(void)
{
	uint32_t seed = 1, passed = 0;
	for (int round = 0; round < 300; round++) {
		struct rig a, b;
		setup(&a, 4096);
		setup(&b, 4096);
		b.pass = true;
		uint32_t at = 1000;
		char text[48];
		for (int step = 0; step < 40; step++) {
			uint32_t v[4];
			for (int i = 0; i < 4; i++) {
				seed = seed * 1664525u + 1013904223u;
				v[i] = seed >> 8;
			}
			uint32_t n = v[1] % 40, seq = v[0] % 4 ? at : at + v[2] % 60 - 30;
			for (uint32_t i = 0; i < n; i++)
				text[i] = (char)('a' + (seq + i) % 26);
			text[n] = 0;
			uint32_t missing = v[3] % 9 ? 0 : v[3] % 7;
			if (v[3] % 11 == 0) {
				stream_ack(a.pool, &a.s, seq);
				stream_ack(b.pool, &b.s, seq);
			} else if (v[3] % 40 == 1) {
				stream_fin(&a.s, seq);
				stream_fin(&b.s, seq);
			}
			passed += stream_is_next(&b.s, seq);
			put_cut(&a, seq, text, missing);
			put_cut(&b, seq, text, missing);
			at = a.s.next_seq;
			CU_ASSERT_FATAL(!memcmp(&a.s, &b.s, sizeof(a.s)) && !memcmp(&a.st, &b.st, sizeof(a.st)));
		}
		flush(&a);
		flush(&b);
		CU_ASSERT_FATAL(a.n == b.n && !memcmp(a.out, b.out, a.n));
		teardown(&a);
		teardown(&b);
	}
	CU_ASSERT(passed > 1000);
}

int main(void)
{
	CU_initialize_registry();
	CU_pSuite suite = CU_add_suite("stream", NULL, NULL);
#define T(name) CU_add_test(suite, #name, name)
	T(in_order_is_handed_on_without_a_copy);
	T(out_of_order_is_put_in_order);
	T(sequence_numbers_wrap_around);
	T(a_distance_of_two_gigabytes_is_harmless);
	T(first_copy_wins_and_conflicts_are_counted);
	T(a_segment_in_order_yields_to_pieces_that_came_before_it);
	T(a_conflict_with_held_bytes_is_counted);
	T(keep_alive_is_no_conflict);
	T(mid_stream_begins_with_the_first_segment);
	T(fin_comes_after_the_last_byte);
	T(fin_without_data);
	T(a_hole_is_lost_when_acknowledged_and_passed);
	T(a_hole_not_acknowledged_is_waited_for);
	T(one_byte_segments_share_blocks);
	T(too_many_pieces_make_a_gap);
	T(no_room_makes_a_gap_and_loses_no_byte);
	T(a_cut_capture_is_a_gap);
	T(the_end_of_a_flow_hands_on_what_is_kept);
	T(passing_is_no_other_way);
	T(holding_grows_and_drops);
	T(the_pool_gives_all_of_an_odd_budget_and_merges_again);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
