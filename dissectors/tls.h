/* tls.h -- inside the TLS dissector: what its files (tls.c records and the course of a handshake, tls_hello.c the two hellos
 * and their fingerprints, tls_say.c what is said, tls_cipher.c the suites) share.
 * Facts: RFC 8446 (TLS 1.3), RFC 5246 (1.2), RFC 6101 (SSL 3.0), RFC 9325 (BCP 195).
 */
#ifndef DISSECTORS_TLS_H
#define DISSECTORS_TLS_H

#include "core/digest.h"
#include "dissectors/dissector.h"

enum {
	TLS_CIPHER_ROOM = 6,
	TLS_NAME_BYTES = 253,           /* longest host name (RFC 1035, 2.3.4) */
	TLS_ALPN_BYTES = 16,            /* longer than "http/1.1" */
	TLS_ALPN_LIST = 48,
	TLS_SESSION_BYTES = 32,         /* RFC 5246, 7.4.1.2 */
	TLS_JA4_BYTES = 36,
};

struct tls_client_hello {
	uint8_t versions;               /* a bit per OBSERVATION_TLS_*; of those listed, or the one named */
	uint8_t ja3[DIGEST_MD5_BYTES];
	char ja4[TLS_JA4_BYTES];        /* empty: too long a hello, or SSL 2 */
	bool has_ja3;
	uint8_t session_n, sni_n, alpn_n;
	uint8_t session[TLS_SESSION_BYTES], sni[TLS_NAME_BYTES], alpn[TLS_ALPN_LIST];   /* alpn: joined by commas */
};

struct tls_server_hello {
	uint8_t version;                /* OBSERVATION_TLS_* */
	uint16_t cipher;
	uint8_t ja3s[DIGEST_MD5_BYTES];
	bool retry, psk;
	uint8_t session_n, alpn_n;
	uint8_t session[TLS_SESSION_BYTES], alpn[TLS_ALPN_BYTES];
};

/* OBSERVATION_TLS_* of a version on the wire. */
unsigned tls_hello_version(uint16_t wire);
/* The body of the handshake message. False: broken; *ret is then garbage. */
bool tls_hello_client(struct span body, struct tls_client_hello *ret);
bool tls_hello_server(struct span body, struct tls_server_hello *ret);
/* An SSL 2 record with its two-byte header (RFC 5246, E.2). *ret_n: its length. MAYBE: more bytes are needed to tell. */
enum dissect_guess tls_hello_v2(struct span in, size_t *ret_n);
bool tls_hello_client_v2(struct span record, struct tls_client_hello *ret);

/* The name of a suite, or its number in hexadecimal, which lies in `room`. */
struct span tls_cipher_name(uint16_t code, char room[TLS_CIPHER_ROOM]);
/* OBSERVATION_CIPHER_*: what BCP 195 has against it. */
unsigned tls_cipher_weakness(uint16_t code);

struct tls_flow {                       /* what is known of one handshake */
	struct tls_client_hello client;
	struct tls_server_hello server;
	bool has_client, has_server;    /* the hellos above were read */
	bool retried;                   /* a HelloRetryRequest came first */
	bool certificate;               /* of the server: seen */
	bool asked, sent, declined;     /* certificate of the client */
	bool finished;                  /* the server said nothing more of its first flight, or both are encrypted */
	bool partial, said;
	bool has_alert;
	uint8_t alert, alert_dir;
	uint8_t client_dir;             /* with has_client or has_server */
};

/* tls.handshake, once. */
void tls_say_handshake(struct tls_flow *f, struct dissect_ctx *ctx);
/* tls.certificate of the first of a Certificate message (RFC 5246, 7.4.2). False: broken. Sets what f has of it. */
bool tls_say_certificate(struct tls_flow *f, struct span body, struct dissect_ctx *ctx);

extern const struct dissector tls_dissector;

#endif
