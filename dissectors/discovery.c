/* discovery.c -- how devices announce themselves on a link: SSDP (UPnP Device Architecture 1.1, 1.2 and 1.3) and
 * WS-Discovery (OASIS wsdd 1.1), which printers, cameras and the medical devices of IEEE 11073-20702 speak. The kind of
 * device and the software are told; unique names, addresses of descriptions and scopes (they may hold places) are not. */
#include <string.h>

#include "dissectors/plain.h"

static void emit(struct dissect_ctx *ctx, const char *operation, struct span kind, struct span product)
{
	struct observation o = { .head.type = OBSERVATION_DEVICE_ANNOUNCED };
	observation_text(&o, OBSERVATION_F_operation, span_str(operation));
	if (kind.n)
		(void)plain_text(&o, OBSERVATION_F_device_kind, kind);
	if (product.n)
		(void)plain_text(&o, OBSERVATION_F_product, product);
	ctx->emit(ctx->arg, &o);
}

/* ---- SSDP ---- */

static const char *ssdp_operation(struct span d)
{
	static const struct { const char *begins, *operation; } starts[] = {
		{ "M-SEARCH * HTTP/1.1\r\n", "search" }, { "NOTIFY * HTTP/1.1\r\n", "notify" }, { "HTTP/1.1 200 OK\r\n", "found" },
	};
	struct span unused;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (plain_begins(d, starts[i].begins) == DISSECT_YES)
			/* Over UDP a bare HTTP response is SSDP when it says what was searched for. */
			return i < 2 || plain_header(d, "st:", &unused) ? starts[i].operation : NULL;
	return NULL;
}

static bool is_ssdp(struct span d) { return ssdp_operation(d) != NULL; }

static enum dissect_status ssdp(void *state, struct span d, struct dissect_ctx *ctx)
{
	const char *operation = ssdp_operation(d);
	struct span kind = { 0 }, product = { 0 };
	(void)state;
	if (!operation)
		return DISSECT_BAD;
	(void)(plain_header(d, "nt:", &kind) || plain_header(d, "st:", &kind));
	/* Kinds that the UPnP Forum defined (1.2.2, 1.3.2). A uuid holds a unit's number, anything else what somebody wrote. */
	if (plain_find(kind, "urn:schemas-upnp-org:") != 0 && !span_eq(kind, span_str("ssdp:all")) &&
	    !span_eq(kind, span_str("upnp:rootdevice")))
		kind.n = 0;
	(void)(plain_header(d, "server:", &product) || plain_header(d, "user-agent:", &product));
	plain_from(ctx, strcmp(operation, "found") != 0);
	emit(ctx, operation, kind, product);
	return DISSECT_DONE;
}

const struct dissector ssdp_dissector = {
	.name = "ssdp",
	.transports = DISSECT_UDP,
	.ports = { 1900 },
	.is_datagram = is_ssdp,
	.datagram = ssdp,
};

/* ---- WS-Discovery ---- */

static bool is_wsd(struct span d)
{
	if (!d.n || d.p[0] != '<')
		return false;
	return plain_has(d, "xmlsoap.org/ws/2005/04/discovery") || plain_has(d, "docs.oasis-open.org/ws-dd/ns/discovery");
}

static enum dissect_status wsd(void *state, struct span d, struct dissect_ctx *ctx)
{
	/* The last part of the action (OASIS wsdd 1.1, 4 and 5); the longer names first. */
	static const char *const operations[] = { "ProbeMatches", "ResolveMatches", "Probe", "Resolve", "Hello", "Bye" };
	static const char *const searched[] = { "/probematches<", "/resolvematches<", "/probe<", "/resolve<", "/hello<", "/bye<" };
	(void)state;
	if (!is_wsd(d))
		return DISSECT_BAD;
	const char *operation = "other";
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (plain_has(d, searched[i])) {
			operation = operations[i];
			break;
		}
	/* <wsd:Types>wsdp:Device wprt:PrintDeviceType</wsd:Types>, with attributes perhaps: the last name is the most special. */
	struct span kind = { 0 };
	size_t at = plain_find(d, ":types");
	if (at != SIZE_MAX) {
		struct span rest = span_from(d, at);
		const uint8_t *gt = memchr(rest.p, '>', rest.n);
		rest = gt ? span_from(rest, (size_t)(gt - rest.p) + 1) : (struct span){ 0 };
		const uint8_t *end = rest.n ? memchr(rest.p, '<', rest.n) : NULL;
		kind = end ? span_trim((struct span){ rest.p, (size_t)(end - rest.p) }) : (struct span){ 0 };
		for (size_t i = kind.n; i-- > 0;)
			if (kind.p[i] <= ' ') {
				kind = span_from(kind, i + 1);
				break;
			}
	}
	/* Hello and Bye come unasked from the device; of the others the probing side is the client. */
	plain_from(ctx, operation != operations[0] && operation != operations[1]);
	emit(ctx, operation, kind, (struct span){ 0 });
	return DISSECT_DONE;
}

const struct dissector wsd_dissector = {
	.name = "ws-discovery",
	.transports = DISSECT_UDP,
	.ports = { 3702 },
	.is_datagram = is_wsd,
	.datagram = wsd,
};
