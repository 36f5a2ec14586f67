/* spanward run: sensor and collector in one command, with the embedded store. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/rundir.h"
#include "cli/table.h"
#include "cli/where.h"
#include "cli/writer.h"
#include "collector/outlets.h"
#include "collector/owner.h"
#include "collector/receiver.h"
#include "collector/report.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "core/option.h"
#include "sensor/setup.h"

static const char help[] =
"usage: spanward run (-i IFACE... | -r CAPTURE...) [-p POLICY_DIR] [OPTION...]\n"
"\n"
"Watches interfaces (or reads captures) and keeps what it finds in a store of its own: sensor and collector in\n"
"one command. New alerts are printed as they come; spanward alerts, explain and assets read the store, also\n"
"while this runs. End it with Ctrl-C.\n"
"\n"
SETUP_HELP_INPUT
"      --store FILE        default: /var/lib/spanward/spanward.db for root, else\n"
"                          $XDG_STATE_HOME/spanward/spanward.db\n"
"      --sink NAME:TARGET  also send alerts there, such as jsonl:/var/log/spanward.jsonl or\n"
"                          syslog:tcp:192.0.2.7:6514; may be given several times\n"
"      --format FORMAT     of the alerts printed: table (default on a terminal), jsonl (default on a pipe)\n"
"      --lang en|ja        language of the table\n"
"      --color WHEN        auto, always, never\n"
SETUP_HELP_RUNNING
"  -q, --quiet             only warnings and errors in the log; alerts are printed all the same\n"
"  -h, --help              this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 policy wrong, 4 a capture is unreadable or corrupt, 5 permission.\n"
"\n"
"Example: sudo spanward run -i eth1 -p /etc/spanward/policy\n";

enum {
	OPT_STORE = 256, OPT_SINK, OPT_FORMAT, OPT_LANG, OPT_COLOR,
	ROUND_MS = 200,                 /* between looks at the sensor and the sinks */
	FRAMES_PER_ROUND = 64, ALERTS_PER_ROUND = 64,
	SEEN_MAX = 1 << 16,             /* alerts printed once; more than a person reads in a run */
	STOP_S = 30,                    /* the sensor's own limits are below this */
};

static const struct option options[] = {
	SETUP_OPTIONS,
	{ "store", required_argument, NULL, OPT_STORE },
	{ "sink", required_argument, NULL, OPT_SINK },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "lang", required_argument, NULL, OPT_LANG },
	{ "color", required_argument, NULL, OPT_COLOR },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

struct running {
	struct setup setup;
	const char *sinks[OUTLETS_MAX];
	size_t n_sinks;
	char path[WHERE_MAX], endpoint[RUNDIR_PATH + 16];
	struct rundir dir;              /* holds the socket between the two halves */
	const char *color;
	int format;
	enum rule_language language;
	bool quiet;

	pid_t sensor;
	int sensor_code;
	struct store *store;
	struct receiver *receiver;
	struct outlets outlets;
	int owner, gate;                /* -1: none */
	bool store_named;
	struct out out;
	struct writer *writer;
	char (*seen)[ALERT_ID_LEN + 1];
	size_t n_seen;
	uint64_t printed_to;            /* change of the store that was printed last */
	int print_err;                  /* of the last look at the store for what to print; 0 */
	bool out_told;
	struct report report;
};

static volatile sig_atomic_t run_stops, run_reload;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		run_reload = 1;
	else if (sig != SIGCHLD)
		run_stops++;
}

static int take(struct running *r, int opt, const char *arg)
{
	static const char *const colors[] = { "auto", "always", "never", NULL };
	static const char *const formats[] = { "table", "jsonl", NULL };
	char why[256] = "", name[OPTION_NAME], whole[320];
	if (setup_is(opt)) {
		if (!setup_take(&r->setup, opt, arg, why))
			return 0;
		(void)snprintf(whole, sizeof(whole), "%s: %s", option_typed(opt, options, name), why);
		return cmd_usage(&cmd_run, whole);
	}
	switch (opt) {
	case 'q':
		r->quiet = true;
		return 0;
	case OPT_STORE:
		(void)snprintf(r->path, sizeof(r->path), "%s", arg);
		r->store_named = true;
		return 0;
	case OPT_SINK:
		if (r->n_sinks == OUTLETS_MAX)
			return cmd_usage(&cmd_run, "at most 16 sinks");
		r->sinks[r->n_sinks++] = arg;
		return 0;
	case OPT_FORMAT:
		r->format = cmd_choice(&cmd_run, "--format", arg, formats);
		if (r->format > 0)
			r->format = WRITER_JSONL;
		return r->format < 0 ? ERR_EXIT_USAGE : 0;
	case OPT_LANG:
		return writer_parse_language(arg, &r->language) ? 0 : cmd_usage(&cmd_run, "--lang: expected en or ja");
	case OPT_COLOR:
		r->color = arg;
		return cmd_choice(&cmd_run, "--color", arg, colors) < 0 ? ERR_EXIT_USAGE : 0;
	default:
		return cmd_usage(&cmd_run, "see above");
	}
}

/* The sensor in a process of its own, forked before there is anything of the collector's to inherit. It begins when
 * the gate says so: when the collector could not be opened, it ends without a word. */
static int start_sensor(struct running *r)
{
	pid_t parent = getpid();
	int gate[2];
	char go;
	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	(void)fflush(NULL);
	r->sensor = fork();
	int err = r->sensor < 0 ? -errno : 0;
	if (err) {
		(void)close(gate[1]);
		(void)close(gate[0]);
		r->sensor = 0;
		return err;
	}
	if (r->sensor) {
		(void)close(gate[0]);
		r->gate = gate[1];
		return 0;
	}
	(void)close(gate[1]);
	rundir_forget(&r->dir);
	/* Out of the terminal's group: Ctrl-C reaches us, and we tell the sensor once. */
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != parent)
		_exit(ERR_EXIT_FAILURE);
	log_open("spanward run", r->quiet ? LOG_LEVEL_WARN : LOG_LEVEL_INFO);
	if (read(gate[0], &go, 1) != 1)
		_exit(ERR_EXIT_FAILURE);
	(void)close(gate[0]);
	_exit(station_run(&r->setup.station));
}

static bool is_new(struct running *r, const char *id)
{
	for (size_t i = 0; i < r->n_seen; i++)
		if (!memcmp(r->seen[i], id, ALERT_ID_LEN))
			return false;
	if (r->n_seen < SEEN_MAX)
		memcpy(r->seen[r->n_seen++], id, ALERT_ID_LEN + 1);
	return true;
}

static int on_change(void *arg, uint64_t change, const struct alert *a)
{
	struct running *r = arg;
	r->printed_to = change;
	if (is_new(r, a->id))
		writer_alert(r->writer, a);
	return 0;
}

/* Prints alerts that changed since the last look, each once in a run. What could not be printed is not marked as
 * printed, and neither a store that is busy nor a terminal that has gone ends the watching. */
static void print_alerts(struct running *r)
{
	static const char cursor[] = "run:terminal";
	uint64_t before = r->printed_to;
	if (out_stopped(&r->out))
		return;
	int err = store_outbox(r->store, cursor, ALERTS_PER_ROUND, on_change, r);
	writer_flush(r->writer);
	if (err >= 0 && r->printed_to != before && !out_stopped(&r->out))
		err = store_outbox_done(r->store, cursor, r->printed_to);
	err = err < 0 ? err : 0;
	if (err && err != r->print_err)
		log_error("%s: %s; trying again", r->path, err_text(err));
	r->print_err = err;
	if (r->out.err && !r->out_told) {
		log_error("standard output cannot be written: %s; what is found goes on to be stored (spanward alerts shows it)",
			  err_text(r->out.err));
		r->out_told = true;
	}
}

static void look_at_sensor(struct running *r)
{
	int status;
	if (!r->sensor || waitpid(r->sensor, &status, WNOHANG) != r->sensor)
		return;
	r->sensor = 0;
	r->sensor_code = WIFEXITED(status) ? WEXITSTATUS(status) : ERR_EXIT_FAILURE;
	if (WIFSIGNALED(status))
		log_error("the sensor was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
}

static int serve(struct running *r)
{
	uint64_t stop_ns = 0;
	int told = 0;
	bool more = false;
	for (;;) {
		bool was_running = r->sensor != 0;
		int n = receiver_poll(r->receiver, was_running ? ROUND_MS : 0, FRAMES_PER_ROUND);
		if (n < 0 && n != -EINTR)
			return n;
		print_alerts(r);
		report_receiver(&r->report, receiver_stats(r->receiver), clock_mono_ns(), false);
		/* Nobody reads any more: that is the end, but what was found by then is stored first. */
		if (r->out.closed && !run_stops)
			run_stops = 1;
		(void)outlets_run(&r->outlets, ALERTS_PER_ROUND, &more);
		look_at_sensor(r);
		if (r->sensor && run_reload)
			(void)kill(r->sensor, SIGHUP);
		run_reload = 0;
		if (r->sensor && told < run_stops && told < 2) {
			(void)kill(r->sensor, SIGTERM);
			told++;
			stop_ns = clock_mono_ns();
		}
		if (r->sensor && stop_ns && clock_mono_ns() - stop_ns > STOP_S * CLOCK_SECOND)
			(void)kill(r->sensor, SIGKILL);
		/* All that it sent before it ended is in the socket: once that is empty, so are we. */
		if (!was_running && n <= 0 && !more) {
			print_alerts(r);
			return r->print_err;
		}
	}
}

static int open_collector(struct running *r, char why[static 256])
{
	/* The default place is ours to make; a place that somebody names exists, or its name is wrong. */
	int err = r->store_named ? 0 : where_make_parents(r->path);
	if (err) {
		(void)snprintf(why, 256, "%.200s: %s", r->path, err_text(err));
		return err;
	}
	err = owner_take(r->path, &r->owner, why);
	if (!err)
		err = store_open(r->path, &r->store, why);
	if (!err)
		err = outlets_open(&r->outlets, r->sinks, r->n_sinks, r->store, why);
	if (err == -EINVAL)
		return err;
	if (!err)
		err = receiver_open(r->endpoint, NULL, r->store, &r->receiver, why);
	if (err)
		return err;
	r->out = (struct out){ .to = stdout };
	bool terminal = out_is_terminal(&r->out);
	const struct writer_config w = {
		.out = &r->out,
		.format = r->format >= 0 ? (enum writer_format)r->format : terminal ? WRITER_TABLE : WRITER_JSONL,
		.rows = WRITER_ALERTS,
		.language = r->language,
		.color = table_wants_color(r->color, terminal),
		.width = terminal ? table_terminal_width(STDOUT_FILENO) : 0,
	};
	r->writer = writer_new(&w);
	r->seen = calloc(SEEN_MAX, sizeof(r->seen[0]));
	return r->writer && r->seen ? 0 : -ENOMEM;
}

static const char *const run_files[] = { "events", NULL };

static int make_endpoint(struct running *r)
{
	int err = rundir_make("/tmp", "spanward-run", run_files, &r->dir);
	if (err)
		return err;
	(void)snprintf(r->endpoint, sizeof(r->endpoint), "ipc://%s/%s", r->dir.path, run_files[0]);
	r->setup.station.endpoint = r->endpoint;
	return 0;
}

static void close_collector(struct running *r)
{
	if (r->gate >= 0)
		(void)close(r->gate);
	if (r->sensor) {
		(void)kill(r->sensor, SIGTERM);
		(void)waitpid(r->sensor, NULL, 0);
	}
	writer_free(r->writer);
	outlets_close(&r->outlets);
	receiver_close(r->receiver);
	store_close(r->store);
	owner_drop(r->owner);
	free(r->seen);
	rundir_remove(&r->dir, run_files);
}

static int both(struct running *r)
{
	char why[256] = "";
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	int err = make_endpoint(r);
	if (err) {
		log_error("/tmp: no place for the socket between sensor and collector: %s", err_text(err));
		return (int)err_exit_code(err);
	}
	err = start_sensor(r);
	if (!err) {
		const struct sigaction a = { .sa_handler = on_signal };
		for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
			(void)sigaction(signals[i], &a, NULL);
		err = open_collector(r, why);
	}
	if (!err && write(r->gate, "g", 1) != 1)
		err = -errno;
	if (err) {
		log_error("%s", why[0] ? why : err_text(err));
		return err == -EINVAL ? ERR_EXIT_USAGE : (int)err_exit_code(err);
	}
	if (!r->quiet)
		log_info("store %s (spanward alerts, explain and assets read it)", r->path);
	err = serve(r);
	if (err)
		log_error("%s: %s", r->path, err_text(err));
	(void)outlets_left(&r->outlets);
	return err || (r->out.err && !r->sensor_code) ? ERR_EXIT_FAILURE : r->sensor_code;
}

static int run(int argc, char **argv)
{
	static struct running r = { .format = -1, .owner = -1, .gate = -1, .dir.lock = -1 };
	static const char letters[] = ":i:r:p:qh";
	char why[256] = "";
	struct conf_report rep = { 0 };
	setup_defaults(&r.setup);
	(void)snprintf(r.setup.sensor, sizeof(r.setup.sensor), "local");
	r.language = writer_language();
	const char *config = setup_typed_config(argc, argv, letters, options);
	if (config && setup_config(&r.setup, config, &rep)) {
		conf_say(&rep);
		return ERR_EXIT_CONFIG;
	}
	for (int opt; (opt = getopt_long(argc, argv, letters, options, NULL)) != -1;) {
		if (opt == 'h')
			return cmd_help(&cmd_run);
		if (opt == '?' || opt == ':')
			return cmd_bad_option(&cmd_run, opt, argv, options);
		int code = take(&r, opt, optarg);
		if (code)
			return code;
	}
	if (optind < argc)
		return cmd_usage(&cmd_run, "interfaces are given with -i, captures with -r");
	int unset = setup_finish(&r.setup, why);
	if (unset == -EINVAL)
		return cmd_usage(&cmd_run, why);
	if (unset) {
		log_say("spanward: %s", why);
		return (int)err_exit_code(unset) == ERR_EXIT_PERMISSION ? ERR_EXIT_PERMISSION : ERR_EXIT_CONFIG;
	}
	if (!r.path[0] && where_store(r.path))
		return cmd_usage(&cmd_run, "no home directory: say where to keep the store with --store FILE");
	if (sodium_init() < 0)
		return ERR_EXIT_FAILURE;
	log_open("spanward run", LOG_LEVEL_INFO);
	int code = both(&r);
	close_collector(&r);
	setup_free(&r.setup);
	return code;
}

const struct cmd cmd_run = { "run", "watch an interface and keep alerts in an embedded store", help, run };
