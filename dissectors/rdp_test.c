#include "dissectors/try.h"

extern const struct dissector rdp_dissector;

#define ASKED(auth, named) \
	"0 {\"type\":\"rdp.negotiate\",\"speaker\":\"client\",\"auth\":\"" auth "\",\"login\":\"attempted\",\"user_named\":" named "}\n"
#define GIVEN(s) "1 {\"type\":\"rdp.negotiate\",\"speaker\":\"server\",\"security\":\"" s "\"}\n"

static void what_protects_the_session(void)
{
	TRY_STREAM(&rdp_dissector, ASKED("rdp+tls+nla", "true") GIVEN("nla"),
		   { 0, "0300002e 29 e0 0000 0000 00 'Cookie: mstshash=CANARY00' 0d0a 01000800 03000000" }, { 1, "03000013 0e d0 0000 1234 00 02000800 02000000" });
	TRY_STREAM(&rdp_dissector, ASKED("rdp+tls", "false") GIVEN("tls"), { 0, "03000013 0e e0 0000 0000 00 01000800 01000000" },
		   { 1, "03000013 0e d0 0000 1234 00 02000800 01000000" });
	TRY_STREAM(&rdp_dissector, ASKED("rdp", "false") GIVEN("rdp-standard"), { 0, "0300000b 06 e0 0000 0000 00" }, { 1, "0300000b 06 d0 0000 1234 00" });
	TRY_STREAM(&rdp_dissector,
		   ASKED("rdp", "false") "1 {\"type\":\"rdp.negotiate\",\"speaker\":\"server\",\"login\":\"refused\",\"code\":5}\n",
		   { 0, "03000013 0e e0 0000 0000 00 01000800 00000000" }, { 1, "03000013 0e d0 0000 1234 00 03000800 05000000" });
}

static void other_users_of_tpkt(void)
{
	CU_ASSERT_EQUAL(try_probe(&rdp_dissector, "03000016 11 e0 0000 0001 00 c1020100", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&rdp_dissector, "03000007 02 f0 80", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&rdp_dissector, "0300000c 06 e0 0000 0000 00", false), DISSECT_NO);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "what protects the session", what_protects_the_session },
		{ "other users of tpkt", other_users_of_tpkt },
		CU_TEST_INFO_NULL,
	};
	return test_run("rdp", tests);
}
