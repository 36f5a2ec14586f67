/* msgpack.h -- the part of MessagePack (github.com/msgpack/msgpack/spec.md) that we speak: unsigned
 * integers, booleans, strings, binaries, arrays and maps, each in its shortest form only, so that
 * equal values have equal bytes.
 *
 * Reading follows the cursor: a wrong kind, a long form or a length past the end fails the cursor,
 * failure is sticky, and every later read yields zero. Spans borrow from the cursor's bytes.
 */
#ifndef CORE_MSGPACK_H
#define CORE_MSGPACK_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/cursor.h"

/* First bytes, spec.md "Overview". */
enum {
	MSGPACK_FIXMAP = 0x80, MSGPACK_FIXARRAY = 0x90, MSGPACK_FIXSTR = 0xa0,
	MSGPACK_NIL = 0xc0, MSGPACK_UNUSED = 0xc1, MSGPACK_FALSE = 0xc2, MSGPACK_TRUE = 0xc3,
	MSGPACK_BIN8 = 0xc4, MSGPACK_BIN16 = 0xc5, MSGPACK_BIN32 = 0xc6, MSGPACK_EXT8 = 0xc7, MSGPACK_EXT16 = 0xc8, MSGPACK_EXT32 = 0xc9,
	MSGPACK_FLOAT32 = 0xca, MSGPACK_FLOAT64 = 0xcb,
	MSGPACK_UINT8 = 0xcc, MSGPACK_UINT16 = 0xcd, MSGPACK_UINT32 = 0xce, MSGPACK_UINT64 = 0xcf,
	MSGPACK_INT8 = 0xd0, MSGPACK_INT16 = 0xd1, MSGPACK_INT32 = 0xd2, MSGPACK_INT64 = 0xd3,
	MSGPACK_FIXEXT1 = 0xd4, MSGPACK_FIXEXT16 = 0xd8,
	MSGPACK_STR8 = 0xd9, MSGPACK_STR16 = 0xda, MSGPACK_STR32 = 0xdb,
	MSGPACK_ARRAY16 = 0xdc, MSGPACK_ARRAY32 = 0xdd, MSGPACK_MAP16 = 0xde, MSGPACK_MAP32 = 0xdf,
	MSGPACK_NEGATIVE = 0xe0,
};

/* The number, into memory that has MSGPACK_UINT_MAX bytes; where the next thing goes. */
enum { MSGPACK_UINT_MAX = 9 };
static inline uint8_t *msgpack_at_uint(uint8_t *to, uint64_t v)
{
	if (v < 0x80) {
		*to = (uint8_t)v;
		return to + 1;
	}
	if (v <= UINT8_MAX) {
		to[0] = MSGPACK_UINT8;
		to[1] = (uint8_t)v;
		return to + 2;
	}
	if (v <= UINT16_MAX) {
		uint16_t w = htobe16((uint16_t)v);
		*to = MSGPACK_UINT16;
		memcpy(to + 1, &w, sizeof(w));
		return to + 3;
	}
	if (v <= UINT32_MAX) {
		uint32_t w = htobe32((uint32_t)v);
		*to = MSGPACK_UINT32;
		memcpy(to + 1, &w, sizeof(w));
		return to + 5;
	}
	uint64_t w = htobe64(v);
	*to = MSGPACK_UINT64;
	memcpy(to + 1, &w, sizeof(w));
	return to + 9;
}

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
