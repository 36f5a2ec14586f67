#include "sensor/shard.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/checksum.h"
#include "sensor/recognise.h"
#include "sensor/shard_run.h"

/* What a flow that is read may hold on average: the state of a common dissector. Those with more have it while others have less. */
enum { READER_BYTES = 256 };

/* And a page for each size of block, so that a single flow of a kind finds one. */
static size_t reader_bytes(const struct shard_config *c)
{
	size_t pages = 1;
	for (const struct dissector *const *d = c->dissectors; *d; d++) {
		const struct dissector *const *same = c->dissectors;
		while (((*same)->state_size + SLAB_STEP - 1) / SLAB_STEP != ((*d)->state_size + SLAB_STEP - 1) / SLAB_STEP)
			same++;
		pages += same == d;
	}
	return pages * SLAB_PAGE + c->states * READER_BYTES + c->probes * sizeof(struct shard_reader);
}

size_t shard_bytes(const struct shard_config *c)
{
	return sizeof(struct shard) + (c->order ? 0 : order_bytes()) + flow_table_bytes(c->flows) + stream_pool_bytes(c->stream_bytes) +
	       slab_bytes(reader_bytes(c)) + (c->guesses ? guess_pool_bytes(c->guesses) : 0);
}

struct shard *shard_new(const struct shard_config *c)
{
	struct shard *h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->c = *c;
	h->idle_ns[FLOW_CLOSED] = SHARD_LINGER_NS;
	h->idle_ns[FLOW_HALF_OPEN] = c->half_open_ns;
	h->idle_ns[FLOW_UDP_ASKING] = h->idle_ns[FLOW_UDP] = c->udp_idle_ns;
	h->idle_ns[FLOW_TCP] = h->idle_ns[FLOW_TCP_BARE] = c->tcp_idle_ns;
	for (const struct dissector *const *d = c->dissectors; *d; d++) {
		h->n_dissectors++;
		assert((*d)->state_size <= DISSECT_MAX_STATE && (*d)->datagram_state <= DISSECT_MAX_STATE);
		assert((*d)->max_message <= SHARD_NEED_MAX);
	}
	assert(h->n_dissectors < 256 - SHARD_SERVICE_DISSECTED);
	h->own_order = c->order ? NULL : order_new(c->dissectors);
	h->order = c->order ? c->order : h->own_order;
	h->table = flow_table_new(c->flows);
	h->pool = stream_pool_new(c->stream_bytes);
	h->slab = slab_new(reader_bytes(c));
	if (c->guesses)
		h->guesses = guess_pool_new(c->guesses);
	if ((c->guesses && !h->guesses) || !h->order || !h->table || !h->pool || !h->slab) {
		shard_free(h);
		return NULL;
	}
	return h;
}

void shard_free(struct shard *h)
{
	if (!h)
		return;
	order_free(h->own_order);
	flow_table_free(h->table);
	stream_pool_free(h->pool);
	slab_free(h->slab);
	guess_pool_free(h->guesses);
	free(h);
}

const struct stats *shard_stats(const struct shard *h) { return &h->st; }
size_t shard_flows(const struct shard *h) { return flow_count(h->table); }

bool shard_record_next(const struct shard_out *out, size_t *at, struct shard_record *ret, struct span *ret_bytes)
{
	if (*at >= out->bytes.len)
		return false;
	memcpy(ret, out->bytes.data + *at, sizeof(*ret));
	*ret_bytes = (struct span){ out->bytes.data + *at + sizeof(*ret), ret->n };
	*at += sizeof(*ret) + ret->n;
	return true;
}

void shard_expect(const struct shard *h, uint64_t hash) { flow_prefetch_bucket(h->table, hash); }
void shard_expect_flow(const struct shard *h, struct shard_packet *p) { p->hint = flow_prefetch_record(h->table, p->hash); }

void shard_expect_reader(const struct shard *h, const struct shard_packet *p)
{
	if (!p->hint)
		return;
	uint32_t reader = flow_at(h->table, p->hint - 1)->reader;
	if (!reader)
		return;
	const uint8_t *c = slab_at(h->slab, reader);
	__builtin_prefetch(c, 1);
	__builtin_prefetch(c + 64, 1);
	flow_prefetch_rest(h->table, p->hint - 1);
}

static void count(struct shard_run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	struct flow *f = r->f;
	struct flow_side *s = &f->side[p->side], *other = &f->side[!p->side];
	r->h->st.v[STATS_flow_packets]++;
	s->packets = (s->packets + 1) & FLOW_48;
	s->bytes = (s->bytes + d->ip_bytes) & FLOW_48;
	if (f->last_ns && p->ts_ns - f->last_ns > SHARD_SILENCE_NS)
		shard_flow_silence(r, p->ts_ns - f->last_ns);
	f->last_ns = p->ts_ns;
	f->last_number = p->number & FLOW_48;
	f->last_file = p->file & 0xffff;
	if (d->has_mac && s->mac_by < 2) {
		shard_rest(r)->mac[p->side] = d->src_mac;
		s->mac_by = 2;
	}
	if (d->has_mac && !other->mac_by) {
		shard_rest(r)->mac[!p->side] = d->dst_mac;
		other->mac_by = 1;
	}
}

/* The rule of checksum.h: true when the packet is damaged, so that nobody who receives it takes it. */
static bool damaged(struct shard_run *r, const struct shard_packet *p)
{
	const struct decode *d = p->d;
	const struct flow *f = r->f;
	struct flow_side *from = &r->f->side[p->side];
	uint64_t *v = r->h->st.v;
	if (d->ip_sum == CHECKSUM_WRONG && from->ip_sum_right)
		return true;
	if (d->ip_sum == CHECKSUM_RIGHT && !from->ip_sum_right)
		from->ip_sum_right = true;
	bool read = d->flags & DECODE_SYN || (d->payload.n && f->phase != SHARD_PHASE_DONE);
	if (d->kind == DECODE_UDP)
		read = d->payload.n && (f->phase == SHARD_PHASE_DISSECTING || !f->said_service);
	else if (d->kind != DECODE_TCP)
		read = false;
	if (read && d->kind == DECODE_TCP && f->phase == SHARD_PHASE_DISSECTING) {
		const struct shard_reader *c = slab_at(r->h->slab, f->reader);
		read = !c->d[p->side].skip || d->flags & DECODE_SYN;
	}
	if (!read)
		return false;
	switch (checksum_of(d)) {
	case CHECKSUM_RIGHT:
		if (d->payload.n)
			from->sum_right = true;
		break;
	case CHECKSUM_WRONG:
		if (from->sum_right)
			return true;
		v[STATS_checksum_unproven]++;
		break;
	case CHECKSUM_OFFLOADED:
		v[STATS_checksum_offloaded]++;
		break;
	case CHECKSUM_NONE:
		break;
	}
	return false;
}

/* A packet that no flow counts. */
static void unfollowed(struct shard *h, const struct shard_packet *p, enum stats_counter c, enum stats_counter bytes)
{
	h->st.v[c]++;
	if (p->d->kind == DECODE_TCP)
		h->st.v[bytes] += p->d->payload.n;
}

/* Whether the timer of the list that it is in has run out. */
static bool is_over(const struct shard *h, const struct flow *f, uint64_t now_ns)
{
	return now_ns >= f->last_ns && now_ns - f->last_ns >= h->idle_ns[f->list];
}

void shard_packet(struct shard *h, struct shard_out *out, const struct shard_packet *p)
{
	struct shard_run r = { .h = h, .out = out, .mark = out->bytes.len, .seq = p->seq, .ts_ns = p->ts_ns,
			 .number = p->number, .file = p->file };
	if (p->d->kind == DECODE_TCP)
		h->st.v[STATS_tcp_bytes] += p->d->payload.n;
	r.i = flow_find(h->table, &p->key, p->hash, p->hint);
	if (r.i != FLOW_NONE)
		r.f = flow_at(h->table, r.i);
	/* Its timer has run out, though nobody has looked at the timers since. */
	if (r.i != FLOW_NONE && is_over(h, r.f, p->ts_ns)) {
		shard_flow_retire(&r, r.i, OBSERVATION_END_IDLE);
		r.i = FLOW_NONE;
	}
	if (p->d->kind == DECODE_ICMP_ERROR) {
		shard_icmp_error(&r, p);
		return;
	}
	if (r.i != FLOW_NONE && damaged(&r, p)) {
		unfollowed(h, p, STATS_checksum_wrong, STATS_discarded_bytes);
		return;
	}
	if (duplicate_seen(&h->duplicate, p->d, p->hash, r.i, p->side, p->ts_ns)) {
		unfollowed(h, p, STATS_duplicates, STATS_discarded_bytes);
		return;
	}
	if (r.i != FLOW_NONE) {
		if (shard_tcp_is_another(r.f, p)) {
			shard_flow_retire(&r, r.i, OBSERVATION_END_CLOSED);
			r.i = FLOW_NONE;
		} else if (r.f->ended) {
			/* Late: of no flow's count, kept from looking like a new flow. */
			unfollowed(h, p, STATS_late_packets, STATS_stream_unread_bytes);
			return;
		}
	}
	if (r.i == FLOW_NONE) {
		/* A reset without a flow resets nothing we know of. */
		if (p->d->kind == DECODE_TCP && p->d->flags & DECODE_RST) {
			unfollowed(h, p, STATS_stray_resets, STATS_stream_unread_bytes);
			return;
		}
		shard_flow_create(&r, p);
		duplicate_begins(&h->duplicate, p->d, r.i);
		(void)damaged(&r, p);           /* of a sender not known yet, nothing is */
	} else {
		shard_read_resume(&r);
	}
	count(&r, p);
	if (p->d->kind == DECODE_TCP)
		shard_tcp_packet(&r, p);
	else
		shard_udp_packet(&r, p);
}

void shard_timers(struct shard *h, struct shard_out *out, uint64_t watermark_ns)
{
	struct shard_run r = { .h = h, .out = out, .mark = out->bytes.len, .seq = SHARD_TIMERS };
	for (int list = 0; list < FLOW_LISTS; list++)
		for (;;) {
			uint32_t i = flow_oldest(h->table, (enum flow_list)list);
			if (i == FLOW_NONE)
				break;
			if (!is_over(h, flow_at(h->table, i), watermark_ns))
				break;
			flow_prefetch_end(h->table, i);
			/* Half of the room is for the last flow, which may have a message to finish. */
			if (out->bytes.len - r.mark > SHARD_OUTPUT / 2)
				return;
			shard_flow_retire(&r, i, OBSERVATION_END_IDLE);
		}
}

bool shard_first_flow(struct shard *h, uint64_t *ret_number)
{
	if (!h->ending)
		flow_sort_made(h->table);
	h->ending = true;
	uint32_t i = flow_oldest(h->table, FLOW_CLOSED);
	if (i == FLOW_NONE)
		return false;
	*ret_number = flow_rest_at(h->table, i)->number;
	flow_prefetch_end(h->table, i);
	return true;
}

void shard_end_first_flow(struct shard *h, struct shard_out *out)
{
	struct shard_run r = { .h = h, .out = out, .mark = out->bytes.len, .seq = SHARD_TIMERS };
	uint32_t i = flow_oldest(h->table, FLOW_CLOSED);
	if (h->ending && i != FLOW_NONE)
		shard_flow_retire(&r, i, OBSERVATION_END_CAPTURE);
}
