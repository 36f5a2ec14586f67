#include "documents/inquiry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

enum { CELLS = 11, PLACES = 512 };

static const char *const title[] = { "Inquiry to the manufacturer about device documents",
	"医療機器の開示資料に関する照会票" };
static const char *const says_to[] = { "To", "宛先" };
static const char *const says_contact[] = { "Contact", "窓口" };
static const char *const says_from[] = { "From", "照会元" };
static const char *const says_date[] = { "Date", "照会日" };
static const char *const says_papers[] = { "Documents", "対象資料" };
static const char *const intro[] = {
	"While comparing the documents of the devices below we found the following. Please answer each question, or send the document "
	"that answers it. The questions are about the documents; they do not say that a device is unsafe.",
	"下記機器の開示資料を照合した結果、以下の点を確認させていただきたく、回答または該当資"
	"料のご提供をお願いいたします。本照会は資料の"
	"記載に関するものであり、機器の安全性について判断するものではありません。",
};
static const char *const heads[][6] = {
	{ "No.", "Kind", "Document (revision), row", "What we read", "Question", "Answer" },
	{ "番号", "区分", "資料（版）・該当箇所", "記載内容", "照会事項", "回答" },
};
static const char *const answer_box[] = { "☐ corrected ☐ explained ☐ document sent:", "☐訂正 ☐説明 ☐資料送付：" };
static const char *const sign[] = { "Answered by (name, department, date)", "回答者（氏名・部署・回答日）" };
static const char *const flat_heads[][CELLS] = {
	{ "maker", "contact", "device type", "model", "no.", "kind", "document, revision, row", "what we read", "question", "answer",
	  "answered by, date" },
	{ "製造販売業者", "窓口", "機器種別", "型式", "番号", "区分", "資料（版）・該当箇所",
		"記載内容", "照会事項", "回答", "回答者・回答日" },
};

struct sheet_of {
	struct printout p;
	const struct inquiry_options *o;
	const struct policy_model_type *t;
	size_t n;
};

/* "IFU-X (revision 3)", "IFU-X（第3版）"; a date is no number of an edition. */
static void put_document(struct buf *out, const struct policy_document *d, bool ja)
{
	bool number = d->revision.n > 0 && d->revision.n <= 4;
	for (size_t i = 0; i < d->revision.n; i++)
		number = number && ((d->revision.p[i] >= '0' && d->revision.p[i] <= '9') || d->revision.p[i] == '.');
	(void)buf_put(out, d->id.p, d->id.n);
	(void)buf_printf(out, !ja ? " (revision %.*s)" : number ? "（第%.*s版）" : "（%.*s版）", (int)d->revision.n,
		(const char *)d->revision.p);
}

void inquiry_places(const struct lint_finding *f, enum rule_language language, struct buf *out)
{
	bool ja = language == RULE_JA;
	for (size_t i = 0; i < f->n_places; i++) {
		const struct policy_document *d = papers_document(f->type, f->places[i].document);
		if (!d)
			continue;
		struct span row = f->places[i].row;
		bool says_row = row.n > 4 && !memcmp(row.p, "row ", 4);
		(void)buf_str(out, out->len ? ja ? "；" : "; " : "");
		put_document(out, d, ja);
		if (row.n)
			(void)buf_printf(out, ja ? "%.*s" : says_row ? ", %.*s" : ", row %.*s", (int)row.n, (const char *)row.p);
	}
}

static bool put_question(void *arg, const struct lint_finding *f)
{
	struct sheet_of *s = arg;
	bool ja = s->o->language == RULE_JA;
	if (f->grade < s->o->least)
		return false;
	uint8_t what[LINT_TEXT], ask[LINT_TEXT], places[PLACES];
	char number[24];
	struct buf w = buf_over(what, sizeof(what)), q = buf_over(ask, sizeof(ask)), at = buf_over(places, sizeof(places));
	(void)lint_say(f, LINT_WHAT, s->o->language, &w);
	(void)lint_say(f, LINT_ASK, s->o->language, &q);
	inquiry_places(f, s->o->language, &at);
	(void)snprintf(number, sizeof(number), "%zu", ++s->n);
	const struct span cells[CELLS] = {
		s->t->maker, papers_contact(s->t), s->t->id, s->t->model, span_str(number), span_str(lint_grade_word(f->grade,
			s->o->language)),
		at.len ? buf_span(&at) : span_str("-"), buf_span(&w), buf_span(&q), span_str(s->o->format == PRINTOUT_CSV ? ""
			: answer_box[ja]),
	};
	if (s->o->format == PRINTOUT_CSV)
		printout_row(&s->p, cells, CELLS);
	else
		printout_row(&s->p, cells + 4, 6);
	return false;
}

struct wanted { enum lint_grade least; bool any; };

static bool is_wanted(void *arg, const struct lint_finding *f)
{
	struct wanted *w = arg;
	return w->any = w->any || f->grade >= w->least;
}

static bool has_questions(const struct policy_model_type *t, const struct inquiry_options *o)
{
	struct wanted w = { o->least, false };
	(void)lint_type(t, o->today_ns, is_wanted, &w);
	return w.any;
}

static void head_of_maker(struct sheet_of *s, const struct policy_model_type *t)
{
	bool ja = s->o->language == RULE_JA;
	char date[CLOCK_STRLEN];
	printout_heading(&s->p, 2, t->maker.n ? t->maker : span_str("?"));
	printout_line(&s->p, says_to[ja], t->maker);
	printout_line(&s->p, says_contact[ja], papers_contact(t).n ? papers_contact(t) : span_str("____________________"));
	printout_line(&s->p, says_from[ja], span_str(s->o->from ? s->o->from : "____________________"));
	printout_line(&s->p, says_date[ja], (struct span){ (const uint8_t *)clock_str(s->o->today_ns, date), 10 });
	printout_line(&s->p, "", span_str(intro[ja]));
}

static void head_of_type(struct sheet_of *s, const struct policy_model_type *t)
{
	bool ja = s->o->language == RULE_JA;
	uint8_t mem[2048];
	struct buf b = buf_over(mem, sizeof(mem));
	(void)buf_printf(&b, "%.*s (%.*s)", (int)t->model.n, (const char *)t->model.p, (int)t->id.n, (const char *)t->id.p);
	printout_heading(&s->p, 3, buf_span(&b));
	buf_rewind(&b, 0);
	for (size_t i = 0; i < t->documents.n; i++) {
		const struct policy_document *d = &t->documents.v[i];
		size_t mark = b.len;
		(void)buf_str(&b, i ? ja ? "；" : "; " : "");
		put_document(&b, d, ja);
		if (b.full) {
			buf_rewind(&b, mark);
			break;
		}
	}
	printout_line(&s->p, says_papers[ja], buf_span(&b));
}

static int by_maker(const void *a, const void *b)
{
	const struct policy_model_type *x = *(const struct policy_model_type *const *)a,
		*y = *(const struct policy_model_type *const *)b;
	const struct span left[] = { x->maker, x->id }, right[] = { y->maker, y->id };
	for (int i = 0; i < 2; i++) {
		size_t n = left[i].n < right[i].n ? left[i].n : right[i].n;
		int c = n ? memcmp(left[i].p, right[i].p, n) : 0;
		if (c || left[i].n != right[i].n)
			return c ? c : left[i].n < right[i].n ? -1 : 1;
	}
	return 0;
}

int inquiry_print(const struct policy_model *m, const struct inquiry_options *o, FILE *to, size_t *ret_questions)
{
	bool ja = o->language == RULE_JA, flat = o->format == PRINTOUT_CSV;
	struct sheet_of s = { .o = o };
	const struct policy_model_type **order = calloc(m->types.n + 1, sizeof(*order));
	const struct policy_model_type *last = NULL;
	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < m->types.n; i++)
		order[i] = &m->types.v[i];
	qsort(order, m->types.n, sizeof(*order), by_maker);
	printout_begin(&s.p, to, o->format, ja ? "ja" : "en", title[ja]);
	if (flat)
		printout_table(&s.p, flat_heads[ja], CELLS);
	for (size_t i = 0; i < m->types.n; i++) {
		const struct policy_model_type *t = s.t = order[i];
		if ((o->maker && !span_eq(t->maker, span_str(o->maker))) || !has_questions(t, o))
			continue;
		if (!last || !span_eq(last->maker, t->maker)) {
			if (last)
				printout_line(&s.p, sign[ja], span_str("____________________"));
			head_of_maker(&s, t);
		}
		last = t;
		head_of_type(&s, t);
		if (!flat)
			printout_table(&s.p, heads[ja], 6);
		(void)lint_type(t, o->today_ns, put_question, &s);
		if (!flat)
			printout_table_end(&s.p);
	}
	if (last)
		printout_line(&s.p, sign[ja], span_str("____________________"));
	free(order);
	*ret_questions = s.n;
	return printout_end(&s.p);
}
