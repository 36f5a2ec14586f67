#include "rules/policy_judge.h"

#define SECTION POLICY_TABLE_SECTION
#define COUNT POLICY_TABLE_COUNT

bool policy_judge_fill(struct verdict *v, enum event_verdict kind, enum event_what what, uint32_t rule, uint32_t cite,
		       unsigned severity)
{
	v->kind = kind;
	v->what = what;
	v->rule = rule;
	v->cite = cite;
	v->severity = (uint8_t)severity;
	return true;
}

bool policy_judge_row(const struct policy *p, struct verdict *v, enum event_verdict kind, enum event_what what, uint32_t rule,
		      const struct policy_row *r, unsigned severity)
{
	v->row = (uint32_t)(r - SECTION(p, ROWS, struct policy_row));
	return policy_judge_fill(v, kind, what, rule, r->cite, severity);
}

static uint32_t find_window(const struct policy *p, uint32_t device, uint64_t ts_ns, const struct policy_who *peer)
{
	const struct policy_window *w = SECTION(p, WINDOWS, struct policy_window);
	for (uint32_t i = 0; i < COUNT(p, WINDOWS); i++)
		if (w[i].from_ns <= ts_ns && ts_ns < w[i].to_ns && (w[i].device == POLICY_NONE || w[i].device == device) &&
		    (!w[i].roles || w[i].roles & peer->info->roles))
			return i;
	return POLICY_NONE;
}

void policy_judge_settle(const struct policy *p, struct verdict *v, uint64_t ts_ns, const struct policy_who *peer)
{
	if (v->kind == EVENT_FORBIDDEN || v->kind == EVENT_DECLARED)
		return;
	if (COUNT(p, WINDOWS) && v->kind != EVENT_CANNOT_SAY) {
		v->window = find_window(p, v->device, ts_ns, peer);
		if (v->window != POLICY_NONE)
			v->severity = EVENT_INFO;
	}
	unsigned mode = policy_unit_mode(p, v->device, ts_ns);
	uint8_t most = mode == POLICY_MODE_LEARN ? EVENT_INFO : mode == POLICY_MODE_REPORT ? EVENT_LOW : EVENT_CRITICAL;
	if (v->severity > most)
		v->severity = most;
}
