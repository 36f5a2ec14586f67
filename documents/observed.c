#include "documents/observed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/conf_make.h"
#include "core/err.h"
#include "documents/matrix_text.h"

/* ---- the form ---- */

static const struct conf_key name_item[] = { { .name = "name", .kind = CONF_TEXT, .max = POLICY_KEYS_LABEL }, { 0 } };
static const struct conf_key row_keys[] = {
	{ .name = "state", .kind = CONF_TEXT, .required = true, .max = 32, .doc = "as in the communication matrix" },
	{ .name = "direction", .kind = CONF_TEXT, .required = true, .max = 8, .doc = "out: the unit opens; in: the peer" },
	{ .name = "transport", .kind = CONF_TEXT, .required = true, .max = 8 },
	{ .name = "port", .kind = CONF_TEXT, .max = 12 },
	{ .name = "protocol", .kind = CONF_TEXT, .max = 24 },
	{ .name = "peers", .kind = CONF_LIST, .keys = name_item, .max = OBSERVED_PEERS },
	{ .name = "row", .kind = CONF_TEXT, .max = POLICY_KEYS_NAME, .doc = "of the device type, by which it was judged" },
	{ .name = "flows", .kind = CONF_UINT }, { .name = "bytes", .kind = CONF_UINT },
	{ .name = "first", .kind = CONF_DATE }, { .name = "last", .kind = CONF_DATE },
	{ 0 }
};
static const struct conf_key row_item[] = { { .name = "row", .kind = CONF_MAP, .keys = row_keys }, { 0 } };
static const struct conf_key unit_keys[] = {
	{ .name = "type", .kind = CONF_TEXT, .max = POLICY_KEYS_NAME },
	{ .name = "rows", .kind = CONF_LIST, .keys = row_item, .required = true }, { 0 }
};
static const struct conf_key unit_item[] = { { .name = "unit", .kind = CONF_MAP, .keys = unit_keys }, { 0 } };
static const struct conf_key path_item[] = { { .name = "path", .kind = CONF_TEXT, .max = 4096 }, { 0 } };
static const char *const kinds[] = { "observed", NULL };
const struct conf_key observed_keys[] = {
	{ .name = "format", .kind = CONF_TEXT, .required = true, .doc = "spanward-observed/1" },
	{ .name = "kind", .kind = CONF_WORD, .words = kinds, .required = true },
	{ .name = "made", .kind = CONF_DATE }, { .name = "captures", .kind = CONF_LIST, .keys = path_item },
	{ .name = "packets", .kind = CONF_UINT },
	{ .name = "first", .kind = CONF_DATE }, { .name = "last", .kind = CONF_DATE },
	{ .name = "units", .kind = CONF_MAP_OF, .keys = unit_item, .required = true },
	{ .name = "drafts", .kind = CONF_ANY, .doc = "rows in the short form, without citations" },
	{ 0 }
};

/* ---- writing ---- */

static void put_uint(struct conf_doc *doc, struct conf_node *n, const char *key, uint64_t v)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	(void)conf_make_plain(doc, n, span_str(key), text, NULL);
}

static void put_time(struct conf_doc *doc, struct conf_node *n, const char *key, uint64_t ns)
{
	char text[CLOCK_STRLEN];
	if (ns)
		(void)conf_make_text(doc, n, span_str(key), span_str(clock_str(ns, text)), NULL);
}

static void put_text(struct conf_doc *doc, struct conf_node *n, const char *key, struct span s)
{
	if (s.n)
		(void)conf_make_text(doc, n, span_str(key), s, NULL);
}

static const char *transport_of(const struct matrix_line *l)
{
	static const char *const words[] = { "tcp", "udp", "icmp", "other" };
	return words[l->transport < 4 ? l->transport : 3];
}

static const char *protocol_of(const struct matrix_line *l)
{
	const char *name = l->service ? policy_proto_name(l->service - 1u) : NULL;
	return name ? name : "";
}

/* What a person calls the other end: its unit, its role, else its address. */
static const char *peer_name(const struct matrix *x, const struct addr *ip, char ret[static 80])
{
	struct policy_host h;
	char text[ADDR_STRLEN];
	policy_host(matrix_policy(x), ip, NULL, 0, &h);
	struct span s = h.device != POLICY_NONE ? h.id : h.role.n ? h.role : span_str(addr_str(ip, text));
	(void)snprintf(ret, 80, "%.*s", (int)(s.n < 79 ? s.n : 79), (const char *)s.p);
	return ret;
}

static size_t peer_names(const struct matrix *x, const struct matrix_line *l, char ret[static OBSERVED_PEERS][80])
{
	size_t n = 0;
	for (uint32_t i = 0; i < l->n_peers && i < MATRIX_PEERS; i++) {
		(void)peer_name(x, &l->peers[i], ret[n]);
		bool again = false;
		for (size_t k = 0; k < n; k++)
			again |= !strcmp(ret[k], ret[n]);
		n += !again;
	}
	return n;
}

static void put_row(struct conf_doc *doc, struct conf_node *rows, const struct matrix *x, const struct matrix_line *l)
{
	char port[16], peers[OBSERVED_PEERS][80];
	struct conf_node *n = conf_make_map(doc, rows, (struct span){ 0 }, NULL);
	put_text(doc, n, "state", span_str(matrix_text_state_id((enum matrix_state)l->state)));
	put_text(doc, n, "direction", span_str(l->side == POLICY_SIDE_OUT ? "out" : "in"));
	put_text(doc, n, "transport", span_str(transport_of(l)));
	(void)snprintf(port, sizeof(port), l->lo == l->hi ? "%u" : "%u-%u", l->lo, l->hi);
	if (l->transport == OBSERVATION_TCP || l->transport == OBSERVATION_UDP)
		put_text(doc, n, "port", span_str(port));
	put_text(doc, n, "protocol", span_str(protocol_of(l)));
	size_t n_peers = peer_names(x, l, peers);
	struct conf_node *list = n_peers ? conf_make_list(doc, n, span_str("peers"), NULL) : NULL;
	for (size_t i = 0; i < n_peers; i++)
		(void)conf_make_text(doc, list, (struct span){ 0 }, span_str(peers[i]), NULL);
	if (l->declared)
		put_text(doc, n, "row", l->declared->id);
	put_uint(doc, n, "flows", l->flows);
	put_uint(doc, n, "bytes", l->bytes);
	put_time(doc, n, "first", l->first_ns);
	put_time(doc, n, "last", l->last_ns);
}

/* A row of the short form, as far as traffic can say: who may speak there is the maker's to say. */
static void put_draft(struct conf_doc *doc, struct conf_node *drafts, const struct matrix *x, const struct matrix_line *l)
{
	struct policy_device d;
	char name[48], port[16], peers[OBSERVED_PEERS][80];
	const char *protocol = *protocol_of(l) ? protocol_of(l) : transport_of(l);
	const char *side = l->side == POLICY_SIDE_OUT ? "out" : "in";
	policy_device(matrix_policy(x), l->device, &d);
	if (!d.type.n || l->transport > OBSERVATION_UDP)
		return;
	struct conf_node *type = NULL, *rows = NULL, *row;
	for (size_t i = 0; i < conf_count(drafts) && !type; i++)
		type = span_eq(conf_key_at(drafts, i), d.type) ? (struct conf_node *)(uintptr_t)conf_at(drafts, i) : NULL;
	type = type ? type : conf_make_map(doc, drafts, d.type, NULL);
	for (size_t i = 0; type && i < conf_count(type) && !rows; i++)
		rows = span_eq(conf_key_at(type, i), span_str(side)) ? (struct conf_node *)(uintptr_t)conf_at(type, i) : NULL;
	rows = rows ? rows : conf_make_map(doc, type, span_str(side), NULL);
	(void)snprintf(name, sizeof(name), "%s-%u", protocol, l->lo);
	for (size_t i = 0; rows && i < conf_count(rows); i++)
		if (span_eq(conf_key_at(rows, i), span_str(name)))
			return;
	row = conf_make_map(doc, rows, span_str(name), NULL);
	(void)snprintf(port, sizeof(port), l->lo == l->hi ? "%u" : "%u-%u", l->lo, l->hi);
	put_text(doc, row, protocol, span_str(port));
	size_t n = peer_names(x, l, peers);
	struct conf_node *list = conf_make_list(doc, row, span_str(l->side == POLICY_SIDE_OUT ? "to" : "from"), NULL);
	for (size_t i = 0; i < n; i++)
		(void)conf_make_text(doc, list, (struct span){ 0 }, span_str(peers[i]), NULL);
}

int observed_write(const struct matrix *x, const char *const *captures, size_t n, uint64_t packets, FILE *to)
{
	struct conf_doc *doc = conf_make("observed", NULL);
	struct conf_node *root = conf_make_root(doc), *list, *units, *rows = NULL, *drafts;
	uint64_t first = 0, last = 0;
	uint32_t unit = POLICY_NONE;
	for (size_t i = 0; i < matrix_count(x); i++) {
		const struct matrix_line *l = matrix_at(x, i);
		first = l->first_ns && (!first || l->first_ns < first) ? l->first_ns : first;
		last = l->last_ns > last ? l->last_ns : last;
	}
	put_text(doc, root, "format", span_str("spanward-observed/1"));
	put_text(doc, root, "kind", span_str("observed"));
	list = conf_make_list(doc, root, span_str("captures"), NULL);
	for (size_t i = 0; i < n; i++)
		(void)conf_make_text(doc, list, (struct span){ 0 }, span_str(captures[i]), NULL);
	put_uint(doc, root, "packets", packets);
	put_time(doc, root, "first", first);
	put_time(doc, root, "last", last);
	units = conf_make_map(doc, root, span_str("units"), NULL);
	for (size_t i = 0; i < matrix_count(x); i++) {
		const struct matrix_line *l = matrix_at(x, i);
		struct policy_device d;
		if (!l->flows)
			continue;
		if (l->device != unit) {
			policy_device(matrix_policy(x), l->device, &d);
			struct conf_node *it = conf_make_map(doc, units, d.id, NULL);
			put_text(doc, it, "type", d.type);
			rows = conf_make_list(doc, it, span_str("rows"), NULL);
			unit = l->device;
		}
		put_row(doc, rows, x, l);
	}
	drafts = conf_make_map(doc, root, span_str("drafts"), NULL);
	for (size_t i = 0; i < matrix_count(x); i++)
		if (matrix_at(x, i)->flows && matrix_at(x, i)->state == MATRIX_UNDECLARED)
			put_draft(doc, drafts, x, matrix_at(x, i));
	int err = conf_make_ok(doc) ? 0 : -ENOMEM;
	if (!err) {
		(void)fputs("# What was seen, by spanward profile learn. Not a declaration: no policy directory takes it. The drafts\n"
			    "# have no citation; ask the maker, and write down what the answer says.\n", to);
		err = conf_write(root, observed_keys, to);
	}
	conf_free(doc);
	return err;
}

/* ---- reading ---- */

static bool same(const struct observed_row *a, const struct observed_row *b)
{
	bool equal = span_eq(a->unit, b->unit) && span_eq(a->state, b->state) && span_eq(a->direction, b->direction) &&
		     span_eq(a->transport, b->transport) && a->lo == b->lo && a->hi == b->hi && span_eq(a->row, b->row) &&
		     a->n_peers == b->n_peers;
	for (size_t i = 0; equal && i < a->n_peers; i++)
		equal = span_eq(a->peers[i], b->peers[i]);
	return equal;
}

static int by_unit(const void *pa, const void *pb)
{
	const struct observed_row *a = pa, *b = pb;
	size_t n = a->unit.n < b->unit.n ? a->unit.n : b->unit.n;
	int c = n ? memcmp(a->unit.p, b->unit.p, n) : 0;
	if (c || a->unit.n != b->unit.n)
		return c ? c : a->unit.n < b->unit.n ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return a->hi < b->hi ? -1 : a->hi > b->hi;
}

/* Rows that are equal stand close together once they are sorted. */
static void fold(struct observed *o)
{
	size_t n = 0;
	if (o->rows.n)
		qsort(o->rows.v, o->rows.n, sizeof(*o->rows.v), by_unit);
	for (size_t i = 0; i < o->rows.n; i++) {
		struct observed_row r = o->rows.v[i], *is = NULL;
		for (size_t k = n; k-- && !is && !by_unit(&o->rows.v[k], &r);)
			is = same(&o->rows.v[k], &r) ? &o->rows.v[k] : NULL;
		if (!is) {
			o->rows.v[n++] = r;
			continue;
		}
		is->flows += r.flows;
		is->bytes += r.bytes;
		is->first_ns = r.first_ns && (!is->first_ns || r.first_ns < is->first_ns) ? r.first_ns : is->first_ns;
		is->last_ns = r.last_ns > is->last_ns ? r.last_ns : is->last_ns;
	}
	o->rows.n = n;
}

static int read_row(struct observed *o, const struct conf_doc *doc, struct span unit, struct span type, const struct conf_node *n,
		    struct conf_report *rep)
{
	const struct conf_node *peers = conf_get(n, "peers");
	struct observed_row *r = POLICY_MODEL_ADD(&o->rows);
	if (!r)
		return -ENOMEM;
	*r = (struct observed_row){
		.unit = unit, .type = type, .state = conf_text(conf_get(n, "state"), ""),
		.direction = conf_text(conf_get(n, "direction"), ""), .transport = conf_text(conf_get(n, "transport"), ""),
		.port = conf_text(conf_get(n, "port"), ""), .protocol = conf_text(conf_get(n, "protocol"), ""),
		.row = conf_text(conf_get(n, "row"), ""), .flows = conf_uint(conf_get(n, "flows"), 0),
		.bytes = conf_uint(conf_get(n, "bytes"), 0), .first_ns = conf_date_ns(conf_get(n, "first"), 0),
		.last_ns = conf_date_ns(conf_get(n, "last"), 0),
	};
	for (size_t i = 0; i < conf_count(peers) && i < OBSERVED_PEERS; i++)
		r->peers[r->n_peers++] = conf_text(conf_at(peers, i), "");
	/* "104" or "5000-5010" */
	unsigned v[2] = { 0, 0 }, at = 0;
	for (size_t i = 0; i < r->port.n && at < 2 && v[at] <= 65535; i++)
		if (r->port.p[i] == '-')
			at++;
		else
			v[at] = r->port.p[i] >= '0' && r->port.p[i] <= '9' ? v[at] * 10 + (unsigned)(r->port.p[i] - '0') : 65536;
	v[1] = at ? v[1] : v[0];
	if (at > 1 || v[0] > 65535 || v[1] > 65535 || v[1] < v[0]) {
		conf_fault(doc, conf_get(n, "port"), rep, "expected a port or a range, as in \"104\" or \"5000-5010\"");
		return ERR_CONFIG;
	}
	r->lo = (uint16_t)v[0];
	r->hi = (uint16_t)v[1];
	return 0;
}

static int take(struct conf_doc *doc, struct observed *o, struct conf_report *rep)
{
	struct conf_doc **slot = POLICY_MODEL_ADD(&o->docs);
	if (!slot) {
		conf_free(doc);
		return -ENOMEM;
	}
	*slot = doc;
	if (conf_check(doc, conf_root(doc), observed_keys, rep))
		return ERR_CONFIG;
	const struct conf_node *units = conf_get(conf_root(doc), "units");
	int result = 0;
	for (size_t i = 0; i < conf_count(units); i++) {
		const struct conf_node *u = conf_at(units, i), *rows = conf_get(u, "rows");
		for (size_t k = 0; k < conf_count(rows); k++) {
			int r = read_row(o, doc, conf_key_at(units, i), conf_text(conf_get(u, "type"), ""), conf_at(rows, k), rep);
			if (r == -ENOMEM)
				return r;
			result = r ? r : result;
		}
	}
	fold(o);
	return result;
}

int observed_read(const char *path, struct observed *o, struct conf_report *rep)
{
	struct conf_doc *doc = conf_read_file(path, rep);
	return doc ? take(doc, o, rep) : ERR_CONFIG;
}

int observed_parse(struct span text, const char *name, struct observed *o, struct conf_report *rep)
{
	struct conf_doc *doc = conf_parse(text, name, rep);
	return doc ? take(doc, o, rep) : ERR_CONFIG;
}

void observed_free(struct observed *o)
{
	for (size_t i = 0; i < o->docs.n; i++)
		conf_free(o->docs.v[i]);
	free(o->docs.v);
	free(o->rows.v);
	*o = (struct observed){ 0 };
}
