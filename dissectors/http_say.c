/* http_say.c -- what is said of requests, answers and what they carry. */
#include <string.h>

#include "dissectors/http.h"

static bool token_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' ||
	       c == '+';
}

/* RFC 9110, 10.1.5: product/version tokens. Comments are free text and left out; so is a word without a version, but for the
 * first: it is the program's name. */
static void put_products(struct observation *o, enum observation_field f, struct span text, uint8_t room[HTTP_AGENT])
{
	struct buf b = buf_over(room, HTTP_AGENT);
	unsigned depth = 0;
	for (size_t i = 0, n = 0; i < text.n; i += n ? n : 1) {
		uint8_t c = text.p[i];
		n = 0;
		if (c == '(')
			depth++;
		else if (c == ')' && depth)
			depth--;
		if (depth || !token_byte(c))
			continue;
		bool version = false;
		while (i + n < text.n && (token_byte(text.p[i + n]) || (text.p[i + n] == '/' && n && !version))) {
			version |= text.p[i + n] == '/';
			n++;
		}
		bool alone = i + n == text.n || text.p[i + n] == ' ' || text.p[i + n] == ';' || text.p[i + n] == '(';
		if (!alone || (!version && b.len) || (b.len && b.len + 1 + n > b.cap) || n > b.cap)
			continue;
		(void)buf_str(&b, b.len ? " " : "");
		(void)buf_put(&b, text.p + i, n);
	}
	if (b.len)
		(void)observation_text(o, f, buf_span(&b));
}

static void put_version(struct observation *o, uint8_t minor, uint8_t room[3])
{
	room[0] = '1';
	room[1] = '.';
	room[2] = (uint8_t)('0' + minor);
	(void)observation_text(o, OBSERVATION_F_version, (struct span){ room, 3 });
}

static void put_text(struct observation *o, enum observation_field f, struct span text)
{
	if (text.n)
		(void)observation_text(o, f, text);
}

/* Names of SOAP actions that standards gave: IHE's and HL7's. Others may say anything. */
static bool known_action(struct span a)
{
	static const char *const roots[] = { "urn:ihe:", "urn:hl7-org:v3:" };
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (a.n > strlen(roots[i]) && !memcmp(a.p, roots[i], strlen(roots[i])))
			return true;
	return false;
}

void http_say_request(const struct http_head *h, const struct http_request *r, bool partial, struct dissect_ctx *ctx)
{
	struct observation o;
	observation_begin(&o, OBSERVATION_HTTP_REQUEST);
	uint8_t agent[HTTP_AGENT], version[3];
	observation_uint(&o, OBSERVATION_F_http_method, h->method);
	put_version(&o, h->minor, version);
	put_text(&o, OBSERVATION_F_http_host, h->host);
	put_products(&o, OBSERVATION_F_user_agent, h->agent, agent);
	observation_uint(&o, OBSERVATION_F_http_authentication, h->authentication);
	put_text(&o, OBSERVATION_F_content_type, h->content_type);
	observation_uint(&o, OBSERVATION_F_http_resource, r->resource);
	put_text(&o, OBSERVATION_F_http_upgrade, h->upgrade);
	if (known_action(h->action))
		put_text(&o, OBSERVATION_F_soap_action, h->action);
	if (h->ambiguous)
		observation_uint(&o, OBSERVATION_F_ambiguous_length, true);
	if (partial)
		observation_uint(&o, OBSERVATION_F_partial, true);
	ctx->emit(ctx->arg, &o);
}

void http_say_response(const struct http_head *h, const struct http_request *r, struct dissect_ctx *ctx)
{
	struct observation o;
	observation_begin(&o, OBSERVATION_HTTP_RESPONSE);
	uint8_t server[HTTP_AGENT], version[3];
	observation_uint(&o, OBSERVATION_F_http_status, h->status);
	put_version(&o, h->minor, version);
	put_products(&o, OBSERVATION_F_http_server, h->server, server);
	put_text(&o, OBSERVATION_F_content_type, h->content_type);
	if (h->challenge)
		observation_uint(&o, OBSERVATION_F_http_challenge, h->challenge);
	observation_uint(&o, OBSERVATION_F_paired, r->known);
	if (r->known) {
		observation_uint(&o, OBSERVATION_F_http_method, r->method);
		observation_uint(&o, OBSERVATION_F_http_resource, r->resource);
	}
	put_text(&o, OBSERVATION_F_http_upgrade, h->status == 101 ? h->upgrade : (struct span){ 0 });
	if (h->ambiguous)
		observation_uint(&o, OBSERVATION_F_ambiguous_length, true);
	ctx->emit(ctx->arg, &o);
}

void http_say_web(const struct http_request *r, uint16_t status, uint32_t parts, unsigned client, struct dissect_ctx *ctx)
{
	if (!r->known || r->web == HTTP_PLAIN)
		return;
	bool dicom = r->web == HTTP_DICOMWEB, narrow;
	uint8_t names[256];
	struct buf b = buf_over(names, sizeof(names));
	struct observation o;
	observation_begin(&o, dicom ? OBSERVATION_DICOMWEB_OPERATION : OBSERVATION_FHIR_INTERACTION);
	observation_uint(&o, OBSERVATION_F_http_method, r->method);
	observation_uint(&o, OBSERVATION_F_http_authentication, r->authentication);
	http_web_keys(r->keys, &b, &narrow);
	if (b.len)
		(void)observation_text(&o, OBSERVATION_F_match_keys, buf_span(&b));
	if (r->n_keys)
		observation_uint(&o, OBSERVATION_F_keys, r->n_keys);
	if (dicom) {
		observation_uint(&o, OBSERVATION_F_web_operation, r->operation);
		observation_uint(&o, OBSERVATION_F_query_level, r->level);
		/* A key that we do not know may narrow it. */
		if (r->operation == OBSERVATION_WEB_QIDO && !r->within && (narrow || r->n_keys == (uint16_t)__builtin_popcountll(r->keys)))
			observation_uint(&o, OBSERVATION_F_sweep, !narrow);
		if (parts || r->parts)
			observation_uint(&o, OBSERVATION_F_parts, r->parts ? r->parts : parts);
	} else {
		observation_uint(&o, OBSERVATION_F_fhir_interaction, r->operation);
		put_text(&o, OBSERVATION_F_fhir_type, http_web_type(r->type));
	}
	if (status)
		observation_uint(&o, OBSERVATION_F_http_status, status);
	unsigned dir = ctx->dir;
	ctx->dir = client;
	ctx->emit(ctx->arg, &o);
	ctx->dir = dir;
}

void http_say_preamble(unsigned preamble, struct dissect_ctx *ctx)
{
	struct observation o;
	observation_begin(&o, OBSERVATION_DICOM_PREAMBLE);
	observation_uint(&o, OBSERVATION_F_preamble, preamble);
	ctx->emit(ctx->arg, &o);
}

void http_say_hl7v3(struct span root, struct dissect_ctx *ctx)
{
	struct observation o;
	observation_begin(&o, OBSERVATION_HL7V3_DOCUMENT);
	(void)observation_text(&o, OBSERVATION_F_root_element, root);
	ctx->emit(ctx->arg, &o);
}
