#include "documents/lint.h"

#include "documents/lint_run.h"

const char *const lint_grades[] = { "question", "gap", "contradiction", NULL };

static const struct { const char *id, *what[2], *ask[2]; } rules[] = {
#define LINT(SYM, ID, GRADE, WHAT_EN, WHAT_JA, ASK_EN, ASK_JA) [LINT_##SYM] = { ID, { WHAT_EN, WHAT_JA }, { ASK_EN, ASK_JA } },
#include "documents/lint.def"
#undef LINT
};

const char *lint_id(enum lint_rule rule) { return rule < LINT_RULES ? rules[rule].id : "?"; }

const char *lint_grade_word(enum lint_grade g, enum rule_language language)
{
	static const char *const words[][2] = {
		[LINT_QUESTION] = { "question", "確認" }, [LINT_GAP] = { "gap", "記載不足" }, [LINT_CONTRADICTION] = {
			"contradiction", "矛盾" },
	};
	return words[g <= LINT_CONTRADICTION ? g : LINT_QUESTION][language == RULE_JA];
}

int lint_say(const struct lint_finding *f, enum lint_said which, enum rule_language language, struct buf *out)
{
	const char *s = which == LINT_WHAT ? rules[f->rule].what[language == RULE_JA] : rules[f->rule].ask[language == RULE_JA];
	for (; *s; s++) {
		if (s[0] == '{' && s[1] >= '0' && s[1] < '0' + LINT_WORDS && s[2] == '}') {
			struct span w = f->words[s[1] - '0'];
			(void)buf_put(out, w.p, w.n);
			s += 2;
		} else {
			(void)buf_u8(out, (uint8_t)*s);
		}
	}
	return out->full ? -ENOBUFS : 0;
}

size_t lint_type(const struct policy_model_type *t, uint64_t today_ns, lint_take *take, void *arg)
{
	struct lint_run r = { .t = t, .today_ns = today_ns, .take = take, .arg = arg };
	lint_answers_all(&r);
	lint_rows_all(&r);
	lint_papers_all(&r);
	return r.found;
}
