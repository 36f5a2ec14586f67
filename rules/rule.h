/* rule.h -- the table of rules (rule.def) and the sentences that explain an alert. */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include "core/buf.h"
#include "core/event.h"

enum rule_id {
#define RULE(SYM, ...) RULE_##SYM,
#include "rules/rule.def"
#undef RULE
	RULE_COUNT
};

struct rule {
	const char *id;
	uint8_t id_n;                   /* its length */
	enum event_type family;
	const char *rows, *mds2;        /* requirement rows (R042 ...), MDS2 question codes; space separated */
	const char *title_en, *title_ja;
};

const struct rule *rule_get(enum rule_id id);
/* By its stable name; NULL when there is none. */
const struct rule *rule_find(struct span id);

enum rule_language { RULE_EN, RULE_JA };
/* One sentence that says what happened, what was declared where, and what to ask whom. Needs only
 * the event. Never advises to disconnect. 0 or -ENOBUFS. Words: reference terms in docs/terms.md. */
int rule_explain(const struct event *e, enum rule_language lang, struct buf *out);
/* "高" for EVENT_HIGH, "開示資料に記載なし" for EVENT_UNDECLARED, "異常トラフィック" for the family. */
const char *rule_severity_word(enum event_severity s, enum rule_language lang);
const char *rule_verdict_word(enum event_verdict v, enum rule_language lang);
const char *rule_what_word(enum event_what what, enum rule_language lang);
const char *rule_family_word(enum event_type family, enum rule_language lang);

#endif
