/* table.h -- aligned columns for a terminal, aware of wide (Japanese) characters.
 *
 * Widths come from the first rows; later ones keep to them and a longer cell pushes its neighbours, so that any
 * number of rows needs bounded memory. Cells are escaped: nothing in them moves the cursor. A row that is wider than the terminal
 * goes on under itself; a cell is cut, with a mark, only where it is wider than the terminal alone.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/out.h"
#include "core/cursor.h"

enum { TABLE_MAX_COLUMNS = 12, TABLE_HELD_ROWS = 400 };

enum table_color { TABLE_PLAIN, TABLE_BOLD, TABLE_RED, TABLE_YELLOW, TABLE_GREEN, TABLE_DIM };

struct table_column { const char *title; bool right; };
struct table_cell { struct span text; enum table_color color; };

struct table;

/* `columns` is kept. `width`: columns of the terminal that rows are wrapped to, 0 for no limit. */
struct table *table_new(struct out *out, const struct table_column *columns, size_t n, bool color, unsigned width);
/* `cells`: as many as columns; copied. 0 or -ENOMEM. */
int table_row(struct table *t, const struct table_cell *cells);
/* Prints what is held. A table without a row prints nothing, not even its head. */
void table_end(struct table *t);
void table_free(struct table *t);       /* NULL is fine */

/* Columns that a text takes on a terminal, after escaping. */
size_t table_width(struct span text);
/* Columns of the terminal on `fd`, 0 when it is none. */
unsigned table_terminal_width(int fd);
/* --color auto|always|never, NO_COLOR (no-color.org) and TERM=dumb. */
bool table_wants_color(const char *option, bool terminal);

#endif
