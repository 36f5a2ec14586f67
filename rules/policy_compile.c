/* From what the files say to the table that the engine reads: names become indices, everything else is laid out
 * so that a check touches few cache lines. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "rules/policy_model.h"

#define SHOW(s) (int)((s).n > 64 ? 64 : (s).n), (const char *)(s).p

/* Bounds of the event fields that repeat these texts (core/event.def). */
enum { MAX_DOCUMENT = 96, MAX_REVISION = 32, MAX_ROW = 64, MAX_SAID = 64, MAX_NAME = 64 };

struct named { struct span name; uint32_t index; };

struct variant {                        /* rows of a type with the same options enabled */
	uint32_t type, rowset;
	uint64_t enabled[POLICY_MODEL_MAX_ROWS / 64];
};

struct select_entry { struct policy_slot slot; const struct policy_select *from; };
struct ae_entry { struct policy_ae ae; };
struct point { uint8_t b[16]; };

struct build {
	const struct policy_model *m;
	struct conf_report *rep;
	int result;
	struct { uint8_t *v; size_t n, room; } s[POLICY_SECTIONS];      /* n, room: records */
	uint32_t *interned;             /* hash of texts: 1 + index in `texts` */
	size_t n_interned;
	POLICY_MODEL_LIST(struct policy_text) texts;
	struct named *types, *units, *roles, *zones;
	uint32_t *row_cites;            /* of every row of every type, type after type */
	uint32_t *row_first;            /* a type's first in row_cites */
	uint32_t cite_inventory;
	POLICY_MODEL_LIST(struct variant) variants;
	POLICY_MODEL_LIST(struct select_entry) selects;
	POLICY_MODEL_LIST(struct select_entry) macs;
	POLICY_MODEL_LIST(struct ae_entry) aes;
};

#define FAULT(b, place, ...)                                               \
	do {                                                               \
		policy_load_fault((place), (b)->rep, __VA_ARGS__);         \
		(b)->result = ERR_CONFIG;                                  \
	} while (0)

/* ---- sections ---- */

static void *add(struct build *b, unsigned section, uint32_t *ret_index)
{
	size_t size = policy_record_size(section);
	b->s[section].v = policy_load_grow(b->s[section].v, b->s[section].n, &b->s[section].room, size);
	if (b->s[section].n >= b->s[section].room || b->s[section].n >= POLICY_NONE - 1) {
		b->result = -ENOMEM;
		return NULL;
	}
	if (ret_index)
		*ret_index = (uint32_t)b->s[section].n;
	return b->s[section].v + b->s[section].n++ * size;
}

static uint32_t hash_text(struct span s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);      /* FNV-1a: the texts are the operator's own */
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
	return policy_table_mix(h);
}

static struct span text_at(const struct build *b, struct policy_text t)
{
	return (struct span){ b->s[POLICY_S_TEXT].v + t.at, t.n };
}

static bool intern_room(struct build *b)
{
	if (b->texts.n * 2 < b->n_interned)
		return true;
	size_t n = b->n_interned ? b->n_interned * 2 : 1024;
	uint32_t *t = calloc(n, sizeof(*t));
	if (!t)
		return false;
	for (size_t i = 0; i < b->texts.n; i++) {
		size_t at = hash_text(text_at(b, b->texts.v[i])) & (n - 1);
		while (t[at])
			at = (at + 1) & (n - 1);
		t[at] = (uint32_t)i + 1;
	}
	free(b->interned);
	b->interned = t;
	b->n_interned = n;
	return true;
}

/* Every text stands once in the table. */
static struct policy_text intern(struct build *b, struct span s)
{
	if (!s.n)
		return (struct policy_text){ 0, 0 };
	if (!intern_room(b)) {
		b->result = -ENOMEM;
		return (struct policy_text){ 0, 0 };
	}
	size_t at = hash_text(s) & (b->n_interned - 1);
	for (; b->interned[at]; at = (at + 1) & (b->n_interned - 1))
		if (span_eq(text_at(b, b->texts.v[b->interned[at] - 1]), s))
			return b->texts.v[b->interned[at] - 1];
	struct policy_text t = { (uint32_t)b->s[POLICY_S_TEXT].n, (uint32_t)s.n };
	for (size_t i = 0; i < s.n; i++) {
		uint8_t *c = add(b, POLICY_S_TEXT, NULL);
		if (!c)
			return (struct policy_text){ 0, 0 };
		*c = s.p[i];
	}
	struct policy_text *slot = POLICY_MODEL_ADD(&b->texts);
	if (!slot) {
		b->result = -ENOMEM;
		return (struct policy_text){ 0, 0 };
	}
	*slot = t;
	b->interned[at] = (uint32_t)b->texts.n;
	return t;
}

/* Not longer than the event field that will carry it, and cut between characters. */
static struct policy_text intern_cut(struct build *b, struct span s, size_t max)
{
	if (s.n > max) {
		s.n = max;
		while (s.n && (s.p[s.n] & 0xc0) == 0x80)
			s.n--;
	}
	return intern(b, s);
}

static uint32_t add_cite(struct build *b, enum event_authority authority, struct span document, struct span revision,
			 struct span row, struct span said)
{
	uint32_t i = POLICY_NONE;
	struct policy_cite_rec c = {
		.document = intern_cut(b, document, MAX_DOCUMENT),
		.revision = intern_cut(b, revision, MAX_REVISION),
		.row = intern_cut(b, row, MAX_ROW),
		.said = intern_cut(b, said, MAX_SAID),
		.authority = authority,
	};
	struct policy_cite_rec *slot = add(b, POLICY_S_CITES, &i);
	if (slot)
		*slot = c;
	return i;
}

static struct span base_name(const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	return span_str(slash ? slash + 1 : file ? file : "");
}

/* ---- names ---- */

static int by_span(const void *pa, const void *pb)
{
	const struct named *a = pa, *b = pb;
	size_t n = a->name.n < b->name.n ? a->name.n : b->name.n;
	int c = n ? memcmp(a->name.p, b->name.p, n) : 0;
	if (c)
		return c;
	if (a->name.n != b->name.n)
		return a->name.n < b->name.n ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static struct named *sort_names(struct build *b, const struct span *first, size_t n, size_t stride)
{
	struct named *v = calloc(n ? n : 1, sizeof(*v));
	if (!v) {
		b->result = -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		v[i] = (struct named){ *(const struct span *)(const void *)((const uint8_t *)first + i * stride),
				       (uint32_t)i };
	qsort(v, n, sizeof(*v), by_span);
	return v;
}

#define SORT_NAMES(b, list, field) \
	sort_names((b), (list).n ? &(list).v[0].field : NULL, (list).n, sizeof((list).v[0]))

static uint32_t find_name(const struct named *v, size_t n, struct span name)
{
	size_t lo = 0, hi = n;
	struct named key = { name, 0 };
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (span_eq(v[mid].name, name))
			return v[mid].index;
		if (by_span(&v[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return POLICY_NONE;
}

#define HINT(list, field, word, out) \
	policy_load_hint((word), (list).n ? &(list).v[0].field : NULL, (list).n, sizeof((list).v[0]), (out))

static uint32_t find_role(struct build *b, struct span name, const struct policy_place *at)
{
	uint32_t i = find_name(b->roles, b->m->roles.n, name);
	if (i == POLICY_NONE) {
		char hint[160];
		if (b->m->has_site)
			FAULT(b, at, "no role is called %.*s in site.yaml%s", SHOW(name),
			      HINT(b->m->roles, name, name, hint));
		else
			FAULT(b, at, "role %.*s: there is no site.yaml that says which address it is", SHOW(name));
	}
	return i;
}

static uint32_t find_zone(struct build *b, struct span name, const struct policy_place *at)
{
	uint32_t i = find_name(b->zones, b->m->zones.n, name);
	if (i == POLICY_NONE) {
		char hint[160];
		FAULT(b, at, "no zone is called %.*s in site.yaml%s", SHOW(name), HINT(b->m->zones, name, name, hint));
	}
	return i;
}

static uint32_t find_unit(struct build *b, struct span name, const struct policy_place *at)
{
	uint32_t i = find_name(b->units, b->m->units.n, name);
	if (i == POLICY_NONE) {
		char hint[160];
		FAULT(b, at, "no unit is called %.*s in the inventory%s", SHOW(name), HINT(b->m->units, id, name, hint));
	}
	return i;
}

static uint32_t find_type(struct build *b, struct span name, const struct policy_place *at)
{
	uint32_t i = find_name(b->types, b->m->types.n, name);
	if (i == POLICY_NONE) {
		char hint[160];
		FAULT(b, at, "no device type is called %.*s%s", SHOW(name), HINT(b->m->types, id, name, hint));
	}
	return i;
}

static void check_title(struct build *b, struct span t, const struct policy_place *at)
{
	/* PS3.5 6.2, VR AE: the default repertoire without backslash and control characters, not only spaces */
	bool good = span_trim(t).n > 0 && t.n <= POLICY_TABLE_AE;
	for (size_t i = 0; i < t.n; i++)
		good = good && t.p[i] >= 0x20 && t.p[i] <= 0x7e && t.p[i] != '\\';
	if (!good)
		FAULT(b, at, "\"%.*s\" is not an AE title: at most 16 printable ASCII characters", SHOW(t));
}

static void add_title(struct build *b, struct span title, uint32_t device, uint64_t roles)
{
	struct ae_entry e = { .ae = { .device = device, .roles = roles } };
	title = span_trim(title);
	if (title.n > POLICY_TABLE_AE)
		return;
	memcpy(e.ae.title, title.p, title.n);
	struct ae_entry *slot = POLICY_MODEL_ADD(&b->aes);
	if (slot)
		*slot = e;
	else
		b->result = -ENOMEM;
}

/* ---- site ---- */

static uint32_t site_cite(struct build *b, struct span row, struct span said, const struct policy_place *at)
{
	return add_cite(b, EVENT_AUTH_SITE, base_name(at->file), b->m->site_revision, row, said);
}

static void build_site(struct build *b)
{
	const struct policy_model *m = b->m;
	char row[128];
	for (size_t i = 0; i < m->roles.n; i++) {
		const struct policy_model_role *role = &m->roles.v[i];
		int n = snprintf(row, sizeof(row), "roles.%.*s", SHOW(role->name));
		struct policy_role rec = { .name = intern_cut(b, role->name, MAX_NAME) };
		rec.cite = site_cite(b, (struct span){ (uint8_t *)row, (size_t)n }, role->name, &role->at);
		for (size_t k = 0; k < role->addresses.n; k++)
			for (size_t l = 0; l < role->addresses.v[k].titles.n; l++) {
				struct span t = role->addresses.v[k].titles.v[l];
				check_title(b, t, &role->addresses.v[k].at);
				add_title(b, t, POLICY_NONE, UINT64_C(1) << (i & 63));
				rec.titles = 1;
			}
		struct policy_role *slot = add(b, POLICY_S_ROLES, NULL);
		if (slot)
			*slot = rec;
	}
	for (size_t i = 0; i < m->zones.n; i++) {
		struct policy_zone rec = { .name = intern_cut(b, m->zones.v[i].name, MAX_NAME) };
		struct policy_zone *slot = add(b, POLICY_S_ZONES, NULL);
		if (slot)
			*slot = rec;
	}
	for (uint32_t vlan = 1; vlan < 4095; vlan++)
		for (size_t i = 0; i < m->zones.n; i++)
			for (size_t k = 0; k < m->zones.v[i].vlans.n; k++)
				if (m->zones.v[i].vlans.v[k] == vlan) {
					struct policy_vlan *slot = add(b, POLICY_S_VLANS, NULL);
					if (slot)
						*slot = (struct policy_vlan){ vlan, (uint32_t)i };
				}
	for (size_t i = 0; i < m->windows.n; i++) {
		const struct policy_model_window *w = &m->windows.v[i];
		if (w->device.text.n)
			(void)find_unit(b, w->device.text, &w->device.at);
		for (size_t k = 0; k < w->roles.n; k++)
			(void)find_role(b, w->roles.v[k].text, &w->roles.v[k].at);
	}
	for (size_t i = 0; i < m->scanner_windows.n; i++) {
		bool found = false;
		char hint[160];
		struct span name = m->scanner_windows.v[i].text;
		for (size_t k = 0; k < m->windows.n; k++)
			found = found || span_eq(m->windows.v[k].name, name);
		if (!found)
			FAULT(b, &m->scanner_windows.v[i].at, "no window is called %.*s%s", SHOW(name),
			      HINT(m->windows, name, name, hint));
	}
}

static bool begins(struct span s, const char *word, struct span *ret_rest)
{
	size_t n = strlen(word);
	if (s.n <= n + 1 || memcmp(s.p, word, n) || (s.p[n] != ' ' && s.p[n] != ':'))
		return false;
	*ret_rest = span_trim(span_from(s, n + 1));
	return true;
}

static void forbid_end(struct build *b, const struct policy_name *n, uint8_t *ret_kind, uint32_t *ret_index)
{
	struct span rest;
	*ret_index = POLICY_NONE;
	if (!n->text.n || span_eq(n->text, span_str("any"))) {
		*ret_kind = POLICY_END_ANY;
	} else if (span_eq(n->text, span_str("internet"))) {
		*ret_kind = POLICY_END_INTERNET;
	} else if (begins(n->text, "zone", &rest)) {
		*ret_kind = POLICY_END_ZONE;
		*ret_index = find_zone(b, rest, &n->at);
	} else if (begins(n->text, "role", &rest)) {
		*ret_kind = POLICY_END_ROLE;
		*ret_index = find_role(b, rest, &n->at);
	} else if (begins(n->text, "unit", &rest)) {
		*ret_kind = POLICY_END_UNIT;
		*ret_index = find_unit(b, rest, &n->at);
	} else if (begins(n->text, "type", &rest)) {
		*ret_kind = POLICY_END_TYPE;
		*ret_index = find_type(b, rest, &n->at);
	} else {
		uint32_t z = find_name(b->zones, b->m->zones.n, n->text), r = find_name(b->roles, b->m->roles.n, n->text);
		char hint[160];
		*ret_kind = z != POLICY_NONE ? POLICY_END_ZONE : POLICY_END_ROLE;
		*ret_index = z != POLICY_NONE ? z : r;
		if (z != POLICY_NONE && r != POLICY_NONE)
			FAULT(b, &n->at, "%.*s is both a zone and a role; say which: zone %.*s", SHOW(n->text), SHOW(n->text));
		else if (*ret_index == POLICY_NONE) {
			policy_load_hint(n->text, b->m->zones.n ? &b->m->zones.v[0].name : NULL, b->m->zones.n,
					 sizeof(b->m->zones.v[0]), hint);
			if (!hint[0])
				HINT(b->m->roles, name, n->text, hint);
			FAULT(b, &n->at, "no zone and no role is called %.*s%s", SHOW(n->text), hint);
		}
	}
}

static void add_forbid(struct build *b, struct policy_forbid f)
{
	struct policy_forbid *slot = add(b, POLICY_S_FORBIDS, NULL);
	if (slot)
		*slot = f;
}

static void build_forbids(struct build *b)
{
	char row[128];
	for (size_t i = 0; i < b->m->forbids.n; i++) {
		const struct policy_model_forbid *f = &b->m->forbids.v[i];
		struct policy_forbid rec = { .transport = f->transport, .hi = 65535 };
		forbid_end(b, &f->from, &rec.from_kind, &rec.from);
		forbid_end(b, &f->to, &rec.to_kind, &rec.to);
		rec.cite = site_cite(b, f->id, f->text, &f->at);
		for (size_t k = 0; k < f->n_ports; k++) {
			rec.lo = f->ports[k].lo;
			rec.hi = f->ports[k].hi;
			add_forbid(b, rec);
		}
		if (!f->n_ports)
			add_forbid(b, rec);
	}
	for (size_t i = 0; i < b->m->zones.n; i++) {
		if (b->m->zones.v[i].internet != CONF_TRI_NO)
			continue;
		int n = snprintf(row, sizeof(row), "zones.%.*s", SHOW(b->m->zones.v[i].name));
		add_forbid(b, (struct policy_forbid){
			.from = (uint32_t)i, .from_kind = POLICY_END_ZONE, .to = POLICY_NONE,
			.to_kind = POLICY_END_INTERNET, .transport = POLICY_TABLE_ANY_TRANSPORT, .when_unsaid = 1,
			.hi = 65535,
			.cite = site_cite(b, (struct span){ (uint8_t *)row, (size_t)n }, span_str("internet: no"),
					  &b->m->zones.v[i].at),
		});
	}
}

/* ---- device types ---- */

static struct span fmt(char *out, size_t room, size_t *len, const char *format, ...) __attribute__((format(printf, 4, 5)));
static struct span fmt(char *out, size_t room, size_t *len, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(out + *len, room - *len, format, ap);
	va_end(ap);
	if (n > 0)
		*len += (size_t)n < room - *len ? (size_t)n : room - *len - 1;
	return (struct span){ (uint8_t *)out, *len };
}

/* What the row says, in short: "dicom tcp/104 to pacs, optional". */
static struct span row_said(const struct policy_model_row *r, const struct conf_port_range *ports, size_t n_ports,
			    char out[static 256])
{
	static const char *const transports[] = { "tcp", "udp", "icmp", "other" };
	size_t n = 0;
	(void)fmt(out, 256, &n, "%s %s", policy_proto_name(r->proto), transports[r->transport & 3]);
	for (size_t i = 0; i < n_ports && r->transport <= OBSERVATION_UDP; i++) {
		(void)fmt(out, 256, &n, "%c%u", i ? ',' : '/', ports[i].lo);
		if (ports[i].hi != ports[i].lo)
			(void)fmt(out, 256, &n, "-%u", ports[i].hi);
	}
	if (r->tls == POLICY_TLS_YES && policy_proto_tls(r->proto) != POLICY_TLS_YES)
		(void)fmt(out, 256, &n, " in TLS");
	(void)fmt(out, 256, &n, r->out && r->in ? " with " : r->out ? " to " : " from ");
	for (size_t i = 0; i < r->peers.n; i++) {
		const struct policy_peer *p = &r->peers.v[i];
		char ip[ADDR_STRLEN];
		(void)fmt(out, 256, &n, "%s", i ? ", " : "");
		switch (p->kind) {
		case POLICY_PEER_ANY: (void)fmt(out, 256, &n, "any"); break;
		case POLICY_PEER_LOCAL: (void)fmt(out, 256, &n, "local networks"); break;
		case POLICY_PEER_MAKER: (void)fmt(out, 256, &n, "same manufacturer"); break;
		case POLICY_PEER_PREFIX: (void)fmt(out, 256, &n, "%s", addr_str(&p->prefix.ip, ip)); break;
		default: (void)fmt(out, 256, &n, "%.*s", SHOW(p->name)); break;
		}
	}
	return fmt(out, 256, &n, r->disabled ? ", disabled" : r->optional ? ", optional" : "");
}

static struct policy_document document_of(const struct policy_model_type *t, uint32_t i)
{
	return i < t->documents.n ? t->documents.v[i] : (struct policy_document){ 0 };
}

static uint32_t type_cite(struct build *b, const struct policy_model_type *t, struct policy_source s, struct span said)
{
	struct policy_document d = document_of(t, s.document);
	return add_cite(b, EVENT_AUTH_DOCUMENT, d.id, d.revision, s.row, said);
}

static void check_peers(struct build *b, const struct policy_model_row *r)
{
	if (!r->peers.n)
		FAULT(b, &r->at, "row %.*s has no peer; say any when every host may be one", SHOW(r->id));
	for (size_t i = 0; i < r->peers.n; i++)
		if (r->peers.v[i].kind == POLICY_PEER_ROLE)
			(void)find_role(b, r->peers.v[i].name, &r->peers.v[i].at);
}

static void build_type(struct build *b, uint32_t index)
{
	const struct policy_model_type *t = &b->m->types.v[index];
	static const char *const completes[] = { "unknown", "partial", "exhaustive" };
	char text[256];
	size_t n = 0;
	struct policy_type rec = {
		.id = intern(b, t->id),
		.maker = intern_cut(b, t->maker, 128),
		.model = intern_cut(b, t->model, 128),
		.psirt = intern_cut(b, t->psirt, 128),
		.maker_group = index,
		.cite_list = POLICY_NONE,
		.cite_unused = POLICY_NONE,
		.cite_external = POLICY_NONE,
		.complete = (uint8_t)t->complete,
		.external = (uint8_t)t->external,
	};
	for (uint32_t i = 0; i < index; i++)
		if (span_eq(b->m->types.v[i].maker, t->maker)) {
			rec.maker_group = i;
			break;
		}
	if (t->list.document != POLICY_NO_DOCUMENT) {
		struct policy_source list = t->list;
		if (!list.row.n)
			list.row = span_str("port_list");
		rec.cite_list = type_cite(b, t, list, fmt(text, sizeof(text), &n, "port list: %s", completes[t->complete]));
	}
	if (t->unused_closed == CONF_TRI_YES)
		rec.cite_unused = type_cite(b, t, t->unused_source, span_str("unused ports closed: yes"));
	if (t->external == CONF_TRI_NO)
		rec.cite_external = type_cite(b, t, t->external_source, span_str("external: no"));
	struct policy_type *slot = add(b, POLICY_S_TYPES, NULL);
	if (slot)
		*slot = rec;
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct policy_model_row *r = &t->rows.v[i];
		check_peers(b, r);
		b->row_cites[b->row_first[index] + i] = type_cite(b, t, r->source, row_said(r, r->ports, r->n_ports, text));
		for (size_t k = 0; k < r->titles.n; k++) {
			check_title(b, r->titles.v[k], &r->at);
			add_title(b, r->titles.v[k], POLICY_NONE, 0);
		}
	}
}

/* ---- rows of a unit ---- */

struct rowset { struct policy_row *v; size_t n, room; };

static void put_row(struct build *b, struct rowset *set, struct policy_row r)
{
	set->v = policy_load_grow(set->v, set->n, &set->room, sizeof(*set->v));
	if (set->n < set->room)
		set->v[set->n++] = r;
	else
		b->result = -ENOMEM;
}

static void put_words(struct build *b, struct policy_row *rec, const struct policy_model_row *r)
{
	rec->words_first = (uint32_t)b->s[POLICY_S_WORDS].n;
	for (size_t i = 0; i < r->messages.n + r->apps.n; i++) {
		struct span s = i < r->messages.n ? r->messages.v[i] : r->apps.v[i - r->messages.n];
		struct policy_text t = intern(b, s), *slot = add(b, POLICY_S_WORDS, NULL);
		if (slot)
			*slot = t;
	}
	rec->types_n = (uint16_t)r->messages.n;
	rec->apps_n = (uint16_t)r->apps.n;
}

static void put_peers(struct build *b, struct policy_row *rec, const struct policy_model_row *r)
{
	rec->prefix_first = (uint32_t)b->s[POLICY_S_PREFIXES].n;
	for (size_t i = 0; i < r->peers.n; i++) {
		const struct policy_peer *p = &r->peers.v[i];
		struct prefix *slot;
		uint32_t role;
		switch (p->kind) {
		case POLICY_PEER_ANY: rec->flags |= POLICY_ROW_ANY; break;
		case POLICY_PEER_LOCAL: rec->flags |= POLICY_ROW_LOCAL; break;
		case POLICY_PEER_NAME: rec->flags |= POLICY_ROW_NAME; break;
		case POLICY_PEER_MAKER: rec->flags |= POLICY_ROW_MAKER; break;
		case POLICY_PEER_PREFIX:
			if ((slot = add(b, POLICY_S_PREFIXES, NULL))) {
				*slot = p->prefix;
				rec->prefix_n++;
			}
			break;
		case POLICY_PEER_ROLE:
			role = find_name(b->roles, b->m->roles.n, p->name);
			rec->roles |= role < 64 ? UINT64_C(1) << role : 0;
			break;
		}
	}
}

static void put_sides(struct build *b, struct rowset *set, struct policy_row rec, bool out, bool in,
		      const struct conf_port_range *ports, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		rec.lo = ports[i].lo;
		rec.hi = ports[i].hi;
		rec.side = POLICY_SIDE_OUT;
		if (out)
			put_row(b, set, rec);
		rec.side = POLICY_SIDE_IN;
		if (in)
			put_row(b, set, rec);
	}
}

static void put_model_row(struct build *b, struct rowset *set, const struct policy_model_row *r, bool enabled,
			  uint32_t cite, const struct conf_port_range *ports, size_t n_ports)
{
	struct policy_row rec = { .cite = cite, .transport = r->transport, .proto = r->proto, .tls = r->tls };
	if ((r->optional || r->disabled) && !enabled)
		rec.flags |= POLICY_ROW_OFF;
	put_peers(b, &rec, r);
	put_words(b, &rec, r);
	put_sides(b, set, rec, r->out, r->in, ports, n_ports);
	/* RFC 7766, 1: DNS over TCP is as normal as over UDP; RFC 4120, 7.2 says the same of Kerberos. */
	if (r->proto == POLICY_PROTO_DNS || r->proto == POLICY_PROTO_KERBEROS) {
		rec.transport = r->transport == OBSERVATION_UDP ? OBSERVATION_TCP : OBSERVATION_UDP;
		put_sides(b, set, rec, r->out, r->in, ports, n_ports);
	}
}

/* The built-in sets, so that no profile repeats them (docs/profiles.md). */
static void put_infrastructure(struct build *b, struct rowset *set, const struct policy_model_type *t)
{
	static const struct {
		const char *name;
		uint8_t transport, side, proto;
		uint16_t lo, hi;
		const char *role;       /* NULL: any peer; a role the site lacks: any local one */
	} sets[] = {
		{ "icmp-echo-reply", OBSERVATION_ICMP, POLICY_SIDE_IN, POLICY_PROTO_ICMP, 0, 65535, NULL },
		{ "dhcp-client", OBSERVATION_UDP, POLICY_SIDE_OUT, POLICY_PROTO_DHCP, 67, 67, NULL },
		{ "dhcp-client", OBSERVATION_UDP, POLICY_SIDE_IN, POLICY_PROTO_DHCP, 68, 68, NULL },
		{ "dhcp-client", OBSERVATION_UDP, POLICY_SIDE_OUT, POLICY_PROTO_DHCP, 547, 547, NULL },
		{ "dhcp-client", OBSERVATION_UDP, POLICY_SIDE_IN, POLICY_PROTO_DHCP, 546, 546, NULL },
		{ "dns-client", OBSERVATION_UDP, POLICY_SIDE_OUT, POLICY_PROTO_DNS, 53, 53, "dns" },
		{ "dns-client", OBSERVATION_TCP, POLICY_SIDE_OUT, POLICY_PROTO_DNS, 53, 53, "dns" },
		{ "ntp-client", OBSERVATION_UDP, POLICY_SIDE_OUT, POLICY_PROTO_NTP, 123, 123, "ntp" },
	};
	for (size_t i = 0; i < t->infrastructure.n; i++) {
		struct span name = conf_text(t->infrastructure.v[i].node, "");
		uint32_t cite = POLICY_NONE;
		for (size_t k = 0; k < sizeof(sets) / sizeof(sets[0]); k++) {
			if (!span_eq(name, span_str(sets[k].name)))
				continue;
			struct policy_row rec = {
				.transport = sets[k].transport, .side = sets[k].side, .proto = sets[k].proto,
				.lo = sets[k].lo, .hi = sets[k].hi,
				.prefix_first = 0, .words_first = 0,
			};
			uint32_t role = sets[k].role ? find_name(b->roles, b->m->roles.n, span_str(sets[k].role)) : POLICY_NONE;
			if (role < 64)
				rec.roles = UINT64_C(1) << role;
			else
				rec.flags = sets[k].role ? POLICY_ROW_LOCAL : POLICY_ROW_ANY;
			if (cite == POLICY_NONE) {
				struct policy_source s = { .document = t->list.document, .row = span_str("infrastructure") };
				cite = type_cite(b, t, s, name);
			}
			rec.cite = cite;
			put_row(b, set, rec);
		}
	}
}

static int by_row(const void *pa, const void *pb)
{
	const struct policy_row *a = pa, *b = pb;
	if (a->transport != b->transport)
		return a->transport < b->transport ? -1 : 1;
	if (a->side != b->side)
		return a->side < b->side ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	/* The cite grows with the order in the file: equal tables from equal files. */
	return a->cite < b->cite ? -1 : a->cite > b->cite;
}

static uint32_t put_rowset(struct build *b, struct rowset *set)
{
	uint32_t index = POLICY_NONE, first = (uint32_t)b->s[POLICY_S_ROWS].n;
	if (set->n)
		qsort(set->v, set->n, sizeof(*set->v), by_row);
	for (size_t i = 0; i < set->n; i++) {
		struct policy_row *r = &set->v[i];
		r->max_hi = r->hi;
		if (i && r[-1].transport == r->transport && r[-1].side == r->side && r[-1].max_hi > r->hi)
			r->max_hi = r[-1].max_hi;
		struct policy_row *slot = add(b, POLICY_S_ROWS, NULL);
		if (slot)
			*slot = *r;
		uint32_t *key = add(b, POLICY_S_KEYS, NULL);
		if (key)
			*key = policy_table_key(r->transport, r->side, r->lo);
	}
	struct policy_rowset *slot = add(b, POLICY_S_ROWSETS, &index);
	if (slot)
		*slot = (struct policy_rowset){ first, (uint32_t)set->n };
	free(set->v);
	return index;
}

static const struct policy_override *override_of(const struct policy_model_unit *u, struct span row)
{
	for (size_t i = 0; i < u->overrides.n; i++)
		if (span_eq(u->overrides.v[i].row, row) && u->overrides.v[i].n_ports)
			return &u->overrides.v[i];
	return NULL;
}

static void mark_enabled(struct build *b, const struct policy_model_unit *u, const struct policy_model_type *t,
			 struct variant *v)
{
	char hint[160];
	for (size_t i = 0; i < u->enabled.n; i++) {
		size_t k = 0;
		while (k < t->rows.n && !span_eq(t->rows.v[k].id, u->enabled.v[i].text))
			k++;
		if (k == t->rows.n)
			FAULT(b, &u->enabled.v[i].at, "device type %.*s has no option %.*s%s", SHOW(t->id),
			      SHOW(u->enabled.v[i].text), HINT(t->rows, id, u->enabled.v[i].text, hint));
		else if (t->rows.v[k].optional || t->rows.v[k].disabled)
			v->enabled[k / 64] |= UINT64_C(1) << (k % 64);
	}
	for (size_t i = 0; i < u->overrides.n; i++) {
		size_t k = 0;
		while (k < t->rows.n && !span_eq(t->rows.v[k].id, u->overrides.v[i].row))
			k++;
		if (k == t->rows.n)
			FAULT(b, &u->overrides.v[i].at, "device type %.*s has no row %.*s to override%s", SHOW(t->id),
			      SHOW(u->overrides.v[i].row), HINT(t->rows, id, u->overrides.v[i].row, hint));
	}
}

static uint32_t build_rowset(struct build *b, const struct policy_model_unit *u, uint32_t type)
{
	const struct policy_model_type *t = &b->m->types.v[type];
	struct variant v = { .type = type };
	bool own = false;
	mark_enabled(b, u, t, &v);
	for (size_t i = 0; i < u->overrides.n; i++)
		own = own || u->overrides.v[i].n_ports;
	for (size_t i = b->variants.n; i-- && !own;)
		if (b->variants.v[i].type == type && !memcmp(b->variants.v[i].enabled, v.enabled, sizeof(v.enabled)))
			return b->variants.v[i].rowset;
	struct rowset set = { 0 };
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct policy_model_row *r = &t->rows.v[i];
		const struct policy_override *o = override_of(u, r->id);
		bool enabled = v.enabled[i / 64] >> (i % 64) & 1;
		if (!o) {
			put_model_row(b, &set, r, enabled, b->row_cites[b->row_first[type] + i], r->ports, r->n_ports);
			continue;
		}
		char said[256], row[256];
		size_t n = 0;
		struct span entry = fmt(row, sizeof(row), &n, "%.*s %.*s", SHOW(u->id), SHOW(r->id));
		uint32_t cite = add_cite(b, EVENT_AUTH_INVENTORY, base_name(o->at.file),
					 o->at.doc ? b->m->inventory_revision : (struct span){ 0 }, entry,
					 row_said(r, o->ports, o->n_ports, said));
		put_model_row(b, &set, r, enabled, cite, o->ports, o->n_ports);
	}
	put_infrastructure(b, &set, t);
	v.rowset = put_rowset(b, &set);
	if (!own) {
		struct variant *slot = POLICY_MODEL_ADD(&b->variants);
		if (slot)
			*slot = v;
		else
			b->result = -ENOMEM;
	}
	return v.rowset;
}

/* ---- addresses ---- */

static bool is_exact(const struct prefix *p) { return p->bits == 128; }

/* What the site says of an address. Without `exact`, single addresses of roles do not count: what remains is
 * the same for every address between two borders of prefixes. */
static uint32_t info_of(struct build *b, const struct addr *ip, bool exact)
{
	const struct policy_model *m = b->m;
	struct policy_info info = { .role = POLICY_NONE, .zone = POLICY_NONE };
	int longest = -1;
	for (size_t i = 0; i < m->roles.n && i < 64; i++)
		for (size_t k = 0; k < m->roles.v[i].addresses.n; k++) {
			const struct prefix *p = &m->roles.v[i].addresses.v[k].prefix;
			if ((exact || !is_exact(p)) && addr_in_prefix(ip, p)) {
				info.roles |= UINT64_C(1) << i;
				if (info.role == POLICY_NONE)
					info.role = (uint32_t)i;
			}
		}
	for (size_t i = 0; i < m->zones.n; i++)
		for (size_t k = 0; k < m->zones.v[i].prefixes.n; k++) {
			const struct prefix *p = &m->zones.v[i].prefixes.v[k];
			if (p->bits > longest && addr_in_prefix(ip, p)) {
				longest = p->bits;
				info.zone = (uint32_t)i;
			}
		}
	for (size_t i = 0; i < m->locals.n; i++)
		if (addr_in_prefix(ip, &m->locals.v[i]))
			info.local = 1;
	/* Without a list, what cannot be routed on the internet is the hospital's. */
	if (!m->locals.n)
		info.local = addr_is_private(ip);
	const struct policy_info *have = (const void *)b->s[POLICY_S_INFOS].v;
	for (size_t i = b->s[POLICY_S_INFOS].n; i--;)
		if (!memcmp(&have[i], &info, sizeof(info)))
			return (uint32_t)i;
	uint32_t index = POLICY_NONE;
	struct policy_info *slot = add(b, POLICY_S_INFOS, &index);
	if (slot)
		*slot = info;
	return index;
}

static struct policy_slot slot_of(const struct policy_select *s, uint32_t device)
{
	struct policy_slot e = { .vlan = s->vlan, .device = device };
	if (s->has_ip)
		memcpy(e.ip, s->ip.b, 16);
	if (s->has_mac)
		memcpy(e.mac, s->mac.b, 6);
	return e;
}

static void add_unit_selects(struct build *b, const struct policy_model_unit *u, uint32_t device)
{
	for (size_t i = 0; i < u->selects.n; i++) {
		const struct policy_select *s = &u->selects.v[i];
		struct select_entry e = { slot_of(s, device), s };
		struct select_entry *slot;
		if (s->has_ip && (addr_is_zero(&s->ip) || addr_is_multicast(&s->ip) || addr_is_broadcast(&s->ip)))
			FAULT(b, &s->at, "this is not the address of one unit");
		slot = s->has_ip ? POLICY_MODEL_ADD(&b->selects) : POLICY_MODEL_ADD(&b->macs);
		if (slot)
			*slot = e;
		else
			b->result = -ENOMEM;
	}
}

static int by_slot(const void *pa, const void *pb)
{
	const struct select_entry *a = pa, *b = pb;
	int c = memcmp(a->slot.ip, b->slot.ip, 16);
	if (!c && !a->from->has_ip)
		c = memcmp(a->slot.mac, b->slot.mac, 6);
	if (c)
		return c;
	if (a->slot.device != b->slot.device)
		return a->slot.device < b->slot.device ? -1 : 1;
	if (a->slot.vlan != b->slot.vlan)
		return a->slot.vlan < b->slot.vlan ? -1 : 1;
	return memcmp(a->slot.mac, b->slot.mac, 6);
}

static bool no_mac(const uint8_t mac[static 6]) { return !memcmp(mac, "\0\0\0\0\0\0", 6); }

/* Two units where every packet that fits the one fits the other. */
static void check_shared(struct build *b, const struct select_entry *x, const struct select_entry *y)
{
	const struct policy_slot *p = &x->slot, *q = &y->slot;
	char where[128], text[ADDR_STRLEN];
	if (p->device == q->device || (p->vlan && q->vlan && p->vlan != q->vlan))
		return;
	if (x->from->has_ip && !no_mac(p->mac) && !no_mac(q->mac) && memcmp(p->mac, q->mac, 6))
		return;
	const struct policy_model_unit *u = &b->m->units.v[p->device], *v = &b->m->units.v[q->device];
	/* The later line is the one at fault. */
	if (x->from->has_ip)
		FAULT(b, &y->from->at, "unit %.*s has the address %s of unit %.*s at %s", SHOW(v->id),
		      addr_str(&x->from->ip, text), SHOW(u->id), policy_load_where(&x->from->at, where));
	else
		FAULT(b, &y->from->at, "unit %.*s has the hardware address %s of unit %.*s at %s", SHOW(v->id),
		      addr_mac_str(&x->from->mac, text), SHOW(u->id), policy_load_where(&x->from->at, where));
}

static bool same_key(const struct select_entry *a, const struct select_entry *b)
{
	return a->from->has_ip ? !memcmp(a->slot.ip, b->slot.ip, 16) : !memcmp(a->slot.mac, b->slot.mac, 6);
}

static void check_selects(struct build *b, struct select_entry *v, size_t n)
{
	if (n)
		qsort(v, n, sizeof(*v), by_slot);
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n && same_key(&v[i], &v[k]) && k < i + 16; k++)
			check_shared(b, &v[i], &v[k]);
}

/* Room for n entries; grown until no probe is longer than what a lookup makes. */
static bool place_slots(struct policy_slot *t, size_t size, const struct policy_slot *v, size_t n)
{
	for (size_t i = 0; i < size; i++)
		t[i] = (struct policy_slot){ .device = POLICY_NONE, .info = POLICY_NONE };
	for (size_t i = 0; i < n; i++) {
		size_t at = policy_hash_addr(v[i].ip) & (size - 1), k = 0;
		while (k < POLICY_TABLE_MAX_PROBES && t[(at + k) & (size - 1)].info != POLICY_NONE)
			k++;
		if (k == POLICY_TABLE_MAX_PROBES)
			return false;
		t[(at + k) & (size - 1)] = v[i];
	}
	return true;
}

static bool place_macs(struct policy_mac_slot *t, size_t size, const struct select_entry *v, size_t n)
{
	for (size_t i = 0; i < size; i++)
		t[i] = (struct policy_mac_slot){ .device = POLICY_NONE };
	for (size_t i = 0; i < n; i++) {
		size_t at = policy_hash_mac(v[i].slot.mac) & (size - 1), k = 0;
		while (k < POLICY_TABLE_MAX_PROBES && t[(at + k) & (size - 1)].device != POLICY_NONE)
			k++;
		if (k == POLICY_TABLE_MAX_PROBES)
			return false;
		struct policy_mac_slot *e = &t[(at + k) & (size - 1)];
		memcpy(e->mac, v[i].slot.mac, 6);
		e->vlan = v[i].slot.vlan;
		e->device = v[i].slot.device;
	}
	return true;
}

enum { MOST_SLOTS = 1 << 22 };  /* many times what 10,000 units need; a limit for a table that cannot be built */

static void build_slots(struct build *b)
{
	POLICY_MODEL_LIST(struct policy_slot) all = { 0 };
	for (size_t i = 0; i < b->selects.n; i++) {
		struct policy_slot *e;
		if (i && !memcmp(&b->selects.v[i].slot, &b->selects.v[i - 1].slot, sizeof(b->selects.v[i].slot)))
			continue;
		e = POLICY_MODEL_ADD(&all);
		if (!e)
			goto out;
		*e = b->selects.v[i].slot;
		e->info = info_of(b, &b->selects.v[i].from->ip, true);
	}
	for (size_t i = 0; i < b->m->roles.n; i++)
		for (size_t k = 0; k < b->m->roles.v[i].addresses.n; k++) {
			const struct prefix *p = &b->m->roles.v[i].addresses.v[k].prefix;
			struct policy_slot *e = NULL;
			if (!is_exact(p))
				continue;
			/* One slot for an address of several roles; its info names all of them. */
			bool have = false;
			for (size_t j = 0; j < i && !have; j++)
				for (size_t l = 0; l < b->m->roles.v[j].addresses.n && !have; l++)
					have = !memcmp(&b->m->roles.v[j].addresses.v[l].prefix, p, sizeof(*p));
			for (size_t l = 0; l < k && !have; l++)
				have = !memcmp(&b->m->roles.v[i].addresses.v[l].prefix, p, sizeof(*p));
			if (have)
				continue;
			e = POLICY_MODEL_ADD(&all);
			if (!e)
				goto out;
			*e = (struct policy_slot){ .device = POLICY_NONE, .info = info_of(b, &p->ip, true) };
			memcpy(e->ip, p->ip.b, 16);
		}
	for (size_t size = 16; all.n && size <= MOST_SLOTS; size *= 2) {
		if (size < all.n * 2)
			continue;
		struct policy_slot *t = calloc(size, sizeof(*t));
		if (!t)
			goto out;
		if (!place_slots(t, size, all.v, all.n)) {
			free(t);
			continue;
		}
		free(b->s[POLICY_S_SLOTS].v);
		b->s[POLICY_S_SLOTS].v = (uint8_t *)t;
		b->s[POLICY_S_SLOTS].n = b->s[POLICY_S_SLOTS].room = size;
		break;
	}
	if (all.n && !b->s[POLICY_S_SLOTS].n && !b->result)
		b->result = -E2BIG;
	free(all.v);
	return;
out:
	free(all.v);
	b->result = -ENOMEM;
}

static void build_macs(struct build *b)
{
	/* Entries repeated word for word take no second slot. */
	size_t n = 0;
	for (size_t i = 0; i < b->macs.n; i++)
		if (!i || memcmp(&b->macs.v[i].slot, &b->macs.v[n - 1].slot, sizeof(b->macs.v[i].slot)))
			b->macs.v[n++] = b->macs.v[i];
	b->macs.n = n;
	for (size_t size = 16; n && size <= MOST_SLOTS; size *= 2) {
		if (size < n * 2)
			continue;
		struct policy_mac_slot *t = calloc(size, sizeof(*t));
		if (!t) {
			b->result = -ENOMEM;
			return;
		}
		if (place_macs(t, size, b->macs.v, n)) {
			b->s[POLICY_S_MACS].v = (uint8_t *)t;
			b->s[POLICY_S_MACS].n = b->s[POLICY_S_MACS].room = size;
			return;
		}
		free(t);
	}
	if (n && !b->result)
		b->result = -E2BIG;
}

static int by_point(const void *a, const void *b) { return memcmp(a, b, 16); }

/* First address behind a prefix; false when the prefix ends where addresses end. */
static bool behind(const struct prefix *p, struct point *ret)
{
	uint8_t v[16];
	memcpy(v, p->ip.b, 16);
	for (unsigned i = p->bits; i < 128; i++)
		v[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	for (int i = 16; i--;)
		if (++v[i]) {
			memcpy(ret->b, v, 16);
			return true;
		}
	return false;
}

static const char *const private_networks[] = {
	/* core/addr.h, addr_is_private */
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
	"fc00::/7", "fe80::/10", "::1/128",
};

static void build_ranges(struct build *b)
{
	const struct policy_model *m = b->m;
	POLICY_MODEL_LIST(struct point) points = { 0 };
	POLICY_MODEL_LIST(struct prefix) prefixes = { 0 };
	struct prefix *slot;
	struct point *pt;
#define PREFIX(p)                                                          \
	do {                                                               \
		if (!(slot = POLICY_MODEL_ADD(&prefixes)))                 \
			goto no_memory;                                    \
		*slot = (p);                                               \
	} while (0)
	for (size_t i = 0; i < m->roles.n; i++)
		for (size_t k = 0; k < m->roles.v[i].addresses.n; k++)
			if (!is_exact(&m->roles.v[i].addresses.v[k].prefix))
				PREFIX(m->roles.v[i].addresses.v[k].prefix);
	for (size_t i = 0; i < m->zones.n; i++)
		for (size_t k = 0; k < m->zones.v[i].prefixes.n; k++)
			PREFIX(m->zones.v[i].prefixes.v[k]);
	for (size_t i = 0; i < m->locals.n; i++)
		PREFIX(m->locals.v[i]);
	for (size_t i = 0; !m->locals.n && i < sizeof(private_networks) / sizeof(private_networks[0]); i++) {
		struct prefix p;
		if (!addr_parse_prefix(span_str(private_networks[i]), &p))
			PREFIX(p);
	}
#undef PREFIX
	for (size_t i = 0; i < prefixes.n; i++) {
		if (!(pt = POLICY_MODEL_ADD(&points)))
			goto no_memory;
		memcpy(pt->b, prefixes.v[i].ip.b, 16);
		struct point end;
		if (!behind(&prefixes.v[i], &end))
			continue;
		if (!(pt = POLICY_MODEL_ADD(&points)))
			goto no_memory;
		*pt = end;
	}
	if (points.n)
		qsort(points.v, points.n, sizeof(*points.v), by_point);
	for (size_t i = 0; i < points.n; i++) {
		if (i + 1 < points.n && !memcmp(points.v[i].b, points.v[i + 1].b, 16))
			continue;
		struct policy_range r = { .info = POLICY_NONE };
		struct addr at;
		memcpy(at.b, points.v[i].b, 16);
		memcpy(r.lo, points.v[i].b, 16);
		memset(r.hi, 0xff, 16);
		if (i + 1 < points.n) {
			memcpy(r.hi, points.v[i + 1].b, 16);
			for (int k = 16; k-- && !r.hi[k]--;)
				;
		}
		r.info = info_of(b, &at, false);
		struct policy_range *out = add(b, POLICY_S_RANGES, NULL);
		if (!out)
			goto no_memory;
		*out = r;
	}
	free(points.v);
	free(prefixes.v);
	return;
no_memory:
	free(points.v);
	free(prefixes.v);
	b->result = -ENOMEM;
}

/* ---- units ---- */

static void build_unit(struct build *b, uint32_t index)
{
	const struct policy_model_unit *u = &b->m->units.v[index];
	char text[256];
	size_t n = 0;
	bool has_ip = false;
	struct policy_unit rec = {
		.id = intern(b, u->id),
		.location = intern_cut(b, u->location, 128),
		.type = POLICY_NONE, .rowset = POLICY_NONE, .zone = POLICY_NONE,
		.mode = (uint8_t)u->mode,
		.titles = u->titles.n > 0,
	};
	if (u->type.n) {
		rec.type = find_type(b, u->type, &u->type_at);
		if (rec.type != POLICY_NONE)
			rec.rowset = build_rowset(b, u, rec.type);
	} else if (u->enabled.n || u->overrides.n) {
		FAULT(b, &u->at, "unit %.*s has options but no type", SHOW(u->id));
	}
	if (u->zone.n)
		rec.zone = find_zone(b, u->zone, &u->zone_at);
	for (size_t i = 0; i < u->selects.n; i++)
		has_ip = has_ip || u->selects.v[i].has_ip;
	rec.by_mac = !has_ip;
	struct span said = u->type.n ? fmt(text, sizeof(text), &n, "type %.*s", SHOW(u->type)) : span_str("no type");
	rec.cite = add_cite(b, EVENT_AUTH_INVENTORY, base_name(u->at.file),
			    u->at.doc ? b->m->inventory_revision : (struct span){ 0 }, u->id, said);
	for (size_t i = 0; i < u->titles.n; i++) {
		check_title(b, u->titles.v[i].text, &u->titles.v[i].at);
		add_title(b, u->titles.v[i].text, index, 0);
	}
	add_unit_selects(b, u, index);
	struct policy_unit *slot = add(b, POLICY_S_DEVICES, NULL);
	if (slot)
		*slot = rec;
}

static void check_unit_names(struct build *b)
{
	for (size_t i = 1; i < b->m->units.n; i++)
		if (span_eq(b->units[i].name, b->units[i - 1].name)) {
			const struct policy_model_unit *u = &b->m->units.v[b->units[i].index];
			const struct policy_model_unit *v = &b->m->units.v[b->units[i - 1].index];
			char where[128];
			FAULT(b, &u->at, "unit %.*s stands at %s already", SHOW(u->id), policy_load_where(&v->at, where));
		}
}

static int by_title(const void *pa, const void *pb)
{
	const struct ae_entry *a = pa, *b = pb;
	int c = memcmp(a->ae.title, b->ae.title, POLICY_TABLE_AE);
	if (c)
		return c;
	return a->ae.device < b->ae.device ? -1 : a->ae.device > b->ae.device;
}

static void build_titles(struct build *b)
{
	struct policy_ae *last = NULL;
	if (b->aes.n)
		qsort(b->aes.v, b->aes.n, sizeof(*b->aes.v), by_title);
	for (size_t i = 0; i < b->aes.n; i++) {
		const struct policy_ae *e = &b->aes.v[i].ae;
		if (last && !memcmp(last->title, e->title, POLICY_TABLE_AE)) {
			last->roles |= e->roles;
			if (last->device == POLICY_NONE) {
				last->device = e->device;
			} else if (e->device != POLICY_NONE && e->device != last->device) {
				last->several = 1;
			}
			continue;
		}
		last = add(b, POLICY_S_AES, NULL);
		if (!last)
			return;
		*last = *e;
	}
}

/* ---- the whole ---- */

static struct policy *lay_out(struct build *b)
{
	size_t size = sizeof(struct policy);
	uint32_t at[POLICY_SECTIONS];
	for (unsigned i = 0; i < POLICY_SECTIONS; i++) {
		size = (size + POLICY_TABLE_ALIGN - 1) / POLICY_TABLE_ALIGN * POLICY_TABLE_ALIGN;
		at[i] = (uint32_t)size;
		size += b->s[i].n * policy_record_size(i);
		if (size > POLICY_TABLE_MAX_BYTES) {
			struct policy_place none = { .file = "policy" };
			FAULT(b, &none, "the table would be larger than %d MiB", POLICY_TABLE_MAX_BYTES >> 20);
			return NULL;
		}
	}
	struct policy *p = calloc(1, size);
	if (!p) {
		b->result = -ENOMEM;
		return NULL;
	}
	policy_head(p);
	p->size = (uint32_t)size;
	p->cite_inventory = b->cite_inventory;
	for (unsigned i = 0; i < POLICY_SECTIONS; i++) {
		p->s[i].at = at[i];
		p->s[i].n = (uint32_t)b->s[i].n;
		if (b->s[i].n)
			memcpy((uint8_t *)p + at[i], b->s[i].v, b->s[i].n * policy_record_size(i));
	}
	const struct policy_ae *a = (const void *)b->s[POLICY_S_AES].v;
	for (size_t i = 0; i < b->s[POLICY_S_AES].n; i++)
		if (a[i].device != POLICY_NONE || a[i].roles)
			p->titles = 1;
	return p;
}

static void free_build(struct build *b)
{
	for (unsigned i = 0; i < POLICY_SECTIONS; i++)
		free(b->s[i].v);
	free(b->interned);
	free(b->texts.v);
	free(b->types);
	free(b->units);
	free(b->roles);
	free(b->zones);
	free(b->row_cites);
	free(b->row_first);
	free(b->variants.v);
	free(b->selects.v);
	free(b->macs.v);
	free(b->aes.v);
}

int policy_compile_model(const struct policy_model *m, struct policy **ret, struct conf_report *rep)
{
	struct build b = { .m = m, .rep = rep, .cite_inventory = POLICY_NONE };
	size_t rows = 0;
	b.types = SORT_NAMES(&b, m->types, id);
	b.units = SORT_NAMES(&b, m->units, id);
	b.roles = SORT_NAMES(&b, m->roles, name);
	b.zones = SORT_NAMES(&b, m->zones, name);
	for (size_t i = 0; i < m->types.n; i++)
		rows += m->types.v[i].rows.n;
	b.row_cites = calloc(rows ? rows : 1, sizeof(*b.row_cites));
	b.row_first = calloc(m->types.n ? m->types.n : 1, sizeof(*b.row_first));
	if (!b.row_cites || !b.row_first || b.result) {
		free_build(&b);
		return -ENOMEM;
	}
	for (size_t i = 1; i < m->types.n; i++)
		b.row_first[i] = b.row_first[i - 1] + (uint32_t)m->types.v[i - 1].rows.n;
	if (m->has_inventory)
		b.cite_inventory = add_cite(&b, EVENT_AUTH_INVENTORY, base_name(m->inventory_file), m->inventory_revision,
					    span_str("all"), span_str("no entry for this host"));
	build_site(&b);
	for (uint32_t i = 0; i < m->types.n; i++)
		build_type(&b, i);
	check_unit_names(&b);
	for (uint32_t i = 0; i < m->units.n && b.result != -ENOMEM; i++)
		build_unit(&b, i);
	build_forbids(&b);
	check_selects(&b, b.selects.v, b.selects.n);
	check_selects(&b, b.macs.v, b.macs.n);
	if (!b.result) {
		build_slots(&b);
		build_macs(&b);
		build_ranges(&b);
		build_titles(&b);
	}
	struct policy *p = b.result ? NULL : lay_out(&b);
	int r = b.result;
	free_build(&b);
	if (!p)
		return r ? r : -ENOMEM;
	/* What the engine would refuse must not get that far. */
	if (!policy_open((struct span){ (const uint8_t *)p, p->size })) {
		free(p);
		return ERR_POLICY;
	}
	*ret = p;
	return 0;
}

int policy_compile_dir(const char *dir, struct policy **ret, struct conf_report *rep)
{
	struct policy_model m = { 0 };
	int r = policy_load_dir(dir, &m, rep);
	/* Names between files are checked even when one file is broken only if all could be read: otherwise a
	 * broken site.yaml would make every role unknown. */
	if (!r)
		r = policy_compile_model(&m, ret, rep);
	policy_load_free(&m);
	return r;
}
