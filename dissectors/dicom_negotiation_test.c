/* What an association agrees on, how it ends, and which response belongs to which request. */
#include "dissectors/dicom.h"
#include "dissectors/dicom_talk.h"

/* ---- user information items ---- */

static void put_uid16(struct buf *b, const char *uid)
{
	buf_u16be(b, (uint16_t)strlen(uid));
	buf_str(b, uid);
}

/* An A-ASSOCIATE of `type` with one user item of `item`, whose value is `value`. */
static void put_associate_with(struct buf *b, uint8_t type, uint8_t item, struct span value)
{
	size_t pdu = begin_associate(b, type, "CT1", "PACS");
	size_t user = begin_item(b, 0x50);
	size_t at = begin_item(b, item);
	buf_put(b, value.p, value.n);
	end_16(b, at);
	end_16(b, user);
	end_32(b, pdu);
}

#define ASSOCIATE(what, more)                                                                              \
	"0 {\"type\":\"dicom.associate_" what "\",\"calling_ae\":\"CT1\",\"called_ae\":\"PACS\",\"contexts\":[]" \
	more "}\n"
#define MALFORMED "0 {\"type\":\"protocol.malformed\",\"transport\":\"tcp\",\"service\":\"dicom\",\"reason\":\"length\"}\n"

static char *said_of(uint8_t type, uint8_t item, struct span value)
{
	struct talk *t = talk_new();
	put_associate_with(say(t, 0), type, item, value);
	struct drive *d = drive_talk(t, DRIVE_PROBE, 0);
	char *said = strdup(drive_text(d));
	if (!said)
		abort();
	drive_free(d);
	free(t);
	return said;
}

/* The whole value says `expected`, every shorter one that a length is wrong, and nothing of it. */
static void check_item(uint8_t type, uint8_t item, struct span value, const char *expected)
{
	char *said = said_of(type, item, value);
	CU_ASSERT_STRING_EQUAL(said, expected);
	free(said);
	for (size_t n = 0; n < value.n; n++) {
		said = said_of(type, item, (struct span){ value.p, n });
		CU_ASSERT_PTR_NOT_NULL(strstr(said, MALFORMED));
		free(said);
	}
}

static void test_every_user_item(void)
{
	uint8_t mem[512];
	struct buf b = buf_over(mem, sizeof(mem));
	buf_u32be(&b, 131072);
	check_item(1, 0x51, (struct span){ mem, b.len }, ASSOCIATE("request", ",\"max_pdu\":131072"));
	b.len = 0;
	buf_u16be(&b, 50);
	buf_u16be(&b, 0);
	check_item(1, 0x53, (struct span){ mem, b.len },
	           ASSOCIATE("request", ",\"async_invoked\":50,\"async_performed\":0"));
	b.len = 0;
	put_uid16(&b, CT_STORAGE);
	buf_u8(&b, 0);
	buf_u8(&b, 1);
	check_item(1, 0x54, (struct span){ mem, b.len },
	           ASSOCIATE("request", ",\"role_selections\":1,\"scp_roles\":1"));
	mem[b.len - 1] = 0;
	check_item(2, 0x54, (struct span){ mem, b.len }, ASSOCIATE("accept", ",\"role_selections\":1"));
	b.len = 0;
	put_uid16(&b, CT_STORAGE);
	char *said = said_of(1, 0x56, (struct span){ mem, b.len });
	CU_ASSERT_STRING_EQUAL(said, ASSOCIATE("request", ",\"extended_negotiations\":1"));
	free(said);
	check_item(1, 0x56, (struct span){ mem, b.len }, ASSOCIATE("request", ",\"extended_negotiations\":1"));
	b.len = 0;
	put_uid16(&b, CT_STORAGE);
	put_uid16(&b, "1.2.840.10008.4.2");
	buf_u16be(&b, 2 * 19);
	put_uid16(&b, "1.2.840.10008.5.1");
	put_uid16(&b, "1.2.840.10008.5.2");
	check_item(1, 0x57, (struct span){ mem, b.len }, ASSOCIATE("request", ",\"common_extended\":1"));
	b.len = 0;
	buf_u16be(&b, 3);
	buf_str(&b, "yes");
	check_item(2, 0x59, (struct span){ mem, b.len }, ASSOCIATE("accept", ",\"identity_response\":true"));
}

/* A list of related classes whose last entry passes the list's end. */
static void test_related_class_past_its_list(void)
{
	uint8_t mem[64];
	struct buf b = buf_over(mem, sizeof(mem));
	put_uid16(&b, "1.2");
	put_uid16(&b, "1.3");
	buf_u16be(&b, 5);
	put_uid16(&b, "1.2.4");
	char *said = said_of(1, 0x57, (struct span){ mem, b.len });
	CU_ASSERT_PTR_NOT_NULL(strstr(said, MALFORMED));
	free(said);
}

static void test_every_user_identity(void)
{
	static const struct { uint8_t type; const char *primary, *secondary, *word, *credential; } cases[] = {
		{ 1, "CANARY-USER", "", "username", "false" },
		{ 2, "CANARY-USER", "CANARY-PASS", "username-passcode", "true" },
		{ 2, "CANARY-USER", "", "username-passcode", "false" },
		{ 3, "CANARY-TICKET", "", "kerberos", "true" },
		{ 4, "CANARY-ASSERTION", "", "saml", "true" },
		{ 5, "CANARY-TOKEN", "", "jwt", "true" },
		{ 5, "", "", "jwt", "false" },
		{ 6, "CANARY-OTHER", "", "other", "true" },
		{ 0, "CANARY-OTHER", "CANARY", "other", "true" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t mem[256];
		char expected[512];
		struct buf b = buf_over(mem, sizeof(mem));
		buf_u8(&b, cases[i].type);
		buf_u8(&b, (uint8_t)(i & 1));
		put_uid16(&b, cases[i].primary);
		put_uid16(&b, cases[i].secondary);
		snprintf(expected, sizeof(expected),
		         ASSOCIATE("request", ",\"user_identity\":\"%s\",\"credential\":%s,\"identity_response\":%s"),
		         cases[i].word, cases[i].credential, i & 1 ? "true" : "false");
		check_item(1, 0x58, (struct span){ mem, b.len }, expected);
		/* In an accept it has no meaning. */
		char *said = said_of(2, 0x58, (struct span){ mem, b.len });
		CU_ASSERT_STRING_EQUAL(said, ASSOCIATE("accept", ""));
		free(said);
	}
}

static void test_title_like_a_name_is_not_admitted(void)
{
	static const char *const names[] = { "CANARY^TARO", "CANARY=TARO", "CANARY\\A" };
	for (size_t i = 0; i < 3; i++) {
		struct talk *t = talk_new();
		size_t pdu = begin_associate(say(t, 0), 1, names[i], "PACS");
		end_32(&t->b, pdu);
		check_talk(t, DRIVE_PROBE,
		           "0 {\"type\":\"dicom.associate_request\",\"calling_ae\":\"(not admitted)\","
		           "\"called_ae\":\"PACS\",\"contexts\":[]}\n");
		free(t);
	}
}

/* ---- the ends of an association ---- */

static void test_every_reject_and_abort_has_its_cause(void)
{
	static const struct { uint8_t type, source, reason; const char *cause; } cases[] = {
#define X(SYM, name, source, reason) { 3, source, reason, name },
		OBSERVATION_REJECT_LIST(X)
#undef X
#define X(SYM, name, source, reason) { 7, source, reason, name },
		OBSERVATION_ABORT_LIST(X)
#undef X
		{ 3, 1, 4, "reserved" }, { 3, 3, 0, "reserved" }, { 3, 9, 1, "reserved" },
		{ 7, 1, 0, "reserved" }, { 7, 2, 3, "reserved" }, { 7, 0, 6, "service-user" },
	};
	CU_ASSERT_EQUAL(sizeof(cases) / sizeof(cases[0]), 8 + 7 + 6);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char expected[256];
		struct talk *t = talk_new();
		bool reject = cases[i].type == 3;
		put_short(say(t, 0), cases[i].type, (reject ? 0x10000u : 0) | (uint32_t)cases[i].source << 8 | cases[i].reason);
		snprintf(expected, sizeof(expected), "0 {\"type\":\"dicom.%s\",%s\"source\":%u,\"reject_reason\":%u,\"cause\":\"%s\"}\n",
		         reject ? "associate_reject" : "abort", reject ? "\"result\":1," : "", cases[i].source,
		         cases[i].reason, cases[i].cause);
		check_talk(t, DRIVE_KNOWN, expected);
		free(t);
	}
}

#define RELEASE(dir, what, more) #dir " {\"type\":\"dicom.release\",\"release\":\"" what "\"" more "}\n"

static void test_release_collision(void)
{
	struct talk *t = talk_new();
	put_short(say(t, 0), 5, 0);
	put_short(say(t, 1), 5, 0);
	put_short(say(t, 0), 6, 0);
	put_short(say(t, 1), 6, 0);
	/* The next association of the connection is released by the other side: no collision. */
	put_short(say(t, 1), 5, 0);
	put_short(say(t, 0), 6, 0);
	check_talk(t, DRIVE_KNOWN,
	           RELEASE(0, "request", "") RELEASE(1, "request", ",\"collision\":true") RELEASE(0, "response", "")
	           RELEASE(1, "response", "") RELEASE(1, "request", "") RELEASE(0, "response", ""));
	free(t);
}

/* ---- operations ---- */

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;
	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void put_message(struct buf *b, uint16_t code, uint16_t id, uint16_t status)
{
	uint8_t mem[512];
	struct buf c = make_command(mem, sizeof(mem), code, id, status, false);
	put_data(b, 1, 3, c.data, c.len);
}

/* Fifty stores in turn, answered in the opposite order. */
static void test_fifty_outstanding(void)
{
	struct talk *t = talk_new();
	for (uint16_t id = 5; id < 55; id++)
		put_message(id == 5 ? say(t, 0) : &t->b, 0x0001, id, 0);
	for (uint16_t id = 54; id >= 5; id--)
		put_message(id == 54 ? say(t, 1) : &t->b, 0x8001, id, 0);
	put_message(&t->b, 0x8001, 54, 0);
	struct drive *d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_EQUAL(count(drive_text(d), "\"paired\":true"), 50);
	CU_ASSERT_EQUAL(count(drive_text(d), "C-STORE-RSP"), 51);
	drive_free(d);
	free(t);
}

static void test_oldest_is_displaced(void)
{
	struct talk *t = talk_new();
	for (uint16_t id = 1; id <= DICOM_OPERATIONS + 1; id++)
		put_message(id == 1 ? say(t, 0) : &t->b, 0x0020, id, 0);
	for (uint16_t id = 1; id <= DICOM_OPERATIONS + 1; id++)
		put_message(id == 1 ? say(t, 1) : &t->b, 0x8020, id, 0);
	struct drive *d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_EQUAL(count(drive_text(d), "\"paired\":true"), DICOM_OPERATIONS);
	CU_ASSERT_PTR_NULL(strstr(drive_text(d), "\"responded_id\":1,\"sop_class\":\"" VERIFICATION
	                                         "\",\"status\":\"0x0000\",\"data_set\":false,\"paired\""));
	drive_free(d);
	free(t);
}

#define MESSAGE(dir, name, id, more)                                                                                  \
	#dir " {\"type\":\"dicom.command\",\"command\":\"" name "\",\"context_id\":1," id ",\"sop_class\":\"" VERIFICATION \
	"\"" more "}\n"
#define REQUEST(dir, name, id) MESSAGE(dir, name, "\"message_id\":" #id, ",\"data_set\":false")
#define RESPONSE(dir, name, id, status, more) \
	MESSAGE(dir, name, "\"responded_id\":" #id, ",\"status\":\"" status "\",\"data_set\":false" more)

static void test_pending_responses_are_counted(void)
{
	struct talk *t = talk_new();
	put_message(say(t, 0), 0x0020, 9, 0);
	put_message(say(t, 1), 0x8020, 9, 0xff00);
	put_message(say(t, 1), 0x8020, 9, 0xff01);
	put_message(say(t, 0), 0x0fff, 9, 0);
	put_message(say(t, 1), 0x8020, 9, 0xfe00);
	put_message(say(t, 0), 0x0fff, 9, 0);           /* too late */
	put_message(say(t, 1), 0x8020, 9, 0x0000);      /* to nothing */
	check_talk(t, DRIVE_KNOWN,
	           REQUEST(0, "C-FIND-RQ", 9) RESPONSE(1, "C-FIND-RSP", 9, "0xff00", ",\"paired\":true,\"outcome\":\"pending\"")
	           RESPONSE(1, "C-FIND-RSP", 9, "0xff01", ",\"paired\":true,\"outcome\":\"pending\"")
	           MESSAGE(0, "C-CANCEL-RQ", "\"responded_id\":9", ",\"data_set\":false,\"paired\":true")
	           RESPONSE(1, "C-FIND-RSP", 9, "0xfe00", ",\"paired\":true,\"outcome\":\"cancel\",\"pending\":2")
	           MESSAGE(0, "C-CANCEL-RQ", "\"responded_id\":9", ",\"data_set\":false")
	           RESPONSE(1, "C-FIND-RSP", 9, "0x0000", ",\"outcome\":\"success\""));
	free(t);
}

/* C-GET: the same ids run in both directions. */
static void test_direction_belongs_to_the_id(void)
{
	struct talk *t = talk_new();
	put_message(say(t, 0), 0x0010, 1, 0);
	put_message(say(t, 1), 0x0001, 1, 0);
	put_message(say(t, 0), 0x8001, 1, 0xb000);
	put_message(say(t, 1), 0x8010, 1, 0xa702);
	put_message(say(t, 0), 0x8010, 1, 0x7777);
	check_talk(t, DRIVE_KNOWN,
	           REQUEST(0, "C-GET-RQ", 1) REQUEST(1, "C-STORE-RQ", 1)
	           RESPONSE(0, "C-STORE-RSP", 1, "0xb000", ",\"paired\":true,\"outcome\":\"warning\"")
	           RESPONSE(1, "C-GET-RSP", 1, "0xa702", ",\"paired\":true,\"outcome\":\"failure\"")
	           RESPONSE(0, "C-GET-RSP", 1, "0x7777", ",\"outcome\":\"unknown\""));
	free(t);
}

/* An id that is used again after what it stood for may have been answered unseen. */
static void test_nothing_is_paired_across_associations_or_gaps(void)
{
	struct talk *t = talk_new();
	put_message(say(t, 0), 0x0030, 1, 0);
	put_ac(say(t, 1));
	put_message(&t->b, 0x8030, 1, 0);
	struct drive *d = drive_talk(t, DRIVE_KNOWN, 0);
	CU_ASSERT_EQUAL(count(drive_text(d), "paired"), 0);
	drive_free(d);
	t->turns = 0, t->b.len = 0;
	put_message(say(t, 0), 0x0030, 1, 0);
	put_message(say(t, 1), 0x8030, 1, 0);
	for (unsigned dir = 0; dir < 2; dir++) {
		d = drive_new(&dicom_dissector, DRIVE_KNOWN);
		drive_feed(d, 0, turn_bytes(t, 0), 0);
		drive_gap(d, dir, 0);
		drive_feed(d, 1, turn_bytes(t, 1), 0);
		CU_ASSERT_EQUAL(count(drive_text(d), "C-ECHO"), 2);
		CU_ASSERT_EQUAL(count(drive_text(d), "paired"), 0);
		drive_free(d);
	}
	free(t);
}

static void test_more_of_the_command_set(void)
{
	uint8_t mem[512];
	struct talk *t = talk_new();
	struct buf c = buf_over(mem, sizeof(mem));
	size_t at = begin_command(&c);
	put_us(&c, 0x0100, 0x0001);
	put_us(&c, 0x0110, 3);
	put_us(&c, 0x0800, 0x0101);
	put_element(&c, 0x1000, "../../etc/x", 11);
	put_us(&c, 0x1002, 2);
	put_us(&c, 0x1008, 4);
	put_element(&c, 0x1030, "WS1 ", 4);
	put_us(&c, 0x1031, 77);
	end_command(&c, at);
	put_data(say(t, 0), 1, 3, c.data, c.len);
	check_talk(t, DRIVE_KNOWN,
	           "0 {\"type\":\"dicom.command\",\"command\":\"C-STORE-RQ\",\"context_id\":1,\"message_id\":3,"
	           "\"data_set\":false,\"originator_ae\":\"WS1\",\"originator_id\":77,\"event_type_id\":2,"
	           "\"action_type_id\":4,\"instance_uid_valid\":false}\n");
	free(t);
}

static void test_outcomes(void)
{
	static const struct { uint16_t status; const char *word; } cases[] = {
		{ 0x0000, "success" }, { 0xff00, "pending" }, { 0xff01, "pending" }, { 0xfe00, "cancel" }, { 0x0001, "warning" },
		{ 0x0107, "warning" }, { 0x0116, "warning" }, { 0xb000, "warning" }, { 0xbfff, "warning" }, { 0x0106, "failure" },
		{ 0x0122, "failure" }, { 0x0124, "failure" }, { 0x0210, "failure" }, { 0xa801, "failure" }, { 0xc000, "failure" },
		{ 0xffff, "unknown" }, { 0x0300, "unknown" }, { 0x1000, "unknown" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char wanted[64];
		struct talk *t = talk_new();
		put_message(say(t, 0), 0x8001, 1, cases[i].status);
		struct drive *d = drive_talk(t, DRIVE_KNOWN, 0);
		snprintf(wanted, sizeof(wanted), "\"outcome\":\"%s\"}", cases[i].word);
		CU_ASSERT_PTR_NOT_NULL(strstr(drive_text(d), wanted));
		drive_free(d);
		free(t);
	}
}

int main(void)
{
	CU_initialize_registry();
	CU_pSuite s = CU_add_suite("dicom negotiation and operations", NULL, NULL);
#define T(name) CU_add_test(s, #name, test_##name)
	T(every_user_item);
	T(related_class_past_its_list);
	T(every_user_identity);
	T(title_like_a_name_is_not_admitted);
	T(every_reject_and_abort_has_its_cause);
	T(release_collision);
	T(fifty_outstanding);
	T(oldest_is_displaced);
	T(pending_responses_are_counted);
	T(direction_belongs_to_the_id);
	T(nothing_is_paired_across_associations_or_gaps);
	T(more_of_the_command_set);
	T(outcomes);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
