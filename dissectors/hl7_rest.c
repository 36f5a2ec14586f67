/* hl7_rest.c -- what is kept of a dialogue while no message is open: most connections of HL7 are silent nearly always.
 *
 * A message takes one and a half kilobytes while it is read: headers, hashes, what it has told. Between two of them only who
 * waits for an answer, where each side stands and the last control id, which a bare commit means, are of use.
 */
#include <string.h>

#include "core/buf.h"
#include "dissectors/hl7.h"

enum { FRAMED = 1, FRESH = 2, HLLP = 4, SEEN = 8, LOST = 16, AFTER_EOL = 32, COMMITTED = 64 };

static bool put_ids(struct buf *b, const uint32_t *v, size_t n)
{
	(void)buf_u8(b, (uint8_t)n);
	return !buf_put(b, v, n * sizeof(*v));
}

static size_t take_ids(struct cursor *c, uint32_t *v, size_t max)
{
	size_t n = cursor_u8(c);
	struct span s = cursor_take(c, (n < max ? n : max) * sizeof(*v));
	if (s.n)
		memcpy(v, s.p, s.n);
	return s.n / sizeof(*v);
}

/* A side: mode, flags, length of its control id, devices that it told of, the next of them; then the id and the devices. */
enum { SIDE_BYTES = 5 };

static bool put_side(struct buf *b, const struct hl7_side *s)
{
	uint8_t control_n = s->saved_n[HL7_S_CONTROL];
	size_t devices = s->devices[0] ? HL7_MAX_DEVICES : 0; /* the first is there when any is */
	if (s->mode == HL7_INSIDE)
		return false;
	while (devices && !s->devices[devices - 1])
		devices--;
	const uint8_t head[SIDE_BYTES] = {
		s->mode,
		(uint8_t)(s->framed * FRAMED | s->fresh * FRESH | s->hllp * HLLP | s->seen * SEEN | s->lost * LOST |
			  s->after_eol * AFTER_EOL | s->committed * COMMITTED),
		control_n, (uint8_t)devices, s->told,
	};
	(void)buf_put(b, head, sizeof(head));
	if (control_n && control_n != HL7_NOT_ADMITTED)
		(void)buf_put(b, s->saved + s->saved_at[HL7_S_CONTROL], control_n);
	if (devices)
		(void)buf_put(b, s->devices, devices * sizeof(s->devices[0]));
	return !b->full;
}

static void take_side(struct cursor *c, struct hl7_side *s)
{
	struct span head = cursor_take(c, SIDE_BYTES);
	if (!head.p)
		return;
	uint8_t flags = head.p[1], control_n = head.p[2], devices = head.p[3];
	s->mode = head.p[0];
	s->framed = flags & FRAMED;
	s->fresh = flags & FRESH;
	s->hllp = flags & HLLP;
	s->seen = flags & SEEN;
	s->lost = flags & LOST;
	s->after_eol = flags & AFTER_EOL;
	s->committed = flags & COMMITTED;
	s->told = head.p[4];
	s->saved_n[HL7_S_CONTROL] = control_n;
	struct span text = { 0 }, ids = { 0 };
	if (control_n && control_n != HL7_NOT_ADMITTED)
		text = cursor_take(c, control_n);
	if (text.n)
		memcpy(s->saved, text.p, text.n);
	if (devices)
		ids = cursor_take(c, (devices < HL7_MAX_DEVICES ? devices : HL7_MAX_DEVICES) * sizeof(s->devices[0]));
	if (ids.n)
		memcpy(s->devices, ids.p, ids.n);
}

size_t hl7_rest(const void *state, uint8_t ret[static DISSECT_REST_MAX])
{
	const struct hl7_state *st = state;
	struct buf b = buf_over(ret, DISSECT_REST_MAX);
	(void)buf_u8(&b, st->gap);
	(void)buf_put(&b, &st->forgotten, sizeof(st->forgotten));
	/* What finds no room, many that wait or long names, stays as it is. */
	return put_ids(&b, st->waiting, st->n_waiting) && put_side(&b, &st->side[0]) && put_side(&b, &st->side[1]) ? b.len : 0;
}

void hl7_rest_wake(void *state, struct span rest)
{
	struct hl7_state *st = state;
	struct cursor c = cursor_from(rest);
	st->gap = cursor_u8(&c);
	struct span forgotten = cursor_take(&c, sizeof(st->forgotten));
	if (forgotten.n)
		memcpy(&st->forgotten, forgotten.p, sizeof(st->forgotten));
	st->n_waiting = (uint8_t)take_ids(&c, st->waiting, HL7_MAX_WAITING);
	take_side(&c, &st->side[0]);
	take_side(&c, &st->side[1]);
}
