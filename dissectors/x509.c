#include "dissectors/x509.h"

#include <string.h>

enum {
	/* X.690, 8.1.2 and the tags of RFC 5280 */
	DER_INTEGER = 0x02, DER_BITS = 0x03, DER_OCTETS = 0x04, DER_OID = 0x06, DER_UTF8 = 0x0c, DER_PRINTABLE = 0x13,
	DER_T61 = 0x14, DER_IA5 = 0x16, DER_UTC_TIME = 0x17, DER_TIME = 0x18, DER_SEQUENCE = 0x30, DER_SET = 0x31,
	DER_BOOLEAN = 0x01, CONTEXT_0 = 0xa0, CONTEXT_3 = 0xa3, DNS_NAME = 0x82,
	/* Attributes in a name, extensions in a certificate: more are not looked at. Real ones have about ten. */
	MAX_ATTRIBUTES = 32, MAX_EXTENSIONS = 64,
};

/* Definite lengths, one-byte tags: all that DER has for what we read (X.690, 10.1). */
static bool take(struct cursor *c, uint8_t *ret_tag, struct span *ret)
{
	uint8_t tag = cursor_u8(c), first = cursor_u8(c);
	size_t n = first;
	if (first & 0x80) {
		unsigned bytes = first & 0x7f;
		if (!bytes || bytes > 3)
			c->failed = true;
		for (n = 0; bytes-- && cursor_ok(c);)
			n = n << 8 | cursor_u8(c);
	}
	*ret = cursor_take(c, n);
	*ret_tag = tag;
	return cursor_ok(c);
}

static bool expect(struct cursor *c, uint8_t tag, struct span *ret)
{
	uint8_t is = 0;
	if (take(c, &is, ret) && is != tag)
		c->failed = true;
	return cursor_ok(c);
}

struct oid {
	uint8_t n, b[9];
	uint8_t value;
};

static unsigned lookup(struct span oid, const struct oid *table, size_t n, unsigned otherwise)
{
	for (size_t i = 0; i < n; i++)
		if (oid.n == table[i].n && !memcmp(oid.p, table[i].b, oid.n))
			return table[i].value;
	return otherwise;
}

/* RFC 8017, A.2.4; RFC 5758; RFC 8410; RFC 3279. */
static const struct oid signatures[] = {
	{ 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2 }, OBSERVATION_SIGNATURE_MD2_RSA },
	{ 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4 }, OBSERVATION_SIGNATURE_MD5_RSA },
	{ 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5 }, OBSERVATION_SIGNATURE_SHA1_RSA },
	{ 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10 }, OBSERVATION_SIGNATURE_PSS },
	{ 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11 }, OBSERVATION_SIGNATURE_SHA256_RSA },
	{ 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12 }, OBSERVATION_SIGNATURE_SHA384_RSA },
	{ 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13 }, OBSERVATION_SIGNATURE_SHA512_RSA },
	{ 7, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1 }, OBSERVATION_SIGNATURE_SHA1_ECDSA },
	{ 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 }, OBSERVATION_SIGNATURE_SHA256_ECDSA },
	{ 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3 }, OBSERVATION_SIGNATURE_SHA384_ECDSA },
	{ 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4 }, OBSERVATION_SIGNATURE_SHA512_ECDSA },
	{ 3, { 0x2b, 0x65, 0x70 }, OBSERVATION_SIGNATURE_ED25519 },
	{ 3, { 0x2b, 0x65, 0x71 }, OBSERVATION_SIGNATURE_ED448 },
};
static const struct oid keys[] = {
	{ 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1 }, OBSERVATION_KEY_RSA },
	{ 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10 }, OBSERVATION_KEY_RSA },
	{ 7, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1 }, OBSERVATION_KEY_EC },
	{ 7, { 0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1 }, OBSERVATION_KEY_DSA },
	{ 3, { 0x2b, 0x65, 0x70 }, OBSERVATION_KEY_ED25519 },
	{ 3, { 0x2b, 0x65, 0x71 }, OBSERVATION_KEY_ED448 },
};
enum { AT_CN = 1, AT_O = 2, EXT_NAMES = 1 };
static const struct oid attributes[] = { { 3, { 0x55, 4, 3 }, AT_CN }, { 3, { 0x55, 4, 10 }, AT_O } };
static const struct oid extensions[] = { { 3, { 0x55, 0x1d, 17 }, EXT_NAMES } };
#define LOOKUP(oid, table, otherwise) lookup(oid, table, sizeof(table) / sizeof((table)[0]), otherwise)

/* The last common name and organisation of a Name: the most specific stands last (RFC 4514, 2.1). */
static void name(struct span in, struct span *ret_cn, struct span *ret_o)
{
	struct cursor rdns = cursor_from(in);
	struct span set, pair, oid, value;
	for (int i = 0; i < MAX_ATTRIBUTES && cursor_left(&rdns) && expect(&rdns, DER_SET, &set); i++) {
		struct cursor c = cursor_from(set);
		for (int k = 0; k < MAX_ATTRIBUTES && cursor_left(&c) && expect(&c, DER_SEQUENCE, &pair); k++) {
			struct cursor p = cursor_from(pair);
			uint8_t tag = 0;
			if (!expect(&p, DER_OID, &oid) || !take(&p, &tag, &value))
				return;
			if (tag != DER_UTF8 && tag != DER_PRINTABLE && tag != DER_T61 && tag != DER_IA5)
				continue;
			unsigned at = LOOKUP(oid, attributes, 0);
			if (at == AT_CN)
				*ret_cn = value;
			else if (at == AT_O)
				*ret_o = value;
		}
	}
}

static bool digits(struct cursor *c, size_t n, unsigned lo, unsigned hi, unsigned *ret)
{
	unsigned v = 0;
	while (n--) {
		uint8_t d = cursor_u8(c);
		if (d < '0' || d > '9')
			c->failed = true;
		v = v * 10 + (d - '0');
	}
	if (v < lo || v > hi)
		c->failed = true;
	*ret = v;
	return cursor_ok(c);
}

/* RFC 5280, 4.1.2.5: YYMMDDHHMMSSZ of 1950 to 2049, or YYYYMMDDHHMMSSZ. */
static bool time_of(struct cursor *c, uint64_t *ret_ns)
{
	uint8_t tag = 0;
	struct span text;
	unsigned y, m, d, hh, mm, ss;
	if (!take(c, &tag, &text) || (tag != DER_UTC_TIME && tag != DER_TIME))
		return false;
	struct cursor t = cursor_from(text);
	digits(&t, tag == DER_TIME ? 4 : 2, 0, 9999, &y);
	digits(&t, 2, 1, 12, &m);
	digits(&t, 2, 1, 31, &d);
	digits(&t, 2, 0, 23, &hh);
	digits(&t, 2, 0, 59, &mm);
	if (!digits(&t, 2, 0, 60, &ss))
		return false;
	if (tag == DER_UTC_TIME)
		y += y < 50 ? 2000 : 1900;
	if (y < 1970) {
		*ret_ns = 0;
		return true;
	}
	if (y >= 2554) {                /* 2^64 ns end in 2554; 99991231235959Z says: no end */
		*ret_ns = UINT64_MAX;
		return true;
	}
	/* Days of the civil calendar, counted from March. */
	unsigned year = m > 2 ? y : y - 1, month = (m + 9) % 12;
	uint64_t days = 365u * year + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + d - 1 - 719468;
	*ret_ns = (((days * 24 + hh) * 60 + mm) * 60 + ss) * UINT64_C(1000000000);
	return true;
}

/* SubjectPublicKeyInfo (RFC 5280, 4.1.2.7). */
static void key(struct span in, struct x509 *ret)
{
	struct cursor c = cursor_from(in);
	struct span algorithm, oid, bits, sequence, n;
	if (!expect(&c, DER_SEQUENCE, &algorithm) || !expect(&c, DER_BITS, &bits) || !bits.n)
		return;
	struct cursor a = cursor_from(algorithm);
	if (!expect(&a, DER_OID, &oid))
		return;
	ret->key = LOOKUP(oid, keys, OBSERVATION_KEY_OTHER);
	bits = span_from(bits, 1);
	struct cursor k = cursor_from(bits);
	if (ret->key == OBSERVATION_KEY_RSA && expect(&k, DER_SEQUENCE, &sequence)) {
		struct cursor s = cursor_from(sequence);
		if (!expect(&s, DER_INTEGER, &n))
			return;
		while (n.n && !n.p[0])
			n = span_from(n, 1);
		if (!n.n || n.n > 8192)
			return;
		ret->key_bits = (unsigned)n.n * 8;
		for (unsigned top = n.p[0]; !(top & 0x80); top <<= 1)
			ret->key_bits--;
	} else if (ret->key == OBSERVATION_KEY_EC && bits.n > 2 && bits.n < 1024) {
		/* A point: 04 and two coordinates, or 02 or 03 and one (SEC 1, 2.3.3). */
		size_t n_bytes = bits.p[0] == 4 ? (bits.n - 1) / 2 : bits.n - 1;
		ret->key_bits = n_bytes == 66 ? 521 : (unsigned)n_bytes * 8;
	} else if (ret->key == OBSERVATION_KEY_ED25519) {
		ret->key_bits = 256;
	} else if (ret->key == OBSERVATION_KEY_ED448) {
		ret->key_bits = 456;
	}
}

static void extension(struct span in, struct x509 *ret)
{
	struct cursor c = cursor_from(in);
	struct span oid, value;
	uint8_t tag = 0;
	if (!expect(&c, DER_OID, &oid) || LOOKUP(oid, extensions, 0) != EXT_NAMES || !take(&c, &tag, &value))
		return;
	if (tag == DER_BOOLEAN && !take(&c, &tag, &value))
		return;
	struct cursor v = cursor_from(value);
	if (tag == DER_OCTETS && expect(&v, DER_SEQUENCE, &value))
		ret->names = value;
}

bool x509_parse(struct span der, struct x509 *ret)
{
	*ret = (struct x509){ .key = OBSERVATION_KEY_OTHER, .signature = OBSERVATION_SIGNATURE_OTHER };
	struct cursor c = cursor_from(der);
	struct span certificate, body, serial, algorithm, oid, issuer, validity, subject, public_key, tail;
	if (!expect(&c, DER_SEQUENCE, &certificate))
		return false;
	c = cursor_from(certificate);
	if (!expect(&c, DER_SEQUENCE, &body))
		return false;
	c = cursor_from(body);
	uint8_t tag = 0;
	if (take(&c, &tag, &serial) && tag == CONTEXT_0)        /* version, absent in v1 */
		take(&c, &tag, &serial);
	if (!cursor_ok(&c) || tag != DER_INTEGER || !expect(&c, DER_SEQUENCE, &algorithm) ||
	    !expect(&c, DER_SEQUENCE, &issuer) || !expect(&c, DER_SEQUENCE, &validity) ||
	    !expect(&c, DER_SEQUENCE, &subject) || !expect(&c, DER_SEQUENCE, &public_key))
		return false;
	struct cursor a = cursor_from(algorithm);
	if (expect(&a, DER_OID, &oid))
		ret->signature = LOOKUP(oid, signatures, OBSERVATION_SIGNATURE_OTHER);
	name(issuer, &ret->issuer_cn, &ret->issuer_o);
	name(subject, &ret->subject_cn, &ret->subject_o);
	ret->self_issued = span_eq(issuer, subject);
	struct cursor v = cursor_from(validity);
	ret->has_validity = time_of(&v, &ret->not_before_ns) && time_of(&v, &ret->not_after_ns);
	key(public_key, ret);
	while (cursor_left(&c) && take(&c, &tag, &tail)) {
		struct cursor x = cursor_from(tail);
		struct span list, one;
		if (tag != CONTEXT_3 || !expect(&x, DER_SEQUENCE, &list))
			continue;
		x = cursor_from(list);
		for (int i = 0; i < MAX_EXTENSIONS && cursor_left(&x) && expect(&x, DER_SEQUENCE, &one); i++)
			extension(one, ret);
	}
	return true;
}

bool x509_next_name(struct cursor *names, struct span *ret)
{
	uint8_t tag = 0;
	while (cursor_left(names) && take(names, &tag, ret))
		if (tag == DNS_NAME)
			return true;
	return false;
}
