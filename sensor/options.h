/* options.h -- values on the command line that the programs of the sensor share. Each: 0, or -EINVAL with a
 * line in `why` that says what was expected; nothing else is changed then. */
#ifndef SENSOR_OPTIONS_H
#define SENSOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/engine.h"

int options_uint(const char *text, uint64_t min, uint64_t max, uint64_t *ret, char why[static 256]);
/* "65536", "64KiB", "16MiB", "2GiB". */
int options_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret, char why[static 256]);
/* "300", "30s", "5m", "2h", "90d", in seconds. */
int options_duration(const char *text, uint64_t *ret_s, char why[static 256]);
/* NAME=VALUE, or several with commas between, of the engine's budgets: memory (a size, of all tables together), flows, probes, states,
 * assets, folds (entries), streams (a size), tcp_idle, udp_idle, half_open, fold (durations). */
/* "on" or "off"; -EINVAL also for "on" in a program that was built without nDPI. */
int options_ndpi(const char *text, bool *ret, char why[static 256]);
int options_budget(const char *text, struct engine_config *c, char why[static 256]);
/* tcp://ADDRESS:PORT or ipc://PATH. What leaves this machine is refused unless `insecure` was typed. */
int options_endpoint(const char *text, bool insecure, char why[static 256]);
/* A sensor's id: as in events, and no longer than a frame has room for. */
int options_sensor_id(const char *text, char why[static 256]);

#endif
