/* vnc.c -- the handshake of remote frame buffers (RFC 6143 7.1): version, security types, result. */
#include <string.h>

#include "dissectors/plain.h"

enum { VERSION = 12, NONE = 1, VNC_AUTH = 2, CHALLENGE = 16, OLD = 3 };

enum step { STEP_VERSION, STEP_TYPES, STEP_CHALLENGE, STEP_RESULT, STEP_REST };

struct state {
	uint8_t step[2];
	uint8_t server;                 /* direction plus one */
	uint8_t minor;                  /* of the lower version */
	uint8_t chosen;
};

/* "RFB 003.008\n" */
static enum dissect_guess probe(struct span head, bool midstream)
{
	static const char shape[] = "RFB ddd.ddd\n";
	(void)midstream;
	size_t n = head.n < VERSION ? head.n : VERSION;
	for (size_t i = 0; i < n; i++)
		if (shape[i] == 'd' ? !plain_digit(head.p[i]) : head.p[i] != (uint8_t)shape[i])
			return DISSECT_NO;
	return n == VERSION ? DISSECT_YES : DISSECT_MAYBE;
}

static const char *type_name(uint8_t type)
{
	switch (type) {
	case NONE: return "none";
	case VNC_AUTH: return "vnc";
	case 5: return "ra2";
	case 6: return "ra2ne";
	case 16: return "tight";
	case 17: return "ultra";
	case 18: return "tls";
	case 19: return "vencrypt";
	case 30: return "apple-dh";
	default: return "other";
	}
}

static struct observation said(bool server, const struct state *s)
{
	static const char *const versions[] = { "3.3", "3.7", "3.8" };
	struct observation o = { .head.type = OBSERVATION_VNC_HANDSHAKE };
	observation_uint(&o, OBSERVATION_F_speaker, server ? OBSERVATION_SERVER : OBSERVATION_CLIENT);
	observation_text(&o, OBSERVATION_F_protocol_version, span_str(versions[s->minor < 7 ? 0 : s->minor < 8 ? 1 : 2]));
	return o;
}

static void offer(const struct state *s, struct span types, struct dissect_ctx *ctx)
{
	uint8_t text[64];
	struct buf b = buf_over(text, sizeof(text));
	struct observation o = said(true, s);
	for (size_t i = 0; i < types.n; i++) {
		size_t at = b.len;
		if ((i && buf_u8(&b, '+')) || buf_str(&b, type_name(types.p[i]))) {
			buf_rewind(&b, at);
			break;
		}
	}
	if (b.len)
		observation_text(&o, OBSERVATION_F_auth, buf_span(&b));
	ctx->emit(ctx->arg, &o);
}

/* True: what comes now is not of interest or cannot be read. */
static bool choose(struct state *s, uint8_t type, bool by_server, struct dissect_ctx *ctx)
{
	struct observation o = said(by_server, s);
	s->chosen = type;
	observation_text(&o, OBSERVATION_F_auth, span_str(type_name(type)));
	observation_uint(&o, OBSERVATION_F_security, type == 18 || type == 19        ? OBSERVATION_TLS
						     : type == NONE                  ? OBSERVATION_SECURITY_NONE
						     : type == 5 || type == 30       ? OBSERVATION_ENCRYPTED
										     : OBSERVATION_CLEAR_TEXT);
	observation_uint(&o, OBSERVATION_F_login, OBSERVATION_LOGIN_ATTEMPTED);
	ctx->emit(ctx->arg, &o);
	return type != VNC_AUTH;
}

static struct dissect_result server_says(struct state *s, struct span in, struct dissect_ctx *ctx)
{
	uint8_t *step = &s->step[ctx->dir];
	struct cursor c = cursor_from(in);
	if (*step == STEP_TYPES) {
		if (!s->step[!ctx->dir])        /* the lower version counts, and the client has not named his yet */
			s->minor = s->minor ? s->minor : OLD;
		if (s->minor < 7) {
			uint32_t type = cursor_u32be(&c);
			if (!cursor_ok(&c))
				return plain_more(4);
			*step = STEP_CHALLENGE;
			return type > 255 ? plain_bad() : choose(s, (uint8_t)type, true, ctx) ? plain_done(4) : plain_ok(4);
		}
		size_t n = cursor_u8(&c);
		if (cursor_left(&c) < n)
			return plain_more(1 + n);
		*step = STEP_CHALLENGE;
		offer(s, cursor_take(&c, n), ctx);
		return n ? plain_ok(1 + n) : plain_done(1);
	}
	if (*step == STEP_CHALLENGE) {
		if (in.n < CHALLENGE)
			return plain_more(CHALLENGE);
		*step = STEP_RESULT;
		return plain_ok(CHALLENGE);
	}
	uint32_t result = cursor_u32be(&c);
	if (!cursor_ok(&c))
		return plain_more(4);
	struct observation o = said(true, s);
	observation_uint(&o, OBSERVATION_F_login, result ? OBSERVATION_LOGIN_REFUSED : OBSERVATION_LOGIN_ACCEPTED);
	ctx->emit(ctx->arg, &o);
	return plain_done(4);
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct state *s = state;
	uint8_t *step = &s->step[ctx->dir];
	if (*step == STEP_VERSION) {
		if (in.n < VERSION)
			return plain_more(VERSION);
		if (probe(in, false) != DISSECT_YES)
			return plain_bad();
		if (!s->server)
			s->server = (uint8_t)((ctx->client == DISSECT_CLIENT_UNKNOWN ? ctx->dir : !(unsigned)ctx->client) + 1);
		ctx->client = (enum dissect_client)!(s->server - 1u);
		uint8_t minor = (uint8_t)((in.p[9] - '0') * 10 + (in.p[10] - '0'));
		s->minor = s->minor && s->minor < minor ? s->minor : minor ? minor : OLD;
		*step = STEP_TYPES;
		return plain_ok(VERSION);
	}
	if (s->server == ctx->dir + 1)
		return server_says(s, in, ctx);
	if (*step == STEP_TYPES && s->minor >= 7) {
		*step = STEP_REST;
		return choose(s, in.p[0], false, ctx) ? plain_done(1) : plain_ok(1);
	}
	return plain_ok(in.n);
}

const struct dissector vnc_dissector = {
	.name = "vnc",
	.transports = DISSECT_TCP,
	.ports = { 5900, 5901, 5902, 5800 },
	.state_size = sizeof(struct state),
	.max_message = 512,
	.probe = probe,
	.parse = parse,
};
