/* spanward profile inquiry: the questions that lint has, as a sheet for each maker. */
#include <errno.h>
#include <getopt.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/page.h"
#include "cli/writer.h"
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
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 a file is wrong, 5 it may not be read.\n"
"\n"
"Example: spanward profile inquiry --lang ja --format html -o inquiry.html policy/\n";

static const struct cmd this = { "profile inquiry", "", help, NULL };

enum { OPT_FORMAT = 256, OPT_LANG, OPT_DATE, OPT_LEAST, OPT_FROM, OPT_MAKER };

static int print(const struct inquiry_options *o, const char *output, char **paths, int n)
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
	code = page_end(&page, output, err);
	if (!code)
		log_say(o->language == RULE_JA ? "照会%zu件、機器種別%zu" : "questions %zu, device types %zu", questions, m.types.n);
	policy_load_free(&m);
	return code;
}

int cmd_profile_inquiry(int argc, char **argv)
{
	static const struct option options[] = {
		{ "lang", required_argument, NULL, OPT_LANG },
		{ "format", required_argument, NULL, OPT_FORMAT }, { "least", required_argument, NULL, OPT_LEAST },
		{ "from", required_argument, NULL, OPT_FROM }, { "maker", required_argument, NULL, OPT_MAKER }, { "date",
			required_argument, NULL, OPT_DATE },
		{ "output", required_argument, NULL, 'o' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	static const char *const formats[] = { "markdown", "csv", "html", NULL };
	struct inquiry_options o = { .language = writer_language(), .today_ns = clock_now_ns() };
	const char *output = NULL;
	int i;
	for (int opt; (opt = getopt_long(argc, argv, ":o:h", options, NULL)) != -1;) {
		switch (opt) {
		case 'h':
			return cmd_help(&this);
		case 'o':
			output = optarg;
			break;
		case OPT_FROM:
			o.from = optarg;
			break;
		case OPT_MAKER:
			o.maker = optarg;
			break;
		case OPT_FORMAT:
			if ((i = cmd_choice(&this, "--format", optarg, formats)) < 0)
				return ERR_EXIT_USAGE;
			o.format = (enum printout_format)i;
			break;
		case OPT_LEAST:
			if ((i = cmd_choice(&this, "--least", optarg, lint_grades)) < 0)
				return ERR_EXIT_USAGE;
			o.least = (enum lint_grade)i;
			break;
		case OPT_LANG:
			if (!writer_parse_language(optarg, &o.language))
				return cmd_usage(&this, "--lang: expected en or ja");
			break;
		case OPT_DATE:
			if (clock_parse(span_str(optarg), &o.today_ns))
				return cmd_usage(&this, "--date: expected a day, as in 2026-12-01");
			break;
		default:
			return cmd_bad_option(&this, opt, argv, options);
		}
	}
	if (optind == argc)
		return cmd_usage(&this, "which FILE or DIR?");
	return print(&o, output, argv + optind, argc - optind);
}
