/* spanward profile: device types as files. A row of `actions` per subcommand. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/log.h"
#include "core/standard.h"
#include "rules/policy_model.h"

static const char help[] =
"usage: spanward profile ACTION [OPTION...] FILE|DIR...   (spanward profile ACTION --help says more)\n"
"\n"
"  convert FILE   print a device type in the long form: everything that the short form says, with the\n"
"                 document and row of each fact. What it prints makes the same policy.\n"
"\n"
"  import [-o FILE] FILE...\n"
"                 make a device type of a maker's documents: tables of ports, MDS2, LDIF\n"
"  lint FILE|DIR...\n"
"                 compare what the documents of a type say with each other: contradictions, gaps, questions\n"
"  inquiry FILE|DIR...\n"
"                 print these questions as a sheet for each maker, with document, revision and row\n"
"  matrix -p DIR [CAPTURE...]\n"
"                 the communication matrix: declared against seen, per unit, port and direction\n"
"  coverage -p DIR CAPTURE...\n"
"                 the matrix added up: how far documents and traffic explain each other\n"
"  learn -p DIR CAPTURE...\n"
"                 write down what traffic shows, in a file that is no declaration\n"
"  diff -p DIR OBSERVED...\n"
"                 declared, observed and accepted side by side\n"
"  what-if -p DIR --with DIR CAPTURE|FLOWS...\n"
"                 what a proposed policy would judge otherwise\n"
"  mud FILE       a MUD file (RFC 8520) becomes a device type, a device type a MUD file; what is lost is said\n"
"  firewall -p DIR [UNIT...]\n"
"                 what the declarations let through, as a proposal for nftables or another firewall\n"
"\n"
"  -h, --help     this text\n"
"\n"
"Exit codes: 0 ok, 2 usage, 3 a file is wrong, 5 it may not be read.\n"
"\n"
"Examples\n"
"  spanward profile convert endorec-400.yaml >endorec-400-long.yaml\n"
"  spanward profile import -o policy/ct-64.yaml ports.xlsx\n"
"  spanward profile lint policy/\n"
"  spanward profile inquiry --lang ja --format html -o inquiry.html policy/\n";

static const char convert_help[] =
"usage: spanward profile convert FILE\n"
"\n"
"Prints a device type in the long form: everything that the short form says, with the document and row of each fact. What it\n"
"prints makes the same policy, byte for byte.\n"
"\n"
"  -h, --help   this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 the file is wrong, 5 it may not be read.\n"
"\n"
"Example: spanward profile convert endorec-400.yaml >endorec-400-long.yaml\n";

static const struct cmd convert_cmd = { "profile convert", "", convert_help, NULL };

static int convert(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	int opt = getopt_long(argc, argv, ":h", options, NULL);
	if (opt == 'h')
		return cmd_help(&convert_cmd);
	if (opt != -1)
		return cmd_bad_option(&convert_cmd, opt, argv, options);
	if (argc - optind != 1)
		return cmd_usage(&convert_cmd, "which FILE?");
	struct conf_report rep = { 0 };
	int err = policy_write_converted(argv[optind], stdout, &rep);
	conf_say(&rep);
	if (err) {
		int code = (int)err_exit_code(err);
		return code == ERR_EXIT_PERMISSION ? code : ERR_EXIT_CONFIG;
	}
	err = standard_flush();
	if (err)
		log_say("spanward: standard output cannot be written: %s", err_text(err));
	return err ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);      /* argv[0] is its name */
} actions[] = {
	{ "convert", convert },
	{ "import", cmd_profile_import },
	{ "lint", cmd_profile_lint },
	{ "inquiry", cmd_profile_inquiry },
	{ "matrix", cmd_profile_matrix },
	{ "coverage", cmd_profile_coverage },
	{ "what-if", cmd_profile_what_if },
	{ "mud", cmd_profile_mud },
	{ "firewall", cmd_profile_firewall },
	{ "learn", cmd_profile_learn },
	{ "diff", cmd_profile_diff },
};

static int run(int argc, char **argv)
{
	enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };
	const char *names[ACTIONS];
	if (argc < 2)
		return cmd_usage(&cmd_profile, "what is to be done? (convert, import, lint, inquiry, matrix, coverage, what-if, "
			"mud, firewall, "
				 "learn, diff)");
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
		return cmd_help(&cmd_profile);
	for (size_t i = 0; i < ACTIONS; i++) {
		names[i] = actions[i].name;
		if (!strcmp(argv[1], names[i]))
			return actions[i].run(argc - 1, argv + 1);
	}
	const char *near = conf_nearest(span_str(argv[1]), names, ACTIONS);
	char why[160];
	(void)snprintf(why, sizeof(why), "there is no '%.40s'%s%s%s", argv[1], near ? "; did you mean " : "", near ? near : "",
		       near ? "?" : "");
	return cmd_usage(&cmd_profile, why);
}

const struct cmd cmd_profile = { "profile", "device types: convert, import, compare their documents, ask the maker", help, run };
