/* bytes.h -- several bytes read in one step: numbers of the network, and eight bytes of text that is nearly always plain.
 *
 * bytes_load() gives eight bytes as a number, the first one lowest, on any machine. The tests below answer with the highest
 * bit of each byte they mean; they may also answer for bytes behind the first that they mean, never for one before it: so
 * bytes_first() of an answer, or of several joined by |, is exact, and what is behind it is to be looked at again.
 */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include <endian.h>
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

/* Numbers of the network, from bytes that are known to be there (core/cursor.h took them). */
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

/* Bytes below `limit`, which is at most 80H. */
static inline uint64_t bytes_below(uint64_t v, uint8_t limit) { return (v - BYTES_ONES * limit) & ~v & BYTES_TOPS; }
static inline uint64_t bytes_equal(uint64_t v, uint8_t b) { return bytes_below(v ^ BYTES_ONES * b, 1); }
/* Bytes from 80H on: no ASCII. */
static inline uint64_t bytes_high(uint64_t v) { return v & BYTES_TOPS; }
/* Place of the first byte that is meant; not for 0. */
static inline size_t bytes_first(uint64_t answer) { return (size_t)__builtin_ctzll(answer) / 8; }

#endif
