#include "core/event.h"

static const char *const event_lanes[] = { "alerts", "telemetry", NULL };
static const char *const event_severities[] = { "info", "low", "medium", "high", "critical", NULL };
static const char *const event_confidences[] = { "low", "medium", "high", NULL };
static const char *const event_verdicts[] = {
	"declared", "undeclared", "disabled_but_used", "seen_differently", "forbidden", "unknown_device", "cannot_say",
	"never_seen", NULL
};
static const char *const event_whats[] = {
	"none", "protocol", "clear_text", "initiator", "peer", "ae_title", "listener", "internet", "loss", "one_sided",
	"midstream", "sop_class", "hl7_type", "tls_version", "role", "hl7_app", "encrypted", "router", "answer", "limit",
	"schedule", "peers", NULL
};
static const char *const event_device_by[] = { "none", "ip", "mac", "ip_vlan", "role", "dhcp", "dhcp_any", NULL };
static const char *const event_initiators[] = { "device", "peer", "unknown", NULL };
static const char *const event_transports[] = { "tcp", "udp", "icmp", "other", NULL };
static const char *const event_authorities[] = { "document", "inventory", "site", "sensor", NULL };

static const struct vocab_field fields[] = {
#define FIELD(name_, KIND, max_, GRAMMAR, PRIVACY, words_, doc_)                               \
	{ .name = #name_, .name_n = sizeof(#name_) - 1, .kind = VOCAB_##KIND, .offset = offsetof(struct event, name_), \
	  .max = max_, .grammar = VOCAB_G_##GRAMMAR, .privacy = VOCAB_##PRIVACY, .words = words_, .doc = doc_ },
#include "core/event.def"
};

static const struct vocab_place places[VOCAB_MAX_FIELDS] = {
#define FIELD(name_, KIND, ...) { .offset = offsetof(struct event, name_), .kind = VOCAB_##KIND, .size = sizeof(VOCAB_C_##KIND) },
#include "core/event.def"
};

#define F(name) EVENT_F_##name
#define TYPE(SYM, name, doc, ...) static const uint8_t fields_of_##SYM[] = { __VA_ARGS__ };
#include "core/event.def"

static const struct vocab_type types[] = {
#define TYPE(SYM, name_, doc_, ...) \
	{ .name = name_, .doc = doc_, .fields = fields_of_##SYM, .n_fields = sizeof(fields_of_##SYM) },
#include "core/event.def"
};

_Static_assert((int)EVENT_FIELDS <= 64, "texts has one word");

const struct vocab event_vocab = {
	.name = "event",
	.version = 1,
	.rec_size = sizeof(struct event),
	.fields = fields,
	.places = places,
	.texts = { 0
#define FIELD(name, KIND, ...) | VOCAB_TEXT_BIT(0, EVENT_F_##name, KIND)
#include "core/event.def"
	},
	.n_fields = EVENT_FIELDS,
	.types = types,
	.n_types = EVENT_TYPES,
};
