#include "documents/lint_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void lint_run_begin(struct lint_run *r, enum lint_rule rule)
{
	static const enum lint_grade grades[] = {
#define LINT(SYM, ID, GRADE, ...) [LINT_##SYM] = LINT_##GRADE,
#include "documents/lint.def"
#undef LINT
	};
	r->f = (struct lint_finding){ .rule = rule, .grade = grades[rule], .type = r->t };
	r->n_words = r->used = 0;
}

void lint_run_grade(struct lint_run *r, enum lint_grade g) { r->f.grade = g; }

void lint_run_place(struct lint_run *r, struct policy_source at)
{
	/* A fact that names no document of its own stands in the papers as a whole: nothing to cite. */
	if (at.document < r->t->documents.n && r->f.n_places < LINT_PLACES)
		r->f.places[r->f.n_places++] = at;
}

void lint_run_word(struct lint_run *r, struct span word)
{
	if (r->n_words < LINT_WORDS)
		r->f.words[r->n_words++] = word;
}

void lint_run_words(struct lint_run *r, const char *fmt, ...)
{
	va_list ap;
	size_t room = sizeof(r->memory) - r->used;
	va_start(ap, fmt);
	int n = vsnprintf((char *)r->memory + r->used, room, fmt, ap);
	va_end(ap);
	size_t got = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
	lint_run_word(r, (struct span){ r->memory + r->used, got });
	r->used += got;
}

void lint_run_end(struct lint_run *r)
{
	if (r->enough)
		return;
	r->found++;
	r->enough = r->take(r->arg, &r->f);
}

struct policy_source lint_run_row(const struct policy_model_row *row)
{
	struct policy_source s = row->source;
	if (!s.row.n)
		s.row = row->id;
	return s;
}

struct span lint_run_label(const struct policy_model_row *row)
{
	struct span s = lint_run_row(row).row;
	if (s.n > 4 && !memcmp(s.p, "row ", 4))
		s = (struct span){ s.p + 4, s.n - 4 };
	return s;
}
