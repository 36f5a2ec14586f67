#include "cli/listing.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/json.h"
#include "core/log.h"

int listing_begin(struct listing *l, const char *format, enum rule_language language, const struct listing_column *columns, size_t n)
{
	char why[256];
	if (format && strcmp(format, "table") && strcmp(format, "jsonl"))
		return ERR_EXIT_USAGE;
	*l = (struct listing){ .columns = columns, .n = n };
	(void)out_open(&l->out, NULL, why);
	bool terminal = out_is_terminal(&l->out);
	if (format ? strcmp(format, "table") : !terminal)
		return 0;
	for (size_t i = 0; i < n && l->n_shown < TABLE_MAX_COLUMNS; i++)
		if (columns[i].title) {
			l->heads[l->n_shown].title = language == RULE_JA ? columns[i].title_ja : columns[i].title;
			l->shown[l->n_shown++] = i;
		}
	l->table = table_new(&l->out, l->heads, l->n_shown, false, terminal ? table_terminal_width(STDOUT_FILENO) : 0);
	if (!l->table)
		l->err = -ENOMEM;
	return 0;
}

void listing_row(struct listing *l, const struct span *values)
{
	if (l->table) {
		struct table_cell cells[TABLE_MAX_COLUMNS] = { { { 0 }, TABLE_PLAIN } };
		for (size_t i = 0; i < l->n_shown; i++)
			cells[i].text = values[l->shown[i]];
		l->err = l->err ? l->err : table_row(l->table, cells);
		return;
	}
	static uint8_t mem[64 << 10];
	struct buf b = buf_over(mem, sizeof(mem));
	(void)buf_u8(&b, '{');
	for (size_t i = 0; i < l->n; i++)
		if (values[i].n) {
			(void)json_key(&b, l->columns[i].key);
			(void)json_string(&b, values[i]);
		}
	(void)buf_str(&b, "}\n");
	if (b.full)
		l->err = -ENOBUFS;
	else
		out_put(&l->out, buf_span(&b));
}

int listing_end(struct listing *l)
{
	char why[256] = "";
	if (l->table)
		table_end(l->table);
	table_free(l->table);
	bool closed = l->out.closed;
	int err = out_close(&l->out, true, why);
	if (err && !closed)
		log_say("spanward: %s", why);
	if (l->err)
		log_say("spanward: %s", err_text(l->err));
	return (err && !closed) || l->err ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
}
