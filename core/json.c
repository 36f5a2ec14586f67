#include "core/json.h"

#include <errno.h>

#include "core/bytes.h"
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

/* Bytes at the front that stand for themselves in a string. */
static size_t plain_n(struct span s)
{
	size_t n = 0;
	for (; s.n - n >= 8; n += 8) {
		uint64_t v = bytes_load(s.p + n);
		uint64_t other = bytes_below(v, 0x20) | bytes_high(v) | bytes_equal(v, '"') | bytes_equal(v, '\\') | bytes_equal(v, 0x7f);
		if (other)
			return n + bytes_first(other);
	}
	while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
		n++;
	return n;
}

int json_string(struct buf *b, struct span s)
{
	(void)buf_u8(b, '"');
	while (s.n && !b->full) {
		size_t plain = plain_n(s);
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
	static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
				    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
	char digits[20];
	size_t at = sizeof(digits);
	for (; v >= 100; v /= 100) {
		at -= 2;
		memcpy(digits + at, pairs + 2 * (v % 100), 2);
	}
	if (v >= 10) {
		at -= 2;
		memcpy(digits + at, pairs + 2 * v, 2);
	} else {
		digits[--at] = (char)('0' + v);
	}
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
