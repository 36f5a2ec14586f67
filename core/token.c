#include "core/token.h"

#include "core/bytes.h"

/* Eight digits of the lowest 32 bits, the highest first, as bytes of a number whose first byte is the lowest. */
static uint64_t digits_of(uint64_t h)
{
	h = __builtin_bswap32((uint32_t)h);
	h = (h | h << 16) & UINT64_C(0x0000ffff0000ffff);
	h = (h | h << 8) & UINT64_C(0x00ff00ff00ff00ff);
	h = (h >> 4 | h << 8) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	/* From ten on a letter: seven and twenty more than the digit nine and one would be. */
	uint64_t letter = (h + UINT64_C(0x0606060606060606)) >> 4 & BYTES_ONES;
	return h + BYTES_ONES * '0' + letter * ('a' - '0' - 10);
}

/* Two keys for the two halves, both from the site's key and the kind. */
static void make_keys(const struct siphash_key *key, enum token_of what, struct siphash_key ret[2])
{
	const struct siphash_key mirrored = { ~key->k1, ~key->k0 };
	for (unsigned half = 0; half < 2; half++) {
		const uint8_t label[2] = { (uint8_t)what, (uint8_t)half };
		ret[half].k0 = siphash_24(key, label, sizeof(label));
		ret[half].k1 = siphash_24(&mirrored, label, sizeof(label));
	}
}

static struct span make(const struct siphash_key keys[2], struct span value, char ret[static TOKEN_LEN])
{
	for (unsigned half = 0; half < 2; half++) {
		uint64_t h = siphash_24(&keys[half], value.p, value.n);
		uint64_t digits[2] = { htole64(digits_of(h >> 32)), htole64(digits_of(h)) };
		memcpy(ret + half * (TOKEN_LEN / 2), digits, sizeof(digits));
	}
	return (struct span){ (const uint8_t *)ret, TOKEN_LEN };
}

struct span token_make(const struct siphash_key *key, enum token_of what, struct span value, char ret[static TOKEN_LEN])
{
	struct siphash_key keys[2];
	make_keys(key, what, keys);
	return make(keys, value, ret);
}

struct span token_recall(struct token_memo *memo, const struct siphash_key *key, enum token_of what, struct span value,
			 char ret[static TOKEN_LEN])
{
	if (memo->site.k0 != key->k0 || memo->site.k1 != key->k1)
		*memo = (struct token_memo){ .site = *key };
	if (!memo->made[what])
		make_keys(key, what, memo->half[what]);
	memo->made[what] = true;
	return make(memo->half[what], value, ret);
}
