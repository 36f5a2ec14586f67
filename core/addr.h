/* addr.h -- network addresses as values: compared with memcmp, hashed as bytes.
 * IPv4 is kept in its IPv6-mapped form (RFC 4291, 2.5.5.2), so one type serves both.
 */
#ifndef CORE_ADDR_H
#define CORE_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cursor.h"

struct addr { uint8_t b[16]; };
struct mac { uint8_t b[6]; };
struct endpoint { struct addr ip; uint16_t port; };
struct prefix { struct addr ip; uint8_t bits; };        /* bits counted in the 128-bit form */

enum {
	ADDR_STRLEN = 46,               /* with the NUL */
	ADDR_ENDPOINT_STRLEN = 56,      /* "[v6]:65535" with the NUL */
	ADDR_MAC_STRLEN = 18,
};

struct addr addr_from_v4(const uint8_t b[static 4]);
struct addr addr_from_v6(const uint8_t b[static 16]);
bool addr_is_v4(const struct addr *a);
bool addr_is_zero(const struct addr *a);        /* :: or 0.0.0.0 */
bool addr_is_multicast(const struct addr *a);
bool addr_is_broadcast(const struct addr *a);   /* 255.255.255.255 only; a subnet's needs the site file */
bool addr_is_link_local(const struct addr *a);
bool addr_is_loopback(const struct addr *a);
/* Whether it can be the address of one host: not 0, multicast, broadcast or loopback. Of one card: not 0 or a group's. */
bool addr_is_host(const struct addr *a);
bool addr_mac_is_card(const struct mac *m);
/* RFC 1918, RFC 4193, RFC 6598, link-local and loopback: what cannot be the internet. */
bool addr_is_private(const struct addr *a);
int addr_cmp(const struct addr *a, const struct addr *b);

/* Text forms; `out` is always terminated and returned. IPv6 as in RFC 5952. */
const char *addr_str(const struct addr *a, char out[static ADDR_STRLEN]);
const char *addr_endpoint_str(const struct endpoint *e, char out[static ADDR_ENDPOINT_STRLEN]);
const char *addr_mac_str(const struct mac *m, char out[static ADDR_MAC_STRLEN]);

/* Whole text or nothing: 0, or -EINVAL with *ret untouched. */
int addr_parse(struct span text, struct addr *ret);
int addr_parse_endpoint(struct span text, struct endpoint *ret);        /* "1.2.3.4:104", "[::1]:104" */
int addr_parse_mac(struct span text, struct mac *ret);                  /* ':' or '-' between bytes */
/* "10.0.0.0/8", "2001:db8::/32", or a bare address. Host bits set are an error (-ERANGE). */
int addr_parse_prefix(struct span text, struct prefix *ret);
/* An IPv4 address is in no IPv6 prefix, ::/0 included. */
bool addr_in_prefix(const struct addr *a, const struct prefix *p);

#endif
