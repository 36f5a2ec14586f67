#include "documents/words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/buf.h"
#include "core/utf8.h"

/* ---- the plain form ---- */

/* U+FF61 to U+FF9F, in their order. */
static const uint16_t half_kana[] = {
	0x3002, 0x300c, 0x300d, 0x3001, 0x20, 0x30f2, 0x30a1, 0x30a3, 0x30a5, 0x30a7, 0x30a9, 0x30e3, 0x30e5, 0x30e7, 0x30c3, 0x30fc,
	0x30a2, 0x30a4, 0x30a6, 0x30a8, 0x30aa, 0x30ab, 0x30ad, 0x30af, 0x30b1, 0x30b3, 0x30b5, 0x30b7, 0x30b9, 0x30bb, 0x30bd, 0x30bf,
	0x30c1, 0x30c4, 0x30c6, 0x30c8, 0x30ca, 0x30cb, 0x30cc, 0x30cd, 0x30ce, 0x30cf, 0x30d2, 0x30d5, 0x30d8, 0x30db, 0x30de, 0x30df,
	0x30e0, 0x30e1, 0x30e2, 0x30e4, 0x30e6, 0x30e8, 0x30e9, 0x30ea, 0x30eb, 0x30ec, 0x30ed, 0x30ef, 0x30f3, 0x3099, 0x309a,
};

static bool has_voiced(uint32_t cp)
{
	return (cp >= 0x30ab && cp <= 0x30c2 && (cp & 1)) || cp == 0x30c4 || cp == 0x30c6 || cp == 0x30c8 ||
	       (cp >= 0x30cf && cp <= 0x30db && (cp - 0x30cf) % 3 == 0);
}

static uint32_t fold(uint32_t cp)
{
	switch (cp) {
	case 0x3000: case 0xa0: case '\t': case '\n': case '\r': case 0x2002: case 0x2003: case 0x2009: case 0x200b: case 0x30fb:
		return ' ';
	case 0x2010: case 0x2011: case 0x2012: case 0x2013: case 0x2014: case 0x2015: case 0x2212: case 0xff0d:
		return '-';
	case 0x301c: case 0x223c: case 0xff5e:
		return '~';
	case 0x2018: case 0x2019: return '\'';
	case 0x201c: case 0x201d: return '"';
	case 0x25ef: return 0x25cb;     /* large circle: circle */
	case 0x3007: return 0x25cb;
	case 0xd7: case 0x2715: case 0x2716: return 0xd7;
	default: break;
	}
	if (cp >= 0xff01 && cp <= 0xff5d)
		cp -= 0xfee0;
	if (cp >= 0xff61 && cp <= 0xff9f)
		cp = half_kana[cp - 0xff61];
	return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
}

static void put(struct buf *b, uint32_t cp)
{
	uint8_t w[4];
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	if (n == 1)
		w[0] = (uint8_t)cp;
	else
		w[0] = (uint8_t)(0xf00 >> n | cp >> 6 * (n - 1));
	for (size_t i = 1; i < n; i++)
		w[i] = (uint8_t)(0x80 | (cp >> 6 * (n - 1 - i) & 0x3f));
	(void)buf_put(b, w, n);
}

/* `lists`: what parts the elements of a list is kept as a line end. */
static struct span plain_form(struct span text, bool lists, char ret[static WORDS_MAX])
{
	struct buf b = buf_over(ret, WORDS_MAX - 1);
	uint32_t last = 0;
	for (size_t i = 0; i < text.n && !b.full;) {
		uint32_t cp = 0;
		int n = utf8_next(span_from(text, i), &cp);
		i += n > 0 ? (size_t)n : 1;
		if (n <= 0)
			continue;
		bool parts = lists && (cp == '\n' || cp == 0x30fb || cp == 0xff65);
		cp = fold(cp);
		if (parts) {
			/* Blanks around it say nothing more. */
			while (b.len && (ret[b.len - 1] == ' ' || ret[b.len - 1] == '\n'))
				b.len--;
			if (b.len)
				put(&b, '\n');
			last = ' ';
			continue;
		}
		if ((cp == 0x3099 || cp == 0x309a) && has_voiced(last)) {
			buf_rewind(&b, b.len - 3);
			cp = last + (cp == 0x3099 ? 1 : 2);
		}
		if (cp != ' ' || (b.len && last != ' '))
			put(&b, cp);
		last = cp;
	}
	while (b.len && (ret[b.len - 1] == ' ' || ret[b.len - 1] == '\n'))
		b.len--;
	ret[b.len] = 0;
	return (struct span){ (const uint8_t *)ret, b.len };
}

struct span words_plain(struct span text, char ret[static WORDS_MAX]) { return plain_form(text, false, ret); }
struct span words_plain_list(struct span text, char ret[static WORDS_MAX]) { return plain_form(text, true, ret); }

/* ---- words ---- */

enum words_answer words_answer(struct span p)
{
	static const struct { const char *word; enum words_answer means; } table[] = {
		{ "yes", WORDS_YES }, { "y", WORDS_YES }, { "true", WORDS_YES }, { "はい", WORDS_YES }, { "有", WORDS_YES },
		{ "有り", WORDS_YES }, { "あり", WORDS_YES }, { "○", WORDS_YES }, { "可", WORDS_YES }, { "✓", WORDS_YES },
		{ "●", WORDS_YES }, { "する", WORDS_YES }, { "対応", WORDS_YES },
		{ "no", WORDS_NO }, { "n", WORDS_NO }, { "false", WORDS_NO }, { "いいえ", WORDS_NO }, { "無", WORDS_NO },
		{ "無し", WORDS_NO }, { "なし", WORDS_NO }, { "×", WORDS_NO }, { "x", WORDS_NO }, { "不可", WORDS_NO },
		{ "否", WORDS_NO }, { "しない", WORDS_NO }, { "非対応", WORDS_NO }, { "未対応", WORDS_NO },
		{ "n/a", WORDS_NA }, { "na", WORDS_NA }, { "n.a.", WORDS_NA }, { "not applicable", WORDS_NA },
		{ "該当なし", WORDS_NA }, { "該当無し", WORDS_NA }, { "該当しない", WORDS_NA }, { "該当せず", WORDS_NA },
		{ "対象外", WORDS_NA }, { "非該当", WORDS_NA }, { "適用外", WORDS_NA },
		{ "see note", WORDS_SEE_NOTE }, { "see notes", WORDS_SEE_NOTE }, { "備考参照", WORDS_SEE_NOTE },
		{ "注記参照", WORDS_SEE_NOTE }, { "備考を参照", WORDS_SEE_NOTE },
	};
	while (p.n && (p.p[p.n - 1] == '.' || p.p[p.n - 1] == ' '))
		p.n--;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (span_eq(p, span_str(table[i].word)))
			return table[i].means;
	if (span_eq(p, span_str("n.a")))
		return WORDS_NA;
	return WORDS_NOTHING;
}

static bool word_byte(uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool words_has(struct span plain, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; n && i + n <= plain.n; i++) {
		if (memcmp(plain.p + i, word, n))
			continue;
		bool before = i && word_byte((uint8_t)word[0]) && word_byte(plain.p[i - 1]);
		bool after = i + n < plain.n && word_byte((uint8_t)word[n - 1]) && word_byte(plain.p[i + n]);
		if (!before && !after)
			return true;
	}
	return false;
}

const char *words_slug(struct span plain, char *ret, size_t n)
{
	size_t len = 0;
	for (size_t i = 0; i < plain.n; i++) {
		uint8_t c = plain.p[i];
		if (c >= 0x80) {
			len = 0;
			break;
		}
		if (word_byte(c)) {
			if (len + 1 < n)
				ret[len++] = (char)c;
		} else if (len && ret[len - 1] != '-' && len + 1 < n) {
			ret[len++] = '-';
		}
	}
	while (len && ret[len - 1] == '-')
		len--;
	ret[len] = 0;
	return ret;
}

/* ---- dates ---- */

static bool take(struct span *s, const char *word)
{
	size_t n = strlen(word);
	if (s->n < n || memcmp(s->p, word, n))
		return false;
	*s = (struct span){ s->p + n, s->n - n };
	return true;
}

static bool take_number(struct span *s, unsigned digits, unsigned *ret)
{
	unsigned v = 0, n = 0;
	while (n < s->n && n < digits && s->p[n] >= '0' && s->p[n] <= '9')
		v = v * 10 + (unsigned)(s->p[n++] - '0');
	if (!n || (n < s->n && s->p[n] >= '0' && s->p[n] <= '9'))
		return false;
	*s = (struct span){ s->p + n, s->n - n };
	*ret = v;
	return true;
}

static void blanks(struct span *s)
{
	while (take(s, " ") || take(s, "\n"))
		;
}

static bool is_date(unsigned y, unsigned m, unsigned d, char ret[static WORDS_DATE])
{
	static const unsigned char days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	if (y < 1900 || y > 2200 || !m || m > 12 || !d || d > days[m - 1] ||
	    (m == 2 && d == 29 && (y % 4 || (y % 100 == 0 && y % 400))))
		return false;
	(void)snprintf(ret, WORDS_DATE, "%04u-%02u-%02u", y % 10000, m % 100, d % 100);
	return true;
}

/* Years of an era: the first is 元年. */
static bool take_year(struct span *s, unsigned *ret)
{
	static const struct { const char *name; unsigned before; bool letter; } eras[] = {
		{ "令和", 2018, false }, { "平成", 1988, false }, { "昭和", 1925, false },
		{ "r", 2018, true }, { "h", 1988, true }, { "s", 1925, true },
	};
	for (size_t i = 0; i < sizeof(eras) / sizeof(eras[0]); i++) {
		struct span t = *s;
		unsigned y;
		if (!take(&t, eras[i].name))
			continue;
		blanks(&t);
		if (take(&t, "元"))
			y = 1;
		else if (!take_number(&t, 2, &y) || !y)
			return false;
		/* "R6.3.1": a letter alone needs what follows it to be a date too, which the caller sees. */
		*s = t;
		*ret = y + eras[i].before;
		return true;
	}
	return s->n > 4 && take_number(s, 4, ret) && *ret >= 1900;
}

static bool take_ymd(struct span *s, char ret[static WORDS_DATE])
{
	unsigned y, m, d;
	struct span t = *s;
	if (!take_year(&t, &y))
		return false;
	blanks(&t);
	if (take(&t, "年")) {
		blanks(&t);
		if (!take_number(&t, 2, &m))
			return false;
		blanks(&t);
		if (!take(&t, "月"))
			return false;
		blanks(&t);
		if (!take_number(&t, 2, &d))
			return false;
		blanks(&t);
		if (!take(&t, "日"))
			return false;
	} else {
		const char *by = take(&t, "-") ? "-" : take(&t, "/") ? "/" : take(&t, ".") ? "." : NULL;
		blanks(&t);
		if (!by || !take_number(&t, 2, &m))
			return false;
		blanks(&t);
		if (!take(&t, by))
			return false;
		blanks(&t);
		if (!take_number(&t, 2, &d))
			return false;
	}
	if (!is_date(y, m, d, ret))
		return false;
	*s = t;
	return true;
}

static bool take_month(struct span *s, unsigned *ret)
{
	static const char *const months[] = { "january", "february", "march", "april", "may", "june", "july", "august", "september",
		                              "october", "november", "december" };
	for (unsigned i = 0; i < 12; i++) {
		char abbreviated[4] = { months[i][0], months[i][1], months[i][2], 0 };
		if (take(s, months[i]) || take(s, abbreviated)) {
			(void)take(s, ".");
			blanks(s);
			*ret = i + 1;
			return true;
		}
	}
	return false;
}

static bool take_english(struct span *s, char ret[static WORDS_DATE])
{
	unsigned y, m, d;
	struct span t = *s;
	bool month_first = take_month(&t, &m);
	if (!take_number(&t, 2, &d))
		return false;
	(void)(take(&t, "st") || take(&t, "nd") || take(&t, "rd") || take(&t, "th"));
	(void)take(&t, ",");
	(void)take(&t, "-");
	blanks(&t);
	if (!month_first && !take_month(&t, &m))
		return false;
	(void)take(&t, ",");
	(void)take(&t, "-");
	blanks(&t);
	if (!take_number(&t, 4, &y) || !is_date(y, m, d, ret))
		return false;
	*s = t;
	return true;
}

bool words_date(struct span plain, char ret[static WORDS_DATE])
{
	struct span s = plain;
	char got[WORDS_DATE];
	if (!take_ymd(&s, got) && !take_english(&s, got))
		return false;
	/* A time of day behind it changes nothing. */
	if (s.n && s.p[0] != 't' && s.p[0] != ' ')
		return false;
	if (s.n > 1 && !(s.p[1] >= '0' && s.p[1] <= '9'))
		return false;
	memcpy(ret, got, WORDS_DATE);
	return true;
}

bool words_find_date(struct span plain, char ret[static WORDS_DATE])
{
	for (size_t i = 0; i < plain.n; i++) {
		struct span s = span_from(plain, i);
		if (i && word_byte(plain.p[i - 1]))
			continue;
		if (take_ymd(&s, ret) || take_english(&s, ret))
			return true;
	}
	return false;
}

bool words_serial_date(struct span plain, char ret[static WORDS_DATE])
{
	unsigned days;
	struct span s = plain;
	/* 1954 to 2119: other numbers of five digits are not taken for dates. */
	if (!take_number(&s, 5, &days) || s.n || days < 20000 || days > 80000)
		return false;
	time_t t = ((time_t)days - 25569) * 86400;
	struct tm tm;
	return gmtime_r(&t, &tm) && is_date((unsigned)tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday, ret);
}

/* ---- ports ---- */

static void keep_rest(struct words_ports *p, struct span word)
{
	size_t n = strlen(p->rest), room = sizeof(p->rest) - n - 2;
	if (sizeof(p->rest) < n + 4 || !word.n)
		return;
	if (n)
		p->rest[n++] = ' ';
	size_t k = word.n < room ? word.n : room;
	while (k < word.n && k && (word.p[k] & 0xc0) == 0x80)
		k--;
	memcpy(p->rest + n, word.p, k);
	p->rest[n + k] = 0;
}

bool words_read_ports(struct span plain, struct words_ports *ret)
{
	static const char *const filler[] = { "ports", "port", "ポート", "番号", "番", "or", "and", "および", "及び",
		"または", "又は",
		                              "default", "デフォルト", "初期値", "既定値", "既定", "標準", "no" };
	static const char *const changeable[] = { "configurable", "user configurable", "変更可能", "変更可", "設定可能",
		"設定可", "可変",
		                                  "設定変更可", "selectable", "adjustable" };
	static const char *const through[] = { "-", "~", "から", "to", "..." , "..", "→" };
	struct words_ports p = { 0 };
	struct span s = plain;
	bool after_number = false;      /* and nothing but blanks since */
	while (s.n) {
		unsigned lo, hi;
		bool found = false, after = after_number;
		after_number = after && s.p[0] == ' ';
		if (strchr(" \n,;/|:&()[]{}+", s.p[0]) || take(&s, "、") || take(&s, "。")) {
			if (s.n && strchr(" \n,;/|:&()[]{}+", s.p[0])) {
				after_number = after_number && s.p[0] == ' ';
				s = span_from(s, 1);
			}
			continue;
		}
		if (s.p[0] >= '0' && s.p[0] <= '9') {
			/* "1,04" is no list of two. */
			if (s.p[0] == '0' && s.n > 1 && s.p[1] >= '0' && s.p[1] <= '9')
				return false;
			if (!take_number(&s, 5, &lo))
				return false;
			hi = lo;
			struct span t = s;
			blanks(&t);
			for (size_t i = 0; i < sizeof(through) / sizeof(through[0]) && !found; i++)
				found = take(&t, through[i]);
			if (found) {
				blanks(&t);
				if (!take_number(&t, 5, &hi))
					return false;
				s = t;
				(void)take(&s, "まで");
			}
			if (!lo || lo > 65535 || hi < lo || hi > 65535 || p.n == WORDS_PORTS)
				return false;
			p.v[p.n++] = (struct conf_port_range){ (uint16_t)lo, (uint16_t)hi };
			p.unparted = p.unparted || after;
			after_number = true;
			continue;
		}
		for (size_t i = 0; i < sizeof(changeable) / sizeof(changeable[0]) && !found; i++)
			found = take(&s, changeable[i]);
		if (found) {
			p.configurable = true;
			continue;
		}
		for (size_t i = 0; i < sizeof(filler) / sizeof(filler[0]) && !found; i++) {
			struct span t = s;
			found = take(&t, filler[i]) && !(word_byte((uint8_t)filler[i][0]) && t.n && t.p[0] >= 'a' && t.p[0] <= 'z');
			if (found)
				s = t;
		}
		if (found)
			continue;
		/* One word */
		size_t n = 0;
		while (n < s.n && (s.p[n] >= 0x80 || (s.p[n] >= 'a' && s.p[n] <= 'z') || s.p[n] == '-' || s.p[n] == '_'))
			n++;
		if (!n)
			n = 1;
		struct span word = { s.p, n };
		/* "-5" */
		if (span_eq(word, span_str("-")) && s.n > 1 && s.p[1] >= '0' && s.p[1] <= '9')
			return false;
		if (span_eq(word, span_str("tcp")))
			p.tcp = true;
		else if (span_eq(word, span_str("udp")))
			p.udp = true;
		else if (span_eq(word, span_str("icmp")) || span_eq(word, span_str("ping")))
			p.icmp = true;
		else if (!span_eq(word, span_str("-")))
			keep_rest(&p, word);
		s = span_from(s, n);
	}
	*ret = p;
	return true;
}

/* ---- footnotes ---- */

static bool take_end(struct span *s, const char *word)
{
	size_t n = strlen(word);
	if (s->n < n || memcmp(s->p + s->n - n, word, n))
		return false;
	s->n -= n;
	return true;
}

/* A digit at the end, of any form, in ASCII; 0: none. */
static char take_end_digit(struct span *s)
{
	static const char *const superscripts[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
	static const char *const wide[] = { "０", "１", "２", "３", "４", "５", "６", "７", "８", "９" };
	if (s->n && s->p[s->n - 1] >= '0' && s->p[s->n - 1] <= '9')
		return (char)s->p[--s->n];
	for (int i = 0; i < 10; i++)
		if (take_end(s, superscripts[i]) || take_end(s, wide[i]))
			return (char)('0' + i);
	return 0;
}

static const char *const signs[] = { "※", "＊", "*", "注", "†" };

void words_take_mark(struct span *text, char ret[static WORDS_MARK])
{
	struct span s = *text;
	char digits[3] = "", d;
	size_t n = 0;
	ret[0] = 0;
	bool bracket = take_end(&s, ")") || take_end(&s, "）");
	while (n < 2 && (d = take_end_digit(&s))) {
		memmove(digits + 1, digits, n);
		digits[0] = d;
		n++;
	}
	while (take_end(&s, " "))
		;
	const char *sign = NULL;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]) && !sign; i++)
		if (take_end(&s, signs[i]))
			sign = signs[i];
	/* 注 alone is a word. */
	if (!sign || (!n && !strcmp(sign, "注") && !bracket))
		return;
	if (bracket && !take_end(&s, "(") && !take_end(&s, "（"))
		return;
	while (take_end(&s, " ") || take_end(&s, "\n") || take_end(&s, "　"))
		;
	(void)snprintf(ret, WORDS_MARK, "%s%s", !strcmp(sign, "＊") ? "*" : sign, digits);
	*text = s;
}

void words_lead_mark(struct span *text, char ret[static WORDS_MARK])
{
	struct span s = *text;
	ret[0] = 0;
	bool bracket = take(&s, "(") || take(&s, "（");
	const char *sign = NULL;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]) && !sign; i++)
		if (take(&s, signs[i]))
			sign = signs[i];
	if (!sign)
		return;
	char plain[WORDS_MAX], digits[3] = "";
	blanks(&s);
	/* At most two digits, of either width. */
	for (size_t n = 0; n < 2 && s.n; n++) {
		size_t len = s.p[0] >= 0x80 ? 3 : 1;
		struct span one = words_plain((struct span){ s.p, len < s.n ? len : s.n }, plain);
		if (one.n != 1 || one.p[0] < '0' || one.p[0] > '9')
			break;
		digits[n] = (char)one.p[0];
		digits[n + 1] = 0;
		s = span_from(s, len);
	}
	if (!digits[0] && !strcmp(sign, "注") && !bracket)
		return;
	if (bracket && !take(&s, ")") && !take(&s, "）"))
		return;
	while (take(&s, " ") || take(&s, "　") || take(&s, ":") || take(&s, "：") || take(&s, ".") || take(&s, "）") || take(&s, ")"))
		;
	(void)snprintf(ret, WORDS_MARK, "%s%s", !strcmp(sign, "＊") ? "*" : sign, digits);
	*text = s;
}
