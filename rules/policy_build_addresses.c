#include "rules/policy_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- addresses ---- */

static bool is_exact(const struct prefix *p) { return p->bits == 128; }

/* What the site says of an address. Without `exact`, single addresses of roles do not count: what remains is
 * the same for every address between two borders of prefixes. */
static uint32_t info_of(struct policy_build *b, const struct addr *ip, bool exact)
{
	const struct policy_model *m = b->m;
	struct policy_info info = { .role = POLICY_NONE, .zone = POLICY_NONE };
	int longest = -1;
	for (size_t i = 0; i < m->roles.n && i < 64; i++)
		for (size_t k = 0; k < m->roles.v[i].addresses.n; k++) {
			const struct prefix *p = &m->roles.v[i].addresses.v[k].prefix;
			/* Most are single hosts, and every address of the hospital is asked of each. */
			if (is_exact(p) ? exact && !memcmp(ip, &p->ip, sizeof(*ip)) : addr_in_prefix(ip, p)) {
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
	struct policy_info *slot = policy_build_add(b, POLICY_S_INFOS, &index);
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

void policy_build_selects(struct policy_build *b, const struct policy_model_unit *u, uint32_t device)
{
	for (size_t i = 0; i < u->selects.n; i++) {
		const struct policy_select *s = &u->selects.v[i];
		struct policy_build_select e = { slot_of(s, device), s };
		struct policy_build_select *slot;
		if (s->has_ip && !addr_is_host(&s->ip))
			POLICY_BUILD_FAULT(b, &s->at, "this is not the address of one unit");
		if (s->has_mac && !addr_mac_is_card(&s->mac))
			POLICY_BUILD_FAULT(b, &s->at, "this is not the hardware address of one unit");
		slot = s->has_ip ? POLICY_MODEL_ADD(&b->selects) : POLICY_MODEL_ADD(&b->macs);
		if (slot)
			*slot = e;
		else
			b->result = -ENOMEM;
	}
}

static int by_slot(const void *pa, const void *pb)
{
	const struct policy_build_select *a = pa, *b = pb;
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
static void check_shared(struct policy_build *b, const struct policy_build_select *x,
			 const struct policy_build_select *y)
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
		POLICY_BUILD_FAULT(b, &y->from->at, "unit %.*s has the address %s of unit %.*s at %s",
				   POLICY_BUILD_SHOW(v->id), addr_str(&x->from->ip, text), POLICY_BUILD_SHOW(u->id),
				   policy_load_where(&x->from->at, where));
	else
		POLICY_BUILD_FAULT(b, &y->from->at, "unit %.*s has the hardware address %s of unit %.*s at %s",
				   POLICY_BUILD_SHOW(v->id), addr_mac_str(&x->from->mac, text),
				   POLICY_BUILD_SHOW(u->id), policy_load_where(&x->from->at, where));
}

static bool same_key(const struct policy_build_select *a, const struct policy_build_select *b)
{
	return a->from->has_ip ? !memcmp(a->slot.ip, b->slot.ip, 16) : !memcmp(a->slot.mac, b->slot.mac, 6);
}

void policy_build_check_selects(struct policy_build *b, struct policy_build_select *v, size_t n)
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

static bool place_macs(struct policy_mac_slot *t, size_t size, const struct policy_build_select *v, size_t n)
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

enum { MOST_SLOTS = 1 << 22 }; /* many times what 10,000 units need; a limit for a table that cannot be built */

void policy_build_slots(struct policy_build *b)
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

void policy_build_macs(struct policy_build *b)
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

struct point {
	uint8_t b[16];
};

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
	"10.0.0.0/8",  "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
	"127.0.0.0/8", "fc00::/7",      "fe80::/10",      "::1/128",
};

void policy_build_ranges(struct policy_build *b)
{
	const struct policy_model *m = b->m;
	POLICY_MODEL_LIST(struct point) points = { 0 };
	POLICY_MODEL_LIST(struct prefix) prefixes = { 0 };
	struct prefix *slot;
	struct point *pt;
#define PREFIX(p)                                                                                                      \
	do {                                                                                                           \
		if (!(slot = POLICY_MODEL_ADD(&prefixes)))                                                             \
			goto no_memory;                                                                                \
		*slot = (p);                                                                                           \
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
		struct policy_range *out = policy_build_add(b, POLICY_S_RANGES, NULL);
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
