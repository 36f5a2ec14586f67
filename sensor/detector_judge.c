/* What the policy says of what was observed, as events: verdicts, and what rows limit over time. */
#include "rules/policy_table.h"
#include "rules/rule.h"
#include "sensor/detector_state.h"

static bool is_breach(enum event_verdict v)
{
	return v != EVENT_DECLARED && v != EVENT_CANNOT_SAY;
}

/* The published precedence (docs/profiles.md), for the one verdict that a flow summary shows. */
static const uint8_t rank[EVENT_VERDICTS] = {
	[EVENT_DECLARED] = 0,         [EVENT_CANNOT_SAY] = 1, [EVENT_UNKNOWN_DEVICE] = 2,    [EVENT_UNDECLARED] = 3,
	[EVENT_SEEN_DIFFERENTLY] = 4, [EVENT_DISABLED_BUT_USED] = 5, [EVENT_FORBIDDEN] = 6,
	[EVENT_NEVER_SEEN] = 0,
};

static bool is_flow(const struct observation *o)
{
	return o->head.type == OBSERVATION_FLOW_OPEN || o->head.type == OBSERVATION_FLOW_SERVICE ||
	       o->head.type == OBSERVATION_FLOW_END;
}

/* Whether src is the side that called; for messages it follows from what the flow said. */
static bool src_is_client(const struct observation *o, const struct detector_flow *m)
{
	if (is_flow(o) || o->head.type == OBSERVATION_DICOM_ASSOCIATE_REQUEST || o->head.type == OBSERVATION_TLS_HANDSHAKE)
		return true;
	if (o->head.type == OBSERVATION_DICOM_ASSOCIATE_ACCEPT || o->head.type == OBSERVATION_DICOM_ASSOCIATE_REJECT)
		return false;
	return m->client.port != o->dst.port || addr_cmp(&m->client.ip, &o->dst.ip);
}

static void put_decimal(struct buf *text, unsigned n)
{
	if (n > 9)
		put_decimal(text, n / 10);
	buf_u8(text, (uint8_t)('0' + n % 10));
}

/* "tcp/22 ssh": what a person compares with the document. */
static void put_seen(struct event *e, const struct observation *o, uint16_t port, struct buf *text)
{
	static const char *const transports[] = { "tcp", "udp", "icmp", "other" };
	if (e->rule.n && observation_has(o, OBSERVATION_F_calling_ae)) {
		buf_str(text, "AE ");
		buf_put(text, o->calling_ae.p, o->calling_ae.n);
	} else {
		uint64_t t = observation_has(o, OBSERVATION_F_transport) && o->transport < 4 ? o->transport : 0;
		buf_str(text, transports[t]);
		buf_u8(text, '/');
		put_decimal(text, port);
		if (observation_has(o, OBSERVATION_F_service)) {
			buf_u8(text, ' ');
			buf_put(text, o->service.p, o->service.n);
		}
	}
	event_text(e, EVENT_F_seen, buf_span(text));
}

/* What a person compares, of a message: "C-STORE-RQ 1.2.840...". */
static void put_command(struct event *e, const struct observation *o, struct buf *text)
{
	const char *command = vocab_word(&observation_vocab, OBSERVATION_F_command, o->command);
	buf_printf(text, "%s ", command ? command : "?");
	buf_put(text, o->sop_class.p, o->sop_class.n < text->cap - text->len ? o->sop_class.n : text->cap - text->len);
	event_text(e, EVENT_F_seen, buf_span(text));
}

/* "ADT^A01, version 2.5", and who says it where that may differ; a name that does not fit as a whole is left out. */
static void put_message(struct event *e, const struct observation *o, struct buf *text)
{
	buf_put(text, o->message_type.p, o->message_type.n);
	if (observation_has(o, OBSERVATION_F_version)) {
		buf_str(text, ", version ");
		buf_put(text, o->version.p, o->version.n);
	}
	const struct { const char *before; bool has; struct span name; } names[] = {
		{ ", application ", observation_has(o, OBSERVATION_F_sending_app), o->sending_app },
		{ ", facility ", observation_has(o, OBSERVATION_F_sending_facility), o->sending_facility },
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && e->what == EVENT_WHAT_HL7_APP; i++)
		if (names[i].has && strlen(names[i].before) + names[i].name.n <= text->cap - text->len) {
			buf_str(text, names[i].before);
			buf_put(text, names[i].name.p, names[i].name.n);
		}
	event_text(e, EVENT_F_seen, buf_span(text));
}

/* What an alert is about: of `of_the_flow` this many are left out of it, and it folds over them. */
enum { ABOUT_THE_FLOW = 0, ABOUT_BOTH_HOSTS = 2, ABOUT_THE_HOST = 3 };

static void breach_of(struct detector *d, const struct observation *o, const struct verdict *v, const struct detector_flow *m,
		      const char *seen_text, unsigned leave_out)
{
	unsigned which = v->device_is_src ? 0 : 1;
	struct detector_end ends[2], *device = &ends[which], *peer = &ends[1 - which], unit;
	detector_end_of(d, &o->src.ip, &ends[0]);
	detector_end_of(d, &o->dst.ip, &ends[1]);
	bool client = src_is_client(o, m);
	uint16_t port = client ? o->dst.port : o->src.port;
	enum event_initiator initiator = (which == 0) == client ? EVENT_INITIATOR_DEVICE : EVENT_INITIATOR_PEER;
	if (v->device != POLICY_NONE && device->host.device != v->device) {
		/* Judged is a third unit, whose name the host at `device` used. */
		struct policy_device pd;
		policy_device(d->policy, v->device, &pd);
		unit = (struct detector_end){ .host = { .device = v->device, .id = pd.id, .type = pd.type } };
		peer = device;
		device = &unit;
		initiator = EVENT_INITIATOR_PEER;
	}
	struct event e;
	detector_event(&e, v->rule, o->ts);
	if (device == &unit) {
		event_text(&e, EVENT_F_device, unit.host.id);
		if (unit.host.type.n)
			event_text(&e, EVENT_F_device_type, unit.host.type);
		event_uint(&e, EVENT_F_device_by, EVENT_BY_NOTHING);
	} else {
		detector_put_device(d, &e, device);
	}
	detector_put_peer(d, &e, peer);
	event_uint(&e, EVENT_F_severity, v->severity);
	/* Who it is rests on what any host could have said. */
	bool weak = device->host.by == EVENT_BY_DHCP_ANY && v->confidence > EVENT_CONFIDENCE_MEDIUM;
	event_uint(&e, EVENT_F_confidence, weak ? EVENT_CONFIDENCE_MEDIUM : v->confidence);
	event_uint(&e, EVENT_F_verdict, v->kind);
	event_uint(&e, EVENT_F_what, v->what);
	event_uint(&e, EVENT_F_initiator, initiator);
	event_uint(&e, EVENT_F_transport, observation_has(o, OBSERVATION_F_transport) ? o->transport : OBSERVATION_TCP);
	event_uint(&e, EVENT_F_port, port);
	if (observation_has(o, OBSERVATION_F_service))
		event_text(&e, EVENT_F_service, o->service);
	else if (!is_flow(o))
		event_text(&e, EVENT_F_service,
			   span_str(o->head.type == OBSERVATION_HL7_MESSAGE || o->head.type == OBSERVATION_HL7_ACK ? "hl7" :
				    o->head.type == OBSERVATION_TLS_HANDSHAKE ? "tls" : "dicom"));
	struct policy_cite cite = { .authority = EVENT_AUTH_SENSOR };
	if (v->cite != POLICY_NONE)
		policy_cite(d->policy, v->cite, &cite);
	event_uint(&e, EVENT_F_authority, cite.authority);
	if (cite.document.n)
		event_text(&e, EVENT_F_document, cite.document);
	if (cite.revision.n)
		event_text(&e, EVENT_F_revision, cite.revision);
	if (cite.row.n)
		event_text(&e, EVENT_F_row, cite.row);
	if (cite.said.n)
		event_text(&e, EVENT_F_said, cite.said);
	uint8_t seen[64];
	struct buf text = buf_over(seen, sizeof(seen));
	if (seen_text)
		event_text(&e, EVENT_F_seen, span_str(seen_text));
	else if (o->head.type == OBSERVATION_TLS_HANDSHAKE)
		event_text(&e, EVENT_F_seen, span_str(vocab_word(&observation_vocab, OBSERVATION_F_tls_version, o->tls_version)));
	else if (o->head.type == OBSERVATION_DICOM_COMMAND)
		put_command(&e, o, &text);
	else if (v->rule == RULE_HL7_MESSAGE && observation_has(o, OBSERVATION_F_message_type))
		put_message(&e, o, &text);
	else
		put_seen(&e, o, port, &text);
	if (v->window != POLICY_NONE)
		event_text(&e, EVENT_F_window, policy_window_name(d->policy, v->window));
	if (v->rule == RULE_CONTROL_BYPASS) {
		uint32_t cite_;
		bool by_maker;
		event_text(&e, EVENT_F_control, policy_control_name(d->policy, v->control, &cite_, &by_maker));
	}
	if (observation_has(o, OBSERVATION_F_calling_ae))
		event_text(&e, EVENT_F_calling_ae, o->calling_ae);
	if (observation_has(o, OBSERVATION_F_called_ae))
		event_text(&e, EVENT_F_called_ae, o->called_ae);
	if (observation_has(o, OBSERVATION_F_midstream))
		event_uint(&e, EVENT_F_midstream, o->midstream);
	if (observation_has(o, OBSERVATION_F_one_sided))
		event_uint(&e, EVENT_F_one_sided, o->one_sided);
	event_uint(&e, EVENT_F_flow, o->flow);
	detector_put_packet(&e, o);
	event_uint(&e, EVENT_F_generation, d->generation);
	for (unsigned i = 0; i < leave_out; i++) {
		static const enum event_field of_the_flow[] = { EVENT_F_transport, EVENT_F_port, EVENT_F_peer_class };
		e.head.present[of_the_flow[i] >> 6] &= ~(UINT64_C(1) << (of_the_flow[i] & 63));
	}
	/* What a unit does while it is learned is counted, not alerted; what the site forbids is alerted always. */
	unsigned mode = v->device == POLICY_NONE || v->kind == EVENT_FORBIDDEN ? POLICY_MODE_ALERT
									       : policy_unit_mode(d->policy, v->device, o->ts);
	if (mode == POLICY_MODE_LEARN) {
		d->stats.v[STATS_verdicts_learning]++;
		return;
	}
	detector_say_in(d, &e, mode == POLICY_MODE_REPORT ? EVENT_LANE_TELEMETRY : EVENT_LANE_ALERTS);
}

/* Whoever it talks to: one alert, not one per peer and port. */
static bool is_about_host(uint32_t rule)
{
	return rule == RULE_UNKNOWN_DEVICE || rule == RULE_NETWORK_USE_ENDED || rule == RULE_SUPPORT_ENDED || rule == RULE_LIMITED_SUPPORT;
}

/* An event about one end of what was observed. `seen`: in words of its own; NULL: from the observation. */
static void breach(struct detector *d, const struct observation *o, const struct verdict *v, const struct detector_flow *m,
		   const char *seen)
{
	breach_of(d, o, v, m, seen, is_about_host(v->rule) ? ABOUT_THE_HOST : ABOUT_THE_FLOW);
}

/* The same end, by another rule. */
static struct verdict beside(const struct verdict *v, enum rule_id rule, enum event_verdict kind, enum event_what what, uint32_t cite,
			     enum event_severity severity)
{
	struct verdict n = *v;
	n.rule = (uint32_t)rule;
	n.kind = kind;
	n.what = what;
	n.cite = cite;
	n.severity = (uint8_t)(v->window != POLICY_NONE ? EVENT_INFO : severity);
	return n;
}

static void found(struct detector *d, const struct observation *o, const struct verdict *v, const struct detector_flow *m,
		  enum conduct_finding f, uint64_t value, const struct policy_row_limits *l)
{
	static const char *const what[] = {
		[CONDUCT_CONNECTIONS] = "connections in a minute", [CONDUCT_ASSOCIATIONS] = "associations in a minute",
		[CONDUCT_BYTES] = "bytes on one day", [CONDUCT_SESSION] = "seconds of one session",
		[CONDUCT_IDLE] = "seconds and more of silence in one session",
		[CONDUCT_TOO_MANY_PEERS] = "peers",
	};
	char text[64];
	if (f == CONDUCT_NOTHING)
		return;
	struct buf b = buf_over(text, sizeof(text) - 1);
	buf_printf(&b, "%llu %s", (unsigned long long)value, what[f]);
	text[b.len] = '\0';
	bool peers = f == CONDUCT_TOO_MANY_PEERS;
	struct verdict n = beside(v, peers ? RULE_TOO_MANY_PEERS : RULE_OVER_LIMIT, EVENT_SEEN_DIFFERENTLY,
				  peers ? EVENT_WHAT_PEERS : EVENT_WHAT_LIMIT, l->cite, EVENT_MEDIUM);
	breach(d, o, &n, m, text);
}

/* A flow began by a row: what the row limits. */
static void conduct(struct detector *d, const struct observation *o, const struct verdict *v, const struct detector_flow *m)
{
	struct policy_row_limits l;
	uint64_t value = 0;
	unsigned which = v->device_is_src ? 0 : 1;
	conduct_used(d->conduct, v->device, v->row);
	if (o->head.type != OBSERVATION_FLOW_OPEN)
		return;
	policy_row_limits(d->policy, v->row, o->ts, &l);
	if (l.cite == POLICY_NONE)
		return;
	enum conduct_finding f = conduct_open(d->conduct, v->device, v->row, &l, which ? &o->src.ip : &o->dst.ip, o->ts, &value);
	found(d, o, v, m, f, value, &l);
	if (l.off_hours) {
		struct verdict n = beside(v, RULE_OFF_SCHEDULE, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_SCHEDULE, l.cite, EVENT_MEDIUM);
		breach(d, o, &n, m, NULL);
	}
}

/* The rows by which a flow was judged, when it ends or an association is asked for. */
void detector_judge_later(struct detector *d, const struct observation *o, const struct detector_flow *m)
{
	for (unsigned end = 0; d->policy && end < 2; end++) {
		struct policy_row_limits l;
		uint64_t value = 0;
		if (m->row[end] == POLICY_NONE)
			continue;
		policy_row_limits(d->policy, m->row[end], o->ts, &l);
		struct verdict v = { .device = m->device[end], .device_is_src = end == 0, .confidence = EVENT_CONFIDENCE_HIGH,
				     .row = m->row[end], .window = POLICY_NONE, .control = POLICY_NONE, .answer_cite = POLICY_NONE };
		enum conduct_finding f =
			o->head.type == OBSERVATION_FLOW_END
				? conduct_end(d->conduct, v.device, v.row, &l, o->bytes_out + o->bytes_in,
					      o->ts > o->started ? o->ts - o->started : 0,
					      observation_has(o, OBSERVATION_F_idle_s) ? o->idle_s : 0, o->ts, &value)
				: conduct_association(d->conduct, v.device, v.row, &l, o->ts, &value);
		found(d, o, &v, m, f, value, &l);
	}
}

/* The device's time has run out: one standing event, however much it says (handbook 6.6.2.4). */
void detector_judge_life(struct detector *d, const struct observation *o, const struct detector_flow *m)
{
	static const struct { enum rule_id rule; enum event_severity severity; } says[] = {
		[POLICY_LIFE_LIMITED] = { RULE_LIMITED_SUPPORT, EVENT_INFO },
		[POLICY_LIFE_ENDED] = { RULE_SUPPORT_ENDED, EVENT_MEDIUM },
		[POLICY_LIFE_OFF_NETWORK] = { RULE_NETWORK_USE_ENDED, EVENT_HIGH },
	};
	for (unsigned end = 0; end < 2; end++) {
		struct detector_end who;
		const struct addr *ip = end ? &o->dst.ip : &o->src.ip;
		uint32_t cite, unit = end && !o->answered ? POLICY_NONE : detector_unit(d, ip);
		if (unit == POLICY_NONE)
			continue;
		conduct_met(d->conduct, unit);
		enum policy_life life = policy_unit_life(d->policy, unit, o->ts, &cite);
		if (life == POLICY_LIFE_SUPPORTED)
			continue;
		detector_end_of(d, ip, &who);
		if (life != POLICY_LIFE_OFF_NETWORK &&
		    !detector_fact_is_new(d, &who.ip, says[life].rule, who.host.id, (uint64_t)life))
			continue;
		struct verdict v = { .kind = EVENT_SEEN_DIFFERENTLY, .what = EVENT_WHAT_NONE, .rule = (uint32_t)says[life].rule,
				     .device = unit, .cite = cite, .severity = (uint8_t)says[life].severity,
				     .confidence = EVENT_CONFIDENCE_HIGH, .device_is_src = end == 0, .row = POLICY_NONE,
				     .window = POLICY_NONE, .control = POLICY_NONE, .answer_cite = POLICY_NONE };
		breach(d, o, &v, m, NULL);
	}
}

/* Of what the source of many flows does: whom it reaches and where is left out, unless it is the one reached. */
static unsigned of_hosts(const struct verdict *v) { return v->device_is_src ? ABOUT_THE_HOST : ABOUT_BOTH_HOSTS; }

/* What the site forbids, and what leaves it though its maker says that it does not, is said at once, of the hosts and not of each port. */
static void wait(struct detector *d, const struct observation *o, const struct verdict *v, struct detector_flow *m)
{
	m->waits |= (uint8_t)(1u << (v->device_is_src ? 0 : 1));
	if (v->kind == EVENT_FORBIDDEN || v->rule == RULE_INTERNET)
		breach_of(d, o, v, m, NULL, of_hosts(v));
}

static void judge(struct detector *d, const struct observation *o, const struct verdict *v, struct detector_flow *m,
		  enum detector_when when)
{
	unsigned which = v->device_is_src ? 0 : 1;
	if (!m->worst || rank[v->kind] > rank[m->worst - 1])
		m->worst = (uint8_t)(v->kind + 1);
	if (is_flow(o) && v->row != POLICY_NONE) {
		m->device[which] = v->device;
		m->row[which] = v->row;
		conduct(d, o, v, m);
	}
	if (v->control != POLICY_NONE && !(m->said_control & 1u << which)) {
		uint32_t cite;
		bool by_maker;
		m->said_control |= (uint8_t)(1u << which);
		(void)policy_control_name(d->policy, v->control, &cite, &by_maker);
		struct verdict n = beside(v, RULE_CONTROL_BYPASS, EVENT_FORBIDDEN, EVENT_WHAT_NONE, cite,
					  by_maker ? EVENT_CRITICAL : EVENT_HIGH);
		breach(d, o, &n, m, NULL);
	}
	if (v->answer_cite != POLICY_NONE) {
		struct verdict n = beside(v, (enum rule_id)v->answer, EVENT_SEEN_DIFFERENTLY, EVENT_WHAT_ANSWER, v->answer_cite,
					  EVENT_MEDIUM);
		breach(d, o, &n, m, NULL);
	}
	if (v->kind == EVENT_DECLARED)
		return;
	/* A flow is judged when it opens and again when its protocol is known: one breach per end is enough. */
	if (is_flow(o) && m->said[which])
		return;
	if (when == DETECTOR_MAY_WAIT && is_flow(o) && !is_about_host(v->rule) && detector_waits(d, o)) {
		wait(d, o, v, m);
		return;
	}
	if (is_flow(o) && is_breach(v->kind))
		m->said[which] = (uint8_t)(v->rule + 1);
	if (when == DETECTOR_NOW_OF_HOST) {
		m->of_host |= (uint8_t)(1u << which);
		breach_of(d, o, v, m, NULL, of_hosts(v));
	} else if (when == DETECTOR_NOW_OF_BOTH) {
		breach_of(d, o, v, m, NULL, ABOUT_BOTH_HOSTS);
	} else {
		breach(d, o, v, m, NULL);
	}
}

void detector_judge_all(struct detector *d, struct observation *o, struct detector_flow *m, enum detector_when when)
{
	struct verdict v[POLICY_MAX_VERDICTS];
	struct policy_who ends[2];
	detector_settle(d, o, ends);
	unsigned n = policy_check_who(d->policy, o, ends, v);
	for (unsigned i = 0; i < n; i++)
		judge(d, o, &v[i], m, when);
}

void detector_judge_outlived(struct detector *d, struct observation *o, struct detector_flow *m)
{
	struct verdict v[POLICY_MAX_VERDICTS];
	struct policy_who ends[2];
	o->head.type = OBSERVATION_FLOW_SERVICE;        /* a flow's end says all that this says, and more */
	detector_settle(d, o, ends);
	unsigned n = policy_check_who(d->policy, o, ends, v);
	o->head.type = OBSERVATION_FLOW_END;
	for (unsigned i = 0; i < n; i++)
		if (!m->worst || rank[v[i].kind] > rank[m->worst - 1])
			m->worst = (uint8_t)(v[i].kind + 1);
}

/* Declared rows that units which were seen did not use, once they were watched long enough. */
void detector_judge_unused(struct detector *d, uint64_t now_ns)
{
	uint64_t since = conduct_since(d->conduct);
	if (!d->policy || !since || now_ns < since || now_ns - since < d->c.never_seen_ns)
		return;
	for (uint32_t i = 0; i < policy_devices(d->policy); i++) {
		uint32_t first, n = policy_unit_rows(d->policy, i, &first);
		for (uint32_t row = first; row < first + n; row++) {
			struct span id = policy_row_id(d->policy, row);
			if (!id.n || !conduct_unused(d->conduct, i, row) || !policy_row_in_force(d->policy, row) ||
			    (row > first && span_eq(policy_row_id(d->policy, row - 1), id)))
				continue;
			struct event e;
			detector_event(&e, RULE_NEVER_SEEN, now_ns);
			struct policy_device unit;
			struct policy_cite cite;
			policy_device(d->policy, i, &unit);
			policy_cite(d->policy, policy_row_cite(d->policy, row), &cite);
			event_uint(&e, EVENT_F_ts_first, since);
			event_text(&e, EVENT_F_device, unit.id);
			event_text(&e, EVENT_F_device_type, unit.type);
			event_uint(&e, EVENT_F_verdict, EVENT_NEVER_SEEN);
			event_uint(&e, EVENT_F_confidence, EVENT_CONFIDENCE_MEDIUM);
			event_uint(&e, EVENT_F_authority, cite.authority);
			event_text(&e, EVENT_F_document, cite.document);
			event_text(&e, EVENT_F_revision, cite.revision);
			event_text(&e, EVENT_F_row, cite.row);
			event_text(&e, EVENT_F_said, cite.said);
			event_uint(&e, EVENT_F_generation, d->generation);
			detector_emit(d, &e, EVENT_LANE_TELEMETRY);
		}
	}
	conduct_policy(d->conduct, d->policy, now_ns);
}
