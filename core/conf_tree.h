/* conf_tree.h -- what the files of conf.h share: the tree, faults being gathered, texts read as values. */
#ifndef CORE_CONF_TREE_H
#define CORE_CONF_TREE_H

#include <stdarg.h>

#include "core/conf.h"
#include "core/escape.h"

enum conf_shape { CONF_SHAPE_SCALAR, CONF_SHAPE_MAP, CONF_SHAPE_LIST };

struct conf_node {
	enum conf_shape shape;
	bool plain;                     /* a scalar without quotes */
	unsigned line, column;          /* 1-based; of the value */
	unsigned key_line, key_column;
	bool key_plain;
	struct span key, text;          /* own memory */
	struct conf_node **child;
	size_t n, cap;
};

enum { CONF_CHUNK_NODES = 256 };
struct conf_chunk {
	struct conf_chunk *next;
	size_t n;
	struct conf_node v[CONF_CHUNK_NODES];
};

struct conf_doc {
	char name[ESCAPE_NAME];
	struct conf_node *root;
	struct conf_chunk *chunks;      /* of nodes */
	size_t nodes;
	bool failed;                    /* conf_make.c: memory or room for nodes was out */
};

/* conf_make.c: a zeroed node of the document; NULL when memory is out. Hangs one under another: false likewise. */
struct conf_node *conf_make_node(struct conf_doc *doc);
bool conf_make_child(struct conf_node *parent, struct conf_node *n);

/* conf_report.c: faults. */
enum { CONF_REPORT_QUOTE = 48 };        /* bytes of the operator's words repeated in a message */
/* The operator's own words in quotes: short, and without what a terminal would obey. */
const char *conf_report_quote(struct span s, char out[static CONF_REPORT_QUOTE + 8]);
void conf_report_vadd(const char *file, unsigned line, unsigned column, struct conf_report *rep, const char *fmt, va_list ap)
	__attribute__((format(printf, 5, 0)));
void conf_report_add(const char *file, unsigned line, unsigned column, struct conf_report *rep, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* conf_slip.c: slips of the keyboard. */
enum { CONF_SLIP = 128 };
/* What is wrong in the lines `from` (or the last before `to` that is not empty) to `to`, counted from 0, and where; NULL when nothing is
 * found. */
const char *conf_slip_near(struct span text, size_t from, size_t to, size_t *ret_line, size_t *ret_column, char what[static CONF_SLIP]);
/* What may be wrong with a key that nobody knows, to be put behind the message; "" when nothing is. */
const char *conf_slip_key(struct span key);
/* Whether it has full-width letters, digits or signs. */
bool conf_slip_wide(struct span s);

/* conf_value.c: each reader takes the text of a scalar; 0 or -EINVAL, *ret untouched. */
struct conf_value_unit { const char *name; uint64_t is; };
extern const struct conf_value_unit conf_value_durations[], conf_value_sizes[];        /* a name of NULL ends */
extern const char *const conf_value_tri_words[];
bool conf_value_is_null(const struct conf_node *n);
/* What YAML 1.1 readers take for a boolean, in any case of letters. */
bool conf_value_looks_boolean(struct span s);
/* Decimal digits without sign or leading zeros (YAML 1.1 would read 010 as eight). */
int conf_value_uint(struct span s, uint64_t *ret);
int conf_value_unit(struct span s, const struct conf_value_unit *units, uint64_t *ret);
/* "104", "3333-3334", "104,11112", "104, 3333-3334". The number of ranges, or -EINVAL; stores at most `max`. */
int conf_value_ports(struct span s, struct conf_port_range *ret, size_t max);
/* Index in `words`, which NULL ends, or -1. */
int conf_value_word(struct span s, const char *const *words);

#endif
