/* siphash.h -- keyed hash for tables whose keys an attacker chooses.
 * SipHash (Aumasson, Bernstein 2012) with c compression and d final rounds: 1-3 in the
 * tables of the packet path (what Linux and Rust use there), 2-4 where it is checked against libsodium.
 */
#ifndef CORE_SIPHASH_H
#define CORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key { uint64_t k0, k1; };

uint64_t siphash_13(const struct siphash_key *key, const void *data, size_t n);
uint64_t siphash_24(const struct siphash_key *key, const void *data, size_t n);

/* SipHash-1-3 of bytes that come in pieces: the same value as siphash_13 of all of them, however they are cut.
 * No pointers inside: it may be copied, to go on in two ways. */
struct siphash_stream {
	uint64_t v[4];
	uint64_t tail;                  /* the bytes of a block that is not whole yet */
	uint64_t n;                     /* bytes so far */
};

void siphash_stream_begin(struct siphash_stream *s, const struct siphash_key *key);
void siphash_stream_feed(struct siphash_stream *s, const void *data, size_t n);
uint64_t siphash_stream_end(const struct siphash_stream *s);    /* may be fed further */

#endif
