#include "sensor/recognise.h"

#include "core/test.h"
#include "dissectors/drive.h"

/* What is said of all beginnings; they must not contradict each other. */
static enum dissect_guess tcp(const char *text, enum recognise_service *ret)
{
	enum dissect_guess was = DISSECT_MAYBE;
	for (size_t n = 0; n <= strlen(text); n++) {
		uint8_t *exact = drive_copy((const uint8_t *)text, n);
		enum dissect_guess is = recognise_tcp((struct span){ exact, n }, false, ret);
		free(exact);
		CU_ASSERT(was == DISSECT_MAYBE || is == was);
		was = is;
	}
	return was;
}

static void mail_by_its_greeting(void)
{
	static const struct { const char *text; enum recognise_service service; } good[] = {
		{ "220 mx.example ESMTP Postfix\r\n250 ok", RECOGNISE_SMTP }, { "EHLO pc7", RECOGNISE_SMTP },
		{ "HELO pc7", RECOGNISE_SMTP }, { "+OK ready", RECOGNISE_POP3 }, { "* OK ready", RECOGNISE_IMAP },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		enum recognise_service s = RECOGNISE_NONE;
		CU_ASSERT_EQUAL(tcp(good[i].text, &s), DISSECT_YES);
		CU_ASSERT_EQUAL(s, good[i].service);
	}
}

static void what_is_nothing_we_know(void)
{
	enum recognise_service s = RECOGNISE_NONE;
	static const char *const bad[] = { "220 ready\r\n", "221 bye", "+ok x", "* BAD x", "hello", "EHLOx" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(tcp(bad[i], &s), DISSECT_NO);
	char long_line[600] = "220 ";
	memset(long_line + 4, 'x', sizeof(long_line) - 5);
	CU_ASSERT_EQUAL(tcp(long_line, &s), DISSECT_NO);
	CU_ASSERT_EQUAL(s, RECOGNISE_NONE);
}

static void every_service_has_a_name(void)
{
	for (int s = RECOGNISE_NONE + 1; s < RECOGNISE_SERVICES; s++)
		CU_ASSERT_PTR_NOT_NULL(recognise_name((enum recognise_service)s));
	CU_ASSERT_PTR_NULL(recognise_name(RECOGNISE_NONE));
}

/* The shard sets its services without asking whether they are admitted. */
static void every_name_is_admitted(void)
{
	const struct vocab_field *f = &observation_vocab.fields[OBSERVATION_F_service];
	for (int s = RECOGNISE_NONE + 1; s < RECOGNISE_SERVICES; s++)
		CU_ASSERT(vocab_fits(f->grammar, f->max, span_str(recognise_name((enum recognise_service)s))));
	for (const struct dissector *const *d = dissector_list; *d; d++)
		CU_ASSERT(vocab_fits(f->grammar, f->max, span_str((*d)->name)));
	CU_ASSERT(vocab_fits(f->grammar, f->max, span_str("unknown")));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "mail by its greeting", mail_by_its_greeting },
		{ "what is nothing we know", what_is_nothing_we_know },
		{ "every service has a name", every_service_has_a_name },
		{ "every name is admitted", every_name_is_admitted },
		CU_TEST_INFO_NULL,
	};
	return test_run("recognise", tests);
}
