#include "dissectors/try.h"

extern const struct dissector ntp_dissector;

#define REST44 "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000"

static void the_server_is_told_once(void)
{
	TRY_DATAGRAMS(&ntp_dissector,
		      "1 {\"type\":\"ntp.mode\",\"speaker\":\"server\",\"operation\":\"server\",\"protocol_version\":\"4\",\"stratum\":2}\n",
		      { 0, "23 00 06 ec " REST44 }, { 1, "24 02 06 ec " REST44 }, { 1, "24 02 06 ec " REST44 });
}

static void who_asks_for_more_than_time(void)
{
	TRY_DATAGRAMS(&ntp_dissector,
		      "0 {\"type\":\"ntp.mode\",\"speaker\":\"client\",\"operation\":\"private\",\"protocol_version\":\"2\"}\n",
		      { 0, "17 00 03 2a 00000000" });
	TRY_DATAGRAMS(&ntp_dissector,
		      "0 {\"type\":\"ntp.mode\",\"speaker\":\"client\",\"operation\":\"control\",\"protocol_version\":\"2\"}\n",
		      { 0, "16 02 0001 0000 0000 0000 0000" });
}

static void what_is_not_ntp(void)
{
	CU_ASSERT(try_is(&ntp_dissector, "23 00 06 ec " REST44));
	CU_ASSERT(!try_is(&ntp_dissector, "03 00 06 ec " REST44));
	CU_ASSERT(!try_is(&ntp_dissector, "20 00 06 ec " REST44));
	CU_ASSERT(!try_is(&ntp_dissector, "24 11 06 ec " REST44));
	CU_ASSERT(!try_is(&ntp_dissector, "23 00 06 ec 00000000"));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "the server is told once", the_server_is_told_once },
		{ "who asks for more than time", who_asks_for_more_than_time },
		{ "what is not NTP", what_is_not_ntp },
		CU_TEST_INFO_NULL,
	};
	return test_run("ntp", tests);
}
