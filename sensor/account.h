/* account.h -- what the engine says about what it read, as records: counters, and what is known of each source, VLAN and
 * worker. At its end they go through the ring, while it runs into the ring's snapshot; whoever takes them believes
 * nothing.
 *
 * A record is a u8 enum account_kind, a u32 id and u64 values, all big endian.
 */
#ifndef SENSOR_ACCOUNT_H
#define SENSOR_ACCOUNT_H

#include "core/buf.h"
#include "core/event.h"
#include "sensor/engine.h"
#include "sensor/mirror.h"
#include "sensor/stats.h"

enum {
	ACCOUNT_LOSSES = 65,            /* what one run tells at most (sensor/detector.c) */
	ACCOUNT_DECODED_MAX = 32,       /* counters of the ledger `packets` */
};

enum account_kind {
	ACCOUNT_STATS,                  /* id 0; struct stats in the order of stats.def */
	ACCOUNT_SOURCE,                 /* id from 1; struct mirror_source */
	ACCOUNT_DECODED,                /* id from 1: of that source, the counters of the ledger `packets` in their order */
	ACCOUNT_VLAN,                   /* id: the VLAN, 0 for frames without one; packets */
	ACCOUNT_WORKER,                 /* id from 1; packets it decoded, packets of its shards */
	ACCOUNT_KINDS
};

struct account {
	struct stats stats;
	struct mirror_source sources[MIRROR_SOURCES];
	uint64_t decoded[MIRROR_SOURCES][ACCOUNT_DECODED_MAX];
	uint32_t n_sources;
	uint64_t vlans[MIRROR_VLANS];
	uint64_t workers[ENGINE_MAX_WORKERS][2];
	uint32_t n_workers;
	struct { char device[65]; uint64_t bytes; } losses[ACCOUNT_LOSSES];     /* "": of hosts not named */
	size_t n_losses;
};

/* The counters of the ledger `packets`, in the order of stats.def; the number of them. */
size_t account_decoded(enum stats_counter ret[static ACCOUNT_DECODED_MAX]);
void account_put(struct buf *b, enum account_kind kind, uint32_t id, const uint64_t *v, size_t n);
void account_put_source(struct buf *b, uint32_t id, const struct mirror_source *s);
void account_put_decoded(struct buf *b, uint32_t id, const struct stats *s);
/* A RING_STATS record: the counters alone; false when it does not add up. */
bool account_stats(struct account *a, struct span counters);
/* Takes one record; false when it does not add up. */
bool account_record(struct account *a, struct span record);
/* Takes records one after the other, each behind its length as u16. */
bool account_records(struct account *a, struct span records);
/* An event: those that tell the loss of a device are kept. */
void account_event(struct account *a, const struct event *e);
/* Packets of a source less those that its counters tell of: 0 when it closes. */
int64_t account_source_open(const struct account *a, uint32_t source);
/* What the workers decoded or followed (`what` 0 or 1) against what was read and what was TCP and UDP: 0 when it closes. */
int64_t account_workers_open(const struct account *a, unsigned what);

#endif
