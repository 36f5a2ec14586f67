#include "sensor/slab.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A block's number: page * UNITS + place in units of UNIT, plus one. */
enum { UNIT = 16, UNITS = SLAB_PAGE / UNIT, NO_PAGE = 0xffffffff };

struct page {
	uint32_t next, prev;            /* pages of its size with a free block; or pages of nobody, by `next` */
	uint16_t size;                  /* of its blocks; 0: it is nobody's */
	uint16_t taken;                 /* blocks */
	uint16_t free_first;            /* chain through the free blocks: place in units plus one */
	uint16_t fresh;                 /* bytes from here on were never a block */
};

struct slab {
	uint8_t *mem;
	struct page *pages;
	uint32_t n, n_fresh;
	uint32_t idle;                  /* pages of nobody that were used before */
	uint32_t open[SLAB_SIZES + 1];  /* by size: pages with a free block */
	size_t used;
};

static size_t pages_for(size_t bytes) { return (bytes + SLAB_PAGE - 1) / SLAB_PAGE; }

size_t slab_bytes(size_t bytes) { return pages_for(bytes) * (SLAB_PAGE + sizeof(struct page)) + sizeof(struct slab); }

struct slab *slab_new(size_t bytes)
{
	size_t n = pages_for(bytes);
	if (n > UINT32_MAX / UNITS - 1)
		return NULL;
	struct slab *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->n = (uint32_t)n;
	/* Not touched before it is used. */
	s->mem = aligned_alloc(64, (n ? n : 1) * SLAB_PAGE);
	s->pages = malloc((n ? n : 1) * sizeof(*s->pages));
	if (!s->mem || !s->pages) {
		slab_free(s);
		return NULL;
	}
	s->idle = NO_PAGE;
	for (int k = 0; k <= SLAB_SIZES; k++)
		s->open[k] = NO_PAGE;
	return s;
}

void slab_free(struct slab *s)
{
	if (!s)
		return;
	free(s->mem);
	free(s->pages);
	free(s);
}

size_t slab_used(const struct slab *s) { return s->used; }

void *slab_at(const struct slab *s, uint32_t block)
{
	assert(block);
	return s->mem + (size_t)(block - 1) * UNIT;
}

static void open_page(struct slab *s, uint32_t at, unsigned class)
{
	struct page *p = &s->pages[at];
	p->prev = NO_PAGE;
	p->next = s->open[class];
	if (p->next != NO_PAGE)
		s->pages[p->next].prev = at;
	s->open[class] = at;
}

static void close_page(struct slab *s, uint32_t at, unsigned class)
{
	struct page *p = &s->pages[at];
	if (p->next != NO_PAGE)
		s->pages[p->next].prev = p->prev;
	if (p->prev != NO_PAGE)
		s->pages[p->prev].next = p->next;
	else
		s->open[class] = p->next;
}

/* A page for blocks of this size, NO_PAGE when all belong to somebody. */
static uint32_t new_page(struct slab *s, unsigned class)
{
	uint32_t at = s->idle;
	if (at != NO_PAGE)
		s->idle = s->pages[at].next;
	else if (s->n_fresh < s->n)
		at = s->n_fresh++;
	else
		return NO_PAGE;
	s->pages[at] = (struct page){ .size = (uint16_t)(class * SLAB_STEP) };
	open_page(s, at, class);
	return at;
}

uint32_t slab_take(struct slab *s, size_t size)
{
	assert(size && size <= SLAB_MAX);
	unsigned class = (unsigned)((size + SLAB_STEP - 1) / SLAB_STEP);
	uint32_t at = s->open[class];
	if (at == NO_PAGE)
		at = new_page(s, class);
	if (at == NO_PAGE)
		return SLAB_NONE;
	struct page *p = &s->pages[at];
	uint16_t unit;
	if (p->free_first) {
		unit = (uint16_t)(p->free_first - 1);
		memcpy(&p->free_first, s->mem + (size_t)at * SLAB_PAGE + (size_t)unit * UNIT, sizeof(p->free_first));
	} else {
		unit = (uint16_t)(p->fresh / UNIT);
		p->fresh = (uint16_t)(p->fresh + p->size);
	}
	p->taken++;
	s->used += p->size;
	if (!p->free_first && p->fresh + p->size > SLAB_PAGE)
		close_page(s, at, class);
	return at * UNITS + unit + 1;
}

void slab_give(struct slab *s, uint32_t block)
{
	assert(block);
	uint32_t at = (block - 1) / UNITS;
	uint16_t unit = (uint16_t)((block - 1) % UNITS);
	struct page *p = &s->pages[at];
	assert(p->taken && unit * UNIT < p->fresh);
	unsigned class = p->size / SLAB_STEP;
	bool was_open = p->free_first || p->fresh + p->size <= SLAB_PAGE;
	memcpy(slab_at(s, block), &p->free_first, sizeof(p->free_first));
	p->free_first = (uint16_t)(unit + 1);
	s->used -= p->size;
	if (!was_open)
		open_page(s, at, class);
	if (--p->taken)
		return;
	close_page(s, at, class);
	p->size = 0;
	p->next = s->idle;
	s->idle = at;
}
