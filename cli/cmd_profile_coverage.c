/* spanward profile coverage: how far documents and traffic explain each other. */
#include <errno.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/page.h"
#include "cli/printed.h"
#include "cli/watched.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "documents/coverage.h"
#include "documents/matrix_text.h"
#include "documents/printout.h"
#include "sensor/source.h"

static const char help[] =
"usage: spanward profile coverage -p DIR [OPTION...] CAPTURE|FLOWS...\n"
"\n"
"Adds the communication matrix up: per row of each device type in how many lines (a unit and a port each) it was seen,\n"
"seen differently, not seen or not observable; per device type and per place the share of flows and bytes that the\n"
"documents explain.\n"
"\n"
"  -p, --policy DIR      device types, inventory and site\n"
"      --format FORMAT   markdown (default on a terminal), jsonl (default on a pipe), csv (for Excel), html (to print)\n"
"      --lang en|ja      language of headings (default: by the locale); JSON is in English\n"
"  -o, --output FILE     write there; the file appears when it is whole\n"
"  -q, --quiet           no progress on standard error\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 policy wrong, 4 a capture is unreadable or cut short (what was read before is\n"
"counted), 5 permission.\n"
"\n"
"Example: spanward profile coverage -p policy/ monday.pcapng tuesday.pcapng\n";

static const struct cmd this = { "profile coverage", "", help, NULL };

enum { COLUMNS = 17 };
enum form { FORM_MARKDOWN, FORM_CSV, FORM_HTML, FORM_JSONL };

static const char *const heads[2][COLUMNS] = {
	{ "of", "device type", "name", "document", "row", "units", "units seen", "as declared", "seen differently", "not declared",
		"cannot say",
	  "not seen", "off", "not observable", "flows", "flows explained", "bytes explained" },
	{ "区分", "機器種別", "名称", "資料", "該当箇所", "機器数", "観測した機器数", "開示資料どおり",
		"開示資料と相違", "開示資料に記載なし",
	  "判定不能", "観測期間内に通信なし", "無効", "観測不能", "通信数", "通信の説明率",
	"バイト数の説明率" },
};
static const char *const kinds_ja[COVERAGE_KINDS] = { "行", "機器種別", "設置場所", "全体" };

static struct span put(struct buf *b, uint64_t v)
{
	size_t from = b->len;
	(void)buf_printf(b, "%llu", (unsigned long long)v);
	return (struct span){ b->data + from, b->len - from };
}

static struct span put_share(struct buf *b, uint64_t part, uint64_t whole)
{
	size_t from = b->len;
	int share = coverage_share(part, whole);
	if (share >= 0)
		(void)buf_printf(b, "%d.%d %%", share / 10, share % 10);
	return (struct span){ b->data + from, b->len - from };
}

static int print(const struct matrix *x, const struct coverage *c, enum printout_format format, bool ja, FILE *to)
{
	struct printout p;
	printout_begin(&p, to, format, ja ? "ja" : "en", ja ? "開示資料と観測の網羅状況" : "Coverage");
	printout_table(&p, heads[ja], COLUMNS);
	for (size_t i = 0; i < c->n; i++) {
		const struct coverage_line *l = &c->v[i];
		uint8_t mem[512];
		struct buf b = buf_over(mem, sizeof(mem));
		struct policy_cite cite = { .authority = EVENT_AUTH_SENSOR };
		bool row = l->kind == COVERAGE_ROW;
		if (l->cite != POLICY_NONE)
			policy_cite(matrix_policy(x), l->cite, &cite);
		const uint64_t *n = l->lines;
		const struct span cells[COLUMNS] = {
			span_str(ja ? kinds_ja[l->kind] : coverage_kinds[l->kind]), l->type, l->name, cite.document, cite.row, put(&b,
				l->units),
			put(&b, l->units_seen), put(&b, n[MATRIX_SEEN]), put(&b, n[MATRIX_DIFFERENT] + n[MATRIX_DISABLED_USED]),
			put(&b, n[MATRIX_UNDECLARED] + n[MATRIX_FORBIDDEN]), put(&b, n[MATRIX_CANNOT_SAY]), put(&b, n[MATRIX_NOT_SEEN]),
			put(&b, n[MATRIX_OFF]), put(&b, n[MATRIX_NOT_OBSERVABLE]), put(&b, l->flows), put_share(&b, l->explained,
				l->flows),
			row ? span_str("") : put_share(&b, l->explained_bytes, l->bytes),
		};
		printout_row(&p, cells, COLUMNS);
	}
	return printout_end(&p);
}

static int print_json(const struct matrix *x, const struct coverage *c, FILE *to)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct coverage_line *l = &c->v[i];
		uint8_t mem[4096];
		struct buf b = buf_over(mem, sizeof(mem));
		struct policy_cite cite = { .authority = EVENT_AUTH_SENSOR };
		if (l->cite != POLICY_NONE)
			policy_cite(matrix_policy(x), l->cite, &cite);
		const struct { const char *key; struct span text; } texts[] = {
			{ "of", span_str(coverage_kinds[l->kind]) }, { "type", l->type }, { "name", l->name }, { "document",
				cite.document },
			{ "revision", cite.revision }, { "row", cite.row },
		};
		const struct { const char *key; uint64_t v; } numbers[] = {
			{ "units", l->units }, { "units_seen", l->units_seen }, { "flows", l->flows }, { "explained", l->explained },
			{ "bytes", l->bytes }, { "explained_bytes", l->explained_bytes },
		};
		(void)buf_u8(&b, '{');
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
			if (!texts[k].text.n)
				continue;
			(void)json_key(&b, texts[k].key);
			(void)json_string(&b, texts[k].text);
		}
		for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]) - (l->kind == COVERAGE_ROW); k++) {
			(void)json_key(&b, numbers[k].key);
			(void)json_uint(&b, numbers[k].v);
		}
		for (unsigned s = 0; s < MATRIX_STATES; s++) {
			if (!l->lines[s])
				continue;
			(void)json_key(&b, matrix_text_state_id((enum matrix_state)s));
			(void)json_uint(&b, l->lines[s]);
		}
		(void)buf_str(&b, "}\n");
		(void)fwrite(mem, 1, b.len, to);
	}
	return ferror(to) ? -EIO : 0;
}

int cmd_profile_coverage(int argc, char **argv)
{
	static const struct option options[] = { PRINTED_OPTIONS, PRINTED_POLICY, PRINTED_LANGUAGE, { 0 } };
	static const char *const forms[] = { "markdown", "csv", "html", "jsonl", NULL };
	struct printed a;
	int code = printed_take(&this, argc, argv, options, forms, &a, NULL, NULL), form = a.form;
	if (code >= 0)
		return code;
	if (!a.policy)
		return cmd_usage(&this, "which policy? (-p DIR)");
	if (optind == argc)
		return cmd_usage(&this, "which CAPTURE?");
	if (argc - optind > SOURCE_MAX_FILES)
		return cmd_usage(&this, "too many captures at a time");
	if (form < 0)
		form = !a.output && isatty(STDOUT_FILENO) ? FORM_MARKDOWN : FORM_JSONL;
	struct watched w;
	struct coverage c = { 0 };
	code = watched_read(&w, a.policy, (const char *const *)&argv[optind], (size_t)(argc - optind), a.quiet);
	if (w.matrix && (!code || code == ERR_EXIT_INPUT)) {
		struct page page;
		page_begin(&page);
		int err = page.to ? coverage_make(w.matrix, &c) : -ENOMEM;
		if (!err)
			err = form == FORM_JSONL ? print_json(w.matrix, &c, page.to)
			      : print(w.matrix, &c, form == FORM_CSV ? PRINTOUT_CSV : form == FORM_HTML ? PRINTOUT_HTML
				: PRINTOUT_MARKDOWN,
				      a.language == RULE_JA, page.to);
		int printed = page_end(&page, a.output, err);
		code = printed ? printed : code;
	}
	coverage_free(&c);
	watched_end(&w);
	return code;
}
