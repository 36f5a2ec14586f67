#include <string.h>

#include "dissectors/tls.h"

static const struct {
	uint16_t code;
	const char *name;
} ciphers[] = {
#define CIPHER(code, name) { code, name },
#include "dissectors/tls_cipher.def"
#undef CIPHER
};

static const char *find(uint16_t code)
{
	size_t lo = 0, hi = sizeof(ciphers) / sizeof(ciphers[0]);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (ciphers[mid].code == code)
			return ciphers[mid].name;
		if (ciphers[mid].code < code)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct span tls_cipher_name(uint16_t code, char room[TLS_CIPHER_ROOM])
{
	const char *name = find(code);
	if (name)
		return span_str(name);
	static const char digits[] = "0123456789abcdef";
	memcpy(room, "0x", 2);
	for (int i = 0; i < 4; i++)
		room[2 + i] = digits[code >> (12 - 4 * i) & 15];
	return (struct span){ (const uint8_t *)room, 6 };
}

/* RFC 9325 (BCP 195), 4.1. The name says key exchange, cipher and hash (RFC 5246, A.5). */
unsigned tls_cipher_weakness(uint16_t code)
{
	static const struct {
		const char *part;
		unsigned weakness;
	} signs[] = {
		{ "_NULL_", OBSERVATION_CIPHER_NULL },           /* MUST NOT */
		{ "_anon_", OBSERVATION_CIPHER_ANONYMOUS },      /* nobody is authenticated (RFC 5246, A.5) */
		{ "_EXPORT", OBSERVATION_CIPHER_EXPORT },        /* MUST NOT: below 112 bits */
		{ "_RC4_", OBSERVATION_CIPHER_RC4 },             /* MUST NOT (RFC 7465) */
		{ "_RC2_", OBSERVATION_CIPHER_DES },
		{ "_DES_", OBSERVATION_CIPHER_DES },             /* MUST NOT: 56 bits */
		{ "_DES40_", OBSERVATION_CIPHER_DES },
		{ "_3DES_", OBSERVATION_CIPHER_3DES },           /* SHOULD NOT: below 128 bits, blocks of 64 */
		/* SHOULD NOT: RSA key transport, static DH and ECDH give no forward secrecy. */
		{ "TLS_RSA_WITH_", OBSERVATION_CIPHER_NO_FORWARD_SECRECY },
		{ "TLS_DH_RSA_", OBSERVATION_CIPHER_NO_FORWARD_SECRECY },
		{ "TLS_DH_DSS_", OBSERVATION_CIPHER_NO_FORWARD_SECRECY },
		{ "TLS_ECDH_", OBSERVATION_CIPHER_NO_FORWARD_SECRECY },
	};
	const char *name = find(code);
	if (!name)
		return OBSERVATION_CIPHER_UNKNOWN;
	/* Integrity only (RFC 9150). */
	if (code == 0xc0b4 || code == 0xc0b5)
		return OBSERVATION_CIPHER_NULL;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(name, signs[i].part))
			return signs[i].weakness;
	return OBSERVATION_CIPHER_FINE;
}
