/* account.h -- what the engine says at its end about what it read: counters, ledgers, sources, VLANs, workers. */
#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

#include "cli/writer.h"
#include "core/event.h"
#include "sensor/engine.h"
#include "sensor/mirror.h"
#include "sensor/stats.h"

enum { ACCOUNT_LOSSES = 65 /* what one run tells at most (sensor/detector.c) */ };

struct account {
	struct stats stats;
	struct mirror_source sources[MIRROR_SOURCES];
	uint32_t n_sources;
	uint64_t vlans[MIRROR_VLANS];
	uint64_t workers[ENGINE_MAX_WORKERS][2];
	uint32_t n_workers;
	struct { char device[65]; uint64_t bytes; } losses[ACCOUNT_LOSSES];     /* "": of hosts not named */
	size_t n_losses;
};

/* A RING_STATS and a RING_ACCOUNT record; false when it does not add up. */
bool account_stats(struct account *a, struct span record);
bool account_record(struct account *a, struct span record);
/* An event: those that tell the loss of a device are kept. */
void account_event(struct account *a, const struct event *e);
/* Counters, then ledgers, sources and VLANs, losses by device. `files`: names of the sources, may be NULL. */
void account_write(const struct account *a, struct writer *w, const char *const *files, size_t n_files);
void account_write_workers(const struct account *a, struct writer *w);
/* The first ledger that does not close, 0 when all do. */
enum stats_ledger account_open(const struct account *a);

#endif
