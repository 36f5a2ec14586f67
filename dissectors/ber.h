/* ber.h -- Basic Encoding Rules (X.690) with one-byte tags and definite lengths: all that SNMP, LDAP and Kerberos use. */
#ifndef DISSECTORS_BER_H
#define DISSECTORS_BER_H

#include "dissectors/dissector.h"

/* The next tag and its content; false, and a failed cursor, when there is no whole one. */
bool ber_next(struct cursor *c, uint8_t *ret_tag, struct span *ret_value);
/* The next one must have this tag: its content, or a failed cursor. */
struct cursor ber_enter(struct cursor *c, uint8_t tag);
/* Skips what comes before the next `tag`; false when it does not come. */
bool ber_find(struct cursor *c, uint8_t tag, struct span *ret_value);
/* Tag and length at the beginning of `s`. MAYBE: more bytes are needed; YES: *ret_total is the length with its head. */
enum dissect_guess ber_head(struct span s, uint8_t tag, size_t *ret_total);
/* An unsigned INTEGER or ENUMERATED of at most four bytes, or UINT32_MAX. */
uint32_t ber_uint(struct span value);
enum { BER_INTEGER = 2, BER_OCTETS = 4, BER_ENUM = 10, BER_GENERAL = 27, BER_SEQUENCE = 0x30 };

#endif
