#include "cli/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	TRIES = 8,              /* another may take our directory for a stale one before its lock is held */
	YOUNG_S = 60,           /* without a lock it may be one that is being made */
};

static void empty(int fd, const char *const *files)
{
	for (size_t i = 0; files[i]; i++)
		(void)unlinkat(fd, files[i], 0);
	(void)unlinkat(fd, RUNDIR_LOCK, 0);
}

/* One that may be a killed process's: removed when it is this user's alone and nobody holds it. */
static void look_at(int base, const char *name, const char *const *files)
{
	struct stat st;
	int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	bool ours = !fstat(fd, &st) && st.st_uid == geteuid() && !(st.st_mode & 077);
	int lock = ours ? openat(fd, RUNDIR_LOCK, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	if (lock >= 0 && !flock(lock, LOCK_EX | LOCK_NB)) {
		empty(fd, files);
		(void)unlinkat(base, name, AT_REMOVEDIR);
	} else if (ours && lock < 0 && errno == ENOENT && time(NULL) - st.st_mtime > YOUNG_S) {
		/* Only where it is empty. */
		(void)unlinkat(base, name, AT_REMOVEDIR);
	}
	if (lock >= 0)
		(void)close(lock);
	(void)close(fd);
}

static void sweep(const char *base, const char *name, const char *const *files)
{
	DIR *d = opendir(base);
	size_t n = strlen(name);
	for (struct dirent *e; d && (e = readdir(d));)
		if (!strncmp(e->d_name, name, n) && e->d_name[n] == '-' && strlen(e->d_name) == n + 7)
			look_at(dirfd(d), e->d_name, files);
	if (d)
		(void)closedir(d);
}

static int make(const char *base, const char *name, struct rundir *ret)
{
	struct stat st;
	char path[RUNDIR_PATH + 8], pid[24];
	struct rundir d = { .lock = -1 };
	if (snprintf(d.path, sizeof(d.path), "%s/%s-XXXXXX", base, name) >= (int)sizeof(d.path))
		return -ENAMETOOLONG;
	if (!mkdtemp(d.path))
		return -errno;
	(void)snprintf(path, sizeof(path), "%s/" RUNDIR_LOCK, d.path);
	d.lock = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err = d.lock < 0 ? -errno : 0;
	/* Between the file and the lock it looked stale: then it is gone, or about to be. */
	if (!err && (flock(d.lock, LOCK_EX | LOCK_NB) || fstat(d.lock, &st) || !st.st_nlink))
		err = -EAGAIN;
	if (err) {
		rundir_forget(&d);
		(void)rmdir(d.path);
		return err == -ENOENT ? -EAGAIN : err;
	}
	/* For whoever looks. */
	int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (write(d.lock, pid, (size_t)n) != n)
		errno = 0;
	*ret = d;
	return 0;
}

int rundir_make(const char *base, const char *name, const char *const *files, struct rundir *ret)
{
	int err = -EAGAIN;
	sweep(base, name, files);
	for (int i = 0; i < TRIES && err == -EAGAIN; i++)
		err = make(base, name, ret);
	return err;
}

void rundir_remove(struct rundir *d, const char *const *files)
{
	int fd = d->path[0] ? open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (fd >= 0) {
		empty(fd, files);
		(void)close(fd);
		(void)rmdir(d->path);
	}
	d->path[0] = '\0';
	rundir_forget(d);
}

void rundir_forget(struct rundir *d)
{
	if (d->lock >= 0)
		(void)close(d->lock);
	d->lock = -1;
}
