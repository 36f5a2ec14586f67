/* Summaries of flows that were kept, read again: what is taken is a whole flow.end. */
#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"
#include "documents/flows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *arg, const struct observation *o)
{
	++*(size_t *)arg;
	if (o->head.type != OBSERVATION_FLOW_END || !observation_has(o, OBSERVATION_F_src) || !observation_has(o, OBSERVATION_F_ts) ||
	    o->transport > OBSERVATION_OTHER || o->service.n > 64)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_report rep;
	size_t taken = 0;
	FILE *from = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
	if (!from)
		return 0;
	rep.n = rep.total = 0;
	int r = flows_read(from, "x.jsonl", take, &taken, &rep);
	if ((r == ERR_CORRUPT) != (rep.total == 1) || (r && r != ERR_CORRUPT))
		abort();
	(void)fclose(from);
	return 0;
}
