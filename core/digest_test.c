#include "core/digest.h"

#include <string.h>

#include "core/test.h"

static void md5_is(struct span text, size_t piece, const char *want)
{
	struct digest_md5 m;
	uint8_t sum[DIGEST_MD5_BYTES];
	char hex[2 * DIGEST_MD5_BYTES];
	digest_md5_init(&m);
	for (size_t at = 0; at < text.n; at += piece)
		digest_md5_put(&m, (struct span){ text.p + at, piece < text.n - at ? piece : text.n - at });
	digest_md5_end(&m, sum);
	digest_hex(sum, sizeof(sum), hex);
	CU_ASSERT(!memcmp(hex, want, sizeof(hex)));
}

/* RFC 1321, A.5. */
static void md5_of_the_standards_examples(void)
{
	static const char *const cases[][2] = {
		{ "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ "a", "0cc175b9c0f1b6a831c399e269772661" },
		{ "abc", "900150983cd24fb0d6963f7d28e17f72" },
		{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
		{ "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f" },
		{ "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
		  "57edf4a22be3c955ac49da2e2107b67a" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t piece = 1; piece <= 81; piece++)
			md5_is(span_str(cases[i][0]), piece, cases[i][1]);
}

/* FIPS 180-4, examples. */
static void sha256_of_the_standards_examples(void)
{
	uint8_t sum[DIGEST_SHA256_BYTES];
	char hex[2 * DIGEST_SHA256_BYTES];
	digest_sha256(span_str("abc"), sum);
	digest_hex(sum, sizeof(sum), hex);
	CU_ASSERT(!memcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", sizeof(hex)));
	digest_sha256((struct span){ 0 }, sum);
	digest_hex(sum, sizeof(sum), hex);
	CU_ASSERT(!memcmp(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", sizeof(hex)));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "md5_of_the_standards_examples", md5_of_the_standards_examples },
		{ "sha256_of_the_standards_examples", sha256_of_the_standards_examples },
		CU_TEST_INFO_NULL,
	};
	return test_run("digest", tests);
}
