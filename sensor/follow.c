#include "sensor/follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"

enum { HEAD = 64 /* the file's header and the time of its first packet */, EVENTS = 64 << 10 };
#define AGAIN_NS CLOCK_SECOND           /* between looks for a directory that is gone */
#define WATCHED (IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* A file that was handed out: what it was then. */
struct known { char *name; ino_t ino; off_t size; uint8_t head[HEAD]; size_t n_head; };
struct waiting { char *name; uint64_t changed_ns; };

struct follow {
	char *path;
	int dir, events;                /* -1: the directory is gone */
	bool told_gone;
	uint64_t looked_ns;
	struct known *known;
	size_t n_known, cap_known;
	struct waiting *waiting;        /* [next..n): in order */
	size_t next, n_waiting, cap_waiting;
};

static void drop_known(struct follow *f, size_t i)
{
	free(f->known[i].name);
	memmove(&f->known[i], &f->known[i + 1], (--f->n_known - i) * sizeof(f->known[0]));
}

static struct known *find_known(struct follow *f, const char *name)
{
	for (size_t i = f->n_known; i-- > 0;)
		if (!strcmp(f->known[i].name, name))
			return &f->known[i];
	return NULL;
}

static void *grown(void *mem, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return mem;
	size_t more = *cap ? *cap * 2 : 64;
	void *at = reallocarray(mem, more, size);
	if (at)
		*cap = more;
	return at;
}

static void wait_for(struct follow *f, const char *name, uint64_t changed_ns)
{
	/* It waits already: then it is opened later than it was closed now. */
	for (size_t i = f->next; i < f->n_waiting; i++)
		if (!strcmp(f->waiting[i].name, name))
			return;
	if (f->next == f->n_waiting)
		f->next = f->n_waiting = 0;
	struct waiting *w = grown(f->waiting, f->n_waiting, &f->cap_waiting, sizeof(*w));
	char *copy = strdup(name);
	if (w)
		f->waiting = w;
	if (w && copy)
		f->waiting[f->n_waiting++] = (struct waiting){ .name = copy, .changed_ns = changed_ns };
	else
		free(copy);
}

static int by_time(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;
	if (x->changed_ns != y->changed_ns)
		return x->changed_ns < y->changed_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* A read lease is given only while nobody has the file open for writing (fcntl(2), F_SETLEASE). Where there are none (other
 * people's files without CAP_LEASE, some file systems) the file counts as complete. */
static bool is_being_written(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
		return false;
	}
	return errno == EAGAIN;
}

static int open_in(const struct follow *f, const char *name)
{
	/* Not a link: who may put files here need not be who may read what it points to. */
	return openat(f->dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
}

/* What is there and was not handed out: at the beginning, and after the kernel lost count of what happened. */
static void scan(struct follow *f)
{
	int fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d && fd >= 0)
		(void)close(fd);
	size_t from = f->n_waiting;
	for (struct dirent *e; d && (e = readdir(d));) {
		struct stat st;
		int file = e->d_name[0] == '.' ? -1 : open_in(f, e->d_name);
		if (file < 0)
			continue;
		if (fstat(file, &st) == 0 && S_ISREG(st.st_mode) && !is_being_written(file))
			wait_for(f, e->d_name, (uint64_t)st.st_mtim.tv_sec * CLOCK_SECOND + (uint64_t)st.st_mtim.tv_nsec);
		(void)close(file);
	}
	if (d)
		(void)closedir(d);
	if (f->n_waiting < from)
		from = 0;               /* the queue was empty and began anew */
	if (f->n_waiting > from)
		qsort(f->waiting + from, f->n_waiting - from, sizeof(f->waiting[0]), by_time);
}

static void close_dir(struct follow *f)
{
	if (f->events >= 0)
		(void)close(f->events);
	if (f->dir >= 0)
		(void)close(f->dir);
	f->events = f->dir = -1;
}

/* 0 or -errno. The watch before the look, so that nothing falls between them. */
static int open_dir(struct follow *f)
{
	f->events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->events < 0 || inotify_add_watch(f->events, f->path, WATCHED) < 0)
		goto fail;
	f->dir = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		goto fail;
	scan(f);
	return 0;
fail:;
	int err = -errno;
	close_dir(f);
	return err;
}

int follow_open(const char *dir, struct follow **ret, char why[static 256])
{
	struct follow *f = calloc(1, sizeof(*f));
	int err = -ENOMEM;
	if (f) {
		f->dir = f->events = -1;
		f->path = strdup(dir);
		if (f->path)
			err = open_dir(f);
	}
	if (err) {
		(void)snprintf(why, 256, "%.160s: cannot be watched: %s%s", dir, err_text(err),
		               err == -ENOTDIR ? "; --follow takes a directory" : "");
		follow_free(f);
		return err;
	}
	*ret = f;
	return 0;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	close_dir(f);
	while (f->n_known)
		drop_known(f, f->n_known - 1);
	for (; f->next < f->n_waiting; f->next++)
		free(f->waiting[f->next].name);
	free(f->known);
	free(f->waiting);
	free(f->path);
	free(f);
}

static void gone(struct follow *f)
{
	log_warn("%s: the directory is gone; waiting for it", f->path);
	f->told_gone = true;
	close_dir(f);
}

static void take_event(struct follow *f, const struct inotify_event *e)
{
	if (e->mask & IN_Q_OVERFLOW) {
		scan(f);
	} else if (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) {
		gone(f);
	} else if (e->len && e->name[0] != '.') {
		struct known *k = e->mask & (IN_DELETE | IN_MOVED_FROM) ? find_known(f, e->name) : NULL;
		if (k)
			drop_known(f, (size_t)(k - f->known));
		else if (e->mask & (IN_CLOSE_WRITE | IN_MOVED_TO))
			wait_for(f, e->name, 0);
	}
}

static void take_events(struct follow *f)
{
	static _Alignas(struct inotify_event) char mem[EVENTS];
	ssize_t n;
	while (f->events >= 0 && (n = read(f->events, mem, sizeof(mem))) > 0)
		for (char *at = mem; at < mem + n && f->events >= 0;) {
			const struct inotify_event *e = (const struct inotify_event *)(const void *)at;
			take_event(f, e);
			at += sizeof(*e) + e->len;
		}
}

/* Whether this is to be read, and remembers it. */
static bool is_new(struct follow *f, int fd, const char *name)
{
	struct stat st;
	struct known now = { 0 };
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !st.st_size)
		return false;
	ssize_t n = pread(fd, now.head, HEAD, 0);
	now.n_head = n > 0 ? (size_t)n : 0;
	now.ino = st.st_ino;
	now.size = st.st_size;
	struct known *k = find_known(f, name);
	if (k) {
		bool same = k->ino == now.ino && now.size >= k->size && k->n_head <= now.n_head && !memcmp(k->head, now.head, k->n_head);
		if (same && now.size > k->size)
			log_warn("%s/%s: has grown by %lld bytes after it was read; they are not read (complete files are)", f->path, name,
			         (long long)(now.size - k->size));
		now.name = k->name;
		*k = now;
		return !same;
	}
	if (f->n_known == FOLLOW_KNOWN_MAX)
		drop_known(f, 0);
	struct known *more = grown(f->known, f->n_known, &f->cap_known, sizeof(*more));
	if (more)
		f->known = more;
	now.name = more ? strdup(name) : NULL;
	if (now.name)
		f->known[f->n_known++] = now;
	return true;
}

int follow_next(struct follow *f, int *ret_fd, char ret_name[static FOLLOW_NAME])
{
	uint64_t now = clock_mono_ns();
	if (f->dir < 0 && now - f->looked_ns >= AGAIN_NS) {
		f->looked_ns = now;
		if (!open_dir(f) && f->told_gone) {
			log_info("%s: the directory is there again", f->path);
			f->told_gone = false;
		}
	}
	take_events(f);
	while (f->next < f->n_waiting && f->dir >= 0) {
		char *name = f->waiting[f->next++].name;
		int fd = open_in(f, name), err = fd < 0 ? -errno : 0;
		bool take = fd >= 0 && is_new(f, fd, name);
		if (err == -ENOENT)
			log_warn("%s/%s: vanished before it was read", f->path, name);
		else if (err && err != -ELOOP)
			log_error("%s/%s: cannot be read: %s", f->path, name, err_text(err));
		(void)snprintf(ret_name, FOLLOW_NAME, "%s", name);
		free(name);
		if (take) {
			*ret_fd = fd;
			return 1;
		}
		if (fd >= 0)
			(void)close(fd);
	}
	return 0;
}
