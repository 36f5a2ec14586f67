/* tls.c -- TLS and SSL 3: records, handshake messages (also in pieces over records), alerts; SSL 2 hellos that begin them.
 *
 * Reads until the server's answer is known: in TLS 1.3 the ServerHello (the rest is encrypted), before that until both sides
 * encrypt. Then it is done and the flow passes unread; a renegotiation is inside the encryption. What decides is the bytes and
 * their order, never where a segment ended.
 */
#include <string.h>

#include "dissectors/tls.h"

enum {
	/* RFC 5246, 6.2.1 and 7.4 */
	CHANGE_CIPHER_SPEC = 20, ALERT = 21, HANDSHAKE = 22, APPLICATION_DATA = 23, HEARTBEAT = 24,
	CLIENT_HELLO = 1, SERVER_HELLO = 2, HELLO_RETRY_REQUEST = 6, CERTIFICATE = 11, CERTIFICATE_REQUEST = 13,
	LAST_MESSAGE = 25,                      /* highest handshake type given out: compressed_certificate */
	RECORD_HEADER = 5, MESSAGE_HEADER = 4,
	MAX_RECORD = (1 << 14) + 2048,          /* RFC 5246, 6.2.3 */
	HELLO = 11,                             /* record header, message header, version: what a probe looks at */
	FATAL = 2,
	/* A message longer than this is passed over: the longest of interest, a chain of certificates, has 2 to 10 KiB. */
	MAX_MESSAGE = 32 << 10,
	MAX_HELD = 48 << 10,                    /* the same with record headers in between */
};

struct side {
	uint32_t have, total;   /* of the message being gathered; total 0: its header is not complete */
	uint32_t at;            /* bytes it takes so far, with the record headers between */
	uint32_t gather_left;   /* of the record at that place */
	uint32_t ignore;        /* bytes left of a message of no interest */
	uint32_t left;          /* bytes of the current record not yet consumed */
	uint8_t type;           /* of the record */
	uint8_t head[MESSAGE_HEADER];
	bool begun;             /* a record was read */
	bool over;              /* encrypted or lost from here on */
	bool finished;
};

struct state {
	struct tls_flow f;
	struct side side[2];
};

_Static_assert(sizeof(struct state) <= DISSECT_MAX_STATE, "state of a flow");
_Static_assert((size_t)MAX_MESSAGE <= sizeof(((struct dissect_scratch *)0)->bytes), "a message joined");

/* ---- recognition ---- */

static enum dissect_guess probe_hello(struct span head)
{
	static const struct { uint8_t lo, hi; } want[HELLO] = {
		{ HANDSHAKE, HANDSHAKE }, { 3, 3 }, { 0, 4 }, { 0, MAX_RECORD >> 8 }, { 0, 255 },
		{ CLIENT_HELLO, SERVER_HELLO }, { 0, 0 }, { 0, 255 }, { 0, 255 }, { 3, 3 }, { 0, 4 },
	};
	/* The first record may hold less than the message header. */
	size_t n = head.n < HELLO ? head.n : HELLO;
	for (size_t i = 0; i < n; i++) {
		if (i == RECORD_HEADER && (size_t)(head.p[3] << 8 | head.p[4]) < HELLO - RECORD_HEADER)
			return head.p[3] || head.p[4] ? DISSECT_YES : DISSECT_NO;
		if (head.p[i] < want[i].lo || head.p[i] > want[i].hi)
			return DISSECT_NO;
	}
	return n == HELLO ? DISSECT_YES : DISSECT_MAYBE;
}

/* Where capture began at a record: two headers that chain, the first of application data. The second one is not
 * asked for when it would be past what a probe sees. */
static enum dissect_guess probe_middle(struct span head)
{
	struct cursor c = cursor_from(head);
	for (int records = 0; records < 2; records++) {
		uint8_t type = cursor_u8(&c), major = cursor_u8(&c), minor = cursor_u8(&c);
		uint16_t n = cursor_u16be(&c);
		if (!cursor_ok(&c))
			return head.n && head.p[0] != APPLICATION_DATA ? DISSECT_NO : DISSECT_MAYBE;
		bool known = records ? type >= CHANGE_CIPHER_SPEC && type <= APPLICATION_DATA : type == APPLICATION_DATA;
		if (!known || major != 3 || minor > 4 || !n || n > MAX_RECORD)
			return DISSECT_NO;
		if (n > DISSECT_PROBE_BYTES - 2 * RECORD_HEADER)
			return DISSECT_YES;
		cursor_skip(&c, n);
	}
	return DISSECT_YES;
}

/* An alert in place of the server's answer: type, version, length 2, level, description. */
static enum dissect_guess probe_alert(struct span head)
{
	static const struct { uint8_t lo, hi; } want[] = { { ALERT, ALERT }, { 3, 3 }, { 0, 4 }, { 0, 0 }, { 2, 2 },
							   { 1, FATAL }, { 0, 121 } };
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		if (i == head.n)
			return DISSECT_MAYBE;
		if (head.p[i] < want[i].lo || head.p[i] > want[i].hi)
			return DISSECT_NO;
	}
	return DISSECT_YES;
}

static enum dissect_guess probe(struct span head, bool midstream)
{
	size_t n = 0;
	if (!head.n)
		return DISSECT_MAYBE;
	if (head.p[0] & 0x80)
		return tls_hello_v2(head, &n);
	if (head.p[0] == ALERT)
		return probe_alert(head);
	enum dissect_guess g = probe_hello(head);
	return g == DISSECT_NO && midstream ? probe_middle(head) : g;
}

/* ---- the course of a handshake ---- */

static bool knows_who(const struct tls_flow *f) { return f->has_client || f->has_server || f->retried; }

/* Nothing that is still to come in the clear would add to what is known. */
static bool complete(const struct state *st)
{
	const struct tls_flow *f = &st->f;
	if (f->has_server && f->server.version == OBSERVATION_TLS_13)
		return st->side[!f->client_dir].over;
	return st->side[0].over && st->side[1].over;
}

static bool set_client(struct tls_flow *f, struct dissect_ctx *ctx, unsigned dir)
{
	if (knows_who(f) && f->client_dir != dir)
		return false;
	f->client_dir = (uint8_t)dir;
	ctx->client = (enum dissect_client)dir;
	return true;
}

/* One handshake message. False: broken. */
static bool message(struct tls_flow *f, uint8_t type, struct span body, struct dissect_ctx *ctx)
{
	switch (type) {
	case CLIENT_HELLO:
		if (!set_client(f, ctx, ctx->dir))
			return false;
		/* After a HelloRetryRequest it is said again; the first one is what the client wanted. */
		if (f->has_client)
			return true;
		f->has_client = tls_hello_client(body, &f->client);
		return f->has_client;
	case SERVER_HELLO: {
		struct tls_server_hello hello;
		if (!set_client(f, ctx, !ctx->dir) || !tls_hello_server(body, &hello))
			return false;
		if (hello.retry) {
			f->retried = true;
		} else if (!f->has_server) {
			f->server = hello;
			f->has_server = true;
		}
		return true;
	}
	case CERTIFICATE:
		return !knows_who(f) || tls_say_certificate(f, body, ctx);
	case CERTIFICATE_REQUEST:
		f->asked = f->asked || (knows_who(f) && ctx->dir != f->client_dir);
		return true;
	default:
		return true;
	}
}

static bool wanted(uint8_t type)
{
	return type == CLIENT_HELLO || type == SERVER_HELLO || type == CERTIFICATE || type == CERTIFICATE_REQUEST;
}

static bool record_header(struct span in, uint8_t *ret_type, uint32_t *ret_n)
{
	struct cursor c = cursor_from(in);
	*ret_type = cursor_u8(&c);
	uint8_t major = cursor_u8(&c), minor = cursor_u8(&c);
	*ret_n = cursor_u16be(&c);
	return cursor_ok(&c) && *ret_type >= CHANGE_CIPHER_SPEC && *ret_type <= HEARTBEAT && major == 3 && minor <= 4 &&
	       *ret_n <= MAX_RECORD && (*ret_n || *ret_type == APPLICATION_DATA);
}

enum step { STEP_ON, STEP_MORE, STEP_BAD, STEP_DONE };

/* Finds the end of the message that begins at `in`, going on where the call before stopped: cost is linear in its bytes. ON: it
 * is whole, or its header says that it is of no interest (ignore is set). *ret_need: with MORE, bytes from `in`. */
static enum step gather(struct side *s, struct span in, uint64_t *ret_need)
{
	if (!s->at)
		s->gather_left = s->left;
	for (;;) {
		if (s->total && (s->have >= s->total || !wanted(s->head[0]) || s->total > MAX_MESSAGE))
			return STEP_ON;
		if (!s->gather_left) {
			uint8_t type;
			uint32_t n;
			*ret_need = s->at + RECORD_HEADER;
			if (*ret_need > in.n)
				return *ret_need > MAX_HELD ? STEP_BAD : STEP_MORE;
			/* RFC 8446, 5.1: nothing comes between the pieces of a message. */
			if (!record_header(span_from(in, s->at), &type, &n) || type != HANDSHAKE)
				return STEP_BAD;
			s->at += RECORD_HEADER;
			s->gather_left = n;
		}
		uint32_t want = (s->total ? s->total : MESSAGE_HEADER) - s->have;
		uint32_t n = want < s->gather_left ? want : s->gather_left;
		*ret_need = s->at + n;
		if (*ret_need > in.n)
			return *ret_need > MAX_HELD ? STEP_BAD : STEP_MORE;
		if (!s->total)
			memcpy(s->head + s->have, in.p + s->at, n);
		s->have += n;
		s->at += n;
		s->gather_left -= n;
		if (!s->total && s->have == MESSAGE_HEADER)
			s->total = MESSAGE_HEADER + ((uint32_t)s->head[1] << 16 | (uint32_t)s->head[2] << 8 | s->head[3]);
	}
}

/* The whole message as one span: in place when it lies in one record. */
static struct span joined(const struct side *s, struct span in, struct dissect_ctx *ctx)
{
	if (s->total <= s->left)
		return (struct span){ in.p, s->total };
	struct buf b = buf_over(ctx->scratch->bytes, sizeof(ctx->scratch->bytes));
	struct cursor c = cursor_from((struct span){ in.p, s->at });
	size_t n = s->left;
	while (cursor_left(&c)) {
		struct span piece = cursor_take(&c, n < cursor_left(&c) ? n : cursor_left(&c));
		(void)buf_put(&b, piece.p, piece.n);
		cursor_skip(&c, 3);
		n = cursor_u16be(&c);
	}
	return buf_span(&b);
}

/* A handshake record: *ret_used of `in` are done with. */
static enum step handshake(struct state *st, struct side *s, struct span in, struct dissect_ctx *ctx, size_t *ret_used,
			   uint64_t *ret_need)
{
	size_t here = s->left < in.n ? s->left : in.n;
	if (s->ignore) {
		size_t n = s->ignore < here ? s->ignore : here;
		s->ignore -= (uint32_t)n;
		s->left -= (uint32_t)n;
		*ret_used = n;
		return STEP_ON;
	}
	enum step step = gather(s, in, ret_need);
	if (step != STEP_ON)
		return step;
	if (s->have >= s->total) {
		struct span whole = joined(s, in, ctx);
		if (!message(&st->f, s->head[0], span_from(whole, MESSAGE_HEADER), ctx))
			return STEP_BAD;
	} else if (s->head[0] > LAST_MESSAGE) {
		/* No message that exists: encrypted already, where capture began. */
		s->over = true;
	} else {
		s->ignore = s->total - s->have;
		st->f.partial |= wanted(s->head[0]);
	}
	*ret_used = s->at;
	s->left = s->gather_left;
	s->have = s->total = s->at = s->gather_left = 0;
	return STEP_ON;
}

static enum step alert(struct state *st, struct side *s, struct span in, struct dissect_ctx *ctx, size_t *ret_used,
		       uint64_t *ret_need)
{
	if (s->left != 2) {             /* with a tag or padding: encrypted */
		s->over = true;
		return STEP_ON;
	}
	*ret_need = 2;
	if (in.n < 2)
		return STEP_MORE;
	s->left = 0;
	*ret_used = 2;
	struct tls_flow *f = &st->f;
	if (in.p[0] != FATAL && in.p[1])        /* a warning; 0: close_notify */
		return STEP_ON;
	f->has_alert = true;
	f->alert = in.p[1];
	f->alert_dir = (uint8_t)ctx->dir;
	/* Nobody said hello where we could see it: the side that answers refuses. */
	if (!knows_who(f))
		f->client_dir = (uint8_t)(ctx->client == DISSECT_CLIENT_UNKNOWN ? !ctx->dir : (unsigned)ctx->client);
	return STEP_DONE;
}

/* The next record begins. */
static enum step header(struct state *st, struct side *s, struct span in, struct dissect_ctx *ctx, size_t *ret_used,
			uint64_t *ret_need)
{
	if (!s->begun && in.p[0] & 0x80) {
		size_t n = 0;
		enum dissect_guess g = tls_hello_v2(in, &n);
		*ret_need = g == DISSECT_MAYBE ? in.n + 1 : n;
		if (g == DISSECT_MAYBE || (g == DISSECT_YES && in.n < n))
			return STEP_MORE;
		if (g == DISSECT_YES) {
			s->begun = true;
			*ret_used = n;
			if (!set_client(&st->f, ctx, ctx->dir))
				return STEP_BAD;
			st->f.has_client = tls_hello_client_v2((struct span){ in.p, n }, &st->f.client);
			return STEP_ON;
		}
	}
	*ret_need = RECORD_HEADER;
	if (in.n < RECORD_HEADER)
		return STEP_MORE;
	uint32_t n = 0;
	if (!record_header(in, &s->type, &n)) {
		if (!ctx->midstream || s->begun)
			return STEP_BAD;
		s->over = true;
		return STEP_ON;
	}
	*ret_used = RECORD_HEADER;
	s->begun = true;
	s->left = n;
	if (s->type == HANDSHAKE || s->type == ALERT)
		return STEP_ON;
	/* RFC 8446, D.4: a server may send this behind a HelloRetryRequest, and its hello in the clear still comes. */
	if (s->type == CHANGE_CIPHER_SPEC && st->f.retried && !st->f.has_server && ctx->dir != st->f.client_dir)
		return STEP_ON;
	s->over = true;
	return knows_who(&st->f) ? STEP_ON : STEP_DONE;
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct state *st = state;
	struct side *s = &st->side[ctx->dir];
	size_t at = 0;
	enum step step = STEP_ON;
	uint64_t need = 0;
	while (step == STEP_ON && !s->over && at < in.n) {
		struct span rest = span_from(in, at);
		size_t used = 0;
		if (!s->left)
			step = header(st, s, rest, ctx, &used, &need);
		else if (s->type == HANDSHAKE)
			step = handshake(st, s, rest, ctx, &used, &need);
		else if (s->type == ALERT)
			step = alert(st, s, rest, ctx, &used, &need);
		else {
			used = s->left < rest.n ? s->left : rest.n;
			s->left -= (uint32_t)used;
		}
		at += used;
	}
	if (step == STEP_MORE)
		return (struct dissect_result){ .status = DISSECT_MORE, .consumed = at, .need = need };
	if (step == STEP_BAD)
		st->f.partial = true;
	if (step != STEP_ON || complete(st)) {
		tls_say_handshake(&st->f, ctx);
		return (struct dissect_result){ .status = step == STEP_BAD ? DISSECT_BAD : DISSECT_DONE, .consumed = at };
	}
	return (struct dissect_result){ .status = DISSECT_OK, .consumed = in.n };
}

static enum dissect_status gap(void *state, uint64_t n, struct dissect_ctx *ctx)
{
	struct state *st = state;
	(void)n;
	st->side[ctx->dir].over = true;
	/* In TLS 1.3 nothing in the clear follows the server's hello. */
	st->f.partial |= !(st->f.has_server && st->f.server.version == OBSERVATION_TLS_13);
	if (!complete(st))
		return DISSECT_OK;
	tls_say_handshake(&st->f, ctx);
	return DISSECT_BAD;
}

static void finish(void *state, struct span rest, struct dissect_ctx *ctx)
{
	struct state *st = state;
	st->side[ctx->dir].finished = true;
	st->f.partial |= rest.n > 0;
	if (st->side[0].finished && st->side[1].finished)
		tls_say_handshake(&st->f, ctx);
}

const struct dissector tls_dissector = {
	.name = "tls",
	.transports = DISSECT_TCP,
	.ports = { 443, 2762, 2761, 8443, 636, 6514, 993 },
	.state_size = sizeof(struct state),
	.max_message = MAX_HELD + RECORD_HEADER,
	.probe = probe,
	.parse = parse,
	.gap = gap,
	.finish = finish,
};
