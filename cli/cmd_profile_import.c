/* spanward profile import: makers' documents into a device type. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/page.h"
#include "cli/table.h"
#include "cli/writer.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "documents/import.h"
#include "documents/papers.h"
#include "documents/words.h"

static const char help[] =
"usage: spanward profile import [OPTION...] FILE...\n"
"\n"
"Makes one device type (long form, YAML) of a maker's documents. What each file is, is told from its content:\n"
"tables of ports as CSV (UTF-8, CP932, UTF-16) or Excel workbook (.xlsx), with English or Japanese headings;\n"
"MDS2 forms (HN 1-2019; HN 1-2013 in part) as workbook, CSV or text.\n"
"A MUD file (RFC 8520) is a device type by itself: give it alone (spanward profile mud says more).\n"
"A DICOM configuration (PS3.15) as LDIF: network AEs, their connections and the peers that they name.\n"
"A table pasted out of a PDF (text) is shown row by row first; --accept takes the rows that were read rightly.\n"
"A hospital's device register (ME機器台帳) becomes an inventory (CSV) instead; rows that give no unit stand in the report.\n"
"\n"
"Every row cites its document and its place in it. What is not understood is kept under extensions. Where it is not said\n"
"who opens a connection the report asks, and the row declares nothing; where it is not said with whom the report asks,\n"
"and any host counts as declared until somebody writes it down.\n"
"\n"
"  -o, --output FILE     write the device type there; the file appears when it is whole\n"
"      --report FILE     everything that was understood, was not, contradicts or is to be asked, as JSON Lines\n"
"      --id NAME         of the device type (default: made of maker and model)\n"
"      --maker NAME, --model NAME\n"
"                        instead of what the documents say\n"
"      --doc-id ID, --revision REV, --date DATE\n"
"                        of the document, instead of what it says\n"
"      --lang en|ja      language of the report on standard error (default: by the locale)\n"
"      --accept LIST|all rows of pasted text to take, by their numbers in the preview: 1,2,5-7\n"
"      --device NAME     the device of a DICOM configuration that holds several (dicomDeviceName)\n"
"      --types FILE|DIR  device types to find those of a register's units among, by model and maker\n"
"  -q, --quiet           no report on standard error\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 4 a file cannot be read or holds nothing known, 5 it may not be read.\n"
"\n"
"Examples\n"
"  spanward profile import -o policy/ct-64.yaml --report report.jsonl mds2.xlsx ports.csv\n"
"  spanward profile import --types policy/ -o policy/inventory.csv register.csv\n";

static const struct cmd this = { "profile import", "", help, NULL };

enum { OPT_REPORT = 256, OPT_ID, OPT_MAKER, OPT_MODEL, OPT_DOC_ID, OPT_REVISION, OPT_DATE, OPT_LANG, OPT_TYPES, OPT_ACCEPT, OPT_DEVICE,
       TEXT_MOST = 16 << 10 };

struct import_options {
	struct draft_options draft;
	const char *output, *report, *types;
	struct port_table_choice choice;
	bool japanese, quiet;
};

/* ---- the report ---- */

static void put_json(const struct draft *d, const struct draft_said *s, FILE *to)
{
	/* Twice the longest cell would not fit a line that anybody reads: texts are cut, with a mark. */
	static char memory[64 << 10], kept[TEXT_MOST + 4];
	char sentence[1024];
	struct buf b = buf_over(memory, sizeof(memory));
	struct span text = span_str(s->text ? s->text : "");
	if (text.n > TEXT_MOST) {
		for (text.n = TEXT_MOST; text.n && (text.p[text.n] & 0xc0) == 0x80;)
			text.n--;
		(void)snprintf(kept, sizeof(kept), "%.*s\xe2\x80\xa6", (int)text.n, s->text);
		text = span_str(kept);
	}
	static const char *const kinds[DRAFT_KINDS] = { "understood", "not_understood", "contradicts", "ask" };
	(void)buf_u8(&b, '{');
	(void)json_key(&b, "kind");
	(void)json_str(&b, kinds[draft_kind(s->what)]);
	(void)json_key(&b, "code");
	(void)json_str(&b, draft_code(s->what));
	(void)json_key(&b, "file");
	(void)json_str(&b, d->sources[s->source].file);
	(void)json_key(&b, "source");
	(void)json_str(&b, d->sources[s->source].id);
	if (s->where[0]) {
		(void)json_key(&b, "where");
		(void)json_str(&b, s->where);
	}
	if (text.n) {
		(void)json_key(&b, "text");
		(void)json_string(&b, text);
	}
	for (int ja = 0; ja < 2; ja++) {
		draft_sentence(s, ja, sentence, sizeof(sentence));
		(void)json_key(&b, ja ? "message_ja" : "message");
		(void)json_str(&b, sentence);
	}
	(void)buf_str(&b, "}\n");
	if (!b.full)
		(void)fwrite(b.data, 1, b.len, to);
}

static int write_report(const struct draft *d, const char *path)
{
	struct page page;
	page_begin(&page);
	for (size_t i = 0; page.to && i < d->n_said; i++)
		put_json(d, &d->said[i], page.to);
	return page_end(&page, path, page.to ? 0 : -ENOMEM);
}

static void show_report(const struct draft *d, bool japanese)
{
	static const struct table_column columns[2][4] = {
		{ { "SAYS", false }, { "FILE", false }, { "WHERE", false }, { "WHAT", false } },
		{ { "区分", false }, { "資料", false }, { "箇所", false }, { "内容", false } },
	};
	static const enum table_color colors[DRAFT_KINDS] = { TABLE_PLAIN, TABLE_YELLOW, TABLE_RED, TABLE_BOLD };
	struct out out = { .to = stderr };
	bool terminal = isatty(STDERR_FILENO) == 1;
	struct table *t = table_new(&out, columns[japanese], 4, table_wants_color("auto", terminal),
				    terminal ? table_terminal_width(STDERR_FILENO) : 0);
	for (size_t i = 0; t && i < d->n_said; i++) {
		const struct draft_said *s = &d->said[i];
		char sentence[1400];
		/* Of hundreds of answers only the count; each stands in --report. */
		if (s->what == DRAFT_SAY_ANSWER)
			continue;
		draft_sentence(s, japanese, sentence, 1024);
		size_t n = strlen(sentence);
		if (s->text && (draft_kind(s->what) == DRAFT_NOT_UNDERSTOOD || s->what == DRAFT_SAY_NO_ADDRESS)) {
			char shown[64];
			(void)snprintf(shown, sizeof(shown), "%.60s", s->text);
			for (size_t k = strlen(shown); strlen(s->text) > 60 && k && ((uint8_t)shown[k - 1] & 0xc0) == 0x80 && k > 57;)
				shown[--k] = 0;
			(void)snprintf(sentence + n, sizeof(sentence) - n, ": %s", shown);
		}
		struct table_cell cells[4] = {
			{ span_str(draft_kind_name(draft_kind(s->what), japanese)), colors[draft_kind(s->what)] },
			{ span_str(d->sources[s->source].file), TABLE_PLAIN }, { span_str(s->where), TABLE_PLAIN },
			{ span_str(sentence), TABLE_PLAIN },
		};
		(void)table_row(t, cells);
	}
	if (t)
		table_end(t);
	table_free(t);
	if (japanese)
		log_say("解釈済 %zu、未解釈 %zu、相違 %zu、照会 %zu", d->counts[DRAFT_UNDERSTOOD],
			d->counts[DRAFT_NOT_UNDERSTOOD],
			d->counts[DRAFT_CONTRADICTS], d->counts[DRAFT_ASK]);
	else
		log_say("understood %zu, not understood %zu, contradicts %zu, ask %zu", d->counts[DRAFT_UNDERSTOOD],
			d->counts[DRAFT_NOT_UNDERSTOOD], d->counts[DRAFT_CONTRADICTS], d->counts[DRAFT_ASK]);
}

/* ---- pasted text ---- */

static bool read_choice(const char *text, struct port_table_choice *ret)
{
	struct words_ports p;
	char memory[WORDS_MAX];
	struct port_table_choice c = { .all = !strcmp(text, "all") };
	if (c.all) {
		*ret = c;
		return true;
	}
	/* Numbers and ranges as in a list of ports. */
	if (!words_read_ports(words_plain(span_str(text), memory), &p) || !p.n || p.rest[0] || p.tcp || p.udp || p.icmp)
		return false;
	for (size_t i = 0; i < p.n; i++)
		for (uint32_t k = p.v[i].lo; k <= p.v[i].hi; k++) {
			if (c.n == sizeof(c.numbers) / sizeof(c.numbers[0]))
				return false;
			c.numbers[c.n++] = k;
		}
	*ret = c;
	return true;
}

/* How each row was read, for a person to compare with the document. */
static int show_preview(const struct draft *d, bool japanese)
{
	static const struct table_column columns[2][4] = {
		{ { "ROW", true }, { "WHERE", false }, { "READ AS", false }, { "PASTED", false } },
		{ { "番号", true }, { "箇所", false }, { "読み取り", false }, { "貼り付けた行", false } },
	};
	struct out out;
	char why[256];
	bool terminal = isatty(STDOUT_FILENO) == 1;
	int err = out_open(&out, NULL, why);
	struct table *t = err ? NULL : table_new(&out, columns[japanese], 4, table_wants_color("auto", terminal),
						 terminal ? table_terminal_width(STDOUT_FILENO) : 0);
	for (size_t i = 0; t && i < d->n_preview; i++) {
		const struct draft_preview *p = &d->preview[i];
		struct draft_said said = { .what = p->why, .args = { NULL, NULL } };
		char number[16], sentence[1024];
		(void)snprintf(number, sizeof(number), "%u", (unsigned)p->number);
		draft_sentence(&said, japanese, sentence, sizeof(sentence));
		struct table_cell cells[4] = {
			{ span_str(number), TABLE_BOLD }, { span_str(p->where), TABLE_PLAIN },
			{ span_str(p->as ? p->as : sentence), p->as ? TABLE_PLAIN : TABLE_YELLOW },
			{ span_str(p->printed ? p->printed : ""), TABLE_DIM },
		};
		(void)table_row(t, cells);
	}
	if (t)
		table_end(t);
	table_free(t);
	if (out_close(&out, true, why)) {
		log_say("spanward: %s", why);
		return ERR_EXIT_FAILURE;
	}
	log_say("%s", japanese ? "何も書き出していない。資料と照合し、正しい行を --accept "
		"1,2,5-7（すべてなら --accept all）で採用する"
		       : "nothing was written: compare with the document, then take the right rows with --accept 1,2,5-7 (or all)");
	return ERR_EXIT_OK;
}

/* Rows that were asked for and are not there. */
static bool choice_fits(const struct draft *d, const struct port_table_choice *c)
{
	for (size_t i = 0; d->n_preview && i < c->n; i++)
		if (!c->numbers[i] || c->numbers[i] > d->n_preview) {
			log_say("spanward: --accept: there is no row %u; the preview has %zu", (unsigned)c->numbers[i], d->n_preview);
			return false;
		}
	if (!c->preview && !d->n_preview)
		log_say("spanward: --accept is for text pasted out of a PDF; every row of these files counts");
	return c->preview || d->n_preview;
}

/* ---- the import ---- */

/* The exit code for what stopped it. */
static int failed(int err, const struct conf_report *rep)
{
	conf_say(rep);
	if (!rep->total)
		log_say("spanward: %s", err_text(err));
	int code = (int)err_exit_code(err);
	return code == ERR_EXIT_PERMISSION || err == -ENOMEM ? code : ERR_EXIT_INPUT;
}

static int write_type(const struct draft *d, const char *output)
{
	struct page page;
	page_begin(&page);
	int err = page.to ? 0 : -ENOMEM;
	if (!err && d->inventory)
		err = fwrite(d->inventory, 1, d->inventory_n, page.to) == d->inventory_n ? 0 : -EIO;
	else if (!err)
		err = draft_write(d, page.to);
	return page_end(&page, output, err);
}

static int read_and_write(const struct import_options *o, char **paths, int n)
{
	static struct draft d;
	struct conf_report rep = { 0 };
	int err = draft_new(&d, &o->draft) ? 0 : -ENOMEM;
	for (int i = 0; i < n && !err; i++)
		err = import_file(&d, paths[i], &o->choice, &rep);
	if (!err && (!choice_fits(&d, &o->choice) || (d.n_preview && o->choice.preview))) {
		int code = o->choice.preview ? show_preview(&d, o->japanese) : ERR_EXIT_USAGE;
		draft_free(&d);
		return code;
	}
	if (!err && !d.inventory)
		err = draft_end(&d, &rep);
	if (err) {
		int code = failed(err, &rep);
		draft_free(&d);
		return code;
	}
	int code = write_type(&d, o->output);
	if (!code && o->report)
		code = write_report(&d, o->report);
	if (!code && !o->quiet)
		show_report(&d, o->japanese);
	draft_free(&d);
	return code;
}

static int import(const struct import_options *o, char **paths, int n)
{
	struct policy_model types = { 0 };
	struct conf_report faults = { 0 };
	struct import_options with = *o;
	int err = o->types ? papers_read(&o->types, 1, &types, &faults) : 0, code;
	if (o->types)
		with.draft.types = &types;
	if (err) {
		conf_say(&faults);
		code = (int)err_exit_code(err);
		code = code == ERR_EXIT_PERMISSION || err == -ENOMEM ? code : ERR_EXIT_CONFIG;
	} else {
		code = read_and_write(&with, paths, n);
	}
	policy_load_free(&types);
	return code;
}

int cmd_profile_import(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' }, { "report", required_argument, NULL, OPT_REPORT },
		{ "id", required_argument, NULL, OPT_ID }, { "maker", required_argument, NULL, OPT_MAKER },
		{ "model", required_argument, NULL, OPT_MODEL }, { "doc-id", required_argument, NULL, OPT_DOC_ID },
		{ "revision", required_argument, NULL, OPT_REVISION }, { "date", required_argument, NULL, OPT_DATE },
		{ "lang", required_argument, NULL, OPT_LANG },
		{ "types", required_argument, NULL, OPT_TYPES },
		{ "device", required_argument, NULL, OPT_DEVICE }, { "accept", required_argument, NULL, OPT_ACCEPT }, { "quiet",
			no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' },
			{ 0 },
	};
	static char plain[WORDS_MAX], date[WORDS_DATE];
	enum rule_language language = writer_language();
	struct import_options o = { .choice.preview = true };
	for (int opt; (opt = getopt_long(argc, argv, ":o:qh", options, NULL)) != -1;) {
		switch (opt) {
		case 'h': return cmd_help(&this);
		case 'o': o.output = optarg; break;
		case 'q': o.quiet = true; break;
		case OPT_REPORT: o.report = optarg; break;
		case OPT_ID: o.draft.id = optarg; break;
		case OPT_MAKER: o.draft.maker = optarg; break;
		case OPT_MODEL: o.draft.model = optarg; break;
		case OPT_DOC_ID: o.draft.doc_id = optarg; break;
		case OPT_REVISION: o.draft.revision = optarg; break;
		case OPT_DATE:
			if (!words_date(words_plain(span_str(optarg), plain), date))
				return cmd_usage(&this, "--date: expected a date: 2026-03-20");
			o.draft.date = date;
			break;
		case OPT_DEVICE: o.draft.device = optarg; break;
		case OPT_TYPES: o.types = optarg; break;
		case OPT_ACCEPT:
			if (!read_choice(optarg, &o.choice))
				return cmd_usage(&this, "--accept: expected all, or numbers of rows: 1,2,5-7");
			break;
		case OPT_LANG:
			if (!writer_parse_language(optarg, &language))
				return cmd_usage(&this, "--lang: expected en or ja");
			break;
		default: return cmd_bad_option(&this, opt, argv, options);
		}
	}
	if (optind == argc)
		return cmd_usage(&this, "import takes one FILE or more");
	o.japanese = language == RULE_JA;
	/* A MUD file is a whole device type by itself. */
	if (argc - optind == 1 && cmd_profile_mud_is(argv[optind]))
		return cmd_profile_mud_import(argv[optind], o.output, o.quiet);
	return import(&o, argv + optind, argc - optind);
}
