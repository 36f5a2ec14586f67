#include "sensor/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 8, LINE = 64 };

/* One cache line. `passed`: keys that belong here or before and had to be put further on; while it is
 * 0 a look-up need not go on, and a removal leaves no tombstone. */
struct bucket {
	uint16_t tag[SLOTS];            /* 0: free */
	uint32_t passed;
	uint32_t flow[SLOTS];
	uint8_t pad[LINE - SLOTS * 6 - 4];
};
_Static_assert(sizeof(struct bucket) == LINE, "a bucket is a cache line");
_Static_assert(sizeof(struct flow_key) == 40, "no padding: the key is hashed as bytes");

struct flow_table {
	struct bucket *buckets;
	struct flow *flows;
	uint32_t mask;                  /* buckets - 1 */
	uint32_t size, used;
	uint32_t free_first;            /* chained by `newer` */
	uint32_t fresh;                 /* flows from here on were never used */
	uint32_t oldest[FLOW_LISTS], newest[FLOW_LISTS];
	uint32_t made_first, made_last;
};

unsigned flow_key_make(const struct decode *d, struct flow_key *ret)
{
	int c = addr_cmp(&d->src, &d->dst);
	unsigned side = c > 0 || (c == 0 && d->src_port > d->dst_port);
	*ret = (struct flow_key){ .proto = (uint8_t)(d->kind == DECODE_ICMP_ERROR ? d->quoted : d->kind) };
	ret->ip[side] = d->src;
	ret->ip[!side] = d->dst;
	ret->port[side] = d->src_port;
	ret->port[!side] = d->dst_port;
	return side;
}

uint64_t flow_key_hash(const struct siphash_key *secret, const struct flow_key *k)
{
	return siphash_13(secret, k, sizeof(*k));
}

struct flow_table *flow_table_new(size_t flows)
{
	if (!flows || flows > FLOW_MAX)
		return NULL;
	struct flow_table *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	/* Three flows for eight slots at most: one bucket in a thousand passes a key on. */
	size_t buckets = 1;
	while (buckets * 3 < flows)
		buckets *= 2;
	t->buckets = aligned_alloc(LINE, buckets * sizeof(*t->buckets));
	t->flows = calloc(flows, sizeof(*t->flows));
	if (!t->buckets || !t->flows) {
		flow_table_free(t);
		return NULL;
	}
	memset(t->buckets, 0, buckets * sizeof(*t->buckets));
	t->mask = (uint32_t)(buckets - 1);
	t->size = (uint32_t)flows;
	t->free_first = t->made_first = t->made_last = FLOW_NONE;
	for (int l = 0; l < FLOW_LISTS; l++)
		t->oldest[l] = t->newest[l] = FLOW_NONE;
	return t;
}

void flow_table_free(struct flow_table *t)
{
	if (!t)
		return;
	free(t->buckets);
	free(t->flows);
	free(t);
}

size_t flow_count(const struct flow_table *t) { return t->used; }
struct flow *flow_at(const struct flow_table *t, uint32_t i) { return &t->flows[i]; }
uint32_t flow_oldest(const struct flow_table *t, enum flow_list list) { return t->oldest[list]; }
uint32_t flow_first_made(const struct flow_table *t) { return t->made_first; }

/* The low six bits of the hash chose the shard: all keys of this table share them. */
static uint32_t home_of(uint64_t hash) { return (uint32_t)(hash >> 6); }

static uint16_t tag_of(uint64_t hash)
{
	uint16_t tag = (uint16_t)(hash >> 48);
	return tag ? tag : 1;
}

uint32_t flow_find(const struct flow_table *t, const struct flow_key *k, uint64_t hash)
{
	uint16_t tag = tag_of(hash);
	uint32_t at = home_of(hash) & t->mask;
	for (uint32_t n = 0; n <= t->mask; n++, at = (at + 1) & t->mask) {
		const struct bucket *b = &t->buckets[at];
		for (int i = 0; i < SLOTS; i++)
			if (b->tag[i] == tag && !memcmp(&t->flows[b->flow[i]].key, k, sizeof(*k)))
				return b->flow[i];
		if (!b->passed)
			break;
	}
	return FLOW_NONE;
}

static void list_add(struct flow_table *t, uint32_t i, enum flow_list list, uint64_t now_ns)
{
	struct flow *f = &t->flows[i];
	f->list = (uint8_t)list;
	f->queued_s = (uint32_t)(now_ns / 1000000000u);
	f->newer = FLOW_NONE;
	f->older = t->newest[list];
	if (f->older != FLOW_NONE)
		t->flows[f->older].newer = i;
	else
		t->oldest[list] = i;
	t->newest[list] = i;
}

static void list_remove(struct flow_table *t, uint32_t i)
{
	struct flow *f = &t->flows[i];
	if (f->older != FLOW_NONE)
		t->flows[f->older].newer = f->newer;
	else
		t->oldest[f->list] = f->newer;
	if (f->newer != FLOW_NONE)
		t->flows[f->newer].older = f->older;
	else
		t->newest[f->list] = f->older;
}

uint32_t flow_add(struct flow_table *t, const struct flow_key *k, uint64_t hash, enum flow_list list, uint64_t now_ns)
{
	uint32_t i = t->free_first;
	if (i != FLOW_NONE)
		t->free_first = t->flows[i].newer;
	else if (t->fresh < t->size)
		i = t->fresh++;
	else
		return FLOW_NONE;
	struct flow *f = &t->flows[i];
	*f = (struct flow){ .key = *k, .home = home_of(hash), .made_next = FLOW_NONE, .made_prev = t->made_last };
	if (t->made_last != FLOW_NONE)
		t->flows[t->made_last].made_next = i;
	else
		t->made_first = i;
	t->made_last = i;
	list_add(t, i, list, now_ns);
	t->used++;
	/* There are more slots than flows, so this ends. */
	for (uint32_t at = f->home & t->mask;; at = (at + 1) & t->mask) {
		struct bucket *b = &t->buckets[at];
		for (int s = 0; s < SLOTS; s++)
			if (!b->tag[s]) {
				b->tag[s] = tag_of(hash);
				b->flow[s] = i;
				return i;
			}
		b->passed++;
	}
}

void flow_remove(struct flow_table *t, uint32_t i)
{
	struct flow *f = &t->flows[i];
	for (uint32_t at = f->home & t->mask;; at = (at + 1) & t->mask) {
		struct bucket *b = &t->buckets[at];
		int s = 0;
		while (s < SLOTS && !(b->tag[s] && b->flow[s] == i))
			s++;
		if (s < SLOTS) {
			b->tag[s] = 0;
			break;
		}
		assert(b->passed);
		b->passed--;
	}
	list_remove(t, i);
	if (f->made_prev != FLOW_NONE)
		t->flows[f->made_prev].made_next = f->made_next;
	else
		t->made_first = f->made_next;
	if (f->made_next != FLOW_NONE)
		t->flows[f->made_next].made_prev = f->made_prev;
	else
		t->made_last = f->made_prev;
	f->newer = t->free_first;
	t->free_first = i;
	t->used--;
}

void flow_touch(struct flow_table *t, uint32_t i, enum flow_list list, uint64_t now_ns)
{
	struct flow *f = &t->flows[i];
	if (f->list == list && f->queued_s == (uint32_t)(now_ns / 1000000000u))
		return;
	list_remove(t, i);
	list_add(t, i, list, now_ns);
}
