#include "cli/where.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int where_store(char ret[static WHERE_MAX])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;
	if (geteuid() == 0)
		n = snprintf(ret, WHERE_MAX, "/var/lib/spanward/spanward.db");
	else if (state && state[0] == '/')      /* the specification says to ignore a relative one */
		n = snprintf(ret, WHERE_MAX, "%s/spanward/spanward.db", state);
	else if (home && home[0] == '/')
		n = snprintf(ret, WHERE_MAX, "%s/.local/state/spanward/spanward.db", home);
	else
		return -ENOENT;
	return n < WHERE_MAX ? 0 : -ENAMETOOLONG;
}

int where_make_parents(const char *path)
{
	char dir[WHERE_MAX];
	if (strlen(path) >= sizeof(dir))
		return -ENAMETOOLONG;
	(void)snprintf(dir, sizeof(dir), "%s", path);
	for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

void where_who(char *ret, size_t n)
{
	const struct passwd *p = getpwuid(getuid());
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	if (sudo && *sudo)
		(void)snprintf(ret, n, "%s (root)", sudo);
	else if (p)
		(void)snprintf(ret, n, "%s", p->pw_name);
	else
		(void)snprintf(ret, n, "uid %lu", (unsigned long)getuid());
}
