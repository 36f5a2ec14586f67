/* alert.h -- events folded into alerts: what a person is asked to look at.
 *
 * Fingerprint = rule + device + peer class + transport + service port. The alert id is the first 16 hex
 * digits of SHA-256 over those, so a replay and a collector give the same id for the same finding.
 */
#ifndef COLLECTOR_ALERT_H
#define COLLECTOR_ALERT_H

#include "core/event.h"

enum { ALERT_ID_LEN = 16, ALERT_EVENT_MAX = 4096 };

enum alert_state { ALERT_OPEN, ALERT_ACKNOWLEDGED, ALERT_CLOSED, ALERT_MUTED };

struct alert {
	char id[ALERT_ID_LEN + 1];
	enum alert_state state;
	uint64_t first_ns, last_ns;     /* packet time of the first and last event */
	uint64_t until_ns;              /* of the decision that made the state; 0: no end */
	uint64_t count;                 /* sum of the events' counts */
	enum event_severity severity;   /* the worst seen */
	struct event event;             /* the first event: who, what, authority. Texts borrow (see the giver) */
};

/* An alert of one event; false when it has no fingerprint. The event's texts are borrowed. */
bool alert_from(const struct event *e, struct alert *ret);
/* The fingerprint's id. Only events of the alerts lane have one; false for others. */
bool alert_id(const struct event *e, char ret[static ALERT_ID_LEN + 1]);
/* "open", "acknowledged", "closed", "muted"; NULL past the table. */
const char *alert_state_word(enum alert_state s);
/* Takes a later event of the same fingerprint in: times, count, the worst severity. True when `event` changed: the peers are
 * several hosts of one class, and no single one is named any more. */
bool alert_fold(struct alert *a, const struct event *e);
/* One JSON object: "id", "state", "until" (when the state ends, if it does), "first", "last", "count", "severity"
 * (the worst seen), "type", then the event's
 * other fields in the event table's order without sensor, epoch, lane, seq, ts, ts_first, count, flow, packet, file, generation; then
 * "explain_en" and "explain_ja". Deterministic. 0 or -ENOBUFS. */
int alert_json(const struct alert *a, struct buf *out);

#endif
