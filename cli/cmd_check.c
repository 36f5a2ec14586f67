/* spanward check: are these files as they should be? */
#include <getopt.h>
#include <stdio.h>

#include "cli/cmd.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/log.h"
#include "core/standard.h"
#include "rules/policy.h"
#include "sensor/setup.h"

static const char help[] =
"usage: spanward check FILE|DIR...\n"
"\n"
"Reads device types, inventory and site as the sensor would, and prints every fault with file, line and\n"
"column. A directory is checked as a whole: roles that nothing defines, units of unknown types, two units\n"
"with one address. The configuration file of a sensor (kind: sensor) is checked too. Nothing is changed.\n"
"\n"
"  -q, --quiet   say nothing about files that are right\n"
"  -h, --help    this text\n"
"\n"
"Exit codes: 0 all right, 2 usage, 3 a file is wrong, 5 a file may not be read.\n"
"\n"
"Example: spanward check policy/\n";

/* The configuration of a sensor is told by its kind; all else is policy. */
static int check_one(const char *path, struct conf_report *rep)
{
	if (!setup_is_config(path))
		return policy_check_path(path, rep);
	struct setup s;
	setup_defaults(&s);
	int err = setup_config(&s, path, rep);
	setup_free(&s);
	return err;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	bool quiet = false;
	for (int opt; (opt = getopt_long(argc, argv, ":qh", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_check);
		if (opt != 'q')
			return cmd_bad_option(&cmd_check, opt, argv, options);
		quiet = true;
	}
	if (optind == argc)
		return cmd_usage(&cmd_check, "which FILE or DIR?");
	int code = ERR_EXIT_OK;
	for (int i = optind; i < argc; i++) {
		struct conf_report rep = { 0 };
		char name[ESCAPE_NAME];
		int err = check_one(argv[i], &rep);
		conf_say(&rep);
		if (!err) {
			if (!quiet)
				(void)printf("%s: right\n", escape_name(argv[i], name));
			continue;
		}
		/* One fault needs no total, and what no fault tells (no memory) has a name of its own. */
		if (rep.total > 1)
			log_say("%s: %zu faults", escape_name(argv[i], name), rep.total);
		else if (!rep.total)
			log_say("%s: %s", escape_name(argv[i], name), err_text(err));
		int this = (int)err_exit_code(err);
		/* A file that is not there is a wrong configuration here. */
		this = this == ERR_EXIT_PERMISSION ? this : ERR_EXIT_CONFIG;
		code = code == ERR_EXIT_CONFIG ? code : this;
	}
	int err = standard_flush();
	if (err)
		log_say("spanward: standard output cannot be written: %s", err_text(err));
	return err ? ERR_EXIT_FAILURE : code;
}

const struct cmd cmd_check = { "check", "check device types, inventory and site for faults", help, run };
