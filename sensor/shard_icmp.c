/* ICMP errors: they quote a packet, and the flow of that packet is what they are about. */
#include "sensor/shard_run.h"

/* RFC 1122, 3.2.2.1 and RFC 4443, 3.1: nobody there, nobody listening, or not allowed. "Too big" is no refusal. */
static bool unreachable(const struct decode *d)
{
	return addr_is_v4(&d->src) ? d->icmp_type == 3 && d->icmp_code != 4 : d->icmp_type == 1;
}

/* Anybody can send one, so it ends nothing but an attempt that is still unanswered, and for TCP only one that knows the
 * number of the SYN (RFC 5927, 4.1). */
void shard_icmp_error(struct shard_run *r, const struct shard_packet *p)
{
	uint64_t *v = r->h->st.v;
	if (r->i == FLOW_NONE) {
		v[STATS_icmp_of_none]++;
		return;
	}
	v[STATS_icmp_of_flows]++;
	const struct flow *f = r->f;
	const struct decode *d = p->d;
	if (f->ended || f->answered || f->midstream || p->side != f->initiator || !unreachable(d))
		return;
	if (d->quoted == DECODE_TCP && (!f->side[p->side].start_known || d->seq + 1 != f->side[p->side].first_seq))
		return;
	v[STATS_icmp_refusals]++;
	shard_read_resume(r);
	shard_flow_end(r, OBSERVATION_END_REFUSED);
	flow_touch(r->h->table, r->i, FLOW_CLOSED, p->ts_ns);
}
