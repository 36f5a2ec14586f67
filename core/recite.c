#include "core/recite.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/msgpack.h"

enum {
	PIECE_MAX = 64,                 /* ,"name": and such a thing with a word behind it */
	RAW_MAX = 72, SAID_MAX = 192,   /* of a value that is kept */
	TEXT_MAX = 255,                 /* longer ones are left to vocab_decode */
	SECOND_N = 21,                  /* "2026-11-22T21:46:20. with the quote before it */
	/* Before each value: its name and the longest text with every byte escaped, which is more than any other value has. Stores are
	 * of 32 bytes, so that they may reach past what is said, and a brace follows the last. */
	ROOM = PIECE_MAX + 2 * TEXT_MAX + 2 + 32 + 1,
};

struct piece { uint8_t text[PIECE_MAX], n; };   /* n 0: it does not fit */

/* The value that a field had last: its bytes, and what was said of them, name included. */
struct kept {
	uint8_t raw[RAW_MAX], said[SAID_MAX], raw_n, said_n;    /* said_n 0: it had none yet */
};

struct plan {
	enum vocab_kind kind;
	const struct piece *words;      /* with their key; booleans too */
	struct kept *kept;              /* texts and addresses */
	const struct vocab_field *field;
	struct piece key;
	uint8_t n_words, first;         /* first: the byte of the first of them */
	uint8_t unused[29];             /* 128 bytes: found by a shift */
};
_Static_assert(sizeof(struct plan) == 128, "a power of two");

struct recite {
	const struct vocab *v;
	uint64_t left;                  /* types */
	struct piece heads[64];         /* {"type":"..." */
	uint8_t may[64][256];           /* by type and key: whether it carries that; not what has a name too long to be a piece */
	struct plan plans[VOCAB_MAX_FIELDS];
	struct piece *words;
	struct kept *kept;
	uint64_t second;                /* the last point of time, and its text up to the fraction */
	uint8_t second_text[32];
	struct { uint8_t text[3], n; } octets[256];
	uint8_t pairs[256][2];          /* hexadecimal */
	struct vocab_head *rec;         /* for what is left to vocab_decode */
	struct vocab_scratch scratch;
};

/* ---- what can be said before the first record comes ---- */

static bool is_kept(enum vocab_kind kind)
{
	return kind == VOCAB_TEXT || kind == VOCAB_ADDR || kind == VOCAB_ENDPOINT || kind == VOCAB_MAC;
}

static void piece(struct piece *p, const char *before, const char *name, const char *between, const char *value, const char *after)
{
	const char *const parts[] = { before, name, between, value, after };
	struct buf b = buf_over(p->text, sizeof(p->text));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		(void)buf_str(&b, parts[i]);
	p->n = b.full ? 0 : (uint8_t)b.len;
}

static size_t count_words(const struct vocab_field *f)
{
	size_t n = 0;
	if (f->kind == VOCAB_BOOL)
		return 2;
	while (f->words && f->words[n])
		n++;
	return n;
}

static void plan_fields(struct recite *r)
{
	struct piece *word = r->words;
	struct kept *kept = r->kept;
	for (size_t i = 0; i < r->v->n_fields; i++) {
		static const char *const truths[] = { "false", "true" };
		const struct vocab_field *f = &r->v->fields[i];
		struct plan *p = &r->plans[i];
		size_t n = count_words(f);
		p->kind = f->kind;
		p->field = f;
		piece(&p->key, ",\"", f->name, "\":", "", "");
		p->words = word;
		/* Past 127 an index is longer than the byte that the walk looks at. */
		p->n_words = (uint8_t)(n < 0x80 ? n : 0x80);
		p->first = f->kind == VOCAB_BOOL ? MSGPACK_FALSE : 0;
		for (size_t k = 0; k < n; k++) {
			if (f->kind == VOCAB_BOOL)
				piece(word++, ",\"", f->name, "\":", truths[k], "");
			else
				piece(word++, ",\"", f->name, "\":\"", f->words[k], "\"");
		}
		if (is_kept(f->kind))
			p->kept = kept++;
	}
}

static void plan_types(struct recite *r)
{
	for (size_t i = 0; i < r->v->n_types; i++) {
		const struct vocab_type *t = &r->v->types[i];
		piece(&r->heads[i], "{\"type\":\"", t->name, "\"", "", "");
		for (size_t k = 0; k < t->n_fields; k++)
			if (t->fields[k] < 255)
				r->may[i][t->fields[k] + 1] = r->plans[t->fields[k]].key.n > 0;
	}
}

static void plan_numbers(struct recite *r)
{
	static const char hex[] = "0123456789abcdef";
	for (unsigned i = 0; i < 256; i++) {
		struct buf b = buf_over(r->octets[i].text, sizeof(r->octets[i].text));
		(void)json_uint(&b, i);
		r->octets[i].n = (uint8_t)b.len;
		r->pairs[i][0] = (uint8_t)hex[i >> 4];
		r->pairs[i][1] = (uint8_t)hex[i & 15];
	}
}

struct recite *recite_new(const struct vocab *v)
{
	assert(v->n_types <= 64);
	struct recite *r = calloc(1, sizeof(*r));
	size_t words = 1, kept = 1;
	if (!r)
		return NULL;
	for (size_t i = 0; i < v->n_fields; i++) {
		words += count_words(&v->fields[i]);
		kept += is_kept(v->fields[i].kind);
	}
	r->v = v;
	r->words = calloc(words, sizeof(r->words[0]));
	r->kept = calloc(kept, sizeof(r->kept[0]));
	r->rec = malloc(v->rec_size);
	if (!r->words || !r->kept || !r->rec) {
		recite_free(r);
		return NULL;
	}
	plan_fields(r);         /* first: it says what can be a piece */
	plan_types(r);
	plan_numbers(r);
	r->second = UINT64_MAX;
	return r;
}

void recite_free(struct recite *r)
{
	if (!r)
		return;
	free(r->words);
	free(r->kept);
	free(r->rec);
	free(r);
}

void recite_leave(struct recite *r, unsigned type) { r->left |= UINT64_C(1) << type; }

/* ---- values; each has ROOM before it, and gives the place behind what it said ---- */

static inline uint8_t *put_piece(uint8_t *to, const struct piece *p)
{
	memcpy(to, p->text, 32);
	if (p->n > 32)
		memcpy(to + 32, p->text + 32, 32);
	return to + p->n;
}

static inline uint8_t *put_pair(uint8_t *to, unsigned v)
{
	static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
				    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
	memcpy(to, pairs + 2 * v, 2);
	return to + 2;
}

static inline uint8_t *put_uint(uint8_t *to, uint64_t v)
{
	static const uint64_t tens[] = {
		0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, UINT64_C(1000000000), UINT64_C(10000000000),
		UINT64_C(100000000000), UINT64_C(1000000000000), UINT64_C(10000000000000), UINT64_C(100000000000000),
		UINT64_C(1000000000000000), UINT64_C(10000000000000000), UINT64_C(100000000000000000), UINT64_C(1000000000000000000),
		UINT64_C(10000000000000000000),
	};
	/* log10(2) is 1233 / 4096 for numbers of 64 bits, less one where the table says so. */
	unsigned n = (unsigned)(64 - __builtin_clzll(v | 1)) * 1233 >> 12;
	n += v >= tens[n];
	uint8_t *end = to + n, *at = end;
	for (; v >= 100; v /= 100)
		(void)put_pair(at -= 2, (unsigned)(v % 100));
	if (v >= 10)
		(void)put_pair(to, (unsigned)v);
	else
		*to = (uint8_t)('0' + v);
	return end;
}

static uint8_t *put_time(struct recite *r, uint8_t *to, uint64_t ts_ns)
{
	uint64_t second = ts_ns / CLOCK_SECOND;
	unsigned ns = (unsigned)(ts_ns % CLOCK_SECOND), low = ns % 100000000, high = low / 10000;
	if (second != r->second) {
		char text[CLOCK_STRLEN];
		r->second = second;
		r->second_text[0] = '"';
		memcpy(r->second_text + 1, clock_str(ts_ns, text), SECOND_N - 1);
	}
	memcpy(to, r->second_text, 32);
	to += SECOND_N;
	*to++ = (uint8_t)('0' + ns / 100000000);
	to = put_pair(to, high / 100);
	to = put_pair(to, high % 100);
	to = put_pair(to, low % 10000 / 100);
	to = put_pair(to, low % 100);
	memcpy(to, "Z\"", 2);
	return to + 2;
}

static inline uint8_t *put_addr(const struct recite *r, uint8_t *to, const uint8_t ip[16])
{
	struct addr a;
	char text[ADDR_STRLEN];
	memcpy(&a, ip, sizeof(a));
	if (!addr_is_v4(&a)) {
		size_t n = strlen(addr_str(&a, text));
		memcpy(to, text, n);
		return to + n;
	}
	for (int i = 12; i < 16; i++) {
		memcpy(to, r->octets[ip[i]].text, 3);
		to += r->octets[ip[i]].n;
		*to++ = '.';
	}
	return to - 1;
}

static inline uint8_t *put_endpoint(const struct recite *r, uint8_t *to, const uint8_t wire[18])
{
	struct addr a;
	memcpy(&a, wire, sizeof(a));
	bool v4 = addr_is_v4(&a);
	if (!v4)
		*to++ = '[';
	to = put_addr(r, to, wire);
	if (!v4)
		*to++ = ']';
	*to++ = ':';
	return put_uint(to, (unsigned)wire[16] << 8 | wire[17]);
}

static inline uint8_t *put_mac(const struct recite *r, uint8_t *to, const uint8_t mac[6])
{
	for (int i = 0; i < 6; i++) {
		memcpy(to, r->pairs[mac[i]], 2);
		to[2] = ':';
		to += 3;
	}
	return to - 1;
}

/* Whether a byte among these eight does not stand for itself in a JSON string. */
static inline bool is_other(uint64_t v)
{
	return bytes_below(v, 0x20) | bytes_high(v) | bytes_equal(v, '"') | bytes_equal(v, '\\') | bytes_equal(v, 0x7f);
}

/* All that is not plain is a matter for json_string(). */
static inline bool is_plain(struct span s)
{
	if (s.n < 8) {
		uint64_t v = BYTES_ONES * 'a';
		bytes_copy(&v, s.p, s.n);
		return !is_other(v);
	}
	bool other = is_other(bytes_load(s.p + s.n - 8));
	for (size_t i = 0; i + 8 < s.n; i += 8)
		other |= is_other(bytes_load(s.p + i));
	return !other;
}

/* NULL: not this way. */
static inline uint8_t *put_text(const struct vocab_field *f, uint8_t *to, struct span s)
{
	bool plain = is_plain(s);
	/* All that is plain is of the grammar of names. */
	if (plain && f->grammar == VOCAB_G_NAME ? s.n > f->max : !vocab_fits(f->grammar, f->max, s))
		return NULL;
	if (!plain) {
		/* What a grammar admits is escaped by a backslash, or not at all. */
		struct buf b = buf_over(to, 2 * s.n + 2);
		if (json_string(&b, s))
			return NULL;
		return to + b.len;
	}
	*to = '"';
	bytes_copy(to + 1, s.p, s.n);
	to[s.n + 1] = '"';
	return to + s.n + 2;
}

/* ---- the walk ---- */

/* Between two things: what is read next, and where what is said next goes. `to` NULL: not this way. */
struct place {
	const uint8_t *at;
	uint8_t *to;
};

static const struct place nowhere;

/* A number in its shortest form and what is behind it, NULL: not this way. A byte of it is there. */
static inline const uint8_t *take_uint(const uint8_t *at, const uint8_t *end, uint64_t *ret)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	uint8_t b = *at++;
	size_t left = (size_t)(end - at);
	if (b < 0x80) {
		*ret = b;
		return at;
	}
	if (b == MSGPACK_UINT16 && left >= 2) {
		memcpy(&u16, at, 2);
		*ret = be16toh(u16);
		return *ret > UINT8_MAX ? at + 2 : NULL;
	}
	if (b == MSGPACK_UINT32 && left >= 4) {
		memcpy(&u32, at, 4);
		*ret = be32toh(u32);
		return *ret > UINT16_MAX ? at + 4 : NULL;
	}
	if (b == MSGPACK_UINT64 && left >= 8) {
		memcpy(&u64, at, 8);
		*ret = be64toh(u64);
		return *ret > UINT32_MAX ? at + 8 : NULL;
	}
	if (b == MSGPACK_UINT8 && left >= 1) {
		*ret = *at;
		return *ret >= 0x80 ? at + 1 : NULL;
	}
	return NULL;
}

/* The bytes of a text or of an address, whose first byte is there; .p NULL: not this way. */
static inline struct span take_bytes(const uint8_t *at, const uint8_t *end, enum vocab_kind kind)
{
	static const struct span none;
	size_t n, left = (size_t)(end - at) - 1;
	uint8_t b = *at++;
	if (kind != VOCAB_TEXT) {
		n = kind == VOCAB_ADDR ? 16 : kind == VOCAB_ENDPOINT ? 18 : 6;
		if (b != MSGPACK_BIN8 || !left-- || *at++ != n)
			return none;
	} else if ((b & 0xe0) == MSGPACK_FIXSTR) {
		n = b & 0x1f;
	} else if (b == MSGPACK_STR8 && left) {
		left--;
		n = *at++;
		if (n < 32)
			return none;
	} else {
		return none;
	}
	return n <= left ? (struct span){ at, n } : none;
}

static void keep(struct kept *k, struct span raw, struct span said)
{
	if (raw.n > RAW_MAX || said.n > SAID_MAX)
		return;
	k->raw_n = (uint8_t)raw.n;
	k->said_n = (uint8_t)said.n;
	bytes_copy(k->raw, raw.p, raw.n);
	memcpy(k->said, said.p, 64);
	if (said.n > 64)
		memcpy(k->said + 64, said.p + 64, SAID_MAX - 64);
}

/* A text or an address that is not the last one of its field. */
static struct place say_bytes(const struct recite *r, const struct plan *p, struct place x, const uint8_t *end)
{
	struct span s = take_bytes(x.at, end, p->kind);
	if (!s.p)
		return nowhere;
	uint8_t *to = put_piece(x.to, &p->key);
	if (p->kind == VOCAB_TEXT) {
		to = put_text(p->field, to, s);
		if (!to)
			return nowhere;
	} else {
		*to++ = '"';
		to = p->kind == VOCAB_ADDR ? put_addr(r, to, s.p) : p->kind == VOCAB_MAC ? put_mac(r, to, s.p) : put_endpoint(r, to, s.p);
		*to++ = '"';
	}
	const uint8_t *at = s.p + s.n;
	keep(p->kept, (struct span){ x.at, (size_t)(at - x.at) }, (struct span){ x.to, (size_t)(to - x.to) });
	return (struct place){ at, to };
}

static inline uint8_t *put_hex16(const struct recite *r, uint8_t *to, uint64_t v)
{
	memcpy(to, "\"0x", 3);
	memcpy(to + 3, r->pairs[v >> 8], 2);
	memcpy(to + 5, r->pairs[v & 0xff], 2);
	to[7] = '"';
	return to + 8;
}

/* A field that the type may carry, with its name. At least one byte of it is there. */
static inline struct place say_field(struct recite *r, const struct plan *p, struct place x, const uint8_t *end)
{
	const struct kept *k = p->kept;
	uint64_t u = 0;
	unsigned b = *x.at;
	switch (p->kind) {
	case VOCAB_TEXT:
	case VOCAB_ADDR:
	case VOCAB_ENDPOINT:
	case VOCAB_MAC:
		if (b != k->raw[0] || (size_t)(end - x.at) < k->raw_n || !bytes_same(x.at, k->raw, k->raw_n) || !k->said_n)
			return say_bytes(r, p, x, end);
		for (unsigned i = 0; i < k->said_n; i += 32)
			memcpy(x.to + i, k->said + i, 32);
		return (struct place){ x.at + k->raw_n, x.to + k->said_n };
	case VOCAB_WORD:
	case VOCAB_BOOL:
		b -= p->first;
		return b < p->n_words && p->words[b].n ? (struct place){ x.at + 1, put_piece(x.to, &p->words[b]) } : nowhere;
	case VOCAB_UINT:
		x.at = take_uint(x.at, end, &u);
		return x.at ? (struct place){ x.at, put_uint(put_piece(x.to, &p->key), u) } : nowhere;
	case VOCAB_TIME:
		x.at = take_uint(x.at, end, &u);
		return x.at ? (struct place){ x.at, put_time(r, put_piece(x.to, &p->key), u) } : nowhere;
	case VOCAB_HEX16:
		x.at = take_uint(x.at, end, &u);
		return x.at && u <= 0xffff ? (struct place){ x.at, put_hex16(r, put_piece(x.to, &p->key), u) } : nowhere;
	case VOCAB_CONTEXTS:
		break;
	}
	return nowhere;
}

enum walked { WALKED, NO_ROOM, NOT_THIS_WAY, LEFT };

static enum walked walk(struct recite *r, struct span bytes, struct buf *out)
{
	const uint8_t *at = bytes.p, *const end = at + bytes.n;
	uint8_t *const full = out->data + out->cap;
	unsigned n, last = 0;
	if (bytes.n < 3)
		return NOT_THIS_WAY;
	if ((at[0] & 0xf0) == MSGPACK_FIXMAP) {
		n = at[0] & 0x0f;
		at++;
	} else if (at[0] == MSGPACK_MAP16) {
		n = (unsigned)at[1] << 8 | at[2];
		at += 3;
		if (n < 16 || end - at < 2)
			return NOT_THIS_WAY;
	} else {
		return NOT_THIS_WAY;
	}
	unsigned type = at[1];
	if (!n || at[0] || type >= r->v->n_types || !r->heads[type].n)
		return NOT_THIS_WAY;
	if (r->left >> type & 1)
		return LEFT;
	struct place x = { at + 2, out->data + out->len };
	if (full - x.to < ROOM)
		return NO_ROOM;
	x.to = put_piece(x.to, &r->heads[type]);
	const uint8_t *may = r->may[type];
	while (--n) {
		if (end - x.at < 2)
			return NOT_THIS_WAY;
		unsigned key = *x.at++;
		if (key >= 0x80) {
			if (key != MSGPACK_UINT8 || end - x.at < 2 || *x.at < 0x80)
				return NOT_THIS_WAY;
			key = *x.at++;
		}
		if (key <= last || !may[key])
			return NOT_THIS_WAY;
		last = key;
		if (full - x.to < ROOM)
			return NO_ROOM;
		x = say_field(r, &r->plans[key - 1], x, end);
		if (!x.to)
			return NOT_THIS_WAY;
	}
	if (x.at != end)
		return NOT_THIS_WAY;
	*x.to++ = '}';
	out->len = (size_t)(x.to - out->data);
	return WALKED;
}

/* The long way. */
static int decode(struct recite *r, struct span bytes, struct buf *out)
{
	struct cursor in = cursor_from(bytes);
	if (vocab_decode(r->v, r->rec, &r->scratch, &in, NULL) || cursor_left(&in))
		return -EBADMSG;
	if (r->left >> r->rec->type & 1)
		return 1;
	return vocab_json(r->v, r->rec, out);
}

int recite_record(struct recite *r, struct span bytes, struct buf *out)
{
	if (out->full)
		return -ENOBUFS;
	switch (walk(r, bytes, out)) {
	case WALKED:
		return 0;
	case NO_ROOM:
		return -ENOBUFS;
	case LEFT:
		return 1;
	case NOT_THIS_WAY:
		break;
	}
	return decode(r, bytes, out);
}
