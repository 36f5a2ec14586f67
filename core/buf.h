/* buf.h -- append-only bytes with a hard limit fixed at birth.
 *
 * The memory is the caller's. A put that does not fit changes nothing but sets
 * `full`, which is sticky: a writer may append a whole record and test once.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/cursor.h"

struct buf {
	uint8_t *data;
	size_t len, cap;        /* bytes */
	bool full;
};

static inline struct buf buf_over(void *mem, size_t cap)
{
	return (struct buf){ .data = mem, .cap = cap };
}

static inline struct span buf_span(const struct buf *b) { return (struct span){ b->data, b->len }; }

/* Each: 0, or -ENOBUFS with the content as it was and `full` set. Inline: every event passes here byte by byte. */
static inline int buf_put(struct buf *b, const void *src, size_t n)
{
	if (b->full || n > b->cap - b->len) {
		b->full = true;
		return -ENOBUFS;
	}
	if (n)
		memcpy(b->data + b->len, src, n);
	b->len += n;
	return 0;
}

static inline int buf_u8(struct buf *b, uint8_t v) { return buf_put(b, &v, 1); }

static inline int buf_u16be(struct buf *b, uint16_t v)
{
	uint8_t w[2] = { (uint8_t)(v >> 8), (uint8_t)v };
	return buf_put(b, w, sizeof(w));
}

static inline int buf_u32be(struct buf *b, uint32_t v)
{
	uint8_t w[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };
	return buf_put(b, w, sizeof(w));
}

static inline int buf_u64be(struct buf *b, uint64_t v)
{
	uint8_t w[8];
	for (int i = 0; i < 8; i++)
		w[i] = (uint8_t)(v >> (56 - 8 * i));
	return buf_put(b, w, sizeof(w));
}

static inline int buf_str(struct buf *b, const char *s) { return buf_put(b, s, strlen(s)); }
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Back to an earlier length (a mark taken from b->len); clears `full`. */
void buf_rewind(struct buf *b, size_t len);

#endif
