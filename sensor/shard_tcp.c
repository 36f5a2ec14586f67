/* One TCP packet: what it means to its flow (RFC 9293). */
#include "sensor/shard_run.h"

/* FIN and RST from off the path do not know the sequence numbers: outside of this much around what we saw
 * they are not believed. Wide, because the capture may have lost packets. */
enum { CONTROL_BEHIND = 64 << 10, CONTROL_AHEAD = 1 << 24 };

static int32_t ahead(uint32_t a, uint32_t b)
{
	uint32_t d = b - a;
	return d < UINT32_C(0x80000000) ? (int32_t)d : -(int32_t)(UINT32_MAX - d) - 1;
}

/* A SYN-ACK of the called side to the SYN of a flow that was refused: what refused it (a reset, an ICMP error) was not from there, and
 * the connection goes on. Not one that it had sent before, again. */
static bool accepts_after_all(const struct flow *f, const struct shard_packet *p)
{
	const struct flow_side *caller = &f->side[!p->side], *called = &f->side[p->side];
	return f->ended && p->side != f->initiator && !caller->data && !called->data && caller->start_known &&
	       p->d->ack == caller->first_seq && !(called->start_known && p->d->seq + 1 == called->first_seq);
}

/* True when packet p begins another connection between the same ends: a SYN after the last one has ended, or a SYN-ACK that answers
 * a SYN which is not this flow's, or one that was said to be refused. A lone SYN on a living flow proves nothing (RFC 5961, 4). */
bool shard_tcp_is_another(const struct flow *f, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	if (d->kind != DECODE_TCP || !(d->flags & DECODE_SYN) || d->flags & DECODE_RST)
		return false;
	if (!(d->flags & DECODE_ACK))
		return f->ended || (f->side[0].fin && f->side[1].fin);
	if (f->midstream || accepts_after_all(f, p))
		return true;
	return f->answered && f->side[p->side].start_known && f->side[!p->side].start_known &&
	       d->seq + 1 != f->side[p->side].first_seq && ahead(f->side[!p->side].first_seq, d->ack) != 0;
}

/* FIN and RST are believed near the place where the stream is. */
static bool plausible(const struct shard_run *r, unsigned side, uint32_t seq)
{
	if (!r->f->side[side].end_known)
		return true;
	int32_t d = ahead(r->f->side[side].end_seq, seq);
	return d >= -CONTROL_BEHIND && d <= CONTROL_AHEAD;
}

/* False for what the called side cannot have sent to the SYN that was seen (RFC 9293, 3.10.7.3): late packets of an
 * earlier connection between the same ports, and forged ones. */
static bool answers(const struct flow *f, const struct decode *d, unsigned side)
{
	if (f->midstream || side == f->initiator || f->side[side].start_known || !f->side[!side].start_known)
		return true;
	int32_t n = ahead(f->side[!side].first_seq, d->ack);
	return d->flags & DECODE_ACK && n >= 0 && n <= CONTROL_AHEAD;
}

static void tcp_reset(struct shard_run *r, unsigned side, uint64_t now_ns)
{
	const struct flow *f = r->f;
	bool refused_by = !f->answered && !f->midstream && side != f->initiator;
	/* A SYN-ACK that its receiver resets: nobody forged that one's address, and the port is open (a half-open scan). */
	if (f->answered && !f->midstream && side == f->initiator)
		shard_say_open(r);
	shard_flow_end(r, refused_by ? OBSERVATION_END_REFUSED : OBSERVATION_END_RESET);
	flow_touch(r->h->table, r->i, FLOW_CLOSED, now_ns);
}

/* SYN and SYN-ACK of the flow there is; false when the packet means nothing to it. */
static bool tcp_syn(struct shard_run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	struct flow *f = r->f;
	unsigned side = p->side;
	uint32_t first = d->seq + 1;
	if (d->flags & DECODE_ACK) {
		/* Data on the SYN may be acknowledged with it (RFC 7413): up to a segment ahead. */
		if (side == f->initiator || !f->side[!side].start_known)
			return false;
		int32_t n = ahead(f->side[!side].first_seq, d->ack);
		if (n < 0 || n > 65535 || (f->side[side].start_known && f->side[side].first_seq != first))
			return false;
		if (!f->side[side].start_known)
			shard_flow_start_at(r, side, first);
		f->answered = true;
		return true;
	}
	if (f->side[side].start_known && f->side[side].first_seq == first)
		return true;                    /* sent again */
	if (f->answered || f->midstream || side != f->initiator || f->side[side].data)
		return false;
	/* Nobody answered; tried again with another number. */
	f->side[side].end_known = false;
	shard_flow_start_at(r, side, first);
	return true;
}

/* What the packet carries and acknowledges, for who reads the flow. `seq`: of its first byte; `fin`: one is believed behind them. */
__attribute__((always_inline))
static inline void read_bytes(struct shard_run *r, const struct shard_packet *p, uint32_t seq, bool fin)
{
	const struct decode *d = p->d;
	unsigned side = p->side, other = !side;
	bool ack = d->flags & DECODE_ACK;
	uint32_t end = seq + d->payload_wire;
	if (r->c) {
		struct shard_reader *c = r->c;
		if (ack && c->s[other].started)
			stream_ack(r->h->pool, &c->s[other], d->ack);
		if (fin)
			stream_fin(&c->s[side], end);
		if (d->payload.n && d->payload.n == d->payload_wire && !fin && stream_is_next(&c->s[side], seq)) {
			shard_read_next(r, side, d->payload);
		} else if (d->payload_wire || fin) {
			struct stream_segment seg = { .seq = seq, .bytes = d->payload,
						      .missing = d->payload_wire - (uint32_t)d->payload.n };
			uint64_t conflicts = r->h->st.v[STATS_stream_conflicts];
			stream_push(r->h->pool, &c->s[side], &seg, &r->h->st);
			if (r->h->st.v[STATS_stream_conflicts] != conflicts)
				shard_say_conflict(r, side);
			shard_read_drain(r, side, &seg);
		}
		if (r->c && r->c->s[other].kept && stream_waiting_n(r->h->pool, &r->c->s[other])) {
			struct stream_segment none = { 0 };
			shard_read_drain(r, other, &none);
		}
		if (r->c && (d->payload_wire || fin))
			shard_read_rest(r);
	} else {
		r->h->st.v[STATS_stream_unread_bytes] += d->payload.n;
		shard_guess_show(r, side, d->payload);
	}
}

/* A packet that does nothing but acknowledge and perhaps carry, of a connection that stands and has carried something. */
static inline bool is_plain(const struct shard_run *r, const struct shard_packet *p)
{
	enum { CONTROL = DECODE_SYN | DECODE_FIN | DECODE_RST | DECODE_ACK };
	return (p->d->flags & CONTROL) == DECODE_ACK && r->f->side[p->side].plain && !r->h->general;
}

/* Whether what such a packet would find out about its flow has been found out. Only shard_tcp_packet() changes that. */
static void settle_plain(struct flow *f)
{
	bool both = f->list == FLOW_TCP && f->settled && f->opened && f->phase != SHARD_PHASE_QUIET && f->side[0].start_known &&
		    f->side[1].start_known && !f->side[0].fin && !f->side[1].fin;
	f->side[0].plain = both && f->side[0].end_known;
	f->side[1].plain = both && f->side[1].end_known;
}

/* What is left of shard_tcp_packet() for those. */
static void plain(struct shard_run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	struct flow *f = r->f;
	struct flow_side *from = &f->side[p->side];
	uint32_t end = d->seq + d->payload_wire;
	if (ahead(from->end_seq, end) > 0)
		from->end_seq = end;
	if (d->payload_wire)
		from->data = true;
	read_bytes(r, p, d->seq, false);
	flow_touch(r->h->table, r->i, FLOW_TCP, p->ts_ns);
}

void shard_tcp_packet(struct shard_run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	struct flow *f = r->f;
	unsigned side = p->side, other = !side;
	if (is_plain(r, p)) {
		plain(r, p);
		return;
	}
	bool syn = d->flags & DECODE_SYN, ack = d->flags & DECODE_ACK;
	uint32_t seq = d->seq + (syn ? 1 : 0), end = seq + d->payload_wire;
	if (d->flags & DECODE_RST) {
		r->h->st.v[STATS_stream_unread_bytes] += d->payload.n;
		if (plausible(r, side, d->seq) && answers(f, d, side))
			tcp_reset(r, side, p->ts_ns);
		return;
	}
	if (syn ? !tcp_syn(r, p) : !answers(f, d, side)) {
		r->h->st.v[STATS_stream_unread_bytes] += d->payload.n;
		return;
	}
	bool was_closing = f->side[0].fin && f->side[1].fin;
	bool fin = d->flags & DECODE_FIN && plausible(r, side, end);
	if (!f->side[side].end_known || ahead(f->side[side].end_seq, end) > 0)
		f->side[side].end_seq = end;
	f->side[side].end_known = true;
	/* The called side has accepted when it says anything, and also when the other one acknowledges: TCP does so
	 * only in a synchronized state (RFC 9293, 3.10.7.3), and the answer itself may not have been captured. */
	if (!syn && (side != f->initiator || ack))
		f->answered = f->settled = true;
	/* The third packet of the handshake says where the second one, which was lost, began. */
	if (!syn && ack && side == f->initiator && !f->side[other].start_known && !f->midstream &&
	    d->seq == f->side[side].first_seq)
		shard_flow_start_at(r, other, d->ack);
	if (d->payload_wire)
		f->side[side].data = true;
	/* Not with the SYN-ACK: whoever floods with forged addresses gets as many of those as it likes, and never takes one. */
	if ((f->settled && !f->midstream) || d->payload_wire)
		shard_say_open(r);

	/* Of interest too: the other side has received what was not captured. */
	bool missed = ack && f->side[other].start_known && ahead(f->side[other].first_seq, d->ack) > 1;
	if (f->phase == SHARD_PHASE_QUIET && (d->payload_wire || fin || (missed && !r->c)))
		shard_read_start(r, d->payload_wire > 0);
	read_bytes(r, p, seq, fin);
	if (fin)
		f->side[side].fin = true;
	bool closing = f->side[0].fin && f->side[1].fin;
	bool read = !r->c || (r->c->s[0].finished && r->c->s[1].finished);
	if (closing && was_closing && read && ack && !d->payload_wire && !fin)
		shard_flow_end(r, OBSERVATION_END_CLOSED);
	enum { ONE_SIDED = 8 };         /* so many packets of one direction are a session whose other one is not captured */
	bool spoken = f->midstream ? (f->side[0].packets && f->side[1].packets) || f->side[side].packets >= ONE_SIDED
				   : f->side[0].data || f->side[1].data;
	enum flow_list list = closing || f->ended            ? FLOW_CLOSED
			      : !f->settled && !f->midstream ? FLOW_HALF_OPEN
			      : spoken                       ? FLOW_TCP
							     : FLOW_TCP_BARE;
	flow_touch(r->h->table, r->i, list, p->ts_ns);
	settle_plain(f);
}
