#include "cli/printed.h"

#include "cli/writer.h"
#include "core/err.h"

static int take(const struct cmd *c, int opt, const char *const *forms, struct printed *p)
{
	static const char *const colors[] = { "auto", "always", "never", NULL };
	switch (opt) {
	case 'p':
		p->policy = optarg;
		return 0;
	case 'o':
		p->output = optarg;
		return 0;
	case 'q':
		p->quiet = true;
		return 0;
	case PRINTED_FORMAT:
		return (p->form = cmd_choice(c, "--format", optarg, forms)) < 0 ? ERR_EXIT_USAGE : 0;
	case PRINTED_LANG:
		return writer_parse_language(optarg, &p->language) ? 0 : cmd_usage(c, "--lang: expected en or ja");
	default:
		p->color = optarg;
		return cmd_choice(c, "--color", optarg, colors) < 0 ? ERR_EXIT_USAGE : 0;
	}
}

/* The short ones are those of the table. */
static const char *letters(const struct option *options)
{
	for (; options->name; options++)
		if (options->val == 'p')
			return ":p:o:qh";
	return ":o:qh";
}

int printed_take(const struct cmd *c, int argc, char **argv, const struct option *options, const char *const *forms,
		 struct printed *ret, int (*own)(void *arg, int opt), void *arg)
{
	*ret = (struct printed){ .form = -1, .language = writer_language() };
	for (int opt; (opt = getopt_long(argc, argv, letters(options), options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(c);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(c, opt, argv, options);
		int code = opt >= PRINTED_OWN && own ? own(arg, opt) : take(c, opt, forms, ret);
		if (code)
			return code;
	}
	return -1;
}
