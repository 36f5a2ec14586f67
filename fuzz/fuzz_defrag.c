/* fuzz_defrag.c -- fragments from the input, many of few datagrams with little room.
 *
 * Checked: what comes out begins with its first fragment's header and holds the bytes of the fragment that completed it;
 * every byte of it can be read; what it decodes to keeps decode.h's promises; and the ledger closes at the end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "sensor/defrag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                 \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

enum { IDS = 4, BYTES = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct siphash_key key = { 3, 4 };
	if (!size)
		return 0;
	struct defrag *g = defrag_new((size_t)(data[0] & 7) + 1, &key);
	if (!g)
		return 0;
	uint64_t ts_ns = 1000 * CLOCK_SECOND;
	struct cursor in = cursor_from((struct span){ data + 1, size - 1 });
	while (cursor_left(&in) >= 5) {
		/* Which, flags; where in units; how long; time. */
		uint8_t who = cursor_u8(&in), clock = cursor_u8(&in);
		uint16_t unit = cursor_u16be(&in);
		uint8_t n = cursor_u8(&in);
		size_t have = n < cursor_left(&in) ? n : cursor_left(&in);
		struct span bytes = cursor_take(&in, have);
		uint8_t *exact = malloc(have ? have : 1);
		if (!exact)
			break;
		if (have)
			memcpy(exact, bytes.p, have);
		struct decode d = {
			.kind = DECODE_FRAGMENT, .payload = { exact, have }, .payload_wire = (uint32_t)have + (who >> 7),
			.truncated = who >> 7,
			.fragment = { .id = who & (IDS - 1), .offset = (uint16_t)((unit & 0x1fff) * 8), .more = who & 4,
				      .v6 = who & 8, .proto = who & 16 ? 17 : 6, .header = who & 8 ? 0 : 20 },
		};
		d.src.b[15] = 1;
		struct span whole = { 0 };
		uint8_t proto = 0;
		if (defrag_add(g, &d, ts_ns, &whole, &proto)) {
			CHECK(whole.n && whole.n < BYTES && (proto == 17 || proto == 6));
			CHECK(!d.fragment.offset && d.fragment.id == (who & (IDS - 1)) && d.fragment.v6 == !!(who & 8));
			/* This fragment completed it, so its bytes are new there, or were there alike (IPv6: never both). */
			size_t at = (size_t)(unit & 0x1fff) * 8;
			CHECK(at + have <= whole.n);
			if (who & 8)
				CHECK(!memcmp(whole.p + at, exact, have));
			uint8_t *copy = malloc(whole.n);
			if (copy)
				memcpy(copy, whole.p, whole.n);
			free(copy);
			decode_datagram(&d, proto, whole);
			CHECK(d.counter < STATS_COUNTERS && d.payload.n <= d.payload_wire);
		}
		ts_ns += (uint64_t)(clock & 0x7f) * CLOCK_SECOND / 8;
		if (clock & 0x80)
			defrag_release(g, ts_ns);
		free(exact);
	}
	defrag_finish(g);
	CHECK(!stats_ledger_open(defrag_stats(g), STATS_LEDGER_FRAGMENTS));
	defrag_free(g);
	return 0;
}
