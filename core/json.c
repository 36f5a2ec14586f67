#include "core/json.h"

#include <errno.h>

#include "core/utf8.h"

static const char hex[] = "0123456789abcdef";

static int done(const struct buf *b) { return b->full ? -ENOBUFS : 0; }

int json_next(struct buf *b)
{
	if (!b->len)
		return done(b);
	uint8_t last = b->data[b->len - 1];
	/* After a line end a new text begins; a value never ends in one of these. */
	if (last == '{' || last == '[' || last == ':' || last == ',' || last == '\n')
		return done(b);
	return buf_u8(b, ',');
}

int json_key(struct buf *b, const char *key)
{
	(void)json_next(b);
	(void)json_str(b, key);
	return buf_u8(b, ':');
}

/* cp <= 0xffff: all that is escaped is in the first plane. */
static void put_escape(struct buf *b, uint32_t cp)
{
	char e[6] = { '\\', 'u', hex[cp >> 12 & 15], hex[cp >> 8 & 15], hex[cp >> 4 & 15], hex[cp & 15] };
	(void)buf_put(b, e, sizeof(e));
}

int json_string(struct buf *b, struct span s)
{
	(void)buf_u8(b, '"');
	while (s.n && !b->full) {
		size_t plain = 0;
		while (plain < s.n && s.p[plain] >= 0x20 && s.p[plain] < 0x7f && s.p[plain] != '"' &&
		       s.p[plain] != '\\')
			plain++;
		if (plain) {
			(void)buf_put(b, s.p, plain);
			s = span_from(s, plain);
			continue;
		}
		uint32_t cp = 0;
		int n = utf8_next(s, &cp);
		if (n < 0) {
			(void)buf_str(b, "\xef\xbf\xbd");
			n = -n;
		} else if (cp == '"' || cp == '\\') {
			(void)buf_u8(b, '\\');
			(void)buf_u8(b, (uint8_t)cp);
		} else if (utf8_is_control(cp)) {
			put_escape(b, cp);
		} else {
			(void)buf_put(b, s.p, (size_t)n);
		}
		s = span_from(s, (size_t)n);
	}
	return buf_u8(b, '"');
}

int json_str(struct buf *b, const char *s) { return json_string(b, span_str(s)); }

int json_uint(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return buf_put(b, digits + at, sizeof(digits) - at);
}

int json_int(struct buf *b, int64_t v)
{
	if (v >= 0)
		return json_uint(b, (uint64_t)v);
	(void)buf_u8(b, '-');
	return json_uint(b, 0 - (uint64_t)v);
}

int json_bool(struct buf *b, bool v) { return buf_str(b, v ? "true" : "false"); }
