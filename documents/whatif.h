/* whatif.h -- a proposed policy against flows that were recorded under another: which of them would be judged otherwise. */
#ifndef DOCUMENTS_WHATIF_H
#define DOCUMENTS_WHATIF_H

#include "core/observation.h"
#include "rules/policy.h"

enum { WHATIF_MAX_LINES = 100000, WHATIF_UNJUDGED = EVENT_VERDICTS };

struct whatif_line {
	struct span unit, type;         /* by the proposal, else as it was; of their tables */
	struct addr own, peer;          /* `own` only where no unit is known */
	uint8_t side, transport;        /* enum policy_side */
	uint16_t port;
	uint8_t was, will;              /* enum event_verdict; WHATIF_UNJUDGED */
	uint8_t was_what, will_what;
	uint32_t was_cite, will_cite;   /* of their tables; POLICY_NONE */
	uint64_t flows, bytes, first_ns, last_ns;
};

struct whatif;

/* Both tables are borrowed. 0 or -ENOMEM. */
int whatif_new(const struct policy *was, const struct policy *will, struct whatif **ret);
/* A flow.end; anything else is passed over. */
void whatif_observe(struct whatif *w, const struct observation *o);
/* Puts the lines in order; then they may be read. */
void whatif_settle(struct whatif *w);
size_t whatif_count(const struct whatif *w);
const struct whatif_line *whatif_at(const struct whatif *w, size_t i);
/* Ends of flows whose verdict stays, by verdict; and those that change without a line left. */
uint64_t whatif_same(const struct whatif *w, enum event_verdict v);
uint64_t whatif_lost(const struct whatif *w);
void whatif_free(struct whatif *w);     /* NULL is fine */

#endif
