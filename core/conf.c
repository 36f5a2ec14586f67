#include "core/conf_tree.h"

#include "core/clock.h"

const struct conf_node *conf_get(const struct conf_node *map, const char *key)
{
	if (!map || map->shape != CONF_SHAPE_MAP)
		return NULL;
	struct span k = span_str(key);
	for (size_t i = 0; i < map->n; i++)
		if (span_eq(map->child[i]->key, k))
			return conf_value_is_null(map->child[i]) ? NULL : map->child[i];
	return NULL;
}

size_t conf_count(const struct conf_node *n) { return n ? n->n : 0; }

const struct conf_node *conf_at(const struct conf_node *n, size_t i) { return n && i < n->n ? n->child[i] : NULL; }

struct span conf_key_at(const struct conf_node *map, size_t i)
{
	return map && map->shape == CONF_SHAPE_MAP && i < map->n ? map->child[i]->key : (struct span){ 0 };
}

bool conf_is_map(const struct conf_node *n) { return n && n->shape == CONF_SHAPE_MAP; }
bool conf_is_list(const struct conf_node *n) { return n && n->shape == CONF_SHAPE_LIST; }
bool conf_is_scalar(const struct conf_node *n) { return n && n->shape == CONF_SHAPE_SCALAR; }
unsigned conf_line(const struct conf_node *n) { return n ? n->line : 0; }

/* The text of a scalar; false for everything else, a plain null among it. */
static bool scalar(const struct conf_node *n, struct span *ret)
{
	if (!n || n->shape != CONF_SHAPE_SCALAR || conf_value_is_null(n))
		return false;
	*ret = n->text;
	return true;
}

struct span conf_text(const struct conf_node *n, const char *otherwise)
{
	struct span s;
	return scalar(n, &s) ? s : otherwise ? span_str(otherwise) : (struct span){ 0 };
}

uint64_t conf_uint(const struct conf_node *n, uint64_t otherwise)
{
	struct span s;
	if (scalar(n, &s))
		(void)conf_value_uint(s, &otherwise);
	return otherwise;
}

bool conf_bool(const struct conf_node *n, bool otherwise)
{
	struct span s;
	if (!scalar(n, &s))
		return otherwise;
	return span_eq(s, span_str("true")) || (otherwise && !span_eq(s, span_str("false")));
}

enum conf_tri conf_tri(const struct conf_node *n)
{
	struct span s;
	int i = scalar(n, &s) ? conf_value_word(s, conf_value_tri_words) : -1;
	return i < 0 ? CONF_TRI_UNKNOWN : (enum conf_tri)i;
}

int conf_word(const struct conf_node *n, const char *const *words, int otherwise)
{
	struct span s;
	int i = scalar(n, &s) ? conf_value_word(s, words) : -1;
	return i < 0 ? otherwise : i;
}

size_t conf_ports(const struct conf_node *n, struct conf_port_range *ret, size_t max)
{
	struct span s;
	int k = scalar(n, &s) ? conf_value_ports(s, ret, max) : 0;
	return k < 0 ? 0 : (size_t)k < max ? (size_t)k : max;
}

bool conf_addr(const struct conf_node *n, struct addr *ret)
{
	struct span s;
	return scalar(n, &s) && !addr_parse(s, ret);
}

bool conf_prefix(const struct conf_node *n, struct prefix *ret)
{
	struct span s;
	return scalar(n, &s) && !addr_parse_prefix(s, ret);
}

bool conf_mac(const struct conf_node *n, struct mac *ret)
{
	struct span s;
	return scalar(n, &s) && !addr_parse_mac(s, ret);
}

uint64_t conf_duration_s(const struct conf_node *n, uint64_t otherwise)
{
	struct span s;
	if (scalar(n, &s))
		(void)conf_value_unit(s, conf_value_durations, &otherwise);
	return otherwise;
}

uint64_t conf_size_bytes(const struct conf_node *n, uint64_t otherwise)
{
	struct span s;
	if (scalar(n, &s))
		(void)conf_value_unit(s, conf_value_sizes, &otherwise);
	return otherwise;
}

uint64_t conf_date_ns(const struct conf_node *n, uint64_t otherwise)
{
	struct span s;
	if (scalar(n, &s))
		(void)clock_parse(s, &otherwise);
	return otherwise;
}
