/* station.h -- a whole sensor: the parent's loop around an engine and a publisher.
 *
 * The publisher is forked after the engine, has no packet handle and no capability, and takes what the
 * engine puts into the ring. Signals: SIGHUP reloads the policy, SIGTERM and SIGINT stop properly (twice: at once).
 */
#ifndef SENSOR_STATION_H
#define SENSOR_STATION_H

#include "core/conf.h"
#include "sensor/session.h"

struct station_config {
	struct session_config session;
	const char *endpoint;           /* of the collector */
	size_t window_bytes;            /* per lane; 0: default */
	unsigned linger_s;              /* for the collector's last acknowledgement */
	const char *follow;             /* a directory of captures (sensor/follow.h); NULL: none */
	const char *metrics;            /* file to keep metrics in (sensor/vitals.h); NULL: none */
	unsigned metrics_s;             /* how often */
};

/* Runs to the end of the input or a signal, logging as it goes. The exit code of the program (core/err.h). */
int station_run(const struct station_config *c);
/* Prints every fault of a report to the log, and how many more there are. */
void station_log_report(const struct conf_report *rep);

#endif
