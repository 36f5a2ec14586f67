#include "core/cursor.h"

#include <string.h>

struct span cursor_until(struct cursor *c, uint8_t stop)
{
	size_t left = cursor_left(c);
	const uint8_t *hit = left ? memchr(c->p, stop, left) : NULL;
	if (!hit) {
		c->failed = true;
		return (struct span){ 0 };
	}
	struct span s = cursor_take(c, (size_t)(hit - c->p));
	cursor_skip(c, 1);
	return s;
}

struct span span_str(const char *s)
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}

bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

struct span span_trim(struct span s)
{
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	while (s.n && s.p[0] == ' ')
		s.p++, s.n--;
	return s;
}
