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
