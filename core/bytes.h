/* bytes.h -- several bytes read in one step: numbers of the network, and eight bytes of text that is nearly always plain.
 *
 * bytes_load() gives eight bytes as a number, the first one lowest, on any machine. The tests below answer with the highest
 * bit of each byte they mean; they may also answer for bytes behind the first that they mean, never for one before it: so
 * bytes_first() of an answer, or of several joined by |, is exact, and what is behind it is to be looked at again.
 */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BYTES_ONES UINT64_C(0x0101010101010101)
#define BYTES_TOPS UINT64_C(0x8080808080808080)

static inline uint64_t bytes_load(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* Numbers, of the network (be) and of others (le), from bytes that are known to be there (core/cursor.h took them). */
static inline uint16_t bytes_u16be(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static inline uint32_t bytes_u32be(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline uint64_t bytes_u64be(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static inline uint32_t bytes_u32le(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint16_t bytes_u16le(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

/* Bytes below `limit`, which is at most 80H. */
static inline uint64_t bytes_below(uint64_t v, uint8_t limit) { return (v - BYTES_ONES * limit) & ~v & BYTES_TOPS; }
static inline uint64_t bytes_equal(uint64_t v, uint8_t b) { return bytes_below(v ^ BYTES_ONES * b, 1); }
/* Bytes from 80H on: no ASCII. */
static inline uint64_t bytes_high(uint64_t v) { return v & BYTES_TOPS; }
/* Place of the first byte that is meant; not for 0. */
static inline size_t bytes_first(uint64_t answer) { return (size_t)__builtin_ctzll(answer) / 8; }

/* memcpy() and !memcmp() for texts, of which most are short: a call costs more than these few moves, which overlap instead of being
 * counted. */
static inline void bytes_copy(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;
	if (n > 32) {
		memcpy(t, f, n);
	} else if (n >= 16) {
		uint64_t v[4];
		memcpy(v, f, 16);
		memcpy(v + 2, f + n - 16, 16);
		memcpy(t, v, 16);
		memcpy(t + n - 16, v + 2, 16);
	} else if (n >= 8) {
		uint64_t a, b;
		memcpy(&a, f, 8);
		memcpy(&b, f + n - 8, 8);
		memcpy(t, &a, 8);
		memcpy(t + n - 8, &b, 8);
	} else if (n >= 4) {
		uint32_t a, b;
		memcpy(&a, f, 4);
		memcpy(&b, f + n - 4, 4);
		memcpy(t, &a, 4);
		memcpy(t + n - 4, &b, 4);
	} else if (n) {
		uint8_t a = f[0], b = f[n / 2], c = f[n - 1];
		t[0] = a;
		t[n / 2] = b;
		t[n - 1] = c;
	}
}

static inline bool bytes_same(const void *one, const void *other, size_t n)
{
	const uint8_t *a = one, *b = other;
	if (n < 8) {
		uint32_t x, y, z, w;
		if (n >= 4) {
			memcpy(&x, a, 4);
			memcpy(&y, b, 4);
			memcpy(&z, a + n - 4, 4);
			memcpy(&w, b + n - 4, 4);
			return x == y && z == w;
		}
		return !n || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
	}
	for (size_t i = 0; i + 8 < n; i += 8)
		if (bytes_load(a + i) != bytes_load(b + i))
			return false;
	return bytes_load(a + n - 8) == bytes_load(b + n - 8);
}

#endif
