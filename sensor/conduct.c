#include "sensor/conduct.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

enum { WAYS = 8 };
#define MINUTE (60 * CLOCK_SECOND)
#define DAY (24 * 60 * MINUTE)

struct entry {
	uint64_t used;                  /* 0: empty */
	uint32_t device, row;
	uint64_t minute, day;           /* since 1970 */
	uint32_t conns, associations;   /* in that minute */
	uint64_t bytes;                 /* on that day */
	uint32_t n_peers;
	uint32_t peers[CONDUCT_PEERS];  /* of their hashes */
	bool said_conns, said_associations, said_bytes;
};

struct conduct {
	struct siphash_key key;
	const struct policy *policy;
	uint64_t clock, since_ns;
	struct entry *entries;
	uint32_t *first;                /* of a unit: its first bit in `used` */
	uint8_t *met, *used;
	uint32_t n_units;
};

size_t conduct_bytes(void)
{
	return sizeof(struct conduct) + CONDUCT_ENTRIES * sizeof(struct entry) + CONDUCT_UNITS * sizeof(uint32_t) + CONDUCT_UNITS / 8 +
	       CONDUCT_ROWS / 8;
}

struct conduct *conduct_new(const struct siphash_key *key)
{
	struct conduct *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->key = *key;
	c->entries = calloc(CONDUCT_ENTRIES, sizeof(*c->entries));
	c->first = calloc(CONDUCT_UNITS, sizeof(*c->first));
	c->met = calloc(CONDUCT_UNITS / 8, 1);
	c->used = calloc(CONDUCT_ROWS / 8, 1);
	if (!c->entries || !c->first || !c->met || !c->used) {
		conduct_free(c);
		return NULL;
	}
	return c;
}

void conduct_free(struct conduct *c)
{
	if (!c)
		return;
	free(c->entries);
	free(c->first);
	free(c->met);
	free(c->used);
	free(c);
}

void conduct_policy(struct conduct *c, const struct policy *p, uint64_t ts_ns)
{
	memset(c->entries, 0, CONDUCT_ENTRIES * sizeof(*c->entries));
	memset(c->met, 0, CONDUCT_UNITS / 8);
	memset(c->used, 0, CONDUCT_ROWS / 8);
	c->policy = p;
	c->since_ns = ts_ns;
	c->n_units = 0;
	uint64_t at = 0;
	for (uint32_t i = 0; p && i < policy_devices(p) && i < CONDUCT_UNITS && at < CONDUCT_ROWS; i++) {
		uint32_t first;
		c->first[i] = (uint32_t)at;
		at += policy_unit_rows(p, i, &first);
		if (at <= CONDUCT_ROWS)
			c->n_units = i + 1;
	}
}

uint64_t conduct_since(const struct conduct *c) { return c->since_ns; }

void conduct_met(struct conduct *c, uint32_t device)
{
	if (device < c->n_units)
		c->met[device / 8] |= (uint8_t)(1u << device % 8);
}

/* The bit of a row; false when it is none of the unit's, or not watched. */
static bool bit_of(const struct conduct *c, uint32_t device, uint32_t row, uint32_t *ret)
{
	uint32_t first, n;
	if (!c->policy || device >= c->n_units)
		return false;
	n = policy_unit_rows(c->policy, device, &first);
	if (row < first || row - first >= n)
		return false;
	*ret = c->first[device] + (row - first);
	return true;
}

void conduct_used(struct conduct *c, uint32_t device, uint32_t row)
{
	uint32_t bit;
	if (bit_of(c, device, row, &bit))
		c->used[bit / 8] |= (uint8_t)(1u << bit % 8);
}

bool conduct_unused(const struct conduct *c, uint32_t device, uint32_t row)
{
	uint32_t bit;
	return bit_of(c, device, row, &bit) && c->met[device / 8] >> device % 8 & 1 && !(c->used[bit / 8] >> bit % 8 & 1);
}

static struct entry *find(struct conduct *c, uint32_t device, uint32_t row, uint64_t ts_ns)
{
	uint32_t key[2] = { device, row };
	uint64_t h = siphash_13(&c->key, key, sizeof(key));
	struct entry *set = &c->entries[(h & (CONDUCT_ENTRIES / WAYS - 1)) * WAYS], *victim = set;
	struct entry *e = NULL;
	for (int i = 0; i < WAYS && !e; i++) {
		if (set[i].used && set[i].device == device && set[i].row == row)
			e = &set[i];
		else if (set[i].used < victim->used)
			victim = &set[i];
	}
	if (!e) {
		e = victim;
		*e = (struct entry){ .device = device, .row = row };
	}
	e->used = ++c->clock;
	/* Packet time may step back a little between flows: that opens no new minute. */
	if (ts_ns / MINUTE > e->minute) {
		e->minute = ts_ns / MINUTE;
		e->conns = e->associations = 0;
		e->said_conns = e->said_associations = false;
	}
	if (ts_ns / DAY > e->day) {
		e->day = ts_ns / DAY;
		e->bytes = 0;
		e->said_bytes = false;
	}
	return e;
}

/* Peers that came first are within the limit; whoever comes after is said, once. */
static bool new_peer(struct conduct *c, struct entry *e, const struct addr *peer)
{
	uint32_t h = (uint32_t)siphash_13(&c->key, peer->b, sizeof(peer->b));
	for (uint32_t i = 0; i < e->n_peers; i++)
		if (e->peers[i] == h)
			return false;
	if (e->n_peers == CONDUCT_PEERS)
		return false;
	e->peers[e->n_peers++] = h;
	return true;
}

enum conduct_finding conduct_open(struct conduct *c, uint32_t device, uint32_t row, const struct policy_row_limits *l,
				  const struct addr *peer, uint64_t ts_ns, uint64_t *ret_value)
{
	if (l->cite == POLICY_NONE || (!l->max_peers && !l->conns_min))
		return CONDUCT_NOTHING;
	struct entry *e = find(c, device, row, ts_ns);
	e->conns++;
	if (l->max_peers && new_peer(c, e, peer) && e->n_peers > l->max_peers) {
		*ret_value = e->n_peers;
		return CONDUCT_TOO_MANY_PEERS;
	}
	if (l->conns_min && e->conns > l->conns_min && !e->said_conns) {
		e->said_conns = true;
		*ret_value = e->conns;
		return CONDUCT_CONNECTIONS;
	}
	return CONDUCT_NOTHING;
}

enum conduct_finding conduct_association(struct conduct *c, uint32_t device, uint32_t row, const struct policy_row_limits *l,
					 uint64_t ts_ns, uint64_t *ret_value)
{
	if (l->cite == POLICY_NONE || !l->associations_min)
		return CONDUCT_NOTHING;
	struct entry *e = find(c, device, row, ts_ns);
	if (++e->associations <= l->associations_min || e->said_associations)
		return CONDUCT_NOTHING;
	e->said_associations = true;
	*ret_value = e->associations;
	return CONDUCT_ASSOCIATIONS;
}

enum conduct_finding conduct_end(struct conduct *c, uint32_t device, uint32_t row, const struct policy_row_limits *l, uint64_t bytes,
				 uint64_t lasted_ns, uint64_t silent_s, uint64_t ts_ns, uint64_t *ret_value)
{
	if (l->cite == POLICY_NONE)
		return CONDUCT_NOTHING;
	if (l->bytes_day) {
		struct entry *e = find(c, device, row, ts_ns);
		e->bytes += bytes;
		if (e->bytes > l->bytes_day && !e->said_bytes) {
			e->said_bytes = true;
			*ret_value = e->bytes;
			return CONDUCT_BYTES;
		}
	}
	if (l->session_ns && lasted_ns > l->session_ns) {
		*ret_value = lasted_ns / CLOCK_SECOND;
		return CONDUCT_SESSION;
	}
	if (l->idle_s && silent_s >= l->idle_s) {
		*ret_value = silent_s;
		return CONDUCT_IDLE;
	}
	return CONDUCT_NOTHING;
}
