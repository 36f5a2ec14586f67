/* ring.h -- encoded records from the engine to the publisher: one producer, one consumer, shared memory.
 *
 * Made by the parent before the fork (memfd, mapped in both). The consumer treats it as hostile: it copies
 * a record out, checks its length against the ring, and only then decodes; a ring that does not add up is
 * ERR_CORRUPT. Replay: the producer waits for room. Live: a record that does not fit is dropped and counted by lane.
 */
#ifndef SENSOR_RING_H
#define SENSOR_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cursor.h"
#include "sensor/stats.h"

enum ring_kind {
	RING_EVENT_ALERTS,              /* an encoded event of the alerts lane */
	RING_EVENT_TELEMETRY,
	RING_OBSERVATION,               /* an encoded observation (only when asked for) */
	RING_STATS,                     /* struct stats as u64 big endian, in stats.def order */
	RING_FILE_RESULT,               /* how a capture file ended: u32 file, i32 err, u64 packets, text; all big endian */
	RING_ACCOUNT,                   /* a record of sensor/account.h */
	RING_END,                       /* nothing follows */
	RING_KINDS
};

enum { RING_MAX_RECORD = 1 << 20, RING_SNAPSHOT_MAX = 256 << 10 };

struct ring;

/* Shared memory of `bytes` (a power of two, at least 4 MiB is wise); 0 or -errno. */
int ring_new(size_t bytes, struct ring **ret);
void ring_free(struct ring *r);         /* NULL is fine; each process for itself */
/* Producer. 0; -EMSGSIZE when the record can never fit; -EAGAIN when full and `wait` is false; -EPIPE when the
 * consumer has gone. */
int ring_put(struct ring *r, enum ring_kind kind, struct span bytes, bool wait);
/* Producer: wakes a waiting consumer, which a put does only when much has gathered. Call it where nothing may come
 * for a while. */
void ring_flush(struct ring *r);
/* The producer will put no more. The parent says it for an engine that died: every process that has the ring may. */
void ring_done(struct ring *r);
/* Consumer. Copies the next record into `mem` (RING_MAX_RECORD bytes): 1 with *kind and *n; 0 after
 * `wait_ms` without one; -EPIPE when the producer is done and the ring is empty; ERR_CORRUPT. */
int ring_get(struct ring *r, unsigned wait_ms, enum ring_kind *kind, void *mem, size_t *n);
/* The consumer reads no more: wakes a waiting producer. The parent says it for a publisher that died. */
void ring_abandon(struct ring *r);

/* A block beside the ring that the engine overwrites as it goes, for progress and metrics; may be torn. */
struct ring_progress {
	uint64_t packets, bytes_read, bytes_total, ts_ns, events, generation;
	uint64_t kernel_drops, interface_drops;         /* live; 0 for what cannot be told */
};
void ring_progress_set(struct ring *r, const struct ring_progress *p);
void ring_progress_get(const struct ring *r, struct ring_progress *ret);

/* A longer text beside the ring that the engine replaces as it goes (at most RING_SNAPSHOT_MAX bytes; what is longer is
 * not taken). Whoever reads gets one of them whole: 0 when there is none, or it changed all the time. */
void ring_snapshot_set(struct ring *r, struct span bytes);
size_t ring_snapshot_get(const struct ring *r, void *mem, size_t max);

#endif
