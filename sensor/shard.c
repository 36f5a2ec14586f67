#include "sensor/shard.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/recognise.h"
#include "sensor/stream.h"

enum phase {
	PHASE_QUIET,            /* no data yet */
	PHASE_PROBING,          /* holds a probe slot; the first bytes of both directions are held */
	PHASE_DISSECTING,       /* holds a state */
	PHASE_DONE,             /* nothing more is read */
};

enum { SERVICE_NONE, SERVICE_UNKNOWN, SERVICE_RECOGNISED = 2, SERVICE_DISSECTED = 64 };

/* FIN and RST from off the path do not know the sequence numbers: outside of this much around what we saw
 * they are not believed. Wide, because the capture may have lost packets. */
enum { CONTROL_BEHIND = 64 << 10, CONTROL_AHEAD = 1 << 24 };

/* What a flow has beside struct flow. */
struct conn {
	struct stream s[2];
	uint64_t skip[2];               /* bytes of no interest still to come */
	uint64_t started_ns, gap_bytes;
	uint32_t need[2];               /* bytes the dissector wants before it is called again */
	uint32_t first_seq[2];          /* TCP: of the first data byte, with start_known */
	uint32_t state;                 /* block of states, plus one; 0 none */
	uint16_t vlan, probe_segments[2], conflicts;
	struct mac mac[2];
	uint8_t mac_by[2];              /* 0 unknown, 1 from the other side's frames, 2 from its own */
	uint8_t probe_at[2];            /* place in the order of probing */
	uint8_t phase, service, initiator, by, said_conflict;
	int8_t client;                  /* as the dissector knows it: enum dissect_client */
	bool start_known[2], end_known[2], data[2], fin[2];
	bool midstream, answered, opened, said_service, said_malformed, ended;
};

struct shard {
	struct shard_config c;
	struct flow_table *table;
	struct conn *conns;
	struct stream_pool *pool;
	uint8_t *states;
	uint32_t *state_free;           /* stack of free blocks */
	size_t states_free, state_size, n_dissectors;
	size_t probing;
	struct stats st;
};

/* One call: what is being worked on. */
struct run {
	struct shard *h;
	struct shard_out *out;
	size_t mark;                    /* where the output of this packet begins */
	uint64_t seq;                   /* tag of the output */
	uint64_t ts_ns, number;         /* of the packet that observations name */
	uint32_t file;
	uint32_t i;
	struct flow *f;
	struct conn *c;
	struct dissect_ctx *ctx;        /* while a dissector runs */
};

struct shard *shard_new(const struct shard_config *c)
{
	struct shard *h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->c = *c;
	h->state_size = 16;
	for (const struct dissector *const *d = c->dissectors; *d; d++) {
		h->n_dissectors++;
		assert((*d)->state_size <= DISSECT_MAX_STATE);
		if ((*d)->state_size > h->state_size)
			h->state_size = (*d)->state_size;
	}
	assert(h->n_dissectors < 256 - SERVICE_DISSECTED);
	h->state_size = (h->state_size + 15) & ~(size_t)15;     /* any member is aligned */
	h->table = flow_table_new(c->flows);
	h->conns = calloc(c->flows, sizeof(*h->conns));
	h->pool = stream_pool_new(c->stream_bytes);
	h->states = calloc(c->states ? c->states : 1, h->state_size);
	h->state_free = calloc(c->states ? c->states : 1, sizeof(*h->state_free));
	if (!h->table || !h->conns || !h->pool || !h->states || !h->state_free) {
		shard_free(h);
		return NULL;
	}
	for (size_t i = 0; i < c->states; i++)
		h->state_free[h->states_free++] = (uint32_t)(c->states - 1 - i);
	return h;
}

void shard_free(struct shard *h)
{
	if (!h)
		return;
	flow_table_free(h->table);
	stream_pool_free(h->pool);
	free(h->conns);
	free(h->states);
	free(h->state_free);
	free(h);
}

const struct stats *shard_stats(const struct shard *h) { return &h->st; }
size_t shard_flows(const struct shard *h) { return flow_count(h->table); }

static int32_t ahead(uint32_t a, uint32_t b)
{
	uint32_t d = b - a;
	return d < UINT32_C(0x80000000) ? (int32_t)d : -(int32_t)(UINT32_MAX - d) - 1;
}

/* ---- output ---- */

static void put(struct run *r, const struct observation *o)
{
	struct stats *st = &r->h->st;
	struct buf *b = &r->out->bytes;
	struct buf room = *b;
	struct shard_record head = { .seq = r->seq, .shard = r->h->c.id };
	if (room.cap > r->mark + SHARD_OUTPUT)
		room.cap = r->mark + SHARD_OUTPUT;
	size_t at = room.len;
	st->v[STATS_observations_made]++;
	if (buf_put(&room, &head, sizeof(head)) || vocab_encode(&observation_vocab, &o->head, &room)) {
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

bool shard_record_next(const struct shard_out *out, size_t *at, struct shard_record *ret, struct span *ret_bytes)
{
	if (*at >= out->bytes.len)
		return false;
	memcpy(ret, out->bytes.data + *at, sizeof(*ret));
	*ret_bytes = (struct span){ out->bytes.data + *at + sizeof(*ret), ret->n };
	*at += sizeof(*ret) + ret->n;
	return true;
}

static struct endpoint end_of(const struct run *r, unsigned side)
{
	return (struct endpoint){ r->f->key.ip[side], r->f->key.port[side] };
}

static void set_place(const struct run *r, struct observation *o, unsigned from)
{
	struct endpoint src = end_of(r, from), dst = end_of(r, !from);
	observation_uint(o, OBSERVATION_F_packet, r->number);
	if (r->file)
		observation_uint(o, OBSERVATION_F_file, r->file);
	observation_uint(o, OBSERVATION_F_ts, r->ts_ns);
	vocab_set_endpoint(&observation_vocab, &o->head, OBSERVATION_F_src, &src);
	vocab_set_endpoint(&observation_vocab, &o->head, OBSERVATION_F_dst, &dst);
	observation_uint(o, OBSERVATION_F_flow, r->f->number);
}

static uint64_t transport_of(const struct run *r)
{
	return r->f->key.proto == DECODE_TCP ? OBSERVATION_TCP : OBSERVATION_UDP;
}

static const char *service_name(const struct run *r)
{
	uint8_t s = r->c->service;
	if (s >= SERVICE_DISSECTED)
		return r->h->c.dissectors[s - SERVICE_DISSECTED]->name;
	if (s >= SERVICE_RECOGNISED)
		return recognise_name((enum recognise_service)(s - SERVICE_RECOGNISED + 1));
	return "unknown";
}

/* What flow.open, flow.service and flow.end have in common. src is the side that opened the flow. */
static struct observation flow_observation(const struct run *r, enum observation_type type)
{
	const struct conn *c = r->c;
	unsigned from = c->initiator;
	struct observation o = { .head.type = (uint16_t)type };
	set_place(r, &o, from);
	observation_uint(&o, OBSERVATION_F_transport, transport_of(r));
	observation_uint(&o, OBSERVATION_F_initiator_by, c->by);
	if (c->mac_by[from])
		vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_src_mac, &c->mac[from]);
	if (c->mac_by[!from])
		vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_dst_mac, &c->mac[!from]);
	if (c->vlan)
		observation_uint(&o, OBSERVATION_F_vlan, c->vlan);
	observation_uint(&o, OBSERVATION_F_midstream, c->midstream);
	/* After one packet nobody can say yet. */
	if (r->f->packets[0] + r->f->packets[1] > 1 || type == OBSERVATION_FLOW_END)
		observation_uint(&o, OBSERVATION_F_one_sided, !r->f->packets[0] || !r->f->packets[1]);
	observation_uint(&o, OBSERVATION_F_answered, c->answered);
	return o;
}

static void say_open(struct run *r)
{
	if (r->c->opened)
		return;
	r->c->opened = true;
	struct observation o = flow_observation(r, OBSERVATION_FLOW_OPEN);
	put(r, &o);
}

static void say_service(struct run *r)
{
	if (r->c->said_service)
		return;
	r->c->said_service = true;
	struct observation o = flow_observation(r, OBSERVATION_FLOW_SERVICE);
	observation_text(&o, OBSERVATION_F_service, span_str(service_name(r)));
	put(r, &o);
}

static void say_malformed(struct run *r, unsigned dir, uint64_t reason)
{
	if (r->c->said_malformed)
		return;
	r->c->said_malformed = true;
	struct observation o = { .head.type = OBSERVATION_MALFORMED };
	set_place(r, &o, dir);
	observation_uint(&o, OBSERVATION_F_transport, transport_of(r));
	observation_text(&o, OBSERVATION_F_service, span_str(service_name(r)));
	observation_uint(&o, OBSERVATION_F_reason, reason);
	put(r, &o);
}

/* Once a direction; what comes after is told with the end of the flow. */
static void say_conflict(struct run *r, unsigned dir)
{
	struct conn *c = r->c;
	if (c->conflicts < UINT16_MAX)
		c->conflicts++;
	if (c->said_conflict & 1u << dir)
		return;
	c->said_conflict |= (uint8_t)(1u << dir);
	struct observation o = { .head.type = OBSERVATION_STREAM_CONFLICT };
	set_place(r, &o, dir);
	observation_uint(&o, OBSERVATION_F_transport, transport_of(r));
	observation_uint(&o, OBSERVATION_F_conflicts, c->conflicts);
	put(r, &o);
}

/* ---- dissecting ---- */

static const struct dissector *dissector_of(const struct run *r)
{
	return r->h->c.dissectors[r->c->service - SERVICE_DISSECTED];
}

static uint8_t *state_of(const struct run *r) { return r->h->states + (r->c->state - 1) * r->h->state_size; }

/* Nothing more is read of this flow: everything it holds goes back. */
static void stop_reading(struct run *r)
{
	struct conn *c = r->c;
	if (c->phase == PHASE_PROBING)
		r->h->probing--;
	if (c->state)
		r->h->state_free[r->h->states_free++] = c->state - 1;
	c->state = 0;
	c->phase = PHASE_DONE;
	r->h->st.v[STATS_stream_unread_bytes] += c->s[0].ooo_bytes + c->s[1].ooo_bytes;
	stream_clear(r->h->pool, &c->s[0]);
	stream_clear(r->h->pool, &c->s[1]);
}

static void give_up_probing(struct run *r)
{
	if (r->c->service == SERVICE_NONE) {
		r->c->service = SERVICE_UNKNOWN;
		r->h->st.v[STATS_probe_gave_up]++;
	}
	stop_reading(r);
	say_service(r);
}

/* Content beats ports, a handshake beats content. */
static void learn_client(struct run *r, enum dissect_client client)
{
	if (client == DISSECT_CLIENT_UNKNOWN)
		return;
	r->c->client = (int8_t)client;
	if (r->c->by != OBSERVATION_BY_HANDSHAKE) {
		r->c->by = OBSERVATION_BY_CONTENT;
		r->c->initiator = client == DISSECT_CLIENT_1;
	}
}

static void on_observation(void *arg, struct observation *o)
{
	struct run *r = arg;
	learn_client(r, r->ctx->client);
	say_service(r);
	set_place(r, o, r->ctx->dir);
	if (o->head.type == OBSERVATION_MALFORMED) {
		r->c->said_malformed = true;
		observation_uint(o, OBSERVATION_F_transport, transport_of(r));
		observation_text(o, OBSERVATION_F_service, span_str(service_name(r)));
	}
	put(r, o);
}

static struct dissect_ctx make_ctx(struct run *r, unsigned dir)
{
	return (struct dissect_ctx){
		.dir = dir,
		.client = r->c->by == OBSERVATION_BY_HANDSHAKE ? (enum dissect_client)r->c->initiator
							       : (enum dissect_client)r->c->client,
		.midstream = !r->c->start_known[dir],
		.ts_ns = r->ts_ns,
		.scratch = &r->out->scratch,
		.emit = on_observation,
		.arg = r,
	};
}

/* Calls parse, and holds it to its contract. */
static struct dissect_result parse(struct run *r, unsigned dir, struct span in)
{
	const struct dissector *d = dissector_of(r);
	struct dissect_ctx ctx = make_ctx(r, dir);
	r->ctx = &ctx;
	struct dissect_result x = d->parse(state_of(r), in, &ctx);
	r->ctx = NULL;
	learn_client(r, ctx.client);
	bool kept = x.consumed <= in.n;
	if (x.status == DISSECT_OK)
		kept &= x.consumed > 0;
	else if (x.status == DISSECT_MORE)
		kept &= x.need > in.n - x.consumed;
	else if (x.status == DISSECT_SKIP)
		kept &= x.need > 0;
	assert(kept);
	if (!kept)
		return (struct dissect_result){ .status = DISSECT_BAD };
	/* Whole messages were read: whoever wants to know who is the client has been asked. */
	if (x.consumed && x.status != DISSECT_BAD)
		say_service(r);
	return x;
}

static void broken(struct run *r, unsigned dir, uint64_t reason)
{
	r->h->st.v[reason == OBSERVATION_LIMIT ? STATS_dissector_limit : STATS_dissector_bad]++;
	say_service(r);
	say_malformed(r, dir, reason);
	stop_reading(r);
}

/* `n` bytes (0: unknown) are missing here; what was held before them is of no use. */
static void lost(struct run *r, unsigned dir, uint64_t n)
{
	struct conn *c = r->c;
	stream_drop(r->h->pool, &c->s[dir], c->s[dir].held_n);
	c->need[dir] = 0;
	if (c->phase == PHASE_PROBING) {
		/* Begin again behind the hole. */
		c->start_known[dir] = false;
		c->probe_at[dir] = 0;
		c->probe_segments[dir] = 0;
		return;
	}
	if (c->phase != PHASE_DISSECTING)
		return;
	if (n && n <= c->skip[dir]) {
		c->skip[dir] -= n;
		return;
	}
	n = n > c->skip[dir] ? n - c->skip[dir] : 0;
	c->skip[dir] = 0;
	const struct dissector *d = dissector_of(r);
	enum dissect_status go_on = DISSECT_BAD;
	if (d->gap) {
		struct dissect_ctx ctx = make_ctx(r, dir);
		r->ctx = &ctx;
		go_on = d->gap(state_of(r), n, &ctx);
		r->ctx = NULL;
		learn_client(r, ctx.client);
	}
	if (go_on != DISSECT_OK) {
		say_service(r);
		stop_reading(r);
	}
}

/* Holds bytes; what finds no room is lost together with what is held already. */
static bool hold(struct run *r, unsigned dir, struct span in)
{
	struct stream *s = &r->c->s[dir];
	if (stream_hold(r->h->pool, s, in))
		return true;
	r->h->st.v[STATS_stream_dropped_bytes] += in.n + s->held_n;
	r->c->gap_bytes += in.n + s->held_n;
	lost(r, dir, in.n);
	return false;
}

/* Bytes of one direction in stream order: to the dissector, whatever is already held before them. */
static void feed(struct run *r, unsigned dir, struct span in)
{
	struct conn *c = r->c;
	struct stream *s = &c->s[dir];
	while (c->phase == PHASE_DISSECTING) {
		size_t max = dissector_of(r)->max_message;
		if (c->skip[dir] && !s->held_n) {
			size_t n = c->skip[dir] < in.n ? (size_t)c->skip[dir] : in.n;
			c->skip[dir] -= n;
			in = span_from(in, n);
			if (c->skip[dir])
				return;
		}
		bool held = s->held_n > 0;
		if (s->held_n + in.n < c->need[dir]) {
			hold(r, dir, in);
			return;
		}
		struct span now = in;
		if (held) {
			size_t room = max > s->held_n ? max - s->held_n : 0;
			now.n = in.n < room ? in.n : room;
			if (!hold(r, dir, now)) {
				/* The rest of the segment is behind the hole. */
				in = span_from(in, now.n);
				continue;
			}
			in = span_from(in, now.n);
			now = stream_held(r->h->pool, s);
		}
		if (!now.n)
			return;
		c->need[dir] = 0;
		struct dissect_result x = parse(r, dir, now);
		if (c->phase != PHASE_DISSECTING)
			return;
		if (x.status == DISSECT_BAD) {
			broken(r, dir, OBSERVATION_SYNTAX);
			return;
		}
		if (held)
			stream_drop(r->h->pool, s, (uint32_t)x.consumed);
		else
			in = span_from(in, x.consumed);
		if (x.status == DISSECT_SKIP) {
			c->skip[dir] = x.need;
			uint32_t n = x.need < s->held_n ? (uint32_t)x.need : s->held_n;
			stream_drop(r->h->pool, s, n);
			c->skip[dir] -= n;
		} else if (x.status == DISSECT_MORE) {
			if (x.need > max) {
				broken(r, dir, OBSERVATION_LIMIT);
				return;
			}
			c->need[dir] = (uint32_t)x.need;
		}
		if (!in.n && (!s->held_n || x.status == DISSECT_MORE))
			return;
	}
}

/* ---- probing ---- */

/* The order of probing: dissectors whose ports the flow uses, then the others; NULL after the last. */
static const struct dissector *candidate(const struct run *r, unsigned at, unsigned *ret_index)
{
	for (int with_port = 1; with_port >= 0; with_port--)
		for (unsigned k = 0; k < r->h->n_dissectors; k++) {
			const struct dissector *d = r->h->c.dissectors[k];
			int hit = 0;
			for (size_t p = 0; p < sizeof(d->ports) / sizeof(d->ports[0]) && d->ports[p]; p++)
				hit |= d->ports[p] == r->f->key.port[0] || d->ports[p] == r->f->key.port[1];
			if (hit != with_port || !(d->transports & DISSECT_TCP))
				continue;
			if (!at--) {
				*ret_index = k;
				return d;
			}
		}
	return NULL;
}

static void attach(struct run *r, unsigned index)
{
	struct conn *c = r->c;
	struct shard *h = r->h;
	c->service = (uint8_t)(SERVICE_DISSECTED + index);
	if (!h->states_free) {
		h->st.v[STATS_state_dropped]++;
		give_up_probing(r);
		return;
	}
	h->probing--;
	c->phase = PHASE_DISSECTING;
	c->state = h->state_free[--h->states_free] + 1;
	memset(state_of(r), 0, h->state_size);
	if (c->by == OBSERVATION_BY_HANDSHAKE)
		say_service(r);
}

/* Asks one after the other; the next is asked only when the one before has said no, so that the answer does not
 * depend on how the bytes were cut. `complete`: no more bytes will come. True: decided or still waiting; false: this
 * direction is nothing we know. */
static bool ask(struct run *r, unsigned dir, struct span head, bool complete)
{
	struct conn *c = r->c;
	enum { NOTHING = UINT8_MAX };
	while (c->probe_at[dir] != NOTHING) {
		unsigned index = 0;
		const struct dissector *d = candidate(r, c->probe_at[dir], &index);
		enum recognise_service named = RECOGNISE_NONE;
		bool midstream = !c->start_known[dir];
		enum dissect_guess g = d ? d->probe(head, midstream) : recognise_tcp(head, midstream, &named);
		if (g == DISSECT_YES && d) {
			attach(r, index);
			return true;
		}
		if (g == DISSECT_YES) {
			c->service = (uint8_t)(SERVICE_RECOGNISED + (int)named - 1);
			give_up_probing(r);
			return true;
		}
		if (g == DISSECT_MAYBE && !complete)
			return true;
		c->probe_at[dir] = d ? (uint8_t)(c->probe_at[dir] + 1) : NOTHING;
	}
	return false;
}

static bool refused(const struct conn *c, unsigned dir) { return c->probe_at[dir] == UINT8_MAX; }

static void probe(struct run *r, unsigned dir, struct span in)
{
	struct conn *c = r->c;
	struct stream *s = &c->s[dir];
	size_t room = s->held_n < DISSECT_PROBE_BYTES ? DISSECT_PROBE_BYTES - s->held_n : 0;
	struct span head = { in.p, in.n < room ? in.n : room };
	bool first = !s->held_n;
	if (!first) {
		if (!hold(r, dir, head)) {
			r->h->st.v[STATS_probe_dropped]++;
			give_up_probing(r);
			return;
		}
		in = span_from(in, head.n);
		head = stream_held(r->h->pool, s);
	}
	c->probe_segments[dir]++;
	bool full = head.n >= DISSECT_PROBE_BYTES || c->probe_segments[dir] >= DISSECT_PROBE_SEGMENTS;
	bool known = ask(r, dir, head, full);
	if (c->phase == PHASE_DISSECTING) {
		/* The client's bytes first: what the server says answers them. */
		unsigned other = !dir;
		if (c->s[other].held_n && c->initiator == other)
			feed(r, other, (struct span){ 0 });
		feed(r, dir, in);
		if (c->phase == PHASE_DISSECTING && c->s[other].held_n)
			feed(r, other, (struct span){ 0 });
		return;
	}
	if (c->phase != PHASE_PROBING)
		return;
	/* Mid-stream, one direction may be in the middle of something long while the other begins a message:
	 * it is given the time of a full probe to speak. */
	bool wait_for_other = (c->midstream && !c->data[!dir]) || (c->data[!dir] && !refused(c, !dir));
	if (!known && (full || !wait_for_other)) {
		give_up_probing(r);
		return;
	}
	if (first && !hold(r, dir, head)) {
		r->h->st.v[STATS_probe_dropped]++;
		give_up_probing(r);
	}
}

static void start_probing(struct run *r)
{
	if (r->h->probing >= r->h->c.probes) {
		r->h->st.v[STATS_probe_dropped]++;
		r->c->service = SERVICE_UNKNOWN;
		stop_reading(r);
		say_service(r);
		return;
	}
	r->h->probing++;
	r->c->phase = PHASE_PROBING;
}

/* ---- streams ---- */

static void finish(struct run *r, unsigned dir)
{
	struct conn *c = r->c;
	if (c->phase == PHASE_PROBING && c->s[dir].held_n) {
		bool known = ask(r, dir, stream_held(r->h->pool, &c->s[dir]), true);
		if (c->phase == PHASE_DISSECTING) {
			unsigned first = c->initiator;  /* may become known better on the way */
			feed(r, first, (struct span){ 0 });
			feed(r, !first, (struct span){ 0 });
		} else if (!known && c->phase == PHASE_PROBING && !c->midstream &&
			   (!c->data[!dir] || refused(c, !dir))) {
			give_up_probing(r);
		}
	}
	if (c->phase != PHASE_DISSECTING)
		return;
	const struct dissector *d = dissector_of(r);
	if (d->finish) {
		struct dissect_ctx ctx = make_ctx(r, dir);
		r->ctx = &ctx;
		d->finish(state_of(r), stream_held(r->h->pool, &c->s[dir]), &ctx);
		r->ctx = NULL;
		learn_client(r, ctx.client);
	}
	stream_drop(r->h->pool, &c->s[dir], c->s[dir].held_n);
}

static void drain(struct run *r, unsigned dir, struct stream_segment *seg)
{
	struct conn *c = r->c;
	struct span bytes = { 0 };
	uint32_t gap = 0;
	for (;;) {
		switch (stream_next(r->h->pool, &c->s[dir], seg, &r->h->st, &bytes, &gap)) {
		case STREAM_NOTHING:
			/* Not empty when reading ended in the middle of the segment, or before it. */
			r->h->st.v[STATS_stream_unread_bytes] += seg->bytes.n;
			return;
		case STREAM_BYTES:
			if (c->phase == PHASE_PROBING)
				probe(r, dir, bytes);
			else
				feed(r, dir, bytes);
			break;
		case STREAM_GAP:
			c->gap_bytes += gap;
			lost(r, dir, gap);
			break;
		case STREAM_FIN:
			finish(r, dir);
			break;
		}
	}
}

/* ---- flows ---- */

static void end_flow(struct run *r, uint64_t why)
{
	struct conn *c = r->c;
	unsigned first = c->initiator;
	for (unsigned k = 0; k < 2 && (c->phase == PHASE_PROBING || c->phase == PHASE_DISSECTING); k++) {
		unsigned dir = k ^ first;
		struct stream_segment rest = { .flush = true };
		drain(r, dir, &rest);
		if (!c->s[dir].finished)
			finish(r, dir);
	}
	if (c->phase == PHASE_PROBING)
		give_up_probing(r);
	if (c->phase != PHASE_DONE)
		stop_reading(r);
	if (c->data[0] || c->data[1])
		say_service(r);
	struct observation o = flow_observation(r, OBSERVATION_FLOW_END);
	unsigned from = c->initiator;
	if (c->said_service)
		observation_text(&o, OBSERVATION_F_service, span_str(service_name(r)));
	observation_uint(&o, OBSERVATION_F_started, c->started_ns);
	observation_uint(&o, OBSERVATION_F_packets_out, r->f->packets[from]);
	observation_uint(&o, OBSERVATION_F_packets_in, r->f->packets[!from]);
	observation_uint(&o, OBSERVATION_F_bytes_out, r->f->bytes[from]);
	observation_uint(&o, OBSERVATION_F_bytes_in, r->f->bytes[!from]);
	observation_uint(&o, OBSERVATION_F_gap_bytes, c->gap_bytes);
	observation_uint(&o, OBSERVATION_F_end, why);
	if (c->conflicts)
		observation_uint(&o, OBSERVATION_F_conflicts, c->conflicts);
	put(r, &o);
	c->ended = true;
	/* Syslog and its like are never answered, and still more than an attempt. */
	bool attempt = !c->answered && (r->f->key.proto == DECODE_UDP ? r->f->packets[0] + r->f->packets[1] == 1
									: !c->data[0] && !c->data[1]);
	r->h->st.v[why == OBSERVATION_END_IDLE      ? STATS_flows_idle
		   : why == OBSERVATION_END_CAPTURE ? STATS_flows_at_end
		   : why != OBSERVATION_END_EVICTED ? STATS_flows_closed
		   : attempt                        ? STATS_attempts_evicted
						    : STATS_flows_evicted]++;
}

/* The run for a flow that ends by itself: observations name its last packet. */
static struct run run_for(const struct run *r, uint32_t i)
{
	struct run x = *r;
	x.i = i;
	x.f = flow_at(r->h->table, i);
	x.c = &r->h->conns[i];
	x.ts_ns = x.f->last_ns;
	x.number = x.f->last_number;
	x.file = x.f->last_file;
	return x;
}

/* Ends flow i, if it has not ended yet, and forgets it. */
static void retire(const struct run *r, uint32_t i, uint64_t why)
{
	struct run x = run_for(r, i);
	if (!x.c->ended)
		end_flow(&x, x.c->fin[0] && x.c->fin[1] ? OBSERVATION_END_CLOSED : why);
	flow_remove(r->h->table, i);
}

/* Makes room: what is over, then what nobody answered, then what has been idle longest. */
static void evict(const struct run *r)
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
	retire(r, i, OBSERVATION_END_EVICTED);
}

static bool known_port(const struct run *r, uint16_t port)
{
	for (unsigned k = 0; k < r->h->n_dissectors; k++)
		for (size_t p = 0; p < 8 && r->h->c.dissectors[k]->ports[p]; p++)
			if (r->h->c.dissectors[k]->ports[p] == port)
				return true;
	return port < 1024;
}

static void guess_initiator(struct run *r, unsigned first_sender)
{
	struct conn *c = r->c;
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

/* True when packet p begins another connection between the same ends: a SYN after the last one has ended, or
 * a SYN-ACK that answers a SYN which is not this flow's. A lone SYN on a living flow proves nothing (RFC 5961, 4). */
static bool is_another(const struct conn *c, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	if (d->kind != DECODE_TCP || !(d->flags & DECODE_SYN) || d->flags & DECODE_RST)
		return false;
	if (!(d->flags & DECODE_ACK))
		return c->ended || (c->fin[0] && c->fin[1]);
	if (c->midstream)
		return true;
	return c->answered && c->start_known[p->side] && c->start_known[!p->side] &&
	       d->seq + 1 != c->first_seq[p->side] && ahead(c->first_seq[!p->side], d->ack) != 0;
}

static void start_at(struct conn *c, unsigned side, uint32_t seq)
{
	c->start_known[side] = true;
	c->first_seq[side] = seq;
	stream_start(&c->s[side], seq);
}

static void create(struct run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	struct flow_table *t = r->h->table;
	enum flow_list list = d->kind == DECODE_UDP ? FLOW_UDP_ASKING : FLOW_TCP;
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
	struct conn *c = r->c = &r->h->conns[r->i];
	*c = (struct conn){ .started_ns = p->ts_ns, .vlan = d->vlan, .client = DISSECT_CLIENT_UNKNOWN };
	if (d->kind == DECODE_UDP) {
		c->by = OBSERVATION_BY_FIRST_PACKET;
		c->initiator = (uint8_t)p->side;
	} else if (syn) {
		bool ack = d->flags & DECODE_ACK;
		c->by = OBSERVATION_BY_HANDSHAKE;
		c->initiator = (uint8_t)(ack ? !p->side : p->side);
		start_at(c, p->side, d->seq + 1);
		if (ack)
			start_at(c, !p->side, d->ack);
		c->answered = ack;
	} else {
		c->midstream = true;
		guess_initiator(r, p->side);
	}
}

static void count(struct run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	struct flow *f = r->f;
	struct conn *c = r->c;
	r->h->st.v[STATS_flow_packets]++;
	f->packets[p->side]++;
	f->bytes[p->side] += d->ip_bytes;
	f->last_ns = p->ts_ns;
	f->last_number = p->number;
	f->last_file = p->file;
	if (d->has_mac && c->mac_by[p->side] < 2) {
		c->mac[p->side] = d->src_mac;
		c->mac_by[p->side] = 2;
	}
	if (d->has_mac && !c->mac_by[!p->side]) {
		c->mac[!p->side] = d->dst_mac;
		c->mac_by[!p->side] = 1;
	}
}

static void udp(struct run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	struct conn *c = r->c;
	bool reply = p->side != c->initiator;
	if (reply)
		c->answered = true;
	flow_touch(r->h->table, r->i, c->answered ? FLOW_UDP : FLOW_UDP_ASKING, p->ts_ns);
	say_open(r);
	if (!d->payload_wire)
		return;
	c->data[p->side] = true;
	if (c->service <= SERVICE_UNKNOWN && !c->said_service) {
		enum recognise_service s = recognise_udp(d->payload, d->src_port, d->dst_port);
		c->service = s ? (uint8_t)(SERVICE_RECOGNISED + (int)s - 1) : SERVICE_UNKNOWN;
	}
	if (c->answered)
		say_service(r);
}

/* FIN and RST are believed near the place where the stream is. */
static bool plausible(const struct run *r, unsigned side, uint32_t seq)
{
	if (!r->c->end_known[side])
		return true;
	int32_t d = ahead(r->f->end_seq[side], seq);
	return d >= -CONTROL_BEHIND && d <= CONTROL_AHEAD;
}

static void tcp_reset(struct run *r, unsigned side, uint64_t now_ns)
{
	struct conn *c = r->c;
	bool refused_by = !c->answered && !c->midstream && side != c->initiator;
	end_flow(r, refused_by ? OBSERVATION_END_REFUSED : OBSERVATION_END_RESET);
	flow_touch(r->h->table, r->i, FLOW_CLOSED, now_ns);
}

/* SYN and SYN-ACK of the flow there is; false when the packet means nothing to it. */
static bool tcp_syn(struct run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	struct conn *c = r->c;
	unsigned side = p->side;
	uint32_t first = d->seq + 1;
	if (d->flags & DECODE_ACK) {
		/* Data on the SYN may be acknowledged with it (RFC 7413): up to a segment ahead. */
		if (side == c->initiator || !c->start_known[!side])
			return false;
		int32_t n = ahead(c->first_seq[!side], d->ack);
		if (n < 0 || n > 65535 || (c->start_known[side] && c->first_seq[side] != first))
			return false;
		if (!c->start_known[side])
			start_at(c, side, first);
		c->answered = true;
		return true;
	}
	if (c->start_known[side] && c->first_seq[side] == first)
		return true;                    /* sent again */
	if (c->answered || c->midstream || side != c->initiator || c->data[side])
		return false;
	/* Nobody answered; tried again with another number. */
	c->s[side].started = false;
	c->end_known[side] = false;
	start_at(c, side, first);
	return true;
}

static void tcp(struct run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	struct conn *c = r->c;
	unsigned side = p->side, other = !side;
	bool syn = d->flags & DECODE_SYN, ack = d->flags & DECODE_ACK;
	uint32_t seq = d->seq + (syn ? 1 : 0), end = seq + d->payload_wire;
	if (d->flags & DECODE_RST) {
		r->h->st.v[STATS_stream_unread_bytes] += d->payload.n;
		if (plausible(r, side, d->seq))
			tcp_reset(r, side, p->ts_ns);
		return;
	}
	if (syn && !tcp_syn(r, p)) {
		r->h->st.v[STATS_stream_unread_bytes] += d->payload.n;
		return;
	}
	bool was_closing = c->fin[0] && c->fin[1];
	bool fin = d->flags & DECODE_FIN && plausible(r, side, end);
	if (!c->end_known[side] || ahead(r->f->end_seq[side], end) > 0)
		r->f->end_seq[side] = end;
	c->end_known[side] = true;
	/* The called side has accepted when it says anything, and also when the other one acknowledges: TCP does so
	 * only in a synchronized state (RFC 9293, 3.10.7.3), and the answer itself may not have been captured. */
	if (!syn && (side != c->initiator || ack))
		c->answered = true;
	/* The third packet of the handshake says where the second one, which was lost, began. */
	if (!syn && ack && side == c->initiator && !c->start_known[other] && !c->midstream &&
	    d->seq == c->first_seq[side])
		start_at(c, other, d->ack);
	if (d->payload_wire)
		c->data[side] = true;
	if ((c->answered && !c->midstream) || d->payload_wire)
		say_open(r);

	if (c->phase == PHASE_QUIET && d->payload_wire)
		start_probing(r);
	if (c->phase != PHASE_DONE) {
		if (ack && c->s[other].started)
			stream_ack(&c->s[other], d->ack);
		if (fin)
			stream_fin(&c->s[side], end);
		if (d->payload_wire || fin) {
			struct stream_segment seg = { .seq = seq, .bytes = d->payload,
						      .missing = d->payload_wire - (uint32_t)d->payload.n };
			uint64_t conflicts = r->h->st.v[STATS_stream_conflicts];
			stream_push(r->h->pool, &c->s[side], &seg, &r->h->st);
			if (r->h->st.v[STATS_stream_conflicts] != conflicts)
				say_conflict(r, side);
			drain(r, side, &seg);
		}
		if (c->s[other].ooo_first && c->phase != PHASE_DONE) {
			struct stream_segment none = { 0 };
			drain(r, other, &none);
		}
	} else {
		r->h->st.v[STATS_stream_unread_bytes] += d->payload.n;
	}
	c->fin[side] |= fin;
	bool closing = c->fin[0] && c->fin[1];
	bool read = c->phase == PHASE_DONE || (c->s[0].finished && c->s[1].finished);
	if (closing && was_closing && read && ack && !d->payload_wire && !fin)
		end_flow(r, OBSERVATION_END_CLOSED);
	enum flow_list list = closing || c->ended ? FLOW_CLOSED
			      : c->answered || c->data[0] || c->data[1] || c->midstream ? FLOW_TCP : FLOW_HALF_OPEN;
	flow_touch(r->h->table, r->i, list, p->ts_ns);
}

/* A packet that no flow counts. */
static void unfollowed(struct shard *h, const struct shard_packet *p, enum stats_counter c)
{
	h->st.v[c]++;
	if (p->d->kind == DECODE_TCP)
		h->st.v[STATS_stream_unread_bytes] += p->d->payload.n;
}

void shard_packet(struct shard *h, struct shard_out *out, const struct shard_packet *p)
{
	struct run r = { .h = h, .out = out, .mark = out->bytes.len, .seq = p->seq, .ts_ns = p->ts_ns,
			 .number = p->number, .file = p->file };
	if (p->d->kind == DECODE_TCP)
		h->st.v[STATS_tcp_bytes] += p->d->payload.n;
	r.i = flow_find(h->table, &p->key, p->hash);
	if (r.i != FLOW_NONE) {
		r.c = &h->conns[r.i];
		if (is_another(r.c, p)) {
			retire(&r, r.i, OBSERVATION_END_CLOSED);
			r.i = FLOW_NONE;
		} else if (r.c->ended) {
			/* Late: of no flow's count, kept from looking like a new flow. */
			unfollowed(h, p, STATS_late_packets);
			return;
		}
	}
	if (r.i == FLOW_NONE) {
		/* A reset without a flow resets nothing we know of. */
		if (p->d->kind == DECODE_TCP && p->d->flags & DECODE_RST) {
			unfollowed(h, p, STATS_stray_resets);
			return;
		}
		create(&r, p);
	}
	r.f = flow_at(h->table, r.i);
	count(&r, p);
	if (p->d->kind == DECODE_TCP)
		tcp(&r, p);
	else
		udp(&r, p);
}

void shard_timers(struct shard *h, struct shard_out *out, uint64_t watermark_ns)
{
	const uint64_t idle_ns[FLOW_LISTS] = {
		[FLOW_CLOSED] = SHARD_LINGER_NS, [FLOW_HALF_OPEN] = h->c.half_open_ns,
		[FLOW_UDP_ASKING] = h->c.udp_idle_ns, [FLOW_UDP] = h->c.udp_idle_ns, [FLOW_TCP] = h->c.tcp_idle_ns,
	};
	struct run r = { .h = h, .out = out, .mark = out->bytes.len, .seq = SHARD_TIMERS };
	for (int list = 0; list < FLOW_LISTS; list++)
		for (;;) {
			uint32_t i = flow_oldest(h->table, (enum flow_list)list);
			if (i == FLOW_NONE)
				break;
			const struct flow *f = flow_at(h->table, i);
			if (watermark_ns < f->last_ns || watermark_ns - f->last_ns < idle_ns[list])
				break;
			/* Half of the room is for the last flow, which may have a message to finish. */
			if (out->bytes.len - r.mark > SHARD_OUTPUT / 2)
				return;
			retire(&r, i, OBSERVATION_END_IDLE);
		}
}

bool shard_first_flow(const struct shard *h, uint64_t *ret_number)
{
	uint32_t i = flow_first_made(h->table);
	if (i == FLOW_NONE)
		return false;
	*ret_number = flow_at(h->table, i)->number;
	return true;
}

void shard_end_first_flow(struct shard *h, struct shard_out *out)
{
	struct run r = { .h = h, .out = out, .mark = out->bytes.len, .seq = SHARD_TIMERS };
	uint32_t i = flow_first_made(h->table);
	if (i != FLOW_NONE)
		retire(&r, i, OBSERVATION_END_CAPTURE);
}
