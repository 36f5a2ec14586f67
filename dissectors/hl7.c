/* hl7.c -- HL7 v2 over TCP: finds the messages in the bytes of MLLP as it is really sent (MLLP release 1 and 2,
 * HLLP, no framing at all) and the segments in them, which hl7_message.c reads.
 *
 * Whatever ends a message is decided by the bytes and their place in the stream alone, never by where a
 * segment of TCP ended: any segmentation gives the same observations in the same order. Bytes are looked at once and let
 * go; held are at most a header or a field that is read, so a message of any length takes the same memory.
 */
#include <string.h>

#include "dissectors/hl7_line.h"

enum {
	MAX_HELD = 2 * HL7_SEGMENT_MAX, /* with room to look ahead */
	PENDING_MAX = 1024,
	PENDING_STEP = 64, /* copied at a time: nearly every line is shorter */
};

_Static_assert(sizeof(struct hl7_state) <= DISSECT_MAX_STATE, "state of a flow");

static void emit_malformed(struct dissect_ctx *ctx)
{
	struct observation o;
	observation_begin(&o, OBSERVATION_MALFORMED);
	observation_uint(&o, OBSERVATION_F_transport, OBSERVATION_TCP);
	(void)observation_text(&o, OBSERVATION_F_service, span_str(hl7_dissector.name));
	observation_uint(&o, OBSERVATION_F_reason, OBSERVATION_SYNTAX);
	ctx->emit(ctx->arg, &o);
}

/* The steps below read the front of `in`, say in *ret_used how much they are done with and return true,
 * or false when they must see more first. With `final` no more comes: false means nothing is left to say. */

/* VT has just been read. MLLP release 2: ACK or NAK, FS, CR. HLLP: D or N, two digits, CR. `*ret_more`
 * when the bytes are a prefix of one; 0 when it is neither. */
static size_t block_header(struct hl7_state *st, struct span in, struct dissect_ctx *ctx, bool *ret_more)
{
	struct hl7_side *s = &st->side[ctx->dir];
	int b = hl7_at(in, 0);
	*ret_more = false;
	if (b == HL7_ACKED || b == HL7_NAKED) {
		*ret_more = in.n < 2;
		if (hl7_at(in, 1) != HL7_FS)
			return 0;
		s->framed = false;
		s->seen = true;
		s->lost = false;
		hl7_message_commit(st, ctx, b);
		return 2;
	}
	if (b != 'D' && b != 'N')
		return 0;
	for (size_t i = 1; i < 4; i++) {
		int c = hl7_at(in, i);
		if (c < 0)
			*ret_more = true;
		if (c < 0 || (i < 3 ? !hl7_digit(c) : c != HL7_CR))
			return 0;
	}
	s->hllp = true;
	/* A NAK block holds an error code, no message. */
	s->lost = s->lost || b == 'N';
	return 4;
}

static bool step_between(struct hl7_state *st, struct span in, struct dissect_ctx *ctx, size_t *ret_used)
{
	struct hl7_side *s = &st->side[ctx->dir];
	static const uint8_t bom[] = { 0xef, 0xbb, 0xbf };
	int b = hl7_at(in, 0);
	if (s->fresh) {
		bool more;
		size_t n = block_header(st, in, ctx, &more);
		if (more)
			return false;
		s->fresh = false;
		if (n) {
			*ret_used = n;
			return true;
		}
	}
	*ret_used = 1;
	switch (b) {
	case HL7_VT:
		s->framed = true;
		s->hllp = false;
		/* Nearly always the message itself is next. */
		s->fresh = hl7_msh_kind(span_from(in, 1)) != HL7_MESSAGE;
		if (!s->fresh)
			hl7_message_begin(s);
		return true;
	case HL7_FS:
		s->framed = s->hllp = false;
		return true;
	case 0: /* seen between frames in the field */
	case HL7_CR:
	case HL7_LF:
	case ' ':
		return true;
	default:
		break;
	}
	if (b == bom[0] && !memcmp(in.p, bom, in.n < sizeof(bom) ? in.n : sizeof(bom))) {
		*ret_used = sizeof(bom);
		return in.n >= sizeof(bom);
	}
	switch (hl7_msh_kind(in)) {
	case HL7_PREFIX:
		return false;
	case HL7_MESSAGE:
		hl7_message_begin(s);
		*ret_used = 0;
		return true;
	case HL7_BATCH_BEGIN:
	case HL7_BATCH_END:
		s->mode = HL7_HEADER;
		s->seen = true;
		*ret_used = 3;
		return true;
	default:
		break;
	}
	/* Where capture began inside a message, its rest is nothing to complain of. */
	if (!s->lost && (s->seen || !ctx->midstream))
		emit_malformed(ctx);
	s->lost = true;
	s->mode = HL7_HUNT;
	s->after_eol = false;
	return true;
}

static bool step_header(struct hl7_side *s, struct span in, size_t *ret_used)
{
	size_t i = 0;
	while (i < in.n && !hl7_eol(in.p[i]) && in.p[i] != HL7_FS && in.p[i] != HL7_VT)
		i++;
	if (i < in.n)
		s->mode = HL7_BETWEEN;
	*ret_used = i;
	return true;
}

static bool step_hunt(struct hl7_side *s, struct span in, bool final, size_t *ret_used)
{
	s->framed = s->hllp = false;
	for (size_t i = 0; i < in.n; i++) {
		bool begins = in.p[i] == HL7_FS || in.p[i] == HL7_VT;
		if (s->after_eol && !hl7_eol(in.p[i])) {
			enum hl7_kind k = hl7_msh_kind(span_from(in, i));
			if (k == HL7_PREFIX && !final) {
				*ret_used = i;
				return i > 0;
			}
			begins = begins || k == HL7_MESSAGE || k == HL7_BATCH_BEGIN;
		}
		if (begins) {
			s->mode = HL7_BETWEEN;
			*ret_used = i;
			return true;
		}
		s->after_eol = hl7_eol(in.p[i]);
	}
	*ret_used = in.n;
	return true;
}

static void end_message(struct hl7_state *st, struct dissect_ctx *ctx, int framing, bool fs)
{
	if (!st->side[ctx->dir].framed && framing != OBSERVATION_CUT)
		framing = fs ? OBSERVATION_MLLP_NO_VT : OBSERVATION_UNFRAMED;
	hl7_message_end(st, ctx, framing);
}

/* At a VT inside a message: 1 it begins the next one, 0 it is text, -1 more is needed to tell. */
static int vt_begins(struct span in, size_t at, bool final)
{
	enum hl7_kind k = hl7_msh_kind(span_from(in, at + 1));
	return k == HL7_PREFIX ? (final ? 0 : -1) : k != HL7_OTHER;
}

/* FS stands at the front. */
static bool step_end(struct hl7_state *st, struct span in, struct dissect_ctx *ctx, bool final, size_t *ret_used)
{
	struct hl7_side *s = &st->side[ctx->dir];
	if (in.n == 1 && !final) {
		hl7_message_decide(st, ctx);
		return false;
	}
	bool cr = hl7_at(in, 1) == HL7_CR;
	*ret_used = 1 + (size_t)cr;
	end_message(st, ctx, cr ? OBSERVATION_MLLP : OBSERVATION_MLLP_NO_CR, true);
	s->framed = s->hllp = false;
	return true;
}

static bool step_start(struct hl7_state *st, struct span in, struct dissect_ctx *ctx, bool final, size_t *ret_used)
{
	struct hl7_side *s = &st->side[ctx->dir];
	int b = in.p[0];
	if (b == HL7_FS)
		return step_end(st, in, ctx, final, ret_used);
	if (hl7_eol(b)) {
		*ret_used = 1;
		return true;
	}
	/* The next message begins: after a VT, whatever this one lacks; without, in a batch or where nothing is framed. */
	if (b == HL7_VT) {
		int begins = vt_begins(in, 0, final);
		if (begins < 0)
			return false;
		if (begins) {
			end_message(st, ctx, OBSERVATION_MLLP_UNTERMINATED, false);
			return true;
		}
	} else {
		enum hl7_kind k = hl7_msh_kind(in);
		if (k == HL7_PREFIX && !final)
			return false;
		if (k != HL7_OTHER && k != HL7_PREFIX) {
			end_message(st, ctx, OBSERVATION_MLLP, false);
			return true;
		}
	}
	/* Its name: three characters, and then the separator or the end. */
	for (size_t i = 0; i < 4; i++) {
		int c = hl7_at(in, i);
		if (c < 0 && !final)
			return false;
		if (i < 3 ? !hl7_upper(c) && !(i && hl7_digit(c))
			  : c >= 0 && c != s->separator && !hl7_eol(c) && c != HL7_FS) {
			hl7_message_decide(st, ctx);
			s->segment = HL7_SEG_PASSING;
			return true;
		}
	}
	s->segment = (uint8_t)hl7_message_segment(st, ctx, in);
	s->scanned = 0;
	return true;
}

/* Bytes of the message that are waiting to be counted in as one piece: a hash begins and ends at a cost. */
struct pending {
	size_t n;
	uint8_t bytes[PENDING_MAX + PENDING_STEP];
};
_Static_assert((int)PENDING_MAX >= (int)HL7_LINE_MAX, "room for any line");

static void count_pending(struct hl7_side *s, struct pending *p)
{
	hl7_message_bytes(s, (struct span){ p->bytes, p->n });
	p->n = 0;
}

static inline void count_line(struct hl7_side *s, struct pending *p, const struct hl7_line *l)
{
	size_t n = l->text.n;
	if (PENDING_MAX - p->n < n)
		count_pending(s, p);
	uint8_t *to = p->bytes + p->n;
	p->n += n;
	if (n <= PENDING_STEP && l->room >= PENDING_STEP)
		memcpy(to, l->text.p, PENDING_STEP);
	else
		memcpy(to, l->text.p, n);
}

/* A plain OBX, whole: as step_passing() and step_field() read one. */
static inline void plain_obx(struct hl7_state *st, struct hl7_side *s, struct dissect_ctx *ctx, const struct hl7_line *l,
			     uint8_t component)
{
	if (!s->decided)
		hl7_message_decide(st, ctx);
	if (hl7_message_wants(s, 3) && hl7_line_may_code(l, component, HL7_CODING))
		s->vendor = (uint8_t)(1 + hl7_vendor_of_coding(hl7_line_coding(l, component)));
	if (l->n >= 18) {
		s->field = 18;
		hl7_message_obx(st, ctx, hl7_line_field(l, 18));
	}
}

/* Another segment, if it may be in a message: false when it begins another, or has no name. */
static bool plain_other(struct hl7_state *st, struct dissect_ctx *ctx, struct span in, const struct hl7_line *l)
{
	const uint8_t *name = l->text.p;
	if (!hl7_upper(name[0]) || !(hl7_upper(name[1]) || hl7_digit(name[1])) || !(hl7_upper(name[2]) || hl7_digit(name[2])) ||
	    hl7_msh_kind(in) != HL7_OTHER)
		return false;
	if (hl7_message_segment(st, ctx, l->text) == HL7_SEG_HELD)
		hl7_message_line(st, ctx, l);
	return true;
}

/* Reads segments that are plain, as many as there are; the bytes of them. What stands there then is read by the other steps, which
 * would have said the same of these. */
static size_t plain_segments(struct hl7_state *st, struct span in, struct dissect_ctx *ctx)
{
	struct hl7_side *s = &st->side[ctx->dir];
	const uint8_t separator = s->separator, component = s->component, obx[4] = { 'O', 'B', 'X', separator };
	struct pending pending;
	struct hl7_line l;
	size_t at = 0;
	pending.n = 0;
	for (;;) {
		while (at < in.n && in.p[at] < 0x20 && hl7_eol(in.p[at]))
			at++;
		if (at == in.n || !hl7_line_quick(in, at, separator, &l) || l.text.n < 4 ||
		    l.text.p[3] != separator)
			break;
		if (!memcmp(l.text.p, obx, sizeof(obx)))
			plain_obx(st, s, ctx, &l, component);
		else if (!plain_other(st, ctx, span_from(in, at), &l))
			break;
		/* Of an order they belong to the message and, from where it begins, to itself. */
		if (s->orders)
			hl7_message_bytes(s, l.text);
		else
			count_line(s, &pending, &l);
		at += l.text.n + (l.text.p[l.text.n] == HL7_CR);
	}
	if (pending.n)
		count_pending(s, &pending);
	return at;
}

static bool step_held(struct hl7_state *st, struct span in, struct dissect_ctx *ctx, bool final, size_t *ret_used)
{
	struct hl7_side *s = &st->side[ctx->dir];
	struct hl7_line l;
	if (!s->headed && in.n >= SCAN_BYTES && hl7_line_scan(in, 0, in.p[3], &l)) {
		hl7_message_line(st, ctx, &l);
		s->segment = HL7_SEG_START;
		s->scanned = 0;
		*ret_used = l.text.n;
		return true;
	}
	size_t i = s->scanned, end = in.n < HL7_SEGMENT_MAX ? in.n : HL7_SEGMENT_MAX;
	int begins = 0;
	for (;;) {
		i = hl7_to_control((struct span){ in.p, end }, i);
		if (i >= end || hl7_eol(in.p[i]) || in.p[i] == HL7_FS)
			break;
		begins = in.p[i] == HL7_VT ? vt_begins(in, i, final) : 0;
		if (begins)
			break;
		i++;
	}
	if (begins < 0 || (i == in.n && i < HL7_SEGMENT_MAX && !final)) {
		s->scanned = (uint32_t)i;
		return false;
	}
	bool header = !s->headed;
	hl7_message_held(st, ctx, (struct span){ in.p, i });
	if (!header)
		hl7_message_bytes(s, (struct span){ in.p, i });
	s->segment = i < HL7_SEGMENT_MAX ? HL7_SEG_START : HL7_SEG_PASSING;
	s->scanned = 0;
	*ret_used = i;
	return true;
}

/* A field that is read begins behind `in.p[i]`: the next step holds it. */
static bool wait_for_field(struct hl7_side *s, struct span in, size_t i, size_t *ret_used)
{
	s->segment = HL7_SEG_OBX_FIELD;
	s->scanned = 0;
	*ret_used = i + 1;
	hl7_message_bytes(s, (struct span){ in.p, i + 1 });
	return true;
}

/* Reads the field behind `in.p[*i]` in place, when all of it is here and in ASCII; *i is then its last byte. */
static bool whole_field(struct hl7_state *st, struct span in, struct dissect_ctx *ctx, size_t *i)
{
	const struct hl7_side *s = &st->side[ctx->dir];
	size_t from = *i + 1, end = in.n - from < HL7_FIELD_MAX ? in.n : from + HL7_FIELD_MAX;
	size_t at = hl7_to_special((struct span){ in.p, end }, from, s->separator);
	if (at == end)
		return false;
	uint8_t b = in.p[at];
	if (b != s->separator && !hl7_eol(b) && b != HL7_FS && b != HL7_VT)
		return false;
	hl7_message_obx(st, ctx, (struct span){ in.p + from, at - from });
	*i = at - 1;
	return true;
}

/* Lets bytes pass up to the end of the segment, or to a field that is read. */
static bool step_passing(struct hl7_state *st, struct span in, struct dissect_ctx *ctx, bool final, size_t *ret_used)
{
	struct hl7_side *s = &st->side[ctx->dir];
	bool counts = s->segment == HL7_SEG_OBX && s->field <= 18, more = false;
	size_t i = 0;
	for (;; i++) {
		/* Nearly all bytes: they need no state to be followed. */
		size_t plain = i;
		bool stateless = !s->text.second && !s->text.escape;
		if (!counts)
			plain = hl7_to_control(in, i);
		else if (stateless)
			plain = hl7_to_special(in, i, s->separator);
		if (counts && plain > i)
			s->text.utf8 = 0;
		i = plain;
		if (i >= in.n)
			break;
		uint8_t b = in.p[i];
		if (counts && stateless && !s->text.wide && b == s->separator) {
			s->text.utf8 = 0;
			s->field++;
			counts = s->field <= 18;
			if (hl7_message_wants(s, s->field) && !whole_field(st, in, ctx, &i))
				return wait_for_field(s, in, i, ret_used);
			continue;
		}
		if (hl7_eol(b) || b == HL7_FS)
			break;
		if (b == HL7_VT) {
			int begins = vt_begins(in, i, final);
			more = begins < 0;
			if (begins)
				break;
		}
		if (counts && hl7_msh_take(&s->text, b) && b == s->separator) {
			s->field++;
			counts = s->field <= 18;
			if (hl7_message_wants(s, s->field))
				return wait_for_field(s, in, i, ret_used);
		}
	}
	*ret_used = i;
	hl7_message_bytes(s, (struct span){ in.p, i });
	if (i < in.n && !more) {
		s->segment = HL7_SEG_START;
		s->text = (struct hl7_text){ .family = s->text.family };
	}
	return i > 0 || !more;
}

/* At a field of OBX that is read: it is held until it ends, if it is no longer than such a field may be. */
static bool step_field(struct hl7_state *st, struct span in, struct dissect_ctx *ctx, bool final, size_t *ret_used)
{
	struct hl7_side *s = &st->side[ctx->dir];
	size_t i = s->scanned, end = in.n < HL7_FIELD_MAX ? in.n : HL7_FIELD_MAX;
	for (; i < end && !hl7_eol(in.p[i]) && in.p[i] != HL7_FS && in.p[i] != HL7_VT; i++) {
		if (!s->text.second && !s->text.escape && !s->text.utf8) {
			size_t plain = hl7_to_special((struct span){ in.p, end }, i, s->separator);
			if (plain > i) {
				i = plain - 1;
				continue;
			}
		}
		struct hl7_text before = s->text;
		if (hl7_msh_take(&s->text, in.p[i]) && in.p[i] == s->separator) {
			s->text = before; /* the next step takes it, and counts */
			break;
		}
	}
	s->scanned = (uint32_t)i;
	if (i == in.n && i < HL7_FIELD_MAX && !final)
		return false;
	if (i < HL7_FIELD_MAX)
		hl7_message_obx(st, ctx, (struct span){ in.p, i });
	hl7_message_bytes(s, (struct span){ in.p, i });
	s->segment = HL7_SEG_OBX;
	s->scanned = 0;
	*ret_used = i;
	return true;
}

/* Segments, and the end of the message behind them. */
static bool step_segments(struct hl7_state *st, struct span in, struct dissect_ctx *ctx, bool final, size_t *ret_used)
{
	size_t plain = plain_segments(st, in, ctx), end = 0;
	*ret_used = plain;
	if (!plain)
		return step_start(st, in, ctx, final, ret_used);
	if (hl7_at(in, plain) == HL7_FS && step_end(st, span_from(in, plain), ctx, final, &end))
		*ret_used += end;
	return true;
}

static bool step_inside(struct hl7_state *st, struct span in, struct dissect_ctx *ctx, bool final, size_t *ret_used)
{
	struct hl7_side *s = &st->side[ctx->dir];
	switch (s->segment) {
	case HL7_SEG_START:
		return step_segments(st, in, ctx, final, ret_used);
	case HL7_SEG_HELD:
		return step_held(st, in, ctx, final, ret_used);
	case HL7_SEG_OBX_FIELD:
		return step_field(st, in, ctx, final, ret_used);
	default:
		return step_passing(st, in, ctx, final, ret_used);
	}
}

static size_t run(struct hl7_state *st, struct span in, struct dissect_ctx *ctx, bool final)
{
	struct hl7_side *s = &st->side[ctx->dir];
	size_t at = 0;
	bool go = true;
	/* Every step takes bytes or changes the mode or the kind of segment to one that will. */
	while (go && at < in.n) {
		struct span rest = span_from(in, at);
		size_t used = 0;
		switch (s->mode) {
		case HL7_BETWEEN:
			go = step_between(st, rest, ctx, &used);
			break;
		case HL7_INSIDE:
			go = step_inside(st, rest, ctx, final, &used);
			break;
		case HL7_HEADER:
			go = step_header(s, rest, &used);
			break;
		default:
			go = step_hunt(s, rest, final, &used);
			break;
		}
		if (go)
			at += used;
	}
	if (final && s->mode == HL7_INSIDE)
		end_message(st, ctx, OBSERVATION_MLLP_UNTERMINATED, false);
	return at;
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	size_t used = run(state, in, ctx, false);
	if (used == in.n)
		return (struct dissect_result){ .status = DISSECT_OK, .consumed = used };
	return (struct dissect_result){ .status = DISSECT_MORE, .consumed = used, .need = in.n - used + 1 };
}

static enum dissect_status gap(void *state, uint64_t n, struct dissect_ctx *ctx)
{
	struct hl7_state *st = state;
	struct hl7_side *s = &st->side[ctx->dir];
	(void)n;
	st->gap = true;
	/* What its header said was seen; the rest cannot be told from the next message: wait for a beginning. */
	if (s->mode == HL7_INSIDE)
		hl7_message_end(st, ctx, OBSERVATION_CUT);
	s->mode = HL7_HUNT;
	s->scanned = 0;
	s->framed = s->fresh = s->hllp = s->after_eol = false;
	s->lost = true;
	return DISSECT_OK;
}

static void finish(void *state, struct span rest, struct dissect_ctx *ctx) { (void)run(state, rest, ctx, true); }

const struct dissector hl7_dissector = {
	.name = "hl7",
	.transports = DISSECT_TCP,
	.ports = { 2575, 6661 },
	.state_size = sizeof(struct hl7_state),
	.max_message = MAX_HELD,
	.probe = hl7_probe,
	.parse = parse,
	.gap = gap,
	.finish = finish,
	.rest = hl7_rest,
	.wake = hl7_rest_wake,
};
