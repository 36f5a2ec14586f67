#include "core/siphash.h"

#include "core/bytes.h"

static inline uint64_t rotl(uint64_t x, int b) { return x << b | x >> (64 - b); }

/* Fewer than eight bytes, as the lowest of a number: by loads that overlap, none of which reaches over them. */
static inline uint64_t load_few(const uint8_t *p, size_t n)
{
	if (n >= 4) {
		/* the two may have bytes in common */
		uint32_t lo, hi;
		memcpy(&lo, p, sizeof(lo));
		memcpy(&hi, p + n - 4, sizeof(hi));
		return le32toh(lo) | (uint64_t)le32toh(hi) << (8 * (n - 4));
	}
	if (!n)
		return 0;
	return p[0] | (uint64_t)p[n / 2] << (8 * (n / 2)) | (uint64_t)p[n - 1] << (8 * (n - 1));
}

/* The n & 7 bytes behind the whole words of `n` bytes. */
static inline uint64_t load_rest(const uint8_t *p, size_t n)
{
	if (!(n & 7))
		return 0;
	if (n >= 8)
		return bytes_load(p + n - 8) >> (64 - 8 * (n & 7));
	return load_few(p + (n & ~(size_t)7), n & 7);
}

#define ROUND                                                   \
	do {                                                    \
		v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32); \
		v2 += v3; v3 = rotl(v3, 16); v3 ^= v2;          \
		v0 += v3; v3 = rotl(v3, 21); v3 ^= v0;          \
		v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32); \
	} while (0)

/* A block of the message, with one round. */
#define WORD(m)                                                 \
	do {                                                    \
		uint64_t w = (m);                               \
		v3 ^= w;                                        \
		ROUND;                                          \
		v0 ^= w;                                        \
	} while (0)

#define BEGIN(key)                                              \
	uint64_t v0 = (key)->k0 ^ 0x736f6d6570736575ULL, v1 = (key)->k1 ^ 0x646f72616e646f6dULL, \
		 v2 = (key)->k0 ^ 0x6c7967656e657261ULL, v3 = (key)->k1 ^ 0x7465646279746573ULL

uint64_t siphash_13(const struct siphash_key *key, const void *data, size_t n)
{
	BEGIN(key);
	const uint8_t *p = data;
	uint64_t last = (uint64_t)n << 56;
	if (n == 16) {
		/* an address: most of what is looked up */
		WORD(bytes_load(p));
		WORD(bytes_load(p + 8));
	} else {
		last |= load_rest(p, n);
		for (; n >= 8; n -= 8, p += 8)
			WORD(bytes_load(p));
	}
	WORD(last);
	v2 ^= 0xff;
	ROUND;
	ROUND;
	ROUND;
	return v0 ^ v1 ^ v2 ^ v3;
}

uint64_t siphash_24(const struct siphash_key *key, const void *data, size_t n)
{
	BEGIN(key);
	const uint8_t *p = data;
	uint64_t last = (uint64_t)n << 56 | load_rest(p, n);
	for (;; n -= 8, p += 8) {
		uint64_t m = n >= 8 ? bytes_load(p) : last;
		v3 ^= m;
		ROUND;
		ROUND;
		v0 ^= m;
		if (n < 8)
			break;
	}
	v2 ^= 0xff;
	ROUND;
	ROUND;
	ROUND;
	ROUND;
	return v0 ^ v1 ^ v2 ^ v3;
}

void siphash_stream_begin(struct siphash_stream *s, const struct siphash_key *key)
{
	*s = (struct siphash_stream){ .v = { key->k0 ^ 0x736f6d6570736575ULL, key->k1 ^ 0x646f72616e646f6dULL,
					     key->k0 ^ 0x6c7967656e657261ULL, key->k1 ^ 0x7465646279746573ULL } };
}

/* A block that was begun is filled; then come whole words of the input, wherever they begin. */
void siphash_stream_feed(struct siphash_stream *s, const void *data, size_t n)
{
	const uint8_t *p = data;
	unsigned begun = s->n & 7;
	s->n += n;
	if (begun + n < 8) {
		s->tail |= load_few(p, n) << (8 * begun);
		return;
	}
	uint64_t v0 = s->v[0], v1 = s->v[1], v2 = s->v[2], v3 = s->v[3];
	if (begun) {
		WORD(s->tail | (n < 8 ? load_few(p, n) : bytes_load(p)) << (8 * begun));
		p += 8 - begun;
		n -= 8 - begun;
	}
	s->tail = load_rest(p, n);
	for (; n >= 32; n -= 32, p += 32) {
		WORD(bytes_load(p));
		WORD(bytes_load(p + 8));
		WORD(bytes_load(p + 16));
		WORD(bytes_load(p + 24));
	}
	for (; n >= 8; n -= 8, p += 8)
		WORD(bytes_load(p));
	s->v[0] = v0;
	s->v[1] = v1;
	s->v[2] = v2;
	s->v[3] = v3;
}

uint64_t siphash_stream_end(const struct siphash_stream *s)
{
	uint64_t v0 = s->v[0], v1 = s->v[1], v2 = s->v[2], v3 = s->v[3];
	WORD(s->n << 56 | s->tail);
	v2 ^= 0xff;
	ROUND;
	ROUND;
	ROUND;
	return v0 ^ v1 ^ v2 ^ v3;
}
