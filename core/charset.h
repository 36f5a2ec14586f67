/* charset.h -- text in the character sets of DICOM (PS3.3 C.12.1.1.2, PS3.5 6.1) into UTF-8, without allocation.
 *
 * iconv is not used: it loads files while it runs, and knows neither G1 without escapes nor when a state ends.
 */
#ifndef CORE_CHARSET_H
#define CORE_CHARSET_H

#include "core/buf.h"
#include "core/cursor.h"

enum charset_kind {
	CHARSET_ISO_2022,               /* what g0 and g1 say, and escape sequences that change them */
	CHARSET_UTF_8,
	CHARSET_GB18030,                /* and GBK, which is a part of it */
	CHARSET_SHIFT_JIS,              /* JIS X 0201 and 0208: not admitted in DICOM, met all the same */
};

enum charset_g0 {
	CHARSET_G0_ASCII,
	CHARSET_G0_ROMAJI,              /* JIS X 0201: yen sign and overline in two places */
	CHARSET_G0_KANA,                /* JIS X 0201 in seven bits */
	CHARSET_G0_JIS_X_0208,          /* two bytes each, of which any may look like a delimiter */
	CHARSET_G0_JIS_X_0212,
};

enum charset_g1 {
	CHARSET_G1_NONE,
	CHARSET_G1_KANA,                /* JIS X 0201 */
	CHARSET_G1_KS_X_1001,           /* two bytes each */
	CHARSET_G1_GB2312,              /* two bytes each */
	CHARSET_G1_LATIN1,              /* ISO 8859-1; from here on: one byte, charset_tables_single */
	CHARSET_G1_LATIN2,
	CHARSET_G1_LATIN3,
	CHARSET_G1_LATIN4,
	CHARSET_G1_CYRILLIC,
	CHARSET_G1_ARABIC,
	CHARSET_G1_GREEK,
	CHARSET_G1_HEBREW,
	CHARSET_G1_LATIN5,
	CHARSET_G1_LATIN9,
	CHARSET_G1_THAI,
};

struct charset {
	uint8_t kind, g0, g1;           /* enums above; g0 and g1 are what a text begins with */
};

/* From the value of Specific Character Set (0008,0005). Several values: the first is what a text begins with, the others
 * may be reached by escape sequences; all that we know are let pass whether listed or not, since many lists are wrong
 * (ISO_IR 13 for ISO 2022 IR 13, for one). Absent or unknown: ASCII, 0 and -ENOENT. */
int charset_dicom(struct span value, struct charset *ret);

/* Appends `text` to `out` in UTF-8. A byte that means nothing becomes U+FFFD. Escape sequences are taken away; what they
 * changed ends at a control character and, between characters of one byte, at a backslash (PS3.5 6.1.2.5.3), which becomes
 * `separator`: it parts values in the VRs LO, SH, UC. Ends early, between characters, where `out` is full. True when
 * every byte had a meaning and found room. */
bool charset_decode(struct charset c, struct span text, char separator, struct buf *out);

#endif
