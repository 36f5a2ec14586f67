/* Covers: R039 R111 */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/test.h"
#include "rules/policy_accept.h"
#include "rules/policy_model.h"
#include "rules/rule.h"

static const char inventory[] =
	"format: spanward/1\nkind: inventory\ndevices:\n"
	"  - {id: ct-1, select: [{ip: 10.20.1.11}], corroborate: {hostname: CT-Console.hospital.example, hl7_app: CT,"
	"     tls_cert: \"AA:bb:0c\"}}\n"
	"  - {id: pm-1, select: [{ip: 10.20.1.12}, {mac: \"02:00:5e:20:01:12\"}], mode: learn, mode_until: \"2027-01-01\"}\n"
	"  - {id: gw-1, select: [{ip: 10.20.1.13}, {ip: 10.20.1.14}]}\n";

/* The model and the table of that inventory with these decisions; 0 or the error, the first fault in `fault`. */
static int with(const char *text, struct policy_model *m, struct policy **p, char fault[static 256])
{
	static struct conf_report rep;
	rep.n = rep.total = 0;
	*m = (struct policy_model){ 0 };
	*p = NULL;
	fault[0] = '\0';
	struct conf_doc *a = conf_parse(span_str(inventory), "inventory.yaml", &rep), *b = conf_parse(span_str(text), "decisions.yaml", &rep);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	struct conf_doc **slot = POLICY_MODEL_ADD(&m->docs);
	*slot = a;
	slot = POLICY_MODEL_ADD(&m->docs);
	*slot = b;
	int r = policy_inventory_read(m, a, "inventory.yaml", &rep);
	CU_ASSERT_EQUAL_FATAL(r, 0);
	r = policy_decisions_read(m, b, "decisions.yaml", &rep);
	if (!r)
		r = policy_decisions_swap(m, &rep);
	if (!r)
		r = policy_decisions_modes(m, &rep);
	if (!r)
		r = policy_compile_model(m, p, &rep);
	if (r)
		(void)strncpy(fault, rep.n ? rep.v[0].what : "", 255);
	fault[255] = '\0';
	return r;
}

#define HEAD "format: spanward/1\nkind: decisions\n"

static void faults_are_named(void)
{
	static const struct { const char *text, *fault; } cases[] = {
		{ HEAD "swaps: {s-1: {was: nobody, now: x}}\n", "no unit is called nobody" },
		{ HEAD "swaps: {s-1: {was: ct-1, now: pm-1}}\n", "a unit is called pm-1 already" },
		{ HEAD "swaps: {s-1: {was: pm-1, now: x}}\n", "recognised by its hardware address" },
		{ HEAD "swaps: {s-1: {was: gw-1, now: x, ip: 10.20.1.20}}\n", "several IP addresses" },
		{ HEAD "swaps: {s-1: {was: ct-1, now: x, ip: 10.20.1.12}}\n", "" },
		{ HEAD "modes: {nobody: {mode: learn}}\n", "no unit is called nobody" },
		{ HEAD "modes: {ct-1: {mode: leran}}\n", "learn" },
		{ HEAD "windows: {w-1: {device: ct-1, from: \"2026-12-02\", to: \"2026-12-01\"}}\n", "ends before it begins" },
		{ HEAD "acceptances: {a: {rule: no.rule, device: x, reason: x, owner: x, from: \"2026-12-01\", until: \"2026-12-02\"}}\n", "no rule" },
		{ HEAD "acceptances: {a: {rule: network.scan, device: x, reason: x, owner: x, from: \"2026-12-03\", until: \"2026-12-02\"}}\n", "ends before" },
		{ HEAD "acceptances: {a: {rule: network.scan, device: x, reason: x, from: \"2026-12-03\", until: \"2026-12-02\"}}\n", "owner" },
		{ HEAD "acceptances: {a: {rule: network.scan, device: x, reason: x, owner: x, port: \"70000\", from: \"2026-12-01\", until: \"2026-12-02\"}}\n",
		  "port" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_model m;
		struct policy *p;
		char fault[256];
		CU_ASSERT_EQUAL(with(cases[i].text, &m, &p, fault), ERR_CONFIG);
		if (!strstr(fault, cases[i].fault)) {
			CU_FAIL("another fault");
			fprintf(stderr, "case %zu: %s\n", i, fault);
		}
		free(p);
		policy_load_free(&m);
	}
}

static uint32_t who(const struct policy *p, const char *ip, const char *mac)
{
	struct addr a;
	struct mac k;
	struct policy_host h;
	CU_ASSERT_EQUAL(addr_parse(span_str(ip), &a), 0);
	CU_ASSERT_EQUAL(mac ? addr_parse_mac(span_str(mac), &k) : 0, 0);
	policy_host(p, &a, mac ? &k : NULL, 0, &h);
	return h.device;
}

static void a_swapped_unit_is_the_one_in_its_place(void)
{
	struct policy_model m;
	struct policy *p;
	struct policy_device d;
	char fault[256];
	CU_ASSERT_EQUAL_FATAL(with(HEAD "swaps:\n"
				   "  s-1: {was: ct-1, now: loan, mac: \"02:00:5e:20:01:99\"}\n"
				   "  s-2: {was: pm-1, now: pm-9, mac: \"02:00:5e:20:01:98\", ip: 10.20.1.98}\n"
				   "  s-3: {was: loan, now: ct-9}\n"
				   "modes: {ct-1: {mode: report, until: \"2027-02-01\"}}\n"
				   "windows: {w-1: {device: loan, from: \"2026-12-01\", to: \"2026-12-02\"}}\n",
				   &m, &p, fault), ERR_CONFIG);
	/* The loaner was made known by its card, so the next one has to say its own. */
	CU_ASSERT_PTR_NOT_NULL(strstr(fault, "hardware address"));
	policy_load_free(&m);
	CU_ASSERT_EQUAL_FATAL(with(HEAD "swaps:\n"
				   "  s-1: {was: ct-1, now: loan, mac: \"02:00:5e:20:01:99\"}\n"
				   "  s-2: {was: pm-1, now: pm-9, mac: \"02:00:5e:20:01:98\", ip: 10.20.1.98}\n"
				   "  s-3: {was: loan, now: ct-9, mac: \"02:00:5e:20:01:97\"}\n"
				   "modes: {ct-1: {mode: report, until: \"2027-02-01\"}}\n"
				   "windows: {w-1: {device: loan, from: \"2026-12-01\", to: \"2026-12-02\"}}\n",
				   &m, &p, fault), 0);
	CU_ASSERT_EQUAL_FATAL(policy_devices(p), 3);
	policy_device(p, 0, &d);
	CU_ASSERT(span_eq(d.id, span_str("ct-9")));
	CU_ASSERT_EQUAL(who(p, "10.20.1.11", NULL), 0);
	CU_ASSERT_EQUAL(who(p, "10.20.7.7", "02:00:5e:20:01:97"), 0);
	CU_ASSERT_EQUAL(who(p, "10.20.7.7", "02:00:5e:20:01:99"), POLICY_NONE);
	CU_ASSERT_EQUAL(who(p, "10.20.1.98", NULL), 1);
	CU_ASSERT_EQUAL(who(p, "10.20.1.12", NULL), POLICY_NONE);
	CU_ASSERT_EQUAL(who(p, "10.20.7.7", "02:00:5e:20:01:98"), 1);
	CU_ASSERT_EQUAL(policy_unit_mode(p, 0, UINT64_C(1796000000000000000)), POLICY_MODE_REPORT);
	CU_ASSERT(span_eq(policy_decisions_now(&m, span_str("ct-1")), span_str("ct-9")));
	free(p);
	policy_load_free(&m);
}

static void an_acceptance_is_of_one_finding_for_its_time(void)
{
	struct policy_model m;
	struct policy *p;
	char fault[256];
	struct span id = { 0 };
	CU_ASSERT_EQUAL_FATAL(with(HEAD "acceptances:\n"
				   "  aaaa: {rule: policy.undeclared_peer, device: ct-1, peer: servers, transport: tcp, port: \"104\", reason: x,"
				   " owner: x, from: \"2026-12-01\", until: \"2026-12-03\"}\n"
				   "  bbbb: {rule: network.scan, device: 10.9.9.9, reason: x, owner: x, from: \"2026-12-01\", until: \"2026-12-03\"}\n",
				   &m, &p, fault), 0);
	const uint64_t day = UINT64_C(86400) * 1000000000, first = UINT64_C(1796083200000000000);   /* 2026-12-01 */
	struct event e = { .head.type = EVENT_ANOMALOUS_TRAFFIC };
	event_text(&e, EVENT_F_rule, span_str("policy.undeclared_peer"));
	event_text(&e, EVENT_F_device, span_str("ct-1"));
	event_text(&e, EVENT_F_peer_class, span_str("servers"));
	event_uint(&e, EVENT_F_transport, 0);
	event_uint(&e, EVENT_F_port, 104);
	event_uint(&e, EVENT_F_ts, first + day);
	CU_ASSERT(policy_accept_find(p, &e, &id) && span_eq(id, span_str("aaaa")));
	event_uint(&e, EVENT_F_ts, first);
	CU_ASSERT(policy_accept_find(p, &e, &id));
	event_uint(&e, EVENT_F_ts, first - 1);
	CU_ASSERT(!policy_accept_find(p, &e, &id));
	event_uint(&e, EVENT_F_ts, first + 2 * day);
	CU_ASSERT(!policy_accept_find(p, &e, &id));
	event_uint(&e, EVENT_F_ts, first + day);
	event_uint(&e, EVENT_F_port, 105);
	CU_ASSERT(!policy_accept_find(p, &e, &id));
	event_uint(&e, EVENT_F_port, 104);
	event_text(&e, EVENT_F_peer_class, span_str("guests"));
	CU_ASSERT(!policy_accept_find(p, &e, &id));
	event_text(&e, EVENT_F_peer_class, span_str("servers"));
	event_text(&e, EVENT_F_device, span_str("pm-1"));
	CU_ASSERT(!policy_accept_find(p, &e, &id));
	struct event scan = { .head.type = EVENT_NETWORK_ANOMALY };
	event_text(&scan, EVENT_F_rule, span_str("network.scan"));
	event_text(&scan, EVENT_F_device, span_str("10.9.9.9"));
	event_uint(&scan, EVENT_F_ts, first + day);
	CU_ASSERT(policy_accept_find(p, &scan, &id) && span_eq(id, span_str("bbbb")));
	free(p);
	policy_load_free(&m);
}

static void what_a_host_says_of_itself_fits_or_contradicts(void)
{
	struct policy_model m;
	struct policy *p;
	char fault[256];
	uint32_t unit, cite;
	CU_ASSERT_EQUAL_FATAL(with(HEAD, &m, &p, fault), 0);
	static const struct { uint32_t device; enum policy_mark_kind kind; const char *value; enum policy_mark is; } cases[] = {
		{ 0, POLICY_MARK_HOSTNAME, "ct-console", POLICY_MARK_FITS }, { 0, POLICY_MARK_HOSTNAME, "CT-CONSOLE.local", POLICY_MARK_FITS },
		{ 0, POLICY_MARK_HOSTNAME, "laptop-7", POLICY_MARK_DIFFERS }, { 1, POLICY_MARK_HOSTNAME, "laptop-7", POLICY_MARK_UNSAID },
		{ 1, POLICY_MARK_HOSTNAME, "ct-console", POLICY_MARK_ANOTHERS },
		{ POLICY_NONE, POLICY_MARK_HOSTNAME, "ct-console", POLICY_MARK_ANOTHERS },
		{ POLICY_NONE, POLICY_MARK_HOSTNAME, "", POLICY_MARK_UNSAID }, { 0, POLICY_MARK_HL7_APP, "CT", POLICY_MARK_FITS },
		{ 0, POLICY_MARK_HL7_APP, "ct", POLICY_MARK_DIFFERS }, { 1, POLICY_MARK_HL7_APP, "CT", POLICY_MARK_UNSAID },
		{ 0, POLICY_MARK_CERTIFICATE, "aabb0c", POLICY_MARK_FITS }, { 1, POLICY_MARK_CERTIFICATE, "AABB0C", POLICY_MARK_ANOTHERS },
		{ 0, POLICY_MARK_CERTIFICATE, "aabb0d", POLICY_MARK_DIFFERS },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum policy_mark got = policy_mark(p, cases[i].device, cases[i].kind, span_str(cases[i].value), &unit, &cite);
		CU_ASSERT_EQUAL(got, cases[i].is);
		CU_ASSERT_EQUAL(unit, got == POLICY_MARK_DIFFERS || got == POLICY_MARK_ANOTHERS ? 0 : POLICY_NONE);
	}
	free(p);
	policy_load_free(&m);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "faults_are_named", faults_are_named },
		{ "a_swapped_unit_is_the_one_in_its_place", a_swapped_unit_is_the_one_in_its_place },
		{ "an_acceptance_is_of_one_finding_for_its_time", an_acceptance_is_of_one_finding_for_its_time },
		{ "what_a_host_says_of_itself_fits_or_contradicts", what_a_host_says_of_itself_fits_or_contradicts },
		CU_TEST_INFO_NULL,
	};
	return test_run("decisions", tests);
}
