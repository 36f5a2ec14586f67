/* fuzz_guess.c -- payloads for nDPI behind its wrapper: whatever they are, what it takes stays in the flow's slot and its spill. */
#include <stdint.h>
#include <stdlib.h>

#include "sensor/guess.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A byte: TCP or UDP. Then for each payload a byte of direction, the port, the length, its bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct guess *g;
	static struct guess_pool *pool;
	if (!guess_built())
		return 0;
	if (!g && (!(g = guess_new()) || !(pool = guess_pool_new(1))))
		abort();
	struct cursor in = cursor_from((struct span){ data, size });
	bool tcp = cursor_u8(&in) & 1;
	uint16_t slot = guess_pool_take(pool, 0, 0);
	uint8_t label = 0;
	enum guess_said said = GUESS_OPEN;
	for (unsigned i = 0; said == GUESS_OPEN; i++) {
		bool forth = cursor_u8(&in) & 1;
		uint16_t port = cursor_u16be(&in), n = cursor_u16be(&in);
		const struct guess_packet p = { .tcp = tcp, .from_initiator = forth, .src_port = forth ? 40000 : port,
						.dst_port = forth ? port : 40000, .payload = cursor_take(&in, n) };
		if (!cursor_ok(&in))
			break;
		if (i >= GUESS_PACKETS)
			abort();
		said = guess_show(g, pool, slot, &p, &label);
	}
	if (said == GUESS_OPEN)
		said = guess_finish(g, pool, slot, &label);
	if (said == GUESS_NAMED && !guess_name(label))
		abort();
	guess_pool_give(pool, slot);
	if (guess_pool_taken(pool))
		abort();
	return 0;
}
