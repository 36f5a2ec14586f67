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
 * One table per shard, written by every packet: direct-mapped, a packet that falls on another's place forgets it and so at worst
 * misses a copy. What is compared stands in the table itself, and the flow by its number, not by a hash of either: whoever knows
 * the secrets of a replay's hashes can make packets meet in one place, but not be taken for each other.
 */
#ifndef SENSOR_DUPLICATE_H
#define SENSOR_DUPLICATE_H

#include "sensor/decode.h"

/* A switch and a router take microseconds; a mirror's queue that is full takes a few milliseconds. */
#define DUPLICATE_NS UINT64_C(5000000)
#define DUPLICATE_PLAIN_NS UINT64_C(1000000)

/* A shard's packets of DUPLICATE_NS at 800,000 packets a second; 2 KiB a shard stays in the cache. */
enum { DUPLICATE_SLOTS = 64, DUPLICATE_USED = 0x80 };

struct duplicate_slot { uint64_t numbers, rest, flow, ts_ns; };

struct duplicate {              /* begins zeroed */
	struct duplicate_slot slots[DUPLICATE_SLOTS], none, *last;
};

static inline uint64_t duplicate_flow_word(const struct decode *d, uint32_t flow)
{
	return (uint64_t)flow << 32 | ((uint64_t)d->payload_wire & 0xffffff) << 8 | DUPLICATE_USED | (uint64_t)d->kind;
}

/* True when *d, of this flow (its number, FLOW_NONE before it has one) and from this side of it, is a copy; else it is remembered.
 * `flow_hash` chooses the place. */
static inline bool duplicate_seen(struct duplicate *t, const struct decode *d, uint64_t flow_hash, uint32_t flow, unsigned side,
				  uint64_t ts_ns)
{
	t->last = &t->none;
	if (!d->ip_id && (!d->checksum || (!d->payload_wire && !(d->flags & (DECODE_SYN | DECODE_FIN)))))
		return false;
	const struct duplicate_slot now = {
		.numbers = (uint64_t)d->seq << 32 | d->ack,
		.rest = (uint64_t)d->ip_id << 48 | (uint64_t)d->checksum << 32 | (uint64_t)d->window << 16 |
			(uint64_t)d->flags << 8 | side,
		.flow = duplicate_flow_word(d, flow),
		.ts_ns = ts_ns,
	};
	/* The highest bits of a product depend on all bits of what is multiplied, on the lowest most (as in SplitMix64). */
	uint64_t place = (flow_hash ^ now.numbers) + now.rest;
	place = (place ^ place >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 58;
	_Static_assert(DUPLICATE_SLOTS == 64, "six bits choose the place");
	struct duplicate_slot *s = &t->slots[place];
	if (s->numbers == now.numbers && s->rest == now.rest && s->flow == now.flow &&
	    ts_ns - s->ts_ns <= (d->ip_id ? DUPLICATE_NS : DUPLICATE_PLAIN_NS))
		return true;
	*s = now;
	t->last = s;
	return false;
}

/* The packet that was asked about last, *d, has begun this flow: its copy will be of it. */
static inline void duplicate_begins(struct duplicate *t, const struct decode *d, uint32_t flow)
{
	t->last->flow = duplicate_flow_word(d, flow);
}

#endif
