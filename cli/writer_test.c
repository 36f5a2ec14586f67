/* writer.c: rows in every format are what their readers expect, and no cell becomes a formula or a second row. */
#include "cli/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/test.h"

static char *text;
static size_t size;

static struct writer *begin(struct out *o, enum writer_format f, enum writer_rows rows)
{
	*o = (struct out){ .to = open_memstream(&text, &size) };
	const struct writer_config c = { .out = o, .format = f, .rows = rows };
	struct writer *w = writer_new(&c);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	return w;
}

/* What was printed; valid until the next one ends. */
static const char *end(struct out *o, struct writer *w)
{
	static char *last;
	free(last);
	writer_end(w);
	writer_free(w);
	CU_ASSERT_EQUAL(o->err, 0);
	(void)fclose(o->to);
	last = text;
	return last;
}

static void asset_row(struct writer *w, const char *addr, const char *names, const char *services)
{
	const struct store_asset a = { .addr = span_str(addr), .names = span_str(names), .services = span_str(services) };
	writer_asset(w, &a);
}

static void json_forms_are_lists_and_lines(void)
{
	struct out o;
	struct writer *w = begin(&o, WRITER_JSON, WRITER_ASSETS);
	CU_ASSERT_STRING_EQUAL(end(&o, w), "[]\n");
	w = begin(&o, WRITER_JSONL, WRITER_ASSETS);
	CU_ASSERT_STRING_EQUAL(end(&o, w), "");
	w = begin(&o, WRITER_JSON, WRITER_ASSETS);
	asset_row(w, "192.0.2.1", "", "dicom tcp/104, ssh tcp/22");
	asset_row(w, "192.0.2.2", "A\"B", "");
	CU_ASSERT_STRING_EQUAL(end(&o, w),
		"[\n"
		"{\"addr\":\"192.0.2.1\",\"names\":[],\"services\":[\"dicom tcp/104\",\"ssh tcp/22\"],\"clients\":[],"
		"\"first\":\"1970-01-01T00:00:00.000000000Z\",\"last\":\"1970-01-01T00:00:00.000000000Z\"},\n"
		"{\"addr\":\"192.0.2.2\",\"names\":[\"A\\\"B\"],\"services\":[],\"clients\":[],"
		"\"first\":\"1970-01-01T00:00:00.000000000Z\",\"last\":\"1970-01-01T00:00:00.000000000Z\"}\n"
		"]\n");
}

static void csv_quotes_and_disarms(void)
{
	struct out o;
	struct writer *w = begin(&o, WRITER_CSV, WRITER_ASSETS);
	asset_row(w, "192.0.2.1", "=1+1", "a \"b\", c");
	asset_row(w, "-5", "x\ny", "@z");
	CU_ASSERT_STRING_EQUAL(end(&o, w),
		"addr,device,device_type,zone,mac,names,services,clients,first,last,space\n"
		"192.0.2.1,,,,,\"'=1+1\",\"a \"\"b\"\", c\",,1970-01-01T00:00:00.000000000Z,1970-01-01T00:00:00.000000000Z,\n"
		"\"'-5\",,,,,\"x\ny\",\"'@z\",,1970-01-01T00:00:00.000000000Z,1970-01-01T00:00:00.000000000Z,\n");
}

static size_t count(const char *s, size_t n, char c)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		k += s[i] == c;
	return k;
}

static void csv_rows_have_the_columns_of_their_head(void)
{
	struct out o;
	static const enum writer_rows rows[] = { WRITER_OBSERVATIONS, WRITER_FLOWS, WRITER_EVENTS, WRITER_ALERTS };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct writer *w = begin(&o, WRITER_CSV, rows[i]);
		struct observation ob = { .head.type = OBSERVATION_FLOW_END };
		struct alert a = { .id = "0123456789abcdef", .severity = EVENT_HIGH, .event.head.type = EVENT_CONFIG_CHANGE };
		observation_uint(&ob, OBSERVATION_F_packet, 7);
		(void)event_text(&a.event, EVENT_F_rule, span_str("policy.undeclared_listener"));
		(void)event_text(&a.event, EVENT_F_device, span_str("ct-1"));
		if (rows[i] == WRITER_ALERTS)
			writer_alert(w, &a);
		else if (rows[i] == WRITER_EVENTS)
			writer_event(w, &a.event);
		else
			writer_observation(w, &ob);
		const char *s = end(&o, w), *row = strchr(s, '\n') + 1;
		CU_ASSERT_EQUAL(strchr(row, '\n')[1], '\0');
		/* The sentences of an alert have commas of their own, between quotes. */
		size_t quoted = 0;
		bool in = false;
		for (const char *p = row; *p; p++) {
			in = *p == '"' ? !in : in;
			quoted += in && *p == ',';
		}
		CU_ASSERT_EQUAL(count(s, (size_t)(row - s), ','), count(row, strlen(row), ',') - quoted);
	}
}

static void stats_say_what_was_lost(void)
{
	struct out o;
	struct writer *w = begin(&o, WRITER_JSONL, WRITER_STATS);
	writer_stat(w, STATS_packets, 5);
	writer_stat(w, STATS_ip_malformed, 0);
	CU_ASSERT_STRING_EQUAL(end(&o, w),
		"{\"counter\":\"packets\",\"value\":5,\"loss\":false,\"meaning\":\"packets read from the source\"}\n"
		"{\"counter\":\"ip_malformed\",\"value\":0,\"loss\":true,\"meaning\":\"packets with a broken IP header\"}\n");
	w = begin(&o, WRITER_TABLE, WRITER_STATS);
	writer_stat(w, STATS_packets, 5);
	writer_stat(w, STATS_ip_malformed, 0);
	const char *s = end(&o, w);
	CU_ASSERT_PTR_NOT_NULL(strstr(s, "packets"));
	CU_ASSERT_PTR_NULL(strstr(s, "ip_malformed"));
}

static void contexts_are_counted_in_tables_and_whole_elsewhere(void)
{
	struct out o;
	const struct span syntaxes[] = { span_str("1.2.840.10008.1.2"), span_str("1.2.840.10008.1.2.1") };
	const struct vocab_context one = { .id = 1, .result = VOCAB_NO_RESULT, .n = 2, .abstract_syntax = span_str("1.2.840.10008.1.1") };
	const struct vocab_contexts c = { .v = &one, .syntaxes = syntaxes, .n = 1, .n_syntaxes = 2 };
	struct observation ob = { .head.type = OBSERVATION_DICOM_ASSOCIATE_REQUEST };
	vocab_set_contexts(&observation_vocab, &ob.head, OBSERVATION_F_contexts, &c);
	struct writer *w = begin(&o, WRITER_TABLE, WRITER_OBSERVATIONS);
	writer_observation(w, &ob);
	CU_ASSERT_PTR_NOT_NULL(strstr(end(&o, w), "contexts=1\n"));
	w = begin(&o, WRITER_CSV, WRITER_OBSERVATIONS);
	writer_observation(w, &ob);
	CU_ASSERT_PTR_NOT_NULL(strstr(end(&o, w), ",1:1.2.840.10008.1.1:1.2.840.10008.1.2|1.2.840.10008.1.2.1,"));
	w = begin(&o, WRITER_JSONL, WRITER_OBSERVATIONS);
	writer_observation(w, &ob);
	CU_ASSERT_PTR_NOT_NULL(strstr(end(&o, w), "\"abstract_syntax\":\"1.2.840.10008.1.1\""));
}

static void fill(struct event *e, uint8_t mem[512], struct buf *b, uint64_t seq)
{
	*e = (struct event){ .head.type = seq % 3 ? EVENT_FLOW : EVENT_ASSET };
	event_uint(e, EVENT_F_seq, seq);
	event_uint(e, EVENT_F_ts, UINT64_C(1700000000000000000) + seq * 77777777);
	(void)event_text(e, EVENT_F_device, span_str(seq % 5 ? "ct-1" : "ct \"2\""));
	(void)event_text(e, EVENT_F_rule, span_str("flow.summary"));
	*b = buf_over(mem, 512);
	CU_ASSERT_EQUAL_FATAL(vocab_encode(&event_vocab, &e->head, b), 0);
}

/* Many more than gather before they go out: none is lost, none comes twice, whichever way they came. */
static void encoded_events_are_the_same_rows(void)
{
	static const enum writer_format formats[] = { WRITER_JSONL, WRITER_JSON };
	for (size_t i = 0; i < 2; i++) {
		struct out o;
		struct event e;
		struct buf b;
		uint8_t mem[512];
		struct writer *w = begin(&o, formats[i], WRITER_EVENTS);
		CU_ASSERT(writer_says_json(w));
		for (uint64_t seq = 0; seq < 5000; seq++) {
			fill(&e, mem, &b, seq);
			writer_event(w, &e);
		}
		CU_ASSERT_EQUAL(writer_rows(w), 5000);
		char *records = strdup(end(&o, w));
		CU_ASSERT(records && strlen(records) > 300000 && count(records, strlen(records), '\n') == (i ? 5002 : 5000));
		struct recite *r = recite_new(&event_vocab);
		CU_ASSERT_PTR_NOT_NULL_FATAL(r);
		w = begin(&o, formats[i], WRITER_EVENTS);
		for (uint64_t seq = 0; seq < 5000; seq++) {
			fill(&e, mem, &b, seq);
			CU_ASSERT_EQUAL(writer_encoded(w, r, buf_span(&b)), 0);
			CU_ASSERT_EQUAL(writer_encoded(w, r, (struct span){ mem, b.len - 1 }), -EBADMSG);
		}
		CU_ASSERT_EQUAL(writer_rows(w), 5000);
		CU_ASSERT_STRING_EQUAL(end(&o, w), records);
		recite_free(r);
		free(records);
	}
}

/* Somebody waits for each of them. */
static void a_flushed_row_has_gone_out(void)
{
	struct out o;
	struct event e;
	struct buf b;
	uint8_t mem[512];
	struct writer *w = begin(&o, WRITER_JSONL, WRITER_EVENTS);
	for (uint64_t seq = 0; seq < 3; seq++) {
		fill(&e, mem, &b, seq);
		writer_event(w, &e);
		writer_flush(w);
		CU_ASSERT_EQUAL(count(text, size, '\n'), seq + 1);
	}
	(void)end(&o, w);
}

static void chooses_the_language_of_the_locale(void)
{
	(void)unsetenv("LC_ALL");
	(void)unsetenv("LC_MESSAGES");
	(void)setenv("LANG", "ja_JP.UTF-8", 1);
	CU_ASSERT_EQUAL(writer_language(), RULE_JA);
	(void)setenv("LC_ALL", "C", 1);
	CU_ASSERT_EQUAL(writer_language(), RULE_EN);
	enum rule_language l = RULE_EN;
	CU_ASSERT(writer_parse_language("ja", &l) && l == RULE_JA);
	CU_ASSERT(!writer_parse_language("fr", &l));
	CU_ASSERT_EQUAL(writer_choice(writer_formats, "csv"), WRITER_CSV);
	CU_ASSERT_EQUAL(writer_choice(writer_kinds, "stats"), WRITER_STATS);
	CU_ASSERT_EQUAL(writer_choice(writer_formats, "xml"), -1);
}

int main(void)
{
	CU_TestInfo cases[] = {
		{ "json_forms_are_lists_and_lines", json_forms_are_lists_and_lines },
		{ "csv_quotes_and_disarms", csv_quotes_and_disarms },
		{ "csv_rows_have_the_columns_of_their_head", csv_rows_have_the_columns_of_their_head },
		{ "stats_say_what_was_lost", stats_say_what_was_lost },
		{ "contexts_are_counted_in_tables_and_whole_elsewhere", contexts_are_counted_in_tables_and_whole_elsewhere },
		{ "encoded_events_are_the_same_rows", encoded_events_are_the_same_rows },
		{ "a_flushed_row_has_gone_out", a_flushed_row_has_gone_out },
		{ "chooses_the_language_of_the_locale", chooses_the_language_of_the_locale },
		CU_TEST_INFO_NULL,
	};
	return test_run("writer", cases);
}
