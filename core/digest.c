#include "core/digest.h"

#include <sodium.h>
#include <string.h>

/* RFC 1321, 3.4: floor(2^32 * abs(sin(i))). */
static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint8_t turns[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } };

static void md5_block(struct digest_md5 *m, const uint8_t *p)
{
	uint32_t x[16], a = m->h[0], b = m->h[1], c = m->h[2], d = m->h[3];
	struct cursor in = cursor_from((struct span){ p, 64 });
	for (int i = 0; i < 16; i++)
		x[i] = cursor_u32le(&in);
	for (unsigned i = 0; i < 64; i++) {
		uint32_t f;
		unsigned g;
		switch (i / 16) {
		case 0: f = (b & c) | (~b & d), g = i; break;
		case 1: f = (d & b) | (~d & c), g = (5 * i + 1) % 16; break;
		case 2: f = b ^ c ^ d, g = (3 * i + 5) % 16; break;
		default: f = c ^ (b | ~d), g = 7 * i % 16; break;
		}
		unsigned turn = turns[i / 16][i % 4];
		f += a + sines[i] + x[g];
		a = d, d = c, c = b;
		b += f << turn | f >> (32 - turn);
	}
	m->h[0] += a, m->h[1] += b, m->h[2] += c, m->h[3] += d;
}

void digest_md5_init(struct digest_md5 *m)
{
	*m = (struct digest_md5){ .h = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
}

void digest_md5_put(struct digest_md5 *m, struct span s)
{
	while (s.n) {
		size_t at = m->n % 64, n = 64 - at < s.n ? 64 - at : s.n;
		memcpy(m->block + at, s.p, n);
		m->n += n;
		s = span_from(s, n);
		if (at + n == 64)
			md5_block(m, m->block);
	}
}

void digest_md5_end(struct digest_md5 *m, uint8_t ret[DIGEST_MD5_BYTES])
{
	static const uint8_t pad[64] = { 0x80 };
	uint64_t bits = m->n * 8;
	uint8_t length[8];
	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> 8 * i);
	size_t at = m->n % 64;
	digest_md5_put(m, (struct span){ pad, at < 56 ? 56 - at : 120 - at });
	digest_md5_put(m, (struct span){ length, sizeof(length) });
	for (int i = 0; i < DIGEST_MD5_BYTES; i++)
		ret[i] = (uint8_t)(m->h[i / 4] >> 8 * (i % 4));
}

void digest_sha256(struct span s, uint8_t ret[DIGEST_SHA256_BYTES])
{
	(void)crypto_hash_sha256(ret, s.p ? s.p : (const uint8_t *)"", s.n);
}

void digest_hex(const uint8_t *bytes, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
}
