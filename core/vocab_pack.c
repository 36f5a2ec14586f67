/* The form of a record between two threads of one process: what it has, as it lies in memory. */
#include "core/vocab.h"

#include <errno.h>
#include <string.h>

/* type, words of presence, then the values that are present in the order of the table: texts and UIDs with their length before
 * them, contexts as id, result, number of syntaxes, abstract syntax, syntaxes; all else is copied. */

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

int vocab_pack(const struct vocab *v, const struct vocab_head *rec, struct buf *out)
{
	size_t mark = out->len;
	struct span text;
	struct vocab_contexts c;
	if (out->full)
		return -ENOBUFS;
	(void)buf_put(out, &rec->type, sizeof(rec->type));
	(void)buf_put(out, rec->present, sizeof(rec->present));
	for (unsigned w = 0; w < VOCAB_PRESENT; w++)
		for (uint64_t bits = rec->present[w]; bits; bits &= bits - 1) {
			const struct vocab_field *f = &v->fields[w * 64 + (unsigned)__builtin_ctzll(bits)];
			const uint8_t *p = (const uint8_t *)rec + f->offset;
			switch (f->kind) {
			case VOCAB_UINT:
			case VOCAB_HEX16:
			case VOCAB_TIME:
			case VOCAB_BOOL:
			case VOCAB_WORD:
				(void)buf_put(out, p, sizeof(uint64_t));
				break;
			case VOCAB_TEXT:
				memcpy(&text, p, sizeof(text));
				put_text(out, text);
				break;
			case VOCAB_ADDR:
				(void)buf_put(out, p, sizeof(struct addr));
				break;
			case VOCAB_ENDPOINT:
				(void)buf_put(out, p, sizeof(struct endpoint));
				break;
			case VOCAB_MAC:
				(void)buf_put(out, p, sizeof(struct mac));
				break;
			case VOCAB_CONTEXTS:
				memcpy(&c, p, sizeof(c));
				put_contexts(out, &c);
				break;
			}
		}
	if (out->full) {
		buf_rewind(out, mark);
		return -ENOBUFS;
	}
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

int vocab_pack_read(const struct vocab *v, struct vocab_head *rec, struct vocab_scratch *scratch, struct span bytes)
{
	struct cursor in = cursor_from(bytes);
	vocab_clear(v, rec);
	take(&in, &rec->type, sizeof(rec->type));
	take(&in, rec->present, sizeof(rec->present));
	for (unsigned w = 0; w < VOCAB_PRESENT; w++)
		for (uint64_t bits = rec->present[w]; bits; bits &= bits - 1) {
			unsigned field = w * 64 + (unsigned)__builtin_ctzll(bits);
			if (field >= v->n_fields)
				return -EBADMSG;
			const struct vocab_field *f = &v->fields[field];
			uint8_t *p = (uint8_t *)rec + f->offset;
			struct span text;
			struct vocab_contexts c = { 0 };
			switch (f->kind) {
			case VOCAB_UINT:
			case VOCAB_HEX16:
			case VOCAB_TIME:
			case VOCAB_BOOL:
			case VOCAB_WORD:
				take(&in, p, sizeof(uint64_t));
				break;
			case VOCAB_TEXT:
				text = take_text(&in);
				memcpy(p, &text, sizeof(text));
				break;
			case VOCAB_ADDR:
				take(&in, p, sizeof(struct addr));
				break;
			case VOCAB_ENDPOINT:
				take(&in, p, sizeof(struct endpoint));
				break;
			case VOCAB_MAC:
				take(&in, p, sizeof(struct mac));
				break;
			case VOCAB_CONTEXTS:
				if (!take_contexts(&in, scratch, &c))
					return -EBADMSG;
				memcpy(p, &c, sizeof(c));
				break;
			}
		}
	return cursor_ok(&in) && !cursor_left(&in) && rec->type < v->n_types ? 0 : -EBADMSG;
}
