/* twins.h -- two sensors that send under one id at the same time.
 *
 * A sensor that was restarted, or that connected anew, comes with another connection, and its old one is never heard again. Where an old
 * connection is heard again behind another of the same id, and that again and again, there are two. Times are monotonic.
 */
#ifndef COLLECTOR_TWINS_H
#define COLLECTOR_TWINS_H

#include "core/cursor.h"
#include "core/frame.h"

enum {
	TWINS_SENSORS = 64,             /* heard of last */
	TWINS_PEERS = 4,                /* connections of each */
	TWINS_ID = 16,
	TWINS_TURNS = 3,                /* how often an old connection has to be heard again */
};
/* What was in the queue of a sensor that died comes within less. */
#define TWINS_APART_NS UINT64_C(400000000)

struct twins_peer { uint8_t id[TWINS_ID]; size_t n; bool foreign; };
struct twins_sensor {
	char sensor[FRAME_SENSOR_LEN + 1];
	struct twins_peer peers[TWINS_PEERS];
	size_t n_peers, last;           /* last: the one that was heard */
	unsigned turns;
	uint64_t turned_ns, heard_ns;
};
struct twins { struct twins_sensor v[TWINS_SENSORS]; size_t n; };

/* A heartbeat of that connection. True when it shows that there are two. */
bool twins_heard(struct twins *t, const char *sensor, struct span identity, uint64_t now_ns);
/* What that connection sends is another sensor's: remembered as long as it is known. */
void twins_set_foreign(struct twins *t, const char *sensor, struct span identity, uint64_t now_ns);
bool twins_is_foreign(const struct twins *t, const char *sensor, struct span identity);

#endif
