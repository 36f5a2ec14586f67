#include "sensor/defrag.h"

#include <stdlib.h>
#include <string.h>

enum {
	UNIT = 8,               /* fragments begin at multiples of it (RFC 791, 3.1; RFC 8200, 4.5) */
	MAX_BYTES = 65536,      /* an offset of 13 bits in units, and a length of 16 bits */
	UNITS = MAX_BYTES / UNIT,
	MAP_WORDS = UNITS / 64,
};

enum state {
	FREE,
	WAITING,
	REFUSED,                /* IPv6: overlapped; what still comes is discarded too */
	WHOLE,                  /* remembered for its copies; its bytes may be in use until defrag_release */
};

/* No padding: hashed as bytes. */
struct key { struct addr src, dst; uint32_t id, overlay; uint8_t proto, v6, space, zero[5]; };

struct datagram {
	struct key key;
	uint64_t hash;
	uint64_t began_ns, last_ns;
	uint64_t order;                 /* of beginning */
	uint32_t total;                 /* bytes, when the last fragment is there; else 0 */
	uint32_t end;                   /* behind the highest byte */
	uint32_t units;                 /* that are there */
	uint32_t fragments;
	uint8_t proto;
	bool first, used;               /* used: handed out, until the end of the batch */
	enum state state;
	struct decode head;             /* of its first fragment */
};

struct defrag {
	struct siphash_key key;
	struct datagram *all;
	uint64_t *hashes;               /* of all, side by side: what a look-up reads; 0 in what is free */
	uint64_t (*maps)[MAP_WORDS];    /* a bit per unit that is there */
	uint8_t (*bytes)[MAX_BYTES];
	size_t n;
	uint64_t order;
	size_t busy;                    /* places that are not free */
	bool used;                      /* some of them hold bytes that this batch uses */
	uint64_t looked_ns;             /* when defrag_release looked for what is too old */
	struct stats st;
};

size_t defrag_bytes(size_t datagrams)
{
	const struct defrag *g = NULL;
	size_t n = datagrams ? datagrams : 1;
	return sizeof(*g) + n * (sizeof(*g->all) + sizeof(*g->hashes) + sizeof(*g->maps) + sizeof(*g->bytes));
}

struct defrag *defrag_new(size_t datagrams, const struct siphash_key *key)
{
	struct defrag *g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->key = *key;
	g->n = datagrams ? datagrams : 1;
	g->all = calloc(g->n, sizeof(*g->all));
	g->hashes = calloc(g->n, sizeof(*g->hashes));
	g->maps = calloc(g->n, sizeof(*g->maps));
	g->bytes = calloc(g->n, sizeof(*g->bytes));
	if (!g->all || !g->hashes || !g->maps || !g->bytes) {
		defrag_free(g);
		return NULL;
	}
	return g;
}

void defrag_free(struct defrag *g)
{
	if (!g)
		return;
	free(g->all);
	free(g->hashes);
	free(g->maps);
	free(g->bytes);
	free(g);
}

const struct stats *defrag_stats(const struct defrag *g) { return &g->st; }

static void forget(struct defrag *g, size_t i)
{
	g->all[i].state = FREE;
	g->hashes[i] = 0;
	g->busy--;
}

/* What waited is given up, and its fragments are counted as `why`. */
static void give_up(struct defrag *g, size_t i, enum stats_counter why)
{
	if (g->all[i].state == WAITING)
		g->st.v[why] += g->all[i].fragments;
	forget(g, i);
}

static void expire(struct defrag *g, size_t i, uint64_t now_ns)
{
	const struct datagram *m = &g->all[i];
	uint64_t age = now_ns > m->began_ns ? now_ns - m->began_ns : 0;
	if (m->state == FREE || m->used)
		return;
	if (age > (m->key.v6 ? DEFRAG_V6_NS : DEFRAG_V4_NS) || (m->state == WHOLE && now_ns - m->last_ns > DEFRAG_COPY_NS))
		give_up(g, i, STATS_fragments_timed_out);
}

/* A place for a datagram: a free one, or what is only remembered, or what has waited longest. SIZE_MAX: every place holds
 * bytes that this batch still uses. */
static size_t make_room(struct defrag *g)
{
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < g->n; i++) {
		const struct datagram *m = &g->all[i];
		if (m->state == FREE)
			return i;
		if (m->used)
			continue;
		bool waits = m->state == WAITING, best_waits = best != SIZE_MAX && g->all[best].state == WAITING;
		if (best == SIZE_MAX || (best_waits && !waits) || (waits == best_waits && m->order < g->all[best].order))
			best = i;
	}
	if (best != SIZE_MAX)
		give_up(g, best, STATS_fragments_evicted);
	return best;
}

static size_t find(struct defrag *g, const struct key *k, uint64_t hash, uint64_t now_ns)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->hashes[i] != hash || memcmp(&g->all[i].key, k, sizeof(*k)))
			continue;
		expire(g, i, now_ns);
		if (g->all[i].state != FREE)
			return i;
	}
	return SIZE_MAX;
}

static size_t begin(struct defrag *g, const struct key *k, uint64_t hash, uint64_t now_ns)
{
	size_t i = make_room(g);
	if (i == SIZE_MAX)
		return i;
	g->all[i] = (struct datagram){ .key = *k, .hash = hash, .began_ns = now_ns, .last_ns = now_ns, .order = ++g->order,
				       .state = WAITING };
	g->hashes[i] = hash;
	g->busy++;
	memset(g->maps[i], 0, sizeof(g->maps[i]));
	return i;
}

/* How the bytes relate to those that are there. */
struct overlap { uint32_t units, old; bool differs; };

static struct overlap compare(const struct defrag *g, size_t i, uint32_t offset, struct span s)
{
	struct overlap o = { .units = (uint32_t)(s.n + UNIT - 1) / UNIT };
	for (uint32_t u = 0; u < o.units; u++) {
		uint32_t at = offset / UNIT + u;
		if (!(g->maps[i][at / 64] >> at % 64 & 1))
			continue;
		o.old++;
		size_t n = s.n - (size_t)u * UNIT < UNIT ? s.n - (size_t)u * UNIT : UNIT;
		o.differs |= memcmp(g->bytes[i] + (size_t)at * UNIT, s.p + (size_t)u * UNIT, n) != 0;
	}
	return o;
}

static void store(struct defrag *g, size_t i, uint32_t offset, struct span s)
{
	for (size_t u = 0; u * UNIT < s.n; u++) {
		size_t at = offset / UNIT + u, n = s.n - u * UNIT < UNIT ? s.n - u * UNIT : UNIT;
		if (g->maps[i][at / 64] >> at % 64 & 1)
			continue;
		g->maps[i][at / 64] |= UINT64_C(1) << at % 64;
		g->all[i].units++;
		memcpy(g->bytes[i] + at * UNIT, s.p + u * UNIT, n);
	}
}

/* True when it says another end than the others do. */
static bool contradicts(const struct datagram *m, const struct decode_fragment *f, uint32_t end)
{
	if (f->more)
		return m->total && end > m->total;
	return m->total ? end != m->total : end < m->end;
}

bool defrag_add(struct defrag *g, struct decode *d, uint64_t ts_ns, struct span *ret_bytes, uint8_t *ret_proto)
{
	const struct decode_fragment f = d->fragment;
	struct span s = d->payload;
	uint64_t *v = g->st.v;
	v[STATS_fragments]++;
	if (d->truncated) {
		v[STATS_fragments_cut]++;
		return false;
	}
	uint32_t end = f.offset + (uint32_t)s.n;
	/* Nothing in it; not a multiple though more follow; longer in all than a packet's length can say. */
	if (!s.n || (f.more && s.n % UNIT) || s.n > MAX_BYTES || end + (f.v6 ? 0u : f.header) > UINT16_MAX) {
		v[STATS_fragments_malformed]++;
		return false;
	}
	struct key k = { .src = d->src, .dst = d->dst, .id = f.id, .overlay = d->overlay, .v6 = f.v6, .space = d->space };
	if (!f.v6)                              /* RFC 791, 3.2; for IPv6 the protocol may differ (RFC 8200, 4.5) */
		k.proto = f.proto;
	uint64_t hash = siphash_13(&g->key, &k, sizeof(k)) | 1;
	size_t i = find(g, &k, hash, ts_ns);
	if (i != SIZE_MAX && g->all[i].state == WHOLE) {
		const struct datagram *m = &g->all[i];
		struct overlap o = end <= m->total ? compare(g, i, f.offset, s) : (struct overlap){ .differs = true };
		if (!o.differs && !contradicts(m, &f, end)) {
			v[STATS_fragments_repeated]++;
			return false;
		}
		/* Another datagram of the same number. The old one's bytes may still be in use: it is not found any more. */
		if (m->used)
			g->hashes[i] = 0;
		else
			forget(g, i);
		i = SIZE_MAX;
	}
	if (i == SIZE_MAX) {
		i = begin(g, &k, hash, ts_ns);
		if (i == SIZE_MAX) {
			v[STATS_fragments_evicted]++;
			return false;
		}
	}
	struct datagram *m = &g->all[i];
	if (m->state == REFUSED) {
		v[STATS_fragments_overlapping]++;
		return false;
	}
	struct overlap o = compare(g, i, f.offset, s);
	bool contradiction = contradicts(m, &f, end);
	if (o.old == o.units && !o.differs && !contradiction && (f.more || m->total)) {
		v[STATS_fragments_repeated]++;
		return false;
	}
	if (o.old || contradiction) {
		if (f.v6) {
			v[STATS_fragments_overlapping] += m->fragments + 1;
			m->state = REFUSED;
			return false;
		}
		v[STATS_fragments_conflicts] += o.differs || contradiction;
		if (contradiction || o.old == o.units) {
			v[STATS_fragments_overlapping]++;
			return false;
		}
	}
	store(g, i, f.offset, s);
	m->fragments++;
	m->last_ns = ts_ns;
	if (end > m->end)
		m->end = end;
	if (!f.more)
		m->total = end;
	if (!f.offset) {
		m->first = true;
		m->head = *d;
		m->proto = f.proto;
	}
	if (!m->first || !m->total || m->units < (m->total + UNIT - 1) / UNIT)
		return false;
	v[STATS_fragments_joined] += m->fragments;
	v[STATS_datagrams_joined]++;
	m->state = WHOLE;
	m->used = g->used = true;
	*ret_bytes = (struct span){ g->bytes[i], m->total };
	*ret_proto = m->proto;
	*d = m->head;
	return true;
}

void defrag_release(struct defrag *g, uint64_t watermark_ns)
{
	for (size_t i = 0; i < g->n && g->used; i++) {
		struct datagram *m = &g->all[i];
		bool replaced = m->used && !g->hashes[i];       /* by another one of its number */
		m->used = false;
		if (replaced)
			forget(g, i);
	}
	g->used = false;
	/* Once a second: most of the time there is nothing, or nothing old. */
	if (!g->busy || watermark_ns - g->looked_ns < UINT64_C(1000000000))
		return;
	g->looked_ns = watermark_ns;
	for (size_t i = 0; i < g->n; i++)
		expire(g, i, watermark_ns);
}

void defrag_finish(struct defrag *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->all[i].state != FREE)
			give_up(g, i, STATS_fragments_at_end);
}
