#include "rules/policy_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- units ---- */

static void build_unit(struct policy_build *b, uint32_t index)
{
	const struct policy_model_unit *u = &b->m->units.v[index];
	char text[256];
	size_t n = 0;
	bool has_ip = false;
	struct policy_unit rec = {
		.id = policy_build_text(b, u->id),
		.location = policy_build_text_cut(b, u->location, 128),
		.type = POLICY_NONE,
		.rowset = POLICY_NONE,
		.zone = POLICY_NONE,
		.mode = (uint8_t)(u->mode == POLICY_MODE_UNSAID ? POLICY_MODE_ALERT : u->mode),
		.mode_until_ns = u->mode_until_ns,
		.network_ends_ns = u->network_ends_ns,
		.behind = u->behind,
		.titles = u->titles.n > 0,
	};
	if (u->type.n) {
		rec.type = policy_build_find_type(b, u->type, &u->type_at);
		if (rec.type != POLICY_NONE)
			rec.rowset = policy_build_rowset(b, u, rec.type);
	} else if (u->enabled.n || u->overrides.n) {
		POLICY_BUILD_FAULT(b, &u->at, "unit %.*s has options but no type", POLICY_BUILD_SHOW(u->id));
	}
	if (u->zone.n)
		rec.zone = policy_build_find_zone(b, u->zone, &u->zone_at);
	for (size_t i = 0; i < u->selects.n; i++)
		has_ip = has_ip || u->selects.v[i].has_ip;
	rec.by_mac = !has_ip;
	struct span said = u->type.n ? policy_build_fmt(text, sizeof(text), &n, "type %.*s", POLICY_BUILD_SHOW(u->type))
				     : span_str("no type");
	rec.cite = policy_build_cite(b, EVENT_AUTH_INVENTORY, policy_build_base_name(u->at.file),
				     u->at.doc ? b->m->inventory_revision : (struct span){ 0 }, u->id, said);
	for (size_t i = 0; i < u->titles.n; i++) {
		policy_build_check_title(b, u->titles.v[i].text, &u->titles.v[i].at);
		policy_build_add_title(b, u->titles.v[i].text, index, 0);
	}
	for (unsigned k = 0; k < POLICY_MARK_KINDS; k++) {
		uint64_t key = policy_mark_key((enum policy_mark_kind)k, u->marks[k]);
		struct policy_mark_record *m = key ? policy_build_add(b, POLICY_S_MARKS, NULL) : NULL;
		if (m)
			*m = (struct policy_mark_record){ .key = key, .device = index, .kind = k };
		rec.marks |= key ? 1u << k : 0;
	}
	policy_build_selects(b, u, index);
	struct policy_unit *slot = policy_build_add(b, POLICY_S_DEVICES, NULL);
	if (slot)
		*slot = rec;
}

static void check_unit_names(struct policy_build *b)
{
	for (size_t i = 1; i < b->m->units.n; i++)
		if (span_eq(b->units[i].name, b->units[i - 1].name)) {
			const struct policy_model_unit *u = &b->m->units.v[b->units[i].index];
			const struct policy_model_unit *v = &b->m->units.v[b->units[i - 1].index];
			char where[128];
			POLICY_BUILD_FAULT(b, &u->at, "unit %.*s stands at %s already", POLICY_BUILD_SHOW(u->id),
					   policy_load_where(&v->at, where));
		}
}

static int by_title(const void *pa, const void *pb)
{
	const struct policy_build_ae *a = pa, *b = pb;
	int c = memcmp(a->ae.title, b->ae.title, POLICY_TABLE_AE);
	if (c)
		return c;
	return a->ae.device < b->ae.device ? -1 : a->ae.device > b->ae.device;
}

static int by_mark(const void *pa, const void *pb)
{
	const struct policy_mark_record *a = pa, *b = pb;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->device < b->device ? -1 : a->device > b->device;
}

static void build_titles(struct policy_build *b)
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
		last = policy_build_add(b, POLICY_S_AES, NULL);
		if (!last)
			return;
		*last = *e;
	}
}

/* ---- the whole ---- */

static struct policy *lay_out(struct policy_build *b)
{
	size_t size = sizeof(struct policy);
	uint32_t at[POLICY_SECTIONS];
	for (unsigned i = 0; i < POLICY_SECTIONS; i++) {
		size = (size + POLICY_TABLE_ALIGN - 1) / POLICY_TABLE_ALIGN * POLICY_TABLE_ALIGN;
		at[i] = (uint32_t)size;
		size += b->s[i].n * policy_record_size(i);
		if (size > POLICY_TABLE_MAX_BYTES) {
			struct policy_place none = { .file = "policy" };
			POLICY_BUILD_FAULT(b, &none, "the table would be larger than %d MiB",
					   POLICY_TABLE_MAX_BYTES >> 20);
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
	p->utc_offset_min = b->m->utc_offset_min;
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
	const struct policy_unit *u = (const void *)b->s[POLICY_S_DEVICES].v;
	for (size_t i = 0; i < b->s[POLICY_S_DEVICES].n; i++)
		p->by_mac = p->by_mac || u[i].by_mac;
	return p;
}

static void free_build(struct policy_build *b)
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
	free(b->row_mores);
	free(b->control_first);
	free(b->variants.v);
	free(b->selects.v);
	free(b->macs.v);
	free(b->aes.v);
}

int policy_compile_model(const struct policy_model *m, struct policy **ret, struct conf_report *rep)
{
	struct policy_build b = { .m = m, .rep = rep, .cite_inventory = POLICY_NONE };
	size_t rows = 0;
	b.types = POLICY_BUILD_SORT(&b, m->types, id);
	b.units = POLICY_BUILD_SORT(&b, m->units, id);
	b.roles = POLICY_BUILD_SORT(&b, m->roles, name);
	b.zones = POLICY_BUILD_SORT(&b, m->zones, name);
	for (size_t i = 0; i < m->types.n; i++)
		rows += m->types.v[i].rows.n;
	b.row_cites = calloc(rows ? rows : 1, sizeof(*b.row_cites));
	b.row_first = calloc(m->types.n ? m->types.n : 1, sizeof(*b.row_first));
	b.row_mores = calloc(rows ? rows : 1, sizeof(*b.row_mores));
	b.control_first = calloc(m->types.n ? m->types.n : 1, sizeof(*b.control_first));
	if (!b.row_cites || !b.row_first || !b.row_mores || !b.control_first || b.result) {
		free_build(&b);
		return -ENOMEM;
	}
	for (size_t i = 1; i < m->types.n; i++)
		b.row_first[i] = b.row_first[i - 1] + (uint32_t)m->types.v[i - 1].rows.n;
	if (m->has_inventory)
		b.cite_inventory =
			policy_build_cite(&b, EVENT_AUTH_INVENTORY, policy_build_base_name(m->inventory_file),
					  m->inventory_revision, span_str("all"), span_str("no entry for this host"));
	policy_build_site(&b);
	for (uint32_t i = 0; i < m->types.n; i++)
		policy_build_type(&b, i);
	check_unit_names(&b);
	for (uint32_t i = 0; i < m->units.n && b.result != -ENOMEM; i++)
		build_unit(&b, i);
	policy_build_forbids(&b);
	policy_build_acceptances(&b);
	policy_build_check_selects(&b, b.selects.v, b.selects.n);
	policy_build_check_selects(&b, b.macs.v, b.macs.n);
	if (!b.result) {
		policy_build_slots(&b);
		policy_build_macs(&b);
		policy_build_ranges(&b);
		build_titles(&b);
		if (b.s[POLICY_S_MARKS].n)
			qsort(b.s[POLICY_S_MARKS].v, b.s[POLICY_S_MARKS].n, sizeof(struct policy_mark_record), by_mark);
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
