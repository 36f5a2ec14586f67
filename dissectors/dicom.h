/* dicom.h -- what the files of the DICOM dissector share; nobody else includes it.
 * DICOM upper layer: PS3.8 section 9.3. DIMSE commands: PS3.7 section 6.3 and Annex E.
 */
#ifndef DISSECTORS_DICOM_H
#define DISSECTORS_DICOM_H

#include "core/buf.h"
#include "dissectors/dicom_walk.h"
#include "dissectors/dissector.h"

enum {
	DICOM_PDU_HEADER = 6,           /* type, reserved, length (PS3.8 9.3.1) */
	DICOM_PDV_HEADER = 6,           /* length, context id, message control header (PS3.8 9.3.5.1, Annex E.2) */
	DICOM_ASSOCIATE_FIXED = 68,     /* body of A-ASSOCIATE-RQ and -AC before the items (PS3.8 9.3.2) */
	/* 128 contexts with the transfer syntaxes that real peers offer take 17 KB; a PDU that claims more than
	 * this is an attack on whoever stores it. */
	DICOM_ASSOCIATE_MAX = 256 << 10,
	DICOM_COMMAND_MAX = 16 << 10,   /* a command set is a few hundred bytes; the Error Comment has 64 */
	/* Each MORE walks the fragments of a command again: their number bounds that work. No peer known to us
	 * cuts a command set at all when its partner's maximum PDU length is above a few hundred bytes. */
	DICOM_FRAGMENTS_MAX = 64,
	DICOM_PDATA_MAX = 256 << 20,    /* beyond any negotiated maximum: no P-DATA-TF */
	DICOM_SOUND = -1,               /* no fault; else an OBSERVATION_... reason */
};

enum dicom_pdu {
	DICOM_PDU_ASSOCIATE_RQ = 1,
	DICOM_PDU_ASSOCIATE_AC,
	DICOM_PDU_ASSOCIATE_RJ,
	DICOM_PDU_DATA,
	DICOM_PDU_RELEASE_RQ,
	DICOM_PDU_RELEASE_RP,
	DICOM_PDU_ABORT,
};

enum {
	DICOM_PDV_COMMAND = 1,          /* message control header (PS3.8 Annex E.2) */
	DICOM_PDV_LAST = 2,
	DICOM_SHORT_BODY = 4,           /* of RJ, RELEASE and ABORT */
	DICOM_SHORT_PDU = DICOM_PDU_HEADER + DICOM_SHORT_BODY,
};

/* dissector.h, probe. */
enum dissect_guess dicom_begin_probe(struct span head, bool midstream);
/* In a flow known to be DICOM: the offset of the first place where a PDU begins (YES) or may begin (MAYBE: more bytes are
 * needed); s.n and NO when there is none. */
size_t dicom_begin_search(struct span s, enum dissect_guess *ret_guess);

/* Without the padding that peers use at the end of values (PS3.5 6.2: NUL for UI; spaces are seen too). */
static inline struct span dicom_trim(struct span s)
{
	while (s.n && (s.p[s.n - 1] == 0 || s.p[s.n - 1] == ' '))
		s.n--;
	return s;
}

/* AE titles: spaces around them are not significant (PS3.5 6.2). */
static inline struct span dicom_ae(struct span s) { return span_trim(dicom_trim(s)); }

/* The body of an A-ASSOCIATE-RQ or, with `accept`, -AC, of at least DICOM_ASSOCIATE_FIXED bytes: emits it. Items
 * beyond a limit, or after one that passes its parent's end, are left out, and the fault is returned. */
int dicom_associate(struct span body, bool accept, struct dissect_ctx *ctx);

enum {
	DICOM_OPERATIONS = 8,           /* slots; what they hold: dicom_operations.c */
	DICOM_PENDING_MAX = (1 << 26) - 1,
};

/* Operations of one command in one direction that wait for a response. */
struct dicom_operation {
	uint16_t first;                 /* message id of bit 0 */
	uint16_t set;                   /* a bit per id from `first`; 0: the slot is free */
	uint32_t pending : 26, command : 5, dir : 1;
};

struct dicom_operations {
	struct dicom_operation slot[DICOM_OPERATIONS];
	uint8_t next;                   /* to be displaced when all are taken */
};

_Static_assert(OBSERVATION_COMMANDS <= 32, "a command fits into five bits");

/* `dir` is always that of the request; `command` the OBSERVATION_C_..._RQ or OBSERVATION_N_..._RQ of it. */
void dicom_operations_request(struct dicom_operations *t, unsigned dir, unsigned command, uint16_t id);
/* Whether the request of this response was waiting; with `last` it does so no more, and *ret_pending is the number of
 * responses before that were not the last. */
bool dicom_operations_response(struct dicom_operations *t, unsigned dir, unsigned command, uint16_t id, bool last,
			       uint32_t *ret_pending);
/* Whether any request of that id waits. */
bool dicom_operations_waiting(struct dicom_operations *t, unsigned dir, uint16_t id);

/* A whole command set: pairs and emits it. DICOM_SOUND, or the fault for which nothing was emitted. *ret_message is
 * what it was. */
struct dicom_message {
	uint16_t id;
	uint8_t command;                /* OBSERVATION_C_STORE_RQ ... */
	uint8_t context_id;
	bool has_id, has_data;
};
int dicom_command(struct span set, uint8_t context_id, struct dicom_operations *operations, struct dissect_ctx *ctx,
		  struct dicom_message *ret_message);

enum {
	/* How much of a data set is read: what identifies the device stands in its first 2 to 4 KB, behind a few sequences
	 * in group 0008 at most; an identifier has a few hundred bytes. */
	DICOM_HEAD_MAX = 16 << 10,
	DICOM_HEAD_STEP = 1 << 10,      /* asked for at a time: each time begins anew */
};

enum dicom_dataset_end {
	DICOM_DATASET_OPEN,             /* more of it may come */
	DICOM_DATASET_WHOLE,            /* this is all of it */
	DICOM_DATASET_CUT,              /* there is more, but it will not be had */
};

/* Whether the data set of this message says something that we keep. */
bool dicom_dataset_wanted(const struct dicom_message *m);
/* `head`: how the data set of `m` begins; may lie in the first DICOM_HEAD_MAX bytes of ctx->scratch->bytes. 0: done, it
 * was emitted, and *ret_fault is DICOM_SOUND or what is wrong with it. Else (with DICOM_DATASET_OPEN only) how many bytes
 * of it are needed; then nothing was emitted. */
size_t dicom_dataset(struct span head, enum dicom_dataset_end end, const struct dicom_message *m, struct dissect_ctx *ctx,
		     int *ret_fault);

/* For dicom_dataset(): the keys of an identifier into `o`; `texts` is memory for their names. */
enum dicom_walk_status dicom_query_read(struct dicom_walk *w, struct buf *texts, struct observation *o);

#endif
