/* clock.h -- time as uint64_t nanoseconds since 1970-01-01 UTC, and its text forms. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>

#include "core/cursor.h"

enum { CLOCK_STRLEN = 31 };     /* "2026-11-22T21:46:20.123456789Z" with the NUL */
#define CLOCK_SECOND UINT64_C(1000000000)

/* RFC 3339, UTC, nine decimals. Always terminated and returned. */
const char *clock_str(uint64_t ts_ns, char out[static CLOCK_STRLEN]);
/* RFC 3339 date-time with any offset and 0 to 9 decimals, or a date alone (midnight UTC).
 * 0, or -EINVAL with *ret_ns untouched. Refuses impossible dates. */
int clock_parse(struct span text, uint64_t *ret_ns);
/* Wall clock and monotonic clock, for live capture and logs only. */
uint64_t clock_now_ns(void);
uint64_t clock_mono_ns(void);

#endif
