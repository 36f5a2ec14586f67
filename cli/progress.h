/* progress.h -- how far a long file has come, on one line of a terminal: percent, packets per second, time left. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/ring.h"

enum { PROGRESS_TEXT = 120 };

struct progress {
	bool on, drawn;
	uint64_t begun_ns, next_ns;     /* monotonic */
};

/* Only when standard error is a terminal; what takes under a second shows nothing. */
void progress_begin(struct progress *p);
/* Cheap; draws a few times a second. */
void progress_step(struct progress *p, const struct ring_progress *at);
/* Takes the line away, so that what follows stands at its beginning. */
void progress_end(struct progress *p);
/* The line itself: "42%  1.2 M packets  310 k packets/s  0:07 left". */
const char *progress_text(const struct ring_progress *at, uint64_t elapsed_ns, char ret[static PROGRESS_TEXT]);

#endif
