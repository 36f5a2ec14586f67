/* engine.h -- the packet pipeline: source -> decode -> defragmentation -> 64 logical shards on N workers -> detector -> ring.
 *
 * Packets are read in batches of a fixed number (files) or of what is there (live); a packet belongs to
 * shard = symmetric keyed hash of its flow & 63, and workers own whole shards, each with
 * a fixed share of every budget. Workers write encoded observations tagged with the packet that made them;
 * after each batch the detector takes them in (packet, shard, order) order. So the records in the ring do
 * not depend on the number of workers. Timers run on the watermark at batch boundaries.
 */
#ifndef SENSOR_ENGINE_H
#define SENSOR_ENGINE_H

#include "core/siphash.h"
#include "rules/policy.h"
#include "sensor/ring.h"
#include "sensor/source.h"
#include "sensor/spaces.h"

enum { ENGINE_MEMORY_MIN = 64 << 20 };  /* what an engine of one worker can do with; each further one takes 38 MiB */
enum { ENGINE_SHARDS = 64, ENGINE_MAX_WORKERS = 16, ENGINE_BATCH = 512 };

struct engine_config {
	const char *sensor;             /* id in events */
	uint64_t epoch;
	unsigned workers;               /* 1 .. ENGINE_MAX_WORKERS */
	struct siphash_key key;         /* fixed in replay, random where a sensor watches */
	/* For what leaves as a token (core/token.h): the site's; fixed in replay; random where a sensor watches and the site gives none. */
	struct siphash_key tokens;
	size_t flows;                   /* all shards together; rounded up to shards */
	size_t stream_bytes;            /* held and out-of-order stream bytes, all shards together */
	size_t probes;                  /* flows being probed at a time, all shards together */
	size_t states;                  /* flows being dissected at a time, all shards together */
	size_t fragments;               /* datagrams being put together at a time; 64 KiB each, touched as used */
	size_t assets, folds;
	bool ndpi;                      /* ask nDPI about flows that nothing of ours knows (sensor/guess.h) */
	size_t guesses;                 /* so many at a time, all shards together */
	/* All of that, and what the engine takes beside it, within so many bytes (engine_budget); 0: what the numbers above come to. */
	size_t memory;
	struct spaces spaces;           /* networks whose addresses overlap */
	uint64_t tcp_idle_ns, udp_idle_ns, half_open_ns, fold_ns;
	unsigned restarts;              /* live: how often an engine before this one ended with its interface; its flows are forgotten */
	bool unsandboxed;               /* a sensor that was started without its sandbox says so in an event */
	bool observations;              /* put RING_OBSERVATION records too */
	bool flow_events;               /* emit an event of family `flow` per flow */
};

/* Generous defaults for a 10,000-device hospital within 512 MiB. */
void engine_defaults(struct engine_config *c);

struct engine;

/* What engine_new takes for this, to the last table. Beside it an engine has its source's buffers (1.5 MiB, a file of
 * several 0.6; live: the kernel's ring), the policy's table and the ring to the publisher. */
size_t engine_bytes(const struct engine_config *c);
/* Makes the tables as large as fit into so many bytes, in the proportions they have. -ENOMEM: too few even for the smallest,
 * nothing is changed. */
int engine_budget(struct engine_config *c, size_t bytes);
/* Takes all memory and starts no thread. NULL on ENOMEM. */
struct engine *engine_new(const struct engine_config *c);
/* Starts the workers (before the strict sandbox). 0 or -errno. */
int engine_start(struct engine *e);
/* The first policy, or a new one: adopted at the next batch boundary. The table must outlive the engine's
 * use of it: engine_policy_current() says which generation is in force. May be called between batches by `poll`. */
void engine_policy(struct engine *e, const struct policy *p, uint64_t generation);
/* A new one was not taken, and why: said as an event. Between batches, too. */
void engine_policy_kept(struct engine *e, const char *why);
uint64_t engine_policy_current(const struct engine *e); /* 0: none */
/* Runs until the source ends or `poll` returns non-zero. `poll` is called at every batch boundary (control
 * messages, shutdown). Puts RING_FILE_RESULT, RING_STATS and RING_END at the end. 0 or -errno / -EPIPE. */
int engine_run(struct engine *e, struct source *s, struct ring *out, int (*poll)(void *arg), void *arg);
void engine_free(struct engine *e);     /* joins the workers; NULL is fine */

#endif
