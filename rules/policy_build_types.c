#include "rules/policy_build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- device types ---- */

struct span policy_build_fmt(char *out, size_t room, size_t *len, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(out + *len, room - *len, format, ap);
	va_end(ap);
	if (n > 0)
		*len += (size_t)n < room - *len ? (size_t)n : room - *len - 1;
	return (struct span){ (uint8_t *)out, *len };
}

/* What the row says, in short: "dicom tcp/104 to pacs, optional", "hl7 tcp/2575 to engine, ORU^R01, version 2.5". */
static struct span row_said(const struct policy_model_row *r, const struct conf_port_range *ports, size_t n_ports,
			    char out[static 256])
{
	static const char *const transports[] = { "tcp", "udp", "icmp", "other" };
	size_t n = 0;
	(void)policy_build_fmt(out, 256, &n, "%s %s", policy_proto_name(r->proto), transports[r->transport & 3]);
	for (size_t i = 0; i < n_ports && r->transport <= OBSERVATION_UDP; i++) {
		(void)policy_build_fmt(out, 256, &n, "%c%u", i ? ',' : '/', ports[i].lo);
		if (ports[i].hi != ports[i].lo)
			(void)policy_build_fmt(out, 256, &n, "-%u", ports[i].hi);
	}
	if (r->tls == POLICY_TLS_YES && policy_proto_tls(r->proto) != POLICY_TLS_YES)
		(void)policy_build_fmt(out, 256, &n, " in TLS");
	(void)policy_build_fmt(out, 256, &n, r->out && r->in ? " with " : r->out ? " to " : " from ");
	for (size_t i = 0; i < r->peers.n; i++) {
		const struct policy_peer *p = &r->peers.v[i];
		char ip[ADDR_STRLEN];
		(void)policy_build_fmt(out, 256, &n, "%s", i ? ", " : "");
		switch (p->kind) {
		case POLICY_PEER_ANY:
			(void)policy_build_fmt(out, 256, &n, "any");
			break;
		case POLICY_PEER_LOCAL:
			(void)policy_build_fmt(out, 256, &n, "local networks");
			break;
		case POLICY_PEER_MAKER:
			(void)policy_build_fmt(out, 256, &n, "same manufacturer");
			break;
		case POLICY_PEER_PREFIX:
			(void)policy_build_fmt(out, 256, &n, "%s", addr_str(&p->prefix.ip, ip));
			break;
		default:
			(void)policy_build_fmt(out, 256, &n, "%.*s", POLICY_BUILD_SHOW(p->name));
			break;
		}
	}
	(void)policy_build_fmt(out, 256, &n, r->disabled ? ", disabled" : r->optional ? ", optional" : "");
	for (size_t i = 0; i < r->messages.n; i++)
		(void)policy_build_fmt(out, 256, &n, "%s%.*s", i ? " or " : ", ", POLICY_BUILD_SHOW(r->messages.v[i]));
	for (size_t i = 0; i < r->versions.n; i++)
		(void)policy_build_fmt(out, 256, &n, "%s%.*s", i ? " or " : ", version ", POLICY_BUILD_SHOW(r->versions.v[i]));
	for (size_t i = 0; i < r->apps.n; i++)
		(void)policy_build_fmt(out, 256, &n, "%s%.*s", i ? " or " : ", application ", POLICY_BUILD_SHOW(r->apps.v[i]));
	return (struct span){ (uint8_t *)out, n };
}

static struct policy_document document_of(const struct policy_model_type *t, uint32_t i)
{
	return i < t->documents.n ? t->documents.v[i] : (struct policy_document){ 0 };
}

uint32_t policy_build_type_cite(struct policy_build *b, const struct policy_model_type *t, struct policy_source s,
				struct span said)
{
	struct policy_document d = document_of(t, s.document);
	return policy_build_cite(b, EVENT_AUTH_DOCUMENT, d.id, d.revision, s.row, said);
}

static void check_peers(struct policy_build *b, const struct policy_model_row *r)
{
	if (!r->peers.n)
		POLICY_BUILD_FAULT(b, &r->at, "row %.*s has no peer; say any when every host may be one",
				   POLICY_BUILD_SHOW(r->id));
	for (size_t i = 0; i < r->peers.n; i++)
		if (r->peers.v[i].kind == POLICY_PEER_ROLE)
			(void)policy_build_find_role(b, r->peers.v[i].name, &r->peers.v[i].at);
}

static void put_word(struct policy_build *b, struct span s)
{
	struct policy_text t = policy_build_text(b, s), *slot = policy_build_add(b, POLICY_S_WORDS, NULL);
	if (slot)
		*slot = t;
}

static void put_words(struct policy_build *b, struct policy_more *rec, const struct policy_model_row *r)
{
	const struct { const struct span *v; size_t n; } lists[] = {
		[POLICY_W_TYPES] = { r->messages.v, r->messages.n },
		[POLICY_W_SENDING_APPS] = { r->apps.v, r->apps.n },
		[POLICY_W_SENDING_FACS] = { r->sending_facs.v, r->sending_facs.n },
		[POLICY_W_RECEIVING_APPS] = { r->receiving_apps.v, r->receiving_apps.n },
		[POLICY_W_RECEIVING_FACS] = { r->receiving_facs.v, r->receiving_facs.n },
		[POLICY_W_VERSIONS] = { r->versions.v, r->versions.n },
		[POLICY_W_SOPS] = { NULL, 0 },
		[POLICY_W_CALLED] = { r->called.v, r->called.n },
	};
	rec->words_first = (uint32_t)b->s[POLICY_S_WORDS].n;
	for (unsigned w = 0; w < POLICY_WORDS; w++) {
		size_t n = w == POLICY_W_SOPS ? r->sops.n : lists[w].n;
		if (n > UINT16_MAX) {
			POLICY_BUILD_FAULT(b, &r->at, "a row constrains at most %d values of one kind", UINT16_MAX);
			return;
		}
		rec->words_n[w] = (uint16_t)n;
		for (size_t i = 0; i < n; i++) {
			char text[80];
			size_t len = 0;
			if (w == POLICY_W_SOPS)
				put_word(b, policy_build_fmt(text, sizeof(text), &len, "%u%.*s", r->sops.v[i].role,
							     POLICY_BUILD_SHOW(r->sops.v[i].uid)));
			else
				put_word(b, lists[w].v[i]);
		}
	}
}

static uint32_t put_more(struct policy_build *b, const struct policy_model_type *t, const struct policy_model_row *r, uint32_t cite)
{
	uint32_t index = POLICY_NONE;
	struct policy_more rec = {
		.id = policy_build_text(b, r->id),
		.tls_min = r->tls_min,
		.role = r->role,
		.max_peers = r->max_peers,
		.limits = policy_build_limits(b, t, r, cite),
		.control = policy_build_control_of(b, (uint32_t)(t - b->m->types.v), r->id),
	};
	put_words(b, &rec, r);
	struct policy_more *slot = policy_build_add(b, POLICY_S_MORES, &index);
	if (slot)
		*slot = rec;
	return index;
}

void policy_build_type(struct policy_build *b, uint32_t index)
{
	const struct policy_model_type *t = &b->m->types.v[index];
	static const char *const completes[] = { "unknown", "partial", "exhaustive" };
	char text[256];
	size_t n = 0;
	struct policy_type rec = {
		.id = policy_build_text(b, t->id),
		.maker = policy_build_text_cut(b, t->maker, 128),
		.model = policy_build_text_cut(b, t->model, 128),
		.psirt = policy_build_text_cut(b, t->psirt, 128),
		.maker_group = index,
		.cite_list = POLICY_NONE,
		.cite_unused = POLICY_NONE,
		.cite_external = POLICY_NONE,
		.complete = (uint8_t)t->complete,
		.external = (uint8_t)t->claims[POLICY_CLAIM_EXTERNAL].answer,
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
		rec.cite_list = policy_build_type_cite(
			b, t, list, policy_build_fmt(text, sizeof(text), &n, "port list: %s", completes[t->complete]));
	}
	const struct policy_claim *unused = &t->claims[POLICY_CLAIM_UNUSED_CLOSED], *external = &t->claims[POLICY_CLAIM_EXTERNAL];
	if (unused->answer == CONF_TRI_YES)
		rec.cite_unused = policy_build_type_cite(b, t, unused->source, span_str("unused ports closed: yes"));
	if (external->answer == CONF_TRI_NO)
		rec.cite_external = policy_build_type_cite(b, t, external->source, span_str("external: no"));
	b->control_first[index] = (uint32_t)b->s[POLICY_S_CONTROLS].n;
	policy_build_life(b, t, &rec);
	struct policy_type *slot = policy_build_add(b, POLICY_S_TYPES, NULL);
	if (slot)
		*slot = rec;
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct policy_model_row *r = &t->rows.v[i];
		check_peers(b, r);
		b->row_cites[b->row_first[index] + i] =
			policy_build_type_cite(b, t, r->source, row_said(r, r->ports, r->n_ports, text));
		b->row_mores[b->row_first[index] + i] = put_more(b, t, r, b->row_cites[b->row_first[index] + i]);
		for (size_t k = 0; k < r->titles.n; k++) {
			policy_build_check_title(b, r->titles.v[k], &r->at);
			policy_build_add_title(b, r->titles.v[k], POLICY_NONE, 0);
		}
	}
}

/* ---- rows of a unit ---- */

struct rowset {
	struct policy_row *v;
	size_t n, room;
};

static void put_row(struct policy_build *b, struct rowset *set, struct policy_row r)
{
	set->v = policy_load_grow(set->v, set->n, &set->room, sizeof(*set->v));
	if (set->n < set->room)
		set->v[set->n++] = r;
	else
		b->result = -ENOMEM;
}

struct policy_build_peers policy_build_peers(struct policy_build *b, const struct policy_peer *v, size_t n)
{
	struct policy_build_peers ret = { .prefix_first = (uint32_t)b->s[POLICY_S_PREFIXES].n };
	for (size_t i = 0; i < n; i++) {
		struct prefix *slot;
		uint32_t role;
		switch (v[i].kind) {
		case POLICY_PEER_ANY:
			ret.flags |= POLICY_ROW_ANY;
			break;
		case POLICY_PEER_LOCAL:
			ret.flags |= POLICY_ROW_LOCAL;
			break;
		case POLICY_PEER_NAME:
			ret.flags |= POLICY_ROW_NAME;
			break;
		case POLICY_PEER_MAKER:
			ret.flags |= POLICY_ROW_MAKER;
			break;
		case POLICY_PEER_PREFIX:
			if ((slot = policy_build_add(b, POLICY_S_PREFIXES, NULL))) {
				*slot = v[i].prefix;
				ret.prefix_n++;
			}
			break;
		case POLICY_PEER_ROLE:
			role = policy_build_find_name(b->roles, b->m->roles.n, v[i].name);
			ret.roles |= role < 64 ? UINT64_C(1) << role : 0;
			break;
		}
	}
	return ret;
}

static void put_sides(struct policy_build *b, struct rowset *set, struct policy_row rec, bool out, bool in,
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

static void put_model_row(struct policy_build *b, struct rowset *set, uint32_t more, const struct policy_model_row *r, bool enabled,
			  uint32_t cite, const struct conf_port_range *ports, size_t n_ports)
{
	struct policy_build_peers peers = policy_build_peers(b, r->peers.v, r->peers.n);
	struct policy_row rec = {
		.more = more,
		.cite = cite,
		.transport = r->transport,
		.proto = r->proto,
		.tls = r->tls,
		.roles = peers.roles,
		.prefix_first = peers.prefix_first,
		.prefix_n = peers.prefix_n,
		.flags = peers.flags,
	};
	if ((r->optional || r->disabled) && !enabled)
		rec.flags |= POLICY_ROW_OFF;
	if (r->clear)
		rec.flags |= POLICY_ROW_CLEAR;
	put_sides(b, set, rec, r->out, r->in, ports, n_ports);
	/* RFC 7766, 1: DNS over TCP is as normal as over UDP; RFC 4120, 7.2 says the same of Kerberos. */
	if (r->proto == POLICY_PROTO_DNS || r->proto == POLICY_PROTO_KERBEROS) {
		rec.transport = r->transport == OBSERVATION_UDP ? OBSERVATION_TCP : OBSERVATION_UDP;
		put_sides(b, set, rec, r->out, r->in, ports, n_ports);
	}
}

/* The built-in sets, so that no profile repeats them (docs/profiles.md). */
static void put_infrastructure(struct policy_build *b, struct rowset *set, const struct policy_model_type *t)
{
	static const struct {
		const char *name;
		uint8_t transport, side, proto;
		uint16_t lo, hi;
		const char *role; /* NULL: any peer; a role the site lacks: any local one */
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
				.transport = sets[k].transport,
				.side = sets[k].side,
				.proto = sets[k].proto,
				.lo = sets[k].lo,
				.hi = sets[k].hi,
				.more = POLICY_NONE,
			};
			uint32_t role =
				sets[k].role ? policy_build_find_name(b->roles, b->m->roles.n, span_str(sets[k].role))
					     : POLICY_NONE;
			if (role < 64)
				rec.roles = UINT64_C(1) << role;
			else
				rec.flags = sets[k].role ? POLICY_ROW_LOCAL : POLICY_ROW_ANY;
			if (cite == POLICY_NONE) {
				struct policy_source s = { .document = t->list.document,
							   .row = span_str("infrastructure") };
				cite = policy_build_type_cite(b, t, s, name);
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

static uint32_t put_rowset(struct policy_build *b, struct rowset *set)
{
	uint32_t index = POLICY_NONE, first = (uint32_t)b->s[POLICY_S_ROWS].n;
	if (set->n)
		qsort(set->v, set->n, sizeof(*set->v), by_row);
	for (size_t i = 0; i < set->n; i++) {
		struct policy_row *r = &set->v[i];
		r->max_hi = r->hi;
		if (i && r[-1].transport == r->transport && r[-1].side == r->side && r[-1].max_hi > r->hi)
			r->max_hi = r[-1].max_hi;
		struct policy_row *slot = policy_build_add(b, POLICY_S_ROWS, NULL);
		if (slot)
			*slot = *r;
		uint32_t *key = policy_build_add(b, POLICY_S_KEYS, NULL);
		if (key)
			*key = policy_table_key(r->transport, r->side, r->lo);
	}
	struct policy_rowset *slot = policy_build_add(b, POLICY_S_ROWSETS, &index);
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

static void mark_enabled(struct policy_build *b, const struct policy_model_unit *u, const struct policy_model_type *t,
			 struct policy_build_variant *v)
{
	char hint[160];
	for (size_t i = 0; i < u->enabled.n; i++) {
		size_t k = 0;
		while (k < t->rows.n && !span_eq(t->rows.v[k].id, u->enabled.v[i].text))
			k++;
		if (k == t->rows.n)
			POLICY_BUILD_FAULT(b, &u->enabled.v[i].at, "device type %.*s has no option %.*s%s",
					   POLICY_BUILD_SHOW(t->id), POLICY_BUILD_SHOW(u->enabled.v[i].text),
					   POLICY_BUILD_HINT(t->rows, id, u->enabled.v[i].text, hint));
		else if (t->rows.v[k].optional || t->rows.v[k].disabled)
			v->enabled[k / 64] |= UINT64_C(1) << (k % 64);
	}
	for (size_t i = 0; i < u->overrides.n; i++) {
		size_t k = 0;
		while (k < t->rows.n && !span_eq(t->rows.v[k].id, u->overrides.v[i].row))
			k++;
		if (k == t->rows.n)
			POLICY_BUILD_FAULT(b, &u->overrides.v[i].at, "device type %.*s has no row %.*s to override%s",
					   POLICY_BUILD_SHOW(t->id), POLICY_BUILD_SHOW(u->overrides.v[i].row),
					   POLICY_BUILD_HINT(t->rows, id, u->overrides.v[i].row, hint));
	}
}

uint32_t policy_build_rowset(struct policy_build *b, const struct policy_model_unit *u, uint32_t type)
{
	const struct policy_model_type *t = &b->m->types.v[type];
	struct policy_build_variant v = { .type = type };
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
		uint32_t more = b->row_mores[b->row_first[type] + i];
		bool enabled = v.enabled[i / 64] >> (i % 64) & 1;
		if (!o) {
			put_model_row(b, &set, more, r, enabled, b->row_cites[b->row_first[type] + i], r->ports, r->n_ports);
			continue;
		}
		char said[256], row[256];
		size_t n = 0;
		struct span entry = policy_build_fmt(row, sizeof(row), &n, "%.*s %.*s", POLICY_BUILD_SHOW(u->id),
						     POLICY_BUILD_SHOW(r->id));
		uint32_t cite = policy_build_cite(b, EVENT_AUTH_INVENTORY, policy_build_base_name(o->at.file),
						  o->at.doc ? b->m->inventory_revision : (struct span){ 0 }, entry,
						  row_said(r, o->ports, o->n_ports, said));
		put_model_row(b, &set, more, r, enabled, cite, o->ports, o->n_ports);
	}
	put_infrastructure(b, &set, t);
	v.rowset = put_rowset(b, &set);
	if (!own) {
		struct policy_build_variant *slot = POLICY_MODEL_ADD(&b->variants);
		if (slot)
			*slot = v;
		else
			b->result = -ENOMEM;
	}
	return v.rowset;
}
