/* utf8.h -- UTF-8 as RFC 3629 admits it: shortest forms, no surrogates, nothing past U+10FFFF. */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cursor.h"

/* The character at the start of `s` (which must not be empty): its length, 1 to 4, and *ret_cp. When the
 * bytes are none: minus the length of the bad part, -1 to -3, which one U+FFFD stands for (Unicode 15.0,
 * 3.9, "maximal subpart"); *ret_cp is untouched. */
int utf8_next(struct span s, uint32_t *ret_cp);
bool utf8_valid(struct span s);
/* C0, DEL, C1, line and paragraph separators, and the characters that reorder text (U+202A to U+202E,
 * U+2066 to U+2069): they move the cursor or disguise what a person reads. */
bool utf8_is_control(uint32_t cp);

#endif
