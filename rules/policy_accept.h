/* policy_accept.h -- findings that the hospital has accepted for a time: told all the same, with the acceptance's name.
 *
 * An acceptance is of one finding: the same rule, device, peer, transport and port as the alert that it was given for
 * (collector/alert.h folds by these). It never covers another device or a wider range.
 */
#ifndef RULES_POLICY_ACCEPT_H
#define RULES_POLICY_ACCEPT_H

#include "rules/policy.h"

/* transport 0xff: none; port -1: none. */
uint64_t policy_accept_key(struct span rule, struct span device, struct span peer, unsigned transport, int port);
/* Whether an acceptance covers this event at its time: its name in *ret_id, borrowed from the table. */
bool policy_accept_find(const struct policy *p, const struct event *e, struct span *ret_id);

#endif
