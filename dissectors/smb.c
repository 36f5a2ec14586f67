/* smb.c -- SMB 1 (MS-SMB), 2 and 3 (MS-SMB2): the dialect that is agreed on, whether messages are signed, what the server
 * is called (NTLM challenge, MS-NLMP 2.2.1.2) and how the log-in went. Shares, files and users are not read. */
#include <string.h>

#include "dissectors/plain.h"

enum {
	FRAME = 4, HEAD = 1024,         /* what is looked at of a message */
	SMB1_NEGOTIATE = 0x72, SMB1_SETUP = 0x73, SMB1_REPLY = 0x80, SMB1_HEADER = 32,
	SMB2_NEGOTIATE = 0, SMB2_SETUP = 1, SMB2_HEADER = 64, SMB2_RESPONSE = 1, SMB2_WILDCARD = 0x02ff,
	SESSION_FIRST = 0x81, SESSION_LAST = 0x85,      /* RFC 1002 4.3.1 */
};
#define MORE_PROCESSING 0xc0000016u

struct state {
	bool negotiated, named;
};

static enum dissect_guess probe(struct span head, bool midstream)
{
	(void)midstream;
	struct cursor c = cursor_from(head);
	uint8_t type = cursor_u8(&c), high = cursor_u8(&c);
	uint16_t n = cursor_u16be(&c);
	if (head.n && type && (type < SESSION_FIRST || type > SESSION_LAST))
		return DISSECT_NO;
	if (head.n > 1 && high > 1)
		return DISSECT_NO;
	if (!cursor_ok(&c))
		return DISSECT_MAYBE;
	/* Before SMB, over port 139: a session request with two encoded names (RFC 1002 4.3.2), or its short answers. */
	if (type)
		return type == SESSION_FIRST ? (n == 68 ? DISSECT_YES : DISSECT_NO) : n <= 6 ? DISSECT_YES : DISSECT_NO;
	uint8_t kind = cursor_u8(&c);
	if (cursor_ok(&c) && (kind < 0xfc || n < SMB1_HEADER))
		return DISSECT_NO;
	return plain_begins(span_from(head, FRAME + 1), "SMB");
}

static struct observation said(bool server)
{
	struct observation o = { .head.type = OBSERVATION_SMB_NEGOTIATE };
	observation_uint(&o, OBSERVATION_F_speaker, server ? OBSERVATION_SERVER : OBSERVATION_CLIENT);
	return o;
}

/* UTF-16 of plain letters, as computer and domain names are. */
static struct span narrow(struct span wide, uint8_t out[64])
{
	size_t n = wide.n / 2 < 64 ? wide.n / 2 : 64;
	for (size_t i = 0; i < n; i++) {
		if (wide.p[2 * i + 1])
			return (struct span){ 0 };
		out[i] = wide.p[2 * i];
	}
	return (struct span){ out, n };
}

/* The challenge says who the server is: MS-NLMP 2.2.1.2, 2.2.2.1. */
static bool challenge(struct state *s, struct span body, struct dissect_ctx *ctx)
{
	static const uint8_t signature[12] = "NTLMSSP\0\2\0\0";
	enum { INFO = 40, BUILD = 48, HEADER = 56, COMPUTER = 1, DOMAIN = 2 };
	for (size_t i = 0; i + HEADER <= body.n; i++) {
		if (body.p[i] != 'N' || memcmp(body.p + i, signature, sizeof(signature)))
			continue;
		struct span m = span_from(body, i);
		struct cursor at = cursor_from(span_from(m, INFO));
		uint16_t n = cursor_u16le(&at);
		cursor_skip(&at, 2);
		uint32_t offset = cursor_u32le(&at);
		struct observation o = said(true);
		uint8_t name[64], domain[64];
		observation_text(&o, OBSERVATION_F_auth, span_str("ntlm"));
		struct cursor c = cursor_from(offset < m.n ? span_from(m, offset) : (struct span){ 0 }), pairs = cursor_sub(&c, n);
		while (cursor_left(&pairs)) {
			uint16_t id = cursor_u16le(&pairs), len = cursor_u16le(&pairs);
			struct span v = cursor_take(&pairs, len);
			if (!id || !cursor_ok(&pairs))
				break;
			if (id == COMPUTER)
				(void)plain_text(&o, OBSERVATION_F_hostname, narrow(v, name));
			else if (id == DOMAIN)
				(void)plain_text(&o, OBSERVATION_F_realm, narrow(v, domain));
		}
		const uint8_t *v = m.p + BUILD;
		uint8_t text[32];
		struct buf b = buf_over(text, sizeof(text));
		if (v[0] && !buf_printf(&b, "Windows %u.%u.%u", v[0], v[1], (unsigned)(v[2] | v[3] << 8)))
			(void)plain_text(&o, OBSERVATION_F_product, buf_span(&b));
		ctx->emit(ctx->arg, &o);
		s->named = true;
		return true;
	}
	return false;
}

/* True: the log-in is over, and what follows is files. */
static bool setup_answer(struct state *s, uint32_t status, struct span body, struct dissect_ctx *ctx)
{
	if (status == MORE_PROCESSING) {
		if (!s->named)
			(void)challenge(s, body, ctx);
		return false;
	}
	struct observation o = said(true);
	observation_uint(&o, OBSERVATION_F_code, status);
	observation_uint(&o, OBSERVATION_F_login, status ? OBSERVATION_LOGIN_REFUSED : OBSERVATION_LOGIN_ACCEPTED);
	ctx->emit(ctx->arg, &o);
	return true;
}

/* MS-CIFS 2.2.4.52.2, MS-SMB 2.2.4.5.2 */
static bool smb1(struct state *s, struct span m, struct dissect_ctx *ctx)
{
	enum { PLAIN = 2, ENABLED = 4, REQUIRED = 8, NT_WORDS = 17 };
	if (m.n < SMB1_HEADER + 1)
		return false;
	bool reply = m.p[9] & SMB1_REPLY;
	plain_from(ctx, !reply);
	uint32_t status = (uint32_t)m.p[5] | (uint32_t)m.p[6] << 8 | (uint32_t)m.p[7] << 16 | (uint32_t)m.p[8] << 24;
	if (m.p[4] == SMB1_SETUP && reply)
		return setup_answer(s, status, span_from(m, SMB1_HEADER), ctx);
	if (m.p[4] != SMB1_NEGOTIATE || !reply || s->negotiated || m.n < SMB1_HEADER + 4)
		return false;
	struct observation o = said(true);
	observation_text(&o, OBSERVATION_F_protocol_version, span_str("1"));
	uint8_t words = m.p[SMB1_HEADER], mode = m.p[SMB1_HEADER + 3];
	if (words == NT_WORDS) {
		observation_uint(&o, OBSERVATION_F_security,
				 mode & REQUIRED  ? OBSERVATION_SIGNING_REQUIRED
				 : mode & ENABLED ? OBSERVATION_SIGNING_ENABLED
						  : OBSERVATION_SIGNING_OFF);
		observation_text(&o, OBSERVATION_F_auth, span_str(mode & PLAIN ? "challenge" : "plain"));
	}
	ctx->emit(ctx->arg, &o);
	s->negotiated = true;
	return false;
}

/* MS-SMB2 2.2.1, 2.2.4, 2.2.6 */
static bool smb2(struct state *s, struct span m, struct dissect_ctx *ctx)
{
	if (m.n < SMB2_HEADER + 8)
		return false;
	struct cursor at = cursor_from(span_from(m, 12));
	unsigned command = cursor_u16le(&at);
	bool reply = m.p[16] & SMB2_RESPONSE;
	plain_from(ctx, !reply);
	if (!reply)
		return false;
	uint32_t status = (uint32_t)m.p[8] | (uint32_t)m.p[9] << 8 | (uint32_t)m.p[10] << 16 | (uint32_t)m.p[11] << 24;
	if (command == SMB2_SETUP)
		return setup_answer(s, status, span_from(m, SMB2_HEADER), ctx);
	unsigned mode = m.p[SMB2_HEADER + 2], dialect = m.p[SMB2_HEADER + 4] | (unsigned)m.p[SMB2_HEADER + 5] << 8;
	if (command != SMB2_NEGOTIATE || status || s->negotiated || dialect == SMB2_WILDCARD)
		return false;
	uint8_t text[16];
	struct buf b = buf_over(text, sizeof(text));
	if (dialect & 15)
		(void)buf_printf(&b, "%u.%u.%u", dialect >> 8, dialect >> 4 & 15, dialect & 15);
	else
		(void)buf_printf(&b, "%u.%u", dialect >> 8, dialect >> 4 & 15);
	struct observation o = said(true);
	(void)plain_text(&o, OBSERVATION_F_protocol_version, buf_span(&b));
	observation_uint(&o, OBSERVATION_F_security,
			 mode & 2 ? OBSERVATION_SIGNING_REQUIRED : mode & 1 ? OBSERVATION_SIGNING_ENABLED : OBSERVATION_SIGNING_OFF);
	ctx->emit(ctx->arg, &o);
	s->negotiated = true;
	return false;
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct state *s = state;
	if (in.n < FRAME)
		return plain_more(FRAME);
	size_t n = (size_t)in.p[1] << 16 | (size_t)in.p[2] << 8 | in.p[3], head = n < HEAD ? n : HEAD;
	if (in.p[0] && (in.p[0] < SESSION_FIRST || in.p[0] > SESSION_LAST))
		return plain_bad();
	if (in.n < FRAME + head)
		return plain_more(FRAME + head);
	struct span m = { in.p + FRAME, head };
	bool over = false;
	if (!in.p[0] && n >= 4) {
		if (memcmp(m.p + 1, "SMB", 3) != 0 || m.p[0] < 0xfc)
			return plain_bad();
		over = m.p[0] == 0xff ? smb1(s, m, ctx) : m.p[0] == 0xfe ? smb2(s, m, ctx) : true;      /* else encrypted */
	}
	if (over)
		return plain_done(FRAME + head);
	if (n > head)
		return (struct dissect_result){ DISSECT_SKIP, FRAME + head, n - head };
	return plain_ok(FRAME + head);
}

const struct dissector smb_dissector = {
	.name = "smb",
	.transports = DISSECT_TCP,
	.ports = { 445, 139 },
	.state_size = sizeof(struct state),
	.max_message = FRAME + HEAD,
	.probe = probe,
	.parse = parse,
};
