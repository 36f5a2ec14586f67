/* scan.h -- sixteen bytes looked at in one step: which of them are meant, as a bit each.
 *
 * For text in which several things are looked for at once, as separators are and the end of the line: where core/bytes.h finds the
 * first byte, the bits here are exact for all sixteen and may be counted and walked through. SSE2, which every x86-64 has, and
 * words of 64 bits elsewhere (or with SCAN_PORTABLE), with the same answers.
 */
#ifndef CORE_SCAN_H
#define CORE_SCAN_H

#include "core/bytes.h"

#if defined(__SSE2__) && !defined(SCAN_PORTABLE)
#include <emmintrin.h>
#define SCAN_SSE2 1
#else
#define SCAN_SSE2 0
#endif

enum { SCAN_BYTES = 16 };

#if SCAN_SSE2
typedef __m128i scan_bytes;

static inline scan_bytes scan_load(const void *p) { return _mm_loadu_si128((const __m128i *)p); }

/* The bytes equal to `b`: bit n is byte n. */
static inline unsigned scan_equal(scan_bytes v, uint8_t b)
{
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)b)));
}

/* The bytes of ASCII that are no control characters, but for DEL: from 20H to 7FH. */
static inline unsigned scan_plain(scan_bytes v)
{
	return (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(v, _mm_set1_epi8(0x1f)));
}

/* The bytes from 80H on. */
static inline unsigned scan_high(scan_bytes v) { return (unsigned)_mm_movemask_epi8(v); }
#else
typedef struct { uint64_t lo, hi; } scan_bytes;

static inline scan_bytes scan_load(const void *p)
{
	return (scan_bytes){ bytes_load(p), bytes_load((const uint8_t *)p + 8) };
}

/* The highest bits of eight bytes, gathered. */
static inline unsigned scan_gather(uint64_t tops)
{
	return (unsigned)(((tops & BYTES_TOPS) >> 7) * UINT64_C(0x0102040810204080) >> 56);
}

static inline unsigned scan_both(uint64_t lo, uint64_t hi) { return scan_gather(lo) | scan_gather(hi) << 8; }

/* The highest bit of each byte that is zero, exactly: no borrow goes from one byte to the next. */
static inline uint64_t scan_zero(uint64_t v) { return ~(((v & ~BYTES_TOPS) + ~BYTES_TOPS) | v); }

static inline unsigned scan_equal(scan_bytes v, uint8_t b)
{
	return scan_both(scan_zero(v.lo ^ BYTES_ONES * b), scan_zero(v.hi ^ BYTES_ONES * b));
}

static inline uint64_t scan_plain_of(uint64_t v) { return ~v & ((v & ~BYTES_TOPS) + BYTES_ONES * 0x60); }
static inline unsigned scan_plain(scan_bytes v) { return scan_both(scan_plain_of(v.lo), scan_plain_of(v.hi)); }
static inline unsigned scan_high(scan_bytes v) { return scan_both(v.lo, v.hi); }
#endif

/* Place of the lowest bit; not for 0. */
static inline size_t scan_first(uint64_t bits) { return (size_t)__builtin_ctzll(bits); }

/* How many bits there are, by itself where the machine has no instruction for it. */
static inline unsigned scan_count(uint64_t bits)
{
	bits -= bits >> 1 & UINT64_C(0x5555555555555555);
	bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
	bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (unsigned)(bits * BYTES_ONES >> 56);
}

/* The lowest `n` bits, n at most 63. */
static inline uint64_t scan_below(uint64_t bits, size_t n) { return bits & ((UINT64_C(1) << n) - 1); }

#endif
