/* sheet.h -- a workbook in memory: text in cells, whatever file they came from.
 *
 * Read from CSV here, from xlsx in sheet_xlsx.c. Everything is bounded: what a file may hold, what one cell may hold, how
 * many cells there are. A fault names file, sheet and cell the way spreadsheet programs do: "Ports!B7", or "B7" where
 * there is only one sheet. Rows and columns count from 1.
 */
#ifndef DOCUMENTS_SHEET_H
#define DOCUMENTS_SHEET_H

#include "core/conf.h"
#include "core/escape.h"

enum {
	SHEET_MAX_FILE = 32 << 20,      /* bytes of a file */
	SHEET_MAX_CELLS = 400000,       /* that hold something, in all sheets */
	SHEET_MAX_TEXT = 32 << 20,      /* bytes of text in all of them */
	SHEET_MAX_CELL = 100 << 10,     /* bytes: 32,767 characters are Excel's own limit */
	SHEET_MAX_ROWS = 1048576,
	SHEET_MAX_COLUMNS = 16384,
	SHEET_MAX_SHEETS = 64,
	SHEET_NAME = 128,
	SHEET_WHERE = 160,
};

struct sheet_cell {
	uint32_t row, column, sheet;    /* sheet from 0 */
	uint32_t at, n;                 /* its text in the book's */
};

struct sheet_book {
	char file[ESCAPE_NAME];         /* as shown in messages */
	char names[SHEET_MAX_SHEETS][SHEET_NAME];       /* empty for CSV */
	size_t n_sheets;
	struct sheet_cell *cells;       /* by sheet, row, column, after sheet_sort */
	size_t n_cells, cells_room;
	uint8_t *text;
	size_t n_text, text_room;
	size_t filled;                  /* cells that hold what merged cells above them do */
	size_t dropped;                 /* control characters taken away */
	const char *encoding;           /* of a CSV; NULL */
	char delimiter;                 /* of a CSV; 0 */
};

/* CSV (RFC 4180, loosely: separated by comma, semicolon or tab, whichever parts the first lines most evenly; quotes inside
 * an unquoted cell are text). 0 with *ret, ERR_CONFIG with faults, -ENOMEM. */
int sheet_read_csv(struct span bytes, const char *file, struct sheet_book **ret, struct conf_report *rep);
void sheet_free(struct sheet_book *b);          /* NULL is fine */

/* For readers: an empty book; one more sheet; a cell, cleaned and trimmed (an empty one is not kept); the end, after which
 * the cells are in order. -E2BIG and -EEXIST with a fault, -ENOMEM. */
struct sheet_book *sheet_new(const char *file);
int sheet_add(struct sheet_book *b, struct span name, struct conf_report *rep);
int sheet_put(struct sheet_book *b, uint32_t row, uint32_t column, struct span text, struct conf_report *rep);
/* The same in any sheet. */
int sheet_put_at(struct sheet_book *b, size_t sheet, uint32_t row, uint32_t column, struct span text, struct conf_report *rep);
int sheet_sort(struct sheet_book *b, struct conf_report *rep);

/* The text of a cell; empty when there is none. */
struct span sheet_at(const struct sheet_book *b, size_t sheet, uint32_t row, uint32_t column);
/* The cells of one sheet, and of one of its rows. */
const struct sheet_cell *sheet_cells(const struct sheet_book *b, size_t sheet, size_t *ret_n);
const struct sheet_cell *sheet_row(const struct sheet_book *b, size_t sheet, uint32_t row, size_t *ret_n);
struct span sheet_text(const struct sheet_book *b, const struct sheet_cell *c);

/* "Ports!B7"; column 0: the row ("Ports!7"). */
const char *sheet_where(const struct sheet_book *b, size_t sheet, uint32_t row, uint32_t column, char ret[static SHEET_WHERE]);
/* A fault at a cell; row 0: about the whole file. */
void sheet_fault(const struct sheet_book *b, size_t sheet, uint32_t row, uint32_t column, struct conf_report *rep,
		 const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#endif
