/* spanward profile inquiry: the questions that lint has, as a sheet for each maker. */
#include <errno.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/page.h"
#include "cli/printed.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "documents/inquiry.h"

static const char help[] =
"usage: spanward profile inquiry [OPTION...] FILE|DIR...\n"
"\n"
"Prints the inquiry sheet: what to ask each maker about the documents of its devices. Each question cites document,\n"
"revision and row, and has a place for the answer. The questions are those of spanward profile lint.\n"
"\n"
"      --lang en|ja      language of the sheet (default: by the locale)\n"
"      --format FORMAT   markdown (default), html (to print), csv (for a spreadsheet, one line per question)\n"
"      --least GRADE     leave out what is below: question (default), gap, contradiction\n"
"      --maker NAME      the part of one maker only\n"
"      --from NAME       whose inquiry it is; without it a blank to fill in\n"
"      --date DATE       date of the sheet, instead of today\n"
"  -o, --output FILE     write there; the file appears when it is whole\n"
"  -q, --quiet           no summary on standard error\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 a file is wrong, 5 it may not be read.\n"
"\n"
"Example: spanward profile inquiry --lang ja --format html -o inquiry.html policy/\n";

static const struct cmd this = { "profile inquiry", "", help, NULL };

enum { OPT_DATE = PRINTED_OWN, OPT_LEAST, OPT_FROM, OPT_MAKER };

static int print(const struct inquiry_options *o, const struct printed *p, char **paths, int n)
{
	struct policy_model m = { 0 };
	struct conf_report rep = { 0 };
	struct page page;
	size_t questions = 0;
	int err = papers_read((const char *const *)paths, (size_t)n, &m, &rep), code;
	conf_say(&rep);
	if (err) {
		if (!rep.total)
			log_say("spanward: %s", err_text(err));
		code = (int)err_exit_code(err);
		policy_load_free(&m);
		return code == ERR_EXIT_PERMISSION || err == -ENOMEM ? code : ERR_EXIT_CONFIG;
	}
	page_begin(&page);
	err = page.to ? inquiry_print(&m, o, page.to, &questions) : -ENOMEM;
	code = page_end(&page, p->output, err);
	if (!code && !p->quiet)
		log_say(o->language == RULE_JA ? "照会%zu件、機器種別%zu" : "questions %zu, device types %zu",
			questions, m.types.n);
	policy_load_free(&m);
	return code;
}

static int take_own(void *arg, int opt)
{
	struct inquiry_options *o = arg;
	int i;
	switch (opt) {
	case OPT_FROM:
		o->from = optarg;
		return 0;
	case OPT_MAKER:
		o->maker = optarg;
		return 0;
	case OPT_LEAST:
		if ((i = cmd_choice(&this, "--least", optarg, lint_grades)) < 0)
			return ERR_EXIT_USAGE;
		o->least = (enum lint_grade)i;
		return 0;
	default:
		return clock_parse(span_str(optarg), &o->today_ns) ? cmd_usage(&this, "--date: expected a day, as in 2026-12-01") : 0;
	}
}

int cmd_profile_inquiry(int argc, char **argv)
{
	static const struct option options[] = {
		PRINTED_OPTIONS, PRINTED_LANGUAGE, { "least", required_argument, NULL, OPT_LEAST },
		{ "from", required_argument, NULL, OPT_FROM }, { "maker", required_argument, NULL, OPT_MAKER },
		{ "date", required_argument, NULL, OPT_DATE }, { 0 },
	};
	static const char *const formats[] = { "markdown", "csv", "html", NULL };
	struct inquiry_options o = { .today_ns = clock_now_ns() };
	struct printed p;
	int code = printed_take(&this, argc, argv, options, formats, &p, take_own, &o);
	if (code >= 0)
		return code;
	o.language = p.language;
	if (p.form >= 0)
		o.format = (enum printout_format)p.form;
	if (optind == argc)
		return cmd_usage(&this, "which FILE or DIR?");
	return print(&o, &p, argv + optind, argc - optind);
}
