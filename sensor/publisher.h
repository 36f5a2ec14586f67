/* publisher.h -- takes encoded events from the ring, copies and validates them, and brings them to a
 * collector over ZeroMQ (DEALER, core/frame.h), keeping each until the collector says it is committed.
 *
 * The window is bounded in memory (the disk spool comes later, behind the same frames): when it is full,
 * telemetry is dropped before alerts (an alert may take the room of telemetry that was never sent), counted per
 * lane and told in every heartbeat. What was dropped, here or before the ring, leaves a hole in the sequence of its
 * lane; FRAME_LOST tells the collector, so that it never waits for it.
 * Invariant, checked at run time: made = committed + pending + dropped, per lane.
 */
#ifndef SENSOR_PUBLISHER_H
#define SENSOR_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/ring.h"

struct publisher_config {
	const char *endpoint;           /* tcp://127.0.0.1:5577 or ipc://... */
	const char *sensor;
	uint64_t epoch;
	size_t window_bytes;            /* per lane */
	unsigned linger_s;              /* after RING_END: how long to wait for the next ACK */
	const volatile int *stop;       /* set by a signal handler: send what is there, then end; may be NULL */
	bool wait;                      /* files: a full window holds up the ring, so nothing is lost; live: it drops */
	unsigned resend_ms;             /* without an ACK that long, ask and send again; 0: 2000 */
};

/* In events. made: the highest sequence seen, so what was lost before the ring is among the dropped. invalid: records
 * that are no event of this sensor, epoch and lane in ascending sequence; what they hid is dropped, too, once a later
 * sequence shows it. */
struct publisher_account { uint64_t made[2], committed[2], pending[2], dropped[2], invalid; };

/* Runs until the ring ends and all is committed (0), or -ETIMEDOUT (linger over; *ret says what is left), -EEXIST (the
 * collector holds more of this epoch than was made: the epoch was used before; nothing more is sent), ERR_CORRUPT (the
 * ring does not add up; what came before was delivered if it could be), -EINVAL (sensor or endpoint), or -errno. *ret is
 * always filled. Reads nothing more from the ring afterwards, and says so to its producer (ring_abandon). */
int publisher_run(const struct publisher_config *c, struct ring *r, struct publisher_account *ret);

#endif
