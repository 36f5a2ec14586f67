#include "cli/table.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/buf.h"
#include "core/utf8.h"

enum {
	CELL_BYTES = 1024,
	GAP = 2,
	NARROW = 24,            /* columns: a last column with less is continued under the row instead of beside it */
	INDENT = 4,
	LINES = 8,              /* of one cell; what is longer ends in an ellipsis */
};

struct table {
	struct out *out;
	const struct table_column *columns;
	size_t n;
	bool color, started;
	unsigned width;
	size_t widths[TABLE_MAX_COLUMNS];
	struct table_cell *held;        /* rows of n cells; the texts are ours */
	size_t rows;
};

/* East Asian Wide and Fullwidth (Unicode 15, UAX 11), in the blocks that names and notes are written in. */
static bool is_wide(uint32_t c)
{
	static const struct { uint32_t lo, hi; } wide[] = {
		{ 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0x33ff }, { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff },
		{ 0xa000, 0xa4cf }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 },
		{ 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
	};
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		if (c >= wide[i].lo && c <= wide[i].hi)
			return true;
	return false;
}

/* Combining marks of the same blocks take no column of their own. */
static bool is_combining(uint32_t c)
{
	return (c >= 0x0300 && c <= 0x036f) || (c >= 0x3099 && c <= 0x309a) || (c >= 0x200b && c <= 0x200d) ||
	       (c >= 0xfe00 && c <= 0xfe0f);
}

/* Escapes up to `limit` columns into `out` (NULL: only counts); says whether all of it fitted. */
static size_t escape(struct span text, size_t limit, struct buf *out, bool *ret_whole)
{
	size_t columns = 0;
	*ret_whole = true;
	while (text.n) {
		uint32_t cp = 0;
		int n = utf8_next(text, &cp);
		bool bad = n <= 0 || utf8_is_control(cp);
		size_t used = (size_t)(n < 0 ? -n : n), wide = bad ? 1 : is_combining(cp) ? 0 : is_wide(cp) ? 2 : 1;
		if (columns + wide > limit) {
			*ret_whole = false;
			return columns;
		}
		if (out)
			(void)buf_put(out, bad ? "\xef\xbf\xbd" : (const char *)text.p, bad ? 3 : used);
		columns += wide;
		text = span_from(text, used);
	}
	return columns;
}

size_t table_width(struct span text)
{
	bool whole;
	return escape(text, SIZE_MAX, NULL, &whole);
}

unsigned table_terminal_width(int fd)
{
	struct winsize w;
	return ioctl(fd, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

bool table_wants_color(const char *option, bool terminal)
{
	if (option && !strcmp(option, "always"))
		return true;
	if (option && !strcmp(option, "never"))
		return false;
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return terminal && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

struct table *table_new(struct out *out, const struct table_column *columns, size_t n, bool color, unsigned width)
{
	if (n == 0 || n > TABLE_MAX_COLUMNS)
		return NULL;
	struct table *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	*t = (struct table){ .out = out, .columns = columns, .n = n, .color = color, .width = width };
	t->held = calloc(TABLE_HELD_ROWS * n, sizeof(t->held[0]));
	if (!t->held) {
		free(t);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		t->widths[i] = table_width(span_str(columns[i].title));
	return t;
}

static void put_spaces(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)buf_u8(b, ' ');
}

/* Bytes of `text` that stand in `limit` columns: all, or up to the last blank, or (Japanese has none) what fits. */
static size_t line_of(struct span text, size_t limit)
{
	size_t columns = 0, at = 0, blank = 0;
	while (at < text.n) {
		uint32_t cp = 0;
		int n = utf8_next(span_from(text, at), &cp);
		bool bad = n <= 0 || utf8_is_control(cp);
		size_t used = (size_t)(n < 0 ? -n : n), wide = bad ? 1 : is_combining(cp) ? 0 : is_wide(cp) ? 2 : 1;
		if (columns + wide > limit)
			return blank ? blank : at ? at : used;
		if (cp == ' ' && at)
			blank = at;
		columns += wide;
		at += used;
	}
	return at;
}

/* The last cell, over as many lines as it needs: in its column, or under the row when that is narrow. The cells before
 * it are what people copy, and stay whole. */
static void print_last(struct table *t, struct buf *line, const struct table_cell *c, const char *paint, size_t at)
{
	struct span text = c->text;
	bool whole, beside = !t->width || t->width >= at + NARROW;
	size_t limit = !t->width ? SIZE_MAX : beside ? t->width - at : t->width > INDENT + NARROW ? t->width - INDENT : NARROW;
	(void)escape(text, t->width > at ? t->width - at : !t->width ? SIZE_MAX : 0, NULL, &whole);
	for (unsigned n = 0; text.n; n++) {
		if ((n || !beside) && !(n == 0 && whole)) {
			while (line->len && line->data[line->len - 1] == ' ')
				line->len--;
			(void)buf_u8(line, '\n');
			put_spaces(line, beside ? at : INDENT);
		}
		bool final = n + 1 == LINES;
		size_t take = n == 0 && whole ? text.n : final ? text.n : line_of(text, limit);
		(void)buf_str(line, paint);
		(void)escape((struct span){ text.p, take }, final && line_of(text, limit) < text.n ? limit - 1 : SIZE_MAX, line, &whole);
		if (!whole)
			(void)buf_str(line, "\xe2\x80\xa6");
		if (*paint)
			(void)buf_str(line, "\033[0m");
		text = span_from(text, take);
		while (text.n && text.p[0] == ' ')
			text = span_from(text, 1);
		whole = false;
	}
}

/* Where the row goes on under itself: the columns before this one fill the terminal. */
static size_t break_line(struct buf *line)
{
	while (line->len && line->data[line->len - 1] == ' ')
		line->len--;
	(void)buf_u8(line, '\n');
	put_spaces(line, INDENT);
	return INDENT;
}

static void print(struct table *t, const struct table_cell *cells)
{
	static const char *const codes[] = { "", "\033[1m", "\033[31m", "\033[33m", "\033[32m", "\033[2m" };
	char mem[TABLE_MAX_COLUMNS * (CELL_BYTES * 3 + 300) + LINES * 300];
	struct buf line = buf_over(mem, sizeof(mem));
	size_t at = 0;
	for (size_t i = 0; i < t->n; i++) {
		bool last = i + 1 == t->n, whole;
		const struct table_cell *c = &cells[i];
		const char *paint = t->color && c->text.n ? codes[c->color] : "";
		if (last && !t->columns[i].right) {
			print_last(t, &line, c, paint, at);
			break;
		}
		size_t limit = t->width > INDENT + NARROW ? t->width - INDENT : SIZE_MAX;
		size_t have = escape(c->text, SIZE_MAX, NULL, &whole), cut = have > limit ? limit - 1 : SIZE_MAX;
		have = have > limit ? limit : have;
		size_t pad = t->widths[i] > have ? t->widths[i] - have : 0;
		if (pad > 256)
			pad = 256;
		if (have + pad > limit)
			pad = limit - have;
		/* By the column, not by the cell: every row goes on with the same one. */
		if (limit != SIZE_MAX && at > INDENT && at + have + pad > t->width)
			at = break_line(&line);
		if (t->columns[i].right)
			put_spaces(&line, pad);
		(void)buf_str(&line, paint);
		(void)escape(c->text, cut, &line, &whole);
		if (!whole)
			(void)buf_str(&line, "\xe2\x80\xa6");
		if (*paint)
			(void)buf_str(&line, "\033[0m");
		if (!t->columns[i].right)
			put_spaces(&line, pad);
		if (!last)
			put_spaces(&line, GAP);
		at += have + pad + GAP;
	}
	/* Cells that end in padding alone leave no blanks at the end of the line. */
	while (line.len && line.data[line.len - 1] == ' ')
		line.len--;
	(void)buf_u8(&line, '\n');
	out_put(t->out, buf_span(&line));
}

static void print_head(struct table *t)
{
	struct table_cell head[TABLE_MAX_COLUMNS];
	for (size_t i = 0; i < t->n; i++)
		head[i] = (struct table_cell){ span_str(t->columns[i].title), TABLE_BOLD };
	print(t, head);
	t->started = true;
}

static void print_held(struct table *t)
{
	if (!t->started && t->rows)
		print_head(t);
	for (size_t i = 0; i < t->rows; i++)
		print(t, &t->held[i * t->n]);
	for (size_t i = 0; i < t->rows * t->n; i++) {
		free((void *)(uintptr_t)t->held[i].text.p);
		t->held[i] = (struct table_cell){ 0 };
	}
	t->rows = 0;
}

int table_row(struct table *t, const struct table_cell *cells)
{
	if (t->started) {
		print(t, cells);
		return 0;
	}
	struct table_cell *row = &t->held[t->rows * t->n];
	for (size_t i = 0; i < t->n; i++) {
		size_t n = cells[i].text.n < CELL_BYTES ? cells[i].text.n : CELL_BYTES;
		uint8_t *copy = malloc(n + 1);
		if (!copy) {
			for (size_t k = 0; k < i; k++)
				free((void *)(uintptr_t)row[k].text.p);
			return -ENOMEM;
		}
		if (n)
			memcpy(copy, cells[i].text.p, n);
		row[i] = (struct table_cell){ { copy, n }, cells[i].color };
		size_t width = table_width(row[i].text);
		if (width > t->widths[i])
			t->widths[i] = width;
	}
	if (++t->rows == TABLE_HELD_ROWS)
		print_held(t);
	return 0;
}

void table_end(struct table *t) { print_held(t); }

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->rows * t->n; i++)
		free((void *)(uintptr_t)t->held[i].text.p);
	free(t->held);
	free(t);
}
