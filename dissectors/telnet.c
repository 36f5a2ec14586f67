/* telnet.c -- Telnet (RFC 854): that somebody is asked who he is, answers, and is turned away; nothing of what is typed. */
#include "dissectors/plain.h"

enum { IAC = 255, SB = 250, SE = 240, WILL = 251, DONT = 254, LAST_OPTION = 49, EXTENDED = 255 };
enum { AFTER_LOGIN = 1024 };            /* bytes of the server in which a refusal is looked for */
enum { DATA, COMMAND, OPTION, SUB, SUB_IAC };

/* No beginning of these occurs again in them, so one place each is all there is to remember. */
static const char *const words[] = { "ogin:", "sername:", "assword:", "ncorrect", "nvalid", "denied", "ailed" };
enum { WORDS = sizeof(words) / sizeof(words[0]), PASSWORD = 2, FIRST_REFUSAL = 3 };

struct state {
	uint8_t at[WORDS], mode[2];
	uint8_t prompter;               /* direction of whoever asked, plus one */
	bool offered, asked, attempted;
	uint16_t after;
};

static enum dissect_guess probe(struct span head, bool midstream)
{
	(void)midstream;
	if ((head.n > 0 && head.p[0] != IAC) || (head.n > 1 && (head.p[1] < WILL || head.p[1] > DONT)) ||
	    (head.n > 2 && head.p[2] > LAST_OPTION && head.p[2] != EXTENDED))
		return DISSECT_NO;
	return head.n < 3 ? DISSECT_MAYBE : DISSECT_YES;
}

static void emit(struct dissect_ctx *ctx, bool server, uint64_t login)
{
	struct observation o = { .head.type = OBSERVATION_TELNET_SESSION };
	observation_uint(&o, OBSERVATION_F_speaker, server ? OBSERVATION_SERVER : OBSERVATION_CLIENT);
	observation_uint(&o, OBSERVATION_F_security, OBSERVATION_CLEAR_TEXT);
	observation_uint(&o, OBSERVATION_F_login, login);
	plain_from(ctx, !server);
	ctx->emit(ctx->arg, &o);
}

/* One byte of text. True: nothing more is of interest. */
static bool text(struct state *s, uint8_t c, struct dissect_ctx *ctx)
{
	if (s->asked && s->prompter != ctx->dir + 1 && !s->attempted) {
		s->attempted = true;
		emit(ctx, false, OBSERVATION_LOGIN_ATTEMPTED);
	}
	if (s->prompter && s->prompter != ctx->dir + 1)
		return false;
	for (unsigned w = 0; w < WORDS; w++) {
		s->at[w] = c == (uint8_t)words[w][s->at[w]] ? (uint8_t)(s->at[w] + 1) : c == (uint8_t)words[w][0];
		if (words[w][s->at[w]])
			continue;
		s->at[w] = 0;
		if (w >= FIRST_REFUSAL) {
			if (s->attempted)
				emit(ctx, true, OBSERVATION_LOGIN_REFUSED);
			if (s->attempted)
				return true;
			continue;
		}
		s->prompter = (uint8_t)(ctx->dir + 1);
		s->asked |= w == PASSWORD;
		if (!s->offered)
			emit(ctx, true, OBSERVATION_LOGIN_OFFERED);
		s->offered = true;
	}
	return s->attempted && ++s->after >= AFTER_LOGIN;
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct state *s = state;
	uint8_t *mode = &s->mode[ctx->dir];
	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];
		switch (*mode) {
		case DATA:
			if (c == IAC)
				*mode = COMMAND;
			else if (text(s, c, ctx))
				return plain_done(i + 1);
			break;
		case COMMAND:
			*mode = c == SB ? SUB : c >= WILL && c <= DONT ? OPTION : DATA;
			break;
		case OPTION:
			*mode = DATA;
			break;
		case SUB:
			*mode = c == IAC ? SUB_IAC : SUB;
			break;
		default:
			*mode = c == SE ? DATA : SUB;
			break;
		}
	}
	return plain_ok(in.n);
}

const struct dissector telnet_dissector = {
	.name = "telnet",
	.transports = DISSECT_TCP,
	.ports = { 23, 2323 },
	.state_size = sizeof(struct state),
	.max_message = 256,
	.probe = probe,
	.parse = parse,
};
