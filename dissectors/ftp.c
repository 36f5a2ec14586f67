/* ftp.c -- the control connection of FTP (RFC 959) until somebody is logged in or it is encrypted (RFC 4217): the
 * software, whether a log-in in the clear was tried and how it went. Neither user nor file names. */
#include <string.h>

#include "dissectors/plain.h"

enum { MAX_LINE = 1024, ATTEMPTS = 8 };
enum { GREETING = 220, LOGGED_IN = 230, AUTH_ACCEPTED = 234, NOT_LOGGED_IN = 530 };

struct state {
	bool greeted, user, auth;
	uint8_t refused;
};

/* A greeting names FTP, or the client's first command decides: 220 is what mail servers say too. */
static enum dissect_guess probe(struct span head, bool midstream)
{
	static const char *const commands[] = { "USER ", "AUTH TLS\r\n", "AUTH SSL\r\n", "AUTH TLS-P\r\n", "FEAT\r\n" };
	(void)midstream;
	enum dissect_guess best = DISSECT_NO;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		enum dissect_guess g = plain_begins(head, commands[i]);
		if (g == DISSECT_YES)
			return g;
		if (g == DISSECT_MAYBE)
			best = g;
	}
	if (best != DISSECT_NO || plain_begins(head, "220") != DISSECT_YES)
		return best != DISSECT_NO ? best : plain_begins(head, "220");
	if (head.n > 3 && head.p[3] != ' ' && head.p[3] != '-')
		return DISSECT_NO;
	struct span line;
	if (!plain_line(head, &line))
		return head.n < MAX_LINE ? DISSECT_MAYBE : DISSECT_NO;
	if (plain_has(line, "smtp") || plain_has(line, "mail") || line.n >= MAX_LINE - 2)
		return DISSECT_NO;
	return plain_has(line, "ftp") ? DISSECT_YES : DISSECT_MAYBE;
}

static struct observation said(bool server, const char *operation)
{
	struct observation o = { .head.type = OBSERVATION_FTP_CONTROL };
	observation_uint(&o, OBSERVATION_F_speaker, server ? OBSERVATION_SERVER : OBSERVATION_CLIENT);
	observation_text(&o, OBSERVATION_F_operation, span_str(operation));
	observation_uint(&o, OBSERVATION_F_security, OBSERVATION_CLEAR_TEXT);
	return o;
}

/* True: nothing more is of interest. */
static bool reply(struct state *s, struct span line, struct dissect_ctx *ctx)
{
	unsigned code = (line.p[0] - '0') * 100u + (line.p[1] - '0') * 10u + (line.p[2] - '0');
	plain_from(ctx, false);
	if (code == GREETING && !s->greeted) {
		struct observation o = said(true, "greeting");
		(void)plain_text(&o, OBSERVATION_F_product, span_from(line, 4));
		ctx->emit(ctx->arg, &o);
		s->greeted = true;
	} else if (code == AUTH_ACCEPTED && s->auth) {
		struct observation o = said(true, "AUTH");
		observation_uint(&o, OBSERVATION_F_security, OBSERVATION_TLS);
		observation_uint(&o, OBSERVATION_F_code, code);
		ctx->emit(ctx->arg, &o);
		return true;
	} else if ((code == LOGGED_IN || code == NOT_LOGGED_IN) && s->user) {
		struct observation o = said(true, "login");
		observation_uint(&o, OBSERVATION_F_code, code);
		observation_uint(&o, OBSERVATION_F_login,
				 code == LOGGED_IN ? OBSERVATION_LOGIN_ACCEPTED : OBSERVATION_LOGIN_REFUSED);
		ctx->emit(ctx->arg, &o);
		s->user = false;
		return code == LOGGED_IN || ++s->refused == ATTEMPTS;
	}
	return false;
}

static void command(struct state *s, struct span line, struct dissect_ctx *ctx)
{
	bool user = plain_find(line, "user ") == 0;
	if (user || plain_find(line, "auth ") == 0)
		plain_from(ctx, true);
	s->auth |= plain_find(line, "auth ") == 0;
	if (!user || s->user)
		return;
	struct observation o = said(false, "USER");
	observation_uint(&o, OBSERVATION_F_user_named, line.n > 5);
	observation_uint(&o, OBSERVATION_F_login, OBSERVATION_LOGIN_ATTEMPTED);
	ctx->emit(ctx->arg, &o);
	s->user = true;
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct state *s = state;
	struct span line = { 0 };
	size_t n = plain_line(in, &line);
	if (!n && in.n < MAX_LINE)
		return plain_more(in.n + 1);
	if (!n || n > MAX_LINE)
		return plain_bad();
	bool digits = line.n > 3 && plain_digit(line.p[0]) && plain_digit(line.p[1]) && plain_digit(line.p[2]);
	if (digits && line.p[3] == ' ' && reply(s, line, ctx))
		return plain_done(n);
	if (!digits)
		command(s, line, ctx);
	return plain_ok(n);
}

const struct dissector ftp_dissector = {
	.name = "ftp",
	.transports = DISSECT_TCP,
	.ports = { 21 },
	.state_size = sizeof(struct state),
	.max_message = MAX_LINE,
	.probe = probe,
	.parse = parse,
};
