#include "sensor/stats.h"

static const struct { const char *name, *doc; bool loss; enum stats_ledger ledger; } counters[] = {
#define STAT(name, loss, ledger, doc) { #name, doc, loss, STATS_LEDGER_##ledger },
#include "sensor/stats.def"
};

static const struct { const char *name, *doc; enum stats_counter total[3]; } ledgers[] = {
	{ "", "", { 0 } },
#define LEDGER(symbol, name, a, b, c, doc) { name, doc, { STATS_##a, STATS_##b, STATS_##c } },
#include "sensor/stats.def"
};

const char *stats_name(enum stats_counter c) { return counters[c].name; }
const char *stats_doc(enum stats_counter c) { return counters[c].doc; }
bool stats_is_loss(enum stats_counter c) { return counters[c].loss; }
enum stats_ledger stats_ledger(enum stats_counter c) { return counters[c].ledger; }
const char *stats_ledger_name(enum stats_ledger l) { return ledgers[l].name; }
const char *stats_ledger_doc(enum stats_ledger l) { return ledgers[l].doc; }

uint64_t stats_ledger_total(const struct stats *s, enum stats_ledger l)
{
	const enum stats_counter *t = ledgers[l].total;
	return s->v[t[0]] + (t[1] != t[0] ? s->v[t[1]] : 0) + (t[2] != t[1] && t[2] != t[0] ? s->v[t[2]] : 0);
}

int64_t stats_ledger_open(const struct stats *s, enum stats_ledger l)
{
	uint64_t left = stats_ledger_total(s, l);
	for (int i = 0; i < STATS_COUNTERS; i++)
		if (counters[i].ledger == l)
			left -= s->v[i];
	return (int64_t)left;
}

void stats_add(struct stats *into, const struct stats *from)
{
	for (int i = 0; i < STATS_COUNTERS; i++)
		into->v[i] += from->v[i];
}
