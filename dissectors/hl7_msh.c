/* hl7_msh.c -- the syntax of HL7 v2: header segments, fields, the acknowledgement segment. */
#include <string.h>

#include "dissectors/hl7.h"

static bool punctuation(int b)
{
	return b > 0x20 && b < 0x7f && !hl7_digit(b) && !hl7_upper(b) && !(b >= 'a' && b <= 'z');
}

/* Segment names that head a message or a batch (HL7 v2.5.1, 2.10.3). */
static const struct {
	char name[4];
	enum hl7_kind kind;
} headers[] = {
	{ "MSH", HL7_MESSAGE }, { "FHS", HL7_BATCH_BEGIN }, { "BHS", HL7_BATCH_BEGIN },
	{ "BTS", HL7_BATCH_END }, { "FTS", HL7_BATCH_END },
};

/* HL7 v2.5.1, 2.5.4: the separator, then three to five encoding characters, all different, then the
 * separator again. */
static enum hl7_kind delimiters(struct span s, enum hl7_kind kind)
{
	int separator = hl7_at(s, 3);
	if (separator < 0)
		return HL7_PREFIX;
	if (!punctuation(separator))
		return HL7_OTHER;
	for (size_t i = 4; i < HL7_HEADER_BYTES; i++) {
		int b = hl7_at(s, i);
		if (b < 0)
			return HL7_PREFIX;
		if (b == separator)
			return i >= 7 ? kind : HL7_OTHER;
		if (!punctuation(b) || memchr(s.p + 4, b, i - 4))
			return HL7_OTHER;
	}
	return HL7_OTHER;
}

enum hl7_kind hl7_msh_kind(struct span s)
{
	for (size_t h = 0; h < sizeof(headers) / sizeof(headers[0]); h++) {
		size_t n = s.n < 3 ? s.n : 3;
		if (n && memcmp(s.p, headers[h].name, n))
			continue;
		if (n < 3)
			return HL7_PREFIX;
		if (headers[h].kind != HL7_BATCH_END)
			return delimiters(s, headers[h].kind);
		/* A trailer may have no field at all. */
		int b = hl7_at(s, 3);
		if (b < 0)
			return HL7_PREFIX;
		return punctuation(b) || hl7_eol(b) || b == HL7_FS ? HL7_BATCH_END : HL7_OTHER;
	}
	return HL7_OTHER;
}

/* ISO 2022 escapes as ISO-2022-JP has them: ESC $ B, ESC $ @ and ESC $ ( D begin two-byte characters,
 * ESC ( I kana in seven bits; ESC ( B and ESC ( J return. Length of the escape at `i`, 0 when it is none. */
static size_t escape(struct span s, size_t i, bool *wide)
{
	int a = hl7_at(s, i + 1), b = hl7_at(s, i + 2);
	if (a == '$' && (b == '@' || b == 'A' || b == 'B')) {
		*wide = true;
		return 3;
	}
	if (a == '$' && b == '(' && hl7_at(s, i + 3) > 0x20) {
		*wide = true;
		return 4;
	}
	if (a == '(' && (b == 'B' || b == 'J' || b == 'I')) {
		*wide = b == 'I';
		return 3;
	}
	return 0;
}

struct span hl7_msh_token(struct span s, uint8_t stop)
{
	bool wide = false;
	size_t i = 0;
	while (i < s.n && !hl7_eol(s.p[i]) && (wide || s.p[i] != stop)) {
		size_t n = s.p[i] == HL7_ESC ? escape(s, i, &wide) : 0;
		i += n ? n : 1;
	}
	return (struct span){ s.p, i };
}

/* The field at the front of `*rest`, which moves past the separator behind it. When the segment ends
 * there, *rest stays at its end, so that every later field is empty. */
static struct span next_field(struct span *rest, uint8_t separator)
{
	struct span f = hl7_msh_token(*rest, separator);
	*rest = span_from(*rest, f.n);
	if (hl7_at(*rest, 0) == separator)
		*rest = span_from(*rest, 1);
	return span_trim(f);
}

static struct span next_segment(struct span rest)
{
	size_t i = 0;
	while (i < rest.n && !hl7_eol(rest.p[i]))
		i++;
	while (i < rest.n && hl7_eol(rest.p[i]))
		i++;
	return span_from(rest, i);
}

void hl7_msh_parse(struct span message, struct hl7_msh *ret)
{
	*ret = (struct hl7_msh){ 0 };
	struct cursor c = cursor_from(message);
	cursor_skip(&c, 3);
	ret->field[1] = cursor_take(&c, 1);
	ret->separator = ret->field[1].p ? ret->field[1].p[0] : 0;
	struct span rest = cursor_rest(&c);
	/* MSH-1 is the separator itself, so the first field after it is MSH-2 (2.15.9). */
	for (size_t n = 2; n <= HL7_MSH_FIELDS; n++)
		ret->field[n] = next_field(&rest, ret->separator);
	struct cursor encoding = cursor_from(ret->field[2]);
	ret->component = cursor_u8(&encoding);
	ret->repetition = cursor_u8(&encoding);
	cursor_skip(&encoding, 1);
	ret->subcomponent = cursor_u8(&encoding);

	for (rest = next_segment(rest); rest.n; rest = next_segment(rest)) {
		if (rest.n < 3 || memcmp(rest.p, "MSA", 3) || (rest.n > 3 && rest.p[3] != ret->separator && !hl7_eol(rest.p[3])))
			continue;
		ret->ack = true;
		struct span msa = span_from(rest, 3);
		(void)next_field(&msa, ret->separator);
		ret->ack_code = next_field(&msa, ret->separator);
		ret->acked_id = next_field(&msa, ret->separator);
		return;
	}
}
