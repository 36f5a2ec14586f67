#include "core/vocab.h"

#include <ctype.h>
#include <errno.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "core/observation.h"
#include "core/test.h"
#include "core/vocab_rig.h"

static uint8_t mem[1 << 20], again[1 << 20];

static void *slot(const struct vocab *v, union vocab_rig *rec, unsigned f) { return (uint8_t *)rec + v->fields[f].offset; }

static bool same(const struct vocab *v, union vocab_rig *a, union vocab_rig *b)
{
	if (a->head.type != b->head.type || memcmp(a->head.present, b->head.present, sizeof(a->head.present)))
		return false;
	for (unsigned f = 0; f < v->n_fields; f++) {
		if (!vocab_has(&a->head, f))
			continue;
		void *x = slot(v, a, f), *y = slot(v, b, f);
		const struct vocab_contexts *c = x, *d = y;
		const struct endpoint *e = x, *g = y;
		switch (v->fields[f].kind) {
		case VOCAB_TEXT:
			if (!span_eq(*(struct span *)x, *(struct span *)y))
				return false;
			break;
		case VOCAB_ADDR:
			if (memcmp(x, y, sizeof(struct addr)))
				return false;
			break;
		case VOCAB_MAC:
			if (memcmp(x, y, sizeof(struct mac)))
				return false;
			break;
		case VOCAB_ENDPOINT:
			if (memcmp(&e->ip, &g->ip, sizeof(e->ip)) || e->port != g->port)
				return false;
			break;
		case VOCAB_CONTEXTS:
			if (c->n != d->n || c->n_syntaxes != d->n_syntaxes)
				return false;
			for (size_t i = 0; i < c->n; i++) {
				if (c->v[i].id != d->v[i].id || c->v[i].result != d->v[i].result ||
				    c->v[i].n != d->v[i].n || c->v[i].first != d->v[i].first ||
				    !span_eq(c->v[i].abstract_syntax, d->v[i].abstract_syntax))
					return false;
			}
			for (size_t i = 0; i < c->n_syntaxes; i++) {
				if (!span_eq(c->syntaxes[i], d->syntaxes[i]))
					return false;
			}
			break;
		default:
			if (memcmp(x, y, sizeof(uint64_t)))
				return false;
		}
	}
	return true;
}

static int decode_exact(const struct vocab *v, const uint8_t *p, size_t n, union vocab_rig *ret, struct vocab_scratch *s,
			void **ret_block, size_t *left, unsigned *unknown)
{
	*ret_block = malloc(n ? n : 1);
	memcpy(*ret_block, p, n);
	struct cursor c = cursor_from((struct span){ *ret_block, n });
	int r = vocab_decode(v, &ret->head, s, &c, unknown);
	*left = cursor_left(&c);
	return r;
}

static void records_survive_encoding_and_decoding(void)
{
	static struct vocab_scratch scratch;
	for (int round = 0; round < 4000; round++) {
		const struct vocab *v = vocab_rig_all[round & 1];
		union vocab_rig rec, got;
		void *block;
		size_t left;
		unsigned unknown = 9;
		vocab_rig_record(v, &rec);
		struct buf b = buf_over(mem, sizeof(mem)), c = buf_over(again, sizeof(again));
		CU_ASSERT(vocab_encode(v, &rec.head, &b) == 0);
		CU_ASSERT(decode_exact(v, mem, b.len, &got, &scratch, &block, &left, &unknown) == 0);
		CU_ASSERT(!left && !unknown && same(v, &rec, &got));
		CU_ASSERT(vocab_encode(v, &got.head, &c) == 0 && c.len == b.len && !memcmp(mem, again, b.len));
		free(block);
	}
}

/* The same record, packed by msgpack-c. */
static void oracle_pack(const struct vocab *v, union vocab_rig *rec, msgpack_packer *pk)
{
	size_t n = 1;
	for (unsigned f = 0; f < v->n_fields; f++)
		n += vocab_has(&rec->head, f);
	msgpack_pack_map(pk, n);
	msgpack_pack_uint64(pk, 0);
	msgpack_pack_uint64(pk, rec->head.type);
	for (unsigned f = 0; f < v->n_fields; f++) {
		if (!vocab_has(&rec->head, f))
			continue;
		msgpack_pack_uint64(pk, f + 1);
		void *x = slot(v, rec, f);
		const struct vocab_contexts *c = x;
		const struct endpoint *e = x;
		uint8_t port[2];
		struct span s;
		switch (v->fields[f].kind) {
		case VOCAB_TEXT:
			s = *(struct span *)x;
			msgpack_pack_str(pk, s.n);
			msgpack_pack_str_body(pk, s.p, s.n);
			break;
		case VOCAB_BOOL:
			if (*(uint64_t *)x)
				msgpack_pack_true(pk);
			else
				msgpack_pack_false(pk);
			break;
		case VOCAB_ADDR:
			msgpack_pack_bin(pk, 16);
			msgpack_pack_bin_body(pk, x, 16);
			break;
		case VOCAB_MAC:
			msgpack_pack_bin(pk, 6);
			msgpack_pack_bin_body(pk, x, 6);
			break;
		case VOCAB_ENDPOINT:
			port[0] = (uint8_t)(e->port >> 8);
			port[1] = (uint8_t)e->port;
			msgpack_pack_bin(pk, 18);
			msgpack_pack_bin_body(pk, e->ip.b, 16);
			msgpack_pack_bin_body(pk, port, 2);
			break;
		case VOCAB_CONTEXTS:
			msgpack_pack_array(pk, c->n);
			for (size_t i = 0; i < c->n; i++) {
				msgpack_pack_array(pk, 4);
				msgpack_pack_uint64(pk, c->v[i].id);
				msgpack_pack_uint64(pk, c->v[i].result);
				s = c->v[i].abstract_syntax;
				msgpack_pack_str(pk, s.n);
				msgpack_pack_str_body(pk, s.p, s.n);
				msgpack_pack_array(pk, c->v[i].n);
				for (size_t k = 0; k < c->v[i].n; k++) {
					s = c->syntaxes[c->v[i].first + k];
					msgpack_pack_str(pk, s.n);
					msgpack_pack_str_body(pk, s.p, s.n);
				}
			}
			break;
		default:
			msgpack_pack_uint64(pk, *(uint64_t *)x);
		}
	}
}

/* msgpack-c's view of our bytes, packed again by msgpack-c, must be our bytes: it read each value as it was. */
static void msgpack_c_agrees_in_both_directions(void)
{
	static struct vocab_scratch scratch;
	for (int round = 0; round < 1000; round++) {
		const struct vocab *v = vocab_rig_all[round & 1];
		union vocab_rig rec, got;
		void *block;
		size_t left;
		vocab_rig_record(v, &rec);
		struct buf b = buf_over(mem, sizeof(mem));
		CU_ASSERT(vocab_encode(v, &rec.head, &b) == 0);
		msgpack_sbuffer s, t;
		msgpack_packer pk, pt;
		msgpack_sbuffer_init(&s);
		msgpack_packer_init(&pk, &s, msgpack_sbuffer_write);
		oracle_pack(v, &rec, &pk);
		CU_ASSERT(s.size == b.len && !memcmp(s.data, mem, b.len));
		CU_ASSERT(decode_exact(v, (uint8_t *)s.data, s.size, &got, &scratch, &block, &left, NULL) == 0);
		CU_ASSERT(!left && same(v, &rec, &got));
		free(block);
		msgpack_unpacked u;
		msgpack_unpacked_init(&u);
		CU_ASSERT(msgpack_unpack_next(&u, (char *)mem, b.len, NULL) == MSGPACK_UNPACK_SUCCESS);
		msgpack_sbuffer_init(&t);
		msgpack_packer_init(&pt, &t, msgpack_sbuffer_write);
		msgpack_pack_object(&pt, u.data);
		CU_ASSERT(t.size == b.len && !memcmp(t.data, mem, b.len));
		msgpack_unpacked_destroy(&u);
		msgpack_sbuffer_destroy(&s);
		msgpack_sbuffer_destroy(&t);
	}
}

/* One record for all, as the engine has it: of the one before nothing is left. */
static void a_record_that_is_used_again_is_as_new(void)
{
	static struct vocab_scratch scratch;
	union vocab_rig kept[2];
	memset(kept, 0, sizeof(kept));
	for (int round = 0; round < 4000; round++) {
		const struct vocab *v = vocab_rig_all[round & 1];
		union vocab_rig rec, fresh, *k = &kept[round & 1];
		vocab_rig_record(v, &rec);
		struct buf b = buf_over(mem, sizeof(mem));
		CU_ASSERT(vocab_encode(v, &rec.head, &b) == 0);
		memset(&fresh, 0, sizeof(fresh));
		struct cursor in = cursor_from(buf_span(&b)), twice = in;
		CU_ASSERT(vocab_decode(v, &fresh.head, &scratch, &in, NULL) == 0);
		CU_ASSERT(vocab_decode_ours(v, &k->head, &scratch, &twice) == 0);
		CU_ASSERT(same(v, k, &fresh));
		vocab_clear(v, &k->head);
		memset(&fresh, 0, sizeof(fresh));
		CU_ASSERT(!memcmp(k, &fresh, v->rec_size));
		twice = cursor_from(buf_span(&b));
		CU_ASSERT(vocab_decode_ours(v, &k->head, &scratch, &twice) == 0);
	}
}

/* Packed and unpacked, a record is what it would be encoded and decoded, contexts that do not fit included. */
static void packing_is_encoding(void)
{
	static struct vocab_scratch scratch;
	static uint8_t packed[1 << 17];
	union vocab_rig kept[2];
	memset(kept, 0, sizeof(kept));
	for (int round = 0; round < 4000; round++) {
		const struct vocab *v = vocab_rig_all[round & 1];
		union vocab_rig rec, *k = &kept[round & 1];
		vocab_rig_record(v, &rec);
		for (uint16_t i = 0; i < 40 && !vocab_rig_below(8); i++)
			vocab_rig_made.contexts[i].abstract_syntax = span_str(vocab_rig_below(2) ? "not a UID" : "");
		struct buf b = buf_over(mem, sizeof(mem)), p = buf_over(packed, sizeof(packed)), c = buf_over(again, sizeof(again));
		CU_ASSERT(vocab_encode(v, &rec.head, &b) == 0);
		CU_ASSERT_FATAL(vocab_pack(v, &rec.head, &p) == 0);
		CU_ASSERT(vocab_pack_type(buf_span(&p)) == rec.head.type && vocab_pack_type((struct span){ packed, 1 }) == UINT16_MAX);
		CU_ASSERT_FATAL(vocab_pack_read(v, &k->head, &scratch, buf_span(&p)) == 0);
		CU_ASSERT(vocab_encode(v, &k->head, &c) == 0);
		CU_ASSERT(b.len == c.len && !memcmp(b.data, c.data, b.len));
		/* One byte less: it does not fit, and nothing is left of it; cut or longer, it is none. */
		size_t n = p.len;
		uint8_t *exact = malloc(n);
		struct buf less = buf_over(exact, n - 1);
		CU_ASSERT(vocab_pack(v, &rec.head, &less) == -ENOBUFS && less.len == 0 && !less.full);
		union vocab_rig none;
		for (size_t cut = (size_t)round % 64; cut <= n; cut += 64) {
			memset(&none, 0, sizeof(none));
			uint8_t *just = malloc(cut ? cut : 1);
			memcpy(just, packed, cut);
			CU_ASSERT(vocab_pack_read(v, &none.head, &scratch, (struct span){ just, cut }) == (cut == n ? 0 : -EBADMSG));
			free(just);
		}
		free(exact);
	}
}

static void every_prefix_is_refused(void)
{
	static struct vocab_scratch scratch;
	for (int round = 0; round < 60; round++) {
		const struct vocab *v = vocab_rig_all[round & 1];
		union vocab_rig rec, got;
		vocab_rig_record(v, &rec);
		struct buf b = buf_over(mem, sizeof(mem));
		CU_ASSERT(vocab_encode(v, &rec.head, &b) == 0);
		for (size_t n = 0; n < b.len; n++) {
			void *block;
			size_t left;
			CU_ASSERT(decode_exact(v, mem, n, &got, &scratch, &block, &left, NULL) == -EBADMSG);
			free(block);
		}
	}
}

static void one_wrong_byte_is_refused_or_another_record(void)
{
	static struct vocab_scratch scratch;
	unsigned refused = 0;
	for (int round = 0; round < 60; round++) {
		const struct vocab *v = vocab_rig_all[round & 1];
		union vocab_rig rec, got;
		vocab_rig_record(v, &rec);
		struct buf b = buf_over(mem, sizeof(mem));
		CU_ASSERT(vocab_encode(v, &rec.head, &b) == 0);
		for (size_t at = 0; at < b.len; at++) {
			void *block;
			size_t left;
			unsigned unknown = 0;
			uint8_t was = mem[at];
			mem[at] = (uint8_t)(was ^ (1 + vocab_rig_below(255)));
			int r = decode_exact(v, mem, b.len, &got, &scratch, &block, &left, &unknown);
			refused += r != 0;
			if (!r && !unknown) {
				struct buf c = buf_over(again, sizeof(again));
				CU_ASSERT(vocab_encode(v, &got.head, &c) == 0);
				CU_ASSERT(c.len == b.len - left && !memcmp(again, mem, c.len));
			}
			mem[at] = was;
			free(block);
		}
	}
	CU_ASSERT(refused > 0);
}

static void says_when_the_buffer_is_too_small(void)
{
	union vocab_rig rec;
	vocab_rig_state = 77;
	vocab_rig_record(&observation_vocab, &rec);
	struct buf whole = buf_over(mem, sizeof(mem));
	CU_ASSERT(vocab_encode(&observation_vocab, &rec.head, &whole) == 0);
	for (size_t cap = 3; cap < whole.len + 3; cap++) {
		uint8_t *exact = malloc(cap);
		struct buf b = buf_over(exact, cap);
		(void)buf_put(&b, "abc", 3);
		CU_ASSERT(vocab_encode(&observation_vocab, &rec.head, &b) == -ENOBUFS && b.len == 3 && !b.full);
		free(exact);
	}
	struct buf json = buf_over(mem, sizeof(mem));
	CU_ASSERT(vocab_json(&observation_vocab, &rec.head, &json) == 0);
	for (size_t cap = 0; cap < json.len; cap++) {
		uint8_t *exact = malloc(cap ? cap : 1);
		struct buf b = buf_over(exact, cap);
		CU_ASSERT(vocab_json(&observation_vocab, &rec.head, &b) == -ENOBUFS && b.len == 0);
		free(exact);
	}
}

/* Bytes, their length, and whether they are a record of the event vocabulary. */
static void refuses(const struct vocab *v, const char *bytes, size_t n)
{
	static struct vocab_scratch scratch;
	union vocab_rig got;
	void *block;
	size_t left;
	CU_ASSERT(decode_exact(v, (const uint8_t *)bytes, n, &got, &scratch, &block, &left, NULL) == -EBADMSG);
	free(block);
}

static void accepts(const struct vocab *v, const char *bytes, size_t n, unsigned want_unknown)
{
	static struct vocab_scratch scratch;
	union vocab_rig got;
	void *block;
	size_t left;
	unsigned unknown = 99;
	CU_ASSERT(decode_exact(v, (const uint8_t *)bytes, n, &got, &scratch, &block, &left, &unknown) == 0);
	CU_ASSERT(left == 0 && unknown == want_unknown);
	free(block);
}

#define REFUSES(v, s) refuses(v, s, sizeof(s) - 1)
#define ACCEPTS(v, s, unknown) accepts(v, s, sizeof(s) - 1, unknown)

static void refuses_what_is_not_canonical(void)
{
	/* {0: type 0, 2 (epoch): 5}: good, then with one thing wrong each */
	ACCEPTS(&event_vocab, "\x82\x00\x00\x02\x05", 0);
	REFUSES(&event_vocab, "\xde\x00\x02\x00\x00\x02\x05");         /* long map */
	REFUSES(&event_vocab, "\x82\x00\x00\x02\xcc\x05");             /* long integer */
	REFUSES(&event_vocab, "\x82\x00\x00\xcc\x02\x05");             /* long key */
	REFUSES(&event_vocab, "\x82\xcc\x00\x00\x02\x05");
	REFUSES(&event_vocab, "\x82\x02\x05\x00\x00");                 /* type not first */
	REFUSES(&event_vocab, "\x81\x02\x05");                         /* no type */
	REFUSES(&event_vocab, "\x80");
	REFUSES(&event_vocab, "\x82\x00\x00\x00\x00");                 /* key twice */
	REFUSES(&event_vocab, "\x83\x00\x00\x04\x05\x02\x05");         /* keys descend */
	REFUSES(&event_vocab, "\x83\x00\x00\x02\x05\x02\x05");
	REFUSES(&event_vocab, "\x81\x00\x0a");                         /* unknown type */
	REFUSES(&event_vocab, "\x82\x00\x00\x02\xff");                 /* negative */
	REFUSES(&event_vocab, "\x82\x00\x00\x02\xa1" "5");             /* a text where a number belongs */
	REFUSES(&event_vocab, "\x82\x00\x00\x02\xc3");                 /* a boolean */
	REFUSES(&event_vocab, "\x82\x00\x00\x02\xc0");                 /* nil */
	REFUSES(&event_vocab, "\x82\x00\x00\x03\x02");                 /* lane: word past the table */
	ACCEPTS(&event_vocab, "\x82\x00\x00\x03\x01", 0);
	REFUSES(&event_vocab, "\x82\x00\x00\x01\xa1/");                /* sensor: grammar */
	REFUSES(&event_vocab, "\x82\x00\x00\x01\xa0");
	REFUSES(&event_vocab, "\x82\x00\x00\x01\xd9\x21" "123456789012345678901234567890123"); /* 33 bytes */
	ACCEPTS(&event_vocab, "\x82\x00\x00\x01\xd9\x20" "12345678901234567890123456789012", 0);
	ACCEPTS(&event_vocab, "\x82\x00\x00\x01\xae(not admitted)", 0);
	REFUSES(&event_vocab, "\x82\x00\x00\x01\xc4\x01" "a");         /* binary for text */
	REFUSES(&event_vocab, "\x82\x00\x00\x0f\xc4\x0f" "123456789012345"); /* address of 15 bytes */
	ACCEPTS(&event_vocab, "\x82\x00\x00\x0f\xc4\x10" "1234567890123456", 0);
	REFUSES(&event_vocab, "\x82\x00\x00\x0f\xc4\x11" "12345678901234567");
	REFUSES(&event_vocab, "\x82\x00\x00\x0f\xb0" "1234567890123456");
	REFUSES(&event_vocab, "\x82\x00\x09\x13\xc4\x10" "1234567890123456"); /* field foreign to type sensor */
}

static void skips_and_counts_keys_past_the_table(void)
{
	CU_ASSERT(EVENT_FIELDS < 0x70);
	ACCEPTS(&event_vocab, "\x82\x00\x00\x70\x05", 1);
	ACCEPTS(&event_vocab, "\x83\x00\x00\x70\x92\x81\xa1" "a\x01\xc0\x71\xc4\x01z", 2);
	REFUSES(&event_vocab, "\x83\x00\x00\x71\x01\x70\x01");
	REFUSES(&event_vocab, "\x83\x00\x00\x70\x01\x02\x01");
	REFUSES(&event_vocab, "\x82\x00\x00\x70\x92\x01");
	REFUSES(&event_vocab, "\x82\x00\x00\x70\xc1");
}

static size_t contexts_record(uint32_t n_contexts, uint32_t n_each)
{
	struct buf b = buf_over(mem, sizeof(mem));
	msgpack_sbuffer s;
	msgpack_packer pk;
	msgpack_sbuffer_init(&s);
	msgpack_packer_init(&pk, &s, msgpack_sbuffer_write);
	msgpack_pack_map(&pk, 2);
	msgpack_pack_uint64(&pk, 0);
	msgpack_pack_uint64(&pk, OBSERVATION_DICOM_ASSOCIATE_REQUEST);
	msgpack_pack_uint64(&pk, OBSERVATION_F_contexts + 1);
	msgpack_pack_array(&pk, n_contexts);
	for (uint32_t i = 0; i < n_contexts; i++) {
		msgpack_pack_array(&pk, 4);
		msgpack_pack_uint64(&pk, i & 0xff);
		msgpack_pack_uint64(&pk, 0);
		msgpack_pack_str(&pk, 0);
		msgpack_pack_array(&pk, n_each);
		for (uint32_t k = 0; k < n_each; k++) {
			msgpack_pack_str(&pk, 1);
			msgpack_pack_str_body(&pk, "1", 1);
		}
	}
	(void)buf_put(&b, s.data, s.size);
	msgpack_sbuffer_destroy(&s);
	return b.len;
}

static void contexts_at_their_limits(void)
{
	const struct vocab *v = &observation_vocab;
	size_t n = contexts_record(VOCAB_MAX_CONTEXTS, VOCAB_MAX_SYNTAXES / VOCAB_MAX_CONTEXTS);
	accepts(v, (char *)mem, n, 0);
	n = contexts_record(1, VOCAB_MAX_SYNTAXES);
	accepts(v, (char *)mem, n, 0);
	n = contexts_record(1, VOCAB_MAX_SYNTAXES + 1);
	refuses(v, (char *)mem, n);
	n = contexts_record(VOCAB_MAX_CONTEXTS + 1, 0);
	refuses(v, (char *)mem, n);
	n = contexts_record(2, VOCAB_MAX_SYNTAXES / 2 + 1);
	refuses(v, (char *)mem, n);
	n = contexts_record(2, 1);
	union vocab_rig got;
	struct cursor c = cursor_from((struct span){ mem, n });
	CU_ASSERT(vocab_decode(v, &got.head, NULL, &c, NULL) == -EBADMSG);
#define RQ "\x82\x00\x04\x1a"
	CU_ASSERT(OBSERVATION_F_contexts + 1 == 0x1a && OBSERVATION_DICOM_ASSOCIATE_REQUEST == 4);
	ACCEPTS(v, RQ "\x91\x94\x01\xcc\xff\xa1" "1\x91\xa1" "2", 0);
	REFUSES(v, RQ "\x91\x93\x01\xcc\xff\xa1" "1\x91\xa1" "2");
	REFUSES(v, RQ "\x91\x94\xcd\x01\x00\xcc\xff\xa1" "1\x91\xa1" "2");
	REFUSES(v, RQ "\x91\x94\x01\xcc\xff\xa1" "x\x91\xa1" "2");
	REFUSES(v, RQ "\x91\x94\x01\xcc\xff\xa1" "1\x91\xa1" "x");
	REFUSES(v, RQ "\x91\x94\x01\xcc\xff\xa1" "1\x91\xa0");
}

static void texts_that_do_not_fit_are_replaced(void)
{
	union vocab_rig rec = { 0 };
	rec.head.type = OBSERVATION_HL7_MESSAGE;
	const struct vocab *v = &observation_vocab;
	/* a patient's name where an identifier belongs; too long; empty; bytes that are no text */
	static const char *const bad[] = { "YAMADA^TARO\xe5\xb1\xb1", "A B", "", "a\nb", "\xff",
					   "12345678901234567890123456789012345678901234567890123456789012345" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT(!vocab_set_text(v, &rec.head, OBSERVATION_F_control_id, span_str(bad[i])));
		CU_ASSERT(span_eq(rec.o.control_id, span_str("(not admitted)")));
		CU_ASSERT(observation_has(&rec.o, OBSERVATION_F_control_id));
	}
	/* "(not admitted)" is longer than this field and outside its grammar: it travels all the same */
	CU_ASSERT(!observation_text(&rec.o, OBSERVATION_F_version, span_str("2.5.1;DROP TABLE")));
	struct buf b = buf_over(mem, sizeof(mem));
	CU_ASSERT(vocab_encode(v, &rec.head, &b) == 0);
	accepts(v, (char *)mem, b.len, 0);
	/* and in a UID of a context, which the setter only borrows */
	memset(&rec, 0, sizeof(rec));
	rec.head.type = OBSERVATION_DICOM_ASSOCIATE_REQUEST;
	struct span syntax = span_str("1.2.x");
	struct vocab_context x = { .id = 1, .result = VOCAB_NO_RESULT, .n = 1, .abstract_syntax = span_str("PATIENT") };
	struct vocab_contexts c = { &x, &syntax, 1, 1 };
	vocab_set_contexts(v, &rec.head, OBSERVATION_F_contexts, &c);
	b = buf_over(mem, sizeof(mem) - 1);
	CU_ASSERT(vocab_encode(v, &rec.head, &b) == 0);
	accepts(v, (char *)mem, b.len, 0);
	CU_ASSERT(!memmem(mem, b.len, "PATIENT", 7) && !memmem(mem, b.len, "1.2.x", 5));
	b = buf_over(mem, sizeof(mem) - 1);
	CU_ASSERT(vocab_json(v, &rec.head, &b) == 0);
	mem[b.len] = 0;
	CU_ASSERT_STRING_EQUAL((char *)mem, "{\"type\":\"dicom.associate_request\",\"contexts\":[{\"id\":1,"
			       "\"abstract_syntax\":\"(not admitted)\",\"transfer_syntaxes\":[\"(not admitted)\"]}]}");
}

static void grammars_admit_what_they_say(void)
{
	static const char *const admits[] = {
		[VOCAB_G_ID] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:+/-",
		[VOCAB_G_AE] = " !\"#$%&'()*+,-./0123456789:;<>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_`"
			       "abcdefghijklmnopqrstuvwxyz{|}~",
		[VOCAB_G_UID] = "0123456789.",
		[VOCAB_G_VERSION] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._/+():,-",
		[VOCAB_G_HL7_HD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._:&/+()@-",
		[VOCAB_G_HL7_TYPE] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_^",
		[VOCAB_G_HL7_ID] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/+|@-",
		[VOCAB_G_CHARSET] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 /._~-",
		[VOCAB_G_HOST] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-",
		[VOCAB_G_CODE] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _",
		[VOCAB_G_KEYS] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,",
		[VOCAB_G_HEX] = "0123456789abcdef",
		[VOCAB_G_DNS] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._*,-",
	};
	for (int g = VOCAB_G_ID; g <= VOCAB_G_DNS; g++) {
		if (g == VOCAB_G_NAME || g == VOCAB_G_LABEL || g == VOCAB_G_TOKEN)
			continue;
		for (unsigned c = 0; c < 256; c++) {
			/* after a first character that it admits */
			uint8_t t[2] = { g == VOCAB_G_UID || g == VOCAB_G_HEX ? '1' : 'A', (uint8_t)c };
			bool want = c && strchr(admits[g], (int)c);
			CU_ASSERT(vocab_fits((enum vocab_grammar)g, 2, (struct span){ t, 2 }) == want);
		}
		CU_ASSERT(!vocab_fits((enum vocab_grammar)g, 10, (struct span){ 0 }));
		CU_ASSERT(!vocab_fits((enum vocab_grammar)g, 3, span_str("1111")));
	}
	CU_ASSERT(!vocab_fits(VOCAB_G_ID, 9, span_str("-a")) && !vocab_fits(VOCAB_G_ID, 9, span_str("_")));
	CU_ASSERT(!vocab_fits(VOCAB_G_AE, 16, span_str("   ")) && vocab_fits(VOCAB_G_AE, 16, span_str("  A ")));
	CU_ASSERT(vocab_fits(VOCAB_G_NAME, 64, span_str("\xe6\x94\xbe\xe5\xb0\x84\xe7\xb7\x9a CT 1; \"x\"")));
	CU_ASSERT(vocab_fits(VOCAB_G_NAME, 64, (struct span){ 0 }));
	CU_ASSERT(!vocab_fits(VOCAB_G_NAME, 64, span_str("a\tb")) && !vocab_fits(VOCAB_G_NAME, 64, span_str("a\x7f")));
	CU_ASSERT(!vocab_fits(VOCAB_G_NAME, 64, span_str("\xc2\x9b")) && !vocab_fits(VOCAB_G_NAME, 64, span_str("\xff")));
	CU_ASSERT(!vocab_fits(VOCAB_G_NAME, 64, span_str("\xe2\x80\xae")));
	CU_ASSERT(!vocab_fits(VOCAB_G_NAME, 2, span_str("\xe6\x94\xbe")));
	CU_ASSERT(vocab_fits(VOCAB_G_LABEL, 64, span_str("\xe7\x97\x85\xe9\x99\xa2 (1); x")));
	CU_ASSERT(!vocab_fits(VOCAB_G_LABEL, 64, span_str("A^B")) && !vocab_fits(VOCAB_G_LABEL, 64, span_str("A=B")));
	CU_ASSERT(!vocab_fits(VOCAB_G_LABEL, 64, span_str("A\\B")) && !vocab_fits(VOCAB_G_LABEL, 64, (struct span){ 0 }));
	CU_ASSERT(!vocab_fits(VOCAB_G_LABEL, 64, span_str("A\tB")) && !vocab_fits(VOCAB_G_LABEL, 2, span_str("ABC")));
	CU_ASSERT(vocab_fits(VOCAB_G_HL7_HD, 64, span_str("HIS^1.2.3^ISO")) && vocab_fits(VOCAB_G_HL7_HD, 64, span_str("^x-1^EUI-64")));
	CU_ASSERT(!vocab_fits(VOCAB_G_HL7_HD, 64, span_str("YAMADA^TARO")) && !vocab_fits(VOCAB_G_HL7_HD, 64, span_str("A^^")));
	CU_ASSERT(!vocab_fits(VOCAB_G_HL7_HD, 64, span_str("A^B^C^D")) && !vocab_fits(VOCAB_G_HL7_HD, 64, span_str("A^B^C D")));
	CU_ASSERT(!vocab_fits(VOCAB_G_HL7_HD, 64, span_str("A^B^123456789")) && !vocab_fits(VOCAB_G_HL7_HD, 64, span_str("^")));
	CU_ASSERT(!vocab_fits(VOCAB_G_NONE, 64, span_str("a")));
	/* A token is whole or none. */
	static const char token[] = "0123456789abcdef0123456789abcdef0";
	for (size_t n = 0; n < sizeof(token); n++)
		CU_ASSERT(vocab_fits(VOCAB_G_TOKEN, 64, (struct span){ (const uint8_t *)token, n }) == (n == 32));
	CU_ASSERT(!vocab_fits(VOCAB_G_TOKEN, 64, span_str("0123456789ABCDEF0123456789abcdef")));
}

/* Each character at each place of texts of every length: a text fits when all its characters do. */
static void grammars_look_at_every_character(void)
{
	for (int g = VOCAB_G_ID; g <= VOCAB_G_DNS; g++) {
		for (size_t n = 1; n <= 12; n++)
			for (size_t at = 0; at < n; at++)
				for (unsigned c = 0; c < 256; c++) {
					uint8_t t[12], two[2] = { '1', (uint8_t)c };
					memset(t, '1', sizeof(t));
					t[at] = (uint8_t)c;
					bool label = g == VOCAB_G_LABEL && (c == '^' || c == '=' || c == '\\');
					bool want = g == VOCAB_G_NAME || g == VOCAB_G_LABEL ? c >= 0x20 && c < 0x7f && !label
						    : g == VOCAB_G_ID && !at ? isalnum((int)c) && c < 0x80
						    : g == VOCAB_G_TOKEN     ? false
									     : vocab_fits((enum vocab_grammar)g, 2, (struct span){ two, 2 });
					if (g == VOCAB_G_AE && n == 1 && c == ' ')
						want = false;
					CU_ASSERT(vocab_fits((enum vocab_grammar)g, n, (struct span){ t, n }) == want);
					CU_ASSERT(!vocab_fits((enum vocab_grammar)g, n - 1, (struct span){ t, n }));
					CU_ASSERT((vocab_admit((enum vocab_grammar)g, n, (struct span){ t, n }).p == t) == want);
					CU_ASSERT((vocab_admit_known((enum vocab_grammar)g, n, (struct span){ t, n }).p == t) == want);
					CU_ASSERT(vocab_admit_known((enum vocab_grammar)g, n - 1, (struct span){ t, n }).p != t);
				}
	}
}

/* The setters that know where a field lies at compile time are those of the table. */
static void places_are_those_of_the_table(void)
{
	const struct vocab *v = &observation_vocab;
	CU_ASSERT_EQUAL(sizeof(observation_places) / sizeof(observation_places[0]), v->n_fields);
	for (unsigned f = 0; f < v->n_fields; f++) {
		CU_ASSERT(observation_places[f].offset == v->fields[f].offset && observation_places[f].max == v->fields[f].max &&
			  observation_places[f].grammar == v->fields[f].grammar);
	}
	/* Nothing of an observation is looked at but what was set. */
	struct observation a, b = { .head.type = OBSERVATION_HL7_ACK };
	memset(&a, 0xa5, sizeof(a));
	observation_begin(&a, OBSERVATION_HL7_ACK);
	CU_ASSERT(observation_text(&a, OBSERVATION_F_control_id, span_str("A1")) &&
		  vocab_set_text(v, &b.head, OBSERVATION_F_control_id, span_str("A1")));
	CU_ASSERT(!observation_text(&a, OBSERVATION_F_version, span_str("2.5^JPN")) &&
		  !vocab_set_text(v, &b.head, OBSERVATION_F_version, span_str("2.5^JPN")));
	observation_uint(&a, OBSERVATION_F_paired, 1);
	vocab_set_uint(v, &b.head, OBSERVATION_F_paired, 1);
	uint8_t in[256], out[256];
	struct buf x = buf_over(in, sizeof(in)), y = buf_over(out, sizeof(out));
	CU_ASSERT(!vocab_json(v, &a.head, &x) && !vocab_json(v, &b.head, &y));
	CU_ASSERT(x.len == y.len && !memcmp(in, out, x.len));
}

static void json_has_the_published_form(void)
{
	struct observation o = { .head.type = OBSERVATION_DICOM_ASSOCIATE_ACCEPT };
	struct endpoint src = { .ip = addr_from_v4((uint8_t[4]){ 192, 0, 2, 1 }), .port = 104 };
	struct endpoint dst = { .ip = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } }, .port = 50000 };
	const struct vocab *v = &observation_vocab;
	struct span syntaxes[] = { span_str("1.2.840.10008.1.2"), span_str("1.2.840.10008.1.2.1") };
	struct vocab_context x[] = {
		{ .id = 1, .result = VOCAB_NO_RESULT, .first = 0, .n = 2, .abstract_syntax = span_str("1.2.840.10008.1.1") },
		{ .id = 3, .result = 4, .first = 1, .n = 1 },
	};
	struct vocab_contexts c = { x, syntaxes, 2, 2 };
	observation_uint(&o, OBSERVATION_F_max_pdu, 16384);     /* set out of order on purpose */
	vocab_set_contexts(v, &o.head, OBSERVATION_F_contexts, &c);
	observation_text(&o, OBSERVATION_F_calling_ae, span_str("CT\"1"));
	vocab_set_endpoint(v, &o.head, OBSERVATION_F_dst, &dst);
	vocab_set_endpoint(v, &o.head, OBSERVATION_F_src, &src);
	observation_uint(&o, OBSERVATION_F_ts, UINT64_C(1700000000000000001));
	observation_uint(&o, OBSERVATION_F_user_identity, OBSERVATION_UI_PASSCODE);
	struct buf b = buf_over(mem, sizeof(mem) - 1);
	CU_ASSERT(vocab_json(v, &o.head, &b) == 0);
	mem[b.len] = 0;
	CU_ASSERT_STRING_EQUAL((char *)mem,
		"{\"type\":\"dicom.associate_accept\",\"ts\":\"2023-11-14T22:13:20.000000001Z\",\"src\":\"192.0.2.1:104\","
		"\"dst\":\"[2001:db8::1]:50000\",\"calling_ae\":\"CT\\\"1\",\"contexts\":[{\"id\":1,"
		"\"abstract_syntax\":\"1.2.840.10008.1.1\",\"transfer_syntaxes\":[\"1.2.840.10008.1.2\","
		"\"1.2.840.10008.1.2.1\"]},{\"id\":3,\"transfer_syntaxes\":[\"1.2.840.10008.1.2.1\"],\"result\":4}],"
		"\"max_pdu\":16384,\"user_identity\":\"username-passcode\"}");

	struct event e = { .head.type = EVENT_CONFIG_CHANGE };
	struct mac m = { { 0, 0x11, 0x22, 0x33, 0x44, 0x55 } };
	event_uint(&e, EVENT_F_severity, EVENT_HIGH);
	event_uint(&e, EVENT_F_midstream, 1);
	event_uint(&e, EVENT_F_loss, 0);
	vocab_set_addr(&event_vocab, &e.head, EVENT_F_device_addr, &src.ip);
	vocab_set_mac(&event_vocab, &e.head, EVENT_F_device_mac, &m);
	b = buf_over(mem, sizeof(mem) - 1);
	CU_ASSERT(vocab_json(&event_vocab, &e.head, &b) == 0);
	mem[b.len] = 0;
	CU_ASSERT_STRING_EQUAL((char *)mem, "{\"type\":\"config_change\",\"severity\":\"high\",\"device_addr\":\"192.0.2.1\","
			       "\"device_mac\":\"00:11:22:33:44:55\",\"midstream\":true,\"loss\":false}");

	struct observation cmd = { .head.type = OBSERVATION_DICOM_COMMAND };
	observation_uint(&cmd, OBSERVATION_F_status, 0x0124);
	b = buf_over(mem, sizeof(mem) - 1);
	CU_ASSERT(vocab_json(v, &cmd.head, &b) == 0);
	mem[b.len] = 0;
	CU_ASSERT_STRING_EQUAL((char *)mem, "{\"type\":\"dicom.command\",\"status\":\"0x0124\"}");
}

static void names_are_found(void)
{
	CU_ASSERT(vocab_type_index(&event_vocab, span_str("login_attempt")) == EVENT_LOGIN_ATTEMPT);
	CU_ASSERT(vocab_type_index(&event_vocab, span_str("login_attemp")) == -1);
	CU_ASSERT(vocab_field_index(&event_vocab, span_str("port")) == EVENT_F_port);
	CU_ASSERT(vocab_field_index(&event_vocab, span_str("")) == -1);
	CU_ASSERT_STRING_EQUAL(vocab_word(&event_vocab, EVENT_F_severity, EVENT_CRITICAL), "critical");
	CU_ASSERT(!vocab_word(&event_vocab, EVENT_F_severity, 5) && !vocab_word(&event_vocab, EVENT_F_seq, 0));
	CU_ASSERT(!vocab_word(&event_vocab, EVENT_FIELDS, 0));
}

/* What the tables must hold so that the rest can be believed: names once, words where words belong. */
static void tables_are_consistent(void)
{
	for (size_t t = 0; t < 2; t++) {
		const struct vocab *v = vocab_rig_all[t];
		for (size_t f = 0; f < v->n_fields; f++) {
			const struct vocab_field *x = &v->fields[f];
			CU_ASSERT(vocab_field_index(v, span_str(x->name)) == (int)f);
			CU_ASSERT(strcmp(x->name, "type") != 0);
			CU_ASSERT(v->places[f].offset == x->offset && v->places[f].kind == x->kind);
			CU_ASSERT((v->texts[f / 64] >> f % 64 & 1) == (x->kind == VOCAB_TEXT));
			CU_ASSERT((v->contexts[f / 64] >> f % 64 & 1) == (x->kind == VOCAB_CONTEXTS));
			/* A run of fields is a run of memory. */
			CU_ASSERT(!f || v->places[f].offset >= v->places[f - 1].offset + v->places[f - 1].size);
			CU_ASSERT(!f || v->places[f].offset < v->places[f - 1].offset + v->places[f - 1].size + 8);
			/* Written into JSON as it is. */
			CU_ASSERT(x->name_n == strspn(x->name, "abcdefghijklmnopqrstuvwxyz0123456789_") && !x->name[x->name_n]);
			CU_ASSERT((x->kind == VOCAB_WORD) == (x->words != NULL));
			CU_ASSERT((x->kind == VOCAB_TEXT) == (x->grammar != VOCAB_G_NONE) && (x->kind == VOCAB_TEXT) == (x->max > 0));
			CU_ASSERT((x->privacy == VOCAB_TOKEN) == (x->grammar == VOCAB_G_TOKEN));
		}
		for (size_t i = 0; i < v->n_types; i++) {
			uint8_t seen[VOCAB_MAX_FIELDS] = { 0 };
			CU_ASSERT(vocab_type_index(v, span_str(v->types[i].name)) == (int)i);
			for (size_t k = 0; k < v->types[i].n_fields; k++)
				CU_ASSERT(v->types[i].fields[k] < v->n_fields && !seen[v->types[i].fields[k]]++);
		}
	}
}

/* Records drawn at random, as JSON Lines behind the name of their vocabulary: for tests/schema.sh. */
static int print_records(void)
{
	for (int round = 0; round < 600; round++) {
		const struct vocab *v = vocab_rig_all[round & 1];
		union vocab_rig rec;
		vocab_rig_record(v, &rec);
		struct buf b = buf_over(mem, sizeof(mem));
		if (vocab_json(v, &rec.head, &b))
			return 1;
		printf("%s %.*s\n", v->name, (int)b.len, (char *)mem);
	}
	return ferror(stdout) != 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--print"))
		return print_records();
	CU_pSuite s = test_begin("vocab");
	CU_ADD_TEST(s, records_survive_encoding_and_decoding);
	CU_ADD_TEST(s, msgpack_c_agrees_in_both_directions);
	CU_ADD_TEST(s, a_record_that_is_used_again_is_as_new);
	CU_ADD_TEST(s, packing_is_encoding);
	CU_ADD_TEST(s, every_prefix_is_refused);
	CU_ADD_TEST(s, one_wrong_byte_is_refused_or_another_record);
	CU_ADD_TEST(s, says_when_the_buffer_is_too_small);
	CU_ADD_TEST(s, refuses_what_is_not_canonical);
	CU_ADD_TEST(s, skips_and_counts_keys_past_the_table);
	CU_ADD_TEST(s, contexts_at_their_limits);
	CU_ADD_TEST(s, texts_that_do_not_fit_are_replaced);
	CU_ADD_TEST(s, grammars_admit_what_they_say);
	CU_ADD_TEST(s, grammars_look_at_every_character);
	CU_ADD_TEST(s, places_are_those_of_the_table);
	CU_ADD_TEST(s, json_has_the_published_form);
	CU_ADD_TEST(s, names_are_found);
	CU_ADD_TEST(s, tables_are_consistent);
	return test_end();
}
