/* printed.h -- what the commands that print pages share: their common options, and the loop that takes them. */
#ifndef CLI_PRINTED_H
#define CLI_PRINTED_H

#include <stdbool.h>

#include "cli/cmd.h"
#include "rules/rule.h"

/* For the option table: -o, --format, -q, -h of all; -p, --lang and --color of those that have them. Own options from PRINTED_OWN on. */
enum { PRINTED_FORMAT = 768, PRINTED_LANG, PRINTED_COLOR, PRINTED_OWN };
#define PRINTED_OPTIONS \
	{ "output", required_argument, NULL, 'o' }, { "format", required_argument, NULL, PRINTED_FORMAT }, \
	{ "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' }
#define PRINTED_POLICY { "policy", required_argument, NULL, 'p' }
#define PRINTED_LANGUAGE { "lang", required_argument, NULL, PRINTED_LANG }
#define PRINTED_COLORS { "color", required_argument, NULL, PRINTED_COLOR }

struct printed {
	const char *policy, *output, *color;    /* NULL: not said */
	int form;                       /* index of the command's formats; -1: not said */
	enum rule_language language;
	bool quiet;
};

/* Takes the options of a command: -1 to go on with what stands at optind, or the exit code. `own` (may be NULL) gets an option of the
 * command's own, with optarg: 0, or the exit code. */
int printed_take(const struct cmd *c, int argc, char **argv, const struct option *options, const char *const *forms,
		 struct printed *ret, int (*own)(void *arg, int opt), void *arg);

#endif
