#include "core/charset.h"

#include <errno.h>

#include "core/charset_tables.h"
#include "core/utf8.h"

enum { ESCAPE = 0x1b, REPLACEMENT = 0xfffd };

struct decoder {
	struct charset now, begin;
	struct cursor in;
	struct buf *out;
	bool sound;
};

int charset_dicom(struct span value, struct charset *ret)
{
	static const struct { const char *name; struct charset c; } terms[] = {
		{ "", { 0 } },
		{ "IR 6", { 0 } },
		{ "IR 13", { .g0 = CHARSET_G0_ROMAJI, .g1 = CHARSET_G1_KANA } },
		{ "IR 58", { .g1 = CHARSET_G1_GB2312 } },
		{ "IR 87", { 0 } },             /* these begin with ASCII: their sets are only reached by escapes */
		{ "IR 100", { .g1 = CHARSET_G1_LATIN1 } },
		{ "IR 101", { .g1 = CHARSET_G1_LATIN2 } },
		{ "IR 109", { .g1 = CHARSET_G1_LATIN3 } },
		{ "IR 110", { .g1 = CHARSET_G1_LATIN4 } },
		{ "IR 126", { .g1 = CHARSET_G1_GREEK } },
		{ "IR 127", { .g1 = CHARSET_G1_ARABIC } },
		{ "IR 138", { .g1 = CHARSET_G1_HEBREW } },
		{ "IR 144", { .g1 = CHARSET_G1_CYRILLIC } },
		{ "IR 148", { .g1 = CHARSET_G1_LATIN5 } },
		{ "IR 149", { .g1 = CHARSET_G1_KS_X_1001 } },
		{ "IR 159", { 0 } },
		{ "IR 166", { .g1 = CHARSET_G1_THAI } },
		{ "IR 192", { .kind = CHARSET_UTF_8 } },
		{ "IR 203", { .g1 = CHARSET_G1_LATIN9 } },
		{ "GB18030", { .kind = CHARSET_GB18030 } },
		{ "GBK", { .kind = CHARSET_GB18030 } },
	};
	struct cursor c = cursor_from(value);
	struct span first = cursor_until(&c, '\\');
	if (!cursor_ok(&c))
		first = value;
	first = span_trim(first);
	while (first.n && !first.p[first.n - 1])
		first.n--;
	/* "ISO_IR 100", "ISO 2022 IR 100" and, met in the field, "ISO-IR 100" mean the same here. */
	for (size_t i = 0; i + 3 < first.n; i++) {
		if (first.p[i] == 'I' && first.p[i + 1] == 'R' && first.p[i + 2] == ' ') {
			first = span_from(first, i);
			break;
		}
	}
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		if (span_eq(first, span_str(terms[i].name))) {
			*ret = terms[i].c;
			return 0;
		}
	}
	*ret = (struct charset){ 0 };
	return -ENOENT;
}

/* False when there is no room. A control character is not let through: the terminal is not the place for it. */
static bool put(struct decoder *d, uint32_t cp)
{
	uint8_t b[4];
	size_t n;
	if (!cp || utf8_is_control(cp))
		cp = REPLACEMENT;
	if (cp == REPLACEMENT)
		d->sound = false;
	if (cp < 0x80) {
		b[0] = (uint8_t)cp;
		n = 1;
	} else if (cp < 0x800) {
		b[0] = (uint8_t)(0xc0 | cp >> 6);
		b[1] = (uint8_t)(0x80 | (cp & 0x3f));
		n = 2;
	} else if (cp < 0x10000) {
		b[0] = (uint8_t)(0xe0 | cp >> 12);
		b[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
		b[2] = (uint8_t)(0x80 | (cp & 0x3f));
		n = 3;
	} else {
		b[0] = (uint8_t)(0xf0 | cp >> 18);
		b[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
		b[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
		b[3] = (uint8_t)(0x80 | (cp & 0x3f));
		n = 4;
	}
	if (buf_put(d->out, b, n)) {
		d->sound = false;
		return false;
	}
	return true;
}

static uint8_t peek(const struct decoder *d)
{
	struct cursor c = d->in;
	return cursor_u8(&c);
}

/* The second byte of a character, when there is one from `low` on; else 0 and nothing is taken. */
static uint8_t second(struct decoder *d, uint8_t low)
{
	uint8_t b = peek(d);
	if (b < low)
		return 0;
	cursor_skip(&d->in, 1);
	return b;
}

/* What follows ESC (PS3.3 Tables C.12-3 and C.12-4). False, with nothing taken, when it is none of ours. */
static bool escape(struct decoder *d)
{
	static const struct { char sequence[4]; int8_t g0, g1; } known[] = {
		{ "(B", CHARSET_G0_ASCII, -1 }, { "(J", CHARSET_G0_ROMAJI, -1 }, { "(I", CHARSET_G0_KANA, -1 },
		{ "$B", CHARSET_G0_JIS_X_0208, -1 }, { "$@", CHARSET_G0_JIS_X_0208, -1 },
		{ "$(D", CHARSET_G0_JIS_X_0212, -1 }, { ")I", -1, CHARSET_G1_KANA }, { "$)C", -1, CHARSET_G1_KS_X_1001 },
		{ "$)A", -1, CHARSET_G1_GB2312 }, { "-A", -1, CHARSET_G1_LATIN1 }, { "-B", -1, CHARSET_G1_LATIN2 },
		{ "-C", -1, CHARSET_G1_LATIN3 }, { "-D", -1, CHARSET_G1_LATIN4 }, { "-F", -1, CHARSET_G1_GREEK },
		{ "-G", -1, CHARSET_G1_ARABIC }, { "-H", -1, CHARSET_G1_HEBREW }, { "-L", -1, CHARSET_G1_CYRILLIC },
		{ "-M", -1, CHARSET_G1_LATIN5 }, { "-T", -1, CHARSET_G1_THAI }, { "-b", -1, CHARSET_G1_LATIN9 },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct cursor c = d->in;
		struct span sequence = span_str(known[i].sequence);
		if (!span_eq(cursor_take(&c, sequence.n), sequence))
			continue;
		d->in = c;
		if (known[i].g0 >= 0)
			d->now.g0 = (uint8_t)known[i].g0;
		if (known[i].g1 >= 0)
			d->now.g1 = (uint8_t)known[i].g1;
		return true;
	}
	return false;
}

static uint32_t kana(uint8_t b)         /* 0x21 to 0x5f */
{
	return b >= 0x21 && b <= 0x5f ? 0xff61u + b - 0x21u : 0;
}

static uint32_t in_grid(const uint16_t *grid, uint8_t row, uint8_t column)
{
	if (row < 0x21 || row > 0x7e || column < 0x21 || column > 0x7e)
		return 0;
	return grid[(row - 0x21) * 94 + column - 0x21];
}

static uint32_t gbk(uint8_t row, uint8_t column)
{
	if (row < 0x81 || row > 0xfe || column < 0x40 || column == 0x7f || column > 0xfe)
		return 0;
	return charset_tables_gbk[(row - 0x81) * 190 + column - 0x40 - (column > 0x7f)];
}

static uint32_t g0_char(struct decoder *d, uint8_t b)
{
	switch (d->now.g0) {
	case CHARSET_G0_ROMAJI:
		return b == 0x5c ? 0xa5 : b == 0x7e ? 0x203e : b;
	case CHARSET_G0_KANA:
		return b == ' ' ? ' ' : kana(b);
	case CHARSET_G0_JIS_X_0208:
		return b == ' ' ? ' ' : in_grid(charset_tables_jis_x_0208, b, second(d, 0x21));
	case CHARSET_G0_JIS_X_0212:
		return b == ' ' ? ' ' : in_grid(charset_tables_jis_x_0212, b, second(d, 0x21));
	default:
		return b;
	}
}

static uint32_t g1_char(struct decoder *d, uint8_t b)
{
	switch (d->now.g1) {
	case CHARSET_G1_NONE:
		return 0;
	case CHARSET_G1_KANA:
		return kana(b & 0x7f);
	case CHARSET_G1_KS_X_1001:
		return in_grid(charset_tables_ks_x_1001, b & 0x7f, second(d, 0xa1) & 0x7f);
	case CHARSET_G1_GB2312:
		return gbk(b, second(d, 0xa1));
	default:
		return b >= 0xa0 ? charset_tables_single[d->now.g1 - CHARSET_G1_LATIN1][b - 0xa0] : 0;
	}
}

static uint32_t gb18030_char(struct decoder *d, uint8_t b)
{
	if (b < 0x80)
		return b;
	struct cursor c = d->in;
	uint8_t b2 = cursor_u8(&c), b3 = cursor_u8(&c), b4 = cursor_u8(&c);
	if (b2 >= '0' && b2 <= '9') {
		if (b < 0x81 || b > 0xfe || b3 < 0x81 || b3 > 0xfe || b4 < '0' || b4 > '9')
			return 0;
		d->in = c;
		uint32_t code = ((uint32_t)(b - 0x81) * 10 + b2 - '0') * 1260 + (uint32_t)(b3 - 0x81) * 10 + b4 - '0';
		if (code >= 189000)             /* 90 30 81 30: the planes behind the BMP, one after the other */
			return code - 189000 < 0x100000 ? 0x10000 + code - 189000 : 0;
		size_t low = 0, high = charset_tables_gb18030_n;
		while (high - low > 1) {
			size_t middle = low + (high - low) / 2;
			*(charset_tables_gb18030[middle].code <= code ? &low : &high) = middle;
		}
		const struct charset_tables_run *run = &charset_tables_gb18030[low];
		return run->first ? run->first + code - run->code : 0;
	}
	return gbk(b, second(d, 0x40));
}

static uint32_t shift_jis_char(struct decoder *d, uint8_t b)
{
	if (b >= 0xa1 && b <= 0xdf)
		return kana(b & 0x7f);
	if (b < 0x80)
		return b;
	if (b == 0x80 || b == 0xa0 || b > 0xfc)
		return 0;
	uint8_t t = second(d, 0x40);
	if (t < 0x40 || t == 0x7f || t > 0xfc)
		return 0;
	unsigned row = (b < 0xa0 ? b - 0x81u : b - 0xc1u) * 2 + 0x21 + (t >= 0x9f);
	unsigned column = t >= 0x9f ? t - 0x7eu : t - 0x1fu - (t >= 0x80);
	if (row > 0x7e) {
		/* Rows 115 to 119 are IBM's characters, which rows 89 to 92 hold too, elsewhere; 95 to 114 are anyone's. */
		return 0;
	}
	return in_grid(charset_tables_jis_x_0208, (uint8_t)row, (uint8_t)column);
}

static uint32_t utf8_char(struct decoder *d, struct span from)
{
	uint32_t cp = 0;
	int n = utf8_next(from, &cp);
	cursor_skip(&d->in, (size_t)(n < 0 ? -n : n) - 1);
	return n < 0 ? 0 : cp;
}

bool charset_decode(struct charset c, struct span text, char separator, struct buf *out)
{
	struct decoder d = { .now = c, .begin = c, .in = cursor_from(text), .out = out, .sound = true };
	while (cursor_left(&d.in)) {
		struct span from = span_from(text, text.n - cursor_left(&d.in));
		uint8_t b = cursor_u8(&d.in);
		uint32_t cp;
		bool two_bytes = c.kind == CHARSET_ISO_2022 && d.now.g0 >= CHARSET_G0_JIS_X_0208;
		if (b == ESCAPE && c.kind == CHARSET_ISO_2022 && escape(&d))
			continue;
		if (b < 0x20) {
			d.now = d.begin;
			cp = 0;
		} else if (b == '\\' && !two_bytes) {
			d.now = d.begin;
			cp = (uint8_t)separator;
		} else if (c.kind == CHARSET_UTF_8) {
			cp = utf8_char(&d, from);
		} else if (c.kind == CHARSET_GB18030) {
			cp = gb18030_char(&d, b);
		} else if (c.kind == CHARSET_SHIFT_JIS) {
			cp = shift_jis_char(&d, b);
		} else {
			cp = b < 0x80 ? g0_char(&d, b) : g1_char(&d, b);
		}
		if (!put(&d, cp))
			return false;
	}
	return d.sound;
}
