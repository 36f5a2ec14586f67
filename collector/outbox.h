/* outbox.h -- brings alerts from the store to one sink: what changed since the sink's durable cursor, oldest
 * change first, until the sink says "not now". The cursor moves after the sink has taken an alert, so a crash
 * between the two sends it again rather than never. */
#ifndef COLLECTOR_OUTBOX_H
#define COLLECTOR_OUTBOX_H

#include "collector/sink.h"
#include "collector/store.h"

struct outbox;

struct outbox_stats { uint64_t delivered, refused; };   /* refused: alerts that the sink will never take */

/* `spec`: NAME:TARGET as typed; also the name of the cursor. The store is borrowed. 0; -EINVAL for an unknown sink;
 * what the sink's open said. `why` gets a line. */
int outbox_open(const char *spec, struct store *store, struct outbox **ret, char why[static 256]);
/* Sends at most `most` alerts. 1 when there may be more to send at once, 0 when all is sent or the sink does not
 * take more now (*ret_waiting, may be NULL, says which), or -errno of the store. */
int outbox_run(struct outbox *o, size_t most, bool *ret_waiting);
const struct outbox_stats *outbox_stats(const struct outbox *o);
/* Why the sink takes nothing now (-errno), 0 when it works. */
int outbox_trouble(const struct outbox *o);
const char *outbox_name(const struct outbox *o);
void outbox_close(struct outbox *o);    /* NULL is fine */

#endif
