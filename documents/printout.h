/* printout.h -- tables that people fill in, print or open in a spreadsheet: Markdown, CSV for Excel, HTML.
 *
 * CSV begins with a byte order mark (Excel reads it as UTF-8 then) and has the rows of one table; what begins like a formula
 * gets a ' in front. HTML is one file without references, to print. All three: control characters become \xNN.
 */
#ifndef DOCUMENTS_PRINTOUT_H
#define DOCUMENTS_PRINTOUT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/cursor.h"

enum printout_format { PRINTOUT_MARKDOWN, PRINTOUT_CSV, PRINTOUT_HTML };

struct printout {
	FILE *to;
	enum printout_format format;
	bool in_table;
};

/* `language`: "en" or "ja", for HTML. */
void printout_begin(struct printout *s, FILE *to, enum printout_format format, const char *language, const char *title);
/* Headings and lines are for readers: CSV has none. Level 2 or 3. */
void printout_heading(struct printout *s, unsigned level, struct span text);
void printout_line(struct printout *s, const char *label, struct span text);
void printout_table(struct printout *s, const char *const *heads, size_t n);
void printout_row(struct printout *s, const struct span *cells, size_t n);
void printout_table_end(struct printout *s);
/* 0 or -EIO. */
int printout_end(struct printout *s);

#endif
