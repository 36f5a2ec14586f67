/* spanward device: which units there are and how they are judged; a unit in the place of another, by one command. */
#include <stdio.h>
#include <string.h>

#include "cli/decided.h"
#include "cli/listing.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"

static const char help[] =
"usage: spanward device list [OPTION...]\n"
"       spanward device show DEVICE [OPTION...]\n"
"       spanward device swap OLD NEW [--mac MAC] [--ip ADDRESS] [--serial NUMBER] [--type TYPE] [OPTION...]\n"
"       spanward device mode DEVICE learn|report (--for DURATION | --until TIME) [OPTION...]\n"
"       spanward device mode DEVICE alert|reset [OPTION...]\n"
"\n"
"swap puts NEW (a loaner, a replacement, or the repaired unit that comes back) in the place of OLD: it is judged as OLD\n"
"was, rules and windows of the site for OLD hold for it, and alerts carry its name. A unit that was known before needs no\n"
"--mac: it has the one of the inventory, or of the swap that brought it. Nobody's file is edited: what was decided\n"
"stands in decisions.yaml. mode says how a unit is judged: learn (counted, not alerted), report (told with severity low\n"
"at most) until an end, alert from then on; the same mode again begins its time anew, alert ends it, reset goes back to\n"
"what the inventory says. A running sensor takes the change within a second or two. Everything is written down\n"
"(spanward audit) and taken back by spanward undo.\n"
"\n"
"  -p, --policy DIR      policy directory (default " DECIDE_DIR ")\n"
"      --mac MAC         hardware address of the new unit (default: what is known of a unit of that name)\n"
"      --ip ADDRESS      its address, when it is another than OLD's (default: OLD's; of a unit that comes back to its\n"
"                        place, its own)\n"
"      --serial NUMBER   its serial number\n"
"      --type TYPE       its device type, when it is another than OLD's\n"
"      --for DURATION    how long a mode lasts: 14d, 12h, ...\n"
"      --until TIME      when it ends\n"
DECIDED_TIMES
"      --reason TEXT     why\n"
"      --who NAME        who decides (default: you)\n"
"      --format FORMAT   table (default on a terminal), jsonl (default on a pipe)\n"
"      --lang en|ja      language of the table\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 the policy is or would be wrong (nothing is changed), 5 permission.\n"
"\n"
"Example: spanward device swap er400-or3 loan-17 --mac 00:00:5e:00:53:77 --serial L0017 --reason 'OR 3, pump failed'\n";

enum { OPT_MAC = DECIDED_OWN, OPT_IP, OPT_SERIAL, OPT_TYPE };

static const struct option options[] = {
	DECIDED_OPTIONS,
	{ "mac", required_argument, NULL, OPT_MAC }, { "ip", required_argument, NULL, OPT_IP },
	{ "serial", required_argument, NULL, OPT_SERIAL }, { "type", required_argument, NULL, OPT_TYPE }, { 0 },
};

static const char *const modes[] = { "alert", "report", "learn", "reset", NULL };
static const char *const modes_ja[] = { "通常監視", "報告のみ", "学習" };

struct device {
	struct decided d;
	const char *mac, *ip, *serial, *type;
};

static int take(struct device *v, int opt, const char *arg)
{
	struct mac mac;
	struct addr ip;
	int code = decided_take(&cmd_device, &v->d, opt, arg);
	if (code >= 0)
		return code;
	if (opt == OPT_MAC) {
		v->mac = arg;
		return addr_parse_mac(span_str(arg), &mac) ?
			       cmd_usage(&cmd_device, "--mac: expected a hardware address (00:11:22:33:44:55)") : 0;
	}
	if (opt == OPT_IP) {
		v->ip = arg;
		return addr_parse(span_str(arg), &ip) ? cmd_usage(&cmd_device, "--ip: expected an IP address") : 0;
	}
	if (!*arg || !decided_is_text(arg, POLICY_KEYS_NAME))
		return cmd_usage(&cmd_device, "--serial and --type: expected 1 to 64 bytes of UTF-8 without control characters");
	*(opt == OPT_SERIAL ? &v->serial : &v->type) = arg;
	return 0;
}

static int done(int code, const struct decide *d, const char *what)
{
	if (!code)
		(void)printf("%s; to take it back: spanward undo %llu\n", what, (unsigned long long)decide_next(d) - 1);
	return code;
}

/* What is known of a unit by its name, from before somebody took its place. */
struct known { char mac[ADDR_MAC_STRLEN], ip[ADDR_STRLEN], from[DECIDE_NAME + 16]; };

/* Addresses of the unit as the inventory has it, when there is one of each kind. */
static void known_from_inventory(const struct device *v, const char *name, struct known *k)
{
	static const char none[] = "format: spanward/1\nkind: decisions\n";
	struct policy_model m = { 0 };
	struct conf_report rep = { 0 };
	if (!policy_load_changed(v->d.dir, &(struct policy_change){ "decisions.yaml", span_str(none) }, &m, &rep))
		for (size_t i = 0; i < m.units.n; i++) {
			const struct policy_model_unit *u = &m.units.v[i];
			unsigned macs = 0, ips = 0;
			for (size_t n = 0; span_eq(u->id, span_str(name)) && n < u->selects.n; n++) {
				const struct policy_select *s = &u->selects.v[n];
				if (s->has_mac && !macs++)
					(void)addr_mac_str(&s->mac, k->mac);
				if (s->has_ip && !ips++)
					(void)addr_str(&s->ip, k->ip);
			}
			k->mac[0] = macs > 1 ? '\0' : k->mac[0];
			k->ip[0] = ips > 1 ? '\0' : k->ip[0];
			if (macs || ips)
				(void)snprintf(k->from, sizeof(k->from), "the inventory");
		}
	policy_load_free(&m);
}

/* Fills in what was not typed of a unit that comes back. Its hardware address is its own wherever it stands; an IP address belongs to
 * the place. */
static void fill_known(struct device *v, const char *was, const char *now, struct decide *d, struct known *k)
{
	const struct policy_model *m = decide_model(d);
	bool returns = span_eq(policy_decisions_now(m, span_str(now)), span_str(was));
	*k = (struct known){ 0 };
	known_from_inventory(v, now, k);
	/* A swap that brought it is later than the inventory. */
	for (size_t i = 0; i < m->swaps.n; i++) {
		const struct policy_model_swap *s = &m->swaps.v[i];
		if (!span_eq(s->now, span_str(now)))
			continue;
		if (s->has_mac)
			(void)addr_mac_str(&s->mac, k->mac);
		if (s->has_ip)
			(void)addr_str(&s->ip, k->ip);
		(void)snprintf(k->from, sizeof(k->from), "the swap that brought it");
	}
	bool had_mac = false, other_ip = false;
	for (size_t i = 0; i < m->units.n; i++)
		for (size_t n = 0; span_eq(m->units.v[i].id, span_str(was)) && n < m->units.v[i].selects.n; n++) {
			char ip[ADDR_STRLEN];
			const struct policy_select *s = &m->units.v[i].selects.v[n];
			had_mac |= s->has_mac;
			other_ip |= s->has_ip && k->ip[0] && strcmp(addr_str(&s->ip, ip), k->ip) != 0;
		}
	if (!v->mac && k->mac[0] && had_mac)
		v->mac = k->mac;
	if (!v->ip && other_ip && returns)
		v->ip = k->ip;
}

static int swap(struct device *v, const char *was, const char *now, struct decide *d)
{
	char name[32], what[DECIDE_WHAT];
	if (!*now || !decided_is_text(now, POLICY_KEYS_NAME))
		return cmd_usage(&cmd_device, "the name of a unit has 1 to 64 bytes of UTF-8 without control characters");
	if (!decided_unit(d, was))
		return ERR_EXIT_CONFIG;
	struct known known;
	fill_known(v, was, now, d, &known);
	(void)snprintf(name, sizeof(name), "s-%llu", (unsigned long long)decide_next(d));
	struct conf_node *item = decide_new(d);
	const struct { const char *key, *value; } texts[] = {
		{ "was", was }, { "now", now }, { "ip", v->ip }, { "mac", v->mac }, { "serial", v->serial }, { "type", v->type },
		{ "who", v->d.who }, { "reason", v->d.reason },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		decide_set(d, item, texts[i].key, texts[i].value);
	decide_set_time(d, item, "at", clock_now_ns());
	(void)snprintf(what, sizeof(what), "%.64s stands where %.64s stood%s%.64s", now, was, v->serial ? ", serial " : "",
		       v->serial ? v->serial : "");
	int code = decide_put(d, "swaps", name, item, "device swap", v->d.who, what);
	if (!code && (v->mac == known.mac || v->ip == known.ip))
		(void)printf("%s has %s%s%s, as %s says (--mac, --ip say otherwise)\n", now, v->mac == known.mac ? known.mac : "",
			     v->mac == known.mac && v->ip == known.ip ? ", " : "", v->ip == known.ip ? known.ip : "", known.from);
	return done(code, d, what);
}

/* The decisions about a unit stand under the name that it had when they were made. */
static bool mode_item(struct decide *d, const struct policy_model *m, const char *device, char ret[static DECIDE_NAME])
{
	const struct conf_node *list = decide_list(d, "modes");
	(void)snprintf(ret, DECIDE_NAME, "%s", device);
	for (size_t i = 0; i < conf_count(list); i++) {
		struct span key = conf_key_at(list, i);
		if (!span_eq(policy_decisions_now(m, key), span_str(device)))
			continue;
		(void)snprintf(ret, DECIDE_NAME, "%.*s", (int)key.n, (const char *)key.p);
		return true;
	}
	return false;
}

static int set_mode(struct device *v, const char *device, const char *word, struct decide *d)
{
	char name[DECIDE_NAME], what[DECIDE_WHAT], when[DECIDED_LEFT];
	int mode = cmd_choice(&cmd_device, "mode", word, modes);
	uint64_t now = clock_now_ns(), until = 0;
	bool ends = mode == POLICY_MODE_REPORT || mode == POLICY_MODE_LEARN;
	if (mode < 0)
		return ERR_EXIT_USAGE;
	if (ends && !v->d.for_s == !v->d.until.text)
		return cmd_usage(&cmd_device, "learn and report end: give --for DURATION or --until TIME");
	if (!ends && (v->d.for_s || v->d.until.text))
		return cmd_usage(&cmd_device, "alert and reset have no end");
	int code = decided_end(&cmd_device, &v->d, d, now, &until);
	if (code)
		return code;
	if (ends && until <= now)
		return cmd_usage(&cmd_device, "--until: that time is over");
	if (!decided_unit(d, device))
		return ERR_EXIT_CONFIG;
	bool there = mode_item(d, decide_model(d), device, name);
	if (mode == 3 && !there) {
		log_say("spanward: nothing was decided about the mode of %s: the inventory says it", device);
		return ERR_EXIT_FAILURE;
	}
	struct conf_node *item = NULL;
	if (mode != 3) {
		item = decide_new(d);
		decide_set(d, item, "mode", modes[mode]);
		if (ends)
			decide_set_time(d, item, "until", until);
		decide_set_time(d, item, "at", now);
		decide_set(d, item, "who", v->d.who);
		decide_set(d, item, "reason", v->d.reason);
		(void)snprintf(what, sizeof(what), "%.64s is in mode %s%s%s", device, modes[mode], ends ? " until " : "",
			       ends ? decided_time(until, when) : "");
	} else {
		(void)snprintf(what, sizeof(what), "%.64s is in the mode that the inventory says", device);
	}
	return done(decide_put(d, "modes", name, item, "device mode", v->d.who, what), d, what);
}

/* The mode now, and until when it is another than alert. */
static enum policy_mode mode_now(const struct policy_model_unit *u, uint64_t now, uint64_t *ret_until)
{
	bool over = u->mode_until_ns && u->mode_until_ns <= now;
	*ret_until = over ? 0 : u->mode_until_ns;
	return over ? POLICY_MODE_ALERT : u->mode;
}

static void row(struct listing *l, const struct device *v, const struct policy_model *m, const struct policy_model_unit *u, uint64_t now)
{
	char addresses[256], left[DECIDED_LEFT], until[DECIDED_LEFT], was[DECIDE_NAME] = "", open[128] = "", one[ADDR_STRLEN];
	struct buf b = buf_over(addresses, sizeof(addresses));
	uint64_t ends;
	enum policy_mode mode = mode_now(u, now, &ends);
	for (size_t i = 0; i < u->selects.n; i++) {
		const struct policy_select *s = &u->selects.v[i];
		if (s->has_ip)
			(void)buf_printf(&b, "%s%s", b.len ? " " : "", addr_str(&s->ip, one));
		if (s->has_mac)
			(void)buf_printf(&b, "%s%02x:%02x:%02x:%02x:%02x:%02x", b.len ? " " : "", s->mac.b[0], s->mac.b[1], s->mac.b[2],
					 s->mac.b[3], s->mac.b[4], s->mac.b[5]);
	}
	for (size_t i = m->swaps.n; i-- && !was[0];)
		if (span_eq(m->swaps.v[i].now, u->id))
			(void)snprintf(was, sizeof(was), "%.*s", (int)m->swaps.v[i].was.n, (const char *)m->swaps.v[i].was.p);
	for (size_t i = 0; i < m->windows.n && !open[0]; i++) {
		const struct policy_model_window *w = &m->windows.v[i];
		if (w->from_ns <= now && now < w->to_ns &&
		    (!w->device.text.n || span_eq(policy_decisions_now(m, w->device.text), u->id)))
			(void)snprintf(open, sizeof(open), "%.*s (%s)", (int)w->name.n, (const char *)w->name.p,
				       decided_left(w->to_ns, now, left));
	}
	bool ja = v->d.language == RULE_JA && l->table;
	const struct span values[] = {
		u->id, u->type, buf_span(&b), u->zone, u->location, span_str(ja ? modes_ja[mode] : modes[mode]),
		span_str(ends ? decided_left(ends, now, left) : ""), span_str(decided_time(ends, until)), span_str(open), span_str(was),
	};
	listing_row(l, values);
}

static int show(struct device *v, const char *device, struct decide *d)
{
	static const struct listing_column columns[] = {
		{ "device", "device", "機器" }, { "type", "type", "機器種別" }, { "addresses", "addresses", "アドレス" },
		{ "zone", NULL, NULL }, { "location", "place", "場所" }, { "mode", "mode", "モード" }, { "left", "left", "残り" },
		{ "until", NULL, NULL }, { "window", "window", "作業期間" }, { "in_place_of", "in place of", "代替元" },
	};
	struct listing l;
	const struct policy_model *m = decide_model(d);
	if (!m || (device && !decided_unit(d, device)))
		return ERR_EXIT_CONFIG;
	(void)listing_begin(&l, v->d.format, v->d.language, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < m->units.n; i++)
		if (!device || span_eq(m->units.v[i].id, span_str(device)))
			row(&l, v, m, &m->units.v[i], clock_now_ns());
	int code = listing_end(&l);
	if (code || !device)
		return code;
	/* What was decided about it, under any of its names. */
	for (size_t i = 0; i < decide_entries(d); i++) {
		struct decide_entry e;
		char at[DECIDED_LEFT];
		decide_entry(d, i, &e);
		const struct conf_node *n = e.after ? e.after : e.before;
		struct span it = span_str(device), of = conf_text(conf_get(n, "device"), ""), now = conf_text(conf_get(n, "now"), "");
		bool about = span_eq(policy_decisions_now(m, e.item), it) || span_eq(policy_decisions_now(m, now), it) ||
			     span_eq(policy_decisions_now(m, of), it);
		if (about)
			log_say("%llu  %s  %.*s: %.*s%s", (unsigned long long)e.n, decided_time(e.at_ns, at), (int)e.who.n,
				(const char *)e.who.p, (int)e.what.n, (const char *)e.what.p,
				e.undone_by ? " (taken back)" : e.void_ ? " (never in force)" : "");
	}
	return ERR_EXIT_OK;
}

static int run(int argc, char **argv)
{
	static struct device v;
	static const char *const verbs[] = { "list", "show", "swap", "mode", NULL };
	static const int takes[] = { 0, 1, 2, 2 };
	decided_defaults(&v.d);
	for (int opt; (opt = getopt_long(argc, argv, ":p:h", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_device);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&cmd_device, opt, argv, options);
		int code = take(&v, opt, optarg);
		if (code)
			return code;
	}
	if (optind == argc)
		return cmd_usage(&cmd_device, "what is to be done? (list, show, swap, mode)");
	int verb = cmd_choice(&cmd_device, "action", argv[optind], verbs);
	char **words = argv + optind + 1;
	if (verb < 0)
		return ERR_EXIT_USAGE;
	if (argc - optind - 1 != takes[verb])
		return cmd_usage(&cmd_device, verb == 0 ? "list takes no argument" : verb == 1 ? "show takes one DEVICE" :
				 verb == 2 ? "swap takes OLD and NEW" : "mode takes DEVICE and one of learn, report, alert, reset");
	struct decide *d = NULL;
	int code = decide_open(v.d.dir, verb >= 2, &d);
	if (!code)
		code = verb < 2 ? show(&v, verb ? words[0] : NULL, d) : (verb == 2 ? swap : set_mode)(&v, words[0], words[1], d);
	decide_close(d);
	return code;
}

const struct cmd cmd_device = { "device", "list units, swap one for another, set how one is judged", help, run };
