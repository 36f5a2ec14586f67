#include "rules/policy_build.h"

#include <stdio.h>
#include <string.h>

/* ---- site ---- */

static uint32_t site_cite(struct policy_build *b, struct span row, struct span said, const struct policy_place *at)
{
	return policy_build_cite(b, EVENT_AUTH_SITE, policy_build_base_name(at->file), b->m->site_revision, row, said);
}

void policy_build_site(struct policy_build *b)
{
	const struct policy_model *m = b->m;
	char row[128];
	for (size_t i = 0; i < m->roles.n; i++) {
		const struct policy_model_role *role = &m->roles.v[i];
		int n = snprintf(row, sizeof(row), "roles.%.*s", POLICY_BUILD_SHOW(role->name));
		struct policy_role rec = { .name = policy_build_text_cut(b, role->name, POLICY_BUILD_MAX_NAME) };
		rec.cite = site_cite(b, (struct span){ (uint8_t *)row, (size_t)n }, role->name, &role->at);
		for (size_t k = 0; k < role->addresses.n; k++)
			for (size_t l = 0; l < role->addresses.v[k].titles.n; l++) {
				struct span t = role->addresses.v[k].titles.v[l];
				policy_build_check_title(b, t, &role->addresses.v[k].at);
				policy_build_add_title(b, t, POLICY_NONE, UINT64_C(1) << (i & 63));
				rec.titles = 1;
			}
		struct policy_role *slot = policy_build_add(b, POLICY_S_ROLES, NULL);
		if (slot)
			*slot = rec;
	}
	for (size_t i = 0; i < m->zones.n; i++) {
		struct policy_zone rec = { .name = policy_build_text_cut(b, m->zones.v[i].name,
									 POLICY_BUILD_MAX_NAME) };
		struct policy_zone *slot = policy_build_add(b, POLICY_S_ZONES, NULL);
		if (slot)
			*slot = rec;
	}
	for (uint32_t vlan = 1; vlan < 4095; vlan++)
		for (size_t i = 0; i < m->zones.n; i++)
			for (size_t k = 0; k < m->zones.v[i].vlans.n; k++)
				if (m->zones.v[i].vlans.v[k] == vlan) {
					struct policy_vlan *slot = policy_build_add(b, POLICY_S_VLANS, NULL);
					if (slot)
						*slot = (struct policy_vlan){ vlan, (uint32_t)i };
				}
	policy_build_windows(b);
	for (size_t i = 0; i < m->scanner_windows.n; i++) {
		bool found = false;
		char hint[160];
		struct span name = m->scanner_windows.v[i].text;
		for (size_t k = 0; k < m->windows.n; k++)
			found = found || span_eq(m->windows.v[k].name, name);
		if (!found)
			POLICY_BUILD_FAULT(b, &m->scanner_windows.v[i].at, "no window is called %.*s%s",
					   POLICY_BUILD_SHOW(name), POLICY_BUILD_HINT(m->windows, name, name, hint));
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

static void forbid_end(struct policy_build *b, const struct policy_name *n, uint8_t *ret_kind, uint32_t *ret_index)
{
	struct span rest;
	*ret_index = POLICY_NONE;
	if (!n->text.n || span_eq(n->text, span_str("any"))) {
		*ret_kind = POLICY_END_ANY;
	} else if (span_eq(n->text, span_str("internet"))) {
		*ret_kind = POLICY_END_INTERNET;
	} else if (begins(n->text, "zone", &rest)) {
		*ret_kind = POLICY_END_ZONE;
		*ret_index = policy_build_find_zone(b, rest, &n->at);
	} else if (begins(n->text, "role", &rest)) {
		*ret_kind = POLICY_END_ROLE;
		*ret_index = policy_build_find_role(b, rest, &n->at);
	} else if (begins(n->text, "unit", &rest)) {
		*ret_kind = POLICY_END_UNIT;
		*ret_index = policy_build_find_unit(b, rest, &n->at);
	} else if (begins(n->text, "type", &rest)) {
		*ret_kind = POLICY_END_TYPE;
		*ret_index = policy_build_find_type(b, rest, &n->at);
	} else {
		uint32_t z = policy_build_find_name(b->zones, b->m->zones.n, n->text),
			 r = policy_build_find_name(b->roles, b->m->roles.n, n->text);
		char hint[160];
		*ret_kind = z != POLICY_NONE ? POLICY_END_ZONE : POLICY_END_ROLE;
		*ret_index = z != POLICY_NONE ? z : r;
		if (z != POLICY_NONE && r != POLICY_NONE)
			POLICY_BUILD_FAULT(b, &n->at, "%.*s is both a zone and a role; say which: zone %.*s",
					   POLICY_BUILD_SHOW(n->text), POLICY_BUILD_SHOW(n->text));
		else if (*ret_index == POLICY_NONE) {
			policy_load_hint(n->text, b->m->zones.n ? &b->m->zones.v[0].name : NULL, b->m->zones.n,
					 sizeof(b->m->zones.v[0]), hint);
			if (!hint[0])
				POLICY_BUILD_HINT(b->m->roles, name, n->text, hint);
			POLICY_BUILD_FAULT(b, &n->at, "no zone and no role is called %.*s%s",
					   POLICY_BUILD_SHOW(n->text), hint);
		}
	}
}

static void add_forbid(struct policy_build *b, struct policy_forbid f)
{
	struct policy_forbid *slot = policy_build_add(b, POLICY_S_FORBIDS, NULL);
	if (slot)
		*slot = f;
}

void policy_build_forbids(struct policy_build *b)
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
		int n = snprintf(row, sizeof(row), "zones.%.*s", POLICY_BUILD_SHOW(b->m->zones.v[i].name));
		add_forbid(b, (struct policy_forbid){
				      .from = (uint32_t)i,
				      .from_kind = POLICY_END_ZONE,
				      .to = POLICY_NONE,
				      .to_kind = POLICY_END_INTERNET,
				      .transport = POLICY_TABLE_ANY_TRANSPORT,
				      .when_unsaid = 1,
				      .hi = 65535,
				      .cite = site_cite(b, (struct span){ (uint8_t *)row, (size_t)n },
							span_str("internet: no"), &b->m->zones.v[i].at),
			      });
	}
}
