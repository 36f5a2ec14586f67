/* drive.h -- for tests and fuzzing only: runs one dissector over the bytes of two directions as the engine
 * does (holds bytes on MORE, counts SKIP off, drops what was held at a gap) and aborts with a message
 * when the dissector breaks the contract of dissector.h.
 *
 *	struct drive *d = drive_new(&foo_dissector, DRIVE_KNOWN);
 *	drive_feed(d, 0, bytes, 5);             five bytes at a time
 *	drive_datagram(d, 0, bytes);            of a UDP flow
 *	drive_finish(d);
 *	CU_ASSERT_STRING_EQUAL(drive_text(d), "0 {\"type\":...}\n");
 *	drive_free(d);
 *
 * Every observation becomes one line: the direction that was being parsed, a space, its JSON. Each call
 * of parse, probe and finish sees a heap block of exactly the bytes it is given, so ASan finds one byte over.
 */
#ifndef DISSECTORS_DRIVE_H
#define DISSECTORS_DRIVE_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "dissectors/dissector.h"

enum drive_mode {
	DRIVE_KNOWN = 0,        /* the flow is known to speak this: parse from its first byte */
	DRIVE_PROBE = 1,        /* nothing reaches parse before probe said YES of one direction */
	DRIVE_MIDSTREAM = 2,    /* or-ed in: capture began in the middle of the flow */
};

enum { DRIVE_TEXT = 256 << 10, DRIVE_LINE = 128 << 10 };

struct drive_side {
	uint8_t *held;          /* seen and not consumed */
	size_t n, cap;
	uint64_t need;          /* parse is called when that many are held */
	uint64_t skip;          /* of the coming bytes, so many are counted off */
	bool refused;           /* probing: cannot be this protocol */
	bool finished;
};

struct drive {
	const struct dissector *d;
	bool midstream, found, bad;
	bool done;              /* it has all it wanted of this flow */
	unsigned first;         /* direction that spoke first */
	bool spoke;
	enum dissect_client client;
	struct drive_side side[2];
	unsigned lines;         /* observations so far */
	size_t rested;          /* bytes that were kept after the last call; 0: the state as it was */
	struct buf out;         /* DRIVE_TEXT bytes; what does not fit is cut there */
	union {
		uint64_t align;
		uint8_t bytes[DISSECT_MAX_STATE];
	} state;
	unsigned dir;           /* being parsed */
	uint64_t ts_ns;         /* of the packets to come */
	uint16_t port[2];
	const struct dissect_ctx *ctx;  /* while the dissector runs */
	/* From here on not zeroed: fuzzing makes many of these. */
	struct dissect_scratch scratch;
	uint8_t line[DRIVE_LINE];
	uint8_t text[DRIVE_TEXT + 1];
};

#define drive_require(d, cond)                                                                               \
	do {                                                                                                 \
		if (!(cond)) {                                                                               \
			fprintf(stderr, "%s:%d: %s broke the contract: %s\n", __FILE__, __LINE__, (d)->name, \
			        #cond);                                                                      \
			abort();                                                                             \
		}                                                                                            \
	} while (0)

static inline uint8_t *drive_copy(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		abort();
	if (n)
		memcpy(copy, p, n);
	return copy;
}

/* For a drive that is not from drive_new; ended by drive_done. */
static inline void drive_init(struct drive *v, const struct dissector *d, unsigned mode)
{
	memset(v, 0, offsetof(struct drive, scratch));
	memset(&v->scratch.tokens, 0, sizeof(v->scratch.tokens));
	drive_require(d, d->state_size <= DISSECT_MAX_STATE);
	v->d = d;
	v->midstream = mode & DRIVE_MIDSTREAM;
	v->found = !(mode & DRIVE_PROBE);
	v->client = DISSECT_CLIENT_UNKNOWN;
	v->out = buf_over(v->text, DRIVE_TEXT);
}

static inline void drive_done(struct drive *v)
{
	for (int i = 0; i < 2; i++)
		free(v->side[i].held);
}

static inline struct drive *drive_new(const struct dissector *d, unsigned mode)
{
	struct drive *v = malloc(sizeof(*v));
	if (!v)
		abort();
	drive_init(v, d, mode);
	return v;
}

static inline void drive_free(struct drive *v)
{
	if (v)
		drive_done(v);
	free(v);
}

/* All lines so far, NUL-terminated; valid until the next call. */
static inline const char *drive_text(struct drive *v)
{
	v->text[v->out.len] = 0;
	return (const char *)v->text;
}

static inline void drive_emit(void *arg, struct observation *o)
{
	struct drive *v = arg;
	struct buf line = buf_over(v->line, sizeof(v->line));
	drive_require(v->d, !buf_printf(&line, "%u ", v->ctx ? v->ctx->dir : v->dir));
	drive_require(v->d, !vocab_json(&observation_vocab, &o->head, &line));
	drive_require(v->d, !buf_str(&line, "\n"));
	v->lines++;
	(void)buf_put(&v->out, line.data, line.len);
}

static inline struct dissect_ctx drive_ctx(struct drive *v, unsigned dir)
{
	v->dir = dir;
	return (struct dissect_ctx){
		.dir = dir, .port = { v->port[0], v->port[1] }, .ts_ns = v->ts_ns, .client = v->client,
		.midstream = v->midstream,
		.scratch = &v->scratch, .emit = drive_emit, .arg = v,
	};
}

/* Nothing of scratch outlives a call: what a dissector left there is made useless. */
static inline void drive_after(struct drive *v, const struct dissect_ctx *ctx)
{
	v->client = ctx->client;
	v->ctx = NULL;
	memset(v->scratch.vocab.contexts, 0xa5, sizeof(v->scratch.vocab.contexts[0]));
	memset(v->scratch.vocab.syntaxes, 0xa5, sizeof(v->scratch.vocab.syntaxes[0]));
	memset(v->scratch.bytes, 0xa5, 256);
	static const uint8_t zeros[DISSECT_MAX_STATE];
	size_t used = v->d->state_size > v->d->datagram_state ? v->d->state_size : v->d->datagram_state;
	drive_require(v->d, !memcmp(v->state.bytes + used, zeros, sizeof(zeros) - used));
	uint8_t rest[DISSECT_REST_MAX];
	size_t n = v->d->rest ? v->d->rest(v->state.bytes, rest) : 0;
	drive_require(v->d, n <= sizeof(rest));
	v->rested = n;
	if (!n)
		return;
	uint8_t *exact = drive_copy(rest, n);
	memset(v->state.bytes, 0, used);
	v->d->wake(v->state.bytes, (struct span){ exact, n });
	free(exact);
}

static inline void drive_drop(struct drive_side *s, size_t n)
{
	s->n -= n;
	if (s->n)
		memmove(s->held, s->held + n, s->n);
}

/* Calls parse as long as there is something for it. */
static inline void drive_parse(struct drive *v, unsigned dir)
{
	struct drive_side *s = &v->side[dir];
	while (!v->bad && !v->done) {
		size_t off = s->skip < s->n ? (size_t)s->skip : s->n;
		drive_drop(s, off);
		s->skip -= off;
		if (s->skip || !s->n || s->n < s->need)
			return;
		uint8_t *exact = drive_copy(s->held, s->n);
		struct dissect_ctx ctx = drive_ctx(v, dir);
		v->ctx = &ctx;
		struct dissect_result r = v->d->parse(v->state.bytes, (struct span){ exact, s->n }, &ctx);
		free(exact);
		drive_after(v, &ctx);
		drive_require(v->d, r.consumed <= s->n);
		drive_drop(s, r.consumed);
		s->need = 0;
		switch (r.status) {
		case DISSECT_OK:        /* what is left of it is given at once: it must take some each time */
			drive_require(v->d, r.consumed > 0);
			break;
		case DISSECT_MORE:
			drive_require(v->d, r.need > s->n);
			drive_require(v->d, r.need <= v->d->max_message);
			s->need = r.need;
			return;
		case DISSECT_SKIP:
			drive_require(v->d, r.need > 0);
			s->skip = r.need;
			break;
		case DISSECT_BAD:
			v->bad = true;
			break;
		case DISSECT_DONE:
			v->done = true;
			break;
		default:
			drive_require(v->d, r.status == DISSECT_OK);
		}
	}
}

static inline void drive_hold(struct drive_side *s, struct span in)
{
	if (in.n > s->cap - s->n) {
		s->cap = 2 * (s->n + in.n);
		s->held = realloc(s->held, s->cap);
		if (!s->held)
			abort();
	}
	if (in.n)
		memcpy(s->held + s->n, in.p, in.n);
	s->n += in.n;
}

static inline void drive_ask(struct drive *v, unsigned dir)
{
	struct drive_side *s = &v->side[dir];
	if (s->refused)
		return;
	size_t n = s->n < DISSECT_PROBE_BYTES ? s->n : DISSECT_PROBE_BYTES;
	uint8_t *exact = drive_copy(s->held, n);
	enum dissect_guess guess = v->d->probe((struct span){ exact, n }, v->midstream);
	free(exact);
	v->found = guess == DISSECT_YES;
	s->refused = guess == DISSECT_NO || (guess == DISSECT_MAYBE && n == DISSECT_PROBE_BYTES);
	v->bad = v->side[0].refused && v->side[1].refused;
	for (unsigned i = 0; v->found && i < 2; i++)
		drive_parse(v, v->first ^ i);
}

/* Bytes of direction `dir`, `segment` at a time (0: all at once). */
static inline void drive_feed(struct drive *v, unsigned dir, struct span in, size_t segment)
{
	for (size_t at = 0; at < in.n && !v->bad && !v->done;) {
		size_t n = !segment || segment > in.n - at ? in.n - at : segment;
		if (!v->spoke)
			v->first = dir;
		v->spoke = true;
		drive_hold(&v->side[dir], (struct span){ in.p + at, n });
		at += n;
		if (v->found)
			drive_parse(v, dir);
		else
			drive_ask(v, dir);
	}
}

/* One datagram of `dir`. */
static inline void drive_datagram(struct drive *v, unsigned dir, struct span in)
{
	if (v->bad || v->done)
		return;
	uint8_t *exact = drive_copy(in.p, in.n);
	struct span whole = { exact, in.n };
	v->found = v->found || v->d->is_datagram(whole);
	if (v->found) {
		struct dissect_ctx ctx = drive_ctx(v, dir);
		enum dissect_status status =
			v->d->datagram(v->d->datagram_state ? v->state.bytes : NULL, whole, &ctx);
		drive_after(v, &ctx);
		drive_require(v->d, status == DISSECT_OK || status == DISSECT_BAD || status == DISSECT_DONE);
		v->bad = status == DISSECT_BAD;
		v->done = status == DISSECT_DONE;
	}
	free(exact);
}

/* `n` bytes of `dir` were never captured (0: nobody knows how many). */
static inline void drive_gap(struct drive *v, unsigned dir, uint64_t n)
{
	struct drive_side *s = &v->side[dir];
	if (v->bad || v->done)
		return;
	if (n && n <= s->skip) {        /* inside bytes of no interest: nothing was missed */
		s->skip -= n;
		return;
	}
	uint64_t lost = n ? n - s->skip : 0;
	s->n = 0;
	s->skip = s->need = 0;
	if (!v->found)
		return;
	struct dissect_ctx ctx = drive_ctx(v, dir);
	v->ctx = &ctx;
	enum dissect_status status = v->d->gap ? v->d->gap(v->state.bytes, lost, &ctx) : DISSECT_BAD;
	drive_after(v, &ctx);
	drive_require(v->d, status == DISSECT_OK || status == DISSECT_BAD);
	v->bad = status == DISSECT_BAD;
}

/* The direction ended. */
static inline void drive_fin(struct drive *v, unsigned dir)
{
	struct drive_side *s = &v->side[dir];
	if (v->bad || v->done || !v->found || s->finished)
		return;
	s->finished = true;
	if (!v->d->finish)
		return;
	uint8_t *exact = drive_copy(s->held, s->n);
	struct dissect_ctx ctx = drive_ctx(v, dir);
	v->ctx = &ctx;
	v->d->finish(v->state.bytes, (struct span){ exact, s->n }, &ctx);
	free(exact);
	drive_after(v, &ctx);
}

/* Both directions ended. */
static inline void drive_finish(struct drive *v)
{
	drive_fin(v, 0);
	drive_fin(v, 1);
}

#endif
