#include "sensor/setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/clock.h"
#include "core/err.h"
#include "sensor/options.h"
#include "sensor/token_key.h"

enum { LINGER_S = 10, METRICS_S = 15, DAY_S = 86400 };

static const char *const clocks[] = { "host", "adapter", NULL };

/* ---- the configuration file: a table for the reader, and the option that each key stands for ---- */

static const struct conf_key text_item[] = { { .name = "text", .kind = CONF_TEXT, .min = 1, .max = 4096 }, { 0 } };
static const struct conf_key budget_keys[] = {
	{ .name = "flows", .kind = CONF_UINT, .doc = "flows followed at a time" },
	{ .name = "probes", .kind = CONF_UINT, .doc = "flows whose protocol is not yet known" },
	{ .name = "states", .kind = CONF_UINT, .doc = "flows being dissected" },
	{ .name = "assets", .kind = CONF_UINT, .doc = "hosts remembered" },
	{ .name = "folds", .kind = CONF_UINT, .doc = "events whose repeats are counted" },
	{ .name = "fragments", .kind = CONF_UINT, .doc = "datagrams put together from fragments at a time" },
	{ .name = "guesses", .kind = CONF_UINT, .doc = "flows that nDPI is asked about at a time" },
	{ .name = "streams", .kind = CONF_SIZE, .doc = "stream bytes held until what precedes them comes" },
	{ 0 },
};
static const struct conf_key timer_keys[] = {
	{ .name = "tcp_idle", .kind = CONF_DURATION, .doc = "a TCP flow ends after so long without a packet" },
	{ .name = "udp_idle", .kind = CONF_DURATION, .doc = "the same for UDP" },
	{ .name = "half_open", .kind = CONF_DURATION, .doc = "an attempt that nobody answered ends" },
	{ .name = "fold", .kind = CONF_DURATION, .doc = "repeats of an event within this are one" },
	{ 0 },
};
static const struct conf_key metrics_keys[] = {
	{ .name = "file", .kind = CONF_TEXT, .required = true, .min = 1, .max = 4000, .doc = "kept there, in the Prometheus text format" },
	{ .name = "every", .kind = CONF_DURATION, .doc = "how often it is replaced" },
	{ 0 },
};
static const char *const switches[] = { "on", "off", NULL };
static const char *const schemas[] = { "spanward/1", NULL };
static const char *const kinds[] = { "sensor", NULL };
static const struct conf_key keys[] = {
	{ .name = "schema", .kind = CONF_WORD, .required = true, .words = schemas, .doc = "spanward/1" },
	{ .name = "kind", .kind = CONF_WORD, .required = true, .words = kinds, .doc = "sensor" },
	{ .name = "sensor_id", .kind = CONF_TEXT, .min = 1, .doc = "name of this sensor in events" },
	{ .name = "interfaces", .kind = CONF_LIST, .keys = text_item, .min = 1, .max = LINKS_MAX, .doc = "interfaces to watch" },
	{ .name = "read", .kind = CONF_LIST, .keys = text_item, .min = 1, .max = SOURCE_MAX_FILES,
	  .doc = "captures to read instead" },
	{ .name = "follow", .kind = CONF_TEXT, .min = 1, .max = 4000, .doc = "a directory: read its captures, then each new one" },
	{ .name = "policy", .kind = CONF_TEXT, .min = 1, .max = 4096, .doc = "directory with device types, inventory and site" },
	{ .name = "buffer", .kind = CONF_SIZE, .doc = "kernel buffer for each ring" },
	{ .name = "rings", .kind = CONF_UINT, .doc = "rings for each interface" },
	{ .name = "filter", .kind = CONF_TEXT, .min = 1, .max = 4096, .doc = "watch only this (pcap-filter(7))" },
	{ .name = "snaplen", .kind = CONF_UINT, .doc = "bytes kept of each packet" },
	{ .name = "timestamps", .kind = CONF_WORD, .words = clocks, .doc = "host, or adapter for the card's clock" },
	{ .name = "workers", .kind = CONF_UINT, .doc = "threads that work on packets" },
	{ .name = "memory", .kind = CONF_SIZE, .doc = "of all tables of the engine together" },
	{ .name = "ndpi", .kind = CONF_WORD, .words = switches, .doc = "on or off: ask nDPI about flows that nothing else knows" },
	{ .name = "token_key", .kind = CONF_TEXT, .min = 1, .max = 4000,
	  .doc = "file with the key of the tokens that stand for order numbers; made if there is none" },
	{ .name = "overlapping", .kind = CONF_LIST, .keys = text_item, .min = 1, .max = SPACES_MAX,
	  .doc = "networks that use the same addresses for other hosts: vlan:100, vlan:200-210, vni:5000" },
	{ .name = "budget", .kind = CONF_MAP, .keys = budget_keys, .doc = "room for what is remembered" },
	{ .name = "timers", .kind = CONF_MAP, .keys = timer_keys, .doc = "when something is over" },
	{ .name = "metrics", .kind = CONF_MAP, .keys = metrics_keys, .doc = "counters for a monitoring system" },
	{ .name = "connect", .kind = CONF_TEXT, .min = 1, .max = 255, .doc = "the collector (spanward-sensor)" },
	{ .name = "linger", .kind = CONF_DURATION, .doc = "wait so long for its last acknowledgement (spanward-sensor)" },
	{ 0 },
};

static const struct { const char *key; int opt; } simple[] = {
	{ "sensor_id", SETUP_SENSOR_ID }, { "policy", 'p' }, { "buffer", SETUP_BUFFER }, { "rings", SETUP_RINGS },
	{ "memory", SETUP_MEMORY }, { "ndpi", SETUP_NDPI }, { "token_key", SETUP_TOKEN_KEY },
	{ "filter", SETUP_FILTER }, { "snaplen", SETUP_SNAPLEN }, { "timestamps", SETUP_TIMESTAMPS },
	{ "workers", SETUP_WORKERS }, { "connect", SETUP_CONNECT }, { "linger", SETUP_LINGER },
};

/* ---- options ---- */

void setup_defaults(struct setup *s)
{
	*s = (struct setup){ .station.linger_s = LINGER_S, .station.metrics_s = METRICS_S };
	struct engine_config *e = &s->station.session.engine;
	engine_defaults(e);
	e->workers = 1;
	e->flow_events = true;
	e->epoch = clock_now_ns() / 1000;
}

void setup_free(struct setup *s)
{
	for (size_t i = 0; i < s->n_texts; i++)
		free(s->texts[i]);
	s->n_texts = 0;
}

bool setup_is(int opt) { return opt == 'i' || opt == 'r' || opt == 'p' || (opt >= SETUP_CONFIG && opt <= SETUP_PLANT); }

static int take_input(struct setup *s, int opt, const char *arg, char why[static 256])
{
	struct session_config *c = &s->station.session;
	size_t *n = opt == 'i' ? &c->n_interfaces : &c->n_files;
	size_t most = opt == 'i' ? LINKS_MAX : SOURCE_MAX_FILES;
	if (*n == most) {
		(void)snprintf(why, 256, "at most %d interfaces and %d captures", LINKS_MAX, SOURCE_MAX_FILES);
		return -EINVAL;
	}
	(opt == 'i' ? s->interfaces : s->files)[(*n)++] = arg;
	return 0;
}

static int take_number(int opt, struct session_config *c, const char *arg, char why[static 256])
{
	uint64_t v = 0, min = opt == SETUP_SNAPLEN ? SOURCE_MIN_SNAPLEN : 1;
	uint64_t max = opt == SETUP_SNAPLEN ? SOURCE_MAX_PACKET : opt == SETUP_RINGS ? SOURCE_MAX_RINGS : ENGINE_MAX_WORKERS;
	int err = options_uint(arg, min, max, &v, why);
	if (err)
		return err;
	*(opt == SETUP_SNAPLEN ? &c->live.snaplen : opt == SETUP_RINGS ? &c->live.rings : &c->engine.workers) = (uint32_t)v;
	return 0;
}

static int take(struct setup *s, int opt, const char *arg, char why[static 256])
{
	struct session_config *c = &s->station.session;
	uint64_t v = 0;
	int err = 0;
	switch (opt) {
	case 'i':
	case 'r':
		return take_input(s, opt, arg, why);
	case SETUP_FOLLOW:
		s->follow = true;
		return 0;
	case 'p':
		c->policy_dir = arg;
		return 0;
	case SETUP_SENSOR_ID:
		err = options_sensor_id(arg, why);
		if (!err)
			(void)snprintf(s->sensor, sizeof(s->sensor), "%s", arg);
		return err;
	case SETUP_WORKERS:
	case SETUP_RINGS:
	case SETUP_SNAPLEN:
		return take_number(opt, c, arg, why);
	case SETUP_BUFFER:
		err = options_size(arg, 1 << 20, INT32_MAX, &v, why);
		if (!err)
			c->live.buffer_bytes = (size_t)v;
		return err;
	case SETUP_FILTER:
		c->live.filter = arg;
		return 0;
	case SETUP_TIMESTAMPS:
		c->live.adapter_clock = !strcmp(arg, clocks[1]);
		if (c->live.adapter_clock || !strcmp(arg, clocks[0]))
			return 0;
		(void)snprintf(why, 256, "'%.60s': expected host or adapter", arg);
		return -EINVAL;
	case SETUP_MEMORY:
		err = options_size(arg, ENGINE_MEMORY_MIN, UINT64_C(1) << 40, &v, why);
		if (!err)
			c->engine.memory = (size_t)v;
		return err;
	case SETUP_BUDGET:
		return options_budget(arg, &c->engine, why);
	case SETUP_NDPI:
		return options_ndpi(arg, &c->engine.ndpi, why);
	case SETUP_TOKEN_KEY:
		s->token_key = arg;
		return 0;
	case SETUP_OVERLAPPING:
		return spaces_take(&c->engine.spaces, arg, why);
	case SETUP_NO_SANDBOX:
		c->no_sandbox = true;
		return 0;
	case SETUP_CONNECT:
		s->station.endpoint = arg;
		return 0;
	case SETUP_LINGER:
		err = options_duration(arg, &v, why);
		if (!err)
			s->station.linger_s = v > DAY_S ? DAY_S : (unsigned)v;
		return err;
	case SETUP_METRICS:
		s->station.metrics = arg;
		return 0;
	case SETUP_METRICS_EVERY:
		err = options_duration(arg, &v, why);
		if (!err && (!v || v > DAY_S)) {
			(void)snprintf(why, 256, "'%.60s': expected 1s to 1d", arg);
			err = -EINVAL;
		}
		if (!err)
			s->station.metrics_s = (unsigned)v;
		return err;
	case SETUP_PLANT:
		c->plant = arg;
		return 0;
	default:                        /* SETUP_CONFIG: read before the others */
		return 0;
	}
}

int setup_take(struct setup *s, int opt, const char *arg, char why[static 256])
{
	struct session_config *c = &s->station.session;
	if ((opt == 'i' || opt == 'r') && !s->input_typed) {
		s->input_typed = true;
		c->n_interfaces = c->n_files = 0;
		s->station.follow = NULL;
	}
	if (opt == SETUP_OVERLAPPING && !s->overlapping_typed) {
		s->overlapping_typed = true;
		c->engine.spaces = (struct spaces){ 0 };
	}
	/* They shape a live capture. In a configuration they may stand beside -r, which then takes the place of its interfaces. */
	if (opt == SETUP_FILTER || opt == SETUP_SNAPLEN || opt == SETUP_RINGS || opt == SETUP_TIMESTAMPS)
		s->live_typed = true;
	return take(s, opt, arg, why);
}

const char *setup_typed_config(int argc, char **argv, const char *letters, const struct option *options)
{
	const char *path = NULL;
	for (int opt; (opt = getopt_long(argc, argv, letters, options, NULL)) != -1;)
		if (opt == SETUP_CONFIG)
			path = optarg;
	/* getopt(3): 0 makes it begin anew, its permutation too. */
	optind = 0;
	return path;
}

/* ---- the file ---- */

/* The text of a scalar, for as long as *s lives. */
static const char *keep(struct setup *s, const char *before, const struct conf_node *n)
{
	struct span t = conf_text(n, "");
	size_t n_text = strlen(before) + t.n + 1;
	char *text = s->n_texts < SETUP_TEXTS ? malloc(n_text) : NULL;
	if (!text)
		return NULL;
	(void)snprintf(text, n_text, "%s%.*s", before, (int)t.n, (const char *)t.p);
	s->texts[s->n_texts++] = text;
	return text;
}

static void take_node(struct setup *s, const struct conf_doc *doc, int opt, const char *before, const struct conf_node *n,
		      struct conf_report *rep)
{
	char why[256] = "";
	const char *text = keep(s, before, n);
	if (!text)
		conf_fault(doc, n, rep, "more than fits");
	else if (take(s, opt, text, why))
		conf_fault(doc, n, rep, "%s", why);
}

static void take_map(struct setup *s, const struct conf_doc *doc, const struct conf_node *map, struct conf_report *rep)
{
	for (size_t i = 0; i < conf_count(map); i++) {
		char before[64];
		struct span key = conf_key_at(map, i);
		(void)snprintf(before, sizeof(before), "%.*s=", (int)key.n, (const char *)key.p);
		take_node(s, doc, SETUP_BUDGET, before, conf_at(map, i), rep);
	}
}

static void take_list(struct setup *s, const struct conf_doc *doc, int opt, const struct conf_node *list,
		      struct conf_report *rep)
{
	for (size_t i = 0; i < conf_count(list); i++)
		take_node(s, doc, opt, "", conf_at(list, i), rep);
}

int setup_config(struct setup *s, const char *path, struct conf_report *rep)
{
	size_t before = rep->total;
	struct conf_doc *doc = conf_read_file(path, rep);
	if (!doc)
		return ERR_CONFIG;
	const struct conf_node *root = conf_root(doc);
	if (!conf_check(doc, root, keys, rep)) {
		const struct conf_node *interfaces = conf_get(root, "interfaces"), *files = conf_get(root, "read");
		const struct conf_node *dir = conf_get(root, "follow");
		if ((interfaces && files) || (dir && (interfaces || files)))
			conf_fault(doc, dir ? dir : files, rep, "one of interfaces, read and follow");
		if (dir)
			s->station.follow = keep(s, "", dir);
		take_list(s, doc, 'i', interfaces, rep);
		take_list(s, doc, 'r', files, rep);
		take_list(s, doc, SETUP_OVERLAPPING, conf_get(root, "overlapping"), rep);
		for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
			const struct conf_node *n = conf_get(root, simple[i].key);
			if (n)
				take_node(s, doc, simple[i].opt, "", n, rep);
		}
		const struct conf_node *metrics = conf_get(root, "metrics");
		if (metrics && conf_get(metrics, "file"))
			take_node(s, doc, SETUP_METRICS, "", conf_get(metrics, "file"), rep);
		if (metrics && conf_get(metrics, "every"))
			take_node(s, doc, SETUP_METRICS_EVERY, "", conf_get(metrics, "every"), rep);
		take_map(s, doc, conf_get(root, "budget"), rep);
		take_map(s, doc, conf_get(root, "timers"), rep);
	}
	conf_free(doc);
	return rep->total > before ? ERR_CONFIG : 0;
}

bool setup_is_config(const char *path)
{
	struct conf_report ignored = { 0 };
	struct conf_doc *doc = conf_read_file(path, &ignored);
	const struct conf_node *root = doc ? conf_root(doc) : NULL;
	const struct conf_node *kind = root && conf_is_map(root) ? conf_get(root, "kind") : NULL;
	bool is = kind && conf_is_scalar(kind) && span_eq(conf_text(kind, ""), span_str(kinds[0]));
	conf_free(doc);
	return is;
}

int setup_finish(struct setup *s, char why[static 256])
{
	struct session_config *c = &s->station.session;
	if (s->follow && !s->station.follow) {
		if (c->n_interfaces || c->n_files != 1) {
			(void)snprintf(why, 256, "--follow goes with one directory: -r DIR --follow");
			return -EINVAL;
		}
		s->station.follow = s->files[0];
		c->n_files = 0;
	}
	c->follow = s->station.follow != NULL;
	if (!c->follow && !c->n_interfaces == !c->n_files) {
		(void)snprintf(why, 256, c->n_files ? "either -i or -r, not both" :
		               "nothing to watch: give -i IFACE or -r CAPTURE");
		return -EINVAL;
	}
	if (s->live_typed && !c->n_interfaces) {
		(void)snprintf(why, 256, "--filter, --snaplen, --rings and --timestamps go with interfaces (-i): a capture is read as "
		               "it is");
		return -EINVAL;
	}
	c->interfaces = s->interfaces;
	c->files = s->files;
	c->engine.sensor = s->sensor;
	/* Someone who can guess where flows fall can crowd one shard: the keys of a sensor that watches are nobody's to guess. */
	struct siphash_key *secrets[] = { &c->engine.key, &c->engine.tokens };
	for (size_t i = 0; i < 2 && (c->n_interfaces || c->follow); i++) {
		if (getrandom(secrets[i], sizeof(*secrets[i]), 0) == (ssize_t)sizeof(*secrets[i]))
			continue;
		(void)snprintf(why, 256, "no random numbers from the kernel");
		return -EIO;
	}
	return s->token_key ? token_key_get(s->token_key, &c->engine.tokens, why) : 0;
}
