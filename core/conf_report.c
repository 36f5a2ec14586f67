#include "core/conf_tree.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/utf8.h"

enum { WORD_MAX = 40 };                 /* longer than any key of ours: no nearest name is looked for */

const char *conf_report_quote(struct span s, char out[static CONF_REPORT_QUOTE + 8])
{
	size_t at = 0;
	out[at++] = '\'';
	while (s.n) {
		uint32_t cp;
		int len = utf8_next(s, &cp);
		size_t n = (size_t)(len < 0 ? -len : len);
		if (at + n > CONF_REPORT_QUOTE) {
			memcpy(out + at, "...", 3);
			at += 3;
			break;
		}
		if (len < 0 || utf8_is_control(cp)) {
			out[at++] = '?';
		} else {
			memcpy(out + at, s.p, n);
			at += n;
		}
		s = span_from(s, n);
	}
	out[at++] = '\'';
	out[at] = '\0';
	return out;
}

void conf_report_vadd(const char *file, unsigned line, unsigned column, struct conf_report *rep, const char *fmt, va_list ap)
{
	char name[ESCAPE_NAME];
	rep->total++;
	if (rep->n >= CONF_MAX_ERRORS)
		return;
	struct conf_error *e = &rep->v[rep->n++];
	e->line = line;
	e->column = column;
	(void)snprintf(e->file, sizeof(e->file), "%s", escape_name(file, name));
	(void)vsnprintf(e->what, sizeof(e->what), fmt, ap);
}

void conf_report_add(const char *file, unsigned line, unsigned column, struct conf_report *rep, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	conf_report_vadd(file, line, column, rep, fmt, ap);
	va_end(ap);
}

void conf_fault(const struct conf_doc *doc, const struct conf_node *at, struct conf_report *rep, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	conf_report_vadd(doc->name, at ? at->line : 0, at ? at->column : 0, rep, fmt, ap);
	va_end(ap);
}

void conf_say(const struct conf_report *rep)
{
	for (size_t i = 0; i < rep->n; i++) {
		const struct conf_error *e = &rep->v[i];
		if (e->line)
			log_say("%s:%u:%u: %s", e->file, e->line, e->column, e->what);
		else
			log_say("%s: %s", e->file, e->what);
	}
	if (rep->total > rep->n)
		log_say("and %zu more faults", rep->total - rep->n);
}

static uint8_t fold(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c == '-' ? '_' : c; }

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

/* Optimal string alignment: insertions, deletions, changes and swaps of neighbours; letter case and '-' for
 * '_' cost nothing. Both at most WORD_MAX long. */
static unsigned distance(struct span a, struct span b)
{
	unsigned row[3][WORD_MAX + 1];
	for (unsigned j = 0; j <= b.n; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *two_before = row[(i + 1) % 3];
		now[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			uint8_t x = fold(a.p[i - 1]), y = fold(b.p[j - 1]);
			now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == fold(b.p[j - 2]) && y == fold(a.p[i - 2]))
				now[j] = least(now[j], two_before[j - 2] + 1);
		}
	}
	return row[a.n % 3][b.n];
}

const char *conf_nearest(struct span word, const char *const *words, size_t n)
{
	const char *best = NULL;
	/* One slip in three letters may still be meant; more is another word. */
	unsigned most = (unsigned)(word.n < 3 ? 1 : word.n / 3) + 1;
	if (!word.n || word.n > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct span w = span_str(words[i]);
		if (!w.n || w.n > WORD_MAX)
			continue;
		unsigned d = distance(word, w);
		/* A name of which nothing is left is not near. */
		if (d < most && d < w.n && d < word.n + (d == 0)) {
			most = d;
			best = words[i];
		}
	}
	return best;
}
