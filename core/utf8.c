#include "core/utf8.h"

int utf8_next(struct span s, uint32_t *ret_cp)
{
	uint8_t b = s.p[0];
	if (b < 0x80) {
		*ret_cp = b;
		return 1;
	}
	int n;
	uint32_t cp;
	/* Bounds of the second byte, RFC 3629, section 4: they exclude long forms and surrogates. */
	uint8_t lo = 0x80, hi = 0xbf;
	if (b >= 0xc2 && b <= 0xdf) {
		n = 2;
		cp = b & 0x1fu;
	} else if (b >= 0xe0 && b <= 0xef) {
		n = 3;
		cp = b & 0x0fu;
		lo = b == 0xe0 ? 0xa0 : 0x80;
		hi = b == 0xed ? 0x9f : 0xbf;
	} else if (b >= 0xf0 && b <= 0xf4) {
		n = 4;
		cp = b & 0x07u;
		lo = b == 0xf0 ? 0x90 : 0x80;
		hi = b == 0xf4 ? 0x8f : 0xbf;
	} else {
		return -1;
	}
	for (int i = 1; i < n; i++) {
		if ((size_t)i >= s.n || s.p[i] < lo || s.p[i] > hi)
			return -i;
		cp = cp << 6 | (s.p[i] & 0x3fu);
		lo = 0x80;
		hi = 0xbf;
	}
	*ret_cp = cp;
	return n;
}

bool utf8_valid(struct span s)
{
	while (s.n) {
		uint32_t cp;
		int n = utf8_next(s, &cp);
		if (n < 0)
			return false;
		s = span_from(s, (size_t)n);
	}
	return true;
}

bool utf8_is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}
