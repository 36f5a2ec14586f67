/* links.h -- the interfaces that are watched, as the kernel numbers them (netdevice(7)).
 *
 * A packet socket is bound to a number, not to a name. A link that goes down and up keeps both; one that is renamed keeps
 * its number and its packets; one that is deleted and made anew has a new number, and the socket sees nothing
 * any more: then the capture has to be opened again.
 */
#ifndef SENSOR_LINKS_H
#define SENSOR_LINKS_H

#include <net/if.h>
#include <stddef.h>

enum { LINKS_MAX = 16, LINKS_TEXT = 160 };

struct links {
	size_t n;                       /* 0: nothing is watched */
	struct { char name[IF_NAMESIZE], now[IF_NAMESIZE]; unsigned number; } link[LINKS_MAX];       /* now: "" when it is gone */
};

enum links_news { LINKS_SAME, LINKS_GONE, LINKS_RENAMED, LINKS_REPLACED };

/* Notes the numbers that the names have now; at most LINKS_MAX. */
void links_open(struct links *l, const char *const *names, size_t n);
/* They were opened by these names: what they have now is not news. */
void links_note(struct links *l, const char *const *names);
/* The names to open them by again: the name asked for, or the one that interface has now. `ret` has room for l->n; they live as
 * long as *l, until the next look. */
void links_names(struct links *l, const char **ret);
/* The first change since the last look, in words for the log; call until LINKS_SAME. REPLACED: another interface has a name that
 * is to be watched. */
enum links_news links_look(struct links *l, char ret_text[static LINKS_TEXT]);

#endif
