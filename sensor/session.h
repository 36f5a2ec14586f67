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
	bool follow;                    /* no files yet: they come by session_feed() */
	const char *const *interfaces;  /* live; or NULL */
	size_t n_interfaces;
	struct source_live_options live;
	const char *policy_dir;         /* NULL: no policy */
	const struct policy *last_good; /* judges on when the directory has faults at the start; NULL: then nothing starts */
	size_t ring_bytes;              /* 0: default */
	bool no_sandbox;                /* typed by the operator; reported */
	const char *plant;              /* SPANWARD_PLANT builds only: "open" makes the engine try open() once sandboxed;
					 * "counted-open" open() and socket(), refused and counted */
};

struct session;

/* 0 with *ret: the engine is sandboxed and about to read. Else ERR_CONFIG (*rep filled), -errno, -EPERM...; `why`
 * has a line for the operator. A capture file that cannot be opened is -errno at once: nothing has been read.
 * Forks, so call it before the process has threads. */
int session_start(const struct session_config *c, struct session **ret, struct conf_report *rep, char why[static 256]);
struct ring *session_ring(struct session *s);
pid_t session_engine_pid(const struct session *s);
/* What the sandbox came to: SANDBOX_ bits (sensor/sandbox.h); 0 with no_sandbox. */
unsigned session_sandbox(const struct session *s);
/* The policy the engine was given, for texts; NULL without one. */
const struct policy *session_policy(const struct session *s);
/* The policy, for a session after this one (last_good): the caller's from here on, free(). NULL without one. */
struct policy *session_take_policy(struct session *s);
/* Recompiles the directory and hands the new table over. -EAGAIN: its files are being written at the moment, call again soon
 * (after 20 s that is a fault). Any other failure keeps the old one in force, and the engine says so as an event; a policy that
 * has lost all of its units, types, roles, zones or forbid rows is refused, too. */
int session_reload(struct session *s, struct conf_report *rep);
/* The generation that the engine says it judges by (0: none); *ret_refused: the last one it could not take, 0 none. */
uint64_t session_generation(const struct session *s, uint64_t *ret_refused);
/* Asks the engine to stop at the next batch boundary and finish properly. Async-signal-safe. */
void session_stop(struct session *s);
/* For at most wait_ms (a signal ends it early): takes the engine's messages and notices its end, and then says
 * ring_done on its behalf. True while it runs. */
bool session_attend(struct session *s, unsigned wait_ms);
/* ring_get for a consumer that lives in the parent: attends to the engine when nothing comes. */
int session_get(struct session *s, unsigned wait_ms, enum ring_kind *kind, void *mem, size_t *n);
/* follow: whether the engine waits for a file. */
bool session_is_hungry(const struct session *s);
/* Hands it the next one; the descriptor stays the caller's. 0 or -errno. */
int session_feed(struct session *s, int fd);
/* How the file that was fed last ended: true once with its packets and err (0: whole), and why. */
bool session_fed(struct session *s, uint64_t *ret_packets, int *ret_err, char why[static 256]);
/* Waits for the engine: 0, or what it failed with, or -ECHILD when it died (*ret_signal, 0 none; 31 is a refused
 * system call). `why` gets a line for the operator unless it is 0. */
int session_wait(struct session *s, int *ret_signal, char why[static 256]);
/* The first capture file that could not be read to its end: its number from 1 (0: none), `err`, and why. */
uint32_t session_bad_file(const struct session *s, int *ret_err, char why[static 256]);
void session_free(struct session *s);   /* kills an engine still running; NULL is fine */

#endif
