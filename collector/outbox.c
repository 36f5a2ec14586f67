#include "collector/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct outbox {
	const struct sink_ops *ops;
	struct store *store;
	void *self;
	char *spec;
	struct outbox_stats stats;
	uint64_t change;                /* last one that the sink took in this run; 0 none */
	size_t taken;
	bool waiting;
};

int outbox_open(const char *spec, struct store *store, struct outbox **ret, char why[static 256])
{
	char name[32];
	const char *colon = strchr(spec, ':');
	size_t n = colon ? (size_t)(colon - spec) : 0;
	if (!n || n >= sizeof(name) || !colon[1]) {
		(void)snprintf(why, 256, "sink '%s': expected NAME:TARGET", spec);
		return -EINVAL;
	}
	memcpy(name, spec, n);
	name[n] = '\0';
	const struct sink_ops *ops = sink_find(name);
	if (!ops) {
		size_t at = (size_t)snprintf(why, 256, "no sink is called '%s'; there are", name);
		for (size_t i = 0; sink_list[i] && at < 200; i++)
			at += (size_t)snprintf(why + at, 256 - at, "%s %s", i ? "," : "", sink_list[i]->name);
		return -EINVAL;
	}
	struct outbox *o = calloc(1, sizeof(*o));
	int err = -ENOMEM;
	if (!o || !(o->self = calloc(1, ops->self_size)) || !(o->spec = strdup(spec))) {
		(void)snprintf(why, 256, "memory is out");
		goto fail;
	}
	o->ops = ops;
	o->store = store;
	err = ops->open(o->self, colon + 1, why);
	if (err)
		goto fail;
	*ret = o;
	return 0;
fail:
	outbox_close(o);
	return err;
}

static int on_alert(void *arg, uint64_t change, const struct alert *a)
{
	struct outbox *o = arg;
	int err = o->ops->send(o->self, a);
	if (err == -EAGAIN) {
		o->waiting = true;
		return -EAGAIN;
	}
	if (err)
		o->stats.refused++;
	else
		o->stats.delivered++;
	o->change = change;
	o->taken++;
	return 0;
}

int outbox_run(struct outbox *o, size_t most, bool *ret_waiting)
{
	o->change = 0;
	o->taken = 0;
	o->waiting = false;
	(void)o->ops->poll_fd(o->self);         /* lets the sink look after its connection */
	int err = store_outbox(o->store, o->spec, most, on_alert, o);
	if (err == -EAGAIN && o->waiting)
		err = 0;
	if (o->change) {
		int done = store_outbox_done(o->store, o->spec, o->change);
		err = err ? err : done;
	}
	if (ret_waiting)
		*ret_waiting = o->waiting;
	return err ? err : !o->waiting && o->taken == most;
}

const struct outbox_stats *outbox_stats(const struct outbox *o) { return &o->stats; }
int outbox_trouble(const struct outbox *o) { return o->ops->trouble(o->self); }
const char *outbox_name(const struct outbox *o) { return o->spec; }

void outbox_close(struct outbox *o)
{
	if (!o)
		return;
	if (o->ops)
		o->ops->close(o->self);
	free(o->self);
	free(o->spec);
	free(o);
}
