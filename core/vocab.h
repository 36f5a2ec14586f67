/* vocab.h -- a closed, typed vocabulary: what may be said, field by field.
 *
 * A vocabulary is a table of fields (name, kind, greatest length, grammar, privacy class) and a
 * table of types (which fields a record of that type may carry). core/observation.def and
 * core/event.def are the two we have. From the tables follow the struct, the MessagePack form,
 * the JSON form, the JSON Schema and the catalogue page; nothing about a field is written twice.
 *
 * There is no free-form field: what identifies a patient has no slot, and text that does not fit
 * the grammar of its field is replaced before it is stored.
 */
#ifndef CORE_VOCAB_H
#define CORE_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/buf.h"
#include "core/cursor.h"

enum vocab_kind {
	VOCAB_UINT,             /* uint64_t; JSON number */
	VOCAB_HEX16,            /* uint64_t <= 0xffff; JSON "0x0124" */
	VOCAB_TIME,             /* uint64_t, ns since 1970; JSON RFC 3339 UTC with nine decimals */
	VOCAB_BOOL,             /* uint64_t 0 or 1; JSON true or false */
	VOCAB_WORD,             /* uint64_t, index into `words`; JSON string */
	VOCAB_TEXT,             /* struct span, UTF-8; JSON string */
	VOCAB_ADDR,             /* struct addr; JSON "192.0.2.1" */
	VOCAB_ENDPOINT,         /* struct endpoint; JSON "192.0.2.1:104" */
	VOCAB_MAC,              /* struct mac; JSON "00:11:22:33:44:55" */
	VOCAB_CONTEXTS,         /* struct vocab_contexts; JSON array of objects (DICOM PS3.8, 9.3.2.2) */
};

/* C types of the kinds, for the X-macro structs. */
#define VOCAB_C_UINT uint64_t
#define VOCAB_C_HEX16 uint64_t
#define VOCAB_C_TIME uint64_t
#define VOCAB_C_BOOL uint64_t
#define VOCAB_C_WORD uint64_t
#define VOCAB_C_TEXT struct span
#define VOCAB_C_ADDR struct addr
#define VOCAB_C_ENDPOINT struct endpoint
#define VOCAB_C_MAC struct mac
#define VOCAB_C_CONTEXTS struct vocab_contexts

/* What the characters of a text may be. Each also bounds the length by the field's `max` (bytes). */
enum vocab_grammar {
	VOCAB_G_NONE,           /* not a text */
	VOCAB_G_ID,             /* our own identifiers: [A-Za-z0-9][A-Za-z0-9._:+/-]* */
	VOCAB_G_NAME,           /* written by the operator in a profile or inventory: UTF-8 without control characters */
	/* PS3.5 6.2 AE: 0x20 to 0x7e without backslash, not only spaces. Also without ^ and =: they part the components
	 * of a person name (PS3.5 6.2, PN), which a careless operator may have put where a title belongs. */
	VOCAB_G_AE,
	VOCAB_G_UID,            /* PS3.5 9.1: [0-9.]+ */
	VOCAB_G_VERSION,        /* software and implementation versions: [A-Za-z0-9 ._/+():,-]+ */
	/* Application, facility: a namespace [A-Za-z0-9 ._:&/+()@-]+, or with an identifier and its type behind it, as in
	 * HIS^1.2.3^ISO. Two components alone are how a person is written. */
	VOCAB_G_HL7_HD,
	VOCAB_G_HL7_TYPE,       /* [A-Z0-9_^]+ */
	VOCAB_G_HL7_ID,         /* control id: [A-Za-z0-9._:/+|@-]+ */
	VOCAB_G_CHARSET,        /* [A-Za-z0-9 /._~-]+ */
	VOCAB_G_HOST,           /* host name: [A-Za-z0-9._-]+ */
	/* Written by a device's maker or installer (DICOM LO, SH): UTF-8 without control characters, and without \, ^ and =,
	 * which part values and the components of a person name; not empty. */
	VOCAB_G_LABEL,
	VOCAB_G_CODE,           /* PS3.5 6.2 CS: [A-Z0-9 _]+ */
	VOCAB_G_KEYS,           /* names of attributes: [A-Za-z0-9,]+ */
	VOCAB_G_TOKEN,          /* what core/token.h makes: [0-9a-f]{32}, nothing shorter */
	VOCAB_G_HEX,            /* [0-9a-f]+ */
	VOCAB_G_DNS,            /* host names, wildcards too, joined by commas: [A-Za-z0-9._*,-]+ */
};

enum vocab_privacy {
	VOCAB_RAW,              /* leaves as it is: says nothing of a patient */
	/* Leaves as a keyed token only (core/token.h): the grammar of such a field is VOCAB_G_TOKEN, so that the value itself,
	 * if it came here by mistake, would be replaced like any text that does not fit. */
	VOCAB_TOKEN,
};

enum {
	VOCAB_PRESENT = 4,              /* words of 64 bits */
	VOCAB_MAX_FIELDS = 64 * VOCAB_PRESENT,
	VOCAB_MAX_CONTEXTS = 128,       /* PS3.8: odd ids 1 to 255 */
	VOCAB_MAX_SYNTAXES = 1024,      /* over all contexts of one PDU */
	VOCAB_NO_RESULT = 0xff,
};

struct vocab_context {
	uint8_t id, result;             /* result: PS3.8 Table 9-18, VOCAB_NO_RESULT in a request */
	uint16_t first, n;              /* its transfer syntaxes: syntaxes[first .. first + n) */
	struct span abstract_syntax;    /* empty in an accept that follows no request */
};

struct vocab_contexts {
	const struct vocab_context *v;
	const struct span *syntaxes;
	uint16_t n, n_syntaxes;
};

/* Room for what a decoded record cannot hold inside itself. */
struct vocab_scratch {
	struct vocab_context contexts[VOCAB_MAX_CONTEXTS];
	struct span syntaxes[VOCAB_MAX_SYNTAXES];
};

struct vocab_field {
	const char *name;               /* the key in JSON: letters, digits, _ */
	uint8_t name_n;                 /* its length */
	enum vocab_kind kind;
	uint16_t offset;                /* in the record struct */
	uint16_t max;                   /* texts: bytes; else 0 */
	enum vocab_grammar grammar;
	enum vocab_privacy privacy;
	const char *const *words;       /* VOCAB_WORD: NULL-terminated; else NULL */
	const char *doc;
};

/* Of a field, what moving records needs, in four bytes. */
struct vocab_place {
	uint16_t offset;
	uint8_t kind, size;             /* enum vocab_kind; of its C type */
};

struct vocab_type {
	const char *name;
	const char *doc;
	const uint8_t *fields;          /* indices of the fields it may carry, in any order */
	size_t n_fields;
};

struct vocab {
	const char *name;               /* "observation" or "event" */
	unsigned version;               /* of the wire form; keys are add-only, so it rarely moves */
	size_t rec_size;
	const struct vocab_field *fields;       /* the JSON order */
	const struct vocab_place *places;       /* of the same fields; VOCAB_MAX_FIELDS */
	uint64_t texts[VOCAB_PRESENT], contexts[VOCAB_PRESENT]; /* a bit per field of that kind */
	size_t n_fields;
	const struct vocab_type *types;
	size_t n_types;
};

/* For the tables: whether field `f` of that kind is a text, as its bit of word `w`. */
#define VOCAB_TEXT_BIT(w, f, KIND) (uint64_t)(VOCAB_##KIND == VOCAB_TEXT && (f) / 64 == (w)) << (f) % 64

/* The head of every record struct. Zero it, set the type, set fields. */
struct vocab_head {
	uint16_t type;
	uint64_t present[VOCAB_PRESENT]; /* a bit per field index */
};

static inline bool vocab_has(const struct vocab_head *h, unsigned field)
{
	return h->present[field >> 6] >> (field & 63) & 1;
}

/* Setters. The field must belong to the record's type and be of the kind that the setter names
 * (asserted in debug builds). A text that does not fit its field's grammar or length is replaced by
 * "(not admitted)" and false returned; the span is borrowed, not copied. So are contexts; UIDs in them
 * that do not fit are replaced when they are encoded or printed, and contexts whose ranges or totals do
 * not add up are not set. */
void vocab_set_uint(const struct vocab *v, struct vocab_head *rec, unsigned field, uint64_t value);
bool vocab_set_text(const struct vocab *v, struct vocab_head *rec, unsigned field, struct span text);
void vocab_set_addr(const struct vocab *v, struct vocab_head *rec, unsigned field, const struct addr *a);
void vocab_set_endpoint(const struct vocab *v, struct vocab_head *rec, unsigned field, const struct endpoint *e);
void vocab_set_mac(const struct vocab *v, struct vocab_head *rec, unsigned field, const struct mac *m);
void vocab_set_contexts(const struct vocab *v, struct vocab_head *rec, unsigned field,
			const struct vocab_contexts *c);

/* Whether the text is of that grammar and at most `max` bytes. Empty fits VOCAB_G_NAME only. */
bool vocab_fits(enum vocab_grammar g, size_t max, struct span text);
/* The text, or what stands for one that does not fit. */
struct span vocab_admit(enum vocab_grammar g, size_t max, struct span text);
/* Whether all its characters are those of the grammar, which is enough for most: vocab_admit() for a grammar that the compiler
 * knows, without its questions. */
bool vocab_spells(enum vocab_grammar g, struct span text);
static inline struct span vocab_admit_known(enum vocab_grammar g, size_t max, struct span text)
{
	bool more = g == VOCAB_G_NONE || g == VOCAB_G_ID || g == VOCAB_G_AE || g == VOCAB_G_TOKEN;
	if (!more && text.n - 1 < max && vocab_spells(g, text))
		return text;
	return vocab_admit(g, max, text);
}
/* For asserts of setters: whether the record may carry that number, or, with NULL, any text, in this field. */
bool vocab_may_be(const struct vocab *v, const struct vocab_head *rec, unsigned field, const uint64_t *number);
/* The word of a VOCAB_WORD field, NULL when the index is past the table. */
const char *vocab_word(const struct vocab *v, unsigned field, uint64_t index);
/* Index of a type or field by name, -1 when there is none. */
int vocab_type_index(const struct vocab *v, struct span name);
int vocab_field_index(const struct vocab *v, struct span name);

/* MessagePack: one map {0: type, field + 1: value ...}, keys ascending, shortest integer forms, so
 * equal records have equal bytes. 0, or -ENOBUFS with `out` rewound. */
int vocab_encode(const struct vocab *v, const struct vocab_head *rec, struct buf *out);
/* Reads one record; texts borrow from the cursor's bytes. Strict: wrong kind, key order, length,
 * grammar, an unknown type, a field foreign to the type, a long integer form are -EBADMSG; a key past
 * our table is skipped and counted in *unknown (may be NULL). "(not admitted)" is accepted in every text.
 * The cursor stands after the record. `scratch` may be NULL where no contexts are expected: they are then
 * -EBADMSG. `rec` is garbage after an error. */
int vocab_decode(const struct vocab *v, struct vocab_head *rec, struct vocab_scratch *scratch,
		 struct cursor *in, unsigned *unknown);
/* The same for a record that this process encoded itself and nobody could change since: its texts are not held to their
 * grammars again. `rec` is all zeros or holds a whole record, which is cleared first: a record has hundreds of bytes for
 * each that is used. */
int vocab_decode_ours(const struct vocab *v, struct vocab_head *rec, struct vocab_scratch *scratch, struct cursor *in);
/* The record as it lies in memory, for another thread of this process and for nobody else: not a wire form, not checked against
 * the tables. Equal to what vocab_encode() and vocab_decode_ours() would hand over, for a fifth of their work. pack: 0, or
 * -ENOBUFS with `out` as it was. read: `rec` is cleared as by vocab_decode_ours, texts borrow from `bytes`, which must hold
 * nothing else; -EBADMSG when they are not what pack wrote as far as lengths tell, and `rec` must be zeroed then. Clearing costs as
 * much as reading unless the record before had the same fields: who reads many has a record for each type, which type() tells
 * (UINT16_MAX when there is none). */
int vocab_pack(const struct vocab *v, const struct vocab_head *rec, struct buf *out);
int vocab_pack_read(const struct vocab *v, struct vocab_head *rec, struct vocab_scratch *scratch, struct span bytes);
unsigned vocab_pack_type(struct span bytes);
/* As if it had not been set. */
void vocab_unset(const struct vocab *v, struct vocab_head *rec, unsigned field);
/* All zeros again, given that what is not present is zero already. */
void vocab_clear(const struct vocab *v, struct vocab_head *rec);
/* One JSON object without a newline: "type" first, then the table's order. 0 or -ENOBUFS (rewound). */
int vocab_json(const struct vocab *v, const struct vocab_head *rec, struct buf *out);
/* JSON Schema 2020-12 of the JSON form; Markdown table for the catalogue page. 0 or -ENOBUFS. */
int vocab_schema(const struct vocab *v, struct buf *out);
int vocab_catalogue(const struct vocab *v, struct buf *out);

#endif
