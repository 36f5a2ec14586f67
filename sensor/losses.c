#include "sensor/losses.h"

#include <stdlib.h>

enum { WAYS = 8, SETS = 512 };

struct entry {
	uint64_t hash, turn;            /* turn 0: empty */
	struct losses_host host;
};

struct losses {
	struct siphash_key key;
	uint64_t turn;
	uint64_t rest[LOSSES_KINDS];    /* of hosts that gave way */
	struct entry v[SETS * WAYS];
};

struct losses *losses_new(const struct siphash_key *key)
{
	struct losses *l = calloc(1, sizeof(*l));
	if (l)
		l->key = *key;
	return l;
}

size_t losses_bytes(void) { return sizeof(struct losses); }

void losses_free(struct losses *l) { free(l); }

/* Flows count like a megabyte, so that a host that lost some of them is not pushed out by small gaps. */
static uint64_t weight(const struct losses_host *h)
{
	return h->n[LOSSES_GAP_BYTES] + (h->n[LOSSES_FLOWS_EVICTED] + h->n[LOSSES_FLOWS_UNREAD]) * (1 << 20);
}

void losses_take(struct losses *l, const struct addr *ip, uint8_t space, enum losses_kind kind, uint64_t n)
{
	if (!n)
		return;
	uint64_t h = siphash_13(&l->key, ip->b, sizeof(ip->b)) + space;
	struct entry *set = &l->v[h % SETS * WAYS], *e = NULL, *victim = set;
	for (int i = 0; i < WAYS && !e; i++) {
		struct entry *x = &set[i];
		if (x->turn && x->hash == h && x->host.space == space && !addr_cmp(&x->host.ip, ip))
			e = x;
		uint64_t a = weight(&x->host), b = weight(&victim->host);
		if (!x->turn || (victim->turn && (a < b || (a == b && x->turn < victim->turn))))
			victim = x;
	}
	if (!e) {
		e = victim;
		for (int k = 0; k < LOSSES_KINDS && e->turn; k++)
			l->rest[k] += e->host.n[k];
		*e = (struct entry){ .hash = h, .host = { .ip = *ip, .space = space } };
	}
	e->turn = ++l->turn;
	e->host.n[kind] += n;
}

static bool before(const struct losses_host *a, const struct losses_host *b, enum losses_kind kind)
{
	int c = addr_cmp(&a->ip, &b->ip);
	return a->n[kind] != b->n[kind] ? a->n[kind] > b->n[kind] : c ? c < 0 : a->space < b->space;
}

size_t losses_top(struct losses *l, enum losses_kind kind, struct losses_host *ret[static LOSSES_TOLD], uint64_t *ret_rest)
{
	size_t n = 0;
	*ret_rest = l->rest[kind];
	for (size_t i = 0; i < SETS * WAYS; i++) {
		struct losses_host *h = &l->v[i].host;
		if (!h->n[kind])
			continue;
		if (n == LOSSES_TOLD) {
			struct losses_host *last = ret[n - 1];
			if (!before(h, last, kind)) {
				*ret_rest += h->n[kind];
				continue;
			}
			*ret_rest += last->n[kind];
			n--;
		}
		size_t at = n++;
		for (; at && before(h, ret[at - 1], kind); at--)
			ret[at] = ret[at - 1];
		ret[at] = h;
	}
	return n;
}

const char *losses_name(enum losses_kind kind)
{
	static const char *const names[LOSSES_KINDS] = {
		[LOSSES_GAP_BYTES] = "gap_bytes",
		[LOSSES_FLOWS_EVICTED] = "flows_evicted",
		[LOSSES_FLOWS_UNREAD] = "flows_unread",
	};
	return names[kind];
}
