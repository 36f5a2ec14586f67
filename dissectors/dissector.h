/* dissector.h -- one protocol. Knows bytes and observations; knows nothing of packets, flows,
 * threads, policy or files.
 *
 * A flow has two directions, 0 and 1. Which of them is the client may be unknown (a capture that
 * began mid-stream): a dissector tells by content where it can and must not rely on being told.
 * The engine hands over the bytes of each direction in stream order, without overlaps. Of a UDP flow it hands
 * over datagrams: a protocol of both transports has both sets of functions.
 */
#ifndef DISSECTORS_DISSECTOR_H
#define DISSECTORS_DISSECTOR_H

#include "core/cursor.h"
#include "core/observation.h"
#include "core/siphash.h"
#include "core/token.h"

enum dissect_client { DISSECT_CLIENT_UNKNOWN = -1, DISSECT_CLIENT_0 = 0, DISSECT_CLIENT_1 = 1 };

enum dissect_status {
	DISSECT_OK,             /* `consumed` bytes are done with; call again when there are more */
	DISSECT_MORE,           /* `consumed` are done with; call again when `need` bytes follow them */
	DISSECT_SKIP,           /* `consumed` are done with, and the next `need` are of no interest: the
	                           engine counts them off, held or not, and calls again after them */
	DISSECT_BAD,            /* not this protocol, or broken past repair: stop for this flow */
	DISSECT_DONE,           /* all that was wanted of this flow is known, of both directions: nothing more is handed over,
	                           finish() neither; state and held bytes are given back, the flow keeps its service and
	                           what still comes counts as unread. Unlike BAD it says nothing against the bytes. */
};

struct dissect_result {
	enum dissect_status status;
	size_t consumed;        /* <= the bytes given */
	uint64_t need;          /* MORE: more than the bytes left after `consumed`; SKIP: > 0 */
};

/* Per-worker memory a parse may use while it runs; nothing in it outlives the call, but for `tokens`: keys made of
 * dissect_ctx.tokens, zeroed by whoever makes the scratch. */
struct dissect_scratch {
	struct token_memo tokens;
	struct vocab_scratch vocab;
	uint8_t bytes[64 << 10];
};

struct dissect_ctx {
	unsigned dir;                   /* 0 or 1: whose bytes these are. What is emitted is said of this side: a dissector may
	                                   set the other one while it emits what the other one is the subject of */
	uint16_t port[2];               /* of each side, 0 unknown: a prior, never proof */
	enum dissect_client client;     /* as the engine knows it; a dissector that knows better sets it */
	bool midstream;                 /* the first bytes of this direction were not the stream's first */
	uint64_t ts_ns;                 /* of the packet that brought the last byte */
	struct siphash_key tokens;      /* the site's key, for fields of the class VOCAB_TOKEN (core/token.h) */
	struct dissect_scratch *scratch;
	/* The engine adds packet, file, ts, src, dst and flow, then copies: spans may borrow from the
	 * input and from scratch. */
	void (*emit)(void *arg, struct observation *o);
	void *arg;
};

enum dissect_guess {
	DISSECT_NO,             /* these bytes cannot be this protocol in this direction */
	DISSECT_MAYBE,          /* a prefix of it so far; ask again with more */
	DISSECT_YES,            /* is */
};

enum {
	/* A dialogue of HL7: 64 control ids that wait, and what both sides' headers said. */
	DISSECT_MAX_STATE = 1664,
	DISSECT_REST_MAX = 144,
	DISSECT_PROBE_BYTES = 4096,     /* per direction: enough for any probe (protocols: DICOM 80, HL7 ~200) */
	DISSECT_PROBE_SEGMENTS = 4096,  /* one-byte segments must not end the probing early */
};

struct dissector {
	const char *name;               /* value of the `service` field */
	enum { DISSECT_TCP = 1, DISSECT_UDP = 2 } transports;
	uint16_t ports[8];              /* a prior for the order of probing, never proof; 0 ends */
	size_t state_size;              /* bytes per flow: zeroed, pointer-free, <= DISSECT_MAX_STATE */
	size_t max_message;             /* the engine never holds more than this per direction */
	/* Pure: same bytes, same guess. `head`: the first bytes seen of one direction, from the stream's
	 * start or, with midstream, from wherever capture began. */
	enum dissect_guess (*probe)(struct span head, bool midstream);
	/* Reads whole messages from `in`. Never allocates, logs, blocks or reads a clock. */
	struct dissect_result (*parse)(void *state, struct span in, struct dissect_ctx *ctx);
	/* `n` bytes of ctx->dir were lost (0: unknown number); what was held before them is gone. DISSECT_OK to go on
	 * (parse then sees what follows the gap), DISSECT_BAD to give the flow up. NULL: give up. */
	enum dissect_status (*gap)(void *state, uint64_t n, struct dissect_ctx *ctx);
	/* The direction ended (FIN): `rest` is what was held and not consumed. May be NULL. */
	void (*finish)(void *state, struct span rest, struct dissect_ctx *ctx);
	/* A large state between two messages (both or neither; may be NULL). rest: writes all that is of use of it and says how many
	 * bytes that are; 0: not now. wake: makes a zeroed state of them that behaves as the one they came from did. They are
	 * called between any two of the calls above, or not at all. A state that rests has nothing to say when its direction
	 * ends but of bytes that are held. */
	size_t (*rest)(const void *state, uint8_t ret[static DISSECT_REST_MAX]);
	void (*wake)(void *state, struct span rest);
	/* DISSECT_UDP only: the same for datagrams, each of which is whole and handed over once, alone, in the order of
	 * capture. is_datagram() is asked of a flow's first datagrams until it says yes; one that the capture cut short is
	 * not handed over. datagram() answers OK, DONE or BAD. */
	bool (*is_datagram)(struct span datagram);
	enum dissect_status (*datagram)(void *state, struct span datagram, struct dissect_ctx *ctx);
	size_t datagram_state;          /* bytes per flow as in state_size; 0: none is kept, `state` is NULL */
	bool needs_port;                /* UDP: the shape proves too little, it must also be one of `ports` */
};

extern const struct dissector *const dissector_list[];  /* NULL ends; from list.def */

#endif
