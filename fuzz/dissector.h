/* dissector.h -- the fuzz target of a dissector, for FUZZ_DISSECTOR(name) in fuzz_name.c.
 *
 * Input: a byte of options (1: capture began mid-stream; 2: datagrams; bits 2 to 4: segmentation), then records:
 * a byte (bit 0: direction; bits 1 and 2: 0 and 1 bytes follow, 2 a gap, 3 the direction ended), a
 * length in two bytes, big-endian, and for bytes as many of them as the input still has.
 *
 * Beside the contract, which drive.h asserts, it asserts that segmentation changes no observation, and that
 * a probe which decided on a prefix decides the same on all of it.
 */
#ifndef FUZZ_DISSECTOR_H
#define FUZZ_DISSECTOR_H

#include "dissectors/drive.h"

static inline void fuzz_run(struct drive *v, struct span input, size_t segment)
{
	struct cursor c = cursor_from(input);
	while (cursor_left(&c)) {
		uint8_t op = cursor_u8(&c);
		size_t n = cursor_u16be(&c);
		unsigned dir = op & 1;
		switch (op >> 1 & 3) {
		case 2:
			drive_gap(v, dir, n);
			break;
		case 3:
			drive_fin(v, dir);
			break;
		default:
			drive_feed(v, dir, cursor_take(&c, n < cursor_left(&c) ? n : cursor_left(&c)), segment);
			break;
		}
	}
	drive_finish(v);
}

static inline void fuzz_probe(const struct dissector *d, struct span input, bool midstream)
{
	enum { EACH = 128 };
	enum dissect_guess was = DISSECT_MAYBE;
	size_t most = input.n < DISSECT_PROBE_BYTES ? input.n : DISSECT_PROBE_BYTES;
	for (size_t n = 0; n <= most; n = n < EACH || n == most ? n + 1 : most) {
		uint8_t *exact = drive_copy(input.p, n);
		enum dissect_guess is = d->probe((struct span){ exact, n }, midstream);
		free(exact);
		drive_require(d, was == DISSECT_MAYBE || is == was);
		was = is;
	}
}

/* Each record with bytes is a datagram; what a flow's first datagram is does not change what is read of the next. */
static inline void fuzz_datagrams(const struct dissector *d, struct span input)
{
	static struct drive known, asked;
	drive_init(&known, d, DRIVE_KNOWN);
	drive_init(&asked, d, DRIVE_PROBE);
	struct cursor c = cursor_from(input);
	while (cursor_left(&c)) {
		uint8_t op = cursor_u8(&c);
		size_t n = cursor_u16be(&c);
		struct span in = cursor_take(&c, n < cursor_left(&c) ? n : cursor_left(&c));
		drive_datagram(&known, op & 1, in);
		drive_datagram(&asked, op & 1, in);
	}
	drive_done(&known);
	drive_done(&asked);
}

static inline void fuzz_dissector(const struct dissector *d, const uint8_t *data, size_t size)
{
	static const size_t segments[] = { 1, 2, 5, 6, 7, 10, 536, 1448 };
	if (!size || size > 64 << 10)
		return;
	if (d->transports & DISSECT_UDP && (data[0] & 2 || !(d->transports & DISSECT_TCP))) {
		fuzz_datagrams(d, (struct span){ data + 1, size - 1 });
		return;
	}
	unsigned mode = data[0] & 1 ? DRIVE_MIDSTREAM : 0;
	struct span input = { data + 1, size - 1 };
	static struct drive whole, cut, probed;         /* half a megabyte each: mapping them anew takes all the time */
	drive_init(&whole, d, mode);
	drive_init(&cut, d, mode);
	drive_init(&probed, d, mode | DRIVE_PROBE);
	fuzz_run(&whole, input, 0);
	fuzz_run(&cut, input, segments[data[0] >> 2 & 7]);
	fuzz_run(&probed, input, 0);
	if (strcmp(drive_text(&whole), drive_text(&cut)))
		fprintf(stderr, "--- whole\n%s--- cut into %zu\n%s", drive_text(&whole), segments[data[0] >> 2 & 7], drive_text(&cut));
	drive_require(d, !strcmp(drive_text(&whole), drive_text(&cut)));
	drive_require(d, whole.bad == cut.bad && whole.done == cut.done && whole.client == cut.client);
	drive_done(&whole);
	drive_done(&cut);
	drive_done(&probed);
	/* Behind the header of the first record: what a flow would begin with. */
	fuzz_probe(d, span_from(input, 3), mode != 0);
}

#define FUZZ_DISSECTOR(name)                                            \
	extern const struct dissector name##_dissector;                 \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);   \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)    \
	{                                                               \
		fuzz_dissector(&name##_dissector, data, size);          \
		return 0;                                               \
	}

#endif
