/* main_collector.c -- spanward-collector: takes events from sensors, stores them, folds them into alerts and
 * brings those to the sinks. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/outlets.h"
#include "collector/owner.h"
#include "collector/receiver.h"
#include "collector/report.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/option.h"
#include "core/standard.h"

enum {
	ROUND_MS = 200,                 /* longest wait for a frame: how late a sink may notice something */
	FRAMES_PER_ROUND = 64,
	ALERTS_PER_ROUND = 64,          /* a burst to a slow sink must not hold up ingest */
	DRAIN_S = 5,                    /* after SIGTERM: below the 10 s that many service managers give */
};
#define METRICS_NS (15 * CLOCK_SECOND)

struct config {
	const char *bind, *store, *metrics;
	const char *sinks[OUTLETS_MAX];
	size_t n_sinks;
	bool insecure, once;
	uint64_t idle_ns;
};

struct collector {
	struct store *store;
	struct receiver *receiver;
	struct outlets outlets;
	int owner;
	struct report report;
	uint64_t metrics_ns;
	int metrics_err;                /* that was said last */
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static const char usage[] =
	"usage: spanward-collector --store PATH [--bind ENDPOINT] [--sink NAME:TARGET]...\n"
	"\n"
	"Takes events from sensors over ZeroMQ, commits them to the store and sends alerts to sinks.\n"
	"\n"
	"  --store PATH           SQLite database; made when absent\n"
	"  --bind ENDPOINT        where sensors connect (default tcp://127.0.0.1:5577)\n"
	"  --sink jsonl:PATH      append alerts as JSON Lines; '-' is standard output\n"
	"  --sink syslog:tcp:HOST:PORT\n"
	"                         RFC 5424 over TCP, octet-counted; may be given more than once\n"
	"  --insecure-no-curve    allow an endpoint that other machines can reach, without encryption\n"
	"                         and without knowing who sends\n"
	"  --metrics FILE         keep counters there in the Prometheus text format, every 15 seconds\n"
	"  --once-idle SECONDS    end when nothing came for that long and the sinks have taken all\n"
	"  --help, --version\n"
	"\n"
	"Exit codes: 0 ended as asked, 1 failure, 2 usage, 4 the store is no store, 5 permission.\n";

/* ZeroMQ takes port 99999 for another one. */
static bool is_endpoint(const char *bind)
{
	if (!strncmp(bind, "ipc://", 6))
		return bind[6];
	if (strncmp(bind, "tcp://", 6))
		return false;
	const char *port = strrchr(bind, ':') + 1;
	char *end;
	if (port < bind + 8)
		return false;
	if (!strcmp(port, "*"))
		return true;
	errno = 0;
	unsigned long v = strtoul(port, &end, 10);
	return !errno && end != port && !*end && port[0] >= '0' && port[0] <= '9' && v <= 65535;
}

/* ERR_EXIT_OK to go on, or -1 when all is said and the exit code is 0. */
static int parse(int argc, char **argv, struct config *c)
{
	enum { BIND = 256, STORE, SINK, INSECURE, METRICS, ONCE, HELP, VERSION };
	static const struct option options[] = {
		{ "bind", required_argument, NULL, BIND }, { "store", required_argument, NULL, STORE },
		{ "sink", required_argument, NULL, SINK }, { "insecure-no-curve", no_argument, NULL, INSECURE },
		{ "metrics", required_argument, NULL, METRICS },
		{ "once-idle", required_argument, NULL, ONCE }, { "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION }, { NULL, 0, NULL, 0 },
	};
	int o;
	char *end, why[256];
	while ((o = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (o) {
		case BIND:
			c->bind = optarg;
			break;
		case STORE:
			c->store = optarg;
			break;
		case SINK:
			if (c->n_sinks == OUTLETS_MAX) {
				log_say("spanward-collector: more than %d sinks", OUTLETS_MAX);
				return ERR_EXIT_USAGE;
			}
			c->sinks[c->n_sinks++] = optarg;
			break;
		case INSECURE:
			c->insecure = true;
			break;
		case METRICS:
			c->metrics = optarg;
			break;
		case ONCE:
			errno = 0;
			unsigned long v = strtoul(optarg, &end, 10);
			if (errno || end == optarg || *end || optarg[0] == '-' || v > 86400) {
				log_say("spanward-collector: --once-idle: expected 0 to 86400 seconds, found '%.60s'", optarg);
				return ERR_EXIT_USAGE;
			}
			c->once = true;
			c->idle_ns = v * CLOCK_SECOND;
			break;
		case 'h':
		case HELP:
			fputs(usage, stdout);
			return -1;
		case VERSION:
			puts("spanward-collector " SPANWARD_VERSION);
			return -1;
		default:
			log_say("spanward-collector: %s", option_fault(o, argv, options, why));
			log_say("Try 'spanward-collector --help'.");
			return ERR_EXIT_USAGE;
		}
	}
	if (optind < argc) {
		log_say("spanward-collector: unexpected argument '%.200s'", argv[optind]);
		log_say("Try 'spanward-collector --help'.");
		return ERR_EXIT_USAGE;
	}
	if (!c->store) {
		log_say("spanward-collector: where to keep events: --store PATH");
		log_say("Try 'spanward-collector --help'.");
		return ERR_EXIT_USAGE;
	}
	if (!is_endpoint(c->bind)) {
		log_say("spanward-collector: --bind '%.200s': expected tcp://ADDRESS:PORT or ipc:///PATH", c->bind);
		return ERR_EXIT_USAGE;
	}
	if (!c->insecure && !receiver_is_local(c->bind)) {
		log_say("spanward-collector: %.200s can be reached from other machines, and nothing tells a sensor from an impostor "
			"there; bind to a loopback address or a socket file, or type --insecure-no-curve", c->bind);
		return ERR_EXIT_USAGE;
	}
	return ERR_EXIT_OK;
}

static int open_all(struct collector *c, const struct config *cfg)
{
	char why[256];
	int err = owner_take(cfg->store, &c->owner, why);
	if (!err)
		err = store_open(cfg->store, &c->store, why);
	if (!err) {
		err = outlets_open(&c->outlets, cfg->sinks, cfg->n_sinks, c->store, why);
		if (err == -EINVAL) {
			log_error("%s", why);
			return ERR_EXIT_USAGE;
		}
	}
	if (err) {
		log_error("%s", why);
		return (int)err_exit_code(err);
	}
	err = receiver_open(cfg->bind, NULL, c->store, &c->receiver, why);
	if (err) {
		log_error("%s", why);
		/* An endpoint is no input: that its directory does not exist is not a store that is none. */
		return (int)err_exit_code(err) == ERR_EXIT_PERMISSION ? ERR_EXIT_PERMISSION : ERR_EXIT_FAILURE;
	}
	return ERR_EXIT_OK;
}

static void keep_metrics(struct collector *c, const char *path, bool up)
{
	uint64_t now = clock_mono_ns();
	if (!path || (up && c->metrics_ns && now - c->metrics_ns < METRICS_NS))
		return;
	const struct receiver_stats *s = receiver_stats(c->receiver);
	const struct { const char *name; uint64_t value; const char *help; } rows[] = {
		{ "collector_frames_total", s->frames, "frames from sensors" },
		{ "collector_batches_total", s->batches, "batches of events stored" },
		{ "collector_duplicates_total", s->duplicates, "batches that were held already" },
		{ "collector_refused_total", s->refused, "broken frames" },
		{ "collector_gaps_total", s->gaps, "batches that came before what precedes them" },
		{ "collector_foreign_total", s->foreign, "batches with the numbers of another sensor's of the same id and epoch" },
		{ "collector_twins_total", s->twins, "heartbeats that show two sensors under one id" },
		{ "collector_failed_total", s->failed, "batches that could not be stored" },
		{ "collector_unsent_total", s->unsent, "answers to a sensor that has gone or does not read" },
	};
	static struct metrics m;        /* two paths long */
	metrics_begin(&m, path);
	metrics_family(&m, "collector_up", METRICS_GAUGE, "1 while it listens");
	metrics_row(&m, NULL, up);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		metrics_family(&m, rows[i].name, METRICS_COUNTER, rows[i].help);
		metrics_row(&m, NULL, rows[i].value);
	}
	int err = metrics_end(&m);
	if (err && err != c->metrics_err)
		log_error("the metrics cannot be written: %.200s: %s", path, err_text(err));
	c->metrics_err = err;
	c->metrics_ns = now;
}

static int serve(struct collector *c, const struct config *cfg)
{
	uint64_t last_ns = clock_mono_ns(), stop_ns = 0;
	bool more = false;
	for (;;) {
		int n = receiver_poll(c->receiver, more || stop ? 0 : ROUND_MS, FRAMES_PER_ROUND);
		uint64_t now = clock_mono_ns();
		if (n < 0) {
			log_error("receiving failed: %s", err_text(n));
			return ERR_EXIT_FAILURE;
		}
		if (n)
			last_ns = now;
		bool all = outlets_run(&c->outlets, ALERTS_PER_ROUND, &more);
		more = more || n == FRAMES_PER_ROUND;
		report_receiver(&c->report, receiver_stats(c->receiver), now, false);
		keep_metrics(c, cfg->metrics, true);
		if (stop && !stop_ns)
			stop_ns = now;
		/* What had arrived is stored and acknowledged, what is stored is sent: then, or when the time is over, end. */
		if (stop_ns && ((!n && all) || now - stop_ns > DRAIN_S * CLOCK_SECOND))
			break;
		if (cfg->once && all && now - last_ns >= cfg->idle_ns)
			break;
	}
	report_receiver(&c->report, receiver_stats(c->receiver), clock_mono_ns(), true);
	keep_metrics(c, cfg->metrics, false);
	(void)outlets_left(&c->outlets);
	return ERR_EXIT_OK;
}

int main(int argc, char **argv)
{
	struct config cfg = { .bind = "tcp://127.0.0.1:5577" };
	struct collector c = { .owner = -1 };
	standard_open();
	int code = parse(argc, argv, &cfg);
	if (code)
		return code > 0 ? code : standard_flush() ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
	log_open("spanward-collector", LOG_LEVEL_INFO);
	if (sodium_init() < 0) {
		log_error("libsodium does not start");
		return ERR_EXIT_FAILURE;
	}
	struct sigaction act = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };
	(void)sigaction(SIGTERM, &act, NULL);
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	code = open_all(&c, &cfg);
	if (!code) {
		if (!receiver_is_local(cfg.bind))
			log_warn("listening on %s without encryption and without knowing who sends (--insecure-no-curve)", cfg.bind);
		log_info("listening on %s, store %s", receiver_endpoint(c.receiver), cfg.store);
		code = serve(&c, &cfg);
	}
	receiver_close(c.receiver);
	outlets_close(&c.outlets);
	store_close(c.store);
	owner_drop(c.owner);
	return code;
}
