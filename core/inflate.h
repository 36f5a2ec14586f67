/* inflate.h -- raw deflate (RFC 1951) into a fixed buffer: no allocation, no state between calls, no window but the output.
 *
 * For reading the beginning of compressed bytes, such as a deflated data set (PS3.5 10.5), inside the sandbox: zlib keeps
 * 40 KB per stream and is fastest on bodies that are wanted whole, here a few KB are wanted and a second call with more
 * input begins anew. The output of a prefix of the input is a prefix of the output.
 */
#ifndef CORE_INFLATE_H
#define CORE_INFLATE_H

#include "core/buf.h"
#include "core/cursor.h"

enum inflate_status {
	INFLATE_DONE,           /* the last block ended */
	INFLATE_MORE,           /* the input ended before it */
	INFLATE_FULL,           /* `out` took all it could */
	INFLATE_BAD,            /* not deflate from here on; what came before is in `out` */
};

/* Appends to `out`; distances reach back to where it stood at the call, not further. */
enum inflate_status inflate_raw(struct span in, struct buf *out);

#endif
