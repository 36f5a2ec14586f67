/* plain.h -- what the dissectors of ordinary services share: text that is admitted only when it fits, lines. */
#ifndef DISSECTORS_PLAIN_H
#define DISSECTORS_PLAIN_H

#include "dissectors/dissector.h"

/* Sets a text that fits its field's grammar, cut to its length; leaves the field out otherwise, for what other people wrote
 * into a banner need not be kept at any price. */
bool plain_text(struct observation *o, enum observation_field f, struct span s);
/* Where `what` (ASCII, lower case) begins in `s`, letters of either case; SIZE_MAX when it does not occur. */
size_t plain_find(struct span s, const char *what);
static inline bool plain_has(struct span s, const char *what) { return plain_find(s, what) != SIZE_MAX; }
/* Whether `s` begins with `what`, exactly; MAYBE when it is a proper prefix of it. */
enum dissect_guess plain_begins(struct span s, const char *what);
/* Bytes up to and with the first LF, 0 when there is none; *ret_line is without CR LF. */
size_t plain_line(struct span in, struct span *ret_line);
/* The value of a header line "name: value" among the lines of `s`; `name` in lower case with its colon. */
bool plain_header(struct span s, const char *name, struct span *ret);
static inline bool plain_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static inline struct dissect_result plain_ok(size_t consumed) { return (struct dissect_result){ DISSECT_OK, consumed, 0 }; }
static inline struct dissect_result plain_more(uint64_t need) { return (struct dissect_result){ DISSECT_MORE, 0, need }; }
static inline struct dissect_result plain_done(size_t consumed) { return (struct dissect_result){ DISSECT_DONE, consumed, 0 }; }
static inline struct dissect_result plain_bad(void) { return (struct dissect_result){ DISSECT_BAD, 0, 0 }; }

/* Tells who is the client by what dir has just said. */
static inline void plain_from(struct dissect_ctx *ctx, bool client)
{
	ctx->client = (enum dissect_client)(client ? ctx->dir : !ctx->dir);
}

#endif
