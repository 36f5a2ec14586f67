#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dissectors/dicom.h"
#include "dissectors/dicom_talk.h"

/* ---- what comes out ---- */

#define RQ_LINE(dir)                                                                                              \
	#dir " {\"type\":\"dicom.associate_request\",\"calling_ae\":\"CT1\",\"called_ae\":\"PACS\",\"contexts\":[" \
	"{\"id\":1,\"abstract_syntax\":\"" VERIFICATION "\",\"transfer_syntaxes\":[\"" IMPLICIT_LE "\",\""        \
	EXPLICIT_LE "\"]},{\"id\":3,\"abstract_syntax\":\"" CT_STORAGE "\",\"transfer_syntaxes\":[\"" IMPLICIT_LE \
	"\",\"" EXPLICIT_LE "\"]}],\"max_pdu\":16384,\"implementation_uid\":\"1.2.276.0.7230010.3.0.3.6.7\","     \
	"\"implementation_version\":\"OFFIS_DCMTK_367\",\"user_identity\":\"username-passcode\","               \
	"\"async_invoked\":1,\"async_performed\":1,\"credential\":true,\"identity_response\":false}\n"
#define AC_LINE(dir)                                                                                              \
	#dir " {\"type\":\"dicom.associate_accept\",\"calling_ae\":\"CT1\",\"called_ae\":\"PACS\",\"contexts\":["  \
	"{\"id\":1,\"transfer_syntaxes\":[\"" IMPLICIT_LE "\"],\"result\":0},{\"id\":3,\"transfer_syntaxes\":[]," \
	"\"result\":3}],\"max_pdu\":16384,\"implementation_uid\":\"1.2.276.0.7230010.3.0.3.6.7\","                \
	"\"implementation_version\":\"OFFIS_DCMTK_367\",\"async_invoked\":1,\"async_performed\":1}\n"
#define ECHO_RQ_LINE(dir, id)                                                                           \
	#dir " {\"type\":\"dicom.command\",\"command\":\"C-ECHO-RQ\",\"context_id\":1,\"message_id\":" #id \
	",\"sop_class\":\"" VERIFICATION "\",\"data_set\":false}\n"
#define ECHO_RSP_PAIRED(dir, id, paired)                                                                   \
	#dir " {\"type\":\"dicom.command\",\"command\":\"C-ECHO-RSP\",\"context_id\":1,\"responded_id\":" #id \
	",\"sop_class\":\"" VERIFICATION "\",\"status\":\"0x0000\",\"data_set\":false" paired                \
	",\"outcome\":\"success\"}\n"
#define ECHO_RSP_LINE(dir, id) ECHO_RSP_PAIRED(dir, id, ",\"paired\":true")
#define ECHO_RSP_ALONE(dir, id) ECHO_RSP_PAIRED(dir, id, "")
#define RELEASE_LINE(dir, what) #dir " {\"type\":\"dicom.release\",\"release\":\"" what "\"}\n"
#define MALFORMED_LINE(dir, why) \
	#dir " {\"type\":\"protocol.malformed\",\"transport\":\"tcp\",\"service\":\"dicom\",\"reason\":\"" why "\"}\n"

/* ---- well-formed ---- */

static void test_association_from_request_to_release(void)
{
	struct talk *t = talk_new();
	put_rq(say(t, 0));
	put_ac(say(t, 1));
	put_echo(say(t, 0), 0x0030, 7);
	put_echo(say(t, 1), 0x8030, 7);
	put_short(say(t, 0), 5, 0);
	put_short(say(t, 1), 6, 0);
	static const char expected[] = RQ_LINE(0) AC_LINE(1) ECHO_RQ_LINE(0, 7) ECHO_RSP_LINE(1, 7)
		RELEASE_LINE(0, "request") RELEASE_LINE(1, "response");
	check_talk(t, DRIVE_KNOWN, expected);
	check_talk(t, DRIVE_PROBE, expected);
	/* Capture began before the first byte, but nobody saw the handshake. */
	check_talk(t, DRIVE_PROBE | DRIVE_MIDSTREAM, expected);
	free(t);
}

static void test_client_is_who_asks(void)
{
	struct talk *t = talk_new();
	put_rq(say(t, 1));
	struct drive *d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_EQUAL(d->client, DISSECT_CLIENT_1);
	drive_free(d);
	t->turns = 0, t->b.len = 0;
	put_ac(say(t, 1));
	d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_EQUAL(d->client, DISSECT_CLIENT_0);
	drive_free(d);
	t->turns = 0, t->b.len = 0;
	put_short(say(t, 0), 3, 0x00010107);
	d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_EQUAL(d->client, DISSECT_CLIENT_1);
	drive_free(d);
	t->turns = 0, t->b.len = 0;
	put_echo(say(t, 1), 0x8030, 1);
	d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_EQUAL(d->client, DISSECT_CLIENT_0);
	drive_free(d);
	free(t);
}

static void test_reject_and_abort(void)
{
	struct talk *t = talk_new();
	put_rq(say(t, 0));
	put_short(say(t, 1), 3, 0x00010107);
	check_talk(t, DRIVE_PROBE, RQ_LINE(0)
	           "1 {\"type\":\"dicom.associate_reject\",\"result\":1,\"source\":1,\"reject_reason\":7,"
	           "\"cause\":\"called-ae-title-not-recognized\"}\n");
	t->turns = 0, t->b.len = 0;
	put_rq(say(t, 0));
	put_short(say(t, 1), 7, 0x00000202);
	check_talk(t, DRIVE_PROBE, RQ_LINE(0)
	           "1 {\"type\":\"dicom.abort\",\"source\":2,\"reject_reason\":2,\"cause\":\"unexpected-pdu\"}\n");
	free(t);
}

static void test_move_and_its_counters(void)
{
	uint8_t mem[1024];
	struct talk *t = talk_new();
	struct buf c = buf_over(mem, sizeof(mem));
	size_t at = begin_command(&c);
	put_element(&c, 0x0002, "1.2.840.10008.5.1.4.1.2.2.2", 27);
	put_us(&c, 0x0100, 0x0021);
	put_us(&c, 0x0110, 1);
	put_element(&c, 0x0600, "WORKSTATION ", 12);
	put_us(&c, 0x0700, 0);
	put_us(&c, 0x0800, 1);
	end_command(&c, at);
	put_data(say(t, 0), 1, 3, c.data, c.len);
	put_data(say(t, 0), 1, 2, "\x08\0\x52\0\x06\0\0\0STUDY ", 14);
	c.len = 0;
	at = begin_command(&c);
	put_us(&c, 0x0100, 0x8021);
	put_us(&c, 0x0120, 1);
	put_us(&c, 0x0800, 0x0101);
	put_us(&c, 0x0900, 0xff00);
	put_us(&c, 0x1020, 3);
	put_us(&c, 0x1021, 2);
	put_us(&c, 0x1022, 1);
	put_us(&c, 0x1023, 0);
	end_command(&c, at);
	put_data(say(t, 1), 1, 3, c.data, c.len);
	check_talk(t, DRIVE_KNOWN,
	           "0 {\"type\":\"dicom.command\",\"command\":\"C-MOVE-RQ\",\"context_id\":1,\"message_id\":1,"
	           "\"sop_class\":\"1.2.840.10008.5.1.4.1.2.2.2\",\"move_destination\":\"WORKSTATION\",\"data_set\":true}\n"
	           "0 {\"type\":\"dicom.query\",\"command\":\"C-MOVE-RQ\",\"context_id\":1,\"message_id\":1,"
	           "\"encoding\":\"implicit-little-endian\",\"query_level\":\"STUDY\",\"keys\":0,\"sweep\":true}\n"
	           "1 {\"type\":\"dicom.command\",\"command\":\"C-MOVE-RSP\",\"context_id\":1,\"responded_id\":1,"
	           "\"status\":\"0xff00\",\"data_set\":false,\"remaining\":3,\"completed\":2,\"failed\":1,\"warning\":0,"
	           "\"paired\":true,\"outcome\":\"pending\"}\n");
	free(t);
}

static void test_every_command_has_its_name(void)
{
	static const struct { uint16_t code; const char *name; } known[] = {
#define X(SYM, name, code) { code, name },
		OBSERVATION_COMMAND_LIST(X)
#undef X
		{ 0x1234, "unknown" },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct talk *t = talk_new();
		char wanted[64];
		snprintf(wanted, sizeof(wanted), "\"command\":\"%s\"", known[i].name);
		put_echo(say(t, 0), known[i].code, 1);
		struct drive *d = drive_talk(t, DRIVE_KNOWN, 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(drive_text(d), wanted));
		drive_free(d);
		free(t);
	}
}

static void test_several_associations_on_one_connection(void)
{
	struct talk *t = talk_new();
	for (int i = 0; i < 2; i++) {
		put_rq(say(t, 0));
		put_ac(say(t, 1));
		put_short(say(t, 0), 5, 0);
		put_short(say(t, 1), 6, 0);
	}
#define ONCE RQ_LINE(0) AC_LINE(1) RELEASE_LINE(0, "request") RELEASE_LINE(1, "response")
	check_talk(t, DRIVE_PROBE, ONCE ONCE);
	free(t);
}

static void test_command_and_data_set_share_a_pdu(void)
{
	uint8_t mem[512], image[3000];
	memset(image, 0x04, sizeof(image));
	struct buf c = make_command(mem, sizeof(mem), 0x0020, 5, 0, true);
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	size_t pdu = begin_pdu(b, 4);
	put_pdv(b, 1, 3, c.data, c.len);
	put_pdv(b, 1, 0, image, sizeof(image));
	put_pdv(b, 1, 0, image, 0);
	put_pdv(b, 1, 2, image, 1);     /* odd: not allowed and seen */
	end_32(b, pdu);
	put_echo(b, 0x0030, 6);
	check_talk(t, DRIVE_KNOWN, "0 {\"type\":\"dicom.command\",\"command\":\"C-FIND-RQ\",\"context_id\":1,\"message_id\":5,"
	           "\"sop_class\":\"" VERIFICATION "\",\"data_set\":true}\n"
	           "0 {\"type\":\"dicom.query\",\"command\":\"C-FIND-RQ\",\"context_id\":1,\"message_id\":5,"
	           "\"encoding\":\"unknown\",\"partial\":true}\n" ECHO_RQ_LINE(0, 6));
	free(t);
}

static void test_command_cut_into_fragments(void)
{
	uint8_t mem[512];
	struct buf c = make_command(mem, sizeof(mem), 0x0030, 9, 0, false);
	for (size_t cut = 1; cut < c.len; cut += 7) {
		struct talk *t = talk_new();
		struct buf *b = say(t, 0);
		put_data(b, 1, 1, c.data, cut);
		size_t pdu = begin_pdu(b, 4);           /* the rest: two fragments in one PDU, one empty */
		put_pdv(b, 1, 1, NULL, 0);
		put_pdv(b, 1, 3, c.data + cut, c.len - cut);
		put_pdv(b, 1, 2, "data", 4);
		end_32(b, pdu);
		put_short(b, 5, 0);
		check_talk(t, DRIVE_KNOWN, ECHO_RQ_LINE(0, 9) RELEASE_LINE(0, "request"));
		free(t);
	}
}

static void test_data_set_is_never_held(void)
{
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	size_t pdu = begin_pdu(b, 4);
	uint8_t *image = calloc(1, 300 << 10);
	CU_ASSERT_FATAL(image != NULL);
	put_pdv(b, 3, 2, image, 300 << 10);
	end_32(b, pdu);
	put_echo(b, 0x0030, 1);
	struct drive *d = drive_new(&dicom_dissector, DRIVE_KNOWN);
	for (size_t at = 0; at < 300 << 10; at += 1000) {
		drive_feed(d, 0, (struct span){ t->mem + at, 1000 }, 0);
		CU_ASSERT(d->side[0].n <= 12);
	}
	drive_free(d);
	check_talk(t, DRIVE_KNOWN, ECHO_RQ_LINE(0, 1));
	free(image);
	free(t);
}

/* ---- what other programs lose ---- */

/* Wireshark and nDPI look at the first segment only; theirs must hold 10 bytes. */
static void test_request_split_before_its_tenth_byte(void)
{
	struct talk *t = talk_new();
	put_rq(say(t, 0));
	for (size_t cut = 1; cut <= 12; cut++) {
		struct drive *d = drive_new(&dicom_dissector, DRIVE_PROBE);
		struct span all = turn_bytes(t, 0);
		drive_feed(d, 0, (struct span){ all.p, cut }, 0);
		CU_ASSERT(!d->found && !d->bad);
		drive_feed(d, 0, span_from(all, cut), 0);
		CU_ASSERT_STRING_EQUAL(drive_text(d), RQ_LINE(0));
		drive_free(d);
	}
	free(t);
}

static void test_only_bit_0_of_the_version_counts(void)
{
	struct talk *t = talk_new();
	put_rq(say(t, 0));
	t->mem[7] = 3;
	check_talk(t, DRIVE_PROBE, RQ_LINE(0));
	t->mem[7] = 2;
	check_talk(t, DRIVE_PROBE, "");
	free(t);
}

static void test_data_pipelined_before_the_accept(void)
{
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	put_rq(b);
	put_echo(b, 0x0030, 1);
	put_short(b, 5, 0);
	put_ac(say(t, 1));
	check_talk(t, DRIVE_PROBE, RQ_LINE(0) ECHO_RQ_LINE(0, 1) RELEASE_LINE(0, "request") AC_LINE(1));
	free(t);
}

static void test_capture_begins_mid_stream(void)
{
	uint8_t image[500];
	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i % 9);
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	buf_put(b, image, sizeof(image));       /* the end of a data set */
	put_echo(b, 0x0030, 1);
	put_echo(say(t, 1), 0x8030, 1);
	put_short(say(t, 0), 5, 0);
	static const char expected[] =
		ECHO_RQ_LINE(0, 1) ECHO_RSP_LINE(1, 1) RELEASE_LINE(0, "request");
	check_talk(t, DRIVE_KNOWN | DRIVE_MIDSTREAM, expected);
	check_talk(t, DRIVE_PROBE | DRIVE_MIDSTREAM, expected);
	/* Between two PDUs of a data set, nothing else. */
	t->turns = 0, t->b.len = 0;
	put_data(say(t, 0), 3, 0, image, sizeof(image));
	put_data(say(t, 0), 3, 2, image, sizeof(image));
	put_short(say(t, 0), 5, 0);
	check_talk(t, DRIVE_PROBE | DRIVE_MIDSTREAM, RELEASE_LINE(0, "request"));
	/* Nothing but the farewell. */
	t->turns = 0, t->b.len = 0;
	put_short(say(t, 0), 5, 0);
	put_short(say(t, 1), 6, 0);
	check_talk(t, DRIVE_PROBE | DRIVE_MIDSTREAM, RELEASE_LINE(0, "request") RELEASE_LINE(1, "response"));
	free(t);
}

static void test_pdu_ends_a_few_bytes_into_the_next(void)
{
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	put_rq(b);
	size_t first = b->len;
	put_echo(b, 0x0030, 1);
	put_short(b, 5, 0);
	for (size_t over = 1; over < 24; over++) {      /* Wireshark loses the PDU at 6 */
		struct drive *d = drive_new(&dicom_dissector, DRIVE_PROBE);
		struct span all = turn_bytes(t, 0);
		drive_feed(d, 0, (struct span){ all.p, first + over }, 0);
		drive_feed(d, 0, span_from(all, first + over), 0);
		CU_ASSERT_STRING_EQUAL(drive_text(d), RQ_LINE(0) ECHO_RQ_LINE(0, 1) RELEASE_LINE(0, "request"));
		drive_free(d);
	}
	free(t);
}

static void test_one_direction_only(void)
{
	struct talk *t = talk_new();
	put_ac(say(t, 1));
	put_echo(say(t, 1), 0x8030, 1);
	put_short(say(t, 1), 6, 0);
	check_talk(t, DRIVE_PROBE, AC_LINE(1) ECHO_RSP_ALONE(1, 1) RELEASE_LINE(1, "response"));
	free(t);
}

static void test_gap_never_joins_what_is_around_it(void)
{
	uint8_t mem[512];
	struct buf c = make_command(mem, sizeof(mem), 0x0030, 9, 0, false);
	struct talk *t = talk_new();
	put_data(say(t, 0), 1, 1, c.data, 30);
	put_data(say(t, 0), 1, 3, c.data + 30, c.len - 30);
	put_echo(say(t, 0), 0x0030, 10);
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		/* The first fragment was seen, then bytes were lost: its rest may be that of another message. */
		struct drive *d = drive_new(&dicom_dissector, DRIVE_KNOWN);
		drive_feed(d, 0, turn_bytes(t, 0), segments[i]);
		drive_gap(d, 0, 100);
		drive_feed(d, 0, turn_bytes(t, 1), segments[i]);
		drive_feed(d, 0, turn_bytes(t, 2), segments[i]);
		CU_ASSERT_STRING_EQUAL(drive_text(d), ECHO_RQ_LINE(0, 10));
		CU_ASSERT(!d->bad);
		drive_free(d);
		/* Lost in the middle of a request. */
		d = drive_new(&dicom_dissector, DRIVE_KNOWN);
		drive_feed(d, 0, (struct span){ turn_bytes(t, 2).p, 20 }, segments[i]);
		drive_gap(d, 0, 0);
		drive_feed(d, 0, span_from(turn_bytes(t, 2), 30), segments[i]);
		drive_feed(d, 0, turn_bytes(t, 2), segments[i]);
		CU_ASSERT_STRING_EQUAL(drive_text(d), ECHO_RQ_LINE(0, 10));
		drive_free(d);
	}
	free(t);
}

static void test_gap_inside_a_data_set_is_counted_off(void)
{
	uint8_t image[5000];
	memset(image, 7, sizeof(image));
	struct talk *t = talk_new();
	put_data(say(t, 0), 3, 2, image, sizeof(image));
	put_short(say(t, 0), 5, 0xffffffff);    /* reserved bytes, which a search would not accept */
	struct drive *d = drive_new(&dicom_dissector, DRIVE_KNOWN);
	struct span data = turn_bytes(t, 0);
	drive_feed(d, 0, (struct span){ data.p, 1000 }, 0);
	drive_gap(d, 0, 3000);
	drive_feed(d, 0, span_from(data, 4000), 0);
	drive_feed(d, 0, turn_bytes(t, 1), 0);
	CU_ASSERT_STRING_EQUAL(drive_text(d), RELEASE_LINE(0, "request"));
	drive_free(d);
	free(t);
}

/* ---- hostile ---- */
/* Covers: R012 */

static void test_every_prefix_says_what_it_holds(void)
{
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	put_rq(b);
	size_t rq = b->len;
	put_echo(b, 0x0030, 1);
	size_t echo = b->len;
	put_short(b, 5, 0);
	struct span all = turn_bytes(t, 0);
	for (size_t n = 0; n <= all.n; n++) {
		struct drive *d = drive_new(&dicom_dissector, DRIVE_PROBE);
		drive_feed(d, 0, (struct span){ all.p, n }, 0);
		drive_finish(d);
		CU_ASSERT(!d->bad);
		CU_ASSERT_EQUAL(d->lines, n < rq ? 0u : n < echo ? 1u : n < all.n ? 2u : 3u);
		drive_free(d);
	}
	free(t);
}

static void test_one_wrong_byte_is_survived(void)
{
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	put_rq(b);
	put_echo(b, 0x0030, 1);
	put_echo(b, 0x0030, 2);
	put_short(b, 5, 0);
	static const uint8_t wrong[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	for (size_t at = 0; at < b->len; at++) {
		uint8_t was = b->data[at];
		for (size_t w = 0; w < sizeof(wrong); w++) {
			b->data[at] = wrong[w];
			struct drive *whole = drive_talk(t, DRIVE_KNOWN, 0), *cut = drive_talk(t, DRIVE_KNOWN, 7);
			CU_ASSERT_STRING_EQUAL(drive_text(whole), drive_text(cut));
			drive_free(whole);
			drive_free(cut);
		}
		b->data[at] = was;
	}
	free(t);
}

/* An item length that leads out of its parent: what stands before it is told, then the fault. */
static void test_item_past_its_parent(void)
{
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	size_t pdu = begin_associate(b, 1, "CT1", "PACS");
	size_t at = begin_context(b, 0x20, 1, 0);
	put_item(b, 0x30, VERIFICATION);
	put_item(b, 0x40, IMPLICIT_LE);
	b->data[b->len - strlen(IMPLICIT_LE) - 1]++;
	end_16(b, at);
	put_user(b, 0);
	end_32(b, pdu);
	put_echo(b, 0x0030, 1);
	check_talk(t, DRIVE_KNOWN,
	           "0 {\"type\":\"dicom.associate_request\",\"calling_ae\":\"CT1\",\"called_ae\":\"PACS\",\"contexts\":["
	           "{\"id\":1,\"abstract_syntax\":\"" VERIFICATION "\",\"transfer_syntaxes\":[]}],\"max_pdu\":16384,"
	           "\"implementation_uid\":\"1.2.276.0.7230010.3.0.3.6.7\",\"implementation_version\":\"OFFIS_DCMTK_367\","
	           "\"async_invoked\":1,\"async_performed\":1}\n"
	           MALFORMED_LINE(0, "length") ECHO_RQ_LINE(0, 1));
	free(t);
}

static void test_texts_that_do_not_fit_are_not_admitted(void)
{
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	size_t pdu = begin_associate(b, 1, "CT\x1b[2J1", "");
	put_context_rq(b, 1, "1.2.<script>");
	end_32(b, pdu);
	struct drive *d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(drive_text(d), "\"calling_ae\":\"(not admitted)\",\"called_ae\":\"(not admitted)\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(drive_text(d), "\"abstract_syntax\":\"(not admitted)\""));
	drive_free(d);
	free(t);
}

static void test_passcode_never_comes_out(void)
{
	struct talk *t = talk_new();
	put_rq(say(t, 0));
	struct drive *d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_PTR_NULL(strstr(drive_text(d), "secret"));
	CU_ASSERT_PTR_NULL(strstr(drive_text(d), "bob"));
	drive_free(d);
	free(t);
}

static void test_contexts_and_syntaxes_up_to_their_limits(void)
{
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	size_t pdu = begin_associate(b, 1, "CT1", "PACS");
	for (unsigned i = 0; i < 128; i++) {
		size_t at = begin_context(b, 0x20, (uint8_t)(2 * i + 1), 0);
		for (unsigned k = 0; k < 8; k++)        /* 1,024 in all */
			put_item(b, 0x40, IMPLICIT_LE);
		end_16(b, at);
	}
	end_32(b, pdu);
	struct drive *d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_EQUAL(d->lines, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(drive_text(d), "\"id\":255"));
	drive_free(d);

	put_context_rq(b, 9, VERIFICATION);     /* the 129th */
	end_32(b, pdu);
	d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_EQUAL(d->lines, 2);
	CU_ASSERT_PTR_NULL(strstr(drive_text(d), VERIFICATION));
	CU_ASSERT_PTR_NOT_NULL(strstr(drive_text(d), MALFORMED_LINE(0, "limit")));
	drive_free(d);

	t->turns = 0, b->len = 0;
	b = say(t, 0);
	pdu = begin_associate(b, 1, "CT1", "PACS");
	size_t at = begin_context(b, 0x20, 1, 0);
	for (unsigned k = 0; k < 65; k++)
		put_item(b, 0x40, IMPLICIT_LE);
	end_16(b, at);
	end_32(b, pdu);
	d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(drive_text(d), MALFORMED_LINE(0, "limit")));
	drive_free(d);
	free(t);
}

/* 65,536 empty items: 256 KiB that say nothing. */
static void test_items_up_to_their_limit(void)
{
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	size_t pdu = begin_associate(b, 1, "CT1", "PACS");
	while (b->len - pdu <= DICOM_ASSOCIATE_MAX - 4)
		put_item(b, 0x99, "");
	end_32(b, pdu);
	put_echo(b, 0x0030, 1);
	struct drive *d = drive_talk(t, DRIVE_KNOWN, 1448);
	CU_ASSERT_EQUAL(d->lines, 3);
	CU_ASSERT_PTR_NOT_NULL(strstr(drive_text(d), MALFORMED_LINE(0, "limit")));
	drive_free(d);
	free(t);
}

static void test_length_at_its_limits(void)
{
	static const struct { uint8_t type; uint32_t length; bool taken; } cases[] = {
		{ 1, 67, false }, { 1, 68, true }, { 1, DICOM_ASSOCIATE_MAX, true }, { 1, DICOM_ASSOCIATE_MAX + 1, false },
		{ 2, 67, false }, { 2, 0xffffffff, false }, { 3, 3, false }, { 3, 4, true }, { 3, 5, false },
		{ 4, 0, false }, { 4, 5, false }, { 4, 6, true }, { 4, DICOM_PDATA_MAX, true },
		{ 4, DICOM_PDATA_MAX + 1u, false }, { 4, 0xffffffff, false }, { 5, 4, true }, { 5, 0xffffffff, false },
		{ 6, 4, true }, { 6, 0, false }, { 7, 4, true }, { 7, 0x80000004, false }, { 0, 4, false }, { 8, 4, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct talk *t = talk_new();
		struct buf *b = say(t, 0);
		buf_u8(b, cases[i].type);
		buf_u8(b, 0);
		buf_u32be(b, cases[i].length);
		buf_u32be(b, 2);
		/* Four times the same: where the chain breaks, the flow is given up at the fourth. */
		for (int n = 0; n < 4; n++) {
			struct drive *d = drive_new(&dicom_dissector, DRIVE_KNOWN);
			struct span in = turn_bytes(t, 0);
			struct dissect_ctx ctx = drive_ctx(d, 0);
			struct dissect_result r = dicom_dissector.parse(d->state.bytes, in, &ctx);
			bool searching = r.status == DISSECT_OK && r.consumed == in.n;
			bool one_short = cases[i].type != 1 && cases[i].type != 2 && cases[i].type != 4;
			CU_ASSERT(cases[i].taken ? r.status == DISSECT_MORE || one_short
			                         : searching || r.status == DISSECT_MORE);
			CU_ASSERT_EQUAL(d->state.bytes[4] == 2, !cases[i].taken);      /* place: searching */
			drive_free(d);
		}
		free(t);
	}
}

static void test_pdv_length_at_its_limits(void)
{
	static const struct { uint32_t pdu, pdv; bool good; } cases[] = {
		{ 6, 2, true }, { 6, 1, false }, { 6, 0, false }, { 6, 3, false }, { 10, 6, true }, { 10, 7, false },
		{ 10, 0xffffffff, false }, { 10, 0xfffffffe, false }, { 10, 0x80000000, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct talk *t = talk_new();
		struct buf *b = say(t, 0);
		for (int n = 0; n < 4; n++) {
			buf_u8(b, 4);
			buf_u8(b, 0);
			buf_u32be(b, cases[i].pdu);
			buf_u32be(b, cases[i].pdv);
			buf_u8(b, 1);
			buf_u8(b, 0);
			for (uint32_t k = 6; k < cases[i].pdu; k++)
				buf_u8(b, 0);
			put_echo(b, 0x0030, 1);
		}
		struct drive *d = drive_talk(t, DRIVE_KNOWN, 0);
		/* A break each; told from the second on, given up at the fourth. */
		CU_ASSERT_EQUAL(d->bad, !cases[i].good);
		CU_ASSERT_EQUAL(d->lines, cases[i].good ? 4u : 6u);
		drive_free(d);
		free(t);
	}
}

static void test_second_break_is_told_and_the_fourth_ends_it(void)
{
	struct talk *t = talk_new();
	put_rq(say(t, 0));
	for (int i = 0; i < 5; i++) {
		struct buf *b = say(t, 0);
		buf_str(b, "GET / HTTP/1.1\r\n\r\n");
		put_echo(b, 0x0030, 1);
	}
	check_talk(t, DRIVE_PROBE,
	           RQ_LINE(0) ECHO_RQ_LINE(0, 1) MALFORMED_LINE(0, "type") ECHO_RQ_LINE(0, 1)
	           MALFORMED_LINE(0, "type") ECHO_RQ_LINE(0, 1) MALFORMED_LINE(0, "type"));
	struct drive *d = drive_talk(t, DRIVE_PROBE, 0);
	CU_ASSERT(d->bad);
	drive_free(d);
	free(t);
}

static void test_command_that_never_ends(void)
{
	uint8_t zeros[4096] = { 0 };
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	for (int i = 0; i < 8; i++)
		put_data(b, 1, 1, zeros, sizeof(zeros));
	put_data(b, 1, 3, zeros, 8);
	put_echo(b, 0x0030, 1);
	check_talk(t, DRIVE_KNOWN, MALFORMED_LINE(0, "limit") ECHO_RQ_LINE(0, 1));
	t->turns = 0, b->len = 0;
	b = say(t, 0);
	for (int i = 0; i < 1000; i++)
		put_data(b, 1, 1, NULL, 0);
	put_data(b, 1, 2, zeros, 8);            /* a data set ends it as well */
	put_echo(b, 0x0030, 1);
	check_talk(t, DRIVE_KNOWN, MALFORMED_LINE(0, "limit") ECHO_RQ_LINE(0, 1));
	free(t);
}

static void test_command_of_the_greatest_size(void)
{
	uint8_t *mem = calloc(1, 64 << 10);
	CU_ASSERT_FATAL(mem != NULL);
	for (size_t size = DICOM_COMMAND_MAX; size <= DICOM_COMMAND_MAX + 1; size++) {
		struct talk *t = talk_new();
		struct buf c = buf_over(mem, 32 << 10);
		put_command(&c, 0x0030, 1, 0, false);
		put_element(&c, 0x0902, mem + (32 << 10), size - c.len - 8);
		CU_ASSERT_EQUAL(c.len, size);
		put_data(say(t, 0), 1, 3, c.data, c.len);
		check_talk(t, DRIVE_KNOWN, size > DICOM_COMMAND_MAX ? MALFORMED_LINE(0, "limit") : ECHO_RQ_LINE(0, 1));
		free(t);
	}
	free(mem);
}

static void test_command_interrupted(void)
{
	uint8_t mem[512];
	struct buf c = make_command(mem, sizeof(mem), 0x0030, 9, 0, false);
	struct talk *t = talk_new();
	struct buf *b = say(t, 0);
	put_data(b, 1, 1, c.data, 30);
	put_data(b, 3, 2, c.data, 30);
	put_data(b, 1, 1, c.data, 30);
	put_short(b, 7, 0);
	check_talk(t, DRIVE_KNOWN, MALFORMED_LINE(0, "state") MALFORMED_LINE(0, "state")
	           "0 {\"type\":\"dicom.abort\",\"source\":0,\"reject_reason\":0,\"cause\":\"service-user\"}\n");
	free(t);
}

static void test_command_set_with_a_fault(void)
{
	static const struct { const char *bytes; size_t n; const char *line; } cases[] = {
		{ "", 0, MALFORMED_LINE(0, "syntax") },
		{ "\0\0\0\1\2\0\0", 7, MALFORMED_LINE(0, "length") },
		{ "\0\0\0\1\3\0\0\0\x30\0", 10, MALFORMED_LINE(0, "length") },
		{ "\0\0\0\1\xff\xff\xff\xff\x30\0", 10, MALFORMED_LINE(0, "length") },
		{ "\0\0\0\1\1\0\0\0\x30", 9, MALFORMED_LINE(0, "syntax") },
		{ "\x10\0\x10\0\2\0\0\0AB", 10, MALFORMED_LINE(0, "syntax") },
		{ "\0\0\0\1\2\0\0\0\x30\0\0\0\x10\1\4\0\0\0\1\0\0\0", 22,
		  "0 {\"type\":\"dicom.command\",\"command\":\"C-ECHO-RQ\",\"context_id\":1}\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct talk *t = talk_new();
		put_data(say(t, 0), 1, 3, cases[i].bytes, cases[i].n);
		check_talk(t, DRIVE_KNOWN, cases[i].line);
		free(t);
	}
}

/* ---- probing ---- */

static void test_probe_answers_a_prefix_as_its_continuation(void)
{
	struct talk *t = talk_new();
	put_rq(say(t, 0));
	put_ac(say(t, 0));
	put_echo(say(t, 0), 0x0030, 1);
	put_short(say(t, 0), 3, 0x00010107);
	put_short(say(t, 0), 7, 0x00000200);
	put_short(say(t, 0), 5, 0);
	static const size_t sure[] = { 42, 42, 20, 10, 10, 10 };
	for (unsigned i = 0; i < t->turns; i++) {
		struct span all = turn_bytes(t, i);
		for (size_t n = 0; n <= all.n; n++) {
			uint8_t *exact = drive_copy(all.p, n);
			bool release = i == 5;
			CU_ASSERT_EQUAL(dicom_dissector.probe((struct span){ exact, n }, release),
			                n < sure[i] ? DISSECT_MAYBE : DISSECT_YES);
			if (release && n)
				CU_ASSERT_EQUAL(dicom_dissector.probe((struct span){ exact, n }, false), DISSECT_NO);
			free(exact);
		}
	}
	free(t);
}

static void test_probe_refuses_others(void)
{
	static const struct { const char *bytes; size_t n; } others[] = {
		{ "GET / HTTP/1.1\r\n", 16 },
		{ "\x16\x03\x01\x02\x00\x01", 6 },                              /* TLS */
		{ "\x03\x00\x00\x13\x0e\xe0", 6 },                              /* RDP over TPKT */
		{ "\x01\x00\x00\x05\x00\x00", 6 },                              /* Cassandra v1, too long for -RQ */
		{ "\x04\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00", 12 },     /* Cassandra v4 */
		{ "\x0bMSH|^~\\&|", 10 },
		{ "\x01\x00\x00\x00\x00\x43", 6 },                              /* length 67 */
		{ "\x01\x00\x00\x00\x00\x44\x00\x02", 8 },                      /* version without bit 0 */
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		uint8_t *exact = drive_copy((const uint8_t *)others[i].bytes, others[i].n);
		CU_ASSERT_EQUAL(dicom_dissector.probe((struct span){ exact, others[i].n }, false), DISSECT_NO);
		CU_ASSERT_NOT_EQUAL(dicom_dissector.probe((struct span){ exact, others[i].n }, true), DISSECT_YES);
		free(exact);
	}
	/* Ten bytes like a request's, and binary where the titles belong. */
	uint8_t blob[200] = { 1, 0, 0, 0, 0, 194, 0, 1 };
	CU_ASSERT_EQUAL(dicom_dissector.probe((struct span){ blob, sizeof(blob) }, false), DISSECT_NO);
	/* Mid-stream, what is no DICOM for 4 KiB is none. */
	uint8_t zeros[DISSECT_PROBE_BYTES] = { 0 };
	CU_ASSERT_EQUAL(dicom_dissector.probe((struct span){ zeros, 4095 }, true), DISSECT_MAYBE);
	CU_ASSERT_EQUAL(dicom_dissector.probe((struct span){ zeros, 4096 }, true), DISSECT_NO);
}

/* Reserved bytes are not to be tested (PS3.8 9.3.2); then the application context must vouch for the request. */
static void test_probe_tolerates_reserved_bytes(void)
{
	struct talk *t = talk_new();
	put_rq(say(t, 0));
	t->mem[1] = 0x55;
	struct span all = turn_bytes(t, 0);
	CU_ASSERT_EQUAL(dicom_dissector.probe((struct span){ all.p, 98 }, false), DISSECT_MAYBE);
	CU_ASSERT_EQUAL(dicom_dissector.probe((struct span){ all.p, 99 }, false), DISSECT_YES);
	t->mem[80] ^= 1;
	CU_ASSERT_EQUAL(dicom_dissector.probe((struct span){ all.p, 99 }, false), DISSECT_NO);
	free(t);
}

int main(void)
{
	CU_initialize_registry();
	CU_pSuite s = CU_add_suite("dicom", NULL, NULL);
#define T(name) CU_add_test(s, #name, test_##name)
	T(association_from_request_to_release);
	T(client_is_who_asks);
	T(reject_and_abort);
	T(move_and_its_counters);
	T(every_command_has_its_name);
	T(several_associations_on_one_connection);
	T(command_and_data_set_share_a_pdu);
	T(command_cut_into_fragments);
	T(data_set_is_never_held);
	T(request_split_before_its_tenth_byte);
	T(only_bit_0_of_the_version_counts);
	T(data_pipelined_before_the_accept);
	T(capture_begins_mid_stream);
	T(pdu_ends_a_few_bytes_into_the_next);
	T(one_direction_only);
	T(gap_never_joins_what_is_around_it);
	T(gap_inside_a_data_set_is_counted_off);
	T(every_prefix_says_what_it_holds);
	T(one_wrong_byte_is_survived);
	T(item_past_its_parent);
	T(texts_that_do_not_fit_are_not_admitted);
	T(passcode_never_comes_out);
	T(contexts_and_syntaxes_up_to_their_limits);
	T(items_up_to_their_limit);
	T(length_at_its_limits);
	T(pdv_length_at_its_limits);
	T(second_break_is_told_and_the_fourth_ends_it);
	T(command_that_never_ends);
	T(command_of_the_greatest_size);
	T(command_interrupted);
	T(command_set_with_a_fault);
	T(probe_answers_a_prefix_as_its_continuation);
	T(probe_refuses_others);
	T(probe_tolerates_reserved_bytes);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
