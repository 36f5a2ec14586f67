#include "sensor/links.h"

#include <stdio.h>
#include <string.h>

void links_open(struct links *l, const char *const *names, size_t n)
{
	*l = (struct links){ .n = n < LINKS_MAX ? n : LINKS_MAX };
	for (size_t i = 0; i < l->n; i++) {
		(void)snprintf(l->link[i].name, IF_NAMESIZE, "%s", names[i]);
		(void)snprintf(l->link[i].now, IF_NAMESIZE, "%s", names[i]);
		l->link[i].number = if_nametoindex(names[i]);
	}
}

void links_note(struct links *l, const char *const *names)
{
	for (size_t i = 0; i < l->n; i++) {
		l->link[i].number = if_nametoindex(names[i]);
		if (names[i] != l->link[i].now)
			(void)snprintf(l->link[i].now, IF_NAMESIZE, "%s", names[i]);
	}
}

void links_names(struct links *l, const char **ret)
{
	for (size_t i = 0; i < l->n; i++) {
		ret[i] = l->link[i].name;
		if (!if_nametoindex(l->link[i].name) && if_indextoname(l->link[i].number, l->link[i].now))
			ret[i] = l->link[i].now;
	}
}

enum links_news links_look(struct links *l, char ret_text[static LINKS_TEXT])
{
	for (size_t i = 0; i < l->n; i++) {
		char name[IF_NAMESIZE] = "";
		unsigned number = if_nametoindex(l->link[i].name);
		if (number && number != l->link[i].number) {
			l->link[i].number = number;
			(void)snprintf(ret_text, LINKS_TEXT, "%s is another interface than before; it is opened again", l->link[i].name);
			return LINKS_REPLACED;
		}
		if (!if_indextoname(l->link[i].number, name))
			name[0] = '\0';
		if (!strcmp(name, l->link[i].now))
			continue;
		memcpy(l->link[i].now, name, sizeof(name));
		if (!name[0]) {
			(void)snprintf(ret_text, LINKS_TEXT, "%s is gone", l->link[i].name);
			return LINKS_GONE;
		}
		(void)snprintf(ret_text, LINKS_TEXT, "%s is called %s now; it is opened again by that name", l->link[i].name, name);
		return LINKS_RENAMED;
	}
	ret_text[0] = '\0';
	return LINKS_SAME;
}
