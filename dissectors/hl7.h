/* hl7.h -- inside the HL7 v2 dissector: what its files share. hl7.c finds messages in the stream and segments in messages,
 * hl7_message.c knows what segments mean and says it, hl7_msh.c is the syntax, hl7_line.c
 * the same for segments of plain ASCII, hl7_device.c equipment and software,
 * hl7_vendor.c whose way of writing it is, hl7_probe.c recognition, hl7_rest.c what is kept between messages.
 * Facts: HL7 v2 chapter 2 (2.5.4 delimiters, 2.15.8 MSA, 2.15.9 MSH), MLLP release 1 and 2.
 */
#ifndef DISSECTORS_HL7_H
#define DISSECTORS_HL7_H

#include "core/bytes.h"
#include "core/charset.h"
#include "core/token.h"
#include "dissectors/dissector.h"

enum {
	HL7_VT = 0x0b,    /* MLLP: begins a block */
	HL7_FS = 0x1c,    /* MLLP: ends a block, a CR follows */
	HL7_ACKED = 0x06, /* MLLP release 2: positive commit acknowledgement */
	HL7_NAKED = 0x15, /* MLLP release 2: negative */
	HL7_CR = 0x0d,
	HL7_LF = 0x0a,
	HL7_ESC = 0x1b,
	HL7_MSH_FIELDS = 18, /* the last field that we read is MSH-18 */
	/* Longest beginning of a header segment that decides what it is: MSH, separator, five encoding
	 * characters (v2.7 has five with the truncation character), separator. */
	HL7_HEADER_BYTES = 10,
	/* Of a segment that is read whole, so much is held; the rest passes by. Real headers have 100 to 300 bytes. */
	HL7_SEGMENT_MAX = 4096,
	HL7_FIELD_MAX = 512, /* of a field that is read out of a segment of any length */
	/* Control ids that wait for an acknowledgement, both directions. Senders wait for each acknowledgement by the
	 * standard (2.9.2); real engines pipeline a handful. */
	HL7_MAX_WAITING = 64,
	HL7_MAX_ORDERS = 64,  /* told of one message */
	HL7_MAX_DEVICES = 16, /* told of one message, and remembered as told, per direction */
};

/* The byte at `i`, -1 past the end. */
static inline int hl7_at(struct span s, size_t i) { return i < s.n ? s.p[i] : -1; }
static inline bool hl7_eol(int b) { return b == HL7_CR || b == HL7_LF; }
static inline bool hl7_digit(int b) { return b >= '0' && b <= '9'; }
static inline bool hl7_upper(int b) { return b >= 'A' && b <= 'Z'; }

/* Bytes from `at` on up to the first control character: nothing of framing or of segments is among them. The place behind. */
static inline size_t hl7_to_control(struct span s, size_t at)
{
	for (; s.n - at >= 8; at += 8) {
		uint64_t found = bytes_below(bytes_load(s.p + at), 0x20);
		if (found)
			return at + bytes_first(found);
	}
	while (at < s.n && s.p[at] >= 0x20)
		at++;
	return at;
}

/* The same, and up to the first `stop` or byte that is no ASCII: outside of a character of two bytes or an escape, what is
 * passed changes nothing of struct hl7_text but that no UTF-8 character is open. */
static inline size_t hl7_to_special(struct span s, size_t at, uint8_t stop)
{
	for (; s.n - at >= 8; at += 8) {
		uint64_t v = bytes_load(s.p + at), found = bytes_below(v, 0x20) | bytes_high(v) | bytes_equal(v, stop);
		if (found)
			return at + bytes_first(found);
	}
	while (at < s.n && s.p[at] >= 0x20 && s.p[at] < 0x80 && s.p[at] != stop)
		at++;
	return at;
}

/* ---- syntax: hl7_msh.c ---- */

enum hl7_kind {
	HL7_OTHER,       /* not a header segment */
	HL7_PREFIX,      /* could become one: not enough bytes to tell */
	HL7_MESSAGE,     /* MSH with usable delimiters */
	HL7_BATCH_BEGIN, /* FHS, BHS */
	HL7_BATCH_END,   /* BTS, FTS */
};

/* What begins at `s`. Reads at most HL7_HEADER_BYTES. */
enum hl7_kind hl7_msh_kind(struct span s);

/* Which bytes belong to a character of two bytes, whose second may look like a delimiter. */
enum hl7_family {
	HL7_GUESS,     /* MSH-18 says nothing; the zeroed state */
	HL7_PLAIN,     /* ASCII, ISO 8859, UTF-8, EUC, KS X 1001: bytes below 80H are themselves */
	HL7_SHIFT_JIS, /* 81H to 9FH and E0H to FCH begin a pair */
	HL7_PAIRS,     /* GB 18030, GBK, Big5: 81H to FEH begin a pair */
};

/* Where reading stands between the bytes of characters. Escapes to two-byte or kana sets (ISO 2022) are followed in
 * every family: MSH-18 is often missing or late. The end of a segment resets it. */
struct hl7_text {
	uint8_t family; /* enum hl7_family */
	uint8_t escape; /* bytes of an escape seen so far: 1 ESC, 2 ESC $, 3 ESC (, 4 ESC $ ( */
	bool wide, second;
	uint8_t utf8; /* HL7_GUESS: bytes of a UTF-8 character that are still to come */
};

/* Takes the next byte. True when it stands for itself, and so may be a delimiter. */
bool hl7_msh_take(struct hl7_text *t, uint8_t b);

struct hl7_msh {                               /* spans into the message */
	struct span field[HL7_MSH_FIELDS + 1]; /* MSH-n at [n]; [0] is unused, [1] the separator itself */
	uint8_t separator, component, repetition, escape, subcomponent; /* 0: none declared */
	enum hl7_family family;
};

/* The family that MSH-18 names. */
enum hl7_family hl7_msh_family(struct span charset);
/* Reads an MSH segment of kind HL7_MESSAGE, which may be cut anywhere. The family is the one that MSH-18 names
 * when MSH is split by its rules: they decide where MSH-18 is. */
void hl7_msh_parse(struct span segment, struct hl7_msh *ret);
void hl7_msh_split(struct span segment, enum hl7_family family, struct hl7_msh *ret);

/* The bytes before the first `stop`, or before the end of the segment, whichever comes first. */
struct span hl7_msh_token(struct span s, uint8_t stop, enum hl7_family family);
/* The token at the front of `*rest`, which moves past the delimiter behind it; empty from the end on. */
struct span hl7_msh_next(struct span *rest, uint8_t stop, enum hl7_family family);
/* The n-th token, from 1. */
struct span hl7_msh_nth(struct span s, unsigned n, uint8_t stop, enum hl7_family family);

/* ---- the state of a flow ---- */

enum hl7_mode {
	HL7_BETWEEN, /* outside a message; the zeroed state */
	HL7_INSIDE,  /* inside a message */
	HL7_HEADER,  /* inside a batch header or trailer: nothing of interest up to its end */
	HL7_HUNT,    /* lost: looking for the next beginning */
};

enum hl7_segment {
	HL7_SEG_START,     /* at the first byte of a segment, or at what ends the one before */
	HL7_SEG_HELD,      /* in one that is read whole: s->name says which */
	HL7_SEG_PASSING,   /* in one of no interest, or in the rest of a long one */
	HL7_SEG_OBX,       /* counting fields */
	HL7_SEG_OBX_FIELD, /* at a field that is read */
};

/* Texts of a message that are said when its end is seen. */
enum hl7_saved {
	HL7_S_TYPE,
	HL7_S_CONTROL,
	HL7_S_APP,
	HL7_S_FACILITY,
	HL7_S_TO_APP,
	HL7_S_TO_FACILITY,
	HL7_S_VERSION,
	HL7_S_CHARSET,
	HL7_S_ACKED,
	HL7_S_ERROR,
	HL7_SAVED,
	/* All of one message together. Real headers have 50 to 150; what finds no room is not admitted. */
	HL7_SAVED_BYTES = 320,
	HL7_NOT_ADMITTED = 0xff,
};

struct hl7_side {
	bool committed;                    /* this message has its bare commit: the next one is another's, perhaps of a lost one */
	/* framing */
	uint32_t scanned; /* bytes at the front of the input that were looked at already */
	uint8_t mode, segment;
	bool framed; /* a VT opened the block that we are in */
	bool fresh;  /* ... just now: a commit or an HLLP header may follow */
	bool hllp;
	bool seen;      /* something of HL7 was found in this direction */
	bool lost;      /* bytes of no meaning were reported, or are expected */
	bool after_eol; /* HUNT: the byte before the input ended a segment */
	/* the message */
	bool headed;  /* its MSH has been read */
	bool decided; /* it is known whether it is an acknowledgement; if not, its control id was taken down */
	bool ack, asks_accept;
	bool orders, grouped; /* it is of a type that carries orders; one is open */
	bool group_has_obr, has_head;
	bool partial;
	uint8_t separator, component, repetition, escape, subcomponent;
	uint8_t name[3]; /* of the segment that is held */
	uint8_t field;   /* OBX: of the byte before the input, 255 past all that matter */
	uint8_t n_orders, n_devices;
	uint8_t ack_code, error_rank, accept_ack, application_ack, vendor; /* vendor + 1 */
	char order_control[2];
	uint8_t order_control_n;
	struct hl7_text text;
	struct charset charset;
	uint16_t saved_used;
	uint8_t saved_n[HL7_SAVED];
	uint16_t saved_at[HL7_SAVED];
	uint8_t saved[HL7_SAVED_BYTES];
	uint64_t order, filler; /* of the open order: what its tokens are made of */
	bool has_order, has_filler;
	uint32_t id, acked; /* hashes for the table below; 0: none */
	/* Of the message, and of an order in it: what stands before the first order, and the open one. */
	struct siphash_stream body, head, group;
	/* kept over messages */
	uint32_t devices[HL7_MAX_DEVICES]; /* hashes of what was told lately, a ring */
	uint8_t told;                      /* where the next one goes */
};

struct hl7_state {
	uint32_t waiting[HL7_MAX_WAITING]; /* hashes of (direction, control id), oldest first */
	uint32_t forgotten;                /* ids that had to make room */
	struct hl7_side side[2];
	uint8_t n_waiting;
	bool gap;                          /* bytes were lost: which message a bare commit answers is not known any more */
};

/* ---- what segments mean: hl7_message.c ---- */

void hl7_message_begin(struct hl7_side *s);
/* A segment of that name begins. How it is to be read. */
enum hl7_segment hl7_message_segment(struct hl7_state *st, struct dissect_ctx *ctx, struct span name);
/* The segment s->name, or its first HL7_SEGMENT_MAX bytes. The second for one that is plain. */
struct hl7_line;
void hl7_message_held(struct hl7_state *st, struct dissect_ctx *ctx, struct span segment);
void hl7_message_line(struct hl7_state *st, struct dissect_ctx *ctx, const struct hl7_line *l);
/* OBX-3 or OBX-18, as s->field says, or its first HL7_FIELD_MAX bytes. */
void hl7_message_obx(struct hl7_state *st, struct dissect_ctx *ctx, struct span field);
/* Whether that field of an OBX is wanted. */
static inline bool hl7_message_wants(const struct hl7_side *s, unsigned field)
{
	return field == 18 || (field == 3 && s->vendor - 1 == OBSERVATION_VENDORS);
}
/* Bytes of the message that have been passed. */
static inline void hl7_message_bytes(struct hl7_side *s, struct span bytes)
{
	/* Of an acknowledgement the content is not said. */
	if (!s->ack || s->orders)
		siphash_stream_feed(&s->body, bytes.p, bytes.n);
	if (s->grouped)
		siphash_stream_feed(&s->group, bytes.p, bytes.n);
}
/* The end may have come but is not certain: the control id is taken down, so that an answer finds it. */
void hl7_message_decide(struct hl7_state *st, struct dissect_ctx *ctx);
void hl7_message_end(struct hl7_state *st, struct dissect_ctx *ctx, int framing);
void hl7_message_commit(struct hl7_state *st, struct dissect_ctx *ctx, int code);

/* A text of the message as it was saved; not present: n is 0. */
void hl7_message_put(struct observation *o, enum observation_field f, const struct hl7_side *s, enum hl7_saved which);

/* ---- hl7_device.c ---- */

void hl7_device_obx(struct hl7_side *s, struct dissect_ctx *ctx, struct span obx_18);
void hl7_device_prt(struct hl7_side *s, struct dissect_ctx *ctx, struct span prt);
void hl7_device_sft(struct hl7_side *s, struct dissect_ctx *ctx, struct span sft);
void hl7_device_serial(struct hl7_side *s, struct dissect_ctx *ctx, struct span serial);

/* ---- hl7_vendor.c ---- */

enum { HL7_VENDOR_UNKNOWN = OBSERVATION_VENDORS, HL7_CODING = 4 /* length of the coding systems that name one */ };
unsigned hl7_vendor_of_header(const struct hl7_msh *m);
unsigned hl7_vendor_of_coding(struct span coding_system); /* OBX-3.3 */
/* The serial number that a control id of that vendor begins with; empty when it has none. */
struct span hl7_vendor_serial(unsigned vendor, struct span control_id);

/* ---- hl7_rest.c: dissector.h, rest and wake ---- */

size_t hl7_rest(const void *state, uint8_t ret[static DISSECT_REST_MAX]);
void hl7_rest_wake(void *state, struct span rest);

/* dissector.h, probe. */
enum dissect_guess hl7_probe(struct span head, bool midstream);

extern const struct dissector hl7_dissector;

#endif
