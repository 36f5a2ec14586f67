#include "cli/cmd.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/writer.h"
#include "core/buf.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/log.h"
#include "core/option.h"
#include "core/standard.h"

const struct cmd *const cmd_list[] = {
	&cmd_replay, &cmd_run, &cmd_check, &cmd_alerts, &cmd_explain, &cmd_assets, &cmd_profile, &cmd_device, &cmd_window,
	&cmd_accept, &cmd_undo, &cmd_audit, &cmd_bundle, &cmd_span_check, NULL,
};

int cmd_usage(const struct cmd *c, const char *why)
{
	log_say("spanward %s: %s", c->name, why);
	log_say("Try 'spanward %s --help'.", c->name);
	return ERR_EXIT_USAGE;
}

int cmd_bad_option(const struct cmd *c, int opt, char *const *argv, const struct option *options)
{
	char why[256];
	return cmd_usage(c, option_fault(opt, argv, options, why));
}

/* Whether a shell that is given `name` would run this very program. */
static bool in_path(const char *name)
{
	const char *path = getenv("PATH");
	struct stat self, other;
	char candidate[PATH_MAX];
	if (!path || stat("/proc/self/exe", &self))
		return false;
	for (; *path; path += *path == ':') {
		int n = (int)strcspn(path, ":");
		bool fits = snprintf(candidate, sizeof(candidate), "%.*s/%s", n, path, name) < (int)sizeof(candidate);
		path += n;
		/* The first program of that name is the one that is run. */
		if (n && fits && stat(candidate, &other) == 0 && S_ISREG(other.st_mode) && (other.st_mode & 0111))
			return other.st_dev == self.st_dev && other.st_ino == self.st_ino;
	}
	return false;
}

const char *cmd_program(char ret[static ESCAPE_SHELL])
{
	/* errno(3) of the GNU C library: argv[0], and what follows its last '/'. */
	const char *typed = program_invocation_name, *name = program_invocation_short_name;
	return escape_shell(in_path(name) ? name : typed, ret);
}

int cmd_help(const struct cmd *c)
{
	(void)fputs(c->help, stdout);
	return standard_flush() ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
}

int cmd_choice(const struct cmd *c, const char *option, const char *value, const char *const *words)
{
	int i = writer_choice(words, value);
	if (i >= 0)
		return i;
	char mem[512];
	struct buf b = buf_over(mem, sizeof(mem) - 1);
	size_t n = 0;
	(void)buf_printf(&b, "%s %.60s: expected", option, value);
	for (; words[n]; n++)
		(void)buf_printf(&b, "%s %s", n ? "," : "", words[n]);
	const char *near = conf_nearest(span_str(value), words, n);
	if (near)
		(void)buf_printf(&b, "; did you mean %s?", near);
	mem[b.len] = '\0';
	(void)cmd_usage(c, mem);
	return -1;
}
