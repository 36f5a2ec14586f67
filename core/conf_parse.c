#include "core/conf_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "core/near.h"
#include "core/utf8.h"

struct open_node {
	struct conf_node *node;
	bool have_key;                  /* a map's key was read, its value comes next */
	struct span key;
	unsigned key_line, key_column;
	bool key_plain;
};

struct builder {
	struct conf_doc *doc;
	struct conf_report *rep;
	struct open_node stack[CONF_MAX_DEPTH];
	size_t depth;
	bool bad, stop;                 /* bad: no document in the end; stop: no use in going on */
};

__attribute__((format(printf, 3, 4)))
static void refuse(struct builder *b, const yaml_mark_t *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	conf_report_vadd(b->doc->name, (unsigned)at->line + 1, (unsigned)at->column + 1, b->rep, fmt, ap);
	va_end(ap);
	b->bad = true;
}

static void out_of_memory(struct builder *b)
{
	conf_report_add(b->doc->name, 0, 0, b->rep, "memory is out");
	b->bad = b->stop = true;
}

static bool copy(struct builder *b, const uint8_t *p, size_t n, struct span *ret)
{
	uint8_t *mem = malloc(n ? n : 1);
	if (!mem) {
		out_of_memory(b);
		return false;
	}
	if (n)
		memcpy(mem, p, n);
	*ret = (struct span){ mem, n };
	return true;
}

static void free_span(struct span s) { free((void *)(uintptr_t)s.p); }

static struct conf_node *new_node(struct builder *b, enum conf_shape shape, const yaml_mark_t *at)
{
	if (b->doc->nodes >= CONF_MAX_NODES) {
		refuse(b, at, "more than %d values in one file", CONF_MAX_NODES);
		b->stop = true;
		return NULL;
	}
	struct conf_node *n = conf_make_node(b->doc);
	if (!n) {
		out_of_memory(b);
		return NULL;
	}
	n->shape = shape;
	n->line = (unsigned)at->line + 1;
	n->column = (unsigned)at->column + 1;
	return n;
}

/* Hangs a value where it belongs: the root, the next element, or under the key just read. */
static void attach(struct builder *b, struct conf_node *n)
{
	if (!b->depth) {
		b->doc->root = n;
		return;
	}
	struct open_node *o = &b->stack[b->depth - 1];
	struct conf_node *parent = o->node;
	if (parent->shape == CONF_SHAPE_MAP) {
		n->key = o->key;
		n->key_line = o->key_line;
		n->key_column = o->key_column;
		n->key_plain = o->key_plain;
		o->key = (struct span){ 0 };
		o->have_key = false;
	}
	if (!conf_make_child(parent, n))
		out_of_memory(b);
}

static bool has_control(struct span s)
{
	while (s.n) {
		uint32_t cp;
		int len = utf8_next(s, &cp);
		if (len < 0 || utf8_is_control(cp))
			return true;
		s = span_from(s, (size_t)len);
	}
	return false;
}

static void on_scalar(struct builder *b, const yaml_event_t *e)
{
	const yaml_mark_t *at = &e->start_mark;
	struct span value = { e->data.scalar.value, e->data.scalar.length };
	struct open_node *o = b->depth ? &b->stack[b->depth - 1] : NULL;
	bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (has_control(value))
		refuse(b, at, "a control character or a line break in a text; write it in one line");
	if (o && o->node->shape == CONF_SHAPE_MAP && !o->have_key) {
		if (!value.n)
			refuse(b, at, "an empty key; expected a name before ':'");
		if (!copy(b, value.p, value.n, &o->key))
			return;
		o->have_key = true;
		o->key_line = (unsigned)at->line + 1;
		o->key_column = (unsigned)at->column + 1;
		o->key_plain = plain;
		return;
	}
	struct conf_node *n = new_node(b, CONF_SHAPE_SCALAR, at);
	if (!n || !copy(b, value.p, value.n, &n->text))
		return;
	n->plain = plain;
	attach(b, n);
}

static void on_open(struct builder *b, enum conf_shape shape, const yaml_mark_t *at)
{
	struct open_node *o = b->depth ? &b->stack[b->depth - 1] : NULL;
	if (o && o->node->shape == CONF_SHAPE_MAP && !o->have_key) {
		refuse(b, at, "a map or list as a key; expected a name");
		b->stop = true;
		return;
	}
	if (b->depth == CONF_MAX_DEPTH) {
		refuse(b, at, "nested more than %d deep", CONF_MAX_DEPTH);
		b->stop = true;
		return;
	}
	struct conf_node *n = new_node(b, shape, at);
	if (!n)
		return;
	attach(b, n);
	b->stack[b->depth++] = (struct open_node){ .node = n };
}

static int by_key(const void *a, const void *b)
{
	const struct conf_node *x = *(const struct conf_node *const *)a, *y = *(const struct conf_node *const *)b;
	size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
	int d = memcmp(x->key.p, y->key.p, n);
	if (!d)
		d = (x->key.n > y->key.n) - (x->key.n < y->key.n);
	if (!d)
		d = (x->key_line > y->key_line) - (x->key_line < y->key_line);
	return d ? d : (x->key_column > y->key_column) - (x->key_column < y->key_column);
}

/* Sorted, so that a long map costs no square of its length. */
static void refuse_duplicates(struct builder *b, const struct conf_node *map)
{
	char q[CONF_REPORT_QUOTE + 8];
	if (map->n < 2)
		return;
	struct conf_node **v = malloc(map->n * sizeof(*v));
	if (!v) {
		out_of_memory(b);
		return;
	}
	memcpy(v, map->child, map->n * sizeof(*v));
	qsort(v, map->n, sizeof(*v), by_key);
	for (size_t i = 1; i < map->n; i++)
		if (span_eq(v[i - 1]->key, v[i]->key)) {
			conf_report_add(b->doc->name, v[i]->key_line, v[i]->key_column, b->rep,
			      "key %s stands twice, first in line %u", conf_report_quote(v[i]->key, q), v[i - 1]->key_line);
			b->bad = true;
		}
	free(v);
}

static void on_event(struct builder *b, const yaml_event_t *e, unsigned *documents)
{
	const yaml_mark_t *at = &e->start_mark;
	const yaml_char_t *anchor = NULL, *tag = NULL;
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++*documents > 1) {
			refuse(b, at, "a second document; expected one per file");
			b->stop = true;
		} else if (e->data.document_start.version_directive ||
			   e->data.document_start.tag_directives.start != e->data.document_start.tag_directives.end) {
			refuse(b, at, "a %% directive; expected plain YAML without directives");
		}
		return;
	case YAML_ALIAS_EVENT:
		refuse(b, at, "an alias (*name); write the value out");
		b->stop = true;
		return;
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
		break;
	case YAML_MAPPING_END_EVENT:
		refuse_duplicates(b, b->stack[b->depth - 1].node);
		/* fall through */
	case YAML_SEQUENCE_END_EVENT:
		b->depth--;
		return;
	default:
		return;
	}
	if (anchor)
		refuse(b, at, "an anchor (&name); write the value where it is needed");
	if (tag)
		refuse(b, at, "a tag (!name); expected a plain value");
	if (e->type == YAML_SCALAR_EVENT)
		on_scalar(b, e);
	else
		on_open(b, e->type == YAML_SEQUENCE_START_EVENT ? CONF_SHAPE_LIST : CONF_SHAPE_MAP, at);
}

const char *conf_no_text(struct span s)
{
	static const char captures[][4] = {
		"\xa1\xb2\xc3\xd4", "\xd4\xc3\xb2\xa1", "\xa1\xb2\x3c\x4d", "\x4d\x3c\xb2\xa1", "\x0a\x0d\x0d\x0a",
	};
	size_t head = s.n < 4096 ? s.n : 4096;
	for (size_t i = 0; s.n >= 4 && i < sizeof(captures) / sizeof(*captures); i++)
		if (!memcmp(s.p, captures[i], 4))
			return "is a capture (spanward replay reads those)";
	if (s.n >= 2 && (!memcmp(s.p, "\xff\xfe", 2) || !memcmp(s.p, "\xfe\xff", 2)))
		return "is a text in UTF-16 (save it as UTF-8)";
	if (s.n >= 2 && !memcmp(s.p, "\x1f\x8b", 2))
		return "is packed with gzip";
	if (s.n >= 4 && !memcmp(s.p, "PK\x03\x04", 4))
		return "is a zip archive or an office document (save a table as CSV)";
	if (head && memchr(s.p, 0, head))
		return "is no text: it holds zero bytes";
	return NULL;
}

/* Line and column, both 0-based, of a byte. Columns count characters, as libyaml's do. */
static void position(struct span text, size_t at, size_t *ret_line, size_t *ret_column)
{
	size_t line = 0, column = 0;
	for (size_t i = 0; i < text.n && i < at; i++) {
		if (text.p[i] == '\n')
			line++, column = 0;
		else if ((text.p[i] & 0xc0) != 0x80)
			column++;
	}
	*ret_line = line;
	*ret_column = column;
}

/* The byte at a 0-based line and column; 0 past the end. */
static uint8_t byte_at(struct span text, size_t line, size_t column)
{
	size_t i = 0;
	for (; line && i < text.n; i++)
		line -= text.p[i] == '\n';
	for (; i < text.n && text.p[i] != '\n'; i++)
		if ((text.p[i] & 0xc0) != 0x80 && !column--)
			return text.p[i];
	return 0;
}

/* It took a text over several lines for a key. */
static bool is_no_key(const yaml_parser_t *p) { return p->problem && !strcmp(p->problem, "could not find expected ':'"); }

/* The parser is at fault where it stands; a writer is where something begins that is not ended. */
static void begin_of(const yaml_parser_t *p, struct span text, size_t *line, size_t *column, char said[static 64])
{
	size_t from = p->context_mark.line, from_column = p->context_mark.column, at = *line;
	if (!p->problem)
		return;
	if (is_no_key(p)) {
		*line = from;
		*column = from_column;
		return;
	}
	(void)snprintf(said, 64, " that begins in line %zu, column %zu", from + 1, from_column + 1);
	if (!strstr(p->context, "flow"))
		return;
	/* What is missing is missing at the end of the line before, when this one begins with what cannot follow. */
	size_t i = 0, end;
	for (; at && i < text.n; i++)
		at -= text.p[i] == '\n';
	for (end = i; end < text.n && strchr(" \r\n", text.p[end]); end++)
		;
	while (end < text.n && end - i < *column && text.p[end] != ' ' && text.p[end] < 0x80 && !strchr("\"'[]{},", text.p[end]))
		end++;
	if (from == *line || (end < text.n && end - i < *column))
		return;
	while (i && strchr(" \r\n", text.p[i - 1]))
		i--;
	position(text, i, line, column);
}

static void syntax_error(struct builder *b, const yaml_parser_t *p, struct span text)
{
	size_t line = p->problem_mark.line, column = p->problem_mark.column;
	b->bad = b->stop = true;
	if (p->error == YAML_MEMORY_ERROR) {
		out_of_memory(b);
		return;
	}
	if (p->error == YAML_READER_ERROR)
		position(text, p->problem_offset, &line, &column);
	const char *problem = p->problem ? p->problem : "not YAML";
	const char *context = p->error != YAML_READER_ERROR && p->context ? p->context : "";
	char slip[CONF_SLIP], begins[64] = "";
	if (p->error == YAML_SCANNER_ERROR && byte_at(text, line, column) == '\t')
		problem = "a tab; indent with spaces", context = "";
	else if (p->error != YAML_READER_ERROR &&
		 conf_slip_near(text, is_no_key(p) ? p->context_mark.line : line, line, &line, &column, slip))
		problem = slip, context = "";
	else if (context[0])
		begin_of(p, text, &line, &column, begins);
	conf_report_add(b->doc->name, (unsigned)line + 1, (unsigned)column + 1, b->rep, "%s%s%s%s", problem,
	      context[0] ? " " : "", context, begins);
}

struct conf_doc *conf_parse(struct span text, const char *name, struct conf_report *rep)
{
	struct conf_doc *doc = calloc(1, sizeof(*doc));
	if (!doc) {
		conf_report_add(name, 0, 0, rep, "memory is out");
		return NULL;
	}
	(void)escape_name(name, doc->name);
	struct builder b = { .doc = doc, .rep = rep };
	yaml_parser_t p;
	const char *other = conf_no_text(text);
	if (other) {
		conf_report_add(doc->name, 0, 0, rep, "%s; expected YAML", other);
		b.bad = true;
	} else if (text.n > CONF_MAX_BYTES) {
		conf_report_add(doc->name, 0, 0, rep, "longer than %d MiB", CONF_MAX_BYTES >> 20);
		b.bad = true;
	} else if (!yaml_parser_initialize(&p)) {
		out_of_memory(&b);
	} else {
		unsigned documents = 0;
		bool end = false;
		/* A byte order mark is no character of the text; of other encodings there are none. */
		if (text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3))
			text = (struct span){ text.p + 3, text.n - 3 };
		yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
		yaml_parser_set_input_string(&p, text.n ? text.p : (const uint8_t *)"", text.n);
		while (!end && !b.stop) {
			yaml_event_t e;
			if (!yaml_parser_parse(&p, &e)) {
				syntax_error(&b, &p, text);
				break;
			}
			on_event(&b, &e, &documents);
			end = e.type == YAML_STREAM_END_EVENT;
			yaml_event_delete(&e);
		}
		yaml_parser_delete(&p);
		/* Keys read whose value never came belong to nobody else. */
		for (size_t i = 0; i < b.depth; i++)
			free_span(b.stack[i].key);
		if (!b.bad && !doc->root) {
			conf_report_add(doc->name, 1, 1, rep, "nothing is written in it; expected keys and values (docs/profiles.md)");
			b.bad = true;
		}
	}
	if (b.bad) {
		conf_free(doc);
		return NULL;
	}
	return doc;
}

struct conf_doc *conf_read_file(const char *path, struct conf_report *rep)
{
	struct conf_doc *doc = NULL;
	uint8_t *mem = NULL;
	size_t n = 0, cap = 0;
	struct stat st;
	/* Not blocking: a pipe that nobody writes to would hold us for ever. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st)) {
		char near[NEAR_TEXT];
		const char *why = strerrordesc_np(errno);
		conf_report_add(path, 0, 0, rep, "cannot be read: %s%s", why, near_file(path, near));
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		conf_report_add(path, 0, 0, rep, "is a directory; expected a file");
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		conf_report_add(path, 0, 0, rep, "is a pipe, socket or device; expected a file");
		goto out;
	}
	for (;;) {
		if (n == cap) {
			cap = cap ? cap * 2 : 64 << 10;
			uint8_t *more = realloc(mem, cap);
			if (!more) {
				conf_report_add(path, 0, 0, rep, "memory is out");
				goto out;
			}
			mem = more;
		}
		ssize_t got = read(fd, mem + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			conf_report_add(path, 0, 0, rep, "cannot be read: %s", strerrordesc_np(errno));
			goto out;
		}
		n += (size_t)got;
		/* One byte past the limit is enough for conf_parse to say so. */
		if (!got || n > CONF_MAX_BYTES)
			break;
	}
	doc = conf_parse((struct span){ mem, n }, path, rep);
out:
	free(mem);
	if (fd >= 0)
		close(fd);
	return doc;
}

void conf_free(struct conf_doc *doc)
{
	if (!doc)
		return;
	while (doc->chunks) {
		struct conf_chunk *c = doc->chunks;
		for (size_t i = 0; i < c->n; i++) {
			free_span(c->v[i].key);
			free_span(c->v[i].text);
			free(c->v[i].child);
		}
		doc->chunks = c->next;
		free(c);
	}
	free(doc);
}

const struct conf_node *conf_root(const struct conf_doc *doc) { return doc->root; }
