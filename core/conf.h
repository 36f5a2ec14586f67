/* conf.h -- strict YAML for what people write: configuration, profiles, inventory, site.
 *
 * Accepted: one document of maps, lists and scalars. Refused, each with file, line and column and
 * what was expected: anchors and aliases, tags, a second document, duplicate keys, a key the table
 * does not name (with the nearest name that it does), a value of another kind, plain yes/no/true/
 * on/off... where the table does not ask for a tri-state or a boolean, control characters, and
 * anything past the limits below. A key whose value is a plain null or ~ counts as not written.
 */
#ifndef CORE_CONF_H
#define CORE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/cursor.h"

enum {
	CONF_MAX_BYTES = 4 << 20,       /* a profile with 60 rows and 240 answers is 40 KiB */
	CONF_MAX_DEPTH = 24,
	CONF_MAX_NODES = 200000,
	CONF_MAX_ERRORS = 20,
	CONF_MAX_PORTS = 64,            /* ranges in one CONF_PORTS */
};

enum conf_kind {
	CONF_TEXT,              /* min..max bytes */
	CONF_UINT,              /* min..max */
	CONF_BOOL,              /* true | false */
	CONF_TRI,               /* yes | no | na | see_note | unknown, quoted or plain */
	CONF_WORD,              /* one of `words` */
	CONF_DATE,              /* 2026-03-20, or a full RFC 3339 time; "" when min is 0 */
	CONF_PORTS,             /* 104, "104", 3333-3334, "104,11112"; 1 to 65535 */
	CONF_ADDR,
	CONF_PREFIX,
	CONF_MAC,
	CONF_DURATION,          /* 30s, 5m, 2h, 90d; min..max seconds */
	CONF_SIZE,              /* 64KiB, 16MiB, 2GiB; min..max bytes */
	CONF_MAP,               /* keys of `keys` */
	CONF_MAP_OF,            /* any key; every value fits keys[0] */
	CONF_LIST,              /* every element fits keys[0]; min..max elements, as in MAP_OF */
	CONF_ANY,               /* kept, not looked into (extensions) */
	CONF_REFUSED,           /* a key that is likely and wrong; `doc` says what to write instead */
	CONF_ONE_OF,            /* the first of keys[] whose node shape (scalar, map, list) is this one's; its
				 * entries have a name only so that the table has an end */
};

struct conf_key {
	const char *name;               /* NULL ends a table; in keys[0] of LIST and MAP_OF any non-NULL text */
	enum conf_kind kind;
	bool required;
	const struct conf_key *keys;
	const char *const *words;       /* NULL-terminated */
	uint64_t min, max;              /* max 0: no bound for numbers, 1024 bytes for texts */
	const char *doc;                /* for the schema and the docs; one line */
};

struct conf_node;                       /* owned by its document */
struct conf_doc;

struct conf_error { unsigned line, column; char file[256]; char what[256]; };
struct conf_report {
	struct conf_error v[CONF_MAX_ERRORS];
	size_t n;                       /* kept in v */
	size_t total;                   /* found; more than n when the table was full */
};

/* Parses; `name` stands in messages. NULL with *rep added to when it does not parse, cannot be read
 * or memory is out. The document is the caller's: conf_free (NULL is fine). */
struct conf_doc *conf_parse(struct span text, const char *name, struct conf_report *rep);
struct conf_doc *conf_read_file(const char *path, struct conf_report *rep);
void conf_free(struct conf_doc *doc);
const struct conf_node *conf_root(const struct conf_doc *doc);

/* What bytes that are no text at all are, as "is a capture (...)", or NULL: what a parser would say of them helps
 * nobody. */
const char *conf_no_text(struct span s);

/* Checks the tree against a table, reporting every fault. 0 or ERR_CONFIG. Afterwards the getters
 * below may be used on what the table named without further tests. */
int conf_check(const struct conf_doc *doc, const struct conf_node *node, const struct conf_key *keys,
	       struct conf_report *rep);
/* Adds a fault of the caller's own at a node ("no such role: pacx; did you mean pacs?"). */
void conf_fault(const struct conf_doc *doc, const struct conf_node *at, struct conf_report *rep,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Every fault in a line "file:line:column: what" (file: what, when it is about the whole file) through log_say(). */
void conf_say(const struct conf_report *rep);
/* The nearest of `words` by edit distance, NULL when none is near enough to be meant. */
const char *conf_nearest(struct span word, const char *const *words, size_t n);

/* Walking. A missing key is NULL, and every getter takes NULL and gives its `otherwise`. */
const struct conf_node *conf_get(const struct conf_node *map, const char *key);
size_t conf_count(const struct conf_node *list_or_map);
const struct conf_node *conf_at(const struct conf_node *list_or_map, size_t i);
struct span conf_key_at(const struct conf_node *map, size_t i);
bool conf_is_map(const struct conf_node *n);
bool conf_is_list(const struct conf_node *n);
bool conf_is_scalar(const struct conf_node *n);
unsigned conf_line(const struct conf_node *n);

enum conf_tri { CONF_TRI_UNKNOWN, CONF_TRI_YES, CONF_TRI_NO, CONF_TRI_NA, CONF_TRI_SEE_NOTE };
struct conf_port_range { uint16_t lo, hi; };

struct span conf_text(const struct conf_node *n, const char *otherwise);
uint64_t conf_uint(const struct conf_node *n, uint64_t otherwise);
bool conf_bool(const struct conf_node *n, bool otherwise);
enum conf_tri conf_tri(const struct conf_node *n);
/* Index into the words of the table, or `otherwise`. */
int conf_word(const struct conf_node *n, const char *const *words, int otherwise);
/* Number of ranges written, at most `max`. */
size_t conf_ports(const struct conf_node *n, struct conf_port_range *ret, size_t max);
bool conf_addr(const struct conf_node *n, struct addr *ret);
bool conf_prefix(const struct conf_node *n, struct prefix *ret);
bool conf_mac(const struct conf_node *n, struct mac *ret);
uint64_t conf_duration_s(const struct conf_node *n, uint64_t otherwise);
uint64_t conf_size_bytes(const struct conf_node *n, uint64_t otherwise);
uint64_t conf_date_ns(const struct conf_node *n, uint64_t otherwise);

#endif
