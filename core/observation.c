#include "core/observation.h"

static const char *const observation_transports[] = { "tcp", "udp", "icmp", "other", NULL };
static const char *const observation_initiator_by[] = { "handshake", "content", "port", "first_packet", NULL };
static const char *const observation_ends[] = { "closed", "reset", "idle", "evicted", "capture", "refused", NULL };
static const char *const observation_reasons[] = { "length", "type", "syntax", "limit", "gap", "state", NULL };
static const char *const observation_user_identities[] = {
	"username", "username-passcode", "kerberos", "saml", "jwt", "other", NULL
};
static const char *const observation_commands[] = {
#define X(SYM, name, code) name,
	OBSERVATION_COMMAND_LIST(X)
#undef X
	NULL
};
static const char *const observation_releases[] = { "request", "response", NULL };
static const char *const observation_ack_codes[] = { "AA", "AE", "AR", "CA", "CE", "CR", "other", NULL };
static const char *const observation_framings[] = {
	"mllp", "mllp-no-cr", "mllp-unterminated", "unframed", "hllp", "cut", "mllp-no-vt", "datagram", "octet-counted", "lines", NULL
};

static const char *const observation_causes[] = {
#define X(SYM, name, source, reason) name,
	OBSERVATION_REJECT_LIST(X) OBSERVATION_ABORT_LIST(X)
#undef X
	"reserved", NULL
};
static const char *const observation_outcomes[] = {
	"success", "pending", "cancel", "warning", "failure", "unknown", NULL
};

static const char *const observation_encodings[] = {
	"implicit-little-endian", "explicit-little-endian", "explicit-big-endian", "deflated", "unknown", NULL
};
static const char *const observation_query_levels[] = {
	"PATIENT", "STUDY", "SERIES", "IMAGE", "FRAME", "other", NULL
};
static const char *const observation_ack_conditions[] = { "AL", "NE", "ER", "SU", "other", NULL };
static const char *const observation_device_segments[] = { "OBX-18", "PRT-10", "PRT-16", "SFT", "MSH-10", NULL };
static const char *const observation_vendor_profiles[] = {
#define X(SYM, name) name,
	OBSERVATION_VENDOR_LIST(X)
#undef X
	NULL
};
static const char *const observation_speakers[] = { "client", "server", NULL };
static const char *const observation_securities[] = {
	"none", "clear-text", "tls", "nla", "rdp-standard", "signing-off", "signing-enabled", "signing-required", "authenticated",
	"encrypted", NULL
};
static const char *const observation_logins[] = { "offered", "attempted", "accepted", "refused", NULL };
static const char *const observation_communities[] = { "public", "private", "other", "empty", NULL };

static const char *const observation_tls_versions[] = {
	"ssl2", "ssl3", "tls1.0", "tls1.1", "tls1.2", "tls1.3", "other", NULL
};
static const char *const observation_cipher_weaknesses[] = {
	"none", "null", "anonymous", "export", "rc4", "des", "3des", "no-forward-secrecy", "unknown", NULL
};
static const char *const observation_client_certificates[] = { "not-requested", "requested", "sent", "declined", NULL };
static const char *const observation_sides[] = { "client", "server", NULL };
static const char *const observation_assumed_by[] = { "port", "alpn", NULL };
static const char *const observation_validities[] = { "valid", "expired", "not-yet-valid", NULL };
static const char *const observation_key_types[] = { "rsa", "ec", "dsa", "ed25519", "ed448", "other", NULL };
static const char *const observation_signatures[] = {
	"md2-rsa", "md5-rsa", "sha1-rsa", "sha256-rsa", "sha384-rsa", "sha512-rsa", "rsa-pss", "sha1-ecdsa",
	"sha256-ecdsa", "sha384-ecdsa", "sha512-ecdsa", "ed25519", "ed448", "other", NULL
};

static const char *const observation_http_methods[] = {
	"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "other", NULL
};
static const char *const observation_http_authentications[] = {
	"none", "basic", "bearer", "digest", "negotiate", "ntlm", "other", NULL
};
static const char *const observation_http_resources[] = {
	"other", "root", "dicomweb", "fhir", "soap", "dicom-file", "program", "static", NULL
};
static const char *const observation_web_operations[] = {
	"other", "qido", "wado", "wado-metadata", "wado-rendered", "wado-bulkdata", "wado-uri", "stow", "ups", "delete",
	"capabilities", NULL
};
static const char *const observation_fhir_interactions[] = {
	"other", "read", "vread", "search", "create", "update", "patch", "delete", "history", "batch", "operation",
	"capabilities", NULL
};
static const char *const observation_preambles[] = { "mz", "elf", "mach-o", "script", "pdf", "archive", NULL };

static const struct vocab_field fields[] = {
#define FIELD(name_, KIND, max_, GRAMMAR, PRIVACY, words_, doc_)                               \
	{ .name = #name_, .name_n = sizeof(#name_) - 1, .kind = VOCAB_##KIND, .offset = offsetof(struct observation, name_), \
	  .max = max_, .grammar = VOCAB_G_##GRAMMAR, .privacy = VOCAB_##PRIVACY, .words = words_, .doc = doc_ },
#include "core/observation.def"
};

static const struct vocab_place places[VOCAB_MAX_FIELDS] = {
#define FIELD(name_, KIND, ...) { .offset = offsetof(struct observation, name_), .kind = VOCAB_##KIND, .size = sizeof(VOCAB_C_##KIND) },
#include "core/observation.def"
};

#define F(name) OBSERVATION_F_##name
#define TYPE(SYM, name, doc, ...) static const uint8_t fields_of_##SYM[] = { __VA_ARGS__ };
#include "core/observation.def"

static const struct vocab_type types[] = {
#define TYPE(SYM, name_, doc_, ...) \
	{ .name = name_, .doc = doc_, .fields = fields_of_##SYM, .n_fields = sizeof(fields_of_##SYM) },
#include "core/observation.def"
};

_Static_assert((int)OBSERVATION_FIELDS <= (int)VOCAB_MAX_FIELDS, "present[] has a bit per field");

const struct vocab observation_vocab = {
	.name = "observation",
	.version = 1,
	.rec_size = sizeof(struct observation),
	.fields = fields,
	.places = places,
	.texts = { 0
#define FIELD(name, KIND, ...) | VOCAB_TEXT_BIT(0, OBSERVATION_F_##name, KIND)
#include "core/observation.def"
	, 0
#define FIELD(name, KIND, ...) | VOCAB_TEXT_BIT(1, OBSERVATION_F_##name, KIND)
#include "core/observation.def"
	, 0
#define FIELD(name, KIND, ...) | VOCAB_TEXT_BIT(2, OBSERVATION_F_##name, KIND)
#include "core/observation.def"
	, 0
#define FIELD(name, KIND, ...) | VOCAB_TEXT_BIT(3, OBSERVATION_F_##name, KIND)
#include "core/observation.def"
	},
	.contexts = { [OBSERVATION_F_contexts / 64] = UINT64_C(1) << OBSERVATION_F_contexts % 64 },
	.n_fields = OBSERVATION_FIELDS,
	.types = types,
	.n_types = OBSERVATION_TYPES,
};
