/* duplicate.h -- packets that a mirror delivers twice, recognised within a moment and counted once.
 *
 * A mirror of two ports, or of both sides of a router, gives each packet once per port. The copy may differ in hardware
 * addresses, VLAN, TTL and the IPv4 header's checksum, because a router changed them; everything else is the same. Here
 * compared: ends, ports, protocol and direction, IPv4 identification, length, the transport's checksum (which covers the
 * payload), and for TCP sequence, acknowledgement, window and flags.
 *
 * What a sender sends again is something else. The rule:
 *   - with an identification: a copy, if it comes within DUPLICATE_NS. Who retransmits numbers the packet anew, and not
 *     before his timer, which is 200 ms and more everywhere (RFC 6298, 2.4: one second);
 *   - without one (IPv6; 0, as RFC 6864 allows): a copy within DUPLICATE_PLAIN_NS, and only if it carries payload, SYN or
 *     FIN and a checksum: the same acknowledgement three times in a row is TCP's own language (RFC 5681, 3.2).
 * Who forges a packet alike down to its checksum is counted as a copy; the first one is read either way.
 *
 * One table per shard, written by every packet: direct-mapped, a collision forgets the older packet and so at worst
 * misses a copy.
 */
#ifndef SENSOR_DUPLICATE_H
#define SENSOR_DUPLICATE_H

#include "sensor/decode.h"

/* A switch and a router take microseconds; a mirror's queue that is full takes a few milliseconds. */
#define DUPLICATE_NS UINT64_C(5000000)
#define DUPLICATE_PLAIN_NS UINT64_C(1000000)

/* A shard's packets of DUPLICATE_NS at 800,000 packets a second; 1 KiB a shard stays in the cache. */
enum { DUPLICATE_SLOTS = 64 };

struct duplicate { struct { uint64_t tag, ts_ns; } slots[DUPLICATE_SLOTS]; };   /* begins zeroed */

/* True when *d, of the flow with this hash and from this side of it, is a copy; else it is remembered. */
static inline bool duplicate_seen(struct duplicate *t, const struct decode *d, uint64_t flow_hash, unsigned side, uint64_t ts_ns)
{
	if (!d->ip_id && (!d->checksum || (!d->payload_wire && !(d->flags & (DECODE_SYN | DECODE_FIN)))))
		return false;
	/* Multiplication by odd numbers, and folding what went up back down (as in SplitMix64). */
	uint64_t tag = flow_hash ^ ((uint64_t)d->seq << 32 | d->ack);
	tag = (tag ^ tag >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	tag += (uint64_t)d->ip_id << 48 | (uint64_t)d->checksum << 32 | (uint64_t)d->window << 16 | (uint64_t)d->flags << 8 | side;
	tag = (tag ^ tag >> 27) * UINT64_C(0x94d049bb133111eb);
	tag += (uint64_t)d->payload_wire << 8 | d->kind;
	tag = (tag ^ tag >> 31) * UINT64_C(0x9e3779b97f4a7c15);
	tag |= 1;                               /* 0 is an empty slot */
	size_t i = tag >> 58;
	_Static_assert(DUPLICATE_SLOTS == 64, "six bits choose the slot");
	if (t->slots[i].tag == tag && ts_ns - t->slots[i].ts_ns <= (d->ip_id ? DUPLICATE_NS : DUPLICATE_PLAIN_NS))
		return true;
	t->slots[i].tag = tag;
	t->slots[i].ts_ns = ts_ns;
	return false;
}

#endif
