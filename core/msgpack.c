#include "core/msgpack.h"

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
	uint8_t w[MSGPACK_UINT_MAX];
	return buf_put(b, w, (size_t)(msgpack_at_uint(w, v) - w));
}

int msgpack_put_bool(struct buf *b, bool v) { return buf_u8(b, v ? MSGPACK_TRUE : MSGPACK_FALSE); }

int msgpack_put_str(struct buf *b, struct span s)
{
	if (s.n < 32)
		(void)buf_u8(b, (uint8_t)(MSGPACK_FIXSTR | s.n));
	else if (s.n <= UINT8_MAX)
		(void)put(b, MSGPACK_STR8, s.n, 1);
	else if (s.n <= UINT16_MAX)
		(void)put(b, MSGPACK_STR16, s.n, 2);
	else
		(void)put(b, MSGPACK_STR32, s.n, 4);
	return buf_put(b, s.p, s.n);
}

int msgpack_put_bin(struct buf *b, const void *p, size_t n)
{
	if (n <= UINT8_MAX)
		(void)put(b, MSGPACK_BIN8, n, 1);
	else if (n <= UINT16_MAX)
		(void)put(b, MSGPACK_BIN16, n, 2);
	else
		(void)put(b, MSGPACK_BIN32, n, 4);
	return buf_put(b, p, n);
}

int msgpack_put_array(struct buf *b, uint32_t n)
{
	if (n < 16)
		return buf_u8(b, (uint8_t)(MSGPACK_FIXARRAY | n));
	return n <= UINT16_MAX ? put(b, MSGPACK_ARRAY16, n, 2) : put(b, MSGPACK_ARRAY32, n, 4);
}

int msgpack_put_map(struct buf *b, uint32_t n)
{
	if (n < 16)
		return buf_u8(b, (uint8_t)(MSGPACK_FIXMAP | n));
	return n <= UINT16_MAX ? put(b, MSGPACK_MAP16, n, 2) : put(b, MSGPACK_MAP32, n, 4);
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
	case MSGPACK_UINT8: return number(c, 1, 0x80);
	case MSGPACK_UINT16: return number(c, 2, 0x100);
	case MSGPACK_UINT32: return number(c, 4, 0x10000);
	case MSGPACK_UINT64: return number(c, 8, UINT64_C(0x100000000));
	default: return fail(c);
	}
}

bool msgpack_bool(struct cursor *c)
{
	uint8_t b = cursor_u8(c);
	if (b != MSGPACK_TRUE && b != MSGPACK_FALSE)
		(void)fail(c);
	return b == MSGPACK_TRUE;
}

struct span msgpack_str(struct cursor *c)
{
	uint8_t b = cursor_u8(c);
	uint64_t n;
	if ((b & 0xe0) == MSGPACK_FIXSTR)
		n = b & 0x1f;
	else if (b == MSGPACK_STR8)
		n = number(c, 1, 32);
	else if (b == MSGPACK_STR16)
		n = number(c, 2, 0x100);
	else if (b == MSGPACK_STR32)
		n = number(c, 4, 0x10000);
	else
		n = fail(c);
	return cursor_take(c, (size_t)n);
}

struct span msgpack_bin(struct cursor *c)
{
	uint8_t b = cursor_u8(c);
	uint64_t n;
	if (b == MSGPACK_BIN8)
		n = number(c, 1, 0);
	else if (b == MSGPACK_BIN16)
		n = number(c, 2, 0x100);
	else if (b == MSGPACK_BIN32)
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
	if ((b & 0xf0) == MSGPACK_FIXARRAY)
		n = b & 0x0f;
	else if (b == MSGPACK_ARRAY16)
		n = number(c, 2, 16);
	else if (b == MSGPACK_ARRAY32)
		n = number(c, 4, 0x10000);
	else
		n = fail(c);
	return plausible(c, n, 1);
}

uint32_t msgpack_map(struct cursor *c)
{
	uint8_t b = cursor_u8(c);
	uint64_t n;
	if ((b & 0xf0) == MSGPACK_FIXMAP)
		n = b & 0x0f;
	else if (b == MSGPACK_MAP16)
		n = number(c, 2, 16);
	else if (b == MSGPACK_MAP32)
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
	if (b < 0x80 || b >= MSGPACK_NEGATIVE)
		;
	else if (b < MSGPACK_FIXARRAY)
		inside = 2u * (b & 0x0fu);
	else if (b < MSGPACK_FIXSTR)
		inside = b & 0x0f;
	else if (b < MSGPACK_NIL)
		cursor_skip(c, b & 0x1f);
	else if (b == MSGPACK_UNUSED)
		c->failed = true;
	else if (b <= MSGPACK_TRUE)
		;
	else if (b <= MSGPACK_BIN32)
		cursor_skip(c, (size_t)number(c, 1u << (b - MSGPACK_BIN8), 0));
	else if (b <= MSGPACK_EXT32)
		cursor_skip(c, (size_t)number(c, 1u << (b - MSGPACK_EXT8), 0) + 1);
	else if (b <= MSGPACK_FLOAT64)
		cursor_skip(c, b == MSGPACK_FLOAT32 ? 4 : 8);
	else if (b <= MSGPACK_UINT64)
		cursor_skip(c, (size_t)1 << (b - MSGPACK_UINT8));
	else if (b <= MSGPACK_INT64)
		cursor_skip(c, (size_t)1 << (b - MSGPACK_INT8));
	else if (b <= MSGPACK_FIXEXT16)
		cursor_skip(c, ((size_t)1 << (b - MSGPACK_FIXEXT1)) + 1);
	else if (b <= MSGPACK_STR32)
		cursor_skip(c, (size_t)number(c, 1u << (b - MSGPACK_STR8), 0));
	else if (b <= MSGPACK_ARRAY32)
		inside = number(c, b == MSGPACK_ARRAY16 ? 2 : 4, 0);
	else
		inside = 2 * number(c, b == MSGPACK_MAP16 ? 2 : 4, 0);
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
