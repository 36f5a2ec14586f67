#include "cli/account.h"

#include <stdio.h>
#include <string.h>

#include "sensor/ring.h"

bool account_stats(struct account *a, struct span record)
{
	struct cursor c = cursor_from(record);
	struct stats s;
	for (int i = 0; i < STATS_COUNTERS; i++)
		s.v[i] = cursor_u64be(&c);
	if (!cursor_ok(&c) || cursor_left(&c))
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

bool account_record(struct account *a, struct span record)
{
	struct cursor c = cursor_from(record);
	uint8_t what = cursor_u8(&c);
	uint32_t id = cursor_u32be(&c);
	bool ok = false;
	if (what == RING_ACCOUNT_SOURCE)
		ok = take_source(a, id, &c);
	else if (what == RING_ACCOUNT_WORKER)
		ok = take_worker(a, id, &c);
	else if (what == RING_ACCOUNT_VLAN && id < MIRROR_VLANS) {
		a->vlans[id] = cursor_u64be(&c);
		ok = cursor_ok(&c);
	}
	return ok && !cursor_left(&c);
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

enum stats_ledger account_open(const struct account *a)
{
	for (int l = 1; l < STATS_LEDGERS; l++)
		if (stats_ledger_open(&a->stats, (enum stats_ledger)l))
			return (enum stats_ledger)l;
	return STATS_LEDGER_NONE;
}

/* "closes: tcp + udp = flow_packets + ..." or by how much it does not. */
static void write_ledger(const struct account *a, struct writer *w, enum stats_ledger l)
{
	enum stats_counter total[2];
	char text[512];
	const char *names[STATS_COUNTERS + 3];
	uint64_t values[STATS_COUNTERS + 3];
	size_t n = 0;
	stats_ledger_total(l, total);
	names[n] = "total";
	values[n++] = a->stats.v[total[0]] + (total[1] != total[0] ? a->stats.v[total[1]] : 0);
	int64_t open = stats_ledger_open(&a->stats, l);
	for (int i = 0; i < STATS_COUNTERS; i++)
		if (stats_ledger((enum stats_counter)i) == l) {
			names[n] = stats_name((enum stats_counter)i);
			values[n++] = a->stats.v[i];
		}
	if (open)
		(void)snprintf(text, sizeof(text), "DOES NOT CLOSE: %lld %s than its parts; %s", (long long)(open < 0 ? -open : open),
			       open < 0 ? "less" : "more", stats_ledger_doc(l));
	else
		(void)snprintf(text, sizeof(text), "closes: %s", stats_ledger_doc(l));
	names[n] = "difference";
	values[n++] = (uint64_t)(open < 0 ? -open : open);
	writer_fact(w, "ledger", stats_ledger_name(l), names, values, n, text);
}

void account_write(const struct account *a, struct writer *w, const char *const *files, size_t n_files)
{
	for (int i = 0; i < STATS_COUNTERS; i++)
		writer_stat(w, (enum stats_counter)i, a->stats.v[i]);
	for (int l = 1; l < STATS_LEDGERS; l++)
		write_ledger(a, w, (enum stats_ledger)l);
	for (uint32_t i = 0; i < a->n_sources; i++) {
		const struct mirror_source *s = &a->sources[i];
		const uint64_t v[] = {
#define MIRROR_FACT(name, doc) s->name,
			MIRROR_FACTS
#undef MIRROR_FACT
		};
		char id[16];
		(void)snprintf(id, sizeof(id), "%u", i + 1);
		writer_fact(w, "source", id, mirror_fact_names, v, MIRROR_SOURCE_FACTS,
			    files && i < n_files ? files[i] : "packets of this source");
	}
	static const char *const packets[] = { "packets" };
	for (unsigned i = 0; i < MIRROR_VLANS; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "%u", i);
		if (a->vlans[i])
			writer_fact(w, "vlan", i ? id : "none", packets, &a->vlans[i], 1, "packets of this VLAN");
	}
	static const char *const bytes[] = { "gap_bytes" };
	for (size_t i = 0; i < a->n_losses; i++)
		writer_fact(w, "loss", a->losses[i].device[0] ? a->losses[i].device : "others", bytes, &a->losses[i].bytes, 1,
			    "stream bytes of this device's flows that were never seen");
}

void account_write_workers(const struct account *a, struct writer *w)
{
	static const char *const names[] = { "decoded", "followed" };
	for (uint32_t i = 0; i < a->n_workers; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "%u", i + 1);
		writer_fact(w, "worker", id, names, a->workers[i], 2, "packets decoded by this worker");
	}
}
