/* store.h -- SQLite (WAL): a durable log of batches as they came, and the tables people read, projected
 * from it in the same transaction. Schema versioned (PRAGMA user_version) with migrations in store_schema.c.
 */
#ifndef COLLECTOR_STORE_H
#define COLLECTOR_STORE_H

#include "collector/alert.h"
#include "core/frame.h"

struct store;

/* `path` (made when absent, mode 0640) or ":memory:". 0; -errno; ERR_SCHEMA when a newer version wrote it;
 * ERR_UNKNOWN_KIND when it is no store of ours. `why` has a line for the operator. */
int store_open(const char *path, struct store **ret, char why[static 256]);
void store_close(struct store *s);      /* NULL is fine */

enum store_batch { STORE_NEW, STORE_DUPLICATE, STORE_GAP, STORE_FOREIGN };
/* Commits one batch (header fields and the events in its payload) and projects it. A batch already held is
 * STORE_DUPLICATE; one that begins past the next sequence is STORE_GAP and not stored. A partly held one is
 * stored from the first new event on. One that holds another event where one is held is another sensor's (of the same id and epoch):
 * STORE_FOREIGN, and nothing of it is stored. An event that does not decode is kept in the log, counted, and skipped in the
 * projection. Returns -errno when the disk refuses: nothing of the batch is then stored. */
int store_batch(struct store *s, const struct frame *f, enum store_batch *ret);
/* Commits that a range will never come (FRAME_LOST: seq, count): the lane goes on behind it. *ret as for a batch:
 * a range already passed is a duplicate, one partly passed is committed from there on, one past the next a gap. */
int store_lost(struct store *s, const struct frame *f, enum store_batch *ret);
/* Highest committed sequence of that lane, 0 for none. */
uint64_t store_committed(struct store *s, const char *sensor, uint64_t epoch, unsigned lane);
/* Of that lane: events that did not decode and stand only in the log; sequences that were lost. */
uint64_t store_undecodable(struct store *s, const char *sensor, uint64_t epoch, unsigned lane);
uint64_t store_lost_total(struct store *s, const char *sensor, uint64_t epoch, unsigned lane);
/* Sensor's own account (heartbeat), in the order of the frame. The last one of an epoch counts. */
int store_account(struct store *s, const char *sensor, uint64_t epoch, const uint64_t v[static 6]);
int store_account_get(struct store *s, const char *sensor, uint64_t epoch, uint64_t ret[static 6]);     /* -ENOENT */
/* Directly, for replay into ":memory:": one event as the detector gave it. One that the store holds already
 * changes nothing. -EINVAL without sensor, epoch, lane and sequence. */
int store_event(struct store *s, const struct event *e);

/* Calls `row` per alert, worst first, then newest, then id; a non-zero return stops and is returned. Texts are valid in the call. */
struct store_filter { int state; /* enum alert_state, -1 all but muted and closed, -2 all */ enum event_severity at_least; };
int store_alerts(struct store *s, const struct store_filter *f, int (*row)(void *arg, const struct alert *a), void *arg);
int store_alert(struct store *s, const char *id, int (*row)(void *arg, const struct alert *a), void *arg);      /* -ENOENT */
/* People's decisions; each is appended to the audit table. until_ns 0: no end (ack, close only); past its
 * end the alert is open again. Mutes need a reason and an end after now_ns, every decision a `who`; texts are UTF-8
 * without control characters, at most 1024 bytes. A closed alert opens again when its next event comes; an
 * acknowledged or muted one stays as it is and counts. Only a muted alert can be unmuted, only an acknowledged or
 * closed one reopened: -EALREADY. -ENOENT, -EINVAL. */
enum store_action { STORE_ACK, STORE_CLOSE, STORE_MUTE, STORE_UNMUTE, STORE_REOPEN };
int store_decide(struct store *s, const char *id, enum store_action a, const char *who, const char *reason,
		 uint64_t until_ns, uint64_t now_ns);

struct store_asset {
	struct span addr, device, device_type, zone, mac, names, services, clients;    /* lists joined by ", " */
	struct span space;              /* network whose addresses overlap with others'; empty */
	uint64_t first_ns, last_ns;
};
int store_assets(struct store *s, int (*row)(void *arg, const struct store_asset *a), void *arg);
/* The audit table, oldest first; times in ns, until_ns 0: no end. */
struct store_audit { uint64_t at_ns, until_ns; struct span alert, action, before, who, reason; };
int store_audit(struct store *s, int (*row)(void *arg, const struct store_audit *a), void *arg);
/* Alerts changed since a cursor, for sinks: each sink has its own durable cursor (the outbox). Oldest change
 * first, muted ones left out; `sink` names it, target and all. */
int store_outbox(struct store *s, const char *sink, size_t most, int (*row)(void *arg, uint64_t change, const struct alert *a), void *arg);
/* How many of them that sink has not taken yet. */
int store_outbox_left(struct store *s, const char *sink, uint64_t *ret);
int store_outbox_done(struct store *s, const char *sink, uint64_t change);

#endif
