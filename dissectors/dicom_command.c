/* dicom_command.c -- DIMSE command sets: group 0000, always implicit VR little endian (PS3.7 6.3.1, Annex E). */
#include "core/bytes.h"
#include "dissectors/dicom.h"

static const uint16_t command_codes[] = {
#define X(SYM, name, code) [OBSERVATION_##SYM] = code,
	OBSERVATION_COMMAND_LIST(X)
#undef X
};

static uint64_t command_word(uint16_t code)
{
	switch (code) {
#define X(SYM, name, number)                     \
	case number:                             \
		return OBSERVATION_##SYM;
		OBSERVATION_COMMAND_LIST(X)
#undef X
	default:
		return OBSERVATION_UNKNOWN;
	}
}

static void set_u16(struct observation *o, enum observation_field f, struct cursor *value)
{
	/* VR US has two bytes; a value of another length says nothing that we could trust. */
	if (cursor_left(value) == 2)
		observation_uint(o, f, cursor_u16le(value));
}

/* Who sends a query, an echo or a retrieve request is the user of the service and, in practice, the side that
 * opened the association; a C-STORE-RQ may come from either side (C-GET), N-EVENT-REPORT comes from the server. */
static enum dissect_client client_by_command(uint16_t code, unsigned dir)
{
	switch (code & 0x7fff) {
	case 0x0010: case 0x0020: case 0x0021: case 0x0030:
		return (enum dissect_client)(code & 0x8000 ? !dir : dir);
	default:
		return DISSECT_CLIENT_UNKNOWN;
	}
}

/* PS3.7 Annex C, and the status values of the services (PS3.4). */
static uint64_t outcome_of(uint16_t status)
{
	switch (status) {
	case 0x0000:
		return OBSERVATION_SUCCESS;
	case 0xff00: case 0xff01:
		return OBSERVATION_PENDING;
	case 0xfe00:
		return OBSERVATION_CANCEL;
	case 0x0001: case 0x0107: case 0x0116:
		return OBSERVATION_WARNING;
	default:
		break;
	}
	switch (status >> 12) {
	case 0xb:
		return OBSERVATION_WARNING;
	case 0xa: case 0xc:
		return OBSERVATION_FAILURE;
	default:
		return status >> 8 == 1 || status >> 8 == 2 ? OBSERVATION_FAILURE : OBSERVATION_OUTCOME_UNKNOWN;
	}
}

/* Not "/../../etc/cron.d/x": servers made file names of it (CVE-2022-2119, -2120). */
static void check_instance(struct observation *o, struct cursor *value)
{
	struct span uid = dicom_trim(cursor_rest(value));
	if (uid.n && !vocab_fits(VOCAB_G_UID, 64, uid))
		observation_uint(o, OBSERVATION_F_instance_uid_valid, 0);
}

/* 0: it was not given. */
static uint16_t id_of(const struct observation *o, enum observation_field f, uint64_t id)
{
	return observation_has(o, f) ? (uint16_t)id : 0;
}

/* Whose request a response answers, or a cancel is about. Without it the field is left out: it may have been sent where
 * nobody listened, so that its absence proves nothing. */
static void pair(struct observation *o, struct dicom_operations *operations, unsigned dir)
{
	unsigned command = (unsigned)o->command;
	uint16_t id = id_of(o, OBSERVATION_F_message_id, o->message_id);
	uint16_t responded = id_of(o, OBSERVATION_F_responded_id, o->responded_id);
	uint32_t pending = 0;
	bool paired = false;
	if (command == OBSERVATION_UNKNOWN)
		return;
	if (command == OBSERVATION_C_CANCEL_RQ) {
		paired = observation_has(o, OBSERVATION_F_responded_id) && dicom_operations_waiting(operations, dir, responded);
	} else if (command_codes[command] & 0x8000) {
		bool last = !observation_has(o, OBSERVATION_F_outcome) || o->outcome != OBSERVATION_PENDING;
		unsigned request = command - 1; /* each response stands behind its request in the list */
		if (!observation_has(o, OBSERVATION_F_responded_id))
			return;
		paired = dicom_operations_response(operations, !dir, request, responded, last, &pending);
		if (pending)
			observation_uint(o, OBSERVATION_F_pending, pending);
	} else if (observation_has(o, OBSERVATION_F_message_id)) {
		dicom_operations_request(operations, dir, command, id);
	}
	if (paired)
		observation_uint(o, OBSERVATION_F_paired, 1);
}

int dicom_command(struct span set, uint8_t context_id, struct dicom_operations *operations, struct dissect_ctx *ctx,
		  struct dicom_message *ret_message)
{
	struct observation o;
	observation_begin(&o, OBSERVATION_DICOM_COMMAND);
	struct cursor c = cursor_from(set);
	bool has_command = false;
	uint16_t code = 0;
	while (cursor_left(&c)) {
		struct span head = cursor_take(&c, 8);
		struct cursor value = cursor_sub(&c, head.p ? bytes_u32le(head.p + 4) : 0);
		if (!cursor_ok(&c))
			return OBSERVATION_LENGTH;
		if (bytes_u16le(head.p) != 0)
			return OBSERVATION_SYNTAX;
		uint16_t element = bytes_u16le(head.p + 2);
		struct span text;
		switch (element) {
		case 0x0002:            /* Affected and Requested SOP Class UID: a command has one of them */
		case 0x0003:
			text = dicom_trim(cursor_rest(&value));
			if (text.n)
				observation_text(&o, OBSERVATION_F_sop_class, text);
			break;
		case 0x0100:
			code = cursor_u16le(&value);
			has_command = cursor_ok(&value);
			break;
		case 0x0110:
			set_u16(&o, OBSERVATION_F_message_id, &value);
			break;
		case 0x0120:
			set_u16(&o, OBSERVATION_F_responded_id, &value);
			break;
		case 0x0600:
			text = dicom_ae(cursor_rest(&value));
			if (text.n)
				observation_text(&o, OBSERVATION_F_move_destination, text);
			break;
		case 0x0800: {          /* PS3.7 E.1: 0101H is "no data set", everything else is one */
			uint16_t type = cursor_u16le(&value);
			if (cursor_ok(&value))
				observation_uint(&o, OBSERVATION_F_data_set, type != 0x0101);
			break;
		}
		case 0x0900:
			set_u16(&o, OBSERVATION_F_status, &value);
			if (observation_has(&o, OBSERVATION_F_status))
				observation_uint(&o, OBSERVATION_F_outcome, outcome_of((uint16_t)o.status));
			break;
		case 0x1000:            /* Affected and Requested SOP Instance UID */
		case 0x1001:
			check_instance(&o, &value);
			break;
		case 0x1002:
			set_u16(&o, OBSERVATION_F_event_type_id, &value);
			break;
		case 0x1008:
			set_u16(&o, OBSERVATION_F_action_type_id, &value);
			break;
		case 0x1020:
			set_u16(&o, OBSERVATION_F_remaining, &value);
			break;
		case 0x1021:
			set_u16(&o, OBSERVATION_F_completed, &value);
			break;
		case 0x1022:
			set_u16(&o, OBSERVATION_F_failed, &value);
			break;
		case 0x1023:
			set_u16(&o, OBSERVATION_F_warning, &value);
			break;
		case 0x1030:
			text = dicom_ae(cursor_rest(&value));
			if (text.n)
				observation_text(&o, OBSERVATION_F_originator_ae, text);
			break;
		case 0x1031:
			set_u16(&o, OBSERVATION_F_originator_id, &value);
			break;
		default:                /* group length, priority, attribute lists, comments: not ours to keep */
			break;
		}
	}
	if (!has_command)
		return OBSERVATION_SYNTAX;
	if (ctx->client == DISSECT_CLIENT_UNKNOWN)
		ctx->client = client_by_command(code, ctx->dir);
	observation_uint(&o, OBSERVATION_F_command, command_word(code));
	observation_uint(&o, OBSERVATION_F_context_id, context_id);
	pair(&o, operations, ctx->dir);
	ctx->emit(ctx->arg, &o);
	*ret_message = (struct dicom_message){
		.id = id_of(&o, OBSERVATION_F_message_id, o.message_id), .has_id = observation_has(&o, OBSERVATION_F_message_id),
		.command = (uint8_t)o.command, .context_id = context_id,
		.has_data = observation_has(&o, OBSERVATION_F_data_set) && o.data_set,
	};
	return DICOM_SOUND;
}
