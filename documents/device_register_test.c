/* A hospital's register: what becomes a unit, which type it has, what is asked. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"
#include "documents/device_register.h"

static struct draft d;
static struct conf_report rep;
static char *inventory;

static const char types[] =
	"format: spanward/1\ndevice_type: example.er-400\nmaker: 例示メディカル\nmodel: 内視鏡記録装置 ER-400\ndocuments: {ifu: {id: A, revision: 1}}\n"
	"port_list: unknown\nin: {ui: {https: 443, from: any, cite: ifu 1}}\n";
static const char more[] =
	"format: spanward/1\ndevice_type: other.ct-64\nmaker: Other\nmodel: CT-64\ndocuments: {ifu: {id: A, revision: 1}}\n"
	"port_list: unknown\nin: {ui: {https: 443, from: any, cite: ifu 1}}\n";
static const char third[] =
	"format: spanward/1\ndevice_type: example.ct-64\nmaker: Example\nmodel: CT-64\ndocuments: {ifu: {id: A, revision: 1}}\n"
	"port_list: unknown\nin: {ui: {https: 443, from: any, cite: ifu 1}}\n";

static void read_register(const char *text, bool with_types)
{
	static const char *const texts[] = { types, more, third };
	struct policy_model m = { 0 };
	struct conf_doc *docs[3];
	struct sheet_book *b = NULL;
	size_t n = 0;
	draft_free(&d);
	free(inventory);
	inventory = NULL;
	memset(&rep, 0, sizeof(rep));
	for (int i = 0; i < 3; i++) {
		docs[i] = conf_parse(span_str(texts[i]), "t.yaml", &rep);
		CU_ASSERT_EQUAL_FATAL(policy_types_read(&m, docs[i], "t.yaml", &rep), 0);
	}
	CU_ASSERT_FATAL(draft_new(&d, NULL));
	CU_ASSERT_EQUAL_FATAL(sheet_read_csv(span_str(text), "r.csv", &b, &rep), 0);
	CU_ASSERT_FATAL(device_register_heading(b, 0) > 0);
	CU_ASSERT_EQUAL(draft_source(&d, "register", "r.csv", span_str(text)), 0);
	FILE *to = open_memstream(&inventory, &n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	CU_ASSERT_EQUAL(device_register_read(&d, b, 0, 0, with_types ? &m : NULL, true, to), 0);
	fclose(to);
	sheet_free(b);
	policy_load_free(&m);
	for (int i = 0; i < 3; i++)
		conf_free(docs[i]);
	/* The loader reads it. */
	struct policy_model back = { 0 };
	int r = policy_inventory_read_csv(&back, (struct span){ (uint8_t *)inventory, n }, "inventory.csv", &rep);
	for (size_t i = 0; i < rep.n; i++)
		fprintf(stderr, "  %s:%u: %s\n", rep.v[i].file, rep.v[i].line, rep.v[i].what);
	CU_ASSERT_EQUAL(r, 0);
	policy_load_free(&back);
}

static void line(unsigned n, const char *want)
{
	const char *at = inventory;
	for (unsigned i = 0; i < n && at; i++)
		at = (at = strchr(at, '\n')) ? at + 1 : NULL;
	size_t len = at ? strcspn(at, "\n") : 0;
	if (!at || len != strlen(want) || memcmp(at, want, len))
		fprintf(stderr, "  line %u: '%.*s', not '%s'\n", n, (int)len, at ? at : "", want);
	CU_ASSERT(at && len == strlen(want) && !memcmp(at, want, len));
}

static size_t said(enum draft_remark what)
{
	size_t n = 0;
	for (size_t i = 0; i < d.n_said; i++)
		n += d.said[i].what == what;
	return n;
}

static void japanese(void)
{
	read_register("ME機器台帳,,,,,,,,,\n管理番号,機器名,型式,メーカー,製造番号,IPアドレス,MACアドレス,設置場所,"
		      "導入年月日,所有区分,点検周期\n"
		      "ME-001,内視鏡記録装置,ER-400,例示メディカル,S1,１０．２０．３．４１,00-00-5E-00-53-01,手術室３,令和2年4月1日,所有,1年\n"
		      "ME-002,CT装置,CT-64,Example,S2,10.20.1.10,,CT室,H30.12.1,リース,\n"
		      "ME-003,シリンジポンプ,SP-1,例示,S3,,,5F病棟,2020/1/1,,\n"
		      "ME-004,不明装置,Z-9,どこか,S4,DHCP,00005e005302,病棟,春,レンタル,\n合計4台\n", true);
	line(0, "id,type,ip,mac,vlan,ae_title,zone,location,department,serial,hostname,software_version,owner,acquired,network_ends,asset_number,note");
	line(1, "ME-001,example.er-400,10.20.3.41,00:00:5e:00:53:01,,,,手術室３,,S1,,,owned,2020-04-01,,,"
		"機器名: 内視鏡記録装置; 型式: ER-400; メーカー: 例示メディカル; 点検周期: 1年");
	line(2, "ME-002,example.ct-64,10.20.1.10,,,,,CT室,,S2,,,leased,2018-12-01,,,機器名: CT装置; 型式: CT-64; メーカー: Example");
	line(3, "ME-004,,,00:00:5e:00:53:02,,,,病棟,,S4,,,loaner,,,,導入年月日: 春; 機器名: 不明装置; 型式: Z-9; メーカー: どこか");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_NO_ADDRESS), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_NO_TYPE), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_TO_NOTE), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_CELL), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_LINE), 2);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_UNITS), 1);
}

/* A row that gives no unit stands in the report, with every cell; a cell without a heading in the note. */
static void left_out(void)
{
	read_register("Register of 2026\nid,name,ip,place,\nA,CT,,room 1,by the door\nB,US,10.0.0.2,room 2,lent\nend\n", false);
	static const struct { enum draft_remark what; const char *where, *text; } rows[] = {
		{ DRAFT_SAY_LINE, "1", "Register of 2026" }, { DRAFT_SAY_NO_ADDRESS, "3", "id: A; name: CT; place: room 1; by the door" },
		{ DRAFT_SAY_TO_NOTE, "E4", "lent" }, { DRAFT_SAY_LINE, "5", "end" },
	};
	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		bool found = false;
		for (size_t i = 0; i < d.n_said; i++)
			found = found || (d.said[i].what == rows[k].what && !strcmp(d.said[i].where, rows[k].where) && d.said[i].text &&
			                  !strcmp(d.said[i].text, rows[k].text));
		if (!found)
			fprintf(stderr, "  not said: %s %s\n", rows[k].where, rows[k].text);
		CU_ASSERT(found);
	}
	line(1, "B,,10.0.0.2,,,,,room 2,,,,,,,,,name: US; lent");
	for (size_t i = 0; i < d.n_said; i++)
		if (d.said[i].what == DRAFT_SAY_UNITS)
			CU_ASSERT(!strcmp(d.said[i].args[0], "1") && !strcmp(d.said[i].args[1], "1"));
}

static void english(void)
{
	/* Two addresses, one that is taken, a number twice, two makers with a model of one name. */
	read_register("Asset tag,Model,Manufacturer,IP address,VLAN,AE title,Note\nA1,CT-64,,\"10.0.0.1, 10.0.0.2\",203,CT01,a\"b\n"
		      "A1,CT-64,Other Corp,10.0.0.2,203,,\nA3,CT-64,Other,10.0.0.2,204,LONGER_THAN_SIXTEEN,\nA4,ER-400,,10.0.0.300,,,\n", true);
	line(1, "A1,,10.0.0.1+10.0.0.2,,203,CT01,,,,,,,,,,A1,\"a\"\"b; Model: CT-64\"");
	line(2, "A3,other.ct-64,10.0.0.2,,204,,,,,,,,,,,A3,AE title: LONGER_THAN_SIXTEEN; Model: CT-64; Manufacturer: Other");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_TYPES), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_SAME_ADDRESS), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_NO_ADDRESS), 2);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_SAME_ID), 0);
	read_register("id,name,ip\nX,a,10.0.0.1\nX,b,10.0.0.2\n,c,10.0.0.3\n", false);
	line(1, "X,,10.0.0.1,,,,,,,,,,,,,,name: a");
	line(2, "X-2,,10.0.0.2,,,,,,,,,,,,,,name: b");
	line(3, "unit-4,,10.0.0.3,,,,,,,,,,,,,,name: c");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_SAME_ID), 1);
	CU_ASSERT_EQUAL(said(DRAFT_SAY_NO_TYPE), 3);
}

/* What is no unit's address is not written as one: the loader would refuse it. */
static void no_unit(void)
{
	read_register("id,name,ip,mac\na,n,10.20.3.0/24,00:00:5e:00:53:01\nb,n,0.0.0.0,00:00:5e:00:53:02\n"
		      "c,n,224.0.0.1,00:00:5e:00:53:03\nd,n,10.0.0.4,00:00:5e:00:53:04\n", false);
	line(1, "a,,,00:00:5e:00:53:01,,,,,,,,,,,,,ip: 10.20.3.0/24; name: n");
	line(2, "b,,,00:00:5e:00:53:02,,,,,,,,,,,,,ip: 0.0.0.0; name: n");
	line(3, "c,,,00:00:5e:00:53:03,,,,,,,,,,,,,ip: 224.0.0.1; name: n");
	line(4, "d,,10.0.0.4,00:00:5e:00:53:04,,,,,,,,,,,,,name: n");
	CU_ASSERT_EQUAL(said(DRAFT_SAY_CELL), 3);
}

static void none(void)
{
	static const char *const others[] = { "Port,Protocol,IP address\n104,TCP,10.0.0.1\n", "ip,mac\n1,2\n", "id,name,serial\n1,2,3\n", "" };
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct sheet_book *b = NULL;
		CU_ASSERT_EQUAL_FATAL(sheet_read_csv(span_str(others[i]), "r.csv", &b, &rep), 0);
		CU_ASSERT_EQUAL(device_register_heading(b, 0), 0);
		sheet_free(b);
	}
	draft_free(&d);
	free(inventory);
	inventory = NULL;
}

int main(void)
{
	CU_TestInfo tests[] = { { "japanese", japanese }, { "english", english }, { "left out", left_out }, { "no unit", no_unit }, { "none", none }, CU_TEST_INFO_NULL };
	return test_run("device_register", tests);
}
