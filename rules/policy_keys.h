/* policy_keys.h -- what may stand in the files of a policy directory: the tables that the loaders check by, that the
 * writer orders by and that docs/schema/ is printed from. One place, so that the three cannot differ.
 */
#ifndef RULES_POLICY_KEYS_H
#define RULES_POLICY_KEYS_H

#include "core/conf.h"

/* Bounds of the event fields that repeat these texts (core/event.def), and of texts that only people read. */
enum {
	POLICY_KEYS_NAME = 64,
	POLICY_KEYS_DOCUMENT = 96,
	POLICY_KEYS_REVISION = 32,
	POLICY_KEYS_LABEL = 128,        /* maker, model, place */
	POLICY_KEYS_TEXT = 4096,
};

extern const struct conf_key policy_long_keys[];        /* a device type, everything; policy_long_keys.c */
extern const struct conf_key policy_short_keys[];       /* a device type as people write it; policy_short.c */
extern const struct conf_key policy_inventory_keys[];
extern const struct conf_key policy_site_keys[];
extern const struct conf_key policy_decisions_keys[];

/* The words of the long form, in the order of the enumerations (policy_table.h) where there is one. */
extern const char *const policy_long_keys_completes[];       /* unknown, partial, exhaustive */
extern const char *const policy_long_keys_states[];          /* enabled, disabled, configurable */
extern const char *const policy_long_keys_initiators[];      /* device, peer, either */
extern const char *const policy_long_keys_listeners[];       /* device, peer */
extern const char *const policy_long_keys_encryptions[];     /* none, optional, tls, vpn, conflict */
extern const char *const policy_long_keys_tls_versions[];    /* 1.0 to 1.3 */
extern const char *const policy_long_keys_days[];            /* mon to sun */
extern const char *const policy_long_keys_network_uses[];    /* permitted, not_guaranteed, ends */
extern const char *const policy_long_keys_legacy_states[];

#endif
