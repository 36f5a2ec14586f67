/* ldap.c -- LDAP (RFC 4511): how clients make themselves known, and whether they ask for TLS first. Distinguished names,
 * passwords and what is searched for are not read. */
#include "dissectors/ber.h"
#include "dissectors/plain.h"

enum {
	HELD = 16 << 10, HEAD = 32,     /* a bind with a Kerberos ticket fits the first; id and operation stand in the second */
	BIND = 0x60, BIND_ANSWER = 0x61, UNBIND = 0x42, FIRST_OP = 0x60, LAST_OP = 0x79, ABANDON = 0x50, DELETE = 0x4a,
	EXTENDED = 0x77, EXTENDED_ANSWER = 0x78, EXTENDED_OID = 0x80, SIMPLE = 0x80, SASL = 0xa3,
	IN_PROGRESS = 14,
};

struct state {
	bool anonymous, tls_asked;
};

static bool is_operation(uint8_t tag) { return (tag >= FIRST_OP && tag <= LAST_OP) || tag == UNBIND || tag == ABANDON || tag == DELETE; }

/* The operation's tag behind the message's head and id. MAYBE: more bytes are needed. */
static enum dissect_guess operation(struct span s, size_t *ret_total, uint8_t *ret_tag)
{
	enum dissect_guess g = ber_head(s, BER_SEQUENCE, ret_total);
	if (g != DISSECT_YES)
		return g;
	size_t at = s.p[1] & 0x80 ? 2u + (s.p[1] & 0x7f) : 2;
	if (*ret_total < at + 5)
		return DISSECT_NO;
	if (s.n > at && s.p[at] != BER_INTEGER)
		return DISSECT_NO;
	if (s.n > at + 1 && (!s.p[at + 1] || s.p[at + 1] > 4))
		return DISSECT_NO;
	if (s.n < at + 2 || s.n <= at + 2 + s.p[at + 1])
		return DISSECT_MAYBE;
	*ret_tag = s.p[at + 2 + s.p[at + 1]];
	return is_operation(*ret_tag) ? DISSECT_YES : DISSECT_NO;
}

static enum dissect_guess probe(struct span head, bool midstream)
{
	size_t total;
	uint8_t tag;
	(void)midstream;
	return operation(head, &total, &tag);
}

static struct observation said(bool server, const char *what)
{
	struct observation o = { .head.type = OBSERVATION_LDAP_BIND };
	observation_uint(&o, OBSERVATION_F_speaker, server ? OBSERVATION_SERVER : OBSERVATION_CLIENT);
	observation_text(&o, OBSERVATION_F_operation, span_str(what));
	return o;
}

/* BindRequest ::= version, name, authentication (RFC 4511 4.2) */
static bool bind(struct state *s, struct cursor *c, struct dissect_ctx *ctx)
{
	uint8_t tag;
	struct span version, name, v;
	if (!ber_next(c, &tag, &version) || tag != BER_INTEGER || !ber_next(c, &tag, &name) || !ber_next(c, &tag, &v))
		return false;
	struct observation o = said(false, "bind");
	uint32_t number = ber_uint(version);
	if (number == 2 || number == 3)
		observation_text(&o, OBSERVATION_F_protocol_version, span_str(number == 2 ? "2" : "3"));
	observation_uint(&o, OBSERVATION_F_user_named, name.n > 0);
	s->anonymous = tag == SIMPLE && !v.n;
	if (tag == SASL) {
		struct cursor in = cursor_from(v);
		struct span mechanism;
		if (ber_next(&in, &tag, &mechanism) && tag == BER_OCTETS)
			(void)plain_text(&o, OBSERVATION_F_auth, mechanism);
	} else {
		observation_text(&o, OBSERVATION_F_auth, span_str(tag != SIMPLE ? "other" : s->anonymous ? "anonymous" : "simple"));
		observation_uint(&o, OBSERVATION_F_security, s->anonymous ? OBSERVATION_SECURITY_NONE : OBSERVATION_CLEAR_TEXT);
	}
	if (!s->anonymous)
		observation_uint(&o, OBSERVATION_F_login, OBSERVATION_LOGIN_ATTEMPTED);
	ctx->emit(ctx->arg, &o);
	return true;
}

/* True: it is settled. */
static bool answer(struct state *s, uint8_t op, struct cursor *c, struct dissect_ctx *ctx)
{
	uint8_t tag;
	struct span v;
	if (!ber_next(c, &tag, &v) || tag != BER_ENUM)
		return false;
	uint32_t code = ber_uint(v);
	if (op == EXTENDED_ANSWER ? !s->tls_asked : code == IN_PROGRESS)
		return false;
	struct observation o = said(true, op == EXTENDED_ANSWER ? "starttls" : "bind");
	observation_uint(&o, OBSERVATION_F_code, code);
	if (op == EXTENDED_ANSWER)
		observation_uint(&o, OBSERVATION_F_security, code ? OBSERVATION_CLEAR_TEXT : OBSERVATION_TLS);
	else if (!s->anonymous)
		observation_uint(&o, OBSERVATION_F_login, code ? OBSERVATION_LOGIN_REFUSED : OBSERVATION_LOGIN_ACCEPTED);
	ctx->emit(ctx->arg, &o);
	s->tls_asked = false;
	return !code;
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct state *s = state;
	size_t total = 0;
	uint8_t op = 0;
	switch (operation(in, &total, &op)) {
	case DISSECT_MAYBE:
		return in.n < HEAD ? plain_more(in.n + 1) : plain_bad();
	case DISSECT_NO:
		return plain_bad();
	default:
		break;
	}
	bool wanted = op == BIND || op == BIND_ANSWER || op == EXTENDED || op == EXTENDED_ANSWER;
	if (op == BIND || op == EXTENDED || op == BIND_ANSWER || op == EXTENDED_ANSWER)
		plain_from(ctx, op == BIND || op == EXTENDED);
	if (!wanted || total > HELD)
		return (struct dissect_result){ DISSECT_SKIP, 0, total };
	if (in.n < total)
		return plain_more(total);
	struct cursor c = cursor_from((struct span){ in.p, total }), m = ber_enter(&c, BER_SEQUENCE);
	uint8_t tag;
	struct span v;
	(void)ber_next(&m, &tag, &v);
	struct cursor body = ber_enter(&m, op);
	bool settled = false;
	if (op == BIND) {
		if (!bind(s, &body, ctx))
			return plain_bad();
	} else if (op == EXTENDED) {
		s->tls_asked = ber_next(&body, &tag, &v) && tag == EXTENDED_OID && span_eq(v, span_str("1.3.6.1.4.1.1466.20037"));
	} else {
		settled = answer(s, op, &body, ctx);
	}
	return settled ? plain_done(total) : plain_ok(total);
}

const struct dissector ldap_dissector = {
	.name = "ldap",
	.transports = DISSECT_TCP,
	.ports = { 389, 3268 },
	.state_size = sizeof(struct state),
	.max_message = HELD,
	.probe = probe,
	.parse = parse,
};
