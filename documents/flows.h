/* flows.h -- summaries of flows that were kept: what `spanward replay --show flows --format jsonl` printed, read again.
 *
 * A line is a flow.end observation (docs/events.md); lines of other types are passed over.
 */
#ifndef DOCUMENTS_FLOWS_H
#define DOCUMENTS_FLOWS_H

#include <stdio.h>

#include "core/conf.h"
#include "core/observation.h"

enum { FLOWS_LINE = 64 << 10 };

typedef void flows_take(void *arg, const struct observation *o);

/* 0, ERR_CORRUPT with the faults, line by line, in *rep (what was read before the first was taken), or -EIO. */
int flows_read(FILE *from, const char *name, flows_take *take, void *arg, struct conf_report *rep);
/* Whether a file begins as one does. */
bool flows_is(const char *path);

#endif
