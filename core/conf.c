#include "core/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/escape.h"
#include "core/log.h"
#include "core/near.h"
#include "core/utf8.h"

enum {
	TEXT_MAX = 1024,                /* bytes of a text whose row in the table names no bound */
	QUOTE_MAX = 48,                 /* bytes of the operator's words repeated in a message */
	WORD_MAX = 40,                  /* longer than any key of ours: no nearest name is looked for */
	CHUNK_NODES = 256,
};

enum shape { SCALAR, MAP, LIST };

struct conf_node {
	enum shape shape;
	bool plain;                     /* a scalar without quotes */
	unsigned line, column;          /* 1-based; of the value */
	unsigned key_line, key_column;
	bool key_plain;
	struct span key, text;          /* own memory */
	struct conf_node **child;
	size_t n, cap;
};

struct chunk {
	struct chunk *next;
	size_t n;
	struct conf_node v[CHUNK_NODES];
};

struct conf_doc {
	char name[ESCAPE_NAME];
	struct conf_node *root;
	struct chunk *chunks;
	size_t nodes;
};

/* --- messages --- */

/* The operator's own words for a message: short, and without what a terminal would obey. */
static const char *quoted(struct span s, char out[static QUOTE_MAX + 8])
{
	size_t at = 0;
	out[at++] = '\'';
	while (s.n) {
		uint32_t cp;
		int len = utf8_next(s, &cp);
		size_t n = (size_t)(len < 0 ? -len : len);
		if (at + n > QUOTE_MAX) {
			memcpy(out + at, "...", 3);
			at += 3;
			break;
		}
		if (len < 0 || utf8_is_control(cp)) {
			out[at++] = '?';
		} else {
			memcpy(out + at, s.p, n);
			at += n;
		}
		s = span_from(s, n);
	}
	out[at++] = '\'';
	out[at] = '\0';
	return out;
}

__attribute__((format(printf, 5, 0)))
static void vfault(const char *file, unsigned line, unsigned column, struct conf_report *rep, const char *fmt, va_list ap)
{
	char name[ESCAPE_NAME];
	rep->total++;
	if (rep->n >= CONF_MAX_ERRORS)
		return;
	struct conf_error *e = &rep->v[rep->n++];
	e->line = line;
	e->column = column;
	(void)snprintf(e->file, sizeof(e->file), "%s", escape_name(file, name));
	(void)vsnprintf(e->what, sizeof(e->what), fmt, ap);
}

__attribute__((format(printf, 5, 6)))
static void fault(const char *file, unsigned line, unsigned column, struct conf_report *rep, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vfault(file, line, column, rep, fmt, ap);
	va_end(ap);
}

void conf_fault(const struct conf_doc *doc, const struct conf_node *at, struct conf_report *rep, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vfault(doc->name, at ? at->line : 0, at ? at->column : 0, rep, fmt, ap);
	va_end(ap);
}

void conf_say(const struct conf_report *rep)
{
	for (size_t i = 0; i < rep->n; i++) {
		const struct conf_error *e = &rep->v[i];
		if (e->line)
			log_say("%s:%u:%u: %s", e->file, e->line, e->column, e->what);
		else
			log_say("%s: %s", e->file, e->what);
	}
	if (rep->total > rep->n)
		log_say("and %zu more faults", rep->total - rep->n);
}

static uint8_t fold(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c == '-' ? '_' : c; }

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

/* Optimal string alignment: insertions, deletions, changes and swaps of neighbours; letter case and '-' for
 * '_' cost nothing. Both at most WORD_MAX long. */
static unsigned distance(struct span a, struct span b)
{
	unsigned row[3][WORD_MAX + 1];
	for (unsigned j = 0; j <= b.n; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *two_before = row[(i + 1) % 3];
		now[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			uint8_t x = fold(a.p[i - 1]), y = fold(b.p[j - 1]);
			now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == fold(b.p[j - 2]) && y == fold(a.p[i - 2]))
				now[j] = least(now[j], two_before[j - 2] + 1);
		}
	}
	return row[a.n % 3][b.n];
}

const char *conf_nearest(struct span word, const char *const *words, size_t n)
{
	const char *best = NULL;
	/* One slip in three letters may still be meant; more is another word. */
	unsigned most = (unsigned)(word.n < 3 ? 1 : word.n / 3) + 1;
	if (!word.n || word.n > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct span w = span_str(words[i]);
		if (!w.n || w.n > WORD_MAX)
			continue;
		unsigned d = distance(word, w);
		/* A name of which nothing is left is not near. */
		if (d < most && d < w.n && d < word.n + (d == 0)) {
			most = d;
			best = words[i];
		}
	}
	return best;
}

/* --- parsing --- */

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
	vfault(b->doc->name, (unsigned)at->line + 1, (unsigned)at->column + 1, b->rep, fmt, ap);
	va_end(ap);
	b->bad = true;
}

static void out_of_memory(struct builder *b)
{
	fault(b->doc->name, 0, 0, b->rep, "memory is out");
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

static struct conf_node *new_node(struct builder *b, enum shape shape, const yaml_mark_t *at)
{
	struct chunk *c = b->doc->chunks;
	if (b->doc->nodes >= CONF_MAX_NODES) {
		refuse(b, at, "more than %d values in one file", CONF_MAX_NODES);
		b->stop = true;
		return NULL;
	}
	if (!c || c->n == CHUNK_NODES) {
		c = calloc(1, sizeof(*c));
		if (!c) {
			out_of_memory(b);
			return NULL;
		}
		c->next = b->doc->chunks;
		b->doc->chunks = c;
	}
	struct conf_node *n = &c->v[c->n++];
	b->doc->nodes++;
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
	if (parent->shape == MAP) {
		n->key = o->key;
		n->key_line = o->key_line;
		n->key_column = o->key_column;
		n->key_plain = o->key_plain;
		o->key = (struct span){ 0 };
		o->have_key = false;
	}
	if (parent->n == parent->cap) {
		size_t cap = parent->cap ? parent->cap * 2 : 4;
		struct conf_node **v = reallocarray(parent->child, cap, sizeof(*v));
		if (!v) {
			out_of_memory(b);
			return;
		}
		parent->child = v;
		parent->cap = cap;
	}
	parent->child[parent->n++] = n;
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
	if (o && o->node->shape == MAP && !o->have_key) {
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
	struct conf_node *n = new_node(b, SCALAR, at);
	if (!n || !copy(b, value.p, value.n, &n->text))
		return;
	n->plain = plain;
	attach(b, n);
}

static void on_open(struct builder *b, enum shape shape, const yaml_mark_t *at)
{
	struct open_node *o = b->depth ? &b->stack[b->depth - 1] : NULL;
	if (o && o->node->shape == MAP && !o->have_key) {
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
	char q[QUOTE_MAX + 8];
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
			fault(b->doc->name, v[i]->key_line, v[i]->key_column, b->rep,
			      "key %s stands twice, first in line %u", quoted(v[i]->key, q), v[i - 1]->key_line);
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
		on_open(b, e->type == YAML_SEQUENCE_START_EVENT ? LIST : MAP, at);
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
	if (p->error == YAML_SCANNER_ERROR && byte_at(text, line, column) == '\t')
		problem = "a tab; indent with spaces", context = "";
	fault(b->doc->name, (unsigned)line + 1, (unsigned)column + 1, b->rep, "%s%s%s", problem,
	      context[0] ? " " : "", context);
}

struct conf_doc *conf_parse(struct span text, const char *name, struct conf_report *rep)
{
	struct conf_doc *doc = calloc(1, sizeof(*doc));
	if (!doc) {
		fault(name, 0, 0, rep, "memory is out");
		return NULL;
	}
	(void)escape_name(name, doc->name);
	struct builder b = { .doc = doc, .rep = rep };
	yaml_parser_t p;
	const char *other = conf_no_text(text);
	if (other) {
		fault(doc->name, 0, 0, rep, "%s; expected YAML", other);
		b.bad = true;
	} else if (text.n > CONF_MAX_BYTES) {
		fault(doc->name, 0, 0, rep, "longer than %d MiB", CONF_MAX_BYTES >> 20);
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
			fault(doc->name, 1, 1, rep, "nothing is written in it; expected keys and values (docs/profiles.md)");
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
		fault(path, 0, 0, rep, "cannot be read: %s%s", why, near_file(path, near));
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		fault(path, 0, 0, rep, "is a directory; expected a file");
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		fault(path, 0, 0, rep, "is a pipe, socket or device; expected a file");
		goto out;
	}
	for (;;) {
		if (n == cap) {
			cap = cap ? cap * 2 : 64 << 10;
			uint8_t *more = realloc(mem, cap);
			if (!more) {
				fault(path, 0, 0, rep, "memory is out");
				goto out;
			}
			mem = more;
		}
		ssize_t got = read(fd, mem + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fault(path, 0, 0, rep, "cannot be read: %s", strerrordesc_np(errno));
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
		struct chunk *c = doc->chunks;
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

/* --- values: each reader takes the text of a scalar; 0 or -EINVAL, *ret untouched --- */

static bool is_null(const struct conf_node *n)
{
	return n->shape == SCALAR && n->plain &&
	       (span_eq(n->text, span_str("null")) || span_eq(n->text, span_str("~")));
}

/* What YAML 1.1 readers take for a boolean, in any case of letters. */
static bool looks_boolean(struct span s)
{
	static const char *const words[] = { "yes", "no", "on", "off", "true", "false" };
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct span w = span_str(words[i]);
		if (w.n == s.n && !distance(s, w))
			return true;
	}
	return false;
}

/* Decimal digits without sign or leading zeros (YAML 1.1 would read 010 as eight). */
static int read_uint(struct span s, uint64_t *ret)
{
	uint64_t v = 0;
	if (!s.n || (s.n > 1 && s.p[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return -EINVAL;
	}
	*ret = v;
	return 0;
}

struct unit { const char *name; uint64_t is; };
static const struct unit durations[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 }, { NULL, 0 } };
static const struct unit sizes[] = { { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }, { NULL, 0 } };

static int read_unit(struct span s, const struct unit *units, uint64_t *ret)
{
	for (; units->name; units++) {
		struct span u = span_str(units->name);
		uint64_t v;
		if (s.n <= u.n || memcmp(s.p + s.n - u.n, u.p, u.n))
			continue;
		if (read_uint((struct span){ s.p, s.n - u.n }, &v) || __builtin_mul_overflow(v, units->is, &v))
			return -EINVAL;
		*ret = v;
		return 0;
	}
	return -EINVAL;
}

static int read_port(struct span s, uint16_t *ret)
{
	uint64_t v;
	if (read_uint(s, &v) || !v || v > 65535)
		return -EINVAL;
	*ret = (uint16_t)v;
	return 0;
}

/* "104", "3333-3334", "104,11112", "104, 3333-3334". The number of ranges, or -EINVAL; stores at most `max`. */
static int read_ports(struct span s, struct conf_port_range *ret, size_t max)
{
	size_t n = 0;
	for (;;) {
		size_t end = 0;
		while (end < s.n && s.p[end] != ',')
			end++;
		struct span part = span_trim((struct span){ s.p, end });
		struct conf_port_range r;
		const uint8_t *dash = part.n ? memchr(part.p, '-', part.n) : NULL;
		size_t lo = dash ? (size_t)(dash - part.p) : part.n;
		if (n >= CONF_MAX_PORTS || read_port((struct span){ part.p, lo }, &r.lo))
			return -EINVAL;
		r.hi = r.lo;
		if (dash && (read_port(span_from(part, lo + 1), &r.hi) || r.hi < r.lo))
			return -EINVAL;
		if (n < max)
			ret[n] = r;
		n++;
		if (end == s.n)
			return (int)n;
		s = end + 1 < s.n ? span_from(s, end + 1) : (struct span){ (const uint8_t *)"", 0 };
	}
}

static const char *const tri_words[] = { "unknown", "yes", "no", "na", "see_note", NULL };

static int word_index(struct span s, const char *const *words)
{
	for (int i = 0; words && words[i]; i++)
		if (span_eq(s, span_str(words[i])))
			return i;
	return -1;
}

/* --- checking --- */

struct check {
	const struct conf_doc *doc;
	struct conf_report *rep;
};

static const char *shape_word(const struct conf_node *n)
{
	return n->shape == MAP ? "a map (key: value)" : n->shape == LIST ? "a list" : "a single value";
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
	case CONF_ANY: return "anything";
	case CONF_ONE_OF: return "another kind of value";
	}
	return "another value";
}

static void unexpected(struct check *c, const struct conf_node *n, enum conf_kind k)
{
	char q[QUOTE_MAX + 8];
	if (n->shape != SCALAR)
		conf_fault(c->doc, n, c->rep, "expected %s, found %s", expected_word(k), shape_word(n));
	else if (!n->text.n && n->plain)
		conf_fault(c->doc, n, c->rep, "expected %s, found nothing", expected_word(k));
	else
		conf_fault(c->doc, n, c->rep, "expected %s, found %s%s", expected_word(k), quoted(n->text, q),
			   n->plain ? "" : " in quotes");
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
	char q[QUOTE_MAX + 8];
	size_t max = k->max ? k->max : TEXT_MAX;
	if (n->plain && !n->text.n)
		conf_fault(c->doc, n, c->rep, "expected a text, found nothing%s", k->min ? "" : "; write \"\" for an empty one");
	else if (n->plain && (looks_boolean(n->text) || is_null(n)))
		conf_fault(c->doc, n, c->rep, "plain %s is not a text to every YAML reader; if it is meant as one, write it "
			   "in quotes: \"%.*s\"", quoted(n->text, q), (int)n->text.n, (const char *)n->text.p);
	else if (n->text.n < k->min || n->text.n > max)
		conf_fault(c->doc, n, c->rep, "expected a text of %llu to %zu bytes, found %zu", (unsigned long long)k->min,
			   max, n->text.n);
}

/* "expected one of a, b, c, found 'x'; did you mean b?" as far as there is room. */
static void check_word(struct check *c, const struct conf_node *n, const char *const *words)
{
	char q[QUOTE_MAX + 8], list[160];
	struct buf b = buf_over(list, sizeof(list) - 1);
	size_t count = 0;
	if (word_index(n->text, words) >= 0)
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
	conf_fault(c->doc, n, c->rep, "expected one of %s, found %s%s%s%s", list, quoted(n->text, q),
		   near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static void check_scalar(struct check *c, const struct conf_node *n, const struct conf_key *k)
{
	struct addr a;
	struct prefix p;
	struct mac m;
	uint64_t v = 0;
	int err = 0;
	if (n->shape != SCALAR) {
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
		check_word(c, n, tri_words);
		return;
	case CONF_UINT:
		err = n->plain ? read_uint(n->text, &v) : -EINVAL;
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
		err = read_ports(n->text, NULL, 0) < 0 ? -EINVAL : 0;
		break;
	case CONF_ADDR:
		err = addr_parse(n->text, &a);
		break;
	case CONF_PREFIX:
		err = addr_parse_prefix(n->text, &p);
		if (err == -ERANGE) {
			char q[QUOTE_MAX + 8];
			conf_fault(c->doc, n, c->rep, "%s has host bits set; expected the network's own address",
				   quoted(n->text, q));
			err = 0;
		}
		break;
	case CONF_MAC:
		err = addr_parse_mac(n->text, &m);
		break;
	case CONF_DURATION:
		err = read_unit(n->text, durations, &v);
		if (!err)
			check_range(c, n, k, v, " seconds");
		break;
	case CONF_SIZE:
		err = read_unit(n->text, sizes, &v);
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
	char q[QUOTE_MAX + 8];
	for (; keys[count].name && count < sizeof(names) / sizeof(*names); count++)
		names[count] = keys[count].name;
	for (size_t i = 0; i < n->n; i++) {
		const struct conf_node *v = n->child[i];
		int at = -1;
		for (size_t j = 0; j < count && at < 0; j++)
			if (span_eq(v->key, span_str(names[j])))
				at = (int)j;
		if (at >= 0) {
			if (!is_null(v))
				check_value(c, v, &keys[at]);
			continue;
		}
		const char *near = conf_nearest(v->key, names, count);
		fault(c->doc->name, v->key_line, v->key_column, c->rep, "unknown key %s%s%s%s", quoted(v->key, q),
		      near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	}
	for (size_t j = 0; j < count; j++)
		if (keys[j].required && !conf_get(n, names[j]))
			conf_fault(c->doc, n, c->rep, "key '%s' is missing%s%s", names[j], keys[j].doc ? ": " : "",
				   keys[j].doc ? keys[j].doc : "");
}

static bool fits_shape(const struct conf_key *k, enum shape s)
{
	switch (k->kind) {
	case CONF_MAP:
	case CONF_MAP_OF:
		return s == MAP;
	case CONF_LIST:
		return s == LIST;
	case CONF_ANY:
		return true;
	case CONF_ONE_OF:
		for (const struct conf_key *o = k->keys; o->name; o++)
			if (fits_shape(o, s))
				return true;
		return false;
	default:
		return s == SCALAR;
	}
}

static void check_elements(struct check *c, const struct conf_node *n, const struct conf_key *k)
{
	char q[QUOTE_MAX + 8];
	check_range(c, n, k, n->n, " entries");
	for (size_t i = 0; i < n->n; i++) {
		const struct conf_node *v = n->child[i];
		if (k->kind == CONF_MAP_OF && v->key_plain && looks_boolean(v->key))
			fault(c->doc->name, v->key_line, v->key_column, c->rep,
			      "plain %s as a key is a boolean to other YAML readers; write it in quotes", quoted(v->key, q));
		if (k->kind != CONF_MAP_OF || !is_null(v))
			check_value(c, v, k->keys);
	}
}

static void check_value(struct check *c, const struct conf_node *n, const struct conf_key *k)
{
	switch (k->kind) {
	case CONF_ANY:
		return;
	case CONF_MAP:
		if (n->shape == MAP)
			check_map(c, n, k->keys);
		else
			unexpected(c, n, k->kind);
		return;
	case CONF_MAP_OF:
	case CONF_LIST:
		if (n->shape == (k->kind == CONF_LIST ? LIST : MAP))
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
	if (node->shape != MAP)
		unexpected(&c, node, CONF_MAP);
	else
		check_map(&c, node, keys);
	return rep->total == before ? 0 : ERR_CONFIG;
}

/* --- walking --- */

const struct conf_node *conf_get(const struct conf_node *map, const char *key)
{
	if (!map || map->shape != MAP)
		return NULL;
	struct span k = span_str(key);
	for (size_t i = 0; i < map->n; i++)
		if (span_eq(map->child[i]->key, k))
			return is_null(map->child[i]) ? NULL : map->child[i];
	return NULL;
}

size_t conf_count(const struct conf_node *n) { return n ? n->n : 0; }

const struct conf_node *conf_at(const struct conf_node *n, size_t i) { return n && i < n->n ? n->child[i] : NULL; }

struct span conf_key_at(const struct conf_node *map, size_t i)
{
	return map && map->shape == MAP && i < map->n ? map->child[i]->key : (struct span){ 0 };
}

bool conf_is_map(const struct conf_node *n) { return n && n->shape == MAP; }
bool conf_is_list(const struct conf_node *n) { return n && n->shape == LIST; }
bool conf_is_scalar(const struct conf_node *n) { return n && n->shape == SCALAR; }
unsigned conf_line(const struct conf_node *n) { return n ? n->line : 0; }

/* The text of a scalar; false for everything else, a plain null among it. */
static bool scalar(const struct conf_node *n, struct span *ret)
{
	if (!n || n->shape != SCALAR || is_null(n))
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
		(void)read_uint(s, &otherwise);
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
	int i = scalar(n, &s) ? word_index(s, tri_words) : -1;
	return i < 0 ? CONF_TRI_UNKNOWN : (enum conf_tri)i;
}

int conf_word(const struct conf_node *n, const char *const *words, int otherwise)
{
	struct span s;
	int i = scalar(n, &s) ? word_index(s, words) : -1;
	return i < 0 ? otherwise : i;
}

size_t conf_ports(const struct conf_node *n, struct conf_port_range *ret, size_t max)
{
	struct span s;
	int k = scalar(n, &s) ? read_ports(s, ret, max) : 0;
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
		(void)read_unit(s, durations, &otherwise);
	return otherwise;
}

uint64_t conf_size_bytes(const struct conf_node *n, uint64_t otherwise)
{
	struct span s;
	if (scalar(n, &s))
		(void)read_unit(s, sizes, &otherwise);
	return otherwise;
}

uint64_t conf_date_ns(const struct conf_node *n, uint64_t otherwise)
{
	struct span s;
	if (scalar(n, &s))
		(void)clock_parse(s, &otherwise);
	return otherwise;
}
