/* Every rule of lint.def: papers that it speaks of, and papers like them that it does not. */
/* Covers: R053 R056 R057 R061 R075 R081 R105 */
#include "documents/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/test.h"

static const char base[] =
	"format: spanward/1\nkind: device-type\nid: example.x\nrevision: 1\n"
	"sources:\n"
	"  - {id: ports, type: port-table, doc_id: IFU-X, revision: 3, date: 2026-03-20}\n"
	"  - {id: mds2, type: mds2-2019, doc_id: MDS2-X, revision: 1, date: 2026-03-20}\n"
	"  - {id: dcs, type: dicom-cs, doc_id: DCS-X, revision: 2}\n%s";
static const char maker[] = "manufacturer: {name: Example K.K., contacts: {psirt: {email: psirt@example.invalid}}}\nmodel: {name: X}\n";
static const char life[] = "lifecycle: {eos: 2034-03-31}\n";
static const char list[] = "port_list: {completeness: exhaustive, sources: [ports]}\n";

#define ROW(ID, MORE) "  - {id: " ID ", transport: tcp, sources: [ports], row: R-" ID ", " MORE "}\n"
#define STORE ROW("store", "initiator: device, port: [{value: 104}], app: {protocol: dicom}, encryption: {declared: tls}, peers: [{role: pacs}]")
#define CLEAR ROW("store", "initiator: device, port: [{value: 104}], app: {protocol: dicom}, encryption: {declared: none}, peers: [{role: pacs}]")
#define WEB(PEERS) ROW("web", "initiator: device, port: [{value: 443}], app: {protocol: https}, peers: [" PEERS "]")
#define IN(ID, PORT, MORE) ROW(ID, "initiator: peer, port: [{value: " PORT "}], peers: [{role: it}], " MORE)
#define ANSWERS(LIST) "mds2: {answers: {" LIST "}}\n"
#define PHI(MORE) ROW("store", "initiator: device, port: [{value: 104}], app: {protocol: dicom}, encryption: {declared: tls}, phi: yes, peers: [{role: pacs}], " MORE)

#define CASE(RULE, ROWS, REST, ROWS_ALIKE, REST_ALIKE)                                                             \
	{ .rule = RULE, .rows = ROWS, .rest = REST, .rows_alike = ROWS_ALIKE, .rest_alike = REST_ALIKE }
#define CASE_WITH(INSTEAD, RULE, ROWS, REST, ROWS_ALIKE, REST_ALIKE)                                               \
	{ INSTEAD, .rule = RULE, .rows = ROWS, .rest = REST, .rows_alike = ROWS_ALIKE, .rest_alike = REST_ALIKE }
static const struct paper {
	enum lint_rule rule;
	/* Rows and the rest that it speaks of; rows and the rest that it does not. NULL rest: nothing more. */
	const char *rows, *rest, *rows_alike, *rest_alike;
	const char *sources, *maker, *life, *list;      /* instead of the usual ones, of the first only */
} papers[] = {
	CASE(LINT_ENCRYPTED_CLEAR, CLEAR, ANSWERS("TXCF-2: {a: \"yes\"}"), STORE, ANSWERS("TXCF-2: {a: \"yes\"}")),
	CASE(LINT_ENCRYPTED_CLEAR, CLEAR, "claims: {encryption: {answer: yes, sources: [dcs]}}\n", CLEAR, ANSWERS("TXCF-2: {a: \"no\"}")),
	CASE(LINT_ENCRYPTED_OPTIONAL, ROW("s", "initiator: device, port: [{value: 104}], app: {protocol: dicom}, encryption: {declared: optional}, peers: [{role: pacs}]"),
	  ANSWERS("TXCF-2: {a: \"yes\"}"), STORE, ANSWERS("TXCF-2: {a: \"yes\"}")),
	CASE(LINT_TLS_UNSUPPORTED, STORE, ANSWERS("CONN-7: {a: \"no\"}"), CLEAR, ANSWERS("CONN-7: {a: \"no\"}")),
	CASE(LINT_TLS_NOWHERE, CLEAR, ANSWERS("CONN-7: {a: \"yes\"}"), STORE, ANSWERS("CONN-7: {a: \"yes\"}")),
	CASE(LINT_EXTERNAL_PEER, WEB("{fqdn: up.example.invalid}"), ANSWERS("CONN-4: {a: \"no\"}"), WEB("{role: proxy}"), ANSWERS("CONN-4: {a: \"no\"}")),
	CASE(LINT_EXTERNAL_PEER, WEB("{role: vendor-vpn}"), ANSWERS("CONN-4: {a: \"no\"}"), WEB("{role: vendor-vpn}"), ANSWERS("CONN-4: {a: \"yes\"}")),
	CASE(LINT_EXTERNAL_PEER, WEB("{cidr: 203.0.113.0/24}"), ANSWERS("CONN-4: {a: \"no\"}"), WEB("{cidr: 10.1.0.0/24}"), ANSWERS("CONN-4: {a: \"no\"}")),
	CASE(LINT_EXTERNAL_NOWHERE, STORE, ANSWERS("CONN-4: {a: \"yes\"}"), WEB("{any: true}"), ANSWERS("CONN-4: {a: \"yes\"}")),
	CASE(LINT_INTERNET_NEEDED, STORE, ANSWERS("CONN-4: {a: \"no\"}, CONN-6: {a: \"yes\"}"), STORE, ANSWERS("CONN-4: {a: \"yes\"}, CONN-6: {a: \"yes\"}")),
	CASE(LINT_INTERNET_ENVIRONMENT, STORE, "intended_environment: {internet: no, sources: [ports]}\n" ANSWERS("CONN-6: {a: \"yes\"}"), STORE,
	  "intended_environment: {internet: no}\n" ANSWERS("CONN-6: {a: \"no\"}")),
	CASE_WITH(.list = "port_list: {completeness: partial}\n", LINT_CLOSED_PARTIAL, STORE, ANSWERS("SAHD-8: {a: \"yes\"}"), STORE, ANSWERS("SAHD-8: {a: \"yes\"}")),
	CASE(LINT_UNUSED_TELNET, IN("t", "23", "app: {protocol: telnet}"), ANSWERS("SAHD-9: {a: \"yes\"}"),
	  IN("t", "23", "app: {protocol: telnet}, default_state: disabled"), ANSWERS("SAHD-9: {a: \"yes\"}")),
	CASE(LINT_FIXED_ANY, WEB("{any: true}"), ANSWERS("TXCF-3: {a: \"yes\"}"), WEB("{role: proxy}"), ANSWERS("TXCF-3: {a: \"yes\"}")),
	CASE(LINT_CABLE_ONLY, PHI(""), ANSWERS("TXCF-1: {a: \"yes\"}"), STORE, ANSWERS("TXCF-1: {a: \"yes\"}")),
	CASE(LINT_CABLE_ONLY, PHI(""), ANSWERS("MPII-3.5: {a: \"no\"}"), PHI(""), ANSWERS("MPII-3.5: {a: \"yes\"}")),
	CASE(LINT_NODE_OPEN, PHI("authentication: {node: none}"), ANSWERS("TXCF-4: {a: \"yes\"}"), PHI("authentication: {node: certificate}"),
	  ANSWERS("TXCF-4: {a: \"yes\"}")),
	CASE(LINT_REMOTE_ROW, IN("rdp", "3389", "app: {protocol: rdp}"), ANSWERS("RMOT-1: {a: \"no\"}"), IN("h", "2575", "app: {protocol: hl7}"),
	  ANSWERS("RMOT-1: {a: \"no\"}")),
	CASE(LINT_REMOTE_NOWHERE, STORE, ANSWERS("RMOT-1: {a: \"yes\"}"), IN("rdp", "3389", "app: {protocol: rdp}"), ANSWERS("RMOT-1: {a: \"yes\"}")),
	CASE(LINT_SECTION_ANSWER, STORE, "updates: {remote: yes, sources: [ports], row: 4.2}\n" ANSWERS("CSUP-2.3: {a: \"no\"}"), STORE,
	  "updates: {remote: yes, sources: [ports]}\n" ANSWERS("CSUP-2.3: {a: \"yes\"}")),
	CASE(LINT_CLAIM_ANSWER, STORE, "claims: {external: {answer: yes, sources: [ports]}}\n" ANSWERS("CONN-4: {a: \"no\"}"), STORE,
	  "claims: {external: {answer: no, sources: [ports]}}\n" ANSWERS("CONN-4: {a: \"no\"}")),
	CASE(LINT_ANSWERED_NO_ROW, STORE, ANSWERS("PAUT-2: {a: \"yes\"}"),
	  ROW("l", "initiator: device, port: [{value: 636}], app: {protocol: ldaps}, peers: [{role: ad}]"), ANSWERS("PAUT-2: {a: \"yes\"}")),
	CASE(LINT_ANSWERED_NO_ROW, STORE, ANSWERS("AUDT-4.1.1: {a: \"yes\"}"), STORE, "infrastructure: [ntp-client]\n" ANSWERS("AUDT-4.1.1: {a: \"yes\"}")),
	CASE(LINT_API_OPEN, IN("api", "3333", "app: {protocol: http, http: {operations: [{method: GET, path: /status, authenticated: no}]}}"),
	  ANSWERS("AUTH-4: {a: \"yes\"}"),
	  IN("api", "3333", "app: {protocol: http, http: {operations: [{method: GET, path: /status, authenticated: yes}]}}"),
	  ANSWERS("AUTH-4: {a: \"yes\"}")),
	CASE(LINT_MEDIA, STORE, ANSWERS("MPII-3.3: {a: \"yes\"}, CONN-1.2.3: {a: \"no\"}"), STORE, ANSWERS("MPII-3.3: {a: \"yes\"}, CONN-1.2.3: {a: \"yes\"}")),
	CASE(LINT_INTERFACE, STORE, "interfaces: [{type: usb, present: yes, mds2: CONN-1.2.2, sources: [ports]}]\n" ANSWERS("CONN-1.2.2: {a: \"no\"}"),
	  STORE, "interfaces: [{type: usb, present: yes, mds2: CONN-1.2.2}]\n" ANSWERS("CONN-1.2.2: {a: \"yes\"}")),
	CASE(LINT_CHILD_ANSWER, STORE, ANSWERS("CONN-1.1: {a: \"no\"}, CONN-1.1.1: {a: \"yes\"}"), STORE, ANSWERS("CONN-1.1: {a: \"yes\"}, CONN-1.1.1: {a: \"yes\"}")),
	CASE(LINT_BLANK_ANSWER, STORE, ANSWERS("CONN-1: {a: \"____\"}"), STORE, ANSWERS("CONN-1: {a: \"\", note: one port}, DOC-10: {a: \"\"}")),
	CASE(LINT_NOTE_MISSING, STORE, ANSWERS("TXCF-5: {a: see_note}"), STORE, ANSWERS("TXCF-5: {a: see_note, note: TLS 1.2}")),
	CASE(LINT_NOTE_MISSING, STORE, "mds2: {answers: {TXCF-5: {a: \"yes\", ref: See Note 2}}, notes: {Note 12: x}}\n", STORE,
	  "mds2: {answers: {TXCF-5: {a: \"yes\", ref: See Note 2}}, notes: {Note 2: x}}\n"),
	CASE(LINT_BLANK_ANSWER, STORE, "mds_jahis: {sources: [dcs], answers: {'7.1': {a: \"\"}}}\n", STORE, "mds_jahis: {answers: {'7.1': {a: \"na\"}}}\n"),
	CASE(LINT_LIST_MISSING, "", ANSWERS("CONN-2: {a: \"yes\"}"), STORE, ANSWERS("CONN-2: {a: \"yes\"}")),
	CASE(LINT_LIST_DENIED, STORE, ANSWERS("CONN-2: {a: \"no\"}"), "", ANSWERS("CONN-2: {a: \"no\"}")),
	CASE(LINT_NO_ROWS, "", ANSWERS("CONN-3: {a: \"yes\"}"), "", ANSWERS("CONN-3: {a: \"no\"}")),
	CASE(LINT_PORT_TWICE, IN("a", "3333", "app: {protocol: https}") IN("b", "3333", "app: {protocol: http}"), NULL,
	  IN("a", "3334", "app: {protocol: https}") IN("b", "3333", "app: {protocol: http}"), NULL),
	CASE(LINT_PORT_TWICE, STORE ROW("q", "initiator: device, port: [{range: 100-110}], app: {protocol: hl7}, peers: [{role: pacs}]"), NULL,
	  STORE ROW("q", "initiator: device, port: [{range: 100-110}], app: {protocol: hl7}, peers: [{role: ris}]"), NULL),
	CASE(LINT_NOT_IN_LIST, "  - {id: q, transport: tcp, initiator: peer, port: [{value: 3383}], peers: [{role: it}], sources: [dcs], row: '4.2'}\n", NULL, STORE,
	     NULL),
	CASE(LINT_LOCAL_PORT, ROW("s", "initiator: device, port: [{value: 104}], local_port: [{value: 3383}], peers: [{role: pacs}]"), NULL,
	     ROW("s", "initiator: device, port: [{value: 104}], local_port: [{range: 1024-65535}], peers: [{role: pacs}]")
	     ROW("t", "initiator: device, port: [{value: 105}], local_port: [{value: 4000}], peers: [{role: pacs}]")
	     IN("u", "4000", "app: {protocol: vendor}"), NULL),
	CASE(LINT_DIRECTION_TWICE, IN("a", "22", "app: {protocol: ssh}") ROW("b", "initiator: device, port: [{value: 22}], app: {protocol: ssh}, peers: [{role: it}]"),
	  NULL, IN("a", "22", "app: {protocol: ssh}") ROW("b", "initiator: device, port: [{value: 22}], app: {protocol: ssh}, peers: [{role: log}]"), NULL),
	CASE(LINT_DICOM_DIRECTION, ROW("mwl", "initiator: either, port: [{value: 104}], app: {protocol: dicom, dicom: {role: scu}}, peers: [{role: ris}]"), NULL,
	  ROW("mwl", "initiator: device, port: [{value: 104}], app: {protocol: dicom, dicom: {role: scu}}, peers: [{role: ris}]"), NULL),
	CASE(LINT_DICOM_DIRECTION, IN("q", "104", "app: {protocol: dicom, dicom: {role: scu}}"), NULL,
	  IN("q", "104", "app: {protocol: dicom, dicom: {role: scu, sop_classes: [1.2.840.10008.1.20.1]}}"), NULL),
	CASE(LINT_HL7_DIRECTION, IN("h", "2575", "app: {protocol: hl7, hl7: {role: sender}}"), NULL, IN("h", "2575", "app: {protocol: hl7, hl7: {role: receiver}}"), NULL),
	CASE(LINT_HL7_TRANSPORT, IN("h", "2575", "app: {protocol: hl7, hl7: {transport: mllps}}, encryption: {declared: none}"), NULL,
	  IN("h", "2575", "app: {protocol: hl7, hl7: {transport: mllps}}, encryption: {declared: tls}"), NULL),
	CASE(LINT_REQUIRED_DISABLED, IN("h", "2575", "app: {protocol: hl7}, required: true, default_state: disabled"), NULL,
	  IN("h", "2575", "app: {protocol: hl7}, required: true"), NULL),
	CASE(LINT_ROW_CONFLICT, ROW("s", "initiator: device, port: [{value: 104}], peers: [{role: pacs}], conflicts: [{field: initiator, by: dcs, said: both, kept: device}]"),
	  NULL, STORE, NULL),
	CASE(LINT_ENCRYPTION_CONFLICT, IN("h", "2575", "app: {protocol: hl7}, encryption: {declared: conflict}"), NULL,
	  IN("h", "2575", "app: {protocol: hl7}, encryption: {declared: optional}"), NULL),
	CASE(LINT_PERSONAL_CLEAR, CLEAR, NULL, CLEAR, ANSWERS("TXCF-2: {a: \"no\"}")),
	CASE(LINT_ANY_PEER, WEB("{any: true}"), NULL, WEB("{role: proxy}"), NULL),
	CASE(LINT_WIDE_RANGE, ROW("w", "initiator: peer, port: [{range: 1024-65535}], peers: [{role: it}]"), NULL,
	  ROW("w", "initiator: peer, port: [{range: 5000-5010}], peers: [{role: it}]"), NULL),
	CASE(LINT_OLD_TLS, IN("w", "443", "app: {protocol: https, tls: {min_version: \"1.0\"}}"), NULL,
	  IN("w", "443", "app: {protocol: https, tls: {min_version: \"1.2\"}}"), NULL),
	CASE(LINT_CONFLICT, STORE, "conflicts: [{field: os, by: dcs, said: A, kept: B}]\n", STORE, NULL),
	CASE_WITH(.sources = "  - {id: old, type: ifu, doc_id: IFU-X, revision: 2, date: 2025-03-20}\n", LINT_OLD_REVISION, STORE, NULL, STORE, NULL),
	CASE(LINT_OLD_REVISION, STORE, "documents: {ifu: {id: IFU-X, revision: 10}}\n", STORE, "documents: {ifu: {id: IFU-X, revision: 2}}\n"),
	CASE_WITH(.sources = "  - {id: new, type: ifu, doc_id: IFU-Y, revision: 1, date: 2027-03-20}\n", LINT_FUTURE_DATE, STORE, NULL, STORE, NULL),
	CASE_WITH(.list = "port_list: {completeness: unknown}\n", LINT_LIST_UNSURE, STORE, NULL, STORE, NULL),
	CASE_WITH(.list = "port_list: {completeness: partial}\n", LINT_LIST_PARTIAL, STORE, NULL, STORE, NULL),
	CASE_WITH(.maker = "manufacturer: {name: Example K.K.}\nmodel: {name: X}\n", LINT_NO_CONTACT, STORE, NULL, STORE, NULL),
	CASE_WITH(.life = "lifecycle: {eol: 2031-03-31}\n", LINT_NO_SUPPORT_END, STORE, NULL, STORE, NULL),
	CASE_WITH(.life = "lifecycle: {eol: {date: 2031-03-31, sources: [ports]}, eos: 2034-03-31, eol_estimated: true}\n", LINT_LIFE_ESTIMATED, STORE, NULL, STORE, NULL),
	CASE_WITH(.life = "lifecycle: {eos: {date: 2026-11-30, sources: [ports], row: Z}}\n", LINT_SUPPORT_ENDED, STORE, NULL, STORE, NULL),
	CASE_WITH(.life = "lifecycle: {eos: 2034-03-31, components: [{name: OS, versions: \"7\", eos: 2020-01-14}]}\n", LINT_PART_ENDED, STORE, NULL, STORE, NULL),
	CASE(LINT_PAPER_MISSING, STORE, "documents: {diagram: {missing: true}}\n", STORE, "documents: {diagram: {file: d.pdf}}\n"),
	CASE(LINT_NO_SBOM, STORE, ANSWERS("SBOM-1: {a: \"yes\"}"), STORE, "sbom: [{format: CycloneDX, file: x.json}]\n" ANSWERS("SBOM-1: {a: \"yes\"}")),
	CASE(LINT_CONTROL_FAILED, STORE, "compensating_controls: [{id: fw, valid_until: 2026-11-30, sources: [ports]}]\n", STORE,
	  "compensating_controls: [{id: fw, valid_until: 2027-11-30}]\n"),
};

struct seen { unsigned n[LINT_RULES]; };

static bool count(void *arg, const struct lint_finding *f)
{
	struct seen *s = arg;
	s->n[f->rule]++;
	for (int which = 0; which < 2; which++)
		for (int language = 0; language < 2; language++) {
			uint8_t mem[LINT_TEXT];
			struct buf b = buf_over(mem, sizeof(mem));
			CU_ASSERT_EQUAL(lint_say(f, (enum lint_said)which, (enum rule_language)language, &b), 0);
			CU_ASSERT(b.len > 10);
			CU_ASSERT_PTR_NULL(memchr(mem, '{', b.len));
		}
	for (size_t i = 0; i < f->n_places; i++)
		CU_ASSERT_PTR_NOT_NULL(papers_document(f->type, f->places[i].document));
	return false;
}

static void judge(const struct paper *p, bool alike, struct seen *ret)
{
	static struct conf_report rep;
	struct policy_model m = { 0 };
	char *text = NULL;
	size_t n = 0;
	uint64_t today = 0;
	const char *rows = alike ? p->rows_alike : p->rows, *rest = alike ? p->rest_alike : p->rest;
	FILE *to = open_memstream(&text, &n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	(void)fprintf(to, base, !alike && p->sources ? p->sources : "");
	(void)fprintf(to, "%s%s%s%s%s%s", !alike && p->maker ? p->maker : maker, !alike && p->life ? p->life : life,
		      !alike && p->list ? p->list : list, *rows ? "ports:\n" : "ports: []\n", rows, rest ? rest : "");
	(void)fclose(to);
	CU_ASSERT_EQUAL(clock_parse(span_str("2026-12-01"), &today), 0);
	rep.n = rep.total = 0;
	memset(ret, 0, sizeof(*ret));
	struct conf_doc *doc = conf_parse((struct span){ (const uint8_t *)text, n }, "x.yaml", &rep);
	int r = doc ? policy_types_read(&m, doc, "x.yaml", &rep) : -1;
	if (r)
		(void)printf("%s: %s\n%s\n", lint_id(p->rule), rep.n ? rep.v[0].what : "?", text);
	CU_ASSERT_EQUAL(r, 0);
	if (!r)
		(void)lint_type(&m.types.v[0], today, count, ret);
	policy_load_free(&m);
	conf_free(doc);
	free(text);
}

static void every_rule(void)
{
	bool has[LINT_RULES] = { 0 };
	for (size_t i = 0; i < sizeof(papers) / sizeof(papers[0]); i++) {
		struct seen fire, alike;
		judge(&papers[i], false, &fire);
		judge(&papers[i], true, &alike);
		has[papers[i].rule] = true;
		if (!fire.n[papers[i].rule] || alike.n[papers[i].rule])
			(void)printf("case %zu, %s: %u of the first, %u of the second\n", i, lint_id(papers[i].rule), fire.n[papers[i].rule],
				     alike.n[papers[i].rule]);
		CU_ASSERT(fire.n[papers[i].rule] > 0);
		CU_ASSERT_EQUAL(alike.n[papers[i].rule], 0);
	}
	for (size_t i = 0; i < LINT_RULES; i++) {
		if (!has[i])
			(void)printf("%s has no case\n", lint_id((enum lint_rule)i));
		CU_ASSERT(has[i]);
		for (size_t k = 0; k < i; k++)
			CU_ASSERT_NOT_EQUAL(strcmp(lint_id((enum lint_rule)i), lint_id((enum lint_rule)k)), 0);
	}
}

/* Papers that agree and say what they must give nothing at all. */
static void silence(void)
{
	const struct paper good = { .rows = STORE, .rest = ANSWERS("CONN-2: {a: \"yes\"}, TXCF-2: {a: \"yes\"}, CONN-4: {a: \"no\"}, SAHD-8: {a: \"yes\"}") };
	struct seen seen;
	unsigned sum = 0;
	judge(&good, false, &seen);
	for (size_t i = 0; i < LINT_RULES; i++)
		sum += seen.n[i];
	CU_ASSERT_EQUAL(sum, 0);
}

static bool stop(void *arg, const struct lint_finding *f)
{
	(void)f;
	++*(unsigned *)arg;
	return true;
}

static void enough(void)
{
	static const char text[] = "format: spanward/1\ndevice_type: x\nmaker: M\nmodel: X\ndocuments: {a: {id: A, revision: 1}}\nport_list: unknown\n"
				   "out: {s: {dicom: 104, to: any, cite: a 1}}\n";
	static struct conf_report rep;
	struct policy_model m = { 0 };
	unsigned n = 0;
	struct conf_doc *doc = conf_parse(span_str(text), "x.yaml", &rep);
	CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
	CU_ASSERT_EQUAL_FATAL(policy_types_read(&m, doc, "x.yaml", &rep), 0);
	CU_ASSERT_EQUAL(lint_type(&m.types.v[0], 1, stop, &n), 1);
	CU_ASSERT_EQUAL(n, 1);
	policy_load_free(&m);
	conf_free(doc);
}

int main(void)
{
	CU_TestInfo tests[] = { { "every rule", every_rule }, { "silence", silence }, { "enough", enough }, CU_TEST_INFO_NULL };
	return test_run("lint", tests);
}
