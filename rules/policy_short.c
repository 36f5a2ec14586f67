/* The short form of a device type, and the long form it means: what stands in it comes out as sources, rows and claims with
 * the lines they were written in, so that one reader serves both. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/conf_make.h"
#include "core/err.h"
#include "rules/policy_keys.h"
#include "rules/policy_model.h"

enum { NAME = POLICY_KEYS_NAME, TEXT = POLICY_KEYS_TEXT };

static const struct conf_key name_item[] = { { .name = "name", .kind = CONF_TEXT, .min = 1, .max = NAME }, { 0 } };
static const struct conf_key title_item[] = {
	{ .name = "AE title", .kind = CONF_TEXT, .min = 1, .max = POLICY_TABLE_AE }, { 0 }
};
static const struct conf_key names_or_one[] = {
	{ .name = "one", .kind = CONF_TEXT, .min = 1, .max = NAME },
	{ .name = "list", .kind = CONF_LIST, .keys = name_item, .min = 1 },
	{ 0 }
};
static const struct conf_key titles_or_one[] = {
	{ .name = "one", .kind = CONF_TEXT, .min = 1, .max = POLICY_TABLE_AE },
	{ .name = "list", .kind = CONF_LIST, .keys = title_item },
	{ 0 }
};

static const struct conf_key document[] = {
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = POLICY_KEYS_DOCUMENT, .doc = "its number or title" },
	{ .name = "revision", .kind = CONF_TEXT, .required = true, .min = 1, .max = POLICY_KEYS_REVISION },
	{ .name = "date", .kind = CONF_DATE },
	{ .name = "type", .kind = CONF_TEXT, .min = 1, .max = NAME, .doc = "absent: the name it has here" },
	{ .name = "file", .kind = CONF_TEXT },
	{ .name = "sha256", .kind = CONF_TEXT },
	{ .name = "title", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key document_item[] = { { .name = "document", .kind = CONF_MAP, .keys = document }, { 0 } };

static const struct conf_key claim[] = {
	{ .name = "answer", .kind = CONF_TRI, .required = true },
	{ .name = "cite", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME, .doc = "document and row" },
	{ .name = "note", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key dated_claim[] = {
	{ .name = "date", .kind = CONF_DATE, .required = true },
	{ .name = "cite", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME },
	{ .name = "note", .kind = CONF_TEXT },
	{ 0 }
};

static const char *const only_yes[] = { "yes", NULL };
#define SHORT_PROTO(SYM, name_, ...) { .name = name_, .kind = CONF_PORTS },
/* `tls` is both a protocol (tls: 8443) and a claim beside another one (tls: yes), ICMP has no ports; the first entry of a name
 * counts. */
#define SHORT_ROW(under_, peers_, other_)                                                                              \
	{ .name = other_, .kind = CONF_REFUSED, .doc = "a row under " under_ " has '" peers_ "'" },                \
	{ .name = "icmp", .kind = CONF_WORD, .words = only_yes, .doc = "yes: it has no ports" },                   \
	{ .name = "tls", .kind = CONF_ANY, .doc = "port of a TLS service, or yes: declared as encrypted" },        \
	POLICY_PROTO_LIST(SHORT_PROTO)                                                                             \
	{ .name = peers_, .kind = CONF_ONE_OF, .required = true, .keys = names_or_one, .doc = "peers" },           \
	{ .name = "cite", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME, .doc = "document, row" },    \
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

static const struct conf_key row_out[] = { SHORT_ROW("out", "to", "from") };
static const struct conf_key row_in[] = { SHORT_ROW("in", "from", "to") };
static const struct conf_key out_item[] = { { .name = "row", .kind = CONF_MAP, .keys = row_out }, { 0 } };
static const struct conf_key in_item[] = { { .name = "row", .kind = CONF_MAP, .keys = row_in }, { 0 } };

static const struct conf_key list_keys[] = {
	{ .name = "completeness", .kind = CONF_WORD, .required = true, .words = policy_long_keys_completes },
	{ .name = "cite", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME },
	{ 0 }
};
static const struct conf_key list_or_word[] = {
	{ .name = "word", .kind = CONF_WORD, .words = policy_long_keys_completes },
	{ .name = "map", .kind = CONF_MAP, .keys = list_keys },
	{ 0 }
};

const struct conf_key policy_short_keys[] = {
	{ .name = "format", .kind = CONF_TEXT, .doc = "spanward/1" },
	{ .name = "schema", .kind = CONF_TEXT, .doc = "older name of format" },
	{ .name = "device_type", .kind = CONF_TEXT, .required = true, .min = 1, .max = NAME },
	{ .name = "revision", .kind = CONF_TEXT, .min = 1, .max = POLICY_KEYS_REVISION, .doc = "of this file" },
	{ .name = "maker", .kind = CONF_TEXT, .required = true, .min = 1, .max = POLICY_KEYS_LABEL },
	{ .name = "model", .kind = CONF_TEXT, .required = true, .min = 1, .max = POLICY_KEYS_LABEL },
	{ .name = "documents", .kind = CONF_MAP_OF, .required = true, .keys = document_item, .min = 1 },
	{ .name = "psirt", .kind = CONF_TEXT },
	{ .name = "port_list", .kind = CONF_ONE_OF, .required = true, .keys = list_or_word },
	{ .name = "unused_ports_closed", .kind = CONF_MAP, .keys = claim },
	{ .name = "external", .kind = CONF_MAP, .keys = claim },
	{ .name = "encryption", .kind = CONF_MAP, .keys = claim },
	{ .name = "remote_service", .kind = CONF_MAP, .keys = claim },
	{ .name = "support_ends", .kind = CONF_MAP, .keys = dated_claim },
	{ .name = "life_ends", .kind = CONF_MAP, .keys = dated_claim },
	{ .name = "infrastructure", .kind = CONF_LIST, .keys = name_item },
	{ .name = "out", .kind = CONF_MAP_OF, .keys = out_item, .doc = "the device connects" },
	{ .name = "in", .kind = CONF_MAP_OF, .keys = in_item, .doc = "the device listens" },
	{ .name = "note", .kind = CONF_TEXT, .max = TEXT },
	{ .name = "extensions", .kind = CONF_ANY },
	{ 0 }
};

/* ---- the long form of it ---- */

struct convert {
	const struct conf_doc *from;
	struct conf_report *rep;
	struct conf_doc *to;
	int result;
};

#define FAULT(c, node, ...)                                                \
	do {                                                               \
		conf_fault((c)->from, (node), (c)->rep, __VA_ARGS__);      \
		(c)->result = ERR_CONFIG;                                  \
	} while (0)
#define SHOW(s) (int)((s).n > 64 ? 64 : (s).n), (const char *)(s).p

static struct conf_node *put_map(struct convert *c, struct conf_node *parent, const char *key, const struct conf_node *like)
{
	return conf_make_map(c->to, parent, span_str(key), like);
}

static struct conf_node *put_list(struct convert *c, struct conf_node *parent, const char *key, const struct conf_node *like)
{
	return conf_make_list(c->to, parent, span_str(key), like);
}

static void put_text(struct convert *c, struct conf_node *parent, const char *key, struct span text, const struct conf_node *like)
{
	(void)conf_make_text(c->to, parent, span_str(key), text, like);
}

/* The text of a scalar under another name, in quotes however it was written. */
static void move_text(struct convert *c, const struct conf_node *map, const char *from, struct conf_node *parent, const char *key)
{
	const struct conf_node *n = conf_get(map, from);
	if (n)
		put_text(c, parent, key, conf_text(n, ""), n);
}

/* One text or a list of them, as a list. */
static void move_texts(struct convert *c, const struct conf_node *n, struct conf_node *parent, const char *key)
{
	if (!n)
		return;
	struct conf_node *list = put_list(c, parent, key, n);
	for (size_t i = 0; i < (conf_is_list(n) ? conf_count(n) : 1); i++) {
		const struct conf_node *e = conf_is_list(n) ? conf_at(n, i) : n;
		(void)conf_make_text(c->to, list, (struct span){ 0 }, conf_text(e, ""), e);
	}
}

/* "ifu X-1": a document of this file and a row in it. */
static void put_cite(struct convert *c, struct conf_node *parent, const struct conf_node *n)
{
	struct span text = span_trim(conf_text(n, ""));
	size_t k = 0;
	while (k < text.n && text.p[k] != ' ')
		k++;
	struct span row = span_trim(span_from(text, k)), source = { text.p, k };
	if (!row.n) {
		/* What stands there is one of the documents, or else a row of one. */
		const struct conf_node *documents = conf_get(conf_root(c->from), "documents");
		struct span any = conf_count(documents) ? conf_key_at(documents, 0) : span_str("ifu");
		bool known = false;
		for (size_t i = 0; i < conf_count(documents); i++)
			known = known || span_eq(conf_key_at(documents, i), text);
		FAULT(c, n, "a citation is a document and a row in it, as in: %.*s %.*s", SHOW(known ? text : any),
		      SHOW(known ? span_str("X-1") : text));
		/* Said once: a row alone is not called an unknown document as well. */
		source = known ? source : any;
		row = span_str("-");
	}
	struct conf_node *list = put_list(c, parent, "sources", n);
	(void)conf_make_text(c->to, list, (struct span){ 0 }, source, n);
	put_text(c, parent, "row", row, n);
}

static void put_peer(struct convert *c, struct conf_node *list, const struct conf_node *n)
{
	struct span name = conf_text(n, "");
	struct prefix prefix;
	struct conf_node *peer = conf_make_map(c->to, list, (struct span){ 0 }, n);
	int err = addr_parse_prefix(name, &prefix);
	if (span_eq(name, span_str("any")))
		(void)conf_make_plain(c->to, peer, span_str("any"), "true", n);
	else if (span_eq(name, span_str("local_networks")) || span_eq(name, span_str("local")))
		(void)conf_make_plain(c->to, peer, span_str("local_networks"), "true", n);
	else if (span_eq(name, span_str("same_manufacturer")))
		(void)conf_make_plain(c->to, peer, span_str("same_manufacturer"), "true", n);
	else if (!err)
		put_text(c, peer, memchr(name.p, '/', name.n) ? "cidr" : "ip", name, n);
	else if (err == -ERANGE) {
		FAULT(c, n, "%.*s has bits set behind its prefix length", SHOW(name));
		(void)conf_make_plain(c->to, peer, span_str("any"), "true", n);
	} else
		put_text(c, peer, name.n && memchr(name.p, '.', name.n) ? "fqdn" : "role", name, n);
}

static void put_ports(struct convert *c, struct conf_node *row, const struct conf_node *n)
{
	struct conf_port_range v[CONF_MAX_PORTS];
	size_t count = conf_ports(n, v, CONF_MAX_PORTS);
	struct conf_node *list = put_list(c, row, "port", n);
	for (size_t i = 0; i < count; i++) {
		char text[16];
		bool range = v[i].lo != v[i].hi;
		(void)snprintf(text, sizeof(text), range ? "%u-%u" : "%u", v[i].lo, v[i].hi);
		struct conf_node *e = conf_make_map(c->to, list, (struct span){ 0 }, n);
		put_text(c, e, range ? "range" : "value", span_str(text), n);
	}
}

/* What a row says of its protocol: the node of its ports, or NULL after a fault. */
static const struct conf_node *find_protocol(struct convert *c, struct span id, const struct conf_node *n, unsigned *ret_proto,
					     int *ret_tls)
{
	static const char *const yes_no[] = { "yes", "no", NULL };
	const struct conf_node *said = NULL, *tls = conf_get(n, "tls");
	struct conf_port_range one;
	*ret_tls = conf_word(tls, yes_no, -1);
	bool broken = tls && *ret_tls < 0 && !conf_ports(tls, &one, 1), twice = false;
	if (broken)
		FAULT(c, tls, "expected the port of a TLS service, or yes or no beside another protocol");
	for (unsigned i = 0; i < POLICY_PROTOS; i++) {
		const struct conf_node *ports = conf_get(n, policy_proto_name(i));
		if (!ports || (ports == tls && (*ret_tls >= 0 || broken)))
			continue;
		if (said)
			FAULT(c, ports, "a row declares one protocol; make this a row of its own");
		twice = twice || said;
		said = ports;
		*ret_proto = i;
	}
	if (!said && !broken)
		FAULT(c, n, "row %.*s names no protocol: say tcp, udp, dicom, hl7, https, ... and its port", SHOW(id));
	if (said && *ret_tls == 1 && policy_proto_tls(*ret_proto) == POLICY_TLS_YES) {
		FAULT(c, tls, "%s is encrypted by its name, yet the row says tls: no", policy_proto_name(*ret_proto));
		return NULL;
	}
	return twice || broken ? NULL : said;
}

/* yes and no have a place in the long form; what is neither is kept beside it. */
static void put_state(struct convert *c, const struct conf_node *n, struct conf_node *row)
{
	const struct conf_node *optional = conf_get(n, "optional"), *disabled = conf_get(n, "disabled");
	enum conf_tri o = conf_tri(optional), d = conf_tri(disabled);
	struct conf_node *rest = NULL;
	if (o == CONF_TRI_YES || o == CONF_TRI_NO)
		(void)conf_make_plain(c->to, row, span_str("required"), o == CONF_TRI_NO ? "true" : "false", optional);
	if (d == CONF_TRI_YES)
		put_text(c, row, "default_state", span_str("disabled"), disabled);
	else if (o == CONF_TRI_YES)
		put_text(c, row, "default_state", span_str("configurable"), optional);
	else if (d == CONF_TRI_NO)
		put_text(c, row, "default_state", span_str("enabled"), disabled);
	bool odd_o = optional && o != CONF_TRI_YES && o != CONF_TRI_NO, odd_d = disabled && d != CONF_TRI_YES && d != CONF_TRI_NO;
	if (odd_o || odd_d || (o == CONF_TRI_YES && d == CONF_TRI_NO))
		rest = put_map(c, row, "extensions", n);
	if (odd_o)
		put_text(c, rest, "optional", conf_text(optional, ""), optional);
	if (odd_d || (o == CONF_TRI_YES && d == CONF_TRI_NO))
		put_text(c, rest, "disabled", conf_text(disabled, ""), disabled);
}

static void put_app(struct convert *c, const struct conf_node *n, struct conf_node *row, unsigned proto, int tls)
{
	struct conf_node *app = put_map(c, row, "app", n);
	put_text(c, app, "protocol", span_str(policy_proto_name(proto)), n);
	const struct conf_node *ae = conf_get(n, "ae");
	if (ae)
		move_texts(c, ae, put_map(c, app, "dicom", ae), "calling_ae");
	if (conf_get(n, "messages") || conf_get(n, "sending_app")) {
		struct conf_node *hl7 = put_map(c, app, "hl7", n);
		move_texts(c, conf_get(n, "messages"), hl7, "messages");
		move_texts(c, conf_get(n, "sending_app"), hl7, "sending_app");
	}
	if (tls >= 0)
		put_text(c, put_map(c, row, "encryption", conf_get(n, "tls")), "declared", span_str(tls ? "none" : "tls"),
			 conf_get(n, "tls"));
}

/* A row with a fault is said and left out: judged as a long row it would only be said again. */
static void put_row(struct convert *c, struct conf_node *list, struct span id, const struct conf_node *n, bool out)
{
	static const char *const transports[] = { "tcp", "udp", "icmp" };
	unsigned proto = 0;
	int tls = -1;
	const struct conf_node *ports = find_protocol(c, id, n, &proto, &tls), *peers = conf_get(n, out ? "to" : "from");
	struct conf_node *row = ports ? conf_make_map(c->to, list, (struct span){ 0 }, n) : NULL;
	put_text(c, row, "id", id, n);
	move_text(c, n, "function", row, "function");
	put_state(c, n, row);
	unsigned transport = policy_proto_transport(proto);
	put_text(c, row, "transport", span_str(transports[transport < 3 ? transport : 0]), n);
	put_text(c, row, "initiator", span_str(out ? "device" : "peer"), n);
	put_text(c, row, "listen_on", span_str(out ? "peer" : "device"), n);
	if (transport != OBSERVATION_ICMP)
		put_ports(c, row, ports);
	put_app(c, n, row, proto, tls);
	move_text(c, n, "phi", row, "phi");
	struct conf_node *to = put_list(c, row, "peers", peers);
	for (size_t i = 0; peers && i < (conf_is_list(peers) ? conf_count(peers) : 1); i++)
		put_peer(c, to, conf_is_list(peers) ? conf_at(peers, i) : peers);
	(void)conf_make_copy(c->to, row, span_str("max_peers"), conf_get(n, "peers"));
	put_cite(c, row, conf_get(n, "cite"));
	move_text(c, n, "note", row, "note");
}

static void put_claim(struct convert *c, struct conf_node **claims, struct conf_node *root, const char *key)
{
	const struct conf_node *n = conf_get(conf_root(c->from), key);
	if (!n)
		return;
	if (!*claims)
		*claims = put_map(c, root, "claims", n);
	struct conf_node *to = put_map(c, *claims, key, n);
	move_text(c, n, "answer", to, "answer");
	put_cite(c, to, conf_get(n, "cite"));
	move_text(c, n, "note", to, "note");
}

static void put_dated(struct convert *c, struct conf_node **life, struct conf_node *root, const char *from, const char *key)
{
	const struct conf_node *n = conf_get(conf_root(c->from), from);
	if (!n)
		return;
	if (!*life)
		*life = put_map(c, root, "lifecycle", n);
	struct conf_node *to = put_map(c, *life, key, n);
	move_text(c, n, "date", to, "date");
	put_cite(c, to, conf_get(n, "cite"));
	move_text(c, n, "note", to, "note");
}

static void put_documents(struct convert *c, struct conf_node *root, const struct conf_node *from)
{
	static const char *const rest[] = { "revision", "date", "title", "file", "sha256" };
	struct conf_node *list = put_list(c, root, "sources", from);
	for (size_t i = 0; i < conf_count(from); i++) {
		const struct conf_node *n = conf_at(from, i);
		struct conf_node *to = conf_make_map(c->to, list, (struct span){ 0 }, n);
		put_text(c, to, "id", conf_key_at(from, i), n);
		put_text(c, to, "type", conf_get(n, "type") ? conf_text(conf_get(n, "type"), "") : conf_key_at(from, i), n);
		move_text(c, n, "id", to, "doc_id");
		for (size_t k = 0; k < sizeof(rest) / sizeof(rest[0]); k++)
			move_text(c, n, rest[k], to, rest[k]);
	}
}

static void put_maker(struct convert *c, struct conf_node *root, const struct conf_node *from)
{
	const struct conf_node *maker = conf_get(from, "maker"), *psirt = conf_get(from, "psirt");
	struct conf_node *to = put_map(c, root, "manufacturer", maker);
	move_text(c, from, "maker", to, "name");
	if (psirt) {
		struct span s = conf_text(psirt, "");
		bool mail = memchr(s.p, '@', s.n) && !memchr(s.p, ' ', s.n);
		put_text(c, put_map(c, put_map(c, to, "contacts", psirt), "psirt", psirt), mail ? "email" : "text", s, psirt);
	}
	move_text(c, from, "model", put_map(c, root, "model", conf_get(from, "model")), "name");
}

/* Without a citation of its own the list is what the first row cites, without rows the first document. */
static void put_port_list(struct convert *c, struct conf_node *root, const struct conf_node *from, const struct conf_node *rows)
{
	const struct conf_node *list = conf_get(from, "port_list");
	struct conf_node *to = put_map(c, root, "port_list", list);
	bool map = conf_is_map(list);
	const struct conf_node *word = map ? conf_get(list, "completeness") : list;
	put_text(c, to, "completeness", conf_text(word, ""), word);
	if (map)
		put_cite(c, to, conf_get(list, "cite"));
	else if (conf_count(rows)) {
		/* One that is no document of the file is said at the row that cites it. */
		const struct conf_node *sources = conf_get(conf_at(rows, 0), "sources"), *documents = conf_get(from, "documents");
		for (size_t i = 0; i < conf_count(documents); i++)
			if (span_eq(conf_key_at(documents, i), conf_text(conf_at(sources, 0), "")))
				(void)conf_make_copy(c->to, to, span_str("sources"), sources);
	}
}

int policy_short_convert(const struct conf_doc *doc, const char *file, struct conf_doc **ret, struct conf_report *rep)
{
	const struct conf_node *from = conf_root(doc);
	if (conf_check(doc, from, policy_short_keys, rep))
		return ERR_CONFIG;
	struct convert c = { .from = doc, .rep = rep, .to = conf_make(file, from) };
	struct conf_node *root = conf_make_root(c.to), *claims = NULL, *life = NULL;
	if (!root)
		return -ENOMEM;
	const struct conf_node *format = conf_get(from, "format") ? conf_get(from, "format") : conf_get(from, "schema");
	if (format)
		put_text(&c, root, "format", conf_text(format, ""), format);
	put_text(&c, root, "kind", span_str("device-type"), from);
	move_text(&c, from, "device_type", root, "id");
	put_text(&c, root, "revision", conf_text(conf_get(from, "revision"), "1"), conf_get(from, "revision"));
	put_documents(&c, root, conf_get(from, "documents"));
	put_maker(&c, root, from);
	put_dated(&c, &life, root, "life_ends", "eol");
	put_dated(&c, &life, root, "support_ends", "eos");
	static const char *const said[] = { "external", "unused_ports_closed", "encryption", "remote_service" };
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		put_claim(&c, &claims, root, said[i]);
	const struct conf_node *out = conf_get(from, "out"), *in = conf_get(from, "in");
	struct conf_node *rows = put_list(&c, root, "ports", out ? out : in);
	for (size_t i = 0; i < conf_count(out); i++)
		put_row(&c, rows, conf_key_at(out, i), conf_at(out, i), true);
	for (size_t i = 0; i < conf_count(in); i++)
		put_row(&c, rows, conf_key_at(in, i), conf_at(in, i), false);
	put_port_list(&c, root, from, rows);
	(void)conf_make_copy(c.to, root, span_str("infrastructure"), conf_get(from, "infrastructure"));
	move_text(&c, from, "note", root, "note");
	(void)conf_make_copy(c.to, root, span_str("extensions"), conf_get(from, "extensions"));
	if (!conf_make_ok(c.to)) {
		conf_free(c.to);
		return -ENOMEM;
	}
	*ret = c.to;
	return c.result;
}
