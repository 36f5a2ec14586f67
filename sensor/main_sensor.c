/* spanward-sensor: watches interfaces or reads captures, and sends events to a collector. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/frame.h"
#include "core/log.h"
#include "core/option.h"
#include "core/standard.h"
#include "core/vocab.h"
#include "sensor/options.h"
#include "sensor/setup.h"

enum {
	OPT_EPOCH = 256, OPT_INSECURE, OPT_VERSION,
};

static const struct option options[] = {
	SETUP_OPTIONS,
	{ "connect", required_argument, NULL, SETUP_CONNECT },
	{ "epoch", required_argument, NULL, OPT_EPOCH },
	{ "linger", required_argument, NULL, SETUP_LINGER },
	{ "insecure-no-curve", no_argument, NULL, OPT_INSECURE },
	{ "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
#ifdef SPANWARD_PLANT
	{ "plant", required_argument, NULL, SETUP_PLANT },
#endif
	{ 0 },
};

static const char help[] =
"usage: spanward-sensor (-i IFACE... | -r FILE...) [-p POLICY_DIR] --connect ENDPOINT [OPTION...]\n"
"\n"
"Watches a SPAN port or reads captures, compares what devices do with what their documents declare,\n"
"and sends the events to a collector. It only listens: nothing is ever sent on a watched interface.\n"
"\n"
"Input\n"
SETUP_HELP_INPUT
"\n"
"Output\n"
"      --connect ENDPOINT  collector, such as tcp://127.0.0.1:5577 or ipc:///run/spanward/events\n"
"      --epoch N           run within which sequence numbers count (default: microseconds since 1970)\n"
"      --linger SECONDS    at the end, wait this long for the last acknowledgement (default 10)\n"
"      --insecure-no-curve send to another machine without encryption and authentication\n"
"\n"
"Running\n"
SETUP_HELP_RUNNING
"  -v, --verbose           say more      -q, --quiet  only warnings and errors\n"
"  -h, --help              this text         --version\n"
"\n"
"SIGHUP reads the policy again and keeps the old one when the new one has faults; SIGTERM and SIGINT\n"
"stop properly. Watching needs CAP_NET_RAW; the engine and the publisher run without any privilege.\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 policy wrong, 4 input unreadable or corrupt, 5 permission.\n"
"\n"
"Example: spanward-sensor -i eth1 -p /etc/spanward/policy --connect tcp://127.0.0.1:5577\n";

struct args {
	struct setup setup;
	enum log_level level;
	bool insecure;
};

static int usage(const char *why)
{
	log_say("spanward-sensor: %s", why);
	log_say("Try 'spanward-sensor --help'.");
	return ERR_EXIT_USAGE;
}

/* The host name as far as it is an identifier; "sensor" when nothing of it is. */
static void default_sensor_id(char ret[static FRAME_SENSOR_LEN + 1])
{
	char host[256] = "", why[256];
	(void)gethostname(host, sizeof(host) - 1);
	host[FRAME_SENSOR_LEN] = '\0';
	host[strcspn(host, ".")] = '\0';
	const char *id = options_sensor_id(host, why) ? "sensor" : host;
	(void)snprintf(ret, FRAME_SENSOR_LEN + 1, "%.*s", FRAME_SENSOR_LEN, id);
}

/* One option. 0, or -EINVAL with a line in `why`. */
static int take(struct args *a, int opt, const char *arg, char why[static 256])
{
	if (setup_is(opt) || opt == SETUP_CONNECT || opt == SETUP_LINGER)
		return setup_take(&a->setup, opt, arg, why);
	switch (opt) {
	case OPT_EPOCH:
		return options_uint(arg, 1, UINT64_MAX, &a->setup.station.session.engine.epoch, why);
	case OPT_INSECURE:
		a->insecure = true;
		return 0;
	case 'v':
		a->level = LOG_LEVEL_DEBUG;
		return 0;
	case 'q':
		a->level = LOG_LEVEL_WARN;
		return 0;
	default:
		return -EINVAL;
	}
}

static int check(struct args *a, char why[static 256])
{
	int err = setup_finish(&a->setup, why);
	if (err)
		return err;
	if (!a->setup.station.endpoint) {
		(void)snprintf(why, 256, "where to send events: --connect ENDPOINT (to just read a capture: spanward replay FILE)");
		return -EINVAL;
	}
	return options_endpoint(a->setup.station.endpoint, a->insecure, why);
}

int main(int argc, char **argv)
{
	static struct args a = { .level = LOG_LEVEL_INFO };
	static const char letters[] = ":i:r:p:vqh";
	char why[256] = "", name[OPTION_NAME];
	struct conf_report rep = { 0 };
	standard_open();
	setup_defaults(&a.setup);
	default_sensor_id(a.setup.sensor);
	const char *config = setup_typed_config(argc, argv, letters, options);
	if (config && setup_config(&a.setup, config, &rep)) {
		conf_say(&rep);
		return ERR_EXIT_CONFIG;
	}
	for (int opt; (opt = getopt_long(argc, argv, letters, options, NULL)) != -1;) {
		if (opt == 'h') {
			(void)fputs(help, stdout);
			return standard_flush() ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
		}
		if (opt == OPT_VERSION) {
			(void)printf("spanward-sensor %s\n", SPANWARD_VERSION);
			return standard_flush() ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
		}
		if (opt == '?' || opt == ':')
			return usage(option_fault(opt, argv, options, why));
		if (take(&a, opt, optarg, why)) {
			char whole[320];
			(void)snprintf(whole, sizeof(whole), "%s: %s", option_typed(opt, options, name), why);
			return usage(whole);
		}
	}
	if (optind < argc) {
		(void)snprintf(why, sizeof(why), "'%.80s': captures are given with -r", argv[optind]);
		return usage(why);
	}
	int unset = check(&a, why);
	if (unset == -EINVAL)
		return usage(why);
	if (unset) {
		log_say("spanward-sensor: %s", why);
		return (int)err_exit_code(unset) == ERR_EXIT_PERMISSION ? ERR_EXIT_PERMISSION : ERR_EXIT_CONFIG;
	}
	log_open("spanward-sensor", a.level);
	int code = station_run(&a.setup.station);
	setup_free(&a.setup);
	return code;
}
