/* out.h -- where a command's data goes: standard output, a file that appears whole or not at all, or a
 * comparison with an expected file. Failure is sticky; a reader that went away (head) is not a failure.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "core/cursor.h"

enum {
	OUT_SHOWN = 400,                /* of a line that differs, bytes shown on each side */
	OUT_LINE_MAX = 1 << 20,         /* what a line of ours can have, and much more; somebody may name /dev/zero */
};

struct out {
	FILE *to;                       /* NULL: compare only */
	FILE *expected;
	char *path, *temporary;         /* NULL: standard output, or written in place (a device, a pipe) */
	int err;                        /* sticky: 0 or -errno */
	bool closed;                    /* the reader has gone: stop, quietly */
	unsigned long long line, bad_line;      /* of the comparison; bad_line 0: equal so far */
	char *have;                     /* the line being gathered for the comparison */
	size_t have_n, have_cap;
	char want_text[OUT_SHOWN + 1], have_text[OUT_SHOWN + 1];
	size_t bad_at;                  /* first byte that differs in that line */
};

/* First of all in main(): what was typed. A path that names a file which stands among it a second time is refused by out_open: it
 * would replace what is still to be read, or another output. */
void out_arguments(int argc, char **argv);
/* `path` NULL: standard output. A path that names a device or pipe is written to as it is, and so is
 * a link (to /proc/self/fd/1, such as /dev/stdout is, where renaming would replace the link); a file is
 * written beside it and renamed by out_close. 0 or -errno with a line in `why`. */
int out_open(struct out *o, const char *path, char why[static 256]);
/* Nothing is written; every line is compared with the same line of `path`. 0 or -errno with `why`. */
int out_open_expected(struct out *o, const char *path, char why[static 256]);
void out_put(struct out *o, struct span s);
void out_str(struct out *o, const char *s);
void out_flush(struct out *o);
/* True when there is no use in producing more. */
bool out_stopped(const struct out *o);
bool out_is_terminal(const struct out *o);
/* getline(3) that ends after OUT_LINE_MAX bytes. -1 at the end, and on failure (ferror). */
ssize_t out_line(FILE *f, char **line, size_t *cap);
/* Ends it: with `keep` the file takes its name, without it is removed. 0 or -errno with `why`. */
int out_close(struct out *o, bool keep, char why[static 256]);
/* After out_close of a comparison: false when something differed; prints the first difference to `to`. */
bool out_matches(const struct out *o, const char *expected, FILE *to);

#endif
