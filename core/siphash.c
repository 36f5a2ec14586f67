#include "core/siphash.h"

#include <string.h>

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
		uint64_t m = load_le(p + i, 8);
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
