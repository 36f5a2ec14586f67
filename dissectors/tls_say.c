/* tls_say.c -- what is said of a handshake and of a certificate.
 *
 * Names in certificates: a server's certificate names a machine, so its common name leaves when it is a host name, and so do its
 * DNS names; organisations and the issuer's name leave as labels. A client's certificate may name a person (doctors' cards in
 * mutual TLS): of its subject and its alternative names nothing leaves, and of its issuer nothing when it issued itself.
 */
#include <string.h>

#include "dissectors/tls.h"
#include "dissectors/x509.h"

static void put_hash(struct observation *o, enum observation_field f, const uint8_t sum[DIGEST_MD5_BYTES],
		     char room[2 * DIGEST_MD5_BYTES])
{
	digest_hex(sum, DIGEST_MD5_BYTES, room);
	(void)observation_text(o, f, (struct span){ (const uint8_t *)room, 2 * DIGEST_MD5_BYTES });
}

/* Assumed from the port; IANA gives them to DICOM over ISCL and TLS, HL7 over TLS is 2575's in practice. */
static const char *service_of_port(uint16_t port)
{
	switch (port) {
	case 2761:
	case 2762: return "dicom";
	case 443:
	case 8443: return "http";
	case 636:
	case 3269: return "ldap";
	case 6514: return "syslog";
	case 853: return "dns";
	case 465: return "smtp";
	case 993: return "imap";
	case 995: return "pop3";
	case 990: return "ftp";
	default: return NULL;
	}
}

/* What travels inside, and how we would know. Application protocols are IANA's TLS ALPN names. */
static void put_assumed(struct observation *o, const struct tls_flow *f, const struct dissect_ctx *ctx)
{
	const char *inside = NULL;
	uint64_t by = OBSERVATION_ASSUMED_ALPN;
	struct span alpn = { f->server.alpn, f->server.alpn_n };
	if (span_eq(alpn, span_str("h2")) || (alpn.n > 5 && !memcmp(alpn.p, "http/", 5)))
		inside = "http";
	else if (span_eq(alpn, span_str("dicom")) || span_eq(alpn, span_str("acr-nema")))
		inside = "dicom";
	if (!inside) {
		by = OBSERVATION_ASSUMED_PORT;
		inside = service_of_port(ctx->port[!f->client_dir]);
	}
	if (!inside)
		return;
	(void)observation_text(o, OBSERVATION_F_assumed, span_str(inside));
	observation_uint(o, OBSERVATION_F_assumed_by, by);
}

static void put_client(struct observation *o, const struct tls_client_hello *c, struct buf *b, char *ja3)
{
	size_t at = b->len;
	for (unsigned v = OBSERVATION_TLS_13 + 1; v-- > OBSERVATION_TLS_SSL2;)
		if (c->versions >> v & 1) {
			(void)buf_str(b, b->len > at ? "," : "");
			(void)buf_str(b, vocab_word(&observation_vocab, OBSERVATION_F_tls_version, v));
		}
	if (b->len > at)
		(void)observation_text(o, OBSERVATION_F_tls_offered, (struct span){ b->data + at, b->len - at });
	if (c->sni_n)
		(void)observation_text(o, OBSERVATION_F_sni, (struct span){ c->sni, c->sni_n });
	if (c->alpn_n)
		(void)observation_text(o, OBSERVATION_F_alpn_offered, (struct span){ c->alpn, c->alpn_n });
	if (c->has_ja3)
		put_hash(o, OBSERVATION_F_ja3, c->ja3, ja3);
	if (c->ja4[0])
		(void)observation_text(o, OBSERVATION_F_ja4, (struct span){ (const uint8_t *)c->ja4, sizeof(c->ja4) });
}

/* RFC 8446, 6 and the IANA registry "TLS Alerts". */
static const char *alert_name(uint8_t code)
{
	static const struct {
		uint8_t code;
		const char *name;
	} alerts[] = {
		{ 0, "close_notify" }, { 10, "unexpected_message" }, { 20, "bad_record_mac" }, { 21, "decryption_failed" },
		{ 22, "record_overflow" }, { 30, "decompression_failure" }, { 40, "handshake_failure" },
		{ 41, "no_certificate" }, { 42, "bad_certificate" }, { 43, "unsupported_certificate" },
		{ 44, "certificate_revoked" }, { 45, "certificate_expired" }, { 46, "certificate_unknown" },
		{ 47, "illegal_parameter" }, { 48, "unknown_ca" }, { 49, "access_denied" }, { 50, "decode_error" },
		{ 51, "decrypt_error" }, { 60, "export_restriction" }, { 70, "protocol_version" },
		{ 71, "insufficient_security" }, { 80, "internal_error" }, { 86, "inappropriate_fallback" },
		{ 90, "user_canceled" }, { 100, "no_renegotiation" }, { 109, "missing_extension" },
		{ 110, "unsupported_extension" }, { 112, "unrecognized_name" }, { 115, "unknown_psk_identity" },
		{ 116, "certificate_required" }, { 120, "no_application_protocol" }, { 121, "ech_required" },
	};
	for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
		if (alerts[i].code == code)
			return alerts[i].name;
	return "other";
}

static bool resumed(const struct tls_flow *f)
{
	const struct tls_server_hello *s = &f->server;
	if (s->version == OBSERVATION_TLS_13)
		return s->psk;
	/* RFC 5246, 7.3 and RFC 5077, 3.4: the server's flight has no certificate, and the session is the one asked for. */
	return f->has_client && !f->certificate && s->session_n && s->session_n == f->client.session_n &&
	       !memcmp(s->session, f->client.session, s->session_n);
}

void tls_say_handshake(struct tls_flow *f, struct dissect_ctx *ctx)
{
	if (f->said || (!f->has_client && !f->has_server && !f->retried && !f->has_alert))
		return;
	f->said = true;
	struct observation o = { .head.type = OBSERVATION_TLS_HANDSHAKE };
	uint8_t text[64];
	char cipher[TLS_CIPHER_ROOM], ja3[2 * DIGEST_MD5_BYTES], ja3s[2 * DIGEST_MD5_BYTES];
	struct buf b = buf_over(text, sizeof(text));
	if (f->has_client)
		put_client(&o, &f->client, &b, ja3);
	if (f->has_server) {
		const struct tls_server_hello *s = &f->server;
		observation_uint(&o, OBSERVATION_F_tls_version, s->version);
		observation_uint(&o, OBSERVATION_F_tls_below_12, s->version < OBSERVATION_TLS_12);
		(void)observation_text(&o, OBSERVATION_F_cipher, tls_cipher_name(s->cipher, cipher));
		observation_uint(&o, OBSERVATION_F_cipher_weakness, tls_cipher_weakness(s->cipher));
		if (s->alpn_n)
			(void)observation_text(&o, OBSERVATION_F_alpn, (struct span){ s->alpn, s->alpn_n });
		put_hash(&o, OBSERVATION_F_ja3s, s->ja3s, ja3s);
		if (f->has_client)
			observation_uint(&o, OBSERVATION_F_resumed, resumed(f));
		/* TLS 1.3 hides the certificates and the request for one. */
		if (s->version < OBSERVATION_TLS_13 && !f->partial && !resumed(f))
			observation_uint(&o, OBSERVATION_F_client_certificate,
					 f->sent       ? OBSERVATION_CLIENT_CERTIFICATE_SENT
					 : f->declined ? OBSERVATION_CLIENT_CERTIFICATE_DECLINED
					 : f->asked    ? OBSERVATION_CLIENT_CERTIFICATE_REQUESTED
						       : OBSERVATION_CLIENT_CERTIFICATE_NOT_REQUESTED);
	}
	if (f->retried)
		observation_uint(&o, OBSERVATION_F_hello_retry, true);
	if (f->has_alert) {
		(void)observation_text(&o, OBSERVATION_F_alert, span_str(alert_name(f->alert)));
		if (f->has_client || f->has_server || f->retried || ctx->client != DISSECT_CLIENT_UNKNOWN)
			observation_uint(&o, OBSERVATION_F_alert_from,
					 f->alert_dir == f->client_dir ? OBSERVATION_FROM_CLIENT : OBSERVATION_FROM_SERVER);
	}
	if (f->partial)
		observation_uint(&o, OBSERVATION_F_partial, true);
	put_assumed(&o, f, ctx);
	unsigned dir = ctx->dir;
	ctx->dir = f->client_dir;
	ctx->emit(ctx->arg, &o);
	ctx->dir = dir;
}

/* DNS names joined by commas, as many as fit. */
static unsigned put_names(struct observation *o, struct span list, struct buf *b)
{
	struct cursor c = cursor_from(list);
	struct span name;
	unsigned n = 0;
	while (x509_next_name(&c, &name)) {
		n++;
		if (vocab_fits(VOCAB_G_DNS, TLS_NAME_BYTES, name) && b->len + 1 + name.n <= b->cap) {
			(void)buf_str(b, b->len ? "," : "");
			(void)buf_put(b, name.p, name.n);
		}
	}
	if (b->len)
		(void)observation_text(o, OBSERVATION_F_dns_names, buf_span(b));
	return n;
}

static void put_label(struct observation *o, enum observation_field f, struct span text)
{
	if (text.n)
		(void)observation_text(o, f, text);
}

static void put_subject(struct observation *o, const struct x509 *x, struct buf *names)
{
	if (vocab_fits(VOCAB_G_DNS, TLS_NAME_BYTES, x->subject_cn))
		(void)observation_text(o, OBSERVATION_F_subject_name, x->subject_cn);
	put_label(o, OBSERVATION_F_subject_org, x->subject_o);
	unsigned n = put_names(o, x->names, names);
	if (n)
		observation_uint(o, OBSERVATION_F_dns_names_n, n);
}

static void put_issuer(struct observation *o, const struct x509 *x, bool server)
{
	if (x->self_issued && !server)
		return;
	/* Who issued itself is not an authority but the machine: the rule of its subject. */
	if (!x->self_issued || vocab_fits(VOCAB_G_DNS, TLS_NAME_BYTES, x->issuer_cn))
		put_label(o, OBSERVATION_F_issuer_name, x->issuer_cn);
	put_label(o, OBSERVATION_F_issuer_org, x->issuer_o);
}

static void say_certificate(struct span der, unsigned chain, bool server, struct dissect_ctx *ctx)
{
	struct observation o = { .head.type = OBSERVATION_TLS_CERTIFICATE };
	struct x509 x;
	uint8_t names[512], sum[DIGEST_SHA256_BYTES];
	char fingerprint[2 * DIGEST_SHA256_BYTES];
	struct buf b = buf_over(names, sizeof(names));
	bool read = x509_parse(der, &x);
	observation_uint(&o, OBSERVATION_F_certificate_of, server ? OBSERVATION_FROM_SERVER : OBSERVATION_FROM_CLIENT);
	observation_uint(&o, OBSERVATION_F_chain, chain);
	if (!read)
		observation_uint(&o, OBSERVATION_F_partial, true);
	if (read && server) {
		put_subject(&o, &x, &b);
		digest_sha256(der, sum);
		digest_hex(sum, sizeof(sum), fingerprint);
		(void)observation_text(&o, OBSERVATION_F_fingerprint,
				       (struct span){ (const uint8_t *)fingerprint, sizeof(fingerprint) });
	}
	if (read) {
		put_issuer(&o, &x, server);
		observation_uint(&o, OBSERVATION_F_self_signed, x.self_issued);
		observation_uint(&o, OBSERVATION_F_key_type, x.key);
		if (x.key_bits)
			observation_uint(&o, OBSERVATION_F_key_bits, x.key_bits);
		observation_uint(&o, OBSERVATION_F_signature, x.signature);
	}
	if (read && x.has_validity) {
		observation_uint(&o, OBSERVATION_F_not_before, x.not_before_ns);
		if (x.not_after_ns != UINT64_MAX)
			observation_uint(&o, OBSERVATION_F_not_after, x.not_after_ns);
		observation_uint(&o, OBSERVATION_F_validity,
				 ctx->ts_ns < x.not_before_ns  ? OBSERVATION_VALIDITY_NOT_YET
				 : ctx->ts_ns > x.not_after_ns ? OBSERVATION_VALIDITY_EXPIRED
							       : OBSERVATION_VALIDITY_VALID);
	}
	ctx->emit(ctx->arg, &o);
}

bool tls_say_certificate(struct tls_flow *f, struct span body, struct dissect_ctx *ctx)
{
	struct cursor c = cursor_from(body), list;
	size_t n = (size_t)cursor_u8(&c) << 16;
	list = cursor_sub(&c, n | cursor_u16be(&c));
	struct span first = { 0 };
	unsigned chain = 0;
	while (cursor_left(&list)) {
		n = (size_t)cursor_u8(&list) << 16;
		struct span one = cursor_take(&list, n | cursor_u16be(&list));
		if (!chain++)
			first = one;
	}
	if (!cursor_ok(&c) || cursor_left(&c) || !cursor_ok(&list))
		return false;
	bool server = ctx->dir != f->client_dir;
	if (server) {
		if (f->certificate)
			return true;
		f->certificate = true;
	} else {
		f->sent = chain > 0;
		f->declined = !chain;
	}
	if (chain)
		say_certificate(first, chain, server, ctx);
	return true;
}
