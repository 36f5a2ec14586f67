#include "sensor/stats.h"

static const struct { const char *name, *doc; bool loss; } counters[] = {
#define STAT(name, loss, doc) { #name, doc, loss },
#include "sensor/stats.def"
#undef STAT
};

const char *stats_name(enum stats_counter c) { return counters[c].name; }
const char *stats_doc(enum stats_counter c) { return counters[c].doc; }
bool stats_is_loss(enum stats_counter c) { return counters[c].loss; }

void stats_add(struct stats *into, const struct stats *from)
{
	for (int i = 0; i < STATS_COUNTERS; i++)
		into->v[i] += from->v[i];
}
