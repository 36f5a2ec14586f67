#include "dissectors/try.h"

extern const struct dissector ssdp_dissector, wsd_dissector;

#define CRLF " 0d0a "

static void ssdp_says_kind_and_software(void)
{
	TRY_DATAGRAMS(&ssdp_dissector,
		      "0 {\"type\":\"device.announced\",\"operation\":\"notify\",\"product\":\"Linux/4.9, UPnP/1.0, Camera/1.2\","
		      "\"device_kind\":\"urn:schemas-upnp-org:device:Basic:1\"}\n",
		      { 0, "'NOTIFY * HTTP/1.1'" CRLF "'HOST: 239.255.255.250:1900'" CRLF "'NT: urn:schemas-upnp-org:device:Basic:1'" CRLF
			   "'SERVER: Linux/4.9, UPnP/1.0, Camera/1.2'" CRLF CRLF });
	TRY_DATAGRAMS(&ssdp_dissector, "0 {\"type\":\"device.announced\",\"operation\":\"search\",\"device_kind\":\"ssdp:all\"}\n",
		      { 0, "'M-SEARCH * HTTP/1.1'" CRLF "'MAN: \"ssdp:discover\"'" CRLF "'ST: ssdp:all'" CRLF CRLF });
	TRY_DATAGRAMS(&ssdp_dissector, "0 {\"type\":\"device.announced\",\"operation\":\"search\"}\n",
		      { 0, "'M-SEARCH * HTTP/1.1'" CRLF "'ST: TESTCANARY'" CRLF CRLF });
	/* A unit's own number is not its kind. */
	TRY_DATAGRAMS(&ssdp_dissector, "0 {\"type\":\"device.announced\",\"operation\":\"found\"}\n",
		      { 0, "'HTTP/1.1 200 OK'" CRLF "'ST: uuid:2fac1234-31f8-11b4-a222-08002b34c003'" CRLF CRLF });
	CU_ASSERT(!try_is(&ssdp_dissector, "'HTTP/1.1 200 OK'" CRLF "'Server: x'" CRLF CRLF));
}

#define ENVELOPE(action, types)                                                                                       \
	"'<?xml version=\"1.0\"?><s:Envelope xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><s:Header>"  \
	"<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/" action "</a:Action></s:Header><s:Body><d:" action \
	"><a:Address>urn:uuid:1</a:Address>" types "</d:" action "></s:Body></s:Envelope>'"

static void ws_discovery_says_the_kind(void)
{
	TRY_DATAGRAMS(&wsd_dissector, "0 {\"type\":\"device.announced\",\"operation\":\"Hello\",\"device_kind\":\"mdpws:MedicalDevice\"}\n",
		      { 0, ENVELOPE("Hello", "<d:Types>dpws:Device mdpws:MedicalDevice</d:Types>") });
	TRY_DATAGRAMS(&wsd_dissector, "0 {\"type\":\"device.announced\",\"operation\":\"Probe\"}\n", { 0, ENVELOPE("Probe", "") });
	TRY_DATAGRAMS(&wsd_dissector, "0 {\"type\":\"device.announced\",\"operation\":\"ProbeMatches\",\"device_kind\":\"pub:Computer\"}\n",
		      { 0, ENVELOPE("ProbeMatches", "<d:Types xmlns:x=\"y\"> pub:Computer </d:Types>") });
	CU_ASSERT(!try_is(&wsd_dissector, "'<?xml version=\"1.0\"?><html/>'"));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "SSDP says kind and software", ssdp_says_kind_and_software },
		{ "WS-Discovery says the kind", ws_discovery_says_the_kind },
		CU_TEST_INFO_NULL,
	};
	return test_run("discovery", tests);
}
