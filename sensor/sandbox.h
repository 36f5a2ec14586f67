/* sandbox.h -- what is left to a process of ours once it reads hostile bytes.
 *
 * Prepared in the parent (filters are compiled there, so that the child allocates and opens nothing for it),
 * entered in the child in two steps: sandbox_enter before threads and tables are made, sandbox_tighten, for
 * all threads at once, before the first packet. A refused system call kills the process (SIGSYS, 31); a test build
 * (SPANWARD_PLANT) can be told to refuse it with EPERM and count it instead.
 */
#ifndef SENSOR_SANDBOX_H
#define SENSOR_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum sandbox_role {
	SANDBOX_ENGINE_FILES,           /* reads descriptors it was given and talks on its control socket */
	SANDBOX_ENGINE_LIVE,            /* the same with packet sockets */
	SANDBOX_PUBLISHER,              /* network out; no packets, no writing to files, no programs */
};

/* What came into force; the kernel may lack Landlock, and only root can change root and user. */
enum {
	SANDBOX_SECCOMP = 1, SANDBOX_NO_CAPS = 2, SANDBOX_LANDLOCK = 4, SANDBOX_CHROOT = 8, SANDBOX_NOBODY = 16,
	SANDBOX_NO_BOUNDS = 32,         /* the capability bounding set is empty too */
};

enum { SANDBOX_TEXT = 120, SANDBOX_NOBODY_ID = 65534, SANDBOX_MAX_KEEP = 300 };

struct sandbox;

/* In the parent. `control` is the only descriptor an engine may send to; -1 for a publisher.
 * `keep_user`: stay the user one is (a publisher whose endpoint is a file of that user). 0 or -errno. */
int sandbox_new(enum sandbox_role role, int control, bool keep_user, struct sandbox **ret);
/* In the child, single-threaded. Closes every descriptor not in `keep` (any order; none below 3) and replaces 0, 1
 * and 2 by /dev/null (a publisher and sanitizer builds keep 2), drops privileges, and loads the first filter.
 * Dies with `parent`. 0 with the SANDBOX_ bits in *ret, or -errno: then the process must not go on. */
int sandbox_enter(const struct sandbox *s, pid_t parent, const int *keep, size_t n_keep, unsigned *ret);
/* The strict filter, on all threads. 0 or -errno. */
int sandbox_tighten(const struct sandbox *s);
/* In the parent, after the fork. NULL is fine. */
void sandbox_free(struct sandbox *s);
/* Test builds: counts what the filters made from now on refuse, instead of dying of it. Nothing in others. */
void sandbox_count(bool on);
/* System calls refused so far in this process; 0 in all but test builds. */
uint64_t sandbox_refused(void);
/* "seccomp, no capabilities, landlock, ..." */
const char *sandbox_text(unsigned bits, char ret[static SANDBOX_TEXT]);

#endif
