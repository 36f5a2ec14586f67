#include "core/near.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/conf.h"
#include "core/escape.h"

/* A courtesy: in a directory of a hundred thousand captures the first ones are enough. */
enum { MOST = 4096 };

static const char *nearest_in(const char *dir, const char *name, char ret[static NAME_MAX + 1])
{
	char *names[MOST];
	size_t n = 0;
	DIR *d = opendir(dir);
	if (!d)
		return NULL;
	for (struct dirent *e; n < MOST && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && (names[n] = strdup(e->d_name)))
			n++;
	(void)closedir(d);
	const char *near = conf_nearest(span_str(name), (const char *const *)names, n);
	if (near)
		(void)snprintf(ret, NAME_MAX + 1, "%s", near);
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	return near ? ret : NULL;
}

const char *near_file(const char *path, char ret[static NEAR_TEXT])
{
	char before[PATH_MAX], name[NAME_MAX + 1], near[NAME_MAX + 1], shown[ESCAPE_NAME];
	struct stat st;
	ret[0] = '\0';
	/* Forward to the first part that is not there: a mistyped directory is as likely as a mistyped file. */
	for (const char *part = path + strspn(path, "/"); *part;) {
		size_t len = strcspn(part, "/"), upto = (size_t)(part - path) + len;
		if (len > NAME_MAX || upto >= sizeof(before))
			return ret;
		(void)snprintf(before, sizeof(before), "%.*s", (int)upto, path);
		if (lstat(before, &st) < 0) {
			if (errno != ENOENT)
				return ret;
			before[part - path] = '\0';
			(void)snprintf(name, sizeof(name), "%.*s", (int)len, part);
			if (nearest_in(before[0] ? before : ".", name, near))
				(void)snprintf(ret, NEAR_TEXT, "; did you mean %s?", escape_name(near, shown));
			return ret;
		}
		part += len + strspn(part + len, "/");
	}
	return ret;
}
