/* watched.h -- a policy directory and captures, read through the engine: what a command that compares the two begins with.
 *
 * The same engine as `spanward replay`: the process that parses packets is sandboxed.
 */
#ifndef CLI_WATCHED_H
#define CLI_WATCHED_H

#include "documents/matrix.h"

struct watched {
	struct session *engine;         /* NULL without captures */
	struct policy *compiled;        /* of our own, without captures */
	struct policy_model model;
	struct matrix *matrix;          /* settled */
	unsigned long long packets, flows, lost_records;
};

/* Everything, with what is wrong said on standard error. The exit code; watched_end() in any case. A capture that is cut
 * short is said and gives ERR_EXIT_INPUT; what was read of it counts. */
int watched_read(struct watched *w, const char *policy, const char *const *captures, size_t n, bool quiet);
void watched_end(struct watched *w);

#endif
