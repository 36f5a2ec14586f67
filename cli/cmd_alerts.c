/* spanward alerts: what was found, and what people decided about it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/stored.h"
#include "cli/table.h"
#include "cli/where.h"
#include "cli/writer.h"
#include "collector/store.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "core/utf8.h"
#include "sensor/options.h"

static const char help[] =
"usage: spanward alerts [list] [OPTION...]\n"
"       spanward alerts ack|close|reopen ALERT_ID... --reason TEXT\n"
"       spanward alerts mute ALERT_ID... --reason TEXT (--for DURATION | --until DATE)\n"
"       spanward alerts unmute ALERT_ID... --reason TEXT\n"
"       spanward alerts audit [ALERT_ID...] [OPTION...]\n"
"\n"
"Lists the alerts of a store, worst first, or records a decision about some of them. Every decision is\n"
"kept with who made it, when and why; audit prints them, oldest first. A mute always ends: it silences one alert,\n"
"never a rule or a device. reopen takes back an ack or a close, unmute a mute.\n"
"\n"
"      --store FILE      store of a collector or of spanward run (default: where spanward run keeps it)\n"
"      --state STATE     open, acknowledged, closed, muted, current (open and acknowledged; default), all\n"
"      --severity LEVEL  only info, low, medium, high or critical, and above\n"
"      --reason TEXT     why; others will read it\n"
"      --for DURATION    for how long: 12h, 30d, ...\n"
"      --until DATE      until when: 2026-12-31 (as that day begins in UTC: a store knows no site), or an RFC 3339 time\n"
"      --who NAME        who decides (default: you)\n"
"      --format FORMAT   table (default on a terminal), jsonl (default on a pipe), json, csv\n"
"  -o, --output FILE     write there\n"
"      --lang en|ja      language of the table      --color auto|always|never\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure or no such alert, 2 usage, 4 no store, or not a store, 5 permission.\n"
"\n"
"Example: spanward alerts mute 3f2a9c0d11e4b7a8 --reason 'vendor visit until Friday' --for 5d\n";

enum { OPT_STORE = 256, OPT_STATE, OPT_SEVERITY, OPT_REASON, OPT_FOR, OPT_UNTIL, OPT_WHO, OPT_FORMAT, OPT_LANG, OPT_COLOR,
       REASON_MAX = 500 };

static const struct option options[] = {
	{ "store", required_argument, NULL, OPT_STORE },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "severity", required_argument, NULL, OPT_SEVERITY },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "for", required_argument, NULL, OPT_FOR },
	{ "until", required_argument, NULL, OPT_UNTIL },
	{ "who", required_argument, NULL, OPT_WHO },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "output", required_argument, NULL, 'o' },
	{ "lang", required_argument, NULL, OPT_LANG },
	{ "color", required_argument, NULL, OPT_COLOR },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static const char *const verbs[] = { "ack", "close", "mute", "unmute", "reopen", "list", "audit", NULL };
static const char *const states[] = { "open", "acknowledged", "closed", "muted", "current", "all", NULL };
enum { VERB_LIST = 5, VERB_AUDIT, STATE_CURRENT = 4, STATE_ALL = 5 };

struct alerts {
	char store[WHERE_MAX], who[128];
	const char *reason, *output, *color;
	int verb, state, severity, format;
	uint64_t for_s, until_ns;
	enum rule_language language;
	struct out out;
	struct writer *writer;
	char **ids;             /* audit: only these */
	int n_ids;
};

static int take(struct alerts *a, int opt, const char *arg)
{
	static const char *const colors[] = { "auto", "always", "never", NULL };
	char why[256];
	switch (opt) {
	case OPT_STORE:
		(void)snprintf(a->store, sizeof(a->store), "%s", arg);
		return 0;
	case OPT_STATE:
		return (a->state = cmd_choice(&cmd_alerts, "--state", arg, states)) < 0 ? ERR_EXIT_USAGE : 0;
	case OPT_SEVERITY:
		a->severity = cmd_choice(&cmd_alerts, "--severity", arg, event_vocab.fields[EVENT_F_severity].words);
		return a->severity < 0 ? ERR_EXIT_USAGE : 0;
	case OPT_REASON:
		a->reason = arg;
		return 0;
	case OPT_FOR:
		return options_duration(arg, &a->for_s, why) ? cmd_usage(&cmd_alerts, why) : 0;
	case OPT_UNTIL:
		return clock_parse(span_str(arg), &a->until_ns) ?
		       cmd_usage(&cmd_alerts, "--until: expected a date such as 2026-12-31 or an RFC 3339 time") : 0;
	case OPT_WHO:
		(void)snprintf(a->who, sizeof(a->who), "%s", arg);
		return 0;
	case OPT_FORMAT:
		return (a->format = cmd_choice(&cmd_alerts, "--format", arg, writer_formats)) < 0 ? ERR_EXIT_USAGE : 0;
	case 'o':
		a->output = arg;
		return 0;
	case OPT_LANG:
		return writer_parse_language(arg, &a->language) ? 0 : cmd_usage(&cmd_alerts, "--lang: expected en or ja");
	case OPT_COLOR:
		a->color = arg;
		return cmd_choice(&cmd_alerts, "--color", arg, colors) < 0 ? ERR_EXIT_USAGE : 0;
	default:
		return cmd_usage(&cmd_alerts, "see above");
	}
}

static int show(void *arg, const struct alert *alert)
{
	struct alerts *a = arg;
	bool wanted = a->state == STATE_ALL || (int)alert->state == a->state ||
	              (a->state == STATE_CURRENT && (alert->state == ALERT_OPEN || alert->state == ALERT_ACKNOWLEDGED));
	if (wanted)
		writer_alert(a->writer, alert);
	return out_stopped(&a->out);
}

static int show_audit(void *arg, const struct store_audit *d)
{
	struct alerts *a = arg;
	bool wanted = !a->n_ids;
	for (int i = 0; i < a->n_ids && !wanted; i++)
		wanted = span_eq(d->alert, span_str(a->ids[i]));
	if (wanted)
		writer_audit(a->writer, d);
	return out_stopped(&a->out);
}

static int list(struct alerts *a, struct store *s, char **ids, int n)
{
	char why[256] = "";
	a->ids = ids;
	a->n_ids = n;
	int err = out_open(&a->out, a->output, why);
	if (err) {
		log_say("spanward: %s", why);
		return err == -EACCES ? ERR_EXIT_PERMISSION : ERR_EXIT_FAILURE;
	}
	bool terminal = !a->output && out_is_terminal(&a->out);
	const struct writer_config w = {
		.out = &a->out,
		.format = a->format >= 0 ? (enum writer_format)a->format : terminal ? WRITER_TABLE : WRITER_JSONL,
		.rows = a->verb == VERB_AUDIT ? WRITER_AUDIT : WRITER_ALERTS,
		.language = a->language,
		.color = table_wants_color(a->color, terminal),
		.width = terminal ? table_terminal_width(STDOUT_FILENO) : 0,
	};
	a->writer = writer_new(&w);
	if (!a->writer)
		return ERR_EXIT_FAILURE;
	const struct store_filter f = { .state = -2, .at_least = (enum event_severity)a->severity };
	err = a->verb == VERB_AUDIT ? store_audit(s, show_audit, a) : store_alerts(s, &f, show, a);
	writer_end(a->writer);
	unsigned long long rows = writer_rows(a->writer);
	writer_free(a->writer);
	bool closed = a->out.closed;
	if (out_close(&a->out, err >= 0, why))
		log_say("spanward: %s", why);
	if (closed)
		return ERR_EXIT_OK;
	if (err < 0)
		log_say("spanward: %s: %s", a->store, err_text(err));
	else if (!rows && terminal && a->verb == VERB_AUDIT)
		(void)printf("no decisions\n");
	else if (!rows && terminal)
		(void)printf("no alerts (--state %s)\n", states[a->state]);
	return err < 0 || a->out.err ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
}

static bool is_id(const char *text)
{
	return strlen(text) == ALERT_ID_LEN && strspn(text, "0123456789abcdef") == ALERT_ID_LEN;
}

static int decide(struct alerts *a, struct store *s, char **ids, int n)
{
	static const enum store_action actions[] = { STORE_ACK, STORE_CLOSE, STORE_MUTE, STORE_UNMUTE, STORE_REOPEN };
	static const char *const done[] = { "acknowledged", "closed", "muted", "no longer muted", "open again" };
	uint64_t now = clock_now_ns();
	uint64_t until = a->until_ns ? a->until_ns : a->for_s ? now + a->for_s * CLOCK_SECOND : 0;
	int code = ERR_EXIT_OK;
	if (until && until <= now)
		return cmd_usage(&cmd_alerts, "--until lies in the past");
	for (int i = 0; i < n; i++) {
		int err = store_decide(s, ids[i], actions[a->verb], a->who, a->reason, until, now);
		if (!err) {
			(void)printf("%s: %s\n", ids[i], done[a->verb]);
			continue;
		}
		const char *why = err == -ENOENT ? "no such alert in this store (spanward alerts --state all lists them)" :
				  err != -EALREADY ? err_text(err) : a->verb == STORE_UNMUTE ? "is not muted" :
				  "is neither acknowledged nor closed (a mute is taken back with unmute)";
		log_say("spanward: %s: %s", ids[i], why);
		code = err == -EACCES || err == -EPERM || err == -EROFS ? ERR_EXIT_PERMISSION : ERR_EXIT_FAILURE;
	}
	return fflush(stdout) ? ERR_EXIT_FAILURE : code;
}

static bool is_text(const char *text)
{
	for (struct span s = span_str(text); s.n;) {
		uint32_t cp = 0;
		int n = utf8_next(s, &cp);
		if (n <= 0 || utf8_is_control(cp))
			return false;
		s = span_from(s, (size_t)n);
	}
	return true;
}

static int check(const struct alerts *a, char **ids, int n)
{
	if (a->verb == VERB_LIST)
		return n ? cmd_usage(&cmd_alerts, "list takes no ALERT_ID; spanward explain ALERT_ID shows one") : 0;
	if (!n && a->verb != VERB_AUDIT)
		return cmd_usage(&cmd_alerts, "which ALERT_ID?");
	for (int i = 0; i < n; i++)
		if (!is_id(ids[i]))
			return cmd_usage(&cmd_alerts, "an ALERT_ID is 16 digits of 0-9 and a-f, as spanward alerts shows them");
	if (a->verb == VERB_AUDIT)
		return 0;
	if (!a->reason || !a->reason[0])
		return cmd_usage(&cmd_alerts, "why? Give --reason TEXT: others will read it");
	if (strlen(a->reason) > REASON_MAX)
		return cmd_usage(&cmd_alerts, "--reason is longer than 500 bytes: name a ticket and keep the rest there");
	if (!is_text(a->reason))
		return cmd_usage(&cmd_alerts, "--reason holds control characters, line breaks or bytes that are no UTF-8");
	if (!a->who[0] || !is_text(a->who))
		return cmd_usage(&cmd_alerts, "--who: expected a name in UTF-8 without control characters");
	if (a->verb == STORE_MUTE && !a->for_s == !a->until_ns)
		return cmd_usage(&cmd_alerts, "a mute ends: give --for DURATION or --until DATE");
	if (a->verb != STORE_MUTE && (a->for_s || a->until_ns) && (a->verb == STORE_UNMUTE || a->verb == STORE_REOPEN))
		return cmd_usage(&cmd_alerts, "--for and --until belong to mute, ack and close");
	return 0;
}

static int run(int argc, char **argv)
{
	static struct alerts a = { .verb = VERB_LIST, .state = STATE_CURRENT, .format = -1 };
	a.language = writer_language();
	where_who(a.who, sizeof(a.who));
	for (int opt; (opt = getopt_long(argc, argv, ":o:h", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_alerts);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&cmd_alerts, opt, argv, options);
		int code = take(&a, opt, optarg);
		if (code)
			return code;
	}
	if (optind < argc) {
		a.verb = cmd_choice(&cmd_alerts, "action", argv[optind], verbs);
		if (a.verb < 0)
			return ERR_EXIT_USAGE;
		optind++;
	}
	int code = check(&a, argv + optind, argc - optind);
	if (code)
		return code;
	if (!a.store[0] && where_store(a.store))
		return cmd_usage(&cmd_alerts, "no home directory: say which with --store FILE");
	struct store *s = NULL;
	code = stored_open(a.store, "--store", &s);
	if (code)
		return code;
	bool reads = a.verb == VERB_LIST || a.verb == VERB_AUDIT;
	code = (reads ? list : decide)(&a, s, argv + optind, argc - optind);
	store_close(s);
	return code;
}

const struct cmd cmd_alerts = { "alerts", "list alerts, acknowledge, close or mute them, see who did", help, run };
