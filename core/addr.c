#include "core/addr.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

struct addr addr_from_v4(const uint8_t b[static 4])
{
	struct addr a;
	memcpy(a.b, mapped, sizeof(mapped));
	memcpy(a.b + 12, b, 4);
	return a;
}

struct addr addr_from_v6(const uint8_t b[static 16])
{
	struct addr a;
	memcpy(a.b, b, 16);
	return a;
}

bool addr_is_v4(const struct addr *a) { return !memcmp(a->b, mapped, sizeof(mapped)); }

bool addr_is_zero(const struct addr *a)
{
	static const uint8_t zero[16];
	return !memcmp(a->b, zero, 16) || (addr_is_v4(a) && !memcmp(a->b + 12, zero, 4));
}

bool addr_is_multicast(const struct addr *a)
{
	return addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool addr_is_broadcast(const struct addr *a)
{
	static const uint8_t ones[4] = { 0xff, 0xff, 0xff, 0xff };
	return addr_is_v4(a) && !memcmp(a->b + 12, ones, 4);
}

bool addr_is_link_local(const struct addr *a)
{
	return addr_is_v4(a) ? a->b[12] == 169 && a->b[13] == 254 : a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };
	return addr_is_v4(a) ? a->b[12] == 127 : !memcmp(a->b, one, 16);
}

bool addr_is_host(const struct addr *a)
{
	return !addr_is_zero(a) && !addr_is_multicast(a) && !addr_is_broadcast(a) && !addr_is_loopback(a);
}

bool addr_mac_is_card(const struct mac *m) { return !(m->b[0] & 1) && memcmp(m->b, "\0\0\0\0\0\0", 6) != 0; }

bool addr_is_private(const struct addr *a)
{
	if (addr_is_link_local(a) || addr_is_loopback(a))
		return true;
	if (!addr_is_v4(a))
		return (a->b[0] & 0xfe) == 0xfc;                        /* RFC 4193, 3.1 */
	const uint8_t *v4 = a->b + 12;
	return v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) || (v4[0] == 192 && v4[1] == 168) ||
	       (v4[0] == 100 && (v4[1] & 0xc0) == 64);                  /* RFC 1918, 3; RFC 6598, 7 */
}

int addr_cmp(const struct addr *a, const struct addr *b) { return memcmp(a->b, b->b, 16); }

static char *put_decimal(char *to, unsigned v)
{
	char digits[10];
	unsigned n = 0;
	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		*to++ = digits[--n];
	return to;
}

/* The end of the text. */
static char *put_addr(char *to, const struct addr *a)
{
	if (!addr_is_v4(a)) {
		/* glibc's form of IPv6 is that of RFC 5952, section 4. */
		if (!inet_ntop(AF_INET6, a->b, to, ADDR_STRLEN))
			*to = 0;
		return to + strlen(to);
	}
	for (int i = 12; i < 16; i++) {
		to = put_decimal(to, a->b[i]);
		*to++ = '.';
	}
	return to - 1;
}

const char *addr_str(const struct addr *a, char out[static ADDR_STRLEN])
{
	*put_addr(out, a) = 0;
	return out;
}

const char *addr_endpoint_str(const struct endpoint *e, char out[static ADDR_ENDPOINT_STRLEN])
{
	bool v4 = addr_is_v4(&e->ip);
	char *to = out;
	if (!v4)
		*to++ = '[';
	to = put_addr(to, &e->ip);
	if (!v4)
		*to++ = ']';
	*to++ = ':';
	*put_decimal(to, e->port) = 0;
	return out;
}

const char *addr_mac_str(const struct mac *m, char out[static ADDR_MAC_STRLEN])
{
	static const char hexadecimal[] = "0123456789abcdef";
	for (size_t i = 0; i < 6; i++) {
		out[3 * i] = hexadecimal[m->b[i] >> 4];
		out[3 * i + 1] = hexadecimal[m->b[i] & 15];
		out[3 * i + 2] = i < 5 ? ':' : 0;
	}
	return out;
}

/* Decimal without sign, spaces or leading zeros, up to `max`. */
static int parse_decimal(struct span t, unsigned max, unsigned *ret)
{
	unsigned v = 0;
	if (!t.n || t.n > 5 || (t.n > 1 && t.p[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return -EINVAL;
		v = v * 10 + (unsigned)(t.p[i] - '0');
	}
	if (v > max)
		return -EINVAL;
	*ret = v;
	return 0;
}

/* A family is AF_INET or AF_INET6, or 0 for whichever the text is. */
static int parse_family(struct span text, int family, struct addr *ret)
{
	char s[ADDR_STRLEN];
	uint8_t b[16];
	if (!text.n || text.n >= sizeof(s) || memchr(text.p, '\0', text.n))
		return -EINVAL;
	memcpy(s, text.p, text.n);
	s[text.n] = '\0';
	int is = strchr(s, ':') ? AF_INET6 : AF_INET;
	if ((family && family != is) || inet_pton(is, s, b) != 1)
		return -EINVAL;
	*ret = is == AF_INET ? addr_from_v4(b) : addr_from_v6(b);
	return 0;
}

int addr_parse(struct span text, struct addr *ret) { return parse_family(text, 0, ret); }

int addr_parse_endpoint(struct span text, struct endpoint *ret)
{
	size_t colon = text.n;
	while (colon && text.p[colon - 1] != ':')
		colon--;
	if (!colon)
		return -EINVAL;
	struct span host = { text.p, colon - 1 }, port = span_from(text, colon);
	int family = AF_INET;
	if (host.n >= 2 && host.p[0] == '[') {
		if (host.p[host.n - 1] != ']')
			return -EINVAL;
		host = (struct span){ host.p + 1, host.n - 2 };
		family = AF_INET6;
	}
	struct endpoint e;
	unsigned n;
	if (parse_family(host, family, &e.ip) || parse_decimal(port, 65535, &n))
		return -EINVAL;
	e.port = (uint16_t)n;
	*ret = e;
	return 0;
}

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int addr_parse_mac(struct span text, struct mac *ret)
{
	struct mac m;
	if (text.n != 17 || (text.p[2] != ':' && text.p[2] != '-'))
		return -EINVAL;
	for (size_t i = 0; i < 6; i++) {
		int hi = hex(text.p[3 * i]), lo = hex(text.p[3 * i + 1]);
		/* One separator throughout: a mixture is a typing error. */
		if (hi < 0 || lo < 0 || (i < 5 && text.p[3 * i + 2] != text.p[2]))
			return -EINVAL;
		m.b[i] = (uint8_t)(hi << 4 | lo);
	}
	*ret = m;
	return 0;
}

/* Byte `at` of the mask of so many bits. */
static uint8_t mask_byte(unsigned bits, unsigned at)
{
	unsigned begin = at * 8;
	if (bits <= begin)
		return 0;
	if (bits >= begin + 8)
		return 0xff;
	return (uint8_t)(0xffu << (8 - (bits - begin)));
}

int addr_parse_prefix(struct span text, struct prefix *ret)
{
	const uint8_t *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
	struct span host = { text.p, slash ? (size_t)(slash - text.p) : text.n };
	struct prefix p;
	if (parse_family(host, 0, &p.ip))
		return -EINVAL;
	/* Counted as written: "::ffff:10.0.0.0/104" is 10.0.0.0/8. */
	bool written_v4 = !memchr(host.p, ':', host.n);
	unsigned n = written_v4 ? 32 : 128;
	if (slash && parse_decimal(span_from(text, host.n + 1), n, &n))
		return -EINVAL;
	p.bits = (uint8_t)(written_v4 ? 96 + n : n);
	for (unsigned i = 0; i < 16; i++)
		if (p.ip.b[i] & (uint8_t)~mask_byte(p.bits, i))
			return -ERANGE;
	*ret = p;
	return 0;
}

/* The half of an address that begins at `at` (0 or 8) as a number, and the part of it under a mask of so many bits. */
static uint64_t half(const struct addr *a, unsigned at)
{
	uint64_t v;
	memcpy(&v, a->b + at, sizeof(v));
	return be64toh(v);
}

static uint64_t mask_half(unsigned bits, unsigned at)
{
	unsigned begin = at * 8, n = bits > begin ? bits - begin : 0;
	return !n ? 0 : n >= 64 ? UINT64_MAX : UINT64_MAX << (64 - n);
}

bool addr_in_prefix(const struct addr *a, const struct prefix *p)
{
	uint64_t differs = ((half(a, 0) ^ half(&p->ip, 0)) & mask_half(p->bits, 0)) |
			   ((half(a, 8) ^ half(&p->ip, 8)) & mask_half(p->bits, 8));
	/* Who writes ::/0 means IPv6, not every IPv4 address in its mapped form. */
	return !differs && (p->bits >= 96 || !addr_is_v4(a));
}
