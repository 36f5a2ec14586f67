/* dicom.c -- DICOM upper layer over TCP (PS3.8 section 9.3): finds the PDUs and walks the P-DATA.
 *
 * Each direction is, at any moment, before a PDU header, before a PDV header inside a P-DATA-TF, or searching
 * for a place where it can be sure to stand before a PDU header. Every step takes a number of bytes that the
 * bytes themselves decide, so segmentation cannot change what is seen.
 */
#include "dissectors/dicom.h"

#include <string.h>

enum pdu {
	PDU_ASSOCIATE_RQ = 1,
	PDU_ASSOCIATE_AC,
	PDU_ASSOCIATE_RJ,
	PDU_DATA,
	PDU_RELEASE_RQ,
	PDU_RELEASE_RP,
	PDU_ABORT,
};

enum {
	PDV_COMMAND = 1,        /* message control header (PS3.8 Annex E.2) */
	PDV_LAST = 2,
	SHORT_BODY = 4,         /* of RJ, RELEASE and ABORT */
	SHORT_PDU = DICOM_PDU_HEADER + SHORT_BODY,
	BREAKS_TOLD = 2,        /* one may be the capture's fault; from the second on it is said */
	BREAKS_MAX = 4,         /* then the flow is given up */
};

enum place { PLACE_NEW, PLACE_CHAIN, PLACE_SEARCH };

struct dicom_side {
	uint32_t pdu_left;      /* bytes left of the P-DATA-TF we are in; 0: before a PDU header */
	uint8_t place;          /* enum place */
	bool drop_command;      /* a command set over its limit: pass over the rest of its fragments */
	bool releasing;         /* has asked for release in this association */
};

struct dicom_state {
	struct dicom_side side[2];
	struct dicom_operations operations;
	uint8_t breaks;         /* of the chain of PDUs, both directions together */
	bool requested;         /* an association, and it was not answered yet */
};

_Static_assert(sizeof(struct dicom_state) <= DISSECT_MAX_STATE, "fits into a flow");

/* ---- where a PDU begins ---- */

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
	static const uint8_t head[] = { 0, 0, 0, 0, 0, SHORT_BODY };
	for (size_t i = 1; i < s.n && i < SHORT_PDU; i++) {
		uint8_t b = s.p[i];
		bool ok;
		if (i < DICOM_PDU_HEADER)
			ok = b == head[i];
		else if (s.p[0] == PDU_ASSOCIATE_RJ)    /* PS3.8 Table 9-21 */
			ok = i == 6 ? b == 0 : i == 7 ? b == 1 || b == 2 : i == 8 ? b >= 1 && b <= 3 : b >= 1 && b <= 10;
		else if (s.p[0] == PDU_ABORT)           /* PS3.8 Table 9-26 */
			ok = i < 8 ? b == 0 : i == 8 ? b == 0 || b == 2 : b <= 6;
		else
			ok = b == 0;
		if (!ok)
			return DISSECT_NO;
	}
	return s.n < SHORT_PDU ? DISSECT_MAYBE : DISSECT_YES;
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
			if (b & PDV_COMMAND)
				end = COMMAND_END;
			ok = b <= 3 && (b & PDV_COMMAND || (data && be32(s.p + 6) == be32(s.p + 2) - 4));
			if (b & PDV_COMMAND)
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
	case PDU_ASSOCIATE_RQ:
	case PDU_ASSOCIATE_AC:
		return associate_begins(s, trust == TRUST_ANYWHERE || trust == TRUST_FLOW);
	case PDU_ASSOCIATE_RJ:
	case PDU_ABORT:
		return trust == TRUST_ANYWHERE ? DISSECT_NO : short_begins(s);
	case PDU_RELEASE_RQ:
	case PDU_RELEASE_RP:
		return trust == TRUST_ANYWHERE || trust == TRUST_START ? DISSECT_NO : short_begins(s);
	case PDU_DATA:
		return data_begins(s, trust == TRUST_HERE || trust == TRUST_FLOW);
	default:
		return DISSECT_NO;
	}
}

/* The first place in `s` where a PDU begins or may begin: its offset, s.n when there is none. */
static size_t search(struct span s, enum trust trust, enum dissect_guess *ret_guess)
{
	for (size_t at = 0; at < s.n; at++) {
		if (s.p[at] < PDU_ASSOCIATE_RQ || s.p[at] > PDU_ABORT)
			continue;
		*ret_guess = pdu_begins(span_from(s, at), trust);
		if (*ret_guess != DISSECT_NO)
			return at;
	}
	*ret_guess = DISSECT_NO;
	return s.n;
}

static enum dissect_guess dicom_probe(struct span head, bool midstream)
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

/* ---- reading ---- */

struct reader {
	struct dicom_state *state;
	struct dicom_side *side;
	struct dissect_ctx *ctx;
};

static struct dissect_result ok(size_t consumed)
{
	return (struct dissect_result){ .status = DISSECT_OK, .consumed = consumed };
}

static struct dissect_result more(size_t consumed, size_t need)
{
	return (struct dissect_result){ .status = DISSECT_MORE, .consumed = consumed, .need = need };
}

static void tell_malformed(struct reader *r, int reason)
{
	struct observation o = dicom_new(OBSERVATION_MALFORMED);
	observation_uint(&o, OBSERVATION_F_transport, OBSERVATION_TCP);
	observation_text(&o, OBSERVATION_F_service, span_str("dicom"));
	observation_uint(&o, OBSERVATION_F_reason, (uint64_t)reason);
	r->ctx->emit(r->ctx->arg, &o);
}

static void start_search(struct dicom_side *side)
{
	*side = (struct dicom_side){ .place = PLACE_SEARCH };
}

/* What stands here cannot follow what stood before. */
static struct dissect_result chain_broken(struct reader *r, int reason)
{
	r->state->breaks++;
	if (r->state->breaks >= BREAKS_TOLD)
		tell_malformed(r, reason);
	if (r->state->breaks >= BREAKS_MAX)
		return (struct dissect_result){ .status = DISSECT_BAD };
	start_search(r->side);
	return ok(0);
}

static struct dissect_result read_searching(struct reader *r, struct span s)
{
	enum dissect_guess guess;
	size_t at = search(s, TRUST_FLOW, &guess);
	if (guess == DISSECT_MAYBE)
		return more(at, s.n - at + 1);
	if (guess == DISSECT_YES)
		r->side->place = PLACE_CHAIN;
	return ok(at);
}

/* What was known of an association is over. */
static void forget_association(struct dicom_state *state)
{
	state->operations = (struct dicom_operations){ 0 };
	state->side[0].releasing = state->side[1].releasing = false;
	state->requested = false;
}

static void read_associate(struct reader *r, struct span body, bool accept)
{
	/* Requests may be sent before the accept (PS3.8 has the requestor wait; not everyone does). */
	if (!accept || !r->state->requested)
		forget_association(r->state);
	r->state->requested = !accept;
	r->ctx->client = (enum dissect_client)(accept ? !r->ctx->dir : r->ctx->dir);
	int fault = dicom_associate(body, accept, r->ctx);
	if (fault != DICOM_SOUND)
		tell_malformed(r, fault);
}

static uint64_t cause_of(enum pdu type, uint8_t source, uint8_t reason)
{
	static const struct { uint8_t type, source, reason, cause; } causes[] = {
#define X(SYM, name, source, reason) { PDU_ASSOCIATE_RJ, source, reason, OBSERVATION_##SYM },
		OBSERVATION_REJECT_LIST(X)
#undef X
#define X(SYM, name, source, reason) { PDU_ABORT, source, reason, OBSERVATION_##SYM },
		OBSERVATION_ABORT_LIST(X)
#undef X
	};
	if (type == PDU_ABORT && !source)
		reason = 0;             /* of the service user: "not significant" (PS3.8 9.3.8) */
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].type == type && causes[i].source == source && causes[i].reason == reason)
			return causes[i].cause;
	return OBSERVATION_CAUSE_RESERVED;
}

static void read_short(struct reader *r, enum pdu type, struct span body)
{
	struct cursor c = cursor_from(body);
	cursor_skip(&c, 1);
	uint8_t result = cursor_u8(&c), source = cursor_u8(&c), reason = cursor_u8(&c);
	struct observation o;
	switch (type) {
	case PDU_ASSOCIATE_RJ:
		r->ctx->client = (enum dissect_client)!r->ctx->dir;
		o = dicom_new(OBSERVATION_DICOM_ASSOCIATE_REJECT);
		observation_uint(&o, OBSERVATION_F_result, result);
		observation_uint(&o, OBSERVATION_F_source, source);
		observation_uint(&o, OBSERVATION_F_reject_reason, reason);
		observation_uint(&o, OBSERVATION_F_cause, cause_of(type, source, reason));
		forget_association(r->state);
		break;
	case PDU_ABORT:
		o = dicom_new(OBSERVATION_DICOM_ABORT);
		observation_uint(&o, OBSERVATION_F_source, source);
		observation_uint(&o, OBSERVATION_F_reject_reason, reason);
		observation_uint(&o, OBSERVATION_F_cause, cause_of(type, source, reason));
		forget_association(r->state);
		break;
	case PDU_RELEASE_RQ:
		o = dicom_new(OBSERVATION_DICOM_RELEASE);
		observation_uint(&o, OBSERVATION_F_release, OBSERVATION_RELEASE_RQ);
		r->side->releasing = true;
		if (r->state->side[!(r->ctx->dir & 1)].releasing)
			observation_uint(&o, OBSERVATION_F_collision, 1);
		break;
	default:
		o = dicom_new(OBSERVATION_DICOM_RELEASE);
		observation_uint(&o, OBSERVATION_F_release, OBSERVATION_RELEASE_RP);
		forget_association(r->state);
		break;
	}
	r->ctx->emit(r->ctx->arg, &o);
}

static struct dissect_result read_pdu(struct reader *r, struct span s)
{
	if (s.n < DICOM_PDU_HEADER)
		return more(0, DICOM_PDU_HEADER);
	struct cursor c = cursor_from(s);
	uint8_t type = cursor_u8(&c);
	cursor_skip(&c, 1);             /* reserved: not tested */
	uint32_t length = cursor_u32be(&c);
	switch (type) {
	case PDU_ASSOCIATE_RQ:
	case PDU_ASSOCIATE_AC:
		if (length < DICOM_ASSOCIATE_FIXED)
			return chain_broken(r, OBSERVATION_LENGTH);
		if (length > DICOM_ASSOCIATE_MAX)
			return chain_broken(r, OBSERVATION_LIMIT);
		break;
	case PDU_ASSOCIATE_RJ:
	case PDU_RELEASE_RQ:
	case PDU_RELEASE_RP:
	case PDU_ABORT:
		if (length != SHORT_BODY)
			return chain_broken(r, OBSERVATION_LENGTH);
		break;
	case PDU_DATA:
		if (length < DICOM_PDV_HEADER)
			return chain_broken(r, OBSERVATION_LENGTH);
		if (length > DICOM_PDATA_MAX)
			return chain_broken(r, OBSERVATION_LIMIT);
		r->side->pdu_left = length;
		return ok(DICOM_PDU_HEADER);
	default:
		return chain_broken(r, OBSERVATION_TYPE_CODE);
	}
	if (cursor_left(&c) < length)
		return more(0, DICOM_PDU_HEADER + (size_t)length);
	struct span body = cursor_take(&c, length);
	if (type == PDU_ASSOCIATE_RQ || type == PDU_ASSOCIATE_AC)
		read_associate(r, body, type == PDU_ASSOCIATE_AC);
	else
		read_short(r, type, body);
	return ok(DICOM_PDU_HEADER + (size_t)length);
}

struct pdv {
	uint32_t length;        /* of what follows the PDV header */
	uint8_t context_id, control;
};

/* Reads a PDV header inside a PDU with `left` bytes; false when it cannot be one. */
static bool pdv_header(struct cursor *c, uint32_t left, struct pdv *ret)
{
	uint32_t length = cursor_u32be(c);
	ret->context_id = cursor_u8(c);
	ret->control = cursor_u8(c);
	if (length < 2 || left < 4 || length > left - 4)
		return false;
	ret->length = length - 2;
	return true;
}

/* A command set, of which the first fragment's header stands at s.p: waits for all of it. The fragments may be
 * spread over PDUs, but other things may not stand between them (PS3.8 Annex E.1). */
static struct dissect_result read_command(struct reader *r, struct span s, struct pdv first)
{
	struct dicom_side *side = r->side;
	struct cursor c = cursor_from(s);
	struct pdv v = first;
	uint32_t left = side->pdu_left;
	size_t gathered = 0, at = 0;
	for (unsigned fragments = 0;; fragments++) {
		if (!left) {
			if (s.n - at < DICOM_PDU_HEADER)
				return more(0, at + DICOM_PDU_HEADER);
			uint8_t type = cursor_u8(&c);
			cursor_skip(&c, 1);
			left = cursor_u32be(&c);
			if (type != PDU_DATA || left < DICOM_PDV_HEADER || left > DICOM_PDATA_MAX) {
				left = 0;
				break;          /* an abort, for one; or the chain ends here, as the next step will see */
			}
			at += DICOM_PDU_HEADER;
		}
		if (s.n - at < DICOM_PDV_HEADER)
			return more(0, at + DICOM_PDV_HEADER);
		if (!pdv_header(&c, left, &v) || !(v.control & PDV_COMMAND) || v.context_id != first.context_id)
			break;
		if (fragments == DICOM_FRAGMENTS_MAX || v.length > DICOM_COMMAND_MAX - gathered) {
			tell_malformed(r, OBSERVATION_LIMIT);
			side->drop_command = true;
			side->pdu_left = left;
			return ok(at);
		}
		if (s.n - at < DICOM_PDV_HEADER + v.length)
			return more(0, at + DICOM_PDV_HEADER + v.length);
		struct span part = cursor_take(&c, v.length);
		at += DICOM_PDV_HEADER + v.length;
		left -= DICOM_PDV_HEADER + v.length;
		bool last = v.control & PDV_LAST;
		struct span whole = part;
		if (gathered || !last) {
			if (part.n)
				memcpy(r->ctx->scratch->bytes + gathered, part.p, part.n);
			gathered += part.n;
			whole = (struct span){ r->ctx->scratch->bytes, gathered };
		}
		if (last) {
			struct dicom_message message;
			int fault = dicom_command(whole, first.context_id, &r->state->operations, r->ctx, &message);
			if (fault != DICOM_SOUND)
				tell_malformed(r, fault);
			side->pdu_left = left;
			return ok(at);
		}
	}
	/* The command set was never ended. What interrupts it is read for itself. */
	tell_malformed(r, OBSERVATION_STATE);
	side->pdu_left = left;
	return ok(at);
}

static struct dissect_result read_pdv(struct reader *r, struct span s)
{
	struct dicom_side *side = r->side;
	if (side->pdu_left < DICOM_PDV_HEADER)
		return chain_broken(r, OBSERVATION_LENGTH);
	if (s.n < DICOM_PDV_HEADER)
		return more(0, DICOM_PDV_HEADER);
	struct cursor c = cursor_from(s);
	struct pdv v;
	if (!pdv_header(&c, side->pdu_left, &v))
		return chain_broken(r, OBSERVATION_LENGTH);
	if (v.control & PDV_COMMAND && !side->drop_command)
		return read_command(r, s, v);
	if (!(v.control & PDV_COMMAND) || v.control & PDV_LAST)
		side->drop_command = false;
	side->pdu_left -= DICOM_PDV_HEADER + v.length;
	if (v.length <= cursor_left(&c))
		return ok(DICOM_PDV_HEADER + (size_t)v.length);
	return (struct dissect_result){ .status = DISSECT_SKIP, .consumed = DICOM_PDV_HEADER, .need = v.length };
}

static struct dissect_result dicom_parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct dicom_state *st = state;
	struct reader r = { .state = st, .side = &st->side[ctx->dir & 1], .ctx = ctx };
	size_t at = 0;
	if (r.side->place == PLACE_NEW)
		r.side->place = ctx->midstream ? PLACE_SEARCH : PLACE_CHAIN;
	/* Ends: each step takes bytes, or goes from the chain to the search; only a find, which the chain accepts, goes
	 * back, and the breaks are counted. */
	while (at < in.n) {
		struct span rest = span_from(in, at);
		struct dissect_result step = r.side->place == PLACE_SEARCH ? read_searching(&r, rest)
		                             : r.side->pdu_left            ? read_pdv(&r, rest)
		                                                           : read_pdu(&r, rest);
		at += step.consumed;
		if (step.status != DISSECT_OK) {
			step.consumed = at;
			return step;
		}
	}
	return ok(at);
}

static enum dissect_status dicom_gap(void *state, uint64_t n, struct dissect_ctx *ctx)
{
	struct dicom_state *st = state;
	/* Inside a data set the engine counts lost bytes off by itself; elsewhere nothing tells us where we are. */
	(void)n;
	start_search(&st->side[ctx->dir & 1]);
	forget_association(st); /* its release, or the request of the next, may be among what was lost */
	return DISSECT_OK;
}

const struct dissector dicom_dissector = {
	.name = "dicom",
	.transports = DISSECT_TCP,
	.ports = { 104, 11112, 4242 },
	.state_size = sizeof(struct dicom_state),
	.max_message = DICOM_PDU_HEADER + DICOM_ASSOCIATE_MAX,
	.probe = dicom_probe,
	.parse = dicom_parse,
	.gap = dicom_gap,
};
