/* metrics.h -- numbers for a monitoring system, as a file in the Prometheus text format (version 0.0.4,
 * https://prometheus.io/docs/instrumenting/exposition_formats/), for node_exporter's textfile collector or anything that
 * reads files. Nothing of ours listens on a socket for it. The file is replaced whole or not at all.
 */
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include <limits.h>
#include <stdint.h>
#include <stdio.h>

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE };

struct metrics {
	FILE *to;
	int err;                        /* sticky: 0 or -errno */
	const char *family;             /* being written */
	char path[PATH_MAX], temporary[PATH_MAX];
};

/* Begins a new file beside `path`; trouble shows in metrics_end(). */
void metrics_begin(struct metrics *m, const char *path);
/* The rows that follow are of this family; `name` is kept: [a-z0-9_]+, a counter's ends in _total. `help`: a line. */
void metrics_family(struct metrics *m, const char *name, enum metrics_kind kind, const char *help);
/* A row. `labels`: name, value, name, value, ..., NULL; values are escaped. NULL: no labels. */
void metrics_row(struct metrics *m, const char *const *labels, uint64_t value);
/* The same for a time. */
void metrics_row_ns(struct metrics *m, const char *const *labels, uint64_t ns);
/* Gives the file its name. 0 or -errno: then the old one stays and nothing else is left. */
int metrics_end(struct metrics *m);

#endif
