/* detector_hl7.c -- what messages say together: the same one again, an order changed from elsewhere, answers that do not come. */
#include "sensor/detector_state.h"

/* About the receiver: it is what gets a message twice, another order, or stops answering. The event borrows from `ends`. */
static struct event hl7_event(struct detector *d, enum rule_id rule, const struct endpoint *src, const struct endpoint *dst,
			      uint64_t ts_ns, struct detector_end ends[2])
{
	struct event e;
	detector_event(&e, rule, ts_ns);
	detector_end_of(d, &dst->ip, &ends[0]);
	detector_end_of(d, &src->ip, &ends[1]);
	detector_put_device(d, &e, &ends[0]);
	detector_put_peer(d, &e, &ends[1]);
	event_uint(&e, EVENT_F_confidence, EVENT_CONFIDENCE_MEDIUM);
	event_uint(&e, EVENT_F_transport, OBSERVATION_TCP);
	event_uint(&e, EVENT_F_port, dst->port);
	event_text(&e, EVENT_F_service, span_str("hl7"));
	event_uint(&e, EVENT_F_authority, EVENT_AUTH_SENSOR);
	event_uint(&e, EVENT_F_generation, d->generation);
	return e;
}

void detector_message(struct detector *d, const struct observation *o)
{
	enum messages_what what = messages_take(d->messages, o);
	d->stats.v[STATS_messages_evicted] = messages_evicted(d->messages);
	if (what == MESSAGES_NOTHING)
		return;
	bool order = what == MESSAGES_ORDER_CHANGED;
	struct detector_end ends[2];
	struct event e = hl7_event(d, order ? RULE_HL7_ORDER_CHANGED : RULE_HL7_REPLAY, &o->src, &o->dst, o->ts, ends);
	event_uint(&e, EVENT_F_severity, order ? EVENT_HIGH : EVENT_MEDIUM);
	/* The order by its token, so that its other messages can be found. */
	if (order)
		event_text(&e, EVENT_F_seen, observation_has(o, OBSERVATION_F_order) ? o->order : o->filler_order);
	else
		event_text(&e, EVENT_F_seen, o->control_id);
	event_uint(&e, EVENT_F_flow, o->flow);
	detector_put_packet(&e, o);
	detector_say(d, &e);
}

void detector_unanswered(struct detector *d, uint64_t watermark_ns)
{
	struct messages_unanswered u;
	while (messages_overdue(d->messages, watermark_ns, &u)) {
		struct detector_end ends[2];
		detector_space(d, u.space[0] && d->c.spaces ? spaces_find(d->c.spaces, span_str(u.space)) : 0);
		struct event e = hl7_event(d, RULE_HL7_UNANSWERED, &u.src, &u.dst, watermark_ns, ends);
		event_uint(&e, EVENT_F_severity, EVENT_LOW);
		event_uint(&e, EVENT_F_ts_first, u.ts_ns);
		event_text(&e, EVENT_F_seen, u.control_id);
		event_uint(&e, EVENT_F_flow, u.flow);
		event_uint(&e, EVENT_F_packet, u.packet);
		if (u.file)
			event_uint(&e, EVENT_F_file, u.file);
		detector_say(d, &e);
		detector_space(d, 0);
	}
}
