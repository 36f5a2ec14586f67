/* sink.h -- one way out for alerts. The outbox in the store owns an alert until a sink has taken it; a
 * sink owns nothing but its socket or file. Sinks never hold up ingest: send may say -EAGAIN. */
#ifndef COLLECTOR_SINK_H
#define COLLECTOR_SINK_H

#include "collector/alert.h"

enum { SINK_SELF_MAX = 64 << 10 };

struct sink_ops {
	const char *name;               /* the word in the configuration and on the command line */
	size_t self_size;               /* zeroed block passed to every call */
	/* `target`: what follows the colon in --sink NAME:TARGET. 0 or -errno; `why` gets a line for the operator. */
	int (*open)(void *self, const char *target, char why[static 256]);
	/* 0: delivered. -EAGAIN: keep and retry. Other -errno: never will be; counted. */
	int (*send)(void *self, const struct alert *a);
	int (*poll_fd)(void *self);     /* -1 when there is nothing to wait for */
	/* The -errno for which it takes nothing now; 0: it works, or its reader is merely slow. */
	int (*trouble)(void *self);
	void (*close)(void *self);      /* also after a failed open */
};

extern const struct sink_ops *const sink_list[];        /* NULL ends */
const struct sink_ops *sink_find(const char *name);

#endif
