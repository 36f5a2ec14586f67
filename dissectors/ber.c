#include "dissectors/ber.h"

enum { TAG_LONG = 0x1f, LENGTH_LONG = 0x80, LENGTH_BYTES = 4 };

bool ber_next(struct cursor *c, uint8_t *ret_tag, struct span *ret_value)
{
	*ret_tag = cursor_u8(c);
	uint32_t n = cursor_u8(c);
	if ((*ret_tag & TAG_LONG) == TAG_LONG)
		c->failed = true;
	if (n & LENGTH_LONG) {
		unsigned bytes = n & 0x7f;
		if (!bytes || bytes > LENGTH_BYTES)
			c->failed = true;
		for (n = 0; bytes && !c->failed; bytes--)
			n = n << 8 | cursor_u8(c);
	}
	*ret_value = cursor_take(c, n);
	return cursor_ok(c);
}

struct cursor ber_enter(struct cursor *c, uint8_t tag)
{
	uint8_t got;
	struct span value;
	if (ber_next(c, &got, &value) && got != tag)
		c->failed = true;
	struct cursor in = cursor_from(c->failed ? (struct span){ 0 } : value);
	in.failed = c->failed;
	return in;
}

bool ber_find(struct cursor *c, uint8_t tag, struct span *ret_value)
{
	uint8_t got;
	while (cursor_left(c) && ber_next(c, &got, ret_value))
		if (got == tag)
			return true;
	return false;
}

enum dissect_guess ber_head(struct span s, uint8_t tag, size_t *ret_total)
{
	if (s.n && s.p[0] != tag)
		return DISSECT_NO;
	if (s.n < 2)
		return DISSECT_MAYBE;
	if (!(s.p[1] & LENGTH_LONG)) {
		*ret_total = 2u + s.p[1];
		return DISSECT_YES;
	}
	size_t bytes = s.p[1] & 0x7f, n = 0;
	if (!bytes || bytes > LENGTH_BYTES)
		return DISSECT_NO;
	if (s.n < 2 + bytes)
		return DISSECT_MAYBE;
	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | s.p[2 + i];
	*ret_total = 2 + bytes + n;
	return DISSECT_YES;
}

uint32_t ber_uint(struct span value)
{
	uint32_t n = 0;
	if (!value.n || value.n > 4)
		return UINT32_MAX;
	for (size_t i = 0; i < value.n; i++)
		n = n << 8 | value.p[i];
	return n;
}
