/* attempts.h -- who is flooded and who scans, from the connection attempts that nobody answered.
 *
 * Two tables of fixed size, one by target and one by source; what is counted least gives way, so that ten million
 * invented sources cost no memory and do not push out the one host that scans. Fed by one thread in the order of
 * observations: what is said does not depend on the number of workers.
 *
 * A scan: a source tries many different (address, port) pairs in vain. A flood: a target gets very many attempts
 * that come to nothing, whoever sends them. What a scan explains is not counted towards a flood.
 *
 * Once a scan is said, further probes of that source are the scan's, for as long as it goes on and ATTEMPTS_SCAN_WINDOW_NS
 * longer, and at least until it would be said again: they are counted and told with it (attempts_next), not one by one. An attempt is
 * known as one when it has ended, up to minutes later. So what the policy says of a flow that nobody has answered yet waits for its
 * end or an answer when its source scans, or has begun as many such flows as a scan has (attempts_waits).
 *
 * A scan explains nothing else, so that nobody hides behind one, be it his own or made in another's name:
 * - not what carries more than a probe does: that counts towards floods only;
 * - not what is tried again and again, from the ATTEMPTS_TRIES-th time on, with less than ATTEMPTS_TRIES_NS between two;
 * - not what bears another hardware address than most of that scan's attempts did when it was said, unless both are routers'.
 * - not what comes behind ATTEMPTS_CARRIED bytes that its probes brought to the same host, with less than ATTEMPTS_TRIES_NS between two.
 * What was tried is in tables of fixed size too: somebody who tries thousands of others in between is not found out.
 */
#ifndef SENSOR_ATTEMPTS_H
#define SENSOR_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/addr.h"
#include "core/siphash.h"

enum {
	/* Attempts begun within ATTEMPTS_FLOOD_WINDOW_NS. A hospital server that is down is called by tens of clients a
	 * second, not by a hundred; the smallest flood that fills a listen queue (128 of 64 s) is larger. */
	ATTEMPTS_FLOOD = 1000,
	/* Different pairs within ATTEMPTS_SCAN_WINDOW_NS, estimated with 256 bits: 64 set bits are about 73 pairs. A
	 * client with a long list of servers that are down stays below. */
	ATTEMPTS_SCAN_BITS = 64,
	/* A scanner asks again when nobody answers (nmap: up to ten times when it loses packets, mostly once), the same flow or another. */
	ATTEMPTS_TRIES = 8,
	/* Of all ports nmap asks some tens with a payload, of some tens of bytes each. */
	ATTEMPTS_CARRIED = 1 << 16,
};
#define ATTEMPTS_FLOOD_WINDOW_NS UINT64_C(10000000000)
#define ATTEMPTS_SCAN_WINDOW_NS UINT64_C(300000000000)
#define ATTEMPTS_TRIES_NS UINT64_C(3600000000000)

enum attempts_what {
	ATTEMPTS_NOTHING,               /* an attempt like any other */
	ATTEMPTS_SCAN, ATTEMPTS_FLOOD_BEGINS,   /* to be said now */
	ATTEMPTS_FOLDED,                /* belongs to a scan or flood that was said */
};

/* A flow that came to nothing. */
struct attempts_try {
	struct addr src, dst;
	uint64_t started_ns;
	uint16_t port;
	uint8_t transport;
	bool probe;                     /* it carried away nothing, or next to nothing */
	uint32_t carried;               /* bytes that are no headers; 0 if that is not known */
	bool known, routed;             /* whether `mac`, of frames from `src`, was seen; whether it is a router's */
	struct mac mac;
};

/* What a scan came to since it was last said. */
struct attempts_scan {
	struct addr src;
	uint64_t count, first_ns, last_ns;      /* attempts; when they began, from the one that was said on */
	uint8_t transport;                      /* of the one that was said */
	uint8_t space;                          /* of its source */
};

struct attempts;

/* `again_ns`: a scan or flood that goes on is said again after so long. NULL on ENOMEM. */
struct attempts *attempts_new(const struct siphash_key *key, uint64_t again_ns);
size_t attempts_bytes(void);            /* what attempts_new takes */
void attempts_free(struct attempts *a); /* NULL is fine */
/* The addresses that follow are of that space (sensor/spaces.h). */
void attempts_in(struct attempts *a, uint8_t space);
/* `ret_count`: attempts that led to what is said; of a scan that is said again, since then. `ret_explains`: a scan stands for that flow
 * as well; else what the policy says of the flow is told. */
enum attempts_what attempts_take(struct attempts *a, const struct attempts_try *t, uint64_t *ret_count, bool *ret_explains);
/* A flow that nobody has answered yet, and that no declaration explains: whether what is to be said of it waits. */
bool attempts_waits(struct attempts *a, const struct addr *src, const struct addr *dst, uint16_t port, uint64_t ts_ns);
/* Whether a scan of that source was said, goes on, and has the same hardware address. With that, whether the flow is none that is tried
 * again and again; it counts as a try, once. */
bool attempts_scans(struct attempts *a, const struct attempts_try *t);
bool attempts_explains(struct attempts *a, const struct attempts_try *t);
/* Whether probes brought that host more than ATTEMPTS_CARRIED. */
bool attempts_carried(struct attempts *a, const struct attempts_try *t);
/* The next scan, from *at (0) on, that was said so long ago (again_ns) and went on since; that counts as said then. `ts_ns`
 * UINT64_MAX: all that went on. False when there is none. */
bool attempts_next(struct attempts *a, size_t *at, uint64_t ts_ns, struct attempts_scan *ret);

#endif
