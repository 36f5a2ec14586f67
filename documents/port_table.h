/* port_table.h -- a maker's table of ports, wherever its columns stand, in English or Japanese.
 *
 * A row becomes a row of `ports` when its port, its transport and who opens the connection are said. Otherwise it is kept under
 * extensions with the question to ask. Each row cites its document and the place in it ("Ports!7", "row 7" of a CSV).
 */
#ifndef DOCUMENTS_PORT_TABLE_H
#define DOCUMENTS_PORT_TABLE_H

#include "documents/draft.h"

/* Which rows of a table that came from pasted text are taken; numbers from 1 in the order of the preview. */
struct port_table_choice {
	bool preview;                   /* nothing is taken */
	bool all;
	uint32_t numbers[256];
	size_t n;
};

/* The row with the headings; 0: this sheet is no table of ports. */
uint32_t port_table_heading(const struct sheet_book *b, size_t sheet);
/* 0 or -ENOMEM: what cannot be understood is kept and said. `choice` NULL: every row. */
int port_table_read(struct draft *d, const struct sheet_book *b, size_t sheet, size_t source, const struct port_table_choice *choice);

#endif
