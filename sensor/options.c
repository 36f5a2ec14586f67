#include "sensor/options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/frame.h"
#include "core/vocab.h"
#include "sensor/guess.h"

struct unit { const char *name; uint64_t times; };

static const struct unit sizes[] = {
	{ "KiB", UINT64_C(1) << 10 }, { "MiB", UINT64_C(1) << 20 }, { "GiB", UINT64_C(1) << 30 }, { "", 1 }, { NULL, 0 },
};
static const struct unit durations[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 }, { "", 1 }, { NULL, 0 } };
static const struct unit plain[] = { { "", 1 }, { NULL, 0 } };

/* Digits and one of the units; nothing before, between or after. */
static int number(const char *text, const struct unit *units, uint64_t *ret)
{
	uint64_t v = 0;
	const char *p = text;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (v > (UINT64_MAX - 9) / 10)
			return -EINVAL;
		v = v * 10 + (uint64_t)(*p - '0');
	}
	if (p == text)
		return -EINVAL;
	for (const struct unit *u = units; u->name; u++) {
		if (strcmp(p, u->name))
			continue;
		if (v > UINT64_MAX / u->times)
			return -EINVAL;
		*ret = v * u->times;
		return 0;
	}
	return -EINVAL;
}

static int ranged(const char *text, const struct unit *units, const char *like, uint64_t min, uint64_t max, uint64_t *ret,
	char why[static 256])
{
	uint64_t v;
	if (number(text, units, &v) || v < min || v > max) {
		(void)snprintf(why, 256, "'%.60s': expected %s from %llu to %llu", text, like, (unsigned long long)min,
		               (unsigned long long)max);
		return -EINVAL;
	}
	*ret = v;
	return 0;
}

int options_uint(const char *text, uint64_t min, uint64_t max, uint64_t *ret, char why[static 256])
{
	return ranged(text, plain, "a number", min, max, ret, why);
}

int options_size(const char *text, uint64_t min, uint64_t max, uint64_t *ret, char why[static 256])
{
	return ranged(text, sizes, "bytes (or 64KiB, 16MiB, 2GiB)", min, max, ret, why);
}

int options_duration(const char *text, uint64_t *ret_s, char why[static 256])
{
	/* A hundred years: far enough for any acceptance, and ns still fit in 64 bits. */
	/* "2" may be meant as minutes, hours or days: as in a configuration, it says which. */
	if (*text && text[strspn(text, "0123456789")] == '\0' && text[strspn(text, "0")]) {
		(void)snprintf(why, 256, "'%.60s': of what? expected 30s, 5m, 2h or 90d", text);
		return -EINVAL;
	}
	int err = ranged(text, durations, "", 0, UINT64_C(36500) * 86400, ret_s, why);
	if (err)
		(void)snprintf(why, 256, "'%.60s': expected 30s, 5m, 2h or 90d, up to 36500d", text);
	return err;
}

/* Where a budget lives; one of the three pointers. */
struct budget { const char *name; size_t *entries, *bytes; uint64_t *ns; };

static int one_budget(const char *text, struct engine_config *c, char why[static 256])
{
	const struct budget all[] = {
		{ "memory", NULL, &c->memory, NULL },
		{ "flows", &c->flows, NULL, NULL }, { "probes", &c->probes, NULL, NULL }, { "states", &c->states, NULL, NULL },
		{ "assets", &c->assets, NULL, NULL }, { "folds", &c->folds, NULL, NULL }, { "fragments", &c->fragments, NULL, NULL },
		{ "guesses", &c->guesses, NULL, NULL },
		{ "streams", NULL, &c->stream_bytes, NULL }, { "tcp_idle", NULL, NULL, &c->tcp_idle_ns },
		{ "udp_idle", NULL, NULL, &c->udp_idle_ns }, { "half_open", NULL, NULL, &c->half_open_ns },
		{ "fold", NULL, NULL, &c->fold_ns },
	};
	const char *value = strchr(text, '=');
	for (size_t i = 0; value && i < sizeof(all) / sizeof(all[0]); i++) {
		const struct budget *b = &all[i];
		if (strlen(b->name) != (size_t)(value - text) || strncmp(b->name, text, strlen(b->name)))
			continue;
		uint64_t v = 0;
		int err;
		/* 2^26 entries of any table are more than this machine's memory. */
		if (b->entries)
			err = options_uint(value + 1, 1, 1 << 26, &v, why);
		else if (b->bytes)
			err = options_size(value + 1, 1, UINT64_C(1) << 36, &v, why);
		else
			err = options_duration(value + 1, &v, why);
		if (err) {
			char of[256];
			(void)snprintf(of, sizeof(of), "%s", why);
			(void)snprintf(why, 256, "%s: %.200s", b->name, of);
			return err;
		}
		if (b->entries)
			*b->entries = (size_t)v;
		else if (b->bytes)
			*b->bytes = (size_t)v;
		else
			*b->ns = v * CLOCK_SECOND;
		return 0;
	}
	(void)snprintf(why, 256, "'%.60s': expected NAME=VALUE with one of memory, flows, probes, states, assets, folds, "
	               "fragments, guesses, streams, tcp_idle, udp_idle, half_open, fold", text);
	return -EINVAL;
}

int options_budget(const char *text, struct engine_config *c, char why[static 256])
{
	struct engine_config whole = *c;
	char one[128];
	do {
		size_t n = strcspn(text, ",");
		(void)snprintf(one, sizeof(one), "%.*s", (int)(n < sizeof(one) ? n : sizeof(one) - 1), text);
		int err = one_budget(one, &whole, why);
		if (err)
			return err;
		text += n;
	} while (*text++);
	*c = whole;
	return 0;
}

int options_ndpi(const char *text, bool *ret, char why[static 256])
{
	bool on = !strcmp(text, "on");
	if (!on && strcmp(text, "off") != 0) {
		(void)snprintf(why, 256, "'%.60s': expected on or off", text);
		return -EINVAL;
	}
	if (on && !guess_built()) {
		(void)snprintf(why, 256, "this program was built without nDPI; install libndpi-dev and build it again, or say off");
		return -EINVAL;
	}
	*ret = on;
	return 0;
}

int options_endpoint(const char *text, bool insecure, char why[static 256])
{
	/* sun_path of unix(7), which an ipc endpoint becomes. */
	if (!strncmp(text, "ipc://", 6) && text[6] && strlen(text + 6) < 108)
		return 0;
	struct endpoint e;
	struct span rest = { 0 };
	bool local = false, parsed = false;
	if (!strncmp(text, "tcp://", 6)) {
		rest = span_str(text + 6);
		const char *port = strrchr(text, ':') + 1;
		uint64_t v;
		parsed = addr_parse_endpoint(rest, &e) == 0 && e.port;
		local = parsed && addr_is_loopback(&e.ip);
		/* A name instead of an address: only its port can be judged here. */
		if (!parsed && *port && strlen(text) < 255 && strpbrk(text + 6, " \t[]*;@") == NULL &&
		    options_uint(port, 1, UINT16_MAX, &v, why) == 0 && port > text + 7)
			parsed = true;
		if (!strncmp(text + 6, "localhost:", 10))
			local = parsed;
	}
	if (!parsed) {
		(void)snprintf(why, 256, "'%.80s': expected tcp://ADDRESS:PORT or ipc:///PATH", text);
		return -EINVAL;
	}
	if (!local && !insecure) {
		(void)snprintf(why, 256, "%.80s leaves this machine and would neither be encrypted nor authenticated; use a loopback "
		               "or ipc:// endpoint, or type --insecure-no-curve to do it all the same", text);
		return -EINVAL;
	}
	return 0;
}

int options_sensor_id(const char *text, char why[static 256])
{
	if (vocab_fits(VOCAB_G_ID, FRAME_SENSOR_LEN, span_str(text)))
		return 0;
	(void)snprintf(why, 256, "'%.60s': expected 1 to %d of A-Z a-z 0-9 . _ : + / -, beginning with a letter or digit", text,
	               FRAME_SENSOR_LEN);
	return -EINVAL;
}
