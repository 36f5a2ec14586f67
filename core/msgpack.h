/* msgpack.h -- the part of MessagePack (github.com/msgpack/msgpack/spec.md) that we speak: unsigned
 * integers, booleans, strings, binaries, arrays and maps, each in its shortest form only, so that
 * equal values have equal bytes.
 *
 * Reading follows the cursor: a wrong kind, a long form or a length past the end fails the cursor,
 * failure is sticky, and every later read yields zero. Spans borrow from the cursor's bytes.
 */
#ifndef CORE_MSGPACK_H
#define CORE_MSGPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/cursor.h"

/* Writers: 0 or -ENOBUFS, as in buf.h. A text, array or map longer than 2^32 - 1 does not occur. */
int msgpack_put_uint(struct buf *b, uint64_t v);
int msgpack_put_bool(struct buf *b, bool v);
int msgpack_put_str(struct buf *b, struct span s);
int msgpack_put_bin(struct buf *b, const void *p, size_t n);
int msgpack_put_array(struct buf *b, uint32_t n);       /* n elements follow */
int msgpack_put_map(struct buf *b, uint32_t n);         /* n pairs follow */

uint64_t msgpack_uint(struct cursor *c);
bool msgpack_bool(struct cursor *c);
struct span msgpack_str(struct cursor *c);              /* bytes; whether they are UTF-8 is for the caller */
struct span msgpack_bin(struct cursor *c);
/* Number of elements or pairs that follow. Not more than the bytes left can hold: else it fails. */
uint32_t msgpack_array(struct cursor *c);
uint32_t msgpack_map(struct cursor *c);
/* Over one value of any kind of the specification, nested as it may be; its form is not judged. */
void msgpack_skip(struct cursor *c);

#endif
