/* spanward accept: a finding that the hospital lives with for a time, with who answers for it and why. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/decided.h"
#include "cli/finding.h"
#include "cli/listing.h"
#include "cli/stored.h"
#include "core/addr.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"

static const char help[] =
"usage: spanward accept ALERT_ID --reason TEXT --owner NAME (--until TIME | --for DURATION) [OPTION...]\n"
"       spanward accept --end ALERT_ID [OPTION...]\n"
"       spanward accept --list [--unused | --expired] [OPTION...]\n"
"\n"
"Accepts one finding: this rule, device, peer and port. It is told all the same, with severity info and the\n"
"acceptance's name, until the acceptance ends; anything else the device does is judged as ever. In the store the alert\n"
"is acknowledged until then. The list says of each whether it is in force and when it was last needed: --unused shows those\n"
"that nothing needed since they were given, --expired those that are over. Everything is written down (spanward audit)\n"
"and taken back by spanward undo.\n"
"\n"
"  -p, --policy DIR      policy directory (default " DECIDE_DIR ")\n"
"      --reason TEXT     why it can be accepted\n"
"      --owner NAME      who answers for it\n"
"      --for DURATION    for how long: 90d; at most a year\n"
"      --until TIME      when it ends\n"
"      --since TIME      from when on (default: now)\n"
DECIDED_TIMES
"      --from FILE       a store, or alerts in JSON Lines as spanward replay writes them (- is standard input);\n"
"                        default: the store of spanward run\n"
"      --who NAME        who decides (default: you)\n"
"      --format FORMAT   of the list: table (default on a terminal), jsonl (default on a pipe)\n"
"      --lang en|ja      language of the table\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure or no such alert, 2 usage, 3 the policy is or would be wrong (nothing is changed), 4 no\n"
"store, or not a store, 5 permission.\n"
"\n"
"Example: spanward accept 3f2a9c0d11e4b7a8 --reason 'printer until the new RIS' --owner 'Radiology, M. Ito' --until 2027-03-31\n";

enum { OPT_OWNER = DECIDED_OWN, OPT_FROM, OPT_SINCE, OPT_LIST, OPT_UNUSED, OPT_EXPIRED, OPT_END };
#define YEAR_NS (UINT64_C(366) * 86400 * CLOCK_SECOND)

static const struct option options[] = {
	DECIDED_OPTIONS,
	{ "owner", required_argument, NULL, OPT_OWNER }, { "from", required_argument, NULL, OPT_FROM },
	{ "since", required_argument, NULL, OPT_SINCE }, { "list", no_argument, NULL, OPT_LIST },
	{ "unused", no_argument, NULL, OPT_UNUSED }, { "expired", no_argument, NULL, OPT_EXPIRED },
	{ "end", required_argument, NULL, OPT_END }, { 0 },
};

struct accept {
	struct decided d;
	const char *owner, *from, *end;
	struct decided_when since;
	bool list, unused, expired;
	char store[WHERE_MAX];
};

static int take(struct accept *a, int opt, const char *arg)
{
	int code = decided_take(&cmd_accept, &a->d, opt, arg);
	if (code >= 0)
		return code;
	switch (opt) {
	case OPT_OWNER:
		a->owner = arg;
		return *arg && decided_is_text(arg, POLICY_KEYS_LABEL) ?
			       0 : cmd_usage(&cmd_accept, "--owner: expected a name of at most 128 bytes");
	case OPT_FROM:
		a->from = arg;
		return 0;
	case OPT_SINCE:
		return decided_take_time(&cmd_accept, "--since", arg, &a->since);
	case OPT_END:
		a->end = arg;
		return 0;
	default:
		*(opt == OPT_UNUSED ? &a->unused : opt == OPT_EXPIRED ? &a->expired : &a->list) = true;
		a->list = true;
		return 0;
	}
}

/* In the store nobody needs to look at it until then. */
static void acknowledge(const struct accept *a, const char *id, uint64_t until_ns)
{
	struct store *s = NULL;
	char reason[600], why[256];
	if (!a->from && access(a->store, R_OK))
		return;
	/* Alerts in a file cannot be acknowledged. */
	if (a->from || store_open(a->store, &s, why))
		return;
	(void)snprintf(reason, sizeof(reason), "accepted: %s", a->d.reason);
	int err = store_decide(s, id, STORE_ACK, a->d.who, reason, until_ns, clock_now_ns());
	if (err)
		log_say("spanward: alert %s was not acknowledged in %s: %s", id, a->store, err_text(err));
	store_close(s);
}

static int accept_one(struct accept *a, const char *id, struct decide *d)
{
	struct finding f;
	char what[DECIDE_WHAT], when[DECIDED_LEFT];
	uint64_t now = clock_now_ns(), from = 0, until = 0;
	int code = decided_time_of(&cmd_accept, "--since", &a->since, d, &from);
	from = from ? from : now;
	code = code ? code : decided_end(&cmd_accept, &a->d, d, now, &until);
	if (code)
		return code;
	if (until <= now && !a->since.text)
		return cmd_usage(&cmd_accept, "--until: that time is over");
	if (until > now + YEAR_NS)
		return cmd_usage(&cmd_accept, "an acceptance lasts a year at most: then somebody looks again");
	code = finding_get(a->from ? a->from : a->store, id, &f);
	if (code)
		return code;
	struct conf_node *item = decide_new(d);
	const struct { const char *key, *value; } texts[] = {
		{ "rule", f.rule }, { "device", f.device }, { "peer", f.peer }, { "transport", f.transport }, { "port", f.port },
		{ "reason", a->d.reason }, { "owner", a->owner }, { "who", a->d.who },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		decide_set(d, item, texts[i].key, texts[i].value);
	decide_set_time(d, item, "from", from);
	decide_set_time(d, item, "until", until);
	decide_set_time(d, item, "at", now);
	(void)snprintf(what, sizeof(what), "alert %s (%.48s, %.64s) accepted until %s, %.128s answers for it", f.id, f.rule, f.device,
		       decided_time(until, when), a->owner);
	code = decide_put(d, "acceptances", f.id, item, "accept", a->d.who, what);
	if (code)
		return code;
	acknowledge(a, f.id, until);
	/* Neither a unit nor a role: what the alert folds by is an address, or a zone or the internet with all its hosts. */
	struct addr ip;
	if (f.peer[0] && !f.peer_name[0] && addr_parse(span_str(f.peer), &ip))
		(void)printf("it covers every host of '%s', not only the one in the alert; for fewer, give that host a role in site.yaml\n",
			     f.peer);
	(void)printf("%s; to take it back: spanward undo %llu\n", what, (unsigned long long)decide_next(d) - 1);
	return ERR_EXIT_OK;
}

/* The acceptance whose id begins so; false when there is none, or more than one. */
static bool find_acceptance(const struct accept *a, const struct decide *d, char id[static DECIDE_NAME])
{
	const struct conf_node *list = decide_list(d, "acceptances");
	struct span begin = span_str(a->end);
	unsigned n = 0;
	for (size_t i = 0; i < conf_count(list); i++) {
		struct span key = conf_key_at(list, i);
		if (begin.n < 4 || key.n < begin.n || memcmp(key.p, begin.p, begin.n))
			continue;
		n++;
		(void)snprintf(id, DECIDE_NAME, "%.*s", (int)key.n, (const char *)key.p);
	}
	if (n > 1)
		log_say("spanward: %u acceptances begin with %s: write more of it (spanward accept --list)", n, a->end);
	else if (!n)
		log_say("spanward: there is no acceptance %s (spanward accept --list)", a->end);
	return n == 1;
}

static int end_one(struct accept *a, struct decide *d)
{
	char what[DECIDE_WHAT], id[DECIDE_NAME];
	if (!find_acceptance(a, d, id))
		return ERR_EXIT_FAILURE;
	(void)snprintf(what, sizeof(what), "acceptance of alert %.64s ended", id);
	int code = decide_put(d, "acceptances", id, NULL, "accept --end", a->d.who, what);
	if (!code)
		(void)printf("%s; to take it back: spanward undo %llu\n", what, (unsigned long long)decide_next(d) - 1);
	return code;
}

static int last_seen(void *arg, const struct alert *a)
{
	*(uint64_t *)arg = a->last_ns;
	return 0;
}

static int list_all(struct accept *a, struct decide *d)
{
	static const struct listing_column columns[] = {
		{ "alert", "alert", "アラートID" }, { "rule", "rule", "規則" }, { "device", "device", "機器" },
		{ "peer", "peer", "相手" },
		{ "service", "service", "サービス" }, { "owner", "owner", "責任者" }, { "until", "until", "期限" },
		{ "left", "left", "残り" }, { "last_needed", "last needed", "最終適用" }, { "reason", "reason", "理由" },
	};
	struct listing l;
	struct store *s = NULL;
	uint64_t now = clock_now_ns();
	const struct policy_model *m = decide_model(d);
	if (!m)
		return ERR_EXIT_CONFIG;
	/* Without a store nothing is known of their use; asked for by name it has to be there. */
	if (a->unused || a->from || !access(a->from ? a->from : a->store, R_OK)) {
		int code = stored_open(a->from ? a->from : a->store, "--from", &s);
		if (code)
			return code;
	}
	(void)listing_begin(&l, a->d.format, a->d.language, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < m->acceptances.n; i++) {
		const struct policy_model_acceptance *x = &m->acceptances.v[i];
		char id[DECIDE_NAME], service[32] = "", until[DECIDED_LEFT], left[DECIDED_LEFT], used[DECIDED_LEFT];
		static const char *const transports[] = { "tcp", "udp", "icmp", "other" };
		uint64_t seen = 0;
		(void)snprintf(id, sizeof(id), "%.*s", (int)x->id.n, (const char *)x->id.p);
		if (s)
			(void)store_alert(s, id, last_seen, &seen);
		bool needed = seen >= x->from_ns;
		if ((a->unused && needed) || (a->expired && x->until_ns > now))
			continue;
		if (x->transport < 4 && x->has_port)
			(void)snprintf(service, sizeof(service), "%s/%u", transports[x->transport], x->port);
		bool ja = a->d.language == RULE_JA && l.table;
		const struct span row[] = {
			x->id, x->rule, x->device, x->peer, span_str(service), x->owner, span_str(decided_time(x->until_ns, until)),
			span_str(ja && x->until_ns <= now ? "期限切れ" : decided_left(x->until_ns, now, left)),
			span_str(!s ? "" : needed ? decided_time(seen, used) : ja ? "適用なし" : "never"), x->reason,
		};
		listing_row(&l, row);
	}
	store_close(s);
	return listing_end(&l);
}

static int run(int argc, char **argv)
{
	static struct accept a;
	decided_defaults(&a.d);
	for (int opt; (opt = getopt_long(argc, argv, ":p:h", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_accept);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&cmd_accept, opt, argv, options);
		int code = take(&a, opt, optarg);
		if (code)
			return code;
	}
	int n = argc - optind;
	const char *id = n == 1 ? argv[optind] : "";
	if (n != (a.list || a.end ? 0 : 1) || (a.list && a.end))
		return cmd_usage(&cmd_accept, a.list || a.end ? "--list and --end stand alone" : "which ALERT_ID?");
	if (n && (strlen(id) < 4 || strlen(id) > ALERT_ID_LEN || strspn(id, "0123456789abcdef") != strlen(id)))
		return cmd_usage(&cmd_accept, "an ALERT_ID is 16 digits of 0-9 and a-f, or at least the first 4 of them");
	if (n && (!a.d.reason || !a.d.reason[0] || !a.owner))
		return cmd_usage(&cmd_accept, "why, and who answers for it? Give --reason and --owner");
	if (n && !a.d.for_s == !a.d.until.text)
		return cmd_usage(&cmd_accept, "an acceptance ends: give --until TIME or --for DURATION");
	if (!a.from && !a.end && where_store(a.store))
		return cmd_usage(&cmd_accept, "no home directory: say where the alert is with --from FILE");
	struct decide *d = NULL;
	int code = decide_open(a.d.dir, !a.list, &d);
	if (!code)
		code = a.list ? list_all(&a, d) : a.end ? end_one(&a, d) : accept_one(&a, id, d);
	decide_close(d);
	return code;
}

const struct cmd cmd_accept = { "accept", "accept a finding for a time, list what was accepted", help, run };
