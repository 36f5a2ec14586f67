/* flow.h -- the flows of one shard: found by key, listed by activity and by creation.
 *
 * A fixed number of records, addressed by 32-bit numbers, no pointers. The index has buckets of eight
 * tagged slots (one cache line); a look-up touches one line of the index and, nearly always, only the
 * record that it wants. Nothing here is O(flows).
 */
#ifndef SENSOR_FLOW_H
#define SENSOR_FLOW_H

#include "core/addr.h"
#include "core/siphash.h"
#include "sensor/decode.h"

enum { FLOW_NONE = 0xffffffff, FLOW_MAX = 1 << 24 };

/* Both directions have the same key: side 0 is the lower (address, port). No padding: hashed as bytes. */
struct flow_key {
	struct addr ip[2];
	uint16_t port[2];
	uint8_t proto;                  /* enum decode_kind: DECODE_TCP, DECODE_UDP, DECODE_SCTP */
	uint8_t zero[3];
};

/* Where a flow waits for its timer and for eviction. */
enum flow_list {
	FLOW_CLOSED,                    /* both ends have closed, or a reset: absorbs what comes late */
	FLOW_HALF_OPEN,                 /* TCP: a SYN nobody has answered */
	FLOW_UDP_ASKING,                /* UDP: only one side has spoken */
	FLOW_UDP,
	FLOW_TCP,
	FLOW_LISTS
};

struct flow {                           /* two cache lines; what changes rarely is kept by the shard */
	struct flow_key key;
	uint32_t newer, older;          /* in its list, by activity */
	uint32_t made_next, made_prev;  /* all flows, by creation */
	uint64_t last_ns;               /* of the last packet */
	uint64_t last_number;           /* of the last packet in its capture file */
	uint64_t packets[2], bytes[2];  /* by side; bytes from the IP header on */
	uint64_t number;                /* of the flow: sequence of the packet that made it, over all files */
	uint32_t home;                  /* hash bits that choose the bucket */
	uint32_t queued_s;              /* when it was put in its place in the list, seconds */
	uint32_t end_seq[2];            /* TCP: behind the highest byte seen of each side */
	uint32_t last_file;
	uint8_t list;
};

struct flow_table;

/* Key of a packet with a flow, or of the one that an ICMP error quotes; returns the side (0 or 1) that sent it. */
unsigned flow_key_make(const struct decode *d, struct flow_key *ret);
uint64_t flow_key_hash(const struct siphash_key *secret, const struct flow_key *k);

/* NULL on ENOMEM. `flows`: 1 .. FLOW_MAX. */
struct flow_table *flow_table_new(size_t flows);
void flow_table_free(struct flow_table *t);     /* NULL is fine */
size_t flow_count(const struct flow_table *t);
/* Number of the flow with this key, FLOW_NONE. */
uint32_t flow_find(const struct flow_table *t, const struct flow_key *k, uint64_t hash);
/* A new flow, zeroed but for its key, in `list` and last in order of creation. FLOW_NONE when full. The key is not
 * in the table yet. */
uint32_t flow_add(struct flow_table *t, const struct flow_key *k, uint64_t hash, enum flow_list list, uint64_t now_ns);
void flow_remove(struct flow_table *t, uint32_t i);
struct flow *flow_at(const struct flow_table *t, uint32_t i);
/* Active now: to the young end of `list`. Within the same list at most once a second of packet time, so that most
 * packets touch no neighbour: the list is in order to within a second. */
void flow_touch(struct flow_table *t, uint32_t i, enum flow_list list, uint64_t now_ns);
uint32_t flow_oldest(const struct flow_table *t, enum flow_list list);  /* FLOW_NONE: empty */
/* First in order of creation; FLOW_NONE: none. */
uint32_t flow_first_made(const struct flow_table *t);

#endif
