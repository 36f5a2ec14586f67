/* MUD files in process: what an entry becomes, what is refused, and the way there and back. */
/* Covers: R056 R057 */
#include "documents/mud.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/test.h"

static char notes[8192];
static struct conf_report rep;

static void take_note(void *arg, struct span row, const char *what)
{
	size_t n = strlen(notes);
	(void)arg;
	(void)snprintf(notes + n, sizeof(notes) - n, "%.*s: %s\n", (int)row.n, (const char *)row.p, what);
}

#define HEAD "{\"ietf-mud:mud\":{\"mud-url\":\"https://mud.example.com/x\",\"last-update\":\"2026-03-20T00:00:00Z\",\"systeminfo\":\"Pump\"," \
	     "\"from-device-policy\":{\"access-lists\":{\"access-list\":[{\"name\":\"f\"}]}},"                                         \
	     "\"to-device-policy\":{\"access-lists\":{\"access-list\":[{\"name\":\"t\"}]}}},\"ietf-access-control-list:acls\":{\"acl\":["
#define LISTS(F, T) HEAD "{\"name\":\"f\",\"aces\":{\"ace\":[" F "]}},{\"name\":\"t\",\"aces\":{\"ace\":[" T "]}}]}}"
#define ACE(NAME, MATCHES) "{\"name\":\"" NAME "\",\"matches\":{" MATCHES "},\"actions\":{\"forwarding\":\"accept\"}}"
#define NINES "\"ipv4\":{\"protocol\":17},\"udp\":{\"source-port\":{\"operator\":\"eq\",\"port\":9}," \
	      "\"destination-port\":{\"operator\":\"eq\",\"port\":9}}"
#define ROLE "\"ietf-mud:mud\":{\"controller\":\"urn:x:role:srv\"},"

/* The long form as text; NULL with faults. */
static char *read_text(const char *json)
{
	struct conf_doc *doc = NULL;
	struct policy_model m = { 0 };
	char *text = NULL;
	size_t n = 0;
	notes[0] = 0;
	rep.n = rep.total = 0;
	if (mud_read(span_str(json), "a/x.json", &doc, &rep, take_note, NULL)) {
		CU_ASSERT_PTR_NULL(doc);
		CU_ASSERT(rep.total > 0);
		return NULL;
	}
	CU_ASSERT_EQUAL(policy_types_read(&m, doc, "x.json", &rep), 0);
	if (rep.n)
		(void)printf("%s\n", rep.v[0].what);
	FILE *to = open_memstream(&text, &n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	CU_ASSERT_EQUAL(policy_write_long(conf_root(doc), to), 0);
	(void)fclose(to);
	policy_load_free(&m);
	conf_free(doc);
	return text;
}

static void becomes(const char *json, const char *const *wanted)
{
	char *text = read_text(json);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	for (; *wanted; wanted++) {
		if (!strstr(text, *wanted))
			(void)printf("missing: %s\nin: %s\n", *wanted, text);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, *wanted));
	}
	free(text);
}
#define BECOMES(JSON, ...) becomes(JSON, (const char *const[]){ __VA_ARGS__, NULL })

static void entries(void)
{
	BECOMES(LISTS(ACE("a-frdev", ROLE "\"ipv4\":{\"protocol\":6},"
			  "\"tcp\":{\"ietf-mud:direction-initiated\":\"from-device\",\"destination-port\":{\"operator\":\"eq\",\"port\":104}}"),
		      ACE("a-todev", ROLE "\"ipv4\":{\"protocol\":6},"
			  "\"tcp\":{\"ietf-mud:direction-initiated\":\"from-device\",\"source-port\":{\"operator\":\"eq\",\"port\":104}}")),
		"id: \"mud.mud.example.com-x\"", "id: \"a\"", "initiator: \"device\"", "{value: \"104\"}", "{role: \"srv\", role_uri: \"urn:x:role:srv\"}",
		"completeness: \"exhaustive\"");
	CU_ASSERT_STRING_EQUAL(notes, "");
	/* One port at both ends, both ways: either may begin. */
	BECOMES(LISTS(ACE("b", NINES),
		      ACE("b", NINES)),
		"initiator: \"either\"", "{value: \"9\"}", "{any: true}");
	/* Nothing but a peer: every port, over both transports. */
	BECOMES(LISTS(ACE("c", "\"ietf-mud:mud\":{\"local-networks\":[null]}"), ""), "transport: \"tcp\"", "transport: \"udp\"", "{range: \"1-65535\"}",
		"{local_networks: true}");
	BECOMES(LISTS(ACE("d", "\"ipv4\":{\"protocol\":50}"), ""), "transport: \"ip:50\"");
	BECOMES(LISTS("", ACE("e", "\"ipv4\":{\"protocol\":17},\"udp\":{\"destination-port\":{\"operator\":\"lte\",\"port\":99}}")), "initiator: \"peer\"",
		"{range: \"1-99\"}", "one_way: true");
	CU_ASSERT_PTR_NOT_NULL(strstr(notes, "e: has no counterpart"));
	BECOMES(LISTS("{\"name\":\"g\",\"matches\":{\"ipv4\":{\"protocol\":6}},\"actions\":{\"forwarding\":\"drop\"}}", ""), "deny:", "forwarding: \"drop\"");
	BECOMES(LISTS(ACE("h", "\"ietf-mud:mud\":{\"manufacturer\":\"mud.example.com\"},\"ipv4\":{\"protocol\":1}"), ""), "{same_manufacturer: true}",
		"transport: \"icmp\"");
	BECOMES("{\"mud\":{\"mud-version\":1}}", "completeness: \"unknown\"", "doc_id: \"x.json\"");
}

static void refused(void)
{
	static const char *const bad[] = {
		"", "[]", "{", "{\"ietf-mud:mud\":1}", "{\"ietf-mud:mud\":{},\"ietf-mud:mud\":{}}", LISTS("{\"name\":\"a\"}", ""),
		LISTS(ACE("a", "\"ipv4\":{\"protocol\":6},\"tcp\":{\"source-port\":{\"operator\":\"eq\",\"port\":65536}}"), ""),
		LISTS(ACE("a", "\"ipv4\":{\"protocol\":6},\"tcp\":{\"source-port\":{\"lower-port\":9,\"upper-port\":8}}"), ""),
		LISTS(ACE("a", "\"ipv4\":{\"protocol\":6},\"tcp\":{\"source-port\":{\"operator\":\"neq\",\"port\":8}}"), ""), HEAD "]}}",
		"{\"ietf-mud:mud\":{\"x\":[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]}}",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *text = read_text(bad[i]);
		if (text)
			(void)printf("taken: %s\n", bad[i]);
		CU_ASSERT_PTR_NULL(text);
		free(text);
	}
	CU_ASSERT(mud_is(span_str("{\"mud\":{}}")));
	CU_ASSERT(!mud_is(span_str("{\"type\":\"flow.end\"}")));
	/* Unsound, or deeper than the parser goes: still one, and mud_read() says why it is refused. */
	static char deep[8000] = "{\"ietf-mud:mud\":{\"x\":";
	memset(deep + strlen(deep), '[', 5000);
	CU_ASSERT(mud_is(span_str(deep)));
	CU_ASSERT(!mud_is(span_str(deep + 20)));
}

/* Everything that a row may say that MUD can say too, and some that it cannot. */
static const char type[] =
	"format: spanward/1\nkind: device-type\nid: x\nrevision: 1\nsources: [{id: p, type: port-table, doc_id: P, revision: 1}]\n"
	"manufacturer: {name: M, contacts: {psirt: {email: a@example.invalid}}}\nmodel: {name: X, software: [{name: firmware, versions: '4'}]}\n"
	"port_list: {completeness: partial}\n"
	"infrastructure: [arp, icmp-echo-reply, dns-client]\n"
	"ports:\n"
	"  - {id: a, transport: tcp, initiator: device, port: [{value: 104}, {range: 5000-5010}], local_port: [{value: 99}], peers: [{role: pacs}, {cidr: 10.1.0.0/24}], "
	"sources: [p]}\n"
	"  - {id: b, transport: udp, initiator: either, port: [{value: 9}], peers: [{same_manufacturer: true}], sources: [p]}\n"
	"  - {id: c, transport: tcp, initiator: peer, default_state: disabled, port: [{value: 443}], app: {protocol: https}, peers: [{local_networks: true}], sources: [p], "
	"phi: yes}\n"
	"  - {id: d, transport: tcp, initiator: device, port: [{value: 8883}], app: {protocol: tls, tls: {min_version: '1.3'}}, peers: [{fqdn: a.example.com}], sources: [p]}\n"
	"  - {id: e, transport: sctp, initiator: device, peers: [{any: true}], sources: [p]}\n"
	"  - {id: f, transport: icmp, initiator: peer, peers: [{cidr: '2001:db8::/32'}], sources: [p]}\n";

static void there_and_back(void)
{
	struct policy_model m = { 0 };
	char *json = NULL;
	size_t n = 0;
	rep.n = rep.total = 0;
	notes[0] = 0;
	struct conf_doc *doc = conf_parse(span_str(type), "x.yaml", &rep);
	CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
	CU_ASSERT_EQUAL_FATAL(policy_types_read(&m, doc, "x.yaml", &rep), 0);
	FILE *to = open_memstream(&json, &n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	CU_ASSERT_EQUAL(mud_write(&m.types.v[0], NULL, 0, to, take_note, NULL), -EINVAL);
	notes[0] = 0;
	CU_ASSERT_EQUAL(mud_write(&m.types.v[0], "https://mud.example.com/x", UINT64_C(1796083200000000000), to, take_note, NULL), 0);
	(void)fclose(to);
	static const char *const lost[] = { ": port_list.completeness", "c: default_state", "c: app.protocol: https", "c: phi", "e: the row: a transport",
					    "c: encryption (of what the device serves)", ": manufacturer.contacts", ": infrastructure: arp" };
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(notes, lost[i]));
	CU_ASSERT_PTR_NULL(strstr(notes, "d: encryption"));
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"last-update\": \"2026-12-01T00:00:00Z\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(json, "\"supported-tls-version\""));
	BECOMES(json, "firmware", "{value: \"104\"}", "{range: \"5000-5010\"}", "local_port:", "{role: \"pacs\", role_uri: \"urn:x-spanward:role:pacs\"}",
		"{cidr: \"10.1.0.0/24\"}", "initiator: \"either\"", "{same_manufacturer: true}", "{fqdn: \"a.example.com\"}", "min_version: \"1.3\"",
		"{cidr: \"2001:db8::/32\"}", "urn:ietf:params:mud:dns");
	CU_ASSERT_PTR_NULL(strstr(notes, "counterpart"));
	free(json);
	policy_load_free(&m);
	conf_free(doc);
}

int main(void)
{
	CU_TestInfo tests[] = { { "entries", entries }, { "refused", refused }, { "there and back", there_and_back }, CU_TEST_INFO_NULL };
	return test_run("mud", tests);
}
