/* bundle.h -- a policy directory as one signed file: device types, inventory, site, decisions, with a generation.
 *
 *   "SPWBNDL1"  u64 generation  u64 made (ns since 1970)  32 bytes ed25519 public key  u32 files
 *   each, ascending by name:  u16 length, name  u32 length, bytes
 *   64 bytes ed25519 signature of all before it
 *
 * Numbers are big-endian. Nothing behind the head is looked at before the signature holds. Names are those that a policy directory
 * reads, without any path. No allocation but for the list of files.
 */
#ifndef RULES_BUNDLE_H
#define RULES_BUNDLE_H

#include <stdbool.h>

#include "core/cursor.h"

enum {
	BUNDLE_KEY = 32, BUNDLE_SECRET = 64, BUNDLE_SIGNATURE = 64,
	BUNDLE_FILES = 4096, BUNDLE_NAME = 128, BUNDLE_FILE_MAX = 16 << 20, BUNDLE_MAX = 256 << 20,
};

struct bundle_file { struct span name, bytes; };
struct bundle {
	uint64_t generation, made_ns;
	uint8_t key[BUNDLE_KEY];        /* who signed it */
	bool trusted;                   /* one of the keys given */
	struct bundle_file *v;          /* malloc'd; names and bytes borrow from the bundle's own */
	size_t n;
};

/* A key pair. 0 or -EIO. */
int bundle_keys(uint8_t ret_public[static BUNDLE_KEY], uint8_t ret_secret[static BUNDLE_SECRET]);
/* Whether a file of that name belongs into a bundle. */
bool bundle_name(struct span name);
/* Files in any order. 0 with *ret malloc'd; -EINVAL (a name twice or not allowed), -EFBIG, -ENOMEM. */
int bundle_pack(const struct bundle_file *v, size_t n, uint64_t generation, uint64_t made_ns,
		const uint8_t secret[static BUNDLE_SECRET], uint8_t **ret, size_t *ret_n);
/* 0 with *ret (bundle_free); ERR_UNKNOWN_KIND: no bundle; ERR_TRUNCATED; ERR_CORRUPT: the signature does not hold, or what it
 * signs is no bundle; -ENOMEM. That the signer is trusted is the caller's to ask. */
int bundle_open(struct span bytes, const uint8_t (*keys)[BUNDLE_KEY], size_t n_keys, struct bundle *ret);
void bundle_free(struct bundle *b);

#endif
