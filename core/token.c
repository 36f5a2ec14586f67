#include "core/token.h"

struct span token_make(const struct siphash_key *key, enum token_of what, struct span value, char ret[static TOKEN_LEN])
{
	static const char digits[] = "0123456789abcdef";
	for (unsigned half = 0; half < 2; half++) {
		/* Two keys for the two halves, both from the site's key and the kind. */
		const uint8_t label[2] = { (uint8_t)what, (uint8_t)half };
		const struct siphash_key mirrored = { ~key->k1, ~key->k0 };
		const struct siphash_key own = { siphash_24(key, label, sizeof(label)),
						 siphash_24(&mirrored, label, sizeof(label)) };
		uint64_t h = siphash_24(&own, value.p, value.n);
		for (unsigned i = 0; i < TOKEN_LEN / 2; i++)
			ret[half * (TOKEN_LEN / 2) + i] = digits[h >> (60 - 4 * i) & 15];
	}
	return (struct span){ (const uint8_t *)ret, TOKEN_LEN };
}
