/* hl7_msh.c -- the syntax of HL7 v2: header segments, characters, fields. */
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
	{ "MSH", HL7_MESSAGE },   { "FHS", HL7_BATCH_BEGIN }, { "BHS", HL7_BATCH_BEGIN },
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
	/* Nearly every header begins so, and nearly every segment otherwise. */
	static const char usual[] = "MSH|^~\\&|";
	int first = hl7_at(s, 0);
	if (first == 'M' && s.n >= sizeof(usual) - 1 && !memcmp(s.p, usual, sizeof(usual) - 1))
		return HL7_MESSAGE;
	if (first >= 0 && first != 'M' && first != 'F' && first != 'B')
		return HL7_OTHER;
	for (size_t h = 0; h < sizeof(headers) / sizeof(headers[0]); h++) {
		size_t n = s.n < 3 ? s.n : 3;
		if (n == 3 ? memcmp(s.p, headers[h].name, 3) != 0 : n && memcmp(s.p, headers[h].name, n) != 0)
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

/* Escapes as ISO-2022-JP and -KR have them: ESC $ B, ESC $ @, ESC $ A and ESC $ ( D begin two-byte characters,
 * ESC ( I kana in seven bits; ESC ( B and ESC ( J return. True when `b` belongs to the escape. */
static bool escape(struct hl7_text *t, uint8_t b)
{
	uint8_t was = t->escape;
	t->escape = 0;
	if (was == 1 && (b == '$' || b == '('))
		t->escape = b == '$' ? 2 : 3;
	else if (was == 2 && b == '(')
		t->escape = 4;
	else if ((was == 2 && (b == '@' || b == 'A' || b == 'B')) || (was == 4 && b > 0x20))
		t->wide = true;
	else if (was == 3 && (b == 'B' || b == 'J' || b == 'I'))
		t->wide = b == 'I';
	else
		return false;
	return true;
}

/* Where MSH-18 says nothing. UTF-8 is followed, so that its continuation bytes begin no pair; else 81H to 9FH do, which
 * are kanji of Shift-JIS and no letters of ISO 8859. E0H to FCH are letters there ("Andr", E9H, "|") and
 * rarer kanji: left alone. */
static bool guess(struct hl7_text *t, uint8_t b)
{
	if (t->utf8 && b >= 0x80 && b < 0xc0) {
		t->utf8--;
		return true;
	}
	t->utf8 = b < 0xc2 || b > 0xf4 ? 0 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
	if (b >= 0x81 && b < 0xa0)
		t->second = true;
	return true;
}

bool hl7_msh_take(struct hl7_text *t, uint8_t b)
{
	if (hl7_eol(b)) {
		*t = (struct hl7_text){ .family = t->family };
		return true;
	}
	if (t->second) {
		t->second = false;
		if (b >= 0x40) /* no second byte is below */
			return false;
	}
	if (t->escape && escape(t, b))
		return false;
	if (b == HL7_ESC) {
		t->escape = 1;
		return false;
	}
	if (t->wide)
		return b <= 0x20;
	if (b < 0x80)
		t->utf8 = 0;
	else if (t->family == HL7_GUESS)
		return guess(t, b);
	else if (t->family == HL7_SHIFT_JIS)
		t->second = (b >= 0x81 && b < 0xa0) || (b >= 0xe0 && b <= 0xfc);
	else if (t->family == HL7_PAIRS)
		t->second = b >= 0x81 && b <= 0xfe;
	return true;
}

struct span hl7_msh_token(struct span s, uint8_t stop, enum hl7_family family)
{
	struct hl7_text t = { .family = (uint8_t)family };
	size_t i = hl7_to_special(s, 0, stop);
	while (i < s.n && !hl7_eol(s.p[i]) && !(hl7_msh_take(&t, s.p[i]) && s.p[i] == stop)) {
		i++;
		if (t.second || t.escape || t.utf8)
			continue;
		i = hl7_to_special(s, i, stop);
	}
	return (struct span){ s.p, i };
}

struct span hl7_msh_next(struct span *rest, uint8_t stop, enum hl7_family family)
{
	struct span f = hl7_msh_token(*rest, stop, family);
	*rest = span_from(*rest, f.n);
	if (hl7_at(*rest, 0) == stop)
		*rest = span_from(*rest, 1);
	return f;
}

struct span hl7_msh_nth(struct span s, unsigned n, uint8_t stop, enum hl7_family family)
{
	/* As long as nothing but ASCII stands before, no state need be followed. */
	size_t at = 0;
	for (unsigned left = n;; left--) {
		size_t end = hl7_to_special(s, at, stop);
		bool there = left <= 1;
		if (end < s.n && s.p[end] != stop)
			break;
		if (there)
			return (struct span){ s.n ? s.p + at : s.p, end - at };
		if (end == s.n)
			return (struct span){ 0 };
		at = end + 1;
	}
	while (n-- > 1)
		(void)hl7_msh_next(&s, stop, family);
	return hl7_msh_token(s, stop, family);
}

void hl7_msh_split(struct span segment, enum hl7_family family, struct hl7_msh *ret)
{
	*ret = (struct hl7_msh){ .family = family };
	struct cursor c = cursor_from(segment);
	cursor_skip(&c, 3);
	ret->field[1] = cursor_take(&c, 1);
	ret->separator = ret->field[1].p ? ret->field[1].p[0] : 0;
	struct span rest = cursor_rest(&c);
	/* MSH-1 is the separator itself, so the first field after it is MSH-2 (2.15.9). */
	for (size_t n = 2; n <= HL7_MSH_FIELDS; n++)
		ret->field[n] = span_trim(hl7_msh_next(&rest, ret->separator, family));
	struct cursor encoding = cursor_from(ret->field[2]);
	ret->component = cursor_u8(&encoding);
	ret->repetition = cursor_u8(&encoding);
	ret->escape = cursor_u8(&encoding);
	ret->subcomponent = cursor_u8(&encoding);
}

/* Table 0211 has no Shift-JIS; sites write it all the same, in many ways. */
enum hl7_family hl7_msh_family(struct span charset)
{
	static const struct {
		const char *name;
		enum hl7_family family;
	} names[] = {
		{ "SJIS", HL7_SHIFT_JIS }, { "SHIFT", HL7_SHIFT_JIS }, { "932", HL7_SHIFT_JIS },
		{ "31J", HL7_SHIFT_JIS },  { "KANJI", HL7_SHIFT_JIS }, { "GB", HL7_PAIRS },
		{ "BIG", HL7_PAIRS },
	};
	if (!charset.n)
		return HL7_GUESS;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i].name);
		for (size_t at = 0; at + n <= charset.n; at++) {
			size_t k = 0;
			while (k < n && (charset.p[at + k] & ~0x20) == (names[i].name[k] & ~0x20))
				k++;
			if (k == n)
				return names[i].family;
		}
	}
	return HL7_PLAIN;
}

/* ASCII without escapes, in which every family finds the same delimiters. */
static bool is_plain(struct span s)
{
	uint64_t high = 0;
	size_t i = 0;
	for (; s.n - i >= 8; i += 8)
		high |= bytes_high(bytes_load(s.p + i));
	for (; i < s.n; i++)
		high |= s.p[i] & 0x80u;
	return !high && (!s.n || !memchr(s.p, HL7_ESC, s.n));
}

void hl7_msh_parse(struct span segment, struct hl7_msh *ret)
{
	static const enum hl7_family families[] = { HL7_SHIFT_JIS, HL7_PAIRS, HL7_PLAIN };
	if (is_plain(segment)) {
		hl7_msh_split(segment, HL7_GUESS, ret);
		ret->family = hl7_msh_family(ret->field[18]);
		return;
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		hl7_msh_split(segment, families[i], ret);
		if (hl7_msh_family(ret->field[18]) == families[i])
			return;
	}
	hl7_msh_split(segment, HL7_GUESS, ret);
}
