/* hl7_probe.c -- is this HL7 v2? By content alone. A lone VT proves nothing, and neither does "MSH|": it takes
 * usable delimiters and then a message type and version, or a second segment. */
#include <string.h>

#include "dissectors/hl7_line.h"

enum { PADDING = 64 };          /* bytes between frames that we look past: nobody pads with more */

/* [A-Z][A-Z0-9]{2}, alone or followed by a component. */
static bool type_shape(struct span f, uint8_t component)
{
	return hl7_upper(hl7_at(f, 0)) && (hl7_upper(hl7_at(f, 1)) || hl7_digit(hl7_at(f, 1))) &&
	       (hl7_upper(hl7_at(f, 2)) || hl7_digit(hl7_at(f, 2))) && (f.n == 3 || f.p[3] == component);
}

/* 2, 2.3, 2.5.1 ...; also while its end has not come yet. */
static bool version_shape(struct span f)
{
	return hl7_at(f, 0) == '2' && (f.n == 1 || (f.n > 2 && f.p[1] == '.' && hl7_digit(f.p[2])));
}

/* Padding, segment ends, tab, block marks, and the escapes and shifts of ISO 2022 are the controls that occur. */
static bool foreign(uint8_t b)
{
	return b < 0x20 && b != HL7_CR && b != HL7_LF && b != HL7_VT && b != HL7_FS && b != HL7_ESC && b != '\t' &&
	       b != 0x0e && b != 0x0f;
}

/* `s` begins with a header segment whose delimiters are good, and holds no foreign byte. */
static enum dissect_guess header_evidence(struct span s)
{
	struct hl7_msh m;
	size_t end = hl7_to_control(s, 0);
	while (end < s.n && !hl7_eol(s.p[end]) && s.p[end] != HL7_FS)
		end = hl7_to_control(s, end + 1);
	bool ended = end < s.n;
	/* As if MSH-18 said nothing, also where it has come: what is sure stays sure. */
	struct hl7_line l;
	if (ended && end > 3 && hl7_line_scan(s, 0, s.p[3], &l) && l.text.n == end)
		hl7_line_msh(&l, &m);
	else
		hl7_msh_split((struct span){ s.p, end }, HL7_GUESS, &m);
	bool type = s.p[0] == 'M' && type_shape(m.field[9], m.component);
	struct span version = hl7_msh_token(m.field[12], m.component, HL7_GUESS);
	/* A lone 2 may be the beginning of something else. */
	int next = version.n ? hl7_at(s, (size_t)(version.p - s.p) + version.n) : -1;
	bool whole = ended || version.n > 1 || next == m.separator || next == m.component;
	if (type && whole && version_shape(version))
		return DISSECT_YES;
	if (!ended)
		return DISSECT_MAYBE;
	while (hl7_eol(hl7_at(s, end)))
		end++;
	if (hl7_at(s, end) == HL7_FS)
		return type ? DISSECT_YES : DISSECT_NO;
	for (size_t i = 0; i < 4; i++) {
		int b = hl7_at(s, end + i);
		if (b < 0)
			return DISSECT_MAYBE;
		if (i == 3 ? b != m.separator : !hl7_upper(b) && !(i && hl7_digit(b)))
			return type ? DISSECT_YES : DISSECT_NO;
	}
	return DISSECT_YES;
}

static enum dissect_guess evidence(struct span s)
{
	size_t n = hl7_to_control(s, 0);
	/* Nearly always the header alone says yes; what stands behind it would not take that back. */
	if (n < s.n && (hl7_eol(s.p[n]) || s.p[n] == HL7_FS) && header_evidence((struct span){ s.p, n + 1 }) == DISSECT_YES)
		return DISSECT_YES;
	while (n < s.n && !foreign(s.p[n]))
		n = hl7_to_control(s, n + 1);
	enum dissect_guess g = header_evidence((struct span){ s.p, n });
	return g == DISSECT_MAYBE && n < s.n ? DISSECT_NO : g;
}

/* `s` is the beginning of a block or a message, or of what may stand before one. */
static enum dissect_guess probe_start(struct span s)
{
	size_t i = 0;
	for (size_t padding = 0; i < s.n; i++) {
		int b = s.p[i];
		if (b == HL7_VT) {
			int kind = hl7_at(s, i + 1);
			if (kind == HL7_ACKED || kind == HL7_NAKED) {   /* MLLP release 2: VT ACK FS CR */
				if (hl7_at(s, i + 2) < 0)
					return DISSECT_MAYBE;
				if (s.p[i + 2] != HL7_FS)
					return DISSECT_NO;
				i += 2;
			} else if (kind == 'D') {                               /* HLLP: VT D vv CR */
				for (size_t k = i + 2; k < i + 5; k++) {
					int h = hl7_at(s, k);
					if (h < 0)
						return DISSECT_MAYBE;
					if (k < i + 4 ? !hl7_digit(h) : h != HL7_CR)
						return DISSECT_NO;
				}
				i += 4;
			}
			continue;
		}
		if (b != 0 && b != HL7_CR && b != HL7_LF && b != ' ')
			break;
		if (++padding > PADDING)
			return DISSECT_NO;
	}
	static const uint8_t bom[] = { 0xef, 0xbb, 0xbf };
	size_t n = s.n - i < sizeof(bom) ? s.n - i : sizeof(bom);
	if (n && !memcmp(s.p + i, bom, n))
		i += n;
	if (i == s.n)
		return DISSECT_MAYBE;
	struct span head = span_from(s, i);
	switch (hl7_msh_kind(head)) {
	case HL7_PREFIX:
		return DISSECT_MAYBE;
	case HL7_MESSAGE:
	case HL7_BATCH_BEGIN:
		return evidence(head);
	default:
		return DISSECT_NO;
	}
}

/* Somewhere inside a message: what HL7 text does not hold rules it out; the next header, or two segments
 * of the commonest names with one separator, decide. */
static enum dissect_guess probe_middle(struct span s)
{
	static const char common[][4] = { "PID", "PV1", "OBR", "OBX", "MSA", "EVN", "ORC", "NTE" };
	int separator = -1, segments = 0, last = -1;
	bool open = false;              /* a header may have begun: more bytes can still decide for it */
	for (size_t i = 0; i < s.n; i++) {
		int b = s.p[i];
		bool between = last == HL7_FS || last == HL7_CR || last == HL7_LF || last == HL7_VT;
		bool commit = last == HL7_VT && (b == HL7_ACKED || b == HL7_NAKED);
		if (foreign(s.p[i]) && !(b == 0 && between) && !commit)
			return open ? DISSECT_MAYBE : DISSECT_NO;
		if (b == HL7_VT || (i && hl7_eol(s.p[i - 1])) || (i && s.p[i - 1] == HL7_FS)) {
			enum dissect_guess g = probe_start(span_from(s, i));
			if (g == DISSECT_YES)
				return g;
			open = open || g == DISSECT_MAYBE;
		}
		if (i && hl7_eol(s.p[i - 1]) && s.n - i > 3) {
			for (size_t k = 0; k < sizeof(common) / sizeof(common[0]); k++) {
				if (memcmp(s.p + i, common[k], 3) || s.p[i + 3] <= ' ' || hl7_digit(s.p[i + 3]) ||
				    hl7_upper(s.p[i + 3]))
					continue;
				if (segments && separator != s.p[i + 3])
					segments = 0;
				separator = s.p[i + 3];
				if (++segments == 2)
					return DISSECT_YES;
			}
		}
		if (b)
			last = b;
	}
	return DISSECT_MAYBE;
}

enum dissect_guess hl7_probe(struct span head, bool midstream)
{
	enum dissect_guess g = probe_start(head);
	return g == DISSECT_NO && midstream ? probe_middle(head) : g;
}
