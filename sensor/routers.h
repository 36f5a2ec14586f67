/* routers.h -- hardware addresses that stand for hosts of several networks: a router's, a wireless controller's. Behind one every
 * packet bears the same address, so it says nothing about who sent it.
 *
 * Fixed memory, one thread. An address is a router's once ROUTERS_HOSTS hosts of at least two networks (/24, /64) were seen with it; a
 * host with an address in each of two networks is not one. What was seen longest ago is forgotten.
 */
#ifndef SENSOR_ROUTERS_H
#define SENSOR_ROUTERS_H

#include <stdbool.h>

#include "core/addr.h"
#include "core/siphash.h"

enum { ROUTERS_HOSTS = 4, ROUTERS_ENTRIES = 1 << 13 };

struct routers;

/* What routers_new() takes. */
size_t routers_bytes(void);
struct routers *routers_new(const struct siphash_key *key);    /* NULL on ENOMEM */
void routers_free(struct routers *r);                           /* NULL is fine */
/* A host was seen with a hardware address. True when that makes it a router's. */
bool routers_take(struct routers *r, const struct mac *mac, const struct addr *ip);
bool routers_is(struct routers *r, const struct mac *mac);
/* Another number once routers_is() may answer otherwise than before. */
uint32_t routers_turn(const struct routers *r);

#endif
