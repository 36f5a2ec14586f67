/* kerberos.c -- Kerberos 5 (RFC 4120) over UDP and TCP: what is asked for and how it ends, in which realm. Principals name
 * people and are not read. */
#include "dissectors/ber.h"
#include "dissectors/plain.h"

enum {
	AS_REQ = 0x6a, AS_REP, TGS_REQ, TGS_REP, AP_REQ, AP_REP, KRB_ERROR = 0x7e,
	HELD = 16 << 10, VERSION = 5,
	FIELD_0 = 0xa0,                 /* [0] constructed, context-specific */
	PREAUTH_FAILED = 24, PREAUTH_REQUIRED = 25, CLIENT_UNKNOWN = 6, CLIENT_REVOKED = 18, KEY_EXPIRED = 23,
};

static const char *name_of(uint8_t tag)
{
	static const char *const names[] = { "AS-REQ", "AS-REP", "TGS-REQ", "TGS-REP", "AP-REQ", "AP-REP" };
	return tag == KRB_ERROR ? "KRB-ERROR" : tag >= AS_REQ && tag <= AP_REP ? names[tag - AS_REQ] : NULL;
}

/* Requests begin with [1] pvno 5, the others with [0]; then the type again (RFC 4120 5.4, 5.9). */
static enum dissect_guess shape(struct span s)
{
	size_t total, inner;
	if (s.n && !name_of(s.p[0]))
		return DISSECT_NO;
	enum dissect_guess g = s.n ? ber_head(s, s.p[0], &total) : DISSECT_MAYBE;
	if (g != DISSECT_YES)
		return g;
	struct span seq = span_from(s, s.p[1] & 0x80 ? 2u + (s.p[1] & 0x7f) : 2);
	g = ber_head(seq, BER_SEQUENCE, &inner);
	if (g != DISSECT_YES)
		return g;
	struct span first = span_from(seq, seq.p[1] & 0x80 ? 2u + (seq.p[1] & 0x7f) : 2);
	bool request = s.p[0] == AS_REQ || s.p[0] == TGS_REQ;
	const uint8_t want[] = { (uint8_t)(FIELD_0 + request), 3, BER_INTEGER, 1, VERSION };
	for (size_t i = 0; i < sizeof(want) && i < first.n; i++)
		if (first.p[i] != want[i])
			return DISSECT_NO;
	return first.n < sizeof(want) ? DISSECT_MAYBE : DISSECT_YES;
}

static bool is_kerberos(struct span d) { return shape(d) == DISSECT_YES; }

/* The realm of a message: [2] of a request's body, [3] of a reply, [9] of an error. */
static struct span realm_of(uint8_t tag, struct cursor *seq)
{
	struct span v = { 0 }, realm = { 0 };
	uint8_t got;
	bool request = tag == AS_REQ || tag == TGS_REQ;
	if (!ber_find(seq, (uint8_t)(FIELD_0 + (request ? 4 : tag == KRB_ERROR ? 9 : 3)), &v))
		return realm;
	struct cursor c = cursor_from(v);
	if (request) {
		c = ber_enter(&c, BER_SEQUENCE);
		if (!ber_find(&c, FIELD_0 + 2, &v))
			return realm;
		c = cursor_from(v);
	}
	return ber_next(&c, &got, &v) && got == BER_GENERAL ? v : realm;
}

static enum dissect_status message(struct span m, struct dissect_ctx *ctx)
{
	if (!is_kerberos(m))
		return DISSECT_BAD;
	uint8_t tag = m.p[0];
	bool request = tag == AS_REQ || tag == TGS_REQ || tag == AP_REQ;
	plain_from(ctx, request);
	struct observation o = { .head.type = OBSERVATION_KERBEROS_MESSAGE };
	observation_uint(&o, OBSERVATION_F_speaker, request ? OBSERVATION_CLIENT : OBSERVATION_SERVER);
	observation_text(&o, OBSERVATION_F_operation, span_str(name_of(tag)));
	struct cursor c = cursor_from(m), app = ber_enter(&c, tag), seq = ber_enter(&app, BER_SEQUENCE);
	if (tag == KRB_ERROR) {
		struct cursor look = seq;
		struct span v;
		if (ber_find(&look, FIELD_0 + 6, &v)) {
			struct cursor in = cursor_from(v);
			uint8_t got;
			uint32_t code = ber_next(&in, &got, &v) ? ber_uint(v) : 0;
			observation_uint(&o, OBSERVATION_F_code, code);
			if (code == PREAUTH_FAILED || code == CLIENT_UNKNOWN || code == CLIENT_REVOKED || code == KEY_EXPIRED)
				observation_uint(&o, OBSERVATION_F_login, OBSERVATION_LOGIN_REFUSED);
		}
	} else if (tag == AS_REP) {
		observation_uint(&o, OBSERVATION_F_login, OBSERVATION_LOGIN_ACCEPTED);
	}
	struct span realm = realm_of(tag, &seq);
	if (realm.n)
		(void)plain_text(&o, OBSERVATION_F_realm, realm);
	ctx->emit(ctx->arg, &o);
	return DISSECT_OK;
}

static enum dissect_status datagram(void *state, struct span d, struct dissect_ctx *ctx)
{
	(void)state;
	return message(d, ctx);
}

/* RFC 4120 7.2.2: a length in four bytes goes before each message. */
static enum dissect_guess probe(struct span head, bool midstream)
{
	struct cursor c = cursor_from(head);
	(void)midstream;
	if (head.n && head.p[0])
		return DISSECT_NO;
	uint32_t n = cursor_u32be(&c);
	if (!cursor_ok(&c))
		return DISSECT_MAYBE;
	if (n < 16 || n > 1 << 20)
		return DISSECT_NO;
	return shape(cursor_rest(&c));
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	(void)state;
	struct cursor c = cursor_from(in);
	size_t n = cursor_u32be(&c);
	if (!cursor_ok(&c))
		return plain_more(4);
	if (n > HELD - 4)
		return plain_bad();
	if (cursor_left(&c) < n)
		return plain_more(4 + n);
	enum dissect_status s = message(cursor_take(&c, n), ctx);
	return s == DISSECT_BAD ? plain_bad() : plain_ok(4 + n);
}

const struct dissector kerberos_dissector = {
	.name = "kerberos",
	.transports = DISSECT_TCP | DISSECT_UDP,
	.ports = { 88 },
	.max_message = HELD,
	.probe = probe,
	.parse = parse,
	.is_datagram = is_kerberos,
	.datagram = datagram,
};
