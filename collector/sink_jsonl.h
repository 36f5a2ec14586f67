/* sink_jsonl.h -- alerts as JSON Lines (alert_json), appended to a file, or "-" for standard output. */
#ifndef COLLECTOR_SINK_JSONL_H
#define COLLECTOR_SINK_JSONL_H

#include "collector/sink.h"

extern const struct sink_ops sink_jsonl;

#endif
