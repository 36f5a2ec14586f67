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
	unsigned n;                             /* separators in it */
	uint64_t separators[HL7_LINE_WORDS];    /* a bit for each byte; of the words the text has, and bits behind it are 0 */
};

/* The segment that begins at in.p[from]. False: it is not plain, or longer than HL7_LINE_MAX, or ended by something else than CR,
 * LF or FS, or `in` has fewer than SCAN_BYTES. */
static inline bool hl7_line_scan(struct span in, size_t from, uint8_t separator, struct hl7_line *ret)
{
	size_t at = from;
	if (in.n < SCAN_BYTES)
		return false;
	ret->n = 0;
	for (unsigned w = 0; w < HL7_LINE_WORDS; w++) {
		uint64_t bits = 0;
		for (unsigned k = 0; k < 64; k += SCAN_BYTES, at += SCAN_BYTES) {
			/* At the end of the input: the last sixteen bytes, less those that were looked at. */
			size_t over = at + SCAN_BYTES > in.n ? at + SCAN_BYTES - in.n : 0;
			if (over >= SCAN_BYTES)
				return false;
			scan_bytes v = scan_load(in.p + at - over);
			uint64_t special = scan_special(v) >> over;
			bits |= (uint64_t)(scan_equal(v, separator) >> over) << k;
			if (special) {
				size_t n = k + scan_first(special);
				bits = scan_below(bits, n);
				ret->separators[w] = bits;
				ret->n += scan_count(bits);
				ret->text = (struct span){ in.p + from, 64 * w + n };
				uint8_t end = ret->text.p[ret->text.n];
				return hl7_eol(end) || end == HL7_FS;
			}
			if (over)
				return false;
		}
		ret->separators[w] = bits;
		ret->n += scan_count(bits);
	}
	return false;
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

/* hl7_msh_split() of a line that begins with MSH and its separator, with any family. */
void hl7_line_msh(const struct hl7_line *l, struct hl7_msh *ret);

#endif
