#include "documents/matrix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/siphash.h"
#include "rules/policy_table.h"

enum { SLOTS = 1 << 18 };       /* of undeclared lines: never more than half full */

struct matrix {
	const struct policy *p;
	const struct policy_model *m;
	struct { struct matrix_line *v; size_t n, room; } lines;
	uint32_t *first;                /* of each unit's rows in `lines` */
	struct matrix_unit *units;
	uint32_t *slots;                /* index + 1 into lines, from `declared` on */
	size_t declared;                /* lines before the undeclared */
	uint64_t lost;
	struct siphash_key key;
};

static struct matrix_line *add(struct matrix *x)
{
	return x->lines.n < MATRIX_MAX_LINES ? POLICY_MODEL_ADD(&x->lines) : NULL;
}

/* ---- what is declared ---- */

static const struct policy_model_type *type_of(const struct policy_model *m, struct span id)
{
	for (size_t i = 0; id.n && i < m->types.n; i++)
		if (span_eq(m->types.v[i].id, id))
			return &m->types.v[i];
	return NULL;
}

static const struct policy_model_row *row_of(const struct policy_model_type *t, struct span id)
{
	for (size_t i = 0; t && id.n && i < t->rows.n; i++)
		if (span_eq(t->rows.v[i].id, id))
			return &t->rows.v[i];
	return NULL;
}

/* Rows that stand in no table, and interfaces that no mirror shows: nobody should take their silence for news. */
static int add_unseen(struct matrix *x, uint32_t device, const struct policy_model_type *t)
{
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct policy_model_row *r = &t->rows.v[i];
		if (r->transport != OBSERVATION_OTHER)
			continue;
		struct matrix_line *l = add(x);
		if (!l)
			return -ENOMEM;
		*l = (struct matrix_line){ .device = device, .row = POLICY_NONE, .cite = POLICY_NONE, .declared = r,
			.transport = r->transport,
					   .side = r->in && !r->out, .why = MATRIX_WHY_TRANSPORT };
	}
	const struct conf_node *list = conf_get(t->form, "interfaces");
	for (size_t i = 0; i < conf_count(list); i++) {
		const struct conf_node *n = conf_at(list, i);
		if (conf_bool(conf_get(n, "monitorable"), true) || conf_tri(conf_get(n, "present")) == CONF_TRI_NO)
			continue;
		struct matrix_line *l = add(x);
		if (!l)
			return -ENOMEM;
		*l = (struct matrix_line){ .device = device, .row = POLICY_NONE, .cite = POLICY_NONE, .interface = n,
			.transport = OBSERVATION_OTHER,
					   .why = MATRIX_WHY_INTERFACE };
	}
	return 0;
}

static int add_unit(struct matrix *x, uint32_t device)
{
	const struct policy_row *rows = POLICY_TABLE_SECTION(x->p, ROWS, struct policy_row);
	struct policy_device d;
	uint32_t first, n = policy_unit_rows(x->p, device, &first);
	policy_device(x->p, device, &d);
	const struct policy_model_type *t = type_of(x->m, d.type);
	x->first[device] = (uint32_t)x->lines.n;
	for (uint32_t i = 0; i < n; i++) {
		const struct policy_row *r = &rows[first + i];
		struct matrix_line *l = add(x);
		if (!l)
			return x->lines.n < MATRIX_MAX_LINES ? -ENOMEM : -EOVERFLOW;
		*l = (struct matrix_line){ .device = device, .row = first + i, .cite = r->cite, .declared = row_of(t,
			policy_row_id(x->p, first + i)),
					   .side = r->side, .transport = r->transport, .lo = r->lo, .hi = r->hi };
	}
	return t ? add_unseen(x, device, t) : 0;
}

int matrix_new(const struct policy *p, const struct policy_model *m, struct matrix **ret)
{
	size_t n = policy_devices(p);
	struct matrix *x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	/* Peers are an attacker's to choose; the order of what is printed does not depend on it. */
	(void)!getrandom(&x->key, sizeof(x->key), 0);
	x->p = p;
	x->m = m;
	x->first = calloc(n + 1, sizeof(*x->first));
	x->units = calloc(n + 1, sizeof(*x->units));
	x->slots = calloc(SLOTS, sizeof(*x->slots));
	int r = x->first && x->units && x->slots ? 0 : -ENOMEM;
	for (uint32_t d = 0; !r && d < n; d++)
		r = add_unit(x, d);
	if (r) {
		matrix_free(x);
		return r;
	}
	x->declared = x->lines.n;
	*ret = x;
	return 0;
}

void matrix_free(struct matrix *x)
{
	if (!x)
		return;
	free(x->lines.v);
	free(x->first);
	free(x->units);
	free(x->slots);
	free(x);
}

/* ---- what is seen ---- */

struct key { struct addr peer; uint32_t device; uint16_t port; uint8_t side, transport, state, what; };

static bool is_key(const struct matrix_line *l, const struct key *k)
{
	return l->device == k->device && l->lo == k->port && l->side == k->side && l->transport == k->transport &&
		l->state == k->state && l->row == POLICY_NONE &&
	       l->what == k->what && !addr_cmp(&l->peers[0], &k->peer);
}

/* The line of what no row declares; NULL when there are too many. */
static struct matrix_line *undeclared(struct matrix *x, const struct key *k)
{
	uint8_t bytes[sizeof(k->peer.b) + 12];
	memcpy(bytes, k->peer.b, sizeof(k->peer.b));
	const uint8_t rest[12] = { (uint8_t)k->device, (uint8_t)(k->device >> 8), (uint8_t)(k->device >> 16),
		(uint8_t)(k->device >> 24),
				   (uint8_t)k->port, (uint8_t)(k->port >> 8), k->side, k->transport, k->state, k->what };
	memcpy(bytes + sizeof(k->peer.b), rest, sizeof(rest));
	size_t at = siphash_13(&x->key, bytes, sizeof(bytes)) & (SLOTS - 1);
	for (; x->slots[at]; at = (at + 1) & (SLOTS - 1))
		if (is_key(&x->lines.v[x->slots[at] - 1], k))
			return &x->lines.v[x->slots[at] - 1];
	struct matrix_line *l = x->lines.n - x->declared < MATRIX_MAX_UNDECLARED ? add(x) : NULL;
	if (!l)
		return NULL;
	*l = (struct matrix_line){ .device = k->device, .row = POLICY_NONE, .cite = POLICY_NONE, .side = k->side,
		.transport = k->transport, .lo = k->port,
				   .hi = k->port, .state = k->state, .what = k->what, .peers = { k->peer }, .n_peers = 1 };
	x->slots[at] = (uint32_t)x->lines.n;
	return l;
}

static void meet(struct matrix_line *l, const struct addr *peer)
{
	if (l->n_peers > MATRIX_PEERS)
		return;
	for (uint32_t i = 0; i < l->n_peers; i++)
		if (!addr_cmp(&l->peers[i], peer))
			return;
	if (l->n_peers < MATRIX_PEERS)
		l->peers[l->n_peers] = *peer;
	l->n_peers++;
}

static void mark(struct matrix *x, const struct addr *ip, const struct mac *mac, uint16_t vlan)
{
	struct policy_host h;
	policy_host(x->p, ip, mac, vlan, &h);
	if (h.device != POLICY_NONE)
		x->units[h.device].seen = true;
}

static enum matrix_state state_of(enum event_verdict v)
{
	switch (v) {
	case EVENT_FORBIDDEN: return MATRIX_FORBIDDEN;
	case EVENT_CANNOT_SAY: return MATRIX_CANNOT_SAY;
	case EVENT_SEEN_DIFFERENTLY: return MATRIX_DIFFERENT;
	case EVENT_DISABLED_BUT_USED: return MATRIX_DISABLED_USED;
	default: return MATRIX_UNDECLARED;
	}
}

static struct matrix_line *line_of(struct matrix *x, const struct verdict *v, const struct observation *o)
{
	uint32_t first, n = policy_unit_rows(x->p, v->device, &first);
	/* A peer that nobody declared is a line of its own: the row itself is not used by it. */
	if (v->row != POLICY_NONE && v->row >= first && v->row - first < n && v->kind != EVENT_UNDECLARED && v->kind != EVENT_FORBIDDEN)
		return &x->lines.v[x->first[v->device] + (v->row - first)];
	struct key k = {
		.peer = v->device_is_src ? o->dst.ip : o->src.ip,
		.device = v->device,
		.port = o->dst.port,
		.side = v->device_is_src ? POLICY_SIDE_OUT : POLICY_SIDE_IN,
		.transport = (uint8_t)o->transport,
		.state = (uint8_t)state_of(v->kind),
		.what = (uint8_t)v->what,
	};
	struct matrix_line *l = undeclared(x, &k);
	if (l && l->cite == POLICY_NONE)
		l->cite = v->cite;
	x->lost += !l;
	return l;
}

static void judge_flow(struct matrix *x, const struct observation *o, const struct verdict *v)
{
	struct matrix_unit *u = &x->units[v->device];
	uint64_t bytes = o->bytes_out + o->bytes_in;
	/* What nobody answered is no traffic: who knocks is the scan detector's business. */
	struct matrix_line *l = line_of(x, v, o);
	if (!o->answered && o->transport == OBSERVATION_TCP && !o->midstream && !o->one_sided) {
		if (l)
			l->unanswered++;
		return;
	}
	u->flows++;
	u->bytes += bytes;
	if (v->kind == EVENT_DECLARED) {
		u->explained++;
		u->explained_bytes += bytes;
	}
	if (!l)
		return;
	l->flows++;
	l->declared_flows += v->kind == EVENT_DECLARED;
	l->differently += v->kind == EVENT_SEEN_DIFFERENTLY;
	l->cannot += v->kind == EVENT_CANNOT_SAY;
	if (v->what && (v->kind == EVENT_SEEN_DIFFERENTLY || !l->what))
		l->what = (uint8_t)v->what;
	int service = observation_has(o, OBSERVATION_F_service) ? policy_proto_find(o->service) : -1;
	if (service >= 0)
		l->service = (uint8_t)(service + 1);
	l->packets += o->packets_out + o->packets_in;
	l->bytes += bytes;
	if (!l->first_ns || o->started < l->first_ns)
		l->first_ns = o->started;
	if (o->ts > l->last_ns)
		l->last_ns = o->ts;
	meet(l, v->device_is_src ? &o->dst.ip : &o->src.ip);
}

void matrix_observe(struct matrix *x, const struct observation *given)
{
	struct observation o = *given;
	struct verdict v[POLICY_MAX_VERDICTS];
	bool end = o.head.type == OBSERVATION_FLOW_END;
	if (o.head.type == OBSERVATION_FLOW_OPEN || o.head.type == OBSERVATION_FLOW_SERVICE)
		return;
	if (end) {
		mark(x, &o.src.ip, observation_has(&o, OBSERVATION_F_src_mac) ? &o.src_mac : NULL, (uint16_t)o.vlan);
		if (o.answered || o.packets_in)
			mark(x, &o.dst.ip, observation_has(&o, OBSERVATION_F_dst_mac) ? &o.dst_mac : NULL, (uint16_t)o.vlan);
		/* What is known at the end is what the detector knew when it judged last. */
		o.head.type = observation_has(&o, OBSERVATION_F_service) ? OBSERVATION_FLOW_SERVICE : OBSERVATION_FLOW_OPEN;
	}
	unsigned n = policy_check(x->p, &o, v);
	for (unsigned i = 0; i < n; i++) {
		if (v[i].device == POLICY_NONE)
			continue;
		if (end) {
			judge_flow(x, &o, &v[i]);
		} else if (v[i].kind == EVENT_SEEN_DIFFERENTLY && v[i].row != POLICY_NONE && v[i].what != EVENT_WHAT_AE_TITLE) {
			/* Of messages only what differs counts: their flow is counted at its end. */
			struct matrix_line *l = line_of(x, &v[i], &o);
			if (l && l->row != POLICY_NONE) {
				l->differently++;
				l->what = (uint8_t)v[i].what;
			}
		}
	}
}

static int by_unit(const void *pa, const void *pb)
{
	const struct matrix_line *a = pa, *b = pb;
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	if ((a->row == POLICY_NONE) != (b->row == POLICY_NONE))
		return a->row == POLICY_NONE ? 1 : -1;
	const uint32_t left[] = { a->row, a->why, a->side, a->transport, a->lo, a->state, a->what };
	const uint32_t right[] = { b->row, b->why, b->side, b->transport, b->lo, b->state, b->what };
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	int c = addr_cmp(&a->peers[0], &b->peers[0]);
	return c ? c : a->interface != b->interface ? (conf_line(a->interface) < conf_line(b->interface) ? -1 : 1) : 0;
}

void matrix_settle(struct matrix *x, bool watched)
{
	for (size_t i = 0; i < x->declared; i++) {
		struct matrix_line *l = &x->lines.v[i];
		bool off = l->row != POLICY_NONE && !policy_row_in_force(x->p, l->row);
		if (l->why == MATRIX_WHY_TRANSPORT || l->why == MATRIX_WHY_INTERFACE)
			l->state = MATRIX_NOT_OBSERVABLE;
		else if (l->differently)
			l->state = MATRIX_DIFFERENT;
		else if (off && l->flows > l->cannot)
			l->state = MATRIX_DISABLED_USED;
		else if (l->declared_flows)
			l->state = MATRIX_SEEN;
		else if (l->cannot)
			l->state = MATRIX_CANNOT_SAY;
		else if (off)
			l->state = MATRIX_OFF;
		else if (!watched)
			l->state = MATRIX_UNWATCHED;
		else
			l->state = x->units[l->device].seen ? MATRIX_NOT_SEEN : MATRIX_NOT_OBSERVABLE;
		if (l->state == MATRIX_NOT_OBSERVABLE && !l->why)
			l->why = MATRIX_WHY_UNIT;
	}
	if (x->lines.n)
		qsort(x->lines.v, x->lines.n, sizeof(*x->lines.v), by_unit);
}

const struct policy *matrix_policy(const struct matrix *x) { return x->p; }
const struct policy_model *matrix_model(const struct matrix *x) { return x->m; }
size_t matrix_count(const struct matrix *x) { return x->lines.n; }
const struct matrix_line *matrix_at(const struct matrix *x, size_t i) { return &x->lines.v[i]; }
const struct matrix_unit *matrix_unit(const struct matrix *x, uint32_t device) { return &x->units[device]; }
uint64_t matrix_lost(const struct matrix *x) { return x->lost; }

struct span matrix_place(const struct matrix *x, uint32_t device)
{
	struct policy_device d;
	policy_device(x->p, device, &d);
	uint32_t zone = POLICY_TABLE_SECTION(x->p, DEVICES, struct policy_unit)[device].zone;
	if (d.location.n || zone == POLICY_NONE)
		return d.location;
	const struct policy_zone *z = POLICY_TABLE_SECTION(x->p, ZONES, struct policy_zone) + zone;
	return (struct span){ POLICY_TABLE_SECTION(x->p, TEXT, uint8_t) + z->name.at, z->name.n };
}
