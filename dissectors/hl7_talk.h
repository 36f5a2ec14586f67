/* hl7_talk.h -- for tests only: HL7 messages, what is said of them, and playing both sides in every segmentation. */
#ifndef DISSECTORS_HL7_TALK_H
#define DISSECTORS_HL7_TALK_H

#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#include "dissectors/drive.h"
#include "dissectors/hl7.h"

#define VT "\x0b"
#define FS "\x1c"
#define CR "\r"
#define END FS CR

#define ADT_MSH "MSH|^~\\&|HIS|HOSP|ENGINE|HOSP|20261122093000||ADT^A01^ADT_A01|M1|P|2.5"
#define ADT ADT_MSH CR "EVN|A01|20261122093000" CR "PID|1||TEST1^^^HOSP||TESTCANARY^ONE" CR
#define ORU "MSH|^~\\&|MON|WARD|ENGINE|HOSP|20261122093001||ORU^R01|M2|P|2.6" CR "OBR|1" CR "OBX|1|NM|HR||70" CR
#define ACK1 "MSH|^~\\&|ENGINE|HOSP|HIS|HOSP|20261122093002||ACK^A01|A1|P|2.5" CR "MSA|AA|M1" CR
#define ACK2 "MSH|^~\\&|ENGINE|HOSP|MON|WARD|20261122093002||ACK|A2|P|2.6" CR "MSA|AE|M2" CR

#define J_HIS                                                                                                          \
	"\"sending_app\":\"HIS\",\"sending_facility\":\"HOSP\",\"receiving_app\":\"ENGINE\",\"receiving_facility\":"   \
	"\"HOSP\""
#define J_MON                                                                                                          \
	"\"sending_app\":\"MON\",\"sending_facility\":\"WARD\",\"receiving_app\":\"ENGINE\",\"receiving_facility\":"   \
	"\"HOSP\""
#define J_FRAMING(f) ",\"framing\":\"" f "\""
#define L_ADT_(f)                                                                                                      \
	"0 {\"type\":\"hl7.message\",\"message_type\":\"ADT^A01\",\"control_id\":\"M1\"," J_HIS                        \
	",\"version\":\"2.5\"" f "}\n"
#define L_ORU_(f)                                                                                                      \
	"0 {\"type\":\"hl7.message\",\"message_type\":\"ORU^R01\",\"control_id\":\"M2\"," J_MON                        \
	",\"version\":\"2.6\"" f "}\n"
#define L_ACK1_(paired, f)                                                                                             \
	"1 {\"type\":\"hl7.ack\",\"message_type\":\"ACK^A01\",\"control_id\":\"A1\",\"sending_app\":\"ENGINE\","       \
	"\"sending_facility\":\"HOSP\",\"receiving_app\":\"HIS\",\"receiving_facility\":\"HOSP\",\"version\":\"2.5\"," \
	"\"ack_code\":\"AA\",\"acked_control_id\":\"M1\",\"paired\":" paired f "}\n"
#define L_ACK2_(paired, f)                                                                                             \
	"1 {\"type\":\"hl7.ack\",\"message_type\":\"ACK\",\"control_id\":\"A2\",\"sending_app\":\"ENGINE\","           \
	"\"sending_facility\":\"HOSP\",\"receiving_app\":\"MON\",\"receiving_facility\":\"WARD\",\"version\":\"2.6\"," \
	"\"ack_code\":\"AE\",\"acked_control_id\":\"M2\",\"paired\":" paired f "}\n"
#define L_ADT L_ADT_("")
#define L_ORU L_ORU_("")
#define L_ACK1 L_ACK1_("true", "")
#define L_ACK2 L_ACK2_("true", "")
#define L_SYNTAX "0 {\"type\":\"protocol.malformed\",\"transport\":\"tcp\",\"service\":\"hl7\",\"reason\":\"syntax\"}\n"

struct part {    /* what one side sends, in turn */
	int dir; /* -1 ends; 2 + dir: that many bytes were lost in dir */
	struct span bytes;
};
#define P(dir, text)                                                                                                   \
	{                                                                                                              \
		dir, { (const uint8_t *)(text), sizeof(text) - 1 }                                                     \
	}
#define P_END                                                                                                          \
	{                                                                                                              \
		-1, { NULL, 0 }                                                                                        \
	}

static const size_t segments[] = { 0, 1, 2, 3, 5, 6, 7, 10, 536, 1448 };
enum { SEGMENTS = sizeof(segments) / sizeof(segments[0]) };

static inline struct drive *play(unsigned mode, const struct part *parts, size_t segment)
{
	struct drive *d = drive_new(&hl7_dissector, mode);
	for (; parts->dir >= 0; parts++) {
		if (parts->dir < 2)
			drive_feed(d, (unsigned)parts->dir, parts->bytes, segment);
		else
			drive_gap(d, (unsigned)parts->dir - 2, parts->bytes.n);
	}
	drive_finish(d);
	return d;
}

/* The tokens of contents are looked at where they matter; everywhere else they only must be tokens. */
static inline const char *without_content(struct drive *d)
{
	static char text[DRIVE_TEXT + 1];
	static const char key[] = ",\"content\":\"";
	const char *from = drive_text(d), *at;
	size_t n = 0;
	while ((at = strstr(from, key))) {
		memcpy(text + n, from, (size_t)(at - from));
		n += (size_t)(at - from);
		from = at + sizeof(key) - 1;
		CU_ASSERT(strspn(from, "0123456789abcdef") == TOKEN_LEN && from[TOKEN_LEN] == '"');
		from += TOKEN_LEN + 1;
	}
	memcpy(text + n, from, strlen(from) + 1);
	return text;
}

/* In every segmentation, the same text. */
static inline void expect_parts(unsigned mode, const struct part *parts, const char *want, const char *name)
{
	for (size_t i = 0; i < SEGMENTS; i++) {
		struct drive *d = play(mode, parts, segments[i]);
		const char *got = without_content(d);
		if (strcmp(got, want))
			fprintf(stderr, "%s, segments of %zu:\n%swanted:\n%s", name, segments[i], got, want);
		CU_ASSERT_STRING_EQUAL(got, want);
		drive_free(d);
	}
}
#define EXPECT(mode, want, ...) expect_parts(mode, (const struct part[]){ __VA_ARGS__, P_END }, want, __func__)

#endif
