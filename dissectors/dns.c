/* dns.c -- DNS over UDP and TCP (RFC 1035), multicast DNS (RFC 6762), LLMNR (RFC 4795) and the NetBIOS name service
 * (RFC 1002).
 *
 * What is admitted of names. A name that somebody looks up says what a person reads or whom he writes to, and a hospital's
 * own names can hold a patient's: no queried name leaves this file, only counts and the result. A host's own name is told
 * where the host announces it itself: the owner of an address record in an mDNS response ("ct-2.local"), the name that an
 * LLMNR responder answers for, the computer name that a NetBIOS node registers or answers for. Of NetBIOS names only the
 * kinds 00 and 20 are read, for kind 03 is that of the user who is logged in (MS-NBTE 2.2.1); group names are no hosts.
 */
#include <string.h>

#include "dissectors/plain.h"

enum {
	HEADER = 12, MAX_NAME = 255, MAX_LABEL = 63,
	TYPE_A = 1, TYPE_NB = 0x20, TYPE_AAAA = 28, CLASS_IN = 1, CLASS_UNIQUE = 0x8000,        /* RFC 6762 10.2 */
	OPCODE_REGISTER = 5, OPCODE_REFRESH = 8, OPCODE_REFRESH_TOO = 9,                        /* RFC 1002 4.2.1.1 */
	NETBIOS_NAME = 32, NETBIOS_GROUP = 0x8000,
	RECORDS = 32,                   /* read of one message: hosts announce few */
	TCP_HEAD = 2 + HEADER + 1, MAX_TCP = 2 + 65535,
};

struct header {
	uint16_t flags, questions, answers, authorities, additional;
};

static bool is_response(const struct header *h) { return h->flags & 0x8000; }
static unsigned opcode(const struct header *h) { return h->flags >> 11 & 15; }

static struct header read_header(struct cursor *c)
{
	struct header h;
	cursor_skip(c, 2);
	h.flags = cursor_u16be(c);
	h.questions = cursor_u16be(c);
	h.answers = cursor_u16be(c);
	h.authorities = cursor_u16be(c);
	h.additional = cursor_u16be(c);
	return h;
}

/* Passes one name; its first label, when that stands here and not behind a pointer (RFC 1035, 4.1.4). False: none. */
static bool read_name(struct cursor *c, struct span *ret_label, struct span *ret_next)
{
	size_t total = 0, labels = 0;
	*ret_label = *ret_next = (struct span){ 0 };
	for (;;) {
		uint8_t n = cursor_u8(c);
		if ((n & 0xc0) == 0xc0) {
			cursor_skip(c, 1);
			return cursor_ok(c);
		}
		total += n + 1u;
		if (!cursor_ok(c) || n > MAX_LABEL || total > MAX_NAME)
			return false;
		if (!n)
			return true;
		struct span label = cursor_take(c, n);
		if (labels == 0)
			*ret_label = label;
		else if (labels == 1)
			*ret_next = label;
		labels++;
	}
}

/* The name at `at`, one pointer followed: how writers compress the second record of a name. */
static bool name_at(struct span msg, struct cursor *c, struct span *ret_label, struct span *ret_next)
{
	struct cursor back = *c;
	uint8_t first = cursor_u8(&back);
	if ((first & 0xc0) != 0xc0)
		return read_name(c, ret_label, ret_next);
	size_t to = (size_t)(first & 0x3f) << 8 | cursor_u8(&back);
	cursor_skip(c, 2);
	struct cursor there = cursor_from(span_from(msg, to));
	return cursor_ok(c) && to < msg.n && read_name(&there, ret_label, ret_next);
}

struct record {
	struct span label, next;        /* of its name */
	uint16_t type, class;
	struct span data;
};

static bool read_record(struct span msg, struct cursor *c, struct record *r)
{
	if (!name_at(msg, c, &r->label, &r->next))
		return false;
	r->type = cursor_u16be(c);
	r->class = cursor_u16be(c);
	cursor_skip(c, 4);
	r->data = cursor_take(c, cursor_u16be(c));
	return cursor_ok(c);
}

static bool skip_questions(struct cursor *c, const struct header *h)
{
	struct span label, next;
	for (unsigned i = 0; i < h->questions; i++) {
		if (i == RECORDS || !read_name(c, &label, &next))
			return false;
		cursor_skip(c, 4);
	}
	return cursor_ok(c);
}

static bool set_address(struct observation *o, struct span data)
{
	struct addr a;
	if (data.n == 4)
		a = addr_from_v4(data.p);
	else if (data.n == 16)
		a = addr_from_v6(data.p);
	else
		return false;
	vocab_set_addr(&observation_vocab, &o->head, OBSERVATION_F_address, &a);
	return true;
}

static void claim(struct dissect_ctx *ctx, const char *operation, struct span name, struct span address)
{
	struct observation o = { .head.type = OBSERVATION_NAME_CLAIMED };
	if (!plain_text(&o, OBSERVATION_F_hostname, name))
		return;
	observation_text(&o, OBSERVATION_F_operation, span_str(operation));
	(void)set_address(&o, address);
	ctx->emit(ctx->arg, &o);
}

/* ---- DNS ---- */

/* One question of a class that exists, as every query and its response have; a server's NOTIFY and UPDATE too. */
static enum dissect_guess shape(struct span msg)
{
	struct cursor c = cursor_from(msg);
	struct span label, next;
	cursor_skip(&c, 2);
	struct header h = { .flags = cursor_u16be(&c) };
	if (cursor_ok(&c) && (opcode(&h) > 6 || h.flags & 0x0040))      /* RFC 1035 4.1.1: Z is zero */
		return DISSECT_NO;
	h.questions = cursor_u16be(&c);
	if (cursor_ok(&c) && h.questions != 1)
		return DISSECT_NO;
	cursor_skip(&c, 6);
	if (!cursor_ok(&c))
		return DISSECT_MAYBE;
	if (!read_name(&c, &label, &next))
		return c.failed ? DISSECT_MAYBE : DISSECT_NO;
	cursor_skip(&c, 2);
	uint16_t class = cursor_u16be(&c) & (uint16_t)~CLASS_UNIQUE;
	if (!cursor_ok(&c))
		return DISSECT_MAYBE;
	return class == CLASS_IN || class == 3 || class == 4 || class >= 254 ? DISSECT_YES : DISSECT_NO;
}

static bool is_dns(struct span datagram) { return shape(datagram) == DISSECT_YES; }

static enum dissect_status message(struct span msg, struct dissect_ctx *ctx)
{
	static const char *const operations[] = { "query", "iquery", "status", "reserved", "notify", "update", "dso" };
	struct cursor c = cursor_from(msg);
	struct header h = read_header(&c);
	if (!is_dns(msg))
		return DISSECT_BAD;
	plain_from(ctx, !is_response(&h));
	if (!is_response(&h))
		return DISSECT_OK;
	struct observation o = { .head.type = OBSERVATION_DNS_SEEN };
	observation_uint(&o, OBSERVATION_F_speaker, OBSERVATION_SERVER);
	observation_text(&o, OBSERVATION_F_operation, span_str(operations[opcode(&h)]));
	observation_uint(&o, OBSERVATION_F_code, h.flags & 15);
	observation_uint(&o, OBSERVATION_F_questions, h.questions);
	observation_uint(&o, OBSERVATION_F_answers, h.answers);
	ctx->emit(ctx->arg, &o);
	return DISSECT_DONE;
}

static enum dissect_status dns_datagram(void *state, struct span datagram, struct dissect_ctx *ctx)
{
	(void)state;
	return message(datagram, ctx);
}

/* RFC 1035 4.2.2: a length in two bytes goes before each message. */
static enum dissect_guess dns_probe(struct span head, bool midstream)
{
	struct cursor c = cursor_from(head);
	size_t n = cursor_u16be(&c);
	if (!cursor_ok(&c))
		return DISSECT_MAYBE;
	if (midstream || n < HEADER + 5)
		return DISSECT_NO;
	struct span msg = cursor_rest(&c);
	bool whole = msg.n >= n;
	if (whole)
		msg.n = n;
	enum dissect_guess g = shape(msg);
	return g == DISSECT_MAYBE && whole ? DISSECT_NO : g;
}

static struct dissect_result dns_parse(void *state, struct span in, struct dissect_ctx *ctx)
{
	(void)state;
	struct cursor c = cursor_from(in);
	size_t n = cursor_u16be(&c);
	if (!cursor_ok(&c))
		return plain_more(2);
	if (cursor_left(&c) < n)
		return plain_more(2 + n);
	enum dissect_status s = message(cursor_take(&c, n), ctx);
	return (struct dissect_result){ s, s == DISSECT_BAD ? 0 : 2 + n, 0 };
}

const struct dissector dns_dissector = {
	.name = "dns",
	.transports = DISSECT_TCP | DISSECT_UDP,
	.ports = { 53 },
	.max_message = MAX_TCP,
	.probe = dns_probe,
	.parse = dns_parse,
	.is_datagram = is_dns,
	.datagram = dns_datagram,
	.needs_port = true,
};

/* ---- mDNS, LLMNR ---- */

/* A header that belongs to a multicast name service, and sections that are all there. */
static bool is_multicast(struct span datagram)
{
	struct cursor c = cursor_from(datagram);
	struct header h = read_header(&c);
	struct record r;
	if (!cursor_ok(&c) || opcode(&h) || !(h.questions + h.answers + h.authorities + h.additional) || !skip_questions(&c, &h))
		return false;
	return !h.answers || read_record(datagram, &c, &r);
}

/* The first address record of a response: its owner is the host that speaks. */
static bool own_name(struct span msg, struct dissect_ctx *ctx, const char *operation, bool local)
{
	struct cursor c = cursor_from(msg);
	struct header h = read_header(&c);
	struct record r;
	if (!is_response(&h) || !skip_questions(&c, &h))
		return false;
	unsigned records = (unsigned)h.answers + h.authorities + h.additional;
	for (unsigned i = 0; i < records && i < RECORDS; i++) {
		if (!read_record(msg, &c, &r))
			return false;
		bool address = (r.type == TYPE_A && r.data.n == 4) || (r.type == TYPE_AAAA && r.data.n == 16);
		if (!address || (r.class & ~CLASS_UNIQUE) != CLASS_IN || (local && plain_find(r.next, "local") != 0))
			continue;
		claim(ctx, operation, r.label, r.data);
		return true;
	}
	return false;
}

static enum dissect_status mdns_datagram(void *state, struct span datagram, struct dissect_ctx *ctx)
{
	(void)state;
	if (!is_multicast(datagram))
		return DISSECT_BAD;
	(void)own_name(datagram, ctx, "mdns", true);
	return DISSECT_OK;
}

const struct dissector mdns_dissector = {
	.name = "mdns",
	.transports = DISSECT_UDP,
	.ports = { 5353 },
	.is_datagram = is_multicast,
	.datagram = mdns_datagram,
	.needs_port = true,
};

static enum dissect_status llmnr_datagram(void *state, struct span datagram, struct dissect_ctx *ctx)
{
	(void)state;
	struct cursor c = cursor_from(datagram);
	struct header h = read_header(&c);
	if (!is_multicast(datagram))
		return DISSECT_BAD;
	plain_from(ctx, !is_response(&h));
	return own_name(datagram, ctx, "llmnr", false) ? DISSECT_DONE : DISSECT_OK;
}

const struct dissector llmnr_dissector = {
	.name = "llmnr",
	.transports = DISSECT_UDP,
	.ports = { 5355 },
	.is_datagram = is_multicast,
	.datagram = llmnr_datagram,
	.needs_port = true,
};

/* ---- NetBIOS name service ---- */

/* RFC 1001 14.1: each half of a byte is a letter from A; 15 characters and a kind. */
static bool netbios_name(struct span label, uint8_t ret[16])
{
	if (label.n != NETBIOS_NAME)
		return false;
	for (size_t i = 0; i < 16; i++) {
		unsigned hi = label.p[2 * i] - 'A', lo = label.p[2 * i + 1] - 'A';
		if (hi > 15 || lo > 15)
			return false;
		ret[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

static bool is_netbios(struct span datagram)
{
	struct cursor c = cursor_from(datagram);
	struct header h = read_header(&c);
	struct span label, next;
	uint8_t name[16];
	if (!cursor_ok(&c) || h.questions > 1 || h.questions + h.answers != 1 || !read_name(&c, &label, &next))
		return false;
	uint16_t type = cursor_u16be(&c), class = cursor_u16be(&c);
	return cursor_ok(&c) && netbios_name(label, name) && (type == TYPE_NB || type == TYPE_NB + 1 || type == 10) &&
	       class == CLASS_IN;
}

/* Flags and address of the node (RFC 1002 4.2.2, 4.2.13). */
static enum dissect_status netbios_datagram(void *state, struct span datagram, struct dissect_ctx *ctx)
{
	(void)state;
	struct cursor c = cursor_from(datagram);
	struct header h = read_header(&c);
	struct record r;
	uint8_t name[16];
	if (!is_netbios(datagram))
		return DISSECT_BAD;
	unsigned op = opcode(&h);
	bool registers = !is_response(&h) && (op == OPCODE_REGISTER || op == OPCODE_REFRESH || op == OPCODE_REFRESH_TOO);
	bool answers = is_response(&h) && op == 0 && !(h.flags & 15);
	if (!registers && !answers)
		return DISSECT_OK;
	if (!skip_questions(&c, &h) || !read_record(datagram, &c, &r) || !netbios_name(r.label, name))
		return DISSECT_OK;
	if (r.type != TYPE_NB || r.data.n < 6 || (name[15] != 0x00 && name[15] != 0x20) ||
	    (r.data.p[0] << 8 | r.data.p[1]) & NETBIOS_GROUP)
		return DISSECT_OK;
	claim(ctx, "netbios", (struct span){ name, 15 }, (struct span){ r.data.p + 2, 4 });
	return DISSECT_OK;
}

const struct dissector netbios_ns_dissector = {
	.name = "netbios-ns",
	.transports = DISSECT_UDP,
	.ports = { 137 },
	.is_datagram = is_netbios,
	.datagram = netbios_datagram,
	.needs_port = true,
};
