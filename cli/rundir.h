/* rundir.h -- a directory in /tmp that only this user can enter, for as long as this process lives.
 *
 * It holds a lock that says so. A process that was killed leaves its directory behind: the next one that makes one removes those of this
 * user whose lock nobody holds. One that is in use is never removed, and what is not ours to know is left.
 */
#ifndef CLI_RUNDIR_H
#define CLI_RUNDIR_H

enum { RUNDIR_PATH = 96 };
#define RUNDIR_LOCK "lock"

struct rundir { char path[RUNDIR_PATH]; int lock; };

/* Makes BASE/NAME-XXXXXX and holds it; `files` are the names of what may stand in it, for removing what others left, NULL-terminated.
 * 0 or -errno. */
int rundir_make(const char *base, const char *name, const char *const *files, struct rundir *ret);
/* Removes it, with those files. */
void rundir_remove(struct rundir *d, const char *const *files);
/* In a child: the directory is not its to hold. */
void rundir_forget(struct rundir *d);

#endif
