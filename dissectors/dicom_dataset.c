/* dicom_dataset.c -- the beginning of a data set: which device it comes from, or what is asked for (PS3.3, PS3.4, PS3.5).
 *
 * How it is written is told by its own bytes, which need no memory of what was negotiated and are there mid-stream too: the
 * VR of the first element, the order of its group number, or that only its inflated form is a data set.
 */
#include "core/charset.h"
#include "core/inflate.h"
#include "dissectors/dicom.h"
#include "dissectors/dicom_walk.h"

/* Parts of ctx->scratch->bytes. The first holds a head that came in fragments (dicom.c). */
enum {
	INFLATED_AT = DICOM_HEAD_MAX,
	INFLATED_MAX = 16 << 10,
	TEXTS_AT = INFLATED_AT + INFLATED_MAX,
};
_Static_assert(TEXTS_AT + (8 << 10) <= sizeof(((struct dissect_scratch *)0)->bytes), "all parts fit");

static struct buf texts_of(struct dissect_ctx *ctx)
{
	return buf_over(ctx->scratch->bytes + TEXTS_AT, sizeof(ctx->scratch->bytes) - TEXTS_AT);
}

/* A text of the makers' in UTF-8, as much of it as the field has room for. */
static void set_text(struct observation *o, enum observation_field f, struct charset c, struct span value, struct buf *texts)
{
	enum { MOST = 192 };            /* 64 characters (PS3.5 6.2, LO) of three bytes; `max` of the fields */
	size_t mark = texts->len;
	if (texts->cap - mark < MOST)
		return;
	struct buf room = buf_over(texts->data + mark, MOST);
	value = span_trim(dicom_trim(value));
	(void)charset_decode(c, value, ';', &room);
	texts->len += room.len;
	if (room.len)
		observation_text(o, f, buf_span(&room));
}

/* "\ISO 2022 IR 87" becomes "~ISO 2022 IR 87", as HL7 writes it. */
static void set_charset(struct observation *o, struct span value, struct buf *texts)
{
	size_t mark = texts->len;
	value = dicom_trim(value);
	for (size_t i = 0; i < value.n; i++)
		(void)buf_u8(texts, value.p[i] == '\\' ? '~' : value.p[i]);
	if (value.n && !texts->full)
		observation_text(o, OBSERVATION_F_charset, (struct span){ texts->data + mark, value.n });
}

static void set_plain(struct observation *o, enum observation_field f, struct span value)
{
	value = span_trim(dicom_trim(value));
	if (value.n)
		observation_text(o, f, value);
}

static enum dicom_walk_status read_identity(struct dicom_walk *w, const struct dicom_message *m, struct dissect_ctx *ctx,
					    struct observation *o)
{
	uint32_t last = m->command == OBSERVATION_N_CREATE_RQ ? 0x00400242 : 0x00181020;
	struct buf texts = texts_of(ctx);
	struct charset charset = { 0 };
	for (;;) {
		struct dicom_element e;
		enum dicom_walk_status status = dicom_walk_next(w, &e);
		if (status != DICOM_WALK_ELEMENT)
			return status;
		if (e.nested)
			continue;
		switch (e.tag) {
		case 0x00080005:
			(void)charset_dicom(e.value, &charset); /* unknown: ASCII */
			set_charset(o, e.value, &texts);
			break;
		case 0x00080060:
			set_plain(o, OBSERVATION_F_modality, e.value);
			break;
		case 0x00080070:
			set_text(o, OBSERVATION_F_manufacturer, charset, e.value, &texts);
			break;
		case 0x00080080:
			set_text(o, OBSERVATION_F_institution, charset, e.value, &texts);
			break;
		case 0x00081010:
			set_text(o, OBSERVATION_F_station, charset, e.value, &texts);
			break;
		case 0x00081090:
			set_text(o, OBSERVATION_F_model, charset, e.value, &texts);
			break;
#ifdef SPANWARD_PLANT                           /* the leak that tests/canary.sh must find */
		case 0x00100020:
#endif
		case 0x00181000:
			set_text(o, OBSERVATION_F_serial, charset, e.value, &texts);
			break;
		case 0x00181002:
			set_plain(o, OBSERVATION_F_device_uid, e.value);
			break;
		case 0x00181020:
			set_text(o, OBSERVATION_F_software, charset, e.value, &texts);
			break;
		case 0x00400241:
			set_plain(o, OBSERVATION_F_station_ae, e.value);
			break;
		case 0x00400242:
			set_text(o, OBSERVATION_F_station, charset, e.value, &texts);
			break;
		default:
			break;
		}
		if (e.tag >= last) {
			w->done = true;
			return DICOM_WALK_END;
		}
	}
}

static void begin(const struct dicom_message *m, bool query, uint64_t encoding, struct observation *o)
{
	observation_begin(o, query ? OBSERVATION_DICOM_QUERY : OBSERVATION_DICOM_DATASET);
	observation_uint(o, OBSERVATION_F_command, m->command);
	observation_uint(o, OBSERVATION_F_context_id, m->context_id);
	if (m->has_id)
		observation_uint(o, OBSERVATION_F_message_id, m->id);
	observation_uint(o, OBSERVATION_F_encoding, encoding);
}

static bool is_query(const struct dicom_message *m)
{
	return m->command == OBSERVATION_C_FIND_RQ || m->command == OBSERVATION_C_GET_RQ ||
	       m->command == OBSERVATION_C_MOVE_RQ;
}

bool dicom_dataset_wanted(const struct dicom_message *m)
{
	return m->command == OBSERVATION_C_STORE_RQ || m->command == OBSERVATION_N_CREATE_RQ || is_query(m);
}

size_t dicom_dataset(struct span head, enum dicom_dataset_end end, const struct dicom_message *m, struct dissect_ctx *ctx,
		     int *ret_fault)
{
	struct span in = head;
	bool query = is_query(m), at_end = end != DICOM_DATASET_OPEN;
	enum inflate_status inflated = INFLATE_DONE;
	*ret_fault = DICOM_SOUND;
	if (head.n < 8 && !at_end)
		return 8;
	int guess = dicom_walk_guess(head);
	uint64_t encoding = (uint64_t)guess;
	if (guess < 0 && head.n) {
		struct buf out = buf_over(ctx->scratch->bytes + INFLATED_AT, INFLATED_MAX);
		inflated = inflate_raw(head, &out);
		in = buf_span(&out);
		if (in.n < 8 && inflated == INFLATE_MORE && !at_end)
			return head.n + 1;
		guess = dicom_walk_guess(in);
		encoding = guess < 0 ? OBSERVATION_ENCODING_UNKNOWN : OBSERVATION_ENCODING_DEFLATED;
	}
	if (!head.n)                    /* no data set after all */
		return 0;
	struct observation o;
	begin(m, query, encoding, &o);
	if (guess < 0) {
		observation_uint(&o, OBSERVATION_F_partial, 1);
		ctx->emit(ctx->arg, &o);
		return 0;
	}
	struct dicom_walk w = { .in = in, .encoding = (uint8_t)guess, .descend = query };
	struct buf texts = texts_of(ctx);
	enum dicom_walk_status status = query ? dicom_query_read(&w, &texts, &o) : read_identity(&w, m, ctx, &o);
	bool whole = end == DICOM_DATASET_WHOLE;
	if (encoding == OBSERVATION_ENCODING_DEFLATED) {
		if (inflated == INFLATE_MORE && !at_end && status != DICOM_WALK_BAD && !w.done)
			return head.n + 1;
		whole = inflated == INFLATE_DONE;
	} else if (!at_end && status != DICOM_WALK_BAD && !w.done) {
		return w.need < DICOM_HEAD_MAX ? (size_t)w.need : DICOM_HEAD_MAX + 1;
	}
	if (status == DICOM_WALK_MORE && whole) {       /* a value or a sequence that passes the end */
		status = DICOM_WALK_BAD;
		w.fault = OBSERVATION_LENGTH;
	}
	if (status == DICOM_WALK_BAD)
		*ret_fault = w.fault;
	bool partial = !w.done && (status != DICOM_WALK_END || !whole);
	if (partial)
		observation_uint(&o, OBSERVATION_F_partial, 1);
	else if (query)
		observation_uint(&o, OBSERVATION_F_sweep, !observation_has(&o, OBSERVATION_F_match_keys));
	ctx->emit(ctx->arg, &o);
	return 0;
}
