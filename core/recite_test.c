/* recite.c against vocab_decode() and vocab_json(): the same bytes, the same words, the same refusals. */
#include "core/recite.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/msgpack.h"
#include "core/test.h"
#include "core/vocab_rig.h"

enum { JSON_MAX = 1 << 20 };

static uint8_t encoded[1 << 17], said[JSON_MAX], wanted[JSON_MAX];
static struct vocab_scratch scratch;

/* The long way: 0 with the JSON in `wanted`, or -EBADMSG. */
static int want(const struct vocab *v, struct span bytes, size_t *n)
{
	union vocab_rig rec;
	struct cursor in = cursor_from(bytes);
	struct buf b = buf_over(wanted, sizeof(wanted));
	if (vocab_decode(v, &rec.head, &scratch, &in, NULL) || cursor_left(&in))
		return -EBADMSG;
	CU_ASSERT_EQUAL_FATAL(vocab_json(v, &rec.head, &b), 0);
	*n = b.len;
	return 0;
}

/* Both ways, with not a byte more than the record has before a reader's eyes. What was said before stands untouched. */
static int both(struct recite *r, const struct vocab *v, struct span bytes)
{
	size_t n = 0;
	uint8_t *exact = malloc(bytes.n ? bytes.n : 1);
	memcpy(exact, bytes.p, bytes.n);
	struct buf b = buf_over(said, sizeof(said));
	(void)buf_str(&b, "before");
	int err = recite_record(r, (struct span){ exact, bytes.n }, &b);
	free(exact);
	CU_ASSERT_EQUAL(err, want(v, bytes, &n));
	CU_ASSERT(!b.full && !memcmp(said, "before", 6));
	if (err)
		CU_ASSERT_EQUAL(b.len, 6);
	if (!err)
		CU_ASSERT(b.len == 6 + n && !memcmp(said + 6, wanted, n));
	return err;
}

static struct span encode(const struct vocab *v, const union vocab_rig *rec)
{
	struct buf b = buf_over(encoded, sizeof(encoded));
	CU_ASSERT_EQUAL_FATAL(vocab_encode(v, &rec->head, &b), 0);
	return buf_span(&b);
}

static struct recite *begin(const struct vocab *v)
{
	struct recite *r = recite_new(v);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	return r;
}

static void every_type_with_every_field(void)
{
	for (size_t i = 0; i < 2; i++) {
		const struct vocab *v = vocab_rig_all[i];
		struct recite *r = begin(v);
		for (uint32_t round = 0; round < 20; round++)
			for (uint32_t type = 0; type < v->n_types; type++) {
				union vocab_rig rec;
				vocab_rig_fill(v, &rec, type, 1);
				struct span bytes = encode(v, &rec);
				CU_ASSERT_EQUAL(both(r, v, bytes), 0);
				CU_ASSERT_EQUAL(both(r, v, bytes), 0);          /* all values are known now */
			}
		recite_free(r);
	}
}

static void records_at_random(void)
{
	struct recite *r[] = { begin(vocab_rig_all[0]), begin(vocab_rig_all[1]) };
	for (int round = 0; round < 20000; round++) {
		const struct vocab *v = vocab_rig_all[round & 1];
		union vocab_rig rec;
		vocab_rig_record(v, &rec);
		CU_ASSERT_EQUAL(both(r[round & 1], v, encode(v, &rec)), 0);
	}
	recite_free(r[0]);
	recite_free(r[1]);
}

/* After the whole record has been said, so that its values are known. */
static void prefixes_and_wrong_bytes(void)
{
	unsigned refused = 0, taken = 0;
	for (int round = 0; round < 200; round++) {
		const struct vocab *v = vocab_rig_all[round & 1];
		struct recite *r = begin(v);
		union vocab_rig rec;
		vocab_rig_record(v, &rec);
		struct span whole = encode(v, &rec);
		CU_ASSERT_EQUAL(both(r, v, whole), 0);
		size_t step = 1 + whole.n / 300;
		for (size_t n = 0; n < whole.n; n += step)
			CU_ASSERT_EQUAL(both(r, v, (struct span){ encoded, n }), -EBADMSG);
		for (size_t at = 0; at < whole.n; at += step)
			for (int k = 0; k < 3; k++) {
				uint8_t was = encoded[at];
				encoded[at] = (uint8_t)(was ^ (k ? 1 + vocab_rig_below(255) : 1));
				int err = both(r, v, whole);
				refused += err != 0;
				taken += !err;
				encoded[at] = was;
			}
		encoded[whole.n] = 0;
		CU_ASSERT_EQUAL(both(r, v, (struct span){ encoded, whole.n + 1 }), -EBADMSG);
		CU_ASSERT_EQUAL(both(r, v, whole), 0);
		recite_free(r);
	}
	CU_ASSERT(refused > 1000 && taken > 1000);
}

/* What the fuzzers keep, and each of it with one byte changed at a time. */
static void what_the_fuzzers_found(void)
{
	static const char *const folders[] = { "fuzz/corpus/observation/*", "fuzz/corpus/event/*" };
	for (size_t i = 0; i < 2; i++) {
		glob_t g = { 0 };
		struct recite *r = begin(vocab_rig_all[i]);
		CU_ASSERT_EQUAL_FATAL(glob(folders[i], 0, NULL, &g), 0);
		CU_ASSERT(g.gl_pathc > 3);
		for (size_t k = 0; k < g.gl_pathc; k++) {
			FILE *f = fopen(g.gl_pathv[k], "re");
			CU_ASSERT_PTR_NOT_NULL_FATAL(f);
			size_t n = fread(encoded, 1, sizeof(encoded), f);
			(void)fclose(f);
			(void)both(r, vocab_rig_all[i], (struct span){ encoded, n });
			for (size_t at = 0; at < n; at += 1 + n / 500) {
				uint8_t was = encoded[at];
				encoded[at] = (uint8_t)(was ^ (1 + vocab_rig_below(255)));
				(void)both(r, vocab_rig_all[i], (struct span){ encoded, n });
				encoded[at] = was;
			}
		}
		globfree(&g);
		recite_free(r);
	}
}

static void numbers_at_every_length(void)
{
	const struct vocab *v = &event_vocab;
	struct recite *r = begin(v);
	for (unsigned bit = 0; bit < 64; bit++)
		for (int less = -1; less <= 1; less++) {
			union vocab_rig rec = { .e.head.type = EVENT_FLOW };
			event_uint(&rec.e, EVENT_F_seq, (UINT64_C(1) << bit) + (uint64_t)less);
			event_uint(&rec.e, EVENT_F_ts, (UINT64_C(1) << bit) + (uint64_t)less);
			CU_ASSERT_EQUAL(both(r, v, encode(v, &rec)), 0);
		}
	uint64_t ten = 1;
	for (int digits = 0; digits < 20; digits++, ten *= 10)
		for (int less = -1; less <= 1; less++) {
			union vocab_rig rec = { .e.head.type = EVENT_FLOW };
			event_uint(&rec.e, EVENT_F_seq, ten + (uint64_t)less);
			event_uint(&rec.e, EVENT_F_ts, ten + (uint64_t)less);
			event_uint(&rec.e, EVENT_F_ts_first, ten / 10 + (uint64_t)less);
			CU_ASSERT_EQUAL(both(r, v, encode(v, &rec)), 0);
		}
	for (uint64_t status = 0; status <= 0xffff; status += 251) {
		union vocab_rig rec = { .o.head.type = OBSERVATION_DICOM_COMMAND };
		struct recite *o = begin(&observation_vocab);
		observation_uint(&rec.o, OBSERVATION_F_status, status);
		CU_ASSERT_EQUAL(both(o, &observation_vocab, encode(&observation_vocab, &rec)), 0);
		recite_free(o);
	}
	recite_free(r);
}

/* Value after value of the same second, of the same address, of words that begin alike. */
static void values_that_nearly_repeat(void)
{
	static const char *const devices[] = { "ct-1", "ct-1", "ct-2", "ct-", "", "ct-1\"", "ct-1\\", "\xe6\x94\xbe\xe5\xb0\x84", "ct-10", "ct-1" };
	const struct vocab *v = &event_vocab;
	struct recite *r = begin(v);
	for (unsigned i = 0; i < 3000; i++) {
		union vocab_rig rec = { .e.head.type = EVENT_ANOMALOUS_TRAFFIC };
		struct addr a = addr_from_v4((uint8_t[4]){ 10, 0, 0, (uint8_t)(i / 3) });
		struct mac m = { { 2, 0, 0, 0, (uint8_t)(i / 5), 1 } };
		if (i % 7 == 0)
			a.b[10] = 0;            /* IPv6 */
		event_uint(&rec.e, EVENT_F_ts, UINT64_C(1700000000) * 1000000000 + i * UINT64_C(333333333));
		CU_ASSERT(event_text(&rec.e, EVENT_F_device, span_str(devices[i % (sizeof(devices) / sizeof(devices[0]))])));
		CU_ASSERT(event_text(&rec.e, EVENT_F_peer, span_str(devices[i % 3])));
		CU_ASSERT(event_text(&rec.e, EVENT_F_calling_ae, span_str(i % 4 ? "A\"E" : "AE")));
		vocab_set_addr(v, &rec.head, EVENT_F_device_addr, &a);
		vocab_set_addr(v, &rec.head, EVENT_F_peer_addr, &a);
		vocab_set_mac(v, &rec.head, EVENT_F_device_mac, &m);
		CU_ASSERT_EQUAL(both(r, v, encode(v, &rec)), 0);
	}
	recite_free(r);
}

/* Nothing is known yet, and nothing is what a value of one zero byte, or of none, would be taken for. */
static void nothing_is_known_at_first(void)
{
	static const char *const bytes[] = { "\x82\x00\x00\x01\x00", "\x82\x00\x00\x0f\x00", "\x82\x00\x00\x10\x00", "\x83\x00\x00\x01\x02\x01" };
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		struct recite *r = begin(&event_vocab);
		CU_ASSERT_EQUAL(both(r, &event_vocab, (struct span){ (const uint8_t *)bytes[i], i < 3 ? 5 : 6 }), -EBADMSG);
		recite_free(r);
	}
}

static void texts_that_were_not_admitted(void)
{
	const struct vocab *v = &observation_vocab;
	struct recite *r = begin(v);
	union vocab_rig rec = { .o.head.type = OBSERVATION_HL7_MESSAGE };
	CU_ASSERT(!observation_text(&rec.o, OBSERVATION_F_control_id, span_str("YAMADA^TARO")));
	CU_ASSERT(!observation_text(&rec.o, OBSERVATION_F_version, span_str("2.5.1;DROP TABLE")));
	CU_ASSERT_EQUAL(both(r, v, encode(v, &rec)), 0);
	CU_ASSERT_PTR_NOT_NULL(memmem(said, 200, "(not admitted)", 14));
	recite_free(r);
}

/* What the walk looks at itself, wrong in the one thing each. */
static void what_is_not_canonical(void)
{
#define CASE(v, s) { v, s, sizeof(s) - 1 }
	static const struct { const struct vocab *v; const char *bytes; size_t n; } cases[] = {
		CASE(&event_vocab, "\x82\x00\x00\x01\xd9\x05hello"), CASE(&event_vocab, "\xde\x00\x02\x00\x00\x02\x05"),
		CASE(&event_vocab, "\x82\x00\x00\xcc\x02\x05"), CASE(&event_vocab, "\x82\x00\x00\x02\xcc\x05"),
		CASE(&event_vocab, "\x82\x00\x00\x02\xcd\x00\xff"), CASE(&event_vocab, "\x82\x00\x00\x02\xce\x00\x00\xff\xff"),
		CASE(&event_vocab, "\x82\x00\x00\x02\xcf\x00\x00\x00\x00\xff\xff\xff\xff"), CASE(&event_vocab, "\x82\x00\x00\x03\x02"),
		CASE(&event_vocab, "\x82\x00\x09\x13\xc4\x10" "1234567890123456"), CASE(&event_vocab, "\x82\x00\x00\x0f\xc4\x0f" "123456789012345"),
		CASE(&event_vocab, "\x82\x00\x00\x22\xc1"), CASE(&event_vocab, "\x82\x00\x00\x22\xc4"), CASE(&event_vocab, "\x80"),
		CASE(&observation_vocab, "\x82\x00\x07\x27\xce\x00\x01\x00\x00"),
	};
#undef CASE
	CU_ASSERT(EVENT_F_midstream + 1 == 0x22 && OBSERVATION_F_status + 1 == 0x27 && OBSERVATION_DICOM_COMMAND == 7);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recite *r = begin(cases[i].v);
		CU_ASSERT_EQUAL(both(r, cases[i].v, (struct span){ (const uint8_t *)cases[i].bytes, cases[i].n }), -EBADMSG);
		recite_free(r);
	}
	struct recite *r = begin(&observation_vocab);
	CU_ASSERT_EQUAL(both(r, &observation_vocab, (struct span){ (const uint8_t *)"\x82\x00\x07\x27\xcd\xff\xff", 7 }), 0);
	recite_free(r);
}

/* In a buffer that is too small nothing is said, in one with room to spare all is; behind it nothing is touched. */
static void keep_to_the_room(const struct vocab *v, const union vocab_rig *rec)
{
	struct recite *r = begin(v);
	size_t n = 0;
	struct span bytes = encode(v, rec);
	CU_ASSERT_EQUAL_FATAL(want(v, bytes, &n), 0);
	for (size_t cap = 0; cap <= n + 1024; cap++) {
		memset(said, 0xee, cap + 2048);
		struct buf b = buf_over(said, cap);
		int err = recite_record(r, bytes, &b);
		CU_ASSERT(err == 0 || (err == -ENOBUFS && cap < n + 1024));
		CU_ASSERT(b.len == (err ? 0 : n) && !b.full);
		CU_ASSERT(err || !memcmp(said, wanted, n));
		size_t touched = 0;
		for (size_t i = cap; i < cap + 2048; i++)
			touched += said[i] != 0xee;
		CU_ASSERT_EQUAL(touched, 0);
	}
	struct buf full = { .full = true };
	CU_ASSERT_EQUAL(recite_record(r, bytes, &full), -ENOBUFS);
	recite_free(r);
}

static void says_when_there_is_no_room(void)
{
	union vocab_rig rec;
	char quotes[193] = "";
	vocab_rig_fill(&event_vocab, &rec, EVENT_FLOW, 1);
	keep_to_the_room(&event_vocab, &rec);
	memset(&rec, 0, sizeof(rec));
	memset(quotes, '"', sizeof(quotes) - 1);
	rec.head.type = OBSERVATION_DICOM_DATASET;
	CU_ASSERT(observation_text(&rec.o, OBSERVATION_F_manufacturer, span_str(quotes)));
	CU_ASSERT(observation_text(&rec.o, OBSERVATION_F_model, span_str(quotes)));
	keep_to_the_room(&observation_vocab, &rec);
}

static void types_are_left(void)
{
	const struct vocab *v = &event_vocab;
	struct recite *r = begin(v);
	union vocab_rig rec;
	recite_leave(r, EVENT_SENSOR);
	vocab_rig_fill(v, &rec, EVENT_SENSOR, 2);
	struct buf b = buf_over(said, sizeof(said));
	struct span bytes = encode(v, &rec);
	CU_ASSERT(recite_record(r, bytes, &b) == 1 && !b.len);
	vocab_rig_fill(v, &rec, EVENT_FLOW, 2);
	CU_ASSERT_EQUAL(both(r, v, encode(v, &rec)), 0);
	recite_free(r);
	recite_free(NULL);
}

int main(void)
{
	CU_pSuite s = test_begin("recite");
	CU_ADD_TEST(s, every_type_with_every_field);
	CU_ADD_TEST(s, records_at_random);
	CU_ADD_TEST(s, prefixes_and_wrong_bytes);
	CU_ADD_TEST(s, what_the_fuzzers_found);
	CU_ADD_TEST(s, numbers_at_every_length);
	CU_ADD_TEST(s, values_that_nearly_repeat);
	CU_ADD_TEST(s, nothing_is_known_at_first);
	CU_ADD_TEST(s, what_is_not_canonical);
	CU_ADD_TEST(s, texts_that_were_not_admitted);
	CU_ADD_TEST(s, says_when_there_is_no_room);
	CU_ADD_TEST(s, types_are_left);
	return test_end();
}
