#include "core/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/utf8.h"

/* One character of `s` as it may be shown; its length in `s`. `ret` has room for four times four bytes. */
static size_t one(struct span s, struct buf *out)
{
	uint32_t cp;
	int len = utf8_next(s, &cp);
	size_t n = (size_t)(len < 0 ? -len : len);
	if (len > 0 && !utf8_is_control(cp)) {
		(void)buf_put(out, s.p, n);
		return n;
	}
	for (size_t i = 0; i < n; i++)
		(void)buf_printf(out, "\\x%02x", s.p[i]);
	return n;
}

void escape_put(struct buf *out, struct span s)
{
	while (s.n) {
		char mem[24];
		struct buf b = buf_over(mem, sizeof(mem));
		size_t n = one(s, &b);
		if (buf_put(out, b.data, b.len))
			return;
		s = span_from(s, n);
	}
}

/* Bytes that escape_put() would make of it. */
static size_t shown(struct span s)
{
	size_t total = 0;
	while (s.n) {
		char mem[24];
		struct buf b = buf_over(mem, sizeof(mem));
		s = span_from(s, one(s, &b));
		total += b.len;
	}
	return total;
}

const char *escape_name(const char *name, char ret[static ESCAPE_NAME])
{
	struct span s = span_str(name);
	struct buf out = buf_over(ret, ESCAPE_NAME - 1);
	size_t n = shown(s);
	if (n > out.cap) {
		(void)buf_str(&out, "...");
		while (s.n && n > out.cap - 3) {
			char mem[24];
			struct buf b = buf_over(mem, sizeof(mem));
			s = span_from(s, one(s, &b));
			n -= b.len;
		}
	}
	escape_put(&out, s);
	ret[out.len] = '\0';
	return ret;
}

static bool is_plain(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+,-=";
	return *word && strspn(word, plain) == strlen(word);
}

const char *escape_shell(const char *word, char ret[static ESCAPE_SHELL])
{
	struct span s = span_str(word);
	struct buf out = buf_over(ret, ESCAPE_SHELL - 2);
	const char *dot = *word == '-' && word[1] ? "./" : "";
	(void)buf_str(&out, dot);
	if (is_plain(word)) {
		(void)buf_put(&out, s.p, s.n);
	} else if (shown(s) == s.n) {
		(void)buf_u8(&out, '\'');
		for (size_t i = 0; i < s.n; i++) {
			if (s.p[i] == '\'')
				(void)buf_str(&out, "'\\''");
			else
				(void)buf_u8(&out, s.p[i]);
		}
		(void)buf_u8(&out, '\'');
	} else {
		(void)buf_str(&out, "$'");
		while (s.n) {
			char mem[24];
			struct buf b = buf_over(mem, sizeof(mem));
			size_t n = one(s, &b);
			if (n == 1 && (*s.p == '\'' || *s.p == '\\'))
				(void)buf_u8(&out, '\\');
			(void)buf_put(&out, b.data, b.len);
			/* A hexadecimal digit after \xNN would be taken for a part of it. */
			s = span_from(s, n);
			if (b.len == 4 * n && s.n && strchr("0123456789abcdefABCDEF", *s.p) && *s.p)
				(void)buf_str(&out, "'$'");
		}
		(void)buf_u8(&out, '\'');
	}
	ret[out.len] = '\0';
	return ret;
}
