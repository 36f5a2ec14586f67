/* What the policy says of what was seen. The directory under test is rules/profiles/example-hospital. */
/* Covers: R013 R016 R052 R056 R057 R058 R061 R066 R068 R069 R085 */
#include <CUnit/Basic.h>
#include <time.h>

#include "core/err.h"
#include "rules/policy_fixture.h"
#include "rules/policy_table.h"
#include "rules/rule.h"

static struct policy *hospital;

static int setup(void)
{
	static struct conf_report rep;
	int r = policy_compile_dir("rules/profiles/example-hospital", &hospital, &rep);
	policy_fixture_print(&rep);
	return r;
}

static int teardown(void)
{
	free(hospital);
	hospital = NULL;
	return 0;
}

/* ---- making observations ---- */

static struct endpoint at(const char *text)
{
	struct endpoint e = { 0 };
	if (addr_parse_endpoint(span_str(text), &e))
		abort();
	return e;
}

static struct observation flow(const char *src, const char *dst)
{
	struct observation o = { .head.type = OBSERVATION_FLOW_OPEN };
	struct endpoint s = at(src), d = at(dst);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &s);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &d);
	observation_uint(&o, OBSERVATION_F_transport, OBSERVATION_TCP);
	observation_uint(&o, OBSERVATION_F_initiator_by, OBSERVATION_BY_HANDSHAKE);
	observation_uint(&o, OBSERVATION_F_answered, 1);
	return o;
}

static struct observation service(const char *src, const char *dst, const char *name)
{
	struct observation o = flow(src, dst);
	o.head.type = OBSERVATION_FLOW_SERVICE;
	(void)observation_text(&o, OBSERVATION_F_service, span_str(name));
	return o;
}

static struct observation udp(const char *src, const char *dst)
{
	struct observation o = flow(src, dst);
	observation_uint(&o, OBSERVATION_F_transport, OBSERVATION_UDP);
	observation_uint(&o, OBSERVATION_F_initiator_by, OBSERVATION_BY_FIRST_PACKET);
	return o;
}

static struct observation request(const char *src, const char *dst, const char *calling)
{
	struct observation o = { .head.type = OBSERVATION_DICOM_ASSOCIATE_REQUEST };
	struct endpoint s = at(src), d = at(dst);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &s);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &d);
	(void)observation_text(&o, OBSERVATION_F_calling_ae, span_str(calling));
	return o;
}

static struct span device_id(const struct policy *p, uint32_t device)
{
	struct policy_device d;
	policy_device(p, device, &d);
	return d.id;
}

static bool is(struct span s, const char *text) { return span_eq(s, span_str(text)); }

/* The verdict of one end as "device verdict what rule severity cite-row"; "-" for none. */
static const char *say(const struct policy *p, const struct observation *o, bool src)
{
	static char out[512];
	struct verdict v[POLICY_MAX_VERDICTS];
	unsigned n = policy_check(p, o, v);
	(void)snprintf(out, sizeof(out), "-");
	for (unsigned i = 0; i < n; i++) {
		if (v[i].device_is_src != src)
			continue;
		struct policy_cite c;
		struct span id = device_id(p, v[i].device);
		policy_cite(p, v[i].cite, &c);
		(void)snprintf(out, sizeof(out), "%.*s %s %s %s %s [%.*s %.*s|%.*s]", id.n ? (int)id.n : 1,
		               id.n ? (const char *)id.p : "?",
		               vocab_word(&event_vocab, EVENT_F_verdict, v[i].kind),
		               vocab_word(&event_vocab, EVENT_F_what, v[i].what), rule_get((enum rule_id)v[i].rule)->id,
		               vocab_word(&event_vocab, EVENT_F_severity, v[i].severity), (int)c.document.n,
		               (const char *)c.document.p, (int)c.revision.n, (const char *)c.revision.p, (int)c.row.n,
		               (const char *)c.row.p);
	}
	return out;
}

#define SAYS(o, src, expected)                                                                         \
	do {                                                                                           \
		struct observation o_ = (o);                                                           \
		const char *got_ = say(hospital, &o_, (src));                                          \
		if (strcmp(got_, (expected)))                                                          \
			fprintf(stderr, "\nline %d:\n  got      %s\n  expected %s\n", __LINE__, got_, (expected)); \
		CU_ASSERT_STRING_EQUAL(got_, (expected));                                              \
	} while (0)

/* ---- flows ---- */

static void declared_flow_is_declared_at_both_ends(void)
{
	struct observation o = flow("10.20.3.41:40000", "10.1.0.10:104");
	SAYS(o, true, "er400-or3 declared none policy.declared info [IFU-ER400 3|X-1]");
	SAYS(o, false, "pacs-01 declared none policy.declared info [DCS-A5 7|4.2]");
}

static void override_moves_the_port_and_is_cited_from_the_inventory(void)
{
	SAYS(flow("10.20.1.10:40000", "10.1.0.10:11112"), true,
	     "ct-01 declared none policy.declared info [inventory.yaml 2026-11-02|ct-01 store]");
	/* the port of the document is not the unit's any more: only the worklist row with another peer has it */
	SAYS(flow("10.20.1.10:40000", "10.1.0.10:104"), true,
	     "ct-01 undeclared peer policy.undeclared_peer high [IFU CT-64 appendix P 6|P-2]");
}

static void peer_outside_its_roles(void)
{
	SAYS(flow("10.20.3.41:40000", "10.1.0.77:104"), true,
	     "er400-or3 undeclared peer policy.undeclared_peer high [IFU-ER400 3|X-1]");
	/* the peer is in no file either */
	SAYS(flow("10.20.3.41:40000", "10.1.0.77:104"), false,
	     "? unknown_device none policy.unknown_device medium [inventory.yaml 2026-11-02|all]");
	/* of a list that is not complete: us-20 */
	SAYS(flow("10.20.2.10:40000", "10.1.0.30:104"), true,
	     "us-01 undeclared peer policy.undeclared_peer high [US-20 network guide 2.1|3.1]");
}

static void optional_row_that_was_not_enabled(void)
{
	SAYS(flow("10.20.3.42:40000", "10.1.0.11:104"), true,
	     "er400-or4 disabled_but_used none policy.disabled_but_used low [IFU-ER400 3|X-2]");
	SAYS(flow("192.0.2.2:40000", "10.20.1.10:3389"), false,
	     "ct-01 disabled_but_used none policy.disabled_but_used medium [IFU CT-64 appendix P 6|P-4]");
	/* mpps is enabled in the inventory */
	SAYS(flow("10.20.1.10:40000", "10.1.0.11:105"), true,
	     "ct-01 declared none policy.declared info [IFU CT-64 appendix P 6|P-3]");
}

static void undeclared_listener_only_when_it_answers(void)
{
	struct observation o = flow("10.9.0.2:40000", "10.20.1.10:8080");
	SAYS(o, false, "ct-01 undeclared listener policy.undeclared_listener high [MDS2-CT64 4|SAHD-8]");
	observation_uint(&o, OBSERVATION_F_answered, 0);
	SAYS(o, false, "-");
	/* a knock on a declared port by somebody else is not the device's doing either */
	o = flow("10.30.9.9:40000", "10.20.1.10:8443");
	observation_uint(&o, OBSERVATION_F_answered, 0);
	SAYS(o, false, "-");
	/* where the list is partial, the inventory is what can be cited */
	SAYS(flow("10.9.0.2:40000", "10.20.2.10:8080"), false,
	     "us-01 undeclared listener policy.undeclared_listener medium [inventory.csv |us-01]");
	/* and where it is unknown, it is only reported */
	SAYS(flow("10.9.0.2:40000", "10.1.0.10:8080"), false,
	     "pacs-01 undeclared listener policy.undeclared_listener info [inventory.yaml 2026-11-02|pacs-01]");
}

static void undeclared_traffic_by_completeness(void)
{
	SAYS(flow("10.20.1.10:40000", "10.1.0.4:445"), true,
	     "ct-01 undeclared none policy.undeclared_traffic medium [IFU CT-64 appendix P 6|port_list]");
	SAYS(flow("10.20.2.10:40000", "10.1.0.4:445"), true,
	     "us-01 undeclared none policy.undeclared_traffic low [inventory.csv |us-01]");
}

static void internet_from_a_local_only_device(void)
{
	SAYS(flow("10.20.1.10:40000", "203.0.113.5:443"), true,
	     "ct-01 undeclared internet policy.internet critical [MDS2-CT64 4|CONN-4]");
	/* the declared port does not make it better */
	SAYS(flow("10.20.1.10:40000", "203.0.113.5:104"), true,
	     "ct-01 undeclared internet policy.internet critical [MDS2-CT64 4|CONN-4]");
	/* the other end is nobody's */
	SAYS(flow("10.20.1.10:40000", "203.0.113.5:443"), false, "-");
	/* the maker's VPN has a role: not the internet, but not declared either */
	SAYS(flow("10.20.1.10:40000", "192.0.2.2:443"), true,
	     "ct-01 undeclared none policy.undeclared_traffic medium [IFU CT-64 appendix P 6|port_list]");
	/* us-20 says nothing of the internet; its update host is given by name, which cannot be followed */
	SAYS(flow("10.20.2.10:40000", "203.0.113.5:443"), true,
	     "us-01 cannot_say peer policy.cannot_say info [US-20 network guide 2.1|4.1]");
}

static void zone_rule_speaks_where_documents_are_silent(void)
{
	/* mon-501 stands in zone wards (internet: no), but its maker says so too and is cited */
	SAYS(flow("10.30.5.1:40000", "203.0.113.5:443"), true,
	     "mon-501 undeclared internet policy.internet critical [MDS2-M9 2|CONN-4]");
	/* a host of the zone without an entry */
	SAYS(flow("10.30.5.99:40000", "203.0.113.5:443"), true,
	     "? forbidden internet policy.forbidden high [site.yaml 2026-11-01|zones.wards]");
}

static void site_forbids(void)
{
	SAYS(flow("10.99.0.5:40000", "10.20.1.10:8443"), false,
	     "ct-01 forbidden none policy.forbidden high [site.yaml 2026-11-01|SEC-4]");
	SAYS(flow("10.20.1.10:40000", "203.0.113.5:3389"), true,
	     "ct-01 forbidden none policy.forbidden high [site.yaml 2026-11-01|SEC-7]");
	/* neither end is a unit */
	SAYS(flow("10.30.9.9:40000", "203.0.113.5:23"), true,
	     "? forbidden none policy.forbidden high [site.yaml 2026-11-01|SEC-7]");
	SAYS(flow("10.99.0.5:40000", "10.1.0.10:443"), false,
	     "pacs-01 declared none policy.declared info [DCS-A5 7|9.1]");
}

static void wrong_side_opens(void)
{
	/* the recorder stores to the PACS; here the PACS opens to the recorder */
	SAYS(flow("10.1.0.10:40000", "10.20.3.41:104"), false,
	     "er400-or3 seen_differently initiator policy.wrong_initiator high [IFU-ER400 3|X-1]");
	/* the console is called by the workstation; here the CT calls */
	SAYS(flow("10.20.1.10:40000", "10.9.0.2:8443"), true,
	     "ct-01 seen_differently initiator policy.wrong_initiator high [IFU CT-64 appendix P 6|P-5]");
	/* with another peer it is no reversal but another service */
	SAYS(flow("10.1.0.20:40000", "10.20.3.41:104"), false,
	     "er400-or3 undeclared listener policy.undeclared_listener high [MDS2-ER400 1|SAHD-8]");
}

static void unsure_who_opened(void)
{
	/* capture began mid-stream; the first packet came from the PACS */
	struct observation o = flow("10.1.0.10:104", "10.20.3.41:40000");
	observation_uint(&o, OBSERVATION_F_midstream, 1);
	observation_uint(&o, OBSERVATION_F_initiator_by, OBSERVATION_BY_FIRST_PACKET);
	SAYS(o, false, "er400-or3 cannot_say midstream policy.cannot_say info [IFU-ER400 3|X-1]");
	/* guessed right */
	o = flow("10.20.3.41:40000", "10.1.0.10:104");
	observation_uint(&o, OBSERVATION_F_midstream, 1);
	observation_uint(&o, OBSERVATION_F_initiator_by, OBSERVATION_BY_PORT);
	SAYS(o, true, "er400-or3 declared none policy.declared info [IFU-ER400 3|X-1]");
	/* a reversal that may be the guess's */
	o = flow("10.1.0.10:40000", "10.20.3.41:104");
	observation_uint(&o, OBSERVATION_F_midstream, 1);
	observation_uint(&o, OBSERVATION_F_initiator_by, OBSERVATION_BY_PORT);
	SAYS(o, false, "er400-or3 cannot_say midstream policy.cannot_say info [IFU-ER400 3|X-1]");
	/* neither reading is declared: said, with little confidence */
	o = flow("10.20.3.41:40000", "10.1.0.4:445");
	observation_uint(&o, OBSERVATION_F_midstream, 1);
	observation_uint(&o, OBSERVATION_F_initiator_by, OBSERVATION_BY_PORT);
	struct verdict v[POLICY_MAX_VERDICTS];
	CU_ASSERT_EQUAL_FATAL(policy_check(hospital, &o, v), 1);
	CU_ASSERT_EQUAL(v[0].rule, RULE_UNDECLARED_TRAFFIC);
	CU_ASSERT_EQUAL(v[0].confidence, EVENT_CONFIDENCE_LOW);
	/* UDP has no handshake: the server's answer seen first */
	SAYS(udp("10.1.0.4:123", "10.20.3.41:123"), false,
	     "er400-or3 cannot_say midstream policy.cannot_say info [IFU-ER400 3|X-4]");
	SAYS(udp("10.20.3.41:123", "10.1.0.4:123"), true,
	     "er400-or3 declared none policy.declared info [IFU-ER400 3|X-4]");
}

static void services_by_content(void)
{
	SAYS(service("10.20.3.41:40000", "10.1.0.10:104", "dicom"), true,
	     "er400-or3 declared none policy.declared info [IFU-ER400 3|X-1]");
	SAYS(service("10.20.3.41:40000", "10.1.0.10:104", "hl7"), true,
	     "er400-or3 seen_differently protocol policy.different_protocol high [IFU-ER400 3|X-1]");
	SAYS(service("10.20.3.41:40000", "10.1.0.10:104", "unknown"), true,
	     "er400-or3 seen_differently protocol policy.different_protocol high [IFU-ER400 3|X-1]");
	/* more protected than declared: said, but nobody is woken */
	SAYS(service("10.20.3.41:40000", "10.1.0.10:104", "tls"), true,
	     "er400-or3 seen_differently protocol policy.different_protocol low [IFU-ER400 3|X-1]");
	/* the maker's own protocol may be anything */
	SAYS(service("10.1.0.30:40000", "10.30.5.1:7003", "unknown"), false,
	     "mon-501 declared none policy.declared info [IFU-M9 B|N-2]");
	/* probes gave up because the beginning is missing: that is no other protocol */
	struct observation o = service("10.20.3.41:40000", "10.1.0.10:104", "unknown");
	observation_uint(&o, OBSERVATION_F_midstream, 1);
	SAYS(o, true, "er400-or3 cannot_say midstream policy.cannot_say info [IFU-ER400 3|X-1]");
	o = service("10.20.3.41:40000", "10.1.0.10:104", "unknown");
	observation_uint(&o, OBSERVATION_F_one_sided, 1);
	SAYS(o, true, "er400-or3 cannot_say one_sided policy.cannot_say info [IFU-ER400 3|X-1]");
}

static void clear_text_where_tls_is_declared(void)
{
	SAYS(service("10.9.0.2:40000", "10.20.3.41:3333", "http"), false,
	     "er400-or3 seen_differently clear_text policy.clear_text high [IFU-ER400 3|X-3]");
	SAYS(service("10.9.0.2:40000", "10.20.3.41:3334", "tls"), false,
	     "er400-or3 declared none policy.declared info [IFU-ER400 3|X-3]");
	SAYS(service("10.30.5.1:40000", "10.1.0.20:2575", "hl7"), true,
	     "mon-501 seen_differently clear_text policy.clear_text high [IFU-M9 B|N-1]");
	SAYS(service("10.30.5.1:40000", "10.1.0.20:2575", "unknown"), true,
	     "mon-501 seen_differently clear_text policy.clear_text high [IFU-M9 B|N-1]");
	SAYS(service("10.30.5.1:40000", "10.1.0.20:2575", "ssh"), true,
	     "mon-501 seen_differently protocol policy.different_protocol high [IFU-M9 B|N-1]");
	/* flow.open does not know yet what will be spoken */
	SAYS(flow("10.30.5.1:40000", "10.1.0.20:2575"), true,
	     "mon-501 declared none policy.declared info [IFU-M9 B|N-1]");
	/* encryption optional: both are as declared, if only it were enabled */
	SAYS(service("192.0.2.2:40000", "10.20.1.10:3389", "tls"), false,
	     "ct-01 disabled_but_used none policy.disabled_but_used medium [IFU CT-64 appendix P 6|P-4]");
}

static void ranges_and_prefix_peers(void)
{
	SAYS(flow("10.9.0.15:40000", "10.20.3.41:3334"), false,
	     "er400-or3 declared none policy.declared info [IFU-ER400 3|X-3]");
	SAYS(flow("10.9.0.16:40000", "10.20.3.41:3334"), false,
	     "er400-or3 undeclared peer policy.undeclared_peer high [IFU-ER400 3|X-3]");
	SAYS(flow("10.9.0.15:40000", "10.20.3.41:3335"), false,
	     "er400-or3 undeclared listener policy.undeclared_listener high [MDS2-ER400 1|SAHD-8]");
	SAYS(flow("10.20.9.7:40000", "10.20.1.10:8444"), false,
	     "ct-01 declared none policy.declared info [IFU CT-64 appendix P 6|P-5]");
}

static void built_in_rows(void)
{
	SAYS(udp("10.30.5.1:40000", "10.1.0.5:53"), true,
	     "mon-501 declared none policy.declared info [IFU-M9 B|infrastructure]");
	SAYS(flow("10.30.5.1:40000", "10.1.0.5:53"), true,
	     "mon-501 declared none policy.declared info [IFU-M9 B|infrastructure]");
	SAYS(udp("10.30.5.1:40000", "10.1.0.4:53"), true,
	     "mon-501 undeclared peer policy.undeclared_peer high [IFU-M9 B|infrastructure]");
	SAYS(udp("10.20.3.41:68", "255.255.255.255:67"), true,
	     "er400-or3 declared none policy.declared info [IFU-ER400 3|infrastructure]");
	SAYS(udp("10.20.1.10:123", "10.1.0.4:123"), true,
	     "ct-01 declared none policy.declared info [IFU CT-64 appendix P 6|infrastructure]");
}

static void icmp_is_not_what_port_lists_are_about(void)
{
	struct observation o = flow("10.20.1.10:0", "10.1.0.10:0");
	observation_uint(&o, OBSERVATION_F_transport, OBSERVATION_ICMP);
	observation_uint(&o, OBSERVATION_F_initiator_by, OBSERVATION_BY_FIRST_PACKET);
	SAYS(o, true, "-");
	SAYS(o, false, "-");
	o = flow("10.20.1.10:0", "203.0.113.5:0");
	observation_uint(&o, OBSERVATION_F_transport, OBSERVATION_ICMP);
	SAYS(o, true, "ct-01 undeclared internet policy.internet critical [MDS2-CT64 4|CONN-4]");
}

static void units_without_a_type_are_not_judged(void)
{
	struct observation o = flow("10.40.0.9:40000", "10.40.0.10:9100");
	struct mac mac = { { 0, 0, 0x5e, 0, 0x53, 0x77 } };
	vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &mac);
	SAYS(o, true, "-");
	/* but whoever talks with one should stand in a file */
	SAYS(o, false, "? unknown_device none policy.unknown_device medium [inventory.yaml 2026-11-02|all]");
}

static void unknown_hosts(void)
{
	SAYS(flow("10.30.9.9:40000", "10.20.1.10:8443"), true,
	     "? unknown_device none policy.unknown_device medium [inventory.yaml 2026-11-02|all]");
	/* hosts with a role are known */
	SAYS(flow("10.9.0.2:40000", "10.20.1.10:8443"), true, "-");
	SAYS(flow("10.9.0.33:40000", "10.20.1.10:8443"), true, "-");
	/* two hosts of no interest to us */
	SAYS(flow("10.30.9.9:40000", "10.30.9.10:80"), true, "-");
	/* from outside: not a host of the hospital's */
	SAYS(flow("203.0.113.5:40000", "10.20.1.10:8443"), true, "-");
	/* nobody lives at a group address, nor at 0.0.0.0 */
	SAYS(udp("10.20.1.10:5353", "224.0.0.251:5353"), false, "-");
	struct observation o = udp("0.0.0.0:68", "10.20.1.10:68");
	SAYS(o, true, "-");
}

static void report_mode_caps_the_severity(void)
{
	SAYS(flow("10.20.3.42:40000", "203.0.113.5:443"), true,
	     "er400-or4 undeclared internet policy.internet low [MDS2-ER400 1|CONN-4]");
}

/* ---- AE titles, HL7 ---- */

static void ae_titles(void)
{
	SAYS(request("10.20.3.41:40000", "10.1.0.10:104", "ER400_OR3"), true, "-");
	/* spaces around a title do not count (PS3.5 6.2) */
	SAYS(request("10.20.3.41:40000", "10.1.0.10:104", "  ER400_OR3 "), true, "-");
	SAYS(request("10.20.3.41:40000", "10.1.0.10:104", "NOBODY"), false,
	     "pacs-01 undeclared ae_title policy.unknown_ae_title medium [inventory.yaml 2026-11-02|pacs-01]");
	SAYS(request("10.30.9.9:40000", "10.1.0.10:104", "NOBODY"), false,
	     "pacs-01 undeclared ae_title policy.unknown_ae_title high [inventory.yaml 2026-11-02|pacs-01]");
	/* a role holder is called */
	SAYS(request("10.30.9.9:40000", "10.1.0.11:104", "NOBODY"), false,
	     "? undeclared ae_title policy.unknown_ae_title high [site.yaml 2026-11-01|roles.ris]");
	/* the workstation has no title in any file: any is as good as another */
	SAYS(request("10.9.0.2:40000", "10.1.0.10:104", "WHATEVER"), false, "-");
	/* PS3.5: case counts */
	SAYS(request("10.20.3.41:40000", "10.1.0.10:104", "er400_or3"), false,
	     "pacs-01 undeclared ae_title policy.unknown_ae_title medium [inventory.yaml 2026-11-02|pacs-01]");
}

static void ae_title_of_another(void)
{
	SAYS(request("10.30.9.9:40000", "10.1.0.10:104", "CT01"), true,
	     "ct-01 seen_differently ae_title identity.ae_title_of_another high [inventory.yaml 2026-11-02|ct-01]");
	SAYS(request("10.20.3.41:40000", "10.1.0.10:104", "CT01"), true,
	     "ct-01 seen_differently ae_title identity.ae_title_of_another high [inventory.yaml 2026-11-02|ct-01]");
	/* a role's title */
	SAYS(request("10.30.9.9:40000", "10.20.1.10:4006", "RIS01"), true,
	     "? seen_differently ae_title identity.ae_title_of_another high [site.yaml 2026-11-01|roles.ris]");
	SAYS(request("10.1.0.11:40000", "10.20.1.10:4006", "RIS01"), true, "-");
	bool known = false;
	CU_ASSERT(is(device_id(hospital, policy_ae_owner(hospital, span_str("CT01"), &known)), "ct-01"));
	CU_ASSERT(known);
	CU_ASSERT_EQUAL(policy_ae_owner(hospital, span_str("RIS01"), &known), POLICY_NONE);
	CU_ASSERT(known);
	CU_ASSERT_EQUAL(policy_ae_owner(hospital, span_str("NOBODY"), &known), POLICY_NONE);
	CU_ASSERT(!known);
	CU_ASSERT_EQUAL(policy_ae_owner(hospital, span_str("SEVENTEEN_LETTERS"), &known), POLICY_NONE);
	CU_ASSERT(!known);
}

static struct observation message(const char *src, const char *dst, const char *type)
{
	struct observation o = { .head.type = OBSERVATION_HL7_MESSAGE };
	struct endpoint s = at(src), d = at(dst);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &s);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &d);
	(void)observation_text(&o, OBSERVATION_F_message_type, span_str(type));
	return o;
}

static void hl7_messages(void)
{
	SAYS(message("10.30.5.1:40000", "10.1.0.20:2575", "ORU^R01"), true, "-");
	SAYS(message("10.30.5.1:40000", "10.1.0.20:2575", "ADT^A08"), true, "-");
	SAYS(message("10.30.5.1:40000", "10.1.0.20:2575", "ORM^O01"), true,
	     "mon-501 seen_differently hl7_type policy.hl7_message medium [IFU-M9 B|N-1]");
	/* and in the answering direction of the same connection */
	SAYS(message("10.1.0.20:2575", "10.30.5.1:40000", "ORM^O01"), false,
	     "mon-501 seen_differently hl7_type policy.hl7_message medium [IFU-M9 B|N-1]");
	SAYS(message("10.1.0.20:40000", "10.1.0.10:2575", "ORM^O01"), true, "-");
}

/* ---- who is where ---- */

static void hosts(void)
{
	struct policy_host h;
	struct endpoint e = at("10.20.3.41:1");
	policy_host(hospital, &e.ip, NULL, 0, &h);
	CU_ASSERT(is(h.id, "er400-or3") && is(h.type, "example.endorec-400") && is(h.zone, "imaging") && h.local);
	CU_ASSERT_EQUAL(h.by, EVENT_BY_IP);
	e = at("10.1.0.10:1");
	policy_host(hospital, &e.ip, NULL, 0, &h);
	CU_ASSERT(is(h.id, "pacs-01") && is(h.role, "pacs") && is(h.zone, "servers"));
	e = at("10.9.0.3:1");
	policy_host(hospital, &e.ip, NULL, 0, &h);
	CU_ASSERT(!h.id.n && is(h.role, "biomed-workstation") && !h.zone.n && h.local);
	CU_ASSERT_EQUAL(h.by, EVENT_BY_ROLE);
	e = at("192.0.2.1:1");
	policy_host(hospital, &e.ip, NULL, 0, &h);
	CU_ASSERT(is(h.role, "vendor-vpn") && !h.local);
	e = at("203.0.113.1:1");
	policy_host(hospital, &e.ip, NULL, 0, &h);
	CU_ASSERT(!h.id.n && !h.role.n && !h.zone.n && !h.local && h.by == EVENT_BY_NOTHING);
	/* a zone by its VLAN, where no address says it */
	e = at("10.77.0.1:1");
	policy_host(hospital, &e.ip, NULL, 204, &h);
	CU_ASSERT(is(h.zone, "wards"));
	policy_host(hospital, &e.ip, NULL, 205, &h);
	CU_ASSERT(!h.zone.n);
	/* but not of who came into that VLAN through a router: from elsewhere, in a role, with a router's card */
	e = at("203.0.113.1:1");
	policy_host(hospital, &e.ip, NULL, 204, &h);
	CU_ASSERT(!h.zone.n);
	e = at("10.9.0.3:1");
	policy_host(hospital, &e.ip, NULL, 204, &h);
	CU_ASSERT(!h.zone.n && is(h.role, "biomed-workstation"));
	e = at("10.77.0.1:1");
	static const struct mac router;
	policy_host(hospital, &e.ip, &router, 204, &h);
	CU_ASSERT(!h.zone.n);
	e = at("[2001:db8::1]:1");
	policy_host(hospital, &e.ip, NULL, 0, &h);
	CU_ASSERT(!h.local);
}

static void hardware_address_assigns_on_its_own_segment_only(void)
{
	struct mac mac = { { 0, 0, 0x5e, 0, 0x53, 1 } };
	struct policy_host h;
	struct endpoint e = at("10.20.3.200:1");
	policy_host(hospital, &e.ip, &mac, 0, &h);
	CU_ASSERT(is(h.id, "er400-or3"));
	CU_ASSERT_EQUAL(h.by, EVENT_BY_MAC);
	/* an address from outside with that hardware address came through a router */
	e = at("203.0.113.1:1");
	policy_host(hospital, &e.ip, &mac, 0, &h);
	CU_ASSERT(!h.id.n);
	/* and one that the site knows is who the site says */
	e = at("10.1.0.11:1");
	policy_host(hospital, &e.ip, &mac, 0, &h);
	CU_ASSERT(!h.id.n && is(h.role, "ris"));
	/* the address decides over the hardware address */
	e = at("10.20.3.42:1");
	policy_host(hospital, &e.ip, &mac, 0, &h);
	CU_ASSERT(is(h.id, "er400-or4") && h.by == EVENT_BY_IP);
}

static void units_of_one_address_in_two_vlans(void)
{
	static const char inventory[] =
		"schema: spanward/1\nkind: inventory\ndevices:\n"
		"  - {id: a, select: [{ip: 10.0.0.1, vlan: 10}]}\n"
		"  - {id: b, select: [{ip: 10.0.0.1, vlan: 20}]}\n"
		"  - {id: c, select: [{ip: 10.0.0.2, vlan: 10}]}\n"
		"  - {id: d, select: [{ip: 10.0.0.3, mac: '00:00:5e:00:53:01'}]}\n";
	struct policy_fixture f;
	struct policy *p = NULL;
	static struct conf_report rep;
	policy_fixture_make(&f);
	policy_fixture_text(&f, "inventory.yaml", inventory);
	CU_ASSERT_EQUAL_FATAL(policy_compile_dir(f.dir, &p, &rep), 0);
	struct policy_host h;
	struct endpoint e = at("10.0.0.1:1");
	policy_host(p, &e.ip, NULL, 10, &h);
	CU_ASSERT(is(h.id, "a") && h.by == EVENT_BY_IP_VLAN);
	policy_host(p, &e.ip, NULL, 20, &h);
	CU_ASSERT(is(h.id, "b"));
	policy_host(p, &e.ip, NULL, 30, &h);
	CU_ASSERT(!h.id.n);
	/* an untagged mirror cannot tell them apart */
	policy_host(p, &e.ip, NULL, 0, &h);
	CU_ASSERT(!h.id.n);
	/* where addresses overlap only a unit that names the VLAN is meant */
	policy_host(p, &e.ip, NULL, POLICY_VLAN_ONLY | 10, &h);
	CU_ASSERT(is(h.id, "a") && h.by == EVENT_BY_IP_VLAN);
	policy_host(p, &e.ip, NULL, POLICY_VLAN_ONLY | 30, &h);
	CU_ASSERT(!h.id.n);
	policy_host(p, &e.ip, NULL, POLICY_VLAN_ONLY, &h);      /* an overlay: it has no VLAN */
	CU_ASSERT(!h.id.n);
	e = at("10.0.0.3:1");
	policy_host(p, &e.ip, NULL, POLICY_VLAN_ONLY | 10, &h);
	CU_ASSERT(!h.id.n);
	policy_host(p, &e.ip, &(struct mac){ { 0, 0, 0x5e, 0, 0x53, 1 } }, POLICY_VLAN_ONLY | 10, &h);
	CU_ASSERT(!h.id.n);                                     /* not even with its card: the entry is of the other network */
	/* but need not know the VLAN of an address that only one unit has */
	e = at("10.0.0.2:1");
	policy_host(p, &e.ip, NULL, 0, &h);
	CU_ASSERT(is(h.id, "c") && h.by == EVENT_BY_IP);
	struct mac good = { { 0, 0, 0x5e, 0, 0x53, 1 } }, bad = { { 0, 0, 0x5e, 0, 0x53, 2 } };
	e = at("10.0.0.3:1");
	policy_host(p, &e.ip, &good, 0, &h);
	CU_ASSERT(is(h.id, "d"));
	policy_host(p, &e.ip, &bad, 0, &h);
	CU_ASSERT(!h.id.n);
	free(p);
	policy_fixture_done(&f);
}

/* ---- the table ---- */

static void same_files_same_bytes(void)
{
	struct policy *again = NULL;
	static struct conf_report rep;
	CU_ASSERT_EQUAL_FATAL(policy_compile_dir("rules/profiles/example-hospital", &again, &rep), 0);
	CU_ASSERT_EQUAL_FATAL(policy_size(again), policy_size(hospital));
	CU_ASSERT(!memcmp(again, hospital, policy_size(again)));
	CU_ASSERT_EQUAL(policy_digest(again), policy_digest(hospital));
	free(again);
}

static void every_cut_of_a_table_is_refused(void)
{
	size_t n = policy_size(hospital);
	for (size_t cut = 0; cut < n; cut += cut < 512 ? 1 : 97) {
		uint8_t *copy = malloc(cut ? cut : 1);
		CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
		memcpy(copy, hospital, cut);
		CU_ASSERT_PTR_NULL(policy_open((struct span){ copy, cut }));
		free(copy);
	}
	CU_ASSERT_PTR_EQUAL(policy_open((struct span){ (const uint8_t *)hospital, n }), hospital);
}

static void every_wrong_byte_is_refused_or_harmless(void)
{
	size_t n = policy_size(hospital);
	uint8_t *copy = malloc(n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	unsigned refused = 0;
	for (size_t i = 0; i < n; i++) {
		memcpy(copy, hospital, n);
		copy[i] ^= 0xff;
		const struct policy *p = policy_open((struct span){ copy, n });
		if (!p) {
			refused++;
			continue;
		}
		struct observation o = flow("10.20.3.41:40000", "10.1.0.10:104");
		struct verdict v[POLICY_MAX_VERDICTS];
		struct policy_cite c;
		CU_ASSERT(policy_check(p, &o, v) <= POLICY_MAX_VERDICTS);
		o = request("10.30.9.9:40000", "10.1.0.10:104", "CT01");
		for (unsigned k = policy_check(p, &o, v); k--;)
			policy_cite(p, v[k].cite, &c);
	}
	CU_ASSERT(refused > sizeof(struct policy) / 2);
	free(copy);
}

static void ten_thousand_units_with_sixty_rows(void)
{
	/* Every unit with a set of options of its own, so that no rows are shared. */
	enum { UNITS = 10000, ROWS = 60 };
	struct policy_fixture f;
	struct policy *p = NULL;
	static struct conf_report rep;
	size_t room = 4 << 20;
	char *text = malloc(room);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	policy_fixture_make(&f);
	int n = snprintf(text, room, "schema: spanward/1\ndevice_type: example.big\nmaker: M\nmodel: B\ndocuments:\n"
	                             "  d: {id: D, revision: 1}\nport_list: exhaustive\nout:\n");
	for (int i = 0; i < ROWS; i++)
		n += snprintf(text + n, room - (size_t)n, "  r%d: {tcp: %d, to: server, optional: yes, cite: d R-%d}\n", i,
		              1000 + i, i);
	(void)policy_fixture_put(&f, "big.yaml", text, (size_t)n);
	policy_fixture_text(&f, "site.yaml", "schema: spanward/1\nkind: site\nlocal_networks: [10.0.0.0/8]\n"
	                                     "roles: {server: [{ip: 10.255.0.1}]}\n");
	n = snprintf(text, room, "id,type,ip,options\n");
	for (int i = 0; i < UNITS; i++) {
		n += snprintf(text + n, room - (size_t)n, "u%d,example.big,10.%d.%d.%d,", i, 1 + i / 62500, i / 250 % 250,
		              1 + i % 250);
		for (int bit = 0; bit < 14; bit++)
			if (i >> bit & 1)
				n += snprintf(text + n, room - (size_t)n, "r%d+", bit);
		text[n++] = '\n';
	}
	(void)policy_fixture_put(&f, "inventory.csv", text, (size_t)n);
	free(text);
	int r = policy_compile_dir(f.dir, &p, &rep);
	policy_fixture_print(&rep);
	policy_fixture_done(&f);
	CU_ASSERT_EQUAL_FATAL(r, 0);
	CU_ASSERT_EQUAL(policy_devices(p), UNITS);
	CU_ASSERT(policy_size(p) < 64 << 20);
	/* unit 9999 has exactly the options of its number's bits */
	struct observation o = flow("10.1.39.250:40000", "10.255.0.1:1000");
	for (uint16_t bit = 0; bit < 14; bit++) {
		struct verdict v[POLICY_MAX_VERDICTS];
		o.dst.port = (uint16_t)(1000 + bit);
		CU_ASSERT_EQUAL_FATAL(policy_check(p, &o, v), 1);
		CU_ASSERT_EQUAL(v[0].kind, 9999 >> bit & 1 ? EVENT_DECLARED : EVENT_DISABLED_BUT_USED);
		CU_ASSERT(is(device_id(p, v[0].device), "u9999"));
	}
	/* For the log only: how long a check takes over units that are not in the cache. */
	struct timespec a, b;
	unsigned verdicts = 0;
	enum { CHECKS = 1000000 };
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned i = 0; i < CHECKS; i++) {
		struct verdict v[POLICY_MAX_VERDICTS];
		unsigned u = i * 2654435761u % UNITS;
		o.src.ip.b[14] = (uint8_t)(u / 250);
		o.src.ip.b[15] = (uint8_t)(1 + u % 250);
		o.dst.port = (uint16_t)(1000 + i % ROWS);
		verdicts += policy_check(p, &o, v);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	fprintf(stderr, "%zu bytes, %u verdicts, %.0f ns a check\n", policy_size(p), verdicts,
	        ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / CHECKS);
	CU_ASSERT_EQUAL(verdicts, CHECKS);
	free(p);
}

int main(void)
{
	if (CU_initialize_registry())
		return 1;
	CU_pSuite s = CU_add_suite("policy", setup, teardown);
#define T(name) CU_add_test(s, #name, name)
	T(declared_flow_is_declared_at_both_ends);
	T(override_moves_the_port_and_is_cited_from_the_inventory);
	T(peer_outside_its_roles);
	T(optional_row_that_was_not_enabled);
	T(undeclared_listener_only_when_it_answers);
	T(undeclared_traffic_by_completeness);
	T(internet_from_a_local_only_device);
	T(zone_rule_speaks_where_documents_are_silent);
	T(site_forbids);
	T(wrong_side_opens);
	T(unsure_who_opened);
	T(services_by_content);
	T(clear_text_where_tls_is_declared);
	T(ranges_and_prefix_peers);
	T(built_in_rows);
	T(icmp_is_not_what_port_lists_are_about);
	T(units_without_a_type_are_not_judged);
	T(unknown_hosts);
	T(report_mode_caps_the_severity);
	T(ae_titles);
	T(ae_title_of_another);
	T(hl7_messages);
	T(hosts);
	T(hardware_address_assigns_on_its_own_segment_only);
	T(units_of_one_address_in_two_vlans);
	T(same_files_same_bytes);
	T(every_cut_of_a_table_is_refused);
	T(every_wrong_byte_is_refused_or_harmless);
	T(ten_thousand_units_with_sixty_rows);
#undef T
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	unsigned failed = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
	CU_cleanup_registry();
	return failed != 0;
}
