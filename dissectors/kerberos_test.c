#include "dissectors/try.h"

extern const struct dissector kerberos_dissector;

#define AS_REQ "6a2c 302a a103020105 a20302010a a41e 301c a007 0305 0040810010 a20b 1b09 'HOSP.TEST' a504 0202 0001"
#define ERROR(code) "7e23 3021 a003020105 a10302011e a603 0201 " code " a90b 1b09 'HOSP.TEST' aa03 1b01 'x'"
#define ASKED "0 {\"type\":\"kerberos.message\",\"speaker\":\"client\",\"operation\":\"AS-REQ\",\"realm\":\"HOSP.TEST\"}\n"
#define FAILED "1 {\"type\":\"kerberos.message\",\"speaker\":\"server\",\"operation\":\"KRB-ERROR\",\"login\":\"refused\",\"code\":24,\"realm\":\"HOSP.TEST\"}\n"

static void requests_and_how_they_end(void)
{
	TRY_DATAGRAMS(&kerberos_dissector, ASKED FAILED, { 0, AS_REQ }, { 1, ERROR("18") });
	TRY_STREAM(&kerberos_dissector, ASKED FAILED, { 0, "0000002e" AS_REQ }, { 1, "00000025" ERROR("18") });
	TRY_DATAGRAMS(&kerberos_dissector,
		      "1 {\"type\":\"kerberos.message\",\"speaker\":\"server\",\"operation\":\"KRB-ERROR\",\"code\":25,\"realm\":\"HOSP.TEST\"}\n"
		      "1 {\"type\":\"kerberos.message\",\"speaker\":\"server\",\"operation\":\"AS-REP\",\"login\":\"accepted\",\"realm\":\"HOSP.TEST\"}\n",
		      { 1, ERROR("19") }, { 1, "6b19 3017 a003020105 a10302010b a30b 1b09 'HOSP.TEST'" });
}

static void what_is_not_kerberos(void)
{
	CU_ASSERT(!try_is(&kerberos_dissector, "6a07 3005 a103020104"));
	CU_ASSERT(!try_is(&kerberos_dissector, "6907 3005 a103020105"));
	CU_ASSERT_EQUAL(try_probe(&kerberos_dissector, "00000004 6a02", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&kerberos_dissector, "0000002e 6b2c 302a a1", false), DISSECT_NO);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "requests and how they end", requests_and_how_they_end },
		{ "what is not kerberos", what_is_not_kerberos },
		CU_TEST_INFO_NULL,
	};
	return test_run("kerberos", tests);
}
