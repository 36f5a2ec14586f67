#include "dissectors/try.h"

extern const struct dissector ldap_dissector;

#define ASK(more) \
	"0 {\"type\":\"ldap.bind\",\"speaker\":\"client\",\"operation\":\"bind\",\"protocol_version\":\"3\"" more "}\n"
#define GOT(what, more) "1 {\"type\":\"ldap.bind\",\"speaker\":\"server\",\"operation\":\"" what "\"" more "}\n"

static void simple_bind_in_the_clear(void)
{
	TRY_STREAM(&ldap_dissector,
		   ASK(",\"security\":\"clear-text\",\"auth\":\"simple\",\"login\":\"attempted\",\"user_named\":true")
		   GOT("bind", ",\"login\":\"refused\",\"code\":49")
		   ASK(",\"security\":\"none\",\"auth\":\"anonymous\",\"user_named\":false")
		   GOT("bind", ",\"code\":0"),
		   { 0, "3020 020101 601b 020103 040a 'cn=TESTCAN' 800a 'TESTCANARY'" }, { 1, "300c 020101 6107 0a0131 0400 0400" },
		   { 0, "3009 020102 6304 04020000" }, { 0, "300c 020103 6007 020103 0400 8000" }, { 1, "300c 020103 6107 0a0100 0400 0400" });
}

static void sasl_and_starttls(void)
{
	TRY_STREAM(&ldap_dissector,
		   ASK(",\"auth\":\"GSS-SPNEGO\",\"login\":\"attempted\",\"user_named\":false")
		   GOT("bind", ",\"login\":\"accepted\",\"code\":0"),
		   { 0, "301c 020101 6017 020103 0400 a310 040a 'GSS-SPNEGO' 04024e54" }, { 1, "300c 020101 6107 0a010e 0400 0400" },
		   { 1, "300c 020102 6107 0a0100 0400 0400" });
	TRY_STREAM(&ldap_dissector, GOT("starttls", ",\"security\":\"tls\",\"code\":0"),
		   { 0, "301d 020101 7718 8016 '1.3.6.1.4.1.1466.20037'" }, { 1, "300c 020101 7807 0a0100 0400 0400" }, { 0, "160301" });
}

static void what_is_not_ldap(void)
{
	CU_ASSERT_EQUAL(try_probe(&ldap_dissector, "300c 020101 6007 020103 0400 8000", false), DISSECT_YES);
	CU_ASSERT_EQUAL(try_probe(&ldap_dissector, "30840000000c 020101 63", false), DISSECT_YES);
	CU_ASSERT_EQUAL(try_probe(&ldap_dissector, "300c 020101 0406 'public'", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&ldap_dissector, "300c 040101", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&ldap_dissector, "3003 020101", false), DISSECT_NO);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "simple bind in the clear", simple_bind_in_the_clear },
		{ "sasl and starttls", sasl_and_starttls },
		{ "what is not ldap", what_is_not_ldap },
		CU_TEST_INFO_NULL,
	};
	return test_run("ldap", tests);
}
