/* spanward audit: who changed what in a policy directory by command, and whether that is all that happened. */
#include <stdio.h>

#include "cli/decided.h"
#include "cli/listing.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"

static const char help[] =
"usage: spanward audit [OPTION...]\n"
"\n"
"Lists what spanward device, window, accept and undo changed, oldest first: who, when, what, and what became of it. The\n"
"journal (journal.jsonl in the policy directory) only grows; each line holds the digest of the one before and of the\n"
"file that came of it, so that a line changed or taken out, or a file changed by other means, is noticed and said.\n"
"What people decided about alerts is listed by spanward alerts audit.\n"
"\n"
"  -p, --policy DIR      policy directory (default " DECIDE_DIR ")\n"
"      --format FORMAT   table (default on a terminal), jsonl (default on a pipe)\n"
"      --lang en|ja      language of the table\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure or the journal does not hold, 2 usage, 3 no policy directory, 5 permission.\n"
"\n"
"Example: spanward audit -p policy/ --format jsonl | grep '\"device swap\"'\n";

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' }, { "format", required_argument, NULL, DECIDED_FORMAT },
		{ "lang", required_argument, NULL, DECIDED_LANG }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	static const struct listing_column columns[] = {
		{ "n", "change", "番号" }, { "at", "when", "日時" }, { "who", "who", "実施者" }, { "command", "command", "操作" },
		{ "what", "what", "内容" }, { "state", "state", "状態" }, { "list", NULL, NULL }, { "item", NULL, NULL },
		{ "before", NULL, NULL }, { "after", NULL, NULL },
	};
	struct decided v;
	struct listing l;
	char why[256];
	decided_defaults(&v);
	for (int opt; (opt = getopt_long(argc, argv, ":p:h", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_audit);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&cmd_audit, opt, argv, options);
		int code = decided_take(&cmd_audit, &v, opt, optarg);
		if (code)
			return code;
	}
	if (optind < argc)
		return cmd_usage(&cmd_audit, "takes no argument");
	struct decide *d = NULL;
	int code = decide_open(v.dir, false, &d);
	if (code)
		return code;
	(void)listing_begin(&l, v.format, v.language, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < decide_entries(d); i++) {
		struct decide_entry e;
		char n[24], at[DECIDED_LEFT], state[64] = "";
		static uint8_t before[16 << 10], after[16 << 10];
		struct buf b = buf_over(before, sizeof(before)), a = buf_over(after, sizeof(after));
		decide_entry(d, i, &e);
		(void)snprintf(n, sizeof(n), "%llu", (unsigned long long)e.n);
		bool ja = v.language == RULE_JA && l.table;
		char what_ja[DECIDE_WHAT] = "";
		if (e.void_)
			(void)snprintf(state, sizeof(state), "%s", ja ? "適用されず" : "never in force");
		else if (e.undone_by)
			(void)snprintf(state, sizeof(state), ja ? "変更%lluで取消し" : "taken back by %llu",
				       (unsigned long long)e.undone_by);
		if (ja)
			decided_what_ja(&e, what_ja);
		if (e.before)
			decide_text(&b, e.before);
		if (e.after)
			decide_text(&a, e.after);
		const struct span row[] = { span_str(n), span_str(decided_time(e.at_ns, at)), e.who, e.command,
					    what_ja[0] ? span_str(what_ja) : e.what, span_str(state),
					    e.list, e.item, buf_span(&b), buf_span(&a) };
		listing_row(&l, row);
	}
	code = listing_end(&l);
	if (!decide_holds(d, why)) {
		log_say("spanward: %s: %s", v.dir, why);
		code = ERR_EXIT_FAILURE;
	}
	decide_close(d);
	return code;
}

const struct cmd cmd_audit = { "audit", "list what was changed by command, by whom, and check the journal", help, run };
