#include "sensor/guess.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"

static const struct { const char *theirs, *ours; } labels[] = {
#define GUESS(theirs_, ours_) { theirs_, ours_ },
#include "sensor/guess.def"
};
enum { LABELS = sizeof(labels) / sizeof(labels[0]), ALIGN = 16 };

const char *guess_name(uint8_t label) { return label && label <= LABELS ? labels[label - 1].ours : NULL; }

/* ---- slots ---- */

struct holder {
	uint64_t shown_ns;
	uint32_t owner;
	bool taken;
};

struct guess_pool {
	size_t n, taken;
	struct holder *holders;         /* one a slot */
	uint8_t *mem;
	uint16_t *free;                 /* numbers of those that are, a stack */
};

size_t guess_pool_bytes(size_t slots)
{
	return sizeof(struct guess_pool) + slots * (GUESS_SLOT + sizeof(struct holder) + sizeof(uint16_t));
}

struct guess_pool *guess_pool_new(size_t slots)
{
	struct guess_pool *p = slots <= UINT16_MAX ? calloc(1, sizeof(*p)) : NULL;
	if (!p)
		return NULL;
	p->n = slots;
	p->mem = calloc(slots ? slots : 1, GUESS_SLOT);
	p->holders = calloc(slots ? slots : 1, sizeof(*p->holders));
	p->free = calloc(slots ? slots : 1, sizeof(*p->free));
	if (!p->mem || !p->holders || !p->free) {
		guess_pool_free(p);
		return NULL;
	}
	for (size_t i = 0; i < slots; i++)
		p->free[i] = (uint16_t)(slots - i);
	return p;
}

void guess_pool_free(struct guess_pool *p)
{
	if (!p)
		return;
	free(p->mem);
	free(p->holders);
	free(p->free);
	free(p);
}

size_t guess_pool_taken(const struct guess_pool *p) { return p->taken; }

#ifdef SPANWARD_NDPI
static uint8_t *slot_at(const struct guess_pool *p, uint16_t slot) { return p->mem + (size_t)(slot - 1) * GUESS_SLOT; }
#endif

uint16_t guess_pool_take(struct guess_pool *p, uint32_t owner, uint64_t now_ns)
{
	if (p->taken == p->n)
		return 0;
	uint16_t slot = p->free[p->n - ++p->taken];
	memset(p->mem + (size_t)(slot - 1) * GUESS_SLOT, 0, GUESS_SLOT);
	p->holders[slot - 1] = (struct holder){ .shown_ns = now_ns, .owner = owner, .taken = true };
	return slot;
}

void guess_pool_give(struct guess_pool *p, uint16_t slot)
{
	p->holders[slot - 1].taken = false;
	p->free[p->n - p->taken--] = slot;
}

void guess_pool_shown(struct guess_pool *p, uint16_t slot, uint64_t now_ns) { p->holders[slot - 1].shown_ns = now_ns; }

uint16_t guess_pool_quiet(const struct guess_pool *p, uint64_t now_ns, uint32_t *ret_owner)
{
	const struct holder *oldest = NULL;
	for (size_t i = 0; i < p->n; i++)
		if (p->holders[i].taken && (!oldest || p->holders[i].shown_ns < oldest->shown_ns))
			oldest = &p->holders[i];
	if (!oldest || now_ns < oldest->shown_ns || now_ns - oldest->shown_ns < GUESS_QUIET_NS)
		return 0;
	*ret_owner = oldest->owner;
	return (uint16_t)(oldest - p->holders + 1);
}

#ifndef SPANWARD_NDPI
bool guess_built(void) { return false; }
struct guess *guess_new(void) { return NULL; }
void guess_free(struct guess *g) { free(g); }
size_t guess_bytes(void) { return 0; }

enum guess_said guess_show(struct guess *g, struct guess_pool *p, uint16_t slot, const struct guess_packet *pk, uint8_t *ret)
{
	(void)g, (void)p, (void)slot, (void)pk, (void)ret;
	return GUESS_NOTHING;
}

enum guess_said guess_finish(struct guess *g, struct guess_pool *p, uint16_t slot, uint8_t *ret)
{
	(void)g, (void)p, (void)slot, (void)ret;
	return GUESS_NOTHING;
}
#else

#include <ndpi_api.h>
#include <ndpi_main.h>

/* Its interface and its tables change with every version, and what it says is tested for this one (CMakeLists.txt). */
#if NDPI_MAJOR != 4 || NDPI_MINOR != 2
#error "nDPI 4.2 is what this is written for; -DSPANWARD_WITH_NDPI=OFF does without"
#endif

/* ---- memory ---- */

enum {
	TABLES = 5 << 20,               /* the library takes 3.8 MiB for its own */
	/* For what finds no room in a slot, so that the library need not cope: the flow is given up then. */
	SPILL = 64 << 10,
	IDS = 1024,                     /* protocol numbers that the library may give */
};

/* Memory is handed out upwards and taken back all at once. */
struct arena { uint8_t *at; size_t used, size; };

struct guess {
	struct ndpi_detection_module_struct *module;
	struct arena tables, spill;
	uint8_t label_of[IDS];          /* by protocol number; 0 none */
	uint8_t packet[40 + GUESS_PAYLOAD];
};

/* What a slot begins with. */
struct asked {
	uint32_t used;                  /* bytes of the slot */
	uint8_t packets;
	uint32_t seq[2];
	struct ndpi_flow_struct flow;
};

_Static_assert(sizeof(struct asked) + 512 <= GUESS_SLOT, "the library's record of a flow and something for it");

/* Where the library's allocations of this thread come from: the hooks have no argument. */
static _Thread_local struct arena *first_choice, *second_choice;

static void *from(struct arena *a, size_t n)
{
	size_t room = a ? a->size - a->used : 0, whole = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (whole < n || whole > room)
		return NULL;
	void *p = a->at + a->used;
	a->used += whole;
	return p;
}

static void *take(size_t n)
{
	void *p = from(first_choice, n);
	return p ? p : from(second_choice, n);
}

static void give(void *p) { (void)p; }

static void use(struct arena *first, struct arena *second)
{
	first_choice = first;
	second_choice = second;
}

/* ---- the library ---- */

bool guess_built(void) { return true; }
size_t guess_bytes(void) { return sizeof(struct guess) + TABLES + SPILL; }

static void choose(struct guess *g)
{
	NDPI_PROTOCOL_BITMASK wanted;
	NDPI_BITMASK_RESET(wanted);
	for (unsigned i = 0; i < LABELS; i++) {
		unsigned id = ndpi_get_proto_by_name(g->module, labels[i].theirs);
		if (!id || id >= IDS)
			continue;
/* The macro's own arithmetic; GCC says so with sanitizers only. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
		NDPI_BITMASK_ADD(wanted, id);
#pragma GCC diagnostic pop
		g->label_of[id] = (uint8_t)(i + 1);
	}
	ndpi_set_protocol_detection_bitmask2(g->module, &wanted);
	ndpi_finalize_initialization(g->module);
}

struct guess *guess_new(void)
{
	struct guess *g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->tables = (struct arena){ .at = calloc(1, TABLES), .size = TABLES };
	g->spill = (struct arena){ .at = calloc(1, SPILL), .size = SPILL };
	if (g->tables.at && g->spill.at) {
		set_ndpi_malloc(take);
		set_ndpi_free(give);
		set_ndpi_flow_malloc(take);
		set_ndpi_flow_free(give);
		use(&g->tables, NULL);
		g->module = ndpi_init_detection_module(ndpi_dont_load_tor_hosts | ndpi_dont_init_libgcrypt);
		if (g->module)
			choose(g);
		use(NULL, NULL);
	}
	if (!g->module) {
		guess_free(g);
		return NULL;
	}
	return g;
}

/* The tables go as a whole: nothing in them is the library's own to free. */
void guess_free(struct guess *g)
{
	if (!g)
		return;
	free(g->tables.at);
	free(g->spill.at);
	free(g);
}

/* What is spoken, not whose service it is; by content, not by port or address. */
static uint8_t label_of(const struct guess *g, const struct asked *a, ndpi_protocol p)
{
	unsigned id = p.master_protocol ? p.master_protocol : p.app_protocol;
	return a->flow.confidence == NDPI_CONFIDENCE_DPI && id < IDS ? g->label_of[id] : 0;
}

/* IPv4 between 192.0.2.1, which opened the flow, and 192.0.2.2 (RFC 5737), whatever the flow's own addresses are. */
static struct span build(struct guess *g, struct asked *a, const struct guess_packet *pk)
{
	struct buf b = buf_over(g->packet, sizeof(g->packet));
	size_t n = pk->payload.n < GUESS_PAYLOAD ? pk->payload.n : GUESS_PAYLOAD, head = pk->tcp ? 20 : 8;
	unsigned dir = !pk->from_initiator;
	buf_u16be(&b, 0x4500);
	buf_u16be(&b, (uint16_t)(20 + head + n));
	buf_u32be(&b, 0);
	buf_u16be(&b, pk->tcp ? 0x4006 : 0x4011);
	buf_u16be(&b, 0);
	buf_u32be(&b, UINT32_C(0xc0000201) + dir);
	buf_u32be(&b, UINT32_C(0xc0000202) - dir);
	buf_u16be(&b, pk->src_port);
	buf_u16be(&b, pk->dst_port);
	if (pk->tcp) {
		buf_u32be(&b, 1 + a->seq[dir]);
		buf_u32be(&b, 1 + a->seq[!dir]);
		buf_u16be(&b, 0x5018);
		buf_u16be(&b, 0xffff);
		buf_u32be(&b, 0);
	} else {
		buf_u16be(&b, (uint16_t)(head + n));
		buf_u16be(&b, 0);
	}
	buf_put(&b, pk->payload.p, n);
	a->seq[dir] += (uint32_t)n;
	return buf_span(&b);
}

/* What is left of the slot. */
static struct arena slot_arena(struct asked *a)
{
	size_t at = a->used ? a->used : (sizeof(*a) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	return (struct arena){ .at = (uint8_t *)a, .used = at, .size = GUESS_SLOT };
}

enum guess_said guess_show(struct guess *g, struct guess_pool *p, uint16_t slot, const struct guess_packet *pk, uint8_t *ret)
{
	struct asked *a = (struct asked *)(void *)slot_at(p, slot);
	struct span packet = build(g, a, pk);
	uint64_t ms = pk->ts_ns / 1000000;
	struct arena mine = slot_arena(a);
	g->spill.used = 0;
	use(&mine, &g->spill);
	ndpi_protocol found = ndpi_detection_process_packet(g->module, &a->flow, packet.p, (uint16_t)packet.n, ms);
	use(NULL, NULL);
	a->used = (uint32_t)mine.used;
	if (g->spill.used)
		return GUESS_EXHAUSTED;
	uint8_t label = label_of(g, a, found);
	if (label) {
		*ret = label;
		return GUESS_NAMED;
	}
	return ++a->packets < GUESS_PACKETS ? GUESS_OPEN : guess_finish(g, p, slot, ret);
}

enum guess_said guess_finish(struct guess *g, struct guess_pool *p, uint16_t slot, uint8_t *ret)
{
	struct asked *a = (struct asked *)(void *)slot_at(p, slot);
	struct arena mine = slot_arena(a);
	uint8_t guessed = 0;
	g->spill.used = 0;
	use(&mine, &g->spill);
	ndpi_protocol found = ndpi_detection_giveup(g->module, &a->flow, 0, &guessed);
	use(NULL, NULL);
	uint8_t label = guessed || g->spill.used ? 0 : label_of(g, a, found);
	if (!label)
		return GUESS_NOTHING;
	*ret = label;
	return GUESS_NAMED;
}
#endif
