#include <string.h>

#include "dissectors/dissector.h"

#define DISSECTOR(name) extern const struct dissector name##_dissector;
#include "dissectors/list.def"
#undef DISSECTOR

const struct dissector *const dissector_list[] = {
#define DISSECTOR(name) &name##_dissector,
#include "dissectors/list.def"
#undef DISSECTOR
	NULL
};

const struct dissector *dissector_find(const char *name)
{
	for (const struct dissector *const *d = dissector_list; *d; d++)
		if (!strcmp((*d)->name, name))
			return *d;
	return NULL;
}
