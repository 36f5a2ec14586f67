#include "dissectors/try.h"

extern const struct dissector telnet_dissector;

#define OFFERED "1 {\"type\":\"telnet.session\",\"speaker\":\"server\",\"security\":\"clear-text\",\"login\":\"offered\"}\n"
#define ATTEMPTED "0 {\"type\":\"telnet.session\",\"speaker\":\"client\",\"security\":\"clear-text\",\"login\":\"attempted\"}\n"
#define REFUSED "1 {\"type\":\"telnet.session\",\"speaker\":\"server\",\"security\":\"clear-text\",\"login\":\"refused\"}\n"

static void a_log_in_is_asked_for_tried_and_refused(void)
{
	TRY_STREAM(&telnet_dissector, OFFERED ATTEMPTED REFUSED, { 1, "fffd18 fffd20" }, { 0, "fffb18 fffa18 00 'xterm' fff0" },
		   { 1, "0d0a 'login: '" }, { 0, "'TESTCANARY' 0d00" }, { 1, "'Password: '" }, { 0, "'TESTCANARY' 0d00" },
		   { 1, "0d0a 'Login incorrect' 0d0a" }, { 1, "'login: '" });
	TRY_STREAM(&telnet_dissector, OFFERED, { 1, "fffd18 'Username:'" }, { 0, "'admin' 0d0a" }, { 1, "'denied'" });
	TRY_STREAM(&telnet_dissector, OFFERED ATTEMPTED, { 1, "fffd18 'Password:'" }, { 0, "ff f1 'x'" }, { 1, "'$ '" });
}

static void what_is_not_telnet(void)
{
	CU_ASSERT_EQUAL(try_probe(&telnet_dissector, "fffb01", false), DISSECT_YES);
	CU_ASSERT_EQUAL(try_probe(&telnet_dissector, "fffb40", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&telnet_dissector, "ffd8ff", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&telnet_dissector, "'login:'", false), DISSECT_NO);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a log in is asked for tried and refused", a_log_in_is_asked_for_tried_and_refused },
		{ "what is not telnet", what_is_not_telnet },
		CU_TEST_INFO_NULL,
	};
	return test_run("telnet", tests);
}
