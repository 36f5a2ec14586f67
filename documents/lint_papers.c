/* The papers themselves: revisions, dates, what is missing, how long they hold. */
#include <string.h>

#include "core/clock.h"
#include "documents/lint_run.h"

static struct span day(uint64_t at_ns, char out[static CLOCK_STRLEN])
{
	(void)clock_str(at_ns, out);
	return (struct span){ (const uint8_t *)out, 10 };
}

static void begin_document(struct lint_run *r, enum lint_rule rule, uint32_t document)
{
	lint_run_begin(r, rule);
	lint_run_place(r, (struct policy_source){ document, { 0 } });
}

static uint64_t date_of(const struct conf_node *n)
{
	return conf_date_ns(conf_is_map(n) ? conf_get(n, "date") : n, 0);
}

/* Revisions are numbers as a rule ("10" is after "9"); else the dates say which is later. */
static bool is_later(struct span a, uint64_t a_ns, struct span b, uint64_t b_ns)
{
	if (a_ns && b_ns && a_ns != b_ns)
		return a_ns > b_ns;
	for (size_t i = 0; i < a.n; i++)
		if (a.p[i] < '0' || a.p[i] > '9')
			return false;
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < '0' || b.p[i] > '9')
			return false;
	return a.n != b.n ? a.n > b.n : memcmp(a.p, b.p, a.n) > 0;
}

static void revisions(struct lint_run *r)
{
	const struct policy_model_type *t = r->t;
	const struct conf_node *sources = conf_get(t->form, "sources"), *papers = conf_get(t->form, "documents");
	for (size_t i = 0; i < t->documents.n; i++) {
		const struct policy_document *d = &t->documents.v[i];
		uint64_t at = date_of(conf_get(conf_at(sources, i), "date"));
		char text[CLOCK_STRLEN];
		if (at > r->today_ns) {
			begin_document(r, LINT_FUTURE_DATE, (uint32_t)i);
			lint_run_word(r, d->id);
			lint_run_word(r, day(at, text));
			lint_run_end(r);
		}
		for (size_t k = 0; k < t->documents.n; k++) {
			const struct policy_document *o = &t->documents.v[k];
			uint64_t other = date_of(conf_get(conf_at(sources, k), "date"));
			if (k == i || !span_eq(d->id, o->id) || span_eq(d->revision, o->revision) || !is_later(o->revision, other,
				d->revision, at))
				continue;
			begin_document(r, LINT_OLD_REVISION, (uint32_t)i);
			lint_run_place(r, (struct policy_source){ (uint32_t)k, { 0 } });
			lint_run_word(r, d->id);
			lint_run_word(r, d->revision);
			lint_run_word(r, o->revision);
			lint_run_end(r);
		}
		for (size_t k = 0; k < conf_count(papers); k++) {
			const struct conf_node *p = conf_at(papers, k);
			struct span revision = conf_text(conf_get(p, "revision"), "");
			if (!span_eq(conf_text(conf_get(p, "id"), ""), d->id) || !revision.n || span_eq(revision, d->revision) ||
			    !is_later(revision, date_of(conf_get(p, "date")), d->revision, at))
				continue;
			begin_document(r, LINT_OLD_REVISION, (uint32_t)i);
			lint_run_word(r, d->id);
			lint_run_word(r, d->revision);
			lint_run_word(r, revision);
			lint_run_end(r);
		}
	}
	for (size_t k = 0; k < conf_count(papers); k++)
		if (conf_bool(conf_get(conf_at(papers, k), "missing"), false)) {
			struct span id = conf_text(conf_get(conf_at(papers, k), "id"), "");
			lint_run_begin(r, LINT_PAPER_MISSING);
			lint_run_place(r, papers_source(t, conf_at(papers, k)));
			lint_run_word(r, id.n ? id : conf_key_at(papers, k));
			lint_run_end(r);
		}
}

static void conflicts(struct lint_run *r)
{
	const struct conf_node *list = conf_get(r->t->form, "conflicts");
	for (size_t i = 0; i < conf_count(list); i++) {
		const struct conf_node *c = conf_at(list, i);
		struct span by = conf_text(conf_get(c, "by"), "");
		uint32_t d = papers_find(r->t, by);
		lint_run_begin(r, LINT_CONFLICT);
		lint_run_place(r, (struct policy_source){ d, conf_text(conf_get(c, "row"), "") });
		lint_run_word(r, conf_text(conf_get(c, "field"), ""));
		lint_run_word(r, d == POLICY_NO_DOCUMENT ? by : r->t->documents.v[d].id);
		lint_run_word(r, conf_text(conf_get(c, "said"), "?"));
		lint_run_word(r, conf_text(conf_get(c, "kept"), "?"));
		lint_run_end(r);
	}
}

static void part_ended(struct lint_run *r, const struct conf_node *n)
{
	const struct conf_node *eos = conf_get(n, "eos");
	uint64_t at = date_of(eos);
	char text[CLOCK_STRLEN];
	if (!at || at > r->today_ns)
		return;
	struct span name = conf_text(conf_get(n, "name"), "?"), version = conf_text(conf_get(n, "version"), "");
	if (!version.n)
		version = conf_text(conf_get(n, "versions"), "");
	lint_run_begin(r, LINT_PART_ENDED);
	lint_run_place(r, papers_source(r->t, conf_is_map(eos) ? eos : n));
	lint_run_words(r, "%.*s%s%.*s", (int)(name.n < 100 ? name.n : 100), (const char *)name.p, version.n ? " " : "",
		       (int)(version.n < 100 ? version.n : 100), (const char *)version.p);
	lint_run_word(r, day(at, text));
	lint_run_end(r);
}

static void life(struct lint_run *r)
{
	const struct policy_model_type *t = r->t;
	char text[CLOCK_STRLEN];
	if (!t->eos.at_ns) {
		lint_run_begin(r, LINT_NO_SUPPORT_END);
		lint_run_end(r);
	} else if (t->eos.at_ns <= r->today_ns) {
		lint_run_begin(r, LINT_SUPPORT_ENDED);
		lint_run_place(r, t->eos.source);
		lint_run_word(r, day(t->eos.at_ns, text));
		lint_run_end(r);
	}
	if (t->eol_estimated) {
		lint_run_begin(r, LINT_LIFE_ESTIMATED);
		lint_run_place(r, t->eol.source);
		lint_run_end(r);
	}
	const struct conf_node *model = conf_get(t->form, "model"), *software = conf_get(model, "software");
	part_ended(r, conf_get(model, "os"));
	for (size_t i = 0; i < conf_count(software); i++)
		part_ended(r, conf_at(software, i));
	const struct conf_node *parts = conf_get(conf_get(t->form, "lifecycle"), "components");
	for (size_t i = 0; i < conf_count(parts); i++)
		part_ended(r, conf_at(parts, i));
	for (size_t i = 0; i < t->controls.n; i++) {
		const struct policy_model_control *c = &t->controls.v[i];
		if (!c->failed && (!c->until.at_ns || c->until.at_ns > r->today_ns))
			continue;
		lint_run_begin(r, LINT_CONTROL_FAILED);
		lint_run_place(r, c->source);
		lint_run_word(r, c->id);
		lint_run_end(r);
	}
}

void lint_papers_all(struct lint_run *r)
{
	const struct policy_model_type *t = r->t;
	revisions(r);
	conflicts(r);
	if (t->rows.n && t->complete != POLICY_COMPLETE_EXHAUSTIVE) {
		lint_run_begin(r, t->complete == POLICY_COMPLETE_PARTIAL ? LINT_LIST_PARTIAL : LINT_LIST_UNSURE);
		lint_run_place(r, t->list);
		lint_run_words(r, "%zu", t->rows.n);
		lint_run_end(r);
	}
	if (!papers_contact(t).n) {
		lint_run_begin(r, LINT_NO_CONTACT);
		lint_run_end(r);
	}
	life(r);
	if (papers_answer(t, "SBOM-1") == PAPERS_YES && !conf_count(conf_get(t->form, "sbom"))) {
		lint_run_begin(r, LINT_NO_SBOM);
		lint_run_place(r, papers_answer_at(t, span_str("SBOM-1")));
		lint_run_end(r);
	}
}
