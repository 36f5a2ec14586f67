#include "core/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"

static uint8_t payload[200];

static struct frame batch(void)
{
	return (struct frame){ .type = FRAME_BATCH, .lane = 1, .sensor_len = 7, .sensor = "sensor1", .epoch = 3,
	                       .seq = 41, .count = 2, .payload = { payload, 10 } };
}

/* Encodes, changes one byte unless `at` is negative, decodes from blocks of the exact size. */
static int turn(const struct frame *f, int at, uint8_t byte, struct frame *ret)
{
	uint8_t head[FRAME_HEADER_LEN];
	struct buf b = buf_over(head, sizeof(head));
	CU_ASSERT(frame_encode(f, &b) == 0 && b.len == FRAME_HEADER_LEN);
	if (at >= 0)
		head[at] = byte;
	uint8_t *h = malloc(sizeof(head)), *p = malloc(f->payload.n ? f->payload.n : 1);
	memcpy(h, head, sizeof(head));
	memcpy(p, f->payload.p, f->payload.n);
	int r = frame_decode((struct span){ h, sizeof(head) }, (struct span){ p, f->payload.n }, ret);
	free(h);
	free(p);
	return r;
}

static void header_has_the_documented_bytes(void)
{
	static const uint8_t want[FRAME_HEADER_LEN] = {
		'S', 'P', 'W', '1', 3, 1, 0, 0, 's', 'e', 'n', 's', 'o', 'r', '1', 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 41, 0, 0, 0, 2, 0, 0, 0, 10,
	};
	uint8_t head[FRAME_HEADER_LEN];
	struct buf b = buf_over(head, sizeof(head));
	struct frame f = batch();
	CU_ASSERT(frame_encode(&f, &b) == 0 && !memcmp(head, want, sizeof(want)));
	b = buf_over(head, sizeof(head) - 1);
	CU_ASSERT(frame_encode(&f, &b) == -ENOBUFS && b.len == 0 && !b.full);
}

static void frames_survive_encoding_and_decoding(void)
{
	static const struct { enum frame_type type; uint8_t lane; uint32_t count; size_t n; } good[] = {
		{ FRAME_HELLO, FRAME_NO_LANE, 0, 16 }, { FRAME_WELCOME, FRAME_NO_LANE, 0, 16 }, { FRAME_BATCH, 0, 1, 3 },
		{ FRAME_BATCH, 1, 50, 150 }, { FRAME_ACK, 0, 0, 0 }, { FRAME_ACK, 1, 0, 0 },
		{ FRAME_HEARTBEAT, FRAME_NO_LANE, 0, 48 }, { FRAME_HEARTBEAT, FRAME_NO_LANE, 0, 0 },
		{ FRAME_BYE, FRAME_NO_LANE, 0, 0 }, { FRAME_LOST, 1, UINT32_MAX, 0 },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct frame got, f = { .type = good[i].type, .lane = good[i].lane, .count = good[i].count,
		                        .sensor_len = 16, .sensor = "abcdefghijklmnop", .epoch = UINT64_MAX, .seq = 9,
		                        .payload = { payload, good[i].n } };
		CU_ASSERT(turn(&f, -1, 0, &got) == 0);
		CU_ASSERT(got.type == f.type && got.lane == f.lane && got.count == f.count && got.epoch == f.epoch);
		CU_ASSERT(got.seq == 9 && got.payload.n == f.payload.n && got.sensor_len == 16);
		CU_ASSERT_STRING_EQUAL(got.sensor, "abcdefghijklmnop");
	}
}

static void every_prefix_and_a_longer_header_are_refused(void)
{
	uint8_t head[FRAME_HEADER_LEN + 1] = { 0 };
	struct buf b = buf_over(head, sizeof(head));
	struct frame got, f = batch();
	CU_ASSERT(frame_encode(&f, &b) == 0);
	for (size_t n = 0; n <= sizeof(head); n++) {
		uint8_t *h = malloc(n ? n : 1);
		memcpy(h, head, n);
		int r = frame_decode((struct span){ h, n }, f.payload, &got);
		CU_ASSERT(r == (n == FRAME_HEADER_LEN ? 0 : -EBADMSG));
		free(h);
	}
}

static void payload_must_have_the_stated_length(void)
{
	uint8_t head[FRAME_HEADER_LEN];
	struct buf b = buf_over(head, sizeof(head));
	struct frame got = { .epoch = 77 }, f = batch();
	CU_ASSERT(frame_encode(&f, &b) == 0);
	CU_ASSERT(frame_decode(buf_span(&b), (struct span){ payload, 9 }, &got) == -EBADMSG);
	CU_ASSERT(frame_decode(buf_span(&b), (struct span){ payload, 11 }, &got) == -EBADMSG);
	CU_ASSERT(frame_decode(buf_span(&b), (struct span){ 0 }, &got) == -EBADMSG);
	CU_ASSERT(got.epoch == 77);             /* untouched on failure */
	uint8_t *big = calloc(1, FRAME_MAX_PAYLOAD + 1);
	f.payload = (struct span){ big, FRAME_MAX_PAYLOAD };
	CU_ASSERT(turn(&f, -1, 0, &got) == 0);
	f.payload.n++;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	free(big);
}

static void each_type_has_its_shape(void)
{
	struct frame got, f = batch();
	f.count = 0;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	f.count = 4;                            /* more events than ten bytes can hold */
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	f = batch(), f.lane = 2;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	f = batch(), f.lane = FRAME_NO_LANE;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	f = batch(), f.seq = 0;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	f = batch(), f.seq = UINT64_MAX;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	f.seq--;
	CU_ASSERT(turn(&f, -1, 0, &got) == 0);
	uint8_t *big = calloc(1, FRAME_MAX_PAYLOAD);
	f = batch(), f.payload = (struct span){ big, FRAME_MAX_PAYLOAD }, f.count = FRAME_MAX_COUNT;
	CU_ASSERT(turn(&f, -1, 0, &got) == 0);
	f.count++;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	free(big);
	f = batch(), f.type = FRAME_HELLO, f.lane = FRAME_NO_LANE, f.count = 0, f.payload.n = 15;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	f.payload.n = 16;
	CU_ASSERT(turn(&f, -1, 0, &got) == 0);
	f.lane = 0;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	f.lane = FRAME_NO_LANE, f.count = 1;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	f.type = FRAME_HEARTBEAT, f.count = 0;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
	f = batch(), f.type = FRAME_LOST;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);           /* with a payload */
	f.payload.n = 0, f.seq = UINT64_MAX;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);           /* two sequences, the second past the last */
	f.count = 1;
	CU_ASSERT(turn(&f, -1, 0, &got) == 0);
}

static void sensor_is_an_identifier_padded_with_nul(void)
{
	struct frame got, f = batch();
	CU_ASSERT(turn(&f, 8, 0, &got) == -EBADMSG);            /* empty, then letters behind the NUL */
	CU_ASSERT(turn(&f, 23, 'x', &got) == -EBADMSG);
	CU_ASSERT(turn(&f, 9, ' ', &got) == -EBADMSG);
	CU_ASSERT(turn(&f, 8, '-', &got) == -EBADMSG);
	CU_ASSERT(turn(&f, 9, 0x1b, &got) == -EBADMSG);
	CU_ASSERT(turn(&f, 15, '9', &got) == 0);
	CU_ASSERT_STRING_EQUAL(got.sensor, "sensor19");
	f.sensor_len = 0;
	CU_ASSERT(turn(&f, -1, 0, &got) == -EBADMSG);
}

static void reserved_types_and_flags_are_refused_as_such(void)
{
	struct frame got, f = batch();
	for (unsigned t = 0; t < 256; t++) {
		if (t < 1 || t > 7)
			CU_ASSERT(turn(&f, 4, (uint8_t)t, &got) == -EPROTONOSUPPORT);
	}
	for (int bit = 0; bit < 8; bit++) {
		CU_ASSERT(turn(&f, 6, (uint8_t)(1 << bit), &got) == -EPROTONOSUPPORT);
		CU_ASSERT(turn(&f, 7, (uint8_t)(1 << bit), &got) == -EPROTONOSUPPORT);
	}
	for (int at = 0; at < 4; at++)
		CU_ASSERT(turn(&f, at, '_', &got) == -EBADMSG);
}

static void one_wrong_byte_never_passes_unnoticed_where_it_matters(void)
{
	struct frame got, f = batch();
	for (int at = 0; at < FRAME_HEADER_LEN; at++) {
		for (unsigned v = 0; v < 256; v++) {
			uint8_t head[FRAME_HEADER_LEN], again[FRAME_HEADER_LEN];
			struct buf b = buf_over(head, sizeof(head)), c = buf_over(again, sizeof(again));
			CU_ASSERT(frame_encode(&f, &b) == 0);
			head[at] = (uint8_t)v;
			if (frame_decode(buf_span(&b), f.payload, &got))
				continue;
			/* what is accepted is understood: it encodes to the same bytes */
			CU_ASSERT(frame_encode(&got, &c) == 0 && !memcmp(head, again, sizeof(head)));
		}
	}
}

int main(void)
{
	CU_pSuite s = test_begin("frame");
	CU_ADD_TEST(s, header_has_the_documented_bytes);
	CU_ADD_TEST(s, frames_survive_encoding_and_decoding);
	CU_ADD_TEST(s, every_prefix_and_a_longer_header_are_refused);
	CU_ADD_TEST(s, payload_must_have_the_stated_length);
	CU_ADD_TEST(s, each_type_has_its_shape);
	CU_ADD_TEST(s, sensor_is_an_identifier_padded_with_nul);
	CU_ADD_TEST(s, reserved_types_and_flags_are_refused_as_such);
	CU_ADD_TEST(s, one_wrong_byte_never_passes_unnoticed_where_it_matters);
	return test_end();
}
