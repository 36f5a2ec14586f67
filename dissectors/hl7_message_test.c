/* Covers: R013 R015 R056 */
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "dissectors/hl7_talk.h"

#define MSH_(type, id, rest) "MSH|^~\\&|HIS|HOSP|LAB|HOSP|20261122||" type "|" id "|P|2.5" rest CR
#define J_HEAD(type, id)                                                                                               \
	"\"message_type\":\"" type "\",\"control_id\":\"" id "\",\"sending_app\":\"HIS\","                             \
	"\"sending_facility\":\"HOSP\",\"receiving_app\":\"LAB\",\"receiving_facility\":\"HOSP\",\"version\":\"2.5\""
#define L_MSG(type, id, more) "0 {\"type\":\"hl7.message\"," J_HEAD(type, id) more "}\n"
#define L_DEVICE(more) "0 {\"type\":\"hl7.device\"," more "}\n"

static struct span fed(const char *s, size_t n) { return (struct span){ (const uint8_t *)s, n }; }

/* The value of `key` in line `line` of what was said; "" when there is none. Room for four at a time. */
static const char *value(struct drive *d, int line, const char *key)
{
	static char room[4][128];
	static unsigned turn;
	char *out = room[turn++ % 4], quoted[64];
	const char *at = drive_text(d);
	out[0] = 0;
	while (line-- && at)
		at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
	(void)snprintf(quoted, sizeof(quoted), "\"%s\":\"", key);
	const char *end = at ? strchr(at, '\n') : NULL, *v = at ? strstr(at, quoted) : NULL;
	if (!v || !end || v > end)
		return out;
	v += strlen(quoted);
	(void)snprintf(out, sizeof(room[0]), "%.*s", (int)strcspn(v, "\""), v);
	return out;
}

/* ---- characters ---- */

static void bytes_of_characters_are_not_delimiters(void)
{
	/* Shift-JIS: 83H 7CH (katakana PO), 83H 5CH (SO), 83H 5EH (TA) hold | \ ^; declared, so that MSH-18 is found behind
	 * them. */
	EXPECT(DRIVE_PROBE,
	       "0 {\"type\":\"hl7.message\",\"message_type\":\"ADT^A01\",\"control_id\":\"9\",\"sending_app\":\"(not "
	       "admitted)\","
	       "\"sending_facility\":\"HOSP\",\"version\":\"2.5\",\"charset\":\"SHIFT_JIS\"}\n",
	       P(0, VT "MSH|^~\\&|\x83\x7c\x83\x5c\x83\x5e\xe0\x7c|HOSP|||20261122||ADT^A01|9|P|2.5||||||SHIFT_JIS" CR
		       "PID|1" CR END));
	/* GB 18030 and Big5 pairs */
	EXPECT(DRIVE_PROBE,
	       "0 {\"type\":\"hl7.message\",\"message_type\":\"ADT^A01\",\"control_id\":\"9\",\"sending_app\":\"(not "
	       "admitted)\","
	       "\"sending_facility\":\"HOSP\",\"version\":\"2.5\",\"charset\":\"GB 18030-2000\"}\n",
	       P(0, VT "MSH|^~\\&|\xc3\x7c\xfe\x5e|HOSP|||20261122||ADT^A01|9|P|2.5||||||GB 18030-2000" CR
		       "PID|1" CR END));
	/* Nothing declared: kanji of Shift-JIS are followed, letters of ISO 8859-1 and UTF-8 left alone. */
	EXPECT(DRIVE_PROBE,
	       "0 {\"type\":\"hl7.message\",\"message_type\":\"ADT^A01\",\"control_id\":\"9\",\"sending_app\":\"(not "
	       "admitted)\","
	       "\"sending_facility\":\"HOSP\",\"version\":\"2.5\"}\n",
	       P(0, VT "MSH|^~\\&|\x83\x7c\x90\x5c|HOSP|||20261122||ADT^A01|9|P|2.5" CR "PID|1" CR END));
	EXPECT(DRIVE_PROBE,
	       "0 {\"type\":\"hl7.message\",\"message_type\":\"ADT^A01\",\"control_id\":\"9\",\"sending_app\":\"(not "
	       "admitted)\","
	       "\"sending_facility\":\"(not admitted)\",\"receiving_app\":\"R\",\"version\":\"2.5\"}\n",
	       P(0, VT "MSH|^~\\&|Andr\xe9|\xe9\x83\xa8|R||20261122||ADT^A01|9|P|2.5" CR "PID|1" CR END));
	/* Declared ISO 8859-1: nothing pairs, not even 83H. */
	EXPECT(DRIVE_PROBE,
	       "0 {\"type\":\"hl7.message\",\"message_type\":\"ADT^A01\",\"control_id\":\"9\",\"sending_app\":\"(not "
	       "admitted)\","
	       "\"sending_facility\":\"HOSP\",\"version\":\"2.5\",\"charset\":\"8859/1\"}\n",
	       P(0, VT "MSH|^~\\&|\x83|HOSP|||20261122||ADT^A01|9|P|2.5||||||8859/1" CR "PID|1" CR END));
}

static void obx_18_is_found_behind_such_characters(void)
{
	/* Fields are counted over kanji that look like |, declared or escaped, and over a base64 text. */
	EXPECT(DRIVE_PROBE,
	       L_DEVICE("\"sending_app\":\"HIS\",\"device_from\":\"OBX-18\",\"device_id\":\"D1\"")
		       L_MSG("ORU^R01", "1", ",\"charset\":\"SJIS\""),
	       P(0,
		 VT MSH_("ORU^R01", "1", "||||||SJIS") "OBX|1|TX|A^\x83\x7c|2|\x83\x7c\x83\x7c|||||||||||||D1" CR END));
	EXPECT(DRIVE_PROBE,
	       L_DEVICE("\"sending_app\":\"HIS\",\"device_from\":\"OBX-18\",\"device_id\":\"D1\"")
		       L_MSG("ORU^R01", "1", ",\"charset\":\"~ISO IR87\""),
	       P(0, VT MSH_("ORU^R01", "1", "||||||~ISO IR87") "OBX|1|TX|A|2|\x1b$B||||\x1b(B|||||||||||||D1" CR END));
	/* kana in seven bits, JIS X 0212, and an escape that is none */
	EXPECT(DRIVE_PROBE,
	       L_DEVICE("\"sending_app\":\"HIS\",\"device_from\":\"OBX-18\",\"device_id\":\"D1\"")
		       L_MSG("ORU^R01", "1", ""),
	       P(0, VT MSH_("ORU^R01", "1", "") "OBX|1|TX|\x1b(I|\x1b(J|\x1b$(D||\x1b(B|\x1b$|||||||||||||D1" CR END));
	/* A state that is never ended ends with the segment. */
	EXPECT(DRIVE_PROBE,
	       L_DEVICE("\"sending_app\":\"HIS\",\"device_from\":\"OBX-18\",\"device_id\":\"D1\"")
		       L_MSG("ORU^R01", "1", ""),
	       P(0, VT MSH_("ORU^R01", "1", "") "OBX|1|TX|A||\x1b$B||||" CR "OBX|2|||||||||||||||||D1|x|y" CR END));
}

static void escape_sequences_of_fields(void)
{
	static const struct {
		const char *app, *want;
	} cases[] = {
		{ "A\\T\\B", "A&B" },
		{ "A\\S\\B", "(not admitted)" },
		{ "A\\X2F\\B", "A/B" },
		{ "A\\X2f\\B", "A/B" },
		{ "A\\F\\B", "(not admitted)" },
		{ "A\\R\\B", "(not admitted)" },
		{ "A\\E\\B", "(not admitted)" },
		{ "A\\Xg0\\B", "(not admitted)" },
		{ "A\\.br\\B", "(not admitted)" },
		{ "A\\T", "(not admitted)" },
		{ "A\\Z\\B", "(not admitted)" },
		{ "\\", "(not admitted)" },
		{ "0123456789012345678901234567890123456789012345678901234567890123",
		  "0123456789012345678901234567890123456789012345678901234567890123" },
		{ "01234567890123456789012345678901234567890123456789012345678901234", "(not admitted)" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		(void)snprintf(text, sizeof(text), VT "MSH|^~\\&|%s|||||ADT^A01|1|P|2.5" CR END, cases[i].app);
		struct drive *d = drive_new(&hl7_dissector, DRIVE_KNOWN);
		drive_feed(d, 0, span_str(text), 0);
		CU_ASSERT_STRING_EQUAL(value(d, 0, "sending_app"), cases[i].want);
		drive_free(d);
	}
}

/* ---- acknowledgements ---- */

static void only_the_code_of_an_error_is_said(void)
{
	static const struct {
		const char *rest, *want;
	} cases[] = {
		{ "MSA|AE|1||||207^TESTCANARY^HL70357" CR, "207" },
		{ "MSA|AE|1" CR "ERR||PID^1^5|101^Required^HL70357|E|||TESTCANARY" CR, "101" },
		{ "MSA|AE|1||||207" CR "ERR||PID^1^5|101" CR "ERR|||102" CR, "101" },
		{ "MSA|AE|1" CR "ERR|PID^1^5^204&Unknown key&HL70357" CR, "204" },
		{ "MSA|AE|1||||TESTCANARY" CR, "" },
		{ "MSA|AE|1||||1234567" CR, "" },
		{ "MSA|AE|1||||TOOLONG1" CR, "" },
		{ "MSA|AE|1||||APP12" CR, "APP12" },
		{ "MSA|AE|1||||E" CR, "" },
		{ "MSA|AE|1||||12a" CR, "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		(void)snprintf(text, sizeof(text), VT MSH_("ACK", "2", "") "%s" END, cases[i].rest);
		struct drive *d = drive_new(&hl7_dissector, DRIVE_KNOWN);
		drive_feed(d, 0, span_str(text), 1);
		CU_ASSERT_STRING_EQUAL(value(d, 0, "error_code"), cases[i].want);
		CU_ASSERT_PTR_NULL(strstr(drive_text(d), "TESTCANARY"));
		drive_free(d);
	}
}

static void what_is_asked_for_is_said(void)
{
	EXPECT(DRIVE_PROBE, L_MSG("ADT^A01", "1", ",\"accept_ack\":\"AL\",\"application_ack\":\"NE\""),
	       P(0, VT MSH_("ADT^A01", "1", "|||AL|NE") CR END));
	EXPECT(DRIVE_PROBE, L_MSG("ADT^A01", "1", ",\"accept_ack\":\"ER\",\"application_ack\":\"SU\""),
	       P(0, VT MSH_("ADT^A01", "1", "|||ER|SU") CR END));
	EXPECT(DRIVE_PROBE, L_MSG("ADT^A01", "1", ",\"accept_ack\":\"other\""),
	       P(0, VT MSH_("ADT^A01", "1", "|||X|\"\"") CR END));
}

static void ids_too_long_to_say_still_pair(void)
{
	char text[512], id[100];
	memset(id, '7', sizeof(id) - 1);
	id[sizeof(id) - 1] = 0;
	struct drive *d = drive_new(&hl7_dissector, DRIVE_KNOWN);
	(void)snprintf(text, sizeof(text), VT "MSH|^~\\&|||||||ADT^A01|%s|P|2.5" CR "PID|1" CR END, id);
	drive_feed(d, 0, span_str(text), 0);
	(void)snprintf(text, sizeof(text), VT "MSH|^~\\&|||||||ACK|a|P|2.5" CR "MSA|AA|%s" CR END, id);
	drive_feed(d, 1, span_str(text), 0);
	CU_ASSERT_STRING_EQUAL(value(d, 0, "control_id"), "(not admitted)");
	CU_ASSERT_STRING_EQUAL(value(d, 1, "acked_control_id"), "(not admitted)");
	CU_ASSERT_PTR_NOT_NULL(strstr(drive_text(d), "\"paired\":true"));
	drive_free(d);
}

/* ---- content and orders ---- */

static void content_is_all_but_time_and_number(void)
{
	static const char *const messages[] = {
		"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5" CR "PID|1||X" CR, /* the first */
		"MSH|^~\\&|A|B|C|D|20260102||ADT^A01|2|P|2.5" CR "PID|1||X" CR, /* the same */
		"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5" CR "PID|1||Y" CR, /* others, from here on */
		"MSH|^~\\&|A|B|C|D|20260101||ADT^A02|1|P|2.5" CR "PID|1||X" CR,
		"MSH|^~\\&|A|B|C|E|20260101||ADT^A01|1|P|2.5" CR "PID|1||X" CR,
		"MSH|^~\\&|AB||C|D|20260101||ADT^A01|1|P|2.5" CR "PID|1||X" CR,
	};
	char first[TOKEN_LEN + 1] = "";
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		for (size_t k = 0; k < SEGMENTS; k++) {
			struct drive *d = drive_new(&hl7_dissector, DRIVE_KNOWN);
			drive_feed(d, 0, span_str(VT), segments[k]);
			drive_feed(d, 0, span_str(messages[i]), segments[k]);
			drive_feed(d, 0, span_str(END), segments[k]);
			const char *content = value(d, 0, "content");
			CU_ASSERT(strlen(content) == TOKEN_LEN);
			if (!i && !k)
				memcpy(first, content, sizeof(first));
			CU_ASSERT((strcmp(first, content) == 0) == (i < 2));
			drive_free(d);
		}
	}
}

#define ORDER(dose) "ORC|NW|4711^HIS|F8" CR "OBR|1|4711^HIS|F8|CODE" CR "NTE|1||" dose CR

static void orders_are_tokens(void)
{
	/* the same; another dose; another patient; a second order in the message; only OBR */
	static const char *const bodies[] = {
		"PID|1||A" CR ORDER("5 mg"),
		"PID|1||A" CR ORDER("5 mg"),
		"PID|1||A" CR ORDER("50 mg"),
		"PID|1||B" CR ORDER("5 mg"),
		"PID|1||A" CR ORDER("5 mg") "ORC|CA|4712" CR "OBR|2||F9" CR,
		"PID|1||A" CR "OBR|1|4711|F8|CODE" CR,
	};
	char order[TOKEN_LEN + 1] = "", filler[TOKEN_LEN + 1] = "", content[TOKEN_LEN + 1] = "";
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		char text[512];
		(void)snprintf(text, sizeof(text), VT MSH_("ORM^O01", "1", "") "%s" END, bodies[i]);
		for (size_t k = 0; k < SEGMENTS; k++) {
			struct drive *d = drive_new(&hl7_dissector, DRIVE_KNOWN);
			drive_feed(d, 0, span_str(text), segments[k]);
			CU_ASSERT_PTR_NULL(strstr(drive_text(d), "4711"));
			CU_ASSERT(d->lines == (i == 4 ? 3u : 2u));
			if (!i && !k) {
				memcpy(order, value(d, 0, "order"), sizeof(order));
				memcpy(filler, value(d, 0, "filler_order"), sizeof(filler));
				memcpy(content, value(d, 0, "content"), sizeof(content));
				CU_ASSERT(strlen(order) == TOKEN_LEN && strlen(filler) == TOKEN_LEN &&
					  strlen(content) == TOKEN_LEN);
				CU_ASSERT(strcmp(order, filler) != 0);
			}
			CU_ASSERT_STRING_EQUAL(value(d, 0, "order"), order);
			CU_ASSERT_STRING_EQUAL(value(d, 0, "filler_order"), filler);
			CU_ASSERT_STRING_EQUAL(value(d, 0, "order_control"), i == 5 ? "" : "NW");
			/* A further order in the message does not change the first. */
			CU_ASSERT((strcmp(value(d, 0, "content"), content) == 0) == (i < 2 || i == 4));
			if (i == 4) {
				CU_ASSERT_STRING_EQUAL(value(d, 1, "order_control"), "CA");
				CU_ASSERT(strcmp(value(d, 1, "order"), order) != 0 &&
					  strlen(value(d, 1, "filler_order")) == TOKEN_LEN);
			}
			drive_free(d);
		}
	}
	/* Results carry the order's numbers too, and are no orders; orders without a number say nothing. */
	EXPECT(DRIVE_PROBE, L_MSG("ORU^R01", "1", ""), P(0, VT MSH_("ORU^R01", "1", "") "PID|1" CR ORDER("5 mg") END));
	EXPECT(DRIVE_PROBE, L_MSG("ORM^O01", "1", ""),
	       P(0, VT MSH_("ORM^O01", "1", "") "ORC|NW" CR "OBR|1" CR "ORC|CA|||" CR END));
}

static void more_than_64_orders_are_partial(void)
{
	for (unsigned n = 64; n <= 65; n++) {
		struct drive *d = drive_new(&hl7_dissector, DRIVE_KNOWN);
		drive_feed(d, 0, span_str(VT MSH_("RDE^O11", "1", "")), 0);
		for (unsigned i = 0; i < n; i++) {
			char text[32];
			(void)snprintf(text, sizeof(text), "ORC|NW|%u" CR, i);
			drive_feed(d, 0, span_str(text), 0);
		}
		drive_feed(d, 0, span_str(END), 0);
		CU_ASSERT_EQUAL(d->lines, 64 + 1);
		CU_ASSERT((strstr(drive_text(d), "\"partial\":true") != NULL) == (n > 64));
		drive_free(d);
	}
}

/* ---- devices ---- */

static void equipment_of_obx_18(void)
{
	static const struct {
		const char *ei, *want;
	} cases[] = {
		{ "ACDE48234567ABCD^AcmeInc.^ACDE48234567ABCD^EUI-64",
		  "\"device_id\":\"ACDE48234567ABCD\",\"device_authority\":\"AcmeInc.\",\"eui64\":"
		  "\"acde48234567abcd\"" },
		{ "MON^^AC-DE-48-23-45-67-AB-CD^EUI64", "\"device_id\":\"MON\",\"eui64\":\"acde48234567abcd\"" },
		{ "ACDE48234567ABCD^EUI-64", "\"eui64\":\"acde48234567abcd\"" },
		{ "Hospira Plum A+", "\"device_id\":\"Hospira Plum A+\"" },
		{ "X^Y^ACDE48234567ABC^EUI-64", "\"device_id\":\"X\",\"device_authority\":\"Y\"" },
		{ "X^Y^ACDE48234567ABCDE^EUI-64", "\"device_id\":\"X\",\"device_authority\":\"Y\"" },
		{ "X^Y^ACDE48234567ABCG^EUI-64", "\"device_id\":\"X\",\"device_authority\":\"Y\"" },
		{ "A~B", "\"device_id\":\"A\"" },
		{ "<x>^{y}", "\"device_id\":\"(not admitted)\",\"device_authority\":\"(not admitted)\"" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512], want[512];
		(void)snprintf(text, sizeof(text), VT MSH_("ORU^R01", "1", "") "OBX|1|||||||||||||||||%s" CR END,
			       cases[i].ei);
		(void)snprintf(want, sizeof(want),
			       L_DEVICE("\"sending_app\":\"HIS\",\"device_from\":\"OBX-18\",%s")
				       L_MSG("ORU^R01", "1", ""),
			       cases[i].want);
		const struct part parts[] = { { 0, span_str(text) }, P_END };
		expect_parts(DRIVE_KNOWN, parts, want, cases[i].ei);
	}
	/* none, also where the segment ends early or goes on */
	EXPECT(DRIVE_PROBE, L_MSG("ORU^R01", "1", ""),
	       P(0, VT MSH_("ORU^R01", "1", "") "OBX|1|||||||||||||||||" CR "OBX" CR "OBX|" CR
						"OBX|1||||||||||||||||||x" CR END));
}

static void a_device_is_said_once_while_it_is_remembered(void)
{
	struct drive *d = drive_new(&hl7_dissector, DRIVE_KNOWN);
	char text[256];
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 16; i++) {
			(void)snprintf(text, sizeof(text),
				       VT MSH_("ORU^R01", "1", "") "OBX|1|||||||||||||||||D%u" CR
								   "OBX|2|||||||||||||||||D%u" CR END,
				       i, i);
			drive_feed(d, 0, span_str(text), 0);
		}
		CU_ASSERT_EQUAL(d->lines, 16 * (round + 1) + 16);
	}
	drive_free(d);
	/* At most 16 of one message. */
	d = drive_new(&hl7_dissector, DRIVE_KNOWN);
	drive_feed(d, 0, span_str(VT MSH_("ORU^R01", "1", "")), 0);
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(text, sizeof(text), "OBX|1|||||||||||||||||D%u" CR, i);
		drive_feed(d, 0, span_str(text), 0);
	}
	CU_ASSERT_EQUAL(d->lines, 16);
	drive_free(d);
}

static void equipment_of_prt(void)
{
	static const struct {
		const char *prt, *want;
	} cases[] = {
		/* role, PRT-10, PRT-16, PRT-20 */
		{ "PRT|1|UC||EQUIP^^HL70912||||||(01)00643169001763(17)160712(21)21A11F4855||||||00643169001763|"
		  "20140401|20160712|LOT1|21A11F4855|DONATION",
		  "\"serial\":\"21A11F4855\",\"device_from\":\"PRT-16\",\"udi_device\":\"00643169001763\"" },
		{ "PRT|1|UC||EQUIP||||||(01)00643169001763(10)LOT1",
		  "\"device_from\":\"PRT-10\",\"udi_device\":\"00643169001763\"" },
		{ "PRT|1|UC||EQUIP||||||0100643169001763",
		  "\"device_from\":\"PRT-10\",\"udi_device\":\"00643169001763\"" },
		{ "PRT|1|UC||EQUIP||||||+H123PARTNO1234567890120/$$420020216LOT",
		  "\"device_from\":\"PRT-10\",\"udi_device\":\"+H123PARTNO1234567890120\"" },
		{ "PRT|1|UC||EQUIP||||||PUMP-1^ICU^ACDE48234567ABCD^EUI-64",
		  "\"device_from\":\"PRT-10\",\"device_id\":\"PUMP-1\",\"device_authority\":\"ICU\",\"eui64\":"
		  "\"acde48234567abcd\"" },
		/* not equipment; a wrong check digit; blood; nothing */
		{ "PRT|1|UC||AT|DOCTOR^TESTCANARY|||||(01)00643169001763", NULL },
		{ "PRT|1|UC||EQUIP||||||(01)00643169001764", NULL },
		{ "PRT|1|UC||EQUIP||||||=/A9999XYZ100T0944=,000025=A99971312345600", NULL },
		{ "PRT|1|UC||EQUIP", NULL },
		{ "PRT", NULL },
		{ "PRT|1|UC||EQUIP||||||+/", "\"device_from\":\"PRT-10\",\"device_id\":\"+/\"" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512], want[512] = "";
		(void)snprintf(text, sizeof(text), VT MSH_("ORU^R01", "1", "") "%s" CR END, cases[i].prt);
		if (cases[i].want)
			(void)snprintf(want, sizeof(want), "0 {\"type\":\"hl7.device\",\"sending_app\":\"HIS\",%s}\n",
				       cases[i].want);
		/* JSON has the table's order: the serial stands before where it was found. */
		(void)snprintf(want + strlen(want), sizeof(want) - strlen(want), "%s", L_MSG("ORU^R01", "1", ""));
		const struct part parts[] = { { 0, span_str(text) }, P_END };
		expect_parts(DRIVE_KNOWN, parts, want, cases[i].prt);
	}
}

static void software_of_sft(void)
{
	EXPECT(DRIVE_PROBE,
	       "0 "
	       "{\"type\":\"hl7.device\",\"sending_app\":\"HIS\",\"manufacturer\":\"Maker\",\"model\":\"Engine\","
	       "\"software\":\"4.2.1\","
	       "\"device_from\":\"SFT\",\"binary_id\":\"b-77\"}\n" L_MSG("ADT^A01", "1", ""),
	       P(0, VT MSH_("ADT^A01", "1", "") "SFT|Maker^D|4.2.1|Engine|b-77|TESTCANARY|20260101" CR "PID|1" CR END));
	/* In the message's character set, as UTF-8; what is not of it is not admitted. */
	EXPECT(DRIVE_PROBE,
	       "0 "
	       "{\"type\":\"hl7.device\",\"sending_app\":\"HIS\",\"manufacturer\":\"\xe5\xb1\xb1\",\"software\":\"1\","
	       "\"device_from\":\"SFT\"}\n" L_MSG("ADT^A01", "1", ",\"charset\":\"~ISO IR87\""),
	       P(0, VT MSH_("ADT^A01", "1", "||||||~ISO IR87") "SFT|\x1b$B;3\x1b(B|1" CR "PID|1" CR END));
	EXPECT(DRIVE_PROBE,
	       "0 "
	       "{\"type\":\"hl7.device\",\"sending_app\":\"HIS\",\"manufacturer\":\"\xe3\x83\x9d\",\"software\":\"1\","
	       "\"device_from\":\"SFT\"}\n" L_MSG("ADT^A01", "1", ",\"charset\":\"SJIS\""),
	       P(0, VT MSH_("ADT^A01", "1", "||||||SJIS") "SFT|\x83\x7c|1" CR "PID|1" CR END));
	EXPECT(DRIVE_PROBE,
	       "0 "
	       "{\"type\":\"hl7.device\",\"sending_app\":\"HIS\",\"manufacturer\":\"\xc3\xa9\",\"software\":\"1\","
	       "\"device_from\":\"SFT\"}\n" L_MSG("ADT^A01", "1", ",\"charset\":\"8859/1\""),
	       P(0, VT MSH_("ADT^A01", "1", "||||||8859/1") "SFT|\xe9|1" CR "PID|1" CR END));
	EXPECT(DRIVE_PROBE,
	       "0 {\"type\":\"hl7.device\",\"sending_app\":\"HIS\",\"manufacturer\":\"(not "
	       "admitted)\",\"software\":\"1\",\"device_from\":\"SFT\"}\n" L_MSG("ADT^A01", "1", ""),
	       P(0, VT MSH_("ADT^A01", "1", "") "SFT|\xe9|1" CR "PID|1" CR END));
	EXPECT(DRIVE_PROBE, L_MSG("ADT^A01", "1", ""),
	       P(0, VT MSH_("ADT^A01", "1", "") "SFT||||" CR "SFT" CR "PID|1" CR END));
}

/* ---- makers ---- */

static void makers_are_named(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "MSH|^~\\&|MINDRAY_EGATEWAY^00A037EB2175780F^EUI-64|MINDRAY|||2026||ORU^R01^ORU_R01|1|P|2.6" CR,
		  "mindray-egateway" },
		{ "MSH|^~\\&|Mindray_eGateway|WARD|||2026||ORU^R01|1|P|2.3.1" CR, "mindray-egateway" },
		{ "MSH|^~\\&|Mindray|Gateway|||2026||QRY^A19|2|P|2.3.1" CR, "mindray-pds" },
		{ "MSH|^~\\&|Mindray|BS-200E|||2026||ORU^R01|1|P|2.3.1" CR, "mindray-analyzer" },
		{ "MSH|^~\\&|Mindray|BC-5380|||2026||ORU^R01|1|P|2.3.1" CR, "mindray-analyzer" },
		{ "MSH|^~\\&|Mindray|LAB|||2026||ORU^R01|1|P|2.3.1" CR, "" },
		{ "MSH|^~\\&|NIHON KOHDEN|NIHON KOHDEN|C|F|2026||ORU^R01^ORU_R01|1|P|2.4" CR, "nihon-kohden" },
		{ "MSH|^~\\&|NIHON KOHDEN|HOSP|C|F|2026||ORU^R01^ORU_R01|1|P|2.4" CR, "" },
		{ "MSH|^~\\&|^EfficiaCM||||2026||ORU^R01^ORU_R01|1|P|2.4" CR, "philips-efficia" },
		{ "MSH|^~\\&|A^EfficiaCM||||2026||ORU^R01^ORU_R01|1|P|2.4" CR, "" },
		{ "MSH|^~\\&|VM||||2026||ORU^R01|1|P|2.4" CR "OBX||NM|0002-4bb8^SpO2^MDIL||98" CR, "philips-mdil" },
		{ "MSH|^~\\&|VM||||2026||ORU^R01|1|P|2.4" CR "OBX||NM|8867-4^HR^LN||98" CR, "" },
		{ "MSH|^~\\&|MINDRA||||2026||ORU^R01|1|P|2.4" CR, "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t k = 0; k < SEGMENTS; k++) {
			struct drive *d = drive_new(&hl7_dissector, DRIVE_KNOWN);
			drive_feed(d, 0, span_str(VT), segments[k]);
			drive_feed(d, 0, span_str(cases[i].text), segments[k]);
			drive_feed(d, 0, span_str(END), segments[k]);
			CU_ASSERT_STRING_EQUAL(value(d, 0, "vendor_profile"), cases[i].want);
			drive_free(d);
		}
}

static void efficia_says_its_serial_number(void)
{
	static const struct {
		const char *id, *want;
	} cases[] = {
		{ "MONITORABC000000002D", "MONITORABC" },
		{ "MONITORABC00000000ZZ", "" },
		{ "MONITORABC000000002", "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		(void)snprintf(text, sizeof(text), VT "MSH|^~\\&|^EfficiaCM||||2026||ORU^R01^ORU_R01|%s|P|2.4" CR END,
			       cases[i].id);
		struct drive *d = drive_new(&hl7_dissector, DRIVE_KNOWN);
		drive_feed(d, 0, span_str(text), 0);
		CU_ASSERT_STRING_EQUAL(value(d, 0, "serial"), cases[i].want);
		CU_ASSERT(strstr(drive_text(d), "\"device_from\":\"MSH-10\"") == NULL || cases[i].want[0]);
		drive_free(d);
	}
}

/* Whatever stands in the segments of a patient, nothing of it is said; the canary in OBX-18, which is admitted, is. */
static void nothing_of_a_patient_is_said(void)
{
	static const char text[] = VT MSH_(
		"ORM^O01", "1", "||||||~ISO IR87") "EVN|A01||||CANARY" CR
						   "PID|1|CANARY|CANARY|CANARY|CANARY^\x1b$B;3\x1b(B|CANARY|19010101" CR
						   "NK1|1|CANARY" CR "PV1|1|CANARY||||||CANARY" CR "IN1|1|CANARY" CR
						   "MRG|CANARY" CR "NTE|1||CANARY" CR "AL1|1||CANARY" CR
						   "DG1|1||CANARY" CR "ORC|NW|CANARY1|CANARY2|||||||CANARY||CANARY" CR
						   "OBR|1|CANARY1|CANARY2|CANARY||||||CANARY||||||CANARY" CR
						   "OBX|1|ST|CANARY|CANARY|CANARY||||||||||CANARY|CANARY|CANARY" CR
						   "PRT|1|UC||AT|CANARY|||||CANARY" CR
						   "ERR||CANARY|CANARY|E||CANARY|CANARY|CANARY" CR
						   "SFT|V|1|P|B|CANARY" CR "ZZZ|CANARY" CR
						   "CANARY" CR END VT MSH_("ACK", "2", "") "MSA|AE|1|CANARY|||CANARY" CR
											   "QRD|CANARY" CR END;
	for (size_t k = 0; k < SEGMENTS; k++) {
		struct drive *d = drive_new(&hl7_dissector, DRIVE_KNOWN);
		drive_feed(d, 0, fed(text, sizeof(text) - 1), segments[k]);
		drive_finish(d);
		CU_ASSERT(d->lines == 4); /* order, software, message, acknowledgement */
		CU_ASSERT_PTR_NULL(strstr(drive_text(d), "CANARY"));
		drive_free(d);
	}
	struct drive *d = drive_new(&hl7_dissector, DRIVE_KNOWN);
	drive_feed(d, 0, span_str(VT MSH_("ORU^R01", "1", "") "OBX|1|||||||||||||||||CANARY" CR END), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(drive_text(d), "CANARY"));
	drive_free(d);
}

/* Every prefix, and every byte wrong in turn: survived, and the same however it is cut. */
static void every_prefix_and_every_wrong_byte(void)
{
	static const char text[] =
		VT "MSH|^~\\&|^EfficiaCM|\x83\x7c|||2026||ORM^O01|MONITORABC000000002D|P|2.4|||AL|NE||SJIS" CR
		   "SFT|V\\T\\|1|P|B" CR "PID|1" CR "ORC|NW|1|2" CR "OBR|1|1|2" CR
		   "OBX|1|NM|A^B^MDIL||\x83\x7c\x1b$B||\x1b(B|||||||||||||D^E^0123456789abcdef^EUI-64|x" CR
		   "PRT|1|UC||EQUIP||||||(01)00643169001763||||||00643169001763||||S1" CR END VT
		   "MSH|^~\\&|||||||ACK|2" CR "MSA|AE|MONITORABC000000002D||||E1" CR "ERR|||207" CR FS;
	static const uint8_t wrong[] = { 0x0b, 0x1c, 0x0d, 0x1b, 0x83, '|', 'M', 0xff };
	size_t whole_n = sizeof(text) - 1;
	for (size_t n = 0; n <= whole_n; n++) {
		struct drive *whole = drive_new(&hl7_dissector, DRIVE_KNOWN),
			     *bytes = drive_new(&hl7_dissector, DRIVE_KNOWN);
		drive_feed(whole, 0, fed(text, n), 0);
		drive_feed(bytes, 0, fed(text, n), 1);
		drive_finish(whole);
		drive_finish(bytes);
		CU_ASSERT_STRING_EQUAL(drive_text(whole), drive_text(bytes));
		drive_free(whole);
		drive_free(bytes);
	}
	for (size_t n = 0; n < whole_n; n++)
		for (size_t w = 0; w < sizeof(wrong); w++) {
			char copy[sizeof(text)];
			memcpy(copy, text, sizeof(copy));
			copy[n] = (char)wrong[w];
			struct drive *whole = drive_new(&hl7_dissector, DRIVE_KNOWN),
				     *bytes = drive_new(&hl7_dissector, DRIVE_KNOWN);
			drive_feed(whole, 0, fed(copy, whole_n), 0);
			drive_feed(bytes, 0, fed(copy, whole_n), 1 + n % 7);
			drive_finish(whole);
			drive_finish(bytes);
			CU_ASSERT_STRING_EQUAL(drive_text(whole), drive_text(bytes));
			drive_free(whole);
			drive_free(bytes);
		}
}

int main(void)
{
	static CU_TestInfo tests[] = {
#define T(name) { #name, name }
		T(bytes_of_characters_are_not_delimiters),
		T(obx_18_is_found_behind_such_characters),
		T(escape_sequences_of_fields),
		T(only_the_code_of_an_error_is_said),
		T(what_is_asked_for_is_said),
		T(ids_too_long_to_say_still_pair),
		T(content_is_all_but_time_and_number),
		T(orders_are_tokens),
		T(more_than_64_orders_are_partial),
		T(equipment_of_obx_18),
		T(a_device_is_said_once_while_it_is_remembered),
		T(equipment_of_prt),
		T(software_of_sft),
		T(makers_are_named),
		T(efficia_says_its_serial_number),
		T(nothing_of_a_patient_is_said),
		T(every_prefix_and_every_wrong_byte),
		CU_TEST_INFO_NULL,
	};
	return test_run("hl7_message", tests);
}
