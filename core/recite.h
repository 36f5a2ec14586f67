/* recite.h -- an encoded record said as JSON in one walk over its bytes, without a record between.
 *
 * What comes out is what vocab_decode() and vocab_json() make of the same bytes, and what they refuse is refused. The walk takes
 * only what it has checked itself, each value against its field, and only what nearly every record is made of; whatever else it
 * meets it leaves to those two, from the first byte on. A value that is byte for byte the last one of its field needs no second
 * look: it is said as it was said then.
 */
#ifndef CORE_RECITE_H
#define CORE_RECITE_H

#include "core/vocab.h"

struct recite;

/* NULL on ENOMEM. `v` is kept, and has at most 64 types. */
struct recite *recite_new(const struct vocab *v);
void recite_free(struct recite *r);             /* NULL is fine */
/* Records of this type are left to the caller. */
void recite_leave(struct recite *r, unsigned type);
/* Appends the JSON of the one record that `bytes` hold. 0; 1 for a type that is left: nothing is said, nothing is judged; -EBADMSG
 * for what vocab_decode() refuses, and for bytes behind the record; -ENOBUFS when `out` has no room, or none to spare: a walk
 * wants 1 KiB more than it needs. `out` is as it was unless 0 is returned. */
int recite_record(struct recite *r, struct span bytes, struct buf *out);

#endif
