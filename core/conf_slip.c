/* Slips of the keyboard in YAML: what a Japanese keyboard writes for a space, a colon or a comma, and a colon without its space. YAML
 * reads them as letters and stumbles later, so they are looked for where it stumbled and in the line before. */
#include <stdio.h>
#include <string.h>

#include "core/conf_tree.h"
#include "core/utf8.h"

enum { SPACE = 0x3000, COLON = 0xff1a, COMMA = 0x3001, WIDE_COMMA = 0xff0c };

static bool is_wide(uint32_t cp) { return cp >= 0xff01 && cp <= 0xff5e; }

static bool is_word(uint32_t cp)
{
	return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || (cp >= '0' && cp <= '9') || cp == '_' || cp == '-';
}

static uint32_t first(struct span s)
{
	uint32_t cp = 0;
	return s.n && utf8_next(s, &cp) > 0 ? cp : 0;
}

/* Where line `n` (from 0) begins, without its end; empty past the last one. */
static struct span line_of(struct span text, size_t n)
{
	size_t at = 0, end;
	for (; n && at < text.n; at++)
		n -= text.p[at] == '\n';
	for (end = at; end < text.n && text.p[end] != '\n' && text.p[end] != '\r';)
		end++;
	return n ? (struct span){ text.p, 0 } : (struct span){ text.p + at, end - at };
}

/* How long the key is that begins here, when only its colon is wrong; 0 when none does. */
static size_t key_length(struct span s)
{
	size_t n = 0;
	if (!s.n || (s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '-')
		return 0;
	while (n < s.n && is_word(s.p[n]))
		n++;
	return n;
}

/* What is wrong with the key that begins here, NULL when nothing is. */
static const char *look_at_key(struct span s, size_t *ret_at, char what[static CONF_SLIP])
{
	size_t n = key_length(s);
	if (!n || n == s.n)
		return NULL;
	*ret_at = n;
	struct span rest = span_from(s, n);
	int shown = (int)(n > 40 ? 40 : n);
	if (first(rest) == COLON)
		(void)snprintf(what, CONF_SLIP, "a full-width colon (：) after %.*s; write ': '", shown, (const char *)s.p);
	else if (rest.p[0] == ':' && rest.n > 1 && !strchr(" \t/:", rest.p[1]) && first(span_from(rest, 1)) != SPACE)
		(void)snprintf(what, CONF_SLIP, "no space after the colon of %.*s; write ': '", shown, (const char *)s.p);
	else
		return NULL;
	return what;
}

static bool key_follows(struct span s)
{
	while (s.n && (s.p[0] == ' ' || first(s) == SPACE))
		s = span_from(s, s.p[0] == ' ' ? 1 : 3);
	size_t n = key_length(s);
	return n && n < s.n && (s.p[n] == ':' || first(span_from(s, n)) == COLON);
}

/* The first slip of a line and its column (from 0, in characters). */
static const char *look_at_line(struct span line, size_t *ret_column, char what[static CONF_SLIP])
{
	bool token = true, indent = true;       /* a token begins here; nothing but blanks stands before */
	uint32_t before = 0, quote = 0, opens = 0;
	size_t column = 0, at = 0;
	while (line.n) {
		uint32_t cp = 0;
		int len = utf8_next(line, &cp);
		if (len <= 0)
			return NULL;
		struct span rest = span_from(line, (size_t)len);
		*ret_column = column;
		if (quote) {
			quote = cp == quote ? 0 : quote;
		} else if (token && (cp == '"' || cp == '\'')) {
			quote = cp;
		} else if (cp == '#' && (indent || before == ' ')) {
			return NULL;
		} else if (cp == SPACE && (indent || strchr(":,{[-", (int)before))) {
			(void)snprintf(what, CONF_SLIP, "a full-width space (U+3000); write ordinary spaces");
			return what;
		} else if (token && (indent || opens == '{' || opens == ',' || opens == '-') && look_at_key(line, &at, what)) {
			*ret_column = column + at;
			return what;
		} else if ((cp == COMMA || cp == WIDE_COMMA) && (key_follows(rest) || (is_word(before) && is_word(first(rest))))) {
			(void)snprintf(what, CONF_SLIP, "a full-width comma (%.*s); write ', '", len, (const char *)line.p);
			return what;
		} else if ((token && (cp == 0xff5b || cp == 0xff3b)) || ((cp == 0xff5d || cp == 0xff3d) && !rest.n)) {
			(void)snprintf(what, CONF_SLIP, "a full-width bracket (%.*s); write it in half width", len, (const char *)line.p);
			return what;
		}
		bool blank = cp == ' ' || cp == SPACE;
		if (!quote && !blank)
			opens = strchr(":,{[-", (int)cp) && cp < 128 ? cp : 0;
		token = !quote && (blank ? token || opens : opens == '{' || opens == '[');
		indent = indent && (blank || (cp == '-' && first(rest) == ' '));
		before = cp;
		column++;
		line = rest;
	}
	return NULL;
}

const char *conf_slip_near(struct span text, size_t from, size_t to, size_t *ret_line, size_t *ret_column,
			   char what[static CONF_SLIP])
{
	size_t n = to, column;
	while (n && n >= from && !span_trim(line_of(text, --n)).n)
		;
	for (size_t i = n < from ? n : from; i <= to; i++)
		if (look_at_line(line_of(text, i), &column, what)) {
			*ret_line = i;
			*ret_column = column;
			return what;
		}
	return NULL;
}

bool conf_slip_wide(struct span s)
{
	while (s.n) {
		uint32_t cp = 0;
		int len = utf8_next(s, &cp);
		if (len <= 0)
			return false;
		if (is_wide(cp) || cp == SPACE || cp == COMMA)
			return true;
		s = span_from(s, (size_t)len);
	}
	return false;
}

const char *conf_slip_key(struct span key)
{
	bool ports = key.n > 0;
	for (size_t i = 0; i < key.n; i++)
		ports = ports && ((key.p[i] >= '0' && key.p[i] <= '9') || key.p[i] == '-');
	if (ports)
		return "; several ports are one text in quotes: \"104,11112\"";
	if (first(key) == SPACE)
		return "; it begins with a full-width space (U+3000): indent with ordinary spaces";
	size_t at;
	char what[CONF_SLIP];
	if (look_at_key(key, &at, what))
		return key.p[at] == ':' ? "; a space is missing after the colon" : "; it has a full-width colon (：): write ': '";
	return conf_slip_wide(key) ? "; it has full-width characters: write it in half width" : "";
}
