#include "cli/cmd.h"

#include <string.h>

#include "cli/writer.h"
#include "core/buf.h"
#include "core/conf.h"
#include "core/err.h"

const struct cmd *const cmd_list[] = {
	&cmd_replay, &cmd_run, &cmd_check, &cmd_alerts, &cmd_explain, &cmd_assets, NULL,
};

int cmd_usage(const struct cmd *c, const char *why)
{
	(void)fprintf(stderr, "spanward %s: %s\nTry 'spanward %s --help'.\n", c->name, why, c->name);
	return ERR_EXIT_USAGE;
}

int cmd_help(const struct cmd *c)
{
	(void)fputs(c->help, stdout);
	return fflush(stdout) ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
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
