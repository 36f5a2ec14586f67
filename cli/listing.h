/* listing.h -- short lists of a command's own: a table for people, JSON Lines for programs; every value is a text.
 *
 * Rows of events, alerts and assets are cli/writer.h's; this is for what stands in no vocabulary (units, windows, changes).
 */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include "cli/table.h"
#include "rules/rule.h"

struct listing_column {
	const char *key;                /* in JSON; a value "" is left out there */
	const char *title, *title_ja;   /* in the table; NULL: not shown */
};

struct listing {
	struct out out;
	struct table *table;            /* NULL: JSON Lines */
	const struct listing_column *columns;
	size_t n;
	struct table_column heads[TABLE_MAX_COLUMNS];
	size_t shown[TABLE_MAX_COLUMNS], n_shown;
	int err;
};

/* "table" or "jsonl"; NULL: by whether standard output is a terminal. 0, or ERR_EXIT_USAGE when `format` is neither. */
int listing_begin(struct listing *l, const char *format, enum rule_language language, const struct listing_column *columns, size_t n);
/* As many values as columns; empty ones are fine. */
void listing_row(struct listing *l, const struct span *values);
/* The exit code. */
int listing_end(struct listing *l);

#endif
