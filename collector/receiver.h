/* receiver.h -- the collector's end of the wire: a ZeroMQ ROUTER that commits batches and acknowledges them.
 *
 * HELLO -> WELCOME (what is committed in that epoch); BATCH or LOST -> committed -> ACK; HEARTBEAT -> account, a
 * heartbeat back; BYE. An ACK never says more than the store has committed: after a gap it repeats the last
 * committed sequence, so the sensor sends again from there. Of a connection nothing is remembered but that it is there, to tell two sensors
 * under one id (collector/twins.h): a sensor that reconnects to a restarted collector goes on where the store is. Of two that share the
 * epoch, too, the second one's batches are not acknowledged, and its next WELCOME says that more is committed than it can have made: it
 * ends with that.
 */
#ifndef COLLECTOR_RECEIVER_H
#define COLLECTOR_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/store.h"

struct receiver;

struct receiver_stats {
	uint64_t frames;                /* that decoded */
	uint64_t refused;               /* broken, of the wrong number of parts, of a type not for a collector */
	uint64_t batches, duplicates, gaps;
	uint64_t foreign;               /* batches with the numbers of others that are held: of another sensor of that id and epoch */
	uint64_t twins;                 /* heartbeats that show two sensors under one id */
	char twin[FRAME_SENSOR_LEN + 1];        /* the last id of either; "" */
	uint64_t failed;                /* batches that the disk refused: not acknowledged */
	uint64_t unsent;                /* answers to a sensor that has gone or does not read */
	int last_error;                 /* of the last failed batch; 0 */
};

/* Whether an endpoint can be reached from this machine only: ipc, inproc, or TCP on a loopback address. */
bool receiver_is_local(const char *endpoint);
/* Binds. `context` is a ZeroMQ context of the caller's (inproc needs the sensor's own) or NULL: one is made.
 * The store is borrowed. 0, or -errno with a line in `why`. */
int receiver_open(const char *endpoint, void *context, struct store *store, struct receiver **ret, char why[static 256]);
/* Waits at most `wait_ms` for a frame, then handles what is there, at most `most` frames. How many messages came
 * (refused ones too), or -errno. */
int receiver_poll(struct receiver *r, unsigned wait_ms, unsigned most);
const struct receiver_stats *receiver_stats(const struct receiver *r);
/* The endpoint as bound ("tcp://127.0.0.1:*" gets a port). */
const char *receiver_endpoint(const struct receiver *r);
void receiver_close(struct receiver *r);        /* NULL is fine */

#endif
