/* engine_state.h -- for engine*.c only: what an engine is made of. */
#ifndef SENSOR_ENGINE_STATE_H
#define SENSOR_ENGINE_STATE_H

#include <pthread.h>

#include "core/buf.h"
#include "core/observation.h"
#include "sensor/defrag.h"
#include "sensor/detector.h"
#include "sensor/engine.h"
#include "sensor/mirror.h"
#include "sensor/shard.h"

struct item {                           /* one packet of the batch */
	struct shard_packet p;
	struct decode d;
	struct span bytes;              /* in the arena */
	uint32_t linktype, wire_len;
	uint8_t shard;                  /* NO_SHARD: nothing to follow */
	uint8_t source;                 /* file or interface, from 0; the last one is for all above it */
};

enum { NO_SHARD = 0xff };
enum { NEAR = 32 };                     /* packets decoded before the first of them goes to its shard: what a cache holds */

enum job { JOB_READY, JOB_DECODE, JOB_SHARDS, JOB_QUIT };

struct worker {
	struct engine *e;
	unsigned index;
	struct shard_out *out;
	struct stats *st;               /* [MIRROR_SOURCES]: of the packets it decoded, by source */
	uint64_t *vlans;                /* packets by VLAN, of those it decoded */
	uint64_t decoded;
	bool fragments;                 /* among the packets of this batch that it decoded */
	pthread_t thread;
};

struct engine {
	struct engine_config c;
	struct shard *shards[ENGINE_SHARDS];
	struct worker workers[ENGINE_MAX_WORKERS];
	uint8_t owner[ENGINE_SHARDS];   /* the worker of each shard */
	unsigned first;                 /* of them worker 0 has this many, the first */
	struct detector *detector;
	struct mirror *mirror;
	struct flow_hash_key hash;
	struct order *order;            /* in which dissectors are asked, for all shards */
	struct defrag *defrag;          /* the reader's too: fragments are put together between decoding and the shards */
	struct stats st;                /* the reader's own counters */

	struct item *items;
	size_t n_items;
	uint8_t *arena;

	/* Handing a batch to the workers: `turn` counts jobs, `busy` those who have not finished this one. */
	pthread_mutex_t lock;
	pthread_cond_t go, done;
	uint64_t turn;
	unsigned busy, started;
	enum job job;

	/* Packet time. */
	uint64_t watermark, leap_ts;
	uint64_t batch_ns;              /* of the first packet of the batch */
	unsigned leaps;
	uint32_t last_file;
	uint64_t seq;

	const struct policy *next_policy;
	uint64_t next_generation, generation;
	bool policy_waits;

	struct ring *ring;              /* while it runs */
	bool feed;                      /* files come one after the other while it runs */
	bool wait;                      /* files: for room in the ring */
	int err;
	uint64_t batches;
	struct vocab_scratch scratch;
	struct observation observations[OBSERVATION_TYPES];     /* one is looked at; each is kept for the next of its type */
	uint8_t *event;
	struct buf snapshot;
	uint64_t snapshot_ns;           /* when the last one was taken */
};

/* ---- engine_account.c ---- */

/* True when whoever reads the ring will find it there. */
bool engine_put(struct engine *e, enum ring_kind kind, struct span bytes);
/* All counters but the detector's, over sources, workers and shards. */
void engine_sum(struct engine *e, struct source *s, struct stats *ret);
void engine_put_progress(struct engine *e, struct source *s);
/* What a person may look at while it runs, every second or, the last one, now. */
void engine_put_snapshot(struct engine *e, struct source *s, bool last);
/* The end: of each file, all accounts and counters. */
void engine_put_results(struct engine *e, struct source *s, const struct stats *sum);
void engine_judge_mirror(struct engine *e);

#endif
