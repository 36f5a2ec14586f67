/* dicom_begin.c -- where a PDU begins (PS3.8 9.3): at the start of a stream, mid-stream, and after a loss. */
#include "dissectors/dicom.h"

enum trust {
	TRUST_START,            /* first bytes of the stream: only what may come first */
	TRUST_HERE,             /* first bytes that were captured: a PDU may begin just here */
	TRUST_ANYWHERE,         /* somewhere in bytes that may be no DICOM at all */
	TRUST_FLOW,             /* somewhere in a flow that is known to be DICOM */
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Each of the three looks at the bytes one by one: a NO or YES comes with the first byte that decides, however many
 * come at a time, and a prefix never contradicts its continuation. */

/* A-ASSOCIATE-RQ or -AC. 42 bytes do when they are as the standard writes them; where reserved bytes or titles are
 * not, or `certain` is asked for, the application context item (PS3.8 7.1.1.2, Annex A.2.1) must be there too. */
static enum dissect_guess associate_begins(struct span s, bool certain)
{
	static const char context[] = "1.2.840.10008.3.1.1.1";
	enum { CALLED = 10, CALLING = 26, TITLES_END = 42, ITEM = 74, UID = 78, UID_END = UID + sizeof(context) - 1 };
	size_t end = certain ? UID_END : TITLES_END;
	bool blank = true;
	for (size_t i = 0; i < s.n && i < end; i++) {
		uint8_t b = s.p[i];
		bool ok = true;
		if (i == 1 || i == 8 || i == 9) {
			if (b)
				end = UID_END;
		} else if (i == 5) {
			uint32_t length = be32(s.p + 2);
			ok = length >= DICOM_ASSOCIATE_FIXED && length <= DICOM_ASSOCIATE_MAX;
		} else if (i == 7) {
			ok = b & 1;     /* version: only bit 0 may be tested (PS3.8 9.3.2) */
		} else if (i >= CALLED && i < TITLES_END) {
			if (i == CALLED || i == CALLING)
				blank = true;
			blank = blank && b == ' ';
			bool title_ends = i == CALLING - 1 || i == TITLES_END - 1;
			if (b < 0x20 || b > 0x7e || (title_ends && blank))
				end = UID_END;
		} else if (i == ITEM) {
			ok = b == 0x10;
		} else if (i == ITEM + 2) {
			ok = b == 0;
		} else if (i == ITEM + 3) {
			ok = b >= sizeof(context) - 1 && b <= 64;
		} else if (i >= UID) {
			ok = b == (uint8_t)context[i - UID];
		}
		if (!ok)
			return DISSECT_NO;
	}
	return s.n < end ? DISSECT_MAYBE : DISSECT_YES;
}

/* RJ, RELEASE-RQ, RELEASE-RP, ABORT: ten bytes, of which the reserved ones are asked to be zero here. */
static enum dissect_guess short_begins(struct span s)
{
	static const uint8_t head[] = { 0, 0, 0, 0, 0, DICOM_SHORT_BODY };
	for (size_t i = 1; i < s.n && i < DICOM_SHORT_PDU; i++) {
		uint8_t b = s.p[i];
		bool ok;
		if (i < DICOM_PDU_HEADER)
			ok = b == head[i];
		else if (s.p[0] == DICOM_PDU_ASSOCIATE_RJ)    /* PS3.8 Table 9-21 */
			ok = i == 6 ? b == 0 : i == 7 ? b == 1 || b == 2 : i == 8 ? b >= 1 && b <= 3 : b >= 1 && b <= 10;
		else if (s.p[0] == DICOM_PDU_ABORT)           /* PS3.8 Table 9-26 */
			ok = i < 8 ? b == 0 : i == 8 ? b == 0 || b == 2 : b <= 6;
		else
			ok = b == 0;
		if (!ok)
			return DISSECT_NO;
	}
	return s.n < DICOM_SHORT_PDU ? DISSECT_MAYBE : DISSECT_YES;
}

/* P-DATA-TF: its first PDV must be the start of a command set, which begins with its group length, or (with
 * `data`) fill the whole PDU, as nearly every sender of data sets has it. */
static enum dissect_guess data_begins(struct span s, bool data)
{
	static const uint8_t group_length[] = { 0, 0, 0, 0, 4, 0, 0, 0 };
	enum { CONTEXT = 10, CONTROL = 11, BODY = 12, COMMAND_END = BODY + sizeof(group_length) };
	size_t end = data ? BODY : COMMAND_END;
	for (size_t i = 1; i < s.n && i < end; i++) {
		uint8_t b = s.p[i];
		bool ok = true;
		if (i == 1) {
			ok = b == 0;
		} else if (i == 5) {
			uint32_t length = be32(s.p + 2);
			ok = length > DICOM_PDV_HEADER && length <= DICOM_PDATA_MAX;
		} else if (i == 9) {
			uint32_t pdu = be32(s.p + 2), pdv = be32(s.p + 6);
			ok = pdv > 2 && pdv <= pdu - 4;
		} else if (i == CONTEXT) {
			ok = b & 1;
		} else if (i == CONTROL) {
			if (b & DICOM_PDV_COMMAND)
				end = COMMAND_END;
			ok = b <= 3 && (b & DICOM_PDV_COMMAND || (data && be32(s.p + 6) == be32(s.p + 2) - 4));
			if (b & DICOM_PDV_COMMAND)
				ok = ok && be32(s.p + 6) >= 2 + sizeof(group_length);
		} else if (i >= BODY) {
			ok = b == group_length[i - BODY];
		}
		if (!ok)
			return DISSECT_NO;
	}
	return s.n < end ? DISSECT_MAYBE : DISSECT_YES;
}

static enum dissect_guess pdu_begins(struct span s, enum trust trust)
{
	if (!s.n)
		return DISSECT_MAYBE;
	switch (s.p[0]) {
	case DICOM_PDU_ASSOCIATE_RQ:
	case DICOM_PDU_ASSOCIATE_AC:
		return associate_begins(s, trust == TRUST_ANYWHERE || trust == TRUST_FLOW);
	case DICOM_PDU_ASSOCIATE_RJ:
	case DICOM_PDU_ABORT:
		return trust == TRUST_ANYWHERE ? DISSECT_NO : short_begins(s);
	case DICOM_PDU_RELEASE_RQ:
	case DICOM_PDU_RELEASE_RP:
		return trust == TRUST_ANYWHERE || trust == TRUST_START ? DISSECT_NO : short_begins(s);
	case DICOM_PDU_DATA:
		return data_begins(s, trust == TRUST_HERE || trust == TRUST_FLOW);
	default:
		return DISSECT_NO;
	}
}

/* The first place in `s` where a PDU begins or may begin: its offset, s.n when there is none. */
static size_t search(struct span s, enum trust trust, enum dissect_guess *ret_guess)
{
	for (size_t at = 0; at < s.n; at++) {
		if (s.p[at] < DICOM_PDU_ASSOCIATE_RQ || s.p[at] > DICOM_PDU_ABORT)
			continue;
		*ret_guess = pdu_begins(span_from(s, at), trust);
		if (*ret_guess != DISSECT_NO)
			return at;
	}
	*ret_guess = DISSECT_NO;
	return s.n;
}

enum dissect_guess dicom_begin_probe(struct span head, bool midstream)
{
	enum dissect_guess guess = pdu_begins(head, midstream ? TRUST_HERE : TRUST_START);
	if (guess != DISSECT_NO || !midstream)
		return guess;
	/* A place that only may be one must not hide a sure one behind it: the search goes on after it. */
	for (size_t from = 1; from < head.n; from++) {
		from += search(span_from(head, from), TRUST_ANYWHERE, &guess);
		if (guess == DISSECT_YES)
			return DISSECT_YES;
	}
	return head.n < DISSECT_PROBE_BYTES ? DISSECT_MAYBE : DISSECT_NO;
}

size_t dicom_begin_search(struct span s, enum dissect_guess *ret_guess)
{
	return search(s, TRUST_FLOW, ret_guess);
}
