/* stream.h -- one direction of TCP put back in order, within a byte budget, and the bytes held for
 * probing and for messages that are not whole yet.
 *
 * In order and nothing held: the segment itself is handed on, nothing is copied. Memory comes from a
 * stream_pool whose size is fixed at start; what does not fit is counted and becomes a gap.
 * Retransmission policy: the first copy of a byte wins; a later copy that differs is counted (conflict).
 */
#ifndef SENSOR_STREAM_H
#define SENSOR_STREAM_H

#include <stdbool.h>

#include "core/cursor.h"
#include "sensor/stats.h"

struct stream_pool;                     /* one per shard: blocks by power of two, no malloc after start */

/* `bytes`: budget of this pool; NULL on ENOMEM. Freed with stream_pool_free (NULL is fine). */
struct stream_pool *stream_pool_new(size_t bytes);
void stream_pool_free(struct stream_pool *p);
size_t stream_pool_used(const struct stream_pool *p);

struct stream {                         /* zeroed is a new one; no pointers: offsets into the pool */
	uint32_t next_seq;              /* sequence number of the first byte not yet handed on */
	uint32_t held_at, held_cap;     /* contiguous bytes not consumed yet: block in the pool */
	uint32_t held_n;
	uint32_t ooo_first;             /* list of out-of-order pieces, 0 none */
	uint32_t ooo_bytes;
	uint16_t ooo_pieces;
	bool started, finished, gave_up;
	uint32_t fin_seq;
	bool fin_seen;
};

/* The functions are completed by their author: push, peek, consume, skip, gap. */

#endif
