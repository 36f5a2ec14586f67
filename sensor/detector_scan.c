/* detector_scan.c -- flows that came to nothing: whose scans and floods they belong to (sensor/attempts.h), and what is to be said
 * of them.
 *
 * Of a flow that nobody has answered the policy's breach may wait for its end or an answer. A flow that ends as a probe of a scan is told
 * with that; a flow that is answered, or that carries more than a probe, has its breach said after all. What carries on without an
 * answer is said once for a host that scans, not for each port, and once more by itself if it lives on, or has carried more than a probe at
 * its end. */
#include <string.h>

#include "rules/rule.h"
#include "sensor/detector_state.h"

/* SYNs or datagrams that nobody answered, Linux sends six SYNs before it gives up; SYN-ACKs that nobody acknowledged. */
bool detector_is_attempt(const struct observation *o)
{
	enum { ATTEMPT_PACKETS = 7 };
	if (o->half_open)
		return true;
	return !o->answered && !o->midstream && !o->packets_in && o->packets_out <= ATTEMPT_PACKETS &&
	       !addr_is_multicast(&o->dst.ip) && !addr_is_broadcast(&o->dst.ip);
}

/* Bytes that no header explains. How much of a segment is options is not known here: up to the longest header (RFC 9293, 3.1) all of it
 * may be. */
static uint32_t payload_of(const struct observation *o)
{
	enum { UDP_HEADER = 8, TCP_LONGEST = 60 };
	uint64_t ip = addr_is_v4(&o->dst.ip) ? 20 : 40;
	uint64_t headers = o->packets_out * (ip + (o->transport == OBSERVATION_TCP ? TCP_LONGEST : UDP_HEADER));
	uint64_t more = o->bytes_out > headers ? o->bytes_out - headers : 0;
	return more < UINT32_MAX ? (uint32_t)more : UINT32_MAX;
}

/* What tries whether somebody answers, and carries nothing away: TCP without data, datagrams of PROBE_BYTES in all. nmap's payloads for
 * UDP ports (nmap-service-probes) and zmap's are below 300 bytes. */
static bool is_probe(const struct observation *o)
{
	enum { PROBE_BYTES = 512 };
	if (o->transport == OBSERVATION_TCP)
		return !payload_of(o);
	return payload_of(o) <= PROBE_BYTES;
}

/* A refused connection was answered, but in vain. */
static bool is_in_vain(const struct observation *o)
{
	return detector_is_attempt(o) || (o->end == OBSERVATION_END_REFUSED && o->packets_in <= o->packets_out);
}

bool detector_waits(struct detector *d, const struct observation *o)
{
	return !o->answered && !o->midstream && !addr_is_multicast(&o->dst.ip) && !addr_is_broadcast(&o->dst.ip) &&
	       attempts_waits(d->attempts, &o->src.ip, &o->dst.ip, o->dst.port, o->ts);
}

/* One event: of who scans, or who is flooded. */
static struct event event_of(struct detector *d, enum rule_id rule, const struct addr *ip, uint64_t ts_ns, struct detector_end *who)
{
	bool scan = rule == RULE_SCAN;
	struct event e;
	detector_event(&e, rule, ts_ns);
	detector_end_of(d, ip, who);
	detector_put_device(d, &e, who);
	event_uint(&e, EVENT_F_severity, scan ? EVENT_MEDIUM : EVENT_HIGH);
	event_uint(&e, EVENT_F_confidence, EVENT_CONFIDENCE_MEDIUM);
	event_uint(&e, EVENT_F_initiator, scan ? EVENT_INITIATOR_DEVICE : EVENT_INITIATOR_PEER);
	event_uint(&e, EVENT_F_authority, EVENT_AUTH_SENSOR);
	event_uint(&e, EVENT_F_generation, d->generation);
	return e;
}

/* Zeros in place of a hardware address are a router's (detector_settle). */
static struct attempts_try try_of(struct detector *d, const struct observation *o)
{
	static const struct mac zeros;
	struct attempts_try t = { .src = o->src.ip, .dst = o->dst.ip, .port = o->dst.port, .transport = (uint8_t)o->transport,
				  .started_ns = observation_has(o, OBSERVATION_F_started) ? o->started : o->ts, .probe = is_probe(o),
				  .carried = payload_of(o), .known = observation_has(o, OBSERVATION_F_src_mac) };
	if (t.known) {
		t.mac = o->src_mac;
		t.routed = !memcmp(t.mac.b, zeros.b, sizeof(zeros.b)) || routers_is(d->routers, &t.mac);
	}
	return t;
}

/* True when the flow belongs to a scan or a flood; `ret_explains`: to a scan that stands for all that is to be said of it. */
static bool learn(struct detector *d, const struct observation *o, bool *ret_explains)
{
	*ret_explains = false;
	if (!is_in_vain(o))
		return false;
	uint64_t n = 0;
	struct attempts_try t = try_of(d, o);
	enum attempts_what what = attempts_take(d->attempts, &t, &n, ret_explains);
	if (what == ATTEMPTS_NOTHING)
		return false;
	d->stats.v[STATS_attempts_folded]++;
	if (what == ATTEMPTS_FOLDED)
		return true;
	bool scan = what == ATTEMPTS_SCAN;
	struct detector_end who;
	struct event e = event_of(d, scan ? RULE_SCAN : RULE_FLOOD, scan ? &o->src.ip : &o->dst.ip, o->ts, &who);
	event_uint(&e, EVENT_F_transport, o->transport);
	if (!scan)
		event_uint(&e, EVENT_F_port, o->dst.port);
	event_uint(&e, EVENT_F_count, n);
	event_uint(&e, EVENT_F_flow, o->flow);
	detector_put_packet(&e, o);
	detector_accept(d, &e);
	detector_emit(d, &e, EVENT_LANE_ALERTS);
	return true;
}

/* What waited is said, from all that the flow's end says. What is remembered of a flow may have made room: if that would have waited, it
 * is judged again, and a repeat is counted twice. */
static void say_waiting(struct detector *d, struct observation *o, struct detector_flow *m)
{
	bool forgotten = m->outlived && !o->answered && o->transport != OBSERVATION_TCP &&
			 !addr_is_multicast(&o->dst.ip) && !addr_is_broadcast(&o->dst.ip);
	if (!d->policy || !(m->waits || (forgotten && attempts_waits(d->attempts, &o->src.ip, &o->dst.ip, o->dst.port, o->started))))
		return;
	/* Many small datagrams: no attempt, but of a host that scans one more like it. What carries more is told by itself, though it was
	 * taken for one of those before. */
	struct attempts_try t = try_of(d, o);
	bool one_of_many = !o->answered && t.probe && !is_in_vain(o) && attempts_explains(d->attempts, &t);
	for (unsigned end = 0; end < 2; end++)
		if (!one_of_many && (m->of_host >> end & 1))
			m->said[end] = 0;
	o->head.type = OBSERVATION_FLOW_SERVICE;
	/* What comes port by port, a little for each, is told of both hosts. */
	bool of_both = !one_of_many && !o->answered && t.probe && t.carried && attempts_carried(d->attempts, &t);
	detector_judge_all(d, o, m, one_of_many ? DETECTOR_NOW_OF_HOST : of_both ? DETECTOR_NOW_OF_BOTH : DETECTOR_NOW);
	o->head.type = OBSERVATION_FLOW_END;
}

bool detector_attempt(struct detector *d, struct observation *o, struct detector_flow *m)
{
	struct detector_going *g = &d->going[o->flow % DETECTOR_GOING];
	if (g->flow == o->flow)
		g->flow = 0;
	bool explains, folded = learn(d, o, &explains);
	if (!explains)
		say_waiting(d, o, m);
	for (unsigned end = 0; explains && end < 2; end++)
		d->stats.v[STATS_verdicts_folded] += (m->waits >> end & 1) && !m->said[end];
	return folded;
}

/* flow.service of a flow without an answer comes when it has gone on for a while, or just before its end. Only the latter is an
 * attempt, and only what comes next tells which it is. One packet alone does not go on. */
void detector_doubt(struct detector *d, const struct observation *o, const struct detector_flow *m)
{
	if ((m->said[0] && m->said[1]) || !observation_has(o, OBSERVATION_F_one_sided))
		return;
	d->doubts = true;
	d->doubted = *o;
	if (o->service.n > sizeof(d->doubted_service))
		d->doubted.service.n = 0;
	else if (o->service.n)
		memcpy(d->doubted_service, o->service.p, o->service.n);
	d->doubted.service.p = d->doubted_service;
	d->doubted_space = d->space;
	d->doubted.space = d->space ? spaces_name(d->c.spaces, d->space) : (struct span){ 0 };
}

static void remember_going(struct detector *d)
{
	const struct observation *o = &d->doubted;
	struct detector_going *g = &d->going[o->flow % DETECTOR_GOING];
	*g = (struct detector_going){ .flow = o->flow, .ts = o->ts, .packet = o->packet, .head = o->head, .src = o->src, .dst = o->dst,
				      .vlan = (uint16_t)o->vlan, .src_mac = o->src_mac, .dst_mac = o->dst_mac, .file = (uint32_t)o->file,
				      .transport = (uint8_t)o->transport, .initiator_by = (uint8_t)o->initiator_by,
				      .space = d->doubted_space, .service_n = (uint8_t)o->service.n };
	if (o->service.n)
		memcpy(g->service, o->service.p, o->service.n);
}

void detector_doubt_over(struct detector *d, const struct observation *next)
{
	if (!d->doubts || (next && next->flow == d->doubted.flow && next->head.type != OBSERVATION_FLOW_END))
		return;
	d->doubts = false;
	if (!d->policy || (next && next->flow == d->doubted.flow))
		return;
	uint8_t space = d->space;
	d->now_ns = d->doubted.ts;
	detector_space(d, d->doubted_space);
	struct attempts_try t = try_of(d, &d->doubted);
	struct detector_flow *m = detector_flow_of(d, &d->doubted);
	if (!d->doubted.answered && attempts_scans(d->attempts, &t)) {
		remember_going(d);
		detector_judge_all(d, &d->doubted, m, DETECTOR_NOW_OF_HOST);
	} else {
		detector_judge_all(d, &d->doubted, m, DETECTOR_NOW);
	}
	detector_space(d, space);
}

void detector_going_on(struct detector *d, uint64_t watermark_ns)
{
	for (size_t i = 0; d->policy && i < DETECTOR_GOING; i++) {
		struct detector_going *g = &d->going[i];
		if (!g->flow || watermark_ns < g->ts || watermark_ns - g->ts < d->c.fold_ns)
			continue;
		struct observation o = { .head = g->head, .flow = g->flow, .ts = watermark_ns, .packet = g->packet, .file = g->file,
					 .src = g->src, .dst = g->dst, .vlan = g->vlan, .src_mac = g->src_mac, .dst_mac = g->dst_mac,
					 .transport = g->transport, .initiator_by = g->initiator_by, .one_sided = true,
					 .service = { g->service, g->service_n } };
		if (g->space)
			o.space = spaces_name(d->c.spaces, g->space);
		/* What is remembered of it may have made room for another flow. */
		struct detector_flow forgotten = { .flow = g->flow, .client = g->src, .device = { POLICY_NONE, POLICY_NONE },
						   .row = { POLICY_NONE, POLICY_NONE } };
		struct detector_flow *m = &d->flows[g->flow & (d->flow_slots - 1)];
		m = m->flow == g->flow ? detector_flow_of(d, &o) : &forgotten;
		for (unsigned end = 0; end < 2; end++)
			if (m->of_host >> end & 1)
				m->said[end] = 0;
		m->of_host = 0;
		d->now_ns = watermark_ns;
		detector_space(d, g->space);
		detector_judge_all(d, &o, m, DETECTOR_NOW);
		detector_space(d, 0);
		g->flow = 0;
	}
}

void detector_scans(struct detector *d, uint64_t watermark_ns)
{
	struct attempts_scan s;
	for (size_t at = 0; attempts_next(d->attempts, &at, watermark_ns, &s);) {
		struct detector_end who;
		detector_space(d, s.space);
		struct event e = event_of(d, RULE_SCAN, &s.src, s.last_ns, &who);
		event_uint(&e, EVENT_F_ts_first, s.first_ns);
		event_uint(&e, EVENT_F_transport, s.transport);
		event_uint(&e, EVENT_F_count, s.count);
		detector_accept(d, &e);
		detector_emit(d, &e, EVENT_LANE_ALERTS);
		detector_space(d, 0);
	}
}
