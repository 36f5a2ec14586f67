#include "sensor/engine_state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "dissectors/dissector.h"
#include "sensor/decode.h"
#include "sensor/stream.h"

enum {
	/* Bytes of packets in a batch. A batch also ends when the largest packet would not fit any more; that depends
	 * on the packets alone. 8 MiB: ENGINE_BATCH packets of 16 KiB, as offloading interfaces hand them over. */
	ARENA_BYTES = 8 << 20,
	/* What a batch can make at most: each packet, and each shard's timers. Touched only as far as it is used. */
	OUTPUT_BYTES = (ENGINE_BATCH + ENGINE_SHARDS) * SHARD_OUTPUT,
	/* The longest event is below 4 KiB, the longest observation a little above what a packet may make of them. */
	EVENT_BYTES = 2 * SHARD_OUTPUT,
	PROGRESS_BATCHES = 8,
	FLUSH_BATCHES = 32,             /* files: whoever reads the ring is woken this often at least */
	LIVE_WAIT_MS = 10,              /* how long a live batch collects: what a person does not notice */
	ENDED_TOGETHER = 64,            /* flows whose ends are said together: their output stays in the cache */
	OUTLIERS_MAKE_TIME = 3,         /* so many packets in a row that agree on a leap: the leap is real */
};

#define DAY_NS (UINT64_C(86400) * CLOCK_SECOND)
/* Stopping: a wire that never rests must not keep us; the parent waits longer. */
#define DRAIN_MAX_NS (5 * CLOCK_SECOND)
/* Live and silent: packet time follows the clock at this distance, behind what the kernel may still hand over. */
#define LIVE_LAG_NS (2 * CLOCK_SECOND)

void engine_defaults(struct engine_config *c)
{
	*c = (struct engine_config){
		.sensor = "spanward",
		.epoch = 1,
		.workers = 1,
		/* Fixed: the same capture gives the same records. Live capture puts a random one here. */
		.key = { UINT64_C(0x5370616e77617264), UINT64_C(0x7265706c61793031) },
		.tokens = { UINT64_C(0x746f6b656e73206f), UINT64_C(0x662061207265706c) },
		.flows = 1 << 18,       /* 10,000 devices with 25 flows each; 175 bytes a flow: 44 MiB */
		.stream_bytes = 128 << 20,
		.probes = 1 << 16,      /* each holds at most twice DISSECT_PROBE_BYTES of stream_bytes */
		.states = 1 << 15,      /* 256 bytes each on average: 8 MiB */
		.fragments = 512,       /* a batch completes at most 256 of two and more fragments; 33 MiB if all were long */
		.assets = 1 << 16,
		.ndpi = guess_built(),
		.guesses = 1 << 10,     /* 4 KiB each: 4 MiB */
		.folds = 1 << 14,
		.tcp_idle_ns = 7440 * CLOCK_SECOND,     /* RFC 5382, REQ-5; HL7 keeps its connections for long */
		.udp_idle_ns = 120 * CLOCK_SECOND,      /* RFC 4787, REQ-5 */
		.half_open_ns = 64 * CLOCK_SECOND,      /* the six SYNs that Linux sends are over by then */
		.fold_ns = 900 * CLOCK_SECOND,
	};
}

static size_t share(size_t all) { return (all + ENGINE_SHARDS - 1) / ENGINE_SHARDS; }

static void on_event(void *arg, const struct event *ev)
{
	struct engine *e = arg;
	struct buf b = buf_over(e->event, EVENT_BYTES);
	int err = vocab_encode(&event_vocab, &ev->head, &b);
	assert(!err);
	bool put = !err && e->ring &&
		   engine_put(e, ev->lane == EVENT_LANE_ALERTS ? RING_EVENT_ALERTS : RING_EVENT_TELEMETRY, buf_span(&b));
	e->st.v[put ? STATS_events_put : STATS_events_dropped]++;
}

static void on_finding(void *arg, enum mirror_finding f, uint32_t source, uint64_t value, uint64_t ts_ns)
{
	struct engine *e = arg;
	detector_mirror(e->detector, f, source, value, ts_ns);
}

static struct shard_config shard_config_of(const struct engine_config *c, const struct order *order, uint32_t id)
{
	return (struct shard_config){
		.id = id,
		.flows = share(c->flows ? c->flows : 1),
		.stream_bytes = share(c->stream_bytes),
		.probes = share(c->probes),
		.states = share(c->states),
		.guesses = c->ndpi ? share(c->guesses) : 0,
		.tcp_idle_ns = c->tcp_idle_ns,
		.udp_idle_ns = c->udp_idle_ns,
		.half_open_ns = c->half_open_ns,
		.dissectors = dissector_list,
		.order = order,
		.tokens = c->tokens,
		.spaces = &c->spaces,
	};
}

size_t engine_bytes(const struct engine_config *c)
{
	const struct shard_config sc = shard_config_of(c, NULL, 0);
	const struct detector_config dc = { .assets = c->assets, .folds = c->folds };
	const size_t worker = sizeof(struct shard_out) + MIRROR_VLANS * sizeof(uint64_t) + MIRROR_SOURCES * sizeof(struct stats) +
			      OUTPUT_BYTES;
	const size_t guess = c->ndpi ? guess_bytes() : 0;
	/* All shards have one order. */
	const size_t shards = ENGINE_SHARDS * (shard_bytes(&sc) - order_bytes()) + order_bytes();
	return sizeof(struct engine) + c->workers * guess + shards + c->workers * worker + detector_bytes(&dc) +
	       defrag_bytes(c->fragments) + mirror_bytes() + ENGINE_BATCH * sizeof(struct item) + ARENA_BYTES +
	       EVENT_BYTES + RING_SNAPSHOT_MAX;
}

static struct engine_config scaled(const struct engine_config *c, uint64_t times)
{
	struct engine_config x = *c;
	size_t *const tables[] = { &x.flows, &x.stream_bytes, &x.probes, &x.states, &x.assets, &x.folds, &x.fragments,
				   &x.guesses };
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		uint64_t n = *tables[i] * times >> 16;
		*tables[i] = n ? (size_t)n : 1;
	}
	if (x.flows > (size_t)FLOW_MAX * ENGINE_SHARDS)
		x.flows = (size_t)FLOW_MAX * ENGINE_SHARDS;
	return x;
}

int engine_budget(struct engine_config *c, size_t bytes)
{
	/* In steps of 1/65536 of what there is, up to 65536 times as much. */
	uint64_t fits = 0, not = UINT64_C(1) << 32;
	while (not - fits > 1) {
		uint64_t mid = fits + (not - fits) / 2;
		struct engine_config x = scaled(c, mid);
		if (engine_bytes(&x) <= bytes)
			fits = mid;
		else
			not = mid;
	}
	/* With less than a flow for each shard nothing can be followed. */
	struct engine_config x = scaled(c, fits);
	if (!fits || x.flows < ENGINE_SHARDS || x.stream_bytes < (size_t)ENGINE_SHARDS * STREAM_BLOCK)
		return -ENOMEM;
	*c = x;
	return 0;
}

/* Worker 0 is the thread that also reads and judges: of two workers it has the fewer shards, of more none. With 0, 5, 10 and 32 of them
 * the busiest of two threads took 0.78, 0.75, 0.76 and 0.93 of what one worker takes (`./dev bench workers`). */
static void share_shards(struct engine *e)
{
	enum { OF_TWO = 5 };
	unsigned n = e->c.workers;
	e->first = n == 1 ? ENGINE_SHARDS : n == 2 ? OF_TWO : 0;
	for (unsigned s = 0; s < ENGINE_SHARDS; s++)
		e->owner[s] = s < e->first ? 0 : (uint8_t)(1 + s % (n - 1));
}

struct engine *engine_new(const struct engine_config *given)
{
	struct engine_config budgeted = *given;
	const struct engine_config *c = &budgeted;
	if (!c->workers || c->workers > ENGINE_MAX_WORKERS || (c->memory && engine_budget(&budgeted, c->memory)))
		return NULL;
	struct engine *e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->c = *c;
	share_shards(e);
	e->hash = flow_hash_key_make(&c->key);
	const struct mirror_config mc = { .found = on_finding, .arg = e };
	e->mirror = mirror_new(&mc);
	e->order = order_new(dissector_list);
	bool ok = e->mirror && e->order && !pthread_mutex_init(&e->lock, NULL) && !pthread_cond_init(&e->go, NULL) &&
		  !pthread_cond_init(&e->done, NULL);
	for (uint32_t i = 0; i < ENGINE_SHARDS && ok; i++) {
		const struct shard_config sc = shard_config_of(&e->c, e->order, i);
		e->shards[i] = shard_new(&sc);
		ok = e->shards[i];
	}
	for (unsigned w = 0; w < c->workers && ok; w++) {
		struct worker *k = &e->workers[w];
		*k = (struct worker){ .e = e, .index = w, .out = calloc(1, sizeof(*k->out)) };
		if (k->out) {
			k->vlans = calloc(MIRROR_VLANS, sizeof(*k->vlans));
			k->st = calloc(MIRROR_SOURCES, sizeof(*k->st));
		}
		if (k->vlans && k->st)
			k->out->bytes = buf_over(calloc(1, OUTPUT_BYTES), OUTPUT_BYTES);
		ok = k->out && k->out->bytes.data;
		if (ok && c->ndpi)
			ok = (k->out->guess = guess_new()) != NULL;
	}
	const struct detector_config dc = {
		.sensor = e->c.sensor, .epoch = c->epoch, .assets = c->assets, .folds = c->folds, .fold_ns = c->fold_ns,
		.flow_events = c->flow_events, .key = c->key, .spaces = &e->c.spaces, .mirror = e->mirror, .emit = on_event, .arg = e,
	};
	if (ok) {
		e->detector = detector_new(&dc);
		e->defrag = defrag_new(c->fragments, &c->key);
		e->items = calloc(ENGINE_BATCH, sizeof(*e->items));
		e->arena = malloc(ARENA_BYTES);
		e->event = malloc(EVENT_BYTES);
		e->snapshot = buf_over(malloc(RING_SNAPSHOT_MAX), RING_SNAPSHOT_MAX);
		ok = e->detector && e->defrag && e->items && e->arena && e->event && e->snapshot.data;
	}
	if (!ok) {
		engine_free(e);
		return NULL;
	}
	return e;
}

/* ---- workers ---- */

/* What became of a packet is known: it is counted, and its shard. */
static void count_item(struct engine *e, struct item *it, struct worker *k)
{
	struct stats *st = &k->st[it->source];
	const struct decode *d = &it->d;
	st->v[d->counter]++;
	k->decoded++;
	k->vlans[d->vlan & (MIRROR_VLANS - 1)]++;
	if (d->truncated && d->counter != STATS_packets_truncated)
		st->v[STATS_payload_truncated]++;
	for (unsigned t = d->tunnels, i = 0; t; t >>= 1, i++)
		st->v[STATS_tunnel_mpls + i] += t & 1;
	if (d->kind > DECODE_ICMP_ERROR) {
		st->v[STATS_icmp_unread] += d->counter == STATS_icmp_errors;
		return;
	}
	it->p.d = d;
	it->p.side = flow_key_make(d, &it->p.key);
	it->p.hash = flow_key_hash(&e->hash, &it->p.key);
	it->shard = (uint8_t)(it->p.hash & (ENGINE_SHARDS - 1));
}

static void decode_item(struct engine *e, struct item *it, struct worker *k)
{
	decode_packet(it->linktype, it->bytes, it->wire_len, &it->d);
	it->d.space = spaces_of(&e->c.spaces, &it->d);
	it->shard = NO_SHARD;
	if (it->d.kind == DECODE_FRAGMENT)
		k->fragments = true;
	else
		count_item(e, it, k);
}

/* In packet order and in one thread, between decoding and the shards. What is put together may hold a fragment again, of
 * a packet inside. */
static void join_item(struct engine *e, struct item *it)
{
	struct span whole;
	uint8_t proto;
	while (it->d.kind == DECODE_FRAGMENT && defrag_add(e->defrag, &it->d, it->p.ts_ns, &whole, &proto)) {
		decode_datagram(&it->d, proto, whole);
		it->d.space = spaces_of(&e->c.spaces, &it->d);  /* a tunnel may have been in pieces */
	}
	count_item(e, it, &e->workers[0]);
}

static void join_fragments(struct engine *e)
{
	bool any = false;
	for (unsigned w = 0; w < e->c.workers; w++) {
		any |= e->workers[w].fragments;
		e->workers[w].fragments = false;
	}
	for (size_t i = 0; i < e->n_items && any; i++)
		if (e->items[i].d.kind == DECODE_FRAGMENT)
			join_item(e, &e->items[i]);
}

/* Packets of this worker's shards, decoded, each of which has been expected. Looking up a flow waits for memory three times as long as
 * it works, so all look-ups are begun before the first is needed. */
static void work_together(struct engine *e, struct worker *k, struct item *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		shard_expect_flow(e->shards[items[i]->shard], &items[i]->p);
	for (size_t i = 0; i < n; i++)
		shard_expect_reader(e->shards[items[i]->shard], &items[i]->p);
	for (size_t i = 0; i < n; i++)
		shard_packet(e->shards[items[i]->shard], k->out, &items[i]->p);
}

/* The packets of its shards in their order, then the timers in the order of the shards. */
static void run_shards(struct engine *e, struct worker *k)
{
	struct item *mine[NEAR];
	size_t n = 0;
	for (size_t i = 0; i < e->n_items; i++) {
		struct item *it = &e->items[i];
		if (it->shard == NO_SHARD || e->owner[it->shard] != k->index)
			continue;
		shard_expect(e->shards[it->shard], it->p.hash);
		mine[n++] = it;
		if (n == NEAR) {
			work_together(e, k, mine, n);
			n = 0;
		}
	}
	work_together(e, k, mine, n);
	for (unsigned s = 0; s < ENGINE_SHARDS; s++)
		if (e->owner[s] == k->index)
			shard_timers(e->shards[s], k->out, e->watermark);
}

static void do_job(struct engine *e, struct worker *k, enum job job)
{
	if (job == JOB_READY)
		return;
	if (job == JOB_SHARDS) {
		run_shards(e, k);
		return;
	}
	/* Decoding is shared out as the shards are. */
	size_t mine = e->n_items * e->first / ENGINE_SHARDS, others = e->c.workers - 1, from = 0, to = mine;
	if (k->index) {
		from = mine + (e->n_items - mine) * (k->index - 1) / others;
		to = mine + (e->n_items - mine) * k->index / others;
	}
	for (size_t i = from; i < to; i++)
		decode_item(e, &e->items[i], k);
}

static void *work(void *arg)
{
	struct worker *k = arg;
	struct engine *e = k->e;
	for (uint64_t seen = 0;;) {
		pthread_mutex_lock(&e->lock);
		while (e->turn == seen)
			pthread_cond_wait(&e->go, &e->lock);
		seen = e->turn;
		enum job job = e->job;
		pthread_mutex_unlock(&e->lock);
		if (job == JOB_QUIT)
			return NULL;
		do_job(e, k, job);
		pthread_mutex_lock(&e->lock);
		if (!--e->busy)
			pthread_cond_signal(&e->done);
		pthread_mutex_unlock(&e->lock);
	}
}

/* Everybody does the job, this thread as worker 0; returns when all have. */
static void all_do(struct engine *e, enum job job)
{
	if (e->started) {
		pthread_mutex_lock(&e->lock);
		e->job = job;
		e->busy = e->started;
		e->turn++;
		pthread_cond_broadcast(&e->go);
		pthread_mutex_unlock(&e->lock);
	}
	if (job != JOB_QUIT)
		do_job(e, &e->workers[0], job);
	if (e->started && job != JOB_QUIT) {
		pthread_mutex_lock(&e->lock);
		while (e->busy)
			pthread_cond_wait(&e->done, &e->lock);
		pthread_mutex_unlock(&e->lock);
	}
}

int engine_start(struct engine *e)
{
	for (unsigned w = 1; w < e->c.workers; w++) {
		int err = pthread_create(&e->workers[w].thread, NULL, work, &e->workers[w]);
		if (err)
			return -err;
		e->started++;
	}
	/* A thread makes system calls of its own until it first waits (rseq, its robust list): the strict sandbox, which knows
	 * none of them, must not close before every thread has come that far. */
	all_do(e, JOB_READY);
	return 0;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	all_do(e, JOB_QUIT);
	for (unsigned w = 1; w <= e->started; w++)
		pthread_join(e->workers[w].thread, NULL);
	for (unsigned i = 0; i < ENGINE_SHARDS; i++)
		shard_free(e->shards[i]);
	for (unsigned w = 0; w < ENGINE_MAX_WORKERS; w++)
		if (e->workers[w].out) {
			free(e->workers[w].vlans);
			free(e->workers[w].st);
			free(e->workers[w].out->bytes.data);
			guess_free(e->workers[w].out->guess);
			free(e->workers[w].out);
		}
	detector_free(e->detector);
	mirror_free(e->mirror);
	order_free(e->order);
	defrag_free(e->defrag);
	free(e->items);
	free(e->arena);
	free(e->event);
	free(e->snapshot.data);
	pthread_cond_destroy(&e->done);
	pthread_cond_destroy(&e->go);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

/* ---- policy ---- */

void engine_policy(struct engine *e, const struct policy *p, uint64_t generation)
{
	e->next_policy = p;
	e->next_generation = generation;
	e->policy_waits = true;
}

void engine_policy_kept(struct engine *e, const char *why)
{
	detector_policy_kept(e->detector, span_str(why), e->watermark);
}

uint64_t engine_policy_current(const struct engine *e) { return e->generation; }

/* At a batch boundary, before the observations of the batch are judged. */
static void adopt_policy(struct engine *e, uint64_t now_ns)
{
	if (!e->policy_waits)
		return;
	e->policy_waits = false;
	e->generation = e->next_policy ? e->next_generation : 0;
	detector_policy(e->detector, e->next_policy, e->next_generation, now_ns);
}

/* ---- packet time ---- */

/* Time never goes back, and does not leap a day on the word of one or two packets. The first packet of a file may:
 * files are read in order of time, so it is not behind, and captures of different days are often read together. */
static uint64_t packet_time(struct engine *e, const struct source_packet *p)
{
	uint64_t ts = p->ts_ns, mark = e->watermark;
	bool new_file = p->number == 1 && p->file != e->last_file;
	e->last_file = p->file;
	if (mark && ts < mark) {
		e->st.v[STATS_time_backward]++;
		e->leaps = 0;
		return mark;
	}
	if (mark && ts - mark > DAY_NS && !new_file) {
		uint64_t apart = ts > e->leap_ts ? ts - e->leap_ts : e->leap_ts - ts;
		e->leaps = e->leaps && apart <= DAY_NS ? e->leaps + 1 : 1;
		e->leap_ts = ts;
		if (e->leaps < OUTLIERS_MAKE_TIME) {
			e->st.v[STATS_time_outlier]++;
			return mark;
		}
	}
	e->leaps = 0;
	e->watermark = ts;
	return ts;
}

/* ---- reading ---- */

/* Packets as they were read, into the items: numbered, timed, counted. */
static void take_packets(struct engine *e, struct source_packet *p, size_t n, bool many_files, struct item *items)
{
	uint64_t ts_ns[NEAR], bytes = 0;
	size_t counted = 0;
	for (size_t i = 0; i < n; i++) {
		struct item *it = &items[i];
		if (p[i].bytes.n > SOURCE_MAX_PACKET)   /* the source promises otherwise; the arena must hold */
			p[i].bytes.n = SOURCE_MAX_PACKET;
		ts_ns[i] = packet_time(e, &p[i]);
		bytes += p[i].wire_len;
		it->p.seq = ++e->seq;
		it->p.ts_ns = ts_ns[i];
		it->p.number = p[i].number;
		it->p.file = many_files ? p[i].file : 0;
		it->p.hint = 0;
		/* A directory that is followed is one source. */
		uint32_t source = e->feed ? 1 : p[i].file;
		it->source = (uint8_t)(source && source <= MIRROR_SOURCES ? source - 1 : MIRROR_SOURCES - 1);
		it->bytes = p[i].bytes;
		it->linktype = p[i].linktype;
		it->wire_len = p[i].wire_len;
		if (i + 1 == n || (!e->feed && p[i + 1].file != source)) {
			mirror_packets(e->mirror, source, p + counted, ts_ns + counted, i + 1 - counted);
			counted = i + 1;
		}
	}
	if (!e->n_items)
		e->batch_ns = ts_ns[0];
	e->n_items += n;
	e->st.v[STATS_packets] += n;
	e->st.v[STATS_bytes] += bytes;
}

/* Packets that lie in the source's buffer: decoded, and to their shards in order. */
static void work_near(struct engine *e, size_t n)
{
	struct item *mine[NEAR];
	size_t m = 0;
	for (size_t i = 0; i < n; i++) {
		struct item *it = &e->items[i];
		decode_item(e, it, &e->workers[0]);
		if (it->d.kind == DECODE_FRAGMENT)
			join_item(e, it);
		if (it->shard == NO_SHARD)
			continue;
		shard_expect(e->shards[it->shard], it->p.hash);
		mine[m++] = it;
	}
	work_together(e, &e->workers[0], mine, m);
}

/* Into the arena: what the source holds is good until it is read from again. */
static size_t copy_packets(struct engine *e, struct item *items, size_t n, size_t used)
{
	for (size_t i = 0; i < n; i++) {
		if (items[i].bytes.n)
			memcpy(e->arena + used, items[i].bytes.p, items[i].bytes.n);
		items[i].bytes.p = e->arena + used;
		used += items[i].bytes.n;
	}
	return used;
}

/* Fills a batch; false at the end of the source. With one worker packets are worked on where they lie, as many together as
 * the source leaves there; else they are copied. */
static bool read_batch(struct engine *e, struct source *s)
{
	bool live = source_is_live(s), many_files = e->feed || (!live && source_files(s) > 1), alone = e->c.workers == 1;
	uint64_t began_ns = live ? clock_mono_ns() : 0;
	size_t used = 0;
	e->n_items = 0;
	while (e->n_items < ENGINE_BATCH && ARENA_BYTES - used >= SOURCE_MAX_PACKET) {
		struct source_packet p[NEAR];
		unsigned wait_ms = 0;
		if (live) {
			uint64_t spent_ms = (clock_mono_ns() - began_ns) / 1000000u;
			if (spent_ms >= LIVE_WAIT_MS)
				break;
			wait_ms = LIVE_WAIT_MS - (unsigned)spent_ms;
		}
		size_t n = ENGINE_BATCH - e->n_items < NEAR ? ENGINE_BATCH - e->n_items : NEAR;
		enum source_status got = source_batch(s, wait_ms, p, n, ARENA_BYTES - used, &n);
		if (got == SOURCE_END)
			return false;
		if (got == SOURCE_IDLE)
			break;
		struct item *items = &e->items[alone ? 0 : e->n_items];
		take_packets(e, p, n, many_files, items);
		if (!alone) {
			used = copy_packets(e, items, n, used);
			continue;
		}
		work_near(e, n);
		for (size_t i = 0; i < n; i++)
			used += p[i].bytes.n;
	}
	if (live && !e->n_items && e->watermark) {
		uint64_t now = clock_now_ns();
		if (now > LIVE_LAG_NS && now - LIVE_LAG_NS > e->watermark)
			e->watermark = now - LIVE_LAG_NS;
	}
	return true;
}

/* ---- observations to the detector ---- */

static void observe(struct engine *e, struct span bytes)
{
	unsigned type = vocab_pack_type(bytes);
	assert(type < OBSERVATION_TYPES);       /* we wrote it */
	if (type >= OBSERVATION_TYPES)
		return;
	struct observation *o = &e->observations[type];
	int err = vocab_pack_read(&observation_vocab, &o->head, &e->scratch, bytes);
	assert(!err);
	if (err) {
		memset(o, 0, sizeof(*o));
		return;
	}
	if (e->c.observations) {
		struct buf b = buf_over(e->event, EVENT_BYTES);
		err = vocab_encode(&observation_vocab, &o->head, &b);
		assert(!err);
		if (!err)
			(void)engine_put(e, RING_OBSERVATION, buf_span(&b));
	}
	detector_observe(e->detector, o);
}

/* Merges the workers' records by packet, then shard; the records of one packet are in one worker's output, in order. */
static void observe_all(struct engine *e)
{
	if (e->c.workers == 1) {
		struct shard_record one;
		struct span record;
		for (size_t from = 0; shard_record_next(e->workers[0].out, &from, &one, &record);)
			observe(e, record);
		buf_rewind(&e->workers[0].out->bytes, 0);
		return;
	}
	struct shard_record head[ENGINE_MAX_WORKERS];
	struct span bytes[ENGINE_MAX_WORKERS];
	size_t at[ENGINE_MAX_WORKERS] = { 0 };
	bool more[ENGINE_MAX_WORKERS];
	for (unsigned w = 0; w < e->c.workers; w++)
		more[w] = shard_record_next(e->workers[w].out, &at[w], &head[w], &bytes[w]);
	for (;;) {
		unsigned best = ENGINE_MAX_WORKERS;
		for (unsigned w = 0; w < e->c.workers; w++) {
			if (!more[w])
				continue;
			if (best == ENGINE_MAX_WORKERS || head[w].seq < head[best].seq ||
			    (head[w].seq == head[best].seq && head[w].shard < head[best].shard))
				best = w;
		}
		if (best == ENGINE_MAX_WORKERS)
			break;
		observe(e, bytes[best]);
		more[best] = shard_record_next(e->workers[best].out, &at[best], &head[best], &bytes[best]);
	}
	for (unsigned w = 0; w < e->c.workers; w++)
		buf_rewind(&e->workers[w].out->bytes, 0);
}

/* A shard with flows left, by the number of its first: a heap of them, the earliest at 0. */
struct ending { uint64_t number; struct shard *shard; };

static void sift_down(struct ending *heap, size_t n, size_t at)
{
	struct ending moved = heap[at];
	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		child += child + 1 < n && heap[child + 1].number < heap[child].number;
		if (moved.number < heap[child].number)
			break;
		heap[at] = heap[child];
	}
	heap[at] = moved;
}

/* In the order in which they were made. */
static void end_all_flows(struct engine *e)
{
	struct ending heap[ENGINE_SHARDS];
	size_t n = 0;
	for (unsigned s = 0; s < ENGINE_SHARDS; s++) {
		heap[n].shard = e->shards[s];
		n += shard_first_flow(e->shards[s], &heap[n].number);
	}
	for (size_t i = n / 2; i-- > 0;)
		sift_down(heap, n, i);
	for (unsigned ended = 1; n; ended++) {
		shard_end_first_flow(heap[0].shard, e->workers[0].out);
		if (!shard_first_flow(heap[0].shard, &heap[0].number))
			heap[0] = heap[--n];
		if (n)
			sift_down(heap, n, 0);
		if (!n || ended % ENDED_TOGETHER == 0)
			observe_all(e);
	}
}

/* Asked to stop, live: what was on the wire by then is in the kernel's ring, and is read too. Two batches without a packet: the
 * ring hands over a block that is not full after 10 ms. */
static bool drained(const struct engine *e, uint64_t stop_ns, uint64_t began_ns, unsigned *empty)
{
	*empty = e->n_items ? 0 : *empty + 1;
	return *empty > 2 || (e->n_items && e->watermark > stop_ns) || clock_mono_ns() - began_ns > DRAIN_MAX_NS;
}

int engine_run(struct engine *e, struct source *s, struct ring *out, int (*poll)(void *arg), void *arg)
{
	e->ring = out;
	e->wait = !source_is_live(s);
	e->feed = source_is_feed(s);
	if (e->c.restarts)
		detector_restarted(e->detector, e->c.restarts, clock_now_ns());
	if (e->c.unsandboxed)
		detector_unsandboxed(e->detector, clock_now_ns());
	uint64_t stop_ns = 0, began_ns = 0;
	unsigned empty = 0;
	for (bool more = true; more && !e->err;) {
		more = read_batch(e, s);
		if (e->c.workers > 1) {
			all_do(e, JOB_DECODE);
			join_fragments(e);
			all_do(e, JOB_SHARDS);
		} else {
			/* The packets have been worked on as they were read. */
			for (unsigned i = 0; i < ENGINE_SHARDS; i++)
				shard_timers(e->shards[i], e->workers[0].out, e->watermark);
		}
		defrag_release(e->defrag, e->watermark);
		adopt_policy(e, e->n_items ? e->batch_ns : e->watermark);
		observe_all(e);
		engine_judge_mirror(e);
		detector_tick(e->detector, e->watermark);
		if (e->batches++ % PROGRESS_BATCHES == 0) {
			engine_put_progress(e, s);
			engine_put_snapshot(e, s, false);
		}
		if (!e->wait || e->batches % FLUSH_BATCHES == 0 || !e->n_items)
			ring_flush(e->ring);
		if (!stop_ns && poll && poll(arg)) {
			if (!source_is_live(s))
				break;
			stop_ns = clock_now_ns();
			began_ns = clock_mono_ns();
		}
		if (stop_ns && drained(e, stop_ns, began_ns, &empty))
			break;
	}
	defrag_finish(e->defrag);
	end_all_flows(e);
	struct stats sum;
	engine_sum(e, s, &sum);
	detector_finish(e->detector, &sum, e->watermark);
	engine_sum(e, s, &sum);
	stats_add(&sum, detector_stats(e->detector));
	engine_put_results(e, s, &sum);
	engine_put_progress(e, s);
	engine_put_snapshot(e, s, true);
	ring_flush(e->ring);
	e->ring = NULL;
	return e->err;
}
