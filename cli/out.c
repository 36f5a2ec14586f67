#include "cli/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/escape.h"

static int explain(int err, const char *what, const char *path, char why[static 256])
{
	char name[ESCAPE_NAME];
	(void)snprintf(why, 256, "%s: %s: %s", escape_name(path, name), what, err_text(err));
	return err;
}

static struct { int n; char **v; } typed;

void out_arguments(int argc, char **argv)
{
	typed.n = argc;
	typed.v = argv;
}

/* Whether another argument than the one that `path` stands in names the same file. */
static bool is_typed_twice(const char *path)
{
	struct stat a, b;
	bool there = !stat(path, &a);
	if (there && !S_ISREG(a.st_mode))
		return false;
	for (int i = 1; i < typed.n; i++) {
		const char *other = typed.v[i];
		if (path >= other && path <= other + strlen(other))
			continue;
		const char *value = *other == '-' ? strchr(other, '=') : NULL;
		value = value ? value + 1 : other;
		if (there ? !stat(value, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino : !strcmp(value, path))
			return true;
	}
	return false;
}

int out_open(struct out *o, const char *path, char why[static 256])
{
	struct stat st;
	*o = (struct out){ .to = stdout };
	if (!path)
		return 0;
	if (is_typed_twice(path)) {
		char name[ESCAPE_NAME];
		(void)snprintf(why, 256, "%s: stands twice in this command, and would be written over; name another file to write",
			       escape_name(path, name));
		*o = (struct out){ 0 };
		return -EINVAL;
	}
	/* A link stays a link. Appended to: what it leads to may be what the shell opened to append to. */
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
		char target[8];
		ssize_t n = readlink(path, target, sizeof(target));
		bool other = n > 5 && (!memcmp(target, "/proc/", 6) || !memcmp(target, "/dev/", 5));
		o->to = fopen(path, other ? "ae" : "we");
		return o->to ? 0 : explain(-errno, "cannot be written", path, why);
	}
	/* What is there and is no plain file (a device, a pipe, a terminal) cannot be replaced by renaming. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		o->to = fopen(path, "we");
		return o->to ? 0 : explain(-errno, "cannot be written", path, why);
	}
	size_t n = strlen(path) + sizeof(".XXXXXX");
	o->path = strdup(path);
	o->temporary = malloc(n);
	if (!o->path || !o->temporary)
		return -ENOMEM;
	(void)snprintf(o->temporary, n, "%s.XXXXXX", path);
	int fd = mkostemp(o->temporary, O_CLOEXEC);
	if (fd < 0) {
		int err = explain(-errno, "cannot be written", path, why);
		free(o->temporary);
		free(o->path);
		*o = (struct out){ 0 };
		return err;
	}
	/* mkostemp makes it 0600; a result file is as readable as any other that the user makes. */
	mode_t mask = umask(0);
	(void)umask(mask);
	(void)fchmod(fd, 0666 & ~mask);
	o->to = fdopen(fd, "w");
	if (!o->to)
		return -ENOMEM;
	/* Millions of lines: a system call for each 4 KiB costs as much as writing them. */
	(void)setvbuf(o->to, NULL, _IOFBF, 256 << 10);
	return 0;
}

int out_open_expected(struct out *o, const char *path, char why[static 256])
{
	struct stat st;
	*o = (struct out){ .expected = fopen(path, "re") };
	if (!o->expected)
		return explain(-errno, "cannot be read", path, why);
	/* A directory can be opened, and then reads as an empty file. */
	if (fstat(fileno(o->expected), &st) || !S_ISDIR(st.st_mode))
		return 0;
	(void)fclose(o->expected);
	o->expected = NULL;
	return explain(-EISDIR, "cannot be read", path, why);
}

/* The first difference, from a little before it on, so that long lines show it. */
static void keep_difference(struct out *o, const char *want, size_t want_n)
{
	size_t at = 0;
	while (at < want_n && at < o->have_n && want[at] == o->have[at])
		at++;
	o->bad_line = o->line;
	o->bad_at = at;
	size_t from = at > 60 ? at - 60 : 0;
	(void)snprintf(o->want_text, sizeof(o->want_text), "%.*s", want_n > from ? (int)(want_n - from) : 0,
	               want + (want_n > from ? from : 0));
	(void)snprintf(o->have_text, sizeof(o->have_text), "%.*s", o->have_n > from ? (int)(o->have_n - from) : 0,
	               o->have ? o->have + (o->have_n > from ? from : 0) : "");
}

ssize_t out_line(FILE *f, char **line, size_t *cap)
{
	size_t n = 0;
	for (int c; n < OUT_LINE_MAX && (c = getc(f)) != EOF;) {
		if (n + 1 >= *cap) {
			size_t more = *cap ? 2 * *cap : 4096;
			char *grown = realloc(*line, more);
			if (!grown)
				return -1;
			*line = grown;
			*cap = more;
		}
		(*line)[n++] = (char)c;
		if (c == '\n')
			break;
	}
	if (!n)
		return -1;
	(*line)[n] = '\0';
	return (ssize_t)n;
}

static void compare_line(struct out *o)
{
	o->line++;
	/* After the first difference nothing is compared. */
	if (!o->bad_line) {
		char *want = NULL;
		size_t cap = 0;
		ssize_t n = out_line(o->expected, &want, &cap);
		size_t want_n = n > 0 ? (size_t)n : 0;
		if (want_n && want[want_n - 1] == '\n')
			want_n--;
		if (n < 0 || want_n != o->have_n || (want_n && memcmp(want, o->have, want_n))) {
			keep_difference(o, n < 0 ? "(the file ends here)" : want, n < 0 ? strlen("(the file ends here)") : want_n);
			if (n < 0)
				(void)snprintf(o->want_text, sizeof(o->want_text), "(the file ends here)");
		}
		free(want);
	}
	o->have_n = 0;
}

static void compare(struct out *o, struct span s)
{
	for (size_t i = 0; i < s.n && !o->err; i++) {
		if (s.p[i] == '\n') {
			compare_line(o);
			continue;
		}
		if (o->have_n == o->have_cap) {
			size_t cap = o->have_cap ? 2 * o->have_cap : 4096;
			char *more = realloc(o->have, cap);
			if (!more) {
				o->err = -ENOMEM;
				return;
			}
			o->have = more;
			o->have_cap = cap;
		}
		o->have[o->have_n++] = (char)s.p[i];
	}
}

static void failed(struct out *o)
{
	if (errno == EPIPE)
		o->closed = true;
	else if (!o->err)
		o->err = errno ? -errno : -EIO;
}

void out_put(struct out *o, struct span s)
{
	if (out_stopped(o) || !s.n)
		return;
	if (o->expected) {
		compare(o, s);
		return;
	}
	errno = 0;
	if (fwrite(s.p, 1, s.n, o->to) != s.n)
		failed(o);
}

void out_str(struct out *o, const char *s) { out_put(o, span_str(s)); }
void out_flush(struct out *o)
{
	errno = 0;
	if (o->to && !out_stopped(o) && fflush(o->to))
		failed(o);
}

bool out_stopped(const struct out *o) { return o->err || o->closed; }
bool out_is_terminal(const struct out *o) { return o->to && isatty(fileno(o->to)); }

int out_close(struct out *o, bool keep, char why[static 256])
{
	const char *name = o->path ? o->path : "standard output";
	if (o->expected) {
		char *more = NULL;
		size_t cap = 0;
		if (!o->bad_line && !o->err && out_line(o->expected, &more, &cap) >= 0) {
			o->line++;
			o->bad_line = o->line;
			(void)snprintf(o->want_text, sizeof(o->want_text), "%.*s", (int)strcspn(more, "\n"), more);
			(void)snprintf(o->have_text, sizeof(o->have_text), "(the output ends here)");
		}
		free(more);
		(void)fclose(o->expected);
	}
	if (o->to && !o->closed) {
		errno = 0;
		if (fflush(o->to))
			failed(o);
	}
	if (o->to && o->to != stdout) {
		errno = 0;
		if (fclose(o->to) && !o->err && !o->closed)
			failed(o);
	}
	if (o->temporary) {
		if (!keep || o->err || o->closed)
			(void)unlink(o->temporary);
		else if (rename(o->temporary, o->path) < 0)
			o->err = -errno;
	}
	if (o->err)
		(void)explain(o->err, "cannot be written", name, why);
	free(o->have);
	free(o->temporary);
	free(o->path);
	o->have = o->temporary = o->path = NULL;
	o->to = o->expected = NULL;
	return o->err;
}

bool out_matches(const struct out *o, const char *expected, FILE *to)
{
	if (!o->bad_line)
		return true;
	char name[ESCAPE_NAME];
	uint8_t want[4 * OUT_SHOWN + 1], have[4 * OUT_SHOWN + 1];
	struct buf w = buf_over(want, sizeof(want) - 1), h = buf_over(have, sizeof(have) - 1);
	/* What is expected is anybody's file. */
	escape_put(&w, span_str(o->want_text));
	escape_put(&h, span_str(o->have_text));
	(void)fprintf(to, "%s:%llu:%zu: the output differs, first here\n  expected: %.*s\n  got:      %.*s\n",
	              escape_name(expected, name), o->bad_line, o->bad_at + 1, (int)w.len, (char *)want, (int)h.len, (char *)have);
	return false;
}
