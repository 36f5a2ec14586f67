#include "sensor/routers.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, RECENT = 1 << 10 };

struct entry {
	uint64_t used;                  /* 0: empty */
	struct mac mac;
	bool router;
	uint8_t n;
	struct addr hosts[ROUTERS_HOSTS];
};

/* What was answered lately, so that the same question costs no look-up: of a hardware address alone, and of one with a host that says
 * nothing new. Good until an entry makes room for another or becomes a router's (turn). Direct-mapped. */
struct recent_mac { uint64_t mac; uint32_t turn; bool router; };
struct recent_host { uint64_t mac; struct addr ip; struct entry *entry; uint32_t turn; };

struct routers {
	struct siphash_key key;
	uint64_t clock;
	struct entry *entries;
	uint32_t turn;                  /* never 0 */
	struct recent_mac macs[RECENT];
	struct recent_host hosts[RECENT];
};

size_t routers_bytes(void) { return sizeof(struct routers) + ROUTERS_ENTRIES * sizeof(struct entry); }

struct routers *routers_new(const struct siphash_key *key)
{
	struct routers *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->key = *key;
	r->turn = 1;
	r->entries = calloc(ROUTERS_ENTRIES, sizeof(*r->entries));
	if (!r->entries) {
		free(r);
		return NULL;
	}
	return r;
}

void routers_free(struct routers *r)
{
	if (!r)
		return;
	free(r->entries);
	free(r);
}

static struct entry *set_of(const struct routers *r, const struct mac *mac)
{
	uint64_t h = siphash_13(&r->key, mac->b, sizeof(mac->b));
	return &r->entries[(h & (ROUTERS_ENTRIES / WAYS - 1)) * WAYS];
}

/* A /24 of IPv4 (kept mapped, RFC 4291 2.5.5.2), a /64 of IPv6. */
static bool same_network(const struct addr *a, const struct addr *b)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	bool v4 = !memcmp(a->b, mapped, 12), v4_b = !memcmp(b->b, mapped, 12);
	/* Of one family only: a host has an address of each. */
	return v4 != v4_b || !memcmp(a->b, b->b, v4 ? 15 : 8);
}

static uint64_t number(const struct mac *mac)
{
	uint64_t n = 0;
	memcpy(&n, mac->b, sizeof(mac->b));
	return n;
}

/* Which place; whoever chooses addresses that share one gains nothing but look-ups. */
static unsigned place(uint64_t n) { return (unsigned)(n * UINT64_C(0x9e3779b97f4a7c15) >> 54) & (RECENT - 1); }

bool routers_is(struct routers *r, const struct mac *mac)
{
	uint64_t n = number(mac);
	struct recent_mac *m = &r->macs[place(n)];
	if (m->turn == r->turn && m->mac == n)
		return m->router;
	const struct entry *set = set_of(r, mac);
	bool router = false;
	for (int i = 0; i < WAYS; i++)
		if (set[i].used && !memcmp(set[i].mac.b, mac->b, sizeof(mac->b)))
			router = set[i].router;
	*m = (struct recent_mac){ .mac = n, .turn = r->turn, .router = router };
	return router;
}

uint32_t routers_turn(const struct routers *r) { return r->turn; }

static void forget(struct routers *r)
{
	if (++r->turn)
		return;
	memset(r->macs, 0, sizeof(r->macs));
	memset(r->hosts, 0, sizeof(r->hosts));
	r->turn = 1;
}

/* A host that says nothing new of this hardware address was seen with it; later it says nothing new either. */
static bool nothing_new(struct routers *r, struct entry *e, struct recent_host *h, uint64_t n, const struct addr *ip)
{
	*h = (struct recent_host){ .mac = n, .ip = *ip, .entry = e, .turn = r->turn };
	return false;
}

bool routers_take(struct routers *r, const struct mac *mac, const struct addr *ip)
{
	uint64_t n = number(mac), low;
	memcpy(&low, ip->b + 8, sizeof(low));
	struct recent_host *h = &r->hosts[place(n ^ low * 3)];
	if (h->turn == r->turn && h->mac == n && !memcmp(h->ip.b, ip->b, sizeof(ip->b))) {
		h->entry->used = ++r->clock;
		return false;
	}
	struct entry *set = set_of(r, mac), *victim = set, *e = NULL;
	for (int i = 0; i < WAYS && !e; i++) {
		if (set[i].used && !memcmp(set[i].mac.b, mac->b, sizeof(mac->b)))
			e = &set[i];
		else if (set[i].used < victim->used)
			victim = &set[i];
	}
	if (!e) {
		e = victim;
		if (e->used)
			forget(r);
		*e = (struct entry){ .mac = *mac };
	}
	e->used = ++r->clock;
	if (e->router || addr_is_link_local(ip))
		return nothing_new(r, e, h, n, ip);
	for (unsigned i = 0; i < e->n; i++)
		if (!addr_cmp(&e->hosts[i], ip))
			return nothing_new(r, e, h, n, ip);
	bool several = false;
	for (unsigned i = 0; i < e->n; i++)
		several = several || !same_network(&e->hosts[i], ip);
	for (unsigned i = 0; i < e->n && !several; i++)
		for (unsigned k = 0; k < i && !several; k++)
			several = !same_network(&e->hosts[i], &e->hosts[k]);
	if (e->n + 1 < ROUTERS_HOSTS) {
		e->hosts[e->n++] = *ip;
		return nothing_new(r, e, h, n, ip);
	}
	/* Many hosts of one network so far: a bridge, a hypervisor. One place stays open for a host of another. */
	if (!several)
		return nothing_new(r, e, h, n, ip);
	e->router = true;
	forget(r);
	return true;
}
