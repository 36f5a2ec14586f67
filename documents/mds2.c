/* MDS2 forms: where the questions and answers stand in sheets and texts. */
#include "documents/mds2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "documents/mds2_form.h"
#include "documents/words.h"

enum { COLUMNS = 64 };

/* ---- sheets ---- */

struct columns {
	uint32_t id, question, answer, note;    /* 0: none */
	bool own[COLUMNS + 1];          /* the form's own: references to other standards */
	size_t ids, answers;
	bool old;
	uint32_t first;                 /* row of the first question */
};

/* References that the form prints beside its questions. */
static bool is_reference(struct span p)
{
	return words_has(p, "iec tr 80001") || words_has(p, "nist sp 800") || words_has(p, "iso 27002") || words_has(p, "80001-2-2") ||
	       words_has(p, "iso/iec 27002");
}

static struct columns find_columns(const struct sheet_book *b, size_t sheet)
{
	struct columns r = { 0 };
	size_t n, new_ids[COLUMNS + 1] = { 0 }, old_ids[COLUMNS + 1] = { 0 }, answers[COLUMNS + 1] = { 0 }, refs[COLUMNS + 1] = { 0 };
	uint64_t lengths[COLUMNS + 1] = { 0 };
	char id[MDS2_ID], memory[WORDS_MAX], number[MDS2_ID];
	const struct sheet_cell *c = sheet_cells(b, sheet, &n);
	uint32_t heading_note = 0;
	for (size_t i = 0; i < n; i++) {
		if (c[i].column > COLUMNS || !mds2_id(sheet_text(b, &c[i]), id))
			continue;
		if (id[0] >= 'A' && id[1] >= 'A')
			new_ids[c[i].column] += mds2_known(id);
		else
			old_ids[c[i].column]++;
	}
	for (uint32_t k = 1; k <= COLUMNS; k++)
		if (new_ids[k] > r.ids) {
			r.ids = new_ids[k];
			r.id = k;
		}
	/* Numbers like 1-1 stand in many tables: they are questions only where the form is named. */
	for (uint32_t k = 1; k <= COLUMNS && r.ids < MDS2_LEAST; k++)
		if (old_ids[k] >= MDS2_LEAST && old_ids[k] > r.ids) {
			r.ids = old_ids[k];
			r.id = k;
			r.old = true;
		}
	if (!r.id)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (c[i].column > COLUMNS || c[i].column == r.id)
			continue;
		struct span text = sheet_text(b, &c[i]), p = words_plain(text, memory);
		bool question = mds2_id(sheet_at(b, sheet, c[i].row, r.id), id);
		if (!question) {
			r.own[c[i].column] = r.own[c[i].column] || is_reference(p);
			if (!heading_note && p.n < 24 && (words_has(p, "see note") || words_has(p, "note #") || words_has(p, "備考")))
				heading_note = c[i].column;
			continue;
		}
		if (!r.first)
			r.first = c[i].row;
		/* "See Note 1" is an answer's only where nothing else is. */
		answers[c[i].column] += words_answer(p) == WORDS_YES || words_answer(p) == WORDS_NO || words_answer(p) == WORDS_NA;
		refs[c[i].column] += mds2_form_ref(p, number)[0] != 0;
		lengths[c[i].column] += text.n;
	}
	for (uint32_t k = 1; k <= COLUMNS; k++)
		if (!r.own[k] && answers[k] > r.answers) {
			r.answers = answers[k];
			r.answer = k;
		}
	uint64_t longest = 0;
	for (uint32_t k = 1; k <= COLUMNS; k++)
		if (!r.own[k] && k != r.answer && lengths[k] > longest) {
			longest = lengths[k];
			r.question = k;
		}
	for (uint32_t k = 1; k <= COLUMNS; k++)
		if (!r.own[k] && k != r.answer && k != r.question && refs[k] && (!r.note || refs[k] > refs[r.note]))
			r.note = k;
	if (heading_note && heading_note != r.answer && heading_note != r.question && (!r.note || !refs[r.note]))
		r.note = heading_note;
	return r;
}

static bool names_form(const struct sheet_book *b, size_t sheet)
{
	size_t n;
	char memory[WORDS_MAX];
	const struct sheet_cell *c = sheet_cells(b, sheet, &n);
	for (size_t i = 0; i < n && i < 400; i++) {
		struct span p = words_plain(sheet_text(b, &c[i]), memory);
		if (words_has(p, "mds2") || words_has(p, "manufacturer disclosure statement") || words_has(p, "hn 1-2013"))
			return true;
	}
	return false;
}

bool mds2_sheet_is(const struct sheet_book *b, size_t sheet)
{
	struct columns c = find_columns(b, sheet);
	return c.ids >= MDS2_LEAST && c.answers * 4 >= c.ids && (!c.old || names_form(b, sheet));
}

const char *mds2_sheet_kind(const struct sheet_book *b, size_t sheet)
{
	return find_columns(b, sheet).old ? "mds2-2013" : "mds2-2019";
}

/* What stands in the columns that are none of the form's. */
static void read_rest(struct mds2_form *f, const struct columns *c, const struct sheet_book *b, size_t sheet, uint32_t row, const char *id)
{
	size_t n;
	const struct sheet_cell *cells = sheet_row(b, sheet, row, &n);
	for (size_t i = 0; i < n; i++) {
		uint32_t k = cells[i].column;
		char heading[32];
		if (k == c->id || k == c->question || k == c->answer || k == c->note || (k <= COLUMNS && c->own[k]))
			continue;
		(void)snprintf(heading, sizeof(heading), "column %u", (unsigned)k);
		mds2_form_column(f, heading, id, sheet_text(b, &cells[i]));
	}
}

/* A row without a question. */
static void read_between(struct mds2_form *f, const struct columns *c, const struct sheet_book *b, size_t sheet, uint32_t row,
			 bool *in_other, bool *after_heading)
{
	size_t n;
	char where[SHEET_WHERE], memory[WORDS_MAX];
	const struct sheet_cell *cells = sheet_row(b, sheet, row, &n);
	/* "Note 3" and its text, in whichever columns. */
	for (size_t i = 0; i < n; i++) {
		struct span label = sheet_text(b, &cells[i]), text = i + 1 < n ? sheet_text(b, &cells[i + 1]) : (struct span){ 0 };
		(void)sheet_where(b, sheet, row, cells[i].column, where);
		if (row > c->first && text.n && mds2_form_note(f, label, text, where)) {
			*in_other = false;
			for (size_t k = i + 2; k < n; k++)
				mds2_form_text(f, sheet_text(b, &cells[k]), sheet_where(b, sheet, row, cells[k].column, where));
			return;
		}
		/* "Note 3: text" in one cell */
		for (size_t k = 0; k < label.n && k < 12; k++)
			if (label.p[k] == ':' && row > c->first && mds2_form_note(f, (struct span){ label.p, k },
				span_trim(span_from(label, k + 1)),
			                                                          where)) {
				*in_other = false;
				return;
			}
	}
	bool described = *after_heading;
	*after_heading = false;
	for (size_t i = 0; i < n; i++) {
		struct span text = sheet_text(b, &cells[i]), p = words_plain(text, memory);
		bool other;
		(void)sheet_where(b, sheet, row, cells[i].column, where);
		if (is_reference(p) || (cells[i].column <= COLUMNS && c->own[cells[i].column]))
			continue;
		if (mds2_form_heading(text, &other)) {
			*in_other = other;
			*after_heading = true;
		} else if (*in_other) {
			if (span_eq(p, span_str("notes")) || span_eq(p, span_str("notes:")))
				*in_other = false;
			else
				mds2_form_other(f, text);
		} else if (described && cells[i].column == c->question) {
			described = false;      /* the form's own sentence about its chapter */
		} else if (p.n && !words_has(p, "question id") && !span_eq(p, span_str("question")) && !span_eq(p, span_str("see note")) &&
		           !words_has(p, "note #") && !span_eq(p, span_str("notes:")) && !words_has(p,
			"manufacturer disclosure statement") &&
		           !span_eq(p, span_str("answer"))) {
			/* Row 3 repeats maker, model, document and date by formulas. */
			bool repeats = false;
			static const char *const docs[] = { "DOC-1", "DOC-3", "DOC-4", "DOC-7" };
			for (size_t k = 0; k < sizeof(docs) / sizeof(docs[0]); k++)
				for (uint32_t r = c->first; r && r < c->first + 20 && !repeats; r++) {
					char id[MDS2_ID];
					repeats = row < c->first && mds2_id(sheet_at(b, sheet, r, c->id), id) && !strcmp(id, docs[k]) &&
						  span_eq(sheet_at(b, sheet, r, c->answer), text);
				}
			if (!repeats)
				mds2_form_text(f, text, where);
		}
	}
}

int mds2_read_sheet(struct draft *d, const struct sheet_book *b, size_t sheet, size_t source)
{
	struct columns c = find_columns(b, sheet);
	struct mds2_form *f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	size_t n;
	const struct sheet_cell *cells = sheet_cells(b, sheet, &n);
	bool in_other = false, after_heading = false;
	mds2_form_begin(f, d, source, c.old);
	for (size_t i = 0; i < n && !d->no_memory; i++) {
		struct mds2_line line = { .question = { 0 } };
		char where[SHEET_WHERE];
		uint32_t row = cells[i].row;
		if (i && cells[i - 1].row == row)
			continue;
		if (!mds2_id(sheet_at(b, sheet, row, c.id), line.id) || (!c.old && line.id[1] < 'A')) {
			read_between(f, &c, b, sheet, row, &in_other, &after_heading);
			continue;
		}
		after_heading = false;
		line.question = c.question ? sheet_at(b, sheet, row, c.question) : (struct span){ 0 };
		line.answer = c.answer ? sheet_at(b, sheet, row, c.answer) : (struct span){ 0 };
		line.note = c.note ? sheet_at(b, sheet, row, c.note) : (struct span){ 0 };
		line.where = sheet_where(b, sheet, row, c.answer, where);
		mds2_form_answer(f, &line);
		read_rest(f, &c, b, sheet, row, line.id);
	}
	int r = mds2_form_end(f);
	free(f);
	return r;
}

/* ---- text ---- */

static bool digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* One line off `text`. */
static struct span take_line(struct span *text)
{
	size_t n = 0;
	while (n < text->n && text->p[n] != '\n')
		n++;
	struct span line = { text->p, n };
	*text = span_from(*text, n + 1);
	return line;
}

/* The ID that a line begins with; the rest of it after the separator. */
static bool take_id(struct span *line, char id[static MDS2_ID])
{
	struct span s = span_trim(*line);
	size_t n = 0;
	while (n < s.n && n < MDS2_ID + 2 && s.p[n] != ',' && s.p[n] != ':' && s.p[n] != '\t' && s.p[n] != ' ' && s.p[n] != ';')
		n++;
	if (n == s.n || !mds2_id((struct span){ s.p, n }, id))
		return false;
	*line = span_trim(span_from(s, n + 1));
	return true;
}

static void count_ids(struct span text, size_t *ret_new, size_t *ret_old)
{
	char id[MDS2_ID];
	*ret_new = *ret_old = 0;
	while (text.n) {
		struct span line = take_line(&text);
		if (!take_id(&line, id))
			continue;
		if (id[1] >= 'A')
			*ret_new += mds2_known(id);
		else
			++*ret_old;
	}
}

static bool text_names_form(struct span text)
{
	char memory[WORDS_MAX];
	while (text.n) {
		struct span p = words_plain(take_line(&text), memory);
		if (words_has(p, "mds2") || words_has(p, "manufacturer disclosure statement") || words_has(p, "hn 1-2013"))
			return true;
	}
	return false;
}

bool mds2_text_is(struct span text)
{
	size_t now, old;
	count_ids(text, &now, &old);
	return now >= MDS2_LEAST || (old >= MDS2_LEAST && text_names_form(text));
}

const char *mds2_text_kind(struct span text)
{
	size_t now, old;
	count_ids(text, &now, &old);
	return now >= MDS2_LEAST ? "mds2-2019" : "mds2-2013";
}

static struct span without_quotes(struct span s)
{
	s = span_trim(s);
	return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? (struct span){ s.p + 1, s.n - 2 } : s;
}

/* Where the question ends: behind its closing quote, its tab, its question mark, or its first colon. */
static size_t question_end(struct span s, size_t *skip)
{
	*skip = 0;
	if (s.n && s.p[0] == '"')
		for (size_t i = 1; i < s.n; i++) {
			if (s.p[i] != '"')
				continue;
			if (i + 1 < s.n && s.p[i + 1] == '"')
				i++;
			else
				return i + 1;
		}
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\t')
			return i;
	for (size_t i = 0; i < s.n; i++) {
		size_t mark = s.p[i] == '?' ? 1 : i + 3 <= s.n && !memcmp(s.p + i, "？", 3) ? 3 : 0, k = i + mark;
		if (!mark)
			continue;
		while (k < s.n && (s.p[k] == ' ' || s.p[k] == ')' || s.p[k] == '"'))
			k++;
		if (k == s.n || s.p[k] == ':' || s.p[k] == ',' || s.p[k] == '_' || s.p[k] == ';')
			return k;
	}
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == ':')
			return i;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '_')
			return i;
	return s.n;
}

/* "Yes,Admin only", "N/A: none", "See Note 3": the answer's word, and what follows it. */
static void split_answer(struct span s, bool wants_text, struct mds2_line *l)
{
	static const char *const words[] = { "See Notes", "See Note", "Yes", "No", "N/A", "はい", "いいえ", "該当なし" };
	while (s.n && strchr(" :,;\t", s.p[0]))
		s = span_from(s, 1);
	while (s.n && strchr(" ,;\t", s.p[s.n - 1]))
		s.n--;
	l->answer = without_quotes(s);
	l->note = (struct span){ 0 };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !wants_text; i++) {
		size_t n = strlen(words[i]);
		if (s.n <= n || strncasecmp((const char *)s.p, words[i], n) || !strchr(",:;\t ", s.p[n]))
			continue;
		struct span rest = span_from(s, n);
		while (rest.n && strchr(" :,;\t", rest.p[0]))
			rest = span_from(rest, 1);
		/* "See Note 3" is one thing. */
		if (i < 2 && rest.n && digit(rest.p[0]))
			rest = s;
		l->answer = (struct span){ s.p, n };
		l->note = without_quotes(rest);
		return;
	}
}

static void end_line(struct mds2_form *f, const char *id, struct span rest, unsigned number)
{
	struct mds2_line l = { .question = { 0 } };
	char where[24];
	size_t skip, at;
	if (!id[0])
		return;
	memcpy(l.id, id, MDS2_ID);
	at = question_end(rest, &skip);
	l.question = without_quotes((struct span){ rest.p, at });
	bool wants_text = !strncmp(id, "DOC-", 4) && id[4] >= '1' && id[4] <= '7' && !id[5];
	split_answer(span_from(rest, at), wants_text, &l);
	(void)snprintf(where, sizeof(where), "line %u", number);
	l.where = where;
	mds2_form_answer(f, &l);
}

int mds2_read_text(struct draft *d, struct span text, size_t source)
{
	struct mds2_form *f = calloc(1, sizeof(*f));
	/* A question that is broken over lines is put together here. */
	uint8_t *joined = malloc(SHEET_MAX_CELL);
	if (!f || !joined) {
		free(f);
		free(joined);
		return -ENOMEM;
	}
	char id[MDS2_ID], last[MDS2_ID] = "";
	size_t n = 0;
	unsigned number = 0, began = 0;
	bool in_other = false, old = !strcmp(mds2_text_kind(text), "mds2-2013");
	mds2_form_begin(f, d, source, old);
	while (text.n && !d->no_memory) {
		struct span line = take_line(&text), rest = line;
		bool other;
		char where[24];
		number++;
		(void)snprintf(where, sizeof(where), "line %u", number);
		if (take_id(&rest, id) && (old ? id[1] < 'A' : id[1] >= 'A') && rest.n < SHEET_MAX_CELL) {
			end_line(f, last, (struct span){ joined, n }, began);
			memcpy(last, id, sizeof(last));
			if (rest.n)
				memcpy(joined, rest.p, rest.n);
			n = rest.n;
			began = number;
			in_other = false;
			continue;
		}
		line = span_trim(line);
		if (!line.n || mds2_form_heading(line, &other)) {
			end_line(f, last, (struct span){ joined, n }, began);
			last[0] = 0;
			in_other = line.n ? other : in_other;
			continue;
		}
		size_t colon = 0;
		while (colon < line.n && colon < 12 && line.p[colon] != ':')
			colon++;
		if (colon < line.n && line.p[colon] == ':' &&
		    mds2_form_note(f, (struct span){ line.p, colon }, span_trim(span_from(line, colon + 1)), where)) {
			end_line(f, last, (struct span){ joined, n }, began);
			last[0] = 0;
		} else if (in_other) {
			mds2_form_other(f, line);
		} else if (last[0] && n + 1 + line.n < SHEET_MAX_CELL) {
			joined[n++] = ' ';
			memcpy(joined + n, line.p, line.n);
			n += line.n;
		} else {
			mds2_form_text(f, line, where);
		}
	}
	end_line(f, last, (struct span){ joined, n }, began);
	int r = mds2_form_end(f);
	free(joined);
	free(f);
	return r;
}
