/* flow.h -- the flows of one shard: found by key, listed by activity.
 *
 * A fixed number of records, addressed by 32-bit numbers, no pointers. The index has buckets of fifteen slots, each
 * a part of the hash and a number (one cache line); a look-up touches one line of the index and, nearly always, only
 * the record that it wants. Nothing here is O(flows) but flow_sort_made(), for the end.
 */
#ifndef SENSOR_FLOW_H
#define SENSOR_FLOW_H

#include <string.h>

#include "core/addr.h"
#include "core/bytes.h"
#include "core/siphash.h"
#include "sensor/decode.h"

enum { FLOW_NONE = 0xffffffff, FLOW_MAX = 1 << 24 };

/* What the counters of a flow are cut to: 281 TB, and more packets than a year brings. */
#define FLOW_48 ((UINT64_C(1) << 48) - 1)

/* Both directions have the same key: side 0 is the lower (address, port). No padding: hashed as bytes. */
struct flow_key {
	struct addr ip[2];
	uint16_t port[2];
	uint8_t proto;                  /* enum decode_kind: DECODE_TCP, DECODE_UDP, DECODE_SCTP */
	uint8_t space;                  /* sensor/spaces.h */
	uint8_t zero[2];
};

/* Where a flow waits for its timer and for eviction. */
enum flow_list {
	FLOW_CLOSED,                    /* both ends have closed, or a reset: absorbs what comes late */
	FLOW_HALF_OPEN,                 /* TCP: a SYN nobody has answered, or an answer that nobody has acknowledged */
	FLOW_UDP_ASKING,                /* UDP: only one side has spoken, or one question has its answer */
	FLOW_TCP_BARE,                  /* TCP: no data yet, or from the middle and only one side has spoken */
	FLOW_UDP,
	FLOW_TCP,
	FLOW_LISTS
};

/* What belongs to one side of a flow. */
struct flow_side {
	uint64_t packets : 48;          /* it sent */
	uint64_t start_known : 1;       /* TCP: first_seq is known, from the handshake */
	uint64_t end_known : 1;
	uint64_t data : 1;              /* it sent some */
	uint64_t fin : 1;
	uint64_t said_conflict : 1;
	uint64_t mac_by : 2;            /* 0 unknown, 1 from the other side's frames, 2 from its own */
	uint64_t plain : 1;             /* TCP: nothing is left to be learned from its acknowledgements (sensor/shard_tcp.c) */
	uint64_t sum_right : 1, ip_sum_right : 1;       /* it has sent right checksums (sensor/checksum.h): TCP's or UDP's, IPv4's */
	uint64_t bytes : 48;            /* from the IP header on */
	uint32_t first_seq;             /* TCP: of the first data byte */
	uint32_t end_seq;               /* TCP: behind the highest byte seen */
};

/* What a packet touches: two cache lines. */
struct flow {
	struct flow_key key;
	uint64_t last_ns;               /* of the last packet */
	uint64_t last_number : 48;      /* of the last packet in its capture file */
	uint64_t last_file : 16;
	struct flow_side side[2];
	uint32_t queued_s;              /* when it was put in its place in the list, seconds */
	uint32_t reader;                /* what the shard holds to read it: a block of its slab, 0 none */
	uint32_t list : 3;
	uint32_t phase : 2;             /* enum shard_phase */
	uint32_t initiator : 1;         /* side that opened it */
	uint32_t by : 2;                /* how we know: OBSERVATION_BY_... */
	uint32_t midstream : 1, answered : 1, settled : 1, opened : 1, said_service : 1, said_malformed : 1, ended : 1;
	uint32_t unread : 1;            /* for want of room */
	uint32_t service : 8;
	uint32_t client : 2;            /* as the dissector knows it: enum dissect_client, plus one */
	uint32_t asked : 4;             /* UDP: datagrams of each side that were probed, two bits each */
	uint32_t said_early : 1;        /* UDP: the service was told before anybody answered */
	uint32_t resting : 1;           /* of its dissector's state that is kept which is of use between messages */
	uint32_t home;                  /* hash bits that choose the bucket */
	uint32_t newer, older;          /* in its list, by activity */
};

/* What is asked for when a flow begins, when something is wrong with it and when it ends. */
struct flow_rest {
	uint64_t number : 48;           /* of the flow: sequence of the packet that made it, over all files */
	uint64_t vlan : 12;
	uint64_t idle : 4;              /* the longest silence: an index of flow_idle_s(), 0 short */
	uint64_t started_ns;
	uint64_t gap_bytes : 48;        /* stream bytes that were never seen */
	uint64_t conflicts : 16;
	struct mac mac[2];
	uint16_t guess;                 /* slot while a library of others is asked (sensor/guess.h), 0 none */
	uint8_t app, guess_phase;       /* what it said; sensor/shard_guess.c */
};

_Static_assert(sizeof(struct flow) == 128 && sizeof(struct flow_rest) == 40, "what an idle flow takes, with 7.1 bytes of index");

struct flow_table;

/* Key of a packet with a flow, or of the one that an ICMP error quotes; returns the side (0 or 1) that sent it. */
static inline unsigned flow_key_make(const struct decode *d, struct flow_key *ret)
{
	uint64_t a = bytes_u64be(d->src.b), b = bytes_u64be(d->dst.b);
	if (a == b) {                           /* so are those of all IPv4 addresses */
		a = bytes_u64be(d->src.b + 8);
		b = bytes_u64be(d->dst.b + 8);
	}
	unsigned side = a != b ? a > b : d->src_port > d->dst_port;
	ret->ip[side] = d->src;
	ret->ip[!side] = d->dst;
	ret->port[side] = d->src_port;
	ret->port[!side] = d->dst_port;
	ret->proto = (uint8_t)(d->kind == DECODE_ICMP_ERROR ? d->quoted : d->kind);
	ret->space = d->space;
	memset(ret->zero, 0, sizeof(ret->zero));
	return side;
}

enum { FLOW_KEY_WORDS = sizeof(struct flow_key) / sizeof(uint64_t), FLOW_HASH_WORDS = (FLOW_KEY_WORDS + 1) / 2 * 2 + 2 };
_Static_assert(sizeof(struct flow_key) == FLOW_KEY_WORDS * sizeof(uint64_t) && FLOW_KEY_WORDS == 5, "hashed as whole words");

/* A secret for each word of a key, and two to mix with, all made of the 128 bits given. */
struct flow_hash_key { uint64_t k[FLOW_HASH_WORDS]; };
struct flow_hash_key flow_hash_key_make(const struct siphash_key *secret);

/* NH (Black, Halevi, Krawczyk, Krovetz, Rogaway, UMAC, 1999): products of pairs of words, each with its secret added. Two keys that
 * differ meet in its 128 bits with a chance of 2^-64, whoever chose them, as long as he does not know the secrets; and nobody
 * learns of them here, where nothing is ever answered. So the flows of a flood are spread as if they were thrown. One more
 * product, with two more secrets, makes 64 bits of it, each of which depends on all. A fifth of what SipHash takes. The secrets of a
 * replay are known (its output must be the same each time): a capture made for it can crowd one shard and make a replay slow, no
 * more, because keys are compared whole (also in sensor/duplicate.h). */
static inline uint64_t flow_key_hash(const struct flow_hash_key *h, const struct flow_key *key)
{
	__extension__ typedef unsigned __int128 wide;
	const uint8_t *p = (const uint8_t *)key;
	wide sum = (wide)(bytes_load(p) + h->k[0]) * (bytes_load(p + 8) + h->k[1]);
	sum += (wide)(bytes_load(p + 16) + h->k[2]) * (bytes_load(p + 24) + h->k[3]);
	sum += (wide)(bytes_load(p + 32) + h->k[4]) * h->k[5];
	sum = (wide)((uint64_t)sum ^ h->k[6]) * ((uint64_t)(sum >> 64) ^ h->k[7]);
	return (uint64_t)sum ^ (uint64_t)(sum >> 64);
}

/* NULL on ENOMEM. `flows`: 1 .. FLOW_MAX. */
struct flow_table *flow_table_new(size_t flows);
void flow_table_free(struct flow_table *t);     /* NULL is fine */
size_t flow_count(const struct flow_table *t);
/* Number of the flow with this key, FLOW_NONE. `hint`: what flow_prefetch_record() said of this hash, however long ago; or 0. */
uint32_t flow_find(const struct flow_table *t, const struct flow_key *k, uint64_t hash, uint32_t hint);
/* A new flow, zeroed but for its key, in `list`. FLOW_NONE when full. The key is not in the table yet. */
uint32_t flow_add(struct flow_table *t, const struct flow_key *k, uint64_t hash, enum flow_list list, uint64_t now_ns);
void flow_remove(struct flow_table *t, uint32_t i);
struct flow *flow_at(const struct flow_table *t, uint32_t i);
struct flow_rest *flow_rest_at(const struct flow_table *t, uint32_t i);
/* Active now: to the young end of `list`. Within the same list at most once a second of packet time, so that most
 * packets touch no neighbour: the list is in order to within a second. */
void flow_touch(struct flow_table *t, uint32_t i, enum flow_list list, uint64_t now_ns);
uint32_t flow_oldest(const struct flow_table *t, enum flow_list list);  /* FLOW_NONE: empty */
/* Puts all flows into FLOW_CLOSED, in the order of their numbers: for the end, when one after the other is told and
 * removed. */
void flow_sort_made(struct flow_table *t);
/* What a table of so many flows takes. */
size_t flow_table_bytes(size_t flows);
/* Silences are kept in steps: these are what session limits are usually set to (30 s to 2 h), so that "longer than the limit" is exact
 * for them. The greatest step below a silence, 0 when it is short; the seconds of a step. */
unsigned flow_idle_step(uint64_t silence_ns);
unsigned flow_idle_s(unsigned step);
/* The two steps of a look-up that wait for memory, each some packets ahead of the look-up. */
void flow_prefetch_bucket(const struct flow_table *t, uint64_t hash);
uint32_t flow_prefetch_record(const struct flow_table *t, uint64_t hash);       /* a hint for flow_find(), 0 none */
void flow_prefetch_rest(const struct flow_table *t, uint32_t i);
/* Flow i will end, and then the one behind it in its list. */
void flow_prefetch_end(const struct flow_table *t, uint32_t i);

#endif
