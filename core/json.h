/* json.h -- writing JSON (RFC 8259) into a buf.
 *
 * The writer keeps no state: whether a comma is due is read off the last byte written, so a caller
 * opens with buf_u8(b, '{') or '[', calls these, and closes with buf_u8(b, '}') or ']'. What leaves
 * here is valid UTF-8 without control characters, whatever the text was.
 * Each: 0, or -ENOBUFS (the buf is full and the caller rewinds it).
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

/* A comma, unless this is the first thing in its object or array. Before each element of an array. */
int json_next(struct buf *b);
/* "key": with the comma before it when one is due. The key is ours, but is escaped all the same. */
int json_key(struct buf *b, const char *key);
/* A string with its quotes. Control characters become \uXXXX, what is no UTF-8 becomes U+FFFD. */
int json_string(struct buf *b, struct span s);
int json_str(struct buf *b, const char *s);
int json_uint(struct buf *b, uint64_t v);
int json_int(struct buf *b, int64_t v);
int json_bool(struct buf *b, bool v);

#endif
