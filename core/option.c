#include "core/option.h"

#include <stdio.h>
#include <string.h>

#include "core/conf.h"

enum { MAX_OPTIONS = 64 };

static const char *name_of(int val, const struct option *options)
{
	for (const struct option *o = options; o->name; o++)
		if (o->val == val)
			return o->name;
	return NULL;
}

/* How many names begin with what was typed, as getopt_long lets one shorten them. */
static unsigned beginning(struct span typed, const struct option *options)
{
	unsigned n = 0;
	for (const struct option *o = options; o->name; o++)
		n += !strncmp(o->name, (const char *)typed.p, typed.n);
	return n;
}

static const char *unknown_long(const char *typed, const struct option *options, char why[static 256])
{
	const char *names[MAX_OPTIONS] = { NULL };
	size_t n = 0;
	struct span word = { (const uint8_t *)typed, strcspn(typed, "=") };
	for (const struct option *o = options; o->name && n < MAX_OPTIONS; o++)
		names[n++] = o->name;
	const char *near = conf_nearest(word, names, n);
	/* "--language" for --lang */
	for (size_t i = 0; i < n && !near; i++)
		if (strlen(names[i]) >= 3 && !strncmp(names[i], typed, strlen(names[i])))
			near = names[i];
	(void)snprintf(why, 256, "%s option '--%.*s'%s%s%s", beginning(word, options) > 1 ? "more than one" : "there is no",
	               word.n < 60 ? (int)word.n : 60, typed, near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
	return why;
}

const char *option_typed(int opt, const struct option *options, char ret[static OPTION_NAME])
{
	const char *name = name_of(opt, options);
	(void)snprintf(ret, OPTION_NAME, "--%s", name ? name : "?");
	return ret;
}

const char *option_fault(int opt, char *const *argv, const struct option *options, char why[static 256])
{
	const char *name = optopt ? name_of(optopt, options) : NULL;
	if (opt == ':')
		(void)snprintf(why, 256, "--%.60s needs a value", name ? name : "?");
	else if (name)
		(void)snprintf(why, 256, "--%.60s takes no value", name);
	else if (optopt)
		(void)snprintf(why, 256, "there is no option '-%c'", optopt);
	else
		return unknown_long(argv[optind - 1] + strspn(argv[optind - 1], "-"), options, why);
	return why;
}
