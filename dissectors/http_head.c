/* http_head.c -- start lines and header fields (RFC 9112, 2 to 6; RFC 9110). */
#include <string.h>
#include <strings.h>

#include "core/bytes.h"
#include "dissectors/http.h"

enum { MAX_FIELDS = 128 };

static const struct {
	const char *name;
	uint8_t n, method;
} methods[] = {
#define M(name, method) { name, sizeof(name) - 1, OBSERVATION_HTTP_##method }
	M("GET", GET), M("HEAD", HEAD), M("POST", POST), M("PUT", PUT), M("DELETE", DELETE), M("OPTIONS", OPTIONS),
	M("PATCH", PATCH), M("TRACE", TRACE), M("CONNECT", CONNECT),
	/* WebDAV, RFC 4918 */
	M("PROPFIND", OTHER), M("PROPPATCH", OTHER), M("MKCOL", OTHER), M("COPY", OTHER), M("MOVE", OTHER), M("LOCK", OTHER),
	M("UNLOCK", OTHER), M("REPORT", OTHER), M("SEARCH", OTHER),
#undef M
};
enum { METHODS = sizeof(methods) / sizeof(methods[0]), METHOD_MAX = 9 };

static enum dissect_guess begins(struct span s, const char *text, size_t n)
{
	size_t have = s.n < n ? s.n : n;
	if (have && (s.p[0] != (uint8_t)text[0] || memcmp(s.p, text, have) != 0))
		return DISSECT_NO;
	return have == n ? DISSECT_YES : DISSECT_MAYBE;
}

static bool alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

enum dissect_guess http_head_begins(struct span s)
{
	enum dissect_guess best = begins(s, "HTTP/1.", 7);
	for (size_t i = 0; i < METHODS && best != DISSECT_YES; i++) {
		size_t n = methods[i].n;
		enum dissect_guess g = begins(s, methods[i].name, n);
		if (g == DISSECT_YES && s.n > n) {
			if (s.p[n] != ' ')
				continue;
			if (s.n == n + 1)
				return DISSECT_MAYBE;
			uint8_t c = s.p[n + 1];
			return c == '/' || c == '*' || c == '[' || alphanumeric(c) ? DISSECT_YES : DISSECT_NO;
		}
		if (g != DISSECT_NO)
			best = DISSECT_MAYBE;
	}
	return best;
}

/* Line by line; LF alone ends one too (RFC 9112, 2.2). */
static struct span next_line(struct cursor *c)
{
	struct span line = cursor_until(c, '\n');
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static struct span trim(struct span s)  /* optional white space: blanks and tabs */
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_from(s, 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static inline bool starts_with(struct span s, const char *text, size_t n)
{
	return s.n >= n && !strncasecmp((const char *)s.p, text, n);
}

static inline bool is_text(struct span s, const char *text, size_t n)
{
	return s.n == n && !strncasecmp((const char *)s.p, text, n);
}

/* Of literals, whose length is known. */
#define starts(s, text) starts_with(s, text, sizeof(text) - 1)
#define is(s, text) is_text(s, text, sizeof(text) - 1)

/* `text` begins with a small letter. */
static bool contains(struct span s, const char *text)
{
	size_t n = strlen(text);
	for (size_t i = 0; i + n <= s.n; i++)
		if ((s.p[i] | 0x20) == text[0] && starts_with(span_from(s, i), text, n))
			return true;
	return false;
}

/* The bytes before the first `stop`, or before a NUL, which no line of HTTP has. */
static inline struct span upto(struct span s, uint8_t stop)
{
	size_t n = 0;
	for (; s.n - n >= 8; n += 8) {
		uint64_t v = bytes_load(s.p + n), found = bytes_equal(v, stop) | bytes_equal(v, 0);
		if (found)
			return (struct span){ s.p, n + bytes_first(found) };
	}
	while (n < s.n && s.p[n] != stop && s.p[n])
		n++;
	return (struct span){ s.p, n };
}

/* The same for white space and a comma. */
static struct span word(struct span s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] && s.p[n] != ' ' && s.p[n] != '\t' && s.p[n] != ',')
		n++;
	return (struct span){ s.p, n };
}

static bool request_line(struct span line, struct http_head *h)
{
	struct span method = upto(line, ' ');
	if (method.n > METHOD_MAX)
		return false;
	for (size_t i = 0; i < METHODS; i++)
		if (method.n == methods[i].n && !memcmp(method.p, methods[i].name, method.n)) {
			h->method = methods[i].method;
			struct span rest = span_from(line, method.n + 1);
			h->target = upto(rest, ' ');
			struct span version = span_from(rest, h->target.n + 1);
			if (!h->target.n || version.n != 8 || begins(version, "HTTP/1.", 7) != DISSECT_YES || version.p[7] < '0' ||
			    version.p[7] > '9')
				return false;
			h->minor = (uint8_t)(version.p[7] - '0');
			return h->request = true;
		}
	return false;
}

static bool status_line(struct span line, struct http_head *h)
{
	if (line.n < 12 || begins(line, "HTTP/1.", 7) != DISSECT_YES || line.p[8] != ' ')
		return false;
	h->minor = (uint8_t)(line.p[7] - '0');
	for (int i = 9; i < 12; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return false;
		h->status = (uint16_t)(h->status * 10 + line.p[i] - '0');
	}
	return h->minor <= 9 && h->status >= 100 && (line.n == 12 || line.p[12] == ' ');
}

static uint8_t scheme(struct span value)        /* IANA, HTTP Authentication Schemes */
{
	struct span name = word(value);
	if (is(name, "Basic"))
		return OBSERVATION_HTTP_AUTH_BASIC;
	if (is(name, "Bearer"))
		return OBSERVATION_HTTP_AUTH_BEARER;
	if (is(name, "Digest"))
		return OBSERVATION_HTTP_AUTH_DIGEST;
	if (is(name, "Negotiate"))
		return OBSERVATION_HTTP_AUTH_NEGOTIATE;
	if (is(name, "NTLM"))
		return OBSERVATION_HTTP_AUTH_NTLM;
	return OBSERVATION_HTTP_AUTH_OTHER;
}

/* The value of a parameter of a media type (RFC 9110, 5.6.6), without its quotes. */
#define parameter(value, name) parameter_of(value, name, sizeof(name) - 1)
static struct span parameter_of(struct span value, const char *name, size_t n)
{
	while (value.n) {
		struct span one = upto(value, ';');
		value = span_from(value, one.n + 1);
		one = trim(one);
		if (!starts_with(one, name, n) || one.n <= n || one.p[n] != '=')
			continue;
		one = span_from(one, n + 1);
		if (one.n > 1 && one.p[0] == '"')
			one = upto(span_from(one, 1), '"');
		return one;
	}
	return (struct span){ 0 };
}

static void content_type(struct span value, struct http_head *h)
{
	h->content_type = trim(upto(value, ';'));
	if (starts(h->content_type, "multipart/"))
		h->boundary = parameter(value, "boundary");
	h->fhir_version = parameter(value, "fhirVersion");
	if (!h->action.n)
		h->action = parameter(value, "action");         /* SOAP 1.2 (RFC 3902) */
}

static void content_length(struct span value, struct http_head *h)
{
	uint64_t v = 0;
	h->broken |= !value.n || value.n > 18;
	for (size_t i = 0; i < value.n && !h->broken; i++) {
		h->broken = value.p[i] < '0' || value.p[i] > '9';
		v = v * 10 + (uint64_t)(value.p[i] - '0');
	}
	h->ambiguous |= h->has_length && v != h->length;
	h->has_length = true;
	h->length = v;
}

static void field(struct span name, struct span value, struct http_head *h)
{
	if (is(name, "Host"))
		h->host = upto(value, ':');
	else if (is(name, "User-Agent"))
		h->agent = value;
	else if (is(name, "Server"))
		h->server = value;
	else if (is(name, "Content-Type"))
		content_type(value, h);
	else if (is(name, "Content-Length"))
		content_length(value, h);
	else if (is(name, "Transfer-Encoding")) {
		/* Chunked is the last coding when there are several (RFC 9112, 6.1). */
		struct span last = value;
		for (struct span t = upto(last, ','); t.n < last.n; t = upto(last, ','))
			last = span_from(last, t.n + 1);
		h->chunked = is(trim(last), "chunked");
		h->coded = !is(value, "chunked");
		h->ambiguous |= !h->chunked;
	} else if (is(name, "Content-Encoding")) {
		h->gzip = is(value, "gzip") || is(value, "x-gzip");
		h->coded |= !h->gzip && !is(value, "identity");
	} else if (is(name, "Authorization"))
		h->authentication = scheme(value);
	else if (is(name, "WWW-Authenticate"))
		h->challenge = scheme(value);
	else if (is(name, "Upgrade"))
		h->upgrade = value;
	else if (is(name, "SOAPAction"))
		h->action = value.n > 1 && value.p[0] == '"' ? upto(span_from(value, 1), '"') : value;
	if (is(name, "Content-Type") || is(name, "Accept")) {
		h->fhir_type |= contains(value, "fhir+");
		h->dicom_type |= contains(value, "application/dicom");
	}
}

bool http_head_parse(struct span head, struct http_head *ret)
{
	*ret = (struct http_head){ .minor = 0 };
	struct cursor c = cursor_from(head);
	struct span line = next_line(&c);
	if (!request_line(line, ret) && !status_line(line, ret))
		return false;
	for (int i = 0; i < MAX_FIELDS && cursor_left(&c); i++) {
		line = next_line(&c);
		struct span name = upto(line, ':');
		/* A folded line goes on with the field before it: obsolete, and in none that we read (RFC 9112, 5.2). */
		if (name.n == line.n || !name.n || name.p[0] == ' ' || name.p[0] == '\t')
			continue;
		field(name, trim(span_from(line, name.n + 1)), ret);
	}
	/* A message with both may be an attempt to smuggle another one (RFC 9112, 6.1): chunked counts. */
	ret->ambiguous |= ret->chunked && ret->has_length;
	return true;
}
