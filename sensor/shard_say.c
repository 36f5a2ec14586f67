/* What a flow says: observations, packed into the output of the worker. */
#include <string.h>

#include "sensor/recognise.h"
#include "sensor/shard_run.h"

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

static struct endpoint end_of(const struct shard_run *r, unsigned side)
{
	return (struct endpoint){ r->f->key.ip[side], r->f->key.port[side] };
}

void shard_say_place(const struct shard_run *r, struct observation *o, unsigned from)
{
	struct endpoint src = end_of(r, from), dst = end_of(r, !from);
	observation_uint(o, OBSERVATION_F_packet, r->number);
	if (r->file)
		observation_uint(o, OBSERVATION_F_file, r->file);
	observation_uint(o, OBSERVATION_F_ts, r->ts_ns);
	vocab_set_endpoint(&observation_vocab, &o->head, OBSERVATION_F_src, &src);
	vocab_set_endpoint(&observation_vocab, &o->head, OBSERVATION_F_dst, &dst);
	observation_uint(o, OBSERVATION_F_flow, shard_rest(r)->number);
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

const char *shard_say_service_name(const struct shard_run *r)
{
	unsigned s = r->f->service;
	if (s >= SHARD_SERVICE_DISSECTED)
		return r->h->c.dissectors[s - SHARD_SERVICE_DISSECTED]->name;
	if (s >= SHARD_SERVICE_RECOGNISED)
		return recognise_name((enum recognise_service)(s - SHARD_SERVICE_RECOGNISED + 1));
	return "unknown";
}

/* What flow.open, flow.service and flow.end have in common. src is the side that opened the flow. */
struct observation shard_say_flow(const struct shard_run *r, enum observation_type type)
{
	const struct flow *f = r->f;
	const struct flow_rest *rest = shard_rest(r);
	unsigned from = f->initiator;
	struct observation o = { .head.type = (uint16_t)type };
	shard_say_place(r, &o, from);
	observation_uint(&o, OBSERVATION_F_transport, shard_say_transport(r));
	observation_uint(&o, OBSERVATION_F_initiator_by, f->by);
	if (f->side[from].mac_by)
		vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &rest->mac[from]);
	if (f->side[!from].mac_by)
		vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_dst_mac, &rest->mac[!from]);
	if (rest->vlan)
		observation_uint(&o, OBSERVATION_F_vlan, rest->vlan);
	observation_uint(&o, OBSERVATION_F_midstream, f->midstream);
	/* After one packet nobody can say yet. */
	if (f->side[0].packets + f->side[1].packets > 1 || type == OBSERVATION_FLOW_END)
		observation_uint(&o, OBSERVATION_F_one_sided, !f->side[0].packets || !f->side[1].packets);
	observation_uint(&o, OBSERVATION_F_answered, f->answered);
	return o;
}

void shard_say_open(struct shard_run *r)
{
	if (r->f->opened)
		return;
	r->f->opened = true;
	struct observation o = shard_say_flow(r, OBSERVATION_FLOW_OPEN);
	shard_say_put(r, &o);
}

void shard_say_service(struct shard_run *r)
{
	if (r->f->said_service)
		return;
	r->f->said_service = true;
	struct observation o = shard_say_flow(r, OBSERVATION_FLOW_SERVICE);
	observation_text(&o, OBSERVATION_F_service, span_str(shard_say_service_name(r)));
	/* Why it may be called unknown and is not. */
	if (shard_rest(r)->gap_bytes)
		observation_uint(&o, OBSERVATION_F_gap_bytes, shard_rest(r)->gap_bytes);
	if (r->f->unread)
		observation_uint(&o, OBSERVATION_F_unread, true);
	shard_say_put(r, &o);
	shard_guess_tell(r);
}

void shard_say_malformed(struct shard_run *r, unsigned dir, uint64_t reason)
{
	if (r->f->said_malformed)
		return;
	r->f->said_malformed = true;
	struct observation o = { .head.type = OBSERVATION_MALFORMED };
	shard_say_place(r, &o, dir);
	observation_uint(&o, OBSERVATION_F_transport, shard_say_transport(r));
	observation_text(&o, OBSERVATION_F_service, span_str(shard_say_service_name(r)));
	observation_uint(&o, OBSERVATION_F_reason, reason);
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
	struct observation o = { .head.type = OBSERVATION_STREAM_CONFLICT };
	shard_say_place(r, &o, dir);
	observation_uint(&o, OBSERVATION_F_transport, shard_say_transport(r));
	observation_uint(&o, OBSERVATION_F_conflicts, rest->conflicts);
	shard_say_put(r, &o);
}
