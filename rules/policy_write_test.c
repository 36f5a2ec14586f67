/* The short form, the long form and the table: nothing is lost on the way, nothing that was seen gets in. */
/* Covers: R053 R056 R075 R082 R127 R131 */
#include <CUnit/Basic.h>

#include "core/err.h"
#include "core/test.h"
#include "rules/policy_fixture.h"
#include "rules/policy_model.h"

static const char site[] =
	"format: spanward/1\nkind: site\nlocal_networks: [10.0.0.0/8]\nroles:\n  pacs: [{ip: 10.1.0.10, ae_title: PACS01}]\n"
	"  biomed: [{cidr: 10.9.0.0/28}]\n  engine: [{ip: 10.1.0.20}]\n";

/* Everything that the short form can say. */
static const char everything[] =
	"format: spanward/1\n"
	"device_type: example.x\n"
	"revision: 4\n"
	"maker: \"Example: \\\"K.K.\\\"\"\n"
	"model: \\X\n"
	"documents:\n"
	"  ifu: {id: IFU-X, revision: 3, date: 2026-03-20, type: port-table, title: 'Ports, all', file: x.pdf, sha256: abc}\n"
	"  mds2: {id: MDS2-X, revision: 1}\n"
	"psirt: psirt@example.invalid\n"
	"port_list: {completeness: partial, cite: ifu 7}\n"
	"unused_ports_closed: {answer: yes, cite: mds2 SAHD-8, note: 'as shipped'}\n"
	"external: {answer: no, cite: mds2 CONN-4}\n"
	"encryption: {answer: see_note, cite: mds2 TXCF-2}\n"
	"remote_service: {answer: na, cite: mds2 RMOT-1}\n"
	"support_ends: {date: 2034-03-31, cite: ifu Z}\n"
	"life_ends: {date: 2031-03-31, cite: ifu Z, note: estimate}\n"
	"infrastructure: [arp, dhcp-client]\n"
	"out:\n"
	"  store: {dicom: '104,11112', to: [pacs, 10.1.0.0/24, 10.1.0.9], optional: yes, cite: ifu X-1, ae: [A, B], peers: 2}\n"
	"  dns: {dns: 53, to: any, disabled: yes, cite: ifu X-2, phi: no, function: names}\n"
	"  up: {https: 443, to: [update.example.invalid, same_manufacturer], cite: ifu X-3, note: 'see: 4.2'}\n"
	"  odd: {tcp: 9000-9010, to: local_networks, optional: see_note, disabled: na, cite: ifu X-4}\n"
	"  ping: {icmp: yes, to: any, cite: ifu X-5}\n"
	"in:\n"
	"  ui: {http: 80, tls: yes, from: biomed, optional: no, cite: ifu X-6}\n"
	"  plain: {ldap: 389, tls: no, from: biomed, cite: ifu X-7}\n"
	"  hl7: {hl7: 2575, from: engine, messages: [ADT^A01, ORU], sending_app: ENGINE, cite: ifu X-8}\n"
	"  wrapped: {tls: 8443, from: biomed, cite: ifu X-9}\n"
	"note: 'free text'\n"
	"extensions: {importer: {rows: 12, odd: ~, list: [a, 'b c', {d: e}], flag: yes}}\n";

static char text[3][1 << 16];

/* The file in the long form; its length. */
static size_t convert(const char *name, const char *from, size_t n, char out[static 1 << 16])
{
	struct policy_fixture f;
	static struct conf_report rep;
	policy_fixture_make(&f);
	const char *path = policy_fixture_put(&f, name, from, n);
	memset(&rep, 0, sizeof(rep));
	FILE *to = tmpfile();
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	int r = policy_write_converted(path, to, &rep);
	policy_fixture_print(&rep);
	CU_ASSERT_EQUAL(r, 0);
	rewind(to);
	size_t len = fread(out, 1, 1 << 16, to);
	(void)fclose(to);
	policy_fixture_done(&f);
	return len;
}

static struct policy *compile(const char *type, size_t n, const char *inventory)
{
	struct policy_fixture f;
	static struct conf_report rep;
	struct policy *p = NULL;
	policy_fixture_make(&f);
	policy_fixture_text(&f, "site.yaml", site);
	policy_fixture_text(&f, "inventory.yaml", inventory);
	(void)policy_fixture_put(&f, "x.yaml", type, n);
	memset(&rep, 0, sizeof(rep));
	int r = policy_compile_dir(f.dir, &p, &rep);
	policy_fixture_print(&rep);
	CU_ASSERT_EQUAL_FATAL(r, 0);
	policy_fixture_done(&f);
	return p;
}

static const char inventory[] =
	"format: spanward/1\nkind: inventory\ndevices:\n"
	"  - {id: a, type: example.x, select: [{ip: 10.20.0.1}], enabled: [store]}\n"
	"  - {id: b, type: example.x, select: [{ip: 10.20.0.2}]}\n";

static void short_and_long_make_the_same_table(void)
{
	size_t n = convert("x.yaml", everything, sizeof(everything) - 1, text[0]);
	struct policy *a = compile(everything, sizeof(everything) - 1, inventory), *b = compile(text[0], n, inventory);
	CU_ASSERT_EQUAL(policy_digest(a), policy_digest(b));
	CU_ASSERT_EQUAL_FATAL(policy_size(a), policy_size(b));
	CU_ASSERT_EQUAL(memcmp(a, b, policy_size(a)), 0);
	free(a);
	free(b);
}

static void what_is_printed_is_printed_the_same_again(void)
{
	size_t n = convert("x.yaml", everything, sizeof(everything) - 1, text[0]);
	size_t m = convert("y.yaml", text[0], n, text[1]);
	CU_ASSERT_EQUAL(n, m);
	CU_ASSERT_EQUAL(memcmp(text[0], text[1], n), 0);
}

/* Every word that a person wrote stands in the long form. */
static void no_word_is_lost(void)
{
	static const char *const words[] = {
		"\"example.x\"", "\"Example: \\\"K.K.\\\"\"", "\"\\\\X\"", "\"Ports, all\"", "\"x.pdf\"", "\"abc\"", "2026-03-20",
		"psirt@example.invalid", "partial", "\"7\"", "SAHD-8", "as shipped", "CONN-4", "see_note", "TXCF-2", "RMOT-1",
		"2034-03-31", "2031-03-31", "estimate", "dhcp-client", "\"104\"", "\"11112\"", "10.1.0.0/24", "10.1.0.9",
		"configurable", "max_peers: 2", "\"A\"", "\"B\"", "\"names\"", "phi: \"no\"", "update.example.invalid",
		"same_manufacturer: true", "see: 4.2", "9000-9010", "local_networks: true", "disabled: \"na\"", "any: true",
		"declared: \"tls\"", "declared: \"none\"", "ADT^A01", "ORU", "ENGINE", "8443", "free text", "rows: 12", "odd: ~",
		"\"b c\"", "flag: yes", "required: true",
	};
	size_t n = convert("x.yaml", everything, sizeof(everything) - 1, text[0]);
	text[0][n < sizeof(text[0]) ? n : sizeof(text[0]) - 1] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strstr(text[0], words[i]))
			fprintf(stderr, "\nlost: %s\n", words[i]);
		CU_ASSERT_PTR_NOT_NULL(strstr(text[0], words[i]));
	}
}

/* The examples of the tree, in whichever form they are. */
static void the_example_hospital_is_the_same_in_the_long_form(void)
{
	static const char *const types[] = { "ct-64.yaml", "endorec-400.yaml", "monitor-9.yaml", "pacs-5.yaml", "us-20.yaml" };
	static const char *const rest[] = { "site.yaml", "inventory.yaml", "inventory.csv" };
	static struct conf_report rep;
	struct policy_fixture f;
	struct policy *a = NULL, *b = NULL;
	char path[256];
	policy_fixture_make(&f);
	for (size_t i = 0; i < 8; i++) {
		const char *name = i < 5 ? types[i] : rest[i - 5];
		(void)snprintf(path, sizeof(path), "rules/profiles/example-hospital/%s", name);
		FILE *in = fopen(path, "rb");
		CU_ASSERT_PTR_NOT_NULL_FATAL(in);
		size_t n = fread(text[1], 1, sizeof(text[1]), in);
		(void)fclose(in);
		if (i < 5)
			n = convert(name, text[1], n, text[2]);
		(void)policy_fixture_put(&f, name, i < 5 ? text[2] : text[1], n);
	}
	memset(&rep, 0, sizeof(rep));
	CU_ASSERT_EQUAL_FATAL(policy_compile_dir("rules/profiles/example-hospital", &a, &rep), 0);
	int r = policy_compile_dir(f.dir, &b, &rep);
	policy_fixture_print(&rep);
	CU_ASSERT_EQUAL_FATAL(r, 0);
	CU_ASSERT_EQUAL(policy_digest(a), policy_digest(b));
	free(a);
	free(b);
	policy_fixture_done(&f);
}

/* Everything of the long form that is no port: kept as it stands. */
static const char long_form[] =
	"format: spanward/1\nkind: device-type\nid: example.x\nrevision: '1'\n"
	"sources:\n  - {id: p, type: port-table, doc_id: P, revision: '1'}\n  - {id: m, type: mds2-2019, doc_id: M, revision: '2'}\n"
	"manufacturer:\n  name: Example\n  contacts: {psirt: {tel: '1'}, dealer: {name: D, sources: [p]}, repairer: {name: R}}\n"
	"model: {name: X, os: {name: E, eos: {date: 2027-01-01, sources: [p], row: '9'}}}\n"
	"clinical: {function: f, impact: {diagnosis: high, privacy: unknown}, never_block: true}\n"
	"lifecycle: {eol: 2031-03-31, eos: {date: 2034-03-31, sources: [m], row: Z}, legacy_state: legacy, legacy_reason: 'no patch'}\n"
	"port_list: {completeness: exhaustive, sources: [p], row: '1'}\n"
	"ports:\n"
	"  - id: store\n"
	"    transport: tcp\n"
	"    initiator: device\n"
	"    default_state: configurable\n"
	"    port: [{value: '104', configurable: true, typical: [104, 11112]}]\n"
	"    app: {protocol: dicom, dicom: {role: scu, sop_classes: [1.2.840.10008.1.1, {uid: 1.2.3.*, role: both}]}}\n"
	"    encryption: {declared: tls, tls: {min_version: '1.2'}, sources: [m], row: TXCF-2}\n"
	"    authentication: {node: ae-title, user: none}\n"
	"    peers: [{role: pacs, max: 2}]\n"
	"    limits: {max_session_s: 3600, max_conn_per_min: 30}\n"
	"    schedule: [{days: [mon, tue], from: '20:00', to: '06:00'}]\n"
	"    provenance: {initiator: {sources: [m], row: NET-1}}\n"
	"    conflicts: [{field: initiator, by: p, said: both, kept: device, why: role}]\n"
	"    sources: [p, m]\n"
	"    row: P-1\n"
	"interfaces: [{type: usb, count: 4, present: yes, phi: yes, lockable: no, monitorable: false}]\n"
	"mds2:\n  form: HN 1-2019\n  answers:\n    SHAD-15: {a: 'yes', raw: 'Yes ', ref: See Note 1}\n    DOC-7: {a: '2019-10-09', raw: '43747'}\n"
	"  notes: {'1': 'a note, with: everything'}\n"
	"mds_jahis: {form: JAHIS 24-005, answers: {'1.1': {a: 'na', raw: 対象外}}}\n"
	"compensating_controls: [{id: fw, kind: firewall, protects: [store], designated_by: manufacturer, effective: asserted}]\n"
	"sbom: [{format: CycloneDX, version: '1.6', sha256: ab}]\n"
	"advisories: [{id: A-1, cve: [CVE-2026-0001], vex: not_affected, cvss: {base: 'CVSS:3.1/AV:N', rubric: {XAVN: 'no'}}}]\n"
	"extensions: {kept: {as: [it, {stood: 'here'}]}}\n";

static void the_long_form_keeps_what_it_holds(void)
{
	static const char *const words[] = {
		"SHAD-15", "\"Yes \"", "See Note 1", "\"43747\"", "a note, with: everything", "対象外", "CVE-2026-0001", "XAVN",
		"NET-1", "2027-01-01", "no patch", "20:00", "\"1.2.3.*\"", "\"here\"", "monitorable: false", "repairer:",
	};
	size_t n = convert("x.yaml", long_form, sizeof(long_form) - 1, text[0]);
	text[0][n < sizeof(text[0]) ? n : sizeof(text[0]) - 1] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strstr(text[0], words[i]))
			fprintf(stderr, "\nlost: %s\n", words[i]);
		CU_ASSERT_PTR_NOT_NULL(strstr(text[0], words[i]));
	}
	size_t m = convert("y.yaml", text[0], n, text[1]);
	CU_ASSERT(n == m && !memcmp(text[0], text[1], n));
	struct policy *a = compile(long_form, sizeof(long_form) - 1, inventory), *b = compile(text[1], m, inventory);
	CU_ASSERT_EQUAL(policy_digest(a), policy_digest(b));
	free(a);
	free(b);
}

/* A declaration with one line put in it is refused: at this line, with these words. */
static void refused(const char *from, const char *line, const char *words)
{
	struct policy_fixture f;
	static struct conf_report rep;
	policy_fixture_make(&f);
	(void)snprintf(text[0], sizeof(text[0]), "%s%s", from, line);
	const char *path = policy_fixture_put(&f, "x.yaml", text[0], strlen(text[0]));
	memset(&rep, 0, sizeof(rep));
	CU_ASSERT_EQUAL(policy_check_path(path, &rep), ERR_CONFIG);
	CU_ASSERT_EQUAL_FATAL(rep.total, 1);
	if (!strstr(rep.v[0].what, words))
		policy_fixture_print(&rep);
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, words));
	policy_fixture_done(&f);
}

static void nothing_seen_stands_in_a_declaration(void)
{
	static const char where[] = "spanward profile learn";
	refused(everything, "seen: {flows: 3}\n", where);
	refused(everything, "observed: yes\n", where);
	refused(long_form, "last_seen: 2026-01-01\n", where);
	refused(long_form, "documents: {ifu: {note: x, learned: 1}}\n", where);
	refused(site, "seen: 1\n", where);
	refused(inventory, "last_seen: 1\n", where);
	/* also where anything else may stand */
	refused("format: spanward/1\nkind: device-type\nid: a\n", "extensions: {deep: [{observed: 1}]}\n", where);
}

static void faults_of_the_long_form(void)
{
	refused(long_form, "hardening: [{text: t, sources: [q]}]\n", "no document is called q here");
	refused(long_form, "schema: spanward/1\n", "schema is the older name of format");
	refused(long_form, "claims: {external: {answer: maybe}}\n", "expected one of");
	refused("kind: site\n", "roles: {}\n", "key 'format' is missing");
}

int main(void)
{
	CU_pSuite s = test_begin("policy_write");
#define T(name) CU_add_test(s, #name, name)
	T(short_and_long_make_the_same_table);
	T(what_is_printed_is_printed_the_same_again);
	T(no_word_is_lost);
	T(the_example_hospital_is_the_same_in_the_long_form);
	T(the_long_form_keeps_what_it_holds);
	T(nothing_seen_stands_in_a_declaration);
	T(faults_of_the_long_form);
#undef T
	return test_end();
}
