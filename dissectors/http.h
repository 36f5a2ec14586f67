/* http.h -- inside the HTTP/1 dissector: what its files (http.c framing and pairing, http_head.c heads, http_web.c the medical web
 * by path, http_body.c the first bytes of what is carried, http_say.c what is said) share.
 * Facts: RFC 9110, RFC 9112; DICOM PS3.18 (web services), PS3.10 7.1 (preamble); HL7 FHIR R4 3.1.0 (RESTful API); IHE ITI TF-2.
 *
 * Of a path, a query, a cookie, a credential or a body nothing leaves: a path is classified, names of query keys are bits of a
 * closed list, and what is said of a body is a word.
 */
#ifndef DISSECTORS_HTTP_H
#define DISSECTORS_HTTP_H

#include "core/buf.h"
#include "dissectors/dissector.h"

enum {
	HTTP_MAX_HEAD = 16 << 10,       /* servers refuse more than 8 to 32 KiB */
	HTTP_BOUNDARY = 70,             /* RFC 2046, 5.1.1 */
	HTTP_PEEK = 240,                /* first bytes of a body or part: a preamble has 132, an XML prolog and its root about 200 */
	HTTP_WAITING = 8,               /* requests that wait for an answer: clients that pipeline are rare, and send a few */
	HTTP_AGENT = 96,
};

/* Names of query keys that may be said. X(KIND, "name in the query", "name in an observation", narrows) */
#define HTTP_KEYS(X)                                                                                            \
	X(DICOM, "PatientID", "PatientID", 1) X(DICOM, "00100020", "PatientID", 1)                               \
	X(DICOM, "PatientName", "PatientName", 1) X(DICOM, "00100010", "PatientName", 1)                         \
	X(DICOM, "PatientBirthDate", "PatientBirthDate", 1) X(DICOM, "00100030", "PatientBirthDate", 1)          \
	X(DICOM, "StudyDate", "StudyDate", 1) X(DICOM, "00080020", "StudyDate", 1)                               \
	X(DICOM, "StudyTime", "StudyTime", 1) X(DICOM, "AccessionNumber", "AccessionNumber", 1)                  \
	X(DICOM, "00080050", "AccessionNumber", 1) X(DICOM, "ModalitiesInStudy", "ModalitiesInStudy", 1)         \
	X(DICOM, "00080061", "ModalitiesInStudy", 1) X(DICOM, "Modality", "Modality", 1)                         \
	X(DICOM, "00080060", "Modality", 1) X(DICOM, "ReferringPhysicianName", "ReferringPhysicianName", 1)      \
	X(DICOM, "StudyID", "StudyID", 1) X(DICOM, "StudyInstanceUID", "StudyInstanceUID", 1)                    \
	X(DICOM, "0020000D", "StudyInstanceUID", 1) X(DICOM, "SeriesInstanceUID", "SeriesInstanceUID", 1)        \
	X(DICOM, "0020000E", "SeriesInstanceUID", 1) X(DICOM, "SOPInstanceUID", "SOPInstanceUID", 1)             \
	X(DICOM, "SOPClassUID", "SOPClassUID", 1) X(DICOM, "SeriesNumber", "SeriesNumber", 1)                    \
	X(DICOM, "InstanceNumber", "InstanceNumber", 1) X(DICOM, "studyUID", "studyUID", 1)                      \
	X(DICOM, "seriesUID", "seriesUID", 1) X(DICOM, "objectUID", "objectUID", 1)                              \
	X(DICOM, "requestType", "requestType", 0) X(DICOM, "contentType", "contentType", 0)                      \
	X(DICOM, "limit", "limit", 0) X(DICOM, "offset", "offset", 0)                                            \
	X(DICOM, "includefield", "includefield", 0) X(DICOM, "fuzzymatching", "fuzzymatching", 0)                \
	X(FHIR, "_id", "id", 1) X(FHIR, "identifier", "identifier", 1) X(FHIR, "name", "name", 1)                \
	X(FHIR, "family", "family", 1) X(FHIR, "given", "given", 1) X(FHIR, "birthdate", "birthdate", 1)         \
	X(FHIR, "gender", "gender", 1) X(FHIR, "address", "address", 1) X(FHIR, "telecom", "telecom", 1)         \
	X(FHIR, "patient", "patient", 1) X(FHIR, "subject", "subject", 1) X(FHIR, "encounter", "encounter", 1)   \
	X(FHIR, "code", "code", 1) X(FHIR, "date", "date", 1) X(FHIR, "status", "status", 1)                     \
	X(FHIR, "category", "category", 1) X(FHIR, "_lastUpdated", "lastUpdated", 1)                             \
	X(FHIR, "_count", "count", 0) X(FHIR, "_sort", "sort", 0) X(FHIR, "_include", "include", 0)              \
	X(FHIR, "_revinclude", "revinclude", 0) X(FHIR, "_format", "format", 0) X(FHIR, "_summary", "summary", 0)

enum http_web { HTTP_PLAIN, HTTP_DICOMWEB, HTTP_FHIR };

/* One request: what is remembered until it is answered. */
struct http_request {
	uint64_t keys;                  /* a bit per line of HTTP_KEYS */
	uint32_t parts;                 /* of its body */
	uint16_t n_keys;                /* known or not */
	uint8_t method, web, operation, level, type, authentication, resource;
	bool known;                     /* entry in use */
	bool within;                    /* DICOMweb: the path names a study */
};

struct http_head {                      /* spans into the head */
	bool request;
	uint8_t method;                 /* OBSERVATION_HTTP_* */
	uint8_t minor;                  /* of the version */
	uint16_t status;
	struct span target, host, agent, server, upgrade, content_type, boundary, action;
	bool fhir_type;                 /* a content type or Accept of FHIR */
	bool dicom_type;                /* ... of DICOM */
	struct span fhir_version;
	uint8_t authentication, challenge;
	bool has_length, chunked, coded, gzip, ambiguous, broken;
	uint64_t length;
};

/* How a head may begin: a method and a target, or a status line. MAYBE: a prefix of it. */
enum dissect_guess http_head_begins(struct span s);
/* The whole head with its empty line. False: it is none. */
bool http_head_parse(struct span head, struct http_head *ret);

/* Sets web, operation, level, type, keys and resource of a request. */
void http_web_classify(const struct http_head *h, struct http_request *ret);
/* A FHIR resource type by its number (from 1). */
struct span http_web_type(uint8_t type);
/* The names of the keys, joined by commas, as many as fit. *ret_narrow: one of them narrows the query. */
void http_web_keys(uint64_t keys, struct buf *out, bool *ret_narrow);

/* What is read of the content of one message. */
struct http_body {
	uint8_t boundary_n;             /* 0: not multipart */
	uint8_t boundary[HTTP_BOUNDARY];
	uint8_t peek[HTTP_PEEK];
	uint8_t peek_n;
	uint8_t where;                  /* inside http_body.c */
	uint8_t matched;                /* characters of the delimiter, or of the end of part headers */
	uint16_t parts;
	bool gzip, looked, open;
};

/* Before the content of a message. */
void http_body_begin(struct http_body *b, const struct http_head *h);
/* Some of the content, cut anywhere. False: the rest is of no interest. */
bool http_body_content(struct http_body *b, struct span in, struct dissect_ctx *ctx);
/* The content ended; `whole`: it was seen to its end. */
void http_body_end(struct http_body *b, struct dissect_ctx *ctx);
/* Some of the content was lost. */
void http_body_lost(struct http_body *b);

void http_say_request(const struct http_head *h, const struct http_request *r, bool partial, struct dissect_ctx *ctx);
/* r: the request that is answered, or known false. */
void http_say_response(const struct http_head *h, const struct http_request *r, struct dissect_ctx *ctx);
/* dicomweb.operation or fhir.interaction; status 0: no answer was seen. src is the client. */
void http_say_web(const struct http_request *r, uint16_t status, uint32_t parts, unsigned client, struct dissect_ctx *ctx);
/* A file whose preamble is a program or another kind of file: OBSERVATION_PREAMBLE_*. */
void http_say_preamble(unsigned preamble, struct dissect_ctx *ctx);
/* Root element of HL7 v3: a document or an interaction. */
void http_say_hl7v3(struct span root, struct dissect_ctx *ctx);

extern const struct dissector http_dissector;

#endif
