/* UDP, and SCTP, of which the ports are known: who answers, and when what is spoken is told. */
#include "sensor/shard_run.h"

/* A flow that nobody answers, and that may never end, has its service told after some datagrams: syslog, monitors. */
enum { ALONE = 8 };

void shard_udp_packet(struct shard_run *r, const struct shard_packet *p)
{
	struct flow *f = r->f;
	f->answered |= p->side != f->initiator;
	/* A question and its answer are soon over, and whoever floods a name server gets as many of those as it likes. */
	bool lasting = f->answered && f->side[0].packets + f->side[1].packets > 2;
	flow_touch(r->h->table, r->i, lasting ? FLOW_UDP : FLOW_UDP_ASKING, p->ts_ns);
	shard_say_open(r);
	if (!p->d->payload_wire)
		return;
	f->side[p->side].data = true;
	shard_read_datagram(r, p);
	if (f->key.proto == DECODE_UDP && f->service == SHARD_SERVICE_UNKNOWN && shard_guess_begin(r))
		shard_guess_show(r, p->side, p->d->payload);
	/* Content may have said that it is the server who spoke first. */
	f->answered |= p->side != f->initiator;
	if (f->answered && f->said_early)
		f->said_early = f->said_service = false;
	bool early = !f->answered && f->side[p->side].packets >= ALONE && !f->said_service;
	f->said_early |= early;
	if (f->answered || early)
		shard_say_service(r);
}
