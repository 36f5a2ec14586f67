/* policy_reload.h -- whether the files of a policy directory may take the place of the policy in force.
 *
 * Files are replaced by people and by copies over the network while we read: what is read in the middle of a change can be
 * right by every rule and still be half of what was meant.
 */
#ifndef RULES_POLICY_RELOAD_H
#define RULES_POLICY_RELOAD_H

#include <stdint.h>

#include "rules/policy.h"

/* How long the files rest before they are believed: an editor or a copy writes on within less. */
#define POLICY_RELOAD_REST_NS UINT64_C(500000000)

struct policy_reload_state {
	uint64_t hash;                  /* of names, sizes and times of every file that policy_compile_dir() reads */
	uint64_t changed_ns;            /* when the last of them changed */
};

/* 0 or -errno. */
int policy_reload_state(const char *dir, struct policy_reload_state *ret);
/* What the policy in force has and the new one has none of ("units", "forbid rows"...), NULL when nothing: a file that is gone
 * looks like a hospital without it. */
const char *policy_reload_loses(const struct policy *in_force, const struct policy *next);

#endif
