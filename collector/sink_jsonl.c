#include "collector/sink_jsonl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/escape.h"

enum { LINE_MAX_BYTES = 32 << 10 };     /* an alert is below 8 KiB; every byte of its texts escaped: below this */

struct jsonl {
	int fd;                 /* 0 until opened: never standard input */
	bool standard_output;
	int trouble;            /* -errno of the last write, 0 after one that went well */
	size_t len, sent;       /* of the line being written */
	uint8_t line[LINE_MAX_BYTES];
};

_Static_assert(sizeof(struct jsonl) <= (size_t)SINK_SELF_MAX, "fits the block that sinks get");

/* False when the file has bytes and the last of them is no newline. What is no file, or may not be read, ends where it ends. */
static bool ends_line(const char *target, int fd)
{
	struct stat st;
	char last = '\n';
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size)
		return true;
	int in = open(target, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (in >= 0) {
		if (pread(in, &last, 1, st.st_size - 1) != 1)
			last = '\n';
		(void)close(in);
	}
	return last == '\n';
}

static int jsonl_open(void *self, const char *target, char why[static 256])
{
	struct jsonl *j = self;
	j->standard_output = !strcmp(target, "-");
	int fd = j->standard_output ? STDOUT_FILENO : open(target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
	if (fd < 0) {
		int err = errno;
		char name[ESCAPE_NAME];
		(void)snprintf(why, 256, "jsonl: cannot write to %s: %s", escape_name(target, name), err_text(-err));
		return -err;
	}
	j->fd = fd;
	/* A run that was killed, or that met a full disk, may have left half a line: what follows is a line of its own. */
	if (!j->standard_output && !ends_line(target, fd)) {
		j->line[0] = '\n';
		j->len = 1;
	}
	return 0;
}

/* Writes what the descriptor takes without waiting. Standard output is shared with others, so its mode is left
 * alone: a pipe that polls writable has room for PIPE_BUF bytes (pipe(7)). */
static int flush(struct jsonl *j)
{
	while (j->sent < j->len) {
		struct pollfd p = { .fd = j->fd, .events = POLLOUT };
		size_t n = j->len - j->sent;
		if (poll(&p, 1, 0) <= 0)
			return -EAGAIN;
		ssize_t done = write(j->fd, j->line + j->sent, n < PIPE_BUF ? n : PIPE_BUF);
		if (done < 0 && errno == EINTR)
			continue;
		/* A full disk may have room again; a reader that has gone may come back. The outbox keeps the alert. */
		if (done < 0) {
			j->trouble = errno == EAGAIN ? 0 : -errno;
			return -EAGAIN;
		}
		j->trouble = 0;
		j->sent += (size_t)done;
	}
	return 0;
}

static int jsonl_send(void *self, const struct alert *a)
{
	struct jsonl *j = self;
	uint8_t line[LINE_MAX_BYTES];
	struct buf b = buf_over(line, sizeof(line));
	if (alert_json(a, &b) || buf_u8(&b, '\n'))
		return -EMSGSIZE;
	/* The rest of a line that did not fit comes first; when it was this alert as it still is, that was it. */
	bool waited = j->sent < j->len;
	if (flush(j))
		return -EAGAIN;
	if (waited && b.len == j->len && !memcmp(line, j->line, b.len))
		return 0;
	memcpy(j->line, line, b.len);
	j->len = b.len;
	j->sent = 0;
	int err = flush(j);
	/* Nothing of it has left: it is not begun, and the next call starts afresh. */
	if (err && !j->sent)
		j->len = 0;
	return err;
}

static int jsonl_poll_fd(void *self)
{
	const struct jsonl *j = self;
	return j->sent < j->len ? j->fd : -1;
}

static int jsonl_trouble(void *self) { return ((const struct jsonl *)self)->trouble; }

static void jsonl_close(void *self)
{
	struct jsonl *j = self;
	if (j->fd > 0 && !j->standard_output)
		close(j->fd);
	j->fd = 0;
}

const struct sink_ops sink_jsonl = {
	.name = "jsonl", .self_size = sizeof(struct jsonl), .open = jsonl_open, .send = jsonl_send,
	.poll_fd = jsonl_poll_fd, .trouble = jsonl_trouble, .close = jsonl_close,
};
