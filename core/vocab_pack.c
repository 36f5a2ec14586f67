/* The form of a record between two threads of one process: what it has, as it lies in memory. */
#include "core/vocab.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"

/* Type, words of presence. For each of these: the memory of the fields that are present, fields that follow each other in one piece,
 * with what pointers and gaps there are in it; the bytes of the texts in their order; contexts as id, result, number of syntaxes,
 * abstract syntax, syntaxes, these two with their length before them. */

enum { HEAD = sizeof(uint16_t) + VOCAB_PRESENT * sizeof(uint64_t) };

/* The fields of the lowest bits that stand side by side, as a piece of memory; they leave `bits`. */
static inline size_t run(const struct vocab_place *places, uint64_t *bits, size_t *ret_offset)
{
	uint64_t rest = *bits & (*bits + (*bits & -*bits)), these = *bits ^ rest;
	struct vocab_place first = places[__builtin_ctzll(these)], last = places[63 - __builtin_clzll(these)];
	*bits = rest;
	*ret_offset = first.offset;
	return (size_t)last.offset + last.size - first.offset;
}

/* Four bytes at least: no field has fewer. */
static inline void copy(uint8_t *to, const uint8_t *from, size_t n)
{
	if (n >= 16) {
		for (size_t i = 0; i + 16 < n; i += 16)
			memcpy(to + i, from + i, 16);
		memcpy(to + n - 16, from + n - 16, 16);
	} else if (n >= 8) {
		memcpy(to, from, 8);
		memcpy(to + n - 8, from + n - 8, 8);
	} else {
		memcpy(to, from, 4);
		memcpy(to + n - 4, from + n - 4, 4);
	}
}

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

static uint8_t *pack_contexts(uint8_t *to, const uint8_t *end, const uint8_t *p)
{
	struct buf out = buf_over(to, (size_t)(end - to));
	struct vocab_contexts c;
	memcpy(&c, p, sizeof(c));
	put_contexts(&out, &c);
	return out.full ? NULL : to + out.len;
}

int vocab_pack(const struct vocab *v, const struct vocab_head *rec, struct buf *out)
{
	if (out->full || out->cap - out->len < HEAD)
		return -ENOBUFS;
	const uint8_t *from = (const uint8_t *)rec;
	uint8_t *to = out->data + out->len, *const end = out->data + out->cap;
	memcpy(to, &rec->type, sizeof(rec->type));
	memcpy(to + sizeof(rec->type), rec->present, sizeof(rec->present));
	to += HEAD;
	const struct vocab_place *places = v->places;
	for (unsigned w = 0; w < VOCAB_PRESENT; w++, places += 64) {
		for (uint64_t bits = rec->present[w]; bits;) {
			size_t offset, n = run(places, &bits, &offset);
			if ((size_t)(end - to) < n)
				return -ENOBUFS;
			copy(to, from + offset, n);
			to += n;
		}
		for (uint64_t bits = rec->present[w] & v->texts[w]; bits; bits &= bits - 1) {
			struct span text;
			memcpy(&text, from + places[__builtin_ctzll(bits)].offset, sizeof(text));
			if ((size_t)(end - to) < text.n)
				return -ENOBUFS;
			bytes_copy(to, text.p, text.n);
			to += text.n;
		}
		for (uint64_t bits = rec->present[w] & v->contexts[w]; bits; bits &= bits - 1) {
			to = pack_contexts(to, end, from + places[__builtin_ctzll(bits)].offset);
			if (!to)
				return -ENOBUFS;
		}
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
		for (uint64_t bits = stale[w]; bits;) {
			size_t offset, n = run(v->places + 64 * w, &bits, &offset);
			memset((uint8_t *)rec + offset, 0, n);
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

static const uint8_t *read_contexts(const uint8_t *at, const uint8_t *end, struct vocab_scratch *scratch, uint8_t *p)
{
	struct cursor in = cursor_from((struct span){ at, (size_t)(end - at) });
	struct vocab_contexts c;
	if (!take_contexts(&in, scratch, &c))
		return NULL;
	memcpy(p, &c, sizeof(c));
	return end - cursor_left(&in);
}

int vocab_pack_read(const struct vocab *v, struct vocab_head *rec, struct vocab_scratch *scratch, struct span bytes)
{
	const uint8_t *at = bytes.p, *const end = at + bytes.n;
	uint8_t *to = (uint8_t *)rec;
	if (bytes.n < HEAD || !take_head(v, rec, at))
		return -EBADMSG;
	at += HEAD;
	const struct vocab_place *places = v->places;
	for (unsigned w = 0; w < VOCAB_PRESENT; w++, places += 64) {
		for (uint64_t bits = rec->present[w]; bits;) {
			size_t offset, n = run(places, &bits, &offset);
			if ((size_t)(end - at) < n)
				return -EBADMSG;
			copy(to + offset, at, n);
			at += n;
		}
		for (uint64_t bits = rec->present[w] & v->texts[w]; bits; bits &= bits - 1) {
			uint8_t *p = to + places[__builtin_ctzll(bits)].offset;
			struct span text;
			memcpy(&text, p, sizeof(text));
			if ((size_t)(end - at) < text.n)
				return -EBADMSG;
			text.p = at;
			at += text.n;
			memcpy(p, &text, sizeof(text));
		}
		for (uint64_t bits = rec->present[w] & v->contexts[w]; bits; bits &= bits - 1) {
			at = read_contexts(at, end, scratch, to + places[__builtin_ctzll(bits)].offset);
			if (!at)
				return -EBADMSG;
		}
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
