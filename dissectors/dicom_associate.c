/* dicom_associate.c -- A-ASSOCIATE-RQ and A-ASSOCIATE-AC (PS3.8 9.3.2, 9.3.3; user items: Annex D, PS3.7 Annex D). */
#include "core/bytes.h"
#include "dissectors/dicom.h"

enum item {
	ITEM_CONTEXT_RQ = 0x20,
	ITEM_CONTEXT_AC = 0x21,
	ITEM_ABSTRACT = 0x30,
	ITEM_TRANSFER = 0x40,
	ITEM_USER = 0x50,
	ITEM_MAX_PDU = 0x51,
	ITEM_IMPLEMENTATION_UID = 0x52,
	ITEM_ASYNC_WINDOW = 0x53,
	ITEM_ROLE = 0x54,
	ITEM_IMPLEMENTATION_VERSION = 0x55,
	ITEM_EXTENDED = 0x56,
	ITEM_COMMON_EXTENDED = 0x57,
	ITEM_USER_IDENTITY = 0x58,
	ITEM_USER_IDENTITY_AC = 0x59,
};

enum {
	/* 128 contexts with their syntaxes and the negotiation items of as many SOP classes; more is not an
	 * association that anyone means. */
	MAX_ITEMS = 4096,
	MAX_SYNTAXES_PER_CONTEXT = 64,  /* PS3.6 lists fewer than that in all */
};

struct reader {
	struct observation *o;
	struct dissect_ctx *ctx;
	struct vocab_contexts contexts;
	unsigned items, roles, scp_roles, extended, common_extended;
	bool accept;
	int fault;              /* the first one */
};

static void fault(struct reader *r, int reason)
{
	if (r->fault == DICOM_SOUND)
		r->fault = reason;
}

/* The next item of `c`; false at the end, or at a fault, behind which nothing can be read. */
static bool next_item(struct reader *r, struct cursor *c, uint8_t *ret_type, struct cursor *ret_value)
{
	if (!cursor_left(c))
		return false;
	struct span head = cursor_take(c, 4);
	*ret_value = cursor_sub(c, head.p ? bytes_u16be(head.p + 2) : 0);
	if (!cursor_ok(c)) {
		fault(r, OBSERVATION_LENGTH);
		return false;
	}
	if (++r->items > MAX_ITEMS) {
		fault(r, OBSERVATION_LIMIT);
		return false;
	}
	*ret_type = head.p[0];
	return true;
}

static void read_syntax(struct reader *r, struct vocab_context *x, struct span uid)
{
	struct vocab_contexts *all = &r->contexts;
	/* PS3.8 9.3.3.2: with a result other than acceptance the transfer syntax is not significant. */
	if ((r->accept && x->result != 0) || !uid.n)
		return;
	if (x->n == MAX_SYNTAXES_PER_CONTEXT || all->n_syntaxes == VOCAB_MAX_SYNTAXES) {
		fault(r, OBSERVATION_LIMIT);
		return;
	}
	r->ctx->scratch->vocab.syntaxes[all->n_syntaxes++] = uid;
	x->n++;
}

static void read_context(struct reader *r, struct cursor *c)
{
	struct vocab_contexts *all = &r->contexts;
	struct vocab_context x = { .first = all->n_syntaxes, .result = VOCAB_NO_RESULT };
	struct span head = cursor_take(c, 4);
	if (!cursor_ok(c)) {
		fault(r, OBSERVATION_LENGTH);
		return;
	}
	if (all->n == VOCAB_MAX_CONTEXTS) {
		fault(r, OBSERVATION_LIMIT);
		return;
	}
	x.id = head.p[0];
	if (r->accept)
		x.result = head.p[2];
	uint8_t type;
	struct cursor value;
	while (next_item(r, c, &type, &value)) {
		struct span uid = dicom_trim(cursor_rest(&value));
		if (type == ITEM_ABSTRACT)
			x.abstract_syntax = uid;
		else if (type == ITEM_TRANSFER)
			read_syntax(r, &x, uid);
	}
	r->ctx->scratch->vocab.contexts[all->n++] = x;
}

/* PS3.7 D.3.3.7: who uses the client. Type, whether an answer is wanted, a primary and a secondary field, each with its
 * length. Of the values only their being there is told: with type 1 the first is a name, else one of them is a secret. */
static void read_user_identity(struct reader *r, struct cursor *c)
{
	uint8_t kind = cursor_u8(c);
	uint8_t answer = cursor_u8(c);
	struct span primary = cursor_take(c, cursor_u16be(c));
	struct span secondary = cursor_take(c, cursor_u16be(c));
	if (!cursor_ok(c))
		fault(r, OBSERVATION_LENGTH);
	observation_uint(r->o, OBSERVATION_F_user_identity,
	                 kind >= 1 && kind <= 5 ? OBSERVATION_UI_USERNAME + kind - 1u : OBSERVATION_UI_OTHER);
	observation_uint(r->o, OBSERVATION_F_credential, secondary.n || (kind != 1 && kind != 2 && primary.n));
	observation_uint(r->o, OBSERVATION_F_identity_response, answer != 0);
}

/* PS3.7 D.3.3.6: SOP class, service class, and a list of related general SOP classes. */
static void read_common_extended(struct reader *r, struct cursor *c)
{
	r->common_extended++;
	cursor_skip(c, cursor_u16be(c));
	cursor_skip(c, cursor_u16be(c));
	struct cursor related = cursor_sub(c, cursor_u16be(c));
	while (cursor_left(&related))
		cursor_skip(&related, cursor_u16be(&related));
	if (!cursor_ok(c) || !cursor_ok(&related))
		fault(r, OBSERVATION_LENGTH);
}

static void read_user_item(struct reader *r, uint8_t type, struct cursor *c)
{
	struct span text;
	switch (type) {
	case ITEM_MAX_PDU: {
		uint32_t max = cursor_u32be(c);
		if (cursor_ok(c))
			observation_uint(r->o, OBSERVATION_F_max_pdu, max);
		else
			fault(r, OBSERVATION_LENGTH);
		break;
	}
	case ITEM_IMPLEMENTATION_UID:
		text = dicom_trim(cursor_rest(c));
		if (text.n)
			observation_text(r->o, OBSERVATION_F_implementation_uid, text);
		break;
	case ITEM_ASYNC_WINDOW: {
		uint16_t invoked = cursor_u16be(c), performed = cursor_u16be(c);
		if (!cursor_ok(c)) {
			fault(r, OBSERVATION_LENGTH);
			break;
		}
		observation_uint(r->o, OBSERVATION_F_async_invoked, invoked);
		observation_uint(r->o, OBSERVATION_F_async_performed, performed);
		break;
	}
	case ITEM_ROLE: {
		cursor_skip(c, cursor_u16be(c));
		cursor_skip(c, 1);      /* SCU role */
		uint8_t scp = cursor_u8(c);
		if (!cursor_ok(c)) {
			fault(r, OBSERVATION_LENGTH);
			break;
		}
		r->roles++;
		r->scp_roles += scp == 1;
		break;
	}
	case ITEM_IMPLEMENTATION_VERSION:
		text = span_trim(dicom_trim(cursor_rest(c)));
		if (text.n)
			observation_text(r->o, OBSERVATION_F_implementation_version, text);
		break;
	case ITEM_EXTENDED:
		r->extended++;
		cursor_skip(c, cursor_u16be(c));        /* then what the service class defines */
		if (!cursor_ok(c))
			fault(r, OBSERVATION_LENGTH);
		break;
	case ITEM_COMMON_EXTENDED:
		read_common_extended(r, c);
		break;
	case ITEM_USER_IDENTITY:
		if (!r->accept)
			read_user_identity(r, c);
		break;
	case ITEM_USER_IDENTITY_AC:
		cursor_skip(c, cursor_u16be(c));        /* a Kerberos or SAML answer: never read */
		if (!cursor_ok(c))
			fault(r, OBSERVATION_LENGTH);
		if (r->accept)
			observation_uint(r->o, OBSERVATION_F_identity_response, 1);
		break;
	default:
		break;
	}
}

/* The number is left out when there is no such item. */
static void tell_count(struct reader *r, enum observation_field f, unsigned n)
{
	if (n)
		observation_uint(r->o, f, n);
}

int dicom_associate(struct span body, bool accept, struct dissect_ctx *ctx)
{
	struct observation o;
	observation_begin(&o, accept ? OBSERVATION_DICOM_ASSOCIATE_ACCEPT : OBSERVATION_DICOM_ASSOCIATE_REQUEST);
	struct reader r = { .o = &o, .ctx = ctx, .accept = accept, .fault = DICOM_SOUND };
	struct cursor c = cursor_from(body);
	cursor_skip(&c, 4);             /* protocol version: only its bit 0 may be tested, and no one else is on this port */
	struct span called = dicom_ae(cursor_take(&c, 16));
	struct span calling = dicom_ae(cursor_take(&c, 16));
	cursor_skip(&c, 32);
	/* In an -AC the titles are "not to be tested" (PS3.8 9.3.3): a server may leave them out, not a client. */
	if (!accept || calling.n)
		observation_text(&o, OBSERVATION_F_calling_ae, calling);
	if (!accept || called.n)
		observation_text(&o, OBSERVATION_F_called_ae, called);
	uint8_t type;
	struct cursor value;
	while (next_item(&r, &c, &type, &value)) {
		if (type == (accept ? ITEM_CONTEXT_AC : ITEM_CONTEXT_RQ)) {
			read_context(&r, &value);
		} else if (type == ITEM_USER) {
			struct cursor user = value;
			while (next_item(&r, &user, &type, &value))
				read_user_item(&r, type, &value);
		}
	}
	tell_count(&r, OBSERVATION_F_role_selections, r.roles);
	tell_count(&r, OBSERVATION_F_scp_roles, r.scp_roles);
	tell_count(&r, OBSERVATION_F_extended_negotiations, r.extended);
	tell_count(&r, OBSERVATION_F_common_extended, r.common_extended);
	r.contexts.v = ctx->scratch->vocab.contexts;
	r.contexts.syntaxes = ctx->scratch->vocab.syntaxes;
	vocab_set_contexts(&observation_vocab, &o.head, OBSERVATION_F_contexts, &r.contexts);
	ctx->emit(ctx->arg, &o);
	return r.fault;
}
