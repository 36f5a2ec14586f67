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
	uint32_t row;                   /* of the device's rows, by which it was judged; POLICY_NONE */
	uint32_t window;                /* of the site, in which it happens; POLICY_NONE */
	uint32_t control;               /* compensating control that should have stopped it; POLICY_NONE */
	uint32_t answer;                /* rule about an answer of the documents that this contradicts beside the verdict; */
	uint32_t answer_cite;           /* ... and where it stands; POLICY_NONE: none */
};

/* At most one verdict per end, for ends that have a profile or none at all where they should have one;
 * returns how many. `declared` verdicts are returned too: the detector remembers them.
 * Judged: flow.open and flow.service (src = who opened), dicom.associate_request (the calling AE title), dicom.command (SOP
 * classes and roles), tls.handshake (the version, where a row says which), hl7.message (where a row names message types, versions,
 * applications or facilities). Messages carry no src_mac, dst_mac and vlan of their own; where the caller sets them, they help to say
 * who the ends are. A hardware address of zeros: the one seen is a router's and says nothing.
 * Precedence (docs/profiles.md): forbidden, disabled_but_used, seen_differently, undeclared, unknown_device,
 * cannot_say, declared. */
unsigned policy_check(const struct policy *p, const struct observation *o, struct verdict ret[static POLICY_MAX_VERDICTS]);

/* Beside a VLAN's number, here and in an observation: the network uses addresses that others use for other hosts, so that of the entries
 * with an address only those are meant that name this VLAN. */
enum { POLICY_VLAN_ONLY = 0x1000 };
/* Who an address is, found once: good for that address, hardware address (NULL: unknown, or a router's; zeros: seen, a router's) and
 * VLAN (0: none) for as long as the policy. */
struct policy_info;                     /* what the site says of an address (rules/policy_table.h) */
struct policy_who {
	uint32_t device;                /* POLICY_NONE when the inventory has no such unit */
	enum event_device_by by;
	const struct policy_info *info;
	uint32_t zone;
	bool local;                     /* inside the hospital, or an address that cannot leave it */
	bool routed;                    /* seen with the hardware address of a router */
	bool host;                      /* one host's own address: not multicast, broadcast or 0.0.0.0 */
};
void policy_who_find(const struct policy *p, const struct addr *ip, const struct mac *mac, uint16_t vlan, struct policy_who *w);
/* policy_check() by ends that were found: src and dst, each with the hardware address of the observation. */
unsigned policy_check_who(const struct policy *p, const struct observation *o, const struct policy_who ends[static 2],
			  struct verdict ret[static POLICY_MAX_VERDICTS]);
/* False when policy_check() says nothing of such an observation, whoever its ends are. */
bool policy_speaks(const struct policy *p, const struct observation *o);

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
void policy_who_host(const struct policy *p, const struct policy_who *w, struct policy_host *ret);
/* Whether an address plays a role of the site, and where that role stands; UNSAID: the site has no such role. */
enum policy_plays { POLICY_PLAYS_UNSAID, POLICY_PLAYS_NO, POLICY_PLAYS_YES };
enum policy_plays policy_plays(const struct policy *p, const struct addr *ip, const char *role, uint32_t *ret_cite);
/* Whose a hardware address is, for a unit that stands at an address: its own; nobody's that the inventory knows, where it knows none
 * of the unit; another's, or not the one that the inventory gives the unit (and where that stands). */
enum policy_card { POLICY_CARD_UNSAID, POLICY_CARD_OWN, POLICY_CARD_ANOTHERS };
enum policy_card policy_card(const struct policy *p, uint32_t device, const struct mac *mac, uint32_t *ret_cite);
/* The unit whose inventory entry (or site role) gives this AE title; POLICY_NONE when none or several.
 * `ret_known`: whether any entry, role or profile names the title at all. */
uint32_t policy_ae_owner(const struct policy *p, struct span ae, bool *ret_known);

struct policy_cite {
	enum event_authority authority;
	struct span document, revision, row, said;      /* borrowed from the table */
};
void policy_cite(const struct policy *p, uint32_t cite, struct policy_cite *ret);

/* Names of what a verdict points at; empty for POLICY_NONE. */
struct span policy_row_id(const struct policy *p, uint32_t row);
uint32_t policy_row_cite(const struct policy *p, uint32_t row);
bool policy_row_in_force(const struct policy *p, uint32_t row);        /* not optional or disabled and left off */
struct span policy_window_name(const struct policy *p, uint32_t window);
struct span policy_control_name(const struct policy *p, uint32_t control, uint32_t *ret_cite, bool *ret_by_maker);

/* What a row limits (sensor/conduct.h holds traffic to it); 0: not said. */
struct policy_row_limits {
	uint64_t session_ns, bytes_day;
	uint32_t conns_min, associations_min, max_peers, idle_s;
	uint32_t cite;                  /* POLICY_NONE: nothing is limited */
	bool off_hours;                 /* the row has a schedule, and `ts_ns` is outside */
};
void policy_row_limits(const struct policy *p, uint32_t row, uint64_t ts_ns, struct policy_row_limits *ret);
/* Rows of a unit are those of a set that units with equal options share: first and number. 0 without a type. */
uint32_t policy_unit_rows(const struct policy *p, uint32_t device, uint32_t *ret_first);

/* How far a unit's life has come at a time. */
enum policy_life { POLICY_LIFE_SUPPORTED, POLICY_LIFE_LIMITED, POLICY_LIFE_ENDED, POLICY_LIFE_OFF_NETWORK };
/* `ret_cite`: where the date stands that says so; POLICY_NONE when supported. */
enum policy_life policy_unit_life(const struct policy *p, uint32_t device, uint64_t ts_ns, uint32_t *ret_cite);
/* The mode of a unit at a time: enum policy_mode (rules/policy_table.h). */
unsigned policy_unit_mode(const struct policy *p, uint32_t device, uint64_t ts_ns);

size_t policy_devices(const struct policy *p);
/* Unit by index: id, type, model, maker, location; empty spans where the files say nothing. */
struct policy_device { struct span id, type, maker, model, location, psirt; };
void policy_device(const struct policy *p, uint32_t device, struct policy_device *ret);

#endif
