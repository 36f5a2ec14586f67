/* spanward window: maintenance windows, opened and closed by one command. */
#include <stdio.h>
#include <string.h>

#include "cli/decided.h"
#include "cli/listing.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"

static const char help[] =
"usage: spanward window open DEVICE (--for DURATION | --until TIME) --by WHO --ticket TICKET [OPTION...]\n"
"       spanward window close DEVICE|WINDOW [OPTION...]\n"
"       spanward window list [--all] [OPTION...]\n"
"\n"
"While a window is open, what a device does beside its declaration keeps its verdict and its citation, has severity\n"
"info and names the window; what the site forbids stays as grave as it is. A running sensor takes the change within\n"
"a second or two. Everything is written down (spanward audit) and taken back by spanward undo.\n"
"\n"
"  -p, --policy DIR      policy directory (default " DECIDE_DIR ")\n"
"      --for DURATION    how long: 2h, 90m, ...\n"
"      --until TIME      when it closes\n"
"      --from TIME       when it opens (default: now)\n"
DECIDED_TIMES
"      --by WHO          who works on the device\n"
"      --ticket TICKET   under which number that was agreed\n"
"      --role ROLE       only with hosts of this role of the site; may be given several times (default: whoever)\n"
"      --reason TEXT     what for\n"
"      --who NAME        who decides (default: you)\n"
"      --all             also those that are over\n"
"      --format FORMAT   table (default on a terminal), jsonl (default on a pipe)\n"
"      --lang en|ja      language of the table\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 the policy is or would be wrong (nothing is changed), 5 permission.\n"
"\n"
"Example: spanward window open ct-3 --for 2h --by 'Example Service' --ticket CHG-7\n";

enum { OPT_FROM = DECIDED_OWN, OPT_BY, OPT_TICKET, OPT_ROLE, OPT_ALL, MAX_ROLES = 8 };

static const struct option options[] = {
	DECIDED_OPTIONS,
	{ "from", required_argument, NULL, OPT_FROM }, { "by", required_argument, NULL, OPT_BY },
	{ "ticket", required_argument, NULL, OPT_TICKET }, { "role", required_argument, NULL, OPT_ROLE },
	{ "all", no_argument, NULL, OPT_ALL }, { 0 },
};

struct window {
	struct decided d;
	const char *by, *ticket, *roles[MAX_ROLES];
	size_t n_roles;
	struct decided_when from;
	bool all;
};

static int take(struct window *w, int opt, const char *arg)
{
	int code = decided_take(&cmd_window, &w->d, opt, arg);
	if (code >= 0)
		return code;
	if (opt == OPT_ALL) {
		w->all = true;
		return 0;
	}
	if (opt == OPT_FROM)
		return decided_take_time(&cmd_window, "--from", arg, &w->from);
	if (!*arg || !decided_is_text(arg, POLICY_KEYS_NAME))
		return cmd_usage(&cmd_window, "--by, --ticket and --role: expected 1 to 64 bytes of UTF-8 without control characters");
	if (opt == OPT_ROLE && w->n_roles == MAX_ROLES)
		return cmd_usage(&cmd_window, "at most 8 roles");
	if (opt == OPT_ROLE)
		w->roles[w->n_roles++] = arg;
	else
		*(opt == OPT_BY ? &w->by : &w->ticket) = arg;
	return 0;
}

#define WINDOW_MAX_NS (UINT64_C(366) * 86400 * CLOCK_SECOND)

static int open_window(struct window *w, const char *device, struct decide *d)
{
	char name[32], what[DECIDE_WHAT], left[DECIDED_LEFT];
	uint64_t now = clock_now_ns(), from = 0, to = 0;
	int code = decided_time_of(&cmd_window, "--from", &w->from, d, &from);
	from = from ? from : now;
	code = code ? code : decided_end(&cmd_window, &w->d, d, from, &to);
	if (code)
		return code;
	if (to > from && to - from > WINDOW_MAX_NS)
		return cmd_usage(&cmd_window, "a window is open for a year at most");
	if (!decided_unit(d, device))
		return ERR_EXIT_CONFIG;
	(void)snprintf(name, sizeof(name), "w-%llu", (unsigned long long)decide_next(d));
	struct conf_node *item = decide_new(d);
	decide_set(d, item, "device", device);
	decide_set_time(d, item, "from", from);
	decide_set_time(d, item, "to", to);
	decide_set(d, item, "by", w->by);
	decide_set(d, item, "ticket", w->ticket);
	if (w->n_roles)
		decide_set_list(d, item, "roles", w->roles, w->n_roles);
	decide_set_time(d, item, "at", now);
	decide_set(d, item, "who", w->d.who);
	decide_set(d, item, "reason", w->d.reason);
	(void)snprintf(what, sizeof(what), "window %s for %.64s until %s, %.64s, ticket %.64s", name, device, decided_time(to, left), w->by,
		       w->ticket);
	code = decide_put(d, "windows", name, item, "window open", w->d.who, what);
	if (!code)
		(void)printf("%s; to take it back: spanward undo %llu\n", what, (unsigned long long)decide_next(d) - 1);
	return code;
}

/* A window by its name, or the one of a device that is open now or opens later. */
static const struct conf_node *find(const struct decide *d, const char *what, uint64_t now, char name[static DECIDE_NAME])
{
	const struct conf_node *list = decide_list(d, "windows"), *found = NULL;
	unsigned n = 0;
	for (size_t i = 0; i < conf_count(list); i++) {
		const struct conf_node *w = conf_at(list, i);
		bool named = span_eq(conf_key_at(list, i), span_str(what));
		if (conf_date_ns(conf_get(w, "to"), 0) <= now || (!named && !span_eq(conf_text(conf_get(w, "device"), ""), span_str(what))))
			continue;
		n++;
		found = w;
		(void)snprintf(name, DECIDE_NAME, "%.*s", (int)conf_key_at(list, i).n, (const char *)conf_key_at(list, i).p);
		if (named)
			return w;
	}
	if (n == 1)
		return found;
	if (n)
		log_say("spanward: %s has %u windows that are not over: name one of them (spanward window list)", what, n);
	else
		log_say("spanward: no window of %s is open (those of site.yaml are changed there)", what);
	return NULL;
}

static int close_window(struct window *w, const char *which, struct decide *d)
{
	char name[DECIDE_NAME], what[DECIDE_WHAT];
	uint64_t now = clock_now_ns();
	const struct conf_node *old = find(d, which, now, name);
	if (!old)
		return ERR_EXIT_FAILURE;
	/* One that has not opened yet never was; one that is open ends now. */
	struct conf_node *item = NULL;
	uint64_t from = conf_date_ns(conf_get(old, "from"), 0);
	if (from / CLOCK_SECOND < now / CLOCK_SECOND) {
		item = decide_copy(d, old, "to");
		decide_set_time(d, item, "to", now);
	}
	struct span device = conf_text(conf_get(old, "device"), "");
	(void)snprintf(what, sizeof(what), "window %s of %.*s closed", name, (int)device.n, (const char *)device.p);
	int code = decide_put(d, "windows", name, item, "window close", w->d.who, what);
	if (!code)
		(void)printf("%s; to take it back: spanward undo %llu\n", what, (unsigned long long)decide_next(d) - 1);
	return code;
}

static int list_windows(struct window *w, struct decide *d)
{
	static const struct listing_column columns[] = {
		{ "window", "window", "作業期間" }, { "device", "device", "機器" },
		{ "from", "from", "開始" }, { "to", "to", "終了" },
		{ "state", "state", "状態" }, { "left", "left", "残り" }, { "by", "by", "作業者" },
		{ "ticket", "ticket", "整理番号" },
		{ "where", "in", "記載" },
	};
	struct listing l;
	char from[DECIDED_LEFT], to[DECIDED_LEFT], left[DECIDED_LEFT];
	uint64_t now = clock_now_ns();
	const struct policy_model *m = decide_model(d);
	if (!m)
		return ERR_EXIT_CONFIG;
	(void)listing_begin(&l, w->d.format, w->d.language, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < m->windows.n; i++) {
		const struct policy_model_window *x = &m->windows.v[i];
		const struct conf_node *n = x->at.node;
		const char *base = strrchr(x->at.file, '/');
		bool over = x->to_ns <= now, begun = x->from_ns <= now;
		if (over && !w->all)
			continue;
		static const char *const states[][2] = { { "over", "終了" }, { "open", "実施中" }, { "later", "予定" } };
		const struct span row[] = {
			x->name, x->device.text, span_str(decided_time(x->from_ns, from)), span_str(decided_time(x->to_ns, to)),
			span_str(states[over ? 0 : begun ? 1 : 2][w->d.language == RULE_JA && l.table]),
			span_str(over ? "" : decided_left(x->to_ns, now, left)),
			conf_text(conf_get(n, "by"), ""), x->ticket, span_str(base ? base + 1 : x->at.file),
		};
		listing_row(&l, row);
	}
	return listing_end(&l);
}

static int run(int argc, char **argv)
{
	static struct window w;
	static const char *const verbs[] = { "open", "close", "list", NULL };
	decided_defaults(&w.d);
	for (int opt; (opt = getopt_long(argc, argv, ":p:h", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_window);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&cmd_window, opt, argv, options);
		int code = take(&w, opt, optarg);
		if (code)
			return code;
	}
	if (optind == argc)
		return cmd_usage(&cmd_window, "what is to be done? (open, close, list)");
	int verb = cmd_choice(&cmd_window, "action", argv[optind], verbs), n = argc - optind - 1;
	if (verb < 0)
		return ERR_EXIT_USAGE;
	if (verb == 2 ? n != 0 : n != 1)
		return cmd_usage(&cmd_window, verb == 2 ? "list takes no argument" : verb ? "close takes one DEVICE or WINDOW" :
				 "open takes one DEVICE");
	if (verb == 0 && !w.d.for_s == !w.d.until.text)
		return cmd_usage(&cmd_window, "a window ends: give --for DURATION or --until TIME");
	if (verb == 0 && (!w.by || !w.ticket))
		return cmd_usage(&cmd_window, "who works on it, and under which number? Give --by and --ticket");
	struct decide *d = NULL;
	int code = decide_open(w.d.dir, verb != 2, &d);
	if (!code)
		code = verb == 2 ? list_windows(&w, d) : (verb ? close_window : open_window)(&w, argv[optind + 1], d);
	decide_close(d);
	return code;
}

const struct cmd cmd_window = { "window", "open, close and list maintenance windows", help, run };
