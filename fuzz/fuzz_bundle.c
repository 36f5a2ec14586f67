/* A bundle: as it comes, and with a signature of ours, so that what stands behind it is read as well. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "rules/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct span bytes)
{
	struct bundle b;
	if (bundle_open(bytes, NULL, 0, &b))
		return;
	for (size_t i = 0; i < b.n; i++)
		if (!bundle_name(b.v[i].name) || memchr(b.v[i].name.p, '/', b.v[i].name.n))
			abort();
	bundle_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = { 1 };
	uint8_t key[BUNDLE_KEY], secret[BUNDLE_SECRET];
	look((struct span){ data, size });
	if (size < 56 + BUNDLE_SIGNATURE || sodium_init() < 0)
		return 0;
	uint8_t *mem = malloc(size);
	if (!mem)
		return 0;
	(void)crypto_sign_seed_keypair(key, secret, seed);
	memcpy(mem, data, size);
	memcpy(mem, "SPWBNDL1", 8);
	memcpy(mem + 24, key, BUNDLE_KEY);
	(void)crypto_sign_detached(mem + size - BUNDLE_SIGNATURE, NULL, mem, size - BUNDLE_SIGNATURE, secret);
	look((struct span){ mem, size });
	free(mem);
	return 0;
}
