/* spanward: the one command that people type. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/log.h"
#include "core/standard.h"

enum { MAX_COMMANDS = 32 };

static const struct cmd *find(const char *name)
{
	for (const struct cmd *const *c = cmd_list; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

static int overview(FILE *to)
{
	(void)fputs("usage: spanward COMMAND [ARGUMENT...]\n\n", to);
	for (const struct cmd *const *c = cmd_list; *c; c++)
		(void)fprintf(to, "  %-10s %s\n", (*c)->name, (*c)->summary);
	(void)fputs("  help       what a command does: spanward help COMMAND\n\n"
	            "Begin with: spanward replay CAPTURE\n\n"
	            "Exit codes: 0 ok, 1 failure, 2 usage, 3 configuration, 4 input unreadable, corrupt or of an unknown kind,\n"
	            "5 permission, 10 an alert was found (--fail-on).\n", to);
	return fflush(to) || ferror(to) ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
}

static int unknown(const char *name)
{
	const char *names[MAX_COMMANDS + 2];
	size_t n = 0;
	for (const struct cmd *const *c = cmd_list; *c && n < MAX_COMMANDS; c++)
		names[n++] = (*c)->name;
	names[n++] = "help";
	names[n++] = "--version";
	const char *near = conf_nearest(span_str(name), names, n);
	log_say("spanward: there is no command '%.60s'%s%s%s", name, near ? "; did you mean " : "", near ? near : "",
	        near ? "?" : "");
	log_say("Try 'spanward help'.");
	return ERR_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	/* A reader that goes away (head) shows as EPIPE and ends the output, not the program. */
	(void)signal(SIGPIPE, SIG_IGN);
	standard_open();
	out_arguments(argc, argv);
	log_open("spanward", LOG_LEVEL_INFO);
	if (argc < 2) {
		(void)overview(stderr);
		return ERR_EXIT_USAGE;
	}
	const char *name = argv[1];
	if (!strcmp(name, "--version")) {
		(void)printf("spanward %s\n", SPANWARD_VERSION);
		return standard_flush() ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
	}
	if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h")) {
		if (argc < 3)
			return overview(stdout);
		const struct cmd *c = find(argv[2]);
		return c ? cmd_help(c) : unknown(argv[2]);
	}
	const struct cmd *c = find(name);
	return c ? c->run(argc - 1, argv + 1) : unknown(name);
}
