#include "sensor/account.h"

#include <assert.h>
#include <stdio.h>

#include "rules/rule.h"

size_t account_decoded(enum stats_counter ret[static ACCOUNT_DECODED_MAX])
{
	size_t n = 0;
	for (int c = 0; c < STATS_COUNTERS; c++)
		if (stats_ledger((enum stats_counter)c) == STATS_LEDGER_PACKETS && n < ACCOUNT_DECODED_MAX)
			ret[n++] = (enum stats_counter)c;
	return n;
}

void account_put(struct buf *b, enum account_kind kind, uint32_t id, const uint64_t *v, size_t n)
{
	buf_u8(b, (uint8_t)kind);
	buf_u32be(b, id);
	for (size_t i = 0; i < n; i++)
		buf_u64be(b, v[i]);
}

void account_put_source(struct buf *b, uint32_t id, const struct mirror_source *s)
{
	const uint64_t v[] = {
#define MIRROR_FACT(name, doc) s->name,
		MIRROR_FACTS
#undef MIRROR_FACT
	};
	account_put(b, ACCOUNT_SOURCE, id, v, MIRROR_SOURCE_FACTS);
}

void account_put_decoded(struct buf *b, uint32_t id, const struct stats *s)
{
	enum stats_counter which[ACCOUNT_DECODED_MAX];
	uint64_t v[ACCOUNT_DECODED_MAX];
	size_t n = account_decoded(which);
	for (size_t i = 0; i < n; i++)
		v[i] = s->v[which[i]];
	account_put(b, ACCOUNT_DECODED, id, v, n);
}

static bool take_stats(struct account *a, struct cursor *c)
{
	struct stats s;
	for (int i = 0; i < STATS_COUNTERS; i++)
		s.v[i] = cursor_u64be(c);
	if (!cursor_ok(c))
		return false;
	a->stats = s;
	return true;
}

static bool take_source(struct account *a, uint32_t id, struct cursor *c)
{
	struct mirror_source s = { 0 };
#define MIRROR_FACT(name, doc) s.name = cursor_u64be(c);
	MIRROR_FACTS
#undef MIRROR_FACT
	if (!cursor_ok(c) || !id || id > MIRROR_SOURCES)
		return false;
	a->sources[id - 1] = s;
	if (id > a->n_sources)
		a->n_sources = id;
	return true;
}

static bool take_decoded(struct account *a, uint32_t id, struct cursor *c)
{
	enum stats_counter which[ACCOUNT_DECODED_MAX];
	size_t n = account_decoded(which);
	if (!id || id > MIRROR_SOURCES)
		return false;
	for (size_t i = 0; i < n; i++)
		a->decoded[id - 1][i] = cursor_u64be(c);
	return cursor_ok(c);
}

static bool take_worker(struct account *a, uint32_t id, struct cursor *c)
{
	uint64_t decoded = cursor_u64be(c), followed = cursor_u64be(c);
	if (!cursor_ok(c) || !id || id > ENGINE_MAX_WORKERS)
		return false;
	a->workers[id - 1][0] = decoded;
	a->workers[id - 1][1] = followed;
	if (id > a->n_workers)
		a->n_workers = id;
	return true;
}

bool account_stats(struct account *a, struct span counters)
{
	struct cursor c = cursor_from(counters);
	struct stats before = a->stats;
	if (take_stats(a, &c) && !cursor_left(&c))
		return true;
	a->stats = before;
	return false;
}

bool account_record(struct account *a, struct span record)
{
	struct cursor c = cursor_from(record);
	uint8_t what = cursor_u8(&c);
	uint32_t id = cursor_u32be(&c);
	bool ok = false;
	if (!cursor_ok(&c))
		return false;
	if (what == ACCOUNT_STATS && !id)
		ok = take_stats(a, &c);
	else if (what == ACCOUNT_SOURCE)
		ok = take_source(a, id, &c);
	else if (what == ACCOUNT_DECODED)
		ok = take_decoded(a, id, &c);
	else if (what == ACCOUNT_WORKER)
		ok = take_worker(a, id, &c);
	else if (what == ACCOUNT_VLAN && id < MIRROR_VLANS) {
		a->vlans[id] = cursor_u64be(&c);
		ok = cursor_ok(&c);
	}
	return ok && !cursor_left(&c);
}

bool account_records(struct account *a, struct span records)
{
	struct cursor c = cursor_from(records);
	while (cursor_left(&c)) {
		size_t n = cursor_u16be(&c);
		struct span one = cursor_take(&c, n);
		if (!cursor_ok(&c) || !account_record(a, one))
			return false;
	}
	return true;
}

void account_event(struct account *a, const struct event *e)
{
	if (!event_has(e, EVENT_F_rule) || !span_eq(e->rule, span_str(rule_get(RULE_SENSOR_LOSS)->id)) ||
	    a->n_losses == ACCOUNT_LOSSES)
		return;
	if (event_has(e, EVENT_F_device))
		(void)snprintf(a->losses[a->n_losses].device, sizeof(a->losses[0].device), "%.*s", (int)e->device.n,
			       (const char *)e->device.p);
	a->losses[a->n_losses++].bytes = e->value;
}

int64_t account_source_open(const struct account *a, uint32_t source)
{
	assert(source && source <= MIRROR_SOURCES);
	uint64_t left = a->sources[source - 1].packets;
	for (size_t i = 0; i < ACCOUNT_DECODED_MAX; i++)
		left -= a->decoded[source - 1][i];
	return (int64_t)left;
}

int64_t account_workers_open(const struct account *a, unsigned what)
{
	uint64_t left = what ? stats_ledger_total(&a->stats, STATS_LEDGER_FOLLOWED) : a->stats.v[STATS_packets];
	for (uint32_t i = 0; i < a->n_workers; i++)
		left -= a->workers[i][what];
	return (int64_t)left;
}
