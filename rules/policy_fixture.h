/* policy_fixture.h -- policy directories made by tests. */
#ifndef RULES_POLICY_FIXTURE_H
#define RULES_POLICY_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/policy.h"

struct policy_fixture { char dir[64]; char files[32][128]; size_t n; };

static inline void policy_fixture_make(struct policy_fixture *f)
{
	memset(f, 0, sizeof(*f));
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/spanward-policy-XXXXXX");
	if (!mkdtemp(f->dir))
		abort();
}

static inline const char *policy_fixture_put(struct policy_fixture *f, const char *name, const char *text, size_t n)
{
	if (f->n == sizeof(f->files) / sizeof(f->files[0]))
		abort();
	char dir[sizeof(f->dir)], *path = f->files[f->n++];
	memcpy(dir, f->dir, sizeof(dir));
	(void)snprintf(path, sizeof(f->files[0]), "%s/%s", dir, name);
	FILE *out = fopen(path, "wb");
	if (!out || fwrite(text, 1, n, out) != n || fclose(out))
		abort();
	return path;
}

static inline void policy_fixture_text(struct policy_fixture *f, const char *name, const char *text)
{
	(void)policy_fixture_put(f, name, text, strlen(text));
}

static inline void policy_fixture_done(struct policy_fixture *f)
{
	for (size_t i = 0; i < f->n; i++)
		(void)unlink(f->files[i]);
	(void)rmdir(f->dir);
}

static inline void policy_fixture_print(const struct conf_report *rep)
{
	for (size_t i = 0; i < rep->n; i++)
		fprintf(stderr, "  %s:%u:%u: %s\n", rep->v[i].file, rep->v[i].line, rep->v[i].column, rep->v[i].what);
}

#endif
