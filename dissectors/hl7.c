/* hl7.c -- HL7 v2 over TCP: finds the messages in the bytes of MLLP as it is really sent (MLLP release 1 and 2,
 * HLLP, no framing at all) and says what their headers say.
 *
 * Whatever ends a message is decided by the bytes and their place in the stream alone, never by where a
 * segment ended: any segmentation gives the same observations in the same order.
 */
#include <string.h>

#include "core/siphash.h"
#include "dissectors/hl7.h"

enum {
	/* MSH and MSA stand in the first few hundred bytes; 64 KiB is what the engine holds of a direction. */
	MAX_HELD = 64 << 10,
	/* A message longer than this is reported from what is held. Leaves room to look ahead. */
	MAX_MESSAGE = MAX_HELD - 16,
	/* Control ids that wait for an acknowledgement, both directions. Senders wait for each
	 * acknowledgement by the standard (2.9.2); real engines pipeline a handful. */
	MAX_WAITING = 32,
};

enum mode {
	BETWEEN,        /* outside a message; the zeroed state */
	MESSAGE,        /* the input begins with a message */
	HEADER,         /* inside a batch header or trailer: nothing of interest up to its end */
	HUNT,           /* lost: looking for the next beginning */
};

struct side {
	uint32_t scanned;       /* MESSAGE: bytes of it that were looked at already */
	uint8_t mode;
	bool framed;            /* a VT opened the block that we are in */
	bool fresh;             /* ... just now: a commit or an HLLP header may follow */
	bool hllp;
	bool waits;             /* MESSAGE: its control id has been taken down, or need not be */
	bool seen;              /* something of HL7 was found in this direction */
	bool lost;              /* bytes of no meaning were reported, or are expected */
	bool after_eol;         /* HUNT: the byte before the input ended a segment */
};

struct state {
	uint64_t waiting[MAX_WAITING];  /* hashes of (direction, control id), oldest first */
	struct side side[2];
	uint8_t n_waiting;
};

_Static_assert(sizeof(struct state) <= DISSECT_MAX_STATE, "state of a flow");
_Static_assert((size_t)MAX_MESSAGE <= sizeof(((struct dissect_scratch *)0)->bytes), "fields of one message");

static void forget(struct state *st, size_t i)
{
	st->n_waiting--;
	memmove(&st->waiting[i], &st->waiting[i + 1], (st->n_waiting - i) * sizeof(st->waiting[0]));
}

static size_t find(const struct state *st, uint64_t id)
{
	size_t i = 0;
	while (i < st->n_waiting && st->waiting[i] != id)
		i++;
	return i;
}

/* Whoever chose ids that collide would only spoil the pairing of his own connection: no secret key. */
static uint64_t hash(unsigned dir, struct span id)
{
	struct siphash_key key = { .k0 = dir };
	return siphash_13(&key, id.p, id.n);
}

static void await(struct state *st, unsigned dir, struct span id)
{
	if (!id.n)
		return;
	uint64_t h = hash(dir, id);
	size_t i = find(st, h);
	if (i < st->n_waiting)
		forget(st, i);
	else if (st->n_waiting == MAX_WAITING)
		forget(st, 0);
	st->waiting[st->n_waiting++] = h;
}

/* Fields of type HD are compared across systems that chose other delimiters: written with the usual ones. */
static void put_field(struct observation *o, enum observation_field f, const struct hl7_msh *m, struct span text,
		      struct buf *scratch)
{
	/* "" (two quotes) says: no value (HL7 v2.5.1, 2.5.3). */
	if (!text.n || (text.n == 2 && text.p[0] == '"' && text.p[1] == '"'))
		return;
	size_t mark = scratch->len;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t b = text.p[i];
		if (b == m->component)
			b = '^';
		else if (b == m->repetition)
			b = '~';
		else if (m->subcomponent && b == m->subcomponent)
			b = '&';
		/* Fits: the fields are parts of one message, which is shorter than the scratch. */
		(void)buf_u8(scratch, b);
	}
	(void)observation_text(o, f, (struct span){ scratch->data + mark, scratch->len - mark });
}

static uint64_t ack_code(struct span s)
{
	static const char codes[][3] = { "AA", "AE", "AR", "CA", "CE", "CR" };
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (s.n == 2 && !memcmp(s.p, codes[i], 2))
			return OBSERVATION_AA + i;
	return OBSERVATION_ACK_OTHER;
}

/* MSH-15 asks for an accept acknowledgement of an acknowledgement (enhanced mode, 2.9.3). */
static bool asks_accept(const struct hl7_msh *m)
{
	struct span a = m->field[15];
	return a.n == 2 && memcmp(a.p, "NE", 2) != 0 && memcmp(a.p, "\"\"", 2) != 0;
}

static void acknowledge(struct state *st, struct dissect_ctx *ctx, const struct hl7_msh *m, struct observation *o)
{
	uint64_t code = ack_code(m->ack_code);
	observation_uint(o, OBSERVATION_F_ack_code, code);
	size_t i = m->acked_id.n ? find(st, hash(!ctx->dir, m->acked_id)) : MAX_WAITING;
	bool paired = i < st->n_waiting;
	observation_uint(o, OBSERVATION_F_paired, paired);
	/* After a commit accept the application's own answer to the same id is still to come (2.9.3). */
	if (paired && code != OBSERVATION_CA)
		forget(st, i);
	i = find(st, hash(ctx->dir, m->field[10]));
	if (i < st->n_waiting && !asks_accept(m))
		forget(st, i);
}

static void emit_message(struct state *st, struct dissect_ctx *ctx, struct span message, int framing)
{
	struct hl7_msh m;
	hl7_msh_parse(message, &m);
	struct side *side = &st->side[ctx->dir];
	struct buf scratch = buf_over(ctx->scratch->bytes, sizeof(ctx->scratch->bytes));
	struct observation o = { .head.type = m.ack ? OBSERVATION_HL7_ACK : OBSERVATION_HL7_MESSAGE };

	struct span type = m.field[9];
	struct span first = hl7_msh_token(type, m.component);
	struct span second = hl7_msh_token(span_from(type, first.n + 1), m.component);
	type = (struct span){ type.p, second.n ? first.n + 1 + second.n : first.n };
	put_field(&o, OBSERVATION_F_message_type, &m, type, &scratch);
	put_field(&o, OBSERVATION_F_sending_app, &m, m.field[3], &scratch);
	put_field(&o, OBSERVATION_F_sending_facility, &m, m.field[4], &scratch);
	put_field(&o, OBSERVATION_F_receiving_app, &m, m.field[5], &scratch);
	put_field(&o, OBSERVATION_F_receiving_facility, &m, m.field[6], &scratch);
	put_field(&o, OBSERVATION_F_version, &m, hl7_msh_token(m.field[12], m.component), &scratch);
	put_field(&o, OBSERVATION_F_charset, &m, m.field[18], &scratch);
	if (m.field[10].n)
		(void)observation_text(&o, OBSERVATION_F_control_id, m.field[10]);
	if (!m.ack || asks_accept(&m)) {
		if (!side->waits)
			await(st, ctx->dir, m.field[10]);
	}
	if (m.ack) {
		if (m.acked_id.n)
			(void)observation_text(&o, OBSERVATION_F_acked_control_id, m.acked_id);
		acknowledge(st, ctx, &m, &o);
	}
	if (side->hllp && framing == OBSERVATION_MLLP)
		framing = OBSERVATION_HLLP;
	if (framing != OBSERVATION_MLLP)
		observation_uint(&o, OBSERVATION_F_framing, (uint64_t)framing);
	/* Whoever sends what is not an answer is the client of this connection. */
	if (ctx->client == DISSECT_CLIENT_UNKNOWN)
		ctx->client = (int)(m.ack ? !ctx->dir : ctx->dir);
	ctx->emit(ctx->arg, &o);
}

static void emit_malformed(struct dissect_ctx *ctx)
{
	struct observation o = { .head.type = OBSERVATION_MALFORMED };
	observation_uint(&o, OBSERVATION_F_transport, OBSERVATION_TCP);
	(void)observation_text(&o, OBSERVATION_F_service, span_str(hl7_dissector.name));
	observation_uint(&o, OBSERVATION_F_reason, OBSERVATION_SYNTAX);
	ctx->emit(ctx->arg, &o);
}

static void emit_commit(struct dissect_ctx *ctx, int code)
{
	struct observation o = { .head.type = OBSERVATION_HL7_COMMIT };
	observation_uint(&o, OBSERVATION_F_ack_code, code == HL7_ACKED ? OBSERVATION_CA : OBSERVATION_CE);
	ctx->emit(ctx->arg, &o);
}

/* The steps below read the front of `in`, say in *ret_used how much they are done with and return true,
 * or false when they must see more first. With `final` no more comes: false means nothing is left to say. */

/* VT has just been read. MLLP release 2: ACK or NAK, FS, CR. HLLP: D or N, two digits, CR. `*ret_more`
 * when the bytes are a prefix of one; 0 when it is neither. */
static size_t block_header(struct side *s, struct span in, struct dissect_ctx *ctx, bool *ret_more)
{
	int b = hl7_at(in, 0);
	*ret_more = false;
	if (b == HL7_ACKED || b == HL7_NAKED) {
		*ret_more = in.n < 2;
		if (hl7_at(in, 1) != HL7_FS)
			return 0;
		s->framed = false;
		s->seen = true;
		s->lost = false;
		emit_commit(ctx, b);
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

static bool step_between(struct side *s, struct span in, struct dissect_ctx *ctx, size_t *ret_used)
{
	static const uint8_t bom[] = { 0xef, 0xbb, 0xbf };
	int b = hl7_at(in, 0);
	if (s->fresh) {
		bool more;
		size_t n = block_header(s, in, ctx, &more);
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
		s->framed = s->fresh = true;
		s->hllp = false;
		return true;
	case HL7_FS:
		s->framed = s->hllp = false;
		return true;
	case 0:                 /* seen between frames in the field */
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
		s->mode = MESSAGE;
		s->scanned = 4;
		s->waits = s->lost = false;
		s->seen = true;
		*ret_used = 0;
		return true;
	case HL7_BATCH_BEGIN:
	case HL7_BATCH_END:
		s->mode = HEADER;
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
	s->mode = HUNT;
	s->after_eol = false;
	return true;
}

static bool step_header(struct side *s, struct span in, size_t *ret_used)
{
	size_t i = 0;
	while (i < in.n && !hl7_eol(in.p[i]) && in.p[i] != HL7_FS && in.p[i] != HL7_VT)
		i++;
	if (i < in.n)
		s->mode = BETWEEN;
	*ret_used = i;
	return true;
}

static bool step_hunt(struct side *s, struct span in, bool final, size_t *ret_used)
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
			s->mode = BETWEEN;
			*ret_used = i;
			return true;
		}
		s->after_eol = hl7_eol(in.p[i]);
	}
	*ret_used = in.n;
	return true;
}

/* Takes the control id down before the end of the message is certain, so that an answer that comes
 * first finds it waiting: without FS, or without the CR behind it, the end shows only when the next begins. */
static void await_early(struct state *st, struct side *s, struct dissect_ctx *ctx, struct span message)
{
	struct hl7_msh m;
	if (s->waits)
		return;
	hl7_msh_parse(message, &m);
	if (!m.ack || asks_accept(&m))
		await(st, ctx->dir, m.field[10]);
	s->waits = true;
}

static bool end_message(struct state *st, struct side *s, struct dissect_ctx *ctx, struct span message, int framing,
			bool fs)
{
	if (!s->framed && framing != OBSERVATION_CUT)
		framing = fs ? OBSERVATION_MLLP_NO_VT : OBSERVATION_UNFRAMED;
	emit_message(st, ctx, message, framing);
	s->mode = BETWEEN;
	s->scanned = 0;
	return true;
}

static bool step_message(struct state *st, struct side *s, struct span in, struct dissect_ctx *ctx, bool final,
			 size_t *ret_used)
{
	size_t i = s->scanned;
	size_t end = in.n < MAX_MESSAGE ? in.n : MAX_MESSAGE;
	for (; i < end; i++) {
		int b = in.p[i];
		*ret_used = i;
		if (b == HL7_FS) {
			if (i + 1 == in.n && !final) {
				await_early(st, s, ctx, (struct span){ in.p, i });
				break;
			}
			bool cr = hl7_at(in, i + 1) == HL7_CR;
			*ret_used = i + 1 + cr;
			end_message(st, s, ctx, (struct span){ in.p, i }, cr ? OBSERVATION_MLLP : OBSERVATION_MLLP_NO_CR,
				    true);
			s->framed = s->hllp = false;
			return true;
		}
		bool starts = b != HL7_LF && b != HL7_CR && hl7_eol(in.p[i - 1]);
		if (!starts && b != HL7_VT)
			continue;
		/* The next message begins: after a VT, whatever this one lacks; without, in a batch or where
		 * nothing is framed at all. */
		enum hl7_kind k = hl7_msh_kind(b == HL7_VT ? span_from(in, i + 1) : span_from(in, i));
		if (k == HL7_PREFIX && !final)
			break;
		if (k != HL7_OTHER && k != HL7_PREFIX)
			return end_message(st, s, ctx, (struct span){ in.p, i },
					   b == HL7_VT ? OBSERVATION_MLLP_UNTERMINATED : OBSERVATION_MLLP, false);
		if (!starts || s->waits)
			continue;
		struct span segment = span_from(in, i);
		if (segment.n < 3 && !memcmp(segment.p, "MSA", segment.n) && !final)
			break;
		if (segment.n < 3 || memcmp(segment.p, "MSA", 3))
			await_early(st, s, ctx, (struct span){ in.p, i });
	}
	if (i == MAX_MESSAGE) {
		*ret_used = i;
		end_message(st, s, ctx, (struct span){ in.p, i }, OBSERVATION_CUT, false);
		s->mode = HUNT;
		s->lost = true;
		s->after_eol = hl7_eol(in.p[i - 1]);
		return true;
	}
	if (final && i == in.n) {
		*ret_used = i;
		return end_message(st, s, ctx, in, OBSERVATION_MLLP_UNTERMINATED, false);
	}
	s->scanned = (uint32_t)i;
	return false;
}

static size_t run(struct state *st, struct span in, struct dissect_ctx *ctx, bool final)
{
	struct side *s = &st->side[ctx->dir];
	size_t at = 0;
	bool go = true;
	/* Every step takes bytes or changes the mode to one that will. */
	while (go && at < in.n) {
		struct span rest = span_from(in, at);
		size_t used = 0;
		switch (s->mode) {
		case BETWEEN:
			go = step_between(s, rest, ctx, &used);
			break;
		case MESSAGE:
			go = step_message(st, s, rest, ctx, final, &used);
			break;
		case HEADER:
			go = step_header(s, rest, &used);
			break;
		default:
			go = step_hunt(s, rest, final, &used);
			break;
		}
		if (go)
			at += used;
	}
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
	struct state *st = state;
	(void)n;
	/* The message that was being read cannot be told from the next: wait for a beginning. */
	st->side[ctx->dir] = (struct side){ .mode = HUNT, .seen = st->side[ctx->dir].seen, .lost = true };
	return DISSECT_OK;
}

static void finish(void *state, struct span rest, struct dissect_ctx *ctx)
{
	if (rest.n)
		(void)run(state, rest, ctx, true);
}

const struct dissector hl7_dissector = {
	.name = "hl7",
	.transports = DISSECT_TCP,
	.ports = { 2575, 6661 },
	.state_size = sizeof(struct state),
	.max_message = MAX_HELD,
	.probe = hl7_probe,
	.parse = parse,
	.gap = gap,
	.finish = finish,
};
