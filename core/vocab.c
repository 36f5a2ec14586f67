#include "core/vocab.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/msgpack.h"
#include "core/scan.h"
#include "core/utf8.h"

/* What stands for a text that its field does not admit. It is accepted in every text field, whatever
 * the field's own grammar and length, and no grammar but AE, NAME and VERSION could say it itself. */
static const char not_admitted[] = "(not admitted)";

/* Sets of ASCII characters, one bit each: the first for 0x00 to 0x3f, the second for 0x40 to 0x7f. X(c, NUMBER, lo, hi) */
#define BIT(c) (UINT64_C(1) << ((c) & 63))
#define DIGITS UINT64_C(0x03ff000000000000)
#define UPPER UINT64_C(0x0000000007fffffe)
#define LOWER UINT64_C(0x07fffffe00000000)
#define PRINTED_LO UINT64_C(0xffffffff00000000)
#define PRINTED_HI (~BIT(0x7f))
#define SETS(X, c)                                                                                                          \
	X(c, VOCAB_G_ID, DIGITS | BIT('.') | BIT(':') | BIT('+') | BIT('/') | BIT('-'), UPPER | LOWER | BIT('_'))           \
	/* 0x20 to 0x7e without the backslash (PS3.5, Table 6.2-1), and without what a person name is written with */       \
	X(c, VOCAB_G_AE, PRINTED_LO & ~BIT('='), PRINTED_HI & ~(BIT('\\') | BIT('^')))                                      \
	X(c, VOCAB_G_UID, DIGITS | BIT('.'), 0)                                                                             \
	X(c, VOCAB_G_VERSION, DIGITS | BIT(' ') | BIT('.') | BIT('/') | BIT('+') | BIT('(') | BIT(')') | BIT(':') |         \
	  BIT(',') | BIT('-'), UPPER | LOWER | BIT('_'))                                                                    \
	X(c, VOCAB_G_HL7_HD, DIGITS | BIT(' ') | BIT('.') | BIT(':') | BIT('&') | BIT('/') | BIT('+') | BIT('(') |          \
	  BIT(')') | BIT('-'), UPPER | LOWER | BIT('_') | BIT('@'))                                                         \
	X(c, VOCAB_G_HL7_TYPE, DIGITS, UPPER | BIT('_') | BIT('^'))                                                         \
	X(c, VOCAB_G_HL7_ID, DIGITS | BIT('.') | BIT(':') | BIT('/') | BIT('+') | BIT('-'),                                 \
	  UPPER | LOWER | BIT('_') | BIT('|') | BIT('@'))                                                                   \
	X(c, VOCAB_G_CHARSET, DIGITS | BIT(' ') | BIT('/') | BIT('.') | BIT('-'), UPPER | LOWER | BIT('_') | BIT('~'))      \
	X(c, VOCAB_G_HOST, DIGITS | BIT('.') | BIT('-'), UPPER | LOWER | BIT('_'))                                          \
	X(c, VOCAB_G_CODE, DIGITS | BIT(' '), UPPER | BIT('_'))                                                             \
	X(c, VOCAB_G_KEYS, DIGITS | BIT(','), UPPER | LOWER)                                                                \
	X(c, VOCAB_G_TOKEN, DIGITS, UINT64_C(0x7e00000000))                                                                 \
	X(c, VOCAB_G_HEX, DIGITS, UINT64_C(0x7e00000000))                                                                   \
	X(c, VOCAB_G_DNS, DIGITS | BIT('.') | BIT('*') | BIT(',') | BIT('-'), UPPER | LOWER | BIT('_'))                     \
	/* what names and labels have of ASCII */                                                                           \
	X(c, VOCAB_G_NAME, PRINTED_LO, PRINTED_HI)                                                                          \
	X(c, VOCAB_G_LABEL, PRINTED_LO & ~BIT('='), PRINTED_HI & ~(BIT('\\') | BIT('^')))                                   \
	X(c, FIRST_OF_ID, DIGITS, UPPER | LOWER)                                                                            \
	X(c, HD_TYPE, DIGITS | BIT('-'), UPPER | LOWER)

enum { FIRST_OF_ID = VOCAB_G_DNS + 1, HD_TYPE };
_Static_assert(HD_TYPE < 32, "a set is a bit of a character's class");

/* Of each character, in which sets it is, a bit for each; those from 0x80 on are in none. */
#define IN(c, set, lo, hi) | (uint32_t)(((c) & 64 ? (hi) : (lo)) >> ((c) & 63) & 1) << (set)
#define CLASS(c) 0 SETS(IN, c)
#define CLASSES_4(c) CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define CLASSES_16(c) CLASSES_4(c), CLASSES_4((c) + 4), CLASSES_4((c) + 8), CLASSES_4((c) + 12)
#define CLASSES_64(c) CLASSES_16(c), CLASSES_16((c) + 16), CLASSES_16((c) + 32), CLASSES_16((c) + 48)
static const uint32_t classes[256] = { CLASSES_64(0), CLASSES_64(64) };

enum { UID_MAX = 64, TOKEN_DIGITS = 32 };       /* PS3.5, 9.1; token.h */

static inline bool in_set(unsigned set, uint8_t c) { return classes[c] >> set & 1; }

/* Without a branch for each: nearly every text is what it should be. */
static inline bool all_in_set(unsigned set, struct span text)
{
	uint32_t all = UINT32_C(1) << set;
	size_t i = 0;
	for (; text.n - i >= 4; i += 4)
		all &= classes[text.p[i]] & classes[text.p[i + 1]] & classes[text.p[i + 2]] & classes[text.p[i + 3]];
	for (; i < text.n; i++)
		all &= classes[text.p[i]];
	return all;
}

/* UTF-8 without control characters; of ASCII, characters of that set only. */
static bool fits_name(unsigned set, struct span text)
{
	if (all_in_set(set, text))
		return true;
	while (text.n) {
		uint32_t cp = 0;
		int n = utf8_next(text, &cp);
		if (n < 0 || (n == 1 ? !in_set(set, text.p[0]) : utf8_is_control(cp)))
			return false;
		text = span_from(text, (size_t)n);
	}
	return true;
}

/* A namespace, or all three components: HL7 v2.5.1, 2.A.33. The type of the third is of table 0301. */
static bool fits_hd(struct span text)
{
	enum { TYPE_MAX = 8 };
	size_t parted = 0, type_at = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '^') {
			parted++;
			type_at = i + 1;
		} else if (!in_set(parted < 2 ? VOCAB_G_HL7_HD : HD_TYPE, text.p[i])) {
			return false;
		}
	}
	return !parted || (parted == 2 && text.n > type_at && text.n - type_at <= TYPE_MAX);
}

static bool not_blank(struct span text)
{
	size_t i = 0;
	while (i < text.n && text.p[i] == ' ')
		i++;
	return i < text.n;
}

bool vocab_spells(enum vocab_grammar g, struct span text) { return all_in_set(g, text); }

bool vocab_fits(enum vocab_grammar g, size_t max, struct span text)
{
	if (text.n > max)
		return false;
	if (g == VOCAB_G_NAME)
		return fits_name(g, text);
	if (g <= VOCAB_G_NONE || g > VOCAB_G_DNS || !text.n || (g == VOCAB_G_TOKEN && text.n != TOKEN_DIGITS))
		return false;
	if (g == VOCAB_G_LABEL)
		return fits_name(g, text);
	if (!all_in_set(g, text))
		return g == VOCAB_G_HL7_HD && fits_hd(text);
	if (g == VOCAB_G_ID)
		return in_set(FIRST_OF_ID, text.p[0]);
	return g != VOCAB_G_AE || not_blank(text);
}

static inline bool is_not_admitted(struct span text)
{
	return text.n == sizeof(not_admitted) - 1 && !memcmp(text.p, not_admitted, sizeof(not_admitted) - 1);
}

struct span vocab_admit(enum vocab_grammar g, size_t max, struct span text)
{
	return vocab_fits(g, max, text) ? text : (struct span){ (const uint8_t *)not_admitted, sizeof(not_admitted) - 1 };
}

const char *vocab_word(const struct vocab *v, unsigned field, uint64_t index)
{
	const char *const *words = field < v->n_fields ? v->fields[field].words : NULL;
	for (uint64_t i = 0; words && words[i]; i++) {
		if (i == index)
			return words[i];
	}
	return NULL;
}

int vocab_type_index(const struct vocab *v, struct span name)
{
	for (size_t i = 0; i < v->n_types; i++) {
		if (span_eq(name, span_str(v->types[i].name)))
			return (int)i;
	}
	return -1;
}

int vocab_field_index(const struct vocab *v, struct span name)
{
	for (size_t i = 0; i < v->n_fields; i++) {
		if (span_eq(name, span_str(v->fields[i].name)))
			return (int)i;
	}
	return -1;
}

/* The bits of the fields that a record of this type may carry. */
static inline void allowed_fields(const struct vocab_type *t, uint64_t ret[static VOCAB_PRESENT])
{
	memset(ret, 0, VOCAB_PRESENT * sizeof(*ret));
	for (size_t i = 0; i < t->n_fields; i++)
		ret[t->fields[i] >> 6] |= UINT64_C(1) << (t->fields[i] & 63);
}

static bool may_carry(const struct vocab *v, const struct vocab_head *rec, unsigned field)
{
	uint64_t allowed[VOCAB_PRESENT];
	if (rec->type >= v->n_types || field >= v->n_fields)
		return false;
	allowed_fields(&v->types[rec->type], allowed);
	return allowed[field >> 6] >> (field & 63) & 1;
}

bool vocab_may_be(const struct vocab *v, const struct vocab_head *rec, unsigned field, const uint64_t *number)
{
	if (!may_carry(v, rec, field))
		return false;
	enum vocab_kind kind = v->fields[field].kind;
	if (!number)
		return kind == VOCAB_TEXT;
	return kind == VOCAB_UINT || kind == VOCAB_TIME || (kind == VOCAB_HEX16 && *number <= 0xffff) ||
	       (kind == VOCAB_BOOL && *number <= 1) || (kind == VOCAB_WORD && vocab_word(v, field, *number));
}

/* Marks the field and gives its place in the record. */
static inline void *slot(const struct vocab *v, struct vocab_head *rec, unsigned field)
{
	assert(may_carry(v, rec, field));
	(void)may_carry;
	rec->present[field >> 6] |= UINT64_C(1) << (field & 63);
	return (uint8_t *)rec + v->fields[field].offset;
}

/* The fields are copied bytewise: the compiler makes one move of it, and no alignment is assumed. */
void vocab_set_uint(const struct vocab *v, struct vocab_head *rec, unsigned field, uint64_t value)
{
	assert(vocab_may_be(v, rec, field, &value));
	memcpy(slot(v, rec, field), &value, sizeof(value));
}

bool vocab_set_text(const struct vocab *v, struct vocab_head *rec, unsigned field, struct span text)
{
	const struct vocab_field *f = &v->fields[field];
	assert(f->kind == VOCAB_TEXT);
	struct span admitted = vocab_admit(f->grammar, f->max, text);
	memcpy(slot(v, rec, field), &admitted, sizeof(admitted));
	return admitted.p == text.p;
}

void vocab_set_addr(const struct vocab *v, struct vocab_head *rec, unsigned field, const struct addr *a)
{
	assert(v->fields[field].kind == VOCAB_ADDR);
	memcpy(slot(v, rec, field), a, sizeof(*a));
}

void vocab_set_endpoint(const struct vocab *v, struct vocab_head *rec, unsigned field, const struct endpoint *e)
{
	assert(v->fields[field].kind == VOCAB_ENDPOINT);
	memcpy(slot(v, rec, field), e, sizeof(*e));
}

void vocab_set_mac(const struct vocab *v, struct vocab_head *rec, unsigned field, const struct mac *m)
{
	assert(v->fields[field].kind == VOCAB_MAC);
	memcpy(slot(v, rec, field), m, sizeof(*m));
}

static bool contexts_add_up(const struct vocab_contexts *c)
{
	size_t total = 0;
	if (c->n > VOCAB_MAX_CONTEXTS || c->n_syntaxes > VOCAB_MAX_SYNTAXES)
		return false;
	for (size_t i = 0; i < c->n; i++) {
		if ((size_t)c->v[i].first + c->v[i].n > c->n_syntaxes)
			return false;
		total += c->v[i].n;
	}
	return total <= VOCAB_MAX_SYNTAXES;
}

void vocab_set_contexts(const struct vocab *v, struct vocab_head *rec, unsigned field, const struct vocab_contexts *c)
{
	assert(v->fields[field].kind == VOCAB_CONTEXTS);
	bool add_up = contexts_add_up(c);
	assert(add_up);
	if (!add_up)
		return;
	memcpy(slot(v, rec, field), c, sizeof(*c));
}

static void encode_contexts(const struct vocab_contexts *c, struct buf *out)
{
	(void)msgpack_put_array(out, c->n);
	for (size_t i = 0; i < c->n && !out->full; i++) {
		const struct vocab_context *x = &c->v[i];
		(void)msgpack_put_array(out, 4);
		(void)msgpack_put_uint(out, x->id);
		(void)msgpack_put_uint(out, x->result);
		/* The setter borrows these and could not replace them: it is done here. */
		struct span abstract = x->abstract_syntax;
		(void)msgpack_put_str(out, abstract.n ? vocab_admit(VOCAB_G_UID, UID_MAX, abstract) : abstract);
		(void)msgpack_put_array(out, x->n);
		for (size_t k = 0; k < x->n; k++)
			(void)msgpack_put_str(out, vocab_admit(VOCAB_G_UID, UID_MAX, c->syntaxes[x->first + k]));
	}
}

/* A field with its key, byte by byte into what room there is. */
static void encode_careful(unsigned kind, unsigned key, const uint8_t *p, struct buf *out)
{
	uint64_t u;
	struct span text;
	struct endpoint e;
	struct vocab_contexts c;
	uint8_t wire[18];
	(void)msgpack_put_uint(out, key);
	switch ((enum vocab_kind)kind) {
	case VOCAB_UINT:
	case VOCAB_HEX16:
	case VOCAB_TIME:
	case VOCAB_WORD:
		memcpy(&u, p, sizeof(u));
		(void)msgpack_put_uint(out, u);
		break;
	case VOCAB_BOOL:
		memcpy(&u, p, sizeof(u));
		(void)msgpack_put_bool(out, u != 0);
		break;
	case VOCAB_TEXT:
		memcpy(&text, p, sizeof(text));
		(void)msgpack_put_str(out, text);
		break;
	case VOCAB_ADDR:
		(void)msgpack_put_bin(out, p, sizeof(struct addr));
		break;
	case VOCAB_ENDPOINT:
		memcpy(&e, p, sizeof(e));
		memcpy(wire, e.ip.b, 16);
		wire[16] = (uint8_t)(e.port >> 8);
		wire[17] = (uint8_t)e.port;
		(void)msgpack_put_bin(out, wire, sizeof(wire));
		break;
	case VOCAB_MAC:
		(void)msgpack_put_bin(out, p, sizeof(struct mac));
		break;
	case VOCAB_CONTEXTS:
		memcpy(&c, p, sizeof(c));
		encode_contexts(&c, out);
		break;
	}
}

static inline uint8_t *encode_bin(uint8_t *to, const void *p, uint8_t n)
{
	to[0] = MSGPACK_BIN8;
	to[1] = n;
	memcpy(to + 2, p, n);
	return to + 2 + n;
}

/* What a field with its key takes at most, but for the bytes of a text: the key of an endpoint, its head and itself. */
enum { FIELD_MAX = MSGPACK_UINT_MAX + 2 + 18 };

/* The same where there is room to spare; where the next field goes, or NULL: this one has to be done with care. */
static inline uint8_t *encode_field(unsigned kind, unsigned key, const uint8_t *p, uint8_t *to, size_t room)
{
	uint64_t u;
	struct span text;
	struct endpoint e;
	if (room < FIELD_MAX)
		return NULL;
	to = msgpack_at_uint(to, key);
	switch ((enum vocab_kind)kind) {
	case VOCAB_UINT:
	case VOCAB_HEX16:
	case VOCAB_TIME:
	case VOCAB_WORD:
		memcpy(&u, p, sizeof(u));
		return msgpack_at_uint(to, u);
	case VOCAB_BOOL:
		memcpy(&u, p, sizeof(u));
		*to = u ? MSGPACK_TRUE : MSGPACK_FALSE;
		return to + 1;
	case VOCAB_TEXT:
		memcpy(&text, p, sizeof(text));
		if (text.n > UINT8_MAX || room - FIELD_MAX < text.n)
			return NULL;
		if (text.n >= 32)
			*to++ = MSGPACK_STR8;
		*to++ = (uint8_t)(text.n < 32 ? MSGPACK_FIXSTR | text.n : text.n);
		bytes_copy(to, text.p, text.n);
		return to + text.n;
	case VOCAB_ADDR:
		return encode_bin(to, p, sizeof(struct addr));
	case VOCAB_ENDPOINT:
		memcpy(&e, p, sizeof(e));
		e.port = htobe16(e.port);
		return encode_bin(to, &e, sizeof(e));
	case VOCAB_MAC:
		return encode_bin(to, p, sizeof(struct mac));
	case VOCAB_CONTEXTS:
		break;
	}
	return NULL;
}

_Static_assert(sizeof(struct endpoint) == 18, "goes out as it lies there");

int vocab_encode(const struct vocab *v, const struct vocab_head *rec, struct buf *out)
{
	size_t mark = out->len;
	if (out->full)
		return -ENOBUFS;
	uint32_t n = 0;
	for (unsigned w = 0; w < VOCAB_PRESENT; w++)
		n += scan_count(rec->present[w]);
	(void)msgpack_put_map(out, n + 1);
	(void)buf_u8(out, 0);
	(void)msgpack_put_uint(out, rec->type);
	const struct vocab_place *places = v->places;
	uint8_t *to = out->data + out->len, *const end = out->data + out->cap;
	for (unsigned w = 0; w < VOCAB_PRESENT; w++) {
		for (uint64_t bits = rec->present[w]; bits; bits &= bits - 1) {
			unsigned field = w * 64 + (unsigned)__builtin_ctzll(bits);
			struct vocab_place f = places[field];
			const uint8_t *p = (const uint8_t *)rec + f.offset;
			uint8_t *next = encode_field(f.kind, field + 1, p, to, (size_t)(end - to));
			if (!next) {
				out->len = (size_t)(to - out->data);
				encode_careful(f.kind, field + 1, p, out);
				next = out->data + out->len;
			}
			to = next;
		}
	}
	out->len = (size_t)(to - out->data);
	if (out->full) {
		buf_rewind(out, mark);
		return -ENOBUFS;
	}
	return 0;
}

static bool decode_uid(struct cursor *in, bool ours, bool may_be_empty, struct span *ret)
{
	*ret = msgpack_str(in);
	if (!cursor_ok(in))
		return false;
	return ours || (may_be_empty && !ret->n) || vocab_fits(VOCAB_G_UID, UID_MAX, *ret) || is_not_admitted(*ret);
}

static bool decode_contexts(struct vocab_scratch *scratch, bool ours, struct cursor *in, struct vocab_contexts *ret)
{
	uint32_t n = msgpack_array(in);
	uint16_t used = 0;
	if (!scratch || !cursor_ok(in) || n > VOCAB_MAX_CONTEXTS)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct vocab_context *x = &scratch->contexts[i];
		uint32_t parts = msgpack_array(in);
		uint64_t id = msgpack_uint(in), result = msgpack_uint(in);
		if (!cursor_ok(in) || parts != 4 || id > 0xff || result > 0xff ||
		    !decode_uid(in, ours, true, &x->abstract_syntax))
			return false;
		uint32_t syntaxes = msgpack_array(in);
		if (!cursor_ok(in) || syntaxes > (uint32_t)(VOCAB_MAX_SYNTAXES - used))
			return false;
		x->id = (uint8_t)id;
		x->result = (uint8_t)result;
		x->first = used;
		x->n = (uint16_t)syntaxes;
		for (; syntaxes; syntaxes--) {
			if (!decode_uid(in, ours, false, &scratch->syntaxes[used++]))
				return false;
		}
	}
	*ret = (struct vocab_contexts){ scratch->contexts, scratch->syntaxes, (uint16_t)n, used };
	return true;
}

static bool decode_bin(struct cursor *in, void *to, size_t n)
{
	struct span s = msgpack_bin(in);
	if (!cursor_ok(in) || s.n != n)
		return false;
	memcpy(to, s.p, n);
	return true;
}

static inline bool decode_field(const struct vocab *v, unsigned field, void *to, struct vocab_scratch *scratch,
				bool ours, struct cursor *in)
{
	const struct vocab_field *f = &v->fields[field];
	uint64_t u = 0;
	struct span text;
	struct endpoint e = { 0 };
	struct vocab_contexts c;
	uint8_t wire[18];
	switch (f->kind) {
	case VOCAB_UINT:
	case VOCAB_TIME:
		u = msgpack_uint(in);
		break;
	case VOCAB_HEX16:
		u = msgpack_uint(in);
		if (u > 0xffff)
			return false;
		break;
	case VOCAB_WORD:
		u = msgpack_uint(in);
		if (!vocab_word(v, field, u))
			return false;
		break;
	case VOCAB_BOOL:
		u = msgpack_bool(in);
		break;
	case VOCAB_TEXT:
		text = msgpack_str(in);
		if (!cursor_ok(in) || (!ours && !vocab_fits(f->grammar, f->max, text) && !is_not_admitted(text)))
			return false;
		memcpy(to, &text, sizeof(text));
		return true;
	case VOCAB_ADDR:
		return decode_bin(in, to, sizeof(struct addr));
	case VOCAB_MAC:
		return decode_bin(in, to, sizeof(struct mac));
	case VOCAB_ENDPOINT:
		if (!decode_bin(in, wire, sizeof(wire)))
			return false;
		memcpy(e.ip.b, wire, 16);
		e.port = (uint16_t)(wire[16] << 8 | wire[17]);
		memcpy(to, &e, sizeof(e));
		return true;
	case VOCAB_CONTEXTS:
		if (!decode_contexts(scratch, ours, in, &c))
			return false;
		memcpy(to, &c, sizeof(c));
		return true;
	}
	memcpy(to, &u, sizeof(u));
	return cursor_ok(in);
}

/* By sizes that the compiler knows: a few moves a field. */
static void zero_field(const struct vocab_field *f, struct vocab_head *rec)
{
	uint8_t *p = (uint8_t *)rec + f->offset;
	switch (f->kind) {
	case VOCAB_UINT:
	case VOCAB_HEX16:
	case VOCAB_TIME:
	case VOCAB_BOOL:
	case VOCAB_WORD:
		memset(p, 0, sizeof(uint64_t));
		break;
	case VOCAB_TEXT:
		memset(p, 0, sizeof(VOCAB_C_TEXT));
		break;
	case VOCAB_ADDR:
		memset(p, 0, sizeof(VOCAB_C_ADDR));
		break;
	case VOCAB_ENDPOINT:
		memset(p, 0, sizeof(VOCAB_C_ENDPOINT));
		break;
	case VOCAB_MAC:
		memset(p, 0, sizeof(VOCAB_C_MAC));
		break;
	case VOCAB_CONTEXTS:
		memset(p, 0, sizeof(VOCAB_C_CONTEXTS));
		break;
	}
}

void vocab_unset(const struct vocab *v, struct vocab_head *rec, unsigned field)
{
	if (!vocab_has(rec, field))
		return;
	zero_field(&v->fields[field], rec);
	rec->present[field >> 6] &= ~(UINT64_C(1) << (field & 63));
}

void vocab_clear(const struct vocab *v, struct vocab_head *rec)
{
	for (unsigned w = 0; w < VOCAB_PRESENT; w++)
		for (uint64_t bits = rec->present[w]; bits; bits &= bits - 1)
			zero_field(&v->fields[w * 64 + (unsigned)__builtin_ctzll(bits)], rec);
	*rec = (struct vocab_head){ 0 };
}

/* `rec` is all zeros. */
static inline int decode(const struct vocab *v, struct vocab_head *rec, struct vocab_scratch *scratch, bool ours,
			 struct cursor *in, unsigned *unknown)
{
	uint64_t allowed[VOCAB_PRESENT], last = 0;
	unsigned skipped = 0;
	uint32_t n = msgpack_map(in);
	uint64_t key = msgpack_uint(in), type = msgpack_uint(in);
	if (!cursor_ok(in) || !n || key || type >= v->n_types)
		return -EBADMSG;
	rec->type = (uint16_t)type;
	allowed_fields(&v->types[type], allowed);
	for (uint32_t i = 1; i < n; i++) {
		key = msgpack_uint(in);
		if (!cursor_ok(in) || key <= last)
			return -EBADMSG;
		last = key;
		if (key > v->n_fields) {
			msgpack_skip(in);
			if (!cursor_ok(in))
				return -EBADMSG;
			skipped++;
			continue;
		}
		unsigned field = (unsigned)key - 1;
		uint64_t bit = UINT64_C(1) << (field & 63);
		if (!(allowed[field >> 6] & bit) ||
		    !decode_field(v, field, (uint8_t *)rec + v->fields[field].offset, scratch, ours, in))
			return -EBADMSG;
		rec->present[field >> 6] |= bit;
	}
	if (unknown)
		*unknown = skipped;
	return 0;
}

int vocab_decode(const struct vocab *v, struct vocab_head *rec, struct vocab_scratch *scratch, struct cursor *in,
		 unsigned *unknown)
{
	memset(rec, 0, v->rec_size);
	return decode(v, rec, scratch, false, in, unknown);
}

int vocab_decode_ours(const struct vocab *v, struct vocab_head *rec, struct vocab_scratch *scratch, struct cursor *in)
{
	vocab_clear(v, rec);
	return decode(v, rec, scratch, true, in, NULL);
}
