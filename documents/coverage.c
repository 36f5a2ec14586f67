#include "documents/coverage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const coverage_kinds[] = { "row", "type", "place", "all", NULL };

static int compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c ? c : a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

static int by_name(const void *pa, const void *pb)
{
	const struct coverage_line *a = pa, *b = pb;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int c = compare(a->type, b->type);
	return c ? c : compare(a->name, b->name);
}

/* Lines are kept in order: found by halves. Types and rows are some thousand, units many more. */
static struct coverage_line *find(struct coverage *c, enum coverage_kind kind, struct span type, struct span name)
{
	struct coverage_line want = { .kind = kind, .type = type, .name = name, .cite = POLICY_NONE };
	size_t lo = 0, hi = c->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int o = by_name(&c->v[mid], &want);
		if (!o)
			return &c->v[mid];
		if (o < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!POLICY_MODEL_ADD(c))
		return NULL;
	memmove(&c->v[lo + 1], &c->v[lo], (c->n - 1 - lo) * sizeof(*c->v));
	c->v[lo] = want;
	return &c->v[lo];
}

static int add_unit(const struct matrix *x, struct coverage *c, uint32_t device)
{
	static const enum coverage_kind kinds[] = { COVERAGE_TYPE, COVERAGE_PLACE, COVERAGE_ALL };
	const struct matrix_unit *u = matrix_unit(x, device);
	struct policy_device d;
	policy_device(matrix_policy(x), device, &d);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct span name = kinds[i] == COVERAGE_TYPE ? d.type : kinds[i] == COVERAGE_PLACE ? matrix_place(x, device)
			: span_str("");
		struct coverage_line *l = find(c, kinds[i], (struct span){ 0 }, name);
		if (!l)
			return -ENOMEM;
		l->units++;
		l->units_seen += u->seen;
		l->flows += u->flows;
		l->explained += u->explained;
		l->bytes += u->bytes;
		l->explained_bytes += u->explained_bytes;
	}
	return 0;
}

static int add_line(const struct matrix *x, struct coverage *c, const struct matrix_line *m, bool first_of_row)
{
	struct policy_device d;
	policy_device(matrix_policy(x), m->device, &d);
	const struct { enum coverage_kind kind; struct span type, name; } to[] = {
		{ COVERAGE_TYPE, { 0 }, d.type }, { COVERAGE_PLACE, { 0 }, matrix_place(x, m->device) }, { COVERAGE_ALL, { 0 },
			span_str("") },
	};
	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		struct coverage_line *l = find(c, to[i].kind, to[i].type, to[i].name);
		if (!l)
			return -ENOMEM;
		l->lines[m->state]++;
	}
	if (!m->declared)
		return 0;
	struct coverage_line *l = find(c, COVERAGE_ROW, d.type, m->declared->id);
	if (!l)
		return -ENOMEM;
	l->lines[m->state]++;
	if (l->cite == POLICY_NONE)
		l->cite = m->cite;
	l->units += first_of_row;
	l->units_seen += first_of_row && matrix_unit(x, m->device)->seen;
	l->flows += m->flows;
	l->explained += m->declared_flows;
	l->bytes += m->bytes;
	return 0;
}

int coverage_make(const struct matrix *x, struct coverage *ret)
{
	struct coverage c = { 0 };
	int r = 0;
	for (uint32_t d = 0; !r && d < policy_devices(matrix_policy(x)); d++)
		r = add_unit(x, &c, d);
	for (size_t i = 0; !r && i < matrix_count(x); i++) {
		const struct matrix_line *m = matrix_at(x, i);
		bool first = true;
		/* The lines of a unit stand together. */
		for (size_t k = i; first && m->declared && k-- && matrix_at(x, k)->device == m->device;)
			first = matrix_at(x, k)->declared != m->declared;
		r = add_line(x, &c, m, first);
	}
	if (r) {
		coverage_free(&c);
		return r;
	}
	*ret = c;
	return 0;
}

void coverage_free(struct coverage *c)
{
	free(c->v);
	*c = (struct coverage){ 0 };
}

int coverage_share(uint64_t part, uint64_t whole)
{
	return whole ? (int)((double)part * 1000.0 / (double)whole + 0.5) : -1;
}
