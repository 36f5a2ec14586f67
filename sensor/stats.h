/* stats.h -- the engine's counters, from stats.def. Plain integers: each block has one writer. */
#ifndef SENSOR_STATS_H
#define SENSOR_STATS_H

#include <stdbool.h>
#include <stdint.h>

enum stats_counter {
#define STAT(name, loss, ledger, doc) STATS_##name,
#include "sensor/stats.def"
	STATS_COUNTERS
};

enum stats_ledger {
	STATS_LEDGER_NONE,
#define LEDGER(symbol, name, a, b, c, doc) STATS_LEDGER_##symbol,
#include "sensor/stats.def"
	STATS_LEDGERS
};

struct stats { uint64_t v[STATS_COUNTERS]; };

const char *stats_name(enum stats_counter c);
const char *stats_doc(enum stats_counter c);
bool stats_is_loss(enum stats_counter c);
/* The sum that a counter is a part of, and what such a sum must come to. */
enum stats_ledger stats_ledger(enum stats_counter c);
uint64_t stats_ledger_total(const struct stats *s, enum stats_ledger l);
const char *stats_ledger_name(enum stats_ledger l);
const char *stats_ledger_doc(enum stats_ledger l);
/* Total minus parts: 0 when the ledger closes. */
int64_t stats_ledger_open(const struct stats *s, enum stats_ledger l);
void stats_add(struct stats *into, const struct stats *from);

#endif
