/* stats.h -- the engine's counters, from stats.def. Plain integers: each block has one writer. */
#ifndef SENSOR_STATS_H
#define SENSOR_STATS_H

#include <stdbool.h>
#include <stdint.h>

enum stats_counter {
#define STAT(name, loss, doc) STATS_##name,
#include "sensor/stats.def"
#undef STAT
	STATS_COUNTERS
};

struct stats { uint64_t v[STATS_COUNTERS]; };

const char *stats_name(enum stats_counter c);
const char *stats_doc(enum stats_counter c);
bool stats_is_loss(enum stats_counter c);
void stats_add(struct stats *into, const struct stats *from);

#endif
