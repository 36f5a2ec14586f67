/* put.h -- bytes one after another into memory that is large enough: nothing here is asked to take what it does not know. */
#ifndef BENCH_PUT_H
#define BENCH_PUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bench/chance.h"

struct put { uint8_t *p; size_t n; };

static inline void put_8(struct put *b, unsigned v) { b->p[b->n++] = (uint8_t)v; }
static inline void put_16(struct put *b, unsigned v) { put_8(b, v >> 8); put_8(b, v & 0xff); }
static inline void put_32(struct put *b, uint32_t v) { put_16(b, v >> 16); put_16(b, v & 0xffff); }
static inline void put_16le(struct put *b, unsigned v) { put_8(b, v & 0xff); put_8(b, v >> 8 & 0xff); }
static inline void put_32le(struct put *b, uint32_t v) { put_16le(b, v & 0xffff); put_16le(b, v >> 16); }

static inline void put_bytes(struct put *b, const void *p, size_t n)
{
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void put_text(struct put *b, const char *s) { put_bytes(b, s, strlen(s)); }

static inline void put_padded(struct put *b, const char *s, size_t n)
{
	size_t have = strlen(s);
	put_bytes(b, s, have);
	while (have++ < n)
		put_8(b, ' ');
}

static inline void put_noise(struct put *b, size_t n)
{
	while (n--)
		put_8(b, chance() & 0xff);
}

static inline void put_letters(struct put *b, size_t n)
{
	while (n--)
		put_8(b, 'a' + chance_below(26));
}

#endif
