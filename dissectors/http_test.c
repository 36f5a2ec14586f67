/* Covers: R013 R024 */
#include "dissectors/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "dissectors/drive.h"

struct part {                   /* what one side sends, in turn */
	int dir;                /* -1 ends; 2 + dir: that many bytes were lost in dir */
	struct span bytes;
};
#define P(dir, text) { dir, { (const uint8_t *)(text), sizeof(text) - 1 } }
#define LOST(dir, n) { 2 + (dir), { NULL, n } }
#define P_END { -1, { NULL, 0 } }

static const size_t segments[] = { 0, 1, 2, 3, 5, 6, 7, 10, 536, 1448 };
enum { SEGMENTS = sizeof(segments) / sizeof(segments[0]) };

static struct drive *play(unsigned mode, const struct part *parts, size_t segment)
{
	struct drive *d = drive_new(&http_dissector, mode);
	for (; parts->dir >= 0; parts++) {
		if (parts->dir < 2)
			drive_feed(d, (unsigned)parts->dir, parts->bytes, segment);
		else
			drive_gap(d, (unsigned)parts->dir - 2, parts->bytes.n);
	}
	drive_finish(d);
	return d;
}

static void expect_parts(unsigned mode, const struct part *parts, const char *want, const char *name)
{
	for (size_t i = 0; i < SEGMENTS; i++) {
		struct drive *d = play(mode, parts, segments[i]);
		if (strcmp(drive_text(d), want))
			fprintf(stderr, "%s, segments of %zu:\n%swanted:\n%s", name, segments[i], drive_text(d), want);
		CU_ASSERT_STRING_EQUAL(drive_text(d), want);
		drive_free(d);
	}
}
#define EXPECT(want, ...) expect_parts(DRIVE_PROBE, (const struct part[]){ __VA_ARGS__, P_END }, want, __func__)

#define REQUEST(method, more) "0 {\"type\":\"http.request\",\"version\":\"1.1\",\"http_method\":\"" method "\"" more "}\n"
#define RESPONSE(paired, status, more) \
	"1 {\"type\":\"http.response\",\"version\":\"1.1\",\"paired\":" paired more ",\"http_status\":" status "}\n"
#define PLAIN ",\"http_authentication\":\"none\",\"http_resource\":\"other\""
#define OF(method) ",\"http_method\":\"" method "\",\"http_resource\":\"other\""

static void reads_requests_and_answers(void)
{
	EXPECT(REQUEST("GET", ",\"http_host\":\"pacs.example\",\"user_agent\":\"curl/7.88.1\"" PLAIN)
	       "1 {\"type\":\"http.response\",\"version\":\"1.1\",\"paired\":true,\"http_method\":\"GET\",\"http_server\":\"nginx/1.2\","
	       "\"content_type\":\"text/html\",\"http_resource\":\"other\",\"http_status\":200}\n",
	       P(0, "GET /a HTTP/1.1\r\nHost: pacs.example:80\r\nUser-Agent: curl/7.88.1\r\n\r\n"),
	       P(1, "HTTP/1.1 200 OK\r\nServer: nginx/1.2 (Debian)\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 3\r\n\r\nabc"));
}

static void what_ends_a_body(void)
{
	/* HEAD, 204 and 304 have none; chunks, with a trailer; a length; to the close of the connection. 100 is no answer. */
	EXPECT(REQUEST("HEAD", PLAIN) REQUEST("PUT", PLAIN) REQUEST("GET", PLAIN) REQUEST("GET", PLAIN) REQUEST("GET", PLAIN)
	       RESPONSE("true", "200", OF("HEAD")) RESPONSE("true", "204", OF("PUT")) RESPONSE("true", "304", OF("GET"))
	       RESPONSE("true", "200", OF("GET")) RESPONSE("true", "200", OF("GET")),
	       P(0, "HEAD /a HTTP/1.1\r\n\r\nPUT /b HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /GET /c HTTP/1.1\r\n\r\n"
		    "GET /d HTTP/1.1\r\n\r\nGET /e HTTP/1.1\r\n\r\n"),
	       P(1, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
		    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nHTTP\r\n00a\r\n/1.1 500 X\r\n0\r\nA: b\r\n\r\n"
		    "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 500 no\r\n\r\n"));
}

static void lines_may_end_with_lf_alone(void)
{
	EXPECT(REQUEST("GET", PLAIN) RESPONSE("true", "404", OF("GET")),
	       P(0, "\r\nGET /a HTTP/1.1\nA: b\n\n"), P(1, "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n"));
}

static void how_a_client_says_who_it_is(void)
{
	static const char *const cases[][2] = {
		{ "Basic VEVTVFVTRVI6VEVTVENBTkFSWQ==", "basic" }, { "Bearer TESTCANARY.TOKEN", "bearer" },
		{ "Digest username=\"TESTCANARY\"", "digest" }, { "Negotiate TESTCANARY", "negotiate" }, { "NTLM TESTCANARY", "ntlm" },
		{ "TESTCANARY", "other" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256], want[256];
		int n = snprintf(text, sizeof(text), "GET /a HTTP/1.1\r\nAuthorization: %s\r\nCookie: s=TESTCANARY\r\n\r\n", cases[i][0]);
		snprintf(want, sizeof(want), REQUEST("GET", ",\"http_authentication\":\"%s\",\"http_resource\":\"other\""), cases[i][1]);
		expect_parts(DRIVE_PROBE, (const struct part[]){ { 0, { (const uint8_t *)text, (size_t)n } }, P_END }, want, __func__);
	}
	EXPECT(REQUEST("GET", PLAIN)
	       "1 {\"type\":\"http.response\",\"version\":\"1.1\",\"paired\":true,\"http_method\":\"GET\",\"http_challenge\":\"basic\","
	       "\"http_resource\":\"other\",\"http_status\":401}\n",
	       P(0, "GET /a HTTP/1.1\r\n\r\n"),
	       P(1, "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"TESTCANARY\"\r\nContent-Length: 0\r\n\r\n"));
}

/* Names, identifiers and credentials in every place that HTTP has for text. */
static void nothing_private_leaves(void)
{
	static const struct part parts[] = {
		P(0, "GET /patients/TESTCANARY?PatientName=TESTCANARY&TESTCANARY=1&name=TESTCANARY HTTP/1.1\r\nHost: TEST CANARY\r\n"
		     "User-Agent: Mozilla/5.0 (TESTCANARY; TESTCANARY/1.0) TESTCANARY\r\nCookie: TESTCANARY=TESTCANARY\r\n"
		     "Referer: http://x/TESTCANARY\r\nX-TESTCANARY: TESTCANARY\r\nContent-Type: TESTCANARY^A\r\n"
		     "SOAPAction: \"TESTCANARY\"\r\n\r\n"
		     "GET /dicom-web/studies?PatientName=TESTCANARY&00100020=TESTCANARY&TESTCANARY=TESTCANARY HTTP/1.1\r\n\r\n"
		     "GET /fhir/Patient/TESTCANARY HTTP/1.1\r\n\r\nGET /fhir/Patient?family=TESTCANARY&given:exact=TESTCANARY HTTP/1.1\r\n\r\n"
		     "POST /fhir/TESTCANARY HTTP/1.1\r\nContent-Length: 28\r\n\r\n<ClinicalDocument TESTCANARY"),
		P(1, "HTTP/1.1 200 TESTCANARY\r\nServer: x (TESTCANARY)\r\nLocation: /TESTCANARY\r\nSet-Cookie: TESTCANARY\r\n"
		     "WWW-Authenticate: TESTCANARY\r\nContent-Length: 10\r\n\r\nTESTCANARY"),
		P_END,
	};
	for (size_t i = 0; i < SEGMENTS; i++) {
		struct drive *d = play(DRIVE_PROBE, parts, segments[i]);
		CU_ASSERT(d->lines > 6);
		if (strcasestr(drive_text(d), "canary"))
			fprintf(stderr, "%s", drive_text(d));
		CU_ASSERT(!strcasestr(drive_text(d), "canary"));
		drive_free(d);
	}
}

/* What is said of a request line and a few header fields. */
static void says(const char *head, const char *const *want)
{
	struct drive *d = drive_new(&http_dissector, DRIVE_KNOWN);
	drive_feed(d, 0, span_str(head), 0);
	drive_finish(d);
	for (; *want; want++) {
		if (!strstr(drive_text(d), *want))
			fprintf(stderr, "%sno %s in\n%s", head, *want, drive_text(d));
		CU_ASSERT(strstr(drive_text(d), *want) != NULL);
	}
	drive_free(d);
}
#define SAYS(head, ...) says(head "\r\n\r\n", (const char *const[]){ __VA_ARGS__, NULL })
#define OPERATION(o, l) "\"web_operation\":\"" o "\"", "\"query_level\":\"" l "\""
#define INTERACTION(i, t) "\"fhir_interaction\":\"" i "\"", "\"fhir_type\":\"" t "\""

static void dicomweb_by_path(void)
{
	SAYS("GET /dicom-web/studies?PatientName=A&limit=10 HTTP/1.1", OPERATION("qido", "STUDY"), "\"match_keys\":\"PatientName,limit\"",
	     "\"keys\":2", "\"sweep\":false");
	SAYS("GET /dicom-web/studies?limit=1000&includefield=all HTTP/1.1", OPERATION("qido", "STUDY"), "\"sweep\":true");
	SAYS("GET /x/studies/1.2.840.1/series HTTP/1.1", OPERATION("qido", "SERIES"));
	SAYS("GET /studies/1.2.840.1/series/1.2.3/instances?SOPInstanceUID=1 HTTP/1.1", OPERATION("qido", "IMAGE"));
	SAYS("GET /dicom-web/instances?Modality=CT HTTP/1.1", OPERATION("qido", "IMAGE"), "\"match_keys\":\"Modality\"");
	SAYS("GET /studies/1.2.840.1 HTTP/1.1", OPERATION("wado", "STUDY"));
	SAYS("GET /studies/1.2.840.1/metadata HTTP/1.1", OPERATION("wado-metadata", "STUDY"));
	SAYS("GET /studies/1.2.3/series/1.2.3/instances/1.2.3/frames/1 HTTP/1.1", OPERATION("wado", "FRAME"));
	SAYS("GET /studies/1.2.3/series/1.2.3/instances/1.2.3/rendered HTTP/1.1", OPERATION("wado-rendered", "IMAGE"));
	SAYS("GET /wado?requestType=WADO&studyUID=1&seriesUID=2&objectUID=3 HTTP/1.1", OPERATION("wado-uri", "IMAGE"));
	SAYS("POST /dicom-web/studies HTTP/1.1\r\nContent-Length: 0", OPERATION("stow", "STUDY"));
	SAYS("POST /rs/studies/1.2.3 HTTP/1.1\r\nContent-Type: multipart/related; type=\"application/dicom\"; boundary=x",
	     OPERATION("stow", "STUDY"));
	SAYS("GET /dicom-web/workitems?limit=1 HTTP/1.1", "\"web_operation\":\"ups\"");
	SAYS("DELETE /aets/A/rs/studies/1.2.3 HTTP/1.1", OPERATION("delete", "STUDY"));
	SAYS("GET /library/series HTTP/1.1", "\"http_resource\":\"other\"");
	SAYS("GET /studies/of-fish HTTP/1.1", "\"http_resource\":\"other\"");
}

static void fhir_by_path(void)
{
	SAYS("GET /fhir/Patient/123 HTTP/1.1", INTERACTION("read", "Patient"));
	SAYS("GET /fhir/Patient/123/_history/2 HTTP/1.1", INTERACTION("vread", "Patient"));
	SAYS("GET /baseR4/Observation?subject=Patient/1&_count=5 HTTP/1.1\r\nAccept: application/fhir+json",
	     INTERACTION("search", "Observation"), "\"match_keys\":\"subject,count\"");
	SAYS("GET /fhir/Patient/1/Observation HTTP/1.1", INTERACTION("search", "Observation"));
	SAYS("POST /fhir/Patient/_search HTTP/1.1\r\nContent-Length: 0", INTERACTION("search", "Patient"));
	SAYS("POST /fhir/Encounter HTTP/1.1\r\nContent-Length: 0", INTERACTION("create", "Encounter"));
	SAYS("PUT /fhir/Device/1 HTTP/1.1\r\nContent-Length: 0", INTERACTION("update", "Device"));
	SAYS("PATCH /fhir/Device/1 HTTP/1.1\r\nContent-Length: 0", INTERACTION("patch", "Device"));
	SAYS("DELETE /fhir/Device/1 HTTP/1.1", INTERACTION("delete", "Device"));
	SAYS("GET /fhir/Patient/1/$everything HTTP/1.1", INTERACTION("operation", "Patient"));
	SAYS("GET /fhir/metadata HTTP/1.1", "\"fhir_interaction\":\"capabilities\"");
	SAYS("POST /fhir HTTP/1.1\r\nContent-Length: 0", "\"fhir_interaction\":\"batch\"");
	SAYS("GET /Patient/1 HTTP/1.1", "\"http_resource\":\"other\"");
}

static void other_kinds(void)
{
	SAYS("GET / HTTP/1.1", "\"http_resource\":\"root\"");
	SAYS("GET /update/tool.exe HTTP/1.1", "\"http_resource\":\"program\"");
	SAYS("GET http://pacs.example/x/image.dcm HTTP/1.1", "\"http_resource\":\"dicom-file\"");
	SAYS("POST /xds HTTP/1.1\r\nContent-Length: 0\r\nSOAPAction: \"urn:ihe:iti:2007:RegisterDocumentSet-b\"",
	     "\"http_resource\":\"soap\"", "\"soap_action\":\"urn:ihe:iti:2007:RegisterDocumentSet-b\"");
	SAYS("GET /a HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", "\"ambiguous_length\":true");
	SAYS("GET /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2", "\"ambiguous_length\":true");
}

/* ---- what is carried ---- */

#define Z16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define FILE_OF(magic, pad) magic Z16 Z16 Z16 Z16 Z16 Z16 Z16 pad "DICM" "\2\0\0\0UL\4\0\x10\0\0\0"
#define ELF FILE_OF("\x7f" "ELF", "\0\0\0\0\0\0\0\0\0\0\0\0")
#define PE FILE_OF("MZ", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
#define TIFF FILE_OF("II*\0", "\0\0\0\0\0\0\0\0\0\0\0\0")
#define CLEAN FILE_OF("", Z16)
#define STOW "POST /dicom-web/studies HTTP/1.1\r\nContent-Type: multipart/related; type=\"application/dicom\"; boundary=\"b-1\"\r\n"
#define PART(file) "--b-1\r\nContent-Type: application/dicom\r\n\r\n" file "\r\n"
#define L_STOW REQUEST("POST", ",\"http_authentication\":\"none\",\"content_type\":\"multipart/related\",\"http_resource\":\"dicomweb\"")
#define L_PREAMBLE(dir, kind) dir " {\"type\":\"dicom.file_preamble\",\"preamble\":\"" kind "\"}\n"
#define L_STOWED(parts, status) \
	"0 {\"type\":\"dicomweb.operation\",\"query_level\":\"STUDY\",\"http_method\":\"POST\",\"http_authentication\":\"none\"," \
	"\"web_operation\":\"stow\",\"parts\":" parts ",\"http_status\":" status "}\n"
#define L_STOW_200 \
	"1 {\"type\":\"http.response\",\"version\":\"1.1\",\"paired\":true,\"http_method\":\"POST\",\"http_resource\":\"dicomweb\"," \
	"\"http_status\":200}\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static void parts_of_a_stow_are_counted_and_looked_at(void)
{
	_Static_assert(sizeof(PART(ELF) PART(CLEAN) PART(PE) PART(TIFF) "--b-1--\r\n") - 1 == 761, "the length below");
	EXPECT(L_STOW L_PREAMBLE("0", "elf") L_PREAMBLE("0", "mz") L_STOW_200 L_STOWED("4", "200"),
	       P(0, STOW "Content-Length: 761\r\n\r\n" PART(ELF) PART(CLEAN) PART(PE) PART(TIFF) "--b-1--\r\n"), P(1, OK));
	/* In chunks, one of them cut inside the delimiter. */
	EXPECT(L_STOW L_PREAMBLE("0", "elf") L_STOW_200 L_STOWED("1", "200"),
	       P(0, STOW "Transfer-Encoding: chunked\r\n\r\n2\r\n--\r\n2a\r\nb-1\r\nContent-Type: application/dicom\r\n\r\n" "\x7f" "E\r\n"
		    "90\r\n" "LF" Z16 Z16 Z16 Z16 Z16 Z16 Z16 "\0\0\0\0\0\0\0\0\0\0\0\0" "DICM" "\2\0\0\0UL\4\0\x10\0\0\0" "\r\n" "\r\n"
		    "7\r\n--b-1--\r\n0\r\n\r\n"), P(1, OK));
}

static void delimiters_that_are_none(void)
{
	EXPECT(L_STOW L_STOW_200 L_STOWED("1", "200"),
	       P(0, STOW "Content-Length: 90\r\n\r\n" "--b-1\r\nContent-Type: application/dicom\r\n\r\n" "a\r\n--b-\r\n--b\r\r\n--\r\n-b-1--b-1\n--b-1"
		    "\r\n--b-1--xxxxx"), P(1, OK));
}

static void files_in_bodies_of_their_own(void)
{
	EXPECT(REQUEST("GET", ",\"http_authentication\":\"none\",\"http_resource\":\"dicom-file\"")
	       "1 {\"type\":\"http.response\",\"version\":\"1.1\",\"paired\":true,\"http_method\":\"GET\",\"http_resource\":\"dicom-file\","
	       "\"http_status\":200}\n" L_PREAMBLE("1", "elf"),
	       P(0, "GET /x.dcm HTTP/1.1\r\n\r\n"), P(1, "HTTP/1.1 200 OK\r\nContent-Length: 144\r\n\r\n" ELF));
	CU_ASSERT_EQUAL(sizeof(ELF) - 1, 144);
}

static void documents_of_hl7_v3(void)
{
#define POST_OF(n, body) P(0, "POST /a HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: " n "\r\n\r\n" body)
#define L_POST REQUEST("POST", ",\"http_authentication\":\"none\",\"content_type\":\"text/xml\",\"http_resource\":\"other\"")
	EXPECT(L_POST "0 {\"type\":\"hl7v3.document\",\"root_element\":\"ClinicalDocument\"}\n",
	       POST_OF("93", "<?xml version=\"1.0\"?><!-- <x> --><?xml-stylesheet x?>\n<hl7:ClinicalDocument xmlns:hl7=\"urn\">.."));
	EXPECT(L_POST "0 {\"type\":\"hl7v3.document\",\"root_element\":\"PRPA_IN201305UV02\"}\n",
	       POST_OF("29", "\xef\xbb\xbf<PRPA_IN201305UV02 ITSVer"));
	EXPECT(L_POST, POST_OF("24", "<TESTCANARY_IN201305UV0>"));
}

/* The first bytes of a compressed body are read; a bomb gives no more than the limit. */
static void compressed_bodies(void)
{
	static const uint8_t cda[] = {          /* gzip of <ClinicalDocument xmlns="urn:hl7-org:v3"><title>TESTCANARY</title> */
		0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xb3, 0x71, 0xce, 0xc9, 0xcc, 0xcb, 0x4c, 0x4e, 0xcc, 0x71,
		0xc9, 0x4f, 0x2e, 0xcd, 0x4d, 0xcd, 0x2b, 0x51, 0xa8, 0xc8, 0xcd, 0xc9, 0x2b, 0xb6, 0x55, 0x2a, 0x2d, 0xca, 0xb3, 0xca,
		0xc8, 0x31, 0xd7, 0xcd, 0x2f, 0x4a, 0xb7, 0x2a, 0x33, 0x56, 0xb2, 0xb3, 0x29, 0xc9, 0x2c, 0xc9, 0x49, 0xb5, 0x0b, 0x71,
		0x0d, 0x0e, 0x71, 0x76, 0xf4, 0x73, 0x0c, 0x8a, 0xb4, 0xd1, 0x87, 0x88, 0x00, 0x00, 0x5e, 0xe2, 0xe7, 0xa4, 0x42, 0x00,
		0x00, 0x00
	};
	char head[128];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", sizeof(cda));
	const struct part parts[] = { { 1, { (const uint8_t *)head, (size_t)n } }, { 1, { cda, sizeof(cda) } }, P_END };
	expect_parts(DRIVE_PROBE, parts, RESPONSE("false", "200", "")
		     "1 {\"type\":\"hl7v3.document\",\"root_element\":\"ClinicalDocument\"}\n", __func__);
	/* 240 bytes of deflate that stand for 240 KiB of blanks before an element. */
	static const uint8_t bomb[] = {
		0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0xb1, 0x0d, 0x80, 0x30, 0x0c, 0x00, 0xb0, 0x57,
		0x7a, 0x08, 0x62, 0x29, 0x8f, 0x54, 0x55, 0x87, 0x48, 0x21, 0x2c, 0xf0, 0x7f, 0xdf, 0x60, 0xb0, 0xdd, 0x1a, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0xbf, 0x1c, 0x3d, 0xa3,
		0x62, 0x8e, 0xbc, 0x9e, 0xf9, 0xdd, 0xab, 0xde, 0x73, 0x03, 0x8c, 0x0e, 0x57, 0xe8, 0x12, 0xc0, 0x03, 0x00
	};
	n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", sizeof(bomb));
	const struct part more[] = { { 1, { (const uint8_t *)head, (size_t)n } }, { 1, { bomb, sizeof(bomb) } }, P_END };
	expect_parts(DRIVE_PROBE, more, RESPONSE("false", "200", ""), __func__);
}

/* ---- the wire as it is ---- */

static void lost_bytes(void)
{
	/* Inside a body: nothing was missed. */
	EXPECT(REQUEST("PUT", PLAIN) REQUEST("GET", PLAIN) RESPONSE("true", "200", OF("PUT")),
	       P(0, "PUT /a HTTP/1.1\r\nContent-Length: 1000\r\n\r\n0123456789"), LOST(0, 990), P(0, "GET /b HTTP/1.1\r\n\r\n"), P(1, OK));
	/* Heads may have been: no answer is given to a request that may not be its own. */
	EXPECT(REQUEST("GET", PLAIN) REQUEST("GET", PLAIN) RESPONSE("false", "200", ""),
	       P(0, "GET /a HTTP/1.1\r\n\r\n"), LOST(0, 100), P(0, "x: y\r\n\r\nGET /b HTTP/1.1\r\n\r\n"), P(1, OK));
	EXPECT(REQUEST("GET", PLAIN) RESPONSE("false", "404", ""),
	       P(0, "GET /a HTTP/1.1\r\n\r\n"), LOST(1, 0), P(1, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"));
}

static void a_flow_found_in_the_middle(void)
{
	struct drive *d = drive_new(&http_dissector, DRIVE_PROBE | DRIVE_MIDSTREAM);
	drive_feed(d, 1, span_str("ytes of a body\r\n\r\nHTTP/1.1 200 OK\r\n"), 0);
	CU_ASSERT(!d->found);
	drive_feed(d, 0, span_str("GET /a HTTP/1.1\r\n\r\n"), 0);
	drive_feed(d, 1, span_str("Content-Length: 0\r\n\r\n"), 0);
	CU_ASSERT(strstr(drive_text(d), "http.request") && strstr(drive_text(d), "\"http_status\":200"));
	drive_free(d);
}

static void tunnels_end_it(void)
{
	struct drive *d = drive_new(&http_dissector, DRIVE_PROBE);
	drive_feed(d, 0, span_str("CONNECT x.example:443 HTTP/1.1\r\n\r\n"), 0);
	drive_feed(d, 1, span_str("HTTP/1.1 200 Connection established\r\n\r\n"), 0);
	CU_ASSERT(d->done);
	drive_free(d);
	d = drive_new(&http_dissector, DRIVE_PROBE);
	drive_feed(d, 0, span_str("GET /a HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), 1);
	drive_feed(d, 1, span_str("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\x05hello"), 1);
	CU_ASSERT(d->done && strstr(drive_text(d), "\"http_upgrade\":\"websocket\",\"http_status\":101"));
	drive_free(d);
}

static void long_heads_are_cut(void)
{
	static char head[HTTP_MAX_HEAD + 1000];
	int n = snprintf(head, sizeof(head), "GET /a HTTP/1.1\r\nHost: h.example\r\n");
	for (size_t i = (size_t)n; i < sizeof(head); i++)
		head[i] = i % 60 ? 'a' : '\n';
	const struct part parts[] = { { 0, { (const uint8_t *)head, sizeof(head) } }, P(0, "\nGET /b HTTP/1.1\r\n\r\n"), P_END };
	expect_parts(DRIVE_PROBE, parts,
		     "0 {\"type\":\"http.request\",\"version\":\"1.1\",\"partial\":true,\"http_method\":\"GET\",\"http_host\":\"h.example\","
		     "\"http_authentication\":\"none\",\"http_resource\":\"other\"}\n" REQUEST("GET", PLAIN), __func__);
}

static void more_requests_than_are_remembered(void)
{
	struct drive *d = drive_new(&http_dissector, DRIVE_KNOWN);
	for (int i = 0; i < 3 * HTTP_WAITING; i++)
		drive_feed(d, 0, span_str("GET /fhir/Patient/1 HTTP/1.1\r\n\r\n"), 0);
	for (int i = 0; i < 3 * HTTP_WAITING; i++)
		drive_feed(d, 1, span_str("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"), 0);
	drive_finish(d);
	/* A request, an answer and an interaction each; none is given an answer that may not be its own. */
	CU_ASSERT_EQUAL(d->lines, 9 * HTTP_WAITING);
	CU_ASSERT(!strstr(drive_text(d), "\"paired\":true"));
	drive_free(d);
}

static void every_prefix_and_every_wrong_byte(void)
{
	static const char talk[] = STOW "Content-Length: 385\r\n\r\n" PART(ELF) PART(CLEAN) "--b-1--\r\n"
				   "GET /fhir/Patient?name=x HTTP/1.1\r\nAuthorization: Basic x\r\n\r\n";
	static const char answers[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<?xml\r\n0\r\n\r\n" OK;
	char wrong[sizeof(talk)];
	for (size_t n = 0; n < sizeof(talk); n++) {
		struct part parts[] = { { 0, { (const uint8_t *)talk, n } }, { 1, { (const uint8_t *)answers, n < sizeof(answers) ? n : sizeof(answers) - 1 } }, P_END };
		drive_free(play(DRIVE_KNOWN, parts, 0));
		memcpy(wrong, talk, sizeof(talk));
		wrong[n] = (char)(wrong[n] ^ 0x55);
		parts[0].bytes = (struct span){ (const uint8_t *)wrong, sizeof(wrong) - 1 };
		drive_free(play(DRIVE_KNOWN, parts, 7));
		drive_free(play(DRIVE_PROBE, parts, 0));
	}
}

static void probes_by_first_line(void)
{
	static const struct { const char *bytes; enum dissect_guess want; } cases[] = {
		{ "GET /", DISSECT_YES }, { "POST h", DISSECT_YES }, { "OPTIONS *", DISSECT_YES }, { "HTTP/1.0", DISSECT_YES },
		{ "PROPFIND /", DISSECT_YES }, { "CONNECT [2001:db8::1]:443", DISSECT_YES }, { "PRI * HTTP/2.0", DISSECT_NO },
		{ "get /", DISSECT_NO }, { "GETX /", DISSECT_NO }, { "GET  /", DISSECT_NO }, { "HTTP/2.0", DISSECT_NO },
		{ "SSH-2.0-x", DISSECT_NO }, { "\x16\3\1", DISSECT_NO }, { "\x0bMSH|", DISSECT_NO }, { "PUTT /", DISSECT_NO },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t all = strlen(cases[i].bytes);
		for (size_t n = 0; n <= all; n++) {
			uint8_t *exact = drive_copy((const uint8_t *)cases[i].bytes, n);
			enum dissect_guess g = http_dissector.probe((struct span){ exact, n }, false);
			free(exact);
			CU_ASSERT(g == DISSECT_MAYBE || g == cases[i].want);
			if (n == all)
				CU_ASSERT_EQUAL(g, cases[i].want);
		}
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "reads_requests_and_answers", reads_requests_and_answers },
		{ "what_ends_a_body", what_ends_a_body },
		{ "lines_may_end_with_lf_alone", lines_may_end_with_lf_alone },
		{ "how_a_client_says_who_it_is", how_a_client_says_who_it_is },
		{ "nothing_private_leaves", nothing_private_leaves },
		{ "dicomweb_by_path", dicomweb_by_path },
		{ "fhir_by_path", fhir_by_path },
		{ "other_kinds", other_kinds },
		{ "parts_of_a_stow_are_counted_and_looked_at", parts_of_a_stow_are_counted_and_looked_at },
		{ "delimiters_that_are_none", delimiters_that_are_none },
		{ "files_in_bodies_of_their_own", files_in_bodies_of_their_own },
		{ "documents_of_hl7_v3", documents_of_hl7_v3 },
		{ "compressed_bodies", compressed_bodies },
		{ "lost_bytes", lost_bytes },
		{ "a_flow_found_in_the_middle", a_flow_found_in_the_middle },
		{ "tunnels_end_it", tunnels_end_it },
		{ "long_heads_are_cut", long_heads_are_cut },
		{ "more_requests_than_are_remembered", more_requests_than_are_remembered },
		{ "every_prefix_and_every_wrong_byte", every_prefix_and_every_wrong_byte },
		{ "probes_by_first_line", probes_by_first_line },
		CU_TEST_INFO_NULL,
	};
	return test_run("http", tests);
}
