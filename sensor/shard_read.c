/* What is read of a flow: probing which protocol it is, and the dissector of that protocol. */
#include <assert.h>
#include <string.h>

#include "sensor/recognise.h"
#include "sensor/shard_run.h"

/* ---- dissecting ---- */

static const struct dissector *dissector_of(const struct shard_run *r)
{
	return r->h->c.dissectors[r->f->service - SHARD_SERVICE_DISSECTED];
}

static void *state_of(const struct shard_run *r) { return r->c + 1; }

static uint32_t held_n(const struct shard_run *r, unsigned dir) { return stream_held_n(r->h->pool, &r->c->s[dir]); }

/* All that is held of this direction is of no use any more. */
static void drop_held(const struct shard_run *r, unsigned dir) { stream_drop(r->h->pool, &r->c->s[dir], held_n(r, dir)); }

static void count_gap(const struct shard_run *r, uint64_t n)
{
	struct flow_rest *rest = shard_rest(r);
	rest->gap_bytes = (rest->gap_bytes + n) & FLOW_48;
}

void shard_read_resume(struct shard_run *r) { r->c = r->f->reader ? slab_at(r->h->slab, r->f->reader) : NULL; }

/* A block of that size for what r->c is the beginning of, in place of the old one; NULL when there is none. */
static struct shard_reader *move(struct shard_run *r, size_t more)
{
	uint32_t block = slab_take(r->h->slab, sizeof(*r->c) + more);
	if (!block)
		return NULL;
	struct shard_reader *c = slab_at(r->h->slab, block);
	memcpy(c, r->c, sizeof(*c));
	slab_give(r->h->slab, r->f->reader);
	r->f->reader = block;
	return r->c = c;
}

void shard_read_rest(struct shard_run *r)
{
	const struct dissector *d = r->f->phase == SHARD_PHASE_DISSECTING ? dissector_of(r) : NULL;
	uint8_t kept[1 + DISSECT_REST_MAX];
	if (!d || !d->rest || r->f->resting)
		return;
	size_t n = d->rest(state_of(r), kept + 1);
	assert(n <= DISSECT_REST_MAX);
	kept[0] = (uint8_t)n;
	if (!n || !move(r, n + 1))
		return;
	memcpy(state_of(r), kept, n + 1);
	r->f->resting = true;
}

/* The whole state of the dissector; false: there is no room for it, and reading has ended. */
static bool wake(struct shard_run *r)
{
	const struct dissector *d = dissector_of(r);
	uint8_t kept[1 + DISSECT_REST_MAX];
	if (!r->f->resting)
		return true;
	const uint8_t *from = state_of(r);
	memcpy(kept, from, from[0] + 1u);
	r->f->resting = false;
	if (!move(r, d->state_size)) {
		r->h->st.v[STATS_state_dropped]++;
		r->f->unread = true;
		shard_say_service(r);
		shard_read_stop(r);
		return false;
	}
	memset(state_of(r), 0, d->state_size);
	d->wake(state_of(r), (struct span){ kept + 1, kept[0] });
	return true;
}

void shard_read_stop(struct shard_run *r)
{
	struct shard *h = r->h;
	h->probing -= r->f->phase == SHARD_PHASE_PROBING;
	h->dissecting -= r->f->phase == SHARD_PHASE_DISSECTING && r->f->reader;
	r->f->phase = SHARD_PHASE_DONE;
	if (!r->c)
		return;
	for (unsigned dir = 0; dir < 2; dir++) {
		h->st.v[STATS_stream_unread_bytes] += stream_waiting_n(h->pool, &r->c->s[dir]);
		stream_clear(h->pool, &r->c->s[dir]);
	}
	slab_give(h->slab, r->f->reader);
	r->f->reader = SLAB_NONE;
	r->f->resting = false;
	r->c = NULL;
}

void shard_read_give_up(struct shard_run *r)
{
	if (r->f->service == SHARD_SERVICE_NONE) {
		r->f->service = SHARD_SERVICE_UNKNOWN;
		r->h->st.v[STATS_probe_gave_up]++;
		/* The first bytes of both sides, the caller's first. */
		for (unsigned k = 0; r->c && k < 2 && shard_guess_begin(r); k++) {
			unsigned dir = k ^ r->f->initiator;
			shard_guess_show(r, dir, r->head.n && r->head_dir == dir ? r->head : stream_held(r->h->pool, &r->c->s[dir]));
		}
	}
	shard_read_stop(r);
	shard_say_service(r);
}

/* Content beats ports, a handshake beats content. */
static void learn_client(struct shard_run *r, enum dissect_client client)
{
	if (client == DISSECT_CLIENT_UNKNOWN)
		return;
	r->f->client = (unsigned)(client + 1) & 3;
	if (r->f->by != OBSERVATION_BY_HANDSHAKE) {
		r->f->by = OBSERVATION_BY_CONTENT;
		r->f->initiator = (client == DISSECT_CLIENT_1) & 1;
	}
}

static void on_observation(void *arg, struct observation *o)
{
	struct shard_run *r = arg;
	learn_client(r, r->ctx->client);
	/* Of a UDP flow the service is told with the answer, so that it says who offers it. */
	if (r->f->key.proto == DECODE_TCP)
		shard_say_service(r);
	shard_say_place(r, o, r->ctx->dir);
	if (o->head.type == OBSERVATION_MALFORMED) {
		r->f->said_malformed = true;
		SHARD_SAY(o, transport, shard_say_transport(r));
		SHARD_SAY(o, service, shard_say_service_name(r));
	}
	shard_say_put(r, o);
}

static struct dissect_ctx make_ctx(struct shard_run *r, unsigned dir)
{
	return (struct dissect_ctx){
		.dir = dir,
		.port = { r->f->key.port[0], r->f->key.port[1] },
		.client = r->f->by == OBSERVATION_BY_HANDSHAKE ? (enum dissect_client)r->f->initiator
							       : (enum dissect_client)((int)r->f->client - 1),
		.midstream = !r->f->side[dir].start_known,
		.ts_ns = r->ts_ns,
		.tokens = r->h->c.tokens,
		.scratch = &r->out->scratch,
		.emit = on_observation,
		.arg = r,
	};
}

/* Calls parse, and holds it to its contract. */
static struct dissect_result parse(struct shard_run *r, unsigned dir, struct span in)
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
	if ((x.consumed && x.status != DISSECT_BAD) || x.status == DISSECT_DONE)
		shard_say_service(r);
	return x;
}

static void broken(struct shard_run *r, unsigned dir, uint64_t reason)
{
	r->h->st.v[reason == OBSERVATION_LIMIT ? STATS_dissector_limit : STATS_dissector_bad]++;
	shard_say_service(r);
	shard_say_malformed(r, dir, reason);
	shard_read_stop(r);
}

/* `n` bytes (0: unknown) are missing here; what was held before them is of no use. */
static void lost(struct shard_run *r, unsigned dir, uint64_t n)
{
	struct flow *f = r->f;
	drop_held(r, dir);
	if (f->phase == SHARD_PHASE_DISSECTING && !wake(r))
		return;
	struct shard_reader *c = r->c;
	if (f->phase == SHARD_PHASE_PROBING) {
		/* Begin again behind the hole. */
		f->side[dir].start_known = false;
		c->d[dir].probe_at = 0;
		c->d[dir].probe_segments = 0;
		return;
	}
	if (f->phase != SHARD_PHASE_DISSECTING)
		return;
	uint64_t skip = c->d[dir].skip;
	c->d[dir].need = 0;
	if (n && n <= skip) {
		c->d[dir].skip = (skip - n) & SHARD_SKIP_MAX;
		return;
	}
	n = n > skip ? n - skip : 0;
	c->d[dir].skip = 0;
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
		shard_say_service(r);
		shard_read_stop(r);
	}
}

/* Holds bytes; what finds no room is lost together with what is held already. */
static bool hold(struct shard_run *r, unsigned dir, struct span in)
{
	struct stream *s = &r->c->s[dir];
	if (stream_hold(r->h->pool, s, in))
		return true;
	r->h->st.v[STATS_stream_dropped_bytes] += in.n + held_n(r, dir);
	count_gap(r, in.n + held_n(r, dir));
	lost(r, dir, in.n);
	return false;
}

/* Bytes of one direction in stream order: to the dissector, whatever is already held before them. */
static void feed(struct shard_run *r, unsigned dir, struct span in)
{
	if (r->f->phase == SHARD_PHASE_DISSECTING && !wake(r)) {
		r->h->st.v[STATS_stream_unread_bytes] += in.n;
		return;
	}
	struct shard_reader *c = r->c;
	while (r->f->phase == SHARD_PHASE_DISSECTING) {
		size_t max = dissector_of(r)->max_message, was_held = held_n(r, dir);
		uint64_t skip = c->d[dir].skip;
		if (skip && !was_held) {
			size_t n = skip < in.n ? (size_t)skip : in.n;
			c->d[dir].skip = (skip - n) & SHARD_SKIP_MAX;
			in = span_from(in, n);
			if (n < skip)
				return;
		}
		if (was_held + in.n < c->d[dir].need) {
			hold(r, dir, in);
			return;
		}
		struct span now = in;
		if (was_held) {
			size_t room = max > was_held ? max - was_held : 0;
			now.n = in.n < room ? in.n : room;
			if (!hold(r, dir, now)) {
				/* The rest of the segment is behind the hole. */
				in = span_from(in, now.n);
				continue;
			}
			in = span_from(in, now.n);
			now = stream_held(r->h->pool, &c->s[dir]);
		}
		if (!now.n)
			return;
		c->d[dir].need = 0;
		struct dissect_result x = parse(r, dir, now);
		if (r->f->phase != SHARD_PHASE_DISSECTING)
			return;
		if (x.status == DISSECT_BAD) {
			broken(r, dir, OBSERVATION_SYNTAX);
			return;
		}
		if (x.status == DISSECT_DONE) {
			shard_read_stop(r);
			return;
		}
		if (was_held)
			stream_drop(r->h->pool, &c->s[dir], (uint32_t)x.consumed);
		else
			in = span_from(in, x.consumed);
		uint32_t left = held_n(r, dir);
		if (x.status == DISSECT_SKIP) {
			if (x.need > SHARD_SKIP_MAX) {
				broken(r, dir, OBSERVATION_LIMIT);
				return;
			}
			uint32_t n = x.need < left ? (uint32_t)x.need : left;
			stream_drop(r->h->pool, &c->s[dir], n);
			c->d[dir].skip = (x.need - n) & SHARD_SKIP_MAX;
			left -= n;
		} else if (x.status == DISSECT_MORE) {
			if (x.need > max) {
				broken(r, dir, OBSERVATION_LIMIT);
				return;
			}
			c->d[dir].need = x.need & SHARD_NEED_MAX;
		}
		if (!in.n && (!left || x.status == DISSECT_MORE))
			return;
	}
}

/* ---- probing ---- */

static void attach(struct shard_run *r, unsigned index)
{
	struct shard *h = r->h;
	struct flow *f = r->f;
	size_t state = h->c.dissectors[index]->state_size;
	f->service = (SHARD_SERVICE_DISSECTED + index) & 0xff;
	uint32_t block = h->dissecting < h->c.states ? slab_take(h->slab, sizeof(*r->c) + state) : SLAB_NONE;
	if (!block) {
		h->st.v[STATS_state_dropped]++;
		r->f->unread = true;
		shard_read_give_up(r);
		return;
	}
	struct shard_reader *c = slab_at(h->slab, block);
	memset(c, 0, sizeof(*c) + state);
	memcpy(c->s, r->c->s, sizeof(c->s));
	slab_give(h->slab, f->reader);
	f->reader = block;
	r->c = c;
	h->probing--;
	h->dissecting++;
	f->phase = SHARD_PHASE_DISSECTING;
	if (f->by == OBSERVATION_BY_HANDSHAKE)
		shard_say_service(r);
}

/* Asks one after the other; the next is asked only when the one before has said no, so that the answer does not
 * depend on how the bytes were cut. `complete`: no more bytes will come. True: decided or still waiting; false: this
 * direction is nothing we know. */
static bool ask(struct shard_run *r, unsigned dir, struct span head, bool complete)
{
	struct shard_reader *c = r->c;
	enum { NOTHING = UINT8_MAX };
	if (c->d[dir].probe_at == NOTHING)
		return false;
	bool midstream = !r->f->side[dir].start_known;
	struct order_turns turns = order_stream(r->h->order, r->f->key.port, head, midstream);
	while (c->d[dir].probe_at != NOTHING) {
		unsigned index = 0, at = order_next(&turns, c->d[dir].probe_at, &index);
		const struct dissector *d = at < ORDER_END ? r->h->c.dissectors[index] : NULL;
		enum recognise_service named = RECOGNISE_NONE;
		c->d[dir].probe_at = (uint8_t)at;
		enum dissect_guess g = d ? d->probe(head, midstream) : recognise_tcp(head, midstream, &named);
		if (g == DISSECT_YES && d) {
			attach(r, index);
			return true;
		}
		if (g == DISSECT_YES) {
			r->f->service = (SHARD_SERVICE_RECOGNISED + (unsigned)named - 1) & 0xff;
			shard_read_give_up(r);
			return true;
		}
		if (g == DISSECT_MAYBE && !complete)
			return true;
		c->d[dir].probe_at = d ? (uint8_t)(at + 1) : NOTHING;
	}
	return false;
}

static bool refused(const struct shard_run *r, unsigned dir) { return r->c->d[dir].probe_at == UINT8_MAX; }

static void probe(struct shard_run *r, unsigned dir, struct span in)
{
	struct flow *f = r->f;
	size_t was_held = held_n(r, dir), room = was_held < DISSECT_PROBE_BYTES ? DISSECT_PROBE_BYTES - was_held : 0;
	struct span head = { in.p, in.n < room ? in.n : room };
	bool first = !was_held;
	if (!first) {
		if (!hold(r, dir, head)) {
			r->h->st.v[STATS_probe_dropped]++;
			r->f->unread = true;
			shard_read_give_up(r);
			return;
		}
		in = span_from(in, head.n);
		head = stream_held(r->h->pool, &r->c->s[dir]);
	}
	bool full = ++r->c->d[dir].probe_segments >= DISSECT_PROBE_SEGMENTS || head.n >= DISSECT_PROBE_BYTES;
	r->head = head;
	r->head_dir = dir;
	bool known = ask(r, dir, head, full);
	if (f->phase == SHARD_PHASE_DISSECTING) {
		/* The client's bytes first: what the server says answers them. */
		unsigned other = !dir;
		if (held_n(r, other) && f->initiator == other)
			feed(r, other, (struct span){ 0 });
		feed(r, dir, in);
		if (f->phase == SHARD_PHASE_DISSECTING && held_n(r, other))
			feed(r, other, (struct span){ 0 });
		return;
	}
	if (f->phase != SHARD_PHASE_PROBING)
		return;
	/* Mid-stream, one direction may be in the middle of something long while the other begins a message:
	 * it is given the time of a full probe to speak. */
	bool wait_for_other = (f->midstream && !f->side[!dir].data) || (f->side[!dir].data && !refused(r, !dir));
	if (!known && (full || !wait_for_other)) {
		shard_read_give_up(r);
		return;
	}
	if (first && !hold(r, dir, head)) {
		r->h->st.v[STATS_probe_dropped]++;
		r->f->unread = true;
		shard_read_give_up(r);
	}
}

void shard_read_start(struct shard_run *r, bool data)
{
	struct flow *f = r->f;
	bool room = !data || r->h->probing < r->h->c.probes;
	if (room && !r->c) {
		f->reader = slab_take(r->h->slab, sizeof(*r->c));
		shard_read_resume(r);
		room = r->c;
		if (room)
			*r->c = (struct shard_reader){ 0 };
		for (unsigned k = 0; k < 2 && room; k++)
			if (f->side[k].start_known)
				stream_start(&r->c->s[k], f->side[k].first_seq);
	}
	if (!room) {
		r->h->st.v[STATS_probe_dropped]++;
		r->f->unread = true;
		f->service = SHARD_SERVICE_UNKNOWN;
		shard_read_stop(r);
		if (data)
			shard_say_service(r);
		return;
	}
	if (!data)
		return;
	r->h->probing++;
	f->phase = SHARD_PHASE_PROBING;
}

/* ---- streams ---- */

void shard_read_finish(struct shard_run *r, unsigned dir)
{
	struct flow *f = r->f;
	if (f->phase == SHARD_PHASE_PROBING && held_n(r, dir)) {
		bool known = ask(r, dir, stream_held(r->h->pool, &r->c->s[dir]), true);
		if (f->phase == SHARD_PHASE_DISSECTING) {
			unsigned first = f->initiator;  /* may become known better on the way */
			feed(r, first, (struct span){ 0 });
			feed(r, !first, (struct span){ 0 });
		} else if (!known && f->phase == SHARD_PHASE_PROBING && !f->midstream &&
			   (!f->side[!dir].data || refused(r, !dir))) {
			shard_read_give_up(r);
		}
	}
	if (f->phase != SHARD_PHASE_DISSECTING)
		return;
	const struct dissector *d = dissector_of(r);
	if (r->f->resting && held_n(r, dir) && !wake(r))
		return;
	/* A state that rests has nothing to say. */
	if (d->finish && !r->f->resting) {
		struct dissect_ctx ctx = make_ctx(r, dir);
		r->ctx = &ctx;
		d->finish(state_of(r), stream_held(r->h->pool, &r->c->s[dir]), &ctx);
		r->ctx = NULL;
		learn_client(r, ctx.client);
	}
	drop_held(r, dir);
}

void shard_read_drain(struct shard_run *r, unsigned dir, struct stream_segment *seg)
{
	struct span bytes = { 0 };
	uint32_t gap = 0;
	while (r->c) {
		switch (stream_next(r->h->pool, &r->c->s[dir], seg, &r->h->st, &bytes, &gap)) {
		case STREAM_NOTHING:
			/* Not empty behind a FIN. */
			r->h->st.v[STATS_stream_unread_bytes] += seg->bytes.n;
			return;
		case STREAM_BYTES:
			if (r->f->phase == SHARD_PHASE_PROBING)
				probe(r, dir, bytes);
			else
				feed(r, dir, bytes);
			break;
		case STREAM_GAP:
			count_gap(r, gap);
			lost(r, dir, gap);
			break;
		case STREAM_FIN:
			shard_read_finish(r, dir);
			break;
		}
	}
	/* Reading ended in the middle of the segment. */
	stream_release(r->h->pool, seg);
	r->h->st.v[STATS_stream_unread_bytes] += seg->bytes.n;
}

void shard_read_next(struct shard_run *r, unsigned dir, struct span bytes)
{
	stream_pass(&r->c->s[dir], bytes, &r->h->st);
	if (r->f->phase == SHARD_PHASE_PROBING)
		probe(r, dir, bytes);
	else
		feed(r, dir, bytes);
	/* It stood behind these bytes and came before them. */
	if (r->c && r->c->s[dir].fin_seen) {
		struct stream_segment none = { 0 };
		shard_read_drain(r, dir, &none);
	}
}

/* ---- datagrams ---- */

/* Who has not shown himself in the first datagrams of a side is not looked for in the later ones. */
enum { DATAGRAMS_ASKED = 3 };

static bool take_datagram_state(struct shard_run *r, size_t state)
{
	struct shard *h = r->h;
	uint32_t block = h->dissecting < h->c.states ? slab_take(h->slab, sizeof(*r->c) + state) : SLAB_NONE;
	if (!block) {
		h->st.v[STATS_state_dropped]++;
		r->f->unread = true;
		return false;
	}
	h->dissecting++;
	r->f->reader = block;
	r->c = slab_at(h->slab, block);
	memset(r->c, 0, sizeof(*r->c) + state);
	return true;
}

static void ask_datagram(struct shard_run *r, const struct decode *d)
{
	struct flow *f = r->f;
	struct order_turns turns = { 0 };
	if (d->kind == DECODE_UDP)
		turns = order_datagram(r->h->order, f->key.port);
	unsigned index = 0;
	for (unsigned at = 0; (at = order_next(&turns, at, &index)) < ORDER_END; at++) {
		const struct dissector *x = r->h->c.dissectors[index];
		if (!x->is_datagram(d->payload))
			continue;
		f->service = (SHARD_SERVICE_DISSECTED + index) & 0xff;
		bool ready = !x->datagram_state || take_datagram_state(r, x->datagram_state);
		f->phase = ready ? SHARD_PHASE_DISSECTING : SHARD_PHASE_DONE;
		return;
	}
	f->service = SHARD_SERVICE_UNKNOWN;
}

void shard_read_datagram(struct shard_run *r, const struct shard_packet *p)
{
	struct flow *f = r->f;
	unsigned shift = p->side * 2, asked = f->asked >> shift & 3;
	if (f->phase == SHARD_PHASE_QUIET && asked < DATAGRAMS_ASKED) {
		f->asked = (f->asked + (1u << shift)) & 15;
		ask_datagram(r, p->d);
	}
	if (f->phase != SHARD_PHASE_DISSECTING || p->d->payload.n != p->d->payload_wire)
		return;
	const struct dissector *x = dissector_of(r);
	struct dissect_ctx ctx = make_ctx(r, p->side);
	r->ctx = &ctx;
	enum dissect_status status = x->datagram(x->datagram_state ? state_of(r) : NULL, p->d->payload, &ctx);
	r->ctx = NULL;
	learn_client(r, ctx.client);
	assert(status == DISSECT_OK || status == DISSECT_DONE || status == DISSECT_BAD);
	if (status == DISSECT_OK)
		return;
	if (status != DISSECT_DONE) {
		r->h->st.v[STATS_dissector_bad]++;
		shard_say_malformed(r, p->side, OBSERVATION_SYNTAX);
	}
	shard_read_stop(r);
}
