#include "documents/mds2_form.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "documents/words.h"

static const struct { const char *code, *numbers; } chapters[] = {
#define MDS2_CHAPTER(code_, numbers_) { code_, numbers_ },
#include "documents/mds2_2019.def"
#undef MDS2_CHAPTER
};
static const struct { const char *id, *words; } older[] = {
#define MDS2_2013(id_, words_) { id_, words_ },
#include "documents/mds2_2013.def"
#undef MDS2_2013
};

enum { MAX_ANSWERS = 2000 };

/* ---- questions ---- */

static bool digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* Numbers with dots: "1.1.2". */
static size_t dotted(struct span s)
{
	size_t n = 0;
	while (n < s.n && (digit(s.p[n]) || (n && s.p[n] == '.' && n + 1 < s.n && digit(s.p[n + 1]))))
		n++;
	return n;
}

bool mds2_id(struct span text, char ret[static MDS2_ID])
{
	char memory[WORDS_MAX];
	struct span p = words_plain(text, memory);
	size_t letters = 0, n;
	if (!p.n || p.n >= MDS2_ID)
		return false;
	while (p.n && (p.p[p.n - 1] == '.' || p.p[p.n - 1] == ':'))
		p.n--;
	while (letters < p.n && p.p[letters] >= 'a' && p.p[letters] <= 'z')
		letters++;
	/* 2013: "15-7", "18-2.1"; "A", "B.2" */
	size_t first = letters ? letters : dotted(p);
	struct span rest = span_from(p, first);
	while (rest.n && rest.p[0] == ' ')
		rest = span_from(rest, 1);
	bool fits;
	if (letters == 1)
		fits = p.p[0] <= 'd' && (!rest.n || (rest.p[0] == '.' && rest.n > 1 && dotted(span_from(rest, 1)) == rest.n - 1));
	else {
		if ((letters && letters != 3 && letters != 4) || (!letters && (first > 2 || !first)) || rest.n < 2 || rest.p[0] != '-')
			return false;
		for (rest = span_from(rest, 1); rest.n && rest.p[0] == ' ';)
			rest = span_from(rest, 1);
		fits = rest.n && dotted(rest) == rest.n;
	}
	if (!fits)
		return false;
	n = first;
	memcpy(ret, p.p, first);
	if (letters != 1)
		ret[n++] = '-';
	memcpy(ret + n, rest.p ? rest.p : p.p, rest.n);
	ret[n + rest.n] = 0;
	for (size_t i = 0; i < letters; i++)
		ret[i] = (char)(ret[i] - 32);
	return true;
}

/* Its place in the form of 2019; -1. */
static int place_of(const char *id)
{
	int at = 0;
	/* What SHAD-15 was meant to be. */
	const char *want = strcmp(id, "SAHD-15") ? id : "SHAD-15";
	for (size_t i = 0; i < sizeof(chapters) / sizeof(chapters[0]); i++) {
		size_t n = strlen(chapters[i].code);
		bool here = !strncmp(want, chapters[i].code, n) && want[n] == '-';
		for (const char *w = chapters[i].numbers; *w; at++) {
			size_t k = strcspn(w, " ");
			if (here && strlen(want + n + 1) == k && !memcmp(want + n + 1, w, k))
				return at;
			w += k + (w[k] == ' ');
		}
	}
	return -1;
}

bool mds2_known(const char *id) { return place_of(id) >= 0; }

bool mds2_form_blank(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '_' && text.p[i] != ' ' && text.p[i] != '\n')
			return false;
	return true;
}

const char *mds2_form_ref(struct span p, char ret[static MDS2_ID])
{
	static const char *const before[] = { "see notes", "see note", "notes", "note", "備考", "注記", "注", "#", "" };
	ret[0] = 0;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		size_t n = strlen(before[i]), k = 0;
		if (p.n < n || (n && memcmp(p.p, before[i], n)))
			continue;
		struct span rest = span_from(p, n);
		while (rest.n && (rest.p[0] == ' ' || rest.p[0] == '#' || rest.p[0] == '.'))
			rest = span_from(rest, 1);
		while (k < rest.n && k < 3 && digit(rest.p[k]))
			k++;
		if (k && k == rest.n) {
			memcpy(ret, rest.p, k);
			ret[k] = 0;
		}
		break;
	}
	return ret;
}

bool mds2_form_heading(struct span text, bool *ret_other)
{
	char memory[WORDS_MAX];
	struct span p = words_plain(text, memory);
	*ret_other = words_has(p, "(othr)");
	if (*ret_other)
		return true;
	for (size_t i = 0; i < sizeof(chapters) / sizeof(chapters[0]); i++) {
		char word[8] = "(";
		size_t n = strlen(chapters[i].code);
		for (size_t k = 0; k < n; k++)
			word[k + 1] = (char)(chapters[i].code[k] + 32);
		(void)snprintf(word + n + 1, sizeof(word) - n - 1, ")");
		if (words_has(p, word))
			return true;
	}
	return words_has(p, "management of personally identifiable information") || words_has(p, "management of private data");
}

/* ---- the form ---- */

void mds2_form_begin(struct mds2_form *f, struct draft *d, size_t source, bool old)
{
	*f = (struct mds2_form){ .d = d, .source = source, .old = old };
	f->second = conf_get(d->root, "mds2") != NULL;
	f->form = f->second ? draft_map(d, draft_extensions(d, source), "mds2") : draft_map(d, d->root, "mds2");
	(void)draft_text(d, f->form, "form", span_str(old ? "HN 1-2013" : "HN 1-2019"), 0);
	(void)draft_text(d, draft_list(d, f->form, "sources"), NULL, span_str(d->sources[source].id), 64);
	f->answers = draft_map(d, f->form, "answers");
}

static const char *const words[] = { [WORDS_NOTHING] = "unknown", [WORDS_YES] = "yes", [WORDS_NO] = "no", [WORDS_NA] = "na",
	                             [WORDS_SEE_NOTE] = "see_note" };

/* "Yes", and "Yes, optional": what stands behind the word is in `rest`. */
static enum words_answer read_answer(struct span p, struct span *rest)
{
	static const struct { const char *word; enum words_answer means; } begin[] = {
		{ "yes", WORDS_YES }, { "no", WORDS_NO }, { "n/a", WORDS_NA }, { "see notes", WORDS_SEE_NOTE }, { "see note",
			WORDS_SEE_NOTE },
		{ "はい", WORDS_YES }, { "いいえ", WORDS_NO }, { "該当なし", WORDS_NA },
	};
	*rest = (struct span){ 0 };
	enum words_answer a = words_answer(p);
	for (size_t i = 0; !a && i < sizeof(begin) / sizeof(begin[0]); i++) {
		size_t n = strlen(begin[i].word);
		if (p.n > n && !memcmp(p.p, begin[i].word, n) && strchr(" ,;:(.-", p.p[n])) {
			a = begin[i].means;
			*rest = span_from(p, n);
		}
	}
	return a;
}

static void refer(struct mds2_form *f, const char *number, const char *where)
{
	for (size_t i = 0; i < f->n_refs; i++)
		if (!strcmp(f->refs[i], number))
			return;
	if (!number[0] || f->n_refs == sizeof(f->refs) / sizeof(f->refs[0]))
		return;
	memcpy(f->refs[f->n_refs], number, MDS2_ID);
	(void)snprintf(f->ref_at[f->n_refs++], SHEET_WHERE, "%s", where);
}

static void interface(struct mds2_form *f, const char *id, const char *a)
{
	static const struct { const char *id, *type; bool seen; } table[] = {
		{ "CONN-1.1.1", "wifi", true }, { "CONN-1.1.2", "bluetooth", false }, { "CONN-1.1.3", "wireless-network", false },
		{ "CONN-1.1.4", "radio", false }, { "CONN-1.2.1", "ethernet", true }, { "CONN-1.2.2", "usb", false },
		{ "CONN-1.2.3", "removable-memory", false }, { "CONN-1.2.4", "other", false },
	};
	struct draft *d = f->d;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].id, id))
			continue;
		if (!d->interfaces)
			d->interfaces = draft_list(d, d->root, "interfaces");
		struct conf_node *n = draft_map(d, d->interfaces, NULL);
		(void)draft_text(d, n, "type", span_str(table[i].type), 0);
		(void)draft_text(d, n, "present", span_str(a), 0);
		(void)conf_make_plain(d->doc, n, span_str("monitorable"), table[i].seen ? "true" : "false", NULL);
		(void)draft_text(d, n, "mds2", span_str(id), 0);
		(void)draft_text(d, draft_list(d, n, "sources"), NULL, span_str(d->sources[f->source].id), 64);
		(void)draft_text(d, n, "row", span_str(id), 0);
	}
}

static void put_once(struct mds2_form *f, const char *map, const char *key, struct span text)
{
	struct draft *d = f->d;
	struct conf_node *n = (struct conf_node *)(uintptr_t)conf_get(d->root, map);
	if (!n)
		n = draft_map(d, d->root, map);
	if (!conf_get(n, key))
		(void)draft_text(d, n, key, text, 1000);
}

/* What the form says of device and document. */
static void doc_fact(struct mds2_form *f, const char *id, struct span text, const char *date, const char *where)
{
	struct draft *d = f->d;
	struct draft_source *s = &d->sources[f->source];
	if (!strcmp(id, "DOC-1"))
		draft_fact(d, d->maker, sizeof(d->maker), "manufacturer", f->source, where, text);
	else if (!strcmp(id, "DOC-2"))
		put_once(f, "clinical", "function", text);
	else if (!strcmp(id, "DOC-3"))
		draft_fact(d, d->model, sizeof(d->model), "model", f->source, where, text);
	else if (!strcmp(id, "DOC-4"))
		draft_fact(d, s->doc_id, sizeof(s->doc_id), "document", f->source, where, text);
	else if (!strcmp(id, "DOC-6"))
		put_once(f, "intended_environment", "network", text);
	else if (!strcmp(id, "DOC-7") && date[0])
		draft_fact(d, s->date, sizeof(s->date), "date", f->source, where, span_str(date));
	else if (!strcmp(id, "DOC-5")) {
		struct conf_node *m = (struct conf_node *)(uintptr_t)conf_get(d->root, "manufacturer");
		if (!m)
			m = draft_map(d, d->root, "manufacturer");
		struct conf_node *c = (struct conf_node *)(uintptr_t)conf_get(m, "contacts");
		if (!c)
			c = draft_map(d, m, "contacts");
		if (!conf_get(c, "inquiry"))
			(void)draft_text(d, draft_map(d, c, "inquiry"), "text", text, 1000);
	}
}

/* The same question in another form that was read before. */
static void compare(struct mds2_form *f, const char *id, const char *a, struct span printed, const char *where)
{
	const struct conf_node *before = conf_get(conf_get(conf_get(f->d->root, "mds2"), "answers"), id);
	struct span was = conf_text(conf_get(before, "a"), "");
	if (before && f->second && !span_eq(was, span_str(a))) {
		char both[128];
		(void)snprintf(both, sizeof(both), "%.*s / %.40s", (int)(was.n < 40 ? was.n : 40), (const char *)was.p, a);
		draft_say(f->d, DRAFT_SAY_SOURCES_DIFFER, f->source, where, printed, id, both);
	}
}

static void put_older(struct mds2_form *f, const struct mds2_line *l, const char *a)
{
	struct draft *d = f->d;
	char memory[WORDS_MAX], ref[64];
	struct span q = words_plain(l->question, memory);
	for (size_t i = 0; i < sizeof(older) / sizeof(older[0]); i++) {
		bool all = true;
		for (const char *w = older[i].words; *w && all;) {
			char word[64];
			size_t n = strcspn(w, "|");
			(void)snprintf(word, sizeof(word), "%.*s", (int)n, w);
			all = words_has(q, word);
			w += n + (w[n] == '|');
		}
		if (!all || conf_get(f->answers, older[i].id))
			continue;
		(void)snprintf(ref, sizeof(ref), "HN 1-2013 %s", l->id);
		struct conf_node *n = draft_map(d, f->answers, older[i].id);
		(void)draft_text(d, n, "a", span_str(a), 0);
		(void)draft_text(d, n, "ref", span_str(ref), 0);
		return;
	}
	draft_say(d, DRAFT_SAY_UNMAPPED, f->source, l->where, l->question, l->id, NULL);
}

void mds2_form_answer(struct mds2_form *f, const struct mds2_line *l)
{
	struct draft *d = f->d;
	char memory[WORDS_MAX], number[MDS2_ID], date[WORDS_DATE] = "", text[600];
	struct span p = words_plain(l->answer, memory), rest;
	int place = f->old ? -1 : place_of(l->id);
	bool blank = mds2_form_blank(l->answer);
	/* DOC-1 to DOC-7 ask for a text. */
	bool wants_text = !f->old && !strncmp(l->id, "DOC-", 4) && l->id[4] >= '1' && l->id[4] <= '7' && !l->id[5];
	enum words_answer said = blank || wants_text ? WORDS_NOTHING : read_answer(p, &rest);
	bool canonical = span_eq(l->answer, span_str("Yes")) || span_eq(l->answer, span_str("No")) || span_eq(l->answer, span_str("N/A")) ||
			 span_eq(l->answer, span_str("See Notes"));
	const char *a = words[said];
	(void)snprintf(text, sizeof(text), "%.*s", (int)(l->answer.n < 590 ? l->answer.n : 0), l->answer.n ?
		(const char *)l->answer.p : "");
	if (!strcmp(l->id, "DOC-7") && !words_date(p, date))
		(void)words_serial_date(p, date);

	/* Answers are looked up one by one, and no form has a tenth of these. */
	if (f->n == MAX_ANSWERS) {
		if (!f->full)
			draft_say(d, DRAFT_SAY_TOO_MANY, f->source, l->where, l->answer, "2000", NULL);
		f->full = true;
		return;
	}
	const struct conf_node *twice = conf_get(f->answers, l->id);
	if (twice) {
		struct span was = conf_text(conf_get(twice, "a"), "");
		if (!span_eq(was, said || blank ? span_str(a) : l->answer))
			draft_say(d, DRAFT_SAY_TWICE, f->source, l->where, l->answer, l->id, blank ? "" : text);
		struct conf_node *again = draft_map(d, draft_kept(d, f->source, "answered_twice"), NULL);
		(void)draft_text(d, again, "id", span_str(l->id), 0);
		(void)draft_text(d, again, "answer", l->answer, 0);
		(void)draft_text(d, again, "note", l->note, 0);
		(void)draft_text(d, again, "at", span_str(l->where), 0);
		return;
	}
	struct conf_node *n = draft_map(d, f->answers, l->id);
	if (date[0])
		(void)draft_text(d, n, "a", span_str(date), 0);
	else if (said || blank)
		(void)draft_text(d, n, "a", span_str(a), 0);
	else
		(void)draft_text(d, n, "a", l->answer, 0);
	if (l->answer.n && ((said && !canonical) || (blank && l->answer.n) || (date[0] && !span_eq(l->answer, span_str(date)))))
		(void)draft_text(d, n, "raw", l->answer, 0);
	/* "Yes, see note 3" */
	if (said && rest.n) {
		while (rest.n && strchr(" ,;:(.-", rest.p[0]))
			rest = span_from(rest, 1);
		while (rest.n && rest.p[rest.n - 1] == ')')
			rest.n--;
		refer(f, mds2_form_ref(rest, number), l->where);
	}
	if (!mds2_form_blank(l->note)) {
		struct span q = words_plain(l->note, memory);
		bool ref = mds2_form_ref(q, number)[0] || words_answer(q) == WORDS_SEE_NOTE;
		refer(f, number, l->where);
		(void)draft_text(d, n, ref && l->note.n < 1000 ? "ref" : "note", l->note, 0);
	}
	f->n++;
	f->yes += said == WORDS_YES;
	f->no += said == WORDS_NO;
	f->na += said == WORDS_NA;
	f->blank += blank;
	f->other += !blank && said != WORDS_YES && said != WORDS_NO && said != WORDS_NA;
	if (place >= 0)
		f->have[place] = true;
	else if (!f->old)
		draft_say(d, DRAFT_SAY_UNKNOWN_ID, f->source, l->where, l->answer, l->id, NULL);
	if (blank && mds2_form_blank(l->note))
		draft_say(d, DRAFT_SAY_EMPTY_ANSWER, f->source, l->where, l->answer, l->id, NULL);
	else if (!said && !blank && !wants_text)
		draft_say(d, DRAFT_SAY_ODD_ANSWER, f->source, l->where, l->answer, l->id, NULL);
	else
		draft_say(d, DRAFT_SAY_ANSWER, f->source, l->where, l->answer, l->id, date[0] ? date : said ? a : text);
	compare(f, l->id, date[0] ? date : said || blank ? a : text, l->answer, l->where);
	if (f->old)
		put_older(f, l, a);
	else if (wants_text && !blank)
		doc_fact(f, l->id, l->answer, date, l->where);
	else if (said)
		interface(f, l->id, a);
}

bool mds2_form_note(struct mds2_form *f, struct span label, struct span text, const char *where)
{
	char memory[WORDS_MAX], number[MDS2_ID], key[32];
	struct span p = words_plain(label, memory);
	while (p.n && (p.p[p.n - 1] == ':' || p.p[p.n - 1] == '.'))
		p.n--;
	if (!p.n || (p.p[0] >= '0' && p.p[0] <= '9') || !mds2_form_ref(p, number)[0])
		return false;
	if (!f->notes)
		f->notes = draft_map(f->d, f->form, "notes");
	(void)snprintf(key, sizeof(key), "Note %s", number);
	if (conf_get(f->notes, key)) {
		draft_say(f->d, DRAFT_SAY_TWICE, f->source, where, text, key, NULL);
		(void)draft_text(f->d, draft_kept(f->d, f->source, "notes_again"), NULL, text, 0);
		return true;
	}
	(void)draft_text(f->d, f->notes, key, text, 0);
	return true;
}

void mds2_form_other(struct mds2_form *f, struct span text)
{
	if (mds2_form_blank(text))
		return;
	if (!conf_get(f->form, "other"))
		(void)draft_text(f->d, f->form, "other", text, 0);
	else
		(void)draft_text(f->d, draft_kept(f->d, f->source, "other"), NULL, text, 0);
}

void mds2_form_text(struct mds2_form *f, struct span text, const char *where)
{
	if (mds2_form_blank(text))
		return;
	struct conf_node *e = draft_map(f->d, draft_kept(f->d, f->source, "text"), NULL);
	(void)draft_text(f->d, e, "at", span_str(where), 0);
	(void)draft_text(f->d, e, "text", text, 0);
	draft_say(f->d, DRAFT_SAY_TEXT, f->source, where, text, NULL, NULL);
}

void mds2_form_column(struct mds2_form *f, const char *heading, const char *id, struct span text)
{
	struct conf_node *e = draft_extensions(f->d, f->source);
	struct conf_node *all = (struct conf_node *)(uintptr_t)conf_get(e, "columns");
	if (!all)
		all = draft_map(f->d, e, "columns");
	struct conf_node *one = (struct conf_node *)(uintptr_t)conf_get(all, heading);
	if (!one) {
		one = draft_map(f->d, all, heading);
		draft_say(f->d, DRAFT_SAY_COLUMN, f->source, heading, text, NULL, NULL);
	}
	if (!conf_get(one, id))
		(void)draft_text(f->d, one, id, text, 0);
}

int mds2_form_end(struct mds2_form *f)
{
	struct draft *d = f->d;
	char count[24], list[256];
	for (size_t i = 0; i < f->n_refs; i++) {
		char key[32];
		(void)snprintf(key, sizeof(key), "Note %.12s", f->refs[i]);
		if (!conf_get(f->notes, key))
			draft_say(d, DRAFT_SAY_FOOTNOTE, f->source, f->ref_at[i], (struct span){ 0 }, key, NULL);
	}
	/* Which of the form's questions are not there. */
	size_t missing = 0, at = 0;
	int place = 0;
	for (size_t i = 0; i < sizeof(chapters) / sizeof(chapters[0]) && !f->old; i++)
		for (const char *w = chapters[i].numbers; *w; place++) {
			size_t k = strcspn(w, " ");
			if (!f->have[place] && missing++ < 8 && at < sizeof(list))
				at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s-%.*s", missing > 1 ? ", " : "",
					chapters[i].code, (int)k, w);
			w += k + (w[k] == ' ');
		}
	if (missing) {
		(void)snprintf(count, sizeof(count), "%zu", missing);
		if (missing > 8 && at < sizeof(list))
			(void)snprintf(list + at, sizeof(list) - at, ", ...");
		draft_say(d, DRAFT_SAY_MISSING, f->source, "", (struct span){ 0 }, count, list);
	}
	char sum[128];
	(void)snprintf(count, sizeof(count), "%zu", f->n);
	(void)snprintf(sum, sizeof(sum), "Yes %zu, No %zu, N/A %zu, other %zu, blank %zu", f->yes, f->no, f->na, f->other, f->blank);
	draft_say(d, DRAFT_SAY_ANSWERS, f->source, "", (struct span){ 0 }, count, sum);
	return d->no_memory ? -ENOMEM : 0;
}
