/* spanward replay: what a sensor would have said about a capture. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/file_end.h"
#include "cli/ledger.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/summary.h"
#include "cli/table.h"
#include "cli/writer.h"
#include "collector/store.h"
#include "core/err.h"
#include "core/log.h"
#include "core/option.h"
#include "sensor/options.h"
#include "sensor/session.h"

enum {
	OPT_SHOW = 256, OPT_FORMAT, OPT_WORKERS, OPT_EXPECT, OPT_FAIL_ON, OPT_BUDGET, OPT_MEMORY, OPT_NDPI, OPT_OVERLAPPING, OPT_NO_SANDBOX,
	OPT_COLOR, OPT_LANG,
	OPT_PLANT,
	MAX_CAPTURES = SOURCE_MAX_FILES,
	ATTEND_RECORDS = 1024,          /* between looks at what else there is to do */
};

static const char help[] =
"usage: spanward replay [-p POLICY_DIR] [OPTION...] CAPTURE...\n"
"\n"
"Reads captures (pcap, pcapng, also gzip; - is standard input) as the sensor would read the network, and\n"
"shows what comes of it. The same capture gives the same bytes, whatever the number of workers.\n"
"With a policy it shows alerts; without one the hosts and services it saw.\n"
"\n"
"  -p, --policy DIR      device types, inventory and site to judge by\n"
"      --show WHAT       alerts (default with -p), events, observations (what DICOM and HL7 said), flows,\n"
"                        assets (default without -p), stats (what was counted, what was lost,\n"
"                        and whether it adds up), workers (what each thread did)\n"
"      --format FORMAT   table (default on a terminal), jsonl (default on a pipe), json, csv\n"
"  -o, --output FILE     write there; the file appears when it is whole\n"
"      --expect GOLDEN   print no data, compare with that file and show the first difference\n"
"      --fail-on LEVEL   exit 10 if there is an alert of info, low, medium, high or critical, or above\n"
"      --workers N       threads, 1 to 16; the output does not depend on it, but\n"
	"                        where --memory is short: each worker takes some of it\n"
"      --memory SIZE     make all tables of the engine fit, such as 512MiB; the policy's come on top\n"
"      --budget LIST     NAME=VALUE,... room for flows, probes, states, assets, folds, fragments, streams (a size), and\n"
"                        the timers tcp_idle, udp_idle, half_open, fold\n"
"      --ndpi on|off     ask nDPI about flows that nothing here knows (default on, where it was built in)\n"
"      --overlapping LIST  networks that use the same addresses for other hosts, such as vlan:100,vlan:200-210,\n"
"                        vni:5000: what is listed is kept apart\n"
"      --lang en|ja      language of tables and of the summary (default: by the locale)\n"
"      --color WHEN      auto, always, never (NO_COLOR is heeded)\n"
"      --no-sandbox      leave the process that parses packets its system calls (to find faults)\n"
"  -q, --quiet           no summary and no progress on standard error\n"
"  -h, --help            this text\n"
"\n"
"SIGHUP reads the policy again, as in a sensor, and keeps the old one when the new one has faults.\n"
"\n"
"Exit codes: 0 ok, 1 failure or a difference, 2 usage, 3 policy wrong, 4 a capture is unreadable, corrupt or of\n"
"an unknown kind (what was read before is reported), 5 permission, 10 an alert was found (--fail-on).\n"
"\n"
"Examples\n"
"  spanward replay monday.pcapng\n"
"  spanward replay -p policy/ monday.pcapng\n"
"  spanward replay -p policy/ --format jsonl -o alerts.jsonl monday.pcapng\n"
"  spanward replay --show observations monday.pcapng | grep C-STORE-RQ\n";

static const struct option options[] = {
	{ "policy", required_argument, NULL, 'p' },
	{ "show", required_argument, NULL, OPT_SHOW },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "output", required_argument, NULL, 'o' },
	{ "expect", required_argument, NULL, OPT_EXPECT },
	{ "fail-on", required_argument, NULL, OPT_FAIL_ON },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "budget", required_argument, NULL, OPT_BUDGET },
	{ "lang", required_argument, NULL, OPT_LANG },
	{ "color", required_argument, NULL, OPT_COLOR },
	{ "ndpi", required_argument, NULL, OPT_NDPI },
	{ "overlapping", required_argument, NULL, OPT_OVERLAPPING },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
#ifdef SPANWARD_PLANT
	{ "plant", required_argument, NULL, OPT_PLANT },
#endif
	{ 0 },
};

struct replay {
	struct session_config session;
	const char *output, *expect, *color;
	int show, format, fail_on;      /* -1: not said */
	enum rule_language language;
	bool quiet;

	struct session *engine;
	struct store *store;
	struct out out;
	struct writer *writer;
	struct recite *recite;          /* NULL: no rows come straight from the engine's bytes */
	struct progress progress;
	crypto_hash_sha256_state hash;
	struct account account;
	unsigned long long events, observations, alerts, by_severity[EVENT_CRITICAL + 1], bad_records;
	char worst_id[ALERT_ID_LEN + 1];
	uint64_t generation;            /* of the policy in force, as far as we know */
	bool interrupted, whole;        /* whole: the engine said that nothing follows */
	int input_err, store_err;
};

/* Two Ctrl-C: the first asks the engine to finish, the second ends us as it would any program. */
static volatile sig_atomic_t replay_interrupts, replay_reload;

static void on_reload(int sig)
{
	(void)sig;
	replay_reload = 1;
}

static void on_interrupt(int sig)
{
	replay_interrupts++;
	if (replay_interrupts > 1) {
		(void)signal(sig, SIG_DFL);
		(void)raise(sig);
	}
}

static unsigned default_workers(void)
{
	/* One processor is left to the reader and this process; more than 4 workers seldom have work. */
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n <= 2 ? 1 : n > 5 ? 4 : (unsigned)n - 1;
}

/* The events and what is drawn from them go the way they go in a collector, through its store. */
static bool needs_store(const struct replay *r)
{
	return r->show == WRITER_ALERTS || r->show == WRITER_ASSETS || r->fail_on >= 0;
}

static void count_event(struct replay *r, struct span bytes)
{
	/* The summary tells it. */
	if (!r->quiet)
		(void)crypto_hash_sha256_update(&r->hash, bytes.p, bytes.n);
	r->events++;
}

/* A record that only becomes a row: true when that is done, or when it is none. */
static bool take_row(struct replay *r, struct span bytes)
{
	int err = r->recite ? writer_encoded(r->writer, r->recite, bytes) : 1;
	if (err == 1)
		return false;
	r->bad_records += err != 0;
	if (err)
		return true;
	if (r->show == WRITER_EVENTS)
		count_event(r, bytes);
	else
		r->observations++;
	return true;
}

static void take_event(struct replay *r, struct span bytes)
{
	static struct vocab_scratch scratch;    /* 26 KiB, one replay per process */
	struct event e;
	struct cursor c = cursor_from(bytes);
	if (r->show == WRITER_EVENTS && take_row(r, bytes))
		return;
	if (vocab_decode(&event_vocab, &e.head, &scratch, &c, NULL) || cursor_left(&c)) {
		r->bad_records++;
		return;
	}
	count_event(r, bytes);
	account_event(&r->account, &e);
	if (r->show == WRITER_EVENTS)
		writer_event(r->writer, &e);
	/* Neither alerts nor assets are drawn from these, and a long capture has millions of them. */
	bool summary = e.head.type == EVENT_FLOW || e.head.type == EVENT_SENSOR;
	if (r->store && !r->store_err && !summary)
		r->store_err = store_event(r->store, &e);
}

static bool is_flow(unsigned type)
{
	return type == OBSERVATION_FLOW_OPEN || type == OBSERVATION_FLOW_SERVICE || type == OBSERVATION_FLOW_END;
}

static bool is_shown(const struct replay *r, unsigned type)
{
	return r->show == WRITER_FLOWS ? type == OBSERVATION_FLOW_END : !is_flow(type);
}

static void take_observation(struct replay *r, struct span bytes)
{
	static struct vocab_scratch scratch;
	struct observation o;
	struct cursor c = cursor_from(bytes);
	if (take_row(r, bytes))
		return;
	if (vocab_decode(&observation_vocab, &o.head, &scratch, &c, NULL) || cursor_left(&c)) {
		r->bad_records++;
		return;
	}
	r->observations++;
	if (is_shown(r, o.head.type))
		writer_observation(r->writer, &o);
}

/* How a file ended. Trouble is told at once. */
static void take_file(struct replay *r, struct span bytes)
{
	struct file_end e;
	if (!file_end_read(bytes, r->session.n_files, &e)) {
		r->bad_records++;
		return;
	}
	/* Ctrl-C also ends who writes the pipe that we read: its end is no fault of the capture. */
	if (!e.err || replay_interrupts)
		return;
	if (!r->input_err)
		r->input_err = e.err;
	progress_end(&r->progress);
	file_end_say(&e, r->session.files[e.file - 1]);
}

static void take(struct replay *r, enum ring_kind kind, struct span bytes)
{
	switch (kind) {
	case RING_EVENT_ALERTS:
	case RING_EVENT_TELEMETRY:
		take_event(r, bytes);
		break;
	case RING_OBSERVATION:
		take_observation(r, bytes);
		break;
	case RING_STATS:
		r->bad_records += !account_stats(&r->account, bytes);
		break;
	case RING_ACCOUNT:
		r->bad_records += !account_record(&r->account, bytes);
		break;
	case RING_FILE_RESULT:
		take_file(r, bytes);
		break;
	case RING_END:
		r->whole = true;
		break;
	case RING_KINDS:
		r->bad_records++;
		break;
	}
}

/* SIGHUP, as in a sensor: what a change of policy does is rehearsed with a capture. */
static void reload(struct replay *r)
{
	struct conf_report rep = { 0 };
	replay_reload = 0;
	int err = session_reload(r->engine, &rep);
	if (err == -EAGAIN) {
		replay_reload = 1;
		return;
	}
	progress_end(&r->progress);
	conf_say(&rep);
	if (err)
		log_say("spanward: the new policy was not taken (%s); the old one stays in force", err_text(err));
}

/* Said once each, unless there is nothing to wait for. */
static void say_generation(struct replay *r)
{
	uint64_t refused, now = session_generation(r->engine, &refused);
	if (now == r->generation)
		return;
	if (r->generation) {
		progress_end(&r->progress);
		log_say("spanward: policy generation %llu is in force", (unsigned long long)now);
	}
	r->generation = now;
}

/* Nothing comes at the moment, from a pipe perhaps: whoever reads our rows has those that there are. The rows of a table wait for each
 * other, to be aligned. */
static void show_rows(struct replay *r)
{
	if (r->format != WRITER_TABLE)
		writer_flush(r->writer);
}

/* Until the engine has said all. 0, or -EIO and the like when it did not. */
static int pump(struct replay *r)
{
	uint8_t *mem = malloc(RING_MAX_RECORD);
	if (!mem)
		return -ENOMEM;
	enum ring_kind kind;
	size_t n = 0;
	int got;
	bool asked = false;
	unsigned turns = 0;
	while ((got = session_get(r->engine, 100, &kind, mem, &n)) >= 0) {
		if (got)
			take(r, kind, (struct span){ mem, n });
		else
			show_rows(r);
		if (r->progress.on) {
			struct ring_progress at;
			ring_progress_get(session_ring(r->engine), &at);
			progress_step(&r->progress, &at);
		}
		if (!got || ++turns % ATTEND_RECORDS == 0) {
			(void)session_attend(r->engine, 0);
			say_generation(r);
			if (replay_reload)
				reload(r);
		}
		if (replay_interrupts && !asked) {
			session_stop(r->engine);
			asked = r->interrupted = true;
		}
		/* Nobody reads what we write any more, or it cannot be written: reading on serves nobody. */
		if (out_stopped(&r->out)) {
			ring_abandon(session_ring(r->engine));
			got = -EPIPE;
			break;
		}
	}
	free(mem);
	progress_end(&r->progress);
	return got == -EPIPE ? 0 : got;
}

static int count_alert(void *arg, const struct alert *a)
{
	struct replay *r = arg;
	r->alerts++;
	r->by_severity[a->severity <= EVENT_CRITICAL ? a->severity : EVENT_CRITICAL]++;
	if (!r->worst_id[0])
		(void)snprintf(r->worst_id, sizeof(r->worst_id), "%s", a->id);
	if (r->show == WRITER_ALERTS)
		writer_alert(r->writer, a);
	return out_stopped(&r->out);
}

static int show_asset(void *arg, const struct store_asset *a)
{
	struct replay *r = arg;
	writer_asset(r->writer, a);
	return out_stopped(&r->out);
}

static int show_stored(struct replay *r)
{
	int err = 0;
	if (!r->store)
		return 0;
	const struct store_filter all = { .state = -2, .at_least = EVENT_INFO };
	err = store_alerts(r->store, &all, count_alert, r);
	if (err >= 0 && r->show == WRITER_ASSETS)
		err = store_assets(r->store, show_asset, r);
	return err < 0 ? err : 0;
}

static void print_summary(struct replay *r, FILE *to)
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof(digest) + 1];
	(void)crypto_hash_sha256_final(&r->hash, digest);
	(void)sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
	struct summary s = {
		.account = &r->account, .language = r->language, .judged = r->store && r->session.policy_dir,
		.interrupted = r->interrupted || !r->whole, .events = r->events, .alerts = r->alerts, .digest = hex,
		.policy_dir = r->session.policy_dir, .files = r->session.files, .n_files = r->session.n_files,
		.worst_id = r->show == WRITER_ALERTS ? r->worst_id : "",
	};
	memcpy(s.by_severity, r->by_severity, sizeof(s.by_severity));
	if (to == stdout && writer_rows(r->writer))
		(void)fputc('\n', to);
	summary_print(&s, to);
}

/* Where all that becomes of a record is a row of JSON, no record is made of it first. */
static int begin_rows(struct replay *r)
{
	bool events = r->show == WRITER_EVENTS;
	if (!writer_says_json(r->writer) || needs_store(r) || !(events || r->show == WRITER_OBSERVATIONS || r->show == WRITER_FLOWS))
		return 0;
	const struct vocab *v = events ? &event_vocab : &observation_vocab;
	r->recite = recite_new(v);
	/* The sensor's own events are also accounted for. */
	for (unsigned type = 0; r->recite && type < v->n_types; type++)
		if (events ? type == EVENT_SENSOR : !is_shown(r, type))
			recite_leave(r->recite, type);
	return r->recite ? 0 : -ENOMEM;
}

static int open_all(struct replay *r, char why[static 256])
{
	int err = 0;
	if (r->expect)
		err = out_open_expected(&r->out, r->expect, why);
	else
		err = out_open(&r->out, r->output, why);
	if (err)
		return err;
	bool terminal = !r->output && !r->expect && out_is_terminal(&r->out);
	if (r->format < 0)
		r->format = terminal ? WRITER_TABLE : WRITER_JSONL;
	const struct writer_config w = {
		.out = &r->out,
		.format = (enum writer_format)r->format,
		.rows = (enum writer_rows)r->show,
		.language = r->language,
		.color = table_wants_color(r->color, terminal),
		.width = terminal ? table_terminal_width(STDOUT_FILENO) : 0,
	};
	r->writer = writer_new(&w);
	if (!r->writer || begin_rows(r))
		return -ENOMEM;
	return needs_store(r) ? store_open(":memory:", &r->store, why) : 0;
}

/* The code that says most about what happened. */
static int exit_code(const struct replay *r, int engine_err, bool matches)
{
	if (engine_err)
		return engine_err == -EPERM || engine_err == -EACCES ? ERR_EXIT_PERMISSION : ERR_EXIT_FAILURE;
	if (r->store_err || r->bad_records || r->out.err || r->interrupted)
		return ERR_EXIT_FAILURE;
	if (r->input_err)
		return (int)err_exit_code(r->input_err) == ERR_EXIT_PERMISSION ? ERR_EXIT_PERMISSION : ERR_EXIT_INPUT;
	if (!matches)
		return ERR_EXIT_FAILURE;
	for (int s = r->fail_on; s >= 0 && s <= EVENT_CRITICAL; s++)
		if (r->by_severity[s])
			return ERR_EXIT_FOUND;
	return ERR_EXIT_OK;
}

static int finish(struct replay *r, int err)
{
	char why[256] = "";
	char name[ESCAPE_NAME];
	int sig = 0, stored = err ? 0 : show_stored(r);
	if (!r->store_err)
		r->store_err = stored;
	writer_end(r->writer);
	bool closed = r->out.closed;
	/* On a terminal the summary belongs under the table; else the data stays clean. */
	bool under = r->format == WRITER_TABLE && out_is_terminal(&r->out);
	if (!closed && !r->out.err) {
		int ended = session_wait(r->engine, &sig, why);
		if (ended) {
			log_say("spanward: %s", why);
			err = ended;
		} else if (err) {
			log_say("spanward: the engine's output does not add up: %s", err_text(err));
		}
	}
	/* A result that is there already is better than the beginning of another. */
	bool whole = !err && !closed && r->whole && !r->interrupted && !r->store_err;
	(void)out_close(&r->out, whole, why);
	if (r->out.err)
		log_say("spanward: %s", why);
	else if (r->output && !whole)
		log_say("spanward: %s is as it was: what was to be written there is not whole", escape_name(r->output, name));
	if (closed)
		return ERR_EXIT_OK;
	if (r->store_err)
		log_say("spanward: the store in memory: %s", err_text(r->store_err));
	if (r->bad_records)
		log_say("spanward: %llu records of the engine do not decode: a fault or an attack; keep the capture and report it",
		        r->bad_records);
	if (!r->quiet && !r->out.err)
		print_summary(r, under ? stdout : stderr);
	bool matches = !r->expect || out_matches(&r->out, r->expect, stderr);
	return exit_code(r, err, matches);
}

static int replay(struct replay *r)
{
	struct conf_report rep = { 0 };
	char why[256] = "";
	struct sigaction a = { .sa_handler = on_interrupt };
	(void)crypto_hash_sha256_init(&r->hash);
	r->session.engine.observations = r->show == WRITER_OBSERVATIONS || r->show == WRITER_FLOWS;
	r->session.engine.flow_events = true;
	/* First of all: the engine's process begins as a copy of this one and should find little in it. */
	int err = session_start(&r->session, &r->engine, &rep, why);
	if (err) {
		conf_say(&rep);
		/* What is wrong with a policy has been said, line by line. */
		if (!rep.total)
			log_say("spanward: %s", why[0] ? why : err_text(err));
		return (int)err_exit_code(err);
	}
	if (r->session.no_sandbox)
		log_say("spanward: the process that parses packets runs without its sandbox (--no-sandbox)");
	err = open_all(r, why);
	if (err) {
		char ignored[256];
		log_say("spanward: %s", why[0] ? why : err_text(err));
		if (r->out.to || r->out.expected)
			(void)out_close(&r->out, false, ignored);
		if (err == -EPERM || err == -EACCES)
			return ERR_EXIT_PERMISSION;
		return r->expect && (err == -ENOENT || err == -EISDIR) ? ERR_EXIT_INPUT : ERR_EXIT_FAILURE;
	}
	(void)sigaction(SIGINT, &a, NULL);
	a.sa_handler = on_reload;
	(void)sigaction(SIGHUP, &a, NULL);
	(void)sigaction(SIGTERM, &a, NULL);
	progress_begin(&r->progress);
	r->progress.on = r->progress.on && !r->quiet;
	err = pump(r);
	if (r->show == WRITER_STATS)
		ledger_write(&r->account, r->writer, r->session.files, r->session.n_files);
	else if (r->show == WRITER_WORKERS)
		ledger_write_workers(&r->account, r->writer);
	return finish(r, err);
}

static int bad_value(int opt, const char *why)
{
	char name[OPTION_NAME], whole[320];
	(void)snprintf(whole, sizeof(whole), "%s: %s", option_typed(opt, options, name), why);
	return cmd_usage(&cmd_replay, whole);
}

/* One option: 0 to go on, or an exit code. */
static int take_option(struct replay *r, int opt, const char *arg)
{
	static const char *const colors[] = { "auto", "always", "never", NULL };
	char why[256] = "";
	uint64_t v = 0;
	switch (opt) {
	case 'p':
		r->session.policy_dir = arg;
		return 0;
	case 'o':
		r->output = arg;
		return 0;
	case 'q':
		r->quiet = true;
		return 0;
	case OPT_SHOW:
		r->show = cmd_choice(&cmd_replay, "--show", arg, writer_kinds);
		return r->show < 0 ? ERR_EXIT_USAGE : 0;
	case OPT_FORMAT:
		r->format = cmd_choice(&cmd_replay, "--format", arg, writer_formats);
		return r->format < 0 ? ERR_EXIT_USAGE : 0;
	case OPT_FAIL_ON:
		r->fail_on = cmd_choice(&cmd_replay, "--fail-on", arg, event_vocab.fields[EVENT_F_severity].words);
		return r->fail_on < 0 ? ERR_EXIT_USAGE : 0;
	case OPT_COLOR:
		r->color = arg;
		return cmd_choice(&cmd_replay, "--color", arg, colors) < 0 ? ERR_EXIT_USAGE : 0;
	case OPT_LANG:
		return writer_parse_language(arg, &r->language) ? 0 : bad_value(opt, "expected en or ja");
	case OPT_EXPECT:
		r->expect = arg;
		return 0;
	case OPT_WORKERS:
		if (options_uint(arg, 1, ENGINE_MAX_WORKERS, &v, why))
			return bad_value(opt, why);
		r->session.engine.workers = (unsigned)v;
		return 0;
	case OPT_MEMORY:
		if (options_size(arg, ENGINE_MEMORY_MIN, UINT64_C(1) << 40, &v, why))
			return bad_value(opt, why);
		r->session.engine.memory = (size_t)v;
		return 0;
	case OPT_BUDGET:
		return options_budget(arg, &r->session.engine, why) ? bad_value(opt, why) : 0;
	case OPT_NDPI:
		return options_ndpi(arg, &r->session.engine.ndpi, why) ? bad_value(opt, why) : 0;
	case OPT_OVERLAPPING:
		return spaces_take(&r->session.engine.spaces, arg, why) ? bad_value(opt, why) : 0;
	case OPT_NO_SANDBOX:
		r->session.no_sandbox = true;
		return 0;
	case OPT_PLANT:
		r->session.plant = arg;
		return 0;
	default:
		return ERR_EXIT_USAGE;
	}
}

static int run(int argc, char **argv)
{
	static struct replay r = { .show = -1, .format = -1, .fail_on = -1 };
	engine_defaults(&r.session.engine);
	r.session.engine.sensor = "replay";
	r.session.engine.epoch = 1;
	r.session.engine.workers = default_workers();
	r.language = writer_language();
	for (int opt; (opt = getopt_long(argc, argv, ":p:o:qh", options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_replay);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&cmd_replay, opt, argv, options);
		int code = take_option(&r, opt, optarg);
		if (code)
			return code;
	}
	r.session.files = (const char *const *)&argv[optind];
	r.session.n_files = (size_t)(argc - optind);
	if (!r.session.n_files)
		return cmd_usage(&cmd_replay, "which CAPTURE?");
	unsigned piped = 0;
	for (size_t i = 0; i < r.session.n_files; i++)
		piped += !strcmp(r.session.files[i], "-");
	if (piped > 1)
		return cmd_usage(&cmd_replay, "standard input (-) can be read once only");
	if (r.session.n_files > MAX_CAPTURES)
		return cmd_usage(&cmd_replay, "at most 256 captures at a time");
	if (r.expect && (r.output || (r.format >= 0 && r.format == WRITER_TABLE)))
		return cmd_usage(&cmd_replay, "--expect compares instead of writing: without -o, and with json, jsonl or csv");
	if (!r.session.policy_dir && (r.fail_on >= 0 || r.show == WRITER_ALERTS))
		return cmd_usage(&cmd_replay, "without a policy nothing is judged and nothing can be found: name one with -p DIR");
	if (r.show < 0)
		r.show = r.session.policy_dir ? WRITER_ALERTS : WRITER_ASSETS;
	if (sodium_init() < 0)
		return ERR_EXIT_FAILURE;
	int code = replay(&r);
	session_free(r.engine);
	store_close(r.store);
	writer_free(r.writer);
	recite_free(r.recite);
	return code;
}

const struct cmd cmd_replay = { "replay", "show what a sensor would have said about a capture", help, run };
