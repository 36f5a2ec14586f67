/* conf_make.h -- trees of conf.h that no file was parsed for: importers and converters build them, conf_write() prints
 * them, conf_check() and the getters read them as any other.
 *
 * A node is added under a parent: with its key in a map, without one (an empty span) in a list. Texts are copied.
 * `like` lends its line and column, so that a fault found in a tree that was converted points into the file it came
 * from; NULL: none. A NULL parent gives NULL, so that calls nest; whether anything failed is asked once at the end.
 */
#ifndef CORE_CONF_MAKE_H
#define CORE_CONF_MAKE_H

#include <stdio.h>

#include "core/conf.h"

/* A document whose root is an empty map; `name` stands in messages. NULL when memory is out; conf_free(). */
struct conf_doc *conf_make(const char *name, const struct conf_node *like);
struct conf_node *conf_make_root(struct conf_doc *doc);
/* False when memory was out, or more than CONF_MAX_NODES were added. */
bool conf_make_ok(const struct conf_doc *doc);

struct conf_node *conf_make_map(struct conf_doc *doc, struct conf_node *parent, struct span key, const struct conf_node *like);
struct conf_node *conf_make_list(struct conf_doc *doc, struct conf_node *parent, struct span key, const struct conf_node *like);
/* A text (quoted when printed), and a number or true or false (printed bare). */
struct conf_node *conf_make_text(struct conf_doc *doc, struct conf_node *parent, struct span key, struct span text,
				 const struct conf_node *like);
struct conf_node *conf_make_plain(struct conf_doc *doc, struct conf_node *parent, struct span key, const char *text,
				  const struct conf_node *like);
/* A whole branch of any document; NULL when `from` is NULL. */
struct conf_node *conf_make_copy(struct conf_doc *doc, struct conf_node *parent, struct span key,
				 const struct conf_node *from);

/* conf_write.c: prints a tree as YAML that conf_parse() reads back as the same tree, keys in the order of the table (NULL:
 * as they stand), what the table does not name after them. 0 or -EIO. */
int conf_write(const struct conf_node *root, const struct conf_key *keys, FILE *to);
/* conf_schema.c: the table as JSON Schema (2020-12), for editors and other programs. Where YAML 1.1 readers see a number or a
 * boolean in what is a text here, both are allowed. 0 or -EIO. */
int conf_schema(const struct conf_key *keys, const char *title, const char *description, FILE *to);

#endif
