/* publisher.h -- takes encoded events from the ring, copies and validates them, and brings them to a
 * collector over ZeroMQ (DEALER, core/frame.h), keeping each until the collector says it is committed.
 *
 * The window is bounded in memory (the disk spool comes later, behind the same frames): when it is full,
 * telemetry is dropped before alerts, counted per lane and told in every heartbeat.
 * Invariant, checked at run time: made = committed + pending + dropped, per lane.
 */
#ifndef SENSOR_PUBLISHER_H
#define SENSOR_PUBLISHER_H

#include "sensor/ring.h"

struct publisher_config {
	const char *endpoint;           /* tcp://127.0.0.1:5577 or ipc://... */
	const char *sensor;
	uint64_t epoch;
	size_t window_bytes;            /* per lane */
	unsigned linger_s;              /* after RING_END: how long to wait for the last ACK */
	const volatile int *stop;       /* set by a signal handler: send what is there, then end */
};

struct publisher_account { uint64_t made[2], committed[2], pending[2], dropped[2], invalid; };

/* Runs until the ring ends and all is committed (0), or -ETIMEDOUT (linger over; *ret says what is left), or -errno. */
int publisher_run(const struct publisher_config *c, struct ring *r, struct publisher_account *ret);

#endif
