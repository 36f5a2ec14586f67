/* watched.h -- a policy directory and captures, or flows that were kept of them (documents/flows.h), read through the engine:
 * what a command that compares the two begins with.
 *
 * The same engine as `spanward replay`: the process that parses packets is sandboxed.
 */
#ifndef CLI_WATCHED_H
#define CLI_WATCHED_H

#include "documents/matrix.h"
#include "documents/whatif.h"

struct watched {
	struct session *engine;         /* NULL without captures */
	struct policy *compiled;        /* of our own, without captures */
	struct policy_model model;
	struct matrix *matrix;          /* settled */
	struct policy *proposed;        /* NULL without one */
	struct whatif *whatif;          /* settled; NULL without a proposal */
	unsigned long long packets, flows, lost_records;
};

/* Everything, with what is wrong said on standard error. The exit code; watched_end() in any case. A file that is cut short is
 * said and gives ERR_EXIT_INPUT; what was read of it counts. */
int watched_read(struct watched *w, const char *policy, const char *const *files, size_t n, bool quiet);
/* The same, judged by a second directory too. */
int watched_compare(struct watched *w, const char *policy, const char *proposed, const char *const *files, size_t n, bool quiet);
void watched_end(struct watched *w);

#endif
