#include "core/conf_tree.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

bool conf_value_is_null(const struct conf_node *n)
{
	return n->shape == CONF_SHAPE_SCALAR && n->plain &&
	       (span_eq(n->text, span_str("null")) || span_eq(n->text, span_str("~")));
}

bool conf_value_looks_boolean(struct span s)
{
	static const char *const words[] = { "yes", "no", "on", "off", "true", "false" };
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct span w = span_str(words[i]);
		if (w.n == s.n && !strncasecmp((const char *)s.p, words[i], s.n))
			return true;
	}
	return false;
}

int conf_value_uint(struct span s, uint64_t *ret)
{
	uint64_t v = 0;
	if (!s.n || (s.n > 1 && s.p[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return -EINVAL;
	}
	*ret = v;
	return 0;
}

const struct conf_value_unit conf_value_durations[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 }, { NULL, 0 } };
const struct conf_value_unit conf_value_sizes[] = { { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }, { NULL, 0 } };

int conf_value_unit(struct span s, const struct conf_value_unit *units, uint64_t *ret)
{
	for (; units->name; units++) {
		struct span u = span_str(units->name);
		uint64_t v;
		if (s.n <= u.n || memcmp(s.p + s.n - u.n, u.p, u.n))
			continue;
		if (conf_value_uint((struct span){ s.p, s.n - u.n }, &v) || __builtin_mul_overflow(v, units->is, &v))
			return -EINVAL;
		*ret = v;
		return 0;
	}
	return -EINVAL;
}

static int read_port(struct span s, uint16_t *ret)
{
	uint64_t v;
	if (conf_value_uint(s, &v) || !v || v > 65535)
		return -EINVAL;
	*ret = (uint16_t)v;
	return 0;
}

int conf_value_ports(struct span s, struct conf_port_range *ret, size_t max)
{
	size_t n = 0;
	for (;;) {
		size_t end = 0;
		while (end < s.n && s.p[end] != ',')
			end++;
		struct span part = span_trim((struct span){ s.p, end });
		struct conf_port_range r;
		const uint8_t *dash = part.n ? memchr(part.p, '-', part.n) : NULL;
		size_t lo = dash ? (size_t)(dash - part.p) : part.n;
		if (n >= CONF_MAX_PORTS || read_port((struct span){ part.p, lo }, &r.lo))
			return -EINVAL;
		r.hi = r.lo;
		if (dash && (read_port(span_from(part, lo + 1), &r.hi) || r.hi < r.lo))
			return -EINVAL;
		if (n < max)
			ret[n] = r;
		n++;
		if (end == s.n)
			return (int)n;
		s = end + 1 < s.n ? span_from(s, end + 1) : (struct span){ (const uint8_t *)"", 0 };
	}
}

const char *const conf_value_tri_words[] = { "unknown", "yes", "no", "na", "see_note", NULL };

int conf_value_word(struct span s, const char *const *words)
{
	for (int i = 0; words && words[i]; i++)
		if (span_eq(s, span_str(words[i])))
			return i;
	return -1;
}
