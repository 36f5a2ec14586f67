#include "core/siphash.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"

static uint64_t le64(const uint8_t *p)
{
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

/* Exact-size heap bytes 00 01 02 ..., as in the paper's test vectors. */
static uint8_t *bytes(size_t n)
{
	uint8_t *p = malloc(n ? n : 1);
	if (!p)
		abort();
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)i;
	return p;
}

static void siphash_24_equals_libsodium(void)
{
	for (unsigned k = 0; k < 4; k++) {
		uint8_t raw[crypto_shorthash_KEYBYTES];
		for (size_t i = 0; i < sizeof(raw); i++)
			raw[i] = (uint8_t)(i * (k * 2 + 1) + k);
		struct siphash_key key = { le64(raw), le64(raw + 8) };
		for (size_t n = 0; n <= 300; n++) {
			uint8_t *p = bytes(n), out[crypto_shorthash_BYTES];
			crypto_shorthash(out, p, n, raw);
			CU_ASSERT_EQUAL(siphash_24(&key, p, n), le64(out));
			free(p);
		}
	}
}

static void siphash_24_gives_the_vector_of_the_paper(void)
{
	/* Aumasson, Bernstein, Appendix A: key 00..0f, message 00..0e. */
	struct siphash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	uint8_t *p = bytes(15);
	CU_ASSERT_EQUAL(siphash_24(&key, p, 15), UINT64_C(0xa129ca6149be45e5));
	free(p);
}

/* A second implementation, straight from the paper (state as an array, message padded into blocks), for
 * the variant that no library of ours has. */
static uint64_t paper(const struct siphash_key *key, const uint8_t *p, size_t n, unsigned c, unsigned d)
{
	uint64_t v[4] = { key->k0 ^ UINT64_C(0x736f6d6570736575), key->k1 ^ UINT64_C(0x646f72616e646f6d),
			  key->k0 ^ UINT64_C(0x6c7967656e657261), key->k1 ^ UINT64_C(0x7465646279746573) };
	size_t blocks = n / 8 + 1;
	for (size_t b = 0; b <= blocks; b++) {
		uint8_t w[8] = { 0 };
		uint64_t m = 0;
		unsigned rounds = c;
		if (b < blocks) {
			for (size_t i = 0; i < 8 && b * 8 + i < n; i++)
				w[i] = p[b * 8 + i];
			if (b == blocks - 1)
				w[7] = (uint8_t)n;
			m = le64(w);
		} else {
			v[2] ^= 0xff;
			rounds = d;
		}
		v[3] ^= m;
		for (unsigned r = 0; r < rounds; r++) {
			static const struct { uint8_t a, b, rot, high; } half[] = {
				{ 0, 1, 13, 0 }, { 2, 3, 16, 2 }, { 2, 1, 17, 2 }, { 0, 3, 21, 0 },
			};
			for (unsigned h = 0; h < 4; h++) {
				uint64_t *x = &v[half[h].a], *y = &v[half[h].b];
				*x += *y;
				*y = (*y << half[h].rot | *y >> (64 - half[h].rot)) ^ *x;
				if (h < 2 ? h == 0 : h == 2)
					*x = *x << 32 | *x >> 32;
			}
		}
		v[0] ^= m;
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void siphash_13_equals_a_second_implementation(void)
{
	struct siphash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	for (size_t n = 0; n <= 300; n++) {
		uint8_t *p = bytes(n);
		/* The second implementation is itself held to libsodium's variant. */
		CU_ASSERT_EQUAL(paper(&key, p, n, 2, 4), siphash_24(&key, p, n));
		CU_ASSERT_EQUAL(paper(&key, p, n, 1, 3), siphash_13(&key, p, n));
		free(p);
	}
	/* The first vector of the test of Rust's SipHash 1-3 (library/coretests): same key, empty message. */
	CU_ASSERT_EQUAL(siphash_13(&key, NULL, 0), UINT64_C(0xabac0158050fc4dc));
}

static void key_length_and_every_byte_matter(void)
{
	struct siphash_key key = { 1, 2 }, other = { 1, 3 };
	uint8_t *p = bytes(40);
	for (size_t n = 1; n <= 40; n++) {
		uint64_t h = siphash_13(&key, p, n);
		CU_ASSERT_NOT_EQUAL(h, siphash_13(&other, p, n));
		CU_ASSERT_NOT_EQUAL(h, siphash_13(&key, p, n - 1));
		for (size_t i = 0; i < n; i++) {
			p[i] ^= 1;
			CU_ASSERT_NOT_EQUAL(h, siphash_13(&key, p, n));
			p[i] ^= 1;
		}
	}
	free(p);
}

static void in_pieces_it_is_the_same(void)
{
	struct siphash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	uint8_t *p = bytes(70);
	for (size_t n = 0; n <= 70; n++) {
		for (size_t piece = 1; piece <= 20; piece++) {
			struct siphash_stream s;
			siphash_stream_begin(&s, &key);
			for (size_t at = 0; at < n; at += piece) {
				/* Asking on the way changes nothing. */
				CU_ASSERT_EQUAL(siphash_stream_end(&s), siphash_13(&key, p, at));
				siphash_stream_feed(&s, p + at, n - at < piece ? n - at : piece);
			}
			CU_ASSERT_EQUAL(siphash_stream_end(&s), siphash_13(&key, p, n));
		}
	}
	free(p);
}

/* Whatever was begun before, however long the piece, whatever comes behind, at any alignment. */
static void pieces_of_every_length_behind_every_beginning(void)
{
	struct siphash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	uint8_t *p = bytes(160);
	for (size_t before = 0; before < 18; before++)
		for (size_t n = 0; n < 130; n++)
			for (size_t behind = 0; behind < 10; behind += 3) {
				struct siphash_stream s;
				uint8_t *piece = bytes(n);      /* of exactly its bytes */
				memcpy(piece, p + before, n);
				siphash_stream_begin(&s, &key);
				siphash_stream_feed(&s, p, before);
				siphash_stream_feed(&s, piece, n);
				siphash_stream_feed(&s, p + before + n, behind);
				CU_ASSERT_EQUAL(siphash_stream_end(&s), paper(&key, p, before + n + behind, 1, 3));
				free(piece);
			}
	free(p);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "siphash_24_equals_libsodium", siphash_24_equals_libsodium },
		{ "siphash_24_gives_the_vector_of_the_paper", siphash_24_gives_the_vector_of_the_paper },
		{ "siphash_13_equals_a_second_implementation", siphash_13_equals_a_second_implementation },
		{ "key_length_and_every_byte_matter", key_length_and_every_byte_matter },
		{ "in_pieces_it_is_the_same", in_pieces_it_is_the_same },
		{ "pieces_of_every_length_behind_every_beginning", pieces_of_every_length_behind_every_beginning },
		CU_TEST_INFO_NULL,
	};
	if (sodium_init() < 0)
		return 1;
	return test_run("siphash", tests);
}
