#include "documents/whatif.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/siphash.h"
#include "rules/policy_model.h"
#include "rules/policy_table.h"

enum { SLOTS = 1 << 18 };       /* never more than half full */

struct whatif {
	const struct policy *was, *will;
	struct { struct whatif_line *v; size_t n, room; } lines;
	uint32_t *slots;                /* index + 1 */
	uint64_t same[EVENT_VERDICTS + 1], lost;
	struct siphash_key key;
};

int whatif_new(const struct policy *was, const struct policy *will, struct whatif **ret)
{
	struct whatif *w = calloc(1, sizeof(*w));
	if (!w || !(w->slots = calloc(SLOTS, sizeof(*w->slots)))) {
		free(w);
		return -ENOMEM;
	}
	w->was = was;
	w->will = will;
	/* Peers are an attacker's to choose. */
	(void)!getrandom(&w->key, sizeof(w->key), 0);
	*ret = w;
	return 0;
}

void whatif_free(struct whatif *w)
{
	if (!w)
		return;
	free(w->lines.v);
	free(w->slots);
	free(w);
}

/* The verdict on one end; NULL when nothing is said of it. */
static const struct verdict *of_end(const struct verdict *v, unsigned n, bool src)
{
	for (unsigned i = 0; i < n; i++)
		if (v[i].device_is_src == src)
			return &v[i];
	return NULL;
}

static bool is_same(const struct whatif_line *a, const struct whatif_line *b)
{
	return span_eq(a->unit, b->unit) && !addr_cmp(&a->own, &b->own) && !addr_cmp(&a->peer, &b->peer) && a->side == b->side &&
	       a->transport == b->transport && a->port == b->port && a->was == b->was && a->will == b->will &&
		a->was_what == b->was_what &&
	       a->will_what == b->will_what;
}

static struct whatif_line *find(struct whatif *w, const struct whatif_line *k)
{
	uint8_t bytes[2 * sizeof(k->own.b) + 8];
	const uint8_t rest[8] = { k->side, k->transport, (uint8_t)k->port, (uint8_t)(k->port >> 8), k->was, k->will, k->was_what,
		k->will_what };
	memcpy(bytes, k->own.b, sizeof(k->own.b));
	memcpy(bytes + sizeof(k->own.b), k->peer.b, sizeof(k->peer.b));
	memcpy(bytes + 2 * sizeof(k->own.b), rest, sizeof(rest));
	size_t at = (siphash_13(&w->key, bytes, sizeof(bytes)) ^ siphash_13(&w->key, k->unit.p ? k->unit.p : bytes,
		k->unit.n)) & (SLOTS - 1);
	for (; w->slots[at]; at = (at + 1) & (SLOTS - 1))
		if (is_same(&w->lines.v[w->slots[at] - 1], k))
			return &w->lines.v[w->slots[at] - 1];
	struct whatif_line *l = w->lines.n < WHATIF_MAX_LINES ? POLICY_MODEL_ADD(&w->lines) : NULL;
	if (!l)
		return NULL;
	*l = *k;
	w->slots[at] = (uint32_t)w->lines.n;
	return l;
}

static void name_unit(const struct policy *p, const struct verdict *v, struct whatif_line *l)
{
	struct policy_device d;
	if (!v || v->device == POLICY_NONE || l->unit.n)
		return;
	policy_device(p, v->device, &d);
	l->unit = d.id;
	l->type = d.type;
}

static void judge_end(struct whatif *w, const struct observation *o, const struct verdict *was, const struct verdict *will, bool src)
{
	uint8_t a = was ? (uint8_t)was->kind : WHATIF_UNJUDGED, b = will ? (uint8_t)will->kind : WHATIF_UNJUDGED;
	if (a == b && (!was || was->what == will->what)) {
		w->same[a]++;
		return;
	}
	struct whatif_line k = {
		.peer = src ? o->dst.ip : o->src.ip,
		.side = src ? POLICY_SIDE_OUT : POLICY_SIDE_IN,
		.transport = (uint8_t)o->transport,
		.port = o->dst.port,
		.was = a, .will = b,
		.was_what = was ? (uint8_t)was->what : 0, .will_what = will ? (uint8_t)will->what : 0,
		.was_cite = was ? was->cite : POLICY_NONE, .will_cite = will ? will->cite : POLICY_NONE,
	};
	name_unit(w->will, will, &k);
	name_unit(w->was, was, &k);
	if (!k.unit.n)
		k.own = src ? o->src.ip : o->dst.ip;
	struct whatif_line *l = find(w, &k);
	if (!l) {
		w->lost++;
		return;
	}
	l->flows++;
	l->bytes += o->bytes_out + o->bytes_in;
	if (!l->first_ns || o->started < l->first_ns)
		l->first_ns = o->started;
	if (o->ts > l->last_ns)
		l->last_ns = o->ts;
}

void whatif_observe(struct whatif *w, const struct observation *given)
{
	struct observation o = *given;
	struct verdict was[POLICY_MAX_VERDICTS], will[POLICY_MAX_VERDICTS];
	if (o.head.type != OBSERVATION_FLOW_END)
		return;
	o.head.type = observation_has(&o, OBSERVATION_F_service) ? OBSERVATION_FLOW_SERVICE : OBSERVATION_FLOW_OPEN;
	unsigned n_was = policy_check(w->was, &o, was), n_will = policy_check(w->will, &o, will);
	for (int src = 1; src >= 0; src--) {
		const struct verdict *a = of_end(was, n_was, src), *b = of_end(will, n_will, src);
		if (a || b)
			judge_end(w, &o, a, b, src);
	}
}

static int compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c ? c : a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

static int by_unit(const void *pa, const void *pb)
{
	const struct whatif_line *a = pa, *b = pb;
	const unsigned left[] = { a->side, a->transport, a->port, a->was, a->will, a->was_what, a->will_what };
	const unsigned right[] = { b->side, b->transport, b->port, b->was, b->will, b->was_what, b->will_what };
	int c = compare(a->unit, b->unit);
	c = c ? c : addr_cmp(&a->own, &b->own);
	for (size_t i = 0; !c && i < sizeof(left) / sizeof(left[0]); i++)
		c = left[i] == right[i] ? 0 : left[i] < right[i] ? -1 : 1;
	return c ? c : addr_cmp(&a->peer, &b->peer);
}

void whatif_settle(struct whatif *w)
{
	if (w->lines.n)
		qsort(w->lines.v, w->lines.n, sizeof(*w->lines.v), by_unit);
}

size_t whatif_count(const struct whatif *w) { return w->lines.n; }
const struct whatif_line *whatif_at(const struct whatif *w, size_t i) { return &w->lines.v[i]; }
uint64_t whatif_same(const struct whatif *w, enum event_verdict v) { return w->same[v]; }
uint64_t whatif_lost(const struct whatif *w) { return w->lost; }
