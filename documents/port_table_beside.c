/* port_table_beside.c -- what stands around a table of ports: footnotes, and what is said of the document itself. */
#include <string.h>

#include "documents/port_table_row.h"

struct port_table_footnote *port_table_beside_footnote(struct port_table *t, const char *mark)
{
	for (size_t i = 0; i < t->n_footnotes; i++)
		if (!strcmp(t->footnotes[i].mark, mark))
			return &t->footnotes[i];
	return NULL;
}

/* Lines that begin with a mark and stand alone in their row. */
void port_table_beside_gather(struct port_table *t)
{
	size_t n, in_row;
	const struct sheet_cell *c = sheet_cells(t->b, t->sheet, &n);
	for (size_t i = 0; i < n && t->n_footnotes < FOOTNOTES; i++) {
		const struct sheet_cell *row = sheet_row(t->b, t->sheet, c[i].row, &in_row);
		struct port_table_footnote f = { .text = sheet_text(t->b, &c[i]) };
		if (in_row > 2 || &c[i] != row)
			continue;
		words_lead_mark(&f.text, f.mark);
		/* The mark in one cell, the text in the next. */
		if (f.mark[0] && !f.text.n && in_row == 2)
			f.text = sheet_text(t->b, &row[1]);
		if (f.mark[0] && !port_table_beside_footnote(t, f.mark))
			t->footnotes[t->n_footnotes++] = f;
	}
}

/* What the lines around the table say of the document itself. */
struct label { const char *words; unsigned what; };
enum { L_DOC_ID, L_REVISION, L_DATE, L_MAKER, L_MODEL, L_TITLE };
static const struct label labels[] = {
	{ "document id|document no|document no.|document number|doc no|doc no.|doc id|文書番号|資料番号|ドキュメント番号|"
		"文書no", L_DOC_ID },
	{ "revision|rev|rev.|version|document revision|版|版数|改訂|改訂番号|改訂版|版番号", L_REVISION },
	{ "date|release date|issue date|issued|revision date|日付|発行日|作成日|改訂日|制定日", L_DATE },
	{ "manufacturer|maker|vendor|company|メーカー|製造販売業者|製造業者|製造元|会社名|製造販売元", L_MAKER },
	{ "model|product|product name|device|device model|型式|型名|機種|機種名|製品名|販売名|装置名|対象機種|"
		"対象製品", L_MODEL },
	{ "title|表題|標題", L_TITLE },
};

/* "第3版", "Rev. 3": of a plain text. */
static bool find_revision(struct span p, struct span *ret)
{
	static const char *const before[] = { "第", "rev.", "rev", "revision", "version", "ver.", "ver" };
	for (size_t i = 0; i < p.n; i++)
		for (size_t k = 0; k < sizeof(before) / sizeof(before[0]); k++) {
			size_t n = strlen(before[k]), at = i + n, digits = 0;
			if (i + n > p.n || memcmp(p.p + i, before[k], n) || (i && p.p[i - 1] >= 'a' && p.p[i - 1] <= 'z'))
				continue;
			while (at < p.n && p.p[at] == ' ')
				at++;
			while (at + digits < p.n && ((p.p[at + digits] >= '0' && p.p[at + digits] <= '9') || (digits &&
				p.p[at + digits] == '.')))
				digits++;
			if (digits && (k || (at + digits + 3 <= p.n && !memcmp(p.p + at + digits, "版", 3)))) {
				*ret = (struct span){ p.p + at, digits };
				return true;
			}
		}
	return false;
}

static bool fact(struct port_table *t, unsigned what, struct span value, const char *where)
{
	struct draft *d = t->d;
	struct draft_source *s = &d->sources[t->source];
	char memory[WORDS_MAX], date[WORDS_DATE];
	switch (what) {
	case L_DOC_ID: draft_fact(d, s->doc_id, sizeof(s->doc_id), "document", t->source, where, value); return true;
	case L_REVISION: draft_fact(d, s->revision, sizeof(s->revision), "revision", t->source, where, value); return true;
	case L_MAKER: draft_fact(d, d->maker, sizeof(d->maker), "manufacturer", t->source, where, value); return true;
	case L_MODEL: draft_fact(d, d->model, sizeof(d->model), "model", t->source, where, value); return true;
	case L_TITLE: draft_fact(d, s->title, sizeof(s->title), "title", t->source, where, value); return true;
	default:
		if (!words_find_date(words_plain(value, memory), date))
			return false;
		draft_fact(d, s->date, sizeof(s->date), "date", t->source, where, span_str(date));
		/* "令和6年3月1日（第3版）" */
		if (find_revision(words_plain(value, memory), &value))
			draft_fact(d, s->revision, sizeof(s->revision), "revision", t->source, where, value);
		return true;
	}
}

int port_table_beside_label(struct span text)
{
	char memory[WORDS_MAX];
	struct span p = words_plain(text, memory);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		for (const char *w = labels[i].words; *w;) {
			size_t n = strcspn(w, "|");
			if (p.n == n && !memcmp(p.p, w, n))
				return (int)labels[i].what;
			w += n + (w[n] == '|');
		}
	return -1;
}

static bool says_exhaustive(struct span p)
{
	static const char *const words[] = { "no other ports", "no other open ports", "all other ports are closed", "exhaustive list",
		                             "上記以外のポートは使用しない",
			"上記以外のポートは使用しません", "記載以外のポートは使用しない",
		                             "記載以外のポートは使用しません",
			"これ以外のポートは使用しない", "これ以外のポートは使用しません",
		                             "上記以外のポートは閉じ" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words_has(p, words[i]))
			return true;
	return false;
}

/* A row outside the table. */
void port_table_beside_read(struct port_table *t, uint32_t number)
{
	size_t n;
	const struct sheet_cell *c = sheet_row(t->b, t->sheet, number, &n);
	char where[SHEET_WHERE], memory[WORDS_MAX], date[WORDS_DATE], mark[WORDS_MARK];
	for (size_t i = 0; i < n; i++) {
		struct span text = sheet_text(t->b, &c[i]), inside = text, lead = text;
		(void)sheet_where(t->b, t->sheet, number, c[i].column, where);
		int label = port_table_beside_label(text);
		if (label >= 0 && i + 1 < n && fact(t, (unsigned)label, sheet_text(t->b, &c[i + 1]), where)) {
			i++;
			continue;
		}
		/* "文書番号：IFU-1" in one cell */
		for (size_t k = 0; k < text.n; k++) {
			size_t colon = text.p[k] == ':' ? 1 : k + 3 <= text.n && !memcmp(text.p + k, "：", 3) ? 3 : 0;
			if (!colon)
				continue;
			label = port_table_beside_label((struct span){ text.p, k });
			inside = span_trim(span_from(text, k + colon));
			break;
		}
		if (label >= 0 && inside.n && inside.p != text.p && fact(t, (unsigned)label, inside, where))
			continue;
		words_lead_mark(&lead, mark);
		if (mark[0] && port_table_beside_footnote(t, mark)) {
			if (!lead.n)
				i++;    /* its text stands in the next cell */
			continue;
		}
		struct span p = words_plain(text, memory), revision;
		struct draft_source *s = &t->d->sources[t->source];
		if (says_exhaustive(p)) {
			(void)snprintf(t->d->completeness, sizeof(t->d->completeness), "exhaustive");
			draft_say(t->d, DRAFT_SAY_FACT, t->source, where, text, "completeness", "exhaustive");
		}
		if (!s->date[0] && words_find_date(p, date))
			draft_fact(t->d, s->date, sizeof(s->date), "date", t->source, where, span_str(date));
		if (!s->revision[0] && find_revision(p, &revision))
			draft_fact(t->d, s->revision, sizeof(s->revision), "revision", t->source, where, revision);
		draft_say(t->d, DRAFT_SAY_TEXT, t->source, where, text, NULL, NULL);
		struct conf_node *e = draft_map(t->d, draft_kept(t->d, t->source, "text"), NULL);
		(void)draft_text(t->d, e, "at", span_str(where), 0);
		(void)draft_text(t->d, e, "text", text, 0);
	}
}
