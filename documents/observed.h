/* observed.h -- what was learned from traffic, in a file of its own: never a declaration, and no policy directory takes it for one.
 *
 * A row per unit, direction, port and peer with how often, first and last; what no document declares also as a draft of a row, for a
 * person who has asked the maker. A draft has no citation, so that it cannot be loaded as it stands.
 */
#ifndef DOCUMENTS_OBSERVED_H
#define DOCUMENTS_OBSERVED_H

#include "documents/matrix.h"

enum { OBSERVED_PEERS = 4 };

struct observed_row {                   /* texts borrow from the files */
	struct span unit, type, state, direction, transport, port, protocol, row, peers[OBSERVED_PEERS];
	uint16_t lo, hi;
	size_t n_peers;
	uint64_t flows, bytes, first_ns, last_ns;
};

struct observed {
	POLICY_MODEL_LIST(struct conf_doc *) docs;
	POLICY_MODEL_LIST(struct observed_row) rows;
};

extern const struct conf_key observed_keys[];

/* Prints what a settled matrix has seen. 0, -ENOMEM or -EIO. */
int observed_write(const struct matrix *x, const char *const *captures, size_t n, uint64_t packets, FILE *to);
/* Adds what a file says; equal rows become one. 0, ERR_CONFIG or -ENOMEM; observed_free() either way. */
int observed_read(const char *path, struct observed *o, struct conf_report *rep);
int observed_parse(struct span text, const char *name, struct observed *o, struct conf_report *rep);
void observed_free(struct observed *o);

#endif
