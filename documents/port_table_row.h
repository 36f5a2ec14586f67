/* port_table_row.h -- between the files that read a table of ports: the table, the row being read, and what each file does for the
 * others. port_table.c understands a row, port_table_beside.c the lines around the table, port_table_put.c writes the profile.
 */
#ifndef DOCUMENTS_PORT_TABLE_ROW_H
#define DOCUMENTS_PORT_TABLE_ROW_H

#include "documents/port_heading.h"
#include "documents/port_table.h"
#include "documents/words.h"

enum { LOOK = 200, FOOTNOTES = 64, SIDE_NONE = 0, SIDE_OUT = 1, SIDE_IN = 2, SIDE_BOTH = 3 };

struct port_table_footnote { char mark[WORDS_MARK]; struct span text; bool used; };

struct port_table {
	struct draft *d;
	const struct sheet_book *b;
	size_t sheet, source;
	const struct port_table_choice *choice;
	uint32_t number;                /* of rows in the preview */
	uint32_t heading;               /* row */
	/* Column number to what it is, and its heading. */
	struct { uint32_t column; enum port_heading is; struct span text; } columns[PORT_HEADING_COLUMNS];
	size_t n_columns;
	bool has_side;                  /* a column says who opens */
	unsigned ae_side;               /* of a table of AE titles without one: SIDE_OUT, these are the peers' */
	uint32_t accepted;
	struct port_table_footnote footnotes[FOOTNOTES];
	size_t n_footnotes;
};

/* A row being read. */
struct port_table_row {
	struct port_table *t;
	uint32_t number;
	char where[SHEET_WHERE], cite[65];
	struct span cell[PORT_HEADINGS];        /* without footnote marks */
	char plain[PORT_HEADINGS][WORDS_MAX];
	struct span p[PORT_HEADINGS];
	char marks[8][WORDS_MARK];
	size_t n_marks;
	struct words_ports ports;
	struct port_heading_service service;
	unsigned side, data_flow;
	char as[512];                   /* what was understood, for the preview */
	enum draft_remark why;
	const char *role;               /* of DICOM: scu, scp; NULL */
	/* What disagreed, for conflicts. */
	struct { const char *field; struct span said; const char *kept, *why; } conflicts[4];
	size_t n_conflicts;
	bool keep[PORT_HEADINGS];       /* the cell was not understood, or says more than the row can */
	bool na[PORT_HEADINGS];         /* it says that it does not apply */
};

/* port_table.c: a remark about the row, and what disagreed in it. */
void port_table_say(struct port_table_row *r, enum draft_remark what, enum port_heading column, const char *arg0, const char *arg1);
void port_table_conflict(struct port_table_row *r, const char *field, struct span said, const char *kept, const char *why);
/* "device", "peer" or "either". */
const char *port_table_side(unsigned side);

/* port_table_beside.c: footnotes are gathered before rows are read; a row outside the table says something of the document. */
void port_table_beside_gather(struct port_table *t);
struct port_table_footnote *port_table_beside_footnote(struct port_table *t, const char *mark);
/* What a cell is the label of (the number of the document, its revision, ...); negative: of nothing. */
int port_table_beside_label(struct span text);
void port_table_beside_read(struct port_table *t, uint32_t number);

/* port_table_put.c: a row of `ports` of one transport, from the range `from` on; a row that declares nothing, with why; where it stands. */
void port_table_put_row(struct port_table_row *r, unsigned transport, size_t from, bool first);
void port_table_put_kept(struct port_table_row *r, enum draft_remark why, enum port_heading column);
void port_table_put_cite(struct port_table_row *r);

#endif
