/* cursor.h -- bounds-checked reader over borrowed bytes.
 *
 * Failure is sticky: once a read runs past the end every later read yields
 * zero or an empty span, so a parser reads a whole header and tests
 * cursor_ok() once. A cursor never owns or changes the bytes.
 */
#ifndef CORE_CURSOR_H
#define CORE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {                   /* a view; lives as long as the bytes do */
	const uint8_t *p;
	size_t n;
};

struct cursor {
	const uint8_t *p;       /* next byte; p <= end always */
	const uint8_t *end;
	bool failed;
};

static inline struct cursor cursor_from(struct span s)
{
	return (struct cursor){ .p = s.p, .end = s.p ? s.p + s.n : s.p };
}

static inline bool cursor_ok(const struct cursor *c) { return !c->failed; }

/* Bytes not yet read; 0 after a failure. */
static inline size_t cursor_left(const struct cursor *c)
{
	return c->failed ? 0 : (size_t)(c->end - c->p);
}

#ifdef SPANWARD_PLANT
#define CURSOR_SLACK 1          /* the over-read that tests/fuzz_plant.sh plants and must find */
#else
#define CURSOR_SLACK 0
#endif

/* The one place where a bound is tested; everything below goes through it. */
static inline struct span cursor_take(struct cursor *c, size_t n)
{
	if (c->failed || n > (size_t)(c->end - c->p) + CURSOR_SLACK) {
		c->failed = true;
		return (struct span){ 0 };
	}
	struct span s = { c->p, n };
	if (n)
		c->p += n;
	return s;
}

static inline void cursor_skip(struct cursor *c, size_t n) { (void)cursor_take(c, n); }

/* Everything that is left; the cursor is used up afterwards. */
static inline struct span cursor_rest(struct cursor *c) { return cursor_take(c, cursor_left(c)); }

static inline uint8_t cursor_u8(struct cursor *c)
{
	struct span s = cursor_take(c, 1);
	return s.p ? s.p[0] : 0;
}

static inline uint16_t cursor_u16be(struct cursor *c)
{
	struct span s = cursor_take(c, 2);
	return s.p ? (uint16_t)((unsigned)s.p[0] << 8 | s.p[1]) : (uint16_t)0;
}

static inline uint16_t cursor_u16le(struct cursor *c)
{
	struct span s = cursor_take(c, 2);
	return s.p ? (uint16_t)((unsigned)s.p[1] << 8 | s.p[0]) : (uint16_t)0;
}

static inline uint32_t cursor_u32be(struct cursor *c)
{
	struct span s = cursor_take(c, 4);
	return s.p ? (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 |
	             (uint32_t)s.p[2] << 8 | s.p[3] : 0;
}

static inline uint32_t cursor_u32le(struct cursor *c)
{
	struct span s = cursor_take(c, 4);
	return s.p ? (uint32_t)s.p[3] << 24 | (uint32_t)s.p[2] << 16 |
	             (uint32_t)s.p[1] << 8 | s.p[0] : 0;
}

static inline uint64_t cursor_u64be(struct cursor *c)
{
	uint64_t hi = cursor_u32be(c), lo = cursor_u32be(c);
	return c->failed ? 0 : hi << 32 | lo;
}

static inline uint64_t cursor_u64le(struct cursor *c)
{
	uint64_t lo = cursor_u32le(c), hi = cursor_u32le(c);
	return c->failed ? 0 : hi << 32 | lo;
}

/* A child limited to the next n bytes: a length field cannot reach past its parent. */
static inline struct cursor cursor_sub(struct cursor *c, size_t n)
{
	struct cursor child = cursor_from(cursor_take(c, n));
	child.failed = c->failed;
	return child;
}

/* Bytes before the next `stop`, which is consumed too; fails if there is none. */
struct span cursor_until(struct cursor *c, uint8_t stop);

/* A view of the n bytes at `s.p`, from offset `at`; empty when that is past the end. */
static inline struct span span_from(struct span s, size_t at)
{
	return at < s.n ? (struct span){ s.p + at, s.n - at } : (struct span){ 0 };
}

/* A view of a C string, without its final NUL. */
struct span span_str(const char *s);
bool span_eq(struct span a, struct span b);
/* Without the spaces (0x20) at both ends. */
struct span span_trim(struct span s);

#endif
