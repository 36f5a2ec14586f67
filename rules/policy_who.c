/* Who is at an address: only what is bound to it assigns a unit (docs/profiles.md). */
#include <string.h>

#include "core/bytes.h"
#include "rules/policy_judge.h"

#define SECTION POLICY_TABLE_SECTION
#define COUNT POLICY_TABLE_COUNT

/* An address that no file speaks of. */
static const struct policy_info info_none = { .role = POLICY_NONE, .zone = POLICY_NONE };

static bool zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* Whether the address a does not come behind b. */
static inline bool up_to(const uint8_t a[static 16], const uint8_t b[static 16])
{
	uint64_t a_high = bytes_u64be(a), b_high = bytes_u64be(b);
	return a_high < b_high || (a_high == b_high && bytes_u64be(a + 8) <= bytes_u64be(b + 8));
}

static const struct policy_info *info_by_range(const struct policy *p, const struct addr *ip)
{
	const struct policy_range *r = SECTION(p, RANGES, struct policy_range);
	size_t lo = 0, hi = COUNT(p, RANGES);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (up_to(r[mid].lo, ip->b))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo && up_to(ip->b, r[lo - 1].hi))
		return SECTION(p, INFOS, struct policy_info) + r[lo - 1].info;
	return &info_none;
}

/* Does an entry's further evidence fit? Evidence that this packet does not carry (an untagged mirror, a
 * router's hop hidden from us) is neither for nor against. */
static int slot_fit(const struct policy_slot *s, const struct mac *mac, uint16_t vlan)
{
	int fit = 1;
	if (vlan & POLICY_VLAN_ONLY && (!s->vlan || s->vlan != (vlan & ~POLICY_VLAN_ONLY)))
		return 0;
	vlan &= POLICY_VLAN_ONLY - 1;
	if (s->vlan) {
		if (vlan && vlan != s->vlan)
			return 0;
		fit += vlan ? 2 : 0;
	}
	if (!zero(s->mac, 6)) {
		if (mac && memcmp(mac->b, s->mac, 6))
			return 0;
		fit += mac ? 2 : 0;
	}
	return fit;
}

static const struct policy_info *find_by_ip(const struct policy *p, const struct addr *ip, const struct mac *mac,
					    uint16_t vlan, struct policy_who *w)
{
	const struct policy_slot *s = SECTION(p, SLOTS, struct policy_slot);
	uint32_t n = COUNT(p, SLOTS);
	const struct policy_slot *best = NULL;
	const struct policy_info *info = NULL;
	int best_fit = 0;
	bool several = false;
	if (!n)
		return NULL;
	for (uint32_t i = 0, at = policy_hash_addr(ip->b) & (n - 1); i < POLICY_TABLE_MAX_PROBES && i < n; i++) {
		const struct policy_slot *e = &s[(at + i) & (n - 1)];
		if (e->info == POLICY_NONE)
			break;
		if (memcmp(e->ip, ip->b, 16))
			continue;
		info = SECTION(p, INFOS, struct policy_info) + e->info;
		if (e->device == POLICY_NONE)
			continue;
		int fit = slot_fit(e, mac, vlan);
		if (fit && fit == best_fit)
			several = several || e->device != best->device;
		else if (fit > best_fit) {
			best = e;
			best_fit = fit;
			several = false;
		}
	}
	if (best && !several) {
		w->device = best->device;
		w->by = best->vlan && vlan ? EVENT_BY_IP_VLAN : EVENT_BY_IP;
		info = SECTION(p, INFOS, struct policy_info) + best->info;
	}
	return info;
}

static uint32_t find_by_mac(const struct policy *p, const struct mac *mac, uint16_t vlan)
{
	const struct policy_mac_slot *m = SECTION(p, MACS, struct policy_mac_slot);
	uint32_t n = COUNT(p, MACS), found = POLICY_NONE;
	if (!n)
		return POLICY_NONE;
	for (uint32_t i = 0, at = policy_hash_mac(mac->b) & (n - 1); i < POLICY_TABLE_MAX_PROBES && i < n; i++) {
		const struct policy_mac_slot *e = &m[(at + i) & (n - 1)];
		if (e->device == POLICY_NONE)
			break;
		if (memcmp(e->mac, mac->b, 6) || (e->vlan && vlan && e->vlan != vlan))
			continue;
		if (found != POLICY_NONE && found != e->device)
			return POLICY_NONE;
		found = e->device;
	}
	return found;
}

void policy_who_find(const struct policy *p, const struct addr *ip, const struct mac *mac, uint16_t vlan,
		     struct policy_who *w)
{
	*w = (struct policy_who){ .device = POLICY_NONE, .by = EVENT_BY_NOTHING };
	if (mac && zero(mac->b, 6)) {
		w->routed = true;
		mac = NULL;
	}
	const struct policy_info *info = find_by_ip(p, ip, mac, vlan, w);
	vlan &= POLICY_VLAN_ONLY - 1;
	w->info = info ? info : info_by_range(p, ip);
	w->zone = w->info->zone;
	bool nobody = addr_is_zero(ip);
	bool group = addr_is_multicast(ip) || addr_is_broadcast(ip);
	w->host = !nobody && !group;
	w->local = w->info->local || nobody || group || addr_is_link_local(ip) || addr_is_loopback(ip);
	/* A hardware address says who it is only on its own segment: with an address from elsewhere, or one that
	 * the site knows as another's, it is the router's. */
	if (w->device == POLICY_NONE && mac && w->local && !group && !w->info->roles) {
		w->device = find_by_mac(p, mac, vlan);
		if (w->device != POLICY_NONE)
			w->by = EVENT_BY_MAC;
	}
	if (w->device != POLICY_NONE) {
		const struct policy_unit *u = SECTION(p, DEVICES, struct policy_unit) + w->device;
		if (u->zone != POLICY_NONE)
			w->zone = u->zone;
	} else if (w->info->roles) {
		w->by = EVENT_BY_ROLE;
	}
	/* A router brings packets of the whole hospital, and of the internet, into a zone's VLAN: who has an address from elsewhere, a
	 * role of his own or a router's card is not of that zone. */
	if (w->zone == POLICY_NONE && vlan && w->local && !w->routed && !w->info->roles) {
		const struct policy_vlan *v = SECTION(p, VLANS, struct policy_vlan);
		for (uint32_t lo = 0, hi = COUNT(p, VLANS); lo < hi;) {
			uint32_t mid = lo + (hi - lo) / 2;
			if (v[mid].vlan == vlan) {
				w->zone = v[mid].zone;
				break;
			}
			if (v[mid].vlan < vlan)
				lo = mid + 1;
			else
				hi = mid;
		}
	}
}

void policy_who_host(const struct policy *p, const struct policy_who *w, struct policy_host *ret)
{
	*ret = (struct policy_host){ .device = w->device, .by = w->by, .local = w->local };
	if (w->device != POLICY_NONE) {
		const struct policy_unit *u = SECTION(p, DEVICES, struct policy_unit) + w->device;
		ret->id = policy_judge_text(p, u->id);
		if (u->type != POLICY_NONE)
			ret->type = policy_judge_text(p, SECTION(p, TYPES, struct policy_type)[u->type].id);
	}
	if (w->info->role != POLICY_NONE)
		ret->role = policy_judge_text(p, SECTION(p, ROLES, struct policy_role)[w->info->role].name);
	if (w->zone != POLICY_NONE)
		ret->zone = policy_judge_text(p, SECTION(p, ZONES, struct policy_zone)[w->zone].name);
}

void policy_host(const struct policy *p, const struct addr *ip, const struct mac *mac, uint16_t vlan, struct policy_host *ret)
{
	struct policy_who w;
	policy_who_find(p, ip, mac, vlan, &w);
	policy_who_host(p, &w, ret);
}

enum policy_plays policy_plays(const struct policy *p, const struct addr *ip, const char *role, uint32_t *ret_cite)
{
	const struct policy_role *r = SECTION(p, ROLES, struct policy_role);
	struct policy_who w;
	*ret_cite = POLICY_NONE;
	for (uint32_t i = 0; i < COUNT(p, ROLES) && i < 64; i++) {
		if (!span_eq(policy_judge_text(p, r[i].name), span_str(role)))
			continue;
		*ret_cite = r[i].cite;
		policy_who_find(p, ip, NULL, 0, &w);
		return w.info->roles >> i & 1 ? POLICY_PLAYS_YES : POLICY_PLAYS_NO;
	}
	return POLICY_PLAYS_UNSAID;
}

enum policy_card policy_card(const struct policy *p, uint32_t device, const struct mac *mac, uint32_t *ret_cite)
{
	const struct policy_mac_slot *m = SECTION(p, MACS, struct policy_mac_slot);
	const struct policy_slot *s = SECTION(p, SLOTS, struct policy_slot);
	bool has = false, anothers = false;
	*ret_cite = device < COUNT(p, DEVICES) ? SECTION(p, DEVICES, struct policy_unit)[device].cite : POLICY_NONE;
	for (uint32_t i = 0; i < COUNT(p, MACS); i++) {
		bool it = m[i].device != POLICY_NONE && !memcmp(m[i].mac, mac->b, 6);
		if (it && m[i].device == device)
			return POLICY_CARD_OWN;
		has |= m[i].device == device;
		anothers |= it;
	}
	for (uint32_t i = 0; i < COUNT(p, SLOTS); i++) {
		if (s[i].info == POLICY_NONE || s[i].device != device || zero(s[i].mac, 6))
			continue;
		if (!memcmp(s[i].mac, mac->b, 6))
			return POLICY_CARD_OWN;
		has = true;
	}
	return has || anothers ? POLICY_CARD_ANOTHERS : POLICY_CARD_UNSAID;
}

const struct policy_ae *policy_who_ae(const struct policy *p, struct span ae)
{
	/* PS3.5 6.2, VR AE: leading and trailing spaces do not count */
	ae = span_trim(ae);
	if (!ae.n || ae.n > POLICY_TABLE_AE)
		return NULL;
	uint8_t title[POLICY_TABLE_AE] = { 0 };
	memcpy(title, ae.p, ae.n);
	const struct policy_ae *a = SECTION(p, AES, struct policy_ae);
	size_t lo = 0, hi = COUNT(p, AES);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = memcmp(a[mid].title, title, sizeof(title));
		if (!c)
			return &a[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

uint32_t policy_ae_owner(const struct policy *p, struct span ae, bool *ret_known)
{
	const struct policy_ae *a = policy_who_ae(p, ae);
	*ret_known = a != NULL;
	return a && !a->several ? a->device : POLICY_NONE;
}

const struct policy_type *policy_who_type(const struct policy *p, uint32_t device)
{
	uint32_t t = device == POLICY_NONE ? POLICY_NONE : SECTION(p, DEVICES, struct policy_unit)[device].type;
	return t == POLICY_NONE ? NULL : SECTION(p, TYPES, struct policy_type) + t;
}

/* Both ends. Observations of messages carry no hardware address of their own; the caller may lend them one. */
void policy_who_ends(const struct policy *p, const struct observation *o, struct policy_who ret[static 2])
{
	uint16_t vlan = observation_has(o, OBSERVATION_F_vlan) ? (uint16_t)(o->vlan & (POLICY_VLAN_ONLY | 0xfff)) : 0;
	policy_who_find(p, &o->src.ip, observation_has(o, OBSERVATION_F_src_mac) ? &o->src_mac : NULL, vlan, &ret[0]);
	policy_who_find(p, &o->dst.ip, observation_has(o, OBSERVATION_F_dst_mac) ? &o->dst_mac : NULL, vlan, &ret[1]);
}
