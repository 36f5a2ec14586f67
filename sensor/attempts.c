#include "sensor/attempts.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, SETS = 512 };

struct entry {
	uint64_t hash, window, count, said_ns, turn;    /* turn 0: empty */
	uint64_t bits[4];               /* scan: which of 256 the pairs fell on */
	bool said;
};

struct table { struct entry v[SETS * WAYS]; };

struct attempts {
	struct siphash_key key;
	uint64_t again_ns, turn;
	struct table sources, targets;
};

struct attempts *attempts_new(const struct siphash_key *key, uint64_t again_ns)
{
	struct attempts *a = calloc(1, sizeof(*a));
	if (a) {
		a->key = *key;
		a->again_ns = again_ns;
	}
	return a;
}

size_t attempts_bytes(void) { return sizeof(struct attempts); }

void attempts_free(struct attempts *a) { free(a); }

/* The entry of that address; its window is made the one of now. What was said is kept longest, then what counts most,
 * then what was used last. */
static struct entry *entry_of(struct attempts *a, struct table *t, const struct addr *ip, uint64_t window)
{
	uint64_t h = siphash_13(&a->key, ip->b, sizeof(ip->b));
	struct entry *set = &t->v[h % SETS * WAYS], *e = NULL, *victim = set;
	for (int i = 0; i < WAYS && !e; i++) {
		struct entry *x = &set[i];
		if (x->turn && x->hash == h)
			e = x;
		bool less = x->said != victim->said     ? !x->said
			    : x->count != victim->count ? x->count < victim->count
							: x->turn < victim->turn;
		if (!x->turn || (victim->turn && less))
			victim = x;
	}
	if (!e) {
		/* Those that stay grow old, so that yesterday's flood does not hold its place for ever. */
		for (int i = 0; i < WAYS; i++) {
			struct entry *x = &set[i];
			if (x != victim && x->window != window && a->turn - x->turn > SETS * WAYS) {
				x->said = false;
				x->count = 0;
			}
		}
		e = victim;
		*e = (struct entry){ .hash = h, .window = window };
	}
	if (e->window < window) {
		e->window = window;
		e->count = 0;
		memset(e->bits, 0, sizeof(e->bits));
	}
	e->turn = ++a->turn;
	e->count++;
	return e;
}

static unsigned bits_set(const struct entry *e)
{
	unsigned n = 0;
	for (int i = 0; i < 4; i++)
		for (uint64_t x = e->bits[i]; x; x &= x - 1)
			n++;
	return n;
}

/* True when it is to be said now. */
static bool say(struct entry *e, uint64_t now_ns, uint64_t again_ns)
{
	if (e->said && now_ns - e->said_ns < again_ns)
		return false;
	if (e->said && now_ns < e->said_ns)
		return false;
	e->said = true;
	e->said_ns = now_ns;
	return true;
}

enum attempts_what attempts_take(struct attempts *a, const struct addr *src, const struct addr *dst, uint16_t port,
				 uint64_t started_ns, uint64_t *ret_count)
{
	struct entry *e = entry_of(a, &a->sources, src, started_ns / ATTEMPTS_SCAN_WINDOW_NS);
	uint8_t pair[sizeof(dst->b) + 2];
	memcpy(pair, dst->b, sizeof(dst->b));
	pair[sizeof(dst->b)] = (uint8_t)(port >> 8);
	pair[sizeof(dst->b) + 1] = (uint8_t)port;
	uint64_t h = siphash_13(&a->key, pair, sizeof(pair));
	e->bits[h >> 6 & 3] |= UINT64_C(1) << (h & 63);
	if (bits_set(e) >= ATTEMPTS_SCAN_BITS) {
		*ret_count = e->count;
		return say(e, started_ns, a->again_ns) ? ATTEMPTS_SCAN : ATTEMPTS_FOLDED;
	}
	e = entry_of(a, &a->targets, dst, started_ns / ATTEMPTS_FLOOD_WINDOW_NS);
	if (e->count >= ATTEMPTS_FLOOD) {
		*ret_count = e->count;
		return say(e, started_ns, a->again_ns) ? ATTEMPTS_FLOOD_BEGINS : ATTEMPTS_FOLDED;
	}
	/* The beginning of a window in a flood that goes on. */
	return e->said && started_ns - e->said_ns < a->again_ns ? ATTEMPTS_FOLDED : ATTEMPTS_NOTHING;
}
