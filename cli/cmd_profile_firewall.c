/* spanward profile firewall: the declarations as rules for a firewall, to be read by whoever runs it. */
#include <errno.h>
#include <getopt.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/page.h"
#include "cli/watched.h"
#include "core/err.h"
#include "core/log.h"
#include "documents/firewall.h"

static const char help[] =
"usage: spanward profile firewall -p DIR [OPTION...] [UNIT...]\n"
"\n"
"Prints, for each unit or those that are named, what its declarations let through, as a proposal for the firewall in front\n"
"of it: rows in force, addresses of the site's roles, each rule with document, revision and row. What cannot be\n"
"written stands there as a comment. Nothing is applied.\n"
"\n"
"  -p, --policy DIR      device types, inventory and site\n"
"      --format FORMAT   nftables (default; check it with nft -c -f FILE), acl (a line per rule, for any firewall)\n"
"      --rest WHAT       what happens to what no row allows: log (default: logged and let through), drop\n"
"  -o, --output FILE     write there; the file appears when it is whole\n"
"  -q, --quiet           no summary on standard error\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 policy wrong, 5 permission.\n"
"\n"
"Example: spanward profile firewall -p policy/ --format nftables -o ct-1.nft ct-1\n";

static const struct cmd this = { "profile firewall", "", help, NULL };

enum { OPT_FORMAT = 256, OPT_REST };

/* A name that is misspelt must not give an empty proposal. */
static bool knows(const struct policy *p, const char *id)
{
	struct policy_device d;
	for (uint32_t i = 0; i < policy_devices(p); i++) {
		policy_device(p, i, &d);
		if (span_eq(d.id, span_str(id)))
			return d.type.n > 0;
	}
	return false;
}

static int print(const struct watched *w, const struct firewall_options *o, const char *output, bool quiet)
{
	struct firewall_count n = { 0 };
	struct page page;
	for (size_t i = 0; i < o->n_units; i++) {
		char name[ESCAPE_NAME];
		if (!knows(matrix_policy(w->matrix), o->units[i])) {
			log_say("spanward profile firewall: the inventory has no unit %s with a device type",
				escape_name(o->units[i], name));
			return ERR_EXIT_USAGE;
		}
	}
	page_begin(&page);
	int code = page_end(&page, output, page.to ? firewall_print(w->matrix, o, page.to, &n) : -ENOMEM);
	if (!code && !quiet)
		log_say("units %zu, rules %zu, left out %zu (each is a comment that says why)", n.units, n.rules, n.left_out);
	return code;
}

int cmd_profile_firewall(int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' }, { "format", required_argument, NULL, OPT_FORMAT },
		{ "rest", required_argument, NULL, OPT_REST }, { "output", required_argument, NULL, 'o' },
		{ "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	static const char *const forms[] = { "nftables", "acl", NULL }, *const rests[] = { "log", "drop", NULL };
	struct firewall_options o = { .form = FIREWALL_NFTABLES };
	const char *policy = NULL, *output = NULL;
	bool quiet = false;
	int i;
	for (int opt; (opt = getopt_long(argc, argv, ":p:o:qh", options, NULL)) != -1;) {
		switch (opt) {
		case 'h':
			return cmd_help(&this);
		case 'p':
			policy = optarg;
			break;
		case 'o':
			output = optarg;
			break;
		case 'q':
			quiet = true;
			break;
		case OPT_FORMAT:
			if ((i = cmd_choice(&this, "--format", optarg, forms)) < 0)
				return ERR_EXIT_USAGE;
			o.form = (enum firewall_form)i;
			break;
		case OPT_REST:
			if ((i = cmd_choice(&this, "--rest", optarg, rests)) < 0)
				return ERR_EXIT_USAGE;
			o.drops = i == 1;
			break;
		default:
			return cmd_bad_option(&this, opt, argv, options);
		}
	}
	if (!policy)
		return cmd_usage(&this, "which policy? (-p DIR)");
	o.units = (const char *const *)&argv[optind];
	o.n_units = (size_t)(argc - optind);
	struct watched w;
	int code = watched_read(&w, policy, NULL, 0, quiet);
	if (!code)
		code = print(&w, &o, output, quiet);
	watched_end(&w);
	return code;
}
