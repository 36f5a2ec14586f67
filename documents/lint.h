/* lint.h -- where the documents of one device type contradict each other, or are silent where they must not be.
 *
 * A finding names the documents and rows and has a question for the maker, in English and Japanese. It says nothing about
 * the device: only that its papers cannot all be right, or do not say enough to judge by. Rules: documents/lint.def.
 */
#ifndef DOCUMENTS_LINT_H
#define DOCUMENTS_LINT_H

#include "core/buf.h"
#include "documents/papers.h"
#include "rules/rule.h"

enum lint_rule {
#define LINT(SYM, ...) LINT_##SYM,
#include "documents/lint.def"
#undef LINT
	LINT_RULES
};

enum lint_grade { LINT_QUESTION, LINT_GAP, LINT_CONTRADICTION };
extern const char *const lint_grades[];         /* question, gap, contradiction; NULL-terminated */

enum { LINT_PLACES = 4, LINT_WORDS = 4, LINT_TEXT = 1024 };

struct lint_finding {
	enum lint_rule rule;
	enum lint_grade grade;
	const struct policy_model_type *type;
	struct policy_source places[LINT_PLACES];
	size_t n_places;
	struct span words[LINT_WORDS];  /* that its texts are made with; as long as the call that gives it */
};

/* True: enough. */
typedef bool lint_take(void *arg, const struct lint_finding *f);
/* Everything about one type, in a fixed order: the same files give the same findings. `today_ns`: by which dates are judged.
 * How many were given. */
size_t lint_type(const struct policy_model_type *t, uint64_t today_ns, lint_take *take, void *arg);

const char *lint_id(enum lint_rule rule);
const char *lint_grade_word(enum lint_grade g, enum rule_language language);
enum lint_said { LINT_WHAT, LINT_ASK };
/* A sentence: what is wrong, or the question to the maker. 0 or -ENOBUFS. */
int lint_say(const struct lint_finding *f, enum lint_said which, enum rule_language language, struct buf *out);

#endif
