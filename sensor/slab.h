/* slab.h -- memory of a fixed amount, handed out in blocks of a few sizes; no malloc after the start.
 *
 * The amount is cut into pages. A page belongs to one size while any of its blocks is taken, and to nobody after that: what
 * one size does not need the others may have. Blocks have numbers, not addresses. Taking and giving back cost the same
 * whatever is taken; which block is given depends on the calls before and nothing else.
 */
#ifndef SENSOR_SLAB_H
#define SENSOR_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum {
	SLAB_PAGE = 4096,
	SLAB_SIZES = 128,               /* block sizes: multiples of SLAB_STEP */
	SLAB_STEP = 16,
	SLAB_MAX = SLAB_SIZES * SLAB_STEP,
	SLAB_NONE = 0,
};

struct slab;

/* NULL on ENOMEM. `bytes`: rounded up to pages; at most 4 GiB. */
struct slab *slab_new(size_t bytes);
void slab_free(struct slab *s);         /* NULL is fine */
/* A block of at least `size` bytes (1 .. SLAB_MAX), aligned to 16, not zeroed; SLAB_NONE when there is none. */
uint32_t slab_take(struct slab *s, size_t size);
void slab_give(struct slab *s, uint32_t block);
void *slab_at(const struct slab *s, uint32_t block);
/* Bytes in blocks that are taken; 0 when all were given back. */
size_t slab_used(const struct slab *s);
/* What a slab of that many bytes takes, its own book-keeping included. */
size_t slab_bytes(size_t bytes);

#endif
