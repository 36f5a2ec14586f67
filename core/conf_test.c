#include "core/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/test.h"

static const char *const colours[] = { "red", "green", "blue", NULL };
static const struct conf_key text_row[] = { { .name = "text", .kind = CONF_TEXT, .min = 1, .max = 8 }, { .name = NULL } };
static const struct conf_key uint_row[] = { { .name = "uint", .kind = CONF_UINT, .max = 9 }, { .name = NULL } };
static const struct conf_key inner[] = {
	{ .name = "a", .kind = CONF_UINT, .required = true, .doc = "the first letter" },
	{ .name = "b", .kind = CONF_TEXT },
	{ .name = "other", .kind = CONF_REFUSED, .doc = "write b for it" },
	{ .name = NULL },
};
static const struct conf_key either[] = {
	{ .name = "text", .kind = CONF_TEXT },
	{ .name = "map", .kind = CONF_MAP, .keys = inner },
	{ .name = NULL },
};
static const struct conf_key table[] = {
	{ .name = "text", .kind = CONF_TEXT },
	{ .name = "short", .kind = CONF_TEXT, .min = 2, .max = 4 },
	{ .name = "number", .kind = CONF_UINT, .min = 3, .max = 70 },
	{ .name = "any_number", .kind = CONF_UINT },
	{ .name = "flag", .kind = CONF_BOOL },
	{ .name = "answer", .kind = CONF_TRI },
	{ .name = "colour", .kind = CONF_WORD, .words = colours },
	{ .name = "date", .kind = CONF_DATE },
	{ .name = "due", .kind = CONF_DATE, .min = 1 },
	{ .name = "ports", .kind = CONF_PORTS },
	{ .name = "addr", .kind = CONF_ADDR },
	{ .name = "net", .kind = CONF_PREFIX },
	{ .name = "mac", .kind = CONF_MAC },
	{ .name = "wait", .kind = CONF_DURATION, .min = 10, .max = 7776000 },
	{ .name = "room", .kind = CONF_SIZE, .max = UINT64_C(2) << 30 },
	{ .name = "map", .kind = CONF_MAP, .keys = inner },
	{ .name = "named", .kind = CONF_MAP_OF, .keys = uint_row, .max = 3 },
	{ .name = "list", .kind = CONF_LIST, .keys = text_row, .min = 1 },
	{ .name = "extra", .kind = CONF_ANY },
	{ .name = "either", .kind = CONF_ONE_OF, .keys = either },
	{ .name = NULL },
};

static struct conf_report rep;

static struct conf_doc *parse_n(const char *s, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);         /* exact size: ASan sees one byte over */
	if (!p)
		abort();
	memcpy(p, s, n);
	memset(&rep, 0, sizeof(rep));
	struct conf_doc *d = conf_parse((struct span){ p, n }, "t.yaml", &rep);
	free(p);                                /* the document keeps nothing of it */
	CU_ASSERT_EQUAL(!d, rep.total != 0);
	return d;
}

static struct conf_doc *parse(const char *s) { return parse_n(s, strlen(s)); }

/* Accepted by the table; the caller frees. */
static struct conf_doc *good(const char *s)
{
	struct conf_doc *d = parse(s);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	if (conf_check(d, conf_root(d), table, &rep)) {
		fprintf(stderr, "refused: %s: %s\n", s, rep.v[0].what);
		CU_FAIL("refused a good value");
	}
	return d;
}

/* Refused with exactly one fault, at that place, that says these words. */
static void bad(const char *s, unsigned line, unsigned column, const char *words)
{
	struct conf_doc *d = parse(s);
	if (d) {
		CU_ASSERT_EQUAL(conf_check(d, conf_root(d), table, &rep), ERR_CONFIG);
		conf_free(d);
	}
	CU_ASSERT_EQUAL(rep.total, 1);
	if (rep.n != 1 || rep.v[0].line != line || rep.v[0].column != column || !strstr(rep.v[0].what, words)) {
		fprintf(stderr, "%s\n  gave %zu: %u:%u: %s\n", s, rep.total, rep.v[0].line, rep.v[0].column, rep.v[0].what);
		CU_FAIL("another fault than expected");
	}
	CU_ASSERT_STRING_EQUAL(rep.v[0].file, "t.yaml");
}

static const struct conf_node *at(const struct conf_doc *d, const char *key) { return conf_get(conf_root(d), key); }

static void reads_every_kind(void)
{
	struct conf_doc *d = good("text: 超音波診断装置\nshort: '12'\nnumber: 70\nany_number: 18446744073709551615\nflag: true\n"
				  "answer: see_note\ncolour: \"blue\"\ndate: 1970-01-02\ndue: 1970-01-01T09:00:01+09:00\n"
				  "ports: 104, 3333-3334\naddr: 10.0.0.1\nnet: 2001:db8::/32\nmac: 00-11-22-aa-bb-cc\n"
				  "wait: 2h\nroom: 16MiB\nmap: {a: 7, b: x y}\nnamed: {p: 1, q: 2}\nlist: [one, 2]\n"
				  "extra: {x: [1, {y: true}]}\neither: plain\n");
	struct conf_port_range r[3];
	struct addr a;
	struct prefix p;
	struct mac m;
	char s[ADDR_STRLEN];
	CU_ASSERT_TRUE(span_eq(conf_text(at(d, "text"), NULL), span_str("超音波診断装置")));
	CU_ASSERT_TRUE(span_eq(conf_text(at(d, "short"), NULL), span_str("12")));
	CU_ASSERT_EQUAL(conf_uint(at(d, "number"), 0), 70);
	CU_ASSERT_EQUAL(conf_uint(at(d, "any_number"), 0), UINT64_MAX);
	CU_ASSERT_TRUE(conf_bool(at(d, "flag"), false));
	CU_ASSERT_EQUAL(conf_tri(at(d, "answer")), CONF_TRI_SEE_NOTE);
	CU_ASSERT_EQUAL(conf_word(at(d, "colour"), colours, -1), 2);
	CU_ASSERT_EQUAL(conf_date_ns(at(d, "date"), 0), UINT64_C(86400000000000));
	CU_ASSERT_EQUAL(conf_date_ns(at(d, "due"), 0), UINT64_C(1000000000));
	CU_ASSERT_EQUAL(conf_ports(at(d, "ports"), r, 3), 2);
	CU_ASSERT(r[0].lo == 104 && r[0].hi == 104 && r[1].lo == 3333 && r[1].hi == 3334);
	CU_ASSERT_EQUAL(conf_ports(at(d, "ports"), r, 1), 1);
	CU_ASSERT_TRUE(conf_addr(at(d, "addr"), &a));
	CU_ASSERT_STRING_EQUAL(addr_str(&a, s), "10.0.0.1");
	CU_ASSERT_TRUE(conf_prefix(at(d, "net"), &p));
	CU_ASSERT_EQUAL(p.bits, 32);
	CU_ASSERT_TRUE(conf_mac(at(d, "mac"), &m));
	CU_ASSERT_EQUAL(m.b[5], 0xcc);
	CU_ASSERT_EQUAL(conf_duration_s(at(d, "wait"), 0), 7200);
	CU_ASSERT_EQUAL(conf_size_bytes(at(d, "room"), 0), 16 << 20);
	CU_ASSERT_EQUAL(conf_uint(conf_get(at(d, "map"), "a"), 0), 7);
	CU_ASSERT_EQUAL(conf_count(at(d, "named")), 2);
	CU_ASSERT_TRUE(span_eq(conf_key_at(at(d, "named"), 1), span_str("q")));
	CU_ASSERT_EQUAL(conf_uint(conf_at(at(d, "named"), 1), 0), 2);
	CU_ASSERT_TRUE(conf_is_list(at(d, "list")) && conf_is_map(at(d, "map")) && conf_is_scalar(at(d, "either")));
	CU_ASSERT_TRUE(span_eq(conf_text(conf_at(at(d, "list"), 1), NULL), span_str("2")));
	CU_ASSERT_EQUAL(conf_line(at(d, "either")), 20);
	conf_free(d);
	d = good("either: {a: 1}");
	CU_ASSERT_TRUE(conf_is_map(at(d, "either")));
	conf_free(d);
}

static void a_missing_key_gives_otherwise(void)
{
	struct conf_doc *d = good("text: x\nnumber: null\nmap: ~\n");
	struct conf_port_range r[1];
	struct addr a;
	struct prefix p;
	struct mac m;
	const struct conf_node *none = at(d, "colour");
	CU_ASSERT_PTR_NULL(none);
	CU_ASSERT_PTR_NULL(at(d, "number"));            /* a plain null is not written */
	CU_ASSERT_PTR_NULL(at(d, "map"));
	CU_ASSERT_TRUE(span_eq(conf_text(none, "other"), span_str("other")));
	CU_ASSERT_EQUAL(conf_text(none, NULL).n, 0);
	CU_ASSERT_EQUAL(conf_uint(none, 5), 5);
	CU_ASSERT_TRUE(conf_bool(none, true));
	CU_ASSERT_FALSE(conf_bool(none, false));
	CU_ASSERT_EQUAL(conf_tri(none), CONF_TRI_UNKNOWN);
	CU_ASSERT_EQUAL(conf_word(none, colours, -1), -1);
	CU_ASSERT_EQUAL(conf_ports(none, r, 1), 0);
	CU_ASSERT_FALSE(conf_addr(none, &a) || conf_prefix(none, &p) || conf_mac(none, &m));
	CU_ASSERT_EQUAL(conf_duration_s(none, 5), 5);
	CU_ASSERT_EQUAL(conf_size_bytes(none, 5), 5);
	CU_ASSERT_EQUAL(conf_date_ns(none, 5), 5);
	CU_ASSERT_EQUAL(conf_count(none), 0);
	CU_ASSERT_PTR_NULL(conf_at(none, 0));
	CU_ASSERT_EQUAL(conf_key_at(none, 0).n, 0);
	CU_ASSERT_EQUAL(conf_line(none), 0);
	CU_ASSERT_FALSE(conf_is_map(none) || conf_is_list(none) || conf_is_scalar(none));
	/* Getters of another kind give `otherwise` too. */
	CU_ASSERT_EQUAL(conf_uint(at(d, "text"), 5), 5);
	CU_ASSERT_EQUAL(conf_duration_s(at(d, "text"), 5), 5);
	CU_ASSERT_EQUAL(conf_text(conf_root(d), NULL).n, 0);
	conf_free(d);
	conf_free(NULL);
}

static void refuses_what_yaml_has_and_we_have_not(void)
{
	bad("text: &x a\n", 1, 7, "anchor");
	bad("text: a\nshort: *x\n", 2, 8, "alias");
	bad("text: !!str a\n", 1, 7, "tag");
	bad("text: ! a\n", 1, 7, "tag");
	bad("map: !foo {a: 1}\n", 1, 6, "tag");
	bad("list: &l [a]\n", 1, 7, "anchor");
	bad("%YAML 1.1\n---\ntext: a\n", 1, 1, "directive");
	bad("text: a\n---\ntext: b\n", 2, 1, "second document");
	bad("? [a]\n: b\n", 1, 3, "as a key");
	bad("? {a: 1}\n: b\n", 1, 3, "as a key");
	bad("\"\": a\n", 1, 1, "empty key");
	bad("", 1, 1, "nothing is written");
	bad("# only a comment\n", 1, 1, "nothing is written");
	bad("\xd4\xc3\xb2\xa1\x02", 0, 0, "is a capture (spanward replay reads those); expected YAML");
	bad("\x0a\x0d\x0d\x0a\x02", 0, 0, "is a capture");
	bad("\xff\xfe" "a", 0, 0, "is a text in UTF-16 (save it as UTF-8)");
	bad("PK\x03\x04xl", 0, 0, "is a zip archive or an office document");
	bad("\x1f\x8b\x08", 0, 0, "is packed with gzip");
	conf_free(good("---\ntext: a\n...\n"));
	conf_free(good("\xef\xbb\xbftext: a\r\nshort: ab\r\n"));
}

static void refuses_syntax_with_its_place(void)
{
	bad("text: [a\n", 1, 9, "did not find expected ',' or ']' while parsing a flow sequence that begins in line 1, column 7");
	bad("map: {a: 1, b: x\nshort: ab\n", 1, 17, "did not find expected ',' or '}' while parsing a flow mapping that begins in line 1");
	bad("extra: {a: 1,\n  b: [2, 3\n  }\n", 2, 11, "did not find expected ',' or ']'");
	bad("text: a\nshort ab\nnumber: 4\n", 2, 1, "could not find expected ':'");
	bad("map:\n    a: 1\n  b: x\n", 3, 3, "did not find expected key while parsing a block mapping that begins in line 1, column 1");
	bad("map:\n\ta: 1\n", 2, 1, "tab; indent with spaces");
	bad("text: 'a\n", 2, 1, "quoted scalar");
	bad("text: a: b\n", 1, 8, "mapping values are not allowed");
	bad("text: \xff\n", 1, 7, "UTF-8");
	bad("日本: \x01\n", 1, 5, "control characters");
	bad("text: \"a\\x1b[31m\"\n", 1, 7, "control character");
	bad("text: \"a\\0b\"\n", 1, 7, "control character");
	bad("text: |\n  a\n  b\n", 1, 7, "line break");
	bad("\"te\\x07xt\": a\n", 1, 1, "control character");
	bad("text: \"\\u202eabc\"\n", 1, 7, "control character");
}

/* What a Japanese keyboard or a missing space makes of a line is named, where it stands. */
static void names_slips_of_the_keyboard(void)
{
	bad("text: a\nmap:\n　　a: 1\n  b: x\n", 3, 1, "a full-width space (U+3000)");
	bad("text：例\nshort: ab\n", 1, 5, "a full-width colon (：) after text; write ': '");
	bad("text: 例\nshort：\n  ab\nnumber: 4\n", 2, 6, "a full-width colon (：) after short");
	bad("text:例\nshort: ab\n", 1, 5, "no space after the colon of text; write ': '");
	bad("text:　例\nshort: ab\n", 1, 6, "a full-width space");
	bad("extra: {a: 11112、b: c}\n", 1, 17, "a full-width comma (、); write ', '");
	bad("extra: {a: 11112，b: c}\n", 1, 17, "a full-width comma (，)");
	bad("extra: ｛a: 1}\n", 1, 8, "a full-width bracket (｛)");
	bad("extra: {a: 1｝\n", 1, 13, "a full-width bracket (｝)");
	/* Where the text itself has such letters they are no slip. */
	bad("text: 例：、　a\n  : b\n", 2, 3, "did not find expected key");
	bad("list: ['text：例', \"a、b: c\"\n", 1, 26, "did not find expected ',' or ']'");
	bad("list: [a # b、c: d\n", 1, 18, "did not find expected ',' or ']'");
	conf_free(good("text: 例：、　a\nlist: [\"a：b\"]\n"));
	/* Where YAML takes them for a key. */
	bad("　text: a\n", 1, 1, "unknown key '　text'; it begins with a full-width space (U+3000)");
	bad("map: {a: 1, b:x}\n", 1, 13, "unknown key 'b:x'; a space is missing after the colon");
	bad("map: {a: 1, b：x}\n", 1, 13, "it has a full-width colon (：)");
	bad("map: {a: 1, ｂ: x}\n", 1, 13, "it has full-width characters");
	bad("map: {a: 1, 11112, b: x}\n", 1, 13, "unknown key '11112'; several ports are one text in quotes: \"104,11112\"");
	bad("ports: １１１１２\n", 1, 8, "found '１１１１２', which has full-width characters; write it in half width");
	bad("ports: 104、11112\n", 1, 8, "found '104、11112', which has full-width characters");
	bad("number: ４\n", 1, 9, "full-width");
	bad("answer: ｙｅｓ\n", 1, 9, "full-width");
}

static void refuses_duplicate_keys(void)
{
	bad("text: a\nshort: ab\ntext: b\n", 3, 1, "'text' stands twice, first in line 1");
	bad("map: {a: 1, b: x, a: 2}\n", 1, 19, "'a' stands twice");
	bad("extra:\n  x: {y: 1, \"y\": 2}\n", 2, 13, "'y' stands twice");
}

static void refuses_unknown_keys_with_the_nearest(void)
{
	bad("txet: a\n", 1, 1, "unknown key 'txet'; did you mean text?");
	bad("Text: a\n", 1, 1, "did you mean text?");
	bad("map: {a: 1, other: 2}\n", 1, 13, "unknown key 'other'; write b for it");
	bad("map: {a: 1, othr: 2}\n", 1, 13, "unknown key 'othr'");
	CU_ASSERT_PTR_NULL(strstr(rep.v[0].what, "did you mean"));
	bad("color: red\n", 1, 1, "did you mean colour?");
	bad("any-number: 1\n", 1, 1, "did you mean any_number?");
	bad("map:\n  a: 1\n  zzzzzz: 2\n", 3, 3, "unknown key 'zzzzzz'");
	CU_ASSERT_PTR_NULL(strstr(rep.v[0].what, "did you mean"));
	bad("\"te\xc3\xa9xtttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt\": 1\n", 1, 1, "...'");
}

static void refuses_missing_keys(void)
{
	bad("map: {b: x}\n", 1, 6, "key 'a' is missing: the first letter");
	bad("map:\n  a: null\n", 2, 3, "key 'a' is missing");
	bad("map: {}\n", 1, 6, "key 'a' is missing");
}

static void refuses_plain_booleans_as_text(void)
{
	static const char *const words[] = { "yes", "no", "on", "off", "true", "false", "Yes", "NO", "True" };
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		char s[64];
		snprintf(s, sizeof(s), "text: %s\n", words[i]);
		bad(s, 1, 7, "in quotes");
		snprintf(s, sizeof(s), "text: \"%s\"\n", words[i]);
		conf_free(good(s));
		snprintf(s, sizeof(s), "named: {%s: 1}\n", words[i]);
		bad(s, 1, 9, "in quotes");
	}
	bad("list: [null]\n", 1, 8, "in quotes");
	bad("list: [~]\n", 1, 8, "in quotes");
	conf_free(good("text: yes it is\n"));
	conf_free(good("text: nobody\n"));
}

static void a_tri_state_is_yes_no_na_see_note_or_unknown(void)
{
	static const struct { const char *s; enum conf_tri v; } t[] = {
		{ "answer: yes", CONF_TRI_YES }, { "answer: \"no\"", CONF_TRI_NO }, { "answer: na", CONF_TRI_NA },
		{ "answer: 'see_note'", CONF_TRI_SEE_NOTE }, { "answer: unknown", CONF_TRI_UNKNOWN },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct conf_doc *d = good(t[i].s);
		CU_ASSERT_EQUAL(conf_tri(at(d, "answer")), t[i].v);
		conf_free(d);
	}
	bad("answer: Yes\n", 1, 9, "did you mean yes?");
	bad("answer: true\n", 1, 9, "expected one of unknown, yes, no, na, see_note, found 'true'; did you mean yes?");
	bad("answer: False\n", 1, 9, "did you mean no?");
	bad("answer: [yes]\n", 1, 9, "found a list");
	bad("answer:\n", 1, 8, "expected one of");
}

static void a_boolean_is_plain_true_or_false(void)
{
	struct conf_doc *d = good("flag: false");
	CU_ASSERT_FALSE(conf_bool(at(d, "flag"), true));
	conf_free(d);
	bad("flag: yes\n", 1, 7, "expected true or false, found 'yes'");
	bad("flag: \"true\"\n", 1, 7, "in quotes");
	bad("flag: True\n", 1, 7, "true or false");
	bad("flag: 1\n", 1, 7, "true or false");
	bad("flag: {a: 1}\n", 1, 7, "found a map");
}

static void refuses_values_out_of_bounds(void)
{
	bad("short: a\n", 1, 8, "2 to 4 bytes, found 1");
	bad("short: abcde\n", 1, 8, "2 to 4 bytes, found 5");
	bad("short: \"\"\n", 1, 8, "found 0");
	bad("text:\n", 1, 6, "found nothing; write \"\"");
	conf_free(good("text: \"\"\n"));
	bad("number: 2\n", 1, 9, "expected 3 to 70, found 2");
	bad("number: 71\n", 1, 9, "found 71");
	bad("number: 012\n", 1, 9, "whole number");
	bad("number: 0x10\n", 1, 9, "whole number");
	bad("number: -4\n", 1, 9, "whole number");
	bad("number: 4.0\n", 1, 9, "whole number");
	bad("number: \"4\"\n", 1, 9, "in quotes");
	bad("any_number: 18446744073709551616\n", 1, 13, "whole number");
	bad("wait: 9s\n", 1, 7, "10 to 7776000 seconds, found 9");
	bad("wait: 91d\n", 1, 7, "found 7862400");
	conf_free(good("wait: 90d\n"));
	bad("wait: 300000000000000000d\n", 1, 7, "a duration");
	bad("wait: 5\n", 1, 7, "a duration");
	bad("wait: m\n", 1, 7, "a duration");
	bad("wait: 5 m\n", 1, 7, "a duration");
	conf_free(good("room: 2GiB\n"));
	bad("room: 3GiB\n", 1, 7, "bytes, found 3221225472");
	bad("room: 3GB\n", 1, 7, "a size");
	bad("room: 18446744073709551615KiB\n", 1, 7, "a size");
	bad("named: {a: 1, b: 2, c: 3, d: 4}\n", 1, 8, "0 to 3 entries, found 4");
	bad("list: []\n", 1, 7, "at least 1 entries, found 0");
	char s[1100];
	memset(s, 'a', sizeof(s));
	memcpy(s, "text: ", 6);
	s[6 + 1025] = '\0';
	bad(s, 1, 7, "0 to 1024 bytes, found 1025");
	s[6 + 1024] = '\0';
	conf_free(good(s));
}

static void refuses_other_kinds(void)
{
	bad("colour: gren\n", 1, 9, "expected one of red, green, blue, found 'gren'; did you mean green?");
	bad("colour: mauve\n", 1, 9, "found 'mauve'");
	bad("colour: Red\n", 1, 9, "did you mean red?");
	bad("date: 2026-02-30\n", 1, 7, "a date");
	bad("date:\n", 1, 6, "found nothing");
	conf_free(good("date: \"\"\n"));
	bad("due: \"\"\n", 1, 6, "a date");
	bad("addr: 10.0.0.256\n", 1, 7, "an IP address");
	bad("net: 10.0.0.1/8\n", 1, 6, "host bits");
	bad("net: 10.0.0.0/40\n", 1, 6, "a network");
	bad("mac: 00:11\n", 1, 6, "a hardware address");
	bad("text: {a: 1}\n", 1, 7, "expected a text, found a map");
	bad("text: [a]\n", 1, 7, "expected a text, found a list");
	bad("map: 5\n", 1, 6, "expected a map");
	bad("named: []\n", 1, 8, "expected a map");
	bad("list: a\n", 1, 7, "expected a list");
	bad("list: [[a]]\n", 1, 8, "found a list");
	bad("named: {a: x}\n", 1, 12, "whole number");
	bad("named: {a: 10}\n", 1, 12, "0 to 9");
	bad("either: [a]\n", 1, 9, "expected a text or a map (key: value), found a list");
	bad("either: {b: x}\n", 1, 9, "key 'a' is missing");
	bad("just words\n", 1, 1, "expected a map");
	bad("- a\n", 1, 1, "expected a map");
}

static void reads_ports_strictly(void)
{
	static const char *const wrong[] = { "0", "65536", "-1", "1-", "-", "5-4", "1,", "',1'", "1,,2", "0104", "a", "1-2-3", "1 2",
					     "''", "1 - 2", "0x68", "99999999999999999999" };
	static const struct { const char *s; size_t n; uint16_t lo, hi; } t[] = {
		{ "104", 1, 104, 104 }, { "\"104\"", 1, 104, 104 }, { "1-65535", 1, 1, 65535 }, { "'104,11112'", 2, 104, 104 },
		{ "7-7", 1, 7, 7 },
	};
	char s[512];
	struct conf_port_range r[CONF_MAX_PORTS];
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		snprintf(s, sizeof(s), "ports: %s\n", wrong[i]);
		if (!strcmp(wrong[i], "-"))
			snprintf(s, sizeof(s), "ports: \"-\"\n");
		bad(s, 1, 8, "ports from 1 to 65535");
	}
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		snprintf(s, sizeof(s), "ports: %s\n", t[i].s);
		struct conf_doc *d = good(s);
		CU_ASSERT_EQUAL(conf_ports(at(d, "ports"), r, CONF_MAX_PORTS), t[i].n);
		CU_ASSERT(r[0].lo == t[i].lo && r[0].hi == t[i].hi);
		conf_free(d);
	}
	for (int extra = 0; extra < 2; extra++) {
		size_t n = (size_t)snprintf(s, sizeof(s), "ports: '1");
		for (int i = 1; i < CONF_MAX_PORTS + extra; i++)
			n += (size_t)snprintf(s + n, sizeof(s) - n, ",1");
		snprintf(s + n, sizeof(s) - n, "'\n");
		if (extra) {
			bad(s, 1, 8, "ports");
		} else {
			struct conf_doc *d = good(s);
			CU_ASSERT_EQUAL(conf_ports(at(d, "ports"), r, CONF_MAX_PORTS), CONF_MAX_PORTS);
			conf_free(d);
		}
	}
}

static void reports_every_fault_and_counts_the_rest(void)
{
	struct conf_doc *d = parse("nubmer: 1\ntext: yes\nmap: {}\n");
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT_EQUAL(conf_check(d, conf_root(d), table, &rep), ERR_CONFIG);
	CU_ASSERT_EQUAL(rep.n, 3);
	conf_fault(d, at(d, "map"), &rep, "no such role: %s", "pacx");
	CU_ASSERT_STRING_EQUAL(rep.v[3].what, "no such role: pacx");
	CU_ASSERT(rep.v[3].line == 3 && rep.v[3].column == 6);
	for (int i = 0; i < 100; i++)
		conf_fault(d, NULL, &rep, "%0500d", 1);
	CU_ASSERT_EQUAL(rep.n, CONF_MAX_ERRORS);
	CU_ASSERT_EQUAL(rep.total, 104);
	CU_ASSERT_EQUAL(strlen(rep.v[4].what), 255);
	conf_free(d);
}

static void holds_its_limits(void)
{
	char s[256];
	size_t n = 0;
	for (int depth = CONF_MAX_DEPTH; depth <= CONF_MAX_DEPTH + 1; depth++) {
		n = (size_t)snprintf(s, sizeof(s), "extra: ");          /* the root map is the first level */
		for (int i = 1; i < depth; i++)
			s[n++] = '[';
		for (int i = 1; i < depth; i++)
			s[n++] = ']';
		struct conf_doc *d = parse_n(s, n);
		CU_ASSERT_EQUAL(d != NULL, depth == CONF_MAX_DEPTH);
		if (!d)
			CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "nested more than 24 deep"));
		conf_free(d);
	}
	char *big = malloc(CONF_MAX_BYTES + 1);
	memset(big, '#', CONF_MAX_BYTES + 1);
	memcpy(big, "a: 1\n", 5);
	struct conf_doc *d = parse_n(big, CONF_MAX_BYTES);
	CU_ASSERT_PTR_NOT_NULL(d);
	conf_free(d);
	CU_ASSERT_PTR_NULL(parse_n(big, CONF_MAX_BYTES + 1));
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "longer than 4 MiB"));
	/* The root and its list are two of the values. */
	for (int extra = 0; extra < 2; extra++) {
		n = (size_t)snprintf(big, 16, "a: [");
		for (int i = 0; i < CONF_MAX_NODES - 2 + extra; i++) {
			memcpy(big + n, "1,\n", 3);
			n += 3;
		}
		big[n++] = ']';
		d = parse_n(big, n);
		CU_ASSERT_EQUAL(d != NULL, !extra);
		if (d)
			CU_ASSERT_EQUAL(conf_count(at(d, "a")), CONF_MAX_NODES - 2);
		conf_free(d);
	}
	/* A long map must not cost the square of its length. */
	n = 0;
	for (int i = 0; i < 100000; i++)
		n += (size_t)snprintf(big + n, 32, "k%06d: 1\n", i);
	d = parse_n(big, n);
	CU_ASSERT_PTR_NOT_NULL(d);
	conf_free(d);
	free(big);
}

static void every_prefix_parses_or_says_why(void)
{
	const char *s = "text: \"超音波\"\nmap: {a: 7, b: 'x y'}\nlist:\n  - one\n  - [two, {x: y}]\nextra: |\n  z\n";
	for (size_t n = 0; n <= strlen(s); n++) {
		struct conf_doc *d = parse_n(s, n);
		if (d)
			(void)conf_check(d, conf_root(d), table, &rep);
		conf_free(d);
	}
}

static void one_wrong_byte_parses_or_says_why(void)
{
	char s[] = "text: \"a\"\nmap: {a: 7, b: 'x'}\nlist:\n  - one\nports: 1-2\n";
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i++) {
		char was = s[i];
		for (int v = 0; v < 256; v++) {
			s[i] = (char)v;
			struct conf_doc *d = parse_n(s, n);
			if (d)
				(void)conf_check(d, conf_root(d), table, &rep);
			conf_free(d);
		}
		s[i] = was;
	}
}

static void reads_files_and_says_what_it_cannot_read(void)
{
	char path[] = "/tmp/spanward-conf-XXXXXX";
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "text: a\n", 8), 8);
	memset(&rep, 0, sizeof(rep));
	struct conf_doc *d = conf_read_file(path, &rep);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT_EQUAL(conf_check(d, conf_root(d), table, &rep), 0);
	conf_free(d);
	char *text = malloc(CONF_MAX_BYTES);
	memset(text, 'a', CONF_MAX_BYTES);
	CU_ASSERT_EQUAL(write(fd, text, CONF_MAX_BYTES), CONF_MAX_BYTES);
	free(text);
	CU_ASSERT_PTR_NULL(conf_read_file(path, &rep));
	CU_ASSERT_PTR_NOT_NULL(strstr(rep.v[0].what, "longer than 4 MiB"));
	close(fd);
	unlink(path);
	CU_ASSERT_PTR_NULL(conf_read_file(path, &rep));
	/* A file of the temporary folder may have a near name. */
	CU_ASSERT_EQUAL(strncmp(rep.v[1].what, "cannot be read: No such file or directory", 41), 0);
	CU_ASSERT_STRING_EQUAL(rep.v[1].file, path);
	CU_ASSERT_PTR_NULL(conf_read_file("/tmp", &rep));
	CU_ASSERT_STRING_EQUAL(rep.v[2].what, "is a directory; expected a file");
}

static void nearest_is_near(void)
{
	static const char *const words[] = { "pacs", "mwl", "ntp", "biomed-workstation", "" };
	CU_ASSERT_STRING_EQUAL(conf_nearest(span_str("pacx"), words, 5), "pacs");
	CU_ASSERT_STRING_EQUAL(conf_nearest(span_str("PACS"), words, 5), "pacs");
	CU_ASSERT_STRING_EQUAL(conf_nearest(span_str("pasc"), words, 5), "pacs");
	CU_ASSERT_STRING_EQUAL(conf_nearest(span_str("biomed_workstaton"), words, 5), "biomed-workstation");
	CU_ASSERT_PTR_NULL(conf_nearest(span_str("printer"), words, 5));
	CU_ASSERT_PTR_NULL(conf_nearest(span_str(""), words, 5));
	CU_ASSERT_PTR_NULL(conf_nearest(span_str("x"), words, 5));
	CU_ASSERT_PTR_NULL(conf_nearest(span_str("0123456789012345678901234567890123456789012345"), words, 5));
	CU_ASSERT_PTR_NULL(conf_nearest(span_str("pacs"), words, 0));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "reads_every_kind", reads_every_kind },
		{ "a_missing_key_gives_otherwise", a_missing_key_gives_otherwise },
		{ "refuses_what_yaml_has_and_we_have_not", refuses_what_yaml_has_and_we_have_not },
		{ "refuses_syntax_with_its_place", refuses_syntax_with_its_place },
		{ "names_slips_of_the_keyboard", names_slips_of_the_keyboard },
		{ "refuses_duplicate_keys", refuses_duplicate_keys },
		{ "refuses_unknown_keys_with_the_nearest", refuses_unknown_keys_with_the_nearest },
		{ "refuses_missing_keys", refuses_missing_keys },
		{ "refuses_plain_booleans_as_text", refuses_plain_booleans_as_text },
		{ "a_tri_state_is_yes_no_na_see_note_or_unknown", a_tri_state_is_yes_no_na_see_note_or_unknown },
		{ "a_boolean_is_plain_true_or_false", a_boolean_is_plain_true_or_false },
		{ "refuses_values_out_of_bounds", refuses_values_out_of_bounds },
		{ "refuses_other_kinds", refuses_other_kinds },
		{ "reads_ports_strictly", reads_ports_strictly },
		{ "reports_every_fault_and_counts_the_rest", reports_every_fault_and_counts_the_rest },
		{ "holds_its_limits", holds_its_limits },
		{ "every_prefix_parses_or_says_why", every_prefix_parses_or_says_why },
		{ "one_wrong_byte_parses_or_says_why", one_wrong_byte_parses_or_says_why },
		{ "reads_files_and_says_what_it_cannot_read", reads_files_and_says_what_it_cannot_read },
		{ "nearest_is_near", nearest_is_near },
		CU_TEST_INFO_NULL,
	};
	return test_run("conf", tests);
}
