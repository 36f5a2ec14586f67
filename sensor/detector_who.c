/* detector_who.c -- who is at an address: the table of hosts, the evidence that speaks for each of them, and the unit that it makes them.
 *
 * Finding a unit takes ten times as long as looking whether what it was found by is still the same, so it is kept with the host:
 * found[BORNE] by the hardware address of a packet, found[TOLD] by the one that is told of the host. What a lease says changes with time
 * and is asked each time. */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "rules/rule.h"
#include "sensor/detector_state.h"

static inline bool same_addr(const struct addr *a, const struct addr *b) { return !memcmp(a->b, b->b, sizeof(a->b)); }

void detector_space(struct detector *d, uint8_t space)
{
	d->space = space;
	attempts_in(d->attempts, space);
}

uint16_t detector_vlan(const struct detector *d, uint16_t seen)
{
	return d->space ? (uint16_t)(POLICY_VLAN_ONLY | spaces_vlan(d->c.spaces, d->space)) : seen;
}

static struct detector_asset *look_up(struct detector *d, const struct addr *ip, bool make)
{
	uint8_t with[17];
	memcpy(with, ip->b, 16);
	with[16] = d->space;
	uint64_t h = siphash_13(&d->c.key, with, d->space ? 17 : 16);
	h = h ? h : 1;
	struct detector_asset *set = &d->assets[(h & (d->asset_sets - 1)) * DETECTOR_WAYS], *victim = set;
	for (int i = 0; i < DETECTOR_WAYS; i++) {
		if (set[i].used && set[i].hash == h && set[i].space == d->space && same_addr(&set[i].ip, ip))
			return &set[i];
		if (set[i].used < victim->used)
			victim = &set[i];
	}
	if (!make) {
		d->nobody = (struct detector_nobody){ *ip, d->space, true };
		return NULL;
	}
	d->nobody.is = false;
	if (victim->used)
		d->stats.v[STATS_assets_evicted]++;
	*victim = (struct detector_asset){ .hash = h, .ip = *ip, .space = d->space };
	return victim;
}

static inline bool is(const struct detector *d, const struct detector_asset *a, const struct addr *ip)
{
	return a->used && same_addr(&a->ip, ip) && a->space == d->space;
}

static struct detector_asset *recent(struct detector *d, const struct addr *ip, bool make)
{
	uint32_t *at = &d->recent[(bytes_load(ip->b + 8) ^ bytes_load(ip->b)) * UINT64_C(0x9e3779b97f4a7c15) >> 52 & (DETECTOR_RECENT - 1)];
	struct detector_asset *a = &d->assets[*at];
	if (is(d, a, ip))
		return a;
	a = look_up(d, ip, make);
	if (a)
		*at = (uint32_t)(a - d->assets);
	return a;
}

static struct detector_asset *farther(struct detector *d, const struct addr *ip, bool make)
{
	if (!make && d->nobody.is && same_addr(&d->nobody.ip, ip) && d->nobody.space == d->space)
		return NULL;
	struct detector_asset *a = recent(d, ip, make);
	if (!a)
		return NULL;
	d->near[1] = d->near[0];
	d->near[0] = a;
	a->used = ++d->clock;
	return a;
}

static inline struct detector_asset *near_by(struct detector *d, const struct addr *ip, bool make)
{
	struct detector_asset *a = is(d, d->near[0], ip) ? d->near[0] : is(d, d->near[1], ip) ? d->near[1] : NULL;
	if (!a)
		return farther(d, ip, make);
	a->used = ++d->clock;
	return a;
}

struct detector_asset *detector_asset(struct detector *d, const struct addr *ip, bool make) { return near_by(d, ip, make); }

enum { BORNE, TOLD };
/* Evidence as a number: the hardware address, whether there is one (zeros say something else than none), the VLAN of twelve bits and one
 * (POLICY_VLAN_ONLY), whether a lease had a say. */
enum { HAS = 1 << 15, BY_LEASE = 1 << 14, VLAN = (1 << 14) - 1 };

static uint64_t evidence_of(const struct mac *mac, uint16_t vlan)
{
	uint64_t m = 0;
	if (!mac)
		return vlan & VLAN;
	memcpy(&m, mac->b, sizeof(mac->b));
	return le64toh(m) << 16 | HAS | (vlan & VLAN);
}

void detector_when(struct detector *d) { d->when = (uint64_t)d->policies << 32 | routers_turn(d->routers); }

/* What was found of `a` by that evidence before; NULL. */
static struct detector_found *before(struct detector *d, struct detector_asset *a, unsigned which, uint64_t evidence)
{
	return a && a->found[which].evidence == evidence && a->found[which].when == d->when ? &a->found[which] : NULL;
}

static struct detector_found *find(struct detector *d, struct detector_asset *a, unsigned which, const struct addr *ip, uint64_t evidence,
				   const struct mac *mac, uint16_t vlan)
{
	struct detector_found *f = before(d, a, which, evidence);
	if (f)
		return f;
	f = a ? &a->found[which] : &d->strangers[which];
	policy_who_find(d->policy, ip, mac, vlan, &f->who);
	f->evidence = evidence;
	f->when = d->when;
	return f;
}

/* NULL without a policy. */
static const struct policy_who *told(struct detector *d, const struct addr *ip, const struct mac **ret_mac, enum event_device_by *ret_by)
{
	struct detector_asset *a = near_by(d, ip, false);
	const struct mac *seen = a && a->has_mac ? &a->mac : NULL;
	uint16_t vlan = detector_vlan(d, a ? a->vlan : 0);
	bool leased = detector_leased(d, ip);
	uint64_t evidence = evidence_of(seen, vlan);
	struct detector_found *f = leased ? NULL : before(d, a, TOLD, evidence);
	if (f) {
		*ret_mac = f->routed ? NULL : seen;
		*ret_by = EVENT_BY_MAC;
		return &f->who;
	}
	*ret_mac = detector_lease_mac(d, ip, seen, ret_by);
	if (!d->policy)
		return NULL;
	f = find(d, a, TOLD, ip, leased ? evidence_of(*ret_mac, vlan) | BY_LEASE : evidence, *ret_mac, vlan);
	f->routed = !*ret_mac;
	return &f->who;
}

uint32_t detector_unit(struct detector *d, const struct addr *ip)
{
	const struct mac *mac;
	enum event_device_by by;
	const struct policy_who *w = told(d, ip, &mac, &by);
	return w ? w->device : POLICY_NONE;
}

void detector_end_of(struct detector *d, const struct addr *ip, struct detector_end *ret)
{
	enum event_device_by by;
	const struct policy_who *w = told(d, ip, &ret->mac, &by);
	ret->ip = *ip;
	ret->addr[0] = '\0';
	ret->space = d->space ? spaces_name(d->c.spaces, d->space) : (struct span){ 0 };
	if (w)
		policy_who_host(d->policy, w, &ret->host);
	else
		ret->host = (struct policy_host){ .device = POLICY_NONE, .by = EVENT_BY_NOTHING };
	if (ret->host.by == EVENT_BY_MAC)
		ret->host.by = by;
}

static struct span text_of(struct detector_end *who)
{
	if (!who->addr[0]) {
		addr_str(&who->ip, who->addr);
		size_t n = strlen(who->addr);
		if (who->space.n)
			(void)snprintf(who->addr + n, sizeof(who->addr) - n, "%%%.*s", (int)who->space.n, (const char *)who->space.p);
	}
	return span_str(who->addr);
}

/* A text of the policy, which is the same for as long as the policy: whether its field admits it is looked at once. */
static void put(struct detector *d, struct event *e, enum event_field f, struct span *to, struct span text)
{
	uintptr_t at = (uintptr_t)text.p;
	unsigned i = (unsigned)(at >> 3 ^ at >> 13 ^ (unsigned)f * 37) & (DETECTOR_ADMITTED - 1);
	if (d->admitted[i].text.p == text.p && d->admitted[i].text.n == text.n && d->admitted[i].field == f &&
	    d->admitted[i].policies == d->policies) {
		*to = text;
		e->head.present[f >> 6] |= UINT64_C(1) << (f & 63);
	} else if (event_text(e, f, text)) {
		d->admitted[i].text = text;
		d->admitted[i].field = f;
		d->admitted[i].policies = d->policies;
	}
}
#define PUT(e, field, text) put(d, (e), EVENT_F_##field, &(e)->field, (text))

void detector_put_device(struct detector *d, struct event *e, struct detector_end *who)
{
	const struct policy_host *h = &who->host;
	if (h->device != POLICY_NONE)
		PUT(e, device, h->id);
	else
		event_text(e, EVENT_F_device, text_of(who));
	if (h->type.n)
		PUT(e, device_type, h->type);
	DETECTOR_PUT(e, device_by, h->by);
	DETECTOR_PUT(e, device_addr, who->ip);
	if (who->mac)
		DETECTOR_PUT(e, device_mac, *who->mac);
	if (h->zone.n)
		PUT(e, device_zone, h->zone);
	if (who->space.n)
		event_text(e, EVENT_F_space, who->space);
}

static bool is_internet(const struct policy *p, const struct detector_end *who)
{
	return p && !who->host.local && !addr_is_private(&who->ip) && !addr_is_multicast(&who->ip);
}

/* peer_class is what an alert folds by: the most lasting name the other end has. */
void detector_put_peer(struct detector *d, struct event *e, struct detector_end *who)
{
	const struct policy_host *h = &who->host;
	struct span name = h->device != POLICY_NONE ? h->id : h->role;
	if (name.n)
		PUT(e, peer, name);
	if (name.n || h->zone.n)
		PUT(e, peer_class, name.n ? name : h->zone);
	else
		event_text(e, EVENT_F_peer_class, is_internet(d->policy, who) ? span_str("internet") : text_of(who));
	DETECTOR_PUT(e, peer_addr, who->ip);
	if (h->zone.n)
		PUT(e, peer_zone, h->zone);
}

static void present(struct observation *o, enum observation_field f) { o->head.present[f >> 6] |= UINT64_C(1) << (f & 63); }

void detector_lend(struct detector *d, struct observation *o)
{
	struct detector_asset *src = near_by(d, &o->src.ip, false), *dst = near_by(d, &o->dst.ip, false);
	if (src && src->has_mac) {
		o->src_mac = src->mac;
		present(o, OBSERVATION_F_src_mac);
	}
	if (dst && dst->has_mac) {
		o->dst_mac = dst->mac;
		present(o, OBSERVATION_F_dst_mac);
	}
	if (src && src->vlan && !d->space) {
		o->vlan = src->vlan;
		present(o, OBSERVATION_F_vlan);
	}
}

/* What speaks for an end in place of what was seen there. A router's hardware address says nothing of the host behind it: zeros, as
 * policy_check() has it. */
static const struct policy_who *settle_end(struct detector *d, struct observation *o, const struct addr *ip, enum observation_field field,
					   struct mac *mac)
{
	static const struct mac zeros;
	struct detector_asset *a = near_by(d, ip, false);
	uint16_t vlan = observation_has(o, OBSERVATION_F_vlan) ? (uint16_t)(o->vlan & (POLICY_VLAN_ONLY | 0xfff)) : 0;
	bool has = observation_has(o, field), leased = detector_leased(d, ip);
	uint64_t evidence = evidence_of(has ? mac : NULL, vlan);
	struct detector_found *f = leased ? NULL : before(d, a, BORNE, evidence);
	if (f) {
		if (has && f->routed)
			*mac = zeros;
		return &f->who;
	}
	enum event_device_by by;
	struct mac seen = *mac;
	const struct mac *it = detector_lease_mac(d, ip, has ? &seen : NULL, &by);
	if (it || has) {
		*mac = it ? *it : zeros;
		present(o, field);
	}
	const struct mac *speaks = it || has ? mac : NULL;
	f = find(d, a, BORNE, ip, leased ? evidence_of(speaks, vlan) | BY_LEASE : evidence, speaks, vlan);
	f->routed = !it;
	return &f->who;
}

void detector_settle(struct detector *d, struct observation *o, struct policy_who ret[static 2])
{
	ret[0] = *settle_end(d, o, &o->src.ip, OBSERVATION_F_src_mac, &o->src_mac);
	ret[1] = *settle_end(d, o, &o->dst.ip, OBSERVATION_F_dst_mac, &o->dst_mac);
}
