/* shard_run.h -- what the files of the shard share; nobody else includes it.
 *
 * shard.c: a packet and a timer. shard_flow.c: flows begin and end. shard_tcp.c: TCP. shard_udp.c: UDP. shard_read.c: probing and
 * dissecting. shard_say.c: observations. shard_guess.c: nDPI. shard_icmp.c: what ICMP errors quote.
 */
#ifndef SENSOR_SHARD_RUN_H
#define SENSOR_SHARD_RUN_H

#include "sensor/duplicate.h"
#include "sensor/order.h"
#include "sensor/shard.h"
#include "sensor/slab.h"
#include "sensor/stream.h"

enum shard_phase {
	SHARD_PHASE_QUIET,            /* no data yet */
	SHARD_PHASE_PROBING,          /* holds a probe slot; the first bytes of both directions are held */
	SHARD_PHASE_DISSECTING,       /* holds a state */
	SHARD_PHASE_DONE,             /* nothing more is read */
};

enum { SHARD_SERVICE_NONE, SHARD_SERVICE_UNKNOWN, SHARD_SERVICE_RECOGNISED = 2, SHARD_SERVICE_DISSECTED = 64 };

/* What a flow holds while it is read; the dissector's state follows, or, while the flow is resting, the number of bytes that are
 * kept of it and those. */
struct shard_reader {
	struct stream s[2];
	union {
		struct {                /* SHARD_PHASE_DISSECTING */
			uint64_t skip : 40;     /* bytes of no interest still to come */
			uint64_t need : 24;     /* bytes the dissector wants before it is called again */
		};
		struct {                /* SHARD_PHASE_PROBING */
			uint16_t probe_segments;
			uint8_t probe_at;       /* place in the order of probing */
		};
	} d[2];
};

_Static_assert(sizeof(struct shard_reader) == 48, "what a flow holds to be read, without its dissector's state");

/* Longest SKIP and MORE; a message of a terabyte is none. */
#define SHARD_SKIP_MAX ((UINT64_C(1) << 40) - 1)
#define SHARD_NEED_MAX ((UINT64_C(1) << 24) - 1)

struct shard {
	struct shard_config c;
	uint64_t idle_ns[FLOW_LISTS];   /* a flow of that list ends after so long without a packet */
	struct flow_table *table;
	struct stream_pool *pool;
	struct slab *slab;              /* readers with their states */
	size_t n_dissectors;
	const struct order *order;
	struct order *own_order;        /* NULL when it was given */
	struct guess_pool *guesses;     /* NULL: nDPI is not asked */
	size_t probing, dissecting;
	struct duplicate duplicate;
	bool general;                   /* tests: no packet takes the short way (shard_tcp.c) */
	bool ending;                    /* the flows have been put in order for the end */
	struct stats st;
};

/* One call: what is being worked on. */
struct shard_run {
	struct shard *h;
	struct shard_out *out;
	size_t mark;                    /* where the output of this packet begins */
	uint64_t seq;                   /* tag of the output */
	uint64_t ts_ns, number;         /* of the packet that observations name */
	uint32_t file;
	uint32_t i;
	struct flow *f;
	struct shard_reader *c;         /* NULL: nothing is read of this flow, not yet or not any more */
	struct dissect_ctx *ctx;        /* while a dissector runs */
	struct span head;               /* what was probed last, of the side head_dir */
	unsigned head_dir;
};

static inline struct flow_rest *shard_rest(const struct shard_run *r) { return flow_rest_at(r->h->table, r->i); }

/* What the shard itself says is of its own making: set where it stands, not held to the tables. Only what is present is read of an
 * observation, so only that which says what is present begins at zero. */
#define SHARD_SAY(o, field, value)                                                                                        \
	((o)->field = (value),                                                                                            \
	 (o)->head.present[OBSERVATION_F_##field >> 6] |= UINT64_C(1) << (OBSERVATION_F_##field & 63))

static inline void shard_say_begin(struct observation *o, enum observation_type type)
{
	o->head = (struct vocab_head){ .type = (uint16_t)type };
}

/* shard_say.c */
void shard_say_put(struct shard_run *r, const struct observation *o);
void shard_say_place(const struct shard_run *r, struct observation *o, unsigned from);
struct span shard_say_service_name(const struct shard_run *r);
uint64_t shard_say_transport(const struct shard_run *r);
/* What flow.open, flow.service and flow.end have in common. src is the side that opened the flow. */
void shard_say_flow(const struct shard_run *r, enum observation_type type, struct observation *o);
void shard_say_open(struct shard_run *r);
void shard_say_service(struct shard_run *r);
void shard_say_malformed(struct shard_run *r, unsigned dir, uint64_t reason);
void shard_say_conflict(struct shard_run *r, unsigned dir);

/* shard_read.c */
void shard_read_start(struct shard_run *r, bool data);  /* the first data of a flow, or a FIN without any */
void shard_read_resume(struct shard_run *r);            /* r->c by r->f */
void shard_read_drain(struct shard_run *r, unsigned dir, struct stream_segment *seg);
void shard_read_next(struct shard_run *r, unsigned dir, struct span bytes);    /* given that stream_is_next() */
void shard_read_finish(struct shard_run *r, unsigned dir);      /* the direction has ended */
void shard_read_datagram(struct shard_run *r, const struct shard_packet *p);    /* with data */
void shard_read_give_up(struct shard_run *r);           /* nothing recognises it */
void shard_read_rest(struct shard_run *r);              /* what a dissector needs between messages only is all that is kept */
void shard_read_stop(struct shard_run *r);              /* nothing more is read: everything it holds goes back */

/* shard_flow.c */
void shard_flow_create(struct shard_run *r, const struct shard_packet *p);
void shard_flow_start_at(struct shard_run *r, unsigned side, uint32_t seq);
struct shard_run shard_flow_run(const struct shard_run *r, uint32_t i); /* for another flow: observations name its last packet */
void shard_flow_end(struct shard_run *r, uint64_t why);
/* Nothing was heard of the flow for so long: shorter ones need not be told. */
#define SHARD_SILENCE_NS UINT64_C(30000000000)
void shard_flow_silence(struct shard_run *r, uint64_t ns);
void shard_flow_retire(const struct shard_run *r, uint32_t i, uint64_t why);    /* ends it, if it has not ended yet, and forgets it */

/* shard_guess.c: whether nDPI is asked about the flow; a payload for it; no more will come; what it said, when it may be told. */
bool shard_guess_begin(struct shard_run *r);
void shard_guess_show(struct shard_run *r, unsigned dir, struct span payload);
void shard_guess_end(struct shard_run *r);
void shard_guess_tell(struct shard_run *r);

/* shard_udp.c */
void shard_udp_packet(struct shard_run *r, const struct shard_packet *p);

/* shard_tcp.c */
void shard_tcp_packet(struct shard_run *r, const struct shard_packet *p);
bool shard_tcp_is_another(const struct flow *f, const struct shard_packet *p);

/* shard_icmp.c */
void shard_icmp_error(struct shard_run *r, const struct shard_packet *p);       /* r->i: the flow it is about, or FLOW_NONE */

#endif
