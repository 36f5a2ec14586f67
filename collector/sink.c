#include "collector/sink.h"

#include <string.h>

#include "collector/sink_jsonl.h"
#include "collector/sink_syslog.h"

const struct sink_ops *const sink_list[] = { &sink_jsonl, &sink_syslog, NULL };

const struct sink_ops *sink_find(const char *name)
{
	for (size_t i = 0; sink_list[i]; i++)
		if (!strcmp(sink_list[i]->name, name))
			return sink_list[i];
	return NULL;
}
