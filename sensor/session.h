/* session.h -- a running engine as its parent sees it: opened, forked, sandboxed, fed with policies.
 *
 * The parent opens capture handles, compiles the policy, makes the ring and a control socket, forks the
 * engine and hands everything over; the engine closes what it was not meant to have, drops privileges,
 * enters the sandbox (sensor/sandbox.h), starts its workers, closes the sandbox tighter and reads.
 * `spanward replay`, `spanward run` and spanward-sensor are all built on this.
 */
#ifndef SENSOR_SESSION_H
#define SENSOR_SESSION_H

#include <sys/types.h>

#include "core/conf.h"
#include "sensor/engine.h"

struct session_config {
	struct engine_config engine;
	const char *const *files;       /* capture files ("-": standard input); or NULL */
	size_t n_files;
	const char *const *interfaces;  /* live; or NULL */
	size_t n_interfaces;
	size_t capture_buffer_bytes;
	const char *policy_dir;         /* NULL: no policy */
	size_t ring_bytes;              /* 0: default */
	bool no_sandbox;                /* typed by the operator; reported */
	const char *plant;              /* SPANWARD_PLANT builds only: "open" makes the engine try open() once sandboxed */
};

struct session;

/* 0 with *ret; else ERR_CONFIG (*rep filled), -errno, -EPERM...; `why` has a line for the operator.
 * A capture file that cannot be opened is -errno at once: nothing has been read. */
int session_start(const struct session_config *c, struct session **ret, struct conf_report *rep, char why[static 256]);
struct ring *session_ring(struct session *s);
pid_t session_engine_pid(const struct session *s);
/* The policy the engine was given, for texts; NULL without one. */
const struct policy *session_policy(const struct session *s);
/* Recompiles the directory and hands the new table over. ERR_CONFIG keeps the old one in force. */
int session_reload(struct session *s, struct conf_report *rep);
/* Asks the engine to stop at the next batch boundary and finish properly. Async-signal-safe. */
void session_stop(struct session *s);
/* Waits for the engine: 0, or -errno / -ECHILD when it died (ret_signal, 0 none; 31 is a refused system call). */
int session_wait(struct session *s, int *ret_signal);
void session_free(struct session *s);   /* kills an engine still running; NULL is fine */

#endif
