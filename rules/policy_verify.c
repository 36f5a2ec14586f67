/* Every index, offset and run in the records of a table, tested once, so that lookups need not. */
#include "rules/policy_table.h"

#define SECTION POLICY_TABLE_SECTION
#define COUNT POLICY_TABLE_COUNT

static bool text_inside(const struct policy *p, struct policy_text t)
{
	return t.at <= COUNT(p, TEXT) && t.n <= COUNT(p, TEXT) - t.at;
}

static bool index_or_none(uint32_t i, uint32_t n) { return i == POLICY_NONE || i < n; }
static bool run_inside(uint32_t first, uint32_t n, uint32_t all) { return first <= all && n <= all - first; }

static bool units_hold(const struct policy *p)
{
	const struct policy_unit *u = SECTION(p, DEVICES, struct policy_unit);
	for (uint32_t i = 0; i < COUNT(p, DEVICES); i++)
		if (!text_inside(p, u[i].id) || !text_inside(p, u[i].location) ||
		    !index_or_none(u[i].type, COUNT(p, TYPES)) || !index_or_none(u[i].rowset, COUNT(p, ROWSETS)) ||
		    !index_or_none(u[i].zone, COUNT(p, ZONES)) || !index_or_none(u[i].cite, COUNT(p, CITES)) ||
		    (u[i].type == POLICY_NONE) != (u[i].rowset == POLICY_NONE))
			return false;
	const struct policy_type *t = SECTION(p, TYPES, struct policy_type);
	for (uint32_t i = 0; i < COUNT(p, TYPES); i++)
		if (!text_inside(p, t[i].id) || !text_inside(p, t[i].maker) || !text_inside(p, t[i].model) ||
		    !text_inside(p, t[i].psirt) || !index_or_none(t[i].cite_list, COUNT(p, CITES)) ||
		    !index_or_none(t[i].cite_unused, COUNT(p, CITES)) ||
		    !index_or_none(t[i].cite_external, COUNT(p, CITES)) ||
		    !index_or_none(t[i].cite_encrypted, COUNT(p, CITES)) || !index_or_none(t[i].cite_no_remote, COUNT(p, CITES)) ||
		    !index_or_none(t[i].cite_eol, COUNT(p, CITES)) || !index_or_none(t[i].cite_eos, COUNT(p, CITES)) ||
		    !index_or_none(t[i].cite_ends, COUNT(p, CITES)) || !index_or_none(t[i].control, COUNT(p, CONTROLS)) ||
		    t[i].complete > POLICY_COMPLETE_EXHAUSTIVE)
			return false;
	return true;
}

static bool words_inside(const struct policy *p, const struct policy_more *r)
{
	uint32_t n = 0;
	for (unsigned w = 0; w < POLICY_WORDS; w++)
		n += r->words_n[w];
	return run_inside(r->words_first, n, COUNT(p, WORDS));
}

static bool around_rows_holds(const struct policy *p)
{
	const struct policy_more *m = SECTION(p, MORES, struct policy_more);
	for (uint32_t i = 0; i < COUNT(p, MORES); i++)
		if (!words_inside(p, &m[i]) || !index_or_none(m[i].limits, COUNT(p, LIMITS)) ||
		    !index_or_none(m[i].control, COUNT(p, CONTROLS)) || !text_inside(p, m[i].id))
			return false;
	const struct policy_limit *l = SECTION(p, LIMITS, struct policy_limit);
	for (uint32_t i = 0; i < COUNT(p, LIMITS); i++)
		if (!index_or_none(l[i].cite, COUNT(p, CITES)) || !run_inside(l[i].span_first, l[i].span_n, COUNT(p, SPANS)))
			return false;
	const struct policy_control *c = SECTION(p, CONTROLS, struct policy_control);
	for (uint32_t i = 0; i < COUNT(p, CONTROLS); i++)
		if (!index_or_none(c[i].cite, COUNT(p, CITES)) || !run_inside(c[i].prefix_first, c[i].prefix_n, COUNT(p, PREFIXES)))
			return false;
	const struct policy_window *w = SECTION(p, WINDOWS, struct policy_window);
	for (uint32_t i = 0; i < COUNT(p, WINDOWS); i++)
		if (!index_or_none(w[i].cite, COUNT(p, CITES)) || !index_or_none(w[i].device, COUNT(p, DEVICES)))
			return false;
	const struct policy_acceptance *a = SECTION(p, ACCEPTS, struct policy_acceptance);
	for (uint32_t i = 0; i < COUNT(p, ACCEPTS); i++)
		if (!text_inside(p, a[i].id) || (i && a[i].key < a[i - 1].key))
			return false;
	const struct policy_mark_record *marks = SECTION(p, MARKS, struct policy_mark_record);
	for (uint32_t i = 0; i < COUNT(p, MARKS); i++)
		if (marks[i].device >= COUNT(p, DEVICES) || (i && marks[i].key < marks[i - 1].key))
			return false;
	return true;
}

static bool rows_hold(const struct policy *p)
{
	const struct policy_rowset *s = SECTION(p, ROWSETS, struct policy_rowset);
	if (COUNT(p, KEYS) != COUNT(p, ROWS))
		return false;
	for (uint32_t i = 0; i < COUNT(p, ROWSETS); i++)
		if (!run_inside(s[i].first, s[i].n, COUNT(p, ROWS)))
			return false;
	const struct policy_row *r = SECTION(p, ROWS, struct policy_row);
	for (uint32_t i = 0; i < COUNT(p, ROWS); i++)
		if (!index_or_none(r[i].cite, COUNT(p, CITES)) ||
		    !run_inside(r[i].prefix_first, r[i].prefix_n, COUNT(p, PREFIXES)) ||
		    !index_or_none(r[i].more, COUNT(p, MORES)) || r[i].proto >= POLICY_PROTOS || r[i].tls > POLICY_TLS_OPTIONAL)
			return false;
	const struct prefix *x = SECTION(p, PREFIXES, struct prefix);
	for (uint32_t i = 0; i < COUNT(p, PREFIXES); i++)
		if (x[i].bits > 128)
			return false;
	const struct policy_text *w = SECTION(p, WORDS, struct policy_text);
	for (uint32_t i = 0; i < COUNT(p, WORDS); i++)
		if (!text_inside(p, w[i]))
			return false;
	return true;
}

static bool addresses_hold(const struct policy *p)
{
	if (COUNT(p, SLOTS) & (COUNT(p, SLOTS) - 1) || COUNT(p, MACS) & (COUNT(p, MACS) - 1))
		return false;
	const struct policy_slot *s = SECTION(p, SLOTS, struct policy_slot);
	for (uint32_t i = 0; i < COUNT(p, SLOTS); i++)
		if (!index_or_none(s[i].device, COUNT(p, DEVICES)) || !index_or_none(s[i].info, COUNT(p, INFOS)))
			return false;
	const struct policy_mac_slot *m = SECTION(p, MACS, struct policy_mac_slot);
	for (uint32_t i = 0; i < COUNT(p, MACS); i++)
		if (!index_or_none(m[i].device, COUNT(p, DEVICES)))
			return false;
	const struct policy_info *f = SECTION(p, INFOS, struct policy_info);
	for (uint32_t i = 0; i < COUNT(p, INFOS); i++)
		if (!index_or_none(f[i].role, COUNT(p, ROLES)) || !index_or_none(f[i].zone, COUNT(p, ZONES)))
			return false;
	const struct policy_range *r = SECTION(p, RANGES, struct policy_range);
	for (uint32_t i = 0; i < COUNT(p, RANGES); i++)
		if (r[i].info >= COUNT(p, INFOS))
			return false;
	const struct policy_vlan *v = SECTION(p, VLANS, struct policy_vlan);
	for (uint32_t i = 0; i < COUNT(p, VLANS); i++)
		if (v[i].zone >= COUNT(p, ZONES))
			return false;
	return true;
}

static bool rest_holds(const struct policy *p)
{
	const struct policy_ae *a = SECTION(p, AES, struct policy_ae);
	for (uint32_t i = 0; i < COUNT(p, AES); i++)
		if (!index_or_none(a[i].device, COUNT(p, DEVICES)))
			return false;
	const struct policy_forbid *f = SECTION(p, FORBIDS, struct policy_forbid);
	for (uint32_t i = 0; i < COUNT(p, FORBIDS); i++)
		if (f[i].from_kind >= POLICY_END_KINDS || f[i].to_kind >= POLICY_END_KINDS ||
		    !index_or_none(f[i].cite, COUNT(p, CITES)))
			return false;
	const struct policy_cite_rec *c = SECTION(p, CITES, struct policy_cite_rec);
	for (uint32_t i = 0; i < COUNT(p, CITES); i++)
		if (!text_inside(p, c[i].document) || !text_inside(p, c[i].revision) || !text_inside(p, c[i].row) ||
		    !text_inside(p, c[i].said) || c[i].authority > EVENT_AUTH_SENSOR)
			return false;
	const struct policy_role *r = SECTION(p, ROLES, struct policy_role);
	for (uint32_t i = 0; i < COUNT(p, ROLES); i++)
		if (!text_inside(p, r[i].name) || !index_or_none(r[i].cite, COUNT(p, CITES)))
			return false;
	const struct policy_zone *z = SECTION(p, ZONES, struct policy_zone);
	for (uint32_t i = 0; i < COUNT(p, ZONES); i++)
		if (!text_inside(p, z[i].name))
			return false;
	return index_or_none(p->cite_inventory, COUNT(p, CITES)) && COUNT(p, ROLES) <= POLICY_TABLE_MAX_ROLES;
}

bool policy_verify_records(const struct policy *p)
{
	return units_hold(p) && rows_hold(p) && around_rows_holds(p) && addresses_hold(p) && rest_holds(p);
}
