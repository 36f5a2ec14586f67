#include "dissectors/try.h"

extern const struct dissector snmp_dissector;

#define SAID(who, op, v, community)                                                                                     \
	"0 {\"type\":\"snmp.message\",\"speaker\":\"" who "\",\"operation\":\"" op "\",\"protocol_version\":\"" v     \
	"\",\"security\":\"clear-text\",\"community\":\"" community "\"}\n"

#define GET "a019 020101 020100 020100 300e 300c 0608 2b06010201010100 0500"
#define TRAP "a719 020101 020100 020100 300e 300c 0608 2b06010201010100 0500"

static void the_community_is_classed_and_never_told(void)
{
	TRY_DATAGRAMS(&snmp_dissector,
		      SAID("client", "get", "2c", "public"),
		      { 0, "3026 020101 0406 'public' " GET }, { 0, "3026 020101 0406 'public' " GET });
	TRY_DATAGRAMS(&snmp_dissector,
		      SAID("client", "get", "1", "private"),
		      { 0, "3027 020100 0407 'private' " GET });
	TRY_DATAGRAMS(&snmp_dissector,
		      SAID("server", "trap-v2", "2c", "other"),
		      { 0, "3026 020101 0406 'S3cret' " TRAP });
	TRY_DATAGRAMS(&snmp_dissector,
		      SAID("client", "get", "2c", "empty"),
		      { 0, "3020 020101 0400 " GET });
}

/* Message flags in the header, engine id and user in the parameters (RFC 3412 6, RFC 3414 2.4). */
#define HEADER(flags) "3011 020401020304 02030fffe3 0401 " flags " 020103 "
#define DISCOVERY "0410 300e 0400 020100 020100 0400 0400 0400 "
#define USM "0416 3014 0403 800001 020100 020100 0403 'bob' 0400 0400 "

static void version_3_after_its_discovery(void)
{
	TRY_DATAGRAMS(&snmp_dissector,
		      "0 {\"type\":\"snmp.message\",\"protocol_version\":\"3\",\"security\":\"encrypted\",\"auth\":\"authPriv\"}\n",
		      { 0, "3049 020103 " HEADER("04") DISCOVERY "301f 0400 0400 " GET },
		      { 0, "3038 020103 " HEADER("07") USM "0408 0102030405060708" });
	TRY_DATAGRAMS(&snmp_dissector,
		      "0 {\"type\":\"snmp.message\",\"speaker\":\"client\",\"operation\":\"get\",\"protocol_version\":\"3\",\"security\":\"none\",\"auth\":\"noAuthNoPriv\"}\n",
		      { 0, "304f 020103 " HEADER("04") USM "301f 0400 0400 " GET });
}

static void what_is_not_snmp(void)
{
	CU_ASSERT(!try_is(&snmp_dissector, "3026 020102 0406 'public' " GET));
	CU_ASSERT(!try_is(&snmp_dissector, "3026 020101 0306 'public' " GET));
	CU_ASSERT(!try_is(&snmp_dissector, "3027 020101 0406 'public' " GET));
	CU_ASSERT(!try_is(&snmp_dissector, "300d 020101 0406 'public' b000"));
	CU_ASSERT(!try_is(&snmp_dissector, "3080 020101 0406 'public' a000 0000"));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "the community is classed and never told", the_community_is_classed_and_never_told },
		{ "version 3 after its discovery", version_3_after_its_discovery },
		{ "what is not SNMP", what_is_not_snmp },
		CU_TEST_INFO_NULL,
	};
	return test_run("snmp", tests);
}
