#include "collector/outlets.h"

#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"

#define SAY_AGAIN_NS (60 * CLOCK_SECOND)        /* a log server that is away all night makes one line a minute at most */

int outlets_open(struct outlets *o, const char *const *specs, size_t n, struct store *store, char why[static 256])
{
	*o = (struct outlets){ .store = store };
	for (size_t i = 0; i < n && i < OUTLETS_MAX; i++) {
		int err = outbox_open(specs[i], store, &o->box[i], why);
		if (err)
			return err;
		o->n++;
	}
	return 0;
}

/* A failure is said when it begins, its end when it ends; a sink that comes and goes is not said each time. */
static void say(struct outlets *o, size_t i, int trouble)
{
	uint64_t now = clock_mono_ns();
	if (!trouble == !o->state[i].failing || (o->state[i].told_ns && now - o->state[i].told_ns < SAY_AGAIN_NS && trouble))
		return;
	o->state[i].failing = trouble != 0;
	o->state[i].told_ns = now;
	if (trouble)
		log_error("sink %s fails: %s; alerts wait in the store and are sent when it works again", outbox_name(o->box[i]),
			  err_text(trouble));
	else
		log_info("sink %s works again", outbox_name(o->box[i]));
}

bool outlets_run(struct outlets *o, size_t most, bool *ret_more)
{
	bool all = true;
	*ret_more = false;
	for (size_t i = 0; i < o->n; i++) {
		bool waiting = false;
		int r = outbox_run(o->box[i], most, &waiting);
		if (r > 0)
			*ret_more = true;
		say(o, i, r < 0 ? r : outbox_trouble(o->box[i]));
		all = all && !r && !waiting;
	}
	return all;
}

uint64_t outlets_left(struct outlets *o)
{
	uint64_t all = 0;
	for (size_t i = 0; i < o->n; i++) {
		const struct outbox_stats *s = outbox_stats(o->box[i]);
		uint64_t left = 0;
		int err = store_outbox_left(o->store, outbox_name(o->box[i]), &left), trouble = outbox_trouble(o->box[i]);
		if (err)
			log_error("sink %s: what waits for it cannot be counted: %s", outbox_name(o->box[i]), err_text(err));
		else if (left)
			log_warn("sink %s: %llu alerts wait%s%s; the next run with the same sink and store sends them",
				 outbox_name(o->box[i]), (unsigned long long)left, trouble ? ": " : "", trouble ? err_text(trouble) : "");
		if (s->refused)
			log_warn("sink %s: %llu alerts could not be put into its form and were left out", outbox_name(o->box[i]),
				 (unsigned long long)s->refused);
		all += left;
	}
	return all;
}

void outlets_close(struct outlets *o)
{
	for (size_t i = 0; i < o->n; i++)
		outbox_close(o->box[i]);
	o->n = 0;
}
