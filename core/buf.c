#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>

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
