/* What a scan explains, and what is said although its source scans. */
#include "sensor/detector_rig.h"

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

int main(void)
{
	CU_pSuite s = test_begin("detector_scan");
	CU_ADD_TEST(s, a_scan_is_one_alert_and_a_count);
	CU_ADD_TEST(s, a_scanners_answered_connection_is_an_alert_of_its_own);
	CU_ADD_TEST(s, what_goes_on_without_an_answer_is_said_though_its_source_scans);
	CU_ADD_TEST(s, what_carries_more_than_a_probe_is_said_though_its_source_scans);
	CU_ADD_TEST(s, what_carried_much_in_the_end_is_said_by_itself);
	CU_ADD_TEST(s, what_goes_to_one_host_bit_by_bit_is_said_though_its_source_scans);
	CU_ADD_TEST(s, what_goes_on_for_long_is_said_by_itself);
	CU_ADD_TEST(s, what_is_tried_again_and_again_is_said_though_its_source_scans);
	CU_ADD_TEST(s, another_cards_scan_does_not_speak_for_a_host);
	CU_ADD_TEST(s, what_waited_for_nothing_is_said);
	CU_ADD_TEST(s, what_the_site_forbids_is_said_of_a_scanner_once);
	CU_ADD_TEST(s, a_scanner_keeps_its_other_alerts);
	return test_end();
}
