/* Flows begin, make room for others and end. */
#include "sensor/shard_run.h"

void shard_flow_silence(struct shard_run *r, uint64_t ns)
{
	unsigned step = flow_idle_step(ns);
	if (step > shard_rest(r)->idle)
		shard_rest(r)->idle = step & 15;
}

void shard_flow_end(struct shard_run *r, uint64_t why)
{
	struct flow *f = r->f;
	const struct flow_rest *rest_of = shard_rest(r);
	unsigned first = f->initiator;
	bool streams = f->key.proto == DECODE_TCP;
	for (unsigned k = 0; streams && k < 2 && r->c; k++) {
		unsigned dir = k ^ first;
		struct stream_segment rest = { .flush = true };
		shard_read_drain(r, dir, &rest);
		if (r->c && !r->c->s[dir].finished)
			shard_read_finish(r, dir);
	}
	if (f->phase == SHARD_PHASE_PROBING)
		shard_read_give_up(r);
	if (f->phase != SHARD_PHASE_DONE)
		shard_read_stop(r);
	if (f->side[0].data || f->side[1].data)
		shard_say_service(r);
	shard_guess_end(r);
	struct observation o;
	shard_say_flow(r, OBSERVATION_FLOW_END, &o);
	unsigned from = f->initiator;
	if (f->said_service)
		SHARD_SAY(&o, service, shard_say_service_name(r));
	SHARD_SAY(&o, started, rest_of->started_ns);
	SHARD_SAY(&o, packets_out, f->side[from].packets);
	SHARD_SAY(&o, packets_in, f->side[!from].packets);
	SHARD_SAY(&o, bytes_out, f->side[from].bytes);
	SHARD_SAY(&o, bytes_in, f->side[!from].bytes);
	SHARD_SAY(&o, gap_bytes, rest_of->gap_bytes);
	SHARD_SAY(&o, end, why);
	if (rest_of->conflicts)
		SHARD_SAY(&o, conflicts, rest_of->conflicts);
	if (f->key.proto == DECODE_TCP && f->answered && !f->settled)
		SHARD_SAY(&o, half_open, true);
	if (f->unread)
		SHARD_SAY(&o, unread, true);
	/* Whoever did not close was silent until its time ran out. */
	if (why == OBSERVATION_END_IDLE && f->list == FLOW_TCP)
		shard_flow_silence(r, r->h->c.tcp_idle_ns);
	if (shard_rest(r)->idle)
		SHARD_SAY(&o, idle_s, flow_idle_s(shard_rest(r)->idle));
	shard_say_put(r, &o);
	f->ended = true;
	/* Syslog and its like are never answered, and still more than an attempt. */
	bool attempt = !(f->key.proto != DECODE_TCP ? f->answered : f->settled) &&
		       (f->key.proto != DECODE_TCP ? f->side[0].packets + f->side[1].packets == 1
									: !f->side[0].data && !f->side[1].data);
	r->h->st.v[why == OBSERVATION_END_IDLE      ? STATS_flows_idle
		   : why == OBSERVATION_END_CAPTURE ? STATS_flows_at_end
		   : why != OBSERVATION_END_EVICTED ? STATS_flows_closed
		   : attempt                        ? STATS_attempts_evicted
						    : STATS_flows_evicted]++;
}

/* The run for a flow that ends by itself: observations name its last packet. */
struct shard_run shard_flow_run(const struct shard_run *r, uint32_t i)
{
	struct shard_run x = *r;
	x.i = i;
	x.f = flow_at(r->h->table, i);
	shard_read_resume(&x);
	x.ts_ns = x.f->last_ns;
	x.number = x.f->last_number;
	x.file = x.f->last_file;
	return x;
}

/* Ends flow i, if it has not ended yet, and forgets it. */
void shard_flow_retire(const struct shard_run *r, uint32_t i, uint64_t why)
{
	struct shard_run x = shard_flow_run(r, i);
	if (!x.f->ended)
		shard_flow_end(&x, x.f->side[0].fin && x.f->side[1].fin ? OBSERVATION_END_CLOSED : why);
	flow_remove(r->h->table, i);
}

/* Makes room: what is over, then what was never more than an attempt, then TCP that has carried nothing, then what has been
 * idle longest. So neither a flood of SYNs, answered or not, nor one of packets of no connection costs a session. */
static void evict(const struct shard_run *r)
{
	const struct flow_table *t = r->h->table;
	uint32_t i = FLOW_NONE;
	for (int list = FLOW_CLOSED; list <= FLOW_TCP_BARE && i == FLOW_NONE; list++)
		i = flow_oldest(t, (enum flow_list)list);
	if (i == FLOW_NONE) {
		uint32_t udp = flow_oldest(t, FLOW_UDP);
		i = flow_oldest(t, FLOW_TCP);
		if (i == FLOW_NONE || (udp != FLOW_NONE && flow_at(t, udp)->last_ns < flow_at(t, i)->last_ns))
			i = udp;
	}
	shard_flow_retire(r, i, OBSERVATION_END_EVICTED);
}

static bool known_port(const struct shard_run *r, uint16_t port) { return port < 1024 || order_has_port(r->h->order, port); }

static void guess_initiator(struct shard_run *r, unsigned first_sender)
{
	struct flow *f = r->f;
	const uint16_t *port = f->key.port;
	bool known[2] = { known_port(r, port[0]), known_port(r, port[1]) };
	f->by = OBSERVATION_BY_PORT;
	if (known[0] != known[1])
		f->initiator = known[0] & 1;
	else if (known[0] && port[0] != port[1])
		f->initiator = (port[0] < port[1]) & 1;
	else {
		f->by = OBSERVATION_BY_FIRST_PACKET;
		f->initiator = first_sender & 1;
	}
}

void shard_flow_start_at(struct shard_run *r, unsigned side, uint32_t seq)
{
	r->f->side[side].start_known = true;
	r->f->side[side].first_seq = seq;
	if (r->c)
		stream_start(&r->c->s[side], seq);
}

void shard_flow_create(struct shard_run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	struct flow_table *t = r->h->table;
	bool syn = d->kind == DECODE_TCP && d->flags & DECODE_SYN;
	enum flow_list list = d->kind != DECODE_TCP ? FLOW_UDP_ASKING : syn ? FLOW_HALF_OPEN : FLOW_TCP_BARE;
	r->i = flow_add(t, &p->key, p->hash, list, p->ts_ns);
	if (r->i == FLOW_NONE) {
		evict(r);
		r->i = flow_add(t, &p->key, p->hash, list, p->ts_ns);
	}
	r->h->st.v[STATS_flows]++;
	struct flow *f = r->f = flow_at(t, r->i);
	struct flow_rest *rest = shard_rest(r);
	rest->number = p->seq & FLOW_48;
	rest->vlan = d->vlan & 0xfffu;
	rest->started_ns = p->ts_ns;
	r->c = NULL;
	if (d->kind != DECODE_TCP) {
		f->by = OBSERVATION_BY_FIRST_PACKET;
		f->initiator = p->side & 1;
	} else if (syn) {
		bool ack = d->flags & DECODE_ACK;
		f->by = OBSERVATION_BY_HANDSHAKE;
		f->initiator = (ack ? !p->side : p->side) & 1;
		shard_flow_start_at(r, p->side, d->seq + 1);
		if (ack)
			shard_flow_start_at(r, !p->side, d->ack);
		f->answered = ack;
	} else {
		f->midstream = true;
		guess_initiator(r, p->side);
	}
}
