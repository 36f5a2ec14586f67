#include "sensor/routers.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 8 };

struct entry {
	uint64_t used;                  /* 0: empty */
	struct mac mac;
	bool router;
	uint8_t n;
	struct addr hosts[ROUTERS_HOSTS];
};

struct routers {
	struct siphash_key key;
	uint64_t clock;
	struct entry *entries;
};

size_t routers_bytes(void) { return sizeof(struct routers) + ROUTERS_ENTRIES * sizeof(struct entry); }

struct routers *routers_new(const struct siphash_key *key)
{
	struct routers *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->key = *key;
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

bool routers_is(const struct routers *r, const struct mac *mac)
{
	const struct entry *set = set_of(r, mac);
	for (int i = 0; i < WAYS; i++)
		if (set[i].used && !memcmp(set[i].mac.b, mac->b, sizeof(mac->b)))
			return set[i].router;
	return false;
}

bool routers_take(struct routers *r, const struct mac *mac, const struct addr *ip)
{
	struct entry *set = set_of(r, mac), *victim = set, *e = NULL;
	for (int i = 0; i < WAYS && !e; i++) {
		if (set[i].used && !memcmp(set[i].mac.b, mac->b, sizeof(mac->b)))
			e = &set[i];
		else if (set[i].used < victim->used)
			victim = &set[i];
	}
	if (!e) {
		e = victim;
		*e = (struct entry){ .mac = *mac };
	}
	e->used = ++r->clock;
	if (e->router || addr_is_link_local(ip))
		return false;
	for (unsigned i = 0; i < e->n; i++)
		if (!addr_cmp(&e->hosts[i], ip))
			return false;
	bool several = false;
	for (unsigned i = 0; i < e->n; i++)
		several = several || !same_network(&e->hosts[i], ip);
	for (unsigned i = 0; i < e->n && !several; i++)
		for (unsigned k = 0; k < i && !several; k++)
			several = !same_network(&e->hosts[i], &e->hosts[k]);
	if (e->n + 1 < ROUTERS_HOSTS) {
		e->hosts[e->n++] = *ip;
		return false;
	}
	/* Many hosts of one network so far: a bridge, a hypervisor. One place stays open for a host of another. */
	if (!several)
		return false;
	e->router = true;
	return true;
}
