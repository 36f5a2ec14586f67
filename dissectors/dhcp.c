/* dhcp.c -- DHCP for IPv4 (RFC 2131, RFC 2132): which host has which address, for how long, and what it says it is.
 * The client identifier is not told: it repeats the hardware address or is a machine's own secret. */
#include <string.h>

#include "dissectors/plain.h"

enum {
	BOOTREQUEST = 1, BOOTREPLY = 2, ETHERNET = 1, CHADDR = 28, OPTIONS = 240,
	PAD = 0, HOST_NAME = 12, REQUESTED = 50, LEASE = 51, KIND = 53, VENDOR = 60, FQDN = 81, END = 255,
	FQDN_HEAD = 3,                  /* RFC 4702 2: flags and two codes of no use */
};

/* Operation, a hardware address that fits its field, and the magic cookie (RFC 2131, 3). */
static bool is_dhcp(struct span d)
{
	static const uint8_t cookie[4] = { 0x63, 0x82, 0x53, 0x63 };
	return d.n >= OPTIONS && (d.p[0] == BOOTREQUEST || d.p[0] == BOOTREPLY) && d.p[2] <= 16 &&
	       !memcmp(d.p + OPTIONS - 4, cookie, sizeof(cookie));
}

static void set_address(struct observation *o, struct span four)
{
	struct addr a = addr_from_v4(four.p);
	if (!addr_is_zero(&a))
		vocab_set_addr(&observation_vocab, &o->head, OBSERVATION_F_address, &a);
}

/* RFC 4702: a name in wire form when the E bit says so, else in text. Its first label is the host. */
static struct span fqdn_host(struct span v)
{
	if (v.n <= FQDN_HEAD)
		return (struct span){ 0 };
	struct span name = span_from(v, FQDN_HEAD);
	if (v.p[0] & 4) {
		struct cursor c = cursor_from(name);
		return cursor_take(&c, cursor_u8(&c));
	}
	const uint8_t *dot = memchr(name.p, '.', name.n);
	return dot ? (struct span){ name.p, (size_t)(dot - name.p) } : name;
}

static enum dissect_status datagram(void *state, struct span d, struct dissect_ctx *ctx)
{
	static const char *const kinds[] = { "BOOTP", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE",
					     "INFORM", "FORCERENEW", "LEASEQUERY", "LEASEUNASSIGNED", "LEASEUNKNOWN", "LEASEACTIVE" };
	(void)state;
	if (!is_dhcp(d))
		return DISSECT_BAD;
	bool request = d.p[0] == BOOTREQUEST;
	plain_from(ctx, request);
	struct observation o = { .head.type = OBSERVATION_DHCP_MESSAGE };
	observation_uint(&o, OBSERVATION_F_speaker, request ? OBSERVATION_CLIENT : OBSERVATION_SERVER);
	if (d.p[1] == ETHERNET && d.p[2] == 6) {
		struct mac m;
		memcpy(m.b, d.p + CHADDR, 6);
		vocab_set_mac(&observation_vocab, &o.head, OBSERVATION_F_mac, &m);
	}
	/* What the client has (ciaddr), what the server gives (yiaddr). */
	set_address(&o, (struct span){ d.p + (request ? 12 : 16), 4 });
	unsigned kind = 0;
	struct span name = { 0 };
	struct cursor c = cursor_from(span_from(d, OPTIONS));
	while (cursor_left(&c)) {
		uint8_t option = cursor_u8(&c);
		if (option == PAD)
			continue;
		if (option == END)
			break;
		struct span v = cursor_take(&c, cursor_u8(&c));
		if (!cursor_ok(&c))
			break;
		if (option == KIND && v.n == 1)
			kind = v.p[0];
		else if (option == HOST_NAME)
			name = v;
		else if (option == FQDN && !name.n)
			name = fqdn_host(v);
		else if (option == REQUESTED && v.n == 4 && request)
			set_address(&o, v);
		else if (option == LEASE && v.n == 4 && !request) {
			struct cursor seconds = cursor_from(v);
			observation_uint(&o, OBSERVATION_F_lease_s, cursor_u32be(&seconds));
		} else if (option == VENDOR) {
			(void)plain_text(&o, OBSERVATION_F_vendor_class, v);
		}
	}
	while (name.n && !name.p[name.n - 1])
		name.n--;
	if (name.n)
		(void)plain_text(&o, OBSERVATION_F_hostname, name);
	observation_text(&o, OBSERVATION_F_operation,
			 span_str(kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind] : "other"));
	ctx->emit(ctx->arg, &o);
	return DISSECT_OK;
}

const struct dissector dhcp_dissector = {
	.name = "dhcp",
	.transports = DISSECT_UDP,
	.ports = { 67, 68 },
	.is_datagram = is_dhcp,
	.datagram = datagram,
};
