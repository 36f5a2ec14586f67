#include "collector/alert.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "rules/rule.h"

static struct event an_event(void)
{
	static const uint8_t v4[] = { 10, 20, 3, 41 };
	struct addr a = addr_from_v4(v4);
	struct event e = { .head.type = EVENT_ANOMALOUS_TRAFFIC };
	event_text(&e, EVENT_F_sensor, span_str("s1"));
	event_uint(&e, EVENT_F_epoch, 7);
	event_uint(&e, EVENT_F_lane, EVENT_LANE_ALERTS);
	event_uint(&e, EVENT_F_seq, 3);
	event_uint(&e, EVENT_F_ts, 2000000000);
	event_uint(&e, EVENT_F_ts_first, 1000000000);
	event_text(&e, EVENT_F_rule, span_str("policy.undeclared_peer"));
	event_uint(&e, EVENT_F_severity, EVENT_MEDIUM);
	event_text(&e, EVENT_F_device, span_str("ct-1"));
	vocab_set_addr(&event_vocab, &e.head, EVENT_F_device_addr, &a);
	event_text(&e, EVENT_F_peer_class, span_str("internet"));
	event_uint(&e, EVENT_F_transport, 0);
	event_uint(&e, EVENT_F_port, 443);
	event_uint(&e, EVENT_F_count, 2);
	event_uint(&e, EVENT_F_flow, 12);
	event_uint(&e, EVENT_F_packet, 99);
	return e;
}

static const char *id_of(const struct event *e, char out[static ALERT_ID_LEN + 1])
{
	CU_ASSERT_TRUE(alert_id(e, out));
	return out;
}

static void the_id_is_of_rule_device_peer_class_and_service(void)
{
	char was[ALERT_ID_LEN + 1], now[ALERT_ID_LEN + 1];
	struct event e = an_event();
	id_of(&e, was);
	CU_ASSERT_EQUAL(strlen(was), ALERT_ID_LEN);
	CU_ASSERT_EQUAL(strspn(was, "0123456789abcdef"), ALERT_ID_LEN);
	/* What may differ between a replay and a live sensor, or between events of one finding. */
	event_text(&e, EVENT_F_sensor, span_str("s2"));
	event_uint(&e, EVENT_F_epoch, 8);
	event_uint(&e, EVENT_F_seq, 4);
	event_uint(&e, EVENT_F_ts, 5);
	event_uint(&e, EVENT_F_severity, EVENT_HIGH);
	event_uint(&e, EVENT_F_packet, 1);
	event_text(&e, EVENT_F_calling_ae, span_str("CT1"));
	CU_ASSERT_STRING_EQUAL(id_of(&e, now), was);
	e = an_event(), event_text(&e, EVENT_F_rule, span_str("policy.undeclared_traffic"));
	CU_ASSERT_STRING_NOT_EQUAL(id_of(&e, now), was);
	e = an_event(), event_text(&e, EVENT_F_device, span_str("ct-2"));
	CU_ASSERT_STRING_NOT_EQUAL(id_of(&e, now), was);
	e = an_event(), event_text(&e, EVENT_F_peer_class, span_str("pacs"));
	CU_ASSERT_STRING_NOT_EQUAL(id_of(&e, now), was);
	e = an_event(), event_uint(&e, EVENT_F_transport, 1);
	CU_ASSERT_STRING_NOT_EQUAL(id_of(&e, now), was);
	e = an_event(), event_uint(&e, EVENT_F_port, 444);
	CU_ASSERT_STRING_NOT_EQUAL(id_of(&e, now), was);
	/* A text that moves over the border between two fields is another finding. */
	e = an_event();
	event_text(&e, EVENT_F_device, span_str("ct-1i"));
	event_text(&e, EVENT_F_peer_class, span_str("nternet"));
	CU_ASSERT_STRING_NOT_EQUAL(id_of(&e, now), was);
}

static void only_the_alerts_lane_has_ids(void)
{
	char id[ALERT_ID_LEN + 1] = "untouched";
	struct alert a;
	struct event e = an_event();
	event_uint(&e, EVENT_F_lane, EVENT_LANE_TELEMETRY);
	CU_ASSERT_FALSE(alert_id(&e, id));
	CU_ASSERT_STRING_EQUAL(id, "untouched");
	CU_ASSERT_FALSE(alert_from(&e, &a));
	e = (struct event){ .head.type = EVENT_ANOMALOUS_TRAFFIC };
	event_uint(&e, EVENT_F_lane, EVENT_LANE_ALERTS);
	CU_ASSERT_FALSE(alert_id(&e, id));
}

static void folding_keeps_extremes_and_sums(void)
{
	struct alert a;
	struct event e = an_event();
	CU_ASSERT_TRUE_FATAL(alert_from(&e, &a));
	CU_ASSERT(a.first_ns == 1000000000 && a.last_ns == 2000000000 && a.count == 2 && a.severity == EVENT_MEDIUM);
	event_uint(&e, EVENT_F_ts_first, 500);
	event_uint(&e, EVENT_F_ts, 600);
	event_uint(&e, EVENT_F_severity, EVENT_LOW);
	alert_fold(&a, &e);
	CU_ASSERT(a.first_ns == 500 && a.last_ns == 2000000000 && a.count == 4 && a.severity == EVENT_MEDIUM);
	event_uint(&e, EVENT_F_ts, 3000000000);
	event_uint(&e, EVENT_F_severity, EVENT_CRITICAL);
	event_uint(&e, EVENT_F_count, UINT64_MAX);
	alert_fold(&a, &e);
	CU_ASSERT(a.last_ns == 3000000000 && a.count == UINT64_MAX && a.severity == EVENT_CRITICAL);
	CU_ASSERT_EQUAL(a.event.severity, EVENT_MEDIUM);        /* the event stays the first */
}

/* Folded by a class (a zone, the internet): the first host is not blamed for the others. */
static void several_peers_are_not_the_first(void)
{
	static const uint8_t one[] = { 192, 0, 2, 1 }, two[] = { 192, 0, 2, 2 };
	struct addr a1 = addr_from_v4(one), a2 = addr_from_v4(two);
	struct event e = an_event();
	struct alert a;
	vocab_set_addr(&event_vocab, &e.head, EVENT_F_peer_addr, &a1);
	CU_ASSERT_TRUE_FATAL(alert_from(&e, &a));
	CU_ASSERT_FALSE(alert_fold(&a, &e));
	CU_ASSERT_TRUE(event_has(&a.event, EVENT_F_peer_addr));
	vocab_set_addr(&event_vocab, &e.head, EVENT_F_peer_addr, &a2);
	CU_ASSERT_TRUE(alert_fold(&a, &e));
	CU_ASSERT_FALSE(event_has(&a.event, EVENT_F_peer_addr));
	CU_ASSERT_FALSE(alert_fold(&a, &e));
	CU_ASSERT_EQUAL(a.count, 8);
	uint8_t text[2048];
	struct buf b = buf_over(text, sizeof(text));
	CU_ASSERT_EQUAL(rule_explain(&a.event, RULE_EN, &b), 0);
	CU_ASSERT(memmem(text, b.len, "several hosts (internet)", 24) != NULL);
	buf_rewind(&b, 0);
	CU_ASSERT_EQUAL(rule_explain(&a.event, RULE_JA, &b), 0);
	CU_ASSERT(memmem(text, b.len, "複数のホスト（internet）", strlen("複数のホスト（internet）")) != NULL);
}

static void json_has_a_fixed_order_without_what_differs_between_runs(void)
{
	static const char want[] =
		"\"state\":\"open\",\"first\":\"1970-01-01T00:00:01.000000000Z\","
		"\"last\":\"1970-01-01T00:00:02.000000000Z\",\"count\":2,\"severity\":\"medium\","
		"\"type\":\"anomalous_traffic\",\"rule\":\"policy.undeclared_peer\",\"device\":\"ct-1\","
		"\"device_addr\":\"10.20.3.41\",\"peer_class\":\"internet\",\"transport\":\"tcp\",\"port\":443,"
		"\"explain_en\":\"";
	struct alert a;
	struct event e = an_event();
	char mem[8192];
	struct buf b = buf_over(mem, sizeof(mem) - 1);
	CU_ASSERT_TRUE_FATAL(alert_from(&e, &a));
	CU_ASSERT_EQUAL(alert_json(&a, &b), 0);
	mem[b.len] = '\0';
	char head[64];
	snprintf(head, sizeof(head), "{\"id\":\"%s\",", a.id);
	CU_ASSERT_EQUAL(strncmp(mem, head, strlen(head)), 0);
	CU_ASSERT_EQUAL(strncmp(mem + strlen(head), want, strlen(want)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(mem, "\"explain_ja\":\""));
	CU_ASSERT_EQUAL(mem[b.len - 1], '}');
	CU_ASSERT_PTR_NULL(strchr(mem, '\n'));
}

static void json_that_does_not_fit_leaves_nothing(void)
{
	struct alert a;
	struct event e = an_event();
	char whole[8192];
	struct buf all = buf_over(whole, sizeof(whole));
	CU_ASSERT_TRUE_FATAL(alert_from(&e, &a));
	CU_ASSERT_EQUAL_FATAL(alert_json(&a, &all), 0);
	/* Every size that is too small, in a heap block of exactly that size. */
	for (size_t n = 0; n < all.len; n++) {
		char *mem = malloc(n + 1);
		memcpy(mem, "x", n ? 1 : 0);
		struct buf b = buf_over(mem, n);
		b.len = n ? 1 : 0;
		CU_ASSERT_EQUAL(alert_json(&a, &b), -ENOBUFS);
		CU_ASSERT_EQUAL(b.len, n ? 1 : 0);
		CU_ASSERT_FALSE(b.full);
		free(mem);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "the_id_is_of_rule_device_peer_class_and_service", the_id_is_of_rule_device_peer_class_and_service },
		{ "only_the_alerts_lane_has_ids", only_the_alerts_lane_has_ids },
		{ "folding_keeps_extremes_and_sums", folding_keeps_extremes_and_sums },
		{ "several_peers_are_not_the_first", several_peers_are_not_the_first },
		{ "json_has_a_fixed_order_without_what_differs_between_runs",
		  json_has_a_fixed_order_without_what_differs_between_runs },
		{ "json_that_does_not_fit_leaves_nothing", json_that_does_not_fit_leaves_nothing },
		CU_TEST_INFO_NULL,
	};
	if (sodium_init() < 0)
		return 1;
	return test_run("alert", tests);
}
