/* policy_build.h -- a policy table while it is made: the sections that grow, the texts and citations in them, names found
 * in the model. One file per part of the table; policy_compile.c puts them together. Lives in the parent only.
 *
 * Faults go to the report and leave `result` ERR_CONFIG, memory that is out leaves -ENOMEM; then indices may be
 * POLICY_NONE and the table is not laid out.
 */
#ifndef RULES_POLICY_BUILD_H
#define RULES_POLICY_BUILD_H

#include "core/err.h"
#include "rules/policy_model.h"

/* The beginning of a text for "%.*s" of a message. */
#define POLICY_BUILD_SHOW(s) (int)((s).n > 64 ? 64 : (s).n), (const char *)(s).p

/* Bounds of the event fields that repeat these texts (core/event.def). */
enum {
	POLICY_BUILD_MAX_DOCUMENT = 96,
	POLICY_BUILD_MAX_REVISION = 32,
	POLICY_BUILD_MAX_ROW = 64,
	POLICY_BUILD_MAX_SAID = 64,
	POLICY_BUILD_MAX_NAME = 64,
};

struct policy_build_name { struct span name; uint32_t index; };

struct policy_build_variant {           /* rows of a type with the same options enabled */
	uint32_t type, rowset;
	uint64_t enabled[POLICY_MODEL_MAX_ROWS / 64];
};

struct policy_build_select { struct policy_slot slot; const struct policy_select *from; };
struct policy_build_ae { struct policy_ae ae; };

struct policy_build {
	const struct policy_model *m;
	struct conf_report *rep;
	int result;
	struct { uint8_t *v; size_t n, room; } s[POLICY_SECTIONS];      /* n, room: records */
	uint32_t *interned;             /* hash of texts: 1 + index in `texts` */
	size_t n_interned;
	POLICY_MODEL_LIST(struct policy_text) texts;
	struct policy_build_name *types, *units, *roles, *zones;
	uint32_t *row_cites;            /* of every row of every type, type after type */
	uint32_t *row_mores;            /* likewise: records of POLICY_S_MORES */
	uint32_t *row_first;            /* a type's first in row_cites */
	uint32_t *control_first;        /* a type's first record of POLICY_S_CONTROLS */
	uint32_t cite_inventory;
	POLICY_MODEL_LIST(struct policy_build_variant) variants;
	POLICY_MODEL_LIST(struct policy_build_select) selects;
	POLICY_MODEL_LIST(struct policy_build_select) macs;
	POLICY_MODEL_LIST(struct policy_build_ae) aes;
};

#define POLICY_BUILD_FAULT(b, place, ...)                                  \
	do {                                                               \
		policy_load_fault((place), (b)->rep, __VA_ARGS__);         \
		(b)->result = ERR_CONFIG;                                  \
	} while (0)

/* A new record of a section, zeroed; NULL when memory is out. It may move when the next one is added. */
void *policy_build_add(struct policy_build *b, unsigned section, uint32_t *ret_index);
/* A text of the table, kept once however often it is said; _cut: its first `max` bytes in whole characters. */
struct policy_text policy_build_text(struct policy_build *b, struct span s);
struct policy_text policy_build_text_cut(struct policy_build *b, struct span s, size_t max);
/* Index of a citation. */
uint32_t policy_build_cite(struct policy_build *b, enum event_authority authority, struct span document, struct span revision,
			 struct span row, struct span said);
/* A path without its directories. */
struct span policy_build_base_name(const char *file);

/* The model's names in order, so that find_name() halves; the caller's: free(). `stride`: from one to the next. */
struct policy_build_name *policy_build_sort_names(struct policy_build *b, const struct span *first, size_t n, size_t stride);
#define POLICY_BUILD_SORT(b, list, field) \
	policy_build_sort_names((b), (list).n ? &(list).v[0].field : NULL, (list).n, sizeof((list).v[0]))
/* Index of a name, POLICY_NONE when there is none; the others report it at `at`, with the nearest. */
uint32_t policy_build_find_name(const struct policy_build_name *v, size_t n, struct span name);
uint32_t policy_build_find_role(struct policy_build *b, struct span name, const struct policy_place *at);
uint32_t policy_build_find_zone(struct policy_build *b, struct span name, const struct policy_place *at);
uint32_t policy_build_find_unit(struct policy_build *b, struct span name, const struct policy_place *at);
uint32_t policy_build_find_type(struct policy_build *b, struct span name, const struct policy_place *at);
#define POLICY_BUILD_HINT(list, field, word, out) \
	policy_load_hint((word), (list).n ? &(list).v[0].field : NULL, (list).n, sizeof((list).v[0]), (out))
/* Whether an AE title can be one (PS3.5 6.2), and whose it is. */
void policy_build_check_title(struct policy_build *b, struct span t, const struct policy_place *at);
void policy_build_add_title(struct policy_build *b, struct span title, uint32_t device, uint64_t roles);

/* policy_build_site.c: roles, zones, networks, windows; what the site forbids, once units are known. */
void policy_build_site(struct policy_build *b);
void policy_build_forbids(struct policy_build *b);

/* policy_build_life.c: what the documents say of a type's life, limits and controls; the windows of the site. */
struct policy_build_peers { uint64_t roles; uint32_t prefix_first; uint16_t prefix_n; uint8_t flags; };
void policy_build_life(struct policy_build *b, const struct policy_model_type *t, struct policy_type *rec);
uint32_t policy_build_limits(struct policy_build *b, const struct policy_model_type *t, const struct policy_model_row *r,
			     uint32_t row_cite);
/* The control of the type that protects a row; POLICY_NONE. */
uint32_t policy_build_control_of(const struct policy_build *b, uint32_t type, struct span row);
void policy_build_windows(struct policy_build *b);
void policy_build_acceptances(struct policy_build *b);

/* policy_build_types.c: a device type, and the rows in force for one unit of it. */
void policy_build_type(struct policy_build *b, uint32_t index);
uint32_t policy_build_type_cite(struct policy_build *b, const struct policy_model_type *t, struct policy_source s,
				struct span said);
struct policy_build_peers policy_build_peers(struct policy_build *b, const struct policy_peer *v, size_t n);
uint32_t policy_build_rowset(struct policy_build *b, const struct policy_model_unit *u, uint32_t type);
/* Appends to out[*len..room), cut where it ends; all that is written so far. */
struct span policy_build_fmt(char *out, size_t room, size_t *len, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* policy_build_addresses.c: whose an address is. Selectors are gathered, checked for two units with one address, and
 * become hash tables and ranges. */
void policy_build_selects(struct policy_build *b, const struct policy_model_unit *u, uint32_t device);
void policy_build_check_selects(struct policy_build *b, struct policy_build_select *v, size_t n);
void policy_build_slots(struct policy_build *b);
void policy_build_macs(struct policy_build *b);
void policy_build_ranges(struct policy_build *b);

#endif
