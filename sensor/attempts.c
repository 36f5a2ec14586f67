#include "sensor/attempts.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

enum { WAYS = 8, SETS = 512, RECENT = 256, PAIR_SETS = 512, HOST_SETS = 64 };

/* Which of 256 places pairs fell on, and on how many. */
struct spread { uint64_t bits[4]; uint32_t n; };

struct entry {
	uint64_t hash, said_ns, turn;   /* turn 0: empty */
	uint32_t window, count;
	bool said;
};

/* Whose frames: a hardware address, or some router's. */
struct from { struct mac mac; bool known, routed; };

/* What a source that scans tried, how often and when last; or what it brought to a host. count 0: empty. */
struct pair { uint64_t hash, last_ns, count; };

/* What is kept of a source: pairs that it tried in vain, and pairs that nobody had answered yet. */
struct scan {
	struct spread vain, open;
	uint64_t last_ns, proved_ns;    /* the start of its last attempt; when it was said for what its window held */
	struct addr ip;
	uint32_t open_window;
	uint32_t since, loose;          /* attempts since it was said; those of the window that belonged to no scan yet */
	uint8_t transport, space;
	bool went_on;                   /* the window before was a scan's */
	struct from most, from;         /* most attempts of the window, if any have most (votes); of the scan that was said */
	uint32_t votes;
};

struct table { struct entry v[SETS * WAYS]; };

struct attempts {
	struct siphash_key key;
	uint64_t again_ns, turn;
	uint8_t space;
	struct table sources, targets;
	struct scan scans[SETS * WAYS]; /* of the sources, one each */
	struct pair pairs[PAIR_SETS * WAYS], hosts[HOST_SETS * WAYS];
	uint16_t recent[RECENT];        /* where sources were found lately; direct-mapped */
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

void attempts_in(struct attempts *a, uint8_t space) { a->space = space; }

static struct scan *scan_of(struct attempts *a, const struct entry *e) { return &a->scans[e - a->sources.v]; }

static bool is_scan(const struct scan *s) { return s->vain.n >= ATTEMPTS_SCAN_BITS; }

/* The entry of that address. What was said is kept longest, then what counts most, then what was used last. */
static struct entry *find(struct attempts *a, struct table *t, const struct addr *ip, uint32_t window, bool *ret_new)
{
	uint64_t h = siphash_13(&a->key, ip->b, sizeof(ip->b)) + a->space;
	struct entry *set = &t->v[h % SETS * WAYS], *victim = set;
	*ret_new = false;
	for (int i = 0; i < WAYS; i++)
		if (set[i].turn && set[i].hash == h) {
			set[i].turn = ++a->turn;
			return &set[i];
		}
	for (int i = 0; i < WAYS; i++) {
		struct entry *x = &set[i];
		bool less = x->said != victim->said     ? !x->said
			    : x->count != victim->count ? x->count < victim->count
							: x->turn < victim->turn;
		if (!x->turn || (victim->turn && less))
			victim = x;
	}
	/* Those that stay grow old, so that yesterday's flood does not hold its place for ever. */
	for (int i = 0; i < WAYS; i++) {
		struct entry *x = &set[i];
		if (x != victim && x->window != window && a->turn - x->turn > SETS * WAYS) {
			x->said = false;
			x->count = 0;
		}
	}
	*victim = (struct entry){ .hash = h, .window = window, .turn = ++a->turn };
	*ret_new = true;
	return victim;
}

static uint32_t scan_window(uint64_t ts_ns) { return (uint32_t)(ts_ns / ATTEMPTS_SCAN_WINDOW_NS); }

static struct entry *source(struct attempts *a, const struct addr *ip, uint64_t ts_ns)
{
	bool is_new;
	uint16_t *at = &a->recent[(bytes_load(ip->b + 8) ^ bytes_load(ip->b)) * UINT64_C(0x9e3779b97f4a7c15) >> 56 & (RECENT - 1)];
	struct entry *e = &a->sources.v[*at];
	const struct scan *s = &a->scans[*at];
	if (e->turn && s->space == a->space && !memcmp(s->ip.b, ip->b, sizeof(ip->b))) {
		e->turn = ++a->turn;
		return e;
	}
	e = find(a, &a->sources, ip, scan_window(ts_ns), &is_new);
	*at = (uint16_t)(e - a->sources.v);
	if (is_new)
		*scan_of(a, e) = (struct scan){ .ip = *ip, .space = a->space, .open_window = e->window };
	return e;
}

static void put(const struct attempts *a, struct spread *s, const struct addr *dst, uint16_t port)
{
	uint8_t pair[sizeof(dst->b) + 2];
	memcpy(pair, dst->b, sizeof(dst->b));
	pair[sizeof(dst->b)] = (uint8_t)(port >> 8);
	pair[sizeof(dst->b) + 1] = (uint8_t)port;
	uint64_t h = siphash_13(&a->key, pair, sizeof(pair)), bit = UINT64_C(1) << (h & 63);
	s->n += !(s->bits[h >> 6 & 3] & bit);
	s->bits[h >> 6 & 3] |= bit;
}

static bool due(const struct attempts *a, const struct entry *e, uint64_t now_ns)
{
	return !e->said || (now_ns >= e->said_ns && now_ns - e->said_ns >= a->again_ns);
}

/* A scan that was said goes on at that time: in this window or the one before, or it would not be said again yet. */
static bool goes_on(struct attempts *a, const struct entry *e, uint64_t ts_ns)
{
	const struct scan *s = scan_of(a, e);
	uint32_t window = scan_window(ts_ns);
	if (!e->said)
		return false;
	return ts_ns < s->proved_ns + a->again_ns || (is_scan(s) && window <= e->window + 1) || (s->went_on && window <= e->window);
}

static bool is_same(const struct from *x, const struct from *y)
{
	return (x->routed && y->routed) || !memcmp(x->mac.b, y->mac.b, sizeof(x->mac.b));
}

/* R. S. Boyer, J. S. Moore, MJRTY (1981): who has more than half is `most` in the end. */
static void vote(struct scan *s, const struct from *from)
{
	if (!from->known)
		return;
	if (!s->votes)
		s->most = *from;
	s->votes += is_same(&s->most, from) ? 1u : UINT32_MAX;
}

/* The sum of what was counted of that in a table, `more` included. What has least gives way, what was counted longest ago before others. */
static uint64_t tally(struct pair *table, size_t sets, uint64_t h, uint64_t ts_ns, uint64_t more)
{
	struct pair *set = &table[h % sets * WAYS], *p = set;
	for (int i = 0; i < WAYS; i++) {
		struct pair *x = &set[i];
		if (x->count && ts_ns > x->last_ns && ts_ns - x->last_ns > ATTEMPTS_TRIES_NS)
			x->count = 0;
		if (x->count && x->hash == h) {
			x->last_ns = ts_ns > x->last_ns ? ts_ns : x->last_ns;
			return x->count += more;
		}
		if (x->count != p->count ? x->count < p->count : x->last_ns < p->last_ns)
			p = x;
	}
	if (more)
		*p = (struct pair){ .hash = h, .last_ns = ts_ns, .count = more };
	return more;
}

/* Which source, which host; of_port: and where. */
static uint64_t hash_of(const struct attempts *a, const struct attempts_try *t, bool of_port)
{
	uint8_t what[2 * sizeof(t->src.b) + 4] = { 0 };
	memcpy(what, t->src.b, sizeof(t->src.b));
	memcpy(what + sizeof(t->src.b), t->dst.b, sizeof(t->dst.b));
	if (of_port) {
		what[sizeof(what) - 4] = (uint8_t)(t->port >> 8);
		what[sizeof(what) - 3] = (uint8_t)t->port;
		what[sizeof(what) - 2] = t->transport;
	}
	what[sizeof(what) - 1] = a->space;
	return siphash_13(&a->key, what, sizeof(what));
}

static bool carried(struct attempts *a, const struct attempts_try *t, uint32_t more)
{
	return tally(a->hosts, HOST_SETS, hash_of(a, t, false), t->started_ns, more) > ATTEMPTS_CARRIED;
}

static struct from from_of(const struct attempts_try *t)
{
	return (struct from){ .mac = t->mac, .known = t->known, .routed = t->routed };
}

/* Whether the scan that was said comes from where that attempt does; and stands for it, which counts the try. */
static bool speaks(const struct scan *s, const struct attempts_try *t)
{
	struct from from = from_of(t);
	return !from.known || !s->from.known || is_same(&s->from, &from);
}

static bool explains(struct attempts *a, const struct scan *s, const struct attempts_try *t)
{
	if (!speaks(s, t))
		return false;
	bool few = tally(a->pairs, PAIR_SETS, hash_of(a, t, true), t->started_ns, 1) < ATTEMPTS_TRIES;
	return !(t->carried && carried(a, t, t->carried)) && few;
}

static enum attempts_what take_source(struct attempts *a, const struct attempts_try *t, uint64_t *ret_count, bool *ret_explains)
{
	struct entry *e = source(a, &t->src, t->started_ns);
	struct scan *s = scan_of(a, e);
	uint32_t window = scan_window(t->started_ns);
	const struct from from = from_of(t);
	if (e->window < window) {
		s->went_on = is_scan(s) && e->window + 1 == window;
		e->window = window;
		e->count = s->loose = s->votes = 0;
		memset(&s->vain, 0, sizeof(s->vain));
	}
	e->count++;
	vote(s, &from);
	/* Enough are enough. */
	if (!is_scan(s))
		put(a, &s->vain, &t->dst, t->port);
	if (is_scan(s) && due(a, e, t->started_ns)) {
		*ret_count = (uint64_t)s->since + s->loose + 1;
		s->since = s->loose = 0;
		s->transport = t->transport;
		s->from = s->votes ? s->most : (struct from){ .known = false };
		e->said = true;
		e->said_ns = s->last_ns = s->proved_ns = t->started_ns;
		*ret_explains = explains(a, s, t);
		return ATTEMPTS_SCAN;
	}
	if (!goes_on(a, e, t->started_ns)) {
		s->loose++;
		return ATTEMPTS_NOTHING;
	}
	if (!explains(a, s, t))
		return ATTEMPTS_NOTHING;
	s->since++;
	s->last_ns = t->started_ns > s->last_ns ? t->started_ns : s->last_ns;
	*ret_explains = true;
	return ATTEMPTS_FOLDED;
}

static enum attempts_what take_target(struct attempts *a, const struct addr *dst, uint64_t started_ns, uint64_t *ret_count)
{
	bool is_new;
	uint32_t window = (uint32_t)(started_ns / ATTEMPTS_FLOOD_WINDOW_NS);
	struct entry *e = find(a, &a->targets, dst, window, &is_new);
	if (e->window < window) {
		e->window = window;
		e->count = 0;
	}
	if (++e->count < ATTEMPTS_FLOOD)
		/* The beginning of a window in a flood that goes on. */
		return e->said && started_ns - e->said_ns < a->again_ns ? ATTEMPTS_FOLDED : ATTEMPTS_NOTHING;
	if (!due(a, e, started_ns))
		return ATTEMPTS_FOLDED;
	*ret_count = e->count;
	e->said = true;
	e->said_ns = started_ns;
	return ATTEMPTS_FLOOD_BEGINS;
}

enum attempts_what attempts_take(struct attempts *a, const struct attempts_try *t, uint64_t *ret_count, bool *ret_explains)
{
	*ret_explains = false;
	enum attempts_what what = t->probe ? take_source(a, t, ret_count, ret_explains) : ATTEMPTS_NOTHING;
	return what != ATTEMPTS_NOTHING ? what : take_target(a, &t->dst, t->started_ns, ret_count);
}

bool attempts_waits(struct attempts *a, const struct addr *src, const struct addr *dst, uint16_t port, uint64_t ts_ns)
{
	struct entry *e = source(a, src, ts_ns);
	struct scan *s = scan_of(a, e);
	uint32_t window = scan_window(ts_ns);
	if (s->open_window < window) {
		s->open_window = window;
		memset(&s->open, 0, sizeof(s->open));
	}
	bool many = s->open.n >= ATTEMPTS_SCAN_BITS;
	if (!many)
		put(a, &s->open, dst, port);
	return many || goes_on(a, e, ts_ns);
}

bool attempts_scans(struct attempts *a, const struct attempts_try *t)
{
	struct entry *e = source(a, &t->src, t->started_ns);
	return goes_on(a, e, t->started_ns) && speaks(scan_of(a, e), t);
}

bool attempts_explains(struct attempts *a, const struct attempts_try *t)
{
	struct entry *e = source(a, &t->src, t->started_ns);
	return goes_on(a, e, t->started_ns) && explains(a, scan_of(a, e), t);
}

bool attempts_carried(struct attempts *a, const struct attempts_try *t) { return carried(a, t, 0); }

bool attempts_next(struct attempts *a, size_t *at, uint64_t ts_ns, struct attempts_scan *ret)
{
	while (*at < SETS * WAYS) {
		struct entry *e = &a->sources.v[(*at)++];
		struct scan *s = scan_of(a, e);
		if (!e->turn || !e->said || !s->since || !due(a, e, ts_ns))
			continue;
		*ret = (struct attempts_scan){ .src = s->ip, .count = s->since, .first_ns = e->said_ns, .last_ns = s->last_ns,
					       .transport = s->transport, .space = s->space };
		s->since = 0;
		/* As folded events have it: it counts as said when it was last seen. */
		e->said_ns = s->last_ns;
		return true;
	}
	return false;
}
