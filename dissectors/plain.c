#include "dissectors/plain.h"

#include <string.h>

bool plain_text(struct observation *o, enum observation_field f, struct span s)
{
	const struct vocab_field *d = &observation_vocab.fields[f];
	s = span_trim(s);
	if (s.n > d->max)
		s.n = d->max;
	return vocab_fits(d->grammar, d->max, s) && observation_text(o, f, s);
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

size_t plain_find(struct span s, const char *what)
{
	size_t n = strlen(what);
	for (size_t i = 0; i + n <= s.n; i++) {
		size_t k = 0;
		while (k < n && lower(s.p[i + k]) == (uint8_t)what[k])
			k++;
		if (k == n)
			return i;
	}
	return SIZE_MAX;
}

enum dissect_guess plain_begins(struct span s, const char *what)
{
	size_t n = strlen(what), have = s.n < n ? s.n : n;
	if (have && memcmp(s.p, what, have) != 0)
		return DISSECT_NO;
	return have == n ? DISSECT_YES : DISSECT_MAYBE;
}

size_t plain_line(struct span in, struct span *ret_line)
{
	const uint8_t *lf = in.n ? memchr(in.p, '\n', in.n) : NULL;
	if (!lf)
		return 0;
	size_t n = (size_t)(lf - in.p);
	*ret_line = (struct span){ in.p, n && in.p[n - 1] == '\r' ? n - 1 : n };
	return n + 1;
}

bool plain_header(struct span s, const char *name, struct span *ret)
{
	size_t used;
	for (struct span line; (used = plain_line(s, &line)) != 0; s = span_from(s, used))
		if (plain_find(line, name) == 0) {
			*ret = span_trim(span_from(line, strlen(name)));
			return true;
		}
	return false;
}
