/* Each state of a line of the matrix, from flows made by hand; what cannot be seen says why. */
/* Covers: R032 R056 R058 R101 */
#include "documents/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "documents/coverage.h"
#include "documents/matrix_text.h"
#include "documents/papers.h"
#include "rules/policy_fixture.h"
#include "rules/policy_table.h"

static const char site[] = "format: spanward/1\nkind: site\nlocal_networks: [10.0.0.0/8]\nroles: {pacs: [{ip: 10.1.0.10}], it: [{ip: 10.9.0.5}]}\n"
			   "forbid: [{id: S-1, to: internet, tcp: 23, text: no telnet}]\n";
static const char inventory[] =
	"format: spanward/1\nkind: inventory\ndevices:\n"
	"  - {id: a, type: x, location: Ward 1, select: [{ip: 10.20.0.1}]}\n"
	"  - {id: b, type: x, location: '=Ward \"2\"', select: [{ip: 10.20.0.2}]}\n";
static const char type[] =
	"format: spanward/1\nkind: device-type\nid: x\nrevision: 1\nsources: [{id: p, type: port-table, doc_id: IFU-X, revision: 3}]\n"
	"manufacturer: {name: M}\nmodel: {name: X}\nport_list: {completeness: exhaustive}\n"
	"ports:\n"
	"  - {id: store, row: R1, transport: tcp, initiator: device, port: [{value: 104}], app: {protocol: dicom}, peers: [{role: pacs}], sources: [p]}\n"
	"  - {id: web, row: R2, transport: tcp, initiator: peer, port: [{value: 443}], app: {protocol: https}, peers: [{role: it}], sources: [p]}\n"
	"  - {id: ssh, row: R3, transport: tcp, initiator: peer, default_state: disabled, port: [{value: 22}], app: {protocol: ssh}, peers: [{role: it}], sources: [p]}\n"
	"  - {id: ntp, row: R4, transport: udp, initiator: device, port: [{value: 123}], app: {protocol: ntp}, peers: [{role: it}], sources: [p]}\n"
	"  - {id: esp, row: R5, transport: 'ip:50', initiator: device, peers: [{any: true}], sources: [p]}\n"
	"interfaces: [{type: usb, present: yes, monitorable: false}, {type: serial, present: no, monitorable: false}]\n";

static struct policy_fixture files;
static struct policy *policy;
static struct policy_model model;

static struct observation flow(const char *src, const char *dst, const char *service, bool answered)
{
	struct observation o = { .head.type = OBSERVATION_FLOW_END };
	struct endpoint s, d;
	CU_ASSERT_EQUAL_FATAL(addr_parse_endpoint(span_str(src), &s), 0);
	CU_ASSERT_EQUAL_FATAL(addr_parse_endpoint(span_str(dst), &d), 0);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_src, &s);
	vocab_set_endpoint(&observation_vocab, &o.head, OBSERVATION_F_dst, &d);
	observation_uint(&o, OBSERVATION_F_transport, OBSERVATION_TCP);
	observation_uint(&o, OBSERVATION_F_initiator_by, OBSERVATION_BY_HANDSHAKE);
	observation_uint(&o, OBSERVATION_F_answered, answered);
	observation_uint(&o, OBSERVATION_F_started, 1000);
	observation_uint(&o, OBSERVATION_F_ts, 2000);
	observation_uint(&o, OBSERVATION_F_packets_out, 3);
	observation_uint(&o, OBSERVATION_F_packets_in, answered ? 2 : 0);
	observation_uint(&o, OBSERVATION_F_bytes_out, 100);
	if (service)
		(void)observation_text(&o, OBSERVATION_F_service, span_str(service));
	return o;
}

static const struct matrix_line *line(const struct matrix *x, const char *unit, const char *row, uint16_t port, enum matrix_state state)
{
	for (size_t i = 0; i < matrix_count(x); i++) {
		const struct matrix_line *l = matrix_at(x, i);
		struct policy_device d;
		policy_device(policy, l->device, &d);
		if (span_eq(d.id, span_str(unit)) && l->lo == port && l->state == state &&
		    (row ? l->declared && span_eq(l->declared->id, span_str(row)) : !l->declared))
			return l;
	}
	return NULL;
}

static struct matrix *begin(void)
{
	struct matrix *x = NULL;
	CU_ASSERT_EQUAL_FATAL(matrix_new(policy, &model, &x), 0);
	return x;
}

static void see(struct matrix *x, struct observation o) { matrix_observe(x, &o); }

static void every_state(void)
{
	struct matrix *x = begin();
	see(x, flow("10.20.0.1:4000", "10.1.0.10:104", "dicom", true));
	see(x, flow("10.20.0.1:4001", "10.1.0.10:104", "dicom", true));
	see(x, flow("10.9.0.5:4000", "10.20.0.1:443", "http", true));           /* TLS was declared */
	see(x, flow("10.9.0.5:4001", "10.20.0.1:22", "ssh", true));             /* disabled */
	see(x, flow("10.20.0.1:4002", "10.1.0.77:104", "dicom", true));         /* another peer */
	see(x, flow("10.20.0.1:4003", "10.1.0.77:104", "dicom", true));
	see(x, flow("10.9.0.5:4002", "10.20.0.1:8080", "http", true));          /* no row */
	see(x, flow("10.9.0.5:4003", "10.20.0.1:8081", NULL, false));           /* nobody answers */
	see(x, flow("10.20.0.1:4004", "203.0.113.9:23", "telnet", true));       /* forbidden */
	matrix_settle(x, true);
	const struct matrix_line *l = line(x, "a", "store", 104, MATRIX_SEEN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	CU_ASSERT(l->flows == 2 && l->packets == 10 && l->bytes == 200 && l->first_ns == 1000 && l->last_ns == 2000 && l->n_peers == 1);
	l = line(x, "a", "web", 443, MATRIX_DIFFERENT);
	CU_ASSERT(l && l->what == EVENT_WHAT_CLEAR_TEXT);
	CU_ASSERT_PTR_NOT_NULL(line(x, "a", "ssh", 22, MATRIX_DISABLED_USED));
	CU_ASSERT_PTR_NOT_NULL(line(x, "a", "ntp", 123, MATRIX_NOT_SEEN));
	l = line(x, "a", NULL, 104, MATRIX_UNDECLARED);
	CU_ASSERT(l && l->flows == 2 && l->what == EVENT_WHAT_PEER && l->cite != POLICY_NONE);
	l = line(x, "a", NULL, 8080, MATRIX_UNDECLARED);
	CU_ASSERT(l && l->service == POLICY_PROTO_HTTP + 1 && l->side == POLICY_SIDE_IN);
	CU_ASSERT_PTR_NOT_NULL(line(x, "a", NULL, 23, MATRIX_FORBIDDEN));
	CU_ASSERT_PTR_NULL(line(x, "a", NULL, 8081, MATRIX_UNDECLARED));
	l = line(x, "a", "esp", 0, MATRIX_NOT_OBSERVABLE);
	CU_ASSERT(l && l->why == MATRIX_WHY_TRANSPORT);
	l = line(x, "a", NULL, 0, MATRIX_NOT_OBSERVABLE);
	CU_ASSERT(l && l->why == MATRIX_WHY_INTERFACE && l->interface);
	/* Of the other unit nothing was seen: that says nothing of its rows. */
	l = line(x, "b", "store", 104, MATRIX_NOT_OBSERVABLE);
	CU_ASSERT(l && l->why == MATRIX_WHY_UNIT);
	CU_ASSERT_PTR_NOT_NULL(line(x, "b", "ssh", 22, MATRIX_OFF));
	const struct matrix_unit *u = matrix_unit(x, 0);
	CU_ASSERT(u->flows == 8 && u->explained == 2 && u->seen && !matrix_unit(x, 1)->seen);

	struct coverage c;
	CU_ASSERT_EQUAL_FATAL(coverage_make(x, &c), 0);
	CU_ASSERT_EQUAL(c.v[c.n - 1].kind, COVERAGE_ALL);
	CU_ASSERT(c.v[c.n - 1].units == 2 && c.v[c.n - 1].units_seen == 1 && c.v[c.n - 1].flows == 8 && c.v[c.n - 1].explained == 2);
	uint64_t sum = 0;
	for (size_t i = 0; i < MATRIX_STATES; i++)
		sum += c.v[c.n - 1].lines[i];
	CU_ASSERT_EQUAL(sum, matrix_count(x));
	coverage_free(&c);
	CU_ASSERT_EQUAL(coverage_share(1, 3), 333);
	CU_ASSERT_EQUAL(coverage_share(0, 0), -1);
	matrix_free(x);
}

/* What was seen of a flow from the middle is not taken for more than it is. */
static void too_little(void)
{
	struct matrix *x = begin();
	struct observation o = flow("10.1.0.10:104", "10.20.0.1:4000", NULL, true);
	observation_uint(&o, OBSERVATION_F_midstream, true);
	observation_uint(&o, OBSERVATION_F_initiator_by, OBSERVATION_BY_FIRST_PACKET);
	see(x, o);
	matrix_settle(x, true);
	bool cannot = false;
	for (size_t i = 0; i < matrix_count(x); i++) {
		CU_ASSERT_NOT_EQUAL(matrix_at(x, i)->state, MATRIX_SEEN);
		cannot = cannot || matrix_at(x, i)->state == MATRIX_CANNOT_SAY;
	}
	CU_ASSERT(cannot);
	matrix_free(x);
}

static void nothing_watched(void)
{
	struct matrix *x = begin();
	char *text = NULL;
	size_t n = 0;
	matrix_settle(x, false);
	CU_ASSERT_PTR_NOT_NULL(line(x, "a", "store", 104, MATRIX_UNWATCHED));
	CU_ASSERT_PTR_NULL(line(x, "a", "store", 104, MATRIX_NOT_SEEN));
	FILE *to = open_memstream(&text, &n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	CU_ASSERT_EQUAL(matrix_text_print(x, PRINTOUT_CSV, RULE_JA, to), 0);
	(void)fclose(to);
	CU_ASSERT_EQUAL(strncmp(text, "\xef\xbb\xbf\"機器\",", 12), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"'=Ward \"\"2\"\"\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"発信\",\"tcp\",\"104\",\"dicom\",\"平文\",\"pacs\""));
	free(text);
	matrix_free(x);
}

/* However many peers an attacker makes up, memory and the table stay bounded, and what has no line is counted. */
static void bounded(void)
{
	struct matrix *x = begin();
	for (unsigned i = 0; i < MATRIX_MAX_UNDECLARED + 500; i++) {
		char peer[64];
		(void)snprintf(peer, sizeof(peer), "10.%u.%u.%u:9", 100 + (i >> 16), i >> 8 & 255, i & 255);
		see(x, flow("10.20.0.1:4000", peer, NULL, true));
	}
	matrix_settle(x, true);
	CU_ASSERT_EQUAL(matrix_lost(x), 500);
	CU_ASSERT_EQUAL(matrix_unit(x, 0)->flows, MATRIX_MAX_UNDECLARED + 500);
	matrix_free(x);
}

int main(void)
{
	static struct conf_report rep;
	policy_fixture_make(&files);
	policy_fixture_text(&files, "site.yaml", site);
	policy_fixture_text(&files, "inventory.yaml", inventory);
	policy_fixture_text(&files, "x.yaml", type);
	const char *dir = files.dir;
	int r = policy_compile_dir(dir, &policy, &rep);
	if (!r)
		r = papers_read(&dir, 1, &model, &rep);
	policy_fixture_print(&rep);
	policy_fixture_done(&files);
	if (r)
		return 1;
	CU_TestInfo tests[] = {
		{ "every state", every_state }, { "too little", too_little }, { "nothing watched", nothing_watched }, { "bounded", bounded },
		CU_TEST_INFO_NULL,
	};
	r = test_run("matrix", tests);
	policy_load_free(&model);
	free(policy);
	return r;
}
