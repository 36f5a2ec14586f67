#include "collector/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/err.h"
#include "core/escape.h"

/* The process id that the owner wrote, 0 when there is none to read. */
static long owner_of(int fd)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	char *end;
	long pid = n > 0 ? strtol(text, &end, 10) : 0;
	return pid > 0 ? pid : 0;
}

int owner_take(const char *path, int *ret_fd, char why[static 256])
{
	char lock[PATH_MAX + 8], real[PATH_MAX], name[ESCAPE_NAME], mine[32];
	if (!strcmp(path, ":memory:")) {
		*ret_fd = -1;
		return 0;
	}
	/* One store has one lock, by whatever links it is reached. */
	int n = snprintf(lock, sizeof(lock), "%s.lock", realpath(path, real) ? real : path);
	int fd = n < (int)sizeof(lock) ? open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640) : -1;
	int err = fd >= 0 ? 0 : n < (int)sizeof(lock) ? -errno : -ENAMETOOLONG;
	if (!err && flock(fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (err == -EBUSY)
		(void)snprintf(why, 256, "store %s: process %ld (a collector or spanward run) writes to it; stop that one, or "
			       "name another store with --store", escape_name(path, name), owner_of(fd));
	else if (err == -ENOENT)
		(void)snprintf(why, 256, "store %s: its directory does not exist; make it first", escape_name(path, name));
	else if (err)
		(void)snprintf(why, 256, "%s.lock: %s", escape_name(path, name), err_text(err));
	if (err) {
		owner_drop(fd);
		return err;
	}
	/* Only for the message of whoever comes second: a full disk must not keep a collector from starting. */
	n = snprintf(mine, sizeof(mine), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) || pwrite(fd, mine, (size_t)n, 0) != n)
		errno = 0;
	*ret_fd = fd;
	return 0;
}

void owner_drop(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}
