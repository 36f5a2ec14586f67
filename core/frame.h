/* frame.h -- what travels between sensor and collector: a fixed header, then a payload.
 *
 * Every ZeroMQ message is two parts: the header (FRAME_HEADER_LEN bytes, big endian) and the payload
 * (may be empty). Types that this version does not act on are reserved so that they never mean another thing.
 *
 *  0  4  magic "SPW1"
 *  4  1  type
 *  5  1  lane (enum event_lane; 0xff: neither): BATCH, ACK and LOST name one, the others 0xff
 *  6  2  flags, sent 0; a receiver refuses bits it does not know
 *  8 16  sensor id, NUL padded
 * 24  8  epoch
 * 32  8  seq: BATCH, LOST first sequence; ACK the highest committed; else 0
 * 40  4  count: BATCH events in the payload (1 to FRAME_MAX_COUNT); LOST sequences, from 1; else 0
 * 44  4  payload length in bytes, equal to the second part's
 */
#ifndef CORE_FRAME_H
#define CORE_FRAME_H

#include "core/buf.h"
#include "core/cursor.h"

enum frame_type {
	FRAME_HELLO = 1,        /* sensor: here I am in this epoch; payload: two u64, last sequence made per lane */
	FRAME_WELCOME = 2,      /* collector: payload: two u64, highest committed per lane in that epoch */
	FRAME_BATCH = 3,        /* sensor: `count` encoded events, sequences seq .. seq + count - 1 of `lane` */
	FRAME_ACK = 4,          /* collector: everything of `lane` up to `seq` is committed */
	FRAME_HEARTBEAT = 5,    /* both: payload of the sensor: six u64, cumulative: made, dropped, evicted of the
	                         * alerts lane, then of the telemetry lane */
	FRAME_BYE = 6,          /* sensor: clean end of the epoch */
	FRAME_LOST = 7,         /* sensor: sequences seq .. seq + count - 1 of `lane` were made but will never come; the
	                         * collector commits that as a loss and acknowledges it like a batch. Without it a lane
	                         * could not go on behind a hole: what begins past the next sequence is not stored. */
	FRAME_CONFIG = 16,      /* reserved: collector to sensor, a signed bundle */
	FRAME_APPLIED = 17,     /* reserved */
	FRAME_REJECTED = 18,    /* reserved */
	FRAME_EVIDENCE = 19,    /* reserved: a scrubbed packet slice */
};

enum { FRAME_HEADER_LEN = 48, FRAME_SENSOR_LEN = 16, FRAME_MAX_PAYLOAD = 1 << 20, FRAME_MAX_COUNT = 4096,
       FRAME_NO_LANE = 0xff };

struct frame {
	enum frame_type type;
	uint8_t lane;
	uint8_t sensor_len;
	char sensor[FRAME_SENSOR_LEN + 1];      /* NUL terminated here; identifier grammar */
	uint64_t epoch, seq;
	uint32_t count;
	struct span payload;
};

/* Appends the header (not the payload). 0 or -ENOBUFS (rewound). The frame's own sense is not checked. */
int frame_encode(const struct frame *f, struct buf *out);
/* Reads the header and checks it against the payload part, lengths and lane as its type wants them: 0,
 * -EBADMSG, or -EPROTONOSUPPORT for a reserved or unknown type or flag. *ret borrows the payload. */
int frame_decode(struct span header, struct span payload, struct frame *ret);

#endif
