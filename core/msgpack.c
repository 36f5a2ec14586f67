#include "core/msgpack.h"

/* First bytes, spec.md "Overview". */
enum {
	FIXMAP = 0x80, FIXARRAY = 0x90, FIXSTR = 0xa0,
	NIL = 0xc0, UNUSED = 0xc1, FALSE_ = 0xc2, TRUE_ = 0xc3,
	BIN8 = 0xc4, BIN16 = 0xc5, BIN32 = 0xc6, EXT8 = 0xc7, EXT16 = 0xc8, EXT32 = 0xc9,
	FLOAT32 = 0xca, FLOAT64 = 0xcb,
	UINT8 = 0xcc, UINT16 = 0xcd, UINT32 = 0xce, UINT64 = 0xcf,
	INT8 = 0xd0, INT16 = 0xd1, INT32 = 0xd2, INT64 = 0xd3,
	FIXEXT1 = 0xd4, FIXEXT16 = 0xd8,
	STR8 = 0xd9, STR16 = 0xda, STR32 = 0xdb,
	ARRAY16 = 0xdc, ARRAY32 = 0xdd, MAP16 = 0xde, MAP32 = 0xdf,
	NEGATIVE = 0xe0,
};

/* One byte of kind and the low `n` bytes of v, big endian. */
static int put(struct buf *b, uint8_t kind, uint64_t v, unsigned n)
{
	uint8_t w[9] = { kind };
	for (unsigned i = 1; i <= n; i++)
		w[i] = (uint8_t)(v >> 8 * (n - i));
	return buf_put(b, w, n + 1);
}

int msgpack_put_uint(struct buf *b, uint64_t v)
{
	if (v < 0x80)
		return buf_u8(b, (uint8_t)v);
	if (v <= UINT8_MAX)
		return put(b, UINT8, v, 1);
	if (v <= UINT16_MAX)
		return put(b, UINT16, v, 2);
	if (v <= UINT32_MAX)
		return put(b, UINT32, v, 4);
	return put(b, UINT64, v, 8);
}

int msgpack_put_bool(struct buf *b, bool v) { return buf_u8(b, v ? TRUE_ : FALSE_); }

int msgpack_put_str(struct buf *b, struct span s)
{
	if (s.n < 32)
		(void)buf_u8(b, (uint8_t)(FIXSTR | s.n));
	else if (s.n <= UINT8_MAX)
		(void)put(b, STR8, s.n, 1);
	else if (s.n <= UINT16_MAX)
		(void)put(b, STR16, s.n, 2);
	else
		(void)put(b, STR32, s.n, 4);
	return buf_put(b, s.p, s.n);
}

int msgpack_put_bin(struct buf *b, const void *p, size_t n)
{
	if (n <= UINT8_MAX)
		(void)put(b, BIN8, n, 1);
	else if (n <= UINT16_MAX)
		(void)put(b, BIN16, n, 2);
	else
		(void)put(b, BIN32, n, 4);
	return buf_put(b, p, n);
}

int msgpack_put_array(struct buf *b, uint32_t n)
{
	if (n < 16)
		return buf_u8(b, (uint8_t)(FIXARRAY | n));
	return n <= UINT16_MAX ? put(b, ARRAY16, n, 2) : put(b, ARRAY32, n, 4);
}

int msgpack_put_map(struct buf *b, uint32_t n)
{
	if (n < 16)
		return buf_u8(b, (uint8_t)(FIXMAP | n));
	return n <= UINT16_MAX ? put(b, MAP16, n, 2) : put(b, MAP32, n, 4);
}

/* A number of n bytes that must not have fitted a shorter form: it is at least `least`. */
static uint64_t number(struct cursor *c, unsigned n, uint64_t least)
{
	uint64_t v = n == 1 ? cursor_u8(c) : n == 2 ? cursor_u16be(c) : n == 4 ? cursor_u32be(c) : cursor_u64be(c);
	/* A u64 cut in its second half has failed the cursor but not come back as zero. */
	if (v < least)
		c->failed = true;
	return cursor_ok(c) ? v : 0;
}

static uint64_t fail(struct cursor *c)
{
	c->failed = true;
	return 0;
}

uint64_t msgpack_uint(struct cursor *c)
{
	uint8_t b = cursor_u8(c);
	if (b < 0x80)
		return b;
	switch (b) {
	case UINT8: return number(c, 1, 0x80);
	case UINT16: return number(c, 2, 0x100);
	case UINT32: return number(c, 4, 0x10000);
	case UINT64: return number(c, 8, UINT64_C(0x100000000));
	default: return fail(c);
	}
}

bool msgpack_bool(struct cursor *c)
{
	uint8_t b = cursor_u8(c);
	if (b != TRUE_ && b != FALSE_)
		(void)fail(c);
	return b == TRUE_;
}

struct span msgpack_str(struct cursor *c)
{
	uint8_t b = cursor_u8(c);
	uint64_t n;
	if ((b & 0xe0) == FIXSTR)
		n = b & 0x1f;
	else if (b == STR8)
		n = number(c, 1, 32);
	else if (b == STR16)
		n = number(c, 2, 0x100);
	else if (b == STR32)
		n = number(c, 4, 0x10000);
	else
		n = fail(c);
	return cursor_take(c, (size_t)n);
}

struct span msgpack_bin(struct cursor *c)
{
	uint8_t b = cursor_u8(c);
	uint64_t n;
	if (b == BIN8)
		n = number(c, 1, 0);
	else if (b == BIN16)
		n = number(c, 2, 0x100);
	else if (b == BIN32)
		n = number(c, 4, 0x10000);
	else
		n = fail(c);
	return cursor_take(c, (size_t)n);
}

/* Each of the n values that follow takes a byte at least: a count past that is a lie, and would let a
 * few bytes make a reader loop for long. */
static uint32_t plausible(struct cursor *c, uint64_t n, uint64_t each)
{
	if (n * each > cursor_left(c))
		return (uint32_t)fail(c);
	return (uint32_t)n;
}

uint32_t msgpack_array(struct cursor *c)
{
	uint8_t b = cursor_u8(c);
	uint64_t n;
	if ((b & 0xf0) == FIXARRAY)
		n = b & 0x0f;
	else if (b == ARRAY16)
		n = number(c, 2, 16);
	else if (b == ARRAY32)
		n = number(c, 4, 0x10000);
	else
		n = fail(c);
	return plausible(c, n, 1);
}

uint32_t msgpack_map(struct cursor *c)
{
	uint8_t b = cursor_u8(c);
	uint64_t n;
	if ((b & 0xf0) == FIXMAP)
		n = b & 0x0f;
	else if (b == MAP16)
		n = number(c, 2, 16);
	else if (b == MAP32)
		n = number(c, 4, 0x10000);
	else
		n = fail(c);
	return plausible(c, n, 2);
}

/* Passes the head and the bytes of one value; *ret_inside says how many values stand inside it. */
static void skip_one(struct cursor *c, uint64_t *ret_inside)
{
	uint8_t b = cursor_u8(c);
	uint64_t inside = 0;
	if (b < 0x80 || b >= NEGATIVE)
		;
	else if (b < FIXARRAY)
		inside = 2u * (b & 0x0fu);
	else if (b < FIXSTR)
		inside = b & 0x0f;
	else if (b < NIL)
		cursor_skip(c, b & 0x1f);
	else if (b == UNUSED)
		c->failed = true;
	else if (b <= TRUE_)
		;
	else if (b <= BIN32)
		cursor_skip(c, (size_t)number(c, 1u << (b - BIN8), 0));
	else if (b <= EXT32)
		cursor_skip(c, (size_t)number(c, 1u << (b - EXT8), 0) + 1);
	else if (b <= FLOAT64)
		cursor_skip(c, b == FLOAT32 ? 4 : 8);
	else if (b <= UINT64)
		cursor_skip(c, (size_t)1 << (b - UINT8));
	else if (b <= INT64)
		cursor_skip(c, (size_t)1 << (b - INT8));
	else if (b <= FIXEXT16)
		cursor_skip(c, ((size_t)1 << (b - FIXEXT1)) + 1);
	else if (b <= STR32)
		cursor_skip(c, (size_t)number(c, 1u << (b - STR8), 0));
	else if (b <= ARRAY32)
		inside = number(c, b == ARRAY16 ? 2 : 4, 0);
	else
		inside = 2 * number(c, b == MAP16 ? 2 : 4, 0);
	*ret_inside = inside;
}

void msgpack_skip(struct cursor *c)
{
	/* Values still to pass, whatever their depth: no recursion, so nesting costs no stack. */
	uint64_t due = 1;
	while (due && cursor_ok(c)) {
		uint64_t inside = 0;
		skip_one(c, &inside);
		due += inside - 1;
		if (due > cursor_left(c))
			c->failed = true;
	}
}
