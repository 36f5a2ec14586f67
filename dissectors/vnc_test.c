#include "dissectors/try.h"

extern const struct dissector vnc_dissector;

#define V38 "'RFB 003.008' 0a"
#define SAID(dir, who, v, more) dir " {\"type\":\"vnc.handshake\",\"speaker\":\"" who "\",\"protocol_version\":\"" v "\"" more "}\n"

static void types_choice_and_result(void)
{
	TRY_STREAM(&vnc_dissector,
		   SAID("1", "server", "3.8", ",\"auth\":\"none+vnc\"")
		   SAID("0", "client", "3.8", ",\"security\":\"clear-text\",\"auth\":\"vnc\",\"login\":\"attempted\"")
		   SAID("1", "server", "3.8", ",\"login\":\"refused\""),
		   { 1, V38 }, { 0, V38 }, { 1, "02 01 02" }, { 0, "02" }, { 1, "000102030405060708090a0b0c0d0e0f" },
		   { 0, "000102030405060708090a0b0c0d0e0f" }, { 1, "00000001" });
	TRY_STREAM(&vnc_dissector,
		   SAID("1", "server", "3.3", ",\"security\":\"none\",\"auth\":\"none\",\"login\":\"attempted\""),
		   { 1, V38 }, { 0, "'RFB 003.003' 0a" }, { 1, "00000001" });
	TRY_STREAM(&vnc_dissector,
		   SAID("1", "server", "3.7", ",\"auth\":\"vencrypt+other\"")
		   SAID("0", "client", "3.7", ",\"security\":\"tls\",\"auth\":\"vencrypt\",\"login\":\"attempted\""),
		   { 1, "'RFB 003.007' 0a" }, { 0, V38 }, { 1, "02 13 63" }, { 0, "13" }, { 1, "0002" });
}

static void what_is_not_vnc(void)
{
	CU_ASSERT_EQUAL(try_probe(&vnc_dissector, V38, false), DISSECT_YES);
	CU_ASSERT_EQUAL(try_probe(&vnc_dissector, "'RFB 3.8'", false), DISSECT_NO);
	TRY_STREAM(&vnc_dissector, "", { 1, V38 }, { 0, "'RFB 003.003' 0a" }, { 1, "01000000" });
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "types choice and result", types_choice_and_result },
		{ "what is not vnc", what_is_not_vnc },
		CU_TEST_INFO_NULL,
	};
	return test_run("vnc", tests);
}
