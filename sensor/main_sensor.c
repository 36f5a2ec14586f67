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
#include "sensor/station.h"

enum {
	MAX_INTERFACES = 16,
	OPT_CONNECT = 256, OPT_SENSOR_ID, OPT_EPOCH, OPT_WORKERS, OPT_NO_SANDBOX, OPT_LINGER, OPT_INSECURE, OPT_BUFFER,
	OPT_FILTER, OPT_SNAPLEN, OPT_TIMESTAMPS,
	OPT_BUDGET, OPT_VERSION, OPT_PLANT,
};

static const struct option options[] = {
	{ "interface", required_argument, NULL, 'i' },
	{ "read", required_argument, NULL, 'r' },
	{ "policy", required_argument, NULL, 'p' },
	{ "connect", required_argument, NULL, OPT_CONNECT },
	{ "sensor-id", required_argument, NULL, OPT_SENSOR_ID },
	{ "epoch", required_argument, NULL, OPT_EPOCH },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "linger", required_argument, NULL, OPT_LINGER },
	{ "insecure-no-curve", no_argument, NULL, OPT_INSECURE },
	{ "buffer", required_argument, NULL, OPT_BUFFER },
	{ "filter", required_argument, NULL, OPT_FILTER },
	{ "snaplen", required_argument, NULL, OPT_SNAPLEN },
	{ "timestamps", required_argument, NULL, OPT_TIMESTAMPS },
	{ "budget", required_argument, NULL, OPT_BUDGET },
	{ "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
#ifdef SPANWARD_PLANT
	{ "plant", required_argument, NULL, OPT_PLANT },
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
"  -i, --interface IFACE   watch this interface; may be given several times\n"
"  -r, --read FILE         read this capture instead (pcap, pcapng, gzip; - is standard input)\n"
"      --buffer SIZE       kernel buffer for each interface, such as 64MiB\n"
	"      --filter EXPR       watch only this (pcap-filter(7)); what it leaves out is not even counted\n"
	"      --snaplen N         bytes of each packet, from 96; messages that are cut cannot be judged\n"
	"      --timestamps CLOCK  host (default), or adapter where the card stamps packets\n"
"  -p, --policy DIR        device types, inventory and site; without it only hosts and flows are reported\n"
"\n"
"Output\n"
"      --connect ENDPOINT  collector, such as tcp://127.0.0.1:5577 or ipc:///run/spanward/events\n"
"      --sensor-id ID      name of this sensor in events (default: the host name)\n"
"      --epoch N           run within which sequence numbers count (default: microseconds since 1970)\n"
"      --linger SECONDS    at the end, wait this long for the last acknowledgement (default 10)\n"
"      --insecure-no-curve send to another machine without encryption and authentication\n"
"\n"
"Running\n"
"      --workers N         threads that read packets, 1 to 16 (default 1)\n"
"      --budget LIST       NAME=VALUE,... room for flows, probes, states, assets, folds, streams (a size), and\n"
"                          the timers tcp_idle, udp_idle, half_open, fold\n"
"      --no-sandbox        leave the engine its system calls (to find faults; said in the log)\n"
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
	struct station_config station;
	const char *interfaces[MAX_INTERFACES], *files[SOURCE_MAX_FILES];
	enum log_level level;
	bool insecure, epoch_given;
	char sensor[FRAME_SENSOR_LEN + 1];
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
	struct session_config *s = &a->station.session;
	uint64_t v = 0;
	int err = 0;
	switch (opt) {
	case 'i':
	case 'r': {
		size_t *n = opt == 'i' ? &s->n_interfaces : &s->n_files;
		size_t most = opt == 'i' ? MAX_INTERFACES : SOURCE_MAX_FILES;
		if (*n == most) {
			(void)snprintf(why, 256, "at most %d interfaces and %d files", MAX_INTERFACES, SOURCE_MAX_FILES);
			return -EINVAL;
		}
		(opt == 'i' ? a->interfaces : a->files)[(*n)++] = arg;
		return 0;
	}
	case 'p':
		s->policy_dir = arg;
		return 0;
	case OPT_CONNECT:
		a->station.endpoint = arg;
		return 0;
	case OPT_SENSOR_ID:
		err = options_sensor_id(arg, why);
		if (!err)
			(void)snprintf(a->sensor, sizeof(a->sensor), "%s", arg);
		return err;
	case OPT_EPOCH:
		a->epoch_given = true;
		return options_uint(arg, 1, UINT64_MAX, &s->engine.epoch, why);
	case OPT_WORKERS:
		err = options_uint(arg, 1, ENGINE_MAX_WORKERS, &v, why);
		if (!err)
			s->engine.workers = (unsigned)v;
		return err;
	case OPT_LINGER:
		err = options_duration(arg, &v, why);
		if (!err)
			a->station.linger_s = v > 86400 ? 86400 : (unsigned)v;
		return err;
	case OPT_BUFFER:
		err = options_size(arg, 1 << 20, INT32_MAX, &v, why);
		if (!err)
			s->live.buffer_bytes = (size_t)v;
		return err;
	case OPT_FILTER:
		s->live.filter = arg;
		return 0;
	case OPT_SNAPLEN:
		err = options_uint(arg, SOURCE_MIN_SNAPLEN, SOURCE_MAX_PACKET, &v, why);
		if (!err)
			s->live.snaplen = (uint32_t)v;
		return err;
	case OPT_TIMESTAMPS:
		s->live.adapter_clock = !strcmp(arg, "adapter");
		if (s->live.adapter_clock || !strcmp(arg, "host"))
			return 0;
		(void)snprintf(why, 256, "expected host or adapter");
		return -EINVAL;
	case OPT_BUDGET:
		return options_budget(arg, &s->engine, why);
	case OPT_NO_SANDBOX:
		s->no_sandbox = true;
		return 0;
	case OPT_INSECURE:
		a->insecure = true;
		return 0;
	case OPT_PLANT:
		s->plant = arg;
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
	struct session_config *s = &a->station.session;
	if (!s->n_interfaces == !s->n_files) {
		(void)snprintf(why, 256, s->n_files ? "either -i or -r, not both" : "nothing to watch: give -i IFACE or -r FILE");
		return -EINVAL;
	}
	if (!a->station.endpoint) {
		(void)snprintf(why, 256, "where to send events: --connect ENDPOINT (to just read a capture: spanward replay FILE)");
		return -EINVAL;
	}
	return options_endpoint(a->station.endpoint, a->insecure, why);
}

int main(int argc, char **argv)
{
	static struct args a = { .level = LOG_LEVEL_INFO };
	struct session_config *s = &a.station.session;
	char why[256] = "", name[OPTION_NAME];
	standard_open();
	engine_defaults(&s->engine);
	s->engine.workers = 1;
	s->engine.flow_events = true;
	a.station.linger_s = 10;
	default_sensor_id(a.sensor);
	for (int opt; (opt = getopt_long(argc, argv, ":i:r:p:vqh", options, NULL)) != -1;) {
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
	if (check(&a, why))
		return usage(why);
	s->interfaces = a.interfaces;
	s->files = a.files;
	s->engine.sensor = a.sensor;
	if (!a.epoch_given)
		s->engine.epoch = clock_now_ns() / 1000;
	/* Someone who can guess where flows fall can crowd one shard: live keys are nobody's to guess. */
	if (s->n_interfaces && getrandom(&s->engine.key, sizeof(s->engine.key), 0) != (ssize_t)sizeof(s->engine.key))
		return usage("no random numbers from the kernel");
	log_open("spanward-sensor", a.level);
	return station_run(&a.station);
}
