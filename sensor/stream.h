/* stream.h -- one direction of TCP put back in order, within a byte budget, and the bytes held for
 * probing and for messages that are not whole yet.
 *
 * In order and nothing held: the segment itself is handed on, nothing is copied. Memory comes from a
 * stream_pool whose size is fixed at start; what does not fit is counted and becomes a gap.
 * Retransmission policy: the first copy of a byte wins; a later copy that differs is counted (conflict).
 *
 * Use, for each segment of a direction:
 *
 *      struct stream_segment seg = { .seq = ..., .bytes = ..., .missing = ... };
 *      stream_push(pool, s, &seg, stats);
 *      while ((kind = stream_next(pool, s, &seg, stats, &bytes, &gap)) != STREAM_NOTHING) ...
 */
#ifndef SENSOR_STREAM_H
#define SENSOR_STREAM_H

#include <stdbool.h>

#include "core/cursor.h"
#include "sensor/stats.h"

enum {
	STREAM_BLOCK = 256,             /* smallest block: holds a DICOM header or an HL7 MSH without growing */
	STREAM_OOO_BYTES = 256 << 10,   /* a flow's out-of-order bytes: four unscaled windows */
	STREAM_OOO_PIECES = 64,         /* bounds the walk along the list per segment */
	/* So much arrived after a hole that the receiver has acknowledged, or so often did the receiver acknowledge
	 * something behind it: it is not a reordering (mirrors swap neighbours, not 64 KiB), the capture lost it.
	 * Neither depends on how the bytes were cut into segments, so what is seen does not either. */
	STREAM_GAP_BYTES = 64 << 10,
	STREAM_GAP_ACKS = 8,
	STREAM_WINDOW = 1 << 30,        /* RFC 7323, 2.3: no receiver opens a larger window */
};

struct stream_pool;                     /* one per shard: blocks by power of two, no malloc after start */

/* `bytes`: budget of this pool; NULL on ENOMEM. Freed with stream_pool_free (NULL is fine). */
struct stream_pool *stream_pool_new(size_t bytes);
void stream_pool_free(struct stream_pool *p);
/* Bytes in blocks that are taken, 0 when every stream has been cleared. */
size_t stream_pool_used(const struct stream_pool *p);
/* What a pool of that budget takes, its own book-keeping included. */
size_t stream_pool_bytes(size_t bytes);

struct stream {                         /* zeroed is a new one; no pointers */
	uint32_t next_seq;              /* sequence number of the first byte not yet handed on */
	uint32_t fin_seq;               /* sequence number of the FIN itself */
	uint32_t acked;                 /* highest acknowledgement of the other side */
	uint32_t kept : 24;             /* what is held or waits for a hole to be filled, in the pool; 0 nothing */
	uint32_t started : 1, acked_seen : 1, fin_seen : 1, finished : 1;
	uint32_t gave_up : 1;           /* cleared: takes nothing any more */
};

struct stream_segment {                 /* a segment on its way through; on the caller's stack */
	uint32_t seq;                   /* of bytes.p[0]; a SYN is not a byte: its data begins at seq + 1 */
	struct span bytes;
	uint32_t missing;               /* bytes behind these that were on the wire and not captured */
	bool flush;                     /* the flow ends: hand on what is held out of order, whatever the holes */
	uint32_t release, gap_after;    /* private */
};

enum stream_kind { STREAM_NOTHING, STREAM_BYTES, STREAM_GAP, STREAM_FIN };

/* The first byte's sequence number, from the handshake. Without it the first segment pushed decides. */
void stream_start(struct stream *s, uint32_t seq);
/* The other side acknowledged everything before `ack`. */
void stream_ack_kept(struct stream_pool *p, struct stream *s, uint32_t ack);    /* of a stream that keeps something */
static inline void stream_ack(struct stream_pool *p, struct stream *s, uint32_t ack)
{
	uint32_t ahead = ack - s->acked;
	if (s->kept) {
		stream_ack_kept(p, s, ack);
		return;
	}
	if (!s->acked_seen || (ahead && ahead < UINT32_C(0x80000000)))
		s->acked = ack;
	s->acked_seen = true;
}
/* A FIN stands at `seq`. The first one counts; one outside the window does not. */
void stream_fin(struct stream *s, uint32_t seq);
/* Takes a segment in: compares its bytes with what is kept (overlap, conflict). stream_next stores or hands on. */
void stream_push(struct stream_pool *p, struct stream *s, struct stream_segment *seg, struct stats *st);
/* What comes next in stream order; call until STREAM_NOTHING. BYTES: *ret_bytes, in the segment or the pool,
 * valid until the next call. GAP: *ret_gap bytes (> 0) were lost here. FIN: once, after the last byte. */
enum stream_kind stream_next(struct stream_pool *p, struct stream *s, struct stream_segment *seg, struct stats *st,
			     struct span *ret_bytes, uint32_t *ret_gap);
/* In place of the last stream_next: the stream is gone. */
void stream_release(struct stream_pool *p, struct stream_segment *seg);

/* What nearly every segment is: bytes, all of them captured, that begin where the stream is, while nothing is kept. stream_pass()
 * then stands for stream_push() and the stream_next() that would hand them on; what follows is for stream_next(). */
static inline bool stream_is_next(const struct stream *s, uint32_t seq)
{
	return s->started && !s->kept && !s->finished && !s->gave_up && s->next_seq == seq;
}

static inline void stream_pass(struct stream *s, struct span bytes, struct stats *st)
{
	s->next_seq += (uint32_t)bytes.n;
	st->v[STATS_stream_bytes] += bytes.n;
}

/* Keeps bytes behind those already held: true, or false with nothing changed when the pool has no room. */
bool stream_hold(struct stream_pool *p, struct stream *s, struct span bytes);
uint32_t stream_held_n(const struct stream_pool *p, const struct stream *s);
/* Bytes that wait for those before them. */
uint32_t stream_waiting_n(const struct stream_pool *p, const struct stream *s);
/* All bytes held; valid until the next call that changes this stream. */
struct span stream_held(const struct stream_pool *p, const struct stream *s);
/* Forgets the first n bytes held, of at least so many. */
void stream_drop(struct stream_pool *p, struct stream *s, uint32_t n);
/* Gives every block back; the stream takes nothing any more. */
void stream_clear(struct stream_pool *p, struct stream *s);

#endif
