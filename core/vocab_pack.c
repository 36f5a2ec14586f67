/* The form of a record between two threads of one process: what it has, as it lies in memory. */
#include "core/vocab.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"

/* type, words of presence, then the values that are present in the order of the table: texts and UIDs with their length before
 * them, contexts as id, result, number of syntaxes, abstract syntax, syntaxes; all else is copied. */

enum { HEAD = sizeof(uint16_t) + VOCAB_PRESENT * sizeof(uint64_t) };

/* Most fields are. Told by their size: a compiler would make one table of jumps of all kinds, and each jump a guess. */
static inline bool is_number(struct vocab_place f) { return f.size == sizeof(uint64_t); }

static void put_text(struct buf *out, struct span s)
{
	uint32_t n = (uint32_t)s.n;
	(void)buf_put(out, &n, sizeof(n));
	(void)buf_put(out, s.p, s.n);
}

/* As vocab_encode has it: contexts are borrowed by their setter, which could not replace what does not fit. */
static void put_uid(struct buf *out, struct span uid)
{
	static const char not_admitted[] = "(not admitted)";
	put_text(out, vocab_fits(VOCAB_G_UID, 64, uid) ? uid : (struct span){ (const uint8_t *)not_admitted, sizeof(not_admitted) - 1 });
}

static void put_contexts(struct buf *out, const struct vocab_contexts *c)
{
	(void)buf_put(out, &c->n, sizeof(c->n));
	for (size_t i = 0; i < c->n && !out->full; i++) {
		const struct vocab_context *x = &c->v[i];
		(void)buf_u8(out, x->id);
		(void)buf_u8(out, x->result);
		(void)buf_put(out, &x->n, sizeof(x->n));
		if (x->abstract_syntax.n)
			put_uid(out, x->abstract_syntax);
		else
			put_text(out, (struct span){ 0 });
		for (size_t k = 0; k < x->n; k++)
			put_uid(out, c->syntaxes[x->first + k]);
	}
}

static inline uint8_t *pack_bytes(uint8_t *to, size_t room, const void *p, size_t n)
{
	if (room < n)
		return NULL;
	memcpy(to, p, n);
	return to + n;
}

static inline uint8_t *pack_text(uint8_t *to, size_t room, struct span s)
{
	uint32_t n = (uint32_t)s.n;
	if (room < sizeof(n) || room - sizeof(n) < s.n)
		return NULL;
	memcpy(to, &n, sizeof(n));
	bytes_copy(to + sizeof(n), s.p, s.n);
	return to + sizeof(n) + s.n;
}

static uint8_t *pack_contexts(uint8_t *to, size_t room, const struct vocab_contexts *c)
{
	struct buf out = buf_over(to, room);
	put_contexts(&out, c);
	return out.full ? NULL : to + out.len;
}

/* Where the next field goes; NULL when there is no room. */
static inline uint8_t *pack_field(unsigned kind, const uint8_t *p, uint8_t *to, size_t room)
{
	struct span text;
	struct vocab_contexts c;
	if (kind == VOCAB_TEXT) {
		memcpy(&text, p, sizeof(text));
		return pack_text(to, room, text);
	}
	if (kind == VOCAB_ENDPOINT)
		return pack_bytes(to, room, p, sizeof(struct endpoint));
	if (kind == VOCAB_MAC)
		return pack_bytes(to, room, p, sizeof(struct mac));
	if (kind == VOCAB_ADDR)
		return pack_bytes(to, room, p, sizeof(struct addr));
	memcpy(&c, p, sizeof(c));
	return pack_contexts(to, room, &c);
}

int vocab_pack(const struct vocab *v, const struct vocab_head *rec, struct buf *out)
{
	if (out->full || out->cap - out->len < HEAD)
		return -ENOBUFS;
	uint8_t *to = out->data + out->len, *const end = out->data + out->cap;
	memcpy(to, &rec->type, sizeof(rec->type));
	memcpy(to + sizeof(rec->type), rec->present, sizeof(rec->present));
	to += HEAD;
	const struct vocab_place *places = v->places;
	for (unsigned w = 0; w < VOCAB_PRESENT; w++, places += 64)
		for (uint64_t bits = rec->present[w]; bits; bits &= bits - 1) {
			struct vocab_place f = places[__builtin_ctzll(bits)];
			const uint8_t *p = (const uint8_t *)rec + f.offset;
			if (is_number(f) && end - to >= 8) {
				memcpy(to, p, 8);
				to += 8;
				continue;
			}
			to = is_number(f) ? NULL : pack_field(f.kind, p, to, (size_t)(end - to));
			if (!to)
				return -ENOBUFS;
		}
	out->len = (size_t)(to - out->data);
	return 0;
}

static inline void take(struct cursor *in, void *to, size_t n)
{
	struct span s = cursor_take(in, n);
	if (s.p)
		memcpy(to, s.p, n);
}

static struct span take_text(struct cursor *in)
{
	uint32_t n = 0;
	take(in, &n, sizeof(n));
	return cursor_take(in, n);
}

static bool take_contexts(struct cursor *in, struct vocab_scratch *scratch, struct vocab_contexts *ret)
{
	uint16_t n = 0, used = 0;
	take(in, &n, sizeof(n));
	if (n > VOCAB_MAX_CONTEXTS)
		return false;
	for (uint16_t i = 0; i < n; i++) {
		struct vocab_context *x = &scratch->contexts[i];
		x->id = cursor_u8(in);
		x->result = cursor_u8(in);
		x->first = used;
		x->n = 0;
		take(in, &x->n, sizeof(x->n));
		x->abstract_syntax = take_text(in);
		if (!cursor_ok(in) || x->n > VOCAB_MAX_SYNTAXES - used)
			return false;
		for (uint16_t k = 0; k < x->n; k++)
			scratch->syntaxes[used++] = take_text(in);
	}
	*ret = (struct vocab_contexts){ scratch->contexts, scratch->syntaxes, n, used };
	return cursor_ok(in);
}

/* What the record has and the next one will not have: the rest is overwritten. */
static void zero(const struct vocab *v, struct vocab_head *rec, const uint64_t stale[VOCAB_PRESENT])
{
	for (unsigned w = 0; w < VOCAB_PRESENT; w++)
		for (uint64_t bits = stale[w]; bits; bits &= bits - 1) {
			struct vocab_place f = v->places[w * 64 + (unsigned)__builtin_ctzll(bits)];
			uint8_t *p = (uint8_t *)rec + f.offset;
			if (is_number(f))
				memset(p, 0, sizeof(uint64_t));
			else if (f.kind == VOCAB_TEXT)
				memset(p, 0, sizeof(struct span));
			else if (f.kind == VOCAB_ADDR)
				memset(p, 0, sizeof(struct addr));
			else if (f.kind == VOCAB_ENDPOINT)
				memset(p, 0, sizeof(struct endpoint));
			else if (f.kind == VOCAB_MAC)
				memset(p, 0, sizeof(struct mac));
			else
				memset(p, 0, sizeof(struct vocab_contexts));
		}
}

/* Type and fields of the record that comes; what of the old one has no successor is cleared. */
static inline bool take_head(const struct vocab *v, struct vocab_head *rec, const uint8_t *at)
{
	uint16_t type;
	uint64_t next[VOCAB_PRESENT], stale[VOCAB_PRESENT], any = 0, unknown = 0;
	memcpy(&type, at, sizeof(type));
	memcpy(next, at + sizeof(type), sizeof(next));
	for (unsigned w = 0; w < VOCAB_PRESENT; w++)
		any |= stale[w] = rec->present[w] & ~next[w];
	if (v->n_fields < VOCAB_MAX_FIELDS) {
		unsigned w = (unsigned)v->n_fields / 64;
		for (unknown = next[w] >> v->n_fields % 64; ++w < VOCAB_PRESENT;)
			unknown |= next[w];
	}
	if (unknown || type >= v->n_types)
		return false;
	if (any)
		zero(v, rec, stale);
	rec->type = type;
	memcpy(rec->present, next, sizeof(next));
	return true;
}

/* So many bytes into a field; what is behind them, NULL when there are not so many. */
static inline const uint8_t *read_bytes(const uint8_t *at, const uint8_t *end, uint8_t *p, size_t n)
{
	if ((size_t)(end - at) < n)
		return NULL;
	memcpy(p, at, n);
	return at + n;
}

static inline const uint8_t *read_text(const uint8_t *at, const uint8_t *end, uint8_t *p)
{
	uint32_t n;
	if ((size_t)(end - at) < sizeof(n))
		return NULL;
	memcpy(&n, at, sizeof(n));
	at += sizeof(n);
	if ((size_t)(end - at) < n)
		return NULL;
	struct span text = { at, n };
	memcpy(p, &text, sizeof(text));
	return at + n;
}

static const uint8_t *read_contexts(const uint8_t *at, const uint8_t *end, struct vocab_scratch *scratch, uint8_t *p)
{
	struct cursor in = cursor_from((struct span){ at, (size_t)(end - at) });
	struct vocab_contexts c;
	if (!take_contexts(&in, scratch, &c))
		return NULL;
	memcpy(p, &c, sizeof(c));
	return end - cursor_left(&in);
}

static inline const uint8_t *read_field(unsigned kind, const uint8_t *at, const uint8_t *end, struct vocab_scratch *scratch,
					uint8_t *p)
{
	if (kind == VOCAB_TEXT)
		return read_text(at, end, p);
	if (kind == VOCAB_ENDPOINT)
		return read_bytes(at, end, p, sizeof(struct endpoint));
	if (kind == VOCAB_MAC)
		return read_bytes(at, end, p, sizeof(struct mac));
	if (kind == VOCAB_ADDR)
		return read_bytes(at, end, p, sizeof(struct addr));
	return read_contexts(at, end, scratch, p);
}

int vocab_pack_read(const struct vocab *v, struct vocab_head *rec, struct vocab_scratch *scratch, struct span bytes)
{
	const uint8_t *at = bytes.p, *const end = at + bytes.n;
	if (bytes.n < HEAD || !take_head(v, rec, at))
		return -EBADMSG;
	at += HEAD;
	const struct vocab_place *places = v->places;
	for (unsigned w = 0; w < VOCAB_PRESENT; w++, places += 64)
		for (uint64_t bits = rec->present[w]; bits; bits &= bits - 1) {
			struct vocab_place f = places[__builtin_ctzll(bits)];
			uint8_t *p = (uint8_t *)rec + f.offset;
			if (is_number(f) && end - at >= 8) {
				memcpy(p, at, 8);
				at += 8;
				continue;
			}
			at = is_number(f) ? NULL : read_field(f.kind, at, end, scratch, p);
			if (!at)
				return -EBADMSG;
		}
	return at == end ? 0 : -EBADMSG;
}

unsigned vocab_pack_type(struct span bytes)
{
	uint16_t type = UINT16_MAX;
	if (bytes.n >= sizeof(type))
		memcpy(&type, bytes.p, sizeof(type));
	return type;
}
