#include "sensor/recognise.h"

#include <string.h>

const char *recognise_name(enum recognise_service s)
{
	static const char *const names[RECOGNISE_SERVICES] = {
		[RECOGNISE_SSH] = "ssh",
		[RECOGNISE_DNS] = "dns", [RECOGNISE_NTP] = "ntp", [RECOGNISE_DHCP] = "dhcp",
	};
	return (unsigned)s < RECOGNISE_SERVICES ? names[s] : NULL;
}

static enum dissect_guess begins_with(struct span head, const char *text)
{
	size_t n = strlen(text), have = head.n < n ? head.n : n;
	if (have && memcmp(head.p, text, have) != 0)
		return DISSECT_NO;
	return have == n ? DISSECT_YES : DISSECT_MAYBE;
}

enum dissect_guess recognise_tcp(struct span head, bool midstream, enum recognise_service *ret)
{
	(void)midstream;        /* all of these are known by how they begin only */
	const struct { enum recognise_service service; enum dissect_guess guess; } all[] = {
		{ RECOGNISE_SSH, begins_with(head, "SSH-") },   /* RFC 4253, 4.2 */
	};
	enum dissect_guess best = DISSECT_NO;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].guess == DISSECT_YES) {
			*ret = all[i].service;
			return DISSECT_YES;
		}
		if (all[i].guess == DISSECT_MAYBE)
			best = DISSECT_MAYBE;
	}
	return best;
}

/* RFC 1035, 4.1: a header with a known operation and one question whose name ends. */
static bool is_dns(struct span datagram)
{
	struct cursor c = cursor_from(datagram);
	cursor_skip(&c, 2);
	uint16_t flags = cursor_u16be(&c);
	uint16_t questions = cursor_u16be(&c);
	cursor_skip(&c, 6);
	if (!cursor_ok(&c) || (flags >> 11 & 15) > 6 || questions != 1)
		return false;
	for (size_t total = 0;;) {
		uint8_t n = cursor_u8(&c);
		total += n + 1u;
		if (!cursor_ok(&c) || n > 63 || total > 255)
			return false;
		if (!n)
			break;
		cursor_skip(&c, n);
	}
	cursor_skip(&c, 2);
	uint16_t class = cursor_u16be(&c) & 0x7fff;     /* RFC 6762, 18.12: the top bit has another meaning there */
	return cursor_ok(&c) && (class == 1 || class == 3 || class == 4 || class == 255);
}

/* RFC 5905, 7.3: versions 1 to 4, modes 1 to 5, a stratum that exists. */
static bool is_ntp(struct span datagram)
{
	if (datagram.n < 48)
		return false;
	unsigned version = datagram.p[0] >> 3 & 7, mode = datagram.p[0] & 7;
	return version >= 1 && version <= 4 && mode >= 1 && mode <= 5 && datagram.p[1] <= 16;
}

/* RFC 2131, 2 and 3: operation, hardware address length, magic cookie. */
static bool is_dhcp(struct span datagram)
{
	static const uint8_t cookie[4] = { 0x63, 0x82, 0x53, 0x63 };
	return datagram.n >= 240 && (datagram.p[0] == 1 || datagram.p[0] == 2) && datagram.p[2] <= 16 &&
	       !memcmp(datagram.p + 236, cookie, sizeof(cookie));
}

enum recognise_service recognise_udp(struct span datagram, uint16_t src_port, uint16_t dst_port)
{
	if ((src_port == 53 || dst_port == 53) && is_dns(datagram))
		return RECOGNISE_DNS;
	if ((src_port == 123 || dst_port == 123) && is_ntp(datagram))
		return RECOGNISE_NTP;
	if ((src_port == 67 || dst_port == 67 || src_port == 68 || dst_port == 68) && is_dhcp(datagram))
		return RECOGNISE_DHCP;
	return RECOGNISE_NONE;
}
