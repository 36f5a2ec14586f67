#include "core/conf_tree.h"

#include <errno.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"

enum { TEXT_MAX = 1024 };               /* bytes of a text whose row in the table names no bound */

struct check {
	const struct conf_doc *doc;
	struct conf_report *rep;
};

static const char *shape_word(const struct conf_node *n)
{
	return n->shape == CONF_SHAPE_MAP ? "a map (key: value)" : n->shape == CONF_SHAPE_LIST ? "a list" : "a single value";
}

static const char *expected_word(enum conf_kind k)
{
	switch (k) {
	case CONF_TEXT: return "a text";
	case CONF_UINT: return "a whole number";
	case CONF_BOOL: return "true or false";
	case CONF_TRI: return "yes, no, na, see_note or unknown";
	case CONF_WORD: return "one of the words named";
	case CONF_DATE: return "a date (2026-03-20) or a time (2026-03-20T09:00:00+09:00)";
	case CONF_PORTS: return "ports from 1 to 65535 (104, 3333-3334 or \"104,11112\")";
	case CONF_ADDR: return "an IP address";
	case CONF_PREFIX: return "a network (10.0.0.0/8) or an address";
	case CONF_MAC: return "a hardware address (00:11:22:33:44:55)";
	case CONF_DURATION: return "a duration (30s, 5m, 2h or 90d)";
	case CONF_SIZE: return "a size (64KiB, 16MiB or 2GiB)";
	case CONF_MAP: case CONF_MAP_OF: return "a map (key: value)";
	case CONF_LIST: return "a list";
	case CONF_ANY: case CONF_REFUSED: return "anything";
	case CONF_ONE_OF: return "another kind of value";
	}
	return "another value";
}

static const char *wide(const struct conf_node *n)
{
	return conf_slip_wide(n->text) ? ", which has full-width characters; write it in half width" : "";
}

static void unexpected(struct check *c, const struct conf_node *n, enum conf_kind k)
{
	char q[CONF_REPORT_QUOTE + 8];
	if (n->shape != CONF_SHAPE_SCALAR)
		conf_fault(c->doc, n, c->rep, "expected %s, found %s", expected_word(k), shape_word(n));
	else if (!n->text.n && n->plain)
		conf_fault(c->doc, n, c->rep, "expected %s, found nothing", expected_word(k));
	else
		conf_fault(c->doc, n, c->rep, "expected %s, found %s%s%s", expected_word(k), conf_report_quote(n->text, q),
			   n->plain ? "" : " in quotes", wide(n));
}

static void check_range(struct check *c, const struct conf_node *n, const struct conf_key *k, uint64_t v,
			const char *unit)
{
	if (v >= k->min && (!k->max || v <= k->max))
		return;
	if (k->max)
		conf_fault(c->doc, n, c->rep, "expected %llu to %llu%s, found %llu", (unsigned long long)k->min,
			   (unsigned long long)k->max, unit, (unsigned long long)v);
	else
		conf_fault(c->doc, n, c->rep, "expected at least %llu%s, found %llu", (unsigned long long)k->min, unit,
			   (unsigned long long)v);
}

static void check_text(struct check *c, const struct conf_node *n, const struct conf_key *k)
{
	char q[CONF_REPORT_QUOTE + 8];
	size_t max = k->max ? k->max : TEXT_MAX;
	if (n->plain && !n->text.n)
		conf_fault(c->doc, n, c->rep, "expected a text, found nothing%s", k->min ? "" : "; write \"\" for an empty one");
	else if (n->plain && (conf_value_looks_boolean(n->text) || conf_value_is_null(n)))
		conf_fault(c->doc, n, c->rep, "plain %s is not a text to every YAML reader; if it is meant as one, write it "
			   "in quotes: \"%.*s\"", conf_report_quote(n->text, q), (int)n->text.n, (const char *)n->text.p);
	else if (n->text.n < k->min || n->text.n > max)
		conf_fault(c->doc, n, c->rep, "expected a text of %llu to %zu bytes, found %zu", (unsigned long long)k->min,
			   max, n->text.n);
}

/* "expected one of a, b, c, found 'x'; did you mean b?" as far as there is room. */
static void check_word(struct check *c, const struct conf_node *n, const char *const *words)
{
	char q[CONF_REPORT_QUOTE + 8], list[160];
	struct buf b = buf_over(list, sizeof(list) - 1);
	size_t count = 0;
	if (conf_value_word(n->text, words) >= 0)
		return;
	for (; words && words[count]; count++)
		if (!b.full) {
			size_t mark = b.len;
			(void)buf_str(&b, count ? ", " : "");
			if (buf_str(&b, words[count]) || b.len > sizeof(list) - 8) {
				buf_rewind(&b, mark);
				(void)buf_str(&b, ", ...");
				b.full = true;
			}
		}
	list[b.len] = '\0';
	const char *near = conf_nearest(n->text, words, count);
	/* What YAML readers take for the same as yes and no. */
	if (words == conf_value_tri_words && conf_value_looks_boolean(n->text))
		near = n->text.p[n->text.n - 1] == 'e' && n->text.n == 4 ? "yes" : n->text.n == 5 ? "no" : near;
	conf_fault(c->doc, n, c->rep, "expected one of %s, found %s%s%s%s%s", list, conf_report_quote(n->text, q),
		   near ? "; did you mean " : "", near ? near : "", near ? "?" : "", near ? "" : wide(n));
}

static void check_scalar(struct check *c, const struct conf_node *n, const struct conf_key *k)
{
	struct addr a;
	struct prefix p;
	struct mac m;
	uint64_t v = 0;
	int err = 0;
	if (n->shape != CONF_SHAPE_SCALAR) {
		unexpected(c, n, k->kind);
		return;
	}
	switch (k->kind) {
	case CONF_TEXT:
		check_text(c, n, k);
		return;
	case CONF_WORD:
		check_word(c, n, k->words);
		return;
	case CONF_TRI:
		check_word(c, n, conf_value_tri_words);
		return;
	case CONF_UINT:
		err = n->plain ? conf_value_uint(n->text, &v) : -EINVAL;
		if (!err)
			check_range(c, n, k, v, "");
		break;
	case CONF_BOOL:
		if (!n->plain || (!span_eq(n->text, span_str("true")) && !span_eq(n->text, span_str("false"))))
			err = -EINVAL;
		break;
	case CONF_DATE:
		if (k->min || n->text.n || n->plain)
			err = clock_parse(n->text, &v);
		break;
	case CONF_PORTS:
		err = conf_value_ports(n->text, NULL, 0) < 0 ? -EINVAL : 0;
		break;
	case CONF_ADDR:
		err = addr_parse(n->text, &a);
		break;
	case CONF_PREFIX:
		err = addr_parse_prefix(n->text, &p);
		if (err == -ERANGE) {
			char q[CONF_REPORT_QUOTE + 8];
			conf_fault(c->doc, n, c->rep, "%s has host bits set; expected the network's own address",
				   conf_report_quote(n->text, q));
			err = 0;
		}
		break;
	case CONF_MAC:
		err = addr_parse_mac(n->text, &m);
		break;
	case CONF_DURATION:
		err = conf_value_unit(n->text, conf_value_durations, &v);
		if (!err)
			check_range(c, n, k, v, " seconds");
		break;
	case CONF_SIZE:
		err = conf_value_unit(n->text, conf_value_sizes, &v);
		if (!err)
			check_range(c, n, k, v, " bytes");
		break;
	default:
		break;
	}
	if (err)
		unexpected(c, n, k->kind);
}

static void check_value(struct check *c, const struct conf_node *n, const struct conf_key *k);

static void check_map(struct check *c, const struct conf_node *n, const struct conf_key *keys)
{
	const char *names[128];
	size_t count = 0;
	char q[CONF_REPORT_QUOTE + 8];
	for (; keys[count].name && count < sizeof(names) / sizeof(*names); count++)
		names[count] = keys[count].kind == CONF_REFUSED ? "" : keys[count].name;
	for (size_t i = 0; i < n->n; i++) {
		const struct conf_node *v = n->child[i];
		int at = -1;
		for (size_t j = 0; j < count && at < 0; j++)
			if (span_eq(v->key, span_str(keys[j].name)))
				at = (int)j;
		if (at >= 0 && keys[at].kind == CONF_REFUSED) {
			conf_report_add(c->doc->name, v->key_line, v->key_column, c->rep, "unknown key %s; %s",
					conf_report_quote(v->key, q), keys[at].doc);
			continue;
		}
		if (at >= 0) {
			if (!conf_value_is_null(v))
				check_value(c, v, &keys[at]);
			continue;
		}
		const char *near = conf_nearest(v->key, names, count);
		conf_report_add(c->doc->name, v->key_line, v->key_column, c->rep, "unknown key %s%s%s%s%s", conf_report_quote(v->key, q),
		      near ? "; did you mean " : "", near ? near : "", near ? "?" : "", conf_slip_key(v->key));
	}
	for (size_t j = 0; j < count; j++)
		if (keys[j].required && !conf_get(n, names[j]))
			conf_fault(c->doc, n, c->rep, "key '%s' is missing%s%s", names[j], keys[j].doc ? ": " : "",
				   keys[j].doc ? keys[j].doc : "");
}

static bool fits_shape(const struct conf_key *k, enum conf_shape s)
{
	switch (k->kind) {
	case CONF_MAP:
	case CONF_MAP_OF:
		return s == CONF_SHAPE_MAP;
	case CONF_LIST:
		return s == CONF_SHAPE_LIST;
	case CONF_ANY:
	case CONF_REFUSED:
		return true;
	case CONF_ONE_OF:
		for (const struct conf_key *o = k->keys; o->name; o++)
			if (fits_shape(o, s))
				return true;
		return false;
	default:
		return s == CONF_SHAPE_SCALAR;
	}
}

static void check_elements(struct check *c, const struct conf_node *n, const struct conf_key *k)
{
	char q[CONF_REPORT_QUOTE + 8];
	check_range(c, n, k, n->n, " entries");
	for (size_t i = 0; i < n->n; i++) {
		const struct conf_node *v = n->child[i];
		if (k->kind == CONF_MAP_OF && v->key_plain && conf_value_looks_boolean(v->key))
			conf_report_add(c->doc->name, v->key_line, v->key_column, c->rep,
			      "plain %s as a key is a boolean to other YAML readers; write it in quotes", conf_report_quote(v->key, q));
		if (k->kind != CONF_MAP_OF || !conf_value_is_null(v))
			check_value(c, v, k->keys);
	}
}

static void check_value(struct check *c, const struct conf_node *n, const struct conf_key *k)
{
	switch (k->kind) {
	case CONF_ANY:
	case CONF_REFUSED:
		return;
	case CONF_MAP:
		if (n->shape == CONF_SHAPE_MAP)
			check_map(c, n, k->keys);
		else
			unexpected(c, n, k->kind);
		return;
	case CONF_MAP_OF:
	case CONF_LIST:
		if (n->shape == (k->kind == CONF_LIST ? CONF_SHAPE_LIST : CONF_SHAPE_MAP))
			check_elements(c, n, k);
		else
			unexpected(c, n, k->kind);
		return;
	case CONF_ONE_OF:
		for (const struct conf_key *o = k->keys; o->name; o++)
			if (fits_shape(o, n->shape)) {
				check_value(c, n, o);
				return;
			}
		{
			const struct conf_key *a = k->keys, *b = a->name && a[1].name ? a + 1 : NULL;
			conf_fault(c->doc, n, c->rep, "expected %s%s%s, found %s", a->name ? expected_word(a->kind) : "",
				   b ? " or " : "", b ? expected_word(b->kind) : "", shape_word(n));
		}
		return;
	default:
		check_scalar(c, n, k);
		return;
	}
}

int conf_check(const struct conf_doc *doc, const struct conf_node *node, const struct conf_key *keys,
	       struct conf_report *rep)
{
	struct check c = { doc, rep };
	size_t before = rep->total;
	if (node->shape != CONF_SHAPE_MAP)
		unexpected(&c, node, CONF_MAP);
	else
		check_map(&c, node, keys);
	return rep->total == before ? 0 : ERR_CONFIG;
}
