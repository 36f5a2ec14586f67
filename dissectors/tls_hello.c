/* tls_hello.c -- ClientHello and ServerHello, and the fingerprints that others compute of them.
 *
 * JA3 (public description by its authors at Salesforce): MD5 of "version,ciphers,extensions,groups,point formats", numbers in
 * decimal joined by "-", in the order sent, without GREASE. JA3S: the same of "version,cipher,extensions" of the server.
 * JA4 of a TLS client (FoxIO, technical description under the BSD 3-clause licence): t, version, d or i for a server name, counts
 * of ciphers and extensions, first and last character of the first ALPN; then 12 hexadecimal digits of SHA-256 of the sorted
 * ciphers, and of the sorted extensions (without server name and ALPN) and the signature algorithms as sent.
 */
#include <string.h>

#include "dissectors/tls.h"

enum {
	/* RFC 8446, 4.2; RFC 8422, 5.1.2 */
	SERVER_NAME = 0, SUPPORTED_GROUPS = 10, EC_POINT_FORMATS = 11, SIGNATURE_ALGORITHMS = 13, ALPN = 16,
	PRE_SHARED_KEY = 41, SUPPORTED_VERSIONS = 43,
	/* Ciphers, extensions and signature algorithms that a JA4 is made of; real hellos have below a hundred. */
	JA4_LIST = 256,
};

static bool grease(uint16_t v)          /* RFC 8701, 2 */
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

unsigned tls_hello_version(uint16_t wire)
{
	switch (wire) {
	case 0x0002: return OBSERVATION_TLS_SSL2;
	case 0x0300: return OBSERVATION_TLS_SSL3;
	case 0x0301: return OBSERVATION_TLS_10;
	case 0x0302: return OBSERVATION_TLS_11;
	case 0x0303: return OBSERVATION_TLS_12;
	case 0x0304: return OBSERVATION_TLS_13;
	default: return wire >> 8 == 0x7f ? OBSERVATION_TLS_13 : OBSERVATION_TLS_OTHER;   /* 7f: drafts of 1.3 */
	}
}

/* ---- JA3 ---- */

static void put_number(struct digest_md5 *m, uint16_t v, bool *first)
{
	char text[6];
	size_t n = sizeof(text);
	do
		text[--n] = (char)('0' + v % 10);
	while (v /= 10);
	if (!*first)
		text[--n] = '-';
	*first = false;
	digest_md5_put(m, (struct span){ (const uint8_t *)text + n, sizeof(text) - n });
}

/* A list of numbers of `width` bytes. */
static void put_list(struct digest_md5 *m, struct span list, unsigned width)
{
	struct cursor c = cursor_from(list);
	bool first = true;
	while (cursor_left(&c) >= width) {
		uint16_t v = width == 2 ? cursor_u16be(&c) : cursor_u8(&c);
		if (width == 1 || !grease(v))
			put_number(m, v, &first);
	}
}

static bool next_extension(struct cursor *c, uint16_t *ret_type, struct span *ret)
{
	if (!cursor_left(c))
		return false;
	*ret_type = cursor_u16be(c);
	*ret = cursor_take(c, cursor_u16be(c));
	return cursor_ok(c);
}

static void put_extensions(struct digest_md5 *m, struct span extensions)
{
	struct cursor c = cursor_from(extensions);
	uint16_t type;
	struct span body;
	bool first = true;
	while (next_extension(&c, &type, &body))
		if (!grease(type))
			put_number(m, type, &first);
}

static void comma(struct digest_md5 *m) { digest_md5_put(m, span_str(",")); }

static void begin(struct digest_md5 *m, uint16_t version)
{
	bool first = true;
	digest_md5_init(m);
	put_number(m, version, &first);
	comma(m);
}

/* ---- JA4 ---- */

struct numbers {
	uint16_t v[JA4_LIST];
	size_t n;
	bool full;
};

static void add(struct numbers *l, uint16_t v)
{
	if (grease(v))
		return;
	if (l->n < JA4_LIST)
		l->v[l->n++] = v;
	else
		l->full = true;
}

static void sort(struct numbers *l)
{
	for (size_t i = 1; i < l->n; i++)
		for (size_t k = i; k && l->v[k - 1] > l->v[k]; k--) {
			uint16_t v = l->v[k];
			l->v[k] = l->v[k - 1];
			l->v[k - 1] = v;
		}
}

static void put_hex(struct buf *b, const struct numbers *l)
{
	for (size_t i = 0; i < l->n; i++) {
		uint8_t bytes[2] = { (uint8_t)(l->v[i] >> 8), (uint8_t)l->v[i] };
		char hex[4];
		digest_hex(bytes, 2, hex);
		if (i)
			(void)buf_u8(b, ',');
		(void)buf_put(b, hex, sizeof(hex));
	}
}

static void put_hash(const struct buf *b, char *ret)
{
	uint8_t sum[DIGEST_SHA256_BYTES] = { 0 };
	if (b->len)
		digest_sha256(buf_span(b), sum);
	digest_hex(sum, 6, ret);
}

static bool alphanumeric(uint8_t b)
{
	return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
}

struct hello {                          /* the parts of a ClientHello that the fingerprints are made of */
	uint16_t version;
	struct span ciphers, extensions, groups, formats, signatures, alpn;     /* alpn: the first name */
	bool has_name, has_versions;
};

static void ja4(const struct hello *h, uint8_t versions, char ret[TLS_JA4_BYTES])
{
	static const char names[][3] = {
		[OBSERVATION_TLS_SSL2] = "s2", [OBSERVATION_TLS_SSL3] = "s3", [OBSERVATION_TLS_10] = "10",
		[OBSERVATION_TLS_11] = "11", [OBSERVATION_TLS_12] = "12", [OBSERVATION_TLS_13] = "13",
		[OBSERVATION_TLS_OTHER] = "00",
	};
	struct numbers ciphers = { .n = 0 }, extensions = { .n = 0 }, signatures = { .n = 0 };
	uint8_t text[(2 * JA4_LIST) * 5 + 1];
	unsigned best = OBSERVATION_TLS_OTHER, count = 0;
	for (unsigned v = OBSERVATION_TLS_SSL2; v <= OBSERVATION_TLS_13; v++)
		if (versions >> v & 1)
			best = v;
	struct cursor c = cursor_from(h->ciphers);
	while (cursor_left(&c) >= 2)
		add(&ciphers, cursor_u16be(&c));
	c = cursor_from(h->signatures);
	while (cursor_left(&c) >= 2)
		add(&signatures, cursor_u16be(&c));
	c = cursor_from(h->extensions);
	uint16_t type;
	struct span body;
	while (next_extension(&c, &type, &body)) {
		count += !grease(type);
		if (type != SERVER_NAME && type != ALPN)
			add(&extensions, type);
	}
	ret[0] = 0;
	if (ciphers.full || extensions.full || signatures.full)
		return;
	size_t n_ciphers = ciphers.n < 99 ? ciphers.n : 99, n_extensions = count < 99 ? count : 99;
	ret[0] = 't';
	memcpy(ret + 1, names[best], 2);
	ret[3] = h->has_name ? 'd' : 'i';
	ret[4] = (char)('0' + n_ciphers / 10), ret[5] = (char)('0' + n_ciphers % 10);
	ret[6] = (char)('0' + n_extensions / 10), ret[7] = (char)('0' + n_extensions % 10);
	ret[8] = ret[9] = '0';
	if (h->alpn.n) {
		uint8_t first = h->alpn.p[0], last = h->alpn.p[h->alpn.n - 1];
		char hex[4];
		digest_hex(&first, 1, hex);
		digest_hex(&last, 1, hex + 2);
		bool plain = alphanumeric(first) && alphanumeric(last);
		ret[8] = plain ? (char)first : hex[0];
		ret[9] = plain ? (char)last : hex[3];
	}
	struct buf b = buf_over(text, sizeof(text));
	ret[10] = '_';
	sort(&ciphers);
	put_hex(&b, &ciphers);
	put_hash(&b, ret + 11);
	buf_rewind(&b, 0);
	ret[23] = '_';
	sort(&extensions);
	put_hex(&b, &extensions);
	if (signatures.n && extensions.n)
		(void)buf_u8(&b, '_');
	if (extensions.n)
		put_hex(&b, &signatures);
	put_hash(&b, ret + 24);
}

/* ---- the hellos ---- */

/* Names that fit the grammar of our field, in order, as many as fit; others are left out. */
static void put_alpn(struct tls_client_hello *ret, struct span name)
{
	size_t comma_n = ret->alpn_n > 0;
	if (!vocab_fits(VOCAB_G_ID, TLS_ALPN_BYTES, name) || ret->alpn_n + comma_n + name.n > sizeof(ret->alpn))
		return;
	if (comma_n)
		ret->alpn[ret->alpn_n++] = ',';
	memcpy(ret->alpn + ret->alpn_n, name.p, name.n);
	ret->alpn_n = (uint8_t)(ret->alpn_n + name.n);
}

static void put_sni(struct tls_client_hello *ret, struct span body)     /* RFC 6066, 3 */
{
	struct cursor c = cursor_from(body), list = cursor_sub(&c, cursor_u16be(&c));
	while (cursor_left(&list)) {
		uint8_t type = cursor_u8(&list);
		struct span name = cursor_take(&list, cursor_u16be(&list));
		if (!cursor_ok(&list) || type || !name.n || name.n > sizeof(ret->sni))
			continue;
		memcpy(ret->sni, name.p, name.n);
		ret->sni_n = (uint8_t)name.n;
		return;
	}
}

static void client_extension(struct hello *h, struct tls_client_hello *ret, uint16_t type, struct span body)
{
	struct cursor c = cursor_from(body);
	switch (type) {
	case SERVER_NAME:
		h->has_name = true;
		put_sni(ret, body);
		break;
	case SUPPORTED_GROUPS:
		h->groups = cursor_take(&c, cursor_u16be(&c));
		break;
	case EC_POINT_FORMATS:
		h->formats = cursor_take(&c, cursor_u8(&c));
		break;
	case SIGNATURE_ALGORITHMS:
		h->signatures = cursor_take(&c, cursor_u16be(&c));
		break;
	case ALPN: {                    /* RFC 7301, 3.1 */
		struct cursor list = cursor_sub(&c, cursor_u16be(&c));
		while (cursor_left(&list)) {
			struct span name = cursor_take(&list, cursor_u8(&list));
			if (!h->alpn.n)
				h->alpn = name;
			put_alpn(ret, name);
		}
		break;
	}
	case SUPPORTED_VERSIONS: {      /* RFC 8446, 4.2.1 */
		struct cursor list = cursor_sub(&c, cursor_u8(&c));
		h->has_versions = true;
		while (cursor_left(&list) >= 2) {
			uint16_t v = cursor_u16be(&list);
			if (!grease(v))
				ret->versions |= (uint8_t)(1u << tls_hello_version(v));
		}
		break;
	}
	default:
		break;
	}
}

bool tls_hello_client(struct span body, struct tls_client_hello *ret)
{
	*ret = (struct tls_client_hello){ .versions = 0 };
	struct hello h = { .version = 0 };
	struct cursor c = cursor_from(body);
	h.version = cursor_u16be(&c);
	cursor_skip(&c, 32);
	struct span session = cursor_take(&c, cursor_u8(&c));
	h.ciphers = cursor_take(&c, cursor_u16be(&c));
	struct span compression = cursor_take(&c, cursor_u8(&c));
	if (!cursor_ok(&c) || session.n > TLS_SESSION_BYTES || h.ciphers.n < 2 || h.ciphers.n % 2 || !compression.n)
		return false;
	if (session.n)
		memcpy(ret->session, session.p, session.n);
	ret->session_n = (uint8_t)session.n;
	/* Extensions may be absent altogether (RFC 5246, 7.4.1.2). */
	if (cursor_left(&c)) {
		h.extensions = cursor_take(&c, cursor_u16be(&c));
		struct cursor x = cursor_from(h.extensions);
		uint16_t type;
		struct span one;
		while (next_extension(&x, &type, &one))
			client_extension(&h, ret, type, one);
		if (!cursor_ok(&c) || cursor_left(&c) || !cursor_ok(&x))
			return false;
	}
	if (!h.has_versions)
		ret->versions = (uint8_t)(1u << tls_hello_version(h.version));
	struct digest_md5 m;
	begin(&m, h.version);
	put_list(&m, h.ciphers, 2);
	comma(&m);
	put_extensions(&m, h.extensions);
	comma(&m);
	put_list(&m, h.groups, 2);
	comma(&m);
	put_list(&m, h.formats, 1);
	digest_md5_end(&m, ret->ja3);
	ret->has_ja3 = true;
	ja4(&h, ret->versions, ret->ja4);
	return true;
}

bool tls_hello_server(struct span body, struct tls_server_hello *ret)
{
	/* RFC 8446, 4.1.3: SHA-256 of "HelloRetryRequest". */
	static const uint8_t retry[32] = {
		0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
		0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
	};
	*ret = (struct tls_server_hello){ .version = 0 };
	struct cursor c = cursor_from(body);
	uint16_t version = cursor_u16be(&c);
	struct span random = cursor_take(&c, 32), session = cursor_take(&c, cursor_u8(&c)), extensions = { 0 };
	ret->cipher = cursor_u16be(&c);
	cursor_skip(&c, 1);
	if (!cursor_ok(&c) || session.n > TLS_SESSION_BYTES)
		return false;
	ret->retry = !memcmp(random.p, retry, sizeof(retry));
	if (session.n)
		memcpy(ret->session, session.p, session.n);
	ret->session_n = (uint8_t)session.n;
	ret->version = (uint8_t)tls_hello_version(version);
	if (cursor_left(&c)) {
		extensions = cursor_take(&c, cursor_u16be(&c));
		struct cursor x = cursor_from(extensions);
		uint16_t type;
		struct span one;
		while (next_extension(&x, &type, &one)) {
			struct cursor e = cursor_from(one);
			if (type == SUPPORTED_VERSIONS) {
				ret->version = (uint8_t)tls_hello_version(cursor_u16be(&e));
			} else if (type == PRE_SHARED_KEY) {
				ret->psk = true;
			} else if (type == ALPN) {
				cursor_skip(&e, 2);
				struct span name = cursor_take(&e, cursor_u8(&e));
				if (!vocab_fits(VOCAB_G_ID, TLS_ALPN_BYTES, name))
					continue;
				memcpy(ret->alpn, name.p, name.n);
				ret->alpn_n = (uint8_t)name.n;
			}
		}
		if (!cursor_ok(&c) || cursor_left(&c) || !cursor_ok(&x))
			return false;
	}
	struct digest_md5 m;
	bool first = true;
	begin(&m, version);
	put_number(&m, ret->cipher, &first);
	comma(&m);
	put_extensions(&m, extensions);
	digest_md5_end(&m, ret->ja3s);
	return true;
}

enum dissect_guess tls_hello_v2(struct span in, size_t *ret_n)
{
	/* Length with the top bit set, type 1, version, lengths of ciphers (of three bytes), session and challenge. */
	static const struct { uint8_t lo, hi; } want[] = { { 0x80, 0x83 }, { 0, 255 }, { 1, 1 }, { 0, 3 }, { 0, 4 } };
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]) && i < in.n; i++)
		if (in.p[i] < want[i].lo || in.p[i] > want[i].hi)
			return DISSECT_NO;
	if (in.n > 4 && in.p[3] != 3 && (in.p[3] || in.p[4] != 2))
		return DISSECT_NO;
	struct cursor c = cursor_from(in);
	size_t n = cursor_u16be(&c) & 0x7fff;
	cursor_skip(&c, 3);
	size_t ciphers = cursor_u16be(&c), session = cursor_u16be(&c), challenge = cursor_u16be(&c);
	if (!cursor_ok(&c))
		return DISSECT_MAYBE;
	if (!ciphers || ciphers % 3 || (session && session != 16) || challenge < 16 || challenge > 32 ||
	    n != 9 + ciphers + session + challenge)
		return DISSECT_NO;
	*ret_n = 2 + n;
	return DISSECT_YES;
}

bool tls_hello_client_v2(struct span record, struct tls_client_hello *ret)
{
	*ret = (struct tls_client_hello){ .versions = 0 };
	struct cursor c = cursor_from(record);
	cursor_skip(&c, 3);
	ret->versions = (uint8_t)(1u << tls_hello_version(cursor_u16be(&c)));
	size_t n = cursor_u16be(&c);
	cursor_skip(&c, 4);
	struct cursor kinds = cursor_sub(&c, n);
	/* Suites of TLS begin with a zero, those of SSL 2 do not (RFC 5246, E.2). */
	while (cursor_left(&kinds) >= 3) {
		if (cursor_u8(&kinds))
			ret->versions |= 1u << OBSERVATION_TLS_SSL2;
		cursor_skip(&kinds, 2);
	}
	return cursor_ok(&c);
}
