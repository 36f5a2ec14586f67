/* shard.h -- one of the logical shards: its flows, timers, streams, probing and dissecting.
 *
 * A shard belongs to one worker at a time and shares nothing with others, so that what it does depends on
 * its own packets and the watermark only, whatever the number of workers. All memory is taken by shard_new.
 *
 * Who opened a TCP flow is known from its SYN or SYN-ACK; else from the dissector's content; else from the
 * ports: the side with a port below 1024 or of a dissector's list listens (the lower one when both have
 * such a port), else the receiver of the first packet does. UDP: the sender of the first packet opened it.
 *
 * flow.open: TCP when the answer is acknowledged, at the first data after it, or at the first packet with data when the
 * beginning was not captured (or the SYN itself carries data); UDP at the first packet. flow.service: once, for flows with data: when the
 * protocol is recognised or nothing recognises it; for UDP with the answer, or at the end without one, or when eight
 * datagrams were not answered: then once more with the answer, if it comes.
 * flow.end: always; late packets of a closed flow are absorbed for SHARD_LINGER_NS.
 */
#ifndef SENSOR_SHARD_H
#define SENSOR_SHARD_H

#include "dissectors/dissector.h"
#include "sensor/decode.h"
#include "sensor/flow.h"
#include "sensor/guess.h"
#include "sensor/order.h"
#include "sensor/stats.h"

/* Observations that one packet, or one shard's timers at one batch boundary, may make: 64 KiB, three times the
 * largest DICOM A-ASSOCIATE-RQ seen (123 contexts). More are dropped and counted: a batch cannot outgrow its buffer. */
enum { SHARD_OUTPUT = 64 << 10 };
/* Retransmissions, the last ACK and data in flight come within a few round trips. */
#define SHARD_LINGER_NS UINT64_C(5000000000)

struct spaces;

struct shard_config {
	uint32_t id;
	size_t flows, stream_bytes, probes, states;     /* this shard's share */
	size_t guesses;                 /* flows that nDPI is asked about at a time; 0: none is */
	uint64_t tcp_idle_ns, udp_idle_ns, half_open_ns;
	const struct dissector *const *dissectors;      /* NULL ends; kept */
	const struct order *order;      /* of these dissectors, for many shards one; kept; NULL: the shard makes its own */
	struct siphash_key tokens;      /* for what leaves as a token (core/token.h) */
	const struct spaces *spaces;    /* for their names; kept; NULL: there are none */
};

struct shard_packet {
	const struct decode *d;         /* with a flow (DECODE_TCP, DECODE_UDP, DECODE_SCTP), or DECODE_ICMP_ERROR */
	struct flow_key key;
	unsigned side;                  /* of the key, that sent it */
	uint64_t hash;
	uint64_t seq;                   /* over all files, from 1 */
	uint64_t ts_ns;                 /* never before an earlier packet's */
	uint64_t number;                /* in its file, from 1 */
	uint32_t file;                  /* 0: there is only one */
	uint32_t hint;                  /* by shard_expect_flow(); 0: it was not asked */
};

/* Where a worker puts packed observations, and what its dissectors may use while they run. */
struct shard_out {
	struct buf bytes;               /* records: struct shard_record, then the observation as vocab_pack() has it */
	struct dissect_scratch scratch;
	struct guess *guess;            /* of this worker; NULL: nDPI is not asked */
};

struct shard_record {
	uint64_t seq;                   /* of the packet; SHARD_TIMERS: after all packets of the batch */
	uint32_t shard;
	uint32_t n;                     /* packed bytes */
};
#define SHARD_TIMERS UINT64_MAX

struct shard;

struct shard *shard_new(const struct shard_config *c);  /* NULL on ENOMEM */
size_t shard_bytes(const struct shard_config *c);       /* what shard_new takes, all of it */
void shard_free(struct shard *h);                       /* NULL is fine */
/* A packet with this hash will come: what it is looked up by is fetched into the cache, and one step later the flow that was
 * found, which the packet then has a hint of. Changes nothing else. */
void shard_expect(const struct shard *h, uint64_t hash);
void shard_expect_flow(const struct shard *h, struct shard_packet *p);
void shard_expect_reader(const struct shard *h, const struct shard_packet *p);  /* and one later, what reads it */
/* `out` has SHARD_OUTPUT bytes of room for each of these calls. */
void shard_packet(struct shard *h, struct shard_out *out, const struct shard_packet *p);
/* Ends what has been idle too long at this packet time; what finds no room in SHARD_OUTPUT waits for the next call. */
void shard_timers(struct shard *h, struct shard_out *out, uint64_t watermark_ns);
/* End of capture, no packet follows: number of the flow made first of those that are left (false: none), and its end. */
bool shard_first_flow(struct shard *h, uint64_t *ret_number);
void shard_end_first_flow(struct shard *h, struct shard_out *out);
const struct stats *shard_stats(const struct shard *h);
size_t shard_flows(const struct shard *h);
/* Reads the next record of an output: true, with *at moved on. `ret_bytes` borrows from the buffer. */
bool shard_record_next(const struct shard_out *out, size_t *at, struct shard_record *ret, struct span *ret_bytes);

#endif
