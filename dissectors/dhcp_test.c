#include "dissectors/try.h"

extern const struct dissector dhcp_dissector;

#define Z16 "00000000 00000000 00000000 00000000"
#define Z64 Z16 Z16 Z16 Z16
#define REST Z64 Z64 Z64 "63825363"
#define CLIENT_HEAD "01 01 06 00 12345678 0000 0000 00000000 00000000 00000000 00000000 020000000001 " \
		    "00000000000000000000 " REST
#define SERVER_HEAD "02 01 06 00 12345678 0000 0000 00000000 c0000232 00000000 00000000 020000000001 " \
		    "00000000000000000000 " REST

static void a_lease_binds_an_address_to_a_card(void)
{
	TRY_DATAGRAMS(&dhcp_dissector,
		      "0 {\"type\":\"dhcp.message\",\"speaker\":\"client\",\"operation\":\"REQUEST\",\"hostname\":\"ct-2\",\"address\":\"192.0.2.50\","
		      "\"mac\":\"02:00:00:00:00:01\",\"vendor_class\":\"MSFT 5.0\"}\n"
		      "1 {\"type\":\"dhcp.message\",\"speaker\":\"server\",\"operation\":\"ACK\",\"address\":\"192.0.2.50\","
		      "\"mac\":\"02:00:00:00:00:01\",\"lease_s\":3600}\n",
		      { 0, CLIENT_HEAD "350103 3204c0000232 0c04 'ct-2' 3c08 'MSFT 5.0' 00 ff" },
		      { 1, SERVER_HEAD "350105 330400000e10 ff" });
}

static void names_are_taken_from_where_they_stand(void)
{
	TRY_DATAGRAMS(&dhcp_dissector,
		      "0 {\"type\":\"dhcp.message\",\"speaker\":\"client\",\"operation\":\"DISCOVER\",\"hostname\":\"mr-1\",\"mac\":\"02:00:00:00:00:01\"}\n"
		      "0 {\"type\":\"dhcp.message\",\"speaker\":\"client\",\"operation\":\"DISCOVER\",\"hostname\":\"mr-1\",\"mac\":\"02:00:00:00:00:01\"}\n"
		      "0 {\"type\":\"dhcp.message\",\"speaker\":\"client\",\"operation\":\"other\",\"mac\":\"02:00:00:00:00:01\"}\n"
		      "0 {\"type\":\"dhcp.message\",\"speaker\":\"client\",\"operation\":\"BOOTP\",\"mac\":\"02:00:00:00:00:01\"}\n",
		      { 0, CLIENT_HEAD "350101 5110 000000 'mr-1.hosp.xyz' ff" },
		      { 0, CLIENT_HEAD "350101 510e 040000 04 'mr-1' 04 'hosp' 00 ff" },
		      { 0, CLIENT_HEAD "3501ee 0c08 'Dr. O=Ne' ff" }, { 0, CLIENT_HEAD });
}

static void what_is_not_dhcp(void)
{
	CU_ASSERT(try_is(&dhcp_dissector, CLIENT_HEAD));
	CU_ASSERT(!try_is(&dhcp_dissector, "03 01 06 00 " CLIENT_HEAD));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "a lease binds an address to a card", a_lease_binds_an_address_to_a_card },
		{ "names are taken from where they stand", names_are_taken_from_where_they_stand },
		{ "what is not DHCP", what_is_not_dhcp },
		CU_TEST_INFO_NULL,
	};
	return test_run("dhcp", tests);
}
