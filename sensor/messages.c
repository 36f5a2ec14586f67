#include "sensor/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

enum { WAYS = 8, FLOWS = 1 << 12, ID_MAX = 64 };

struct entry {
	uint64_t hash, used;            /* used 0: empty */
	uint64_t content, flow, ts_ns;
	struct addr src;
	bool answered;
};

struct waiting {
	uint64_t hash, used;
	uint64_t message;               /* hash of its entry */
	struct messages_unanswered what;
	uint8_t id_n, id[ID_MAX];
};

struct messages {
	struct siphash_key key;
	uint64_t clock, evicted, next_walk_ns;
	size_t at;                      /* of a walk; MESSAGES_WAITING when none is under way */
	struct entry entries[MESSAGES_ENTRIES];
	struct waiting waiting[MESSAGES_WAITING];
	uint64_t answering[FLOWS];      /* flows on which something was answered; direct-mapped: a collision forgets */
};

struct messages *messages_new(const struct siphash_key *key)
{
	struct messages *m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->key = *key;
	m->at = MESSAGES_WAITING;
	return m;
}

size_t messages_bytes(void) { return sizeof(struct messages); }
void messages_free(struct messages *m) { free(m); }
uint64_t messages_evicted(const struct messages *m) { return m->evicted; }

/* ---- keys ---- */

/* What is compared, one after the other and each with its length, for one hash of all of it. */
struct parts { uint8_t v[8 + 16 + 4 * (1 + ID_MAX)]; size_t n; };

static void add(struct parts *k, const void *p, size_t n)
{
	size_t room = sizeof(k->v) - 1 - k->n;
	n = n < room ? n : room;
	k->v[k->n++] = (uint8_t)n;
	if (n)
		memcpy(k->v + k->n, p, n);
	k->n += n;
}

static void add_text(struct parts *k, const struct observation *o, enum observation_field f, struct span text)
{
	bool has = observation_has(o, f);
	add(k, has ? text.p : NULL, has ? text.n : 0);
}

/* `what`: for which table. */
static struct parts begin(uint8_t what, const struct addr *ip)
{
	struct parts k;
	k.v[0] = what;
	memcpy(k.v + 1, ip->b, sizeof(ip->b));
	k.n = 1 + sizeof(ip->b);
	return k;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* Contents are tokens: made with a key already. */
static uint64_t content_of(const struct messages *m, struct span token)
{
	uint64_t h = m->key.k0;
	if (token.n != 32)
		return siphash_13(&m->key, token.p, token.n);
	for (unsigned i = 0; i < 32; i += 8)
		h = mix(h, bytes_load(token.p + i));
	return h;
}

static uint64_t end(const struct messages *m, const struct parts *k) { return siphash_13(&m->key, k->v, k->n); }

static uint64_t message_key(const struct messages *m, const struct observation *o)
{
	struct parts k = begin('m', &o->dst.ip);
	add_text(&k, o, OBSERVATION_F_sending_app, o->sending_app);
	add_text(&k, o, OBSERVATION_F_sending_facility, o->sending_facility);
	add_text(&k, o, OBSERVATION_F_control_id, o->control_id);
	add_text(&k, o, OBSERVATION_F_space, o->space);
	return end(m, &k);
}

static uint64_t order_key(const struct messages *m, const struct observation *o)
{
	bool placer = observation_has(o, OBSERVATION_F_order);
	struct span type = observation_has(o, OBSERVATION_F_message_type) ? o->message_type : (struct span){ 0 };
	struct parts k = begin(placer ? 'p' : 'f', &o->dst.ip);
	add(&k, type.p, type.n < 3 ? type.n : 3);
	add_text(&k, o, placer ? OBSERVATION_F_order : OBSERVATION_F_filler_order, placer ? o->order : o->filler_order);
	add_text(&k, o, OBSERVATION_F_space, o->space);
	return end(m, &k);
}

/* `sender`: of the message that waits. Ids are anybody's to choose: they are hashed with the key, what is ours is mixed in. */
static uint64_t waiting_key(const struct messages *m, uint64_t flow, const struct endpoint *sender, struct span id)
{
	uint64_t h = mix(siphash_13(&m->key, id.p, id.n), flow);
	return mix(mix(h, bytes_load(sender->ip.b) ^ sender->port), bytes_load(sender->ip.b + 8));
}

/* ---- tables ---- */

static struct entry *find(struct messages *m, uint64_t h, bool *ret_new)
{
	struct entry *set = &m->entries[h % (MESSAGES_ENTRIES / WAYS) * WAYS], *victim = set;
	*ret_new = false;
	for (int i = 0; i < WAYS; i++) {
		if (set[i].used && set[i].hash == h) {
			set[i].used = ++m->clock;
			return &set[i];
		}
		if (set[i].used < victim->used)
			victim = &set[i];
	}
	m->evicted += victim->used != 0;
	*victim = (struct entry){ .hash = h, .used = ++m->clock };
	*ret_new = true;
	return victim;
}

static struct waiting *waiting_find(struct messages *m, uint64_t h, bool make)
{
	struct waiting *set = &m->waiting[h % (MESSAGES_WAITING / WAYS) * WAYS], *victim = set;
	for (int i = 0; i < WAYS; i++) {
		if (set[i].used && set[i].hash == h)
			return &set[i];
		if (set[i].used < victim->used)
			victim = &set[i];
	}
	if (!make)
		return NULL;
	m->evicted += victim->used != 0;
	*victim = (struct waiting){ .hash = h, .used = ++m->clock };
	return victim;
}

/* ---- observations ---- */

/* Original mode asks for nothing and is answered; in enhanced mode MSH-15 AL is answered on the connection, whereas the
 * application's answer may come on another one, later (2.9.3). */
static bool is_due(const struct observation *o)
{
	bool accept = observation_has(o, OBSERVATION_F_accept_ack);
	return accept ? o->accept_ack == OBSERVATION_ACK_ALWAYS : !observation_has(o, OBSERVATION_F_application_ack);
}

static enum messages_what take_message(struct messages *m, const struct observation *o)
{
	if (!observation_has(o, OBSERVATION_F_control_id) || !observation_has(o, OBSERVATION_F_content))
		return MESSAGES_NOTHING;
	uint64_t h = message_key(m, o), content = content_of(m, o->content);
	bool is_new;
	struct entry *e = find(m, h, &is_new);
	enum messages_what what = MESSAGES_NOTHING;
	/* Programs of the Patient Data Share protocol send the number of a kind of message here, always the same. */
	bool numbered = !observation_has(o, OBSERVATION_F_vendor_profile) || o->vendor_profile != OBSERVATION_VENDOR_MINDRAY_PDS;
	if (!is_new && e->answered && numbered && o->ts - e->ts_ns < MESSAGES_WINDOW_NS &&
	    (addr_cmp(&e->src, &o->src.ip) != 0 || (e->content != content && e->flow == o->flow)))
		what = MESSAGES_REPLAY;
	/* The first stays what others are compared with. */
	if (what == MESSAGES_NOTHING) {
		bool answered = !is_new && e->answered && e->content == content;
		e->content = content;
		e->flow = o->flow;
		e->ts_ns = o->ts;
		e->src = o->src.ip;
		e->answered = answered;
	}
	if (!is_due(o) || o->control_id.n > ID_MAX)
		return what;
	struct waiting *w = waiting_find(m, waiting_key(m, o->flow, &o->src, o->control_id), true);
	w->message = h;
	w->what = (struct messages_unanswered){ .src = o->src, .dst = o->dst, .flow = o->flow, .ts_ns = o->ts, .packet = o->packet,
						.file = observation_has(o, OBSERVATION_F_file) ? o->file : 0 };
	if (observation_has(o, OBSERVATION_F_space))
		(void)snprintf(w->what.space, sizeof(w->what.space), "%.*s", (int)o->space.n, (const char *)o->space.p);
	w->id_n = (uint8_t)o->control_id.n;
	memcpy(w->id, o->control_id.p, o->control_id.n);
	return what;
}

static void take_answer(struct messages *m, const struct observation *o)
{
	m->answering[o->flow % FLOWS] = o->flow;
	if (!observation_has(o, OBSERVATION_F_acked_control_id))
		return;
	struct waiting *w = waiting_find(m, waiting_key(m, o->flow, &o->dst, o->acked_control_id), false);
	if (!w)
		return;
	bool is_new;
	if (o->ack_code == OBSERVATION_AA || o->ack_code == OBSERVATION_CA) {
		struct entry *e = find(m, w->message, &is_new);
		if (is_new)
			e->used = 0;    /* it had to make room meanwhile */
		else
			e->answered = true;
	}
	w->used = 0;
}

static enum messages_what take_order(struct messages *m, const struct observation *o)
{
	if (!observation_has(o, OBSERVATION_F_content))
		return MESSAGES_NOTHING;
	uint64_t content = content_of(m, o->content);
	bool is_new;
	struct entry *e = find(m, order_key(m, o), &is_new);
	if (!is_new && o->ts - e->ts_ns < MESSAGES_WINDOW_NS && e->content != content && addr_cmp(&e->src, &o->src.ip) != 0)
		return MESSAGES_ORDER_CHANGED;
	if (is_new || !addr_cmp(&e->src, &o->src.ip) || o->ts - e->ts_ns >= MESSAGES_WINDOW_NS) {
		e->content = content;
		e->src = o->src.ip;
		e->ts_ns = o->ts;
	}
	return MESSAGES_NOTHING;
}

enum messages_what messages_take(struct messages *m, const struct observation *o)
{
	switch (o->head.type) {
	case OBSERVATION_HL7_MESSAGE:
		return take_message(m, o);
	case OBSERVATION_HL7_ORDER:
		return take_order(m, o);
	case OBSERVATION_HL7_ACK:
	case OBSERVATION_HL7_COMMIT:
		take_answer(m, o);
		return MESSAGES_NOTHING;
	default:
		return MESSAGES_NOTHING;
	}
}

bool messages_overdue(struct messages *m, uint64_t watermark_ns, struct messages_unanswered *ret)
{
	enum { EACH_NS = 60 };          /* a walk a minute of packet time */
	if (m->at == MESSAGES_WAITING) {
		if (watermark_ns < m->next_walk_ns)
			return false;
		m->next_walk_ns = watermark_ns + EACH_NS * UINT64_C(1000000000);
		m->at = 0;
	}
	while (m->at < MESSAGES_WAITING) {
		struct waiting *w = &m->waiting[m->at++];
		if (!w->used || watermark_ns - w->what.ts_ns < MESSAGES_ANSWER_NS || watermark_ns < w->what.ts_ns)
			continue;
		w->used = 0;
		if (m->answering[w->what.flow % FLOWS] != w->what.flow)
			continue;
		*ret = w->what;
		ret->control_id = (struct span){ w->id, w->id_n };
		return true;
	}
	return false;
}
