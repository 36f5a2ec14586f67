#include "sensor/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 15, FULL = 9, LINE = 64, NOBODYS = 0xff /* protocol of a record that is free: no packet's key is this one */ };

/* One cache line. `passed`: keys that belong here or before and had to be put further on; while it is 0 a look-up
 * need not go on, and a removal leaves no tombstone. */
struct bucket {
	uint32_t slot[SLOTS];           /* number of the flow plus one, above it the highest bits of the hash; 0: free */
	uint32_t passed;
};
_Static_assert(sizeof(struct bucket) == LINE, "a bucket is a cache line");

struct flow_table {
	struct bucket *buckets;
	struct flow *flows;
	struct flow_rest *rest;
	uint32_t n_buckets;
	uint32_t numbers;               /* mask: the part of a slot that is a number */
	uint32_t size, used;
	uint32_t free_first;            /* chained by `newer` */
	uint32_t fresh;                 /* flows from here on were never used */
	uint32_t oldest[FLOW_LISTS], newest[FLOW_LISTS];
};

struct flow_hash_key flow_hash_key_make(const struct siphash_key *secret)
{
	struct flow_hash_key h;
	for (uint64_t i = 0; i < FLOW_HASH_WORDS; i++)
		h.k[i] = siphash_13(secret, &i, sizeof(i));
	return h;
}

/* FULL flows for SLOTS slots when the table is full: one bucket in fifty passes a key on. */
static size_t buckets_for(size_t flows) { return (flows + FULL - 1) / FULL; }

size_t flow_table_bytes(size_t flows)
{
	return sizeof(struct flow_table) + buckets_for(flows) * sizeof(struct bucket) +
	       flows * (sizeof(struct flow) + sizeof(struct flow_rest));
}

struct flow_table *flow_table_new(size_t flows)
{
	if (!flows || flows > FLOW_MAX)
		return NULL;
	struct flow_table *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	size_t buckets = buckets_for(flows);
	t->buckets = aligned_alloc(LINE, buckets * sizeof(*t->buckets));
	t->flows = aligned_alloc(LINE, flows * sizeof(*t->flows));
	t->rest = malloc(flows * sizeof(*t->rest));
	if (!t->buckets || !t->flows || !t->rest) {
		flow_table_free(t);
		return NULL;
	}
	/* The records are written when they are taken: memory that no flow has used yet is not touched. */
	memset(t->buckets, 0, buckets * sizeof(*t->buckets));
	t->n_buckets = (uint32_t)buckets;
	while (t->numbers < flows)
		t->numbers = t->numbers << 1 | 1;
	t->size = (uint32_t)flows;
	t->free_first = FLOW_NONE;
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
	free(t->rest);
	free(t);
}

size_t flow_count(const struct flow_table *t) { return t->used; }
struct flow *flow_at(const struct flow_table *t, uint32_t i) { return &t->flows[i]; }
struct flow_rest *flow_rest_at(const struct flow_table *t, uint32_t i) { return &t->rest[i]; }
uint32_t flow_oldest(const struct flow_table *t, enum flow_list list) { return t->oldest[list]; }

/* The low six bits of the hash chose the shard: all keys of this table share them. */
static uint32_t home_of(uint64_t hash) { return (uint32_t)(hash >> 6); }
static uint32_t first_bucket(const struct flow_table *t, uint32_t home)
{
	return (uint32_t)((uint64_t)home * t->n_buckets >> 32);
}

static uint32_t next_bucket(const struct flow_table *t, uint32_t at) { return at + 1 < t->n_buckets ? at + 1 : 0; }

/* The highest bits, which say nothing of the bucket. */
static uint32_t tag_of(const struct flow_table *t, uint64_t hash) { return (uint32_t)(hash >> 32) & ~t->numbers; }

/* Four slots side by side. */
typedef uint32_t lanes __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

static inline lanes four_slots(const struct bucket *b, unsigned at)
{
	lanes four;
	memcpy(&four, (const uint8_t *)b + at * sizeof(uint32_t), sizeof(four));
	return four;
}

/* The slots of a bucket whose tag this is, a bit each; free ones too when the tag is 0. */
static inline uint32_t matches(const struct flow_table *t, const struct bucket *b, uint32_t tag)
{
	const uint32_t kept = ~t->numbers;
	const lanes mask = { kept, kept, kept, kept }, want = { tag, tag, tag, tag };
	lanes found = (lanes)((four_slots(b, 0) & mask) == want) & (lanes){ 1, 2, 4, 8 };
	found |= (lanes)((four_slots(b, 4) & mask) == want) & (lanes){ 16, 32, 64, 128 };
	found |= (lanes)((four_slots(b, 8) & mask) == want) & (lanes){ 256, 512, 1024, 2048 };
	/* The last is no slot. */
	found |= (lanes)((four_slots(b, 12) & mask) == want) & (lanes){ 4096, 8192, 16384, 0 };
	const halves two = (halves)found;
	const uint64_t one = two[0] | two[1];
	return (uint32_t)(one >> 32 | one);
}

static inline bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
	uint64_t differ = 0;
	for (unsigned i = 0; i < sizeof(*a); i += sizeof(differ))
		differ |= bytes_load(x + i) ^ bytes_load(y + i);
	return !differ;
}

__attribute__((noinline))
static uint32_t search(const struct flow_table *t, const struct flow_key *k, uint64_t hash)
{
	uint32_t tag = tag_of(t, hash), at = first_bucket(t, home_of(hash));
	for (uint32_t n = 0; n < t->n_buckets; n++, at = next_bucket(t, at)) {
		const struct bucket *b = &t->buckets[at];
		for (uint32_t found = matches(t, b, tag); found; found &= found - 1) {
			uint32_t i = b->slot[__builtin_ctz(found)] & t->numbers;
			if (i && same_key(&t->flows[i - 1].key, k))
				return i - 1;
		}
		if (!b->passed)
			break;
	}
	return FLOW_NONE;
}

uint32_t flow_find(const struct flow_table *t, const struct flow_key *k, uint64_t hash, uint32_t hint)
{
	return hint && same_key(&t->flows[hint - 1].key, k) ? hint - 1 : search(t, k, hash);
}

static const uint16_t idle_s[16] = { 0, 30, 60, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200 };

unsigned flow_idle_step(uint64_t silence_ns)
{
	unsigned step = 0;
	while (step < 15 && silence_ns > idle_s[step + 1] * UINT64_C(1000000000))
		step++;
	return step;
}

unsigned flow_idle_s(unsigned step) { return idle_s[step & 15]; }

void flow_prefetch_bucket(const struct flow_table *t, uint64_t hash)
{
	__builtin_prefetch(&t->buckets[first_bucket(t, home_of(hash))]);
}

uint32_t flow_prefetch_record(const struct flow_table *t, uint64_t hash)
{
	const struct bucket *b = &t->buckets[first_bucket(t, home_of(hash))];
	uint32_t found = matches(t, b, tag_of(t, hash));
	uint32_t hint = found ? b->slot[__builtin_ctz(found)] & t->numbers : 0;
	if (!hint)
		return 0;
	const struct flow *f = &t->flows[hint - 1];
	__builtin_prefetch(f, 1);
	__builtin_prefetch((const uint8_t *)f + LINE, 1);
	return hint;
}

static void list_add(struct flow_table *t, uint32_t i, enum flow_list list, uint64_t now_ns)
{
	struct flow *f = &t->flows[i];
	f->list = (uint32_t)list & 7;
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

/* A record, both of its parts; the smaller one may lie in two lines. */
static inline void prefetch_both(const struct flow_table *t, uint32_t i)
{
	const uint8_t *f = (const uint8_t *)&t->flows[i], *rest = (const uint8_t *)&t->rest[i];
	__builtin_prefetch(f, 1);
	__builtin_prefetch(f + LINE, 1);
	__builtin_prefetch(rest, 1);
	__builtin_prefetch(rest + sizeof(t->rest[i]) - 1, 1);
}

void flow_prefetch_end(const struct flow_table *t, uint32_t i)
{
	uint32_t next = t->flows[i].newer;
	__builtin_prefetch(&t->buckets[first_bucket(t, t->flows[i].home)], 1);
	if (next != FLOW_NONE)
		prefetch_both(t, next);
}

void flow_prefetch_rest(const struct flow_table *t, uint32_t i) { __builtin_prefetch(&t->rest[i]); }

uint32_t flow_add(struct flow_table *t, const struct flow_key *k, uint64_t hash, enum flow_list list, uint64_t now_ns)
{
	uint32_t i = t->free_first;
	if (i != FLOW_NONE)
		t->free_first = t->flows[i].newer;
	else if (t->fresh < t->size)
		i = t->fresh++;
	else
		return FLOW_NONE;
	/* The one after this: a new flow waits for nothing as long as for memory that nobody has touched lately. */
	uint32_t after = t->free_first != FLOW_NONE ? t->free_first : t->fresh;
	if (after < t->size)
		prefetch_both(t, after);
	struct flow *f = &t->flows[i];
	*f = (struct flow){ .key = *k, .home = home_of(hash) };
	t->rest[i] = (struct flow_rest){ 0 };
	list_add(t, i, list, now_ns);
	t->used++;
	/* There are more slots than flows, so this ends. */
	for (uint32_t at = first_bucket(t, f->home);; at = next_bucket(t, at)) {
		struct bucket *b = &t->buckets[at];
		for (int s = 0; s < SLOTS; s++)
			if (!b->slot[s]) {
				b->slot[s] = tag_of(t, hash) | (i + 1);
				return i;
			}
		b->passed++;
	}
}

void flow_remove(struct flow_table *t, uint32_t i)
{
	struct flow *f = &t->flows[i];
	for (uint32_t at = first_bucket(t, f->home);; at = next_bucket(t, at)) {
		struct bucket *b = &t->buckets[at];
		int s = 0;
		while (s < SLOTS && (b->slot[s] & t->numbers) != i + 1)
			s++;
		if (s < SLOTS) {
			b->slot[s] = 0;
			break;
		}
		assert(b->passed);
		b->passed--;
	}
	list_remove(t, i);
	f->key.proto = NOBODYS;
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

/* Two chains (by `newer`, FLOW_NONE ends) in order of number become one. */
static uint32_t merge(const struct flow_table *t, uint32_t a, uint32_t b)
{
	uint32_t first = FLOW_NONE, *to = &first;
	while (a != FLOW_NONE && b != FLOW_NONE) {
		uint32_t *from = t->rest[a].number < t->rest[b].number ? &a : &b;
		*to = *from;
		to = &t->flows[*from].newer;
		*from = *to;
	}
	*to = a != FLOW_NONE ? a : b;
	return first;
}

void flow_sort_made(struct flow_table *t)
{
	/* Sorted chains of 1, 2, 4, ... flows, as far as there are. */
	uint32_t chain[33];
	for (int k = 0; k < 33; k++)
		chain[k] = FLOW_NONE;
	for (int l = 0; l < FLOW_LISTS; l++) {
		for (uint32_t i = t->oldest[l], next; i != FLOW_NONE; i = next) {
			next = t->flows[i].newer;
			t->flows[i].newer = FLOW_NONE;
			t->flows[i].list = FLOW_CLOSED;
			int k = 0;
			for (; chain[k] != FLOW_NONE; k++) {
				i = merge(t, chain[k], i);
				chain[k] = FLOW_NONE;
			}
			chain[k] = i;
		}
		t->oldest[l] = t->newest[l] = FLOW_NONE;
	}
	uint32_t all = FLOW_NONE;
	for (int k = 0; k < 33; k++)
		all = merge(t, chain[k], all);
	t->oldest[FLOW_CLOSED] = all;
	for (uint32_t i = all, older = FLOW_NONE; i != FLOW_NONE; older = i, i = t->flows[i].newer) {
		t->flows[i].older = older;
		t->newest[FLOW_CLOSED] = i;
	}
}
