/* Device types: the short form that people write and the long form that importers write, into one model. */
#include <errno.h>
#include <string.h>

#include "core/err.h"
#include "rules/policy_model.h"

/* Bounds of the event fields that repeat these texts (core/event.def). */
enum { MAX_NAME = 64, MAX_DOCUMENT = 96, MAX_REVISION = 32, MAX_TEXT = 4096 };

static const struct conf_key name_item[] = { { .name = "name", .kind = CONF_TEXT, .min = 1, .max = MAX_NAME }, { 0 } };
static const struct conf_key title_item[] = {
	{ .name = "AE title", .kind = CONF_TEXT, .min = 1, .max = POLICY_TABLE_AE }, { 0 }
};
static const struct conf_key ports_item[] = { { .name = "port", .kind = CONF_PORTS }, { 0 } };
static const struct conf_key names_or_one[] = {
	{ .name = "one", .kind = CONF_TEXT, .min = 1, .max = MAX_NAME },
	{ .name = "list", .kind = CONF_LIST, .keys = name_item, .min = 1 },
	{ 0 }
};
static const struct conf_key titles_or_one[] = {
	{ .name = "one", .kind = CONF_TEXT, .min = 1, .max = POLICY_TABLE_AE },
	{ .name = "list", .kind = CONF_LIST, .keys = title_item },
	{ 0 }
};

/* ---- the short form ---- */

static const struct conf_key short_document[] = {
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_DOCUMENT, .doc = "its number or title" },
	{ .name = "revision", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_REVISION },
	{ .name = "date", .kind = CONF_DATE },
	{ .name = "file", .kind = CONF_TEXT },
	{ .name = "sha256", .kind = CONF_TEXT },
	{ .name = "title", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key document_item[] = { { .name = "document", .kind = CONF_MAP, .keys = short_document }, { 0 } };

static const struct conf_key claim[] = {
	{ .name = "answer", .kind = CONF_TRI, .required = true },
	{ .name = "cite", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_NAME, .doc = "document and row" },
	{ .name = "note", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key dated_claim[] = {
	{ .name = "date", .kind = CONF_DATE, .required = true },
	{ .name = "cite", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_NAME },
	{ .name = "note", .kind = CONF_TEXT },
	{ 0 }
};

#define SHORT_PROTO(SYM, name_, ...) { .name = name_, .kind = CONF_PORTS },
/* `tls` is both a protocol (tls: 8443) and a claim beside another one (tls: yes); the first entry of a name counts. */
#define SHORT_ROW(peers_)                                                                                          \
	{ .name = "tls", .kind = CONF_ANY, .doc = "port of a TLS service, or yes: declared as encrypted" },        \
	POLICY_PROTO_LIST(SHORT_PROTO)                                                                             \
	{ .name = peers_, .kind = CONF_ONE_OF, .required = true, .keys = names_or_one, .doc = "peers" },           \
	{ .name = "cite", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_NAME, .doc = "document, row" }, \
	{ .name = "optional", .kind = CONF_TRI, .doc = "off unless the inventory enables it" },                    \
	{ .name = "disabled", .kind = CONF_TRI, .doc = "the maker ships it disabled" },                            \
	{ .name = "peers", .kind = CONF_UINT, .min = 1, .max = 65535, .doc = "how many at most" },                 \
	{ .name = "ae", .kind = CONF_ONE_OF, .keys = titles_or_one, .doc = "AE title of the device as shipped" },  \
	{ .name = "messages", .kind = CONF_ONE_OF, .keys = names_or_one, .doc = "HL7: ADT^A01, ADT, *" },          \
	{ .name = "sending_app", .kind = CONF_ONE_OF, .keys = names_or_one, .doc = "HL7: MSH-3" },                 \
	{ .name = "function", .kind = CONF_TEXT },                                                                 \
	{ .name = "phi", .kind = CONF_TRI },                                                                       \
	{ .name = "note", .kind = CONF_TEXT },                                                                     \
	{ 0 }

static const struct conf_key short_out[] = { SHORT_ROW("to") };
static const struct conf_key short_in[] = { SHORT_ROW("from") };
static const struct conf_key out_item[] = { { .name = "row", .kind = CONF_MAP, .keys = short_out }, { 0 } };
static const struct conf_key in_item[] = { { .name = "row", .kind = CONF_MAP, .keys = short_in }, { 0 } };

static const char *const completes[] = { "unknown", "partial", "exhaustive", NULL };
static const struct conf_key short_list[] = {
	{ .name = "completeness", .kind = CONF_WORD, .required = true, .words = completes },
	{ .name = "cite", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_NAME },
	{ 0 }
};
static const struct conf_key list_or_word[] = {
	{ .name = "word", .kind = CONF_WORD, .words = completes },
	{ .name = "map", .kind = CONF_MAP, .keys = short_list },
	{ 0 }
};
static const struct conf_key any_item[] = { { .name = "item", .kind = CONF_ANY }, { 0 } };

static const struct conf_key short_keys[] = {
	{ .name = "schema", .kind = CONF_TEXT, .required = true },
	{ .name = "device_type", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_NAME },
	{ .name = "maker", .kind = CONF_TEXT, .required = true, .min = 1, .max = 128 },
	{ .name = "model", .kind = CONF_TEXT, .required = true, .min = 1, .max = 128 },
	{ .name = "documents", .kind = CONF_MAP_OF, .required = true, .keys = document_item, .min = 1 },
	{ .name = "psirt", .kind = CONF_TEXT },
	{ .name = "port_list", .kind = CONF_ONE_OF, .required = true, .keys = list_or_word },
	{ .name = "unused_ports_closed", .kind = CONF_MAP, .keys = claim },
	{ .name = "external", .kind = CONF_MAP, .keys = claim },
	{ .name = "encryption", .kind = CONF_MAP, .keys = claim },
	{ .name = "support_ends", .kind = CONF_MAP, .keys = dated_claim },
	{ .name = "life_ends", .kind = CONF_MAP, .keys = dated_claim },
	{ .name = "infrastructure", .kind = CONF_LIST, .keys = name_item },
	{ .name = "out", .kind = CONF_MAP_OF, .keys = out_item, .doc = "the device connects" },
	{ .name = "in", .kind = CONF_MAP_OF, .keys = in_item, .doc = "the device listens" },
	{ .name = "note", .kind = CONF_TEXT, .max = MAX_TEXT },
	{ .name = "extensions", .kind = CONF_ANY },
	{ 0 }
};

/* ---- the long form ---- */

static const struct conf_key source[] = {
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_NAME },
	{ .name = "type", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_NAME },
	{ .name = "doc_id", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_DOCUMENT },
	{ .name = "revision", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_REVISION },
	{ .name = "date", .kind = CONF_DATE },
	{ .name = "file", .kind = CONF_TEXT },
	{ .name = "sha256", .kind = CONF_TEXT },
	{ .name = "url", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key source_item[] = { { .name = "source", .kind = CONF_MAP, .keys = source }, { 0 } };

static const struct conf_key psirt[] = {
	{ .name = "email", .kind = CONF_TEXT }, { .name = "tel", .kind = CONF_TEXT }, { .name = "pgp", .kind = CONF_TEXT },
	{ .name = "hours", .kind = CONF_TEXT }, { .name = "url", .kind = CONF_TEXT }, { 0 }
};
static const struct conf_key contacts[] = {
	{ .name = "psirt", .kind = CONF_MAP, .keys = psirt }, { .name = "inquiry", .kind = CONF_ANY }, { 0 }
};
static const struct conf_key manufacturer[] = {
	{ .name = "name", .kind = CONF_TEXT, .required = true, .min = 1, .max = 128 },
	{ .name = "contacts", .kind = CONF_MAP, .keys = contacts },
	{ .name = "cvd", .kind = CONF_ANY },
	{ .name = "isao_member", .kind = CONF_TRI },
	{ 0 }
};
static const struct conf_key model_keys[] = {
	{ .name = "name", .kind = CONF_TEXT, .required = true, .min = 1, .max = 128 },
	{ .name = "udi_di", .kind = CONF_LIST, .keys = any_item },
	{ .name = "jmdn_code", .kind = CONF_TEXT },
	{ .name = "software", .kind = CONF_LIST, .keys = any_item },
	{ .name = "os", .kind = CONF_ANY },
	{ 0 }
};

static const struct conf_key port_value[] = {
	{ .name = "value", .kind = CONF_PORTS }, { .name = "range", .kind = CONF_PORTS },
	{ .name = "configurable", .kind = CONF_BOOL }, { .name = "typical", .kind = CONF_LIST, .keys = ports_item }, { 0 }
};
static const struct conf_key port_item[] = { { .name = "port", .kind = CONF_MAP, .keys = port_value }, { 0 } };

static const char *const default_states[] = { "enabled", "disabled", NULL };
static const char *const initiators[] = { "device", "peer", "either", NULL };
static const char *const listeners[] = { "device", "peer", NULL };
static const char *const data_flows[] = { "in", "out", "both", NULL };
static const char *const encryptions[] = { "none", "optional", "tls", "vpn", "conflict", NULL };

static const struct conf_key app_dicom[] = {
	{ .name = "role", .kind = CONF_TEXT },
	{ .name = "calling_ae", .kind = CONF_ONE_OF, .keys = titles_or_one },
	{ .name = "called_ae", .kind = CONF_ONE_OF, .keys = titles_or_one },
	{ .name = "sop_classes", .kind = CONF_ANY }, { .name = "transfer_syntaxes", .kind = CONF_ANY },
	{ .name = "max_pdu", .kind = CONF_UINT }, { .name = "impl_class_uid", .kind = CONF_ANY },
	{ .name = "user_identity", .kind = CONF_ANY },
	{ 0 }
};
static const struct conf_key app_hl7[] = {
	{ .name = "transport", .kind = CONF_TEXT }, { .name = "role", .kind = CONF_TEXT },
	{ .name = "sending_app", .kind = CONF_ONE_OF, .keys = names_or_one },
	{ .name = "messages", .kind = CONF_ONE_OF, .keys = names_or_one },
	{ .name = "sending_fac", .kind = CONF_ANY }, { .name = "receiving_app", .kind = CONF_ANY },
	{ .name = "receiving_fac", .kind = CONF_ANY }, { .name = "versions", .kind = CONF_ANY },
	{ .name = "charset", .kind = CONF_ANY },
	{ 0 }
};
static const struct conf_key app[] = {
	{ .name = "protocol", .kind = CONF_TEXT, .required = true, .min = 1, .max = 24 },
	{ .name = "dicom", .kind = CONF_MAP, .keys = app_dicom }, { .name = "hl7", .kind = CONF_MAP, .keys = app_hl7 },
	{ .name = "http", .kind = CONF_ANY }, { .name = "tls", .kind = CONF_ANY }, { .name = "smb", .kind = CONF_ANY },
	{ .name = "dns", .kind = CONF_ANY }, { .name = "vendor", .kind = CONF_ANY },
	{ 0 }
};
static const struct conf_key encryption[] = {
	{ .name = "declared", .kind = CONF_WORD, .required = true, .words = encryptions },
	{ .name = "tls", .kind = CONF_ANY },
	{ 0 }
};
static const struct conf_key peer[] = {
	{ .name = "role", .kind = CONF_TEXT, .min = 1, .max = MAX_NAME }, { .name = "cidr", .kind = CONF_PREFIX },
	{ .name = "ip", .kind = CONF_ADDR },
	{ .name = "fqdn", .kind = CONF_TEXT, .min = 1, .max = 253 }, { .name = "same_manufacturer", .kind = CONF_BOOL },
	{ .name = "local_networks", .kind = CONF_BOOL }, { .name = "any", .kind = CONF_BOOL },
	{ .name = "role_uri", .kind = CONF_TEXT }, { .name = "max", .kind = CONF_UINT },
	{ 0 }
};
static const struct conf_key peer_item[] = { { .name = "peer", .kind = CONF_MAP, .keys = peer }, { 0 } };

static const struct conf_key port_keys[] = {
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_NAME },
	{ .name = "function", .kind = CONF_TEXT },
	{ .name = "required", .kind = CONF_BOOL },
	{ .name = "default_state", .kind = CONF_WORD, .words = default_states },
	{ .name = "transport", .kind = CONF_TEXT, .required = true },
	{ .name = "initiator", .kind = CONF_WORD, .required = true, .words = initiators },
	{ .name = "listen_on", .kind = CONF_WORD, .words = listeners },
	{ .name = "port", .kind = CONF_LIST, .keys = port_item },
	{ .name = "local_port", .kind = CONF_LIST, .keys = port_item },
	{ .name = "data_flow", .kind = CONF_WORD, .words = data_flows },
	{ .name = "app", .kind = CONF_MAP, .keys = app },
	{ .name = "encryption", .kind = CONF_MAP, .keys = encryption },
	{ .name = "authentication", .kind = CONF_ANY },
	{ .name = "phi", .kind = CONF_TRI },
	{ .name = "peers", .kind = CONF_LIST, .keys = peer_item, .required = true },
	{ .name = "limits", .kind = CONF_ANY },
	{ .name = "schedule", .kind = CONF_ANY },
	{ .name = "sources", .kind = CONF_LIST, .keys = name_item, .required = true, .min = 1 },
	{ .name = "row", .kind = CONF_TEXT, .max = MAX_NAME },
	{ .name = "conflicts", .kind = CONF_LIST, .keys = any_item },
	{ .name = "note", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key ports_list[] = { { .name = "port", .kind = CONF_MAP, .keys = port_keys }, { 0 } };

static const struct conf_key long_list[] = {
	{ .name = "completeness", .kind = CONF_WORD, .required = true, .words = completes },
	{ .name = "unused_ports_closed", .kind = CONF_TRI },
	{ 0 }
};

static const struct conf_key mds2_answer[] = {
	{ .name = "a", .kind = CONF_TEXT }, { .name = "note", .kind = CONF_TEXT, .max = MAX_TEXT }, { 0 }
};
static const struct conf_key mds2_item[] = { { .name = "answer", .kind = CONF_MAP, .keys = mds2_answer }, { 0 } };
static const struct conf_key mds2[] = {
	{ .name = "form", .kind = CONF_TEXT }, { .name = "answers", .kind = CONF_MAP_OF, .keys = mds2_item },
	{ .name = "lint", .kind = CONF_ANY }, { 0 }
};

static const char *const kinds[] = { "device-type", NULL };
static const struct conf_key long_keys[] = {
	{ .name = "schema", .kind = CONF_TEXT, .required = true },
	{ .name = "kind", .kind = CONF_WORD, .required = true, .words = kinds },
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_NAME },
	{ .name = "revision", .kind = CONF_TEXT, .required = true },
	{ .name = "declared_on", .kind = CONF_DATE },
	{ .name = "sources", .kind = CONF_LIST, .keys = source_item, .required = true, .min = 1 },
	{ .name = "manufacturer", .kind = CONF_MAP, .keys = manufacturer, .required = true },
	{ .name = "model", .kind = CONF_MAP, .keys = model_keys, .required = true },
	{ .name = "identify", .kind = CONF_ANY },
	{ .name = "clinical", .kind = CONF_ANY },
	{ .name = "lifecycle", .kind = CONF_ANY },
	{ .name = "port_list", .kind = CONF_MAP, .keys = long_list, .required = true },
	{ .name = "ports", .kind = CONF_LIST, .keys = ports_list, .required = true },
	{ .name = "infrastructure", .kind = CONF_LIST, .keys = name_item },
	{ .name = "remote_service", .kind = CONF_ANY },
	{ .name = "updates", .kind = CONF_ANY },
	{ .name = "backup", .kind = CONF_ANY },
	{ .name = "logging", .kind = CONF_ANY },
	{ .name = "interfaces", .kind = CONF_ANY },
	{ .name = "mds2", .kind = CONF_MAP, .keys = mds2 },
	{ .name = "compensating_controls", .kind = CONF_ANY },
	{ .name = "sbom", .kind = CONF_ANY },
	{ .name = "advisories", .kind = CONF_ANY },
	{ .name = "documents", .kind = CONF_ANY },
	{ .name = "signature", .kind = CONF_ANY },
	{ .name = "extensions", .kind = CONF_ANY },
	{ 0 }
};

/* ---- what both share ---- */

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

/* "ifu X-1": a document of this file and a row in it. */
static struct policy_source read_cite(struct reader *r, const struct conf_node *n)
{
	struct span text = span_trim(conf_text(n, ""));
	size_t k = 0;
	while (k < text.n && text.p[k] != ' ')
		k++;
	struct policy_source s = { .document = POLICY_NO_DOCUMENT };
	if (!text.n)
		return s;
	s.row = span_trim(span_from(text, k));
	s.document = find_document(r, (struct span){ text.p, k }, n);
	if (!s.row.n)
		FAULT(r, n, "a citation is a document and a row in it, as in: %.*s X-1", SHOW(text));
	return s;
}

static void add_peer(struct reader *r, struct policy_model_row *row, struct policy_peer p)
{
	struct policy_peer *slot = POLICY_MODEL_ADD(&row->peers);
	if (slot)
		*slot = p;
	else
		no_memory(r);
}

static void read_short_peer(struct reader *r, struct policy_model_row *row, const struct conf_node *n)
{
	struct policy_peer p = { .kind = POLICY_PEER_ROLE, .name = conf_text(n, ""), .at = place(r, n) };
	if (span_eq(p.name, span_str("any")))
		p.kind = POLICY_PEER_ANY;
	else if (span_eq(p.name, span_str("local_networks")) || span_eq(p.name, span_str("local")))
		p.kind = POLICY_PEER_LOCAL;
	else if (span_eq(p.name, span_str("same_manufacturer")))
		p.kind = POLICY_PEER_MAKER;
	else {
		int err = addr_parse_prefix(p.name, &p.prefix);
		if (!err)
			p.kind = POLICY_PEER_PREFIX;
		else if (err == -ERANGE)
			FAULT(r, n, "%.*s has bits set behind its prefix length", SHOW(p.name));
		else if (p.name.n && memchr(p.name.p, '.', p.name.n))
			p.kind = POLICY_PEER_NAME;
	}
	add_peer(r, row, p);
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
	t->at = place(r, conf_root(r->doc));
	t->list.document = t->external_source.document = t->unused_source.document = POLICY_NO_DOCUMENT;
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

static void check_schema(struct reader *r)
{
	const struct conf_node *n = conf_get(conf_root(r->doc), "schema");
	if (!span_eq(conf_text(n, ""), span_str("spanward/1")))
		FAULT(r, n, "this version reads schema spanward/1 only");
}

/* ---- reading the short form ---- */

static void read_short_row(struct reader *r, struct span id, const struct conf_node *n, bool out)
{
	struct policy_model_row *row = add_row(r, id, n);
	if (!row)
		return;
	row->out = out;
	row->in = !out;
	const struct conf_node *said = NULL, *tls = conf_get(n, "tls");
	static const char *const yes_no[] = { "yes", "no", NULL };
	int claims = conf_word(tls, yes_no, -1);
	struct conf_port_range one;
	bool tls_broken = tls && claims < 0 && !conf_ports(tls, &one, 1);
	if (tls_broken)
		FAULT(r, tls, "expected the port of a TLS service, or yes or no beside another protocol");
	for (unsigned i = 0; i < POLICY_PROTOS; i++) {
		const struct conf_node *ports = conf_get(n, policy_proto_name(i));
		if (!ports || (ports == tls && (claims >= 0 || tls_broken)))
			continue;
		if (said)
			FAULT(r, ports, "a row declares one protocol; make this a row of its own");
		said = ports;
		row->proto = (uint8_t)i;
	}
	if (said)
		add_ports(r, row, said);
	else if (!tls_broken)
		FAULT(r, n, "row %.*s names no protocol: say tcp, udp, dicom, hl7, https, ... and its port", SHOW(id));
	row->transport = (uint8_t)policy_proto_transport(row->proto);
	row->tls = (uint8_t)policy_proto_tls(row->proto);
	if (claims >= 0) {
		bool yes = claims == 0;
		if (!yes && row->tls == POLICY_TLS_YES)
			FAULT(r, tls, "%s is encrypted by its name, yet the row says tls: no",
			      policy_proto_name(row->proto));
		row->tls = yes ? POLICY_TLS_YES : POLICY_TLS_NO;
	}
	row->optional = conf_tri(conf_get(n, "optional")) == CONF_TRI_YES;
	row->disabled = conf_tri(conf_get(n, "disabled")) == CONF_TRI_YES;
	row->source = read_cite(r, conf_get(n, "cite"));
	const struct conf_node *peers = conf_get(n, out ? "to" : "from");
	if (peers && conf_is_list(peers))
		for (size_t i = 0; i < conf_count(peers); i++)
			read_short_peer(r, row, conf_at(peers, i));
	else if (peers)
		read_short_peer(r, row, peers);
	READ_TEXTS(r, &row->titles, conf_get(n, "ae"));
	READ_TEXTS(r, &row->messages, conf_get(n, "messages"));
	READ_TEXTS(r, &row->apps, conf_get(n, "sending_app"));
}

static void read_claim(struct reader *r, const char *key, enum conf_tri *ret, struct policy_source *ret_source)
{
	const struct conf_node *n = conf_get(conf_root(r->doc), key);
	if (!n)
		return;
	*ret = conf_tri(conf_get(n, "answer"));
	*ret_source = read_cite(r, conf_get(n, "cite"));
}

static int read_short(struct reader *r)
{
	const struct conf_node *root = conf_root(r->doc);
	struct policy_source unused = { 0 };
	enum conf_tri unused_tri = CONF_TRI_UNKNOWN;
	if (conf_check(r->doc, root, short_keys, r->rep))
		return ERR_CONFIG;
	check_schema(r);
	if (!(r->t = begin(r, conf_text(conf_get(root, "device_type"), ""))))
		return r->result;
	struct policy_model_type *t = r->t;
	t->maker = conf_text(conf_get(root, "maker"), "");
	t->model = conf_text(conf_get(root, "model"), "");
	t->psirt = conf_text(conf_get(root, "psirt"), "");
	const struct conf_node *docs = conf_get(root, "documents");
	for (size_t i = 0; i < conf_count(docs); i++) {
		struct policy_document *d = POLICY_MODEL_ADD(&t->documents);
		const struct conf_node *n = conf_at(docs, i);
		if (!d)
			return -ENOMEM;
		d->key = conf_key_at(docs, i);
		d->id = conf_text(conf_get(n, "id"), "");
		d->revision = conf_text(conf_get(n, "revision"), "");
	}
	const struct conf_node *out = conf_get(root, "out"), *in = conf_get(root, "in");
	for (size_t i = 0; i < conf_count(out); i++)
		read_short_row(r, conf_key_at(out, i), conf_at(out, i), true);
	for (size_t i = 0; i < conf_count(in); i++)
		read_short_row(r, conf_key_at(in, i), conf_at(in, i), false);
	read_infrastructure(r, conf_get(root, "infrastructure"));

	const struct conf_node *list = conf_get(root, "port_list");
	const struct conf_node *word = list && conf_is_map(list) ? conf_get(list, "completeness") : list;
	t->complete = (enum policy_complete)conf_word(word, completes, POLICY_COMPLETE_UNKNOWN);
	if (list && conf_is_map(list))
		t->list = read_cite(r, conf_get(list, "cite"));
	else if (t->rows.n)
		t->list = (struct policy_source){ .document = t->rows.v[0].source.document };
	else
		t->list = (struct policy_source){ .document = 0 };
	read_claim(r, "external", &t->external, &t->external_source);
	read_claim(r, "unused_ports_closed", &t->unused_closed, &t->unused_source);
	/* Kept for reports and the comparison of documents; rows speak for themselves. */
	read_claim(r, "encryption", &unused_tri, &unused);
	static const char *const dated[] = { "support_ends", "life_ends" };
	for (size_t i = 0; i < 2; i++)
		if (conf_get(root, dated[i]))
			(void)read_cite(r, conf_get(conf_get(root, dated[i]), "cite"));
	return r->result;
}

/* ---- reading the long form ---- */

static void read_long_peer(struct reader *r, struct policy_model_row *row, const struct conf_node *n)
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
	}
	if (conf_bool(conf_get(n, "same_manufacturer"), false) && ++said)
		p.kind = POLICY_PEER_MAKER;
	if (conf_bool(conf_get(n, "local_networks"), false) && ++said)
		p.kind = POLICY_PEER_LOCAL;
	if (conf_bool(conf_get(n, "any"), false) && ++said)
		p.kind = POLICY_PEER_ANY;
	if (said != 1)
		FAULT(r, n, "a peer is one of role, ip, cidr, fqdn, same_manufacturer, local_networks, any");
	else
		add_peer(r, row, p);
}

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

static void read_titles(struct reader *r, struct policy_model_row *row, const struct conf_node *n)
{
	/* "site": the hospital gives the title */
	if (n && !(conf_is_scalar(n) && span_eq(conf_text(n, ""), span_str("site"))))
		READ_TEXTS(r, &row->titles, n);
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
	switch (conf_word(declared, encryptions, -1)) {
	case 0:
		if (row->tls == POLICY_TLS_YES)
			FAULT(r, declared, "%s is encrypted by its name, yet the row declares none",
			      policy_proto_name(row->proto));
		break;
	case 1: case 4: row->tls = POLICY_TLS_OPTIONAL; break;
	case 2: row->tls = POLICY_TLS_YES; break;
	default: break;
	}
	read_titles(r, row, conf_get(conf_get(app_node, "dicom"), "calling_ae"));
	READ_TEXTS(r, &row->messages, conf_get(conf_get(app_node, "hl7"), "messages"));
	READ_TEXTS(r, &row->apps, conf_get(conf_get(app_node, "hl7"), "sending_app"));
}

static void read_long_row(struct reader *r, const struct conf_node *n)
{
	struct policy_model_row *row = add_row(r, conf_text(conf_get(n, "id"), ""), n);
	if (!row)
		return;
	bool ports_matter = read_transport(r, row, conf_get(n, "transport"));
	int initiator = conf_word(conf_get(n, "initiator"), initiators, 0);
	int listener = conf_word(conf_get(n, "listen_on"), listeners, -1);
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
	row->disabled = conf_word(conf_get(n, "default_state"), default_states, 0) == 1;
	const struct conf_node *peers = conf_get(n, "peers");
	for (size_t i = 0; i < conf_count(peers); i++)
		read_long_peer(r, row, conf_at(peers, i));
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

/* An MDS2 answer as a claim. */
static void read_answer(struct reader *r, const char *question, uint32_t mds2_doc, enum conf_tri *ret,
			struct policy_source *ret_source)
{
	const struct conf_node *n = conf_get(conf_get(conf_get(conf_get(conf_root(r->doc), "mds2"), "answers"), question), "a");
	struct span a = conf_text(n, "");
	*ret_source = (struct policy_source){ .document = mds2_doc, .row = span_str(question) };
	if (span_eq(a, span_str("yes")))
		*ret = CONF_TRI_YES;
	else if (span_eq(a, span_str("no")))
		*ret = CONF_TRI_NO;
}

static int read_long(struct reader *r)
{
	const struct conf_node *root = conf_root(r->doc);
	if (conf_check(r->doc, root, long_keys, r->rep))
		return ERR_CONFIG;
	check_schema(r);
	if (!(r->t = begin(r, conf_text(conf_get(root, "id"), ""))))
		return r->result;
	struct policy_model_type *t = r->t;
	const struct conf_node *maker = conf_get(root, "manufacturer");
	const struct conf_node *contact = conf_get(conf_get(maker, "contacts"), "psirt");
	t->maker = conf_text(conf_get(maker, "name"), "");
	t->model = conf_text(conf_get(conf_get(root, "model"), "name"), "");
	t->psirt = conf_text(conf_get(contact, "email"), "");
	if (!t->psirt.n)
		t->psirt = conf_text(conf_get(contact, "tel"), "");
	const struct conf_node *sources = conf_get(root, "sources");
	uint32_t table = POLICY_NO_DOCUMENT, mds2_doc = POLICY_NO_DOCUMENT;
	for (size_t i = 0; i < conf_count(sources); i++) {
		struct policy_document *d = POLICY_MODEL_ADD(&t->documents);
		const struct conf_node *n = conf_at(sources, i);
		if (!d)
			return -ENOMEM;
		d->key = conf_text(conf_get(n, "id"), "");
		d->type = conf_text(conf_get(n, "type"), "");
		d->id = conf_text(conf_get(n, "doc_id"), "");
		d->revision = conf_text(conf_get(n, "revision"), "");
		for (size_t k = 0; k < i; k++)
			if (span_eq(t->documents.v[k].key, d->key))
				FAULT(r, n, "two sources are called %.*s", SHOW(d->key));
		if (table == POLICY_NO_DOCUMENT && span_eq(d->type, span_str("port-table")))
			table = (uint32_t)i;
		if (mds2_doc == POLICY_NO_DOCUMENT && d->type.n >= 4 && !memcmp(d->type.p, "mds2", 4))
			mds2_doc = (uint32_t)i;
	}
	const struct conf_node *ports = conf_get(root, "ports");
	for (size_t i = 0; i < conf_count(ports); i++)
		read_long_row(r, conf_at(ports, i));
	read_infrastructure(r, conf_get(root, "infrastructure"));
	const struct conf_node *list = conf_get(root, "port_list");
	t->complete = (enum policy_complete)conf_word(conf_get(list, "completeness"), completes, POLICY_COMPLETE_UNKNOWN);
	t->list = (struct policy_source){ .document = table != POLICY_NO_DOCUMENT ? table : 0 };
	read_answer(r, "CONN-4", mds2_doc, &t->external, &t->external_source);
	read_answer(r, "SAHD-8", mds2_doc, &t->unused_closed, &t->unused_source);
	if (conf_get(list, "unused_ports_closed") && t->unused_closed == CONF_TRI_UNKNOWN) {
		t->unused_closed = conf_tri(conf_get(list, "unused_ports_closed"));
		t->unused_source = (struct policy_source){ .document = t->list.document,
							   .row = span_str("unused_ports_closed") };
	}
	/* Without the form in the sources, its answers are quoted from the first document. */
	if (t->external_source.document == POLICY_NO_DOCUMENT)
		t->external_source.document = 0;
	if (t->unused_source.document == POLICY_NO_DOCUMENT)
		t->unused_source.document = 0;
	return r->result;
}

int policy_types_read(struct policy_model *m, const struct conf_doc *doc, const char *file, struct conf_report *rep)
{
	struct reader r = { .m = m, .doc = doc, .file = file, .rep = rep };
	const struct conf_node *root = conf_root(doc);
	if (conf_is_map(root) && conf_get(root, "device_type"))
		return read_short(&r);
	const struct conf_node *kind = conf_is_map(root) ? conf_get(root, "kind") : NULL;
	static const char *const known[] = { "device-type", "site", "inventory" };
	/* What else is wrong with such a file, judged as a device type, would only lead astray. */
	if (kind && conf_is_scalar(kind) && !span_eq(conf_text(kind, ""), span_str(known[0]))) {
		const char *near = conf_nearest(conf_text(kind, ""), known, sizeof(known) / sizeof(*known));
		conf_fault(doc, kind, rep, "no such kind of file; expected device-type, site or inventory%s%s%s",
			   near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
		return ERR_CONFIG;
	}
	if (kind)
		return read_long(&r);
	conf_fault(doc, root, rep, "does not say what it is; expected device_type: NAME (a device type in the short form), or "
				   "kind: device-type, site or inventory");
	return ERR_CONFIG;
}
