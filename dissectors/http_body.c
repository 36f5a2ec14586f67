/* http_body.c -- the first bytes of what is carried: files with a preamble that is another file (CVE-2019-11687), in bodies and in
 * the parts of multipart/related (PS3.18, 8.7.1); root elements of HL7 v3. Parts are counted.
 *
 * Content comes cut anywhere: what is decided depends on its bytes alone. Nothing is held but the first HTTP_PEEK bytes.
 */
#include <string.h>

#include "core/inflate.h"
#include "dissectors/http.h"

enum {
	BODY,                   /* not multipart: first bytes, then nothing of interest */
	PREAMBLE,               /* multipart: before or between the delimiters */
	LINE,                   /* behind a delimiter, up to the end of its line */
	HEADERS,                /* of a part */
	PART,                   /* its content */
	CLOSED,                 /* behind the last delimiter */
};

enum { PREAMBLE_BYTES = 128, INFLATED = 2048 };

void http_body_begin(struct http_body *b, const struct http_head *h)
{
	*b = (struct http_body){ .gzip = h->gzip, .open = true };
	if (!h->boundary.n || h->boundary.n > HTTP_BOUNDARY || h->coded || h->gzip)
		return;
	memcpy(b->boundary, h->boundary.p, h->boundary.n);
	b->boundary_n = (uint8_t)h->boundary.n;
	b->where = PREAMBLE;
	b->matched = 2;                 /* the first delimiter needs no line end before it (RFC 2046, 5.1.1) */
}

static bool begins(struct span s, const char *bytes, size_t n) { return s.n >= n && !memcmp(s.p, bytes, n); }

/* PS3.10, 7.1: 128 bytes that an application may use, then DICM. A TIFF there is meant (dual personality of slides). */
static bool preamble(struct span s, unsigned *ret)
{
	static const struct {
		const char *bytes;
		uint8_t n, word;
	} kinds[] = {
		{ "MZ", 2, OBSERVATION_PREAMBLE_MZ }, { "\x7f" "ELF", 4, OBSERVATION_PREAMBLE_ELF },
		{ "\xfe\xed\xfa\xce", 4, OBSERVATION_PREAMBLE_MACHO }, { "\xfe\xed\xfa\xcf", 4, OBSERVATION_PREAMBLE_MACHO },
		{ "\xce\xfa\xed\xfe", 4, OBSERVATION_PREAMBLE_MACHO }, { "\xcf\xfa\xed\xfe", 4, OBSERVATION_PREAMBLE_MACHO },
		{ "\xca\xfe\xba\xbe", 4, OBSERVATION_PREAMBLE_MACHO }, { "#!", 2, OBSERVATION_PREAMBLE_SCRIPT },
		{ "<?php", 5, OBSERVATION_PREAMBLE_SCRIPT }, { "<script", 7, OBSERVATION_PREAMBLE_SCRIPT },
		{ "<html", 5, OBSERVATION_PREAMBLE_SCRIPT }, { "<!DOCTYPE", 9, OBSERVATION_PREAMBLE_SCRIPT },
		{ "@echo off", 9, OBSERVATION_PREAMBLE_SCRIPT }, { "%PDF-", 5, OBSERVATION_PREAMBLE_PDF },
		{ "PK\3\4", 4, OBSERVATION_PREAMBLE_ZIP }, { "Rar!", 4, OBSERVATION_PREAMBLE_ZIP },
	};
	if (!begins(span_from(s, PREAMBLE_BYTES), "DICM", 4))
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (begins(s, kinds[i].bytes, kinds[i].n)) {
			*ret = kinds[i].word;
			return true;
		}
	return false;
}

static size_t find(struct span s, const char *text)
{
	size_t n = strlen(text);
	for (size_t i = 0; i + n <= s.n; i++)
		if (!memcmp(s.p + i, text, n))
			return i;
	return s.n;
}

static bool name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

static struct span name_of(struct span *rest)
{
	struct span name = { rest->p, 0 };
	while (name.n < rest->n && name_byte(rest->p[name.n]))
		name.n++;
	*rest = span_from(*rest, name.n);
	return name;
}

/* The name of the next element, without its prefix; *rest behind it. Prolog, comments and declarations are passed over. */
static struct span element(struct span *rest)
{
	for (;;) {
		while (rest->n && (rest->p[0] <= ' ' || rest->p[0] >= 0x80))    /* blanks, and a byte order mark */
			*rest = span_from(*rest, 1);
		if (!rest->n || rest->p[0] != '<')
			return (struct span){ 0 };
		if (rest->n > 1 && rest->p[1] != '?' && rest->p[1] != '!')
			break;
		const char *end = begins(*rest, "<!--", 4) ? "-->" : begins(*rest, "<?", 2) ? "?>" : ">";
		*rest = span_from(*rest, find(*rest, end) + strlen(end));
	}
	*rest = span_from(*rest, 1);
	struct span name = name_of(rest);
	if (rest->n && rest->p[0] == ':') {
		*rest = span_from(*rest, 1);
		name = name_of(rest);
	}
	return rest->n ? name : (struct span){ 0 };     /* cut: it may go on */
}

/* HL7 v3 interactions are named PRPA_IN201305UV02: domain, IN, number, realm, version (HL7 v3, Artifact Identification). */
static bool interaction(struct span s)
{
	if (s.n < 13 || s.n > 20 || s.p[4] != '_' || s.p[5] != 'I' || s.p[6] != 'N')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9', upper = s.p[i] >= 'A' && s.p[i] <= 'Z';
		if (i == 4 ? false : i > 6 && i < 13 ? !digit : !digit && !upper)
			return false;
	}
	return true;
}

static void look(struct http_body *b, struct dissect_ctx *ctx)
{
	uint8_t inflated[INFLATED];
	struct span s = { b->peek, b->peek_n };
	struct buf out = buf_over(inflated, sizeof(inflated));
	if (b->looked)
		return;
	b->looked = true;
	if (b->gzip) {
		/* RFC 1952, 2.3: the header; its optional fields are rare in HTTP. */
		if (!begins(s, "\x1f\x8b\x08\0", 4))
			return;
		(void)inflate_raw(span_from(s, 10), &out);
		s = buf_span(&out);
	}
	unsigned kind;
	if (preamble(s, &kind)) {
		http_say_preamble(kind, ctx);
		return;
	}
	struct span rest = s, root = element(&rest);
	if (span_eq(root, span_str("ClinicalDocument")) || interaction(root))
		http_say_hl7v3(root, ctx);
}

static void peek(struct http_body *b, struct span in, struct dissect_ctx *ctx)
{
	size_t n = HTTP_PEEK - b->peek_n;
	if (b->looked)
		return;
	n = in.n < n ? in.n : n;
	if (n)
		memcpy(b->peek + b->peek_n, in.p, n);
	b->peek_n = (uint8_t)(b->peek_n + n);
	if (b->peek_n == HTTP_PEEK)
		look(b, ctx);
}

/* The byte at place `i` of the delimiter: CR, LF, two hyphens, the boundary. */
static uint8_t delimiter(const struct http_body *b, size_t i)
{
	static const char lead[] = "\r\n--";
	return i < 4 ? (uint8_t)lead[i] : b->boundary[i - 4];
}

/* Content of a part, or what stands before the first, up to the delimiter. What looked like the beginning of one and was not is
 * content: it is the delimiter's own bytes. */
static size_t to_delimiter(struct http_body *b, struct span in, struct dissect_ctx *ctx)
{
	size_t i = 0;
	while (i < in.n) {
		if (!b->matched) {
			const uint8_t *cr = memchr(in.p + i, '\r', in.n - i);
			size_t n = cr ? (size_t)(cr - in.p) - i : in.n - i;
			if (b->where == PART)
				peek(b, (struct span){ in.p + i, n }, ctx);
			i += n;
			if (i == in.n)
				break;
		}
		if (in.p[i] == delimiter(b, b->matched)) {
			i++;
			if (++b->matched == 4 + b->boundary_n) {
				if (b->where == PART)
					look(b, ctx);
				b->matched = 0;
				b->where = LINE;
				return i;
			}
			continue;
		}
		uint8_t back[4 + HTTP_BOUNDARY];
		for (size_t k = 0; k < b->matched; k++)
			back[k] = delimiter(b, k);
		if (b->where == PART)
			peek(b, (struct span){ back, b->matched }, ctx);
		b->matched = 0;         /* no CR inside a boundary: nothing of it begins another */
	}
	return i;
}

/* Behind a delimiter: two hyphens close; else the part's headers begin behind the line, and end with an empty one. */
static size_t to_part(struct http_body *b, struct span in)
{
	static const char empty[] = "\r\n\r\n";
	size_t i = 0;
	while (i < in.n && b->where != PART && b->where != CLOSED) {
		uint8_t c = in.p[i++];
		if (b->where == LINE) {
			if (c == '-' && b->matched < 2) {
				if (++b->matched == 2)
					b->where = CLOSED;
			} else if (c == '\n') {
				b->where = HEADERS;
				b->matched = 2;
			}
			continue;
		}
		b->matched = c == (uint8_t)empty[b->matched] ? b->matched + 1 : c == '\r';
		if (b->matched == 4) {
			b->where = PART;
			b->parts = (uint16_t)(b->parts + (b->parts < UINT16_MAX));
			b->matched = 0;
			b->peek_n = 0;
			b->looked = false;
		}
	}
	return i;
}

bool http_body_content(struct http_body *b, struct span in, struct dissect_ctx *ctx)
{
	if (!b->open)
		return false;
	if (!b->boundary_n) {
		peek(b, in, ctx);
		return !b->looked;
	}
	while (in.n && b->where != CLOSED) {
		bool between = b->where == PREAMBLE || b->where == PART;
		in = span_from(in, between ? to_delimiter(b, in, ctx) : to_part(b, in));
	}
	return b->where != CLOSED;
}

void http_body_end(struct http_body *b, struct dissect_ctx *ctx)
{
	if (b->open && b->peek_n && (b->where == BODY || b->where == PART))
		look(b, ctx);
	b->open = false;
}

void http_body_lost(struct http_body *b)
{
	b->looked = true;
	b->matched = 0;
	if (b->boundary_n)
		b->where = PREAMBLE;
}
