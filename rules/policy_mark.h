/* policy_mark.h -- what the inventory says that a unit says of itself (corroborate): host name, HL7 application, certificate.
 *
 * Anybody can say them, so they assign nobody. They corroborate who stands at an address, or contradict it.
 */
#ifndef RULES_POLICY_MARK_H
#define RULES_POLICY_MARK_H

#include "rules/policy.h"

enum policy_mark_kind { POLICY_MARK_HOSTNAME, POLICY_MARK_HL7_APP, POLICY_MARK_CERTIFICATE, POLICY_MARK_KINDS };
enum policy_mark {
	POLICY_MARK_UNSAID,             /* the inventory says nothing of it */
	POLICY_MARK_FITS,
	POLICY_MARK_DIFFERS,            /* the inventory gives this unit another */
	POLICY_MARK_ANOTHERS,           /* the inventory gives it to another unit */
};

/* What to make of a host that says `value`; `device`: the unit at its address, POLICY_NONE: none. *ret_unit: whose entry it
 * contradicts, *ret_cite where that stands; POLICY_NONE. A name that an application keeps when it is passed on (HL7) is never
 * another's. */
enum policy_mark policy_mark(const struct policy *p, uint32_t device, enum policy_mark_kind kind, struct span value, uint32_t *ret_unit,
			     uint32_t *ret_cite);
/* The key of a value: host names up to their first dot and in any case of letters, certificates by the hex digits of their
 * SHA-256. 0: it is none. */
uint64_t policy_mark_key(enum policy_mark_kind kind, struct span value);
/* Whether the inventory says anything at all of what its units say of themselves. */
bool policy_mark_any(const struct policy *p);

#endif
