#include "core/siphash.h"

#include "core/bytes.h"

static inline uint64_t rotl(uint64_t x, int b) { return x << b | x >> (64 - b); }

static inline uint64_t load_le(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

#define ROUND                                                   \
	do {                                                    \
		v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32); \
		v2 += v3; v3 = rotl(v3, 16); v3 ^= v2;          \
		v0 += v3; v3 = rotl(v3, 21); v3 ^= v0;          \
		v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32); \
	} while (0)

static inline uint64_t siphash(const struct siphash_key *key, const void *data, size_t n, int c, int d)
{
	uint64_t v0 = key->k0 ^ 0x736f6d6570736575ULL, v1 = key->k1 ^ 0x646f72616e646f6dULL;
	uint64_t v2 = key->k0 ^ 0x6c7967656e657261ULL, v3 = key->k1 ^ 0x7465646279746573ULL;
	const uint8_t *p = data;
	size_t whole = n & ~(size_t)7;
	for (size_t i = 0; i < whole; i += 8) {
		uint64_t m = bytes_load(p + i);
		v3 ^= m;
		for (int r = 0; r < c; r++)
			ROUND;
		v0 ^= m;
	}
	uint64_t last = (uint64_t)n << 56 | (n > whole ? load_le(p + whole, n - whole) : 0);
	v3 ^= last;
	for (int r = 0; r < c; r++)
		ROUND;
	v0 ^= last;
	v2 ^= 0xff;
	for (int r = 0; r < d; r++)
		ROUND;
	return v0 ^ v1 ^ v2 ^ v3;
}

uint64_t siphash_13(const struct siphash_key *key, const void *data, size_t n)
{
	return siphash(key, data, n, 1, 3);
}

uint64_t siphash_24(const struct siphash_key *key, const void *data, size_t n)
{
	return siphash(key, data, n, 2, 4);
}

static void block(struct siphash_stream *s, uint64_t m)
{
	uint64_t v0 = s->v[0], v1 = s->v[1], v2 = s->v[2], v3 = s->v[3];
	v3 ^= m;
	ROUND;
	v0 ^= m;
	s->v[0] = v0;
	s->v[1] = v1;
	s->v[2] = v2;
	s->v[3] = v3;
}

/* Whole blocks, with the state in registers. */
static void blocks(struct siphash_stream *s, const uint8_t *p, size_t n)
{
	uint64_t v0 = s->v[0], v1 = s->v[1], v2 = s->v[2], v3 = s->v[3];
	for (size_t i = 0; i < n; i += 8) {
		uint64_t m = bytes_load(p + i);
		v3 ^= m;
		ROUND;
		v0 ^= m;
	}
	s->v[0] = v0;
	s->v[1] = v1;
	s->v[2] = v2;
	s->v[3] = v3;
}

void siphash_stream_begin(struct siphash_stream *s, const struct siphash_key *key)
{
	*s = (struct siphash_stream){ .v = { key->k0 ^ 0x736f6d6570736575ULL, key->k1 ^ 0x646f72616e646f6dULL,
					     key->k0 ^ 0x6c7967656e657261ULL, key->k1 ^ 0x7465646279746573ULL } };
}

void siphash_stream_feed(struct siphash_stream *s, const void *data, size_t n)
{
	const uint8_t *p = data;
	size_t begun = s->n & 7, whole;
	if (begun && n) {
		size_t room = 8 - begun, part = n < room ? n : room;
		s->tail |= load_le(p, part) << (8 * begun);
		s->n += part;
		if (part < room)
			return;
		block(s, s->tail);
		s->tail = 0;
		p += part;
		n -= part;
	}
	whole = n & ~(size_t)7;
	if (whole)
		blocks(s, p, whole);
	if (n > whole)
		s->tail = load_le(p + whole, n - whole);
	s->n += n;
}

uint64_t siphash_stream_end(const struct siphash_stream *s)
{
	struct siphash_stream last = *s;
	block(&last, s->n << 56 | s->tail);
	uint64_t v0 = last.v[0], v1 = last.v[1], v2 = last.v[2] ^ 0xff, v3 = last.v[3];
	for (int r = 0; r < 3; r++)
		ROUND;
	return v0 ^ v1 ^ v2 ^ v3;
}
