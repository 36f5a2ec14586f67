#include "documents/sheet_pasted.h"

#include <errno.h>
#include <string.h>

#include "core/err.h"
#include "core/utf8.h"
#include "documents/port_heading.h"

enum { PIECES = 40 };

struct piece { struct span text; uint32_t from, to; };  /* columns of a terminal, `to` behind the last */

static struct span take_line(struct span *text)
{
	size_t n = 0;
	while (n < text->n && text->p[n] != '\n')
		n++;
	struct span line = { text->p, n };
	*text = span_from(*text, n + 1);
	return line;
}

/* Characters that take two columns, near enough: Hangul Jamo, and from the CJK radicals on. */
static uint32_t width(uint32_t cp) { return cp >= 0x1100 && (cp < 0x1160 || cp >= 0x2e80) && !(cp >= 0xff61 && cp <= 0xffdc) ? 2 : 1; }

/* Pieces parted by `least` blanks or more, or by a tab. */
static size_t split(struct span line, unsigned least, struct piece v[static PIECES])
{
	size_t n = 0, start = 0, end = 0;
	uint32_t column = 0, from = 0, to = 0;
	unsigned blanks = least;
	bool open = false;
	for (size_t i = 0; i < line.n;) {
		uint32_t cp = 0;
		int len = utf8_next(span_from(line, i), &cp);
		size_t step = len > 0 ? (size_t)len : 1;
		bool blank = cp == ' ' || cp == 0x3000 || cp == 0xa0;
		if (cp == '\t') {
			blanks = least;
			column = column / 8 * 8 + 8;
		} else if (blank) {
			blanks += cp == 0x3000 ? 2 : 1;
			column += width(cp);
		} else {
			if (blanks >= least || !open) {
				if (open && n < PIECES)
					v[n++] = (struct piece){ { line.p + start, end - start }, from, to };
				open = true;
				start = i;
				from = column;
			}
			blanks = 0;
			end = i + step;
			column += width(cp);
			to = column;
		}
		i += step;
	}
	if (open && n < PIECES)
		v[n++] = (struct piece){ { line.p + start, end - start }, from, to };
	return n;
}

/* Headings of one word or more, when everything is parted by one blank: the longest run that is one. */
static size_t join(struct piece v[static PIECES], size_t n)
{
	size_t made = 0;
	for (size_t i = 0; i < n;) {
		size_t k = n - i < 4 ? n - i : 4;
		struct span whole = { 0 };
		for (; k; k--) {
			whole = (struct span){ v[i].text.p, (size_t)(v[i + k - 1].text.p + v[i + k - 1].text.n - v[i].text.p) };
			if (port_heading_is(whole))
				break;
		}
		k = k ? k : 1;
		v[made++] = (struct piece){ { v[i].text.p, (size_t)(v[i + k - 1].text.p + v[i + k - 1].text.n - v[i].text.p) }, v[i].from,
			                    v[i + k - 1].to };
		i += k;
	}
	return made;
}

static bool are_headings(const struct piece *v, size_t n)
{
	bool have[PORT_HEADINGS] = { false };
	size_t known = 0;
	for (size_t i = 0; i < n; i++) {
		enum port_heading h = port_heading_read(v[i].text);
		known += h && !have[h];
		have[h] = true;
	}
	return known >= 2 && have[PORT_HEADING_PORT];
}

/* How far apart a piece and a heading stand; 0 where one is above the other. */
static uint32_t apart(const struct piece *a, const struct piece *b)
{
	return a->from >= b->to ? a->from - b->to + 1 : b->from >= a->to ? b->from - a->to + 1 : 0;
}

static int put_line(struct sheet_book *b, uint32_t row, struct span line, unsigned least, const struct piece *heads, size_t n_heads,
		    struct conf_report *rep)
{
	struct piece v[PIECES];
	size_t n = split(line, least, v);
	int r = 0;
	bool fits = n == n_heads || (least > 1 && n > 1 && n < n_heads);
	if (!fits)
		return sheet_put(b, row, 1, line, rep);
	/* As many as there are headings: in their order. Fewer: each to the heading that it stands below. */
	uint32_t last = 0;
	for (size_t i = 0; i < n && !r; i++) {
		uint32_t best = last + 1;
		for (uint32_t k = last + 1; n < n_heads && k <= n_heads; k++)
			if (apart(&v[i], &heads[k - 1]) < apart(&v[i], &heads[best - 1]))
				best = k;
		if (best > n_heads)
			best = (uint32_t)n_heads;
		if (best == last)       /* no column is left: the line is kept as it is, in a place of its own */
			return sheet_put(b, row, (uint32_t)n_heads + 1, line, rep);
		r = sheet_put(b, row, best, v[i].text, rep);
		last = best;
	}
	return r;
}

int sheet_pasted_read(struct span text, const char *file, struct sheet_book **ret, struct conf_report *rep)
{
	struct piece heads[PIECES];
	size_t n_heads = 0;
	unsigned least;
	/* Each line costs what a page of headings does: a spreadsheet with a fault is not looked through for them. */
	if (text.n > SHEET_PASTED_MAX)
		return -ENOENT;
	for (least = 2; least && !n_heads; least--)
		for (struct span rest = text; rest.n && !n_heads;) {
			size_t n = split(take_line(&rest), least, heads);
			n = least == 1 ? join(heads, n) : n;
			n_heads = are_headings(heads, n) ? n : 0;
		}
	if (!n_heads)
		return -ENOENT;
	least++;
	struct sheet_book *b = sheet_new(file);
	int r = !b ? -ENOMEM : sheet_add(b, (struct span){ 0 }, rep);
	uint32_t row = 0;
	while (text.n && !r) {
		struct piece v[PIECES];
		struct span line = take_line(&text);
		size_t n = split(line, least, v);
		n = least == 1 ? join(v, n) : n;
		row++;
		if (are_headings(v, n)) {
			memcpy(heads, v, sizeof(heads));
			n_heads = n;
			for (size_t i = 0; i < n && !r; i++)
				r = sheet_put(b, row, (uint32_t)i + 1, v[i].text, rep);
		} else {
			r = put_line(b, row, line, least, heads, n_heads, rep);
		}
	}
	if (!r)
		r = sheet_sort(b, rep);
	if (r) {
		sheet_free(b);
		return r == -ENOMEM ? r : ERR_CONFIG;
	}
	*ret = b;
	return 0;
}
