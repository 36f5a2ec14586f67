/* A file of what was observed: read, with a message for every failure. */
#include <errno.h>
#include <stdlib.h>

#include "documents/observed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_report rep;
	struct observed o = { 0 };
	rep.n = rep.total = 0;
	int r = observed_parse((struct span){ data, size }, "x.observed.yaml", &o, &rep);
	if (r != -ENOMEM && (r == 0) != (rep.total == 0))
		abort();
	for (size_t i = 0; i < o.rows.n; i++)
		if (o.rows.v[i].lo > o.rows.v[i].hi || o.rows.v[i].n_peers > OBSERVED_PEERS)
			abort();
	observed_free(&o);
	return 0;
}
