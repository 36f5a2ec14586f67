/* spanward profile what-if: a proposed policy against what was recorded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/page.h"
#include "cli/printed.h"
#include "cli/table.h"
#include "cli/watched.h"
#include "cli/writer.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "documents/printout.h"
#include "rules/policy_table.h"
#include "sensor/source.h"

static const char help[] =
"usage: spanward profile what-if -p DIR --with DIR [OPTION...] CAPTURE|FLOWS...\n"
"\n"
"Judges recorded traffic by two policies and prints what would be judged otherwise: per unit, port, direction and peer\n"
"the verdict as it is and as it would be, how often, and what would be cited. FLOWS are summaries that were kept:\n"
"spanward replay --show flows --format jsonl CAPTURE >monday.flows.jsonl\n"
"\n"
"  -p, --policy DIR      the policy in force\n"
"      --with DIR        the proposed one\n"
"      --format FORMAT   table (default on a terminal), jsonl (default on a pipe), csv, html, markdown\n"
"      --lang en|ja      language of headings and words (default: by the locale); JSON is in English\n"
"      --fail-on VERDICT exit 10 if a flow would newly be undeclared, disabled_but_used, seen_differently, forbidden or\n"
"                        unknown_device; any: one of these\n"
"  -o, --output FILE     write there; the file appears when it is whole\n"
"  -q, --quiet           no summary and no progress on standard error\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 a policy is wrong, 4 a file is unreadable or cut short (what was read before is\n"
"compared), 5 permission, 10 --fail-on.\n"
"\n"
"Example: spanward profile what-if -p policy/ --with proposed/ monday.pcapng tuesday.flows.jsonl\n";

static const struct cmd this = { "profile what-if", "", help, NULL };

enum { OPT_WITH = PRINTED_OWN, OPT_FAIL_ON, COLUMNS = 13, CELL_BYTES = 4096 };
enum form { FORM_TABLE, FORM_JSONL, FORM_CSV, FORM_HTML, FORM_MARKDOWN };

struct asked { const char *with; int fail_on; };

static const char *const heads[2][COLUMNS] = {
	{ "unit", "device type", "direction", "transport", "port", "peer", "now", "proposed", "document", "row", "flows", "first (UTC)",
	  "last (UTC)" },
	{ "機器", "機器種別", "方向", "トランスポート", "ポート", "相手", "現行", "変更後", "資料",
		"該当箇所", "通信数", "初回 (UTC)", "最終 (UTC)" },
};
static const char *const fails[] = { "undeclared", "disabled_but_used", "seen_differently", "forbidden", "unknown_device", "any",
	NULL };

static const char *verdict_id(uint8_t v)
{
	return v == WHATIF_UNJUDGED ? "unjudged" : vocab_word(&event_vocab, EVENT_F_verdict, v);
}

static struct span put_verdict(struct buf *b, uint8_t v, uint8_t what, enum rule_language language)
{
	size_t from = b->len;
	bool ja = language == RULE_JA;
	(void)buf_str(b, v == WHATIF_UNJUDGED ? ja ? "判定対象外" : "not judged" : rule_verdict_word((enum event_verdict)v,
		language));
	if (what)
		(void)buf_printf(b, ja ? "（%s）" : " (%s)", rule_what_word((enum event_what)what, language));
	return (struct span){ b->data + from, b->len - from };
}

static struct span put_address(struct buf *b, const struct addr *a)
{
	char text[ADDR_STRLEN];
	size_t from = b->len;
	(void)buf_str(b, addr_str(a, text));
	return (struct span){ b->data + from, b->len - from };
}

static struct span put_number(struct buf *b, uint64_t v)
{
	size_t from = b->len;
	(void)buf_printf(b, "%llu", (unsigned long long)v);
	return (struct span){ b->data + from, b->len - from };
}

static struct span put_time(struct buf *b, uint64_t at_ns)
{
	char text[CLOCK_STRLEN];
	size_t from = b->len;
	(void)clock_str(at_ns, text);
	text[10] = ' ';
	(void)buf_put(b, text, 19);
	return (struct span){ b->data + from, b->len - from };
}

/* What the proposal would cite; where it says nothing, what is cited now. */
static void cite_of(const struct watched *w, const struct whatif_line *l, struct policy_cite *ret)
{
	*ret = (struct policy_cite){ .authority = EVENT_AUTH_SENSOR };
	if (l->will_cite != POLICY_NONE)
		policy_cite(w->proposed, l->will_cite, ret);
	else if (l->was_cite != POLICY_NONE)
		policy_cite(matrix_policy(w->matrix), l->was_cite, ret);
}

static const char *const transports[] = { "tcp", "udp", "icmp", "other" };

static void cells_of(const struct watched *w, const struct whatif_line *l, enum rule_language language, struct buf *b,
		     struct span ret[static COLUMNS])
{
	static const char *const sides[2][2] = { { "out", "in" }, { "発信", "着信" } };
	struct policy_cite c;
	cite_of(w, l, &c);
	const struct span cells[COLUMNS] = {
		l->unit.n ? l->unit : put_address(b, &l->own), l->type, span_str(sides[language == RULE_JA][l->side & 1]),
		span_str(transports[l->transport & 3]), l->transport == OBSERVATION_ICMP ? span_str("") : put_number(b, l->port),
		put_address(b, &l->peer), put_verdict(b, l->was, l->was_what, language), put_verdict(b, l->will, l->will_what,
			language),
		c.document, c.row, put_number(b, l->flows), put_time(b, l->first_ns), put_time(b, l->last_ns),
	};
	for (size_t i = 0; i < COLUMNS; i++)
		ret[i] = cells[i];
}

static int print_page(const struct printed *a, const struct watched *w, enum printout_format format, FILE *to)
{
	bool ja = a->language == RULE_JA;
	struct printout p;
	printout_begin(&p, to, format, ja ? "ja" : "en", ja ? "ポリシー変更の影響" : "What would be judged otherwise");
	printout_table(&p, heads[ja], COLUMNS);
	for (size_t i = 0; i < whatif_count(w->whatif); i++) {
		uint8_t mem[CELL_BYTES];
		struct buf b = buf_over(mem, sizeof(mem));
		struct span cells[COLUMNS];
		cells_of(w, whatif_at(w->whatif, i), a->language, &b, cells);
		printout_row(&p, cells, COLUMNS);
	}
	return printout_end(&p);
}

static int print_json(const struct watched *w, FILE *to)
{
	for (size_t i = 0; i < whatif_count(w->whatif); i++) {
		const struct whatif_line *l = whatif_at(w->whatif, i);
		uint8_t mem[CELL_BYTES], texts[CELL_BYTES];
		char first[CLOCK_STRLEN], last[CLOCK_STRLEN];
		struct buf b = buf_over(mem, sizeof(mem)), t = buf_over(texts, sizeof(texts));
		struct policy_cite c;
		cite_of(w, l, &c);
		const struct { const char *key; struct span text; } said[] = {
			{ "unit", l->unit.n ? l->unit : put_address(&t, &l->own) }, { "type", l->type },
			{ "direction", span_str(l->side == POLICY_SIDE_IN ? "in" : "out") }, { "transport",
				span_str(transports[l->transport & 3]) },
			{ "peer", put_address(&t, &l->peer) }, { "was", span_str(verdict_id(l->was)) },
			{ "was_what", span_str(l->was_what ? vocab_word(&event_vocab, EVENT_F_what, l->was_what) : "") },
			{ "will", span_str(verdict_id(l->will)) },
			{ "will_what", span_str(l->will_what ? vocab_word(&event_vocab, EVENT_F_what, l->will_what) : "") },
			{ "document", c.document }, { "revision", c.revision }, { "row", c.row }, { "first",
				span_str(clock_str(l->first_ns, first)) },
			{ "last", span_str(clock_str(l->last_ns, last)) },
		};
		const struct { const char *key; uint64_t v; } numbers[] = { { "port", l->port }, { "flows", l->flows }, {
			"bytes", l->bytes } };
		(void)buf_u8(&b, '{');
		for (size_t k = 0; k < sizeof(said) / sizeof(said[0]); k++) {
			if (!said[k].text.n)
				continue;
			(void)json_key(&b, said[k].key);
			(void)json_string(&b, said[k].text);
		}
		for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
			(void)json_key(&b, numbers[k].key);
			(void)json_uint(&b, numbers[k].v);
		}
		(void)buf_str(&b, "}\n");
		(void)fwrite(mem, 1, b.len, to);
	}
	return ferror(to) ? -EIO : 0;
}

static int print_table(const struct printed *a, const struct watched *w)
{
	static const unsigned shown[] = { 0, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	enum { SHOWN = sizeof(shown) / sizeof(shown[0]) };
	struct table_column columns[SHOWN];
	struct out out;
	char why[256] = "";
	int err = out_open(&out, a->output, why);
	if (err) {
		log_say("spanward: %s", why);
		return err == -EACCES ? ERR_EXIT_PERMISSION : ERR_EXIT_FAILURE;
	}
	bool terminal = !a->output && out_is_terminal(&out);
	for (size_t i = 0; i < SHOWN; i++)
		columns[i] = (struct table_column){ heads[a->language == RULE_JA][shown[i]], shown[i] == 10 };
	struct table *t = table_new(&out, columns, SHOWN, table_wants_color("auto", terminal), terminal
		? table_terminal_width(STDOUT_FILENO) : 0);
	for (size_t i = 0; t && i < whatif_count(w->whatif) && !out_stopped(&out); i++) {
		uint8_t mem[CELL_BYTES];
		struct buf b = buf_over(mem, sizeof(mem));
		struct span c[COLUMNS];
		struct table_cell cells[SHOWN];
		cells_of(w, whatif_at(w->whatif, i), a->language, &b, c);
		for (size_t k = 0; k < SHOWN; k++)
			cells[k] = (struct table_cell){ c[shown[k]], TABLE_PLAIN };
		(void)table_row(t, cells);
	}
	if (t)
		table_end(t);
	table_free(t);
	bool closed = out.closed;
	if (out_close(&out, t != NULL, why) && !closed)
		log_say("spanward: %s", why);
	return t && (!out.err || closed) ? ERR_EXIT_OK : ERR_EXIT_FAILURE;
}

static int print(const struct printed *a, const struct watched *w)
{
	static const enum printout_format formats[] = {
		[FORM_CSV] = PRINTOUT_CSV, [FORM_HTML] = PRINTOUT_HTML, [FORM_MARKDOWN] = PRINTOUT_MARKDOWN,
	};
	int form = a->form >= 0 ? a->form : !a->output && isatty(STDOUT_FILENO) ? FORM_TABLE : FORM_JSONL;
	struct page page;
	if (form == FORM_TABLE)
		return print_table(a, w);
	page_begin(&page);
	return page_end(&page, a->output, !page.to ? -ENOMEM : form == FORM_JSONL ? print_json(w, page.to) : print_page(a, w,
		formats[form], page.to));
}

static void summary(const struct watched *w, enum rule_language language)
{
	uint64_t same = 0, changed = 0;
	for (unsigned v = 0; v < EVENT_VERDICTS; v++)
		same += whatif_same(w->whatif, (enum event_verdict)v);
	for (size_t i = 0; i < whatif_count(w->whatif); i++)
		changed += whatif_at(w->whatif, i)->flows;
	if (language == RULE_JA) {
		log_say("通信%llu。判定した側のうち、変わらないもの%llu（開示資料どおり%llu）、"
				"変わるもの%llu", w->flows,
			(unsigned long long)same, (unsigned long long)whatif_same(w->whatif, EVENT_DECLARED),
			(unsigned long long)(changed + whatif_lost(w->whatif)));
		if (whatif_lost(w->whatif))
			log_say("うち%lluは行になっていません（%d行が上限）",
				(unsigned long long)whatif_lost(w->whatif), WHATIF_MAX_LINES);
		return;
	}
	log_say("%llu flows; of their judged ends %llu stay as they are (%llu as declared), %llu change", w->flows,
		(unsigned long long)same,
		(unsigned long long)whatif_same(w->whatif, EVENT_DECLARED), (unsigned long long)(changed + whatif_lost(w->whatif)));
	if (whatif_lost(w->whatif))
		log_say("%llu of these have no line: more than %d lines", (unsigned long long)whatif_lost(w->whatif), WHATIF_MAX_LINES);
}

static bool is_found(const struct watched *w, int fail_on)
{
	for (size_t i = 0; fail_on >= 0 && i < whatif_count(w->whatif); i++) {
		const char *now = verdict_id(whatif_at(w->whatif, i)->will);
		bool any = !strcmp(fails[fail_on], "any");
		for (size_t k = 0; fails[k]; k++)
			if (!strcmp(now, fails[k]) && (any || (int)k == fail_on))
				return true;
	}
	return false;
}

static int take_own(void *arg, int opt)
{
	struct asked *a = arg;
	if (opt == OPT_WITH) {
		a->with = optarg;
		return 0;
	}
	a->fail_on = cmd_choice(&this, "--fail-on", optarg, fails);
	return a->fail_on < 0 ? ERR_EXIT_USAGE : 0;
}

int cmd_profile_what_if(int argc, char **argv)
{
	static const struct option options[] = {
		PRINTED_OPTIONS, PRINTED_POLICY, PRINTED_LANGUAGE, { "with", required_argument, NULL, OPT_WITH },
		{ "fail-on", required_argument, NULL, OPT_FAIL_ON }, { 0 },
	};
	static const char *const forms[] = { "table", "jsonl", "csv", "html", "markdown", NULL };
	struct asked own = { .fail_on = -1 };
	struct printed a;
	int code = printed_take(&this, argc, argv, options, forms, &a, take_own, &own);
	if (code >= 0)
		return code;
	if (!a.policy || !own.with)
		return cmd_usage(&this, "which policy (-p DIR), and which instead (--with DIR)?");
	if (optind == argc || argc - optind > SOURCE_MAX_FILES)
		return cmd_usage(&this, optind == argc ? "which CAPTURE or FLOWS?" : "too many files at a time");
	struct watched w;
	code = watched_compare(&w, a.policy, own.with, (const char *const *)&argv[optind], (size_t)(argc - optind), a.quiet);
	if (w.whatif && (!code || code == ERR_EXIT_INPUT)) {
		int printed = print(&a, &w);
		code = printed ? printed : code;
		if (!a.quiet)
			summary(&w, a.language);
		if (!code && is_found(&w, own.fail_on))
			code = ERR_EXIT_FOUND;
	}
	watched_end(&w);
	return code;
}
