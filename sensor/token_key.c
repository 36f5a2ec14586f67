#include "sensor/token_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cursor.h"
#include "core/err.h"
#include "core/escape.h"

enum { KEY_BYTES = 16, DIGITS = 2 * KEY_BYTES };

static int fail(const char *path, const char *what, int err, char why[static 256])
{
	char name[ESCAPE_NAME];
	(void)snprintf(why, 256, "token key %s: %s", escape_name(path, name), what);
	return err;
}

/* Whole or not at all, and never over a key that somebody else made at the same moment. */
static int make(const char *path, char why[static 256])
{
	unsigned char key[KEY_BYTES];
	char text[DIGITS + 2], beside[PATH_MAX];
	int n = snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(beside))
		return fail(path, "the name is too long", -ENAMETOOLONG, why);
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return fail(path, "no random numbers from the kernel", -EIO, why);
	(void)sodium_bin2hex(text, sizeof(text), key, sizeof(key));
	text[DIGITS] = '\n';
	sodium_memzero(key, sizeof(key));
	int fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return fail(path, err_text(-errno), -errno, why);
	int err = write(fd, text, DIGITS + 1) != DIGITS + 1 || fsync(fd) ? -EIO : 0;
	sodium_memzero(text, sizeof(text));
	if (!err && link(beside, path) && errno != EEXIST)
		err = -errno;
	(void)close(fd);
	(void)unlink(beside);
	return err ? fail(path, err_text(err), err, why) : 0;
}

int token_key_get(const char *path, struct siphash_key *ret, char why[static 256])
{
	char text[DIGITS + 2];
	unsigned char key[KEY_BYTES];
	size_t n = 0;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT) {
		int err = make(path, why);
		if (err)
			return err;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	if (fd < 0)
		return fail(path, err_text(-errno), -errno, why);
	int err = fstat(fd, &st) ? -errno : 0;
	bool ours = !err && S_ISREG(st.st_mode) && !(st.st_mode & 077);
	ssize_t got = ours ? read(fd, text, sizeof(text)) : 0;
	if (got < 0)
		err = -errno;
	(void)close(fd);
	if (err)
		return fail(path, err_text(err), err, why);
	if (!ours)
		return fail(path, "others may read it, or it is no file: chmod 600, or name another", -EACCES, why);
	if (got < DIGITS || got > DIGITS + 1 || (got > DIGITS && text[DIGITS] != '\n') ||
	    sodium_hex2bin(key, sizeof(key), text, DIGITS, NULL, &n, NULL) || n != KEY_BYTES)
		return fail(path, "expected 32 hexadecimal digits; name a file that does not exist to have one made", ERR_CORRUPT, why);
	struct cursor c = cursor_from((struct span){ key, sizeof(key) });
	ret->k0 = cursor_u64be(&c);
	ret->k1 = cursor_u64be(&c);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	return 0;
}
