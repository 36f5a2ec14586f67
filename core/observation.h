/* observation.h -- what a dissector or the engine says it saw; generated from observation.def.
 *
 * Texts are spans into packet or stream memory: an observation lives until the call it is
 * handed to returns, and is encoded there if it must live longer.
 */
#ifndef CORE_OBSERVATION_H
#define CORE_OBSERVATION_H

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "core/vocab.h"

enum observation_field {
#define FIELD(name, ...) OBSERVATION_F_##name,
#include "core/observation.def"
	OBSERVATION_FIELDS
};

enum observation_type {
#define TYPE(SYM, ...) OBSERVATION_##SYM,
#include "core/observation.def"
	OBSERVATION_TYPES
};

struct observation {
	struct vocab_head head;
#define FIELD(name, KIND, ...) VOCAB_C_##KIND name;
#include "core/observation.def"
};

/* Values of the WORD fields, in table order (see observation.c). */
enum { OBSERVATION_TCP, OBSERVATION_UDP, OBSERVATION_ICMP, OBSERVATION_OTHER };
enum { OBSERVATION_BY_HANDSHAKE, OBSERVATION_BY_CONTENT, OBSERVATION_BY_PORT, OBSERVATION_BY_FIRST_PACKET };
enum { OBSERVATION_END_CLOSED, OBSERVATION_END_RESET, OBSERVATION_END_IDLE, OBSERVATION_END_EVICTED,
       OBSERVATION_END_CAPTURE, OBSERVATION_END_REFUSED };
enum { OBSERVATION_LENGTH, OBSERVATION_TYPE_CODE, OBSERVATION_SYNTAX, OBSERVATION_LIMIT, OBSERVATION_GAP,
       OBSERVATION_STATE };
enum { OBSERVATION_UI_USERNAME, OBSERVATION_UI_PASSCODE, OBSERVATION_UI_KERBEROS, OBSERVATION_UI_SAML,
       OBSERVATION_UI_JWT, OBSERVATION_UI_OTHER };
enum {
#define OBSERVATION_COMMAND_LIST(X)                                                                             \
	X(C_STORE_RQ, "C-STORE-RQ", 0x0001) X(C_STORE_RSP, "C-STORE-RSP", 0x8001)                               \
	X(C_GET_RQ, "C-GET-RQ", 0x0010) X(C_GET_RSP, "C-GET-RSP", 0x8010)                                       \
	X(C_FIND_RQ, "C-FIND-RQ", 0x0020) X(C_FIND_RSP, "C-FIND-RSP", 0x8020)                                   \
	X(C_MOVE_RQ, "C-MOVE-RQ", 0x0021) X(C_MOVE_RSP, "C-MOVE-RSP", 0x8021)                                   \
	X(C_ECHO_RQ, "C-ECHO-RQ", 0x0030) X(C_ECHO_RSP, "C-ECHO-RSP", 0x8030)                                   \
	X(N_EVENT_REPORT_RQ, "N-EVENT-REPORT-RQ", 0x0100) X(N_EVENT_REPORT_RSP, "N-EVENT-REPORT-RSP", 0x8100)   \
	X(N_GET_RQ, "N-GET-RQ", 0x0110) X(N_GET_RSP, "N-GET-RSP", 0x8110)                                       \
	X(N_SET_RQ, "N-SET-RQ", 0x0120) X(N_SET_RSP, "N-SET-RSP", 0x8120)                                       \
	X(N_ACTION_RQ, "N-ACTION-RQ", 0x0130) X(N_ACTION_RSP, "N-ACTION-RSP", 0x8130)                           \
	X(N_CREATE_RQ, "N-CREATE-RQ", 0x0140) X(N_CREATE_RSP, "N-CREATE-RSP", 0x8140)                           \
	X(N_DELETE_RQ, "N-DELETE-RQ", 0x0150) X(N_DELETE_RSP, "N-DELETE-RSP", 0x8150)                           \
	X(C_CANCEL_RQ, "C-CANCEL-RQ", 0x0fff) X(UNKNOWN, "unknown", 0)
#define X(SYM, name, code) OBSERVATION_##SYM,
	OBSERVATION_COMMAND_LIST(X)
#undef X
	OBSERVATION_COMMANDS
};
enum { OBSERVATION_RELEASE_RQ, OBSERVATION_RELEASE_RP };
/* X(SYMBOL, name, source, reason): PS3.8 Tables 9-21 and 9-26. Other pairs are "reserved". */
#define OBSERVATION_REJECT_LIST(X)                                                                              \
	X(REJECT_NO_REASON, "no-reason-given", 1, 1)                                                            \
	X(REJECT_APPLICATION_CONTEXT, "application-context-name-not-supported", 1, 2)                           \
	X(REJECT_CALLING_AE, "calling-ae-title-not-recognized", 1, 3)                                           \
	X(REJECT_CALLED_AE, "called-ae-title-not-recognized", 1, 7)                                             \
	X(REJECT_ACSE_NO_REASON, "acse-no-reason-given", 2, 1)                                                  \
	X(REJECT_PROTOCOL_VERSION, "protocol-version-not-supported", 2, 2)                                      \
	X(REJECT_CONGESTION, "temporary-congestion", 3, 1)                                                      \
	X(REJECT_LOCAL_LIMIT, "local-limit-exceeded", 3, 2)
#define OBSERVATION_ABORT_LIST(X)                                                                               \
	X(ABORT_USER, "service-user", 0, 0)                                                                     \
	X(ABORT_NOT_SPECIFIED, "reason-not-specified", 2, 0)                                                    \
	X(ABORT_UNRECOGNIZED_PDU, "unrecognized-pdu", 2, 1)                                                     \
	X(ABORT_UNEXPECTED_PDU, "unexpected-pdu", 2, 2)                                                         \
	X(ABORT_UNRECOGNIZED_PARAMETER, "unrecognized-pdu-parameter", 2, 4)                                     \
	X(ABORT_UNEXPECTED_PARAMETER, "unexpected-pdu-parameter", 2, 5)                                         \
	X(ABORT_INVALID_PARAMETER, "invalid-pdu-parameter-value", 2, 6)
enum {
#define X(SYM, name, source, reason) OBSERVATION_##SYM,
	OBSERVATION_REJECT_LIST(X) OBSERVATION_ABORT_LIST(X)
#undef X
	OBSERVATION_CAUSE_RESERVED
};
enum { OBSERVATION_SUCCESS, OBSERVATION_PENDING, OBSERVATION_CANCEL, OBSERVATION_WARNING, OBSERVATION_FAILURE,
       OBSERVATION_OUTCOME_UNKNOWN };
enum { OBSERVATION_ENCODING_IMPLICIT, OBSERVATION_ENCODING_EXPLICIT, OBSERVATION_ENCODING_BIG_ENDIAN,
       OBSERVATION_ENCODING_DEFLATED, OBSERVATION_ENCODING_UNKNOWN };
enum { OBSERVATION_LEVEL_PATIENT, OBSERVATION_LEVEL_STUDY, OBSERVATION_LEVEL_SERIES, OBSERVATION_LEVEL_IMAGE,
       OBSERVATION_LEVEL_FRAME, OBSERVATION_LEVEL_OTHER };
enum { OBSERVATION_AA, OBSERVATION_AE, OBSERVATION_AR, OBSERVATION_CA, OBSERVATION_CE, OBSERVATION_CR,
       OBSERVATION_ACK_OTHER };
enum { OBSERVATION_MLLP, OBSERVATION_MLLP_NO_CR, OBSERVATION_MLLP_UNTERMINATED, OBSERVATION_UNFRAMED,
       OBSERVATION_HLLP, OBSERVATION_CUT, OBSERVATION_MLLP_NO_VT, OBSERVATION_DATAGRAM,
       OBSERVATION_OCTET_COUNTED, OBSERVATION_LINES };
/* MSH-15 and MSH-16: table 0155. */
enum { OBSERVATION_ACK_ALWAYS, OBSERVATION_ACK_NEVER, OBSERVATION_ACK_ON_ERROR, OBSERVATION_ACK_ON_SUCCESS,
       OBSERVATION_ACK_CONDITION_OTHER };
enum { OBSERVATION_DEVICE_OBX_18, OBSERVATION_DEVICE_PRT_10, OBSERVATION_DEVICE_PRT_16, OBSERVATION_DEVICE_SFT,
       OBSERVATION_DEVICE_MSH_10 };
/* Whose HL7: what tells them apart is in dissectors/hl7_vendor.c. */
#define OBSERVATION_VENDOR_LIST(X)                                                                              \
	X(MINDRAY_EGATEWAY, "mindray-egateway") X(MINDRAY_PDS, "mindray-pds")                                   \
	X(MINDRAY_ANALYZER, "mindray-analyzer") X(PHILIPS_EFFICIA, "philips-efficia")                           \
	X(PHILIPS_MDIL, "philips-mdil") X(NIHON_KOHDEN, "nihon-kohden")
enum {
#define X(SYM, name) OBSERVATION_VENDOR_##SYM,
	OBSERVATION_VENDOR_LIST(X)
#undef X
	OBSERVATION_VENDORS
};
enum { OBSERVATION_TLS_SSL2, OBSERVATION_TLS_SSL3, OBSERVATION_TLS_10, OBSERVATION_TLS_11, OBSERVATION_TLS_12,
       OBSERVATION_TLS_13, OBSERVATION_TLS_OTHER };
enum { OBSERVATION_CIPHER_FINE, OBSERVATION_CIPHER_NULL, OBSERVATION_CIPHER_ANONYMOUS, OBSERVATION_CIPHER_EXPORT,
       OBSERVATION_CIPHER_RC4, OBSERVATION_CIPHER_DES, OBSERVATION_CIPHER_3DES,
       OBSERVATION_CIPHER_NO_FORWARD_SECRECY, OBSERVATION_CIPHER_UNKNOWN };
enum { OBSERVATION_CLIENT_CERTIFICATE_NOT_REQUESTED, OBSERVATION_CLIENT_CERTIFICATE_REQUESTED,
       OBSERVATION_CLIENT_CERTIFICATE_SENT, OBSERVATION_CLIENT_CERTIFICATE_DECLINED };
enum { OBSERVATION_FROM_CLIENT, OBSERVATION_FROM_SERVER };
enum { OBSERVATION_ASSUMED_PORT, OBSERVATION_ASSUMED_ALPN };
enum { OBSERVATION_VALIDITY_VALID, OBSERVATION_VALIDITY_EXPIRED, OBSERVATION_VALIDITY_NOT_YET };
enum { OBSERVATION_KEY_RSA, OBSERVATION_KEY_EC, OBSERVATION_KEY_DSA, OBSERVATION_KEY_ED25519, OBSERVATION_KEY_ED448,
       OBSERVATION_KEY_OTHER };
enum { OBSERVATION_SIGNATURE_MD2_RSA, OBSERVATION_SIGNATURE_MD5_RSA, OBSERVATION_SIGNATURE_SHA1_RSA,
       OBSERVATION_SIGNATURE_SHA256_RSA, OBSERVATION_SIGNATURE_SHA384_RSA, OBSERVATION_SIGNATURE_SHA512_RSA,
       OBSERVATION_SIGNATURE_PSS, OBSERVATION_SIGNATURE_SHA1_ECDSA, OBSERVATION_SIGNATURE_SHA256_ECDSA,
       OBSERVATION_SIGNATURE_SHA384_ECDSA, OBSERVATION_SIGNATURE_SHA512_ECDSA, OBSERVATION_SIGNATURE_ED25519,
       OBSERVATION_SIGNATURE_ED448, OBSERVATION_SIGNATURE_OTHER };
enum { OBSERVATION_HTTP_GET, OBSERVATION_HTTP_HEAD, OBSERVATION_HTTP_POST, OBSERVATION_HTTP_PUT, OBSERVATION_HTTP_DELETE,
       OBSERVATION_HTTP_OPTIONS, OBSERVATION_HTTP_PATCH, OBSERVATION_HTTP_TRACE, OBSERVATION_HTTP_CONNECT,
       OBSERVATION_HTTP_OTHER };
enum { OBSERVATION_HTTP_AUTH_NONE, OBSERVATION_HTTP_AUTH_BASIC, OBSERVATION_HTTP_AUTH_BEARER, OBSERVATION_HTTP_AUTH_DIGEST,
       OBSERVATION_HTTP_AUTH_NEGOTIATE, OBSERVATION_HTTP_AUTH_NTLM, OBSERVATION_HTTP_AUTH_OTHER };
enum { OBSERVATION_RESOURCE_OTHER, OBSERVATION_RESOURCE_ROOT, OBSERVATION_RESOURCE_DICOMWEB, OBSERVATION_RESOURCE_FHIR,
       OBSERVATION_RESOURCE_SOAP, OBSERVATION_RESOURCE_DICOM_FILE, OBSERVATION_RESOURCE_PROGRAM,
       OBSERVATION_RESOURCE_STATIC };
enum { OBSERVATION_WEB_OTHER, OBSERVATION_WEB_QIDO, OBSERVATION_WEB_RETRIEVE, OBSERVATION_WEB_METADATA,
       OBSERVATION_WEB_RENDERED, OBSERVATION_WEB_BULKDATA, OBSERVATION_WEB_WADO_URI, OBSERVATION_WEB_STOW,
       OBSERVATION_WEB_UPS, OBSERVATION_WEB_DELETE, OBSERVATION_WEB_CAPABILITIES };
enum { OBSERVATION_FHIR_OTHER, OBSERVATION_FHIR_READ, OBSERVATION_FHIR_VREAD, OBSERVATION_FHIR_SEARCH,
       OBSERVATION_FHIR_CREATE, OBSERVATION_FHIR_UPDATE, OBSERVATION_FHIR_PATCH, OBSERVATION_FHIR_DELETE,
       OBSERVATION_FHIR_HISTORY, OBSERVATION_FHIR_BATCH, OBSERVATION_FHIR_OPERATION, OBSERVATION_FHIR_CAPABILITIES };
enum { OBSERVATION_PREAMBLE_MZ, OBSERVATION_PREAMBLE_ELF, OBSERVATION_PREAMBLE_MACHO, OBSERVATION_PREAMBLE_SCRIPT,
       OBSERVATION_PREAMBLE_PDF, OBSERVATION_PREAMBLE_ZIP };
enum { OBSERVATION_CLIENT, OBSERVATION_SERVER };
enum { OBSERVATION_SECURITY_NONE, OBSERVATION_CLEAR_TEXT, OBSERVATION_TLS, OBSERVATION_NLA, OBSERVATION_RDP_STANDARD,
       OBSERVATION_SIGNING_OFF, OBSERVATION_SIGNING_ENABLED, OBSERVATION_SIGNING_REQUIRED, OBSERVATION_AUTHENTICATED,
       OBSERVATION_ENCRYPTED };
enum { OBSERVATION_LOGIN_OFFERED, OBSERVATION_LOGIN_ATTEMPTED, OBSERVATION_LOGIN_ACCEPTED, OBSERVATION_LOGIN_REFUSED };
enum { OBSERVATION_COMMUNITY_PUBLIC, OBSERVATION_COMMUNITY_PRIVATE, OBSERVATION_COMMUNITY_OTHER, OBSERVATION_COMMUNITY_EMPTY };

extern const struct vocab observation_vocab;

static inline bool observation_has(const struct observation *o, enum observation_field f)
{
	return vocab_has(&o->head, f);
}

/* Begins an observation by its head alone: a field that is not present is garbage. Two kilobytes need not be cleared for the ten
 * fields that one has. */
static inline void observation_begin(struct observation *o, enum observation_type type)
{
	o->head = (struct vocab_head){ .type = (uint16_t)type };
}

/* Where a field lies and what it admits: with a field that the compiler knows, setting it is two moves. */
static const struct { uint16_t offset, max; uint8_t grammar; } observation_places[] = {
#define FIELD(name, KIND, max, GRAMMAR, ...) { offsetof(struct observation, name), max, VOCAB_G_##GRAMMAR },
#include "core/observation.def"
};

static inline void *observation_place(struct observation *o, enum observation_field f)
{
	o->head.present[f >> 6] |= UINT64_C(1) << (f & 63);
	return (uint8_t *)o + observation_places[f].offset;
}

/* As vocab_set_uint() and vocab_set_text(). */
static inline void observation_uint(struct observation *o, enum observation_field f, uint64_t v)
{
	assert(vocab_may_be(&observation_vocab, &o->head, f, &v));
	memcpy(observation_place(o, f), &v, sizeof(v));
}

static inline bool observation_text(struct observation *o, enum observation_field f, struct span s)
{
	assert(vocab_may_be(&observation_vocab, &o->head, f, NULL));
	struct span admitted = vocab_admit_known((enum vocab_grammar)observation_places[f].grammar, observation_places[f].max, s);
	memcpy(observation_place(o, f), &admitted, sizeof(admitted));
	return admitted.p == s.p;
}

#endif
