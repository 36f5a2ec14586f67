#include "documents/sheet.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/utf8.h"
#include "documents/encoding.h"
#include "rules/policy_model.h"

/* ---- the book ---- */

struct sheet_book *sheet_new(const char *file)
{
	struct sheet_book *b = calloc(1, sizeof(*b));
	if (b)
		(void)escape_name(file, b->file);
	return b;
}

void sheet_free(struct sheet_book *b)
{
	if (!b)
		return;
	free(b->cells);
	free(b->text);
	free(b);
}

const char *sheet_where(const struct sheet_book *b, size_t sheet, uint32_t row, uint32_t column, char ret[static SHEET_WHERE])
{
	char letters[8] = "";
	size_t at = sizeof(letters) - 1;
	for (uint32_t c = column; c && at; c = (c - 1) / 26)
		letters[--at] = (char)('A' + (c - 1) % 26);
	struct buf name = buf_over(ret, SHEET_WHERE - 24);
	if (sheet < b->n_sheets && b->names[sheet][0]) {
		escape_put(&name, span_str(b->names[sheet]));
		name.full = false;
		ret[name.len++] = '!';
	}
	(void)snprintf(ret + name.len, SHEET_WHERE - name.len, "%s%u", letters + at, (unsigned)row);
	return ret;
}

void sheet_fault(const struct sheet_book *b, size_t sheet, uint32_t row, uint32_t column, struct conf_report *rep,
		 const char *fmt, ...)
{
	char what[256], where[SHEET_WHERE];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	struct policy_place at = { .file = b->file };
	if (row)
		policy_load_fault(&at, rep, "%s: %s", sheet_where(b, sheet, row, column, where), what);
	else
		policy_load_fault(&at, rep, "%s", what);
}

int sheet_add(struct sheet_book *b, struct span name, struct conf_report *rep)
{
	if (b->n_sheets == SHEET_MAX_SHEETS) {
		sheet_fault(b, 0, 0, 0, rep, "has more than %d sheets", SHEET_MAX_SHEETS);
		return -E2BIG;
	}
	char *to = b->names[b->n_sheets++];
	size_t n = name.n < SHEET_NAME ? name.n : SHEET_NAME - 1;
	while (n < name.n && n && (name.p[n] & 0xc0) == 0x80)
		n--;
	if (n)
		memcpy(to, name.p, n);
	to[n] = 0;
	return 0;
}

/* Makes room for `more` elements. */
static bool grow(void *v, size_t size, size_t n, size_t more, size_t *room)
{
	void **list = v;
	if (more <= *room - n)
		return true;
	size_t want = *room ? *room : 1024;
	while (want - n < more)
		want *= 2;
	void *p = reallocarray(*list, want, size);
	if (!p)
		return false;
	*list = p;
	*room = want;
	return true;
}

int sheet_put(struct sheet_book *b, uint32_t row, uint32_t column, struct span text, struct conf_report *rep)
{
	return sheet_put_at(b, b->n_sheets - 1, row, column, text, rep);
}

int sheet_put_at(struct sheet_book *b, size_t sheet, uint32_t row, uint32_t column, struct span text, struct conf_report *rep)
{
	if (text.n > SHEET_MAX_CELL) {
		sheet_fault(b, sheet, row, column, rep, "holds more than %d KiB", SHEET_MAX_CELL >> 10);
		return -E2BIG;
	}
	if (!row || row > SHEET_MAX_ROWS || !column || column > SHEET_MAX_COLUMNS) {
		sheet_fault(b, sheet, row ? row : 1, column, rep, "there is no such cell");
		return -E2BIG;
	}
	if (!text.n)
		return 0;
	if (!grow(&b->text, 1, b->n_text, text.n, &b->text_room) ||
	    !grow(&b->cells, sizeof(*b->cells), b->n_cells, 1, &b->cells_room))
		return -ENOMEM;
	uint8_t *start = b->text + b->n_text, *to = start;
	for (size_t i = 0; i < text.n;) {
		uint32_t cp = 0;
		int len = utf8_next(span_from(text, i), &cp);
		size_t step = len > 0 ? (size_t)len : 1;
		bool blank = cp == ' ' || cp == '\n' || cp == '\t' || cp == 0x3000 || cp == 0xa0;
		if (len <= 0 || (utf8_is_control(cp) && cp != '\n' && cp != '\t') || cp == 0xfffe || cp == 0xffff) {
			b->dropped += cp != '\r';
		} else if (!blank || to != start) {
			memcpy(to, text.p + i, step);
			to += step;
		}
		i += step;
	}
	for (bool more = true; more && to != start;) {
		size_t n = (size_t)(to - start);
		more = false;
		if (to[-1] == ' ' || to[-1] == '\n' || to[-1] == '\t')
			to--, more = true;
		else if (n >= 3 && !memcmp(to - 3, "\xe3\x80\x80", 3))
			to -= 3, more = true;
		else if (n >= 2 && !memcmp(to - 2, "\xc2\xa0", 2))
			to -= 2, more = true;
	}
	if (to == start)
		return 0;
	size_t n = (size_t)(to - start);
	if (b->n_cells == SHEET_MAX_CELLS || n > SHEET_MAX_TEXT - b->n_text) {
		sheet_fault(b, sheet, row, column, rep, "the file holds more than %d cells or %d MiB of text", SHEET_MAX_CELLS,
			    SHEET_MAX_TEXT >> 20);
		return -E2BIG;
	}
	b->cells[b->n_cells++] = (struct sheet_cell){ row, column, (uint32_t)sheet, (uint32_t)b->n_text, (uint32_t)n };
	b->n_text += n;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct sheet_cell *x = a, *y = b;
	if (x->sheet != y->sheet)
		return x->sheet < y->sheet ? -1 : 1;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

int sheet_sort(struct sheet_book *b, struct conf_report *rep)
{
	bool sorted = true;
	for (size_t i = 1; i < b->n_cells; i++)
		sorted = sorted && compare(&b->cells[i - 1], &b->cells[i]) < 0;
	if (sorted)
		return 0;
	qsort(b->cells, b->n_cells, sizeof(*b->cells), compare);
	for (size_t i = 1; i < b->n_cells; i++)
		if (!compare(&b->cells[i - 1], &b->cells[i])) {
			const struct sheet_cell *c = &b->cells[i];
			sheet_fault(b, c->sheet, c->row, c->column, rep, "this cell is written twice in the file");
			return -EEXIST;
		}
	return 0;
}

/* The first cell not before (sheet, row, column). */
static size_t lower(const struct sheet_book *b, size_t sheet, uint32_t row, uint32_t column)
{
	struct sheet_cell want = { .sheet = (uint32_t)sheet, .row = row, .column = column };
	size_t lo = 0, hi = b->n_cells;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (compare(&b->cells[mid], &want) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct span sheet_text(const struct sheet_book *b, const struct sheet_cell *c) { return (struct span){ b->text + c->at, c->n }; }

struct span sheet_at(const struct sheet_book *b, size_t sheet, uint32_t row, uint32_t column)
{
	size_t i = lower(b, sheet, row, column);
	if (i == b->n_cells || b->cells[i].sheet != sheet || b->cells[i].row != row || b->cells[i].column != column)
		return (struct span){ 0 };
	return sheet_text(b, &b->cells[i]);
}

const struct sheet_cell *sheet_cells(const struct sheet_book *b, size_t sheet, size_t *ret_n)
{
	size_t from = lower(b, sheet, 0, 0), to = lower(b, sheet + 1, 0, 0);
	*ret_n = to - from;
	return *ret_n ? b->cells + from : NULL;
}

const struct sheet_cell *sheet_row(const struct sheet_book *b, size_t sheet, uint32_t row, size_t *ret_n)
{
	size_t from = lower(b, sheet, row, 0), to = lower(b, sheet, row + 1, 0);
	*ret_n = to - from;
	return *ret_n ? b->cells + from : NULL;
}

/* ---- CSV ---- */

/* The end of the cell that begins at `i`, and whether it is quoted; n + 1 when a quote is never closed. */
static size_t cell_end(struct span s, size_t i, char delimiter, bool *quoted)
{
	*quoted = i < s.n && s.p[i] == '"';
	if (*quoted)
		for (i++;; i++) {
			if (i >= s.n)
				return s.n + 1;
			if (s.p[i] == '"' && (++i >= s.n || s.p[i] != '"'))
				break;
		}
	while (i < s.n && s.p[i] != (uint8_t)delimiter && s.p[i] != '\n')
		i++;
	return i;
}

/* How evenly a delimiter parts the first lines: the number of lines that have as many cells as the one before, times that
 * number. */
static size_t evenness(struct span s, char delimiter)
{
	size_t score = 0, last = 1, cells = 1, lines = 0;
	for (size_t i = 0; i < s.n && lines < 60;) {
		bool quoted;
		i = cell_end(s, i, delimiter, &quoted);
		if (i < s.n && s.p[i] == (uint8_t)delimiter) {
			cells++;
		} else {
			if (cells > 1)
				score += cells == last ? 2 * cells : 1;
			last = cells;
			cells = 1;
			lines++;
		}
		i++;
	}
	return score;
}

static int read_cells(struct sheet_book *b, struct span s, struct conf_report *rep)
{
	static const char candidates[] = { ',', '\t', ';' };
	size_t best = 0;
	b->delimiter = ',';
	for (size_t i = 0; i < sizeof(candidates); i++) {
		size_t score = evenness(s, candidates[i]);
		if (score > best) {
			best = score;
			b->delimiter = candidates[i];
		}
	}
	uint8_t *cell = malloc(SHEET_MAX_CELL + 1);
	int r = cell ? 0 : -ENOMEM;
	uint32_t row = 1, column = 1;
	for (size_t i = 0; i < s.n && !r; i++) {
		bool quoted;
		size_t end = cell_end(s, i, b->delimiter, &quoted), n = 0;
		if (end > s.n) {
			sheet_fault(b, 0, row, column, rep, "this quote is never closed");
			r = ERR_CONFIG;
			break;
		}
		/* Quotes fall away; doubled ones become one. What stands behind the closing quote is kept. */
		bool inside = quoted;
		for (size_t k = i + quoted; k < end && n <= SHEET_MAX_CELL; k++) {
			if (inside && s.p[k] == '"') {
				if (k + 1 == end || s.p[k + 1] != '"') {
					inside = false;
					continue;
				}
				k++;
			}
			cell[n++] = s.p[k];
		}
		r = sheet_put(b, row, column, (struct span){ cell, n }, rep);
		i = end;
		if (i < s.n && s.p[i] == (uint8_t)b->delimiter) {
			column++;
		} else {
			row++;
			column = 1;
		}
	}
	free(cell);
	return r;
}

int sheet_read_csv(struct span bytes, const char *file, struct sheet_book **ret, struct conf_report *rep)
{
	struct sheet_book *b = sheet_new(file);
	if (!b)
		return -ENOMEM;
	struct span text = { 0 };
	int r = 0;
	if (bytes.n > SHEET_MAX_FILE) {
		sheet_fault(b, 0, 0, 0, rep, "is larger than %d MiB", SHEET_MAX_FILE >> 20);
		r = ERR_CONFIG;
	}
	if (!r)
		r = encoding_text(bytes, file, &text, &b->encoding, &b->dropped, rep);
	if (!r)
		r = sheet_add(b, (struct span){ 0 }, rep);
	if (!r)
		r = read_cells(b, text, rep);
	if (!r)
		r = sheet_sort(b, rep);
	free((void *)(uintptr_t)text.p);
	if (r) {
		sheet_free(b);
		return r == -ENOMEM ? r : ERR_CONFIG;
	}
	*ret = b;
	return 0;
}
