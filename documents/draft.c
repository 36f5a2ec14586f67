#include "documents/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/err.h"
#include "core/utf8.h"
#include "documents/words.h"
#include "rules/policy_model.h"

#define TEXT(s) span_str(s)

static const struct remark { const char *code; enum draft_kind kind; const char *en, *ja; } remarks[] = {
#define REMARK(SYM, code_, kind_, en_, ja_) { code_, DRAFT_##kind_, en_, ja_ },
#include "documents/remark.def"
#undef REMARK
};

enum draft_kind draft_kind(enum draft_remark what) { return remarks[what].kind; }
const char *draft_code(enum draft_remark what) { return remarks[what].code; }

const char *draft_kind_name(enum draft_kind kind, bool japanese)
{
	static const char *const names[DRAFT_KINDS][2] = {
		{ "understood", "解釈済" }, { "not understood", "未解釈" }, { "contradicts", "相違" }, { "ask", "照会" },
	};
	return names[kind][japanese];
}

void draft_sentence(const struct draft_said *s, bool japanese, char *ret, size_t n)
{
	struct buf b = buf_over(ret, n - 1);
	for (const char *p = japanese ? remarks[s->what].ja : remarks[s->what].en; *p; p++) {
		if (p[0] == '{' && p[1] && p[2] == '}') {
			const char *arg = s->args[p[1] - '0'];
			if (arg)
				escape_put(&b, span_str(arg));
			p += 2;
		} else {
			(void)buf_u8(&b, (uint8_t)*p);
		}
	}
	ret[b.len] = 0;
}

/* ---- birth and end ---- */

bool draft_new(struct draft *d, const struct draft_options *o)
{
	*d = (struct draft){ 0 };
	if (o)
		d->options = *o;
	d->doc = conf_make("the import", NULL);
	d->root = conf_make_root(d->doc);
	(void)snprintf(d->completeness, sizeof(d->completeness), "unknown");
	if (!d->root)
		return false;
	(void)conf_make_text(d->doc, d->root, TEXT("format"), TEXT("spanward/1"), NULL);
	(void)conf_make_text(d->doc, d->root, TEXT("kind"), TEXT("device-type"), NULL);
	d->ports = conf_make_list(d->doc, d->root, TEXT("ports"), NULL);
	return conf_make_ok(d->doc);
}

void draft_free(struct draft *d)
{
	for (size_t i = 0; i < d->n_said; i++) {
		free(d->said[i].text);
		free(d->said[i].args[0]);
		free(d->said[i].args[1]);
	}
	free(d->said);
	for (size_t i = 0; i < d->n_preview; i++) {
		free(d->preview[i].printed);
		free(d->preview[i].as);
	}
	free(d->preview);
	free(d->rows);
	free(d->inventory);
	conf_free(d->doc);
	*d = (struct draft){ 0 };
}

int draft_source(struct draft *d, const char *type, const char *file, struct span bytes)
{
	uint8_t hash[DIGEST_SHA256_BYTES];
	if (d->n_sources == DRAFT_SOURCES)
		return -E2BIG;
	struct draft_source *s = &d->sources[d->n_sources];
	uint8_t same = 1;
	const char *short_name = !strcmp(type, "port-table") ? "ports" : !strncmp(type, "mds2", 4) ? "mds2" : type;
	for (size_t i = 0; i < d->n_sources; i++)
		same = (uint8_t)(same + !strcmp(d->sources[i].type, type));
	*s = (struct draft_source){ 0 };
	(void)snprintf(s->type, sizeof(s->type), "%s", type);
	if (same > 1)
		(void)snprintf(s->id, sizeof(s->id), "%.12s-%u", short_name, same);
	else
		(void)snprintf(s->id, sizeof(s->id), "%s", short_name);
	const char *base = strrchr(file, '/');
	(void)escape_name(base ? base + 1 : file, s->file);
	digest_sha256(bytes, hash);
	digest_hex(hash, sizeof(hash), s->sha256);
	return (int)d->n_sources++;
}

static char *copy(struct span s)
{
	char *p = malloc(s.n + 1);
	if (!p)
		return NULL;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	return p;
}

void draft_say(struct draft *d, enum draft_remark what, size_t source, const char *where, struct span text, const char *arg0,
	       const char *arg1)
{
	d->counts[draft_kind(what)]++;
	if (d->n_said == DRAFT_MAX_REMARKS)
		return;
	if (d->n_said == d->said_room) {
		size_t room = d->said_room ? d->said_room * 2 : 64;
		void *v = reallocarray(d->said, room, sizeof(*d->said));
		if (!v) {
			d->no_memory = true;
			return;
		}
		d->said = v;
		d->said_room = room;
	}
	struct draft_said *s = &d->said[d->n_said++];
	*s = (struct draft_said){ .what = what, .source = source, .text = text.n ? copy(text) : NULL,
		                  .args = { arg0 ? copy(span_str(arg0)) : NULL, arg1 ? copy(span_str(arg1)) : NULL } };
	(void)snprintf(s->where, sizeof(s->where), "%s", where);
}

void draft_show(struct draft *d, uint32_t number, const char *where, const char *printed, const char *as, enum draft_remark why)
{
	if (d->n_preview == d->preview_room) {
		size_t room = d->preview_room ? d->preview_room * 2 : 64;
		void *v = reallocarray(d->preview, room, sizeof(*d->preview));
		if (!v) {
			d->no_memory = true;
			return;
		}
		d->preview = v;
		d->preview_room = room;
	}
	struct draft_preview *p = &d->preview[d->n_preview++];
	*p = (struct draft_preview){ .number = number, .why = why, .printed = copy(span_str(printed)),
		                     .as = as && as[0] ? copy(span_str(as)) : NULL };
	(void)snprintf(p->where, sizeof(p->where), "%s", where);
}

/* ---- leaves ---- */

struct conf_node *draft_text_at(struct draft *d, struct conf_node *parent, struct span key, struct span text, size_t max)
{
	static const char sign[] = "\xe2\x86\xb5";
	size_t most = max ? max : POLICY_KEYS_TEXT, len = 0, room = text.n * 3 + 1;
	uint8_t *made = malloc(room);
	if (!made) {
		d->no_memory = true;
		return NULL;
	}
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n') {
			memcpy(made + len, sign, 3);
			len += 3;
		} else {
			made[len++] = text.p[i] == '\t' ? ' ' : text.p[i];
		}
	}
	size_t whole = len;
	if (len > most)
		for (len = most; len && (made[len] & 0xc0) == 0x80;)
			len--;
	struct conf_node *n = conf_make_text(d->doc, parent, key, (struct span){ made, len }, NULL);
	/* Texts under extensions have no bound but the file's. */
	if (whole > len && d->n_sources) {
		struct conf_node *kept = draft_kept(d, d->n_sources - 1, "long_texts");
		(void)conf_make_text(d->doc, kept, (struct span){ 0 }, (struct span){ made, whole }, NULL);
		draft_say(d, DRAFT_SAY_LONG, d->n_sources - 1, "", key, NULL, NULL);
	}
	free(made);
	return n;
}

struct conf_node *draft_text(struct draft *d, struct conf_node *parent, const char *key, struct span text, size_t max)
{
	return draft_text_at(d, parent, key ? span_str(key) : (struct span){ 0 }, text, max);
}

struct conf_node *draft_map(struct draft *d, struct conf_node *parent, const char *key)
{
	return conf_make_map(d->doc, parent, key ? span_str(key) : (struct span){ 0 }, NULL);
}

struct conf_node *draft_list(struct draft *d, struct conf_node *parent, const char *key)
{
	return conf_make_list(d->doc, parent, key ? span_str(key) : (struct span){ 0 }, NULL);
}

struct conf_node *draft_extensions(struct draft *d, size_t source)
{
	struct draft_source *s = &d->sources[source];
	if (!d->extensions)
		d->extensions = draft_map(d, d->root, "extensions");
	if (!s->extensions)
		s->extensions = draft_map(d, d->extensions, s->id);
	return s->extensions;
}

struct conf_node *draft_kept(struct draft *d, size_t source, const char *list)
{
	struct conf_node *e = draft_extensions(d, source);
	const struct conf_node *found = e ? conf_get(e, list) : NULL;
	return found ? (struct conf_node *)(uintptr_t)found : draft_list(d, e, list);
}

/* ---- facts ---- */

void draft_fact(struct draft *d, char *slot, size_t room, const char *field, size_t source, const char *where, struct span text)
{
	char clean[256];
	struct buf b = buf_over(clean, sizeof(clean) - 1);
	bool cut = false;
	for (size_t i = 0; i < text.n && !cut;) {
		uint32_t cp = 0;
		int n = utf8_next(span_from(text, i), &cp);
		size_t step = n > 0 ? (size_t)n : 1;
		if (cp == '\n' || cp == '\t')
			(void)buf_u8(&b, ' ');
		else if (n > 0 && b.len + step < room)
			(void)buf_put(&b, text.p + i, step);
		else
			cut = n > 0;
		cut = cut || b.full;
		i += step;
	}
	clean[b.len] = 0;
	if (!clean[0])
		return;
	if (cut) {
		(void)draft_text_at(d, draft_kept(d, source, "long_texts"), (struct span){ 0 }, text, text.n * 3 + 1);
		draft_say(d, DRAFT_SAY_LONG, source, where, span_str(field), NULL, NULL);
	}
	if (!slot[0]) {
		(void)snprintf(slot, room, "%s", clean);
		draft_say(d, DRAFT_SAY_FACT, source, where, text, field, slot);
	} else {
		/* The same in other letters or blanks is the same. */
		char a[WORDS_MAX], c[WORDS_MAX];
		if (!span_eq(words_plain(span_str(slot), a), words_plain(span_str(clean), c))) {
			char both[2 * 256 + 8];
			(void)snprintf(both, sizeof(both), "%.200s / %.200s", slot, clean);
			draft_say(d, DRAFT_SAY_SOURCES_DIFFER, source, where, text, field, both);
		}
	}
}

void draft_note_port(struct draft *d, const struct draft_port *p)
{
	if (d->n_rows == d->rows_room) {
		size_t room = d->rows_room ? d->rows_room * 2 : 64;
		void *v = reallocarray(d->rows, room, sizeof(*d->rows));
		if (!v) {
			d->no_memory = true;
			return;
		}
		d->rows = v;
		d->rows_room = room;
	}
	d->rows[d->n_rows++] = *p;
}

const char *draft_row_id(struct draft *d, const char *base, char ret[static DRAFT_NAME])
{
	unsigned long last = 0;
	(void)snprintf(ret, DRAFT_NAME, "%.56s", base);
	size_t n = strlen(ret);
	/* One look over the rows: the base itself is the first, "base-2" the second. */
	for (size_t i = 0; i < conf_count(d->ports); i++) {
		struct span id = conf_text(conf_get(conf_at(d->ports, i), "id"), "");
		char number[16] = "";
		if (id.n < n || memcmp(id.p, ret, n))
			continue;
		if (id.n == n && !last)
			last = 1;
		if (id.n > n + 1 && id.p[n] == '-' && id.n - n - 1 < sizeof(number)) {
			memcpy(number, id.p + n + 1, id.n - n - 1);
			char *end;
			unsigned long k = strtoul(number, &end, 10);
			last = !*end && k > last ? k : last;
		}
	}
	if (last)
		(void)snprintf(ret + n, DRAFT_NAME - n, "-%lu", last + 1);
	return ret;
}

/* ---- the end ---- */

static void compare_ports(struct draft *d)
{
	/* A list of thousands of rows is compared with its next thousand only: it is no table that people wrote. */
	size_t found = 0;
	for (size_t i = 0; i < d->n_rows; i++)
		for (size_t k = i + 1; k < d->n_rows && k < i + 1000 && found < 200; k++) {
			const struct draft_port *a = &d->rows[i], *b = &d->rows[k];
			bool same = a->transport == b->transport && a->lo <= b->hi && b->lo <= a->hi &&
				    ((a->out && b->out) || (a->in && b->in));
			if (!same || !strcmp(a->protocol, b->protocol) || !a->protocol[0] || !b->protocol[0])
				continue;
			char what[64], where[2 * SHEET_WHERE];
			found++;
			(void)snprintf(what, sizeof(what), "%s / %s", a->protocol, b->protocol);
			(void)snprintf(where, sizeof(where), "%s %s", d->sources[a->source].id, a->where);
			draft_say(d, DRAFT_SAY_TWO_PROTOCOLS, b->source, b->where, (struct span){ 0 }, where, what);
			if (!d->conflicts)
				d->conflicts = draft_list(d, d->root, "conflicts");
			struct conf_node *c = draft_map(d, d->conflicts, NULL);
			(void)draft_text(d, c, "field", span_str("app.protocol"), 64);
			(void)draft_text(d, c, "by", span_str(d->sources[b->source].id), 64);
			(void)draft_text(d, c, "row", span_str(b->where), 64);
			(void)draft_text(d, c, "said", span_str(b->protocol), 0);
			(void)draft_text(d, c, "kept", span_str("both"), 0);
			(void)draft_text(d, c, "why", span_str(where), 0);
		}
}

static void put_sources(struct draft *d)
{
	struct conf_node *list = draft_list(d, d->root, "sources");
	for (size_t i = 0; i < d->n_sources; i++) {
		struct draft_source *s = &d->sources[i];
		const struct draft_options *o = &d->options;
		struct conf_node *n = draft_map(d, list, NULL);
		const char *doc_id = o->doc_id ? o->doc_id : s->doc_id[0] ? s->doc_id : s->title[0] ? s->title : s->file;
		const char *revision = o->revision ? o->revision : s->revision[0] ? s->revision : s->date[0] ? s->date : "unknown";
		const char *date = o->date ? o->date : s->date;
		(void)draft_text(d, n, "id", span_str(s->id), 64);
		(void)draft_text(d, n, "type", span_str(s->type), 64);
		(void)draft_text(d, n, "doc_id", span_str(doc_id), 96);
		(void)draft_text(d, n, "revision", span_str(revision), 32);
		if (date[0])
			(void)draft_text(d, n, "date", span_str(date), 0);
		if (s->title[0])
			(void)draft_text(d, n, "title", span_str(s->title), 0);
		(void)draft_text(d, n, "file", span_str(s->file), 0);
		(void)draft_text(d, n, "sha256", span_str(s->sha256), 0);
		if (s->note[0])
			(void)draft_text(d, n, "note", span_str(s->note), 0);
		if (!strcmp(revision, "unknown"))
			draft_say(d, DRAFT_SAY_REVISION, i, "", (struct span){ 0 }, NULL, NULL);
		if (date[0] && (!d->declared_on[0] || strcmp(date, d->declared_on) > 0))
			(void)snprintf(d->declared_on, sizeof(d->declared_on), "%.10s", date);
	}
}

/* In place: what is not ASCII becomes blanks. "内視鏡 ER-400" is told by its number. */
static struct span ascii_of(struct span plain)
{
	for (uint8_t *p = (uint8_t *)(uintptr_t)plain.p; p < plain.p + plain.n; p++)
		if (*p >= 0x80)
			*p = ' ';
	return plain;
}

static void put_id(struct draft *d, const char *maker, const char *model)
{
	char a[WORDS_MAX], b[40], c[24], id[DRAFT_NAME];
	if (d->options.id) {
		(void)draft_text(d, d->root, "id", span_str(d->options.id), 64);
		return;
	}
	(void)words_slug(ascii_of(words_plain(span_str(model), a)), b, sizeof(b));
	(void)words_slug(ascii_of(words_plain(span_str(maker), a)), c, sizeof(c));
	if (c[0] && b[0])
		(void)snprintf(id, sizeof(id), "%s.%s", c, b);
	else if (b[0])
		(void)snprintf(id, sizeof(id), "%s", b);
	else
		/* Nothing in ASCII: what the documents are told apart by. */
		(void)snprintf(id, sizeof(id), "type-%.8s", d->sources[0].sha256);
	(void)draft_text(d, d->root, "id", span_str(id), 64);
}

/* What is written is read back the way `spanward check` does. */
static int check(const struct draft *d, struct conf_report *rep)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	if (!to)
		return -ENOMEM;
	int r = policy_write_long(d->root, to);
	if (fclose(to) || r) {
		free(text);
		return -ENOMEM;
	}
	struct policy_model m = { 0 };
	struct conf_doc *doc = conf_parse((struct span){ (const uint8_t *)text, n }, "the device type made of it", rep);
	r = doc ? policy_types_read(&m, doc, "the device type made of it", rep) : ERR_CONFIG;
	policy_load_free(&m);
	conf_free(doc);
	free(text);
	return r;
}

int draft_end(struct draft *d, struct conf_report *rep)
{
	const struct draft_options *o = &d->options;
	const char *maker = o->maker ? o->maker : d->maker, *model = o->model ? o->model : d->model;
	if (!d->n_sources)
		return ERR_CONFIG;
	if (!maker[0])
		draft_say(d, DRAFT_SAY_MAKER, 0, "", (struct span){ 0 }, NULL, NULL);
	if (!model[0])
		draft_say(d, DRAFT_SAY_MODEL, 0, "", (struct span){ 0 }, NULL, NULL);
	put_id(d, maker, model);
	(void)conf_make_plain(d->doc, d->root, TEXT("revision"), "1", NULL);
	put_sources(d);
	if (d->declared_on[0])
		(void)draft_text(d, d->root, "declared_on", span_str(d->declared_on), 0);
	struct conf_node *m = (struct conf_node *)(uintptr_t)conf_get(d->root, "manufacturer");
	if (!m)
		m = draft_map(d, d->root, "manufacturer");
	(void)draft_text(d, m, "name", span_str(maker[0] ? maker : "unknown"), 128);
	struct conf_node *k = draft_map(d, d->root, "model");
	(void)draft_text(d, k, "name", span_str(model[0] ? model : "unknown"), 128);
	struct conf_node *list = draft_map(d, d->root, "port_list");
	/* A list that misses rows here is not all that the maker declares, whatever it says of itself. */
	if (d->rows_missing) {
		draft_say(d, DRAFT_SAY_PARTIAL, d->list_source, "", (struct span){ 0 }, d->completeness, NULL);
		(void)snprintf(d->completeness, sizeof(d->completeness), "partial");
	}
	(void)draft_text(d, list, "completeness", span_str(d->completeness), 0);
	if (d->has_list) {
		struct conf_node *sources = draft_list(d, list, "sources");
		(void)draft_text(d, sources, NULL, span_str(d->sources[d->list_source].id), 64);
		if (!strcmp(d->completeness, "unknown"))
			draft_say(d, DRAFT_SAY_COMPLETE, d->list_source, "", (struct span){ 0 }, NULL, NULL);
	}
	compare_ports(d);
	if (d->no_memory || !conf_make_ok(d->doc))
		return -ENOMEM;
	return check(d, rep);
}

int draft_write(const struct draft *d, FILE *to)
{
	(void)fputs("# Made by spanward profile import. Read it before it counts: what is asked below is not decided.\n", to);
	for (size_t i = 0; i < d->n_said; i++) {
		const struct draft_said *s = &d->said[i];
		char text[512];
		if (draft_kind(s->what) != DRAFT_ASK && draft_kind(s->what) != DRAFT_CONTRADICTS)
			continue;
		draft_sentence(s, false, text, sizeof(text));
		char where[2 * SHEET_WHERE];
		struct buf b = buf_over(where, sizeof(where) - 1);
		escape_put(&b, span_str(s->where));
		where[b.len] = 0;
		(void)fprintf(to, "# %s: %s%s%s: %s\n", draft_kind_name(draft_kind(s->what), false), d->sources[s->source].id,
			      where[0] ? " " : "", where, text);
	}
	return policy_write_long(d->root, to);
}
