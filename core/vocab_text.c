/* The forms of a vocabulary that people and other programs read: JSON, its schema, the catalogue. */
#include "core/vocab.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"

static void put_uid(struct buf *out, struct span uid)
{
	/* PS3.5, 9.1: at most 64 bytes. The setter only borrows contexts, so what does not fit is replaced here. */
	if (vocab_fits(VOCAB_G_UID, 64, uid))
		(void)json_string(out, uid);
	else
		(void)json_str(out, "(not admitted)");
}

static void put_contexts(struct buf *out, const struct vocab_contexts *c)
{
	(void)buf_u8(out, '[');
	for (size_t i = 0; i < c->n && !out->full; i++) {
		const struct vocab_context *x = &c->v[i];
		(void)json_next(out);
		(void)buf_u8(out, '{');
		(void)json_key(out, "id");
		(void)json_uint(out, x->id);
		if (x->abstract_syntax.n) {
			(void)json_key(out, "abstract_syntax");
			put_uid(out, x->abstract_syntax);
		}
		(void)json_key(out, "transfer_syntaxes");
		(void)buf_u8(out, '[');
		for (size_t k = 0; k < x->n; k++) {
			(void)json_next(out);
			put_uid(out, c->syntaxes[x->first + k]);
		}
		(void)buf_u8(out, ']');
		if (x->result != VOCAB_NO_RESULT) {
			(void)json_key(out, "result");
			(void)json_uint(out, x->result);
		}
		(void)buf_u8(out, '}');
	}
	(void)buf_u8(out, ']');
}

/* Our own texts, which need no escape: addresses, times. */
static void put_ours(struct buf *out, const char *s)
{
	size_t n = strlen(s);
	if (out->full || n + 2 > out->cap - out->len) {
		out->full = true;
		return;
	}
	uint8_t *to = out->data + out->len;
	*to = '"';
	memcpy(to + 1, s, n);
	to[n + 1] = '"';
	out->len += n + 2;
}

/* ,"name": */
static void put_name(struct buf *out, const struct vocab_field *f)
{
	size_t n = f->name_n;
	if (out->full || n + 4 > out->cap - out->len) {
		out->full = true;
		return;
	}
	uint8_t *to = out->data + out->len;
	*to++ = ',';
	*to++ = '"';
	memcpy(to, f->name, n);
	to[n] = '"';
	to[n + 1] = ':';
	out->len += n + 4;
}

static void put_value(const struct vocab *v, const struct vocab_head *rec, unsigned field, struct buf *out)
{
	const uint8_t *p = (const uint8_t *)rec + v->fields[field].offset;
	uint64_t u = 0;
	struct span text;
	struct endpoint e;
	struct addr a;
	struct mac m;
	struct vocab_contexts c;
	union {
		char time[CLOCK_STRLEN], ip[ADDR_STRLEN], endpoint[ADDR_ENDPOINT_STRLEN], mac[ADDR_MAC_STRLEN];
	} s;
	switch (v->fields[field].kind) {
	case VOCAB_UINT:
		memcpy(&u, p, sizeof(u));
		(void)json_uint(out, u);
		break;
	case VOCAB_HEX16:
		memcpy(&u, p, sizeof(u));
		(void)buf_printf(out, "\"0x%04x\"", (unsigned)(u & 0xffff));
		break;
	case VOCAB_TIME:
		memcpy(&u, p, sizeof(u));
		put_ours(out, clock_str(u, s.time));
		break;
	case VOCAB_BOOL:
		memcpy(&u, p, sizeof(u));
		(void)json_bool(out, u != 0);
		break;
	case VOCAB_WORD: {
		memcpy(&u, p, sizeof(u));
		const char *word = vocab_word(v, field, u);
		(void)json_str(out, word ? word : "(not admitted)");
		break;
	}
	case VOCAB_TEXT:
		memcpy(&text, p, sizeof(text));
		(void)json_string(out, text);
		break;
	case VOCAB_ADDR:
		memcpy(&a, p, sizeof(a));
		put_ours(out, addr_str(&a, s.ip));
		break;
	case VOCAB_ENDPOINT:
		memcpy(&e, p, sizeof(e));
		put_ours(out, addr_endpoint_str(&e, s.endpoint));
		break;
	case VOCAB_MAC:
		memcpy(&m, p, sizeof(m));
		put_ours(out, addr_mac_str(&m, s.mac));
		break;
	case VOCAB_CONTEXTS:
		memcpy(&c, p, sizeof(c));
		put_contexts(out, &c);
		break;
	}
}

static int finish(struct buf *out, size_t mark)
{
	if (!out->full)
		return 0;
	buf_rewind(out, mark);
	return -ENOBUFS;
}

int vocab_json(const struct vocab *v, const struct vocab_head *rec, struct buf *out)
{
	size_t mark = out->len;
	if (out->full || rec->type >= v->n_types)
		return -ENOBUFS;
	(void)buf_str(out, "{\"type\":");
	(void)json_str(out, v->types[rec->type].name);
	for (unsigned w = 0; w < VOCAB_PRESENT; w++) {
		for (uint64_t bits = rec->present[w]; bits; bits &= bits - 1) {
			unsigned field = w * 64 + (unsigned)__builtin_ctzll(bits);
			put_name(out, &v->fields[field]);
			put_value(v, rec, field, out);
		}
	}
	(void)buf_u8(out, '}');
	return finish(out, mark);
}

/* The grammars as ECMA 262 regular expressions, as vocab_fits() has them. */
static const char *const patterns[] = {
	[VOCAB_G_ID] = "[A-Za-z0-9][A-Za-z0-9._:+/-]*",
	[VOCAB_G_NAME] = "[^\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]*",
	[VOCAB_G_AE] = " *[!-<>-\\[\\]_-~][ -<>-\\[\\]_-~]*",
	[VOCAB_G_UID] = "[0-9.]+",
	[VOCAB_G_VERSION] = "[A-Za-z0-9 ._/+():,-]+",
	[VOCAB_G_HL7_HD] = "(?:[A-Za-z0-9 ._:&/+()@-]+|[A-Za-z0-9 ._:&/+()@-]*\\^[A-Za-z0-9 ._:&/+()@-]*\\^[A-Za-z0-9-]{1,8})",
	[VOCAB_G_HL7_TYPE] = "[A-Z0-9_^]+",
	[VOCAB_G_HL7_ID] = "[A-Za-z0-9._:/+|@-]+",
	[VOCAB_G_CHARSET] = "[A-Za-z0-9 /._~-]+",
	[VOCAB_G_HOST] = "[A-Za-z0-9._-]+",
	[VOCAB_G_LABEL] = "[^\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069\\\\^=]+",
	[VOCAB_G_CODE] = "[A-Z0-9 _]+",
	[VOCAB_G_KEYS] = "[A-Za-z0-9,]+",
	[VOCAB_G_TOKEN] = "[0-9a-f]{32}",
	[VOCAB_G_HEX] = "[0-9a-f]+",
	[VOCAB_G_DNS] = "[A-Za-z0-9._*,-]+",
};

/* A text of that grammar, or what stands for one that was not admitted. */
static void put_text_schema(struct buf *out, enum vocab_grammar g, unsigned max)
{
	char pattern[160];
	struct buf p = buf_over(pattern, sizeof(pattern));
	(void)buf_str(&p, "^(?:");
	(void)buf_str(&p, patterns[g]);
	(void)buf_str(&p, "|\\(not admitted\\))$");
	(void)buf_str(out, "\"type\":\"string\",\"maxLength\":");
	/* In characters, where ours is in bytes: never stricter. "(not admitted)" has 14. */
	(void)json_uint(out, max < 14 ? 14 : max);
	(void)json_key(out, "pattern");
	(void)json_string(out, buf_span(&p));
}

static void put_field_schema(struct buf *out, const struct vocab_field *f)
{
	(void)buf_u8(out, '{');
	switch (f->kind) {
	case VOCAB_UINT:
		(void)buf_str(out, "\"type\":\"integer\",\"minimum\":0,\"maximum\":18446744073709551615");
		break;
	case VOCAB_HEX16:
		(void)buf_str(out, "\"type\":\"string\",\"pattern\":\"^0x[0-9a-f]{4}$\"");
		break;
	case VOCAB_TIME:
		(void)buf_str(out, "\"type\":\"string\",\"format\":\"date-time\",\"pattern\":"
		                   "\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{9}Z$\"");
		break;
	case VOCAB_BOOL:
		(void)buf_str(out, "\"type\":\"boolean\"");
		break;
	case VOCAB_WORD:
		(void)json_key(out, "enum");
		(void)buf_u8(out, '[');
		for (const char *const *w = f->words; *w; w++) {
			(void)json_next(out);
			(void)json_str(out, *w);
		}
		(void)buf_u8(out, ']');
		break;
	case VOCAB_TEXT:
		put_text_schema(out, f->grammar, f->max);
		break;
	case VOCAB_ADDR:
		(void)buf_str(out, "\"type\":\"string\",\"pattern\":\"^[0-9a-f.:]+$\",\"maxLength\":45");
		break;
	case VOCAB_ENDPOINT:
		(void)buf_str(out, "\"type\":\"string\",\"maxLength\":55,\"pattern\":"
		                   "\"^(?:[0-9.]+|\\\\[[0-9a-f.:]+\\\\]):[0-9]{1,5}$\"");
		break;
	case VOCAB_MAC:
		(void)buf_str(out, "\"type\":\"string\",\"pattern\":\"^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$\"");
		break;
	case VOCAB_CONTEXTS:
		(void)buf_str(out, "\"type\":\"array\",\"maxItems\":128,\"items\":{\"type\":\"object\","
		                   "\"additionalProperties\":false,\"required\":[\"id\",\"transfer_syntaxes\"],"
		                   "\"properties\":{\"id\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":255},"
		                   "\"abstract_syntax\":{");
		put_text_schema(out, VOCAB_G_UID, 64);
		(void)buf_str(out, "},\"transfer_syntaxes\":{\"type\":\"array\",\"items\":{");
		put_text_schema(out, VOCAB_G_UID, 64);
		(void)buf_str(out, "}},\"result\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":254}}}");
		break;
	}
	(void)json_key(out, "description");
	(void)json_str(out, f->doc);
	(void)buf_u8(out, '}');
}

int vocab_schema(const struct vocab *v, struct buf *out)
{
	size_t mark = out->len;
	if (out->full)
		return -ENOBUFS;
	(void)buf_str(out, "{\n\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n\"title\":\"Spanward ");
	(void)buf_str(out, v->name);
	(void)buf_printf(out, "\",\n\"$comment\":\"generated from core/%s.def\",\n\"type\":\"object\",\n", v->name);
	(void)buf_str(out, "\"required\":[\"type\"],\n\"oneOf\":[\n");
	for (size_t i = 0; i < v->n_types; i++) {
		const struct vocab_type *t = &v->types[i];
		(void)buf_str(out, i ? ",\n{\"title\":" : "{\"title\":");
		(void)json_str(out, t->name);
		(void)json_key(out, "description");
		(void)json_str(out, t->doc);
		(void)buf_str(out, ",\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"type\"],"
		                   "\"properties\":{\n \"type\":{\"const\":");
		(void)json_str(out, t->name);
		(void)buf_u8(out, '}');
		/* In the order of the table, which is that of the JSON form, not in the order of the type. */
		for (size_t f = 0; f < v->n_fields; f++) {
			if (!memchr(t->fields, (int)f, t->n_fields))
				continue;
			(void)buf_str(out, ",\n ");
			(void)json_str(out, v->fields[f].name);
			(void)buf_str(out, ":{\"$ref\":\"#/$defs/");
			(void)buf_str(out, v->fields[f].name);
			(void)buf_str(out, "\"}");
		}
		(void)buf_str(out, "}}");
	}
	(void)buf_str(out, "\n],\n\"$defs\":{\n");
	for (size_t f = 0; f < v->n_fields; f++) {
		(void)buf_str(out, f ? ",\n " : " ");
		(void)json_str(out, v->fields[f].name);
		(void)buf_u8(out, ':');
		put_field_schema(out, &v->fields[f]);
	}
	(void)buf_str(out, "\n}\n}\n");
	return finish(out, mark);
}

static const char *const kind_words[] = {
	[VOCAB_UINT] = "number", [VOCAB_HEX16] = "`0x0000`", [VOCAB_TIME] = "time", [VOCAB_BOOL] = "true or false",
	[VOCAB_WORD] = "word", [VOCAB_TEXT] = "text", [VOCAB_ADDR] = "address", [VOCAB_ENDPOINT] = "address and port",
	[VOCAB_MAC] = "hardware address", [VOCAB_CONTEXTS] = "presentation contexts",
};

static void put_markdown(struct buf *out, const char *s)
{
	for (; *s; s++) {
		/* A bar ends a cell, also inside code (GFM, 4.10). */
		if (*s == '|')
			(void)buf_u8(out, '\\');
		(void)buf_u8(out, (uint8_t)*s);
	}
}

static void put_admits(struct buf *out, const struct vocab_field *f)
{
	if (f->kind == VOCAB_WORD) {
		for (const char *const *w = f->words; *w; w++) {
			(void)buf_str(out, w == f->words ? "`" : ", `");
			put_markdown(out, *w);
			(void)buf_u8(out, '`');
		}
	} else if (f->kind == VOCAB_TEXT && f->grammar == VOCAB_G_NAME) {
		(void)buf_printf(out, "UTF-8 without control characters, up to %u bytes", f->max);
	} else if (f->kind == VOCAB_TEXT) {
		(void)buf_u8(out, '`');
		put_markdown(out, patterns[f->grammar]);
		(void)buf_printf(out, "`, up to %u bytes", f->max);
	}
}

int vocab_catalogue(const struct vocab *v, struct buf *out)
{
	size_t mark = out->len;
	if (out->full)
		return -ENOBUFS;
	(void)buf_str(out, "### Types\n\n| type | meaning | fields |\n|---|---|---|\n");
	for (size_t i = 0; i < v->n_types; i++) {
		const struct vocab_type *t = &v->types[i];
		const char *between = "";
		(void)buf_printf(out, "| `%s` | ", t->name);
		put_markdown(out, t->doc);
		(void)buf_str(out, " | ");
		for (size_t f = 0; f < v->n_fields; f++) {
			if (!memchr(t->fields, (int)f, t->n_fields))
				continue;
			(void)buf_printf(out, "%s`%s`", between, v->fields[f].name);
			between = ", ";
		}
		(void)buf_str(out, " |\n");
	}
	(void)buf_str(out, "\n### Fields\n\nThe key is the number in the MessagePack form (0 is the type).\n\n"
	                   "| key | field | kind | admits | leaves as | meaning |\n|---|---|---|---|---|---|\n");
	for (size_t f = 0; f < v->n_fields; f++) {
		const struct vocab_field *x = &v->fields[f];
		(void)buf_printf(out, "| %zu | `%s` | %s | ", f + 1, x->name, kind_words[x->kind]);
		put_admits(out, x);
		(void)buf_printf(out, " | %s | ", x->privacy == VOCAB_TOKEN ? "keyed token" : "it is");
		put_markdown(out, x->doc);
		(void)buf_str(out, " |\n");
	}
	return finish(out, mark);
}
