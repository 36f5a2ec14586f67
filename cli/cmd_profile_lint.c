/* spanward profile lint: do a maker's documents agree with each other? */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/out.h"
#include "cli/printed.h"
#include "cli/table.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "core/option.h"
#include "documents/inquiry.h"
#include "documents/lint.h"

static const char help[] =
"usage: spanward profile lint [OPTION...] FILE|DIR...\n"
"\n"
"Compares what the documents of a device type say with each other: answers of the MDS2 form with the list of ports,\n"
"rows with rows, revisions, dates. Each finding names documents and rows, and has the question to ask the maker:\n"
"  contradiction   not all of it can be right\n"
"  gap             something that a judgement rests on is not said\n"
"  question        may be so, but should be asked\n"
"spanward profile inquiry prints the questions as a sheet for each maker.\n"
"\n"
"      --format FORMAT   table (default on a terminal), jsonl (default on a pipe)\n"
"      --lang en|ja      language of the table (default: by the locale); JSON has both\n"
"      --date DATE       judge by this day instead of today\n"
"      --fail-on GRADE   exit 10 if there is a question, gap or contradiction, or worse\n"
"  -o, --output FILE     write there; the file appears when it is whole\n"
"      --color WHEN      auto, always, never\n"
"  -q, --quiet           no summary on standard error\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 a file is wrong, 5 it may not be read, 10 something was found (--fail-on).\n"
"\n"
"Example: spanward profile lint policy/\n";

static const struct cmd this = { "profile lint", "", help, NULL };

enum { OPT_DATE = PRINTED_OWN, OPT_FAIL_ON };

struct show {
	struct out out;
	struct table *table;            /* NULL: JSON Lines */
	enum rule_language language;
	const struct policy_model_type *t;
	size_t by_grade[LINT_CONTRADICTION + 1];
};

static void put_json(struct show *s, const struct lint_finding *f)
{
	static const struct { const char *name; enum lint_said which; enum rule_language language; } texts[] = {
		{ "what_en", LINT_WHAT, RULE_EN }, { "what_ja", LINT_WHAT, RULE_JA },
		{ "question_en", LINT_ASK, RULE_EN }, { "question_ja", LINT_ASK, RULE_JA },
	};
	static uint8_t mem[32 << 10];
	uint8_t text[LINT_TEXT];
	struct buf b = buf_over(mem, sizeof(mem));
	(void)buf_u8(&b, '{');
	const struct { const char *key; struct span value; } facts[] = {
		{ "id", span_str(lint_id(f->rule)) }, { "grade", span_str(lint_grades[f->grade]) }, { "type", f->type->id },
		{ "maker", f->type->maker }, { "model", f->type->model }, { "contact", papers_contact(f->type) },
	};
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		(void)json_key(&b, facts[i].key);
		(void)json_string(&b, facts[i].value);
	}
	(void)json_key(&b, "places");
	(void)buf_u8(&b, '[');
	for (size_t i = 0; i < f->n_places; i++) {
		const struct policy_document *d = papers_document(f->type, f->places[i].document);
		(void)json_next(&b);
		(void)buf_u8(&b, '{');
		(void)json_key(&b, "document");
		(void)json_string(&b, d->id);
		(void)json_key(&b, "revision");
		(void)json_string(&b, d->revision);
		if (f->places[i].row.n) {
			(void)json_key(&b, "row");
			(void)json_string(&b, f->places[i].row);
		}
		(void)buf_u8(&b, '}');
	}
	(void)buf_u8(&b, ']');
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf t = buf_over(text, sizeof(text));
		(void)lint_say(f, texts[i].which, texts[i].language, &t);
		(void)json_key(&b, texts[i].name);
		(void)json_string(&b, buf_span(&t));
	}
	(void)buf_str(&b, "}\n");
	out_put(&s->out, buf_span(&b));
}

static void put_row(struct show *s, const struct lint_finding *f)
{
	static const enum table_color colors[] = { TABLE_PLAIN, TABLE_YELLOW, TABLE_RED };
	uint8_t at[512], said[2 * LINT_TEXT];
	struct buf a = buf_over(at, sizeof(at)), t = buf_over(said, sizeof(said));
	inquiry_places(f, s->language, &a);
	(void)lint_say(f, LINT_WHAT, s->language, &t);
	(void)buf_str(&t, s->language == RULE_JA ? "。" : ". ");
	(void)lint_say(f, LINT_ASK, s->language, &t);
	const struct table_cell cells[] = {
		{ span_str(lint_grade_word(f->grade, s->language)), colors[f->grade] }, { f->type->id, TABLE_PLAIN },
		{ span_str(lint_id(f->rule)), TABLE_PLAIN }, { buf_span(&a), TABLE_PLAIN }, { buf_span(&t), TABLE_PLAIN },
	};
	(void)table_row(s->table, cells);
}

static bool take(void *arg, const struct lint_finding *f)
{
	struct show *s = arg;
	s->by_grade[f->grade]++;
	if (s->table)
		put_row(s, f);
	else
		put_json(s, f);
	return out_stopped(&s->out);
}

static int read_all(char **paths, int n, struct policy_model *m)
{
	struct conf_report rep = { 0 };
	int err = papers_read((const char *const *)paths, (size_t)n, m, &rep);
	conf_say(&rep);
	if (!err)
		return ERR_EXIT_OK;
	if (!rep.total)
		log_say("spanward: %s", err_text(err));
	int code = (int)err_exit_code(err);
	return code == ERR_EXIT_PERMISSION || err == -ENOMEM ? code : ERR_EXIT_CONFIG;
}

struct asked { struct printed p; int fail_on; uint64_t today_ns; };

static int judge(const struct asked *a, char **paths, int n)
{
	static const struct table_column columns[2][5] = {
		{ { "GRADE", 0 }, { "TYPE", 0 }, { "FINDING", 0 }, { "DOCUMENT", 0 }, { "WHAT, AND WHAT TO ASK", 0 } },
		{ { "区分", 0 }, { "機器種別", 0 }, { "項目", 0 }, { "資料・該当箇所", 0 }, { "内容と照会事項",
			0 } },
	};
	struct policy_model m = { 0 };
	struct show s = { .language = a->p.language };
	char why[256] = "";
	int code = read_all(paths, n, &m);
	if (code) {
		policy_load_free(&m);
		return code;
	}
	int err = out_open(&s.out, a->p.output, why);
	if (err) {
		log_say("spanward: %s", why);
		policy_load_free(&m);
		return err == -EACCES ? ERR_EXIT_PERMISSION : ERR_EXIT_FAILURE;
	}
	bool terminal = !a->p.output && out_is_terminal(&s.out);
	if (a->p.form >= 0 ? a->p.form == 0 : terminal)
		s.table = table_new(&s.out, columns[a->p.language == RULE_JA], 5, table_wants_color(a->p.color, terminal),
				    terminal ? table_terminal_width(STDOUT_FILENO) : 0);
	for (size_t i = 0; i < m.types.n && !out_stopped(&s.out); i++)
		(void)lint_type(&m.types.v[i], a->today_ns, take, &s);
	if (s.table)
		table_end(s.table);
	table_free(s.table);
	bool closed = s.out.closed;
	if (out_close(&s.out, true, why) && !closed) {
		log_say("spanward: %s", why);
		code = ERR_EXIT_FAILURE;
	}
	if (!a->p.quiet && !closed)
		log_say(a->p.language == RULE_JA ? "機器種別%zu：矛盾%zu、記載不足%zu、確認%zu"
					       : "device types %zu: contradictions %zu, gaps %zu, questions %zu",
			m.types.n, s.by_grade[LINT_CONTRADICTION], s.by_grade[LINT_GAP], s.by_grade[LINT_QUESTION]);
	for (int g = a->fail_on; !code && g >= 0 && g <= LINT_CONTRADICTION; g++)
		if (s.by_grade[g])
			code = ERR_EXIT_FOUND;
	policy_load_free(&m);
	return code;
}

static int take_own(void *arg, int opt)
{
	struct asked *a = arg;
	if (opt == OPT_DATE)
		return clock_parse(span_str(optarg), &a->today_ns) ? cmd_usage(&this, "--date: expected a day, as in 2026-12-01") : 0;
	a->fail_on = cmd_choice(&this, "--fail-on", optarg, lint_grades);
	return a->fail_on < 0 ? ERR_EXIT_USAGE : 0;
}

int cmd_profile_lint(int argc, char **argv)
{
	static const struct option options[] = {
		PRINTED_OPTIONS, PRINTED_LANGUAGE, PRINTED_COLORS, { "date", required_argument, NULL, OPT_DATE },
		{ "fail-on", required_argument, NULL, OPT_FAIL_ON }, { 0 },
	};
	static const char *const forms[] = { "table", "jsonl", NULL };
	struct asked a = { .fail_on = -1, .today_ns = clock_now_ns() };
	int code = printed_take(&this, argc, argv, options, forms, &a.p, take_own, &a);
	if (code >= 0)
		return code;
	if (optind == argc)
		return cmd_usage(&this, "which FILE or DIR?");
	return judge(&a, argv + optind, argc - optind);
}
