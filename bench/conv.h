/* conv.h -- conversations as packets: a list of turns (who speaks, which bytes), cut into segments, with handshake, acknowledgements
 * and FINs, checksums right, written to a capture.
 */
#ifndef BENCH_CONV_H
#define BENCH_CONV_H

#include <stdio.h>

#include "bench/put.h"

enum { CONV_TURN_MAX = 32 << 10 };
enum { CONV_FIN = 1, CONV_SYN = 2, CONV_RST = 4, CONV_PSH = 8, CONV_ACK = 16 };

struct conv;
typedef int conv_turn_fn(struct conv *c);       /* makes the next turn; 0: there is none */

struct conv {
	uint64_t when_ns;
	conv_turn_fn *turn;
	unsigned step, rounds, size;            /* of the script */
	uint32_t client, server;                /* numbers of hosts */
	uint16_t port[2];
	uint8_t proto, v6, vlan;
	uint8_t state;                          /* 0 SYN, 1 SYN-ACK, 2 ACK, 3 data, 4 FIN, 5 FIN back, 6 last ACK */
	uint8_t dir, acks_due;
	uint32_t seq[2];
	const uint8_t *at;                      /* what is left of the turn */
	size_t left;
	uint16_t message;                       /* DICOM message id, HL7 counter */
	struct put own;
	uint8_t held[2048];                     /* a packet that comes late (reordering) */
	uint32_t held_n;
};

/* Begins the capture. 0, or -1. With `lossy` the mirror loses packets, and some come late. */
int conv_open(const char *path, int lossy);
/* Ends it. 0, or -1. */
int conv_close(void);
uint64_t conv_packets(void);
/* What was put into `own` is the turn, and the side `dir` speaks. */
void conv_turn_is(struct conv *c, unsigned dir);
/* One packet of that side. */
void conv_packet(struct conv *c, unsigned dir, unsigned flags, const uint8_t *p, size_t n);
/* The next packet of a conversation, and when the one after it comes; 0 when it is over. */
int conv_step(struct conv *c);

#endif
