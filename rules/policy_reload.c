#include "rules/policy_reload.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/siphash.h"
#include "rules/policy_table.h"

/* Of one file. Sums of these do not depend on the order in which the directory lists them. */
static uint64_t hash_file(const char *name, const struct stat *st)
{
	static const struct siphash_key key = { 1, 2 };         /* nobody chooses file names against us */
	const uint64_t v[] = {
		(uint64_t)st->st_ino, (uint64_t)st->st_size,
		(uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec, (uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec,
		siphash_13(&key, name, strlen(name)),
	};
	return siphash_13(&key, v, sizeof(v));
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);
	return n > k && !strcmp(name + n - k, end);
}

int policy_reload_state(const char *dir, struct policy_reload_state *ret)
{
	struct policy_reload_state s = { 0 };
	DIR *d = opendir(dir);
	int err = d ? 0 : -errno;
	for (struct dirent *e; d && !err && (e = readdir(d));) {
		struct stat st;
		if (e->d_name[0] == '.' || !(ends_with(e->d_name, ".yaml") || ends_with(e->d_name, ".yml") || ends_with(e->d_name, ".csv")))
			continue;
		if (fstatat(dirfd(d), e->d_name, &st, 0)) {
			/* It was listed and is gone: that is a change, too. */
			err = errno == ENOENT ? 0 : -errno;
			s.hash++;
			continue;
		}
		uint64_t at = (uint64_t)st.st_ctim.tv_sec * CLOCK_SECOND + (uint64_t)st.st_ctim.tv_nsec;
		s.hash += hash_file(e->d_name, &st);
		s.changed_ns = at > s.changed_ns ? at : s.changed_ns;
	}
	if (d)
		(void)closedir(d);
	if (!err)
		*ret = s;
	return err;
}

const char *policy_reload_loses(const struct policy *in_force, const struct policy *next)
{
	static const struct { unsigned section; const char *what; } kinds[] = {
		{ POLICY_S_DEVICES, "units" }, { POLICY_S_TYPES, "device types" }, { POLICY_S_ROLES, "roles" },
		{ POLICY_S_ZONES, "zones" }, { POLICY_S_FORBIDS, "forbid rows" },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (in_force->s[kinds[i].section].n && !next->s[kinds[i].section].n)
			return kinds[i].what;
	return NULL;
}
