#include "dissectors/dicom_walk.h"

#include <string.h>

enum kind { ITEM, SEQUENCE, FRAGMENTS };        /* FRAGMENTS: items of encapsulated pixel data hold no elements */

static const uint64_t OPEN = UINT64_MAX;        /* ends with a delimiter */
static const uint32_t UNDEFINED = 0xffffffff;

static bool letter(uint8_t b) { return b >= 'A' && b <= 'Z'; }

/* PS3.5 6.2: 0 no such VR, 8 or 12 bytes of header. */
static unsigned header_of(const uint8_t *vr)
{
	static const char brief[] = "AEASATCSDADSDTFLFDISLOLTPNSHSLSSSTTMUIULUS";
	static const char wide[] = "OBODOFOLOVOWSQSVUCUNURUTUV";
	for (size_t i = 0; i + 1 < sizeof(brief); i += 2)
		if (brief[i] == (char)vr[0] && brief[i + 1] == (char)vr[1])
			return 8;
	for (size_t i = 0; i + 1 < sizeof(wide); i += 2)
		if (wide[i] == (char)vr[0] && wide[i + 1] == (char)vr[1])
			return 12;
	return 0;
}

int dicom_walk_guess(struct span head)
{
	struct cursor c = cursor_from(head);
	uint8_t group[2] = { cursor_u8(&c), cursor_u8(&c) };
	cursor_skip(&c, 2);
	struct span after = cursor_take(&c, 4);
	if (!cursor_ok(&c))
		return -1;
	bool vr = header_of(after.p) != 0;
	/* The first group of a data set is even (private ones follow) and below 0100, as 0008 nearly always. */
	if (group[1] == 0 && group[0] >= 4 && !(group[0] & 1)) {
		struct cursor l = cursor_from(after);
		uint32_t length = cursor_u32le(&l);
		if (vr)
			return OBSERVATION_ENCODING_EXPLICIT;
		return length == UNDEFINED || (length <= 0xffff && !(length & 1)) ? OBSERVATION_ENCODING_IMPLICIT : -1;
	}
	if (group[0] == 0 && group[1] >= 4 && !(group[1] & 1) && vr)
		return OBSERVATION_ENCODING_BIG_ENDIAN;
	return -1;
}

static enum dicom_walk_status bad(struct dicom_walk *w, int fault)
{
	w->fault = fault;
	return DICOM_WALK_BAD;
}

static enum dicom_walk_status more(struct dicom_walk *w, uint64_t need)
{
	w->need = need;
	return DICOM_WALK_MORE;
}

static struct dicom_walk_level *top(struct dicom_walk *w)
{
	return w->depth ? &w->level[w->depth - 1] : NULL;
}

static bool implicit(struct dicom_walk *w)
{
	return w->encoding == OBSERVATION_ENCODING_IMPLICIT || (w->depth && top(w)->implicit);
}

/* Whether something that ends there stays inside what it stands in. */
static bool fits(struct dicom_walk *w, uint64_t end)
{
	return !w->depth || end <= top(w)->end;
}

/* Goes into something that begins at `from` and ends at `end`, which fits. */
static bool push(struct dicom_walk *w, enum kind kind, uint64_t from, uint64_t end, bool is_implicit)
{
	if (w->depth == DICOM_WALK_DEPTH)
		return false;
	w->level[w->depth++] = (struct dicom_walk_level){ .end = end, .kind = (uint8_t)kind, .implicit = is_implicit };
	w->at = from;
	return true;
}

/* FFFE,E000, E00D and E0DD: -1 when it was one and is done with, else as dicom_walk_next. */
static int delimiter(struct dicom_walk *w, uint16_t element, uint32_t length)
{
	struct dicom_walk_level *t = top(w);
	uint64_t from = w->at + 8;
	if (element == 0xe000 && t && t->kind != ITEM) {
		bool open = length == UNDEFINED;
		uint64_t end = open ? OPEN : from + length;
		if (!open && !fits(w, end))
			return (int)bad(w, OBSERVATION_LENGTH);
		if (t->kind == FRAGMENTS || (!w->descend && !open)) {
			if (open)
				return (int)bad(w, OBSERVATION_LENGTH);
			w->at = end;
			return -1;
		}
		return push(w, ITEM, from, end, t->implicit) ? -1 : (int)bad(w, OBSERVATION_LIMIT);
	}
	bool ends_item = element == 0xe00d && t && t->kind == ITEM && t->end == OPEN;
	bool ends_sequence = element == 0xe0dd && t && t->kind != ITEM && t->end == OPEN;
	if (!ends_item && !ends_sequence)
		return (int)bad(w, OBSERVATION_SYNTAX);
	w->depth--;
	w->at = from;
	return -1;
}

/* Element, VR and length at w->at: the length of the header; 0 with *ret_status set when there is none. */
static unsigned read_header(struct dicom_walk *w, uint16_t *ret_group, uint16_t *ret_element, uint8_t vr[2],
			    uint32_t *ret_length, enum dicom_walk_status *ret_status)
{
	bool big = w->encoding == OBSERVATION_ENCODING_BIG_ENDIAN && !implicit(w);
	struct cursor c = cursor_from(span_from(w->in, (size_t)w->at));
	uint16_t group = big ? cursor_u16be(&c) : cursor_u16le(&c), element = big ? cursor_u16be(&c) : cursor_u16le(&c);
	unsigned header = 8;
	*ret_status = more(w, w->at + 8);
	vr[0] = vr[1] = 0;
	if (group == 0xfffe || implicit(w)) {
		*ret_length = big ? cursor_u32be(&c) : cursor_u32le(&c);
	} else {
		vr[0] = cursor_u8(&c);
		vr[1] = cursor_u8(&c);
		uint16_t rest = big ? cursor_u16be(&c) : cursor_u16le(&c);
		if (!cursor_ok(&c))
			return 0;
		header = header_of(vr);
		/* PS3.5 6.2: a VR of next year has the wide form, where two bytes are zero. */
		if (!header && letter(vr[0]) && letter(vr[1]) && !rest)
			header = 12;
		if (!header) {
			*ret_status = bad(w, OBSERVATION_SYNTAX);
			return 0;
		}
		*ret_length = rest;
		if (header == 12) {
			*ret_length = big ? cursor_u32be(&c) : cursor_u32le(&c);
			*ret_status = more(w, w->at + 12);
		}
	}
	if (!cursor_ok(&c))
		return 0;
	*ret_group = group;
	*ret_element = element;
	return header;
}

enum dicom_walk_status dicom_walk_next(struct dicom_walk *w, struct dicom_element *ret)
{
	/* Ends: each turn leaves a level, or moves on by a header at least. */
	for (;;) {
		while (w->depth && top(w)->end != OPEN && w->at >= top(w)->end)
			w->depth--;             /* never past it: everything inside was seen to fit */
		if (w->at > w->in.n)
			return more(w, w->at + 8);
		if (w->at == w->in.n) {
			w->need = w->at + 8;
			return w->depth ? DICOM_WALK_MORE : DICOM_WALK_END;
		}
		enum dicom_walk_status status;
		uint16_t group, element;
		uint32_t length;
		uint8_t vr[2];
		unsigned header = read_header(w, &group, &element, vr, &length, &status);
		if (!header)
			return status;
		if (!fits(w, w->at + header))
			return bad(w, OBSERVATION_LENGTH);
		if (group == 0xfffe) {
			int done = delimiter(w, element, length);
			if (done >= 0)
				return (enum dicom_walk_status)done;
			continue;
		}
		if (w->depth && top(w)->kind != ITEM)
			return bad(w, OBSERVATION_SYNTAX);
		uint64_t from = w->at + header, end = from + length;
		*ret = (struct dicom_element){ .tag = (uint32_t)group << 16 | element, .nested = w->depth };
		if (!w->depth && ret->tag <= w->last)
			return bad(w, OBSERVATION_SYNTAX);      /* PS3.5 7.1: tags ascend */
		bool un = vr[0] == 'U' && vr[1] == 'N', sq = vr[0] == 'S' && vr[1] == 'Q';
		bool is_implicit = implicit(w) || (un && length == UNDEFINED);
		if (length != UNDEFINED && !fits(w, end))
			return bad(w, OBSERVATION_LENGTH);
		if (implicit(w) && length >= 8 && length != UNDEFINED && w->descend) {
			/* No VR: what begins with an item is a sequence. */
			struct cursor c = cursor_from(span_from(w->in, (size_t)from));
			uint32_t item = cursor_u32le(&c);
			if (!cursor_ok(&c))
				return more(w, from + 4);
			sq = item == 0xe000fffe;
		}
		if (length == UNDEFINED) {
			bool pixels = ret->tag == 0x7fe00010 || (vr[0] == 'O' && (vr[1] == 'B' || vr[1] == 'W'));
			if (!sq && !is_implicit && !pixels)
				return bad(w, OBSERVATION_LENGTH);
			ret->sequence = true;
			if (!push(w, pixels ? FRAGMENTS : SEQUENCE, from, OPEN, is_implicit))
				return bad(w, OBSERVATION_LIMIT);
		} else if (sq && length && w->descend) {
			ret->sequence = true;
			if (!push(w, SEQUENCE, from, end, is_implicit))
				return bad(w, OBSERVATION_LIMIT);
		} else if (sq || length > DICOM_WALK_VALUE) {
			ret->sequence = sq && length;
			ret->passed_over = !sq;
			w->at = end;
		} else {
			if (end > w->in.n)
				return more(w, end);
			ret->value = (struct span){ w->in.p + from, length };
			w->at = end;
		}
		if (!ret->nested)
			w->last = ret->tag;
		return DICOM_WALK_ELEMENT;
	}
}
