/* What a data set says of the device it comes from, and an identifier of what is asked for; and nothing of a patient. */
#include "dissectors/dicom.h"
#include "dissectors/dicom_talk.h"

/* ---- building data sets ---- */

enum syntax { IMPLICIT, EXPLICIT, BIG };

struct set {
	uint8_t mem[40 << 10];
	struct buf b;
	enum syntax syntax;
};

static struct set *set_new(enum syntax syntax)
{
	struct set *s = malloc(sizeof(*s));
	if (!s)
		abort();
	s->b = buf_over(s->mem, sizeof(s->mem));
	s->syntax = syntax;
	return s;
}

static void put16(struct set *s, unsigned v)
{
	buf_u8(&s->b, (uint8_t)(s->syntax == BIG ? v >> 8 : v));
	buf_u8(&s->b, (uint8_t)(s->syntax == BIG ? v : v >> 8));
}

static void put32(struct set *s, uint32_t v)
{
	put16(s, s->syntax == BIG ? v >> 16 : v & 0xffff);
	put16(s, s->syntax == BIG ? v & 0xffff : v >> 16);
}

static void put_header(struct set *s, uint32_t tag, const char *vr, uint32_t length)
{
	put16(s, tag >> 16);
	put16(s, tag & 0xffff);
	if (s->syntax == IMPLICIT || tag >> 16 == 0xfffe) {
		put32(s, length);
		return;
	}
	buf_put(&s->b, vr, 2);
	if (strstr("OB OD OF OL OV OW SQ SV UC UN UR UT UV ZZ", vr)) {
		put16(s, 0);
		put32(s, length);
	} else {
		put16(s, length);
	}
}

static void put_value(struct set *s, uint32_t tag, const char *vr, const void *value, size_t n)
{
	put_header(s, tag, vr, (uint32_t)(n + (n & 1)));
	buf_put(&s->b, value, n);
	if (n & 1)
		buf_u8(&s->b, vr[0] == 'U' && vr[1] == 'I' ? 0 : ' ');
}

static void put_text(struct set *s, uint32_t tag, const char *vr, const char *text)
{
	put_value(s, tag, vr, text, strlen(text));
}

static const uint32_t OPEN = 0xffffffff, ITEM = 0xfffee000, ITEM_END = 0xfffee00d, SEQUENCE_END = 0xfffee0dd;

static void put_image(struct set *s)
{
	put_text(s, 0x00080005, "CS", "ISO_IR 100");
	put_text(s, 0x00080016, "UI", CT_STORAGE);
	put_text(s, 0x00080060, "CS", "CT");
	put_text(s, 0x00080070, "LO", "M\xfcller & Co");
	put_text(s, 0x00080080, "LO", "Hospital A");
	put_text(s, 0x00080090, "PN", "CANARY^REFERRER");
	put_text(s, 0x00081010, "SH", "ROOM 1");
	put_text(s, 0x00081030, "LO", "CANARY STUDY");
	put_header(s, 0x00081032, "SQ", OPEN);
	put_header(s, ITEM, "", OPEN);
	put_text(s, 0x00080070, "LO", "CANARY NESTED");
	put_header(s, ITEM_END, "", 0);
	put_header(s, SEQUENCE_END, "", 0);
	put_text(s, 0x00081090, "LO", "Model 9");
	put_text(s, 0x00091001, "ZZ", "CANARY PRIVATE");
	put_text(s, 0x00100010, "PN", "CANARY^PATIENT");
	put_text(s, 0x00181000, "LO", "SN-77");
	put_text(s, 0x00181002, "UI", "1.2.3");
	put_text(s, 0x00181020, "LO", "1.0\\2.0b ");
	put_text(s, 0x00200010, "SH", "CANARY");
}

#define IMAGE_FIELDS                                                                                              \
	",\"modality\":\"CT\",\"manufacturer\":\"M\xc3\xbcller & Co\",\"model\":\"Model 9\",\"serial\":\"SN-77\"," \
	"\"software\":\"1.0;2.0b\",\"station\":\"ROOM 1\",\"institution\":\"Hospital A\",\"device_uid\":\"1.2.3\""
#define DATASET(encoding, more)                                                                                     \
	"{\"type\":\"dicom.dataset\",\"command\":\"C-STORE-RQ\",\"context_id\":1,\"message_id\":7" encoding more "}\n"
#define CHARSET(name) ",\"charset\":\"" name "\""
#define IN(name) ",\"encoding\":\"" name "\""
#define FAULT(why) "{\"type\":\"protocol.malformed\",\"transport\":\"tcp\",\"service\":\"dicom\",\"reason\":\"" why "\"}\n"

static const struct dicom_message store = { .id = 7, .command = OBSERVATION_C_STORE_RQ, .context_id = 1, .has_id = true };
static const struct dicom_message create = { .id = 7, .command = OBSERVATION_N_CREATE_RQ, .context_id = 1, .has_id = true };
static const struct dicom_message find = { .id = 7, .command = OBSERVATION_C_FIND_RQ, .context_id = 1, .has_id = true };

/* ---- reading them ---- */

struct said {
	struct dissect_scratch scratch;
	uint8_t text[8192];
	struct buf out;
};

static void hear(void *arg, struct observation *o)
{
	struct said *s = arg;
	CU_ASSERT(!vocab_json(&observation_vocab, &o->head, &s->out) && !buf_str(&s->out, "\n"));
}

/* Says the head from an exact block; the line, valid until the next call, and what is needed. */
static const char *say_head(struct span head, enum dicom_dataset_end end, const struct dicom_message *m, size_t *ret_need)
{
	static struct said s;
	struct dissect_ctx ctx = { .scratch = &s.scratch, .emit = hear, .arg = &s };
	uint8_t *exact = drive_copy(head.p, head.n);
	int fault = DICOM_SOUND;
	s.out = buf_over(s.text, sizeof(s.text) - 1);
	memset(&s.scratch, 0xa5, sizeof(s.scratch));
	*ret_need = dicom_dataset((struct span){ exact, head.n }, end, m, &ctx, &fault);
	static const char *const faults[] = { "length", "type", "syntax", "limit", "gap", "state" };
	if (!*ret_need && fault != DICOM_SOUND)
		buf_printf(&s.out, FAULT("%s"), faults[fault]);
	s.text[s.out.len] = 0;
	free(exact);
	return (const char *)s.text;
}

/* Whole it says `expected`. While more may come, each prefix needs more than it has, or says the same already; cut, it says
 * something in which no canary is. */
static void check_set(const struct set *s, const struct dicom_message *m, const char *expected)
{
	size_t need;
	CU_ASSERT_FATAL(!s->b.full);
	const char *said = say_head(buf_span(&s->b), DICOM_DATASET_WHOLE, m, &need);
	CU_ASSERT_STRING_EQUAL(said, expected);
	if (strcmp(said, expected))
		fprintf(stderr, "said:   %s\nwanted: %s\n", said, expected);
	CU_ASSERT_EQUAL(need, 0);
	for (size_t n = 0; n < s->b.len; n += n < 2000 ? 1 : 97) {
		said = say_head((struct span){ s->mem, n }, DICOM_DATASET_OPEN, m, &need);
		CU_ASSERT(need ? need > n && !*said : !strcmp(said, expected));
		for (enum dicom_dataset_end end = DICOM_DATASET_WHOLE; end <= DICOM_DATASET_CUT; end++) {
			said = say_head((struct span){ s->mem, n }, end, m, &need);
			CU_ASSERT(!need && !strstr(said, "CANARY"));
		}
	}
}

static void check_identity(const struct set *s, const char *expected) { check_set(s, &store, expected); }

/* In a stored block (RFC 1951 3.2.4). */
static struct set *deflated(const struct set *s)
{
	struct set *d = set_new(EXPLICIT);
	buf_u8(&d->b, 1);
	put16(d, (unsigned)s->b.len);
	put16(d, (unsigned)~s->b.len & 0xffff);
	buf_put(&d->b, s->mem, s->b.len);
	return d;
}

static void test_every_encoding(void)
{
	static const char *const names[] = { IN("implicit-little-endian"), IN("explicit-little-endian"), IN("explicit-big-endian") };
	for (enum syntax syntax = IMPLICIT; syntax <= BIG; syntax++) {
		char expected[1024];
		struct set *s = set_new(syntax);
		put_image(s);
		snprintf(expected, sizeof(expected), DATASET(CHARSET("ISO_IR 100") "%s", "%s"), names[syntax], IMAGE_FIELDS);
		check_identity(s, expected);
		free(s);
	}
	struct set *s = set_new(EXPLICIT);
	put_image(s);
	struct set *d = deflated(s);
	check_identity(d, DATASET(CHARSET("ISO_IR 100") IN("deflated"), IMAGE_FIELDS));
	free(d);
	free(s);
}

static void test_what_is_no_data_set(void)
{
	static const char *const heads[] = { "GET / HTTP/1.1\r\n", "\x07zzzzzzzzzzz", "\x08\0\x60\0\1\0\1\0zzzz", "\0\0\0\0\0\0\0\0\0" };
	for (size_t i = 0; i < 4; i++) {
		size_t need;
		CU_ASSERT_STRING_EQUAL(say_head((struct span){ (const uint8_t *)heads[i], 9 }, DICOM_DATASET_CUT, &store, &need),
		                       DATASET(IN("unknown"), ",\"partial\":true"));
		CU_ASSERT_EQUAL(need, 0);
	}
	size_t need;
	CU_ASSERT_STRING_EQUAL(say_head((struct span){ 0 }, DICOM_DATASET_WHOLE, &store, &need), "");
	CU_ASSERT_EQUAL(need, 0);
}

static void test_japanese(void)
{
	struct set *s = set_new(EXPLICIT);
	put_text(s, 0x00080005, "CS", "\\ISO 2022 IR 87");
	/* The second kanji has the byte 5C, which is no backslash here. */
	put_text(s, 0x00080080, "LO", "\x1b$BIB1!\x1b(B A\x1b$B@\\\x1b(B");
	put_text(s, 0x00100010, "PN", "CANARY^TARO=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B");
	put_text(s, 0x00181020, "LO", "1.0");
	check_identity(s, DATASET(CHARSET("~ISO 2022 IR 87") IN("explicit-little-endian"),
	                          ",\"software\":\"1.0\",\"institution\":\"\xe7\x97\x85\xe9\x99\xa2 A\xe6\x8e\xa5\""));
	s->b.len = 0;
	put_text(s, 0x00080005, "CS", "ISO_IR 192");
	put_text(s, 0x00080080, "LO", "\xe7\x97\x85\xe9\x99\xa2");
	put_text(s, 0x00181020, "LO", "");
	check_identity(s, DATASET(CHARSET("ISO_IR 192") IN("explicit-little-endian"), ",\"institution\":\"\xe7\x97\x85\xe9\x99\xa2\""));
	free(s);
}

/* What is like a name does not come out, wherever somebody wrote it. */
static void test_names_in_admitted_fields(void)
{
	struct set *s = set_new(EXPLICIT);
	put_text(s, 0x00080060, "CS", "CANARY^A");
	put_text(s, 0x00080070, "LO", "CANARY^TARO");
	put_text(s, 0x00080080, "LO", "A=CANARY");
	put_text(s, 0x00081010, "SH", "CANARY\tX");
	put_text(s, 0x00181002, "UI", "CANARY");
	put_text(s, 0x00181020, "LO", "");
	size_t need;
	CU_ASSERT_STRING_EQUAL(say_head(buf_span(&s->b), DICOM_DATASET_WHOLE, &store, &need),
	                       DATASET(IN("explicit-little-endian"), ",\"modality\":\"(not admitted)\","
	                               "\"manufacturer\":\"(not admitted)\",\"station\":\"CANARY\xef\xbf\xbdX\","
	                               "\"institution\":\"(not admitted)\",\"device_uid\":\"(not admitted)\""));
	free(s);
}

static void test_longest_texts(void)
{
	char text[1100];
	struct set *s = set_new(EXPLICIT);
	memset(text, 'A', sizeof(text));
	put_value(s, 0x00080070, "LO", text, 1024);     /* as much as has room */
	put_value(s, 0x00080080, "LO", text, 1026);     /* too long to be held */
	put_text(s, 0x00181020, "LO", "1");
	size_t need;
	const char *said = say_head(buf_span(&s->b), DICOM_DATASET_WHOLE, &store, &need);
	CU_ASSERT(strspn(strstr(said, "AAA"), "A") == 192 && !strstr(said, "institution"));
	free(s);
}

/* Sequences of every form in front of what is looked for, in each encoding. */
static void test_sequences(void)
{
	for (enum syntax syntax = IMPLICIT; syntax <= BIG; syntax++) {
		struct set *s = set_new(syntax);
		put_text(s, 0x00080060, "CS", "MR");
		put_header(s, 0x00081110, "SQ", 0);
		put_header(s, 0x00081111, "SQ", 8 + 8 + 2);     /* an item of defined length, no matter what is in it */
		put_header(s, ITEM, "", 10);
		buf_put(&s->b, "\1\2\3\4\5\6\7\10\11\12", 10);
		put_header(s, 0x00081115, "SQ", OPEN);
		put_header(s, ITEM, "", 8 + 8);
		put_header(s, 0x00081150, syntax == IMPLICIT ? "" : "SH", 8);
		buf_put(&s->b, "ABCDEFGH", 8);
		put_header(s, ITEM, "", OPEN);
		put_header(s, 0x00081199, "SQ", OPEN);
		put_header(s, SEQUENCE_END, "", 0);
		put_header(s, ITEM_END, "", 0);
		put_header(s, SEQUENCE_END, "", 0);
		/* PS3.5 6.2.2: UN of undefined length is in implicit little endian inside, whatever is outside. */
		put_header(s, 0x00091000, "UN", OPEN);
		s->syntax = IMPLICIT;
		put_header(s, ITEM, "", OPEN);
		put_text(s, 0x00091001, "", "CANARY");
		put_header(s, ITEM_END, "", 0);
		put_header(s, SEQUENCE_END, "", 0);
		s->syntax = syntax;
		put_header(s, 0x00110010, "OB", syntax == IMPLICIT ? 2 : OPEN);
		if (syntax == IMPLICIT) {
			buf_put(&s->b, "xx", 2);
		} else {                        /* encapsulated: fragments, which hold no elements */
			put_header(s, ITEM, "", 0);
			put_header(s, ITEM, "", 4);
			buf_put(&s->b, "\xff\xff\xff\xff", 4);
			put_header(s, SEQUENCE_END, "", 0);
		}
		put_text(s, 0x00181020, "LO", "5");
		size_t need;
		const char *said = say_head(buf_span(&s->b), DICOM_DATASET_WHOLE, &store, &need);
		CU_ASSERT_PTR_NOT_NULL(strstr(said, ",\"modality\":\"MR\",\"software\":\"5\"}\n"));
		if (!strstr(said, "software"))
			fprintf(stderr, "%d %s", syntax, said);
		free(s);
	}
}

static void test_nesting_to_the_limit(void)
{
	for (unsigned depth = DICOM_WALK_DEPTH / 2; depth <= DICOM_WALK_DEPTH / 2 + 1; depth++) {
		struct set *s = set_new(EXPLICIT);
		put_text(s, 0x00080060, "CS", "CT");
		for (unsigned i = 0; i < depth; i++) {
			put_header(s, 0x00081140, "SQ", OPEN);
			put_header(s, ITEM, "", OPEN);
		}
		for (unsigned i = 0; i < depth; i++) {
			put_header(s, ITEM_END, "", 0);
			put_header(s, SEQUENCE_END, "", 0);
		}
		put_text(s, 0x00181020, "LO", "5");
		check_identity(s, depth * 2 <= DICOM_WALK_DEPTH
		                          ? DATASET(IN("explicit-little-endian"), ",\"modality\":\"CT\",\"software\":\"5\"")
		                          : DATASET(IN("explicit-little-endian"), ",\"modality\":\"CT\",\"partial\":true") FAULT("limit"));
		free(s);
	}
}

static void check_fault(void (*put)(struct set *s), const char *why)
{
	char expected[512];
	struct set *s = set_new(EXPLICIT);
	put_text(s, 0x00080060, "CS", "CT");
	put(s);
	put_text(s, 0x00181020, "LO", "5");
	snprintf(expected, sizeof(expected), DATASET(IN("explicit-little-endian"), ",\"modality\":\"CT\",\"partial\":true") FAULT("%s"), why);
	check_identity(s, expected);
	free(s);
}

static void put_descending(struct set *s) { put_text(s, 0x00080050, "SH", "CANARY"); }
static void put_no_vr(struct set *s) { put_header(s, 0x00080061, "c\1", 6), buf_put(&s->b, "CANARY", 6); }
static void put_bad_rest(struct set *s) { put_header(s, 0x00080061, "XY", 6), buf_put(&s->b, "CANARY", 6); }
static void put_too_long(struct set *s) { put_header(s, 0x00080061, "OB", 1 << 20); }
static void put_open_text(struct set *s) { put_header(s, 0x00080061, "UT", OPEN); }
static void put_lone_end(struct set *s) { put_header(s, ITEM_END, "", 0); }
static void put_lone_item(struct set *s) { put_header(s, ITEM, "", 0); }
static void put_no_item(struct set *s) { put_header(s, 0x00080061, "SQ", OPEN), put_text(s, 0x00080070, "LO", "CANARY"); }
static void put_past_item(struct set *s)
{
	put_header(s, 0x00080061, "UN", OPEN);
	s->syntax = IMPLICIT;
	put_header(s, ITEM, "", OPEN);
	put_header(s, 0x00080060, "", OPEN);
	put_header(s, ITEM, "", OPEN);
	put_header(s, ITEM, "", 0);
	s->syntax = EXPLICIT;
}
static void put_open_fragment(struct set *s)
{
	put_header(s, 0x00080061, "OB", OPEN);
	put_header(s, ITEM, "", OPEN);
}

static void test_every_fault(void)
{
	check_fault(put_descending, "syntax");
	check_fault(put_no_vr, "syntax");
	check_fault(put_bad_rest, "syntax");
	check_fault(put_too_long, "length");
	check_fault(put_open_text, "length");
	check_fault(put_lone_end, "syntax");
	check_fault(put_lone_item, "syntax");
	check_fault(put_no_item, "syntax");
	check_fault(put_past_item, "syntax");
	check_fault(put_open_fragment, "length");
}

/* Lengths of sequences, items and values inside them, one byte beyond their parent's end. */
static void test_child_past_its_parent(void)
{
	for (unsigned which = 0; which < 4; which++) {
		struct set *s = set_new(EXPLICIT);
		put_text(s, 0x00080052, "CS", "STUDY");
		put_header(s, 0x00081110, "SQ", which == 0 ? 23 : which == 3 ? 12 : 24);
		put_header(s, ITEM, "", which == 1 ? 17 : 16);
		put_header(s, 0x00081150, "SH", which == 2 ? 9 : 8);
		buf_put(&s->b, "CANARY  ", 8);
		put_text(s, 0x0020000d, "UI", "");
		size_t need;
		const char *said = say_head(buf_span(&s->b), DICOM_DATASET_WHOLE, &find, &need);
		CU_ASSERT(strstr(said, "\"partial\":true") && strstr(said, FAULT("length")) && !strstr(said, "sweep"));
		free(s);
	}
}

static void test_any_wrong_byte(void)
{
	struct set *s = set_new(EXPLICIT);
	put_image(s);
	for (unsigned wrap = 0; wrap < 2; wrap++) {
		struct set *d = wrap ? deflated(s) : s;
		for (size_t i = 0; i < d->b.len; i++) {
			for (unsigned v = 0; v < 256; v += 51) {
				size_t need;
				uint8_t was = d->mem[i];
				d->mem[i] = (uint8_t)(was ^ v);
				(void)say_head(buf_span(&d->b), DICOM_DATASET_WHOLE, i & 1 ? &store : &find, &need);
				CU_ASSERT_EQUAL(need, 0);
				d->mem[i] = was;
			}
		}
		if (wrap)
			free(d);
	}
	free(s);
}

static void test_performed_procedure_step(void)
{
	struct set *s = set_new(EXPLICIT);
	put_text(s, 0x00080060, "CS", "US");
	put_text(s, 0x00100010, "PN", "CANARY^A");
	put_text(s, 0x00400241, "AE", "US1");
	put_text(s, 0x00400242, "SH", "Ultrasound 1");
	size_t need;
	CU_ASSERT_STRING_EQUAL(say_head(buf_span(&s->b), DICOM_DATASET_WHOLE, &create, &need),
	                       "{\"type\":\"dicom.dataset\",\"command\":\"N-CREATE-RQ\",\"context_id\":1,\"message_id\":7"
	                       IN("explicit-little-endian") ",\"modality\":\"US\",\"station\":\"Ultrasound 1\",\"station_ae\":\"US1\"}\n");
	free(s);
}

/* ---- queries ---- */

#define QUERY(encoding, more) \
	"{\"type\":\"dicom.query\",\"command\":\"C-FIND-RQ\",\"context_id\":1,\"message_id\":7" encoding more "}\n"

static void test_keys(void)
{
	for (enum syntax syntax = IMPLICIT; syntax <= EXPLICIT; syntax++) {
		char expected[1024];
		struct set *s = set_new(syntax);
		put_text(s, 0x00080000, "UL", "abcd");
		put_text(s, 0x00080005, "CS", "ISO_IR 100");
		put_text(s, 0x00080020, "DA", "20240101-");
		put_text(s, 0x00080052, "CS", "STUDY ");
		put_text(s, 0x00080061, "CS", "CT\\MR");
		put_text(s, 0x00090010, "LO", "CANARY");
		put_text(s, 0x00100010, "PN", "CANARY*");
		put_text(s, 0x00100020, "LO", "*");
		put_text(s, 0x00100030, "DA", "");
		put_text(s, 0x00101000, "LO", "??*");
		put_text(s, 0x0020000d, "UI", "");
		snprintf(expected, sizeof(expected), QUERY("%s", ",\"query_level\":\"STUDY\","
		         "\"match_keys\":\"StudyDate,ModalitiesInStudy,00090010,PatientName\","
		         "\"wildcard_keys\":\"PatientID,OtherPatientIDs\",\"keys\":8,\"sweep\":false"),
		         syntax == IMPLICIT ? IN("implicit-little-endian") : IN("explicit-little-endian"));
		check_set(s, &find, expected);
		free(s);
	}
}

static void test_sweep(void)
{
	struct set *s = set_new(IMPLICIT);
	put_text(s, 0x00080052, "CS", "PATIENT");
	put_text(s, 0x00100010, "PN", "*");
	put_text(s, 0x00100020, "LO", "");
	check_set(s, &find, QUERY(IN("implicit-little-endian"), ",\"query_level\":\"PATIENT\",\"wildcard_keys\":\"PatientName\","
	                          "\"keys\":2,\"sweep\":true"));
	s->b.len = 0;
	put_text(s, 0x00080052, "CS", "HOSPITAL");
	check_set(s, &find, QUERY(IN("implicit-little-endian"), ",\"query_level\":\"other\",\"keys\":0,\"sweep\":true"));
	free(s);
}

/* A worklist asks by what stands in a sequence. */
static void test_worklist(void)
{
	for (unsigned i = 0; i < 4; i++) {
		char expected[1024];
		struct set *s = set_new(i & 1 ? EXPLICIT : IMPLICIT);
		bool open = i & 2;
		put_text(s, 0x00080052, "CS", "");
		put_text(s, 0x00100010, "PN", "");
		put_header(s, 0x00321064, "SQ", 0);
		put_header(s, 0x00400100, "SQ", open ? OPEN : 42);
		put_header(s, ITEM, "", open ? OPEN : 34);
		put_text(s, 0x00080060, "CS", "CT");
		put_text(s, 0x00400001, "AE", "*");
		put_text(s, 0x00400002, "DA", "20240101");
		put_text(s, 0x00400003, "TM", "");
		if (open) {
			put_header(s, ITEM_END, "", 0);
			put_header(s, SEQUENCE_END, "", 0);
		} else {
			uint8_t *n = s->mem + s->b.len;
			size_t length = 8 * 4 + 2 + 2 + 8;
			n[-(ptrdiff_t)length - 4] = (uint8_t)length;
			n[-(ptrdiff_t)length - 12] = (uint8_t)(length + 8);
		}
		put_text(s, 0x00401001, "SH", "");
		snprintf(expected, sizeof(expected), QUERY("%s", ",\"match_keys\":\"Modality,ScheduledProcedureStepStartDate\","
		         "\"wildcard_keys\":\"ScheduledStationAETitle\",\"keys\":7,\"sweep\":false"),
		         i & 1 ? IN("explicit-little-endian") : IN("implicit-little-endian"));
		check_set(s, &find, expected);
		free(s);
	}
}

/* More names than there is room for, and a value that is too long to be read. */
static void test_many_keys(void)
{
	struct set *s = set_new(EXPLICIT);
	for (uint32_t i = 0; i < 80; i++)
		put_text(s, 0x00120010 + i, "LO", i & 1 ? "*" : "CANARY");
	put_header(s, 0x00140010, "OB", 1026);
	for (unsigned i = 0; i < 1026; i++)
		buf_u8(&s->b, '*');
	size_t need;
	const char *said = say_head(buf_span(&s->b), DICOM_DATASET_WHOLE, &find, &need);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "\"match_keys\":\"00120010,00120012,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "00120046\",\"wildcard_keys\":\"00120011,"));
	CU_ASSERT(strstr(said, "\"keys\":81,\"sweep\":false") && !strstr(said, "CANARY"));
	s->b.len = 0;
	put_header(s, 0x00140010, "OB", 1026);
	for (unsigned i = 0; i < 1026; i++)
		buf_u8(&s->b, '*');
	said = say_head(buf_span(&s->b), DICOM_DATASET_WHOLE, &find, &need);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "\"match_keys\":\"00140010\",\"keys\":1,\"sweep\":false"));
	free(s);
}

/* ---- in fragments ---- */

#define STORE_RQ                                                                                                  \
	"0 {\"type\":\"dicom.command\",\"command\":\"C-STORE-RQ\",\"context_id\":1,\"message_id\":7,\"sop_class\":\"" \
	VERIFICATION "\",\"data_set\":true}\n"
#define ECHO_RQ                                                                                                 \
	"0 {\"type\":\"dicom.command\",\"command\":\"C-ECHO-RQ\",\"context_id\":1,\"message_id\":8,\"sop_class\":\"" \
	VERIFICATION "\",\"data_set\":false}\n"
#define CT_DATASET "0 " DATASET(CHARSET("ISO_IR 100") IN("explicit-little-endian"), IMAGE_FIELDS)

static void put_store(struct buf *b)
{
	uint8_t mem[512];
	struct buf c = make_command(mem, sizeof(mem), 0x0001, 7, 0, true);
	put_data(b, 1, 3, c.data, c.len);
}

static struct talk *talk_store(struct set **ret_set)
{
	struct talk *t = talk_new();
	struct set *s = set_new(EXPLICIT);
	put_image(s);
	put_store(say(t, 0));
	*ret_set = s;
	return t;
}

/* Each PDV of `each` bytes; `shared`: all of them in one PDU. Then pixels, and what follows is read. */
static void test_fragments(void)
{
	for (unsigned shared = 0; shared < 2; shared++) {
		for (size_t each = 11; each < 600; each = each * 3 + 1) {
			struct set *s;
			struct talk *t = talk_store(&s);
			size_t pdu = shared ? begin_pdu(&t->b, 4) : 0;
			for (size_t at = 0; at < s->b.len; at += each) {
				size_t n = s->b.len - at < each ? s->b.len - at : each;
				(shared ? put_pdv : put_data)(&t->b, 1, at + n == s->b.len ? 2 : 0, s->mem + at, n);
			}
			if (shared)
				end_32(&t->b, pdu);
			put_echo(&t->b, 0x0030, 8);
			check_talk(t, DRIVE_KNOWN, STORE_RQ CT_DATASET ECHO_RQ);
			free(s);
			free(t);
		}
	}
}

static void test_too_many_fragments(void)
{
	struct set *s;
	struct talk *t = talk_store(&s);
	for (size_t at = 0; at < s->b.len; at += 2)
		put_data(&t->b, 1, 0, s->mem + at, 2);
	put_data(&t->b, 1, 2, "", 0);
	put_echo(&t->b, 0x0030, 8);
	check_talk(t, DRIVE_KNOWN, STORE_RQ "0 " DATASET(CHARSET("ISO_IR 100") IN("explicit-little-endian"),
	                                                  ",\"modality\":\"CT\",\"manufacturer\":\"M\xc3\xbcller & Co\",\"institution\":\"Hospital A\",\"partial\":true") ECHO_RQ);
	free(s);
	free(t);
}

/* Behind 16 KB of something else nothing is looked for; pixels are not held while the beginning is. */
static void test_head_is_bounded(void)
{
	struct set *s = set_new(EXPLICIT);
	put_text(s, 0x00080060, "CS", "CT");
	put_header(s, 0x00091000, "OB", 16 << 10);
	for (unsigned i = 0; i < 16 << 10; i++)
		buf_u8(&s->b, 0);
	put_text(s, 0x00181020, "LO", "5");
	for (unsigned i = 0; i < 8000; i++)
		buf_u8(&s->b, 0);
	struct talk *t = talk_new();
	put_store(say(t, 0));
	put_data(&t->b, 1, 2, s->mem, s->b.len);
	put_echo(&t->b, 0x0030, 8);
	check_talk(t, DRIVE_KNOWN, STORE_RQ "0 " DATASET(IN("explicit-little-endian"), ",\"modality\":\"CT\",\"partial\":true") ECHO_RQ);
	struct drive *d = drive_new(&dicom_dissector, DRIVE_KNOWN);
	size_t most = 0;
	for (size_t at = 0; at < t->b.len; at++) {
		drive_feed(d, 0, (struct span){ t->mem + at, 1 }, 0);
		most = d->side[0].n > most ? d->side[0].n : most;
	}
	CU_ASSERT(most <= DICOM_HEAD_MAX + DICOM_PDV_HEADER);
	drive_free(d);
	free(s);
	free(t);
}

/* Interrupted by a command; by a data set of another context (PS3.8 Annex E.1 forbids both); by an abort. */
static void test_interrupted(void)
{
	static const char part[] = "0 {\"type\":\"dicom.dataset\",\"command\":\"C-STORE-RQ\",\"context_id\":1,\"message_id\":7"
		IN("explicit-little-endian") ",\"modality\":\"CT\",\"partial\":true}\n";
	struct set *s = set_new(EXPLICIT);
	put_text(s, 0x00080060, "CS", "CT");
	for (unsigned how = 0; how < 4; how++) {
		char expected[2048];
		struct talk *t = talk_new();
		put_store(say(t, 0));
		if (how < 3)
			put_data(&t->b, 1, 0, s->mem, s->b.len);
		if (how == 0)
			put_echo(&t->b, 0x0030, 8);
		else if (how == 2)
			put_short(&t->b, 7, 0);
		else
			put_data(&t->b, 3, 2, "CANARY", 6);
		snprintf(expected, sizeof(expected), "%s%s%s", STORE_RQ, how < 3 ? part : "",
		         how == 0   ? "0 " FAULT("state") ECHO_RQ
		         : how == 2 ? "0 {\"type\":\"dicom.abort\",\"source\":0,\"reject_reason\":0,\"cause\":\"service-user\"}\n"
		         : how == 3 ? "0 " FAULT("state")
		                    : "");
		check_talk(t, DRIVE_KNOWN, expected);
		free(t);
	}
	free(s);
}

/* What comes after a hole does not belong to what came before it. */
static void test_loss(void)
{
	struct set *s;
	struct talk *t = talk_store(&s);
	size_t store_end = t->b.len;
	put_data(&t->b, 1, 0, s->mem, 200);
	size_t first_end = t->b.len;
	put_data(&t->b, 1, 2, s->mem + 200, s->b.len - 200);
	put_echo(&t->b, 0x0030, 8);
	for (size_t from = store_end; from < first_end; from += 5) {
		for (size_t to = from + 1; to <= first_end; to += 7) {
			struct drive *d = drive_new(&dicom_dissector, DRIVE_KNOWN);
			drive_feed(d, 0, (struct span){ t->mem, from }, 0);
			drive_gap(d, 0, to - from);
			drive_feed(d, 0, (struct span){ t->mem + to, t->b.len - to }, 0);
			CU_ASSERT_STRING_EQUAL(drive_text(d), STORE_RQ ECHO_RQ);
			drive_free(d);
		}
	}
	/* The request is lost, or its beginning; its data set is nobody's. */
	for (size_t to = 1; to <= store_end; to++) {
		struct drive *d = drive_new(&dicom_dissector, DRIVE_KNOWN);
		drive_gap(d, 0, to);
		drive_feed(d, 0, (struct span){ t->mem + to, t->b.len - to }, 0);
		CU_ASSERT_STRING_EQUAL(drive_text(d), ECHO_RQ);
		drive_free(d);
	}
	free(s);
	free(t);
}

int main(void)
{
	CU_initialize_registry();
	CU_pSuite s = CU_add_suite("dicom data sets", NULL, NULL);
#define T(name) CU_add_test(s, #name, test_##name)
	T(every_encoding);
	T(what_is_no_data_set);
	T(japanese);
	T(names_in_admitted_fields);
	T(longest_texts);
	T(sequences);
	T(nesting_to_the_limit);
	T(every_fault);
	T(child_past_its_parent);
	T(any_wrong_byte);
	T(performed_procedure_step);
	T(keys);
	T(sweep);
	T(worklist);
	T(many_keys);
	T(fragments);
	T(too_many_fragments);
	T(head_is_bounded);
	T(interrupted);
	T(loss);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures != 0;
}
