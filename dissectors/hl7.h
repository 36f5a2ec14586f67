/* hl7.h -- inside the HL7 v2 dissector: what its files (hl7.c framing, hl7_msh.c syntax, hl7_probe.c
 * recognition) share. Facts: HL7 v2 chapter 2 (2.5.4 delimiters, 2.15.8 MSA, 2.15.9 MSH), MLLP release 1 and 2.
 */
#ifndef DISSECTORS_HL7_H
#define DISSECTORS_HL7_H

#include "dissectors/dissector.h"

enum {
	HL7_VT = 0x0b,          /* MLLP: begins a block */
	HL7_FS = 0x1c,          /* MLLP: ends a block, a CR follows */
	HL7_ACKED = 0x06,       /* MLLP release 2: positive commit acknowledgement */
	HL7_NAKED = 0x15,       /* MLLP release 2: negative */
	HL7_CR = 0x0d,
	HL7_LF = 0x0a,
	HL7_ESC = 0x1b,
	HL7_MSH_FIELDS = 18,    /* the last field that we read is MSH-18 */
	/* Longest beginning of a header segment that decides what it is: MSH, separator, five encoding
	 * characters (v2.7 has five with the truncation character), separator. */
	HL7_HEADER_BYTES = 10,
};

/* The byte at `i`, -1 past the end. */
static inline int hl7_at(struct span s, size_t i) { return i < s.n ? s.p[i] : -1; }
static inline bool hl7_eol(int b) { return b == HL7_CR || b == HL7_LF; }
static inline bool hl7_digit(int b) { return b >= '0' && b <= '9'; }
static inline bool hl7_upper(int b) { return b >= 'A' && b <= 'Z'; }

enum hl7_kind {
	HL7_OTHER,              /* not a header segment */
	HL7_PREFIX,             /* could become one: not enough bytes to tell */
	HL7_MESSAGE,            /* MSH with usable delimiters */
	HL7_BATCH_BEGIN,        /* FHS, BHS */
	HL7_BATCH_END,          /* BTS, FTS */
};

/* What begins at `s`. Reads at most HL7_HEADER_BYTES. */
enum hl7_kind hl7_msh_kind(struct span s);

struct hl7_msh {                        /* spans into the message */
	struct span field[HL7_MSH_FIELDS + 1];  /* MSH-n at [n]; [0] is unused, [1] the separator itself */
	uint8_t separator, component, repetition, subcomponent;  /* subcomponent 0: none declared */
	bool ack;                       /* has an MSA segment */
	struct span ack_code, acked_id; /* MSA-1, MSA-2 */
};

/* Reads a message that begins with an MSH segment of kind HL7_MESSAGE and may be cut anywhere. */
void hl7_msh_parse(struct span message, struct hl7_msh *ret);
/* The bytes before the first `stop` or the end of the segment, whichever comes first. Bytes between an
 * ISO-2022 escape to a set of two-byte or kana characters and the one back are not delimiters (they
 * may look like | ^ ~ \ &); the end of a segment resets that. */
struct span hl7_msh_token(struct span s, uint8_t stop);

/* dissector.h, probe. */
enum dissect_guess hl7_probe(struct span head, bool midstream);

extern const struct dissector hl7_dissector;

#endif
