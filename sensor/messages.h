/* messages.h -- what HL7 messages and orders were seen before, and from whom: replays, changed orders, missing answers.
 *
 * Tables of fixed size; what was used longest ago gives way. Fed by one thread in the order of observations, so what is
 * said does not depend on the number of workers. Holds tokens, hashes and control ids, nothing of a patient.
 *
 * Control ids and order numbers are compared per receiver: an interface engine passes messages on unchanged, and a result
 * carries the number of its order back to the sender.
 */
#ifndef SENSOR_MESSAGES_H
#define SENSOR_MESSAGES_H

#include <stdbool.h>

#include "core/observation.h"
#include "core/siphash.h"

enum messages_what {
	MESSAGES_NOTHING,               /* new, or the same again from its sender before it was answered: a resend (2.10.1) */
	/* The control id of a message that was answered positively comes again to the same receiver, for the same sending
	 * application: from another address, or on the same connection with other content. */
	MESSAGES_REPLAY,
	/* An order number comes again, in the same type of message to the same receiver, with other content and from another
	 * address. A change by whoever placed the order is none. */
	MESSAGES_ORDER_CHANGED,
};

enum { MESSAGES_ENTRIES = 1 << 14, MESSAGES_WAITING = 1 << 12 };
#define MESSAGES_WINDOW_NS UINT64_C(86400000000000)     /* ids are reused, after a day at the earliest by most */
#define MESSAGES_ANSWER_NS UINT64_C(300000000000)       /* answers take seconds; interface engines give up after minutes */

struct messages_unanswered {
	struct endpoint src, dst;       /* of the message */
	uint64_t flow, ts_ns, packet, file;
	struct span control_id;         /* until the next call */
	char space[16];                 /* network of its hosts; empty: the ordinary one */
};

struct messages;

size_t messages_bytes(void);                                    /* what one takes */
struct messages *messages_new(const struct siphash_key *key);   /* NULL on ENOMEM */
void messages_free(struct messages *m);                         /* NULL is fine */
/* Whether messages_take() has anything to do with it. */
static inline bool messages_takes(const struct observation *o)
{
	return o->head.type == OBSERVATION_HL7_MESSAGE || o->head.type == OBSERVATION_HL7_ACK ||
	       o->head.type == OBSERVATION_HL7_COMMIT || o->head.type == OBSERVATION_HL7_ORDER;
}
/* An hl7.* observation; others are passed over. */
enum messages_what messages_take(struct messages *m, const struct observation *o);
/* The next message that has waited for MESSAGES_ANSWER_NS, on a connection where others were answered: where nothing ever
 * is, nobody can say whether the answers or the tap are missing. False when there is none. */
bool messages_overdue(struct messages *m, uint64_t watermark_ns, struct messages_unanswered *ret);
/* Entries that made room for others. */
uint64_t messages_evicted(const struct messages *m);

#endif
