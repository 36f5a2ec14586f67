/* guess.h -- nDPI, asked what a flow carries that no recogniser of ours knows.
 *
 * Told by content only, out of the list in guess.def: the library sees the payloads and the ports of a flow between two
 * addresses of documentation, so that nothing can be guessed from who talks, and a guess by port does not count. At most
 * GUESS_PACKETS payloads of a flow. It allocates while it works: all of that is in memory of a fixed size, which a flow gets
 * with its slot and gives back whole. What finds no room there ends the asking about that flow and is counted.
 *
 * One struct guess per thread; slots may be used with any of them: what is said of a flow depends on its payloads alone.
 */
#ifndef SENSOR_GUESS_H
#define SENSOR_GUESS_H

#include <stdint.h>

#include "core/cursor.h"

enum {
	GUESS_PACKETS = 8,
	GUESS_SLOT = 4096,              /* what a flow may take: its record, and what is allocated for it */
	GUESS_PAYLOAD = 1460,           /* bytes of a payload that are shown */
};

/* Who has said something and then nothing for so long keeps no slot that another flow wants: half a minute is longer than a
 * person takes to answer a prompt. */
#define GUESS_QUIET_NS UINT64_C(30000000000)

enum guess_said { GUESS_OPEN, GUESS_NAMED, GUESS_NOTHING, GUESS_EXHAUSTED };

struct guess;
struct guess_pool;

struct guess_packet {
	bool tcp, from_initiator;
	uint16_t src_port, dst_port;
	uint64_t ts_ns;
	struct span payload;
};

bool guess_built(void);                 /* the library was there when this was compiled */
struct guess *guess_new(void);          /* NULL on ENOMEM, or without the library */
void guess_free(struct guess *g);       /* NULL is fine */
size_t guess_bytes(void);               /* what guess_new takes */

/* Slots of the flows that are being asked about. */
struct guess_pool *guess_pool_new(size_t slots);        /* NULL on ENOMEM */
void guess_pool_free(struct guess_pool *p);             /* NULL is fine */
size_t guess_pool_bytes(size_t slots);
/* For the flow `owner`, at that packet time. From 1; 0: all are taken. */
uint16_t guess_pool_take(struct guess_pool *p, uint32_t owner, uint64_t now_ns);
void guess_pool_shown(struct guess_pool *p, uint16_t slot, uint64_t now_ns);    /* its flow has said something */
/* The slot whose flow has been silent longest, when that is GUESS_QUIET_NS and more: *ret_owner is to give it back. 0: none. */
uint16_t guess_pool_quiet(const struct guess_pool *p, uint64_t now_ns, uint32_t *ret_owner);
void guess_pool_give(struct guess_pool *p, uint16_t slot);
size_t guess_pool_taken(const struct guess_pool *p);

/* Shows one payload. GUESS_NAMED sets *ret (guess_name()); after anything but GUESS_OPEN give the slot back. */
enum guess_said guess_show(struct guess *g, struct guess_pool *p, uint16_t slot, const struct guess_packet *pk, uint8_t *ret);
/* No more payloads will come: GUESS_NAMED or GUESS_NOTHING. */
enum guess_said guess_finish(struct guess *g, struct guess_pool *p, uint16_t slot, uint8_t *ret);
const char *guess_name(uint8_t label);  /* from 1; NULL for what is none */

#endif
