/* where.h -- where the commands that need no server keep and find things. */
#ifndef CLI_WHERE_H
#define CLI_WHERE_H

#include <stddef.h>

enum { WHERE_MAX = 4096 };

/* The embedded store: /var/lib/spanward/spanward.db for root, else $XDG_STATE_HOME/spanward/spanward.db
 * (XDG Base Directory Specification; ~/.local/state by default). 0, or -ENOENT without a home. */
int where_store(char ret[static WHERE_MAX]);
/* Makes the directories above `path`, private to the user. 0 or -errno. */
int where_make_parents(const char *path);
/* Who decides: the login name, and behind sudo the name of who called it; for the audit table. */
void where_who(char *ret, size_t n);

#endif
