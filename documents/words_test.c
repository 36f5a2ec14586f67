/* What people write into cells. */
/* Covers: R056 */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "core/test.h"
#include "documents/words.h"

static char memory[WORDS_MAX];
static struct span plain(const char *s) { return words_plain(span_str(s), memory); }

static void forms(void)
{
	static const struct { const char *from, *to; } cases[] = {
		{ "ＴＣＰ／ＵＤＰ　１０４", "tcp/udp 104" }, { "  a \n b　", "a b" }, { "ﾎﾟｰﾄ番号", "ポート番号" }, { "ｻｰﾊﾞ", "サーバ" },
		{ "５０００〜５０１０", "5000~5010" }, { "5000–5010", "5000-5010" }, { "サーバー", "サーバー" }, { "PACS・RIS", "pacs ris" },
		{ "", "" }, { "◯", "○" }, { "ﾊﾟﾋﾟｳﾞ", "パピヴ" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span got = plain(cases[i].from);
		if (!span_eq(got, span_str(cases[i].to)))
			fprintf(stderr, "  '%s' gives '%s', not '%s'\n", cases[i].from, memory, cases[i].to);
		CU_ASSERT(span_eq(got, span_str(cases[i].to)));
	}
}

static void answers(void)
{
	static const struct { const char *from; enum words_answer means; } cases[] = {
		{ "Yes", WORDS_YES }, { "はい", WORDS_YES }, { "○", WORDS_YES }, { "No ", WORDS_NO }, { "いいえ", WORDS_NO },
		{ "該当なし", WORDS_NA }, { "Ｎ／Ａ", WORDS_NA }, { "N.A.", WORDS_NA }, { "See Notes", WORDS_SEE_NOTE },
		{ "See Note", WORDS_SEE_NOTE }, { "yes and no", WORDS_NOTHING }, { "", WORDS_NOTHING }, { "____", WORDS_NOTHING },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(words_answer(plain(cases[i].from)), cases[i].means);
}

static void dates(void)
{
	static const struct { const char *from, *to; } cases[] = {
		{ "2026-03-01", "2026-03-01" }, { "2026/3/1", "2026-03-01" }, { "２０２６年３月１日", "2026-03-01" },
		{ "令和6年3月1日", "2024-03-01" }, { "令和元年5月1日", "2019-05-01" }, { "R6.3.1", "2024-03-01" }, { "平成31年4月30日", "2019-04-30" },
		{ "H30/12/1", "2018-12-01" }, { "昭和64年1月7日", "1989-01-07" }, { "March 1, 2026", "2026-03-01" },
		{ "1 Mar 2026", "2026-03-01" }, { "01-Mar-2026", "2026-03-01" }, { "2019-10-09T12:00:00", "2019-10-09" },
		{ "2026.3.1", "2026-03-01" },
		/* In more than one way, or in none. */
		{ "03/04/2026", NULL }, { "2026-02-30", NULL }, { "2026-13-01", NULL }, { "R6", NULL }, { "2026年3月", NULL }, { "104", NULL },
		{ "2026-03-01x", NULL }, { "", NULL }, { "rs 3.1", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char got[WORDS_DATE] = "";
		bool read = words_date(plain(cases[i].from), got);
		if (read != (cases[i].to != NULL) || (read && strcmp(got, cases[i].to)))
			fprintf(stderr, "  '%s' gives '%s'\n", cases[i].from, got);
		CU_ASSERT(read == (cases[i].to != NULL) && (!read || !strcmp(got, cases[i].to)));
	}
	char got[WORDS_DATE];
	CU_ASSERT(words_find_date(plain("改訂日：令和６年３月１日（第３版）"), got) && !strcmp(got, "2024-03-01"));
	CU_ASSERT(!words_find_date(plain("第3版 ports 104"), got));
	CU_ASSERT(words_serial_date(plain("43747"), got) && !strcmp(got, "2019-10-09"));
	CU_ASSERT(!words_serial_date(plain("104"), got));
	CU_ASSERT(!words_serial_date(plain("437470"), got));
}

static void ports(void)
{
	/* transports in the order tcp, udp, icmp; ! : not read */
	static const struct { const char *from, *to; } cases[] = {
		{ "104", "104" }, { "１０４、５０００〜５０１０", "104 5000-5010" }, { "104/11112", "104 11112" }, { "10 4", "10 4 unparted" },
		{ "tcp 104 11112", "104 11112 tcp unparted" }, { "104\n11112", "104 11112" }, { "104・11112", "104 11112" }, { "104 \n ･11112", "104 11112" },
		{ "104 , 105", "104 105" }, { "104 (105)", "104 105" }, { "5000-\n5010", "5000-5010" }, { "5000 - 5010 6000", "5000-5010 6000 unparted" },
		{ "TCP/UDP 104", "104 tcp udp" },
		{ "TCP 104", "104 tcp" }, { "443/tcp (configurable)", "443 tcp c" }, { "UDP：161，162", "161 162 udp" }, { "5000 - 5010", "5000-5010" },
		{ "5000から5010まで", "5000-5010" }, { "104番ポート", "104" }, { "2762 or 11112", "2762 11112" }, { "icmp", "icmp" },
		{ "104（変更可能）", "104 c" }, { "104 ephemeral", "104 ?ephemeral" }, { "動的", "?動的" }, { "", "" }, { "-", "" },
		{ "70000", "!" }, { "0", "!" }, { "5010-5000", "!" }, { "1234567", "!" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct words_ports p;
		char got[256] = "!";
		if (words_read_ports(words_plain_list(span_str(cases[i].from), memory), &p)) {
			size_t n = 0;
			got[0] = 0;
			for (size_t k = 0; k < p.n; k++)
				n += (size_t)(p.v[k].lo == p.v[k].hi ? snprintf(got + n, sizeof(got) - n, "%s%u", n ? " " : "", p.v[k].lo)
					      : snprintf(got + n, sizeof(got) - n, "%s%u-%u", n ? " " : "", p.v[k].lo, p.v[k].hi));
			n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s%s%s", p.tcp ? " tcp" : "", p.udp ? " udp" : "",
					      p.icmp ? " icmp" : "", p.configurable ? " c" : "");
			n += (size_t)snprintf(got + n, sizeof(got) - n, "%s", p.unparted ? " unparted" : "");
			(void)snprintf(got + n, sizeof(got) - n, "%s%s", p.rest[0] ? " ?" : "", p.rest);
		}
		const char *from = got[0] == ' ' ? got + 1 : got;
		if (strcmp(from, cases[i].to))
			fprintf(stderr, "  '%s' gives '%s', not '%s'\n", cases[i].from, from, cases[i].to);
		CU_ASSERT_STRING_EQUAL(from, cases[i].to);
	}
}

static void footnotes(void)
{
	static const struct { const char *from, *text, *mark; } cases[] = {
		{ "104 ※1", "104", "※1" }, { "104※１", "104", "※1" }, { "104*2", "104", "*2" }, { "104（注1）", "104", "注1" },
		{ "104 (*12)", "104", "*12" }, { "104", "104", "" }, { "備注", "備注", "" }, { "はい※", "はい", "※" }, { "104¹", "104¹", "" },
	};
	char mark[WORDS_MARK];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span s = span_str(cases[i].from);
		words_take_mark(&s, mark);
		if (!span_eq(s, span_str(cases[i].text)) || strcmp(mark, cases[i].mark))
			fprintf(stderr, "  '%s' gives '%.*s' and '%s'\n", cases[i].from, (int)s.n, (const char *)s.p, mark);
		CU_ASSERT(span_eq(s, span_str(cases[i].text)) && !strcmp(mark, cases[i].mark));
	}
	struct span s = span_str("※１：初期値は無効");
	words_lead_mark(&s, mark);
	CU_ASSERT_STRING_EQUAL(mark, "※1");
	CU_ASSERT(span_eq(s, span_str("初期値は無効")));
	s = span_str("*1 see 4.2");
	words_lead_mark(&s, mark);
	CU_ASSERT(!strcmp(mark, "*1") && span_eq(s, span_str("see 4.2")));
	s = span_str("注意事項");
	words_lead_mark(&s, mark);
	CU_ASSERT_STRING_EQUAL(mark, "");
}

static void words(void)
{
	char slug[16];
	CU_ASSERT(words_has(plain("DICOM over TLS"), "tls"));
	CU_ASSERT(!words_has(plain("https"), "http"));
	CU_ASSERT(words_has(plain("PACSサーバ"), "pacs"));
	CU_ASSERT(!words_has(plain("atls"), "tls"));
	CU_ASSERT_STRING_EQUAL(words_slug(plain("Example Medical, K.K."), slug, sizeof(slug)), "example-medical");
	CU_ASSERT_STRING_EQUAL(words_slug(plain("放射線"), slug, sizeof(slug)), "");
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "forms", forms }, { "answers", answers }, { "dates", dates }, { "ports", ports }, { "footnotes", footnotes },
		{ "words", words }, CU_TEST_INFO_NULL
	};
	return test_run("words", tests);
}
