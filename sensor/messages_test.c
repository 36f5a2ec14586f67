/* Covers: R015 R018 */
#include <stdio.h>
#include <string.h>

#include "core/test.h"
#include "sensor/messages.h"

static const struct siphash_key key = { 1, 2 };
#define MINUTE UINT64_C(60000000000)

static const char content_a[] = "0123456789abcdef0123456789abcdef", content_b[] = "fedcba9876543210fedcba9876543210";

static struct observation observed(enum observation_type type, uint8_t from, uint8_t to, uint64_t flow, uint64_t ts)
{
	struct observation o = { .head.type = (uint16_t)type };
	struct endpoint src = { addr_from_v4((uint8_t[4]){ 192, 0, 2, from }), 50000 };
	struct endpoint dst = { addr_from_v4((uint8_t[4]){ 192, 0, 2, to }), 2575 };
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &src);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &dst);
	observation_uint(&o, OBSERVATION_F_flow, flow);
	observation_uint(&o, OBSERVATION_F_ts, ts);
	observation_uint(&o, OBSERVATION_F_packet, 7);
	return o;
}

static struct observation message(uint8_t from, uint8_t to, uint64_t flow, uint64_t ts, const char *id, const char *content)
{
	struct observation o = observed(OBSERVATION_HL7_MESSAGE, from, to, flow, ts);
	observation_text(&o, OBSERVATION_F_sending_app, span_str("HIS"));
	observation_text(&o, OBSERVATION_F_control_id, span_str(id));
	observation_text(&o, OBSERVATION_F_content, span_str(content));
	return o;
}

/* The answer to message(from, to, ...): it goes the other way. */
static void answer(struct messages *m, uint8_t from, uint8_t to, uint64_t flow, uint64_t ts, const char *id, uint64_t code)
{
	struct observation o = observed(OBSERVATION_HL7_ACK, from, to, flow, ts);
	struct endpoint src = o.dst, dst = o.src;
	o.src = src;
	o.dst = dst;
	observation_uint(&o, OBSERVATION_F_ack_code, code);
	observation_text(&o, OBSERVATION_F_acked_control_id, span_str(id));
	CU_ASSERT_EQUAL(messages_take(m, &o), MESSAGES_NOTHING);
}

static enum messages_what take(struct messages *m, struct observation o) { return messages_take(m, &o); }

static void a_resend_is_legal(void)
{
	struct messages *m = messages_new(&key);
	for (uint64_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(take(m, message(1, 2, 1 + i, i * MINUTE, "M1", content_a)), MESSAGES_NOTHING);
	answer(m, 1, 2, 3, 3 * MINUTE, "M1", OBSERVATION_AA);
	/* After the answer too, as long as it is the same from the same sender: the answer may have been lost behind the tap. */
	CU_ASSERT_EQUAL(take(m, message(1, 2, 4, 4 * MINUTE, "M1", content_a)), MESSAGES_NOTHING);
	/* Refused, corrected, sent again under the same number. */
	CU_ASSERT_EQUAL(take(m, message(1, 2, 5, 0, "M2", content_a)), MESSAGES_NOTHING);
	answer(m, 1, 2, 5, 0, "M2", OBSERVATION_AE);
	CU_ASSERT_EQUAL(take(m, message(1, 2, 5, 0, "M2", content_b)), MESSAGES_NOTHING);
	messages_free(m);
}

static void a_replay_is_told(void)
{
	struct messages *m = messages_new(&key);
	CU_ASSERT_EQUAL(take(m, message(1, 2, 1, 0, "M1", content_a)), MESSAGES_NOTHING);
	answer(m, 1, 2, 1, 0, "M1", OBSERVATION_AA);
	CU_ASSERT_EQUAL(take(m, message(9, 2, 2, MINUTE, "M1", content_a)), MESSAGES_REPLAY);         /* another sender */
	CU_ASSERT_EQUAL(take(m, message(9, 2, 2, MINUTE, "M1", content_b)), MESSAGES_REPLAY);
	CU_ASSERT_EQUAL(take(m, message(1, 2, 1, MINUTE, "M1", content_b)), MESSAGES_REPLAY);         /* other content */
	/* Passed on to somebody else: the engine between them has another receiver. */
	CU_ASSERT_EQUAL(take(m, message(2, 3, 3, MINUTE, "M1", content_a)), MESSAGES_NOTHING);
	/* A number that begins anew with each connection, and one that comes again after a day. */
	CU_ASSERT_EQUAL(take(m, message(1, 2, 4, MINUTE, "M1", content_b)), MESSAGES_NOTHING);
	answer(m, 1, 2, 4, MINUTE, "M1", OBSERVATION_AA);
	CU_ASSERT_EQUAL(take(m, message(9, 2, 5, MINUTE + MESSAGES_WINDOW_NS, "M1", content_a)), MESSAGES_NOTHING);
	messages_free(m);
}

static void constant_numbers_of_a_protocol_are_no_replay(void)
{
	struct messages *m = messages_new(&key);
	for (int i = 0; i < 2; i++) {
		struct observation o = message(1, 2, 1, 0, "103", i ? content_a : content_b);
		observation_uint(&o, OBSERVATION_F_vendor_profile, OBSERVATION_VENDOR_MINDRAY_PDS);
		CU_ASSERT_EQUAL(take(m, o), MESSAGES_NOTHING);
		answer(m, 1, 2, 1, 0, "103", OBSERVATION_AA);
	}
	messages_free(m);
}

static struct observation order(uint8_t from, uint8_t to, const char *type, const char *number, const char *content, uint64_t ts)
{
	struct observation o = observed(OBSERVATION_HL7_ORDER, from, to, 1, ts);
	observation_text(&o, OBSERVATION_F_message_type, span_str(type));
	observation_text(&o, OBSERVATION_F_order, span_str(number));
	observation_text(&o, OBSERVATION_F_content, span_str(content));
	return o;
}

static void a_changed_order_from_elsewhere_is_told(void)
{
	struct messages *m = messages_new(&key);
	const char *n = "00000000000000000000000000000001";
	CU_ASSERT_EQUAL(take(m, order(1, 2, "ORM^O01", n, content_a, 0)), MESSAGES_NOTHING);
	CU_ASSERT_EQUAL(take(m, order(9, 2, "ORM^O01", n, content_a, 1)), MESSAGES_NOTHING);          /* the same */
	CU_ASSERT_EQUAL(take(m, order(9, 2, "ORM^O01", n, content_b, 2)), MESSAGES_ORDER_CHANGED);
	CU_ASSERT_EQUAL(take(m, order(9, 2, "RDE^O11", n, content_b, 3)), MESSAGES_NOTHING);          /* another type */
	CU_ASSERT_EQUAL(take(m, order(9, 3, "ORM^O01", n, content_b, 4)), MESSAGES_NOTHING);          /* another receiver */
	CU_ASSERT_EQUAL(take(m, order(1, 2, "ORM^O01", n, content_b, 5)), MESSAGES_NOTHING);          /* changed by who placed it */
	CU_ASSERT_EQUAL(take(m, order(9, 2, "ORM^O01", n, content_b, 6)), MESSAGES_NOTHING);
	CU_ASSERT_EQUAL(take(m, order(9, 2, "ORM^O01", n, content_a, 6 + MESSAGES_WINDOW_NS)), MESSAGES_NOTHING);
	messages_free(m);
}

static void a_missing_answer_is_told_where_others_came(void)
{
	struct messages *m = messages_new(&key);
	struct messages_unanswered u = { 0 };
	(void)take(m, message(1, 2, 1, 0, "M1", content_a));
	answer(m, 1, 2, 1, 0, "M1", OBSERVATION_AA);
	(void)take(m, message(1, 2, 1, 0, "M2", content_a));
	(void)take(m, message(1, 2, 8, 0, "M3", content_a));            /* on a connection where nothing is ever answered */
	struct observation o = message(1, 2, 1, 0, "M4", content_a);    /* none is asked for */
	observation_uint(&o, OBSERVATION_F_accept_ack, OBSERVATION_ACK_NEVER);
	(void)messages_take(m, &o);
	CU_ASSERT(!messages_overdue(m, MESSAGES_ANSWER_NS - 1, &u));
	CU_ASSERT(!messages_overdue(m, MESSAGES_ANSWER_NS, &u));        /* not walked again before a minute is over */
	CU_ASSERT(messages_overdue(m, MESSAGES_ANSWER_NS + MINUTE, &u));
	CU_ASSERT(u.flow == 1 && u.control_id.n == 2 && !memcmp(u.control_id.p, "M2", 2) && u.packet == 7);
	CU_ASSERT(!messages_overdue(m, MESSAGES_ANSWER_NS + MINUTE, &u));
	CU_ASSERT(!messages_overdue(m, 10 * MESSAGES_ANSWER_NS, &u));
	messages_free(m);
}

static void full_tables_make_room_and_count(void)
{
	struct messages *m = messages_new(&key);
	struct messages_unanswered u;
	for (int i = 0; i < 2 * MESSAGES_ENTRIES; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "%d", i);
		CU_ASSERT_EQUAL(take(m, message(1, 2, 1, 0, id, content_a)), MESSAGES_NOTHING);
	}
	CU_ASSERT(messages_evicted(m) >= MESSAGES_ENTRIES);
	answer(m, 1, 2, 1, 0, "0", OBSERVATION_AA);
	int n = 0;
	while (messages_overdue(m, MESSAGES_ANSWER_NS, &u))
		n++;
	CU_ASSERT(n > MESSAGES_WAITING / 2 && n <= MESSAGES_WAITING);
	messages_free(m);
}

static struct observation in(struct observation o, const char *space)
{
	observation_text(&o, OBSERVATION_F_space, span_str(space));
	return o;
}

/* The same addresses in another network are other hosts: what they say is no replay, and what waits there bears its name. */
static void networks_are_told_apart(void)
{
	struct messages *m = messages_new(&key);
	struct messages_unanswered u;
	CU_ASSERT_EQUAL(take(m, message(1, 2, 1, 0, "M1", content_a)), MESSAGES_NOTHING);
	answer(m, 1, 2, 1, 0, "M1", OBSERVATION_AA);
	CU_ASSERT_EQUAL(take(m, in(message(9, 2, 2, MINUTE, "M1", content_b), "vlan:100")), MESSAGES_NOTHING);
	answer(m, 9, 2, 2, MINUTE, "M1", OBSERVATION_AA);
	CU_ASSERT_EQUAL(take(m, in(message(8, 2, 3, MINUTE, "M1", content_b), "vlan:200")), MESSAGES_NOTHING);
	CU_ASSERT_EQUAL(take(m, in(message(8, 2, 4, MINUTE, "M1", content_b), "vlan:100")), MESSAGES_REPLAY);
	answer(m, 8, 2, 4, MINUTE, "M1", OBSERVATION_AA);
	CU_ASSERT_EQUAL(take(m, in(message(9, 2, 2, 2 * MINUTE, "M2", content_a), "vlan:100")), MESSAGES_NOTHING);
	CU_ASSERT_TRUE(messages_overdue(m, 30 * MINUTE, &u));
	CU_ASSERT_STRING_EQUAL(u.space, "vlan:100");
	CU_ASSERT(u.flow == 2 && span_eq(u.control_id, span_str("M2")));
	messages_free(m);
}

int main(void)
{
	static CU_TestInfo tests[] = {
#define T(name) { #name, name }
		T(a_resend_is_legal), T(a_replay_is_told), T(constant_numbers_of_a_protocol_are_no_replay),
		T(a_changed_order_from_elsewhere_is_told), T(a_missing_answer_is_told_where_others_came), T(full_tables_make_room_and_count),
		T(networks_are_told_apart),
		CU_TEST_INFO_NULL,
	};
	return test_run("messages", tests);
}
