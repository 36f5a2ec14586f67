/* Device types in the long form, into the model. */
#include <errno.h>
#include <string.h>

#include "core/err.h"
#include "rules/policy_model.h"

enum { MAX_NAME = POLICY_KEYS_NAME };

struct reader {
	struct policy_model *m;
	const struct conf_doc *doc;
	const char *file;
	struct conf_report *rep;
	struct policy_model_type *t;
	int result;
};

static struct policy_place place(const struct reader *r, const struct conf_node *n)
{
	return (struct policy_place){ .doc = r->doc, .node = n, .file = r->file };
}

#define FAULT(r, node, ...)                                                \
	do {                                                               \
		conf_fault((r)->doc, (node), (r)->rep, __VA_ARGS__);       \
		(r)->result = ERR_CONFIG;                                  \
	} while (0)

static void no_memory(struct reader *r) { r->result = -ENOMEM; }

/* printf("%.*s", SHOW(span)) */
#define SHOW(s) (int)((s).n > 64 ? 64 : (s).n), (const char *)(s).p

static uint32_t find_document(struct reader *r, struct span key, const struct conf_node *at)
{
	for (size_t i = 0; i < r->t->documents.n; i++)
		if (span_eq(r->t->documents.v[i].key, key))
			return (uint32_t)i;
	char hint[160] = "";
	if (r->t->documents.n)
		policy_load_hint(key, &r->t->documents.v[0].key, r->t->documents.n, sizeof(r->t->documents.v[0]), hint);
	FAULT(r, at, "no document is called %.*s here%s", SHOW(key), hint);
	return POLICY_NO_DOCUMENT;
}

/* Where a fact stands: the first of its sources, and the row. Every source must be one of the file's. */
static struct policy_source read_source(struct reader *r, const struct conf_node *n)
{
	struct policy_source s = { .document = POLICY_NO_DOCUMENT, .row = conf_text(conf_get(n, "row"), "") };
	const struct conf_node *sources = conf_get(n, "sources");
	for (size_t i = 0; i < conf_count(sources); i++) {
		uint32_t d = find_document(r, conf_text(conf_at(sources, i), ""), conf_at(sources, i));
		if (s.document == POLICY_NO_DOCUMENT)
			s.document = d;
	}
	return s;
}

/* A text or a list of texts. */
#define READ_TEXTS(r, list, n)                                                                       \
	do {                                                                                         \
		const struct conf_node *node_ = (n);                                                 \
		size_t count_ = !node_ ? 0 : conf_is_list(node_) ? conf_count(node_) : 1;            \
		for (size_t i_ = 0; i_ < count_; i_++) {                                             \
			struct span *slot_ = POLICY_MODEL_ADD(list);                                 \
			if (slot_)                                                                   \
				*slot_ = conf_text(conf_is_list(node_) ? conf_at(node_, i_) : node_, ""); \
			else                                                                         \
				no_memory(r);                                                        \
		}                                                                                    \
	} while (0)

static struct policy_model_row *add_row(struct reader *r, struct span id, const struct conf_node *at)
{
	for (size_t i = 0; i < r->t->rows.n; i++)
		if (span_eq(r->t->rows.v[i].id, id)) {
			char where[128];
			FAULT(r, at, "a row named %.*s stands at %s already", SHOW(id),
			      policy_load_where(&r->t->rows.v[i].at, where));
		}
	if (r->t->rows.n == POLICY_MODEL_MAX_ROWS) {
		FAULT(r, at, "a device type has at most %d rows", POLICY_MODEL_MAX_ROWS);
		return NULL;
	}
	struct policy_model_row *row = POLICY_MODEL_ADD(&r->t->rows);
	if (!row) {
		no_memory(r);
		return NULL;
	}
	*row = (struct policy_model_row){ .id = id, .at = place(r, at), .source.document = POLICY_NO_DOCUMENT };
	if (id.n > MAX_NAME)
		FAULT(r, at, "the name of a row has at most %d bytes", MAX_NAME);
	return row;
}

static void add_ports(struct reader *r, struct policy_model_row *row, const struct conf_node *n)
{
	struct conf_port_range got[POLICY_MODEL_MAX_PORTS + 1];
	size_t k = conf_ports(n, got, POLICY_MODEL_MAX_PORTS + 1);
	if (k > POLICY_MODEL_MAX_PORTS - row->n_ports) {
		FAULT(r, n, "a row has at most %d ports or ranges; split it", POLICY_MODEL_MAX_PORTS);
		return;
	}
	for (size_t i = 0; i < k; i++)
		row->ports[row->n_ports++] = got[i];
}

static struct policy_model_type *begin(struct reader *r, struct span id)
{
	for (size_t i = 0; i < r->m->types.n; i++)
		if (span_eq(r->m->types.v[i].id, id)) {
			char where[128];
			FAULT(r, conf_root(r->doc), "device type %.*s is declared at %s already", SHOW(id),
			      policy_load_where(&r->m->types.v[i].at, where));
		}
	struct policy_model_type *t = POLICY_MODEL_ADD(&r->m->types);
	if (!t) {
		no_memory(r);
		return NULL;
	}
	t->id = id;
	t->form = conf_root(r->doc);
	t->at = place(r, conf_root(r->doc));
	t->list.document = POLICY_NO_DOCUMENT;
	return t;
}

static void read_infrastructure(struct reader *r, const struct conf_node *list)
{
	static const char *const known[] = { "arp", "nd", "icmp-echo-reply", "dhcp-client", "dns-client", "ntp-client" };
	enum { KNOWN = sizeof(known) / sizeof(known[0]) };
	for (size_t i = 0; i < conf_count(list); i++) {
		const struct conf_node *n = conf_at(list, i);
		struct span name = conf_text(n, "");
		bool found = false;
		for (size_t k = 0; k < KNOWN; k++)
			found = found || span_eq(name, span_str(known[k]));
		if (!found) {
			const char *near = conf_nearest(name, known, KNOWN);
			FAULT(r, n, "no built-in set is called %.*s%s%s%s", SHOW(name), near ? "; did you mean " : "",
			      near ? near : "", near ? "?" : "");
		}
		struct policy_place *slot = POLICY_MODEL_ADD(&r->t->infrastructure);
		if (slot)
			*slot = place(r, n);
		else
			no_memory(r);
	}
}

/* RFC 1123, 2.1: letters, digits and hyphens; a last label of digits alone is a mistyped address (RFC 3696, 2). */
bool policy_long_is_host(struct span s)
{
	size_t label = 0;
	bool letter = false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (c == '.') {
			if (!label)
				return false;
			label = 0;
			letter = false;
		} else if (alpha || (c >= '0' && c <= '9') || (c == '-' && label)) {
			label++;
			letter = letter || alpha;
		} else {
			return false;
		}
	}
	return label && letter;
}

static bool read_peer(struct reader *r, const struct conf_node *n, struct policy_peer *ret)
{
	const struct conf_node *role = conf_get(n, "role"), *cidr = conf_get(n, "cidr"), *fqdn = conf_get(n, "fqdn");
	const struct conf_node *ip = conf_get(n, "ip");
	struct policy_peer p = { .at = place(r, role ? role : n) };
	unsigned said = 0;
	if (role && ++said) {
		p.kind = POLICY_PEER_ROLE;
		p.name = conf_text(role, "");
	}
	if (cidr && ++said) {
		p.kind = POLICY_PEER_PREFIX;
		(void)conf_prefix(cidr, &p.prefix);
	}
	if (ip && ++said) {
		p.kind = POLICY_PEER_PREFIX;
		p.prefix.bits = 128;
		(void)conf_addr(ip, &p.prefix.ip);
	}
	if (fqdn && ++said) {
		p.kind = POLICY_PEER_NAME;
		p.name = conf_text(fqdn, "");
		if (!policy_long_is_host(p.name))
			FAULT(r, fqdn, "'%.*s' is neither an address nor a host name; expected 192.0.2.10, 192.0.2.0/24, "
			      "pacs.example.org or a role", SHOW(p.name));
	}
	if (conf_bool(conf_get(n, "same_manufacturer"), false) && ++said)
		p.kind = POLICY_PEER_MAKER;
	if (conf_bool(conf_get(n, "local_networks"), false) && ++said)
		p.kind = POLICY_PEER_LOCAL;
	if (conf_bool(conf_get(n, "any"), false) && ++said)
		p.kind = POLICY_PEER_ANY;
	if (said != 1) {
		FAULT(r, n, "a peer is one of role, ip, cidr, fqdn, same_manufacturer, local_networks, any");
		return false;
	}
	*ret = p;
	return true;
}

#define READ_PEERS(r, list, node)                                                                    \
	do {                                                                                         \
		const struct conf_node *node_ = (node);                                              \
		for (size_t i_ = 0; i_ < conf_count(node_); i_++) {                                  \
			struct policy_peer p_, *slot_;                                               \
			if (!read_peer((r), conf_at(node_, i_), &p_))                                \
				continue;                                                            \
			if ((slot_ = POLICY_MODEL_ADD(list)))                                        \
				*slot_ = p_;                                                         \
			else                                                                         \
				no_memory(r);                                                        \
		}                                                                                    \
	} while (0)


static bool read_transport(struct reader *r, struct policy_model_row *row, const struct conf_node *n)
{
	static const char *const words[] = { "tcp", "udp", "icmp", NULL };
	struct span s = conf_text(n, "");
	for (unsigned i = 0; words[i]; i++)
		if (span_eq(s, span_str(words[i]))) {
			row->transport = (uint8_t)i;
			return true;
		}
	/* Kept by the document, outside what the sensor judges. */
	row->transport = OBSERVATION_OTHER;
	if (span_eq(s, span_str("sctp")) || (s.n > 3 && !memcmp(s.p, "ip:", 3)) || (s.n > 4 && !memcmp(s.p, "eth:", 4)))
		return false;
	FAULT(r, n, "expected tcp, udp, icmp, sctp, ip:N or eth:0xNNNN, found %.*s", SHOW(s));
	return false;
}

/* "site": the hospital gives the title */
static bool is_site(const struct conf_node *n) { return conf_is_scalar(n) && span_eq(conf_text(n, ""), span_str("site")); }

static uint8_t dicom_role(const struct conf_node *n)
{
	static const char *const words[] = { "scu", "scp", "both", NULL };
	return (uint8_t)(conf_word(n, words, -1) + 1);
}

static void read_dicom(struct reader *r, struct policy_model_row *row, const struct conf_node *n)
{
	if (!is_site(conf_get(n, "calling_ae")))
		READ_TEXTS(r, &row->titles, conf_get(n, "calling_ae"));
	if (!is_site(conf_get(n, "called_ae")))
		READ_TEXTS(r, &row->called, conf_get(n, "called_ae"));
	row->role = dicom_role(conf_get(n, "role"));
	const struct conf_node *sops = conf_get(n, "sop_classes");
	for (size_t i = 0; i < conf_count(sops); i++) {
		const struct conf_node *e = conf_at(sops, i);
		struct policy_sop *slot = POLICY_MODEL_ADD(&row->sops);
		if (!slot) {
			no_memory(r);
			return;
		}
		slot->uid = conf_text(conf_is_map(e) ? conf_get(e, "uid") : e, "");
		slot->role = conf_is_map(e) && conf_get(e, "role") ? dicom_role(conf_get(e, "role")) : row->role;
	}
}

static void read_hl7(struct reader *r, struct policy_model_row *row, const struct conf_node *n)
{
	READ_TEXTS(r, &row->messages, conf_get(n, "messages"));
	READ_TEXTS(r, &row->apps, conf_get(n, "sending_app"));
	READ_TEXTS(r, &row->versions, conf_get(n, "versions"));
	READ_TEXTS(r, &row->sending_facs, conf_get(n, "sending_fac"));
	READ_TEXTS(r, &row->receiving_apps, conf_get(n, "receiving_app"));
	READ_TEXTS(r, &row->receiving_facs, conf_get(n, "receiving_fac"));
}

static void read_limits(struct reader *r, struct policy_model_row *row, const struct conf_node *n)
{
	if (!n)
		return;
	row->limits = (struct policy_limits){
		.session_s = conf_uint(conf_get(n, "max_session_s"), 0),
		.idle_s = conf_uint(conf_get(n, "max_idle_s"), 0),
		.bytes_day = conf_uint(conf_get(n, "max_bytes_per_day"), 0),
		.conns_min = conf_uint(conf_get(n, "max_conn_per_min"), 0),
		.associations_min = conf_uint(conf_get(n, "max_assoc_per_min"), 0),
		.source = read_source(r, n),
	};
}

/* "20:00" in minutes; -1. */
static int minutes(struct span s)
{
	if (s.n != 5 || s.p[2] != ':')
		return -1;
	for (int i = 0; i < 5; i++)
		if (i != 2 && (s.p[i] < '0' || s.p[i] > '9'))
			return -1;
	int h = (s.p[0] - '0') * 10 + s.p[1] - '0', m = (s.p[3] - '0') * 10 + s.p[4] - '0';
	return h < 24 && m < 60 ? h * 60 + m : h == 24 && !m ? 24 * 60 : -1;
}

static void read_schedule(struct reader *r, struct policy_model_row *row, const struct conf_node *list)
{
	for (size_t i = 0; i < conf_count(list); i++) {
		const struct conf_node *n = conf_at(list, i), *days = conf_get(n, "days");
		int from = minutes(conf_text(conf_get(n, "from"), "")), to = minutes(conf_text(conf_get(n, "to"), ""));
		struct policy_span *slot = POLICY_MODEL_ADD(&row->schedule);
		if (!slot) {
			no_memory(r);
			return;
		}
		if (from < 0 || to < 0)
			FAULT(r, conf_get(n, from < 0 ? "from" : "to"), "expected a time of day, as in \"20:00\"");
		*slot = (struct policy_span){ .days = conf_count(days) ? 0 : 0x7f, .from = (uint16_t)from, .to = (uint16_t)to };
		for (size_t k = 0; k < conf_count(days); k++)
			slot->days |= (uint8_t)(1u << conf_word(conf_at(days, k), policy_long_keys_days, 0));
		(void)read_source(r, n);
	}
}

static void read_app(struct reader *r, struct policy_model_row *row, const struct conf_node *n)
{
	const struct conf_node *app_node = conf_get(n, "app"), *protocol = conf_get(app_node, "protocol");
	row->proto = row->transport == OBSERVATION_UDP ? POLICY_PROTO_UDP
		     : row->transport == OBSERVATION_ICMP ? POLICY_PROTO_ICMP : POLICY_PROTO_TCP;
	if (protocol) {
		const char *names[POLICY_PROTOS];
		struct span s = conf_text(protocol, "");
		int i = policy_proto_find(s);
		for (unsigned k = 0; k < POLICY_PROTOS; k++)
			names[k] = policy_proto_name(k);
		if (i < 0) {
			const char *near = conf_nearest(s, names, POLICY_PROTOS);
			FAULT(r, protocol, "no protocol is called %.*s (the maker's own is: vendor)%s%s%s", SHOW(s),
			      near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
		} else {
			row->proto = (uint8_t)i;
		}
	}
	row->tls = (uint8_t)policy_proto_tls(row->proto);
	const struct conf_node *declared = conf_get(conf_get(n, "encryption"), "declared");
	switch (conf_word(declared, policy_long_keys_encryptions, -1)) {
	case 0:
		row->clear = true;
		if (row->tls == POLICY_TLS_YES)
			FAULT(r, declared, "%s is encrypted by its name, yet the row declares none",
			      policy_proto_name(row->proto));
		break;
	case 1: case 4: row->tls = POLICY_TLS_OPTIONAL; break;
	case 2: row->tls = POLICY_TLS_YES; break;
	default: break;
	}
	const struct conf_node *tls = conf_get(conf_get(n, "encryption"), "tls");
	if (!conf_get(tls, "min_version"))
		tls = conf_get(app_node, "tls");
	row->tls_min = (uint8_t)(conf_word(conf_get(tls, "min_version"), policy_long_keys_tls_versions, -1) + 1);
	read_dicom(r, row, conf_get(app_node, "dicom"));
	read_hl7(r, row, conf_get(app_node, "hl7"));
}

/* Every peer says how many: then all together are as many. */
static uint64_t max_of_peers(const struct conf_node *peers)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < conf_count(peers); i++) {
		uint64_t one = conf_uint(conf_get(conf_at(peers, i), "max"), 0);
		if (!one)
			return 0;
		sum += one;
	}
	return sum < UINT16_MAX ? sum : 0;
}

/* Of single facts of a row, and what other documents say of it: the documents must be named. */
static void read_provenance(struct reader *r, const struct conf_node *n)
{
	const struct conf_node *facts = conf_get(n, "provenance"), *conflicts = conf_get(n, "conflicts");
	for (size_t i = 0; i < conf_count(facts); i++)
		(void)read_source(r, conf_at(facts, i));
	for (size_t i = 0; i < conf_count(conflicts); i++) {
		const struct conf_node *by = conf_get(conf_at(conflicts, i), "by");
		(void)find_document(r, conf_text(by, ""), by);
	}
}

static void read_long_row(struct reader *r, const struct conf_node *n)
{
	struct policy_model_row *row = add_row(r, conf_text(conf_get(n, "id"), ""), n);
	if (!row)
		return;
	bool ports_matter = read_transport(r, row, conf_get(n, "transport"));
	int initiator = conf_word(conf_get(n, "initiator"), policy_long_keys_initiators, 0);
	int listener = conf_word(conf_get(n, "listen_on"), policy_long_keys_listeners, -1);
	row->out = initiator != 1;
	row->in = initiator != 0;
	if ((initiator == 0 && listener == 0) || (initiator == 1 && listener == 1))
		FAULT(r, conf_get(n, "listen_on"), "the side that opens the connection cannot be the one that listens");
	const struct conf_node *ports = conf_get(n, "port");
	for (size_t i = 0; i < conf_count(ports); i++) {
		const struct conf_node *e = conf_at(ports, i), *v = conf_get(e, "value"), *range = conf_get(e, "range");
		if (!v == !range)
			FAULT(r, e, "a port has either a value or a range");
		else
			add_ports(r, row, v ? v : range);
	}
	if (ports_matter && !conf_count(ports) && row->transport != OBSERVATION_ICMP)
		FAULT(r, n, "row %.*s names no port", SHOW(row->id));
	if (row->transport == OBSERVATION_ICMP)
		row->ports[row->n_ports++] = (struct conf_port_range){ 0, 65535 };
	read_app(r, row, n);
	int state = conf_word(conf_get(n, "default_state"), policy_long_keys_states, 0);
	row->disabled = state == 1;
	row->optional = state == 2;
	READ_PEERS(r, &row->peers, conf_get(n, "peers"));
	row->max_peers = (uint16_t)conf_uint(conf_get(n, "max_peers"), max_of_peers(conf_get(n, "peers")));
	read_limits(r, row, conf_get(n, "limits"));
	read_schedule(r, row, conf_get(n, "schedule"));
	read_provenance(r, n);
	/* A port table says which row; other sources say what for. */
	const struct conf_node *sources = conf_get(n, "sources");
	for (size_t i = 0; i < conf_count(sources); i++) {
		uint32_t d = find_document(r, conf_text(conf_at(sources, i), ""), conf_at(sources, i));
		if (d != POLICY_NO_DOCUMENT && (row->source.document == POLICY_NO_DOCUMENT ||
						span_eq(r->t->documents.v[d].type, span_str("port-table"))))
			row->source.document = d;
	}
	row->source.row = conf_text(conf_get(n, "row"), "");
	if (!row->source.row.n)
		row->source.row = row->id;
}

/* ---- the device as a whole ---- */

static const struct {
	const char *key, *question;
} claim_names[POLICY_CLAIMS] = {
	[POLICY_CLAIM_EXTERNAL] = { "external", "CONN-4" },
	[POLICY_CLAIM_UNUSED_CLOSED] = { "unused_ports_closed", "SAHD-8" },
	[POLICY_CLAIM_ENCRYPTION] = { "encryption", "TXCF-2" },
	[POLICY_CLAIM_REMOTE_SERVICE] = { "remote_service", "RMOT-1" },
};

/* A claim is said as one, or is the answer to a question of the MDS2 form. */
static void read_claim(struct reader *r, unsigned which, uint32_t mds2_doc)
{
	const struct conf_node *root = conf_root(r->doc);
	const struct conf_node *said = conf_get(conf_get(root, "claims"), claim_names[which].key);
	struct policy_claim *c = &r->t->claims[which];
	if (said) {
		*c = (struct policy_claim){ conf_tri(conf_get(said, "answer")), read_source(r, said) };
	} else {
		const char *question = claim_names[which].question;
		const struct conf_node *a = conf_get(conf_get(conf_get(conf_get(root, "mds2"), "answers"), question), "a");
		struct span word = conf_text(a, "");
		c->answer = span_eq(word, span_str("yes")) ? CONF_TRI_YES
			    : span_eq(word, span_str("no")) ? CONF_TRI_NO : CONF_TRI_UNKNOWN;
		/* Without the form in the sources, its answers are quoted from the first document. */
		c->source = (struct policy_source){ mds2_doc == POLICY_NO_DOCUMENT ? 0 : mds2_doc, span_str(question) };
	}
	if (!c->source.row.n)
		c->source.row = span_str(claim_names[which].key);
}

static void read_date(struct reader *r, const char *key, struct policy_date *ret)
{
	const struct conf_node *n = conf_get(conf_get(conf_root(r->doc), "lifecycle"), key);
	ret->source = (struct policy_source){ .document = POLICY_NO_DOCUMENT };
	if (!n)
		return;
	ret->at_ns = conf_date_ns(conf_is_map(n) ? conf_get(n, "date") : n, 0);
	if (conf_is_map(n))
		ret->source = read_source(r, n);
	if (ret->source.document == POLICY_NO_DOCUMENT)
		ret->source.document = 0;
	if (!ret->source.row.n)
		ret->source.row = span_str(key);
}

static void read_lifecycle(struct reader *r)
{
	const struct conf_node *n = conf_get(conf_root(r->doc), "lifecycle");
	struct policy_model_type *t = r->t;
	read_date(r, "eol", &t->eol);
	read_date(r, "eos", &t->eos);
	read_date(r, "network_use_ends", &t->network_ends);
	t->eol_estimated = conf_bool(conf_get(n, "eol_estimated"), false);
	int use = conf_word(conf_get(n, "network_use_after_eos"), policy_long_keys_network_uses, 0);
	t->unsure_after_support = use == 1;
	t->ends_with_support = use == 2;
	const struct conf_node *state = conf_get(n, "legacy_state");
	if (conf_word(state, policy_long_keys_legacy_states, 0) == 3 && !conf_text(conf_get(n, "legacy_reason"), "").n)
		FAULT(r, state, "legacy is said with a reason (legacy_reason), never for age alone");
	if (t->eol.at_ns && t->eos.at_ns && t->eos.at_ns < t->eol.at_ns)
		FAULT(r, conf_get(n, "eos"), "support ends before the end of life");
}

static void read_control(struct reader *r, const struct conf_node *n)
{
	static const char *const owners[] = { "manufacturer", NULL }, *const effects[] = { "asserted", "failed", NULL };
	struct policy_model_control *c = POLICY_MODEL_ADD(&r->t->controls);
	if (!c) {
		no_memory(r);
		return;
	}
	c->id = conf_text(conf_get(n, "id"), "");
	c->at = place(r, n);
	c->by_maker = conf_word(conf_get(n, "designated_by"), owners, 1) == 0;
	c->failed = conf_word(conf_get(n, "effective"), effects, 0) == 1;
	c->source = read_source(r, n);
	if (c->source.document == POLICY_NO_DOCUMENT)
		c->source.document = 0;
	if (!c->source.row.n)
		c->source.row = c->id;
	const struct conf_node *from = conf_get(n, "valid_from"), *until = conf_get(n, "valid_until");
	c->from.at_ns = conf_date_ns(conf_is_map(from) ? conf_get(from, "date") : from, 0);
	c->until.at_ns = conf_date_ns(conf_is_map(until) ? conf_get(until, "date") : until, 0);
	const struct conf_node *rows = conf_get(n, "protects");
	for (size_t i = 0; i < conf_count(rows); i++) {
		struct policy_name *slot = POLICY_MODEL_ADD(&c->protects);
		struct span id = conf_text(conf_at(rows, i), "");
		size_t k = 0;
		while (k < r->t->rows.n && !span_eq(r->t->rows.v[k].id, id))
			k++;
		if (k == r->t->rows.n)
			FAULT(r, conf_at(rows, i), "no row is called %.*s here", SHOW(id));
		if (slot)
			*slot = (struct policy_name){ id, place(r, conf_at(rows, i)) };
		else
			no_memory(r);
	}
	READ_PEERS(r, &c->permits, conf_get(n, "permits"));
}

/* The documents, and which of them is the port table and which the MDS2 form. */
static int read_sources(struct reader *r, uint32_t *ret_table, uint32_t *ret_mds2)
{
	const struct conf_node *sources = conf_get(conf_root(r->doc), "sources");
	*ret_table = *ret_mds2 = POLICY_NO_DOCUMENT;
	for (size_t i = 0; i < conf_count(sources); i++) {
		struct policy_document *d = POLICY_MODEL_ADD(&r->t->documents);
		const struct conf_node *n = conf_at(sources, i);
		if (!d)
			return -ENOMEM;
		d->key = conf_text(conf_get(n, "id"), "");
		d->type = conf_text(conf_get(n, "type"), "");
		d->id = conf_text(conf_get(n, "doc_id"), "");
		d->revision = conf_text(conf_get(n, "revision"), "");
		for (size_t k = 0; k < i; k++)
			if (span_eq(r->t->documents.v[k].key, d->key))
				FAULT(r, n, "two sources are called %.*s", SHOW(d->key));
		if (*ret_table == POLICY_NO_DOCUMENT && span_eq(d->type, span_str("port-table")))
			*ret_table = (uint32_t)i;
		if (*ret_mds2 == POLICY_NO_DOCUMENT && d->type.n >= 4 && !memcmp(d->type.p, "mds2", 4))
			*ret_mds2 = (uint32_t)i;
	}
	return 0;
}

/* Facts that no verdict rests on: read for their citations only, which must name documents of the file. */
static void read_rest(struct reader *r)
{
	static const char *const maps[] = { "clinical", "intended_environment", "remote_service", "updates", "backup", "logging" };
	static const char *const lists[] = { "hardening", "interfaces", "sbom", "advisories" };
	const struct conf_node *root = conf_root(r->doc);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		(void)read_source(r, conf_get(root, maps[i]));
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (size_t k = 0; k < conf_count(conf_get(root, lists[i])); k++)
			(void)read_source(r, conf_at(conf_get(root, lists[i]), k));
}

static struct span first_of(const struct conf_node *map, const char *const *keys)
{
	struct span s = { 0 };
	for (; *keys && !s.n; keys++)
		s = conf_text(conf_get(map, *keys), "");
	return s;
}

int policy_long_read(struct policy_model *m, const struct conf_doc *doc, const char *file, struct conf_report *rep, int result)
{
	struct reader r = { .m = m, .doc = doc, .file = file, .rep = rep, .result = result };
	static const char *const ways[] = { "email", "tel", "url", "text", NULL };
	const struct conf_node *root = conf_root(doc);
	uint32_t table, mds2_doc;
	if (!(r.t = begin(&r, conf_text(conf_get(root, "id"), ""))))
		return r.result;
	struct policy_model_type *t = r.t;
	const struct conf_node *maker = conf_get(root, "manufacturer");
	t->maker = conf_text(conf_get(maker, "name"), "");
	t->model = conf_text(conf_get(conf_get(root, "model"), "name"), "");
	t->psirt = first_of(conf_get(conf_get(maker, "contacts"), "psirt"), ways);
	if (read_sources(&r, &table, &mds2_doc))
		return -ENOMEM;
	const struct conf_node *ports = conf_get(root, "ports");
	for (size_t i = 0; i < conf_count(ports); i++)
		read_long_row(&r, conf_at(ports, i));
	read_infrastructure(&r, conf_get(root, "infrastructure"));
	const struct conf_node *list = conf_get(root, "port_list");
	t->complete = (enum policy_complete)conf_word(conf_get(list, "completeness"), policy_long_keys_completes,
						      POLICY_COMPLETE_UNKNOWN);
	t->list = read_source(&r, list);
	if (t->list.document == POLICY_NO_DOCUMENT)
		t->list.document = table != POLICY_NO_DOCUMENT ? table : 0;
	for (unsigned i = 0; i < POLICY_CLAIMS; i++)
		read_claim(&r, i, mds2_doc);
	struct policy_claim *unused = &t->claims[POLICY_CLAIM_UNUSED_CLOSED];
	if (conf_get(list, "unused_ports_closed") && unused->answer == CONF_TRI_UNKNOWN)
		*unused = (struct policy_claim){ conf_tri(conf_get(list, "unused_ports_closed")),
						 { t->list.document, span_str("unused_ports_closed") } };
	read_lifecycle(&r);
	const struct conf_node *controls = conf_get(root, "compensating_controls");
	for (size_t i = 0; i < conf_count(controls); i++)
		read_control(&r, conf_at(controls, i));
	read_rest(&r);
	return r.result;
}
