/* spanward profile learn: what traffic shows, in a file of its own. */
#include <errno.h>
#include <getopt.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/page.h"
#include "cli/watched.h"
#include "core/err.h"
#include "core/log.h"
#include "documents/observed.h"
#include "sensor/source.h"

static const char help[] =
"usage: spanward profile learn -p DIR [-o FILE] CAPTURE...\n"
"\n"
"Writes down what the units of the inventory did in the captures: per unit, direction, port and peer how often, first and\n"
"last, and by which row of its documents. What no document declares is also drafted as a row of the short form, without\n"
"citation. The file is no declaration, and no policy directory takes it for one: a person compares (spanward profile diff),\n"
"asks the maker and writes down what the documents say, or accepts a finding (spanward accept).\n"
"\n"
"  -p, --policy DIR      device types, inventory and site\n"
"  -o, --output FILE     write there; the file appears when it is whole\n"
"  -q, --quiet           no summary and no progress on standard error\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 policy wrong, 4 a capture is unreadable or cut short (what was read before is in\n"
"the file), 5 permission.\n"
"\n"
"Example: spanward profile learn -p policy/ -o november.observed.yaml monday.pcapng tuesday.pcapng\n";

static const struct cmd this = { "profile learn", "", help, NULL };

int cmd_profile_learn(int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' }, { "output", required_argument, NULL, 'o' }, { "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' }, { 0 },
	};
	const char *policy = NULL, *output = NULL;
	bool quiet = false;
	for (int opt; (opt = getopt_long(argc, argv, ":p:o:qh", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&this);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&this, opt, argv, options);
		if (opt == 'q')
			quiet = true;
		else
			*(opt == 'p' ? &policy : &output) = optarg;
	}
	size_t n = (size_t)(argc - optind);
	if (!policy)
		return cmd_usage(&this, "which policy? (-p DIR)");
	if (!n || n > SOURCE_MAX_FILES)
		return cmd_usage(&this, n ? "too many captures at a time" : "which CAPTURE?");
	struct watched w;
	const char *const *captures = (const char *const *)&argv[optind];
	int code = watched_read(&w, policy, captures, n, quiet);
	if (w.matrix && (!code || code == ERR_EXIT_INPUT)) {
		struct page page;
		page_begin(&page);
		int err = page.to ? observed_write(w.matrix, captures, n, w.packets, page.to) : -ENOMEM;
		int printed = page_end(&page, output, err);
		code = printed ? printed : code;
		size_t rows = 0, undeclared = 0;
		for (size_t i = 0; i < matrix_count(w.matrix); i++) {
			rows += matrix_at(w.matrix, i)->flows != 0;
			undeclared += matrix_at(w.matrix, i)->flows && matrix_at(w.matrix, i)->state == MATRIX_UNDECLARED;
		}
		if (!quiet)
			log_say("%llu packets, %llu flows; %zu rows seen, %zu of them declared nowhere", w.packets, w.flows, rows,
				undeclared);
	}
	watched_end(&w);
	return code;
}
