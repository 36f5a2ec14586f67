/* Flows begin, make room for others and end. */
#include "sensor/shard_run.h"

void shard_flow_end(struct shard_run *r, uint64_t why)
{
	struct shard_conn *c = r->c;
	unsigned first = c->initiator;
	for (unsigned k = 0; k < 2 && (c->phase == SHARD_PHASE_PROBING || c->phase == SHARD_PHASE_DISSECTING); k++) {
		unsigned dir = k ^ first;
		struct stream_segment rest = { .flush = true };
		shard_read_drain(r, dir, &rest);
		if (!c->s[dir].finished)
			shard_read_finish(r, dir);
	}
	if (c->phase == SHARD_PHASE_PROBING)
		shard_read_give_up(r);
	if (c->phase != SHARD_PHASE_DONE)
		shard_read_stop(r);
	if (c->data[0] || c->data[1])
		shard_say_service(r);
	struct observation o = shard_say_flow(r, OBSERVATION_FLOW_END);
	unsigned from = c->initiator;
	if (c->said_service)
		observation_text(&o, OBSERVATION_F_service, span_str(shard_say_service_name(r)));
	observation_uint(&o, OBSERVATION_F_started, c->started_ns);
	observation_uint(&o, OBSERVATION_F_packets_out, r->f->packets[from]);
	observation_uint(&o, OBSERVATION_F_packets_in, r->f->packets[!from]);
	observation_uint(&o, OBSERVATION_F_bytes_out, r->f->bytes[from]);
	observation_uint(&o, OBSERVATION_F_bytes_in, r->f->bytes[!from]);
	observation_uint(&o, OBSERVATION_F_gap_bytes, c->gap_bytes);
	observation_uint(&o, OBSERVATION_F_end, why);
	if (c->conflicts)
		observation_uint(&o, OBSERVATION_F_conflicts, c->conflicts);
	shard_say_put(r, &o);
	c->ended = true;
	/* Syslog and its like are never answered, and still more than an attempt. */
	bool attempt = !c->answered && (r->f->key.proto != DECODE_TCP ? r->f->packets[0] + r->f->packets[1] == 1
									: !c->data[0] && !c->data[1]);
	r->h->st.v[why == OBSERVATION_END_IDLE      ? STATS_flows_idle
		   : why == OBSERVATION_END_CAPTURE ? STATS_flows_at_end
		   : why != OBSERVATION_END_EVICTED ? STATS_flows_closed
		   : attempt                        ? STATS_attempts_evicted
						    : STATS_flows_evicted]++;
}

/* The run for a flow that ends by itself: observations name its last packet. */
static struct shard_run run_for(const struct shard_run *r, uint32_t i)
{
	struct shard_run x = *r;
	x.i = i;
	x.f = flow_at(r->h->table, i);
	x.c = &r->h->conns[i];
	x.ts_ns = x.f->last_ns;
	x.number = x.f->last_number;
	x.file = x.f->last_file;
	return x;
}

/* Ends flow i, if it has not ended yet, and forgets it. */
void shard_flow_retire(const struct shard_run *r, uint32_t i, uint64_t why)
{
	struct shard_run x = run_for(r, i);
	if (!x.c->ended)
		shard_flow_end(&x, x.c->fin[0] && x.c->fin[1] ? OBSERVATION_END_CLOSED : why);
	flow_remove(r->h->table, i);
}

/* Makes room: what is over, then what nobody answered, then what has been idle longest. */
static void evict(const struct shard_run *r)
{
	const struct flow_table *t = r->h->table;
	uint32_t i = FLOW_NONE;
	for (int list = FLOW_CLOSED; list <= FLOW_UDP_ASKING && i == FLOW_NONE; list++)
		i = flow_oldest(t, (enum flow_list)list);
	if (i == FLOW_NONE) {
		uint32_t udp = flow_oldest(t, FLOW_UDP);
		i = flow_oldest(t, FLOW_TCP);
		if (i == FLOW_NONE || (udp != FLOW_NONE && flow_at(t, udp)->last_ns < flow_at(t, i)->last_ns))
			i = udp;
	}
	shard_flow_retire(r, i, OBSERVATION_END_EVICTED);
}

static bool known_port(const struct shard_run *r, uint16_t port)
{
	for (unsigned k = 0; k < r->h->n_dissectors; k++)
		for (size_t p = 0; p < 8 && r->h->c.dissectors[k]->ports[p]; p++)
			if (r->h->c.dissectors[k]->ports[p] == port)
				return true;
	return port < 1024;
}

static void guess_initiator(struct shard_run *r, unsigned first_sender)
{
	struct shard_conn *c = r->c;
	const uint16_t *port = r->f->key.port;
	bool known[2] = { known_port(r, port[0]), known_port(r, port[1]) };
	c->by = OBSERVATION_BY_PORT;
	if (known[0] != known[1])
		c->initiator = known[0];
	else if (known[0] && port[0] != port[1])
		c->initiator = port[0] < port[1];
	else {
		c->by = OBSERVATION_BY_FIRST_PACKET;
		c->initiator = (uint8_t)first_sender;
	}
}

void shard_flow_start_at(struct shard_conn *c, unsigned side, uint32_t seq)
{
	c->start_known[side] = true;
	c->first_seq[side] = seq;
	stream_start(&c->s[side], seq);
}

void shard_flow_create(struct shard_run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	struct flow_table *t = r->h->table;
	enum flow_list list = d->kind != DECODE_TCP ? FLOW_UDP_ASKING : FLOW_TCP;
	bool syn = d->kind == DECODE_TCP && d->flags & DECODE_SYN;
	if (syn && !(d->flags & DECODE_ACK))
		list = FLOW_HALF_OPEN;
	r->i = flow_add(t, &p->key, p->hash, list, p->ts_ns);
	if (r->i == FLOW_NONE) {
		evict(r);
		r->i = flow_add(t, &p->key, p->hash, list, p->ts_ns);
	}
	r->h->st.v[STATS_flows]++;
	r->f = flow_at(t, r->i);
	r->f->number = p->seq;
	struct shard_conn *c = r->c = &r->h->conns[r->i];
	*c = (struct shard_conn){ .started_ns = p->ts_ns, .vlan = d->vlan, .client = DISSECT_CLIENT_UNKNOWN };
	if (d->kind != DECODE_TCP) {
		c->by = OBSERVATION_BY_FIRST_PACKET;
		c->initiator = (uint8_t)p->side;
	} else if (syn) {
		bool ack = d->flags & DECODE_ACK;
		c->by = OBSERVATION_BY_HANDSHAKE;
		c->initiator = (uint8_t)(ack ? !p->side : p->side);
		shard_flow_start_at(c, p->side, d->seq + 1);
		if (ack)
			shard_flow_start_at(c, !p->side, d->ack);
		c->answered = ack;
	} else {
		c->midstream = true;
		guess_initiator(r, p->side);
	}
}
