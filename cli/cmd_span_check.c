/* spanward span-check: does a mirror port deliver what a sensor needs? A report for its acceptance. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/audit.h"
#include "cli/cmd.h"
#include "cli/file_end.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/writer.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "core/option.h"
#include "sensor/options.h"
#include "sensor/session.h"

enum {
	OPT_FOR = 256, OPT_EXPECT_VLAN, OPT_BUFFER, OPT_FORMAT, OPT_LANG, OPT_COLOR, OPT_NO_SANDBOX,
	MAX_INTERFACES = 16,
	WATCH_S = 60,
	RING_BYTES = 64 << 20,          /* every flow ends at once at the end, and tells of itself */
	REPORT_MAX = 128 << 10,
};

static const char help[] =
"usage: spanward span-check -i IFACE... [--for 60s] [OPTION...]\n"
"       spanward span-check CAPTURE... [OPTION...]\n"
"\n"
"Watches a mirror port (or reads captures of one) and says point by point whether it delivers what a sensor\n"
"needs: both directions, every VLAN, whole packets, once each, none lost on the way. Each point is ok, look\n"
"(a person should) or bad, with what to do next. The report serves for the acceptance of an installation.\n"
"\n"
"  -i, --interface IFACE  watch this interface; may be given several times (needs CAP_NET_RAW)\n"
"      --for TIME         watch for so long, such as 10m (default 60s); Ctrl-C ends it earlier\n"
"      --expect-vlan LIST VLANs that must be seen, such as 10,20,200-210; 0 is untagged\n"
"      --buffer SIZE      kernel buffer for each interface (default 64MiB)\n"
"      --format FORMAT    table (default on a terminal), json (default on a pipe)\n"
"  -o, --output FILE      write there; the file appears when it is whole\n"
"      --lang en|ja       language of the table (default: by the locale); JSON has both\n"
"      --color WHEN       auto, always, never\n"
"      --no-sandbox       leave the process that parses packets its system calls (to find faults)\n"
"  -q, --quiet            nothing on standard error but errors\n"
"  -h, --help             this text\n"
"\n"
"Exit codes: 0 no point is bad, 1 failure, 2 usage, 4 a capture is unreadable or corrupt, 5 permission,\n"
"10 a point is bad.\n"
"\n"
"Example: sudo spanward span-check -i eth1 --for 10m --expect-vlan 10,20,203\n";

static const struct option options[] = {
	{ "interface", required_argument, NULL, 'i' },
	{ "for", required_argument, NULL, OPT_FOR },
	{ "expect-vlan", required_argument, NULL, OPT_EXPECT_VLAN },
	{ "buffer", required_argument, NULL, OPT_BUFFER },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "output", required_argument, NULL, 'o' },
	{ "lang", required_argument, NULL, OPT_LANG },
	{ "color", required_argument, NULL, OPT_COLOR },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

struct check {
	struct session_config session;
	const char *interfaces[MAX_INTERFACES];
	const char *output, *color;
	int format;                     /* 0 table, 1 json, -1 not said */
	enum rule_language language;
	bool quiet;
	uint64_t for_s;

	struct session *engine;
	struct audit audit;
	struct audit_point points[AUDIT_N_POINTS];
	struct out out;
	struct progress progress;
	unsigned long long bad_records;
	int input_err;
};

static volatile sig_atomic_t check_stops;

static void on_signal(int sig)
{
	check_stops++;
	if (check_stops > 1) {
		(void)signal(sig, SIG_DFL);
		(void)raise(sig);
	}
}

/* "10,20,200-210". */
static int take_vlans(struct audit *a, const char *text, char why[static 256])
{
	char one[32];
	do {
		size_t n = strcspn(text, ",");
		(void)snprintf(one, sizeof(one), "%.*s", (int)(n < sizeof(one) ? n : sizeof(one) - 1), text);
		char *dash = strchr(one, '-');
		uint64_t from = 0, to = 0;
		if (dash)
			*dash = '\0';
		int err = options_uint(one, 0, MIRROR_VLANS - 2, &from, why);
		to = from;
		if (!err && dash)
			err = options_uint(dash + 1, from, MIRROR_VLANS - 2, &to, why);
		if (err)
			return err;
		for (uint64_t v = from; v <= to; v++)
			audit_expect(a, (uint32_t)v);
		text += n;
	} while (*text++);
	return 0;
}

static void take_event(struct check *c, struct span bytes)
{
	static struct vocab_scratch scratch;
	struct event e;
	struct cursor in = cursor_from(bytes);
	if (vocab_decode(&event_vocab, &e.head, &scratch, &in, NULL) || cursor_left(&in))
		c->bad_records++;
	else
		audit_event(&c->audit, &e);
}

static void take_file(struct check *c, struct span bytes)
{
	struct file_end e;
	if (!file_end_read(bytes, c->session.n_files, &e)) {
		c->bad_records++;
		return;
	}
	/* Ctrl-C also ends who writes the pipe that we read. */
	if (!e.err || check_stops)
		return;
	if (!c->input_err)
		c->input_err = e.err;
	progress_end(&c->progress);
	file_end_say(&e, c->session.files[e.file - 1]);
}

static void take(struct check *c, enum ring_kind kind, struct span bytes)
{
	if (kind == RING_EVENT_ALERTS || kind == RING_EVENT_TELEMETRY)
		take_event(c, bytes);
	else if (kind == RING_STATS)
		c->bad_records += !account_stats(&c->audit.account, bytes);
	else if (kind == RING_ACCOUNT)
		c->bad_records += !account_record(&c->audit.account, bytes);
	else if (kind == RING_FILE_RESULT)
		take_file(c, bytes);
}

static int pump(struct check *c)
{
	uint8_t *mem = malloc(RING_MAX_RECORD);
	if (!mem)
		return -ENOMEM;
	enum ring_kind kind;
	size_t n = 0;
	int got;
	bool asked = false;
	uint64_t began_ns = clock_mono_ns();
	while ((got = session_get(c->engine, 100, &kind, mem, &n)) >= 0) {
		if (got)
			take(c, kind, (struct span){ mem, n });
		struct ring_progress at;
		ring_progress_get(session_ring(c->engine), &at);
		progress_step(&c->progress, &at);
		bool over = c->session.n_interfaces && clock_mono_ns() - began_ns >= c->for_s * CLOCK_SECOND;
		if (!asked && (check_stops || over)) {
			session_stop(c->engine);
			asked = true;
		}
	}
	free(mem);
	progress_end(&c->progress);
	return got == -EPIPE ? 0 : got;
}

/* ---- the report ---- */

static struct table_cell cell(const char *text, enum table_color color)
{
	return (struct table_cell){ .text = span_str(text), .color = color };
}

static int write_table(struct check *c, bool terminal)
{
	static const struct table_column columns[2][4] = {
		{ { "VERDICT", false }, { "POINT", false }, { "SEEN", false }, { "NEXT", false } },
		{ { "判定", false }, { "項目", false }, { "観測", false }, { "対処", false } },
	};
	static const enum table_color colors[] = { TABLE_GREEN, TABLE_YELLOW, TABLE_RED };
	enum rule_language l = c->language;
	struct table *t = table_new(&c->out, columns[l], 4, table_wants_color(c->color, terminal),
				    terminal ? table_terminal_width(STDOUT_FILENO) : 0);
	if (!t)
		return -ENOMEM;
	int err = 0;
	for (size_t i = 0; i < AUDIT_N_POINTS && !err; i++) {
		const struct audit_point *p = &c->points[i];
		const struct table_cell row[4] = {
			cell(audit_word_in(p->verdict, l), colors[p->verdict]),
			cell(audit_title((enum audit_point_id)i, l), TABLE_PLAIN),
			cell(p->seen[l], TABLE_PLAIN),
			cell(p->verdict == AUDIT_OK ? "" : audit_next((enum audit_point_id)i, l), TABLE_PLAIN),
		};
		err = table_row(t, row);
	}
	table_end(t);
	table_free(t);
	static const char *const all[] = { "The mirror: ", "総合判定: " };
	out_str(&c->out, all[l]);
	out_str(&c->out, audit_word_in(audit_worst(c->points), l));
	out_str(&c->out, "\n");
	return err;
}

static void put_time(struct buf *b, const char *key, uint64_t ns)
{
	char text[CLOCK_STRLEN];
	(void)json_key(b, key);
	(void)json_str(b, clock_str(ns, text));
}

static void put_source(const struct check *c, struct buf *b, uint32_t i)
{
	const struct mirror_source *s = &c->audit.account.sources[i];
	const char *name = c->session.n_interfaces ? c->interfaces[i] : c->session.files[i];
	(void)json_next(b);
	(void)buf_u8(b, '{');
	(void)json_key(b, "source");
	(void)json_str(b, name);
	if (s->packets) {
		put_time(b, "first", s->first_ns);
		put_time(b, "last", s->last_ns);
	}
	const struct { const char *name; uint64_t value; } facts[] = {
		{ "packets", s->packets }, { "bytes", s->bytes }, { "silence_s", s->silence_ns / CLOCK_SECOND },
		{ "backward", s->backward }, { "truncated", s->truncated }, { "longest", s->longest },
		{ "kernel_drops", s->kernel_drops }, { "interface_drops", s->interface_drops },
	};
	for (size_t k = 0; k < sizeof(facts) / sizeof(facts[0]); k++) {
		(void)json_key(b, facts[k].name);
		(void)json_uint(b, facts[k].value);
	}
	(void)buf_u8(b, '}');
}

static void put_point(const struct check *c, struct buf *b, enum audit_point_id i)
{
	const struct audit_point *p = &c->points[i];
	const struct { const char *key, *text; } texts[] = {
		{ "point", audit_id(i) }, { "verdict", audit_word(p->verdict) }, { "title", audit_title(i, RULE_EN) },
		{ "title_ja", audit_title(i, RULE_JA) }, { "seen", p->seen[RULE_EN] }, { "seen_ja", p->seen[RULE_JA] },
		{ "next", p->verdict ? audit_next(i, RULE_EN) : NULL }, { "next_ja", p->verdict ? audit_next(i, RULE_JA) : NULL },
	};
	(void)json_next(b);
	(void)buf_u8(b, '{');
	for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
		if (!texts[k].text)
			continue;
		(void)json_key(b, texts[k].key);
		(void)json_str(b, texts[k].text);
	}
	(void)json_key(b, "value");
	(void)json_uint(b, p->value);
	(void)buf_u8(b, '}');
}

static int write_json(struct check *c)
{
	const struct audit *a = &c->audit;
	uint8_t *mem = malloc(REPORT_MAX);
	if (!mem)
		return -ENOMEM;
	struct buf b = buf_over(mem, REPORT_MAX);
	char vlan[16];
	(void)buf_u8(&b, '{');
	(void)json_key(&b, "schema");
	(void)json_str(&b, "spanward/1");
	(void)json_key(&b, "kind");
	(void)json_str(&b, "span-check");
	(void)json_key(&b, "version");
	(void)json_str(&b, SPANWARD_VERSION);
	(void)json_key(&b, "verdict");
	(void)json_str(&b, audit_word(audit_worst(c->points)));
	(void)json_key(&b, "hosts");
	(void)json_uint(&b, a->hosts);
	(void)json_key(&b, "sources");
	(void)buf_u8(&b, '[');
	size_t n = c->session.n_interfaces ? c->session.n_interfaces : c->session.n_files;
	for (uint32_t i = 0; i < a->account.n_sources && i < n; i++)
		put_source(c, &b, i);
	(void)buf_u8(&b, ']');
	(void)json_key(&b, "vlans");
	(void)buf_u8(&b, '{');
	for (uint32_t i = 0; i < MIRROR_VLANS; i++)
		if (a->account.vlans[i]) {
			(void)snprintf(vlan, sizeof(vlan), "%u", i);
			(void)json_key(&b, vlan);
			(void)json_uint(&b, a->account.vlans[i]);
		}
	(void)buf_u8(&b, '}');
	(void)json_key(&b, "services");
	(void)buf_u8(&b, '{');
	for (size_t i = 0; i < a->n_services; i++) {
		(void)json_key(&b, a->services[i].name);
		(void)json_uint(&b, a->services[i].flows);
	}
	(void)buf_u8(&b, '}');
	(void)json_key(&b, "points");
	(void)buf_u8(&b, '[');
	for (size_t i = 0; i < AUDIT_N_POINTS; i++)
		put_point(c, &b, (enum audit_point_id)i);
	(void)buf_u8(&b, ']');
	(void)buf_u8(&b, '}');
	(void)buf_u8(&b, '\n');
	out_put(&c->out, buf_span(&b));
	int err = b.full ? -ENOBUFS : 0;
	free(mem);
	return err;
}

static int report(struct check *c)
{
	char why[256] = "";
	bool terminal = !c->output && out_is_terminal(&c->out);
	audit_judge(&c->audit, c->points);
	int format = c->format >= 0 ? c->format : terminal ? 0 : 1;
	int err = format == 0 ? write_table(c, terminal) : write_json(c);
	bool closed = c->out.closed;
	(void)out_close(&c->out, !err, why);
	if (err)
		log_say("spanward: %s", err_text(err));
	if (c->out.err && !closed) {
		log_say("spanward: %s", why);
		return ERR_EXIT_FAILURE;
	}
	if (err)
		return ERR_EXIT_FAILURE;
	if (c->bad_records) {
		log_say("spanward: %llu records of the engine do not decode: a fault or an attack; keep the capture and report it",
			c->bad_records);
		return ERR_EXIT_FAILURE;
	}
	if (c->input_err)
		return (int)err_exit_code(c->input_err) == ERR_EXIT_PERMISSION ? ERR_EXIT_PERMISSION : ERR_EXIT_INPUT;
	return audit_worst(c->points) == AUDIT_BAD ? ERR_EXIT_FOUND : ERR_EXIT_OK;
}

static int check(struct check *c)
{
	struct conf_report rep = { 0 };
	char why[256] = "";
	int sig = 0;
	int err = session_start(&c->session, &c->engine, &rep, why);
	if (err) {
		log_say("spanward: %s", why[0] ? why : err_text(err));
		return (int)err_exit_code(err);
	}
	if (c->session.no_sandbox)
		log_say("spanward: the process that parses packets runs without its sandbox (--no-sandbox)");
	err = out_open(&c->out, c->output, why);
	if (err) {
		log_say("spanward: %s", why);
		return err == -EPERM || err == -EACCES ? ERR_EXIT_PERMISSION : ERR_EXIT_FAILURE;
	}
	const struct sigaction act = { .sa_handler = on_signal };
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	if (c->session.n_interfaces && !c->quiet)
		log_say("spanward: watching for %" PRIu64 " seconds (Ctrl-C ends it earlier)", c->for_s);
	progress_begin(&c->progress);
	c->progress.on = c->progress.on && !c->quiet;
	err = pump(c);
	int ended = session_wait(c->engine, &sig, why);
	if (ended || err) {
		log_say("spanward: %s", ended ? why : err_text(err));
		(void)out_close(&c->out, false, why);
		return ERR_EXIT_FAILURE;
	}
	return report(c);
}

static int bad_value(int opt, const char *why)
{
	char name[OPTION_NAME], whole[320];
	(void)snprintf(whole, sizeof(whole), "%s: %s", option_typed(opt, options, name), why);
	return cmd_usage(&cmd_span_check, whole);
}

static int take_option(struct check *c, int opt, const char *arg)
{
	static const char *const colors[] = { "auto", "always", "never", NULL };
	static const char *const formats[] = { "table", "json", NULL };
	char why[256] = "";
	uint64_t v = 0;
	switch (opt) {
	case 'i':
		if (c->session.n_interfaces == MAX_INTERFACES)
			return bad_value(opt, "at most 16 interfaces");
		c->interfaces[c->session.n_interfaces++] = arg;
		return 0;
	case 'o':
		c->output = arg;
		return 0;
	case 'q':
		c->quiet = true;
		return 0;
	case OPT_FOR:
		if (options_duration(arg, &c->for_s, why) || !c->for_s)
			return bad_value(opt, why[0] ? why : "expected a second or more");
		return 0;
	case OPT_EXPECT_VLAN:
		return take_vlans(&c->audit, arg, why) ? bad_value(opt, why) : 0;
	case OPT_BUFFER:
		if (options_size(arg, 1 << 20, INT32_MAX, &v, why))
			return bad_value(opt, why);
		c->session.live.buffer_bytes = (size_t)v;
		return 0;
	case OPT_FORMAT:
		c->format = cmd_choice(&cmd_span_check, "--format", arg, formats);
		return c->format < 0 ? ERR_EXIT_USAGE : 0;
	case OPT_LANG:
		return writer_parse_language(arg, &c->language) ? 0 : bad_value(opt, "expected en or ja");
	case OPT_COLOR:
		c->color = arg;
		return cmd_choice(&cmd_span_check, "--color", arg, colors) < 0 ? ERR_EXIT_USAGE : 0;
	default:
		c->session.no_sandbox = true;
		return 0;
	}
}

static int run(int argc, char **argv)
{
	static struct check c = { .format = -1, .for_s = WATCH_S, .session.ring_bytes = RING_BYTES };
	struct session_config *s = &c.session;
	engine_defaults(&s->engine);
	s->engine.sensor = "span-check";
	s->engine.flow_events = true;
	c.language = writer_language();
	for (int opt; (opt = getopt_long(argc, argv, ":i:o:qh", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_span_check);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&cmd_span_check, opt, argv, options);
		int code = take_option(&c, opt, optarg);
		if (code)
			return code;
	}
	s->interfaces = c.interfaces;
	s->files = (const char *const *)&argv[optind];
	s->n_files = (size_t)(argc - optind);
	if (!s->n_interfaces == !s->n_files)
		return cmd_usage(&cmd_span_check, s->n_files ? "either -i or captures, not both" : "which interface? Give -i IFACE");
	if (s->n_files > SOURCE_MAX_FILES)
		return cmd_usage(&cmd_span_check, "at most 256 captures at a time");
	if (s->n_interfaces && getrandom(&s->engine.key, sizeof(s->engine.key), 0) != (ssize_t)sizeof(s->engine.key))
		return ERR_EXIT_FAILURE;
	c.audit.live = s->n_interfaces != 0;
	int code = check(&c);
	session_free(c.engine);
	return code;
}

const struct cmd cmd_span_check = { "span-check", "say whether a mirror port delivers what a sensor needs", help, run };
