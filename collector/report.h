/* report.h -- what a receiver met, as log lines: the first of its kind at once, then once a minute, for a peer can cause many. */
#ifndef COLLECTOR_REPORT_H
#define COLLECTOR_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/receiver.h"

struct report {
	struct receiver_stats told;     /* zero to begin with */
	uint64_t told_ns;               /* 0: nothing yet */
	bool failing;                   /* the last batch could not be stored */
};

/* Says what is new since it was last said. `last`: says it now, the sums too. `now_ns` is monotonic. */
void report_receiver(struct report *r, const struct receiver_stats *s, uint64_t now_ns, bool last);

#endif
