/* event.h -- what leaves the sensor; generated from event.def. Numbered by the detector alone. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "core/vocab.h"

enum event_field {
#define FIELD(name, ...) EVENT_F_##name,
#include "core/event.def"
	EVENT_FIELDS
};

enum event_type {
#define TYPE(SYM, ...) EVENT_##SYM,
#include "core/event.def"
	EVENT_TYPES
};

struct event {
	struct vocab_head head;
#define FIELD(name, KIND, ...) VOCAB_C_##KIND name;
#include "core/event.def"
};

/* Values of the WORD fields, in table order (see event.c). */
enum event_lane { EVENT_LANE_ALERTS, EVENT_LANE_TELEMETRY, EVENT_LANES };
enum event_severity { EVENT_INFO, EVENT_LOW, EVENT_MEDIUM, EVENT_HIGH, EVENT_CRITICAL };
enum event_confidence { EVENT_CONFIDENCE_LOW, EVENT_CONFIDENCE_MEDIUM, EVENT_CONFIDENCE_HIGH };
enum event_verdict {
	EVENT_DECLARED, EVENT_UNDECLARED, EVENT_DISABLED_BUT_USED, EVENT_SEEN_DIFFERENTLY, EVENT_FORBIDDEN,
	EVENT_UNKNOWN_DEVICE, EVENT_CANNOT_SAY, EVENT_NEVER_SEEN, EVENT_VERDICTS
};
enum event_what {
	EVENT_WHAT_NONE, EVENT_WHAT_PROTOCOL, EVENT_WHAT_CLEAR_TEXT, EVENT_WHAT_INITIATOR, EVENT_WHAT_PEER,
	EVENT_WHAT_AE_TITLE, EVENT_WHAT_LISTENER, EVENT_WHAT_INTERNET, EVENT_WHAT_LOSS, EVENT_WHAT_ONE_SIDED,
	EVENT_WHAT_MIDSTREAM, EVENT_WHAT_SOP_CLASS, EVENT_WHAT_HL7_TYPE,
	EVENT_WHAT_TLS_VERSION, EVENT_WHAT_ROLE, EVENT_WHAT_HL7_APP, EVENT_WHAT_ENCRYPTED, EVENT_WHAT_ROUTER,
	EVENT_WHAT_ANSWER, EVENT_WHAT_LIMIT, EVENT_WHAT_SCHEDULE, EVENT_WHAT_PEERS, EVENT_WHATS
};
enum event_device_by { EVENT_BY_NOTHING, EVENT_BY_IP, EVENT_BY_MAC, EVENT_BY_IP_VLAN, EVENT_BY_ROLE,
	/* a lease of the site's server; of any server, where the site names none: weaker */
	EVENT_BY_DHCP, EVENT_BY_DHCP_ANY };
enum event_initiator { EVENT_INITIATOR_DEVICE, EVENT_INITIATOR_PEER, EVENT_INITIATOR_UNKNOWN };
enum event_authority {
	EVENT_AUTH_DOCUMENT, EVENT_AUTH_INVENTORY, EVENT_AUTH_SITE, EVENT_AUTH_SENSOR
};

extern const struct vocab event_vocab;

static inline bool event_has(const struct event *e, enum event_field f) { return vocab_has(&e->head, f); }

static inline void event_unset(struct event *e, enum event_field f) { vocab_unset(&event_vocab, &e->head, f); }

static inline void event_uint(struct event *e, enum event_field f, uint64_t v)
{
	vocab_set_uint(&event_vocab, &e->head, f, v);
}

static inline bool event_text(struct event *e, enum event_field f, struct span s)
{
	return vocab_set_text(&event_vocab, &e->head, f, s);
}

#endif
