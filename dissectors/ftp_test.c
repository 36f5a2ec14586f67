#include "dissectors/try.h"

extern const struct dissector ftp_dissector;

#define GREETING "1 {\"type\":\"ftp.control\",\"speaker\":\"server\",\"operation\":\"greeting\",\"product\":\"(vsFTPd 3.0.3)\",\"security\":\"clear-text\"}\n"
#define USER "0 {\"type\":\"ftp.control\",\"speaker\":\"client\",\"operation\":\"USER\",\"security\":\"clear-text\",\"login\":\"attempted\",\"user_named\":true}\n"
#define LOGIN(how, code) \
	"1 {\"type\":\"ftp.control\",\"speaker\":\"server\",\"operation\":\"login\",\"security\":\"clear-text\",\"login\":\"" how "\",\"code\":" code "}\n"

static void a_log_in_in_the_clear(void)
{
	TRY_STREAM(&ftp_dissector, GREETING USER LOGIN("refused", "530") USER LOGIN("accepted", "230"), { 1, "'220 (vsFTPd 3.0.3)' 0d0a" },
		   { 0, "'USER TESTCANARY' 0d0a" }, { 1, "'331 Password please' 0d0a" }, { 0, "'PASS TESTCANARY' 0d0a" },
		   { 1, "'530 Login incorrect.' 0d0a" }, { 0, "'user TESTCANARY' 0d0a 'PASS x' 0d0a" },
		   { 1, "'331 x' 0d0a '230-Hello' 0d0a '230 Login successful.' 0d0a" }, { 0, "'RETR TESTCANARY' 0d0a" });
}

static void encrypted_before_it(void)
{
	TRY_STREAM(&ftp_dissector,
		   GREETING "1 {\"type\":\"ftp.control\",\"speaker\":\"server\",\"operation\":\"AUTH\",\"security\":\"tls\",\"code\":234}\n",
		   { 1, "'220 (vsFTPd 3.0.3)' 0d0a" }, { 0, "'AUTH TLS' 0d0a" }, { 1, "'234 Proceed' 0d0a" }, { 0, "160301" });
}

static void mail_servers_greet_like_that_too(void)
{
	CU_ASSERT_EQUAL(try_probe(&ftp_dissector, "'220 mx ESMTP Postfix' 0d0a", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&ftp_dissector, "'220 host ready' 0d0a", false), DISSECT_MAYBE);
	CU_ASSERT_EQUAL(try_probe(&ftp_dissector, "'220 host FTP server' 0d0a", false), DISSECT_YES);
	CU_ASSERT_EQUAL(try_probe(&ftp_dissector, "'220x'", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&ftp_dissector, "'USER x'", false), DISSECT_YES);
	CU_ASSERT_EQUAL(try_probe(&ftp_dissector, "'EHLO x'", false), DISSECT_NO);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a log in in the clear", a_log_in_in_the_clear },
		{ "encrypted before it", encrypted_before_it },
		{ "mail servers greet like that too", mail_servers_greet_like_that_too },
		CU_TEST_INFO_NULL,
	};
	return test_run("ftp", tests);
}
