#include "dissectors/try.h"

extern const struct dissector syslog_dissector;

#define NEW(f) "0 {\"type\":\"syslog.seen\",\"framing\":\"" f "\",\"protocol_version\":\"RFC 5424\",\"facility\":4,\"level\":2}\n"
#define OLD(f) "0 {\"type\":\"syslog.seen\",\"framing\":\"" f "\",\"protocol_version\":\"RFC 3164\",\"facility\":16,\"level\":6}\n"

static void priority_and_form_and_no_more(void)
{
	TRY_DATAGRAMS(&syslog_dissector, NEW("datagram"), { 0, "'<34>1 2026-11-22T09:00:00Z ct-2 su - ID47 - failed for TESTCANARY'" },
		      { 0, "'<34>1 2026-11-22T09:00:00Z ct-2 su'" });
	TRY_DATAGRAMS(&syslog_dissector, OLD("datagram"), { 0, "'<134>Nov 22 09:00:00 ct-2 app: hello'" });
	TRY_DATAGRAMS(&syslog_dissector, OLD("datagram"), { 0, "'<134>%LINK-3-UPDOWN'" });
}

static void framed_over_tcp(void)
{
	TRY_STREAM(&syslog_dissector, NEW("octet-counted"), { 0, "'17 <34>1 2026-11-22T'" });
	TRY_STREAM(&syslog_dissector, NEW("lines"), { 0, "'<34>1 2026-11-22T' 0a" });
	TRY_STREAM(&syslog_dissector, OLD("lines"), { 0, "'<134>Nov 22 09:00:00 ct-2 app: hello' 0a" });
}

static void what_is_not_syslog(void)
{
	CU_ASSERT(!try_is(&syslog_dissector, "'<192>1 x'"));
	CU_ASSERT(!try_is(&syslog_dissector, "'<034>1 x'"));
	CU_ASSERT(!try_is(&syslog_dissector, "'<?xml version='"));
	CU_ASSERT(!try_is(&syslog_dissector, "'<34'"));
	CU_ASSERT(!try_is(&syslog_dissector, "'<>1 x'"));
	CU_ASSERT(!try_is(&syslog_dissector, "'<34>' 00 'x'"));
	CU_ASSERT_EQUAL(try_probe(&syslog_dissector, "'<34>hello'", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&syslog_dissector, "'<34>Nov '", false), DISSECT_YES);
	CU_ASSERT_EQUAL(try_probe(&syslog_dissector, "'017 <34>1 '", false), DISSECT_NO);
	CU_ASSERT_EQUAL(try_probe(&syslog_dissector, "'123456 <34>1 '", false), DISSECT_NO);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "priority and form and no more", priority_and_form_and_no_more },
		{ "framed over TCP", framed_over_tcp },
		{ "what is not syslog", what_is_not_syslog },
		CU_TEST_INFO_NULL,
	};
	return test_run("syslog", tests);
}
