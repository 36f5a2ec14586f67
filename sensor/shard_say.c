/* What a flow says: observations, packed into the output of the worker. */
#include <string.h>

#include "sensor/recognise.h"
#include "sensor/shard_run.h"
#include "sensor/spaces.h"

void shard_say_put(struct shard_run *r, const struct observation *o)
{
	struct stats *st = &r->h->st;
	struct buf *b = &r->out->bytes;
	struct buf room = *b;
	struct shard_record head = { .seq = r->seq, .shard = r->h->c.id };
	if (room.cap > r->mark + SHARD_OUTPUT)
		room.cap = r->mark + SHARD_OUTPUT;
	size_t at = room.len;
	st->v[STATS_observations_made]++;
	if (buf_put(&room, &head, sizeof(head)) || vocab_pack(&observation_vocab, &o->head, &room)) {
		st->v[STATS_observations_dropped]++;
		return;
	}
	head.n = (uint32_t)(room.len - at - sizeof(head));
	memcpy(b->data + at, &head, sizeof(head));
	b->len = room.len;
	bool flow = o->head.type == OBSERVATION_FLOW_OPEN || o->head.type == OBSERVATION_FLOW_SERVICE ||
		    o->head.type == OBSERVATION_FLOW_END;
	st->v[flow ? STATS_flow_observations : STATS_observations]++;
}

void shard_say_place(const struct shard_run *r, struct observation *o, unsigned from)
{
	const struct flow_key *k = &r->f->key;
	SHARD_SAY(o, packet, r->number);
	if (r->file)
		SHARD_SAY(o, file, r->file);
	SHARD_SAY(o, ts, r->ts_ns);
	SHARD_SAY(o, src, ((struct endpoint){ k->ip[from], k->port[from] }));
	SHARD_SAY(o, dst, ((struct endpoint){ k->ip[!from], k->port[!from] }));
	SHARD_SAY(o, flow, shard_rest(r)->number);
	if (k->space && r->h->c.spaces)
		SHARD_SAY(o, space, spaces_name(r->h->c.spaces, k->space));
}

uint64_t shard_say_transport(const struct shard_run *r)
{
	switch (r->f->key.proto) {
	case DECODE_TCP:
		return OBSERVATION_TCP;
	case DECODE_UDP:
		return OBSERVATION_UDP;
	default:
		return OBSERVATION_OTHER;
	}
}

struct span shard_say_service_name(const struct shard_run *r)
{
	unsigned s = r->f->service;
	const char *name = "unknown";
	if (s >= SHARD_SERVICE_DISSECTED)
		name = r->h->c.dissectors[s - SHARD_SERVICE_DISSECTED]->name;
	else if (s >= SHARD_SERVICE_RECOGNISED)
		name = recognise_name((enum recognise_service)(s - SHARD_SERVICE_RECOGNISED + 1));
	return span_str(name);
}

void shard_say_flow(const struct shard_run *r, enum observation_type type, struct observation *o)
{
	const struct flow *f = r->f;
	const struct flow_rest *rest = shard_rest(r);
	unsigned from = f->initiator;
	shard_say_begin(o, type);
	shard_say_place(r, o, from);
	SHARD_SAY(o, transport, shard_say_transport(r));
	SHARD_SAY(o, initiator_by, f->by);
	if (f->side[from].mac_by)
		SHARD_SAY(o, src_mac, rest->mac[from]);
	if (f->side[!from].mac_by)
		SHARD_SAY(o, dst_mac, rest->mac[!from]);
	if (rest->vlan)
		SHARD_SAY(o, vlan, rest->vlan);
	SHARD_SAY(o, midstream, f->midstream);
	/* After one packet nobody can say yet. */
	if (f->side[0].packets + f->side[1].packets > 1 || type == OBSERVATION_FLOW_END)
		SHARD_SAY(o, one_sided, !f->side[0].packets || !f->side[1].packets);
	SHARD_SAY(o, answered, f->answered);
}

void shard_say_open(struct shard_run *r)
{
	if (r->f->opened)
		return;
	r->f->opened = true;
	struct observation o;
	shard_say_flow(r, OBSERVATION_FLOW_OPEN, &o);
	shard_say_put(r, &o);
}

void shard_say_service(struct shard_run *r)
{
	if (r->f->said_service)
		return;
	r->f->said_service = true;
	struct observation o;
	shard_say_flow(r, OBSERVATION_FLOW_SERVICE, &o);
	SHARD_SAY(&o, service, shard_say_service_name(r));
	/* Why it may be called unknown and is not. */
	if (shard_rest(r)->gap_bytes)
		SHARD_SAY(&o, gap_bytes, shard_rest(r)->gap_bytes);
	if (r->f->unread)
		SHARD_SAY(&o, unread, true);
	shard_say_put(r, &o);
	shard_guess_tell(r);
}

void shard_say_malformed(struct shard_run *r, unsigned dir, uint64_t reason)
{
	if (r->f->said_malformed)
		return;
	r->f->said_malformed = true;
	struct observation o;
	shard_say_begin(&o, OBSERVATION_MALFORMED);
	shard_say_place(r, &o, dir);
	SHARD_SAY(&o, transport, shard_say_transport(r));
	SHARD_SAY(&o, service, shard_say_service_name(r));
	SHARD_SAY(&o, reason, reason);
	shard_say_put(r, &o);
}

/* Once a direction; what comes after is told with the end of the flow. */
void shard_say_conflict(struct shard_run *r, unsigned dir)
{
	struct flow_rest *rest = shard_rest(r);
	if (rest->conflicts < UINT16_MAX)
		rest->conflicts++;
	if (r->f->side[dir].said_conflict)
		return;
	r->f->side[dir].said_conflict = true;
	struct observation o;
	shard_say_begin(&o, OBSERVATION_STREAM_CONFLICT);
	shard_say_place(r, &o, dir);
	SHARD_SAY(&o, transport, shard_say_transport(r));
	SHARD_SAY(&o, conflicts, rest->conflicts);
	shard_say_put(r, &o);
}
