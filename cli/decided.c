#include "cli/decided.h"

#include <stdio.h>
#include <string.h>

#include "cli/writer.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "core/utf8.h"
#include "sensor/options.h"

void decided_defaults(struct decided *d)
{
	*d = (struct decided){ .dir = DECIDE_DIR, .language = writer_language() };
	where_who(d->who, sizeof(d->who));
}

bool decided_is_text(const char *text, size_t most)
{
	struct span s = span_str(text);
	bool ok = s.n <= most;
	while (ok && s.n) {
		uint32_t cp = 0;
		int n = utf8_next(s, &cp);
		ok = n > 0 && !utf8_is_control(cp);
		if (ok)
			s = span_from(s, (size_t)n);
	}
	return ok;
}

int decided_take(const struct cmd *c, struct decided *d, int opt, const char *arg)
{
	char why[256], whole[320];
	switch (opt) {
	case 'p':
		d->dir = arg;
		return 0;
	case DECIDED_WHO:
		if (!*arg || !decided_is_text(arg, sizeof(d->who) - 1))
			return cmd_usage(c, "--who: expected a name in UTF-8 without control characters");
		(void)snprintf(d->who, sizeof(d->who), "%s", arg);
		return 0;
	case DECIDED_REASON:
		if (!decided_is_text(arg, 500))
			return cmd_usage(c, "--reason: expected at most 500 bytes of UTF-8 without control characters");
		d->reason = arg;
		return 0;
	case DECIDED_FOR:
		if (options_duration(arg, &d->for_s, why) || !d->for_s || d->for_s > 20 * 366 * 86400ull) {
			(void)snprintf(whole, sizeof(whole), "--for %.40s: expected a time from now on, such as 2h, 14d", arg);
			return cmd_usage(c, whole);
		}
		return 0;
	case DECIDED_UNTIL:
		return decided_take_time(c, "--until", arg, &d->until);
	case DECIDED_FORMAT:
		if (strcmp(arg, "table") && strcmp(arg, "jsonl"))
			return cmd_usage(c, "--format: expected table or jsonl");
		d->format = arg;
		return 0;
	case DECIDED_LANG:
		return writer_parse_language(arg, &d->language) ? 0 : cmd_usage(c, "--lang: expected en or ja");
	default:
		return -1;
	}
}

int decided_take_time(const struct cmd *c, const char *option, const char *arg, struct decided_when *ret)
{
	char whole[48], why[160];
	size_t n = strlen(arg);
	struct decided_when w = { .text = arg };
	bool minutes = n == strlen("2026-12-31T18:00");
	if (!clock_parse(span_str(arg), &w.ns)) {
		w.day = n == strlen("2026-12-31");
	} else if ((minutes || n == strlen("2026-12-31T18:00:00")) &&
		   snprintf(whole, sizeof(whole), "%s%sZ", arg, minutes ? ":00" : "") > 0 && !clock_parse(span_str(whole), &w.ns)) {
		w.local = true;
	} else {
		(void)snprintf(why, sizeof(why), "%s: expected a day such as 2026-12-31, a time of it such as 2026-12-31T18:00, or an "
			       "RFC 3339 time", option);
		return cmd_usage(c, why);
	}
	*ret = w;
	return 0;
}

int decided_time_of(const struct cmd *c, const char *option, const struct decided_when *w, struct decide *d, uint64_t *ret)
{
	char why[200];
	uint64_t ns = w->ns;
	if (w->text && (w->day || w->local)) {
		const struct policy_model *m = decide_model(d);
		if (!m)
			return ERR_EXIT_CONFIG;
		if (w->local && !m->has_utc_offset) {
			(void)snprintf(why, sizeof(why), "%s %.19s: of which clocks? Write the zone behind it (Z, +09:00; seconds "
				       "before it), or utc_offset in site.yaml", option, w->text);
			return cmd_usage(c, why);
		}
		int64_t shift = (int64_t)m->utc_offset_min * 60 * (int64_t)CLOCK_SECOND;
		ns = shift > 0 && ns < (uint64_t)shift ? 0 : ns - (uint64_t)shift;
	}
	*ret = w->text ? ns : 0;
	return ERR_EXIT_OK;
}

int decided_end(const struct cmd *c, const struct decided *v, struct decide *d, uint64_t now_ns, uint64_t *ret)
{
	if (!v->for_s)
		return decided_time_of(c, "--until", &v->until, d, ret);
	*ret = now_ns + v->for_s * CLOCK_SECOND;
	return ERR_EXIT_OK;
}

const char *decided_left(uint64_t until_ns, uint64_t now_ns, char ret[static DECIDED_LEFT])
{
	uint64_t s = until_ns > now_ns ? (until_ns - now_ns) / CLOCK_SECOND : 0;
	ret[0] = '\0';
	if (!until_ns)
		return ret;
	if (until_ns <= now_ns)
		(void)snprintf(ret, DECIDED_LEFT, "over");
	else if (s >= 86400)
		(void)snprintf(ret, DECIDED_LEFT, "%llud %lluh", (unsigned long long)(s / 86400), (unsigned long long)(s / 3600 % 24));
	else if (s >= 3600)
		(void)snprintf(ret, DECIDED_LEFT, "%lluh %llum", (unsigned long long)(s / 3600), (unsigned long long)(s / 60 % 60));
	else
		(void)snprintf(ret, DECIDED_LEFT, "%llum", (unsigned long long)(s / 60));
	return ret;
}

const char *decided_time(uint64_t ns, char ret[static DECIDED_LEFT])
{
	char text[CLOCK_STRLEN];
	ret[0] = '\0';
	if (!ns)
		return ret;
	(void)clock_str(ns, text);
	(void)snprintf(ret, DECIDED_LEFT, "%.10s %.5sZ", text, text + 11);
	return ret;
}

const struct policy_model_unit *decided_unit(struct decide *d, const char *name)
{
	const struct policy_model *m = decide_model(d);
	char hint[160];
	if (!m)
		return NULL;
	for (size_t i = 0; i < m->units.n; i++)
		if (span_eq(m->units.v[i].id, span_str(name)))
			return &m->units.v[i];
	struct span now = policy_decisions_now(m, span_str(name));
	if (!span_eq(now, span_str(name))) {
		log_say("spanward: %.*s stands in the place of %s", (int)now.n, (const char *)now.p, name);
		return NULL;
	}
	(void)policy_load_hint(span_str(name), m->units.n ? &m->units.v[0].id : NULL, m->units.n, sizeof(m->units.v[0]), hint);
	log_say("spanward: no unit is called %s%s", name, hint);
	return NULL;
}
