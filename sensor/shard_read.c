/* What is read of a flow: probing which protocol it is, and the dissector of that protocol. */
#include <assert.h>
#include <string.h>

#include "sensor/recognise.h"
#include "sensor/shard_run.h"

/* ---- dissecting ---- */

static const struct dissector *dissector_of(const struct shard_run *r)
{
	return r->h->c.dissectors[r->c->service - SHARD_SERVICE_DISSECTED];
}

static uint8_t *state_of(const struct shard_run *r) { return r->h->states + (r->c->state - 1) * r->h->state_size; }

/* Nothing more is read of this flow: everything it holds goes back. */
void shard_read_stop(struct shard_run *r)
{
	struct shard_conn *c = r->c;
	if (c->phase == SHARD_PHASE_PROBING)
		r->h->probing--;
	if (c->state)
		r->h->state_free[r->h->states_free++] = c->state - 1;
	c->state = 0;
	c->phase = SHARD_PHASE_DONE;
	r->h->st.v[STATS_stream_unread_bytes] += c->s[0].ooo_bytes + c->s[1].ooo_bytes;
	stream_clear(r->h->pool, &c->s[0]);
	stream_clear(r->h->pool, &c->s[1]);
}

void shard_read_give_up(struct shard_run *r)
{
	if (r->c->service == SHARD_SERVICE_NONE) {
		r->c->service = SHARD_SERVICE_UNKNOWN;
		r->h->st.v[STATS_probe_gave_up]++;
	}
	shard_read_stop(r);
	shard_say_service(r);
}

/* Content beats ports, a handshake beats content. */
static void learn_client(struct shard_run *r, enum dissect_client client)
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
	struct shard_run *r = arg;
	learn_client(r, r->ctx->client);
	shard_say_service(r);
	shard_say_place(r, o, r->ctx->dir);
	if (o->head.type == OBSERVATION_MALFORMED) {
		r->c->said_malformed = true;
		observation_uint(o, OBSERVATION_F_transport, shard_say_transport(r));
		observation_text(o, OBSERVATION_F_service, span_str(shard_say_service_name(r)));
	}
	shard_say_put(r, o);
}

static struct dissect_ctx make_ctx(struct shard_run *r, unsigned dir)
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
	struct shard_conn *c = r->c;
	stream_drop(r->h->pool, &c->s[dir], c->s[dir].held_n);
	c->need[dir] = 0;
	if (c->phase == SHARD_PHASE_PROBING) {
		/* Begin again behind the hole. */
		c->start_known[dir] = false;
		c->probe_at[dir] = 0;
		c->probe_segments[dir] = 0;
		return;
	}
	if (c->phase != SHARD_PHASE_DISSECTING)
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
	r->h->st.v[STATS_stream_dropped_bytes] += in.n + s->held_n;
	r->c->gap_bytes += in.n + s->held_n;
	lost(r, dir, in.n);
	return false;
}

/* Bytes of one direction in stream order: to the dissector, whatever is already held before them. */
static void feed(struct shard_run *r, unsigned dir, struct span in)
{
	struct shard_conn *c = r->c;
	struct stream *s = &c->s[dir];
	while (c->phase == SHARD_PHASE_DISSECTING) {
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
		if (c->phase != SHARD_PHASE_DISSECTING)
			return;
		if (x.status == DISSECT_BAD) {
			broken(r, dir, OBSERVATION_SYNTAX);
			return;
		}
		if (x.status == DISSECT_DONE) {
			shard_read_stop(r);
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
static const struct dissector *candidate(const struct shard_run *r, unsigned at, unsigned *ret_index)
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

static void attach(struct shard_run *r, unsigned index)
{
	struct shard_conn *c = r->c;
	struct shard *h = r->h;
	c->service = (uint8_t)(SHARD_SERVICE_DISSECTED + index);
	if (!h->states_free) {
		h->st.v[STATS_state_dropped]++;
		shard_read_give_up(r);
		return;
	}
	h->probing--;
	c->phase = SHARD_PHASE_DISSECTING;
	c->state = h->state_free[--h->states_free] + 1;
	memset(state_of(r), 0, h->state_size);
	if (c->by == OBSERVATION_BY_HANDSHAKE)
		shard_say_service(r);
}

/* Asks one after the other; the next is asked only when the one before has said no, so that the answer does not
 * depend on how the bytes were cut. `complete`: no more bytes will come. True: decided or still waiting; false: this
 * direction is nothing we know. */
static bool ask(struct shard_run *r, unsigned dir, struct span head, bool complete)
{
	struct shard_conn *c = r->c;
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
			c->service = (uint8_t)(SHARD_SERVICE_RECOGNISED + (int)named - 1);
			shard_read_give_up(r);
			return true;
		}
		if (g == DISSECT_MAYBE && !complete)
			return true;
		c->probe_at[dir] = d ? (uint8_t)(c->probe_at[dir] + 1) : NOTHING;
	}
	return false;
}

static bool refused(const struct shard_conn *c, unsigned dir) { return c->probe_at[dir] == UINT8_MAX; }

static void probe(struct shard_run *r, unsigned dir, struct span in)
{
	struct shard_conn *c = r->c;
	struct stream *s = &c->s[dir];
	size_t room = s->held_n < DISSECT_PROBE_BYTES ? DISSECT_PROBE_BYTES - s->held_n : 0;
	struct span head = { in.p, in.n < room ? in.n : room };
	bool first = !s->held_n;
	if (!first) {
		if (!hold(r, dir, head)) {
			r->h->st.v[STATS_probe_dropped]++;
			shard_read_give_up(r);
			return;
		}
		in = span_from(in, head.n);
		head = stream_held(r->h->pool, s);
	}
	c->probe_segments[dir]++;
	bool full = head.n >= DISSECT_PROBE_BYTES || c->probe_segments[dir] >= DISSECT_PROBE_SEGMENTS;
	bool known = ask(r, dir, head, full);
	if (c->phase == SHARD_PHASE_DISSECTING) {
		/* The client's bytes first: what the server says answers them. */
		unsigned other = !dir;
		if (c->s[other].held_n && c->initiator == other)
			feed(r, other, (struct span){ 0 });
		feed(r, dir, in);
		if (c->phase == SHARD_PHASE_DISSECTING && c->s[other].held_n)
			feed(r, other, (struct span){ 0 });
		return;
	}
	if (c->phase != SHARD_PHASE_PROBING)
		return;
	/* Mid-stream, one direction may be in the middle of something long while the other begins a message:
	 * it is given the time of a full probe to speak. */
	bool wait_for_other = (c->midstream && !c->data[!dir]) || (c->data[!dir] && !refused(c, !dir));
	if (!known && (full || !wait_for_other)) {
		shard_read_give_up(r);
		return;
	}
	if (first && !hold(r, dir, head)) {
		r->h->st.v[STATS_probe_dropped]++;
		shard_read_give_up(r);
	}
}

void shard_read_start(struct shard_run *r)
{
	if (r->h->probing >= r->h->c.probes) {
		r->h->st.v[STATS_probe_dropped]++;
		r->c->service = SHARD_SERVICE_UNKNOWN;
		shard_read_stop(r);
		shard_say_service(r);
		return;
	}
	r->h->probing++;
	r->c->phase = SHARD_PHASE_PROBING;
}

/* ---- streams ---- */

void shard_read_finish(struct shard_run *r, unsigned dir)
{
	struct shard_conn *c = r->c;
	if (c->phase == SHARD_PHASE_PROBING && c->s[dir].held_n) {
		bool known = ask(r, dir, stream_held(r->h->pool, &c->s[dir]), true);
		if (c->phase == SHARD_PHASE_DISSECTING) {
			unsigned first = c->initiator;  /* may become known better on the way */
			feed(r, first, (struct span){ 0 });
			feed(r, !first, (struct span){ 0 });
		} else if (!known && c->phase == SHARD_PHASE_PROBING && !c->midstream &&
			   (!c->data[!dir] || refused(c, !dir))) {
			shard_read_give_up(r);
		}
	}
	if (c->phase != SHARD_PHASE_DISSECTING)
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

void shard_read_drain(struct shard_run *r, unsigned dir, struct stream_segment *seg)
{
	struct shard_conn *c = r->c;
	struct span bytes = { 0 };
	uint32_t gap = 0;
	for (;;) {
		switch (stream_next(r->h->pool, &c->s[dir], seg, &r->h->st, &bytes, &gap)) {
		case STREAM_NOTHING:
			/* Not empty when reading ended in the middle of the segment, or before it. */
			r->h->st.v[STATS_stream_unread_bytes] += seg->bytes.n;
			return;
		case STREAM_BYTES:
			if (c->phase == SHARD_PHASE_PROBING)
				probe(r, dir, bytes);
			else
				feed(r, dir, bytes);
			break;
		case STREAM_GAP:
			c->gap_bytes += gap;
			lost(r, dir, gap);
			break;
		case STREAM_FIN:
			shard_read_finish(r, dir);
			break;
		}
	}
}
