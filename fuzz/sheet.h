/* sheet.h -- a workbook, whatever it is read from: every failure has a message, what comes out is in order and valid text. */
#ifndef FUZZ_SHEET_H
#define FUZZ_SHEET_H

#include <errno.h>
#include <stdlib.h>

#include "core/utf8.h"
#include "documents/sheet.h"

typedef int sheet_reader(struct span bytes, const char *file, struct sheet_book **ret, struct conf_report *rep);

static inline int sheet_fuzz(sheet_reader *read, const char *name, const uint8_t *data, size_t size)
{
	static struct conf_report rep;
	struct sheet_book *b = NULL;
	rep.n = rep.total = 0;
	int r = read((struct span){ data, size }, name, &b, &rep);
	if ((r == 0) != (b != NULL) || (r != -ENOMEM && (r == 0) != (rep.total == 0)))
		abort();
	for (size_t i = 0; b && i < b->n_cells; i++) {
		const struct sheet_cell *c = &b->cells[i];
		if (!c->n || !utf8_valid(sheet_text(b, c)) || !span_eq(sheet_at(b, c->sheet, c->row, c->column), sheet_text(b, c)))
			abort();
	}
	sheet_free(b);
	return 0;
}

#endif
