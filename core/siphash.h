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

#endif
