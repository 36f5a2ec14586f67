/* MDS2 forms: IDs as they are printed, answers as they are given, in sheets and in text. Whole forms: tests/import.sh. */
/* Covers: R075 */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "core/test.h"
#include "documents/mds2_form.h"

static struct draft d;
static struct conf_report rep;

static void ids(void)
{
	static const struct { const char *from, *to; } cases[] = {
		{ "CONN-1.1.1", "CONN-1.1.1" }, { " SHAD-15 ", "SHAD-15" }, { "ｄｏｃ－７", "DOC-7" }, { "MPII\xe2\x80\x91" "3.10.", "MPII-3.10" },
		{ "RMOT - 1", "RMOT-1" }, { "15-7", "15-7" }, { "18-2.1", "18-2.1" }, { "A", "A" }, { "B.2", "B.2" }, { "TXCF-2:", "TXCF-2" },
		{ "CONN", NULL }, { "CONN-", NULL }, { "CONN-1.", "CONN-1" }, { "CONN-1.x", NULL }, { "AB-1", NULL }, { "ABCDE-1", NULL },
		{ "E", NULL }, { "Note 1", NULL }, { "115-7", NULL }, { "2026-03-01", NULL }, { "", NULL }, { "CONN-1 Does it", NULL },
		{ "CONN-111111111111111", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char got[MDS2_ID] = "";
		bool is = mds2_id(span_str(cases[i].from), got);
		if (is != (cases[i].to != NULL) || (is && strcmp(got, cases[i].to)))
			fprintf(stderr, "  '%s' gives '%s'\n", cases[i].from, got);
		CU_ASSERT(is == (cases[i].to != NULL) && (!is || !strcmp(got, cases[i].to)));
	}
	CU_ASSERT(mds2_known("SHAD-15") && mds2_known("SAHD-15") && mds2_known("RMOT-3") && mds2_known("DOC-1"));
	CU_ASSERT(!mds2_known("RMOT-4") && !mds2_known("SHAD-1") && !mds2_known("DOC-11.5") && !mds2_known("15-7"));
}

static void refs(void)
{
	static const struct { const char *from, *to; } cases[] = {
		{ "see note 3", "3" }, { "see notes 12", "12" }, { "note #4", "4" }, { "5", "5" }, { "see note", "" }, { "notes", "" },
		{ "see note 3 and 4", "" }, { "__", "" }, { "", "" }, { "1.2", "" },
	};
	char got[MDS2_ID];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_STRING_EQUAL(mds2_form_ref(span_str(cases[i].from), got), cases[i].to);
	bool other;
	CU_ASSERT(mds2_form_heading(span_str("SOFTWARE BILL OF MATERIALS (SBoM) A list"), &other) && !other);
	CU_ASSERT(mds2_form_heading(span_str("OTHER SECURITY CONSIDERATIONS (OTHR)"), &other) && other);
	CU_ASSERT(!mds2_form_heading(span_str("Does the device (e.g. CT) scan?"), &other));
}

static const struct conf_node *answer(const char *id) { return conf_get(conf_get(conf_get(d.root, "mds2"), "answers"), id); }

static void is(const char *id, const char *a, const char *raw, const char *note, const char *ref)
{
	static const char *const keys[] = { "a", "raw", "note", "ref" };
	const char *want[] = { a, raw, note, ref };
	for (int i = 0; i < 4; i++) {
		struct span got = conf_text(conf_get(answer(id), keys[i]), "");
		if (!span_eq(got, span_str(want[i])))
			fprintf(stderr, "  %s: %s is '%.*s', not '%s'\n", id, keys[i], (int)got.n, (const char *)got.p, want[i]);
		CU_ASSERT(span_eq(got, span_str(want[i])));
	}
}

static size_t said(enum draft_remark what)
{
	size_t n = 0;
	for (size_t i = 0; i < d.n_said; i++)
		n += d.said[i].what == what;
	return n;
}

static void read_text(const char *text, const char *kind)
{
	draft_free(&d);
	memset(&rep, 0, sizeof(rep));
	CU_ASSERT_FATAL(draft_new(&d, NULL));
	CU_ASSERT_FATAL(mds2_text_is(span_str(text)));
	CU_ASSERT_STRING_EQUAL(mds2_text_kind(span_str(text)), kind);
	CU_ASSERT_EQUAL_FATAL(draft_source(&d, kind, "x.txt", span_str(text)), 0);
	CU_ASSERT_EQUAL(mds2_read_text(&d, span_str(text), 0), 0);
	int r = draft_end(&d, &rep);
	for (size_t i = 0; i < rep.n; i++)
		fprintf(stderr, "  %s:%u: %s\n", rep.v[i].file, rep.v[i].line, rep.v[i].what);
	CU_ASSERT_EQUAL(r, 0);
}

static void text(void)
{
	/* Separators mixed, questions quoted or not, broken over lines, answers with tails. */
	read_text("Statement\nDOC-1:Manufacturer Name:Example: Imaging, Inc.\nDOC-3,Device Model: CT-64\nDOC-7,Document Release Date: March 1, 2026\n"
		  "DOC-8,Disclosure: Does the maker have a programme?: Yes\n"
		  "CONNECTIVITY CAPABILITIES (CONN) All of them. CONN-0\n"
		  "CONN-1,Does the device have hardware connectivity capabilities?____\n"
		  "CONN-1.2.4,Other?: Yes,\"HDMI, DP, SDI\"\nCONN-2\tA list?\tNo\tSee Note 2\n"
		  "CONN-4,\"Can it talk to others (e.g., a \"\"host\"\")? \": No\nCONN-7.1,Is TLS configurable?: Yes, HTTPS/HTTP\n"
		  "PAUT-4,\"Are all default accounts (e.g., service) listed?\": N/A: No default accounts\nDTBK-4,Backup?: No,\n"
		  "CSUP-2,\"If yes, complete 2.1-2.4.\": See Note 1\nMPII-3.5,Does the device transmit data\nover a wired network?: Yes\n"
		  "TXCF-2,Encrypted?: sometimes\nTXCF-2,Encrypted?: No\nNote 1: patches\nOTHER (OTHR)\nlocked cabinet\n", "mds2-2019");
	is("DOC-1", "Example: Imaging, Inc.", "", "", "");
	is("DOC-7", "2026-03-01", "March 1, 2026", "", "");
	is("DOC-8", "yes", "", "", "");
	is("CONN-1", "unknown", "____", "", "");
	is("CONN-1.2.4", "yes", "", "HDMI, DP, SDI", "");
	is("CONN-2", "no", "", "", "See Note 2");
	is("CONN-4", "no", "", "", "");
	is("CONN-7.1", "yes", "", "HTTPS/HTTP", "");
	is("PAUT-4", "na", "", "No default accounts", "");
	is("DTBK-4", "no", "", "", "");
	is("CSUP-2", "see_note", "See Note", "", "See Note 1");
	is("MPII-3.5", "yes", "", "", "");
	is("TXCF-2", "sometimes", "", "", "");
	CU_ASSERT_STRING_EQUAL(d.maker, "Example: Imaging, Inc.");
	CU_ASSERT_STRING_EQUAL(d.model, "CT-64");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_EMPTY_ANSWER), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_ODD_ANSWER), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_TWICE), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_FOOTNOTE), 1);   /* Note 2 */
	CU_ASSERT_EQUAL(said(DRAFT_SAY_MISSING), 1);
	struct span other = conf_text(conf_get(conf_get(d.root, "mds2"), "other"), "");
	CU_ASSERT(span_eq(other, span_str("locked cabinet")));
	/* The last sentence of a section head's line is no question; interfaces follow from the answers. */
	CU_ASSERT_EQUAL(conf_count(conf_get(d.root, "interfaces")), 1);
}

static void older(void)
{
	read_text("Manufacturer Disclosure Statement HN 1-2013\n1-1 Automatic logoff: Yes\n2-1 Audit trail: No\n3-1 Users: Yes\n4-1 Reconfigure: No\n"
		  "5-1 Patches: See Note 1\n15-6 Are all shared resources which are not required disabled?: Yes\n"
		  "15-7 Are all communication ports which are not required closed/disabled?: Yes\n"
		  "18-2 Is private data encrypted prior to transmission via a network?: No\n18-3 Is it limited to a fixed list of network destinations?: N/A\n"
		  "20-1 Can the device be serviced remotely?: Yes\n", "mds2-2013");
	is("15-7", "yes", "", "", "");
	is("SAHD-8", "yes", "", "", "HN 1-2013 15-7");
	is("SAHD-7", "yes", "", "", "HN 1-2013 15-6");
	is("TXCF-2", "no", "", "", "HN 1-2013 18-2");
	is("TXCF-3", "na", "", "", "HN 1-2013 18-3");
	is("RMOT-1", "yes", "", "", "HN 1-2013 20-1");
	/* Those that are not known to the mapping are kept, and said. */
	is("1-1", "yes", "", "", "");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_UNMAPPED), 5);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_MISSING), 0);
}

static void none(void)
{
	CU_ASSERT(!mds2_text_is(span_str("Port,Protocol\n1-1,TCP\n1-2,TCP\n1-3,TCP\n1-4,TCP\n1-5,x\n1-6,x\n1-7,x\n1-8,x\n1-9,x\n2-1,x\n")));
	CU_ASSERT(!mds2_text_is(span_str("CONN-1,x\nCONN-2,y\n")));
	CU_ASSERT(!mds2_text_is(span_str("")));
	draft_free(&d);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "ids", ids }, { "refs", refs }, { "text", text }, { "older", older }, { "none", none }, CU_TEST_INFO_NULL
	};
	return test_run("mds2", tests);
}
