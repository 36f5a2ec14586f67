/* dicom.c -- DICOM upper layer over TCP (PS3.8 section 9.3): finds the PDUs and walks the P-DATA.
 *
 * Each direction is, at any moment, before a PDU header, before a PDV header inside a P-DATA-TF, or searching
 * for a place where it can be sure to stand before a PDU header. Every step takes a number of bytes that the
 * bytes themselves decide, so segmentation cannot change what is seen.
 */
#include "core/bytes.h"
#include "dissectors/dicom.h"

#include <string.h>

enum {
	BREAKS_TOLD = 2,        /* one may be the capture's fault; from the second on it is said */
	BREAKS_MAX = 4,         /* then the flow is given up */
};

enum place { PLACE_NEW, PLACE_CHAIN, PLACE_SEARCH };

struct dicom_side {
	uint32_t pdu_left;      /* bytes left of the P-DATA-TF we are in; 0: before a PDU header */
	uint8_t place;          /* enum place */
	bool drop_command;      /* a command set over its limit: pass over the rest of its fragments */
	bool releasing;         /* has asked for release in this association */
	bool in_data;           /* a data set is under way: it was announced, its last fragment was not seen */
	struct dicom_message message;   /* with has_data: its data set comes, and its beginning is of interest */
};

struct dicom_state {
	struct dicom_side side[2];
	struct dicom_operations operations;
	uint8_t breaks;         /* of the chain of PDUs, both directions together */
	bool requested;         /* an association, and it was not answered yet */
};

_Static_assert(sizeof(struct dicom_state) <= DISSECT_MAX_STATE, "fits into a flow");

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
	struct observation o;
	observation_begin(&o, OBSERVATION_MALFORMED);
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
	size_t at = dicom_begin_search(s, &guess);
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
	for (unsigned i = 0; i < 2; i++)
		state->side[i].releasing = false;
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

static uint64_t cause_of(enum dicom_pdu type, uint8_t source, uint8_t reason)
{
	static const struct { uint8_t type, source, reason, cause; } causes[] = {
#define X(SYM, name, source, reason) { DICOM_PDU_ASSOCIATE_RJ, source, reason, OBSERVATION_##SYM },
		OBSERVATION_REJECT_LIST(X)
#undef X
#define X(SYM, name, source, reason) { DICOM_PDU_ABORT, source, reason, OBSERVATION_##SYM },
		OBSERVATION_ABORT_LIST(X)
#undef X
	};
	if (type == DICOM_PDU_ABORT && !source)
		reason = 0;             /* of the service user: "not significant" (PS3.8 9.3.8) */
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].type == type && causes[i].source == source && causes[i].reason == reason)
			return causes[i].cause;
	return OBSERVATION_CAUSE_RESERVED;
}

static void read_short(struct reader *r, enum dicom_pdu type, struct span body)
{
	struct cursor c = cursor_from(body);
	cursor_skip(&c, 1);
	uint8_t result = cursor_u8(&c), source = cursor_u8(&c), reason = cursor_u8(&c);
	struct observation o;
	switch (type) {
	case DICOM_PDU_ASSOCIATE_RJ:
		r->ctx->client = (enum dissect_client)!r->ctx->dir;
		observation_begin(&o, OBSERVATION_DICOM_ASSOCIATE_REJECT);
		observation_uint(&o, OBSERVATION_F_result, result);
		observation_uint(&o, OBSERVATION_F_source, source);
		observation_uint(&o, OBSERVATION_F_reject_reason, reason);
		observation_uint(&o, OBSERVATION_F_cause, cause_of(type, source, reason));
		forget_association(r->state);
		break;
	case DICOM_PDU_ABORT:
		observation_begin(&o, OBSERVATION_DICOM_ABORT);
		observation_uint(&o, OBSERVATION_F_source, source);
		observation_uint(&o, OBSERVATION_F_reject_reason, reason);
		observation_uint(&o, OBSERVATION_F_cause, cause_of(type, source, reason));
		forget_association(r->state);
		break;
	case DICOM_PDU_RELEASE_RQ:
		observation_begin(&o, OBSERVATION_DICOM_RELEASE);
		observation_uint(&o, OBSERVATION_F_release, OBSERVATION_RELEASE_RQ);
		r->side->releasing = true;
		if (r->state->side[!(r->ctx->dir & 1)].releasing)
			observation_uint(&o, OBSERVATION_F_collision, 1);
		break;
	default:
		observation_begin(&o, OBSERVATION_DICOM_RELEASE);
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
	case DICOM_PDU_ASSOCIATE_RQ:
	case DICOM_PDU_ASSOCIATE_AC:
		if (length < DICOM_ASSOCIATE_FIXED)
			return chain_broken(r, OBSERVATION_LENGTH);
		if (length > DICOM_ASSOCIATE_MAX)
			return chain_broken(r, OBSERVATION_LIMIT);
		break;
	case DICOM_PDU_ASSOCIATE_RJ:
	case DICOM_PDU_RELEASE_RQ:
	case DICOM_PDU_RELEASE_RP:
	case DICOM_PDU_ABORT:
		if (length != DICOM_SHORT_BODY)
			return chain_broken(r, OBSERVATION_LENGTH);
		break;
	case DICOM_PDU_DATA:
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
	r->side->in_data = r->side->message.has_data = false;
	struct span body = cursor_take(&c, length);
	if (type == DICOM_PDU_ASSOCIATE_RQ || type == DICOM_PDU_ASSOCIATE_AC)
		read_associate(r, body, type == DICOM_PDU_ASSOCIATE_AC);
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
	struct span head = cursor_take(c, DICOM_PDV_HEADER);
	if (!head.p)
		return false;
	uint32_t length = bytes_u32be(head.p);
	ret->context_id = head.p[4];
	ret->control = head.p[5];
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
			if (type != DICOM_PDU_DATA || left < DICOM_PDV_HEADER || left > DICOM_PDATA_MAX) {
				left = 0;
				break;          /* an abort, for one; or the chain ends here, as the next step will see */
			}
			at += DICOM_PDU_HEADER;
		}
		if (s.n - at < DICOM_PDV_HEADER)
			return more(0, at + DICOM_PDV_HEADER);
		if (!pdv_header(&c, left, &v) || !(v.control & DICOM_PDV_COMMAND) || v.context_id != first.context_id)
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
		bool last = v.control & DICOM_PDV_LAST;
		struct span whole = part;
		if (gathered || !last) {
			if (part.n)
				memcpy(r->ctx->scratch->bytes + gathered, part.p, part.n);
			gathered += part.n;
			whole = (struct span){ r->ctx->scratch->bytes, gathered };
		}
		if (last) {
			struct dicom_message message = { 0 };
			int fault = dicom_command(whole, first.context_id, &r->state->operations, r->ctx, &message);
			side->in_data = message.has_data;
			side->message = message;
			side->message.has_data = message.has_data && dicom_dataset_wanted(&message);
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

/* The beginning of a data set that says something, of which the first fragment's header stands at s.p. Waits for as much of
 * it as is needed and then leaves the fragment that decided to be passed over as any other. */
static struct dissect_result read_head(struct reader *r, struct span s, struct pdv first)
{
	struct dicom_side *side = r->side;
	struct dicom_message message = side->message;
	struct cursor c = cursor_from(s);
	struct pdv v = first;
	uint32_t left = side->pdu_left, left_at_pdv = left;
	size_t gathered = 0, at = 0;    /* at: of the PDV, or of the PDU header before it */
	enum dicom_dataset_end end = DICOM_DATASET_CUT;
	struct span whole = { 0 };
	int fault;
	for (unsigned fragments = 0; fragments < DICOM_FRAGMENTS_MAX; fragments++) {
		size_t pdv = at;
		if (!left) {
			if (s.n - at < DICOM_PDU_HEADER)
				return more(0, at + DICOM_PDU_HEADER);
			uint8_t type = cursor_u8(&c);
			cursor_skip(&c, 1);
			uint32_t length = cursor_u32be(&c);
			left_at_pdv = 0;
			if (type != DICOM_PDU_DATA || length < DICOM_PDV_HEADER || length > DICOM_PDATA_MAX)
				break;
			left = length;
			pdv += DICOM_PDU_HEADER;
		} else {
			left_at_pdv = left;
		}
		if (s.n - pdv < DICOM_PDV_HEADER)
			return more(0, pdv + DICOM_PDV_HEADER);
		if (!pdv_header(&c, left, &v) || v.control & DICOM_PDV_COMMAND || v.context_id != first.context_id)
			break;
		/* Of this fragment: as much as is there, or as is needed to say more. */
		size_t body = pdv + DICOM_PDV_HEADER, room = DICOM_HEAD_MAX - gathered;
		for (;;) {
			size_t here = s.n - body < v.length ? s.n - body : v.length;
			here = here < room ? here : room;
			bool all = here == v.length, last = all && v.control & DICOM_PDV_LAST;
			/* Looked at in whole steps only, so that where segments end changes nothing. */
			if (!all && here != room) {
				size_t steps = (gathered + here) / DICOM_HEAD_STEP * DICOM_HEAD_STEP;
				here = steps > gathered ? steps - gathered : 0;
			}
			whole = (struct span){ s.p + body, here };
			if (gathered) {
				memcpy(r->ctx->scratch->bytes + gathered, s.p + body, here);
				whole = (struct span){ r->ctx->scratch->bytes, gathered + here };
			}
			end = last ? DICOM_DATASET_WHOLE : here == room ? DICOM_DATASET_CUT : DICOM_DATASET_OPEN;
			size_t need = dicom_dataset(whole, end, &message, r->ctx, &fault);
			if (!need)
				goto said;
			if (all)
				break;
			/* Waits for a whole step, or for the end of the fragment: each time begins anew. */
			size_t step = (need + DICOM_HEAD_STEP - 1) / DICOM_HEAD_STEP * DICOM_HEAD_STEP - gathered;
			step = step < v.length ? step : v.length;
			step = step < room ? step : room;
			return more(0, body + step);
		}
		if (!gathered && v.length)
			memcpy(r->ctx->scratch->bytes, s.p + body, v.length);
		gathered += v.length;
		cursor_skip(&c, v.length);
		left -= DICOM_PDV_HEADER + v.length;
		at = body + v.length;
		left_at_pdv = left;
	}
	/* Something else stands between its fragments, or they are too many. */
	end = DICOM_DATASET_CUT;
	whole = (struct span){ r->ctx->scratch->bytes, gathered };
	(void)dicom_dataset(whole, end, &message, r->ctx, &fault);
said:
	if (fault != DICOM_SOUND)
		tell_malformed(r, fault);
	side->message.has_data = false;
	side->pdu_left = left_at_pdv;
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
	if (v.control & DICOM_PDV_COMMAND && !side->drop_command) {
		if (side->in_data)      /* the data set before it was never ended (PS3.8 Annex E.1) */
			tell_malformed(r, OBSERVATION_STATE);
		side->in_data = false;
		return read_command(r, s, v);
	}
	if (!(v.control & DICOM_PDV_COMMAND) && side->message.has_data) {
		if (v.context_id == side->message.context_id)
			return read_head(r, s, v);
		tell_malformed(r, OBSERVATION_STATE);
		side->message.has_data = false;
	}
	if (!(v.control & DICOM_PDV_COMMAND) || v.control & DICOM_PDV_LAST)
		side->drop_command = false;
	if (!(v.control & DICOM_PDV_COMMAND) && v.control & DICOM_PDV_LAST)
		side->in_data = false;
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
	.probe = dicom_begin_probe,
	.parse = dicom_parse,
	.gap = dicom_gap,
};
