/* What documents say of a type's life, of limits and hours of a row, of controls around a device; the windows of the site. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "rules/policy_accept.h"
#include "rules/policy_build.h"

/* "eos: 2034-03-31" */
static uint32_t date_cite(struct policy_build *b, const struct policy_model_type *t, const struct policy_date *d, const char *what)
{
	char text[64], time[CLOCK_STRLEN];
	size_t n = 0;
	if (!d->at_ns)
		return POLICY_NONE;
	(void)clock_str(d->at_ns, time);
	return policy_build_type_cite(b, t, d->source, policy_build_fmt(text, sizeof(text), &n, "%s: %.10s", what, time));
}

static void put_control(struct policy_build *b, const struct policy_model_type *t, const struct policy_model_control *c)
{
	for (size_t i = 0; i < c->permits.n; i++)
		if (c->permits.v[i].kind == POLICY_PEER_ROLE)
			(void)policy_build_find_role(b, c->permits.v[i].name, &c->permits.v[i].at);
	struct policy_build_peers peers = policy_build_peers(b, c->permits.v, c->permits.n);
	struct policy_control rec = {
		.from_ns = c->from.at_ns,
		.until_ns = c->until.at_ns,
		.roles = peers.roles,
		.prefix_first = peers.prefix_first,
		.prefix_n = peers.prefix_n,
		.flags = peers.flags,
		.by_maker = c->by_maker,
		.own_peers = c->permits.n == 0,
		.cite = policy_build_type_cite(b, t, c->source, c->id),
	};
	struct policy_control *slot = policy_build_add(b, POLICY_S_CONTROLS, NULL);
	if (slot)
		*slot = rec;
}

void policy_build_life(struct policy_build *b, const struct policy_model_type *t, struct policy_type *rec)
{
	const struct policy_claim *encrypted = &t->claims[POLICY_CLAIM_ENCRYPTION], *remote = &t->claims[POLICY_CLAIM_REMOTE_SERVICE];
	rec->cite_encrypted = rec->cite_no_remote = rec->control = POLICY_NONE;
	if (encrypted->answer == CONF_TRI_YES)
		rec->cite_encrypted = policy_build_type_cite(b, t, encrypted->source, span_str("encrypted in transmission: yes"));
	if (remote->answer == CONF_TRI_NO)
		rec->cite_no_remote = policy_build_type_cite(b, t, remote->source, span_str("remote service: no"));
	rec->eol_ns = t->eol.at_ns;
	rec->eos_ns = t->eos.at_ns;
	rec->ends_ns = t->network_ends.at_ns;
	rec->eol_estimated = t->eol_estimated;
	rec->unsure_after_support = t->unsure_after_support;
	rec->cite_eol = date_cite(b, t, &t->eol, t->eol_estimated ? "end of life (estimate)" : "end of life");
	rec->cite_eos = date_cite(b, t, &t->eos, "end of support");
	rec->cite_ends = date_cite(b, t, &t->network_ends, "end of network use");
	if (!rec->ends_ns && t->ends_with_support) {
		rec->ends_ns = rec->eos_ns;
		rec->cite_ends = rec->cite_eos;
	}
	for (size_t i = 0; i < t->controls.n; i++) {
		/* What its papers say has failed protects nothing. */
		if (!t->controls.v[i].protects.n && !t->controls.v[i].failed && rec->control == POLICY_NONE)
			rec->control = (uint32_t)b->s[POLICY_S_CONTROLS].n;
		put_control(b, t, &t->controls.v[i]);
	}
}

uint32_t policy_build_control_of(const struct policy_build *b, uint32_t type, struct span row)
{
	const struct policy_model_type *t = &b->m->types.v[type];
	for (size_t i = 0; i < t->controls.n; i++)
		for (size_t k = 0; k < t->controls.v[i].protects.n && !t->controls.v[i].failed; k++)
			if (span_eq(t->controls.v[i].protects.v[k].text, row))
				return b->control_first[type] + (uint32_t)i;
	return POLICY_NONE;
}

uint32_t policy_build_limits(struct policy_build *b, const struct policy_model_type *t, const struct policy_model_row *r,
			     uint32_t row_cite)
{
	const struct policy_limits *l = &r->limits;
	uint32_t index = POLICY_NONE, first = (uint32_t)b->s[POLICY_S_SPANS].n;
	if (!l->session_s && !l->idle_s && !l->bytes_day && !l->conns_min && !l->associations_min && !r->schedule.n)
		return POLICY_NONE;
	for (size_t i = 0; i < r->schedule.n; i++) {
		struct policy_hours *slot = policy_build_add(b, POLICY_S_SPANS, NULL);
		if (slot)
			*slot = (struct policy_hours){ .from = r->schedule.v[i].from, .to = r->schedule.v[i].to,
						       .days = r->schedule.v[i].days };
	}
	uint32_t cite = row_cite;
	if (l->source.document != POLICY_NO_DOCUMENT && l->source.row.n)
		cite = policy_build_type_cite(b, t, l->source, span_str("limits"));
	struct policy_limit *slot = policy_build_add(b, POLICY_S_LIMITS, &index);
	if (slot)
		*slot = (struct policy_limit){
			.session_ns = l->session_s > UINT64_MAX / CLOCK_SECOND ? 0 : l->session_s * CLOCK_SECOND,
			.bytes_day = l->bytes_day,
			.idle_s = l->idle_s > UINT32_MAX ? 0 : (uint32_t)l->idle_s,
			.conns_min = l->conns_min > UINT32_MAX ? 0 : (uint32_t)l->conns_min,
			.associations_min = l->associations_min > UINT32_MAX ? 0 : (uint32_t)l->associations_min,
			.cite = cite,
			.span_first = first,
			.span_n = (uint32_t)r->schedule.n,
		};
	return index;
}

void policy_build_windows(struct policy_build *b)
{
	const struct policy_model *m = b->m;
	for (size_t i = 0; i < m->windows.n; i++) {
		const struct policy_model_window *w = &m->windows.v[i];
		struct policy_window rec = { .from_ns = w->from_ns, .to_ns = w->to_ns, .device = POLICY_NONE, .exercise = w->exercise };
		if (w->device.text.n)
			rec.device = policy_build_find_unit(b, w->device.text, &w->device.at);
		for (size_t k = 0; k < w->roles.n; k++) {
			uint32_t role = policy_build_find_role(b, w->roles.v[k].text, &w->roles.v[k].at);
			rec.roles |= role < 64 ? UINT64_C(1) << role : 0;
		}
		/* A window in which the site's own scanners work is for them: traffic with others is judged as ever. */
		for (size_t k = 0; k < m->scanner_windows.n; k++)
			if (span_eq(m->scanner_windows.v[k].text, w->name)) {
				uint32_t role = policy_build_find_name(b->roles, m->roles.n, span_str("scanner"));
				rec.roles |= role < 64 ? UINT64_C(1) << role : 0;
			}
		rec.cite = policy_build_cite(b, EVENT_AUTH_SITE, policy_build_base_name(w->at.file), m->site_revision, w->name,
					     w->ticket.n ? w->ticket : span_str("window"));
		struct policy_window *slot = policy_build_add(b, POLICY_S_WINDOWS, NULL);
		if (slot)
			*slot = rec;
	}
}

static int by_key(const void *pa, const void *pb)
{
	const struct policy_acceptance *a = pa, *b = pb;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->from_ns < b->from_ns ? -1 : a->from_ns > b->from_ns;
}

void policy_build_acceptances(struct policy_build *b)
{
	for (size_t i = 0; i < b->m->acceptances.n; i++) {
		const struct policy_model_acceptance *a = &b->m->acceptances.v[i];
		struct policy_acceptance rec = {
			.key = policy_accept_key(a->rule, a->device, a->peer, a->transport, a->has_port ? a->port : -1),
			.from_ns = a->from_ns, .until_ns = a->until_ns, .id = policy_build_text(b, a->id),
		};
		struct policy_acceptance *slot = policy_build_add(b, POLICY_S_ACCEPTS, NULL);
		if (slot)
			*slot = rec;
	}
	if (b->s[POLICY_S_ACCEPTS].n)
		qsort(b->s[POLICY_S_ACCEPTS].v, b->s[POLICY_S_ACCEPTS].n, sizeof(struct policy_acceptance), by_key);
}
