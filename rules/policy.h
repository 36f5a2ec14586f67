/* policy.h -- what each device declared it would do, and whether it did.
 *
 * A policy is one position-independent table of bytes (offsets, no pointers), built by policy_compile()
 * in the parent, sealed in a memfd, and read by the engine in place. Immutable; policy_check() is pure:
 * no clock, no I/O, no allocation, no lock; same observation, same verdicts.
 */
#ifndef RULES_POLICY_H
#define RULES_POLICY_H

#include "core/conf.h"
#include "core/event.h"
#include "core/observation.h"

struct policy;                          /* the table itself; policy_size() bytes */

enum { POLICY_MAX_VERDICTS = 2, POLICY_NONE = 0xffffffff };

/* Reads a directory: site.yaml, inventory.yaml and/or inventory.csv, and every other *.yaml as a device
 * type (short or long form). 0 with *ret a malloc'd table (caller frees) or ERR_CONFIG / -errno with *rep
 * filled; never half a policy. */
int policy_compile_dir(const char *dir, struct policy **ret, struct conf_report *rep);
/* Checks one file of any of the kinds by itself, or a directory as a whole (`spanward check`). */
int policy_check_path(const char *path, struct conf_report *rep);

/* Verifies a table that came from outside (a sealed memfd): every offset and string is inside. NULL when
 * it is not one of ours. Does not copy. */
const struct policy *policy_open(struct span table);
size_t policy_size(const struct policy *p);
/* SHA-256 of the table, first 8 bytes, as a number: what "generation" of files this is. */
uint64_t policy_digest(const struct policy *p);

struct verdict {
	enum event_verdict kind;
	enum event_what what;
	uint32_t rule;                  /* enum rule_id (rules/rule.h) */
	uint32_t device;                /* index of the judged unit; POLICY_NONE: a host without an entry. Of
					   RULE_AE_IMPERSONATION: the unit whose title the src says */
	uint32_t cite;                  /* index of the citation; POLICY_NONE: the sensor's own rule */
	uint8_t severity, confidence;   /* enum event_severity, enum event_confidence */
	bool device_is_src;             /* which end of the observation is the judged device */
};

/* At most one verdict per end, for ends that have a profile or none at all where they should have one;
 * returns how many. `declared` verdicts are returned too: the detector remembers them.
 * Judged: flow.open and flow.service (src = who opened), dicom.associate_request (the calling AE title),
 * hl7.message (where a row names message types or sending applications). Messages carry no src_mac, dst_mac and
 * vlan of their own; where the caller sets them, they help to say who the ends are.
 * Precedence (docs/profiles.md): forbidden, disabled_but_used, seen_differently, undeclared, unknown_device,
 * cannot_say, declared. */
unsigned policy_check(const struct policy *p, const struct observation *o, struct verdict ret[static POLICY_MAX_VERDICTS]);

/* Who is at an address. Only address-bound evidence assigns: mac may be NULL, vlan 0. */
struct policy_host {
	uint32_t device;                /* POLICY_NONE when the inventory has no such unit */
	enum event_device_by by;
	struct span id, type;           /* of the unit; empty without one */
	struct span role;               /* first role of the site file that holds the address; empty */
	struct span zone;               /* empty */
	bool local;                     /* inside local_networks */
};
void policy_host(const struct policy *p, const struct addr *ip, const struct mac *mac, uint16_t vlan,
		 struct policy_host *ret);
/* The unit whose inventory entry (or site role) gives this AE title; POLICY_NONE when none or several.
 * `ret_known`: whether any entry, role or profile names the title at all. */
uint32_t policy_ae_owner(const struct policy *p, struct span ae, bool *ret_known);

struct policy_cite {
	enum event_authority authority;
	struct span document, revision, row, said;      /* borrowed from the table */
};
void policy_cite(const struct policy *p, uint32_t cite, struct policy_cite *ret);

size_t policy_devices(const struct policy *p);
/* Unit by index: id, type, model, maker, location; empty spans where the files say nothing. */
struct policy_device { struct span id, type, maker, model, location, psirt; };
void policy_device(const struct policy *p, uint32_t device, struct policy_device *ret);

#endif
