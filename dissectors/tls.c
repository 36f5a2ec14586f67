/* tls.c -- is this TLS? No more: that what is declared as encrypted is, and which side called. RFC 8446, 5.1 and 4;
 * RFC 5246, 6.2.1 and 7.4. Record and handshake headers look the same from SSL 3.0 to TLS 1.3.
 */
#include "dissectors/dissector.h"

enum {
	HANDSHAKE = 22, APPLICATION = 23,
	CLIENT_HELLO = 1, SERVER_HELLO = 2,
	/* Greatest TLSCiphertext fragment: 2^14 + 2048 in TLS 1.2 (RFC 5246, 6.2.3). */
	MAX_RECORD = (1 << 14) + 2048,
	RECORD_HEADER = 5,
	HELLO_BYTES = 11,       /* record header, handshake header, version */
};

struct state { uint8_t looked[2]; };

/* Bytes of one record with its header, 0 when it cannot be one; `type` its content type. */
static size_t record(struct cursor *c, int *ret_type)
{
	int type = cursor_u8(c);
	int major = cursor_u8(c), minor = cursor_u8(c);
	size_t n = cursor_u16be(c);
	if (!cursor_ok(c) || type < 20 /* change_cipher_spec */ || type > APPLICATION || major != 3 || minor > 4 || !n || n > MAX_RECORD)
		return 0;
	*ret_type = type;
	return n;
}

static enum dissect_guess probe_hello(struct span head)
{
	static const struct { uint8_t lo, hi; } want[HELLO_BYTES] = {
		{ HANDSHAKE, HANDSHAKE }, { 3, 3 }, { 0, 4 }, { 0, MAX_RECORD >> 8 }, { 0, 255 },
		{ CLIENT_HELLO, SERVER_HELLO }, { 0, 0 }, { 0, 255 }, { 0, 255 }, { 3, 3 }, { 0, 4 },
	};
	size_t n = head.n < HELLO_BYTES ? head.n : HELLO_BYTES;
	for (size_t i = 0; i < n; i++)
		if (head.p[i] < want[i].lo || head.p[i] > want[i].hi)
			return DISSECT_NO;
	return n == HELLO_BYTES ? DISSECT_YES : DISSECT_MAYBE;
}

/* Where capture began at a record: two record headers that chain, the first of application data. */
static enum dissect_guess probe_middle(struct span head)
{
	struct cursor c = cursor_from(head);
	int type = 0;
	if (head.n < RECORD_HEADER)
		return head.n && head.p[0] != APPLICATION ? DISSECT_NO : DISSECT_MAYBE;
	size_t n = record(&c, &type);
	if (!n || type != APPLICATION)
		return DISSECT_NO;
	cursor_skip(&c, n);
	if (cursor_left(&c) < RECORD_HEADER)
		return DISSECT_MAYBE;
	return record(&c, &type) ? DISSECT_YES : DISSECT_NO;
}

static enum dissect_guess probe(struct span head, bool midstream)
{
	enum dissect_guess g = probe_hello(head);
	return g == DISSECT_NO && midstream ? probe_middle(head) : g;
}

static struct dissect_result parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	struct state *st = state;
	if (!st->looked[ctx->dir]) {
		if (in.n < RECORD_HEADER + 1)
			return (struct dissect_result){ .status = DISSECT_MORE, .need = RECORD_HEADER + 1 };
		st->looked[ctx->dir] = 1;
		struct cursor c = cursor_from(in);
		int type = 0;
		if (record(&c, &type) && type == HANDSHAKE && ctx->client == DISSECT_CLIENT_UNKNOWN) {
			int hello = cursor_u8(&c);
			if (hello == CLIENT_HELLO)
				ctx->client = (int)ctx->dir;
			else if (hello == SERVER_HELLO)
				ctx->client = (int)!ctx->dir;
		}
	}
	/* What is inside is nobody's to read. */
	return (struct dissect_result){ .status = DISSECT_OK, .consumed = in.n };
}

static enum dissect_status gap(void *state, uint64_t n, struct dissect_ctx *ctx)
{
	struct state *st = state;
	(void)n;
	st->looked[ctx->dir] = 1;
	return DISSECT_OK;
}

const struct dissector tls_dissector = {
	.name = "tls",
	.transports = DISSECT_TCP,
	.ports = { 443, 2762, 8443, 6514, 636 },
	.state_size = sizeof(struct state),
	.max_message = RECORD_HEADER + 1,
	.probe = probe,
	.parse = parse,
	.gap = gap,
};
