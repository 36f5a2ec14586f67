/* setup.h -- what a person says of a sensor: on the command line of spanward run and spanward-sensor, or in a
 * configuration file (docs/configuration.md), of which the command line overrides what it says too.
 *
 *     struct setup s; setup_defaults(&s);
 *     setup_config(&s, setup_typed_config(argc, argv, ...), &rep);     when there is one
 *     setup_take(&s, opt, optarg, why);                                for each option that setup_is()
 *     setup_finish(&s, why);
 */
#ifndef SENSOR_SETUP_H
#define SENSOR_SETUP_H

#include <getopt.h>

#include "core/frame.h"
#include "sensor/links.h"
#include "sensor/station.h"

enum { SETUP_TEXTS = 512 };

/* Codes of long options that have no letter. */
enum setup_option {
	SETUP_CONFIG = 1000, SETUP_FOLLOW, SETUP_BUFFER, SETUP_RINGS, SETUP_FILTER, SETUP_SNAPLEN, SETUP_TIMESTAMPS, SETUP_WORKERS,
	SETUP_BUDGET, SETUP_MEMORY, SETUP_SENSOR_ID, SETUP_METRICS, SETUP_METRICS_EVERY, SETUP_NDPI, SETUP_TOKEN_KEY, SETUP_OVERLAPPING,
	SETUP_NO_SANDBOX,
	SETUP_PLANT,
	SETUP_CONNECT, SETUP_LINGER,    /* the configuration file's and spanward-sensor's */
};

/* Rows for getopt_long(3), and lines for --help, of what both programs share. */
#define SETUP_OPTIONS \
	{ "interface", required_argument, NULL, 'i' }, { "read", required_argument, NULL, 'r' }, \
	{ "follow", no_argument, NULL, SETUP_FOLLOW }, \
	{ "policy", required_argument, NULL, 'p' }, { "config", required_argument, NULL, SETUP_CONFIG }, \
	{ "buffer", required_argument, NULL, SETUP_BUFFER }, { "rings", required_argument, NULL, SETUP_RINGS }, \
	{ "filter", required_argument, NULL, SETUP_FILTER }, { "snaplen", required_argument, NULL, SETUP_SNAPLEN }, \
	{ "timestamps", required_argument, NULL, SETUP_TIMESTAMPS }, { "workers", required_argument, NULL, SETUP_WORKERS }, \
	{ "memory", required_argument, NULL, SETUP_MEMORY }, \
	{ "budget", required_argument, NULL, SETUP_BUDGET }, { "sensor-id", required_argument, NULL, SETUP_SENSOR_ID }, \
	{ "metrics", required_argument, NULL, SETUP_METRICS }, \
	{ "metrics-every", required_argument, NULL, SETUP_METRICS_EVERY }, \
	{ "ndpi", required_argument, NULL, SETUP_NDPI }, \
	{ "token-key", required_argument, NULL, SETUP_TOKEN_KEY }, \
	{ "overlapping", required_argument, NULL, SETUP_OVERLAPPING }, \
	{ "no-sandbox", no_argument, NULL, SETUP_NO_SANDBOX }
#define SETUP_HELP_INPUT \
	"  -i, --interface IFACE   watch this interface; may be given several times (needs CAP_NET_RAW)\n" \
	"  -r, --read CAPTURE      read this capture instead (pcap, pcapng, gzip; - is standard input)\n" \
	"      --follow            take -r for a directory: read its captures, oldest first, then each new one\n" \
	"  -p, --policy DIR        device types, inventory and site; without it only hosts and flows are told\n" \
	"      --config FILE       take from this file what is not said here (docs/configuration.md)\n" \
	"      --buffer SIZE       kernel buffer for each ring, such as 256MiB (default 64MiB)\n" \
	"      --rings N           rings for each interface, 1 to 8: the kernel spreads its packets over them\n" \
	"      --filter EXPR       watch only this (pcap-filter(7)); what it leaves out is not even counted\n" \
	"      --snaplen N         bytes of each packet, from 96; messages that are cut cannot be judged\n" \
	"      --timestamps CLOCK  host (default), or adapter where the card stamps packets\n"
#define SETUP_HELP_RUNNING \
	"      --sensor-id ID      name of this sensor in events\n" \
	"      --workers N         threads that work on packets, 1 to 16 (default 1)\n" \
	"      --memory SIZE       make all tables of the engine fit, such as 512MiB; the policy's come on top\n" \
	"      --budget LIST       NAME=VALUE,... room for flows, probes, states, assets, folds, streams (a size), and\n" \
	"                          the timers tcp_idle, udp_idle, half_open, fold\n" \
	"      --ndpi on|off       ask nDPI about flows that nothing here knows (default on, where it was built in)\n" \
	"      --token-key FILE    key of the tokens that stand for order numbers, made there if there is none; without it\n" \
	"                          each start has a key of its own\n" \
	"      --overlapping LIST  networks that use the same addresses for other hosts, such as vlan:100,vlan:200-210,vni:5000:\n" \
	"                          what is listed is kept apart (docs/flows.md)\n" \
	"      --metrics FILE      keep counters there in the Prometheus text format (nothing listens for them)\n" \
	"      --metrics-every T   how often that file is replaced (default 15s)\n" \
	"      --no-sandbox        leave the process that parses packets its system calls (to find faults; told)\n"

struct setup {
	struct station_config station;
	const char *interfaces[LINKS_MAX], *files[SOURCE_MAX_FILES];
	bool follow;                    /* the one file is a directory */
	const char *token_key;          /* NULL: a key of this start */
	bool live_typed;                /* an option that only a live capture heeds, on the command line */
	bool overlapping_typed;         /* on the command line: those of the file do not count */
	bool input_typed;               /* on the command line: then that of the file does not count */
	char sensor[FRAME_SENSOR_LEN + 1];
	char *texts[SETUP_TEXTS];       /* of the file */
	size_t n_texts;
};

void setup_defaults(struct setup *s);
void setup_free(struct setup *s);
/* The value of --config among the arguments, NULL when there is none. Call it before parsing them. */
const char *setup_typed_config(int argc, char **argv, const char *letters, const struct option *options);
/* Takes what a file says. 0, ERR_CONFIG or -errno, with every fault in *rep. */
int setup_config(struct setup *s, const char *path, struct conf_report *rep);
/* Whether that is the kind of a file: a configuration of a sensor. A file that cannot be read is not. */
bool setup_is_config(const char *path);
bool setup_is(int opt);
/* One option of SETUP_OPTIONS, typed. 0, or -EINVAL with a line in `why`. */
int setup_take(struct setup *s, int opt, const char *arg, char why[static 256]);
/* After all of them: is there something to watch? 0, or -EINVAL with `why`; -EIO without random numbers; what token_key_get says
 * of the file of the key. */
int setup_finish(struct setup *s, char why[static 256]);

#endif
