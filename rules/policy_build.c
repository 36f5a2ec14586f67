#include "rules/policy_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- sections ---- */

void *policy_build_add(struct policy_build *b, unsigned section, uint32_t *ret_index)
{
	size_t size = policy_record_size(section);
	b->s[section].v = policy_load_grow(b->s[section].v, b->s[section].n, &b->s[section].room, size);
	if (b->s[section].n >= b->s[section].room || b->s[section].n >= POLICY_NONE - 1) {
		b->result = -ENOMEM;
		return NULL;
	}
	if (ret_index)
		*ret_index = (uint32_t)b->s[section].n;
	return b->s[section].v + b->s[section].n++ * size;
}

static uint32_t hash_text(struct span s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a: the texts are the operator's own */
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
	return policy_table_mix(h);
}

static struct span text_at(const struct policy_build *b, struct policy_text t)
{
	return (struct span){ b->s[POLICY_S_TEXT].v + t.at, t.n };
}

static bool intern_room(struct policy_build *b)
{
	if (b->texts.n * 2 < b->n_interned)
		return true;
	size_t n = b->n_interned ? b->n_interned * 2 : 1024;
	uint32_t *t = calloc(n, sizeof(*t));
	if (!t)
		return false;
	for (size_t i = 0; i < b->texts.n; i++) {
		size_t at = hash_text(text_at(b, b->texts.v[i])) & (n - 1);
		while (t[at])
			at = (at + 1) & (n - 1);
		t[at] = (uint32_t)i + 1;
	}
	free(b->interned);
	b->interned = t;
	b->n_interned = n;
	return true;
}

/* Every text stands once in the table. */
struct policy_text policy_build_text(struct policy_build *b, struct span s)
{
	if (!s.n)
		return (struct policy_text){ 0, 0 };
	if (!intern_room(b)) {
		b->result = -ENOMEM;
		return (struct policy_text){ 0, 0 };
	}
	size_t at = hash_text(s) & (b->n_interned - 1);
	for (; b->interned[at]; at = (at + 1) & (b->n_interned - 1))
		if (span_eq(text_at(b, b->texts.v[b->interned[at] - 1]), s))
			return b->texts.v[b->interned[at] - 1];
	struct policy_text t = { (uint32_t)b->s[POLICY_S_TEXT].n, (uint32_t)s.n };
	for (size_t i = 0; i < s.n; i++) {
		uint8_t *c = policy_build_add(b, POLICY_S_TEXT, NULL);
		if (!c)
			return (struct policy_text){ 0, 0 };
		*c = s.p[i];
	}
	struct policy_text *slot = POLICY_MODEL_ADD(&b->texts);
	if (!slot) {
		b->result = -ENOMEM;
		return (struct policy_text){ 0, 0 };
	}
	*slot = t;
	b->interned[at] = (uint32_t)b->texts.n;
	return t;
}

/* Not longer than the event field that will carry it, and cut between characters. */
struct policy_text policy_build_text_cut(struct policy_build *b, struct span s, size_t max)
{
	if (s.n > max) {
		s.n = max;
		while (s.n && (s.p[s.n] & 0xc0) == 0x80)
			s.n--;
	}
	return policy_build_text(b, s);
}

uint32_t policy_build_cite(struct policy_build *b, enum event_authority authority, struct span document,
			   struct span revision, struct span row, struct span said)
{
	uint32_t i = POLICY_NONE;
	struct policy_cite_rec c = {
		.document = policy_build_text_cut(b, document, POLICY_BUILD_MAX_DOCUMENT),
		.revision = policy_build_text_cut(b, revision, POLICY_BUILD_MAX_REVISION),
		.row = policy_build_text_cut(b, row, POLICY_BUILD_MAX_ROW),
		.said = policy_build_text_cut(b, said, POLICY_BUILD_MAX_SAID),
		.authority = authority,
	};
	struct policy_cite_rec *slot = policy_build_add(b, POLICY_S_CITES, &i);
	if (slot)
		*slot = c;
	return i;
}

struct span policy_build_base_name(const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	return span_str(slash ? slash + 1 : file ? file : "");
}

/* ---- names ---- */

static int by_span(const void *pa, const void *pb)
{
	const struct policy_build_name *a = pa, *b = pb;
	size_t n = a->name.n < b->name.n ? a->name.n : b->name.n;
	int c = n ? memcmp(a->name.p, b->name.p, n) : 0;
	if (c)
		return c;
	if (a->name.n != b->name.n)
		return a->name.n < b->name.n ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

struct policy_build_name *policy_build_sort_names(struct policy_build *b, const struct span *first, size_t n,
						  size_t stride)
{
	struct policy_build_name *v = calloc(n ? n : 1, sizeof(*v));
	if (!v) {
		b->result = -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		v[i] = (struct policy_build_name){
			*(const struct span *)(const void *)((const uint8_t *)first + i * stride), (uint32_t)i
		};
	qsort(v, n, sizeof(*v), by_span);
	return v;
}

uint32_t policy_build_find_name(const struct policy_build_name *v, size_t n, struct span name)
{
	size_t lo = 0, hi = n;
	struct policy_build_name key = { name, 0 };
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (span_eq(v[mid].name, name))
			return v[mid].index;
		if (by_span(&v[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return POLICY_NONE;
}

uint32_t policy_build_find_role(struct policy_build *b, struct span name, const struct policy_place *at)
{
	uint32_t i = policy_build_find_name(b->roles, b->m->roles.n, name);
	if (i == POLICY_NONE) {
		char hint[160];
		if (b->m->has_site)
			POLICY_BUILD_FAULT(b, at, "no role is called %.*s in site.yaml%s", POLICY_BUILD_SHOW(name),
					   POLICY_BUILD_HINT(b->m->roles, name, name, hint));
		else
			POLICY_BUILD_FAULT(b, at, "role %.*s: there is no site.yaml that says which address it is",
					   POLICY_BUILD_SHOW(name));
	}
	return i;
}

uint32_t policy_build_find_zone(struct policy_build *b, struct span name, const struct policy_place *at)
{
	uint32_t i = policy_build_find_name(b->zones, b->m->zones.n, name);
	if (i == POLICY_NONE) {
		char hint[160];
		POLICY_BUILD_FAULT(b, at, "no zone is called %.*s in site.yaml%s", POLICY_BUILD_SHOW(name),
				   POLICY_BUILD_HINT(b->m->zones, name, name, hint));
	}
	return i;
}

uint32_t policy_build_find_unit(struct policy_build *b, struct span name, const struct policy_place *at)
{
	/* What the files call by the name of a unit that was swapped holds for the one in its place. */
	uint32_t i = policy_build_find_name(b->units, b->m->units.n, policy_decisions_now(b->m, name));
	if (i == POLICY_NONE) {
		char hint[160];
		POLICY_BUILD_FAULT(b, at, "no unit is called %.*s in the inventory%s", POLICY_BUILD_SHOW(name),
				   POLICY_BUILD_HINT(b->m->units, id, name, hint));
	}
	return i;
}

uint32_t policy_build_find_type(struct policy_build *b, struct span name, const struct policy_place *at)
{
	uint32_t i = policy_build_find_name(b->types, b->m->types.n, name);
	if (i == POLICY_NONE) {
		char hint[160];
		POLICY_BUILD_FAULT(b, at, "no device type is called %.*s%s", POLICY_BUILD_SHOW(name),
				   POLICY_BUILD_HINT(b->m->types, id, name, hint));
	}
	return i;
}

void policy_build_check_title(struct policy_build *b, struct span t, const struct policy_place *at)
{
	/* PS3.5 6.2, VR AE: the default repertoire without backslash and control characters, not only spaces */
	bool good = span_trim(t).n > 0 && t.n <= POLICY_TABLE_AE;
	for (size_t i = 0; i < t.n; i++)
		good = good && t.p[i] >= 0x20 && t.p[i] <= 0x7e && t.p[i] != '\\';
	if (!good)
		POLICY_BUILD_FAULT(b, at, "\"%.*s\" is not an AE title: at most 16 printable ASCII characters",
				   POLICY_BUILD_SHOW(t));
}

void policy_build_add_title(struct policy_build *b, struct span title, uint32_t device, uint64_t roles)
{
	struct policy_build_ae e = { .ae = { .device = device, .roles = roles } };
	title = span_trim(title);
	if (title.n > POLICY_TABLE_AE)
		return;
	memcpy(e.ae.title, title.p, title.n);
	struct policy_build_ae *slot = POLICY_MODEL_ADD(&b->aes);
	if (slot)
		*slot = e;
	else
		b->result = -ENOMEM;
}
