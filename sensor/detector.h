/* detector.h -- observations in packet order in, numbered events out. The only place that numbers events.
 *
 * It knows who is where (asset table), asks the policy, remembers what it has said (folding repeats), and
 * says what the engine lost. One thread; all memory is taken at start; full tables evict, count and say so.
 */
#ifndef SENSOR_DETECTOR_H
#define SENSOR_DETECTOR_H

#include <stdbool.h>

#include "core/event.h"
#include "core/observation.h"
#include "core/siphash.h"
#include "rules/policy.h"
#include "sensor/mirror.h"
#include "sensor/stats.h"

/* Room for an encoded event kept so that its repeats can be told; the longest fits (detector_test.c). */
enum { DETECTOR_TEMPLATE_MAX = 1280 };

/* A week: what happens on one day of it only, a backup at the weekend, is seen. */
#define DETECTOR_NEVER_SEEN_NS (UINT64_C(7) * 24 * 3600 * 1000000000)

struct spaces;

struct detector_config {
	const char *sensor;             /* sensor id; kept */
	uint64_t epoch;
	size_t assets, folds;           /* table sizes, entries */
	uint64_t fold_ns;               /* repeats within this are one event with a count */
	uint64_t never_seen_ns;         /* rows not used for so long are said, of units that were seen; 0: DETECTOR_NEVER_SEEN_NS */
	bool flow_events;               /* emit an event of family `flow` per flow */
	const struct spaces *spaces;    /* kept, may be NULL: there are none */
	struct siphash_key key;         /* of its tables: what they hold is chosen by whoever is on the wire */
	struct mirror *mirror;          /* told of ended TCP flows; kept, may be NULL */
	void (*emit)(void *arg, const struct event *e);
	void *arg;
};

struct detector;

struct detector *detector_new(const struct detector_config *c);        /* NULL on ENOMEM */
size_t detector_bytes(const struct detector_config *c);                 /* what detector_new takes, all of it */
void detector_free(struct detector *d);                                 /* NULL is fine */
/* From here on this policy judges; NULL: none (assets and flows only). Emits sensor.policy. */
void detector_policy(struct detector *d, const struct policy *p, uint64_t generation, uint64_t now_ns);
/* A new policy was not taken, and why (at most 160 bytes): the one before judges on. Emits sensor.policy_kept. */
void detector_policy_kept(struct detector *d, struct span why, uint64_t now_ns);
/* An engine before this one ended with its interface: what it knew of flows is gone. Emits sensor.restart. */
void detector_restarted(struct detector *d, unsigned restarts, uint64_t now_ns);
/* Somebody typed --no-sandbox. Emits sensor.no_sandbox. */
void detector_unsandboxed(struct detector *d, uint64_t now_ns);
/* May lend `o` what is known of its ends, and take away what proves nothing; what it adds is marked as present. */
void detector_observe(struct detector *d, struct observation *o);
/* Packet time has come this far: repeat counters that are due are flushed. */
void detector_tick(struct detector *d, uint64_t watermark_ns);
/* What the mirror came to do (sensor/mirror.h): an event of family `sensor`. */
void detector_mirror(struct detector *d, enum mirror_finding f, uint32_t source, uint64_t value, uint64_t ts_ns);
/* What the detector itself counted (events, evictions), for the engine's sum. */
const struct stats *detector_stats(const struct detector *d);
/* End of capture: flushes repeats, says every loss counter that is not 0, and which hosts lost bytes, flows or the reading of
 * flows (sensor/losses.h); while it runs detector_tick says of which hosts that has grown, once per fold time. */
void detector_finish(struct detector *d, const struct stats *s, uint64_t watermark_ns);

#endif
