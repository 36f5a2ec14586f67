/* losses.h -- what was not seen, by host: what concerns one device concerns its port or its VLAN, what concerns all the mirror.
 *
 * A table of fixed size for hosts that lost something; when it is full the host that lost least gives way, and what it lost is
 * kept in the sum of the rest. One thread; nothing here depends on the number of workers.
 */
#ifndef SENSOR_LOSSES_H
#define SENSOR_LOSSES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/addr.h"
#include "core/siphash.h"

enum losses_kind {
	LOSSES_GAP_BYTES,               /* stream bytes of its flows that were never seen, or not kept for want of room */
	LOSSES_FLOWS_EVICTED,           /* its flows that were ended early to make room */
	LOSSES_FLOWS_UNREAD,            /* its flows that were not read for want of room */
	LOSSES_KINDS
};
enum { LOSSES_TOLD = 64 };

struct losses_host {
	struct addr ip;
	uint8_t space;                  /* sensor/spaces.h */
	uint64_t n[LOSSES_KINDS];       /* so far */
	uint64_t said[LOSSES_KINDS];    /* kept by whoever says it */
};

struct losses;

struct losses *losses_new(const struct siphash_key *key);       /* NULL on ENOMEM */
size_t losses_bytes(void);              /* what losses_new takes */
void losses_free(struct losses *l);     /* NULL is fine */
void losses_take(struct losses *l, const struct addr *ip, uint8_t space, enum losses_kind kind, uint64_t n);
/* The hosts that lost most of a kind, most first, then by address and space; at most LOSSES_TOLD. What all others lost is *ret_rest. */
size_t losses_top(struct losses *l, enum losses_kind kind, struct losses_host *ret[static LOSSES_TOLD], uint64_t *ret_rest);
const char *losses_name(enum losses_kind kind);

#endif
