/* http.c -- HTTP/1.0 and 1.1: where messages begin and end, and which answer belongs to which request.
 *
 * Bodies are looked at for their first bytes and then counted off, never held; those of several parts are looked through for their
 * delimiters. What ends a message is decided by the bytes alone, never by where a segment ended.
 */
#include <string.h>

#include "dissectors/http.h"

enum {
	MAX_CHUNK_LINE = 1024,          /* RFC 9112, 7.1: a size and extensions, which nobody uses */
	MAX_TRAILER = 8 << 10,
};

enum mode {
	START,                          /* between messages; the zeroed state */
	HEAD,
	CONTENT,                        /* `left` bytes of it */
	CHUNK_LINE,
	CHUNK,                          /* `left` bytes of it */
	CHUNK_END,
	TRAILER,
	TO_CLOSE,                       /* content until the connection ends */
	HUNT,                           /* lost: looking for the next head */
};

struct side {
	uint64_t left;
	uint32_t scanned;               /* of a head, line or trailer that is not whole yet */
	uint16_t status;                /* of the answer being read */
	uint8_t mode;
	bool after_eol;                 /* HUNT: the byte before the input ended a line, or was lost */
	bool finished;
	struct http_body body;
};

struct state {
	struct side side[2];
	struct http_request waiting[HTTP_WAITING];      /* oldest first */
	struct http_request answered;   /* the request that the answer being read belongs to */
	uint8_t n_waiting;
	uint8_t client;                 /* with `roles` */
	bool roles;
	bool unsure;                    /* messages may have been lost: no answer is given to a request any more */
	bool tunnel;
};

_Static_assert(sizeof(struct state) <= DISSECT_MAX_STATE, "state of a flow");

static enum dissect_guess probe(struct span head, bool midstream)
{
	(void)midstream;
	return head.n ? http_head_begins(head) : DISSECT_MAYBE;
}

/* ---- pairing ---- */

static void flush(struct state *st, struct dissect_ctx *ctx)
{
	for (unsigned i = 0; i < st->n_waiting; i++)
		http_say_web(&st->waiting[i], 0, 0, st->client, ctx);
	st->n_waiting = 0;
}

static void ask(struct state *st, const struct http_request *r, struct dissect_ctx *ctx)
{
	if (st->n_waiting == HTTP_WAITING) {
		/* Which answer is whose cannot be told once one is forgotten. */
		flush(st, ctx);
		st->unsure = true;
	}
	st->waiting[st->n_waiting++] = *r;
}

static struct http_request answer(struct state *st)
{
	struct http_request r = { .known = false };
	if (st->n_waiting && !st->unsure) {
		r = st->waiting[0];
		st->n_waiting--;
		memmove(&st->waiting[0], &st->waiting[1], st->n_waiting * sizeof(st->waiting[0]));
	}
	return r;
}

static void lose_order(struct state *st, struct dissect_ctx *ctx)
{
	flush(st, ctx);
	st->unsure = true;
	st->answered.known = false;
}

/* ---- messages ---- */

/* The message of this side is over. */
static void end_message(struct state *st, struct side *s, struct dissect_ctx *ctx)
{
	http_body_end(&s->body, ctx);
	s->mode = START;
	s->scanned = 0;
	if (!st->roles)
		return;
	if (ctx->dir == st->client) {
		if (st->unsure)
			flush(st, ctx);
		else if (st->n_waiting)
			st->waiting[st->n_waiting - 1].parts = s->body.parts;
		return;
	}
	http_say_web(&st->answered, s->status, s->body.parts, st->client, ctx);
	st->answered.known = false;
}

static void begin_content(struct state *st, struct side *s, const struct http_head *h, bool none, struct dissect_ctx *ctx)
{
	http_body_begin(&s->body, h);
	s->left = 0;
	s->scanned = 0;
	if (none) {
		end_message(st, s, ctx);
	} else if (h->chunked) {
		s->mode = CHUNK_LINE;
	} else if (h->broken) {
		s->mode = HUNT;
		lose_order(st, ctx);
	} else if (h->has_length) {
		s->mode = CONTENT;
		s->left = h->length;
		if (!s->left)
			end_message(st, s, ctx);
	} else if (h->request) {
		end_message(st, s, ctx);
	} else {
		s->mode = TO_CLOSE;
	}
}

static bool known_role(struct state *st, struct dissect_ctx *ctx, unsigned client)
{
	if (st->roles)
		return st->client == client;
	st->roles = true;
	st->client = (uint8_t)client;
	ctx->client = (enum dissect_client)client;
	return true;
}

/* A whole head. False: it is none, or not of the side that speaks. */
static bool message(struct state *st, struct side *s, struct span head, struct dissect_ctx *ctx)
{
	struct http_head h;
	if (!http_head_parse(head, &h) || !known_role(st, ctx, h.request ? ctx->dir : !ctx->dir))
		return false;
	if (h.request) {
		struct http_request r;
		http_web_classify(&h, &r);
		http_say_request(&h, &r, false, ctx);
		ask(st, &r, ctx);
		begin_content(st, s, &h, false, ctx);
		return true;
	}
	/* RFC 9110, 15.2: an answer before the answer, but for the last word of this protocol. */
	if (h.status < 200 && h.status != 101) {
		s->mode = START;
		s->scanned = 0;
		return true;
	}
	st->answered = answer(st);
	http_say_response(&h, &st->answered, ctx);
	s->status = h.status;
	bool tunnel = st->answered.known && st->answered.method == OBSERVATION_HTTP_CONNECT && h.status / 100 == 2;
	st->tunnel = h.status == 101 || tunnel;
	/* RFC 9112, 6.3 */
	bool none = h.status == 204 || h.status == 304 || st->tunnel ||
		    (st->answered.known && st->answered.method == OBSERVATION_HTTP_HEAD);
	begin_content(st, s, &h, none, ctx);
	return true;
}

/* ---- steps: each reads the front of `in`, says how much it is done with, or how much it must see ---- */

struct step {
	enum { TAKEN, MORE, PASS } kind;        /* PASS: `used` are done with, `need` are of no interest */
	size_t used;
	uint64_t need;
};

static struct step taken(size_t n) { return (struct step){ TAKEN, n, 0 }; }
static struct step more(uint64_t need) { return (struct step){ MORE, 0, need }; }

static struct step hunt(struct state *st, struct side *s, struct dissect_ctx *ctx, size_t used)
{
	lose_order(st, ctx);
	s->mode = HUNT;
	s->scanned = 0;
	s->after_eol = false;
	return taken(used);
}

static struct step step_start(struct state *st, struct side *s, struct span in, struct dissect_ctx *ctx)
{
	size_t n = 0;
	while (n < in.n && (in.p[n] == '\r' || in.p[n] == '\n'))        /* RFC 9112, 2.2 */
		n++;
	if (n)
		return taken(n);
	enum dissect_guess g = http_head_begins(in);
	if (g == DISSECT_MAYBE)
		return more(in.n + 1);
	if (g == DISSECT_NO)
		return hunt(st, s, ctx, 1);
	s->mode = HEAD;
	s->scanned = 0;
	return taken(0);
}

/* The end of a head: an empty line. 0: not there yet. */
static size_t head_end(struct span in, uint32_t *scanned)
{
	for (size_t i = *scanned; i < in.n;) {
		const uint8_t *lf = memchr(in.p + i, '\n', in.n - i);
		if (!lf)
			break;
		i = (size_t)(lf - in.p) + 1;
		*scanned = (uint32_t)(i - 1);
		if (i < in.n && in.p[i] == '\n')
			return i + 1;
		if (i + 1 < in.n && in.p[i] == '\r' && in.p[i + 1] == '\n')
			return i + 2;
		if (i + 1 >= in.n)
			return 0;
	}
	return 0;
}

static struct step step_head(struct state *st, struct side *s, struct span in, struct dissect_ctx *ctx)
{
	struct span head = { in.p, in.n < HTTP_MAX_HEAD ? in.n : HTTP_MAX_HEAD };
	size_t n = head_end(head, &s->scanned);
	if (n) {
		if (!message(st, s, (struct span){ in.p, n }, ctx))
			return hunt(st, s, ctx, 1);
		return taken(n);
	}
	if (head.n < HTTP_MAX_HEAD)
		return more(in.n + 1);
	/* Longer than any server takes: what its beginning says, and the rest is not read. */
	struct http_head h;
	struct http_request r;
	if (http_head_parse(head, &h) && h.request && known_role(st, ctx, ctx->dir)) {
		http_web_classify(&h, &r);
		http_say_request(&h, &r, true, ctx);
		lose_order(st, ctx);
		http_say_web(&r, 0, 0, st->client, ctx);
	}
	return hunt(st, s, ctx, head.n);
}

static struct step step_content(struct state *st, struct side *s, struct span in, struct dissect_ctx *ctx)
{
	size_t n = s->left < in.n ? (size_t)s->left : in.n;
	bool on = http_body_content(&s->body, (struct span){ in.p, n }, ctx);
	s->left -= n;
	uint64_t rest = s->left;
	if (s->mode == CHUNK) {
		if (!rest || !on)
			s->mode = CHUNK_END;
	} else if (!rest || !on) {
		end_message(st, s, ctx);
	}
	return rest && !on ? (struct step){ PASS, n, rest } : taken(n);
}

static struct step step_to_close(struct side *s, struct span in, struct dissect_ctx *ctx)
{
	if (http_body_content(&s->body, in, ctx))
		return taken(in.n);
	return (struct step){ PASS, in.n, UINT64_C(1) << 62 };
}

/* The length of a line with its end, 0 when it is not there yet. */
static size_t line_end(struct span in, size_t max, uint32_t *scanned)
{
	size_t n = in.n < max ? in.n : max;
	const uint8_t *lf = *scanned < n ? memchr(in.p + *scanned, '\n', n - *scanned) : NULL;
	*scanned = lf ? 0 : (uint32_t)n;
	return lf ? (size_t)(lf - in.p) + 1 : 0;
}

static struct step step_chunk_line(struct state *st, struct side *s, struct span in, struct dissect_ctx *ctx)
{
	size_t n = line_end(in, MAX_CHUNK_LINE, &s->scanned);
	if (!n)
		return in.n < MAX_CHUNK_LINE ? more(in.n + 1) : hunt(st, s, ctx, 1);
	uint64_t size = 0;
	size_t i = 0;
	for (; i < n && i < 16; i++) {
		uint8_t c = in.p[i] | 0x20;
		if (c >= '0' && c <= '9')
			size = size << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			size = size << 4 | (c - 'a' + 10u);
		else
			break;
	}
	if (!i || i == 16)
		return hunt(st, s, ctx, 1);
	s->left = size;
	s->mode = size ? CHUNK : TRAILER;
	return taken(n);
}

static struct step step_chunk_end(struct state *st, struct side *s, struct span in, struct dissect_ctx *ctx)
{
	if (in.p[0] == '\r' && in.n < 2)
		return more(2);
	size_t n = in.p[0] == '\n' ? 1 : in.p[0] == '\r' && in.p[1] == '\n' ? 2 : 0;
	if (!n)
		return hunt(st, s, ctx, 1);
	s->mode = CHUNK_LINE;
	return taken(n);
}

static struct step step_trailer(struct state *st, struct side *s, struct span in, struct dissect_ctx *ctx)
{
	size_t n = line_end(in, MAX_TRAILER, &s->scanned);
	if (!n)
		return in.n < MAX_TRAILER ? more(in.n + 1) : hunt(st, s, ctx, 1);
	if (n == 1 || (n == 2 && in.p[0] == '\r'))
		end_message(st, s, ctx);
	return taken(n);
}

static struct step step_hunt(struct side *s, struct span in)
{
	for (size_t i = 0; i < in.n;) {
		if (s->after_eol) {
			enum dissect_guess g = http_head_begins(span_from(in, i));
			if (g == DISSECT_YES) {
				s->mode = HEAD;
				s->scanned = 0;
				return taken(i);
			}
			if (g == DISSECT_MAYBE)
				return i ? taken(i) : more(in.n + 1);
		}
		const uint8_t *lf = memchr(in.p + i, '\n', in.n - i);
		s->after_eol = lf != NULL;
		i = lf ? (size_t)(lf - in.p) + 1 : in.n;
	}
	return taken(in.n);
}

static struct step step(struct state *st, struct side *s, struct span in, struct dissect_ctx *ctx)
{
	switch (s->mode) {
	case START: return step_start(st, s, in, ctx);
	case HEAD: return step_head(st, s, in, ctx);
	case CONTENT:
	case CHUNK: return step_content(st, s, in, ctx);
	case CHUNK_LINE: return step_chunk_line(st, s, in, ctx);
	case CHUNK_END: return step_chunk_end(st, s, in, ctx);
	case TRAILER: return step_trailer(st, s, in, ctx);
	case TO_CLOSE: return step_to_close(s, in, ctx);
	default: return step_hunt(s, in);
	}
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct state *st = state;
	struct side *s = &st->side[ctx->dir];
	size_t at = 0;
	/* Every step takes bytes, or changes the mode to one that will. */
	while (at < in.n) {
		struct step x = step(st, s, span_from(in, at), ctx);
		at += x.used;
		if (st->tunnel)
			return (struct dissect_result){ .status = DISSECT_DONE, .consumed = at };
		if (x.kind == MORE)
			return (struct dissect_result){ .status = DISSECT_MORE, .consumed = at, .need = x.need };
		if (x.kind == PASS)
			return (struct dissect_result){ .status = DISSECT_SKIP, .consumed = at, .need = x.need };
	}
	return (struct dissect_result){ .status = DISSECT_OK, .consumed = at };
}

static enum dissect_status gap(void *state, uint64_t n, struct dissect_ctx *ctx)
{
	struct state *st = state;
	struct side *s = &st->side[ctx->dir];
	bool inside = (s->mode == CONTENT || s->mode == CHUNK) && n && n <= s->left;
	if (inside || s->mode == TO_CLOSE) {
		http_body_lost(&s->body);
		if (inside)
			s->left -= n;
		if (inside && !s->left && s->mode == CHUNK)
			s->mode = CHUNK_END;
		else if (inside && !s->left)
			end_message(st, s, ctx);
		return DISSECT_OK;
	}
	(void)hunt(st, s, ctx, 0);
	s->after_eol = true;            /* a segment may begin with a head */
	return DISSECT_OK;
}

static void finish(void *state, struct span rest, struct dissect_ctx *ctx)
{
	struct state *st = state;
	struct side *s = &st->side[ctx->dir];
	(void)rest;
	if (s->mode == TO_CLOSE || s->mode == CONTENT || s->mode == CHUNK)
		end_message(st, s, ctx);
	s->finished = true;
	if (st->side[0].finished && st->side[1].finished)
		flush(st, ctx);
}

const struct dissector http_dissector = {
	.name = "http",
	.transports = DISSECT_TCP,
	.ports = { 80, 8080, 8042, 8000, 8008, 8081, 3128 },
	.state_size = sizeof(struct state),
	.max_message = HTTP_MAX_HEAD + 1,
	.probe = probe,
	.parse = parse,
	.gap = gap,
	.finish = finish,
};
