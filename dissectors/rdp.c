/* rdp.c -- Remote Desktop Protocol: the connection request and confirm (MS-RDPBCGR 2.2.1.1, 2.2.1.2) in TPKT (RFC 1006),
 * which settle how the session is protected. The cookie holds a user name: only that there was one is told. */
#include "dissectors/plain.h"

enum { TPKT = 4, X224 = 7, REQUEST = 0xe0, CONFIRM = 0xd0, MAX_REQUEST = 512 };
enum { NEG_REQUEST = 1, NEG_RESPONSE = 2, NEG_FAILURE = 3, NEG_LENGTH = 8 };
enum { PROTOCOL_TLS = 1, PROTOCOL_NLA = 2, PROTOCOL_RDSTLS = 4, PROTOCOL_NLA_EX = 8 };

/* Other users of TPKT (S7, MMS, H.323) send parameters of ISO 8073 after the head; RDP a cookie, a token or its own. */
static enum dissect_guess probe(struct span head, bool midstream)
{
	(void)midstream;
	static const struct { uint8_t lo, hi; } want[] = {
		{ 3, 3 }, { 0, 0 }, { 0, MAX_REQUEST >> 8 }, { 0, 255 }, { 6, 254 }, { CONFIRM, REQUEST }, { 0, 255 },
		{ 0, 255 }, { 0, 255 }, { 0, 255 }, { 0, 0 },
	};
	size_t n = head.n < sizeof(want) / sizeof(want[0]) ? head.n : sizeof(want) / sizeof(want[0]);
	for (size_t i = 0; i < n; i++)
		if (head.p[i] < want[i].lo || head.p[i] > want[i].hi)
			return DISSECT_NO;
	if (n > 5 && head.p[5] != REQUEST && head.p[5] != CONFIRM)
		return DISSECT_NO;
	if (n > 4 && (head.p[2] << 8 | head.p[3]) != head.p[4] + 1 + TPKT)
		return DISSECT_NO;
	if (n < TPKT + X224)
		return DISSECT_MAYBE;
	if (head.p[4] == X224 - 1)
		return DISSECT_YES;
	if (head.n == n)
		return DISSECT_MAYBE;
	uint8_t next = head.p[n];
	bool known = head.p[5] == REQUEST ? next == 'C' || next == NEG_REQUEST : next == NEG_RESPONSE || next == NEG_FAILURE;
	return known ? DISSECT_YES : DISSECT_NO;
}

static void request(struct span rest, struct dissect_ctx *ctx)
{
	struct observation o = { .head.type = OBSERVATION_RDP_NEGOTIATE };
	plain_from(ctx, true);
	observation_uint(&o, OBSERVATION_F_speaker, OBSERVATION_CLIENT);
	observation_uint(&o, OBSERVATION_F_user_named, plain_find(rest, "cookie: mstshash=") == 0);
	if (rest.n && rest.p[0] != NEG_REQUEST) {
		struct span line;
		rest = span_from(rest, plain_line(rest, &line));
	}
	const char *auth = "rdp";
	if (rest.n >= NEG_LENGTH && rest.p[0] == NEG_REQUEST) {
		uint8_t asked = rest.p[4];
		bool nla = asked & (PROTOCOL_NLA | PROTOCOL_NLA_EX | PROTOCOL_RDSTLS);
		auth = asked & PROTOCOL_TLS ? nla ? "rdp+tls+nla" : "rdp+tls" : nla ? "rdp+nla" : "rdp";
	}
	observation_text(&o, OBSERVATION_F_auth, span_str(auth));
	observation_uint(&o, OBSERVATION_F_login, OBSERVATION_LOGIN_ATTEMPTED);
	ctx->emit(ctx->arg, &o);
}

static void confirm(struct span rest, struct dissect_ctx *ctx)
{
	struct observation o = { .head.type = OBSERVATION_RDP_NEGOTIATE };
	plain_from(ctx, false);
	observation_uint(&o, OBSERVATION_F_speaker, OBSERVATION_SERVER);
	bool negotiated = rest.n >= NEG_LENGTH;
	if (negotiated && rest.p[0] == NEG_FAILURE) {
		observation_uint(&o, OBSERVATION_F_code, rest.p[4]);
		observation_uint(&o, OBSERVATION_F_login, OBSERVATION_LOGIN_REFUSED);
	} else {
		uint8_t chosen = negotiated && rest.p[0] == NEG_RESPONSE ? rest.p[4] : 0;
		observation_uint(&o, OBSERVATION_F_security,
				 chosen & (PROTOCOL_NLA | PROTOCOL_NLA_EX | PROTOCOL_RDSTLS) ? OBSERVATION_NLA
				 : chosen & PROTOCOL_TLS                                     ? OBSERVATION_TLS
											     : OBSERVATION_RDP_STANDARD);
	}
	ctx->emit(ctx->arg, &o);
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	(void)state;
	if (in.n < TPKT + X224)
		return plain_more(TPKT + X224);
	size_t n = (size_t)in.p[2] << 8 | in.p[3];
	if (in.p[0] != 3 || n < TPKT + X224 || n > MAX_REQUEST)
		/* The client may go on before its answer was seen. */
		return plain_bad();
	if (in.n < n)
		return plain_more(n);
	struct span rest = { in.p + TPKT + X224, n - TPKT - X224 };
	if (in.p[5] == REQUEST) {
		request(rest, ctx);
		return plain_ok(n);
	}
	if (in.p[5] != CONFIRM)
		return plain_done(n);
	confirm(rest, ctx);
	return plain_done(n);
}

const struct dissector rdp_dissector = {
	.name = "rdp",
	.transports = DISSECT_TCP,
	.ports = { 3389 },
	.max_message = MAX_REQUEST,
	.probe = probe,
	.parse = parse,
};
