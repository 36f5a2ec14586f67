#include "core/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"

static void failed(struct metrics *m)
{
	if (!m->err)
		m->err = errno ? -errno : -EIO;
}

void metrics_begin(struct metrics *m, const char *path)
{
	*m = (struct metrics){ 0 };
	int n = snprintf(m->path, sizeof(m->path), "%s", path);
	int k = snprintf(m->temporary, sizeof(m->temporary), "%s.%ld", path, (long)getpid());
	if (n < 0 || k < 0 || n >= (int)sizeof(m->path) || k >= (int)sizeof(m->temporary)) {
		m->err = -ENAMETOOLONG;
		return;
	}
	m->to = fopen(m->temporary, "we");
	if (!m->to)
		failed(m);
}

void metrics_family(struct metrics *m, const char *name, enum metrics_kind kind, const char *help)
{
	m->family = name;
	if (m->to && fprintf(m->to, "# HELP spanward_%s %s\n# TYPE spanward_%s %s\n", name, help, name,
			     kind == METRICS_COUNTER ? "counter" : "gauge") < 0)
		failed(m);
}

/* "Label values: \\, \" and \n"; what is below a space otherwise has no business in a name. */
static void put_label(struct metrics *m, const char *name, const char *value, char before)
{
	(void)fprintf(m->to, "%c%s=\"", before, name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			(void)fputc('\\', m->to);
		if (*value == '\n')
			(void)fputs("\\n", m->to);
		else
			(void)fputc((unsigned char)*value < ' ' ? '?' : *value, m->to);
	}
	(void)fputc('"', m->to);
}

static void put_name(struct metrics *m, const char *const *labels)
{
	(void)fprintf(m->to, "spanward_%s", m->family);
	for (size_t i = 0; labels && labels[i]; i += 2)
		put_label(m, labels[i], labels[i + 1], i ? ',' : '{');
	if (labels && labels[0])
		(void)fputc('}', m->to);
}

void metrics_row(struct metrics *m, const char *const *labels, uint64_t value)
{
	if (!m->to)
		return;
	put_name(m, labels);
	(void)fprintf(m->to, " %" PRIu64 "\n", value);
}

void metrics_row_ns(struct metrics *m, const char *const *labels, uint64_t ns)
{
	if (!m->to)
		return;
	put_name(m, labels);
	(void)fprintf(m->to, " %" PRIu64 ".%09" PRIu64 "\n", ns / CLOCK_SECOND, ns % CLOCK_SECOND);
}

int metrics_end(struct metrics *m)
{
	if (!m->to)
		return m->err;
	errno = 0;
	if (fflush(m->to) || ferror(m->to))
		failed(m);
	/* A monitoring system has a user of its own; there is nothing here that it may not see. */
	if (!m->err && fchmod(fileno(m->to), 0644))
		failed(m);
	if (fclose(m->to))
		failed(m);
	m->to = NULL;
	if (!m->err && rename(m->temporary, m->path))
		failed(m);
	if (m->err)
		(void)unlink(m->temporary);
	return m->err;
}
