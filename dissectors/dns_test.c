#include "dissectors/try.h"

extern const struct dissector dns_dissector, mdns_dissector, llmnr_dissector, netbios_ns_dissector;

#define WWW "03 'www' 07 'example' 00"
#define QUERY "1234 0100 0001 0000 0000 0000 " WWW " 0001 0001"
#define RESPONSE "1234 8180 0001 0001 0000 0000 " WWW " 0001 0001 c00c 0001 0001 0000003c 0004 c0000201"
#define SEEN "1 {\"type\":\"dns.seen\",\"speaker\":\"server\",\"operation\":\"query\",\"code\":0,\"questions\":1,\"answers\":1}\n"

static void a_response_is_told_without_its_names(void)
{
	TRY_DATAGRAMS(&dns_dissector, SEEN, { 0, QUERY }, { 1, RESPONSE }, { 0, QUERY }, { 1, RESPONSE });
	TRY_DATAGRAMS(&dns_dissector, "", { 0, QUERY });
	struct drive *v = drive_new(&dns_dissector, DRIVE_PROBE);
	struct try_bytes b;
	try_read(RESPONSE, &b);
	drive_datagram(v, 0, (struct span){ b.b, b.n });
	CU_ASSERT_EQUAL(v->client, DISSECT_CLIENT_1);
	drive_free(v);
}

static void over_tcp_a_length_goes_before_it(void)
{
	TRY_STREAM(&dns_dissector, SEEN, { 0, "001d" QUERY }, { 1, "002d" RESPONSE });
	TRY_STREAM(&dns_dissector, SEEN, { 0, "001d" QUERY "001d" QUERY }, { 1, "002d" RESPONSE "002d" RESPONSE });
	CU_ASSERT_EQUAL(try_probe(&dns_dissector, "001d" QUERY, true), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&dns_dissector, "0010" QUERY, false), DISSECT_NO);
}

static void what_is_not_dns(void)
{
	CU_ASSERT(try_is(&dns_dissector, QUERY));
	CU_ASSERT(!try_is(&dns_dissector, "1234 0100 0002 0000 0000 0000 " WWW " 0001 0001"));
	CU_ASSERT(!try_is(&dns_dissector, "1234 3900 0001 0000 0000 0000 " WWW " 0001 0001"));
	CU_ASSERT(!try_is(&dns_dissector, "1234 0100 0001 0000 0000 0000 " WWW " 0001 0009"));
	CU_ASSERT(!try_is(&dns_dissector, "1234 0100 0001 0000 0000 0000 40 'www' 00 0001 0001"));
	CU_ASSERT(!try_is(&dns_dissector, "1234 0100 0001 0000 0000 0000 03 'www' 07 'example' 00 0001 00"));
}

#define MDNS_A "06 'CT-two' 05 'local' 00 0001 8001 00000078 0004 c0000202"

static void a_host_that_announces_itself_has_a_name(void)
{
	TRY_DATAGRAMS(&mdns_dissector, "0 {\"type\":\"name.claimed\",\"operation\":\"mdns\",\"hostname\":\"CT-two\",\"address\":\"192.0.2.2\"}\n",
		      { 0, "0000 8400 0000 0001 0000 0000 " MDNS_A });
	/* A service first, its owner's address among the additional records. */
	TRY_DATAGRAMS(&mdns_dissector, "0 {\"type\":\"name.claimed\",\"operation\":\"mdns\",\"hostname\":\"CT-two\",\"address\":\"192.0.2.2\"}\n",
		      { 0, "0000 8400 0000 0001 0000 0001 05 '_http' 04 '_tcp' 05 'local' 00 000c 0001 00000078 0008 05 'Peter' c00c " MDNS_A });
	/* A question says nothing; a name outside of the link, or one that is no host name, is not told. */
	TRY_DATAGRAMS(&mdns_dissector, "", { 0, "0000 0000 0001 0000 0000 0000 06 'CT-two' 05 'local' 00 00ff 0001" },
		      { 0, "0000 8400 0000 0001 0000 0000 06 'CT-two' 03 'com' 00 0001 8001 00000078 0004 c0000202" },
		      { 0, "0000 8400 0000 0001 0000 0000 06 'CT two' 05 'local' 00 0001 8001 00000078 0004 c0000202" });
}

static void who_answers_for_a_name_has_it(void)
{
	TRY_DATAGRAMS(&llmnr_dissector, "1 {\"type\":\"name.claimed\",\"operation\":\"llmnr\",\"hostname\":\"viewer7\",\"address\":\"192.0.2.7\"}\n",
		      { 0, "abcd 0000 0001 0000 0000 0000 07 'viewer7' 00 0001 0001" },
		      { 1, "abcd 8000 0001 0001 0000 0000 07 'viewer7' 00 0001 0001 c00c 0001 0001 0000001e 0004 c0000207" });
}

/* CT1: 43 54 31 and blanks. */
#define CT1 "20 'EDFEDBCACACACACACACACACACACACA"

static void a_netbios_node_registers_its_name(void)
{
	TRY_DATAGRAMS(&netbios_ns_dissector, "0 {\"type\":\"name.claimed\",\"operation\":\"netbios\",\"hostname\":\"CT1\",\"address\":\"192.0.2.9\"}\n",
		      { 0, "0001 2910 0001 0000 0000 0001 " CT1 "AA' 00 0020 0001 c00c 0020 0001 000493e0 0006 6000 c0000209" });
	TRY_DATAGRAMS(&netbios_ns_dissector, "1 {\"type\":\"name.claimed\",\"operation\":\"netbios\",\"hostname\":\"CT1\",\"address\":\"192.0.2.9\"}\n",
		      { 0, "0001 0110 0001 0000 0000 0000 " CT1 "CA' 00 0020 0001" },
		      { 1, "0001 8500 0000 0001 0000 0000 " CT1 "CA' 00 0020 0001 000493e0 0006 6000 c0000209" });
	/* The user's name (03) and a group's are nobody's business. */
	TRY_DATAGRAMS(&netbios_ns_dissector, "",
		      { 0, "0001 2910 0001 0000 0000 0001 " CT1 "AD' 00 0020 0001 c00c 0020 0001 000493e0 0006 6000 c0000209" },
		      { 0, "0001 2910 0001 0000 0000 0001 " CT1 "AA' 00 0020 0001 c00c 0020 0001 000493e0 0006 e000 c0000209" });
	CU_ASSERT(!try_is(&netbios_ns_dissector, "0001 0110 0001 0000 0000 0000 20 'EDFEDBCACACACACACACACACACACACAzz' 00 0020 0001"));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a response is told without its names", a_response_is_told_without_its_names },
		{ "over TCP a length goes before it", over_tcp_a_length_goes_before_it },
		{ "what is not DNS", what_is_not_dns },
		{ "a host that announces itself has a name", a_host_that_announces_itself_has_a_name },
		{ "who answers for a name has it", who_answers_for_a_name_has_it },
		{ "a NetBIOS node registers its name", a_netbios_node_registers_its_name },
		CU_TEST_INFO_NULL,
	};
	return test_run("dns", tests);
}
