/* policy_judge.h -- what the files that judge share: who is at an end, how a verdict is written down. All of it is pure:
 * bounded work on the table, no clock, no memory.
 */
#ifndef RULES_POLICY_JUDGE_H
#define RULES_POLICY_JUDGE_H

#include "rules/policy_table.h"

static inline struct span policy_judge_text(const struct policy *p, struct policy_text t)
{
	return (struct span){ POLICY_TABLE_SECTION(p, TEXT, uint8_t) + t.at, t.n };
}

/* What more a row says; NULL for a built-in one. */
static inline const struct policy_more *policy_judge_more(const struct policy *p, const struct policy_row *r)
{
	return r->more == POLICY_NONE ? NULL : POLICY_TABLE_SECTION(p, MORES, struct policy_more) + r->more;
}

/* policy_who.c. Both ends. Observations of messages carry no hardware address of their own; the caller may lend them one. */
void policy_who_ends(const struct policy *p, const struct observation *o, struct policy_who ret[static 2]);
const struct policy_ae *policy_who_ae(const struct policy *p, struct span ae);
const struct policy_type *policy_who_type(const struct policy *p, uint32_t device);
static inline bool policy_who_internet(const struct policy_who *w) { return !w->local && !w->info->roles; }

/* policy_flow.c */
enum policy_fit { POLICY_FIT_NO, POLICY_FIT_MAYBE, POLICY_FIT_YES };
enum policy_fit policy_flow_peer(const struct policy *p, const struct policy_row *r, const struct policy_who *unit,
				 const struct policy_who *peer);
unsigned policy_flow_check(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			  struct verdict *ret);

/* policy_message.c: false when none of these says anything of such a message, whoever its ends are. */
bool policy_message_speaks(const struct policy *p, const struct observation *o);
unsigned policy_message_request(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			       struct verdict *ret);
unsigned policy_message_command(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			       struct verdict *ret);
unsigned policy_message_tls(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			   struct verdict *ret);
unsigned policy_message_hl7(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			   struct verdict *ret);

/* policy_judge.c. True, so that it can end a judgement. */
bool policy_judge_fill(struct verdict *v, enum event_verdict kind, enum event_what what, uint32_t rule, uint32_t cite,
		       unsigned severity);
/* The same by a row. */
bool policy_judge_row(const struct policy *p, struct verdict *v, enum event_verdict kind, enum event_what what, uint32_t rule,
		      const struct policy_row *r, unsigned severity);
/* What the site and the inventory add to a breach: a window in which it happens, the mode of the unit. */
void policy_judge_settle(const struct policy *p, struct verdict *v, uint64_t ts_ns, const struct policy_who *peer);

#endif
