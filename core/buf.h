/* buf.h -- append-only bytes with a hard limit fixed at birth.
 *
 * The memory is the caller's. A put that does not fit changes nothing but sets
 * `full`, which is sticky: a writer may append a whole record and test once.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Each: 0, or -ENOBUFS with the content as it was and `full` set. */
int buf_put(struct buf *b, const void *src, size_t n);
int buf_u8(struct buf *b, uint8_t v);
int buf_u16be(struct buf *b, uint16_t v);
int buf_u32be(struct buf *b, uint32_t v);
int buf_u64be(struct buf *b, uint64_t v);
int buf_str(struct buf *b, const char *s);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Back to an earlier length (a mark taken from b->len); clears `full`. */
void buf_rewind(struct buf *b, size_t len);

#endif
