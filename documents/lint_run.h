/* lint_run.h -- what the files of lint share: a finding while it is put together. */
#ifndef DOCUMENTS_LINT_RUN_H
#define DOCUMENTS_LINT_RUN_H

#include "documents/lint.h"

struct lint_run {
	const struct policy_model_type *t;
	uint64_t today_ns;
	lint_take *take;
	void *arg;
	size_t found;
	bool enough;
	struct lint_finding f;
	size_t n_words;
	uint8_t memory[1024];           /* of words that were made, not found */
	size_t used;
};

/* begin, then places and words in their order, then end. */
void lint_run_begin(struct lint_run *r, enum lint_rule rule);
void lint_run_grade(struct lint_run *r, enum lint_grade g);
void lint_run_place(struct lint_run *r, struct policy_source at);
void lint_run_word(struct lint_run *r, struct span word);
void lint_run_words(struct lint_run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void lint_run_end(struct lint_run *r);
/* Where a row stands. */
struct policy_source lint_run_row(const struct policy_model_row *row);
/* That row in a sentence that says "row" already: what importers call "row 5 (X-1)" is 5. */
struct span lint_run_label(const struct policy_model_row *row);

/* What is asked of the answers, of the rows, and of the papers themselves. */
void lint_answers_all(struct lint_run *r);
void lint_rows_all(struct lint_run *r);
void lint_papers_all(struct lint_run *r);

#endif
