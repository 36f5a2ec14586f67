#include "sensor/stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The pool: a buddy allocator. A block is named by the number of its first STREAM_BLOCK unit, plus one. */
enum {
	ORDERS = 23,                    /* 256 B << 22 = 1 GiB: more than any budget of one shard */
	NO_BLOCK = 0,
	INSIDE = 0xff, FREE = 0x40, ORDER = 0x3f,
	PIECE_HEAD = sizeof(uint32_t) * 4,
};

/* What a stream has beside its place: taken with its first block and given back with its last. */
struct kept {
	uint32_t held_at;               /* contiguous bytes handed on but not consumed: block, */
	uint32_t held_off, held_n;      /* where they begin in it, how many; they end at next_seq */
	uint32_t ooo_first;             /* list of out-of-order pieces: ascending, disjoint, ahead of next_seq */
	uint32_t ooo_bytes;
	uint16_t ooo_pieces, ooo_acks;
};

struct stream_pool {
	uint8_t *mem;
	struct kept *kept;              /* one per unit: there are never more than blocks; chained by held_at when free */
	uint32_t kept_free, kept_fresh;
	uint8_t *state;                 /* per unit: INSIDE, or the order of the block that begins here | FREE */
	uint32_t units;
	uint32_t free_first[ORDERS];
	size_t used;
};

struct link { uint32_t next, prev; };   /* in the memory of a free block */
struct piece { uint32_t next, seq, n, missing; };       /* at the head of an out-of-order block */

static uint8_t *block_mem(const struct stream_pool *p, uint32_t b) { return p->mem + (size_t)(b - 1) * STREAM_BLOCK; }

static size_t block_size(const struct stream_pool *p, uint32_t b)
{
	return (size_t)STREAM_BLOCK << (p->state[b - 1] & ORDER);
}

static struct link get_link(const struct stream_pool *p, uint32_t b)
{
	struct link l;
	memcpy(&l, block_mem(p, b), sizeof(l));
	return l;
}

static void set_link(struct stream_pool *p, uint32_t b, struct link l) { memcpy(block_mem(p, b), &l, sizeof(l)); }

static void push_free(struct stream_pool *p, uint32_t b, unsigned order)
{
	uint32_t first = p->free_first[order];
	set_link(p, b, (struct link){ .next = first });
	if (first) {
		struct link l = get_link(p, first);
		l.prev = b;
		set_link(p, first, l);
	}
	p->free_first[order] = b;
	p->state[b - 1] = (uint8_t)(FREE | order);
}

static void take_free(struct stream_pool *p, uint32_t b, unsigned order)
{
	struct link l = get_link(p, b), other;
	if (l.next) {
		other = get_link(p, l.next);
		other.prev = l.prev;
		set_link(p, l.next, other);
	}
	if (l.prev) {
		other = get_link(p, l.prev);
		other.next = l.next;
		set_link(p, l.prev, other);
	} else {
		p->free_first[order] = l.next;
	}
	p->state[b - 1] = INSIDE;
}

struct stream_pool *stream_pool_new(size_t bytes)
{
	size_t units = bytes / STREAM_BLOCK;
	if (units > (size_t)1 << (ORDERS - 1))
		units = (size_t)1 << (ORDERS - 1);
	struct stream_pool *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->units = (uint32_t)units;
	p->mem = malloc((units ? units : 1) * STREAM_BLOCK);
	p->kept = malloc((units + 1) * sizeof(*p->kept));
	p->state = malloc(units ? units : 1);
	if (!p->mem || !p->kept || !p->state) {
		stream_pool_free(p);
		return NULL;
	}
	memset(p->state, INSIDE, units);
	for (uint32_t at = 0; at < p->units;) {
		unsigned order = 0;
		while (order + 1 < ORDERS && !(at & (((uint32_t)2 << order) - 1)) &&
		       ((uint32_t)2 << order) <= p->units - at)
			order++;
		push_free(p, at + 1, order);
		at += (uint32_t)1 << order;
	}
	return p;
}

void stream_pool_free(struct stream_pool *p)
{
	if (!p)
		return;
	free(p->mem);
	free(p->kept);
	free(p->state);
	free(p);
}

size_t stream_pool_bytes(size_t bytes)
{
	return sizeof(struct stream_pool) + sizeof(struct kept) + bytes / STREAM_BLOCK * (STREAM_BLOCK + sizeof(struct kept) + 1);
}

size_t stream_pool_used(const struct stream_pool *p) { return p->used; }

/* A block of at least n bytes, NO_BLOCK when there is none. */
static uint32_t block_new(struct stream_pool *p, size_t n)
{
	unsigned want = 0;
	while (want < ORDERS && ((size_t)STREAM_BLOCK << want) < n)
		want++;
	unsigned order = want;
	while (order < ORDERS && !p->free_first[order])
		order++;
	if (order >= ORDERS)
		return NO_BLOCK;
	uint32_t b = p->free_first[order];
	take_free(p, b, order);
	while (order > want) {
		order--;
		push_free(p, b + ((uint32_t)1 << order), order);
	}
	p->state[b - 1] = (uint8_t)want;
	p->used += (size_t)STREAM_BLOCK << want;
	return b;
}

static void block_free(struct stream_pool *p, uint32_t b)
{
	uint8_t state = p->state[b - 1];
	assert(state != INSIDE && !(state & FREE));
	unsigned order = state & ORDER;
	uint32_t at = b - 1;
	p->used -= (size_t)STREAM_BLOCK << order;
	p->state[at] = INSIDE;
	while (order + 1 < ORDERS) {
		uint32_t buddy = at ^ (uint32_t)1 << order;
		if (buddy >= p->units || p->state[buddy] != (FREE | order))
			break;
		take_free(p, buddy + 1, order);
		at &= ~((uint32_t)1 << order);
		order++;
	}
	push_free(p, at + 1, order);
}

/* What a stream keeps; a stream that keeps nothing reads as one that keeps zero bytes. */

static const struct kept *look(const struct stream_pool *p, const struct stream *s)
{
	static const struct kept nothing;
	return s->kept ? &p->kept[s->kept - 1] : &nothing;
}

/* For writing. There is one for every block, and one more for the stream that is about to take its first. */
static struct kept *keep(struct stream_pool *p, struct stream *s)
{
	if (!s->kept) {
		uint32_t k = p->kept_free;
		if (k)
			p->kept_free = p->kept[k - 1].held_at;
		else
			k = ++p->kept_fresh;
		assert(k <= p->units + 1);
		p->kept[k - 1] = (struct kept){ 0 };
		s->kept = k & 0xffffff;
	}
	return &p->kept[s->kept - 1];
}

static void let_go(struct stream_pool *p, struct stream *s)
{
	if (!s->kept || look(p, s)->held_at || look(p, s)->ooo_first)
		return;
	struct kept *k = &p->kept[s->kept - 1];
	k->held_at = p->kept_free;
	p->kept_free = s->kept;
	s->kept = 0;
}

uint32_t stream_held_n(const struct stream_pool *p, const struct stream *s) { return look(p, s)->held_n; }
uint32_t stream_waiting_n(const struct stream_pool *p, const struct stream *s) { return look(p, s)->ooo_bytes; }

/* Out-of-order pieces. */

static struct piece get_piece(const struct stream_pool *p, uint32_t b)
{
	struct piece x;
	memcpy(&x, block_mem(p, b), sizeof(x));
	return x;
}

static void set_piece(struct stream_pool *p, uint32_t b, struct piece x) { memcpy(block_mem(p, b), &x, sizeof(x)); }

static uint8_t *piece_bytes(const struct stream_pool *p, uint32_t b) { return block_mem(p, b) + PIECE_HEAD; }

/* Distance from a to b in sequence space, negative when b is before a (RFC 9293, 3.4). */
static int32_t ahead(uint32_t a, uint32_t b)
{
	uint32_t d = b - a;
	return d < UINT32_C(0x80000000) ? (int32_t)d : -(int32_t)(UINT32_MAX - d) - 1;
}

static uint32_t min_u32(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* A further call on the same stream hands on from here; what lies before is not wanted any more. */
static void trim_front(struct stream_segment *seg, uint32_t n)
{
	uint32_t have = min_u32(n, (uint32_t)seg->bytes.n);
	seg->bytes = span_from(seg->bytes, have);
	seg->missing -= min_u32(seg->missing, n - have);
	seg->seq += n;
}

/* The same, of bytes that are kept or were handed on already: the first copy wins. */
static void trim_seen(struct stream_segment *seg, uint32_t n, struct stats *st)
{
	st->v[STATS_stream_overlap_bytes] += min_u32(n, (uint32_t)seg->bytes.n);
	trim_front(seg, n);
}

void stream_start(struct stream *s, uint32_t seq)
{
	if (s->started)
		return;
	s->started = true;
	s->next_seq = seq;
}

void stream_ack_kept(struct stream_pool *p, struct stream *s, uint32_t ack)
{
	if (!s->acked_seen || ahead(s->acked, ack) > 0) {
		s->acked = ack;
		struct kept *k = keep(p, s);
		if (k->ooo_first && ahead(s->next_seq, ack) > 0 && k->ooo_acks < UINT16_MAX)
			k->ooo_acks++;
	}
	s->acked_seen = true;
}

void stream_fin(struct stream *s, uint32_t seq)
{
	if (s->fin_seen || s->gave_up)
		return;
	stream_start(s, seq);
	if (ahead(s->next_seq, seq) < 0 || ahead(s->next_seq, seq) > STREAM_WINDOW)
		return;
	s->fin_seen = true;
	s->fin_seq = seq;
}

/* True when a byte that both `seg` and the range [seq, seq + n) have differs. */
static bool differs_from(const struct stream_segment *seg, uint32_t seq, const uint8_t *kept, uint32_t n)
{
	int32_t d = ahead(seq, seg->seq);       /* where the segment begins, in the range */
	int64_t lo = d > 0 ? d : 0, hi = (int64_t)d + (int64_t)seg->bytes.n;
	if (hi > n)
		hi = n;
	if (hi <= lo)
		return false;
	return memcmp(kept + lo, seg->bytes.p + (lo - d), (size_t)(hi - lo)) != 0;
}

void stream_push(struct stream_pool *p, struct stream *s, struct stream_segment *seg, struct stats *st)
{
	seg->release = seg->gap_after = 0;
	if (s->gave_up || s->finished || (!seg->bytes.n && !seg->missing))
		return;
	stream_start(s, seg->seq);
	const struct kept *k = look(p, s);
	int32_t d = ahead(s->next_seq, seg->seq);
	if (!d && !k->ooo_first)
		return;                         /* the common case: in order */
	if (d == -1 && seg->bytes.n + seg->missing == 1) {
		/* Keep-alive, with a byte of garbage (RFC 9293, 3.8.4). */
		st->v[STATS_stream_outside_bytes] += seg->bytes.n;
		trim_front(seg, 1);
		return;
	}
	if (d > STREAM_WINDOW || seg->bytes.n + seg->missing > STREAM_WINDOW) {
		st->v[STATS_stream_outside_bytes] += seg->bytes.n;
		trim_front(seg, (uint32_t)seg->bytes.n + seg->missing);
		return;
	}
	bool differs = d < 0 && k->held_n &&
		       differs_from(seg, s->next_seq - k->held_n, stream_held(p, s).p, k->held_n);
	for (uint32_t b = k->ooo_first; b;) {
		struct piece x = get_piece(p, b);
		if (ahead(seg->seq + (uint32_t)seg->bytes.n, x.seq) >= 0)
			break;
		differs |= differs_from(seg, x.seq, piece_bytes(p, b), x.n);
		b = x.next;
	}
	st->v[STATS_stream_conflicts] += differs;
}

/* Keeps the part of the segment before the next piece (`limit` bytes at most); false when there is no room. */
static bool store(struct stream_pool *p, struct stream *s, struct stream_segment *seg, uint32_t prev, uint32_t next,
		  uint32_t n)
{
	uint32_t missing = n == seg->bytes.n ? seg->missing : 0;
	if (look(p, s)->ooo_bytes + n > STREAM_OOO_BYTES)
		return false;
	if (prev) {
		/* Small neighbours share a block: one-byte segments do not use up the list. */
		struct piece x = get_piece(p, prev);
		if (x.seq + x.n == seg->seq && !x.missing && block_size(p, prev) - PIECE_HEAD - x.n >= n) {
			memcpy(piece_bytes(p, prev) + x.n, seg->bytes.p, n);
			x.n += n;
			x.missing = missing;
			set_piece(p, prev, x);
			keep(p, s)->ooo_bytes += n;
			return true;
		}
	}
	if (look(p, s)->ooo_pieces >= STREAM_OOO_PIECES)
		return false;
	uint32_t b = block_new(p, PIECE_HEAD + (size_t)n);
	if (!b)
		return false;
	set_piece(p, b, (struct piece){ .next = next, .seq = seg->seq, .n = n, .missing = missing });
	memcpy(piece_bytes(p, b), seg->bytes.p, n);
	if (prev) {
		struct piece x = get_piece(p, prev);
		x.next = b;
		set_piece(p, prev, x);
	} else {
		keep(p, s)->ooo_first = b;
	}
	struct kept *k = keep(p, s);
	k->ooo_pieces++;
	k->ooo_bytes += n;
	return true;
}

/* Keeps what is ahead of next_seq and not kept yet. False when the room is used up: *seg is what is left. */
static bool store_all(struct stream_pool *p, struct stream *s, struct stream_segment *seg, struct stats *st)
{
	uint32_t prev = 0, b = look(p, s)->ooo_first;
	while (seg->bytes.n) {
		struct piece x = { 0 };
		while (b) {
			x = get_piece(p, b);
			if (ahead(seg->seq, x.seq + x.n) > 0)
				break;
			prev = b;
			b = x.next;
		}
		uint32_t n = (uint32_t)seg->bytes.n;
		if (b) {
			int32_t d = ahead(seg->seq, x.seq);
			if (d <= 0) {           /* inside the piece: its bytes came first */
				trim_seen(seg, min_u32(n, x.n - (0 - (uint32_t)d)), st);
				continue;
			}
			n = min_u32(n, (uint32_t)d);
		}
		if (!store(p, s, seg, prev, b, n))
			return false;
		uint32_t at = seg->seq;
		trim_front(seg, n);
		/* The block just written is the one before what is left. */
		uint32_t w = prev ? get_piece(p, prev).next : look(p, s)->ooo_first;
		if (w != b && get_piece(p, w).seq == at)
			prev = w;
	}
	seg->missing = 0;       /* kept with the piece, or told by a later gap */
	return true;
}

static bool hole_is_lost(const struct stream *s, const struct kept *k, const struct piece *first)
{
	return s->acked_seen && ahead(first->seq, s->acked) >= 0 &&
	       (k->ooo_bytes >= STREAM_GAP_BYTES || k->ooo_acks >= STREAM_GAP_ACKS);
}

static enum stream_kind gap(struct stream *s, uint32_t n, struct stats *st, uint32_t *ret_gap)
{
	s->next_seq += n;
	st->v[STATS_stream_gaps]++;
	st->v[STATS_stream_gap_bytes] += n;
	*ret_gap = n;
	return STREAM_GAP;
}

void stream_release(struct stream_pool *p, struct stream_segment *seg)
{
	if (seg->release)
		block_free(p, seg->release);
	seg->release = 0;
}

enum stream_kind stream_next(struct stream_pool *p, struct stream *s, struct stream_segment *seg, struct stats *st,
			     struct span *ret_bytes, uint32_t *ret_gap)
{
	stream_release(p, seg);
	if (s->gave_up || s->finished)
		return STREAM_NOTHING;
	for (;;) {
		struct piece first = { 0 };
		uint32_t waits = look(p, s)->ooo_first;
		if (waits)
			first = get_piece(p, waits);
		if (waits && first.seq == s->next_seq) {
			struct kept *k = keep(p, s);
			seg->release = waits;
			seg->gap_after = first.missing;
			k->ooo_first = first.next;
			k->ooo_pieces--;
			k->ooo_bytes -= first.n;
			if (!k->ooo_first)
				k->ooo_acks = 0;
			let_go(p, s);
			s->next_seq += first.n;
			st->v[STATS_stream_bytes] += first.n;
			*ret_bytes = (struct span){ piece_bytes(p, seg->release), first.n };
			return STREAM_BYTES;
		}
		uint32_t to_first = waits ? first.seq - s->next_seq : UINT32_MAX;
		if (seg->bytes.n || seg->missing) {
			int32_t d = ahead(s->next_seq, seg->seq);
			if (d < 0) {
				trim_seen(seg, min_u32(0 - (uint32_t)d, (uint32_t)seg->bytes.n + seg->missing), st);
				if (!seg->bytes.n && !seg->missing)
					continue;
				d = ahead(s->next_seq, seg->seq);
			}
			if (!d && seg->bytes.n) {
				uint32_t n = min_u32((uint32_t)seg->bytes.n, to_first);
				*ret_bytes = (struct span){ seg->bytes.p, n };
				seg->gap_after = 0;
				trim_front(seg, n);
				s->next_seq += n;
				st->v[STATS_stream_bytes] += n;
				return STREAM_BYTES;
			}
			if (!d) {
				/* On the wire, but the capture cut it off: nobody will bring these bytes. */
				uint32_t n = seg->missing > seg->gap_after ? seg->missing : seg->gap_after;
				seg->missing = seg->gap_after = 0;
				n = min_u32(n, to_first);
				return gap(s, n, st, ret_gap);
			}
			if (!seg->bytes.n) {
				seg->missing = 0;       /* nothing to keep: the hole will be told when it counts */
			} else if (!store_all(p, s, seg, st)) {
				/* No room to wait for the hole: it is lost. Either pieces before the segment (perhaps
				 * a part of it) are handed on and make room, or it is itself next and needs none. */
				uint32_t n = seg->seq - s->next_seq;
				if (look(p, s)->ooo_first)
					n = min_u32(n, get_piece(p, look(p, s)->ooo_first).seq - s->next_seq);
				return gap(s, n, st, ret_gap);
			}
			continue;
		}
		if (seg->gap_after) {
			uint32_t n = min_u32(seg->gap_after, to_first);
			seg->gap_after = 0;
			return gap(s, n, st, ret_gap);
		}
		if (waits && (seg->flush || hole_is_lost(s, look(p, s), &first)))
			return gap(s, to_first, st, ret_gap);
		if (s->fin_seen && ahead(s->fin_seq, s->next_seq) >= 0) {
			s->finished = true;
			return STREAM_FIN;
		}
		if (seg->flush && s->started && s->acked_seen) {
			/* The receiver acknowledged more than the capture has: the end was lost. A FIN has a number. */
			uint32_t end = s->fin_seen && s->acked == s->fin_seq + 1 ? s->fin_seq : s->acked;
			int32_t d = ahead(s->next_seq, end);
			if (d > 0 && d <= STREAM_WINDOW)
				return gap(s, (uint32_t)d, st, ret_gap);
		}
		return STREAM_NOTHING;
	}
}

bool stream_hold(struct stream_pool *p, struct stream *s, struct span bytes)
{
	if (!bytes.n)
		return true;
	struct kept *k = keep(p, s);
	size_t cap = k->held_at ? block_size(p, k->held_at) : 0, want = k->held_n + bytes.n;
	uint32_t b = k->held_at;
	if (want > cap)
		b = want > UINT32_MAX / 2 ? NO_BLOCK : block_new(p, want);
	if (!b) {
		let_go(p, s);
		return false;
	}
	if (b != k->held_at) {
		if (k->held_at) {
			memcpy(block_mem(p, b), block_mem(p, k->held_at) + k->held_off, k->held_n);
			block_free(p, k->held_at);
		}
		k->held_at = b;
		k->held_off = 0;
	} else if (k->held_off + want > cap) {
		memmove(block_mem(p, b), block_mem(p, b) + k->held_off, k->held_n);
		k->held_off = 0;
	}
	memcpy(block_mem(p, b) + k->held_off + k->held_n, bytes.p, bytes.n);
	k->held_n += (uint32_t)bytes.n;
	return true;
}

struct span stream_held(const struct stream_pool *p, const struct stream *s)
{
	const struct kept *k = look(p, s);
	return k->held_n ? (struct span){ block_mem(p, k->held_at) + k->held_off, k->held_n } : (struct span){ 0 };
}

void stream_drop(struct stream_pool *p, struct stream *s, uint32_t n)
{
	assert(n <= look(p, s)->held_n);
	if (!n)
		return;
	struct kept *k = keep(p, s);
	k->held_off += n;
	k->held_n -= n;
	if (!k->held_n) {
		block_free(p, k->held_at);
		k->held_at = k->held_off = 0;
		let_go(p, s);
	}
}

void stream_clear(struct stream_pool *p, struct stream *s)
{
	if (s->kept) {
		struct kept *k = keep(p, s);
		if (k->held_at)
			block_free(p, k->held_at);
		for (uint32_t b = k->ooo_first; b;) {
			uint32_t next = get_piece(p, b).next;
			block_free(p, b);
			b = next;
		}
		*k = (struct kept){ 0 };
		let_go(p, s);
	}
	s->gave_up = true;
}
