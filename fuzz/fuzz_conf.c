/* fuzz_conf.c -- the strict YAML reader and its checks: no document without a fault, no fault without a place,
 * and what a table accepted can be read with every getter. */
#include <stdlib.h>
#include <string.h>

#include "core/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static const char *const words[] = { "red", "green", "blue", NULL };
static const struct conf_key leaf[] = { { .name = "text", .kind = CONF_TEXT, .min = 1, .max = 16 }, { .name = NULL } };
static const struct conf_key number[] = { { .name = "number", .kind = CONF_UINT, .max = 1000 }, { .name = NULL } };
static const struct conf_key inner[] = {
	{ .name = "a", .kind = CONF_UINT, .required = true },
	{ .name = "l", .kind = CONF_LIST, .keys = leaf },
	{ .name = NULL },
};
static const struct conf_key either[] = {
	{ .name = "ports", .kind = CONF_PORTS },
	{ .name = "map", .kind = CONF_MAP, .keys = inner },
	{ .name = NULL },
};
static const struct conf_key table[] = {
	{ .name = "text", .kind = CONF_TEXT }, { .name = "number", .kind = CONF_UINT, .min = 3, .max = 70 },
	{ .name = "flag", .kind = CONF_BOOL }, { .name = "answer", .kind = CONF_TRI },
	{ .name = "colour", .kind = CONF_WORD, .words = words }, { .name = "date", .kind = CONF_DATE },
	{ .name = "ports", .kind = CONF_PORTS }, { .name = "addr", .kind = CONF_ADDR },
	{ .name = "net", .kind = CONF_PREFIX }, { .name = "mac", .kind = CONF_MAC },
	{ .name = "wait", .kind = CONF_DURATION, .min = 1 }, { .name = "room", .kind = CONF_SIZE, .min = 1 },
	{ .name = "map", .kind = CONF_MAP, .keys = inner }, { .name = "named", .kind = CONF_MAP_OF, .keys = number },
	{ .name = "list", .kind = CONF_LIST, .keys = either }, { .name = "extra", .kind = CONF_ANY },
	{ .name = "either", .kind = CONF_ONE_OF, .keys = either }, { .name = NULL },
};

static void walk(const struct conf_node *n, unsigned depth)
{
	struct conf_port_range r[2];
	struct addr a;
	struct prefix p;
	struct mac m;
	must(n && depth <= CONF_MAX_DEPTH && conf_line(n) > 0);
	(void)conf_text(n, "");
	(void)conf_uint(n, 0);
	(void)conf_bool(n, false);
	(void)conf_tri(n);
	(void)conf_word(n, words, -1);
	must(conf_ports(n, r, 2) <= 2);
	(void)(conf_addr(n, &a) && conf_prefix(n, &p) && conf_mac(n, &m));
	(void)conf_duration_s(n, 0);
	(void)conf_size_bytes(n, 0);
	(void)conf_date_ns(n, 0);
	for (size_t i = 0; i < conf_count(n); i++) {
		must(!conf_is_map(n) || conf_key_at(n, i).n > 0);
		walk(conf_at(n, i), depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_report *rep = calloc(1, sizeof(*rep));
	must(rep);
	struct conf_doc *d = conf_parse((struct span){ data, size }, "fuzz.yaml", rep);
	must((d != NULL) == (rep->total == 0));
	if (d) {
		const struct conf_node *root = conf_root(d);
		walk(root, 0);
		int r = conf_check(d, root, table, rep);
		must((r == 0) == (rep->total == 0));
		if (!r) {
			struct addr a;
			struct prefix p;
			struct mac m;
			struct conf_port_range ports[1];
			const struct conf_node *n;
			must(!(n = conf_get(root, "number")) || (conf_uint(n, 0) >= 3 && conf_uint(n, 99) <= 70));
			must(!(n = conf_get(root, "ports")) || (conf_ports(n, ports, 1) == 1 && ports[0].lo && ports[0].lo <= ports[0].hi));
			must(!(n = conf_get(root, "addr")) || conf_addr(n, &a));
			must(!(n = conf_get(root, "net")) || conf_prefix(n, &p));
			must(!(n = conf_get(root, "mac")) || conf_mac(n, &m));
			must(!(n = conf_get(root, "wait")) || conf_duration_s(n, 0) > 0);
			must(!(n = conf_get(root, "room")) || conf_size_bytes(n, 0) > 0);
			must(!(n = conf_get(root, "colour")) || conf_word(n, words, -1) >= 0);
		}
	}
	must(rep->n <= CONF_MAX_ERRORS && rep->n <= rep->total);
	for (size_t i = 0; i < rep->n; i++)
		must(rep->v[i].what[0] && memchr(rep->v[i].what, 0, sizeof(rep->v[i].what)));
	conf_free(d);
	free(rep);
	return 0;
}
