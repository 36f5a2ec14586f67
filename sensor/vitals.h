/* vitals.h -- a running sensor's account as metrics (core/metrics.h): counters of the engine at hand, per interface,
 * VLAN and worker, and whether they add up.
 */
#ifndef SENSOR_VITALS_H
#define SENSOR_VITALS_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/ring.h"

struct vitals_config {
	const char *path;               /* of the file */
	const char *sensor;
	uint64_t epoch;
	unsigned restarts, sandbox;     /* sandbox: SANDBOX_ bits */
	bool no_sandbox, up;
	const char *const *sources;     /* names of interfaces or files; may be NULL */
	size_t n_sources;
};

struct vitals;

struct vitals *vitals_new(void);        /* NULL on ENOMEM */
void vitals_free(struct vitals *v);     /* NULL is fine */
/* Writes what the ring's snapshot and progress say. 0, -EAGAIN when there is no snapshot yet, or -errno. */
int vitals_write(struct vitals *v, const struct vitals_config *c, struct ring *r);

#endif
