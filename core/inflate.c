#include "core/inflate.h"

#include <string.h>

enum {
	MAX_BITS = 15,          /* RFC 1951 3.2.1 */
	LITERALS = 288,
	DISTANCES = 30,
	END_OF_BLOCK = 256,
};

struct reader {
	struct cursor in;
	struct buf *out;
	size_t from;            /* where our output begins */
	uint32_t bits;          /* not used yet, next in bit 0 */
	unsigned n_bits;
};

/* Canonical Huffman code (RFC 1951 3.2.2): how many codes of each length, and their symbols in order. */
struct code {
	uint16_t count[MAX_BITS + 1];
	uint16_t symbol[LITERALS];
};

/* After the end of the input: zeros, and r->in has failed. */
static unsigned take_bits(struct reader *r, unsigned n)
{
	while (r->n_bits < n) {
		r->bits |= (uint32_t)cursor_u8(&r->in) << r->n_bits;
		r->n_bits += 8;
	}
	unsigned v = r->bits & ((1u << n) - 1);
	r->bits >>= n;
	r->n_bits -= n;
	return v;
}

/* -1: no such code, or the input ended. */
static int take_symbol(struct reader *r, const struct code *h)
{
	int code = 0, first = 0, index = 0;
	for (unsigned length = 1; length <= MAX_BITS; length++) {
		code |= (int)take_bits(r, 1);
		int count = h->count[length];
		if (code - count < first)
			return cursor_ok(&r->in) ? h->symbol[index + code - first] : -1;
		index += count;
		first = (first + count) << 1;
		code <<= 1;
	}
	return -1;
}

/* False when the lengths say more codes than there are. Fewer are let pass: a distance code may be alone. */
static bool make_code(struct code *h, const uint8_t *lengths, unsigned n)
{
	uint16_t offset[MAX_BITS + 1] = { 0 };
	int left = 1;
	memset(h->count, 0, sizeof(h->count));
	for (unsigned i = 0; i < n; i++)
		h->count[lengths[i]]++;
	for (unsigned length = 1; length <= MAX_BITS; length++) {
		left = (left << 1) - h->count[length];
		if (left < 0)
			return false;
		if (length < MAX_BITS)
			offset[length + 1] = (uint16_t)(offset[length] + h->count[length]);
	}
	for (unsigned i = 0; i < n; i++)
		if (lengths[i])
			h->symbol[offset[lengths[i]]++] = (uint16_t)i;
	h->count[0] = 0;
	return true;
}

static enum inflate_status ended(const struct reader *r)
{
	return cursor_ok(&r->in) ? INFLATE_BAD : INFLATE_MORE;
}

static enum inflate_status copy(struct reader *r, size_t length, size_t distance)
{
	struct buf *out = r->out;
	if (distance > out->len - r->from)
		return INFLATE_BAD;
	for (; length; length--)        /* byte by byte: the two may overlap, and then repeat */
		if (buf_u8(out, out->data[out->len - distance]))
			return INFLATE_FULL;
	return INFLATE_DONE;
}

static enum inflate_status codes(struct reader *r, const struct code *literals, const struct code *distances)
{
	/* RFC 1951 3.2.5 */
	static const uint16_t length_base[] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99,
		                                115, 131, 163, 195, 227, 258 };
	static const uint8_t length_bits[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
	static const uint16_t distance_base[] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025,
		                                  1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577 };
	for (;;) {
		int symbol = take_symbol(r, literals);
		if (symbol < 0)
			return ended(r);
		if (symbol == END_OF_BLOCK)
			return INFLATE_DONE;
		if (symbol < END_OF_BLOCK) {
			if (buf_u8(r->out, (uint8_t)symbol))
				return INFLATE_FULL;
			continue;
		}
		symbol -= END_OF_BLOCK + 1;
		if ((size_t)symbol >= sizeof(length_bits))
			return INFLATE_BAD;
		size_t length = length_base[symbol] + take_bits(r, length_bits[symbol]);
		symbol = take_symbol(r, distances);
		if (symbol < 0)
			return ended(r);
		if (symbol >= DISTANCES)
			return INFLATE_BAD;
		size_t distance = distance_base[symbol] + take_bits(r, symbol < 4 ? 0 : (unsigned)symbol / 2 - 1);
		if (!cursor_ok(&r->in))
			return INFLATE_MORE;
		enum inflate_status status = copy(r, length, distance);
		if (status != INFLATE_DONE)
			return status;
	}
}

static enum inflate_status stored_block(struct reader *r)
{
	r->bits = r->n_bits = 0;        /* to the next byte; at most seven bits are held here, none of them of use */
	uint16_t length = cursor_u16le(&r->in), complement = cursor_u16le(&r->in);
	if (!cursor_ok(&r->in))
		return INFLATE_MORE;
	if ((length ^ complement) != 0xffff)
		return INFLATE_BAD;
	for (; length; length--) {
		uint8_t b = cursor_u8(&r->in);
		if (!cursor_ok(&r->in))
			return INFLATE_MORE;
		if (buf_u8(r->out, b))
			return INFLATE_FULL;
	}
	return INFLATE_DONE;
}

static enum inflate_status fixed_block(struct reader *r)
{
	struct code literals, distances;
	uint8_t lengths[LITERALS];
	for (unsigned i = 0; i < LITERALS; i++)
		lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	(void)make_code(&literals, lengths, LITERALS);
	memset(lengths, 5, DISTANCES);
	(void)make_code(&distances, lengths, DISTANCES);
	return codes(r, &literals, &distances);
}

static enum inflate_status dynamic_block(struct reader *r)
{
	static const uint8_t order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	struct code literals, distances;
	uint8_t lengths[LITERALS + DISTANCES + 2] = { 0 };
	unsigned n_literals = take_bits(r, 5) + 257, n_distances = take_bits(r, 5) + 1, n_lengths = take_bits(r, 4) + 4;
	if (!cursor_ok(&r->in))
		return INFLATE_MORE;
	if (n_literals > 286 || n_distances > DISTANCES)
		return INFLATE_BAD;
	for (unsigned i = 0; i < n_lengths; i++)
		lengths[order[i]] = (uint8_t)take_bits(r, 3);
	if (!cursor_ok(&r->in))
		return INFLATE_MORE;
	if (!make_code(&literals, lengths, 19))
		return INFLATE_BAD;
	memset(lengths, 0, sizeof(lengths));
	for (unsigned i = 0; i < n_literals + n_distances;) {
		int symbol = take_symbol(r, &literals);
		if (symbol < 0)
			return ended(r);
		if (symbol < 16) {
			lengths[i++] = (uint8_t)symbol;
			continue;
		}
		if (symbol == 16 && !i)
			return INFLATE_BAD;     /* nothing to repeat */
		uint8_t value = symbol == 16 ? lengths[i - 1] : 0;
		unsigned times = symbol == 16 ? 3 + take_bits(r, 2) : symbol == 17 ? 3 + take_bits(r, 3) : 11 + take_bits(r, 7);
		if (!cursor_ok(&r->in))
			return INFLATE_MORE;
		if (times > n_literals + n_distances - i)
			return INFLATE_BAD;
		while (times--)
			lengths[i++] = value;
	}
	if (!lengths[END_OF_BLOCK] || !make_code(&literals, lengths, n_literals) ||
	    !make_code(&distances, lengths + n_literals, n_distances))
		return INFLATE_BAD;
	return codes(r, &literals, &distances);
}

enum inflate_status inflate_raw(struct span in, struct buf *out)
{
	struct reader r = { .in = cursor_from(in), .out = out, .from = out->len };
	for (;;) {
		unsigned last = take_bits(&r, 1), type = take_bits(&r, 2);
		if (!cursor_ok(&r.in))
			return INFLATE_MORE;
		enum inflate_status status = type == 0   ? stored_block(&r)
		                             : type == 1 ? fixed_block(&r)
		                             : type == 2 ? dynamic_block(&r)
		                                         : INFLATE_BAD;
		if (status != INFLATE_DONE)
			return status;
		if (last)
			return INFLATE_DONE;
	}
}
