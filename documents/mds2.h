/* mds2.h -- MDS2 forms: what the maker answered to each question, kept as it was printed.
 *
 * HN 1-2019 as a workbook or CSV, whatever its sheet is called and wherever its columns stand, and as text (ID, question, answer,
 * note in a line); HN 1-2013 as far as documents/mds2_2013.def knows it. Every answer goes into `mds2.answers` by its printed ID
 * (SHAD-15 included, which is the official form's misprint), notes into `mds2.notes`. Of a second form in the same import the
 * answers stand under extensions, and differences are said.
 */
#ifndef DOCUMENTS_MDS2_H
#define DOCUMENTS_MDS2_H

#include "documents/draft.h"

enum { MDS2_QUESTIONS = 240, MDS2_ID = 16, MDS2_LEAST = 10 };

/* The question that a cell or the beginning of a line names, in capitals and with a plain hyphen: "CONN-1.1.1"; of the form of
 * 2013: "15-7", "A", "B.2". True when all of it is an ID. */
bool mds2_id(struct span text, char ret[static MDS2_ID]);
/* True when it stands in the form of 2019. */
bool mds2_known(const char *id);

/* Whether a sheet is a form with an answer column; whether a text has lines that begin with IDs. */
bool mds2_sheet_is(const struct sheet_book *b, size_t sheet);
bool mds2_text_is(struct span text);
/* The document's kind: "mds2-2019" or "mds2-2013". */
const char *mds2_sheet_kind(const struct sheet_book *b, size_t sheet);
const char *mds2_text_kind(struct span text);
/* 0 or -ENOMEM. */
int mds2_read_sheet(struct draft *d, const struct sheet_book *b, size_t sheet, size_t source);
int mds2_read_text(struct draft *d, struct span text, size_t source);

#endif
