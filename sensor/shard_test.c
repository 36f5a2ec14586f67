#include "sensor/shard.h"

#include "sensor/shard_rig.h"

static void a_connection_from_syn_to_fin(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	IS(&r, "flow.open 3 40000>9000 handshake answered\n");
	tcp(&r, C, S, ACK, 100, 200, "T!\3abc");
	tcp(&r, S, C, ACK, 200, 106, "T!\3xyz");
	IS(&r, "flow.service 4 40000>9000 handshake toy answered\n"
	       "hl7.message 4 40000>9000 1st:abc\n"
	       "hl7.message 5 9000>40000 xyz\n");
	tcp(&r, C, S, FIN | ACK, 106, 206, "");
	tcp(&r, S, C, FIN | ACK, 206, 107, "");
	IS(&r, "");
	tcp(&r, C, S, ACK, 107, 207, "");
	IS(&r, "flow.end 8 40000>9000 handshake toy answered closed out=5 in=3\n");
	tcp(&r, C, S, ACK, 107, 207, "");       /* late: absorbed */
	CU_ASSERT_EQUAL(shard_flows(r.h), 1);
	timers(&r, 6);
	IS(&r, "");
	CU_ASSERT_EQUAL(shard_flows(r.h), 0);
	teardown(&r);
}

static void a_close_without_its_last_ack_ends_after_the_linger(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	tcp(&r, C, S, FIN | ACK, 100, 200, "");
	tcp(&r, S, C, FIN | ACK, 200, 101, "");
	timers(&r, 4);
	IS(&r, "flow.open 3 40000>9000 handshake answered\n");
	timers(&r, 1);
	IS(&r, "flow.end 5 40000>9000 handshake answered closed out=3 in=2\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_flows_idle], 0);
	teardown(&r);
}

static void a_refused_syn_never_opens(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, SYN, 99, 0, "");
	tcp(&r, S, C, RST | ACK, 0, 100, "");
	IS(&r, "flow.end 2 40000>9000 handshake refused out=1 in=1\n");
	tcp(&r, C, S, SYN, 5000, 0, "");        /* tries again */
	tcp(&r, S, C, RST | ACK, 0, 5001, "");
	IS(&r, "flow.end 4 40000>9000 handshake refused out=1 in=1\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_flows], 2);
	teardown(&r);
}

static void an_unanswered_syn_idles_out(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, SYN, 99, 0, "");
	tcp(&r, C, S, SYN, 99, 0, "");
	timers(&r, 19);
	IS(&r, "");
	timers(&r, 1);
	IS(&r, "flow.end 2 40000>9000 handshake one-sided idle out=2 in=0\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_flows_idle], 1);
	teardown(&r);
}

static void a_reset_ends_an_open_connection_only_when_plausible(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	tcp(&r, C, S, ACK, 100, 200, "T!\1a");
	r.text[r.n = 0] = 0;
	tcp(&r, S, C, RST, 3000000000u, 0, ""); /* from off the path */
	IS(&r, "");
	tcp(&r, S, C, RST, 200, 0, "");
	IS(&r, "flow.end 6 40000>9000 handshake toy answered reset out=3 in=3\n");
	teardown(&r);
}

static void data_on_the_syn_is_read(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, SYN, 99, 0, "T!\1a");
	IS(&r, "flow.open 1 40000>9000 handshake\n"
	       "flow.service 1 40000>9000 handshake toy\n"
	       "hl7.message 1 40000>9000 1st:a\n");
	tcp(&r, C, S, SYN, 99, 0, "T!\1a");     /* sent again: the same bytes, no second message */
	tcp(&r, S, C, SYN | ACK, 199, 104, "");
	tcp(&r, C, S, ACK, 104, 200, "T!\1b");
	IS(&r, "hl7.message 4 40000>9000 b\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_stream_conflicts], 0);
	teardown(&r);
}

static void the_syn_ack_alone_tells_who_opened(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, S, C, SYN | ACK, 199, 100, "");
	IS(&r, "");
	tcp(&r, S, C, ACK, 200, 100, "T!\1a");
	IS(&r, "flow.open 2 40000>9000 handshake one-sided answered\n"
	       "flow.service 2 40000>9000 handshake toy one-sided answered\n"
	       "hl7.message 2 9000>40000 1st:a\n");
	teardown(&r);
}

static void one_side_only_is_open_when_the_opener_acknowledges(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, SYN, 99, 0, "");
	tcp(&r, C, S, ACK, 100, 200, "");
	IS(&r, "flow.open 2 40000>9000 handshake one-sided answered\n");
	tcp(&r, C, S, ACK, 100, 200, "T!\1a");
	capture_ends(&r);
	IS(&r, "flow.service 3 40000>9000 handshake toy one-sided answered\n"
	       "hl7.message 3 40000>9000 1st:a\n"
	       "flow.end 3 40000>9000 handshake toy one-sided answered capture out=3 in=0\n");
	teardown(&r);
}

static void mid_stream_goes_by_port_then_by_content(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, 7777, C, ACK, 5, 9, "T!\2xx");         /* a port of the dissector's: it listens */
	IS(&r, "flow.open 1 40000>7777 port midstream answered\n"
	       "flow.service 1 40000>7777 port toy midstream answered\n"
	       "hl7.message 1 7777>40000 1st:xx\n");
	tcp(&r, 30000, S, ACK, 5, 9, "T!\2ss");        /* no such port: the receiver listens; content knows better */
	IS(&r, "flow.open 2 30000>9000 first_packet midstream answered\n"
	       "flow.service 2 9000>30000 content toy midstream answered\n"
	       "hl7.message 2 30000>9000 1st:ss\n");
	tcp(&r, 80, 443, ACK, 5, 9, "");               /* no data: not opened */
	IS(&r, "");
	tcp(&r, 80, 443, ACK, 5, 9, "hello");          /* both known: the lower one listens */
	IS(&r, "flow.open 4 443>80 port midstream one-sided answered\n");
	capture_ends(&r);
	IS(&r, "flow.end 1 40000>7777 port toy midstream one-sided answered capture out=0 in=1\n"
	       "flow.end 2 9000>30000 content toy midstream one-sided answered capture out=0 in=1\n"
	       "flow.service 4 443>80 port unknown midstream one-sided answered\n"
	       "flow.end 4 443>80 port unknown midstream one-sided answered capture out=0 in=2\n");
	teardown(&r);
}

static void unknown_once_both_directions_said_no(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	r.text[r.n = 0] = 0;
	tcp(&r, C, S, ACK, 100, 200, "T");
	IS(&r, "");
	tcp(&r, S, C, ACK, 200, 101, "nothing known");
	IS(&r, "");                             /* the client's T may still become something */
	tcp(&r, C, S, ACK, 101, 213, "?");
	IS(&r, "flow.service 6 40000>9000 handshake unknown answered\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_probe_gave_up], 1);
	tcp(&r, S, C, ACK, 213, 102, "T!\1a");
	IS(&r, "");
	capture_ends(&r);
	IS(&r, "flow.end 7 40000>9000 handshake unknown answered capture out=4 in=3\n");
	teardown(&r);
}

static void content_is_found_in_either_direction(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	tcp(&r, C, S, ACK, 100, 200, "T");
	r.text[r.n = 0] = 0;
	tcp(&r, S, C, ACK, 200, 101, "T!\1x");
	IS(&r, "flow.service 5 40000>9000 handshake toy answered\n"
	       "hl7.message 5 9000>40000 1st:x\n");
	tcp(&r, C, S, ACK, 101, 204, "!\1y");   /* what was held meanwhile is not lost */
	IS(&r, "hl7.message 6 40000>9000 y\n");
	teardown(&r);
}

static void named_by_shape_when_no_dissector_knows(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	r.text[r.n = 0] = 0;
	tcp(&r, S, C, ACK, 200, 100, "+");
	IS(&r, "");
	tcp(&r, S, C, ACK, 201, 100, "OK ready");
	IS(&r, "flow.service 5 40000>9000 handshake pop3 answered\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_probe_gave_up], 0);
	teardown(&r);
}

static void udp_opens_at_once_and_names_with_the_answer(void)
{
	struct rig r;
	setup(&r);
	udp(&r, C, S, "ping");
	IS(&r, "flow.open 1 40000>9000 first_packet\n");
	udp(&r, S, C, "pong");
	IS(&r, "flow.service 2 40000>9000 first_packet unknown answered\n");
	udp(&r, C, 9001, "log line");
	timers(&r, 60);
	IS(&r, "flow.open 3 40000>9001 first_packet\n"
	       "flow.end 2 40000>9000 first_packet unknown answered idle out=1 in=1\n"
	       "flow.service 3 40000>9001 first_packet unknown\n"
	       "flow.end 3 40000>9001 first_packet unknown one-sided idle out=1 in=0\n");
	udp(&r, C, 53, "");
	timers(&r, 60);
	IS(&r, "flow.open 4 40000>53 first_packet\n"
	       "flow.end 4 40000>53 first_packet one-sided idle out=1 in=0\n");
	teardown(&r);
}

/* Nobody has looked at the timers since, as within a batch: what comes is of another flow all the same, also when it is a
 * packet that belongs to none. */
static void a_packet_behind_the_timer_is_of_another_flow(void)
{
	struct rig r;
	setup(&r);
	udp(&r, C, S, "ping");
	udp(&r, S, C, "pong");
	IS(&r, "flow.open 1 40000>9000 first_packet\n"
	       "flow.service 2 40000>9000 first_packet unknown answered\n");
	r.ts_ns += r.c.udp_idle_ns;
	udp(&r, S, C, "late");
	IS(&r, "flow.end 2 40000>9000 first_packet unknown answered idle out=1 in=1\n"
	       "flow.open 3 9000>40000 first_packet\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_flows], 2);
	tcp(&r, C, S, SYN, 99, 0, "");
	r.ts_ns += r.c.half_open_ns;
	tcp(&r, S, C, RST | ACK, 0, 100, "");
	IS(&r, "flow.end 4 40000>9000 handshake one-sided idle out=1 in=0\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_stray_resets], 1);
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_flows_idle], 2);
	CU_ASSERT_EQUAL(shard_flows(r.h), 1);
	teardown(&r);
}

static void datagrams_are_read_one_by_one(void)
{
	struct rig r;
	struct shard_config c = plenty();
	c.states = 1;
	setup_with(&r, c);
	udp(&r, C, S, "?");
	udp(&r, C, S, "Da");
	IS(&r, "flow.open 1 40000>9000 first_packet\n"
	       "hl7.message 2 40000>9000 1st:Da\n");
	udp(&r, C + 1, S, "Da"); /* no state left */
	udp(&r, S, C, "Dc");
	IS(&r, "flow.open 3 40001>9000 first_packet\n"
	       "hl7.message 4 9000>40000 Dc\n"
	       "flow.service 4 40000>9000 first_packet toy-udp answered\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_state_dropped], 1);
	udp(&r, C, S, "Dx");
	udp(&r, C, S, "Dy");
	IS(&r, "hl7.message 5 40000>9000 Dx\n");
	udp(&r, S, C + 2, "Ds"); /* the server speaks first; it has the state that was given back */
	IS(&r, "flow.open 7 9000>40002 first_packet\n"
	       "hl7.message 7 9000>40002 1st:Ds\n"
	       "flow.service 7 40002>9000 content toy-udp answered\n");
	udp(&r, S, C + 2, "Db");
	udp(&r, S, C + 2, "Dd");
	IS(&r, "protocol.malformed 8 9000>40002 toy-udp syntax\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_dissector_bad], 1);
	capture_ends(&r);
	teardown(&r);
}

static void weak_shapes_need_their_port(void)
{
	struct rig r;
	setup(&r);
	udp(&r, C, S, "Wa");
	udp(&r, S, C, "Wb");
	IS(&r, "flow.open 1 40000>9000 first_packet\n"
	       "flow.service 2 40000>9000 first_packet unknown answered\n");
	udp(&r, C, 7000, "Wa");
	udp(&r, 7000, C, "Wb");
	IS(&r, "flow.open 3 40000>7000 first_packet\n"
	       "hl7.message 3 40000>7000 weak:Wa\n"
	       "hl7.message 4 7000>40000 weak:Wb\n"
	       "flow.service 4 40000>7000 first_packet weak answered\n");
	teardown(&r);
}

static void what_nobody_answers_is_named_all_the_same(void)
{
	struct rig r;
	setup(&r);
	for (int i = 0; i < 7; i++)
		udp(&r, C, 7000, i < 2 ? "?" : "W");
	r.text[r.n = 0] = 0;
	udp(&r, C, 7000, "W");
	udp(&r, C, 7000, "W");
	IS(&r, "hl7.message 8 40000>7000 weak:W\n"
	       "flow.service 8 40000>7000 first_packet weak one-sided\n"
	       "hl7.message 9 40000>7000 weak:W\n");
	udp(&r, 7000, C, "ok");
	udp(&r, 7000, C, "ok");
	IS(&r, "hl7.message 10 7000>40000 weak:ok\n"
	       "flow.service 10 40000>7000 first_packet weak answered\n"
	       "hl7.message 11 7000>40000 weak:ok\n");
	/* After three datagrams of a side nobody looks any more. */
	for (int i = 0; i < 3; i++)
		udp(&r, C + 1, 7000, "?");
	r.text[r.n = 0] = 0;
	udp(&r, C + 1, 7000, "W");
	IS(&r, "");
	teardown(&r);
}

static void out_of_order_and_again_is_read_once(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	r.text[r.n = 0] = 0;
	tcp(&r, C, S, ACK, 103, 200, "cd");
	tcp(&r, C, S, ACK, 100, 200, "T!\2");
	tcp(&r, C, S, ACK, 100, 200, "T!\2XX");
	tcp(&r, C, S, ACK, 105, 200, "T!\1e");
	IS(&r, "flow.service 5 40000>9000 handshake toy answered\n"
	       "hl7.message 5 40000>9000 1st:cd\n"
	       "hl7.message 7 40000>9000 e\n");
	/* The differing copy came after its bytes had been read and forgotten: an overlap, no more to say. */
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_stream_overlap_bytes], 5);
	teardown(&r);
}

static void a_gap_is_told_and_reading_goes_on(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	tcp(&r, C, S, ACK, 100, 200, "T!\2abT!\7half");
	r.text[r.n = 0] = 0;
	uint32_t at = 120;
	for (int i = 0; i < STREAM_GAP_ACKS + 1; i++, at += 4) {
		tcp(&r, C, S, ACK, at, 200, "T!\1z");
		tcp(&r, S, C, ACK, 200, at + 4, "");
	}
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_stream_gap_bytes], 8);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.text, "hl7.message 20 40000>9000 gap8\nhl7.message 20 40000>9000 z\n"));
	r.text[r.n = 0] = 0;
	capture_ends(&r);
	IS(&r, "flow.end 22 40000>9000 handshake toy answered capture out=12 in=10 gap=8\n");
	teardown(&r);
}

static void skipped_bytes_are_not_held_and_holes_in_them_do_not_matter(void)
{
	struct rig r;
	char bulk[1000];
	memset(bulk, 'x', sizeof(bulk));
	setup(&r);
	handshake(&r);
	tcp(&r, C, S, ACK, 100, 200, "T!\377");
	tcp_bytes(&r, C, S, ACK, 103, 200, bulk, 400);
	/* 503 .. 602 lost; the last of the thousand comes with the next message in one segment. */
	tcp_bytes(&r, C, S, ACK, 603, 200, bulk, 499);
	tcp(&r, C, S, ACK, 1102, 200, "xT!\1a");
	tcp(&r, C, S, FIN | ACK, 1107, 200, "");
	tcp(&r, S, C, ACK, 200, 1108, "");
	r.text[r.n = 0] = 0;
	capture_ends(&r);
	IS(&r, "hl7.message 9 40000>9000 1st:a\n"
	       "flow.end 9 40000>9000 handshake toy answered capture out=7 in=2 gap=100\n");
	teardown(&r);
}

static void a_message_in_one_byte_segments_and_its_rest(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	r.text[r.n = 0] = 0;
	const char *text = "T!\5helloT!\2hiT!0unfini";
	for (size_t i = 0; text[i]; i++)
		tcp_bytes(&r, C, S, ACK, 100 + (uint32_t)i, 200, text + i, 1);
	IS(&r, "flow.service 6 40000>9000 handshake toy answered\n"
	       "hl7.message 11 40000>9000 1st:hello\n"
	       "hl7.message 16 40000>9000 hi\n");
	tcp(&r, C, S, FIN | ACK, 100 + (uint32_t)strlen(text), 200, "");
	IS(&r, "hl7.message 26 40000>9000 rest:unfini\n");
	teardown(&r);
}

static void broken_bytes_are_said_once(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	r.text[r.n = 0] = 0;
	tcp(&r, C, S, ACK, 100, 200, "T!\3badT!\1a");
	tcp(&r, C, S, ACK, 110, 200, "T!\3bad");
	IS(&r, "flow.service 4 40000>9000 handshake toy answered\n"
	       "protocol.malformed 4 40000>9000 toy syntax\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_dissector_bad], 1);
	tcp(&r, 50000, S, SYN, 0, 0, "");
	tcp(&r, S, 50000, SYN | ACK, 0, 1, "");
	tcp(&r, 50000, S, ACK, 1, 1, "T!\4huge");
	IS(&r, "flow.open 8 50000>9000 handshake answered\n"
	       "flow.service 8 50000>9000 handshake toy answered\n"
	       "protocol.malformed 8 50000>9000 toy limit\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_dissector_limit], 1);
	teardown(&r);
}

/* With one state for all flows: what is done gives its state and what it holds back at once. */
static void a_dissector_that_is_done_lets_the_flow_pass(void)
{
	struct rig r;
	struct shard_config c = plenty();
	c.states = c.probes = 1;
	setup_with(&r, c);
	handshake(&r);
	tcp(&r, S, C, ACK, 200, 100, "T!\3un");                /* half a message, held */
	tcp(&r, C, S, ACK, 115, 205, "T!\1z");                 /* ahead of what is missing */
	r.text[r.n = 0] = 0;
	tcp(&r, C, S, ACK, 100, 205, "T!\4do");
	IS(&r, "");
	tcp(&r, C, S, ACK, 105, 205, "neT!\1a");
	IS(&r, "hl7.message 7 40000>9000 1st:done\n");
	tcp(&r, S, C, ACK, 205, 107, "dT!\1b");
	tcp(&r, C, S, ACK, 111, 210, "T!\3bad");
	IS(&r, "");
	tcp(&r, 50000, S, SYN, 0, 0, "");
	tcp(&r, S, 50000, SYN | ACK, 0, 1, "");
	r.text[r.n = 0] = 0;
	tcp(&r, 50000, S, ACK, 1, 1, "T!\4doneT!\1a");
	IS(&r, "flow.open 12 50000>9000 handshake answered\n"
	       "flow.service 12 50000>9000 handshake toy answered\n"
	       "hl7.message 12 50000>9000 1st:done\n");
	tcp(&r, C, S, FIN | ACK, 119, 210, "");
	tcp(&r, S, C, FIN | ACK, 210, 120, "");
	tcp(&r, C, S, ACK, 120, 211, "");
	IS(&r, "flow.end 15 40000>9000 handshake toy answered closed out=8 in=4\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_dissector_bad], 0);
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_state_dropped], 0);
	capture_ends(&r);
	const uint64_t *v = shard_stats(r.h)->v;
	CU_ASSERT_EQUAL(v[STATS_tcp_bytes], v[STATS_stream_bytes] + v[STATS_stream_overlap_bytes] +
						    v[STATS_stream_outside_bytes] + v[STATS_stream_unread_bytes]);
	/* "T!\1z" that waited, "dT!\1b" and "T!\3bad"; the rest of the segment that ended it was handed on. */
	CU_ASSERT_EQUAL(v[STATS_stream_unread_bytes], 4 + 5 + 6);
	teardown(&r);
}

/* A state of 1.6 KB that rests in a few bytes: many flows have it in turn, but not all at once. */
struct fat_state { uint32_t messages; uint8_t open, fill[1600]; };

static enum dissect_guess fat_probe(struct span head, bool midstream)
{
	(void)midstream;
	return head.n && head.p[0] == 'F' ? DISSECT_YES : DISSECT_NO;
}

/* "F" is a message, "O" opens one that does not end. */
static struct dissect_result fat_parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct fat_state *st = state;
	char id[24];
	for (size_t i = 0; i < sizeof(st->fill); i++)
		CU_ASSERT_FATAL(st->fill[i] == (st->open ? 7 : 0));
	st->open = in.p[0] == 'O';
	memset(st->fill, st->open ? 7 : 0, sizeof(st->fill));
	snprintf(id, sizeof(id), "%u", (unsigned)++st->messages);
	struct observation o = { .head.type = OBSERVATION_HL7_MESSAGE };
	observation_text(&o, OBSERVATION_F_control_id, span_str(id));
	ctx->emit(ctx->arg, &o);
	return (struct dissect_result){ DISSECT_OK, in.n, 0 };
}

static size_t fat_rest(const void *state, uint8_t ret[static DISSECT_REST_MAX])
{
	const struct fat_state *st = state;
	memcpy(ret, &st->messages, sizeof(st->messages));
	return st->open ? 0 : sizeof(st->messages);
}

static void fat_wake(void *state, struct span rest)
{
	struct fat_state *st = state;
	CU_ASSERT_EQUAL_FATAL(rest.n, sizeof(st->messages));
	memcpy(&st->messages, rest.p, rest.n);
}

static void what_rests_leaves_room_for_others(void)
{
	static const struct dissector fat = { .name = "fat", .transports = DISSECT_TCP, .state_size = sizeof(struct fat_state),
					      .max_message = 64, .probe = fat_probe, .parse = fat_parse, .rest = fat_rest,
					      .wake = fat_wake };
	static const struct dissector *const fats[] = { &fat, NULL };
	enum { FLOWS = 64 };
	struct shard_config c = plenty();
	struct rig r;
	c.dissectors = fats;
	c.flows = c.states = FLOWS;
	c.probes = 1;
	setup_with(&r, c);
	const uint64_t *v = shard_stats(r.h)->v;
	uint32_t seq[FLOWS];
	for (int round = 1; round <= 3; round++) {
		for (unsigned i = 0; i < FLOWS; i++) {
			if (round == 1) {
				tcp(&r, C + i, S, SYN, 99, 0, "");
				tcp(&r, S, C + i, SYN | ACK, 199, 100, "");
				seq[i] = 100;
			}
			tcp(&r, C + i, S, ACK, seq[i]++, 200, "F");
			char want[64];
			snprintf(want, sizeof(want), " %u>9000 %d\n", C + i, round);
			CU_ASSERT_PTR_NOT_NULL(strstr(r.text, want));
			r.text[r.n = 0] = 0;
		}
		CU_ASSERT_EQUAL(v[STATS_state_dropped], 0);
	}
	/* 64 times 256 bytes and a few pages hold fewer than 20 whole ones. */
	for (unsigned i = 0; i < FLOWS; i++)
		tcp(&r, C + i, S, ACK, seq[i]++, 200, "O");
	CU_ASSERT(v[STATS_state_dropped] > FLOWS - 20 && v[STATS_state_dropped] < FLOWS);
	for (unsigned i = 0; i < FLOWS; i++) {
		tcp(&r, C + i, S, FIN | ACK, seq[i], 200, "");
		tcp(&r, S, C + i, FIN | ACK, 200, seq[i] + 1, "");
	}
	r.text[r.n = 0] = 0;
	timers(&r, 10000);
	CU_ASSERT_EQUAL(shard_flows(r.h), 0);
	teardown(&r);
}

static void one_packet_cannot_say_too_much(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	r.no_text = true;
	tcp(&r, C, S, ACK, 100, 200, "T!\4manyT!\1a");
	CU_ASSERT(shard_stats(r.h)->v[STATS_observations_dropped] > 500);
	CU_ASSERT(shard_stats(r.h)->v[STATS_observations] > 200);
	r.no_text = false;
	tcp(&r, C, S, ACK, 111, 200, "T!\1b");
	CU_ASSERT_PTR_NOT_NULL(strstr(r.text, "hl7.message 5 40000>9000 b\n"));
	teardown(&r);
}

static void ports_used_again_are_another_flow(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	r.text[r.n = 0] = 0;
	tcp(&r, C, S, SYN, 70000, 0, "");       /* alone it proves nothing */
	IS(&r, "");
	tcp(&r, S, C, SYN | ACK, 80000, 70001, "");
	IS(&r, "flow.end 4 40000>9000 handshake answered closed out=3 in=1\n");
	tcp(&r, C, S, ACK, 70001, 80001, "T!\1a");
	IS(&r, "flow.open 6 40000>9000 handshake answered\n"
	       "flow.service 6 40000>9000 handshake toy answered\n"
	       "hl7.message 6 40000>9000 1st:a\n");
	teardown(&r);
}

static void a_full_table_gives_up_half_open_flows_first(void)
{
	struct rig r;
	struct shard_config c = plenty();
	c.flows = 4;
	setup_with(&r, c);
	handshake(&r);
	udp(&r, 30001, S, "x");
	tcp(&r, 30002, S, SYN, 0, 0, "");
	tcp(&r, 30003, S, SYN, 0, 0, "");
	r.text[r.n = 0] = 0;
	tcp(&r, 30004, S, SYN, 0, 0, "");
	IS(&r, "flow.end 5 30002>9000 handshake one-sided evicted out=1 in=0\n");
	tcp(&r, 30005, S, SYN, 0, 0, "");
	IS(&r, "flow.end 6 30003>9000 handshake one-sided evicted out=1 in=0\n");
	tcp(&r, S, 30004, SYN | ACK, 0, 1, "");
	tcp(&r, S, 30005, SYN | ACK, 0, 1, "");
	r.text[r.n = 0] = 0;
	r.ts_ns += 2 * CLOCK_SECOND;
	tcp(&r, C, S, ACK, 100, 200, "");
	udp(&r, 30006, S, "x");                 /* what nobody acknowledged goes next, then UDP that nobody answered */
	udp(&r, 30007, S, "x");
	udp(&r, S, 30007, "y");
	udp(&r, 30008, S, "x");
	IS(&r, "flow.end 9 30004>9000 handshake answered evicted out=1 in=1 half-open\n"
	       "flow.open 12 30006>9000 first_packet\n"
	       "flow.end 10 30005>9000 handshake answered evicted out=1 in=1 half-open\n"
	       "flow.open 13 30007>9000 first_packet\n"
	       "flow.service 14 30007>9000 first_packet unknown answered\n"
	       "flow.service 4 30001>9000 first_packet unknown\n"
	       "flow.end 4 30001>9000 first_packet unknown one-sided evicted out=1 in=0\n"
	       "flow.open 15 30008>9000 first_packet\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_flows_evicted], 0);
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_attempts_evicted], 5);
	teardown(&r);
}

static void budgets_that_are_used_up_are_counted(void)
{
	struct rig r;
	struct shard_config c = plenty();
	c.probes = 1;
	c.states = 1;
	setup_with(&r, c);
	for (unsigned port = 30000; port < 30004; port++) {
		tcp(&r, port, S, SYN, 0, 0, "");
		tcp(&r, S, port, SYN | ACK, 0, 1, "");
	}
	r.text[r.n = 0] = 0;
	tcp(&r, 30000, S, ACK, 1, 1, "T");
	tcp(&r, 30001, S, ACK, 1, 1, "T");      /* no slot to probe */
	tcp(&r, 30000, S, ACK, 2, 1, "!\1a");
	tcp(&r, 30002, S, ACK, 1, 1, "T!\1b");  /* no state to dissect */
	IS(&r, "flow.open 9 30000>9000 handshake answered\n"
	       "flow.open 10 30001>9000 handshake answered\n"
	       "flow.service 10 30001>9000 handshake unknown answered unread\n"
	       "flow.service 11 30000>9000 handshake toy answered\n"
	       "hl7.message 11 30000>9000 1st:a\n"
	       "flow.open 12 30002>9000 handshake answered\n"
	       "flow.service 12 30002>9000 handshake toy answered unread\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_probe_dropped], 1);
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_state_dropped], 1);
	tcp(&r, 30000, S, FIN | ACK, 5, 1, "");
	tcp(&r, S, 30000, FIN | ACK, 1, 6, "");
	tcp(&r, 30000, S, ACK, 6, 2, "");       /* its state is free again */
	r.text[r.n = 0] = 0;
	tcp(&r, 30003, S, ACK, 1, 1, "T!\1c");
	IS(&r, "flow.open 16 30003>9000 handshake answered\n"
	       "flow.service 16 30003>9000 handshake toy answered\n"
	       "hl7.message 16 30003>9000 1st:c\n");
	teardown(&r);
}

static void no_room_to_hold_is_a_gap(void)
{
	struct rig r;
	struct shard_config c = plenty();
	c.stream_bytes = 0;
	setup_with(&r, c);
	handshake(&r);
	tcp(&r, C, S, ACK, 100, 200, "T!\1aT!\3b");
	r.text[r.n = 0] = 0;
	tcp(&r, C, S, ACK, 108, 200, "T!\1c");
	IS(&r, "hl7.message 5 40000>9000 c\n");
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_stream_dropped_bytes], 4);
	teardown(&r);
}

static void many_flows_idle_at_once_take_several_turns(void)
{
	struct rig r;
	struct shard_config c = plenty();
	c.flows = 1000;
	setup_with(&r, c);
	r.no_text = true;
	for (unsigned i = 0; i < 1000; i++)
		udp(&r, 20000 + i, S, "x");
	timers(&r, 100);
	CU_ASSERT(shard_flows(r.h) > 0 && shard_flows(r.h) < 1000);
	for (int i = 0; i < 20; i++)
		timers(&r, 0);
	CU_ASSERT_EQUAL(shard_flows(r.h), 0);
	CU_ASSERT_EQUAL(shard_stats(r.h)->v[STATS_observations_dropped], 0);
	teardown(&r);
}

static void a_cut_capture_is_a_gap(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	send(&r, (struct decode){ .kind = DECODE_TCP, .src_port = C, .dst_port = S, .flags = ACK, .seq = 100,
				  .ack = 200, .payload = span_str("T!\1aT!\5b"), .payload_wire = 12,
				  .truncated = true });
	r.text[r.n = 0] = 0;
	tcp(&r, C, S, ACK, 112, 200, "T!\1c");
	capture_ends(&r);
	IS(&r, "hl7.message 5 40000>9000 c\n"
	       "flow.end 5 40000>9000 handshake toy answered capture out=4 in=1 gap=4\n");
	teardown(&r);
}

int main(void)
{
	CU_initialize_registry();
	CU_pSuite suite = CU_add_suite("shard", NULL, NULL);
#define T(name) CU_add_test(suite, #name, name)
	T(a_connection_from_syn_to_fin);
	T(a_close_without_its_last_ack_ends_after_the_linger);
	T(a_refused_syn_never_opens);
	T(an_unanswered_syn_idles_out);
	T(a_reset_ends_an_open_connection_only_when_plausible);
	T(data_on_the_syn_is_read);
	T(the_syn_ack_alone_tells_who_opened);
	T(one_side_only_is_open_when_the_opener_acknowledges);
	T(mid_stream_goes_by_port_then_by_content);
	T(unknown_once_both_directions_said_no);
	T(content_is_found_in_either_direction);
	T(named_by_shape_when_no_dissector_knows);
	T(udp_opens_at_once_and_names_with_the_answer);
	T(datagrams_are_read_one_by_one);
	T(weak_shapes_need_their_port);
	T(what_nobody_answers_is_named_all_the_same);
	T(out_of_order_and_again_is_read_once);
	T(a_gap_is_told_and_reading_goes_on);
	T(skipped_bytes_are_not_held_and_holes_in_them_do_not_matter);
	T(a_message_in_one_byte_segments_and_its_rest);
	T(broken_bytes_are_said_once);
	T(a_dissector_that_is_done_lets_the_flow_pass);
	T(what_rests_leaves_room_for_others);
	T(one_packet_cannot_say_too_much);
	T(ports_used_again_are_another_flow);
	T(a_full_table_gives_up_half_open_flows_first);
	T(budgets_that_are_used_up_are_counted);
	T(no_room_to_hold_is_a_gap);
	T(a_packet_behind_the_timer_is_of_another_flow);
	T(many_flows_idle_at_once_take_several_turns);
	T(a_cut_capture_is_a_gap);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
