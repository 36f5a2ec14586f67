/* hl7_line.h -- a segment that is plain: all of it is here, and it is printable ASCII alone. Nearly all are.
 *
 * In ASCII every character stands for itself (hl7.h, struct hl7_text), so a separator is a separator, and one pass over sixteen
 * bytes at a time finds them all and the end. What is not plain is read as hl7.c reads anything, byte by byte.
 */
#ifndef DISSECTORS_HL7_LINE_H
#define DISSECTORS_HL7_LINE_H

#include "core/scan.h"
#include "dissectors/hl7.h"

enum { HL7_LINE_WORDS = 8, HL7_LINE_MAX = 64 * HL7_LINE_WORDS - 1 };

struct hl7_line {
	struct span text;                       /* without what ends it */
	size_t room;                            /* bytes of the input from where it begins */
	unsigned n;                             /* separators in it */
	uint64_t separators[HL7_LINE_WORDS];    /* a bit for each byte; of the words the text has, and bits behind it are 0 */
};

/* Of 64 bytes: the separators, and those that are plain. */
struct hl7_line_block { uint64_t separators, plain; };

static inline struct hl7_line_block hl7_line_block(const uint8_t *p, uint8_t separator)
{
	scan_bytes a = scan_load(p), b = scan_load(p + 16), c = scan_load(p + 32), d = scan_load(p + 48);
	return (struct hl7_line_block){
		.separators = scan_equal(a, separator) | (uint64_t)scan_equal(b, separator) << 16 |
			      (uint64_t)scan_equal(c, separator) << 32 | (uint64_t)scan_equal(d, separator) << 48,
		.plain = scan_plain(a) | (uint64_t)scan_plain(b) << 16 | (uint64_t)scan_plain(c) << 32 | (uint64_t)scan_plain(d) << 48,
	};
}

/* The segment that begins at in.p[from]. False: it is not plain, or longer than HL7_LINE_MAX, or ended by something else than CR,
 * LF or FS, or `in` has fewer than SCAN_BYTES. */
bool hl7_line_scan(struct span in, size_t from, uint8_t separator, struct hl7_line *ret);

/* The same at once, for the most common: a short one that is not the last. */
static inline bool hl7_line_quick(struct span in, size_t from, uint8_t separator, struct hl7_line *ret)
{
	const uint8_t *p = in.p + from;
	if (in.n - from < 64)
		return hl7_line_scan(in, from, separator, ret);
	struct hl7_line_block b = hl7_line_block(p, separator);
	if (!~b.plain)
		return hl7_line_scan(in, from, separator, ret);
	size_t n = scan_first(~b.plain);
	uint64_t bits = scan_below(b.separators, n);
	ret->text = (struct span){ p, n };
	ret->room = in.n - from;
	ret->n = scan_count(bits);
	ret->separators[0] = bits;
	return p[n] == HL7_CR || p[n] == HL7_LF || p[n] == HL7_FS;
}

/* What stands between two separators: the n-th such text, of which the first, 0, is the name. Empty without bytes when there is
 * none. */
static inline struct span hl7_line_field(const struct hl7_line *l, unsigned n)
{
	size_t begin = 0, end = l->text.n;
	unsigned w = 0, left = n;
	uint64_t bits = l->separators[0];
	if (n > l->n)
		return (struct span){ 0 };
	if (n) {
		if (l->text.n > 64)
			for (unsigned here; left > (here = scan_count(bits)); left -= here)
				bits = l->separators[++w];
		for (; left > 1; left--)
			bits &= bits - 1;
		begin = 64 * w + scan_first(bits) + 1;
		bits &= bits - 1;
	}
	if (n < l->n) {
		while (!bits)
			bits = l->separators[++w];
		end = 64 * w + scan_first(bits);
	}
	return (struct span){ l->text.p + begin, end - begin };
}

/* The third component of the third field of a line. */
struct span hl7_line_coding(const struct hl7_line *l, uint8_t component);

/* Whether the third component of the third field may have `n` characters: at once for short lines and fields. */
static inline bool hl7_line_may_code(const struct hl7_line *l, uint8_t component, size_t n)
{
	uint64_t bits = l->separators[0];
	if (l->text.n > 64)
		return true;
	bits &= bits - 1;
	bits &= bits - 1;
	if (!bits)
		return false;
	size_t begin = scan_first(bits) + 1, end = l->text.n;
	bits &= bits - 1;
	if (bits)
		end = scan_first(bits);
	if (end - begin > SCAN_BYTES || begin + SCAN_BYTES > l->room)
		return true;
	bits = scan_below(scan_equal(scan_load(l->text.p + begin), component), end - begin);
	bits &= bits - 1;
	size_t third = scan_first(bits | UINT64_C(1) << 63) + 1;
	bits &= bits - 1;
	return (bits ? scan_first(bits) : end - begin) - third == n;
}

/* hl7_msh_split() of a line that begins with a header segment's name and its separator, with any family. */
void hl7_line_msh(const struct hl7_line *l, struct hl7_msh *ret);

#endif
