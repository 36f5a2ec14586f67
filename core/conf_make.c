#include "core/conf_make.h"

#include <stdlib.h>
#include <string.h>

#include "core/conf_tree.h"

struct conf_node *conf_make_node(struct conf_doc *doc)
{
	struct conf_chunk *c = doc->chunks;
	if (!c || c->n == CONF_CHUNK_NODES) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return NULL;
		c->next = doc->chunks;
		doc->chunks = c;
	}
	doc->nodes++;
	return &c->v[c->n++];
}

bool conf_make_child(struct conf_node *parent, struct conf_node *n)
{
	if (parent->n == parent->cap) {
		size_t cap = parent->cap ? parent->cap * 2 : 4;
		struct conf_node **v = reallocarray(parent->child, cap, sizeof(*v));
		if (!v)
			return false;
		parent->child = v;
		parent->cap = cap;
	}
	parent->child[parent->n++] = n;
	return true;
}

static bool copy(struct conf_doc *doc, struct span s, struct span *ret)
{
	uint8_t *mem = malloc(s.n ? s.n : 1);
	if (!mem) {
		doc->failed = true;
		return false;
	}
	if (s.n)
		memcpy(mem, s.p, s.n);
	*ret = (struct span){ mem, s.n };
	return true;
}

static struct conf_node *add(struct conf_doc *doc, struct conf_node *parent, struct span key, enum conf_shape shape,
			     const struct conf_node *like)
{
	struct conf_node *n = NULL;
	if (!parent)
		return NULL;
	if (doc->nodes >= CONF_MAX_NODES || !(n = conf_make_node(doc)) || !conf_make_child(parent, n)) {
		doc->failed = true;
		return NULL;
	}
	n->shape = shape;
	if (like) {
		n->line = like->line;
		n->column = like->column;
		n->key_line = like->key_line;
		n->key_column = like->key_column;
	}
	return (key.n && !copy(doc, key, &n->key)) ? NULL : n;
}

struct conf_doc *conf_make(const char *name, const struct conf_node *like)
{
	struct conf_doc *doc = calloc(1, sizeof(*doc));
	if (!doc)
		return NULL;
	(void)escape_name(name, doc->name);
	doc->root = conf_make_node(doc);
	if (!doc->root) {
		free(doc);
		return NULL;
	}
	doc->root->shape = CONF_SHAPE_MAP;
	if (like) {
		doc->root->line = like->line;
		doc->root->column = like->column;
	}
	return doc;
}

struct conf_node *conf_make_root(struct conf_doc *doc) { return doc ? doc->root : NULL; }
bool conf_make_ok(const struct conf_doc *doc) { return doc && !doc->failed; }

struct conf_node *conf_make_map(struct conf_doc *doc, struct conf_node *parent, struct span key, const struct conf_node *like)
{
	return add(doc, parent, key, CONF_SHAPE_MAP, like);
}

struct conf_node *conf_make_list(struct conf_doc *doc, struct conf_node *parent, struct span key, const struct conf_node *like)
{
	return add(doc, parent, key, CONF_SHAPE_LIST, like);
}

struct conf_node *conf_make_text(struct conf_doc *doc, struct conf_node *parent, struct span key, struct span text,
				 const struct conf_node *like)
{
	struct conf_node *n = add(doc, parent, key, CONF_SHAPE_SCALAR, like);
	return n && copy(doc, text, &n->text) ? n : NULL;
}

struct conf_node *conf_make_plain(struct conf_doc *doc, struct conf_node *parent, struct span key, const char *text,
				  const struct conf_node *like)
{
	struct conf_node *n = conf_make_text(doc, parent, key, span_str(text), like);
	if (n)
		n->plain = true;
	return n;
}

struct conf_node *conf_make_copy(struct conf_doc *doc, struct conf_node *parent, struct span key, const struct conf_node *from)
{
	if (!from)
		return NULL;
	struct conf_node *n = add(doc, parent, key, from->shape, from);
	if (!n)
		return NULL;
	n->plain = from->plain;
	n->key_plain = from->key_plain;
	if (from->shape == CONF_SHAPE_SCALAR && !copy(doc, from->text, &n->text))
		return NULL;
	for (size_t i = 0; i < from->n; i++)
		(void)conf_make_copy(doc, n, from->child[i]->key, from->child[i]);
	return n;
}
