#include "dissectors/try.h"

extern const struct dissector nfs_dissector, rpc_dissector;

#define HEAD(kind, program, version) "12345678 " kind " 00000002 " program " " version " 00000003 "
#define GETPORT HEAD("00000000", "000186a0", "00000002") "00000000 00000000 00000000 00000000 000186a3"
#define NFS HEAD("00000000", "000186a3", "00000003") "00000001 00000018 00000000 0000000a 'TESTCANARY' 0000"
#define CALL(op, program, v, auth) \
	"0 {\"type\":\"rpc.call\",\"speaker\":\"client\",\"operation\":\"" op "\",\"protocol_version\":\"" v "\",\"auth\":\"" auth "\",\"program\":" program "}\n"

static void the_first_call_tells_the_program(void)
{
	TRY_DATAGRAMS(&rpc_dissector, CALL("portmap", "100000", "2", "none"), { 0, GETPORT }, { 0, GETPORT });
	TRY_STREAM(&nfs_dissector, CALL("nfs", "100003", "3", "sys"), { 0, "80000040" NFS }, { 1, "80000018 12345678 00000001" });
	CU_ASSERT(!try_is(&rpc_dissector, NFS) && try_is(&nfs_dissector, NFS) && !try_is(&nfs_dissector, GETPORT));
}

/* RFC 5531 13 and the registry of program numbers: those with a name, and one without. */
static void programs_by_name(void)
{
	static const struct { uint32_t number; const char *name; } rows[] = {
		{ 100000, "portmap" }, { 100004, "ypserv" }, { 100005, "mount" }, { 100021, "nlockmgr" },
		{ 100024, "status" }, { 100227, "nfs-acl" }, { 100001, "other" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char want[200];
		char packet[160];
		(void)snprintf(packet, sizeof(packet), "12345678 00000000 00000002 %08x 00000001 00000000 00000000 00000000",
			       (unsigned)rows[i].number);
		(void)snprintf(want, sizeof(want), CALL("%s", "%u", "1", "none"), rows[i].name, (unsigned)rows[i].number);
		TRY_DATAGRAMS(&rpc_dissector, want, { 0, packet });
	}
}

/* Captured from the middle: an answer comes first, and the calls after it still tell their program. */
static void the_servers_side_first(void)
{
	TRY_STREAM(&rpc_dissector, CALL("portmap", "100000", "2", "none"),
		   { 1, "80000018 12345678 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000" },
		   { 0, "80000028" GETPORT });
}

static void what_is_not_rpc(void)
{
	CU_ASSERT(!try_is(&rpc_dissector, HEAD("00000001", "000186a0", "00000002") "00000000 00000000"));
	CU_ASSERT(!try_is(&rpc_dissector, HEAD("00000000", "0000ffff", "00000002") "00000000 00000000"));
	CU_ASSERT(!try_is(&rpc_dissector, HEAD("00000000", "000186a0", "00000022") "00000000 00000000"));
	CU_ASSERT(!try_is(&rpc_dissector, HEAD("00000000", "000186a0", "00000002") "00000007 00000000"));
	CU_ASSERT(!try_is(&rpc_dissector, HEAD("00000000", "000186a0", "00000002") "00000000 00000191"));
	CU_ASSERT_EQUAL(try_probe(&rpc_dissector, "42000028", false), DISSECT_NO);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "the first call tells the program", the_first_call_tells_the_program },
		{ "programs by name", programs_by_name },
		{ "the server's side first", the_servers_side_first },
		{ "what is not rpc", what_is_not_rpc },
		CU_TEST_INFO_NULL,
	};
	return test_run("rpc", tests);
}
