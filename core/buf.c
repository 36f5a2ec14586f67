#include "core/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int buf_put(struct buf *b, const void *src, size_t n)
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

int buf_u8(struct buf *b, uint8_t v) { return buf_put(b, &v, 1); }

int buf_u16be(struct buf *b, uint16_t v)
{
	uint8_t w[2] = { (uint8_t)(v >> 8), (uint8_t)v };
	return buf_put(b, w, sizeof(w));
}

int buf_u32be(struct buf *b, uint32_t v)
{
	uint8_t w[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };
	return buf_put(b, w, sizeof(w));
}

int buf_u64be(struct buf *b, uint64_t v)
{
	uint8_t w[8];
	for (int i = 0; i < 8; i++)
		w[i] = (uint8_t)(v >> (56 - 8 * i));
	return buf_put(b, w, sizeof(w));
}

int buf_str(struct buf *b, const char *s) { return buf_put(b, s, strlen(s)); }

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	if (b->full)
		return -ENOBUFS;
	size_t room = b->cap - b->len;
	va_start(ap, fmt);
	int n = vsnprintf((char *)b->data + b->len, room, fmt, ap);
	va_end(ap);
	/* vsnprintf needs one byte for the NUL that we do not keep. */
	if (n < 0 || (size_t)n >= room) {
		b->full = true;
		return -ENOBUFS;
	}
	b->len += (size_t)n;
	return 0;
}

void buf_rewind(struct buf *b, size_t len)
{
	if (len <= b->len)
		b->len = len;
	b->full = false;
}
