/* outlets.h -- all the sinks of one collector: opened together, served in turn, and their trouble said.
 *
 * Both process loops that feed sinks (spanward-collector, spanward run) use this, so it logs: when a sink begins
 * to fail, when it works again, and at the end what still waits.
 */
#ifndef COLLECTOR_OUTLETS_H
#define COLLECTOR_OUTLETS_H

#include <stdbool.h>

#include "collector/outbox.h"

enum { OUTLETS_MAX = 16 };

struct outlets {
	struct outbox *box[OUTLETS_MAX];
	struct { uint64_t told_ns; bool failing; } state[OUTLETS_MAX];
	size_t n;
	struct store *store;
};

/* `specs` (NAME:TARGET) are kept, `store` is borrowed. 0 or what outbox_open said, with a line in `why`; close in either case. */
int outlets_open(struct outlets *o, const char *const *specs, size_t n, struct store *store, char why[static 256]);
/* Sends at most `most` alerts to each. True when every sink has taken everything; *ret_more when a sink would take more now. */
bool outlets_run(struct outlets *o, size_t most, bool *ret_more);
/* At the end: one line for each sink that has not taken everything. Number of alerts that wait, over all sinks. */
uint64_t outlets_left(struct outlets *o);
void outlets_close(struct outlets *o);

#endif
