/* spanward profile firewall: the declarations as rules for a firewall, to be read by whoever runs it. */
#include <errno.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/page.h"
#include "cli/printed.h"
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

enum { OPT_REST = PRINTED_OWN };

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

static int take_rest(void *arg, int opt)
{
	static const char *const rests[] = { "log", "drop", NULL };
	struct firewall_options *o = arg;
	int i = cmd_choice(&this, "--rest", optarg, rests);
	(void)opt;
	o->drops = i == 1;
	return i < 0 ? ERR_EXIT_USAGE : 0;
}

int cmd_profile_firewall(int argc, char **argv)
{
	static const struct option options[] = { PRINTED_OPTIONS, PRINTED_POLICY, { "rest", required_argument, NULL, OPT_REST }, { 0 } };
	static const char *const forms[] = { "nftables", "acl", NULL };
	struct firewall_options o = { .form = FIREWALL_NFTABLES };
	struct printed a;
	int code = printed_take(&this, argc, argv, options, forms, &a, take_rest, &o);
	if (code >= 0)
		return code;
	if (a.form >= 0)
		o.form = (enum firewall_form)a.form;
	if (!a.policy)
		return cmd_usage(&this, "which policy? (-p DIR)");
	o.units = (const char *const *)&argv[optind];
	o.n_units = (size_t)(argc - optind);
	struct watched w;
	code = watched_read(&w, a.policy, NULL, 0, a.quiet);
	if (!code)
		code = print(&w, &o, a.output, a.quiet);
	watched_end(&w);
	return code;
}
