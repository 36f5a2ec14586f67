/* Rows of the port list against each other, and against what they say of themselves. */
#include <string.h>

#include "documents/lint_run.h"

enum { WIDE = 100 };            /* ports in one listening row: more is a range nobody can watch */

static void begin_row(struct lint_run *r, enum lint_rule rule, const struct policy_model_row *row)
{
	char ports[128];
	struct policy_source at = lint_run_row(row);
	struct span transport = papers_row_transport(row);
	lint_run_begin(r, rule);
	lint_run_place(r, at);
	lint_run_word(r, lint_run_label(row));
	lint_run_words(r, "%s %.*s/%s", policy_proto_name(row->proto), (int)transport.n, (const char *)transport.p,
		       papers_row_ports(row, ports, sizeof(ports)));
}

/* The first port that both have. */
static bool common_port(const struct policy_model_row *a, const struct policy_model_row *b, unsigned *ret)
{
	for (size_t i = 0; i < a->n_ports; i++)
		for (size_t k = 0; k < b->n_ports; k++)
			if (a->ports[i].lo <= b->ports[k].hi && b->ports[k].lo <= a->ports[i].hi) {
				*ret = a->ports[i].lo > b->ports[k].lo ? a->ports[i].lo : b->ports[k].lo;
				return true;
			}
	return false;
}

static bool same_peer(const struct policy_peer *a, const struct policy_peer *b)
{
	if (a->kind == POLICY_PEER_ANY || b->kind == POLICY_PEER_ANY)
		return true;
	if (a->kind != b->kind)
		return false;
	if (a->kind == POLICY_PEER_PREFIX)
		return addr_in_prefix(&a->prefix.ip, &b->prefix) || addr_in_prefix(&b->prefix.ip, &a->prefix);
	return span_eq(a->name, b->name);
}

static const struct policy_peer *common_peer(const struct policy_model_row *a, const struct policy_model_row *b)
{
	for (size_t i = 0; i < a->peers.n; i++)
		for (size_t k = 0; k < b->peers.n; k++)
			if (same_peer(&a->peers.v[i], &b->peers.v[k]))
				return &a->peers.v[i];
	return NULL;
}

/* A row that names only the transport says nothing of what is spoken. */
static bool is_bare(const struct policy_model_row *row) { return row->proto == POLICY_PROTO_TCP || row->proto == POLICY_PROTO_UDP; }

static bool speak_differently(const struct policy_model_row *a, const struct policy_model_row *b)
{
	if (is_bare(a) || is_bare(b))
		return false;
	if (policy_proto_base(a->proto) != policy_proto_base(b->proto))
		return true;
	return a->tls != b->tls && a->tls != POLICY_TLS_OPTIONAL && b->tls != POLICY_TLS_OPTIONAL;
}

static const char *with_tls(const struct policy_model_row *row)
{
	return row->tls == POLICY_TLS_YES && policy_proto_tls(row->proto) != POLICY_TLS_YES ? " (TLS)" : "";
}

static void pair(struct lint_run *r, const struct policy_model_row *a, const struct policy_model_row *b)
{
	unsigned port;
	if (a->transport != b->transport || a->transport > OBSERVATION_UDP || !common_port(a, b, &port))
		return;
	const struct policy_peer *peer = common_peer(a, b);
	const char *transport = a->transport == OBSERVATION_UDP ? "udp" : "tcp";
	/* One listener of the device speaks one thing; of others only the same peer does. */
	if (((a->in && b->in) || (a->out && b->out && peer)) && speak_differently(a, b)) {
		lint_run_begin(r, LINT_PORT_TWICE);
		lint_run_place(r, lint_run_row(a));
		lint_run_place(r, lint_run_row(b));
		lint_run_words(r, "%s/%u", transport, port);
		lint_run_words(r, "%s%s", policy_proto_name(a->proto), with_tls(a));
		lint_run_words(r, "%s%s", policy_proto_name(b->proto), with_tls(b));
		lint_run_end(r);
	}
	/* DICOM and HL7 nodes often listen on both sides with one port; other protocols do not. */
	bool both_ways = policy_proto_base(a->proto) == POLICY_PROTO_DICOM || policy_proto_base(a->proto) == POLICY_PROTO_HL7 ||
		is_bare(a);
	if (a->out != b->out && a->in != b->in && peer && peer->kind != POLICY_PEER_ANY && !both_ways && a->proto == b->proto) {
		lint_run_begin(r, LINT_DIRECTION_TWICE);
		lint_run_place(r, lint_run_row(a));
		lint_run_place(r, lint_run_row(b));
		lint_run_words(r, "%s %s/%u", policy_proto_name(a->proto), transport, port);
		lint_run_word(r, peer->name.n ? peer->name : span_str("-"));
		lint_run_end(r);
	}
}

static const char *direction(const struct policy_model_row *row) { return row->out && row->in ? "out/in" : row->in ? "in" : "out"; }

/* The user opens, the provider listens; a storage commitment's result comes the other way (PS3.4 J.3.3), and roles may be
 * negotiated (PS3.7 D.3.3.4): a row with SOP classes of its own role is taken at their word. */
static void dicom(struct lint_run *r, const struct policy_model_row *row)
{
	static const char commitment[] = "1.2.840.10008.1.20.1";
	if (policy_proto_base(row->proto) != POLICY_PROTO_DICOM)
		return;
	for (size_t i = 0; i < row->sops.n; i++)
		if (span_eq(row->sops.v[i].uid, span_str(commitment)) || row->sops.v[i].role != row->role)
			return;
	if ((row->role == POLICY_DICOM_SCU && row->in) || (row->role == POLICY_DICOM_SCP && row->out)) {
		begin_row(r, LINT_DICOM_DIRECTION, row);
		lint_run_word(r, span_str(row->role == POLICY_DICOM_SCU ? "SCU" : "SCP"));
		lint_run_words(r, "%s", direction(row));
		lint_run_end(r);
	}
}

static void hl7(struct lint_run *r, const struct policy_model_row *row)
{
	const struct conf_node *app = conf_get(conf_get(row->at.node, "app"), "hl7");
	struct span role = conf_text(conf_get(app, "role"), ""), transport = conf_text(conf_get(app, "transport"), "");
	if ((span_eq(role, span_str("sender")) && row->in && !row->out) || (span_eq(role, span_str("receiver")) && row->out &&
		!row->in)) {
		begin_row(r, LINT_HL7_DIRECTION, row);
		lint_run_word(r, role);
		lint_run_words(r, "%s", direction(row));
		lint_run_end(r);
	}
	struct span declared = conf_text(conf_get(conf_get(row->at.node, "encryption"), "declared"), "");
	if ((span_eq(transport, span_str("mllps")) && span_eq(declared, span_str("none"))) ||
	    (span_eq(transport, span_str("mllp")) && span_eq(declared, span_str("tls")))) {
		begin_row(r, LINT_HL7_TRANSPORT, row);
		lint_run_word(r, transport);
		lint_run_word(r, declared);
		lint_run_end(r);
	}
}

static bool names_document(const struct lint_run *r, const struct conf_node *n, uint32_t document)
{
	const struct conf_node *sources = conf_get(n, "sources");
	for (size_t i = 0; i < conf_count(sources); i++)
		if (papers_find(r->t, conf_text(conf_at(sources, i), "")) == document)
			return true;
	return false;
}

static bool is_listed(const struct lint_run *r, uint8_t transport, uint16_t port)
{
	for (size_t i = 0; i < r->t->rows.n; i++) {
		const struct policy_model_row *row = &r->t->rows.v[i];
		for (size_t k = 0; row->in && row->transport == transport && k < row->n_ports; k++)
			if (row->ports[k].lo <= port && port <= row->ports[k].hi)
				return true;
	}
	return false;
}

/* A list that is complete has every row, and every port of the device that is always the same. */
static void complete(struct lint_run *r, const struct policy_model_row *row)
{
	const struct conf_node *local = conf_get(row->at.node, "local_port");
	if (r->t->complete != POLICY_COMPLETE_EXHAUSTIVE)
		return;
	if (r->t->list.document < r->t->documents.n && !names_document(r, row->at.node, r->t->list.document)) {
		begin_row(r, LINT_NOT_IN_LIST, row);
		lint_run_place(r, r->t->list);
		lint_run_end(r);
	}
	for (size_t i = 0; i < conf_count(local); i++) {
		struct conf_port_range p[1];
		const struct conf_node *v = conf_get(conf_at(local, i), "value");
		if (!v || conf_ports(v, p, 1) != 1 || p[0].lo != p[0].hi || is_listed(r, row->transport, p[0].lo))
			continue;
		lint_run_begin(r, LINT_LOCAL_PORT);
		lint_run_place(r, lint_run_row(row));
		lint_run_place(r, r->t->list);
		lint_run_word(r, lint_run_label(row));
		lint_run_words(r, "%u", p[0].lo);
		lint_run_end(r);
	}
}

static void one(struct lint_run *r, const struct policy_model_row *row)
{
	const struct conf_node *n = row->at.node;
	complete(r, row);
	dicom(r, row);
	hl7(r, row);
	if (row->disabled && conf_get(n, "required") && conf_bool(conf_get(n, "required"), false)) {
		begin_row(r, LINT_REQUIRED_DISABLED, row);
		lint_run_end(r);
	}
	if (span_eq(conf_text(conf_get(conf_get(n, "encryption"), "declared"), ""), span_str("conflict"))) {
		begin_row(r, LINT_ENCRYPTION_CONFLICT, row);
		lint_run_end(r);
	}
	if (papers_row_personal(row) && row->tls == POLICY_TLS_NO && r->t->claims[POLICY_CLAIM_ENCRYPTION].answer == CONF_TRI_UNKNOWN) {
		begin_row(r, LINT_PERSONAL_CLEAR, row);
		lint_run_end(r);
	}
	for (size_t i = 0; row->out && i < row->peers.n; i++)
		if (row->peers.v[i].kind == POLICY_PEER_ANY && papers_answer(r->t, "TXCF-3") != PAPERS_YES) {
			begin_row(r, LINT_ANY_PEER, row);
			lint_run_end(r);
			break;
		}
	unsigned ports = 0;
	for (size_t i = 0; i < row->n_ports; i++)
		ports += row->ports[i].hi - row->ports[i].lo + 1u;
	if (row->in && row->transport != OBSERVATION_ICMP && ports > WIDE) {
		begin_row(r, LINT_WIDE_RANGE, row);
		lint_run_words(r, "%u", ports);
		lint_run_end(r);
	}
	if (row->tls_min == POLICY_TLS_1_0 || row->tls_min == POLICY_TLS_1_1) {
		begin_row(r, LINT_OLD_TLS, row);
		lint_run_word(r, span_str(row->tls_min == POLICY_TLS_1_0 ? "1.0" : "1.1"));
		lint_run_end(r);
	}
	const struct conf_node *conflicts = conf_get(n, "conflicts");
	for (size_t i = 0; i < conf_count(conflicts); i++) {
		const struct conf_node *c = conf_at(conflicts, i);
		lint_run_begin(r, LINT_ROW_CONFLICT);
		lint_run_place(r, lint_run_row(row));
		lint_run_place(r, (struct policy_source){ papers_find(r->t, conf_text(conf_get(c, "by"), "")),
							  conf_text(conf_get(c, "row"), "") });
		lint_run_word(r, lint_run_label(row));
		lint_run_word(r, conf_text(conf_get(c, "field"), ""));
		lint_run_word(r, conf_text(conf_get(c, "said"), "?"));
		lint_run_word(r, conf_text(conf_get(c, "kept"), "?"));
		lint_run_end(r);
	}
}

void lint_rows_all(struct lint_run *r)
{
	for (size_t i = 0; i < r->t->rows.n && !r->enough; i++) {
		one(r, &r->t->rows.v[i]);
		for (size_t k = i + 1; k < r->t->rows.n; k++)
			pair(r, &r->t->rows.v[i], &r->t->rows.v[k]);
	}
}
