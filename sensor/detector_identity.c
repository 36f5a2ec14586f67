/* detector_identity.c -- what hosts say of themselves, held against the inventory: it corroborates who they are, or contradicts it. */
#include <stdio.h>

#include "rules/policy_mark.h"
#include "rules/rule.h"
#include "sensor/detector_state.h"

static void say(struct detector *d, const struct observation *o, enum policy_mark_kind kind, struct span value)
{
	static const struct { const char *what; enum event_severity severity; } kinds[POLICY_MARK_KINDS] = {
		[POLICY_MARK_HOSTNAME] = { "host name", EVENT_LOW }, [POLICY_MARK_HL7_APP] = { "HL7 application", EVENT_LOW },
		[POLICY_MARK_CERTIFICATE] = { "certificate", EVENT_MEDIUM },
	};
	struct detector_end who;
	struct policy_device unit;
	struct policy_cite c;
	uint32_t contradicts, cite;
	char text[64];
	enum policy_mark m = policy_mark(d->policy, detector_unit(d, &o->src.ip), kind, value, &contradicts, &cite);
	if (m != POLICY_MARK_DIFFERS && m != POLICY_MARK_ANOTHERS)
		return;
	if (!detector_fact_is_new(d, &o->src.ip, RULE_IDENTITY_CONFLICT, value, (uint64_t)kind))
		return;
	detector_end_of(d, &o->src.ip, &who);
	policy_device(d->policy, contradicts, &unit);
	policy_cite(d->policy, cite, &c);
	struct event e;
	detector_event(&e, RULE_IDENTITY_CONFLICT, o->ts);
	detector_put_device(d, &e, &who);
	if (m == POLICY_MARK_ANOTHERS)
		event_text(&e, EVENT_F_peer_class, unit.id);
	event_uint(&e, EVENT_F_severity, kinds[kind].severity);
	event_uint(&e, EVENT_F_confidence, EVENT_CONFIDENCE_MEDIUM);
	event_uint(&e, EVENT_F_authority, c.authority);
	event_text(&e, EVENT_F_document, c.document);
	if (c.revision.n)
		event_text(&e, EVENT_F_revision, c.revision);
	event_text(&e, EVENT_F_row, c.row);
	(void)snprintf(text, sizeof(text), "%s %.*s", kinds[kind].what, (int)(value.n < 40 ? value.n : 40), (const char *)value.p);
	event_text(&e, EVENT_F_seen, span_str(text));
	event_uint(&e, EVENT_F_flow, o->flow);
	detector_put_packet(&e, o);
	event_uint(&e, EVENT_F_generation, d->generation);
	detector_say(d, &e);
}

void detector_identity(struct detector *d, const struct observation *o)
{
	if (!d->policy || !policy_mark_any(d->policy))
		return;
	/* A name that is told of another address is not the sender's own: reflectors pass such on. */
	bool own = !observation_has(o, OBSERVATION_F_address) || !addr_cmp(&o->address, &o->src.ip);
	if (observation_has(o, OBSERVATION_F_hostname) && own)
		say(d, o, POLICY_MARK_HOSTNAME, o->hostname);
	if (o->head.type == OBSERVATION_HL7_MESSAGE && observation_has(o, OBSERVATION_F_sending_app))
		say(d, o, POLICY_MARK_HL7_APP, o->sending_app);
	if (o->head.type == OBSERVATION_TLS_CERTIFICATE && observation_has(o, OBSERVATION_F_fingerprint))
		say(d, o, POLICY_MARK_CERTIFICATE, o->fingerprint);
}
