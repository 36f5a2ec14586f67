/* spanward undo: takes back what spanward device, window or accept did. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/decided.h"
#include "core/err.h"

static const char help[] =
"usage: spanward undo [CHANGE] [OPTION...]\n"
"\n"
"Takes back a change that spanward device, window or accept made: the last one that was not taken back, or the one with\n"
"that number in spanward audit. What was changed again since then is not touched: take the later change back first. The\n"
"undo stands in the journal as a change of its own, and can be taken back by its number.\n"
"\n"
"  -p, --policy DIR      policy directory (default " DECIDE_DIR ")\n"
"      --who NAME        who decides (default: you)\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure or nothing to take back, 2 usage, 3 the policy would be wrong (nothing is changed),\n"
"5 permission.\n"
"\n"
"Example: spanward undo 12\n";

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' }, { "who", required_argument, NULL, DECIDED_WHO },
		{ "help", no_argument, NULL, 'h' }, { 0 },
	};
	struct decided v;
	decided_defaults(&v);
	for (int opt; (opt = getopt_long(argc, argv, ":p:h", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_undo);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&cmd_undo, opt, argv, options);
		int code = decided_take(&cmd_undo, &v, opt, optarg);
		if (code)
			return code;
	}
	uint64_t n = 0;
	char what[DECIDE_WHAT];
	if (argc - optind > 1)
		return cmd_usage(&cmd_undo, "one CHANGE at a time");
	if (optind < argc) {
		const char *s = argv[optind];
		if (!*s || strlen(s) > 9 || strspn(s, "0123456789") != strlen(s) || !(n = strtoull(s, NULL, 10)))
			return cmd_usage(&cmd_undo, "a CHANGE is a number, as spanward audit shows it");
	}
	struct decide *d = NULL;
	int code = decide_open(v.dir, true, &d);
	if (!code)
		code = decide_undo(d, n, v.who, &n, what);
	if (!code)
		(void)printf("taken back: %llu, %s\n", (unsigned long long)n, what);
	decide_close(d);
	return code;
}

const struct cmd cmd_undo = { "undo", "take back a change of device, window or accept", help, run };
