#include "dissectors/try.h"

extern const struct dissector smb_dissector;

#define Z8 "0000000000000000"
#define H2(command, status, flags) "fe 'SMB' 4000 0000 " status " " command " 0000 " flags " 00000000 " Z8 Z8 Z8 Z8 Z8
#define SAID(more) "1 {\"type\":\"smb.negotiate\",\"speaker\":\"server\"" more "}\n"
#define NTLM                                                                                                              \
	"'NTLMSSP' 00 02000000 0a000a00 38000000 15828962 " Z8 Z8 "2a002a00 38000000 0a00634500000000" /* version 10.0.17763 */ \
	"0100 0600 'F' 00 'S' 00 '1' 00 0200 0a00 'R' 00 'A' 00 'D' 00 'I' 00 'O' 00 0000 0000 00000000 00000000 00000000 0000"

static void dialect_signing_and_the_servers_name(void)
{
	TRY_STREAM(&smb_dissector,
		   SAID(",\"protocol_version\":\"3.1.1\",\"security\":\"signing-required\"")
		   SAID(",\"product\":\"Windows 10.0.17763\",\"hostname\":\"FS1\",\"auth\":\"ntlm\",\"realm\":\"RADIO\"")
		   SAID(",\"login\":\"refused\",\"code\":3221225581"),
		   { 0, "00000048" H2("0000", "00000000", "00000000") "2400050001000000" }, { 1, "00000048" H2("0000", "00000000", "01000000") "4100030011030000" },
		   { 0, "00000048" H2("0100", "00000000", "00000000") "1900010001000000" },
		   { 1, "000000aa" H2("0100", "160000c0", "01000000") "0900000048006600" NTLM },
		   { 1, "00000048" H2("0100", "6d0000c0", "01000000") "0900000000000000" });
	TRY_STREAM(&smb_dissector, SAID(",\"protocol_version\":\"2.1\",\"security\":\"signing-enabled\"") SAID(",\"login\":\"accepted\",\"code\":0"),
		   { 1, "00000048" H2("0000", "00000000", "01000000") "41000100ff020000" }, { 1, "00000048" H2("0000", "00000000", "01000000") "4100010010020000" },
		   { 1, "00000048" H2("0100", "00000000", "01000000") "0900000000000000" });
}

#define H1(command, status, flags) "ff 'SMB' " command " " status " " flags " 0000 0000 " Z8 "0000 0000 0000 0000 0000"

static void smb_1(void)
{
	TRY_STREAM(&smb_dissector, SAID(",\"protocol_version\":\"1\",\"security\":\"signing-off\",\"auth\":\"challenge\"") SAID(",\"login\":\"accepted\",\"code\":0"),
		   { 0, "81000044 20 'EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE' 00 20 'EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE' 00" }, { 1, "82000000" },
		   { 0, "0000002f" H1("72", "00000000", "18") "00 0c00 02 'NT LM 0.12' 00" }, { 1, "00000025" H1("72", "00000000", "98") "11 0000 03 00" },
		   { 1, "00000023" H1("73", "00000000", "98") "000000" });
	TRY_STREAM(&smb_dissector, SAID(",\"protocol_version\":\"1\""), { 1, "00000025" H1("72", "00000000", "98") "01 ffff 00 00" });
}

static void the_rest_of_a_long_message_passes(void)
{
	struct drive *v = drive_new(&smb_dissector, DRIVE_PROBE);
	static uint8_t big[4 + 100000] = { 0, 1, 0x86, 0xa0, 0xff, 'S', 'M', 'B', 0x2e };
	drive_feed(v, 0, (struct span){ big, sizeof(big) }, 536);
	CU_ASSERT(v->found && !v->bad && !v->side[0].n && !v->side[0].skip);
	drive_free(v);
	CU_ASSERT_EQUAL(try_probe(&smb_dissector, "00000020 ff 'SMC'", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&smb_dissector, "81000020", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&smb_dissector, "00020000", false), DISSECT_NO);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "dialect signing and the servers name", dialect_signing_and_the_servers_name },
		{ "smb 1", smb_1 },
		{ "the rest of a long message passes", the_rest_of_a_long_message_passes },
		CU_TEST_INFO_NULL,
	};
	return test_run("smb", tests);
}
