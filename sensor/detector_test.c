/* Covers: R033 R056 R066 R069 */
#include "sensor/attempts.h"
#include "sensor/detector.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/policy_accept.h"
#include "rules/policy_mark.h"
#include "rules/policy_table.h"
#include "rules/rule.h"
#include "sensor/spaces.h"

static const uint64_t STEP_NS = 1000000;

/* A policy of this test's own: what it answers is set per case. Defined here, these take the place of rules/policy.c. */
static struct verdict answer[POLICY_MAX_VERDICTS];
static unsigned answers;
static const char *unit_at_1 = "ct-1";

bool policy_speaks(const struct policy *p, const struct observation *o) { return (void)p, (void)o, true; }

/* Who was asked about, and how often. */
static unsigned finds;
static struct policy_who asked[2];

unsigned policy_check_who(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			  struct verdict ret[static POLICY_MAX_VERDICTS])
{
	(void)p, (void)o;
	memcpy(asked, ends, sizeof(asked));
	memcpy(ret, answer, sizeof(answer));
	for (unsigned i = 0; i < answers; i++)
		ret[i].row = ret[i].window = ret[i].control = ret[i].answer_cite = POLICY_NONE;
	return answers;
}

/* Holds the address and the evidence in place of what a policy would say. */
void policy_who_find(const struct policy *p, const struct addr *ip, const struct mac *mac, uint16_t vlan, struct policy_who *w)
{
	(void)p;
	finds++;
	*w = (struct policy_who){ .device = ip->b[15] == 1 && unit_at_1 ? 0 : POLICY_NONE, .local = true,
		                  .zone = ip->b[15] | (uint32_t)(mac ? mac->b[5] : 0xff) << 8 | (uint32_t)vlan << 16 };
}

void policy_host(const struct policy *p, const struct addr *ip, const struct mac *mac, uint16_t vlan, struct policy_host *ret)
{
	struct policy_who w;
	policy_who_find(p, ip, mac, vlan, &w);
	policy_who_host(p, &w, ret);
}

void policy_who_host(const struct policy *p, const struct policy_who *w, struct policy_host *ret)
{
	(void)p;
	uint8_t last = (uint8_t)w->zone;
	*ret = (struct policy_host){ .device = POLICY_NONE, .by = EVENT_BY_NOTHING, .local = true };
	if (w->device == 0)
		*ret = (struct policy_host){ .device = 0, .by = EVENT_BY_IP, .id = span_str(unit_at_1), .type = span_str("example.ct"),
			                     .zone = span_str("imaging"), .local = true };
	else if (last == 2)
		ret->role = span_str("pacs");
	else if (last >= 200)
		ret->zone = span_str("office");
}

void policy_cite(const struct policy *p, uint32_t cite, struct policy_cite *ret)
{
	(void)p, (void)cite;
	*ret = (struct policy_cite){ EVENT_AUTH_DOCUMENT, span_str("IFU-X"), span_str("3"), span_str("X-1"), span_str("no port 22") };
}

static enum policy_plays plays = POLICY_PLAYS_UNSAID;

enum policy_plays policy_plays(const struct policy *p, const struct addr *ip, const char *role, uint32_t *ret_cite)
{
	(void)p, (void)role;
	*ret_cite = 0;
	return plays == POLICY_PLAYS_UNSAID ? plays : ip->b[15] == 1 ? POLICY_PLAYS_YES : POLICY_PLAYS_NO;
}

enum policy_card policy_card(const struct policy *p, uint32_t device, const struct mac *mac, uint32_t *ret_cite)
{
	(void)p, (void)device, (void)mac;
	*ret_cite = POLICY_NONE;
	return POLICY_CARD_UNSAID;
}

enum policy_mark policy_mark(const struct policy *p, uint32_t device, enum policy_mark_kind kind, struct span value, uint32_t *ret_unit,
			     uint32_t *ret_cite)
{
	(void)p, (void)kind;
	*ret_unit = *ret_cite = 0;
	if (!span_eq(value, span_str("ct-console")))
		return POLICY_MARK_UNSAID;
	return device == 0 ? POLICY_MARK_FITS : POLICY_MARK_ANOTHERS;
}

bool policy_mark_any(const struct policy *p) { return (void)p, true; }

static bool accepts;

bool policy_accept_find(const struct policy *p, const struct event *e, struct span *ret_id)
{
	(void)p, (void)e;
	*ret_id = span_str("3f2a9c0d11e4b7a8");
	return accepts;
}

size_t policy_devices(const struct policy *p) { return p ? 1 : 0; }

void policy_device(const struct policy *p, uint32_t device, struct policy_device *ret)
{
	(void)p, (void)device;
	*ret = (struct policy_device){ .id = span_str("us-1"), .type = span_str("example.us") };
}

unsigned policy_unit_mode(const struct policy *p, uint32_t device, uint64_t ts_ns)
{
	(void)p, (void)device, (void)ts_ns;
	return POLICY_MODE_ALERT;
}

void policy_row_limits(const struct policy *p, uint32_t row, uint64_t ts_ns, struct policy_row_limits *ret)
{
	(void)p, (void)row, (void)ts_ns;
	*ret = (struct policy_row_limits){ .cite = POLICY_NONE };
}

uint32_t policy_unit_rows(const struct policy *p, uint32_t device, uint32_t *ret_first)
{
	(void)p, (void)device;
	return *ret_first = 0;
}

enum policy_life policy_unit_life(const struct policy *p, uint32_t device, uint64_t ts_ns, uint32_t *ret_cite)
{
	(void)p, (void)device, (void)ts_ns;
	*ret_cite = POLICY_NONE;
	return POLICY_LIFE_SUPPORTED;
}

struct span policy_row_id(const struct policy *p, uint32_t row) { return (void)p, (void)row, (struct span){ 0 }; }
uint32_t policy_row_cite(const struct policy *p, uint32_t row) { return (void)p, (void)row, POLICY_NONE; }
bool policy_row_in_force(const struct policy *p, uint32_t row) { return (void)p, (void)row, false; }
struct span policy_window_name(const struct policy *p, uint32_t window) { return (void)p, (void)window, (struct span){ 0 }; }

struct span policy_control_name(const struct policy *p, uint32_t control, uint32_t *ret_cite, bool *ret_by_maker)
{
	(void)p, (void)control;
	*ret_cite = POLICY_NONE;
	*ret_by_maker = false;
	return (struct span){ 0 };
}

enum { LINES = 256 };
static char lines[LINES][2048];
static unsigned n_lines;

static void keep(void *arg, const struct event *e)
{
	(void)arg;
	struct buf b = buf_over(lines[n_lines], sizeof(lines[0]) - 1);
	if (n_lines < LINES - 1 && !vocab_json(&event_vocab, &e->head, &b))
		lines[n_lines++][b.len] = 0;
}

static struct spaces networks;

static struct detector *fresh(bool policy)
{
	static const uint64_t table = 0;
	struct detector_config c = { .sensor = "t", .epoch = 7, .assets = 64, .folds = 64, .fold_ns = 60 * UINT64_C(1000000000),
		                     .flow_events = true, .spaces = &networks, .emit = keep };
	struct detector *d = detector_new(&c);
	n_lines = 0;
	answers = 0;
	if (policy)
		detector_policy(d, (const struct policy *)(const void *)&table, 3, 1);
	n_lines = 0;
	return d;
}

static struct endpoint at(uint8_t last, uint16_t port)
{
	return (struct endpoint){ addr_from_v4((const uint8_t[]){ 10, 0, 0, last }), port };
}

static struct observation flow(enum observation_type type, uint64_t number, uint8_t src, uint8_t dst, uint16_t port)
{
	struct observation o = { .head.type = (uint16_t)type };
	struct endpoint s = at(src, 40000), d = at(dst, port);
	observation_uint(&o, OBSERVATION_F_packet, number);
	observation_uint(&o, OBSERVATION_F_ts, number * STEP_NS);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &s);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &d);
	observation_uint(&o, OBSERVATION_F_flow, number);
	observation_uint(&o, OBSERVATION_F_transport, OBSERVATION_TCP);
	observation_uint(&o, OBSERVATION_F_answered, 1);
	return o;
}

static unsigned count(const char *needle)
{
	unsigned n = 0;
	for (unsigned i = 0; i < n_lines; i++)
		n += strstr(lines[i], needle) != NULL;
	return n;
}

static const char *first(const char *needle)
{
	for (unsigned i = 0; i < n_lines; i++)
		if (strstr(lines[i], needle))
			return lines[i];
	return "";
}

static void breach(enum rule_id rule, enum event_verdict kind, bool src)
{
	answer[0] = (struct verdict){ .kind = kind, .what = EVENT_WHAT_LISTENER, .rule = rule, .device = 0, .severity = EVENT_HIGH,
		                      .confidence = EVENT_CONFIDENCE_HIGH, .device_is_src = src };
	answers = 1;
}

static void numbers_each_lane_from_one_without_holes(void)
{
	struct detector *d = fresh(true);
	breach(RULE_UNDECLARED_LISTENER, EVENT_UNDECLARED, false);
	for (uint64_t i = 1; i <= 5; i++) {
		struct observation o = flow(OBSERVATION_FLOW_OPEN, i, (uint8_t)(10 + i), 1, 22);
		detector_observe(d, &o);
	}
	CU_ASSERT_EQUAL(count("\"lane\":\"alerts\""), 5);
	char want[64];
	for (unsigned lane = 0; lane < 2; lane++)
		for (unsigned seq = lane ? 2 : 1; seq <= 5; seq++) {
			snprintf(want, sizeof(want), "\"epoch\":7,\"lane\":\"%s\",\"seq\":%u,", lane ? "telemetry" : "alerts", seq);
			CU_ASSERT_EQUAL(count(want), 1);
		}
	detector_free(d);
}

static void says_a_breach_with_its_authority_and_both_ends(void)
{
	struct detector *d = fresh(true);
	breach(RULE_UNDECLARED_LISTENER, EVENT_UNDECLARED, false);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 9, 2, 1, 22);
	detector_observe(d, &o);
	const char *e = first("undeclared_listener");
	static const char *const want[] = { "\"type\":\"config_change\"", "\"device\":\"ct-1\"", "\"device_type\":\"example.ct\"",
		                            "\"device_by\":\"ip\"", "\"device_addr\":\"10.0.0.1\"", "\"device_zone\":\"imaging\"",
		                            "\"peer\":\"pacs\"", "\"peer_addr\":\"10.0.0.2\"", "\"initiator\":\"peer\"", "\"port\":22",
		                            "\"document\":\"IFU-X\"", "\"revision\":\"3\"", "\"row\":\"X-1\"", "\"said\":\"no port 22\"",
		                            "\"seen\":\"tcp/22\"", "\"count\":1", "\"packet\":9", "\"generation\":3" };
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (!strstr(e, want[i])) {
			CU_FAIL("a field is missing or wrong");
			fprintf(stderr, "not in the event: %s\n%s\n", want[i], e);
		}
	detector_free(d);
}

static void folds_repeats_and_tells_their_count_at_the_end(void)
{
	struct detector *d = fresh(true);
	struct stats s = { 0 };
	breach(RULE_UNDECLARED_LISTENER, EVENT_UNDECLARED, false);
	for (uint64_t i = 1; i <= 10; i++) {
		struct observation o = flow(OBSERVATION_FLOW_OPEN, i, 2, 1, 22);
		detector_observe(d, &o);
	}
	CU_ASSERT_EQUAL(count("undeclared_listener"), 1);
	detector_finish(d, &s, 11 * STEP_NS);
	CU_ASSERT_EQUAL(count("undeclared_listener"), 2);
	CU_ASSERT_EQUAL(count("\"count\":9"), 1);
	detector_free(d);
}

/* Two hosts of one zone fold into one event: its repeats do not name the first. */
static void repeats_with_other_hosts_are_not_the_first_ones(void)
{
	struct detector *d = fresh(true);
	struct stats s = { 0 };
	breach(RULE_UNDECLARED_LISTENER, EVENT_UNDECLARED, false);
	for (uint64_t i = 1; i <= 3; i++) {
		struct observation o = flow(OBSERVATION_FLOW_OPEN, i, (uint8_t)(200 + i), 1, 22);
		detector_observe(d, &o);
	}
	detector_finish(d, &s, 11 * STEP_NS);
	CU_ASSERT_EQUAL(count("undeclared_listener"), 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("undeclared_listener"), "\"peer_addr\":\"10.0.0.201\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("\"count\":2"), "\"peer_class\":\"office\""));
	CU_ASSERT_PTR_NULL(strstr(first("\"count\":2"), "peer_addr"));
	CU_ASSERT_PTR_NULL(strstr(first("\"count\":2"), "\"flow\""));
	detector_free(d);
}

static void a_new_policy_begins_anew_and_mixes_nothing(void)
{
	static const uint64_t other = 1;
	struct detector *d = fresh(true);
	struct stats s = { 0 };
	breach(RULE_UNDECLARED_LISTENER, EVENT_UNDECLARED, false);
	for (uint64_t i = 1; i <= 3; i++) {
		struct observation o = flow(OBSERVATION_FLOW_OPEN, i, 2, 1, 22);
		detector_observe(d, &o);
	}
	/* Two repeats are the old policy's, and are told by its number before the new one comes. */
	detector_policy(d, (const struct policy *)(const void *)&other, 4, 2);
	CU_ASSERT_EQUAL(count("undeclared_listener"), 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(lines[n_lines - 2], "\"count\":2"));
	CU_ASSERT_PTR_NOT_NULL(strstr(lines[n_lines - 2], "\"generation\":3"));
	CU_ASSERT_PTR_NOT_NULL(strstr(lines[n_lines - 1], "\"rule\":\"sensor.policy\""));
	/* The flows end: their summaries are wholly the new one's, by which they are as declared. */
	breach(RULE_FLOW_DECLARED, EVENT_DECLARED, false);
	for (uint64_t i = 1; i <= 3; i++) {
		struct observation o = flow(OBSERVATION_FLOW_END, i, 2, 1, 22);
		detector_observe(d, &o);
	}
	CU_ASSERT_EQUAL(count("flow.summary"), 3);
	CU_ASSERT_EQUAL(count("\"verdict\":\"declared\""), 3);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("flow.summary"), "\"generation\":4"));
	/* What goes on is said again, by the new number. */
	breach(RULE_UNDECLARED_LISTENER, EVENT_UNDECLARED, false);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 9, 2, 1, 22);
	detector_observe(d, &o);
	CU_ASSERT_PTR_NOT_NULL(strstr(lines[n_lines - 1], "undeclared_listener"));
	CU_ASSERT_PTR_NOT_NULL(strstr(lines[n_lines - 1], "\"generation\":4"));
	detector_policy_kept(d, span_str("site.yaml:3:1: no such role"), 9);
	CU_ASSERT_PTR_NOT_NULL(strstr(lines[n_lines - 1], "\"rule\":\"sensor.policy_kept\",\"severity\":\"medium\",\"generation\":4,"
						      "\"why\":\"site.yaml:3:1: no such role\""));
	detector_finish(d, &s, 10);
	detector_free(d);
}

static void an_accepted_finding_is_told_without_weight(void)
{
	struct detector *d = fresh(true);
	breach(RULE_UNDECLARED_LISTENER, EVENT_UNDECLARED, false);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 1, 2, 1, 22);
	detector_observe(d, &o);
	accepts = true;
	o = flow(OBSERVATION_FLOW_OPEN, 2, 2, 1, 22);
	detector_observe(d, &o);
	accepts = false;
	/* What was accepted does not hide among the repeats of what was not, nor the other way round. */
	CU_ASSERT_EQUAL(count("undeclared_listener"), 2);
	CU_ASSERT_EQUAL(count("\"severity\":\"high\""), 1);
	CU_ASSERT_EQUAL(count("\"accepted\":\"3f2a9c0d11e4b7a8\""), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("accepted"), "\"severity\":\"info\""));
	detector_free(d);
}

static void tells_repeats_when_their_time_has_come(void)
{
	struct detector *d = fresh(true);
	breach(RULE_UNDECLARED_LISTENER, EVENT_UNDECLARED, false);
	detector_tick(d, 1);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 1, 2, 1, 22);
	detector_observe(d, &o);
	o = flow(OBSERVATION_FLOW_OPEN, 2, 2, 1, 22);
	detector_observe(d, &o);
	detector_tick(d, 3 * STEP_NS);
	CU_ASSERT_EQUAL(count("undeclared_listener"), 1);
	detector_tick(d, 200 * UINT64_C(1000000000));
	CU_ASSERT_EQUAL(count("undeclared_listener"), 2);
	detector_tick(d, 400 * UINT64_C(1000000000));
	CU_ASSERT_EQUAL(count("undeclared_listener"), 2);
	detector_free(d);
}

static void one_breach_per_flow_and_end(void)
{
	struct detector *d = fresh(true);
	struct stats s = { 0 };
	breach(RULE_UNDECLARED_LISTENER, EVENT_UNDECLARED, false);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 4, 2, 1, 22);
	detector_observe(d, &o);
	o = flow(OBSERVATION_FLOW_SERVICE, 4, 2, 1, 22);
	observation_text(&o, OBSERVATION_F_service, span_str("ssh"));
	breach(RULE_DIFFERENT_PROTOCOL, EVENT_SEEN_DIFFERENTLY, false);
	detector_observe(d, &o);
	breach(RULE_UNDECLARED_TRAFFIC, EVENT_UNDECLARED, true);
	detector_observe(d, &o);
	detector_finish(d, &s, 5 * STEP_NS);
	CU_ASSERT_EQUAL(count("undeclared_listener"), 1);
	CU_ASSERT_EQUAL(count("different_protocol"), 0);
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 1);
	detector_free(d);
}

/* A datagram that nobody answered: it opens a flow, or ends one. */
static struct observation probe(enum observation_type type, uint64_t number, uint16_t port)
{
	struct observation o = flow(type, number, 1, 99, port);
	observation_uint(&o, OBSERVATION_F_transport, OBSERVATION_UDP);
	observation_uint(&o, OBSERVATION_F_answered, 0);
	if (type == OBSERVATION_FLOW_END) {
		observation_uint(&o, OBSERVATION_F_packets_out, 1);
		observation_uint(&o, OBSERVATION_F_started, number * STEP_NS);
	}
	return o;
}

static void observe(struct detector *d, struct observation o) { detector_observe(d, &o); }

/* Probes of ports 1 to n that come to nothing. */
static void scan(struct detector *d, unsigned n)
{
	breach(RULE_UNDECLARED_TRAFFIC, EVENT_UNDECLARED, true);
	for (unsigned i = 1; i <= n; i++)
		observe(d, probe(OBSERVATION_FLOW_OPEN, i, (uint16_t)i));
	for (unsigned i = 1; i <= n; i++)
		observe(d, probe(OBSERVATION_FLOW_END, i, (uint16_t)i));
}

static void a_scan_is_one_alert_and_a_count(void)
{
	enum { PROBES = 3000 };
	struct detector *d = fresh(true);
	struct stats s = { 0 };
	scan(d, PROBES);
	unsigned said = count("undeclared_traffic"), ended = count("flow.summary");
	/* What was said before it could be known; nothing after. */
	CU_ASSERT(said >= 64 && said < 100);
	CU_ASSERT(ended >= 63 && ended < 100);
	CU_ASSERT_EQUAL(count("network.scan"), 1);
	CU_ASSERT_EQUAL(detector_stats(d)->v[STATS_verdicts_folded], PROBES - said);
	CU_ASSERT_EQUAL(detector_stats(d)->v[STATS_attempts_folded], PROBES - ended);
	detector_finish(d, &s, (PROBES + 1) * STEP_NS);
	CU_ASSERT_EQUAL(count("network.scan"), 2);
	unsigned first_n = 0, rest_n = 0;
	for (unsigned i = 0; i < n_lines; i++) {
		const char *c = strstr(lines[i], "network.scan") ? strstr(lines[i], "\"count\":") : NULL;
		if (c)
			sscanf(c + 8, "%u", first_n ? &rest_n : &first_n);
	}
	CU_ASSERT_EQUAL(first_n + rest_n, PROBES);
	detector_free(d);
}

static void a_scanners_answered_connection_is_an_alert_of_its_own(void)
{
	struct detector *d = fresh(true);
	scan(d, 300);
	n_lines = 0;
	observe(d, probe(OBSERVATION_FLOW_OPEN, 1000, 7000));
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 0);
	struct observation o = probe(OBSERVATION_FLOW_SERVICE, 1000, 7000);
	observation_uint(&o, OBSERVATION_F_answered, 1);
	observe(d, o);
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 1);
	/* One that is answered at once; the answer to another is seen in its end only. */
	o = probe(OBSERVATION_FLOW_OPEN, 1001, 7001);
	observation_uint(&o, OBSERVATION_F_answered, 1);
	observe(d, o);
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 2);
	observe(d, probe(OBSERVATION_FLOW_OPEN, 1002, 7002));
	o = probe(OBSERVATION_FLOW_END, 1002, 7002);
	observation_uint(&o, OBSERVATION_F_answered, 1);
	observation_uint(&o, OBSERVATION_F_packets_in, 1);
	observe(d, o);
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 3);
	CU_ASSERT_EQUAL(count("flow.summary"), 1);
	CU_ASSERT_EQUAL(count("\"verdict\":\"undeclared\""), 4);
	detector_free(d);
}

/* Of two datagrams each: one flow ends with them, the other goes on. */
static void what_goes_on_without_an_answer_is_said_though_its_source_scans(void)
{
	struct detector *d = fresh(true);
	scan(d, 300);
	n_lines = 0;
	for (uint64_t i = 1000; i < 1003; i++) {
		observe(d, probe(OBSERVATION_FLOW_OPEN, i, (uint16_t)i));
		struct observation o = probe(OBSERVATION_FLOW_SERVICE, i, (uint16_t)i);
		observation_uint(&o, OBSERVATION_F_one_sided, 1);
		char service[] = "syslog";
		observation_text(&o, OBSERVATION_F_service, span_str(service));
		observe(d, o);
		memset(service, 'x', sizeof(service) - 1);
		CU_ASSERT_EQUAL(count("undeclared_traffic"), i == 1002);
		if (i == 1000)
			observe(d, probe(OBSERVATION_FLOW_END, i, (uint16_t)i));
		if (i == 1002)
			detector_tick(d, 1);
	}
	/* Of the host, not of each port. */
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("undeclared_traffic"), "\"seen\":\"udp/1001 syslog\""));
	CU_ASSERT_PTR_NULL(strstr(first("undeclared_traffic"), "\"port\""));
	CU_ASSERT_PTR_NULL(strstr(first("undeclared_traffic"), "\"peer_class\""));
	/* Many datagrams: no attempt, and counted when it ends at the latest. */
	observe(d, probe(OBSERVATION_FLOW_OPEN, 1003, 1003));
	struct observation o = probe(OBSERVATION_FLOW_END, 1003, 1003);
	observation_uint(&o, OBSERVATION_F_packets_out, 9);
	observe(d, o);
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 1);
	struct stats s = { 0 };
	n_lines = 0;
	detector_finish(d, &s, 2000 * STEP_NS);
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("undeclared_traffic"), "\"count\":2,"));
	detector_free(d);
}

/* The end of a flow of that many datagrams, or segments, with that many bytes each from the IP header on. */
static struct observation end_of(uint64_t number, uint16_t port, uint64_t transport, uint64_t packets, uint64_t bytes)
{
	struct observation o = probe(OBSERVATION_FLOW_END, number, port);
	observation_uint(&o, OBSERVATION_F_transport, transport);
	observation_uint(&o, OBSERVATION_F_packets_out, packets);
	observation_uint(&o, OBSERVATION_F_bytes_out, packets * bytes);
	return o;
}

static void what_carries_more_than_a_probe_is_said_though_its_source_scans(void)
{
	static const struct { uint64_t transport, packets, bytes; bool told; } of[] = {
		{ OBSERVATION_UDP, 7, 28 + 1400, true }, { OBSERVATION_UDP, 1, 28 + 513, true }, { OBSERVATION_UDP, 1, 28 + 512, false },
		{ OBSERVATION_UDP, 7, 28 + 73, false }, { OBSERVATION_UDP, 7, 28 + 74, true }, { OBSERVATION_TCP, 7, 40 + 1400, true },
		{ OBSERVATION_TCP, 7, 60, false }, { OBSERVATION_TCP, 1, 80, false }, { OBSERVATION_TCP, 1, 81, true },
	};
	struct detector *d = fresh(true);
	scan(d, 300);
	for (unsigned i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		n_lines = 0;
		struct observation o = probe(OBSERVATION_FLOW_OPEN, 1000 + i, (uint16_t)(1000 + i));
		observation_uint(&o, OBSERVATION_F_transport, of[i].transport);
		observe(d, o);
		CU_ASSERT_EQUAL(count("undeclared_traffic"), 0);
		observe(d, end_of(1000 + i, (uint16_t)(1000 + i), of[i].transport, of[i].packets, of[i].bytes));
		CU_ASSERT_EQUAL(count("undeclared_traffic"), of[i].told);
		CU_ASSERT_EQUAL(count("flow.summary"), of[i].told);
		/* With whom and where. */
		CU_ASSERT(!of[i].told || (strstr(first("undeclared_traffic"), "\"port\":") &&
					  strstr(first("undeclared_traffic"), "\"peer_class\":")));
	}
	detector_free(d);
}

/* Taken for one of many until it ends. */
static void what_carried_much_in_the_end_is_said_by_itself(void)
{
	struct detector *d = fresh(true);
	scan(d, 300);
	for (uint64_t i = 1000; i < 1002; i++) {
		n_lines = 0;
		observe(d, probe(OBSERVATION_FLOW_OPEN, i, (uint16_t)i));
		struct observation o = probe(OBSERVATION_FLOW_SERVICE, i, (uint16_t)i);
		observation_uint(&o, OBSERVATION_F_one_sided, 1);
		observe(d, o);
		detector_tick(d, 1);
		CU_ASSERT_EQUAL(count("\"port\":"), 0);
		observe(d, end_of(i, (uint16_t)i, OBSERVATION_UDP, 9, i == 1000 ? 28 + 1400 : 28 + 20));
		CU_ASSERT_EQUAL(count("undeclared_traffic"), i == 1000 ? 2 : 0);
		CU_ASSERT(i != 1000 || strstr(lines[n_lines - 2], "\"port\":1000") || strstr(lines[n_lines - 1], "\"port\":1000"));
	}
	detector_free(d);
}

/* 512 bytes for each of 1,000 ports of one host: said of the two, once. */
static void what_goes_to_one_host_bit_by_bit_is_said_though_its_source_scans(void)
{
	struct detector *d = fresh(true);
	struct stats s = { 0 };
	scan(d, 300);
	n_lines = 0;
	for (uint16_t i = 1000; i < 2000; i++) {
		observe(d, probe(OBSERVATION_FLOW_OPEN, i, i));
		observe(d, end_of(i, i, OBSERVATION_UDP, 1, 28 + 512));
		CU_ASSERT_EQUAL(count("undeclared_traffic"), i >= 1000 + ATTEMPTS_CARRIED / 512);
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(first("undeclared_traffic"), "\"peer_class\":\"10.0.0.99\""));
	CU_ASSERT_PTR_NULL(strstr(first("undeclared_traffic"), "\"port\""));
	n_lines = 0;
	detector_finish(d, &s, 3000 * STEP_NS);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("undeclared_traffic"), "\"count\":871,"));
	detector_free(d);
}

/* It may never end. */
static void what_goes_on_for_long_is_said_by_itself(void)
{
	struct detector *d = fresh(true);
	struct stats s = { 0 };
	scan(d, 300);
	detector_tick(d, 400 * STEP_NS);
	n_lines = 0;
	for (uint64_t i = 1000; i < 1002; i++) {
		observe(d, probe(OBSERVATION_FLOW_OPEN, i, (uint16_t)i));
		struct observation o = probe(OBSERVATION_FLOW_SERVICE, i, (uint16_t)i);
		observation_uint(&o, OBSERVATION_F_one_sided, 1);
		observation_text(&o, OBSERVATION_F_service, span_str("syslog"));
		observe(d, o);
	}
	observe(d, end_of(1000, 1000, OBSERVATION_UDP, 9, 30));
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 1);
	CU_ASSERT_EQUAL(count("\"port\":1001"), 0);
	n_lines = 0;
	for (unsigned i = 1; i < 10; i++)
		detector_tick(d, 1002 * STEP_NS + i * 200 * UINT64_C(1000000000));
	CU_ASSERT_EQUAL(count("\"port\":1000"), 0);
	CU_ASSERT_EQUAL(count("\"port\":1001,\"service\":\"syslog\""), 1);
	/* And not again when it ends. */
	observe(d, end_of(1001, 1001, OBSERVATION_UDP, 9000, 1000));
	detector_finish(d, &s, 1003 * STEP_NS + 2000 * UINT64_C(1000000000));
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 2);        /* its own; that the host's came again */
	detector_free(d);
}

/* Small datagrams to one port, a flow each: by the eighth at the latest it is no probe any more; nor if they carry on. */
static void what_is_tried_again_and_again_is_said_though_its_source_scans(void)
{
	struct detector *d = fresh(true);
	scan(d, 300);
	for (unsigned packets = 1; packets < 20; packets += 8) {
		n_lines = 0;
		const uint16_t port = (uint16_t)(1000 + packets);
		for (uint64_t i = 1; i <= 20; i++) {
			observe(d, probe(OBSERVATION_FLOW_OPEN, packets * 1000 + i, port));
			observe(d, end_of(packets * 1000 + i, port, OBSERVATION_UDP, packets, 28 + 10));
			/* What carries on is said of the host, once, at the first. */
			CU_ASSERT_EQUAL(count("undeclared_traffic"), (packets == 9) + (i >= ATTEMPTS_TRIES));
		}
	}
	struct stats s = { 0 };
	n_lines = 0;
	detector_finish(d, &s, 30000 * STEP_NS);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("\"port\":1001"), "\"count\":12,"));
	CU_ASSERT_EQUAL(count("\"port\":1017"), 1);
	detector_free(d);
}

/* Forged in its name on its own segment: what the host itself does is said. */
static void another_cards_scan_does_not_speak_for_a_host(void)
{
	static const struct mac forger = { { 2, 0, 0, 0, 0, 66 } }, card = { { 2, 0, 0, 0, 0, 1 } };
	struct detector *d = fresh(true);
	breach(RULE_UNDECLARED_TRAFFIC, EVENT_UNDECLARED, true);
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 1; i <= 300; i++) {
			struct observation o = probe(pass ? OBSERVATION_FLOW_END : OBSERVATION_FLOW_OPEN, i, (uint16_t)i);
			o.src_mac = forger;
			o.head.present[OBSERVATION_F_src_mac >> 6] |= UINT64_C(1) << (OBSERVATION_F_src_mac & 63);
			observe(d, o);
		}
	CU_ASSERT_EQUAL(count("network.scan"), 1);
	for (unsigned own = 0; own < 2; own++) {
		n_lines = 0;
		for (unsigned pass = 0; pass < 2; pass++) {
			struct observation o = probe(pass ? OBSERVATION_FLOW_END : OBSERVATION_FLOW_OPEN, 1000 + own, (uint16_t)(1000 + own));
			o.src_mac = own ? card : forger;
			o.head.present[OBSERVATION_F_src_mac >> 6] |= UINT64_C(1) << (OBSERVATION_F_src_mac & 63);
			observe(d, o);
		}
		CU_ASSERT_EQUAL(count("undeclared_traffic"), own);
	}
	detector_free(d);
}

/* As many flows as a scan has, but they carry on: their breaches are late, not lost. */
static void what_waited_for_nothing_is_said(void)
{
	struct detector *d = fresh(true);
	breach(RULE_UNDECLARED_TRAFFIC, EVENT_UNDECLARED, true);
	for (unsigned i = 1; i <= 120; i++)
		observe(d, probe(OBSERVATION_FLOW_OPEN, i, (uint16_t)i));
	CU_ASSERT(count("undeclared_traffic") < 100);
	for (unsigned i = 1; i <= 120; i++) {
		struct observation o = probe(OBSERVATION_FLOW_END, i, (uint16_t)i);
		observation_uint(&o, OBSERVATION_F_packets_out, 9);
		/* What was remembered of one has made room. */
		answers = i != 120;
		if (i == 120)
			observe(d, (struct observation){ .head.type = OBSERVATION_MALFORMED, .flow = i + (1 << 16) });
		answers = 1;
		observe(d, o);
	}
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 120);
	CU_ASSERT_EQUAL(count("network.scan"), 0);
	CU_ASSERT_EQUAL(detector_stats(d)->v[STATS_verdicts_folded], 0);
	detector_free(d);
}

static void what_the_site_forbids_is_said_of_a_scanner_once(void)
{
	struct detector *d = fresh(true);
	scan(d, 300);
	n_lines = 0;
	breach(RULE_FORBIDDEN, EVENT_FORBIDDEN, true);
	for (unsigned i = 1; i <= 50; i++)
		observe(d, probe(OBSERVATION_FLOW_OPEN, 1000 + i, (uint16_t)(2000 + i)));
	CU_ASSERT_EQUAL(count("policy.forbidden"), 1);
	CU_ASSERT_PTR_NULL(strstr(first("policy.forbidden"), "\"port\""));
	detector_free(d);
}

static void a_scanner_keeps_its_other_alerts(void)
{
	struct detector *d = fresh(true);
	scan(d, 300);
	n_lines = 0;
	/* Multicast is never answered, and no attempt. */
	struct observation o = probe(OBSERVATION_FLOW_OPEN, 1000, 5353);
	o.dst.ip = addr_from_v4((const uint8_t[]){ 224, 0, 0, 251 });
	observe(d, o);
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 1);
	/* Another host's are its own. */
	o = probe(OBSERVATION_FLOW_OPEN, 1001, 53);
	o.src = at(3, 40000);
	observe(d, o);
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 2);
	/* Under another policy what waited is said by that. */
	observe(d, probe(OBSERVATION_FLOW_OPEN, 1002, 1002));
	static const uint64_t other = 1;
	detector_policy(d, (const struct policy *)(const void *)&other, 4, 2);
	o = probe(OBSERVATION_FLOW_END, 1002, 1002);
	observation_uint(&o, OBSERVATION_F_packets_out, 9);
	observe(d, o);
	CU_ASSERT_EQUAL(count("undeclared_traffic"), 3);
	CU_ASSERT_EQUAL(count("\"generation\":4"), 3);
	detector_free(d);
}

static void cannot_say_does_not_hide_a_later_breach(void)
{
	struct detector *d = fresh(true);
	breach(RULE_CANNOT_SAY, EVENT_CANNOT_SAY, false);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 4, 2, 1, 22);
	detector_observe(d, &o);
	breach(RULE_UNDECLARED_LISTENER, EVENT_UNDECLARED, false);
	o = flow(OBSERVATION_FLOW_SERVICE, 4, 2, 1, 22);
	detector_observe(d, &o);
	CU_ASSERT_EQUAL(count("policy.cannot_say"), 1);
	CU_ASSERT_EQUAL(count("undeclared_listener"), 1);
	detector_free(d);
}

static void an_unknown_host_is_one_event_whatever_it_talks_to(void)
{
	struct detector *d = fresh(true);
	answer[0] = (struct verdict){ .kind = EVENT_UNKNOWN_DEVICE, .rule = RULE_UNKNOWN_DEVICE, .device = POLICY_NONE,
		                      .cite = POLICY_NONE, .device_is_src = true };
	answers = 1;
	for (uint64_t i = 1; i <= 5; i++) {
		struct observation o = flow(OBSERVATION_FLOW_OPEN, i, 77, (uint8_t)i, (uint16_t)(100 + i));
		detector_observe(d, &o);
	}
	CU_ASSERT_EQUAL(count("unknown_device\""), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("policy.unknown_device"), "\"device\":\"10.0.0.77\""));
	CU_ASSERT_PTR_NULL(strstr(first("policy.unknown_device"), "peer_class"));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("policy.unknown_device"), "\"authority\":\"sensor\""));
	detector_free(d);
}

static void another_devices_name_is_judged_for_its_owner(void)
{
	struct detector *d = fresh(true);
	struct observation o = { .head.type = OBSERVATION_DICOM_ASSOCIATE_REQUEST };
	struct endpoint s = at(1, 40000), t = at(2, 104);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &s);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &t);
	observation_uint(&o, OBSERVATION_F_flow, 3);
	observation_text(&o, OBSERVATION_F_calling_ae, span_str("US1"));
	answer[0] = (struct verdict){ .kind = EVENT_SEEN_DIFFERENTLY, .what = EVENT_WHAT_AE_TITLE, .rule = RULE_AE_IMPERSONATION,
		                      .device = 1, .device_is_src = true };
	answers = 1;
	detector_observe(d, &o);
	const char *e = first("ae_title_of_another");
	CU_ASSERT_PTR_NOT_NULL(strstr(e, "\"device\":\"us-1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(e, "\"peer\":\"ct-1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(e, "\"peer_addr\":\"10.0.0.1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(e, "\"calling_ae\":\"US1\""));
	CU_ASSERT_PTR_NULL(strstr(e, "device_addr"));
	detector_free(d);
}

static void without_a_policy_nothing_is_judged(void)
{
	struct detector *d = fresh(false);
	breach(RULE_UNDECLARED_LISTENER, EVENT_UNDECLARED, false);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 4, 2, 1, 22);
	detector_observe(d, &o);
	CU_ASSERT_EQUAL(count("alerts"), 0);
	CU_ASSERT_EQUAL(count("asset.seen"), 2);
	detector_free(d);
}

static void a_host_and_its_service_are_told_once(void)
{
	struct detector *d = fresh(false);
	for (uint64_t i = 1; i <= 4; i++) {
		struct observation o = flow(OBSERVATION_FLOW_OPEN, i, 5, 6, 104);
		detector_observe(d, &o);
		o = flow(OBSERVATION_FLOW_SERVICE, i, 5, 6, 104);
		observation_text(&o, OBSERVATION_F_service, span_str("dicom"));
		detector_observe(d, &o);
	}
	CU_ASSERT_EQUAL(count("asset.seen"), 2);
	CU_ASSERT_EQUAL(count("asset.service"), 1);
	CU_ASSERT_EQUAL(count("asset.client"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.service"), "\"device\":\"10.0.0.6\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.service"), "\"port\":104,\"service\":\"dicom\""));
	detector_free(d);
}

/* A port that is nobody's: what is inside of TLS is what the server speaks in the clear; nothing of a server not known. */
static void inside_of_tls_is_what_the_server_is_known_for(void)
{
	struct detector *d = fresh(false);
	struct observation o = flow(OBSERVATION_FLOW_SERVICE, 1, 2, 1, 11112);
	observation_text(&o, OBSERVATION_F_service, span_str("dicom"));
	detector_observe(d, &o);
	for (uint64_t i = 2; i <= 4; i++) {
		o = (struct observation){ .head.type = OBSERVATION_TLS_HANDSHAKE };
		struct endpoint from = at(2, 40000), to = at(i == 4 ? 9 : 1, 9443);
		observation_uint(&o, OBSERVATION_F_packet, i);
		observation_uint(&o, OBSERVATION_F_ts, i * STEP_NS);
		vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &from);
		vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &to);
		observation_uint(&o, OBSERVATION_F_flow, i);
		detector_observe(d, &o);
	}
	CU_ASSERT_EQUAL(count("dicom-tls"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("dicom-tls"), "\"port\":9443"));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("dicom-tls"), "\"device_addr\":\"10.0.0.1\""));
	detector_free(d);
}

static void an_unanswered_address_is_no_asset(void)
{
	struct detector *d = fresh(false);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 1, 5, 6, 104);
	observation_uint(&o, OBSERVATION_F_answered, 0);
	detector_observe(d, &o);
	CU_ASSERT_EQUAL(count("asset.seen"), 1);
	detector_free(d);
}

static void named(struct detector *d, enum observation_type type, uint64_t number, struct endpoint src, const char *hostname)
{
	struct observation o = { .head.type = (uint16_t)type };
	observation_uint(&o, OBSERVATION_F_packet, number);
	observation_uint(&o, OBSERVATION_F_ts, number * STEP_NS);
	struct endpoint dst = at(255, 67);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &src);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &dst);
	observation_uint(&o, OBSERVATION_F_flow, number);
	observation_text(&o, OBSERVATION_F_operation, span_str(hostname ? "REQUEST" : "ACK"));
	if (hostname)
		observation_text(&o, OBSERVATION_F_hostname, span_str(hostname));
	if (type == OBSERVATION_DHCP_MESSAGE) {
		const struct mac card = { { 2, 0, 0, 0, 0, 9 } };
		struct addr given = at(50, 0).ip;
		observation_uint(&o, OBSERVATION_F_speaker, hostname ? OBSERVATION_CLIENT : OBSERVATION_SERVER);
		vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_mac, &card);
		if (!hostname)
			vocab_set_addr(&observation_vocab, &o.head, OBSERVATION_F_address, &given);
	}
	detector_observe(d, &o);
}

/* Covers: R023 */
static void a_host_is_called_what_it_calls_itself(void)
{
	struct detector *d = fresh(false);
	named(d, OBSERVATION_NAME_CLAIMED, 1, at(7, 5353), "viewer7");
	named(d, OBSERVATION_NAME_CLAIMED, 2, at(7, 5353), "viewer7");
	CU_ASSERT_EQUAL(count("asset.name"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.name"), "\"device\":\"10.0.0.7\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.name"), "\"hostname\":\"viewer7\""));
	detector_free(d);
}

static void a_lease_ties_name_address_and_card(void)
{
	struct detector *d = fresh(false);
	struct endpoint nobody = { .port = 68 };
	named(d, OBSERVATION_DHCP_MESSAGE, 1, nobody, "ct-2");
	CU_ASSERT_EQUAL(count("asset.name"), 0);
	named(d, OBSERVATION_DHCP_MESSAGE, 2, at(1, 67), NULL);
	named(d, OBSERVATION_DHCP_MESSAGE, 3, at(1, 67), NULL);
	CU_ASSERT_EQUAL(count("asset.name"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.name"), "\"device\":\"10.0.0.50\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.name"), "\"device_mac\":\"02:00:00:00:00:09\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("asset.name"), "\"hostname\":\"ct-2\""));
	detector_free(d);
}

/* A message of a server (last octet) or of the card itself, about 10.0.0.50. */
static void dhcp(struct detector *d, uint64_t number, uint8_t from, uint8_t card, const char *what, uint64_t seconds)
{
	struct observation o = { .head.type = OBSERVATION_DHCP_MESSAGE };
	struct endpoint src = at(from, 67), dst = at(255, 68);
	const struct mac mac = { { 2, 0, 0, 0, 0, card } };
	struct addr given = at(50, 0).ip;
	observation_uint(&o, OBSERVATION_F_packet, number);
	observation_uint(&o, OBSERVATION_F_ts, number * STEP_NS);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &src);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &dst);
	observation_uint(&o, OBSERVATION_F_flow, number);
	observation_text(&o, OBSERVATION_F_operation, span_str(what));
	observation_uint(&o, OBSERVATION_F_speaker, strcmp(what, "ACK") ? OBSERVATION_CLIENT : OBSERVATION_SERVER);
	vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_mac, &mac);
	vocab_set_addr(&observation_vocab, &o.head, OBSERVATION_F_address, &given);
	observation_uint(&o, OBSERVATION_F_lease_s, seconds);
	detector_observe(d, &o);
}

/* The card that speaks for 10.0.0.50 in the summary of a flow, as its last octet; 0: none. */
static unsigned card_of(struct detector *d, uint64_t number, uint8_t seen)
{
	struct observation o = flow(OBSERVATION_FLOW_OPEN, number, 50, 60, 104);
	const struct mac mac = { { 2, 0, 0, 0, 0, seen } };
	if (seen)
		vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &mac);
	detector_observe(d, &o);
	n_lines = 0;
	o = flow(OBSERVATION_FLOW_END, number, 50, 60, 104);
	detector_observe(d, &o);
	const char *m = strstr(first("flow.summary"), "\"device_mac\":\"02:00:00:00:00:");
	unsigned card = 0;
	return m && sscanf(m + 30, "%2x", &card) == 1 ? card : 0;
}

static void a_lease_speaks_for_an_address_in_its_time(void)
{
	/* Without a server named, any lease speaks where nothing else does. */
	struct detector *d = fresh(true);
	dhcp(d, 1, 1, 9, "ACK", 1);
	CU_ASSERT_EQUAL(card_of(d, 2, 0), 9);
	CU_ASSERT_EQUAL(card_of(d, 3, 7), 7);
	detector_free(d);
	/* The site's own server's speaks also against a hardware address that may be a router's, until it runs out. */
	plays = POLICY_PLAYS_YES;
	d = fresh(true);
	dhcp(d, 1, 1, 9, "ACK", 1);
	CU_ASSERT_EQUAL(card_of(d, 2, 0), 9);
	CU_ASSERT_EQUAL(card_of(d, 3, 7), 9);
	CU_ASSERT_EQUAL(card_of(d, 1002, 7), 7);
	/* A stranger's does not, and is told; nor does it take the server's away. */
	n_lines = 0;
	dhcp(d, 1003, 2, 8, "ACK", 1);
	CU_ASSERT_EQUAL(count("network.dhcp_server"), 1);
	CU_ASSERT_EQUAL(card_of(d, 1004, 7), 7);
	dhcp(d, 1005, 1, 9, "ACK", 100);
	dhcp(d, 1006, 2, 8, "ACK", 100);
	CU_ASSERT_EQUAL(card_of(d, 1007, 7), 9);
	/* Once the card itself was seen there, another one is another one, and told. */
	CU_ASSERT_EQUAL(card_of(d, 1008, 9), 9);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 1009, 50, 60, 104);
	const struct mac other = { { 2, 0, 0, 0, 0, 7 } };
	vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &other);
	n_lines = 0;
	detector_observe(d, &o);
	CU_ASSERT_EQUAL(count("identity.lease_conflict"), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("identity.lease_conflict"), "used by 02:00:00:00:00:07"));
	CU_ASSERT_EQUAL(card_of(d, 1010, 7), 7);
	/* Given back by its card; not by another. */
	dhcp(d, 1011, 1, 5, "ACK", 100);
	dhcp(d, 1012, 50, 6, "RELEASE", 0);
	CU_ASSERT_EQUAL(card_of(d, 1013, 7), 5);
	dhcp(d, 1014, 50, 5, "RELEASE", 0);
	CU_ASSERT_EQUAL(card_of(d, 1015, 7), 7);
	detector_free(d);
	plays = POLICY_PLAYS_UNSAID;
}

/* A flow of 10.0.0.50 whose frames bear that card (0: none) and VLAN (0: none). */
static struct observation borne(enum observation_type type, uint64_t number, uint8_t card, uint16_t vlan)
{
	struct observation o = flow(type, number, 50, 60, 104);
	const struct mac mac = { { 2, 0, 0, 0, 0, card } };
	if (card)
		vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &mac);
	if (vlan)
		observation_uint(&o, OBSERVATION_F_vlan, vlan);
	return o;
}

/* The same observation in a network whose addresses overlap. */
static struct observation in(struct observation o, const char *space)
{
	observation_text(&o, OBSERVATION_F_space, span_str(space));
	return o;
}

static void the_same_address_elsewhere_is_another_host(void)
{
	char why[256];
	CU_ASSERT_EQUAL(spaces_take(&networks, "vlan:100,vni:5000", why), 0);
	struct detector *d = fresh(true);
	/* 10.0.0.50 of each network is met once, with its own card. */
	static const char *const names[] = { "", "vlan:100", "vni:5000" };
	for (uint64_t i = 0; i < 6; i++) {
		struct observation o = borne(OBSERVATION_FLOW_OPEN, 1 + i, (uint8_t)(1 + i % 3), i % 3 == 1 ? 100 : 0);
		o = i % 3 ? in(o, names[i % 3]) : o;
		detector_observe(d, &o);
		/* Whoever asks the policy asks of this network: an entry has to name the VLAN. */
		CU_ASSERT_EQUAL(asked[0].zone >> 16, i % 3 == 0 ? 0 : i % 3 == 1 ? POLICY_VLAN_ONLY | 100 : POLICY_VLAN_ONLY);
		CU_ASSERT_EQUAL(asked[0].zone >> 8 & 0xff, 1 + i % 3);
	}
	CU_ASSERT_EQUAL(count("asset.seen"), 6);                /* both ends, in three networks */
	CU_ASSERT_EQUAL(count("\"device\":\"10.0.0.50%vlan:100\""), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(first("\"device\":\"10.0.0.50%vlan:100\""), "\"space\":\"vlan:100\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("\"device\":\"10.0.0.50%vni:5000\""), "\"device_mac\":\"02:00:00:00:00:03\""));
	/* A message has no evidence of its own: what the host of its network was met with is lent to it. */
	for (uint64_t i = 0; i < 3; i++) {
		struct observation o = { .head.type = OBSERVATION_HL7_MESSAGE };
		struct endpoint src = at(50, 40000), dst = at(60, 2575);
		observation_uint(&o, OBSERVATION_F_packet, 10 + i);
		observation_uint(&o, OBSERVATION_F_ts, (10 + i) * STEP_NS);
		vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &src);
		vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &dst);
		observation_uint(&o, OBSERVATION_F_flow, 4 + i);
		o = i ? in(o, names[i]) : o;
		detector_observe(d, &o);
		CU_ASSERT_EQUAL(asked[0].zone >> 8 & 0xff, 1 + i);
	}
	detector_free(d);
	/* A lease speaks in its network only. */
	d = fresh(true);
	struct observation o = borne(OBSERVATION_FLOW_OPEN, 20, 0, 0);
	dhcp(d, 19, 1, 9, "ACK", 100);
	detector_observe(d, &o);
	CU_ASSERT_EQUAL(asked[0].zone >> 8 & 0xff, 9);
	o = in(borne(OBSERVATION_FLOW_OPEN, 21, 0, 0), "vlan:100");
	detector_observe(d, &o);
	CU_ASSERT_EQUAL(asked[0].zone >> 8 & 0xff, 0xff);
	detector_free(d);
	networks = (struct spaces){ 0 };
}

/* What policy_who_find() was asked with for the side that opened. */
static uint32_t evidence(uint8_t card, uint16_t vlan) { return 50u | (uint32_t)(card ? card : 0xff) << 8 | (uint32_t)vlan << 16; }

static void who_a_host_is_is_found_again_when_what_it_rests_on_changes(void)
{
	static const uint64_t other = 1;
	struct detector *d = fresh(true);
	observe(d, borne(OBSERVATION_FLOW_OPEN, 1, 7, 3));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(7, 3));
	finds = 0;
	observe(d, borne(OBSERVATION_FLOW_OPEN, 2, 7, 3));
	CU_ASSERT_EQUAL(finds, 0);
	CU_ASSERT_EQUAL(asked[0].zone, evidence(7, 3));
	/* Another card, another VLAN, none of either. */
	observe(d, borne(OBSERVATION_FLOW_OPEN, 3, 8, 3));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(8, 3));
	observe(d, borne(OBSERVATION_FLOW_OPEN, 4, 8, 4));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(8, 4));
	observe(d, borne(OBSERVATION_FLOW_OPEN, 5, 0, 0));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(0, 0));
	/* Another policy: nothing of what the one before said is left. */
	unit_at_1 = NULL;
	finds = 0;
	observe(d, borne(OBSERVATION_FLOW_OPEN, 6, 0, 0));
	CU_ASSERT_EQUAL(finds, 0);
	detector_policy(d, (const struct policy *)(const void *)&other, 4, 2);
	observe(d, borne(OBSERVATION_FLOW_OPEN, 7, 0, 0));
	CU_ASSERT(finds >= 2);
	unit_at_1 = "ct-1";
	/* A lease that speaks for it, and its end. */
	dhcp(d, 8, 1, 9, "ACK", 1);
	observe(d, borne(OBSERVATION_FLOW_OPEN, 9, 0, 0));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(9, 0));
	observe(d, borne(OBSERVATION_FLOW_OPEN, 1009, 0, 0));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(0, 0));
	/* The card turns out to be a router's: it says nothing of who is behind it. */
	observe(d, borne(OBSERVATION_FLOW_OPEN, 1010, 7, 0));
	CU_ASSERT_EQUAL(asked[0].zone, evidence(7, 0));
	for (uint8_t i = 1; i <= 4; i++) {
		struct observation o = borne(OBSERVATION_FLOW_OPEN, 1010u + i, 7, 0);
		o.src.ip.b[14] = i;
		observe(d, o);
	}
	CU_ASSERT_EQUAL(count("identity.router"), 1);
	observe(d, borne(OBSERVATION_FLOW_OPEN, 1020, 7, 0));
	CU_ASSERT_EQUAL(asked[0].zone, 50);     /* zeros */
	detector_free(d);
}

/* Of an address that nobody answered from nothing is known, until somebody does. */
static void an_address_that_was_nobodys_is_somebodys_once_it_answers(void)
{
	struct detector *d = fresh(true);
	for (uint64_t i = 1; i <= 3; i++) {
		struct observation o = flow(OBSERVATION_FLOW_OPEN, i, 5, 60, 104);
		observation_uint(&o, OBSERVATION_F_answered, i == 3);
		observe(d, o);
		CU_ASSERT_EQUAL(count("\"device\":\"10.0.0.60\""), i == 3);
	}
	finds = 0;
	observe(d, flow(OBSERVATION_FLOW_OPEN, 4, 5, 60, 104));
	CU_ASSERT_EQUAL(finds, 0);
	CU_ASSERT_EQUAL(count("asset.seen"), 2);
	detector_free(d);
}

static void a_unit_is_told_by_what_it_is_now(void)
{
	static const uint64_t other = 1;
	struct detector *d = fresh(true);
	observe(d, flow(OBSERVATION_FLOW_OPEN, 1, 1, 2, 104));
	observe(d, flow(OBSERVATION_FLOW_END, 1, 1, 2, 104));
	CU_ASSERT_PTR_NOT_NULL(strstr(first("flow.summary"), "\"device\":\"ct-1\""));
	unit_at_1 = "ct-9";
	detector_policy(d, (const struct policy *)(const void *)&other, 4, 2);
	n_lines = 0;
	observe(d, flow(OBSERVATION_FLOW_END, 1, 1, 2, 104));
	CU_ASSERT_EQUAL(count("\"device\":\"ct-9\""), 1);
	detector_policy(d, NULL, 5, 3);
	n_lines = 0;
	observe(d, flow(OBSERVATION_FLOW_END, 1, 1, 2, 104));
	CU_ASSERT_EQUAL(count("\"device\":\"10.0.0.1\""), 1);
	unit_at_1 = "ct-1";
	detector_free(d);
}

/* What a flow said before is not looked up again; what it says anew is. */
static void what_a_flow_says_anew_is_learned(void)
{
	struct detector *d = fresh(false);
	struct observation o = flow(OBSERVATION_FLOW_SERVICE, 1, 5, 6, 104);
	observation_text(&o, OBSERVATION_F_service, span_str("unknown"));
	observation_uint(&o, OBSERVATION_F_answered, 0);
	observe(d, o);
	CU_ASSERT_EQUAL(count("asset.service"), 0);
	/* The same, but answered; then with a name. */
	o.answered = 1;
	observe(d, o);
	CU_ASSERT_EQUAL(count("asset.service"), 1);
	observation_text(&o, OBSERVATION_F_service, span_str("dicom"));
	observe(d, o);
	observe(d, o);
	CU_ASSERT_EQUAL(count("asset.service"), 2);
	CU_ASSERT_EQUAL(count("asset.client"), 2);
	/* The other end's name, and another name of the same. */
	for (unsigned i = 0; i < 2; i++) {
		named(d, OBSERVATION_NAME_CLAIMED, 1, at(5, 40000), "viewer5");
		named(d, OBSERVATION_NAME_CLAIMED, 1, at(6, 104), "pacs6");
	}
	CU_ASSERT_EQUAL(count("asset.name"), 2);
	named(d, OBSERVATION_NAME_CLAIMED, 1, at(5, 40000), "viewer-five");
	CU_ASSERT_EQUAL(count("asset.name"), 3);
	detector_free(d);
}

/* Two hosts share a place in the table: neither is taken for the other. */
static void a_host_that_made_room_is_not_what_took_its_place(void)
{
	struct detector *d = fresh(true);
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 1; i <= 250; i++) {
			struct observation o = flow(OBSERVATION_FLOW_OPEN, i, (uint8_t)i, 60, 104);
			const struct mac mac = { { 2, 0, 0, 0, 0, (uint8_t)i } };
			vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &mac);
			observe(d, o);
			CU_ASSERT_EQUAL(asked[0].zone, i | i << 8);
			CU_ASSERT_EQUAL(asked[1].zone & 0xff, 60);
			n_lines = 0;
		}
	CU_ASSERT(detector_stats(d)->v[STATS_assets_evicted] > 0);
	detector_free(d);
}

static void a_full_asset_table_evicts_and_says_so(void)
{
	struct detector *d = fresh(false);
	struct stats s = { 0 };
	for (uint64_t i = 1; i <= 2000; i++) {
		struct observation o = flow(OBSERVATION_FLOW_OPEN, i, 5, 6, 104);
		o.src.ip.b[14] = (uint8_t)(i >> 8), o.src.ip.b[15] = (uint8_t)i;
		detector_observe(d, &o);
		n_lines = 0;
	}
	CU_ASSERT(detector_stats(d)->v[STATS_assets_evicted] > 1000);
	detector_finish(d, &s, 3000 * STEP_NS);
	CU_ASSERT_EQUAL(count("\"counter\":\"assets_evicted\""), 1);
	detector_free(d);
}

static void says_every_loss_counter_that_is_not_zero(void)
{
	struct detector *d = fresh(false);
	struct stats s = { .v = { [STATS_packets] = 9, [STATS_stream_gap_bytes] = 4, [STATS_kernel_drops] = 2 } };
	detector_finish(d, &s, 5);
	CU_ASSERT_EQUAL(count("sensor.counter"), 2);
	CU_ASSERT_EQUAL(count("\"counter\":\"stream_gap_bytes\",\"value\":4"), 1);
	CU_ASSERT_EQUAL(count("\"counter\":\"kernel_drops\",\"value\":2"), 1);
	detector_free(d);
}

static void losses_are_told_by_host(void)
{
	struct detector *d = fresh(false);
	struct stats s = { 0 };
	struct observation o = flow(OBSERVATION_FLOW_END, 1, 1, 2, 104);
	observation_uint(&o, OBSERVATION_F_answered, true);
	observation_uint(&o, OBSERVATION_F_packets_in, 3);
	observation_uint(&o, OBSERVATION_F_packets_out, 3);
	observation_uint(&o, OBSERVATION_F_gap_bytes, 300);
	observation_uint(&o, OBSERVATION_F_end, OBSERVATION_END_EVICTED);
	observation_uint(&o, OBSERVATION_F_unread, true);
	detector_observe(d, &o);
	detector_finish(d, &s, 9);
	CU_ASSERT_EQUAL(count("sensor.loss"), 6);
	CU_ASSERT_EQUAL(count("\"counter\":\"gap_bytes\",\"value\":300"), 2);
	CU_ASSERT_EQUAL(count("\"counter\":\"flows_evicted\",\"value\":1"), 2);
	CU_ASSERT_EQUAL(count("\"counter\":\"flows_unread\",\"value\":1"), 2);
	detector_free(d);
}

static void a_flow_summary_tells_the_worst_verdict(void)
{
	struct detector *d = fresh(true);
	breach(RULE_FLOW_DECLARED, EVENT_DECLARED, false);
	struct observation o = flow(OBSERVATION_FLOW_OPEN, 4, 2, 1, 22);
	detector_observe(d, &o);
	breach(RULE_DISABLED_USED, EVENT_DISABLED_BUT_USED, false);
	o = flow(OBSERVATION_FLOW_SERVICE, 4, 2, 1, 22);
	detector_observe(d, &o);
	breach(RULE_CANNOT_SAY, EVENT_CANNOT_SAY, false);
	detector_observe(d, &o);
	o = flow(OBSERVATION_FLOW_END, 4, 2, 1, 22);
	observation_uint(&o, OBSERVATION_F_packets_out, 3);
	detector_observe(d, &o);
	const char *e = first("flow.summary");
	CU_ASSERT_PTR_NOT_NULL(strstr(e, "\"verdict\":\"disabled_but_used\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(e, "\"device\":\"ct-1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(e, "\"packets_out\":3"));
	detector_free(d);
}

/* Covers: R024 */
static void a_file_that_is_a_program_is_an_event(void)
{
	struct detector *d = fresh(true);
	struct observation o = { .head.type = OBSERVATION_DICOM_PREAMBLE };
	struct endpoint s = at(3, 40000), to = at(1, 80);
	observation_uint(&o, OBSERVATION_F_packet, 5);
	observation_uint(&o, OBSERVATION_F_ts, 5 * STEP_NS);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &s);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &to);
	observation_uint(&o, OBSERVATION_F_flow, 5);
	observation_uint(&o, OBSERVATION_F_preamble, OBSERVATION_PREAMBLE_ELF);
	detector_observe(d, &o);
	detector_observe(d, &o);
	CU_ASSERT_EQUAL(n_lines, 1);
	const char *e = first("content.dicom_preamble");
	CU_ASSERT(strstr(e, "\"type\":\"anomalous_traffic\"") && strstr(e, "\"severity\":\"high\""));
	CU_ASSERT(strstr(e, "\"device\":\"10.0.0.3\"") && strstr(e, "\"peer\":\"ct-1\"") && strstr(e, "\"port\":80"));
	CU_ASSERT(strstr(e, "\"document\":\"DICOM PS3.10\"") && strstr(e, "CVE-2019-11687") && strstr(e, "\"seen\":\"elf\""));
	detector_free(d);
}

/* One event per device and service, whoever speaks with it, and a count of the rest; what was only offered is none. */
/* Covers: R021 */
static void a_password_in_clear_text_is_one_event_for_its_service(void)
{
	struct detector *d = fresh(true);
	for (uint8_t i = 0; i < 4; i++) {
		struct observation o = { .head.type = OBSERVATION_TELNET_SESSION };
		struct endpoint s = at((uint8_t)(3 + i), 40000), to = at(1, 23);
		observation_uint(&o, OBSERVATION_F_packet, 5);
		observation_uint(&o, OBSERVATION_F_ts, 5 * STEP_NS);
		vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, i ? &s : &to);
		vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, i ? &to : &s);
		observation_uint(&o, OBSERVATION_F_flow, 5u + i);
		observation_uint(&o, OBSERVATION_F_speaker, i ? OBSERVATION_CLIENT : OBSERVATION_SERVER);
		observation_uint(&o, OBSERVATION_F_security, OBSERVATION_CLEAR_TEXT);
		observation_uint(&o, OBSERVATION_F_login, i ? OBSERVATION_LOGIN_ATTEMPTED : OBSERVATION_LOGIN_OFFERED);
		detector_observe(d, &o);
		CU_ASSERT_EQUAL(n_lines, i ? 1 : 0);
	}
	const char *e = first("exposure.clear_text_login");
	CU_ASSERT(strstr(e, "\"device\":\"ct-1\"") && strstr(e, "\"peer_addr\":\"10.0.0.4\"") && strstr(e, "\"port\":23"));
	CU_ASSERT(strstr(e, "\"document\":\"RFC 854\"") && !strstr(e, "peer_class"));
	struct stats none = { { 0 } };
	detector_finish(d, &none, 6 * STEP_NS);
	CU_ASSERT_EQUAL(n_lines, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(lines[1], "\"count\":2"));
	detector_free(d);
}

/* A repeat of the longest event must be countable: its template has to fit the table's place for it. */
static void the_longest_event_fits_its_place(void)
{
	static uint8_t filler[256], out[4096];
	memset(filler, 'A', sizeof(filler));
	size_t longest = 0;
	for (size_t t = 0; t < event_vocab.n_types; t++) {
		struct event e = { .head.type = (uint16_t)t };
		const struct vocab_type *type = &event_vocab.types[t];
		for (size_t i = 0; i < type->n_fields; i++) {
			const struct vocab_field *f = &event_vocab.fields[type->fields[i]];
			struct addr a = at(1, 1).ip;
			struct mac m = { { 1 } };
			if (f->kind == VOCAB_TEXT) {
				memset(filler, f->grammar == VOCAB_G_UID ? '1' : 'A', sizeof(filler));
				CU_ASSERT(vocab_set_text(&event_vocab, &e.head, type->fields[i], (struct span){ filler, f->max }));
			} else if (f->kind == VOCAB_ADDR)
				vocab_set_addr(&event_vocab, &e.head, type->fields[i], &a);
			else if (f->kind == VOCAB_MAC)
				vocab_set_mac(&event_vocab, &e.head, type->fields[i], &m);
			else
				vocab_set_uint(&event_vocab, &e.head, type->fields[i],
				               f->kind == VOCAB_WORD || f->kind == VOCAB_BOOL ? 1 : UINT64_MAX);
		}
		struct buf b = buf_over(out, sizeof(out));
		CU_ASSERT_EQUAL(vocab_encode(&event_vocab, &e.head, &b), 0);
		longest = b.len > longest ? b.len : longest;
	}
	CU_ASSERT(longest <= DETECTOR_TEMPLATE_MAX);
	CU_ASSERT(longest > 512);
}

int main(void)
{
	static const struct { const char *name; void (*run)(void); } cases[] = {
#define CASE(f) { #f, f }
		CASE(numbers_each_lane_from_one_without_holes),
		CASE(says_a_breach_with_its_authority_and_both_ends),
		CASE(folds_repeats_and_tells_their_count_at_the_end),
		CASE(repeats_with_other_hosts_are_not_the_first_ones),
		CASE(a_new_policy_begins_anew_and_mixes_nothing),
		CASE(an_accepted_finding_is_told_without_weight),
		CASE(tells_repeats_when_their_time_has_come),
		CASE(one_breach_per_flow_and_end),
		CASE(a_scan_is_one_alert_and_a_count),
		CASE(a_scanners_answered_connection_is_an_alert_of_its_own),
		CASE(what_goes_on_without_an_answer_is_said_though_its_source_scans),
		CASE(what_waited_for_nothing_is_said),
		CASE(what_carries_more_than_a_probe_is_said_though_its_source_scans),
		CASE(what_carried_much_in_the_end_is_said_by_itself),
		CASE(what_goes_to_one_host_bit_by_bit_is_said_though_its_source_scans),
		CASE(what_goes_on_for_long_is_said_by_itself),
		CASE(what_is_tried_again_and_again_is_said_though_its_source_scans),
		CASE(another_cards_scan_does_not_speak_for_a_host),
		CASE(what_the_site_forbids_is_said_of_a_scanner_once),
		CASE(a_scanner_keeps_its_other_alerts),
		CASE(cannot_say_does_not_hide_a_later_breach),
		CASE(an_unknown_host_is_one_event_whatever_it_talks_to),
		CASE(another_devices_name_is_judged_for_its_owner),
		CASE(without_a_policy_nothing_is_judged),
		CASE(a_host_and_its_service_are_told_once),
		CASE(inside_of_tls_is_what_the_server_is_known_for),
		CASE(an_unanswered_address_is_no_asset),
		CASE(a_host_is_called_what_it_calls_itself),
		CASE(a_lease_ties_name_address_and_card),
		CASE(a_lease_speaks_for_an_address_in_its_time),
		CASE(the_same_address_elsewhere_is_another_host),
		CASE(who_a_host_is_is_found_again_when_what_it_rests_on_changes),
		CASE(an_address_that_was_nobodys_is_somebodys_once_it_answers),
		CASE(a_unit_is_told_by_what_it_is_now),
		CASE(what_a_flow_says_anew_is_learned),
		CASE(a_host_that_made_room_is_not_what_took_its_place),
		CASE(a_full_asset_table_evicts_and_says_so),
		CASE(says_every_loss_counter_that_is_not_zero),
		CASE(losses_are_told_by_host),
		CASE(a_flow_summary_tells_the_worst_verdict),
		CASE(a_file_that_is_a_program_is_an_event),
		CASE(a_password_in_clear_text_is_one_event_for_its_service),
		CASE(the_longest_event_fits_its_place),
	};
	CU_initialize_registry();
	CU_pSuite suite = CU_add_suite("detector", NULL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!suite || !CU_add_test(suite, cases[i].name, cases[i].run))
			return 1;
	CU_basic_run_tests();
	unsigned failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
