#include <dirent.h>
#include <errno.h>
#include <unistd.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/err.h"
#include "core/escape.h"
#include "core/near.h"
#include "rules/policy_model.h"

enum {
	MAX_FILES = 4096,               /* a hospital has some hundreds of device types */
	CSV_MAX_BYTES = 16 << 20,       /* 10,000 units with 200 bytes each are 2 MB; xlsx exports are wider */
};

/* ---- memory ---- */

void *policy_load_grow(void *v, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return v;
	size_t more = *room ? *room * 2 : 4;
	if (more > SIZE_MAX / 2 / size)
		return v;
	uint8_t *w = realloc(v, more * size);
	if (!w)
		return v;
	memset(w + *room * size, 0, (more - *room) * size);
	*room = more;
	return w;
}

static void free_row(struct policy_model_row *r)
{
	free(r->peers.v);
	free(r->titles.v);
	free(r->messages.v);
	free(r->apps.v);
	free(r->schedule.v);
	free(r->sops.v);
	free(r->called.v);
	free(r->versions.v);
	free(r->sending_facs.v);
	free(r->receiving_apps.v);
	free(r->receiving_facs.v);
}

void policy_load_free(struct policy_model *m)
{
	for (size_t i = 0; i < m->types.n; i++) {
		struct policy_model_type *t = &m->types.v[i];
		for (size_t j = 0; j < t->rows.n; j++)
			free_row(&t->rows.v[j]);
		free(t->rows.v);
		free(t->documents.v);
		free(t->infrastructure.v);
		for (size_t j = 0; j < t->controls.n; j++) {
			free(t->controls.v[j].protects.v);
			free(t->controls.v[j].permits.v);
		}
		free(t->controls.v);
	}
	for (size_t i = 0; i < m->units.n; i++) {
		free(m->units.v[i].selects.v);
		free(m->units.v[i].titles.v);
		free(m->units.v[i].enabled.v);
		free(m->units.v[i].overrides.v);
	}
	for (size_t i = 0; i < m->roles.n; i++) {
		for (size_t j = 0; j < m->roles.v[i].addresses.n; j++)
			free(m->roles.v[i].addresses.v[j].titles.v);
		free(m->roles.v[i].addresses.v);
	}
	for (size_t i = 0; i < m->zones.n; i++) {
		free(m->zones.v[i].prefixes.v);
		free(m->zones.v[i].vlans.v);
	}
	for (size_t i = 0; i < m->windows.n; i++)
		free(m->windows.v[i].roles.v);
	for (size_t i = 0; i < m->docs.n; i++)
		conf_free(m->docs.v[i]);
	for (size_t i = 0; i < m->memory.n; i++)
		free(m->memory.v[i]);
	for (size_t i = 0; i < m->defaults.n; i++)
		free(m->defaults.v[i].enabled.v);
	free(m->defaults.v);
	free(m->types.v);
	free(m->units.v);
	free(m->roles.v);
	free(m->zones.v);
	free(m->locals.v);
	free(m->forbids.v);
	free(m->windows.v);
	free(m->scanner_windows.v);
	free(m->swaps.v);
	free(m->modes.v);
	free(m->acceptances.v);
	free(m->docs.v);
	free(m->memory.v);
	*m = (struct policy_model){ 0 };
}

/* ---- faults ---- */

void policy_load_fault(const struct policy_place *at, struct conf_report *rep, const char *fmt, ...)
{
	char what[256];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (at->doc) {
		conf_fault(at->doc, at->node ? at->node : conf_root(at->doc), rep, "%s", what);
		return;
	}
	rep->total++;
	if (rep->n == CONF_MAX_ERRORS)
		return;
	struct conf_error *e = &rep->v[rep->n++];
	e->line = at->line;
	e->column = at->column;
	char name[ESCAPE_NAME];
	(void)snprintf(e->file, sizeof(e->file), "%s", escape_name(at->file ? at->file : "", name));
	(void)snprintf(e->what, sizeof(e->what), "%s", what);
}

const char *policy_load_where(const struct policy_place *at, char out[static 128])
{
	unsigned line = at->doc && at->node ? conf_line(at->node) : at->line;
	const char *file = at->file ? at->file : "?", *base = strrchr(file, '/');
	(void)snprintf(out, 128, "%.100s:%u", base ? base + 1 : file, line);
	return out;
}

const char *policy_load_hint(struct span word, const struct span *names, size_t n, size_t stride, char out[static 160])
{
	enum { MOST = 1024, LONGEST = 64 };     /* a hint is a courtesy: the first names are enough */
	out[0] = 0;
	if (n > MOST)
		n = MOST;
	char (*copies)[LONGEST + 1] = calloc(n ? n : 1, sizeof(*copies));
	const char **words = calloc(n ? n : 1, sizeof(*words));
	if (!copies || !words)
		goto out;
	size_t k = 0;
	const char *prefix = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct span *s = (const void *)((const uint8_t *)names + i * stride);
		if (!s->n || s->n > LONGEST)
			continue;
		memcpy(copies[k], s->p, s->n);
		/* "biomed" for "biomed-workstation": far by edit distance, near to a reader */
		if (!prefix && word.n >= 3 && word.n < s->n && !memcmp(word.p, s->p, word.n))
			prefix = copies[k];
		words[k] = copies[k];
		k++;
	}
	const char *near = conf_nearest(word, words, k);
	if (!near)
		near = prefix;
	if (near)
		(void)snprintf(out, 160, "; did you mean %s?", near);
	else if (k && k <= 6) {
		(void)snprintf(out, 160, "; there %s", k == 1 ? "is" : "are");
		for (size_t i = 0; i < k && strlen(out) + strlen(words[i]) + 3 < 160; i++) {
			size_t len = strlen(out);
			(void)snprintf(out + len, 160 - len, "%s %s", i ? "," : "", words[i]);
		}
	}
out:
	free(words);
	free(copies);
	return out;
}

/* ---- files ---- */

static char *keep(struct policy_model *m, char *memory)
{
	char **slot = memory ? POLICY_MODEL_ADD(&m->memory) : NULL;
	if (!slot) {
		free(memory);
		return NULL;
	}
	return *slot = memory;
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);
	return n > k && !strcmp(name + n - k, end);
}

static int read_bytes(const char *path, struct policy_model *m, struct span *ret, struct conf_report *rep)
{
	struct policy_place at = { .file = path };
	struct stat st;
	/* Not blocking: a pipe that nobody writes to would hold us for ever. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");
	if (!f || fstat(fd, &st)) {
		int err = errno;
		policy_load_fault(&at, rep, "cannot be read: %s", strerrordesc_np(err));
		if (f)
			fclose(f);
		else if (fd >= 0)
			close(fd);
		return -err;
	}
	if (!S_ISREG(st.st_mode)) {
		policy_load_fault(&at, rep, "is a pipe, socket or device; expected a file");
		fclose(f);
		return -EINVAL;
	}
	char *text = NULL;
	size_t n = 0, room = 0;
	int r = 0;
	for (;;) {
		if (n == room) {
			room = room ? room * 2 : 64 << 10;
			char *more = realloc(text, room);
			if (!more) {
				r = -ENOMEM;
				break;
			}
			text = more;
		}
		size_t got = fread(text + n, 1, room - n, f);
		n += got;
		if (!got)
			break;
		if (n > CSV_MAX_BYTES) {
			policy_load_fault(&at, rep, "is larger than %d MiB", CSV_MAX_BYTES >> 20);
			r = ERR_CONFIG;
			break;
		}
	}
	if (!r && ferror(f)) {
		policy_load_fault(&at, rep, "cannot be read: %s", strerrordesc_np(EIO));
		r = -EIO;
	}
	(void)fclose(f);
	const char *other = r ? NULL : conf_no_text((struct span){ (const uint8_t *)text, n });
	if (other) {
		policy_load_fault(&at, rep, "%s; expected CSV", other);
		r = ERR_CONFIG;
	}
	if (r) {
		free(text);
		return r;
	}
	text = keep(m, text);
	if (!text)
		return -ENOMEM;
	*ret = (struct span){ (const uint8_t *)text, n };
	return 0;
}

enum file_kind { FILE_TYPE, FILE_SITE, FILE_INVENTORY, FILE_DECISIONS, FILE_CSV };

/* What a YAML file says it is; `otherwise` when it says nothing, or nothing that we know. */
static enum file_kind kind_of(const struct conf_doc *doc, enum file_kind otherwise)
{
	const struct conf_node *root = conf_root(doc), *kind = conf_is_map(root) ? conf_get(root, "kind") : NULL;
	struct span k = kind && conf_is_scalar(kind) ? conf_text(kind, "") : (struct span){ 0 };
	if (span_eq(k, span_str("site")))
		return FILE_SITE;
	if (span_eq(k, span_str("inventory")))
		return FILE_INVENTORY;
	if (span_eq(k, span_str("decisions")))
		return FILE_DECISIONS;
	if (span_eq(k, span_str("device-type")) || (conf_is_map(root) && conf_get(root, "device_type")))
		return FILE_TYPE;
	return otherwise;
}

/* `text`: in place of what stands in the file; NULL: read it. */
static int read_one(struct policy_model *m, const char *path, enum file_kind kind, bool by_content, const struct span *text_is,
		    struct conf_report *rep)
{
	char *file = keep(m, strdup(path));
	if (!file)
		return -ENOMEM;
	if (kind == FILE_CSV) {
		struct span text;
		int r = read_bytes(path, m, &text, rep);
		return r ? r : policy_inventory_read_csv(m, text, file, rep);
	}
	struct conf_doc *doc = text_is ? conf_parse(*text_is, path, rep) : conf_read_file(path, rep);
	if (!doc)
		return access(path, R_OK) && errno == EACCES ? -EACCES : ERR_CONFIG;
	struct conf_doc **slot = POLICY_MODEL_ADD(&m->docs);
	if (!slot) {
		conf_free(doc);
		return -ENOMEM;
	}
	*slot = doc;
	struct policy_place at = { .doc = doc, .file = file };
	const struct conf_node *root = conf_root(doc);
	if (conf_is_map(root) && span_eq(conf_text(conf_get(root, "kind"), ""), span_str("observed"))) {
		policy_load_fault(&at, rep, "this is what was observed (spanward profile learn): it has no place among "
				  "declarations; keep it elsewhere and compare it with spanward profile diff");
		return ERR_CONFIG;
	}
	enum file_kind says = kind_of(doc, kind);
	if (by_content)
		kind = says;
	else if (says != kind) {
		static const char *const names[] = { "a device type", "a site", "an inventory", "decisions" };
		policy_load_fault(&at, rep, "this is %s, but a file of this name must be %s%s", names[says], names[kind],
				  says == FILE_SITE ? ": the site is site.yaml"
				  : says == FILE_INVENTORY ? ": the inventory is inventory.yaml"
				  : says == FILE_DECISIONS ? ": they are decisions.yaml" : "");
		return ERR_CONFIG;
	}
	switch (kind) {
	case FILE_SITE: return policy_site_read(m, doc, file, rep);
	case FILE_INVENTORY: return policy_inventory_read(m, doc, file, rep);
	case FILE_DECISIONS: return policy_decisions_read(m, doc, file, rep);
	default: return policy_types_read(m, doc, file, rep);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int policy_load_dir(const char *dir, struct policy_model *m, struct conf_report *rep) { return policy_load_changed(dir, NULL, m, rep); }

/* Adds a name to the list that policy_load_changed() reads. */
static int add_name(char ***names, size_t *n, size_t *room, const char *name, const struct policy_place *at, struct conf_report *rep)
{
	*names = policy_load_grow(*names, *n, room, sizeof(**names));
	if (*n == MAX_FILES) {
		policy_load_fault(at, rep, "holds more than %d files", MAX_FILES);
		return ERR_CONFIG;
	}
	if (*n == *room || !((*names)[*n] = strdup(name)))
		return -ENOMEM;
	(*n)++;
	return 0;
}

int policy_load_changed(const char *dir, const struct policy_change *change, struct policy_model *m, struct conf_report *rep)
{
	struct policy_place at = { .file = dir };
	DIR *d = opendir(dir);
	if (!d) {
		int err = errno;
		char near[NEAR_TEXT];
		policy_load_fault(&at, rep, "cannot be opened as a policy directory: %s%s", strerrordesc_np(err), near_file(dir, near));
		return -err;
	}
	char **names = NULL;
	size_t n = 0, room = 0;
	bool workbook = false;
	int r = 0;
	for (struct dirent *e; !r && (e = readdir(d));) {
		if (!strcmp(e->d_name, "inventory.xlsx")) {
			policy_load_fault(&at, rep, "inventory.xlsx is not read from here; spanward profile import -o inventory.csv "
					  "inventory.xlsx makes what is");
			workbook = true;
		}
		if (e->d_name[0] == '.' || !(ends_with(e->d_name, ".yaml") || ends_with(e->d_name, ".yml") ||
					     !strcmp(e->d_name, "inventory.csv")))
			continue;
		if (!change || strcmp(e->d_name, change->name))
			r = add_name(&names, &n, &room, e->d_name, &at, rep);
	}
	if (!r && change)
		r = add_name(&names, &n, &room, change->name, &at, rep);
	(void)closedir(d);
	if (!r && workbook)
		r = ERR_CONFIG;
	/* Every file is read, so that one run shows every fault; the order is fixed, so the table is too. */
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n && r != -ENOMEM; i++) {
		char path[4096];
		if (snprintf(path, sizeof(path), "%s/%s", dir, names[i]) >= (int)sizeof(path)) {
			r = -ENAMETOOLONG;
			continue;
		}
		enum file_kind kind = !strcmp(names[i], "inventory.csv") ? FILE_CSV
				      : !strcmp(names[i], "site.yaml") ? FILE_SITE
				      : !strcmp(names[i], "inventory.yaml") ? FILE_INVENTORY
				      : !strcmp(names[i], "decisions.yaml") ? FILE_DECISIONS : FILE_TYPE;
		const struct span *text = change && !strcmp(names[i], change->name) ? &change->text : NULL;
		int one = read_one(m, path, kind, false, text, rep);
		/* A file that may not be read is what is wrong only when nothing else is. */
		if (one && (one == -ENOMEM || r != ERR_CONFIG))
			r = one;
	}
	if (!r && !n) {
		policy_load_fault(&at, rep, "holds no policy: expected site.yaml, inventory.yaml or inventory.csv, and device types "
				  "(*.yaml); docs/profiles.md says how to write them");
		r = ERR_CONFIG;
	}
	if (!r)
		r = policy_decisions_swap(m, rep);
	if (!r)
		r = policy_inventory_defaults(m);
	if (!r)
		r = policy_decisions_modes(m, rep);
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return r;
}

int policy_load_try(const char *dir, const struct policy_change *change, struct conf_report *rep)
{
	struct policy_model m = { 0 };
	struct policy *p = NULL;
	int r = policy_load_changed(dir, change, &m, rep);
	if (!r)
		r = policy_compile_model(&m, &p, rep);
	free(p);
	policy_load_free(&m);
	return r;
}

int policy_check_path(const char *path, struct conf_report *rep)
{
	struct stat st;
	struct policy_place at = { .file = path };
	if (stat(path, &st)) {
		int err = errno;
		char near[NEAR_TEXT];
		policy_load_fault(&at, rep, "cannot be read: %s%s", strerrordesc_np(err), near_file(path, near));
		return -err;
	}
	if (S_ISDIR(st.st_mode)) {
		struct policy *p;
		int r = policy_compile_dir(path, &p, rep);
		if (!r)
			free(p);
		return r;
	}
	struct policy_model m = { 0 };
	int r = read_one(&m, path, ends_with(path, ".csv") ? FILE_CSV : FILE_TYPE, true, NULL, rep);
	policy_load_free(&m);
	return r;
}
