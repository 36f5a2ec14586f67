#include "core/frame.h"

#include <errno.h>
#include <string.h>

#include "core/vocab.h"

static const uint8_t magic[4] = { 'S', 'P', 'W', '1' };
enum { LANES = 2 };             /* enum event_lane; 0xff where a frame belongs to neither */

/* What each acted-on type must look like: the payload's length in bytes (-1: any), whether it names a lane. */
struct shape {
	bool known, lane, counted;
	int payload;
};

static const struct shape shapes[] = {
	[FRAME_HELLO] = { .known = true, .payload = 16 },
	[FRAME_WELCOME] = { .known = true, .payload = 16 },
	[FRAME_BATCH] = { .known = true, .lane = true, .counted = true, .payload = -1 },
	[FRAME_ACK] = { .known = true, .lane = true, .payload = 0 },
	/* The collector's is empty, the sensor's an account of six numbers. */
	[FRAME_HEARTBEAT] = { .known = true, .payload = -1 },
	[FRAME_BYE] = { .known = true, .payload = 0 },
	[FRAME_LOST] = { .known = true, .lane = true, .counted = true, .payload = 0 },
};

static bool shape_holds(const struct frame *f, size_t payload)
{
	const struct shape *s = &shapes[f->type];
	if (s->lane ? f->lane >= LANES : f->lane != FRAME_NO_LANE)
		return false;
	if (s->payload >= 0 && payload != (size_t)s->payload)
		return false;
	if (f->type == FRAME_HEARTBEAT && payload != 0 && payload != 48)
		return false;
	if (!s->counted)
		return f->count == 0;
	/* Sequences start at 1, and the last of these must be one too. */
	if (!f->count || !f->seq || f->seq > UINT64_MAX - (f->count - 1))
		return false;
	/* An encoded event is never shorter than three bytes: a map of one pair. */
	return f->type != FRAME_BATCH || (f->count <= FRAME_MAX_COUNT && payload >= 3u * f->count);
}

int frame_encode(const struct frame *f, struct buf *out)
{
	size_t mark = out->len;
	uint8_t sensor[FRAME_SENSOR_LEN] = { 0 };
	size_t n = f->sensor_len < FRAME_SENSOR_LEN ? f->sensor_len : FRAME_SENSOR_LEN;
	if (out->full)
		return -ENOBUFS;
	memcpy(sensor, f->sensor, n);
	(void)buf_put(out, magic, sizeof(magic));
	(void)buf_u8(out, (uint8_t)f->type);
	(void)buf_u8(out, f->lane);
	(void)buf_u16be(out, 0);
	(void)buf_put(out, sensor, sizeof(sensor));
	(void)buf_u64be(out, f->epoch);
	(void)buf_u64be(out, f->seq);
	(void)buf_u32be(out, f->count);
	(void)buf_u32be(out, (uint32_t)f->payload.n);
	if (out->full) {
		buf_rewind(out, mark);
		return -ENOBUFS;
	}
	return 0;
}

int frame_decode(struct span header, struct span payload, struct frame *ret)
{
	struct cursor c = cursor_from(header);
	struct frame f = { 0 };
	struct span m = cursor_take(&c, sizeof(magic));
	uint8_t type = cursor_u8(&c);
	f.lane = cursor_u8(&c);
	uint16_t flags = cursor_u16be(&c);
	struct span sensor = cursor_take(&c, FRAME_SENSOR_LEN);
	f.epoch = cursor_u64be(&c);
	f.seq = cursor_u64be(&c);
	f.count = cursor_u32be(&c);
	uint32_t len = cursor_u32be(&c);
	if (!cursor_ok(&c) || cursor_left(&c) || memcmp(m.p, magic, sizeof(magic)))
		return -EBADMSG;
	/* The length first: a frame of a later version must still add up to be refused politely. */
	if (len != payload.n || len > FRAME_MAX_PAYLOAD)
		return -EBADMSG;
	const uint8_t *nul = memchr(sensor.p, 0, sensor.n);
	struct span id = { sensor.p, nul ? (size_t)(nul - sensor.p) : sensor.n };
	for (size_t i = id.n; i < sensor.n; i++) {
		if (sensor.p[i])
			return -EBADMSG;
	}
	if (!vocab_fits(VOCAB_G_ID, FRAME_SENSOR_LEN, id))
		return -EBADMSG;
	if (flags || type >= sizeof(shapes) / sizeof(shapes[0]) || !shapes[type].known)
		return -EPROTONOSUPPORT;
	f.type = (enum frame_type)type;
	if (!shape_holds(&f, payload.n))
		return -EBADMSG;
	f.sensor_len = (uint8_t)id.n;
	memcpy(f.sensor, id.p, id.n);
	f.payload = payload;
	*ret = f;
	return 0;
}
