#include "cli/decide.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/digest.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"

enum {
	WAIT_MS = 5000, LOOK_MS = 50,   /* for another command, which takes a fraction of a second */
	TRIES = 10,                     /* when bundles are put in force at the same time */
	FILE_MAX = CONF_MAX_BYTES, JOURNAL_MAX = 64 << 20,
	LINE_MAX_ = 64 << 10,
	HEX = 2 * DIGEST_SHA256_BYTES + 1,
};

static const char file_name[] = "decisions.yaml", journal_name[] = "journal.jsonl", lock_name[] = ".lock";
static const char *const lists[] = { "swaps", "modes", "windows", "acceptances", NULL };

struct line {
	struct conf_doc *doc;           /* NULL: it cannot be read */
	char digest[HEX];
	uint64_t undoes, voids;         /* changes that it takes back, or says were never put in place */
};

struct decide {
	char dir[PATH_MAX];
	int dirfd, lock;
	struct conf_doc *file;          /* NULL: there is none yet */
	char digest[HEX];               /* of the file; "" without one */
	struct conf_doc *made;          /* items to be */
	struct policy_model model;
	bool has_model, model_tried;
	struct line *lines;
	size_t n, room;
	bool torn;                      /* the last line has no end */
};

static void hex_of(struct span s, char ret[static HEX])
{
	uint8_t sum[DIGEST_SHA256_BYTES];
	digest_sha256(s, sum);
	digest_hex(sum, sizeof(sum), ret);
	ret[HEX - 1] = '\0';
}

static int failed(const struct decide *d, const char *name, int err)
{
	log_say("spanward: %s/%s: %s", d->dir, name, err_text(err));
	return (int)err_exit_code(err);
}

/* A whole file; an absent one is empty. 0 or -errno. */
static int read_all(const struct decide *d, const char *name, size_t most, char **ret, size_t *ret_n)
{
	int fd = openat(d->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	if (fd < 0 && errno == ENOENT) {
		*ret = NULL;
		*ret_n = 0;
		return 0;
	}
	int err = fd < 0 || fstat(fd, &st) ? -errno : !S_ISREG(st.st_mode) ? -EINVAL : (size_t)st.st_size > most ? -EFBIG : 0;
	char *text = err ? NULL : malloc((size_t)st.st_size + 1);
	size_t n = 0;
	if (!err && !text)
		err = -ENOMEM;
	while (!err && n < (size_t)st.st_size) {
		ssize_t got = read(fd, text + n, (size_t)st.st_size - n);
		if (got <= 0 && !(got < 0 && errno == EINTR))
			err = got < 0 ? -errno : -EIO;
		else if (got > 0)
			n += (size_t)got;
	}
	if (fd >= 0)
		(void)close(fd);
	if (err) {
		free(text);
		return err;
	}
	*ret = text;
	*ret_n = n;
	return 0;
}

/* ---- the lock ---- */

int decide_open_file(int dirfd, const char *name, int how)
{
	int fd = openat(dirfd, name, how | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	struct stat of, in;
	if (fd >= 0 && !fstat(fd, &of) && !fstat(dirfd, &in) && (in.st_mode & S_IWGRP) && !(of.st_mode & S_IWGRP) &&
	    of.st_gid == in.st_gid && of.st_uid == geteuid())
		(void)fchmod(fd, (of.st_mode & 0777) | S_IRGRP | S_IWGRP);
	return fd;
}

static int lock_failed(const char *path, int err)
{
	log_say("spanward: %s/%s: %s", path, lock_name, err_text(err));
	return (int)err_exit_code(err);
}

int decide_lock(const char *path, int dirfd, int *ret)
{
	char who[64] = "";
	int fd = decide_open_file(dirfd, lock_name, O_RDWR);
	if (fd < 0)
		return lock_failed(path, -errno);
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB); waited += LOOK_MS) {
		int err = -errno;
		if (err == -EWOULDBLOCK && waited < WAIT_MS) {
			(void)nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000L }, NULL);
			continue;
		}
		ssize_t n = pread(fd, who, sizeof(who) - 1, 0);
		(void)close(fd);
		if (err != -EWOULDBLOCK)
			return lock_failed(path, err);
		who[n > 0 ? strcspn(who, "\n") : 0] = '\0';
		log_say("spanward: %s: another command changes this policy (process %s): nothing was changed; try again", path,
			who[0] ? who : "unknown");
		return ERR_EXIT_FAILURE;
	}
	int n = snprintf(who, sizeof(who), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) || pwrite(fd, who, (size_t)n, 0) != n)
		errno = 0;      /* only for the message of whoever comes second */
	*ret = fd;
	return 0;
}

/* ---- the journal ---- */

static struct span field(const struct line *l, const char *key)
{
	return l->doc ? conf_text(conf_get(conf_root(l->doc), key), "") : (struct span){ 0 };
}

static uint64_t number(struct span s)
{
	uint64_t v = 0;
	for (size_t i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && v < UINT64_MAX / 16; i++)
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	return v;
}

static int add_line(struct decide *d, struct span text)
{
	struct conf_report ignored = { 0 };
	if (d->n == d->room) {
		size_t room = d->room ? 2 * d->room : 64;
		struct line *more = realloc(d->lines, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		d->lines = more;
		d->room = room;
	}
	struct line *l = &d->lines[d->n++];
	l->doc = text.n <= LINE_MAX_ ? conf_parse(text, journal_name, &ignored) : NULL;
	if (l->doc && !conf_is_map(conf_root(l->doc))) {
		conf_free(l->doc);
		l->doc = NULL;
	}
	l->undoes = number(field(l, "undoes"));
	l->voids = number(field(l, "void"));
	hex_of(text, l->digest);
	return 0;
}

static int read_journal(struct decide *d)
{
	char *text;
	size_t n;
	int err = read_all(d, journal_name, JOURNAL_MAX, &text, &n);
	if (err)
		return err;
	d->torn = n && text[n - 1] != '\n';
	for (size_t at = 0; at < n && !err;) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t len = end ? (size_t)(end - text) - at : n - at;
		err = add_line(d, (struct span){ (const uint8_t *)text + at, len });
		at += len + 1;
	}
	free(text);
	return err;
}

static void put_node(struct buf *b, const struct conf_node *n)
{
	if (!n) {
		(void)buf_str(b, "null");
	} else if (conf_is_scalar(n)) {
		(void)json_string(b, conf_text(n, ""));
	} else {
		bool map = conf_is_map(n);
		(void)buf_u8(b, map ? '{' : '[');
		for (size_t i = 0; i < conf_count(n); i++) {
			char key[64];
			if (map) {
				(void)snprintf(key, sizeof(key), "%.*s", (int)conf_key_at(n, i).n, (const char *)conf_key_at(n, i).p);
				(void)json_key(b, key);
			} else {
				(void)json_next(b);
			}
			put_node(b, conf_at(n, i));
		}
		(void)buf_u8(b, map ? '}' : ']');
	}
}

void decide_text(struct buf *out, const struct conf_node *item) { put_node(out, item); }

struct change {
	const char *list, *item, *command, *who, *what;
	const struct conf_node *before, *after;
	uint64_t undoes, voids;
	const char *file;               /* digest of what it leads to */
};

static int append(struct decide *d, const struct change *c)
{
	uint8_t *mem = malloc(LINE_MAX_ + 1);
	char at[CLOCK_STRLEN];
	if (!mem)
		return -ENOMEM;
	struct buf b = buf_over(mem, LINE_MAX_);
	(void)buf_u8(&b, '{');
	(void)json_key(&b, "n");
	(void)json_uint(&b, d->n + 1);
	const struct { const char *key, *value; } texts[] = {
		{ "at", clock_str(clock_now_ns(), at) }, { "who", c->who }, { "command", c->command }, { "what", c->what },
		{ "list", c->list }, { "item", c->item },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value) {
			(void)json_key(&b, texts[i].key);
			(void)json_str(&b, texts[i].value);
		}
	if (c->list) {
		(void)json_key(&b, "before");
		put_node(&b, c->before);
		(void)json_key(&b, "after");
		put_node(&b, c->after);
	}
	if (c->undoes) {
		(void)json_key(&b, "undoes");
		(void)json_uint(&b, c->undoes);
	}
	if (c->voids) {
		(void)json_key(&b, "void");
		(void)json_uint(&b, c->voids);
	}
	(void)json_key(&b, "file");
	(void)json_str(&b, c->file);
	(void)json_key(&b, "prev");
	(void)json_str(&b, d->n ? d->lines[d->n - 1].digest : "");
	(void)buf_u8(&b, '}');
	int err = b.full ? -E2BIG : 0, fd = -1;
	struct span line = buf_span(&b);
	if (!err) {
		fd = decide_open_file(d->dirfd, journal_name, O_WRONLY | O_APPEND);
		err = fd < 0 ? -errno : 0;
	}
	/* A line that a crash cut off stays as it is, and is told as unreadable. */
	if (!err && d->torn && write(fd, "\n", 1) != 1)
		err = errno ? -errno : -EIO;
	if (!err) {
		mem[b.len] = '\n';
		ssize_t n = write(fd, mem, b.len + 1);
		err = n == (ssize_t)(b.len + 1) ? 0 : n < 0 ? -errno : -ENOSPC;
	}
	if (!err && fsync(fd))
		err = -errno;
	if (fd >= 0)
		(void)close(fd);
	if (!err) {
		d->torn = false;
		err = add_line(d, line);
	}
	free(mem);
	return err;
}

/* ---- opening ---- */

static int read_file(struct decide *d)
{
	char *text, path[PATH_MAX + 32];
	size_t n;
	int err = read_all(d, file_name, FILE_MAX, &text, &n);
	if (err)
		return failed(d, file_name, err);
	if (!text)
		return 0;
	struct conf_report rep = { 0 };
	(void)snprintf(path, sizeof(path), "%s/%s", d->dir, file_name);
	hex_of((struct span){ (const uint8_t *)text, n }, d->digest);
	d->file = conf_parse((struct span){ (const uint8_t *)text, n }, path, &rep);
	free(text);
	if (d->file && !conf_check(d->file, conf_root(d->file), policy_decisions_keys, &rep))
		return 0;
	conf_say(&rep);
	return ERR_EXIT_CONFIG;
}

/* The digest that the journal's last line but `back` says the file has. */
static struct span said(const struct decide *d, size_t back)
{
	return d->n > back ? field(&d->lines[d->n - 1 - back], "file") : (struct span){ 0 };
}

/* What happened since the last line: a change that was written down and never put in place, or one by something else. */
static int settle(struct decide *d)
{
	struct change c = { .who = "spanward", .command = "recovery", .file = d->digest };
	char what[128];
	if (span_eq(said(d, 0), span_str(d->digest)))
		return 0;
	if (d->n && d->lines[d->n - 1].doc && span_eq(said(d, 1), span_str(d->digest))) {
		c.voids = d->n;
		(void)snprintf(what, sizeof(what), "change %zu was never put in place", d->n);
	} else {
		(void)snprintf(what, sizeof(what), "%s was changed by something else", file_name);
	}
	c.what = what;
	log_say("spanward: %s: %s; the journal says so from now on", d->dir, what);
	return append(d, &c);
}

static void close_dir(struct decide *d)
{
	if (d->lock >= 0)
		(void)close(d->lock);
	if (d->dirfd >= 0)
		(void)close(d->dirfd);
	d->lock = d->dirfd = -1;
}

/* Opens the directory, locked for a change. While it waited for the lock a bundle may have come into force: the directory that has
 * the name then is the one to change. */
static int open_dir(struct decide *d, bool change)
{
	for (int tries = 0; tries < TRIES; tries++) {
		struct stat held, named;
		d->dirfd = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (d->dirfd < 0) {
			int err = -errno;
			log_say("spanward: %s: %s; name the policy directory with -p", d->dir, err_text(err));
			return err == -EACCES ? ERR_EXIT_PERMISSION : ERR_EXIT_CONFIG;
		}
		int code = change ? decide_lock(d->dir, d->dirfd, &d->lock) : 0;
		if (code || !change)
			return code;
		if (!fstat(d->dirfd, &held) && !stat(d->dir, &named) && held.st_dev == named.st_dev && held.st_ino == named.st_ino)
			return 0;
		close_dir(d);
	}
	log_say("spanward: %s: other policies come into force all the time: nothing was changed; try again", d->dir);
	return ERR_EXIT_FAILURE;
}

int decide_open(const char *dir, bool change, struct decide **ret)
{
	struct decide *d = calloc(1, sizeof(*d));
	if (!d) {
		log_say("spanward: %s", err_text(-ENOMEM));
		return ERR_EXIT_FAILURE;
	}
	d->lock = d->dirfd = -1;
	(void)snprintf(d->dir, sizeof(d->dir), "%s", dir);
	int code = open_dir(d, change), err;
	if (!code && (err = read_journal(d)))
		code = failed(d, journal_name, err);
	if (!code)
		code = read_file(d);
	if (!code && !(d->made = conf_make(file_name, NULL)))
		code = ERR_EXIT_FAILURE;
	if (!code && change && (err = settle(d)))
		code = failed(d, journal_name, err);
	if (code) {
		decide_close(d);
		return code;
	}
	*ret = d;
	return ERR_EXIT_OK;
}

void decide_close(struct decide *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++)
		conf_free(d->lines[i].doc);
	free(d->lines);
	conf_free(d->file);
	conf_free(d->made);
	if (d->model_tried)
		policy_load_free(&d->model);
	close_dir(d);
	free(d);
}

const struct conf_node *decide_list(const struct decide *d, const char *list)
{
	return d->file ? conf_get(conf_root(d->file), list) : NULL;
}

static const struct conf_node *item_of(const struct conf_node *list, struct span id)
{
	for (size_t i = 0; i < conf_count(list); i++)
		if (span_eq(conf_key_at(list, i), id))
			return conf_at(list, i);
	return NULL;
}

const struct conf_node *decide_item(const struct decide *d, const char *list, const char *id)
{
	return item_of(decide_list(d, list), span_str(id));
}

const struct policy_model *decide_model(struct decide *d)
{
	struct conf_report rep = { 0 };
	if (!d->model_tried) {
		d->model_tried = true;
		d->has_model = !policy_load_dir(d->dir, &d->model, &rep);
		conf_say(&rep);
	}
	return d->has_model ? &d->model : NULL;
}

uint64_t decide_next(const struct decide *d) { return d->n + 1; }

struct conf_node *decide_new(struct decide *d) { return conf_make_map(d->made, conf_make_root(d->made), span_str("item"), NULL); }

void decide_set(struct decide *d, struct conf_node *map, const char *key, const char *value)
{
	if (value && *value)
		(void)conf_make_text(d->made, map, span_str(key), span_str(value), NULL);
}

void decide_set_list(struct decide *d, struct conf_node *map, const char *key, const char *const *values, size_t n)
{
	struct conf_node *list = conf_make_list(d->made, map, span_str(key), NULL);
	for (size_t i = 0; i < n; i++)
		(void)conf_make_text(d->made, list, (struct span){ 0 }, span_str(values[i]), NULL);
}

struct conf_node *decide_copy(struct decide *d, const struct conf_node *item, const char *without)
{
	struct conf_node *map = decide_new(d);
	for (size_t i = 0; i < conf_count(item); i++)
		if (!span_eq(conf_key_at(item, i), span_str(without)))
			(void)conf_make_copy(d->made, map, conf_key_at(item, i), conf_at(item, i));
	return map;
}

void decide_set_time(struct decide *d, struct conf_node *map, const char *key, uint64_t ns)
{
	char text[CLOCK_STRLEN];
	/* Seconds are enough, and are what people read. */
	(void)clock_str(ns / CLOCK_SECOND * CLOCK_SECOND, text);
	char *dot = strchr(text, '.');
	if (dot)
		(void)snprintf(dot, 2, "Z");
	decide_set(d, map, key, text);
}

/* ---- changing ---- */

/* The file with one item put, replaced or taken out. */
static struct conf_doc *changed(const struct decide *d, const char *list, struct span id, const struct conf_node *item)
{
	struct conf_doc *doc = conf_make(file_name, NULL);
	struct conf_node *root = conf_make_root(doc);
	(void)conf_make_text(doc, root, span_str("format"), span_str("spanward/1"), NULL);
	(void)conf_make_text(doc, root, span_str("kind"), span_str("decisions"), NULL);
	for (size_t i = 0; lists[i]; i++) {
		const struct conf_node *old = decide_list(d, lists[i]);
		bool this = !strcmp(lists[i], list), placed = false;
		if (!conf_count(old) && !(this && item))
			continue;
		if (conf_count(old) == 1 && this && !item && span_eq(conf_key_at(old, 0), id))
			continue;
		struct conf_node *map = conf_make_map(doc, root, span_str(lists[i]), NULL);
		for (size_t k = 0; k < conf_count(old); k++) {
			bool it = this && span_eq(conf_key_at(old, k), id);
			placed |= it;
			if (!it || item)
				(void)conf_make_copy(doc, map, conf_key_at(old, k), it ? item : conf_at(old, k));
		}
		if (this && item && !placed)
			(void)conf_make_copy(doc, map, id, item);
	}
	return doc;
}

static int write_file(const struct decide *d, struct span text)
{
	static const char beside[] = ".decisions.new";
	int fd = decide_open_file(d->dirfd, beside, O_WRONLY | O_TRUNC), err = fd < 0 ? -errno : 0;
	for (size_t at = 0; !err && at < text.n;) {
		ssize_t n = write(fd, text.p + at, text.n - at);
		if (n < 0 && errno != EINTR)
			err = -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	if (!err && fsync(fd))
		err = -errno;
	if (fd >= 0 && close(fd) && !err)
		err = -errno;
	if (!err && renameat(d->dirfd, beside, d->dirfd, file_name))
		err = -errno;
	if (err)
		(void)unlinkat(d->dirfd, beside, 0);
	else
		(void)fsync(d->dirfd);
	return err;
}

/* The tree as the file's text; malloc'd, NULL without memory. */
static char *text_of(struct conf_doc *doc, size_t *ret_n)
{
	char *text = NULL;
	FILE *to = conf_make_ok(doc) ? open_memstream(&text, ret_n) : NULL;
	if (!to)
		return NULL;
	(void)fputs("# Written by spanward device, window and accept; taken back by spanward undo. The journal beside it says who\n"
		    "# and why.\n", to);
	int err = conf_write(conf_make_root(doc), policy_decisions_keys, to);
	if (fclose(to) || err) {
		free(text);
		return NULL;
	}
	return text;
}

static int put(struct decide *d, struct change *c, struct span id)
{
	size_t n = 0;
	struct conf_doc *doc = changed(d, c->list, id, c->after);
	char *text = text_of(doc, &n), digest[HEX];
	conf_free(doc);
	if (!text) {
		log_say("spanward: %s", err_text(-ENOMEM));
		return ERR_EXIT_FAILURE;
	}
	struct conf_report rep = { 0 };
	struct span s = { (const uint8_t *)text, n };
	int code = ERR_EXIT_OK, err = policy_load_try(d->dir, &(struct policy_change){ file_name, s }, &rep);
	if (err) {
		conf_say(&rep);
		log_say("spanward: nothing was changed: with this the policy in %s would be wrong", d->dir);
		code = (int)err_exit_code(err);
		code = code == ERR_EXIT_PERMISSION ? code : ERR_EXIT_CONFIG;
	}
	if (!code) {
		hex_of(s, digest);
		c->file = digest;
		/* Written down first: a change that nobody can account for must not come about. */
		if ((err = append(d, c)))
			code = failed(d, journal_name, err);
	}
	if (!code && (err = write_file(d, s))) {
		code = failed(d, file_name, err);
		(void)settle(d);
	}
	free(text);
	return code;
}

int decide_put(struct decide *d, const char *list, const char *id, struct conf_node *item, const char *command, const char *who,
	       const char *what)
{
	struct change c = { .list = list, .item = id, .command = command, .who = who, .what = what, .before = decide_item(d, list, id),
			    .after = item };
	if (!conf_make_ok(d->made)) {
		log_say("spanward: %s", err_text(-ENOMEM));
		return ERR_EXIT_FAILURE;
	}
	return put(d, &c, span_str(id));
}

/* ---- the journal, read ---- */

size_t decide_entries(const struct decide *d) { return d->n; }

/* A null in JSON is nothing. */
static const struct conf_node *node(const struct line *l, const char *key)
{
	const struct conf_node *n = l->doc ? conf_get(conf_root(l->doc), key) : NULL;
	return n && conf_is_map(n) ? n : NULL;
}

void decide_entry(const struct decide *d, size_t i, struct decide_entry *ret)
{
	const struct line *l = &d->lines[i];
	*ret = (struct decide_entry){ .n = i + 1, .who = field(l, "who"), .command = field(l, "command"), .what = field(l, "what"),
				      .list = field(l, "list"), .item = field(l, "item"), .before = node(l, "before"),
				      .after = node(l, "after"), .undoes = l->undoes };
	(void)clock_parse(field(l, "at"), &ret->at_ns);
	if (!l->doc)
		ret->what = span_str("(this line cannot be read)");
	for (size_t k = i + 1; k < d->n; k++) {
		if (d->lines[k].voids == i + 1)
			ret->void_ = true;
		/* An undo that was undone leaves the change as it was. */
		if (d->lines[k].undoes == i + 1) {
			struct decide_entry later;
			decide_entry(d, k, &later);
			if (!later.undone_by && !later.void_)
				ret->undone_by = k + 1;
		}
	}
}

bool decide_holds(const struct decide *d, char why[static 256])
{
	for (size_t i = 0; i < d->n; i++) {
		if (!d->lines[i].doc)
			(void)snprintf(why, 256, "line %zu of %s cannot be read", i + 1, journal_name);
		else if (!span_eq(field(&d->lines[i], "prev"), span_str(i ? d->lines[i - 1].digest : "")))
			(void)snprintf(why, 256, "line %zu of %s does not follow from the one before: one of them was changed or is "
				       "missing", i + 1, journal_name);
		else
			continue;
		return false;
	}
	if (span_eq(said(d, 0), span_str(d->digest)))
		return true;
	(void)snprintf(why, 256, "%s is not what the last line of %s says it is", file_name, journal_name);
	return false;
}

/* ---- taking back ---- */

/* Keys in whatever order: the file has the table's, the journal that in which they were set. */
static bool same(const struct conf_node *a, const struct conf_node *b)
{
	if (!a || !b)
		return !a && !b;
	if (conf_is_scalar(a) || conf_is_scalar(b))
		return conf_is_scalar(a) && conf_is_scalar(b) && span_eq(conf_text(a, ""), conf_text(b, ""));
	bool equal = conf_is_map(a) == conf_is_map(b) && conf_count(a) == conf_count(b);
	for (size_t i = 0; equal && i < conf_count(a); i++)
		equal = same(conf_at(a, i), conf_is_map(a) ? item_of(b, conf_key_at(a, i)) : conf_at(b, i));
	return equal;
}

/* When a hand was on the file, as far as is known: the time of the file where that was just noticed, else when it was. 0: never. */
static uint64_t edited_at(const struct decide *d, uint64_t after, bool *ret_exact)
{
	struct stat st;
	for (size_t i = d->n; i > after; i--) {
		struct decide_entry e;
		decide_entry(d, i - 1, &e);
		if (!span_eq(e.command, span_str("recovery")) || d->lines[i - 1].voids)
			continue;
		*ret_exact = i == d->n && !fstatat(d->dirfd, file_name, &st, AT_SYMLINK_NOFOLLOW);
		return *ret_exact ? (uint64_t)st.st_mtim.tv_sec * CLOCK_SECOND : e.at_ns;
	}
	return 0;
}

/* Why a change is not taken back: a later one by command, with its number, or a hand on the file; and what to do. */
static void say_changed_since(const struct decide *d, const struct decide_entry *e, const char *list, const char *item,
			      const struct conf_node *now)
{
	struct decide_entry later = { 0 };
	bool exact = false;
	char at[CLOCK_STRLEN];
	for (size_t i = d->n; i > e->n && !later.n; i--) {
		struct decide_entry l;
		decide_entry(d, i - 1, &l);
		if (span_eq(l.list, span_str(list)) && span_eq(l.item, span_str(item)) && !l.void_ && !l.undone_by && !l.undoes)
			later = l;
	}
	/* Where the file is what the last change of this item made of it, that one is to be taken back first. */
	if (later.n && same(now, later.after)) {
		log_say("spanward: what change %llu did was changed since by change %llu (%s %s): take that back first: spanward undo %llu",
			(unsigned long long)e->n, (unsigned long long)later.n, list, item, (unsigned long long)later.n);
		return;
	}
	uint64_t edited = edited_at(d, e->n, &exact);
	(void)clock_str(edited, at);
	log_say("spanward: %s/%s was changed by other means than a command%s%.19s%s: %s %s is %s, so change %llu is not taken back",
		d->dir, file_name, !edited ? "" : exact ? ", last at " : ", noticed at ", edited ? at : "", edited ? "Z" : "", list, item,
		now ? "not what that change made of it" : "not there any more", (unsigned long long)e->n);
	log_say("Put it there as it was (spanward audit --format jsonl: 'after' of change %llu) and undo again, or leave it and decide "
		"anew with spanward device, window or accept.", (unsigned long long)e->n);
}

static bool can_undo(const struct decide_entry *e) { return e->list.n && !e->undone_by && !e->void_; }

int decide_undo(struct decide *d, uint64_t n, const char *who, uint64_t *ret_n, char ret_what[static DECIDE_WHAT])
{
	struct decide_entry e = { 0 };
	char what[DECIDE_WHAT], list[32], item[DECIDE_NAME];
	size_t i = d->n;
	if (n) {
		if (n > d->n) {
			log_say("spanward: there is no change %llu (spanward audit lists them)", (unsigned long long)n);
			return ERR_EXIT_FAILURE;
		}
		decide_entry(d, (size_t)n - 1, &e);
	} else {
		for (; i; i--) {
			decide_entry(d, i - 1, &e);
			if (can_undo(&e) && !e.undoes)
				break;
		}
		if (!i) {
			log_say("spanward: there is nothing to take back");
			return ERR_EXIT_FAILURE;
		}
	}
	if (!can_undo(&e)) {
		if (e.undone_by)
			log_say("spanward: change %llu was taken back by %llu already", (unsigned long long)e.n,
				(unsigned long long)e.undone_by);
		else
			log_say("spanward: %llu changed nothing that could be taken back", (unsigned long long)e.n);
		return ERR_EXIT_FAILURE;
	}
	(void)snprintf(list, sizeof(list), "%.*s", (int)e.list.n, (const char *)e.list.p);
	(void)snprintf(item, sizeof(item), "%.*s", (int)e.item.n, (const char *)e.item.p);
	const struct conf_node *now = decide_item(d, list, item);
	if (!same(now, e.after)) {
		say_changed_since(d, &e, list, item, now);
		return ERR_EXIT_FAILURE;
	}
	(void)snprintf(ret_what, DECIDE_WHAT, "%.*s", (int)(e.what.n < 400 ? e.what.n : 400), (const char *)e.what.p);
	(void)snprintf(what, sizeof(what), "take back %llu: %.400s", (unsigned long long)e.n, ret_what);
	struct change c = { .list = list, .item = item, .command = "undo", .who = who, .what = what, .before = now, .after = e.before,
			    .undoes = e.n };
	*ret_n = e.n;
	return put(d, &c, e.item);
}
