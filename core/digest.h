/* digest.h -- hashes that others define, for identifiers that are compared with other people's (JA3, JA4, fingerprints).
 *
 * MD5 is broken as a hash and is here only because JA3 is one. Neither allocates.
 */
#ifndef CORE_DIGEST_H
#define CORE_DIGEST_H

#include "core/cursor.h"

enum { DIGEST_MD5_BYTES = 16, DIGEST_SHA256_BYTES = 32 };

struct digest_md5 {
	uint32_t h[4];
	uint64_t n;             /* bytes so far */
	uint8_t block[64];
};

void digest_md5_init(struct digest_md5 *m);
void digest_md5_put(struct digest_md5 *m, struct span s);
void digest_md5_end(struct digest_md5 *m, uint8_t ret[DIGEST_MD5_BYTES]);
void digest_sha256(struct span s, uint8_t ret[DIGEST_SHA256_BYTES]);
/* Lower-case hex of `n` bytes into ret[2 * n]; no NUL. */
void digest_hex(const uint8_t *bytes, size_t n, char *ret);

#endif
