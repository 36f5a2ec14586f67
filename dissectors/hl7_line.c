/* hl7_line.c -- the fields of a plain MSH segment. */
#include "dissectors/hl7_line.h"

/* The same of the last `n` bytes of an input, fewer than 64, which has SCAN_BYTES at least. */
static struct hl7_line_block tail(const uint8_t *p, size_t n, uint8_t separator)
{
	struct hl7_line_block b = { .plain = UINT64_MAX << n };
	size_t k = 0;
	for (; n - k >= SCAN_BYTES; k += SCAN_BYTES) {
		scan_bytes v = scan_load(p + k);
		b.separators |= (uint64_t)scan_equal(v, separator) << k;
		b.plain |= (uint64_t)scan_plain(v) << k;
	}
	if (k < n) {
		/* The last sixteen, less those that were looked at. */
		unsigned over = (unsigned)(SCAN_BYTES - (n - k));
		scan_bytes v = scan_load(p + n - SCAN_BYTES);
		b.separators |= (uint64_t)(scan_equal(v, separator) >> over) << k;
		b.plain |= (uint64_t)(scan_plain(v) >> over) << k;
	}
	return b;
}

bool hl7_line_scan(struct span in, size_t from, uint8_t separator, struct hl7_line *ret)
{
	const uint8_t *p = in.p + from;
	size_t left = in.n - from;
	if (in.n < SCAN_BYTES)
		return false;
	ret->n = 0;
	ret->room = left;
	for (unsigned w = 0; w < HL7_LINE_WORDS; w++, p += 64, left -= 64) {
		struct hl7_line_block b = left >= 64 ? hl7_line_block(p, separator) : tail(p, left, separator);
		if (!~b.plain) {
			if (left <= 64)
				return false;
			ret->separators[w] = b.separators;
			ret->n += scan_count(b.separators);
			continue;
		}
		size_t n = scan_first(~b.plain);
		b.separators = scan_below(b.separators, n);
		ret->separators[w] = b.separators;
		ret->n += scan_count(b.separators);
		ret->text = (struct span){ in.p + from, 64 * w + n };
		return p[n] == HL7_CR || p[n] == HL7_LF || p[n] == HL7_FS;
	}
	return false;
}

struct span hl7_line_coding(const struct hl7_line *l, uint8_t component)
{
	return hl7_msh_nth(hl7_line_field(l, 3), 3, component, HL7_GUESS);
}

/* span_trim(), with one question of a text that has no blank at its ends. */
static inline struct span trim(struct span s)
{
	return s.n && ((s.p[0] == ' ') | (s.p[s.n - 1] == ' ')) ? span_trim(s) : s;
}

void hl7_line_msh(const struct hl7_line *l, struct hl7_msh *ret)
{
	const uint8_t *p = l->text.p;
	unsigned f = 2, words = (unsigned)((l->text.n + 63) / 64);
	size_t begin = 4;
	/* MSH-1 is the separator itself, so the first field after it is MSH-2 (2.15.9). */
	ret->field[0] = (struct span){ 0 };
	ret->field[1] = (struct span){ p + 3, 1 };
	ret->separator = p[3];
	for (unsigned w = 0; w < words && f <= HL7_MSH_FIELDS; w++) {
		uint64_t bits = l->separators[w];
		if (!w)
			bits &= bits - 1;
		for (; bits && f <= HL7_MSH_FIELDS; bits &= bits - 1) {
			size_t end = 64 * (size_t)w + scan_first(bits);
			ret->field[f++] = trim((struct span){ p + begin, end - begin });
			begin = end + 1;
		}
	}
	if (f <= HL7_MSH_FIELDS)
		ret->field[f++] = trim((struct span){ p + begin, l->text.n - begin });
	while (f <= HL7_MSH_FIELDS)
		ret->field[f++] = (struct span){ 0 };
	struct span encoding = ret->field[2];
	ret->component = encoding.n > 0 ? encoding.p[0] : 0;
	ret->repetition = encoding.n > 1 ? encoding.p[1] : 0;
	ret->escape = encoding.n > 2 ? encoding.p[2] : 0;
	ret->subcomponent = encoding.n > 3 ? encoding.p[3] : 0;
	ret->family = HL7_GUESS;
}
