/* cmd.h -- the subcommands of `spanward`: one file and one row of cmd_list each. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include <getopt.h>

#include "core/escape.h"

struct cmd {
	const char *name;
	const char *summary;            /* one line, for `spanward help` */
	const char *help;               /* the whole page: usage, options, an example */
	/* argv[0] is the command's name. The exit code (core/err.h). */
	int (*run)(int argc, char **argv);
};

extern const struct cmd cmd_replay, cmd_run, cmd_check, cmd_explain, cmd_alerts, cmd_assets, cmd_profile, cmd_span_check,
	cmd_device, cmd_window, cmd_accept, cmd_undo, cmd_audit, cmd_bundle;
extern const struct cmd *const cmd_list[];      /* NULL ends */

/* "spanward NAME: why" and where to read on, to stderr; ERR_EXIT_USAGE. */
int cmd_usage(const struct cmd *c, const char *why);
/* The same for what getopt_long() refused: `opt` is '?' or ':'. */
int cmd_bad_option(const struct cmd *c, int opt, char *const *argv, const struct option *options);
/* What to type to run this program again, fit for a shell: its bare name when PATH finds it, else as it was called. */
const char *cmd_program(char ret[static ESCAPE_SHELL]);
/* The page, to stdout; 0. */
int cmd_help(const struct cmd *c);
/* Value of an option that is one of `words`; prints what was expected. Index or -1. */
int cmd_choice(const struct cmd *c, const char *option, const char *value, const char *const *words);

#endif
