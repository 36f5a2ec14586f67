/* spanward profile matrix: declared against seen, per unit, port and direction. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/cmd_profile.h"
#include "cli/out.h"
#include "cli/page.h"
#include "cli/printed.h"
#include "cli/table.h"
#include "cli/watched.h"
#include "core/err.h"
#include "core/log.h"
#include "documents/matrix_text.h"
#include "sensor/source.h"

static const char help[] =
"usage: spanward profile matrix -p DIR [OPTION...] [CAPTURE|FLOWS...]\n"
"\n"
"Prints the communication matrix: what each unit's documents declare, per port and direction, and what the captures\n"
"show of it: seen (how often, first, last, with whom), seen differently, not seen, not observable and why, and what no\n"
"document declares. Without a CAPTURE: what is declared.\n"
"\n"
"  -p, --policy DIR      device types, inventory and site\n"
"      --format FORMAT   table (default on a terminal), jsonl (default on a pipe), csv (for Excel), html (to print),\n"
"                        markdown\n"
"      --lang en|ja      language of headings and words (default: by the locale); JSON is in English\n"
"  -o, --output FILE     write there; the file appears when it is whole\n"
"      --color WHEN      auto, always, never\n"
"  -q, --quiet           no summary and no progress on standard error\n"
"  -h, --help            this text\n"
"\n"
"Exit codes: 0 ok, 1 failure, 2 usage, 3 policy wrong, 4 a capture is unreadable or cut short (what was read before is\n"
"in the matrix), 5 permission.\n"
"\n"
"Example: spanward profile matrix -p policy/ --lang ja --format csv -o matrix.csv monday.pcapng\n";

static const struct cmd this = { "profile matrix", "", help, NULL };

enum { CELL_BYTES = 16 << 10 };
enum form { FORM_TABLE, FORM_JSONL, FORM_CSV, FORM_HTML, FORM_MARKDOWN };

static enum table_color color_of(const struct matrix_line *l)
{
	switch (l->state) {
	case MATRIX_SEEN: return TABLE_GREEN;
	case MATRIX_DIFFERENT: case MATRIX_UNDECLARED: case MATRIX_FORBIDDEN: return TABLE_RED;
	case MATRIX_DISABLED_USED: return TABLE_YELLOW;
	default: return TABLE_PLAIN;
	}
}

static int print_table(const struct printed *a, const struct matrix *x)
{
	static const enum matrix_text_cell shown[] = {
		MATRIX_TEXT_UNIT, MATRIX_TEXT_DIRECTION, MATRIX_TEXT_PORT, MATRIX_TEXT_PROTOCOL, MATRIX_TEXT_PEERS,
			MATRIX_TEXT_DOCUMENT,
		MATRIX_TEXT_ROW, MATRIX_TEXT_STATE, MATRIX_TEXT_FLOWS, MATRIX_TEXT_LAST, MATRIX_TEXT_SEEN_WITH, MATRIX_TEXT_DETAIL,
	};
	enum { SHOWN = sizeof(shown) / sizeof(shown[0]) };
	struct table_column columns[SHOWN];
	struct out out;
	char why[256] = "";
	uint8_t *bytes = malloc(CELL_BYTES);
	int err = bytes ? out_open(&out, a->output, why) : -ENOMEM;
	if (err) {
		free(bytes);
		log_say("spanward: %s", why[0] ? why : err_text(err));
		return err == -EACCES ? ERR_EXIT_PERMISSION : ERR_EXIT_FAILURE;
	}
	bool terminal = !a->output && out_is_terminal(&out);
	for (size_t i = 0; i < SHOWN; i++)
		columns[i] = (struct table_column){ matrix_text_heads[a->language == RULE_JA][shown[i]],
			shown[i] == MATRIX_TEXT_FLOWS };
	struct table *t = table_new(&out, columns, SHOWN, table_wants_color(a->color, terminal),
				    terminal ? table_terminal_width(STDOUT_FILENO) : 0);
	for (size_t i = 0; t && i < matrix_count(x) && !out_stopped(&out); i++) {
		struct buf mem = buf_over(bytes, CELL_BYTES);
		struct span c[MATRIX_TEXT_CELLS];
		struct table_cell cells[SHOWN];
		matrix_text_cells(x, matrix_at(x, i), a->language, &mem, c);
		/* "tcp/104", in one column. */
		char port[64];
		struct span transport = c[MATRIX_TEXT_TRANSPORT], number = c[MATRIX_TEXT_PORT];
		(void)snprintf(port, sizeof(port), "%.*s%s%.*s", (int)(transport.n < 24 ? transport.n : 24), (const char *)transport.p,
			       number.n ? "/" : "", (int)(number.n < 32 ? number.n : 32), (const char *)number.p);
		c[MATRIX_TEXT_PORT] = span_str(port);
		for (size_t k = 0; k < SHOWN; k++)
			cells[k] = (struct table_cell){ c[shown[k]], shown[k] == MATRIX_TEXT_STATE ? color_of(matrix_at(x, i))
				: TABLE_PLAIN };
		(void)table_row(t, cells);
	}
	if (t)
		table_end(t);
	table_free(t);
	free(bytes);
	bool closed = out.closed;
	if (out_close(&out, t != NULL, why) && !closed) {
		log_say("spanward: %s", why);
		return ERR_EXIT_FAILURE;
	}
	return t ? ERR_EXIT_OK : ERR_EXIT_FAILURE;
}

static int print(const struct printed *a, const struct matrix *x)
{
	static const enum printout_format formats[] = {
		[FORM_CSV] = PRINTOUT_CSV, [FORM_HTML] = PRINTOUT_HTML, [FORM_MARKDOWN] = PRINTOUT_MARKDOWN,
	};
	struct page page;
	int form = a->form >= 0 ? a->form : !a->output && isatty(STDOUT_FILENO) ? FORM_TABLE : FORM_JSONL;
	if (form == FORM_TABLE)
		return print_table(a, x);
	page_begin(&page);
	int err = !page.to ? -ENOMEM : form == FORM_JSONL ? matrix_text_json(x, page.to) : matrix_text_print(x, formats[form],
		a->language, page.to);
	return page_end(&page, a->output, err);
}

static void summary(const struct watched *w, enum rule_language language)
{
	size_t n[MATRIX_STATES] = { 0 };
	for (size_t i = 0; i < matrix_count(w->matrix); i++)
		n[matrix_at(w->matrix, i)->state]++;
	if (language == RULE_JA) {
		log_say("パケット%llu、通信%llu。行数：開示資料どおり%zu、"
			"開示資料と相違%zu、無効のはずの機能を使用%zu、"
			"開示資料に記載なし%zu、禁止通信%zu、判定不能%zu、"
			"観測期間内に通信なし%zu、無効（通信なし）%zu、"
			"観測不能%zu、未観測%zu", w->packets, w->flows, n[MATRIX_SEEN],
			n[MATRIX_DIFFERENT], n[MATRIX_DISABLED_USED], n[MATRIX_UNDECLARED], n[MATRIX_FORBIDDEN], n[MATRIX_CANNOT_SAY],
			n[MATRIX_NOT_SEEN], n[MATRIX_OFF], n[MATRIX_NOT_OBSERVABLE], n[MATRIX_UNWATCHED]);
		if (matrix_lost(w->matrix))
			log_say("開示資料に記載のない通信%lluは行になっていません（%d行が上限）",
				(unsigned long long)matrix_lost(w->matrix), MATRIX_MAX_UNDECLARED);
		return;
	}
	log_say("%llu packets, %llu flows; lines: %zu as declared, %zu seen differently, %zu disabled but used, %zu not declared, %zu "
		"forbidden, "
		"%zu cannot say, %zu not seen, %zu off, %zu not observable, %zu not watched", w->packets, w->flows, n[MATRIX_SEEN],
		n[MATRIX_DIFFERENT], n[MATRIX_DISABLED_USED], n[MATRIX_UNDECLARED], n[MATRIX_FORBIDDEN], n[MATRIX_CANNOT_SAY],
		n[MATRIX_NOT_SEEN], n[MATRIX_OFF], n[MATRIX_NOT_OBSERVABLE], n[MATRIX_UNWATCHED]);
	if (matrix_lost(w->matrix))
		log_say("%llu flows that no document declares have no line: more than %d lines",
			(unsigned long long)matrix_lost(w->matrix),
			MATRIX_MAX_UNDECLARED);
}

int cmd_profile_matrix(int argc, char **argv)
{
	static const struct option options[] = { PRINTED_OPTIONS, PRINTED_POLICY, PRINTED_LANGUAGE, PRINTED_COLORS, { 0 } };
	static const char *const forms[] = { "table", "jsonl", "csv", "html", "markdown", NULL };
	struct printed a;
	int code = printed_take(&this, argc, argv, options, forms, &a, NULL, NULL);
	if (code >= 0)
		return code;
	if (!a.policy)
		return cmd_usage(&this, "which policy? (-p DIR)");
	if (argc - optind > SOURCE_MAX_FILES)
		return cmd_usage(&this, "too many captures at a time");
	struct watched w;
	code = watched_read(&w, a.policy, (const char *const *)&argv[optind], (size_t)(argc - optind), a.quiet);
	if (w.matrix && (!code || code == ERR_EXIT_INPUT)) {
		int printed = print(&a, w.matrix);
		code = printed ? printed : code;
		if (!a.quiet)
			summary(&w, a.language);
	}
	watched_end(&w);
	return code;
}
