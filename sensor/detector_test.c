/* Covers: R033 R056 R066 R069 */
/* What is said of breaches, flows, services and losses, how repeats fold, and what an event holds. */
#include "sensor/detector_rig.h"

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
	CU_pSuite s = test_begin("detector");
	CU_ADD_TEST(s, numbers_each_lane_from_one_without_holes);
	CU_ADD_TEST(s, says_a_breach_with_its_authority_and_both_ends);
	CU_ADD_TEST(s, folds_repeats_and_tells_their_count_at_the_end);
	CU_ADD_TEST(s, repeats_with_other_hosts_are_not_the_first_ones);
	CU_ADD_TEST(s, a_new_policy_begins_anew_and_mixes_nothing);
	CU_ADD_TEST(s, an_accepted_finding_is_told_without_weight);
	CU_ADD_TEST(s, tells_repeats_when_their_time_has_come);
	CU_ADD_TEST(s, one_breach_per_flow_and_end);
	CU_ADD_TEST(s, cannot_say_does_not_hide_a_later_breach);
	CU_ADD_TEST(s, an_unknown_host_is_one_event_whatever_it_talks_to);
	CU_ADD_TEST(s, another_devices_name_is_judged_for_its_owner);
	CU_ADD_TEST(s, without_a_policy_nothing_is_judged);
	CU_ADD_TEST(s, a_host_and_its_service_are_told_once);
	CU_ADD_TEST(s, inside_of_tls_is_what_the_server_is_known_for);
	CU_ADD_TEST(s, says_every_loss_counter_that_is_not_zero);
	CU_ADD_TEST(s, losses_are_told_by_host);
	CU_ADD_TEST(s, a_flow_summary_tells_the_worst_verdict);
	CU_ADD_TEST(s, a_file_that_is_a_program_is_an_event);
	CU_ADD_TEST(s, a_password_in_clear_text_is_one_event_for_its_service);
	CU_ADD_TEST(s, the_longest_event_fits_its_place);
	return test_end();
}
