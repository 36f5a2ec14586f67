/* Tables of ports: what becomes a row, what is kept and asked, what contradicts. */
/* Covers: R056 */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/test.h"
#include "core/utf8.h"
#include "documents/port_table.h"

static struct draft d;
static struct conf_report rep;

/* The device type of a table. */
static void read_table(const char *text)
{
	static const struct draft_options options = { .maker = "Example", .model = "X", .revision = "1" };
	struct sheet_book *b = NULL;
	draft_free(&d);
	memset(&rep, 0, sizeof(rep));
	CU_ASSERT_FATAL(draft_new(&d, &options));
	CU_ASSERT_EQUAL_FATAL(sheet_read_csv(span_str(text), "t.csv", &b, &rep), 0);
	CU_ASSERT_FATAL(port_table_heading(b, 0) > 0);
	CU_ASSERT_EQUAL_FATAL(draft_source(&d, "port-table", "t.csv", span_str(text)), 0);
	CU_ASSERT_EQUAL(port_table_read(&d, b, 0, 0, NULL), 0);
	sheet_free(b);
	int r = draft_end(&d, &rep);
	for (size_t i = 0; i < rep.n; i++)
		fprintf(stderr, "  %s:%u: %s\n", rep.v[i].file, rep.v[i].line, rep.v[i].what);
	CU_ASSERT_EQUAL(r, 0);
}

static const struct conf_node *row(size_t i)
{
	CU_ASSERT_FATAL(i < conf_count(d.ports));
	return conf_at(d.ports, i);
}

/* A leaf by its path ("app/dicom/role"; a number is an element of a list). */
static const struct conf_node *walk(const struct conf_node *n, const char *path)
{
	char key[64];
	while (n && *path) {
		size_t k = strcspn(path, "/");
		snprintf(key, sizeof(key), "%.*s", (int)k, path);
		n = conf_is_list(n) ? conf_at(n, (size_t)(key[0] - '0')) : conf_get(n, key);
		path += k + (path[k] == '/');
	}
	return n;
}

static void is(const struct conf_node *n, const char *path, const char *want)
{
	struct span got = conf_text(walk(n, path), "");
	if (!span_eq(got, span_str(want)))
		fprintf(stderr, "  %s: '%.*s', not '%s'\n", path, (int)got.n, (const char *)got.p, want);
	CU_ASSERT(span_eq(got, span_str(want)));
}

/* How often a remark was made; at which place the last. */
static size_t said(enum draft_remark what, const char *where)
{
	size_t n = 0;
	for (size_t i = 0; i < d.n_said; i++)
		if (d.said[i].what == what) {
			n++;
			if (where && strcmp(d.said[i].where, where)) {
				fprintf(stderr, "  at %s, not %s\n", d.said[i].where, where);
				CU_FAIL("another place");
			}
		}
	return n;
}

static void english(void)
{
	read_table("Port,Protocol,Direction,Purpose,Peer,Encryption,Default,Notes\n"
		   "104,DICOM,Outbound,store,PACS,No,Enabled,\n"
		   "8443-8444,HTTPS,Inbound,console,\"biomed workstation, 10.20.9.0/24\",Yes (TLS 1.2 or higher),Disabled,configurable\n"
		   "5000-5010/udp,,Client,log,log.example.invalid,,,\n");
	CU_ASSERT_EQUAL(conf_count(d.ports), 3);
	is(row(0), "id", "dicom-104-out");
	is(row(0), "initiator", "device");
	is(row(0), "listen_on", "peer");
	is(row(0), "port/0/value", "104");
	is(row(0), "app/protocol", "dicom");
	is(row(0), "encryption/declared", "none");
	is(row(0), "default_state", "enabled");
	is(row(0), "peers/0/role", "pacs");
	is(row(0), "row", "row 2");
	is(row(0), "sources/0", "ports");
	is(row(1), "initiator", "peer");
	is(row(1), "port/0/range", "8443-8444");
	is(row(1), "port/0/configurable", "true");
	is(row(1), "encryption/tls/min_version", "1.2");
	is(row(1), "default_state", "disabled");
	is(row(1), "peers/0/role", "biomed-workstation");
	is(row(1), "peers/1/cidr", "10.20.9.0/24");
	is(row(2), "transport", "udp");
	is(row(2), "peers/0/fqdn", "log.example.invalid");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_ROLE_NAME, NULL), 1);
	CU_ASSERT_EQUAL(d.counts[DRAFT_CONTRADICTS], 0);
	/* Nothing observed, nothing in the dark: the list is not called exhaustive. */
	is(d.root, "port_list/completeness", "unknown");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_COMPLETE, NULL), 1);
}

static void japanese(void)
{
	read_table("通信ポート一覧,,,,,,,\n販売名,撮影装置 X,製造販売業者,例示,,,,\n文書番号：IFU-1,改訂日,令和6年3月1日（第3版）,,,,,\n"
		   "項番,ポート番号,プロトコル,着信／発信,接続先,暗号化（はい／いいえ／該当なし）,初期値,備考\n"
		   "1,１０４、５０００〜５０１０,ＴＣＰ,発信,PACSサーバ、ＲＩＳ,いいえ,有効,※1\n2,TCP/UDP "
			"162,ＳＮＭＰ,着信,院内,該当なし,無効,\n"
		   "3,443,HTTPS,着信,管理端末,はい（TLS1.2以上）,有効,\n※１：DICOM保存\n上記以外のポートは使用しません。\n");
	CU_ASSERT_EQUAL(conf_count(d.ports), 4);
	is(row(0), "port/0/value", "104");
	is(row(0), "port/1/range", "5000-5010");
	is(row(0), "transport", "tcp");
	is(row(0), "initiator", "device");
	is(row(0), "peers/0/role", "pacs");
	is(row(0), "peers/1/role", "ris");
	is(row(0), "encryption/declared", "none");
	is(row(0), "default_state", "enabled");
	is(row(0), "row", "row 5 (1)");
	is(row(0), "note", "※1 DICOM保存");
	is(row(1), "transport", "tcp");
	is(row(2), "transport", "udp");
	is(row(2), "app/protocol", "snmp");
	is(row(1), "peers/0/local_networks", "true");
	is(row(1), "default_state", "disabled");
	is(row(1), "extensions/暗号化（はい／いいえ／該当なし）", "該当なし");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_NOT_APPLICABLE, "F6"), 1);
	is(row(3), "encryption/declared", "tls");
	is(row(3), "encryption/tls/min_version", "1.2");
	is(row(3), "peers/0/role", "admin-terminal");
	CU_ASSERT_STRING_EQUAL(d.sources[0].date, "2024-03-01");
	CU_ASSERT_STRING_EQUAL(d.sources[0].revision, "3");
	CU_ASSERT_STRING_EQUAL(d.sources[0].doc_id, "IFU-1");
	CU_ASSERT_STRING_EQUAL(d.model, "撮影装置 X");
	is(d.root, "port_list/completeness", "exhaustive");
	is(d.root, "extensions/ports/text/1/text", "上記以外のポートは使用しません。");
}

/* Two names that begin alike and are longer than a role stay two, and the whole text is kept. */
static void long_peers(void)
{
	read_table("ポート,プロトコル,方向,接続先\n104,DICOM,発信,"
		   "第一手術室の検査画像を保管する大きなサーバ一号機、第一手術室の検査画像を保管する大きなサーバ二号機\n");
	CU_ASSERT_EQUAL(conf_count(d.ports), 1);
	struct span a = conf_text(walk(row(0), "peers/0/role"), ""), b = conf_text(walk(row(0), "peers/1/role"), "");
	CU_ASSERT(a.n > 40 && a.n <= 64 && b.n > 40 && b.n <= 64 && !span_eq(a, b));
	CU_ASSERT(utf8_valid(a) && utf8_valid(b));
	is(row(0), "extensions/接続先",
	   "第一手術室の検査画像を保管する大きなサーバ一号機、第一手術室の検査画像を保管する大きなサーバ二号機");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_CELL, "D2"), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_ROLE_NAME, NULL), 2);
	for (size_t i = 0; i < d.n_said; i++)
		CU_ASSERT(!d.said[i].args[0] || utf8_valid(span_str(d.said[i].args[0])));
}

/* A sign or a zero before a number: kept, not read as a port. */
static void odd_numbers(void)
{
	read_table("Port,Protocol,Direction\n-5,TCP,in\n\"1,04\",TCP,in\n\"80,443\",TCP,in\n5000 - 5010,TCP,in\n");
	CU_ASSERT_EQUAL(conf_count(d.ports), 2);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_PORT, NULL), 2);
	is(row(1), "port/0/range", "5000-5010");
}

/* Nothing but a blank between two numbers: asked, not read as two ports. */
static void unparted(void)
{
	read_table("Port,Protocol,Direction,Peer\n10 4,TCP,in,PACS\n\"104\n11112\",TCP,in,PACS\n104・105,TCP,in,PACS\n");
	CU_ASSERT_EQUAL(conf_count(d.ports), 2);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_UNPARTED, "A2"), 1);
	is(d.root, "extensions/ports/rows/0/cells/Port", "10 4");
	is(d.root, "port_list/completeness", "partial");
	is(row(0), "port/1/value", "11112");
	is(row(1), "port/1/value", "105");
	char text[1024] = "";
	for (size_t i = 0; i < d.n_said; i++)
		if (d.said[i].what == DRAFT_SAY_UNPARTED)
			draft_sentence(&d.said[i], false, text, sizeof(text));
	CU_ASSERT(!strncmp(text, "'10 4': one port cut in two, or several?", 40));
}

static void marks(void)
{
	/* Two columns with circles instead of one with words. */
	read_table("ポート,プロトコル,着信,発信,接続先\n104,TCP,○,×,PACS\n11112,TCP,－,○,PACS\n2575,TCP,○,○,HIS\n22,TCP,,,HIS\n");
	CU_ASSERT_EQUAL(conf_count(d.ports), 3);
	is(row(0), "initiator", "peer");
	is(row(1), "initiator", "device");
	is(row(2), "initiator", "either");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_DIRECTION, "row 5"), 1);
	is(d.root, "extensions/ports/rows/0/row", "row 5");
	is(d.root, "extensions/ports/rows/0/cells/ポート", "22");
	/* A list that misses a row is not whole. */
	is(d.root, "port_list/completeness", "partial");
}

static void not_guessed(void)
{
	read_table("Port,Protocol,Direction,Peer\n"
		   "104,,in,PACS\n"            /* neither TCP nor UDP */
		   "dynamic,TCP,in,PACS\n"     /* no port */
		   "22,TCP,送信,PACS\n"        /* data or connection? */
		   "23,TCP,,PACS\n"            /* who opens? */
		   "80,TCP,in,\n"              /* with whom? */
		   "70000,TCP,in,PACS\n"
		   "81,TCP,in,10.1.0.5/24\n"   /* a host or its network? */
		   "ICMP,ICMP,both,any\n"
		   "82,TCP,in,10.1.0.300\n"   /* no address, no host name */
		   "83,TCP,in,\"pacs..example.invalid, RIS\"\n");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_TRANSPORT, "A2"), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_PORT, NULL), 2);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_SEND_RECEIVE, "C4"), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_DIRECTION, NULL), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_PEER, NULL), 3);
	CU_ASSERT_EQUAL(conf_count(walk(d.root, "extensions/ports/rows")), 5);
	CU_ASSERT_EQUAL(conf_count(d.ports), 5);
	is(row(3), "extensions/Peer", "10.1.0.300");
	is(row(3), "peers/0/any", "true");
	is(row(4), "peers/0/role", "ris");
	is(row(4), "extensions/Peer", "pacs..example.invalid, RIS");
	is(row(0), "peers/0/any", "true");
	is(row(1), "extensions/Peer", "10.1.0.5/24");
	is(row(2), "transport", "icmp");
}

static void contradictions(void)
{
	read_table("Port,Protocol,Direction,Encryption,Peer,Notes\n"
		   "104,DICOM,Inbound/Outbound,,PACS,Client.\n"
		   "3333,HTTPS,Inbound,,any,Server.\n"
		   "3333,HTTP,Inbound,,any,\n"
		   "443,HTTPS,Inbound,No,any,\n"
		   "105,DICOM (SCU),Inbound,,RIS,\n"
		   "161,DICOM/UDP,Inbound,,RIS,\n");
	is(row(0), "initiator", "device");
	is(row(0), "conflicts/0/said", "Inbound/Outbound");
	is(row(0), "conflicts/0/kept", "device");
	is(row(0), "conflicts/0/by", "ports");
	is(row(3), "encryption/declared", "conflict");
	is(row(3), "conflicts/0/field", "encryption");
	is(row(4), "initiator", "device");
	is(row(4), "app/dicom/role", "scu");
	is(row(5), "transport", "udp");
	CU_ASSERT_PTR_NULL(conf_get(row(5), "app"));
	CU_ASSERT_EQUAL(said(DRAFT_SAY_DIRECTION_ROLE, NULL), 2);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_ENCRYPTED_NAME, "D5"), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_TWO_PROTOCOLS, "row 4"), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_TRANSPORTS, NULL), 1);
	is(d.root, "conflicts/0/field", "app.protocol");
}

static void kept(void)
{
	/* Unknown columns, cells past the last heading, headings again, names that a declaration may not have. */
	read_table("Ports of the device\nPort,Protocol,Direction,Peer,Owner,seen\n104,TCP,in,PACS,IT dept,x,past\n"
		   "Port,Protocol,Direction,Peer,Owner,seen\n"
		   "105,TCP,in,PACS,\"two\nlines\",\n");
	CU_ASSERT_EQUAL(conf_count(d.ports), 2);
	is(row(0), "extensions/Owner", "IT dept");
	is(row(0), "extensions/column 6", "x");
	is(row(0), "extensions/column 7", "past");
	is(row(1), "extensions/Owner", "two\xe2\x86\xb5" "lines");
	is(d.root, "extensions/ports/text/0/text", "Ports of the device");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_COLUMN, NULL), 2);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_REPEATED, "4"), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_TEXT, "A1"), 1);
}

static void ends(void)
{
	/* A column for each end, as in a communication matrix. */
	read_table("送信元,宛先,宛先ポート,プロトコル\n本装置,PACSサーバ,104,TCP\n保守端末,本装置,22,SSH\n管理端末,PACS,80,TCP\n");
	CU_ASSERT_EQUAL(conf_count(d.ports), 2);
	is(row(0), "initiator", "device");
	is(row(0), "peers/0/role", "pacs");
	is(row(1), "initiator", "peer");
	is(row(1), "peers/0/role", "service-terminal");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_DIRECTION, NULL), 1);
}

static void ae_tables(void)
{
	/* The device's own, and the peers it calls: by the headings, not by the names. */
	read_table("Application Entity,Default AE Title,Default TCP/IP Port\nStorage,CT64,104\nWorklist,CT64W,None\n");
	is(row(0), "initiator", "peer");
	is(row(0), "app/dicom/calling_ae", "CT64");
	is(row(0), "function", "Storage");
	CU_ASSERT_EQUAL(conf_count(d.ports), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_PORT, "C3"), 1);
	read_table("Remote AE Title,Host,Port\nPACS01,10.1.0.10,11112\nRIS,ris.example.invalid,104\n");
	is(row(0), "initiator", "device");
	is(row(0), "app/dicom/called_ae", "PACS01");
	is(row(0), "peers/0/ip", "10.1.0.10");
	is(row(1), "peers/0/fqdn", "ris.example.invalid");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_AE_TABLE, "1"), 1);
	read_table("AE Title,Port\nX,11112\n");
	CU_ASSERT_EQUAL(conf_count(d.ports), 0);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_DIRECTION, NULL), 1);
}

static void many(void)
{
	/* The same port over and over: names stay apart, and what is too much is kept. */
	enum { N = 5000, LINE = 24 };
	static char text[64 + N * LINE];
	size_t n = (size_t)snprintf(text, sizeof(text), "Port,Protocol,Direction,Peer\n");
	for (int i = 0; i < N; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "104,TCP,in,PACS\n");
	read_table(text);
	is(row(0), "id", "tcp-104-in");
	is(row(1), "id", "tcp-104-in-2");
	is(row(4000), "id", "tcp-104-in-4001");
	CU_ASSERT(conf_count(d.ports) <= 4096);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_ROWS, NULL) + conf_count(d.ports), N);
}

static void sentences(void)
{
	char text[1024];
	for (int i = 0; i < DRAFT_SAYS; i++)
		for (int ja = 0; ja < 2; ja++) {
			struct draft_said s = { .what = (enum draft_remark)i, .args = { (char *)(uintptr_t)"a\x1b", (char *)(uintptr_t)"b" } };
			draft_sentence(&s, ja, text, sizeof(text));
			CU_ASSERT(text[0] && !strchr(text, '{') && !strchr(text, '\x1b'));
		}
}

static void none(void)
{
	static const char *const no_tables[] = { "a,b\n1,2\n", "", "port\n104\n", "name,type\nx,y\n", "protocol,direction\nTCP,in\n" };
	for (size_t i = 0; i < sizeof(no_tables) / sizeof(no_tables[0]); i++) {
		struct sheet_book *b = NULL;
		CU_ASSERT_EQUAL_FATAL(sheet_read_csv(span_str(no_tables[i]), "t.csv", &b, &rep), 0);
		CU_ASSERT_EQUAL(port_table_heading(b, 0), 0);
		sheet_free(b);
	}
	draft_free(&d);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "english", english }, { "japanese", japanese }, { "long peers", long_peers }, { "odd numbers", odd_numbers },
		{ "unparted", unparted }, { "marks", marks }, { "not guessed", not_guessed },
		{ "contradictions", contradictions }, { "kept", kept }, { "ends", ends }, { "AE tables", ae_tables }, { "many", many }, { "sentences", sentences }, { "none",
			none }, CU_TEST_INFO_NULL
	};
	return test_run("port_table", tests);
}
