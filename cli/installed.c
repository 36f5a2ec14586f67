#include "cli/installed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/decide.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "rules/policy.h"

enum { NAME = 64 };

static const char kept_name[] = "bundle.spanward", decisions_name[] = "decisions.yaml", journal_name[] = "journal.jsonl";

const char *installed_key_id(const uint8_t key[static BUNDLE_KEY], char ret[static INSTALLED_KEY_ID])
{
	uint8_t sum[DIGEST_SHA256_BYTES];
	digest_sha256((struct span){ key, BUNDLE_KEY }, sum);
	digest_hex(sum, INSTALLED_KEY_ID / 2, ret);
	ret[INSTALLED_KEY_ID - 1] = '\0';
	return ret;
}

static int failed(const char *what, int err)
{
	log_say("spanward: %s: %s", what, err_text(err));
	int code = (int)err_exit_code(err);
	return code ? code : ERR_EXIT_FAILURE;
}

/* ---- files ---- */

static int read_at(int dirfd, const char *path, size_t most, uint8_t **ret, size_t *ret_n)
{
	struct stat st;
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err = fd < 0 || fstat(fd, &st) ? -errno : !S_ISREG(st.st_mode) ? -EINVAL : (size_t)st.st_size > most ? -EFBIG : 0;
	uint8_t *mem = err ? NULL : malloc((size_t)st.st_size + 1);
	size_t n = 0;
	if (!err && !mem)
		err = -ENOMEM;
	while (!err && n < (size_t)st.st_size) {
		ssize_t got = read(fd, mem + n, (size_t)st.st_size - n);
		if (got > 0)
			n += (size_t)got;
		else if (got == 0 || errno != EINTR)
			err = got < 0 ? -errno : -EIO;
	}
	if (fd >= 0)
		(void)close(fd);
	if (err) {
		free(mem);
		return err;
	}
	*ret = mem;
	*ret_n = n;
	return 0;
}

int installed_read(const char *path, size_t most, uint8_t **ret, size_t *ret_n) { return read_at(AT_FDCWD, path, most, ret, ret_n); }

/* What was signed (O_EXCL) is nobody's to write in; the rest is as files of decisions are. */
static int write_at(int dirfd, const char *name, struct span s, int how)
{
	int fd = how & O_EXCL ? openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | how, 0640) :
		 decide_open_file(dirfd, name, O_WRONLY | how);
	int err = fd < 0 ? -errno : 0;
	for (size_t at = 0; !err && at < s.n;) {
		ssize_t n = write(fd, s.p + at, s.n - at);
		if (n < 0 && errno != EINTR)
			err = -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	if (!err && fsync(fd))
		err = -errno;
	if (fd >= 0 && close(fd) && !err)
		err = -errno;
	return err;
}

static int unpack(int dirfd, const struct bundle *b)
{
	int err = 0;
	for (size_t i = 0; i < b->n && !err; i++) {
		char name[BUNDLE_NAME + 1];
		(void)snprintf(name, sizeof(name), "%.*s", (int)b->v[i].name.n, (const char *)b->v[i].name.p);
		err = write_at(dirfd, name, b->v[i].bytes, O_EXCL);
	}
	return err ? err : fsync(dirfd) ? -errno : 0;
}

/* A directory of files only, as we made it. */
static void remove_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	for (struct dirent *e; d && (e = readdir(d));)
		(void)unlinkat(fd, e->d_name, 0);
	if (d)
		(void)closedir(d);
	else if (fd >= 0)
		(void)close(fd);
	(void)unlinkat(dirfd, name, AT_REMOVEDIR);
}

static int compile(const char *dir)
{
	struct conf_report rep = { 0 };
	struct policy *p = NULL;
	int err = policy_compile_dir(dir, &p, &rep);
	free(p);
	conf_say(&rep);
	if (err && !rep.total)
		log_say("spanward: %s: %s", dir, err_text(err));
	int code = err ? (int)err_exit_code(err) : 0;
	return !code || code == ERR_EXIT_PERMISSION ? code : ERR_EXIT_CONFIG;
}

int installed_try(const struct bundle *b)
{
	char dir[] = "/tmp/spanward-bundle-XXXXXX";
	if (!mkdtemp(dir))
		return failed("/tmp", -errno);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = fd < 0 ? -errno : unpack(fd, b);
	int code = err ? failed(dir, err) : compile(dir);
	if (fd >= 0)
		(void)close(fd);
	remove_dir(AT_FDCWD, dir);
	return code;
}

int installed_check(const char *dir, const struct bundle *b)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), code = ERR_EXIT_OK;
	if (fd < 0)
		return failed(dir, -errno);
	for (size_t i = 0; i < b->n; i++) {
		char name[BUNDLE_NAME + 1];
		uint8_t *mem = NULL;
		size_t n = 0;
		(void)snprintf(name, sizeof(name), "%.*s", (int)b->v[i].name.n, (const char *)b->v[i].name.p);
		if (!strcmp(name, decisions_name))
			continue;
		int err = read_at(fd, name, BUNDLE_FILE_MAX, &mem, &n);
		if (err || !span_eq((struct span){ mem, n }, b->v[i].bytes)) {
			log_say("spanward: %s/%s: %s", dir, name, err ? err_text(err) : "is not what was signed");
			code = ERR_EXIT_FAILURE;
		}
		free(mem);
	}
	/* What nobody signed is read by a sensor all the same. */
	DIR *d = fdopendir(fd);
	for (struct dirent *e; d && (e = readdir(d));) {
		bool known = !bundle_name(span_str(e->d_name)) || !strcmp(e->d_name, decisions_name);
		for (size_t i = 0; i < b->n && !known; i++)
			known = span_eq(b->v[i].name, span_str(e->d_name));
		if (!known) {
			log_say("spanward: %s/%s: is not in the bundle", dir, e->d_name);
			code = ERR_EXIT_FAILURE;
		}
	}
	if (d)
		(void)closedir(d);
	else
		(void)close(fd);
	return code;
}

/* ---- the root ---- */

struct root { const char *path; int fd, lock, decided; char current[NAME], previous[NAME]; };

/* Where a link leads: one of our own directories, "" when there is none. */
static int link_of(int fd, const char *name, char ret[static NAME])
{
	ssize_t n = readlinkat(fd, name, ret, NAME - 1);
	if (n < 0) {
		ret[0] = '\0';
		return errno == ENOENT ? 0 : -errno;
	}
	ret[n] = '\0';
	return strncmp(ret, "gen-", 4) || strchr(ret, '/') ? -EINVAL : 0;
}

/* Nothing is decided in the generation in force while another takes its place: a decision waits, and goes into that one. */
static int lock_decisions(struct root *r)
{
	char whole[PATH_MAX];
	int fd = openat(r->fd, r->current, O_RDONLY | O_DIRECTORY | O_CLOEXEC), code;
	(void)snprintf(whole, sizeof(whole), "%s/%s", r->path, r->current);
	if (fd < 0)
		return errno == ENOENT ? ERR_EXIT_OK : failed(whole, -errno);
	code = decide_lock(whole, fd, &r->decided);
	(void)close(fd);
	return code;
}

static int open_root(const char *path, struct root *r)
{
	*r = (struct root){ .path = path, .lock = -1, .decided = -1 };
	r->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = r->fd < 0 ? -errno : 0;
	if (err == -ENOENT) {
		log_say("spanward: %s: there is no such directory; make it first, empty", path);
		return ERR_EXIT_CONFIG;
	}
	if (!err)
		r->lock = decide_open_file(r->fd, ".lock", O_RDWR);
	if (!err && r->lock < 0)
		err = -errno;
	if (!err && flock(r->lock, LOCK_EX | LOCK_NB)) {
		log_say("spanward: %s: another command puts a bundle in force: nothing was changed; try again", path);
		return ERR_EXIT_FAILURE;
	}
	if (!err && ((err = link_of(r->fd, "current", r->current)) || (err = link_of(r->fd, "previous", r->previous)))) {
		log_say("spanward: %s: current or previous is no link to a generation (gen-N): is this a plain policy directory? "
			"Bundles want a directory of their own, and the sensor -p %s/current", path, path);
		return ERR_EXIT_CONFIG;
	}
	return err ? failed(path, err) : r->current[0] ? lock_decisions(r) : ERR_EXIT_OK;
}

static void close_root(struct root *r)
{
	if (r->decided >= 0)
		(void)close(r->decided);
	if (r->lock >= 0)
		(void)close(r->lock);
	if (r->fd >= 0)
		(void)close(r->fd);
}

static int put_link(struct root *r, const char *name, const char *to)
{
	(void)unlinkat(r->fd, ".link", 0);
	if (symlinkat(to, r->fd, ".link") || renameat(r->fd, ".link", r->fd, name))
		return -errno;
	return fsync(r->fd) ? -errno : 0;
}

/* Bundle of a generation that is installed; *mem is the caller's. */
static int bundle_of(const struct root *r, const char *gen, uint8_t **mem, struct bundle *b)
{
	char path[2 * NAME];
	size_t n = 0;
	(void)snprintf(path, sizeof(path), "%s/%s", gen, kept_name);
	int err = read_at(r->fd, path, BUNDLE_MAX, mem, &n);
	return err ? err : bundle_open((struct span){ *mem, n }, NULL, 0, b);
}

/* Whether decisions were made by command since that generation was put in force. */
static bool decided_since(const struct root *r, const char *gen)
{
	char path[2 * NAME];
	uint8_t *mem = NULL, *now = NULL;
	size_t n = 0;
	struct bundle b = { 0 };
	struct span was = { 0 };
	if (!gen[0])
		return false;
	if (!bundle_of(r, gen, &mem, &b))
		for (size_t i = 0; i < b.n; i++)
			was = span_eq(b.v[i].name, span_str(decisions_name)) ? b.v[i].bytes : was;
	(void)snprintf(path, sizeof(path), "%s/%s", gen, decisions_name);
	bool since = !read_at(r->fd, path, BUNDLE_FILE_MAX, &now, &n) && !span_eq((struct span){ now, n }, was);
	bundle_free(&b);
	free(mem);
	free(now);
	return since;
}

/* Copies decisions and their journal from the generation in force into another. The journal goes on in any case. */
static int carry(const struct root *r, const char *from, int to, bool decisions)
{
	const char *const names[] = { journal_name, decisions ? decisions_name : NULL };
	int err = 0;
	for (size_t i = 0; i < 2 && !err && from[0]; i++) {
		char path[2 * NAME];
		uint8_t *mem = NULL;
		size_t n = 0;
		if (!names[i])
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", from, names[i]);
		err = read_at(r->fd, path, BUNDLE_MAX, &mem, &n);
		if (!err)
			err = write_at(to, names[i], (struct span){ mem, n }, O_TRUNC);
		free(mem);
		err = err == -ENOENT ? 0 : err;
	}
	return err;
}

static int note(struct root *r, const char *action, const char *who, const char *from, const char *to, const char *key)
{
	uint8_t mem[2048];
	char at[CLOCK_STRLEN];
	struct buf b = buf_over(mem, sizeof(mem));
	const struct { const char *k, *v; } texts[] = { { "at", clock_str(clock_now_ns(), at) }, { "who", who }, { "action", action },
							{ "from", from }, { "to", to }, { "signed_by", key } };
	(void)buf_u8(&b, '{');
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)json_key(&b, texts[i].k);
		(void)json_str(&b, texts[i].v);
	}
	(void)buf_str(&b, "}\n");
	return b.full ? -E2BIG : write_at(r->fd, "bundles.jsonl", buf_span(&b), O_APPEND);
}

static int ask(const struct root *r, enum installed_decisions decisions)
{
	if (decisions != INSTALLED_ASK || !decided_since(r, r->current))
		return ERR_EXIT_OK;
	log_say("spanward: %s/%s: decisions were made by command since (spanward audit): say --keep-decisions to take them along, or "
		"--drop-decisions", r->path, r->current);
	return ERR_EXIT_FAILURE;
}

/* Puts `gen` in force; it is there and right. */
static int switch_to(struct root *r, const char *gen, const char *action, const char *who, const char *key)
{
	/* Written down first, as in spanward audit. */
	int err = note(r, action, who, r->current, gen, key);
	if (!err && r->current[0])
		err = put_link(r, "previous", r->current);
	if (!err)
		err = put_link(r, "current", gen);
	return err ? failed(r->path, err) : ERR_EXIT_OK;
}

/* Whoever may put a bundle in force may decide in it: a root that is its group's has generations that are. */
static int share(const struct root *r, int gen)
{
	struct stat root, made;
	if (fstat(r->fd, &root) || fstat(gen, &made))
		return -errno;
	if (!(root.st_mode & S_IWGRP) || root.st_gid != made.st_gid)
		return 0;
	return fchmod(gen, 0770 | (made.st_mode & S_ISGID)) ? -errno : 0;
}

static int activate(struct root *r, const struct bundle *b, struct span bytes, enum installed_decisions decisions, const char *who)
{
	char gen[NAME], whole[PATH_MAX], key[INSTALLED_KEY_ID];
	static const char beside[] = ".gen.new";
	uint8_t *mem = NULL;
	struct bundle now = { 0 };
	int code = ask(r, decisions), err;
	if (code)
		return code;
	if (r->current[0] && !bundle_of(r, r->current, &mem, &now) && b->generation <= now.generation) {
		log_say("spanward: generation %llu is not newer than %llu, which is in force (spanward bundle rollback goes back)",
			(unsigned long long)b->generation, (unsigned long long)now.generation);
		code = ERR_EXIT_FAILURE;
	}
	bundle_free(&now);
	free(mem);
	if (code)
		return code;
	(void)snprintf(gen, sizeof(gen), "gen-%llu", (unsigned long long)b->generation);
	remove_dir(r->fd, beside);
	err = mkdirat(r->fd, beside, 0750) ? -errno : 0;
	int fd = err ? -1 : openat(r->fd, beside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!err && fd < 0)
		err = -errno;
	if (!err)
		err = share(r, fd);
	if (!err)
		err = unpack(fd, b);
	if (!err)
		err = write_at(fd, kept_name, bytes, O_EXCL);
	if (!err)
		err = carry(r, r->current, fd, decisions == INSTALLED_KEEP);
	if (!err && fsync(fd))
		err = -errno;
	if (fd >= 0)
		(void)close(fd);
	(void)snprintf(whole, sizeof(whole), "%s/%s", r->path, beside);
	code = err ? failed(whole, err) : compile(whole);
	if (!code) {
		/* One of that number that is not in force was given up before it was. */
		if (strcmp(gen, r->previous))
			remove_dir(r->fd, gen);
		if (renameat(r->fd, beside, r->fd, gen))
			code = failed(gen, -errno);
	}
	if (!code)
		code = switch_to(r, gen, "activate", who, installed_key_id(b->key, key));
	else
		log_say("spanward: nothing was changed: %s stays in force", r->current[0] ? r->current : "no policy");
	remove_dir(r->fd, beside);
	return code;
}

int installed_activate(const char *root, const struct bundle *b, struct span bytes, enum installed_decisions decisions, const char *who)
{
	struct root r;
	int code = open_root(root, &r);
	if (!code)
		code = activate(&r, b, bytes, decisions, who);
	if (!code)
		(void)printf("generation %llu is in force in %s (before: %s)\n", (unsigned long long)b->generation, root,
			     r.current[0] ? r.current : "none");
	close_root(&r);
	return code;
}

static int roll_back(struct root *r, enum installed_decisions decisions, const char *who)
{
	char whole[PATH_MAX], key[INSTALLED_KEY_ID] = "";
	uint8_t *mem = NULL;
	struct bundle b = { 0 };
	if (!r->previous[0] || !r->current[0]) {
		log_say("spanward: %s: there is nothing to go back to", r->path);
		return ERR_EXIT_FAILURE;
	}
	int code = ask(r, decisions), err;
	if (code)
		return code;
	err = bundle_of(r, r->previous, &mem, &b);
	(void)snprintf(whole, sizeof(whole), "%s/%s", r->path, r->previous);
	if (!err)
		(void)installed_key_id(b.key, key);
	code = err ? failed(whole, err) : installed_check(whole, &b);
	int fd = code ? -1 : openat(r->fd, r->previous, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!code && (fd < 0 || (err = carry(r, r->current, fd, decisions == INSTALLED_KEEP))))
		code = failed(whole, fd < 0 ? -errno : err);
	if (fd >= 0)
		(void)close(fd);
	if (!code)
		code = compile(whole);
	if (!code)
		code = switch_to(r, r->previous, "rollback", who, key);
	else
		log_say("spanward: nothing was changed: %s stays in force", r->current);
	bundle_free(&b);
	free(mem);
	return code;
}

int installed_rollback(const char *root, enum installed_decisions decisions, const char *who)
{
	struct root r;
	int code = open_root(root, &r);
	if (!code)
		code = roll_back(&r, decisions, who);
	if (!code)
		(void)printf("%s is in force in %s again (before: %s)\n", r.previous, root, r.current);
	close_root(&r);
	return code;
}
