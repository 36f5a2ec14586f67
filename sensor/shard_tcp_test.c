/* What TCP allows and what its enemies do with it, seen by a shard. Covers: R034 */
#include "sensor/shard.h"

#include "core/test.h"
#include "sensor/shard_rig.h"
#include "sensor/shard_run.h"

#define URG DECODE_URG

/* A connection that has carried one message of the client's ("a") and is at 104 and 200. */
static void session(struct rig *r)
{
	handshake(r);
	tcp(r, C, S, ACK, 100, 200, "T!\1a");
	tcp(r, S, C, ACK, 200, 104, "");
	r->text[r->n = 0] = 0;
}

static uint64_t stat_of(const struct rig *r, enum stats_counter c) { return shard_stats(r->h)->v[c]; }

/* RFC 6093, 6: the urgent byte is a byte of the stream like any other; nobody takes it out. */
static void urgent_data_stays_in_the_stream(void)
{
	struct rig r;
	setup(&r);
	session(&r);
	tcp(&r, C, S, ACK | URG, 104, 200, "T!\2bc");
	IS(&r, "hl7.message 6 40000>9000 bc\n");
	teardown(&r);
}

/* RFC 9293, 3.8.4: one byte of garbage, or none, at the place before the next. */
static void a_keep_alive_is_neither_data_nor_conflict(void)
{
	struct rig r;
	setup(&r);
	session(&r);
	tcp(&r, C, S, ACK, 103, 200, "?");
	tcp(&r, S, C, ACK, 200, 104, "");
	tcp(&r, C, S, ACK, 103, 200, "");
	tcp(&r, C, S, ACK, 104, 200, "T!\1b");
	IS(&r, "hl7.message 9 40000>9000 b\n");
	CU_ASSERT_EQUAL(stat_of(&r, STATS_stream_conflicts), 0);
	CU_ASSERT_EQUAL(stat_of(&r, STATS_stream_outside_bytes), 1);
	teardown(&r);
}

/* RFC 9293, 3.8.6.1: the receiver has no room and takes nothing; the probe is the next byte, and comes again. */
static void a_zero_window_probe_is_read_once(void)
{
	struct rig r;
	setup(&r);
	session(&r);
	for (int i = 0; i < 3; i++) {
		tcp(&r, C, S, ACK, 104, 200, "T");
		tcp(&r, S, C, ACK, 200, 104, "");
	}
	tcp(&r, C, S, ACK, 104, 200, "T!\1b");
	IS(&r, "hl7.message 12 40000>9000 b\n");
	/* The second and the third look like keep-alives, and there is nothing in them either. */
	CU_ASSERT_EQUAL(stat_of(&r, STATS_stream_overlap_bytes), 1);
	CU_ASSERT_EQUAL(stat_of(&r, STATS_stream_outside_bytes), 2);
	CU_ASSERT_EQUAL(stat_of(&r, STATS_stream_conflicts), 0);
	teardown(&r);
}

/* RFC 9293, 3.5.2: what a reset carries is words about itself, not of the stream. */
static void the_bytes_of_a_reset_are_not_read(void)
{
	struct rig r;
	setup(&r);
	session(&r);
	tcp(&r, C, S, RST, 104, 0, "T!\1b");
	IS(&r, "flow.end 6 40000>9000 handshake toy answered reset out=4 in=2\n");
	CU_ASSERT_EQUAL(stat_of(&r, STATS_stream_unread_bytes), 4);
	teardown(&r);
}

/* Off the path nobody knows the numbers; the capture may have lost some of them. */
static void a_reset_is_believed_near_the_place_of_the_stream(void)
{
	static const struct { uint32_t seq; bool ends; } cases[] = {
		{ 104, true }, { 104 + (1 << 20), true }, { 104u - 60000, true }, { 104 + (1u << 30), false }, { 104 - (1u << 20), false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig r;
		setup(&r);
		session(&r);
		tcp(&r, C, S, RST, cases[i].seq, 0, "");
		CU_ASSERT_EQUAL(r.n > 0, cases[i].ends);
		teardown(&r);
	}
}

static void a_fin_needs_no_ack_and_no_answer(void)
{
	struct rig r;
	setup(&r);
	session(&r);
	tcp(&r, C, S, FIN, 104, 0, "T!\1b");
	IS(&r, "hl7.message 6 40000>9000 b\n");
	tcp(&r, S, C, FIN, 200, 0, "");
	timers(&r, 6);
	IS(&r, "flow.end 7 40000>9000 handshake toy answered closed out=4 in=3\n");
	teardown(&r);
}

/* A FIN without a connection is a probe: nothing opens. */
static void a_lone_fin_opens_nothing(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, FIN, 5, 0, "");
	timers(&r, 300);
	IS(&r, "flow.end 1 40000>9000 first_packet midstream one-sided idle out=1 in=0\n");
	teardown(&r);
}

/* RFC 9293, 3.6: one side has said all, the other has not. */
static void half_closed_is_still_read(void)
{
	struct rig r;
	setup(&r);
	session(&r);
	tcp(&r, C, S, FIN | ACK, 104, 200, "");
	tcp(&r, S, C, ACK, 200, 105, "T!\2xy");
	timers(&r, 250);
	tcp(&r, S, C, ACK, 205, 105, "T!\1z");
	IS(&r, "hl7.message 7 9000>40000 xy\nhl7.message 8 9000>40000 z\n");
	tcp(&r, S, C, FIN | ACK, 209, 105, "");
	tcp(&r, C, S, ACK, 105, 210, "");
	IS(&r, "flow.end 10 40000>9000 handshake toy answered closed out=5 in=5\n");
	teardown(&r);
}

/* Whoever has sent a FIN has no more to send (RFC 9293, 3.10.4): what comes behind it is not of the stream. */
static void data_behind_a_fin_is_not_read(void)
{
	struct rig r;
	setup(&r);
	session(&r);
	tcp(&r, C, S, FIN | ACK, 104, 200, "");
	tcp(&r, C, S, ACK, 105, 200, "T!\1b");
	tcp(&r, C, S, ACK, 104, 200, "T!\1b");
	IS(&r, "");
	CU_ASSERT_EQUAL(stat_of(&r, STATS_stream_unread_bytes), 8);
	teardown(&r);
}

/* RFC 9293, 3.5, figure 8. */
static void both_open_at_once(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, SYN, 99, 0, "");
	tcp(&r, S, C, SYN, 199, 0, "");
	tcp(&r, C, S, SYN | ACK, 99, 200, "");
	tcp(&r, S, C, SYN | ACK, 199, 100, "");
	tcp(&r, C, S, ACK, 100, 200, "T!\1a");
	tcp(&r, S, C, ACK, 200, 104, "T!\1b");
	IS(&r, "flow.open 5 40000>9000 handshake answered\n"
	       "flow.service 5 40000>9000 handshake toy answered\n"
	       "hl7.message 5 40000>9000 1st:a\n"
	       "hl7.message 6 9000>40000 b\n");
	teardown(&r);
}

/* Nobody answered the first one: the second one counts. On a connection that lives it proves nothing (RFC 5961, 4). */
static void a_second_syn_with_another_number(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, SYN, 5000, 0, "");
	tcp(&r, C, S, SYN, 99, 0, "");
	tcp(&r, S, C, SYN | ACK, 199, 100, "");
	tcp(&r, C, S, ACK, 100, 200, "T!\1a");
	IS(&r, "flow.open 4 40000>9000 handshake answered\n"
	       "flow.service 4 40000>9000 handshake toy answered\n"
	       "hl7.message 4 40000>9000 1st:a\n");
	tcp(&r, C, S, SYN, 70000, 0, "");
	tcp(&r, C, S, ACK, 104, 200, "T!\1b");
	IS(&r, "hl7.message 6 40000>9000 b\n");
	CU_ASSERT_EQUAL(stat_of(&r, STATS_flows), 1);
	/* Answered: the ends agree that it is a new connection, and the old one's end was not seen. */
	tcp(&r, C, S, SYN, 70000, 0, "");
	tcp(&r, S, C, SYN | ACK, 80000, 70001, "");
	tcp(&r, C, S, ACK, 70001, 80001, "T!\1c");
	IS(&r, "flow.end 7 40000>9000 handshake toy answered closed out=6 in=1\n"
	       "flow.open 9 40000>9000 handshake answered\n"
	       "flow.service 9 40000>9000 handshake toy answered\n"
	       "hl7.message 9 40000>9000 1st:c\n");
	teardown(&r);
}

/* Both ports again while the old connection would still be in TIME-WAIT (RFC 9293, 3.6.1). */
static void the_same_ports_in_time_wait(void)
{
	struct rig r;
	setup(&r);
	session(&r);
	tcp(&r, C, S, FIN | ACK, 104, 200, "");
	tcp(&r, S, C, FIN | ACK, 200, 105, "");
	tcp(&r, C, S, ACK, 105, 201, "");
	r.text[r.n = 0] = 0;
	tcp(&r, C, S, SYN, 30099, 0, "");
	tcp(&r, S, C, FIN | ACK, 200, 105, "");         /* late, of the old one */
	tcp(&r, S, C, SYN | ACK, 40199, 30100, "");
	tcp(&r, C, S, ACK, 30100, 40200, "T!\1b");
	IS(&r, "flow.open 12 40000>9000 handshake answered\n"
	       "flow.service 12 40000>9000 handshake toy answered\n"
	       "hl7.message 12 40000>9000 1st:b\n");
	tcp(&r, S, C, ACK, 40200, 30104, "T!\1c");
	IS(&r, "hl7.message 13 9000>40000 c\n");
	CU_ASSERT_EQUAL(stat_of(&r, STATS_flows), 2);
	teardown(&r);
}

/* RFC 7413: the flow is read before the server has said where it begins. */
static void a_server_out_of_order_after_data_on_the_syn(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, SYN, 99, 0, "T!\1a");
	tcp(&r, S, C, SYN | ACK, 199, 104, "");
	tcp(&r, S, C, ACK, 204, 104, "T!\1y");
	tcp(&r, S, C, ACK, 200, 104, "T!\1x");
	IS(&r, "flow.open 1 40000>9000 handshake\n"
	       "flow.service 1 40000>9000 handshake toy\n"
	       "hl7.message 1 40000>9000 1st:a\n"
	       "hl7.message 4 9000>40000 x\n"
	       "hl7.message 4 9000>40000 y\n");
	teardown(&r);
}

/* A reset that does not answer the SYN refuses nothing: the answer comes after it. */
static void a_forged_refusal_is_not_believed(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, SYN, 99, 0, "");
	tcp(&r, S, C, RST | ACK, 0, 50000000, "");
	tcp(&r, S, C, RST, 0, 0, "");
	IS(&r, "");
	tcp(&r, S, C, RST | ACK, 0, 100, "");
	IS(&r, "flow.end 4 40000>9000 handshake refused out=1 in=3\n");
	teardown(&r);
}

/* One that does, by somebody who saw the SYN, ends the flow; the answer of the one who was called begins it anew. Not an answer that
 * was there before. */
static void who_was_said_to_refuse_may_accept(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, SYN, 99, 0, "");
	tcp(&r, S, C, RST | ACK, 0, 100, "");
	r.text[r.n = 0] = 0;
	tcp(&r, S, C, SYN | ACK, 199, 101, "");         /* to another SYN */
	IS(&r, "");
	tcp(&r, S, C, SYN | ACK, 199, 100, "");
	tcp(&r, C, S, ACK, 100, 200, "T!\1a");
	IS(&r, "flow.open 5 40000>9000 handshake answered\n"
	       "flow.service 5 40000>9000 handshake toy answered\n"
	       "hl7.message 5 40000>9000 1st:a\n");
	CU_ASSERT_EQUAL(stat_of(&r, STATS_flows), 2);
	teardown(&r);

	setup(&r);
	tcp(&r, C, S, SYN, 99, 0, "");
	tcp(&r, S, C, SYN | ACK, 199, 100, "");
	tcp(&r, C, S, RST, 100, 0, "");
	r.text[r.n = 0] = 0;
	tcp(&r, S, C, SYN | ACK, 199, 100, "");         /* once more: it has not seen the reset yet */
	IS(&r, "");
	CU_ASSERT_EQUAL(stat_of(&r, STATS_flows), 1);
	teardown(&r);
}

/* Only one direction is on the mirror: nobody acknowledges, and still all is read. */
static void one_direction_alone_is_read(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, SYN, 99, 0, "");
	tcp(&r, C, S, ACK, 100, 200, "T!\1a");
	tcp(&r, C, S, ACK, 108, 200, "T!\1c");
	tcp(&r, C, S, ACK, 104, 200, "T!\1b");
	tcp(&r, C, S, FIN | ACK, 112, 200, "");
	capture_ends(&r);
	IS(&r, "flow.open 2 40000>9000 handshake one-sided answered\n"
	       "flow.service 2 40000>9000 handshake toy one-sided answered\n"
	       "hl7.message 2 40000>9000 1st:a\n"
	       "hl7.message 4 40000>9000 b\n"
	       "hl7.message 4 40000>9000 c\n"
	       "flow.end 5 40000>9000 handshake toy one-sided answered capture out=5 in=0\n");
	teardown(&r);
}

static void a_flow_whose_data_was_all_lost_says_so(void)
{
	struct rig r;
	setup(&r);
	handshake(&r);
	tcp(&r, S, C, ACK, 200, 400, "");       /* the server has got 300 bytes */
	capture_ends(&r);
	IS(&r, "flow.open 3 40000>9000 handshake answered\n"
	       "flow.end 4 40000>9000 handshake answered capture out=2 in=2 gap=300\n");
	teardown(&r);
}

/* Forged addresses never take the answer: their flows do not open. A port scanner that resets has one of its own. */
static void an_answer_that_nobody_takes_opens_nothing(void)
{
	struct rig r;
	setup(&r);
	tcp(&r, C, S, SYN, 99, 0, "");
	tcp(&r, S, C, SYN | ACK, 199, 100, "");
	tcp(&r, S, C, SYN | ACK, 199, 100, "");
	timers(&r, 20);
	IS(&r, "flow.end 3 40000>9000 handshake answered idle out=1 in=2 half-open\n");
	tcp(&r, C, S, SYN, 99, 0, "");
	tcp(&r, S, C, SYN | ACK, 199, 100, "");
	tcp(&r, C, S, RST, 100, 0, "");
	IS(&r, "flow.open 6 40000>9000 handshake answered\n"
	       "flow.end 6 40000>9000 handshake answered reset out=2 in=1 half-open\n");
	teardown(&r);
}

/* Room for 64 flows, eight sessions that speak once in a while, and ten thousand packets of each kind of flood between. */
static void no_flood_costs_a_session(void)
{
	enum { SESSIONS = 8, FLOOD = 10000, KINDS = 6 };
	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct rig r;
		setup(&r);
		for (unsigned i = 0; i < SESSIONS; i++) {
			unsigned port = 60000 + i;
			tcp(&r, port, S, SYN, 99, 0, "");
			tcp(&r, S, port, SYN | ACK, 199, 100, "");
			tcp(&r, port, S, ACK, 100, 200, "T!\1a");
		}
		for (unsigned i = 0; i < FLOOD; i++) {
			unsigned port = 1024 + i;
			r.text[r.n = 0] = 0;
			r.ts_ns += 1000000;
			if (kind < 2)
				tcp(&r, port, S, SYN, i, 0, "");
			if (kind == 1)
				tcp(&r, S, port, SYN | ACK, i, i + 1, "");
			if (kind == 2)
				tcp(&r, port, S, ACK, i, i, "T!\1x");           /* of no connection, and looks like one */
			if (kind == 3)
				tcp(&r, S, port, SYN | ACK, i, i, "");          /* reflected */
			if (kind == 4)
				tcp(&r, port, S, FIN | DECODE_PSH | URG, i, 0, "");
			if (kind == 5) {
				udp(&r, port, 53, "question");
				udp(&r, 53, port, "answer");
			}
			CU_ASSERT(shard_flows(r.h) <= r.c.flows);
		}
		r.text[r.n = 0] = 0;
		for (unsigned i = 0; i < SESSIONS; i++)
			tcp(&r, 60000 + i, S, ACK, 104, 200, "T!\1b");
		unsigned read = 0;
		for (const char *at = r.text; (at = strstr(at, "9000 b\n")); at++)
			read++;
		if (read != SESSIONS)
			printf("\n  kind %u: %u sessions read\n%s", kind, read, r.text);
		CU_ASSERT_EQUAL(read, SESSIONS);
		teardown(&r);
	}
}

/* Connections as they come: handshakes, messages in pieces, lost and sent again, acknowledged, closed, reset, begun anew. What takes
 * the short way says and counts the same as what takes the long one. */
static void the_short_way_says_the_same(void)
{
	enum { FLOWS = 4 };
	uint32_t seed = 1;
	uint64_t messages = 0;
	for (unsigned round = 0; round < 200; round++) {
		struct rig a, b;
		setup(&a);
		setup(&b);
		b.h->general = true;
		uint32_t at[FLOWS][2];
		for (unsigned f = 0; f < FLOWS; f++)
			at[f][0] = 99 + f, at[f][1] = 199;
		for (unsigned step = 0; step < 150; step++) {
			uint32_t v[5];
			for (unsigned i = 0; i < 5; i++) {
				seed = seed * 1664525u + 1013904223u;
				v[i] = seed >> 8;
			}
			unsigned f = v[0] % FLOWS, side = v[1] & 1, flags = ACK;
			const char *text = v[2] % 3 ? "" : v[2] % 2 ? "T!\1a" : v[2] % 5 ? "T!\3b" : "cd";
			uint32_t seq = at[f][side], ack = at[f][!side];
			if (step < 3 * FLOWS) {         /* handshakes, most of them whole */
				f = step / 3;
				side = step % 3 == 1;
				flags = step % 3 == 0 ? SYN : step % 3 == 1 ? SYN | ACK : ACK;
				seq = at[f][side];
				ack = at[f][!side];
				text = "";
				if (v[3] % 20 == 0)
					continue;
			} else if (v[3] % 40 < 6) {
				static const unsigned odd[] = { SYN, SYN | ACK, FIN | ACK, RST, 0, FIN };
				flags = odd[v[3] % 40];
			}
			if (v[4] % 12 == 0)
				seq += v[4] / 12 % 16 - 8;
			if (v[4] % 17 == 0)
				ack += v[4] / 17 % 16 - 8;
			for (struct rig *r = &a;; r = &b) {
				r->ts_ns += (uint64_t)(v[1] % 50) * CLOCK_SECOND / 100 + (v[0] % 300 ? 0 : 400 * CLOCK_SECOND);
				tcp(r, side ? S : C + f, side ? C + f : S, flags, seq, ack, text);
				if (r == &b)
					break;
			}
			if (v[4] % 9)                   /* else it comes again */
				at[f][side] = seq + (uint32_t)strlen(text) + (flags & (SYN | FIN) ? 1 : 0);
			CU_ASSERT_STRING_EQUAL_FATAL(a.text, b.text);
			CU_ASSERT_FATAL(!memcmp(shard_stats(a.h), shard_stats(b.h), sizeof(struct stats)));
		}
		capture_ends(&a);
		capture_ends(&b);
		CU_ASSERT_STRING_EQUAL_FATAL(a.text, b.text);
		for (const char *t = a.text; (t = strstr(t, "hl7.message")); t++)
			messages++;
		teardown(&a);
		teardown(&b);
	}
	CU_ASSERT(messages > 2000);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "urgent data stays in the stream", urgent_data_stays_in_the_stream },
		{ "a keep-alive is neither data nor conflict", a_keep_alive_is_neither_data_nor_conflict },
		{ "a zero-window probe is read once", a_zero_window_probe_is_read_once },
		{ "the bytes of a reset are not read", the_bytes_of_a_reset_are_not_read },
		{ "a reset is believed near the place of the stream", a_reset_is_believed_near_the_place_of_the_stream },
		{ "a FIN needs no ACK and no answer", a_fin_needs_no_ack_and_no_answer },
		{ "a lone FIN opens nothing", a_lone_fin_opens_nothing },
		{ "half closed is still read", half_closed_is_still_read },
		{ "data behind a FIN is not read", data_behind_a_fin_is_not_read },
		{ "both open at once", both_open_at_once },
		{ "a second SYN with another number", a_second_syn_with_another_number },
		{ "the same ports in TIME-WAIT", the_same_ports_in_time_wait },
		{ "a server out of order after data on the SYN", a_server_out_of_order_after_data_on_the_syn },
		{ "a forged refusal is not believed", a_forged_refusal_is_not_believed },
		{ "who was said to refuse may accept", who_was_said_to_refuse_may_accept },
		{ "one direction alone is read", one_direction_alone_is_read },
		{ "a flow whose data was all lost says so", a_flow_whose_data_was_all_lost_says_so },
		{ "an answer that nobody takes opens nothing", an_answer_that_nobody_takes_opens_nothing },
		{ "no flood costs a session", no_flood_costs_a_session },
		{ "the short way says the same", the_short_way_says_the_same },
		CU_TEST_INFO_NULL,
	};
	return test_run("shard_tcp", tests);
}
