#include "dissectors/try.h"

extern const struct dissector ssh_dissector;

static void both_ends_name_their_software(void)
{
	TRY_STREAM(&ssh_dissector,
		   "1 {\"type\":\"ssh.version\",\"protocol_version\":\"2.0\",\"product\":\"OpenSSH_9.2p1\"}\n"
		   "0 {\"type\":\"ssh.version\",\"protocol_version\":\"2.0\",\"product\":\"PuTTY_Release_0.78\"}\n",
		   { 1, "'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3' 0d0a 000003dc 0a14" }, { 0, "'SSH-2.0-PuTTY_Release_0.78' 0d0a" },
		   { 0, "000003dc 0a14" });
	TRY_STREAM(&ssh_dissector, "0 {\"type\":\"ssh.version\",\"protocol_version\":\"1.99\"}\n", { 0, "'SSH-1.99-' 80 0a" });
}

static void what_is_not_ssh(void)
{
	CU_ASSERT_EQUAL(try_probe(&ssh_dissector, "'SSH-2.0'", false), DISSECT_YES);
	CU_ASSERT_EQUAL(try_probe(&ssh_dissector, "'SSH 2.0'", false), DISSECT_NO);
	TRY_STREAM(&ssh_dissector, "", { 0, "'SSH-2.0' 0a" });
	struct drive *v = drive_new(&ssh_dissector, DRIVE_PROBE);
	for (int i = 0; i < 40; i++)
		drive_feed(v, 0, span_str("SSH-2.0-xx"), 0);
	CU_ASSERT(v->bad);
	drive_free(v);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "both ends name their software", both_ends_name_their_software },
		{ "what is not ssh", what_is_not_ssh },
		CU_TEST_INFO_NULL,
	};
	return test_run("ssh", tests);
}
