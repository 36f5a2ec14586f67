/* The inventory: which unit is where. YAML, or a CSV line per unit (RFC 4180 with a header line). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/utf8.h"
#include "rules/policy_model.h"

enum { MAX_NAME = 64 };

static const struct conf_key name_item[] = { { .name = "name", .kind = CONF_TEXT, .min = 1, .max = MAX_NAME }, { 0 } };
static const struct conf_key title_item[] = {
	{ .name = "AE title", .kind = CONF_TEXT, .min = 1, .max = POLICY_TABLE_AE }, { 0 }
};
static const struct conf_key titles_or_one[] = {
	{ .name = "one", .kind = CONF_TEXT, .min = 1, .max = POLICY_TABLE_AE },
	{ .name = "list", .kind = CONF_LIST, .keys = title_item },
	{ 0 }
};
static const struct conf_key ports_item[] = { { .name = "port", .kind = CONF_PORTS }, { 0 } };
static const struct conf_key ports_or_one[] = {
	{ .name = "one", .kind = CONF_PORTS }, { .name = "list", .kind = CONF_LIST, .keys = ports_item }, { 0 }
};

static const struct conf_key select_keys[] = {
	{ .name = "ip", .kind = CONF_ADDR }, { .name = "mac", .kind = CONF_MAC },
	{ .name = "vlan", .kind = CONF_UINT, .min = 1, .max = 4094 },
	/* What a device says of itself: refused here with a better message than "unknown key". */
	{ .name = "ae_title", .kind = CONF_ANY }, { .name = "hostname", .kind = CONF_ANY },
	{ .name = "serial", .kind = CONF_ANY }, { .name = "tls_cert", .kind = CONF_ANY }, { .name = "hl7_app", .kind = CONF_ANY },
	{ 0 }
};
static const struct conf_key select_item[] = { { .name = "select", .kind = CONF_MAP, .keys = select_keys }, { 0 } };
static const struct conf_key corroborate[] = {
	{ .name = "ae_title", .kind = CONF_ONE_OF, .keys = titles_or_one },
	{ .name = "hostname", .kind = CONF_TEXT, .max = 253 }, { .name = "hl7_app", .kind = CONF_TEXT, .max = MAX_NAME },
	{ .name = "tls_cert", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key override_keys[] = {
	{ .name = "port", .kind = CONF_ONE_OF, .keys = ports_or_one },
	{ .name = "calling_ae", .kind = CONF_ONE_OF, .keys = titles_or_one },
	{ .name = "called_ae", .kind = CONF_ONE_OF, .keys = titles_or_one },
	{ .name = "note", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key override_item[] = { { .name = "override", .kind = CONF_MAP, .keys = override_keys }, { 0 } };

static const char *const modes[] = { "alert", "report", "learn", NULL };
static const char *const behinds[] = { "router", "wireless", "gateway", NULL };
static const char *const owners[] = { "owned", "leased", "loaner", "used", NULL };
static const struct conf_key owner_map[] = {
	{ .name = "kind", .kind = CONF_WORD, .words = owners }, { .name = "department", .kind = CONF_TEXT },
	{ .name = "dept", .kind = CONF_TEXT }, { .name = "clinical_contact", .kind = CONF_TEXT },
	{ .name = "lessor", .kind = CONF_TEXT }, { .name = "until", .kind = CONF_DATE }, { .name = "note", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key owner[] = {
	{ .name = "word", .kind = CONF_TEXT, .max = 128 }, { .name = "map", .kind = CONF_MAP, .keys = owner_map }, { 0 }
};
static const struct conf_key contact[] = {
	{ .name = "name", .kind = CONF_TEXT }, { .name = "email", .kind = CONF_TEXT }, { .name = "tel", .kind = CONF_TEXT },
	{ .name = "text", .kind = CONF_TEXT }, { .name = "note", .kind = CONF_TEXT }, { 0 }
};
static const struct conf_key contact_item[] = { { .name = "contact", .kind = CONF_MAP, .keys = contact }, { 0 } };
static const struct conf_key legacy[] = {
	{ .name = "state", .kind = CONF_WORD, .words = policy_long_keys_legacy_states, .required = true },
	{ .name = "reason", .kind = CONF_TEXT, .required = true, .min = 1, .max = 4096 },
	{ .name = "by", .kind = CONF_TEXT, .required = true, .min = 1 }, { .name = "until", .kind = CONF_DATE },
	{ 0 }
};
static const struct conf_key unit[] = {
	{ .name = "id", .kind = CONF_TEXT, .required = true, .min = 1, .max = MAX_NAME },
	{ .name = "type", .kind = CONF_TEXT, .max = MAX_NAME },
	{ .name = "select", .kind = CONF_LIST, .keys = select_item, .required = true, .min = 1 },
	{ .name = "corroborate", .kind = CONF_MAP, .keys = corroborate },
	{ .name = "serial", .kind = CONF_TEXT }, { .name = "location", .kind = CONF_TEXT, .max = 128 },
	{ .name = "zone", .kind = CONF_TEXT, .max = MAX_NAME }, { .name = "owner", .kind = CONF_ONE_OF, .keys = owner },
	{ .name = "software_version", .kind = CONF_TEXT }, { .name = "asset_number", .kind = CONF_TEXT },
	{ .name = "acquired", .kind = CONF_DATE },
	{ .name = "contacts", .kind = CONF_MAP_OF, .keys = contact_item, .doc = "dealer, lessor, repairer of this unit" },
	{ .name = "enabled", .kind = CONF_LIST, .keys = name_item },
	{ .name = "override", .kind = CONF_MAP_OF, .keys = override_item },
	{ .name = "mode", .kind = CONF_WORD, .words = modes },
	{ .name = "mode_until", .kind = CONF_DATE, .min = 1, .doc = "from then on: alert" },
	{ .name = "network_ends", .kind = CONF_DATE, .min = 1, .doc = "noted end of its use on the network" },
	{ .name = "legacy", .kind = CONF_MAP, .keys = legacy, .doc = "the hospital's decision after the end of support" },
	{ .name = "replaces", .kind = CONF_TEXT, .max = MAX_NAME, .doc = "the unit it stands in for" },
	{ .name = "behind", .kind = CONF_WORD, .words = behinds, .doc = "what hides its own hardware address" },
	{ .name = "documents", .kind = CONF_LIST, .keys = name_item, .doc = "papers at hand: mds2, sbom, ifu, ..." },
	{ .name = "risk_acceptance", .kind = CONF_ANY }, { .name = "note", .kind = CONF_TEXT, .max = 4096 },
	{ .name = "extensions", .kind = CONF_ANY },
	{ 0 }
};
static const struct conf_key standard[] = {
	{ .name = "type", .kind = CONF_TEXT, .min = 1, .max = MAX_NAME, .doc = "for units of this type" },
	{ .name = "zone", .kind = CONF_TEXT, .min = 1, .max = MAX_NAME, .doc = "for units of this zone" },
	{ .name = "enabled", .kind = CONF_LIST, .keys = name_item },
	{ .name = "mode", .kind = CONF_WORD, .words = modes },
	{ .name = "mode_until", .kind = CONF_DATE, .min = 1 },
	{ .name = "location", .kind = CONF_TEXT, .max = 128 },
	{ .name = "note", .kind = CONF_TEXT },
	{ 0 }
};
static const struct conf_key standard_item[] = { { .name = "defaults", .kind = CONF_MAP, .keys = standard }, { 0 } };
static const struct conf_key unit_item[] = { { .name = "device", .kind = CONF_MAP, .keys = unit }, { 0 } };
static const char *const kinds[] = { "inventory", NULL };
const struct conf_key policy_inventory_keys[] = {
	{ .name = "format", .kind = CONF_TEXT, .doc = "spanward/1" },
	{ .name = "schema", .kind = CONF_TEXT, .doc = "older name of format" },
	{ .name = "kind", .kind = CONF_WORD, .required = true, .words = kinds },
	{ .name = "revision", .kind = CONF_TEXT, .max = 32 },
	{ .name = "defaults", .kind = CONF_LIST, .keys = standard_item, .doc = "for units that do not say themselves" },
	{ .name = "devices", .kind = CONF_LIST, .keys = unit_item, .required = true },
	{ .name = "note", .kind = CONF_TEXT, .max = 4096 },
	{ .name = "extensions", .kind = CONF_ANY },
	{ 0 }
};

#define SHOW(s) (int)((s).n > 64 ? 64 : (s).n), (const char *)(s).p

/* ---- YAML ---- */

struct reader {
	struct policy_model *m;
	const struct conf_doc *doc;
	const char *file;
	struct conf_report *rep;
	int result;
};

#define FAULT(r, node, ...)                                                \
	do {                                                               \
		conf_fault((r)->doc, (node), (r)->rep, __VA_ARGS__);       \
		(r)->result = ERR_CONFIG;                                  \
	} while (0)

static struct policy_place place(const struct reader *r, const struct conf_node *n)
{
	return (struct policy_place){ .doc = r->doc, .node = n, .file = r->file };
}

static size_t many(const struct conf_node *n) { return !n ? 0 : conf_is_list(n) ? conf_count(n) : 1; }
static const struct conf_node *nth(const struct conf_node *n, size_t i) { return conf_is_list(n) ? conf_at(n, i) : n; }

static void read_select(struct reader *r, struct policy_model_unit *u, const struct conf_node *n)
{
	static const char *const said[] = { "ae_title", "hostname", "serial", "tls_cert", "hl7_app" };
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (conf_get(n, said[i]))
			FAULT(r, conf_get(n, said[i]), "%s is what a device says of itself, so it cannot assign one; put it "
			      "under corroborate", said[i]);
	struct policy_select *s = POLICY_MODEL_ADD(&u->selects);
	if (!s) {
		r->result = -ENOMEM;
		return;
	}
	s->at = place(r, n);
	s->has_ip = conf_addr(conf_get(n, "ip"), &s->ip);
	s->has_mac = conf_mac(conf_get(n, "mac"), &s->mac);
	s->vlan = (uint16_t)conf_uint(conf_get(n, "vlan"), 0);
	if (!s->has_ip && !s->has_mac && r->result == 0)
		FAULT(r, n, "an entry of select needs an ip or a mac");
}

static void add_titles(struct reader *r, struct policy_model_unit *u, const struct conf_node *n)
{
	for (size_t i = 0; i < many(n); i++) {
		struct policy_name *t = POLICY_MODEL_ADD(&u->titles);
		if (!t)
			r->result = -ENOMEM;
		else
			*t = (struct policy_name){ conf_text(nth(n, i), ""), place(r, nth(n, i)) };
	}
}

static void read_override(struct reader *r, struct policy_model_unit *u, struct span row, const struct conf_node *n)
{
	struct policy_override *o = POLICY_MODEL_ADD(&u->overrides);
	if (!o) {
		r->result = -ENOMEM;
		return;
	}
	o->row = row;
	o->at = place(r, n);
	const struct conf_node *ports = conf_get(n, "port");
	for (size_t i = 0; i < many(ports); i++) {
		struct conf_port_range got[POLICY_MODEL_MAX_PORTS];
		size_t k = conf_ports(nth(ports, i), got, POLICY_MODEL_MAX_PORTS);
		if (k > POLICY_MODEL_MAX_PORTS - o->n_ports) {
			FAULT(r, n, "an override has at most %d ports or ranges", POLICY_MODEL_MAX_PORTS);
			return;
		}
		memcpy(o->ports + o->n_ports, got, k * sizeof(got[0]));
		o->n_ports += k;
	}
	/* The title a unit calls itself by is its own; the one it calls is the peer's. */
	add_titles(r, u, conf_get(n, "calling_ae"));
}

static void read_defaults(struct reader *r, const struct conf_node *list)
{
	for (size_t i = 0; i < conf_count(list); i++) {
		const struct conf_node *n = conf_at(list, i), *enabled = conf_get(n, "enabled");
		struct policy_model_default *d = POLICY_MODEL_ADD(&r->m->defaults);
		if (!d) {
			r->result = -ENOMEM;
			return;
		}
		d->type = (struct policy_name){ conf_text(conf_get(n, "type"), ""), place(r, conf_get(n, "type")) };
		d->zone = (struct policy_name){ conf_text(conf_get(n, "zone"), ""), place(r, conf_get(n, "zone")) };
		d->mode = (enum policy_mode)conf_word(conf_get(n, "mode"), modes, POLICY_MODE_UNSAID);
		d->mode_until_ns = conf_date_ns(conf_get(n, "mode_until"), 0);
		d->location = conf_text(conf_get(n, "location"), "");
		if (!d->type.text.n && !d->zone.text.n)
			FAULT(r, n, "a default is for a type, a zone, or both");
		for (size_t k = 0; k < conf_count(enabled); k++) {
			struct policy_name *e = POLICY_MODEL_ADD(&d->enabled);
			if (e)
				*e = (struct policy_name){ conf_text(conf_at(enabled, k), ""), place(r, conf_at(enabled, k)) };
			else
				r->result = -ENOMEM;
		}
	}
}

int policy_inventory_read(struct policy_model *m, const struct conf_doc *doc, const char *file, struct conf_report *rep)
{
	struct reader r = { .m = m, .doc = doc, .file = file, .rep = rep };
	const struct conf_node *root = conf_root(doc), *devices;
	if (policy_types_refuse_seen(doc, rep) || conf_check(doc, root, policy_inventory_keys, rep))
		return ERR_CONFIG;
	r.result = policy_types_check_format(doc, rep);
	m->has_inventory = true;
	m->inventory_file = file;
	m->inventory_revision = conf_text(conf_get(root, "revision"), "");
	read_defaults(&r, conf_get(root, "defaults"));
	devices = conf_get(root, "devices");
	for (size_t i = 0; i < conf_count(devices); i++) {
		const struct conf_node *n = conf_at(devices, i), *select = conf_get(n, "select");
		const struct conf_node *enabled = conf_get(n, "enabled"), *overrides = conf_get(n, "override");
		struct policy_model_unit *u = POLICY_MODEL_ADD(&m->units);
		if (!u)
			return -ENOMEM;
		u->id = conf_text(conf_get(n, "id"), "");
		u->at = place(&r, n);
		u->type = conf_text(conf_get(n, "type"), "");
		u->type_at = place(&r, conf_get(n, "type"));
		u->location = conf_text(conf_get(n, "location"), "");
		u->zone = conf_text(conf_get(n, "zone"), "");
		u->zone_at = place(&r, conf_get(n, "zone"));
		u->mode = (enum policy_mode)conf_word(conf_get(n, "mode"), modes, POLICY_MODE_UNSAID);
		u->mode_until_ns = conf_date_ns(conf_get(n, "mode_until"), 0);
		u->network_ends_ns = conf_date_ns(conf_get(n, "network_ends"), 0);
		u->behind = conf_get(n, "behind") != NULL;
		for (size_t k = 0; k < conf_count(select); k++)
			read_select(&r, u, conf_at(select, k));
		const struct conf_node *says = conf_get(n, "corroborate");
		add_titles(&r, u, conf_get(says, "ae_title"));
		u->marks[POLICY_MARK_HOSTNAME] = conf_text(conf_get(says, "hostname"), "");
		u->marks[POLICY_MARK_HL7_APP] = conf_text(conf_get(says, "hl7_app"), "");
		u->marks[POLICY_MARK_CERTIFICATE] = conf_text(conf_get(says, "tls_cert"), "");
		for (size_t k = 0; k < conf_count(enabled); k++) {
			struct policy_name *e = POLICY_MODEL_ADD(&u->enabled);
			if (!e)
				return -ENOMEM;
			*e = (struct policy_name){ conf_text(conf_at(enabled, k), ""), place(&r, conf_at(enabled, k)) };
		}
		for (size_t k = 0; k < conf_count(overrides); k++)
			read_override(&r, u, conf_key_at(overrides, k), conf_at(overrides, k));
	}
	return r.result;
}

/* ---- CSV ---- */

enum column { COL_ID, COL_TYPE, COL_IP, COL_MAC, COL_VLAN, COL_AE, COL_OPTIONS, COL_ZONE, COL_MODE, COL_MODE_UNTIL, COL_ENDS,
	      COL_LOCATION, COL_HOSTNAME,
	      COL_KEPT, COLUMNS };

static const struct { const char *name; enum column column; } columns[] = {
	{ "id", COL_ID }, { "type", COL_TYPE }, { "ip", COL_IP }, { "mac", COL_MAC }, { "vlan", COL_VLAN },
	{ "ae_title", COL_AE }, { "options", COL_OPTIONS }, { "zone", COL_ZONE }, { "mode", COL_MODE },
	{ "mode_until", COL_MODE_UNTIL }, { "network_ends", COL_ENDS },
	{ "location", COL_LOCATION }, { "ward", COL_LOCATION },
	{ "serial", COL_KEPT }, { "hostname", COL_HOSTNAME }, { "software_version", COL_KEPT }, { "owner", COL_KEPT },
	{ "note", COL_KEPT }, { "asset_number", COL_KEPT }, { "acquired", COL_KEPT }, { "department", COL_KEPT },
};
enum { NAMES = sizeof(columns) / sizeof(columns[0]), MAX_COLUMNS = 64 };

#define COLUMN_NAMES "id,type,ip,mac,vlan,ae_title,options,zone,mode,mode_until,ward (docs/profiles.md)"

struct csv {
	struct policy_model *m;
	struct cursor in;
	struct policy_place at;         /* of the next character */
	struct conf_report *rep;
	int result;
	uint8_t *out;                   /* where the next unquoted byte goes: fields are made in place */
	size_t room;
	size_t n_columns;
	enum column columns[MAX_COLUMNS];
	size_t n;                       /* fields of the current record */
	struct span v[MAX_COLUMNS];
	struct policy_place places[MAX_COLUMNS];
};

#define CSV_FAULT(c, place_, ...)                                          \
	do {                                                               \
		policy_load_fault((place_), (c)->rep, __VA_ARGS__);        \
		(c)->result = ERR_CONFIG;                                  \
	} while (0)

/* The next character; 0 at the end (a NUL never gets here: it is refused). */
static uint32_t peek(const struct csv *c)
{
	uint32_t cp = 0;
	if (cursor_left(&c->in))
		(void)utf8_next((struct span){ c->in.p, cursor_left(&c->in) }, &cp);
	return cp;
}

static struct span step(struct csv *c)
{
	uint32_t cp = 0;
	int n = utf8_next((struct span){ c->in.p, cursor_left(&c->in) }, &cp);
	if (cp == '\n') {
		c->at.line++;
		c->at.column = 1;
	} else {
		c->at.column++;
	}
	return cursor_take(&c->in, (size_t)n);
}

/* Refuses what is not text before anything is read: line and column of the first such byte. */
static bool is_text(struct csv *c, struct span text)
{
	struct policy_place at = c->at;
	for (size_t i = 0; i < text.n;) {
		uint32_t cp = 0;
		int n = utf8_next(span_from(text, i), &cp);
		if (n < 0) {
			CSV_FAULT(c, &at, "this byte is not UTF-8 (0x%02x); save the file as UTF-8", text.p[i]);
			return false;
		}
		bool newline = cp == '\n' || cp == '\r';
		if (!newline && cp != '\t' && utf8_is_control(cp)) {
			CSV_FAULT(c, &at, "a control character (U+%04X) is not allowed", (unsigned)cp);
			return false;
		}
		at.line += cp == '\n';
		at.column = cp == '\n' ? 1 : at.column + 1;
		i += (size_t)n;
	}
	return true;
}

static void append(struct csv *c, struct span s)
{
	/* The field is never longer than its source, so the copy has room. */
	if (s.n <= c->room) {
		memcpy(c->out, s.p, s.n);
		c->out += s.n;
		c->room -= s.n;
	}
}

/* RFC 4180, 2: a field, up to its comma or line end. False when it is broken. */
static bool read_field(struct csv *c)
{
	if (c->n == MAX_COLUMNS) {
		CSV_FAULT(c, &c->at, "a line has at most %d fields", MAX_COLUMNS);
		return false;
	}
	uint8_t *start = c->out;
	c->places[c->n] = c->at;
	if (peek(c) == '"') {
		struct policy_place open = c->at;
		(void)step(c);
		for (;;) {
			if (!cursor_left(&c->in)) {
				CSV_FAULT(c, &open, "this quote is never closed");
				return false;
			}
			struct span s = step(c);
			if (s.p[0] == '"') {
				if (peek(c) != '"')
					break;
				s = step(c);
			}
			append(c, s);
		}
		uint32_t next = peek(c);
		if (cursor_left(&c->in) && next != ',' && next != '\n' && next != '\r') {
			CSV_FAULT(c, &c->at, "text after a closing quote; a quote inside a field is written twice");
			return false;
		}
	} else {
		while (cursor_left(&c->in)) {
			uint32_t next = peek(c);
			if (next == ',' || next == '\n' || next == '\r')
				break;
			if (next == '"') {
				CSV_FAULT(c, &c->at, "a quote inside a field that is not quoted as a whole");
				return false;
			}
			append(c, step(c));
		}
	}
	c->v[c->n++] = span_trim((struct span){ start, (size_t)(c->out - start) });
	return true;
}

/* One line. 1, 0 at the end, -1 when it is broken (the rest cannot be trusted then). */
static int read_record(struct csv *c)
{
	c->n = 0;
	if (!cursor_left(&c->in))
		return 0;
	for (;;) {
		if (!read_field(c))
			return -1;
		uint32_t next = peek(c);
		if (cursor_left(&c->in) && next == ',') {
			(void)step(c);
			continue;
		}
		if (next == '\r')
			(void)step(c);
		if (cursor_left(&c->in)) {
			if (peek(c) != '\n') {
				CSV_FAULT(c, &c->at, "a carriage return that no line feed follows");
				return -1;
			}
			(void)step(c);
		}
		return 1;
	}
}

/* An empty line, or one of nothing but commas, as spreadsheets write them below a table. */
static bool blank(const struct csv *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].n)
			return false;
	return true;
}

static size_t column_of(struct span name)
{
	size_t k = 0;
	while (k < NAMES && !span_eq(name, span_str(columns[k].name)))
		k++;
	return k;
}

/* A first line that is no header at all is said once, not field by field. */
static bool is_header(struct csv *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (column_of(c->v[i]) < NAMES || conf_nearest(c->v[i], (const char *const[]){ "id", "type" }, 2))
			return true;
	bool semicolon = c->n == 1 && memchr(c->v[0].p, ';', c->v[0].n), tab = c->n == 1 && memchr(c->v[0].p, '\t', c->v[0].n);
	if (semicolon || tab)
		CSV_FAULT(c, &c->places[0], "the fields are separated by %s; expected ','", tab ? "tabs" : "';'");
	else
		CSV_FAULT(c, &c->places[0], "the first line must name the columns, and names none of them: " COLUMN_NAMES);
	return false;
}

static bool read_header(struct csv *c)
{
	struct policy_place start = c->at;
	int more;
	do {
		more = read_record(c);
	} while (more == 1 && blank(c));
	if (more <= 0) {
		if (!more)
			CSV_FAULT(c, &start, "the first line must name the columns: id,type,ip,mac,...");
		return false;
	}
	if (!is_header(c))
		return false;
	const char *names[NAMES];
	bool ok = true, have_id = false;
	for (size_t i = 0; i < NAMES; i++)
		names[i] = columns[i].name;
	c->n_columns = c->n;
	for (size_t i = 0; i < c->n; i++) {
		size_t k = column_of(c->v[i]);
		for (size_t j = 0; j < i && k < NAMES; j++)
			if (span_eq(c->v[j], c->v[i]) || (columns[k].column != COL_KEPT && c->columns[j] == columns[k].column)) {
				CSV_FAULT(c, &c->places[i], "column %.*s says the same as column %zu", SHOW(c->v[i]), j + 1);
				ok = false;
			}
		if (k == NAMES) {
			const char *near = conf_nearest(c->v[i], names, NAMES);
			CSV_FAULT(c, &c->places[i], "no column is called \"%.*s\"%s%s%s", SHOW(c->v[i]),
				  near ? "; did you mean " : ok ? "; there are: " COLUMN_NAMES : "", near ? near : "", near ? "?" : "");
			ok = false;
			c->columns[i] = COL_KEPT;
			continue;
		}
		c->columns[i] = columns[k].column;
		have_id = have_id || c->columns[i] == COL_ID;
	}
	if (ok && !have_id) {
		CSV_FAULT(c, &start, "the column id is missing");
		ok = false;
	}
	return ok;
}

/* "a+b", "a;b" or "a b" of one field, one by one. */
static bool next_word(struct span *rest, struct span *ret)
{
	size_t i = 0, k;
	while (i < rest->n && strchr("+; ", rest->p[i]) && rest->p[i])
		i++;
	for (k = i; k < rest->n && !strchr("+; ", rest->p[k]);)
		k++;
	*ret = (struct span){ rest->p + i, k - i };
	*rest = (struct span){ rest->p + k, rest->n - k };
	return ret->n > 0;
}

static struct policy_select *add_select(struct csv *c, struct policy_model_unit *u, const struct policy_place *at)
{
	struct policy_select *s = POLICY_MODEL_ADD(&u->selects);
	if (!s)
		c->result = -ENOMEM;
	else
		s->at = *at;
	return s;
}

static void read_value(struct csv *c, struct policy_model_unit *u, enum column column, struct span v,
		       const struct policy_place *at, uint64_t *vlan)
{
	struct span word, rest = v;
	struct policy_select *s;
	struct policy_name *n;
	switch (column) {
	case COL_ID:
		u->id = v;
		break;
	case COL_TYPE:
		u->type = v;
		u->type_at = *at;
		break;
	case COL_ZONE:
		u->zone = v;
		u->zone_at = *at;
		break;
	case COL_LOCATION:
		u->location = v;
		break;
	case COL_HOSTNAME:
		u->marks[POLICY_MARK_HOSTNAME] = v;
		break;
	case COL_MODE: {
		unsigned i = 0;
		while (modes[i] && !span_eq(v, span_str(modes[i])))
			i++;
		if (v.n && !modes[i])
			CSV_FAULT(c, at, "expected alert, report or learn, found \"%.*s\"", SHOW(v));
		else if (v.n)
			u->mode = (enum policy_mode)i;
		break;
	}
	case COL_MODE_UNTIL:
	case COL_ENDS:
		if (v.n && clock_parse(v, column == COL_ENDS ? &u->network_ends_ns : &u->mode_until_ns))
			CSV_FAULT(c, at, "expected a date (2026-03-20), found \"%.*s\"", SHOW(v));
		break;
	case COL_VLAN:
		for (size_t i = 0; i < v.n; i++) {
			if (v.p[i] < '0' || v.p[i] > '9' || *vlan > 4094) {
				*vlan = 5000;
				break;
			}
			*vlan = *vlan * 10 + (uint64_t)(v.p[i] - '0');
		}
		if (v.n && (*vlan == 0 || *vlan > 4094)) {
			CSV_FAULT(c, at, "expected a VLAN from 1 to 4094, found \"%.*s\"", SHOW(v));
			*vlan = 0;
		}
		break;
	case COL_IP:
		while (next_word(&rest, &word)) {
			if (!(s = add_select(c, u, at)))
				return;
			s->has_ip = !addr_parse(word, &s->ip);
			if (!s->has_ip)
				CSV_FAULT(c, at, "\"%.*s\" is not an IP address", SHOW(word));
		}
		break;
	case COL_MAC:
		while (next_word(&rest, &word)) {
			if (!(s = add_select(c, u, at)))
				return;
			s->has_mac = !addr_parse_mac(word, &s->mac);
			if (!s->has_mac)
				CSV_FAULT(c, at, "\"%.*s\" is not a hardware address", SHOW(word));
		}
		break;
	case COL_AE:
		/* Spaces are part of a title. */
		while (rest.n) {
			size_t k = 0;
			while (k < rest.n && rest.p[k] != '+' && rest.p[k] != ';')
				k++;
			word = span_trim((struct span){ rest.p, k });
			rest = k < rest.n ? span_from(rest, k + 1) : (struct span){ 0 };
			if (!word.n)
				continue;
			if (word.n > POLICY_TABLE_AE)
				CSV_FAULT(c, at, "an AE title has at most 16 characters, \"%.*s\" has more", SHOW(word));
			else if (!(n = POLICY_MODEL_ADD(&u->titles)))
				c->result = -ENOMEM;
			else
				*n = (struct policy_name){ word, *at };
		}
		break;
	case COL_OPTIONS:
		while (next_word(&rest, &word)) {
			if (!(n = POLICY_MODEL_ADD(&u->enabled))) {
				c->result = -ENOMEM;
				return;
			}
			*n = (struct policy_name){ word, *at };
		}
		break;
	default:
		break;
	}
}

static void read_line(struct csv *c, const struct policy_place *start)
{
	if (c->n != c->n_columns) {
		CSV_FAULT(c, start, "this line has %zu fields, the header has %zu", c->n, c->n_columns);
		return;
	}
	struct policy_model_unit *u = POLICY_MODEL_ADD(&c->m->units);
	if (!u) {
		c->result = -ENOMEM;
		return;
	}
	uint64_t vlan = 0;
	u->at = u->type_at = u->zone_at = *start;
	u->mode = POLICY_MODE_UNSAID;
	for (size_t i = 0; i < c->n; i++) {
		/* Notes and the like are kept as the YAML form keeps them. */
		size_t most = c->columns[i] == COL_KEPT ? POLICY_KEYS_TEXT : 256;
		if (c->v[i].n > most)
			CSV_FAULT(c, &c->places[i], "a field has at most %zu bytes", most);
		else if ((c->columns[i] == COL_ID || c->columns[i] == COL_TYPE || c->columns[i] == COL_ZONE) &&
			 c->v[i].n > MAX_NAME)
			CSV_FAULT(c, &c->places[i], "a name has at most %d bytes", MAX_NAME);
		else
			read_value(c, u, c->columns[i], c->v[i], &c->places[i], &vlan);
	}
	for (size_t i = 0; i < u->selects.n; i++)
		u->selects.v[i].vlan = (uint16_t)vlan;
	if (!u->id.n)
		CSV_FAULT(c, start, "this line has no id");
	else if (!u->selects.n)
		CSV_FAULT(c, start, "unit %.*s has neither ip nor mac", SHOW(u->id));
}

int policy_inventory_read_csv(struct policy_model *m, struct span text, const char *file, struct conf_report *rep)
{
	struct csv c = { .m = m, .rep = rep, .at = { .file = file, .line = 1, .column = 1 } };
	/* Quoted fields lose their quotes, so they need bytes of their own; one copy serves all of them. */
	char *copy = calloc(text.n ? text.n : 1, 1);
	char **slot = copy ? POLICY_MODEL_ADD(&m->memory) : NULL;
	if (!slot) {
		free(copy);
		return -ENOMEM;
	}
	*slot = copy;
	c.out = (uint8_t *)copy;
	c.room = text.n;
	/* A byte order mark (U+FEFF), as spreadsheets write it */
	if (text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3))
		text = span_from(text, 3);
	m->has_inventory = true;
	m->inventory_file = file;
	c.in = cursor_from(text);
	if (!is_text(&c, text) || !read_header(&c))
		return c.result;
	for (;;) {
		struct policy_place start = c.at;
		int more = read_record(&c);
		if (more <= 0 || c.result == -ENOMEM)
			return c.result;
		if (!blank(&c))
			read_line(&c, &start);
	}
}

/* ---- defaults ---- */

static bool is_for(const struct policy_name *wanted, struct span has) { return !wanted->text.n || span_eq(wanted->text, has); }

int policy_inventory_defaults(struct policy_model *m)
{
	for (size_t i = 0; i < m->units.n; i++) {
		struct policy_model_unit *u = &m->units.v[i];
		size_t own = u->enabled.n;
		for (size_t k = 0; k < m->defaults.n; k++) {
			const struct policy_model_default *d = &m->defaults.v[k];
			if (!is_for(&d->type, u->type) || !is_for(&d->zone, u->zone))
				continue;
			if (u->mode == POLICY_MODE_UNSAID && d->mode != POLICY_MODE_UNSAID) {
				u->mode = d->mode;
				u->mode_until_ns = u->mode_until_ns ? u->mode_until_ns : d->mode_until_ns;
			}
			if (!u->location.n)
				u->location = d->location;
			for (size_t e = 0; e < d->enabled.n && !own; e++) {
				struct policy_name *slot = POLICY_MODEL_ADD(&u->enabled);
				if (!slot)
					return -ENOMEM;
				*slot = d->enabled.v[e];
			}
		}
		if (u->mode == POLICY_MODE_UNSAID)
			u->mode = POLICY_MODE_ALERT;
	}
	return 0;
}
