/* spanward profile: device types as files. A row of `actions` per subcommand. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/log.h"
#include "core/standard.h"
#include "rules/policy_model.h"

static const char help[] =
"usage: spanward profile convert FILE\n"
"\n"
"  convert FILE   print a device type in the long form: everything that the short form says, with the\n"
"                 document and row of each fact. What it prints makes the same policy.\n"
"\n"
"  -h, --help     this text\n"
"\n"
"Exit codes: 0 ok, 2 usage, 3 the file is wrong, 5 it may not be read.\n"
"\n"
"Example: spanward profile convert endorec-400.yaml >endorec-400-long.yaml\n";

static int convert(int argc, char **argv)
{
	if (argc != 2)
		return cmd_usage(&cmd_profile, "convert takes one FILE");
	struct conf_report rep = { 0 };
	int err = policy_write_converted(argv[1], stdout, &rep);
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
};

static int run(int argc, char **argv)
{
	enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };
	const char *names[ACTIONS];
	if (argc < 2)
		return cmd_usage(&cmd_profile, "what is to be done? (convert)");
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

const struct cmd cmd_profile = { "profile", "device types: convert between their forms", help, run };
