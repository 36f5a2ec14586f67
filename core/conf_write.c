/* Trees as YAML: block style, with small leaves in braces, every text in quotes. */
#include <errno.h>
#include <string.h>

#include "core/conf_make.h"
#include "core/conf_tree.h"

enum { LEAF_WIDTH = 100, LEAF_KEYS = 8 };       /* of a map or list written in one line */

/* The row of a table that a key fits; NULL: none, or no table. */
static const struct conf_key *row_of(const struct conf_key *keys, struct span name)
{
	for (; keys && keys->name; keys++)
		if (span_eq(name, span_str(keys->name)))
			return keys;
	return NULL;
}

/* What a node of one of several shapes is. */
static const struct conf_key *settle(const struct conf_key *k, const struct conf_node *n)
{
	while (k && k->kind == CONF_ONE_OF) {
		const struct conf_key *o = k->keys;
		for (; o->name; o++) {
			enum conf_shape s = o->kind == CONF_MAP || o->kind == CONF_MAP_OF ? CONF_SHAPE_MAP
					    : o->kind == CONF_LIST ? CONF_SHAPE_LIST : CONF_SHAPE_SCALAR;
			if (s == n->shape || o->kind == CONF_ANY)
				break;
		}
		k = o->name ? o : NULL;
	}
	return k;
}

static bool bare(struct span s)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-";
	for (size_t i = 0; i < s.n; i++)
		if (!memchr(safe, s.p[i], sizeof(safe) - 1))
			return false;
	/* "-" alone opens a list, "---" and "..." end documents. */
	return s.n && s.p[0] != '-' && s.p[0] != '.';
}

/* What YAML 1.1 takes for a line break or a byte order mark is written as an escape. */
static void put_text(FILE *to, struct span s)
{
	static const struct { const char *bytes; size_t n; const char *as; } escapes[] = {
		{ "\"", 1, "\\\"" }, { "\\", 1, "\\\\" }, { "\xc2\x85", 2, "\\N" }, { "\xe2\x80\xa8", 3, "\\L" },
		{ "\xe2\x80\xa9", 3, "\\P" }, { "\xef\xbb\xbf", 3, "\\uFEFF" }, { "\t", 1, "\\t" },
	};
	(void)fputc('"', to);
	while (s.n) {
		size_t i = 0;
		while (i < sizeof(escapes) / sizeof(escapes[0]) &&
		       (s.n < escapes[i].n || memcmp(s.p, escapes[i].bytes, escapes[i].n)))
			i++;
		bool found = i < sizeof(escapes) / sizeof(escapes[0]);
		if (found)
			(void)fputs(escapes[i].as, to);
		else
			(void)fputc(s.p[0], to);
		s = span_from(s, found ? escapes[i].n : 1);
	}
	(void)fputc('"', to);
}

static void put_scalar(FILE *to, const struct conf_node *n)
{
	if (n->plain && (bare(n->text) || conf_value_is_null(n)))
		(void)fwrite(n->text.p, 1, n->text.n, to);
	else if (!n->plain || n->text.n)
		put_text(to, n->text);
}

/* Keys that another YAML reader takes for a number or a boolean are quoted. */
static void put_key(FILE *to, struct span key)
{
	bool word = bare(key) && !conf_value_looks_boolean(key) && !(key.p[0] >= '0' && key.p[0] <= '9');
	if (word)
		(void)fwrite(key.p, 1, key.n, to);
	else
		put_text(to, key);
	(void)fputc(':', to);
}

static bool is_leaf(const struct conf_node *n)
{
	size_t width = 0;
	if (n->shape == CONF_SHAPE_MAP && n->n > LEAF_KEYS)
		return false;
	for (size_t i = 0; i < n->n; i++) {
		const struct conf_node *c = n->child[i];
		if (c->shape != CONF_SHAPE_SCALAR || (c->plain && !c->text.n))
			return false;
		width += c->key.n + c->text.n + 6;
	}
	return width <= LEAF_WIDTH;
}

/* The i-th child in the table's order: first those it names, as it names them, then the rest. */
static size_t order(const struct conf_node *n, const struct conf_key *keys, const struct conf_node **ret, size_t room)
{
	size_t at = 0;
	for (const struct conf_key *k = keys; k && k->name; k++)
		for (size_t i = 0; i < n->n && at < room; i++)
			if (span_eq(n->child[i]->key, span_str(k->name)) && row_of(keys, n->child[i]->key) == k)
				ret[at++] = n->child[i];
	for (size_t i = 0; i < n->n && at < room; i++)
		if (!row_of(keys, n->child[i]->key))
			ret[at++] = n->child[i];
	return at;
}

static void put(FILE *to, const struct conf_node *n, const struct conf_key *k, unsigned depth, bool in_list);

static void put_leaf(FILE *to, const struct conf_node *n, const struct conf_key *keys)
{
	const struct conf_node *v[LEAF_WIDTH];
	bool map = n->shape == CONF_SHAPE_MAP;
	size_t count = map ? order(n, keys, v, LEAF_WIDTH) : n->n;
	(void)fputc(map ? '{' : '[', to);
	for (size_t i = 0; i < count; i++) {
		const struct conf_node *c = map ? v[i] : n->child[i];
		(void)fputs(i ? ", " : "", to);
		if (map) {
			put_key(to, c->key);
			(void)fputc(' ', to);
		}
		put_scalar(to, c);
	}
	(void)fputs(map ? "}\n" : "]\n", to);
}

static void indent(FILE *to, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		(void)fputs("  ", to);
}

static void put_entry(FILE *to, const struct conf_node *c, const struct conf_key *k, unsigned depth)
{
	put_key(to, c->key);
	put(to, c, k, depth + 1, false);
}

static void put_map(FILE *to, const struct conf_node *n, const struct conf_key *k, unsigned depth, bool in_list)
{
	const struct conf_key *keys = k && k->kind == CONF_MAP ? k->keys : NULL;
	const struct conf_key *each = k && k->kind == CONF_MAP_OF ? k->keys : NULL;
	bool first = in_list;
	for (const struct conf_key *row = keys; row && row->name; row++)
		for (size_t i = 0; i < n->n; i++)
			if (row_of(keys, n->child[i]->key) == row) {
				indent(to, first ? 0 : depth);
				first = false;
				put_entry(to, n->child[i], row, depth);
			}
	for (size_t i = 0; i < n->n; i++)
		if (!row_of(keys, n->child[i]->key)) {
			indent(to, first ? 0 : depth);
			first = false;
			put_entry(to, n->child[i], each, depth);
		}
}

/* After "key:" or "-" of a list: `depth` is where children of this value begin. */
static void put(FILE *to, const struct conf_node *n, const struct conf_key *k, unsigned depth, bool in_list)
{
	k = settle(k, n);
	if (n->shape == CONF_SHAPE_SCALAR) {
		bool nothing = n->plain && !n->text.n;
		(void)fputs(nothing ? "" : " ", to);
		put_scalar(to, n);
		(void)fputc('\n', to);
	} else if (is_leaf(n)) {
		(void)fputc(' ', to);
		put_leaf(to, n, k && k->kind == CONF_MAP ? k->keys : NULL);
	} else if (n->shape == CONF_SHAPE_MAP) {
		(void)fputc(in_list ? ' ' : '\n', to);
		put_map(to, n, k, depth, in_list);
	} else {
		(void)fputc('\n', to);
		for (size_t i = 0; i < n->n; i++) {
			indent(to, depth);
			(void)fputc('-', to);
			put(to, n->child[i], k && k->kind == CONF_LIST ? k->keys : NULL, depth + 1, true);
		}
	}
}

int conf_write(const struct conf_node *root, const struct conf_key *keys, FILE *to)
{
	const struct conf_key top = { .name = "top", .kind = CONF_MAP, .keys = keys };
	if (root->shape == CONF_SHAPE_MAP && root->n)
		put_map(to, root, keys ? &top : NULL, 0, false);
	else
		(void)fputs("{}\n", to);
	return ferror(to) ? -EIO : 0;
}
