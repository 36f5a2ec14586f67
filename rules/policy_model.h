/* policy_model.h -- what the files of a policy directory say, between reading and compiling.
 *
 * A device type exists once, in the long form: what a person wrote in the short form is converted first
 * (policy_short_convert), what an importer makes it builds as a tree with core/conf_make.h and prints with
 * policy_write_long. `form` of a type is that tree: whoever needs a fact that no verdict rests on (lint, inquiry sheets,
 * matrices) takes it from there by its key, with its `sources` and `row`. The fields below are what verdicts rest on.
 *
 * Texts are spans into the documents that the model keeps. Built by policy_load.c with one reader per kind
 * of file; policy_compile.c (and policy_build_*.c) turn it into a table. Lives in the parent only: it allocates.
 */
#ifndef RULES_POLICY_MODEL_H
#define RULES_POLICY_MODEL_H

#include <stdio.h>

#include "core/conf.h"
#include "rules/policy_keys.h"
#include "rules/policy_mark.h"
#include "rules/policy_table.h"

enum {
	POLICY_MODEL_MAX_PORTS = 32,    /* ranges in one row; lists with more are split over rows by whoever writes them */
	POLICY_MODEL_MAX_ROWS = 4096,   /* of one type; the longest real list has a few hundred */
};

/* A growing array. POLICY_MODEL_ADD gives a zeroed new element, NULL when memory is out.
 * Elements may move: keep indices, not pointers, across an add. */
#define POLICY_MODEL_LIST(type) struct { type *v; size_t n, room; }
#define POLICY_MODEL_ADD(list)                                                                       \
	((list)->v = policy_load_grow((list)->v, (list)->n, &(list)->room, sizeof(*(list)->v)),     \
	 (list)->n < (list)->room ? &(list)->v[(list)->n++] : NULL)

/* Where something stands in the operator's files: a node of a document, or a place in a CSV. */
struct policy_place {
	const struct conf_doc *doc;
	const struct conf_node *node;
	const char *file;               /* path as given; the model's own */
	unsigned line, column;          /* CSV only; a node knows its own */
};

struct policy_document { struct span key, id, revision, type; };

enum policy_peer_kind {
	POLICY_PEER_ANY, POLICY_PEER_LOCAL, POLICY_PEER_ROLE, POLICY_PEER_PREFIX, POLICY_PEER_NAME, POLICY_PEER_MAKER,
};

struct policy_peer {
	enum policy_peer_kind kind;
	struct span name;
	struct prefix prefix;
	struct policy_place at;
};

struct policy_name { struct span text; struct policy_place at; };

enum { POLICY_NO_DOCUMENT = 0xffffffff };

struct policy_source {                  /* a document of the type and a row in it */
	uint32_t document;              /* index in the type's; POLICY_NO_DOCUMENT */
	struct span row;
};

/* A fact with a date. `at_ns` 0: not said. */
struct policy_date { uint64_t at_ns; struct policy_source source; };

struct policy_sop { struct span uid; uint8_t role; };   /* enum policy_dicom_role */

struct policy_span {                    /* of a schedule: minutes of the day, in the site's time */
	uint8_t days;                   /* bit 0: Monday */
	uint16_t from, to;              /* to <= from: into the next day */
};

struct policy_limits {                  /* 0: not said */
	uint64_t session_s, idle_s, bytes_day, conns_min, associations_min;
	struct policy_source source;
};

struct policy_model_row {
	struct span id;
	struct policy_place at;
	uint8_t proto, tls;
	bool out, in;                   /* sides; both for `initiator: either` */
	bool clear;                     /* says itself that it is not encrypted */
	bool optional, disabled;        /* default_state configurable, disabled: off unless enabled */
	uint8_t transport;
	uint8_t tls_min;                /* enum policy_tls_version; 0: not said */
	uint8_t role;                   /* of the device: enum policy_dicom_role; 0: not said */
	uint16_t max_peers;             /* 0: not said */
	struct policy_limits limits;
	POLICY_MODEL_LIST(struct policy_span) schedule;
	POLICY_MODEL_LIST(struct policy_sop) sops;
	POLICY_MODEL_LIST(struct span) called;          /* AE titles it calls */
	POLICY_MODEL_LIST(struct span) versions, sending_facs, receiving_apps, receiving_facs;  /* HL7 */
	size_t n_ports;
	struct conf_port_range ports[POLICY_MODEL_MAX_PORTS];
	POLICY_MODEL_LIST(struct policy_peer) peers;
	POLICY_MODEL_LIST(struct span) titles;          /* AE titles the maker gives the device */
	POLICY_MODEL_LIST(struct span) messages, apps;  /* HL7 */
	struct policy_source source;
};

/* A claim about the device as a whole, and where it stands. */
struct policy_claim { enum conf_tri answer; struct policy_source source; };
enum policy_claim_kind {
	POLICY_CLAIM_EXTERNAL,          /* CONN-4 */
	POLICY_CLAIM_UNUSED_CLOSED,     /* SAHD-8 */
	POLICY_CLAIM_ENCRYPTION,        /* TXCF-2 */
	POLICY_CLAIM_REMOTE_SERVICE,    /* RMOT-1 */
	POLICY_CLAIMS
};

struct policy_model_control {           /* a compensating control */
	struct span id;
	struct policy_place at;
	bool by_maker;                  /* designated by the manufacturer */
	bool failed;                    /* its papers say so */
	struct policy_date from, until;
	struct policy_source source;
	POLICY_MODEL_LIST(struct policy_name) protects; /* rows; none: the device as a whole */
	POLICY_MODEL_LIST(struct policy_peer) permits;  /* none: the rows' own peers */
};

struct policy_model_type {
	const struct conf_node *form;   /* the whole long form */
	struct span id, maker, model, psirt;
	struct policy_place at;
	struct policy_claim claims[POLICY_CLAIMS];
	struct policy_date eol, eos, network_ends;
	bool eol_estimated;
	bool ends_with_support;         /* network_use_after_eos: ends */
	bool unsure_after_support;      /* network_use_after_eos: not_guaranteed */
	POLICY_MODEL_LIST(struct policy_model_control) controls;
	POLICY_MODEL_LIST(struct policy_document) documents;
	POLICY_MODEL_LIST(struct policy_model_row) rows;
	enum policy_complete complete;
	struct policy_source list;
	POLICY_MODEL_LIST(struct policy_place) infrastructure;  /* nodes: names of built-in rows */
};

struct policy_select {
	struct policy_place at;
	bool has_ip, has_mac;
	struct addr ip;
	struct mac mac;
	uint16_t vlan;                  /* 0: not said */
};

struct policy_override {
	struct span row;
	struct policy_place at;
	size_t n_ports;
	struct conf_port_range ports[POLICY_MODEL_MAX_PORTS];
};

struct policy_model_unit {
	struct span id, type, location, zone;
	struct policy_place at, type_at, zone_at;
	POLICY_MODEL_LIST(struct policy_select) selects;
	POLICY_MODEL_LIST(struct policy_name) titles;
	POLICY_MODEL_LIST(struct policy_name) enabled;
	POLICY_MODEL_LIST(struct policy_override) overrides;
	struct span marks[POLICY_MARK_KINDS];   /* empty: not said */
	enum policy_mode mode;
	uint64_t mode_until_ns;         /* 0: no end */
	uint64_t network_ends_ns;       /* 0: not said */
	bool behind;                    /* a router or the like: its hardware address is not its own */
};

struct policy_model_default {           /* of units that do not say themselves */
	struct policy_name type, zone;  /* empty: of every */
	struct span location;
	enum policy_mode mode;
	uint64_t mode_until_ns;
	POLICY_MODEL_LIST(struct policy_name) enabled;
};

struct policy_model_address {           /* of a role */
	struct prefix prefix;
	struct policy_place at;
	POLICY_MODEL_LIST(struct span) titles;
};

struct policy_model_role {
	struct span name;
	struct policy_place at;
	POLICY_MODEL_LIST(struct policy_model_address) addresses;
};

struct policy_model_zone {
	struct span name;
	struct policy_place at;
	POLICY_MODEL_LIST(struct prefix) prefixes;
	POLICY_MODEL_LIST(uint16_t) vlans;
	enum conf_tri internet;
};

struct policy_model_forbid {
	struct span id, text;
	struct policy_place at;
	struct policy_name from, to;    /* empty text: any */
	uint8_t transport;
	size_t n_ports;
	struct conf_port_range ports[POLICY_MODEL_MAX_PORTS];
};

struct policy_model_window {
	struct span name;
	struct policy_place at;
	struct policy_name device;      /* empty: all */
	uint64_t from_ns, to_ns;
	struct span ticket;
	bool exercise;
	POLICY_MODEL_LIST(struct policy_name) roles;
};

/* What people decided with `spanward device`, `window` and `accept`, in decisions.yaml: laid over what the other files say. */
struct policy_model_swap {              /* one unit stands where another stood */
	struct span was, now, type;     /* type: empty when it is the same */
	struct policy_place at;
	bool has_ip, has_mac;
	struct addr ip;
	struct mac mac;
};

struct policy_model_mode { struct span device; struct policy_place at; enum policy_mode mode; uint64_t until_ns; };

struct policy_model_acceptance {
	struct span id;                 /* of the alert */
	struct policy_place at;
	struct span rule, device, peer;
	uint8_t transport;              /* 0xff: none */
	bool has_port;
	uint16_t port;
	struct span reason, owner;
	uint64_t from_ns, until_ns;
};

struct policy_model {
	POLICY_MODEL_LIST(struct conf_doc *) docs;
	POLICY_MODEL_LIST(char *) memory;               /* paths, CSV texts */
	POLICY_MODEL_LIST(struct policy_model_type) types;
	POLICY_MODEL_LIST(struct policy_model_unit) units;
	POLICY_MODEL_LIST(struct policy_model_default) defaults;
	POLICY_MODEL_LIST(struct policy_model_role) roles;
	POLICY_MODEL_LIST(struct policy_model_zone) zones;
	POLICY_MODEL_LIST(struct prefix) locals;
	POLICY_MODEL_LIST(struct policy_model_forbid) forbids;
	POLICY_MODEL_LIST(struct policy_model_window) windows;
	POLICY_MODEL_LIST(struct policy_name) scanner_windows;
	POLICY_MODEL_LIST(struct policy_model_swap) swaps;
	POLICY_MODEL_LIST(struct policy_model_mode) modes;
	POLICY_MODEL_LIST(struct policy_model_acceptance) acceptances;
	bool has_site, has_inventory;
	struct span site_revision, inventory_revision;
	const char *inventory_file;     /* the last read */
	int utc_offset_min;             /* of the site's clocks, for schedules and for times that people type */
	bool has_utc_offset;            /* it is said */
	bool no_memory;
};

/* Makes *room > n, new elements zeroed; without memory returns `v` as it was, and *room stays. */
void *policy_load_grow(void *v, size_t n, size_t *room, size_t size);
/* Adds a fault at a place. */
void policy_load_fault(const struct policy_place *at, struct conf_report *rep, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "site.yaml:12" of a place, for messages that name two. */
const char *policy_load_where(const struct policy_place *at, char out[static 128]);
/* " (did you mean NAME?)" or "". `names`: n spans, `stride` bytes apart. */
const char *policy_load_hint(struct span word, const struct span *names, size_t n, size_t stride, char out[static 160]);

/* A file as it would be: `text` in place of what `name` in the directory says. */
struct policy_change { const char *name; struct span text; };
/* Reads every file of a directory, for policy_load_changed() with a change. 0, ERR_CONFIG or -errno; the model is to be freed either
 * way. */
int policy_load_dir(const char *dir, struct policy_model *m, struct conf_report *rep);
int policy_load_changed(const char *dir, const struct policy_change *change, struct policy_model *m, struct conf_report *rep);
/* The whole of it compiled and let go: whether the directory would be right with that change. 0, ERR_CONFIG or -errno. */
int policy_load_try(const char *dir, const struct policy_change *change, struct conf_report *rep);
void policy_load_free(struct policy_model *m);

/* One reader per kind of file, each on a parsed document whose name is `file`. 0, ERR_CONFIG or -ENOMEM.
 * They check what one file can know; names in other files are the compiler's to check. */
int policy_types_read(struct policy_model *m, const struct conf_doc *doc, const char *file, struct conf_report *rep);
/* A tree in the long form; it must live as long as the model. `result`: what converting it already gave. */
int policy_long_read(struct policy_model *m, const struct conf_doc *doc, const char *file, struct conf_report *rep, int result);
/* What a peer's host name may be. */
bool policy_long_is_host(struct span s);
/* The long form of a short one: 0 or ERR_CONFIG with *ret (without the rows that are wrong), ERR_CONFIG or -ENOMEM without. */
int policy_short_convert(const struct conf_doc *doc, const char *file, struct conf_doc **ret, struct conf_report *rep);
/* Prints a device type in the long form, keys in the order of docs/profiles.md. 0 or -EIO. */
int policy_write_long(const struct conf_node *form, FILE *to);
/* `spanward profile convert`: a file in either form, printed in the long one. 0, ERR_CONFIG or -errno. */
int policy_write_converted(const char *path, FILE *to, struct conf_report *rep);
/* What was observed has no place in a declaration: faults for every key that says so, at any depth. 0 or ERR_CONFIG. */
int policy_types_refuse_seen(const struct conf_doc *doc, struct conf_report *rep);
/* The version key of every kind of file: `format: spanward/1`. 0 or ERR_CONFIG. */
int policy_types_check_format(const struct conf_doc *doc, struct conf_report *rep);
int policy_site_read(struct policy_model *m, const struct conf_doc *doc, const char *file, struct conf_report *rep);
/* The windows of a map, also in decisions.yaml. 0, ERR_CONFIG or -ENOMEM. */
int policy_site_read_windows(struct policy_model *m, const struct conf_doc *doc, const char *file, const struct conf_node *windows,
			     struct conf_report *rep);
int policy_decisions_read(struct policy_model *m, const struct conf_doc *doc, const char *file, struct conf_report *rep);
/* Swaps before the defaults of the inventory are taken, modes after. 0, ERR_CONFIG or -ENOMEM. */
int policy_decisions_swap(struct policy_model *m, struct conf_report *rep);
int policy_decisions_modes(struct policy_model *m, struct conf_report *rep);
/* What a unit is called now that the files call `name`. */
struct span policy_decisions_now(const struct policy_model *m, struct span name);
int policy_inventory_read(struct policy_model *m, const struct conf_doc *doc, const char *file, struct conf_report *rep);
/* `text` must live as long as the model. */
int policy_inventory_read_csv(struct policy_model *m, struct span text, const char *file, struct conf_report *rep);

/* What units do not say themselves, from the defaults of their type and zone; the first that fits says. 0 or -ENOMEM. */
int policy_inventory_defaults(struct policy_model *m);

/* Resolves every name between the files and lays the table out. 0 with *ret malloc'd, ERR_CONFIG, -ENOMEM. */
int policy_compile_model(const struct policy_model *m, struct policy **ret, struct conf_report *rep);

#endif
