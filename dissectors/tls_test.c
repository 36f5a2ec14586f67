/* Covers: R013 R017 */
#include "dissectors/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "dissectors/drive.h"

/* Real handshakes: the seeds of the fuzz target, made of test-pcaps/tls by test-pcaps/make/seeds.py. */
static const char *const real[] = { "tls13", "tls13-retry", "tls12-client-certificate", "tls12-small-records", "tls12-anonymous",
				    "tls12-ec", "refused-cipher", "tls10", "ssl2-hello", "middle" };
enum { REAL = sizeof(real) / sizeof(real[0]), ROOM = 64 << 10 };
static const size_t segments[] = { 0, 1, 2, 3, 5, 6, 7, 10, 536, 1448 };
enum { SEGMENTS = sizeof(segments) / sizeof(segments[0]) };

struct talk {
	uint8_t bytes[ROOM];
	size_t n;
};

static void load(struct talk *t, const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "fuzz/corpus/tls/%s", name);
	FILE *f = fopen(path, "rb");
	CU_ASSERT_FATAL(f != NULL);
	t->n = f ? fread(t->bytes, 1, sizeof(t->bytes), f) : 0;
	if (f)
		fclose(f);
	CU_ASSERT_FATAL(t->n > 4 && t->n < sizeof(t->bytes));
}

static void record(struct talk *t, unsigned dir, const void *bytes, size_t n)
{
	if (!t->n)
		t->bytes[t->n++] = 0;
	CU_ASSERT_FATAL(t->n + 3 + n <= sizeof(t->bytes));
	t->bytes[t->n++] = (uint8_t)dir;
	t->bytes[t->n++] = (uint8_t)(n >> 8);
	t->bytes[t->n++] = (uint8_t)n;
	memcpy(t->bytes + t->n, bytes, n);
	t->n += n;
}

static struct drive *play(const struct talk *t, unsigned mode, size_t segment)
{
	struct drive *d = drive_new(&tls_dissector, mode | (t->bytes[0] & 1 ? DRIVE_MIDSTREAM : 0));
	d->ts_ns = UINT64_C(1764000000) * 1000000000;   /* 2025-11-24 */
	d->port[0] = 40000;
	d->port[1] = 2762;
	struct cursor c = cursor_from((struct span){ t->bytes + 1, t->n - 1 });
	while (cursor_left(&c)) {
		unsigned dir = cursor_u8(&c) & 1;
		size_t n = cursor_u16be(&c);
		drive_feed(d, dir, cursor_take(&c, n < cursor_left(&c) ? n : cursor_left(&c)), segment);
	}
	drive_finish(d);
	return d;
}

static void says(const struct talk *t, const char *const *want)
{
	struct drive *d = play(t, DRIVE_PROBE, 0);
	const char *text = drive_text(d);
	for (; *want; want++) {
		if (!strstr(text, *want))
			fprintf(stderr, "no %s in\n%s", *want, text);
		CU_ASSERT(strstr(text, *want) != NULL);
	}
	drive_free(d);
}
#define SAYS(t, ...) says(t, (const char *const[]){ __VA_ARGS__, NULL })

static void the_same_in_every_segmentation(void)
{
	static struct talk t;
	for (size_t i = 0; i < REAL; i++) {
		load(&t, real[i]);
		struct drive *whole = play(&t, DRIVE_PROBE, 0);
		for (size_t k = 1; k < SEGMENTS; k++) {
			struct drive *cut = play(&t, DRIVE_PROBE, segments[k]);
			CU_ASSERT_STRING_EQUAL(drive_text(cut), drive_text(whole));
			CU_ASSERT_EQUAL(cut->done, whole->done);
			drive_free(cut);
		}
		CU_ASSERT(whole->done && !whole->bad);
		drive_free(whole);
	}
}

static void reads_real_handshakes(void)
{
	static struct talk t;
	load(&t, "tls13");
	SAYS(&t, "0 {\"type\":\"tls.handshake\",\"tls_version\":\"tls1.3\"", "\"cipher\":\"TLS_AES_256_GCM_SHA384\"",
	     "\"cipher_weakness\":\"none\"", "\"sni\":\"pacs.hospital.example\"", "\"assumed\":\"dicom\",\"assumed_by\":\"port\"");
	load(&t, "tls13-retry");
	SAYS(&t, "\"tls_version\":\"tls1.3\"", "\"hello_retry\":true");
	load(&t, "tls12-small-records");
	SAYS(&t, "\"subject_name\":\"pacs.hospital.example\"", "\"chain\":2", "\"key_type\":\"rsa\",\"key_bits\":2048");
	load(&t, "tls12-anonymous");
	SAYS(&t, "\"cipher_weakness\":\"anonymous\"");
	load(&t, "tls10");
	SAYS(&t, "\"tls_version\":\"tls1.0\"", "\"tls_below_12\":true");
	load(&t, "refused-cipher");
	SAYS(&t, "\"alert\":\"handshake_failure\",\"alert_from\":\"server\"");
	load(&t, "ssl2-hello");
	SAYS(&t, "\"tls_offered\":\"tls1.0,ssl2\"", "\"alert\":\"handshake_failure\"");
}

/* The certificate of the client names a doctor, and her mail address. */
static void no_name_of_a_client_leaves(void)
{
	static struct talk t;
	load(&t, "tls12-client-certificate");
	CU_ASSERT(memmem(t.bytes, t.n, "TESTDOCTOR CANARY", 17) != NULL);
	CU_ASSERT(memmem(t.bytes, t.n, "testdoctor.canary", 17) != NULL);
	SAYS(&t, "0 {\"type\":\"tls.certificate\",\"certificate_of\":\"client\",\"issuer_name\":\"Test Hospital CA\"",
	     "1 {\"type\":\"tls.certificate\",\"certificate_of\":\"server\"", "\"client_certificate\":\"sent\"");
	for (size_t k = 0; k < SEGMENTS; k++) {
		struct drive *d = play(&t, DRIVE_KNOWN, segments[k]);
		CU_ASSERT(!strcasestr(drive_text(d), "canary"));
		drive_free(d);
	}
}

static void every_prefix_and_every_wrong_byte(void)
{
	static struct talk t, wrong;
	for (size_t i = 0; i < REAL; i++) {
		load(&t, real[i]);
		for (size_t n = 4; n < t.n; n += 1 + n / 200) {
			size_t all = t.n;
			t.n = n;
			drive_free(play(&t, DRIVE_KNOWN, 0));
			t.n = all;
		}
		for (size_t at = 4; at < t.n; at += 1 + at / 100) {
			wrong = t;
			wrong.bytes[at] ^= (uint8_t)(1 + at % 255);
			drive_free(play(&wrong, DRIVE_KNOWN, 0));
			drive_free(play(&wrong, DRIVE_PROBE, 7));
		}
	}
}

/* ---- hellos that nobody sends ---- */

struct made {
	uint8_t b[ROOM];
	size_t n;
};

static void put(struct made *m, const void *bytes, size_t n)
{
	CU_ASSERT_FATAL(m->n + n <= sizeof(m->b));
	if (n)
		memcpy(m->b + m->n, bytes, n);
	m->n += n;
}

static void put16(struct made *m, size_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };
	put(m, b, 2);
}

/* A ClientHello message with these ciphers and extensions (both as on the wire). */
static struct made hello(const void *ciphers, size_t n_ciphers, const void *extensions, size_t n_extensions)
{
	struct made m = { .n = 0 };
	size_t body = 2 + 32 + 1 + 2 + n_ciphers + 2 + 2 + n_extensions;
	uint8_t head[4] = { 1, (uint8_t)(body >> 16), (uint8_t)(body >> 8), (uint8_t)body };
	put(&m, head, 4);
	put16(&m, 0x0303);
	for (int i = 0; i < 33; i++)
		put(&m, "", 1);
	put16(&m, n_ciphers);
	put(&m, ciphers, n_ciphers);
	put(&m, "\1\0", 2);
	put16(&m, n_extensions);
	put(&m, extensions, n_extensions);
	return m;
}

/* In records of at most `piece` bytes. */
static struct made records(const struct made *message, size_t piece)
{
	struct made m = { .n = 0 };
	for (size_t at = 0; at < message->n; at += piece) {
		size_t n = piece < message->n - at ? piece : message->n - at;
		put(&m, "\x16\3\1", 3);
		put16(&m, n);
		put(&m, message->b + at, n);
	}
	return m;
}

/* The example of FoxIO's technical description of JA4: its ciphers and extensions give these two hashes. */
static void ja4_of_the_published_example(void)
{
	static const uint8_t ciphers[] = { 0x1a, 0x1a, 0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30,
					   0xcc, 0xa9, 0xcc, 0xa8, 0xc0, 0x13, 0xc0, 0x14, 0, 0x9c, 0, 0x9d, 0, 0x2f, 0, 0x35 };
	static const uint16_t plain[] = { 0x001b, 0x0005, 0xff01, 0x0012, 0x0023, 0x000b, 0x0033, 0x4469, 0x002d, 0x0017, 0x0015 };
	static const char others[] =
		"\x00\x00\x00\x06\x00\x04\x00\x00\x01x"                                                  /* server name x */
		"\x00\x10\x00\x05\x00\x03\x02h2"                                                         /* ALPN h2 */
		"\x00\x0a\x00\x06\x00\x04\x2a\x2a\x00\x1d"                                               /* groups */
		"\x00\x0d\x00\x12\x00\x10\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x08\x06\x06\x01"
		"\x00\x2b\x00\x05\x04\x3a\x3a\x03\x04"                                                   /* versions */
		"\x0a\x0a\x00\x00";
	struct made x = { .n = 0 };
	put(&x, others, sizeof(others) - 1);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		put16(&x, plain[i]);
		put16(&x, plain[i] == 0x000b ? 2 : 0);
		if (plain[i] == 0x000b)
			put(&x, "\1\0", 2);
	}
	struct made m = hello(ciphers, sizeof(ciphers), x.b, x.n);
	struct tls_client_hello c;
	CU_ASSERT_FATAL(tls_hello_client((struct span){ m.b + 4, m.n - 4 }, &c));
	CU_ASSERT(!memcmp(c.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1", 36));
	CU_ASSERT_EQUAL(c.versions, 1u << OBSERVATION_TLS_13);
	CU_ASSERT(c.sni_n == 1 && c.sni[0] == 'x' && c.alpn_n == 2);
	/* Every shorter body is broken or says less; none reads past its end. */
	for (size_t n = 0; n < m.n - 4; n++) {
		uint8_t *exact = drive_copy(m.b + 4, n);
		(void)tls_hello_client((struct span){ exact, n }, &c);
		free(exact);
	}
}

static void a_hello_in_records_of_one_byte(void)
{
	static struct talk t;
	struct made m = hello("\x13\x01", 2, "", 0);
	t.n = 0;
	struct made r = records(&m, 1);
	record(&t, 0, r.b, r.n);
	for (size_t k = 0; k < SEGMENTS; k++) {
		struct drive *d = play(&t, DRIVE_PROBE, segments[k]);
		CU_ASSERT(strstr(drive_text(d), "\"tls_offered\":\"tls1.2\"") && !d->bad);
		drive_free(d);
	}
}

/* 400 ciphers: the JA3 is of all of them, a JA4 is not made. 33 KiB: passed over and said to be partial. */
static void long_hellos(void)
{
	static struct talk t;
	static uint8_t ciphers[40 << 10];
	for (size_t i = 0; i < sizeof(ciphers); i++)
		ciphers[i] = (uint8_t)(i % 2 ? 0x30 + i / 2 % 64 : 0xc0);
	struct made m = hello(ciphers, 800, "", 0);
	t.n = 0;
	struct made r = records(&m, 16384);
	record(&t, 0, r.b, r.n);
	SAYS(&t, "\"ja3\":\"");
	struct drive *d = play(&t, DRIVE_PROBE, 0);
	CU_ASSERT(!strstr(drive_text(d), "ja4"));
	drive_free(d);
	m = hello(ciphers, 33 << 10, "", 0);
	r = records(&m, 16384);
	t.n = 0;
	record(&t, 0, r.b, r.n);
	record(&t, 1, "\x15\3\3\0\2\2\x28", 7);
	SAYS(&t, "\"alert\":\"handshake_failure\"", "\"partial\":true");
}

static void broken_hellos_are_malformed(void)
{
	struct made good = hello("\x13\x01", 2, "\0\x2b\0\3\2\3\4", 7);
	static const struct { size_t at; uint8_t v; } wrong[] = { { 38, 33 }, { 40, 200 }, { 40, 3 }, { 43, 200 }, { 45, 200 }, { 3, 200 } };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		static struct talk t;
		struct made m = good;
		m.b[wrong[i].at] = wrong[i].v;
		struct made r = records(&m, 16384);
		t.n = 0;
		record(&t, 0, r.b, r.n);
		record(&t, 0, "\x17\3\3\0\1x", 6);
		struct drive *d = play(&t, DRIVE_KNOWN, 0);
		CU_ASSERT(d->bad);
		drive_free(d);
	}
}

static void names_that_do_not_fit_are_replaced(void)
{
	static struct talk t;
	struct made m = hello("\x13\x01", 2, "\0\0\0\x0c\0\x0a\0\0\7te st\"@", 16);
	struct made r = records(&m, 16384);
	t.n = 0;
	record(&t, 0, r.b, r.n);
	SAYS(&t, "\"sni\":\"(not admitted)\"");
}

static void lost_bytes_make_it_partial(void)
{
	static struct talk t;
	struct made m = hello("\x13\x01", 2, "", 0);
	struct made r = records(&m, 16384);
	struct drive *d = drive_new(&tls_dissector, DRIVE_KNOWN);
	drive_feed(d, 0, (struct span){ r.b, r.n }, 0);
	drive_gap(d, 1, 5000);
	CU_ASSERT(!d->bad);
	drive_feed(d, 1, span_str("anything"), 0);
	drive_feed(d, 0, span_str("\x14\3\3\0\1\1"), 0);
	drive_finish(d);
	CU_ASSERT(strstr(drive_text(d), "\"partial\":true") != NULL);
	drive_free(d);
	/* In TLS 1.3 what follows the answer is encrypted anyway. */
	load(&t, "tls13");
	d = drive_new(&tls_dissector, DRIVE_KNOWN);
	struct cursor c = cursor_from((struct span){ t.bytes + 1, t.n - 1 });
	for (int i = 0; i < 2; i++) {
		unsigned dir = cursor_u8(&c);
		struct span bytes = cursor_take(&c, cursor_u16be(&c));
		/* The server's: its hello alone. */
		bytes.n = dir ? 5u + (size_t)(bytes.p[3] << 8 | bytes.p[4]) : bytes.n;
		drive_feed(d, dir, bytes, 0);
	}
	drive_gap(d, 1, 100);
	CU_ASSERT(strstr(drive_text(d), "\"tls_version\":\"tls1.3\"") && !strstr(drive_text(d), "partial"));
	drive_free(d);
}

static void an_answer_that_is_no_tls(void)
{
	static struct talk t;
	struct made m = hello("\x13\x01", 2, "", 0);
	struct made r = records(&m, 16384);
	t.n = 0;
	record(&t, 0, r.b, r.n);
	record(&t, 1, "HTTP/1.1 400 Bad Request\r\n", 26);
	struct drive *d = play(&t, DRIVE_PROBE, 0);
	CU_ASSERT(d->bad && strstr(drive_text(d), "tls.handshake") != NULL);
	drive_free(d);
}

static void probes_by_shape(void)
{
	static const struct { const char *bytes; size_t n; bool midstream; enum dissect_guess want; } cases[] = {
		{ "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, false, DISSECT_YES },
		{ "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", 11, false, DISSECT_YES },
		{ "\x16\x03\x01\x02\x00\x01\x01", 7, false, DISSECT_NO },
		{ "\x16\x03\x01\x02\x00\x0b", 6, false, DISSECT_NO },
		{ "\x16\x02", 2, false, DISSECT_NO },
		{ "\x16\x03\x05", 3, false, DISSECT_NO },
		{ "\x17\x03\x03\x00\x03" "abc" "\x15\x03\x03\x00\x02" "de", 15, true, DISSECT_YES },
		{ "\x17\x03\x03\x00\x03" "abc" "\x15\x03\x03\x00\x02" "de", 15, false, DISSECT_NO },
		{ "\x17\x03\x03\x40\x18", 5, true, DISSECT_YES },
		{ "\x15\x03\x01\x00\x02\x02\x28", 7, false, DISSECT_YES },
		{ "\x15\x03\x01\x00\x03", 5, false, DISSECT_NO },
		{ "\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10", 11, false, DISSECT_YES },
		{ "\x80\x2e\x01\x03\x01\x00\x14\x00\x00\x00\x10", 11, false, DISSECT_NO },
		{ "\x80\x2e\x02", 3, false, DISSECT_NO },
		{ "GET / HTTP/1.1", 14, false, DISSECT_NO },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t n = 0; n <= cases[i].n; n++) {
			uint8_t *exact = drive_copy((const uint8_t *)cases[i].bytes, n);
			enum dissect_guess g = tls_dissector.probe((struct span){ exact, n }, cases[i].midstream);
			free(exact);
			CU_ASSERT(g == DISSECT_MAYBE || g == cases[i].want);
			if (n == cases[i].n)
				CU_ASSERT_EQUAL(g, cases[i].want);
		}
	}
}

static void suites_against_bcp_195(void)
{
	static const struct { uint16_t code; unsigned weakness; const char *name; } cases[] = {
		{ 0x0000, OBSERVATION_CIPHER_NULL, "TLS_NULL_WITH_NULL_NULL" },
		{ 0x0003, OBSERVATION_CIPHER_EXPORT, "TLS_RSA_EXPORT_WITH_RC4_40_MD5" },
		{ 0x0005, OBSERVATION_CIPHER_RC4, "TLS_RSA_WITH_RC4_128_SHA" },
		{ 0x0009, OBSERVATION_CIPHER_DES, "TLS_RSA_WITH_DES_CBC_SHA" },
		{ 0x000a, OBSERVATION_CIPHER_3DES, "TLS_RSA_WITH_3DES_EDE_CBC_SHA" },
		{ 0x0018, OBSERVATION_CIPHER_ANONYMOUS, "TLS_DH_anon_WITH_RC4_128_MD5" },
		{ 0x002f, OBSERVATION_CIPHER_NO_FORWARD_SECRECY, "TLS_RSA_WITH_AES_128_CBC_SHA" },
		{ 0x003b, OBSERVATION_CIPHER_NULL, "TLS_RSA_WITH_NULL_SHA256" },
		{ 0xc00e, OBSERVATION_CIPHER_NO_FORWARD_SECRECY, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA" },
		{ 0xc02f, OBSERVATION_CIPHER_FINE, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
		{ 0xc0b4, OBSERVATION_CIPHER_NULL, "TLS_SHA256_SHA256" },
		{ 0x1301, OBSERVATION_CIPHER_FINE, "TLS_AES_128_GCM_SHA256" },
		{ 0xfafa, OBSERVATION_CIPHER_UNKNOWN, "0xfafa" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char room[TLS_CIPHER_ROOM];
		CU_ASSERT_EQUAL(tls_cipher_weakness(cases[i].code), cases[i].weakness);
		CU_ASSERT(span_eq(tls_cipher_name(cases[i].code, room), span_str(cases[i].name)));
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "the_same_in_every_segmentation", the_same_in_every_segmentation },
		{ "reads_real_handshakes", reads_real_handshakes },
		{ "no_name_of_a_client_leaves", no_name_of_a_client_leaves },
		{ "every_prefix_and_every_wrong_byte", every_prefix_and_every_wrong_byte },
		{ "ja4_of_the_published_example", ja4_of_the_published_example },
		{ "a_hello_in_records_of_one_byte", a_hello_in_records_of_one_byte },
		{ "long_hellos", long_hellos },
		{ "broken_hellos_are_malformed", broken_hellos_are_malformed },
		{ "names_that_do_not_fit_are_replaced", names_that_do_not_fit_are_replaced },
		{ "lost_bytes_make_it_partial", lost_bytes_make_it_partial },
		{ "an_answer_that_is_no_tls", an_answer_that_is_no_tls },
		{ "probes_by_shape", probes_by_shape },
		{ "suites_against_bcp_195", suites_against_bcp_195 },
		CU_TEST_INFO_NULL,
	};
	return test_run("tls", tests);
}
