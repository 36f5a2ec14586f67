/* fuzz_stream.c -- segments from the input against a byte-array model of one direction of TCP.
 *
 * Checked: every byte handed on is the first copy that was pushed for its place; bytes and gaps together are
 * all of the stream, in order; held bytes stay as they were; the pool is empty at the end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PLACES = 4096 };

#define CHECK(x)                 \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

struct model {
	uint8_t first[PLACES];          /* first copy of each place */
	uint8_t seen[PLACES];
	uint32_t origin;                /* sequence number of place 0 */
	uint32_t at;                    /* place that comes next */
	uint8_t held[PLACES];
	uint32_t held_n;
};

static void pump(struct stream_pool *p, struct stream *s, struct model *m, struct stream_segment *seg, uint8_t keep)
{
	struct stats st = { 0 };
	struct span bytes;
	uint32_t gap;
	enum stream_kind k;
	/* What may be passed is, now and then. */
	bool pass = keep & 4 && seg->bytes.n && !seg->missing && !seg->flush && stream_is_next(s, seg->seq);
	if (!pass)
		stream_push(p, s, seg, &st);
	for (;; pass = false) {
		if (pass) {
			k = STREAM_BYTES;
			bytes = seg->bytes;
			stream_pass(s, bytes, &st);
			*seg = (struct stream_segment){ 0 };
		} else if ((k = stream_next(p, s, seg, &st, &bytes, &gap)) == STREAM_NOTHING) {
			break;
		}
		if (k == STREAM_FIN)
			continue;
		if (k == STREAM_GAP) {
			CHECK(gap > 0);
			m->at += gap;
			stream_drop(p, s, stream_held_n(p, s));
			m->held_n = 0;
			continue;
		}
		CHECK(bytes.n > 0 && m->at + bytes.n <= PLACES);
		for (size_t i = 0; i < bytes.n; i++) {
			CHECK(m->seen[m->at + i]);
			CHECK(m->first[m->at + i] == bytes.p[i]);
		}
		m->at += (uint32_t)bytes.n;
		if (keep & 1 && stream_hold(p, s, bytes)) {
			memcpy(m->held + m->held_n, bytes.p, bytes.n);
			m->held_n += (uint32_t)bytes.n;
		} else {
			stream_drop(p, s, stream_held_n(p, s));
			m->held_n = 0;
		}
		if (keep & 2 && m->held_n) {
			uint32_t n = 1 + keep % m->held_n;
			stream_drop(p, s, n);
			m->held_n -= n;
			memmove(m->held, m->held + n, m->held_n);
		}
		struct span held = stream_held(p, s);
		CHECK(held.n == m->held_n && (!held.n || !memcmp(held.p, m->held, held.n)));
	}
	CHECK(s->next_seq == m->origin + m->at || !s->started);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model m;
	if (size < 4)
		return 0;
	memset(&m, 0, sizeof(m));
	struct stream_pool *p = stream_pool_new((size_t)(data[0] & 31) * 512);
	struct stream s = { 0 };
	if (!p)
		return 0;
	m.origin = data[1] & 1 ? UINT32_MAX - data[2] : 1000;
	stream_start(&s, m.origin);
	uint8_t version = 0;
	for (size_t i = 3; i + 5 <= size; i += 5) {
		const uint8_t *c = data + i;
		uint32_t place = (uint32_t)(c[1] | c[2] << 8) % PLACES, n = c[3];
		if (c[0] & 0x80)
			n *= 8;
		if (n > PLACES - place)
			n = PLACES - place;
		if ((c[0] & 7) == 7) {
			stream_ack(p, &s, m.origin + place);
			n = 0;
		}
		if ((c[0] & 0x7f) == 6)
			stream_fin(&s, m.origin + place);
		version++;
		uint8_t *exact = malloc(n ? n : 1);
		if (!exact)
			break;
		for (uint32_t b = 0; b < n; b++) {
			/* Every copy is another: what is handed on tells which one it was. */
			exact[b] = (uint8_t)((place + b) * 31 + (c[0] & 8 ? version : 0));
			if (!m.seen[place + b] && !s.finished && place + b >= m.at) {
				m.seen[place + b] = 1;
				m.first[place + b] = exact[b];
			}
		}
		struct stream_segment seg = { .seq = m.origin + place, .bytes = { exact, n } };
		if (c[0] & 0x40 && place + n < PLACES)
			seg.missing = c[4] % (PLACES - place - n);
		pump(p, &s, &m, &seg, c[4]);
		free(exact);
	}
	struct stream_segment end = { .flush = true };
	pump(p, &s, &m, &end, 0);
	stream_clear(p, &s);
	CHECK(!stream_pool_used(p));
	stream_pool_free(p);
	return 0;
}
